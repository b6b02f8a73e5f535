package drivertest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

func testQuote(t *testing.T, h *Shipping) {
	h.ships(t)
	quotes, err := h.Shipper.Quote(t.Context(), h.Parcel(t, 1))
	if err != nil || len(quotes) == 0 {
		t.Fatalf("%d quotes, %v", len(quotes), err)
	}
	for i, q := range quotes {
		if q.ID == "" || q.MinDays > q.MaxDays || q.Price.Minor < 0 {
			t.Errorf("quote %+v", q)
		}
		if i > 0 && q.Price.Currency == quotes[i-1].Price.Currency && q.Price.Minor < quotes[i-1].Price.Minor {
			t.Errorf("quote %d is cheaper than the one before it", i)
		}
		for _, s := range q.Slots {
			if s.Until.Before(s.From) {
				t.Errorf("slot %+v ends before it begins", s)
			}
		}
	}
}

func testBook(t *testing.T, h *Shipping) {
	h.ships(t)
	p := h.Parcel(t, 1)
	b := h.booking(t, "booking-1", p)
	if got, found, err := h.Shipper.Find(t.Context(), b); err != nil || found {
		t.Fatalf("before it is booked it is found: %v, %+v, %v", found, got, err)
	}
	h.paid(t, p, 0)
	booked := h.book(t, b)
	h.paid(t, p, 1)
	if booked.Tracking == "" && booked.Carrier == "" {
		t.Errorf("neither carrier nor number of %+v", booked)
	}
	if found := h.found(t, b); found.Ref != booked.Ref || found.Tracking != booked.Tracking || found.Package != booked.Package {
		t.Errorf("booked %+v, found %+v", booked, found)
	}
	other := b
	other.ID, other.Parcel = "booking-2", h.Parcel(t, 1)
	if got, found, err := h.Shipper.Find(t.Context(), other); err != nil || found {
		t.Errorf("another order's parcel is found: %v, %+v, %v", found, got, err)
	}
}

func testBookTwice(t *testing.T, h *Shipping) {
	h.ships(t)
	b := h.booking(t, "booking-1", h.Parcel(t, 2))
	first, second := h.book(t, b), h.book(t, b)
	if first.Ref != second.Ref || first.Tracking != second.Tracking {
		t.Errorf("the first answer is %+v, the second %+v", first, second)
	}
	h.paid(t, b.Parcel, 1)
}

func testBookLostReply(t *testing.T, h *Shipping) {
	h.ships(t)
	b := h.booking(t, "booking-1", h.Parcel(t, 1))
	h.arrange(t, LostReply, driver.OpBook, 1)
	_, err := h.Shipper.Book(t.Context(), b)
	if err == nil || !driver.MayBeApplied(err) {
		t.Fatalf("a booking whose answer was lost: %v; it may be made", err)
	}
	h.paid(t, b.Parcel, 1) // and it was not repeated
	found := h.found(t, b)
	if again := h.book(t, b); again.Ref != found.Ref {
		t.Errorf("found %+v, booked again %+v", found, again)
	}
	h.paid(t, b.Parcel, 1)
}

func testBookLostRequest(t *testing.T, h *Shipping) {
	h.ships(t)
	b := h.booking(t, "booking-1", h.Parcel(t, 1))
	h.arrange(t, LostRequest, driver.OpBook, 1)
	if _, err := h.Shipper.Book(t.Context(), b); err == nil || !driver.MayBeApplied(err) {
		t.Fatalf("a booking that was cut off: %v; from here it may be made", err)
	}
	h.paid(t, b.Parcel, 0)
	if got, found, err := h.Shipper.Find(t.Context(), b); err != nil || found {
		t.Errorf("what was never booked is found: %v, %+v, %v", found, got, err)
	}
	h.book(t, b)
	h.paid(t, b.Parcel, 1)
}

func testBookTurnedAway(t *testing.T, h *Shipping) {
	h.ships(t)
	for i, f := range []Fault{Throttle, Unavailable, TokenExpired} {
		b := h.booking(t, "booking-"+string(rune('1'+i)), h.Parcel(t, 1))
		if !h.Arrange(t, f, driver.OpBook, 1) {
			continue
		}
		if _, err := h.Shipper.Book(t.Context(), b); err != nil { // an overload whose words do not say that nothing was done
			if _, found, unread := h.Shipper.Find(t.Context(), b); f != Unavailable || !driver.MayBeApplied(err) || found || unread != nil {
				t.Fatalf("%s: %v; found: %v, %v", f, err, found, unread)
			}
		}
		h.book(t, b)
		h.paid(t, b.Parcel, 1)
	}
}

func testBookClasses(t *testing.T, h *Shipping) {
	h.ships(t)
	for f, want := range map[Fault]driver.Class{Throttle: driver.RetryAfter, Unavailable: driver.Retry, TokenExpired: driver.RefreshLogin, LostReply: driver.Retry} {
		b := h.booking(t, strings.ReplaceAll("booking-"+string(f), " ", "-"), h.Parcel(t, 1))
		if !h.Arrange(t, f, driver.OpBook, 1) {
			continue
		}
		_, err := h.Raw.Book(t.Context(), b)
		e, ok := errors.AsType[*driver.Error](err)
		if !ok || e.Class != want || f != Unavailable && e.Applied != (f == LostReply) {
			t.Errorf("%s: %v, may be applied: %v", f, err, driver.MayBeApplied(err))
		}
	}
	// What is read before the booking changes nothing, so its failure leaves nothing uncertain.
	b := h.booking(t, "booking-1", h.Parcel(t, 1))
	if h.Arrange(t, LostReply, driver.OpFind, 1) {
		if _, err := h.Raw.Book(t.Context(), b); err != nil && driver.MayBeApplied(err) && h.Paid(t, b.Parcel) == 0 {
			t.Errorf("a lost reading before the booking counts as a lost booking: %v", err)
		}
	}
}

