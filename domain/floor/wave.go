package floor

import (
	"cmp"
	"slices"
	"time"
)

// Need is how much of an item a parcel holds.
type Need struct {
	Item string `json:"item"`
	Qty  int64  `json:"qty"`
}

// Parcel is one that waits to be packed.
type Parcel struct {
	ID    string
	Due   time.Time // zero: no deadline
	Needs []Need    // each item once
}

// Units is how many units it holds.
func (p *Parcel) Units() (n int64) {
	for _, x := range p.Needs {
		n += x.Qty
	}
	return n
}

// Method is how a wave is picked.
type Method string

const (
	Singles Method = "singles" // parcels of one item: picked together, packed by scanning the item
	Zone    Method = "zone"    // all bins of a wave lie in one zone
	Batch   Method = "batch"   // the rest
)

// Wave is parcels that are picked on one walk.
type Wave struct {
	Method  Method
	Zone    string
	Parcels []string // those due first in front
	Units   int64
	Due     time.Time // of the first; zero: none has a deadline
}

// Limits bound a wave. A parcel that is larger than Units alone is a wave of its own.
type Limits struct {
	Parcels int
	Units   int64
}

// MaxWave bounds what limits may say: a walk of more is no walk.
const MaxWave = 500

// Usual is a cart of 24 totes and what a person pushes.
var Usual = Limits{Parcels: 24, Units: 120}

// Plan divides parcels into waves: those of one item first, then those whose bins lie in one zone, then the rest; within each those due first
// in front. zone says where an item's bin lies; empty is nowhere in particular.
func Plan(waiting []Parcel, zone func(item string) string, l Limits) []Wave {
	l.Parcels = min(max(l.Parcels, 1), MaxWave)
	l.Units = max(l.Units, 1)
	type group struct {
		Method
		zone string
	}
	kind := func(p *Parcel) group {
		if len(p.Needs) == 1 {
			return group{Singles, ""}
		}
		z := zone(p.Needs[0].Item)
		if z == "" || slices.ContainsFunc(p.Needs, func(n Need) bool { return zone(n.Item) != z }) {
			return group{Batch, ""}
		}
		return group{Zone, z}
	}
	groups := map[group][]Parcel{}
	for _, p := range waiting {
		if len(p.Needs) > 0 {
			k := kind(&p)
			groups[k] = append(groups[k], p)
		}
	}
	var out []Wave
	for k, ps := range groups {
		slices.SortFunc(ps, byDue)
		var w *Wave
		for i := range ps {
			p := &ps[i]
			if w == nil || len(w.Parcels) == l.Parcels || w.Units+p.Units() > l.Units {
				out = append(out, Wave{Method: k.Method, Zone: k.zone, Due: p.Due})
				w = &out[len(out)-1]
			}
			w.Parcels, w.Units = append(w.Parcels, p.ID), w.Units+p.Units()
		}
	}
	rank := map[Method]int{Singles: 0, Zone: 1, Batch: 2}
	slices.SortFunc(out, func(a, b Wave) int {
		return cmp.Or(cmp.Compare(rank[a.Method], rank[b.Method]), compareDue(a.Due, b.Due), cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.Parcels[0], b.Parcels[0]))
	})
	return out
}

func byDue(a, b Parcel) int { return cmp.Or(compareDue(a.Due, b.Due), cmp.Compare(a.ID, b.ID)) }

// compareDue puts what has no deadline behind what has one.
func compareDue(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}
