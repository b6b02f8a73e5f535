package ops

import (
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/ops/view"
)

// regimeOf is what the channel's way of shipping means for the choice of a node on the day an order is routed: on the channel's label what it is free
// of, on the seller's own whether the channel's rules for that shop and day forbid it; and how it lets orders be split.
func (x *Ops) regimeOf(o *order.Order, at time.Time) routing.Regime {
	g := x.wayOf(o, at)
	g.Undivided = x.undivided(o.ConnectionID)
	return g
}

func (x *Ops) wayOf(o *order.Order, at time.Time) routing.Regime {
	book := x.rules.Load()
	shop, kind := book.of[o.ConnectionID], book.kind[o.ConnectionID]
	if o.Flags.PlatformLabel {
		g := routing.Regime{Option: "platform label", PlatformPicks: true}
		if shop == nil {
			return g
		}
		if way, ok := shop.rules.ChannelLabels(kind, policy.DayOf(at, shop.rules.Location())); ok {
			g = routing.RegimeOf(way)
			g.Saving = 0 // rules say "up to": what labels cost is in the lane's tariff
		}
		return g
	}
	if shop == nil || o.Fulfilment == order.ByPlatform {
		return routing.Regime{}
	}
	if rule, forbidden := shop.rules.OwnLabels(kind, policy.DayOf(at, shop.rules.Location())); forbidden {
		return routing.Regime{Forbidden: rule.Words()}
	}
	return routing.Regime{}
}

// waysToday is how each shop may ship today, by the rules of its channel; shops whose channel says nothing of it are left out.
func (x *Ops) waysToday(names map[string]string) (out []view.Way) {
	book := x.rules.Load()
	for id, shop := range book.of {
		if len(shop.rules.Regimes) == 0 {
			continue
		}
		kind, day := book.kind[id], policy.DayOf(x.now(), shop.rules.Location())
		w := view.Way{Shop: names[id], ShopID: id, Level: view.Good, Own: "You may label parcels yourself."}
		if w.Shop == "" {
			w.Shop = id
		}
		if rule, forbidden := shop.rules.OwnLabels(kind, day); forbidden {
			w.Level, w.Own = view.Bad, "You may not label parcels yourself: "+rule.Words()+"."
		}
		if way, ok := shop.rules.ChannelLabels(kind, day); ok {
			w.Channel = way.Words() + "."
			if len(way.Exempt) > 0 {
				w.Channel += " Free of: " + strings.Join(way.Exempt, ", ") + "."
			}
		}
		if next := shop.rules.NextWay(kind, day); next != 0 {
			w.Next = next.String()
		}
		out = append(out, w)
	}
	slices.SortFunc(out, func(a, b view.Way) int { return strings.Compare(a.Shop+a.ShopID, b.Shop+b.ShopID) })
	return out
}
