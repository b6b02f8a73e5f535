package easypost

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/internal/label"
	"github.com/spillway/spillway/kit/money"
)

// maxLabels bounds how often one booking is labelled anew after its label was taken back.
const maxLabels = 20

// Quote implements driver.Shipper. Carriers that fail are messages in the vendor's answer: only if none is left, they are the error.
func (s *shipper) Quote(ctx context.Context, p driver.Parcel) ([]driver.Quote, error) {
	in, err := s.shipment(driver.OpQuote, p, "", "")
	if err != nil {
		return nil, err
	}
	var got wireShipment
	if err := s.call(ctx, driver.OpQuote, http.MethodPost, "shipments", nil, map[string]any{"shipment": in}, &got); err != nil {
		return nil, driver.BeforeCall(err) // a shipment that is not bought costs nothing and is nobody's business
	}
	out := make([]driver.Quote, 0, len(got.Rates))
	for _, r := range got.Rates {
		if price, ok := r.price(); ok && r.ID != "" {
			out = append(out, driver.Quote{ID: r.ID, Carrier: r.Carrier, Service: r.Service, Price: price, MinDays: r.days(), MaxDays: r.days()})
		}
	}
	slices.SortStableFunc(out, func(a, b driver.Quote) int {
		return cmp.Or(cmp.Compare(a.Price.Currency, b.Price.Currency), cmp.Compare(a.Price.Minor, b.Price.Minor))
	})
	if len(out) == 0 {
		return nil, &driver.Error{Class: driver.GiveUp, Op: driver.OpQuote, Message: cmp.Or(strings.Join(got.words(), "; "), "no carrier takes this parcel")}
	}
	return out, nil
}

func (r wireRate) price() (money.Amount, bool) {
	a, err := money.Parse(r.Rate, r.Currency)
	return a, err == nil && a.Minor >= 0 && r.Currency != ""
}

func (r wireRate) days() int {
	for _, d := range []*int{r.DeliveryDays, r.EstDays} {
		if d != nil && *d > 0 {
			return *d
		}
	}
	return 0
}

// words are what carriers add, for people.
func (w *wireShipment) words() (out []string) {
	for _, m := range w.Messages[:min(len(w.Messages), 20)] {
		if text := label.Sentence(m.Message); text != "" {
			out = append(out, m.Carrier+": "+text)
		}
	}
	return out
}

// reference names the n-th shipment of a booking. A booking's id has no dot.
func reference(id string, n int) string {
	if n == 1 {
		return id
	}
	return id + "." + strconv.Itoa(n)
}

// Book implements driver.Shipper. The shipment bears the booking's id and is read before it is bought; the vendor sells a shipment one label, so what
// was bought meanwhile is met as such. A shipment that was taken back, or was made for another box, gives way to the next of the booking.
func (s *shipper) Book(ctx context.Context, b driver.Booking) (driver.Booked, error) {
	for n := 1; n <= maxLabels; n++ {
		ref := reference(b.ID, n)
		in, err := s.shipment(driver.OpBook, b.Parcel, ref, b.Format)
		if err != nil {
			return driver.Booked{}, err
		}
		got, found, err := s.read(ctx, driver.OpFind, ref)
		switch {
		case err != nil:
			return driver.Booked{}, driver.BeforeCall(err)
		case found && got.live():
			return got.booked(b.ID), nil
		case found && (got.paid() || !got.alike(in)):
			continue
		case found: // its prices are of another day
			err = driver.BeforeCall(s.call(ctx, driver.OpBook, http.MethodPost, "shipments/"+url.PathEscape(got.ID)+"/rerate", nil, struct{}{}, &got))
		default:
			// Nothing is paid here, yet a lost creation counts as uncertain: two shipments of one reference could not be told apart.
			err = s.call(ctx, driver.OpBook, http.MethodPost, "shipments", nil, map[string]any{"shipment": in}, &got)
		}
		if err != nil {
			return driver.Booked{}, err
		}
		return s.buy(ctx, b, got)
	}
	return driver.Booked{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpBook, Message: "this parcel was labelled too often: make another shipment for it"}
}

