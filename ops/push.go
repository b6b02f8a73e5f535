package ops

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// callsAtOnce pushes of one connection may be under way together; their rate is the session's to pace.
	callsAtOnce = 8
	// refusedPause is how long a listing whose push was refused is left alone, so that a wrong set-up does not eat the rate limit.
	refusedPause = 30 * time.Second
	// stalePause is the same where the channel only asked to try again.
	stalePause = 200 * time.Millisecond
	// readAgain is how long after a failed read it is tried again.
	readAgain = 5 * time.Second
)

// kindOf translates how a vendor takes numbers.
func kindOf(k driver.WriteKind) allocation.Kind {
	switch k {
	case driver.CompareAndSet:
		return allocation.CompareAndSet
	case driver.DeltaWrite:
		return allocation.Delta
	}
	return allocation.Absolute
}

func refOf(l catalog.Listing) driver.ListingRef {
	return driver.ListingRef{ProductID: l.ProductID, SKUID: l.ExternalSKU, ItemRef: l.ItemRef, Locations: l.Locations}
}

// flight is a push whose flight is stored already, with its units by warehouse.
type flight struct {
	allocation.Push
	split map[string]int64
}

// split divides a listing's number over the channel's warehouses in proportion to what is available behind each. Where the channel
// compares before it sets, the driver keeps to one warehouse.
func split(cat *catalogue, l catalog.Listing, p allocation.Push, held map[string][]stock.Balance) map[string]int64 {
	parts := cat.consumes(l)
	if len(l.Locations) < 2 || p.Kind != allocation.Absolute || len(parts) == 0 {
		return nil
	}
	weight := make([]int64, len(l.Locations))
	var total int64
	for _, b := range held[parts[0].ItemID] {
		place, ok := cat.location(b.LocationID)
		if i := slices.Index(l.Locations, place.ExternalRefs[l.ConnectionID]); ok && i >= 0 {
			weight[i] += b.ATP()
			total += b.ATP()
		}
	}
	out := make(map[string]int64, len(l.Locations))
	left := int64(p.Quantity)
	for i, place := range l.Locations {
		n := int64(0)
		if total > 0 {
			n = int64(p.Quantity) * weight[i] / total
		}
		out[place] = n
		left -= n
	}
	best := 0
	for i := range weight {
		if weight[i] > weight[best] {
			best = i
		}
	}
	out[l.Locations[best]] += left // what rounding left over, or all where nothing is tied
	return out
}

// send queues pushes whose flight is stored already.
func (w *wire) send(pushes []flight) {
	w.mu.Lock()
	ended := w.ended
	if !ended {
		w.pushes = append(w.pushes, pushes...)
	}
	w.mu.Unlock()
	if ended {
		w.unsent(pushes)
		return
	}
	poke(w.wakePush)
}

// unsent records pushes that never left and never will, so that the next owner need not wait for them.
func (w *wire) unsent(pushes []flight) {
	if len(pushes) == 0 || !w.grip.held() {
		return
	}
	ids, push := make([]string, len(pushes)), map[string]string{}
	for i, p := range pushes {
		ids[i], push[p.Listing] = p.Listing, p.ID
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), leaseCall)
	defer cancel()
	if _, err := w.x.change(ctx, bookChange{listings: ids, by: w.grip, apply: func(b allocation.Book, open bool, at time.Time) (allocation.Book, *allocation.Drift, error) {
		next, err := b.PushRefused(push[b.Listing], at, at)
		return next, nil, err
	}}); err != nil {
		w.log.Warn("pushes that did not leave could not be recorded; they count as unknown", "pushes", len(ids), "err", err)
	}
}

// pushLoop applies pushes: whatever waits is cut into the channel's batches, urgent ones first, a few calls at once.
func (w *wire) pushLoop() {
	slots := make(chan struct{}, callsAtOnce)
	var calls sync.WaitGroup
	defer calls.Wait()
	for {
		if !w.rest(0, w.wakePush, nil) {
			return
		}
		taken := w.takePushes()
		for _, batch := range w.session.Batches(driverPushes(w, taken)) {
			select {
			case slots <- struct{}{}:
			case <-w.ctx.Done():
				w.putBack(taken, batch)
				continue
			}
			calls.Go(func() {
				defer func() { <-slots }()
				w.apply(batch)
			})
		}
	}
}

func (w *wire) takePushes() []flight {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.pushes
	w.pushes = nil
	return taken
}

// putBack queues again those of taken that are in a batch which will not leave.
func (w *wire) putBack(taken []flight, batch []driver.Push) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range taken {
		if slices.ContainsFunc(batch, func(p driver.Push) bool { return p.ID == f.ID }) {
			w.pushes = append(w.pushes, f)
		}
	}
}

