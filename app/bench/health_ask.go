package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
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

// judgingCost is what knowing the rates costs for each order, all changes of its life included.
type judgingCost struct {
	Orders   int           `json:"orders"`
	Changes  float64       `json:"changes"` // an order's
	PerOrder time.Duration `json:"per_order_ns"`
	Intake   time.Duration `json:"intake_ns"` // of PerOrder, in the intake's own transaction
	Fold     time.Duration `json:"fold_ns"`   // of PerOrder, adding up behind it, commits included
}

// liveBatch changes come in one intake, foldChanges between two rounds of adding up: a second's at a busy shop.
const liveBatch, foldChanges = 100, 2_000

// profiled is live under a profile, if one is wanted.
func (r *healthRig) profiled(ctx context.Context, o HealthOptions) (*judgingCost, error) {
	if o.Profile != nil {
		if err := pprof.StartCPUProfile(o.Profile); err != nil {
			return nil, errs.Wrap("bench.Health", "profile", err)
		}
		defer pprof.StopCPUProfile()
	}
	return r.live(ctx, o.Live)
}

// live takes in whole lives of orders, mingled as in a busy hour, and adds them up as the program does.
func (r *healthRig) live(ctx context.Context, orders int) (*judgingCost, error) {
	ring, err := seal.Parse(seal.NewKey())
	if err != nil {
		return nil, err
	}
	client := func(bool) *http.Client { return &http.Client{Timeout: time.Second} }
	x, err := ops.New(ops.Options{Store: r.st, Vendors: []driver.Vendor{dummy.Vendor{}}, Ring: ring, Now: time.Now, Client: client, Files: client})
	if err != nil {
		return nil, err
	}
	if err := x.LoadOnly(ctx); err != nil {
		return nil, err
	}
	facts := r.lives(orders, time.Now().UnixNano())
	c := &judgingCost{Orders: orders, Changes: float64(len(facts)) / float64(orders)}
	var fold time.Duration
	since := 0
	for len(facts) > 0 {
		n := min(len(facts), liveBatch)
		if _, err := x.IntakeAlone(ctx, ops.Incoming{ConnectionID: historyShops[0], Source: ops.SourcePoll, Facts: facts[:n]}); err != nil {
			return nil, err
		}
		facts = facts[n:]
		if since += n; since < foldChanges && len(facts) > 0 {
			continue
		}
		since = 0
		began := time.Now()
		if err := x.FoldHealth(ctx); err != nil {
			return nil, err
		}
		fold += time.Since(began)
	}
	began := time.Now()
	if err := x.FoldParts(ctx); err != nil {
		return nil, err
	}
	fold += time.Since(began)
	c.Intake, c.Fold = x.Gauges().IntakeSteps()["judge"]/time.Duration(orders), fold/time.Duration(orders)
	c.PerOrder = c.Intake + c.Fold
	return c, nil
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
	d.Parcels = []order.Parcel{{Ref: "P" + id, Carrier: historyCarriers[dice.IntN(len(historyCarriers))], Tracking: "1Z999AA10123456784"}}
	tell(order.AwaitingCollection, 38)
	d.Moments.HandedOverAt = at
	tell(order.InTransit, 90)
	d.Moments.DeliveredAt = at
	tell(order.Delivered, 1)
	return out
}
