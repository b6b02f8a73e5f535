package policy

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/kit/errs"
)

func by(o Override) Override {
	o.Author, o.Reason = "Kim", "seen in the seller's console"
	if o.At.IsZero() {
		o.At = time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	}
	return o
}

// with applies overrides as they come back from the database.
func with(t testing.TB, rs *RuleSet, list ...Override) *RuleSet {
	t.Helper()
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	var read []Override
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	out, err := rs.With(read)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// limits writes down what is enforced, and from when.
func limits(rs *RuleSet, m Metric, days ...Day) string {
	var out []string
	for _, d := range days {
		for _, b := range rs.BandsOn(m, d) {
			if b.Kind == Enforcement {
				out = append(out, fmt.Sprintf("%s %s %s", d, b.Limit, b.Source))
			}
		}
	}
	return strings.Join(out, "\n")
}

func TestALimitIsSetForSomeDays(t *testing.T) {
	rs := decode(t, small)
	before, err := json.Marshal(rs)
	if err != nil {
		t.Fatal(err)
	}
	span := Span{From: day(t, "2026-05-01"), Until: day(t, "2026-06-01")}
	out := with(t, rs, by(Override{Band: &Band{Metric: LDR, Kind: Enforcement, Limit: 8 * percent, Span: span}}))
	want := "2026-04-30 10 % page\n2026-05-01 8 % Kim\n2026-05-31 8 % Kim\n2026-06-01 10 % page"
	if got := limits(out, LDR, span.From-1, span.From, span.Until-1, span.Until); got != want {
		t.Errorf("limits are\n%s\nwant\n%s", got, want)
	}
	b := out.BandsOn(LDR, span.From)[1]
	if b.Confidence != Operator || b.Note != "seen in the seller's console" || out.Sources["Kim"].Title != "set by Kim" {
		t.Errorf("the override does not show who set it and why: %+v, %+v", b, out.Sources["Kim"])
	}
	if out.Version == rs.Version || !strings.HasPrefix(out.Version, rs.Version+"+") {
		t.Errorf("the version %q does not tell of the override", out.Version)
	}
	if after, err := json.Marshal(rs); err != nil || string(after) != string(before) {
		t.Errorf("the shipped rules were changed (%v)", err)
	}
	later := by(Override{Band: &Band{Metric: LDR, Kind: Enforcement, Limit: 9 * percent, Span: Span{From: day(t, "2026-05-10")}}, At: time.Date(2026, 5, 2, 0, 0, 0, 0, time.UTC)})
	out = with(t, rs, later, by(Override{Band: &Band{Metric: LDR, Kind: Enforcement, Limit: 8 * percent, Span: span}}))
	want = "2026-05-09 8 % Kim\n2026-05-10 9 % Kim\n2026-06-01 9 % Kim"
	if got := limits(out, LDR, day(t, "2026-05-09"), day(t, "2026-05-10"), span.Until); got != want {
		t.Errorf("limits are\n%s\nwant the later override to win\n%s", got, want)
	}
}

func TestADefinitionIsChangedAndKeepsItsFiguresApart(t *testing.T) {
	rs := decode(t, small)
	own := Rate{ID: "ldr-14", Metric: LDR, Counts: Orders, Anchor: AtHandedOver, Test: HandedOverLate, Days: 14, Span: Span{From: day(t, "2026-05-01"), Until: day(t, "2026-06-01")}}
	out := with(t, rs, by(Override{Rate: &own}))
	for d, want := range map[string]string{"2026-04-30": "ldr-new", "2026-05-01": "ldr-14", "2026-05-31": "ldr-14", "2026-06-01": "ldr-new@2026-06-01"} {
		if r, ok := out.RateOn(LDR, day(t, d)); !ok || r.ID != want {
			t.Errorf("%s is counted by %q, want %q", d, r.ID, want)
		}
	}
}

func TestWhatWasAnnouncedIsTurnedOn(t *testing.T) {
	rs := decode(t, small)
	out := with(t, rs, by(Override{Enable: "ldr-next"}), by(Override{Enable: "ship-by-next"}), by(Override{Enable: "mandate", Span: Span{From: day(t, "2026-07-01")}}))
	d := day(t, "2026-06-15")
	if r, _ := out.RateOn(LDR, d); r.ID != "ldr-next" || r.Source != "Kim" || r.Announced || !strings.Contains(r.Note, "announced by blog") {
		t.Errorf("counted by %+v", r)
	}
	if r, _ := out.RateOn(LDR, d-1); r.ID != "ldr-new" {
		t.Errorf("the day before is counted by %s", r.ID)
	}
	at := moment(t, "2026-06-15T10:00:00-07:00")
	if got := out.Deadlines(placed(at)).ShipBy; !got.Equal(moment(t, "2026-06-24T06:59:59Z")) { // Juneteenth is on the Friday
		t.Errorf("ship by %s, want five business days", got)
	}
	back := placed(at)
	back.Flags.BackOrder = true
	if got := out.Deadlines(back).ShipBy; !got.Equal(moment(t, "2026-06-18T06:59:59Z")) {
		t.Errorf("a back order, which the new rule is not for, is due %s", got)
	}
	if got := On(out.Regimes, day(t, "2026-07-01")); len(got) != 1 || got[0].ID != "mandate" || got[0].Withdrawn != 0 {
		t.Errorf("ways of shipping: %+v", got)
	}
	if got := On(out.Regimes, day(t, "2026-06-30")); len(got) != 1 || got[0].ID != "own" {
		t.Errorf("ways of shipping the day before: %+v", got)
	}
}

func TestAClosureMovesDeadlines(t *testing.T) {
	rs := decode(t, small)
	o := placed(moment(t, "2026-05-04T10:00:00-07:00"))
	if got := rs.Deadlines(o).ShipBy; !got.Equal(moment(t, "2026-05-07T06:59:59Z")) {
		t.Fatalf("ship by %s", got)
	}
	out := with(t, rs, by(Override{Closure: &calendar.Closure{Name: "flood", Span: Span{From: day(t, "2026-05-05"), Until: day(t, "2026-05-06")}}}))
	if got := out.Deadlines(o).ShipBy; !got.Equal(moment(t, "2026-05-08T06:59:59Z")) {
		t.Errorf("ship by %s, want a day later", got)
	}
	if got := out.Calendar().Why(day(t, "2026-05-05")); got != "flood" {
		t.Errorf("closed for %q", got)
	}
	if c := out.Closures[len(out.Closures)-1]; c.Author != "Kim" || c.Confidence != Operator {
		t.Errorf("the closure does not show who entered it: %+v", c)
	}
	rule := DeadlineRule{Entry: Entry{ID: "ship-own", Span: Span{From: day(t, "2026-05-01")}}, Field: order.ShipBy, For: []Handling{Regular}, After: AfterPlaced, Period: Period{1, BusinessDays}}
	if got := with(t, rs, by(Override{Deadline: &rule})).Deadlines(o).ShipBy; !got.Equal(moment(t, "2026-05-06T06:59:59Z")) {
		t.Errorf("with a deadline of one business day: ship by %s", got)
	}
}

func TestOverridesThatCannotBe(t *testing.T) {
	rs := decode(t, small)
	band := &Band{Metric: LDR, Kind: Target, Limit: 4 * percent}
	for name, c := range map[string]struct {
		change func(*Override)
		way    string
	}{
		"no author":       {func(o *Override) { o.Author = " " }, "author's name"},
		"a source's name": {func(o *Override) { o.Author = "page" }, "own name"},
		"no reason":       {func(o *Override) { o.Reason = "" }, "needs a reason"},
		"no time":         {func(o *Override) { o.At = time.Time{} }, "the time at which"},
		"nothing":         {func(o *Override) { o.Band = nil }, "must hold one thing"},
		"two things":      {func(o *Override) { o.Enable = "ldr-next" }, "must hold one thing"},
		"not announced":   {func(o *Override) { o.Band, o.Enable = nil, "ldr-new" }, "No announced"},
		"rate without id": {func(o *Override) { o.Band, o.Rate = nil, &Rate{} }, "id of its own"},
		"unknown metric":  {func(o *Override) { o.Band = &Band{Metric: "x", Kind: Target, Limit: 1} }, "write one of ldr"},
		"target outside":  {func(o *Override) { o.Band = &Band{Metric: LDR, Kind: Target, Limit: 11 * percent} }, "must not be looser"},
		"id taken": {func(o *Override) {
			o.Band, o.Rate = nil, &Rate{ID: "otdr", Metric: LDR, Counts: Orders, Anchor: AtReady, Test: ReadyLate, Days: 7}
		}, "is taken"},
		"endless closure":  {func(o *Override) { o.Band, o.Closure = nil, &calendar.Closure{Name: "x"} }, "needs a first day"},
		"long explanation": {func(o *Override) { o.Reason = strings.Repeat("x", maxReason+1) }, "at most"},
	} {
		o := by(Override{Band: band})
		c.change(&o)
		if _, err := rs.With([]Override{o}); !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), c.way) {
			t.Errorf("%s: %v, want %q", name, err, c.way)
		}
	}
	if _, err := rs.With(make([]Override, MaxOverrides+1)); !errs.Is(err, errs.Invalid) {
		t.Errorf("too many overrides: %v", err)
	}
	if out, err := rs.With(nil); err != nil || out != rs {
		t.Errorf("no overrides make another rule set (%v)", err)
	}
}

