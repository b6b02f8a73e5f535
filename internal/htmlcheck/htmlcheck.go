// Package htmlcheck reads a page and asks it questions by selector, for tests of pages. It understands the HTML our templates
// write, and the part of CSS selectors tests need: tag, #id, .class, [attr], [attr=value], and descendants by a space.
//
// It is for tests only and imports the standard library.
package htmlcheck

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// Node is an element of a page.
type Node struct {
	Tag      string
	Attr     map[string]string
	Children []*Node
	parent   *Node
	text     strings.Builder // of this element and everything below it, in order
}

// Text is what one reads in the element, with runs of white space as one space.
func (n *Node) Text() string { return strings.Join(strings.Fields(n.text.String()), " ") }

// Parse reads a page or a piece of one.
func Parse(r io.Reader) (*Node, error) {
	d := xml.NewDecoder(r)
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	root := &Node{Tag: "#root"}
	at := root
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return root, nil
		}
		if err != nil {
			return nil, fmt.Errorf("htmlcheck: line %d: %w", line(d), err)
		}
		switch t := tok.(type) {
		case xml.StartElement:
			n := &Node{Tag: t.Name.Local, Attr: map[string]string{}, parent: at}
			for _, a := range t.Attr {
				n.Attr[join(a.Name)] = a.Value
			}
			at.Children = append(at.Children, n)
			at = n
		case xml.EndElement:
			at = at.parent
		case xml.CharData:
			for n := at; n != nil; n = n.parent {
				n.text.Write(t)
			}
		}
	}
}

func line(d *xml.Decoder) int {
	l, _ := d.InputPos()
	return l
}

func join(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// All finds the elements selector names, in the order of the page.
func (n *Node) All(selector string) []*Node {
	parts := split(selector)
	var out []*Node
	var walk func(*Node)
	walk = func(x *Node) {
		for _, c := range x.Children {
			if c.matches(parts) {
				out = append(out, c)
			}
			walk(c)
		}
	}
	walk(n)
	return out
}

// split cuts a selector at its spaces, those between brackets excepted.
func split(selector string) []string {
	depth := 0
	return strings.FieldsFunc(selector, func(c rune) bool {
		switch c {
		case '[':
			depth++
		case ']':
			depth--
		}
		return c == ' ' && depth == 0
	})
}

// matches reports whether n is what the last part names, inside what the parts before it name.
func (n *Node) matches(parts []string) bool {
	last := len(parts) - 1
	if last < 0 || !n.is(parts[last]) {
		return false
	}
	if last == 0 {
		return true
	}
	for p := n.parent; p != nil; p = p.parent {
		if p.matches(parts[:last]) {
			return true
		}
	}
	return false
}

// is reports whether n is what one compound selector names. It panics on a selector it does not understand: a test that asks
// nothing must not pass.
func (n *Node) is(sel string) bool {
	end := func(s string) int {
		if i := strings.IndexAny(s, "#.["); i >= 0 {
			return i
		}
		return len(s)
	}
	tag := sel[:end(sel)]
	if tag != "" && tag != "*" && tag != n.Tag {
		return false
	}
	for rest := sel[len(tag):]; rest != ""; {
		if rest[0] == '[' {
			i := strings.IndexByte(rest, ']')
			if i < 0 {
				panic("htmlcheck: no ] in " + sel)
			}
			name, want, valued := strings.Cut(rest[1:i], "=")
			got, ok := n.Attr[name]
			if !ok || valued && got != strings.Trim(want, `"'`) {
				return false
			}
			rest = rest[i+1:]
			continue
		}
		i := 1 + end(rest[1:])
		name := rest[1:i]
		if rest[0] == '#' && n.Attr["id"] != name || rest[0] == '.' && !hasWord(n.Attr["class"], name) {
			return false
		}
		rest = rest[i:]
	}
	return true
}

func hasWord(list, word string) bool {
	for w := range strings.FieldsSeq(list) {
		if w == word {
			return true
		}
	}
	return false
}

// Must parses a page, or fails the test.
func Must(t testing.TB, page string) *Node {
	t.Helper()
	n, err := Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// One finds exactly one element, or fails the test.
func (n *Node) One(t testing.TB, selector string) *Node {
	t.Helper()
	found := n.All(selector)
	if len(found) != 1 {
		t.Fatalf("%q names %d elements, want 1, in: %.600s", selector, len(found), n.Text())
	}
	return found[0]
}

// Says fails the test unless the one element selector names contains text.
func (n *Node) Says(t testing.TB, selector, text string) {
	t.Helper()
	if got := n.One(t, selector).Text(); !strings.Contains(got, text) {
		t.Errorf("%q says %.300q, want %q in it", selector, got, text)
	}
}
