package ops

import (
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/routing"
)

// regimeOf is what the channel's way of shipping means for the choice of a node on the day an order is routed: on the channel's label what it is free
// of, on the seller's own whether the channel's rules for that shop and day forbid it.
func (x *Ops) regimeOf(o *order.Order, at time.Time) routing.Regime {
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
