package storybook

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// Frame is what every page shows.
func (b *Book) Frame(ctx context.Context) (view.Frame, error) {
	cal, err := b.Calendar(ctx)
	if err != nil {
		return view.Frame{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f := view.Frame{
		Shop: "Nordlicht", Now: b.now(), Zones: []view.Zone{{Label: "Warehouse", Location: "Europe/Berlin"}, {Label: "Shop", Location: "America/New_York"}},
		Problems: int64(len(b.parked)), Health: view.Good, Text: "Stock is right on every channel.",
	}
	if len(b.conns) == 0 {
		f.Health, f.Text = view.Quiet, "No shop is connected."
	}
	for _, i := range b.incidents {
		if i.State == view.IncidentOpen {
			f.Incidents++
		}
	}
	for _, h := range cal.Active {
		f.Live = append(f.Live, view.LiveNow{HoldID: h.ID, Title: h.Title, ItemID: h.ItemID, SKU: h.SKU, Channel: h.Channel, Qty: h.Qty, Left: h.Left, Until: h.Until})
	}
	return f, nil
}

// Overview sums the shop up.
func (b *Book) Overview(context.Context) (view.Overview, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Overview{}, err
	}
	defer unlock()
	now := b.now()
	v := view.Overview{At: now, Truth: b.truth(), Oversold: b.oversold()}
	if len(b.conns) == 0 {
		v.Sentence = "Spillway is ready; it needs a shop and its items."
		v.Steps = b.steps()
	}
	open := b.byOpenSlack()
	v.Open = int64(len(open))
	for _, o := range open {
		switch d := o.Due.Sub(now); {
		case d < 0:
			v.DueCount.Late++
		case d < time.Hour:
			v.DueCount.Hour++
		case d < 12*time.Hour:
			v.DueCount.Today++
		default:
			v.DueCount.Later++
		}
	}
	v.Due = open[:min(12, len(open))]
	if len(b.conns) > 0 {
		b.busy(&v, now)
	}
	return v, nil
}

// busy fills in what only a connected shop has.
func (b *Book) busy(v *view.Overview, now time.Time) {
	v.Sentence, v.Level = "Everything is right for now.", view.Good
	if v.DueCount.Late > 0 {
		v.Level = view.Watch
		v.Sentence = fmt.Sprintf("Stock is right on every channel; %d order is late and %d leave within the hour.", v.DueCount.Late, v.DueCount.Hour)
		v.Problems = append(v.Problems, view.Problem{Level: view.Bad, Text: "1 order missed its carrier hand-over.", Next: "Pack it now or cancel it before the platform does.", Ref: view.Ref{Kind: view.KindOrder, ID: v.Due[0].ID}, Since: *v.Due[0].Due})
	}
	if c := b.conns[2]; c.Level != view.Good {
		v.Problems = append(v.Problems, view.Problem{Level: view.Watch, Text: "Clip · Outlet answers “too many requests”.", Next: "Nothing to do: 6 pushes wait, the other channels go on.", Ref: view.Ref{Kind: view.KindConnection, ID: c.ID}, Since: b.opened.Add(-40 * time.Second)})
	}
	for _, it := range b.items {
		if len(it.listings) > 1 {
			v.Hot = append(v.Hot, b.promise(it))
		}
	}
	slices.SortStableFunc(v.Hot, func(x, y view.Promise) int { return cmp.Compare(y.LastMin, x.LastMin) })
	v.Hot = v.Hot[:min(6, len(v.Hot))]
	for i, c := range b.conns {
		v.Channels = append(v.Channels, view.ChannelNow{
			ConnectionID: c.ID, Name: channelNames[c.ID], Vendor: c.VendorTitle, Level: c.Level, State: c.State, Wrong: c.Wrong, Listings: c.Listings,
			LastMin: []int64{61, 14, 5}[i] + b.sold, Pushes: []int64{18, 44, 71}[i], SeenAt: c.LastSeen,
		})
	}
	v.Orders = series(now)
	v.OrdersLast, v.OrdersDay = int64(v.Orders.Points[59])+b.sold, 4218+b.sold
	v.SaleToReserved = view.Latency{P50: 9 * time.Millisecond, P99: 41 * time.Millisecond, Count: 4218, Window: time.Hour, Target: 150 * time.Millisecond}
	v.SaleToRight = view.Latency{P50: 11 * time.Millisecond, P99: 388 * time.Millisecond, Count: 4218, Window: time.Hour, Target: 500 * time.Millisecond}
	v.PushToTold = view.Latency{P50: 86 * time.Millisecond, P99: 2140 * time.Millisecond, Count: 133, Window: time.Hour, Target: 2 * time.Second}
}

// series is an hour with a spike in it.
func series(now time.Time) view.Series {
	s := view.Series{Unit: "orders/min", From: now.Add(-time.Hour).Truncate(time.Minute), Step: time.Minute}
	for i := range 60 {
		x := 6 + 2*math.Sin(float64(i)/4) + float64(i*7%5)
		if i >= 34 {
			x += 240*math.Exp(-float64(i-36)*float64(i-36)/18) + 70
		}
		s.Points = append(s.Points, math.Round(x))
	}
	return s
}

func (b *Book) steps() []view.Step {
	return []view.Step{
		{Name: "Add the app of your platform", Text: "its key and secret", Ref: view.Ref{Kind: view.KindApps}, Done: len(b.apps) > 0},
		{Name: "Connect a shop", Text: "you sign in there and agree", Ref: view.Ref{Kind: view.KindApps}},
		{Name: "Bring your items", Text: "spillway import items FILE.csv, then stock", Ref: view.Ref{Kind: view.KindItems}},
	}
}

func (b *Book) truth() view.Truth {
	t := view.Truth{Items: int64(len(b.items)), Movements: int64(len(b.journal))}
	for _, it := range b.items {
		x, p := it.total(), b.promise(it)
		t.OnHand, t.Reserved, t.Damaged, t.Available, t.Buffer = t.OnHand+x.OnHand, t.Reserved+x.Reserved, t.Damaged+x.Damaged, t.Available+x.Available, t.Buffer+p.Buffer
		if p.Mode == "guarded" && len(it.components) == 0 {
			for _, part := range p.Parts {
				t.Exposed += part.Exposure
			}
		}
	}
	return t
}

// oversold proves the figure from the journal and the books, the way the product does.
func (b *Book) oversold() view.Oversold {
	if len(b.items) == 0 {
		return view.Oversold{}
	}
	sums := map[string]int64{}
	for _, m := range b.journal {
		sums[b.moved[m.ID]+"@"+m.LocationID] += m.OnHand
	}
	equal, within := true, true
	var balances int
	for _, it := range b.items {
		for _, x := range it.balances {
			balances++
			equal = equal && sums[it.id+"@"+x.LocationID] == x.OnHand
		}
		if p := b.promise(it); p.Mode == "guarded" && len(it.components) == 0 && p.Free < 0 {
			within = false
		}
	}
	return view.Oversold{CheckedAt: b.now().Add(-3 * time.Second), Checks: []view.Check{
		{Name: "The journal sums to the balances", OK: equal, Text: fmt.Sprintf("%d movements, %d balances", len(b.journal), balances)},
		{Name: "No channel may sell more than there is", OK: within, Text: fmt.Sprintf("Σ exposure + buffer ≤ available for %d items", len(b.items))},
		{Name: "Every reservation is covered", OK: true, Text: "reserved equals the sum of what orders hold"},
	}}
}

// Items lists items.
func (b *Book) Items(_ context.Context, query, after string) (view.ItemList, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.ItemList{}, err
	}
	defer unlock()
	out := view.ItemList{Query: query}
	for _, it := range b.items {
		if !strings.Contains(strings.ToLower(it.id+" "+it.title), strings.ToLower(query)) {
			continue
		}
		out.Total++
		if it.id <= after && after != "" {
			continue
		}
		x, p := it.total(), b.promise(it)
		row := view.ItemRow{
			ID: it.id, SKU: it.id, Title: it.title, OnHand: x.OnHand, Reserved: x.Reserved, Damaged: x.Damaged, Available: p.Available,
			Listings: int64(len(it.listings)), Mode: p.Mode, Bundle: len(it.components) > 0, Level: p.Level,
		}
		for _, l := range it.listings {
			row.Exposed += l.Exposure
			if l.Told == nil || *l.Told != l.Desired {
				row.Wrong++
			}
		}
		out.Rows = append(out.Rows, row)
	}
	return out, nil
}

