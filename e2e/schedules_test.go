package e2e

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/sim/world"
)

// schedulesEnv asks for more random schedules than the gate runs, and schedulesSeed for other ones.
const (
	schedulesEnv  = "SPILLWAY_E2E_SCHEDULES"
	schedulesSeed = "SPILLWAY_E2E_SEED"
)

// healWithin is how long after the last fault everything may take to be right: the lease of whoever had a connection, and some looks.
const healWithin = 10 * time.Second

// tunnel stands between a process and the database, and can let nothing through without saying so.
type tunnel struct {
	to     string
	listen net.Listener
	mu     sync.Mutex
	dark   bool
	open   map[net.Conn]bool
}

func newTunnel(t *testing.T, to string) *tunnel {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &tunnel{to: to, listen: l, open: map[net.Conn]bool{}}
	t.Cleanup(func() { l.Close(); n.set(false) })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go n.carry(c)
		}
	}()
	return n
}

func (n *tunnel) carry(c net.Conn) {
	s, err := net.Dial("tcp", n.to)
	if err != nil {
		c.Close()
		return
	}
	n.mu.Lock()
	n.open[c], n.open[s] = true, true
	n.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { n.copy(s, c) })
	both.Go(func() { n.copy(c, s) })
	both.Wait()
	n.mu.Lock()
	delete(n.open, c)
	delete(n.open, s)
	n.mu.Unlock()
}

func (n *tunnel) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		k, err := from.Read(buf)
		n.mu.Lock()
		dark := n.dark
		n.mu.Unlock()
		if dark {
			_, _ = io.Copy(io.Discard, from) // swallowed until the connection is given up
			return
		}
		if _, wrong := to.Write(buf[:k]); wrong != nil || err != nil {
			return
		}
	}
}

// set makes the tunnel dark, or light again; what was under way in the dark is broken off.
func (n *tunnel) set(dark bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dark = dark
	if !dark {
		for c := range n.open {
			c.Close()
		}
	}
}

// troupe is three processes of their own on a PostgreSQL of their own.
type troupe struct {
	*cluster
	server  pgtest.Server
	tunnels []*tunnel
	listen  []string
	procs   []*exec.Cmd
	viewer  *app.App
}

func newTroupe(t *testing.T) *troupe {
	t.Helper()
	server := pgtest.Own(t)
	c, apps := newClusterOn(t, server.URL(), 1, time.Second, testLease)
	x := &troupe{cluster: c, server: server}
	c.receive("MUG", 150)
	for i := range c.shops {
		c.sellable(i, "MUG", 5)
	}
	c.must(apps[0].Stop(context.Background()))
	o := c.options()
	o.Log = slog.New(slog.DiscardHandler)
	viewer, err := app.New(t.Context(), o)
	c.must(err)
	t.Cleanup(func() { c.must(viewer.Stop(context.Background())) })
	c.must(viewer.Ops().LoadOnly(t.Context()))
	c.app, x.viewer = viewer, viewer
	at, err := url.Parse(server.URL())
	c.must(err)
	for i := range 3 {
		x.tunnels = append(x.tunnels, newTunnel(t, at.Host))
		l, err := net.Listen("tcp", "127.0.0.1:0")
		c.must(err)
		x.listen = append(x.listen, l.Addr().String())
		c.must(l.Close())
		x.procs = append(x.procs, nil)
		x.launch(i)
	}
	t.Cleanup(func() {
		for i := range x.procs {
			x.kill(i)
		}
	})
	c.send("http://"+x.listen[0], "http://"+x.listen[1], "http://"+x.listen[2])
	return x
}

func (x *troupe) launch(i int) {
	x.t.Helper()
	binary, err := filepath.Abs(os.Args[0])
	x.must(err)
	at, err := url.Parse(x.database)
	x.must(err)
	at.Host = x.tunnels[i].listen.Addr().String()
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), childEnv+"="+strings.Join([]string{x.home, at.String(), x.balancer.URL, x.listen[i], "1s"}, "\n"))
	x.must(cmd.Start())
	x.procs[i] = cmd
}

