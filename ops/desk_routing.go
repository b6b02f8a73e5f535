package ops

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

var shortWords = []view.Option{{ID: string(routing.Partly), Label: "ship what is there, the rest later"}, {ID: string(routing.Wait), Label: "wait until all of it is there"},
	{ID: string(routing.Whole), Label: "wait until one node has all of it"}}

// Routing is the page of routing rules.
func (d *Desk) Routing(ctx context.Context) (view.Routing, error) {
	v := view.Routing{At: d.x.now(), Shorts: shortWords}
	err := d.look(ctx, "ops.Routing", "", func(tx *store.Tx) error {
		rules, history, err := routingSaid(tx)
		if err != nil {
			return err
		}
		v.Form = rulesForm(rules)
		v.Default = len(history) == 0 || history[0].Rules == nil
		if len(history) > 0 {
			v.Form.Version = history[0].Version
		}
		for i, h := range history {
			v.History = append(v.History, view.RoutingChange{Version: h.Version, At: h.At, Actor: h.Actor, Text: routingChange(history, i, rules.Currency)})
		}
		nodes, err := tx.Nodes()
		if err != nil {
			return err
		}
		cat := d.x.catalog.Load()
		for _, n := range nodes {
			v.Nodes = append(v.Nodes, view.Option{ID: n.ID, Label: cat.locationName(n.ID)})
		}
		v.SaidNodes = len(nodes) > 0
		if v.Wave, err = d.waveView(tx); err != nil {
			return err
		}
		names, err := shopNames(tx)
		v.Ways = d.x.waysToday(names)
		return err
	})
	return v, err
}

// routingChange says what a version of the rules changed.
func routingChange(history []RoutingSaid, i int, currency string) string {
	if history[i].Rules == nil {
		return "back to the usual rules"
	}
	was := defaultRouting(currency)
	if i+1 < len(history) && history[i+1].Rules != nil {
		was = *history[i+1].Rules
	}
	var names []string
	for _, c := range rulesChanges(was, *history[i].Rules) {
		names = append(names, c.What)
	}
	return cmp.Or(and(names), "nothing")
}

func writeMinor(minor int64, currency string) string {
	return writeMoney(money.Amount{Minor: minor, Currency: currency})
}

func writePercent(p policy.PPM) string { return strconv.FormatFloat(float64(p)/10_000, 'f', -1, 64) }

func rulesForm(r routing.Rules) view.RoutingForm {
	m := func(minor int64) string { return cmp.Or(writeMinor(minor, r.Currency), "0") }
	f := view.RoutingForm{Currency: r.Currency, LateDispatch: m(r.Late.Dispatch), LateDelivery: m(r.Late.Delivery), LateCancel: m(r.Late.Cancel), LeftUnit: m(r.LeftUnit), LeftAny: m(r.LeftAny),
		Move: m(r.Move), Short: string(r.Short), Parts: writeNumber(r.Parts), Days: writeNumber(r.Days), Slip: writePercent(r.Slip), RoadSlip: writePercent(r.RoadSlip), Unknown: writeNumber(r.Unknown), Plain: r.Plain}
	for _, l := range r.Limits {
		kind := "only"
		if l.Never {
			kind = "never"
		}
		f.Limits = append(f.Limits, view.LimitForm{Kind: kind, Nodes: strings.Join(l.Nodes, ", "), Item: l.Item, Shop: l.Connection, Region: l.Region, Reason: l.Reason})
	}
	f.Limits = append(f.Limits, view.LimitForm{}) // room for one more
	return f
}

// rulesReader reads a form and notes what is wrong with each field.
type rulesReader struct {
	f     view.RoutingForm
	wrong []view.FieldError
}

func (r *rulesReader) bad(field, label, format string, args ...any) {
	r.wrong = append(r.wrong, view.FieldError{Field: field, Label: label, Text: fmt.Sprintf(format, args...)})
}

func (r *rulesReader) money(field, label, text string) int64 {
	if text == "" {
		return 0
	}
	a, err := money.Parse(text, r.f.Currency)
	if err != nil || a.Minor < 0 || a.Minor > routing.MaxCost {
		r.bad(field, label, "“%s” is no amount in %s: write 10.00.", text, r.f.Currency)
		return 0
	}
	return a.Minor
}

