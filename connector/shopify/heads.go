package shopify

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

// settled is how long after an order's change it must have been read for that reading to hold every change of the same second:
// the second itself, and two more for an answer that was long on its way and for clocks that differ.
const settled = 3 * time.Second

// headNode is an order as the cheap listing shows it.
type headNode struct {
	ID          string    `json:"id"`
	UpdatedAt   time.Time `json:"updatedAt"`
	CancelledAt time.Time `json:"cancelledAt"`
	Financial   string    `json:"displayFinancialStatus"`
	Fulfilment  string    `json:"displayFulfillmentStatus"`
	Edited      bool      `json:"edited"`                           // lines or units were added or taken off by an order edit
	Ordered     int64     `json:"subtotalLineItemsQuantity"`        // units that count for the subtotal; tips and gift cards do not
	Current     int64     `json:"currentSubtotalLineItemsQuantity"` // of them, neither taken off nor returned
}

// old reports whether the order surely has nothing new for stock beside what is known. Shopify's times have whole seconds, so
// an order can change after it was seen and bear the same time. Only what was read when the second was well over is sure by
// itself; else the words and the counts must leave no room for a change.
func (h headNode) old(seen driver.Seen) bool {
	switch {
	case h.UpdatedAt.Before(seen.UpdatedAt):
		return true // the listing lags behind a webhook
	case !h.UpdatedAt.Equal(seen.UpdatedAt) || statusText(h.Financial, h.Fulfilment) != seen.StatusText:
		return false
	case !h.CancelledAt.IsZero():
		return seen.Status == order.Cancelled
	}
	removed := h.Ordered - h.Current
	if !seen.ReadAt.Before(seen.UpdatedAt.Add(settled)) {
		return removed >= seen.Cancelled && removed <= seen.Cancelled+seen.Shipped // sent units may have come back
	}
	switch {
	case h.Edited:
		return false // a unit taken off and another one put on would not show
	case h.Fulfilment == "PARTIALLY_FULFILLED":
		return false // nor would another parcel
	case seen.Status == order.AwaitingCollection:
		return false // nor would the carrier's first scan
	}
	return h.Ordered == seen.Ordered && removed == seen.Cancelled
}

// ordersBeside lists a page by heads, and reads in full only the orders that may have news beside what is known. Where the point
// budget does not last, the page ends before the first order it could not read: the next page begins with that one.
func (c *channel) ordersBeside(ctx context.Context, q driver.OrderQuery) (driver.OrderPage, error) {
	first := q.Limit
	if first <= 0 || first > pageHeads {
		first = pageHeads
	}
	var data struct {
		Orders page[json.RawMessage] `json:"orders"`
	}
	vars := map[string]any{"first": first, "after": cursor(q.Cursor), "query": orderSearch(q.UpdatedFrom)}
	a, err := c.call(ctx, request{op: driver.OpOrders, doc: docOrderHeads, size: first, vars: vars}, &data)
	if err != nil {
		return driver.OrderPage{}, err
	}
	edges := data.Orders.Edges
	out := driver.OrderPage{Next: data.Orders.next(), At: a.At}
	heads := make([]headNode, len(edges))
	var news []listed
	for i, edge := range edges {
		h := &heads[i]
		bad := json.Unmarshal(edge.Node, h) != nil // what could be read of it stands
		h.ID = number(h.ID)
		if seen, known := q.Known(h.ID); isNumber(h.ID) && (bad || !known || !h.old(seen)) {
			news = append(news, listed{i, gid("Order", h.ID)})
		}
	}
	end, err := c.readListed(ctx, news, &out)
	if err != nil {
		return driver.OrderPage{}, err
	}
	if end >= 0 {
		heads, out.Next = heads[:end], edges[end-1].Cursor
	}
	for _, h := range heads {
		if !isNumber(h.ID) {
			out.Unreadable = append(out.Unreadable, driver.Unreadable{Why: "the answer does not have the form of an order"})
		}
		if h.UpdatedAt.After(out.ChangedTo) {
			out.ChangedTo = h.UpdatedAt.UTC()
		}
	}
	return out, nil
}

// listed is an order of a page of heads: its place there and its global id.
type listed struct {
	at int
	id string
}

// readListed reads orders in full and adds them to the page. end is the place of the first one for which the budget did not last,
// -1 where it did. The first request waits for its points, so that every page gets ahead.
func (c *channel) readListed(ctx context.Context, news []listed, out *driver.OrderPage) (end int, err error) {
	done := 0
	short := func(at int, err error) (int, error) {
		if at > 0 && driver.ClassOf(err) == driver.RetryAfter {
			return at, nil
		}
		return -1, err
	}
	for part := range slices.Chunk(news, pageOrders) {
		ids := make([]string, len(part))
		for i, l := range part {
			ids[i] = l.id
		}
		nodes, a, err := c.nodes(ctx, driver.OpOrders, ids, done == 0)
		if err != nil {
			return short(part[0].at, err)
		}
		for i, raw := range nodes {
			if missing(raw) { // deleted since, or one of Shopify's copies is behind: it must not pass unseen
				out.Unreadable = append(out.Unreadable, driver.Unreadable{ID: number(part[i].id), Why: "the order is listed and cannot be found by its number"})
				done++
				continue
			}
			f, bad, err := c.readOrder(ctx, driver.OpOrders, raw, c.readAt(a), done == 0)
			switch {
			case err != nil:
				return short(part[i].at, err)
			case bad != nil:
				out.Unreadable = append(out.Unreadable, *bad)
			default:
				out.Orders = append(out.Orders, f)
			}
			done++
		}
	}
	return -1, nil
}
