package ops

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// capacityEvery is how often what can be done is worked out anew while somebody looks.
	capacityEvery = 20 * time.Second
	// refsShown orders of a proposal are named.
	refsShown = 10
	// shopsAsked bounds the tasks that are proposed for platforms.
	shopsAsked = 5
)

// proposal is something that can be done, with all it takes to do it.
type proposal struct {
	view.Proposal
	node     string
	to       string
	overtime []network.Overtime
	orders   []string
	reason   string
	shop     string
	cap      allocation.DayCap
}

// capacityNow is the page's costly part.
type capacityNow struct {
	v   view.Capacity
	all []proposal
}

// Capacity is what each node has to do and can do, what will be late, and what can be done about it.
func (d *Desk) Capacity(ctx context.Context) (view.Capacity, error) {
	now, _, err := d.capable.get(ctx, d.x.ctx, d.x.now, capacityEvery, d.capacityNow)
	if err != nil {
		return view.Capacity{}, errs.Wrap("ops.Capacity", "", err)
	}
	v := now.v
	err = d.look(ctx, "ops.Capacity", "", func(tx *store.Tx) error {
		done, err := capacityDone(tx)
		for _, c := range done {
			a := view.Applied{ID: c.ID, At: c.At, Actor: c.Actor, Sentence: c.Sentence, Open: c.Task && c.Finished == "", Undone: c.Undone != ""}
			if c.Task && c.Finished != "" {
				a.Sentence += " Done by " + c.Finished + "."
			}
			if !c.Task {
				a.Undo = "capacity " + c.ID
			}
			v.Done = append(v.Done, a)
		}
		v.Proposals = nil
		for _, p := range now.all {
			if !slices.ContainsFunc(done, func(c CapacityDone) bool { return c.What == p.ID && c.Undone == "" && c.At.After(now.v.At) }) {
				v.Proposals = append(v.Proposals, p.Proposal)
			}
		}
		return err
	})
	return v, err
}

// capacityNow works everything out.
func (d *Desk) capacityNow(ctx context.Context) (now capacityNow, err error) {
	v := &now.v
	v.At, v.How = d.x.now(), capacityHow
	err = d.x.st.View(ctx, func(tx *store.Tx) error {
		now.all, v.Nodes, v.Late = nil, nil, nil
		states, err := nodeStates(tx)
		if err != nil {
			return err
		}
		load, err := nodeLoads(tx)
		if err != nil {
			return err
		}
		v.LoadAt = load.At
		expected, err := d.expectedLate(tx)
		if err != nil {
			return err
		}
		done, err := capacityDone(tx)
		if err != nil {
			return err
		}
		for _, s := range states {
			q, err := routedQueue(tx, s, v.At, d.home)
			if err != nil {
				return err
			}
			row := d.nodeRow(s, v.At)
			if s.Load == nil {
				q.onto(&row)
			}
			n := capacityNode(row)
			v.Nodes = append(v.Nodes, n)
			v.Late = append(v.Late, lateRows(n, expected, q)...)
			more, err := d.propose(tx, s, states, n, done)
			if err != nil {
				return err
			}
			now.all = append(now.all, more...)
		}
		return nil
	})
	return now, err
}

var capacityHow = []view.Input{
	{Name: "Can do", Value: "hours × pace", Text: "shifts and overtime less closures, at the pace that was seen where a queue has tested it; today is what is left of it"},
	{Name: "Due", Value: "orders of the queue", Text: "by the day of their hand-over deadline, in the node’s zone"},
	{Name: "Cannot be done by then", Value: "due so far − can do so far", Text: "never below 0; what is overdue counts as due today; expected orders do not count, as they are due later"},
	{Name: "Late, by the forecast", Value: "Σ chance to miss", Text: "of the orders that the forecast of rates names at risk"},
	{Name: "Late, by their routes", Value: "Σ chance to leave late", Text: "of the parcels that wait, as it was when each was routed"},
}

