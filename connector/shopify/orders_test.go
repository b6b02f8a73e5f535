package shopify

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
	sim "github.com/spillway/spillway/sim/shopify"
)

// orderNow reads one order through the API.
func orderNow(t *testing.T, c *channel, id string) order.Fact {
	t.Helper()
	got, err := c.OrdersByID(t.Context(), []string{id})
	if err != nil || len(got) != 1 {
		t.Fatalf("order %s: %d orders, %v", id, len(got), err)
	}
	return got[0]
}

// bulkNow reads one order out of a bulk file.
func bulkNow(t *testing.T, c *channel, id string) order.Fact {
	t.Helper()
	var got []order.Fact
	if err := c.Backfill(t.Context(), time.Time{}, func(f order.Fact) error {
		if f.ExternalID == id {
			got = append(got, f)
		}
		return nil
	}); err != nil || len(got) != 1 {
		t.Fatalf("order %s in the bulk file: %d times, %v", id, len(got), err)
	}
	return got[0]
}

// hookNow decodes the newest webhook about an order.
func hookNow(t *testing.T, s *shop, id string) order.Fact {
	t.Helper()
	want, err := s.Order(mustInt(t, id))
	if err != nil {
		t.Fatal(err)
	}
	for {
		s.inbox.mu.Lock()
		got := slices.Clone(s.inbox.got)
		s.inbox.mu.Unlock()
		var found *order.Fact
		for _, w := range got {
			env, err := Vendor{}.Verify(s.app, w.Header, w.Body)
			if err != nil {
				t.Fatal(err)
			}
			facts, err := Vendor{}.Decode(env.Topic, w.Body)
			if err != nil {
				t.Fatalf("%s: %v", env.Topic, err)
			}
			for _, f := range facts {
				if o := f.Order; o != nil && o.Kind == order.Snapshot && o.ExternalID == id && o.UpdatedAt.Equal(want.UpdatedAt) && o.StatusText == words(want) {
					found = o
				}
			}
		}
		if found != nil {
			return *found
		}
		select {
		case <-s.inbox.arrived:
		case <-time.After(10 * time.Second):
			t.Fatalf("no webhook shows order %s as %s", id, words(want))
		}
	}
}

// words is the status text of an order as a webhook shows it.
func words(o sim.Order) string {
	v := view{financial: o.Financial, fulfilment: o.Fulfillment}
	f := v.fact("", time.Time{})
	return f.StatusText
}

func mustInt(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestOneOrderThreeWays walks an order through its life and demands that the API, the webhook and the bulk file give the same
// fact at every step, in every version.
func TestOneOrderThreeWays(t *testing.T) {
	for _, version := range Versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			c := s.channel(t, version)
			hooks := httptest.NewServer(s.inbox)
			t.Cleanup(hooks.Close)
			if _, err := c.SubscribeWebhooks(t.Context(), hooks.URL); err != nil {
				t.Fatal(err)
			}
			check := func(id string, want order.Status, counts ...[3]int64) {
				t.Helper()
				api := orderNow(t, c, id)
				if api.Status != want {
					t.Errorf("order %s is %q (%s), want %q", id, api.Status, api.StatusText, want)
				}
				for i, n := range counts {
					l := api.Detail.Lines[i]
					if got := [3]int64{l.Qty, l.Cancelled, l.Shipped}; got != n {
						t.Errorf("line %d has quantity, cancelled, shipped %v, want %v", i+1, got, n)
					}
				}
				hook, bulk := hookNow(t, s, id), bulkNow(t, c, id)
				hook.ConnectionID = api.ConnectionID
				for name, f := range map[string]order.Fact{"webhook": hook, "bulk file": bulk} {
					f.ReadAt = api.ReadAt
					if diff := cmp.Diff(api, f); diff != "" {
						t.Errorf("the %s differs (-API +it):\n%s", name, diff)
					}
				}
			}
			o, err := s.PlaceOrder(sim.OrderInput{Lines: []sim.OrderLine{{SKU: "MUG-0", Quantity: 3}, {SKU: "MUG-1", Quantity: 1}}, Financial: "PENDING"})
			if err != nil {
				t.Fatal(err)
			}
			check(strconv.FormatInt(o.ID, 10), order.Unpaid, [3]int64{3, 0, 0}, [3]int64{1, 0, 0})
			if _, err := s.CancelOrder(o.ID, "INVENTORY", true); err != nil {
				t.Fatal(err)
			}
			id := strconv.FormatInt(o.ID, 10)
			check(id, order.Cancelled, [3]int64{3, 3, 0}, [3]int64{1, 1, 0})
			if f := orderNow(t, c, id); f.Detail.CancelReport.Fault != order.FaultSeller || f.Detail.Moments.CancelledAt.IsZero() {
				t.Errorf("cancel report %+v at %v", f.Detail.CancelReport, f.Detail.Moments.CancelledAt)
			}
			paid := s.place(t, strconv.FormatInt(s.variants[2].VariantID, 10), 2)
			check(paid, order.AwaitingShipment, [3]int64{2, 0, 0})
			if _, err := s.FulfillOrder(mustInt(t, paid), "UPS", "1Z"); err != nil {
				t.Fatal(err)
			}
			check(paid, order.InTransit, [3]int64{2, 0, 2})
			f := orderNow(t, c, paid)
			l := f.Detail.Lines[0]
			if l.SellerSKU != "MUG-2" || l.UnitPrice.String() != "12.50 USD" || f.Detail.Totals.Subtotal.String() != "25.00 USD" ||
				l.ExternalSKU != strconv.FormatInt(s.variants[2].VariantID, 10) || l.ExternalProduct != strconv.FormatInt(s.variants[2].ProductID, 10) {
				t.Errorf("line %+v, totals %+v", l, f.Detail.Totals)
			}
			if p := f.Detail.Parcels; len(p) != 1 || p[0].Ref == "" || p[0].Carrier != "UPS" || p[0].Tracking != "1Z" {
				t.Errorf("parcels %+v", p)
			}
			if r := f.Detail.Region; len(r) != len("US-CA") || r[:3] != "US-" {
				t.Errorf("region %q", r)
			}
			if f.Detail.Moments.HandedOverAt.IsZero() || f.Detail.PaidAt.IsZero() || f.Detail.Number == "" {
				t.Errorf("detail %+v", f.Detail)
			}
		})
	}
}

