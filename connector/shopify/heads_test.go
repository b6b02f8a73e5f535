package shopify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
	sim "github.com/spillway/spillway/sim/shopify"
	"github.com/spillway/spillway/sim/world"
)

// meter adds up the points of requests: what the bucket had to hold for them, and what the shop says it charged in the end.
type meter struct {
	mu    sync.Mutex
	sum   bill
	spoil func([]byte) []byte // changes answers on their way; nil: none
}

type bill struct {
	held, charged float64
	requests      int
}

func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	var answer struct {
		Extensions struct {
			Cost struct {
				Held    float64 `json:"requestedQueryCost"`
				Charged float64 `json:"actualQueryCost"`
			} `json:"cost"`
		} `json:"extensions"`
	}
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sum.held += answer.Extensions.Cost.Held
	m.sum.charged += answer.Extensions.Cost.Charged
	m.sum.requests++
	if m.spoil != nil {
		body = m.spoil(body)
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, err
}

func (m *meter) take() bill {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.sum
	m.sum = bill{}
	return b
}

func metered(m *meter) func(*driver.Env) {
	return func(e *driver.Env) { e.Client = &http.Client{Transport: m} }
}

// sweep walks all pages.
func sweep(t testing.TB, c *channel, known func(string) (driver.Seen, bool)) map[string]order.Fact {
	t.Helper()
	got := map[string]order.Fact{}
	for q := (driver.OrderQuery{Known: known}); ; {
		page, err := c.Orders(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range page.Orders {
			got[f.ExternalID] = f
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return got
		}
	}
}

func knows(m map[string]driver.Seen) func(string) (driver.Seen, bool) {
	return func(id string) (driver.Seen, bool) { seen, ok := m[id]; return seen, ok }
}

// heard is what webhooks have told of orders, once all of want are among them.
func (s *shop) heard(t *testing.T, want int) map[string]driver.Seen {
	t.Helper()
	out, done := map[string]driver.Seen{}, 0
	for {
		s.inbox.mu.Lock()
		got := slices.Clone(s.inbox.got[done:])
		s.inbox.mu.Unlock()
		done += len(got)
		for _, w := range got {
			env, err := Vendor{}.Verify(s.app, w.Header, w.Body)
			if err != nil {
				t.Fatal(err)
			}
			facts, err := Vendor{}.Decode(env.Topic, w.Body)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range facts {
				if f.Order == nil {
					continue
				}
				f.Order.ConnectionID, f.Order.ReadAt = "conn-1", env.SentAt // as the inbox completes it
				if seen, ok := driver.SeenOf(*f.Order); ok {
					seen.ReadAt = time.Time{}
					out[f.Order.ExternalID] = seen
				}
			}
		}
		if len(out) == want {
			return out
		}
		select {
		case <-s.inbox.arrived:
		case <-time.After(10 * time.Second):
			t.Fatalf("webhooks told of %d of %d orders", len(out), want)
		}
	}
}

// TestAKnownSweepIsCheap: after webhooks have told of every order a sweep costs less than a twentieth of one that knows nothing,
// in every version, and finds every order that has changed since, within the same second or later.
func TestAKnownSweepIsCheap(t *testing.T) {
	const orders = 140
	for _, version := range Versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s, m := newShop(t, func(o *sim.Options) { o.Unthrottled = true }), &meter{}
			hooks := httptest.NewServer(s.inbox)
			t.Cleanup(hooks.Close)
			c := s.channel(t, version, metered(m))
			if _, err := c.SubscribeWebhooks(t.Context(), hooks.URL); err != nil {
				t.Fatal(err)
			}
			var ids []string
			for i := range orders {
				a, b := s.variants[i%5], s.variants[(i+1)%5]
				o, err := s.PlaceOrder(sim.OrderInput{Lines: []sim.OrderLine{{SKU: a.SKU, Quantity: 1}, {SKU: b.SKU, Quantity: 1}}})
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, strconv.FormatInt(o.ID, 10))
			}
			known := s.heard(t, orders)
			m.take()
			if got := sweep(t, c, nil); len(got) != orders {
				t.Fatalf("%d of %d orders", len(got), orders)
			}
			dear := m.take()
			if got := sweep(t, c, knows(known)); len(got) != 0 {
				t.Errorf("%d unchanged orders are read again", len(got))
			}
			cheap := m.take()
			t.Logf("%d orders of two lines: %+v in full, %+v beside what webhooks told", orders, dear, cheap)
			if cheap.held*20 > dear.held || cheap.charged*20 > dear.charged || cheap.requests != 1 {
				t.Errorf("a sweep of known orders costs %+v, one of unknown ones %+v", cheap, dear)
			}
			changed := s.changeSome(t, ids)
			got := slices.Sorted(maps.Keys(sweep(t, c, knows(known))))
			if diff := cmp.Diff(slices.Sorted(slices.Values(changed)), got); diff != "" {
				t.Errorf("the sweep finds (-changed +found):\n%s", diff)
			}
		})
	}
}

