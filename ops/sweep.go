package ops

import (
	"context"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// defaultSweep is how often orders are polled although webhooks work.
	defaultSweep = 30 * time.Second
	// overlap is how far behind the watermark a regular sweep begins: changes that a channel shows late are found.
	overlap = 2 * time.Minute
	// barrierOverlap is the same for a sweep that only has to know the last seconds' sales.
	barrierOverlap = 3 * time.Second
	// barrierPause lets the numbers confirmed in quick succession share one sweep.
	barrierPause = 250 * time.Millisecond
	// maxSweepRest bounds how long a sweep rests for having taken long.
	maxSweepRest = time.Second
	// saveWatermark is how often the watermark is stored: a restart reads that much more again.
	saveWatermark = 2 * time.Second
	// history is how far back the first sweep of a new connection reads.
	history = 30 * 24 * time.Hour
	// ordersStream names the watermark of orders.
	ordersStream = "orders"
)

// askSweep asks for a sweep now: a number waits for the barrier.
func (w *wire) askSweep() { poke(w.wakeSweep) }

// sweepLoop polls the orders that changed: regularly as the safety net, and at once when a number waits for the barrier.
func (w *wire) sweepLoop() {
	pause, took := time.Duration(0), time.Duration(0)
	next := w.x.now()
	for {
		// A busy shop's sweep is long; resting twice as long leaves the machine and the channel to what matters more.
		if !w.rest(max(pause, barrierPause, 2*took), w.wakeSweep, func() (time.Time, bool) { return next, true }) {
			return
		}
		began := w.x.now()
		missed := w.missed.Swap(false)
		regular := missed || !began.Before(next)
		err := w.sweep(regular)
		took = min(w.x.now().Sub(began), maxSweepRest)
		if err != nil {
			if missed {
				w.missed.Store(true)
			}
			if w.ctx.Err() != nil {
				return
			}
			w.failed("polling orders", err)
			pause = grow(pause)
			continue
		}
		pause = 0
		if regular {
			next = w.x.now().Add(w.x.o.SweepEvery)
		}
	}
}

// sweep reads every order changed since the watermark and takes it in. When it is done, every sale made before it began is
// known: that is the barrier the waiting numbers need.
func (w *wire) sweep(regular bool) error {
	began := w.x.now()
	from, seen, err := w.sweepFrom(regular, began)
	if err != nil {
		return err
	}
	w.mu.Lock()
	first := !w.state.opened
	w.mu.Unlock()
	known := w.known.seen
	switch {
	case seen.IsZero():
		known = nil // the first sweep of all: listing orders only to read them all would cost more
	case first:
		known = w.seenBefore
	}
	for page, err := range w.session.OrderPages(w.ctx, from, known) {
		if err != nil {
			return err
		}
		own(page.Orders, w.id) // a fact's content includes whose it is
		news := w.known.fresh(page.Orders)
		var taken Taken
		if len(news) > 0 {
			if taken, err = w.takeIn(w.ctx, Incoming{ConnectionID: w.id, Source: SourcePoll, Facts: news}); err != nil {
				return err
			}
			w.known.addRead(news)
			w.known.forget(taken.NeedsDetail)
		}
		seen = latest(seen, page)
		w.reread(taken.NeedsDetail, nil)
		for _, u := range page.Unreadable {
			taken.Refused = append(taken.Refused, Refusal{ExternalID: u.ID, Reason: u.Why})
		}
		w.refused(taken.Refused)
	}
	if err := w.setWatermark(seen); err != nil {
		return err
	}
	w.worked()
	w.mu.Lock()
	w.state.sweptAt = began
	w.state.opened = true
	w.mu.Unlock()
	if first {
		w.openBooks()
	}
	return w.barrier(began)
}

// seenBefore is recent.seen for the first sweep after a start or a take-over, when nothing is remembered and much is stored: to read it all
// again took a shop's points for half a minute, in which no number could be checked.
func (w *wire) seenBefore(externalID string) (driver.Seen, bool) {
	if was, known := w.known.seen(externalID); known {
		return was, true
	}
	var stored []order.Order
	err := w.x.st.View(w.ctx, func(tx *store.Tx) (err error) {
		stored, err = tx.OrdersGet([]string{order.ID(w.id, externalID)})
		return err
	})
	if err != nil || len(stored) == 0 {
		return driver.Seen{}, false // the channel is asked
	}
	was, known := driver.SeenIn(&stored[0])
	if known {
		w.known.keep(externalID, was)
	}
	return was, known
}

// latest is the newest change known after a page: what the page has come to, or else its newest order.
func latest(seen time.Time, page driver.OrderPage) time.Time {
	if !page.ChangedTo.IsZero() {
		if page.ChangedTo.After(seen) {
			return page.ChangedTo
		}
		return seen
	}
	for _, f := range page.Orders {
		if f.UpdatedAt.After(seen) {
			seen = f.UpdatedAt
		}
	}
	return seen
}

func own(facts []order.Fact, connectionID string) {
	for i := range facts {
		facts[i].ConnectionID = connectionID
	}
}

