package bench

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/internal/pgserver"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/sim/world"
	"github.com/spillway/spillway/store"
)

const (
	// faultProcesses share the work.
	faultProcesses = 3
	// faultItems are few and scarce, so that every unit counts.
	faultItems, faultUnits = 8, 300
	faultPerSecond         = 60
	// faultLease is how long a lease lasts: short, so that schedules that outlast it are short too.
	faultLease = 3 * time.Second
	// healBar is how long after healing everything may take to be right.
	healBar = 10 * time.Second
)

// FaultsOptions say how much goes wrong.
type FaultsOptions struct {
	Schedules int
	Seed      uint64
	Binary    string
	NATS      string // the nats-server program
	Log       *slog.Logger
	Report    *Report
	Out       io.Writer // how it goes on
}

// faults is a cluster under fire: three processes of the program on one PostgreSQL and three NATS nodes, while three shops sell.
type faults struct {
	audit
	o       FaultsOptions
	home    string
	pg      *pgserver.Server
	streams []*node
	gates   []*gate // of each process to the database
	procs   []*node
	front   *gate // where the shops send webhooks
	watcher *app.App
	rnd     *rand.Rand
	sold    int
	stocked int64 // units of each article
	counts  map[string]int
	healed  []time.Duration
	keep    bool // the home, to look into a failure
}

// Faults plays random schedules of failures and shows after each that nothing acknowledged was lost, nothing was reserved or shipped twice, nothing was
// oversold, and every channel was right again within seconds.
func Faults(ctx context.Context, o FaultsOptions) error {
	home, err := os.MkdirTemp("", "spillway-faults-")
	if err != nil {
		return errs.Wrap("bench.Faults", "", err)
	}
	f := &faults{o: o, home: home, rnd: world.Stream(o.Seed, "faults"), counts: map[string]int{}, audit: audit{acked: map[string]bool{}}}
	defer f.stop()
	if err := f.build(ctx); err != nil {
		return err
	}
	if err := f.furnish(ctx); err != nil {
		return err
	}
	for _, p := range f.procs {
		if err := supervised(p); err != nil {
			return err
		}
	}
	for i := range o.Schedules {
		if err := f.schedule(ctx, i); err != nil {
			return err
		}
	}
	return f.report(ctx)
}

func (f *faults) stop() {
	for _, n := range slices.Concat(f.procs, f.streams) {
		n.kill()
	}
	stopShops(f.shops)
	if f.watcher != nil {
		_ = f.watcher.Stop(context.Background())
	}
	for _, g := range append(f.gates, f.front) {
		if g != nil {
			g.close()
		}
	}
	if !f.keep {
		_ = os.RemoveAll(f.home)
	}
	if f.pg != nil {
		if err := f.pg.Close(); err != nil {
			f.o.Log.Warn("PostgreSQL could not be stopped", "err", err)
		}
	}
}

func (f *faults) keyFile() string { return filepath.Join(f.home, "keys") }

// build starts everything but the program.
func (f *faults) build(ctx context.Context) (err error) {
	if f.pg, err = pgserver.Start(pgserver.Options{}); err != nil {
		return errs.Wrap("bench.Faults", "PostgreSQL", err)
	}
	f.o.Report.usesServer(ctx, f.pg)
	f.o.Report.usesNATS(ctx, f.o.NATS)
	u, err := url.Parse(f.pg.URL())
	if err != nil {
		return errs.Wrap("bench.Faults", "PostgreSQL", err)
	}
	var nats string
	if f.streams, nats, err = natsNodes(ctx, f.o.NATS, f.home); err != nil {
		return err
	}
	var starting errgroup.Group // a node alone does not become healthy
	for _, n := range f.streams {
		starting.Go(n.start)
	}
	if err := starting.Wait(); err != nil {
		return err
	}
	var listens []string
	for i := range faultProcesses {
		g, err := newGate(u.Host)
		if err != nil {
			return err
		}
		listen, err := freePort()
		if err != nil {
			return err
		}
		f.gates, listens = append(f.gates, g), append(listens, listen)
		db := *u
		db.Host = g.addr()
		f.procs = append(f.procs, &node{name: fmt.Sprintf("process %d", i), up: says("ready"), make: func() *exec.Cmd {
			cmd := exec.CommandContext(ctx, f.o.Binary, "--log-level", "info", "serve", "--home", filepath.Join(f.home, fmt.Sprint(i)), "--key-file", f.keyFile(),
				"--database", db.String(), "--listen", listen, "--ops-listen", "off", "--simulated", "--public-url", "http://"+f.front.addr(),
				"--sweep", "2s", "--lease", faultLease.String(), "--nats", nats)
			cmd.Stderr = logTo(f.home, i)
			return cmd
		}})
	}
	f.front, err = newGate(listens...)
	return err
}