// changeSome changes a few of the orders in every way, places one more, and names them.
func (s *shop) changeSome(t *testing.T, ids []string) []string {
	t.Helper()
	changed := slices.Clone(ids[:4])
	n := func(i int) int64 { return mustInt(t, ids[i]) }
	o, err := s.Order(n(3))
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func() error{
		"cancel": func() error { _, err := s.CancelOrder(n(0), "CUSTOMER", true); return err },
		"send":   func() error { _, err := s.FulfillOrder(n(1), "UPS", "1Z"); return err },
		"hold":   func() error { return s.HoldOrder(n(2), true) },
		"edit":   func() error { _, err := s.EditOrder(o.ID, o.Lines[0].SKU, -1, true); return err },
	} {
		if err := change(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	return append(changed, s.place(t, strconv.FormatInt(s.variants[0].VariantID, 10), 1))
}

// TestNothingIsLostWithinASecond: whatever becomes of orders while the shop's clock stands still, an order left out of a sweep
// asks the same of the stock as what was known of it.
func TestNothingIsLostWithinASecond(t *testing.T) {
	clock := world.NewVirtual(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	s := newShop(t, func(o *sim.Options) { o.Clock, o.Unthrottled = clock, true })
	if _, err := s.AddProduct(sim.ProductInput{Title: "Many", Variants: []sim.VariantInput{{SKU: "X", Stock: 1_000_000}, {SKU: "Y", Stock: 1_000_000}}}); err != nil {
		t.Fatal(err)
	}
	c := s.channel(t, DefaultVersion)
	known, demands := map[string]driver.Seen{}, map[string][]order.LineDemand{}
	learn := func(f order.Fact) {
		seen, ok := driver.SeenOf(f)
		if !ok {
			t.Fatalf("%+v is not whole", f)
		}
		seen.ReadAt = time.Time{} // as by webhook
		known[f.ExternalID], demands[f.ExternalID] = seen, demandOf(t, f)
	}
	leftOut := 0
	rapid.Check(t, func(rt *rapid.T) {
		o, err := s.PlaceOrder(sim.OrderInput{Financial: rapid.SampledFrom([]string{"PAID", "PENDING"}).Draw(rt, "paid"), Lines: []sim.OrderLine{
			{SKU: "X", Quantity: rapid.IntRange(1, 3).Draw(rt, "x")}, {SKU: "Y", Quantity: rapid.IntRange(1, 3).Draw(rt, "y")}}})
		if err != nil {
			rt.Fatal(err)
		}
		id := strconv.FormatInt(o.ID, 10)
		steps := func(label string, most int) {
			for range rapid.IntRange(0, most).Draw(rt, label) {
				// What is impossible in the order's state changes nothing, which is a case too.
				switch rapid.IntRange(0, 4).Draw(rt, "step") {
				case 0:
					_, _ = s.FulfillOrder(o.ID, "UPS", "1Z")
				case 1:
					_, _ = s.PayOrder(o.ID)
				case 2:
					_ = s.HoldOrder(o.ID, rapid.Bool().Draw(rt, "hold"))
				case 3:
					_, _ = s.CancelOrder(o.ID, "CUSTOMER", true)
				default:
					_, _ = s.EditOrder(o.ID, rapid.SampledFrom([]string{"X", "Y"}).Draw(rt, "line"), rapid.IntRange(-2, 2).Draw(rt, "units"), true)
				}
			}
		}
		steps("before", 4)
		learn(orderNow(t, c, id))
		steps("after", 3)
		now := orderNow(t, c, id)
		found := sweep(t, c, knows(known))
		if _, read := found[id]; !read {
			leftOut++
			if diff := cmp.Diff(demands[id], demandOf(t, now)); diff != "" {
				rt.Fatalf("an order is left out although its demand changed (-known +now):\n%s", diff)
			}
		}
		learn(now)
		if rapid.IntRange(0, 9).Draw(rt, "tick") == 0 {
			clock.Advance(time.Second)
		}
	})
	if leftOut == 0 {
		t.Error("no order was ever left out, so nothing was tested")
	}
}

func demandOf(t *testing.T, f order.Fact) []order.LineDemand {
	t.Helper()
	o, _, err := order.Merge(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	return order.Demand(&o)
}

// TestHeads covers what the heads of an order can and cannot tell.
func TestHeads(t *testing.T) {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	head := func(words string, ordered, current int64) headNode {
		return headNode{UpdatedAt: at, Financial: "PAID", Fulfilment: words, Ordered: ordered, Current: current}
	}
	seen := func(text string, s order.Status, ordered, cancelled, shipped int64) driver.Seen {
		return driver.Seen{UpdatedAt: at, Status: s, StatusText: text, Ordered: ordered, Cancelled: cancelled, Shipped: shipped}
	}
	open := seen("paid/unfulfilled", order.AwaitingShipment, 3, 0, 0)
	part := seen("paid/partially_fulfilled", order.PartiallyShipping, 3, 0, 1)
	sent := seen("paid/fulfilled", order.InTransit, 3, 0, 3)
	label := seen("paid/fulfilled", order.AwaitingCollection, 3, 0, 0)
	read := func(s driver.Seen, after time.Duration) driver.Seen { s.ReadAt = at.Add(after); return s }
	gone := head("UNFULFILLED", 3, 0)
	gone.CancelledAt = at
	cancelled := seen("paid/unfulfilled", order.Cancelled, 3, 3, 0)
	later, earlier := head("UNFULFILLED", 3, 3), head("FULFILLED", 3, 3)
	later.UpdatedAt, earlier.UpdatedAt = at.Add(time.Second), at.Add(-time.Second)
	edited := head("UNFULFILLED", 3, 3)
	edited.Edited = true
	for name, tc := range map[string]struct {
		head headNode
		seen driver.Seen
		old  bool
	}{
		"as it was":                       {head("UNFULFILLED", 3, 3), open, true},
		"changed later":                   {later, read(open, time.Hour), false},
		"the listing is behind":           {earlier, open, true},
		"sent":                            {head("FULFILLED", 3, 3), open, false},
		"a unit taken off":                {head("UNFULFILLED", 3, 2), open, false},
		"a unit added":                    {head("UNFULFILLED", 4, 4), open, false},
		"one off, one added":              {head("UNFULFILLED", 4, 3), open, false},
		"one off, one on":                 {edited, open, false},
		"edited, read in full":            {edited, read(open, settled), true},
		"cancelled":                       {gone, open, false},
		"cancelled and known so":          {gone, cancelled, true},
		"a parcel more would not show":    {head("PARTIALLY_FULFILLED", 3, 3), part, false},
		"read when the second was over":   {head("PARTIALLY_FULFILLED", 3, 3), read(part, settled), true},
		"read a moment too early":         {head("PARTIALLY_FULFILLED", 3, 3), read(part, settled-1), false},
		"all sent":                        {head("FULFILLED", 3, 3), sent, true},
		"a first scan would not show":     {head("FULFILLED", 3, 3), label, false},
		"a tip counts as no unit":         {head("UNFULFILLED", 2, 2), open, false},
		"a tip, read in full":             {head("UNFULFILLED", 2, 2), read(open, settled), true},
		"a return of sent units":          {head("FULFILLED", 3, 2), sent, false},
		"a return, read in full":          {head("FULFILLED", 3, 2), read(sent, settled), true},
		"fewer than could have come back": {head("UNFULFILLED", 3, 2), read(open, settled), false},
	} {
		if got := tc.head.old(tc.seen); got != tc.old {
			t.Errorf("%s: nothing new is %v, want %v", name, got, tc.old)
		}
	}
}

// TestUnreadableHeads: an order that cannot be read is told and stops no other.
func TestUnreadableHeads(t *testing.T) {
	s, m := newShop(t), &meter{}
	c := s.channel(t, DefaultVersion, metered(m))
	var ids []string
	for range 4 {
		ids = append(ids, s.place(t, strconv.FormatInt(s.variants[0].VariantID, 10), 1))
	}
	m.spoil = func(body []byte) []byte {
		body = bytes.Replace(body, []byte(`"id":"`+gid("Order", ids[1])+`"`), []byte(`"id":"nobody"`), 1)
		body = bytes.Replace(body, []byte(`"lineItems":{"nodes":[`), []byte(`"lineItems":{"nodes":[7,`), 1) // of the first one read in full
		if i := bytes.Index(body, []byte(`{"id":"`+gid("Order", ids[3])+`","name"`)); i >= 0 {
			body = append(slices.Clone(body[:i]), `null]}}`...) // the last one
		}
		return body
	}
	none := func(string) (driver.Seen, bool) { return driver.Seen{}, false }
	page, err := c.Orders(t.Context(), driver.OrderQuery{Known: none})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range page.Orders {
		got = append(got, f.ExternalID)
	}
	var bad []string
	for _, u := range page.Unreadable {
		bad = append(bad, u.ID+": "+u.Why)
	}
	why := "the answer does not have the form of an order"
	if diff := cmp.Diff([]string{ids[2]}, got); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	gone := ids[3] + ": the order is listed and cannot be found by its number"
	if diff := cmp.Diff([]string{ids[0] + ": " + why, gone, ": " + why}, bad); diff != "" {
		t.Errorf("unreadable (-want +got):\n%s", diff)
	}
}

// TestKnownPages: orders left out count for paging, and a page says how far it has come.
func TestKnownPages(t *testing.T) {
	clock := world.NewVirtual(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	s := newShop(t, func(o *sim.Options) { o.Clock, o.Unthrottled = clock, true })
	c := s.channel(t, DefaultVersion)
	for range 5 {
		s.place(t, strconv.FormatInt(s.variants[0].VariantID, 10), 1)
		clock.Advance(time.Second)
	}
	known := map[string]driver.Seen{}
	for id, f := range sweep(t, c, nil) {
		known[id], _ = driver.SeenOf(f)
	}
	q := driver.OrderQuery{Limit: 2, Known: knows(known)}
	for i, want := range []int{1, 3, 4} {
		page, err := c.Orders(t.Context(), q)
		if err != nil || len(page.Orders) != 0 || page.At.IsZero() {
			t.Fatalf("page %d: %+v, %v", i, page, err)
		}
		if at := time.Date(2026, 11, 2, 9, 0, want, 0, time.UTC); !page.ChangedTo.Equal(at) || (page.Next == "") != (i == 2) {
			t.Errorf("page %d has come to %v with next %q, want %v", i, page.ChangedTo, page.Next, at)
		}
		q.Cursor = page.Next
	}
}

// BenchmarkKnownSweep lists a page of orders that are all known over real HTTP; BenchmarkOrdersPage reads 20 in full.
func BenchmarkKnownSweep(b *testing.B) {
	s, c := benchShop(b)
	for i := range pageHeads {
		if _, err := s.PlaceOrder(sim.OrderInput{Lines: []sim.OrderLine{{SKU: fmt.Sprint("B-", i%maxEntries), Quantity: 1}}}); err != nil {
			b.Fatal(err)
		}
	}
	known := map[string]driver.Seen{}
	for id, f := range sweep(b, c, nil) {
		known[id], _ = driver.SeenOf(f)
	}
	for b.Loop() {
		if p, err := c.Orders(b.Context(), driver.OrderQuery{Known: knows(known)}); err != nil || len(p.Orders) != 0 {
			b.Fatal(len(p.Orders), err)
		}
	}
}
