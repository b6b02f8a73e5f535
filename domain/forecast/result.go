package forecast

import (
	"slices"
	"time"

	"github.com/spillway/spillway/domain/policy"
)

// Forecast is what is to be expected as of At.
type Forecast struct {
	At      time.Time
	Orders  []Risk // one for each of Input.Open, in its order; most urgent first if some were left out
	LeftOut int    // open orders beyond MaxOpen, not judged
	Metrics []MetricForecast
	Days    []Together // the limits of enforcement of all metrics together, by day
	Within  Together   // the same at any day up to the last
	Grounds []Ground   // what each part of it rests on
	Assumed []string   // of these, what rests on an assumption
	model   *model
}

// Ground is what a part of a forecast rests on.
type Ground struct {
	Text  string
	Basis Basis
}

// Risk is the outlook of one order.
type Risk struct {
	ID     string
	Node   string
	Due    time.Time // the hand-over deadline, or the one for being ready if there is no other; zero: none
	Ready  time.Time // median moment of being ready; zero: not within what was played
	Scan   time.Time // median moment of the first scan; zero: not within what was played
	Miss   float64   // chance that Due is missed; 1 if it was
	Cancel float64   // chance that the channel cancels it for lateness
	Late   float64   // chance that it is delivered after its deliver-by date
	Beyond bool      // due later than was played: not judged, Miss is 0
}

// State says whether there is a rate.
type State string

const (
	Expected State = "expected" // there is a distribution
	Nothing  State = "nothing"  // probably nothing is counted on that day
	NoRule   State = "norule"   // the rules do not say how it is counted on that day
)

// MetricForecast is one metric over the days.
type MetricForecast struct {
	Metric policy.Metric
	Days   []DayForecast // today first
	Ever   []BandChance  // that a limit is passed on some day: today or later
}

// DayForecast is the rate at the end of a day. Shares in millionths, quantiles to a hundred-thousandth. Unless State is Expected only the
// chances have a meaning.
type DayForecast struct {
	Day    policy.Day
	RateID string
	State  State
	Mean   policy.PPM // expected number above the line of expected number below it
	P5     policy.PPM // 5 % of outcomes are lower
	P10    policy.PPM
	Median policy.PPM
	P90    policy.PPM
	P95    policy.PPM
	Num    float64 // expected
	Den    float64
	Bands  []BandChance
}

// BandChance is the chance that a rate is on the wrong side of a limit.
type BandChance struct {
	Kind   policy.BandKind
	Limit  policy.PPM
	Paused bool // known, and not acted on
	Chance float64
}

// Together is how many metrics pass their limit of enforcement at once. A paused limit counts: what it will cost later is asked here too.
type Together struct {
	Day   policy.Day // zero in Forecast.Within
	Exact []float64  // Exact[k]: chance that exactly k metrics do
}

// AtLeast is the chance that k metrics or more pass their limit.
func (t Together) AtLeast(k int) float64 {
	var p float64
	for i := max(k, 0); i < len(t.Exact); i++ {
		p += t.Exact[i]
	}
	return min(p, 1)
}

// Metric finds a metric's forecast; nil if no rate was asked for.
func (f *Forecast) Metric(m policy.Metric) *MetricForecast {
	for i := range f.Metrics {
		if f.Metrics[i].Metric == m {
			return &f.Metrics[i]
		}
	}
	return nil
}

// Chance is the chance that a limit of this kind is passed on some day; 0 if there is none.
func (m *MetricForecast) Chance(k policy.BandKind) float64 { return chanceOf(m.Ever, k) }

// Chance is the chance that a limit of this kind is passed at the end of the day; 0 if there is none.
func (d *DayForecast) Chance(k policy.BandKind) float64 { return chanceOf(d.Bands, k) }

// FirstOver is the first day at whose end the chance of having passed a limit of this kind is at least level; false: none.
func (m *MetricForecast) FirstOver(k policy.BandKind, level float64) (policy.Day, bool) {
	for i := range m.Days {
		if m.Days[i].Chance(k) >= level {
			return m.Days[i].Day, true
		}
	}
	return 0, false
}

// Paused reports whether the limit of this kind is known and not acted on at present.
func (m *MetricForecast) Paused(k policy.BandKind) bool {
	return slices.ContainsFunc(m.Ever, func(b BandChance) bool { return b.Kind == k && b.Paused })
}

func chanceOf(list []BandChance, k policy.BandKind) float64 {
	for _, b := range list {
		if b.Kind == k {
			return b.Chance
		}
	}
	return 0
}
