package alert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Reason is why somebody is told.
type Reason string

// Reasons.
const (
	BecauseOpened    Reason = "opened"
	BecauseReturned  Reason = "returned"
	BecauseWorse     Reason = "worse"
	BecauseEscalated Reason = "escalated" // others were told and nobody has acknowledged
	BecauseRepeated  Reason = "repeated"
	BecauseOver      Reason = "over"
	BecauseDigest    Reason = "digest"
	BecauseTest      Reason = "test"
)

// Delivery is one message to one target. Its id is the same whenever the same message is decided again: whoever receives it may drop a
// second one.
type Delivery struct {
	ID        string    `json:"id"`
	Target    string    `json:"target"`
	Incidents []string  `json:"incidents,omitempty"`
	Kind      Kind      `json:"kind,omitzero"`
	Reason    Reason    `json:"reason"`
	Severity  Severity  `json:"severity"`
	Title     string    `json:"title"`
	Text      string    `json:"text"`
	At        time.Time `json:"at"`
}

// Messages of one kind to one target keep this far apart, so that many incidents that open one after the other make few messages.
const (
	gatherCritical = time.Minute
	gatherOthers   = 5 * time.Minute
)

const (
	// listed incidents are named in a message of many.
	listed = 10
	// maxTitle and maxText bound a message: what a text message and a chat take.
	maxTitle, maxText = 140, 1_500
)

// group is what is told in one message.
type group struct {
	kind     Kind
	reason   Reason
	severity Severity
}

// deliver works out who has to be told what by now and was not.
func (st *stepper) deliver() {
	for _, t := range st.c.Targets {
		if !t.Active {
			continue
		}
		due, rounds, last := map[group][]*Incident{}, map[string]int{}, map[Kind]time.Time{}
		for n := range st.all {
			i := &st.all[n]
			if told, ok := i.Told[t.ID]; ok && told.At.After(last[i.Kind]) {
				last[i.Kind] = told.At
			}
			reason, round, ok := st.due(i, t)
			if !ok {
				continue
			}
			g := group{i.Kind, reason, i.Severity}
			due[g] = append(due[g], i)
			rounds[i.ID] = round
		}
		groups := make([]group, 0, len(due))
		for g := range due {
			groups = append(groups, g)
		}
		slices.SortFunc(groups, func(a, b group) int {
			return cmp.Or(b.severity.rank()-a.severity.rank(), cmp.Compare(a.kind, b.kind), cmp.Compare(a.reason, b.reason))
		})
		for _, g := range groups {
			apart := gatherOthers
			if g.severity == Critical {
				apart = gatherCritical
			}
			if at, ok := last[g.kind]; !ok || st.at.Sub(at) >= apart {
				st.send(t, g, due[g], rounds)
			}
		}
	}
}

// due says whether a target has to be told of an incident now, why, and in which round.
func (st *stepper) due(i *Incident, t Target) (Reason, int, bool) {
	if slices.Contains(st.dropped, i.ID) || st.c.silenced(i.Last, st.at) {
		return "", 0, false
	}
	told, was := i.Told[t.ID]
	quiet := t.Quiet.Holds(st.at)
	switch i.Phase {
	case Resolved: // that it is over can wait until the morning
		return BecauseOver, told.Round, was && told.Episode == i.Episode && !told.Over && !quiet && !i.ResolvedAt.Before(st.at.Add(-Remembered))
	case Open:
		if quiet && !st.c.rule(i.Kind).ComesThrough(i.Severity) {
			return "", 0, false
		}
		step, round, wanted := st.wanted(i, t)
		switch {
		case !wanted || (was && told.Episode == i.Episode && told.Round >= round):
			return "", 0, false
		case round > 0:
			return BecauseRepeated, round, true
		case step > 0:
			return BecauseEscalated, 0, true
		}
		return i.Because, 0, true
	}
	return "", 0, false
}

