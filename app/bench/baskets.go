package bench

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/sim/world"
)

// baskets are the orders of a shop whose articles sell by Zipf's law, one of them to every second buyer.
type baskets struct {
	conn     string
	listings []catalog.Listing
	zipf     []float64 // cumulative
	next     atomic.Int64
	seed     uint64
	part     int64
}

// newBaskets makes orders of the listings. Processes that sell for one shop at once each need a part of their own, from 0 to 9.
func newBaskets(conn string, listings []catalog.Listing, seed uint64, part int64) *baskets {
	b := &baskets{conn: conn, listings: listings, seed: seed, part: part}
	b.next.Store(577_000_000_000_000_000 + part*10_000_000_000_000 + time.Now().UnixMicro()%1_000_000_000_000)
	sum := 0.0
	for k := range listings {
		sum += 1 / float64(k+1)
		b.zipf = append(b.zipf, sum)
	}
	return b
}

// pick takes a listing by Zipf's law.
func (b *baskets) pick(rnd *rand.Rand) int {
	k, _ := slices.BinarySearch(b.zipf, rnd.Float64()*b.zipf[len(b.zipf)-1])
	return k
}

// pour lets callers hand in orders, page of them at a time, each the next when the last is durable.
func (b *baskets) pour(ctx context.Context, callers, page int, length time.Duration, take func(context.Context, ops.Incoming) (ops.Taken, error)) (pour, error) {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var (
		mu    sync.Mutex
		all   []time.Duration
		first error
		group sync.WaitGroup
		done  int
	)
	cpu, began := cpuTime(), time.Now()
	for i := range callers {
		group.Go(func() {
			rnd := world.Stream(b.seed, strconv.FormatInt(b.part, 10)+"/"+strconv.Itoa(i))
			for ctx.Err() == nil {
				facts := make([]order.Fact, page)
				for k := range facts {
					facts[k] = b.order(rnd)
				}
				sent := time.Now()
				taken, err := take(context.WithoutCancel(ctx), ops.Incoming{ConnectionID: b.conn, Source: ops.SourcePoll, Facts: facts})
				took := time.Since(sent)
				if err == nil && (len(taken.Refused) > 0 || taken.Changed != page) {
					err = errs.New(errs.Internal, "bench.Intake", "", "%d of %d orders taken in, refused %v", taken.Changed, page, taken.Refused)
				}
				mu.Lock()
				if first == nil {
					first = err
				}
				all, done = append(all, took), done+page
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	group.Wait()
	if first != nil {
		return pour{}, first
	}
	p := pour{Rate: float64(done) / time.Since(began).Seconds(), P50: quantile(all, .5), P99: quantile(all, .99), sent: done}
	p.P50ms, p.P99ms, p.CPUus = p.P50.Seconds()*1000, p.P99.Seconds()*1000, float64((cpuTime()-cpu).Microseconds())/float64(done)
	return p, nil
}

// order is a paid order of three articles; half of all orders want the hot one.
func (b *baskets) order(rnd *rand.Rand) order.Fact {
	at := time.Now().UTC().Truncate(time.Second)
	id := strconv.FormatInt(b.next.Add(1), 10)
	d := &order.Detail{Fulfilment: order.BySeller, CreatedAt: at, PaidAt: at, BuyerHash: "buyer-" + id[12:],
		Deadlines: order.Deadlines{ShipBy: at.Add(48 * time.Hour), HandOverBy: at.Add(72 * time.Hour), AutoCancelShipBy: at.Add(96 * time.Hour)}}
	used := map[int]bool{}
	for n := range intakeLines {
		k := b.pick(rnd)
		if n == 0 && rnd.IntN(2) == 0 {
			k = 0
		}
		for used[k] {
			k = (k + 1) % len(b.listings)
		}
		used[k] = true
		l := b.listings[k]
		d.Lines = append(d.Lines, order.Line{ExternalProduct: l.ProductID, ExternalSKU: l.ExternalSKU, SellerSKU: l.SellerSKU, Title: "Article " + l.SellerSKU,
			UnitPrice: money.Amount{Minor: 1999, Currency: "USD"}, Qty: 1, Units: []order.Unit{{ExternalLineID: id + strconv.Itoa(n), Status: order.AwaitingShipment}}})
	}
	return order.Fact{Kind: order.Snapshot, ConnectionID: b.conn, ExternalID: id, UpdatedAt: at, ReadAt: at.Add(time.Second), Status: order.AwaitingShipment,
		StatusText: "AWAITING_SHIPMENT", Detail: d}
}
