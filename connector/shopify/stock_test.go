package shopify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
	sim "github.com/spillway/spillway/sim/shopify"
	"github.com/spillway/spillway/sim/world"
)

// ref names a simulated variant.
func (s *shop) ref(t *testing.T, i int) driver.ListingRef {
	t.Helper()
	v := s.variants[i]
	r := driver.ListingRef{
		ProductID: strconv.FormatInt(v.ProductID, 10), SKUID: strconv.FormatInt(v.VariantID, 10), ItemRef: strconv.FormatInt(v.InventoryItemID, 10),
	}
	stock, err := s.Stock(v.SKU)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range stock {
		r.Locations = append(r.Locations, strconv.FormatInt(int64(l.Location), 10))
	}
	return r
}

func (s *shop) available(t *testing.T, i int) int64 {
	t.Helper()
	var n int64
	for _, x := range s.truth(t, strconv.FormatInt(s.variants[i].VariantID, 10)) {
		n += x
	}
	return n
}

func results(t *testing.T, c *channel, pushes ...driver.Push) []driver.Result {
	t.Helper()
	got, err := c.SetQuantities(t.Context(), pushes)
	if err != nil {
		t.Fatalf("SetQuantities: %v", err)
	}
	if len(got) != len(pushes) {
		t.Fatalf("%d results for %d pushes", len(got), len(pushes))
	}
	return got
}

// TestEveryVersionWritesStock runs every kind of push through every version's own rules.
func TestEveryVersionWritesStock(t *testing.T) {
	for _, v := range Versions {
		t.Run(v, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			c := s.channel(t, v)
			cas := driver.Push{ID: "cas", Ref: s.ref(t, 0), Kind: driver.CompareAndSet, Quantity: 40, From: 100}
			r := results(t, c, cas)[0]
			if r.Outcome != driver.Confirmed || !r.HasAfter || r.After != 40 || s.available(t, 0) != 40 {
				t.Fatalf("compare-and-set: %+v, the shop has %d", r, s.available(t, 0))
			}
			stale := driver.Push{ID: "stale", Ref: s.ref(t, 0), Kind: driver.CompareAndSet, Quantity: 7, From: 100}
			if r := results(t, c, stale)[0]; r.Outcome != driver.Stale || !strings.HasSuffix(r.Err.Code, "QUANTITY_STALE") || s.available(t, 0) != 40 {
				t.Errorf("compare-and-set with another number: %+v", r)
			}
			abs := driver.Push{ID: "abs", Ref: s.ref(t, 1), Kind: driver.Absolute, Quantity: 55}
			if r := results(t, c, abs)[0]; r.Outcome != driver.Confirmed || s.available(t, 1) != 55 {
				t.Errorf("absolute: %+v, the shop has %d", r, s.available(t, 1))
			}
			delta := driver.Push{ID: "delta", Ref: s.ref(t, 2), Kind: driver.DeltaWrite, Quantity: -3}
			if r := results(t, c, delta)[0]; r.Outcome != driver.Confirmed || r.HasAfter || s.available(t, 2) != 97 {
				t.Errorf("delta: %+v, the shop has %d", r, s.available(t, 2))
			}
			// All kinds at once, to several locations.
			split := driver.Push{ID: "split", Ref: s.ref(t, 3), Kind: driver.CompareAndSet, Quantity: 30, From: 100}
			split.Split = map[string]int64{split.Ref.Locations[0]: 10, split.Ref.Locations[1]: 20}
			split.FromBy = map[string]int64{split.Ref.Locations[0]: 100, split.Ref.Locations[1]: 0}
			abs.ID, abs.Quantity, delta.ID = "abs-2", 60, "delta-2"
			for _, r := range results(t, c, delta, split, abs) {
				if r.Outcome != driver.Confirmed {
					t.Errorf("mixed kinds: %+v", r)
				}
			}
			if a, b, d := s.available(t, 1), s.available(t, 2), s.available(t, 3); a != 60 || b != 94 || d != 30 {
				t.Errorf("the shop has %d, %d and %d; want 60, 94 and 30", a, b, d)
			}
		})
	}
}

