package health

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/policy"
)

// accountRules are an account of 1,000 points with the zones of two sources, and one of violation points.
func accountRules() *policy.RuleSet {
	entry := func(id string) policy.Entry {
		return policy.Entry{ID: id, Cited: policy.Cited{Source: "test", Confidence: policy.Reported}}
	}
	stop := []string{"new listings"}
	rs := *rules()
	rs.Accounts = []policy.Account{{Entry: entry("account"), Max: 1000, Start: 200, LookBack: 180, Warning: 10, Gains: "orders without a problem"}}
	rs.Zones = []policy.AccountZone{
		{Entry: entry("green"), Scheme: "guide", Name: "green", Low: 200, High: 1000}, {Entry: entry("orange"), Scheme: "guide", Name: "orange", Low: 51, High: 199},
		{Entry: entry("red"), Scheme: "guide", Name: "red", High: 50}, {Entry: entry("healthy"), Scheme: "twin", Name: "healthy", Low: 200, High: 1000},
		{Entry: entry("careful"), Scheme: "twin", Name: "careful", Low: 151, High: 199}, {Entry: entry("unhealthy"), Scheme: "twin", Name: "unhealthy", High: 150},
	}
	rs.Milestones = []policy.Milestone{{Entry: entry("m50"), Points: 50, Days: 28, Blocks: stop}, {Entry: entry("m150"), Points: 150, Days: 7, Blocks: stop},
		{Entry: entry("m0"), Closure: true}, {Entry: entry("m100"), Points: 100, Days: 14, Blocks: stop}}
	rs.Points = []policy.Points{{Entry: entry("points"), Life: 90}}
	rs.PointSteps = []policy.PointStep{{Entry: entry("s48"), Points: 48, Then: "closed"}, {Entry: entry("s12"), Points: 12}}
	rs.PointCosts = []policy.PointCost{{Entry: entry("c1"), Metric: policy.LDR, Points: 2, To: 4}, {Entry: entry("c2"), Metric: policy.SFCR, From: 100_000, Points: 2},
		{Entry: entry("c3"), Metric: policy.SFCR, From: 100_000, Orders: 30, Points: 4}}
	out, err := policy.New(rs)
	if err != nil {
		panic(err)
	}
	return out
}

func account(t *testing.T, day policy.Day, entries []Entered, deductions []Deduction, breaches []BreachSpan) Account {
	t.Helper()
	a, ok := AccountOn(accountRules(), day, entries, deductions, breaches)
	if !ok {
		t.Fatal("the rules keep an account")
	}
	return a
}

const today = policy.Day(20_550)

func entered(day policy.Day, value int) []Entered {
	return []Entered{{Day: day, Value: value, Author: "ann"}}
}

func TestAccountAtEachEdge(t *testing.T) {
	for _, c := range []struct {
		value         int
		zones, passed string
		warned        string
		green         bool
	}{
		{1000, "green healthy", "", "", true},
		{200, "green healthy", "", "", true},
		{199, "orange careful", "", "", false},
		{161, "orange careful", "", "", false},
		{160, "orange careful", "", "m150", false},
		{151, "orange careful", "", "m150", false},
		{150, "orange unhealthy", "m150", "", false},
		{110, "orange unhealthy", "m150", "m100", false},
		{100, "orange unhealthy", "m150 m100", "", false},
		{51, "orange unhealthy", "m150 m100", "m50", false},
		{50, "red unhealthy", "m150 m100 m50", "", false},
		{1, "red unhealthy", "m150 m100 m50", "m0", false},
		{0, "red unhealthy", "m150 m100 m50 m0", "", false},
	} {
		a := account(t, today, entered(today, c.value), nil, nil)
		var zones, passed, warned []string
		for _, z := range a.Zones {
			zones = append(zones, z.Name)
		}
		for _, m := range a.Ahead {
			if m.Passed {
				passed = append(passed, m.ID)
			}
			if m.Warned {
				warned = append(warned, m.ID)
			}
			if m.Passed != m.Sure || m.Away != max(0, c.value-m.Points) {
				t.Errorf("%d: %+v", c.value, m)
			}
		}
		got := [3]string{strings.Join(zones, " "), strings.Join(passed, " "), strings.Join(warned, " ")}
		if got != [3]string{c.zones, c.passed, c.warned} || a.Green.Now != c.green || a.Low != c.value || a.High != c.value {
			t.Errorf("%d: %q, green %v: %+v", c.value, got, a.Green.Now, a)
		}
		if got, want := a.Sentence(), "entered by ann."; !strings.HasSuffix(got, want) {
			t.Errorf("%d: %s", c.value, got)
		}
	}
}

func TestAnAccountNobodyEnteredIsNotKnown(t *testing.T) {
	a := account(t, today, entered(today+1, 300), nil, nil)
	if a.Green.Now || a.Low != 0 || a.High != 1000 || len(a.Zones) != 6 || a.Ahead[0].Passed || a.Ahead[0].Warned || !strings.HasPrefix(a.Sentence(), "Not known") {
		t.Errorf("%+v", a)
	}
	if _, ok := AccountOn(rules(), today, nil, nil, nil); ok {
		t.Error("rules without an account gave one")
	}
}

