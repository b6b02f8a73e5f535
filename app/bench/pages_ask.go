package bench

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

const (
	// lookPause is between two looks at the overview: the figures behind it are counted anew meanwhile, as on a page left open.
	lookPause = 10 * time.Millisecond
	// firstLooks are taken by desks that nobody has asked before.
	firstLooks = 5
	// deepPage is how far down a list is walked.
	deepPage = 20
	// idleShop has no orders: whoever looked for them among those of others would look at all.
	idleShop = "shop-idle"
)

// question is one page with what is asked of it; i is a number that differs from ask to ask.
type question struct {
	page  string
	bar   time.Duration
	times int // 0: as often as all
	pause time.Duration
	ask   func(ctx context.Context, i int) error
}

// askAll asks every question and takes the times.
func (r *pagesRig) askAll(ctx context.Context, times int) ([]pageFigure, error) {
	var out []pageFigure
	for _, q := range append(append(r.overviews(), r.lists()...), r.searches()...) {
		f, err := q.measure(ctx, times, rand.New(rand.NewPCG(3, uint64(len(out)))), r.h.Orders)
		if err != nil {
			return nil, errs.Wrap("bench.Pages", q.page, err)
		}
		out = append(out, f)
	}
	return out, nil
}

// measure asks a question as often as it wants to be, else as often as all, and takes the times.
func (q question) measure(ctx context.Context, times int, dice *rand.Rand, orders int) (pageFigure, error) {
	n := q.times
	if n == 0 {
		n = times
	}
	took := make([]time.Duration, 0, n)
	for range n {
		i := dice.IntN(orders)
		began := time.Now()
		if err := q.ask(ctx, i); err != nil {
			return pageFigure{}, err
		}
		took = append(took, time.Since(began))
		if q.pause > 0 {
			time.Sleep(q.pause)
		}
	}
	return pageFigure{Page: q.page, N: n, P50: quantile(took, .5), P95: quantile(took, .95), P99: quantile(took, .99), Bar: q.bar}, nil
}

func (r *pagesRig) overviews() []question {
	return []question{
		{page: "overview, asked for the first time", times: firstLooks, ask: func(ctx context.Context, _ int) error {
			desk, err := r.newDesk()
			if err == nil {
				_, err = desk.Overview(ctx)
			}
			return err
		}},
		{page: "overview", bar: overviewBar, pause: lookPause, ask: func(ctx context.Context, _ int) error {
			v, err := r.desk.Overview(ctx)
			if err == nil && v.Open == 0 {
				err = errs.New(errs.Internal, "bench.Pages", "", "no order is open")
			}
			return err
		}},
		{page: "frame of every page", bar: overviewBar, ask: func(ctx context.Context, _ int) error {
			_, err := r.desk.Frame(ctx)
			return err
		}},
	}
}

func (r *pagesRig) lists() []question {
	list := func(f view.OrderFilter, deep bool) func(context.Context, int) error {
		var after string
		return func(ctx context.Context, _ int) error {
			if deep && after == "" { // the cursor of a page far down, or of the last one, found once
				g := f
				for range deepPage {
					v, err := r.desk.Orders(ctx, g)
					if err != nil {
						return err
					}
					if v.Next == "" {
						break
					}
					g.After = v.Next
				}
				after = g.After
			}
			g := f
			g.After = after
			v, err := r.desk.Orders(ctx, g)
			if err == nil && len(v.Rows) == 0 && f.State != "late" && f.State != "short" {
				err = errs.New(errs.Internal, "bench.Pages", f.State, "the list is empty")
			}
			return err
		}
	}
	qs := []question{{page: "order page", bar: listBar, ask: func(ctx context.Context, i int) error {
		v, err := r.desk.Order(ctx, historyID(i))
		if err == nil && len(v.Timeline) == 0 {
			err = errs.New(errs.Internal, "bench.Pages", "", "the order lacks its timeline")
		}
		return err
	}}}
	for _, state := range []string{"", "late", "hold", "short", "shipped", "cancelled", "all"} {
		name := state
		if name == "" {
			name = "open"
		}
		qs = append(qs, question{page: "orders, " + name, bar: listBar, ask: list(view.OrderFilter{State: state}, false)})
	}
	for _, state := range []string{"", "late", "hold", "shipped", "cancelled", "all"} {
		name := state
		if name == "" {
			name = "open"
		}
		qs = append(qs, question{page: "orders, " + name + ", of one shop", bar: listBar, ask: list(view.OrderFilter{State: state, ConnectionID: historyShops[2]}, false)})
	}
	return append(qs, question{page: "orders, open, a page far down", bar: listBar, ask: list(view.OrderFilter{}, true)},
		question{page: "orders, all, a page far down", bar: listBar, ask: list(view.OrderFilter{State: "all"}, true)},
		question{page: "orders, all, of a shop that sells nothing", bar: listBar, ask: func(ctx context.Context, _ int) error {
			_, err := r.desk.Orders(ctx, view.OrderFilter{State: "all", ConnectionID: idleShop})
			return err
		}},
		question{page: "orders, open, of a shop that sells nothing", bar: listBar, ask: func(ctx context.Context, _ int) error {
			_, err := r.desk.Orders(ctx, view.OrderFilter{ConnectionID: idleShop})
			return err
		}})
}

func (r *pagesRig) searches() []question {
	search := func(least int, key func(i int) string) func(context.Context, int) error {
		return func(ctx context.Context, i int) error {
			v, err := r.desk.Search(ctx, key(i))
			if err == nil && len(v.Hits) < least {
				err = errs.New(errs.Internal, "bench.Pages", key(i), "was not found")
			}
			return err
		}
	}
	parcel := func(i int) string { return historyParcel(i / 2) } // the first half has left
	// What to find comes from the numbers of orders, so it is known without asking.
	return []question{
		{page: "search by order id", bar: searchBar, ask: search(1, func(i int) string { return historyID(i) })},
		{page: "search by the channel's id", bar: searchBar, ask: search(1, historyExternal)},
		{page: "search by order number", bar: searchBar, ask: search(1, historyNumber)},
		{page: "search by parcel", bar: searchBar, ask: search(0, parcel)},
		{page: "search by return", bar: searchBar, ask: search(1, func(i int) string { return historyCase(i / caseEvery * caseEvery) })},
		{page: "search by buyer", bar: searchBar, ask: search(1, func(i int) string { return r.h.buyer(i) })},
		{page: "search by a busy buyer", bar: searchBar, ask: search(1, func(int) string { return r.h.buyer(0) })},
		{page: "search by SKU", bar: searchBar, ask: search(1, func(i int) string { return historyItem(i % r.h.Items) })},
		{page: "search in vain", bar: searchBar, ask: search(0, func(i int) string { return "nothing like " + historyExternal(i) })},
		{page: "orders searched by buyer", bar: searchBar, ask: func(ctx context.Context, i int) error {
			_, err := r.desk.Orders(ctx, view.OrderFilter{State: "all", Query: r.h.buyer(i)})
			return err
		}},
	}
}
