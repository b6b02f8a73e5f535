package stream

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/store"
)

// The example in the guide is what an outside program decodes: its fields are those of a published message, and no others.
func TestGuideShowsTheEnvelope(t *testing.T) {
	guide, err := os.ReadFile("../docs/guides/events.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(guide)
	if m == nil {
		t.Fatal("the guide shows no message")
	}
	var env Envelope
	if err := env.Open(m[1]); err != nil {
		t.Fatal(err)
	}
	ours, err := json.Marshal(env)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := shape(t, ours), shape(t, m[1]); got != want {
		t.Errorf("published fields %s, documented %s", got, want)
	}
	for _, name := range []string{EventStream, EventSubjects, uptoHeader} {
		if !strings.Contains(string(guide), name) {
			t.Errorf("the guide does not name %s", name)
		}
	}
}

// shape lists the fields of a message, of its first event too.
func shape(t *testing.T, data []byte) string {
	t.Helper()
	var top map[string]json.RawMessage
	var events []map[string]json.RawMessage
	if err := json.Unmarshal(data, &top); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(top["events"], &events); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(keys(top), keys(events[0]))
}

func keys(m map[string]json.RawMessage) string {
	out, err := json.Marshal(func() map[string]bool {
		k := map[string]bool{}
		for name := range m {
			k[name] = true
		}
		return k
	}())
	if err != nil {
		panic(err)
	}
	return string(out)
}

func TestPackKeepsTheOrderOfEachSubject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(overhead+len(tooLarge)+8, 2000).Draw(t, "limit")
		events := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) store.Event {
			return store.Event{Kind: rapid.SampledFrom([]string{"a", "b.c", "d"}).Draw(t, "kind"), Subject: rapid.SampledFrom([]string{"1", "2", "3", "4"}).Draw(t, "subject"),
				Data: json.RawMessage(`"` + strings.Repeat("x", rapid.IntRange(0, 600).Draw(t, "size")) + `"`)}
		}), 1, 60).Draw(t, "events")
		for i := range events {
			events[i].Seq = int64(i + 1)
		}
		last, n := map[string]int{}, 0
		for _, p := range pack(events, limit) {
			if p.size > limit {
				t.Fatalf("a message of %d, the limit is %d", p.size, limit)
			}
			for _, e := range p.Events {
				var seq int
				fmt.Sscan(e.ID, &seq)
				if e.Kind != p.Kind || events[seq-1].Kind != p.Kind || events[seq-1].Subject != e.Subject {
					t.Fatalf("event %d is in the wrong message", seq)
				}
				if seq < last[e.Subject] {
					t.Fatalf("%s: %d comes after %d", e.Subject, seq, last[e.Subject])
				}
				last[e.Subject] = seq
				n++
			}
		}
		if n != len(events) {
			t.Fatalf("%d events in, %d out", len(events), n)
		}
	})
}

func TestSubjectsAreFitForNATS(t *testing.T) {
	for in, want := range map[string]string{"hold.put": "hold.put", "a b": "a_b", "..": "_", "x..y.": "x.y", "*": "_", "": "_", "größe": "gr__e"} {
		if got := subject(in); got != want {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"version":1,"kind":"k","events":[{"id":"1","at":"2026-11-22T05:00:00Z","subject":"s","data":{}}]}`))
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var e Envelope
		if err := e.Open(data); err == nil && (len(e.Events) == 0 || e.Kind == "" || e.Events[0].Kind != e.Kind) {
			t.Error("an empty message was taken")
		}
	})
}

func FuzzDecodeRows(f *testing.F) {
	rows, err := encodeRows([]store.InboxRow{{ID: "v/a/1", Vendor: "v", Body: []byte("{}")}}, 4096)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(rows[0])
	f.Add([]byte(`[{"body":"?"}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := decodeRows(data)
		if err != nil {
			return
		}
		if len(rows) == 0 {
			return
		}
		if _, err := encodeRows(rows, 1<<30); err != nil {
			t.Error(err)
		}
	})
}