// TestHeldOrderIsHeld: a hold shows in the API only; webhooks have no word for it.
func TestHeldOrderIsHeld(t *testing.T) {
	s := newShop(t)
	c := s.channel(t, DefaultVersion)
	id := s.place(t, strconv.FormatInt(s.variants[0].VariantID, 10), 1)
	for on, want := range map[bool]order.Status{true: order.OnHold, false: order.AwaitingShipment} {
		if err := s.HoldOrder(mustInt(t, id), on); err != nil {
			t.Fatal(err)
		}
		if f := orderNow(t, c, id); f.Status != want {
			t.Errorf("hold %v: the order is %q, want %q", on, f.Status, want)
		}
	}
}

// TestLongOrders: orders with more lines than a page of them holds are read whole, through every way.
func TestLongOrders(t *testing.T) {
	s := newShop(t, func(o *sim.Options) { o.Unthrottled = true })
	in := sim.ProductInput{Title: "Wide"}
	var lines []sim.OrderLine
	for i := range 230 {
		sku := fmt.Sprint("W-", i)
		in.Variants = append(in.Variants, sim.VariantInput{SKU: sku, Stock: 10})
		lines = append(lines, sim.OrderLine{SKU: sku, Quantity: 1 + i%3})
	}
	if _, err := s.AddProduct(in); err != nil {
		t.Fatal(err)
	}
	o, err := s.PlaceOrder(sim.OrderInput{Lines: lines})
	if err != nil {
		t.Fatal(err)
	}
	c := s.channel(t, DefaultVersion)
	page, err := c.Orders(t.Context(), driver.OrderQuery{})
	if err != nil || len(page.Orders) != 1 {
		t.Fatalf("%d orders, %v", len(page.Orders), err)
	}
	id := strconv.FormatInt(o.ID, 10)
	for name, f := range map[string]order.Fact{"page": page.Orders[0], "by id": orderNow(t, c, id), "bulk": bulkNow(t, c, id)} {
		var units int64
		for _, l := range f.Detail.Lines {
			units += l.Qty
		}
		if len(f.Detail.Lines) != 230 || units != 230/3*(1+2+3)+1+2 {
			t.Errorf("%s: %d lines with %d units", name, len(f.Detail.Lines), units)
		}
	}
}

// TestShortBudgetGivesShorterPages: where the points do not last for the long orders of a page, the page ends before and the
// next one goes on there, so that polling always gets ahead.
func TestShortBudgetGivesShorterPages(t *testing.T) {
	t.Run("in full", func(t *testing.T) { testShortBudget(t, nil) })
	t.Run("beside nothing known", func(t *testing.T) {
		testShortBudget(t, func(string) (driver.Seen, bool) { return driver.Seen{}, false })
	})
}

