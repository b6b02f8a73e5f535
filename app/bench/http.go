package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

const (
	// httpBar is how many times the rival's rate ours must be.
	httpBar = 100
	// scarceUnits are what too many callers want at once, scarceAsked how often it is asked for.
	scarceUnits, scarceAsked = 300, 1200
)

// HTTPOptions say how reservations are asked for.
type HTTPOptions struct {
	Callers  int
	For      time.Duration
	Runs     int
	Database string
	Rival    string // file that says how to reach another system; see Rival
	Binary   string
	Strict   bool
	Report   *Report
}

// Rival is another system that takes reservations over HTTP, as its script has started it.
type Rival struct {
	Name   string            `json:"name"`
	Addrs  []string          `json:"addrs"` // of its processes, which share the stock
	Path   string            `json:"path"`
	Header map[string]string `json:"header"`
	Hot    json.RawMessage   `json:"hot"`    // body that asks for one of plenty
	Scarce json.RawMessage   `json:"scarce"` // body that asks for one of Units
	Units  int64             `json:"units"`
}

// target is a system under measurement.
type target struct {
	name        string
	addrs       []string
	path        string
	header      map[string]string
	hot, scarce func() []byte
	units       int64
	held        func() (int64, error) // units of the scarce article held in the end; nil: as many as were granted
}

type httpBench struct {
	o    HTTPOptions
	next atomic.Int64
}

// HTTP measures reservations over HTTP with authentication, all of one hot item, and how exactly scarce stock is kept when two processes are
// asked at once, beside another system if one is given.
func HTTP(ctx context.Context, o HTTPOptions) error {
	home, err := os.MkdirTemp("", "spillway-http-")
	if err != nil {
		return errs.Wrap("bench.HTTP", "", err)
	}
	defer os.RemoveAll(home)
	b := &httpBench{o: o}
	b.next.Store(time.Now().UnixMicro())
	ours, stop, err := b.ours(ctx, home)
	if err != nil {
		return err
	}
	defer stop()
	targets := []*target{ours}
	if o.Rival != "" {
		r, err := rivalOf(o.Rival)
		if err != nil {
			return err
		}
		targets = append(targets, r)
	}
	o.Report.uses(ctx, o.Database)
	sides := make([]httpSide, len(targets))
	for range o.Runs {
		for i, t := range targets {
			p, err := b.run(ctx, t)
			if err != nil {
				return err
			}
			sides[i].Name, sides[i].Runs = t.name, append(sides[i].Runs, p)
		}
	}
	for i, t := range targets {
		if err := b.sellOut(ctx, t, &sides[i]); err != nil {
			return err
		}
	}
	return b.report(sides)
}

// ours starts one process of the program, or two where the database can be shared.
func (b *httpBench) ours(ctx context.Context, home string) (*target, func(), error) {
	var children []*child
	stop := func() {
		for _, c := range children {
			c.close()
		}
	}
	t := &target{name: "Spillway, " + engineOf(b.o.Database), path: "/api/v1/reservations", units: scarceUnits}
	number := 1
	if engineOf(b.o.Database) == enginePostgres {
		number = 2
	}
	for i := range number {
		dir := filepath.Join(home, strconv.Itoa(i))
		db := b.o.Database
		if db == "" {
			db = "sqlite:" + filepath.Join(home, "spillway.db")
		}
		c, err := startChild(ctx, b.o.Binary, "shop", shopSpec{Home: dir, Database: db, Scarce: scarceUnits, Second: i > 0}, os.Stderr)
		if err != nil {
			stop()
			return nil, nil, err
		}
		children = append(children, c)
		var n shopNews
		if err := c.read(&n); err != nil {
			stop()
			return nil, nil, err
		}
		t.addrs = append(t.addrs, n.Addr)
		t.header = map[string]string{"Authorization": "Bearer " + n.Token}
	}
	t.hot = func() []byte { return ask("h"+strconv.FormatInt(b.next.Add(1), 10), hotArticle.SKU) }
	t.scarce = func() []byte { return ask("s"+strconv.FormatInt(b.next.Add(1), 10), scarceArticle.SKU) }
	t.held = func() (int64, error) {
		var n shopNews
		err := children[0].say("look")
		if err == nil {
			err = children[0].read(&n)
		}
		if err == nil && n.Wrong > 0 {
			err = errs.New(errs.Internal, "bench.HTTP", "", "%d differences between journal and balances", n.Wrong)
		}
		return n.Held, err
	}
	return t, stop, nil
}

func rivalOf(file string) (*target, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, errs.Wrap("bench.HTTP", file, err)
	}
	var r Rival
	if err := json.Unmarshal(text, &r); err != nil || len(r.Addrs) == 0 {
		return nil, errs.New(errs.Invalid, "bench.HTTP", file, "does not describe a system to measure: %v", err)
	}
	return &target{name: r.Name, addrs: r.Addrs, path: r.Path, header: r.Header, units: r.Units,
		hot: func() []byte { return r.Hot }, scarce: func() []byte { return r.Scarce }}, nil
}

