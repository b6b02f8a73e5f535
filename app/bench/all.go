package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/internal/pgserver"
	"github.com/spillway/spillway/kit/errs"
)

// AllOptions say which benches are run, and how large.
type AllOptions struct {
	Quick  bool     // small sizes: does all of it run, rather than how fast is it
	Strict bool     // fail when a bar is missed, not only when something is oversold or lost
	List   bool     // only say what would be run
	Only   []string // names of benches; empty: all
	Orders int      // of the history that pages and health are asked about
	NATS   string   // the nats-server program
	Binary string   // this program: each bench is a process of its own, whose memory is not the next one's
	Out    io.Writer
}

// All is the document of many benches.
type All struct {
	Began   time.Time `json:"began"`
	Seconds float64   `json:"seconds"`
	Quick   bool      `json:"quick"`
	Machine Machine   `json:"machine"`
	Reports []*Report `json:"reports"`
	LeftOut []LeftOut `json:"left_out"`
}

// LeftOut is a bench that could not run on this machine, and what it takes.
type LeftOut struct {
	Bench string `json:"bench"`
	Why   string `json:"why"`
}

// WriteJSON writes the document.
func (a *All) WriteJSON(out io.Writer) error { return errs.Wrap("bench all", "", indented(out, a)) }

// part is one bench of all. Where it has a home it is given that database; parts next to each other share a home of one name.
type part struct {
	bench, note string // note: what sets it apart from others of the same bench
	full, quick []string
	needs       []string
	home        string
	orders      int // that its home must have room for
}

func (p part) title() string { return strings.TrimSpace(p.bench + " " + p.note) }

// sizes are a part's flags; nil: it is not run at this size.
func (p part) sizes(quick bool) []string {
	if quick {
		return p.quick
	}
	return p.full
}

// command is what runs a part by hand in a home.
func (p part) command(quick bool, h home) []string {
	args := append([]string{"bench", p.bench}, p.sizes(quick)...)
	if h.url != "" {
		args = append(args, "--database", h.url)
	}
	if h.tenth != "" && p.bench == "pages" {
		args = append(args, "--tenth", h.tenth)
	}
	return args
}

// line is that for a reader, who has databases of another name.
func (p part) line(quick bool) string {
	var h home
	switch p.home {
	case historySQLite:
		h.url = "sqlite:history.db"
	case freshPostgres:
		h.url = "postgres://…"
	case historyPostgres:
		h.url, h.tenth = "postgres://…", "postgres://…/tenth"
	}
	return "spillway " + strings.Join(p.command(quick, h), " ")
}

// What parts need besides this program.
const (
	needPostgres = "postgres"
	needNATS     = "nats-server"
	needShipped  = "shipped" // a program built as the one that is given away
)

// Names of homes.
const (
	freshPostgres   = "postgres"
	historySQLite   = "sqlite history"
	historyPostgres = "postgres history"
	// orderBytes is what an order of a history takes on the disk, with its part of the log and of the history a tenth as long.
	orderBytes = 4_600
	// quickOrders are the history of a quick run.
	quickOrders = 20_000
)

