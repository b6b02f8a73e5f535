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

// growthFigure is what taking an order in costs with a long history and with a tenth of it, in microseconds: the median of the rounds. Of
// the embedded database it is the time of the cores, which other work on the machine lengthens less than that of the clock.
type growthFigure struct {
	Tenth  float64 `json:"tenth_us"`
	Full   float64 `json:"full_us"`
	Ratio  float64 `json:"ratio"` // the median of the ratios of neighbouring rounds
	Rounds int     `json:"rounds"`
}

// growth takes orders into both databases by turns, so that whatever else the machine does touches both.
func growth(ctx context.Context, tenth, full *pagesRig, rounds int, embedded bool) (*growthFigure, error) {
	var small, large, ratios []float64
	for n := range rounds + 1 {
		pair := []*pagesRig{tenth, full}
		if n%2 == 1 {
			pair[0], pair[1] = pair[1], pair[0]
		}
		cost := map[*pagesRig]float64{}
		for _, r := range pair {
			before := cpuTime()
			took, err := r.takeIn(ctx)
			if err != nil {
				return nil, err
			}
			if used := cpuTime() - before; embedded {
				took = used
			}
			cost[r] = float64(took.Microseconds()) / growthOrders
		}
		if n == 0 {
			continue // the first round fills the caches
		}
		small, large = append(small, cost[tenth]), append(large, cost[full])
		ratios = append(ratios, cost[full]/cost[tenth])
	}
	return &growthFigure{Tenth: median(small), Full: median(large), Ratio: median(ratios), Rounds: rounds}, nil
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
