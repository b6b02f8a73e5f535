package ops

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/domain/floor"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// maxMatches is how many parcels a code is looked at for: those of one order, or a wave.
	maxMatches = 500
	// scanMost parcels of a queue are looked at for those of an item, while somebody stands at a station.
	scanMost = 10_000
)

// PackScan takes what is scanned at a pack station: an order, parcel, item or wave opens a parcel; then its units, the box, the weight, the label.
// What does not fit is refused with what was expected, and changes nothing.
func (x *Ops) PackScan(ctx context.Context, s view.Scan) (view.ScanAnswer, error) {
	const op = "ops.PackScan"
	if s.Station == "" || s.Node == "" {
		return view.ScanAnswer{}, errs.New(errs.Invalid, op, "station", "a station needs a name and a node")
	}
	proposed := ""
	if t := strings.TrimSpace(s.Text); t == "" || t == codeOK {
		proposed = x.proposedAt(ctx, s)
	}
	return x.scanOnce(ctx, op, s, func(f *floorScan) (view.ScanAnswer, error) {
		f.proposed = proposed
		had, err := f.tx.ClaimsOf(f.station())
		if err != nil {
			return view.ScanAnswer{}, err
		}
		if len(had) == 0 {
			return f.open()
		}
		ship, err := f.tx.ShipmentGet(had[0].Parcel)
		if err != nil {
			return view.ScanAnswer{}, err
		}
		if why := notHere(&ship, s.Node); why != "" {
			if err := f.tx.ClaimDrop(ship.ID); err != nil {
				return view.ScanAnswer{}, err
			}
			return refuse("Put this parcel aside: " + why + ". Then scan the next one."), nil
		}
		if why, err := f.heldBack(&ship); err != nil || why != "" && f.s.Text != codeAside {
			return refuse("Put this parcel aside. " + why), err
		}
		return f.proceed(&had[0], &ship)
	})
}

// proposedAt is the carton that is proposed for the parcel at a station; empty: none is, or it does not wait for one.
func (x *Ops) proposedAt(ctx context.Context, s view.Scan) string {
	parcel := ""
	err := x.st.View(ctx, func(tx *store.Tx) error {
		had, err := tx.ClaimsOf(stationKey(s.Node, s.Station))
		if err == nil && len(had) == 1 && had[0].Stage == floor.Boxed {
			parcel = had[0].Parcel
		}
		return err
	})
	if err != nil || parcel == "" {
		return ""
	}
	if v, err := x.ProposeBox(ctx, parcel); err == nil && len(v.Boxes) == 1 {
		return v.Boxes[0].Carton.ID
	}
	return ""
}

// station is how a station is known in all nodes.
func (f *floorScan) station() string { return stationKey(f.s.Node, f.s.Station) }

func stationKey(node, station string) string { return node + "/" + station }

// notHere says why a parcel is not packed at a node; empty: it is.
func notHere(s *store.Shipment, node string) string {
	switch {
	case !s.Stopped.IsZero():
		return "it is not to ship any more, " + s.StopWhy
	case s.Shipped():
		return "it has left already"
	case s.Node != node:
		return "it leaves from " + s.Node
	case s.Way == shipping.ByProvider:
		return "its provider packs it"
	}
	return ""
}

