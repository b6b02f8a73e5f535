package ops

import (
	"context"
	"slices"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// maxBag parcels go in one bag: a person carries it.
	maxBag = 200
	// bagsShown of a node are listed.
	bagsShown = 20
)

// MakeBag puts all that waits at a node for a van on a shop's own labels, and is in no bag yet, into one bag. The call is stored before it leaves and its fate
// after it. The channel cannot be asked what it has, so an answer that was lost is left to a person; those parcels are put in no other bag meanwhile.
// Errors: Invalid, NotFound, Conflict, Unavailable, driver errors.
func (x *Ops) MakeBag(ctx context.Context, d view.BagDraft) (store.Bag, error) {
	const op = "ops.MakeBag"
	if err := x.knownNode(op, d.Node); err != nil {
		return store.Bag{}, err
	}
	w := x.wires.get(d.ConnectionID)
	switch {
	case d.ID == "" || len(d.ID) > maxStation:
		return store.Bag{}, errs.New(errs.Invalid, op, "id", "a bag needs an id of its own")
	case w == nil || !w.grip.held():
		return store.Bag{}, errs.New(errs.Unavailable, op, d.ConnectionID, "the shop is not being worked just now: try again in a moment")
	case !w.session.Bundles():
		return store.Bag{}, errs.New(errs.Invalid, op, d.ConnectionID, "this channel takes no bags")
	}
	bag := store.Bag{ID: d.ID, ConnectionID: d.ConnectionID, Node: d.Node, DropOff: d.DropOff, Fate: string(shipping.Open), By: d.Actor}
	var external []string
	fresh := false
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		external = nil
		if had, ok, err := tx.BagGet(d.ID); ok || err != nil {
			bag = had
			return err
		}
		free, err := baggable(tx, d.Node)
		if err != nil {
			return err
		}
		bag.At, bag.Orders, bag.Parcels = tx.Now(), nil, nil
		for _, s := range free {
			if s.ConnectionID == d.ConnectionID && len(bag.Orders)+len(s.Orders) <= maxBag {
				bag.Parcels, bag.Orders = append(bag.Parcels, s.ID), append(bag.Orders, s.Orders...)
			}
		}
		if len(bag.Orders) == 0 {
			return errs.New(errs.Conflict, op, d.Node, "nothing of this shop waits here for a van that is in no bag yet")
		}
		orders, err := tx.OrdersGet(bag.Orders)
		for i := range orders {
			external = append(external, orders[i].ExternalID)
		}
		if err != nil {
			return err
		}
		fresh, err = tx.BagAdd(bag)
		return err
	})
	if err != nil || !fresh {
		return bag, err
	}
	return x.fillBag(ctx, w, bag, external)
}

// baggable are the parcels of a node that wait for a van with a label of their channel's, and are in no bag.
func baggable(tx *store.Tx, node string) ([]store.Shipment, error) {
	all, err := tx.ShipmentsAt(node, shipping.Hand, store.ShipmentPlace{}, floorPage)
	if err != nil {
		return nil, err
	}
	bags, err := tx.BagsAt(node, floorPage)
	bagged := func(s store.Shipment) bool {
		return slices.ContainsFunc(bags, func(b store.Bag) bool {
			return b.Fate != string(shipping.Refused) && slices.Contains(b.Parcels, s.ID) && slices.ContainsFunc(s.Orders, func(o string) bool { return b.Refused[o] == "" })
		})
	}
	return slices.DeleteFunc(all, func(s store.Shipment) bool { return s.Way != shipping.ByPlatform || bagged(s) }), err
}

func (x *Ops) fillBag(ctx context.Context, w *wire, bag store.Bag, external []string) (store.Bag, error) {
	call, cancel := context.WithTimeout(ctx, shipping.CallTime)
	defer cancel()
	made, _, err := w.session.Bundle(call, driver.Bundling{Orders: external, DropOff: bag.DropOff})
	switch {
	case err != nil && driver.MayBeApplied(err):
		bag.Fate, bag.Why = string(shipping.Unknown), "No answer came, so it is not known whether the bag is made: look in the channel's own pages, and say it on the hand-over page. Its parcels are put in no other bag."
	case err != nil:
		bag.Fate, bag.Why = string(shipping.Refused), sentence(err)
	case made.ID == "":
		bag.Fate, bag.Why = string(shipping.Refused), "None of these orders can be in a bag."
	default:
		bag.Fate, bag.Ref, bag.URL = string(shipping.Done), made.ID, made.URL
	}
	bag.Refused = map[string]string{}
	for ext, why := range made.Refused {
		bag.Refused[w.id+":"+ext] = why
	}
	keep, stop := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer stop()
	if e := x.st.Update(keep, func(tx *store.Tx) error { return tx.BagSave(bag) }); e != nil {
		return bag, e
	}
	if bag.Fate == string(shipping.Done) {
		if e := x.fetchBag(keep, w, &bag); e != nil { // the bag is made all the same: it is fetched when somebody prints it
			x.log.Warn("what is stuck on a bag cannot be fetched yet", "bag", bag.ID, "err", e)
		}
	}
	x.live.notify(topicShipments)
	return bag, err
}

// fetchBag fetches and keeps what is stuck on a bag.
func (x *Ops) fetchBag(ctx context.Context, w *wire, bag *store.Bag) error {
	doc, ok, err := w.session.BundleDocument(ctx, driver.Bundle{ID: bag.Ref, URL: bag.URL})
	if err != nil || !ok {
		return err
	}
	id, err := x.keepDocument(ctx, bag.ID, bag.Ref, doc)
	if err != nil {
		return err
	}
	bag.Document = id
	return x.st.Update(ctx, func(tx *store.Tx) error { return tx.BagSave(*bag) })
}