// waitingQueue is what waits at a node by the parcels that are planned there.
type waitingQueue struct {
	waiting, overdue int64
	due              [loadDays]int64
	late             [loadDays]policy.PPM
}

// routedQueue reads the parcels that wait at a node, those due first.
func routedQueue(tx *store.Tx, s NodeState, at time.Time, zone *time.Location) (q waitingQueue, err error) {
	if s.Said != nil {
		zone = s.Said.Location()
	}
	today := calendar.DayOf(at, zone)
	var failed error
	err = queueAt(tx, s.Location.ID, func(page []store.Shipment) bool {
		ids := make([]string, len(page))
		for i := range page {
			ids[i] = page[i].Orders[0]
		}
		chance := map[string]policy.PPM{}
		routes, err := tx.RoutesGet(ids...)
		if err != nil {
			failed = err
			return false
		}
		for _, r := range routes {
			var told struct { // of a RouteTold
				Late policy.PPM `json:"late"`
			}
			if json.Unmarshal(r.Body, &told) == nil {
				chance[r.OrderID] = told.Late
			}
		}
		for i := range page {
			q.add(page[i].Due, chance[page[i].Orders[0]], today, at, zone)
		}
		return true
	})
	return q, cmp.Or(err, failed)
}

func (q *waitingQueue) add(due time.Time, late policy.PPM, today calendar.Day, at time.Time, zone *time.Location) {
	q.waiting++
	k := int(calendar.DayOf(due, zone) - today)
	switch {
	case due.IsZero() || k >= loadDays:
		return
	case due.Before(at):
		q.overdue++
		k = 0
	default:
		q.due[max(0, k)]++
	}
	q.late[max(0, k)] += late
}

// onto says of a node without a forecast what waits by its parcels.
func (q waitingQueue) onto(row *view.NodeRow) {
	row.Waiting, row.Overdue = q.waiting, q.overdue
	for k := range row.Days {
		if row.Days[k].Due = q.due[k]; row.Days[k].Due > row.Days[k].Capacity {
			row.Days[k].Level = view.Watch
		}
	}
	row.Text, row.Level = loadText(*row)
}

// capacityNode sets what is due against what can be done.
func capacityNode(row view.NodeRow) view.CapacityNode {
	n := view.CapacityNode{Row: row, Text: "enough for all that is due on these days", Level: view.Quiet}
	due, can := row.Overdue, int64(0)
	for _, day := range row.Days {
		due, can = due+day.Due, can+day.Capacity
		n.Behind = append(n.Behind, max(0, due-can))
	}
	if k := firstBehind(n); k >= 0 {
		n.Level, n.Text = view.Bad, plural(n.Behind[k], "order", "orders")+" more than can be done by "+string(row.Days[k].Day)
	}
	return n
}

// firstBehind is the first day by which not all can be done; -1: there is none.
func firstBehind(n view.CapacityNode) int {
	return slices.IndexFunc(n.Behind, func(b int64) bool { return b > 0 })
}

// expectedLate sums what the forecasts expect late, by node and day due.
func (d *Desk) expectedLate(tx *store.Tx) (map[[2]string]float64, error) {
	out, cat := map[[2]string]float64{}, d.x.catalog.Load()
	for connection, j := range d.x.rules.Load().of {
		o, found, err := outlookOf(tx, connection)
		if err != nil {
			return nil, err
		}
		if !found || d.x.now().Sub(o.At) > outlookOld {
			continue
		}
		zone := j.rules.Location()
		for _, r := range o.Risks {
			if at := cat.nodeOf(connection, r.Node); at != "" && !r.Due.IsZero() {
				out[[2]string{at, string(dayOf(policy.DayOf(r.Due, zone)))}] += r.Miss
			}
		}
	}
	return out, nil
}