// Whatever is cut: on every day exactly one rule holds, the newest that covers it, and every id is one entry's.
func TestOverlappingOverridesLeaveOneRuleADay(t *testing.T) {
	rs := decode(t, small)
	first := day(t, "2026-03-10")
	rapid.Check(t, func(t *rapid.T) {
		var list []Override
		var spans []Span
		for i := range rapid.IntRange(1, 6).Draw(t, "n") {
			s := Span{From: first + Day(rapid.IntRange(0, 20).Draw(t, "from"))}
			if rapid.Bool().Draw(t, "ends") {
				s.Until = s.From + Day(rapid.IntRange(1, 20).Draw(t, "days"))
			}
			spans = append(spans, s)
			list = append(list, by(Override{At: time.Unix(int64(i+1), 0), Rate: &Rate{ID: fmt.Sprint("r", i), Metric: LDR, Counts: Orders, Anchor: AtReady, Test: ReadyLate, Days: i + 1, Span: s}}))
		}
		out, err := rs.With(list)
		if err != nil {
			t.Fatal(err)
		}
		for d := first - 2; d < first+45; d++ {
			want := 7 // of the shipped rule
			for i, s := range spans {
				if s.Holds(d) {
					want = i + 1
				}
			}
			n := 0
			for _, r := range out.Rates {
				if r.Metric == LDR && r.Holds(d) && !r.Announced {
					n++
				}
			}
			if r, ok := out.RateOn(LDR, d); n != 1 || !ok || r.Days != want {
				t.Fatalf("%s: %d rules, a window of %d days, want %d", d, n, r.Days, want)
			}
		}
	})
}

