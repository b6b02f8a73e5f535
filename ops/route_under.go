package ops

import (
	"cmp"
	"maps"
	"slices"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/store"
)

// What of an order is on its way in parcels, which of them stay when it is planned anew, and what is left to plan.

// live reports whether a parcel is to ship and has not left.
func live(s *store.Shipment) bool { return s.Stopped.IsZero() && !s.Closed() && !s.Shipped() }

// keep names the parcels that stay: those somebody works on, those that are divided so, and those that have left, as long as they hold no more than is
// asked. Anew: a person routes the order, who may divide it otherwise, and take back what a provider has and has not sent.
func keep(orderID string, asked []routeItem, had []store.Shipment, anew bool) map[string]bool {
	out := map[string]bool{}
	for i := range had {
		s := &had[i]
		begun := s.Wave != "" || s.Box != nil || s.Label.N > 0 || s.Divided
		if anew {
			begun = s.Wave != "" || s.Box != nil || s.Label.N > 0 && (s.Way != shipping.ByProvider || s.Label.Tracking != "")
		}
		if s.Shipped() || s.Stopped.IsZero() && !s.Closed() && begun {
			out[s.ID] = true
		}
	}
	// Where they hold too much, first all that nobody outside knows of is planned anew, then what holds it and has not left.
	if over := excess(asked, under(orderID, asked, had, out)); len(over) > 0 {
		for i := range had {
			if seenLeave(&had[i]) == 0 {
				delete(out, had[i].ID)
			}
		}
	}
	over := excess(asked, under(orderID, asked, had, out))
	for i := range had {
		s := &had[i]
		if !s.Shipped() && slices.ContainsFunc(s.Lines, func(l shipping.Line) bool { return l.OrderID == orderID && over[[2]string{l.Key, l.ItemID}] }) {
			delete(out, s.ID)
		}
	}
	return out
}

// excess names the lines and items of which parcels hold more than is asked.
func excess(asked []routeItem, w underWay) map[[2]string]bool {
	over := map[[2]string]bool{}
	for k, n := range w.all {
		for _, a := range asked {
			if a.line == k[0] && a.item == k[1] {
				n -= a.all
			}
		}
		if n > 0 {
			over[k] = true
		}
	}
	return over
}

// underWay is what parcels that stay hold, by line and item, and where.
type underWay struct {
	all  map[[2]string]int64
	held map[[2]string]int64 // of that, what the ledger still holds: the channel does not know that it has left
	at   map[[3]string]int64
}

// under sums the parcels that stay. Of what the channel knows to have left nothing is held any more: that was in parcels that have left, or else in
// those it knows of, which leave unseen.
func under(orderID string, asked []routeItem, had []store.Shipment, kept map[string]bool) underWay {
	w, left := underWay{map[[2]string]int64{}, map[[2]string]int64{}, map[[3]string]int64{}}, map[[2]string]int64{}
	for _, a := range asked {
		left[[2]string{a.line, a.item}] += a.all - a.qty
	}
	stay := slices.DeleteFunc(slices.Clone(had), func(s store.Shipment) bool { return !kept[s.ID] })
	slices.SortStableFunc(stay, func(a, b store.Shipment) int { return cmp.Compare(seenLeave(&b), seenLeave(&a)) })
	for i := range stay {
		s := &stay[i]
		for _, l := range s.Lines {
			if l.OrderID != orderID {
				continue
			}
			k, held := [2]string{l.Key, l.ItemID}, l.Qty
			w.all[k] += l.Qty
			if seenLeave(s) > 0 {
				n := min(held, left[k])
				left[k], held = left[k]-n, held-n
			}
			w.held[k] += held
			w.at[[3]string{l.Key, l.ItemID, s.Node}] += held
		}
	}
	return w
}

// seenLeave orders parcels by how likely the channel has seen them leave; 0: it knows nothing of them.
func seenLeave(s *store.Shipment) int {
	switch {
	case s.Shipped():
		return 2
	case s.Tell.Tracking != "" || s.Way == shipping.ByPlatform && s.Label.Fate == shipping.Done:
		return 1
	}
	return 0
}

func (w underWay) sum(line, item string) int64 { return w.all[[2]string{line, item}] }

// rest is what a line holds at each place besides what is under way there.
func (w underWay) rest(line, item string, held map[string]int64) map[string]int64 {
	out := make(map[string]int64, len(held))
	for place, n := range held {
		out[place] = max(0, n-w.at[[3]string{line, item, place}])
	}
	return out
}

// surplus names the lines and items of which units were cancelled and parcels hold more than the order still asks for.
func (r *router) surplus(o *order.Order, had []store.Shipment) map[[2]string]bool {
	stand := map[string]bool{}
	for i := range had {
		stand[had[i].ID] = live(&had[i]) || had[i].Shipped()
	}
	asked := r.asked(o)
	over := excess(asked, under(o.ID, asked, had, stand))
	maps.DeleteFunc(over, func(k [2]string, _ bool) bool {
		return !slices.ContainsFunc(o.Lines, func(l order.Line) bool {
			return l.Key == k[0] && (l.Cancelled > 0 || slices.ContainsFunc(l.Units, func(u order.Unit) bool { return u.Cancelled }))
		})
	})
	return over
}

// covered reports whether all that the ledger holds for an order is in parcels that nobody has stopped.
func (r *router) covered(o *order.Order, had []store.Shipment) bool {
	stand := map[string]bool{}
	for i := range had {
		stand[had[i].ID] = had[i].Stopped.IsZero()
	}
	asked := r.asked(o)
	w := under(o.ID, asked, had, stand)
	return !slices.ContainsFunc(asked, func(a routeItem) bool { return a.qty > w.held[[2]string{a.line, a.item}] })
}

// onlyOf reports whether a parcel that the channel has not seen leave holds nothing of the order but surplus.
func onlyOf(s *store.Shipment, orderID string, surplus map[[2]string]bool) bool {
	return len(surplus) > 0 && live(s) && seenLeave(s) == 0 && !slices.ContainsFunc(s.Lines, func(l shipping.Line) bool {
		return l.OrderID == orderID && !surplus[[2]string{l.Key, l.ItemID}]
	})
}