// Stated deductions move the value and lapse; breaches open it downwards, earning upwards.
func TestWhatIsKnownAndWhatIsModelled(t *testing.T) {
	deductions := []Deduction{{Day: today - 170, Points: 40, Reason: "old"}, {Day: today - 3, Points: 25, Reason: "new"}, {Day: today - 2, Points: 100, Reason: "appealed", Lifted: true}, {Day: today + 1, Points: 9}}
	a := account(t, today, append(entered(today-5, 185), Entered{Day: today - 50, Value: 1}), deductions, nil)
	if a.Stated != 160 || a.Low != 160 || a.High != 1000 || a.Green.Now {
		t.Errorf("%+v", a)
	}
	if a.Green.Soonest != today-170+180 || a.Green.Latest != today-3+180 {
		t.Errorf("green from %s to %s", a.Green.Soonest, a.Green.Latest)
	}
	if d := cmp.Diff([]Effect{{Day: today - 3, Points: -25, Stated: true, Text: "new"}}, a.Effects); d != "" {
		t.Error(d)
	}
	later := account(t, today+20, entered(today-5, 185), deductions[:2], []BreachSpan{{Metric: policy.LDR, First: today + 5, Last: today + 6, Num: 20, Den: 100}})
	if later.Stated != 200 || later.Low != 0 || later.Green.Now || later.Green.Latest != today+6+180 || len(later.Effects) != 3 {
		t.Errorf("after a breach whose points nobody tells: %+v", later)
	}
	if text := later.Sentence(); !strings.Contains(text, "Known: 185") || !strings.Contains(text, "less, if breaches") || !strings.Contains(text, "more, if points were earned") {
		t.Error(text)
	}
	if old := account(t, today+300, entered(today, 500), nil, nil); old.Green.Now || old.Low != 0 {
		t.Errorf("a value entered 300 days ago: %+v", old)
	}
}

func TestWhatGreenUnlocksAndWhatIsAtRisk(t *testing.T) {
	a := account(t, today, entered(today, 120), nil, nil)
	if d := cmp.Diff(Green{Line: 200, Latest: today + 180, Unlocks: []string{"new listings"}, AtRisk: []string{"new listings"}}, a.Green); d != "" {
		t.Error(d)
	}
	if a := account(t, today, entered(today, 30), nil, nil); len(a.Green.AtRisk) != 1 || a.Green.AtRisk[0] != "the account" {
		t.Errorf("%+v", a.Green)
	}
}

func TestViolationPoints(t *testing.T) {
	breaches := []BreachSpan{
		{Metric: policy.LDR, First: today - 20, Last: today - 10, Num: 20, Den: 100},   // 2 to 4, perhaps twice
		{Metric: policy.SFCR, First: today - 5, Last: today - 5, Num: 10, Den: 100},    // 2
		{Metric: policy.SFCR, First: today - 30, Last: today - 30, Num: 30, Den: 300},  // 4
		{Metric: policy.SFCR, First: today - 100, Last: today - 91, Num: 30, Den: 300}, // lapsed
		{Metric: policy.OTDR, First: today - 1, Last: today, Num: 1, Den: 3},           // no cost known
		{Metric: policy.LDR, First: today + 1, Last: today + 2, Num: 20, Den: 100},     // not yet
	}
	v, ok := PointsOn(accountRules(), today, breaches)
	if !ok || v.Low != 8 || v.High != 14 || v.Unknown != 1 || len(v.Passed) != 0 || len(v.MayPass) != 1 || v.Next == nil || v.Next.Points != 48 || v.Clear != today+85 {
		t.Errorf("%+v", v)
	}
	if got, want := v.Sentence(), "Between 8 and 14 points, perhaps past the step at 12; the next step is at 48. One breach has a cost that nobody tells, so there may be more."; got != want {
		t.Errorf("says %q, want %q", got, want)
	}
	for want, of := range map[string]ViolationPoints{"No points.": {}, "1 point.": {Low: 1, High: 1}, "12 points, past the step at 12.": {Low: 12, High: 12, Passed: []policy.PointStep{{Points: 12}}}} {
		if got := of.Sentence(); got != want {
			t.Errorf("says %q, want %q", got, want)
		}
	}
	if _, ok := PointsOn(rules(), today, nil); ok {
		t.Error("rules without points gave some")
	}
}

func TestBreachesAreDaysInARow(t *testing.T) {
	bad := policy.Rate{Test: policy.HandedOverLate}
	day := func(d policy.Day, s State, num int64) Standing {
		return Standing{Metric: policy.LDR, Day: d, Rate: &bad, State: s, Num: num, Den: 100}
	}
	got := Breaches([]Standing{day(1, Breach, 20), day(2, Breach, 30), day(3, Breach, 25), day(4, Watch, 9), day(5, NoRule, 0), day(6, Breach, 11)})
	want := []BreachSpan{{policy.LDR, 1, 3, 30, 100}, {policy.LDR, 6, 6, 11, 100}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
