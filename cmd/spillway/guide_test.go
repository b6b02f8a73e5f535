package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// block is a fenced block of a guide: "csv NAME" is a file, "sh" commands ("sh fails": that are refused), "text" what the last one says.
var block = regexp.MustCompile("(?ms)^```(csv|sh|text)([^\n]*)\n(.*?)^```$")

// TestGuides runs the examples of the guides as they stand there.
func TestGuides(t *testing.T) {
	for _, g := range []struct {
		name     string
		commands int                                   // at least so many
		before   func(t *testing.T, home string) error // what is there when the guide begins; nil: nothing
	}{{"import.md", 6, nil}, {"reconcile.md", 2, guideShop}, {"verify.md", 3, guideCustody}, {"carriers.md", 3, nil}} {
		t.Run(g.name, func(t *testing.T) { runGuide(t, "../../docs/guides/"+g.name, g.commands, g.before) })
	}
}

func runGuide(t *testing.T, guide string, least int, before func(*testing.T, string) error) {
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	var script, files strings.Builder
	commands, from := 0, "stdout"
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		switch kind, info, body := m[1], strings.TrimSpace(m[2]), m[3]; kind {
		case "csv":
			fmt.Fprintf(&files, "-- %s --\n%s", info, body)
		case "sh":
			commands++
			from = "stdout"
			if info == "fails" {
				from = "stderr"
				script.WriteString("! ")
			}
			script.WriteString(body)
		case "text":
			for line := range strings.Lines(body) {
				fmt.Fprintf(&script, "%s '%s'\n", from, regexp.QuoteMeta(strings.TrimRight(line, "\n")))
			}
		}
	}
	if commands < least {
		t.Fatalf("only %d commands found in %s", commands, guide)
	}
	path := filepath.Join(t.TempDir(), "guide.txt")
	if err := os.WriteFile(path, []byte(script.String()+files.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Files: []string{path}, Setup: func(env *testscript.Env) error {
		home := filepath.Join(env.WorkDir, "home")
		env.Setenv("SPILLWAY_HOME", home)
		if before == nil {
			return nil
		}
		return before(t, home)
	}})
}

// guideCustody makes a home whose custody log has ten entries.
func guideCustody(t *testing.T, dir string) error {
	custodyGrow(t, &env{ctx: t.Context(), log: slog.New(slog.DiscardHandler)}, home{Home: dir}, 0, 10)
	return nil
}
