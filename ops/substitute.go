package ops

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/domain/floor"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// EventSubstituted says that units of an order are sent as an equal item.
const EventSubstituted = "order.substituted"

// swap is units of an item that a parcel is packed with in place of another.
type swap struct {
	item, by string
	qty      int64
}

// substitute packs a parcel with equal items where some of its own are not there: what the brand has declared to be the same thing to a buyer, what the
// node has enough of, and what it can handle. The units that are lost leave the books, the order's reservation moves, all in this transaction. It is all or
// nothing: ok is false, and nothing is changed, where one of the missing has no equal here.
func (f *floorScan) substitute(s *store.Shipment, missing, lost []floor.Need, where string) (swaps []swap, ok bool, err error) {
	if !slices.ContainsFunc(missing, func(n floor.Need) bool { return len(f.cat.equals(n.Item)) > 0 }) || s.Box != nil {
		return nil, false, nil
	}
	orders, err := f.tx.OrdersForUpdate(s.Orders)
	if err != nil {
		return nil, false, err
	}
	items := []string{}
	for _, n := range missing {
		items = append(append(items, n.Item), f.cat.equals(n.Item)...)
	}
	book, err := f.tx.LedgerOpen(f.s.Actor, unique(items), s.Orders)
	if err != nil {
		return nil, false, err
	}
	sub := substitution{f: f, s: s, book: book, orders: orders, lines: slices.Clone(s.Lines)}
	for _, n := range missing {
		by, found := sub.equal(n)
		if !found {
			s.Lines = sub.lines
			return nil, false, nil
		}
		if done, err := sub.swap(n, by); err != nil || !done {
			s.Lines = sub.lines
			return nil, false, err
		}
		swaps = append(swaps, swap{n.Item, by, n.Qty})
	}
	return swaps, true, sub.save(lost, where)
}

// equals are the items declared equal to one.
func (c *catalogue) equals(item string) []string { return c.handling.physicals[item].Equals }

type substitution struct {
	f      *floorScan
	s      *store.Shipment
	book   *stock.Book
	orders []order.Order
	lines  []shipping.Line // as they were
	events []store.Event
}

// equal is the first of an item's equals that can be sent for it. One that was not found for this parcel before is not looked for again.
func (u *substitution) equal(n floor.Need) (string, bool) {
	able := u.f.cat.handling.physicals[n.Item].Needs
	for _, by := range u.f.cat.equals(n.Item) {
		it, known := u.f.cat.items[by]
		tried := slices.ContainsFunc(u.orders, func(o order.Order) bool {
			return slices.ContainsFunc(o.Instead, func(s order.Instead) bool { return s.Item == by })
		})
		handled := !slices.ContainsFunc(u.f.cat.handling.physicals[by].Needs, func(a network.Ability) bool { return !slices.Contains(able, a) })
		if known && !it.Bundle() && !tried && handled && u.book.Available(by)[u.s.Node] >= n.Qty {
			return by, true
		}
	}
	return "", false
}

// swap moves what the parcel's orders hold of an item to another. It is false where they hold too little of it here: the parcel is not as the books are.
func (u *substitution) swap(n floor.Need, by string) (bool, error) {
	left := n.Qty
	for i := range u.orders {
		o := &u.orders[i]
		for _, l := range u.lines {
			if l.OrderID != o.ID || l.ItemID != n.Item || left == 0 {
				continue
			}
			qty := u.s.Swap(o.ID, l.Key, n.Item, by, left)
			err := u.book.Swap(o.ID, l.Key, n.Item, by, u.s.Node, qty)
			if errs.Is(err, errs.Invalid) || errs.Is(err, errs.Insufficient) {
				return false, nil
			}
			if err == nil {
				err = o.Substitute(l.Key, n.Item, by, qty)
			}
			if err != nil {
				return false, err
			}
			left -= qty
			u.events = append(u.events, store.Event{At: u.f.tx.Now(), Kind: EventSubstituted, Subject: o.ID,
				Data: jsonOf(substituted{From: u.f.cat.called(n.Item), To: u.f.cat.called(by), Count: qty, By: u.f.s.Actor, Node: u.s.Node})})
		}
	}
	return left == 0, nil
}

