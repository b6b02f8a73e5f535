package flow

import (
	"encoding/binary"
	"slices"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/pack"
)

// A written batch is its version, its words, each once, and then its counts and lags with numbers in place of words.
const (
	codecVersion = 1
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
		if len(s) > pack.MaxText {
			return nil, errs.New(errs.Invalid, "flow.Batch", "", "a name of %d bytes is longer than %d", len(s), pack.MaxText)
		}
		out = append(binary.AppendUvarint(out, uint64(len(s))), s...)
	}
	return append(out, body...), nil
}

// UnmarshalBinary adds what MarshalBinary wrote to the batch, all or nothing. Errors: Invalid.
func (b *Batch) UnmarshalBinary(data []byte) error {
	r := pack.Read(data)
	if r.Byte() != codecVersion {
		r.Fail()
	}
	r.Words()
	counts := make([]Count, r.Count(minCount))
	for i := range counts {
		counts[i] = Count{Connection: r.Word(), Node: r.Word(), Kind: pick(&r, kinds), Hour: Hour(r.Number()), N: r.Number()}
	}
	lags := make([]Lag, r.Count(minLag))
	for i := range lags {
		lags[i] = Lag{Connection: r.Word(), Carrier: r.Word(), Leg: pick(&r, legs), Ended: Hour(r.Number()), Hours: r.Number(), N: r.Number()}
	}
	if !r.Done() {
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

func pick[T any](r *pack.Reader, of []T) (v T) {
	if n := int(r.Byte()); n < len(of) {
		return of[n]
	}
	r.Fail()
	return v
}
