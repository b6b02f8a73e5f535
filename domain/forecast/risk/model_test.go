package risk

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// told are the samples of a history in which the node "slow" is late where it is given four days and not where it is given eight, and
// the node "quick" hardly ever.
func told(t testing.TB, orders int) []Sample {
	h := NewHistory(utcCalendar(t))
	type open struct {
		id   string
		hand time.Time
	}
	var waiting []open
	for i := range orders {
		o := Order{ID: fmt.Sprint(i), Node: "quick", At: at(float64(i))}
		o.Due = o.At.AddDate(0, 0, 4)
		hand := o.At.Add(20 * time.Hour)
		switch {
		case i%3 == 0:
			o.Node, hand = "slow", o.At.AddDate(0, 0, 6)
			o.Due = o.At.AddDate(0, 0, 4+4*(i%2)) // half of its orders have time enough
		case i%20 == 0:
			hand = o.At.AddDate(0, 0, 5)
		}
		slices.SortStableFunc(waiting, func(a, b open) int { return a.hand.Compare(b.hand) })
		for len(waiting) > 0 && waiting[0].hand.Before(o.At) {
			h.HandOver(waiting[0].id, waiting[0].hand)
			waiting = waiting[1:]
		}
		h.Place(o)
		waiting = append(waiting, open{o.ID, hand})
	}
	return h.Samples()
}

func TestLearnsWhatIsThere(t *testing.T) {
	samples := told(t, 3000)
	m := Learn(samples, at(3000))
	if m.State != Learned || m.HeldOut.AUC < 0.9 || m.HeldOut.Brier >= m.BaseHeldOut.Brier {
		t.Fatalf("%s %s: held out %+v, base %+v", m.State, m.Why, m.HeldOut, m.BaseHeldOut)
	}
	var outcomes []Outcome
	for _, s := range samples[len(samples)/2:] {
		outcomes = append(outcomes, Outcome{m.Chance(&s.Features), s.Late})
	}
	for _, b := range Reliability(outcomes, 5) {
		if math.Abs(b.Chance-b.Rate) > 0.12 {
			t.Errorf("chance %.2f where %.2f were late", b.Chance, b.Rate)
		}
	}
}

func TestTheSameEventsGiveTheSameModel(t *testing.T) {
	a, err := json.Marshal(Learn(told(t, 1500), at(1500)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(Learn(told(t, 1500), at(1500)))
	if err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) {
		t.Error("two models of the same events differ")
	}
	m, err := Decode(a)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Learn(told(t, 1500), at(1500)), m); diff != "" {
		t.Errorf("read back it is another: %s", diff)
	}
}

func TestLearnLooksAtNothingLater(t *testing.T) {
	samples, cut := told(t, 2000), at(1000)
	var until []Sample
	for _, s := range samples {
		if !s.Known.After(cut) {
			until = append(until, s)
		}
	}
	if diff := cmp.Diff(Learn(until, cut), Learn(samples, cut)); diff != "" {
		t.Errorf("what became known later changed the model: %s", diff)
	}
}

func TestTooLittleToLearnFromIsSaid(t *testing.T) {
	fate := func(n, late int) []Sample {
		out := make([]Sample, n)
		for i := range out {
			out[i] = Sample{At: at(float64(i)), Known: at(float64(i) + 1), Late: i < late}
			out[i].Features[Weight] = float32(i % 7)
		}
		return out
	}
	for _, c := range []struct {
		name    string
		samples []Sample
		state   State
		says    string
	}{
		{"nothing", nil, Nothing, "No order's fate is known yet"},
		{"one order", fate(1, 1), BaseRate, "too few"},
		{"one order too few", fate(MinOrders-1, MinEach), BaseRate, "too few"},
		{"one late order too few", fate(MinOrders, MinEach-1), BaseRate, "too few"},
		{"one order in time too few", fate(MinOrders, MinOrders-MinEach+1), BaseRate, "too few"},
		{"nothing to be found", fate(4*MinOrders, 2*MinEach), BaseRate, "could not tell"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Learn(c.samples, at(1e6))
			if m.State != c.state || !strings.Contains(m.Why, c.says) {
				t.Errorf("%s: %s", m.State, m.Why)
			}
			var f Features
			if p := m.Chance(&f); !(p > 0 && p < 1) || p != min(1-surest, m.Base) {
				t.Errorf("chance %v, base %v", p, m.Base)
			}
			if m.Explain(&f, 3) != nil {
				t.Error("reasons without anything learned")
			}
		})
	}
}

