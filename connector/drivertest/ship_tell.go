package drivertest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/spillway/spillway/connector/driver"
)

// tell tells of a parcel and demands that the channel knows its number.
func (h *Shipping) tell(t *testing.T, d driver.Dispatch) driver.Told {
	t.Helper()
	got, ok, err := h.Session.Tell(t.Context(), d)
	if err != nil || !ok {
		t.Fatalf("Tell: %v, %v", ok, err)
	}
	if got.Tracking != d.Tracking {
		t.Fatalf("told %q, the channel knows %+v", d.Tracking, got)
	}
	return got
}

// known are the parcels of an order that the channel has a number for.
func (h *Shipping) known(t *testing.T, orderID string) []driver.Told {
	t.Helper()
	all, ok, err := h.Session.Told(t.Context(), orderID)
	if err != nil || !ok {
		t.Fatalf("Told: %v, %v", ok, err)
	}
	return slices.DeleteFunc(all, func(p driver.Told) bool { return p.Tracking == "" })
}

func testProviders(t *testing.T, h *Shipping) {
	h.tells(t)
	list := h.providers(t, h.Dispatch(t, 1).OrderID)
	seen := map[string]bool{}
	for _, p := range list {
		if p.ID == "" || p.Name == "" || seen[p.ID] {
			t.Errorf("provider %+v has no id, no name, or is there twice", p)
		}
		seen[p.ID] = true
	}
}

func (h *Shipping) providers(t *testing.T, orderID string) []driver.Provider {
	t.Helper()
	list, err := h.RawChannel.(driver.Dispatcher).Providers(t.Context(), orderID)
	if err != nil || len(list) == 0 {
		t.Fatalf("%d providers, %v", len(list), err)
	}
	return list
}

func testTell(t *testing.T, h *Shipping) {
	h.tells(t)
	d := h.Dispatch(t, 2)
	if before := h.known(t, d.OrderID); len(before) != 0 {
		t.Fatalf("before it is told the channel knows %+v", before)
	}
	told := h.tell(t, d)
	after := h.known(t, d.OrderID)
	if len(after) != 1 || after[0].Tracking != d.Tracking || after[0].PackageID != told.PackageID || !strings.EqualFold(after[0].Provider, d.Carrier) {
		t.Errorf("told %+v, the channel knows %+v", told, after)
	}
}

func testTellTwice(t *testing.T, h *Shipping) {
	h.tells(t)
	d := h.Dispatch(t, 1)
	first, second := h.tell(t, d), h.tell(t, d)
	if first.PackageID != second.PackageID || first.Corrections != second.Corrections && second.Corrections != -1 { // read back, a channel may not tell
		t.Errorf("told twice it answers %+v and %+v", first, second)
	}
	if after := h.known(t, d.OrderID); len(after) != 1 {
		t.Errorf("the channel knows %+v", after)
	}
}

func testTellLostReply(t *testing.T, h *Shipping) {
	raw := h.tells(t)
	d := h.Dispatch(t, 1)
	h.arrange(t, LostReply, driver.OpTell, 1)
	if _, err := raw.Tell(t.Context(), d); err == nil || !driver.MayBeApplied(err) || driver.ClassOf(err) != driver.Retry {
		t.Fatalf("telling whose answer was lost: %v; it may be told", err)
	}
	h.tell(t, d)
	if after := h.known(t, d.OrderID); len(after) != 1 {
		t.Errorf("the channel knows %+v", after)
	}
}

func testTellLostRequest(t *testing.T, h *Shipping) {
	h.tells(t)
	d := h.Dispatch(t, 1)
	h.arrange(t, LostRequest, driver.OpTell, 1)
	h.tell(t, d) // the session repeats what may be told twice
	if after := h.known(t, d.OrderID); len(after) != 1 {
		t.Errorf("the channel knows %+v", after)
	}
}

