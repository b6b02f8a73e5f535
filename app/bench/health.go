package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	dummy "github.com/spillway/spillway/connector/dummy"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/seal"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// Bars of health at the 95th percentile, and of what an order costs.
const (
	rateBar   = 2 * time.Millisecond
	trendBar  = 10 * time.Millisecond
	healthBar = 50 * time.Millisecond
	orderBar  = 10 * time.Microsecond
	// trendDays is how long a trend is.
	trendDays = 90
	// healthSetting says for how many orders a history's figures are filled.
	healthSetting = "bench.health"
	// healthChunk orders are judged before what they add is stored.
	healthChunk = 500_000
)

// HealthOptions say how many orders shops are judged by.
type HealthOptions struct {
	Orders, Days, Items int
	Database            string // as of PagesOptions, and filled by the same: one database serves both
	Asks                int
	Live                int  // orders whose whole lives are taken in, to see what judging them costs; 0: none
	Count               bool // count all orders anew, twice
	Strict              bool
	Log                 *slog.Logger
	Report              *Report
	Profile             io.Writer // of the time in which Live is taken in; nil: none
}

// healthReport is what Health found.
type healthReport struct {
	Engine string
	Orders int
	Pages  []pageFigure
	Cost   *judgingCost
	Counts []countedAnew
}

// countedAnew is one full count.
type countedAnew struct {
	Took    time.Duration
	Orders  int64
	Differs int64
}

// Health measures what it takes to know how shops stand when millions of orders are in the window: to read it, to keep it current, and to count
// it all anew.
func Health(ctx context.Context, o HealthOptions) error {
	home, err := os.MkdirTemp("", "spillway-health-")
	if err != nil {
		return errs.Wrap("bench.Health", "", err)
	}
	defer os.RemoveAll(home)
	if o.Database == "" {
		o.Database = "sqlite:" + filepath.Join(home, "all.db")
	}
	st, h, err := openHistory(ctx, o.Database, history{Orders: o.Orders, Days: o.Days, Items: o.Items, End: time.Now().UTC().Truncate(time.Hour)}, os.Stderr)
	if err != nil {
		return err
	}
	defer st.Close()
	rig, err := openHealthRig(ctx, o, st, h)
	if err != nil {
		return err
	}
	o.Report.uses(ctx, o.Database)
	r := healthReport{Engine: engineOf(o.Database), Orders: o.Orders}
	if r.Pages, err = rig.askAll(ctx, o.Asks); err != nil {
		return err
	}
	if o.Live > 0 {
		if r.Cost, err = rig.cost(ctx, o); err != nil {
			return err
		}
	}
	for range 2 {
		if !o.Count {
			break
		}
		began := time.Now()
		c, err := rig.x.CountHealth(ctx)
		if err != nil {
			return err
		}
		r.Counts = append(r.Counts, countedAnew{Took: time.Since(began), Orders: c.Orders, Differs: c.Differs})
	}
	return r.print(o)
}

// healthRig is the use-cases, with no worker running, over a history whose figures are filled.
type healthRig struct {
	h    history
	st   *store.Store
	x    *ops.Ops
	desk *ops.Desk
}

func openHealthRig(ctx context.Context, o HealthOptions, st *store.Store, h history) (*healthRig, error) {
	ring, err := seal.Parse(seal.NewKey())
	if err != nil {
		return nil, err
	}
	client := func(bool) *http.Client { return &http.Client{Timeout: time.Second} }
	now := func() time.Time { return h.End } // the window ends where the history does, however old the database is
	r := &healthRig{h: h, st: st}
	r.x, err = ops.New(ops.Options{Store: st, Vendors: []driver.Vendor{dummy.Vendor{}}, Ring: ring, Now: now, Log: o.Log, Client: client, Files: client})
	if err != nil {
		return nil, err
	}
	if err := r.x.LoadOnly(ctx); err != nil {
		return nil, err
	}
	if err := r.fill(ctx); err != nil {
		return nil, err
	}
	if err := r.x.Foresee(ctx); err != nil {
		return nil, err
	}
	r.desk, err = ops.NewDesk(r.x, ops.DeskOptions{Zones: []view.Zone{{Label: "UTC", Location: "UTC"}}})
	return r, err
}

