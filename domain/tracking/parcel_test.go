package tracking

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/kit/errs"
)

var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) // a Monday

func hour(n int) time.Time { return start.Add(time.Duration(n) * time.Hour) }

func ev(h int, s Status) Event { return Event{At: hour(h), Status: s} }

func parcel(t interface{ Fatal(...any) }, events ...Event) Parcel {
	p, err := NewParcel("usps", "9400111206206406260787")
	if err != nil {
		t.Fatal(err)
	}
	if p, err = p.Add(events...); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestState(t *testing.T) {
	for _, c := range []struct {
		name   string
		events []Event
		want   State
	}{
		{"nothing", nil, State{Status: Unknown}},
		{"a label only", []Event{ev(1, LabelCreated)}, State{Status: LabelCreated, StatusAt: hour(1), LabelAt: hour(1)}},
		{"words nobody knows", []Event{ev(1, LabelCreated), ev(2, Unknown)}, State{Status: LabelCreated, StatusAt: hour(1), LabelAt: hour(1)}},
		{"the label given back", []Event{ev(1, LabelCreated), ev(2, Cancelled)}, State{Status: Cancelled, StatusAt: hour(2), LabelAt: hour(1)}},
		{"label and scan are kept apart", []Event{ev(1, LabelCreated), ev(8, Accepted)},
			State{Status: Accepted, StatusAt: hour(8), LabelAt: hour(1), ScannedAt: hour(8), LastScanAt: hour(8), Scans: 1}},
		{"news of the label after the scan", []Event{ev(8, Accepted), ev(9, LabelCreated), ev(10, Cancelled)},
			State{Status: Accepted, StatusAt: hour(8), LabelAt: hour(9), ScannedAt: hour(8), LastScanAt: hour(8), Scans: 1}},
		{"a delay is no scan", []Event{ev(1, LabelCreated), ev(2, Delayed)}, State{Status: Delayed, StatusAt: hour(2), LabelAt: hour(1)}},
		{"two sources tell the same scan", []Event{ev(8, Accepted), {At: hour(8), Status: Accepted, Source: "b"}},
			State{Status: Accepted, StatusAt: hour(8), ScannedAt: hour(8), LastScanAt: hour(8), Scans: 1}},
		{"delivered", []Event{ev(8, Accepted), ev(20, OutForDelivery), ev(25, Delivered)},
			State{Status: Delivered, StatusAt: hour(25), ScannedAt: hour(8), LastScanAt: hour(25), DeliveredAt: hour(25), Scans: 3}},
		{"two mornings on the van", []Event{ev(20, OutForDelivery), ev(44, OutForDelivery)},
			State{Status: OutForDelivery, StatusAt: hour(20), SaidAt: hour(44), ScannedAt: hour(20), LastScanAt: hour(44), Scans: 2}},
		{"a straggling scan after delivery", []Event{ev(25, Delivered), ev(26, InTransit), ev(27, Exception)},
			State{Status: Delivered, StatusAt: hour(25), ScannedAt: hour(25), LastScanAt: hour(26), DeliveredAt: hour(25), Scans: 2}},
		{"a delivery taken back", []Event{ev(25, Delivered), ev(27, OutForDelivery)},
			State{Status: OutForDelivery, StatusAt: hour(27), ScannedAt: hour(25), LastScanAt: hour(27), Scans: 2, TakenBack: true}},
		{"and delivered again, which stands", []Event{ev(25, Delivered), ev(27, Attempted), ev(50, Delivered), ev(51, OutForDelivery)},
			State{Status: Delivered, StatusAt: hour(50), ScannedAt: hour(25), LastScanAt: hour(51), DeliveredAt: hour(50), Scans: 4, TakenBack: true}},
		{"sent back by the receiver", []Event{ev(25, Delivered), ev(90, Returning)},
			State{Status: Returning, StatusAt: hour(90), ScannedAt: hour(25), LastScanAt: hour(90), Scans: 2}},
		{"on its way back it is delivered to the sender", []Event{ev(8, InTransit), ev(9, Returning), ev(20, OutForDelivery), ev(22, Delivered), ev(23, InTransit)},
			State{Status: Returned, StatusAt: hour(22), ScannedAt: hour(8), LastScanAt: hour(23), Scans: 5}},
	} {
		if c.want.SaidAt.IsZero() {
			c.want.SaidAt = c.want.StatusAt
		}
		if d := cmp.Diff(c.want, parcel(t, c.events...).State()); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
		slices.Reverse(c.events)
		if d := cmp.Diff(c.want, parcel(t, c.events...).State()); d != "" {
			t.Errorf("%s, told backwards:\n%s", c.name, d)
		}
	}
}

// anyEvent draws from so few values that events collide all the time.
func anyEvent(t *rapid.T) Event {
	return Event{At: hour(rapid.IntRange(0, 8).Draw(t, "at")), Status: rapid.SampledFrom(Statuses).Draw(t, "status"),
		Code: rapid.SampledFrom([]string{"", "x"}).Draw(t, "code"), Source: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "source")}
}

