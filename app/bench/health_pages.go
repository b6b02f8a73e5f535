package bench

import (
	"context"

	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// pages are the pages of health as their readers ask for them, in turn for each shop and metric.
func (r *healthRig) pages() []question {
	shop := func(i int) string { return historyShops[i%len(historyShops)] }
	metric := func(i int) string { return string(policy.Metrics[i/len(historyShops)%len(policy.Metrics)]) }
	rate := func(f func(i int) view.RateFilter) func(context.Context, int) error {
		return func(ctx context.Context, i int) error {
			got, err := r.desk.Rate(ctx, f(i))
			if err == nil && got.Gauge.Den == 0 {
				err = errs.New(errs.Internal, "bench.Health", shop(i), "nothing was counted")
			}
			return err
		}
	}
	return []question{
		{page: "health page", bar: healthBar, ask: func(ctx context.Context, i int) error {
			got, err := r.desk.Health(ctx, shop(i), "")
			if err == nil && (len(got.Gauges) == 0 || got.Gauges[0].Den == 0) {
				err = errs.New(errs.Internal, "bench.Health", shop(i), "nothing was counted")
			}
			return err
		}},
		{page: "orders behind a rate", bar: healthBar, ask: rate(func(i int) view.RateFilter { return view.RateFilter{Shop: shop(i), Metric: metric(i)} })},
		{page: "orders behind a rate, of one node", bar: healthBar, ask: rate(func(i int) view.RateFilter {
			return view.RateFilter{Shop: shop(i), Metric: metric(i), Node: historyNodes[i%len(historyNodes)]}
		})},
		{page: "orders behind a rate, of one region", bar: healthBar, ask: rate(func(i int) view.RateFilter {
			return view.RateFilter{Shop: shop(i), Metric: metric(i), Region: historyRegions[i%len(historyRegions)]}
		})},
		{page: "rules", bar: healthBar, ask: func(ctx context.Context, _ int) error {
			_, err := r.desk.Policy(ctx, view.PolicyFilter{Market: historyMarket})
			return err
		}},
	}
}
