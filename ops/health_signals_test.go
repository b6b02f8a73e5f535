package ops

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/forecast"
	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/store"
)

// A rate speaks exactly when it is past a limit, as its orders are counted: on the limit it keeps still.
func TestARateSpeaksExactlyPastItsLimit(t *testing.T) {
	bands := func(paused, reached bool) []health.Reach {
		return []health.Reach{{Band: policy.Band{Kind: policy.Target, Limit: 40_000, Reached: reached}}, {Band: policy.Band{Kind: policy.Enforcement, Limit: 100_000, Paused: paused}}}
	}
	for _, c := range []struct {
		name            string
		num, den        int64
		paused, reached bool
		severity        alert.Severity
		fading          bool
	}{
		{name: "well inside", num: 30, den: 1000},
		{name: "on the target", num: 40, den: 1000, severity: alert.Warning, fading: true},
		{name: "on a target that is passed when reached", num: 40, den: 1000, reached: true, severity: alert.Warning},
		{name: "an order in a million past it", num: 40_001, den: 1_000_000, severity: alert.Warning},
		{name: "a share that is no whole millionth past it", num: 40_000_001, den: 1_000_000_007, severity: alert.Warning},
		{name: "on enforcement", num: 100, den: 1000, severity: alert.Warning},
		{name: "past enforcement", num: 101, den: 1000, severity: alert.Critical},
		{name: "past enforcement that is paused", num: 101, den: 1000, paused: true, severity: alert.Warning},
		{name: "nothing counted"},
	} {
		s := health.Standing{Metric: policy.LDR, Rate: &policy.Rate{Test: policy.HandedOverLate}, Num: c.num, Den: c.den, Bands: bands(c.paused, c.reached)}
		got, any := rateSignal(store.Connection{ID: "a"}, &s)
		if any != (c.severity != "") || any && (got.Severity != c.severity || got.Fading != c.fading) {
			t.Errorf("%s: %t %+v", c.name, any, got)
		}
	}
	low := health.Standing{Metric: policy.OTDR, Rate: &policy.Rate{Test: policy.DeliveredOnTime}, Num: 799_999, Den: 1_000_000,
		Bands: []health.Reach{{Band: policy.Band{Kind: policy.Enforcement, Limit: 800_000}}}}
	if got, any := rateSignal(store.Connection{}, &low); !any || got.Severity != alert.Critical {
		t.Errorf("one order below: %+v", got)
	}
	low.Num = 810_000
	if got, any := rateSignal(store.Connection{}, &low); any {
		t.Errorf("well above: %+v", got)
	}
}

// A queue that will break a rate is told once its alarm rings, with the orders that would save it; a rate that is not counted yet says nothing.
func TestABreachAheadIsTold(t *testing.T) {
	at := time.Date(2026, time.March, 11, 17, 0, 0, 0, time.UTC)
	c := &clock{at: at}
	x := healthOps(t, "sqlite:"+filepath.Join(t.TempDir(), "health.db"), testRules, c, "a")
	var facts []order.Fact
	for i := range 400 {
		placed := at.AddDate(0, 0, -28).Add(time.Duration(i) * 90 * time.Minute)
		facts = append(facts, queued(i, placed, placed.Add(20*time.Hour)))
	}
	for i := range 300 {
		facts = append(facts, queued(1000+i, at.Add(-time.Duration(i)*time.Minute), time.Time{}))
	}
	if _, err := x.IntakeAlone(t.Context(), Incoming{ConnectionID: "a", Source: SourcePoll, Facts: facts}); err != nil {
		t.Fatal(err)
	}
	signals := func() []alert.Signal {
		t.Helper()
		fold(t, x)
		if err := x.Foresee(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, _, err := x.healthSignals(t.Context(), c.now())
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := signals(); len(got) != 0 {
		t.Errorf("before history is counted: %+v", got)
	}
	if _, err := x.CountHealth(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.set(at.Add(alarmEvery))
	var forecast *alert.Signal
	for _, s := range signals() {
		if s.Kind == alert.Forecast && s.Subject == "a ldr" {
			forecast = &s
		}
	}
	if forecast == nil || !strings.Contains(forecast.Text, "late dispatch is expected to pass its limit of enforcement") {
		t.Fatalf("no breach is told: %+v", forecast)
	}
	if err := x.st.Update(t.Context(), func(tx *store.Tx) error {
		return tx.AccountRatingPut(store.AccountRating{ConnectionID: "a", At: c.now(), Value: 155, Source: "entered", Actor: "ann"})
	}); err != nil {
		t.Fatal(err)
	}
	for _, s := range signals() {
		if s.Kind == alert.AccountRating {
			t.Errorf("rules without accounts rate none: %+v", s)
		}
	}
	c.set(c.now().Add(outlookOld + alarmEvery))
	got, blind, err := x.healthSignals(t.Context(), c.now())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range got {
		if s.Kind == alert.Forecast {
			t.Errorf("an old forecast speaks of now: %+v", s)
		}
	}
	if !slices.Contains(blind, alert.Forecast) {
		t.Errorf("an old forecast is taken for none that is bad: blind to %v", blind)
	}
}

// What is expected to pass a limit that the channel does not act on at present warns, and wakes nobody.
func TestAForecastOfAPausedLimitWarns(t *testing.T) {
	c := store.Connection{ID: "c", Name: "Nordlicht"}
	for paused, want := range map[bool]alert.Severity{false: "", true: alert.Warning} {
		o := Outlook{Alarms: map[policy.Metric]forecast.Alarm{policy.LDR: {On: true}},
			Metrics: []forecast.MetricForecast{{Metric: policy.LDR, Ever: []forecast.BandChance{{Kind: policy.Target, Chance: 1}, {Kind: policy.Enforcement, Paused: paused, Chance: 0.9}}}}}
		got := forecastSignals(c, &o, time.UTC)
		if len(got) != 1 || got[0].Severity != want || strings.Contains(got[0].Text, "does not act on") != paused {
			t.Errorf("paused %t: %+v", paused, got)
		}
	}
}
