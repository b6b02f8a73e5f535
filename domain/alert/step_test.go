package alert

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// timetable goes through a story: what is seen when, and who is told.
type timetable struct {
	t   *testing.T
	c   Config
	all []Incident
	at  time.Time
	got []string // "09:00 lena opened connection_down"
}

func story(t *testing.T, targets ...Target) *timetable {
	return &timetable{t: t, at: monday, c: Config{Targets: targets}}
}

func (s *timetable) step(signals ...Signal) Outcome {
	s.t.Helper()
	o := Next(s.all, Seen{Signals: signals}, s.at, s.c)
	for _, d := range o.Deliveries {
		s.got = append(s.got, fmt.Sprintf("%s %s %s %s %d", s.at.Format("15:04"), d.Target, d.Reason, d.Kind, len(d.Incidents)))
	}
	if again := Next(o.Incidents, Seen{Signals: signals}, s.at, s.c); len(again.Changed)+len(again.Deliveries)+len(again.Entries)+len(again.Dropped) != 0 {
		s.t.Errorf("at %s the same signals again: %+v", s.at, again)
	}
	s.all = o.Incidents
	return o
}

// until steps every minute up to a time of the day with the same signals.
func (s *timetable) until(clock string, signals ...Signal) {
	s.t.Helper()
	for s.at.Format("15:04") != clock {
		s.at = s.at.Add(time.Minute)
		s.step(signals...)
	}
}

func (s *timetable) told(want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.got); diff != "" {
		s.t.Error(diff)
	}
	s.got = nil
}

func down(subject string) Signal {
	return Signal{Cause: Cause{ConnectionDown, subject}, Shop: subject, Text: "The shop " + subject + " does not answer.", Next: "Connect it again."}
}

func drifts(subject string) Signal {
	return Signal{Cause: Cause{Drift, subject}, Text: subject + " shows other numbers."}
}

func person(id string, r Role) Target { return Target{ID: id, Name: id, Role: r, Active: true} }

func TestItEscalatesUntilSomebodyAcknowledges(t *testing.T) {
	s := story(t, person("lena", Operations), person("eng", Engineering), person("mona", Marketing))
	s.step(down("a"))
	s.until("09:02", down("a"))
	s.told() // not long enough
	s.until("11:00", down("a"))
	s.told("09:03 eng opened connection_down 1", "09:13 lena escalated connection_down 1", "09:33 mona escalated connection_down 1",
		"10:33 lena repeated connection_down 1", "10:33 eng repeated connection_down 1", "10:33 mona repeated connection_down 1")
	ack, entries, err := s.all[0].Acknowledge(s.at, "eng")
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	s.all[0] = ack
	if _, again, err := ack.Acknowledge(s.at.Add(time.Minute), "lena"); err != nil || again != nil {
		t.Errorf("acknowledged twice: %v %v", again, err)
	}
	s.until("13:00", down("a"))
	s.told()
	s.until("13:06")
	s.told("13:06 lena over connection_down 1", "13:06 eng over connection_down 1", "13:06 mona over connection_down 1")
	if s.all[0].Phase != Resolved || s.all[0].ResolvedBy != "" {
		t.Errorf("%+v", s.all[0])
	}
}

func TestShortBlipsAndFlappingWakeNobodyTwice(t *testing.T) {
	s := story(t, person("eng", Engineering))
	for range 5 {
		s.until("09:02", down("a"))
		s.until("09:04")
		s.at = monday
	}
	s.told()
	if len(s.all) != 0 {
		t.Errorf("a blip left %+v", s.all)
	}
	// Up for six minutes, down for six: the first return reopens it, and each return must be gone for longer to count as over.
	for range 10 {
		s.until(s.at.Add(6*time.Minute).Format("15:04"), down("a"))
		s.until(s.at.Add(6 * time.Minute).Format("15:04"))
	}
	s.told("09:04 eng opened connection_down 1", "09:12 eng over connection_down 1", "09:16 eng returned connection_down 1", "10:46 eng repeated connection_down 1")
	if len(s.all) != 1 || s.all[0].Returns != 1 || !s.all[0].Live() {
		t.Errorf("%+v", s.all)
	}
}

