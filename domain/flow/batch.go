package flow

import (
	"encoding/binary"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/pack"
)

// Batch is what several orders change. It is kept in the form in which it is stored; Sums adds batches up, in any order and any grouping. The zero
// Batch is empty.
type Batch struct {
	data       []byte
	connection string // of the entries that come last
	long       bool   // a text is longer than pack.MaxText
}

// passage is what an order adds: when it passed each point, and how long it took for each leg.
type passage struct {
	node, carrier string
	at            [len(kinds)]Hour // 0: it did not
	took          [len(legs)]leg
}

// leg is one leg's Lag; ended 0: it is not over.
type leg struct {
	ended Hour
	hours int64
}

// Add adds what the change of an order from before (nil: it was not known) to after changes.
func (b *Batch) Add(before, after *order.Order) {
	var was passage
	if before != nil {
		was = passageOf(before)
	}
	is := passageOf(after)
	node, carrier := before != nil && was.node == is.node, before != nil && was.carrier == is.carrier
	for k := range was.at {
		if !node || was.at[k] != is.at[k] {
			b.count(after, k, was.node, was.at[k], -1)
			b.count(after, k, is.node, is.at[k], 1)
		}
	}
	for k := range was.took {
		if !carrier || was.took[k] != is.took[k] {
			b.lag(after, k, was.carrier, was.took[k], -1)
			b.lag(after, k, is.carrier, is.took[k], 1)
		}
	}
}

func passageOf(o *order.Order) (p passage) {
	placed := o.OwedSince()
	if placed.IsZero() || o.Fulfilment == order.ByPlatform {
		return p
	}
	p.node = o.Node()
	if len(o.Parcels) > 0 {
		p.carrier = o.Parcels[0].Carrier
	}
	m := &o.Moments
	ready := first(m.ReadyAt, m.HandedOverAt)
	p.at = [...]Hour{hourOf(placed), hourOf(ready), hourOf(m.HandedOverAt), 0}
	if o.Status == order.Cancelled && ready.IsZero() {
		p.at[3] = hourOf(first(m.CancelledAt, o.StatusAt))
	}
	p.took = [...]leg{legOf(m.ReadyAt, m.HandedOverAt), legOf(m.HandedOverAt, m.DeliveredAt)}
	return p
}

func first(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// hourOf is HourOf; 0: never. No order is of the first hour of 1970, see package order.
func hourOf(t time.Time) Hour {
	if t.IsZero() {
		return 0
	}
	return HourOf(t)
}

func legOf(from, to time.Time) leg {
	if from.IsZero() || to.IsZero() {
		return leg{}
	}
	return leg{ended: HourOf(to) / 24 * 24, hours: min(max(int64(to.Sub(from)/time.Hour), 0), MaxHours)}
}

// A record is its version and then its entries: opShop and a connection, whose those are that follow, or an op, which says what passed or took,
// the node or carrier, the hour, for a lag the hours, and how many. Texts stand where they are needed: looking them up in a table costs more.
const (
	codecVersion = 2
	opShop       = 0
	opCount      = 1 // and the kind's place in kinds
	opLag        = opCount + len(kinds)
	ops          = opLag + len(legs)
)

var (
	kinds = [...]Kind{Placed, Ready, HandedOver, Dropped}
	legs  = [...]Leg{ToScan, ToDelivery}
)

func (b *Batch) count(o *order.Order, kind int, node string, at Hour, n int64) {
	if at != 0 {
		b.entry(o.ConnectionID, opCount+kind, node, at)
		b.data = binary.AppendVarint(b.data, n)
	}
}

func (b *Batch) lag(o *order.Order, kind int, carrier string, l leg, n int64) {
	if l.ended != 0 {
		b.entry(o.ConnectionID, opLag+kind, carrier, l.ended)
		b.data = binary.AppendVarint(binary.AppendVarint(b.data, l.hours), n)
	}
}

func (b *Batch) entry(connection string, op int, name string, at Hour) {
	if b.data == nil || b.connection != connection {
		if b.data == nil {
			b.data = append(make([]byte, 0, 1<<10), codecVersion)
		}
		b.connection = connection
		b.text(append(b.data, opShop), connection)
	}
	b.text(append(b.data, byte(op)), name)
	b.data = binary.AppendVarint(b.data, int64(at))
}

func (b *Batch) text(data []byte, s string) {
	b.long = b.long || len(s) > pack.MaxText
	b.data = pack.AppendText(data, s)
}

// Empty reports whether the batch changes nothing.
func (b *Batch) Empty() bool { return len(b.data) == 0 }

// Record is the batch for Sums.AddRecord. Errors: Invalid, if a name is over pack.MaxText.
func (b *Batch) Record() ([]byte, error) {
	if b.long {
		return nil, errs.New(errs.Invalid, "flow.Batch", "", "a name is longer than %d bytes", pack.MaxText)
	}
	return b.data, nil
}

// AddRecord adds a record of Batch.Record. Errors: Invalid, if it is none; the sums are of no use then.
func (s *Sums) AddRecord(data []byte) error {
	r := pack.Read(data)
	if r.Byte() != codecVersion {
		r.Fail()
	}
	connection := ""
	for r.More() {
		op := int(r.Byte())
		name := r.Text()
		switch {
		case op == opShop:
			connection = name
			continue
		case op >= ops:
			r.Fail()
		}
		at := Hour(r.Number())
		if op < opLag {
			if n := r.Number(); !r.Failed() {
				s.Count(Count{Connection: connection, Node: name, Kind: kinds[op-opCount], Hour: at, N: n})
			}
			continue
		}
		if hours, n := r.Number(), r.Number(); !r.Failed() {
			s.Lag(Lag{Connection: connection, Carrier: name, Leg: legs[op-opLag], Ended: at, Hours: hours, N: n})
		}
	}
	if !r.Done() {
		return errs.New(errs.Invalid, "flow.Sums", "", "these bytes are no batch")
	}
	return nil
}
