package packing

import (
	"cmp"
	"slices"
)

// kind is a set of units that are alike in all that matters to packing; units of several lines may be of one kind.
type kind struct {
	size    Size
	upright Upright
	turns   []turn
	grams   int64
	volume  int64
	onTop   int64 // g that may rest on one unit; 0: no limit
	fragile bool
	alone   bool
	units   []unit
}

// unit names one unit: its item and its number among the item's.
type unit struct{ item, number int }

// turn is one way a unit may stand: its extent along the carton's length, width and height, mm.
type turn struct{ l, w, h int32 }

func compareKinds(a, b kind) int {
	flag := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(b.volume, a.volume), cmp.Compare(a.size.L, b.size.L), cmp.Compare(a.size.W, b.size.W), cmp.Compare(a.size.H, b.size.H),
		cmp.Compare(a.upright, b.upright), cmp.Compare(a.grams, b.grams), cmp.Compare(a.onTop, b.onTop),
		cmp.Compare(flag(a.fragile), flag(b.fragile)), cmp.Compare(flag(a.alone), flag(b.alone)),
	)
}

// kindsOf gathers units that are alike, greatest first, in an order that does not depend on that of the items.
func kindsOf(items []Item) []kind {
	order := make([]int, len(items))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(items[a].ID, items[b].ID) })
	all := make([]kind, 0, len(items))
	for _, i := range order {
		it := items[i]
		k := kind{
			size: it.Size, upright: it.Upright, grams: it.Grams, volume: it.Size.Volume(),
			onTop: it.MaxOnTop, fragile: it.Fragile, alone: it.Alone,
		}
		for n := range it.Units {
			k.units = append(k.units, unit{item: i, number: n + 1})
		}
		all = append(all, k)
	}
	slices.SortStableFunc(all, compareKinds)
	out := all[:0]
	for _, k := range all {
		if n := len(out); n > 0 && compareKinds(out[n-1], k) == 0 {
			out[n-1].units = append(out[n-1].units, k.units...)
			continue
		}
		k.turns = turnsOf(k.size, k.upright)
		out = append(out, k)
	}
	return out
}

// turnsOf lists the different ways a box may stand, lowest first: flat is the steadier start where nothing else decides.
func turnsOf(s Size, u Upright) []turn {
	l, w, h := int32(s.L), int32(s.W), int32(s.H)
	out := make([]turn, 0, 6)
	add := func(a, b, c int32) {
		for _, t := range [2]turn{{a, b, c}, {b, a, c}} {
			if !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	if u.allows(UprightH) {
		add(l, w, h)
	}
	if u.allows(UprightW) {
		add(l, h, w)
	}
	if u.allows(UprightL) {
		add(w, h, l)
	}
	slices.SortStableFunc(out, func(a, b turn) int { return cmp.Compare(a.h, b.h) })
	return out
}
