package shopify

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spillway/spillway/connector/driver"
)

var (
	_ driver.Dispatcher = (*channel)(nil)
	_ driver.Recipients = (*channel)(nil)
)

// holdWait is how long an order on hold is left alone: a person lifts the hold, or a date does.
const holdWait = 10 * time.Minute

// addressDenied is what a person must do where Shopify keeps the address back.
const addressDenied = "Shopify does not tell this app where orders go: grant it read_orders, and in the Partner Dashboard access to protected customer data with name, address and phone"

// Tell implements driver.Dispatcher: it makes the fulfilments that are missing under the number, at each place the units are sent from.
func (c *channel) Tell(ctx context.Context, d driver.Dispatch) (driver.Told, error) {
	o, err := c.shipping(ctx, d.OrderID)
	if err != nil {
		return driver.Told{}, driver.BeforeCall(err)
	}
	units, all := o.wanted(d)
	told := o.under(d.Tracking)
	for _, p := range told {
		for _, it := range p.Items.Nodes {
			if units[it.Line.ID] -= it.Quantity; units[it.Line.ID] <= 0 {
				delete(units, it.Line.ID)
			}
		}
	}
	if len(told) > 0 && (all || len(units) == 0) {
		return tellOf(told[0], d.Tracking), nil
	}
	if !o.Cancelled.IsZero() {
		return driver.Told{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpTell, Message: "the order is cancelled"}
	}
	places, err := o.take(units, all)
	if err != nil {
		for i := range o.Parcels { // just these were marked as sent by somebody: under which number is the caller's to correct
			if p := &o.Parcels[i]; p.counts() && !all && p.just(units) {
				return tellOf(*p, ""), nil
			}
		}
		return driver.Told{}, err
	}
	tracking := wireTracking{Company: company(d.Carrier), Number: d.Tracking, URL: d.URL}
	var first string
	for _, place := range places {
		id, err := c.fulfil(ctx, place, tracking)
		if err != nil {
			return driver.Told{}, err
		}
		first = cmp.Or(first, id)
	}
	if len(told) > 0 {
		first = told[0].ID
	}
	return driver.Told{PackageID: number(first), Tracking: d.Tracking, Provider: tracking.Company, Lines: d.ExternalLineIDs, Corrections: -1, At: c.now()}, nil
}

// wireTracking is Shopify's FulfillmentTrackingInput.
type wireTracking struct {
	Company string `json:"company,omitempty"`
	Number  string `json:"number"`
	URL     string `json:"url,omitempty"`
}

// wireTake is what is taken of one fulfilment order.
type wireTake struct {
	ID    string     `json:"fulfillmentOrderId"`
	Items []wireItem `json:"fulfillmentOrderLineItems"`
}

type wireItem struct {
	ID       string `json:"id"`
	Quantity int64  `json:"quantity"`
}

// take finds wanted units among what is left, by the place they are sent from. Everything wanted must be there: one place that has it all goes first.
func (o *shipNode) take(units map[string]int64, all bool) ([][]wireTake, error) {
	var at []string
	for i := range o.Places.Nodes {
		if l := o.Places.Nodes[i].location(); o.Places.Nodes[i].open() && !slices.Contains(at, l) {
			at = append(at, l)
		}
	}
	for _, location := range at {
		if got, left := o.takeAt([]string{location}, units, all); !all && len(left) == 0 {
			return got, nil
		}
	}
	got, left := o.takeAt(at, units, all)
	if len(got) > 0 && len(left) == 0 {
		return got, nil
	}
	for i := range o.Places.Nodes {
		if o.Places.Nodes[i].waits() {
			return nil, &driver.Error{Class: driver.RetryAfter, Op: driver.OpTell, After: holdWait, Message: "the order is on hold or scheduled: nothing is sent before that is over"}
		}
	}
	if len(o.Places.Nodes) == 0 {
		return nil, &driver.Error{Class: driver.AskHuman, Op: driver.OpTell,
			Message: "Shopify shows this app nothing to send: grant it read_merchant_managed_fulfillment_orders and write_merchant_managed_fulfillment_orders"}
	}
	return nil, &driver.Error{Class: driver.GiveUp, Op: driver.OpTell, Message: "these units are not left to be sent: somebody has sent, moved or cancelled them"}
}

