package shopify

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
)

// maxPagesOfOne bounds the pages read of one order or one parcel: 5,000 lines, ten times what Shopify allows.
const maxPagesOfOne = 50

type moneyBag struct {
	Shop struct {
		Amount string `json:"amount"`
	} `json:"shopMoney"`
}

func (m *moneyBag) amount() string {
	if m == nil {
		return ""
	}
	return m.Shop.Amount
}

type gqlID struct {
	ID string `json:"id"`
}

// orderNode is an order as GraphQL answers it.
type orderNode struct {
	ID           string       `json:"id"`
	Name         string       `json:"name"`
	CreatedAt    time.Time    `json:"createdAt"`
	ProcessedAt  time.Time    `json:"processedAt"`
	UpdatedAt    time.Time    `json:"updatedAt"`
	CancelledAt  time.Time    `json:"cancelledAt"`
	CancelReason string       `json:"cancelReason"`
	Currency     string       `json:"currencyCode"`
	Financial    string       `json:"displayFinancialStatus"`
	Fulfilment   string       `json:"displayFulfillmentStatus"`
	Subtotal     *moneyBag    `json:"subtotalPriceSet"`
	Shipping     *moneyBag    `json:"totalShippingPriceSet"`
	Tax          *moneyBag    `json:"totalTaxSet"`
	Total        *moneyBag    `json:"totalPriceSet"`
	Parcels      []parcelNode `json:"fulfillments"`
	Goes         *struct {
		Country string `json:"countryCodeV2"`
		State   string `json:"provinceCode"`
	} `json:"shippingAddress"`
	Lines page[lineNode] `json:"lineItems"`
}

