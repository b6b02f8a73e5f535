package ops

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/store"
)

const (
	// lateEvery is how often it is looked which parcels are to be asked for by themselves.
	lateEvery = time.Minute
	// lateMost bounds those of one account and turn; the session's lane keeps them within what the provider allows.
	lateMost = 10
	// lateRead bounds the orders that are looked through for such parcels, those due first in front.
	lateRead = 5_000
)

// lateLooks asks for single parcels: those that a provider has, of which it tells nothing although their deadline comes near. Their webhook may have been
// lost, and a long list be read for an hour before it comes to them.
type lateLooks struct {
	x     *Ops
	mu    sync.Mutex
	asked map[string]map[string]time.Time // by account and parcel: when it was asked for last; another process asks once more
}

// lateParcel is a parcel to be asked for, with the deadline of its order.
type lateParcel struct {
	store.Shipment
	due time.Time
}

// ask asks for the parcels of an account whose time it is, the nearest deadline first.
func (l *lateLooks) ask(ctx context.Context, a store.CarrierAccount) (more bool, err error) {
	f, err := l.x.freight(ctx, a.ID)
	if err != nil || !f.Looks() {
		return false, err
	}
	turn, cancel := context.WithTimeout(ctx, newsTurn)
	defer cancel()
	all, err := l.x.outstanding(ctx, a.ID, l.x.now())
	if err != nil {
		return false, err
	}
	todo := l.due(a.ID, all)
	for i, p := range todo {
		if i == lateMost || turn.Err() != nil || !l.x.keeper.has(schedulerLease) {
			return true, nil
		}
		news, err := l.x.lookAt(ctx, f, a, booked(&p.Shipment.Shipment))
		if err == nil {
			err = l.x.takeNews(ctx, a, news)
		}
		if err != nil {
			return false, err
		}
		l.mu.Lock()
		l.asked[a.ID][p.ID] = l.x.now()
		l.mu.Unlock()
	}
	return false, nil
}

// due are those of an account's outstanding parcels whose time it is to be asked for. What is not outstanding any more is forgotten.
func (l *lateLooks) due(account string, all []lateParcel) (out []lateParcel) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was, now := l.asked[account], map[string]time.Time{}
	for _, p := range all {
		heard := p.Label.At
		if at := was[p.ID]; at.After(heard) {
			heard, now[p.ID] = at, at
		}
		if at, ever := tracking.AskAt(heard, p.due); ever && !at.After(l.x.now()) {
			out = append(out, p)
		}
	}
	l.asked[account] = now
	slices.SortStableFunc(out, func(a, b lateParcel) int { return a.due.Compare(b.due) })
	return out
}

// outstanding are the parcels a provider has and has not told to have shipped, of orders whose deadline is near or was missed not long ago.
func (x *Ops) outstanding(ctx context.Context, account string, now time.Time) (out []lateParcel, err error) {
	by := map[string]time.Time{}
	var ids []string
	for _, status := range []order.Status{order.AwaitingShipment, order.PartiallyShipping} {
		err := x.st.View(ctx, func(tx *store.Tx) error {
			places, err := tx.PlacesByDue("", status, store.DuePlace{Due: now.Add(-tracking.AskUntil)}, lateRead)
			for _, p := range places {
				if p.Due.Sub(now) <= tracking.AskFrom {
					by[p.ID] = p.Due
					ids = append(ids, p.ID)
				}
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{}
	for part := range chunks(unique(ids), resultBatch) {
		var rows []store.Shipment
		err := x.st.View(ctx, func(tx *store.Tx) (err error) {
			rows, err = tx.ShipmentsOf(part...)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, s := range rows {
			if s.Account != account || !awaited(&s.Shipment) || seen[s.ID] {
				continue
			}
			p := lateParcel{s, time.Time{}}
			for _, o := range s.Orders {
				if due, ok := by[o]; ok && (p.due.IsZero() || due.Before(p.due)) {
					p.due = due
				}
			}
			out = append(out, p)
			seen[s.ID] = true
		}
	}
	return out, nil
}

// awaited reports whether a provider has a parcel whose number it has not told yet.
func awaited(s *shipping.Shipment) bool {
	return s.Way == shipping.ByProvider && s.Label.Fate == shipping.Done && s.Label.Tracking == "" && s.Stopped.IsZero() && !s.Shipped() && !s.Closed()
}