func TestManyOfAKindAreOneMessage(t *testing.T) {
	s := story(t, person("eng", Engineering))
	s.c.Rules = []Rule{{Kind: Drift, Title: "Drift", Many: "channels drift", Severity: Warning, Owner: Engineering, Clear: time.Minute}}
	var all []Signal
	for n := range 37 {
		all = append(all, drifts(fmt.Sprintf("shop-%02d", n)))
	}
	d := s.step(all[:20]...).Deliveries
	if len(d) != 1 || d[0].Title != "20 channels drift" || !strings.Contains(d[0].Text, "• shop-09") || !strings.Contains(d[0].Text, "10 more") {
		t.Fatalf("%+v", d)
	}
	for n := 21; n <= 37; n++ { // one more every ten seconds
		s.at = s.at.Add(10 * time.Second)
		s.step(all[:n]...)
	}
	s.until("09:10", all...)
	s.told("09:00 eng opened drift 20", "09:05 eng opened drift 17")
}

func TestMoreThanAnybodyWorksThroughAreOneIncident(t *testing.T) {
	s := story(t)
	var all []Signal
	for n := range maxPerKind + 50 {
		all = append(all, drifts(fmt.Sprintf("shop-%03d", n)))
	}
	s.step(all...)
	s.until("09:11", all...)
	if len(s.all) != maxPerKind+1 {
		t.Errorf("%d incidents", len(s.all))
	}
	i := slices.IndexFunc(s.all, func(i Incident) bool { return i.Subject == Others })
	if i < 0 || !s.all[i].Live() || !strings.HasPrefix(s.all[i].Last.Text, "50 more") {
		t.Errorf("%d", i)
	}
}

func TestQuietHoursHoldWhatIsNotCritical(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	eng := person("eng", Engineering)
	eng.Quiet = Quiet{From: 22 * 60, Until: 7 * 60, Zone: berlin}
	s := story(t, eng, person("lena", Operations))
	s.at = time.Date(2026, 3, 2, 22, 0, 0, 0, time.UTC) // 23:00 in Berlin
	s.until("01:00", drifts("a"))
	s.told()
	s.until("01:10", drifts("a"), down("b"))
	s.told("01:04 eng opened connection_down 1")
	s.until("08:30", drifts("a"))
	s.told("01:14 lena escalated connection_down 1", "01:16 lena over connection_down 1", "06:00 eng over connection_down 1", "06:00 eng opened drift 1", "08:00 lena escalated drift 1")
}

func TestWorseIsToldAnewAlsoAfterAnAcknowledgement(t *testing.T) {
	s := story(t, person("lena", Operations))
	rate := func(ppm int64) Signal {
		r := Reading{Figure: Figure{"LDR", ppm, PPM}, Margin: 2_000, Limits: []Limit{{"target", 40_000, Warning}, {"enforcement", 100_000, Critical}}}
		g, ok := r.Signal(Signal{Cause: Cause{RateBreach, "shop ldr"}, Text: "The late dispatch rate is high."})
		if !ok {
			return Signal{Cause: Cause{Kind: "none"}, Fading: true}
		}
		return g
	}
	s.until("09:10", rate(41_000))
	s.told("09:03 lena opened rate 1")
	s.all[0], _, _ = s.all[0].Acknowledge(s.at, "lena")
	s.until("09:20", rate(100_000)) // exactly on the limit: not past it
	s.told()
	s.until("09:40", rate(100_001))
	s.told("09:21 lena worse rate 1")
	if s.all[0].Phase != Open || s.all[0].Severity != Critical {
		t.Errorf("%+v", s.all[0])
	}
}