// open finds the parcel a code stands for and takes it to this station.
func (f *floorScan) open() (view.ScanAnswer, error) {
	if f.s.Text == "" || strings.HasPrefix(f.s.Text, "SW-") {
		return refuse("Scan an order, a parcel, a tote or an item first."), nil
	}
	found, item, err := f.find(f.s.Text)
	if err != nil {
		return view.ScanAnswer{}, err
	}
	if len(found) == 0 {
		return refuse("Nothing that waits here is called " + f.s.Text + ". Scan an order, a parcel, a tote or an item."), nil
	}
	var ids []string
	for _, s := range found {
		ids = append(ids, s.ID)
	}
	claims, err := f.tx.ClaimsGet(ids...)
	if err != nil {
		return view.ScanAnswer{}, err
	}
	var taken error
	why := ""
	for i := range found {
		s := &found[i]
		if w := notHere(s, f.s.Node); w != "" {
			why = cmp.Or(why, w)
			continue
		}
		// Whoever has packed a parcel keeps it until its label is on it, also while it is put aside.
		var c store.FloorClaim
		if k := slices.IndexFunc(claims, func(c store.FloorClaim) bool { return c.Parcel == s.ID }); k >= 0 {
			c = claims[k]
		} else if s.Box != nil && (s.Label.Fate == shipping.Done || s.Next(f.tx.Now()).Kind != shipping.Scan) {
			why = cmp.Or(why, "it is packed already")
			continue
		}
		held, err := f.heldBack(s)
		if err != nil {
			return view.ScanAnswer{}, err
		}
		if held != "" {
			why = cmp.Or(why, strings.TrimSuffix(held, "."))
			continue
		}
		claim, err := floor.Take(c.Claim, s.ID, f.station(), f.s.Actor, f.tx.Now())
		if err != nil {
			taken = err
			continue
		}
		return f.begin(c, claim, s, item)
	}
	if taken != nil {
		return view.ScanAnswer{}, taken
	}
	return refuse("Put it aside: " + why + "."), nil
}

func (f *floorScan) begin(c store.FloorClaim, claim floor.Claim, s *store.Shipment, item string) (view.ScanAnswer, error) {
	if c.Stage == "" {
		c.Pack = floor.Open(needsOf(&s.Shipment))
	}
	if s.Box != nil {
		c.Stage = floor.Label
	}
	c.Claim = claim
	if item != "" && c.Stage == floor.Check {
		c.Put(item, 1)
	}
	if err := f.tx.TroubleDrop(s.ID); err != nil {
		return view.ScanAnswer{}, err
	}
	return accept("Yours."), f.tx.ClaimPut(c)
}

// find is the parcels a code may stand for, those to be taken first in front, and the item if it is one.
func (f *floorScan) find(code string) (found []store.Shipment, item string, err error) {
	if found, err = f.tx.ShipmentsBy(code, maxMatches); err != nil || len(found) > 0 {
		return found, "", err
	}
	if found, err = f.tx.ShipmentsOfWave(code, store.ShipmentPlace{}, maxMatches); err != nil || len(found) > 0 {
		return f.toPack(found), "", err
	}
	orders, err := f.tx.OrderFind(code, 5)
	if err != nil {
		return nil, "", err
	}
	for _, o := range orders {
		if calledBy(&o, code) {
			of, err := f.tx.ShipmentsOf(o.ID)
			if err != nil {
				return nil, "", err
			}
			found = append(found, of...)
		}
	}
	if len(found) > 0 {
		slices.SortStableFunc(found, func(a, b store.Shipment) int { return rank(&a, f.s.Node) - rank(&b, f.s.Node) })
		return found, "", nil
	}
	return f.ofItem(code)
}

func calledBy(o *order.Order, code string) bool {
	return o.ID == code || o.ExternalID == code || o.Number == code || strings.TrimPrefix(o.Number, "#") == code
}

// rank puts what can be packed here in front of what cannot.
func rank(s *store.Shipment, node string) int {
	switch {
	case notHere(s, node) != "":
		return 2
	case s.Box != nil:
		return 1
	}
	return 0
}

func (f *floorScan) toPack(all []store.Shipment) []store.Shipment {
	return slices.DeleteFunc(all, func(s store.Shipment) bool { return s.Box != nil || notHere(&s, f.s.Node) != "" })
}

