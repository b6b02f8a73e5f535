package world

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/kit/errs"
)

func collect(t interface{ Fatal(...any) }, p Profile) []Arrival {
	seq, err := Arrivals(p)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(seq)
}

func TestArrivalsFollowTheProfile(t *testing.T) {
	p := Profile{Seed: 3, Flows: []Flow{{"a", 60}, {"b", 600}}, Length: time.Hour,
		Spikes: []Spike{{Channel: "a", Start: 20 * time.Minute, Length: 10 * time.Minute, Factor: 50, Hot: 0.9}},
		SKUs:   []string{"x", "y", "z"}, Zipf: 1, Hot: "h", HotShare: 0.5, MaxQty: 3}
	got := collect(t, p)
	count := map[string]int{}
	spike, hot := 0, 0
	for i, a := range got {
		if i > 0 && a.Offset < got[i-1].Offset || a.Offset >= time.Hour || a.Qty < 1 || a.Qty > 3 {
			t.Fatalf("line %d: %+v after %+v", i, a, got[max(i-1, 0)])
		}
		count[a.Channel]++
		count[a.SKU]++
		if a.Channel == "a" && a.Offset >= 20*time.Minute && a.Offset < 30*time.Minute {
			spike++
			if a.SKU == "h" {
				hot++
			}
		}
	}
	near := func(what string, got int, want float64) {
		if g := float64(got); g < want*0.93 || g > want*1.07 { // five standard deviations of the smallest count here
			t.Errorf("%s: %d, want about %.0f", what, got, want)
		}
	}
	near("spike", spike, 30_000)
	near("hot in the spike", hot, 27_000)
	near("a", count["a"], 33_000)
	near("b", count["b"], 36_000)
	near("x is twice y", count["x"], 2*float64(count["y"]))
	if !slices.Equal(got, collect(t, p)) {
		t.Error("the same profile gave other lines")
	}
	p.Flows = p.Flows[:1]
	only := slices.DeleteFunc(slices.Clone(got), func(a Arrival) bool { return a.Channel != "a" })
	if !slices.Equal(only, collect(t, p)) {
		t.Error("taking a channel away changed the other")
	}
}

func TestArrivalsRefuseNonsense(t *testing.T) {
	for name, p := range map[string]Profile{
		"empty":     {},
		"no items":  {Flows: []Flow{{"a", 1}}},
		"rate":      {Flows: []Flow{{"a", -1}}, SKUs: []string{"x"}},
		"hot share": {Flows: []Flow{{"a", 1}}, SKUs: []string{"x"}, HotShare: 0.5},
		"factor":    {Flows: []Flow{{"a", 1}}, SKUs: []string{"x"}, Spikes: []Spike{{Factor: -1}}},
	} {
		if _, err := Arrivals(p); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestArrivalsEndAtAnyRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Profile{Seed: rapid.Uint64().Draw(t, "seed"), SKUs: []string{"x"}, Length: time.Minute}
		for range rapid.IntRange(1, 3).Draw(t, "flows") {
			p.Flows = append(p.Flows, Flow{"c", rapid.Float64Range(0, 100).Draw(t, "rate")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "spikes") {
			at := func(s string) time.Duration { return time.Duration(rapid.IntRange(0, 90).Draw(t, s)) * time.Second }
			p.Spikes = append(p.Spikes, Spike{Start: at("start"), Length: at("length"), Factor: rapid.Float64Range(0, 5).Draw(t, "factor")})
		}
		for _, a := range collect(t, p) {
			if a.Offset < 0 || a.Offset >= time.Minute {
				t.Fatalf("at %s", a.Offset)
			}
		}
	})
}

func TestPlayRunsOnTheClock(t *testing.T) {
	clock := NewVirtual(start)
	lines := []Arrival{{Offset: 4 * time.Second, SKU: "b"}, {Offset: 0, SKU: "a"}, {Offset: 10 * time.Second, SKU: "c"}}
	var got []string
	stop, done := Play(clock, Replay(lines), 2, func(a Arrival) { got = append(got, a.SKU+" "+clock.Now().Sub(start).String()) })
	clock.Advance(2 * time.Second)
	if d := cmp.Diff([]string{"a 0s", "b 2s"}, got); d != "" {
		t.Error(d)
	}
	clock.Advance(3 * time.Second)
	<-done
	if d := cmp.Diff([]string{"a 0s", "b 2s", "c 5s"}, got); d != "" {
		t.Error(d)
	}
	stop()
}

func TestPlayStops(t *testing.T) {
	clock := NewVirtual(start)
	seq, err := Arrivals(Profile{Flows: []Flow{{"a", 60}}, SKUs: []string{"x"}})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	stop, done := Play(clock, seq, 0, func(Arrival) { n++ })
	clock.Advance(time.Minute)
	stop()
	<-done
	before := n
	clock.Advance(time.Minute)
	if before < 30 || n != before {
		t.Errorf("%d lines, then %d after stop", before, n)
	}
}
