package shopify

import (
	"fmt"
	"testing"

	"github.com/spillway/spillway/kit/errs"
)

// TestOrderHeads: what a listing of scalars shows of orders after every kind of change, and that scalars cost nothing.
func TestOrderHeads(t *testing.T) {
	s := open(t)
	s.product(20, "A", "B")
	heads := func() string {
		a := s.query(`{ orders(first: 10, sortKey: UPDATED_AT, query: "status:any") { edges { cursor node { id updatedAt cancelledAt
			displayFinancialStatus displayFulfillmentStatus edited subtotalLineItemsQuantity currentSubtotalLineItemsQuantity } } pageInfo { hasNextPage endCursor } } }`, nil)
		a.want(12, "extensions", "cost", "requestedQueryCost")
		n := a.get("data", "orders", "edges", 0, "node").(map[string]any)
		return fmt.Sprint(n["displayFinancialStatus"], " ", n["displayFulfillmentStatus"], " ", n["currentSubtotalLineItemsQuantity"], " of ",
			n["subtotalLineItemsQuantity"], " edited ", n["edited"])
	}
	o, err := s.PlaceOrder(OrderInput{Lines: []OrderLine{{SKU: "A", Quantity: 4}, {SKU: "B", Quantity: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	edit := func(sku string, units int) {
		t.Helper()
		if _, err := s.EditOrder(o.ID, sku, units, true); err != nil {
			t.Fatal(err)
		}
	}
	want := func(words string, available int) {
		t.Helper()
		if got := heads(); got != words || s.Available("A") != available {
			t.Errorf("heads are %q with %d available, want %q with %d", got, s.Available("A"), words, available)
		}
	}
	want("PAID UNFULFILLED 5 of 5 edited false", 16)
	edit("A", -1)
	want("PAID UNFULFILLED 4 of 5 edited true", 17)
	edit("A", 2)
	want("PARTIALLY_PAID UNFULFILLED 6 of 7 edited true", 15)
	if _, err := s.FulfillOrder(o.ID, "UPS", "1Z"); err != nil {
		t.Fatal(err)
	}
	want("PARTIALLY_PAID FULFILLED 6 of 7 edited true", 15)
	if _, err := s.EditOrder(o.ID, "A", -1, true); !errs.Is(err, errs.Conflict) {
		t.Errorf("units that were sent are taken off: %v", err)
	}
	edit("A", 1)
	want("PARTIALLY_PAID PARTIALLY_FULFILLED 7 of 8 edited true", 14)
	edit("A", -1)
	want("PARTIALLY_PAID FULFILLED 6 of 8 edited true", 15)
	if _, err := s.EditOrder(o.ID, "A", 100, true); !errs.Is(err, errs.Insufficient) {
		t.Errorf("units are added that are not there: %v", err)
	}
	if _, err := s.EditOrder(o.ID, "C", 1, true); !errs.Is(err, errs.NotFound) {
		t.Errorf("a line that is not there is edited: %v", err)
	}
}

// TestCancelAfterEdit: a cancelled order has no current units, and cannot be edited.
func TestCancelAfterEdit(t *testing.T) {
	s := open(t)
	s.product(20, "A")
	o := s.place("A", 3)
	if _, err := s.EditOrder(o.ID, "A", -1, true); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CancelOrder(o.ID, "CUSTOMER", true); err != nil {
		t.Fatal(err)
	}
	a := s.query(`query($id: ID!) { order(id: $id) { subtotalLineItemsQuantity currentSubtotalLineItemsQuantity cancelledAt } }`, map[string]any{"id": o.GID()})
	a.want(3, "data", "order", "subtotalLineItemsQuantity")
	a.want(0, "data", "order", "currentSubtotalLineItemsQuantity")
	if _, err := s.EditOrder(o.ID, "A", 1, true); !errs.Is(err, errs.Conflict) || s.Available("A") != 20 {
		t.Errorf("a cancelled order is edited: %v, %d available", err, s.Available("A"))
	}
}
