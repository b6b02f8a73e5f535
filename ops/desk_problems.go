package ops

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// wireRight is the state of a connection about which there is nothing to say.
const wireRight = "right"

// wireNow is what a connection is doing.
type wireNow struct {
	level   view.Level
	state   string
	text    string // why, or what is going on
	since   time.Time
	seen    time.Time
	sweptAt time.Time
	mark    time.Time
	waiting int
	w       *wire
}

// wire looks at a connection at work.
func (d *Desk) wire(c store.Connection) wireNow {
	n := wireNow{state: string(c.State), text: c.StateReason, w: d.x.wires.get(c.ID), since: c.UpdatedAt}
	switch r, said := d.x.report(c.ID); {
	case said:
		n.seen, n.sweptAt, n.mark, n.waiting = r.SeenAt, r.SweptAt, r.Watermark, r.Pushes
		switch {
		case c.State == store.Active && r.Failing != "":
			n.level, n.state, n.since = view.Watch, "not answering", r.FailingAt
			n.text = connector.Redact(r.Failing)
		case c.State == store.Active && !r.Opened:
			n.state, n.text = "reading its history", "Its orders and listings are being read; numbers are set after that."
		case c.State == store.Active:
			n.level, n.state = view.Good, wireRight
		}
	case c.State == store.Active && d.x.keeper.elsewhere(c.ID):
		n.level, n.state, n.text = view.Watch, "changing hands", "No process works it at the moment; one takes it over within seconds."
	case c.State == store.Active:
		n.level, n.state, n.text = view.Bad, "not at work", "It could not be opened; the log says why."
	}
	switch c.State {
	case store.NeedsLogin, store.Withdrawn:
		n.level = view.Bad
	case store.Paused:
		n.level, n.text = view.Watch, cmp.Or(n.text, "Nothing is read from it and nothing is told to it.")
	}
	return n
}

// problems are the things a person should look at, worst first.
func (d *Desk) problems(s survey, ch channels) []view.Problem {
	var out []view.Problem
	add := func(l view.Level, text, next string, ref view.Ref, since time.Time) {
		out = append(out, view.Problem{Level: l, Text: text, Next: next, Ref: ref, Since: since})
	}
	if s.truth.Short > 0 {
		add(view.Bad, capital(unitsOf(s.truth.Short))+" were promised that are not there.", "Receive them, or tell the buyers before the platform cancels.",
			view.Ref{Kind: view.KindFigure, ID: view.FigureShort}, time.Time{})
	}
	if len(s.over) > 0 {
		add(view.Bad, "Channels may sell more of "+and(d.skus(s.over, 3))+" than there is.", "Pushes that cut it are on their way; if it stays, look at the connection.",
			view.Ref{Kind: view.KindItem, ID: s.over[0]}, time.Time{})
	}
	if p := d.x.proven.Load(); p != nil && (len(p.Ledger) > 0 || len(p.Books) > 0) {
		add(view.Bad, "The journal does not add up to the balances.", "Run “spillway doctor” and keep a backup before anything else.", view.Ref{Kind: view.KindFigure, ID: view.FigureOversold}, p.At)
	}
	for _, c := range ch.rows {
		d.connectionProblem(c, ch, s, add)
	}
	if n := s.slack.Late; n > 0 {
		add(view.Bad, capital(plural(n, "order has", "orders have"))+" passed the deadline.", "Pack what can still go, answer the others.", view.Ref{Kind: view.KindFigure, ID: view.FigureOpenOrders}, time.Time{})
	}
	for _, c := range s.byHand {
		name := d.nodeOption(c.Node).Label
		add(view.Watch, name+" has no account connected, and "+plural(c.N, "order waits", "orders wait")+" for a person to send.", "Send them by hand, or connect the account.", view.Ref{Kind: view.KindByHand, ID: c.Node}, time.Time{})
	}
	if s.parked > 0 {
		add(view.Watch, capital(plural(s.parked, "message", "messages"))+" could not be understood.", "Read why; retry once the cause is gone.", view.Ref{Kind: view.KindProblems}, time.Time{})
	}
	slices.SortStableFunc(out, func(a, b view.Problem) int { return cmp.Compare(gravity(b.Level), gravity(a.Level)) })
	return out
}

