package alert

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

const (
	// figuresEvery is how often new numbers of an open incident are kept, and timelineEvery how often they make a line of its timeline.
	figuresEvery, timelineEvery = time.Minute, 15 * time.Minute
	// overruledFor is how long a person's word that it is over outweighs a cause that is still there.
	overruledFor = 24 * time.Hour
	// maxPerKind bounds the incidents of a kind: more are counted in one, since nobody works through more.
	maxPerKind = 200
	// Others is the subject of that one.
	Others = "others"
)

// Seen is what was seen at one look.
type Seen struct {
	Signals []Signal
	// Blind are kinds that could not be looked at, wholly or in part: what is not seen of them is not gone.
	Blind map[Kind]bool
	// AllBlind says so of all kinds.
	AllBlind bool
}

// Outcome is what a step decided. The caller stores all of it at once, and only then sends.
type Outcome struct {
	Incidents  []Incident // the new state: all that were handed in, changed or not, and new ones
	Changed    []Incident // of these, those to be stored
	Dropped    []string   // ids of watched ones that did not last, to be deleted
	Opened     []Incident // opened or reopened by this step
	Deliveries []Delivery // new messages, by their ids
	Entries    []Entry
}

// Next goes one step on: from the incidents so far and what is seen at a time to the incidents, messages and timeline lines that follow.
// incidents are all that are not resolved, and those resolved within [Remembered]. It is deterministic, changes nothing it was handed, and with
// the same signals again decides nothing new.
func Next(incidents []Incident, seen Seen, at time.Time, c Config) Outcome {
	st := &stepper{at: at, c: &c, dirty: map[string]bool{}}
	for _, i := range incidents {
		st.all = append(st.all, i.clone())
	}
	slices.SortFunc(st.all, inOrder)
	st.of = newest(st.all)
	here := map[Cause]bool{}
	for _, s := range fold(seen.Signals, st) {
		here[s.Cause] = true
		st.present(s)
	}
	for n := range st.all {
		if i := &st.all[n]; !here[i.Cause] && !seen.AllBlind && !seen.Blind[i.Kind] {
			st.absent(i)
		}
	}
	st.deliver()
	return st.outcome()
}

func inOrder(a, b Incident) int {
	return cmp.Or(a.Cause.Compare(b.Cause), a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID))
}

type stepper struct {
	at      time.Time
	c       *Config
	all     []Incident
	of      map[Cause]int
	dirty   map[string]bool
	dropped []string
	opened  []string
	entries []Entry
	sent    []Delivery
}

func (st *stepper) touch(i *Incident) {
	i.UpdatedAt = st.at
	st.dirty[i.ID] = true
}

func (st *stepper) note(i *Incident, kind EntryKind, text string) {
	st.entries = append(st.entries, NewEntry(i.ID, st.at, kind, "", text, ""))
}

// fold makes one signal of each cause, in the order of causes, and no more of a kind than anybody works through: those known already first.
func fold(in []Signal, st *stepper) []Signal {
	by := map[Cause]Signal{}
	for _, s := range in {
		rule := st.c.rule(s.Kind)
		if rule.Off {
			continue
		}
		if s.Severity.rank() < 0 {
			s.Severity = rule.Severity
		}
		s.Severity = rule.capped(s.Severity)
		if was, known := by[s.Cause]; !known || graver(s, was) {
			by[s.Cause] = s
		}
	}
	out := make([]Signal, 0, len(by))
	for _, s := range by {
		out = append(out, s)
	}
	known := func(s Signal) bool { n, ok := st.of[s.Cause]; return ok && st.all[n].Phase != Resolved }
	slices.SortFunc(out, func(a, b Signal) int {
		return cmp.Or(compareBool(known(b), known(a)), a.Cause.Compare(b.Cause))
	})
	n, more := map[Kind]int{}, map[Kind]Signal{}
	out = slices.DeleteFunc(out, func(s Signal) bool {
		if n[s.Kind]++; n[s.Kind] <= maxPerKind || s.Subject == Others {
			return false
		}
		m, any := more[s.Kind]
		if !any || s.Severity.rank() > m.Severity.rank() {
			m.Severity = s.Severity
		}
		m.Cause = Cause{s.Kind, Others}
		more[s.Kind] = m
		return true
	})
	for kind, m := range more {
		m.Text = fmt.Sprintf("%d more %s.", n[kind]-maxPerKind, st.c.rule(kind).Many)
		m.Figures = []Figure{{Name: "more", Value: int64(n[kind] - maxPerKind)}}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b Signal) int { return a.Cause.Compare(b.Cause) })
	return out
}

// graver says which of two signals of one cause counts.
func graver(a, b Signal) bool {
	if a.Fading != b.Fading {
		return !a.Fading
	}
	if a.Severity != b.Severity {
		return a.Severity.rank() > b.Severity.rank()
	}
	return a.Text < b.Text
}

