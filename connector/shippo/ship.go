package shippo

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// Quote implements driver.Shipper. Carriers that fail are messages in the vendor's answer: only if none is left, they are the error.
func (s *shipper) Quote(ctx context.Context, p driver.Parcel) ([]driver.Quote, error) {
	in, err := s.shipment(driver.OpQuote, p)
	if err != nil {
		return nil, err
	}
	var got struct {
		Rates    []wireRate `json:"rates"`
		Messages []wireText `json:"messages"`
	}
	if err := s.call(ctx, driver.OpQuote, http.MethodPost, "shipments", nil, in, &got); err != nil {
		return nil, driver.BeforeCall(err) // a shipment without a transaction costs nothing
	}
	out := make([]driver.Quote, 0, len(got.Rates))
	for _, r := range got.Rates {
		if price, ok := r.price(); ok && r.ID != "" {
			out = append(out, driver.Quote{ID: r.ID, Carrier: r.Provider, Service: r.service(), Price: price, MinDays: max(r.Days, 0), MaxDays: max(r.Days, 0)})
		}
	}
	slices.SortStableFunc(out, func(a, b driver.Quote) int {
		return cmp.Or(cmp.Compare(a.Price.Currency, b.Price.Currency), cmp.Compare(a.Price.Minor, b.Price.Minor))
	})
	if len(out) == 0 {
		return nil, &driver.Error{Class: driver.GiveUp, Op: driver.OpQuote, Message: cmp.Or(strings.Join(words(got.Messages), "; "), "no carrier takes this parcel")}
	}
	return out, nil
}

// Book implements driver.Shipper. The vendor would sell the same rate again, so its newest transactions are read first.
func (s *shipper) Book(ctx context.Context, b driver.Booking) (driver.Booked, error) {
	if _, err := s.shipment(driver.OpBook, b.Parcel); err != nil {
		return driver.Booked{}, err
	}
	if b.Quote.ID == "" {
		return driver.Booked{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpBook, Message: "choose a service to book"}
	}
	w, found, err := s.look(ctx, b.ID, 1)
	if err == nil && found {
		return s.whole(ctx, w, b.ID)
	}
	if err != nil {
		return driver.Booked{}, driver.BeforeCall(err)
	}
	form := s.format
	if b.Format == "ZPL" {
		form = "ZPLII"
	}
	in := map[string]any{"rate": b.Quote.ID, "label_file_type": form, "async": false, "metadata": b.ID}
	if err := s.call(ctx, driver.OpBook, http.MethodPost, "transactions", nil, in, &w); err != nil {
		return driver.Booked{}, err
	}
	if w.ID == "" {
		return driver.Booked{}, &driver.Error{Class: driver.Retry, Op: driver.OpBook, Applied: true, Message: "the answer names no transaction"}
	}
	out := w.booked(b.ID)
	out.Carrier, out.Service, out.Price = b.Quote.Carrier, b.Quote.Service, b.Quote.Price
	return out, nil
}

// How far back the transactions are read: longer than a booking's fate is looked for as a rule, and no more pages than a minute's calls allow.
const (
	lookBack = 72 * time.Hour
	maxPages = 60
)

// Find implements driver.Shipper. What failed or was taken back is no answer: another transaction of the booking may be on its way, and is found once
// it is there.
func (s *shipper) Find(ctx context.Context, b driver.Booking) (driver.Booked, bool, error) {
	w, found, err := s.look(ctx, b.ID, maxPages)
	if err != nil || !found {
		return driver.Booked{}, false, err
	}
	out, err := s.whole(ctx, w, b.ID)
	return out, err == nil, err
}

// look reads transactions, newest first, until one is the booking's and paid or undecided, or they are too old.
func (s *shipper) look(ctx context.Context, id string, pages int) (w wireTransaction, found bool, err error) {
	var newest time.Time
	for page := 1; page <= pages; page++ {
		var got struct {
			Results []wireTransaction `json:"results"`
			Next    string            `json:"next"`
		}
		if err := s.call(ctx, driver.OpFind, http.MethodGet, "transactions", url.Values{"results": {strconv.Itoa(maxPage)}, "page": {strconv.Itoa(page)}}, nil, &got); err != nil {
			return w, false, err
		}
		for _, t := range got.Results {
			if newest.IsZero() {
				newest = s.now(t.Created)
			}
			if state := t.state(); t.Metadata == id && (state == driver.BookingDone || state == driver.BookingPending) {
				return t, true, nil
			}
		}
		n := len(got.Results)
		if n == 0 || got.Next == "" || newest.Sub(got.Results[n-1].Created) > lookBack {
			return w, false, nil
		}
	}
	if pages == 1 { // before a booking: that it is settled is the caller's business
		return w, false, nil
	}
	return w, false, &driver.Error{Class: driver.AskHuman, Op: driver.OpFind, Message: "there are too many labels of three days to look through: look for " + id + " among Shippo's transactions"}
}

// now is our clock, or the vendor's where that is ahead.
func (s *shipper) now(theirs time.Time) time.Time {
	if s.env.Now != nil && s.env.Now().After(theirs) {
		return s.env.Now()
	}
	return theirs
}

// whole is a transaction that was read, with the rate it was sold at.
func (s *shipper) whole(ctx context.Context, w wireTransaction, id string) (driver.Booked, error) {
	if w.Rate.Provider == "" && w.Rate.ID != "" {
		if err := s.call(ctx, driver.OpFind, http.MethodGet, "rates/"+url.PathEscape(w.Rate.ID), nil, nil, &w.Rate.wireRate); err != nil {
			return driver.Booked{}, err
		}
	}
	return w.booked(id), nil
}
