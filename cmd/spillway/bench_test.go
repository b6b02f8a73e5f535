package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/spillway/spillway/app/bench"
)

func parser(t *testing.T) *kong.Kong {
	t.Helper()
	k, err := kong.New(&cli{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Every bench tells what it found as JSON, and `bench all` by a document of its own.
func TestEveryBenchHasJSON(t *testing.T) {
	found := 0
	for _, n := range parser(t).Model.Leaves(true) {
		if !strings.HasPrefix(n.Path(), "bench ") {
			continue
		}
		found++
		flags := map[string]bool{}
		for _, f := range n.Flags {
			flags[f.Name] = true
		}
		if !flags["json"] || !flags["save"] {
			t.Errorf("%s has no --json or no --save", n.Path())
		}
	}
	if found < 14 {
		t.Errorf("only %d benches were found", found)
	}
}

// Each command that `bench all` runs is one that there is.
func TestBenchAllRunsCommandsThatExist(t *testing.T) {
	for _, quick := range []bool{false, true} {
		var out bytes.Buffer
		if _, err := bench.RunAll(t.Context(), bench.AllOptions{Quick: quick, List: true, Orders: 1000, NATS: "sh", Out: &out}); err != nil {
			t.Fatal(err)
		}
		found := 0
		for line := range strings.Lines(out.String()) {
			words := strings.Fields(line)
			if words[0] != "spillway" {
				continue
			}
			found++
			if _, err := parser(t).Parse(append(words[1:], "--save", "x.json")); err != nil {
				t.Errorf("%s: %v", strings.TrimSpace(line), err)
			}
		}
		if found < 10 {
			t.Errorf("only %d commands were listed:\n%s", found, out.String())
		}
	}
}

func TestSettingsAreTheFlagsThatCount(t *testing.T) {
	k, err := parser(t).Parse([]string{"bench", "intake", "--callers", "8", "--for", "1500ms", "--json", "--profile", "x", "--database", "postgres://u:hush@host/db"})
	if err != nil {
		t.Fatal(err)
	}
	got := settingsOf(k.Selected())
	for name, want := range map[string]any{"callers": 8, "for": "1.5s", "seed": uint64(1), "runs": 5, "strict": false, "database": "postgres://u:xxxxx@host/db"} {
		if got[name] != want {
			t.Errorf("%s is %v, not %v", name, got[name], want)
		}
	}
	for _, name := range []string{"json", "save", "profile", "help"} {
		if _, ok := got[name]; ok {
			t.Errorf("%s is among the settings", name)
		}
	}
}
