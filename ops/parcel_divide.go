package ops

import (
	"context"
	"maps"
	"slices"

	"github.com/spillway/spillway/domain/floor"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// EventDivided says that what an order ships from one place goes in one parcel more.
const EventDivided = "parcel.divided"

// DivideParcel leaves in a parcel what keep says and makes another parcel of the rest, which goes from the same place in the same way: what fits into
// no box, or is too heavy for one. It returns the other parcel's id. Errors: NotFound, Invalid, Conflict (it has its label, or is shared).
func (x *Ops) DivideParcel(ctx context.Context, orderID, id string, keep map[string]int64, actor string) (other string, err error) {
	const op = "ops.DivideParcel"
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		s, err := tx.ShipmentGet(id)
		if err == nil && !slices.Contains(s.Orders, orderID) {
			err = errs.New(errs.NotFound, op, id, "order %s has no such parcel", orderID)
		}
		if err != nil {
			return err
		}
		claims, err := tx.ClaimsGet(id)
		if err != nil {
			return err
		}
		if len(claims) > 0 && tx.Now().Before(claims[0].Until) {
			return errs.New(errs.Conflict, op, id, "station %s is packing it: divide it there", claims[0].Station)
		}
		rest, err := x.divideParcel(tx, x.catalog.Load(), &s, keep, actor)
		if err != nil {
			return err
		}
		other = rest.ID
		return tx.ClaimDrop(id) // what was counted was counted for the whole
	})
	if err != nil {
		return "", errs.Wrap(op, id, err)
	}
	x.live.notify("order", topicShipments)
	return other, nil
}

// DivideParcel implements web.Routes.
func (d *Desk) DivideParcel(ctx context.Context, a view.DivisionDraft) (view.Done, error) {
	if _, err := d.x.DivideParcel(ctx, a.OrderID, a.Parcel, a.Keep, a.Actor); err != nil {
		return view.Done{}, err
	}
	return view.Done{Sentence: "These are two parcels now: each is packed and labelled by itself."}, nil
}

// divideParcel divides a parcel in a transaction: both are saved, and stay in its wave. s is the first of them then.
func (x *Ops) divideParcel(tx *store.Tx, cat *catalogue, s *store.Shipment, keep map[string]int64, actor string) (rest store.Shipment, err error) {
	d, id, err := x.division(tx, cat, s, keep)
	if err != nil {
		return rest, err
	}
	other, err := s.Divide(id, d, tx.Now())
	if err != nil {
		return rest, err
	}
	if err := divideWalk(tx, s.Wave, s.ID, other.ID, keep); err != nil {
		return rest, err
	}
	rest = store.Shipment{Shipment: *other, Wave: s.Wave}
	one := []store.Shipment{*s}
	if err := tx.ShipmentsSave(one); err != nil {
		return rest, err
	}
	s.Version = one[0].Version
	return rest, x.addPart(tx, s, rest, actor)
}

// division is how a parcel is divided so that it keeps some items, and the id of the other parcel.
func (x *Ops) division(tx *store.Tx, cat *catalogue, s *store.Shipment, keep map[string]int64) (d shipping.Division, id string, err error) {
	orders, err := tx.OrdersGet(s.Orders)
	if err != nil {
		return d, "", err
	}
	had, err := tx.ShipmentsOf(s.Orders[0])
	if err != nil {
		return d, "", err
	}
	r := &router{x: x, tx: tx, cat: cat}
	return shipping.Division{In: keep, Sold: r.soldAs(orders), Packages: x.packages(s.ConnectionID), Whole: x.undivided(s.ConnectionID)},
		freeParcelID(s.Orders[0], len(had), had), nil
}

// addPart stores the parcel that another was divided into.
func (x *Ops) addPart(tx *store.Tx, s *store.Shipment, part store.Shipment, by string) error {
	added, err := tx.ShipmentsAdd([]store.Shipment{part})
	if err == nil && !added[part.ID] {
		err = errs.New(errs.Conflict, "ops.DivideParcel", s.ID, "the order was just routed again: look at its parcels once more")
	}
	if err != nil {
		return err
	}
	return tx.EventsAppend([]store.Event{{At: tx.Now(), Kind: EventDivided, Subject: s.Orders[0], Data: jsonOf(map[string]any{"parcel": s.ID, "other": part.ID, "by": by})}})
}

// soldAs tells what lines of parcels are of what was sold.
func (r *router) soldAs(orders []order.Order) func(shipping.Line) shipping.Sold {
	return func(l shipping.Line) shipping.Sold {
		i := slices.IndexFunc(orders, func(o order.Order) bool { return o.ID == l.OrderID })
		if i < 0 {
			return shipping.Sold{Part: l.ItemID, Pieces: 1}
		}
		o := &orders[i]
		return shipping.Sold{Part: standsFor(o, l.Key, l.ItemID), Pieces: piecesPerUnit(r.asked(o), o, &l)}
	}
}

// divideWalk has what is picked for a parcel picked for two.
func divideWalk(tx *store.Tx, wave, parcel, other string, keep map[string]int64) error {
	if wave == "" {
		return nil
	}
	tasks, err := tx.WalksOf(wave)
	if err != nil {
		return err
	}
	left := maps.Clone(keep)
	var changed []store.FloorTask
	for _, t := range tasks {
		if slices.ContainsFunc(t.Feeds, func(f floor.Feed) bool { return f.Parcel == parcel }) {
			left[t.Item] -= t.Divide(parcel, other, left[t.Item])
			changed = append(changed, t)
		}
	}
	return tx.WalksSave(changed)
}
