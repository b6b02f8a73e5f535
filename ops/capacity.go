package ops

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/store"
)

const (
	// capacityState is the name under which what was done about capacity is kept, the newest first, capacityKept entries of it.
	capacityState, capacityKept = "capacity", 100
	// divertMost orders are diverted at once: each is a transaction, and somebody waits for the answer.
	divertMost = 200
	// queueMost parcels of a node are looked at, those due first: weeks of work of a large one.
	queueMost = 50_000
	// overtimeFrom and overtimeUntil bound when people are asked to work longer.
	overtimeFrom, overtimeUntil = calendar.Clock(6 * 3600), calendar.Clock(22 * 3600)
)

// CapacityDone is something that was done about capacity.
type CapacityDone struct {
	ID       string             `json:"id"`
	What     string             `json:"what"` // the proposal's id
	At       time.Time          `json:"at"`
	Actor    string             `json:"actor"`
	Sentence string             `json:"sentence"`
	Node     string             `json:"node,omitzero"`
	Overtime []network.Overtime `json:"overtime,omitempty"`
	Orders   []string           `json:"orders,omitempty"` // diverted
	Cap      string             `json:"cap,omitzero"`     // the connection whose orders are capped
	Task     bool               `json:"task,omitzero"`    // a person does it
	Finished string             `json:"finished,omitzero"`
	Undone   string             `json:"undone,omitzero"` // by whom
}

// capacityDone reads what was done, the newest first.
func capacityDone(tx *store.Tx) (all []CapacityDone, err error) {
	_, _, err = tx.HealthStateGet(capacityState, &all)
	return all, err
}

// noteCapacity keeps what was done, or changes an entry of it.
func (x *Ops) noteCapacity(ctx context.Context, c CapacityDone) error {
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		var all []CapacityDone
		if err := tx.HealthStateTake(capacityState, &all); err != nil {
			return err
		}
		if i := slices.IndexFunc(all, func(o CapacityDone) bool { return o.ID == c.ID }); i >= 0 {
			all[i] = c
		} else {
			all = slices.Insert(all, 0, c)
		}
		if err := tx.HealthStatePut(capacityState, tx.Now(), all[:min(len(all), capacityKept)]); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{At: tx.Now(), Kind: "capacity.done", Subject: c.What,
			Data: jsonOf(map[string]any{"by": c.Actor, "sentence": c.Sentence, "orders": c.Orders, "finished": c.Finished, "undone": c.Undone})}})
	})
	x.live.notify(RoutingTopic, NodeTopic)
	return errs.Wrap("ops.Capacity", c.What, err)
}

// AddOvertime has a node work longer. Errors: as SaveNode.
func (x *Ops) AddOvertime(ctx context.Context, what, sentence, node string, more []network.Overtime, actor string) (CapacityDone, error) {
	s, err := x.Node(ctx, node)
	if err != nil {
		return CapacityDone{}, err
	}
	if s.Said == nil {
		return CapacityDone{}, errs.New(errs.Conflict, "ops.AddOvertime", node, "nothing is said of this node: say its hours first")
	}
	n := s.Said.Node
	n.Overtime = append(slices.Clone(n.Overtime), more...)
	if _, err := x.SaveNode(ctx, n, s.Said.Version, actor); err != nil {
		return CapacityDone{}, err
	}
	x.network.stale()
	c := CapacityDone{ID: id.New(), What: what, At: x.now(), Actor: actor, Sentence: sentence, Node: node, Overtime: more}
	return c, x.noteCapacity(ctx, c)
}

// Divert has named orders leave from another node, one after the other. What cannot go any more stays; the entry names those that went.
func (x *Ops) Divert(ctx context.Context, what, sentence, reason, to string, orders []string, actor string) (CapacityDone, error) {
	c := CapacityDone{ID: id.New(), What: what, At: x.now(), Actor: actor, Sentence: sentence, Node: to}
	over := routing.Override{Nodes: []string{to}, By: actor, Reason: reason}
	for _, o := range orders[:min(len(orders), divertMost)] {
		look, err := x.PreviewReroute(ctx, o, over)
		if err == nil && (look.Left > 0 || len(look.Parts) == 0) {
			continue // its units are gone there meanwhile
		}
		if err == nil {
			_, err = x.Reroute(ctx, o, c.ID, over)
		}
		switch {
		case err == nil:
			c.Orders = append(c.Orders, o)
		case errs.KindOf(err) == errs.Internal || ctx.Err() != nil:
			return c, err
		}
	}
	if len(c.Orders) == 0 {
		return c, errs.New(errs.Conflict, "ops.Divert", to, "none of these orders can leave from there any more")
	}
	return c, x.noteCapacity(ctx, c)
}

