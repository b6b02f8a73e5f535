package tiktok

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// shipping reads of one order what shipping it needs. An order that does not exist is an error.
func (c *channel) shipping(ctx context.Context, op driver.Operation, orderID string) (*wireShipping, error) {
	if !digits(orderID) {
		return nil, unknownOrder(op)
	}
	data, _, err := call[wireShippings](ctx, c, op, getOrders, getOrders.path, url.Values{"ids": {orderID}}, nil)
	if err != nil {
		return nil, err
	}
	if len(data.Orders) != 1 || data.Orders[0].ID != orderID {
		return nil, unknownOrder(op)
	}
	return &data.Orders[0], nil
}

func unknownOrder(op driver.Operation) *driver.Error {
	return &driver.Error{Class: driver.GiveUp, Op: op, Code: codeNoOrder, Message: "the platform has no such order"}
}

// parcelOrders are the orders of a parcel with the line items of all.
type parcelOrders struct {
	wireShipping
	with []wireShipping
}

// takenOut is what to wait until a cancelled order is known to be, and taken out of its parcel.
const takenOut = time.Minute

// maxCombined orders share one package (facts, section 9.1).
const maxCombined = 20

// ordersOf reads the orders of a parcel. In the US a label is bought for one order, so no parcel holds several.
func (c *channel) ordersOf(ctx context.Context, op driver.Operation, p driver.Parcel) (*parcelOrders, error) {
	switch n := len(p.OrderIDs); {
	case n > 1 && c.region(p) == "US":
		return nil, &driver.Error{Class: driver.GiveUp, Op: op, Message: "in the US the platform sells labels for one order each: ship these orders apart"}
	case n == 0 || n > maxCombined:
		return nil, &driver.Error{Class: driver.GiveUp, Op: op, Message: "a parcel holds 1 to 20 orders of this platform"}
	case n == 1:
		o, err := c.shipping(ctx, op, p.OrderIDs[0])
		if err != nil {
			return nil, err
		}
		return &parcelOrders{wireShipping: *o}, nil
	}
	if slices.ContainsFunc(p.OrderIDs, func(id string) bool { return !digits(id) }) {
		return nil, unknownOrder(op)
	}
	data, _, err := call[wireShippings](ctx, c, op, getOrders, getOrders.path, url.Values{"ids": {strings.Join(p.OrderIDs, ",")}}, nil)
	if err != nil {
		return nil, err
	}
	out := &parcelOrders{}
	for i, id := range p.OrderIDs {
		at := slices.IndexFunc(data.Orders, func(o wireShipping) bool { return o.ID == id })
		switch {
		case at < 0:
			return nil, unknownOrder(op)
		case i == 0:
			out.wireShipping = data.Orders[at]
			out.LineItems = slices.Clone(out.LineItems)
		default:
			out.with = append(out.with, data.Orders[at])
			out.LineItems = append(out.LineItems, data.Orders[at].LineItems...)
		}
	}
	return out, nil
}

// may is wireShipping's, of each order. One of several that is cancelled will be taken out of the parcel: the others wait for that.
func (o *parcelOrders) may(op driver.Operation, platform bool) error {
	gone := func(w wireShipping) bool { return w.Status == "CANCELLED" }
	if len(o.with) > 0 && (gone(o.wireShipping) || slices.ContainsFunc(o.with, gone)) {
		return &driver.Error{Class: driver.RetryAfter, Op: op, Code: "21011041", Message: "one of the orders of this parcel is cancelled", After: takenOut}
	}
	if err := o.wireShipping.may(op, platform); err != nil {
		return err
	}
	for i := range o.with {
		if err := o.with[i].may(op, platform); err != nil {
			return err
		}
	}
	return nil
}

