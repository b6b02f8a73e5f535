package flow

import (
	"encoding/binary"
	"slices"

	"github.com/spillway/spillway/kit/errs"
)

// A written batch is its version, its words, each once, and then its counts and lags with numbers in place of words.
const (
	codecVersion = 1
	maxWord      = 1024    // bytes of a name: above every id
	maxNumber    = 1 << 40 // of a count: no sum of a database overflows
	// minCount and minLag are the bytes of the shortest entries.
	minCount, minLag = 5, 6
)

var (
	kinds = []Kind{Placed, Ready, HandedOver, Dropped}
	legs  = []Leg{ToScan, ToDelivery}
)

// MarshalBinary writes the batch for UnmarshalBinary, the same for the same sums.
func (b *Batch) MarshalBinary() ([]byte, error) {
	ids := map[string]uint64{}
	var words []string
	var body []byte
	word := func(s string) {
		id, ok := ids[s]
		if !ok {
			id = uint64(len(words))
			ids[s], words = id, append(words, s)
		}
		body = binary.AppendUvarint(body, id)
	}
	counts, lags := b.Counts(), b.Lags()
	body = binary.AppendUvarint(body, uint64(len(counts)))
	for _, c := range counts {
		word(c.Connection)
		word(c.Node)
		body = append(body, byte(slices.Index(kinds, c.Kind)))
		body = binary.AppendVarint(binary.AppendVarint(body, int64(c.Hour)), c.N)
	}
	body = binary.AppendUvarint(body, uint64(len(lags)))
	for _, l := range lags {
		word(l.Connection)
		word(l.Carrier)
		body = append(body, byte(slices.Index(legs, l.Leg)))
		body = binary.AppendVarint(binary.AppendVarint(binary.AppendVarint(body, int64(l.Ended)), l.Hours), l.N)
	}
	out := binary.AppendUvarint([]byte{codecVersion}, uint64(len(words)))
	for _, s := range words {
		if len(s) > maxWord {
			return nil, errs.New(errs.Invalid, "flow.Batch", "", "a name of %d bytes is longer than %d", len(s), maxWord)
		}
		out = append(binary.AppendUvarint(out, uint64(len(s))), s...)
	}
	return append(out, body...), nil
}

// UnmarshalBinary adds what MarshalBinary wrote to the batch, all or nothing. Errors: Invalid.
func (b *Batch) UnmarshalBinary(data []byte) error {
	r := reader{data: data}
	if r.byte() != codecVersion {
		r.bad = true
	}
	words := make([]string, r.count(1))
	for i := range words {
		words[i] = r.text()
	}
	word := func() string {
		if n := r.uint(); n < uint64(len(words)) {
			return words[n]
		}
		r.bad = true
		return ""
	}
	counts := make([]Count, r.count(minCount))
	for i := range counts {
		c := Count{Connection: word(), Node: word(), Kind: pick(&r, kinds), Hour: Hour(r.number()), N: r.number()}
		counts[i] = c
	}
	lags := make([]Lag, r.count(minLag))
	for i := range lags {
		lags[i] = Lag{Connection: word(), Carrier: word(), Leg: pick(&r, legs), Ended: Hour(r.number()), Hours: r.number(), N: r.number()}
	}
	if r.bad || len(r.data) > 0 {
		return errs.New(errs.Invalid, "flow.Batch", "", "these bytes are no batch")
	}
	for _, c := range counts {
		b.Count(c)
	}
	for _, l := range lags {
		b.Lag(l)
	}
	return nil
}

// reader takes data apart. After the first thing that cannot be right it is bad and gives zeros only.
type reader struct {
	data []byte // what is left
	bad  bool
}

func pick[T any](r *reader, of []T) (v T) {
	if n := int(r.byte()); n < len(of) {
		return of[n]
	}
	r.bad = true
	return v
}

func (r *reader) byte() byte {
	if r.bad || len(r.data) == 0 {
		r.bad = true
		return 0
	}
	c := r.data[0]
	r.data = r.data[1:]
	return c
}

func (r *reader) uint() uint64 {
	n, size := binary.Uvarint(r.data)
	if r.bad || size <= 0 {
		r.bad = true
		return 0
	}
	r.data = r.data[size:]
	return n
}

// count is how many things of at least size bytes follow: never more than there is room for.
func (r *reader) count(size int) int {
	n := r.uint()
	if n > uint64(len(r.data)/size) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.count(1)
	if n > maxWord {
		r.bad = true
		return ""
	}
	s := string(r.data[:n])
	r.data = r.data[n:]
	return s
}

func (r *reader) number() int64 {
	n, size := binary.Varint(r.data)
	if r.bad || size <= 0 || n > maxNumber || n < -maxNumber {
		r.bad = true
		return 0
	}
	r.data = r.data[size:]
	return n
}
