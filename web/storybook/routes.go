package storybook

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// routed is what the storybook keeps of routing and capacity.
type routed struct {
	form    view.RoutingForm
	history []view.RoutingChange
	wave    *view.Wave
	applied []view.Applied
	left    map[string]string // where orders leave from that a person sent elsewhere
	retried map[string]bool   // orders whose parcel was tried again
	chart   string            // in force besides the one of the story
	settled map[string]string // what became of stuck parcels

	renumbered map[string]string // the corrected numbers of parcels
	divided    view.DivisionDraft
	kept       bool // what the provider counts is booked
}

var usualRules = view.RoutingForm{Currency: "EUR", LateDispatch: "10.00", LateDelivery: "5.00", LateCancel: "20.00", LeftUnit: "5.00", LeftAny: "50.00", Move: "0", Short: "partly", Parts: "3", Slip: "2", RoadSlip: "5", Unknown: "500"}

// route says where an order leaves from. b is locked.
func (b *Book) route(o *view.OrderPage) *view.OrderRoute {
	if len(b.nodes) == 0 {
		return nil
	}
	due := o.Placed.Add(30 * time.Hour)
	v := &view.OrderRoute{Sentence: "Leaves from Berlin.", At: o.Placed, Actor: view.Self, Fixed: "It does not wait to be shipped by you.",
		Parts: []view.RoutePart{{Node: "berlin", Name: "Berlin", Carrier: "DHL Paket", Units: o.Units, Leaves: due, PlanFor: view.Day(due.Format(time.DateOnly)), Arrives: view.Day(due.AddDate(0, 0, 2).Format(time.DateOnly)), Zone: "2", Cost: "5.90 EUR"}},
		Figures: []view.Input{{Name: "Expected cost", Value: "6.14 EUR", Text: "no route under these rules is cheaper"}, {Name: "Chance to leave late", Value: "2.4 %", Text: "by the nodes’ hours, what waits there, and their vans"},
			{Name: "Of the cost, for lateness", Value: "0.24 EUR", Text: "what being late costs by the rules, times its chance"}},
		Candidates: []view.Candidate{{Name: "Berlin", Text: "Berlin ships it.", Taken: true, Cost: "6.14 EUR"}, {Name: "Fulfil Hub", Text: "Fulfil Hub could ship all of it, for 8.02 EUR. That is no better.", Cost: "8.02 EUR"}},
		Parcels:    []view.Parcel{{ID: "s2f9c41d07ab3", Node: "Berlin", Step: "to be packed", Units: o.Units, Carrier: "DHL Paket", Label: "none yet", Told: "nothing yet", Due: o.Due}}}
	if o.State == "to ship" {
		v.Fixed, v.Choices = "", []view.Option{{ID: "berlin", Label: "Berlin"}, {ID: "hub", Label: "Fulfil Hub"}}
	} else if strings.Contains(o.State, "ship") || o.State == "delivered" {
		v.Parcels[0] = view.Parcel{ID: "s2f9c41d07ab3", Node: "Berlin", Step: "on the road", Level: view.Good, Units: o.Units, Carrier: "DHL Paket", Tracking: "00340434292135100186", Label: "made for 4.20 EUR", Told: "this number", HandedOverAt: &due, Proof: true}
	}
	v.Parcels[0].Page = "/track/" + TrackToken
	if o.ID == "clip-north:577180003000" && !b.routed.retried[o.ID] {
		v.Parcels[0].Step, v.Parcels[0].Level, v.Parcels[0].Question = "waits for a person", view.Bad, "DHL: the postal code does not exist in this country."
	}
	if node := b.routed.left[o.ID]; node != "" {
		v.Sentence, v.Pinned, v.Actor, v.Reason = "Leaves from "+node+".", true, "mia@nordlicht.example", "the van did not come"
		v.Parts[0].Name, v.Parts[0].Cost, v.Parcels[0].Node = node, "7.60 EUR", node
	}
	b.onTheWay(o.ID, &v.Parcels[0])
	b.boxed(o, v)
	return v
}

