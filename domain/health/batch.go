package health

import (
	"slices"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

// Batch is a change of the figures: what orders add to them now, less what they added before. Batches may be merged in any order and any
// grouping; Tallies and Marks come out the same. The zero Batch is ready for use. It is not safe for concurrent use.
type Batch struct {
	entries []entry
}

// entry is what one order adds to, or takes from, one rate.
type entry struct {
	connection, rate, orderID   string // orderID only where there is a mark
	day                         policy.Day
	num, den, against, unjudged int64
	reason                      Reason
	facets                      *Facets // never altered: entries of an order share it
	parts                       []pair  // for packages of several carriers: each carrier's, as in facets.Carriers
}

// Add adds the change of one order of the connection. A nil before is an order not known till then, a nil after one that is deleted.
func (b *Batch) Add(j *Judge, connection string, before, after *order.Order) {
	var was, is [stackVerdicts]verdict
	old, now := was[:0], is[:0]
	if before != nil {
		old = j.judge(before, old)
	}
	if after != nil {
		now = j.judge(after, now)
	}
	same, repacked := false, false
	if before != nil && after != nil {
		same = sameFacets(before, after)
		repacked = len(after.Parcels) > 1 && !slices.Equal(before.Parcels, after.Parcels)
	}
	// What stays is what is judged alike under the same facets. Of several packages one may have become valid and another not.
	stays := func(v verdict, others []verdict) bool {
		return same && !(repacked && j.defs[v.def].packages) && slices.Contains(others, v)
	}
	var f *Facets
	for _, v := range old {
		if !stays(v, now) {
			f = b.put(j, connection, before, v, f, -1)
		}
	}
	if !same {
		f = nil
	}
	for _, v := range now {
		if !stays(v, old) {
			f = b.put(j, connection, after, v, f, 1)
		}
	}
}

// put writes a verdict on o, whose facets are f if they are known already, and gives them back.
func (b *Batch) put(j *Judge, connection string, o *order.Order, v verdict, f *Facets, sign int64) *Facets {
	if f == nil {
		f = facetsOf(o)
	}
	d := &j.defs[v.def]
	e := entry{connection: connection, rate: d.key, day: v.day, num: sign * v.num, den: sign * v.den, against: sign * v.against,
		unjudged: sign * v.unjudged, reason: v.reason, facets: f}
	if e.against != 0 || e.unjudged != 0 {
		e.orderID = o.ID
	}
	if d.packages && len(f.Carriers) > 1 {
		e.parts = carrierParts(o, d, v, f.Carriers, sign)
	}
	b.entries = append(b.entries, e)
	return f
}

// Merge adds the changes of others, which stay as they are.
func (b *Batch) Merge(others ...*Batch) {
	n := 0
	for _, c := range others {
		n += len(c.entries)
	}
	b.entries = slices.Grow(b.entries, n)
	for _, c := range others {
		b.entries = append(b.entries, c.entries...)
	}
}

// Empty reports whether nothing was added that could change a figure.
func (b *Batch) Empty() bool { return len(b.entries) == 0 }

// Len is how many changes are kept: a measure of the memory the batch takes, a few hundred bytes each. Whoever counts very many orders folds
// the batch away now and then.
func (b *Batch) Len() int { return len(b.entries) }

// carrierParts divides a verdict on packages among the order's carriers.
func carrierParts(o *order.Order, d *def, v verdict, carriers []string, sign int64) []pair {
	parts := make([]pair, len(carriers))
	spare, scanned := v.num == v.den, scanned(o)
	for i := range o.Parcels[:v.den] {
		at, ok := slices.BinarySearch(carriers, clip(o.Parcels[i].Carrier))
		if !ok {
			continue // over MaxItems
		}
		parts[at].den += sign
		if spare || (d.test == policy.TrackingValid && scanned && faultyTracking(&o.Parcels[i]) == "") {
			parts[at].num += sign
		}
	}
	return parts
}
