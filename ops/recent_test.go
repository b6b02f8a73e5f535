package ops

import (
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

// TestRecentTellsWhatIsKnown: a driver may leave out what is told here, so nothing may be told that was not taken in, nor as read
// when it was only sent.
func TestRecentTellsWhatIsKnown(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var r recent
	want := func(step string, status order.Status, readAt time.Time) {
		t.Helper()
		seen, known := r.seen("1")
		if known != (status != "") || seen.Status != status || !seen.ReadAt.Equal(readAt) {
			t.Errorf("%s: known %v: %+v, want %q read at %v", step, known, seen, status, readAt)
		}
	}
	want("at first", "", time.Time{})
	first := snapshotOf("1", at, order.AwaitingShipment)
	first.ReadAt = at.Add(time.Minute)
	r.add([]order.Fact{first})
	want("a message", order.AwaitingShipment, time.Time{})
	read := first
	read.ReadAt = at.Add(time.Hour)
	if news := r.fresh([]order.Fact{read}); len(news) != 0 {
		t.Errorf("an unchanged order is news: %v", news)
	}
	want("read, and unchanged", order.AwaitingShipment, read.ReadAt)
	r.add([]order.Fact{first})
	want("the message again", order.AwaitingShipment, read.ReadAt)
	sent := snapshotOf("1", at, order.InTransit) // of the same second
	r.add([]order.Fact{sent})
	want("a message of another state", order.InTransit, time.Time{})
	sent.ReadAt = at.Add(2 * time.Hour)
	r.addRead([]order.Fact{sent})
	want("an answer", order.InTransit, sent.ReadAt)
	r.add([]order.Fact{snapshotOf("1", at.Add(-time.Second), order.Unpaid)})
	want("an older message, late", order.InTransit, sent.ReadAt)
	r.add([]order.Fact{{Kind: order.StatusNotice, ExternalID: "1"}})
	want("a notice that left nothing open", order.InTransit, sent.ReadAt)
	r.forget([]string{"1"})
	want("a notice that left something open", "", time.Time{})
}

// TestTheWatermarkFollowsTheListing: orders left out move the watermark, and an order read after the listing does not move it beyond
// what was listed.
func TestTheWatermarkFollowsTheListing(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	later := []order.Fact{snapshotOf("1", at.Add(time.Minute), order.Unpaid)}
	for name, tc := range map[string]struct {
		page driver.OrderPage
		want time.Duration
	}{
		"nothing":                       {driver.OrderPage{}, 0},
		"orders alone":                  {driver.OrderPage{Orders: later}, time.Minute},
		"all left out":                  {driver.OrderPage{ChangedTo: at.Add(time.Second)}, time.Second},
		"an order newer than its place": {driver.OrderPage{ChangedTo: at.Add(time.Second), Orders: later}, time.Second},
		"an older page":                 {driver.OrderPage{ChangedTo: at.Add(-time.Second), Orders: later}, 0},
	} {
		if got := latest(at, tc.page).Sub(at); got != tc.want {
			t.Errorf("%s: the watermark moves by %v, want %v", name, got, tc.want)
		}
	}
}

// BenchmarkRecent fills the memory of one connection and tells what an order takes of it.
func BenchmarkRecent(b *testing.B) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var r recent
		for i := range 2 * keepRecent {
			f := snapshotOf(strconv.Itoa(5_000_000_000_000+i), at, order.AwaitingShipment)
			f.StatusText = string(append([]byte("paid/"), "unfulfilled"...))
			r.add([]order.Fact{f})
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(r.now)+len(r.old)), "B/order")
		runtime.KeepAlive(&r)
	}
}

// A process that takes a shop over remembers nothing; what its first sweep finds as it is stored need not be read again.
func TestTheFirstSweepLooksIntoTheDatabase(t *testing.T) {
	r := newRig(t)
	id := r.sell("S1", 1)
	ext := strings.TrimPrefix(id, r.conn+":")
	w := r.x.wires.get(r.conn)
	w.known.forget([]string{ext})
	if _, known := w.known.seen(ext); known {
		t.Fatal("it is remembered still")
	}
	if _, known := w.seenBefore(ext); !known {
		t.Error("a stored order counts as unknown")
	}
	if _, known := w.known.seen(ext); !known {
		t.Error("what was looked up is not remembered")
	}
	if _, known := w.seenBefore("never"); known {
		t.Error("an order that was never taken in counts as known")
	}
}