func testTellTurnedAway(t *testing.T, h *Shipping) {
	raw := h.tells(t)
	classes := map[Fault]driver.Class{Throttle: driver.RetryAfter, Unavailable: driver.Retry, TokenExpired: driver.RefreshLogin}
	for _, f := range []Fault{Throttle, Unavailable, TokenExpired} { // the last renews the login, after which the driver's own token is old
		d, want := h.Dispatch(t, 1), classes[f]
		if !h.Arrange(t, f, driver.OpTell, 1) {
			continue
		}
		_, err := raw.Tell(t.Context(), d)
		if e, ok := errors.AsType[*driver.Error](err); !ok || e.Class != want || f != Unavailable && e.Applied {
			t.Errorf("%s: %v", f, err)
		}
		h.Arrange(t, f, driver.OpTell, 1)
		h.tell(t, d)
	}
}

func testTellParts(t *testing.T, h *Shipping) {
	h.tells(t)
	if h.TellsWhole {
		t.Skip("an order is told of as a whole")
	}
	d := h.Dispatch(t, 3)
	a, b := halves(driver.Parcel{Lines: d.Lines})
	first, second := d, d
	first.Lines, second.Lines = a.Lines, b.Lines
	first.ExternalLineIDs, second.ExternalLineIDs = a.Lines[0].ExternalLineIDs, b.Lines[0].ExternalLineIDs
	second.Tracking = h.Number()
	one := h.tell(t, first)
	two := h.tell(t, second)
	if one.PackageID == two.PackageID {
		t.Errorf("two parcels are one: %+v, %+v", one, two)
	}
	h.tell(t, first)
	h.tell(t, second)
	all := h.known(t, d.OrderID)
	if len(all) != 2 {
		t.Fatalf("the channel knows %+v", all)
	}
	for _, p := range all {
		if p.PackageID == one.PackageID && p.Tracking != first.Tracking || p.PackageID == two.PackageID && p.Tracking != second.Tracking || len(p.Lines) == 0 {
			t.Errorf("parcel %+v has another's number, or nothing in it", p)
		}
	}
}

func testCorrect(t *testing.T, h *Shipping) {
	raw := h.tells(t)
	d := h.Dispatch(t, 1)
	told := h.tell(t, d)
	if told.Corrections == 0 {
		t.Skip("a number cannot be corrected")
	}
	for left := told.Corrections; ; {
		d.Tracking = h.Number()
		got, ok, err := h.Session.Correct(t.Context(), d, told)
		if err != nil || !ok || got.Tracking != d.Tracking {
			t.Fatalf("Correct: %+v, %v, %v", got, ok, err)
		}
		if all := h.known(t, d.OrderID); len(all) != 1 || all[0].Tracking != d.Tracking {
			t.Fatalf("corrected to %s, the channel knows %+v", d.Tracking, all)
		}
		told = got
		if left--; left <= 0 {
			break
		}
		if got.Corrections != left {
			t.Errorf("%d corrections are left, want %d", got.Corrections, left)
		}
	}
	if told.Corrections == 0 {
		d.Tracking = h.Number()
		_, err := raw.Correct(t.Context(), d, told)
		refused(t, "one correction too many", err)
	}
}

func testProviderNames(t *testing.T, h *Shipping) {
	raw := h.tells(t)
	for _, p := range h.providers(t, h.Dispatch(t, 1).OrderID) {
		d := h.Dispatch(t, 1)
		d.Carrier, d.ProviderID = strings.ToUpper(p.Name)+" ", ""
		d.Tracking = h.Number()
		got, err := raw.Tell(t.Context(), d)
		if err != nil || !strings.EqualFold(got.Provider, p.Name) {
			t.Errorf("%q became %q: %v", d.Carrier, got.Provider, err)
		}
	}
	d := h.Dispatch(t, 1)
	d.Carrier = "no such carrier"
	if got, err := raw.Tell(t.Context(), d); err != nil {
		refused(t, d.Carrier, err)
	} else if got.Provider != d.Carrier {
		t.Errorf("a carrier nobody knows became %q", got.Provider)
	}
}

func testUntellable(t *testing.T, h *Shipping) {
	raw := h.tells(t)
	for why, make := range h.Untellable {
		_, err := raw.Tell(t.Context(), make(t))
		refused(t, why, err)
	}
}
