package risk

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/policy/calendar"
)

func utcCalendar(t interface{ Fatal(...any) }) *calendar.Calendar {
	c, err := calendar.New(calendar.Spec{Zone: time.UTC, Holidays: calendar.USFederal})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func at(hours float64) time.Time { return monday.Add(time.Duration(hours * float64(time.Hour))) }

func TestFatesAndTheMomentTheyAreKnown(t *testing.T) {
	type want struct {
		fate  bool // whether there is one
		late  bool
		known time.Time
	}
	due := at(48)
	cases := []struct {
		name string
		do   func(h *History)
		want want
	}{
		{"handed over in time", func(h *History) { h.Place(Order{ID: "o", At: at(0), Due: due}); h.HandOver("o", at(5)) }, want{true, false, at(5)}},
		{"exactly on the deadline", func(h *History) { h.Place(Order{ID: "o", At: at(0), Due: due}); h.HandOver("o", due) }, want{true, false, due}},
		{"a second after", func(h *History) {
			h.Place(Order{ID: "o", At: at(0), Due: due})
			h.HandOver("o", due.Add(time.Second))
		}, want{true, true, due}},
		{"never handed over", func(h *History) { h.Place(Order{ID: "o", At: at(0), Due: due}) }, want{true, true, due}},
		{"cancelled", func(h *History) { h.Place(Order{ID: "o", At: at(0), Due: due}); h.Cancel("o", at(4)) }, want{}},
		{"cancelled when late already", func(h *History) { h.Place(Order{ID: "o", At: at(0), Due: due}); h.Cancel("o", at(90)) }, want{true, true, due}},
		{"no deadline ever", func(h *History) { h.Place(Order{ID: "o", At: at(0)}); h.HandOver("o", at(5)) }, want{}},
		{"deadline set later", func(h *History) {
			h.Place(Order{ID: "o", At: at(0)})
			h.SetDue("o", due, at(3))
			h.HandOver("o", at(50))
		}, want{true, true, due}},
		{"deadline set after the hand-over", func(h *History) {
			h.Place(Order{ID: "o", At: at(0)})
			h.HandOver("o", at(2))
			h.SetDue("o", due, at(3))
		}, want{true, false, at(3)}},
		{"deadline moved out", func(h *History) {
			h.Place(Order{ID: "o", At: at(0), Due: due})
			h.SetDue("o", at(72), at(40))
			h.HandOver("o", at(60))
		}, want{true, false, at(60)}},
		{"deadline before the order", func(h *History) { h.Place(Order{ID: "o", At: at(0), Due: at(-5)}) }, want{true, true, at(0)}},
		{"told twice", func(h *History) {
			h.Place(Order{ID: "o", At: at(0), Due: due})
			h.Place(Order{ID: "o", At: at(0), Due: due})
			h.HandOver("o", at(5))
			h.HandOver("o", at(60))
		}, want{true, false, at(5)}},
		{"of an order never placed", func(h *History) { h.HandOver("x", at(5)); h.Cancel("x", at(6)); h.SetDue("x", due, at(7)) }, want{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := NewHistory(utcCalendar(t))
			c.do(h)
			h.Advance(at(100))
			s := h.Samples()
			if (len(s) == 1) != c.want.fate || len(s) > 1 {
				t.Fatalf("%d fates, want one: %v", len(s), c.want.fate)
			}
			if c.want.fate && (s[0].Late != c.want.late || !s[0].Known.Equal(c.want.known)) {
				t.Errorf("late %v known %s, want %v %s", s[0].Late, s[0].Known, c.want.late, c.want.known)
			}
		})
	}
}

// plainOrder is an order in the list of the property test.
type plainOrder struct {
	node              string
	placed, due       time.Time
	handed, cancelled bool
}

// TestBacklogsAgreeWithAPlainList drives random histories and compares the node's open and overdue orders with a list that is counted anew
// each time; no figure is ever NaN or infinite.
func TestBacklogsAgreeWithAPlainList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := NewHistory(utcCalendar(t))
		now, list := at(0), map[string]*plainOrder{}
		for i := range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "hours")) * time.Hour)
			id := fmt.Sprint(rapid.IntRange(0, i).Draw(t, "order"))
			o := list[id]
			switch rapid.SampledFrom([]string{"place", "place", "due", "hand", "cancel"}).Draw(t, "what") {
			case "place":
				if o != nil {
					continue
				}
				n := &plainOrder{node: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "node"), placed: now}
				if rapid.Bool().Draw(t, "has a deadline") {
					n.due = now.Add(time.Duration(rapid.IntRange(-5, 90).Draw(t, "allowed")) * time.Hour)
				}
				list[id] = n
				h.Place(Order{ID: id, Node: n.node, At: now, Due: n.due, Grams: rapid.Int64().Draw(t, "grams"), Price: rapid.Int64().Draw(t, "price")})
			case "due":
				due := now.Add(time.Duration(rapid.IntRange(-5, 90).Draw(t, "allowed")) * time.Hour)
				if o != nil && !o.handed && !o.cancelled && (o.due.IsZero() || !o.due.Before(now)) {
					o.due = due
				}
				h.SetDue(id, due, now)
			case "hand":
				if o != nil && !o.cancelled {
					o.handed = true
				}
				h.HandOver(id, now)
			case "cancel":
				if o != nil && !o.handed {
					o.cancelled = true
				}
				h.Cancel(id, now)
			}
			for _, node := range []string{"a", "b"} {
				compareBacklog(t, h, list, node, now)
			}
		}
	})
}