func TestDiffTellsWhatChanged(t *testing.T) {
	rs := decode(t, small)
	var got []string
	for _, c := range Diff(rs, day(t, "2025-12-31"), day(t, "2026-07-01")) {
		got = append(got, fmt.Sprintf("%s (%s)", c.Sentence(), c.Origin()))
	}
	want := []string{
		"Since 2026-01-01, Late dispatch rate, how it is counted: late is what the carrier had not scanned by its deadline, of orders handed over in 7 days; before, late is what was not arranged by its deadline, of orders arranged in 7 days; never late: platform fulfilled. (page, official)",
		"New since 2026-01-01, Dispatch (carrier's first scan), regular orders: 0 business days after payment, orders from 14:00 on counted as of the next business day. (page, official)",
		"On 2026-02-17: It was withdrawn. (blog, reported)",
		"Since 2026-03-02, Late dispatch rate, enforced: at most 10 %; before, at most 4 %. (page, official)",
		"New since 2026-03-02, Late dispatch rate, recommended: at most 4 %. (page, official)",
		"Announced for 2026-03-31 and withdrawn on 2026-02-17, own labels: closed. It never came into force. (page, official)",
		"Announced for 2026-06-15 and not in force here, Late dispatch rate, how it is counted: late is what was not arranged by its deadline, of orders arranged in 7 days. (blog, unverified)",
		"Announced for 2026-06-15 and not in force here, Dispatch (shipment arranged), regular orders: 5 business days after payment. (blog, unverified)",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("what changed (-want +got):\n%s", d)
	}
	if got := Diff(rs, day(t, "2026-07-01"), day(t, "2026-07-01")); len(got) != 0 {
		t.Errorf("a day differs from itself: %+v", got)
	}
	if a, b := Diff(rs, day(t, "2026-01-01"), day(t, "2026-04-01")), Diff(rs, day(t, "2026-04-01"), day(t, "2026-01-01")); !reflect.DeepEqual(a, b) {
		t.Error("the order of the days matters")
	}
	over := with(t, rs, by(Override{Band: &Band{Metric: LDR, Kind: Enforcement, Limit: 8 * percent, Span: Span{From: day(t, "2026-05-01"), Until: day(t, "2026-06-01")}}}))
	if got := Diff(over, day(t, "2026-04-01"), day(t, "2026-06-02")); len(got) != 1 || got[0].Kind != Passed || got[0].Source != "Kim" {
		t.Errorf("an override that came and went: %+v", got)
	}
}

