package ops

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/store"
)

const (
	// shortEvery is how often the orders that lack units are read, while any do.
	shortEvery = time.Minute
	// shortNamed items are named in the text of an incident, those that lack most.
	shortNamed = 5
)

// shopShorts is what shops lacked at the last look.
type shopShorts struct {
	at    time.Time
	total int64
	of    map[string]*shopShort
}

// shopShort is what the orders of one shop lack.
type shopShort struct {
	units  int64
	items  map[string]int64
	orders map[string]bool
	since  time.Time // the oldest order that lacks units was taken in then
}

// shortSignals makes one signal of each shop whose orders lack units: an item that is short on several channels is wrong on each of them, and each
// has its own buyers to tell. Shops that go wrong together are told in one message.
func (x *Ops) shortSignals(tx *store.Tx, names map[string]string, at time.Time) (out []alert.Signal, err error) {
	total, err := tx.ShortTotal()
	if err != nil || total == 0 {
		return nil, err
	}
	s := &x.alerts.shorts // only the alert loop asks
	if s.of == nil || s.total != total || at.Sub(s.at) >= shortEvery {
		of, err := shortByShop(tx)
		if err != nil {
			return nil, err
		}
		*s = shopShorts{at: at, total: total, of: of}
	}
	cat := x.catalog.Load()
	for _, shop := range slices.Sorted(maps.Keys(s.of)) {
		out = append(out, s.of[shop].signal(shop, names[shop], cat))
	}
	return out, nil
}

// shortByShop reads the orders that lack units. They are the exceptions, so there are few.
func shortByShop(tx *store.Tx) (map[string]*shopShort, error) {
	rows, err := tx.ShortByItem()
	if err != nil {
		return nil, err
	}
	var items []string
	for _, r := range rows {
		if r.Short > 0 {
			items = append(items, r.ItemID)
		}
	}
	out := map[string]*shopShort{}
	for part := range slices.Chunk(items, booksAtOnce) {
		lines, err := tx.ReservationsShort(part)
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			if l.Short <= 0 {
				continue
			}
			s := out[l.ConnectionID]
			if s == nil {
				s = &shopShort{items: map[string]int64{}, orders: map[string]bool{}, since: l.CreatedAt}
				out[l.ConnectionID] = s
			}
			s.units += l.Short
			s.items[l.ItemID] += l.Short
			s.orders[l.OrderID] = true
			if l.CreatedAt.Before(s.since) {
				s.since = l.CreatedAt
			}
		}
	}
	return out, nil
}

func (s *shopShort) signal(shop, name string, cat *catalogue) alert.Signal {
	ids := sortedKeys(s.items)
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(s.items[b], s.items[a]) })
	var parts []string
	for n, id := range ids {
		if n == shortNamed {
			parts = append(parts, fmt.Sprintf("and %s more", number(int64(len(ids)-shortNamed))))
			break
		}
		parts = append(parts, number(s.items[id])+" of "+cmp.Or(cat.items[id].SKU, id))
	}
	return alert.Signal{Cause: alert.Cause{Kind: alert.Short, Subject: cmp.Or(shop, "none")}, Shop: shop, At: s.since,
		Text:    fmt.Sprintf("%s: %s of %s were promised and are not there: %s.", cmp.Or(name, shop, "Orders of no shop"), unitsOf(s.units), plural(int64(len(s.orders)), "order", "orders"), strings.Join(parts, ", ")),
		Next:    "Receive them, or tell the buyers before the platform cancels.",
		Figures: []alert.Figure{{Name: "units short", Value: s.units}, {Name: "orders that lack units", Value: int64(len(s.orders))}, {Name: "items short", Value: int64(len(ids))}}}
}
