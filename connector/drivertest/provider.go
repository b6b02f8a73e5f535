package drivertest

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/tracking"
)

// Provider is a logistics provider's account with a running simulator of its own, fresh for each test.
type Provider struct {
	*Shipping // Paid counts the standing orders of a parcel's order

	Carrier driver.Carrier
	Account driver.CarrierAccount
	// Now is the simulator's clock; Pass moves it on and returns when everything due by then was done and told.
	Now  func() time.Time
	Pass func(t *testing.T, d time.Duration)
	// Ships is after how long an order has surely left, and Delivers when it has surely arrived; zero: the provider does not tell.
	Ships, Delivers time.Duration
	// OneWay says that it takes messages and answers them later: numbers and what became of voids come as news only.
	OneWay bool
	// Stuck makes a parcel the provider takes in and cannot ship; nil: there is none.
	Stuck func(t *testing.T) driver.Parcel
	// Subscribe sends the provider's webhooks to an address; nil: it has none.
	Subscribe func(address string)
	// Kept is what the provider has, by SKU and place, as the simulator knows it.
	Kept func() map[[2]string]driver.Kept
	// Many hands over so many orders that following them takes more than a page; nil: too many.
	Many func(t *testing.T) int
}

// RunProvider runs the contract of a driver.Carrier that keeps the stock and ships from it.
func RunProvider(t *testing.T, fresh func(t *testing.T) *Provider) {
	parts := []struct {
		name string
		run  func(*testing.T, *Provider)
	}{
		{"it says what it is", testProviderDescribe},
		{"an order is handed over and found", testProviderBook},
		{"the same booking twice", shippingPart(testBookTwice)},
		{"the same booking by many at once", testProviderAtOnce},
		{"lost reply of a booking", shippingPart(testBookLostReply)},
		{"lost request of a booking", shippingPart(testBookLostRequest)},
		{"a booking that is turned away", shippingPart(testBookTurnedAway)},
		{"errors of a booking are classed", shippingPart(testBookClasses)},
		{"two parcels of one order", shippingPart(testBookSplit)},
		{"orders nobody ships", shippingPart(testUnshippable)},
		{"a void asked twice", shippingPart(testVoid)},
		{"lost reply of a void", shippingPart(testVoidLostReply)},
		{"a void of what has left", testProviderVoidLate},
		{"there is no label", testProviderDocument},
		{"orders are followed", testProviderFollow},
		{"orders are followed over pages", testProviderPages},
		{"what cannot ship is told", testProviderStuck},
		{"webhooks tell the same", testProviderWebhooks},
		{"forged webhooks", testProviderForged},
		{"topics of tomorrow", testProviderTopics},
		{"stock is read", testProviderStock},
	}
	for _, part := range parts {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.run(t, fresh(t))
		})
	}
}

func shippingPart(run func(*testing.T, *Shipping)) func(*testing.T, *Provider) {
	return func(t *testing.T, h *Provider) { run(t, h.Shipping) }
}

func testProviderDescribe(t *testing.T, h *Provider) {
	d := h.Carrier.Describe()
	if !d.Keeps || d.Name == "" || d.Title == "" || d.Docs == "" || d.Owner == "" || d.RequestLifetime <= 0 || d.Limits.Default <= 0 {
		t.Errorf("it is %+v", d)
	}
	for can, is := range map[driver.ShipAbility]bool{driver.CanFollow: as[driver.Follower](h.Raw), driver.CanStock: as[driver.StockKeeper](h.Raw), driver.CanManifest: as[driver.Manifester](h.Raw)} {
		says := false
		for _, c := range d.Can {
			says = says || c == can
		}
		if says != is {
			t.Errorf("it says of %q %v, and the driver does it: %v", can, says, is)
		}
	}
}

func as[T any](v any) bool {
	_, ok := v.(T)
	return ok
}

