package drivertest

import (
	"slices"
	"testing"

	"github.com/spillway/spillway/connector/driver"
)

// packages skips the test unless the channel makes the packages of orders.
func (h *Shipping) packages(t *testing.T) {
	t.Helper()
	if h.Session != nil && h.Session.Packages() != h.Session.Vendor().Packages {
		t.Fatalf("it is a Packager: %v, and says %v", h.Session.Packages(), h.Session.Vendor().Packages)
	}
	if h.Session == nil || !h.Session.Packages() {
		t.Skip("it makes no packages of its own")
	}
}

// together makes two parcels of the same buyer, each a package of its own.
func (h *Shipping) together(t *testing.T) (a, b, both driver.Parcel) {
	t.Helper()
	h.packages(t)
	if h.Together == nil {
		t.Skip("no orders are combined here")
	}
	a, b = h.Together(t)
	both = a
	both.OrderIDs = append(slices.Clone(a.OrderIDs), b.OrderIDs...)
	both.Lines = append(slices.Clone(a.Lines), b.Lines...)
	return a, b, both
}

// packaged demands that one package holds just what a parcel holds, or none does.
func (h *Shipping) packaged(t *testing.T, what string, p driver.Parcel, want bool) string {
	t.Helper()
	pkg, is, err := h.Session.Packaged(t.Context(), p)
	if err != nil || is != want {
		t.Fatalf("%s: is a package %v, %v; want %v", what, is, err, want)
	}
	return pkg.ID
}

// mustPackage asks until a package holds just what the parcel holds.
func (h *Shipping) mustPackage(t *testing.T, g driver.Grouping) string {
	t.Helper()
	for range 5 {
		pkg, err := h.Session.MakePackage(t.Context(), g)
		if err != nil {
			t.Fatalf("MakePackage: %v", err)
		}
		if pkg.ID != "" || pkg.Free {
			break
		}
	}
	return h.packaged(t, "what was made", g.Parcel, true)
}

func testPackageSplit(t *testing.T, h *Shipping) {
	h.packages(t)
	if h.Divisible == nil {
		t.Skip("an order is split while it ships")
	}
	whole := h.Divisible(t)
	first, second := halves(whole)
	first.Lines, second.Lines = whole.Lines[:1], whole.Lines[1:]
	h.packaged(t, "all of it", whole, true)
	h.packaged(t, "a part", first, false)
	g := driver.Grouping{Parcel: first, Others: [][]string{second.Lines[0].ExternalLineIDs}}
	a := h.mustPackage(t, g)
	if again := h.mustPackage(t, g); again != a {
		t.Errorf("asked again it is package %s, not %s", again, a)
	}
	if b := h.packaged(t, "the other part", second, true); b == a {
		t.Error("both parts are one package")
	}
	one, two := h.book(t, h.booking(t, "booking-1", first)), h.book(t, h.booking(t, "booking-2", second))
	if one.Tracking == two.Tracking {
		t.Errorf("two packages have the number %s", one.Tracking)
	}
	h.paid(t, whole, 2)
}

func testPackageIndivisible(t *testing.T, h *Shipping) {
	h.packages(t)
	if h.Divisible == nil {
		t.Skip("an order is split while it ships")
	}
	whole := h.Parcel(t, 2) // units of one thing
	first, _ := halves(whole)
	_, err := h.Session.MakePackage(t.Context(), driver.Grouping{Parcel: first})
	refused(t, "a part of what is not split", err)
	h.packaged(t, "all of it still", whole, true)
}