func testShortBudget(t *testing.T, known func(string) (driver.Seen, bool)) {
	s := newShop(t)
	in := sim.ProductInput{Title: "Wide"}
	var lines []sim.OrderLine
	for i := range 100 {
		sku := fmt.Sprint("W-", i)
		in.Variants = append(in.Variants, sim.VariantInput{SKU: sku, Stock: 1000})
		lines = append(lines, sim.OrderLine{SKU: sku, Quantity: 1})
	}
	if _, err := s.AddProduct(in); err != nil {
		t.Fatal(err)
	}
	var want []string
	for range 12 {
		o, err := s.PlaceOrder(sim.OrderInput{Lines: lines})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, strconv.FormatInt(o.ID, 10))
	}
	now := time.Now()
	c := s.channel(t, DefaultVersion, func(e *driver.Env) { e.Now = func() time.Time { return now } })
	var got []string
	cursor, pages := "", 0
	for {
		page, err := c.Orders(t.Context(), driver.OrderQuery{Cursor: cursor, Known: known})
		if driver.ClassOf(err) == driver.RetryAfter && err != nil {
			break // the clock stands still, so nothing more comes
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range page.Orders {
			if len(f.Detail.Lines) != 100 {
				t.Fatalf("order %s has %d lines", f.ExternalID, len(f.Detail.Lines))
			}
			got = append(got, f.ExternalID)
		}
		pages++
		if cursor = page.Next; cursor == "" {
			t.Fatal("the last page came although the budget cannot have lasted")
		}
	}
	if len(got) == 0 || len(got) >= len(want) || !slices.Equal(got, want[:len(got)]) || s.Counts().Throttled != 0 {
		t.Errorf("got %d of %d orders in %d pages, refused %d times", len(got), len(want), pages, s.Counts().Throttled)
	}
}

// TestSentUnits covers what the counts of an order alone can and cannot tell.
func TestSentUnits(t *testing.T) {
	line := func(id string, qty, current, open int64) lineNode {
		return lineNode{ID: id, Quantity: qty, Current: current, Unfulfilled: open}
	}
	parcel := func(units int64, status string) parcelNode { return parcelNode{Units: units, Status: status} }
	for name, tc := range map[string]struct {
		lines   []lineNode
		parcels []parcelNode
		want    map[string][2]int64 // cancelled, shipped
		ask     bool
	}{
		"open":                          {lines: []lineNode{line("a", 3, 3, 3)}, want: map[string][2]int64{"a": {0, 0}}},
		"partly sent":                   {[]lineNode{line("a", 3, 3, 1)}, []parcelNode{parcel(2, "SUCCESS")}, map[string][2]int64{"a": {0, 2}}, false},
		"one removed, one sent":         {[]lineNode{line("a", 3, 2, 1)}, []parcelNode{parcel(1, "SUCCESS")}, map[string][2]int64{"a": {1, 1}}, false},
		"sent, then one refunded":       {[]lineNode{line("a", 2, 1, 0)}, []parcelNode{parcel(2, "SUCCESS")}, map[string][2]int64{"a": {0, 2}}, false},
		"two sent and refunded":         {[]lineNode{line("a", 2, 1, 0), line("b", 2, 1, 0)}, []parcelNode{parcel(3, "SUCCESS")}, nil, true},
		"a cancelled parcel":            {[]lineNode{line("a", 2, 2, 2)}, []parcelNode{parcel(2, "CANCELLED")}, map[string][2]int64{"a": {0, 0}}, false},
		"both removed before and after": {[]lineNode{line("a", 3, 1, 0)}, []parcelNode{parcel(2, "SUCCESS")}, map[string][2]int64{"a": {1, 2}}, false},
	} {
		o := &orderNode{Parcels: tc.parcels, Lines: page[lineNode]{Nodes: tc.lines}}
		shipped, ok := o.guessSent()
		if ok == tc.ask {
			t.Errorf("%s: must ask = %v", name, !ok)
			continue
		}
		if tc.ask {
			continue
		}
		for _, l := range o.view(shipped).lines {
			if got := [2]int64{l.cancelled, l.shipped}; got != tc.want[l.id] {
				t.Errorf("%s: line %s has cancelled, shipped %v, want %v", name, l.id, got, tc.want[l.id])
			}
		}
	}
}