// Any events, in any order, any number of times, in any pieces, stored and read back in between: one history.
func TestHistoriesConverge(t *testing.T) { rapid.Check(t, converges) }

// FuzzHistories looks for a counter-example with the coverage of the code as its guide.
func FuzzHistories(f *testing.F) { f.Fuzz(rapid.MakeFuzz(converges)) }

func converges(t *rapid.T) {
	events := rapid.SliceOfN(rapid.Custom(anyEvent), 1, 14).Draw(t, "events")
	want := parcel(t, events...)
	again := append(slices.Clone(events), rapid.SliceOfN(rapid.SampledFrom(events), 0, 5).Draw(t, "doubles")...)
	left, right := parcel(t), parcel(t)
	for _, e := range rapid.Permutation(again).Draw(t, "arrival") {
		side := &left
		if rapid.Bool().Draw(t, "right") {
			side = &right
		}
		p, err := side.Add(e)
		if err != nil {
			t.Fatal(err)
		}
		*side = stored(t, p)
	}
	ab, errA := Merge(left, right)
	ba, errB := Merge(right, left)
	if errA != nil || errB != nil || !cmp.Equal(ab, want) || !cmp.Equal(ba, want) {
		t.Fatalf("%v %v\n%s\n%s", errA, errB, cmp.Diff(want, ab), cmp.Diff(want, ba))
	}
	if twice, err := Merge(ab, ab); err != nil || !cmp.Equal(twice, want) {
		t.Fatalf("merged with itself it is another: %s", cmp.Diff(want, twice))
	}
	s := want.State()
	for _, e := range events {
		if e.Status.Scan() && (e.At.Before(s.ScannedAt) || e.At.After(s.LastScanAt)) {
			t.Fatalf("a scan at %s is outside %+v", e.At, s)
		}
	}
}

func stored(t *rapid.T, p Parcel) Parcel {
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back Parcel
	if err := json.Unmarshal(text, &back); err != nil || !cmp.Equal(p, back) {
		t.Fatalf("stored it reads back differently: %v\n%s", err, cmp.Diff(p, back))
	}
	return back
}

// An older event that comes after a delivery leaves it standing, whatever it says.
func TestNoOlderEventTakesADeliveryBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.SliceOfN(rapid.Custom(anyEvent), 0, 8).Draw(t, "before")
		way := slices.DeleteFunc(before, func(e Event) bool { return e.Status == Returning || e.Status == Returned })
		p := parcel(t, append(way, ev(100, Delivered))...)
		late := anyEvent(t) // before hour 100
		if late.Status == Returning || late.Status == Returned {
			late.Status = InTransit // what came back is delivered to its sender
		}
		q, err := p.Add(late)
		if err != nil {
			t.Fatal(err)
		}
		if s := q.State(); s.Status != Delivered || s.DeliveredAt.IsZero() {
			t.Fatalf("%+v after %+v", s, late)
		}
	})
}

// Beyond the bound what is kept of parts is what is kept of the whole, and the first label and scan are among it.
func TestKeepConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		a := rapid.SliceOfN(rapid.Custom(anyEvent), 0, 12).Draw(t, "a")
		b := rapid.SliceOfN(rapid.Custom(anyEvent), 0, 12).Draw(t, "b")
		both := func(x, y []Event) []Event { return append(slices.Clone(x), y...) }
		whole := keep(both(a, b), limit)
		parts := keep(both(keep(slices.Clone(a), limit), keep(slices.Clone(b), limit)), limit)
		if !cmp.Equal(whole, parts) || len(whole) > limit+2 {
			t.Fatalf("%d kept:\n%s", len(whole), cmp.Diff(whole, parts))
		}
		first := func(events []Event) (at time.Time) {
			for _, e := range events {
				if e.Status.Scan() && (at.IsZero() || e.At.Before(at)) {
					at = e.At
				}
			}
			return at
		}
		if !first(both(a, b)).Equal(first(whole)) {
			t.Fatal("the first scan is lost")
		}
	})
}

