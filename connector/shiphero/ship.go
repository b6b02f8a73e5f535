package shiphero

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// Quote implements driver.Shipper. The warehouse's own rules choose carrier and service.
func (s *shipper) Quote(context.Context, driver.Parcel) ([]driver.Quote, error) {
	return []driver.Quote{{ID: "warehouse", Service: "the warehouse's choice", ByPlatform: true}}, nil
}

// Book implements driver.Shipper. ShipHero would take the same order twice, so it is looked for first.
func (s *shipper) Book(ctx context.Context, b driver.Booking) (driver.Booked, error) {
	there, found, err := s.Find(ctx, b)
	if err != nil {
		return driver.Booked{}, driver.BeforeCall(err)
	}
	if found {
		return there, nil
	}
	var out struct {
		Create struct {
			Order *wireOrder `json:"order"`
		} `json:"order_create"`
	}
	if _, err := s.call(ctx, driver.OpBook, createOrder, map[string]any{"data": s.order(b)}, &out); err != nil {
		return driver.Booked{}, err
	}
	if out.Create.Order == nil || out.Create.Order.ID == "" {
		return driver.Booked{}, &driver.Error{Class: driver.Retry, Op: driver.OpBook, Applied: true, Message: "the answer names no order"}
	}
	return out.Create.Order.booked(b.ID), nil
}

// order is a booking as ShipHero takes it.
func (s *shipper) order(b driver.Booking) map[string]any {
	p, to := b.Parcel, b.Parcel.To
	first, last, _ := strings.Cut(to.Name, " ")
	lines := make([]map[string]any, 0, len(p.Lines))
	for i, l := range p.Lines {
		title := l.Title
		if title == "" {
			title = l.SKU
		}
		line := map[string]any{"sku": l.SKU, "quantity": l.Qty, "price": decimal(l.Value.Minor), "product_name": title, "partner_line_item_id": fmt.Sprintf("%s-%d", b.ID, i+1)}
		if s.warehouse != "" {
			line["warehouse_id"] = s.warehouse
		}
		lines = append(lines, line)
	}
	return map[string]any{
		"order_number": number(b), "partner_order_id": b.ID, "shop_name": s.shop, "email": to.Email, "line_items": lines,
		"shipping_lines": map[string]any{"title": "Shipping", "price": "0.00"},
		"shipping_address": map[string]any{"first_name": first, "last_name": last, "company": to.Company, "address1": to.Line1, "address2": to.Line2,
			"city": to.City, "state": to.State, "zip": to.Post, "country": to.Country, "email": to.Email, "phone": to.Phone},
	}
}

// number is the order's number for people, which must differ between two parcels of one order.
func number(b driver.Booking) string {
	return b.Parcel.Number + "-" + b.ID[max(0, len(b.ID)-8):]
}

// decimal writes an amount of hundredths. Prices are for customs and papers; nothing is charged by them.
func decimal(minor int64) string { return fmt.Sprintf("%d.%02d", minor/100, max(0, minor%100)) }

// Find implements driver.Shipper. Of several orders under one reference, which a person may have made, one that stands is preferred. Every order that is
// handed over is looked for and next to none is there: only that one is read.
func (s *shipper) Find(ctx context.Context, b driver.Booking) (driver.Booked, bool, error) {
	var out struct {
		Orders struct {
			Data edges[wireOrder] `json:"data"`
		} `json:"orders"`
	}
	if _, err := s.call(ctx, driver.OpFind, findOrder, map[string]any{"ref": b.ID}, &out); err != nil {
		return driver.Booked{}, false, err
	}
	var best *wireOrder
	for i := range out.Orders.Data.Edges {
		if o := &out.Orders.Data.Edges[i].Node; o.Reference == b.ID && (best == nil || best.cancelled() && !o.cancelled()) {
			best = o
		}
	}
	if best == nil {
		return driver.Booked{}, false, nil
	}
	o, err := s.read(ctx, driver.OpFind, best.ID)
	if err != nil {
		return driver.Booked{}, false, err
	}
	return o.booked(b.ID), true, nil
}

// Document implements driver.Shipper: there is none to fetch.
func (s *shipper) Document(context.Context, driver.Booked, driver.DocumentKind, string) (driver.Document, error) {
	return driver.Document{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpDocument, Message: "the warehouse prints its labels and slips itself: there is nothing to print here"}
}