// TestOneStalePushHoldsUpNoOther: Shopify applies all entries of a request or none, so those not at fault are sent again. With too many
// at fault one by one the rest is told to come again, and nothing is applied that was said not to be.
func TestOneStalePushHoldsUpNoOther(t *testing.T) {
	for _, v := range Versions {
		t.Run(v, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			c := s.channel(t, v)
			var pushes []driver.Push
			for i := range 3 {
				pushes = append(pushes, driver.Push{ID: fmt.Sprint("p", i), Ref: s.ref(t, i), Kind: driver.CompareAndSet, Quantity: 50, From: 100})
			}
			pushes[1].From = 99
			got := results(t, c, pushes...)
			if got[0].Outcome != driver.Confirmed || got[1].Outcome != driver.Stale || got[2].Outcome != driver.Confirmed {
				t.Fatalf("results %+v", got)
			}
			for i, want := range []int64{50, 100, 50} {
				if n := s.available(t, i); n != want {
					t.Errorf("listing %d shows %d, not %d", i, n, want)
				}
			}
		})
	}
}

func TestInnocentsAreSentAgainSoOften(t *testing.T) {
	refused := func(code string) driver.Result {
		return driver.Result{Outcome: driver.Refused, Err: &driver.Error{Code: code}}
	}
	b := &batch{kind: driver.CompareAndSet, pushes: []int{0, 1, 2}}
	rounds := 0
	for ; b != nil; rounds++ {
		next := b.innocent([]driver.Result{refused(refusedWithBatch), refused("STALE"), refused(refusedWithBatch)})
		if next != nil && !slices.Equal(next.pushes, []int{0, 2}) {
			t.Fatalf("%v are sent again", next.pushes)
		}
		b = next
	}
	if rounds != 1+maxResends {
		t.Errorf("sent %d times", rounds)
	}
	fates := []driver.Result{refused(refusedWithBatch)}
	if (&batch{pushes: []int{0}}).innocent(fates); fates[0].Outcome != "" {
		t.Error("a push on its way again still counts as refused")
	}
}

// TestKeysMakeRepeatsHarmless: a delta that is sent twice counts once wherever the version has keys, even when the second
// time it travels in other company.
func TestKeysMakeRepeatsHarmless(t *testing.T) {
	for _, v := range Versions[1:] {
		t.Run(v, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			c := s.channel(t, v)
			a := driver.Push{ID: "a", Ref: s.ref(t, 0), Kind: driver.DeltaWrite, Quantity: -10}
			b := driver.Push{ID: "b", Ref: s.ref(t, 1), Kind: driver.DeltaWrite, Quantity: 5}
			results(t, c, a, b)
			for _, r := range results(t, c, b, a) {
				if r.Outcome != driver.Confirmed {
					t.Errorf("repeat: %+v", r)
				}
			}
			if x, y := s.available(t, 0), s.available(t, 1); x != 90 || y != 105 {
				t.Errorf("the shop has %d and %d; want 90 and 105", x, y)
			}
			a.Quantity = -11
			if r := results(t, c, a)[0]; r.Outcome != driver.Refused || r.Err.Code != "IDEMPOTENCY_KEY_PARAMETER_MISMATCH" || r.Err.Class != driver.GiveUp {
				t.Errorf("another content under the same id: %+v", r)
			}
		})
	}
}

// TestOrderOfPushesDoesNotMatter: a repeated request may list its pushes in another order.
func TestOrderOfPushesDoesNotMatter(t *testing.T) {
	s := newShop(t)
	c := s.channel(t, DefaultVersion)
	a := driver.Push{ID: "a", Ref: s.ref(t, 0), Kind: driver.CompareAndSet, Quantity: 10, From: 100}
	b := driver.Push{ID: "b", Ref: s.ref(t, 1), Kind: driver.CompareAndSet, Quantity: 20, From: 100}
	for _, order := range [][]driver.Push{{a, b}, {b, a}} {
		for i, r := range results(t, c, order...) {
			if r.Outcome != driver.Confirmed || r.PushID != order[i].ID || r.After != order[i].Quantity {
				t.Errorf("push %s: %+v", order[i].ID, r)
			}
		}
	}
}

