package ops

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	tiktokvendor "github.com/spillway/spillway/connector/tiktok"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	tiktoksim "github.com/spillway/spillway/sim/tiktok"
	"github.com/spillway/spillway/store"
)

// joint is a shop of a platform that makes packages itself, with two places: main has all, west mugs only.
type joint struct {
	*storm
	sim  *tiktoksim.Sim
	shop string
}

func newJoint(t *testing.T, region string, lampsAt string) *joint {
	clock := &leaping{}
	s, err := tiktoksim.New(tiktoksim.Options{Seed: 3, Clock: clock, Hold: -1, RedirectURL: "https://ops.example.com/done", Shops: []tiktoksim.ShopSpec{{
		Name: "Joint", Seller: "Joint Seller", Region: region, Shipping: "TIKTOK", Warehouses: []tiktoksim.WarehouseSpec{{Name: "Main"}},
		Products: []tiktoksim.ProductSpec{{Title: "Mug", SKUs: []tiktoksim.SKUSpec{{SellerSKU: "MUG", Price: 1250, Stock: map[string]int{"Main": 1000}}}},
			{Title: "Lamp", SKUs: []tiktoksim.SKUSpec{{SellerSKU: "LAMP", Price: 4250, Stock: map[string]int{"Main": 1000}}}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	access, err := s.Grant("Joint Seller")
	if err != nil {
		t.Fatal(err)
	}
	r := newStorm(t, clock, tiktokvendor.Vendor{}, s.Handler(), func(base string) view.AppDraft {
		return view.AppDraft{Vendor: "tiktok", Key: access.AppKey, Secret: access.AppSecret, Actor: "lena", Settings: map[string]string{
			tiktokvendor.SettingServiceID: access.ServiceID, tiktokvendor.SettingAPIHost: base, tiktokvendor.SettingTokenHost: base,
			tiktokvendor.SettingConsentURL: base + "/open/authorize"}}
	}, "&decision=approve&seller="+url.QueryEscape("Joint Seller"))
	j := &joint{r, s, s.Shops()[0].ID}
	j.conn, j.faults, j.points = "tiktok-"+j.shop, s.Faults(), []string{"*/fulfillment/*", "GET /order/*"}
	j.expiry = "GET /order/*"
	j.must(j.x.PutItems(t.Context(), []catalog.Item{{ID: "MUG", SKU: "MUG", Title: "A mug"}, {ID: "LAMP", SKU: "LAMP", Title: "A lamp"}}))
	j.stocked(region, lampsAt)
	for _, k := range s.Shops()[0].SKUs {
		id := catalog.ListingID(j.conn, k.ID)
		j.until("listings are read", func() bool { _, ok := j.x.catalog.Load().listings[id]; return ok })
		j.must(j.x.MapListing(t.Context(), id, k.SellerSKU, "lena"))
	}
	return j
}

func (j *joint) stocked(region, lampsAt string) {
	j.t.Helper()
	j.must(j.st.Update(j.t.Context(), func(tx *store.Tx) error {
		for _, id := range []string{"main", "west"} {
			if err := tx.LocationPut(stock.Location{ID: id, Name: id, Kind: stock.Own, Active: true}); err != nil {
				return err
			}
			n := network.Node{ID: id, Name: id, Kind: network.Own, Active: true, Zone: "Europe/London", Place: network.Place{Country: region},
				Lanes: []network.Lane{{Carrier: "Post", Days: [10]int{3, 1, 2, 3, 3, 4, 4, 5, 5, 5}}}}
			for day := time.Sunday; day <= time.Saturday; day++ {
				n.Shifts = append(n.Shifts, network.Shift{Weekday: day, From: 0, Until: 86399, PerHour: 1000})
			}
			if err := tx.NodePut(n, 0, "lena"); err != nil {
				return err
			}
		}
		return nil
	}))
	j.must(j.x.reloadCatalogue(j.t.Context()))
	for _, at := range [][2]string{{"MUG", "main"}, {"LAMP", lampsAt}} {
		j.did(j.d.AdjustStock(j.t.Context(), view.StockDraft{ID: "first-" + at[0] + at[1], Kind: "receive", ItemID: at[0], LocationID: at[1], Qty: 500, Actor: "lena"}))
	}
	j.x.network.mu.Lock()
	j.x.network.made = time.Time{}
	j.x.network.mu.Unlock()
}

// sells places an order, with the same buyer as another if that is named.
func (j *joint) sells(with string, skus ...string) string {
	j.t.Helper()
	return j.places(tiktoksim.PlaceOptions{With: with}, 1, skus...)
}

// sellsOwn places an order that the seller ships.
func (j *joint) sellsOwn(units int, skus ...string) string {
	j.t.Helper()
	return j.places(tiktoksim.PlaceOptions{Shipping: "SELLER"}, units, skus...)
}

func (j *joint) places(o tiktoksim.PlaceOptions, units int, skus ...string) string {
	j.t.Helper()
	var want []tiktoksim.Wanted
	for _, k := range skus {
		want = append(want, tiktoksim.Wanted{SKU: k, Qty: units})
	}
	var id string
	j.eventually("the shop sells it", func() bool { // units may be on their way to it
		var err error
		if id, err = j.sim.PlaceOrder(j.shop, want, o); errs.Is(err, errs.Insufficient) {
			return false
		}
		j.must(err)
		return true
	})
	return id
}

func (j *joint) id(external string) string { return j.conn + ":" + external }

// parcels are those of an order that are to ship.
func (j *joint) parcels(external string) []store.Shipment {
	j.t.Helper()
	var live []store.Shipment
	j.must(j.st.View(j.t.Context(), func(tx *store.Tx) error {
		all, err := tx.ShipmentsOf(j.id(external))
		live = slices.DeleteFunc(all, func(s store.Shipment) bool { return !s.Stopped.IsZero() })
		return err
	}))
	return live
}

func (j *joint) sweeps() { poke(j.x.wires.get(j.conn).wakeSweep) }

// routed waits until orders have as many parcels as wanted, each with its package.
func (j *joint) routed(parcels int, external ...string) {
	j.t.Helper()
	j.eventually("each order has its parcels, in packages of their own", func() bool {
		j.sweeps()
		for _, e := range external {
			ps := j.parcels(e)
			if len(ps) != parcels || slices.ContainsFunc(ps, func(s store.Shipment) bool { return s.Package.Wanted && s.Package.Fate != shipping.Done }) {
				return false
			}
		}
		return true
	})
}

// eventually waits, moving the clock on where only time is missing.
func (j *joint) eventually(what string, done func() bool) {
	j.t.Helper()
	end := time.Now().Add(stormPatience)
	for n := 1; !done(); n++ {
		if time.Now().After(end) {
			j.t.Fatalf("in vain: %s", what)
		}
		if n%25 == 0 {
			j.clock.ahead.Add(int64(stormLeap))
		}
		j.expire()
		select {
		case <-time.After(20 * time.Millisecond):
		case <-j.t.Context().Done():
			j.t.FailNow()
		}
	}
}

// combine has the channel asked what may ship as one, and agrees to all.
func (j *joint) combine() {
	j.t.Helper()
	j.must(j.x.LookCombinable(j.t.Context(), j.conn))
	var open []store.Combination
	j.must(j.st.View(j.t.Context(), func(tx *store.Tx) (err error) {
		open, err = tx.CombinationsOf(j.conn, store.Proposed, 10)
		return err
	}))
	if len(open) == 0 {
		j.t.Fatal("nothing is proposed")
	}
	for _, c := range open {
		parcel, err := j.x.Combine(j.t.Context(), c.ID, "lena")
		j.must(err)
		if again, err := j.x.Combine(j.t.Context(), c.ID, "lena"); again != parcel || err != nil {
			j.t.Errorf("agreed to twice: %s, %v", again, err)
		}
	}
}

// packs packs what waits to be packed, and waits until the orders' parcels have labels.
func (j *joint) packs(external ...string) {
	j.t.Helper()
	j.eventually("all parcels have labels", func() bool {
		left := 0
		for _, e := range external {
			for _, s := range j.parcels(e) {
				if q := s.Question(); q != "" {
					j.t.Fatalf("parcel %s asks: %s", s.ID, q)
				}
				if s.Next(j.clock.Now()).Kind == shipping.Pack {
					j.must(s.Pack(shipping.Box{LengthMM: 200, WidthMM: 150, HeightMM: 100, Grams: 400, At: j.clock.Now()}))
					_ = j.st.Update(j.t.Context(), func(tx *store.Tx) error { return tx.ShipmentsSave([]store.Shipment{s}) }) // the next round packs what another changed
				}
				if s.Label.Fate != shipping.Done || s.Label.Tracking == "" {
					left++
				}
			}
			if len(j.parcels(e)) == 0 {
				left++
			}
		}
		return left == 0
	})
}

// labels are those paid for orders together, and their numbers.
func (j *joint) labels(external ...string) (paid int, numbers []string) {
	j.t.Helper()
	for _, e := range external {
		n, err := j.sim.LabelsPaid(e)
		j.must(err)
		paid += n
		all, err := j.sim.Parcels(e)
		j.must(err)
		for _, p := range all {
			numbers = append(numbers, p.Tracking)
		}
	}
	return paid, unique(numbers)
}

func TestOrdersOfABuyerShareOneLabel(t *testing.T) {
	t.Parallel()
	j := newJoint(t, "GB", "main")
	a := j.sells("", "MUG")
	b, c, stranger := j.sells(a, "LAMP"), j.sells(a, "MUG"), j.sells("", "MUG")
	j.routed(1, a, b, c, stranger)
	j.combine()
	if j.parcels(a)[0].ID != j.parcels(b)[0].ID || len(j.parcels(c)[0].Orders) != 3 || j.parcels(a)[0].ID == j.parcels(stranger)[0].ID {
		t.Fatalf("%+v", j.parcels(a))
	}
	j.packs(a, b, c, stranger)
	if paid, numbers := j.labels(a, b, c); paid != 1 || len(numbers) != 1 || numbers[0] != j.parcels(b)[0].Label.Tracking {
		t.Errorf("%d labels, numbers %v", paid, numbers)
	}
	for _, e := range []string{a, b, c} { // its custody is told for each
		j.must(j.st.View(t.Context(), func(tx *store.Tx) error {
			rows, err := tx.EventsOf(j.id(e), 100)
			if !slices.ContainsFunc(rows, func(x store.Event) bool { return x.Kind == EventCombined }) {
				t.Errorf("%s has no word of it in its timeline", e)
			}
			return err
		}))
		j.eventually("its label is in the log", func() bool {
			return slices.ContainsFunc(j.custody(e), func(x custody.Event) bool { return x.What == custody.LabelBought })
		})
	}
	if proof, err := j.x.Prove(t.Context()); err != nil || len(proof.Ledger) > 0 {
		t.Errorf("%+v %v", proof, err)
	}
}

// custody is what the log tells of an order.
func (j *joint) custody(external string) (out []custody.Event) {
	j.t.Helper()
	j.must(j.st.View(j.t.Context(), func(tx *store.Tx) error {
		entries, err := tx.CustodyOf(j.id(external), "", 100)
		for _, e := range entries {
			ev, err := custody.ParseLeaf(e.Leaf)
			if err != nil {
				return err
			}
			out = append(out, ev)
		}
		return err
	}))
	return out
}

func TestWhoLeavesASharedParcelLeavesTheOthersTogether(t *testing.T) {
	if testing.Short() {
		t.Skip("time is moved on in leaps, and the race detector's pace does not keep up with them")
	}
	t.Parallel()
	j := newJoint(t, "GB", "main")
	j.did(j.d.AdjustStock(t.Context(), view.StockDraft{ID: "west-mugs", Kind: "receive", ItemID: "MUG", LocationID: "west", Qty: 50, Actor: "lena"}))
	a := j.sells("", "MUG")
	b, c, d := j.sells(a, "LAMP"), j.sells(a, "MUG"), j.sells(a, "MUG")
	j.routed(1, a, b, c, d)
	j.combine()
	j.routed(1, a, b, c, d)
	shared := j.parcels(a)[0].ID
	if _, err := j.sim.Cancel(d, "SELLER", ""); err != nil {
		t.Fatal(err)
	}
	other := "west"
	if j.parcels(c)[0].Node == "west" {
		other = "main"
	}
	if _, err := j.x.Reroute(t.Context(), j.id(c), "", routing.Override{Nodes: []string{other}, By: "lena", Reason: "there is more room"}); err != nil {
		t.Fatal(err)
	}
	j.eventually("the cancelled order has left the parcel", func() bool { j.sweeps(); return len(j.parcels(d)) == 0 })
	j.packs(a, b, c)
	if p := j.parcels(a)[0]; p.ID != shared || len(p.Orders) != 2 || j.parcels(b)[0].ID != shared {
		t.Errorf("%+v", p)
	}
	if p := j.parcels(c)[0]; p.ID == shared || p.Node != other || p.Label.Tracking == j.parcels(a)[0].Label.Tracking {
		t.Errorf("%+v", p)
	}
	if paid, numbers := j.labels(a, b, c); paid != 2 || len(numbers) != 2 {
		t.Errorf("%d labels, numbers %v", paid, numbers)
	}
}

func TestWhatTheChannelRefusesShipsApart(t *testing.T) {
	t.Parallel()
	j := newJoint(t, "GB", "main")
	a := j.sells("", "MUG")
	b := j.sells(a, "MUG")
	j.routed(1, a, b)
	j.must(j.sim.Ship(b, "", "")) // by hand, in the platform's own pages
	j.proposedAnyway(a, b)
	j.packs(a)
	if p := j.parcels(a)[0]; len(p.Orders) != 1 || slices.ContainsFunc(j.parcels(b), func(s store.Shipment) bool { return s.ID == p.ID }) {
		t.Errorf("%+v", p)
	}
	if paid, numbers := j.labels(a, b); paid != 2 || len(numbers) != 2 {
		t.Errorf("%d labels, numbers %v", paid, numbers)
	}
	var left []store.Combination
	j.must(j.st.View(t.Context(), func(tx *store.Tx) (err error) {
		left, err = tx.CombinationsOf(j.conn, store.Rejected, 10)
		return err
	}))
	if len(left) != 1 || left[0].Why == "" {
		t.Errorf("%+v", left)
	}
}

// proposedAnyway combines orders as if the channel had just said that they may be.
func (j *joint) proposedAnyway(external ...string) {
	j.t.Helper()
	open, err := j.x.propose(j.t.Context(), j.conn, [][]string{external})
	j.must(err)
	if len(open) != 1 {
		j.t.Fatalf("%v", open)
	}
	_, err = j.x.Combine(j.t.Context(), open[0], "lena")
	j.must(err)
}

func TestAnOrderOfTwoPlacesIsSplitBeforeItShips(t *testing.T) {
	t.Parallel()
	j := newJoint(t, "TH", "west")
	a := j.sells("", "MUG", "LAMP")
	j.routed(2, a)
	j.packs(a)
	ps := j.parcels(a)
	if ps[0].Node == ps[1].Node || ps[0].Label.Tracking == ps[1].Label.Tracking {
		t.Errorf("%+v", ps)
	}
	if paid, numbers := j.labels(a); paid != 2 || len(numbers) != 2 {
		t.Errorf("%d labels, numbers %v", paid, numbers)
	}
}

// What fits into no box of one place goes in two parcels with a label each. Where the platform splits orders by item no item is torn apart, where it splits
// none before they ship a person is told so, and makes one parcel of them again.
func TestAnOrderOfOnePlaceIsDivided(t *testing.T) {
	for region, labels := range map[string]int{"TH": 2, "US": 2, "GB": 1} {
		t.Run(region, func(t *testing.T) {
			t.Parallel()
			j := newJoint(t, region, "main")
			a := j.sells("", "MUG", "LAMP", "MUG")
			j.routed(1, a)
			whole := j.parcels(a)[0].ID
			if region == "TH" {
				if _, err := j.x.DivideParcel(t.Context(), j.id(a), whole, map[string]int64{"MUG": 1}, "lena"); !errs.Is(err, errs.Invalid) {
					t.Errorf("an item is torn apart: %v", err)
				}
			}
			other, err := j.x.DivideParcel(t.Context(), j.id(a), whole, map[string]int64{"MUG": 2}, "lena")
			j.must(err)
			if region == "GB" {
				j.eventually("a person is told", func() bool {
					j.sweeps()
					ps := j.parcels(a)
					return len(ps) == 2 && strings.Contains(ps[0].Question(), "does not let this order be split")
				})
				_, err := j.x.Reroute(t.Context(), j.id(a), "", routing.Override{By: "lena", Reason: "one parcel after all"})
				j.must(err)
			}
			j.routed(labels, a)
			j.packs(a)
			if ps := j.parcels(a); labels == 2 && !slices.ContainsFunc(ps, func(s store.Shipment) bool { return s.ID == other && len(s.Lines) == 1 && s.Lines[0].ItemID == "LAMP" }) {
				t.Errorf("%+v", ps)
			}
			if paid, numbers := j.labels(a); paid != labels || len(numbers) != labels {
				t.Errorf("%d labels, numbers %v", paid, numbers)
			}
		})
	}
}

// Whatever fails, of each pair one label is paid, and of each split order two.
func TestTogetherAndApartWhateverFails(t *testing.T) {
	if testing.Short() {
		t.Skip("a storm takes a while")
	}
	t.Parallel()
	j := newJoint(t, "TH", "west")
	j.must(j.x.SetCombineMode(t.Context(), j.conn, CombineAutomatic))
	const pairs = 12
	var all, split []string
	for range pairs {
		a := j.sells("", "MUG")
		all = append(all, a, j.sells(a, "MUG"))
		split = append(split, j.sells("", "MUG", "LAMP"))
	}
	j.routed(1, all...)
	j.breaks()
	j.eventually("the channel says what may ship as one", func() bool {
		_ = j.x.LookCombinable(t.Context(), j.conn) // it fails now and then
		for i := 0; i < len(all); i += 2 {
			if ps := j.parcels(all[i]); len(ps) != 1 || len(ps[0].Orders) != 2 {
				return false
			}
		}
		return true
	})
	j.routed(2, split...)
	j.packs(slices.Concat(all, split)...)
	for i := 0; i < len(all); i += 2 {
		if paid, numbers := j.labels(all[i], all[i+1]); paid != 1 || len(numbers) != 1 {
			t.Errorf("pair %d: %d labels, numbers %v", i, paid, numbers)
		}
	}
	for _, e := range split {
		if paid, numbers := j.labels(e); paid != 2 || len(numbers) != 2 {
			t.Errorf("%s: %d labels, numbers %v", e, paid, numbers)
		}
	}
	j.t.Logf("time moved on by %v", time.Duration(j.clock.ahead.Load()))
}
