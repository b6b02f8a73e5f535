package shopify

import (
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/sim/shopify/internal/graphql"
)

// The vendor's search syntax: terms "field:value" with optional comparison, joined by AND (also unwritten), OR, NOT or a
// leading minus, and parentheses. A field that does not exist is warned about and matches everything.

const (
	maxSearch      = 4_000 // bytes of a query text
	maxSearchDepth = 20    // nested parentheses and negations
)

// term is one comparison.
type term struct {
	field, op, value string
}

// filter decides about one object.
type filter func(v any) bool

// searchable answers one term for a kind of object; ok is false for a field it does not know.
type searchable func(t term) (match filter, ok bool)

// search parses text. terms are those that every match must satisfy, for picking an index.
func search(text string, known searchable) (match filter, terms []term, unknown []string) {
	p := &searchParser{tokens: tokenize(text), known: known}
	if match = p.or(0); match == nil {
		match = func(any) bool { return true }
	}
	if !p.either {
		terms = p.terms
	}
	return match, terms, p.unknown
}

type searchToken struct {
	text   string
	quoted bool // no operator: what stands in it is plain
}

// tokenize splits at spaces and parentheses outside quotes. A quoted value stays with its field.
func tokenize(text string) []searchToken {
	if len(text) > maxSearch {
		text = text[:maxSearch]
	}
	var out []searchToken
	var b strings.Builder
	quote, quoted := byte(0), false
	flush := func() {
		if b.Len() > 0 || quoted {
			out = append(out, searchToken{b.String(), quoted})
		}
		b.Reset()
		quoted = false
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote != 0 && c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			b.WriteByte(c)
		case c == '"' || c == '\'':
			quote, quoted = c, true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			flush()
		case c == '(' || c == ')':
			flush()
			out = append(out, searchToken{text: string(c)})
		default:
			b.WriteByte(c)
		}
	}
	flush()
	return out
}

type searchParser struct {
	tokens  []searchToken
	known   searchable
	terms   []term
	unknown []string
	either  bool // an OR or NOT was seen: no single term must hold
}

func (p *searchParser) peek() (searchToken, bool) {
	if len(p.tokens) == 0 {
		return searchToken{}, false
	}
	return p.tokens[0], true
}

func (p *searchParser) or(depth int) filter {
	left := p.and(depth)
	for {
		t, ok := p.peek()
		if !ok || t.quoted || t.text != "OR" {
			return left
		}
		p.either = true
		p.tokens = p.tokens[1:]
		a, b := left, p.and(depth)
		switch {
		case a == nil:
			left = b
		case b != nil:
			left = func(v any) bool { return a(v) || b(v) }
		}
	}
}

func (p *searchParser) and(depth int) filter {
	var all []filter
	for {
		t, ok := p.peek()
		if !ok || !t.quoted && (t.text == "OR" || t.text == ")") {
			break
		}
		if !t.quoted && t.text == "AND" {
			p.tokens = p.tokens[1:]
			continue
		}
		if f := p.unary(depth); f != nil {
			all = append(all, f)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return func(v any) bool {
		for _, f := range all {
			if !f(v) {
				return false
			}
		}
		return true
	}
}

func (p *searchParser) unary(depth int) filter {
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	switch {
	case depth > maxSearchDepth:
		p.tokens = nil
		return nil
	case !t.quoted && t.text == "NOT":
		if len(p.tokens) == 0 {
			return nil
		}
		p.either = true
		return not(p.unary(depth + 1))
	case !t.quoted && t.text == "(":
		f := p.or(depth + 1)
		if next, ok := p.peek(); ok && !next.quoted && next.text == ")" {
			p.tokens = p.tokens[1:]
		}
		return f
	case !t.quoted && t.text == ")":
		return nil
	case strings.HasPrefix(t.text, "-") && strings.Contains(t.text, ":"):
		p.either = true
		return not(p.term(t.text[1:]))
	}
	return p.term(t.text)
}

func not(f filter) filter {
	if f == nil {
		return nil
	}
	return func(v any) bool { return !f(v) }
}

func (p *searchParser) term(text string) filter {
	t := term{field: "default", value: text}
	if field, rest, ok := strings.Cut(text, ":"); ok && field != "" {
		t.field, t.value = field, rest
		for _, op := range []string{">=", "<=", ">", "<"} {
			if v, found := strings.CutPrefix(rest, op); found {
				t.op, t.value = op, v
				break
			}
		}
	}
	f, ok := p.known(t)
	if !ok {
		p.unknown = append(p.unknown, t.field)
		return nil
	}
	p.terms = append(p.terms, t)
	return f
}

// compareInt is a term's comparison of two numbers.
func (t term) compareInt(got, want int64) bool {
	switch t.op {
	case ">":
		return got > want
	case ">=":
		return got >= want
	case "<":
		return got < want
	case "<=":
		return got <= want
	}
	return got == want
}

// id reads a term's value as an identifier, global or plain.
func (t term) id() (int64, bool) {
	if _, id, ok := splitGID(t.value); ok {
		return id, true
	}
	id, err := strconv.ParseInt(t.value, 10, 64)
	return id, err == nil
}

// when reads a term's value as a time; a date alone is midnight UTC.
func (t term) when() (at time.Time, wholeDay, ok bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, t.value); err == nil {
			return at.UTC(), false, true
		}
	}
	at, err := time.Parse("2006-01-02", t.value)
	return at, true, err == nil
}

func timeFilter(t term, of func(any) time.Time) (filter, bool) {
	at, day, ok := t.when()
	if !ok {
		return nil, false
	}
	if day && t.op == "" {
		return func(v any) bool { got := of(v); return !got.Before(at) && got.Before(at.AddDate(0, 0, 1)) }, true
	}
	return func(v any) bool { return t.compareInt(of(v).UnixNano(), at.UnixNano()) }, true
}

func textFilter(t term, of func(any) string) (filter, bool) {
	want := strings.ToLower(t.value)
	if prefix, ok := strings.CutSuffix(want, "*"); ok {
		return func(v any) bool { return strings.HasPrefix(strings.ToLower(of(v)), prefix) }, true
	}
	return func(v any) bool { return strings.ToLower(of(v)) == want }, true
}

func idFilter(t term, of func(any) int64) (filter, bool) {
	want, ok := t.id()
	if !ok {
		return nil, false
	}
	return func(v any) bool { return t.compareInt(of(v), want) }, true
}

// searched parses a connection's query argument and leaves the vendor's warnings about fields it does not know.
func searched(x *graphql.Exec, args graphql.Args, known searchable) (filter, []term) {
	text := args.Str("query")
	if text == "" {
		return nil, nil
	}
	match, terms, unknown := search(text, known)
	r := x.Context.(*request)
	for _, field := range unknown {
		r.warn(x.FieldName(), text, field)
	}
	return match, terms
}