// driverPushes are pushes as the connector takes them, urgent ones first.
func driverPushes(w *wire, taken []flight) []driver.Push {
	cat := w.x.catalog.Load()
	urgent, calm := make([]driver.Push, 0, len(taken)), make([]driver.Push, 0, len(taken))
	for _, p := range taken {
		l := cat.listings[p.Listing]
		d := driver.Push{ID: p.ID, Ref: refOf(l), Kind: w.vendor.Write, Quantity: int64(p.Quantity), From: int64(p.From), Split: p.split}
		if p.Kind == allocation.Delta { // a channel that compares takes deltas as well
			d.Kind, d.Quantity = driver.DeltaWrite, int64(p.Delta)
		}
		if p.Urgent {
			urgent = append(urgent, d)
		} else {
			calm = append(calm, d)
		}
	}
	return append(urgent, calm...)
}

// apply sends one batch and records the fate of every push in it.
func (w *wire) apply(batch []driver.Push) {
	ctx, cancel := context.WithTimeout(w.calls, callTime)
	defer cancel()
	sent := w.x.now()
	results, err := w.session.SetQuantities(ctx, batch)
	at := w.x.now()
	if err != nil {
		w.failed("setting quantities", err)
	} else {
		w.worked()
	}
	byID := make(map[string]driver.Result, len(results))
	for _, r := range results {
		byID[r.PushID] = r
	}
	ids := make([]string, len(batch))
	fates := make(map[string]driver.Result, len(batch))
	rows := make([]store.Push, len(batch))
	for i, p := range batch {
		r, ok := byID[p.ID]
		if !ok {
			r = driver.Result{PushID: p.ID, Outcome: driver.Unknown}
		}
		listing := catalog.ListingID(w.id, p.Ref.SKUID)
		ids[i], fates[listing] = listing, r
		rows[i] = store.Push{ListingID: listing, ConnectionID: w.id, Kind: string(p.Kind), Qty: p.Quantity,
			Outcome: string(r.Outcome), SentAt: sent, AnsweredAt: at}
		if r.Err != nil {
			rows[i].Error = r.Err.Error()
		}
		w.x.gauges.pushed(r.Outcome, at.Sub(sent))
	}
	// The fate of a push must be recorded even while stopping, else it counts as unknown after the restart.
	s, err := w.x.change(context.WithoutCancel(w.ctx), bookChange{listings: ids, by: w.grip,
		apply: func(b allocation.Book, open bool, now time.Time) (allocation.Book, *allocation.Drift, error) {
			next, err := w.landed(b, fates[b.Listing], at, now)
			return next, nil, err
		},
		also: func(tx *store.Tx) error { return w.x.logPushes(tx, rows) },
	})
	if err != nil {
		w.log.Error("the fate of pushes could not be stored; they count as unknown", "pushes", len(ids), "err", err)
		return
	}
	for listing, r := range fates {
		if r.Outcome == driver.Confirmed {
			w.x.planner.confirmed(listing, at)
		}
	}
	w.settled(s)
}

// landed is the transition that belongs to a push's outcome.
func (w *wire) landed(b allocation.Book, r driver.Result, at, now time.Time) (allocation.Book, error) {
	answer := allocation.Answer{At: at, ChannelAt: r.At}
	if r.HasAfter {
		after := int(r.After)
		answer.After = &after
	}
	switch r.Outcome {
	case driver.Confirmed:
		return b.PushConfirmed(r.PushID, answer)
	case driver.Stale:
		return b.Mismatch(r.PushID, answer.After, answer)
	case driver.Refused:
		pause := refusedPause
		if r.Err != nil && (r.Err.Class == driver.Retry || r.Err.Class == driver.RetryAfter) {
			pause = max(stalePause, r.Err.After)
		}
		return b.PushRefused(r.PushID, at, now.Add(pause))
	}
	return b.PushUnknown(r.PushID, at)
}

func (x *Ops) logPushes(tx *store.Tx, rows []store.Push) error {
	if err := tx.PushLogAppend(rows); err != nil {
		return err
	}
	var events []store.Event
	for _, r := range rows {
		if r.Outcome == string(driver.Confirmed) {
			if err := tx.DriftRepaired(r.ListingID, "Spillway set it back"); err != nil {
				return err
			}
			continue
		}
		data, err := json.Marshal(r)
		if err != nil {
			return err
		}
		events = append(events, store.Event{At: r.AnsweredAt, Kind: "listing.push." + r.Outcome, Subject: r.ListingID, Data: data})
	}
	return tx.EventsAppend(events)
}

