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
	"time"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops"
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
	Binary    string    // this program, for the process the shops run in
	Strict    bool      // fail when a time misses its bar
	Profile   io.Writer // a CPU profile of the time under load; nil: none
	Log       *slog.Logger
	Report    *Report
	Out       io.Writer // how it goes on
}

// clockwork is when orders were placed, answered for and reserved.
type clockwork struct {
	mu       sync.Mutex
	placed   map[string]time.Time
	early    map[string]time.Time // reserved before the news of the order arrived
	known    map[string]bool
	reserved []time.Duration
	acks     []time.Duration
}

func (c *clockwork) place(id string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if early, ok := c.early[id]; ok {
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

func quantile(in []time.Duration, q float64) time.Duration {
	if len(in) == 0 {
		return 0
	}
	s := slices.Clone(in)
	slices.Sort(s)
	return s[min(len(s)-1, int(float64(len(s))*q))]
}

// Truth measures how fast the truth travels: webhook to answer, sale to reserved, change to the last channel told. The shops and their
// buyers run in another process on the same machine.
func Truth(ctx context.Context, o TruthOptions) error {
	home, err := os.MkdirTemp("", "spillway-bench-")
	if err != nil {
		return errs.Wrap("bench.Truth", "", err)
	}
	defer os.RemoveAll(home)
	c := &clockwork{placed: map[string]time.Time{}, early: map[string]time.Time{}, known: map[string]bool{}}
	m, err := openMarket(ctx, o.Binary, marketSpec{Seed: o.Seed, Items: o.Items, PerSecond: o.PerSecond, For: o.For}, os.Stderr)
	if err != nil {
		return err
	}
	defer m.close()
	a, err := app.New(ctx, app.Options{Home: home, Database: o.Database, Listen: "127.0.0.1:0", OpsListen: "off", Loopback: true, Log: o.Log, Committed: c.committed})
	if err != nil {
		return err
	}
	defer a.Stop(context.WithoutCancel(ctx))
	if err := a.Start(ctx); err != nil {
		return err
	}
	o.Report.uses(ctx, o.Database)
	t := &truth{o: o, app: a, clock: c, market: m, articles: articlesOf("B", o.Items), received: map[string]int{}}
	if err := t.furnish(ctx); err != nil {
		return err
	}
	if err := t.run(ctx); err != nil {
		return err
	}
	return t.report(ctx)
}

type truth struct {
	o        TruthOptions
	app      *app.App
	clock    *clockwork
	market   *market
	articles []stage.Article
	conns    []string
	received map[string]int // units, by SKU
	placed   int
	refused  int
	drained  time.Duration
	before   ops.Snapshot
}

func (t *truth) furnish(ctx context.Context) error {
	if err := stage.Furnish(ctx, t.app, t.articles, func(int) int64 { return 0 }, actor); err != nil {
		return err
	}
	for _, n := range t.market.apps {
		ids, err := stage.Connect(ctx, t.app, n, actor)
		if err != nil {
			return err
		}
		t.conns = append(t.conns, ids...)
	}
	err := stage.Receive(ctx, t.app, t.articles, func(i int) int64 {
		n := some
		if i == 0 {
			n = plenty
		}
		t.received[t.articles[i].SKU] = n
		return int64(n)
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
	return stage.WaitTold(ctx, t.app, len(t.articles)*len(t.conns))
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
	t.before = t.app.Ops().Gauges().Snapshot()
	t.app.Ops().Gauges().Reset() // filling 6,000 listings takes as long as the channels' rate limits say
	if t.o.Profile != nil {
		if err := pprof.StartCPUProfile(t.o.Profile); err != nil {
			return errs.Wrap("bench.Truth", "profile", err)
		}
		defer pprof.StopCPUProfile()
	}
	if err := t.market.say("go"); err != nil {
		return err
	}
	began := time.Now()
	sold := make(chan error, 1)
	go func() { sold <- t.listen() }()
	tick := time.NewTicker(time.Second / receiptsPerSecond)
	defer tick.Stop()
	rnd := world.Stream(t.o.Seed, "receipts")
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-sold:
			if err != nil {
				return err
			}
			return t.drain(ctx, began)
		case <-tick.C:
			if err := t.deliver(ctx, rnd); err != nil {
				return err
			}
		}
	}
}

// listen takes in what the shops report until the last buyer has been.
func (t *truth) listen() error {
	for {
		n, err := t.market.next()
		if err != nil {
			return err
		}
		t.clock.mu.Lock()
		t.clock.acks = append(t.clock.acks, n.Acks...)
		t.clock.mu.Unlock()
		if n.Order != "" {
			t.placed++
			t.clock.place(t.conns[n.Shop]+":"+n.Order, n.At)
		}
		if n.Done {
			t.refused = n.Refused
			return nil
		}
	}
}

// deliver receives units of a random item: a change that has to reach the channels.
func (t *truth) deliver(ctx context.Context, rnd *rand.Rand) error {
	i := 1 + rnd.IntN(len(t.articles)-1)
	t.received[t.articles[i].SKU] += some
	return stage.Receive(ctx, t.app, t.articles[i:i+1], func(int) int64 { return some }, actor)
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
	fmt.Fprintf(t.o.Out, "%d orders in %s, %d refused by the shops\n", t.placed, ended.Sub(began).Round(time.Millisecond), t.refused)
	return nil
}

// oversold asks the shops what they sold.
func (t *truth) oversold() (int, error) {
	if err := t.market.say("end"); err != nil {
		return 0, err
	}
	n, err := t.market.next()
	over := 0
	for sku, active := range n.Active {
		over += max(0, active-t.received[sku])
	}
	return over, err
}

func (t *truth) report(ctx context.Context) error {
	g := t.app.Ops().Gauges().Snapshot()
	oversold, err := t.oversold()
	if err != nil {
		return err
	}
	proof, err := t.app.Ops().Prove(ctx)
	if err != nil {
		return err
	}
	w := t.o.Report.table("truth", "MEASURED", "COUNT", "P50", "P99", "BAR")
	row := func(what string, n int64, p50, p99, limit time.Duration) {
		w.row(what, figure("count", n, "%d"), span("p50", p50), span("p99", p99), bar(limit.String(), p99 <= limit))
	}
	c := t.clock
	row("webhook sent → acknowledged", int64(len(c.acks)), quantile(c.acks, .5), quantile(c.acks, .99), 30*time.Millisecond)
	row("sale → reserved", int64(len(c.reserved)), quantile(c.reserved, .5), quantile(c.reserved, .99), 150*time.Millisecond)
	row("change → last channel told", g.ChangeToRight.Count, g.ChangeToRight.P50, g.ChangeToRight.P99, 500*time.Millisecond)
	w.row("backlog drained after the last order", blank, blank, span("took", t.drained))
	w.row("quantities told", figure("count", g.Pushes["confirmed"]-t.before.Pushes["confirmed"], "%d"))
	w.row("orders placed, refused by the shops", words(fmt.Sprintf("%d, %d", t.placed, t.refused)), only("placed", t.placed), only("refused", t.refused))
	w.row("units oversold, journal differences", words(fmt.Sprintf("%d, %d", oversold, len(proof.Ledger))), only("oversold", oversold), only("differences", len(proof.Ledger)))
	if oversold > 0 || len(proof.Ledger) > 0 {
		return errs.New(errs.Internal, "bench.Truth", "", "the truth was lost: %s", proof)
	}
	return t.o.Report.judge("bench.Truth", t.o.Strict)
}
