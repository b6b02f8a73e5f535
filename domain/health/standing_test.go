package health

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/policy"
)

// only is a series source that has days of one rate, by its ID.
func only(id string, s Series) func(string) Series {
	return func(key string) Series {
		if strings.HasPrefix(key, id+"@") {
			return s
		}
		return nil
	}
}

func TestStatesAtLimitsAndSwitches(t *testing.T) {
	rs := rules()
	for _, c := range []struct {
		name     string
		metric   policy.Metric
		day      string
		num, den int64
		unjudged int64
		state    State
		paused   bool
	}{
		{"exactly 4 %, required", policy.LDR, "2026-03-01", 4, 100, 0, Good, false},
		{"a hair above 4 %, required", policy.LDR, "2026-03-01", 40_001, 1_000_000, 0, Breach, false},
		{"the same a day later, recommended", policy.LDR, "2026-03-02", 40_001, 1_000_000, 0, Watch, false},
		{"exactly 4 %, recommended", policy.LDR, "2026-03-02", 4, 100, 0, Good, false},
		{"exactly 10 %", policy.LDR, "2026-04-01", 10, 100, 0, Watch, false},
		{"a hair above 10 %", policy.LDR, "2026-04-01", 100_001, 1_000_000, 0, Breach, false},
		{"the same in the pause", policy.LDR, "2026-03-31", 100_001, 1_000_000, 0, Watch, true},
		{"exactly 2.5 %", policy.SFCR, "2026-04-01", 25, 1000, 0, Good, false},
		{"above 2.5 %", policy.SFCR, "2026-04-01", 26, 1000, 0, Breach, false},
		{"exactly 95 %", policy.VTR, "2026-04-01", 95, 100, 0, Good, false},
		{"below 95 %", policy.VTR, "2026-04-01", 949_999, 1_000_000, 0, Breach, false},
		{"exactly 80 %", policy.OTDR, "2025-05-05", 80, 100, 0, Good, false},
		{"below 80 %", policy.OTDR, "2025-05-05", 79, 100, 0, Breach, false},
		{"a day before there is a limit", policy.OTDR, "2025-05-04", 79, 100, 0, NoRule, false},
		{"one order, late", policy.LDR, "2026-04-01", 1, 1, 0, Breach, false},
		{"one order, in time", policy.LDR, "2026-04-01", 0, 1, 0, Good, false},
		{"no order", policy.LDR, "2026-04-01", 0, 0, 0, Nothing, false},
		{"more taken back than added", policy.LDR, "2026-04-01", -1, -1, 0, Nothing, false},
		{"good, but only as far as known", policy.LDR, "2026-04-01", 0, 100, 5, Unsure, false},
		{"good, whatever the unknown ones are", policy.LDR, "2026-04-01", 0, 100, 4, Good, false},
		{"unknown ones do not excuse", policy.LDR, "2026-04-01", 11, 100, 5, Breach, false},
		{"of a rate of good orders", policy.OTDR, "2026-04-01", 85, 100, 6, Unsure, false},
	} {
		day, err := policy.ParseDay(c.day)
		if err != nil {
			t.Fatal(err)
		}
		r, ok := rs.RateOn(c.metric, day)
		if !ok {
			t.Fatal("no rule")
		}
		s := Figure(rs, c.metric, day, only(r.ID, Series{{Day: day - policy.Day(r.Lag), Num: c.num, Den: c.den, Unjudged: c.unjudged}}))
		if s.State != c.state || s.Paused != c.paused || s.Num != c.num || s.Den != c.den {
			t.Errorf("%s: %s, paused %v; want %s, %v: %+v", c.name, s.State, s.Paused, c.state, c.paused, s)
		}
		if text := s.Sentence(); text == "" || strings.Contains(text, "NaN") || strings.Contains(text, "%!") {
			t.Errorf("%s: %q", c.name, text)
		}
	}
}

func TestADayWithoutARuleIsNoGoodDay(t *testing.T) {
	rs := *rules()
	rs.Rates = append([]policy.Rate(nil), rs.Rates...)
	rs.Rates[1].From = policy.Date(2026, time.January, 26)
	gap := ready(rs)
	s := Figure(gap, policy.LDR, policy.Date(2026, time.January, 20), func(string) Series { t.Error("asked for figures of no rate"); return nil })
	if s.State != NoRule || s.Rate != nil || s.Against() != 0 {
		t.Errorf("%+v", s)
	}
}

