package shopify

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// shipNode is of an order what telling of its parcels needs.
type shipNode struct {
	ID        string          `json:"id"`
	Cancelled time.Time       `json:"cancelledAt"`
	Parcels   []sentNode      `json:"fulfillments"`
	Places    page[placeNode] `json:"fulfillmentOrders"`
}

type sentNode struct {
	parcelNode
	Items page[sentItem] `json:"fulfillmentLineItems"`
}

type sentItem struct {
	Quantity int64 `json:"quantity"`
	Line     gqlID `json:"lineItem"`
}

// placeNode is what one place has to send of an order.
type placeNode struct {
	ID      string `json:"id"`
	Status  string `json:"status"`
	Actions []struct {
		Action string `json:"action"`
	} `json:"supportedActions"`
	Assigned struct {
		Location *gqlID `json:"location"`
	} `json:"assignedLocation"`
	Items page[placeItem] `json:"lineItems"`
}

type placeItem struct {
	ID        string `json:"id"`
	Remaining int64  `json:"remainingQuantity"`
	Line      gqlID  `json:"lineItem"`
}

// open reports whether units of a place can be sent now.
func (p *placeNode) open() bool {
	for _, a := range p.Actions {
		if a.Action == "CREATE_FULFILLMENT" {
			return true
		}
	}
	return false
}

// waits reports whether somebody or something else must come first.
func (p *placeNode) waits() bool { return p.Status == "ON_HOLD" || p.Status == "SCHEDULED" }

func (p *placeNode) location() string {
	if p.Assigned.Location == nil {
		return ""
	}
	return p.Assigned.Location.ID
}

// shipping reads an order's parcels and what is left of it, whole. An order that does not exist is an error.
func (c *channel) shipping(ctx context.Context, orderID string) (*shipNode, error) {
	ids := known("Order", []string{orderID})
	if len(ids) == 0 {
		return nil, unknownOrder()
	}
	var out *shipNode
	after := ""
	for range maxPagesOfOne {
		var data struct {
			Node json.RawMessage `json:"node"`
		}
		vars := map[string]any{"id": ids[0], "after": cursor(after)}
		a, err := c.call(ctx, request{op: driver.OpTell, doc: docShipping, vars: vars, patient: out != nil}, &data)
		if err != nil {
			return nil, err
		}
		if missing(data.Node) {
			return nil, unknownOrder()
		}
		var part shipNode
		if err := json.Unmarshal(data.Node, &part); err != nil {
			return nil, &driver.Error{Class: driver.Retry, Op: driver.OpTell, RequestID: a.RequestID, Message: "the answer does not have the form of an order"}
		}
		if out == nil {
			out = &part
		} else {
			out.Places.Nodes = append(out.Places.Nodes, part.Places.Nodes...)
		}
		if after = part.Places.next(); after == "" {
			break
		}
	}
	return out, c.rest(ctx, out)
}

// rest reads the lines that a page leaves out.
func (c *channel) rest(ctx context.Context, o *shipNode) error {
	for i := range o.Parcels {
		if err := more(ctx, c, docParcel, parcelLines, o.Parcels[i].ID, "fulfillmentLineItems", &o.Parcels[i].Items); err != nil {
			return err
		}
	}
	for i := range o.Places.Nodes {
		if err := more(ctx, c, docPlaced, morePlaced, o.Places.Nodes[i].ID, "lineItems", &o.Places.Nodes[i].Items); err != nil {
			return err
		}
	}
	return nil
}

// more follows a connection of one object to its end.
func more[T any](ctx context.Context, c *channel, doc document, size int, id, field string, list *page[T]) error {
	after := list.next()
	for i := 0; after != "" && i < maxPagesOfOne; i++ {
		var data struct {
			Node map[string]json.RawMessage `json:"node"`
		}
		vars := map[string]any{"id": id, "first": size, "after": after}
		if _, err := c.call(ctx, request{op: driver.OpTell, doc: doc, size: size, vars: vars, patient: true}, &data); err != nil {
			return err
		}
		var part page[T]
		if err := json.Unmarshal(data.Node[field], &part); err != nil {
			return &driver.Error{Class: driver.Retry, Op: driver.OpTell, Message: "the answer does not have the form of a list of lines"}
		}
		list.Nodes = append(list.Nodes, part.Nodes...)
		after = part.next()
	}
	return nil
}

func unknownOrder() *driver.Error {
	return &driver.Error{Class: driver.GiveUp, Op: driver.OpTell, Message: "the shop has no such order"}
}

// wanted is how many units of each line a parcel holds, by the line's long id: all that is left where it names none.
func (o *shipNode) wanted(d driver.Dispatch) (units map[string]int64, all bool) {
	units = map[string]int64{}
	for _, l := range d.Lines {
		for _, id := range l.ExternalLineIDs[:min(len(l.ExternalLineIDs), 1)] { // a line is one here, whatever its quantity
			units[gid("LineItem", number(id))] += l.Qty
		}
	}
	return units, len(units) == 0
}

// under are the parcels that stand under a number.
func (o *shipNode) under(tracking string) []sentNode {
	var out []sentNode
	for _, p := range o.Parcels {
		if p.counts() && slices.Contains(p.way().numbers, tracking) {
			out = append(out, p)
		}
	}
	return out
}

// lines are the numbers of the lines of a parcel.
func (p *sentNode) lines() []string {
	var out []string
	for _, it := range p.Items.Nodes {
		out = append(out, number(it.Line.ID))
	}
	return out
}

// just reports whether a parcel holds these units and no other.
func (p *sentNode) just(units map[string]int64) bool {
	have := map[string]int64{}
	for _, it := range p.Items.Nodes {
		have[it.Line.ID] += it.Quantity
	}
	if len(have) != len(units) {
		return false
	}
	for id, n := range units {
		if have[id] != n {
			return false
		}
	}
	return true
}
