package tracking

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// form is a row of parts from the first to the last character of a number.
type form struct {
	parts             []part
	shortest, longest int
	fixed             int  // characters that are given, not counted: how much a number that fits says about its carrier
	inner             bool // some parts only are the number to be shown
}

type part struct {
	name            string
	atoms           []atom
	checked, number bool
}

// atom is a piece of a pattern: some characters of one class, or one of some words.
type atom struct {
	class    charset
	min, max int
	words    []string // of the same length; none: characters of the class
}

// charset is a set of ASCII characters.
type charset [2]uint64

func setOf(chars string) (c charset) {
	for _, b := range []byte(chars) {
		c[b>>6&1] |= 1 << (b & 63)
	}
	return c
}

func (c *charset) has(b byte) bool { return b < 128 && c[b>>6]>>(b&63)&1 == 1 }

const (
	digits  = "0123456789"
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// readForm reads the parts of a form; see the head of the table.
func readForm(text string) (form, error) {
	var f form
	for token := range strings.FieldsSeq(text) {
		if f.shortest != f.longest {
			return form{}, fmt.Errorf("%q stands behind a part without a length of its own", token)
		}
		flags := strings.TrimLeft(token, "+*")
		name, pattern, ok := strings.Cut(flags, ":")
		if !ok {
			return form{}, fmt.Errorf("%q has no pattern", token)
		}
		head := token[:len(token)-len(flags)]
		p := part{name: name, checked: strings.Contains(head, "*"), number: strings.Contains(head, "+")}
		f.inner = f.inner || p.number
		for pattern != "" {
			a, rest, err := readAtom(pattern)
			if err != nil {
				return form{}, fmt.Errorf("%q: %w", token, err)
			}
			if len(a.words) > 0 {
				f.fixed += a.min
			}
			f.shortest, f.longest, pattern = f.shortest+a.min, f.longest+a.max, rest
			p.atoms = append(p.atoms, a)
		}
		f.parts = append(f.parts, p)
	}
	return f, nil
}

func readAtom(pattern string) (atom, string, error) {
	closing := map[byte]string{'\'': "'", '[': "]", '{': "}"}
	if end, ok := closing[pattern[0]]; ok {
		inside, rest, ok := strings.Cut(pattern[1:], end)
		switch {
		case !ok || inside == "":
			return atom{}, "", fmt.Errorf("%s is not closed, or empty", pattern)
		case pattern[0] == '[':
			return atom{class: setOf(expand(inside)), min: 1, max: 1}, rest, nil
		case pattern[0] == '\'':
			return atom{words: []string{inside}, min: len(inside), max: len(inside)}, rest, nil
		}
		all := strings.Split(inside, ",")
		for _, w := range all {
			if len(w) != len(all[0]) {
				return atom{}, "", fmt.Errorf("%s has words of several lengths", pattern)
			}
		}
		return atom{words: all, min: len(all[0]), max: len(all[0])}, rest, nil
	}
	class, ok := map[byte]string{'D': digits, 'A': letters, 'X': digits + letters}[pattern[0]]
	if !ok {
		return atom{}, "", fmt.Errorf("%s begins with no pattern", pattern)
	}
	n := 1
	for n < len(pattern) && (pattern[n] >= '0' && pattern[n] <= '9' || pattern[n] == '-') {
		n++
	}
	low, high, ranged := strings.Cut(pattern[1:n], "-")
	if !ranged {
		high = low
	}
	least, err := strconv.Atoi(low)
	if err != nil {
		return atom{}, "", fmt.Errorf("%s has no count", pattern)
	}
	most, err := strconv.Atoi(high)
	if err != nil || most < least || least < 1 {
		return atom{}, "", fmt.Errorf("%s has no count", pattern)
	}
	return atom{class: setOf(class), min: least, max: most}, pattern[n:], nil
}

// expand writes out the ranges of a set: [0-8].
func expand(set string) string {
	var b strings.Builder
	for i := 0; i < len(set); i++ {
		if i+2 < len(set) && set[i+1] == '-' {
			for c := set[i]; c <= set[i+2]; c++ {
				b.WriteByte(c)
			}
			i += 2
			continue
		}
		b.WriteByte(set[i])
	}
	return b.String()
}

// take is how many characters at the beginning of s are the atom's; only the last atom of a form may take more or less, so the
// rest of s is all its own. False: they are not.
func (a *atom) take(s string) (int, bool) {
	if len(s) < a.min {
		return 0, false
	}
	if len(a.words) > 0 {
		return a.min, slices.Contains(a.words, s[:a.min])
	}
	n := a.min
	if a.max > a.min {
		n = len(s)
	}
	if n > a.max {
		return 0, false
	}
	for i := range n {
		if !a.class.has(s[i]) {
			return 0, false
		}
	}
	return n, true
}

// fits reports whether a normalised number has the form. Most forms of a length do not fit, so that is found out before anything is taken apart.
func (f *form) fits(number string) bool {
	if len(number) < f.shortest || len(number) > f.longest {
		return false
	}
	at := 0
	for i := range f.parts {
		for j := range f.parts[i].atoms {
			n, ok := f.parts[i].atoms[j].take(number[at:])
			if !ok {
				return false
			}
			at += n
		}
	}
	return at == len(number)
}

// each calls f with every part of a number that fits and its characters.
func (f *form) each(number string, part func(p *part, value string)) {
	at := 0
	for i := range f.parts {
		p, from := &f.parts[i], at
		for j := range p.atoms {
			n, _ := p.atoms[j].take(number[at:])
			at += n
		}
		part(p, number[from:at])
	}
}

// checked is the check digit of a number that fits, and what it is computed over, appended to out.
func (f *form) checked(number string, out []byte) (serial []byte, digit string) {
	f.each(number, func(p *part, value string) {
		if p.checked {
			out = append(out, value...)
		}
		if p.name == "check" {
			digit = value
		}
	})
	return out, digit
}

// read takes a number that fits apart: what is to be shown, and its parts.
func (f *form) read(number string) (shown string, parts []Part) {
	parts = make([]Part, 0, len(f.parts))
	f.each(number, func(p *part, value string) {
		if p.number {
			shown += value
		}
		switch n := len(parts); {
		case p.name == "check", p.name == "":
		case n > 0 && parts[n-1].Name == p.name:
			parts[n-1].Value += value
		default:
			parts = append(parts, Part{p.name, value})
		}
	})
	if !f.inner {
		shown = number
	}
	return shown, parts
}