func TestIdempotencyErrorsAreClassed(t *testing.T) {
	s := newShop(t)
	c := s.channel(t, DefaultVersion)
	bad := driver.Push{ID: "failed", Ref: s.ref(t, 0), Kind: driver.CompareAndSet, Quantity: 1, From: 3}
	if r := results(t, c, bad)[0]; r.Outcome != driver.Stale {
		t.Fatalf("first: %+v", r)
	}
	// Shopify remembers that the key failed: surely not applied, and a new push (a new key) may follow at once.
	if r := results(t, c, bad)[0]; r.Outcome != driver.Refused || r.Err.Code != "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED" || r.Err.Class != driver.Retry || r.Err.Applied {
		t.Errorf("second: %+v", r)
	}
	// While the same request is under way elsewhere its fate is open.
	errs := []userError{{Code: "IDEMPOTENCY_CONCURRENT_REQUEST", Message: "in progress"}}
	out := make([]driver.Result, 1)
	refuse(&batch{pushes: []int{0}}, []driver.Push{bad}, out, errs, "quantities", []int{0, 0}, &driver.Answer{Status: 200})
	if r := out[0]; r.Outcome != driver.Unknown || r.Err.Class != driver.RetryAfter || r.Err.After <= 0 || !r.Err.Applied {
		t.Errorf("concurrent: %+v", r)
	}
}

// TestConcurrentTwin sends the same push twice at once: the second is told that the first is still being carried out.
func TestConcurrentTwin(t *testing.T) {
	clock := world.NewVirtual(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	s := newShop(t, func(o *sim.Options) { o.Clock = clock })
	if _, err := s.Faults().Add(world.Rule{Point: strikes[driver.OpSet], Kind: world.Delay, Delay: world.Duration(time.Second), Remaining: 1}); err != nil {
		t.Fatal(err)
	}
	p := driver.Push{ID: "twin", Ref: s.ref(t, 0), Kind: driver.CompareAndSet, Quantity: 1, From: 100}
	first := make(chan driver.Result, 1)
	other := s.channel(t, DefaultVersion)
	go func() {
		got, err := other.SetQuantities(context.Background(), []driver.Push{p})
		if err != nil || len(got) != 1 {
			got = []driver.Result{{}}
		}
		first <- got[0]
	}()
	for len(s.Faults().List()) > 0 { // the rule is gone once it holds the first request
		runtime.Gosched()
	}
	c := s.channel(t, DefaultVersion)
	if r := results(t, c, p)[0]; r.Outcome != driver.Unknown || r.Err.Class != driver.RetryAfter {
		t.Errorf("the twin: %+v", r)
	}
	for { // no further than the delay: keys are forgotten after a day
		if at, ok := clock.Next(); ok {
			clock.AdvanceTo(at)
			break
		}
		runtime.Gosched()
	}
	if got := <-first; got.Outcome != driver.Confirmed {
		t.Errorf("the first: %+v", got)
	}
	if r := results(t, c, p)[0]; r.Outcome != driver.Confirmed {
		t.Errorf("the twin again, same key: %+v", r)
	}
}

// bodies keeps what a channel sends.
type bodies struct{ got []string }

func (b *bodies) RoundTrip(r *http.Request) (*http.Response, error) {
	raw, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(raw))
	b.got = append(b.got, string(raw))
	return http.DefaultTransport.RoundTrip(r)
}