// lateRows are the days on which something of a node will be late.
func lateRows(n view.CapacityNode, expected map[[2]string]float64, q waitingQueue) (out []view.LateRow) {
	for k, day := range n.Row.Days {
		e, routed := expected[[2]string{n.Row.ID, string(day.Day)}], float64(q.late[k])/1e6
		if n.Behind[k] == 0 && e < 0.5 && routed < 0.5 {
			continue
		}
		row := view.LateRow{Node: n.Row.ID, Name: n.Row.Name, Day: day.Day, Due: day.Due, Cannot: n.Behind[k], Expected: e, Routed: routed}
		if k == 0 {
			row.Due += n.Row.Overdue
		}
		if row.Cannot > 0 {
			row.Level = view.Bad
		}
		out = append(out, row)
	}
	return out
}

// propose finds what can be done for a node that cannot do what is due.
func (d *Desk) propose(tx *store.Tx, s NodeState, states []NodeState, n view.CapacityNode, done []CapacityDone) (out []proposal, err error) {
	k := firstBehind(n)
	if k < 0 || !n.Row.Active {
		return nil, nil
	}
	_, rules, err := routeSites(tx, d.x.catalog.Load().locations)
	if err != nil {
		return nil, err
	}
	if p, ok := d.proposeOvertime(s, n, k, rules); ok {
		out = append(out, p)
	}
	for _, to := range states {
		if s.Said == nil || to.Said == nil || to.Location.ID == s.Location.ID || !to.Location.Active || to.Said.Kind.Ours() {
			continue
		}
		p, ok, err := d.proposeDivert(tx, s, to, n, k)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, p)
		}
	}
	return append(append(out, d.proposeCaps(tx, s, states, n)...), d.proposeHandling(tx, s, n, k, done)...), nil
}

func (d *Desk) proposeOvertime(s NodeState, n view.CapacityNode, k int, rules routing.Rules) (p proposal, ok bool) {
	if s.Said == nil || !s.Said.Kind.Ours() || len(s.Said.Shifts) == 0 {
		return p, false
	}
	pace := int64(0)
	for _, shift := range s.Said.Shifts {
		pace = max(pace, shift.PerHour)
	}
	last := calendar.DayOf(d.x.now(), s.Said.Location()) + calendar.Day(k)
	need := n.Behind[k]
	p.reason = "for what is due on " + string(n.Row.Days[k].Day)
	hours, good := overtimeFor(s.Said.Node, need, pace, last, d.x.now(), p.reason)
	if good == 0 {
		return p, false
	}
	var when []string
	var sum int64
	for _, h := range hours {
		when = append(when, string(dayOf(h.Day))+" "+h.From.String()+"–"+h.Until.String())
		sum += int64(h.Until-h.From) / 3600
	}
	p.node, p.overtime = s.Location.ID, hours
	p.ID, p.Kind, p.Verb = proposalID("overtime", s.Location.ID, string(n.Row.Days[k].Day)), "overtime", "Add the overtime"
	p.Sentence = "Work " + plural(sum, "hour", "hours") + " of overtime at " + n.Row.Name + ": " + and(when) + "."
	p.Why = number(need) + " of what is due by " + string(n.Row.Days[k].Day) + " are more than can be done; its pace is " + number(pace) + " orders an hour."
	p.Cost = "handling as agreed; what an hour of overtime is paid is not known here"
	p.Effect = []view.Change{{What: "Cannot be done by " + string(n.Row.Days[k].Day), From: number(need), To: number(max(0, need-good))}}
	if rules.Currency != "" {
		avoided := min(need, good) * rules.Late.Dispatch
		p.Effect = append(p.Effect, view.Change{What: "Cost of lateness, at most", From: money.Amount{Minor: need * rules.Late.Dispatch, Currency: rules.Currency}.String(),
			To: money.Amount{Minor: need*rules.Late.Dispatch - avoided, Currency: rules.Currency}.String()})
	}
	return p, true
}

