package ops

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spillway/spillway/domain/forecast"
	"github.com/spillway/spillway/domain/forecast/risk"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// riskEvery is how often a model is learned again: measured, that is often enough by far.
	riskEvery = 24 * time.Hour
	// riskAsk is how often it is asked whether one is due.
	riskAsk = time.Minute
	// riskSince is how far back orders are read, riskRead how many of all shops at most, the newest: a model keeps no more than fifty thousand of a shop.
	riskSince, riskRead = 400 * 24 * time.Hour, 200_000
	// riskTime bounds the learning of all shops.
	riskTime = 15 * time.Minute
	// riskState begins the names under which models are kept, one a shop.
	riskState = "late-risk:"
	// riskKept chances at purchase are kept with an outlook, riskReasons reasons of each.
	riskKept, riskReasons = 1_000, 3
)

// LateModel is what was learned of a shop's late dispatch, with how good it was on orders it had not seen.
type LateModel struct {
	At    time.Time       `json:"at"`
	Model json.RawMessage `json:"model"` // a [risk.Model]
}

// PurchaseRisk is the chance, as of its purchase, that an order is dispatched late, and why.
type PurchaseRisk struct {
	Chance  float64       `json:"chance"`
	Base    float64       `json:"base"` // of an order of which nothing is known
	Reasons []risk.Reason `json:"reasons"`
	Used    bool          `json:"used"` // the queue's forecast knows no better, so this is the order's chance
}

// LateModelNote says what the chances at purchase rest on, for people.
type LateModelNote struct {
	At      time.Time  `json:"at"`
	Learned bool       `json:"learned"` // else no chance of it is used
	Why     string     `json:"why"`
	HeldOut risk.Score `json:"held_out"`
	Base    risk.Score `json:"base"`
}

// shopRisk is a shop's history as models see it. It belongs to the goroutine that makes forecasts.
type shopRisk struct {
	at      time.Time // when its model was learned
	model   *risk.Model
	history *risk.History
	open    map[string]bool // placed and not over: true once handed over
	chances map[string]PurchaseRisk
	waiting map[string]risk.Features // of open orders that have no chance yet
}

// riskBook hands what was learned to the forecasts.
type riskBook struct {
	mu    sync.Mutex
	fresh map[string]*shopRisk
}

// take moves what was learned since into a book.
func (b *riskBook) take(into map[string]*shopRisk) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.Copy(into, b.fresh)
	b.fresh = nil
}

// riskLoop learns each shop's late risk once a day, while this process has the scheduler's lease, and once when it begins: what is kept in memory
// is made anew then, the model itself only if it is a day old.
func (x *Ops) riskLoop() {
	tick := time.NewTicker(riskAsk)
	defer tick.Stop()
	var last time.Time
	failing := false
	for {
		select {
		case <-tick.C:
		case <-x.ctx.Done():
			return
		}
		if !x.keeper.has(schedulerLease) {
			last = time.Time{}
			continue
		}
		if !last.IsZero() && x.now().Sub(last) < riskEvery {
			continue
		}
		if last = x.now(); len(x.rules.Load().of) == 0 {
			last = time.Time{}
			continue
		}
		err := x.LearnRisk(x.ctx)
		if err != nil && x.ctx.Err() == nil && !failing {
			x.log.Error("late risk could not be learned; it is tried again", "err", err)
		}
		if failing = err != nil; failing {
			last = time.Time{}
		}
	}
}