type parcelNode struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"`
	Display   string    `json:"displayStatus"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	Units     int64     `json:"totalQuantity"`
	Tracking  []struct {
		Company string `json:"company"`
		Number  string `json:"number"`
	} `json:"trackingInfo"`
}

// way is a parcel's part of view: its id, carrier and numbers.
func (p parcelNode) way() (out parcel) {
	out.ref = number(p.ID)
	for _, t := range p.Tracking {
		out.carrier = cmp.Or(out.carrier, t.Company)
		if t.Number != "" {
			out.numbers = append(out.numbers, t.Number)
		}
	}
	return out
}

type lineNode struct {
	ID          string    `json:"id"`
	SKU         string    `json:"sku"`
	Title       string    `json:"title"`
	Variant     string    `json:"variantTitle"`
	Quantity    int64     `json:"quantity"`
	Current     int64     `json:"currentQuantity"`
	Unfulfilled int64     `json:"unfulfilledQuantity"`
	VariantRef  *gqlID    `json:"variant"`
	ProductRef  *gqlID    `json:"product"`
	Price       *moneyBag `json:"originalUnitPriceSet"`
}

// counts reports whether a fulfilment stands: cancelled and failed ones do not.
func (p parcelNode) counts() bool {
	return p.Status == "SUCCESS" || p.Status == "OPEN" || p.Status == "PENDING"
}

// sent is how many units of a line are in fulfilments at the least. It is exact unless units were refunded after they
// were sent: a line then looks like one whose unsent units were taken off.
func (l lineNode) sent() int64 { return count(l.Current - l.Unfulfilled) }

// view converts; shipped gives the sent units of each line by its long id, nil where sent is exact.
func (o *orderNode) view(shipped map[string]int64) *view {
	v := &view{
		id: number(o.ID), name: o.Name, created: o.CreatedAt, processed: o.ProcessedAt, updated: o.UpdatedAt, canceled: o.CancelledAt,
		cancelReason: o.CancelReason, financial: o.Financial, fulfilment: o.Fulfilment, currency: o.Currency,
		subtotal: o.Subtotal.amount(), shipping: o.Shipping.amount(), tax: o.Tax.amount(), total: o.Total.amount(),
	}
	if o.Goes != nil {
		v.region = region(o.Goes.Country, o.Goes.State)
	}
	for _, p := range o.Parcels {
		if p.counts() {
			one := p.way()
			one.progress, one.created, one.updated = progressOf(p.Display), p.CreatedAt, p.UpdatedAt
			v.parcels = append(v.parcels, one)
		}
	}
	for _, l := range o.Lines.Nodes {
		sent := l.sent()
		if shipped != nil {
			sent = shipped[l.ID]
		}
		sent = min(sent, l.Quantity)
		s := soldLine{
			id: number(l.ID), sku: l.SKU, title: title(l.Title, l.Variant), price: l.Price.amount(),
			qty: l.Quantity, shipped: sent, cancelled: count(l.Quantity - sent - l.Unfulfilled),
		}
		if l.VariantRef != nil {
			s.variant = number(l.VariantRef.ID)
		}
		if l.ProductRef != nil {
			s.product = number(l.ProductRef.ID)
		}
		v.lines = append(v.lines, s)
	}
	return v
}

// guessSent fills shipped where the number of units in all parcels leaves only one answer. ok is false where the parcels
// must be read line by line.
func (o *orderNode) guessSent() (shipped map[string]int64, ok bool) {
	var least, all int64
	var doubtful []lineNode
	for _, l := range o.Lines.Nodes {
		least += l.sent()
		if l.Current < l.Quantity {
			doubtful = append(doubtful, l)
		}
	}
	for _, p := range o.Parcels {
		if p.counts() {
			all += p.Units
		}
	}
	switch {
	case all <= least || len(doubtful) == 0:
		return nil, true
	case len(doubtful) == 1:
		shipped = map[string]int64{}
		for _, l := range o.Lines.Nodes {
			shipped[l.ID] = l.sent()
		}
		shipped[doubtful[0].ID] += all - least
		return shipped, true
	}
	return nil, false
}

// complete reads what a page leaves out of an order, and makes the fact.
func (c *channel) complete(ctx context.Context, op driver.Operation, o *orderNode, readAt time.Time, patient bool) (order.Fact, error) {
	after := o.Lines.next()
	for i := 0; after != ""; i++ {
		if i == maxPagesOfOne {
			return order.Fact{}, &driver.Error{Class: driver.GiveUp, Op: op, Message: "order " + number(o.ID) + " has more lines than allowed"}
		}
		var data struct {
			Node *orderNode `json:"node"`
		}
		vars := map[string]any{"id": o.ID, "first": moreLines, "after": after}
		_, err := c.call(ctx, request{op: op, doc: docLines, size: moreLines, vars: vars, patient: patient}, &data)
		if err != nil {
			return order.Fact{}, err
		}
		if data.Node == nil || !data.Node.UpdatedAt.Equal(o.UpdatedAt) {
			// Changed between two pages: lines of two versions must not be mixed. The next reading has it whole.
			return order.Fact{}, &driver.Error{Class: driver.Retry, Op: op, Message: "order " + number(o.ID) + " changed while it was read"}
		}
		o.Lines.Nodes = append(o.Lines.Nodes, data.Node.Lines.Nodes...)
		after = data.Node.Lines.next()
	}
	shipped, ok := o.guessSent()
	if !ok {
		var err error
		if shipped, err = c.parcelLines(ctx, op, o, patient); err != nil {
			return order.Fact{}, err
		}
	}
	return o.view(shipped).fact(c.conn.ID, readAt), nil
}

// parcelLines counts the sent units of each line by reading every parcel.
func (c *channel) parcelLines(ctx context.Context, op driver.Operation, o *orderNode, patient bool) (map[string]int64, error) {
	type item struct {
		Quantity int64 `json:"quantity"`
		Line     gqlID `json:"lineItem"`
	}
	shipped := map[string]int64{}
	for _, p := range o.Parcels {
		if !p.counts() {
			continue
		}
		after := ""
		for range maxPagesOfOne {
			var data struct {
				Node *struct {
					Items page[item] `json:"fulfillmentLineItems"`
				} `json:"node"`
			}
			vars := map[string]any{"id": p.ID, "first": parcelLines, "after": cursor(after)}
			_, err := c.call(ctx, request{op: op, doc: docParcel, size: parcelLines, vars: vars, patient: patient}, &data)
			if err != nil {
				return nil, err
			}
			if data.Node == nil {
				break
			}
			for _, it := range data.Node.Items.Nodes {
				shipped[it.Line.ID] += it.Quantity
			}
			if after = data.Node.Items.next(); after == "" {
				break
			}
		}
	}
	return shipped, nil
}

// cursor is null for the first page.
func cursor(after string) *string {
	if after == "" {
		return nil
	}
	return &after
}

// orderSearch is Shopify's search text for orders changed at or after from, in any state.
func orderSearch(from time.Time) string {
	if from.IsZero() {
		return "status:any"
	}
	return "status:any updated_at:>='" + from.UTC().Format(time.RFC3339) + "'"
}

// Orders implements driver.Channel. Where the point budget does not let it complete every order of a page, it answers with
// those before: the next page begins with the first one left.
func (c *channel) Orders(ctx context.Context, q driver.OrderQuery) (driver.OrderPage, error) {
	if q.Known != nil {
		return c.ordersBeside(ctx, q)
	}
	first := q.Limit
	if first <= 0 || first > pageOrders {
		first = pageOrders
	}
	var data struct {
		Orders page[json.RawMessage] `json:"orders"`
	}
	vars := map[string]any{"first": first, "after": cursor(q.Cursor), "query": orderSearch(q.UpdatedFrom)}
	a, err := c.call(ctx, request{op: driver.OpOrders, doc: docOrders, size: first, vars: vars}, &data)
	if err != nil {
		return driver.OrderPage{}, err
	}
	out := driver.OrderPage{Next: data.Orders.next(), At: a.At, Orders: make([]order.Fact, 0, len(data.Orders.Edges))}
	done := 0
	for i, edge := range data.Orders.Edges {
		f, bad, err := c.readOrder(ctx, driver.OpOrders, edge.Node, c.readAt(a), done == 0)
		switch {
		case err != nil && done > 0 && driver.ClassOf(err) == driver.RetryAfter:
			out.Next = data.Orders.Edges[i-1].Cursor
			return out, nil
		case err != nil:
			return driver.OrderPage{}, err
		case bad != nil:
			out.Unreadable = append(out.Unreadable, *bad)
		default:
			out.Orders = append(out.Orders, f)
		}
		done++
	}
	return out, nil
}

// readOrder makes the fact of one order, or says why it cannot be made.
func (c *channel) readOrder(ctx context.Context, op driver.Operation, raw json.RawMessage, readAt time.Time, patient bool) (order.Fact, *driver.Unreadable, error) {
	var o orderNode
	if err := json.Unmarshal(raw, &o); err != nil {
		var named gqlID
		_ = json.Unmarshal(raw, &named) // the id may be readable where the rest is not
		return order.Fact{}, &driver.Unreadable{ID: number(named.ID), Why: "the answer does not have the form of an order"}, nil
	}
	f, err := c.complete(ctx, op, &o, readAt, patient)
	if err != nil {
		return f, nil, err
	}
	if _, err := f.Hash(); err != nil {
		return f, &driver.Unreadable{ID: number(o.ID), Why: errs.Safe(err)}, nil
	}
	return f, nil, nil
}

// OrdersByID implements driver.Channel.
func (c *channel) OrdersByID(ctx context.Context, ids []string) ([]order.Fact, error) {
	var out []order.Fact
	for part := range slices.Chunk(known("Order", ids), pageOrders) {
		nodes, a, err := c.nodes(ctx, driver.OpOrder, part, len(out) > 0)
		if err != nil {
			return out, err
		}
		for _, raw := range nodes {
			if missing(raw) {
				continue
			}
			f, bad, err := c.readOrder(ctx, driver.OpOrder, raw, c.readAt(a), true)
			if err == nil && bad != nil {
				err = &driver.Error{Class: driver.GiveUp, Op: driver.OpOrder, RequestID: a.RequestID, Message: "order " + bad.ID + ": " + bad.Why}
			}
			if err != nil {
				return out, err
			}
			out = append(out, f)
		}
	}
	return out, nil
}

// nodes asks for at most pageOrders orders in full by their global ids. Entry i of the answer is that of ids[i].
func (c *channel) nodes(ctx context.Context, op driver.Operation, ids []string, patient bool) ([]json.RawMessage, *driver.Answer, error) {
	var data struct {
		Nodes []json.RawMessage `json:"nodes"`
	}
	a, err := c.call(ctx, request{op: op, doc: docOrdersByID, size: len(ids), vars: map[string]any{"ids": ids}, patient: patient}, &data)
	if err != nil {
		return nil, a, err
	}
	if len(data.Nodes) != len(ids) {
		return nil, a, &driver.Error{Class: driver.Retry, Op: op, RequestID: a.RequestID, Message: "the answer has another number of orders than was asked for"}
	}
	return data.Nodes, a, nil
}

// missing says that there is no such order, or that the id is of something else.
func missing(raw json.RawMessage) bool { return string(raw) == "null" || string(raw) == "{}" }

// known makes global ids of the numbers among ids, each once. What is no number cannot exist at Shopify, and one such id would
// spoil the whole request.
func known(kind string, ids []string) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		if id = number(id); isNumber(id) && !slices.Contains(out, gid(kind, id)) {
			out = append(out, gid(kind, id))
		}
	}
	return out
}
