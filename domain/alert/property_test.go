package alert

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// house is a run of steps over random causes, people and crashes, with what each promise needs remembered.
type house struct {
	t       *rapid.T
	c       Config
	all     []Incident          // as stored
	outbox  map[string]Delivery // stored with them
	got     map[string]int      // by delivery id: how often it arrived
	waiting []string
	at      time.Time
	lasting map[Cause]time.Time // critical, unsilenced, seen in each step since
}

// crash stores nothing of a step: a process ended between deciding and committing.
func (h *house) step(signals []Signal, crash bool) {
	o := Next(h.all, Seen{Signals: signals}, h.at, h.c)
	if crash {
		return
	}
	// Stored and read back, as between two processes.
	text, err := json.Marshal(o.Incidents)
	if err != nil {
		h.t.Fatal(err)
	}
	h.all = nil
	if err := json.Unmarshal(text, &h.all); err != nil {
		h.t.Fatal(err)
	}
	for _, d := range o.Deliveries {
		if _, twice := h.outbox[d.ID]; twice {
			h.t.Fatalf("decided twice: %+v", d)
		}
		h.outbox[d.ID] = d
		h.waiting = append(h.waiting, d.ID)
		h.judge(d)
	}
	live := map[Cause]bool{}
	for _, i := range h.all {
		if i.Phase == Resolved {
			continue
		}
		if live[i.Cause] {
			h.t.Fatalf("two incidents of %v", i.Cause)
		}
		live[i.Cause] = true
	}
}

// judge checks what may never be said.
func (h *house) judge(d Delivery) {
	for _, t := range h.c.Targets {
		if t.ID != d.Target {
			continue
		}
		if t.Quiet.Holds(h.at) && (d.Severity != Critical || d.Reason == BecauseOver) {
			h.t.Fatalf("%s is told in quiet hours at %s: %+v", t.ID, h.at, d)
		}
		if !t.Active || !d.Severity.AtLeast(t.Least) && d.Reason != BecauseOver {
			h.t.Fatalf("%s does not want this: %+v", t.ID, d)
		}
	}
	for _, id := range d.Incidents {
		for _, i := range h.all {
			if i.ID == id && d.Reason != BecauseOver && i.Phase != Open {
				h.t.Fatalf("told of what is %s: %+v", i.Phase, d)
			}
		}
	}
	if d.Title == "" || len(d.Title) > maxTitle || len(d.Text) > maxText {
		h.t.Fatalf("%+v", d)
	}
}

// send hands out what waits; the receiver's answer may be lost, or the process end before it is noted: then it is sent again.
func (h *house) send(lost func() bool) {
	var again []string
	for _, id := range h.waiting {
		h.got[id]++
		if lost() {
			again = append(again, id)
		}
	}
	h.waiting = again
}

// reached checks that critical causes that last were told to somebody before the second step is due.
func (h *house) reached() {
	for cause, since := range h.lasting {
		if h.at.Sub(since) < h.c.rule(cause.Kind).After+Escalations()[Critical].Steps[1].After {
			continue
		}
		told := false
		for _, i := range h.all {
			told = told || (i.Cause == cause && (len(i.Told) > 0 || i.Phase == Acknowledged || i.Overruled))
		}
		if !told {
			h.t.Fatalf("at %s nobody was told of %v, critical since %s", h.at, cause, since)
		}
	}
}

func TestTheRightPersonIsToldOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &house{t: t, at: monday, outbox: map[string]Delivery{}, got: map[string]int{}, lasting: map[Cause]time.Time{}}
		for n := range rapid.IntRange(1, 4).Draw(t, "people") {
			h.c.Targets = append(h.c.Targets, Target{ID: fmt.Sprint("p", n), Name: "p", Role: rapid.SampledFrom(Roles).Draw(t, "role"), Active: n == 0 || rapid.Bool().Draw(t, "active"),
				Least: rapid.SampledFrom([]Severity{"", Info, Warning, Critical}).Draw(t, "least"),
				Quiet: Quiet{From: rapid.IntRange(0, 23).Draw(t, "from") * 60, Until: rapid.IntRange(0, 23).Draw(t, "until") * 60}})
		}
		kinds := []Kind{ConnectionDown, Drift, RateBreach, Forecast, CancelAnswer}
		on := map[Cause]Severity{}
		for range rapid.IntRange(1, 150).Draw(t, "steps") {
			h.at = h.at.Add(time.Duration(rapid.IntRange(1, 240).Draw(t, "seconds")) * time.Second)
			if rapid.IntRange(0, 4).Draw(t, "toggle") == 0 {
				c := Cause{rapid.SampledFrom(kinds).Draw(t, "kind"), fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "subject"))}
				if _, was := on[c]; was {
					delete(on, c)
				} else {
					on[c] = rapid.SampledFrom(Severities).Draw(t, "severity")
				}
			}
			h.round(t, on)
		}
		for range 5 {
			h.send(func() bool { return false })
		}
		for id := range h.outbox {
			if h.got[id] == 0 {
				t.Fatalf("lost: %+v", h.outbox[id])
			}
		}
	})
}

func (h *house) round(t *rapid.T, on map[Cause]Severity) {
	var signals []Signal
	for c, s := range on {
		signals = append(signals, Signal{Cause: c, Severity: s, Text: fmt.Sprint(c, " is wrong.")})
		if s == Critical && h.lasting[c].IsZero() {
			h.lasting[c] = h.at
		}
	}
	for c := range h.lasting {
		if on[c] != Critical {
			delete(h.lasting, c)
		}
	}
	if crash := rapid.IntRange(0, 9).Draw(t, "crash") == 0; crash {
		h.step(signals, true)
	}
	h.step(signals, false)
	h.reached()
	if len(h.all) > 0 && rapid.IntRange(0, 9).Draw(t, "act") == 0 {
		n := rapid.IntRange(0, len(h.all)-1).Draw(t, "which")
		before := h.all[n]
		if rapid.Bool().Draw(t, "resolve") {
			h.all[n], _, _ = before.Resolve(h.at, "somebody")
		} else {
			h.all[n], _, _ = before.Acknowledge(h.at, "somebody")
		}
		delete(h.lasting, before.Cause)
	}
	h.send(func() bool { return rapid.IntRange(0, 3).Draw(t, "lost") == 0 })
}

func FuzzCutKeepsCharactersWhole(f *testing.F) {
	f.Add("Größe")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if got := cut(s, 10); len(got) > 10 && len(s) > 10 {
			t.Errorf("%q", got)
		}
	})
}
