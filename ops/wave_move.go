package ops

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// costOf is what a stored route was expected to cost.
func costOf(r store.Route) int64 {
	var told struct{ Total int64 }
	if json.Unmarshal(r.Body, &told) != nil {
		return 0
	}
	return told.Total
}

// moveWave moves the orders that are better off elsewhere, some in each transaction. Who finds no room waits until others have left it, and stays where
// it is if nobody does.
func (x *Ops) moveWave(ctx context.Context, w *waveBook, plan *routing.Replan, moves []int, told func(done, total int)) error {
	total := len(moves)
	moves = w.inTurn(moves, plan)
	for turn := 0; turn < waveTurns && len(moves) > 0; turn++ {
		var again []int
		for batch := range slices.Chunk(moves, waveTake) {
			moved, full, err := x.moveSome(ctx, w, plan, batch)
			if err != nil && len(batch) > 1 && ctx.Err() == nil { // one of them cannot: the others can
				moved, full = 0, nil
				for _, i := range batch {
					n, f, err := x.moveSome(ctx, w, plan, []int{i})
					if err != nil && errs.KindOf(err) == errs.Internal {
						return err
					}
					moved, full = moved+n, append(full, f...)
				}
			} else if err != nil && (ctx.Err() != nil || errs.KindOf(err) == errs.Internal) {
				return err
			}
			w.plan.Moved += moved
			again = append(again, full...)
			if told != nil {
				told(w.plan.Moved, total)
			}
		}
		if len(again) == len(moves) {
			break
		}
		moves = again
	}
	w.plan.Stayed = total - w.plan.Moved
	if w.plan.Moved > 0 {
		x.live.notify("order", topicShipments)
	}
	return nil
}

// inTurn puts moves in an order in which each finds room when those before it have made theirs. Those that only find room if several go at once are
// left out: trying them one after the other changes nothing.
func (w *waveBook) inTurn(moves []int, plan *routing.Replan) []int {
	free := map[[2]string]int64{}
	known := map[string]bool{}
	for _, i := range moves {
		for _, a := range w.orders[i].j.rest {
			if known[a.item] {
				continue
			}
			known[a.item] = true
			for place, n := range w.book.Available(a.item) {
				free[[2]string{a.item, place}] = n
			}
		}
	}
	out := make([]int, 0, len(moves))
	for waiting := moves; len(waiting) > 0; {
		var still []int
		for _, i := range waiting {
			if w.settle(free, &w.orders[i], &plan.Plans[i]) {
				out = append(out, i)
			} else {
				still = append(still, i)
			}
		}
		if len(still) == len(waiting) {
			break
		}
		waiting = still
	}
	return out
}

// settle makes a move in what is free. False: there is no room, and nothing is changed.
func (w *waveBook) settle(free map[[2]string]int64, o *waveOrder, plan *routing.Plan) bool {
	more := map[[2]string]int64{}
	for i, a := range o.j.rest {
		planned, units := map[string]int64{}, int64(0)
		for _, p := range plan.Parts {
			for _, q := range p.Lines {
				if q.Line == i {
					planned[p.Node], units = planned[p.Node]+q.Qty, units+q.Qty
				}
			}
		}
		left := a.qty - units // stays where it is
		held := o.j.way.rest(a.line, a.item, w.book.Held(o.o.ID, a.line, a.item))
		for _, place := range sortedKeys(held) {
			n := held[place]
			stays := min(left, max(0, n-planned[place]))
			left -= stays
			more[[2]string{a.item, place}] -= n - stays
		}
		for place, n := range planned {
			more[[2]string{a.item, place}] += n
		}
	}
	for k, n := range more {
		if n > free[k] {
			return false
		}
	}
	for k, n := range more {
		free[k] -= n
	}
	return true
}