// sweepFrom tells where the sweep begins and the newest change known so far.
func (w *wire) sweepFrom(regular bool, began time.Time) (from, seen time.Time, err error) {
	w.mu.Lock()
	seen = w.state.watermark
	w.mu.Unlock()
	if seen.IsZero() {
		err = w.x.st.View(w.ctx, func(tx *store.Tx) error {
			mark, err := tx.WatermarkGet(w.id, ordersStream)
			seen = mark.At
			return err
		})
		if err != nil {
			return from, seen, err
		}
	}
	if seen.IsZero() {
		return began.Add(-history), seen, nil
	}
	if regular {
		return seen.Add(-overlap), seen, nil
	}
	return seen.Add(-barrierOverlap), seen, nil
}

func (w *wire) setWatermark(seen time.Time) error {
	w.mu.Lock()
	w.state.watermark = seen
	due := seen.After(w.state.markStored.Add(saveWatermark))
	if due {
		w.state.markStored = seen
	}
	w.mu.Unlock()
	if !due {
		return nil
	}
	return w.x.st.Update(w.ctx, func(tx *store.Tx) error {
		if lost, err := fence(tx, w.grip); err != nil || lost[w.grip] {
			return errsOr(err, errTaken("ops.sweep", w.grip))
		}
		return tx.WatermarkSet(w.id, ordersStream, store.Watermark{At: seen})
	})
}

// refused keeps orders of a poll that could not be used where a person sees them; the sweep goes on without them.
func (w *wire) refused(rs []Refusal) {
	for _, r := range rs {
		w.x.gauges.parked.Add(1)
		w.log.Warn("order refused", "order", r.ExternalID, "reason", r.Reason)
		row := store.InboxRow{ID: "poll/" + w.id + "/" + r.ExternalID, Vendor: w.vendor.Vendor, ConnectionID: w.id, Topic: "poll",
			ReceivedAt: w.x.now(), Body: []byte("{}"), State: store.InboxPending}
		err := w.x.st.UpdateInbox(w.ctx, func(tx *store.InboxTx) error {
			if _, err := tx.InboxAppend([]store.InboxRow{row}); err != nil {
				return err
			}
			return tx.InboxPark(row.ID, r.Reason)
		})
		if err != nil {
			w.log.Error("a refused order could not be recorded", "order", r.ExternalID, "err", err)
		}
	}
}

// barrier tells the books that wait that every sale before began is known.
func (w *wire) barrier(began time.Time) error {
	w.mu.Lock()
	ids := make([]string, 0, len(w.state.anchors))
	for id := range w.state.anchors {
		ids = append(ids, id)
	}
	w.mu.Unlock()
	for part := range chunks(ids, resultBatch) {
		s, err := w.x.change(w.ctx, bookChange{listings: part, by: w.grip, apply: func(b allocation.Book, open bool, at time.Time) (allocation.Book, *allocation.Drift, error) {
			if !open {
				return b, nil, nil
			}
			next, drift := b.SalesKnownUntil(began, at)
			return next, drift, nil
		}})
		if err != nil {
			return err
		}
		w.settled(s)
	}
	return nil
}

// settled takes over which books still wait for the barrier and plans their items again; the plan says which cannot wait for the
// regular sweep.
func (w *wire) settled(s bookState) {
	var dirty []string
	cat := w.x.catalog.Load()
	w.mu.Lock()
	for id, b := range s.books {
		if b.Anchor != nil {
			w.state.anchors[id] = true
		} else {
			delete(w.state.anchors, id)
		}
		for _, part := range cat.consumes(cat.listings[id]) {
			dirty = append(dirty, part.ItemID)
		}
	}
	w.mu.Unlock()
	for id, err := range s.failed {
		w.log.Warn("exposure book refused a change", "listing", id, "err", err)
	}
	w.x.planner.dirty(dirty...)
	w.x.live.notify("connection:" + w.id)
}

// Backfill takes in a channel's history, cheaper than page by page where the channel can.
func (x *Ops) Backfill(ctx context.Context, connectionID string, from time.Time, progress func(orders int)) error {
	w := x.wires.get(connectionID)
	if w == nil && x.keeper.elsewhere(connectionID) {
		return errs.New(errs.Unavailable, "ops.Backfill", connectionID, "another process works this connection; ask there")
	}
	if w == nil {
		return errs.New(errs.NotFound, "ops.Backfill", connectionID, "no such connection is at work")
	}
	var page []order.Fact
	n := 0
	flush := func() error {
		if len(page) == 0 {
			return nil
		}
		taken, err := w.takeIn(ctx, Incoming{ConnectionID: w.id, Source: SourceBackfill, Facts: page})
		if err != nil {
			return err
		}
		w.refused(taken.Refused)
		n += len(page)
		page = page[:0]
		progress(n)
		return nil
	}
	err := w.session.Backfill(ctx, from, func(f order.Fact) error {
		page = append(page, f)
		if len(page) < backfillPage {
			return nil
		}
		return flush()
	})
	if err != nil {
		return errs.Wrap("ops.Backfill", connectionID, err)
	}
	return flush()
}

// backfillPage orders share one intake.
const backfillPage = 200
