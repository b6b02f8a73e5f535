package shipbob

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// Quote implements driver.Shipper. ShipBob chooses carrier and service behind the shipping method, and tells the price on its bill.
func (s *shipper) Quote(context.Context, driver.Parcel) ([]driver.Quote, error) {
	return []driver.Quote{{ID: s.method, Service: s.method, ByPlatform: true}}, nil
}

type wireAddress struct {
	Line1   string `json:"address1"`
	Line2   string `json:"address2,omitempty"`
	Company string `json:"company_name,omitempty"`
	City    string `json:"city"`
	State   string `json:"state,omitempty"`
	Post    string `json:"zip_code,omitempty"`
	Country string `json:"country"`
}

type wireRecipient struct {
	Name    string      `json:"name"`
	Email   string      `json:"email,omitempty"`
	Phone   string      `json:"phone_number,omitempty"`
	Address wireAddress `json:"address"`
}

type wireProduct struct {
	Reference string `json:"reference_id"`
	Name      string `json:"name,omitempty"`
	Quantity  int64  `json:"quantity"`
	Line      int    `json:"external_line_id"`
}

type wireCreate struct {
	Reference string        `json:"reference_id"`
	Type      string        `json:"type"`
	Method    string        `json:"shipping_method"`
	Number    string        `json:"order_number,omitempty"`
	Recipient wireRecipient `json:"recipient"`
	Products  []wireProduct `json:"products"`
}

// Book implements driver.Shipper: the order is handed over under the Booking's id, which ShipBob takes once. Where it refuses, an order that is
// there already is the answer.
func (s *shipper) Book(ctx context.Context, b driver.Booking) (driver.Booked, error) {
	p, to := b.Parcel, b.Parcel.To
	in := wireCreate{Reference: b.ID, Type: "DTC", Method: s.method, Number: p.Number, Recipient: wireRecipient{Name: to.Name, Email: to.Email, Phone: to.Phone,
		Address: wireAddress{Line1: to.Line1, Line2: to.Line2, Company: to.Company, City: to.City, State: to.State, Post: to.Post, Country: to.Country}}}
	if b.Quote.Service != "" {
		in.Method = b.Quote.Service
	}
	for i, l := range p.Lines {
		in.Products = append(in.Products, wireProduct{Reference: l.SKU, Name: l.Title, Quantity: l.Qty, Line: i + 1})
	}
	var out wireOrder
	_, err := s.call(ctx, driver.OpBook, http.MethodPost, "order", nil, in, &out)
	e, refused := errors.AsType[*driver.Error](err)
	if err == nil {
		return out.booked(b.ID), nil
	}
	if !refused || e.Class != driver.GiveUp {
		return driver.Booked{}, err
	}
	there, found, failed := s.Find(ctx, b)
	switch {
	case failed != nil:
		return driver.Booked{}, driver.BeforeCall(failed) // this call was refused: whatever stands was there before it
	case found:
		return there, nil
	}
	return driver.Booked{}, err
}

// Find implements driver.Shipper.
func (s *shipper) Find(ctx context.Context, b driver.Booking) (driver.Booked, bool, error) {
	var out []wireOrder
	if _, err := s.call(ctx, driver.OpFind, http.MethodGet, "order", url.Values{"ReferenceIds": {b.ID}, "Limit": {"10"}}, nil, &out); err != nil {
		return driver.Booked{}, false, err
	}
	for _, o := range out {
		if o.Reference == b.ID {
			return o.booked(b.ID), true, nil
		}
	}
	return driver.Booked{}, false, nil
}

// Document implements driver.Shipper: there is none to fetch.
func (s *shipper) Document(context.Context, driver.Booked, driver.DocumentKind, string) (driver.Document, error) {
	return driver.Document{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpDocument, Message: "ShipBob prints its labels and slips in its own warehouse: there is nothing to print here"}
}

