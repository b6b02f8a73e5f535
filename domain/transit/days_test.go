package transit

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy/calendar"
)

func TestGroundDays(t *testing.T) {
	for _, c := range []struct {
		name         string
		from, to     string
		likely, late int
	}{
		{"next door", "10001", "07030", 2, 3}, {"across", "94107", "10001", 5, 7}, {"within Alaska", "99501", "99501", 2, 3},
		{"to Hawaii", "94107", "96813", 8, 13}, {"to an army post office", "10001", "09012", 9, 17}, {"to Palau", "94107", "96940", 10, 20},
	} {
		d, ok := GroundDays(us(c.from), us(c.to), nil)
		if !ok || d.Likely != c.likely || d.Late != c.late || d.From == "" {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
	if d, ok := GroundDays(us("94107"), us(""), nil); ok {
		t.Errorf("to nowhere: %+v", d)
	}
}

func TestArrival(t *testing.T) {
	la, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	post, err := Calendar(USPS, la)
	if err != nil {
		t.Fatal(err)
	}
	other, err := Calendar(UPS, la, calendar.Closure{Span: calendar.Span{From: day(t, "2026-11-27"), Until: day(t, "2026-11-28")}, Name: "the day after Thanksgiving"})
	if err != nil {
		t.Fatal(err)
	}
	cutoff := calendar.Clock(17 * 3600)
	for _, c := range []struct {
		name    string
		carrier *calendar.Calendar
		at      string
		days    int
		want    string
	}{
		{"before the cut-off", post, "2026-11-23 16:59", 2, "2026-11-25"},
		{"at the cut-off", post, "2026-11-23 17:00", 2, "2026-11-27"}, // Thanksgiving between
		{"the post delivers on Saturday", post, "2026-11-25 12:00", 2, "2026-11-28"},
		{"others rest, and the day after too", other, "2026-11-25 12:00", 2, "2026-12-01"},
		{"handed over on a Sunday", post, "2026-11-22 12:00", 1, "2026-11-24"},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", c.at, la)
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := Arrival(c.carrier, at, cutoff, c.days); !ok || d.String() != c.want {
			t.Errorf("%s: %s", c.name, d)
		}
	}
	if d, ok := Arrival(post, time.Date(1999, 1, 1, 0, 0, 0, 0, la), cutoff, 1); ok {
		t.Errorf("before all years: %s", d)
	}
}

func TestExpect(t *testing.T) {
	var few, many Seen
	for i := range 40 {
		many.Add(2 + i/10)
	}
	few.Add(9)
	few.Add(-1)
	few.Add(1000)
	if few.Total() != 2 || few[MaxDays] != 1 {
		t.Errorf("%v", few)
	}
	usual := Days{Likely: 4, Late: 6, From: "usual"}
	if d := Expect(usual, Group{"to the ZIP area", few}, Group{"to zone 5", many}); d != (Days{Likely: 3, Late: 5, From: "seen on 40 parcels, to zone 5", Seen: 40}) {
		t.Errorf("%+v", d)
	}
	if d := Expect(usual, Group{"to the ZIP area", few}); d != usual {
		t.Errorf("%+v", d)
	}
	for _, percent := range []int64{0, 101} {
		if d, ok := many.Quantile(percent); ok {
			t.Errorf("%d %%: %d", percent, d)
		}
	}
	if d, ok := (Seen{}).Quantile(50); ok {
		t.Errorf("of nothing: %d", d)
	}
}

// Quantiles are the days of the sorted list; counting in two parts is counting in one.
func TestSeenQuantiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.SliceOfN(rapid.IntRange(0, MaxDays), 1, 40).Draw(t, "days")
		var a, b, all Seen
		for i, d := range days {
			all.Add(d)
			if i%2 == 0 {
				a.Add(d)
			} else {
				b.Add(d)
			}
		}
		if a.Join(b) != all || b.Join(a) != all {
			t.Fatal("joined counts differ")
		}
		percent := rapid.Int64Range(1, 100).Draw(t, "percent")
		q, ok := all.Quantile(percent)
		within := func(most int) (n int64) {
			for _, d := range days {
				if d <= most {
					n++
				}
			}
			return n
		}
		if total := int64(len(days)); !ok || within(q)*100 < percent*total || within(q-1)*100 >= percent*total {
			t.Fatalf("%d %% of %v is %d", percent, days, q)
		}
	})
}

func TestLaneDays(t *testing.T) {
	lane := network.Lane{Carrier: "USPS", Days: [10]int{0: 12, 8: 5}}
	for zone, want := range map[int]Days{0: {Likely: 12, Late: 17, From: "stated for USPS"}, 8: {Likely: 5, Late: 7, From: "stated for USPS"}, 4: {}, -1: {}, 10: {}} {
		if d, ok := LaneDays(lane, zone); d != want || ok != (want != Days{}) {
			t.Errorf("zone %d: %+v %v", zone, d, ok)
		}
	}
}

func TestWay(t *testing.T) {
	var many Seen
	for range minSeen {
		many.Add(7)
	}
	lane := network.Lane{Carrier: "USPS", Days: [10]int{0: 12, 8: 4}}
	here, abroad := us("94107"), network.Place{Country: "GB", Postal: "SW1A 1AA"}
	for _, c := range []struct {
		name         string
		from, to     network.Place
		lane         network.Lane
		seen         []Group
		zone, likely int // likely 0: not known
	}{
		{"as usual", here, us("10001"), network.Lane{}, nil, 8, 5},
		{"as stated for the zone", here, us("10001"), lane, nil, 8, 4},
		{"as seen", here, us("10001"), lane, []Group{{"to New York", many}}, 8, 7},
		{"three digits are enough", here, us("100"), lane, nil, 8, 4},
		{"the state is enough", here, network.Place{Country: "US", State: "NY"}, lane, nil, 8, 4},
		{"nothing but the country", here, network.Place{Country: "US"}, lane, nil, 0, 0},
		{"abroad as stated", here, abroad, lane, nil, 0, 12},
		{"abroad as seen", here, abroad, network.Lane{}, []Group{{"to Britain", many}}, 0, 7},
		{"abroad and nothing stated", here, abroad, network.Lane{}, nil, 0, 0},
		{"from abroad", abroad, here, lane, nil, 0, 12},
		{"within another country", abroad, abroad, lane, nil, 0, 0},
		{"nowhere", here, network.Place{}, lane, nil, 0, 0},
	} {
		d, z, ok := Way(c.from, c.lane, c.to, nil, c.seen...)
		if ok != (c.likely > 0) || d.Likely != c.likely || z.Number != c.zone {
			t.Errorf("%s: %+v %+v %v", c.name, d, z, ok)
		}
	}
}

// What Arrival promises is what Took finds when the parcel comes on that day.
func TestTookIsWhatArrivalCounts(t *testing.T) {
	post, err := Calendar(USPS, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		scanned := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 100*24).Draw(t, "hour")) * time.Hour)
		days := rapid.IntRange(0, 20).Draw(t, "days")
		day, ok := Arrival(post, scanned, calendar.LastSecond, days)
		if !ok {
			t.Fatal("no arrival")
		}
		if got := Took(post, scanned, day.End(time.UTC)); got != days {
			t.Fatalf("scanned %s, arrived %s: %d days, not %d", scanned, day, got, days)
		}
		if early := Took(post, scanned, scanned.Add(-time.Hour)); early >= 0 {
			t.Fatalf("delivered before it was scanned: %d", early)
		}
	})
	if got := Took(post, time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)); got >= 0 {
		t.Errorf("before all years: %d", got)
	}
}
