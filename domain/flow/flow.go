// Package flow counts what passes through a node: how many orders come in, are got ready, and are handed over in each hour, and how long carriers
// take. Forecasts learn from it what a node can do.
//
// It promises: what an order adds follows from the order alone, so changes add up in any sequence and all of it can be counted anew. It keeps
// nothing, reads no clock, and knows neither rates nor channels.
package flow

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
)

// Kind is what happened to an order.
type Kind string

const (
	Placed     Kind = "placed"      // came to the node to be worked on
	Ready      Kind = "ready"       // was got ready, by whatever told so first: arranged, or the carrier had it
	HandedOver Kind = "handed_over" // the carrier's first scan
	Dropped    Kind = "dropped"     // was cancelled before it was ready
)

// Hour is an hour since 1970, UTC.
type Hour int64

// HourOf is the hour of t.
func HourOf(t time.Time) Hour { return Hour(t.Unix() / 3600) }

// Time is the beginning of the hour.
func (h Hour) Time() time.Time { return time.Unix(int64(h)*3600, 0).UTC() }

// Count is how many orders something happened to at a node in an hour. As a change N may be negative.
type Count struct {
	Connection string
	Node       string // the channel's warehouse; empty: it does not say
	Kind       Kind
	Hour       Hour
	N          int64
}

// Leg is a part of a parcel's way.
type Leg string

const (
	ToScan     Leg = "scan"    // ready to the carrier's first scan
	ToDelivery Leg = "transit" // first scan to delivery
)

// MaxHours bounds a lag: what takes longer counts as this long. Sixty days are beyond every deadline.
const MaxHours = 60 * 24

// Lag is how many orders took that many whole hours for a leg, by the hour in which the leg ended. As a change N may be negative.
type Lag struct {
	Connection string
	Carrier    string // as the channel names it; empty: it does not say
	Leg        Leg
	Ended      Hour // the first hour of its day, UTC
	Hours      int64
	N          int64
}

// Batch adds up what several orders change. The zero Batch is empty.
type Batch struct {
	counts map[Count]int64 // keys have no N
	lags   map[Lag]int64
}

// Add adds what the change of an order from before (nil: it was not known) to after changes.
func (b *Batch) Add(before, after *order.Order) {
	if before != nil {
		b.order(before, -1)
	}
	b.order(after, 1)
}

func (b *Batch) order(o *order.Order, n int64) {
	placed := o.OwedSince()
	if placed.IsZero() || o.Fulfilment == order.ByPlatform {
		return
	}
	ready, scanned := first(o.Moments.ReadyAt, o.Moments.HandedOverAt), o.Moments.HandedOverAt
	b.happened(o, Placed, placed, n)
	b.happened(o, Ready, ready, n)
	b.happened(o, HandedOver, scanned, n)
	if o.Status == order.Cancelled && ready.IsZero() {
		b.happened(o, Dropped, first(o.Moments.CancelledAt, o.StatusAt), n)
	}
	carrier := ""
	if len(o.Parcels) > 0 {
		carrier = o.Parcels[0].Carrier
	}
	b.took(o, carrier, ToScan, o.Moments.ReadyAt, scanned, n)
	b.took(o, carrier, ToDelivery, scanned, o.Moments.DeliveredAt, n)
}

func first(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

func (b *Batch) happened(o *order.Order, k Kind, at time.Time, n int64) {
	if !at.IsZero() {
		b.Count(Count{Connection: o.ConnectionID, Node: o.WarehouseRef, Kind: k, Hour: HourOf(at), N: n})
	}
}

func (b *Batch) took(o *order.Order, carrier string, l Leg, from, to time.Time, n int64) {
	if from.IsZero() || to.IsZero() {
		return
	}
	hours := min(max(int64(to.Sub(from)/time.Hour), 0), MaxHours)
	b.Lag(Lag{Connection: o.ConnectionID, Carrier: carrier, Leg: l, Ended: HourOf(to) / 24 * 24, Hours: hours, N: n})
}

// Count adds a count.
func (b *Batch) Count(c Count) {
	n := c.N
	c.N = 0
	if b.counts == nil {
		b.counts = map[Count]int64{}
	}
	if b.counts[c] += n; b.counts[c] == 0 {
		delete(b.counts, c)
	}
}

// Lag adds a lag.
func (b *Batch) Lag(l Lag) {
	n := l.N
	l.N = 0
	if b.lags == nil {
		b.lags = map[Lag]int64{}
	}
	if b.lags[l] += n; b.lags[l] == 0 {
		delete(b.lags, l)
	}
}

// Empty reports whether the batch changes nothing.
func (b *Batch) Empty() bool { return len(b.counts) == 0 && len(b.lags) == 0 }

// Counts lists what the batch changes, sorted, each key once.
func (b *Batch) Counts() []Count {
	out := make([]Count, 0, len(b.counts))
	for c, n := range b.counts {
		c.N = n
		out = append(out, c)
	}
	slices.SortFunc(out, func(x, y Count) int {
		return cmp.Or(strings.Compare(x.Connection, y.Connection), strings.Compare(string(x.Kind), string(y.Kind)), strings.Compare(x.Node, y.Node), cmp.Compare(x.Hour, y.Hour))
	})
	return out
}

// Lags lists what the batch changes, sorted, each key once.
func (b *Batch) Lags() []Lag {
	out := make([]Lag, 0, len(b.lags))
	for l, n := range b.lags {
		l.N = n
		out = append(out, l)
	}
	slices.SortFunc(out, func(x, y Lag) int {
		return cmp.Or(strings.Compare(x.Connection, y.Connection), strings.Compare(string(x.Leg), string(y.Leg)), cmp.Compare(x.Ended, y.Ended),
			strings.Compare(x.Carrier, y.Carrier), cmp.Compare(x.Hours, y.Hours))
	})
	return out
}
