package ops

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// network says where orders leave from: main is dear, west is cheap and has some stock too.
func (r *rig) network(westMugs int64) {
	r.t.Helper()
	r.must(r.st.Update(r.t.Context(), func(tx *store.Tx) error {
		if err := tx.LocationPut(stock.Location{ID: "west", Name: "Reno", Kind: stock.Own, Active: true}); err != nil {
			return err
		}
		for id, cents := range map[string]int64{"main": 900, "west": 100} {
			n := network.Node{ID: id, Name: strings.ToUpper(id), Kind: network.Own, Active: true, Zone: "America/New_York", Place: network.Place{Country: "US", State: "NY", Postal: "10001"},
				Lanes: []network.Lane{{Carrier: "USPS", Days: [10]int{5, 1, 2, 3, 3, 4, 4, 5, 5, 5}}}, Costs: network.Costs{PerOrder: money.Amount{Minor: cents, Currency: "USD"}}}
			for day := time.Sunday; day <= time.Saturday; day++ {
				n.Shifts = append(n.Shifts, network.Shift{Weekday: day, From: 0, Until: 86399, PerHour: 100})
			}
			if err := tx.NodePut(n, 0, "lena"); err != nil {
				return err
			}
		}
		return nil
	}))
	r.must(r.x.reloadCatalogue(r.t.Context()))
	if westMugs > 0 {
		r.did(r.d.AdjustStock(r.t.Context(), view.StockDraft{ID: "west-mugs", Kind: "receive", ItemID: "MUG", LocationID: "west", Qty: westMugs, Actor: "lena"}))
	}
	r.x.network.mu.Lock()
	r.x.network.made = time.Time{}
	r.x.network.mu.Unlock()
}

// standing is the route of an order, its parcels that are to ship, and where its units are held.
func (r *rig) standing(orderID string) (told RouteTold, live []store.Shipment, held map[string]int64) {
	r.t.Helper()
	held = map[string]int64{}
	r.must(r.st.View(r.t.Context(), func(tx *store.Tx) error {
		routes, err := tx.RoutesGet(orderID)
		if err != nil {
			return err
		}
		if len(routes) == 1 {
			if err := json.Unmarshal(routes[0].Body, &told); err != nil {
				return err
			}
		}
		all, err := tx.ShipmentsOf(orderID)
		for _, s := range all {
			if s.Stopped.IsZero() {
				live = append(live, s)
			}
		}
		if err != nil {
			return err
		}
		rs, err := tx.ReservationsForOrders([]string{orderID})
		for _, x := range rs {
			if x.Held > 0 {
				held[x.LocationID] += x.Held
			}
		}
		return err
	}))
	return told, live, held
}

func TestAnOrderIsRoutedWithItsReservation(t *testing.T) {
	r := newRig(t)
	r.network(3)
	id := r.sell("S1", 2)
	told, live, held := r.standing(id)
	if len(told.Parts) != 1 || told.Parts[0].Node != "west" || !told.Proven || len(told.Candidates) != 2 {
		t.Fatalf("%+v", told)
	}
	if held["west"] != 2 || len(held) != 1 || len(live) != 1 || live[0].Node != "west" || live[0].Way != shipping.ByHand || live[0].Lines[0].Qty != 2 {
		t.Errorf("%v %+v", held, live)
	}
	second, _, held := r.standing(r.sell("S1", 2)) // one is left there: from the other node
	if len(second.Parts) != 1 || second.Parts[0].Node != "main" || held["main"] != 2 {
		t.Errorf("%+v %v", second, held)
	}
	if proof, err := r.x.Prove(t.Context()); err != nil || len(proof.Ledger) > 0 {
		t.Errorf("%+v %v", proof, err)
	}
}

func TestAPersonsRouteMovesTheReservation(t *testing.T) {
	r := newRig(t)
	r.network(3)
	id := r.sell("S1", 1)
	_, before, _ := r.standing(id)
	if _, err := r.x.Reroute(t.Context(), id, "", routing.Override{Nodes: []string{"main"}, By: "lena"}); !errs.Is(err, errs.Invalid) {
		t.Errorf("without a reason: %v", err)
	}
	if _, err := r.x.Reroute(t.Context(), "none", "", routing.Override{}); !errs.Is(err, errs.NotFound) {
		t.Error(err)
	}
	told, err := r.x.Reroute(t.Context(), id, "", routing.Override{Nodes: []string{"main"}, By: "lena", Reason: "west is flooded"})
	r.must(err)
	_, live, held := r.standing(id)
	if told.Parts[0].Node != "main" || held["main"] != 1 || len(held) != 1 || len(live) != 1 || live[0].Node != "main" || live[0].ID == before[0].ID {
		t.Errorf("%+v %v %+v", told, held, live)
	}
	r.must(r.st.View(t.Context(), func(tx *store.Tx) error {
		routes, err := tx.RoutesGet(id)
		if len(routes) != 1 || routes[0].Actor != "lena" || routes[0].Reason != "west is flooded" || routes[0].Version != 2 {
			t.Errorf("%+v", routes)
		}
		return err
	}))
}

