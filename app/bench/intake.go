package bench

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/kit/errs"
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
	Profile  io.Writer // a CPU profile of the gathered runs; nil: none
	Log      *slog.Logger
	Report   *Report
}

type intake struct {
	o   IntakeOptions
	app *app.App
	*baskets
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
	o.Report.uses(ctx, o.Database)
	b := &intake{o: o, app: a}
	if b.baskets, err = furnishIntake(ctx, a, m, o.Items, o.Seed); err != nil {
		return err
	}
	r := intakeReport{Engine: engineOf(o.Database), Callers: o.Callers, Page: o.Page, Lines: intakeLines}
	for range o.Runs {
		p, err := b.pour(ctx, aloneAtOnce, 1, o.For, a.Ops().IntakeAlone)
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
	return b.pour(ctx, b.o.Callers, b.o.Page, b.o.For, b.app.Ops().Intake)
}

// furnishIntake connects the shops, stocks the items for any run, and returns who buys at the first shop.
func furnishIntake(ctx context.Context, a *app.App, m *market, items int, seed uint64) (*baskets, error) {
	articles := articlesOf("B", items)
	if err := stage.Furnish(ctx, a, articles, func(int) int64 { return 0 }, actor); err != nil {
		return nil, err
	}
	conns, conn := 0, ""
	for _, n := range m.apps {
		ids, err := stage.Connect(ctx, a, n, actor)
		if err != nil {
			return nil, err
		}
		if conns += len(ids); conn == "" {
			conn = ids[0]
		}
	}
	if err := stage.Receive(ctx, a, articles, func(int) int64 { return intakeStock }, actor); err != nil {
		return nil, err
	}
	if err := stage.WaitTold(ctx, a, len(articles)*conns); err != nil {
		return nil, err
	}
	var listings []catalog.Listing
	for _, it := range articles {
		for _, l := range a.Ops().ListingsOf(it.SKU) {
			if l.ConnectionID == conn {
				listings = append(listings, l)
			}
		}
	}
	return newBaskets(conn, listings, seed, 0), nil
}

type intakeReport struct {
	Engine               string
	Callers, Page, Lines int
	Alone, Gathered      []pour
	Steps                map[string]float64 // what part of the time each takes

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
	bars := intakeBars[r.Engine]
	r.Steps = map[string]float64{}
	for step, d := range r.took {
		r.Steps[step] = d.Seconds() / r.took["all"].Seconds()
	}
	w := o.Report.table("intake", fmt.Sprintf("%s, orders of %d lines, medians of %d", r.Engine, r.Lines, len(r.Gathered)), "PER SECOND", "P50", "P99", "CPU µs/ORDER", "BAR")
	w.row(fmt.Sprintf("a transaction per order, %d at once", aloneAtOnce), alone.cells()...).Runs = r.Alone
	w.row(fmt.Sprintf("gathered, %d sources of %d", r.Callers, r.Page), append(ours.cells(), bar(fmt.Sprintf("%.0f", bars.rate), ours.Rate >= bars.rate))...).Runs = r.Gathered
	w.row("times a transaction per order", figure("times", ours.Rate/alone.Rate, "%.1f"), blank, blank, blank, bar(fmt.Sprintf("%.0f", bars.times), ours.Rate >= bars.times*alone.Rate))
	steps := slices.SortedFunc(maps.Keys(r.Steps), func(a, b string) int { return cmp.Compare(r.Steps[b], r.Steps[a]) })
	for _, s := range steps {
		w.row("  of the transactions: "+s, figure("percent", 100*r.Steps[s], "%.0f %%"))
	}
	return o.Report.judge("bench.Intake", o.Strict)
}
