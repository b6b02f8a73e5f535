package importer

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spillway/spillway/kit/errs"
)

const (
	// maxProblems are told at once: enough to see what is wrong with a whole column, few enough to read.
	maxProblems = 100
	// maxExcerpt bytes of a value are shown with its problem.
	maxExcerpt = 40
)

// Problem is one thing that is wrong with a file.
type Problem struct {
	Line     int    // physical line, 1 is the header; 0: the file as a whole
	Field    string // the field's name; empty: the whole row
	Value    string // the beginning of what the cell holds
	Text     string // what is wrong and what to do
	Conflict bool   // the row is right by itself but contradicts what is stored
}

func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Field != "" {
		fmt.Fprintf(&b, "%s %q ", p.Field, p.Value) // quoted, so that a cell cannot write control characters to a terminal
	}
	b.WriteString(p.Text)
	return b.String()
}

// Problems is the error of a file that was refused: the first of them, and how many more there are.
type Problems struct {
	Shown []Problem
	More  int
}

func (p *Problems) Error() string {
	var b strings.Builder
	for _, one := range p.Shown {
		b.WriteString("\n  ")
		b.WriteString(one.String())
	}
	if p.More > 0 {
		fmt.Fprintf(&b, "\n  and %d more", p.More)
	}
	return b.String()
}

func (p *Problems) add(one Problem) {
	if len(p.Shown) == maxProblems {
		p.More++
		return
	}
	one.Value = excerpt(one.Value)
	p.Shown = append(p.Shown, one)
}

// err is the refusal of the file named, nil if nothing is wrong.
func (p *Problems) err(name string) error {
	if len(p.Shown) == 0 {
		return nil
	}
	kind := errs.Conflict
	for _, one := range p.Shown {
		if !one.Conflict {
			kind = errs.Invalid
		}
	}
	return &errs.Error{Kind: kind, Op: "importer.Run", Item: name, Safe: name + ": nothing was imported" + p.Error(), Cause: p}
}

func excerpt(s string) string {
	if len(s) <= maxExcerpt {
		return s
	}
	cut := maxExcerpt
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
