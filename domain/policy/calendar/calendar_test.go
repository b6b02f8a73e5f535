package calendar

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// shared opens a file of the shared data, or skips loudly where it is not at hand.
func shared(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Open(filepath.Join("../../../../shared/data/business-calendar", name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("NOT CHECKED: shared data %s is not at hand", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func table(t *testing.T, name string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(shared(t, name)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func made(t testing.TB, s Spec) *Calendar {
	t.Helper()
	c, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func day(t testing.TB, text string) Day {
	t.Helper()
	d, err := ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestHolidaysAreThePublishedOnes(t *testing.T) {
	federal, postal, actual := map[string]int{}, map[string]int{}, map[string]int{}
	for year := 2015; year <= 2027; year++ {
		for _, h := range FederalHolidays(year) {
			federal[strconv.Itoa(year)+h.Name+h.Observed.String()]++
			actual[strconv.Itoa(year)+h.Name+h.Actual.String()]++
		}
		for _, h := range PostalHolidays(year) {
			postal[strconv.Itoa(year)+h.Name+h.Observed.String()]++
		}
	}
	rows := table(t, "us_federal_holidays_2015_2027.csv")
	if len(rows) != len(federal) || len(rows) != len(postal) {
		t.Errorf("%d holidays published, %d federal and %d postal computed", len(rows), len(federal), len(postal))
	}
	for _, r := range rows {
		for what, has := range map[string]bool{
			"actual day " + r[2]: actual[r[0]+r[1]+r[2]] == 1, "federal day " + r[3]: federal[r[0]+r[1]+r[3]] == 1, "postal day " + r[4]: postal[r[0]+r[1]+r[4]] == 1,
		} {
			if !has {
				t.Errorf("%s %s: %s is not what is computed", r[0], r[1], what)
			}
		}
	}
}

func TestFederalAndPostalHolidaysAreKeptApart(t *testing.T) {
	la := zone(t, "America/Los_Angeles")
	federal := made(t, Spec{Zone: la, Holidays: USFederal, Week: MondayToSaturday})
	postal := made(t, Spec{Zone: la, Holidays: USPostal, Week: MondayToSaturday})
	for _, c := range []struct {
		day             string
		federal, postal bool // business is done
	}{
		{"2026-07-02", true, true}, {"2026-07-03", false, true}, {"2026-07-04", true, false}, {"2026-07-06", true, true}, // Independence Day on a Saturday
		{"2021-12-31", false, true}, {"2022-01-01", true, false}, // New Year's Day observed in the year before
		{"2027-07-05", false, false}, // on a Sunday: both on Monday
		{"2020-06-19", true, true},   // before Juneteenth was a holiday
	} {
		d := day(t, c.day)
		if federal.Business(d) != c.federal || postal.Business(d) != c.postal {
			t.Errorf("%s: federal %v (%s), postal %v (%s); want %v, %v", c.day, federal.Business(d), federal.Why(d), postal.Business(d), postal.Why(d), c.federal, c.postal)
		}
	}
}

func TestDispatchDeadlines(t *testing.T) {
	var cases []struct {
		PaidAt   time.Time `json:"paid_at"`
		Days     int       `json:"business_days"`
		Zone     string    `json:"zone"`
		Deadline time.Time `json:"deadline"`
	}
	if err := json.NewDecoder(shared(t, "dispatch_deadlines_2025_2026.json")).Decode(&cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 178 {
		t.Fatalf("%d cases, want 178", len(cases))
	}
	calendars := map[string]*Calendar{}
	for _, c := range cases {
		if calendars[c.Zone] == nil {
			calendars[c.Zone] = made(t, Spec{Zone: zone(t, c.Zone), Holidays: USFederal})
		}
		if got, ok := calendars[c.Zone].Deadline(c.PaidAt, c.Days); !ok || !got.Equal(c.Deadline) {
			t.Errorf("paid %s, %d business days in %s: %s, want %s", c.PaidAt, c.Days, c.Zone, got.UTC(), c.Deadline)
		}
	}
}

// slowStart finds the first moment of a day by looking at every minute around it; clocks change on whole minutes.
func slowStart(d Day, z *time.Location) time.Time {
	for u := int64(d)*daySeconds - 15*3600; ; u += 60 {
		if t := time.Unix(u, 0).In(z); Date(t.Date()) >= d {
			return t
		}
	}
}

func TestDaysAroundClockChanges(t *testing.T) {
	rows := table(t, "dst_transitions_2024_2027.csv")
	// Zones outside the list, where the clock changes at midnight, skips it, or repeats the hour before it.
	for _, x := range [][2]string{{"America/Santiago", "2026-04-05T03:00:00Z"}, {"America/Santiago", "2026-09-06T04:00:00Z"}, {"America/Havana", "2026-03-08T05:00:00Z"},
		{"America/Havana", "2026-11-01T05:00:00Z"}, {"Africa/Cairo", "2026-04-23T22:00:00Z"}, {"Africa/Cairo", "2026-10-29T21:00:00Z"}, {"Asia/Beirut", "2026-03-28T22:00:00Z"}} {
		rows = append(rows, []string{x[0], x[1], "", ""})
	}
	for _, r := range rows {
		z := zone(t, r[0])
		at, err := time.Parse(time.RFC3339, r[1])
		if err != nil {
			t.Fatal(err)
		}
		_, before := at.Add(-time.Second).In(z).Zone()
		_, after := at.In(z).Zone()
		if before == after || (r[2] != "" && (strconv.Itoa(before) != r[2] || strconv.Itoa(after) != r[3])) {
			t.Errorf("%s %s: the zone data goes from %d to %d, want %s to %s", r[0], r[1], before, after, r[2], r[3])
		}
		var length time.Duration
		for d := DayOf(at, z) - 1; d <= DayOf(at, z)+1; d++ {
			want := slowStart(d, z)
			if got := d.Start(z); !got.Equal(want) {
				t.Errorf("%s %s starts at %s, want %s", r[0], d, got, want)
			}
			if got := d.End(z); !got.Equal(slowStart(d+1, z).Add(-time.Second)) || DayOf(got, z) != d || got.In(z).Format(time.TimeOnly) != "23:59:59" {
				t.Errorf("%s %s ends at %s", r[0], d, got)
			}
			length += d.End(z).Sub(d.Start(z)) + time.Second
		}
		if want := 72*time.Hour - time.Duration(after-before)*time.Second; length != want {
			t.Errorf("%s: three days around %s have %s, want %s", r[0], r[1], length, want)
		}
	}
}

func TestTimesOfDayAroundClockChanges(t *testing.T) {
	for _, c := range []struct{ zone, day, clock, want string }{
		{"America/Los_Angeles", "2026-03-08", "01:59", "2026-03-08T09:59:00Z"},
		{"America/Los_Angeles", "2026-03-08", "02:30", "2026-03-08T10:00:00Z"}, // skipped: the moment after the jump
		{"America/Los_Angeles", "2026-03-08", "14:00", "2026-03-08T21:00:00Z"},
		{"America/Los_Angeles", "2026-11-01", "01:30", "2026-11-01T08:30:00Z"}, // twice: the first
		{"America/Los_Angeles", "2026-11-01", "14:00", "2026-11-01T22:00:00Z"},
		{"Asia/Ho_Chi_Minh", "2026-11-01", "14:00", "2026-11-01T07:00:00Z"},
		{"Africa/Cairo", "2026-04-24", "00:30", "2026-04-23T22:00:00Z"},
		{"Europe/London", "2026-03-29", "23:59:59", "2026-03-29T22:59:59Z"},
	} {
		clock, err := ParseClock(c.clock)
		if err != nil {
			t.Fatal(err)
		}
		if got := day(t, c.day).At(clock, zone(t, c.zone)).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s on %s in %s is %s, want %s", c.clock, c.day, c.zone, got, c.want)
		}
	}
}

func TestCutOffsAndClosures(t *testing.T) {
	la := zone(t, "America/Los_Angeles")
	c := made(t, Spec{Zone: la, Holidays: USFederal, Closures: []Closure{{Span: Span{From: day(t, "2026-11-27"), Until: day(t, "2026-11-28")}, Name: "stocktaking", Author: "Kim"}}})
	const afternoon = Clock(14 * 3600)
	for _, x := range []struct {
		at, cutoff, want string
	}{
		{"2026-11-25T13:59:59-08:00", "14:00", "2026-11-25"},
		{"2026-11-25T14:00:00-08:00", "14:00", "2026-11-30"}, // Thanksgiving, the closure, the weekend
		{"2026-11-28T09:00:00-08:00", "14:00", "2026-11-30"},
		{"2026-11-25T23:59:59-08:00", "23:59:59", "2026-11-25"}, // the whole day
	} {
		at, err := time.Parse(time.RFC3339, x.at)
		if err != nil {
			t.Fatal(err)
		}
		cutoff, err := ParseClock(x.cutoff)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := c.WorkDay(at, cutoff); !ok || got.String() != x.want {
			t.Errorf("in at %s with cut-off %s: worked on %s, want %s", x.at, x.cutoff, got, x.want)
		}
	}
	for d, want := range map[string]string{"2026-11-25": "", "2026-11-26": "Thanksgiving Day", "2026-11-27": "stocktaking", "2026-11-28": "Saturday"} {
		if got := c.Why(day(t, d)); got != want {
			t.Errorf("why closed on %s: %q, want %q", d, got, want)
		}
	}
	if afternoon.String() != "14:00" || LastSecond.String() != "23:59:59" {
		t.Errorf("clocks are written %s and %s", afternoon, LastSecond)
	}
}

func TestWhatCannotBeACalendar(t *testing.T) {
	ok := Span{From: 20000, Until: 20001}
	for name, s := range map[string]Spec{
		"no zone":           {},
		"unknown holidays":  {Zone: time.UTC, Holidays: "uk"},
		"nameless closure":  {Zone: time.UTC, Closures: []Closure{{Span: ok}}},
		"open closure":      {Zone: time.UTC, Closures: []Closure{{Name: "x", Span: Span{From: 20000}}}},
		"endless closure":   {Zone: time.UTC, Closures: []Closure{{Name: "x", Span: Span{From: 20000, Until: 21000}}}},
		"too many closures": {Zone: time.UTC, Closures: make([]Closure, MaxClosures+1)},
	} {
		if _, err := New(s); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	c := made(t, Spec{Zone: time.UTC})
	for _, x := range []struct {
		d Day
		n int
	}{{20000, -1}, {20000, MaxDays + 1}, {firstDay - 1, 1}, {pastDay, 0}, {pastDay - 1, 1}} {
		if got, ok := c.Add(x.d, x.n); ok {
			t.Errorf("%d business days after %s is %s, want no answer", x.n, x.d, got)
		}
	}
}

func TestAddingDaysOneByOneIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var closures []Closure
		for range rapid.IntRange(0, 5).Draw(t, "closures") {
			from := Day(rapid.IntRange(20000, 21000).Draw(t, "from"))
			closures = append(closures, Closure{Name: "x", Span: Span{From: from, Until: from + Day(rapid.IntRange(1, 9).Draw(t, "days"))}})
		}
		c, err := New(Spec{Zone: time.UTC, Holidays: rapid.SampledFrom([]Holidays{NoHolidays, USFederal, USPostal}).Draw(t, "holidays"),
			Week: rapid.SampledFrom([]Week{MondayToFriday, MondayToSaturday, EveryDay}).Draw(t, "week"), Closures: closures})
		if err != nil {
			t.Fatal(err)
		}
		d, n := Day(rapid.IntRange(19990, 21010).Draw(t, "day")), rapid.IntRange(0, 30).Draw(t, "n")
		want := d
		for left := n; left > 0 || !c.Business(want); {
			if want++; c.Business(want) {
				left--
			}
		}
		got, ok := c.Add(d, n)
		if !ok || got != want {
			t.Fatalf("%d business days after %s: %s, one by one %s", n, d, got, want)
		}
		if n > 0 && c.Between(d, got) != n {
			t.Fatalf("between %s and %s: %d, want %d", d, got, c.Between(d, got), n)
		}
	})
}

func TestDayOfAndStartAgree(t *testing.T) {
	zones := []string{"America/Los_Angeles", "Europe/London", "Asia/Bangkok", "Asia/Kathmandu", "America/Santiago", "Australia/Lord_Howe", "Pacific/Apia"}
	rapid.Check(t, func(t *rapid.T) {
		z, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		at := time.Unix(rapid.Int64Range(1_400_000_000, 2_500_000_000).Draw(t, "at"), 0)
		d := DayOf(at, z)
		if y, m, day := at.In(z).Date(); d != Date(y, m, day) {
			t.Fatalf("%s is on %s", at.In(z), d)
		}
		if at.Before(d.Start(z)) || at.After(d.End(z)) {
			t.Fatalf("%s is not between %s and %s", at.In(z), d.Start(z), d.End(z))
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"2026-03-02", "14:00", "23:59:59", "", "24:00", "2026-02-30", "-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseDay(s); err == nil && d != 0 && d.String() != s {
			t.Errorf("%q is read as %s", s, d)
		}
		if c, err := ParseClock(s); err == nil {
			if again, err := ParseClock(c.String()); err != nil || again != c || c < 0 || c > LastSecond {
				t.Errorf("%q is read as %s and again as %s (%v)", s, c, again, err)
			}
		}
	})
}

func BenchmarkDeadline(b *testing.B) {
	c := made(b, Spec{Zone: zone(b, "America/Los_Angeles"), Holidays: USFederal})
	at := time.Date(2026, 7, 2, 20, 0, 0, 0, time.UTC)
	b.Run("add", func(b *testing.B) {
		d := DayOf(at, c.Zone())
		for b.Loop() {
			if _, ok := c.Add(d, 2); !ok {
				b.Fatal("no day")
			}
		}
	})
	b.Run("moment", func(b *testing.B) {
		for b.Loop() {
			if _, ok := c.Deadline(at, 2); !ok {
				b.Fatal("no deadline")
			}
		}
	})
	b.Run("make", func(b *testing.B) {
		for b.Loop() {
			made(b, Spec{Zone: c.Zone(), Holidays: USFederal})
		}
	})
}
