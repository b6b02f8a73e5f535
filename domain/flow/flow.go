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

// Sums adds up what batches change. The zero Sums is empty.
type Sums struct {
	counts map[Count]int64 // keys have no N
	lags   map[Lag]int64
}

// Count adds a count.
func (s *Sums) Count(c Count) {
	n := c.N
	c.N = 0
	if s.counts == nil {
		s.counts = map[Count]int64{}
	}
	if s.counts[c] += n; s.counts[c] == 0 {
		delete(s.counts, c)
	}
}

// Lag adds a lag.
func (s *Sums) Lag(l Lag) {
	n := l.N
	l.N = 0
	if s.lags == nil {
		s.lags = map[Lag]int64{}
	}
	if s.lags[l] += n; s.lags[l] == 0 {
		delete(s.lags, l)
	}
}

// Counts lists the sums, sorted, each key once.
func (s *Sums) Counts() []Count {
	out := make([]Count, 0, len(s.counts))
	for c, n := range s.counts {
		c.N = n
		out = append(out, c)
	}
	slices.SortFunc(out, func(x, y Count) int {
		return cmp.Or(strings.Compare(x.Connection, y.Connection), strings.Compare(string(x.Kind), string(y.Kind)), strings.Compare(x.Node, y.Node), cmp.Compare(x.Hour, y.Hour))
	})
	return out
}

// Lags lists the sums, sorted, each key once.
func (s *Sums) Lags() []Lag {
	out := make([]Lag, 0, len(s.lags))
	for l, n := range s.lags {
		l.N = n
		out = append(out, l)
	}
	slices.SortFunc(out, func(x, y Lag) int {
		return cmp.Or(strings.Compare(x.Connection, y.Connection), strings.Compare(string(x.Leg), string(y.Leg)), cmp.Compare(x.Ended, y.Ended),
			strings.Compare(x.Carrier, y.Carrier), cmp.Compare(x.Hours, y.Hours))
	})
	return out
}