func TestEventsThatCannotBe(t *testing.T) {
	p := parcel(t, ev(1, Accepted))
	for name, e := range map[string]Event{
		"no time": {Status: Delivered}, "no status": {At: start}, "another word": {At: start, Status: "gone"}, "the year 3000": {At: start.AddDate(1000, 0, 0), Status: Delivered},
		"a novel": {At: start, Status: Delivered, Place: strings.Repeat("x", maxEventText+1)},
	} {
		if _, err := p.Add(ev(2, Delivered), e); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s := p.State(); s.Status != Accepted {
		t.Errorf("a refused event altered the parcel: %+v", s)
	}
	if _, err := NewParcel("usps", " \t"); !errs.Is(err, errs.Invalid) {
		t.Errorf("no number: %v", err)
	}
	if _, err := Merge(p, Parcel{Carrier: "usps", Number: "OTHER"}); !errs.Is(err, errs.Conflict) {
		t.Errorf("another parcel: %v", err)
	}
}

func TestOneCorrection(t *testing.T) {
	up := func(h int, number string) Upload { return Upload{"usps", number, hour(h)} }
	var told Told
	for _, c := range []struct {
		name      string
		upload    Upload
		kind      errs.Kind // Internal: none
		corrected bool
	}{
		{"no number", up(0, " "), errs.Invalid, false},
		{"the first", up(1, "a 1"), errs.Internal, false},
		{"the same again", up(2, "A1"), errs.Internal, false},
		{"too late", up(74, "B2"), errs.Conflict, false},
		{"in time", up(73, "B2"), errs.Internal, true},
		{"the correction again", up(90, "B2"), errs.Internal, true},
		{"a second one", up(91, "C3"), errs.Conflict, true},
		{"back to the first", up(91, "A1"), errs.Conflict, true},
	} {
		next, err := told.Tell(c.upload, 72*time.Hour)
		if (err == nil) != (c.kind == errs.Internal) || err != nil && !errs.Is(err, c.kind) || next.Corrected() != c.corrected {
			t.Errorf("%s: %+v %v", c.name, next, err)
		}
		told = next
	}
	if told.First != up(1, "A1") || told.Last != up(90, "B2") {
		t.Errorf("%+v", told)
	}
}

// Two histories of uploads join to one, in any order and however often.
func TestToldConverges(t *testing.T) {
	any := rapid.Custom(func(t *rapid.T) Told {
		one := Upload{"usps", rapid.SampledFrom([]string{"A1", "B2"}).Draw(t, "number"), hour(rapid.IntRange(0, 3).Draw(t, "at"))}
		return Told{one, one}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := any.Draw(t, "a"), any.Draw(t, "b"), any.Draw(t, "c")
		if a.Join(b) != b.Join(a) || a.Join(b).Join(c) != a.Join(b.Join(c)) || a.Join(a) != a || (Told{}).Join(a) != a || a.Join(Told{}) != a {
			t.Fatalf("%+v %+v %+v", a, b, c)
		}
	})
}

func TestMapping(t *testing.T) {
	m := Mapping{Source: "source", Rows: []Row{
		{"TRANSIT", "", InTransit}, {"TRANSIT", "out_for_delivery", OutForDelivery}, {"DELIVERED", "", Delivered}, {"HELD", "customs", Exception},
	}}
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code, detail string
		want         Status
		known        bool
	}{
		{"transit", "", InTransit, true}, {"TRANSIT", "package_arrived", InTransit, true}, {"Transit", "OUT_FOR_DELIVERY", OutForDelivery, true},
		{"HELD", "", Unknown, false}, {"HELD", "customs", Exception, true}, {"", "", Unknown, false}, {"new word", "", Unknown, false},
	} {
		if s, ok := m.Status(c.code, c.detail); s != c.want || ok != c.known {
			t.Errorf("%s %s: %s %v", c.code, c.detail, s, ok)
		}
	}
	for name, row := range map[string]Row{"no code": {"", "", InTransit}, "no status": {"x", "", "gone"}, "twice": {"transit", "", Delivered}} {
		if err := (Mapping{Source: "source", Rows: append(slices.Clone(m.Rows), row)}).Check(); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
