package shiphero

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/spillway/spillway/sim/depot"
)

// failure is an error of the vendor's: 3 not found, 4 bad data.
type failure struct {
	code    int
	message string
}

func (s *Sim) resolve(root *ast.Field, args, vars map[string]any) (object, *failure) {
	switch root.Name {
	case "orders":
		return s.orders(root, args, vars)
	case "order":
		for _, o := range s.Floor.Orders(func(o depot.Order) bool { return uuid("Order", o.ID) == args["id"] }) {
			return object{"data": order(o)}, nil
		}
		return nil, &failure{3, "There is no such order."}
	case "warehouse_products":
		return s.shelves(root, vars)
	case "order_create":
		return s.create(args["data"].(map[string]any))
	case "order_cancel":
		return s.cancel(args["data"].(map[string]any))
	}
	return nil, &failure{4, "There is no such operation."}
}

// orders filters, the newest order first.
func (s *Sim) orders(root *ast.Field, args, vars map[string]any) (object, *failure) {
	var since time.Time
	if v, ok := args["updated_from"].(string); ok {
		at, err := time.Parse(time.RFC3339, v)
		if err != nil {
			return nil, &failure{4, "updated_from is no time."}
		}
		since = at
	}
	matches := func(arg, have string) bool {
		want, ok := args[arg].(string)
		return !ok || want == have
	}
	found := s.Floor.Orders(func(o depot.Order) bool {
		return matches("partner_order_id", o.Reference) && matches("order_number", o.Number) && !o.UpdatedAt.Before(since)
	})
	slices.SortStableFunc(found, func(a, b depot.Order) int { return b.CreatedAt.Compare(a.CreatedAt) })
	nodes := make([]object, 0, len(found))
	for _, o := range found {
		nodes = append(nodes, order(o))
	}
	return connection(root, vars, nodes), nil
}

// connection is the page of nodes that the field "data" asks for.
func connection(root *ast.Field, vars map[string]any, nodes []object) object {
	size, from := 100, 0
	for _, sel := range root.SelectionSet {
		if f, ok := sel.(*ast.Field); ok && f.Name == "data" {
			args := f.ArgumentMap(vars)
			size = first(args)
			if after, ok := args["after"].(string); ok {
				from, _ = strconv.Atoi(after)
			}
		}
	}
	from = min(max(from, 0), len(nodes))
	to := min(from+size, len(nodes))
	edges := []object{}
	for i, n := range nodes[from:to] {
		edges = append(edges, object{"node": n, "cursor": strconv.Itoa(from + i + 1)})
	}
	return object{"data": object{"edges": edges, "pageInfo": object{"hasNextPage": to < len(nodes), "endCursor": strconv.Itoa(to)}}}
}

func (s *Sim) shelves(root *ast.Field, vars map[string]any) (object, *failure) {
	var nodes []object
	for _, h := range s.Floor.Shelves() {
		nodes = append(nodes, object{"sku": h.SKU, "warehouse_id": h.Place, "on_hand": h.OnHand, "allocated": h.Allocated, "non_sellable_quantity": h.Damaged,
			"reserve_inventory": 0, "backorder": 0, "available": h.OnHand - h.Allocated - h.Damaged})
	}
	return connection(root, vars, nodes), nil
}

func (s *Sim) create(in map[string]any) (object, *failure) {
	text := func(m map[string]any, key string) string { v, _ := m[key].(string); return v }
	address, _ := in["shipping_address"].(map[string]any)
	for _, field := range []string{"address1", "city", "country"} {
		if text(address, field) == "" {
			return nil, &failure{4, "The shipping address has no " + field + "."}
		}
	}
	lines, _ := in["line_items"].([]any)
	o := depot.Order{Reference: text(in, "partner_order_id"), Number: text(in, "order_number")}
	for _, raw := range lines {
		l := raw.(map[string]any)
		o.Lines = append(o.Lines, depot.Line{Ref: text(l, "partner_line_item_id"), SKU: text(l, "sku"), Qty: int64(number(l["quantity"]))})
	}
	if o.Number == "" || len(o.Lines) == 0 || slices.ContainsFunc(o.Lines, func(l depot.Line) bool { return l.Qty < 1 || l.SKU == "" }) {
		return nil, &failure{4, "The order has no number or no lines."}
	}
	s.mu.Lock()
	s.creates++
	s.mu.Unlock()
	return object{"order": order(s.Floor.Place(o))}, nil
}

func (s *Sim) cancel(in map[string]any) (object, *failure) {
	found := s.Floor.Orders(func(o depot.Order) bool { return uuid("Order", o.ID) == in["order_id"] })
	if len(found) == 0 {
		return nil, &failure{3, fmt.Sprintf("There is no order %v.", in["order_id"])}
	}
	if !s.Floor.Cancel(found[0].ID) {
		return nil, &failure{4, "The order is fulfilled and cannot be canceled."}
	}
	o, _ := s.Floor.Get(found[0].ID)
	return object{"order": order(o)}, nil
}

var status = map[depot.Stage]string{depot.Shipped: "fulfilled", depot.Delivered: "fulfilled", depot.Cancelled: "canceled"}

func order(o depot.Order) object {
	edges := []object{}
	for _, l := range o.Lines {
		line := object{"sku": l.SKU, "quantity": l.Qty, "backorder_quantity": int64(0)}
		if o.Stage == depot.Short && slices.Contains(o.Lacks, l.SKU) {
			line["backorder_quantity"] = l.Qty
		}
		edges = append(edges, object{"node": line})
	}
	fulfilment := status[o.Stage]
	if fulfilment == "" {
		fulfilment = "pending"
	}
	shipments := []object{}
	for i, box := range o.Sent {
		inside := []object{}
		for _, l := range box.Lines {
			inside = append(inside, object{"node": object{"quantity": l.Qty, "line_item": object{"sku": l.SKU}}})
		}
		shipments = append(shipments, object{"id": uuid("Shipment", shipmentID(o, i)), "legacy_id": shipmentID(o, i), "created_date": box.At.Format("2006-01-02T15:04:05"),
			"shipping_labels": []object{{"tracking_number": box.Tracking, "tracking_url": "", "carrier": box.Carrier, "shipping_method": "Ground", "status": "valid"}},
			"line_items":      object{"edges": inside}})
	}
	return object{"id": uuid("Order", o.ID), "legacy_id": o.ID, "order_number": o.Number, "partner_order_id": o.Reference, "fulfillment_status": fulfilment,
		"order_date": o.CreatedAt.Format("2006-01-02T15:04:05"), "updated_at": o.UpdatedAt.Format("2006-01-02T15:04:05"),
		"holds":      object{"address_hold": o.Stage == depot.Held, "fraud_hold": false, "operator_hold": false, "payment_hold": false},
		"line_items": object{"edges": edges}, "shipments": shipments}
}