func (r *rulesReader) whole(field, label, text string, most int64) int64 {
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > most {
		r.bad(field, label, "“%s” is no whole number from 0 to %s.", text, number(most))
	}
	return n
}

func (r *rulesReader) percent(field, label, text string) policy.PPM {
	if text == "" {
		return 0
	}
	f, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil || f < 0 || f >= 100 {
		r.bad(field, label, "“%s” is no percentage from 0 to below 100.", text)
	}
	return policy.PPM(f*10_000 + 0.5)
}

// readRules reads a form. nodes are those there are.
func readRules(f view.RoutingForm, nodes []string) (routing.Rules, []view.FieldError) {
	r := &rulesReader{f: f}
	out := routing.Rules{Currency: f.Currency, Late: routing.Late{Dispatch: r.money("latedispatch", "Late hand-over", f.LateDispatch), Delivery: r.money("latedelivery", "Late delivery", f.LateDelivery),
		Cancel: r.money("latecancel", "Cancelled for lateness", f.LateCancel)}, LeftUnit: r.money("leftunit", "A unit left for later", f.LeftUnit), LeftAny: r.money("leftany", "An order with units left", f.LeftAny),
		Move: r.money("move", "Moving a reservation", f.Move), Short: routing.Short(f.Short), Parts: int(r.whole("parts", "Nodes an order", f.Parts, routing.MaxParts)), Days: int(r.whole("days", "Days ahead", f.Days, routing.MaxDays)),
		Slip: r.percent("slip", "Chance of slipping a day", f.Slip), RoadSlip: r.percent("roadslip", "Chance of a day more on the road", f.RoadSlip), Unknown: r.whole("unknown", "Weight not known", f.Unknown, routing.MaxGrams/routing.MaxQty),
		Plain: f.Plain}
	if out.LeftUnit == 0 && len(r.wrong) == 0 {
		r.bad("leftunit", "A unit left for later", "It must cost something to leave a unit for later, or nothing would ever ship.")
	}
	for i, l := range f.Limits {
		at := "limit" + strconv.Itoa(i) + "."
		if l.Kind == "" && l.Nodes+l.Item+l.Shop+l.Region+l.Reason == "" {
			continue
		}
		limit := routing.Limit{Reason: l.Reason, Item: l.Item, Connection: l.Shop, Region: l.Region, Never: l.Kind == "never"}
		for _, n := range strings.FieldsFunc(l.Nodes, func(c rune) bool { return c == ',' || c == ' ' }) {
			if !slices.Contains(nodes, n) {
				r.bad(at+"nodes", "Nodes of limit "+strconv.Itoa(i+1), "There is no node %s; there are %s.", n, cmp.Or(and(nodes), "none yet"))
			}
			limit.Nodes = append(limit.Nodes, n)
		}
		switch {
		case l.Kind != "only" && l.Kind != "never":
			r.bad(at+"kind", "Limit "+strconv.Itoa(i+1), "Say whether such orders leave only from these nodes, or never.")
		case len(limit.Nodes) == 0:
			r.bad(at+"nodes", "Nodes of limit "+strconv.Itoa(i+1), "Name at least one node.")
		case l.Reason == "":
			r.bad(at+"reason", "Why of limit "+strconv.Itoa(i+1), "Say why: it is shown to whoever asks why an order leaves from elsewhere.")
		}
		out.Limits = append(out.Limits, limit)
	}
	if len(r.wrong) == 0 {
		if err := out.Check(); err != nil {
			r.bad("short", "Rules", "%s.", capital(errs.Safe(err)))
		}
	}
	return out, r.wrong
}

