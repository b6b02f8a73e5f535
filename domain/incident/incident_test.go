package incident

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/kit/errs"
)

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func spike(times int64) alert.Incident {
	s := alert.Signal{Cause: alert.Cause{Kind: alert.OrderSpike, Subject: "shop-1"}, Shop: "shop-1", Text: "4.1 times the usual orders.",
		Figures: []alert.Figure{{Name: "times the daily average", Value: times, Unit: alert.Times}}}
	return alert.Incident{ID: "i1", Cause: s.Cause, Phase: alert.Open, Severity: alert.Critical, First: s, Worst: s, Last: s, Since: monday, OpenedAt: monday.Add(2 * time.Minute)}
}

func TestShippedRunbooksStartOnTheirTrigger(t *testing.T) {
	books, err := Shipped()
	if err != nil || len(books) < 5 {
		t.Fatal(len(books), err)
	}
	seen := map[string]bool{}
	for _, b := range books {
		if seen[b.ID] || b.Trigger.Words == "" {
			t.Errorf("%+v", b)
		}
		seen[b.ID] = true
	}
	got := Start(books, spike(4_100), alert.Operations)
	if len(got) != 10 || got[0].Runbook != "spike" || !got[0].Due.Equal(monday.Add(17*time.Minute)) {
		t.Errorf("%d %+v", len(got), got)
	}
	if diff := cmp.Diff(got, Start(books, spike(4_100), alert.Operations)); diff != "" {
		t.Error("started twice it gives other tasks:", diff)
	}
	if got := Start(books, spike(2_999), alert.Operations); len(got) != 0 {
		t.Errorf("it starts below its trigger: %d", len(got))
	}
}

func TestOwnRunbooksReplaceShippedOnes(t *testing.T) {
	books, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	own, err := Decode(strings.NewReader("id: spike\ntitle: Ours\ntrigger: {kind: order_spike, at_least: critical}\nsteps:\n - {text: Call Ann., role: owner, within: 5m}\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := Start(With(books, own), spike(1_000), alert.Operations)
	if len(got) != 1 || got[0].Text != "Call Ann." || got[0].Owner != string(alert.Operations) {
		t.Errorf("%+v", got)
	}
}

func TestRunbooksThatCannotBeMeantAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no id":         "title: T\ntrigger: {kind: drift}\nsteps: [{text: x}]",
		"unknown field": "id: a\ntitle: T\nwhen: now\ntrigger: {kind: drift}\nsteps: [{text: x}]",
		"unknown kind":  "id: a\ntitle: T\ntrigger: {kind: rain}\nsteps: [{text: x}]",
		"severity":      "id: a\ntitle: T\ntrigger: {kind: drift, at_least: odd}\nsteps: [{text: x}]",
		"no steps":      "id: a\ntitle: T\ntrigger: {kind: drift}",
		"empty step":    "id: a\ntitle: T\ntrigger: {kind: drift}\nsteps: [{why: x}]",
		"role":          "id: a\ntitle: T\ntrigger: {kind: drift}\nsteps: [{text: x, role: cook}]",
		"time":          "id: a\ntitle: T\ntrigger: {kind: drift}\nsteps: [{text: x, within: soon}]",
		"elsewhere":     "id: a\ntitle: T\ntrigger: {kind: drift}\nsteps: [{text: x, page: //evil.example}]",
		"not YAML":      "{",
		"too long":      strings.Repeat("#", maxFile+1),
	} {
		if _, err := Decode(strings.NewReader(text)); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheDraftTellsWhatIsKnown(t *testing.T) {
	i := spike(4_100)
	i.Last.Figures = []alert.Figure{{Name: "times the daily average", Value: 1_200, Unit: alert.Times}}
	i.Phase, i.ResolvedAt = alert.Resolved, monday.Add(5*time.Hour)
	i.Worst.Text = "Many orders.\n\n# Injected heading"
	entries := []alert.Entry{
		alert.NewEntry("i1", monday.Add(9*time.Minute), alert.EntryAcknowledged, "lena", "lena looks after it.", ""),
		alert.NewEntry("i1", monday.Add(3*time.Minute), alert.EntryDelivered, "", "Lena's phone has it.", ""),
		alert.NewEntry("i1", monday.Add(2*time.Minute), alert.EntryOpened, "", "4.1 times the usual orders.", ""),
	}
	tasks := []Task{{Text: "Count", Owner: "warehouse", Due: monday.Add(time.Hour), DoneAt: monday.Add(90 * time.Minute), DoneBy: "mo"}, {Text: "Order more", Owner: "operations"}}
	rule := alert.Config{}.Rule(alert.OrderSpike)
	entries = append(entries, alert.NewEntry("i1", monday.Add(30*time.Minute), alert.EntryEvent, "mo", "Porto works until 22:00.", ""),
		alert.NewEntry("i1", monday.Add(31*time.Minute), alert.EntryEvent, "", "The hold begins.", ""))
	facts := Facts{Began: monday.Add(-20 * time.Minute)}
	facts.Add("Late dispatch, the day before it began", "3.1 % of 1,200")
	report := Report{Incident: i, Rule: rule, Entries: entries, Tasks: tasks, Facts: facts, At: monday.Add(6 * time.Hour), Zone: time.UTC}
	got := Postmortem(report)
	for _, want := range []string{"# Orders are far above their average", "| Counted as an incident | 2026-03-02 09:02, 2 min later |", "| Taken up by | lena, 7 min after", "after 4 h 58 min",
		"| times the daily average, first | 4.1 × |", "| times the daily average, last | 1.2 × |", "- [x] Count (mo, 2026-03-02 10:30, 30 min late)", "- [ ] Order more (operations)",
		"| Its cause began | 2026-03-02 08:40 |", "| Time to notice | 22 min |", "| Late dispatch, the day before it began | 3.1 % of 1,200 |", "## What was done\n\n- 2026-03-02 09:30: Porto works until 22:00. (mo)\n- [x] Count",
		"## Open tasks\n\n- [ ] Order more", "more people ordered than we expected"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in:\n%s", want, got)
		}
	}
	if strings.Contains(got, "\n# Injected") {
		t.Error("a text begins a heading of its own")
	}
	if a, b := strings.Index(got, "09:02: 4.1"), strings.Index(got, "09:09: lena"); a < 0 || b < a {
		t.Error("the timeline is not in order")
	}
	if strings.Contains(got, "hold begins. (") {
		t.Error("what came by itself is told as something that was done")
	}
	report.Entries, report.Tasks, report.Facts = make([]alert.Entry, 500), nil, Facts{}
	got = Postmortem(report)
	if strings.Count(got, "\n- 0001") != maxLines {
		t.Error("the timeline has no bound")
	}
	for _, want := range []string{"| Its cause began | not known before it was seen |", "| Time to notice | 2 min, since it was seen first |", "| First person told | nobody, by what is recorded |", "Nothing was recorded", "## Open tasks\n\nNone."} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in:\n%s", want, got)
		}
	}
}

