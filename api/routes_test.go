package api

import (
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/store"
)

// TestRoutesOverTheAPI: an order's road is read, and what cannot be changed is said.
func TestRoutesOverTheAPI(t *testing.T) {
	h := newHouse(t)
	now := time.Now().UTC().Truncate(time.Microsecond)
	err := h.store.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.OrdersSave([]order.Order{{ID: "shop:1", ConnectionID: "shop", ExternalID: "1", Status: order.AwaitingShipment}}); err != nil {
			return err
		}
		if err := tx.RoutesPut([]store.Route{{OrderID: "shop:1", At: now, Actor: "rules", Body: []byte(`{"parts":[{"node":"main","units":1,"plan_for":"2026-11-23","cost":150}],"currency":"USD","total":150,"proven":true,"candidates":[]}`)}}); err != nil {
			return err
		}
		s, err := shipping.New(shipping.Shipment{ID: "s1", ConnectionID: "shop", Orders: []string{"shop:1"}, Node: "main", Way: shipping.ByHand, CreatedAt: now,
			Lines: []shipping.Line{{OrderID: "shop:1", Key: "a", ItemID: "mug", Qty: 1}}})
		if err != nil {
			return err
		}
		_, err = tx.ShipmentsAdd([]store.Shipment{{Shipment: *s}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if status, text, _ := h.call(t, "GET", "/api/v1/orders/shop:1/route", ""); status != 200 || !strings.Contains(text, `"node":"main"`) || !strings.Contains(text, `"version":1`) {
		t.Errorf("%d %s", status, text)
	}
	if status, text, _ := h.call(t, "GET", "/api/v1/orders/shop:1/shipments", ""); status != 200 || !strings.Contains(text, `"step":"pack"`) || !strings.Contains(text, `"units":1`) {
		t.Errorf("%d %s", status, text)
	}
	divide := "/api/v1/orders/shop:1/shipments/s1/divide"
	if status, text, _ := h.call(t, "POST", divide, `{"keep":[{"item":"mug","qty":1}]}`); status != 400 || !strings.Contains(text, "leave something for the other") {
		t.Errorf("of one unit: %d %s", status, text)
	}
	if status, text, _ := h.call(t, "POST", divide, `{"keep":[{"item":"mug","qty":0}]}`); status != 422 && status != 400 {
		t.Errorf("nothing is kept: %d %s", status, text)
	}
	err = h.store.Update(t.Context(), func(tx *store.Tx) error {
		s, err := tx.ShipmentGet("s1")
		if err != nil {
			return err
		}
		s.Lines[0].Qty = 3
		return tx.ShipmentsSave([]store.Shipment{s})
	})
	if err != nil {
		t.Fatal(err)
	}
	if status, text, _ := h.call(t, "POST", divide, `{"keep":[{"item":"mug","qty":1}]}`); status != 200 || strings.Count(text, `"node":"main"`) != 2 ||
		!strings.Contains(text, `"lines":[{"item":"mug","qty":1}]`) || !strings.Contains(text, `"lines":[{"item":"mug","qty":2}]`) {
		t.Errorf("divided: %d %s", status, text)
	}
	if status, _, _ := h.call(t, "POST", "/api/v1/orders/shop:2/shipments/s1/divide", `{"keep":[{"item":"mug","qty":1}]}`); status != 404 {
		t.Errorf("another order's parcel: %d", status)
	}
	if status, _, _ := h.call(t, "GET", "/api/v1/orders/shop:2/route", ""); status != 404 {
		t.Errorf("an order that is none: %d", status)
	}
	if status, text, _ := h.call(t, "POST", "/api/v1/orders/shop:1/reroute", `{"id":"a","nodes":["main"]}`); status != 400 || !strings.Contains(text, "why") {
		t.Errorf("without a reason: %d %s", status, text)
	}
	if status, text, _ := h.call(t, "POST", "/api/v1/orders/shop:1/reroute", `{"id":"a","nodes":["moon"],"reason":"nearer"}`); status != 400 && status != 409 {
		t.Errorf("a node that is none: %d %s", status, text)
	}
}
