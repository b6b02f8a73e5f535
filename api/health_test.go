package api

import (
	"encoding/json"
	"testing"

	"github.com/spillway/spillway/store"
)

// A shop without rules says so; an unknown one is not found.
func TestHealthOverHTTP(t *testing.T) {
	h := newHouse(t)
	status, text, _ := h.call(t, "GET", "/api/v1/health", "")
	if status != 200 || text != `{"shops":[]}`+"\n" {
		t.Errorf("no shops: %d %s", status, text)
	}
	if status, text, _ := h.call(t, "GET", "/api/v1/health/nobody", ""); status != 404 {
		t.Errorf("an unknown shop: %d %s", status, text)
	}
	err := h.store.Update(t.Context(), func(tx *store.Tx) error {
		return tx.ConnectionPut(store.Connection{ID: "s", Vendor: "none", Name: "Shop", AppID: "a", Region: "US", State: store.Paused})
	})
	if err != nil {
		t.Fatal(err)
	}
	status, text, _ = h.call(t, "GET", "/api/v1/health/s", "")
	var got shopHealth
	if err := json.Unmarshal([]byte(text), &got); err != nil || status != 200 || got.Shop != "s" || got.Market != "" || len(got.Metrics) != 0 || got.Outlook != nil {
		t.Errorf("a shop nobody judges: %d %s", status, text)
	}
}