// escalated to the same person who owns it would be a second message for nothing.
func TestNobodyIsToldTwiceInAnEpisodeBeforeItRepeats(t *testing.T) {
	s := story(t, person("lena", Operations))
	s.c.Rules = []Rule{{Kind: ConnectionDown, Title: "Down", Severity: Critical, Owner: Operations}}
	s.step(down("a"))
	s.until("10:29", down("a"))
	s.told("09:00 lena opened connection_down 1")
	s.until("10:31", down("a"))
	s.told("10:30 lena repeated connection_down 1")
}

func TestAFigureNearItsLimitKeepsAnIncidentAndOpensNone(t *testing.T) {
	for _, c := range []struct {
		value          int64
		low            bool
		passed         string
		fading, signal bool
	}{
		{40_000, false, "target", true, true}, {40_001, false, "target", false, true}, {38_001, false, "target", true, true}, {38_000, false, "", false, false},
		{100_001, false, "enforcement", false, true}, {40_000, true, "enforcement", false, true}, {100_001, true, "enforcement", true, true}, {102_000, true, "", false, false},
	} {
		r := Reading{Figure: Figure{"r", c.value, PPM}, Low: c.low, Margin: 2_000, Limits: []Limit{{"target", 40_000, Warning}, {"enforcement", 100_000, Critical}}}
		passed, fading, any := r.Judge()
		if passed.Name != c.passed || fading != c.fading || any != c.signal {
			t.Errorf("%+v: %+v %t %t", c, passed, fading, any)
		}
	}
	s := story(t, person("lena", Operations))
	fading := Signal{Cause: Cause{RateBreach, "x"}, Fading: true}
	high := Signal{Cause: Cause{RateBreach, "x"}, Text: "High."}
	s.until("09:10", fading)
	if len(s.all) != 0 {
		t.Error("a figure near its limit opened an incident")
	}
	s.until("09:20", high)
	s.until("12:00", fading)
	if len(s.all) != 1 || !s.all[0].Live() {
		t.Errorf("%+v", s.all)
	}
	s.until("12:31")
	s.told("09:13 lena opened rate 1", "12:31 lena over rate 1")
}

func TestASilenceKeepsItQuietAndEscalatesNothingMeanwhile(t *testing.T) {
	s := story(t, person("lena", Operations), person("eng", Engineering))
	s.c.Silences = []Silence{{ID: "s", Shop: "a", From: monday, Until: monday.Add(2 * time.Hour), Author: "eng", Reason: "moving"}}
	s.until("11:05", down("a"))
	s.told("11:00 eng opened connection_down 1")
	s.until("11:11", down("a"))
	s.told("11:10 lena escalated connection_down 1")
	for name, bad := range map[string]Silence{"author": {Reason: "r", From: monday, Until: monday.Add(1)}, "reason": {Author: "a", From: monday, Until: monday.Add(1)},
		"end": {Author: "a", Reason: "r", From: monday, Until: monday}, "month": {Author: "a", Reason: "r", From: monday, Until: monday.AddDate(0, 2, 0)}} {
		if bad.Check() == nil {
			t.Errorf("a silence without %s was taken", name)
		}
	}
}

func TestWhatCouldNotBeLookedAtIsNotGone(t *testing.T) {
	s := story(t)
	s.until("09:10", down("a"))
	for range 60 {
		s.at = s.at.Add(time.Minute)
		s.all = Next(s.all, Seen{Blind: map[Kind]bool{ConnectionDown: true}}, s.at, s.c).Incidents
		s.all = Next(s.all, Seen{AllBlind: true}, s.at, s.c).Incidents
	}
	if len(s.all) != 1 || !s.all[0].GoneSince.IsZero() {
		t.Errorf("%+v", s.all)
	}
}

