package bench

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops"
)

const (
	// growthOrders are taken in at a time, by growthCallers at once.
	growthOrders, growthCallers = 2_000, 64
	growthLines                 = 3
)

// growthCost is what taking orders in costs: the medians of the rounds.
type growthCost struct {
	CPU  float64 // of the cores for an order, in microseconds; PostgreSQL's too where it runs on this machine
	Rate float64
}

// growthFigure is what taking orders in costs with a long history and with a tenth of it. The time of the cores is what counts: other work on
// the machine lengthens it less than that of the clock. Where PostgreSQL is elsewhere only the clock is left.
type growthFigure struct {
	Tenth     growthCost
	Full      growthCost
	Ratio     float64 // of the cores' time, or of the clock's: the median of the ratios of neighbouring rounds
	RateRatio float64 // the same of the clock's
	Rounds    int
}

// growth takes orders into both databases by turns, so that whatever else the machine does touches both.
func growth(ctx context.Context, tenth, full *pagesRig, rounds int) (*growthFigure, error) {
	costs := map[*pagesRig][]growthCost{}
	var cpu, clock []float64
	for n := range rounds + 1 {
		pair := []*pagesRig{tenth, full}
		if n%2 == 1 {
			pair[0], pair[1] = pair[1], pair[0]
		}
		now := map[*pagesRig]growthCost{}
		for _, r := range pair {
			before := r.cores()
			took, err := r.takeIn(ctx)
			if err != nil {
				return nil, err
			}
			now[r] = growthCost{CPU: float64((r.cores() - before).Microseconds()) / growthOrders, Rate: growthOrders / took.Seconds()}
		}
		if n == 0 {
			continue // the first round fills the caches
		}
		for r, c := range now {
			costs[r] = append(costs[r], c)
		}
		cpu, clock = append(cpu, now[full].CPU/now[tenth].CPU), append(clock, now[tenth].Rate/now[full].Rate)
	}
	f := &growthFigure{Tenth: middleCost(costs[tenth]), Full: middleCost(costs[full]), Ratio: median(cpu), RateRatio: median(clock), Rounds: rounds}
	if full.away {
		f.Ratio, f.Tenth.CPU, f.Full.CPU = f.RateRatio, 0, 0
	}
	return f, nil
}

func middleCost(all []growthCost) growthCost {
	var cpu, rate []float64
	for _, c := range all {
		cpu, rate = append(cpu, c.CPU), append(rate, c.Rate)
	}
	return growthCost{CPU: median(cpu), Rate: median(rate)}
}

// cores is what this process, and the rig's PostgreSQL where it can be seen, have used of the cores.
func (r *pagesRig) cores() time.Duration {
	used := cpuTime()
	if r.postmaster > 0 {
		used += familyTime(r.postmaster)
	}
	return used
}

// takeIn has many callers report fresh orders, one each time.
func (r *pagesRig) takeIn(ctx context.Context) (time.Duration, error) {
	run := time.Now().UnixMilli()
	failed := make(chan error, growthCallers)
	var wg sync.WaitGroup
	began := time.Now()
	for caller := range growthCallers {
		wg.Go(func() {
			for i := caller; i < growthOrders; i += growthCallers {
				f := r.fresh(strconv.FormatInt(run, 10)+"-"+strconv.Itoa(i), uint64(i))
				got, err := r.x.Intake(ctx, ops.Incoming{ConnectionID: f.ConnectionID, Source: ops.SourcePoll, Facts: []order.Fact{f}})
				if err == nil && len(got.Refused) > 0 {
					err = errs.New(errs.Internal, "bench.Pages", f.ExternalID, "%s", got.Refused[0].Reason)
				}
				if err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	select {
	case err := <-failed:
		return 0, err
	default:
		return took, nil
	}
}

// fresh is a new order of three lines.
func (r *pagesRig) fresh(external string, n uint64) order.Fact {
	dice, now := rand.New(rand.NewPCG(n, 5)), time.Now().UTC().Truncate(time.Second)
	d := &order.Detail{Number: "#" + external, Fulfilment: order.BySeller, CreatedAt: now, BuyerHash: r.h.buyer(dice.IntN(r.h.Orders)),
		Deadlines: order.Deadlines{ShipBy: now.Add(48 * time.Hour)}, Totals: order.Totals{Total: money.Amount{Minor: 4999, Currency: "USD"}}}
	for i := range growthLines {
		item := historyItem(dice.IntN(r.h.Items))
		d.Lines = append(d.Lines, order.Line{ExternalLineID: external + strconv.Itoa(i), ExternalSKU: item, SellerSKU: item, Title: "Article sold as " + item, Qty: 1,
			UnitPrice: money.Amount{Minor: 1666, Currency: "USD"}})
	}
	return order.Fact{Kind: order.Snapshot, ConnectionID: historyShop(int(n)), ExternalID: external, UpdatedAt: now, ReadAt: now, Status: order.AwaitingShipment, Detail: d}
}