func testProviderBook(t *testing.T, h *Provider) {
	p := h.Parcel(t, 2)
	b := h.booking(t, "booking-1", p)
	if got, found, err := h.Shipper.Find(t.Context(), b); err != nil || found {
		t.Fatalf("before it is booked it is found: %v, %+v, %v", found, got, err)
	}
	h.paid(t, p, 0)
	booked := h.book(t, b)
	h.paid(t, p, 1)
	if booked.Tracking != "" {
		t.Errorf("it has a number before anybody packed it: %+v", booked)
	}
	if found := h.found(t, b); found.Ref != booked.Ref {
		t.Errorf("booked %+v, found %+v", booked, found)
	}
	h.Pass(t, h.Ships)
	if found := h.found(t, b); !h.OneWay && (found.Tracking == "" || found.Carrier == "") {
		t.Errorf("after %s it is %+v", h.Ships, found)
	}
	other := b
	other.ID = "booking-2"
	if got, found, err := h.Shipper.Find(t.Context(), other); err != nil || found {
		t.Errorf("another booking is found: %v, %+v, %v", found, got, err)
	}
}

func testProviderAtOnce(t *testing.T, h *Provider) {
	b := h.booking(t, "booking-1", h.Parcel(t, 1))
	first := h.book(t, b)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if got, err := h.Raw.Book(t.Context(), b); err != nil || got.Ref != first.Ref {
				t.Errorf("booked %+v, %v; the first was %+v", got, err, first)
			}
		})
	}
	wg.Wait()
	h.paid(t, b.Parcel, 1)
}

func testProviderVoidLate(t *testing.T, h *Provider) {
	want := driver.VoidRefused
	if h.OneWay {
		want = driver.VoidAsked
	}
	b := h.booking(t, "booking-1", h.Parcel(t, 1))
	booked := h.book(t, b)
	h.Pass(t, h.Ships)
	for range 2 {
		if got, err := h.Shipper.Void(t.Context(), booked); got != want || err != nil {
			t.Errorf("a void of what has left: %q, %v", got, err)
		}
	}
	h.paid(t, b.Parcel, 1)
}

func testProviderDocument(t *testing.T, h *Provider) {
	booked := h.book(t, h.booking(t, "booking-1", h.Parcel(t, 1)))
	_, err := h.Shipper.Document(t.Context(), booked, driver.LabelDocument, "PDF")
	e, ok := errors.AsType[*driver.Error](err)
	if !ok || e.Class != driver.GiveUp || e.Applied || len(e.Message) < 20 {
		t.Errorf("a label of a provider: %v; it gives up and says why", err)
	}
}

// told reads all news since a moment, page by page.
func (h *Provider) told(t *testing.T, since time.Time) (news []driver.ParcelNews, pages int) {
	t.Helper()
	for cursor := ""; ; {
		p, ok, err := h.Shipper.Parcels(t.Context(), since, cursor)
		if err != nil || !ok {
			t.Fatalf("Parcels: %v, %v", ok, err)
		}
		news, pages = append(news, p.News...), pages+1
		if cursor = p.Next; cursor == "" {
			return news, pages
		}
		if pages > 100 {
			t.Fatal("the pages have no end")
		}
	}
}

// shipped is the news of a booking with its number.
func shipped(t *testing.T, news []driver.ParcelNews, b driver.Booking) driver.ParcelNews {
	t.Helper()
	for _, n := range news {
		if n.BookingID == b.ID && n.Tracking != "" {
			return n
		}
	}
	t.Fatalf("of %d news none says that %s has shipped", len(news), b.ID)
	return driver.ParcelNews{}
}

