package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// gate forwards TCP connections to the first of its targets that answers, in turn, until it is shut. Shut, it takes connections and passes nothing on:
// what a partition looks like from both sides.
type gate struct {
	listener net.Listener
	targets  []string
	next     atomic.Int64
	mu       sync.Mutex
	shut     bool
	open     map[net.Conn]bool
}

func newGate(targets ...string) (*gate, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errs.Wrap("bench.gate", "", err)
	}
	g := &gate{listener: l, targets: targets, open: map[net.Conn]bool{}}
	go g.serve()
	return g, nil
}

func (g *gate) addr() string { return g.listener.Addr().String() }

func (g *gate) serve() {
	for {
		c, err := g.listener.Accept()
		if err != nil {
			return
		}
		go g.forward(c)
	}
}

// dialTime is how long a target may take to take a connection.
const dialTime = time.Second

func (g *gate) forward(c net.Conn) {
	defer c.Close()
	first := int(g.next.Add(1))
	for i := range g.targets {
		to, err := net.DialTimeout("tcp", g.targets[(first+i)%len(g.targets)], dialTime)
		if err != nil {
			continue
		}
		defer to.Close()
		g.keep(c, to)
		defer g.drop(c, to)
		done := make(chan struct{}, 2)
		for _, pair := range [][2]net.Conn{{c, to}, {to, c}} {
			go func() {
				g.pass(pair[0], pair[1])
				done <- struct{}{}
			}()
		}
		<-done
		return
	}
}

// pass copies until one side ends. While the gate is shut what was read waits.
func (g *gate) pass(from, to net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		for n > 0 && g.isShut() {
			time.Sleep(gateLook)
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// gateLook is how often what waits looks whether the gate is open again.
const gateLook = 10 * time.Millisecond

func (g *gate) keep(conns ...net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range conns {
		g.open[c] = true
	}
}

func (g *gate) drop(conns ...net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range conns {
		delete(g.open, c)
	}
}

func (g *gate) isShut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shut
}

// set shuts or opens the gate. Opening cuts the connections that hung meanwhile, as a network does that comes back after its time-outs.
func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
	if !shut {
		for c := range g.open {
			_ = c.Close()
		}
	}
}

func (g *gate) close() {
	_ = g.listener.Close()
	g.set(false)
}

// node is a process of the cluster that is killed, stopped and started again.
type node struct {
	name string
	make func() *exec.Cmd
	up   func(stdout io.Reader) error // returns when it is ready
	cmd  *exec.Cmd
}

func (n *node) start() error {
	cmd := n.make()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return errs.Wrap("bench.node", n.name, err)
	}
	if err := cmd.Start(); err != nil {
		return errs.Wrap("bench.node", n.name, err)
	}
	n.cmd = cmd
	return errs.Wrap("bench.node", n.name, n.up(out))
}

// signal tells the process something, if it is there: two faults may have met it.
func (n *node) signal(s os.Signal) {
	if n.cmd != nil {
		_ = n.cmd.Process.Signal(s)
	}
}

func (n *node) kill() {
	if n.cmd == nil {
		return
	}
	n.signal(syscall.SIGKILL)
	_ = n.cmd.Wait()
	n.cmd = nil
}

// natsNodes makes three servers that form a cluster with synced streams.
func natsNodes(ctx context.Context, binary, dir string) (nodes []*node, url string, err error) {
	var clients, routes []string
	for range 3 {
		c, err := freePort()
		if err != nil {
			return nil, "", err
		}
		r, err := freePort()
		if err != nil {
			return nil, "", err
		}
		clients, routes = append(clients, c), append(routes, r)
	}
	for i := range 3 {
		conf := filepath.Join(dir, fmt.Sprintf("nats%d.conf", i))
		monitor, err := freePort()
		if err != nil {
			return nil, "", err
		}
		text := fmt.Sprintf("server_name: n%d\nlisten: %q\nhttp: %q\nmax_payload: 8MB\njetstream { store_dir: %q, sync_interval: always }\n"+
			"cluster { name: bench, listen: %q, no_advertise: true, routes: [%s] }\n",
			i, clients[i], monitor, filepath.Join(dir, fmt.Sprintf("nats%d", i)), routes[i], "nats://"+strings.Join(routes, ", nats://"))
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			return nil, "", errs.Wrap("bench.natsNodes", conf, err)
		}
		nodes = append(nodes, &node{name: fmt.Sprintf("NATS node %d", i), make: func() *exec.Cmd { return exec.CommandContext(ctx, binary, "-c", conf) },
			up: func(io.Reader) error { return healthy(ctx, monitor) }})
	}
	return nodes, "nats://" + strings.Join(clients, ",nats://"), nil
}

// healthy waits until a NATS node says that it has caught up with the others. Two of three nodes that are behind at once are a cluster without a
// majority, which is no fault that three nodes promise to bear.
func healthy(ctx context.Context, monitor string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+monitor+"/healthz", nil)
		if err != nil {
			return err
		}
		a, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = a.Body.Close()
			if a.StatusCode == http.StatusOK {
				return nil
			}
		}
		if rest(ctx, healthLook) != nil {
			return errs.New(errs.Unavailable, "bench.natsNodes", monitor, "did not become healthy: %v", err)
		}
	}
}

// healthLook is how often a node is asked.
const healthLook = 50 * time.Millisecond

// says waits until a line of a process's output holds a word, and reads on so that it never waits for a reader.
func says(word string) func(io.Reader) error {
	return func(out io.Reader) error {
		lines := bufio.NewReader(out)
		line, err := lines.ReadString('\n')
		if err != nil || !strings.Contains(line, word) {
			return errs.New(errs.Internal, "bench", "", "did not get ready: %q", line)
		}
		go io.Copy(io.Discard, lines) //nolint:errcheck // ends with the process
		return nil
	}
}
