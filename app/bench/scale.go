package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/internal/pgserver"
	"github.com/spillway/spillway/kit/errs"
)

// ScaleOptions say how many processes share the work.
type ScaleOptions struct {
	Processes []int
	Callers   int // of all processes together
	For       time.Duration
	Runs      int
	Items     int
	Seed      uint64
	Binary    string
	Log       *slog.Logger
	Report    *Report
}

// scaleRow is what so many processes did together.
type scaleRow struct {
	Work      string
	Processes int
	Rate      float64
	P99ms     float64
	Ours      float64 // of the cores, for an order: the processes that take orders in
	Database  float64 // the same of PostgreSQL
	Cores     float64 // busy on the machine, by whomever
	Of        int
}

type scale struct {
	o    ScaleOptions
	pg   *pgserver.Server
	boss int // PostgreSQL's first process
	rows []scaleRow
}

// Scale measures what more processes on one PostgreSQL bring, and where the limit lies: for whole orders of a shop that another process works,
// and for reservations of one hot item, where they stand in each other's way most.
func Scale(ctx context.Context, o ScaleOptions) error {
	s := &scale{o: o}
	var err error
	if s.pg, err = pgserver.Start(pgserver.Options{Settings: pgSettings, Socket: true}); err != nil {
		return errs.Wrap("bench.Scale", "postgres", err)
	}
	defer s.pg.Close()
	o.Report.usesServer(ctx, s.pg)
	if s.boss, err = bossOf(ctx, s.pg.URL()); err != nil {
		return err
	}
	if err := s.intake(ctx); err != nil {
		return err
	}
	if err := s.hot(ctx); err != nil {
		return err
	}
	s.report()
	return nil
}

// bossOf finds the first process of the PostgreSQL at url.
func bossOf(ctx context.Context, url string) (int, error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return 0, errs.Wrap("bench.Scale", "postgres", err)
	}
	defer db.Close()
	return postmasterOf(ctx, db), nil
}

// takerSpec is what a process is told to take in.
type takerSpec struct {
	URL      string            `json:"url"`
	Conn     string            `json:"connection"`
	Listings []catalog.Listing `json:"listings"`
	Callers  int               `json:"callers"`
	For      time.Duration     `json:"for"`
	Seed     uint64            `json:"seed"`
	Part     int64             `json:"part"`
}

type takerNews struct {
	Ready bool    `json:"ready,omitempty"`
	Rate  float64 `json:"rate,omitempty"`
	P99   float64 `json:"p99_ms,omitempty"`
}

// Taker is a process that takes orders in when told to go, as often as it is told.
func Taker(ctx context.Context, in io.Reader, out io.Writer, _ *slog.Logger) error {
	var spec takerSpec
	h, err := hear(in, &spec)
	if err != nil {
		return err
	}
	x, st, err := openLedger(ctx, spec.URL, true)
	if err != nil {
		return err
	}
	defer func() { x.Stop(); _ = st.Close() }()
	b := newBaskets(spec.Conn, spec.Listings, spec.Seed, spec.Part)
	say := json.NewEncoder(out)
	if err := say.Encode(takerNews{Ready: true}); err != nil {
		return errs.Wrap("bench.Scale", "taker", err)
	}
	for h.word() == nil {
		p, err := b.pour(ctx, spec.Callers, 1, spec.For, x.Intake)
		if err != nil {
			return err
		}
		if err := say.Encode(takerNews{Rate: p.Rate, P99: p.P99ms}); err != nil {
			return errs.Wrap("bench.Scale", "taker", err)
		}
	}
	return nil
}

// intake furnishes shops, which one process works, and lets others take their orders in.
func (s *scale) intake(ctx context.Context) (err error) {
	home, err := os.MkdirTemp("", "spillway-scale-")
	if err != nil {
		return errs.Wrap("bench.Scale", "", err)
	}
	defer os.RemoveAll(home)
	m, err := openMarket(ctx, s.o.Binary, marketSpec{Seed: s.o.Seed, Items: s.o.Items}, os.Stderr)
	if err != nil {
		return err
	}
	defer m.close()
	a, err := app.New(ctx, app.Options{Home: filepath.Join(home, "home"), Database: s.pg.URL(), Listen: "127.0.0.1:0", OpsListen: "off", Loopback: true, Log: s.o.Log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Stop(context.WithoutCancel(ctx))) }()
	if err := a.Start(ctx); err != nil {
		return err
	}
	b, err := furnishIntake(ctx, a, m, s.o.Items, s.o.Seed)
	if err != nil {
		return err
	}
	part := int64(0)
	if err := s.crews(ctx, "whole orders", func(callers int) (*child, error) {
		part++
		return startChild(ctx, s.o.Binary, "taker", takerSpec{URL: s.pg.URL(), Conn: b.conn, Listings: b.listings, Callers: callers, For: s.o.For,
			Seed: s.o.Seed, Part: part}, os.Stderr)
	}); err != nil {
		return err
	}
	proof, err := a.Ops().Prove(ctx)
	if err == nil && len(proof.Ledger) > 0 {
		err = errs.New(errs.Internal, "bench.Scale", "", "the journal and the balances differ: %s", proof)
	}
	return err
}

