package storybook

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// shopStanding sums one shop up by its worst metric.
func (b *Book) shopStanding(s shopStory) view.ShopStanding {
	out := view.ShopStanding{ID: s.id, Name: channelNames[s.id], Market: s.market, Level: view.Good, Word: "good", Text: "Every rate is inside its limits."}
	if s.market == "" {
		return view.ShopStanding{ID: s.id, Name: channelNames[s.id], Word: "no rules", Text: "This channel does not judge its shops by rates."}
	}
	for _, m := range meters {
		against, of := b.windowCount(s, m, 0)
		switch standing(m, above(m, against, of), of, limitsOn(s.market, m.id, b.dayBack(0))) {
		case view.StateBreach:
			out.Level, out.Word, out.Text = view.Bad, "breach", m.short+" is in breach."
		case view.StateWatch:
			if out.Level != view.Bad {
				out.Level, out.Word, out.Text = view.Watch, "watch", m.short+" is over its target."
			}
		}
	}
	return out
}

func (b *Book) standings() []view.ShopStanding {
	var out []view.ShopStanding
	for _, c := range b.conns {
		if s, ok := storyOf(c.ID); ok {
			out = append(out, b.shopStanding(s))
		}
	}
	return out
}

// Health is one shop in detail; without a name, the largest.
func (b *Book) Health(_ context.Context, shop, causesFor string) (view.Health, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Health{}, err
	}
	defer unlock()
	v := view.Health{At: b.now(), Shops: b.standings(), Compound: -1}
	if len(v.Shops) == 0 {
		v.Sentence = "No shop is judged yet."
		return v, nil
	}
	s, ok := storyOf(cmp.Or(shop, "clip-north"))
	if !ok {
		return view.Health{}, errs.New(errs.NotFound, "storybook.Health", shop, "There is no shop %s.", shop)
	}
	v.Shop = b.shopStanding(s)
	v.Level, v.Sentence = v.Shop.Level, v.Shop.Text
	if s.market == "" {
		v.Sentence = "This channel does not judge its shops by rates."
		v.Missing = []string{"No rule set is known for Cart, so there are no rates and no forecast. Deadlines are those its orders carry."}
		b.risk(&v)
		return v, nil
	}
	for _, m := range meters {
		v.Gauges = append(v.Gauges, b.gauge(s, m, 0))
	}
	v.CausesFor = cmp.Or(causesFor, "ldr")
	if m, ok := meterOf(v.CausesFor); ok {
		v.Causes = b.causes(s, m)
	} else {
		return view.Health{}, errs.New(errs.Invalid, "storybook.Health", "causes", "%s is not a rate of this shop.", causesFor)
	}
	b.risk(&v)
	v.Incidents = b.openIncidents(s.id)
	v.Account = b.account(s)
	if s.id == "clip-north" {
		v.Sentence = "Late dispatch is over its target; 9 orders leaving by 17:00 bring it back by Monday."
		v.Compound = 264_000
		v.Advice = b.advice(v.Risk)
	} else {
		v.Stale = "Orders of Clip · Outlet are read 14 min late because it answers “too many requests”. Its figures are as of then."
		v.Missing = []string{"No forecast for this shop: fewer than 50 hand-overs were seen in the last 14 days."}
		for i := range v.Gauges {
			v.Gauges[i].AsOf = b.now().Add(-14 * time.Minute)
		}
	}
	return v, nil
}

// risk lists the shop's open orders with the chance that each is late.
func (b *Book) risk(v *view.Health) {
	waits := []string{"packing", "picking, 14 orders before it", "the 17:00 pick-up", "a label"}
	for _, o := range b.byOpenSlack() {
		if o.ConnectionID != v.Shop.ID {
			continue
		}
		h := pick(o.Number)
		slack := o.Due.Sub(b.now())
		r := view.RiskRow{OrderRow: o, Node: storyNodes[h%7/5], Waits: waits[h%len(waits)]}
		switch {
		case slack < 0:
			r.Late, r.Waits = 1_000_000, "packing"
		case slack < 8*time.Hour:
			r.Late = view.PPM(920_000 - int64(slack/time.Minute)*1_700)
		default:
			r.Late = view.PPM(max(4_000, 90_000-int64(slack/time.Minute)*60))
		}
		if o.State == "on hold" {
			r.Waits = "the buyer’s hour to cancel"
		} else {
			at := b.now().Add(max(slack-40*time.Minute, 50*time.Minute))
			r.Expected = &at
		}
		v.Risk = append(v.Risk, r)
	}
}