func TestTimelineNamesEverySwitch(t *testing.T) {
	var got []string
	for _, d := range Timeline(decode(t, small)) {
		got = append(got, d.String())
	}
	if d := cmp.Diff([]string{"2026-01-01", "2026-02-17", "2026-03-02", "2026-11-27", "2026-11-28"}, got); d != "" {
		t.Errorf("days of switches (-want +got):\n%s", d)
	}
}

func FuzzOverride(f *testing.F) {
	rs := decode(f, small)
	for _, o := range []Override{
		by(Override{Band: &Band{Metric: LDR, Kind: Enforcement, Limit: 8 * percent}}),
		by(Override{Rate: &Rate{ID: "r", Metric: LDR, Counts: Orders, Anchor: AtReady, Test: ReadyLate, Days: 7, Span: Span{From: 20500, Until: 20600}}}),
		by(Override{Deadline: &DeadlineRule{Entry: Entry{ID: "d"}, Field: order.ShipBy, For: []Handling{Regular}, After: AfterPlaced, Period: Period{1, BusinessDays}, Cutoff: 3600}}),
		by(Override{Closure: &calendar.Closure{Name: "x", Span: Span{From: 20500, Until: 20501}}}),
		by(Override{Enable: "ship-by-next"}),
	} {
		text, err := json.Marshal([]Override{o})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	at := time.Date(2026, 5, 4, 17, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		var list []Override
		if json.Unmarshal([]byte(text), &list) != nil {
			return
		}
		out, err := rs.With(list)
		if err != nil {
			if !errs.Is(err, errs.Invalid) {
				t.Fatalf("%v is no refusal", err)
			}
			return
		}
		if due := out.Deadlines(placed(at)).ShipBy; !due.IsZero() && due.Before(at) {
			t.Fatalf("an order of %s is due %s", at, due)
		}
		if _, err := json.Marshal(out); err != nil {
			t.Fatal(err)
		}
	})
}
