package ops

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/shiphero"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/sim/depot"
	shipherosim "github.com/spillway/spillway/sim/shiphero"
	tiktoksim "github.com/spillway/spillway/sim/tiktok"
	"github.com/spillway/spillway/store"
)

// hub is a place that has everything, from which a ShipHero ships with a carrier, and packs as boxes says.
func (j *joint) hub(carrier string, boxes func(depot.Order) [][]depot.Line) (*shipherosim.Sim, store.CarrierAccount) {
	j.t.Helper()
	s := shipherosim.New(j.clock, 3, depot.Options{Carrier: carrier, Pick: time.Millisecond, Pack: time.Millisecond, Ship: 200 * time.Millisecond, Boxes: boxes})
	j.t.Cleanup(s.Stop)
	s.Free = true
	for _, sku := range []string{"MUG", "LAMP"} {
		s.Floor.Stow("V2FyZWhvdXNlOjE=", sku, 100, 0)
	}
	srv := httptest.NewServer(s.Handler())
	j.t.Cleanup(srv.Close)
	j.x.carriers["shiphero"] = shiphero.Carrier{}
	a, err := j.x.AddCarrier(j.t.Context(), NewCarrierAccount{Carrier: "shiphero", Name: "Hub", Actor: "lena",
		Settings: map[string]string{"base_url": srv.URL, "refresh_token": shipherosim.RefreshToken, "webhook_secret": shipherosim.Secret}})
	j.must(err)
	said, err := j.x.Node(j.t.Context(), "main")
	j.must(err)
	n := said.Said.Node
	n.ID, n.Name, n.Kind, n.Account = "hub", "Hub", network.ThreePL, a.ID
	j.must(j.st.Update(j.t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.LocationPut(stock.Location{ID: "hub", Name: "Hub", Kind: stock.ThirdParty, Active: true}), tx.NodePut(n, 0, "lena"))
	}))
	j.must(j.x.reloadCatalogue(j.t.Context()))
	for _, sku := range []string{"MUG", "LAMP"} {
		j.did(j.d.AdjustStock(j.t.Context(), view.StockDraft{ID: "hub-" + sku, Kind: "receive", ItemID: sku, LocationID: "hub", Qty: 100, Actor: "lena"}))
	}
	j.x.network.mu.Lock()
	j.x.network.made = time.Time{}
	j.x.network.mu.Unlock()
	return s, a
}

// hears takes the webhooks of an account.
func (j *joint) hears(s *shipherosim.Sim, a store.CarrierAccount) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = j.x.ReceiveParcelNews(r.Context(), "shiphero", a.ID, r.Header, body)
		}
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	j.t.Cleanup(srv.Close)
	s.Subscribe(srv.URL)
}

// boxEach is a box for each item.
func boxEach(o depot.Order) (boxes [][]depot.Line) {
	for _, l := range o.Lines {
		boxes = append(boxes, []depot.Line{l})
	}
	return boxes
}

// A provider sends in two packages, one after the other, what it was handed over as one parcel: each is told to the channel under its own number, once,
// whether webhooks tell of them or the list.
func TestAProviderSendsOneParcelInTwoPackages(t *testing.T) {
	for name, c := range map[string]struct {
		region string
		list   bool
	}{"told by webhooks": {"US", false}, "told by its list": {"US", true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newJoint(t, c.region, "west")
			s, a := j.hub("USPS", boxEach)
			if !c.list {
				j.hears(s, a)
			}
			order := j.sellsOwn(2, "MUG", "LAMP")
			sent, rounds := 0, 0
			j.eventually("both packages are told", func() bool {
				j.sweeps()
				for _, o := range s.Floor.Orders(func(o depot.Order) bool { return len(o.Sent) > sent }) {
					if sent = len(o.Sent); c.list {
						for range 2 { // read again it changes nothing
							_, err := j.x.askNewsOf(t.Context(), a)
							j.must(err)
						}
					}
				}
				told, err := j.sim.Parcels(order)
				j.must(err)
				if len(told) == 2 && !slices.ContainsFunc(told, func(p tiktoksim.ParcelView) bool { return p.Tracking == "" }) {
					rounds++
				}
				return rounds > 20
			})
			ps := j.parcels(order)
			if len(ps) != 2 {
				t.Fatalf("%d parcels: %+v", len(ps), ps)
			}
			told, err := j.sim.Parcels(order)
			j.must(err)
			for _, p := range ps {
				if len(p.Lines) != 1 || p.Lines[0].Qty != 2 || p.Question() != "" || p.Tell.Fixed != 0 || p.Account != a.ID {
					t.Errorf("%+v", p)
				}
				if !slices.ContainsFunc(told, func(v tiktoksim.ParcelView) bool { return v.Tracking == p.Label.Tracking && len(v.Lines) == 2 }) {
					t.Errorf("the channel knows %+v, and not %s", told, p.Label.Tracking)
				}
			}
			if made, _ := s.Counts(); made != 1 {
				t.Errorf("%d orders were made at the provider", made)
			}
		})
	}
}

