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
	// shipAtOnce parcels of one connection have a call under way together: enough to hide a slow answer, fewer than a session lets through.
	shipAtOnce = 8
	// shipBatch parcels are read at once.
	shipBatch = 100
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
	pause := shipApart
	for w.rest(pause, w.wakeShip, w.nextShipment) {
		pause = shipApart
		if w.paused() || !w.grip.held() {
			pause = shipLook
			continue
		}
		if err := w.ship(); err != nil && w.ctx.Err() == nil {
			w.log.Error("parcels cannot be worked on", "err", err)
			pause = maxPause / 4
		}
	}
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

// ship works on all parcels that are due.
func (w *wire) ship() error {
	var due []store.Shipment
	err := w.x.st.View(w.ctx, func(tx *store.Tx) (err error) {
		due, err = tx.ShipmentsDue(w.id, w.x.now(), shipBatch)
		return err
	})
	if err != nil {
		return err
	}
	slots := make(chan struct{}, shipAtOnce)
	var under sync.WaitGroup
	defer under.Wait()
	for _, s := range due {
		select {
		case slots <- struct{}{}:
		case <-w.ctx.Done():
			return nil
		}
		under.Go(func() {
			defer func() { <-slots }()
			if err := w.shipOne(s); err != nil && w.ctx.Err() == nil && !errs.Is(err, errs.Conflict) {
				w.log.Warn("a parcel's step is not stored", "shipment", s.ID, "err", err)
			}
		})
	}
	return nil
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
			return w.keep(&s, func(s *shipping.Shipment, at time.Time) { s.Refuse(step.Kind, at, 0, sentence(err), hopeless(err)) })
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