func TestAPersonsWordOutweighsACauseForADay(t *testing.T) {
	s := story(t, person("eng", Engineering))
	s.until("09:10", down("a"))
	s.all[0], _, _ = s.all[0].Resolve(s.at, "eng")
	s.until("09:09", down("a")) // nearly a day
	s.told("09:04 eng opened connection_down 1", "09:11 eng over connection_down 1")
	s.until("09:30", down("a"))
	s.told("09:13 eng returned connection_down 1")
	// Gone once, the next time counts at once.
	s.all[0], _, _ = s.all[0].Resolve(s.at, "eng")
	s.until("09:35")
	s.until("09:45", down("a"))
	s.told("09:31 eng over connection_down 1", "09:39 eng returned connection_down 1")
}

func TestWithNobodyForAStepEverybodyIsTold(t *testing.T) {
	for _, c := range []struct {
		targets []Target
		want    []string
	}{
		{[]Target{person("mona", Marketing)}, []string{"09:04 mona opened connection_down 1"}},
		{[]Target{person("mona", Marketing), person("team", Everyone)}, []string{"09:04 team opened connection_down 1"}},
		{[]Target{{ID: "off", Role: Engineering}, person("lena", Operations)}, []string{"09:04 lena opened connection_down 1"}},
		{nil, nil},
	} {
		s := story(t, c.targets...)
		s.until("09:08", down("a"))
		s.told(c.want...)
	}
}

