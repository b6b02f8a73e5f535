package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spillway/spillway/api"
	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/all"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/dial"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/seal"
	"github.com/spillway/spillway/notify"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
	"github.com/spillway/spillway/stream"
	"github.com/spillway/spillway/web"
)

// Bounds of the HTTP servers.
const (
	readHeaderTime = 5 * time.Second
	readTime       = 15 * time.Second
	idleTime       = 2 * time.Minute
	maxHeader      = 64 << 10
	// stopTime is how long requests under way may take to finish when stopping.
	stopTime = 10 * time.Second
)

// Options is everything an operator can set. The zero value of a field takes the default named.
type Options struct {
	Home       string // directory of data and keys; default "spillway-data"
	Database   string // default "sqlite:" + Home + "/spillway.db"
	Replica    string // see store.Options
	KeyFile    string // default Home + "/keys"
	Listen     string // address of pages and webhooks; default "127.0.0.1:7070"
	OpsListen  string // address of metrics, health and readiness; default "127.0.0.1:7071"; "off": none
	PublicURL  string // how browsers and vendors reach us, such as https://ops.example.com
	Shop       string // the operator's name for this installation
	Zone       string // IANA time zone of business times; default "UTC"
	SetupCode  string // asked for when the first user is made
	SweepEvery time.Duration
	Demo       string        // what is simulated; empty: nothing, this is real
	DemoUser   string        // visitors from this machine are signed in as this user
	Loopback   bool          // channels may be on this machine: simulators
	Drain      time.Duration // how long a process that stops still takes requests, and says that it is not ready
	Lease      time.Duration // see ops.Options
	EventsKept time.Duration // see ops.Options
	// AlertsPrivate lets alerts go to addresses in private networks.
	AlertsPrivate bool
	// ReceiveOnly makes this a front for webhooks; see ops.Options.
	ReceiveOnly bool
	NATS        stream.Options // what is committed is published there; without a URL nowhere
	Vendors     []driver.Vendor
	Carriers    []driver.Carrier // nil: all there are
	Version     string
	Committed   func(orderIDs []string) // see ops.Options
	Log         *slog.Logger
	Now         func() time.Time
}

func (o *Options) fill() {
	def := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	def(&o.Home, "spillway-data")
	def(&o.Database, "sqlite:"+filepath.Join(o.Home, "spillway.db"))
	def(&o.KeyFile, filepath.Join(o.Home, "keys"))
	def(&o.Listen, "127.0.0.1:7070")
	def(&o.OpsListen, "127.0.0.1:7071")
	def(&o.Zone, "UTC")
	def(&o.Shop, "Spillway")
	def(&o.Version, "dev")
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = func() time.Time { return time.Now().UTC() }
	}
	if o.Vendors == nil {
		o.Vendors = all.All()
	}
	if o.Carriers == nil {
		o.Carriers = all.Carriers()
	}
}

// App is the program. Make it with New, run it with Start, end it with Stop.
type App struct {
	o              Options
	store          *store.Store
	ops            *ops.Ops
	desk           *ops.Desk
	url            string
	opsAt          string
	pages, private server
	stream         *stream.Stream // nil: without NATS
	leaving        atomic.Bool
	undo           []closer // last in, first out
}

type closer struct {
	name  string
	close func(context.Context) error
}

// New opens the store and the keys and makes the use-cases. Nothing listens until Start.
func New(ctx context.Context, o Options) (*App, error) {
	o.fill()
	a := &App{o: o}
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(err, a.Stop(ctx))
	}
	return a, nil
}

func (a *App) open(ctx context.Context) error {
	if err := os.MkdirAll(a.o.Home, 0o700); err != nil {
		return errs.Wrap("app.New", a.o.Home, err)
	}
	ring, err := seal.Load(a.o.KeyFile)
	if err != nil {
		return err
	}
	if a.store, err = store.Open(ctx, a.o.Database, store.Options{Now: a.o.Now, Replica: a.o.Replica, ReplicaChanged: a.replicaChanged}); err != nil {
		return err
	}
	a.later("store", func(context.Context) error { return a.store.Close() })
	metrics := newMetrics(a.o.Version)
	if a.url, err = a.listen(); err != nil {
		return err
	}
	if a.o.PublicURL == "" && a.o.Loopback {
		a.o.PublicURL = a.url
	}
	clients := newClients()
	use := ops.Options{
		Store: a.store, Vendors: a.o.Vendors, Carriers: a.o.Carriers, Ring: ring, Now: a.o.Now, Log: a.o.Log, SweepEvery: a.o.SweepEvery,
		PublicURL: a.o.PublicURL, Simulated: a.o.Loopback, Hooks: metrics.hooks(), Committed: a.o.Committed, Lease: a.o.Lease, Version: a.o.Version, ReceiveOnly: a.o.ReceiveOnly,
		EventsKept: a.o.EventsKept,
		Notify:     notify.New(notify.Options{Reach: dial.Reach{Loopback: a.o.Loopback, Private: a.o.AlertsPrivate}, Now: a.o.Now}),
		Client:     clients.calls, Files: clients.files,
	}
	if err := a.joinStream(&use, metrics); err != nil {
		return err
	}
	a.ops, err = ops.New(use)
	if err != nil {
		return err
	}
	metrics.watch(a.ops)
	return a.serve(metrics)
}

// replicaChanged says once whenever pages begin or cease to be read from the replica.
func (a *App) replicaChanged(s store.ReplicaState) {
	if s.Used {
		a.o.Log.Info("pages are read from the replica", "lag", s.Lag)
		return
	}
	a.o.Log.Warn("pages are read from the database itself: the replica is not used", "why", s.Why, "lag", s.Lag)
}