// TestNullIsNotAbsent pins the wire form of the compared number: the trap of every client that drops nulls.
func TestNullIsNotAbsent(t *testing.T) {
	for _, tc := range []struct {
		version            string
		cas, absolute      string
		delta              string
		keyed, ignored     bool
		casNot, absoluteNo string
	}{
		{"2025-10", `"compareQuantity":100`, `"ignoreCompareQuantity":true`, `"delta":-1}`, false, true, "changeFromQuantity", "compareQuantity\":"},
		{"2026-01", `"changeFromQuantity":100`, `"changeFromQuantity":null`, `"changeFromQuantity":null`, true, false, "compareQuantity", "compareQuantity"},
		{"2026-04", `"changeFromQuantity":100`, `"changeFromQuantity":null`, `"changeFromQuantity":null`, true, false, "ompareQuantity", "ompareQuantity"},
		{"2026-10", `"changeFromQuantity":100`, `"changeFromQuantity":null`, `"changeFromQuantity":null`, true, false, "ompareQuantity", "ompareQuantity"},
	} {
		t.Run(tc.version, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			b := &bodies{}
			c := s.channel(t, tc.version, func(e *driver.Env) { e.Client = &http.Client{Transport: b} })
			one := s.ref(t, 0)
			one.Locations = one.Locations[:1]
			results(t, c, driver.Push{ID: "1", Ref: one, Kind: driver.CompareAndSet, Quantity: 5, From: 100})
			results(t, c, driver.Push{ID: "2", Ref: one, Kind: driver.Absolute, Quantity: 6})
			results(t, c, driver.Push{ID: "3", Ref: one, Kind: driver.DeltaWrite, Quantity: -1})
			for i, want := range []string{tc.cas, tc.absolute, tc.delta} {
				if !strings.Contains(b.got[i], want) {
					t.Errorf("request %d lacks %s:\n%s", i+1, want, b.got[i])
				}
				if strings.Contains(b.got[i], "@idempotent") != tc.keyed {
					t.Errorf("request %d: directive present is not %v", i+1, tc.keyed)
				}
			}
			if strings.Contains(b.got[0], tc.casNot) || strings.Contains(b.got[1], tc.absoluteNo) {
				t.Errorf("a name of another version was sent:\n%s\n%s", b.got[0], b.got[1])
			}
			if s.available(t, 0) != 5 {
				t.Errorf("the shop has %d, want 5", s.available(t, 0))
			}
		})
	}
}

// TestLargePushesAreCut: no mutation has more than 250 entries, and every push gets its result.
func TestLargePushesAreCut(t *testing.T) {
	s := newShop(t)
	b := &bodies{}
	c := s.channel(t, DefaultVersion, func(e *driver.Env) { e.Client = &http.Client{Transport: b} })
	var pushes []driver.Push
	for i := range maxEntries { // items that do not exist: what matters is how the entries travel
		r := s.ref(t, 0)
		r.ItemRef = strconv.Itoa(500 + i)
		pushes = append(pushes, driver.Push{ID: strconv.Itoa(i), Ref: r, Kind: driver.CompareAndSet, Quantity: 1})
	}
	for i, r := range results(t, c, pushes...) {
		if r.PushID != pushes[i].ID || r.Outcome != driver.Refused || r.Err.Code != "INVALID_INVENTORY_ITEM" || r.Err.Class != driver.AskHuman {
			t.Fatalf("result %d: %+v", i, r)
		}
	}
	if len(b.got) != 2 {
		t.Fatalf("500 entries went in %d requests, want 2", len(b.got))
	}
	for _, raw := range b.got {
		var body struct {
			Variables struct {
				Input setInput `json:"input"`
			} `json:"variables"`
		}
		if err := json.Unmarshal([]byte(strings.ReplaceAll(raw, `"changeFromQuantity":0`, `"x":0`)), &body); err != nil {
			t.Fatal(err)
		}
		if n := len(body.Variables.Input.Entries); n != maxEntries {
			t.Errorf("a request has %d entries", n)
		}
	}
}

// TestFailureBetweenBatches: what was done stays done, what was lost is open, what was not sent is surely not applied.
func TestFailureBetweenBatches(t *testing.T) {
	s := newShop(t)
	c := s.channel(t, DefaultVersion)
	if _, err := s.Faults().Add(world.Rule{Point: "*mutation inventoryAdjustQuantities", Kind: world.LostReply, Remaining: 1}); err != nil {
		t.Fatal(err)
	}
	pushes := []driver.Push{
		{ID: "set", Ref: s.ref(t, 0), Kind: driver.CompareAndSet, Quantity: 1, From: 100},
		{ID: "lost", Ref: s.ref(t, 1), Kind: driver.DeltaWrite, Quantity: -1},
		{ID: "unsent", Ref: s.ref(t, 2), Kind: driver.DeltaWrite, Quantity: -1},
	}
	got, err := c.SetQuantities(t.Context(), pushes)
	if !driver.MayBeApplied(err) {
		t.Fatalf("error %v", err)
	}
	var ids []string
	for _, r := range got {
		ids = append(ids, r.PushID+" "+string(r.Outcome))
	}
	if want := []string{"set confirmed", "unsent refused"}; !slices.Equal(ids, want) {
		t.Errorf("results %v, want %v", ids, want)
	}
	if a, b := s.available(t, 1), s.available(t, 2); a != 99 || b != 100 {
		t.Errorf("the shop has %d and %d", a, b)
	}
}