func checkNews(t *testing.T, n driver.ParcelNews, b driver.Booking, ref string) {
	t.Helper()
	if n.Booked == nil || n.Ref != ref || n.Booked.Tracking != n.Tracking || n.Booked.Carrier == "" {
		t.Fatalf("the news is %+v, the booking %s", n, ref)
	}
	if v := tracking.Valid(n.Tracking, n.Booked.Carrier); v == tracking.NumberWrong {
		t.Errorf("%s is no number of %s", n.Tracking, n.Booked.Carrier)
	}
	have, want := map[string]int64{}, map[string]int64{}
	for _, l := range n.Shipped {
		have[l.SKU] += l.Qty
	}
	for _, l := range b.Parcel.Lines {
		want[l.SKU] += l.Qty
	}
	for sku, n := range want {
		if have[sku] != n {
			t.Errorf("%d units of %s are in the parcel, want %d", have[sku], sku, n)
		}
	}
	for _, e := range n.Events {
		if e.At.IsZero() || e.Word == "" {
			t.Errorf("event %+v", e)
		}
		known := false
		for _, s := range tracking.Statuses {
			known = known || e.Status == string(s)
		}
		if !known {
			t.Errorf("%q is no status", e.Status)
		}
	}
}

func testProviderFollow(t *testing.T, h *Provider) {
	start := h.Now()
	b := h.booking(t, "booking-1", h.Parcel(t, 2))
	booked := h.book(t, b)
	h.Pass(t, h.Ships)
	news, _ := h.told(t, start)
	checkNews(t, shipped(t, news, b), b, booked.Ref)
	if late, _ := h.told(t, h.Now().Add(time.Hour)); len(late) != 0 {
		t.Errorf("%d news of the future", len(late))
	}
	if h.Delivers == 0 {
		return
	}
	h.Pass(t, h.Delivers)
	news, _ = h.told(t, start)
	if events := shipped(t, news, b).Events; len(events) == 0 || events[len(events)-1].Status != string(tracking.Delivered) {
		t.Errorf("after its delivery the events are %+v", events)
	}
}

func testProviderPages(t *testing.T, h *Provider) {
	if h.Many == nil {
		t.Skip("there is one page")
	}
	n := h.Many(t)
	h.Pass(t, h.Ships)
	news, pages := h.told(t, time.Time{})
	seen := map[string]bool{}
	for _, n := range news {
		seen[n.BookingID] = true
	}
	if len(seen) != n || pages < 2 {
		t.Errorf("%d of %d orders on %d pages", len(seen), n, pages)
	}
}

func testProviderStuck(t *testing.T, h *Provider) {
	if h.Stuck == nil {
		t.Skip("everything it takes in ships")
	}
	b := h.booking(t, "booking-1", h.Stuck(t))
	h.book(t, b)
	h.Pass(t, h.Ships)
	news, _ := h.told(t, time.Time{})
	for _, n := range news {
		if n.BookingID == b.ID && n.Exception != "" && n.Tracking == "" {
			if n.Booked != nil { // it may arrive after the news that it shipped
				t.Errorf("an exception without a number brings a booking: %+v", n.Booked)
			}
			return
		}
	}
	t.Errorf("nobody tells why it does not ship: %+v", news)
}

// message is a webhook as it came.
type message struct {
	header http.Header
	body   []byte
}

