package api

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/store"
)

// scan is the body of a scan.
func scan(id, text string) string { return `{"id":"` + id + `","scan":"` + text + `"}` }

// Programs walk a wave, pack what was picked and load it, with the rules of the pages: a scan counts once, and one that does not fit changes nothing.
func TestProgramsWorkTheFloor(t *testing.T) {
	h := newHouse(t)
	h.waits(t, time.Now().UTC().Add(24*time.Hour), "1", "2")
	const waves, station, van = "/nodes/main/waves", "/nodes/main/stations/one", "/nodes/main/handover/scans"
	h.walk(t, []step{
		{"the first to be packed", "GET", "/nodes/main/parcels?step=pack&limit=1", "", 200, `"next":"s1"`},
		{"and the other", "GET", "/nodes/main/parcels?step=pack&limit=1&after=s1", "", 200, `{"id":"s2","orders":["shop:2"]`},
		{"no step", "GET", "/nodes/main/parcels", "", 422, "query.step"},
		{"nothing waits for a van", "GET", "/nodes/main/parcels?step=hand%20over", "", 200, `"shipments":[]`},
		{"none yet", "GET", waves, "", 200, `"waves":[]`},
		{"nowhere", "GET", "/nodes/mars/waves", "", 404, "There is no node mars"},
		{"what would be released", "GET", waves + "/plan", "", 200, `"parcels":2,"units":2`},
		{"in smaller carts", "GET", waves + "/plan?parcels=1", "", 200, `"id":"Wave 2"`},
		{"carts of no size", "GET", waves + "/plan?parcels=-1", "", 422, "query.parcels"},
		{"nothing was changed by looking", "GET", waves, "", 200, `"waves":[]`},
		{"released", "POST", waves, `{"id":"plan-1"}`, 200, `"waves":["WPLAN-1-1"]`},
		{"sent again", "POST", waves, `{"id":"plan-1"}`, 200, `"waves":["WPLAN-1-1"]`},
		{"nothing is left", "POST", waves, `{"id":"plan-2"}`, 409, "nothing waits here"},
		{"it is open", "GET", waves, "", 200, `"id":"WPLAN-1-1","method":"one item each","parcels":2`},
		{"the pick list", "GET", "/waves/WPLAN-1-1", "", 200, `"item":"mug","sku":"mug","qty":2,"picked":0,"left":2`},
		{"of no wave", "GET", "/waves/none", "", 404, "detail"},
		{"another item", "POST", "/waves/WPLAN-1-1/scans", scan("p1", "box"), 200, `"ok":false,"say":"Wrong item. Expected: mug."`},
		{"more than is wanted", "POST", "/waves/WPLAN-1-1/scans", `{"id":"p2","scan":"mug","qty":3}`, 200, `"ok":false`},
		{"one", "POST", "/waves/WPLAN-1-1/scans", scan("p3", "mug"), 200, `"ok":true,"say":"1 unit still to come.","repeated":false`},
		{"the same scan", "POST", "/waves/WPLAN-1-1/scans", scan("p3", "mug"), 200, `"repeated":true,"walk":{"node":"main","wave":{"id":"WPLAN-1-1","method":"one item each","parcels":2,"units":2,"picked":1`},
		{"the bin holds no more", "POST", "/waves/WPLAN-1-1/scans", `{"id":"p4","scan":"","short":true}`, 200, `1 parcel goes to the bench`},
		{"it is walked", "GET", "/waves/WPLAN-1-1", "", 200, `"now":-1`},
		{"of no wave", "POST", "/waves/none/scans", scan("p5", "mug"), 404, "detail"},
		{"without an id", "POST", "/waves/WPLAN-1-1/scans", scan("", "mug"), 422, "body.id"},
		{"a station with nothing", "GET", station, "", 200, `"expect":"Scan an order, a tote or an item."`},
		{"nothing to open", "POST", station + "/scans", scan("s0", "none"), 200, `"ok":false`},
		{"an order", "POST", station + "/scans", scan("s1", "1"), 200, `"stage":"check","parcel":"s1","order":"shop:1"`},
		{"what is not in it", "POST", station + "/scans", scan("s2", "box"), 200, `"ok":false,"say":"That does not belong into this parcel. Expected: 1 × mug."`},
		{"its unit", "POST", station + "/scans", scan("s3", "mug"), 200, `"stage":"box"`},
		{"its unit sent again", "POST", station + "/scans", scan("s3", "mug"), 200, `"repeated":true`},
		{"the box", "POST", station + "/scans", scan("s4", "SW-OK"), 200, `"stage":"weigh"`},
		{"no weight", "POST", station + "/scans", scan("s5", "heavy"), 200, `"ok":false`},
		{"the weight", "POST", station + "/scans", scan("s6", "412"), 200, `"stage":"label"`},
		{"it waits for its label", "GET", station, "", 200, `"grams":412`},
		{"not on the van yet", "POST", van, scan("v1", "TEST-LABEL-0001"), 200, `"ok":false,"say":"No parcel of ours has this label. Put it aside."`},
		{"the label", "POST", station + "/scans", scan("s7", "TEST-LABEL-0001"), 200, `"ok":true,"say":"Packed. Next, please."`},
		{"on the van", "POST", van, scan("v2", "TEST-LABEL-0001"), 200, `"ok":true`},
		{"once", "POST", van, scan("v3", "TEST-LABEL-0001"), 200, `It is on the van already.`},
		{"a van of nowhere", "POST", "/nodes/mars/handover/scans", scan("v4", "TEST-LABEL-0001"), 404, "There is no node mars"},
		{"what is on the bench", "POST", "/nodes/main/parcels/act", `{"act":"back","parcels":["s2","none"]}`, 200, `"rows":[{"parcel":"s2","ok":true,"say":"it waits to be packed again"},{"parcel":"none","ok":false`},
		{"no such act", "POST", "/nodes/main/parcels/act", `{"act":"burn","parcels":["s2"]}`, 422, "body.act"},
	})
	h.keeps(t, func(tx *store.Tx) error {
		s, err := tx.ShipmentGet("s1")
		if err == nil && (!s.Shipped() || s.Box.Grams != 412) {
			t.Errorf("%+v", s)
		}
		return err
	})
}

