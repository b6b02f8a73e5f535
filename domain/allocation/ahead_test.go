package allocation

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestHowLongUnitsLast(t *testing.T) {
	hour := func(n float64) float64 { return n / 3600 }
	for name, c := range map[string]struct {
		units int64
		draws []Draw
		kept  []Kept
		want  time.Duration
		ok    bool
	}{
		"nobody buys":                  {10, nil, nil, 0, false},
		"lasts for years":              {1_000_000, []Draw{{"a", hour(1)}}, nil, 0, false},
		"one listing":                  {10, []Draw{{"a", hour(1)}}, nil, 10 * time.Hour, true},
		"two draw on the same":         {12, []Draw{{"a", hour(1)}, {"b", hour(2)}}, nil, 4 * time.Hour, true},
		"gone":                         {0, []Draw{{"a", hour(1)}}, nil, 0, true},
		"owed":                         {-3, []Draw{{"a", hour(1)}}, nil, 0, true},
		"gone, and nobody asks":        {0, nil, nil, 0, false},
		"kept for a show":              {12, []Draw{{"show", 0}, {"b", hour(2)}}, []Kept{{"show", 8}}, 2 * time.Hour, true},
		"the show sells more than all": {12, []Draw{{"show", hour(11)}, {"b", hour(1)}}, []Kept{{"show", 8}}, time.Hour, true},
		"all kept":                     {8, []Draw{{"b", hour(1)}}, []Kept{{"show", 9}}, 0, true},
		"all kept for who buys":        {8, []Draw{{"show", hour(1)}}, []Kept{{"show", 9}}, 8 * time.Hour, true},
	} {
		got, ok := RunsOut(c.units, c.draws, c.kept)
		if ok != c.ok || (got-c.want).Abs() > time.Second {
			t.Errorf("%s: %s %v, want %s %v", name, got, ok, c.want, c.ok)
		}
	}
}

func TestMoreStockLastsLongerAndMoreDemandShorter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.Int64Range(-5, 10_000).Draw(t, "units")
		var draws []Draw
		var kept []Kept
		for i := range rapid.IntRange(1, 4).Draw(t, "listings") {
			draws = append(draws, Draw{fmt.Sprint(i), rapid.Float64Range(0, 2).Draw(t, "rate")})
			if rapid.Bool().Draw(t, "kept") {
				kept = append(kept, Kept{fmt.Sprint(i), rapid.Int64Range(-1, 2_000).Draw(t, "units kept")})
			}
		}
		until := func(units int64, draws []Draw, kept []Kept) time.Duration {
			left, ok := RunsOut(units, draws, kept)
			if !ok {
				return farAhead + 1
			}
			if left < 0 || left > farAhead {
				t.Fatalf("%s", left)
			}
			return left
		}
		now := until(units, draws, kept)
		if more := until(units+rapid.Int64Range(0, 500).Draw(t, "received"), draws, kept); more < now {
			t.Fatalf("with more units %s, before %s", more, now)
		}
		if faster := until(units, append(draws[:len(draws):len(draws)], Draw{"new", rapid.Float64Range(0, 2).Draw(t, "new rate")}), kept); faster > now {
			t.Fatalf("with another listing %s, before %s", faster, now)
		}
	})
}

func TestSteadyDemandIsThatOfDays(t *testing.T) {
	r := Rate{At: sec(0)}
	if got := r.Steady(sec(3600)); got != 0 {
		t.Errorf("nothing sold: %v", got)
	}
	at := 0.0
	for range 14 * 24 { // one unit an hour for two weeks
		at += 3600
		r = r.Observe(1, sec(at))
	}
	if got := r.Steady(sec(at)) * 3600; math.Abs(got-1) > 0.1 {
		t.Errorf("one an hour for two weeks: %.2f an hour", got)
	}
	quiet := r.Steady(sec(at + 24*3600))
	if quiet >= r.Steady(sec(at)) {
		t.Errorf("after a day without sales: %v", quiet)
	}
	// Five units in five minutes are a rush for who moves units between channels, and no reason to order more.
	rush := r
	for i := range 5 {
		rush = rush.Observe(1, sec(at+float64(60*i)))
	}
	if s := rush.Steady(sec(at + 300)); s > 1.5*r.Steady(sec(at)) || rush.PerSecond(sec(at+300)) <= s {
		t.Errorf("a rush of minutes counts: %v", s)
	}
	// A hundred in an hour are one.
	for range 100 {
		rush = rush.Observe(1, sec(at+3600))
	}
	if s := rush.Steady(sec(at + 3600)); s < 3*r.Steady(sec(at)) {
		t.Errorf("a hundred in an hour do not count: %v", s)
	}
	few := Rate{At: sec(0)}.Observe(fewSales-1, sec(60))
	if got := few.Steady(sec(120)); got != 0 {
		t.Errorf("the first sales of all: %v", got)
	}
}
