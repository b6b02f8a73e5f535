package ops

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// HandScan hands a parcel over to its carrier.
func (x *Ops) HandScan(ctx context.Context, s view.Scan) (view.ScanAnswer, error) {
	return x.scanOnce(ctx, "ops.HandScan", s, func(f *floorScan) (view.ScanAnswer, error) {
		found, err := f.byLabel(f.s.Text)
		if err != nil {
			return view.ScanAnswer{}, err
		}
		if len(found) == 0 {
			return refuse("No parcel of ours has this label. Put it aside."), nil
		}
		p := &found[0]
		switch {
		case p.Node != f.s.Node:
			return refuse("This parcel leaves from " + p.Node + ". Put it aside."), nil
		case p.Shipped():
			return accept("It is on the van already."), nil
		}
		if why, err := f.keptBack(p); err != nil || why != "" {
			return refuse("Take it off the van. " + why), err
		}
		if err := p.HandOver(f.tx.Now()); err != nil {
			return refuse("Take it off the van: " + errs.Safe(err) + "."), nil
		}
		if err := f.tx.ShipmentsSave([]store.Shipment{*p}); err != nil {
			return view.ScanAnswer{}, err
		}
		if err := x.leftUnlisted(f.tx, p); err != nil {
			return view.ScanAnswer{}, err
		}
		f.note(custody.HandedOver, custody.Dispatcher, p, "")
		return accept(cmp.Or(p.Label.Carrier, "On the van") + " … " + tail(p.Label.Tracking)), nil
	})
}

// keptBack says why a parcel with its label must not leave: its order may not ship, or somebody put it on the bench and nobody has settled why.
func (f *floorScan) keptBack(p *store.Shipment) (string, error) {
	if why, err := f.heldBack(p); err != nil || why != "" {
		return why, err
	}
	on, err := f.tx.TroublesGet(p.ID)
	if err != nil || len(on) == 0 {
		return "", err
	}
	return "It is on the bench: " + on[0].Text, nil
}

// byLabel is the parcels a label belongs to: labels hold more than the number that is printed below them.
func (f *floorScan) byLabel(code string) ([]store.Shipment, error) {
	if code == "" {
		return nil, nil
	}
	numbers := []string{code, tracking.Normalise(code)}
	for _, m := range tracking.Recognise(code) {
		numbers = append(numbers, m.Number)
	}
	for _, n := range unique(numbers) {
		if found, err := f.tx.ShipmentsBy(n, 2); err != nil || len(found) > 0 {
			return found, err
		}
	}
	return nil, nil
}

// ActOnFloor does one thing to many parcels, each in a transaction of its own, and says what became of each. Doing it again does no harm. Errors:
// Invalid.
func (x *Ops) ActOnFloor(ctx context.Context, a view.FloorAct) (view.FloorActed, error) {
	const op = "ops.ActOnFloor"
	acts := map[string]func(context.Context, view.FloorAct, string) (string, error){"retry": x.retryParcel, "back": x.backToWork, "route": x.routeParcel, "done": x.offBench,
		"send": x.sendParcel, "unsend": x.unsendParcel}
	do := acts[a.Act]
	if do == nil || len(a.Parcels) == 0 || len(a.Parcels) > view.MaxFloorAct {
		return view.FloorActed{}, errs.New(errs.Invalid, op, a.Act, "name what is to be done, and 1 to %d parcels", view.MaxFloorAct)
	}
	var out view.FloorActed
	for _, p := range unique(a.Parcels) {
		say, err := do(ctx, a, p)
		if errs.KindOf(err) == errs.Internal && err != nil {
			x.log.ErrorContext(ctx, "an act on the floor failed", "act", a.Act, "shipment", p, "err", err)
		}
		if err != nil {
			say = errs.Safe(err)
		}
		out.Rows = append(out.Rows, view.FloorRow{Parcel: p, OK: err == nil, Say: say})
	}
	x.live.notify(topicShipments)
	return out, nil
}

// atNode reads a parcel that must belong to the node the person acts for.
func atNode(tx *store.Tx, a view.FloorAct, id string) (store.Shipment, error) {
	s, err := tx.ShipmentGet(id)
	if err == nil && s.Node != a.Node {
		return s, errs.New(errs.Conflict, "ops.ActOnFloor", id, "it leaves from %s", s.Node)
	}
	return s, err
}

// retryParcel says that the question of a parcel is settled: what was refused is tried again.
func (x *Ops) retryParcel(ctx context.Context, a view.FloorAct, id string) (say string, err error) {
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		s, err := atNode(tx, a, id)
		if err != nil {
			return err
		}
		if err := asksSender(&s); err != nil {
			return err
		}
		if s.Question() == "" {
			say = "nothing is asked of it any more"
			return nil
		}
		s.Answered(tx.Now())
		say = "it is tried again"
		return tx.ShipmentsSave([]store.Shipment{s})
	})
	return say, err
}

// backToWork takes a parcel off the bench: it waits to be packed again.
func (x *Ops) backToWork(ctx context.Context, a view.FloorAct, id string) (string, error) {
	return "it waits to be packed again", x.st.Update(ctx, func(tx *store.Tx) error {
		s, err := atNode(tx, a, id)
		if err != nil {
			return err
		}
		if why := notHere(&s, a.Node); why != "" {
			return errs.New(errs.Conflict, "ops.ActOnFloor", id, "%s", why)
		}
		return tx.TroubleDrop(id)
	})
}

// offBench is for what is settled: nothing is done to the parcel.
func (x *Ops) offBench(ctx context.Context, a view.FloorAct, id string) (string, error) {
	return "taken off the bench", x.st.Update(ctx, func(tx *store.Tx) error {
		s, err := atNode(tx, a, id)
		if err != nil {
			return err
		}
		if s.Next(tx.Now()).Kind == shipping.Pack {
			return errs.New(errs.Conflict, "ops.ActOnFloor", id, "it still waits to be packed: give it back to work, or route it again")
		}
		return tx.TroubleDrop(id)
	})
}

// routeParcel routes the orders of a parcel again.
func (x *Ops) routeParcel(ctx context.Context, a view.FloorAct, id string) (string, error) {
	var s store.Shipment
	err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		s, err = atNode(tx, a, id)
		return err
	})
	if err != nil {
		return "", err
	}
	say := ""
	for _, o := range s.Orders {
		told, err := x.Reroute(ctx, o, "", routing.Override{})
		if err != nil {
			return "", err
		}
		say = x.routedWords(told)
	}
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		fresh, err := tx.ShipmentGet(id)
		if err != nil {
			return err
		}
		ts, err := tx.TroublesGet(id)
		for _, t := range ts {
			t.Note, t.Settled = say, !fresh.Stopped.IsZero()
			err = tx.TroublePut(t)
		}
		return err
	})
	return say, err
}

// contentsText is the contents of a parcel in a line.
func (c *catalogue) contentsText(s *shipping.Shipment) (text string, units int64) {
	for i, n := range needsOf(s) {
		if i > 0 {
			text += ", "
		}
		sku := cmp.Or(c.items[n.Item].SKU, n.Item)
		if n.Qty > 1 {
			sku = fmt.Sprintf("%d × %s", n.Qty, sku)
		}
		text, units = text+sku, units+n.Qty
	}
	return text, units
}