func TestAParcelSomebodyWorksOnStays(t *testing.T) {
	r := newRig(t)
	r.network(3)
	id := r.sell("S1", 2)
	_, live, _ := r.standing(id)
	r.must(r.st.Update(t.Context(), func(tx *store.Tx) error {
		if err := live[0].Pack(shipping.Box{Grams: 400, At: time.Now()}); err != nil {
			return err
		}
		return tx.ShipmentsSave(live[:1])
	}))
	if _, err := r.x.Reroute(t.Context(), id, "", routing.Override{Nodes: []string{"main"}, By: "lena", Reason: "closer"}); !errs.Is(err, errs.Conflict) {
		t.Errorf("a packed parcel went elsewhere: %v", err)
	}
	_, now, held := r.standing(id)
	if len(now) != 1 || now[0].ID != live[0].ID || held["west"] != 2 {
		t.Errorf("%+v %v", now, held)
	}
}

func TestParcelsOfACancelledOrderStop(t *testing.T) {
	r := newRig(t)
	r.network(3)
	id := r.sell("S1", 1)
	r.must(r.shop.Cancel(strings.TrimPrefix(id, r.conn+":")))
	r.until("its parcels are stopped and its units free", func() bool {
		_, live, held := r.standing(id)
		return len(live) == 0 && len(held) == 0
	})
}

func TestWhatCannotBeRoutedIsTakenInAllTheSame(t *testing.T) {
	r := newRig(t)
	r.network(3)
	set := func(rules string) {
		r.must(r.st.Update(t.Context(), func(tx *store.Tx) error { return tx.SettingSet(routingSetting, rules) }))
		r.x.network.mu.Lock()
		defer r.x.network.mu.Unlock()
		r.x.network.made = time.Time{}
	}
	set(`{"Currency":"EUR"}`) // the nodes say their costs in dollars
	id := r.sell("S1", 1)
	if told, live, held := r.standing(id); len(told.Parts)+len(live) > 0 || held["main"]+held["west"] != 1 {
		t.Errorf("%+v %+v %v", told, live, held)
	}
	set(string(jsonOf(defaultRouting("USD"))))
	if told, _, _ := r.standing(r.sell("S1", 1)); len(told.Parts) != 1 {
		t.Errorf("%+v", told)
	}
}

// A catalogue that is read anew while an order is routed must not make it ask for items that are not in the book.
func TestRoutingAsksByTheCatalogueOfItsBook(t *testing.T) {
	r := newRig(t)
	cat := r.x.catalog.Load()
	id := r.sell("S1", 2)
	r.must(r.x.MapListing(t.Context(), r.listing("S1"), "LAMP", "lena"))
	r.must(r.st.View(t.Context(), func(tx *store.Tx) error {
		orders, err := tx.OrdersGet([]string{id})
		if err != nil {
			return err
		}
		for i, c := range []*catalogue{cat, r.x.catalog.Load()} {
			asked := (&router{x: r.x, tx: tx, cat: c}).asked(&orders[0])
			if want := []string{"MUG", "LAMP"}[i]; len(asked) != 1 || asked[0].item != want {
				t.Errorf("%+v, want %s", asked, want)
			}
		}
		return nil
	}))
}

