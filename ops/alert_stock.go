package ops

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/store"
)

const (
	// stockEvery is how often it is reckoned what runs out: all exposure books are read for it, and what is told of is hours away.
	stockEvery = 5 * time.Minute
	// booksAtOnce are read together.
	booksAtOnce = 1_000
	// aheadMargin is how much longer than the limit stock must last, in parts of it, for its incident to end: the rate of sales moves all day.
	aheadMargin = 4
)

// stockAhead is what ran out ahead at the last look.
type stockAhead struct {
	at  time.Time
	all []runningOut
}

// runningOut is an item whose units have an end in sight.
type runningOut struct {
	item     string
	units    int64   // to promise
	kept     int64   // of them, for live events
	perDay   float64 // units sold
	left     time.Duration
	listings int64
}

// stockSignals says which items run out, and when. An item that has run out keeps its incident open until there are units again, and opens none:
// it is ahead that somebody can do something.
func (x *Ops) stockSignals(ctx context.Context, rules *alert.Config, at time.Time) ([]alert.Signal, error) {
	rule := rules.Rule(alert.StockAhead)
	if rule.Off {
		return nil, nil
	}
	a := &x.alerts.ahead // only the alert loop asks
	if a.at.IsZero() || at.Sub(a.at) >= stockEvery {
		var all []runningOut
		if err := x.st.View(ctx, func(tx *store.Tx) (err error) { all, err = x.itemsRunningOut(tx, at); return err }); err != nil {
			return nil, err
		}
		a.at, a.all = at, all
	}
	var out []alert.Signal
	for _, r := range a.all {
		if s, any := stockSignal(rule, r, x.catalog.Load()); any {
			out = append(out, s)
		}
	}
	return out, nil
}

func stockSignal(rule alert.Rule, r runningOut, cat *catalogue) (alert.Signal, bool) {
	seconds := int64(r.left / time.Second)
	grade, fading, any := rule.Grade(seconds, max(rule.Warn, rule.Critical)/aheadMargin)
	if !any {
		return alert.Signal{}, false
	}
	it := cat.items[r.item]
	s := alert.Signal{Cause: alert.Cause{Kind: alert.StockAhead, Subject: r.item}, Severity: grade, Fading: fading || r.left == 0, Next: "Order more, or keep what is left for the channel where it earns most.",
		Text: fmt.Sprintf("%s runs out in %s: %s are left to promise, %s are sold a day.", cmp.Or(it.SKU, r.item), roughly(r.left), unitsOf(r.units), oneDigit(r.perDay))}
	if r.left == 0 {
		s.Text = fmt.Sprintf("%s has run out; %s were sold a day.", cmp.Or(it.SKU, r.item), oneDigit(r.perDay))
	}
	s.Figures = []alert.Figure{{Name: "time left", Value: seconds, Unit: alert.Seconds}, {Name: "units to promise", Value: r.units},
		{Name: "units a day, in tenths", Value: int64(math.Round(r.perDay * 10))}, {Name: "listings", Value: r.listings}}
	if r.kept > 0 {
		s.Figures = append(s.Figures, alert.Figure{Name: "kept for live events", Value: r.kept})
	}
	return s, true
}

// roughly writes a time as coarse as it is known.
func roughly(d time.Duration) string {
	switch h := int64(d / time.Hour); {
	case h >= 48:
		return plural(h/24, "day", "days")
	case h >= 1:
		return plural(h, "hour", "hours")
	}
	return "less than an hour"
}

func oneDigit(v float64) string { return fmt.Sprintf("%.1f", v) }

// itemsRunningOut reckons from the units to promise and how fast listings sell, both as they are stored. Items nobody buys are left out.
func (x *Ops) itemsRunningOut(tx *store.Tx, at time.Time) ([]runningOut, error) {
	cat := x.catalog.Load()
	draws, err := x.draws(tx, cat, at)
	if err != nil || len(draws) == 0 {
		return nil, err
	}
	ids := make([]string, 0, len(draws))
	for item := range draws {
		ids = append(ids, item)
	}
	slices.Sort(ids)
	units, err := toPromise(tx, cat, ids)
	if err != nil {
		return nil, err
	}
	holds, err := tx.HoldsActive(at)
	if err != nil {
		return nil, err
	}
	kept := map[string][]allocation.Kept{}
	for _, h := range holds {
		if l, ok := cat.favoured(h); ok {
			kept[h.ItemID] = append(kept[h.ItemID], allocation.Kept{Listing: l.ID, Units: max(0, h.Qty-h.Sold)})
		}
	}
	var out []runningOut
	for _, item := range ids {
		left, ends := allocation.RunsOut(units[item], draws[item], kept[item])
		if !ends {
			continue
		}
		r := runningOut{item: item, units: units[item], left: left.Truncate(coarse(left)), listings: int64(len(draws[item]))}
		for _, d := range draws[item] {
			r.perDay += d.PerSecond * day.Seconds()
		}
		for _, k := range kept[item] {
			r.kept += k.Units
		}
		out = append(out, r)
	}
	return out, nil
}

// coarse is how finely a time left is worth saying: figures that change with every look would be stored with every look.
func coarse(left time.Duration) time.Duration {
	if left < 2*time.Hour {
		return time.Minute
	}
	return time.Hour
}

// draws are how fast the listings that are on sale take units of each item.
func (x *Ops) draws(tx *store.Tx, cat *catalogue, at time.Time) (map[string][]allocation.Draw, error) {
	var listings []string
	for id, l := range cat.listings {
		if l.Active && l.ItemID != "" && l.Mode != "platform" {
			listings = append(listings, id)
		}
	}
	out := map[string][]allocation.Draw{}
	for part := range slices.Chunk(listings, booksAtOnce) {
		set, err := x.loadBooks(tx, part)
		if err != nil {
			return nil, err
		}
		for id, b := range set.Books {
			rate := b.Rate.Steady(at)
			if rate <= 0 {
				continue
			}
			for _, c := range cat.consumes(cat.listings[id]) {
				out[c.ItemID] = append(out[c.ItemID], allocation.Draw{Listing: id, PerSecond: rate * float64(c.Qty)})
			}
		}
	}
	return out, nil
}

// toPromise is what there is of items in places that may be promised from, less what is owed.
func toPromise(tx *store.Tx, cat *catalogue, items []string) (map[string]int64, error) {
	out := make(map[string]int64, len(items))
	for part := range slices.Chunk(items, booksAtOnce) {
		held, err := tx.Balances(part)
		if err != nil {
			return nil, err
		}
		for _, b := range held {
			if l, ok := cat.location(b.LocationID); ok && l.Kind != stock.FBT && serves(l) {
				out[b.ItemID] += b.ATP()
			}
		}
		shorts, err := tx.ReservationsShort(part)
		if err != nil {
			return nil, err
		}
		for item, owed := range shortOf(shorts) {
			out[item] -= owed
		}
	}
	return out, nil
}
