package demo

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/sim/shopify"
)

const (
	demoUser = "demo@localhost"
	// perArticle units of each article are received; the hot one gets hotUnits, few enough to run out while the spike lasts.
	perArticle = 800
	hotUnits   = 500
	// remorse is the hold of a paid order, an hour on the platform.
	remorse = 20 * time.Second
)

// Options say how the demo is run.
type Options struct {
	Home   string // empty: a fresh temporary directory, deleted at the end
	Listen string
	Ops    string // address of metrics
	Seed   uint64
	Log    *slog.Logger
	Out    io.Writer // what the person in front of it reads
}

// Demo is a running demo.
type Demo struct {
	o        Options
	app      *app.App
	history  history
	channels []stage.Shop
	conns    []string
	temp     string
}

// New starts Spillway and the simulators, stocks the shelves and connects the shops.
func New(ctx context.Context, o Options) (*Demo, error) {
	d := &Demo{o: o}
	if err := d.build(ctx); err != nil {
		d.Close(ctx)
		return nil, err
	}
	return d, nil
}

func (d *Demo) build(ctx context.Context) error {
	var err error
	if d.history, err = loadHistory(); err != nil {
		return err
	}
	if d.o.Home == "" {
		if d.temp, err = os.MkdirTemp("", "spillway-demo-"); err != nil {
			return errs.Wrap("demo.New", "", err)
		}
		d.o.Home = d.temp
	}
	d.app, err = app.New(ctx, app.Options{
		Home: d.o.Home, Listen: d.o.Listen, OpsListen: d.o.Ops, Loopback: true, Log: d.o.Log, DemoUser: demoUser, Shop: "Harbour Lane Gifts",
		Zone: "America/New_York", SweepEvery: 10 * time.Second,
		Demo: "Three simulated channels; buyers replay " + d.history.Source + ".",
	})
	if err != nil {
		return err
	}
	if err := d.app.Start(ctx); err != nil {
		return err
	}
	if err := d.furnish(ctx); err != nil {
		return err
	}
	return d.open(ctx)
}

// furnish makes the user and connects the shops before anything is in stock, so that every number comes from Spillway.
func (d *Demo) furnish(ctx context.Context) error {
	user := view.User{ID: id.New(), Email: demoUser, Name: "Demo", PasswordHash: "none", CreatedAt: time.Now().UTC()}
	if err := d.app.Desk().CreateFirstUser(ctx, user); err != nil {
		return err
	}
	return stage.Furnish(ctx, d.app, d.history.Articles, func(int) int64 { return 0 }, demoUser)
}

// open starts the simulators, connects them, and receives the opening stock.
func (d *Demo) open(ctx context.Context) error {
	articles := d.history.Articles
	for i, start := range []func() (stage.Shop, error){
		func() (stage.Shop, error) {
			return stage.TikTok("Harbour Lane US", d.o.Seed+1, remorse, articles, d.o.Log)
		},
		func() (stage.Shop, error) {
			return stage.Shopify("Harbour Lane", d.o.Seed+2, shopify.Advanced, articles, d.o.Log)
		},
		func() (stage.Shop, error) {
			return stage.TikTok("Harbour Lane Outlet", d.o.Seed+3, remorse, articles, d.o.Log)
		},
	} {
		s, err := start()
		if err != nil {
			return err
		}
		d.channels = append(d.channels, s)
		ids, err := stage.Connect(ctx, d.app, s.App([]string{"tiktok-us", "shopify", "tiktok-outlet"}[i]), demoUser)
		if err != nil {
			return err
		}
		d.conns = append(d.conns, ids...)
	}
	return d.receive(ctx, func(i int) int64 {
		if i == 0 {
			return hotUnits
		}
		return perArticle
	})
}

func (d *Demo) receive(ctx context.Context, units func(i int) int64) error {
	return stage.Receive(ctx, d.app, d.history.Articles, units, demoUser)
}

// URL is where the pages are.
func (d *Demo) URL() string { return d.app.URL() }

// App is the program under the demo.
func (d *Demo) App() *app.App { return d.app }

// Close stops everything and deletes a temporary directory.
func (d *Demo) Close(ctx context.Context) error {
	var err error
	if d.app != nil {
		err = d.app.Stop(ctx)
	}
	for _, c := range d.channels {
		c.Stop()
	}
	if d.temp != "" {
		os.RemoveAll(filepath.Clean(d.temp))
	}
	return err
}

// Report prints what was sold and the proof that nothing was oversold: the simulators' own counts against the stock received.
func (d *Demo) Report(ctx context.Context, w io.Writer) error {
	proof, err := d.app.Ops().Prove(ctx)
	if err != nil {
		return err
	}
	var sold, oversold int64
	for _, a := range d.history.Articles {
		active := 0
		for _, c := range d.channels {
			active += c.Active(a.SKU)
		}
		sold += int64(active)
		oversold += max(0, int64(active)-d.received(ctx, a.SKU))
	}
	g := d.app.Ops().Gauges().Snapshot()
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "units sold by the three channels, by their own count\t%d\n", sold)
	fmt.Fprintf(t, "of these more than were in stock\t%d\n", oversold)
	fmt.Fprintf(t, "journal against balances\t%d differences\n", len(proof.Ledger))
	fmt.Fprintf(t, "promised and not there\t%d units\n", proof.Short)
	fmt.Fprintf(t, "items of which channels could sell more than is free\t%d\n", len(proof.OverExposed))
	fmt.Fprintf(t, "from the channel's event to reserved, p50 / p99\t%v / %v\n", g.SaleToReserved.P50.Round(time.Millisecond), g.SaleToReserved.P99.Round(time.Millisecond))
	fmt.Fprintf(t, "from a change to the last channel told, p50 / p99\t%v / %v\n", g.ChangeToRight.P50.Round(time.Millisecond), g.ChangeToRight.P99.Round(time.Millisecond))
	fmt.Fprintf(t, "quantities told to channels\t%d\n", g.Pushes["confirmed"])
	return t.Flush()
}

// received is how many units of an article ever came in.
func (d *Demo) received(ctx context.Context, sku string) int64 {
	n, err := d.app.Ops().Received(ctx, sku)
	if err != nil {
		return 0
	}
	return n
}
