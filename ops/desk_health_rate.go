package ops

import (
	"context"
	"slices"
	"sort"

	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// pastDays is how far back a rate can be asked for: sums are kept for ever, and a year and some is what people compare with.
	pastDays = 400
	// markPage orders are a page. markScan bounds the marks read to fill one where few pass the choices made: then the page is short, with a way on.
	markPage, markScan = 50, 1_000
	// markSetMost bounds the marks read to count what each further choice would leave.
	markSetMost = 10_000
	// allScan bounds the orders read to fill a page of all counted orders; they are looked for by when they were placed, back to allBefore days
	// before the window: nothing counted in it was placed earlier, but for orders on hold for months.
	allScan, allBefore = 500, 90
)

// Rate is what is behind a metric of a shop. Errors: NotFound (the shop or the metric), Invalid (a day that cannot be asked for, a cursor).
func (d *Desk) Rate(ctx context.Context, f view.RateFilter) (view.RatePage, error) {
	const op = "ops.Rate"
	m := policy.Metric(f.Metric)
	if !slices.Contains(policy.Metrics, m) {
		return view.RatePage{}, errs.New(errs.NotFound, op, f.Metric, "There is no rate %s.", f.Metric)
	}
	all, err := d.shopRates(ctx)
	if err != nil {
		return view.RatePage{}, err
	}
	if len(all) == 0 {
		return view.RatePage{}, errs.New(errs.NotFound, op, "", "No shop is connected.")
	}
	one, err := chooseShop(op, all, f.Shop)
	if err != nil {
		return view.RatePage{}, err
	}
	f.Shop = one.Connection.ID
	if one.Rules == nil {
		return view.RatePage{}, errs.New(errs.NotFound, op, f.Shop, "This shop has no rates: no rules are known by which its channel judges it.")
	}
	on, err := readDay(f.On)
	if first := one.Day - pastDays; err != nil || on != 0 && (on < first || on > one.Day) {
		return view.RatePage{}, errs.New(errs.Invalid, op, "on", "Choose a day from %s to %s.", first, one.Day)
	}
	if on == one.Day {
		on = 0
	}
	s, err := d.shopHealth(ctx, op, f.Shop, on, m)
	if err != nil {
		return view.RatePage{}, err
	}
	v := view.RatePage{At: s.at, Shop: d.shopStanding(one), Filter: f, Past: on != 0, First: dayOf(one.Day - pastDays), Gauge: s.gauge(m), Total: -1, Reconciled: s.told[m]}
	for _, r := range all {
		v.Shops = append(v.Shops, d.shopStanding(r))
	}
	for _, x := range policy.Metrics {
		v.Gauges = append(v.Gauges, view.Option{ID: string(x), Label: wordsOf(x).short})
	}
	now := s.standing(m)
	v.Definition = definitionOf(s.Rules, now.Rate, s.Day)
	if now.Rate == nil {
		v.Total = 0
		return v, nil
	}
	return v, d.fillRate(ctx, &v, s, now)
}

// fillRate fills in days, choices and orders.
func (d *Desk) fillRate(ctx context.Context, v *view.RatePage, s *shopHealth, now *health.Standing) error {
	w := rateWindow{d: d, s: s, now: now, f: v.Filter, key: keyOf(s, now)}
	if err := w.choices(ctx, v); err != nil {
		return err
	}
	return d.look(ctx, "ops.Rate", v.Filter.Shop, func(tx *store.Tx) error {
		days, err := tx.HealthDays(s.Connection.ID, w.key.key, now.First, now.Last)
		if err != nil {
			return err
		}
		v.Days = w.days(days)
		if v.Filter.All {
			v.Rows, v.Next, err = w.counted(tx)
			return err
		}
		v.Rows, v.Next, err = w.marked(tx)
		return err
	})
}

// rateWindow is the orders of a rate on a day, with the choices made.
type rateWindow struct {
	d   *Desk
	s   *shopHealth
	now *health.Standing
	f   view.RateFilter
	key causeKey
	set markSet // the newest marks, once a choice was made
}

