package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/sim/shopify"
	"github.com/spillway/spillway/sim/world"
	"github.com/spillway/spillway/store"
)

// testLease is short so that taking over is quick; the rules are the same at ten seconds.
const testLease = 3 * time.Second

// cluster is several processes on one PostgreSQL behind a balancer, with three shops.
type cluster struct {
	*day
	balancer *httptest.Server
	sweep    time.Duration
	lease    time.Duration
	mu       sync.Mutex
	to       []string // where the balancer sends webhooks, in turn
	turn     atomic.Int64
}

func newCluster(t *testing.T, n int, sweep time.Duration) (*cluster, []*app.App) {
	t.Helper()
	return newClusterOn(t, pgtest.Start(t), n, sweep, testLease)
}

func newClusterOn(t *testing.T, database string, n int, sweep, lease time.Duration) (*cluster, []*app.App) {
	t.Helper()
	c := &cluster{day: &day{t: t, database: database, home: t.TempDir(), articles: []stage.Article{{SKU: "MUG", Title: "Mug", Cents: 1290}}}, sweep: sweep, lease: lease}
	c.balancer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		if len(c.to) == 0 {
			c.mu.Unlock()
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		at, err := url.Parse(c.to[int(c.turn.Add(1))%len(c.to)])
		c.mu.Unlock()
		if err != nil {
			t.Error(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(at)
		proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) } // a process that is down
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(c.balancer.Close)
	var apps []*app.App
	for range n {
		a := c.run()
		apps = append(apps, a)
		c.send(append(c.urls(), a.URL())...)
	}
	c.app = apps[0]
	t.Cleanup(func() {
		for _, a := range apps {
			c.must(a.Stop(context.Background()))
		}
		for _, s := range c.shops {
			s.Stop()
		}
	})
	c.must(stage.Furnish(t.Context(), c.app, c.articles, func(int) int64 { return 0 }, "test"))
	log := slog.New(slog.DiscardHandler)
	for i, start := range []func() (stage.Shop, error){
		func() (stage.Shop, error) { return stage.TikTok("A", 1, -1, c.articles, log) },
		func() (stage.Shop, error) { return stage.Shopify("S", 2, shopify.Plus, c.articles, log) },
		func() (stage.Shop, error) { return stage.TikTok("B", 3, -1, c.articles, log) },
	} {
		s, err := start()
		c.must(err)
		c.shops = append(c.shops, s)
		ids, err := stage.Connect(t.Context(), c.app, s.App([]string{"a", "s", "b"}[i]), "test")
		c.must(err)
		c.conns = append(c.conns, ids...)
	}
	return c, apps
}

func (c *cluster) options() app.Options {
	return app.Options{Home: c.home, Database: c.database, Listen: "127.0.0.1:0", OpsListen: "off", Loopback: true, SweepEvery: c.sweep, Lease: c.lease,
		PublicURL: c.balancer.URL, Log: slog.New(slog.NewTextHandler(c.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))}
}

func (c *cluster) run() *app.App {
	c.t.Helper()
	a, err := app.New(context.Background(), c.options())
	c.must(err)
	c.must(a.Start(context.Background()))
	return a
}

func (c *cluster) send(to ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.to = to
}

func (c *cluster) urls() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.to...)
}

func (c *cluster) status() ops.Status {
	c.t.Helper()
	s, err := ops.ReadStatus(c.t.Context(), c.app.Store())
	c.must(err)
	return s
}

// owners waits until every connection has an owner and check is satisfied with who has how many.
func (c *cluster) owners(what string, check func(byOwner map[string]int) bool) map[string]string {
	c.t.Helper()
	owner := map[string]string{}
	c.eventually(what, func() string {
		byOwner := map[string]int{}
		for _, l := range c.status().Connections {
			if l.Owner == "" {
				return l.ID + " has no owner"
			}
			owner[l.ID] = l.Owner
			byOwner[l.Owner]++
		}
		if !check(byOwner) {
			return fmt.Sprint(byOwner)
		}
		return ""
	})
	return owner
}

// evenly says that n processes have one connection each.
func evenly(n int) func(map[string]int) bool {
	return func(by map[string]int) bool { return len(by) == n }
}

func (c *cluster) known(a *app.App, id string) bool {
	known := false
	c.must(a.Store().View(c.t.Context(), func(tx *store.Tx) error {
		o, err := tx.OrdersGet([]string{id})
		known = len(o) == 1 && len(o[0].Lines) > 0
		return err
	}))
	return known
}

