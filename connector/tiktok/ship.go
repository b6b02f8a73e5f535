package tiktok

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/money"
)

// packageQuote is the one thing on offer outside the US, where the platform has chosen the carrier when it made the package.
const packageQuote = "package"

// Quote implements driver.Shipper. The platform picks the carrier: in the US it names service and price, elsewhere the hand-over times.
func (c *channel) Quote(ctx context.Context, p driver.Parcel) ([]driver.Quote, error) {
	o, err := c.ordersOf(ctx, driver.OpQuote, p)
	if err != nil {
		return nil, err
	}
	if err := o.may(driver.OpQuote, true); err != nil {
		return nil, err
	}
	lines, whole := o.wanted(p.Lines)
	if pk, ok := o.holding(lines); ok && pk.arranged { // Book answers with what there is
		return []driver.Quote{{ID: packageQuote, Carrier: pk.provider, ByPlatform: true}}, nil
	}
	if c.region(p) == "US" {
		return c.services(ctx, o.ID, parts(lines, whole), p)
	}
	if whole && o.ShippingType == "TIKTOK" {
		if err := c.splitFirst(ctx, driver.OpQuote, o, c.region(p)); err != nil {
			return nil, err
		}
	}
	return c.slots(ctx, o, lines)
}

// parts names line items where not all of the order goes.
func parts(lines []string, whole bool) []string {
	if whole {
		return nil
	}
	return lines
}

func (c *channel) region(p driver.Parcel) string { return cmp.Or(c.conn.Shop.Region, p.Region) }

func (c *channel) services(ctx context.Context, id string, lines []string, p driver.Parcel) ([]driver.Quote, error) {
	weight, size := measures(p)
	body := wireServiceQuery{Lines: lines, Weight: weight, Size: size}
	data, _, err := call[wireServices](ctx, c, driver.OpQuote, queryServices, pathOf(queryServices, "order_id", id), nil, body)
	if err != nil {
		return nil, err
	}
	var out []driver.Quote
	for _, s := range data.Services {
		out = append(out, driver.Quote{ID: s.ID, Carrier: s.Provider, Service: s.Name, Price: c.price(s), MinDays: int(s.Earliest), MaxDays: int(s.Latest), ByPlatform: true})
	}
	slices.SortStableFunc(out, func(a, b driver.Quote) int { return cmp.Compare(a.Price.Minor, b.Price.Minor) })
	return out, nil
}

// price reads what a label costs; zero where that cannot be read.
func (c *channel) price(s wireService) money.Amount {
	a, err := money.Parse(s.Price, s.Currency)
	if err != nil {
		return money.Amount{}
	}
	return a
}

// measures are weight and size as both calls take them. Sizes are rounded up to hundredths of an inch: the carrier measures again, and charges what is over.
func measures(p driver.Parcel) (*wireWeight, *wireSize) {
	var weight *wireWeight
	if p.Grams > 0 {
		weight = &wireWeight{Value: strconv.FormatInt(p.Grams, 10), Unit: "GRAM"}
	}
	if p.LengthMM <= 0 || p.WidthMM <= 0 || p.HeightMM <= 0 {
		return weight, nil
	}
	sides := []int64{p.LengthMM, p.WidthMM, p.HeightMM}
	slices.Sort(sides)
	inch := func(mm int64) string { return strconv.FormatFloat(math.Ceil(float64(mm)/25.4*100)/100, 'f', 2, 64) }
	return weight, &wireSize{Length: inch(sides[2]), Width: inch(sides[1]), Height: inch(sides[0]), Unit: "INCH"}
}

// slots are the hand-over times of the package that waits.
func (c *channel) slots(ctx context.Context, o *parcelOrders, lines []string) ([]driver.Quote, error) {
	pk, err := c.waiting(ctx, driver.OpQuote, o, lines)
	if err != nil {
		return nil, err
	}
	data, _, err := call[wireSlots](ctx, c, driver.OpQuote, handoverSlots, pathOf(handoverSlots, "package_id", pk.id), nil, nil)
	if err != nil {
		return nil, err
	}
	q := driver.Quote{ID: packageQuote, Carrier: pk.provider, ByPlatform: true}
	if data.CanPickup {
		for _, s := range data.Pickups {
			if s.Free {
				q.Slots = append(q.Slots, driver.Slot{From: at(s.Start), Until: at(s.End)})
			}
		}
	}
	if data.CanDropOff {
		q.Slots = append(q.Slots, driver.Slot{DropOff: true})
	}
	return []driver.Quote{q}, nil
}