func TestConfigurationsThatCannotBeMeantAreRefused(t *testing.T) {
	if err := (Config{Rules: Rules(), Escalation: Escalations()}).Check(); err != nil {
		t.Error(err)
	}
	seen := map[Kind]bool{}
	for _, r := range Rules() {
		if seen[r.Kind] || r.Title == "" || r.Many == "" || !slices.Contains(Roles, r.Owner) {
			t.Errorf("%+v", r)
		}
		seen[r.Kind] = true
	}
	for name, c := range map[string]Config{
		"kind":      {Rules: []Rule{{Kind: "odd", Severity: Info}}},
		"severity":  {Rules: []Rule{{Kind: Drift}}},
		"reopen":    {Rules: []Rule{{Kind: Drift, Severity: Info, Reopen: Remembered + 1}}},
		"no steps":  {Escalation: map[Severity]Escalation{Info: {}}},
		"order":     {Escalation: map[Severity]Escalation{Info: {Steps: []Step{{After: time.Hour}, {After: time.Hour}}}}},
		"role":      {Escalation: map[Severity]Escalation{Info: {Steps: []Step{{Roles: []Role{"cook"}}}}}},
		"repeat":    {Escalation: map[Severity]Escalation{Info: {Repeat: time.Second, Steps: []Step{{}}}}},
		"target":    {Targets: []Target{{ID: "a"}}},
		"minutes":   {Targets: []Target{{ID: "a", Role: Everyone, Quiet: Quiet{Until: 1440}}}},
		"least":     {Targets: []Target{{ID: "a", Role: Everyone, Least: "odd"}}},
		"no such s": {Escalation: map[Severity]Escalation{"odd": {Steps: []Step{{}}}}},
	} {
		if c.Check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestTheDigestIsDueOnMondayAtEight(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ at, week, from string }{
		{"2026-03-30T07:59:59+02:00", "2026-W12", "2026-03-16T08:00:00+01:00"}, // the clocks went forward on the 29th
		{"2026-03-30T08:00:00+02:00", "2026-W13", "2026-03-23T08:00:00+01:00"},
		{"2026-04-05T23:00:00+02:00", "2026-W13", "2026-03-23T08:00:00+01:00"},
		{"2027-01-04T08:00:00+01:00", "2026-W53", "2026-12-28T08:00:00+01:00"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		week, from, until := DigestTime{time.Monday, 8, berlin}.Due(at)
		if week != c.week || from.Format(time.RFC3339) != c.from || until.After(at) {
			t.Errorf("%s: %s from %s until %s", c.at, week, from, until)
		}
	}
	s := story(t, person("eng", Engineering))
	s.until("10:00", down("a"), down("b"))
	s.all[0], _, _ = s.all[0].Acknowledge(s.at, "eng")
	d := Digest(s.c.Targets[0], "w", s.all, monday.Add(-time.Hour), monday.AddDate(0, 0, 7), s.c)
	if !strings.Contains(d.Text, "2 incidents, 2 open") || !strings.Contains(d.Text, "2 critical, 2 open, taken up after") {
		t.Error(d.Text)
	}
}

func TestARuleSaysHowSevereAndWhetherItIsToldAtNight(t *testing.T) {
	night := Target{ID: "lena", Name: "lena", Role: Engineering, Active: true, Quiet: Quiet{From: 8 * 60, Until: 18 * 60}} // it is 09:00
	for name, c := range map[string]struct {
		change func(*Rule)
		told   []string
	}{
		"as it came":             {func(*Rule) {}, []string{"09:03 lena opened connection_down 1"}},
		"never more than that":   {func(r *Rule) { r.Most = Warning }, nil},
		"milder, and told":       {func(r *Rule) { r.Most, r.Quiet = Warning, Through }, []string{"09:03 lena opened connection_down 1"}},
		"critical, and it waits": {func(r *Rule) { r.Quiet = Waits }, nil},
		"of somebody else":       {func(r *Rule) { r.Owner = Marketing }, []string{"09:03 lena opened connection_down 1"}}, // nobody else is there
		"off":                    {func(r *Rule) { r.Off = true }, nil},
	} {
		s := story(t, night)
		r := Config{}.Rule(ConnectionDown)
		c.change(&r)
		s.c.Rules = []Rule{r}
		s.step(down("a"))
		s.until("09:05", down("a"))
		if diff := cmp.Diff(c.told, s.got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestARuleChangedWhileAnIncidentIsOpen(t *testing.T) {
	s := story(t, person("eng", Engineering))
	s.step(down("a"))
	s.until("09:05", down("a"))
	milder := Config{}.Rule(ConnectionDown)
	milder.Most = Warning
	s.c.Rules = []Rule{milder}
	if s.step(down("a")); s.all[0].Severity != Warning {
		t.Errorf("still %s", s.all[0].Severity)
	}
	off := milder
	off.Off = true
	s.c.Rules = []Rule{off}
	s.until("09:15", down("a"))
	if s.all[0].Phase != Resolved {
		t.Errorf("switched off and still %s", s.all[0].Phase)
	}
}

func TestGradesAtTheEdges(t *testing.T) {
	lead, spike := Config{}.Rule(CancelAnswer), Config{}.Rule(OrderSpike) // 12 h and 3 h; three times
	for _, c := range []struct {
		rule   Rule
		value  int64
		want   Severity
		fading bool
		any    bool
	}{
		{lead, 12*hourS + 1, "", false, false}, {lead, 12 * hourS, Warning, false, true}, {lead, 3*hourS + 1, Warning, false, true}, {lead, 3 * hourS, Critical, false, true}, {lead, -1, Critical, false, true},
		{spike, 3_001, Critical, false, true}, {spike, 3_000, "", false, false},
	} {
		s, fading, any := c.rule.Grade(c.value, 0)
		if any != c.any || (any && (s != c.want || fading != c.fading)) {
			t.Errorf("%s %d: %s %v %v", c.rule.Kind, c.value, s, fading, any)
		}
	}
	if _, fading, any := lead.Grade(13*hourS, 2*hourS); !any || !fading {
		t.Error("near a limit is not fading")
	}
	if _, _, any := lead.Grade(15*hourS, 2*hourS); any {
		t.Error("far from a limit is fading")
	}
}

func TestEveryKindHasARuleThatHolds(t *testing.T) {
	for _, r := range Rules() {
		if err := r.Check(); err != nil {
			t.Errorf("%s: %v", r.Kind, err)
		}
		if m, any := MeasureOf(r.Kind); any && (m.Name == "" || m.Least <= 0 || m.Most <= m.Least || len(r.Limits()) == 0) {
			t.Errorf("%s: %+v", r.Kind, m)
		}
	}
	if Known("dispute_answer") {
		t.Error("a kind that nothing raises can be set")
	}
}
