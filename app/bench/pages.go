package bench

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // VACUUM is not for a transaction, which is all a store has

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/seal"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// Bars at the 95th percentile, and of intake with ten times the orders in the tables.
const (
	overviewBar = 20 * time.Millisecond
	searchBar   = 50 * time.Millisecond
	listBar     = 50 * time.Millisecond
	growthBar   = 1.10
)

// PagesOptions say how long a history pages are asked about.
type PagesOptions struct {
	Orders, Days, Items int
	Database            string // where the history is, or goes to, and stays; empty: embedded, and thrown away
	Tenth               string // the same for the history a tenth as long that intake is compared with
	Asks                int    // how often each question is asked
	Rounds              int    // of intake into either database; 0: leave intake out
	Strict              bool
	Log                 *slog.Logger
	Report              *Report
}

// pagesReport is what Pages found.
type pagesReport struct {
	Engine string
	Orders int
	Days   int
	Pages  []pageFigure
	Growth *growthFigure
}

// pageFigure is the times of one question. Bar 0: none.
type pageFigure struct {
	Page          string
	N             int
	P50, P95, P99 time.Duration
	Bar           time.Duration
}

func (f pageFigure) ok() bool { return f.Bar == 0 || f.P95 <= f.Bar }

// Pages measures what pages ask of a long history, and whether taking orders in costs more with it than with a tenth of it.
func Pages(ctx context.Context, o PagesOptions) error {
	home, err := os.MkdirTemp("", "spillway-pages-")
	if err != nil {
		return errs.Wrap("bench.Pages", "", err)
	}
	defer os.RemoveAll(home)
	if o.Database == "" {
		o.Database = "sqlite:" + filepath.Join(home, "all.db")
	}
	if o.Tenth == "" {
		o.Tenth = "sqlite:" + filepath.Join(home, "tenth.db")
	}
	end := time.Now().UTC().Truncate(time.Hour)
	full, err := openRig(ctx, o, o.Database, history{Orders: o.Orders, Days: o.Days, Items: o.Items, End: end})
	if err != nil {
		return err
	}
	defer full.close()
	o.Report.uses(ctx, o.Database)
	r := pagesReport{Engine: engineOf(o.Database), Orders: o.Orders, Days: o.Days}
	if r.Pages, err = full.askAll(ctx, o.Asks); err != nil {
		return err
	}
	if o.Rounds > 0 && engineOf(o.Tenth) != r.Engine {
		o.Report.leave(errs.New(errs.Invalid, "bench pages", "", "what intake costs with ten times the history is not compared between two engines: name a database of %s with --tenth", r.Engine))
	} else if o.Rounds > 0 {
		tenth, err := openRig(ctx, o, o.Tenth, history{Orders: o.Orders / 10, Days: o.Days, Items: o.Items, End: end})
		if err != nil {
			return err
		}
		defer tenth.close()
		if r.Growth, err = growth(ctx, tenth, full, o.Rounds); err != nil {
			return err
		}
	}
	return r.print(o)
}

// pagesRig is the use-cases over one filled database.
type pagesRig struct {
	h    history
	st   *store.Store
	x    *ops.Ops
	desk *ops.Desk

	postmaster int  // of its PostgreSQL, where that runs on this machine
	away       bool // its database does not
}

func openRig(ctx context.Context, o PagesOptions, url string, h history) (*pagesRig, error) {
	st, h, err := openHistory(ctx, url, h, os.Stderr)
	if err != nil {
		return nil, err
	}
	r := &pagesRig{h: h, st: st}
	if err := r.open(ctx, o, url); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *pagesRig) open(ctx context.Context, o PagesOptions, url string) error {
	if strings.HasPrefix(url, "postgres") { // what the database does by itself within minutes
		db, err := sql.Open("pgx", url)
		if err != nil {
			return err
		}
		defer db.Close()
		if _, err := db.ExecContext(ctx, "VACUUM (ANALYZE)"); err != nil {
			return errs.Wrap("bench.Pages", "vacuum", err)
		}
		r.postmaster = postmasterOf(ctx, db)
		r.away = r.postmaster == 0
	}
	ring, err := seal.Parse(seal.NewKey())
	if err != nil {
		return err
	}
	client := func(bool) *http.Client { return &http.Client{Timeout: time.Second} }
	r.x, err = ops.New(ops.Options{Store: r.st, Ring: ring, Now: time.Now, Log: o.Log, Client: client, Files: client})
	if err != nil {
		return err
	}
	if err := r.x.Start(ctx); err != nil {
		return err
	}
	r.desk, err = r.newDesk()
	return err
}

func (r *pagesRig) newDesk() (*ops.Desk, error) {
	return ops.NewDesk(r.x, ops.DeskOptions{Zones: []view.Zone{{Label: "UTC", Location: "UTC"}}})
}

func (r *pagesRig) close() {
	if r.x != nil {
		r.x.Stop()
	}
	_ = r.st.Close() // what was measured is measured
}

// print fills the report and fails if a bar was missed and bars count.
func (r *pagesReport) print(o PagesOptions) error {
	fillPages(o.Report, "pages", fmt.Sprintf("page; %s, %d orders over %d days", r.Engine, r.Orders, r.Days), r.Pages)
	if g := r.Growth; g != nil {
		w := o.Report.table("growth", "intake", "taken in", "cores, for an order", "a second")
		for i, c := range []growthCost{g.Tenth, g.Full} {
			n := []int{r.Orders / 10, r.Orders}[i]
			w.row(fmt.Sprintf("%d orders in the tables", n), figure("orders", g.Rounds*growthOrders, "%d"), figure("cpu_us", c.CPU, "%.0f µs"), figure("per_second", c.Rate, "%.0f /s"), only("in_tables", n))
		}
		w.row("ten times the history costs", figure("rounds", g.Rounds, "%d × 2"), figure("ratio", g.Ratio, "× %.3f"), figure("time_ratio", g.RateRatio, "× %.3f in time"),
			bar(fmt.Sprintf("at most × %.2f", growthBar), g.Ratio <= growthBar))
	}
	return o.Report.judge("bench.Pages", o.Strict)
}

// fillPages adds a table of how long questions took.
func fillPages(r *Report, name, what string, pages []pageFigure) {
	w := r.table(name, what, "asked", "p50", "p95", "p99", "bar (p95)")
	for _, f := range pages {
		cells := []cell{figure("asked", f.N, "%d"), span("p50", f.P50), span("p95", f.P95), span("p99", f.P99)}
		if f.Bar > 0 {
			cells = append(cells, bar(f.Bar.String(), f.ok()))
		}
		w.row(f.Page, cells...)
	}
}
