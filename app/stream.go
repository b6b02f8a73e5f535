package app

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/store"
	"github.com/spillway/spillway/stream"
)

const (
	// relayLease is the right to publish the event log; relayHold is how long another process waits for one that died.
	relayLease = "stream"
	relayHold  = 10 * time.Second
	relayRenew = relayHold / 3
)

// joinStream begins to publish the event log and to shelter webhooks if NATS is set. Nothing here waits for NATS.
func (a *App) joinStream(o *ops.Options, m *metrics) error {
	so := a.o.NATS
	if so.URL == "" {
		return nil
	}
	so.Log = a.o.Log
	s, err := stream.Open(so)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	if !a.o.ReceiveOnly {
		work.Go(func() { s.Relay(ctx, a.store, stream.RelayOptions{Hold: a.relayHold()}) })
	}
	work.Go(func() { s.Drain(ctx, a.store) })
	a.later("stream", func(context.Context) error {
		cancel()
		work.Wait()
		s.Close()
		return nil
	})
	a.stream, o.Shelter, o.Bus = s, s.Shelter, s.Wakes()
	m.watchStream(s)
	return nil
}

// relayHold makes one process of several publish the log: the holder of a lease in the database. Where the database serves one process
// there is nobody to share with.
func (a *App) relayHold() stream.Hold {
	if !a.store.Shared() {
		return nil
	}
	me := id.New()
	return func(ctx context.Context, f func(context.Context) error) error {
		var lease store.Lease
		took := false
		err := a.store.Update(ctx, func(tx *store.Tx) (err error) {
			lease, took, err = tx.LeaseTake(relayLease, me, relayHold)
			return err
		})
		if err != nil || !took {
			return err
		}
		ctx, cancel := context.WithCancel(ctx)
		var renewing sync.WaitGroup
		renewing.Go(func() { a.renewRelay(ctx, cancel, lease) })
		err = f(ctx)
		cancel()
		renewing.Wait()
		give, done := context.WithTimeout(context.WithoutCancel(ctx), relayRenew)
		defer done()
		if e := a.store.Update(give, func(tx *store.Tx) error { return tx.LeaseRelease(me, []string{relayLease}) }); e != nil {
			a.o.Log.Debug("the lease to publish events runs out by itself", "err", e)
		}
		return err
	}
}

// renewRelay keeps the lease and ends the relay when that fails in time. What a relay does that was overtaken nevertheless, NATS refuses.
func (a *App) renewRelay(ctx context.Context, cancel func(), lease store.Lease) {
	tick := time.NewTicker(relayRenew)
	defer tick.Stop()
	held := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		began := time.Now()
		var lost []string
		call, done := context.WithTimeout(ctx, relayRenew)
		err := a.store.Update(call, func(tx *store.Tx) (err error) {
			if err := tx.LeaseRenew([]store.Lease{lease}, relayHold); err != nil {
				return err
			}
			lost, err = tx.LeaseLost(map[string]int64{lease.Name: lease.Token})
			return err
		})
		done()
		if err == nil {
			held = began
		}
		if len(lost) > 0 || time.Since(held) > relayHold-relayRenew {
			cancel()
			return
		}
	}
}

// watchStream adds the stream's figures.
func (m *metrics) watchStream(s *stream.Stream) {
	add := func(c prometheus.Collector) { m.registry.MustRegister(c) }
	gauge := func(name, help string, read func(stream.Figures) float64) {
		add(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return read(s.Figures()) }))
	}
	counter := func(name, help string, read func(stream.Figures) int64) {
		add(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(read(s.Figures())) }))
	}
	gauge("spillway_nats_connected", "1 while NATS answers.", func(f stream.Figures) float64 {
		if f.Connected {
			return 1
		}
		return 0
	})
	gauge("spillway_stream_lag_seconds", "Age of the oldest event that waits to be published; 0 where another process publishes.",
		func(f stream.Figures) float64 { return f.Lag.Seconds() })
	counter("spillway_stream_published_total", "Events published by this process.", func(f stream.Figures) int64 { return f.Published })
	counter("spillway_sheltered_total", "Webhooks kept in NATS while the database was away.", func(f stream.Figures) int64 { return f.Sheltered })
	counter("spillway_shelter_drained_total", "Sheltered webhooks moved into the inbox by this process.", func(f stream.Figures) int64 { return f.Drained })
	counter("spillway_shelter_refused_total", "Webhooks that neither the database nor NATS could take.", func(f stream.Figures) int64 { return f.Refused })
	counter("spillway_stream_dead_total", "Published events that a reader here could not do and set aside.", func(f stream.Figures) int64 { return f.Dead })
}