// What is left to route of a line: what the ledger holds less what parcels that stay will ship of it, whatever the channel knows of them.
func TestWhatIsLeftToRoute(t *testing.T) {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	parcel := func(n int64, more ...func(*shipping.Shipment)) store.Shipment {
		s := store.Shipment{Shipment: shipping.Shipment{ID: "s", Orders: []string{"o"}, Way: shipping.ByCarrier, Lines: []shipping.Line{{OrderID: "o", Key: "k", ItemID: "MUG", Qty: n}}}}
		for i, f := range more {
			s.ID += string(rune('a' + i))
			f(&s.Shipment)
		}
		return s
	}
	packed := func(s *shipping.Shipment) { s.ID, s.Box = s.ID+"packed", &shipping.Box{Grams: 1} }
	left := func(s *shipping.Shipment) { s.Label.Fate, s.Label.N, s.HandedOverAt = shipping.Done, 1, at }
	arrived := func(s *shipping.Shipment) { left(s); s.ID, s.DeliveredAt = s.ID+"arrived", at }
	stopped := func(s *shipping.Shipment) { s.Stopped = at }
	provider := func(s *shipping.Shipment) { s.Way, s.Label.Fate, s.Label.N = shipping.ByProvider, shipping.Done, 1 }
	numbered := func(s *shipping.Shipment) { s.Label.Tracking = "9400" }
	told := func(s *shipping.Shipment) {
		s.ID, s.Box, s.Label.Fate, s.Label.N, s.Tell.Tracking = s.ID+"told", &shipping.Box{Grams: 1}, shipping.Done, 1, "9400"
	}
	for name, c := range map[string]struct {
		holds, sent int64 // by the ledger and by the channel
		had         []store.Shipment
		anew        bool
		want        int64
	}{
		"nothing yet":                            {2, 0, nil, false, 2},
		"planned":                                {2, 0, []store.Shipment{parcel(2)}, false, 2},
		"packed":                                 {2, 0, []store.Shipment{parcel(2, packed)}, false, 0},
		"left, as the channel knows":             {1, 1, []store.Shipment{parcel(1, left)}, false, 1},
		"left, and the channel does not know":    {2, 0, []store.Shipment{parcel(1, left)}, false, 1},
		"arrived, as the channel knows":          {1, 1, []store.Shipment{parcel(1, arrived)}, false, 1},
		"arrived, and the channel does not know": {2, 0, []store.Shipment{parcel(1, arrived)}, false, 1},
		"sent by somebody else, the rest packed": {1, 1, []store.Shipment{parcel(1, packed)}, false, 0},
		"seen to leave before it was handed over, the other planned": {1, 1, []store.Shipment{parcel(1, told), parcel(1)}, false, 1},
		"seen to leave before it was handed over, the other packed":  {1, 1, []store.Shipment{parcel(1, packed), parcel(1, told)}, false, 0},
		"told, and nobody has seen it leave":                         {2, 0, []store.Shipment{parcel(1, told), parcel(1)}, false, 1},
		"all of it left, as the channel knows":                       {0, 1, []store.Shipment{parcel(1, left)}, false, 0},
		"one left, one packed":                                       {1, 1, []store.Shipment{parcel(1, left), parcel(1, packed)}, false, 0},
		"stopped":                                                    {2, 0, []store.Shipment{parcel(2, packed, stopped)}, false, 2},
		"more packed than is asked":                                  {1, 0, []store.Shipment{parcel(2, packed)}, false, 1},
		"with a provider":                                            {2, 0, []store.Shipment{parcel(2, provider)}, false, 0},
		"with a provider, and a person asks":                         {2, 0, []store.Shipment{parcel(2, provider)}, true, 2},
		"sent by a provider, and a person asks":                      {2, 0, []store.Shipment{parcel(2, provider, numbered)}, true, 0},
	} {
		asked := []routeItem{{line: "k", item: "MUG", qty: c.holds, all: c.holds + c.sent}}
		kept := keep("o", asked, c.had, c.anew)
		for i := range c.had {
			if s := &c.had[i]; s.Shipped() && !kept[s.ID] {
				t.Errorf("%s: what has left does not stay", name)
			}
		}
		if got := max(0, c.holds-under("o", asked, c.had, kept).held[[2]string{"k", "MUG"}]); got != c.want {
			t.Errorf("%s: %d left to route, want %d", name, got, c.want)
		}
	}
}

// Queues, forecasts and the shops' health by node go by from where an order leaves: the order carries it, through all that its channel says later.
func TestAnOrderCarriesFromWhereItLeaves(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		r.network(90)
		id := r.sell("S1", 2)
		leaves := func(want string) {
			t.Helper()
			r.until("it leaves from "+want, func() (is bool) {
				r.must(r.st.View(t.Context(), func(tx *store.Tx) error {
					all, err := tx.OrdersGet([]string{id})
					is = len(all) == 1 && all[0].Node() == want
					return err
				}))
				return is
			})
		}
		leaves("west")
		_, err := r.x.Reroute(t.Context(), id, "", routing.Override{Nodes: []string{"main"}, By: "ann", Reason: "the pallet is here"})
		r.must(err)
		main, _ := r.x.catalog.Load().location("main")
		code := main.ExternalRefs[r.conn] // the shop has a name for it, which its own word on orders uses too
		if code == "" {
			t.Fatal("the shop's warehouse is not tied to the main one")
		}
		leaves(code)
		r.must(r.shop.Cancel(strings.TrimPrefix(id, r.conn+":")))
		r.until("it is cancelled", func() bool { _, live, _ := r.standing(id); return len(live) == 0 })
		leaves(code)
	})
}