// Void implements driver.Shipper: the order is cancelled unless it has left. What ShipBob has of it afterwards is the answer, not what the call said.
func (s *shipper) Void(ctx context.Context, b driver.Booked) (driver.Voided, error) {
	if _, err := strconv.ParseInt(b.Ref, 10, 64); err != nil {
		return "", &driver.Error{Class: driver.GiveUp, Op: driver.OpVoid, Message: "this is no order of ShipBob's"}
	}
	var said struct{}
	_, err := s.call(ctx, driver.OpVoid, http.MethodPost, "order/"+b.Ref+":cancel", nil, nil, &said)
	if e, ok := errors.AsType[*driver.Error](err); err != nil && !(ok && e.Class == driver.GiveUp && e.Status != http.StatusNotFound) {
		return "", err
	}
	refused := err
	var now wireOrder
	if _, err := s.call(ctx, driver.OpVoid, http.MethodGet, "order/"+b.Ref, nil, nil, &now); err != nil {
		return "", err
	}
	switch now.Status {
	case "Cancelled":
		return driver.VoidDone, nil
	case "Fulfilled", "PartiallyFulfilled":
		return driver.VoidRefused, nil
	}
	if refused == nil {
		return driver.VoidAsked, nil // taken, and not yet cancelled
	}
	return driver.VoidRefused, nil // it is on the packing table
}

// Parcels implements driver.Follower. Pages are numbered; since a change never takes an order off the list, one that changes meanwhile is told twice at
// worst.
func (s *shipper) Parcels(ctx context.Context, since time.Time, cursor string) (driver.ParcelPage, error) {
	at := 1
	if cursor != "" {
		n, err := strconv.Atoi(cursor)
		if err != nil || n < 1 {
			return driver.ParcelPage{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpParcels, Message: "the page is none of ShipBob's"}
		}
		at = n
	}
	q := url.Values{"Page": {strconv.Itoa(at)}, "Limit": {strconv.Itoa(page)}, "SortOrder": {"Newest"}}
	if !since.IsZero() {
		q.Set("LastUpdateStartDate", since.UTC().Format(time.RFC3339Nano))
	}
	var orders []wireOrder
	a, err := s.call(ctx, driver.OpParcels, http.MethodGet, "order", q, nil, &orders)
	if err != nil {
		return driver.ParcelPage{}, err
	}
	out := driver.ParcelPage{At: a.At}
	for _, o := range orders {
		out.News = append(out.News, o.news()...)
	}
	if len(orders) == page {
		out.Next = strconv.Itoa(at + 1)
	}
	return out, nil
}

// Look implements driver.Looker.
func (s *shipper) Look(ctx context.Context, b driver.Booked) ([]driver.ParcelNews, error) {
	if _, err := strconv.ParseInt(b.Ref, 10, 64); err != nil {
		return nil, &driver.Error{Class: driver.GiveUp, Op: driver.OpLook, Message: "this is no order of ShipBob's"}
	}
	var o wireOrder
	if _, err := s.call(ctx, driver.OpLook, http.MethodGet, "order/"+b.Ref, nil, nil, &o); err != nil {
		return nil, err
	}
	if o.Reference != b.ID {
		return nil, &driver.Error{Class: driver.GiveUp, Op: driver.OpLook, Message: "ShipBob has another order under this id"}
	}
	return o.news(), nil
}

// Stock implements driver.StockKeeper. What is neither fulfillable nor committed is blocked.
func (s *shipper) Stock(ctx context.Context, cursor string) (driver.KeptPage, error) {
	q := url.Values{"PageSize": {strconv.Itoa(page)}}
	if cursor != "" {
		q.Set("Cursor", cursor)
	}
	var in struct {
		Items []struct {
			SKU       string `json:"sku"`
			Locations []struct {
				ID          any   `json:"location_id"`
				OnHand      int64 `json:"on_hand_quantity"`
				Committed   int64 `json:"committed_quantity"`
				Fulfillable int64 `json:"fulfillable_quantity"`
			} `json:"locations"`
		} `json:"items"`
		Next string `json:"next"`
	}
	a, err := s.call(ctx, driver.OpQuantities, http.MethodGet, "inventory-level/locations", q, nil, &in)
	if err != nil {
		return driver.KeptPage{}, err
	}
	out := driver.KeptPage{Next: cursorOf(in.Next)}
	for _, i := range in.Items {
		for _, l := range i.Locations {
			out.Items = append(out.Items, driver.Kept{SKU: i.SKU, LocationID: text(l.ID), OnHand: l.OnHand, Reserved: l.Committed,
				Blocked: max(0, l.OnHand-l.Committed-l.Fulfillable), At: a.At})
		}
	}
	return out, nil
}

// cursorOf takes the cursor out of the address of the next page; the address itself is never called.
func cursorOf(next string) string {
	u, err := url.Parse(next)
	if err != nil {
		return ""
	}
	for name, v := range u.Query() {
		if (name == "Cursor" || name == "cursor") && len(v) > 0 {
			return v[0]
		}
	}
	return ""
}

// text is an id that may be a number.
func text(id any) string {
	switch v := id.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}
