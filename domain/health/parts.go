package health

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/policy"
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

// Add adds a tally, whose connection, rate and day are the caller's to know. It takes none of the whole and the unjudged, nor of unknown facets.
func (p *Parts) Add(t Tally) {
	if f := slices.Index(facetOrder[:], t.Facet); f > facetAll && f < facetUnjudged {
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
func (p *Parts) MarshalBinary() ([]byte, error) { return p.record(), nil }

func (p *Parts) record() []byte {
	keys := make([]part, 0, len(p.sums))
	for k := range p.sums {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, part.compare)
	var w partsWriter
	for _, k := range keys {
		w.put(k.facet, k.value, p.sums[k])
	}
	return w.record()
}

func (k part) compare(l part) int {
	return cmp.Or(cmp.Compare(k.facet, l.facet), strings.Compare(k.value, l.value))
}

// minPart is the bytes of the shortest part.
const minPart = 4

// UnmarshalBinary reads what MarshalBinary wrote. Errors: Invalid.
func (p *Parts) UnmarshalBinary(data []byte) error {
	r := readParts(data)
	sums := make(map[part]pair, r.left)
	for r.next() {
		sums[r.part] = r.pair
	}
	if !r.Done() {
		return errNoParts()
	}
	p.sums = sums
	return nil
}

func errNoParts() error {
	return errs.New(errs.Invalid, "health.Parts", "", "these bytes are no sums by facet")
}

// partsReader reads written Parts one by one.
type partsReader struct {
	pack.Reader
	left int
	part
	pair
}

func readParts(data []byte) partsReader {
	r := partsReader{Reader: pack.Read(data)}
	if r.Byte() != partsVersion {
		r.Fail()
	}
	r.left = r.Count(minPart)
	return r
}

// next reads the next part; false: there is none, or it is damaged. They come in their order.
func (r *partsReader) next() bool {
	if r.left == 0 || r.Failed() {
		return false
	}
	before := r.part
	r.part = part{facet: r.Byte(), value: r.Text()}
	r.pair = pair{r.Number(), r.Number()}
	if r.facet == facetAll || int(r.facet) >= len(facetOrder) || before.facet != 0 && before.compare(r.part) >= 0 {
		r.Fail()
	}
	r.left--
	return !r.Failed()
}

// partsWriter writes Parts one by one, in their order.
type partsWriter struct {
	body []byte
	n    int
}

func (w *partsWriter) put(facet uint8, value string, n pair) {
	w.body = pack.AppendText(append(w.body, facet), value)
	w.body = binary.AppendVarint(binary.AppendVarint(w.body, n.num), n.den)
	w.n++
}

// record is what was put since the last one.
func (w *partsWriter) record() []byte {
	out := append(make([]byte, 0, len(w.body)+8), partsVersion)
	out = append(binary.AppendUvarint(out, uint64(w.n)), w.body...)
	w.body, w.n = w.body[:0], 0
	return out
}

// NoParts is the written form of empty Parts.
func NoParts() []byte { return []byte{partsVersion, 0} }

// DayParts are written Parts of a rate on a day. As a change they may be negative.
type DayParts struct {
	Connection, Rate string
	Day              policy.Day
	Data             []byte // of Parts.MarshalBinary
}

// Len is how many sums there are.
func (d DayParts) Len() int {
	r := readParts(d.Data)
	return r.left
}

func (d DayParts) compare(e DayParts) int {
	return cmp.Or(strings.Compare(d.Connection, e.Connection), strings.Compare(d.Rate, e.Rate), cmp.Compare(d.Day, e.Day))
}

// PartsOf gathers tallies by rate and day. Those of the whole and of unknown facets are left out, as by Parts.Add.
func PartsOf(tallies []Tally) []DayParts {
	type key struct {
		connection, rate string
		day              policy.Day
	}
	of := map[key]*Parts{}
	for _, t := range tallies {
		k := key{t.Connection, t.Rate, t.Day}
		if of[k] == nil {
			of[k] = &Parts{}
		}
		of[k].Add(t)
	}
	var out []DayParts
	for k, p := range of {
		if len(p.sums) > 0 {
			out = append(out, DayParts{Connection: k.connection, Rate: k.rate, Day: k.day, Data: p.record()})
		}
	}
	slices.SortFunc(out, DayParts.compare)
	return out
}

// MergeParts adds to the written Parts a those of b, each times sign, and writes the sum; nil is empty, and so is what it gives back if nothing is
// left. It reads both once from front to end and takes no memory but for the result. Errors: Invalid.
func MergeParts(a, b []byte, sign int64) ([]byte, error) {
	w := partsWriter{body: make([]byte, 0, len(a)+len(b))}
	x, y := partsSide(a), partsSide(b)
	more, other := x.next(), y.next()
	for more || other {
		c := 0
		switch {
		case !other:
			c = -1
		case !more:
			c = 1
		default:
			c = x.compare(y.part)
		}
		switch n := (pair{x.num + sign*y.num, x.den + sign*y.den}); {
		case c < 0:
			w.put(x.facet, x.value, x.pair)
		case c > 0:
			w.put(y.facet, y.value, pair{sign * y.num, sign * y.den})
		case n != pair{}:
			w.put(x.facet, x.value, n)
		}
		if c <= 0 {
			more = x.next()
		}
		if c >= 0 {
			other = y.next()
		}
	}
	if !x.Done() || !y.Done() {
		return nil, errNoParts()
	}
	if w.n == 0 {
		return nil, nil
	}
	return w.record(), nil
}

func partsSide(data []byte) partsReader {
	if data == nil {
		return partsReader{}
	}
	return readParts(data)
}
