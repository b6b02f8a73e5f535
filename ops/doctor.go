package ops

import (
	"context"
	"fmt"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// Bounds the doctor judges by.
const (
	// clockSkew is more than a channel tolerates: gateways refuse requests half a minute in the future.
	clockSkew = 15 * time.Second
	// tokenSoon warns of a login that ends.
	tokenSoon = 30 * 24 * time.Hour
	// flightOld is how long a push may be without an answer before somebody should look.
	flightOld = 10 * time.Minute
	// shownRows bounds what a finding lists.
	shownRows = 10
)

// Finding is one line of the doctor's report.
type Finding struct {
	Check string
	OK    bool
	Text  string
	Fix   string // the way out; empty when all is well
}

// Examine checks what must hold: journal against balances, exposures against what is free, cursors, messages, tokens, and, when asked to
// call the channels, their clocks and logins. It changes nothing.
func (x *Ops) Examine(ctx context.Context, call bool) ([]Finding, error) {
	if x.catalog.Load() == nil {
		if err := x.reloadCatalogue(ctx); err != nil {
			return nil, err
		}
	}
	proof, err := x.Prove(ctx)
	if err != nil {
		return nil, err
	}
	out := findProof(proof)
	messages, err := x.findMessages(ctx)
	if err != nil {
		return nil, errs.Wrap("ops.Examine", "", err)
	}
	inCustody, err := x.findCustody(ctx)
	if err != nil {
		return nil, errs.Wrap("ops.Examine", "", err)
	}
	out = append(out, messages, inCustody)
	err = x.st.View(ctx, func(tx *store.Tx) error {
		for _, examine := range []func(*store.Tx) ([]Finding, error){x.findBooks, x.findCursors, x.findTokens, x.findUpkeep} {
			fs, err := examine(tx)
			if err != nil {
				return err
			}
			out = append(out, fs...)
		}
		return nil
	})
	if err != nil {
		return nil, errs.Wrap("ops.Examine", "", err)
	}
	if call {
		out = append(out, x.findClocks(ctx)...)
	}
	return out, nil
}

func findProof(p Proof) []Finding {
	out := []Finding{{Check: "journal against balances", OK: len(p.Ledger) == 0, Text: fmt.Sprintf("%d differences over %d items", len(p.Ledger), p.Items)}}
	for i, d := range p.Ledger {
		if i == shownRows {
			break
		}
		out = append(out, Finding{Check: "journal against balances", Text: fmt.Sprintf("%s at %s, %s: journal %d, balance %d", d.ItemID, d.LocationID, d.What, d.Journal, d.Balance),
			Fix: "stop Spillway, keep both database files, and report this: the journal is the record and the balance can be rebuilt from it"})
	}
	short := Finding{Check: "promised and not there", OK: p.Short == 0, Text: fmt.Sprintf("%d units", p.Short)}
	if p.Short > 0 {
		short.Fix = "receive the missing units, or cancel orders from the orders page (filter: short)"
	}
	out = append(out, short)
	var over, shared int
	for _, o := range p.OverExposed {
		if o.Shared {
			shared++
		} else {
			over++
		}
	}
	exposure := Finding{Check: "exposure against what is free", OK: over == 0,
		Text: fmt.Sprintf("%d of %d items could be sold beyond what is free; %d more in shared mode accept that risk", over, p.Items, shared)}
	if over > 0 {
		exposure.Fix = "a channel was edited by hand, or a connection has just been added; Spillway lowers the numbers by itself while it runs"
	}
	books := Finding{Check: "exposure books", OK: len(p.Books) == 0, Text: fmt.Sprintf("%d of %d listings have a book that contradicts itself", len(p.Books), p.Listings)}
	return append(out, exposure, books)
}

func (x *Ops) findMessages(ctx context.Context) (Finding, error) {
	var n map[store.InboxState]int64
	if err := x.st.ViewInbox(ctx, func(tx *store.InboxTx) (err error) { n, err = tx.InboxCounts(); return err }); err != nil {
		return Finding{}, err
	}
	f := Finding{Check: "inbox", OK: n[store.InboxParked] == 0, Text: fmt.Sprintf("%d waiting, %d parked", n[store.InboxPending], n[store.InboxParked])}
	if !f.OK {
		f.Fix = "see 'spillway inbox list'; after a fix, 'spillway inbox retry'"
	}
	return f, nil
}

// findBooks looks for pushes nobody answered and listings that have waited long for theirs.
func (x *Ops) findBooks(tx *store.Tx) ([]Finding, error) {
	cat := x.catalog.Load()
	var old, unopened int
	for _, ids := range cat.ofConn {
		for part := range chunks(ids, catalogPage) {
			set, err := x.loadBooks(tx, part)
			if err != nil {
				return nil, err
			}
			for _, id := range part {
				b, open := set.Books[id]
				l := cat.listings[id]
				if !open && l.Active && l.ItemID != "" {
					unopened++
				}
				if b.InFlight != nil && tx.Now().Sub(b.InFlight.SentAt) > flightOld {
					old++
				}
			}
		}
	}
	out := []Finding{{Check: "pushes without an answer", OK: old == 0, Text: fmt.Sprintf("%d older than %s", old, flightOld)},
		{Check: "listings never read", OK: unopened == 0, Text: fmt.Sprintf("%d", unopened)}}
	if old > 0 || unopened > 0 {
		out[0].Fix, out[1].Fix = "start Spillway: it ends open pushes and reads their numbers", "start Spillway and look at the connection's errors"
	}
	return out, nil
}

func (x *Ops) findCursors(tx *store.Tx) ([]Finding, error) {
	conns, err := tx.ConnectionList()
	if err != nil {
		return nil, err
	}
	var out []Finding
	for _, c := range conns {
		mark, err := tx.WatermarkGet(c.ID, ordersStream)
		if err != nil {
			return nil, err
		}
		f := Finding{Check: "connection " + c.ID, OK: c.State == store.Active, Text: string(c.State)}
		if c.StateReason != "" {
			f.Text += ": " + c.StateReason
		}
		switch {
		case !f.OK:
			f.Fix = "connect the shop again on the connections page"
		case mark.At.IsZero():
			f.Text += ", orders never polled"
		case mark.At.After(tx.Now().Add(clockSkew)):
			f.OK, f.Fix = false, "the watermark lies in the future: check this machine's clock"
			f.Text += ", orders known up to " + mark.At.Format(time.RFC3339)
		default:
			f.Text += ", orders known up to " + mark.At.Format(time.RFC3339)
		}
		out = append(out, f)
	}
	return out, nil
}

func (x *Ops) findTokens(tx *store.Tx) ([]Finding, error) {
	grants, err := tx.GrantList()
	if err != nil {
		return nil, err
	}
	var out []Finding
	for _, g := range grants {
		f := Finding{Check: "login " + g.SellerName, OK: true, Text: "does not end"}
		if !g.RefreshExpiresAt.IsZero() {
			left := g.RefreshExpiresAt.Sub(tx.Now())
			f.Text = "consent ends " + g.RefreshExpiresAt.Format(time.DateOnly)
			f.OK = left > tokenSoon
		}
		if _, err := x.unsealGrant(g); err != nil {
			f.OK, f.Text, f.Fix = false, "cannot be opened: "+errs.Safe(err), "restore the key file"
		} else if !f.OK {
			f.Fix = "ask the seller to agree again on the connections page"
		}
		out = append(out, f)
	}
	return out, nil
}

// findClocks calls every channel: the login must work and its clock must be near ours.
func (x *Ops) findClocks(ctx context.Context) []Finding {
	var out []Finding
	if err := x.dial(ctx); err != nil {
		return []Finding{{Check: "channels", Text: errs.Safe(err), Fix: "see the log"}}
	}
	for _, w := range x.wires.all() {
		f := Finding{Check: "clock of " + w.id}
		sent := x.now()
		page, err := w.session.Orders(ctx, driver.OrderQuery{UpdatedFrom: sent.Add(-time.Minute), Limit: 1})
		got := x.now()
		switch {
		case err != nil:
			f.Text, f.Fix = "the channel cannot be called: "+err.Error(), "connect the shop again, or wait until the channel works"
		case page.At.IsZero():
			f.OK, f.Text = true, "the login works; the channel does not tell its time"
		default:
			// The channel's clock has whole seconds and was read somewhere between sending and receiving.
			skew := max(sent.Sub(page.At)-time.Second, page.At.Sub(got), 0)
			f.OK, f.Text = skew <= clockSkew, fmt.Sprintf("the login works; %s apart", skew.Round(time.Second))
			if !f.OK {
				f.Fix = "set this machine's clock (NTP): channels refuse requests with a wrong time"
			}
		}
		out = append(out, f)
	}
	return out
}

// dial opens the sessions of all connections without setting them to work.
func (x *Ops) dial(ctx context.Context) error {
	var conns []store.Connection
	err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		conns, err = tx.ConnectionList()
		return err
	})
	if err != nil {
		return err
	}
	for _, c := range conns {
		if x.wires.get(c.ID) != nil || c.State == store.Withdrawn {
			continue
		}
		w, err := x.makeWire(ctx, c, nil)
		if err != nil {
			return err
		}
		x.wires.put(w, c)
	}
	return nil
}