// journalPage is how many movements one page of a journal holds.
const journalPage = 12

// Item shows an item now, or by what was recorded at a moment.
func (b *Book) Item(_ context.Context, id string, asOf *time.Time, before int64) (view.ItemPage, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.ItemPage{}, err
	}
	defer unlock()
	it, err := b.item(id)
	if err != nil {
		return view.ItemPage{}, err
	}
	v := view.ItemPage{
		ID: it.id, SKU: it.id, Title: it.title, Barcode: "40060000" + it.id, At: b.now(), Promise: b.promise(it), Components: it.components, Total: it.total(), Balances: it.sorted(),
		Locations: []view.Option{{ID: "berlin", Label: "Berlin"}, {ID: "porto", Label: "Porto Logistica"}},
	}
	if asOf != nil {
		v.At, v.AsOf = *asOf, true
		v.Balances, v.Total = nil, view.Balance{}
	}
	b.history(&v, it, before)
	if v.AsOf {
		return v, nil
	}
	for i, c := range v.Components {
		part, _ := b.item(c.ItemID)
		v.Components[i].Available = part.total().Available
	}
	for _, l := range it.listings {
		v.Listings = append(v.Listings, *l)
	}
	for _, h := range b.holds {
		if h = b.state(h); h.ItemID == it.id && h.State != "past" {
			v.Holds = append(v.Holds, h)
		}
	}
	for _, other := range b.items {
		for _, c := range other.components {
			if c.ItemID == it.id {
				v.PartOf = append(v.PartOf, view.Component{ItemID: other.id, SKU: other.id, Title: other.title, Qty: c.Qty})
			}
		}
	}
	return v, nil
}

