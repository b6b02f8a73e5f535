package health

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/pack"
)

// Parts are the sums of a rate on a day, or on several, for every value of every facet but the whole. The zero Parts is empty.
type Parts struct {
	sums map[part]pair
}

type part struct {
	facet uint8
	value string
}

// Add adds a tally, whose connection, rate and day are the caller's to know. It takes no tallies of the whole, nor of unknown facets.
func (p *Parts) Add(t Tally) {
	if f := slices.Index(facetOrder[:], t.Facet); f > 0 {
		p.add(part{uint8(f), t.Value}, pair{t.Num, t.Den})
	}
}

func (p *Parts) add(k part, n pair) {
	if p.sums == nil {
		p.sums = map[part]pair{}
	}
	was := p.sums[k]
	if n = (pair{was.num + n.num, was.den + n.den}); n == (pair{}) {
		delete(p.sums, k)
		return
	}
	p.sums[k] = n
}

// Merge adds what q holds.
func (p *Parts) Merge(q *Parts) {
	for k, n := range q.sums {
		p.add(k, n)
	}
}

// Tallies lists the sums, sorted by facet and value; connection, rate and day are left open.
func (p *Parts) Tallies() []Tally {
	out := make([]Tally, 0, len(p.sums))
	for k, n := range p.sums {
		out = append(out, Tally{Facet: facetOrder[k.facet], Value: k.value, Num: n.num, Den: n.den})
	}
	slices.SortFunc(out, func(a, b Tally) int {
		return cmp.Or(strings.Compare(a.Facet, b.Facet), strings.Compare(a.Value, b.Value))
	})
	return out
}

// partsVersion begins written Parts.
const partsVersion = 1

// MarshalBinary writes the sums for UnmarshalBinary, the same for the same sums.
func (p *Parts) MarshalBinary() ([]byte, error) {
	keys := make([]part, 0, len(p.sums))
	for k := range p.sums {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b part) int { return cmp.Or(cmp.Compare(a.facet, b.facet), strings.Compare(a.value, b.value)) })
	out := append(make([]byte, 0, 16*len(keys)+8), partsVersion)
	out = binary.AppendUvarint(out, uint64(len(keys)))
	for _, k := range keys {
		n := p.sums[k]
		out = append(out, k.facet)
		out = append(binary.AppendUvarint(out, uint64(len(k.value))), k.value...)
		out = binary.AppendVarint(binary.AppendVarint(out, n.num), n.den)
	}
	return out, nil
}

// minPart is the bytes of the shortest part.
const minPart = 4

// UnmarshalBinary reads what MarshalBinary wrote. Errors: Invalid.
func (p *Parts) UnmarshalBinary(data []byte) error {
	r := pack.Read(data)
	if r.Byte() != partsVersion {
		r.Fail()
	}
	n := r.Count(minPart)
	sums := make(map[part]pair, n)
	for range n {
		k := part{facet: r.Byte(), value: r.Text()}
		num, den := r.Number(), r.Number()
		if k.facet == facetAll || int(k.facet) >= len(facetOrder) {
			r.Fail()
		}
		if r.Failed() {
			break
		}
		sums[k] = pair{num, den}
	}
	if !r.Done() {
		return errs.New(errs.Invalid, "health.Parts", "", "these bytes are no sums by facet")
	}
	p.sums = sums
	return nil
}
