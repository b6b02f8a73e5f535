package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/sim/world"
)

// Bars of intake: orders a second, and times the same work as a transaction per order.
var intakeBars = map[string]struct{ rate, times float64 }{
	engineSQLite:   {4000, 3},
	enginePostgres: {3000, 5},
}

const (
	// intakeLines is how many lines an order has.
	intakeLines = 3
	// intakeStock outlasts any run.
	intakeStock = 5_000_000
	// aloneAtOnce is how many transactions of one order are under way together: what a pool of 16 connections allows.
	aloneAtOnce = 16
)

// IntakeOptions say how orders are taken in.
type IntakeOptions struct {
	Callers  int // sources at once, each with one order after the other
	Page     int // orders of a source at a time
	For      time.Duration
	Runs     int
	Items    int
	Seed     uint64
	Database string
	Binary   string
	Strict   bool
	JSON     bool
	Profile  io.Writer // a CPU profile of the gathered runs; nil: none
	Log      *slog.Logger
	Out      io.Writer
}

type intake struct {
	o        IntakeOptions
	app      *app.App
	conn     string
	listings []catalog.Listing
	zipf     []float64 // cumulative
	next     atomic.Int64
}

// Intake measures the whole intake of orders: three lines, deadlines, reservation, exposure, journal and events, durable before it is answered,
// with planning and pushing to three shops going on behind it. The baseline is the same code with a transaction for each order.
func Intake(ctx context.Context, o IntakeOptions) error {
	home, err := os.MkdirTemp("", "spillway-intake-")
	if err != nil {
		return errs.Wrap("bench.Intake", "", err)
	}
	defer os.RemoveAll(home)
	if o.Database == "" {
		o.Database = "sqlite:" + filepath.Join(home, "spillway.db")
	}
	m, err := openMarket(ctx, o.Binary, marketSpec{Seed: o.Seed, Items: o.Items}, os.Stderr)
	if err != nil {
		return err
	}
	defer m.close()
	a, err := app.New(ctx, app.Options{Home: home, Database: o.Database, Listen: "127.0.0.1:0", OpsListen: "off", Loopback: true, Log: o.Log})
	if err != nil {
		return err
	}
	defer a.Stop(context.WithoutCancel(ctx))
	if err := a.Start(ctx); err != nil {
		return err
	}
	b := &intake{o: o, app: a}
	b.next.Store(577_000_000_000_000_000 + time.Now().UnixMicro()%1_000_000_000_000)
	if err := b.furnish(ctx, m); err != nil {
		return err
	}
	r := intakeReport{Engine: engineOf(o.Database), Callers: o.Callers, Page: o.Page, Lines: intakeLines}
	for range o.Runs {
		p, err := b.run(ctx, aloneAtOnce, 1, a.Ops().IntakeAlone)
		if err != nil {
			return err
		}
		r.Alone = append(r.Alone, p)
		was := a.Ops().Gauges().IntakeSteps()
		if p, err = b.profiled(ctx); err != nil {
			return err
		}
		r.Gathered = append(r.Gathered, p)
		r.addSteps(was, a.Ops().Gauges().IntakeSteps())
	}
	proof, err := a.Ops().Prove(ctx)
	if err != nil {
		return err
	}
	if len(proof.Ledger) > 0 {
		return errs.New(errs.Internal, "bench.Intake", "", "the journal and the balances differ: %s", proof)
	}
	return r.print(o)
}

// profiled is a gathered run. A profile, if one is wanted, is of the first.
func (b *intake) profiled(ctx context.Context) (pour, error) {
	if b.o.Profile != nil {
		if err := pprof.StartCPUProfile(b.o.Profile); err != nil {
			return pour{}, errs.Wrap("bench.Intake", "profile", err)
		}
		b.o.Profile = nil
		defer pprof.StopCPUProfile()
	}
	return b.run(ctx, b.o.Callers, b.o.Page, b.app.Ops().Intake)
}

func (b *intake) furnish(ctx context.Context, m *market) error {
	articles := articlesOf("B", b.o.Items)
	if err := stage.Furnish(ctx, b.app, articles, func(int) int64 { return 0 }, actor); err != nil {
		return err
	}
	conns := 0
	for _, n := range m.apps {
		ids, err := stage.Connect(ctx, b.app, n, actor)
		if err != nil {
			return err
		}
		if conns += len(ids); b.conn == "" {
			b.conn = ids[0]
		}
	}
	if err := stage.Receive(ctx, b.app, articles, func(int) int64 { return intakeStock }, actor); err != nil {
		return err
	}
	if err := stage.WaitTold(ctx, b.app, len(articles)*conns); err != nil {
		return err
	}
	for _, a := range articles {
		for _, l := range b.app.Ops().ListingsOf(a.SKU) {
			if l.ConnectionID == b.conn {
				b.listings = append(b.listings, l)
			}
		}
	}
	sum := 0.0
	for k := range b.listings {
		sum += 1 / float64(k+1)
		b.zipf = append(b.zipf, sum)
	}
	return nil
}

// pick takes a listing by Zipf's law.
func (b *intake) pick(rnd *rand.Rand) int {
	k, _ := slices.BinarySearch(b.zipf, rnd.Float64()*b.zipf[len(b.zipf)-1])
	return k
}