// may reports whether an order may be shipped now, in the words of the codes the platform would refuse it with. platform says on whose label.
func (o *wireShipping) may(op driver.Operation, platform bool) error {
	fail := func(class driver.Class, code int64, what string) error {
		return &driver.Error{Class: class, Op: op, Code: strconv.FormatInt(code, 10), Message: what, After: codes[code].after}
	}
	switch status := statusOf(o.Status, o.IsOnHoldOrder); {
	case o.FulfillmentType != "" && o.FulfillmentType != "FULFILLMENT_BY_SELLER":
		return fail(driver.GiveUp, 21008025, "the platform fulfils this order from its own warehouse")
	case status == statuses["CANCELLED"]:
		return fail(driver.GiveUp, 21011041, "the order is cancelled")
	case status == statuses["ON_HOLD"]:
		return fail(driver.RetryAfter, 21011044, held)
	case status == statuses["UNPAID"]:
		return &driver.Error{Class: driver.RetryAfter, Op: op, Message: "the order is not paid", After: askAgain}
	case o.IsBuyerCancel:
		return fail(driver.RetryAfter, 21011007, afterSales)
	case platform && o.ShippingType != "TIKTOK":
		return fail(driver.GiveUp, 21022026, "the seller ships this order: the platform sells no label for it")
	case !platform && o.ShippingType == "TIKTOK":
		return fail(driver.GiveUp, 21008025, "this order ships on a label of the platform, which knows the number itself")
	}
	return nil
}

// wanted are the line items of a parcel that are not cancelled: all of the order where it names none.
func (o *wireShipping) wanted(lines []driver.ParcelLine) (ids []string, whole bool) {
	var named []string
	for _, l := range lines {
		named = append(named, l.ExternalLineIDs...)
	}
	whole = true
	for i := range o.LineItems {
		l := &o.LineItems[i]
		switch {
		case l.DisplayStatus == "CANCELLED":
		case len(named) == 0 || slices.Contains(named, l.ID):
			ids = append(ids, l.ID)
		default:
			whole = false
		}
	}
	return ids, whole
}

// pack is a package of an order with the lines that are in it.
type pack struct {
	id, providerID, provider, tracking, status string
	lines                                      []string
	arranged                                   bool // its label is bought, or it is marked as shipped
	at                                         int64
}

// packs are the packages of an order, by id. Cancelled lines are not in any.
func (o *wireShipping) packs() []pack {
	var out []pack
	for i := range o.LineItems {
		l := &o.LineItems[i]
		if l.PackageID == "" || l.DisplayStatus == "CANCELLED" || l.PackageStatus == "CANCELLED" {
			continue
		}
		at := slices.IndexFunc(out, func(p pack) bool { return p.id == l.PackageID })
		if at < 0 {
			at = len(out)
			out = append(out, pack{id: l.PackageID, status: l.PackageStatus})
		}
		p := &out[at]
		p.lines = append(p.lines, l.ID)
		p.provider, p.providerID, p.tracking = cmp.Or(p.provider, l.Provider), cmp.Or(p.providerID, l.ProviderID), cmp.Or(p.tracking, l.Tracking)
		p.arranged = p.arranged || l.DisplayStatus != "AWAITING_SHIPMENT" && l.DisplayStatus != "UNPAID"
		p.at = max(p.at, l.RTSTime)
	}
	slices.SortFunc(out, func(a, b pack) int { return strings.Compare(a.id, b.id) })
	return out
}

// holding is the package that holds just these lines.
func (o *wireShipping) holding(lines []string) (pack, bool) {
	for _, p := range o.packs() {
		if len(lines) > 0 && len(p.lines) == len(lines) && !slices.ContainsFunc(p.lines, func(id string) bool { return !slices.Contains(lines, id) }) {
			return p, true
		}
	}
	return pack{}, false
}

// coded reports whether err is a refusal with one of the codes.
func coded(err error, any ...string) bool {
	e, ok := errors.AsType[*driver.Error](err)
	return ok && slices.Contains(any, e.Code)
}

// Codes that say it is done already: to be believed after reading only.
var doneAlready = []string{"21011006", "21011020", "21022025"}

func pathOf(e endpoint, name, id string) string { return strings.Replace(e.path, "{"+name+"}", id, 1) }