func TestScores(t *testing.T) {
	o := func(p float64, late bool) Outcome { return Outcome{p, late} }
	for _, c := range []struct {
		name       string
		in         []Outcome
		auc, brier float64
	}{
		{"none", nil, 0.5, 0},
		{"all late", []Outcome{o(0.5, true), o(1, true)}, 0.5, 0.125},
		{"right", []Outcome{o(0.9, true), o(0.1, false)}, 1, 0.01},
		{"wrong", []Outcome{o(0.1, true), o(0.9, false)}, 0, 0.81},
		{"equal chances count half", []Outcome{o(0.5, true), o(0.5, false), o(0.2, false)}, 0.75, 0.18},
	} {
		s := ScoreOf(c.in)
		if math.Abs(s.AUC-c.auc) > 1e-12 || math.Abs(s.Brier-c.brier) > 1e-12 {
			t.Errorf("%s: AUC %v Brier %v, want %v %v", c.name, s.AUC, s.Brier, c.auc, c.brier)
		}
	}
	bins := Reliability([]Outcome{o(0.9, true), o(0.1, false), o(0.2, true), o(0.3, false), o(0.8, true)}, 2)
	if len(bins) != 2 || bins[0].Orders != 3 || bins[1].Orders != 2 || math.Abs(bins[0].Rate-1.0/3) > 1e-9 || math.Abs(bins[1].Chance-0.85) > 1e-9 {
		t.Errorf("%+v", bins)
	}
	if got := Reliability(nil, 10); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// TestExplainAddsUp: the effects of all themes are the whole distance from an average order, and read as sentences.
func TestExplainAddsUp(t *testing.T) {
	samples := told(t, 3000)
	m := Learn(samples, at(3000))
	for _, s := range samples[2000:2050] {
		p := m.Chance(&s.Features)
		sum := m.Linear.Base
		reasons := m.Explain(&s.Features, len(allThemes))
		for i, r := range reasons {
			sum += r.Odds
			if r.Says == "" || r.Says == string(r.Theme) || strings.Contains(r.Says, "NaN") || strings.Contains(r.Says, "%!") {
				t.Fatalf("%s: %q", r.Theme, r.Says)
			}
			if i > 0 && math.Abs(r.Odds) > math.Abs(reasons[i-1].Odds) {
				t.Fatal("not strongest first")
			}
		}
		left := float64(len(allThemes)-len(reasons)) * math.Log(1.05)
		if d := math.Abs(sum - logit(p)); d > left+1e-9 && p > surest && p < 1-surest {
			t.Fatalf("reasons give %v, the chance %v", logistic(sum), p)
		}
	}
}

func FuzzDecode(f *testing.F) {
	line := make([]float64, featureCount) // not learned: that would take longer than the fuzzing
	for k := range line {
		line[k] = 0.5
	}
	good, err := json.Marshal(&Model{Version: modelVersion, State: Learned, Base: 0.1, Features: featureNames[:],
		Linear: &Linear{Mean: line, Scale: line, Weight: line, Base: -2}})
	if err != nil {
		f.Fatal(err)
	}
	if _, err := Decode(good); err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(strings.Replace(string(good), `"weight":[0.5`, `"weight":[1e300`, 1)))
	f.Add([]byte(`{"version":1,"state":"base rate","base":0.1}`))
	f.Add([]byte(`{"version":1,"state":"learned","base":0.1}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		for _, v := range []float32{0, 1, -1e30, 1e30} {
			var x Features
			for k := range x {
				x[k] = v
			}
			if p := m.Chance(&x); !(p > 0 && p < 1) {
				t.Fatalf("chance %v", p)
			}
			m.Explain(&x, 3)
		}
	})
}