// ofItem is the parcels that hold nothing but an item, those due first in front. Those on the bench are left out.
func (f *floorScan) ofItem(code string) ([]store.Shipment, string, error) {
	var out []store.Shipment
	var ids []string
	item, seen := "", 0
	if !f.named(code) {
		return nil, "", nil
	}
	err := queueAt(f.tx, f.s.Node, func(page []store.Shipment) bool {
		seen += len(page)
		for _, s := range page {
			if n := needsOf(&s.Shipment); len(n) == 1 && f.is(code, n[0].Item) {
				out, ids, item = append(out, s), append(ids, s.ID), n[0].Item
			}
		}
		return len(out) < maxMatches && seen < scanMost
	})
	if err != nil {
		return nil, "", err
	}
	benched, err := f.tx.TroublesGet(ids...)
	return slices.DeleteFunc(out, func(s store.Shipment) bool {
		return slices.ContainsFunc(benched, func(t store.FloorTrouble) bool { return t.Shipment == s.ID })
	}), item, err
}

// named reports whether a code names an item.
func (f *floorScan) named(code string) bool {
	for id := range f.cat.items {
		if f.is(code, id) {
			return true
		}
	}
	return false
}

// proceed takes a scan for the parcel that is open.
func (f *floorScan) proceed(c *store.FloorClaim, s *store.Shipment) (view.ScanAnswer, error) {
	claim, err := floor.Take(c.Claim, s.ID, f.station(), f.s.Actor, f.tx.Now())
	if err != nil {
		return view.ScanAnswer{}, err
	}
	c.Claim = claim
	switch {
	case f.s.Text == codeAside:
		if s.Box != nil { // it waits for its label, wherever it stands: nobody has it, and any station goes on with it
			c.Claim = floor.Claim{Parcel: s.ID}
			return accept("Put aside. Scan its order to go on with it."), f.tx.ClaimPut(*c)
		}
		f.note(custody.Exception, custody.Packer, s, "")
		return accept("Put aside, on the bench."), f.bench(s, "aside", "Put aside at station "+f.s.Station+".", c.Missing())
	case f.s.Text == codeDivide:
		return f.divide(c, s)
	case c.Stage == floor.Check:
		return f.unit(c, s)
	case c.Stage == floor.Boxed:
		return f.box(c)
	case c.Stage == floor.Weigh:
		return f.weigh(c, s)
	}
	return f.stick(c, s)
}

func (f *floorScan) unit(c *store.FloorClaim, s *store.Shipment) (view.ScanAnswer, error) {
	if f.s.Text == codeShort {
		return f.short(c, s)
	}
	n, code := floor.Times(f.s.Text)
	item := ""
	for _, i := range c.Items {
		if f.is(code, i.Item) {
			item = i.Item
		}
	}
	switch c.Put(item, n) {
	case floor.Foreign:
		return refuse("That does not belong into this parcel. Expected: " + f.expected(c.Missing()) + "."), nil
	case floor.TooMany:
		return refuse("That is more than it holds. Expected: " + f.expected(c.Missing()) + "."), nil
	}
	say := "Counted."
	if c.Stage == floor.Boxed {
		say = "All in. The box."
	}
	return accept(say), f.tx.ClaimPut(*c)
}

// short goes on with equal items, where there are any, or puts the parcel on the bench.
func (f *floorScan) short(c *store.FloorClaim, s *store.Shipment) (view.ScanAnswer, error) {
	missing, where := c.Missing(), "at station "+f.s.Station
	swaps, ok, err := f.substitute(s, missing, missing, where)
	if err != nil {
		return view.ScanAnswer{}, err
	}
	if !ok {
		return accept("Short. Put it on the bench."), f.lack(s, missing, missing, where)
	}
	var words []string
	for _, w := range swaps {
		if err := c.Swap(w.item, w.by, w.qty); err != nil {
			return view.ScanAnswer{}, err
		}
		words = append(words, fmt.Sprintf("%d × %s%s", w.qty, f.cat.called(w.by), binWords(f.cat.binOf(s.Node, w.by))))
	}
	return accept("Send an equal item instead: scan " + and(words) + "."), f.tx.ClaimPut(*c)
}

func (f *floorScan) expected(missing []floor.Need) string {
	var out []string
	for _, n := range missing {
		out = append(out, fmt.Sprintf("%d × %s", n.Qty, f.cat.called(n.Item)))
	}
	return strings.Join(out, ", ")
}