// takeAt takes from some places, and returns what is missing then.
func (o *shipNode) takeAt(locations []string, units map[string]int64, all bool) (out [][]wireTake, left map[string]int64) {
	left = map[string]int64{}
	for id, n := range units {
		left[id] = n
	}
	for _, location := range locations {
		var here []wireTake
		for i := range o.Places.Nodes {
			place := &o.Places.Nodes[i]
			if !place.open() || place.location() != location {
				continue
			}
			t := wireTake{ID: place.ID}
			for _, it := range place.Items.Nodes {
				n := it.Remaining
				if !all {
					n = min(n, left[it.Line.ID])
				}
				if n <= 0 {
					continue
				}
				t.Items = append(t.Items, wireItem{it.ID, n})
				if left[it.Line.ID] -= n; left[it.Line.ID] <= 0 {
					delete(left, it.Line.ID)
				}
			}
			if len(t.Items) > 0 {
				here = append(here, t)
			}
		}
		if len(here) > 0 {
			out = append(out, here)
		}
	}
	return out, left
}

// fulfil makes one fulfilment and returns its long id.
func (c *channel) fulfil(ctx context.Context, from []wireTake, tracking wireTracking) (string, error) {
	var data struct {
		Made written `json:"fulfillmentCreate"`
	}
	in := map[string]any{"lineItemsByFulfillmentOrder": from, "notifyCustomer": c.notify(), "trackingInfo": tracking}
	a, err := c.call(ctx, request{op: driver.OpTell, doc: docFulfil, vars: map[string]any{"in": in}, patient: true}, &data)
	if err != nil {
		return "", err
	}
	return data.Made.id(a)
}

// written is what both mutations answer.
type written struct {
	Fulfilment *gqlID      `json:"fulfillment"`
	Errors     []userError `json:"userErrors"`
}

func (w written) id(a *driver.Answer) (string, error) {
	switch {
	case len(w.Errors) > 0:
		return "", w.Errors[0].fail(driver.OpTell, a)
	case w.Fulfilment == nil:
		return "", &driver.Error{Class: driver.Retry, Op: driver.OpTell, Status: a.Status, RequestID: a.RequestID, Applied: true, Message: "the answer names no fulfilment"}
	}
	return w.Fulfilment.ID, nil
}

func (c *channel) notify() bool {
	return !strings.EqualFold(strings.TrimSpace(c.conn.Settings[SettingNotify]), "no")
}

// tellOf is a parcel in our words. A number can be changed any time, and nobody counts.
func tellOf(p sentNode, tracking string) driver.Told {
	w := p.way()
	if tracking == "" && len(w.numbers) > 0 {
		tracking = w.numbers[0]
	}
	return driver.Told{PackageID: w.ref, Tracking: tracking, Provider: w.carrier, Lines: p.lines(), Corrections: -1, At: p.CreatedAt}
}

// Correct implements driver.Dispatcher. A parcel over several places is several fulfilments, which all get the number.
func (c *channel) Correct(ctx context.Context, d driver.Dispatch, told driver.Told) (driver.Told, error) {
	o, err := c.shipping(ctx, d.OrderID)
	if err != nil {
		return driver.Told{}, driver.BeforeCall(err)
	}
	tracking := wireTracking{Company: company(d.Carrier), Number: d.Tracking, URL: d.URL}
	changed := false
	for _, p := range o.Parcels {
		if !p.counts() || number(p.ID) != told.PackageID && (told.Tracking == "" || !slices.Contains(p.way().numbers, told.Tracking)) {
			continue
		}
		var data struct {
			Made written `json:"fulfillmentTrackingInfoUpdate"`
		}
		vars := map[string]any{"id": p.ID, "tracking": tracking, "notify": c.notify()}
		a, err := c.call(ctx, request{op: driver.OpTell, doc: docRetrack, vars: vars, patient: true}, &data)
		if err == nil {
			_, err = data.Made.id(a)
		}
		if err != nil {
			return driver.Told{}, err
		}
		changed = true
	}
	if !changed {
		return driver.Told{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpTell, Message: "the parcel whose number is wrong is not there any more"}
	}
	told.Tracking, told.Provider, told.At = d.Tracking, tracking.Company, c.now()
	return told, nil
}