// Where the channel does not split an order, what its provider sent in two packages is told as one, under the number of the first. A refusal that may
// pass, and one of a parcel that can still be sent otherwise, changes nothing.
func TestWhatAChannelDoesNotSplitIsToldAsOne(t *testing.T) {
	r := newNewsRig(t)
	s, a := r.shiphero("Hub", plainly)
	s.Floor.Stow("V2FyZWhvdXNlOjE=", "LAMP", 5, 0)
	id := r.handed(a, 50*time.Hour, "MUG", "LAMP")
	parcel := func(id string) (p store.Shipment) {
		r.must(r.x.st.View(t.Context(), func(tx *store.Tx) (err error) { p, err = tx.ShipmentGet(id); return err }))
		return p
	}
	p := parcel(id)
	p.Booked(r.at, shipping.Label{Ref: p.Label.Ref, Carrier: "USPS", Tracking: "9400"})
	other, err := p.Part("p-rest", shipping.Division{In: map[string]int64{"MUG": 1}, Sold: func(l shipping.Line) shipping.Sold { return shipping.Sold{Part: l.ItemID, Pieces: 1} }, Packages: true}, r.at)
	r.must(err)
	r.must(r.x.st.Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ShipmentsAdd([]store.Shipment{{Shipment: *other}})
		return errors.Join(err, tx.ShipmentsSave([]store.Shipment{p}))
	}))
	way := shipWay{w: &wire{x: r.x, log: r.x.log}}
	for _, class := range []driver.Class{driver.Retry, driver.GiveUp} {
		want := class == driver.GiveUp
		first, rest := parcel(id), parcel("p-rest")
		for _, s := range []*store.Shipment{&rest, &first} {
			*s = parcel(s.ID)
			way.apart(t.Context(), *s, &driver.Error{Class: class})(&s.Shipment, r.at)
		}
		rest = parcel("p-rest")
		if first.Package.Wanted == want || first.Tell.Along || rest.Tell.Along != want || rest.Package.Wanted == want {
			t.Errorf("%s: %+v %+v and %+v %+v", class, first.Package, first.Tell, rest.Package, rest.Tell)
		}
	}
	first, rest := parcel(id), parcel("p-rest")
	first.Undivided(false)
	rest.Booked(r.at, shipping.Label{Ref: rest.Label.Ref, Carrier: "USPS", Tracking: "9401"})
	if k := first.Next(r.at).Kind; k != shipping.Tell {
		t.Errorf("of the first is next %s", k)
	}
	if k := rest.Next(r.at).Kind; k != shipping.Rest {
		t.Errorf("of the other is next %s", k)
	}
}

