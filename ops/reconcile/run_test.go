package reconcile

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	compare "github.com/spillway/spillway/domain/reconcile"
	"github.com/spillway/spillway/store"
)

// TestRunReadsOneConnection: all orders of the connection, page by page, and no other's.
func TestRunReadsOneConnection(t *testing.T) {
	st, err := store.Open(t.Context(), "sqlite:"+t.TempDir()+"/spillway.db", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	const n = 2*ordersAtOnce + 1
	save(t, st, "shop", n)
	save(t, st, "shop2", 5)
	save(t, st, "a", 5)
	rules := &policy.RuleSet{Rates: []policy.Rate{{ID: "r", Metric: policy.LDR, Counts: policy.Orders, Anchor: policy.AtHandedOver, Test: policy.HandedOverLate, Days: 7}}}
	theirs := compare.Theirs{Figures: []compare.Figure{{Metric: policy.LDR, From: day("2026-04-06"), To: day("2026-04-12"), Num: 1, Den: n}},
		Listed: []compare.Listed{{Metric: policy.LDR, OrderID: "0007", Day: day("2026-04-08"), Reason: "=late"}}}
	r, err := Run(t.Context(), st, rules, "shop", theirs, compare.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := r.Sections[0]
	if s.Ours.Den != n || s.Ours.Against != 0 || len(s.Lines) != 1 || s.Lines[0].Cause != compare.Unexplained || r.Known != 1 || *s.Residual != 0 {
		t.Errorf("%+v", s)
	}
	text := Text(r, false)
	for _, want := range []string{"LDR, 2026-04-06 to 2026-04-12", fmt.Sprintf("ours    0.00 %% (0 of %d)", n), "2000 both sides agree", "0007: fine here, against there: unexplained"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks %q", text, want)
		}
	}
	if _, err := Run(t.Context(), st, rules, "shop", compare.Theirs{Rows: []compare.Row{{OrderID: "1"}, {OrderID: "1"}}}, compare.Options{}, nil); err == nil {
		t.Error("contradicting files are compared")
	}
}

func save(t *testing.T, st *store.Store, connection string, n int) {
	t.Helper()
	at := time.Date(2026, 4, 8, 10, 0, 0, 0, time.UTC)
	var orders []order.Order
	for i := range n {
		d := &order.Detail{Fulfilment: order.BySeller, CreatedAt: at.Add(-24 * time.Hour), PaidAt: at.Add(-24 * time.Hour), Moments: order.Moments{HandedOverAt: at},
			Deadlines: order.Deadlines{HandOverBy: at.Add(time.Hour)}, Lines: []order.Line{{ExternalLineID: "1", ExternalSKU: "S", Qty: 1, Shipped: 1}}}
		o, _, err := order.Merge(nil, order.Fact{Kind: order.Snapshot, ConnectionID: connection, ExternalID: fmt.Sprintf("%04d", i), UpdatedAt: at, ReadAt: at,
			Status: order.InTransit, Detail: d})
		if err != nil {
			t.Fatal(err)
		}
		orders = append(orders, o)
	}
	for len(orders) > 0 {
		page := orders[:min(len(orders), 500)]
		orders = orders[len(page):]
		if err := st.Update(context.Background(), func(tx *store.Tx) error { return tx.OrdersSave(page) }); err != nil {
			t.Fatal(err)
		}
	}
}
