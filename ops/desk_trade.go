package ops

import (
	"context"
	"time"

	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// tradeEvery is how often the newest minutes of orders are counted while somebody looks.
	tradeEvery = 500 * time.Millisecond
	// tradeTail is how far back they are counted again: an order is known within seconds of its creation.
	tradeTail = 3 * time.Minute
	// tradeAnew is how often the whole day is counted again, for orders that a poll found late.
	tradeAnew = 15 * time.Minute
	// seriesMinutes are drawn.
	seriesMinutes = 60
	// pushesEvery and countsEvery are how often slower figures are counted.
	pushesEvery = 10 * time.Second
	countsEvery = 5 * time.Second
)

// trade is orders by minute of creation since midnight, and at least for the last hour.
type trade struct {
	at, anew time.Time
	minutes  map[int64]int64 // Unix minute: orders
}

// trade returns the latest count. Only the newest minutes are counted each time: what is older seldom changes.
func (d *Desk) trade(ctx context.Context) (trade, error) {
	t, _, err := d.traded.get(ctx, d.x.ctx, d.x.now, tradeEvery, d.countTrade)
	return t, err
}

func (d *Desk) countTrade(ctx context.Context) (trade, error) {
	was, _ := d.traded.peek()
	next := trade{minutes: map[int64]int64{}}
	err := d.count(ctx, func(tx *store.Tx) error {
		now := tx.Now()
		first := d.midnight(now)
		if hour := now.Add(-seriesMinutes * time.Minute); hour.Before(first) {
			first = hour
		}
		first = first.Truncate(time.Minute)
		next.at, next.anew = now, now
		from := first
		if now.Sub(was.anew) < tradeAnew && was.at.Before(now) {
			next.anew = was.anew
			if tail := was.at.Add(-tradeTail).Truncate(time.Minute); tail.After(from) {
				from = tail
			}
		}
		for minute, n := range was.minutes {
			if minute >= first.Unix()/60 && minute < from.Unix()/60 {
				next.minutes[minute] = n
			}
		}
		rows, err := tx.OrdersPerMinute(from)
		for _, r := range rows {
			next.minutes[r.Minute.Unix()/60] = r.Orders
		}
		return err
	})
	return next, err
}

// midnight is when the business day of at began.
func (d *Desk) midnight(at time.Time) time.Time {
	y, m, day := at.In(d.home).Date()
	return time.Date(y, m, day, 0, 0, 0, 0, d.home)
}

// series is the last hour; its last point is the running minute.
func (t trade) series() view.Series {
	last := t.at.Truncate(time.Minute)
	s := view.Series{Unit: "orders/min", Step: time.Minute, From: last.Add(-(seriesMinutes - 1) * time.Minute), Points: make([]float64, seriesMinutes)}
	for i := range s.Points {
		s.Points[i] = float64(t.minutes[s.From.Unix()/60+int64(i)])
	}
	return s
}

// since counts the orders created from a minute on.
func (t trade) since(from time.Time) int64 {
	var n int64
	for minute, k := range t.minutes {
		if minute >= from.Unix()/60 {
			n += k
		}
	}
	return n
}

// pushesLastHour counts pushes by connection.
func (d *Desk) pushesLastHour(ctx context.Context) (map[string]int64, error) {
	n, _, err := d.told.get(ctx, d.x.ctx, d.x.now, pushesEvery, func(ctx context.Context) (n map[string]int64, err error) {
		err = d.count(ctx, func(tx *store.Tx) error {
			n, err = tx.PushLogCounts(tx.Now().Add(-time.Hour))
			return err
		})
		return n, err
	})
	return n, err
}
