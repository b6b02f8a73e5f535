package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/sim/world"
)

const (
	// crashItems are few and scarce, so that every unit counts.
	crashItems, crashUnits = 12, 400
	crashPerSecond         = 120
	// healTime is how long the program may take after the last start until everything is right.
	healTime = 60 * time.Second
)

// CrashOptions say how often the program is killed.
type CrashOptions struct {
	Times  int
	Seed   uint64
	Binary string
	Log    *slog.Logger
	Report *Report
	Out    io.Writer // how it goes on
}

// crash is a run of the program as its own process, killed again and again while three shops sell.
type crash struct {
	audit
	o      CrashOptions
	home   string
	listen string
	mu     sync.Mutex
	sold   int
}

// Crash kills the program with SIGKILL at random moments and shows that nothing it acknowledged was lost: every message answered
// is in the inbox, every order is reserved, no unit is sold twice, and the journal equals the balances.
func Crash(ctx context.Context, o CrashOptions) error {
	home, err := os.MkdirTemp("", "spillway-crash-")
	if err != nil {
		return errs.Wrap("bench.Crash", "", err)
	}
	defer os.RemoveAll(home)
	c := &crash{o: o, home: home, audit: audit{acked: map[string]bool{}}}
	o.Report.uses(ctx, "")
	if c.listen, err = freePort(); err != nil {
		return err
	}
	if err := c.prepare(ctx); err != nil {
		return err
	}
	defer stopShops(c.shops)
	if err := c.play(ctx); err != nil {
		return err
	}
	return c.verify(ctx)
}

// freePort finds a port nobody listens on, below those the kernel gives to outgoing calls: one of these could take it while the process that
// is going to be killed and started again is down.
func freePort() (string, error) {
	const low, high, tries = 20000, 32000, 100
	var err error
	for range tries {
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(low+rand.IntN(high-low)))); err == nil {
			defer l.Close()
			return l.Addr().String(), nil
		}
	}
	return "", errs.Wrap("bench.freePort", "", err)
}

// prepare connects the shops in this process and leaves the home to the one that is going to be killed.
func (c *crash) prepare(ctx context.Context) error {
	a, err := app.New(ctx, app.Options{Home: c.home, Listen: c.listen, OpsListen: "off", Loopback: true, Log: c.o.Log})
	if err != nil {
		return err
	}
	defer a.Stop(context.WithoutCancel(ctx))
	if err := a.Start(ctx); err != nil {
		return err
	}
	c.articles = articlesOf("C", crashItems)
	if err := stage.Furnish(ctx, a, c.articles, func(int) int64 { return 0 }, actor); err != nil {
		return err
	}
	shops, apps, err := startShops(c.o.Seed, c.articles, c.o.Log)
	if err != nil {
		return err
	}
	c.shops, c.seen = shops, make([]uint64, len(shops))
	for _, n := range apps {
		ids, err := stage.Connect(ctx, a, n, actor)
		if err != nil {
			return err
		}
		c.conns = append(c.conns, ids...)
	}
	if err := stage.Receive(ctx, a, c.articles, func(int) int64 { return crashUnits }, actor); err != nil {
		return err
	}
	return stage.WaitTold(ctx, a, crashItems*len(c.shops))
}

