package bench

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime/pprof"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/sim/shopify"
	"github.com/spillway/spillway/sim/world"
)

const (
	actor = "bench"
	// plenty units of the hot item outlast the run; the others get some.
	plenty, some = 400_000, 4_000
	// sharedItems are in shared mode: every sale of one must be told to all other channels. TikTok takes 50 products a second, so
	// more hot items than this would measure its rate limit.
	sharedItems = 5
	// receiptsPerSecond are deliveries, each a change that channels are told about when it matters.
	receiptsPerSecond = 2
	// drainTime is how long the last orders may take to arrive.
	drainTime = 60 * time.Second
)

// TruthOptions say how much is thrown at the program.
type TruthOptions struct {
	PerSecond int
	For       time.Duration
	Items     int
	Seed      uint64
	Database  string    // empty: embedded
	Strict    bool      // fail when a time misses its bar
	Profile   io.Writer // a CPU profile of the time under load; nil: none
	Log       *slog.Logger
	Out       io.Writer
}

// clockwork is when orders were placed, answered for and reserved.
type clockwork struct {
	mu       sync.Mutex
	placed   map[string]time.Time
	early    map[string]time.Time // reserved before place was called
	known    map[string]bool
	reserved []time.Duration
	acks     []time.Duration
	seen     map[string]uint64 // last attempt read, by shop
}

func (c *clockwork) place(id string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if early, ok := c.early[id]; ok { // reserved before the buyer's call returned
		c.reserved = append(c.reserved, max(0, early.Sub(at)))
		delete(c.early, id)
		return
	}
	c.placed[id] = at
}

// committed takes the time of orders' first appearance.
func (c *clockwork) committed(ids []string) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		if at, ok := c.placed[id]; ok {
			c.reserved = append(c.reserved, now.Sub(at))
			delete(c.placed, id)
			c.known[id] = true
		} else if !c.known[id] {
			c.early[id], c.known[id] = now, true
		}
	}
}

func (c *clockwork) open() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.placed)
}

// readAcks takes over the deliveries since the last look.
func (c *clockwork) readAcks(name string, courier *world.Courier) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range courier.Attempts(c.seen[name], 10_000) {
		c.seen[name] = max(c.seen[name], a.Seq)
		if a.Delivered && a.Try == 1 {
			c.acks = append(c.acks, time.Duration(a.LatencyMS*float64(time.Millisecond)))
		}
	}
}

func quantile(in []time.Duration, q float64) time.Duration {
	if len(in) == 0 {
		return 0
	}
	s := slices.Clone(in)
	slices.Sort(s)
	return s[min(len(s)-1, int(float64(len(s))*q))]
}

// Truth measures how fast the truth travels: webhook to answer, sale to reserved, change to the last channel told.
func Truth(ctx context.Context, o TruthOptions) error {
	home, err := os.MkdirTemp("", "spillway-bench-")
	if err != nil {
		return errs.Wrap("bench.Truth", "", err)
	}
	defer os.RemoveAll(home)
	c := &clockwork{placed: map[string]time.Time{}, early: map[string]time.Time{}, known: map[string]bool{}, seen: map[string]uint64{}}
	a, err := app.New(ctx, app.Options{Home: home, Database: o.Database, Listen: "127.0.0.1:0", OpsListen: "off", Loopback: true, Log: o.Log, Committed: c.committed})
	if err != nil {
		return err
	}
	defer a.Stop(context.WithoutCancel(ctx))
	if err := a.Start(ctx); err != nil {
		return err
	}
	t := &truth{o: o, app: a, clock: c}
	if err := t.furnish(ctx); err != nil {
		return err
	}
	defer t.close()
	if err := t.run(ctx); err != nil {
		return err
	}
	return t.report(ctx)
}

type truth struct {
	o        TruthOptions
	app      *app.App
	clock    *clockwork
	articles []stage.Article
	shops    []stage.Shop
	conns    []string
	placed   int
	refused  int
	mu       sync.Mutex
	drained  time.Duration
	before   ops.Snapshot
}

func (t *truth) furnish(ctx context.Context) error {
	for i := range t.o.Items {
		sku := fmt.Sprintf("B%05d", i)
		t.articles = append(t.articles, stage.Article{SKU: sku, Title: "Article " + sku, Cents: 1999})
	}
	if err := stage.Furnish(ctx, t.app, t.articles, func(int) int64 { return 0 }, actor); err != nil {
		return err
	}
	for i, start := range []func() (stage.Shop, error){
		func() (stage.Shop, error) { return stage.TikTok("A", t.o.Seed+1, time.Hour, t.articles, t.o.Log) },
		func() (stage.Shop, error) { return stage.Shopify("S", t.o.Seed+2, shopify.Plus, t.articles, t.o.Log) },
		func() (stage.Shop, error) { return stage.TikTok("B", t.o.Seed+3, time.Hour, t.articles, t.o.Log) },
	} {
		s, err := start()
		if err != nil {
			return err
		}
		t.shops = append(t.shops, s)
		ids, err := stage.Connect(ctx, t.app, s.App([]string{"a", "s", "b"}[i]), actor)
		if err != nil {
			return err
		}
		t.conns = append(t.conns, ids...)
	}
	err := stage.Receive(ctx, t.app, t.articles, func(i int) int64 {
		if i == 0 {
			return plenty
		}
		return some
	}, actor)
	if err != nil {
		return err
	}
	if err := t.settle(ctx); err != nil {
		return err
	}
	return t.share(ctx)
}

func (t *truth) settle(ctx context.Context) error {
	return stage.WaitTold(ctx, t.app, len(t.articles)*len(t.shops))
}

