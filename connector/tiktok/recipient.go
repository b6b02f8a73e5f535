package tiktok

import (
	"cmp"
	"context"
	"net/url"
	"strings"

	"github.com/spillway/spillway/connector/driver"
)

// Recipient implements driver.Recipients. Addresses are whole for orders that the seller ships; on the platform's own labels, in its own warehouse and
// before and after an order's time they are masked, and nothing is made of that.
func (c *channel) Recipient(ctx context.Context, orderID string) (driver.Address, error) {
	var none driver.Address
	refuse := func(what string) (driver.Address, error) {
		return none, &driver.Error{Class: driver.GiveUp, Op: driver.OpOrder, Message: what}
	}
	if !digits(orderID) {
		return none, unknownOrder(driver.OpOrder)
	}
	data, _, err := call[wireAddresses](ctx, c, driver.OpOrder, getOrders, getOrders.path, url.Values{"ids": {orderID}}, nil)
	if err != nil {
		return none, err
	}
	if len(data.Orders) != 1 {
		return none, unknownOrder(driver.OpOrder)
	}
	o := &data.Orders[0]
	switch {
	case statusOf(o.Status, o.IsOnHoldOrder) == statuses["ON_HOLD"]:
		return none, &driver.Error{Class: driver.RetryAfter, Op: driver.OpOrder, Message: held, After: askAgain}
	case o.FulfillmentType != "" && o.FulfillmentType != "FULFILLMENT_BY_SELLER":
		return refuse("the platform fulfils this order itself and masks its address")
	case o.Recipient == nil:
		return refuse("the platform tells no address of this order")
	}
	a := o.address()
	for _, part := range []string{a.Name, a.Line1, a.City, a.Post} {
		if strings.Contains(part, "*") {
			if o.ShippingType == "TIKTOK" {
				return refuse("the address is masked: this order ships on a label of the platform")
			}
			return refuse("the address is masked: the order is unpaid, cancelled or long completed")
		}
	}
	if a.Line1 == "" || a.Country == "" {
		return refuse("the address has no street or no country")
	}
	if strings.Contains(a.Phone, "*") {
		a.Phone = ""
	}
	return a, nil
}

// address reads the parts. The city is the platform's third level, or the post town where there is one.
func (o *wireAddress) address() driver.Address {
	r := o.Recipient
	a := driver.Address{Name: strings.TrimSpace(r.Name), Phone: r.Phone, Line1: cmp.Or(r.Line1, r.Detail), Post: r.Postal, Country: r.Region, City: r.PostTown, Residential: true}
	var rest []string
	for _, l := range []string{r.Line2, r.Line3, r.Line4} {
		if l != "" {
			rest = append(rest, l)
		}
	}
	a.Line2 = strings.Join(rest, ", ")
	for _, d := range r.Districts {
		switch d.Level {
		case "L1":
			a.State = d.Name
		case "L2":
			a.City = cmp.Or(a.City, d.Name)
		case "L3":
			if r.PostTown == "" {
				a.City = d.Name
			}
		}
	}
	if code, ok := usStates[strings.ToLower(a.State)]; ok && a.Country == "US" {
		a.State = strings.TrimPrefix(code, "US-")
	}
	return a
}
