package bench

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"runtime/pprof"
	"time"

	dummy "github.com/spillway/spillway/connector/dummy"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/seal"
	"github.com/spillway/spillway/ops"
)

// questions are what pages of health ask.
func (r *healthRig) questions() []question {
	shop := func(i int) string { return historyShops[i%len(historyShops)] }
	today := policy.DayOf(r.h.End, time.UTC)
	return []question{
		{page: "a rate now", bar: rateBar, ask: func(ctx context.Context, i int) error {
			got, err := r.x.Trend(ctx, shop(i), policy.Metrics[i%len(policy.Metrics)], today, today)
			if err == nil && len(got) != 1 {
				err = errs.New(errs.Internal, "bench.Health", shop(i), "%d rates", len(got))
			}
			return err
		}},
		{page: "a shop's rates now, all four with what they rest on", ask: func(ctx context.Context, i int) error {
			got, err := r.x.Rates(ctx, shop(i), r.h.End)
			if err == nil && got[0].Standings[0].Den == 0 {
				err = errs.New(errs.Internal, "bench.Health", shop(i), "nothing was counted")
			}
			return err
		}},
		{page: "a trend of 90 days", bar: trendBar, ask: func(ctx context.Context, i int) error {
			m := policy.Metrics[i%len(policy.Metrics)]
			got, err := r.x.Trend(ctx, shop(i), m, today-trendDays+1, today)
			if err == nil && len(got) != trendDays {
				err = errs.New(errs.Internal, "bench.Health", shop(i), "a trend of %d days", len(got))
			}
			return err
		}},
	}
}

func (r *healthRig) askAll(ctx context.Context, times int) ([]pageFigure, error) {
	var out []pageFigure
	for n, q := range append(r.questions(), r.pages()...) {
		f, err := q.measure(ctx, times, rand.New(rand.NewPCG(5, uint64(n))), r.h.Orders)
		if err != nil {
			return nil, errs.Wrap("bench.Health", q.page, err)
		}
		out = append(out, f)
	}
	return out, nil
}

// judgingCost is what knowing the rates costs for each order, all changes of its life included: of the clock, and in a second run of the cores.
type judgingCost struct {
	Orders  int
	Changes float64 // an order's
	Clock   judgingTime
	Cores   judgingTime // of this process and, when adding up, of the database's
}

// judgingTime is for each order.
type judgingTime struct {
	Intake time.Duration // in the intake's own transaction, but for the database's part of its commit
	Fold   time.Duration // adding up behind it, commits included
}

func (t judgingTime) all() time.Duration { return t.Intake + t.Fold }

// liveBatch changes come in one intake, foldChanges between two rounds of adding up: a second's at a busy shop.
const liveBatch, foldChanges = 100, 2_000

// cost measures live, the second time of the cores. A profile, if one is wanted, is of both.
func (r *healthRig) cost(ctx context.Context, o HealthOptions) (c *judgingCost, err error) {
	if o.Profile != nil {
		if err := pprof.StartCPUProfile(o.Profile); err != nil {
			return nil, errs.Wrap("bench.Health", "profile", err)
		}
		defer pprof.StopCPUProfile()
	}
	postmaster, err := r.postmaster(ctx, o.Database)
	if err != nil {
		return nil, err
	}
	c = &judgingCost{Orders: o.Live}
	began := time.Now()
	if c.Clock, c.Changes, err = r.live(ctx, o.Live, time.Now, func() time.Duration { return time.Since(began) }); err != nil {
		return nil, err
	}
	runtime.LockOSThread() // whose time is taken
	defer runtime.UnlockOSThread()
	c.Cores, _, err = r.live(ctx, o.Live, func() time.Time { return began.Add(threadTime()) }, coresOf(postmaster))
	return c, err
}

// coresOf tells what this process and a PostgreSQL server have used of the cores, without what asking for the server's part has cost: that reads
// of every process of the machine.
func coresOf(postmaster int) func() time.Duration {
	var asking time.Duration
	return func() time.Duration {
		if postmaster == 0 {
			return cpuTime()
		}
		own := cpuTime()
		servers := familyTime(postmaster)
		spent := own - asking + servers
		asking += cpuTime() - own
		return spent
	}
}

// postmaster is the PostgreSQL server behind the database; 0: there is none on this machine.
func (r *healthRig) postmaster(ctx context.Context, url string) (int, error) {
	if engineOf(url) != enginePostgres {
		return 0, nil
	}
	db, err := sql.Open("pgx", url)
	if err != nil {
		return 0, errs.Wrap("bench.Health", "", err)
	}
	defer db.Close()
	return postmasterOf(ctx, db), nil
}

