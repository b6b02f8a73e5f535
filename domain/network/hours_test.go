package network

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/policy/calendar"
)

func made(t testing.TB, n Node) *Timetable {
	t.Helper()
	out, err := n.Timetable()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func moment(t testing.TB, text string) time.Time {
	t.Helper()
	out, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestHoursLeaveOutClosuresAndHolidays(t *testing.T) {
	n := whole()
	n.Shifts = nil
	for d := time.Monday; d <= time.Friday; d++ {
		n.Shifts = append(n.Shifts, Shift{Weekday: d, From: 8 * 3600, Until: 16 * 3600, PerHour: 50})
	}
	n.Closed.Days = []calendar.Closure{{Name: "stocktaking", Span: calendar.Span{From: calendar.Date(2026, 11, 24), Until: calendar.Date(2026, 11, 25)}}}
	n.Overtime = []Overtime{{Day: calendar.Date(2026, 11, 26), From: 8 * 3600, Until: 10 * 3600, PerHour: 20}, {Day: calendar.Date(2026, 11, 27), From: 14 * 3600, Until: 18 * 3600, PerHour: 10}}
	w := made(t, n)
	got := map[string]float64{}
	for d := calendar.Date(2026, 11, 23); d < calendar.Date(2026, 11, 30); d++ {
		got[d.Weekday().String()] = Orders(w.On(d))
	}
	want := map[string]float64{"Monday": 400, "Tuesday": 0, "Wednesday": 400, "Thursday": 40, "Friday": 440, "Saturday": 0, "Sunday": 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for day, why := range map[int]string{23: "", 24: "stocktaking", 26: "Thanksgiving Day"} {
		if got := w.Rests(calendar.Date(2026, 11, day)); got != why {
			t.Errorf("the %dth: %q, want %q", day, got, why)
		}
	}
	friday := w.On(calendar.Date(2026, 11, 27))
	if len(friday) != 3 || friday[0].PerHour != 50 || friday[1].PerHour != 60 || friday[2].PerHour != 10 {
		t.Errorf("shift and overtime: %v", friday)
	}
	if !w.Says() || made(t, Node{Zone: "UTC"}).Says() {
		t.Error("says")
	}
}

func TestHoursOnDaysTheClockChanges(t *testing.T) {
	n := Node{ID: "x", Zone: "America/New_York", Shifts: []Shift{{Weekday: time.Sunday, From: 0, Until: 6 * 3600, PerHour: 10}, {Weekday: time.Sunday, From: 20 * 3600, Until: calendar.LastSecond, PerHour: 10}}}
	w := made(t, n)
	for day, want := range map[calendar.Day]float64{calendar.Date(2026, 3, 8): 90, calendar.Date(2026, 3, 15): 100, calendar.Date(2026, 11, 1): 110} {
		if got := Orders(w.On(day)); got != want {
			t.Errorf("%s: %v orders, want %v", day, got, want)
		}
	}
	n.Shifts = []Shift{{Weekday: time.Sunday, From: 2*3600 + 600, Until: 2*3600 + 3000, PerHour: 10}} // all of it in the hour that is skipped
	if got := made(t, n).On(calendar.Date(2026, 3, 8)); len(got) != 0 {
		t.Errorf("worked in an hour that was not: %v", got)
	}
}

func TestNextPickup(t *testing.T) {
	lane := Lane{Carrier: "USPS", Holidays: calendar.USPostal, Pickups: []Pickup{{Weekday: time.Monday, At: 11 * 3600, CutOff: 30}, {Weekday: time.Monday, At: 17 * 3600, CutOff: 60},
		{Weekday: time.Wednesday, At: 9 * 3600, CutOff: 15 * 60}, {Weekday: time.Thursday, At: 17 * 3600}, {Weekday: time.Sunday, At: 3600 * 2, CutOff: 0}}}
	n := Node{ID: "x", Zone: "America/New_York", Lanes: []Lane{lane}, Closed: Closed{Days: []calendar.Closure{{Name: "moving", Span: calendar.Span{From: calendar.Date(2026, 11, 30), Until: calendar.Date(2026, 12, 3)}}}}}
	w := made(t, n)
	for ready, want := range map[string]string{
		"2026-11-23T10:30:00-05:00": "2026-11-23T11:00:00-05:00",
		"2026-11-23T10:30:01-05:00": "2026-11-23T17:00:00-05:00",
		"2026-11-23T16:00:01-05:00": "2026-11-25T09:00:00-05:00",
		"2026-11-24T18:00:00-05:00": "2026-11-25T09:00:00-05:00",
		"2026-11-24T18:00:01-05:00": "2026-11-29T02:00:00-05:00", // Thanksgiving: no van
		"2026-11-29T03:00:00-05:00": "2026-12-03T17:00:00-05:00", // closed
		"2026-03-08T00:00:00-05:00": "2026-03-08T03:00:00-04:00", // two o'clock was skipped
	} {
		if got, ok := w.NextPickup(lane, moment(t, ready)); !ok || !got.Equal(moment(t, want)) {
			t.Errorf("ready %s: %s, want %s", ready, got, want)
		}
	}
	if _, ok := w.NextPickup(Lane{Carrier: "x"}, time.Now()); ok {
		t.Error("a van of which nothing is said comes")
	}
}

func TestCutOff(t *testing.T) {
	lane := Lane{Carrier: "USPS", Pickups: []Pickup{{Weekday: time.Tuesday, At: 11 * 3600}, {Weekday: time.Tuesday, At: 17 * 3600, CutOff: 30}}}
	n := Node{ID: "x", Zone: "America/New_York", Lanes: []Lane{lane}, Shifts: []Shift{{Weekday: time.Monday, From: 8 * 3600, Until: 12 * 3600, PerHour: 1}, {Weekday: time.Tuesday, From: 8 * 3600, Until: 12 * 3600, PerHour: 1},
		{Weekday: time.Tuesday, From: 13 * 3600, Until: 17 * 3600, PerHour: 1}}}
	w, tuesday := made(t, n), calendar.Date(2026, 11, 24)
	for _, c := range []struct {
		lane Lane
		work time.Duration
		want string
	}{{lane, 0, "2026-11-24T16:30:00-05:00"}, {lane, 2 * time.Hour, "2026-11-24T14:30:00-05:00"}, {lane, 4 * time.Hour, "2026-11-24T11:30:00-05:00"},
		{lane, 8 * time.Hour, "2026-11-23T11:30:00-05:00"}, {Lane{Carrier: "any"}, time.Hour, "2026-11-24T16:00:00-05:00"}} {
		if got, ok := w.CutOff(c.lane, tuesday, c.work); !ok || !got.Equal(moment(t, c.want)) {
			t.Errorf("%s of work: %s %t, want %s", c.work, got, ok, c.want)
		}
	}
	if at, ok := w.CutOff(lane, tuesday-1, 0); ok {
		t.Errorf("no van on Monday, and %s", at)
	}
	if at, ok := w.CutOff(lane, tuesday, 100*time.Hour); ok {
		t.Errorf("more work than a week has, and %s", at)
	}
	if at, ok := w.CutOff(Lane{}, tuesday+1, 0); ok {
		t.Errorf("no shift on Wednesday, and %s", at)
	}
}

// someNode draws a node whose shifts may overlap overtime, in zones and weeks in which the clock changes.
func someNode(t *rapid.T) (Node, time.Time) {
	zones := []string{"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "UTC"}
	around := []time.Time{time.Date(2026, 3, 8, 12, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC), time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC),
		time.Date(2026, 4, 5, 2, 0, 0, 0, time.UTC), time.Date(2026, 9, 6, 2, 0, 0, 0, time.UTC), time.Date(2026, 10, 4, 12, 0, 0, 0, time.UTC)}
	n := Node{ID: "x", Zone: rapid.SampledFrom(zones).Draw(t, "zone")}
	at := rapid.SampledFrom(around).Draw(t, "around").Add(time.Duration(rapid.IntRange(-72*60, 24*60).Draw(t, "minutes")) * time.Minute)
	clock := func(name string) calendar.Clock {
		return calendar.Clock(rapid.IntRange(0, 47).Draw(t, name) * 1800)
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if a, b := clock("from"), clock("until"); a < b {
			n.Shifts = append(n.Shifts, Shift{Weekday: d, From: a, Until: b, PerHour: int64(rapid.IntRange(1, 60).Draw(t, "pace"))})
		}
	}
	today := calendar.DayOf(at, n.Location())
	for range rapid.IntRange(0, 3).Draw(t, "overtime") {
		if a, b := clock("from"), clock("until"); a < b {
			n.Overtime = append(n.Overtime, Overtime{Day: today + calendar.Day(rapid.IntRange(-1, 3).Draw(t, "day")), From: a, Until: b, PerHour: 7})
		}
	}
	if rapid.Bool().Draw(t, "closed") {
		n.Closed.Days = []calendar.Closure{{Name: "c", Span: calendar.Span{From: today + 1, Until: today + 2}}}
	}
	lane := Lane{Carrier: "x"}
	for range rapid.IntRange(1, 4).Draw(t, "vans") {
		lane.Pickups = append(lane.Pickups, Pickup{Weekday: time.Weekday(rapid.IntRange(0, 6).Draw(t, "weekday")), At: clock("at"), CutOff: rapid.IntRange(0, 48).Draw(t, "cut off") * 30})
	}
	n.Lanes = []Lane{lane}
	return n, at
}

// paceAt is a node's pace at a moment, from what its clock shows then. What an hour that comes twice shows belongs to a stretch that contains it.
func paceAt(n Node, w *Timetable, at time.Time) (pace int64) {
	d := calendar.DayOf(at, n.Location())
	in := func(a, b calendar.Clock) bool { return !at.Before(w.moment(d, a)) && at.Before(w.moment(d, b)) }
	for _, s := range n.Shifts {
		if w.Rests(d) == "" && s.Weekday == d.Weekday() && in(s.From, s.Until) {
			pace += s.PerHour
		}
	}
	for _, o := range n.Overtime {
		if o.Day == d && in(o.From, o.Until) {
			pace += o.PerHour
		}
	}
	return pace
}

func TestHoursAreWhatTheClockShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, from := someNode(t)
		w, err := n.Timetable()
		if err != nil {
			t.Fatal(err)
		}
		until := from.Add(time.Duration(rapid.IntRange(0, 96).Draw(t, "hours")) * time.Hour)
		open := w.Hours(from, until)
		for i, s := range open {
			if !s.From.Before(s.Until) || s.PerHour <= 0 || s.From.Before(from) || s.Until.After(until) || (i > 0 && s.From.Before(open[i-1].Until)) {
				t.Fatalf("stretch %d of %v", i, open)
			}
		}
		for at := from; at.Before(until); at = at.Add(10 * time.Minute) {
			var got int64
			for _, s := range open {
				if !at.Before(s.From) && at.Before(s.Until) {
					got = s.PerHour
				}
			}
			if want := paceAt(n, w, at); got != want {
				t.Fatalf("%s: pace %d, want %d", at.In(n.Location()), got, want)
			}
		}
	})
}

