package health

import (
	"encoding/binary"

	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/pack"
)

const (
	codecVersion = 1
	// MaxEncoded bounds an encoded batch, in bytes: some 250,000 changes. Decoding takes up to some twenty times as much memory.
	MaxEncoded = 4 << 20
)

// What an encoded entry holds besides its rate, day, num and den.
const (
	hasMark   = 1 << iota // against, unjudged, reason, order
	hasFacets             // else they are those of the entry before
	hasParts
	knownFlags = hasMark | hasFacets | hasParts
)

// MarshalBinary writes the batch down: each string once, then the changes. It fails with errs.Invalid if that is over MaxEncoded.
func (b *Batch) MarshalBinary() ([]byte, error) {
	w := writer{ids: map[string]uint64{"": 0}, words: []string{""}}
	var last *Facets
	for i := range b.entries {
		e := &b.entries[i]
		w.entry(e, e.facets != last)
		last = e.facets
	}
	out := append(make([]byte, 0, len(w.body)+16*len(w.words)), codecVersion)
	out = binary.AppendUvarint(out, uint64(len(w.words)-1))
	for _, s := range w.words[1:] {
		if len(s) > pack.MaxText {
			return nil, errs.New(errs.Invalid, "health.Batch", "", "a name of %d bytes is longer than %d", len(s), pack.MaxText)
		}
		out = append(binary.AppendUvarint(out, uint64(len(s))), s...)
	}
	out = append(binary.AppendUvarint(out, uint64(len(b.entries))), w.body...)
	if len(out) > MaxEncoded {
		return nil, errs.New(errs.Invalid, "health.Batch", "", "%d changes are too many for one record: write them in parts", len(b.entries))
	}
	return out, nil
}

type writer struct {
	ids   map[string]uint64
	words []string
	body  []byte
}

func (w *writer) word(s string) {
	id, ok := w.ids[s]
	if !ok {
		id = uint64(len(w.words))
		w.ids[s], w.words = id, append(w.words, s)
	}
	w.body = binary.AppendUvarint(w.body, id)
}

func (w *writer) number(n int64) { w.body = binary.AppendVarint(w.body, n) }

func (w *writer) list(words []string) {
	w.body = binary.AppendUvarint(w.body, uint64(len(words)))
	for _, s := range words {
		w.word(s)
	}
}

func (w *writer) entry(e *entry, facets bool) {
	mark := e.against != 0 || e.unjudged != 0
	flags := byte(0)
	if mark {
		flags |= hasMark
	}
	if facets {
		flags |= hasFacets
	}
	if e.parts != nil {
		flags |= hasParts
	}
	w.body = append(w.body, flags)
	w.word(e.connection)
	w.word(e.rate)
	w.number(int64(e.day))
	w.number(e.num)
	w.number(e.den)
	if mark {
		w.number(e.against)
		w.number(e.unjudged)
		w.word(string(e.reason))
		w.word(e.orderID)
	}
	if facets {
		for _, s := range []string{e.facets.Node, e.facets.Region, e.facets.Mode, e.facets.Fault} {
			w.word(s)
		}
		w.list(e.facets.Carriers)
		w.list(e.facets.Items)
	}
	if e.parts != nil {
		for _, p := range e.parts {
			w.number(p.num)
			w.number(p.den)
		}
	}
}

// UnmarshalBinary reads what MarshalBinary wrote and replaces the batch's content. It fails with errs.Invalid, and leaves the batch as it was,
// on anything else.
func (b *Batch) UnmarshalBinary(data []byte) error {
	if len(data) > MaxEncoded {
		return errs.New(errs.Invalid, "health.Batch", "", "a record of %d bytes is too long", len(data))
	}
	r := reader{pack.Read(data)}
	if v := r.Byte(); v != codecVersion {
		return errs.New(errs.Invalid, "health.Batch", "", "the record has the version %d, only %d is known", v, codecVersion)
	}
	r.Words("")
	n := r.Count(minEntry)
	entries := make([]entry, 0, n) // as many as there are bytes for
	var last *Facets
	for range n {
		e := r.entry(last)
		if r.Failed() {
			break
		}
		entries, last = append(entries, e), e.facets
	}
	if !r.Done() {
		return errs.New(errs.Invalid, "health.Batch", "", "the record is damaged")
	}
	b.entries = entries
	return nil
}

const minEntry = 6 // bytes of the shortest entry

// reader is a reader of batches.
type reader struct{ pack.Reader }

func (r *reader) list() []string {
	n := r.Count(1)
	if n > MaxItems {
		r.Fail()
		return nil
	}
	out := make([]string, 0, n)
	for range n {
		out = append(out, r.Word())
	}
	return out
}

func (r *reader) entry(last *Facets) entry {
	flags := r.Byte()
	e := entry{connection: r.Word(), rate: r.Word(), facets: last}
	day := r.Number()
	e.day, e.num, e.den = policy.Day(day), r.Number(), r.Number()
	if flags&hasMark != 0 {
		e.against, e.unjudged = r.Number(), r.Number()
		e.reason, e.orderID = Reason(r.Word()), r.Word()
	}
	if flags&hasFacets != 0 {
		e.facets = &Facets{Node: r.Word(), Region: r.Word(), Mode: r.Word(), Fault: r.Word()}
		e.facets.Carriers, e.facets.Items = r.list(), r.list()
	}
	if e.facets == nil || flags&^knownFlags != 0 || int64(e.day) != day {
		r.Fail()
		return e
	}
	if flags&hasParts != 0 {
		e.parts = make([]pair, len(e.facets.Carriers))
		for i := range e.parts {
			e.parts[i] = pair{r.Number(), r.Number()}
		}
	}
	return e
}
