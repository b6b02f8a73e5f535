package health

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/policy"
)

// A small node that is bad comes before a large one that is as all the rest.
func TestCausesStandOut(t *testing.T) {
	tally := func(facet, value string, num, den int64) Tally {
		return Tally{Connection: "shop", Rate: "ldr@1", Facet: facet, Value: value, Day: 10, Num: num, Den: den}
	}
	tallies := []Tally{tally("", "", 30, 1000), tally("node", "east", 10, 900), tally("node", "west", 20, 100), tally("carrier", "usps", 30, 1000),
		tally("unjudged", "", 0, 5), {Connection: "shop", Rate: "ldr@1", Day: 99, Num: 5, Den: 5}, {Connection: "shop", Rate: "other", Day: 10, Num: 5, Den: 5}}
	want := []Cause{{Facet: "node", Value: "west", Against: 20, Den: 100, Excess: 18}, {Facet: "carrier", Value: "usps", Against: 30, Den: 1000},
		{Facet: "node", Value: "east", Against: 10, Den: 900}}
	if d := cmp.Diff(want, Causes(tallies, "ldr@1", true, 10, 12)); d != "" {
		t.Error(d)
	}
	good := []Tally{tally("", "", 970, 1000), tally("node", "west", 80, 100), tally("node", "east", 890, 900)}
	if d := cmp.Diff([]Cause{{Facet: "node", Value: "west", Against: 20, Den: 100, Excess: 18}, {Facet: "node", Value: "east", Against: 10, Den: 900}}, Causes(good, "ldr@1", false, 10, 10)); d != "" {
		t.Error(d)
	}
}

func TestReasonsAreCounted(t *testing.T) {
	mark := func(why Reason, n int64) Mark { return Mark{Rate: "ldr@1", Day: 10, Reason: why, N: n} }
	got := Reasons([]Mark{mark(Late4h, 1), mark(Late24h, 1), mark(Late24h, 1), mark(UnknownDue, 9), mark(Late48h, 1), mark(Late48h, -1), {Rate: "ldr@1", Day: 11, Reason: Late4h, N: 7}}, "ldr@1", 9, 10)
	want := []Cause{{Value: "late_24h", Against: 2}, {Value: "late_4h", Against: 1}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestTogether(t *testing.T) {
	c := Together(0.5, 0.2)
	if c.Low != 0.5 || c.High != 0.7 || math.Abs(c.Independent-0.6) > 1e-12 || math.Abs(c.Two-0.2) > 1e-12 {
		t.Errorf("%+v", c)
	}
	if c := Together(); c != (Compound{}) {
		t.Errorf("of nothing: %+v", c)
	}
	rapid.Check(t, func(t *rapid.T) {
		c := Together(rapid.SliceOf(rapid.Float64()).Draw(t, "chances")...)
		const dust = 1e-9
		if !(c.Low >= 0 && c.Low <= c.Independent+dust && c.Independent <= c.High+dust && c.High <= 1 && c.Two >= -dust && c.Two <= c.High+dust) {
			t.Fatalf("%+v", c)
		}
	})
	if c := Together(math.NaN()); c.Low != 1 {
		t.Errorf("a chance that is not known: %+v", c)
	}
}

func TestTheWorstState(t *testing.T) {
	s := func(m policy.Metric, st State) Standing { return Standing{Metric: m, State: st} }
	state, metrics := Worst([]Standing{s("ldr", Watch), s("vtr", Breach), s("sfcr", Good), s("otdr", Breach)})
	if d := cmp.Diff([]policy.Metric{"vtr", "otdr"}, metrics); d != "" || state != Breach {
		t.Error(state, d)
	}
	if state, _ := Worst(nil); state != NoRule {
		t.Errorf("of no metrics: %s", state)
	}
	if state, _ := Worst([]Standing{s("ldr", Good), s("vtr", NoRule)}); state != NoRule {
		t.Errorf("a gap beside a good rate reads as %s", state)
	}
}