// A parcel that a person sends to its provider is taken, and its number entered, by programs too.
func TestProgramsSendByHand(t *testing.T) {
	h := newHouse(t)
	h.waits(t, time.Now().UTC().Add(24*time.Hour), "1")
	h.keeps(t, func(tx *store.Tx) error {
		s, err := tx.ShipmentGet("s1")
		if err != nil {
			return err
		}
		if err := tx.LocationPut(stock.Location{ID: "main", Name: "Main", Kind: stock.ThirdParty, Active: true}); err != nil {
			return err
		}
		if err := tx.NodePut(network.Node{ID: "main", Name: "Main", Kind: network.ThreePL, Zone: "UTC", Place: network.Place{Country: "US"}, Active: true}, 0, "test"); err != nil {
			return err
		}
		s.Way = shipping.ByProvider
		return tx.ShipmentsSave([]store.Shipment{s})
	})
	const number = "9400111206206406300100"
	h.walk(t, []step{
		{"it waits", "GET", "/orders/shop:1/shipments", "", 200, `"step":"send"`},
		{"no wave takes it", "POST", "/nodes/main/waves", `{"id":"plan-1"}`, 409, "nothing waits here"},
		{"a number before it is sent", "POST", "/orders/shop:1/shipments/s1/tracking", `{"number":"` + number + `","carrier":"USPS"}`, 409, "say first that it is sent"},
		{"taken", "POST", "/nodes/main/parcels/act", `{"act":"send","parcels":["s1"]}`, 200, `"ok":true`},
		{"its number is awaited", "GET", "/nodes/main/parcels?step=enter", "", 200, `"id":"s1"`},
		{"it is nobody else's to send", "GET", "/nodes/main/parcels?step=send", "", 200, `"shipments":[]`},
		{"not sent after all", "POST", "/nodes/main/parcels/act", `{"act":"unsend","parcels":["s1"]}`, 200, `"ok":true`},
		{"taken again", "POST", "/nodes/main/parcels/act", `{"act":"send","parcels":["s1"]}`, 200, `"ok":true`},
		{"a number of another form", "POST", "/orders/shop:1/shipments/s1/tracking", `{"number":"123","carrier":"USPS"}`, 400, "this is no number of USPS"},
		{"its number", "POST", "/orders/shop:1/shipments/s1/tracking", `{"number":"` + number + `","carrier":"USPS"}`, 200, `"tracking":"` + number + `"`},
		{"it has left", "GET", "/orders/shop:1/shipments", "", 200, `"handed_over_at":"`},
	})
}

