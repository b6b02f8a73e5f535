package ops

import (
	"context"
	"sync"
	"time"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// shipAtOnce parcels of one connection are with one shipper together: enough to hide a slow answer, fewer than a session lets through.
	shipAtOnce = 8
	// shipBatch parcels are read at once: more than all shippers of a connection have in hand, so that those who wait for one hide none of another's.
	shipBatch = 200
	// shipLook is how often parcels are looked for that another process has made ready.
	shipLook = time.Second
	// shipApart is how far apart looks are, so that a parcel nobody gets on with costs little.
	shipApart = 50 * time.Millisecond
	// keepTries is how often a result is stored anew when somebody changed the parcel meanwhile.
	keepTries = 20
	// keepTime bounds that: a result must be stored although the program stops.
	keepTime = 15 * time.Second
)

// shipLoop does what the parcels of a connection wait for: book, find, fetch, tell, take back. What is to be done follows from what is stored, so
// it may stop at any line.
func (w *wire) shipLoop() {
	hands := &shipHands{under: map[string]bool{}, with: map[string]int{}}
	defer hands.work.Wait()
	pause, next := shipApart, w.nextShipment
	for w.rest(pause, w.wakeShip, next) {
		pause, next = shipApart, w.nextShipment
		if w.paused() || !w.grip.held() {
			pause = shipLook
			continue
		}
		switch due, taken, err := w.ship(hands); {
		case err != nil && w.ctx.Err() == nil:
			w.log.Error("parcels cannot be worked on", "err", err)
			pause = maxPause / 4
		case due > 0 && taken == 0: // all of it is under way, or waits for a hand: whoever gets free wakes us
			next = func() (time.Time, bool) { return w.x.now().Add(shipLook), true }
		}
	}
}

// shipHands are the calls of a connection's parcels that are under way. Every shipper has hands of its own: one that hangs holds up no other.
type shipHands struct {
	mu    sync.Mutex
	under map[string]bool // parcels
	with  map[string]int  // calls, by account; the channel has none
	work  sync.WaitGroup
}

func (h *shipHands) take(parcel, account string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.under[parcel] || h.with[account] >= shipAtOnce {
		return false
	}
	h.under[parcel] = true
	h.with[account]++
	return true
}

func (h *shipHands) free(parcel, account string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.under, parcel)
	h.with[account]--
}

// nextShipment is when to look again.
func (w *wire) nextShipment() (time.Time, bool) {
	soon := w.x.now().Add(shipLook)
	var at time.Time
	err := w.x.st.View(w.ctx, func(tx *store.Tx) error {
		next, ok, err := tx.ShipmentsNext(w.id)
		if at = soon; ok && next.Before(soon) {
			at = next
		}
		return err
	})
	if err != nil {
		return soon, true
	}
	return at, true
}

// ship sees to it that all parcels that are due are worked on. It returns how many there are, and how many of them are taken up now.
func (w *wire) ship(hands *shipHands) (due, taken int, err error) {
	var all []store.Shipment
	err = w.x.st.View(w.ctx, func(tx *store.Tx) (err error) {
		all, err = tx.ShipmentsDue(w.id, w.x.now(), shipBatch)
		return err
	})
	for _, s := range all {
		account := s.Account
		if k := s.Next(w.x.now()).Kind; k == shipping.Tell || k == shipping.Correct {
			account = "" // the channel is told
		}
		if !hands.take(s.ID, account) {
			continue
		}
		taken++
		hands.work.Go(func() {
			if err := w.shipOne(s); err != nil && w.ctx.Err() == nil && !errs.Is(err, errs.Conflict) {
				w.log.Warn("a parcel's step is not stored", "shipment", s.ID, "err", err)
			}
			hands.free(s.ID, account)
			select {
			case w.wakeShip <- struct{}{}:
			default:
			}
		})
	}
	return len(all), taken, err
}

// shipOne does the steps of one parcel that are due, one after the other. Errors: Conflict (another worker has it).
func (w *wire) shipOne(s store.Shipment) error {
	for w.ctx.Err() == nil && w.grip.held() {
		step := s.Next(w.x.now())
		if !step.Due(w.x.now()) || !step.Kind.Outside() {
			return nil
		}
		to, err := w.way(&s, step.Kind)
		if err != nil {
			return w.keep(&s, func(s *shipping.Shipment, at time.Time) {
				s.Refuse(step.Kind, at, 0, sentence(err), hopeless(err, s.Failures(step.Kind)))
			})
		}
		if step.Kind.Calls() {
			if err := s.Begin(step.Kind, w.x.now(), shipping.Terms{Lifetime: to.lifetime()}); err != nil {
				return err
			}
			if err := w.save(&s); err != nil { // whoever cannot store it does not call
				return err
			}
		}
		ctx, cancel := context.WithTimeout(w.calls, shipping.CallTime)
		outcome := to.do(ctx, step.Kind, s)
		cancel()
		if err := w.keep(&s, outcome); err != nil {
			return err
		}
		w.x.live.notify(topicShipments)
	}
	return nil
}

// topicShipments is what pages of parcels listen to.
const topicShipments = "shipments"

// save stores a parcel under this connection's lease.
func (w *wire) save(s *store.Shipment) error {
	one := []store.Shipment{*s}
	err := w.x.st.Update(w.ctx, func(tx *store.Tx) error {
		lost, err := fence(tx, w.grip)
		if err != nil {
			return err
		}
		if lost[w.grip] {
			return errTaken("ops.Ship", w.grip)
		}
		one[0] = *s
		return tx.ShipmentsSave(one)
	})
	if err == nil {
		s.Version = one[0].Version
	}
	return err
}

// outcome is what an answer changes of a parcel.
type outcome func(s *shipping.Shipment, at time.Time)

// keep stores the outcome of a call. It is put on top of whatever somebody else has changed meanwhile: what happened outside has happened.
func (w *wire) keep(s *store.Shipment, o outcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), keepTime)
	defer cancel()
	for range keepTries {
		was, fresh := s.Shipment, *s
		o(&fresh.Shipment, w.x.now())
		var saved store.Shipment
		err := w.x.st.Update(ctx, func(tx *store.Tx) error {
			saved = fresh
			return w.x.saveParcel(tx, &was, &saved, custody.Channel)
		})
		if err == nil {
			*s = saved
			return nil
		}
		if !errs.Is(err, errs.Conflict) {
			return err
		}
		err = w.x.st.View(ctx, func(tx *store.Tx) error {
			got, err := tx.ShipmentGet(s.ID)
			if err == nil {
				*s = got
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return errs.New(errs.Unavailable, "ops.Ship", s.ID, "too many change this parcel at once")
}