// What buyers are told is of what reached them, and not of what is watched.
func TestTheMessageToCustomersFitsTheCause(t *testing.T) {
	for _, c := range []struct {
		kind          alert.Kind
		subject, want string
	}{
		{alert.RateBreach, "shop-1 ldr", "leaves later"}, {alert.RateBreach, "shop-1 vtr", "tracking number reached you late"}, {alert.RateBreach, "shop-1 sfcr", "had to cancel"},
		{alert.RateBreach, "shop-1 otdr", "takes longer"}, {alert.Forecast, "shop-1 ldr", "Only if it came true"}, {alert.Short, "shop-1", "sold more"}, {alert.ConnectionDown, "shop-1", "Only if something was sold"},
		{alert.RefundAnswer, "shop-1", "answered later"}, {alert.Upkeep, "database", "Nothing reached buyers"},
	} {
		if got := customers(alert.Incident{Cause: alert.Cause{Kind: c.kind, Subject: c.subject}}); !strings.Contains(got, c.want) {
			t.Errorf("%s %s: %q is not in %q", c.kind, c.subject, c.want, got)
		}
	}
}

func TestTheCauseHasEndedOnlyWhileItIsNotBack(t *testing.T) {
	entry := func(k alert.EntryKind, minutes int) alert.Entry {
		return alert.NewEntry("i1", monday.Add(time.Duration(minutes)*time.Minute), k, "", "", "")
	}
	gone, back := entry(alert.EntryGone, 10), entry(alert.EntryBack, 15)
	for _, c := range []struct {
		entries []alert.Entry
		want    time.Time
	}{{[]alert.Entry{gone}, gone.At}, {[]alert.Entry{back, gone}, time.Time{}}, {[]alert.Entry{entry(alert.EntryGone, 20), back, gone}, monday.Add(20 * time.Minute)}} {
		if m := MilestonesOf(spike(4_100), c.entries, Facts{}); !m.Gone.Equal(c.want) {
			t.Errorf("%v, want %v", m.Gone, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"spike", "forecast", "connection"} {
		text, err := shipped.ReadFile("runbooks/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		books, err := Decode(strings.NewReader(text))
		for _, b := range books {
			if err == nil && (b.ID == "" || len(b.Steps) == 0) {
				t.Errorf("%+v", b)
			}
		}
	})
}
