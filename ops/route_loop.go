package ops

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// routeEvery is how often orders are looked for that nobody has routed, or of which units were left for later.
	routeEvery = 10 * time.Second
	// routeTake orders share a transaction: the embedded database has one writer, and intake waits for it.
	routeTake = 50
	// routeRound transactions of each sort are made at most in one round, out of one reading: that passes by all orders that wait.
	routeRound = 10
)

// routeLoop routes what intake could not, while this process has the scheduler's lease.
func (x *Ops) routeLoop() {
	var place routePlace
	failing := false
	for {
		t := time.NewTimer(routeEvery)
		select {
		case <-t.C:
		case <-x.ctx.Done():
			t.Stop()
			return
		}
		if !x.keeper.has(schedulerLease) {
			place = routePlace{}
			continue
		}
		_, err := x.routeWaiting(x.ctx, &place)
		err = cmp.Or(err, x.toProviders(x.ctx))
		if err != nil && x.ctx.Err() == nil && !failing {
			x.log.Error("orders that wait cannot be routed; it is tried again", "err", err)
		}
		failing = err != nil
	}
}

// routePlace is where the next round goes on: an order that asks nothing of stock must not be looked at again and again.
type routePlace struct{ unrouted, partly, lacking string }

// RouteWaiting routes orders that wait and have no route, and those of which units were left for later that are there now. It returns how many
// routes it wrote.
func (x *Ops) RouteWaiting(ctx context.Context) (int, error) {
	return x.routeWaiting(ctx, &routePlace{})
}

func (x *Ops) routeWaiting(ctx context.Context, place *routePlace) (int, error) {
	unrouted := func(s order.Status) func(*store.Tx, string, int) ([]string, error) {
		return func(tx *store.Tx, after string, limit int) ([]string, error) {
			return tx.OrdersUnrouted(s, after, limit)
		}
	}
	sum, failed := 0, error(nil)
	for _, sort := range []struct {
		after *string
		read  func(tx *store.Tx, after string, limit int) ([]string, error)
	}{{&place.unrouted, unrouted(order.AwaitingShipment)}, {&place.partly, unrouted(order.PartiallyShipping)}, {&place.lacking, (*store.Tx).RoutesLacking}} {
		var ids []string
		err := x.st.View(ctx, func(tx *store.Tx) (err error) {
			ids, err = sort.read(tx, *sort.after, routeTake*routeRound)
			return err
		})
		if err != nil {
			return sum, errs.Wrap("ops.RouteWaiting", "", err)
		}
		*sort.after = ""
		for some := range slices.Chunk(ids, routeTake) { // what fails with some holds up no others
			n, err := x.routeThese(ctx, some)
			sum, failed = sum+n, cmp.Or(failed, errs.Wrap("ops.RouteWaiting", some[0], err))
		}
		if len(ids) == routeTake*routeRound {
			*sort.after = ids[len(ids)-1]
		}
	}
	if sum > 0 {
		x.live.notify("order", topicShipments)
	}
	return sum, failed
}

// routeThese routes some orders in one transaction, as intake would.
func (x *Ops) routeThese(ctx context.Context, ids []string) (n int, err error) {
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		n = 0
		cat := x.catalog.Load()
		orders, err := tx.OrdersForUpdate(ids)
		if err != nil {
			return err
		}
		var wants []stock.Want
		var waiting []*order.Order
		for i := range orders {
			if routable(&orders[i]) {
				waiting = append(waiting, &orders[i])
				wants = append(wants, cat.demand(&orders[i])...)
			}
		}
		if len(wants) == 0 {
			return nil
		}
		_, err = settleWants(tx, cat, "routing", wants, func(book *stock.Book) error {
			x.network.mu.Lock()
			defer x.network.mu.Unlock()
			if on, err := x.network.look(tx, cat.locations, tx.Now()); err != nil || !on {
				return err
			}
			had, err := tx.ShipmentsOfForUpdate(ids...)
			if err != nil {
				return err
			}
			r := &router{x: x, tx: tx, cat: cat, at: tx.Now(), book: book}
			if err := r.know(ids...); err != nil {
				return err
			}
			for _, o := range waiting {
				if err := r.attempt(o, shipmentsOf(had, o.ID)); err != nil {
					return err
				}
			}
			r.events = slices.DeleteFunc(r.events, func(e store.Event) bool { return e.Kind == EventUnrouted }) // that was told when the order came
			n = len(r.routes)
			return r.save()
		})
		return err
	})
	return n, err
}
