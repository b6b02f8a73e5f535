package ops

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// orderRoute is from where an order leaves and in which parcels; nil where nothing is routed.
func (d *Desk) orderRoute(tx *store.Tx, o *order.Order) (*view.OrderRoute, error) {
	routes, err := tx.RoutesGet(o.ID)
	if err != nil {
		return nil, err
	}
	parcels, err := tx.ShipmentsOf(o.ID)
	if err != nil {
		return nil, err
	}
	nodes, err := tx.Nodes()
	if err != nil || len(routes)+len(parcels)+len(nodes) == 0 {
		return nil, err
	}
	accounts, err := d.x.hearing(tx)
	if err != nil {
		return nil, err
	}
	cat := d.x.catalog.Load()
	v := &view.OrderRoute{Sentence: "It has no route yet: it is routed within seconds once it may be shipped."}
	if !routable(o) {
		v.Sentence, v.Fixed = "It has no route.", "It does not wait to be shipped by you."
	}
	if len(routes) == 1 {
		var told RouteTold
		if err := json.Unmarshal(routes[0].Body, &told); err != nil {
			return nil, err
		}
		v.At, v.Actor, v.Reason = routes[0].At, cmp.Or(map[string]string{ByRules: view.Self}[routes[0].Actor], routes[0].Actor), routes[0].Reason
		d.routeWords(v, cat, told)
	}
	on, err := listedLabels(tx, parcels)
	if err != nil {
		return nil, err
	}
	for i := range parcels {
		p := parcelView(&parcels[i], cat, accounts, tx.Now())
		if on[listed(&parcels[i]).Label()] {
			p.Label += onManifestWords(&parcels[i].Shipment)
		}
		if !p.Stopped || parcels[i].Shipped() {
			p.Page = d.x.TrackURL(p.ID)
		}
		signed, err := tx.CustodyOf("", p.ID, 1)
		if err != nil {
			return nil, err
		}
		p.Proof = len(signed) > 0
		v.Parcels = append(v.Parcels, p)
	}
	slices.SortStableFunc(v.Parcels, func(a, b view.Parcel) int { // what is to ship first
		return cmp.Or(cmp.Compare(btoi(a.Stopped), btoi(b.Stopped)), cmp.Compare(a.ID, b.ID))
	})
	for _, n := range nodes {
		if routable(o) && n.Active {
			v.Choices = append(v.Choices, view.Option{ID: n.ID, Label: cat.locationName(n.ID)})
		}
	}
	return v, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// routeWords says what a route comes to.
func (d *Desk) routeWords(v *view.OrderRoute, cat *catalogue, told RouteTold) {
	amount := func(minor int64) string { return money.Amount{Minor: minor, Currency: told.Currency}.String() }
	var names []string
	for _, p := range told.Parts {
		part := view.RoutePart{Node: p.Node, Name: cat.locationName(p.Node), Carrier: cmp.Or(strings.TrimSpace(p.Carrier+" "+p.Service), "the platform picks it, or nothing is said of carriers"),
			Units: p.Units, Leaves: p.Leaves, PlanFor: dayText(p.PlanFor), Arrives: dayText(p.Arrives), Cost: amount(p.Cost), Zone: "not known"}
		if p.Zone > 0 {
			part.Zone = number(p.Zone)
		}
		names = append(names, part.Name)
		v.Parts = append(v.Parts, part)
	}
	switch {
	case len(names) == 0 && told.Back:
		v.Sentence = "It waits for its provider."
	case len(names) == 0:
		v.Sentence = "It waits: no node it may leave from has what it asks."
	case len(names) == 1:
		v.Sentence = "Leaves from " + names[0] + "."
	default:
		v.Sentence = "Leaves in " + number(len(names)) + " parts, from " + and(names) + "."
	}
	if told.Left > 0 {
		v.Sentence += " " + told.later()
	}
	if told.Together > 0 {
		v.Sentence += " It was planned together with " + number(told.Together-1) + " others, for the least cost of all of them."
	}
	v.Pinned = len(told.Asked) > 0
	sure := "no route under these rules is cheaper"
	if !told.Proven {
		sure = "the best that was found; not everything could be tried"
	}
	if told.Guessed {
		sure += "; a zone or a carrier’s days were not known, and the dearest were taken"
	}
	v.Figures = []view.Input{{Name: "Expected cost", Value: amount(told.Total), Text: sure},
		{Name: "Chance to leave late", Value: chanceWord(told.Late), Text: "by the nodes’ hours, what waits there, and their vans"},
		{Name: "Of the cost, for lateness", Value: amount(told.LateCost), Text: "what being late costs by the rules, times its chance"}}
	for _, c := range told.Candidates {
		x := view.Candidate{Name: cmp.Or(c.Name, c.Node), Text: c.Words}
		x.Taken = slices.ContainsFunc(told.Parts, func(p RoutePart) bool { return p.Node == c.Node })
		if c.Alone {
			x.Cost = amount(c.Total)
		}
		v.Candidates = append(v.Candidates, x)
	}
}

func dayText(d calendar.Day) view.Day {
	if d == 0 {
		return ""
	}
	return dayOf(d)
}

// chanceWord writes a chance as people say it.
func chanceWord(p policy.PPM) string {
	switch {
	case p <= 0:
		return "none"
	case p < 1000:
		return "under 0.1 %"
	}
	return share(p)
}

// parcelSteps says what a parcel waits for.
var parcelSteps = map[shipping.StepKind]string{shipping.Pack: "to be packed", shipping.Book: "label to be made", shipping.Find: "is the label made? The answer was lost, and it is being looked up",
	shipping.Fetch: "label to be fetched", shipping.Tell: "channel to be told", shipping.Correct: "channel to be told the new number", shipping.TakeBack: "label to be taken back",
	shipping.Scan: "number to be scanned", shipping.Send: "to be sent to its provider by hand", shipping.Enter: "with its provider; its number is to be entered", shipping.Hand: "to be handed over", shipping.Ask: "waits for a person"}

func parcelView(s *store.Shipment, cat *catalogue, accounts hearing, at time.Time) view.Parcel {
	v := view.Parcel{ID: s.ID, Node: cat.locationName(s.Node), Carrier: strings.TrimSpace(cmp.Or(s.Label.Carrier, s.Carrier) + " " + cmp.Or(s.Label.Service, s.Service)), Tracking: s.Label.Tracking,
		URL: s.Label.URL, Due: ptr(s.Due), Question: s.Question(), Stopped: !s.Stopped.IsZero(), StoppedWhy: s.StopWhy, HandedOverAt: ptr(s.HandedOverAt), DeliveredAt: ptr(s.DeliveredAt), Label: "none yet"}
	for _, n := range needsOf(&s.Shipment) {
		v.Units += n.Qty
		v.Items = append(v.Items, view.ParcelItem{ItemID: n.Item, SKU: cmp.Or(cat.items[n.Item].SKU, n.Item), Qty: n.Qty})
	}
	_, may := s.MayDivide()
	v.Divides = may && v.Units > 1
	step := s.Next(at)
	switch {
	case !s.DeliveredAt.IsZero():
		v.Step, v.Level = "delivered", view.Good
	case s.Shipped():
		v.Step, v.Level = "on the road", view.Good
	case s.Reclaimed() && !s.ByPerson():
		v.Step = "its provider is asked not to ship it: " + s.StopWhy
	case v.Stopped:
		v.Step = "stopped: " + s.StopWhy
	case step.Kind == shipping.Rest && awaited(&s.Shipment):
		v.Step = "with its provider"
	default:
		v.Step = cmp.Or(parcelSteps[step.Kind], "nothing to do")
	}
	if v.Question != "" {
		v.Level = view.Bad
	} else if !s.Shipped() && !v.Stopped && !s.Due.IsZero() && s.Due.Before(at) {
		v.Level = view.Watch
	}
	if !s.Label.BookedAt.IsZero() {
		v.Label = "made"
		if s.Label.Price.Currency != "" {
			v.Label = "made for " + s.Label.Price.String()
		}
		if s.Void.Answer != "" {
			v.Label += ", taking it back: " + s.Void.Answer
		}
	}
	v.Way, v.Renumber = wayView(accounts, s, at), renumberView(&s.Shipment, at)
	if s.Settled != nil && v.Way == nil {
		v.Settled = s.Settled.Why
	}
	switch {
	case s.Way == shipping.ByPlatform:
		v.Told = "the platform makes the label, so it knows"
	case s.Tell.Along:
		v.Told = "the number of what was sent first: it takes one for all of it"
	case s.Tell.Tracking == "":
		v.Told = "nothing yet"
	case s.Tell.Tracking == s.Label.Tracking:
		v.Told = "this number"
	default:
		v.Told = "another number: " + s.Tell.Tracking
	}
	return v
}

// PreviewReroute works out what another route of an order would cost beside the one it has.
func (d *Desk) PreviewReroute(ctx context.Context, a view.RerouteDraft) (view.Preview, error) {
	v := view.Preview{Undo: "It can be changed again until somebody packs it."}
	if len(a.Nodes) > 0 && strings.TrimSpace(a.Reason) == "" {
		v.Refused = "Say why: whoever looks at this order later must understand it."
		return v, nil
	}
	_, was, err := d.x.Route(ctx, a.OrderID)
	if err != nil {
		return v, err
	}
	then, err := d.x.PreviewReroute(ctx, a.OrderID, routing.Override{Nodes: a.Nodes, By: a.Actor, Reason: a.Reason})
	if err != nil {
		if k := errs.KindOf(err); k == errs.Conflict || k == errs.Invalid {
			v.Refused = capital(errs.Safe(err)) + "."
			return v, nil
		}
		return v, err
	}
	cat := d.x.catalog.Load()
	from, to := leaves(cat, was), leaves(cat, then)
	amount := func(minor int64) string { return money.Amount{Minor: minor, Currency: then.Currency}.String() }
	diff := then.Total - was.Total
	v.Sentence = "It leaves from " + to + ", for " + amount(max(diff, -diff)) + map[bool]string{true: " more.", false: " less."}[diff >= 0]
	if diff == 0 {
		v.Sentence = "It leaves from " + to + ", at the same cost."
	}
	if len(then.Parts) == 0 {
		v.Sentence = "It leaves from nowhere for now."
	}
	if then.Back {
		v.Sentence = then.later()
	}
	level := view.Level("")
	if then.Late > was.Late {
		level = view.Watch
	}
	v.Changes = []view.Change{{What: "Leaves from", From: from, To: to}, {What: "Expected cost", From: amount(was.Total), To: amount(then.Total), Why: "handling, labels, surge and what lateness costs"},
		{What: "Chance to leave late", From: chanceWord(was.Late), To: chanceWord(then.Late), Level: level}, {What: "Arrives", From: arrives(was), To: arrives(then)}}
	if then.Left > 0 && !then.Back {
		v.Warnings = append(v.Warnings, capital(plural(then.Left, "unit", "units"))+" would ship later: there are not enough there.")
	}
	for _, c := range then.Candidates {
		if slices.Contains(a.Nodes, c.Node) && !slices.ContainsFunc(then.Parts, func(p RoutePart) bool { return p.Node == c.Node }) {
			v.Warnings = append(v.Warnings, c.Words)
		}
	}
	if len(a.Nodes) > 0 {
		v.Warnings = append(v.Warnings, "From then on this order stays with what you say: neither the rules nor a new plan of all orders move it.")
	}
	return v, nil
}

// leaves names the nodes of a route.
func leaves(cat *catalogue, told RouteTold) string {
	var names []string
	for _, p := range told.Parts {
		names = append(names, cat.locationName(p.Node))
	}
	return cmp.Or(and(names), "nowhere yet")
}

// arrives is the last day a part of a route arrives.
func arrives(told RouteTold) string {
	var last calendar.Day
	for _, p := range told.Parts {
		last = max(last, p.Arrives)
	}
	return cmp.Or(string(dayText(last)), "not known")
}

// Reroute does what a draft says.
func (d *Desk) Reroute(ctx context.Context, a view.RerouteDraft) (view.Done, error) {
	told, err := d.x.Reroute(ctx, a.OrderID, a.ID, routing.Override{Nodes: a.Nodes, By: a.Actor, Reason: strings.TrimSpace(a.Reason)})
	if err != nil {
		return view.Done{}, err
	}
	return view.Done{Sentence: "The order leaves from " + leaves(d.x.catalog.Load(), told) + ". Its units are held there."}, nil
}

// RetryParcel has a refused step of a parcel tried again.
func (d *Desk) RetryParcel(ctx context.Context, id, actor string) (view.Done, error) {
	if err := d.x.RetryParcel(ctx, id, actor); err != nil {
		return view.Done{}, err
	}
	return view.Done{Sentence: "It is tried again. If it is refused again, the question comes back."}, nil
}

// CustodyProof is the proof file of a parcel of an order, as `spillway verify` reads it. Errors: NotFound (no such parcel of this order, or nothing of it is
// signed yet), Internal (the log was changed).
func (d *Desk) CustodyProof(ctx context.Context, orderID, parcel string) ([]byte, error) {
	const op = "ops.CustodyProof"
	err := d.read(ctx, op, parcel, func(tx *store.Tx) error {
		s, err := tx.ShipmentGet(parcel)
		if err != nil || !slices.Contains(s.Orders, orderID) {
			return errs.New(errs.NotFound, op, parcel, "There is no such parcel of this order.")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	p, err := d.x.CustodyProof(ctx, "", parcel, 0)
	if err != nil {
		return nil, err
	}
	return p.Encode()
}

// routeEntry puts what was decided of an order's road into a line of its timeline.
func routeEntry(row store.Event, out *view.Entry) {
	var e struct {
		Nodes    []string `json:"nodes"`
		By       string   `json:"by"`
		Reason   string   `json:"reason"`
		Left     int64    `json:"left"`
		Total    int64    `json:"total"`
		Currency string   `json:"currency"`
		Together int      `json:"together"`
		Said     string   `json:"said"`
		Why      string   `json:"why"`
		From     string   `json:"from"`
		To       string   `json:"to"`
	}
	_ = json.Unmarshal(row.Data, &e) // what cannot be read leaves the line short
	out.At = row.At
	if row.Kind == EventRetried {
		out.Kind, out.Text, out.Actor = "tried again", "a parcel’s step was refused: “"+e.Said+"”", e.By
		return
	}
	if row.Kind == EventUnrouted {
		out.Kind, out.Text, out.Level, out.Actor = "not routed", "it cannot be routed: "+e.Why, view.Bad, view.Self
		return
	}
	if row.Kind == EventRenumbered {
		out.Kind, out.Text, out.Actor = "number corrected", "a parcel travels as "+e.To+", not as "+e.From, e.By
		return
	}
	if row.Kind == EventSettled {
		out.Kind, out.Text, out.Actor = "settled", "a parcel that did not arrive: “"+e.Said+"”", e.By
		return
	}
	out.Kind = "routed"
	out.Text = "leaves from " + and(e.Nodes)
	if len(e.Nodes) == 0 {
		out.Text, out.Level = "leaves from nowhere yet", view.Watch
	}
	if e.Left > 0 {
		out.Text += fmt.Sprintf(", %s later", unitsOf(e.Left))
	}
	if e.Currency != "" {
		out.Text += ", expected to cost " + money.Amount{Minor: e.Total, Currency: e.Currency}.String()
	}
	if e.Together > 0 {
		out.Text += ", planned together with " + number(e.Together-1) + " others"
	}
	if out.Actor = e.By; e.By == ByRules {
		out.Actor = view.Self
	}
	if e.Reason != "" {
		out.Text += ": " + e.Reason
	}
}
