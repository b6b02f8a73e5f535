package ops

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/internal/gather"
	"github.com/spillway/spillway/kit/dial"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/seal"
	"github.com/spillway/spillway/notify"
	"github.com/spillway/spillway/store"
)

// Bounds of the gathered writes.
const (
	// inboxBatch webhooks share a commit; more would make the first of them wait for the last.
	inboxBatch = 512
	// inboxBound webhooks may wait; the vendor is told to come again beyond that.
	inboxBound = 20_000
	// inboxApart, intakeApart and resultApart keep commits from coming so quickly that they carry one row each: at 1,000 webhooks a second a
	// commit for each two costs a sixth of a core.
	inboxApart, intakeApart, resultApart = 4 * time.Millisecond, 20 * time.Millisecond, 20 * time.Millisecond
	// intakeBatch orders share a transaction; a source with more has one for itself. The embedded database has one writer: while it takes
	// orders in, planned pushes and their results wait, so a transaction must stay short. Webhooks do not: the inbox has its own.
	intakeBatch = 100
	intakeBound = 20_000
	// resultBatch answers to pushes and reads share a commit.
	resultBatch = 256
	resultBound = 20_000
)

// Options is what the use-cases work with.
type Options struct {
	Store   *store.Store
	Vendors []driver.Vendor
	// Carriers are those accounts can be had with: label brokers, carriers, logistics providers.
	Carriers []driver.Carrier
	Ring     *seal.Ring
	Now      func() time.Time
	Log      *slog.Logger
	// Client makes the HTTP client of a connection; loopback addresses are allowed for simulators only.
	Client func(loopback bool) *http.Client
	// Files makes the client of long downloads.
	Files func(loopback bool) *http.Client
	// SweepEvery is how often orders are polled when nothing else asks for it.
	SweepEvery time.Duration
	// PublicURL is where vendors reach us, such as https://ops.example.com; webhooks are registered there.
	PublicURL string
	// Simulated says that the channels are simulators on this machine.
	Simulated bool
	// Committed, for measurements, is told the ids of the orders an intake has just made durable; nil: nobody is.
	Committed func(orderIDs []string)
	// ReceiveOnly makes this a front: it answers webhooks once they are durable and leaves what they mean to other processes on the same
	// database.
	ReceiveOnly bool
	// Lease is how long the connections of a process that died rest before another process works them, where several run on one database;
	// default ten seconds.
	Lease time.Duration
	// EventsKept is how long events stay in the log; 0: for ever.
	EventsKept time.Duration
	// Version of the program, for those who look which processes run.
	Version string
	// Hooks are told what the connector layer does, for metrics.
	Hooks connector.Hooks
	// Bus tells the pages of other processes what changed, besides the database's own notices, which do not pass every pooler; nil: those alone.
	Bus interface {
		Publish(topics ...string)
		Subscribe(heard func(topics []string))
	}
	// Notify sends alerts; nil: one that calls no private addresses, and this machine only beside simulators.
	Notify *notify.Sender
	// Shelter wraps the append of gathered webhooks to the inbox, to keep them durably elsewhere while the database is away; nil: they are
	// refused then. A row it keeps is answered as a repeat, so that nobody works on it before it is in the inbox.
	Shelter func(direct InboxAppend) InboxAppend
}

// InboxAppend stores webhooks and says of each whether it is new; all or nothing.
type InboxAppend = func(ctx context.Context, rows []store.InboxRow) ([]bool, error)