// PreviewReroute works out another route.
func (b *Book) PreviewReroute(_ context.Context, d view.RerouteDraft) (view.Preview, error) {
	if len(d.Nodes) > 0 && d.Reason == "" {
		return view.Preview{Refused: "Say why: whoever looks at this order later must understand it."}, nil
	}
	if len(d.Nodes) == 0 {
		return view.Preview{Sentence: "It leaves from Berlin, at the same cost.", Changes: []view.Change{{What: "Leaves from", From: "Berlin", To: "Berlin"}}, Undo: "It can be changed again until somebody packs it."}, nil
	}
	return view.Preview{Sentence: "It leaves from Fulfil Hub, for 1.88 EUR more.", Undo: "It can be changed again until somebody packs it.",
		Changes: []view.Change{{What: "Leaves from", From: "Berlin", To: "Fulfil Hub"}, {What: "Expected cost", From: "6.14 EUR", To: "8.02 EUR", Why: "handling, labels, surge and what lateness costs"},
			{What: "Chance to leave late", From: "2.4 %", To: "0.3 %"}, {What: "Arrives", From: "2026-11-25", To: "2026-11-24"}},
		Warnings: []string{"From then on this order stays with what you say: neither the rules nor a new plan of all orders move it."}}, nil
}

// Reroute keeps another route.
func (b *Book) Reroute(_ context.Context, d view.RerouteDraft) (view.Done, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Done{}, err
	}
	defer unlock()
	delete(b.routed.left, d.OrderID)
	name := "Berlin"
	if slices.Contains(d.Nodes, "hub") {
		name = "Fulfil Hub"
		if b.routed.left == nil {
			b.routed.left = map[string]string{}
		}
		b.routed.left[d.OrderID] = name
	}
	return view.Done{Sentence: "The order leaves from " + name + ". Its units are held there."}, nil
}

// CustodyProof is a file as a log would give it out, of no entries.
func (b *Book) CustodyProof(_ context.Context, orderID, parcel string) ([]byte, error) {
	unlock, err := b.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	for _, o := range b.orders {
		if r := b.route(o); o.ID == orderID && r != nil && r.Parcels[0].ID == parcel && r.Parcels[0].Proof {
			return fmt.Appendf(nil, "{\"format\": \"spillway custody proof v1\", \"parcel\": %q, \"entries\": []}\n", parcel), nil
		}
	}
	return nil, errs.New(errs.NotFound, "storybook.CustodyProof", parcel, "There is no such parcel of this order.")
}

// RetryParcel has the storybook's refused labels made.
func (b *Book) RetryParcel(_ context.Context, _, _ string) (view.Done, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Done{}, err
	}
	defer unlock()
	b.routed.retried = map[string]bool{}
	for _, o := range b.orders {
		b.routed.retried[o.ID] = true
	}
	return view.Done{Sentence: "It is tried again. If it is refused again, the question comes back."}, nil
}

// Routing is what is said of routing.
func (b *Book) Routing(context.Context) (view.Routing, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Routing{}, err
	}
	defer unlock()
	v := view.Routing{At: b.now(), Form: usualRules, Default: len(b.routed.history) == 0, History: b.routed.history, SaidNodes: len(b.nodes) > 0,
		Shorts: []view.Option{{ID: "partly", Label: "ship what is there, the rest later"}, {ID: "wait", Label: "wait until all of it is there"}, {ID: "whole", Label: "wait until one node has all of it"}}}
	if !v.Default {
		v.Form = b.routed.form
	}
	v.Form.Version = int64(len(b.routed.history))
	v.Form.Limits = append(slices.Clone(v.Form.Limits), view.LimitForm{})
	for _, n := range b.nodes {
		v.Nodes = append(v.Nodes, view.Option{ID: n.Form.ID, Label: n.Form.Name})
	}
	v.Ways = []view.Way{{Shop: "Nordlicht US", ShopID: "clip-north", Level: view.Good, Own: "You may label parcels yourself.",
		Channel: "Upgraded shipping is allowed from 2026-02-05 (rule upgraded-2, source O, official). Free of: on-time delivery.", Next: "2026-12-01"},
		{Shop: "Nordlicht from abroad", ShopID: "clip-abroad", Level: view.Bad, Channel: "Upgraded shipping is allowed from 2026-02-05 (rule upgraded-2, source O, official).",
			Own: "You may not label parcels yourself: Seller shipping is closed for cross-border shops from 2025-12-01 (rule seller-shipping-cross-border, source T, unverified)."}}
	if v.SaidNodes {
		v.Wave = &view.Wave{At: b.now().Add(-time.Hour), By: "lena@nordlicht.example", CanApply: true, Sentence: "31 orders of 412 would move; together they would cost 2,318.40 EUR instead of 2,371.95 EUR.",
			Figures: []view.Input{{Name: "As they are", Value: "2,371.95 EUR", Text: "what each route was expected to cost when it was made"}, {Name: "One by one, the most urgent first", Value: "2,344.10 EUR, 9 late, 415 parcels", Text: "what routing each again would come to"},
				{Name: "All together", Value: "2,318.40 EUR, 4 late, 414 parcels", Text: "this plan; it is never dearer than one by one"}, {Name: "No plan is cheaper than", Value: "2,287.00 EUR", Text: "proven by prices of places and scarce units; this plan is at most 1.4 % above"},
				{Name: "Left as they are", Value: "18", Text: "16 that somebody works on, 2 where a person chose, 0 that routing does not take"}},
			Moves: []view.WaveMove{{Order: "clip-north:577180003000", From: "Berlin", To: "Fulfil Hub"}, {Order: "clip-north:577180003001", From: "Berlin", To: "Fulfil Hub"}}, MoreMoves: 29}
		if b.routed.wave != nil {
			v.Wave = b.routed.wave
		}
	}
	return v, nil
}