func TestWhatComesInByTheCutOffLeavesTheSameDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, at := someNode(t)
		n.Shifts = append(n.Shifts, Shift{Weekday: time.Saturday, From: calendar.LastSecond - 1799, Until: calendar.LastSecond, PerHour: 5})
		if n.checkWeek(n.refusal) != nil {
			t.Skip("shifts overlap")
		}
		w, err := n.Timetable()
		if err != nil {
			t.Fatal(err)
		}
		day := calendar.DayOf(at, n.Location())
		work := time.Duration(rapid.IntRange(0, 20).Draw(t, "work")) * 30 * time.Minute
		cut, ok := w.CutOff(n.Lanes[0], day, work)
		if !ok {
			return
		}
		var last time.Time
		for _, v := range w.vansOn(n.Lanes[0], day) {
			last = latest(last, v.last)
		}
		open := func(from time.Time) (sum time.Duration) {
			for _, s := range w.Hours(from, last) {
				sum += s.Until.Sub(s.From)
			}
			return sum
		}
		if got := open(cut); got < work {
			t.Fatalf("from %s there are %s until %s, %s are needed", cut, got, last, work)
		}
		if got := open(cut.Add(time.Minute)); work > 0 && got >= work {
			t.Fatalf("a minute after %s there is time still: %s of %s", cut, got, work)
		}
	})
}

func BenchmarkNextPickup(b *testing.B) {
	n := whole()
	w := made(b, n)
	at := moment(b, "2026-11-24T10:30:00-05:00")
	for b.Loop() {
		w.NextPickup(n.Lanes[0], at)
	}
}