// parts are all benches with the sizes of docs/bench.md. A part without quick sizes is of the full run only.
func (o AllOptions) parts() []part {
	split := strings.Fields
	orders := strconv.Itoa(o.Orders)
	if o.Quick {
		orders = strconv.Itoa(quickOrders)
	}
	size := o.Orders
	pages, quickPages := split("--orders "+orders+" --asks 300 --rounds 12"), split("--orders "+orders+" --asks 20 --rounds 1")
	health, quickHealth := split("--orders "+orders+" --asks 300 --live 20000 --count"), split("--orders "+orders+" --asks 20 --live 1000 --count")
	pg := []string{needPostgres}
	return []part{
		{bench: "start", full: []string{}, quick: []string{}, needs: []string{needShipped}},
		{bench: "worlds", full: split("-n 2000"), quick: split("-n 50")},
		{bench: "truth", full: []string{}, quick: split("--rate 100 --for 3s --items 50")},
		{bench: "ledger", full: split("--runs 5 --for 1s"), quick: split("--runs 1 --for 200ms --callers 64")},
		{bench: "ledger", note: "uniform", full: split("--shape uniform --runs 5 --for 1s")},
		{bench: "ledger", note: "by rank", full: split("--shape zipf --runs 5 --for 1s")},
		{bench: "ledger", note: "killed", full: split("--kill")},
		{bench: "intake", full: split("--runs 5 --for 3s"), quick: split("--runs 1 --for 500ms --items 30")},
		{bench: "intake", note: "on PostgreSQL", full: split("--runs 5 --for 3s"), quick: split("--runs 1 --for 500ms --items 30"), needs: pg, home: freshPostgres},
		{bench: "ingest", full: split("--runs 5 --for 3s --steady 10m"), quick: split("--runs 1 --for 500ms")},
		{bench: "http", full: split("--runs 3 --for 3s"), quick: split("--runs 1 --for 500ms")},
		{bench: "http", note: "on PostgreSQL", full: split("--runs 3 --for 3s"), quick: split("--runs 1 --for 500ms"), needs: pg, home: freshPostgres},
		{bench: "pages", full: pages, quick: quickPages, home: historySQLite, orders: size},
		{bench: "health", full: health, quick: quickHealth, home: historySQLite, orders: size},
		{bench: "pages", note: "on PostgreSQL", full: pages, quick: quickPages, needs: pg, home: historyPostgres, orders: size},
		{bench: "health", note: "on PostgreSQL", full: health, quick: quickHealth, needs: pg, home: historyPostgres, orders: size},
		{bench: "scale", full: split("--runs 3 --for 2s"), quick: split("--runs 1 --for 500ms --processes 1,2 --items 30"), needs: pg},
		{bench: "crash", full: split("-n 50"), quick: split("-n 3")},
		{bench: "ship", full: split("-n 1000 --seed 1 --patience 90m"), quick: split("-n 6 --seed 1")},
		{bench: "faults", full: append(split("-n 100 --nats-server"), o.NATS), quick: append(split("-n 1 --nats-server"), o.NATS), needs: []string{needPostgres, needNATS}},
	}
}

// chosen are the parts that were asked for, and of them those that lack something here. lacks says of a need what is missing, or nothing; free is the
// room on the disk.
func (o AllOptions) chosen(lacks func(need string) string, free int64) (run []part, left []LeftOut, err error) {
	all := o.parts()
	for _, name := range o.Only {
		if !slices.ContainsFunc(all, func(p part) bool { return p.bench == name }) {
			return nil, nil, errs.New(errs.Invalid, "bench all", name, "is no bench that can be run with others; spillway bench --help lists them")
		}
	}
	for _, p := range all {
		if len(o.Only) > 0 && !slices.Contains(o.Only, p.bench) || p.sizes(o.Quick) == nil {
			continue
		}
		why := ""
		for _, n := range p.needs {
			if why == "" {
				why = lacks(n)
			}
		}
		if room := int64(p.orders) * orderBytes; why == "" && !o.Quick && room > free {
			why = fmt.Sprintf("a history of %d orders needs some %d GB in %s, which has %d GB left; --orders takes fewer, the variable TMPDIR another folder", p.orders, room/1e9, os.TempDir(), free/1e9)
		}
		if why != "" {
			left = append(left, LeftOut{p.title(), why})
			continue
		}
		run = append(run, p)
	}
	return run, left, nil
}

// lacks says what a need takes that this machine has not.
func (o AllOptions) lacks(need string) string {
	switch need {
	case needPostgres:
		if err := pgserver.Installed(); err != nil {
			return strings.Join(strings.Fields(err.Error()), " ")
		}
	case needShipped:
		if info, ok := debug.ReadBuildInfo(); withRedis || ok && cgo(info) {
			return "this program is larger than the one that is shipped, which is built with CGO_ENABLED=0 and without -tags redis"
		}
	case needNATS:
		if _, err := exec.LookPath(o.NATS); err != nil {
			return "the program " + o.NATS + " is not here; make it with go build -o nats-server github.com/nats-io/nats-server/v2 and name it with --nats-server"
		}
	}
	return ""
}

// RunAll runs every bench that can run on this machine, one after the other, and prints what each finds as it comes. It fails if one of them did.
func RunAll(ctx context.Context, o AllOptions) (*All, error) {
	a := &All{Began: time.Now().UTC(), Quick: o.Quick, Machine: thisMachine(), Reports: []*Report{}, LeftOut: []LeftOut{}}
	run, left, err := o.chosen(o.lacks, freeOn(os.TempDir()))
	if err != nil {
		return a, err
	}
	a.LeftOut = append(a.LeftOut, left...)
	for _, l := range left {
		fmt.Fprintf(o.Out, "LEFT OUT: %s: %s\n", l.Bench, l.Why)
	}
	if o.List {
		for _, p := range run {
			fmt.Fprintln(o.Out, p.line(o.Quick))
		}
		return a, nil
	}
	dir, err := os.MkdirTemp("", "spillway-all-")
	if err != nil {
		return a, errs.Wrap("bench all", "", err)
	}
	h := &homes{dir: dir}
	defer func() { _ = errors.Join(h.leave(), os.RemoveAll(dir)) }() // what was measured is measured
	for i, p := range run {
		fmt.Fprintf(o.Out, "\n%d of %d, after %s: %s\n", i+1, len(run), time.Since(a.Began).Round(time.Second), p.line(o.Quick))
		r, err := o.run(ctx, p, h)
		if ctx.Err() != nil {
			return a, errs.New(errs.Unavailable, "bench all", p.title(), "was interrupted in bench %d of %d", i+1, len(run))
		}
		if err != nil {
			return a, err
		}
		a.Reports = append(a.Reports, r)
	}
	a.Seconds = rounded(time.Since(a.Began).Seconds())
	return a, a.verdict(o)
}