// Void implements driver.Shipper: the order is cancelled unless it has left; of one that left in part, the rest is. Where ShipHero refuses, what it has of the order is the answer.
func (s *shipper) Void(ctx context.Context, b driver.Booked) (driver.Voided, error) {
	var out struct{}
	_, err := s.call(ctx, driver.OpVoid, cancelOrder, map[string]any{"data": map[string]any{"order_id": b.Ref, "reason": "cancelled by the seller"}}, &out)
	if e, ok := errors.AsType[*driver.Error](err); err != nil && !(ok && e.Class == driver.GiveUp) {
		return "", err
	}
	refused := err
	o, err := s.read(ctx, driver.OpVoid, b.Ref)
	switch {
	case err != nil:
		return "", err
	case o.cancelled() || b.Rest && o.closedShort() && len(o.Lines.Edges) < lineMost:
		return driver.VoidDone, nil
	case o.left() || refused != nil:
		return driver.VoidRefused, nil
	}
	return driver.VoidAsked, nil
}

// Parcels implements driver.Follower. A change never takes an order off the list, so one that changes between two pages is told twice at worst.
func (s *shipper) Parcels(ctx context.Context, since time.Time, cursor string) (driver.ParcelPage, error) {
	vars := map[string]any{"n": orderPage, "lines": lineFew}
	if !since.IsZero() {
		vars["since"] = since.UTC().Truncate(time.Second).Format(time.RFC3339) // their times have whole seconds
	}
	if cursor != "" {
		vars["after"] = cursor
	}
	var out struct {
		Orders struct {
			Data edges[wireOrder] `json:"data"`
		} `json:"orders"`
	}
	a, err := s.call(ctx, driver.OpParcels, followOrder, vars, &out)
	if err != nil {
		return driver.ParcelPage{}, err
	}
	page := driver.ParcelPage{Next: out.Orders.Data.next(), At: a.At}
	for _, e := range out.Orders.Data.Edges {
		if e.Node.Reference != "" { // made by somebody else, in the same account
			page.News = append(page.News, e.Node.news(lineFew)...)
		}
	}
	return page, nil
}

// Look implements driver.Looker: one order costs an eighth of a page.
func (s *shipper) Look(ctx context.Context, b driver.Booked) ([]driver.ParcelNews, error) {
	o, err := s.read(ctx, driver.OpLook, b.Ref)
	if err != nil {
		return nil, err
	}
	if o.Reference != b.ID {
		return nil, &driver.Error{Class: driver.GiveUp, Op: driver.OpLook, Message: "ShipHero has another order under this id"}
	}
	return o.news(lineMost + 1), nil // of an order with more lines still, what is known is told
}

// read reads one order by ShipHero's id.
func (s *shipper) read(ctx context.Context, op driver.Operation, id string) (*wireOrder, error) {
	var out struct {
		Order struct {
			Data *wireOrder `json:"data"`
		} `json:"order"`
	}
	if _, err := s.call(ctx, op, readOrder, map[string]any{"id": id, "lines": lineMost}, &out); err != nil {
		return nil, err
	}
	if out.Order.Data == nil {
		return nil, &driver.Error{Class: driver.GiveUp, Op: op, Message: "ShipHero knows no such order"}
	}
	return out.Order.Data, nil
}

// Stock implements driver.StockKeeper. Blocked is what must not be sold, and what the warehouse keeps back.
func (s *shipper) Stock(ctx context.Context, cursor string) (driver.KeptPage, error) {
	vars := map[string]any{"n": shelfPage}
	if s.warehouse != "" {
		vars["warehouse"] = s.warehouse
	}
	if cursor != "" {
		vars["after"] = cursor
	}
	var out struct {
		Products struct {
			Data edges[struct {
				SKU        string `json:"sku"`
				Warehouse  string `json:"warehouse_id"`
				OnHand     int64  `json:"on_hand"`
				Allocated  int64  `json:"allocated"`
				Reserve    int64  `json:"reserve_inventory"`
				Unsellable int64  `json:"non_sellable_quantity"`
			}] `json:"data"`
		} `json:"warehouse_products"`
	}
	a, err := s.call(ctx, driver.OpQuantities, readStock, vars, &out)
	if err != nil {
		return driver.KeptPage{}, err
	}
	page := driver.KeptPage{Next: out.Products.Data.next()}
	for _, e := range out.Products.Data.Edges {
		n := e.Node
		page.Items = append(page.Items, driver.Kept{SKU: n.SKU, LocationID: n.Warehouse, OnHand: n.OnHand, Reserved: n.Allocated, Blocked: n.Reserve + n.Unsellable, At: a.At})
	}
	return page, nil
}