// Told implements driver.Dispatcher. A fulfilment of several numbers is several of these.
func (c *channel) Told(ctx context.Context, orderID string) ([]driver.Told, error) {
	o, err := c.shipping(ctx, orderID)
	if err != nil {
		return nil, err
	}
	var out []driver.Told
	for _, p := range o.Parcels {
		if !p.counts() {
			continue
		}
		numbers := p.way().numbers
		if len(numbers) == 0 {
			numbers = []string{""}
		}
		for _, n := range numbers {
			out = append(out, tellOf(p, n))
		}
	}
	return out, nil
}

// companies are carriers that Shopify has a tracking page for, as its reference of FulfillmentTrackingInfo spells them. It takes any other name too.
var companies = []string{"4PX", "An Post", "Australia Post", "BPost", "Canada Post", "China Post", "Chronopost", "Colissimo", "Correios", "Correos", "CTT", "Deutsche Post",
	"DHL eCommerce", "DHL Express", "DPD", "DPD UK", "Evri", "FedEx", "GLS", "Japan Post (EN)", "La Poste", "New Zealand Post", "OnTrac", "Poste Italiane", "PostNL",
	"PostNord", "Purolator", "Royal Mail", "Singapore Post", "Swiss Post", "UPS", "USPS", "Yodel"}

// company spells a carrier as Shopify does, where it knows it: the same words, or those ours begins with ("USPS Ground Advantage" is USPS), the most of them.
func company(carrier string) string {
	ours := carrierWords(carrier)
	best, longest := "", 0
	for _, name := range companies {
		if w := carrierWords(name); len(w) <= len(ours) && len(w) > longest && slices.Equal(w, ours[:len(w)]) {
			best, longest = name, len(w)
		}
	}
	return cmp.Or(best, strings.TrimSpace(carrier))
}

func carrierWords(name string) []string {
	return strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// Providers implements driver.Dispatcher.
func (c *channel) Providers(context.Context, string) ([]driver.Provider, error) {
	var out []driver.Provider
	for _, name := range companies {
		out = append(out, driver.Provider{ID: name, Name: name})
	}
	return out, nil
}

// Recipient implements driver.Recipients.
func (c *channel) Recipient(ctx context.Context, orderID string) (driver.Address, error) {
	var none driver.Address
	ids := known("Order", []string{orderID})
	if len(ids) == 0 {
		return none, unknownOrder()
	}
	var data struct {
		Node json.RawMessage `json:"node"`
	}
	if _, err := c.call(ctx, request{op: driver.OpOrder, doc: docRecipient, vars: map[string]any{"id": ids[0]}}, &data); err != nil {
		return none, err
	}
	if missing(data.Node) {
		return none, unknownOrder()
	}
	var o struct {
		To *struct {
			Name, Company, Address1, Address2, City, Zip, Phone string
			Province                                            string `json:"provinceCode"`
			Country                                             string `json:"countryCodeV2"`
		} `json:"shippingAddress"`
	}
	if err := json.Unmarshal(data.Node, &o); err != nil || o.To == nil || o.To.Address1 == "" {
		return none, &driver.Error{Class: driver.GiveUp, Op: driver.OpOrder, Message: "the order names no address to ship to"}
	}
	t := o.To
	return driver.Address{Name: t.Name, Company: t.Company, Phone: t.Phone, Line1: t.Address1, Line2: t.Address2, City: t.City, State: t.Province, Post: t.Zip, Country: t.Country,
		Residential: t.Company == ""}, nil
}
