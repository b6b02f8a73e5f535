package shopify

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
	sim "github.com/spillway/spillway/sim/shopify"
	"github.com/spillway/spillway/sim/world"
)

// bucket is Shopify's side of the budget, exact.
type bucket struct {
	left, max, rate float64
	at              time.Time
}

func (b *bucket) fill(now time.Time) {
	b.left = min(b.max, b.left+now.Sub(b.at).Seconds()*b.rate)
	b.at = now
}

// TestBudgetNeverOverspends runs random requests, in flight at once and answered in any order, against an exact bucket:
// what take lets through, the bucket holds; and what it refuses, it lets through after the wait it named.
func TestBudgetNeverOverspends(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1_800_000_000, 0)
		shop := &bucket{left: 2000, max: 2000, rate: 100, at: now}
		var b budget
		type flight struct {
			p         price
			set, real float64 // points set aside, and what Shopify takes in the end
		}
		var flying []flight
		answer := func(i int) {
			f := flying[i]
			flying = append(flying[:i], flying[i+1:]...)
			shop.fill(now)
			shop.left = min(shop.max, shop.left+f.set-f.real)
			asked := f.set
			b.settle(f.p, f.set, &asked, &throttleStatus{Maximum: shop.max, Left: shop.left, Restore: shop.rate}, now)
		}
		send := func(cost float64) time.Duration {
			p := price{doc: fmt.Sprint(cost)}
			got, wait := b.take(p, cost, float64(rapid.IntRange(0, 1).Draw(t, "keep")), now)
			if wait > 0 {
				return wait
			}
			shop.fill(now)
			if got > shop.left+1e-6 {
				t.Fatalf("a request of %v points was sent while the bucket held %v", got, shop.left)
			}
			shop.left -= got
			flying = append(flying, flight{p, got, got * rapid.Float64Range(0.1, 1).Draw(t, "share")})
			return 0
		}
		send(1) // the first answer tells the size
		answer(0)
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				now = now.Add(time.Duration(rapid.Int64Range(0, 3e9).Draw(t, "pass")))
			case 1:
				if len(flying) > 0 {
					answer(rapid.IntRange(0, len(flying)-1).Draw(t, "which"))
				}
			default:
				cost := float64(rapid.IntRange(1, 1000).Draw(t, "cost"))
				if wait := send(cost); wait > 0 && len(flying) == 0 {
					now = now.Add(wait + time.Second) // a second more, should it have to leave something over now
					if again := send(cost); again > 0 {
						t.Fatalf("refused for %v, and after that for %v more", wait, again)
					}
				}
			}
		}
	})
}

// TestNothingIsThrottled pushes harder than the smallest plan allows, through a session, with a clock that moves as the
// session waits: every push is confirmed and Shopify never has to refuse one.
func TestNothingIsThrottled(t *testing.T) {
	clock := world.NewVirtual(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	s := newShop(t, func(o *sim.Options) { o.Clock = clock })
	c := s.channel(t, DefaultVersion, func(e *driver.Env) {
		e.Now = clock.Now
		e.Pace = func(context.Context, driver.Operation) error { return nil }
	})
	refused := 0
	for i := range 600 { // 6000 points against a bucket of 2000
		p := driver.Push{ID: fmt.Sprint(i), Ref: s.ref(t, 0), Kind: driver.DeltaWrite, Quantity: 1}
		got, err := c.SetQuantities(t.Context(), []driver.Push{p})
		for err != nil {
			e := err.(*driver.Error)
			if e.Class != driver.RetryAfter || e.Code != "BUDGET" || e.Applied || e.Status != 0 {
				t.Fatalf("push %d: %v", i, err)
			}
			refused++
			clock.Advance(e.After)
			got, err = c.SetQuantities(t.Context(), []driver.Push{p})
		}
		if got[0].Outcome != driver.Confirmed {
			t.Fatalf("push %d: %+v", i, got[0])
		}
	}
	if n := s.Counts().Throttled; n != 0 {
		t.Errorf("the shop refused %d requests", n)
	}
	if refused == 0 {
		t.Error("the budget was never short: the test shows nothing")
	}
	if n := s.available(t, 0); n != 700 {
		t.Errorf("the shop has %d, want 700", n)
	}
}

// TestManyCallersOneBudget: sessions of many goroutines share one budget without being refused by Shopify.
func TestManyCallersOneBudget(t *testing.T) {
	s := newShop(t, func(o *sim.Options) { o.Plan = sim.Plus })
	session, err := connector.Open(connector.Options{
		Vendor: Vendor{}, Connection: s.connection(), Client: connector.NewClient(connector.ClientOptions{AllowLoopback: true}),
		Tokens: connector.Tokens{Current: func(context.Context) (string, error) { return testToken, nil }},
	})
	if err != nil {
		t.Fatal(err)
	}
	ref := s.ref(t, 0)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			r, err := session.SetQuantities(t.Context(), []driver.Push{{ID: fmt.Sprint(i), Ref: ref, Kind: driver.DeltaWrite, Quantity: 1}})
			if err != nil || r[0].Outcome != driver.Confirmed {
				t.Errorf("push %d: %+v, %v", i, r, err)
			}
		})
	}
	wg.Wait()
	if n := s.available(t, 0); n != 108 || s.Counts().Throttled != 0 {
		t.Errorf("the shop has %d and refused %d requests", n, s.Counts().Throttled)
	}
}

// TestRefusedWithTime: where Shopify refuses all the same (another process of the app used the points), the wait follows from
// its own numbers.
func TestRefusedWithTime(t *testing.T) {
	s := newShop(t)
	c, other := s.channel(t, DefaultVersion), s.channel(t, DefaultVersion)
	var last error
	for range 10 { // each of the two believes in its own view, so the second is refused by the shop
		for _, ch := range []*channel{c, other} {
			ch.budget = budget{}
			if _, err := ch.Listings(t.Context(), ""); err != nil {
				last = err
			}
		}
	}
	if last == nil {
		t.Skip("the requests were too cheap to be refused")
	}
	e := last.(*driver.Error)
	if e.Class != driver.RetryAfter || e.Code != "THROTTLED" || e.Status != http.StatusOK || e.After <= 0 || e.After > 20*time.Second || e.Applied {
		t.Errorf("error %+v", e)
	}
}

// TestPushesGoBeforeReads: a read that would empty the bucket waits while a push still finds points.
func TestPushesGoBeforeReads(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	var b budget
	_, _ = b.take(price{doc: "first"}, 1, 0, now)
	b.settle(price{doc: "first"}, 1, nil, &throttleStatus{Maximum: 2000, Left: 850, Restore: 100}, now)
	if _, wait := b.take(price{doc: "read"}, 840, readsLeave, now); wait != 900*time.Millisecond {
		t.Errorf("a read of 840 points waits %v, want 900ms", wait)
	}
	if _, wait := b.take(price{doc: "push"}, 10, 0, now); wait != 0 {
		t.Errorf("a push waits %v", wait)
	}
	// A read as large as the bucket must not wait for good.
	b.settle(price{doc: "push"}, 10, nil, &throttleStatus{Maximum: 2000, Left: 2000, Restore: 100}, now)
	if _, wait := b.take(price{doc: "all"}, 2000, readsLeave, now); wait != 0 {
		t.Errorf("a read of the whole bucket waits %v", wait)
	}
}