// days are the window's days, newest first.
func (w *rateWindow) days(sums health.Series) (out []view.DayCount) {
	calendar, rules := w.s.Rules.Calendar(), w.s.Rules
	today := policy.DayOf(w.s.at, rules.Location())
	for day := w.now.Last; day >= w.now.First; day-- {
		sum := sums.Sum(day, day)
		c := view.DayCount{Day: dayOf(day), Num: sum.Num, Den: sum.Den, Open: day >= today}
		a, held := rules.RateOn(w.now.Metric, day)
		b, before := rules.RateOn(w.now.Metric, day-1)
		switch {
		case held != before || held && a.ID != b.ID:
			c.Note = "definition changes"
		case calendar != nil:
			c.Note = calendar.Why(day)
		}
		out = append(out, c)
	}
	return out
}

// chosen is what a facet is narrowed to; empty: to nothing.
func (w *rateWindow) chosen(facet string) string {
	switch facet {
	case facetReason:
		return w.f.Reason
	case health.FacetNode:
		return w.f.Node
	case health.FacetCarrier:
		return w.f.Carrier
	case health.FacetRegion:
		return w.f.Region
	case health.FacetItem:
		return w.f.Item
	case health.FacetMode:
		return w.f.Mode
	}
	return ""
}

// misses counts the choices a mark does not meet, and names one.
func (w *rateWindow) misses(m *health.Mark) (n int, facet string) {
	for _, f := range facetNames {
		if want := w.chosen(f.id); want != "" && !slices.Contains(valuesOf(m, f.id), want) {
			n, facet = n+1, f.id
		}
	}
	if m.Reason.Unjudged() && w.f.Reason == "" { // counted, and not against the shop: only for who asks for them
		if n++; facet == "" {
			facet = facetReason
		}
	}
	return n, facet
}

func valuesOf(m *health.Mark, facet string) []string {
	switch facet {
	case facetReason:
		return []string{string(m.Reason)}
	case health.FacetNode:
		return []string{m.Facets.Node}
	case health.FacetCarrier:
		return m.Facets.Carriers
	case health.FacetRegion:
		return []string{m.Facets.Region}
	case health.FacetItem:
		return m.Facets.Items
	case health.FacetMode:
		return []string{m.Facets.Mode}
	}
	return nil
}

// narrowed reports whether any choice was made.
func (w *rateWindow) narrowed() bool {
	return slices.ContainsFunc(facetNames, func(f struct{ id, name string }) bool { return w.chosen(f.id) != "" })
}

// choices fills in what each facet can be narrowed to, and how many orders match. Without a choice the sums tell; with one, marks are counted.
func (w *rateWindow) choices(ctx context.Context, v *view.RatePage) error {
	counts := map[string]map[string]int64{}
	if w.narrowed() {
		var err error
		if w.set, err = w.d.markSet(ctx, w.key); err != nil {
			return err
		}
		k := choiceKey{w.key, w.f.Reason, w.f.Node, w.f.Carrier, w.f.Region, w.f.Item, w.f.Mode}
		c, _, err := w.d.health.choices.at(k, w.d.x.now()).get(ctx, w.d.x.ctx, w.d.x.now, causesEvery, func(context.Context) (choiceCounts, error) {
			return w.countMarks(w.set.marks), nil
		})
		if err != nil {
			return err
		}
		counts = c.by
		if w.set.whole && !w.f.All {
			v.Total = c.total
		}
	} else {
		all, err := w.d.causesOf(ctx, w.key, w.now.Rate.Test.Bad())
		if err != nil {
			return err
		}
		for facet, list := range all {
			counts[facet] = map[string]int64{}
			for _, p := range list {
				counts[facet][p.value] = p.against
			}
		}
		switch {
		case w.f.All && w.now.Rate.Counts == policy.Orders:
			v.Total = w.now.Den
		case !w.f.All && w.now.Rate.Counts == policy.Orders:
			v.Total = w.now.Against()
		}
	}
	cat := w.d.x.catalog.Load()
	for _, f := range facetNames {
		c := view.FacetChoice{Facet: f.id, Name: f.name, Chosen: w.chosen(f.id)}
		for value, n := range counts[f.id] {
			if n > 0 && value != "" || value == c.Chosen && value != "" {
				c.Options = append(c.Options, view.Count{ID: value, Label: cat.valueName(w.key.connection, f.id, value), N: n})
			}
		}
		slices.SortFunc(c.Options, byCount)
		c.Options = c.Options[:min(len(c.Options), choiceRows)]
		v.Facets = append(v.Facets, c)
	}
	return nil
}

// choiceKey names the choices made of a window, choiceCounts what they leave.
type choiceKey struct {
	causeKey
	reason, node, carrier, region, item, mode string
}

type choiceCounts struct {
	by    map[string]map[string]int64 // by facet and value, for the other choices made
	total int64                       // marks that meet all
}