// run lets callers hand in orders, each the next when the last is durable.
func (b *intake) run(ctx context.Context, callers, page int, take func(context.Context, ops.Incoming) (ops.Taken, error)) (pour, error) {
	ctx, cancel := context.WithTimeout(ctx, b.o.For)
	defer cancel()
	var (
		mu    sync.Mutex
		all   []time.Duration
		first error
		group sync.WaitGroup
		done  int
	)
	cpu, began := cpuTime(), time.Now()
	for i := range callers {
		group.Go(func() {
			rnd := world.Stream(b.o.Seed, strconv.Itoa(i))
			for ctx.Err() == nil {
				facts := make([]order.Fact, page)
				for k := range facts {
					facts[k] = b.order(rnd)
				}
				sent := time.Now()
				taken, err := take(context.WithoutCancel(ctx), ops.Incoming{ConnectionID: b.conn, Source: ops.SourcePoll, Facts: facts})
				took := time.Since(sent)
				if err == nil && (len(taken.Refused) > 0 || taken.Changed != page) {
					err = errs.New(errs.Internal, "bench.Intake", "", "%d of %d orders taken in, refused %v", taken.Changed, page, taken.Refused)
				}
				mu.Lock()
				if first == nil {
					first = err
				}
				all, done = append(all, took), done+page
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	group.Wait()
	if first != nil {
		return pour{}, first
	}
	p := pour{Rate: float64(done) / time.Since(began).Seconds(), P50: quantile(all, .5), P99: quantile(all, .99), sent: done}
	p.P50ms, p.P99ms, p.CPUus = p.P50.Seconds()*1000, p.P99.Seconds()*1000, float64((cpuTime()-cpu).Microseconds())/float64(done)
	return p, nil
}

// order is a paid order of three articles; half of all orders want the hot one.
func (b *intake) order(rnd *rand.Rand) order.Fact {
	at := time.Now().UTC().Truncate(time.Second)
	id := strconv.FormatInt(b.next.Add(1), 10)
	d := &order.Detail{Fulfilment: order.BySeller, CreatedAt: at, PaidAt: at, BuyerHash: "buyer-" + id[12:],
		Deadlines: order.Deadlines{ShipBy: at.Add(48 * time.Hour), HandOverBy: at.Add(72 * time.Hour), AutoCancelShipBy: at.Add(96 * time.Hour)}}
	used := map[int]bool{}
	for n := range intakeLines {
		k := b.pick(rnd)
		if n == 0 && rnd.IntN(2) == 0 {
			k = 0
		}
		for used[k] {
			k = (k + 1) % len(b.listings)
		}
		used[k] = true
		l := b.listings[k]
		d.Lines = append(d.Lines, order.Line{ExternalProduct: l.ProductID, ExternalSKU: l.ExternalSKU, SellerSKU: l.SellerSKU, Title: "Article " + l.SellerSKU,
			UnitPrice: money.Amount{Minor: 1999, Currency: "USD"}, Qty: 1, Units: []order.Unit{{ExternalLineID: id + strconv.Itoa(n), Status: order.AwaitingShipment}}})
	}
	return order.Fact{Kind: order.Snapshot, ConnectionID: b.conn, ExternalID: id, UpdatedAt: at, ReadAt: at.Add(time.Second), Status: order.AwaitingShipment,
		StatusText: "AWAITING_SHIPMENT", Detail: d}
}

type intakeReport struct {
	Engine   string             `json:"engine"`
	Callers  int                `json:"callers"`
	Page     int                `json:"orders_at_a_time"`
	Lines    int                `json:"lines"`
	Alone    []pour             `json:"transaction_per_order"`
	Gathered []pour             `json:"gathered"`
	Steps    map[string]float64 `json:"part_of_time"`

	took map[string]time.Duration
}

func (r *intakeReport) addSteps(before, after map[string]time.Duration) {
	if r.took == nil {
		r.took = map[string]time.Duration{}
	}
	for step, d := range after {
		r.took[step] += d - before[step]
	}
}

func (r *intakeReport) print(o IntakeOptions) error {
	alone, ours := middle(r.Alone), middle(r.Gathered)
	bar := intakeBars[r.Engine]
	r.Steps = map[string]float64{}
	for step, d := range r.took {
		r.Steps[step] = d.Seconds() / r.took["all"].Seconds()
	}
	missed := 0
	word := func(ok bool) string {
		if !ok {
			missed++
		}
		return verdict(ok)
	}
	w := tabwriter.NewWriter(o.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s, orders of %d lines, medians of %d\tPER SECOND\tP50\tP99\tCPU µs/ORDER\tBAR\t\n", r.Engine, r.Lines, len(r.Gathered))
	fmt.Fprintf(w, "a transaction per order, %d at once\t%.0f\t%s\t%s\t%.0f\t\t\n", aloneAtOnce, alone.Rate, ms(alone.P50), ms(alone.P99), alone.CPUus)
	fmt.Fprintf(w, "gathered, %d sources of %d\t%.0f\t%s\t%s\t%.0f\t%.0f\t%s\n", r.Callers, r.Page, ours.Rate, ms(ours.P50), ms(ours.P99), ours.CPUus, bar.rate, word(ours.Rate >= bar.rate))
	fmt.Fprintf(w, "times a transaction per order\t%.1f\t\t\t\t%.0f\t%s\n", ours.Rate/alone.Rate, bar.times, word(ours.Rate >= bar.times*alone.Rate))
	steps := slices.SortedFunc(maps.Keys(r.Steps), func(a, b string) int { return cmp.Compare(r.Steps[b], r.Steps[a]) })
	for _, s := range steps {
		fmt.Fprintf(w, "  of the transactions: %s\t%.0f %%\t\t\t\t\t\n", s, 100*r.Steps[s])
	}
	if o.JSON {
		return errs.Wrap("bench.Intake", "", json.NewEncoder(o.Out).Encode(r))
	}
	if err := w.Flush(); err != nil {
		return errs.Wrap("bench.Intake", "", err)
	}
	if o.Strict && missed > 0 {
		return errs.New(errs.Conflict, "bench.Intake", "", "%d bars were missed", missed)
	}
	return nil
}
