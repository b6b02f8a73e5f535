package tiktok

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

// Orders implements driver.Channel. The search answers whole orders, so that a page costs one request.
func (c *channel) Orders(ctx context.Context, q driver.OrderQuery) (driver.OrderPage, error) {
	query := url.Values{
		"page_size": {strconv.Itoa(min(max(q.Limit, 1), maxOrderPage))}, "page_token": {q.Cursor},
		"sort_field": {"update_time"}, "sort_order": {"ASC"},
	}
	var body wireOrderSearch
	if !q.UpdatedFrom.IsZero() {
		body.UpdateTimeGE = q.UpdatedFrom.Unix() // rounded down: the bound is included, and a second read twice does no harm
	}
	data, a, err := call[wireOrders](ctx, c, driver.OpOrders, searchOrders, searchOrders.path, query, body)
	if err != nil {
		return driver.OrderPage{}, err
	}
	page := c.page(data, a, q.Known)
	page.Next = data.NextPageToken
	return page, nil
}

// OrdersByID implements driver.Channel.
func (c *channel) OrdersByID(ctx context.Context, ids []string) ([]order.Fact, error) {
	asked := make([]string, 0, len(ids))
	seen := map[string]bool{}
	for _, id := range ids {
		if digits(id) && !seen[id] { // an id of another form is nobody's order
			seen[id] = true
			asked = append(asked, id)
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	return c.byID(ctx, asked)
}

// byID reads orders. The platform refuses the whole call for one id it does not know: then each half is asked for.
func (c *channel) byID(ctx context.Context, ids []string) ([]order.Fact, error) {
	data, a, err := call[wireOrders](ctx, c, driver.OpOrder, getOrders, getOrders.path, url.Values{"ids": {strings.Join(ids, ",")}}, nil)
	if e, ok := errors.AsType[*driver.Error](err); ok && e.Code == codeNoOrder {
		if len(ids) == 1 {
			return nil, nil
		}
		first, err := c.byID(ctx, ids[:len(ids)/2])
		if err != nil {
			return nil, err
		}
		second, err := c.byID(ctx, ids[len(ids)/2:])
		return append(first, second...), err
	}
	if err != nil {
		return nil, err
	}
	page := c.page(data, a, nil)
	if len(page.Unreadable) > 0 {
		u := page.Unreadable[0]
		return page.Orders, &driver.Error{Class: driver.GiveUp, Op: driver.OpOrder, RequestID: a.RequestID, Message: "order " + u.ID + ": " + u.Why}
	}
	return page.Orders, nil
}

// page reads the orders of an answer. Left out are those whose very bytes say what the caller has taken in.
func (c *channel) page(data wireOrders, a *driver.Answer, known func(string) (driver.Seen, bool)) driver.OrderPage {
	page := driver.OrderPage{At: a.At, Orders: make([]order.Fact, 0, len(data.Orders))}
	read := a.At
	if read.IsZero() {
		read = c.api.stamp()
	}
	for _, raw := range data.Orders {
		if was, ok := c.listed.known(raw, known); ok {
			page.ChangedTo = later(page.ChangedTo, was.UpdatedAt)
			continue
		}
		var o wireOrder
		if err := json.Unmarshal(raw, &o); err != nil {
			page.Unreadable = append(page.Unreadable, driver.Unreadable{ID: o.ID, Why: shape(err).Error()})
			continue
		}
		if o.ID == "" || o.UpdateTime <= 0 {
			page.Unreadable = append(page.Unreadable, driver.Unreadable{ID: o.ID, Why: "it has no id or no update time"})
			continue
		}
		f := c.fact(&o, read)
		if known != nil {
			c.listed.add(raw, f)
		}
		page.Orders = append(page.Orders, f)
		page.ChangedTo = later(page.ChangedTo, f.UpdatedAt)
	}
	return page
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// at turns the platform's Unix seconds into a time; 0 is none.
func at(seconds int64) time.Time {
	if seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