func compareBacklog(t *rapid.T, h *History, list map[string]*plainOrder, node string, now time.Time) {
	open, over, oldest := 0, 0, time.Time{}
	for _, o := range list {
		if o.node != node || o.handed || o.cancelled {
			continue
		}
		open++
		if !o.due.IsZero() && o.due.Before(now) {
			over++
		}
		if oldest.IsZero() || o.placed.Before(oldest) {
			oldest = o.placed
		}
	}
	f := h.Features(Order{Node: node, At: now})
	if got := f.count(NodeOpen); math.Abs(got-float64(open)) > 1e-4 {
		t.Fatalf("node %s: %v open, want %d", node, got, open)
	}
	if got := f.count(NodeOverdue); math.Abs(got-float64(over)) > 1e-4 {
		t.Fatalf("node %s: %v overdue, want %d", node, got, over)
	}
	if open > 0 {
		if want := h.business(oldest, now); math.Abs(float64(f[NodeOldest])-want) > 1e-4 {
			t.Fatalf("node %s: oldest %v, want %v", node, f[NodeOldest], want)
		}
	}
	for k, v := range f {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			t.Fatalf("%s is %v", Feature(k), v)
		}
	}
}

func TestBusinessTime(t *testing.T) {
	h := NewHistory(utcCalendar(t))
	friday := time.Date(2026, 7, 3, 18, 0, 0, 0, time.UTC) // Independence Day as federal offices observe it
	for _, c := range []struct {
		a, b time.Time
		want float64
	}{
		{at(0), at(24), 1},
		{at(0), at(0), 0},
		{at(24), at(0), -1},
		{at(0), at(7 * 24), 5},
		{friday, friday.AddDate(0, 0, 3), 0.75}, // until Monday 18:00: only Monday counts
		{friday.AddDate(0, 0, -1), friday, 0.25},
	} {
		if got := h.business(c.a, c.b); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("from %s to %s: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

// TestMemoryIsBounded fills every store past its bound.
func TestMemoryIsBounded(t *testing.T) {
	h := NewHistory(utcCalendar(t))
	n := MaxOpen + MaxGroups/4
	for i := range n {
		h.Place(Order{ID: fmt.Sprint(i), Node: fmt.Sprint("n", i), Item: fmt.Sprint("i", i), At: at(0).Add(time.Duration(i) * time.Second)})
	}
	if len(h.open) != MaxOpen || h.nodes.use.Len() != MaxGroups || len(h.nodes.by) != MaxGroups {
		t.Errorf("%d open, %d nodes", len(h.open), h.nodes.use.Len())
	}
	if h.open["0"] != nil || h.open[fmt.Sprint(n-1)] == nil {
		t.Error("the latest order was given up instead of the oldest")
	}
	if h.market.open != MaxOpen {
		t.Errorf("the market has %d open", h.market.open)
	}
	for i := range n { // one order is never handed over; the others of its node come and go, and their deadlines move
		id := fmt.Sprint("x", i)
		h.Place(Order{ID: id, Node: "stuck", At: at(1000), Due: at(2000)})
		if i > 0 {
			h.SetDue(id, at(3000), at(1000))
			h.HandOver(id, at(1000))
		}
	}
	if q, o, d := len(h.nodes.get("stuck").queue), len(h.oldest), len(h.dues); q > 3*slack || o > 2*MaxOpen+2*slack || d > 2*MaxOpen+2*slack {
		t.Errorf("%d in the node's queue, %d remembered in order, %d deadlines", q, o, d)
	}
	for range 2*MaxSamples + 10 {
		h.judge(&pending{order: Order{At: at(0)}, groups: [5]*group{{}, {}, {}, {}, {}}}, false, at(0))
		if len(h.samples) > 2*MaxSamples {
			t.Fatalf("%d samples", len(h.samples))
		}
	}
	if len(h.Samples()) != MaxSamples {
		t.Errorf("%d samples, want the latest %d", len(h.Samples()), MaxSamples)
	}
}