// What a provider leaves out of an order that it closes is asked of a person, and goes from elsewhere when that person says so.
func TestWhatAProviderLeavesOutGoesFromElsewhere(t *testing.T) {
	t.Parallel()
	j := newJoint(t, "US", "west")
	s, a := j.hub("USPS", func(o depot.Order) [][]depot.Line { return [][]depot.Line{{{SKU: "MUG", Qty: 1}}} })
	order := j.sellsOwn(1, "MUG", "LAMP")
	left := func() (out []store.Shipment) {
		return slices.DeleteFunc(j.parcels(order), func(p store.Shipment) bool { return p.Label.Tracking != "" })
	}
	sent := false
	j.eventually("a person is told what was left out", func() bool {
		j.sweeps()
		if !sent && len(s.Floor.Orders(depot.Order.Left)) > 0 {
			_, err := j.x.askNewsOf(t.Context(), a)
			j.must(err)
			sent = true
		}
		l := left()
		return sent && len(l) == 1 && strings.Contains(l[0].Question(), "not all of it was sent")
	})
	if l := left()[0]; len(l.Lines) != 1 || l.Lines[0].ItemID != "LAMP" {
		t.Fatalf("%+v", l)
	}
	told, err := j.x.Reroute(t.Context(), j.id(order), "", routing.Override{Nodes: []string{"west"}, By: "lena", Reason: "the hub has none"})
	j.must(err)
	if !told.Back || told.Left != 1 || len(told.Parts) != 0 {
		t.Errorf("before the provider has answered: %+v", told)
	}
	j.eventually("the lamp is to be packed elsewhere", func() bool {
		j.sweeps()
		l := left()
		return len(l) == 1 && l[0].Node == "west" && l[0].Way != shipping.ByProvider
	})
}

// A provider that has sent an order already is asked not to, and refuses: nothing else is sent, and its number counts.
func TestWhatAProviderDoesNotGiveBackIsNotSentTwice(t *testing.T) {
	t.Parallel()
	j := newJoint(t, "US", "west")
	s, a := j.hub("USPS", nil)
	order := j.sellsOwn(1, "MUG", "LAMP")
	j.eventually("it has left, and nobody was told", func() bool { j.sweeps(); return len(s.Floor.Orders(depot.Order.Left)) == 1 })
	told, err := j.x.Reroute(t.Context(), j.id(order), "", routing.Override{Nodes: []string{"main", "west"}, By: "lena", Reason: "the hub is slow"})
	j.must(err)
	if !told.Back || told.Left != 2 {
		t.Errorf("before the provider has answered: %+v", told)
	}
	j.eventually("the provider has refused", func() bool {
		j.sweeps()
		ps := j.parcels(order)
		_, err := j.x.RouteWaiting(t.Context())
		j.must(err)
		told, _, _ := j.standing(j.id(order))
		return len(ps) == 1 && ps[0].Void.Answer == shipping.VoidRefused && told.Left == 0
	})
	_, err = j.x.askNewsOf(t.Context(), a)
	j.must(err)
	j.eventually("its number is told", func() bool {
		j.sweeps()
		told, err := j.sim.Parcels(order)
		j.must(err)
		ps := j.parcels(order)
		return len(told) == 1 && told[0].Tracking != "" && len(ps) == 1 && ps[0].Tell.Fate == shipping.Done
	})
	if ps := j.parcels(order); ps[0].Node != "hub" || ps[0].Tell.Tracking == "" {
		t.Errorf("%+v", ps)
	}
	if told, _, held := j.standing(j.id(order)); told.Left != 0 || told.Back || held["main"]+held["west"] != 0 {
		t.Errorf("%+v, held at %v", told, held)
	}
}