// advice is what to do in the story: the smallest set of orders, and two things that are no orders.
func (b *Book) advice(risk []view.RiskRow) []view.Advice {
	var set []view.RiskRow
	for _, o := range risk {
		if o.Due.After(b.now()) && len(set) < 9 {
			set = append(set, o)
		}
	}
	by := b.now().Truncate(time.Hour).Add(3 * time.Hour)
	return []view.Advice{
		{
			ID: "ldr-now", Metric: "ldr", Level: view.Watch, Count: int64(len(set)), Orders: set[:min(5, len(set))], By: &by,
			Sentence: fmt.Sprintf("Ship these %d orders by 17:00 and late dispatch ends the week at 4.1 %%.", len(set)),
			Why:      "The fewest orders that do it: each is due before the next pick-up and would be late without a hand.",
			Effect:   []view.Change{{What: "Late dispatch on 24 Nov", From: "5.0 %", To: "4.1 %", Level: view.Watch}, {What: "Chance of enforcement", From: "<1 %", To: "0 %"}},
		},
		{
			ID: "sfcr-stock", Metric: "sfcr", Level: view.Watch, Sentence: "Receive or count LAMP-02: 3 orders wait for units the journal does not have.",
			Why: "Cancelling them would be our fault and bring our cancellations to 2.0 %.", Ref: view.Ref{Kind: view.KindItem, ID: "LAMP-02"}, RefText: "Open LAMP-02",
			Effect: []view.Change{{What: "Our cancellations", From: "2.0 %", To: "1.9 %"}},
		},
		{
			ID: "porto", Metric: "ldr", Sentence: "Porto Logistica made 7 in 10 of the late ones: ask it for a second pick-up at 20:00.",
			Why: "Its parcels are ready at 18:30 on average, 90 minutes after the carrier has been.", Ref: view.Ref{Kind: view.KindMetric, ID: "clip-north@ldr"}, RefText: "Orders behind it",
		},
	}
}

// ToDo is an advice with its orders.
func (b *Book) ToDo(ctx context.Context, shop, id string) (view.ToDo, error) {
	v, err := b.Health(ctx, shop, "")
	if err != nil {
		return view.ToDo{}, err
	}
	for _, a := range v.Advice {
		if a.ID == id && a.Count > 0 {
			a.Orders = nil
			for _, o := range v.Risk {
				if o.Due.After(v.At) && int64(len(a.Orders)) < a.Count {
					a.Orders = append(a.Orders, o)
				}
			}
			return view.ToDo{At: v.At, Shop: v.Shop, Advice: a}, nil
		}
	}
	return view.ToDo{}, errs.New(errs.NotFound, "storybook.ToDo", id, "This advice does not hold any more. Look at what to do now.")
}

// facetsOf are the values a counted order has.
func facetsOf(o view.CountedOrder) map[string]string {
	sku := o.Item[strings.LastIndex(o.Item, " ")+1:]
	return map[string]string{"reason": o.Reason, "node": o.Node, "carrier": o.Carrier, "region": o.Region, "item": sku, "mode": o.Mode}
}

var facetNames = []view.Option{{ID: "reason", Label: "Reason"}, {ID: "node", Label: "Node"}, {ID: "carrier", Label: "Carrier"}, {ID: "region", Label: "Region"}, {ID: "item", Label: "Item"}, {ID: "mode", Label: "Shipping"}}

// counted lists the orders of a window, newest day first.
func (b *Book) counted(s shopStory, m meter, back int) []view.CountedOrder {
	var out []view.CountedOrder
	for i := range m.days {
		against, of := b.dayCount(s, m.id, back+i)
		for k := range int(of) {
			out = append(out, b.countedOrder(s, m, back+i, k, against))
		}
	}
	return out
}