func testPackageCombine(t *testing.T, h *Shipping) {
	a, b, both := h.together(t)
	page, err := h.Session.Combinable(t.Context(), "")
	if err != nil || len(page.Offers) != 1 || len(page.Offers[0].Orders) != 2 || page.Next != "" {
		t.Fatalf("%+v, %v", page, err)
	}
	h.packaged(t, "both before they are combined", both, false)
	id := h.mustPackage(t, driver.Grouping{Parcel: both})
	if again := h.mustPackage(t, driver.Grouping{Parcel: both}); again != id {
		t.Errorf("asked again it is package %s, not %s", again, id)
	}
	h.packaged(t, "one of them", a, false)
	if _, err := h.Shipper.Book(t.Context(), driver.Booking{ID: "alone", Parcel: b, Format: "PDF"}); err == nil {
		t.Error("a label is bought for one of two combined orders alone")
	}
	h.paid(t, both, 0)
	booked := h.book(t, h.booking(t, "booking-1", both))
	if booked.Tracking == "" || h.found(t, driver.Booking{ID: "booking-1", Parcel: both}).Tracking != booked.Tracking {
		t.Errorf("%+v", booked)
	}
	h.paid(t, a, 1) // one label, counted for the first
	h.paid(t, b, 0)
}

func testPackageUncombine(t *testing.T, h *Shipping) {
	a, b, both := h.together(t)
	h.mustPackage(t, driver.Grouping{Parcel: both})
	h.mustPackage(t, driver.Grouping{Parcel: b})
	h.packaged(t, "the other", a, true)
	h.packaged(t, "both", both, false)
	h.book(t, h.booking(t, "booking-1", a))
	_, err := h.Session.MakePackage(t.Context(), driver.Grouping{Parcel: both})
	refused(t, "orders of which one is shipped", err)
}

func testPackageFaults(t *testing.T, h *Shipping) {
	_, _, both := h.together(t)
	g := driver.Grouping{Parcel: both}
	for _, f := range []Fault{Throttle, LostRequest} {
		h.arrange(t, f, driver.OpGroup, 1)
		if _, err := h.Session.MakePackage(t.Context(), g); err != nil && (f != LostRequest || !driver.MayBeApplied(err)) {
			t.Fatalf("%s: %v", f, err)
		}
		if f == Throttle { // turned away and repeated
			h.packaged(t, "what was turned away", both, true)
			_, _, both = h.together(t)
			g.Parcel = both
			continue
		}
		h.packaged(t, "what was cut off", both, false)
	}
	h.arrange(t, LostReply, driver.OpGroup, 1)
	if _, err := h.Session.MakePackage(t.Context(), g); err == nil || !driver.MayBeApplied(err) {
		t.Fatalf("an answer that was lost: %v", err)
	}
	id := h.packaged(t, "looked at after the answer was lost", both, true)
	if again := h.mustPackage(t, g); again != id {
		t.Errorf("package %s became %s", id, again)
	}
}

func testBundle(t *testing.T, h *Shipping) {
	if h.Session == nil || !h.Session.Bundles() || h.Bagged == nil {
		t.Skip("it takes no bags")
	}
	p, waits := h.Parcel(t, 1), h.Parcel(t, 1)
	h.book(t, h.booking(t, "booking-1", p))
	bag, ok, err := h.Session.Bundle(t.Context(), driver.Bundling{Orders: []string{p.OrderIDs[0], waits.OrderIDs[0]}, DropOff: true})
	if err != nil || !ok || bag.ID == "" || len(bag.Refused) != 1 || bag.Refused[waits.OrderIDs[0]] == "" {
		t.Fatalf("%+v, %v, %v", bag, ok, err)
	}
	if got := h.Bagged(t, p.OrderIDs[0]); got != bag.ID {
		t.Errorf("in bag %q, want %q", got, bag.ID)
	}
	d, _, err := h.Session.BundleDocument(t.Context(), bag)
	if err != nil || d.Kind != driver.ManifestDocument || !printable(d) {
		t.Errorf("its document: %q %q, %v", d.Kind, d.Type, err)
	}
	other := h.Parcel(t, 1)
	h.book(t, h.booking(t, "booking-2", other))
	h.arrange(t, LostReply, driver.OpBundle, 1)
	if _, _, err := h.Session.Bundle(t.Context(), driver.Bundling{Orders: other.OrderIDs}); err == nil || !driver.MayBeApplied(err) {
		t.Errorf("an answer that was lost: %v", err)
	}
}
