package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/store"
)

// waits stores orders of a shop, a mug each, whose parcels wait at main to be packed by a time.
func (h *house) waits(t *testing.T, due time.Time, externals ...string) {
	t.Helper()
	h.keeps(t, func(tx *store.Tx) error {
		for _, e := range externals {
			id := order.ID("shop", e)
			o := order.Order{ID: id, ConnectionID: "shop", ExternalID: e, Status: order.AwaitingShipment,
				Detail: order.Detail{Number: e, Lines: []order.Line{{Units: []order.Unit{{ExternalLineID: "u" + e}}}}}}
			s, err := shipping.New(shipping.Shipment{ID: "s" + e, ConnectionID: "shop", Orders: []string{id}, Node: "main", Way: shipping.ByHand, Due: due, CreatedAt: tx.Now(),
				Lines: []shipping.Line{{OrderID: id, Key: "k", ItemID: "mug", Qty: 1, Units: []string{"u" + e}}}})
			if err != nil {
				return err
			}
			if err := tx.OrdersSave([]order.Order{o}); err != nil {
				return err
			}
			if _, err := tx.ShipmentsAdd([]store.Shipment{{Shipment: *s}}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (h *house) keeps(t *testing.T, f func(tx *store.Tx) error) {
	t.Helper()
	if err := h.store.Update(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func TestProgramsCombineOrders(t *testing.T) {
	h := newHouse(t)
	due := time.Now().UTC().Add(24 * time.Hour).Truncate(time.Second)
	h.waits(t, due, "1", "2", "3", "4")
	h.keeps(t, func(tx *store.Tx) error {
		if err := tx.ConnectionPut(store.Connection{ID: "shop", Vendor: "dummy", Name: "Shop"}); err != nil {
			return err
		}
		return tx.CombinationsPut([]store.Combination{
			{ID: "c1", ConnectionID: "shop", Node: "main", State: store.Proposed, At: tx.Now(), Orders: []string{"shop:1", "shop:2"}, Due: due},
			{ID: "c2", ConnectionID: "shop", Node: "main", State: store.Proposed, At: tx.Now(), Orders: []string{"shop:3", "shop:4"}},
			{ID: "c3", ConnectionID: "shop", Node: "main", State: store.Proposed, At: tx.Now(), Orders: []string{"shop:1", "shop:3"}}})
	})
	h.walk(t, []step{
		{"what is proposed", "GET", "/nodes/main/combinations", "", 200, `"orders":["shop:1","shop:2"],"due":"` + due.Format(time.RFC3339) + `"`},
		{"nowhere", "GET", "/nodes/mars/combinations", "", 404, "no such node"},
		{"agreed to", "POST", "/combinations/c1/join", "", 200, `"parcel":"s`},
		{"again", "POST", "/combinations/c1/join", "", 200, `"parcel":"s`},
		{"one of its orders has moved on", "POST", "/combinations/c3/join", "", 409, "moved on"},
		{"none", "POST", "/combinations/c9/join", "", 404, "does not hold any more"},
		{"declined", "POST", "/combinations/c2/decline", "", 204, ""},
		{"too late", "POST", "/combinations/c1/decline", "", 409, "share a parcel"},
		{"what is left", "GET", "/nodes/main/combinations", "", 200, `"combinations":[{"id":"c3"`},
		{"of a shop", "GET", "/shops/shop/combining", "", 200, `"mode":"propose"`},
		{"of no shop", "GET", "/shops/none/combining", "", 404, "detail"},
		{"said", "PUT", "/shops/shop/combining", `{"mode":"automatic"}`, 200, `"mode":"automatic"`},
		{"kept", "GET", "/shops/shop/combining", "", 200, `"mode":"automatic"`},
		{"no mode", "PUT", "/shops/shop/combining", `{"mode":"some"}`, 422, "body.mode"},
		{"said of no shop", "PUT", "/shops/none/combining", `{"mode":"off"}`, 404, "detail"},
	})
	_, text, _ := h.call(t, "GET", base+"/orders/shop:1/shipments", "")
	var got struct {
		Shipments []struct {
			Orders  []string
			Stopped *time.Time `json:"stopped_at"`
		}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	shared := 0
	for _, s := range got.Shipments {
		if s.Stopped == nil && strings.Join(s.Orders, " ") == "shop:1 shop:2" {
			shared++
		}
	}
	if shared != 1 {
		t.Errorf("they share %d parcels: %s", shared, text)
	}
}

func TestProgramsSayTheFormOfLabels(t *testing.T) {
	h := newHouse(t)
	h.walk(t, []step{
		{"by itself", "GET", "/nodes/main/label-form", "", 200, `"format":"PDF"`},
		{"nowhere", "GET", "/nodes/mars/label-form", "", 404, "detail"},
		{"said", "PUT", "/nodes/main/label-form", `{"format":"ZPL"}`, 200, `"format":"ZPL"`},
		{"kept", "GET", "/nodes/main/label-form", "", 200, `"format":"ZPL"`},
		{"no form", "PUT", "/nodes/main/label-form", `{"format":"PNG"}`, 422, "body.format"},
		{"said of nowhere", "PUT", "/nodes/mars/label-form", `{"format":"ZPL"}`, 404, "no such node"},
	})
}

func TestProgramsSeeBags(t *testing.T) {
	h := newHouse(t)
	now := time.Now().UTC().Truncate(time.Second)
	h.keeps(t, func(tx *store.Tx) error {
		for _, b := range []store.Bag{
			{ID: "b1", ConnectionID: "shop", Node: "main", At: now.Add(-2 * time.Hour), Orders: []string{"shop:1", "shop:2"}, Fate: "done", Ref: "F-1", By: "mia", Refused: map[string]string{"shop:2": "too heavy"}},
			{ID: "b2", ConnectionID: "shop", Node: "main", At: now.Add(-time.Hour), Orders: []string{"shop:3"}, Fate: "open", By: "mia"},
			{ID: "b3", ConnectionID: "shop", Node: "main", At: now, Orders: []string{"shop:4"}, Fate: "open", By: "mia"}} {
			if _, err := tx.BagAdd(b); err != nil {
				return err
			}
		}
		return nil
	})
	h.walk(t, []step{
		{"who is left out", "GET", "/nodes/main/bags", "", 200, `"refused":[{"order":"shop:2","why":"too heavy"}]`},
		{"whose answer never came", "GET", "/nodes/main/bags", "", 200, `"id":"b2","shop":"shop","node":"main","state":"unknown"`},
		{"being made", "GET", "/nodes/main/bags", "", 200, `"id":"b3","shop":"shop","node":"main","state":"open"`},
		{"nothing waits", "GET", "/nodes/main/bags", "", 200, `"waiting":[]`},
		{"nowhere", "GET", "/nodes/mars/bags", "", 404, "no such node"},
		{"made nowhere", "POST", "/nodes/mars/bags", `{"id":"b","shop":"shop"}`, 404, "no such node"},
		{"of a shop that nobody works", "POST", "/nodes/main/bags", `{"id":"b","shop":"shop"}`, 503, "not being worked"},
		{"without an id", "POST", "/nodes/main/bags", `{"id":"","shop":"shop"}`, 422, "body.id"},
		{"a label of nothing", "GET", "/shipments/none/label", "", 404, ""},
		{"of what is none", "GET", "/shipments/none/label?of=invoice", "", 422, "query.of"},
		{"no sheet", "GET", "/bags/b2/sheet", "", 404, "not made"},
		{"still being made", "POST", "/bags/b3/settle", `{"made":true}`, 409, "nothing is asked"},
		{"it was not", "POST", "/bags/b2/settle", `{"made":false}`, 200, `"state":"refused"`},
		{"again", "POST", "/bags/b2/settle", `{"made":false}`, 200, `"state":"refused"`},
		{"of none", "POST", "/bags/b9/settle", `{"made":true}`, 404, "no such bag"},
	})
}

func TestProgramsSeeAndMendCapacity(t *testing.T) {
	h := newHouse(t)
	now := time.Now().UTC()
	tomorrow := calendar.DayOf(now, time.UTC) + 1
	h.keeps(t, func(tx *store.Tx) error {
		return tx.NodePut(network.Node{ID: "main", Name: "Main", Kind: network.Own, Active: true, Zone: "UTC", Place: network.Place{Country: "US"},
			Shifts: []network.Shift{{Weekday: (now.Weekday() + 6) % 7, From: 9 * 3600, Until: 10 * 3600, PerHour: 1}}}, 0, "lena")
	})
	h.waits(t, tomorrow.Start(time.UTC).Add(23*time.Hour), "1", "2", "3")
	h.walk(t, []step{
		{"what is behind", "GET", "/capacity", "", 200, `"due":3,"behind":3`},
		{"none", "POST", "/capacity/proposals/divert~a~b/apply", "", 404, "does not hold any more"},
		{"no task", "POST", "/capacity/done/none/finish", "", 404, "no such entry"},
		{"nothing to take back", "POST", "/capacity/done/none/undo", "", 404, "no such entry"},
	})
	look := func() (v capacityAnswer) {
		t.Helper()
		status, text, _ := h.call(t, "GET", base+"/capacity", "")
		if status != http.StatusOK || json.Unmarshal([]byte(text), &v.Body) != nil {
			t.Fatalf("%d %s", status, text)
		}
		return v
	}
	v := look()
	if len(v.Body.Nodes) != 1 || len(v.Body.Nodes[0].Days) != 8 || len(v.Body.Late) == 0 || v.Body.Late[0].Behind != 3 || len(v.Body.Proposals) != 1 || v.Body.Proposals[0].Kind != "overtime" {
		t.Fatalf("%+v", v.Body)
	}
	apply := base + "/capacity/proposals/" + url.PathEscape(v.Body.Proposals[0].ID) + "/apply"
	if status, text, _ := h.call(t, "POST", apply, ""); status != 200 || !strings.Contains(text, "overtime is added") {
		t.Fatalf("%d %s", status, text)
	}
	if status, text, _ := h.call(t, "POST", apply, ""); status != 404 {
		t.Errorf("applied twice: %d %s", status, text)
	}
	v = look()
	if len(v.Body.Late) != 0 || len(v.Body.Proposals) != 0 || len(v.Body.Done) != 1 || v.Body.Done[0].Actor != "token:shop" {
		t.Errorf("%+v", v.Body)
	}
	undo := "/capacity/done/" + v.Body.Done[0].ID + "/undo"
	h.walk(t, []step{
		{"it is no task", "POST", strings.Replace(undo, "undo", "finish", 1), "", 409, "no task"},
		{"taken back", "POST", undo, "", 200, "Taken back"},
		{"twice", "POST", undo, "", 409, "taken back already"},
		{"behind again", "GET", "/capacity", "", 200, `"undone":true`},
	})
	if v = look(); len(v.Body.Proposals) != 1 {
		t.Errorf("%+v", v.Body)
	}
}

// A token of one area does nothing of the other's.
func TestShippingAndCapacityHaveScopes(t *testing.T) {
	h := newHouse(t)
	for scope, want := range map[string][4]int{"shipping:read": {200, 403, 403, 403}, "shipping": {200, 404, 403, 403}, "capacity:read": {403, 403, 200, 403}, "capacity": {403, 403, 200, 404},
		"nodes": {403, 403, 403, 403}, "routes": {403, 403, 403, 403}} {
		plain, _, err := h.ops.NewToken(t.Context(), scope, "test", scope)
		if err != nil {
			t.Fatal(err)
		}
		h.token = plain
		var got [4]int
		for i, c := range [4][2]string{{"GET", "/nodes/main/bags"}, {"POST", "/combinations/x/decline"}, {"GET", "/capacity"}, {"POST", "/capacity/done/x/finish"}} {
			got[i], _, _ = h.call(t, c[0], base+c[1], "")
		}
		if got != want {
			t.Errorf("%s: %v, want %v", scope, got, want)
		}
	}
}