func (x *troupe) kill(i int) {
	_ = x.procs[i].Process.Kill() // it may have ended
	_ = x.procs[i].Wait()
}

func (x *troupe) wait(d time.Duration) {
	x.t.Helper()
	select {
	case <-time.After(d):
	case <-x.t.Context().Done():
	}
}

// strike does one thing that goes wrong, and puts it right again.
func (x *troupe) strike(rnd *rand.Rand) string {
	i := rnd.IntN(len(x.procs))
	long := testLease + time.Duration(rnd.IntN(2000))*time.Millisecond
	switch rnd.IntN(4) {
	case 0:
		x.kill(i)
		x.wait(time.Duration(rnd.IntN(2000)) * time.Millisecond)
		x.launch(i)
		return fmt.Sprint("kill ", i)
	case 1:
		x.must(x.procs[i].Process.Signal(syscall.SIGSTOP))
		x.wait(long)
		x.must(x.procs[i].Process.Signal(syscall.SIGCONT))
		return fmt.Sprint("stop ", i, " for ", long)
	case 2:
		x.tunnels[i].set(true)
		x.wait(long)
		x.tunnels[i].set(false)
		return fmt.Sprint("cut ", i, " off for ", long)
	}
	x.must(x.server.Stop())
	x.wait(time.Duration(rnd.IntN(2000)) * time.Millisecond)
	x.must(x.server.Restart())
	return "crash of the database"
}

// TestRandomSchedules lets processes and the database fail in random order while three shops sell all there is.
func TestRandomSchedules(t *testing.T) {
	n, seed := 1, uint64(1)
	if v, err := strconv.Atoi(os.Getenv(schedulesEnv)); err == nil {
		n = v
	}
	if v, err := strconv.ParseUint(os.Getenv(schedulesSeed), 10, 64); err == nil {
		seed = v
	}
	for i := range n {
		t.Run(fmt.Sprint("seed ", seed+uint64(i)), func(t *testing.T) { randomSchedule(t, seed+uint64(i)) })
	}
}

func randomSchedule(t *testing.T, seed uint64) {
	x := newTroupe(t)
	x.owners("three processes share", evenly(3))
	rnd := world.Stream(seed, "schedule")
	stop := make(chan struct{})
	var selling sync.WaitGroup
	selling.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for k := 0; ; k++ {
			select {
			case <-tick.C:
				_, _ = x.shops[k%len(x.shops)].Place([]stage.Line{{SKU: "MUG", Qty: 1}}) // sold out is no error here
			case <-stop:
				return
			}
		}
	})
	for range 3 {
		what := x.strike(rnd)
		t.Log(what)
		x.wait(time.Duration(rnd.IntN(1500)) * time.Millisecond)
	}
	close(stop)
	selling.Wait()
	healed := time.Now()
	sold := 0
	for _, s := range x.shops {
		sold += s.Active("MUG")
	}
	x.eventually("all is known and right", func() string {
		s, err := ops.ReadStatus(t.Context(), x.app.Store())
		if err != nil {
			return err.Error() // the viewer's connections were broken too
		}
		for _, c := range s.Connections {
			if c.Owner == "" || c.Pending > 0 {
				return fmt.Sprintf("%s: owner %q, %d messages", c.ID, c.Owner, c.Pending)
			}
		}
		if b := x.balance("MUG"); b.Reserved != int64(sold) {
			return fmt.Sprintf("%d reserved of %d sold", b.Reserved, sold)
		}
		return x.beyond()
	})
	took := time.Since(healed)
	t.Logf("%d sold of 150, all known and right %s after the last fault", sold, took.Round(10*time.Millisecond))
	if took > healWithin {
		t.Errorf("that took too long")
	}
	if sold > 150 {
		t.Errorf("oversold: %d of 150", sold)
	}
	x.proved()
}
