package health

import (
	"encoding/binary"

	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
)

const (
	codecVersion = 1
	// MaxEncoded bounds an encoded batch, in bytes: some 250,000 changes. Decoding takes up to some twenty times as much memory.
	MaxEncoded = 4 << 20
	maxWord    = 1024    // bytes of one string: above all ids and facet values
	maxCount   = 1 << 40 // of one change: far above any order, low enough that no sum of a batch overflows
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
		if len(s) > maxWord {
			return nil, errs.New(errs.Invalid, "health.Batch", "", "a name of %d bytes is longer than %d", len(s), maxWord)
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
	r := reader{data: data, all: string(data)}
	if v := r.byte(); v != codecVersion {
		return errs.New(errs.Invalid, "health.Batch", "", "the record has the version %d, only %d is known", v, codecVersion)
	}
	r.words = append(r.words, "")
	for range r.count(1) {
		r.words = append(r.words, r.text())
	}
	n := r.count(minEntry)
	entries := make([]entry, 0, n) // as many as there are bytes for
	var last *Facets
	for range n {
		e := r.entry(last)
		if r.bad {
			break
		}
		entries, last = append(entries, e), e.facets
	}
	if r.bad || len(r.data) > 0 {
		return errs.New(errs.Invalid, "health.Batch", "", "the record is damaged")
	}
	b.entries = entries
	return nil
}

const minEntry = 6 // bytes of the shortest entry

// reader takes data apart. After the first thing that cannot be right it is bad and gives zeros only.
type reader struct {
	data  []byte // what is left
	all   string // everything, of which words are parts: one copy for all
	words []string
	bad   bool
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
	at := len(r.all) - len(r.data)
	r.data = r.data[n:]
	return r.all[at : at+n]
}

func (r *reader) number() int64 {
	n, size := binary.Varint(r.data)
	if r.bad || size <= 0 || n > maxCount || n < -maxCount {
		r.bad = true
		return 0
	}
	r.data = r.data[size:]
	return n
}

func (r *reader) word() string {
	n := r.uint()
	if n >= uint64(len(r.words)) {
		r.bad = true
		return ""
	}
	return r.words[n]
}

func (r *reader) list() []string {
	n := r.count(1)
	if n > MaxItems {
		r.bad = true
		return nil
	}
	out := make([]string, 0, n)
	for range n {
		out = append(out, r.word())
	}
	return out
}

func (r *reader) entry(last *Facets) entry {
	flags := r.byte()
	e := entry{connection: r.word(), rate: r.word(), facets: last}
	day := r.number()
	e.day, e.num, e.den = policy.Day(day), r.number(), r.number()
	if flags&hasMark != 0 {
		e.against, e.unjudged = r.number(), r.number()
		e.reason, e.orderID = Reason(r.word()), r.word()
	}
	if flags&hasFacets != 0 {
		e.facets = &Facets{Node: r.word(), Region: r.word(), Mode: r.word(), Fault: r.word()}
		e.facets.Carriers, e.facets.Items = r.list(), r.list()
	}
	if e.facets == nil || flags&^knownFlags != 0 || int64(e.day) != day {
		r.bad = true
		return e
	}
	if flags&hasParts != 0 {
		e.parts = make([]pair, len(e.facets.Carriers))
		for i := range e.parts {
			e.parts[i] = pair{r.number(), r.number()}
		}
	}
	return e
}
