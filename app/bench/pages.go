package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
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
	Strict, JSON        bool
	Log                 *slog.Logger
	Out                 io.Writer
}

// pagesReport is what Pages found.
type pagesReport struct {
	Engine  string        `json:"engine"`
	Machine string        `json:"machine"`
	Orders  int           `json:"orders"`
	Days    int           `json:"days"`
	Pages   []pageFigure  `json:"pages"`
	Growth  *growthFigure `json:"intake_growth,omitempty"`
}

// pageFigure is the times of one question. Bar 0: none.
type pageFigure struct {
	Page string        `json:"page"`
	N    int           `json:"n"`
	P50  time.Duration `json:"p50_ns"`
	P95  time.Duration `json:"p95_ns"`
	P99  time.Duration `json:"p99_ns"`
	Bar  time.Duration `json:"bar_ns,omitempty"`
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
	r := pagesReport{Engine: engineOf(o.Database), Machine: fmt.Sprintf("%d cores, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version()),
		Orders: o.Orders, Days: o.Days}
	if r.Pages, err = full.askAll(ctx, o.Asks); err != nil {
		return err
	}
	if o.Rounds > 0 {
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

// print writes the report and fails if a bar was missed and bars count.
func (r *pagesReport) print(o PagesOptions) error {
	missed := 0
	for _, f := range r.Pages {
		if !f.ok() {
			missed++
		}
	}
	if r.Growth != nil && r.Growth.Ratio > growthBar {
		missed++
	}
	if o.JSON {
		enc := json.NewEncoder(o.Out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(r); err != nil {
			return err
		}
	} else if err := r.table(o.Out); err != nil {
		return err
	}
	if missed > 0 && o.Strict {
		return errs.New(errs.Conflict, "bench.Pages", "", "%d bars were missed", missed)
	}
	return nil
}

func (r *pagesReport) table(out io.Writer) error {
	fmt.Fprintf(out, "%s, %d orders over %d days; %s\n", r.Engine, r.Orders, r.Days, r.Machine)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "page\tasked\tp50\tp95\tp99\tbar (p95)\t")
	for _, f := range r.Pages {
		bar := "\t"
		if f.Bar > 0 {
			bar = f.Bar.String() + "\t" + verdict(f.ok())
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\n", f.Page, f.N, ms(f.P50), ms(f.P95), ms(f.P99), bar)
	}
	if g := r.Growth; g != nil {
		for i, c := range []growthCost{g.Tenth, g.Full} {
			n := []int{r.Orders / 10, r.Orders}[i]
			fmt.Fprintf(w, "intake, %d orders in the tables\t%d\t%.0f µs of CPU\t%.0f /s\t\t\n", n, g.Rounds*growthOrders, c.CPU, c.Rate)
		}
		fmt.Fprintf(w, "ten times the history costs\t%d × 2\t× %.3f\t× %.3f in time\t\tat most × %.2f\t%s\n", g.Rounds, g.Ratio, g.RateRatio, growthBar, verdict(g.Ratio <= growthBar))
	}
	return w.Flush()
}
