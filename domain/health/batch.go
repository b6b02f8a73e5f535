package health

import (
	"slices"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

// Batch is a change of the figures: what orders add to them now, less what they added before. It is kept in the form in which it is stored, see
// Days and Parts; Sums adds batches up, in any order and any grouping. The zero Batch is ready for use. It is not safe for concurrent use.
type Batch struct {
	// SettledOnly leaves out the marks of what may still happen, see Reason.Pending.
	SettledOnly bool

	days, parts log
	numbers     numbers
	changes     int
	judge       *Judge // by whose rates, and
	connection  string // of which shop the last change was
}

// Add adds the change of one order of the connection. A nil before is an order not known till then, a nil after one that is deleted.
func (b *Batch) Add(j *Judge, connection string, before, after *order.Order) {
	var was, is [stackVerdicts]verdict
	old, now := was[:0], is[:0]
	if before != nil {
		old = j.judge(before, &b.numbers, old)
	}
	if after != nil {
		now = j.judge(after, &b.numbers, now)
	}
	same := facetSet(0)
	if before != nil && after != nil {
		if same = sameFacets(before, after); same == allFacets && slices.Equal(old, now) {
			return
		}
	}
	if len(old) == 0 && len(now) == 0 {
		return
	}
	if before != nil && after != nil && max(len(before.Parcels), len(after.Parcels)) > 1 {
		same &^= carrierSet // what each carrier has of a difference cannot be told
	}
	b.shop(j, connection)
	b.changes++
	var room [2 * stackVerdicts]verdict
	change := difference(old, now, room[:0])
	for i := range change {
		b.days.sum(&change[i])
	}
	var few [2][2]string // those of most orders
	if before != nil {
		f := facetsOf(before, few[0][:0], few[1][:0])
		b.marks(&f, old, now, same, before.ID, -1)
		b.divide(before, &f, allFacets&^same, old, -1)
	}
	if after != nil {
		f := facetsOf(after, few[0][:0], few[1][:0])
		b.marks(&f, now, old, same, after.ID, 1)
		b.divide(after, &f, allFacets&^same, now, 1)
		b.divide(after, &f, same, change, 1)
	}
}

// difference appends what the verdicts now add to the sums of days that the old ones did not. Both are in the order of the rates.
func difference(old, now, out []verdict) []verdict {
	for len(old) > 0 || len(now) > 0 {
		switch {
		case len(now) == 0, len(old) > 0 && old[0].def < now[0].def:
			out, old = append(out, old[0].less(verdict{})), old[1:]
		case len(old) == 0, now[0].def < old[0].def:
			out, now = append(out, now[0]), now[1:]
		case old[0].day != now[0].day:
			out = append(out, old[0].less(verdict{}), now[0])
			old, now = old[1:], now[1:]
		default:
			if d := old[0].less(now[0]); d.num != 0 || d.den != 0 || d.unjudged != 0 {
				out = append(out, d)
			}
			old, now = old[1:], now[1:]
		}
	}
	return out
}

// less is what has to be added to r's sums so that they are w's.
func (r verdict) less(w verdict) verdict {
	return verdict{def: r.def, day: r.day, num: w.num - r.num, den: w.den - r.den, unjudged: w.unjudged - r.unjudged}
}

// marks writes the marks that the verdicts set, or take back, but for those that stay: the others' under the same facets.
func (b *Batch) marks(f *Facets, vs, others []verdict, same facetSet, orderID string, sign int64) {
	for i := range vs {
		v := &vs[i]
		if v.against+v.unjudged == 0 || b.SettledOnly && v.reason.Pending() || same == allFacets && slices.Contains(others, *v) {
			continue
		}
		b.days.mark(v, orderID, f, sign)
	}
}

// divide writes what the verdicts add to the sums of the order's values of some facets.
func (b *Batch) divide(o *order.Order, f *Facets, of facetSet, vs []verdict, sign int64) {
	n := 0
	for i := range vs {
		if vs[i].num != 0 || vs[i].den != 0 {
			n++
		}
	}
	if f.Fault == "" {
		of &^= faultSet // nobody's: not a value
	}
	if of == 0 || n == 0 {
		return
	}
	packages := of&carrierSet != 0 && len(f.Carriers) > 1
	b.parts.facets(f, of, packages, n)
	for i := range vs {
		v := &vs[i]
		if v.num == 0 && v.den == 0 {
			continue
		}
		b.parts.place(v.def, v.day)
		b.parts.pair(pair{sign * v.num, sign * v.den})
		if !packages {
			continue
		}
		d := &b.judge.defs[v.def]
		if !d.packages {
			b.parts.byte(0)
			continue
		}
		b.parts.byte(1)
		for _, p := range b.carrierParts(o, d, v, f.Carriers, sign) {
			b.parts.pair(p)
		}
	}
}

// shop begins what is about the orders of one shop.
func (b *Batch) shop(j *Judge, connection string) {
	if b.judge == j && b.connection == connection {
		return
	}
	b.judge, b.connection = j, connection
	b.days.shop(connection, j.keys)
	b.parts.shop(connection, j.keys)
}

// Empty reports whether nothing was added that could change a figure.
func (b *Batch) Empty() bool { return b.changes == 0 }

// Len is how many changes of orders are kept: a measure of the memory the batch takes, some hundred bytes each. Whoever counts very many orders
// adds the batch up now and then and begins another.
func (b *Batch) Len() int { return b.changes }

// Tallies adds the batch up, sorted by connection, rate, facet, value and day; what adds up to nothing is left out.
func (b *Batch) Tallies() []Tally { return b.sums().Tallies() }

// Marks lists the batch's marks, sorted by all but N; those that were set and taken back are left out.
func (b *Batch) Marks() []Mark { return b.sums().Marks() }

func (b *Batch) sums() *Sums {
	var s Sums
	if err := s.Add(b); err != nil {
		panic("health: a batch is not what was written: " + err.Error())
	}
	return &s
}

// carrierParts divides a verdict on packages among the order's carriers.
func (b *Batch) carrierParts(o *order.Order, d *def, v *verdict, carriers []string, sign int64) []pair {
	parts := make([]pair, len(carriers))
	spare, scanned := v.num == v.den, scanned(o)
	for i := range o.Parcels[:v.den] {
		at, ok := slices.BinarySearch(carriers, clip(o.Parcels[i].Carrier))
		if !ok {
			continue // over MaxItems
		}
		parts[at].den += sign
		if spare || (d.test == policy.TrackingValid && scanned && b.numbers.fault(&o.Parcels[i]) == "") {
			parts[at].num += sign
		}
	}
	return parts
}
