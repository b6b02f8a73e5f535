package packing_test

import (
	"fmt"
	"slices"

	"github.com/spillway/spillway/domain/packing"
)

// The checker is written from what a packing must be, not from how it is made: it looks at every pair of placements and trusts no figure.

type box struct{ x0, y0, z0, x1, y1, z1 int }

func boxOf(p packing.Placement) box {
	return box{p.X, p.Y, p.Z, p.X + p.Size.L, p.Y + p.Size.W, p.Z + p.Size.H}
}

// plan is the area two boxes share seen from above.
func plan(a, b box) int64 {
	dx := min(a.x1, b.x1) - max(a.x0, b.x0)
	dy := min(a.y1, b.y1) - max(a.y0, b.y0)
	if dx <= 0 || dy <= 0 {
		return 0
	}
	return int64(dx) * int64(dy)
}

func (b box) base() int64 { return int64(b.x1-b.x0) * int64(b.y1-b.y0) }

// check says everything that is wrong with a packing.
func check(o packing.Order, p packing.Packing) []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	items := map[string]packing.Item{}
	for _, it := range o.Items {
		items[it.ID] = it
	}
	cartons := map[string]packing.Carton{}
	for _, c := range o.Cartons {
		cartons[c.ID] = c
	}
	seen := map[string]map[int]bool{}
	used := map[string]int{}
	var cost, inner int64
	for i, par := range p.Parcels {
		c, ok := cartons[par.Carton]
		if !ok || par.Inner != c.Inner || par.Outer != c.Outer {
			fault("parcel %d: carton %q is not as ordered", i, par.Carton)
			continue
		}
		if used[c.ID]++; c.Stock > 0 && used[c.ID] > c.Stock {
			fault("carton %s: more used than there are", c.ID)
		}
		cost += par.Carrying.Minor
		inner += c.Inner.Volume()
		for _, q := range par.Placements {
			if seen[q.Item] == nil {
				seen[q.Item] = map[int]bool{}
			}
			if seen[q.Item][q.Unit] || q.Unit < 1 || q.Unit > items[q.Item].Units {
				fault("unit %d of %s is in twice or was not ordered", q.Unit, q.Item)
			}
			seen[q.Item][q.Unit] = true
		}
		for _, f := range checkParcel(o, c, items, par) {
			fault("parcel %d: %s", i, f)
		}
	}
	left := map[string]int{}
	for _, u := range p.Unplaced {
		left[u.Item] += u.Units
	}
	for id, it := range items {
		if len(seen[id])+left[id] != it.Units {
			fault("%s: %d packed and %d not, of %d", id, len(seen[id]), left[id], it.Units)
		}
	}
	if cost != p.Cost.Minor || inner != p.Volume {
		fault("cost %d, volume %d; told %d, %d", cost, inner, p.Cost.Minor, p.Volume)
	}
	if len(p.Parcels) < p.AtLeast && len(p.Unplaced) == 0 {
		fault("%d parcels, fewer than the %d that it takes", len(p.Parcels), p.AtLeast)
	}
	return faults
}

func checkParcel(o packing.Order, c packing.Carton, items map[string]packing.Item, par packing.Parcel) []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	var net, volume int64
	for i, q := range par.Placements {
		it := items[q.Item]
		net += it.Grams
		volume += it.Size.Volume()
		if it.Alone && len(par.Placements) > 1 {
			fault("%s is not alone", q.Item)
		}
		if !mayStand(it, q.Size) {
			fault("%s may not stand as %v", q.Item, q.Size)
		}
		b := boxOf(q)
		if min(b.x0, b.y0, b.z0) < c.Padding || b.x1 > c.Inner.L-c.Padding || b.y1 > c.Inner.W-c.Padding || b.z1 > c.Inner.H-c.Padding {
			fault("%s sticks out: %v", q.Item, b)
		}
		faults = append(faults, checkPlace(o, c, items, par, i)...)
	}
	if len(par.Placements) == 0 {
		fault("it is empty")
	}
	gross := net + c.Grams
	if net != par.NetGrams || gross != par.Grams || volume != par.Volume {
		fault("weights or volume told wrongly")
	}
	if c.MaxGrams > 0 && gross > c.MaxGrams || o.Rules.MaxGrams > 0 && gross > o.Rules.MaxGrams {
		fault("%d g is too heavy", gross)
	}
	price := c.Cost.Minor
	if o.Rules.Tariff != nil {
		ch := o.Rules.Tariff(c.Outer, gross)
		if ch.Refused || ch != par.Charge {
			fault("the carrier says %+v, not %+v", ch, par.Charge)
		}
		price += ch.Price.Minor
	}
	if price != par.Carrying.Minor {
		fault("costs %d, told %d", price, par.Carrying.Minor)
	}
	return append(faults, checkBurdens(items, par)...)
}

func mayStand(it packing.Item, s packing.Size) bool {
	edges := [3]int{it.Size.L, it.Size.W, it.Size.H}
	for up, flag := range [3]packing.Upright{packing.UprightL, packing.UprightW, packing.UprightH} {
		if it.Upright != packing.AnyWayUp && it.Upright&flag == 0 || s.H != edges[up] {
			continue
		}
		a, b := edges[(up+1)%3], edges[(up+2)%3]
		if s.L == a && s.W == b || s.L == b && s.W == a {
			return true
		}
	}
	return false
}

// checkPlace compares one placement with all others: overlap, support, fragile things beneath, and whether it can be put in when its turn comes.
func checkPlace(o packing.Order, c packing.Carton, items map[string]packing.Item, par packing.Parcel, i int) []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	b := boxOf(par.Placements[i])
	var borne int64
	for j, q := range par.Placements {
		if i == j {
			continue
		}
		d := boxOf(q)
		a := plan(b, d)
		if a == 0 {
			continue
		}
		switch {
		case b.z0 < d.z1 && d.z0 < b.z1:
			fault("%s and %s overlap", par.Placements[i].Item, q.Item)
		case d.z1 <= b.z0:
			if d.z1 == b.z0 {
				borne += a
			}
			if items[q.Item].Fragile {
				fault("%s lies over fragile %s", par.Placements[i].Item, q.Item)
			}
			if j > i {
				fault("%s is put in before %s, which is beneath it", par.Placements[i].Item, q.Item)
			}
		}
	}
	support := o.Rules.Support
	if support == 0 {
		support = packing.DefaultSupport
	}
	if b.z0 > c.Padding && borne*100 < int64(support)*b.base() {
		fault("%s at %v rests on %d of %d mm²", par.Placements[i].Item, b, borne, b.base())
	}
	return faults
}

func checkBurdens(items map[string]packing.Item, par packing.Parcel) []string {
	var faults []string
	ps := slices.Clone(par.Placements)
	slices.SortFunc(ps, func(a, b packing.Placement) int { return b.Z - a.Z })
	rests := make([]float64, len(ps))
	for i, p := range ps {
		if limit := items[p.Item].MaxOnTop; limit > 0 && rests[i] > float64(limit)+1e-6 {
			faults = append(faults, fmt.Sprintf("%.1f g rest on %s, which bears %d", rests[i], p.Item, limit))
		}
		var area float64
		for j, q := range ps {
			if q.Z+q.Size.H == p.Z && j != i {
				area += float64(plan(boxOf(p), boxOf(q)))
			}
		}
		for j, q := range ps {
			if q.Z+q.Size.H == p.Z && j != i && area > 0 {
				rests[j] += (float64(items[p.Item].Grams) + rests[i]) * float64(plan(boxOf(p), boxOf(q))) / area
			}
		}
	}
	return faults
}
