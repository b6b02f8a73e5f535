package ops

import (
	"context"
	"encoding/json"
	"time"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// Sources of facts, as the timeline names them.
const (
	SourceWebhook  = "webhook"
	SourcePoll     = "poll"
	SourceBackfill = "backfill"
	SourceImport   = "import"
)

// Incoming is what one source reported about orders of one connection.
type Incoming struct {
	ConnectionID string
	Source       string
	Facts        []order.Fact
	InboxOf      map[string][]string // the stored messages behind the facts, by the order's external id
	ReceivedAt   time.Time           // when the first of the messages reached us; zero where nobody sent one

	checked []checked
}

// checked is a fact that was checked, or why it cannot be used.
type checked struct {
	order.Checked
	err error
}

// check does what needs the facts alone, in the goroutine of whoever brought them: the transaction, which others wait for, is the shorter.
func (in *Incoming) check() {
	in.checked = make([]checked, len(in.Facts))
	for i, f := range in.Facts {
		f.ConnectionID = in.ConnectionID
		in.checked[i].Checked, in.checked[i].err = order.Check(f)
	}
}

func (c checked) merge(known *order.Order) (order.Order, order.Changes, error) {
	if c.err != nil {
		return order.Order{}, order.Changes{}, c.err
	}
	return c.Merge(known)
}

// Taken is what became of an Incoming.
type Taken struct {
	Refused     []Refusal // facts that could not be used; the others were
	NeedsDetail []string  // external ids of orders that must be read again
	Changed     int
}

// Refusal is a fact that could not be used, with its reason.
type Refusal struct {
	ExternalID string
	Reason     string
}

// Intake takes facts in: orders, reservations, exposure and events in one transaction, shared with whatever else is waiting. It returns
// when that is durable; the messages behind the facts are marked after it.
func (x *Ops) Intake(ctx context.Context, in Incoming) (Taken, error) {
	in.check()
	t, err := x.intake.Do(ctx, in)
	return t, errs.Wrap("ops.Intake", in.ConnectionID, err)
}

// IntakeAlone is Intake in a transaction of its own, for measurements: what everybody does who does not gather.
func (x *Ops) IntakeAlone(ctx context.Context, in Incoming) (Taken, error) {
	in.check()
	t, err := x.intakeBatch(ctx, []Incoming{in}, func() {})
	if err != nil {
		return Taken{}, errs.Wrap("ops.IntakeAlone", in.ConnectionID, err)
	}
	return t[0], nil
}

func (x *Ops) intakeBatch(ctx context.Context, ins []Incoming, next func()) ([]Taken, error) {
	var b *intakeWork
	var worked time.Time
	began := x.now()
	err := x.st.UpdateAhead(ctx, func(tx *store.Tx) error {
		defer func() { worked = x.now() }()
		b = &intakeWork{x: x, tx: tx, at: tx.Now(), cat: x.catalog.Load(), ins: ins, taken: make([]Taken, len(ins)),
			orders: map[string]*merging{}}
		return b.run()
	}, next)
	if err != nil {
		return nil, err
	}
	ended := x.now()
	x.gauges.steps.add("commit", ended.Sub(worked))
	x.gauges.steps.add("all", ended.Sub(began))
	b.told()
	for i, in := range ins {
		x.finishMessages(in.InboxOf, b.taken[i].Refused)
	}
	return b.taken, nil
}

// intakeWork is one batch on its way through the transaction.
type intakeWork struct {
	x   *Ops
	tx  *store.Tx
	at  time.Time
	cat *catalogue
	ins []Incoming

	taken   []Taken
	orders  map[string]*merging
	ids     []string // of orders, in arrival order
	book    *stock.Book
	touched []string // items whose available units changed
	events  []store.Event
	parcels bool // parcels were made or stopped
}

// merging is one order while the batch's facts are merged into it.
type merging struct {
	before *order.Order // nil: not known
	after  *order.Order
	demand bool
	due    bool
	any    bool
	in     int // the Incoming that touched it first
}

// run takes the steps of a batch. Orders are judged before they are saved: just merged, they are still in the processor's caches, which saving
// fills with pages of the database.
func (b *intakeWork) run() error {
	for _, step := range []struct {
		name string
		do   func() error
	}{{"load orders", b.load}, {"merge facts", b.merge}, {"judge", b.judge}, {"save orders and events", b.save}, {"reserve", b.settle}, {"exposure", b.expose}} {
		began := b.x.now()
		if err := step.do(); err != nil {
			return err
		}
		b.x.gauges.steps.add(step.name, b.x.now().Sub(began))
	}
	return nil
}

func (b *intakeWork) load() error {
	for i, in := range b.ins {
		for _, f := range in.Facts {
			id := order.ID(in.ConnectionID, f.ExternalID)
			if b.orders[id] == nil {
				b.orders[id] = &merging{in: i}
				b.ids = append(b.ids, id)
			}
		}
	}
	known, err := b.tx.OrdersForUpdate(b.ids)
	if err != nil {
		return err
	}
	for i := range known {
		m := b.orders[known[i].ID]
		m.before, m.after = &known[i], &known[i]
	}
	return nil
}

// merge joins every fact to its order. A fact that cannot be used is refused by itself.
func (b *intakeWork) merge() error {
	for i, in := range b.ins {
		for k, f := range in.Facts {
			m := b.orders[order.ID(in.ConnectionID, f.ExternalID)]
			next, changes, err := in.checked[k].merge(m.after)
			if err != nil {
				b.refuse(i, f, err)
				continue
			}
			m.after = &next
			m.demand = m.demand || changes.Demand
			m.due = m.due || changes.Due
			m.any = m.any || changes.Any()
			var message string
			if behind := in.InboxOf[f.ExternalID]; len(behind) > 0 {
				message = behind[0]
			}
			for _, e := range changes.Events {
				if err := b.event(string(e.Kind), next.ID, takenEvent{Event: e, Source: in.Source, Message: message}); err != nil {
					return err
				}
			}
			if changes.Any() {
				b.taken[i].Changed++
			}
		}
	}
	for _, id := range b.ids {
		if m := b.orders[id]; m.after != nil && m.after.NeedsDetail {
			b.taken[m.in].NeedsDetail = append(b.taken[m.in].NeedsDetail, m.after.ExternalID)
		}
	}
	return nil
}

func (b *intakeWork) refuse(i int, f order.Fact, cause error) {
	b.taken[i].Refused = append(b.taken[i].Refused, Refusal{ExternalID: f.ExternalID, Reason: errs.Safe(cause)})
}

func (b *intakeWork) event(kind, subject string, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	b.events = append(b.events, store.Event{At: b.at, Kind: kind, Subject: subject, Data: text})
	return nil
}

// settle makes the ledger equal to what the changed orders demand.
func (b *intakeWork) settle() error {
	var changed, old []string // of those that are new there are no reservations yet
	for _, id := range b.ids {
		m := b.orders[id]
		moved := m.after != nil && b.x.network.on.Load() && (m.before == nil || m.before.Status != m.after.Status)
		if m.after == nil || (!m.demand && !m.due && !moved) || len(m.after.Lines) == 0 {
			continue
		}
		if changed = append(changed, id); m.before != nil {
			old = append(old, id)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	have, err := b.tx.ReservationsForOrders(old)
	if err != nil {
		return err
	}
	byOrder := map[string][]stock.Reservation{}
	for _, r := range have {
		byOrder[r.OrderID] = append(byOrder[r.OrderID], r)
	}
	var wants []stock.Want
	b.events = nil // those of the orders are written
	for _, id := range changed {
		o := b.orders[id].after
		ws, unmapped := b.cat.wants(o, byOrder[id])
		wants = append(wants, ws...)
		for _, sku := range unmapped {
			if err := b.event(EventUnmapped, id, map[string]string{"sku": sku}); err != nil {
				return err
			}
		}
	}
	if err := b.tx.EventsAppend(b.events); err != nil {
		return err
	}
	b.book, err = settleWants(b.tx, b.cat, "intake", wants, func(book *stock.Book) error { return b.route(book, changed) })
	if err != nil {
		return err
	}
	b.touched = b.book.Touched()
	return nil
}

// route decides from where orders leave that may be shipped now, in the transaction that holds their units, and stops the parcels of those that
// are not to ship any more.
func (b *intakeWork) route(book *stock.Book, ids []string) error {
	net := &b.x.network
	net.mu.Lock()
	defer net.mu.Unlock()
	on, err := net.look(b.tx, b.cat.locations, b.at)
	if errs.Is(err, errs.Invalid) { // what somebody entered of routing must not keep orders from being taken in
		b.x.log.Error("orders are not routed: the nodes or the rules of routing cannot be", "err", err)
		return nil
	}
	if err != nil || !on {
		return err
	}
	had, err := b.tx.ShipmentsOfForUpdate(ids...)
	if err != nil {
		return err
	}
	r := &router{x: b.x, tx: b.tx, cat: b.cat, at: b.at, book: book}
	if err := r.know(ids...); err != nil {
		return err
	}
	for _, id := range ids {
		if err := r.attempt(b.orders[id].after, shipmentsOf(had, id)); err != nil {
			return err
		}
	}
	b.parcels = len(r.adds)+len(r.saves) > 0
	return r.save()
}

// EventUnmapped says that an order line sells something no item is known for.
const EventUnmapped = "order.unmapped"

// sold counts the units of each listing an order ordered and cancelled, as far as the listing's own number went down and up for it.
func sold(o *order.Order) map[string][2]int64 {
	if o == nil || o.Fulfilment == order.ByPlatform {
		return nil
	}
	out := map[string][2]int64{}
	for _, l := range o.Lines {
		n := out[l.ExternalSKU]
		n[0] += l.Qty
		if o.Status == order.Cancelled {
			n[1] += l.Qty
		} else {
			n[1] += l.Cancelled
		}
		out[l.ExternalSKU] = n
	}
	return out
}

// expose brings the exposure books in line with the sales and cancellations the batch learned of.
func (b *intakeWork) expose() error {
	type learned struct {
		o         *order.Order
		sold      int64
		cancelled int64
	}
	byListing := map[string][]learned{}
	var ids []string
	for _, id := range b.ids {
		m := b.orders[id]
		if m.after == nil || !m.any {
			continue
		}
		was := sold(m.before)
		for sku, now := range sold(m.after) {
			listing := catalog.ListingID(m.after.ConnectionID, sku)
			l := learned{o: m.after, sold: now[0] - was[sku][0], cancelled: now[1] - was[sku][1]}
			if l.sold < 0 { // an edited order: what is gone from it is on sale again
				l.sold, l.cancelled = 0, l.cancelled-l.sold
			}
			if l.sold == 0 && l.cancelled == 0 {
				continue
			}
			if byListing[listing] == nil {
				ids = append(ids, listing)
			}
			byListing[listing] = append(byListing[listing], l)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	set, err := b.x.loadBooks(b.tx, ids)
	if err != nil {
		return err
	}
	var dirty []string
	net := map[string]int64{}
	for _, id := range ids {
		for _, l := range byListing[id] {
			net[id] += l.sold - l.cancelled
		}
		book, ok := set.Books[id]
		if !ok {
			continue // not opened yet: its number will be read after this sale
		}
		for _, l := range byListing[id] {
			book = book.SaleKnown(int(l.sold), l.o.CreatedAt, b.at)
			book = book.CancelKnown(int(l.cancelled), b.x.wires.restocks(l.o.ConnectionID), b.at)
		}
		set.Books[id] = book
		dirty = append(dirty, id)
	}
	if err := countHolds(b.tx, b.cat, net); err != nil {
		return err
	}
	return b.x.saveBooks(b.tx, set, dirty)
}

func (b *intakeWork) save() error {
	var changed []order.Order
	for _, id := range b.ids {
		if m := b.orders[id]; m.after != nil && (m.any || m.before == nil) {
			changed = append(changed, *m.after)
		}
	}
	if err := b.tx.OrdersSave(changed); err != nil {
		return err
	}
	if err := b.tx.EventsAppend(b.events); err != nil {
		return err
	}
	b.tx.Ahead()
	return nil
}

// finishMessages marks messages, given by the order they are about, as done, and parks those behind refused orders with the reason. It comes
// after the commit because the inbox commits apart from all else: a message marked first and facts then lost in a crash would be lost for
// good, while a message marked too late, or never, is only looked at again, and facts taken in twice change nothing.
func (x *Ops) finishMessages(of map[string][]string, refusals []Refusal) {
	refused := map[string]string{}
	for _, r := range refusals {
		refused[r.ExternalID] = r.Reason
	}
	for order, messages := range of {
		reason, bad := refused[order]
		if !bad {
			x.doneWith(messages...) // one that another order parks stays parked
			continue
		}
		for _, id := range messages {
			x.park(id, reason)
		}
	}
}

// told lets everyone else know what the committed batch changed.
func (b *intakeWork) told() {
	now := b.x.now()
	if b.x.o.Committed != nil {
		b.x.o.Committed(b.ids)
	}
	topics := make([]string, 0, len(b.ids)+len(b.touched))
	for _, id := range b.ids {
		m := b.orders[id]
		if m.after == nil || !m.any {
			continue
		}
		topics = append(topics, "order:"+id)
		b.x.gauges.order(now, m.before, m.after, b.ins[m.in])
	}
	for _, item := range b.touched {
		topics = append(topics, "item:"+item)
	}
	if b.parcels {
		topics = append(topics, topicShipments)
	}
	b.x.planner.dirty(b.touched...)
	b.x.live.notify(topics...)
}
