package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// guideShop is the shop of the guide: one connection and three orders, one of them dispatched late.
func guideShop(t *testing.T, home string) error {
	la, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	st, err := store.Open(t.Context(), "sqlite:"+home+"/spillway.db", store.Options{})
	if err != nil {
		return err
	}
	at := func(day, hour int) time.Time { return time.Date(2026, 4, day, hour, 0, 0, 0, la) }
	var orders []order.Order
	for id, days := range map[string][3]time.Time{ // made, due, with the carrier
		"1001": {at(6, 9), at(8, 23), at(8, 10)}, "1002": {at(6, 9), at(8, 23), at(8, 10)}, "1003": {at(7, 9), at(9, 23), at(10, 11)},
	} {
		d := &order.Detail{Fulfilment: order.BySeller, CreatedAt: days[0], PaidAt: days[0], Deadlines: order.Deadlines{ShipBy: days[1], HandOverBy: days[1]},
			Moments: order.Moments{ReadyAt: days[2], HandedOverAt: days[2]}, Lines: []order.Line{{ExternalLineID: "1", ExternalSKU: "MUG", Qty: 1, Shipped: 1}}}
		o, _, err := order.Merge(nil, order.Fact{Kind: order.Snapshot, ConnectionID: "c1", ExternalID: id, UpdatedAt: days[2], ReadAt: days[2], Status: order.InTransit, Detail: d})
		if err != nil {
			return err
		}
		orders = append(orders, o)
	}
	err = st.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.ConnectionPut(store.Connection{ID: "c1", Vendor: "tiktok", Name: "Sample shop", ExternalID: "7495", Region: "US"}); err != nil {
			return err
		}
		return tx.OrdersSave(orders)
	})
	if err != nil {
		_ = st.Close() // the failure before it is told
		return err
	}
	return st.Close()
}

// TestReconcileOptions: what the flags make of themselves, and which of them are refused.
func TestReconcileOptions(t *testing.T) {
	columns := filepath.Join(t.TempDir(), "columns.yaml")
	if err := os.WriteFile(columns, []byte("order: Reference\ncreated_at: Placed on\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := reconcileCmd{MapFile: columns, Map: map[string]string{"order": "Number"}, Delimiter: "tab", TimeZone: "Europe/Berlin", From: "2026-04-06", To: "2026-04-12"}
	o, co, err := c.options(&policy.RuleSet{})
	if err != nil {
		t.Fatal(err)
	}
	if o.Map["order"] != "Number" || o.Map["created_at"] != "Placed on" || o.Delimiter != '\t' || o.Zone.String() != "Europe/Berlin" || co.To-co.From != 6 || co.Zones[0] != o.Zone {
		t.Errorf("%+v, %+v", o, co)
	}
	for name, c := range map[string]reconcileCmd{
		"half a period": {From: "2026-04-06"}, "backwards": {From: "2026-04-06", To: "2026-04-05"}, "no day": {From: "x", To: "2026-04-05"},
		"no zone": {TimeZone: "Mars"}, "two characters": {Delimiter: ";;"},
	} {
		if _, _, err := c.options(&policy.RuleSet{}); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.WriteFile(columns, []byte("- order\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := (&reconcileCmd{MapFile: columns}).options(&policy.RuleSet{}); !errs.Is(err, errs.Invalid) {
		t.Errorf("a list for a mapping: %v", err)
	}
}
