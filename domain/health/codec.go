package health

import (
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/pack"
)

// A batch is written as it grows, in two records: Days has the sums of whole days and the marks, which are read every second, Parts the sums of
// single values, which are read later. Texts are written where they stand. A table of words would be smaller, and looking each word up in it cost
// more than all the rest of the writing.
const (
	codecVersion = 2
	// MaxEncoded bounds each record of a batch, in bytes: some 50,000 changes. Adding it up takes some times as much memory.
	MaxEncoded = 4 << 20
)

// What an entry of Days is. One of Parts begins with its facetSet, and opShop; with byPackage if carriers have parts of their own.
const (
	opShop     = iota // connection, keys of its rates: those entries are about that follow
	opSum             // place, num, den
	opUnjudged        // place, num, den, unjudged
	opMark            // place, reason, order, n, all facets
)

const byPackage = 1 << 7

// Days is the record of what the batch changes of whole days, and of marks. Errors: Invalid, if it is over MaxEncoded or a name over
// pack.MaxText.
func (b *Batch) Days() ([]byte, error) { return b.days.record() }

// Parts is the record of what the batch changes for single values of facets. Errors: as of Days.
func (b *Batch) Parts() ([]byte, error) { return b.parts.record() }

// log is a record that grows.
type log struct {
	data []byte
	day  policy.Day // of the entry before: days are written as differences
	long bool       // a text is longer than pack.MaxText
}

func (l *log) record() ([]byte, error) {
	switch {
	case l.long:
		return nil, errs.New(errs.Invalid, "health.Batch", "", "a name is longer than %d bytes", pack.MaxText)
	case len(l.data) > MaxEncoded:
		return nil, errs.New(errs.Invalid, "health.Batch", "", "a record of %d bytes is too long: write the changes in parts", len(l.data))
	}
	return l.data, nil
}

func (l *log) byte(c byte) { l.data = append(l.data, c) }

// count appends as binary.AppendUvarint does. Here and in text only the length of data changes, which the garbage collector need not be told.
func (l *log) count(n int) {
	u := uint64(n)
	for u >= 0x80 {
		l.data = append(l.data, byte(u)|0x80)
		u >>= 7
	}
	l.data = append(l.data, byte(u))
}

func (l *log) number(n int64) {
	l.count(int(n<<1 ^ n>>63))
}

func (l *log) pair(p pair) {
	l.number(p.num)
	l.number(p.den)
}

func (l *log) text(s string) {
	l.long = l.long || len(s) > pack.MaxText
	l.count(len(s))
	l.data = append(l.data, s...)
}

func (l *log) list(texts []string) {
	l.count(len(texts))
	for _, s := range texts {
		l.text(s)
	}
}

func (l *log) shop(connection string, rates []string) {
	if l.data == nil {
		l.data = append(make([]byte, 0, 4<<10), codecVersion)
	}
	l.byte(opShop)
	l.text(connection)
	l.list(rates)
	l.day = 0
}

// place writes the rate and the day an entry is about.
func (l *log) place(def int, day policy.Day) {
	l.count(def)
	l.number(int64(day - l.day))
	l.day = day
}

func (l *log) sum(v *verdict) {
	op := byte(opSum)
	if v.unjudged != 0 {
		op = opUnjudged
	}
	l.byte(op)
	l.place(v.def, v.day)
	l.pair(pair{v.num, v.den})
	if op == opUnjudged {
		l.number(v.unjudged)
	}
}

func (l *log) mark(v *verdict, orderID string, f *Facets, sign int64) {
	l.byte(opMark)
	l.place(v.def, v.day)
	l.text(string(v.reason))
	l.text(orderID)
	l.number(sign * (v.against + v.unjudged))
	l.values(f, allFacets)
}

// facets begins an entry of Parts, behind which n sums follow.
func (l *log) facets(f *Facets, of facetSet, packages bool, n int) {
	op := byte(of)
	if packages {
		op |= byPackage
	}
	l.byte(op)
	l.values(f, of)
	l.count(n)
}

func (l *log) values(f *Facets, of facetSet) {
	if of&nodeSet != 0 {
		l.text(f.Node)
	}
	if of&regionSet != 0 {
		l.text(f.Region)
	}
	if of&modeSet != 0 {
		l.text(f.Mode)
	}
	if of&faultSet != 0 {
		l.text(f.Fault)
	}
	if of&itemSet != 0 {
		l.list(f.Items)
	}
	if of&carrierSet != 0 {
		l.list(f.Carriers)
	}
}