// fill judges every order of the history and stores what they add up to, unless that was done before.
func (r *healthRig) fill(ctx context.Context) error {
	done := ""
	if err := r.st.View(ctx, func(tx *store.Tx) (err error) {
		done, _, err = tx.SettingGet(healthSetting)
		return err
	}); err != nil || done == fmt.Sprint(r.h.Orders) {
		return err
	}
	judge, err := dummyJudge()
	if err != nil {
		return err
	}
	p := &progress{out: os.Stderr, began: time.Now(), last: time.Now(), all: r.h.Orders}
	for from := 0; from < r.h.Orders; from += healthChunk {
		var sums health.Sums
		for i := from; i < min(from+healthChunk, r.h.Orders); i++ {
			one := health.Batch{SettledOnly: true}
			o := r.h.order(i)
			one.Add(judge, o.ConnectionID, nil, &o)
			if err := sums.Add(&one); err != nil {
				return err
			}
			p.show(i)
		}
		if err := storeSums(ctx, r.st, &sums); err != nil {
			return err
		}
	}
	return r.st.Update(ctx, func(tx *store.Tx) error {
		if err := r.x.HealthCounted(tx, int64(r.h.Orders)); err != nil {
			return err
		}
		return tx.SettingSet(healthSetting, fmt.Sprint(r.h.Orders))
	})
}

func dummyJudge() (*health.Judge, error) {
	for _, p := range (dummy.Vendor{}).Describe().Policies {
		if p.Market == historyMarket {
			rules, err := policy.Decode(bytes.NewReader(p.YAML))
			if err != nil {
				return nil, err
			}
			return health.NewJudge(rules), nil
		}
	}
	return nil, errs.New(errs.Internal, "bench.Health", historyMarket, "the teaching connector has no rules for this market")
}

// healthRows marks, and healthParts rows of sums of single values, are stored in one transaction.
const healthRows, healthParts = 50_000, 100

func storeSums(ctx context.Context, st *store.Store, sums *health.Sums) error {
	if err := st.Update(ctx, func(tx *store.Tx) error { return tx.HealthAdd(sums.Whole(), nil) }); err != nil {
		return err
	}
	for some := range slices.Chunk(sums.Marks(), healthRows) {
		if err := st.Update(ctx, func(tx *store.Tx) error { return tx.HealthAdd(nil, some) }); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(sums.Parts(), healthParts) {
		if err := st.Update(ctx, func(tx *store.Tx) error { return tx.HealthAddParts(some) }); err != nil {
			return err
		}
	}
	return nil
}

// print fills the report and fails if a bar was missed and bars count.
func (r *healthReport) print(o HealthOptions) error {
	fillPages(o.Report, "health", fmt.Sprintf("question; %s, %d orders", r.Engine, r.Orders), r.Pages)
	if c := r.Cost; c != nil {
		w := o.Report.table("judging", fmt.Sprintf("keeping it current, an order's whole life of %.1f changes", c.Changes), "orders", "an order", "of it in intake", "adding up", "bar")
		row := func(what string, t judgingTime, more ...cell) {
			micros := func(name string, d time.Duration) cell {
				return cell{name: name + "_us", value: rounded(float64(d) / float64(time.Microsecond)), text: d.String(), shown: true}
			}
			w.row(what, append([]cell{figure("orders", c.Orders, "%d"), micros("all", t.all()), micros("intake", t.Intake), micros("adding", t.Fold), only("changes", c.Changes)}, more...)...)
		}
		row("of the clock", c.Clock)
		row("of the cores", c.Cores, bar(orderBar.String(), c.Cores.all() <= orderBar))
	}
	if len(r.Counts) > 0 {
		w := o.Report.table("counting", "counting all anew", "orders", "took", "figures that differed", "bar")
		for i, c := range r.Counts {
			cells := []cell{figure("orders", c.Orders, "%d"), {name: "took_ms", value: millis(c.Took), text: c.Took.Round(time.Millisecond).String(), shown: true}, figure("differed", c.Differs, "%d")}
			if i > 0 {
				cells = append(cells, bar("0", c.Differs == 0))
			}
			w.row(fmt.Sprintf("time %d", i+1), cells...)
		}
	}
	return o.Report.judge("bench.Health", o.Strict)
}
