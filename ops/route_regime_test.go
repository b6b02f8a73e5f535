package ops

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/store"
)

const wayRules = testRules + `
regimes:
  - {id: own, option: Seller label, from: 2024-01-01, until: 2026-03-31, state: allowed, carrier: the seller, source: T, confidence: official}
  - {id: own-ends, option: Seller label, from: 2026-03-31, state: closed, source: T, confidence: official}
  - {id: channel, option: Channel label, from: 2026-01-01, state: allowed, carrier: the channel, exempt: [on-time delivery], saving: "20 %", source: T, confidence: official}
`

// The same order is routed on the last day on which the shop may label parcels itself, and refused to every node on the day after, by the market's
// clock; on the channel's label it ships on both.
func TestWhatTheChannelForbidsFromADayIsNotRouted(t *testing.T) {
	last := time.Date(2026, 3, 31, 6, 59, 0, 0, time.UTC) // a minute to midnight in Los Angeles
	c := &clock{at: last}
	x := healthOps(t, "sqlite:"+t.TempDir()+"/way.db", wayRules, c, "c")
	node := network.Node{ID: "main", Name: "Main", Kind: network.Own, Active: true, Zone: "America/Los_Angeles", Place: network.Place{Country: "US", State: "CA", Postal: "90001"}}
	orders := []order.Order{}
	for _, id := range []string{"own", "channel"} {
		o := order.Order{ID: "c:" + id, ConnectionID: "c", ExternalID: id, Status: order.AwaitingShipment, UpdatedAt: last,
			Detail: order.Detail{Region: "US-CA", Flags: order.Flags{PlatformLabel: id == "channel"}, Lines: []order.Line{{Key: "MUG", ExternalSKU: "MUG", SellerSKU: "MUG", Qty: 1}}}}
		orders = append(orders, o)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(x.st.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.LocationPut(stock.Location{ID: "main", Kind: stock.Own, Active: true}); err != nil {
			return err
		}
		if err := tx.NodePut(node, 0, "lena"); err != nil {
			return err
		}
		return tx.OrdersSave(orders)
	}))
	must(x.PutItems(t.Context(), []catalog.Item{{ID: "MUG", SKU: "MUG"}}))
	must(x.Move(t.Context(), "test", []stock.Movement{{ID: "m", Kind: stock.Receive, ItemID: "MUG", LocationID: "main", OnHand: 10}}, nil))
	must(x.reloadCatalogue(t.Context()))
	route := func(at time.Time) map[string]RouteTold {
		c.set(at)
		x.network.made = time.Time{}
		_, err := x.routeThese(t.Context(), []string{"c:own", "c:channel"})
		must(err)
		out := map[string]RouteTold{}
		must(x.st.View(t.Context(), func(tx *store.Tx) error {
			routes, err := tx.RoutesGet("c:own", "c:channel")
			for _, r := range routes {
				var told RouteTold
				if err := json.Unmarshal(r.Body, &told); err != nil {
					return err
				}
				out[r.OrderID] = told
			}
			return err
		}))
		return out
	}
	if told := route(last); len(told["c:own"].Parts) != 1 || len(told["c:channel"].Parts) != 1 {
		t.Fatalf("the day before: %+v", told)
	}
	told := route(last.Add(time.Minute))
	if own := told["c:own"]; len(own.Parts) != 0 || !strings.Contains(own.Candidates[0].Words, "Seller label is closed from 2026-03-31 (rule own-ends, source T, official)") {
		t.Errorf("on the day: %+v", own)
	}
	if len(told["c:channel"].Parts) != 1 {
		t.Errorf("on the channel's label: %+v", told["c:channel"])
	}
}

// Every day of two years is as the rules say, also for a shop they do not know.
func TestTheWayOfShippingFollowsTheDay(t *testing.T) {
	c := &clock{at: time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)}
	x := healthOps(t, "sqlite:"+t.TempDir()+"/way.db", wayRules, c, "c")
	zone := x.rules.Load().of["c"].rules.Location()
	ends, _ := policy.ParseDay("2026-03-31")
	exempt, _ := policy.ParseDay("2026-01-01")
	for n := range 730 {
		at := c.at.AddDate(0, 0, n)
		day := policy.DayOf(at, zone)
		own := x.regimeOf(&order.Order{ConnectionID: "c"}, at)
		label := x.regimeOf(&order.Order{ConnectionID: "c", Detail: order.Detail{Flags: order.Flags{PlatformLabel: true}}}, at)
		other := x.regimeOf(&order.Order{ConnectionID: "unknown"}, at)
		if (own.Forbidden != "") != (day >= ends) || !label.PlatformPicks || label.NoDelivery != (day >= exempt) || label.Forbidden != "" || other.Forbidden != "" {
			t.Fatalf("%s: %+v %+v %+v", day, own, label, other)
		}
	}
}