func TestProcessesDivideTheConnectionsAndTakeOver(t *testing.T) {
	const lease = 4 * testLease                                      // no slow machine hands over as late as it would end
	c, apps := newClusterOn(t, pgtest.Start(t), 3, time.Hour, lease) // no sweep helps: webhooks alone bring orders
	c.owners("three connections on three processes", evenly(3))
	c.receive("MUG", 90)
	for i := range c.shops {
		c.sellable(i, "MUG", 5)
	}

	// A webhook may come to any process: its owner takes it in within a second, and the pages of every process move.
	for i := range c.shops {
		for _, a := range apps {
			c.send(a.URL())
			ctx, cancel := context.WithCancel(t.Context())
			var heard []<-chan string
			for _, b := range apps {
				live, err := b.Ops().Live(ctx)
				c.must(err)
				heard = append(heard, live)
			}
			sold := time.Now()
			id := c.buy(i, "MUG", 1)
			for n, live := range heard {
				for topic := range live {
					if topic == "order:"+id || topic == "*" {
						break
					}
				}
				if took := time.Since(sold); took > 3*time.Second {
					t.Errorf("the pages of process %d moved after %s", n, took)
				}
			}
			c.eventually("the order is known", func() string {
				if !c.known(apps[0], id) {
					return "it is not"
				}
				return ""
			})
			if took := time.Since(sold); took > 3*time.Second { // one second on a machine that does nothing else
				t.Errorf("taken in after %s", took)
			}
			cancel()
		}
	}
	c.send(apps[0].URL(), apps[1].URL(), apps[2].URL())
	c.reserved("MUG", 9)

	// One stops in good order: what it had is another's within a second.
	began := time.Now()
	c.send(apps[0].URL(), apps[1].URL())
	c.must(apps[2].Stop(context.Background()))
	c.owners("two processes have all", evenly(2))
	t.Logf("handed over %s after the signal", time.Since(began).Round(time.Millisecond))
	if took := time.Since(began); took > lease {
		t.Errorf("handing over took %s: it was waited for the lease to end", took)
	}
	for i := range c.shops {
		c.buy(i, "MUG", 1)
	}
	c.reserved("MUG", 12)
	if s := c.status(); len(s.Processes) != 2 || s.Scheduler == "" || !s.Running {
		t.Errorf("%+v", s)
	}

	// One more comes, and gets its share.
	more := c.run()
	defer func() { c.must(more.Stop(context.Background())) }()
	c.owners("the new process has a share", evenly(3))
	for i := range c.shops {
		c.buy(i, "MUG", 1)
	}
	c.reserved("MUG", 15)
	c.settledEverywhere()
	c.proved()
}

// settledEverywhere waits until nothing is on its way and no channel could oversell.
func (c *cluster) settledEverywhere() {
	c.t.Helper()
	c.eventually("nothing is on its way", func() string {
		s := c.status()
		for _, l := range s.Connections {
			if l.Pending+l.Telling > 0 {
				return fmt.Sprintf("%s: %d messages, %d numbers", l.ID, l.Pending, l.Telling)
			}
		}
		return c.beyond()
	})
}

// takenIn waits until no message is pending and no shop shows more than it may. A push whose fate is unknown may still be counted.
func (c *cluster) takenIn() {
	c.t.Helper()
	c.eventually("everything is taken in", func() string {
		for _, l := range c.status().Connections {
			if l.Pending > 0 {
				return fmt.Sprintf("%s: %d messages", l.ID, l.Pending)
			}
		}
		return c.beyond()
	})
}

// beyond says where a shop shows more than its book allows, or all of them more than there is. A number told by one who is not the owner any
// more would be seen here. Books are read before the shops and after them: a number that was stored and told in between is its owner's to tell.
func (c *cluster) beyond() string {
	before, wrong := c.exposures(), ""
	shown, all := make([]int64, len(c.shops)), int64(0)
	for i, s := range c.shops {
		shown[i] = int64(s.Shows("MUG"))
		all += shown[i]
	}
	after := c.exposures()
	for i, n := range shown {
		if bound := max(before[c.conns[i]], after[c.conns[i]]); n > bound {
			wrong = fmt.Sprintf("%s shows %d, its book allows %d", c.conns[i], n, bound)
		}
	}
	if b := c.balance("MUG"); all > b.OnHand-b.Reserved {
		wrong = fmt.Sprintf("%d shown of %d", all, b.OnHand-b.Reserved)
	}
	return wrong
}

// exposures are the bounds of all books, by connection.
func (c *cluster) exposures() map[string]int64 {
	c.t.Helper()
	bound := map[string]int64{}
	c.must(c.app.Store().View(c.t.Context(), func(tx *store.Tx) error {
		return tx.BookNumbers([2]string{"-", "-"}, func(b store.BookNumber) bool {
			bound[b.ConnectionID] += b.Exposure
			return true
		})
	}))
	return bound
}

// childEnv tells the test binary to be a process of a cluster instead of running tests: home, database, public address, address, and how often
// to sweep.
const childEnv = "SPILLWAY_E2E_CHILD"