// present takes a cause that is seen.
func (st *stepper) present(s Signal) {
	n, known := st.of[s.Cause]
	rule := st.c.rule(s.Kind)
	if known && st.all[n].Phase == Resolved {
		known = st.maybeReturn(&st.all[n], s, rule)
	}
	if !known {
		if s.Fading {
			return
		}
		i := Incident{ID: hash("incident", string(s.Kind), s.Subject, st.at.UTC().Format(time.RFC3339Nano)), Cause: s.Cause, Phase: Watching, Severity: s.Severity,
			First: s, Worst: s, Last: s, Since: st.at}
		st.all = append(st.all, i)
		n = len(st.all) - 1
		st.of[s.Cause] = n
		st.touch(&st.all[n])
	}
	i := &st.all[n]
	switch {
	case i.Phase == Resolved:
	case i.Phase == Watching && s.Fading:
		st.drop(i)
	case i.Phase == Watching:
		if st.worse(i, s); st.at.Sub(i.Since) >= rule.After {
			i.Phase, i.OpenedAt, i.Last, i.FiguresAt = Open, st.at, s, st.at
			st.episode(i, BecauseOpened, EntryOpened, s.Text)
		}
	default:
		st.still(i, s)
	}
}

// maybeReturn decides what a cause seen again means for the resolved incident it had. It is false when another is to be begun.
func (st *stepper) maybeReturn(i *Incident, s Signal, rule Rule) bool {
	if i.Overruled && !(s.Severity.rank() > i.Severity.rank() && !s.Fading) && st.at.Sub(i.ResolvedAt) < overruledFor {
		return true
	}
	if !i.Overruled && st.at.Sub(i.ResolvedAt) >= rule.Reopen {
		return false
	}
	if s.Fading {
		if !i.BackSince.IsZero() {
			i.BackSince = time.Time{}
			st.touch(i)
		}
		return true
	}
	if i.BackSince.IsZero() {
		i.BackSince = st.at
		st.touch(i)
	}
	if st.at.Sub(i.BackSince) < rule.After {
		return true
	}
	i.Phase, i.ResolvedAt, i.ResolvedBy, i.BackSince, i.GoneSince, i.Overruled = Open, time.Time{}, "", time.Time{}, time.Time{}, false
	i.Returns++
	i.Last, i.FiguresAt = s, st.at
	st.worse(i, s)
	st.episode(i, BecauseReturned, EntryReturned, s.Text)
	return true
}

// episode begins another round of telling people.
func (st *stepper) episode(i *Incident, because Reason, kind EntryKind, text string) {
	i.Episode++
	i.EpisodeAt, i.Because, i.AckAt, i.AckBy = st.at, because, time.Time{}, ""
	st.note(i, kind, text)
	st.touch(i)
	if because != BecauseWorse {
		st.opened = append(st.opened, i.ID)
	}
}

// worse raises the severity and says whether it did.
func (st *stepper) worse(i *Incident, s Signal) bool {
	if s.Fading || s.Severity.rank() <= i.Severity.rank() {
		return false
	}
	i.Severity, i.Worst = s.Severity, s
	st.touch(i)
	return true
}

// still goes on with an incident whose cause is still seen.
func (st *stepper) still(i *Incident, s Signal) {
	if !i.GoneSince.IsZero() {
		i.GoneSince = time.Time{}
		st.note(i, EntryBack, "It is seen again.")
		st.touch(i)
	}
	if most := st.c.rule(i.Kind).capped(i.Severity); most != i.Severity { // somebody has said meanwhile that it is never so severe
		i.Severity = most
		st.touch(i)
	}
	if st.worse(i, s) {
		i.Phase, i.Last = Open, s
		st.episode(i, BecauseWorse, EntryWorse, s.Text)
		return
	}
	if same(i.Last, s) || st.at.Sub(i.UpdatedAt) < figuresEvery {
		return
	}
	i.Last = s
	st.touch(i)
	if st.at.Sub(i.FiguresAt) >= timelineEvery {
		i.FiguresAt = st.at
		st.note(i, EntryFigures, s.Text)
	}
}

// absent takes an incident whose cause is not seen.
func (st *stepper) absent(i *Incident) {
	rule := st.c.rule(i.Kind)
	switch {
	case i.Phase == Watching:
		st.drop(i)
	case i.Phase == Resolved:
		if i.Overruled || !i.BackSince.IsZero() {
			i.Overruled, i.BackSince = false, time.Time{}
			st.touch(i)
		}
	case i.GoneSince.IsZero():
		i.GoneSince = st.at
		st.note(i, EntryGone, "Its cause is not seen any more.")
		st.touch(i)
		if rule.Clear == 0 {
			st.resolve(i)
		}
	case st.at.Sub(i.GoneSince) >= rule.clearTime(i.Returns):
		st.resolve(i)
	}
}

func (st *stepper) resolve(i *Incident) {
	i.Phase, i.ResolvedAt = Resolved, st.at
	st.note(i, EntryResolved, "It is over: its cause is gone since "+i.GoneSince.UTC().Format("15:04")+" UTC.")
	st.touch(i)
}

// drop forgets a watched one.
func (st *stepper) drop(i *Incident) {
	st.dropped = append(st.dropped, i.ID)
}

func (st *stepper) outcome() Outcome {
	o := Outcome{Deliveries: st.sent, Entries: st.entries}
	for _, i := range st.all {
		if slices.Contains(st.dropped, i.ID) {
			o.Dropped = append(o.Dropped, i.ID)
			continue
		}
		o.Incidents = append(o.Incidents, i)
		if st.dirty[i.ID] {
			o.Changed = append(o.Changed, i)
		}
		if slices.Contains(st.opened, i.ID) {
			o.Opened = append(o.Opened, i)
		}
	}
	return o
}