func testBookSplit(t *testing.T, h *Shipping) {
	h.ships(t)
	if !h.Split {
		t.Skip("an order is one parcel here")
	}
	whole := h.Parcel(t, 3)
	first, second := halves(whole)
	a, b := h.booking(t, "booking-1", first), h.booking(t, "booking-2", second)
	one := h.book(t, a)
	if got, found, err := h.Shipper.Find(t.Context(), b); err != nil || found {
		t.Fatalf("the second parcel is found when only the first is booked: %v, %+v, %v", found, got, err)
	}
	two := h.book(t, b)
	if one.Ref == two.Ref || one.Tracking == two.Tracking && one.Tracking != "" {
		t.Errorf("two parcels are one: %+v and %+v", one, two)
	}
	if h.found(t, a).Ref != one.Ref || h.found(t, b).Ref != two.Ref {
		t.Error("the parcels are mixed up when they are found")
	}
	h.paid(t, whole, 2)
}

// halves divides a parcel: the first unit, and the others.
func halves(p driver.Parcel) (driver.Parcel, driver.Parcel) {
	first, second := p, p
	l := p.Lines[0]
	a, b := l, l
	a.Qty, b.Qty = 1, l.Qty-1
	if len(l.ExternalLineIDs) > 1 {
		a.ExternalLineIDs, b.ExternalLineIDs = l.ExternalLineIDs[:1], l.ExternalLineIDs[1:]
	}
	first.Lines, second.Lines = []driver.ParcelLine{a}, append([]driver.ParcelLine{b}, p.Lines[1:]...)
	return first, second
}

func testUnshippable(t *testing.T, h *Shipping) {
	h.ships(t)
	if len(h.Unshippable) == 0 {
		t.Skip("everything ships")
	}
	for why, make := range h.Unshippable {
		p := make(t)
		_, err := h.Raw.Book(t.Context(), driver.Booking{ID: "booking-1", Parcel: p, Quote: driver.Quote{ID: "any"}, Format: "PDF"})
		refused(t, why, err)
		h.paid(t, p, 0)
	}
}

// refused demands that the same call will never work, or not before something else has come, that it was surely not carried out, and that a person is
// told why.
func refused(t *testing.T, why string, err error) {
	t.Helper()
	e, ok := errors.AsType[*driver.Error](err)
	if !ok || e.Applied || e.Message == "" || e.Class != driver.GiveUp && e.Class != driver.AskHuman && (e.Class != driver.RetryAfter || e.After < time.Minute) {
		t.Errorf("%s: %v, may be applied: %v; want a refusal in words", why, err, err != nil && driver.MayBeApplied(err))
	}
}

func testDocument(t *testing.T, h *Shipping) {
	h.ships(t)
	booked := h.book(t, h.booking(t, "booking-1", h.Parcel(t, 1)))
	get := func() driver.Document {
		t.Helper()
		d, err := h.Shipper.Document(t.Context(), booked, driver.LabelDocument, "PDF")
		if err != nil || d.Kind != driver.LabelDocument || !printable(d) {
			t.Fatalf("a document of %d bytes, %q, %q: %v", len(d.Data), d.Kind, d.Type, err)
		}
		return d
	}
	first := get()
	for _, f := range []Fault{Throttle, Unavailable, LostReply, LostRequest} {
		h.Arrange(t, f, driver.OpDocument, 1)
		if again := get(); string(again.Data) != string(first.Data) {
			t.Errorf("%s: another document", f)
		}
	}
	unknown := booked
	unknown.ID, unknown.Ref, unknown.Package = "booking-9", "999999999999999999", "999999999999999999"
	if d, err := h.Shipper.Document(t.Context(), unknown, driver.LabelDocument, "PDF"); err == nil || driver.MayBeApplied(err) && driver.ClassOf(err) == driver.GiveUp {
		t.Errorf("a label of nothing: %d bytes, %v", len(d.Data), err)
	}
}

func testVoid(t *testing.T, h *Shipping) {
	h.ships(t)
	b := h.booking(t, "booking-1", h.Parcel(t, 1))
	booked := h.book(t, b)
	h.voided(t, b, booked)
}

// voided voids twice and demands that both answers are the same, and that what they say of money is so.
func (h *Shipping) voided(t *testing.T, b driver.Booking, booked driver.Booked) {
	t.Helper()
	first, err := h.Shipper.Void(t.Context(), booked)
	if err != nil {
		t.Fatalf("Void: %v", err)
	}
	again, err := h.Shipper.Void(t.Context(), booked)
	if err != nil || again != first {
		t.Errorf("a void answers %q, and asked again %q, %v", first, again, err)
	}
	switch first {
	case driver.VoidDone:
		h.paid(t, b.Parcel, 0)
	case driver.VoidRefused:
		h.paid(t, b.Parcel, 1)
	case driver.VoidAsked:
	default:
		t.Errorf("a void answers %q", first)
	}
	if got, found, err := h.Shipper.Find(t.Context(), b); err != nil || first == driver.VoidDone && found && got.State != driver.BookingVoided {
		t.Errorf("after the void: %v, %+v, %v", found, got, err)
	}
}

func testVoidLostReply(t *testing.T, h *Shipping) {
	h.ships(t)
	b := h.booking(t, "booking-1", h.Parcel(t, 1))
	booked := h.book(t, b)
	h.arrange(t, LostReply, driver.OpVoid, 1)
	h.voided(t, b, booked)
}