func (d *Desk) proposeDivert(tx *store.Tx, s, to NodeState, n view.CapacityNode, k int) (p proposal, ok bool, err error) {
	zone := s.Said.Location()
	until := (calendar.DayOf(d.x.now(), zone) + calendar.Day(k) + 1).Start(zone)
	v, err := d.x.diverting(tx, s.Location.ID, to.Location.ID, n.Behind[k], until)
	if err != nil || len(v.orders) == 0 {
		return p, false, err
	}
	amount := func(minor int64) string { return money.Amount{Minor: minor, Currency: v.currency}.String() }
	count := int64(len(v.orders))
	p.node, p.to, p.orders = s.Location.ID, to.Location.ID, v.orders
	p.reason = "diverted: " + n.Row.Name + " cannot do it in time"
	p.ID, p.Kind, p.Count, p.Verb = proposalID("divert", s.Location.ID, to.Location.ID), "divert", count, "Divert "+plural(count, "order", "orders")
	p.Sentence = "Send " + plural(count, "order", "orders") + " from " + to.Location.Name + " instead of " + n.Row.Name + "."
	p.Why = "Those due last by " + string(n.Row.Days[k].Day) + " of what " + n.Row.Name + " cannot do; " + to.Location.Name + " has all their units, and from there they leave late less often."
	if to.Said.Account == "" {
		p.Why += " It has no account connected, so a person sends it each of them by hand."
	}
	more := v.then - v.was
	p.Cost = amount(max(more, -more)) + map[bool]string{true: " more", false: " less"}[more >= 0] + ", of it " + amount(v.surge) + " surge"
	p.Effect = []view.Change{{What: "Expected late of them", From: tenths(v.lateWas), To: tenths(v.lateThen)}, {What: "Handling and labels", From: amount(v.was), To: amount(v.then)},
		{What: "Cost of lateness avoided", From: amount(0), To: amount(v.avoided)}}
	for _, o := range v.orders[:min(len(v.orders), refsShown)] {
		p.Orders = append(p.Orders, view.Ref{Kind: view.KindOrder, ID: o})
	}
	return p, true, nil
}

// tenths writes expected orders.
func tenths(p policy.PPM) string { return fmt.Sprintf("%.1f", float64(p)/1e6) }

// proposeHandling asks a person to have platforms promise less, as no connector can.
func (d *Desk) proposeHandling(tx *store.Tx, s NodeState, n view.CapacityNode, k int, done []CapacityDone) (out []proposal) {
	shops := []string{}
	if s.Load != nil {
		shops = slices.Sorted(maps.Keys(s.Load.Parts))
	}
	ch, err := readChannels(tx)
	if err != nil {
		return nil
	}
	for _, shop := range shops[:min(len(shops), shopsAsked)] {
		id := proposalID("handling", shop)
		if slices.ContainsFunc(done, func(c CapacityDone) bool { return c.What == id && c.Task && c.Finished == "" }) {
			continue
		}
		p := proposal{node: s.Location.ID}
		p.ID, p.Kind, p.Verb = id, "handling", "Make it a task"
		p.Sentence = "Raise the handling time of " + ch.of(shop) + " by a day."
		p.Why = n.Row.Name + " cannot do what is due by " + string(n.Row.Days[k].Day) + ", and " + number(n.Row.Days[k].Coming) + " more are expected on that day. Orders that wait stay due as they are."
		p.Cost = "listings with a longer handling time sell less; how much is not known here"
		p.Effect = []view.Change{{What: "Orders to come are due", From: "as promised now", To: "a day later"}}
		p.ByHand = "No connector can set this on the platform: it becomes a task for a person, who sets it in the channel’s seller pages and ticks it off here."
		out = append(out, p)
	}
	return out
}

// proposalOf finds a proposal as it is now. Errors: NotFound once it does not hold any more.
func (d *Desk) proposalOf(ctx context.Context, id string) (proposal, error) {
	now, err := d.capacityNow(ctx)
	if err != nil {
		return proposal{}, err
	}
	i := slices.IndexFunc(now.all, func(p proposal) bool { return p.ID == id })
	if i < 0 {
		return proposal{}, errs.New(errs.NotFound, "ops.Capacity", id, "This does not hold any more. Look at what can be done now.")
	}
	return now.all[i], nil
}