// Which parcel of a booking is meant is told by the number, else by what is in it.
func TestNewsIsOfTheParcelThatHoldsIt(t *testing.T) {
	t.Parallel()
	cat := &catalogue{items: map[string]catalog.Item{"i1": {ID: "i1", SKU: "MUG"}, "i2": {ID: "i2", SKU: "LAMP"}}}
	parcel := func(number string, mugs, lamps int64) (s store.Shipment) {
		s.Label.Tracking = number
		for item, n := range map[string]int64{"i1": mugs, "i2": lamps} {
			if n > 0 {
				s.Lines = append(s.Lines, shipping.Line{ItemID: item, Qty: n})
			}
		}
		return s
	}
	lines := func(mugs, lamps int64) (out []driver.ParcelLine) {
		for sku, n := range map[string]int64{"MUG": mugs, "LAMP": lamps} {
			if n > 0 {
				out = append(out, driver.ParcelLine{SKU: sku, Qty: n})
			}
		}
		return out
	}
	odd := []driver.ParcelLine{{SKU: "MUG", Qty: 1}, {SKU: "CARD", Qty: 1}}
	for name, c := range map[string]struct {
		of   []store.Shipment
		news driver.ParcelNews
		told []string
		is   int
		part map[string]int64
	}{
		"all of it":                           {[]store.Shipment{parcel("", 1, 1)}, driver.ParcelNews{Tracking: "A", Shipped: lines(1, 1)}, nil, 0, nil},
		"nothing said":                        {[]store.Shipment{parcel("", 1, 1)}, driver.ParcelNews{Tracking: "A"}, nil, 0, nil},
		"part of it":                          {[]store.Shipment{parcel("", 1, 1)}, driver.ParcelNews{Tracking: "A", Shipped: lines(1, 0)}, nil, 0, map[string]int64{"i1": 1}},
		"part, told again":                    {[]store.Shipment{parcel("A", 1, 1)}, driver.ParcelNews{Tracking: "a", Shipped: lines(1, 0)}, nil, 0, map[string]int64{"i1": 1}},
		"another part of what has its number": {[]store.Shipment{parcel("A", 1, 1)}, driver.ParcelNews{Tracking: "B", Shipped: lines(0, 1)}, nil, -1, nil},
		"another number of all of it":         {[]store.Shipment{parcel("A", 1, 1)}, driver.ParcelNews{Tracking: "B", Shipped: lines(1, 1)}, nil, 0, nil},
		"sent twice, and told so":             {[]store.Shipment{parcel("A", 1, 1)}, driver.ParcelNews{Tracking: "B", Shipped: lines(1, 1)}, []string{"A", "B"}, -1, nil},
		"something that was not given to it":  {[]store.Shipment{parcel("", 1, 1)}, driver.ParcelNews{Tracking: "A", Shipped: odd}, nil, 0, nil},
		"more than there is":                  {[]store.Shipment{parcel("", 1, 1)}, driver.ParcelNews{Tracking: "A", Shipped: lines(2, 1)}, nil, 0, nil},
		"told in brief":                       {[]store.Shipment{parcel("", 1, 1)}, driver.ParcelNews{Tracking: "A", Shipped: lines(1, 0), Brief: true}, nil, 0, nil},
		"the rest":                            {[]store.Shipment{parcel("A", 1, 0), parcel("", 0, 1)}, driver.ParcelNews{Tracking: "B", Shipped: lines(0, 1)}, nil, 1, nil},
		"part of the rest":                    {[]store.Shipment{parcel("A", 1, 0), parcel("", 2, 1)}, driver.ParcelNews{Tracking: "B", Shipped: lines(1, 0)}, nil, 1, map[string]int64{"i1": 1}},
		"the exact rest before the larger":    {[]store.Shipment{parcel("", 2, 1), parcel("", 2, 0)}, driver.ParcelNews{Tracking: "B", Shipped: lines(2, 0)}, nil, 1, nil},
		"its number replaced":                 {[]store.Shipment{parcel("A", 1, 0), parcel("B", 0, 1)}, driver.ParcelNews{Tracking: "C", Shipped: lines(0, 1)}, []string{"A", "C"}, 1, nil},
		"one of two alike replaced":           {[]store.Shipment{parcel("A", 1, 0), parcel("B", 1, 0)}, driver.ParcelNews{Tracking: "C", Shipped: lines(1, 0)}, []string{"A", "C"}, 1, nil},
		"one of two alike, and nobody knows":  {[]store.Shipment{parcel("A", 1, 0), parcel("B", 1, 0)}, driver.ParcelNews{Tracking: "C", Shipped: lines(1, 0)}, []string{"C"}, -1, nil},
		"a problem":                           {[]store.Shipment{parcel("A", 1, 0), parcel("", 0, 1)}, driver.ParcelNews{Exception: "short"}, nil, 1, nil},
		"a problem of what has left":          {[]store.Shipment{parcel("A", 1, 0)}, driver.ParcelNews{Exception: "short"}, nil, 0, nil},
	} {
		told := map[string]bool{}
		for _, n := range c.told {
			told[n] = true
		}
		i, part := match(cat, c.of, c.news, told)
		if i != c.is || len(part) != len(c.part) || part["i1"] != c.part["i1"] || part["i2"] != c.part["i2"] {
			t.Errorf("%s: of %d, part %v; want %d, %v", name, i, part, c.is, c.part)
		}
	}
}