// The window is by the definition of the day judged, on each side of the switch; the days it does not hold do not matter.
func TestTrendAcrossTheSwitch(t *testing.T) {
	rs := rules()
	jan := func(d int) policy.Day { return policy.Date(2026, time.January, d) }
	days := func(num int64) (s Series) {
		for d := jan(1); d <= jan(20); d++ {
			s = append(s, DayCount{Day: d, Num: num, Den: 10})
		}
		return s
	}
	trend := Trend(rs, policy.LDR, jan(10), jan(13), func(key string) Series {
		if strings.HasPrefix(key, "ldr-ready@") {
			return days(1)
		}
		return days(2)
	})
	type line struct {
		Day, ID, First string
		Num, Den       int64
	}
	var got []line
	for _, s := range trend {
		got = append(got, line{s.Day.String(), s.Rate.ID, s.First.String(), s.Num, s.Den})
	}
	want := []line{{"2026-01-10", "ldr-ready", "2026-01-04", 7, 70}, {"2026-01-11", "ldr-ready", "2026-01-05", 7, 70},
		{"2026-01-12", "ldr-scan", "2026-01-06", 14, 70}, {"2026-01-13", "ldr-scan", "2026-01-07", 14, 70}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if n := len(Trend(rs, policy.LDR, jan(2), jan(1), nil)); n != 0 {
		t.Errorf("%d days from the second to the first", n)
	}
}

func TestHowFarTheLimitIs(t *testing.T) {
	rs := rules()
	day := policy.Date(2026, time.April, 10)
	s := Figure(rs, policy.LDR, day, only("ldr-scan", Series{{Day: day, Num: 38, Den: 1000}}))
	want := "3.80 %: 38 of 1000 orders dispatched late. 3 more that go wrong pass the target limit of 4.00 %."
	if got := s.Sentence(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if n := s.Bands[1].More; n != 69 { // 107 of 1069 is above 10 %, 106 of 1068 is not
		t.Errorf("%d more to enforcement", n)
	}
}

// Where a limit is passed when all orders go wrong, the first order does it, and no number once one went right.
func TestMoreOfAllOrders(t *testing.T) {
	r := policy.Rate{Test: policy.HandedOverLate}
	b := policy.Band{Limit: whole, Reached: true}
	if k := more(&r, b, 0, 0, false); k != 1 {
		t.Errorf("%d more of none", k)
	}
	if k := more(&r, b, 3, 4, false); k != Never {
		t.Errorf("%d more of four, one of them well", k)
	}
}

// More is the least number that does it, whatever the rate, the limit and how it is meant.
func TestMoreIsTheLeastNumberThatDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := policy.Rate{Test: rapid.SampledFrom([]policy.Test{policy.HandedOverLate, policy.CancelledBySeller, policy.DeliveredOnTime, policy.TrackingValid}).Draw(t, "test")}
		b := policy.Band{Limit: policy.PPM(rapid.Int64Range(1, 100).Draw(t, "limit") * 10_000), Reached: rapid.Bool().Draw(t, "reached")}
		den := rapid.Int64Range(0, 60).Draw(t, "den")
		num := rapid.Int64Range(0, den).Draw(t, "num")
		bad := r.Test.Bad()
		worse := b.Worse(num, den, bad)
		after := func(k int64) bool { // whether k more change the side
			n, d := num, den
			switch {
			case !worse && r.Test == policy.CancelledBySeller:
				n += k
				if n > d {
					return false
				}
			case bad != worse: // a bad order in a rate of bad ones, a good one in a rate of good ones
				n, d = n+k, d+k
			default:
				d += k
			}
			return b.Worse(n, d, bad) != worse
		}
		k := more(&r, b, num, den, worse)
		if k == Never {
			for i := int64(1); i < 2000; i++ {
				if after(i) {
					t.Fatalf("%d do", i)
				}
			}
			return
		}
		if k < 1 || !after(k) || after(k-1) && k > 1 {
			t.Fatalf("%d of %d, limit %d, worse %v: %d is not the least", num, den, b.Limit, worse, k)
		}
	})
}