// live takes in whole lives of orders, mingled as in a busy hour, and adds them up as the program does. Intake's steps are timed by now, adding up
// by spent.
func (r *healthRig) live(ctx context.Context, orders int, now func() time.Time, spent func() time.Duration) (t judgingTime, changes float64, err error) {
	ring, err := seal.Parse(seal.NewKey())
	if err != nil {
		return t, 0, err
	}
	client := func(bool) *http.Client { return &http.Client{Timeout: time.Second} }
	x, err := ops.New(ops.Options{Store: r.st, Vendors: []driver.Vendor{dummy.Vendor{}}, Ring: ring, Now: now, Client: client, Files: client})
	if err != nil {
		return t, 0, err
	}
	if err := x.LoadOnly(ctx); err != nil {
		return t, 0, err
	}
	facts := r.lives(orders, time.Now().UnixNano())
	changes = float64(len(facts)) / float64(orders)
	fold := func(add func(context.Context) error) error {
		began := spent()
		err := add(ctx)
		t.Fold += spent() - began
		return err
	}
	since := 0
	for len(facts) > 0 {
		n := min(len(facts), liveBatch)
		if _, err := x.IntakeAlone(ctx, ops.Incoming{ConnectionID: historyShops[0], Source: ops.SourcePoll, Facts: facts[:n]}); err != nil {
			return t, 0, err
		}
		facts = facts[n:]
		if since += n; since < foldChanges && len(facts) > 0 {
			continue
		}
		since = 0
		if err := fold(x.FoldHealth); err != nil {
			return t, 0, err
		}
	}
	if err := fold(x.FoldParts); err != nil {
		return t, 0, err
	}
	t.Intake, t.Fold = x.Gauges().IntakeSteps()["judge"]/time.Duration(orders), t.Fold/time.Duration(orders)
	return t, changes, nil
}

// lives are the facts of orders from being placed to being delivered, a stage of some thousand orders at a time: a shop has that many under way.
func (r *healthRig) lives(orders int, mark int64) (out []order.Fact) {
	const together = 5_000
	dice := rand.New(rand.NewPCG(9, 9))
	for from := 0; from < orders; from += together {
		stages := make([][]order.Fact, 4)
		for i := from; i < min(from+together, orders); i++ {
			placed := r.h.End.Add(-time.Duration(dice.IntN(5*24*60)) * time.Minute)
			for n, f := range life(fmt.Sprintf("%d-%d", mark, i), placed, historyItem(dice.IntN(r.h.Items)), dice) {
				stages[n] = append(stages[n], f)
			}
		}
		for _, s := range stages {
			out = append(out, s...)
		}
	}
	return out
}

// life is one order's facts.
func life(id string, placed time.Time, item string, dice *rand.Rand) (out []order.Fact) {
	d := order.Detail{Fulfilment: order.BySeller, CreatedAt: placed, PaidAt: placed, WarehouseRef: historyNodes[dice.IntN(len(historyNodes))],
		Region:    historyRegions[dice.IntN(len(historyRegions))],
		Deadlines: order.Deadlines{ShipBy: placed.Add(48 * time.Hour), HandOverBy: placed.Add(60 * time.Hour), DeliverBy: placed.Add(6 * 24 * time.Hour)},
		Lines:     []order.Line{{ExternalLineID: "1", ExternalSKU: item, SellerSKU: item, Qty: 1}}}
	at := placed
	tell := func(s order.Status, hours int) {
		e := d
		out = append(out, order.Fact{Kind: order.Snapshot, ExternalID: id, UpdatedAt: at, ReadAt: at.Add(time.Minute), Status: s, StatusText: string(s), Detail: &e})
		at = at.Add(time.Duration(1+dice.IntN(hours*60)) * time.Minute)
	}
	tell(order.AwaitingShipment, 24)
	d.Moments.ReadyAt = at
	carrier := dice.IntN(len(historyCarriers))
	d.Parcels = []order.Parcel{{Ref: "P" + id, Carrier: historyCarriers[carrier], Tracking: historyNumbers[carrier]}}
	tell(order.AwaitingCollection, 38)
	d.Moments.HandedOverAt = at
	tell(order.InTransit, 90)
	d.Moments.DeliveredAt = at
	tell(order.Delivered, 1)
	return out
}