func (d *Desk) connectionProblem(c store.Connection, ch channels, s survey, add func(view.Level, string, string, view.Ref, time.Time)) {
	ref, name, w := view.Ref{Kind: view.KindConnection, ID: c.ID}, ch.of(c.ID), d.wire(c)
	switch {
	case c.State == store.NeedsLogin:
		add(view.Bad, name+" refuses our login since "+d.clockTime(w.since)+".", "Connect it again.", ref, w.since)
	case c.State == store.Withdrawn:
		add(view.Bad, "The seller has withdrawn the consent for "+name+".", "Connect it again, or remove its stock from sale there by hand.", ref, w.since)
	case w.level == view.Bad:
		add(view.Bad, name+" is connected but not at work.", "Look into the log, then restart.", ref, w.since)
	case w.state == "not answering":
		add(view.Watch, name+" does not answer since "+d.clockTime(w.since)+".", "Nothing to do yet: it is tried again, and the other channels go on.", ref, w.since)
	}
	if n := s.unmapped[c.ID]; n > 0 {
		add(view.Watch, capital(plural(n, "listing", "listings"))+" on "+name+" sell no item we know.", "Give an item the same SKU, or import it.", ref, time.Time{})
	}
}

func gravity(l view.Level) int {
	return slices.Index([]view.Level{view.Good, view.Quiet, view.Watch, view.Bad}, l)
}

// parkedRows are shown at once.
const parkedRows = 100

// Problems is what waits for a person.
func (d *Desk) Problems(ctx context.Context) (view.Problems, error) {
	v := view.Problems{At: d.x.now()}
	s, err := d.survey(ctx)
	if err != nil {
		return v, err
	}
	var rows []store.InboxRow
	if err := d.x.st.ViewInbox(ctx, func(tx *store.InboxTx) error {
		n, err := tx.InboxCounts()
		if err != nil {
			return err
		}
		v.Total = n[store.InboxParked]
		rows, err = tx.InboxParked(parkedRows)
		return err
	}); err != nil {
		return v, errs.Wrap("ops.Problems", "", err)
	}
	err = d.read(ctx, "ops.Problems", "", func(tx *store.Tx) error {
		ch, err := readChannels(tx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			p := view.Parked{ID: r.ID, ConnectionID: r.ConnectionID, Topic: r.Topic, ReceivedAt: r.ReceivedAt, Tries: r.Tries,
				Reason: connector.Redact(r.Reason), Bytes: int64(len(r.Body)), Excerpt: excerpt(r.Body)}
			if p.Channel = "unknown shop"; r.ConnectionID != "" {
				p.Channel = ch.of(r.ConnectionID)
			}
			v.Parked = append(v.Parked, p)
		}
		for _, p := range d.problems(s, ch) {
			if p.Ref.Kind != view.KindProblems {
				v.Others = append(v.Others, p)
			}
		}
		return nil
	})
	return v, err
}

const (
	// excerptBytes bounds what is shown of a message; longer bodies than excerptParse are not even read.
	excerptBytes = 400
	excerptParse = 256 << 10
)

// technical are the names of fields whose texts say nothing about a person.
var technical = regexp.MustCompile(`(?i)^(id|.*_id|.*id|type|topic|event.*|status|.*_status|state|kind|code|reason|currency|sku|.*_sku|.*_time|time|.*_at|at|version|notification.*)$`)

// personal are the names of fields that may be about a person although they look technical.
var personal = regexp.MustCompile(`(?i)buyer|user|customer|recipient|name|mail|phone|address|zip|post`)

func shown(field string) bool { return technical.MatchString(field) && !personal.MatchString(field) }

// excerpt is the beginning of a message without anything that could be about a person: of texts only those of technical fields stay.
func excerpt(body []byte) string {
	if len(body) > excerptParse {
		return "too long to show"
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return "not JSON"
	}
	out, err := json.Marshal(blank(v, ""))
	if err != nil {
		return "not JSON"
	}
	text := connector.Redact(string(out))
	if len(text) > excerptBytes {
		text = strings.ToValidUTF8(text[:excerptBytes], "") + "…"
	}
	return text
}

// blank replaces texts of fields that are not technical.
func blank(v any, field string) any {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			x[k] = blank(x[k], k)
		}
	case []any:
		for i := range x {
			x[i] = blank(x[i], field)
		}
	case string:
		if !shown(field) {
			return "…"
		}
	case json.Number:
		if !shown(field) && len(x) > 6 { // a long number may be a telephone's
			return "…"
		}
	}
	return v
}