// LearnRisk reads the orders of the last year or so, as far as its bounds go, and learns from them what makes a shop's orders late. A model that is
// younger than a day is kept. The same orders give the same model.
func (x *Ops) LearnRisk(ctx context.Context) error {
	const op = "ops.LearnRisk"
	ctx, cancel := context.WithTimeout(ctx, riskTime)
	defer cancel()
	at, rules := x.now(), x.rules.Load()
	events := map[string][]riskEvent{}
	kept := map[string]LateModel{}
	err := x.st.View(ctx, func(tx *store.Tx) error {
		for connection := range rules.of {
			var m LateModel
			if _, found, err := tx.HealthStateGet(riskState+connection, &m); err != nil {
				return err
			} else if found {
				kept[connection] = m
			}
		}
		return readRisk(tx, rules, at, events)
	})
	if err != nil {
		return errs.Wrap(op, "", err)
	}
	for _, connection := range slices.Sorted(maps.Keys(rules.of)) {
		s := newShopRisk(rules.of[connection].rules, events[connection], at)
		if m, err := risk.Decode(kept[connection].Model); err == nil && at.Sub(kept[connection].At) < riskEvery {
			s.model, s.at = m, kept[connection].At
		} else {
			s.model, s.at = risk.Learn(s.history.Samples(), at), at
			data, err := json.Marshal(s.model)
			if err == nil {
				err = x.st.Update(ctx, func(tx *store.Tx) error {
					return tx.HealthStatePut(riskState+connection, at, LateModel{At: at, Model: data})
				})
			}
			if err != nil {
				return errs.Wrap(op, connection, err)
			}
		}
		x.risk.mu.Lock()
		if x.risk.fresh == nil {
			x.risk.fresh = map[string]*shopRisk{}
		}
		x.risk.fresh[connection] = s
		x.risk.mu.Unlock()
		if ctx.Err() != nil {
			return errs.Wrap(op, connection, ctx.Err())
		}
	}
	return nil
}

// riskEvent is something that became known of an order.
type riskEvent struct {
	at    time.Time
	kind  uint8 // in the sequence in which events of one moment are told
	order risk.Order
	over  bool // of a placed one: its end is among the events
}

const (
	riskPlaced uint8 = iota
	riskHanded
	riskCancelled
)

// readRisk reads what became known of the orders of judged shops.
func readRisk(tx *store.Tx, rules *rulebook, at time.Time, events map[string][]riskEvent) error {
	before, id, total := at.Add(time.Hour), "", 0 // channels' clocks may be ahead
	for total < riskRead {
		n, err := tx.OrdersPlacedBefore(before, id, readPage, func(o *order.Order) error {
			before, id = o.CreatedAt, o.ID
			if j := rules.of[o.ConnectionID]; j != nil {
				events[o.ConnectionID] = appendRisk(events[o.ConnectionID], o, j.rules)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if total += n; n < readPage || at.Sub(before) > riskSince {
			return nil
		}
	}
	return nil
}

// askedOf is an order as models see it.
func askedOf(o *order.Order, rules *policy.RuleSet) risk.Order {
	due := o.Deadlines
	if rules != nil {
		due = rules.Deadlines(o)
	}
	r := risk.Order{ID: o.ID, Node: o.Node(), At: o.OwedSince(), Due: due.HandOverBy, Promised: due.PromisedBy, Lines: len(o.Lines), Price: o.Totals.Subtotal.Minor, Freight: o.Totals.Shipping.Minor}
	if r.Due.IsZero() {
		r.Due = due.ShipBy
	}
	if r.Promised.IsZero() {
		r.Promised = due.DeliverBy
	}
	for i, l := range o.Lines {
		r.Units += int(l.Qty)
		if i == 0 {
			r.Item, r.Category = cmp.Or(l.SellerSKU, l.ExternalSKU), l.ExternalProduct
		}
	}
	return r
}

func appendRisk(events []riskEvent, o *order.Order, rules *policy.RuleSet) []riskEvent {
	asked := askedOf(o, rules)
	if asked.At.IsZero() || o.Fulfilment == order.ByPlatform {
		return events
	}
	handed := o.Moments.HandedOverAt
	if rules.Deadlines(o).HandOverBy.IsZero() && !o.Moments.ReadyAt.IsZero() { // judged by when it was ready
		handed = o.Moments.ReadyAt
	}
	placed := riskEvent{at: asked.At, order: asked}
	switch {
	case !handed.IsZero():
		placed.over = true
		events = append(events, riskEvent{at: handed, kind: riskHanded, order: risk.Order{ID: o.ID}})
	case o.Status == order.Cancelled:
		placed.over = true
		ended := o.Moments.CancelledAt
		if ended.IsZero() {
			ended = o.StatusAt
		}
		events = append(events, riskEvent{at: ended, kind: riskCancelled, order: risk.Order{ID: o.ID}})
	case o.Status == order.Delivered || o.Status == order.Completed || o.Status == order.InTransit: // it left, and nobody knows when
		return events
	}
	return append(events, placed)
}

// newShopRisk tells a shop's history in the order in which it became known.
func newShopRisk(rules *policy.RuleSet, events []riskEvent, at time.Time) *shopRisk {
	slices.SortFunc(events, func(a, b riskEvent) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.kind, b.kind), strings.Compare(a.order.ID, b.order.ID))
	})
	s := &shopRisk{history: risk.NewHistory(rules.Calendar()), open: map[string]bool{}, chances: map[string]PurchaseRisk{}}
	features := map[string]risk.Features{}
	for _, e := range events {
		if e.at.After(at) { // a clock ahead of ours
			e.at = at
			e.order.At = earliestOf(e.order.At, at)
		}
		switch e.kind {
		case riskPlaced:
			f := s.history.Place(e.order)
			if !e.over {
				features[e.order.ID] = f
				s.open[e.order.ID] = false
			}
		case riskHanded:
			s.history.HandOver(e.order.ID, e.at)
		case riskCancelled:
			s.history.Cancel(e.order.ID, e.at)
		}
	}
	s.history.Advance(at)
	s.waiting = features
	return s
}

func earliestOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// follow tells the history what became of the open orders since, and gives those that are new their chance.
func (s *shopRisk) follow(connection string, cache openCache, at time.Time) {
	for id, f := range s.waiting {
		s.give(id, &f)
	}
	s.waiting = nil
	var placed []*risk.Order
	for id, o := range cache {
		if o.connection != connection || o.asked == nil {
			continue
		}
		if _, known := s.open[id]; !known && !o.left() {
			placed = append(placed, o.asked)
		}
	}
	slices.SortFunc(placed, func(a, b *risk.Order) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID)) })
	for _, o := range placed {
		x := *o
		x.At = earliestOf(x.At, at)
		f := s.history.Place(x)
		s.open[x.ID] = false
		s.give(x.ID, &f)
	}
	for _, id := range slices.Sorted(maps.Keys(s.open)) {
		o, there := cache[id]
		switch {
		case !there:
			s.history.Cancel(id, at)
			delete(s.open, id)
			delete(s.chances, id)
		case o.left() && !s.open[id]:
			s.history.HandOver(id, earliestOf(o.leftAt(), at))
			s.open[id] = true
			delete(s.chances, id)
		}
	}
}

// give works out an order's chance, if there is a model that tells orders apart.
func (s *shopRisk) give(id string, f *risk.Features) {
	if s.model.State == risk.Learned {
		s.chances[id] = PurchaseRisk{Chance: s.model.Chance(f), Base: s.model.Base, Reasons: s.model.Explain(f, riskReasons)}
	}
}

// left reports whether an order is out of what its shop is judged late by.
func (o *openOrder) left() bool { return !o.leftAt().IsZero() }

func (o *openOrder) leftAt() time.Time {
	if o.Deadlines.HandOverBy.IsZero() && !o.ReadyAt.IsZero() {
		return o.ReadyAt
	}
	return o.HandedOverAt
}

// note says what the chances rest on.
func (s *shopRisk) note() *LateModelNote {
	return &LateModelNote{At: s.at, Learned: s.model.State == risk.Learned, Why: s.model.Why, HeldOut: s.model.HeldOut, Base: s.model.BaseHeldOut}
}

// blind reports whether the forecast of queues knows nothing of an order: nothing stated nor learned of its node's pace, or due later than was played.
func blind(in forecast.Input) map[string]bool {
	out := map[string]bool{}
	for i := range in.Nodes {
		out[in.Nodes[i].Code] = in.Nodes[i].Throughput.Basis == forecast.Assumed
	}
	return out
}

// purchase puts the chances at purchase in the place of what the forecast of queues does not know, and keeps those of the orders at most risk.
func (o *Outlook) purchase(f *forecast.Forecast, in forecast.Input, s *shopRisk) {
	if s == nil {
		return
	}
	o.LateModel = s.note()
	unknown := blind(in)
	var all []string
	for i := range f.Orders {
		r := &f.Orders[i]
		c, ok := s.chances[r.ID]
		if !ok {
			continue
		}
		if unknown[r.Node] || r.Beyond {
			c.Used, r.Miss = true, c.Chance
			s.chances[r.ID] = c
		}
		all = append(all, r.ID)
	}
	slices.SortFunc(all, func(a, b string) int {
		return cmp.Or(cmp.Compare(s.chances[b].Chance, s.chances[a].Chance), strings.Compare(a, b))
	})
	o.Purchase = map[string]PurchaseRisk{}
	for _, id := range all[:min(len(all), riskKept)] {
		o.Purchase[id] = s.chances[id]
	}
}