// history fills the journal page and, for a moment of the past, the balances of then.
func (b *Book) history(v *view.ItemPage, it *item, before int64) {
	then := map[string]view.Balance{}
	for _, m := range slices.Backward(b.journal) {
		if b.moved[m.ID] != it.id || v.AsOf && m.RecordedAt.After(v.At) {
			continue
		}
		if _, ok := then[m.LocationID]; !ok {
			bal := *it.balances[m.LocationID]
			bal.OnHand, bal.Reserved, bal.Damaged = m.OnHandAfter, m.ReservedAfter, m.DamagedAfter
			bal.Available = bal.OnHand - bal.Reserved - bal.Damaged
			then[m.LocationID] = bal
		}
		if before > 0 && m.Seq >= before {
			continue
		}
		if len(v.Journal) == journalPage {
			v.NextSeq = v.Journal[journalPage-1].Seq
			break
		}
		v.Journal = append(v.Journal, m)
	}
	if !v.AsOf {
		return
	}
	past := &item{balances: map[string]*view.Balance{}}
	for id, bal := range then {
		past.balances[id] = &bal
	}
	v.Balances, v.Total = past.sorted(), past.total()
}

// Connections lists the wires.
func (b *Book) Connections(context.Context) (view.Connections, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Connections{}, err
	}
	defer unlock()
	return view.Connections{At: b.now(), Connections: slices.Clone(b.conns), Apps: slices.Clone(b.apps), Vendors: b.vendors}, nil
}

// Connection shows one wire.
func (b *Book) Connection(_ context.Context, id string) (view.Connection, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Connection{}, err
	}
	defer unlock()
	c, err := b.connection(id)
	if err != nil {
		return view.Connection{}, err
	}
	return *c, nil
}

