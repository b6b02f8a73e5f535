package allocation

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var t0 = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

func sec(s float64) time.Time { return t0.Add(time.Duration(s * float64(time.Second))) }

func ptr(n int) *int { return &n }

// settledBook is a book at rest: the channel shows n and everything is known.
func settledBook(t *testing.T, kind Kind, n int) Book {
	t.Helper()
	b := NewBook("l", kind, n, sec(-10), sec(-9), sec(-9))
	b, drift := b.SalesKnownUntil(sec(-8), sec(-7))
	if drift != nil || !b.Settled() || b.Exposure != n || b.Uncertain() != 0 {
		t.Fatalf("new book does not settle at %d: %+v, drift %+v", n, b, drift)
	}
	return b
}

func must(t *testing.T) func(Book, error) Book {
	return func(b Book, err error) Book {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

func absolute(n int) Push { return Push{ID: "p", Listing: "l", Kind: Absolute, Quantity: n} }

func TestAbsoluteSetCountsOldAndNewUntilTheBarrier(t *testing.T) {
	b := settledBook(t, Absolute, 100)
	b = must(t)(b.PushSent(absolute(60), sec(0), time.Minute))
	if b.Exposure != 160 {
		t.Fatalf("exposure while 60 travels to a listing showing 100 = %d, want 160", b.Exposure)
	}
	b = b.SaleKnown(100, sec(0), sec(1)) // the old number sold out before the new one arrived
	b = must(t)(b.PushConfirmed("p", Answer{At: sec(2), ChannelAt: sec(2)}))
	if b.Exposure != 60 {
		t.Fatalf("exposure after 100 sales = %d, want 60", b.Exposure)
	}
	b = b.SaleKnown(5, sec(2), sec(3)) // the same second as the answer: before or after, nobody knows
	b = b.SaleKnown(7, sec(3), sec(4)) // surely after
	if early, _ := b.SalesKnownUntil(sec(1.9), sec(5)); early.Anchor == nil {
		t.Fatal("a poll begun before the answer must not count as barrier")
	}
	b, drift := b.SalesKnownUntil(sec(2), sec(5))
	if drift != nil || b.Exposure != 48 {
		t.Fatalf("exposure after the barrier = %d (drift %v), want 48: all 12 sales were within the 160", b.Exposure, drift)
	}
}

func TestBarrierFreesTheUnsoldOldNumber(t *testing.T) {
	b := settledBook(t, Absolute, 100)
	b = must(t)(b.PushSent(absolute(60), sec(0), time.Minute))
	b = must(t)(b.PushConfirmed("p", Answer{At: sec(1), ChannelAt: sec(1)}))
	b = b.SaleKnown(3, sec(1), sec(2))
	b = b.SaleKnown(4, sec(2), sec(2))
	b, _ = b.SalesKnownUntil(sec(1), sec(3))
	if b.Exposure != 56 || b.Uncertain() != 3 {
		t.Fatalf("exposure %d, uncertain %d; want 56 with 3 uncertain", b.Exposure, b.Uncertain())
	}
	// A reading while nothing sells heals the three.
	b = must(t)(b.ReadStarted(sec(10)))
	b = b.ReadDone(b.Reading.ID, 53, Answer{At: sec(11), ChannelAt: sec(11)})
	b, drift := b.SalesKnownUntil(sec(11), sec(12))
	if drift != nil || b.Exposure != 53 || b.Uncertain() != 0 || !b.Settled() {
		t.Fatalf("after reading 53: %+v, drift %+v", b, drift)
	}
}

func TestSetToZeroAddsNothing(t *testing.T) {
	b := settledBook(t, Absolute, 40)
	b = must(t)(b.PushSent(absolute(0), sec(0), time.Minute))
	if b.Exposure != 40 {
		t.Fatalf("exposure = %d, want 40", b.Exposure)
	}
	b = must(t)(b.PushConfirmed("p", Answer{At: sec(1), ChannelAt: sec(1)}))
	b, _ = b.SalesKnownUntil(sec(1), sec(2))
	if b.Exposure != 0 || !b.Rate.Closed {
		t.Fatalf("exposure %d, closed %v; want 0 and closed", b.Exposure, b.Rate.Closed)
	}
}

func TestRefusedPushLeavesNoTrace(t *testing.T) {
	for _, p := range []Push{
		absolute(60),
		{ID: "p", Listing: "l", Kind: CompareAndSet, From: 40, Quantity: 90},
		{ID: "p", Listing: "l", Kind: Delta, Delta: 50},
		{ID: "p", Listing: "l", Kind: Delta, Delta: -20},
	} {
		before := settledBook(t, p.Kind, 40)
		b := must(t)(before.PushSent(p, sec(0), time.Minute))
		b = must(t)(b.PushRefused("p", sec(1), sec(5)))
		b.Revision, b.RetryAt = before.Revision, before.RetryAt
		if diff := cmp.Diff(before, b); diff != "" {
			t.Errorf("%s: %s", p.Kind, diff)
		}
	}
}

func TestCompareAndSetIsExactAtOnce(t *testing.T) {
	b := settledBook(t, CompareAndSet, 10)
	b = must(t)(b.PushSent(Push{ID: "p", Listing: "l", Kind: CompareAndSet, From: 10, Quantity: 30}, sec(0), time.Minute))
	if b.Exposure != 30 {
		t.Fatalf("in flight: %d, want 30", b.Exposure)
	}
	b = must(t)(b.PushConfirmed("p", Answer{At: sec(1), ChannelAt: sec(1)}))
	if b.Exposure != 30 || b.Uncertain() != 0 {
		t.Fatalf("confirmed: %d uncertain %d, want 30 and 0", b.Exposure, b.Uncertain())
	}
	b = must(t)(b.PushSent(Push{ID: "q", Listing: "l", Kind: CompareAndSet, From: 30, Quantity: 5}, sec(2), time.Minute))
	if b.Exposure != 30 {
		t.Fatalf("lowering in flight: %d, want 30", b.Exposure)
	}
	b = must(t)(b.Mismatch("q", ptr(28), Answer{At: sec(3), ChannelAt: sec(3)}))
	if b.Exposure != 30 || b.Remaining != 28 {
		t.Fatalf("mismatch: exposure %d remaining %d, want 30 and 28", b.Exposure, b.Remaining)
	}
	b = b.SaleKnown(2, sec(2), sec(4))
	b, drift := b.SalesKnownUntil(sec(3), sec(5))
	if b.Exposure != 28 || drift != nil {
		t.Fatalf("barrier: %d drift %v, want 28", b.Exposure, drift)
	}
}

func TestCompareAndSetOutOfANumberBelowZero(t *testing.T) {
	b := settledBook(t, CompareAndSet, 0)
	b = must(t)(b.ReadStarted(sec(0)))
	b = b.ReadDone(b.Reading.ID, -3, Answer{At: sec(0), ChannelAt: sec(0)})
	b, _ = b.SalesKnownUntil(sec(0), sec(0))
	b.Repair = false
	_, plan := decide(Input{Items: stock(5), Listings: []Listing{one("l", CompareAndSet)}}, Books{"l": b}, sec(1))
	if len(plan.Pushes) != 1 || plan.Pushes[0].From != -3 || plan.Pushes[0].Quantity != 5 {
		t.Fatalf("plan %+v; want a set from -3 to 5", plan.Pushes)
	}
	plan.Pushes[0].ID = "p"
	b = must(t)(b.PushSent(plan.Pushes[0], sec(1), time.Minute))
	b = must(t)(b.PushConfirmed("p", Answer{At: sec(2), ChannelAt: sec(2)}))
	if b.Exposure != 5 {
		t.Fatalf("exposure %d after a set from -3 to 5, want 5", b.Exposure)
	}
}

func TestDeltaBelowZeroFreesOnlyWhatCouldBeSold(t *testing.T) {
	b := settledBook(t, Delta, 10)
	b = must(t)(b.PushSent(Push{ID: "p", Listing: "l", Kind: Delta, Delta: -10}, sec(0), time.Minute))
	b = must(t)(b.PushConfirmed("p", Answer{At: sec(1), ChannelAt: sec(1), After: ptr(-3)})) // three were sold unseen
	if b.Exposure != 3 {
		t.Fatalf("exposure = %d, want the 3 unseen sales", b.Exposure)
	}
	b = b.SaleKnown(3, sec(0), sec(2))
	b = must(t)(b.PushSent(Push{ID: "q", Listing: "l", Kind: Delta, Delta: 5}, sec(3), time.Minute))
	b = must(t)(b.PushConfirmed("q", Answer{At: sec(4), ChannelAt: sec(4), After: ptr(2)}))
	if b.Exposure != 2 {
		t.Fatalf("exposure after +5 from -3 = %d, want 2", b.Exposure)
	}
}

func TestGhostLivesUntilAReadingAfterItsExpiry(t *testing.T) {
	b := settledBook(t, Absolute, 10)
	b = must(t)(b.PushSent(absolute(50), sec(0), 30*time.Second))
	b = must(t)(b.PushUnknown("p", sec(5)))
	if b.Exposure != 60 || !b.dead().Equal(sec(30)) {
		t.Fatalf("after unknown: %+v", b)
	}
	b = must(t)(b.ReadStarted(sec(10)))
	b = b.ReadDone(b.Reading.ID, 10, Answer{At: sec(11), ChannelAt: sec(11)})
	b, _ = b.SalesKnownUntil(sec(11), sec(12))
	if b.Exposure != 60 || len(b.Ghosts) != 1 {
		t.Fatalf("a reading before the expiry must keep the ghost: %+v", b)
	}
	b = must(t)(b.ReadStarted(sec(30)))
	b = b.ReadDone(b.Reading.ID, 50, Answer{At: sec(31), ChannelAt: sec(31)})
	b, drift := b.SalesKnownUntil(sec(31), sec(32))
	if b.Exposure != 50 || drift != nil || !b.Settled() {
		t.Fatalf("after expiry: %+v drift %+v", b, drift)
	}
}

func TestReadingOvertakenByAPushIsIgnored(t *testing.T) {
	b := settledBook(t, Absolute, 5)
	b = must(t)(b.ReadStarted(sec(0)))
	stale := b.Reading.ID
	b = must(t)(b.PushSent(absolute(50), sec(1), time.Minute))
	b = must(t)(b.PushConfirmed("p", Answer{At: sec(2)}))
	b = must(t)(b.ReadStarted(sec(2.5))) // another reading is under way when the stale answer comes
	b = b.ReadDone(stale, 5, Answer{At: sec(3)})
	b, _ = b.SalesKnownUntil(sec(3), sec(4))
	if b.Exposure != 50 {
		t.Fatalf("exposure = %d, want 50: the stale 5 must not count", b.Exposure)
	}
}

func TestDriftIsFoundBothWaysAndRaisesTheBound(t *testing.T) {
	for found, raised := range map[int]bool{25: true, 12: false} {
		b := settledBook(t, CompareAndSet, 20)
		b = must(t)(b.ReadStarted(sec(0)))
		b = b.SaleKnown(1, sec(0), sec(0.5))
		b = b.ReadDone(b.Reading.ID, found, Answer{At: sec(1), ChannelAt: sec(1)})
		b, drift := b.SalesKnownUntil(sec(1), sec(2))
		if drift == nil || drift.Raised != raised || !b.Repair {
			t.Fatalf("found %d: drift %+v, repair %v", found, drift, b.Repair)
		}
		if b.Exposure != found {
			t.Errorf("found %d: exposure %d", found, b.Exposure)
		}
	}
}

func TestBookSurvivesJSON(t *testing.T) {
	b := settledBook(t, Absolute, 10)
	b = b.SaleKnown(2, sec(0), sec(1))
	b = must(t)(b.PushSent(absolute(50), sec(1), time.Minute))
	b = b.SaleKnown(1, sec(1), sec(1))
	b = must(t)(b.PushUnknown("p", sec(2)))
	b = must(t)(b.ReadStarted(sec(3)))
	data, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	var back Book
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b, back); diff != "" {
		t.Fatal(diff)
	}
}

// Transitions return new books: the old value must stay what it was, whatever is done to the new one.
func TestTransitionsDoNotShareMemory(t *testing.T) {
	b := settledBook(t, Absolute, 10)
	b = must(t)(b.PushSent(absolute(50), sec(1), time.Minute))
	b = b.SaleKnown(1, sec(1), sec(1))
	before, _ := json.Marshal(b)
	c := b.SaleKnown(1, sec(1), sec(2)).CancelKnown(1, true, sec(2))
	c = must(t)(c.PushConfirmed("p", Answer{At: sec(3), ChannelAt: sec(3)}))
	c.SalesKnownUntil(sec(4), sec(4))
	after, _ := json.Marshal(b)
	if diff := cmp.Diff(string(before), string(after)); diff != "" {
		t.Fatal(diff)
	}
}
