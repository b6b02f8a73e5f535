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
	got := Postmortem(i, rule, entries, tasks, monday.Add(6*time.Hour), time.UTC)
	for _, want := range []string{"# Orders are far above their average", "| Counted as an incident | 2026-03-02 09:02, 2 min later |", "| Taken up by | lena, 7 min after", "after 4 h 58 min",
		"| times the daily average, first | 4.1 × |", "| times the daily average, last | 1.2 × |", "- [x] Count (mo, 2026-03-02 10:30, 30 min late)", "- [ ] Order more (operations)",
		"more people ordered than we expected"} {
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
	if strings.Count(Postmortem(i, rule, make([]alert.Entry, 500), nil, monday, time.UTC), "\n- 0001") != maxLines {
		t.Error("the timeline has no bound")
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