// waiting is the package the platform made for just these lines. One that holds others too is split or taken apart before it ships, see MakePackage.
func (c *channel) waiting(ctx context.Context, op driver.Operation, o *parcelOrders, lines []string) (pack, error) {
	pk, ok := o.holding(lines)
	if ok && digits(pk.id) {
		var err error
		if ok, err = c.alone(ctx, op, o, pk); err != nil {
			return pk, driver.BeforeCall(err)
		}
	}
	if !ok || !digits(pk.id) {
		return pk, &driver.Error{Class: driver.GiveUp, Op: op, Message: "the platform has no package of just these units: split or combine the order in Seller Center first"}
	}
	return pk, nil
}

// Book implements driver.Shipper. The platform keeps no reference of ours and knows a package by its line items, so it is read before it is bought; that
// a label was bought already is believed after reading again.
func (c *channel) Book(ctx context.Context, b driver.Booking) (driver.Booked, error) {
	o, err := c.ordersOf(ctx, driver.OpBook, b.Parcel)
	if err != nil {
		return driver.Booked{}, driver.BeforeCall(err)
	}
	lines, whole := o.wanted(b.Parcel.Lines)
	if pk, ok := o.holding(lines); ok && pk.arranged {
		return c.booked(b, pk), nil
	}
	if err := o.may(driver.OpBook, true); err != nil {
		return driver.Booked{}, err
	}
	var price money.Amount
	var service string
	if c.region(b.Parcel) == "US" {
		price, service, err = c.buy(ctx, o.ID, parts(lines, whole), b)
	} else {
		err = c.arrange(ctx, o, lines, b)
	}
	if err != nil && !coded(err, doneAlready...) {
		return driver.Booked{}, err
	}
	return c.reread(ctx, b, price, service, err)
}

// buy buys a label of the US, which makes the package.
func (c *channel) buy(ctx context.Context, id string, lines []string, b driver.Booking) (money.Amount, string, error) {
	weight, size := measures(b.Parcel)
	body := wireCreate{OrderID: id, Lines: lines, Weight: weight, Size: size}
	if digits(b.Quote.ID) {
		body.ServiceID = b.Quote.ID
	}
	data, _, err := call[wireCreated](ctx, c, driver.OpBook, createPackage, createPackage.path, nil, body)
	return c.price(data.Service), data.Service.Name, err
}

// arrange ships the package that waits, outside the US.
func (c *channel) arrange(ctx context.Context, o *parcelOrders, lines []string, b driver.Booking) error {
	pk, err := c.waiting(ctx, driver.OpBook, o, lines)
	if err != nil {
		return err
	}
	var body wireShip
	switch s := b.Slot; {
	case s.DropOff:
		body.Handover = "DROP_OFF"
	case !s.From.IsZero():
		body.Handover, body.Slot = "PICKUP", &wireShipSlot{Start: s.From.Unix(), End: s.Until.Unix()}
	}
	_, _, err = call[struct{}](ctx, c, driver.OpBook, shipPackage, pathOf(shipPackage, "package_id", pk.id), nil, body)
	return err
}

// reread reads what was booked, with its number. Bought is bought: where it cannot be read now, the caller asks again with Find.
func (c *channel) reread(ctx context.Context, b driver.Booking, price money.Amount, service string, already error) (driver.Booked, error) {
	got, found, err := c.Find(ctx, b)
	switch {
	case already == nil && (err != nil || !found):
		return driver.Booked{ID: b.ID, State: driver.BookingPending}, nil
	case err != nil:
		return driver.Booked{}, driver.BeforeCall(err)
	case !found: // it was shipped in another way, with other units or by hand
		return driver.Booked{}, already
	}
	got.Price, got.Service = price, service
	return got, nil
}