// moveSome moves some orders in one transaction: those that are as they were read, and for which there is room. full are those without.
func (x *Ops) moveSome(ctx context.Context, w *waveBook, plan *routing.Replan, batch []int) (moved int, full []int, err error) {
	ids := make([]string, len(batch))
	for k, i := range batch {
		ids[k] = w.orders[i].o.ID
	}
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		moved, full = 0, nil
		cat := x.catalog.Load()
		orders, err := tx.OrdersForUpdate(ids)
		if err != nil {
			return err
		}
		var wants []stock.Want
		for i := range orders {
			if routable(&orders[i]) {
				wants = append(wants, cat.demand(&orders[i])...)
			}
		}
		_, err = settleWants(tx, cat, "wave", wants, func(book *stock.Book) error {
			x.network.mu.Lock()
			defer x.network.mu.Unlock()
			if on, err := x.network.look(tx, cat.locations, tx.Now()); err != nil || !on {
				return err
			}
			had, err := tx.ShipmentsOfForUpdate(ids...)
			if err != nil {
				return err
			}
			r := &router{x: x, tx: tx, cat: cat, at: tx.Now(), book: book, asks: true, together: w.plan.Orders}
			if err := r.know(ids...); err != nil {
				return err
			}
			for _, i := range batch {
				k := slices.IndexFunc(orders, func(o order.Order) bool { return o.ID == w.orders[i].o.ID })
				if k < 0 || !routable(&orders[k]) {
					continue
				}
				went, room, err := r.move(&orders[k], &w.orders[i], shipmentsOf(had, orders[k].ID), &plan.Plans[i])
				if err != nil {
					return err
				}
				if went {
					moved++
				} else if !room {
					full = append(full, i)
				}
			}
			return r.save()
		})
		return err
	})
	return moved, full, err
}

// move gives an order its part of a plan made together with others, if it is as it was then.
func (r *router) move(o *order.Order, was *waveOrder, had []store.Shipment, plan *routing.Plan) (went, room bool, err error) {
	over, err := r.pinned(o.ID)
	j := r.job(o, had)
	if err != nil || len(over.Nodes) > 0 || len(had) != len(was.had) || !slices.Equal(j.rest, was.j.rest) {
		return false, true, err
	}
	for i := range had {
		if had[i].Version != was.had[i].Version {
			return false, true, nil
		}
	}
	if !r.fits(o.ID, j, plan) {
		return false, false, nil
	}
	return true, true, r.carry(o, had, j, plan, routing.Override{})
}

// fits reports whether there is room for what a plan moves to other places.
func (r *router) fits(orderID string, j job, plan *routing.Plan) bool {
	more := map[[2]string]int64{}
	for i, a := range j.rest {
		held := r.book.Held(orderID, a.line, a.item)
		for _, p := range plan.Parts {
			for _, q := range p.Lines {
				if q.Line == i {
					more[[2]string{a.item, p.Node}] += max(0, q.Qty-held[p.Node])
				}
			}
		}
	}
	for k, n := range more {
		if n > 0 && n > r.book.Available(k[0])[k[1]] {
			return false
		}
	}
	return true
}

// whole reports whether an order's parcels are of a plan made with others and hold all it asks: such a plan is not undone by what is best for one.
func (r *router) whole(o *order.Order, had []store.Shipment) bool {
	var told RouteTold
	if was, ok := r.was[o.ID]; !ok || json.Unmarshal(was.Body, &told) != nil || told.Together == 0 || told.Left > 0 {
		return false
	}
	all := map[string]bool{}
	for i := range had {
		if s := &had[i]; s.Stopped.IsZero() {
			all[s.ID] = true
			for _, l := range s.Lines {
				for _, ol := range o.Lines {
					for _, u := range ol.Units {
						if u.Cancelled && slices.Contains(l.Units, u.ExternalLineID) {
							return false
						}
					}
				}
			}
		}
	}
	asked := r.asked(o)
	w := under(o.ID, asked, had, all)
	for _, a := range asked {
		if w.sum(a.line, a.item) != a.all {
			return false
		}
	}
	return true
}