// line is one connection that asks one thing after the other.
type line struct {
	conn net.Conn
	in   *bufio.Reader
	head []byte
}

func dial(t *target, i int) (*line, error) {
	addr := t.addrs[i%len(t.addrs)]
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, errs.Wrap("bench.HTTP", addr, err)
	}
	head := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n", t.path, addr)
	for name, value := range t.header {
		head = fmt.Appendf(head, "%s: %s\r\n", name, value)
	}
	return &line{conn: conn, in: bufio.NewReader(conn), head: head}, nil
}

// post sends a body and returns the status.
func (l *line) post(body []byte) (int, error) {
	request := fmt.Appendf(append([]byte(nil), l.head...), "Content-Length: %d\r\n\r\n", len(body))
	if _, err := l.conn.Write(append(request, body...)); err != nil {
		return 0, errs.Wrap("bench.HTTP", "request", err)
	}
	a, err := http.ReadResponse(l.in, nil)
	if err != nil {
		return 0, errs.Wrap("bench.HTTP", "answer", err)
	}
	defer a.Body.Close()
	_, err = io.Copy(io.Discard, a.Body)
	return a.StatusCode, errs.Wrap("bench.HTTP", "answer", err)
}

// run lets every caller reserve one of plenty, again and again.
func (b *httpBench) run(ctx context.Context, t *target) (pour, error) {
	ctx, cancel := context.WithTimeout(ctx, b.o.For)
	defer cancel()
	began := time.Now()
	took, err := b.together(t, func(l *line) (took []time.Duration, err error) {
		for ctx.Err() == nil {
			sent := time.Now()
			status, err := l.post(t.hot())
			if err != nil || status/100 != 2 {
				return nil, errs.New(errs.Internal, "bench.HTTP", t.name, "answered %d: %v", status, err)
			}
			took = append(took, time.Since(sent))
		}
		return took, nil
	})
	if err != nil {
		return pour{}, err
	}
	p := pour{Rate: float64(len(took)) / time.Since(began).Seconds(), P50: quantile(took, .5), P99: quantile(took, .99)}
	p.P50ms, p.P99ms = p.P50.Seconds()*1000, p.P99.Seconds()*1000
	return p, nil
}

// sellOut asks for more than there is, at all processes at once.
func (b *httpBench) sellOut(ctx context.Context, t *target, side *httpSide) error {
	var asked, granted atomic.Int64
	_, err := b.together(t, func(l *line) ([]time.Duration, error) {
		for ctx.Err() == nil && asked.Add(1) <= scarceAsked {
			status, err := l.post(t.scarce())
			if err != nil {
				return nil, err
			}
			if status/100 == 2 {
				granted.Add(1)
			}
		}
		return nil, nil
	})
	side.Processes, side.Stock, side.Granted, side.Held = len(t.addrs), t.units, granted.Load(), granted.Load()
	if err == nil && t.held != nil {
		side.Held, err = t.held()
	}
	return err
}

// together runs f for every caller and joins what they measured.
func (b *httpBench) together(t *target, f func(*line) ([]time.Duration, error)) (all []time.Duration, first error) {
	var mu sync.Mutex
	var group sync.WaitGroup
	for i := range b.o.Callers {
		group.Go(func() {
			l, err := dial(t, i)
			var took []time.Duration
			if err == nil {
				defer l.conn.Close()
				took, err = f(l)
			}
			mu.Lock()
			defer mu.Unlock()
			if all = append(all, took...); first == nil {
				first = err
			}
		})
	}
	group.Wait()
	return all, first
}

type httpSide struct {
	Name                 string
	Runs                 []pour
	Processes            int
	Stock, Granted, Held int64
}

// report fails if our own stock was not kept exactly.
func (b *httpBench) report(sides []httpSide) error {
	r := b.o.Report
	w := r.table("http", fmt.Sprintf("reservations of one hot item over HTTP, %d callers", b.o.Callers), "PER SECOND", "P50", "P99", "STOCK", "GRANTED", "HELD", "PROCESSES")
	for _, s := range sides {
		w.row(s.Name, append(middle(s.Runs).times(), figure("stock", s.Stock, "%d"), figure("granted", s.Granted, "%d"), figure("held", s.Held, "%d"),
			figure("processes", s.Processes, "%d"))...).Runs = s.Runs
	}
	ours := sides[0]
	if len(sides) > 1 {
		times := middle(ours.Runs).Rate / middle(sides[1].Runs).Rate
		w.row("times "+sides[1].Name, figure("times", times, "%.0f"), blank, blank, blank, bar(fmt.Sprintf("bar %d", httpBar), times >= httpBar))
	}
	if ours.Granted != ours.Stock || ours.Held != ours.Stock {
		return errs.New(errs.Internal, "bench.HTTP", "", "%d of %d units were granted and %d are held", ours.Granted, ours.Stock, ours.Held)
	}
	return r.judge("bench.HTTP", b.o.Strict)
}