// BagDocument is what is stuck on a bag. Errors: NotFound, Unavailable, driver errors.
func (x *Ops) BagDocument(ctx context.Context, id string) (driver.Document, error) {
	const op = "ops.BagDocument"
	var bag store.Bag
	var ok bool
	err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		bag, ok, err = tx.BagGet(id)
		return err
	})
	switch {
	case err != nil:
		return driver.Document{}, err
	case !ok || bag.Ref == "":
		return driver.Document{}, errs.New(errs.NotFound, op, id, "there is no such bag, or it is not made")
	}
	if bag.Document == "" {
		w := x.wires.get(bag.ConnectionID)
		if w == nil {
			return driver.Document{}, errs.New(errs.Unavailable, op, id, "the shop is not being worked just now: try again in a moment")
		}
		if err := x.fetchBag(ctx, w, &bag); err != nil {
			return driver.Document{}, err
		}
	}
	return x.Document(ctx, bag.Document)
}

// Bag is a bag of parcels that a channel takes over together.
type Bag = store.Bag

// Bags are the latest bags of a node, the newest first, how many parcels of each shop wait there that could go in the next, and the moment that was so.
// Errors: NotFound (no such node).
func (x *Ops) Bags(ctx context.Context, node string) (made []Bag, waiting map[string]int64, at time.Time, err error) {
	const op = "ops.Bags"
	if err := x.knownNode(op, node); err != nil {
		return nil, nil, at, err
	}
	err = x.st.View(ctx, func(tx *store.Tx) (err error) {
		at = x.now()
		if waiting, err = x.awaitBag(tx, node); err == nil {
			made, err = tx.BagsAt(node, bagsShown)
		}
		return err
	})
	return made, waiting, at, errs.Wrap(op, node, err)
}

// awaitBag counts by shop what could go in a bag at a node.
func (x *Ops) awaitBag(tx *store.Tx, node string) (map[string]int64, error) {
	parcels, err := baggable(tx, node)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for i := range parcels {
		if w := x.wires.get(parcels[i].ConnectionID); w != nil && w.session.Bundles() {
			out[parcels[i].ConnectionID]++
		}
	}
	return out, nil
}

// SettleBag takes a person's word for what became of a bag that is not known to be made. What was not made frees its parcels, so that is taken only when the
// call can surely not be carried out any more. Errors: NotFound, Conflict.
func (x *Ops) SettleBag(ctx context.Context, id string, made bool, actor string) (b Bag, err error) {
	const op = "ops.SettleBag"
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		var ok bool
		if b, ok, err = tx.BagForUpdate(id); err != nil {
			return err
		}
		if !ok {
			return errs.New(errs.NotFound, op, id, "there is no such bag")
		}
		asks, sure := x.askBag(&b, tx.Now())
		switch {
		case b.Fate == string(map[bool]shipping.Fate{true: shipping.Done, false: shipping.Refused}[made]):
			return nil
		case !asks:
			return errs.New(errs.Conflict, op, id, "nothing is asked of this bag any more")
		case !made && !sure.IsZero():
			return errs.New(errs.Conflict, op, id, "it may still be made until %s UTC: look again then", sure.UTC().Format("15:04:05"))
		}
		b.Fate, b.Why = string(shipping.Done), "Made, says "+actor+": its sheet is in the channel's own pages."
		if !made {
			b.Fate, b.Why = string(shipping.Refused), "Not made, says "+actor+". Its parcels can go in another."
		}
		return tx.BagSave(b)
	})
	if err == nil {
		x.live.notify(topicShipments)
	}
	return b, err
}

// askBag reports whether a person is asked what became of a bag, and until when it may still be made; zero: not any more.
func (x *Ops) askBag(b *Bag, at time.Time) (asks bool, until time.Time) {
	if BagFate(b, at) != shipping.Unknown {
		return false, until
	}
	if d, ok := x.wires.describe(b.ConnectionID); ok {
		if sure := (shipping.Terms{Lifetime: d.RequestLifetime}).SureBy(b.At); at.Before(sure) {
			until = sure
		}
	}
	return true, until
}

// BagFate is what became of a bag: where no answer came within the time of a call, that is not known.
func BagFate(b *Bag, at time.Time) shipping.Fate {
	return shipping.TogetherFate(shipping.Fate(b.Fate), b.At, at)
}

// bagView is a bag as pages show it.
func (d *Desk) bagView(b *store.Bag, shop string, at time.Time) view.Bag {
	v := view.Bag{ID: b.ID, Ref: b.Ref, Shop: shop, N: int64(len(b.Orders) - len(b.Refused)), Refused: int64(len(b.Refused)), DropOff: b.DropOff, Sheet: b.Ref != "", At: b.At, By: b.By, Text: b.Why, Level: view.Good}
	asks, until := d.x.askBag(b, at)
	v.Made, v.NotMade = asks, asks && until.IsZero()
	switch fate := BagFate(b, at); {
	case fate == shipping.Open:
		v.Text, v.Level = "Being made.", view.Quiet
	case fate == shipping.Unknown:
		v.Text, v.Level = "Look in the channel's own pages whether it is made, and say it here. Its parcels go in no other bag meanwhile.", view.Bad
	case fate != shipping.Done:
		v.Level = view.Bad
	case len(b.Refused) > 0:
		v.Text, v.Level = capital(plural(v.Refused, "order is", "orders are"))+" not in it: the channel refused.", view.Watch
	}
	return v
}
