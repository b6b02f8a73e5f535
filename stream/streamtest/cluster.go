// Package streamtest runs real NATS servers for tests: three nodes in one process that can be killed and brought back, each with its own
// folder and every write synced. It must be imported by tests and measurements only.
package streamtest

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	nodes = 3
	// readyTime bounds the election of a leader on a loaded machine.
	readyTime = time.Minute
)

// Cluster is three servers. Its methods are for one goroutine.
type Cluster struct {
	tb     testing.TB
	dirs   []string
	ports  []int // of clients
	routes []int
	at     []*server.Server
}

// Start runs a cluster until the test ends.
func Start(tb testing.TB) *Cluster {
	tb.Helper()
	c := &Cluster{tb: tb, at: make([]*server.Server, nodes)}
	for range nodes {
		c.dirs = append(c.dirs, tb.TempDir())
		c.ports = append(c.ports, sparePort(tb))
		c.routes = append(c.routes, sparePort(tb))
	}
	tb.Cleanup(func() {
		for i := range c.at {
			c.Kill(i)
		}
	})
	c.BringAll()
	return c
}

// Alone runs one server until the test ends and returns its URL.
func Alone(tb testing.TB) string {
	tb.Helper()
	s, err := start(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, StoreDir: tb.TempDir()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s.ClientURL()
}

// URL names all nodes.
func (c *Cluster) URL() string {
	var out []string
	for _, p := range c.ports {
		out = append(out, fmt.Sprintf("nats://127.0.0.1:%d", p))
	}
	return strings.Join(out, ",")
}

// Size is the number of nodes.
func (c *Cluster) Size() int { return nodes }

// Kill ends a node; what it has on disk stays.
func (c *Cluster) Kill(i int) {
	if c.at[i] != nil {
		c.at[i].Shutdown()
		c.at[i].WaitForShutdown()
		c.at[i] = nil
	}
}

// Bring starts a node again on its disk.
func (c *Cluster) Bring(i int) {
	c.tb.Helper()
	if c.at[i] != nil {
		return
	}
	o := &server.Options{ServerName: fmt.Sprintf("node%d", i), Host: "127.0.0.1", Port: c.ports[i], StoreDir: c.dirs[i],
		Cluster: server.ClusterOpts{Name: "spillway", Host: "127.0.0.1", Port: c.routes[i]}}
	for j, p := range c.routes {
		if j != i {
			o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", p)})
		}
	}
	s, err := start(o)
	if err != nil {
		c.tb.Fatal(err)
	}
	c.at[i] = s
}

// BringAll starts every node that is down and waits until the cluster has a leader and every copy of every stream has caught up: a node
// killed before that may be the last that has a stream's newest messages.
func (c *Cluster) BringAll() {
	c.tb.Helper()
	for i := range c.at {
		c.Bring(i)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(readyTime); ; <-tick.C {
		if c.ready() {
			return
		}
		if time.Now().After(end) {
			c.tb.Fatal("the NATS cluster elected no leader")
		}
	}
}

func (c *Cluster) ready() bool {
	led := false
	for _, s := range c.at {
		led = led || s.JetStreamIsLeader()
		w := httptest.NewRecorder()
		s.HandleHealthz(w, httptest.NewRequest(http.MethodGet, "/healthz", nil))
		if w.Code != http.StatusOK || !s.JetStreamIsCurrent() {
			return false
		}
	}
	return led
}

func sparePort(tb testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