// Ops runs the use-cases. Make it with New, start its workers with Start.
type Ops struct {
	o        Options
	st       *store.Store
	now      func() time.Time
	log      *slog.Logger
	vendors  map[string]driver.Vendor
	carriers map[string]driver.Carrier
	freights freights
	hooked   heardLately
	network  routeNet

	inbox   *gather.Loop[store.InboxRow, bool]
	intake  *gather.Loop[Incoming, Taken]
	results *gather.Loop[bookChange, bookState]
	ledger  *gather.Loop[ledgerCall, error]

	catalog  atomic.Pointer[catalogue]
	rules    atomic.Pointer[rulebook]
	risk     riskBook
	counting atomic.Int64          // orders a full count has been through so far; 0: none runs
	proven   atomic.Pointer[Proof] // the last proof of the whole ledger by this process
	reload   sync.Mutex
	imported string // the import last taken over; housekeeping's own
	apps     appCache
	trusted  trusted
	wires    wires
	opened   openedBooks
	arrived  chan store.InboxRow
	arriving inHand // stored by requests here and not yet handed on, where other processes look for pending messages too
	finished finished
	planner  *planner
	live     *broker
	gauges   *Gauges
	alerts   alerts
	keeper   *keeper
	peers    *peers        // nil: no other process can run on this database
	told     chan struct{} // another process has stored messages for us
	scanAll  atomic.Bool   // old messages may wait for us too
	scanned  atomic.Int64  // the newest pending message seen
	release  func() error  // gives the database back that serves one process

	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// New makes the use-cases over a store. Nothing runs until Start.
func New(o Options) (*Ops, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.SweepEvery <= 0 {
		o.SweepEvery = defaultSweep
	}
	if o.Lease <= 0 {
		o.Lease = defaultLease
	}
	if o.Store == nil || o.Ring == nil || o.Now == nil || o.Client == nil || o.Files == nil {
		return nil, errs.New(errs.Internal, "ops.New", "", "a store, a key ring, a clock and clients are needed")
	}
	if o.Notify == nil {
		o.Notify = notify.New(notify.Options{Reach: dial.Reach{Loopback: o.Simulated}, Now: o.Now})
	}
	x := &Ops{o: o, st: o.Store, now: o.Now, log: o.Log, vendors: map[string]driver.Vendor{}, live: newBroker(), gauges: newGauges(o.Now)}
	for _, v := range o.Vendors {
		x.vendors[v.Describe().Vendor] = v
	}
	x.carriers, x.freights.x = map[string]driver.Carrier{}, x
	for _, c := range o.Carriers {
		x.carriers[c.Describe().Name] = c
	}
	x.rules.Store(&rulebook{})
	x.ctx, x.cancel = context.WithCancel(context.Background())
	x.planner = newPlanner(x)
	x.ledger = gather.New("ops.Reserve", reserveBatch, reserveBound, 0, x.ledgerBatch).Share(func(c ledgerCall) string { return c.actor })
	x.arrived, x.told = make(chan store.InboxRow, arrivals), make(chan struct{}, 1)
	x.keeper = newKeeper(x)
	x.wires.alone, x.wires.vendor = x.keeper.alone, x.describe
	if !x.keeper.alone {
		x.peers = newPeers(x, x.keeper.me.ID)
		x.live.also = func(topics []string) { x.peers.tellOf(noticeLive, topics) }
	}
	if bus, also := x.o.Bus, x.live.also; bus != nil {
		bus.Subscribe(x.live.tell)
		x.live.also = func(topics []string) {
			if also != nil {
				also(topics)
			}
			bus.Publish(topics...)
		}
	}
	return x, nil
}

// Start loads what is known, ends what a crash left open and runs the workers until Stop.
func (x *Ops) Start(ctx context.Context) error {
	keep := x.inboxAppend
	if x.o.Shelter != nil {
		sheltered := x.o.Shelter(func(ctx context.Context, rows []store.InboxRow) ([]bool, error) {
			return x.inboxAppend(ctx, rows, func() {})
		})
		keep = func(ctx context.Context, rows []store.InboxRow, _ func()) ([]bool, error) {
			return sheltered(ctx, rows)
		}
	}
	x.inbox = gather.New("ops.Receive", inboxBatch, inboxBound, inboxApart, keep)
	x.intake = gather.NewWeighed("ops.Intake", intakeBatch, intakeBound, intakeApart, func(in Incoming) int { return len(in.Facts) }, x.intakeBatch)
	x.results = gather.New("ops.Results", resultBatch, resultBound, resultApart, x.changeBooks)
	if err := x.reloadCatalogue(ctx); err != nil {
		return err
	}
	if err := x.followRules(ctx); err != nil {
		return err
	}
	if err := x.begin(ctx); err != nil || x.o.ReceiveOnly {
		return err
	}
	if err := x.countCaps(ctx); err != nil { // before anything is told: what is capped must not be raised
		return err
	}
	x.work.Go(x.planner.run)
	x.work.Go(x.capLoop)
	x.work.Go(x.decodeArrivals)
	x.work.Go(x.flushFinished)
	x.work.Go(x.drainInbox)
	x.work.Go(x.housekeeping)
	x.work.Go(x.custodyLoop)
	x.work.Go(x.healthLoop)
	x.work.Go(x.riskLoop)
	x.work.Go(x.countLoop)
	x.work.Go(x.alertLoop)
	x.work.Go(x.sendLoop)
	x.work.Go(x.foreseeLoop)
	x.work.Go(x.routeLoop)
	x.work.Go(x.newsLoop)
	x.work.Go(x.keptLoop)
	x.planner.dirtyAll(x.catalog.Load())
	return nil
}

// begin sets this process's connections to work: all there are, or its share of them.
func (x *Ops) begin(ctx context.Context) (err error) {
	if x.keeper.alone {
		if x.o.ReceiveOnly {
			return nil
		}
		if x.release, err = x.st.Claim(); err != nil {
			return err
		}
		return x.openWires(ctx)
	}
	opening, err := x.keeper.look(ctx)
	if err != nil {
		return err
	}
	opening.Wait()
	x.keeper.loop.Go(x.keeper.run)
	for _, run := range []func(){x.peers.listen, x.peers.speak, x.peers.follow} {
		x.work.Go(run)
	}
	return nil
}

func (x *Ops) describe(vendor string) (driver.Description, bool) {
	v, ok := x.vendors[vendor]
	if !ok {
		return driver.Description{}, false
	}
	return v.Describe(), true
}

// LoadOnly makes the use-cases usable beside a running Spillway on the same database: nothing is started, no channel is called.
func (x *Ops) LoadOnly(ctx context.Context) error {
	if err := x.reloadCatalogue(ctx); err != nil {
		return err
	}
	return x.followRules(ctx)
}

// Retire gives this process's connections to others at once; requests may still be answered until Stop. Where there can be no others it
// does nothing.
func (x *Ops) Retire() {
	if x.inbox != nil { // started
		x.keeper.retire()
	}
}

// Stop ends the workers: no new work is begun, what was begun is finished or left in the store for the next start.
func (x *Ops) Stop() {
	x.Retire()
	x.cancel()
	x.wires.stop()
	x.keeper.done.Wait()
	x.work.Wait()
	x.ledger.Close()
	if x.inbox != nil { // never started
		x.inbox.Close()
		x.intake.Close()
		x.results.Close()
	}
	x.markFinished()
	x.live.close()
	x.o.Notify.Close()
	if x.release != nil {
		if err := x.release(); err != nil {
			x.log.Warn("the database could not be given back", "err", err)
		}
	}
}

// Live subscribes to change notices until ctx ends.
func (x *Ops) Live(ctx context.Context) (<-chan string, error) { return x.live.subscribe(ctx) }

// Gauges are the measured figures of this process.
func (x *Ops) Gauges() *Gauges { return x.gauges }