// share puts a few items into shared mode.
func (t *truth) share(ctx context.Context) error {
	for i := 1; i <= sharedItems && i < len(t.articles); i++ {
		for _, l := range t.app.Ops().ListingsOf(t.articles[i].SKU) {
			if err := t.app.Ops().SetRules(ctx, l.ID, catalog.ListingRules{Mode: catalog.Shared}, actor); err != nil {
				return err
			}
		}
	}
	return t.settle(ctx)
}

func (t *truth) run(ctx context.Context) error {
	skus := make([]string, 0, len(t.articles))
	for _, v := range t.articles[1:] {
		skus = append(skus, v.SKU)
	}
	perMinute := float64(t.o.PerSecond) * 60
	arrivals, err := world.Arrivals(world.Profile{Seed: t.o.Seed, Length: t.o.For, SKUs: skus, Zipf: 1, Hot: t.articles[0].SKU, HotShare: 0.5,
		Flows: []world.Flow{{Channel: "0", PerMinute: perMinute / 2}, {Channel: "1", PerMinute: perMinute / 4}, {Channel: "2", PerMinute: perMinute / 4}}})
	if err != nil {
		return err
	}
	t.before = t.app.Ops().Gauges().Snapshot()
	t.app.Ops().Gauges().Reset() // filling 6,000 listings takes as long as the channels' rate limits say
	if t.o.Profile != nil {
		if err := pprof.StartCPUProfile(t.o.Profile); err != nil {
			return errs.Wrap("bench.Truth", "profile", err)
		}
		defer pprof.StopCPUProfile()
	}
	began := time.Now()
	_, done := world.Play(world.Wall(), arrivals, 1, t.buy)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	rnd := world.Stream(t.o.Seed, "receipts")
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-done:
			return t.drain(ctx, began)
		case <-tick.C:
		}
		t.readAcks()
		if n%(10/receiptsPerSecond) == 0 {
			if err := t.deliver(ctx, rnd); err != nil {
				return err
			}
		}
	}
}

func (t *truth) buy(a world.Arrival) {
	i := int(a.Channel[0] - '0')
	at := time.Now()
	id, err := t.shops[i].Place([]stage.Line{{SKU: a.SKU, Qty: 1}})
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.refused++
		return
	}
	t.placed++
	t.clock.place(t.conns[i]+":"+id, at)
}

// deliver receives units of a random item: a change that has to reach the channels.
func (t *truth) deliver(ctx context.Context, rnd *rand.Rand) error {
	i := 1 + rnd.IntN(len(t.articles)-1)
	return stage.Receive(ctx, t.app, t.articles[i:i+1], func(int) int64 { return some }, actor)
}

func (t *truth) readAcks() {
	for i, s := range t.shops {
		t.clock.readAcks(t.conns[i], s.Courier())
	}
}

// drain waits until the last order is reserved.
func (t *truth) drain(ctx context.Context, began time.Time) error {
	ended := time.Now()
	for t.clock.open() > 0 {
		if time.Since(ended) > drainTime {
			return errs.New(errs.Internal, "bench.Truth", "", "%d orders were not reserved %s after the last was placed", t.clock.open(), drainTime)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.drained = time.Since(ended)
	t.readAcks()
	fmt.Fprintf(t.o.Out, "%d orders in %s, %d refused by the shops\n", t.placed, ended.Sub(began).Round(time.Millisecond), t.refused)
	return nil
}

func (t *truth) report(ctx context.Context) error {
	g := t.app.Ops().Gauges().Snapshot()
	oversold := 0
	for i, v := range t.articles {
		active := 0
		for _, s := range t.shops {
			active += s.Active(v.SKU)
		}
		if i == 0 {
			oversold += max(0, active-plenty)
		}
	}
	proof, err := t.app.Ops().Prove(ctx)
	if err != nil {
		return err
	}
	missed := 0
	w := tabwriter.NewWriter(t.o.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MEASURED\tCOUNT\tP50\tP99\tBAR\t")
	row := func(what string, n int64, p50, p99, bar time.Duration) {
		word := "ok"
		if p99 > bar {
			word, missed = "MISSED", missed+1
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\n", what, n, p50.Round(100*time.Microsecond), p99.Round(100*time.Microsecond), bar, word)
	}
	c := t.clock
	row("webhook sent → acknowledged", int64(len(c.acks)), quantile(c.acks, .5), quantile(c.acks, .99), 30*time.Millisecond)
	row("sale → reserved", int64(len(c.reserved)), quantile(c.reserved, .5), quantile(c.reserved, .99), 150*time.Millisecond)
	row("change → last channel told", g.ChangeToRight.Count, g.ChangeToRight.P50, g.ChangeToRight.P99, 500*time.Millisecond)
	fmt.Fprintf(w, "backlog drained after the last order\t\t\t%s\t\t\n", t.drained.Round(time.Millisecond))
	fmt.Fprintf(w, "quantities told\t%d\t\t\t\t\n", g.Pushes["confirmed"]-t.before.Pushes["confirmed"])
	fmt.Fprintf(w, "units oversold, journal differences\t%d, %d\t\t\t\t\n", oversold, len(proof.Ledger))
	if err := w.Flush(); err != nil {
		return err
	}
	if oversold > 0 || len(proof.Ledger) > 0 {
		return errs.New(errs.Internal, "bench.Truth", "", "the truth was lost: %s", proof)
	}
	if t.o.Strict && missed > 0 {
		return errs.New(errs.Conflict, "bench.Truth", "", "%d bars were missed", missed)
	}
	return nil
}

func (t *truth) close() {
	for _, s := range t.shops {
		s.Stop()
	}
}