// play sells without pause while the program is started and killed.
func (c *crash) play(ctx context.Context) error {
	rnd := world.Stream(c.o.Seed, "kills")
	skus := make([]string, len(c.articles))
	for i, v := range c.articles {
		skus[i] = v.SKU
	}
	arrivals, err := world.Arrivals(world.Profile{Seed: c.o.Seed, SKUs: skus, Zipf: 1,
		Flows: []world.Flow{{Channel: "0", PerMinute: crashPerSecond * 30}, {Channel: "1", PerMinute: crashPerSecond * 15}, {Channel: "2", PerMinute: crashPerSecond * 15}}})
	if err != nil {
		return err
	}
	var sold int
	stop, _ := world.Play(world.Wall(), arrivals, 1, func(a world.Arrival) {
		if _, err := c.shops[int(a.Channel[0]-'0')].Place([]stage.Line{{SKU: a.SKU, Qty: a.Qty}}); err == nil {
			c.mu.Lock()
			sold++
			c.mu.Unlock()
		}
	})
	defer stop()
	for i := range c.o.Times {
		if err := c.runOnce(ctx, time.Duration(100+rnd.IntN(1200))*time.Millisecond); err != nil {
			return err
		}
		c.readAcks()
		if (i+1)%10 == 0 {
			fmt.Fprintf(c.o.Out, "killed %d times\n", i+1)
		}
		if i%8 == 7 { // more to sell, so that the shops do not stand empty
			if err := c.restock(ctx); err != nil {
				return err
			}
		}
	}
	stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sold = sold
	return nil
}

// runOnce starts the program, lets it run for a while after it is ready, and kills it.
func (c *crash) runOnce(ctx context.Context, live time.Duration) error {
	cmd := exec.CommandContext(ctx, c.o.Binary, "--log-level", "error", "serve", "--home", c.home, "--listen", c.listen, "--ops-listen", "off",
		"--simulated", "--public-url", "http://"+c.listen, "--sweep", "2s")
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return errs.Wrap("bench.Crash", c.o.Binary, err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	line, err := bufio.NewReader(pipe).ReadString('\n')
	if err != nil || !strings.Contains(line, "ready") {
		return errs.New(errs.Internal, "bench.Crash", "", "the program did not start again: %q", line)
	}
	select {
	case <-time.After(live):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *crash) restock(ctx context.Context) error {
	a, err := app.New(ctx, app.Options{Home: c.home, Listen: "127.0.0.1:0", OpsListen: "off", Loopback: true, Log: c.o.Log})
	if err != nil {
		return err
	}
	defer a.Stop(context.WithoutCancel(ctx))
	if err := a.Ops().LoadOnly(ctx); err != nil {
		return err
	}
	return stage.Receive(ctx, a, c.articles, func(int) int64 { return crashUnits / 4 }, actor)
}

// verify starts the program once more in this process, waits until all is right, and counts.
func (c *crash) verify(ctx context.Context) error {
	a, err := app.New(ctx, app.Options{Home: c.home, Listen: c.listen, OpsListen: "off", Loopback: true, Log: c.o.Log, SweepEvery: time.Second})
	if err != nil {
		return err
	}
	defer a.Stop(context.WithoutCancel(ctx))
	if err := a.Start(ctx); err != nil {
		return err
	}
	began := time.Now()
	wrong := ""
	for {
		if wrong, err = c.compare(ctx, a); err != nil {
			return err
		}
		if wrong == "" || time.Since(began) > healTime {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
	lost, err := c.lost(ctx, a)
	if err != nil {
		return err
	}
	proof, err := a.Ops().Prove(ctx)
	if err != nil {
		return err
	}
	for _, id := range lost[:min(3, len(lost))] {
		c.o.Log.Warn("not in the inbox", "message", id)
	}
	healed := time.Since(began)
	w := c.o.Report.table("crash")
	w.row("killed, times", figure("count", c.o.Times, "%d"))
	w.row("orders sold meanwhile", figure("count", c.sold, "%d"))
	w.row("messages acknowledged, of them lost", words(fmt.Sprintf("%d, %d", len(c.acked), len(lost))), only("acknowledged", len(c.acked)), only("lost", len(lost)))
	w.row("shops and ledger equal", figure("equal", wrong == "", "%t"), words("after "+healed.Round(100*time.Millisecond).String()), only("took_s", healed.Seconds()))
	w.row("proof", words(proof.String()), only("ok", proof.OK()))
	if len(lost) > 0 || wrong != "" || !proof.OK() {
		return errs.New(errs.Internal, "bench.Crash", "", "the kills did damage: %d messages lost; %s; %s", len(lost), wrong, proof)
	}
	return nil
}
