package packing

import (
	"cmp"
	"slices"

	"github.com/spillway/spillway/kit/money"
)

// Pack packs an order: into as few parcels as it finds, among those the cheapest by carton and charge, among those the smallest. It fails only
// with errs.Invalid: where Check does, or where the tariff charges in another currency or beyond all bounds.
func Pack(o Order) (Packing, error) {
	if err := o.Check(); err != nil {
		return Packing{}, err
	}
	s := newSolver(o)
	effort := s.work
	var out Packing
	n := node{left: make([]int16, len(s.kinds)), used: make([]int, len(s.cartons))}
	for k := range s.kinds {
		n.left[k] = int16(len(s.kinds[k].units))
		if why, ok := s.excluded(k); ok {
			out.Unplaced = append(out.Unplaced, s.unplaced(o.Items, k, n.left[k], why)...)
			n.left[k] = 0
			s.kinds[k].units = nil
		}
	}
	together, alone := s.apart(n.left)
	n.left = together
	floor := (s.need(together) + 999) / 1000
	for k, units := range alone {
		floor += int64(units)
		for range units {
			one := make([]int16, len(s.kinds))
			one[k] = 1
			p, ok := s.single(one, n.used, minWork)
			if !ok {
				break
			}
			n.left[k]++
			n = s.with(n, p)
			alone[k]--
		}
	}
	s.alone, n.need = len(n.plans), s.need(n.left)
	n = s.solve(n)
	s.finish(&out, o.Items, n)
	for k := range s.kinds {
		if rest := n.left[k] + alone[k]; rest > 0 {
			out.Unplaced = append(out.Unplaced, s.unplaced(o.Items, k, rest, NoCarton)...)
		}
	}
	slices.SortFunc(out.Unplaced, func(a, b Unplaced) int { return cmp.Compare(a.Item, b.Item) })
	out.AtLeast, out.Effort = int(floor), effort-s.work
	return out, s.bad
}

// Load puts as much volume into one carton or container as it finds; what does not go in is Unplaced as NoCarton. Weight limits, support and
// effort are those of the rules, Alone means nothing here. It fails only with errs.Invalid, where Check does.
func Load(c Carton, items []Item, rules Rules) (Packing, error) {
	c.Stock = 1
	o := Order{Items: items, Cartons: []Carton{c}, Rules: rules}
	if err := o.Check(); err != nil {
		return Packing{}, err
	}
	s := newSolver(o)
	effort := s.work
	n := node{left: make([]int16, len(s.kinds)), used: make([]int, 1)}
	for k := range s.kinds {
		n.left[k] = int16(len(s.kinds[k].units))
	}
	if l := s.fill(0, n.left, s.work); l.volume > 0 {
		p, _ := s.price(0, l.grams)
		n = s.with(n, plan{load: l, cost: p})
	}
	var out Packing
	s.finish(&out, items, n)
	for k, rest := range n.left {
		if rest > 0 {
			out.Unplaced = append(out.Unplaced, s.unplaced(items, k, rest, NoCarton)...)
		}
	}
	slices.SortFunc(out.Unplaced, func(a, b Unplaced) int { return cmp.Compare(a.Item, b.Item) })
	out.Effort = effort - s.work
	return out, s.bad
}

// excluded says why no carton can ever take a unit of kind k.
func (s *solver) excluded(k int) (Reason, bool) {
	why := TooLarge
	for c := range s.cartons {
		if !s.fits(c, k) {
			continue
		}
		if s.kinds[k].grams <= s.most[c] {
			return "", false
		}
		if why == TooLarge {
			why = TooHeavy
		}
		if s.rules.Tariff != nil && s.kinds[k].grams <= s.allowed(c) {
			why = Refused
		}
	}
	return why, true
}

// apart parts what may share a parcel from what may not.
func (s *solver) apart(left []int16) (together, alone []int16) {
	together, alone = slices.Clone(left), make([]int16, len(left))
	for k := range s.kinds {
		if s.kinds[k].alone {
			together[k], alone[k] = 0, left[k]
		}
	}
	return together, alone
}

// unplaced takes n units of kind k off its end and names them by item.
func (s *solver) unplaced(items []Item, k int, n int16, why Reason) []Unplaced {
	us := s.kinds[k].units
	var out []Unplaced
	for _, u := range us[len(us)-int(n):] {
		if last := len(out) - 1; last >= 0 && out[last].Item == items[u.item].ID {
			out[last].Units++
			continue
		}
		out = append(out, Unplaced{Item: items[u.item].ID, Units: 1, Reason: why})
	}
	return out
}

// finish turns plans into parcels, handing out the units of every kind in their order.
func (s *solver) finish(out *Packing, items []Item, n node) {
	given := make([]int, len(s.kinds))
	for i := range n.plans {
		p := s.parcel(items, &n.plans[i], given)
		out.Cost = plus(out.Cost, p.Carrying)
		out.Volume += p.Inner.Volume()
		out.Parcels = append(out.Parcels, p)
	}
}

func plus(a, b money.Amount) money.Amount {
	return money.Amount{Minor: a.Minor + b.Minor, Currency: cmp.Or(a.Currency, b.Currency)}
}

func (s *solver) parcel(items []Item, pl *plan, given []int) Parcel {
	c := &s.cartons[pl.carton]
	ch := s.charge(pl.carton, pl.load.grams)
	out := Parcel{
		Carton: c.ID, Inner: c.Inner, Outer: c.Outer, NetGrams: pl.load.grams, Grams: pl.load.grams + c.Grams, Volume: pl.load.volume,
		Charge: ch, Carrying: plus(c.Cost, ch.Price),
	}
	for _, b := range pl.load.blocks {
		t := s.kinds[b.kind].turns[b.turn]
		for i := range b.units() {
			u := s.kinds[b.kind].units[given[b.kind]]
			given[b.kind]++
			x, y, z := int32(i)%int32(b.nx), int32(i)/int32(b.nx)%int32(b.ny), int32(i)/int32(b.nx)/int32(b.ny)
			out.Placements = append(out.Placements, Placement{
				Item: items[u.item].ID, Unit: u.number, Size: Size{int(t.l), int(t.w), int(t.h)},
				X: c.Padding + int(b.x+x*t.l), Y: c.Padding + int(b.y+y*t.w), Z: c.Padding + int(b.z+z*t.h),
			})
		}
	}
	// What bears something lies lower than it, so from the bottom up is an order that can be carried out; in a layer, from the back.
	slices.SortStableFunc(out.Placements, func(a, b Placement) int {
		return cmp.Or(cmp.Compare(a.Z, b.Z), cmp.Compare(b.Y, a.Y), cmp.Compare(a.X, b.X))
	})
	return out
}