func (b *Book) causes(s shopStory, m meter) []view.Cause {
	all, bad := map[string]map[string]int64{}, map[string]map[string]int64{}
	for _, f := range facetNames {
		all[f.ID], bad[f.ID] = map[string]int64{}, map[string]int64{}
	}
	for _, o := range b.counted(s, m, 0) {
		for f, x := range facetsOf(o) {
			all[f][x]++
			if o.Against {
				bad[f][x]++
			}
		}
	}
	var out []view.Cause
	for _, f := range facetNames {
		c := view.Cause{Facet: f.ID, Name: strings.ToLower(f.Label)}
		for x, n := range bad[f.ID] {
			row := view.CauseRow{Value: x, Name: x, Against: n, Of: all[f.ID][x]}
			if f.ID == "reason" {
				row.Of = 0
			}
			if row.Of > 0 && 1000*n/row.Of > 120 {
				row.Level = view.Bad
			}
			c.Rows = append(c.Rows, row)
		}
		slices.SortFunc(c.Rows, func(x, y view.CauseRow) int {
			return cmp.Or(cmp.Compare(y.Against, x.Against), cmp.Compare(x.Name, y.Name))
		})
		if n := len(c.Rows); n > 5 {
			c.Rows, c.More = c.Rows[:5], int64(n-5)
		}
		if len(c.Rows) > 0 {
			out = append(out, c)
		}
	}
	return out
}

// Rate is what is behind a metric.
func (b *Book) Rate(_ context.Context, f view.RateFilter) (view.RatePage, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.RatePage{}, err
	}
	defer unlock()
	s, ok := storyOf(cmp.Or(f.Shop, "clip-north"))
	m, known := meterOf(f.Metric)
	if !ok || !known || s.market == "" || len(b.conns) == 0 {
		return view.RatePage{}, errs.New(errs.NotFound, "storybook.Rate", f.Metric, "This shop has no rate %s.", f.Metric)
	}
	back := 0
	if f.On != "" {
		if back = b.back(f.On); back < 0 || back > trendDays {
			return view.RatePage{}, errs.New(errs.Invalid, "storybook.Rate", "on", "Choose a day between %s and today.", b.dayBack(trendDays))
		}
	}
	f.Shop = s.id
	v := view.RatePage{
		At: b.now(), Shop: b.shopStanding(s), Shops: b.standings(), Filter: f, Past: back > 0, First: b.dayBack(trendDays), Gauge: b.gauge(s, m, back),
		Definition: definitionOf(s, m, b.dayBack(back)),
	}
	for _, x := range meters {
		v.Gauges = append(v.Gauges, view.Option{ID: x.id, Label: x.short})
	}
	b.rateRows(&v, s, m, back)
	for i := range m.days {
		against, of := b.dayCount(s, m.id, back+i)
		d := view.DayCount{Day: b.dayBack(back + i), Num: above(m, against, of), Den: of, Open: back+i == 0}
		if d.Day == "2026-11-11" {
			d.Note = "holiday"
		}
		v.Days = append(v.Days, d)
	}
	v.Reconciled = b.reconciled(s, m)
	return v, nil
}

func definitionOf(s shopStory, m meter, day view.Day) view.Definition {
	if m.id == "otdr" && s.market == "GB" && day < "2026-01-01" {
		return view.Definition{}
	}
	d := view.Definition{
		RateID: m.id + "-scan", Formula: m.formula, Numerator: m.above, Denominator: m.below, Window: strconv.Itoa(m.days) + " days to the day judged", Excluded: []string{"orders the channel stores and ships", "creator samples"},
		From: "2026-10-19", Cited: clipPage,
	}
	if m.id == "ldr" {
		d.Besides = []view.Said{{Text: "A scan at the carrier’s depot counts as the first one, a courier’s own list does not.", Cited: view.Cited{Source: "Two tool makers’ pages", Confidence: "unverified"}}}
	}
	if day < d.From {
		d.RateID, d.From, d.Until = m.id+"-tracking", "2025-01-01", "2026-10-19"
		d.Numerator = strings.Replace(d.Numerator, "first carrier scan", "tracking number", 1)
	}
	return d
}

func (b *Book) rateRows(v *view.RatePage, s shopStory, m meter, back int) {
	f := v.Filter
	chosen := map[string]string{"reason": f.Reason, "node": f.Node, "carrier": f.Carrier, "region": f.Region, "item": f.Item, "mode": f.Mode}
	counts := map[string]map[string]int64{}
	for _, n := range facetNames {
		counts[n.ID] = map[string]int64{}
	}
	skip := f.After != ""
	for _, o := range b.counted(s, m, back) {
		if !o.Against && !f.All {
			continue
		}
		have, misses, missed := facetsOf(o), 0, ""
		for name, want := range chosen {
			if want != "" && have[name] != want {
				misses, missed = misses+1, name
			}
		}
		for name, x := range have { // a facet's counts hold for the other choices made
			if x != "" && (misses == 0 || misses == 1 && missed == name) {
				counts[name][x]++
			}
		}
		if misses > 0 {
			continue
		}
		v.Total++
		switch {
		case skip:
			skip = o.ID != f.After
		case len(v.Rows) < pageSize:
			v.Rows = append(v.Rows, o)
		case v.Next == "":
			v.Next = v.Rows[len(v.Rows)-1].ID
		}
	}
	for _, n := range facetNames {
		c := view.FacetChoice{Facet: n.ID, Name: n.Label, Chosen: chosen[n.ID]}
		for x, k := range counts[n.ID] {
			c.Options = append(c.Options, view.Count{ID: x, Label: x, N: k})
		}
		slices.SortFunc(c.Options, func(x, y view.Count) int { return cmp.Or(cmp.Compare(y.N, x.N), cmp.Compare(x.ID, y.ID)) })
		v.Facets = append(v.Facets, c)
	}
}