func (s *shipper) buy(ctx context.Context, b driver.Booking, w wireShipment) (driver.Booked, error) {
	rate, err := choose(w.Rates, b.Quote)
	if err != nil {
		return driver.Booked{}, err
	}
	var got wireShipment
	err = s.call(ctx, driver.OpBook, http.MethodPost, "shipments/"+url.PathEscape(w.ID)+"/buy", nil, map[string]any{"rate": map[string]string{"id": rate.ID}}, &got)
	if e, ok := errors.AsType[*driver.Error](err); ok && e.Code == "SHIPMENT.POSTAGE.EXISTS" {
		again, found, err := s.read(ctx, driver.OpFind, w.ID)
		if err != nil || !found {
			return driver.Booked{}, &driver.Error{Class: driver.Retry, Op: driver.OpBook, Applied: true, Message: "the label was bought before and could not be read", Cause: err}
		}
		return again.booked(b.ID), nil
	}
	if err != nil {
		return driver.Booked{}, err
	}
	if !got.paid() {
		return driver.Booked{}, &driver.Error{Class: driver.Retry, Op: driver.OpBook, Applied: true, Message: "the answer names no label"}
	}
	return got.booked(b.ID), nil
}

// requote is how long a booking rests whose price has changed: longer than a session waits, so that it is quoted anew.
const requote = 30 * time.Second

// choose finds the service that was quoted among the rates of another shipment, not dearer than it was.
func choose(rates []wireRate, q driver.Quote) (wireRate, error) {
	best, cost := -1, int64(0)
	for i, r := range rates {
		price, ok := r.price()
		if ok && r.Carrier == q.Carrier && r.Service == q.Service && price.Currency == cmp.Or(q.Price.Currency, price.Currency) && (best < 0 || price.Minor < cost) {
			best, cost = i, price.Minor
		}
	}
	switch {
	case best < 0:
		return wireRate{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpBook, Message: "the service that was chosen is not offered for this parcel any more"}
	case q.Price.Currency != "" && cost > q.Price.Minor:
		return wireRate{}, &driver.Error{Class: driver.RetryAfter, After: requote, Op: driver.OpBook, Message: "the service has become dearer since it was quoted"}
	}
	return rates[best], nil
}

// read reads a shipment by the vendor's id or by our reference.
func (s *shipper) read(ctx context.Context, op driver.Operation, id string) (w wireShipment, found bool, err error) {
	err = s.call(ctx, op, http.MethodGet, "shipments/"+url.PathEscape(id), nil, nil, &w)
	if e, ok := errors.AsType[*driver.Error](err); ok && e.Status == http.StatusNotFound {
		return w, false, nil
	}
	return w, err == nil, err
}

// Find implements driver.Shipper. What was taken back is no answer: another label may be on its way, and is found once it is there.
func (s *shipper) Find(ctx context.Context, b driver.Booking) (driver.Booked, bool, error) {
	for n := 1; n <= maxLabels; n++ {
		w, found, err := s.read(ctx, driver.OpFind, reference(b.ID, n))
		switch {
		case err != nil || !found:
			return driver.Booked{}, false, err
		case w.live():
			return w.booked(b.ID), true, nil
		}
	}
	return driver.Booked{}, false, nil
}

func (w *wireShipment) paid() bool { return w.Label != nil || w.Tracking != "" }

// live reports whether a shipment is paid and stays so.
func (w *wireShipment) live() bool {
	return w.paid() && w.Refund != "submitted" && w.Refund != "refunded"
}

// alike reports whether a shipment that is not bought is the parcel that is to be shipped.
func (w *wireShipment) alike(in newShipment) bool {
	size := func(a, b wireParcel) bool {
		return same(a.Weight, b.Weight) && (b.Length == "" || same(a.Length, b.Length) && same(a.Width, b.Width) && same(a.Height, b.Height))
	}
	to := strings.EqualFold(w.To.Street1, in.To.Street1) && strings.EqualFold(w.To.Country, in.To.Country) && strings.HasPrefix(w.To.Zip, in.To.Zip[:min(5, len(in.To.Zip))])
	return to && size(w.Parcel, in.Parcel) && w.Options.Custom1 == in.Options.Custom1
}

func (w *wireShipment) booked(id string) driver.Booked {
	out := driver.Booked{ID: id, Ref: w.ID, Tracking: w.Tracking, State: driver.BookingDone, At: w.CreatedAt, Messages: w.words()}
	if w.Selected != nil {
		out.Carrier, out.Service = w.Selected.Carrier, w.Selected.Service
		out.Price, _ = w.Selected.price()
	}
	if w.Label != nil && !w.Label.CreatedAt.IsZero() {
		out.At = w.Label.CreatedAt
	}
	if w.Tracker != nil {
		out.URL = w.Tracker.URL
	}
	if !w.live() {
		out.State = driver.BookingVoided
	}
	return out
}