// PreviewRouting says what a draft changes, or what is wrong with it.
func (b *Book) PreviewRouting(ctx context.Context, d view.RoutingDraft) (view.RoutingPreview, error) {
	now, err := b.Routing(ctx)
	if err != nil {
		return view.RoutingPreview{}, err
	}
	v := view.RoutingPreview{}
	if strings.ContainsAny(d.LateDispatch, "abcdefghijklmnopqrstuvwxyz") {
		v.Wrong = append(v.Wrong, view.FieldError{Field: "latedispatch", Label: "Late hand-over", Text: "“" + d.LateDispatch + "” is no amount in EUR: write 10.00."})
	}
	for _, l := range d.Limits {
		if l.Nodes != "" && l.Reason == "" {
			v.Wrong = append(v.Wrong, view.FieldError{Field: "limit0.reason", Label: "Why of limit 1", Text: "Say why: it is shown to whoever asks why an order leaves from elsewhere."})
		}
	}
	if len(v.Wrong) > 0 {
		return v, nil
	}
	if d.Reset {
		d.RoutingForm = usualRules
	}
	if now.Form.LateDispatch != d.LateDispatch {
		v.Changes = append(v.Changes, view.Change{What: "Late hand-over", From: now.Form.LateDispatch, To: d.LateDispatch})
	}
	if len(now.Form.Limits)-1 != len(d.Limits) {
		v.Changes = append(v.Changes, view.Change{What: "Limits", From: "none", To: "only from berlin"})
	}
	if len(v.Changes) == 0 {
		v.Refused = "Nothing is different from the rules as they are."
	}
	v.Sentence, v.Undo = "1 rule changes; orders are routed by it from within 15.0 s on.", "What was said before stays in the history, and can be entered again."
	v.Warnings = []string{"Orders that have a route keep it; plan all open orders together to move them."}
	return v, nil
}

// SaveRouting keeps rules.
func (b *Book) SaveRouting(_ context.Context, d view.RoutingDraft) (view.Done, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Done{}, err
	}
	defer unlock()
	text := "Late hand-over"
	if b.routed.form = d.RoutingForm; d.Reset {
		b.routed.form, text = usualRules, "back to the usual rules"
	}
	b.routed.form.Currency = "EUR"
	b.routed.history = slices.Insert(b.routed.history, 0, view.RoutingChange{Version: int64(len(b.routed.history)) + 1, At: b.now(), Actor: d.Actor, Text: text})
	return view.Done{Sentence: "The rules of routing are saved."}, nil
}

// StartWave plans at once.
func (b *Book) StartWave(_ context.Context, d view.WaveDraft) (view.Done, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Done{}, err
	}
	defer unlock()
	if !d.Apply {
		return view.Done{Sentence: "All open orders are being planned; nothing moves yet."}, nil
	}
	b.routed.wave = &view.Wave{At: b.now(), By: d.Actor, Level: view.Good, Sentence: "31 orders of 412 moved; together they cost 2,318.40 EUR instead of 2,371.95 EUR."}
	return view.Done{Sentence: "All open orders are being planned, and those that are better off elsewhere move. You may leave this page; it goes on."}, nil
}