// rulesChanges is what is different between two sets of rules.
func rulesChanges(was, now routing.Rules) (out []view.Change) {
	a, b := rulesForm(was), rulesForm(now)
	for _, c := range []struct{ what, from, to string }{{"Late hand-over", a.LateDispatch, b.LateDispatch}, {"Late delivery", a.LateDelivery, b.LateDelivery}, {"Cancelled for lateness", a.LateCancel, b.LateCancel},
		{"A unit left for later", a.LeftUnit, b.LeftUnit}, {"An order with units left", a.LeftAny, b.LeftAny}, {"Moving a reservation", a.Move, b.Move}, {"When units are missing", a.Short, b.Short},
		{"Nodes an order", a.Parts, b.Parts}, {"Days ahead", a.Days, b.Days}, {"Chance of slipping a day", a.Slip + " %", b.Slip + " %"}, {"Chance of a day more on the road", a.RoadSlip + " %", b.RoadSlip + " %"},
		{"Weight not known", a.Unknown + " g", b.Unknown + " g"}, {"Platforms’ stock first", yes(!a.Plain), yes(!b.Plain)}, {"Limits", limitsText(was.Limits), limitsText(now.Limits)}} {
		if c.from != c.to {
			out = append(out, view.Change{What: c.what, From: cmp.Or(c.from, "usual"), To: cmp.Or(c.to, "usual")})
		}
	}
	return out
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func limitsText(list []routing.Limit) string {
	var out []string
	for _, l := range list {
		kind := "only from "
		if l.Never {
			kind = "never from "
		}
		if about := strings.TrimSpace(l.Item + " " + l.Connection + " " + l.Region); about != "" {
			kind = about + " " + kind
		}
		out = append(out, kind+strings.Join(l.Nodes, ", "))
	}
	return cmp.Or(strings.Join(out, "; "), "none")
}

// draftRules reads a draft as it would be saved; nil rules are the usual ones.
func (d *Desk) draftRules(ctx context.Context, a view.RoutingDraft) (was, now routing.Rules, said []RoutingSaid, wrong []view.FieldError, err error) {
	var nodes []store.Node
	err = d.look(ctx, "ops.PreviewRouting", "", func(tx *store.Tx) (err error) {
		if nodes, err = tx.Nodes(); err != nil {
			return err
		}
		was, said, err = routingSaid(tx)
		return err
	})
	if err != nil || a.Reset {
		return was, defaultRouting(was.Currency), said, nil, err
	}
	var ids []string
	for _, n := range nodes {
		ids = append(ids, n.ID)
	}
	a.Currency = was.Currency
	now, wrong = readRules(a.RoutingForm, ids)
	return was, now, said, wrong, nil
}

// PreviewRouting works out what a draft changes.
func (d *Desk) PreviewRouting(ctx context.Context, a view.RoutingDraft) (view.RoutingPreview, error) {
	v := view.RoutingPreview{}
	was, now, said, wrong, err := d.draftRules(ctx, a)
	if v.Wrong = wrong; err != nil || len(wrong) > 0 {
		return v, err
	}
	v.Changes = rulesChanges(was, now)
	switch {
	case len(said) > 0 && said[0].Version != a.Version || len(said) == 0 && a.Version != 0:
		v.Refused = said[0].Actor + " has changed the rules since this form was opened. Open it again and make the change there."
	case len(v.Changes) == 0:
		v.Refused = "Nothing is different from the rules as they are."
	}
	v.Sentence = plural(len(v.Changes), "rule changes", "rules change") + "; orders are routed by it from within " + lasting(routeFresh) + " on."
	v.Warnings = append(v.Warnings, "Orders that have a route keep it; plan all open orders together to move them.")
	v.Undo = "What was said before stays in the history, and can be entered again."
	return v, nil
}

// SaveRouting says what a draft says.
func (d *Desk) SaveRouting(ctx context.Context, a view.RoutingDraft) (view.Done, error) {
	_, now, _, wrong, err := d.draftRules(ctx, a)
	if err != nil {
		return view.Done{}, err
	}
	if len(wrong) > 0 {
		return view.Done{}, errs.New(errs.Invalid, "ops.SaveRouting", "", "%s: %s", wrong[0].Label, wrong[0].Text)
	}
	rules := &now
	if a.Reset {
		rules = nil
	}
	if err := d.x.SaveRouting(ctx, rules, a.Version, a.Actor); err != nil {
		return view.Done{}, err
	}
	return view.Done{Sentence: "The rules of routing are saved."}, nil
}
