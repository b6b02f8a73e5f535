package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/sim/shopify"
	"github.com/spillway/spillway/sim/world"
)

// The vendors run in a process of their own, as they do in life: their memory, their locks and their clock cycles are not the measured
// program's. The two speak in lines of JSON: the market's first, then "go", then "end".

// marketSpec is what the other process is asked to simulate.
type marketSpec struct {
	Seed      uint64        `json:"seed"`
	Items     int           `json:"items"`
	PerSecond int           `json:"per_second"`
	For       time.Duration `json:"for"`
}

// marketNews is one line of what the other process reports.
type marketNews struct {
	Apps    []ops.NewApp    `json:"apps,omitempty"`    // first: how to connect the shops
	Order   string          `json:"order,omitempty"`   // a buyer's order
	Shop    int             `json:"shop,omitempty"`    // and where
	At      time.Time       `json:"at,omitzero"`       // and when it was placed
	Acks    []time.Duration `json:"acks,omitempty"`    // how long webhooks took to be answered
	Done    bool            `json:"done,omitempty"`    // the last buyer has been
	Refused int             `json:"refused,omitempty"` // buyers who found too few
	Active  map[string]int  `json:"active,omitempty"`  // last: units sold and not cancelled, by SKU
}

func articlesOf(prefix string, n int) []stage.Article {
	out := make([]stage.Article, n)
	for i := range out {
		sku := fmt.Sprintf("%s%05d", prefix, i)
		out[i] = stage.Article{SKU: sku, Title: "Article " + sku, Cents: 1999}
	}
	return out
}

// startShops starts the shops of a measurement: two on TikTok Shop, one on Shopify.
func startShops(seed uint64, articles []stage.Article, log *slog.Logger) (shops []stage.Shop, apps []ops.NewApp, err error) {
	for i, start := range []func() (stage.Shop, error){
		func() (stage.Shop, error) { return stage.TikTok("A", seed+1, time.Hour, articles, log) },
		func() (stage.Shop, error) { return stage.Shopify("S", seed+2, shopify.Plus, articles, log) },
		func() (stage.Shop, error) { return stage.TikTok("B", seed+3, time.Hour, articles, log) },
	} {
		s, err := start()
		if err != nil {
			stopShops(shops)
			return nil, nil, err
		}
		shops, apps = append(shops, s), append(apps, s.App([]string{"a", "s", "b"}[i]))
	}
	return shops, apps, nil
}

func stopShops(shops []stage.Shop) {
	for _, s := range shops {
		s.Stop()
	}
}

// reporter writes news, one line each, from any goroutine.
type reporter struct {
	mu  sync.Mutex
	out *json.Encoder
	err error
}

func (r *reporter) tell(n marketNews) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.out.Encode(n); err != nil && r.err == nil {
		r.err = err
	}
}

// Market is the other process of Truth: three shops and their buyers.
func Market(ctx context.Context, in io.Reader, out io.Writer, log *slog.Logger) error {
	var spec marketSpec
	told, err := hear(in, &spec)
	if err != nil {
		return err
	}
	articles := articlesOf("B", spec.Items)
	shops, apps, err := startShops(spec.Seed, articles, log)
	if err != nil {
		return err
	}
	defer stopShops(shops)
	r := &reporter{out: json.NewEncoder(out)}
	r.tell(marketNews{Apps: apps})
	if err := told.word(); err != nil { // go
		return told.over(err)
	}
	if err := trade(ctx, spec, articles, shops, r); err != nil {
		return err
	}
	if err := told.word(); err != nil { // end
		return told.over(err)
	}
	active := map[string]int{}
	for _, a := range articles {
		for _, s := range shops {
			active[a.SKU] += s.Active(a.SKU)
		}
	}
	r.tell(marketNews{Active: active})
	return r.err
}

// trade lets the buyers come and reports until the last of their webhooks was answered for.
func trade(ctx context.Context, spec marketSpec, articles []stage.Article, shops []stage.Shop, r *reporter) error {
	var skus []string
	for _, v := range articles[1:] {
		skus = append(skus, v.SKU)
	}
	perMinute := float64(spec.PerSecond) * 60
	arrivals, err := world.Arrivals(world.Profile{Seed: spec.Seed, Length: spec.For, SKUs: skus, Zipf: 1, Hot: articles[0].SKU, HotShare: 0.5,
		Flows: []world.Flow{{Channel: "0", PerMinute: perMinute / 2}, {Channel: "1", PerMinute: perMinute / 4}, {Channel: "2", PerMinute: perMinute / 4}}})
	if err != nil {
		return err
	}
	refused := 0 // buyers come one after the other
	_, done := world.Play(world.Wall(), arrivals, 1, func(a world.Arrival) {
		i := int(a.Channel[0] - '0')
		at := time.Now()
		id, err := shops[i].Place([]stage.Line{{SKU: a.SKU, Qty: 1}})
		if err != nil {
			refused++
			return
		}
		r.tell(marketNews{Order: id, Shop: i, At: at})
	})
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	seen := make([]uint64, len(shops))
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			r.tell(marketNews{Acks: newAcks(shops, seen)})
		case <-done:
			for _, s := range shops {
				if err := s.Courier().Idle(ctx); err != nil {
					return err
				}
			}
			r.tell(marketNews{Done: true, Refused: refused, Acks: newAcks(shops, seen)})
			return nil
		}
	}
}

// newAcks takes over the deliveries answered at the first try since the last look.
func newAcks(shops []stage.Shop, seen []uint64) (acks []time.Duration) {
	for i, s := range shops {
		for _, a := range s.Courier().Attempts(seen[i], 10_000) {
			seen[i] = max(seen[i], a.Seq)
			if a.Delivered && a.Try == 1 {
				acks = append(acks, time.Duration(a.LatencyMS*float64(time.Millisecond)))
			}
		}
	}
	return acks
}

// market is the other process as this one sees it.
type market struct {
	*child
	apps []ops.NewApp
}

func openMarket(ctx context.Context, binary string, spec marketSpec, log io.Writer) (*market, error) {
	c, err := startChild(ctx, binary, "market", spec, log)
	if err != nil {
		return nil, err
	}
	m := &market{child: c}
	n, err := m.next()
	if err != nil {
		m.close()
		return nil, err
	}
	m.apps = n.Apps
	return m, nil
}

func (m *market) next() (n marketNews, err error) {
	err = m.read(&n)
	return n, err
}