func (w *rateWindow) countMarks(marks []health.Mark) choiceCounts {
	out := choiceCounts{by: map[string]map[string]int64{}}
	for _, f := range facetNames {
		out.by[f.id] = map[string]int64{}
	}
	for i := range marks {
		m := &marks[i]
		n, missed := w.misses(m)
		if n == 0 {
			out.total++
		}
		for _, f := range facetNames {
			if n == 0 || n == 1 && missed == f.id {
				for _, value := range valuesOf(m, f.id) {
					out.by[f.id][value]++
				}
			}
		}
	}
	return out
}

// markSet is the newest marks of a window; whole: all of them.
type markSet struct {
	marks []health.Mark
	whole bool
}

func (d *Desk) markSet(ctx context.Context, k causeKey) (markSet, error) {
	out, _, err := d.health.marks.at(k, d.x.now()).get(ctx, d.x.ctx, d.x.now, causesEvery, func(ctx context.Context) (set markSet, err error) {
		err = d.count(ctx, func(tx *store.Tx) error {
			set = markSet{}
			day, id := k.last+1, ""
			for len(set.marks) < markSetMost {
				got, err := tx.HealthMarks(k.connection, k.key, k.first, day, id, markScan)
				if err != nil {
					return err
				}
				set.marks = append(set.marks, got...)
				if set.whole = len(got) < markScan; set.whole {
					return nil
				}
				day, id = got[len(got)-1].Day, got[len(got)-1].OrderID
			}
			return nil
		})
		return set, err
	})
	return out, errs.Wrap("ops.Rate", k.connection, err)
}

// marked is a page of the orders that count against the shop, or of those that could not be judged where they were asked for. Where few pass the
// choices made, the newest marks are looked through as they are kept, and only those behind them are read.
func (w *rateWindow) marked(tx *store.Tx) ([]view.CountedOrder, string, error) {
	day, id, err := readMarkCursor(w.f.After, w.now.Last+1)
	if err != nil {
		return nil, "", err
	}
	p := markPager{w: w, day: day, id: id}
	if kept := w.set.after(day, id); len(w.set.marks) > 0 && (len(kept) > 0 || w.set.whole) {
		p.take(kept)
		p.last = w.set.whole && !p.full
	}
	limit := markPage + 1 // one more than a page tells whether there is a next
	for scanned := 0; !p.full && !p.last && scanned < markScan; scanned, limit = scanned+limit, markScan/2 {
		got, err := tx.HealthMarks(w.s.Connection.ID, w.key.key, w.now.First, p.day, p.id, limit)
		if err != nil {
			return nil, "", err
		}
		p.take(got)
		p.last = len(got) < limit && !p.full
	}
	rows, err := w.rows(tx, p.page)
	if p.last {
		return rows, "", err
	}
	return rows, markCursor(p.day, p.id), err
}

// markPager fills a page of marks.
type markPager struct {
	w    *rateWindow
	page []health.Mark
	day  policy.Day // the place behind which to read on
	id   string
	full bool // and there is at least one more mark
	last bool // there is nothing behind
}

func (p *markPager) take(marks []health.Mark) {
	for i := range marks {
		if p.full = len(p.page) == markPage; p.full {
			return
		}
		p.day, p.id = marks[i].Day, marks[i].OrderID
		if n, _ := p.w.misses(&marks[i]); n == 0 {
			p.page = append(p.page, marks[i])
		}
	}
}

// after are the marks behind a place.
func (s *markSet) after(day policy.Day, id string) []health.Mark {
	i := sort.Search(len(s.marks), func(i int) bool {
		m := &s.marks[i]
		return m.Day < day || m.Day == day && m.OrderID < id
	})
	return s.marks[i:]
}

// rows are marks with their orders.
func (w *rateWindow) rows(tx *store.Tx, marks []health.Mark) ([]view.CountedOrder, error) {
	ids := make([]string, len(marks))
	for i := range marks {
		ids[i] = marks[i].OrderID
	}
	orders, err := tx.OrdersGet(ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*order.Order, len(orders))
	for i := range orders {
		byID[orders[i].ID] = &orders[i]
	}
	out := make([]view.CountedOrder, 0, len(marks))
	for i := range marks {
		m := &marks[i]
		row := w.row(m.Day, m.Reason, m.Facets, byID[m.OrderID])
		row.ID = m.OrderID
		out = append(out, row)
	}
	return out, nil
}