// PreviewProposal says what a proposal does, as it is now.
func (d *Desk) PreviewProposal(ctx context.Context, a view.ProposalDraft) (view.Preview, error) {
	p, err := d.proposalOf(ctx, a.ID)
	if err != nil {
		return view.Preview{}, err
	}
	v := view.Preview{Sentence: p.Sentence, Changes: p.Effect, Warnings: []string{"It costs: " + p.Cost + "."}, Undo: "It can be taken back under what was done."}
	switch p.Kind {
	case "overtime":
		v.Warnings = append(v.Warnings, "Somebody must ask the team: this says only that it works longer, so that forecasts and routes reckon with it.")
	case "divert":
		v.Warnings = append(v.Warnings, "These orders stay there from then on, whatever the rules say, until somebody says otherwise.")
	case "cap":
		v.Warnings = append(v.Warnings, "Orders of the day are counted whoever ships them. When the cap is reached every listing of the shop shows 0 until midnight, "+p.cap.Zone+"; what is sold in the second or two until the channel has heard comes on top.")
	case "handling":
		v.Warnings = append(v.Warnings, p.ByHand)
		v.Undo = "Tick it off when it is done."
	}
	return v, nil
}

// ApplyProposal does what a proposal says, or ticks its task off. Errors: NotFound, Conflict.
func (d *Desk) ApplyProposal(ctx context.Context, a view.ProposalDraft) (view.Done, error) {
	defer d.capable.stale()
	if a.Finish {
		return view.Done{Sentence: "Ticked off."}, d.x.FinishCapacity(ctx, a.ID, a.Actor)
	}
	p, err := d.proposalOf(ctx, a.ID)
	if err != nil {
		return view.Done{}, err
	}
	var c CapacityDone
	done := view.Done{Sentence: p.Sentence}
	switch p.Kind {
	case "overtime":
		c, err = d.x.AddOvertime(ctx, p.ID, p.Sentence, p.node, p.overtime, a.Actor)
		done.Sentence = "The overtime is added. Forecasts and routes reckon with it."
	case "divert":
		if c, err = d.x.Divert(ctx, p.ID, p.Sentence, p.reason, p.to, p.orders, a.Actor); err == nil {
			done.Sentence = plural(len(c.Orders), "order leaves", "orders leave") + " from " + d.x.catalog.Load().locationName(p.to) + " now."
			if n := len(p.orders) - len(c.Orders); n > 0 {
				done.Sentence += " " + capital(plural(n, "one", "others")) + " could not go any more and stayed."
			}
		}
	case "cap":
		c, err = d.x.CapOrders(ctx, p.ID, p.Sentence, p.shop, p.cap, a.Actor)
		done.Sentence = "It holds now, until it is taken back or its days are over."
	default:
		c = CapacityDone{ID: id.New(), What: p.ID, At: d.x.now(), Actor: a.Actor, Sentence: p.Sentence, Node: p.node, Task: true}
		err = d.x.noteCapacity(ctx, c)
		done.Sentence = "It is a task now, under what was done."
	}
	if err != nil {
		return view.Done{}, err
	}
	if !c.Task {
		done.Undo = "capacity " + c.ID
	}
	return done, nil
}

// UndoCapacity takes back what was done about capacity.
func (d *Desk) UndoCapacity(ctx context.Context, entry, actor string) (view.Done, error) {
	defer d.capable.stale()
	c, n, err := d.x.UndoCapacity(ctx, entry, actor)
	if err != nil {
		return view.Done{}, err
	}
	if c.Cap != "" {
		return view.Done{Sentence: "The cap is taken back: the shop shows what there is again."}, nil
	}
	if len(c.Orders) > 0 {
		return view.Done{Sentence: plural(n, "order is", "orders are") + " routed by the rules again; what somebody works on stays."}, nil
	}
	return view.Done{Sentence: cmp.Or(strings.TrimSpace(c.Sentence), "It") + " Taken back."}, nil
}