// proposals are what can be done in the storybook.
func (b *Book) proposals() []view.Proposal {
	all := []view.Proposal{
		{ID: "overtime:berlin:" + string(b.dayBack(-1)), Kind: "overtime", Sentence: "Work 1 hour of overtime at Berlin on Sunday, 09:00–10:00.", Why: "23 orders due on Monday are more than can be done until then; the pace is 60 an hour.", Cost: "what an hour of overtime costs is not known here", Verb: "Add the overtime",
			Effect: []view.Change{{What: "Cannot be done by Monday", From: "23", To: "0"}}},
		{ID: "divert:berlin:hub", Kind: "divert", Sentence: "Send 23 orders from Fulfil Hub instead of Berlin.", Why: "Those due last of what Berlin cannot do in time; Fulfil Hub has their units and room for 120 on Monday.", Cost: "43.24 EUR more, of it 11.50 EUR surge", Verb: "Divert them", Count: 23,
			Orders: []view.Ref{{Kind: view.KindOrder, ID: "clip-north:577180003000"}, {Kind: view.KindOrder, ID: "clip-north:577180003001"}}, Effect: []view.Change{{What: "Expected late of them", From: "19", To: "1"}}},
		{ID: "cap:clip-north", Kind: "cap", Sentence: "Take at most 140 orders a day in Clip · Nordlicht until 2026-11-28.", Why: "Berlin is behind, and 172 orders a day are expected: what its nodes can do in the 8 days shown leaves room for 140 a day, once what waits is done.", Cost: "about 32 sales a day that are not made there; the stock stays for your other shops", Verb: "Cap its orders",
			Effect: []view.Change{{What: "Orders of Clip · Nordlicht a day", From: "172", To: "140"}}},
		{ID: "handling:clip-north", Kind: "handling", Sentence: "Raise the handling time of Clip · Nordlicht by one day.", Why: "Orders to come would be due a day later; those that wait stay due as they are.", Cost: "listings with a longer handling time sell less", Verb: "Make it a task",
			ByHand: "No connector can do this on the platform: it becomes a task for a person, with what to enter.", Effect: []view.Change{{What: "New orders due in time", From: "some not", To: "all"}}},
	}
	return slices.DeleteFunc(all, func(p view.Proposal) bool {
		return slices.ContainsFunc(b.routed.applied, func(a view.Applied) bool { return a.ID == p.ID && !a.Undone })
	})
}

// Capacity is what waits, and what can be done about it.
func (b *Book) Capacity(context.Context) (view.Capacity, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Capacity{}, err
	}
	defer unlock()
	v := view.Capacity{At: b.now(), LoadAt: b.now(), Done: b.routed.applied, How: []view.Input{{Name: "Can do", Value: "hours × pace", Text: "shifts and overtime less closures, at the pace that was seen"}, {Name: "Cannot be done by then", Value: "due so far − can do so far", Text: "never below 0; what is overdue counts as due today"}}}
	if len(b.nodes) == 0 {
		return v, nil
	}
	for _, n := range b.nodes {
		x := view.CapacityNode{Row: n.Row, Text: "enough for all that is due"}
		if n.Form.ID == "berlin" {
			x.Behind, x.Text, x.Level = []int64{3, 3, 26, 0, 0, 0, 0, 0}, "26 orders more than can be done by Monday", view.Bad
		}
		v.Nodes = append(v.Nodes, x)
	}
	v.Late = []view.LateRow{{Node: "berlin", Name: "Berlin", Day: b.dayBack(-2), Due: 371, Cannot: 26, Expected: 24.1, Routed: 21.7, Level: view.Bad}}
	v.Proposals = b.proposals()
	return v, nil
}

// PreviewProposal says what a proposal does.
func (b *Book) PreviewProposal(_ context.Context, d view.ProposalDraft) (view.Preview, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Preview{}, err
	}
	defer unlock()
	for _, p := range b.proposals() {
		if p.ID == d.ID {
			return view.Preview{Sentence: p.Sentence, Changes: p.Effect, Warnings: []string{"It costs: " + p.Cost + "."}, Undo: "It can be taken back below."}, nil
		}
	}
	return view.Preview{}, errs.New(errs.NotFound, "storybook.PreviewProposal", d.ID, "This does not hold any more. Look at what can be done now.")
}

// ApplyProposal does it, or ticks its task off.
func (b *Book) ApplyProposal(_ context.Context, d view.ProposalDraft) (view.Done, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Done{}, err
	}
	defer unlock()
	for i := range b.routed.applied {
		if a := &b.routed.applied[i]; a.ID == d.ID && d.Finish {
			a.Open = false
			return view.Done{Sentence: "Ticked off."}, nil
		}
	}
	for _, p := range b.proposals() {
		if p.ID == d.ID {
			a := view.Applied{ID: p.ID, At: b.now(), Actor: d.Actor, Sentence: p.Sentence, Undo: "capacity " + p.ID, Open: p.ByHand != ""}
			b.routed.applied = slices.Insert(b.routed.applied, 0, a)
			return view.Done{Sentence: "Done: " + p.Sentence}, nil
		}
	}
	return view.Done{}, errs.New(errs.NotFound, "storybook.ApplyProposal", d.ID, "This does not hold any more. Look at what can be done now.")
}