// Search finds items and orders.
func (b *Book) Search(_ context.Context, q string) (view.Found, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Found{}, err
	}
	defer unlock()
	out := view.Found{Query: q}
	low := strings.ToLower(q)
	for _, it := range b.items {
		if strings.Contains(strings.ToLower(it.id+" "+it.title), low) {
			out.Hits = append(out.Hits, view.Hit{Ref: view.Ref{Kind: view.KindItem, ID: it.id}, Title: it.id, Detail: it.title, What: "item"})
		}
	}
	for _, o := range b.orders {
		if strings.Contains(o.Number, q) || o.Buyer == q {
			out.Hits = append(out.Hits, view.Hit{Ref: view.Ref{Kind: view.KindOrder, ID: o.ID}, Title: o.Number, Detail: o.Channel + ", " + o.State, What: "order"})
		}
	}
	out.Hits = out.Hits[:min(20, len(out.Hits))]
	return out, nil
}

// Explain opens a figure.
func (b *Book) Explain(_ context.Context, figure string) (view.Explain, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Explain{}, err
	}
	defer unlock()
	kind, id, _ := strings.Cut(figure, ":")
	switch {
	case figure == view.FigureOversold:
		o := b.oversold()
		return view.Explain{
			Figure: figure, Title: "Oversold", Value: "0", Unit: "units", Level: view.Good, At: o.CheckedAt, Checks: o.Checks,
			Sentence: "Units sold beyond what was there. A channel sells from the number it was last told; the sum of what all may still sell stays within what is available, so no order of events can oversell.",
			Formula:  "oversold = Σ max(0, sold − available at the moment of sale)", JudgedBy: "the guarded mode’s invariant, checked every 5 seconds",
		}, nil
	case slices.Contains(healthFigures, kind+":"):
		return b.explainHealth(figure, kind+":", id)
	case kind+":" == view.FigurePromise:
		return b.explainPromise(figure, id)
	case slices.Contains(figures, figure) || slices.Contains(figures, kind+":"):
		return view.Explain{
			Figure: figure, Title: strings.ReplaceAll(kind, "-", " "), Value: "41", Unit: "ms", At: b.now(),
			Sentence: "How this figure came about.", Formula: "p99 over the last hour", Inputs: []view.Input{{Name: "Measured", Value: "4,218", Text: "orders in the window"}},
			JudgedBy: "target of 150 ms, set 1 November 2026",
		}, nil
	}
	return view.Explain{}, errs.New(errs.NotFound, "storybook.Explain", figure, "There is no figure %s.", figure)
}

var figures = []string{
	view.FigureOrdersMinute, view.FigureOpenOrders, view.FigureOnHand, view.FigureAvailable, view.FigureExposed, view.FigureShort, view.FigureSaleToReserved,
	view.FigureSaleToRight, view.FigurePushToTold, view.FigureBalance, view.FigureListing, view.FigureDeadline, view.FigureWrong, view.FigureWatermark,
}

func (b *Book) explainPromise(figure, id string) (view.Explain, error) {
	it, err := b.item(id)
	if err != nil {
		return view.Explain{}, err
	}
	p, t := b.promise(it), it.total()
	v := view.Explain{
		Figure: figure, Title: "Available of " + it.id, Value: fmt.Sprint(p.Available), Unit: "units", At: b.now(),
		Sentence: "Units that may be promised, over the locations that serve its channels. What all channels may still sell plus the buffer never exceeds it.",
		Formula:  "available = on hand − reserved − damaged  ≥  Σ may still sell + buffer",
		Inputs: []view.Input{
			{Name: "On hand", Value: fmt.Sprint(t.OnHand)}, {Name: "Reserved", Value: fmt.Sprint(t.Reserved), Text: "held for orders"},
			{Name: "Damaged", Value: fmt.Sprint(t.Damaged)}, {Name: "Buffer", Value: fmt.Sprint(p.Buffer), Text: "kept back by rules"}, {Name: "Free", Value: fmt.Sprint(p.Free)},
		},
		Columns: []view.Column{{Name: "Channel"}, {Name: "Told", Number: true}, {Name: "May still sell", Number: true}, {Name: "Wanted", Number: true}},
	}
	for _, x := range p.Parts {
		v.Rows = append(v.Rows, []view.Cell{{Text: x.Channel, Ref: view.Ref{Kind: view.KindConnection, ID: x.ConnectionID}}, {Text: fmt.Sprint(*x.Told)}, {Text: fmt.Sprint(x.Exposure)}, {Text: fmt.Sprint(x.Desired)}})
	}
	return v, nil
}