// A parcel's box is proposed with a place for every unit, and its buyer's page has an address.
func TestProgramsAskForABox(t *testing.T) {
	h := newHouse(t)
	h.waits(t, time.Now().UTC().Add(24*time.Hour), "1")
	const size = `{"version":0,"said":{"grams":350,"length_mm":100,"width_mm":100,"height_mm":100}}`
	const carton = `{"version":0,"said":{"name":"Box M","inner":{"length_mm":220,"width_mm":120,"height_mm":120},"outer":{"length_mm":230,"width_mm":130,"height_mm":130},"grams":90,"active":true,"padding_mm":10}}`
	h.walk(t, []step{
		{"no sizes", "GET", "/shipments/s1/box", "", 200, `"boxes":[],"why":["No carton is proposed: the weight or the sides of mug are not known.`},
		{"which", "GET", "/shipments/s1/box", "", 200, `"missing":["mug"]`},
		{"no such parcel", "GET", "/shipments/none/box", "", 404, "detail"},
		{"the size", "PUT", "/handling/mug", size, 200, `"version":1`},
		{"no cartons", "GET", "/shipments/s1/box", "", 200, "this node has none"},
		{"a carton", "PUT", "/cartons/box-m", carton, 200, `"version":1`},
		{"the box", "GET", "/shipments/s1/box", "", 200, `"carton":"box-m","name":"Box M","outer_mm":[230,130,130],"inner_mm":[220,120,120],"contents":[{"item":"mug","sku":"mug","qty":1}],"places":[{"item":"mug","at_mm":[10,10,10],"size_mm":[100,100,100]}],"grams":440`},
		{"the buyer's page", "GET", "/orders/shop:1/shipments", "", 200, `"track":"` + h.ops.TrackURL("s1") + `"`},
	})
}

// A zone chart is put in force whole or not at all, told, and taken back by the version that was read.
func TestProgramsSayZoneCharts(t *testing.T) {
	h := newHouse(t)
	const head = "origin_zip3,dest_zip3,zone,days\n"
	put := "/zones/USPS?file=" + url.QueryEscape("usps 2026.csv")
	h.walk(t, []step{
		{"none", "GET", "/zones", "", 200, `"charts":[]`},
		{"a row that is wrong", "PUT", put, head + "100,900,8,4\n100,901,x,4\n", 422, `"location":"line 3"`},
		{"nothing was put in force", "GET", "/zones", "", 200, `"charts":[]`},
		{"only looked at", "PUT", put + "&dry_run=true", head + "100,900,8,4\n", 200, `"in_force":false,"changes":[{"what":"No node 100","stay":"`},
		{"still nothing", "GET", "/zones", "", 200, `"charts":[]`},
		{"in force", "PUT", put, head + "100,900,8,4\n100,901,7,4\n", 200, `"rows":2,"in_force":true`},
		{"no node ships with it", "PUT", put, head + "100,900,8,4\n", 200, "No node ships with USPS yet"},
		{"told", "GET", "/zones", "", 200, `"carrier":"USPS","version":2,"file":"usps 2026.csv","from":"100","ways":1,"actor":"token:shop"`},
		{"an old version", "DELETE", "/zones/USPS?version=1", "", 409, "meanwhile"},
		{"taken back", "DELETE", "/zones/USPS?version=2", "", 204, ""},
		{"what held before holds", "GET", "/zones", "", 200, `"version":3,"file":"usps 2026.csv","from":"100","ways":2`},
		{"of no carrier", "DELETE", "/zones/DHL?version=1", "", 404, "There is no chart of DHL"},
	})
	if _, text, _ := h.call(t, "GET", base+"/zones", ""); strings.Count(text, `"version":`) != 4 {
		t.Errorf("the history is not told: %s", text)
	}
}
