package reconcile

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spillway/spillway/kit/errs"
)

const (
	// maxProblems of a file are told.
	maxProblems = 1_000
	// maxExcerpt bytes of a value are shown with its problem.
	maxExcerpt = 40
)

// Problem is one thing that is wrong with a file.
type Problem struct {
	File  string `json:"file"`
	Line  int    `json:"line,omitzero"`  // of the file or the sheet; 0: the file as a whole
	Field string `json:"field,omitzero"` // empty: the whole row
	Value string `json:"value,omitzero"` // the beginning of what the cell holds
	Text  string `json:"text"`           // what is wrong and what to do
}

func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File + ": ")
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Field != "" {
		fmt.Fprintf(&b, "%s %q ", p.Field, p.Value) // quoted, so that a cell cannot write control characters to a terminal
	}
	b.WriteString(p.Text)
	return b.String()
}

// Problems is the error of files that were refused.
type Problems struct {
	Shown []Problem
	More  int
}

func (p *Problems) Error() string {
	var b strings.Builder
	for _, one := range p.Shown {
		b.WriteString("\n  " + one.String())
	}
	if p.More > 0 {
		fmt.Fprintf(&b, "\n  and %d more", p.More)
	}
	return b.String()
}

func (p *Problems) err() error {
	if len(p.Shown) == 0 {
		return nil
	}
	return &errs.Error{Kind: errs.Invalid, Op: "reconcile.Read", Safe: "nothing was compared" + p.Error(), Cause: p}
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