// CapOrders caps the orders of a shop. Errors: as SetOrderCap.
func (x *Ops) CapOrders(ctx context.Context, what, sentence, connection string, of allocation.DayCap, actor string) (CapacityDone, error) {
	c := CapacityDone{ID: id.New(), What: what, At: x.now(), Actor: actor, Sentence: sentence, Cap: connection}
	if err := x.SetOrderCap(ctx, connection, OrderCap{DayCap: of, ID: c.ID, By: actor, At: c.At, Reason: sentence}); err != nil {
		return c, err
	}
	return c, x.noteCapacity(ctx, c)
}

// UndoCapacity takes back what was done: overtime that is not over, and orders nobody works on, which are routed by the rules again.
func (x *Ops) UndoCapacity(ctx context.Context, entry, actor string) (CapacityDone, int, error) {
	const op = "ops.UndoCapacity"
	c, err := x.capacityEntry(ctx, entry)
	if err != nil {
		return c, 0, err
	}
	if c.Undone != "" || c.Task {
		return c, 0, errs.New(errs.Conflict, op, entry, "this was taken back already, or is a person’s to take back")
	}
	n := 0
	if len(c.Overtime) > 0 {
		s, err := x.Node(ctx, c.Node)
		if err != nil || s.Said == nil {
			return c, 0, err
		}
		node := s.Said.Node
		was := len(node.Overtime)
		node.Overtime = slices.DeleteFunc(slices.Clone(node.Overtime), func(o network.Overtime) bool { return slices.Contains(c.Overtime, o) })
		if n = was - len(node.Overtime); n > 0 {
			if _, err := x.SaveNode(ctx, node, s.Said.Version, actor); err != nil {
				return c, 0, err
			}
			x.network.stale()
		}
	}
	if c.Cap != "" {
		if err := x.EndOrderCap(ctx, c.Cap, c.ID); err != nil {
			return c, 0, err
		}
	}
	for _, o := range c.Orders {
		_, told, err := x.Route(ctx, o)
		if err != nil || !slices.Equal(told.Asked, []string{c.Node}) { // somebody has said something else since
			continue
		}
		if _, err := x.Reroute(ctx, o, "", routing.Override{}); err == nil {
			n++
		} else if errs.KindOf(err) == errs.Internal {
			return c, n, err
		}
	}
	c.Undone = actor
	return c, n, x.noteCapacity(ctx, c)
}

// FinishCapacity ticks a task of a person's off.
func (x *Ops) FinishCapacity(ctx context.Context, entry, actor string) error {
	c, err := x.capacityEntry(ctx, entry)
	if err != nil {
		return err
	}
	if !c.Task || c.Finished != "" {
		return errs.New(errs.Conflict, "ops.FinishCapacity", entry, "this is no task that waits")
	}
	c.Finished = actor
	return x.noteCapacity(ctx, c)
}

func (x *Ops) capacityEntry(ctx context.Context, entry string) (c CapacityDone, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		all, err := capacityDone(tx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(o CapacityDone) bool { return o.ID == entry })
		if i < 0 {
			return errs.New(errs.NotFound, "ops.Capacity", entry, "there is no such entry")
		}
		c = all[i]
		return nil
	})
	return c, err
}

