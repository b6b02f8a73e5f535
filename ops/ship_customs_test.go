package ops

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spillway/spillway/connector/driver"
	easypostcarrier "github.com/spillway/spillway/connector/easypost"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/money"
	easypostsim "github.com/spillway/spillway/sim/easypost"
	"github.com/spillway/spillway/sim/world"
	"github.com/spillway/spillway/store"
)

// A parcel abroad has its label with a declaration, which somebody signs; at home nobody is asked.
func TestAParcelAbroadIsDeclared(t *testing.T) {
	for name, c := range map[string]struct {
		country, signer, asks string
	}{"abroad": {"CA", "J. Doe", ""}, "abroad, and nobody signs": {"CA", "", "who signs it"}, "at home": {"US", "", ""}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.network(0)
			r.must(r.st.Update(t.Context(), func(tx *store.Tx) error {
				n, err := tx.NodeGet("main")
				if err != nil {
					return err
				}
				n.Node.Place = network.Place{Country: c.country, State: "ON", City: "Ottawa", Postal: "K1A 0B1", Line1: "1 Dock Rd"}
				return tx.NodePut(n.Node, n.Version, "lena")
			}))
			s := easypostsim.New(world.Wall(), 7)
			t.Cleanup(s.Stop)
			server := httptest.NewServer(s.Handler())
			t.Cleanup(server.Close)
			settings := map[string]string{"api_key": easypostsim.APIKey, "base_url": server.URL + "/v2"}
			if c.signer != "" {
				settings["customs_signer"] = c.signer
			}
			k := r.dock(easypostcarrier.Carrier{}, settings)
			id := r.sell("S1", 2)
			p := r.shipment("sh-1", id, shipping.ByCarrier, k.account)
			p.Box.LengthMM, p.Box.WidthMM, p.Box.HeightMM = 200, 150, 100
			r.must(r.st.View(t.Context(), func(tx *store.Tx) error {
				o, err := tx.OrdersGet([]string{id})
				p.Lines[0].Key, p.Lines[0].Qty = o[0].Lines[0].Key, 2
				return err
			}))
			r.must(r.st.Update(t.Context(), func(tx *store.Tx) error { _, err := tx.ShipmentsAdd([]store.Shipment{p}); return err }))
			got := r.shipped("sh-1", "it has a label, or asks", func(s store.Shipment) bool { return s.Label.Fate == shipping.Done || s.Question() != "" })
			if !strings.Contains(got.Question(), c.asks) || (got.Question() == "") != (c.asks == "") {
				t.Errorf("%+v asks %q", got.Label, got.Question())
			}
		})
	}
}

// A set is declared at its price once, whichever of its pieces a parcel holds.
func TestPiecesOfASetAreWorthTheirShare(t *testing.T) {
	usd := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "USD"} }
	set := catalog.Item{ID: "SET", SKU: "SET", Components: []catalog.Component{{ItemID: "MUG", Qty: 2}, {ItemID: "LAMP", Qty: 1}}}
	cat := &catalogue{items: map[string]catalog.Item{"SET": set, "MUG": {ID: "MUG", SKU: "MUG"}, "LAMP": {ID: "LAMP", SKU: "LAMP"}}}
	cat.bySKU = map[string]string{"SET": "SET", "MUG": "MUG"}
	o := &order.Order{ConnectionID: "c"}
	for sku, want := range map[string]map[string]int64{"SET": {"MUG": 1000, "LAMP": 1000, "OTHER": 3000}, "MUG": {"MUG": 3000}} {
		l := order.Line{Key: "k", SellerSKU: sku, UnitPrice: usd(3000)}
		for item, minor := range want {
			if got := pieceValue(o, &l, item, cat); got != usd(minor) {
				t.Errorf("%s of %s: %s", item, sku, got)
			}
		}
	}
	p := driver.Parcel{From: driver.Address{Country: "US"}, To: driver.Address{Country: "DE"}, Lines: []driver.ParcelLine{{SKU: "SET", Qty: 100, Value: usd(3000)}}}
	if _, err := declaration(&p); err == nil {
		t.Error("3,000 dollars leave without a filing")
	}
}
