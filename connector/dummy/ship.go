package dummy

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/money"
)

// Roles a channel may have besides being one. Say here which you implement, so that a changed signature does not end a role silently.
var (
	_ driver.Shipper    = (*channel)(nil)
	_ driver.Dispatcher = (*channel)(nil)
	_ driver.Recipients = (*channel)(nil)
)

// wireParcel is a parcel as the platform writes it.
type wireParcel struct {
	ID         string `json:"id"`
	Label      string `json:"label"`
	Carrier    string `json:"carrier"`
	Tracking   string `json:"tracking"`
	PriceCents int64  `json:"price_cents"`
	Currency   string `json:"currency"`
	Voided     bool   `json:"voided"`
	Corrected  bool   `json:"corrected"`
}

// Quote implements driver.Shipper. The platform leaves no choice: it has one service.
func (c *channel) Quote(ctx context.Context, p driver.Parcel) ([]driver.Quote, error) {
	var out struct {
		ID, Carrier string
		PriceCents  int64 `json:"price_cents"`
		Currency    string
		Days        int
	}
	if _, err := c.call(ctx, driver.OpQuote, http.MethodGet, "orders/"+url.PathEscape(first(p.OrderIDs))+"/offer", nil, nil, &out); err != nil {
		return nil, err
	}
	return []driver.Quote{{ID: out.ID, Carrier: out.Carrier, Price: money.Amount{Minor: out.PriceCents, Currency: out.Currency}, MaxDays: out.Days, ByPlatform: true}}, nil
}

// Book implements driver.Shipper. The platform keeps our reference and sells one label for it however often it is asked, so there is nothing to
// read before. On one that keeps none, Find first.
func (c *channel) Book(ctx context.Context, b driver.Booking) (driver.Booked, error) {
	in := struct {
		Order string `json:"order"`
		Qty   int64  `json:"qty"`
		Grams int64  `json:"grams"`
	}{first(b.Parcel.OrderIDs), units(b.Parcel.Lines), b.Parcel.Grams}
	var out wireParcel
	_, err := c.call(ctx, driver.OpBook, http.MethodPut, "labels/"+url.PathEscape(b.ID), nil, in, &out)
	return out.booked(b.ID), err
}

// Find implements driver.Shipper. That there is none is an answer, and no error.
func (c *channel) Find(ctx context.Context, b driver.Booking) (driver.Booked, bool, error) {
	var out wireParcel
	_, err := c.call(ctx, driver.OpFind, http.MethodGet, "labels/"+url.PathEscape(b.ID), nil, nil, &out)
	if e, ok := errors.AsType[*driver.Error](err); ok && e.Status == http.StatusNotFound {
		return driver.Booked{}, false, nil
	}
	return out.booked(b.ID), err == nil, err
}

func (w wireParcel) booked(id string) driver.Booked {
	out := driver.Booked{ID: id, Ref: w.ID, Carrier: w.Carrier, Tracking: w.Tracking, Price: money.Amount{Minor: w.PriceCents, Currency: w.Currency}, State: driver.BookingDone}
	if w.Voided {
		out.State = driver.BookingVoided
	}
	return out
}

// Document implements driver.Shipper. The platform prints ZPL, whatever is asked for.
func (c *channel) Document(ctx context.Context, b driver.Booked, kind driver.DocumentKind, _ string) (driver.Document, error) {
	if kind != driver.LabelDocument {
		return driver.Document{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpDocument, Message: "this platform prints labels only"}
	}
	token, err := c.env.Token(ctx)
	if err != nil {
		return driver.Document{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base.JoinPath("labels", url.PathEscape(b.ID), "document").String(), nil)
	if err != nil {
		return driver.Document{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpDocument, Cause: err}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	a, err := c.env.Do(ctx, driver.OpDocument, req, func(a *driver.Answer) *driver.Error {
		if a.Status == http.StatusOK {
			return nil
		}
		return judge(a, &struct{}{})
	})
	if err != nil {
		return driver.Document{}, err
	}
	return driver.Document{Kind: kind, Type: "application/zpl", Data: a.Body}, nil
}

// Void implements driver.Shipper. Too late is an answer, and no error.
func (c *channel) Void(ctx context.Context, b driver.Booked) (driver.Voided, error) {
	var out wireParcel
	_, err := c.call(ctx, driver.OpVoid, http.MethodDelete, "labels/"+url.PathEscape(b.ID), nil, nil, &out)
	if e, ok := errors.AsType[*driver.Error](err); ok && e.Code == "in_use" {
		return driver.VoidRefused, nil
	}
	return driver.VoidDone, err
}

func first(ids []string) string {
	if len(ids) == 0 {
		return "none"
	}
	return ids[0]
}

// units is how much a parcel holds; none said is all that is left.
func units(lines []driver.ParcelLine) (n int64) {
	for _, l := range lines {
		n += l.Qty
	}
	return n
}