// overtimeFor finds hours in which a node can do so many orders more by the end of a day, from now on: after its shifts, the soonest day first. pace is
// orders an hour. It returns how many those hours are good for, which may be less.
func overtimeFor(n network.Node, need, pace int64, last calendar.Day, at time.Time, reason string) (out []network.Overtime, good int64) {
	days, err := n.Timetable()
	if err != nil || pace <= 0 {
		return nil, 0
	}
	zone := days.Zone()
	hours := (need + pace - 1) / pace
	for d := calendar.DayOf(at, zone); d <= last && hours > 0; d++ {
		from := overtimeFrom
		if open := days.On(d); len(open) > 0 {
			end := open[len(open)-1].Until.In(zone)
			if calendar.DayOf(end, zone) > d {
				continue
			}
			from = calendar.Clock(end.Hour()*3600 + end.Minute()*60)
		} else if days.Rests(d) == "" || d.Weekday() == time.Sunday || d.Weekday() == time.Saturday {
			from = calendar.Clock(9 * 3600)
		}
		if now := at.In(zone); d == calendar.DayOf(at, zone) {
			from = max(from, calendar.Clock((now.Hour()+1)*3600))
		}
		room := int64(overtimeUntil-from) / 3600
		if from < overtimeFrom || room <= 0 {
			continue
		}
		h := min(room, hours)
		out = append(out, network.Overtime{Day: d, From: from, Until: from + calendar.Clock(h*3600), PerHour: pace, Reason: reason})
		hours, good = hours-h, good+h*pace
	}
	return out, good
}

// queueAt reads the parcels that wait to be packed at a node, those due first, a page at a time until visit says that it has enough.
func queueAt(tx *store.Tx, node string, visit func(page []store.Shipment) bool) error {
	place := store.ShipmentPlace{}
	for seen := 0; seen < queueMost; {
		page, err := tx.ShipmentsAt(node, shipping.Pack, place, floorPage)
		if err != nil || len(page) == 0 {
			return err
		}
		if seen += len(page); !visit(page) || len(page) < floorPage {
			return nil
		}
		place = page[len(page)-1].Place()
	}
	return nil
}

// diversion is orders that would leave from elsewhere.
type diversion struct {
	orders            []string
	was, then         int64 // expected cost without lateness
	surge             int64
	lateWas, lateThen policy.PPM // expected orders late
	avoided           int64      // cost of lateness
	currency          string
}

// diverting works out what the orders due last at a node would cost from another, of those due by a time and expected late less often from there.
func (x *Ops) diverting(tx *store.Tx, from, to string, need int64, due time.Time) (v diversion, err error) {
	var ids []string
	err = queueAt(tx, from, func(page []store.Shipment) bool {
		for i := range page {
			if s := &page[i]; !s.Due.IsZero() && !s.Due.After(due) && !begun(s) {
				ids = append(ids, s.Orders[0])
			}
		}
		last := page[len(page)-1].Due
		return last.IsZero() || !last.After(due)
	})
	if err != nil {
		return v, err
	}
	slices.Reverse(ids)                                  // those due last go
	ids = ids[:min(int64(len(ids)), 2*need, divertMost)] // some of them cannot go: twice as many are looked at
	if len(ids) == 0 {
		return v, nil
	}
	w, err := x.readWave(tx, []string{from, to}, ids)
	if err != nil || len(w.orders) == 0 {
		return v, err
	}
	was, err := w.together([]string{from})
	if err != nil {
		return v, err
	}
	then, err := w.together([]string{to})
	if err != nil {
		return v, err
	}
	v.currency = w.rules.Currency
	for i := range w.orders {
		a, b := &was.Plans[i], &then.Plans[i]
		if !b.Whole() || len(b.Parts) == 0 || b.Late.Dispatch >= a.Late.Dispatch || int64(len(v.orders)) == need {
			continue
		}
		v.orders = append(v.orders, w.orders[i].o.ID)
		v.was, v.then = v.was+a.Total-a.LateCost-a.LeftCost, v.then+b.Total-b.LateCost
		v.lateWas, v.lateThen, v.avoided = v.lateWas+a.Late.Dispatch, v.lateThen+b.Late.Dispatch, v.avoided+a.LateCost-b.LateCost
		for _, p := range b.Parts {
			v.surge += p.Cost.Surge
		}
	}
	return v, nil
}

// proposalID names a proposal by what it is about.
func proposalID(parts ...string) string { return strings.Join(parts, "~") }