// logTo keeps what a process complains of, for whoever looks into a failure.
func logTo(home string, i int) io.Writer {
	w, err := os.OpenFile(filepath.Join(home, fmt.Sprintf("process%d.log", i)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return io.Discard
	}
	return w
}

// beside are the options of a program in this process, which goes to the database by no gate.
func (f *faults) beside() app.Options {
	return app.Options{Home: filepath.Join(f.home, "beside"), KeyFile: f.keyFile(), Database: f.pg.URL(), Listen: "127.0.0.1:0", OpsListen: "off",
		Loopback: true, PublicURL: "http://" + f.front.addr(), Log: f.o.Log, Lease: faultLease}
}

// furnish connects the shops in this process and leaves them to the three.
func (f *faults) furnish(ctx context.Context) error {
	a, err := app.New(ctx, f.beside())
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return err
	}
	if err := f.stock(ctx, a); err != nil {
		a.Stop(context.WithoutCancel(ctx))
		return err
	}
	if err := a.Stop(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	if f.watcher, err = app.New(ctx, f.beside()); err != nil {
		return err
	}
	return f.watcher.Ops().LoadOnly(ctx)
}

func (f *faults) stock(ctx context.Context, a *app.App) error {
	f.articles = articlesOf("F", faultItems)
	if err := stage.Furnish(ctx, a, f.articles, func(int) int64 { return 0 }, actor); err != nil {
		return err
	}
	shops, apps, err := startShops(f.o.Seed, f.articles, f.o.Log)
	if err != nil {
		return err
	}
	f.shops, f.seen = shops, make([]uint64, len(shops))
	for _, n := range apps {
		ids, err := stage.Connect(ctx, a, n, actor)
		if err != nil {
			return err
		}
		f.conns = append(f.conns, ids...)
	}
	if err := f.receive(ctx, a, faultUnits); err != nil {
		return err
	}
	return stage.WaitTold(ctx, a, faultItems*len(f.shops))
}

func (f *faults) receive(ctx context.Context, a *app.App, units int64) error {
	f.stocked += units
	return stage.Receive(ctx, a, f.articles, func(int) int64 { return units }, actor)
}

// fault is something that goes wrong for a while.
type fault struct {
	name  string
	begin func() error
	end   func() error
}

// pick draws a fault. Those that stop a process or cut it off last longer than its leases.
func (f *faults) pick() fault {
	i := f.rnd.IntN(faultProcesses)
	p, g, n := f.procs[i], f.gates[i], f.streams[i]
	switch f.rnd.IntN(5) {
	case 0:
		return fault{"kill -9 of a process", func() error { p.kill(); return nil }, func() error { return supervised(p) }}
	case 1:
		return fault{"kill -9 of a NATS node", func() error { n.kill(); return nil }, n.start}
	case 2:
		return fault{"PostgreSQL stopped at once", f.pg.Down, f.pg.Up}
	case 3:
		return fault{"process stopped for longer than its lease", func() error { p.signal(syscall.SIGSTOP); return nil },
			func() error { p.signal(syscall.SIGCONT); return nil }}
	}
	return fault{"process cut off from the database", func() error { g.set(true); return nil }, func() error { g.set(false); return nil }}
}

// schedule lets the shops sell, breaks something at a random moment, sometimes two things, mends it, and waits until all is right.
func (f *faults) schedule(ctx context.Context, i int) error {
	broken := []fault{f.pick()}
	if f.rnd.IntN(3) == 0 {
		if second := f.pick(); second.name != broken[0].name {
			broken = append(broken, second)
		}
	}
	down := faultLease + time.Duration(500+f.rnd.IntN(1500))*time.Millisecond
	sold, err := f.trade(i, down+time.Second)
	if err != nil {
		return err
	}
	if err := rest(ctx, time.Duration(200+f.rnd.IntN(800))*time.Millisecond); err != nil {
		return err
	}
	var names []string
	for _, b := range broken {
		f.counts[b.name]++
		names = append(names, b.name)
		if err := b.begin(); err != nil {
			return errs.Wrap("bench.Faults", b.name, err)
		}
	}
	if err := rest(ctx, down); err != nil {
		return err
	}
	if err := f.mend(broken); err != nil {
		return err
	}
	f.sold += <-sold
	healed := time.Now()
	wrong := f.untilRight(ctx, healed, names)
	took := time.Since(healed)
	f.healed = append(f.healed, took)
	if wrong != "" {
		f.explain(ctx)
		return errs.New(errs.Internal, "bench.Faults", strings.Join(names, ", "), "schedule %d of seed %d: %s after healing: %s", i, f.o.Seed, took.Round(time.Second), wrong)
	}
	if (i+1)%10 == 0 {
		fmt.Fprintf(f.o.Out, "%d schedules, %d orders, slowest %s until all was right\n", i+1, f.sold, slices.Max(f.healed).Round(100*time.Millisecond))
	}
	if i%6 == 5 {
		return f.restock(ctx)
	}
	return nil
}

// mend ends all faults at once: a process that was killed cannot start before the database it needs is back.
func (f *faults) mend(broken []fault) error {
	var ends errgroup.Group
	for _, b := range broken {
		ends.Go(func() error { return errs.Wrap("bench.Faults", b.name, b.end()) })
	}
	err := ends.Wait()
	if err != nil {
		f.keep = true
		fmt.Fprintln(f.o.Out, "what the processes said is in", f.home)
	}
	return err
}

// restock receives more, in a process that is there for that alone: one that watches has no plans to make.
func (f *faults) restock(ctx context.Context) error {
	a, err := app.New(ctx, f.beside())
	if err != nil {
		return err
	}
	defer a.Stop(context.WithoutCancel(ctx))
	if err := a.Ops().LoadOnly(ctx); err != nil {
		return err
	}
	return f.receive(ctx, a, faultUnits)
}

// supervised starts a process as a supervisor does: again and again, while the database is away.
func supervised(p *node) (err error) {
	for began := time.Now(); time.Since(began) < healBar; {
		if err = p.start(); err == nil {
			return nil
		}
		p.kill()
	}
	return err
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// trade lets buyers come for a while; some orders are sent, some cancelled. The channel gets how many orders were placed when the last buyer has been.
func (f *faults) trade(i int, length time.Duration) (<-chan int, error) {
	skus := make([]string, len(f.articles))
	for k, v := range f.articles {
		skus[k] = v.SKU
	}
	arrivals, err := world.Arrivals(world.Profile{Seed: f.o.Seed + uint64(i)*7919, SKUs: skus, Zipf: 1, Length: length, MaxQty: 2,
		Flows: []world.Flow{{Channel: "0", PerMinute: faultPerSecond * 20}, {Channel: "1", PerMinute: faultPerSecond * 20}, {Channel: "2", PerMinute: faultPerSecond * 20}}})
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	n, rnd := 0, world.Stream(f.o.Seed, fmt.Sprint("fates", i))
	_, done := world.Play(world.Wall(), arrivals, 1, func(a world.Arrival) {
		s := f.shops[int(a.Channel[0]-'0')]
		id, err := s.Place([]stage.Line{{SKU: a.SKU, Qty: a.Qty}})
		if err != nil {
			return // sold out
		}
		mu.Lock()
		defer mu.Unlock()
		n++
		switch rnd.IntN(12) {
		case 0:
			_ = s.Cancel(id)
		case 1:
			_ = s.Ship(id)
		}
	})
	out := make(chan int, 1)
	go func() {
		<-done
		mu.Lock()
		defer mu.Unlock()
		out <- n
	}()
	return out, nil
}

// untilRight waits until nothing is wrong and says what still is in the end.
func (f *faults) untilRight(ctx context.Context, healed time.Time, faults []string) string {
	late := false
	for {
		wrong := f.wrong(ctx)
		if wrong == "" || time.Since(healed) > 3*healBar {
			return wrong
		}
		if !late && time.Since(healed) > healBar {
			late, f.keep = true, true
			fmt.Fprintf(f.o.Out, "late, healed %s, %s: %s; what the processes said is in %s\n", healed.Format("15:04:05.000"), strings.Join(faults, " and "), wrong, f.home)
			f.standings(ctx)
		}
		if err := rest(ctx, 200*time.Millisecond); err != nil {
			return err.Error()
		}
	}
}

// wrong names the first thing that is not as it should be.
func (f *faults) wrong(ctx context.Context) string {
	f.readAcks()
	if ids, err := f.lost(ctx, f.watcher); err != nil || len(ids) > 0 {
		return fmt.Sprintf("%d acknowledged messages are not in the inbox, such as %v (%v)", len(ids), ids[:min(2, len(ids))], err)
	}
	if text, err := f.compare(ctx, f.watcher); err != nil || text != "" {
		return fmt.Sprintf("%s (%v)", text, err)
	}
	told, all, err := f.watcher.Ops().Told(ctx)
	if err != nil || told != all || all != faultItems*len(f.shops) {
		return fmt.Sprintf("%d of %d listings show what they should (%v)", told, all, err)
	}
	for _, v := range f.articles {
		left, shown := f.stocked, int64(0)
		for _, s := range f.shops {
			left -= int64(s.Active(v.SKU))
			shown += int64(s.Shows(v.SKU))
		}
		if left < 0 {
			return fmt.Sprintf("%s: %d units oversold", v.SKU, -left)
		}
		if shown > left {
			return fmt.Sprintf("%s: the shops offer %d units and %d are left", v.SKU, shown, left)
		}
	}
	return ""
}

// explain prints what a person needs to find out why: the standings, and where the processes stand.
func (f *faults) explain(ctx context.Context) {
	f.standings(ctx)
	for _, p := range f.procs {
		p.signal(syscall.SIGQUIT) // it says where it stands, and ends
		_, _ = p.cmd.Process.Wait()
	}
	f.keep = true
	fmt.Fprintln(f.o.Out, "what the processes said is in", f.home)
}

// standings prints who has what, and the books that are not at rest.
func (f *faults) standings(ctx context.Context) {
	if err := f.watcher.Store().View(ctx, func(tx *store.Tx) error {
		leases, err := tx.LeaseList()
		for _, l := range leases {
			fmt.Fprintf(f.o.Out, "%s: %s since %s until %s\n", l.Name, l.Owner, l.Since.Format(time.TimeOnly), l.Until.Format(time.TimeOnly))
		}
		return err
	}); err != nil {
		fmt.Fprintln(f.o.Out, err)
	}
	for _, v := range f.articles {
		var ids []string
		for _, l := range f.watcher.Ops().ListingsOf(v.SKU) {
			ids = append(ids, l.ID)
		}
		err := f.watcher.Store().View(ctx, func(tx *store.Tx) error {
			rows, err := tx.BooksGet(ids)
			if !slices.ContainsFunc(rows, func(r store.BookRow) bool { return unsettled(r) }) {
				return err
			}
			for _, r := range rows {
				if err := f.last(tx, r); err != nil {
					return err
				}
			}
			return err
		})
		if err != nil {
			fmt.Fprintln(f.o.Out, err)
		}
	}
}

// unsettled reports whether a book waits for an answer or a reading.
func unsettled(r store.BookRow) bool {
	state := string(r.State)
	return strings.Contains(state, `"in_flight"`) || strings.Contains(state, `"demand"`)
}

// last prints a book and the last pushes to its listing.
func (f *faults) last(tx *store.Tx, r store.BookRow) error {
	fmt.Fprintf(f.o.Out, "%s, saved %s: %s\n", r.ListingID, r.UpdatedAt.Format("15:04:05.000"), r.State)
	pushes, err := tx.PushLogList(r.ListingID, 0, 8)
	for _, p := range pushes {
		fmt.Fprintf(f.o.Out, "    %s %s %d: %s %s\n", p.SentAt.Format("15:04:05.000"), p.Kind, p.Qty, p.Outcome, p.Error)
	}
	return err
}

func (f *faults) report(ctx context.Context) error {
	proof, err := f.watcher.Ops().Prove(ctx)
	if err != nil {
		return err
	}
	r, slowest := f.o.Report, slices.Max(f.healed)
	w := r.table("faults", "WHAT WENT WRONG", "TIMES")
	for _, name := range slices.Sorted(maps.Keys(f.counts)) {
		w.row(name, figure("times", f.counts[name], "%d"))
	}
	w = r.table("outcome") // of what was lost or oversold a schedule has failed, and there is no outcome
	w.row("orders sold by three shops", figure("count", f.sold, "%d"))
	w.row("messages acknowledged, of them lost", words(fmt.Sprintf("%d, 0", len(f.acked))), only("acknowledged", len(f.acked)), only("lost", 0))
	w.row("units oversold", figure("count", 0, "%d"))
	w.row("all right after healing, median", tenths("took", median(f.healed)))
	w.row("all right after healing, slowest", tenths("took", slowest), bar("bar "+healBar.String(), slowest <= healBar))
	w.row("proof", words(proof.String()), only("ok", proof.OK()))
	if !proof.OK() || slowest > healBar {
		return errs.New(errs.Internal, "bench.Faults", "", "the faults did damage or healed too slowly: %s", proof)
	}
	return nil
}