// wanted says in which step of the escalation a target comes, how often it is repeated by now, and whether that step has come. Steps after the
// first are counted from when somebody was told: what nobody could be told in quiet hours or a silence does not escalate through them.
func (st *stepper) wanted(i *Incident, t Target) (step, round int, ok bool) {
	e, owner := st.c.escalation(i.Severity), st.c.rule(i.Kind).Owner
	if st.at.Sub(i.EpisodeAt) < e.Steps[0].After {
		return 0, 0, false
	}
	step = slices.IndexFunc(e.Steps, func(s Step) bool { return st.in(t, s, owner, i.Severity) })
	switch {
	case !st.passes(t, i.Severity):
		return 0, 0, false
	case t.Role == Everyone, i.Severity != Info && !st.staffed(e.Steps[0], owner, i.Severity): // what the first step has nobody for everybody is told
		step = 0
	case step < 0:
		return 0, 0, false
	}
	first := i.firstTold()
	if first.IsZero() {
		return step, 0, step == 0
	}
	running := st.at.Sub(first) + e.Steps[0].After
	if running < e.Steps[step].After {
		return 0, 0, false
	}
	if after := e.Steps[len(e.Steps)-1].After; e.Repeat > 0 && running > after {
		round = min(int((running-after)/e.Repeat), maxRounds)
	}
	return step, round, true
}

func (st *stepper) passes(t Target, s Severity) bool { return t.Active && s.AtLeast(t.Least) }

// in reports whether a step is for a target.
func (st *stepper) in(t Target, s Step, owner Role, sev Severity) bool {
	return st.passes(t, sev) && (slices.Contains(s.Roles, t.Role) || (t.Role == owner && slices.Contains(s.Roles, Owner)))
}

// staffed reports whether a step is for anybody there is.
func (st *stepper) staffed(s Step, owner Role, sev Severity) bool {
	return slices.ContainsFunc(st.c.Targets, func(t Target) bool { return st.in(t, s, owner, sev) || (t.Role == Everyone && st.passes(t, sev)) })
}

func (st *stepper) send(t Target, g group, of []*Incident, rounds map[string]int) {
	parts := []string{"delivery", t.ID, string(g.reason)}
	d := Delivery{Target: t.ID, Kind: g.kind, Reason: g.reason, Severity: g.severity, At: st.at}
	d.Title, d.Text = st.words(g, of)
	for _, i := range of {
		told := i.Told[t.ID]
		if told.Episode != i.Episode {
			told = Told{Episode: i.Episode, First: st.at}
		}
		told.At, told.Round, told.Over = st.at, rounds[i.ID], g.reason == BecauseOver
		if i.Told == nil {
			i.Told = map[string]Told{}
		}
		i.Told[t.ID] = told
		d.Incidents = append(d.Incidents, i.ID)
		parts = append(parts, i.ID, fmt.Sprint(told.Episode), fmt.Sprint(told.Round))
		st.touch(i)
	}
	d.ID = hash(parts...)
	for _, i := range of {
		st.entries = append(st.entries, NewEntry(i.ID, st.at, EntryTelling, "", t.Name+" is told ("+reasonWords[g.reason]+").", d.ID))
	}
	st.sent = append(st.sent, d)
}

var reasonWords = map[Reason]string{
	BecauseOpened: "new", BecauseReturned: "it is back", BecauseWorse: "it is worse", BecauseEscalated: "nobody has acknowledged it", BecauseRepeated: "still not acknowledged",
	BecauseOver: "it is over", BecauseDigest: "the week", BecauseTest: "a test",
}

// words writes the message of one or many incidents.
func (st *stepper) words(g group, of []*Incident) (title, text string) {
	rule := st.c.rule(g.kind)
	title = rule.Title
	if len(of) > 1 {
		title = fmt.Sprintf("%d %s", len(of), rule.Many)
	}
	switch {
	case g.reason == BecauseOver:
		title = "Over: " + title
	case g.severity == Critical:
		title = "Critical: " + title
	}
	var b strings.Builder
	switch g.reason {
	case BecauseEscalated, BecauseRepeated, BecauseReturned, BecauseWorse:
		b.WriteString(capital(reasonWords[g.reason]) + ".\n")
	}
	for n, i := range of {
		if n == listed {
			fmt.Fprintf(&b, "… and %d more\n", len(of)-listed)
			break
		}
		if len(of) > 1 {
			b.WriteString("• ")
		}
		b.WriteString(i.Last.Text + "\n")
		if len(of) > 1 {
			continue
		}
		for _, f := range i.Last.Figures {
			b.WriteString(f.Name + ": " + f.Text() + "\n")
		}
	}
	if next := of[0].Last.Next; next != "" && g.reason != BecauseOver {
		b.WriteString(next + "\n")
	}
	return cut(title, maxTitle), cut(strings.TrimSpace(b.String()), maxText)
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// cut shortens a text to n bytes at a character's edge.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-len("…")], "") + "…"
}
