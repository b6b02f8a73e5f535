package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/app/demo"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/seal"
)

// home is where a command finds the data.
type home struct {
	Home     string `help:"Directory of data and keys." default:"spillway-data" env:"SPILLWAY_HOME" type:"path"`
	Database string `help:"Database URL, such as postgres://host/name; default a SQLite file in the home." env:"SPILLWAY_DATABASE"`
	Replica  string `name:"database-replica" help:"URL of a streaming standby of a PostgreSQL database, or file:path: pages are read there while it keeps up." env:"SPILLWAY_DATABASE_REPLICA"`
	KeyFile  string `help:"Key file; default in the home." env:"SPILLWAY_KEY_FILE" type:"path"`
}

func (h home) options(e *env) app.Options {
	return app.Options{Home: h.Home, Database: h.Database, Replica: h.Replica, KeyFile: h.KeyFile, Log: e.log, Version: version()}
}

type serveCmd struct {
	home
	natsFlags
	Listen    string        `help:"Address of pages and webhooks." default:"127.0.0.1:7070" env:"SPILLWAY_LISTEN"`
	OpsListen string        `help:"Address of metrics, health and readiness; 'off' for none." default:"127.0.0.1:7071" env:"SPILLWAY_OPS_LISTEN"`
	PublicURL string        `help:"How browsers and vendors reach this, such as https://ops.example.com." env:"SPILLWAY_PUBLIC_URL"`
	Shop      string        `help:"Your name for this installation." default:"Spillway" env:"SPILLWAY_SHOP"`
	Zone      string        `help:"Time zone of business times." default:"UTC" env:"SPILLWAY_ZONE"`
	SetupCode string        `help:"Asked for when the first user is made; set it whenever strangers can reach the site." env:"SPILLWAY_SETUP_CODE"`
	Sweep     time.Duration `help:"How often orders are polled behind the webhooks." default:"30s" env:"SPILLWAY_SWEEP"`
	Lease     time.Duration `help:"How long the channels of a process that died rest before another works them, where several share a database." default:"10s" env:"SPILLWAY_LEASE"`
	Drain     time.Duration `help:"How long this still takes requests when it is told to stop, saying that it is not ready: what the balancer in front needs to hear it." default:"0s" env:"SPILLWAY_DRAIN"`
	Receive   bool          `name:"receive-only" help:"Only answer webhooks; other processes on the same database do the rest." env:"SPILLWAY_RECEIVE_ONLY"`
	Simulated bool          `help:"Allow channels on this machine without TLS: simulators only." env:"SPILLWAY_SIMULATED"`
	Private   bool          `name:"alerts-private" help:"Alerts may go to addresses in private networks: a mail relay of your own." env:"SPILLWAY_ALERTS_PRIVATE"`
	eventsKept
}

func (c *serveCmd) Run(e *env) error {
	o := c.options(e)
	o.Listen, o.OpsListen, o.PublicURL, o.Shop, o.Zone = c.Listen, c.OpsListen, c.PublicURL, c.Shop, c.Zone
	o.SetupCode, o.SweepEvery, o.Loopback, o.ReceiveOnly = c.SetupCode, c.Sweep, c.Simulated, c.Receive
	o.Drain, o.Lease, o.EventsKept, o.AlertsPrivate = c.Drain, c.Lease, c.EventsKept, c.Private
	c.set(&o)
	if err := c.check(); err != nil {
		return err
	}
	a, err := app.New(e.ctx, o)
	if err != nil {
		return err
	}
	if err := a.Start(e.ctx); err != nil {
		a.Stop(context.WithoutCancel(e.ctx))
		return err
	}
	e.log.Info("ready", "pages", a.URL(), "metrics", a.OpsURL())
	fmt.Println("Spillway is ready at", a.URL())
	debug.FreeOSMemory() // what starting needed once, a small machine has back before the day begins
	select {
	case <-e.ctx.Done():
	case <-a.Store().Left():
		return errors.Join(errs.New(errs.Conflict, "serve", "", "the data of this home were moved to another database; start with that one's URL"),
			a.Stop(context.WithoutCancel(e.ctx)))
	}
	e.log.Info("stopping: requests under way are finished, what waits stays in the database")
	return a.Stop(context.WithoutCancel(e.ctx))
}

type demoCmd struct {
	Listen string        `help:"Address of the pages." default:"127.0.0.1:7070" env:"SPILLWAY_LISTEN"`
	Ops    string        `help:"Address of metrics; 'off' for none." default:"127.0.0.1:7071"`
	Seed   uint64        `help:"Decides everything that is left to chance." default:"1"`
	For    time.Duration `help:"Stop after this time; 0 runs until Ctrl-C." default:"0s"`
}

func (c *demoCmd) Run(e *env) error {
	ctx, cancel := e.ctx, context.CancelFunc(func() {})
	if c.For > 0 {
		ctx, cancel = context.WithTimeout(ctx, c.For)
	}
	defer cancel()
	began := time.Now()
	d, err := demo.New(ctx, demo.Options{Listen: c.Listen, Ops: c.Ops, Seed: c.Seed, Log: e.log, Out: os.Stdout})
	if err != nil {
		return err
	}
	defer d.Close(context.WithoutCancel(ctx))
	fmt.Printf("Open %s in a browser (ready after %.1f s). Ctrl-C ends the demo and prints the proof.\n\n", d.URL(), time.Since(began).Seconds())
	if err := d.Run(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	fmt.Println()
	return d.Report(context.WithoutCancel(ctx), os.Stdout)
}

type keyCmd struct {
	New struct{} `cmd:"" help:"Print a new key; add it as the last line of the key file to rotate."`
}

func (keyCmd) Run() error {
	fmt.Println(seal.NewKey())
	return nil
}