// read queues listings whose number must be read.
func (w *wire) read(listings []string) {
	w.mu.Lock()
	w.reads = unique(append(w.reads, listings...))
	w.mu.Unlock()
	poke(w.wakeRead)
}

// openBooks reads the numbers of listings that have no book yet. The channel's sales up to now are known by then, so that a
// sale made before the book was opened is not taken for one made after.
func (w *wire) openBooks() {
	cat := w.x.catalog.Load()
	var mapped []string
	for _, id := range cat.ofConn[w.id] {
		if l := cat.listings[id]; l.ItemID != "" && l.Active {
			mapped = append(mapped, id)
		}
	}
	var missing []string
	err := w.x.st.View(w.ctx, func(tx *store.Tx) error {
		set, err := w.x.loadBooks(tx, mapped)
		if err != nil {
			return err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, id := range mapped {
			b, ok := set.Books[id]
			if !ok {
				missing = append(missing, id)
			} else if b.Anchor != nil {
				w.state.anchors[id] = true
			}
		}
		return nil
	})
	if err != nil {
		w.log.Error("exposure books could not be read", "err", err)
		return
	}
	w.read(missing) // and what was asked for before the first sweep was done, although nothing is missing
}

func (w *wire) readLoop() {
	pause := time.Duration(0)
	for {
		if !w.rest(pause, w.wakeRead, nil) {
			return
		}
		w.mu.Lock()
		ready := w.state.opened
		ids := w.reads
		if ready {
			w.reads = nil
		}
		w.mu.Unlock()
		if !ready {
			continue // the first sweep asks again
		}
		pause = 0
		for part := range chunks(ids, w.vendor.Limits.ReadQuantities) {
			if err := w.readNumbers(part); err != nil {
				if w.ctx.Err() != nil {
					return
				}
				w.failed("reading quantities", err)
				pause = grow(pause)
				w.read(part)
			}
		}
	}
}

// readNumbers reads what the channel shows: the opening of a book, the healing of an uncertain one, or the regular check.
func (w *wire) readNumbers(ids []string) error {
	cat := w.x.catalog.Load()
	began := w.x.now()
	started, err := w.x.change(w.ctx, bookChange{listings: ids, by: w.grip, apply: func(b allocation.Book, open bool, _ time.Time) (allocation.Book, *allocation.Drift, error) {
		if !open {
			return b, nil, nil
		}
		next, err := b.ReadStarted(began)
		return next, nil, err
	}})
	if err != nil {
		return err
	}
	refs := make([]driver.ListingRef, 0, len(ids))
	reading := make([]string, 0, len(ids))
	reads := map[string]int64{}
	for _, id := range ids {
		if b, ok := started.books[id]; ok {
			if b.Reading != nil {
				reads[id] = b.Reading.ID
			}
			refs = append(refs, refOf(cat.listings[id]))
			reading = append(reading, id)
		}
	}
	if len(refs) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(w.ctx, callTime)
	defer cancel()
	numbers, readErr := w.session.Quantities(ctx, refs)
	ended := w.x.now()
	found := map[string]driver.Quantity{}
	for _, n := range numbers {
		found[catalog.ListingID(w.id, n.Ref.SKUID)] = n
	}
	s, err := w.x.change(context.WithoutCancel(w.ctx), bookChange{listings: reading, by: w.grip,
		apply: func(b allocation.Book, open bool, _ time.Time) (allocation.Book, *allocation.Drift, error) {
			n, ok := found[b.Listing]
			switch {
			case ok && !open:
				return w.openBook(b.Listing, n, began, ended), nil, nil
			case ok:
				return b.ReadDone(reads[b.Listing], int(n.Available), allocation.Answer{At: ended, ChannelAt: n.At}), nil, nil
			case open:
				return b.ReadFailed(reads[b.Listing], ended, ended.Add(readAgain)), nil, nil
			}
			return b, nil, nil
		}})
	if err != nil {
		return err
	}
	if readErr != nil {
		return errs.Wrap("ops.readNumbers", w.id, readErr)
	}
	w.worked()
	w.settled(s)
	return nil
}

// openBook starts a listing's book. Sales made before the read may still become known before the barrier and would then be
// taken off twice, so the barrier replaces the bound instead of narrowing it.
func (w *wire) openBook(listing string, n driver.Quantity, began, ended time.Time) allocation.Book {
	b := allocation.NewBook(listing, kindOf(w.vendor.Write), int(n.Available), began, ended, n.At)
	b.Anchor.Relaxed = true
	return b
}