// listen takes webhooks.
func (h *Provider) listen(t *testing.T) func() []message {
	t.Helper()
	if h.Subscribe == nil {
		t.Skip("it sends nothing")
	}
	var mu sync.Mutex
	var all []message
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, message{r.Header, body.Bytes()})
	}))
	t.Cleanup(srv.Close)
	h.Subscribe(srv.URL)
	return func() []message {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

func testProviderWebhooks(t *testing.T, h *Provider) {
	got := h.listen(t)
	b := h.booking(t, "booking-1", h.Parcel(t, 2))
	booked := h.book(t, b)
	h.Pass(t, h.Ships)
	var news []driver.ParcelNews
	ids := map[string]bool{}
	for _, m := range got() {
		e, err := h.Carrier.Verify(h.Account, m.header, m.body)
		if err != nil || e.DeliveryID == "" || e.Topic == "" {
			t.Fatalf("Verify: %+v, %v", e, err)
		}
		ids[e.DeliveryID] = true
		n, err := h.Carrier.Decode(e.Topic, m.body)
		if err != nil {
			t.Fatalf("Decode of %q: %v", e.Topic, err)
		}
		news = append(news, n...)
	}
	if len(ids) != len(got()) {
		t.Errorf("%d messages have %d ids", len(got()), len(ids))
	}
	checkNews(t, shipped(t, news, b), b, booked.Ref)
	polled, _ := h.told(t, time.Time{})
	if a, b := shipped(t, news, b), shipped(t, polled, b); a.Tracking != b.Tracking || a.Ref != b.Ref {
		t.Errorf("the webhook tells %+v, the page %+v", a, b)
	}
}

func testProviderForged(t *testing.T, h *Provider) {
	got := h.listen(t)
	h.book(t, h.booking(t, "booking-1", h.Parcel(t, 1)))
	h.Pass(t, h.Ships)
	if len(got()) == 0 {
		t.Fatal("no webhook came")
	}
	m := got()[0]
	refused := func(why string, account driver.CarrierAccount, header http.Header, body []byte) {
		t.Helper()
		if e, err := h.Carrier.Verify(account, header, body); err == nil || driver.ClassOf(err) != driver.Forged {
			t.Errorf("%s: %+v, %v", why, e, err)
		}
	}
	for i := range m.body {
		body := bytes.Clone(m.body)
		body[i] ^= 1
		refused("a changed byte", h.Account, m.header, body)
	}
	refused("no signature", h.Account, http.Header{}, m.body)
	refused("an account without secrets", driver.CarrierAccount{ID: h.Account.ID}, m.header, m.body)
	other := driver.CarrierAccount{ID: "b", Settings: map[string]string{}}
	for k, v := range h.Account.Settings {
		other.Settings[k] = strings.ReplaceAll(v, "c", "d")
	}
	refused("another account's secret", other, m.header, m.body)
}

func testProviderTopics(t *testing.T, h *Provider) {
	if h.Subscribe == nil {
		t.Skip("it sends nothing")
	}
	if n, err := h.Carrier.Decode("topic.of.tomorrow", []byte(`{"a":1}`)); len(n) != 0 || err != nil {
		t.Errorf("a topic of tomorrow: %+v, %v", n, err)
	}
}

func testProviderStock(t *testing.T, h *Provider) {
	h.book(t, h.booking(t, "booking-1", h.Parcel(t, 2)))
	h.Pass(t, 0)
	want := h.Kept()
	have := map[[2]string]driver.Kept{}
	for cursor, pages := "", 0; ; pages++ {
		p, ok, err := h.Shipper.Stock(t.Context(), cursor)
		if err != nil || !ok || pages > 100 {
			t.Fatalf("Stock: %v, %v, page %d", ok, err, pages)
		}
		for _, k := range p.Items {
			have[[2]string{k.SKU, k.LocationID}] = k
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	if len(have) != len(want) || len(want) == 0 {
		t.Errorf("%d shelves, want %d", len(have), len(want))
	}
	for at, w := range want {
		if k := have[at]; k.OnHand != w.OnHand || k.Reserved != w.Reserved || k.Blocked != w.Blocked || k.At.IsZero() {
			t.Errorf("%v is %+v, want %+v", at, k, w)
		}
	}
}

// CheckProviderDocs demands that a carrier's page holds the table of its settings as they are now. root is the repository's.
func CheckProviderDocs(t *testing.T, c driver.Carrier, root string) {
	t.Helper()
	d := c.Describe()
	page, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(d.Docs)))
	if err != nil {
		t.Fatal(err)
	}
	if table := Settings(driver.Description{AppSettings: d.Settings}); !strings.Contains(string(page), table) {
		t.Errorf("%s does not hold this table as it is now:\n%s", d.Docs, table)
	}
}
