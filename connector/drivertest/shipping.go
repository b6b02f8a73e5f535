package drivertest

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
)

// Shipping is a shipper, a channel that is told of parcels, or both, with a running simulator of its own, fresh for each test. What it cannot do stays nil
// and its tests are skipped. Functions fail the test themselves.
type Shipping struct {
	// Arrange makes the next calls of op fail that change something (OpBook, OpVoid, OpTell) or read (OpFind, OpDocument, OpOrder). It reports false where
	// there is no such failure.
	Arrange func(t *testing.T, f Fault, op driver.Operation, times int) bool

	// Shipper is behind pacing and retries, Raw is the driver's own.
	Shipper *connector.Shipper
	Raw     driver.Shipper
	// Parcel makes a parcel of units pieces of one order that may be shipped now.
	Parcel func(t *testing.T, units int) driver.Parcel
	// Paid counts the labels of a parcel's orders that are paid, voided ones not among them.
	Paid func(t *testing.T, p driver.Parcel) int
	// Unshippable are parcels that nobody ships as they are (held, cancelled, the platform's own), by why.
	Unshippable map[string]func(t *testing.T) driver.Parcel
	// Split says that two parcels of one order may be booked.
	Split bool

	// Divisible makes a parcel of an order of two lines that the channel lets be split before it ships; nil: it is split while it ships, or not at all.
	Divisible func(t *testing.T) driver.Parcel
	// Together makes two parcels of one buyer that the channel lets ship as one; nil: it does not.
	Together func(t *testing.T) (a, b driver.Parcel)
	// Bagged is the bag an order is in; nil: the channel takes none, or not here.
	Bagged func(t *testing.T, orderID string) string

	// Session is that of a channel; RawChannel is the driver's own.
	Session    *connector.Session
	RawChannel driver.Channel
	// Dispatch makes what is told of one parcel of an order of units pieces that waits to be shipped: all of it, under a number nobody used.
	Dispatch func(t *testing.T, units int) driver.Dispatch
	// TellsWhole says that an order is told of as a whole: parts are made by the platform.
	TellsWhole bool
	// Number is another tracking number nobody used, of the same carrier.
	Number func() string
	// Untellable are parcels the channel refuses to hear of, by why.
	Untellable map[string]func(t *testing.T) driver.Dispatch
	// Recipient places an order and returns its id with where it goes, as the simulator knows it.
	Recipient func(t *testing.T) (orderID string, at driver.Address)
	// Masked places an order whose address the channel does not tell; nil: it tells all.
	Masked func(t *testing.T) (orderID string)
	// Log is what Session and RawChannel log to.
	Log *LogBook
}

// RunShipping runs the contract of driver.Shipper, driver.Dispatcher and driver.Recipients. fresh starts a simulator and returns a harness around it; it
// registers its own clean-up.
func RunShipping(t *testing.T, fresh func(t *testing.T) *Shipping) {
	parts := []struct {
		name string
		run  func(*testing.T, *Shipping)
	}{
		{"a parcel is quoted", testQuote},
		{"a parcel is booked and found", testBook},
		{"the same booking twice", testBookTwice},
		{"lost reply of a booking", testBookLostReply},
		{"lost request of a booking", testBookLostRequest},
		{"a booking that is turned away", testBookTurnedAway},
		{"errors of a booking are classed", testBookClasses},
		{"two parcels of one order", testBookSplit},
		{"parcels nobody ships", testUnshippable},
		{"an order is split before it ships", testPackageSplit},
		{"what cannot be split", testPackageIndivisible},
		{"two orders share a label", testPackageCombine},
		{"combined orders are taken apart", testPackageUncombine},
		{"combining that fails", testPackageFaults},
		{"parcels in a bag", testBundle},
		{"the label is fetched", testDocument},
		{"a void asked twice", testVoid},
		{"lost reply of a void", testVoidLostReply},
		{"carriers the channel accepts", testProviders},
		{"a number is told and read back", testTell},
		{"the same number told twice", testTellTwice},
		{"lost reply of telling", testTellLostReply},
		{"lost request of telling", testTellLostRequest},
		{"telling that is turned away", testTellTurnedAway},
		{"two parcels are told", testTellParts},
		{"a number is corrected", testCorrect},
		{"carriers are found by name", testProviderNames},
		{"parcels the channel refuses", testUntellable},
		{"where an order goes", testRecipient},
		{"a masked address", testMasked},
	}
	for _, part := range parts {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.run(t, fresh(t))
		})
	}
}

// ShippingOf makes the shipping part of a vendor's harness: session, driver and log. Whoever calls it fills in the rest.
func ShippingOf(t *testing.T, h *Harness) *Shipping {
	t.Helper()
	book := &LogBook{}
	store := &grants{grant: h.Grant}
	client := h.client()
	login := connector.NewLogin(connector.LoginOptions{Vendor: h.Vendor, App: h.App, Client: client, Load: store.load, Save: store.save, Now: h.Now})
	session, err := connector.Open(connector.Options{Vendor: h.Vendor, Connection: h.Connection, Tokens: login.Tokens(), Client: client, Now: h.Now, Log: slog.New(book)})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	raw, err := h.Vendor.Open(h.Connection, driver.Env{
		Client: client, Files: client, Token: h.bareToken, Now: h.now, Log: slog.New(book),
		Pace: func(context.Context, driver.Operation) error { return nil }, Seen: func(driver.Exchange) {},
	})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	s := &Shipping{Session: session, RawChannel: raw, Log: book}
	if own, ok := session.Shipper(); ok {
		s.Shipper, s.Raw = &own, raw.(driver.Shipper)
	}
	return s
}