// child is the process of its own that is killed and stopped.
func child(spec string) int {
	f := strings.Split(spec, "\n")
	sweep, err := time.ParseDuration(f[4])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	a, err := app.New(context.Background(), app.Options{Home: f[0], Database: f[1], PublicURL: f[2], Listen: f[3], OpsListen: "off", Loopback: true,
		SweepEvery: sweep, Lease: testLease, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err == nil {
		err = a.Start(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	select {}
}

// spawn starts a process of the cluster and returns it with its id once it is known.
func (c *cluster) spawn() (*exec.Cmd, string) {
	c.t.Helper()
	binary, err := filepath.Abs(os.Args[0])
	c.must(err)
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), childEnv+"="+strings.Join([]string{c.home, c.database, c.balancer.URL, "127.0.0.1:0", "1h"}, "\n"))
	cmd.Stderr = os.Stderr
	c.must(cmd.Start())
	c.t.Cleanup(func() {
		_ = cmd.Process.Kill() // most tests have killed it
		_ = cmd.Wait()
	})
	var id string
	c.eventually("the process signs on", func() string {
		for _, p := range c.status().Processes {
			if p.PID == int64(cmd.Process.Pid) {
				id = p.ID
				return ""
			}
		}
		return "it is not known"
	})
	return cmd, id
}

func (c *cluster) ownedBy(id string, owner map[string]string) int {
	for i, conn := range c.conns {
		if owner[conn] == id {
			return i
		}
	}
	c.t.Fatal("the process owns nothing")
	return 0
}

func TestAKilledOwnersConnectionsAreTakenOver(t *testing.T) {
	c, _ := newCluster(t, 2, time.Hour)
	cmd, id := c.spawn()
	shop := c.ownedBy(id, c.owners("three processes share", evenly(3)))
	c.receive("MUG", 60)
	for i := range c.shops {
		c.sellable(i, "MUG", 5)
	}
	c.settledEverywhere() // a push that is cut off counts until its lifetime is over, which is longer than this test
	c.must(cmd.Process.Kill())
	killed := time.Now()
	for range 3 {
		c.buy(shop, "MUG", 1) // nobody works this shop at the moment; its messages are kept
	}
	c.owners("two processes have all", evenly(2))
	t.Logf("taken over %s after the kill", time.Since(killed).Round(time.Millisecond))
	if took := time.Since(killed); took > 3*testLease {
		t.Errorf("taken over after %s", took)
	}
	c.reserved("MUG", 3)
	c.receive("MUG", 30)
	c.settledEverywhere()
	c.sellable(shop, "MUG", 10)
	c.proved()
}

// TestAStoppedOwnerTellsNothingOld stops an owner for longer than its lease while a push of its waits to be repeated. When it goes on, the number
// is long another's to tell.
func TestAStoppedOwnerTellsNothingOld(t *testing.T) {
	c, _ := newCluster(t, 2, time.Hour)
	cmd, id := c.spawn()
	shop := c.ownedBy(id, c.owners("three processes share", evenly(3)))
	c.receive("MUG", 60)
	for i := range c.shops {
		c.sellable(i, "MUG", 5)
	}
	c.settledEverywhere()
	before := c.shops[shop].Shows("MUG")
	// Every call of this shop is refused for the moment, so that the push of a higher number goes on being repeated.
	_, err := c.shops[shop].Faults().Add(world.Rule{Point: "*", Kind: world.Unavailable})
	c.must(err)
	c.receive("MUG", 300)
	c.eventually("a push to the shop is repeated", func() string {
		struck := 0
		for _, r := range c.shops[shop].Faults().List() {
			struck += r.Struck
		}
		if struck < 2 {
			return "not yet"
		}
		return ""
	})
	c.must(cmd.Process.Signal(syscall.SIGSTOP))
	owner := c.owners("two processes have all", evenly(2))
	if owner[c.conns[shop]] == id {
		t.Fatal("the stopped process still has its connection")
	}
	c.shops[shop].Faults().Clear()
	c.sell(shop, before)
	c.takenIn()
	told := c.shops[shop].Shows("MUG")
	c.must(cmd.Process.Signal(syscall.SIGCONT))
	c.eventually("the process is back", func() string {
		if wrong := c.beyond(); wrong != "" {
			t.Fatal(wrong)
		}
		for _, p := range c.status().Processes {
			if p.ID == id && p.Alive && p.Owns > 0 {
				return ""
			}
		}
		return "not yet"
	})
	c.takenIn()
	t.Logf("showed %d before, %d after the taking over, %d after the old owner went on", before, told, c.shops[shop].Shows("MUG"))
	c.proved()
}

// sell sells all a shop showed.
func (c *cluster) sell(shop, n int) {
	c.t.Helper()
	for range n {
		c.buy(shop, "MUG", 1)
	}
}
