package ops

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/domain/transit"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// routingSetting holds what the seller wants of routing, as JSON of routing.Rules. Without it the rules are defaultRouting.
const routingSetting = "routing.rules"

// routeFresh is how long a worked-out network is planned with: what waits at its nodes changes meanwhile, what is said of them seldom.
const routeFresh = 15 * time.Second

// routeNet is the network as orders are routed in it. A desk keeps memory between orders, so one order is routed at a time.
type routeNet struct {
	mu     sync.Mutex
	desk   *routing.Desk // nil: nothing is said of any node, so nothing is routed
	sites  []routing.Site
	terms  []transit.Terms // by which the carriers of its lanes bill
	made   time.Time
	charts atomic.Pointer[chartBook] // of carriers; nil: none is loaded
	on     atomic.Bool               // orders are routed, as far as the last look knows
}

// defaultRouting is how orders are routed until somebody says otherwise, in minor units: what can ship whole does, even if that is dear, and ten
// units of money are worth a late order.
func defaultRouting(currency string) routing.Rules {
	return routing.Rules{Currency: currency, Late: routing.Late{Dispatch: 1000, Delivery: 500, Cancel: 2000}, LeftUnit: 500, LeftAny: 5000, Short: routing.Partly,
		Parts: 3, Slip: 20_000, RoadSlip: 50_000, Unknown: 500}
}

// routeRules reads what the seller wants.
func routeRules(tx *store.Tx, nodes []store.Node) (routing.Rules, error) {
	text, found, err := tx.SettingGet(routingSetting)
	if err != nil {
		return routing.Rules{}, err
	}
	rules := defaultRouting(routeCurrency(nodes))
	if found {
		if err := json.Unmarshal([]byte(text), &rules); err != nil {
			return rules, &errs.Error{Kind: errs.Invalid, Op: "ops.Route", Item: routingSetting, Safe: "the rules of routing cannot be read", Cause: err}
		}
	}
	return rules, nil
}

// routeCurrency is the one nodes say their costs in.
func routeCurrency(nodes []store.Node) string {
	for _, n := range nodes {
		if c := n.Costs.PerOrder.Currency; c != "" {
			return c
		}
	}
	return "USD"
}

// changed takes other charts; what is worked out of the old ones is worked out anew with the next order.
func (n *routeNet) changed(charts *chartBook) {
	if old := n.charts.Swap(charts); old == charts {
		return
	}
	n.stale()
}

// look works the network out anew if it is old. It reports whether orders are routed at all.
func (n *routeNet) look(tx *store.Tx, locations []stock.Location, at time.Time) (bool, error) {
	if !n.made.IsZero() && at.Sub(n.made) < routeFresh && !at.Before(n.made) {
		return n.desk != nil, nil
	}
	sites, rules, err := routeSites(tx, locations)
	if err != nil {
		return false, err
	}
	n.made, n.desk, n.sites, n.terms = at, nil, sites, laneTerms(sites, at)
	n.on.Store(len(sites) > 0)
	if len(sites) == 0 {
		return false, nil
	}
	n.desk, err = routing.Prepare(n.sites, rules, n.charts.Load().roads, at)
	return err == nil, err
}

// routeSites are the nodes orders may leave from, as they stand, and what the seller wants. None: nothing is said of any node.
func routeSites(tx *store.Tx, locations []stock.Location) (sites []routing.Site, rules routing.Rules, err error) {
	said, err := tx.Nodes()
	if err != nil || len(said) == 0 {
		return nil, rules, err
	}
	if rules, err = routeRules(tx, said); err != nil {
		return nil, rules, err
	}
	queue, err := waitingAt(tx)
	for _, s := range said {
		if i := slices.IndexFunc(locations, func(l stock.Location) bool { return l.ID == s.ID }); i >= 0 {
			sites = append(sites, routing.Site{Node: s.Node, Location: locations[i], Queue: queue[s.ID], Today: queue[s.ID]})
		}
	}
	return sites, rules, err
}

// waitingAt counts the parcels that wait at each node.
func waitingAt(tx *store.Tx) (map[string]int64, error) {
	counts, err := tx.ShipmentCounts()
	out := map[string]int64{}
	for _, c := range counts {
		if c.Step == shipping.Pack || c.Step == shipping.Book {
			out[c.Node] += c.N
		}
	}
	return out, err
}

// roadOf is what is known of the way of a part's parcel: how long it is usual to take, and what is longer than nearly all do.
func (n *routeNet) roadOf(o *order.Order, p *routing.Part) shipping.Road {
	i := slices.IndexFunc(n.sites, func(s routing.Site) bool { return s.Node.ID == p.Node })
	if i < 0 {
		return shipping.Road{}
	}
	node := &n.sites[i].Node
	out := shipping.Road{Zone: node.Zone}
	k := slices.IndexFunc(node.Lanes, func(l network.Lane) bool { return l.Carrier == p.Carrier && l.Service == p.Service })
	lane := network.Lane{}
	if k >= 0 {
		lane = node.Lanes[k]
	}
	country, state, _ := strings.Cut(o.Region, "-")
	if d, _, ok := n.charts.Load().way(*node, lane, network.Place{Country: country, State: state, Postal: o.PostalPrefix}); ok {
		out.Likely, out.Late, out.From = d.Likely, d.Late, d.From
	}
	return out
}