// run lets one part run in a process of its own. Only what keeps all the others from running too is an error.
func (o AllOptions) run(ctx context.Context, p part, h *homes) (*Report, error) {
	home, err := h.enter(ctx, p.home)
	if err != nil {
		return nil, err
	}
	saved := filepath.Join(h.dir, "report.json")
	cmd := exec.CommandContext(ctx, o.Binary, append(p.command(o.Quick, home), "--save", saved)...)
	cmd.Stdout, cmd.Stderr = o.Out, os.Stderr
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(os.Interrupt) }, time.Minute // it has servers to stop
	ended := cmd.Run()
	r := &Report{Bench: p.bench, Machine: thisMachine()}
	text, err := os.ReadFile(saved)
	if err == nil {
		err = errors.Join(json.Unmarshal(text, r), os.Remove(saved))
	}
	if ended != nil {
		err = ended // and so it may have saved nothing
	}
	if err != nil && r.Failed == "" {
		r.Failed = err.Error()
	}
	return r, nil
}

// verdict fails where a bench did.
func (a *All) verdict(o AllOptions) error {
	var failed []string
	missed := 0
	for _, r := range a.Reports {
		if missed += r.Missed; r.Failed != "" {
			failed = append(failed, r.Bench)
		}
	}
	fmt.Fprintf(o.Out, "\n%d benches in %s: %d failed, %d bars were missed; %d left out\n", len(a.Reports), time.Since(a.Began).Round(time.Second), len(failed), missed, len(a.LeftOut))
	switch {
	case len(failed) > 0:
		return errs.New(errs.Conflict, "bench all", "", "failed: %s", strings.Join(failed, ", "))
	case o.Strict && missed > 0:
		return errs.New(errs.Conflict, "bench all", "", "%d bars were missed", missed)
	}
	return nil
}

// homes are the databases that parts are given, one at a time.
type homes struct {
	dir, name string
	home      home
	pg        *pgserver.Server
}

// home is a database, and on PostgreSQL another on the same server, for the history a tenth as long.
type home struct{ url, tenth string }

// enter opens a home. A history stays for the next part that wants it; PostgreSQL is a new one each time otherwise.
func (h *homes) enter(ctx context.Context, name string) (home, error) {
	if name == h.name && name != freshPostgres {
		return h.home, nil
	}
	if err := h.leave(); err != nil {
		return home{}, err
	}
	h.name = name
	switch name {
	case historySQLite:
		h.home.url = "sqlite:" + filepath.Join(h.dir, "history.db")
	case freshPostgres, historyPostgres:
		var o pgserver.Options // a history lies on a server as it comes
		if name == freshPostgres {
			o.Settings = pgSettings
		}
		s, err := pgserver.Start(o)
		if err != nil {
			return home{}, errs.Wrap("bench all", "postgres", err)
		}
		h.pg, h.home.url = s, s.URL()
	}
	if name != historyPostgres {
		return h.home, nil
	}
	db, err := sql.Open("pgx", h.home.url)
	if err != nil {
		return home{}, errs.Wrap("bench all", "postgres", err)
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "CREATE DATABASE tenth")
	h.home.tenth = strings.Replace(h.home.url, "/postgres?", "/tenth?", 1)
	return h.home, errs.Wrap("bench all", "postgres", err)
}

// leave gives up what a home took of the disk.
func (h *homes) leave() (err error) {
	if h.pg != nil {
		err = h.pg.Close()
	}
	old, _ := filepath.Glob(filepath.Join(h.dir, "history.db*")) // the pattern is good
	for _, path := range old {
		err = errors.Join(err, os.Remove(path))
	}
	h.name, h.home, h.pg = "", home{}, nil
	return errs.Wrap("bench all", "", err)
}