// save takes what is lost out of the books and writes all of it down.
func (u *substitution) save(lost []floor.Need, where string) error {
	f := u.f
	for _, n := range lost {
		if n.Qty < 1 {
			continue
		}
		m := f.lost(u.s, n, where)
		if err := f.tx.WithHolders(u.book, func() error { return u.book.Move(m) }); err != nil {
			return err
		}
	}
	if err := fillShorts(f.tx, u.book); err != nil {
		return err
	}
	f.touched = append(f.touched, u.book.Touched()...)
	if err := f.tx.LedgerSave(u.book); err != nil {
		return err
	}
	if err := f.tx.OrdersSave(u.orders); err != nil {
		return err
	}
	one := []store.Shipment{*u.s}
	if err := f.tx.ShipmentsSave(one); err != nil {
		return err
	}
	u.s.Version = one[0].Version
	f.note(custody.ShortPicked, custody.Packer, u.s, "")
	f.note(custody.Substituted, custody.Packer, u.s, "")
	return f.tx.EventsAppend(u.events)
}

// substituted is what an event of kind EventSubstituted says.
type substituted struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Count int64  `json:"count"`
	By    string `json:"by"`
	Node  string `json:"node"`
}

// substitutedEntry says it in an order's timeline.
func substitutedEntry(row store.Event, out *view.Entry) {
	var e substituted
	_ = json.Unmarshal(row.Data, &e) // what cannot be read leaves the line short
	out.At = row.At
	out.Kind, out.Level, out.Actor = "substituted", view.Watch, e.By
	out.Text = fmt.Sprintf("%s of %s were not there: %s is sent instead, which was declared equal", unitsOf(e.Count), e.From, e.To)
	if e.Count == 1 {
		out.Text = strings.Replace(out.Text, " were ", " was ", 1)
	}
}

// find is an item by its id.
func (c *catalogue) find(id string) (catalog.Item, bool) {
	it, ok := c.items[id]
	return it, ok
}

// checkEquals refuses equals that no floor could send: items that are not there, bundles, the item itself.
func checkEquals(p store.Physical, find func(id string) (catalog.Item, bool)) error {
	const op = "ops.SayHandling"
	for _, id := range p.Equals {
		it, ok := find(id)
		switch {
		case id == p.ItemID:
			return errs.New(errs.Invalid, op, "", "equals: an item need not be named equal to itself")
		case !ok:
			return errs.New(errs.NotFound, op, id, "equals: there is no item %s", id)
		case it.Bundle():
			return errs.New(errs.Invalid, op, "", "equals: %s is a bundle; name single items", it.SKU)
		}
	}
	return nil
}

// standsFor is the item a line takes where another is sent for it.
func standsFor(o *order.Order, line, item string) string {
	for _, s := range o.Instead {
		if s.Line == line && s.By == item {
			return s.Item
		}
	}
	return item
}

// equals are the items that stand in for one, their SKUs with a | between them. A file without the column leaves what is said of them as it is.
func (r *row) equals(id string, cat *catalogue) []string {
	if _, there := r.t.at["equals"]; !there {
		return cat.equals(id)
	}
	var skus []string
	for _, s := range strings.Split(r.text("equals"), "|") {
		if s = strings.TrimSpace(s); s != "" {
			skus = append(skus, s)
		}
	}
	out, err := cat.itemsCalled(skus)
	if err == nil {
		err = checkEquals(store.Physical{ItemID: id, Physical: catalog.Physical{Equals: out}}, cat.find)
	}
	if err != nil {
		r.bad("equals: %s.", strings.TrimPrefix(strings.TrimSuffix(errs.Safe(err), "."), "equals: "))
	}
	return out
}