// Find implements driver.Shipper.
func (c *channel) Find(ctx context.Context, b driver.Booking) (driver.Booked, bool, error) {
	o, err := c.ordersOf(ctx, driver.OpFind, b.Parcel)
	if err != nil {
		return driver.Booked{}, false, err
	}
	lines, _ := o.wanted(b.Parcel.Lines)
	pk, ok := o.holding(lines)
	if !ok || !pk.arranged {
		return driver.Booked{}, false, nil
	}
	return c.booked(b, pk), true, nil
}

// booked is a package in our words. Without a number it is not decided: a label has one.
func (c *channel) booked(b driver.Booking, pk pack) driver.Booked {
	out := driver.Booked{ID: b.ID, Ref: pk.id, Package: pk.id, Carrier: pk.provider, Tracking: pk.tracking, Lines: b.Parcel.Lines, At: at(pk.at), State: driver.BookingDone}
	if pk.tracking == "" {
		out.State = driver.BookingPending
	}
	return out
}

// Document implements driver.Shipper. Documents exist from the moment a parcel is arranged until the carrier has it; ZPL is made in Brazil only.
func (c *channel) Document(ctx context.Context, b driver.Booked, kind driver.DocumentKind, format string) (driver.Document, error) {
	word, ok := documentTypes[kind]
	if !ok || !digits(b.Ref) {
		return driver.Document{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpDocument, Message: "the platform makes no " + string(kind)}
	}
	query := url.Values{"document_type": {word}}
	if kind == driver.LabelDocument {
		query.Set("document_size", "A6")
		if format == "ZPL" && c.conn.Shop.Region == "BR" {
			query.Set("document_format", "ZPL")
			query.Del("document_size")
		}
	}
	data, _, err := call[wireDocument](ctx, c, driver.OpDocument, getDocument, pathOf(getDocument, "package_id", b.Ref), query, nil)
	if err != nil {
		return driver.Document{}, err
	}
	return c.download(ctx, kind, data.URL)
}

// download fetches a document from the address the platform named. It is signed by itself and gets no token of ours; where it may lead is the client's to
// guard, and only a simulator's is not https.
func (c *channel) download(ctx context.Context, kind driver.DocumentKind, address string) (driver.Document, error) {
	bad := &driver.Error{Class: driver.GiveUp, Op: driver.OpDocument, Message: "the platform names no address of the document that can be used"}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != c.api.base.Scheme || u.Host != c.api.base.Host) {
		return driver.Document{}, bad
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return driver.Document{}, bad
	}
	a, err := c.env.Do(ctx, driver.OpDocument, req, func(a *driver.Answer) *driver.Error {
		switch {
		case a.Status == http.StatusOK && len(a.Body) > 0:
			return nil
		case a.Status == http.StatusForbidden, a.Status == http.StatusNotFound: // the address has ended: the next try asks for another
			return &driver.Error{Class: driver.Retry, Status: a.Status, Message: "the address of the document has ended"}
		}
		e := &driver.Error{Status: a.Status, Message: "the document cannot be fetched"}
		byStatus(e, false)
		if e.Class == driver.RetryAfter {
			e.After = retryAfter(a.Header)
		}
		return e
	})
	if err != nil {
		return driver.Document{}, err
	}
	return driver.Document{Kind: kind, Type: typeOf(a.Body), Data: a.Body}, nil
}

// typeOf tells by its first bytes what a document is: the address's own word for it is often "octet-stream".
func typeOf(data []byte) string {
	if len(data) > 2 && data[0] == '^' && data[1] == 'X' && data[2] == 'A' {
		return "application/zpl"
	}
	return http.DetectContentType(data)
}

// Void implements driver.Shipper. The platform has no call that takes a label back: it goes with the order, when that is cancelled, and what becomes of its
// price is the platform's to say.
func (c *channel) Void(ctx context.Context, b driver.Booked) (driver.Voided, error) {
	if !digits(b.Ref) {
		return "", &driver.Error{Class: driver.GiveUp, Op: driver.OpVoid, Message: "the package has no id"}
	}
	data, _, err := call[wirePackage](ctx, c, driver.OpVoid, getPackage, pathOf(getPackage, "package_id", b.Ref), nil, nil)
	switch {
	case err != nil:
		return "", err
	case data.Status == "CANCELLED":
		return driver.VoidAsked, nil
	}
	return driver.VoidRefused, nil
}