// FreightOf makes the shipping part of a carrier's account: session, driver and log. Whoever calls it fills in the rest.
func FreightOf(t *testing.T, c driver.Carrier, account driver.CarrierAccount) *Shipping {
	t.Helper()
	book := &LogBook{}
	client := connector.NewClient(connector.ClientOptions{AllowLoopback: true})
	f, err := connector.OpenCarrier(connector.CarrierOptions{Carrier: c, Account: account, Client: client, Log: slog.New(book)})
	if err != nil {
		t.Fatalf("OpenCarrier: %v", err)
	}
	raw, err := c.Open(account, driver.Env{
		Client: client, Files: client, Token: func(context.Context) (string, error) { return "", nil }, Log: slog.New(book),
		Pace: func(context.Context, driver.Operation) error { return nil }, Seen: func(driver.Exchange) {},
	})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return &Shipping{Shipper: &f.Shipper, Raw: raw, Log: book}
}

// ships skips the test unless there is a shipper.
func (h *Shipping) ships(t *testing.T) {
	t.Helper()
	if h.Shipper == nil {
		t.Skip("it ships nothing itself")
	}
}

// tells skips the test unless the channel is told of parcels, which it must be where it says so.
func (h *Shipping) tells(t *testing.T) driver.Dispatcher {
	t.Helper()
	if h.Session == nil {
		t.Skip("it is no channel")
	}
	d, ok := h.RawChannel.(driver.Dispatcher)
	for _, c := range h.Session.Vendor().Capabilities {
		if c.Name == "tracking write" && (c.Support == driver.Yes) != ok {
			t.Fatalf("%q is declared as %s, and the driver is a Dispatcher: %v", c.Name, c.Support, ok)
		}
	}
	if !ok || h.Dispatch == nil {
		t.Skip("the channel is told of no parcels")
	}
	return d
}

func (h *Shipping) arrange(t *testing.T, f Fault, op driver.Operation, times int) {
	t.Helper()
	if h.Arrange == nil || !h.Arrange(t, f, op, times) {
		t.Skipf("there is no %q", f)
	}
}

// booking asks for a parcel with the first thing it is offered.
func (h *Shipping) booking(t *testing.T, id string, p driver.Parcel) driver.Booking {
	t.Helper()
	quotes, err := h.Shipper.Quote(t.Context(), p)
	if err != nil || len(quotes) == 0 {
		t.Fatalf("%d quotes, %v", len(quotes), err)
	}
	b := driver.Booking{ID: id, Parcel: p, Quote: quotes[0], Format: "PDF"}
	if len(b.Quote.Slots) > 0 {
		b.Slot = b.Quote.Slots[0]
	}
	return b
}

// book books a parcel and demands that it is done.
func (h *Shipping) book(t *testing.T, b driver.Booking) driver.Booked {
	t.Helper()
	got, err := h.Shipper.Book(t.Context(), b)
	if err != nil {
		t.Fatalf("Book: %v", err)
	}
	return h.settled(t, b, got)
}

// settled demands that a booking is done, and asks again while it is not decided.
func (h *Shipping) settled(t *testing.T, b driver.Booking, got driver.Booked) driver.Booked {
	t.Helper()
	for range 100 {
		if got.State != driver.BookingPending {
			break
		}
		again, found, err := h.Shipper.Find(t.Context(), b)
		if err != nil || !found {
			t.Fatalf("a pending booking is found: %v, %v", found, err)
		}
		got = again
	}
	if got.State != driver.BookingDone || got.ID != b.ID || got.Ref == "" {
		t.Fatalf("the booking is %+v", got)
	}
	return got
}

func (h *Shipping) paid(t *testing.T, p driver.Parcel, want int) {
	t.Helper()
	if got := h.Paid(t, p); got != want {
		t.Errorf("%d labels are paid, want %d", got, want)
	}
}

// found demands that what was booked is read back alike.
func (h *Shipping) found(t *testing.T, b driver.Booking) driver.Booked {
	t.Helper()
	got, found, err := h.Shipper.Find(t.Context(), b)
	if err != nil || !found {
		t.Fatalf("a booking is found: %v, %v", found, err)
	}
	return h.settled(t, b, got)
}

// printable reports whether a document is of the type it says.
func printable(d driver.Document) bool {
	switch d.Type {
	case "application/pdf", "image/png":
		return http.DetectContentType(d.Data) == d.Type
	case "application/zpl":
		return len(d.Data) > 2 && string(d.Data[:3]) == "^XA"
	}
	return false
}