// reconciled is what Seller Center's exports said, where they were imported.
func (b *Book) reconciled(s shopStory, m meter) []view.Reconciled {
	if s.id != "clip-north" || m.id != "ldr" {
		return nil
	}
	var out []view.Reconciled
	for i, back := range []int{6, 13, 20} {
		against, of := b.windowCount(s, m, back)
		their := against - int64([]int{2, 0, 1}[i])
		r := view.Reconciled{
			ID: explainedRun, Metric: m.id, Name: m.short, Day: b.dayBack(back), From: b.dayBack(back + m.days - 1), Num: against, Den: of, Told: true,
			Their: view.PPM(their * 1_000_000 / of), TheirText: fmt.Sprintf("%d of %d", their, of), TheirNum: their, TheirDen: of, By: "mia@nordlicht.example",
			ImportedAt: b.now().Add(-time.Duration(back*24-20) * time.Hour), File: fmt.Sprintf("late-dispatch-%s.xlsx", b.dayBack(back)), Level: view.Good,
		}
		if i == 0 {
			r.Differ, r.Explained = 4, []view.Count{{ID: "time", Label: "a time differs", N: 2}, {ID: "deadline", Label: "the deadline differs", N: 1}, {ID: "unknown_here", Label: "not known here", N: 1}}
		}
		if i == 2 {
			r.Differ, r.Unexplained, r.Level = 1, 1, view.Watch
		}
		out = append(out, r)
	}
	return out
}

// countedPage shows an order of a rate's past as an order of its own.
func (b *Book) countedPage(id string) (view.OrderPage, bool) {
	shop, number, _ := strings.Cut(id, ":")
	s, ok := storyOf(shop)
	if !ok || len(number) != 14 || !strings.HasPrefix(number, "5769") {
		return view.OrderPage{}, false
	}
	back := b.back(view.Day("20" + number[4:6] + "-" + number[6:8] + "-" + number[8:10]))
	k, err := strconv.Atoi(number[10:])
	if _, of := b.dayCount(s, "ldr", back); err != nil || int64(k) >= of {
		return view.OrderPage{}, false
	}
	against, _ := b.dayCount(s, "ldr", back)
	c := b.countedOrder(s, meters[0], back, k, against)
	h := pick(number)
	st := stocks[h/3%10]
	placed := c.Due.Add(-50 * time.Hour)
	o := view.OrderPage{
		OrderRow: view.OrderRow{ID: id, Number: number, ConnectionID: shop, Channel: channelNames[shop], State: "shipped", Placed: placed, Lines: 1, Units: int64(1 + h%3), Total: "24.90 USD", Level: view.Good},
		At:       b.now(), Buyer: fmt.Sprintf("b-%06x", h), Destination: "US, " + c.Region, ChannelState: "IN_TRANSIT",
		Deadlines:    []view.Deadline{{Name: "Hand to the carrier", At: *c.Due, Source: "the order’s collection_due_time", Met: c.Done, Level: view.Good}},
		OrderLines:   []view.OrderLine{{LineID: number + "-1", ItemID: st.sku, SKU: st.sku, Title: st.title, Qty: int64(1 + h%3), Shipped: int64(1 + h%3), Price: "24.90 USD"}},
		Timeline:     []view.Entry{{At: placed, Kind: "placed", Text: "on " + channelNames[shop], Ref: view.Ref{Kind: view.KindConnection, ID: shop}}},
		Reservations: []view.Reservation{{ItemID: st.sku, SKU: st.sku, Location: c.Node, Shipped: int64(1 + h%3), UpdatedAt: placed}},
	}
	if c.Against {
		o.Deadlines[0].Level = view.Bad
	}
	return o, true
}