// clients are the outbound HTTP clients: one that may go to simulators on this machine, one that may not, each for calls and for files.
type clients [2]struct{ call, file *http.Client }

func newClients() (c clients) {
	for i := range c {
		o := connector.ClientOptions{AllowLoopback: i == 1}
		c[i].call, c[i].file = connector.NewClient(o), connector.NewFileClient(o)
	}
	return c
}

func (c clients) pick(simulated bool) int {
	if simulated {
		return 1
	}
	return 0
}

func (c clients) calls(simulated bool) *http.Client { return c[c.pick(simulated)].call }
func (c clients) files(simulated bool) *http.Client { return c[c.pick(simulated)].file }

// listen claims the address first, so that the addresses vendors are told are known before anything starts.
func (a *App) listen() (string, error) {
	l, err := net.Listen("tcp", a.o.Listen)
	if err != nil {
		return "", &errs.Error{Kind: errs.Unavailable, Op: "app.listen", Item: a.o.Listen,
			Safe: "is in use or not ours to listen on; set another with --listen", Cause: err}
	}
	a.pages.Listener = l
	a.later("listener", func(context.Context) error {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return "http://" + l.Addr().String(), nil
}

func (a *App) serve(m *metrics) error {
	loc, err := time.LoadLocation(a.o.Zone)
	if err != nil {
		return errs.New(errs.Invalid, "app.New", "zone", "%q is not a time zone such as America/New_York", a.o.Zone)
	}
	a.desk, err = ops.NewDesk(a.ops, ops.DeskOptions{Shop: a.o.Shop, Zones: []view.Zone{{Label: "Warehouse", Location: loc.String()}}, Demo: a.o.Demo, PublicURL: a.o.PublicURL})
	if err != nil {
		return err
	}
	site := web.New(a.desk, web.Options{
		Log: a.o.Log, Now: a.o.Now, Version: a.o.Version, SecureCookies: strings.HasPrefix(a.o.PublicURL, "https:"), PublicURL: a.o.PublicURL,
		SetupCode: a.o.SetupCode, DemoUser: a.o.DemoUser,
	})
	mux := http.NewServeMux()
	mux.Handle("/hooks/", api.Webhooks(a.ops.Receive, a.o.Log))
	mux.Handle("/api/", api.V1(a.ops, a.desk, a.o.Version, a.o.Log))
	mux.Handle("/", site)
	a.pages.Server = &http.Server{Handler: mux, ReadHeaderTimeout: readHeaderTime, ReadTimeout: readTime, IdleTimeout: idleTime,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(a.o.Log.Handler(), slog.LevelDebug)}
	a.pages.Server.RegisterOnShutdown(site.Close) // an open live page is a request that ends no other way
	if a.o.OpsListen == "off" {
		return nil
	}
	l, err := net.Listen("tcp", a.o.OpsListen)
	if err != nil {
		return &errs.Error{Kind: errs.Unavailable, Op: "app.listen", Item: a.o.OpsListen,
			Safe: "is in use; set another with --ops-listen, or 'off'", Cause: err}
	}
	a.opsAt = "http://" + l.Addr().String()
	a.private.Listener = l
	a.private.Server = &http.Server{Handler: a.privateHandler(m), ReadHeaderTimeout: readHeaderTime, ReadTimeout: readTime, MaxHeaderBytes: maxHeader}
	return nil
}

func (a *App) later(name string, close func(context.Context) error) {
	a.undo = append(a.undo, closer{name, close})
}

// Start runs the workers and begins to serve. It returns once requests are answered.
func (a *App) Start(ctx context.Context) error {
	if err := a.ops.Start(ctx); err != nil {
		return err
	}
	a.later("use-cases", func(context.Context) error { a.ops.Stop(); return nil })
	a.run("private", &a.private)
	a.run("pages", &a.pages)
	// While requests under way are answered here, others work what was ours.
	a.later("connections", func(context.Context) error { a.ops.Retire(); return nil })
	a.later("readiness", a.drain) // first of all
	return nil
}

// drain says that this process is leaving, and gives whoever balances requests the time to hear it.
func (a *App) drain(ctx context.Context) error {
	a.leaving.Store(true)
	t := time.NewTimer(a.o.Drain)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return nil
}

// server is an HTTP server with the listener it was given.
type server struct {
	*http.Server
	net.Listener
}

func (a *App) run(name string, s *server) {
	if s.Server == nil {
		return
	}
	go func() {
		if err := s.Serve(s.Listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			a.o.Log.Error("server ended", "server", name, "err", err)
		}
	}()
	a.later(name, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, stopTime)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			return s.Server.Close() // who takes longer than that is cut off
		}
		return nil
	})
}

// Stop ends everything in the reverse order: no new requests, then the workers, then the store.
func (a *App) Stop(ctx context.Context) error {
	var failed error
	for i := len(a.undo) - 1; i >= 0; i-- {
		if err := a.undo[i].close(ctx); err != nil {
			failed = errors.Join(failed, errs.Wrap("app.Stop", a.undo[i].name, err))
		}
	}
	a.undo = nil
	return failed
}

// URL is where the pages are.
func (a *App) URL() string { return a.url }

// OpsURL is where metrics and health are; empty if they are off.
func (a *App) OpsURL() string { return a.opsAt }

// Ops are the use-cases, for commands and tests.
func (a *App) Ops() *ops.Ops { return a.ops }

// Desk is what the pages work with.
func (a *App) Desk() *ops.Desk { return a.desk }

// Store is the database, for commands and tests.
func (a *App) Store() *store.Store { return a.store }