func (f *floorScan) box(c *store.FloorClaim) (view.ScanAnswer, error) {
	code := f.s.Text
	if slices.ContainsFunc(c.Items, func(i floor.Counted) bool { return f.is(code, i.Item) }) {
		return refuse("All units are in already. Expected: a box."), nil
	}
	if code == "" || code == codeOK {
		code = f.proposed
	}
	known, ok := f.cat.cartonCalled(f.s.Node, code)
	switch {
	case ok:
		code = known.ID
	case strings.HasPrefix(code, "SW-") || len(code) > maxStation, code != "" && len(f.cat.handling.cartonsAt(f.s.Node)) > 0:
		return refuse("That is no box of this place. Expected: the code of a box, or Enter for the one that is proposed."), nil
	}
	c.Carton, c.Stage = code, floor.Weigh
	return accept("Now weigh it."), f.tx.ClaimPut(*c)
}

func (f *floorScan) weigh(c *store.FloorClaim, s *store.Shipment) (view.ScanAnswer, error) {
	g, err := floor.Grams(f.s.Text)
	if err != nil {
		return refuse("That is no weight. Expected: grams, such as 412, or 0.412 kg."), nil
	}
	b := shipping.Box{Carton: c.Carton, Grams: g, At: f.tx.Now()}
	if k, ok := f.cat.cartonCalled(f.s.Node, c.Carton); ok {
		b.LengthMM, b.WidthMM, b.HeightMM = k.Outer.LengthMM, k.Outer.WidthMM, k.Outer.HeightMM
	}
	if err := s.Pack(b); err != nil {
		return view.ScanAnswer{}, err
	}
	if err := f.tx.ShipmentsSave([]store.Shipment{*s}); err != nil {
		return view.ScanAnswer{}, err
	}
	f.note(custody.Packed, custody.Packer, s, "")
	f.note(custody.Weighed, custody.Packer, s, "")
	c.Stage = floor.Label
	return accept(fmt.Sprintf("%d g. The label.", g)), f.tx.ClaimPut(*c)
}

// stick takes the label that was stuck on: it must be this parcel's. One that was made elsewhere says its number here.
func (f *floorScan) stick(c *store.FloorClaim, s *store.Shipment) (view.ScanAnswer, error) {
	if slices.ContainsFunc(c.Items, func(i floor.Counted) bool { return f.is(f.s.Text, i.Item) }) || strings.HasPrefix(f.s.Text, "SW-") || f.s.Text == "" {
		return refuse("That is no label. Expected: the label of this parcel."), nil
	}
	switch {
	case s.Way == shipping.ByHand && s.Label.Fate != shipping.Done:
		number := tracking.Normalise(f.s.Text)
		others, err := f.tx.ShipmentsBy(number, 2)
		if err != nil {
			return view.ScanAnswer{}, err
		}
		if len(others) > 0 || len(number) < 8 {
			return refuse("That label is another parcel’s, or none. Expected: a new label of " + cmp.Or(s.Carrier, "the carrier") + "."), nil
		}
		carrier := s.Carrier
		if m, ok := tracking.Infer(number, s.Carrier); ok {
			carrier, number = m.Carrier, m.Number
		}
		if err := s.Scanned(f.tx.Now(), carrier, number, money.Amount{}); err != nil {
			return view.ScanAnswer{}, err
		}
		if err := f.tx.ShipmentsSave([]store.Shipment{*s}); err != nil {
			return view.ScanAnswer{}, err
		}
	case s.Label.Fate != shipping.Done:
		return refuse("Its label is not here yet. Wait for it, or put the parcel aside."), nil
	case !tracking.Same(s.Label.Tracking, f.s.Text) && f.s.Text != s.ID:
		return refuse("That label is another parcel’s. Expected: the one that ends in " + tail(s.Label.Tracking) + "."), nil
	}
	if err := f.tx.ClaimDrop(s.ID); err != nil {
		return view.ScanAnswer{}, err
	}
	return f.other(s)
}

func tail(number string) string { return number[max(0, len(number)-6):] }