// hot lets processes sell one item.
func (s *scale) hot(ctx context.Context) error {
	const item = "shared"
	c, err := spillway(ctx, "spillway on PostgreSQL", s.pg.URL())
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.stock(ctx, []string{item}, endless); err != nil {
		return err
	}
	if err := s.crews(ctx, "one hot item", func(callers int) (*child, error) {
		return startChild(ctx, s.o.Binary, "seller", sellerSpec{URL: s.pg.URL(), Item: item, Callers: callers, For: s.o.For}, os.Stderr)
	}); err != nil {
		return err
	}
	_, err = c.prove(ctx, item)
	return err
}

// crews lets crews of each size work in turn, as often as there are runs.
func (s *scale) crews(ctx context.Context, work string, hire func(callers int) (*child, error)) error {
	var crews [][]*child
	for _, n := range s.o.Processes {
		var crew []*child
		for range n {
			k, err := hire(max(1, s.o.Callers/n))
			if err != nil {
				return err
			}
			defer k.close()
			if err := k.read(&takerNews{}); err != nil {
				return err
			}
			crew = append(crew, k)
		}
		crews = append(crews, crew)
	}
	runs := make([][]scaleRow, len(crews))
	for range s.o.Runs {
		for i, crew := range crews {
			r, err := s.run(ctx, crew)
			if err != nil {
				return err
			}
			runs[i] = append(runs[i], r)
		}
	}
	for i, crew := range crews {
		r := middleRow(runs[i])
		r.Work, r.Processes = work, len(crew)
		s.rows = append(s.rows, r)
	}
	return nil
}

// run lets one crew work once.
func (s *scale) run(ctx context.Context, crew []*child) (scaleRow, error) {
	ours := func() (sum time.Duration) {
		for _, k := range crew {
			sum += familyTime(k.cmd.Process.Pid)
		}
		return sum
	}
	busy, total := machineTime()
	cpu, db := ours(), familyTime(s.boss)
	for _, k := range crew {
		if err := k.say("go"); err != nil {
			return scaleRow{}, err
		}
	}
	r := scaleRow{Of: runtime.NumCPU()}
	for _, k := range crew {
		var n takerNews
		if err := k.read(&n); err != nil {
			return r, err
		}
		r.Rate += n.Rate
		r.P99ms = max(r.P99ms, n.P99)
	}
	orders := r.Rate * s.o.For.Seconds()
	r.Ours, r.Database = float64((ours()-cpu).Microseconds())/orders, float64((familyTime(s.boss)-db).Microseconds())/orders
	busyNow, totalNow := machineTime()
	r.Cores = float64(busyNow-busy) / float64(max(1, totalNow-total)) * float64(r.Of)
	return r, ctx.Err()
}

func middleRow(runs []scaleRow) scaleRow {
	of := func(f func(scaleRow) float64) float64 {
		var all []float64
		for _, r := range runs {
			all = append(all, f(r))
		}
		return median(all)
	}
	return scaleRow{Of: runs[0].Of,
		Rate: of(func(r scaleRow) float64 { return r.Rate }), P99ms: of(func(r scaleRow) float64 { return r.P99ms }),
		Ours: of(func(r scaleRow) float64 { return r.Ours }), Database: of(func(r scaleRow) float64 { return r.Database }),
		Cores: of(func(r scaleRow) float64 { return r.Cores })}
}

// busyPart is from where on the cores are called the limit: what is left is what the system itself cannot give away.
const busyPart = 0.85

// limit says where the limit of a row lies.
func (r scaleRow) limit() string {
	if r.Cores >= busyPart*float64(r.Of) {
		return "the cores"
	}
	return "waiting: for the disk and for each other's rows"
}

func (s *scale) report() {
	w := s.o.Report.table("scale", fmt.Sprintf("PostgreSQL %s, %d callers, medians of %d", s.pg.Version(), s.o.Callers, s.o.Runs), "PROCESSES", "ORDERS/S", "TIMES ONE", "P99", "CPU µs/ORDER", "OF THE DATABASE", "CORES BUSY", "THE LIMIT")
	one := map[string]float64{}
	for _, r := range s.rows {
		if one[r.Work] == 0 {
			one[r.Work] = r.Rate
		}
		w.row(r.Work, figure("processes", r.Processes, "%d"), figure("per_second", r.Rate, "%.0f"), figure("times", r.Rate/one[r.Work], "%.2f"),
			span("p99", time.Duration(r.P99ms*float64(time.Millisecond))), figure("cpu_us", r.Ours, "%.0f"), figure("database_cpu_us", r.Database, "%.0f"),
			words(fmt.Sprintf("%.1f of %d", r.Cores, r.Of)), only("cores_busy", r.Cores), words(r.limit()), only("limit", r.limit()))
	}
}
