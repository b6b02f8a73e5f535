package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/kit/errs"
)

// Bounds of a rule set's file: ten times what the largest of ours needs, and small enough to be read at every start.
const (
	MaxFile  = 512 << 10 // bytes
	maxNodes = 40_000    // values of any kind
	maxDepth = 12        // lists and maps within each other
	maxShown = 20        // mistakes told at once
)

// Decode reads a rule set from YAML, strictly: a field it does not know, a value left empty, a contradiction or anything that would leave a rule
// half said is refused. The error is errs.Invalid and names, for every mistake found, line, field and the way out.
func Decode(r io.Reader) (*RuleSet, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return nil, errs.Wrap("policy.Decode", "", err)
	}
	if len(text) > MaxFile {
		return nil, invalid([]string{fmt.Sprintf("the file is longer than %d KiB: split what is not rules off it", MaxFile>>10)})
	}
	root, wrong := parse(text)
	if len(wrong) > 0 {
		return nil, invalid(wrong)
	}
	f := file{lines: map[string]int{}}
	if f.walk(root, "", 0); len(f.wrong) > 0 {
		return nil, invalid(f.wrong)
	}
	var rs RuleSet
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&rs); err != nil {
		return nil, invalid(f.explain(err))
	}
	return rs.ready(f.at, true)
}

// New checks a rule set made in code and readies it for use. rs is copied; its lists are not.
func New(rs RuleSet) (*RuleSet, error) {
	return rs.ready(func(path string) string { return path }, false)
}

// ready is a checked copy of rs, ready to use. at tells where a field stands.
func (rs RuleSet) ready(at func(path string) string, file bool) (*RuleSet, error) {
	c := checker{rs: &rs, at: at, file: file}
	c.all()
	if len(c.wrong) > 0 {
		return nil, invalid(c.wrong)
	}
	rs.zone, _ = time.LoadLocation(rs.Zone) // checked
	rs.byField = byField(rs.DeadlineRules)
	spec := calendar.Spec{Zone: rs.zone, Week: rs.Business.Week, Holidays: rs.Business.Holidays}
	for _, x := range rs.Closures {
		if !x.Announced {
			spec.Closures = append(spec.Closures, x.Closure)
		}
	}
	var err error
	if rs.calendar, err = calendar.New(spec); err != nil {
		return nil, invalid([]string{at("business") + ": " + err.Error()})
	}
	return &rs, nil
}

func invalid(wrong []string) error {
	more := ""
	if n := len(wrong) - maxShown; n > 0 {
		wrong, more = wrong[:maxShown], fmt.Sprintf("; and %d more", n)
	}
	return errs.New(errs.Invalid, "policy.Decode", "rule set", "%s", strings.Join(wrong, "; ")+more)
}

// parse reads the one document of a file without giving it meaning.
func parse(text []byte) (*yaml.Node, []string) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, []string{"the file is empty: begin it with market, version and zone"}
		}
		return nil, []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, []string{"the file holds more than one document: keep one market's rules in one file, without ---"}
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, []string{fmt.Sprintf("line %d: the file must be a map that begins with market, version and zone", root.Line)}
	}
	return root, nil
}

// file knows where the fields of a YAML file stand.
type file struct {
	lines map[string]int // by path, such as bands[2].limit
	order []string       // the paths in the order of the file
	nodes int
	wrong []string
}

func (f *file) bad(n *yaml.Node, format string, args ...any) {
	f.wrong = append(f.wrong, fmt.Sprintf("line %d: %s", n.Line, fmt.Sprintf(format, args...)))
}

// walk notes every field's line and refuses what could blow up or be read two ways.
func (f *file) walk(n *yaml.Node, path string, depth int) {
	f.nodes++
	switch {
	case f.nodes > maxNodes:
		if f.nodes == maxNodes+1 {
			f.bad(n, "the file has more than %d values: split what is not rules off it", maxNodes)
		}
		return
	case depth > maxDepth:
		f.bad(n, "%s: nested more than %d deep", path, maxDepth)
		return
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		f.bad(n, "%s: anchors and aliases are not taken: write the value out", path)
		return
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		f.bad(n, "%s: has no value: give one, or take the field out", path)
		return
	}
	f.lines[path] = n.Line
	f.order = append(f.order, path)
	for i := 0; n.Kind == yaml.SequenceNode && i < len(n.Content); i++ {
		f.walk(n.Content[i], fmt.Sprintf("%s[%d]", path, i), depth+1)
	}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if n.Content[i].Kind != yaml.ScalarNode || key == "<<" || key == "" {
			f.bad(n.Content[i], "%s: keys must be plain words", path)
			continue
		}
		f.walk(n.Content[i+1], strings.TrimPrefix(path+"."+key, "."), depth+1)
	}
}

// at is where a field stands: its line and its path. Of a field that is missing it is the line of what it is missing in.
func (f *file) at(path string) string {
	for p := path; p != ""; p = p[:max(0, strings.LastIndexAny(p, ".["))] {
		if line, ok := f.lines[p]; ok {
			return fmt.Sprintf("line %d: %s", line, path)
		}
	}
	return path
}

var (
	inLine  = regexp.MustCompile(`^line (\d+): (?s:(.*))$`)
	unknown = regexp.MustCompile(`^field (\S+) not found in type (\S+)$`)
	noSuch  = regexp.MustCompile(`^cannot unmarshal !!(\w+)(?: ` + "`(?s:(.*))`" + `)? into (\S+)$`)
	twice   = regexp.MustCompile(`^mapping key "?([^"]*)"? already defined at line (\d+)$`)
)

// explain turns the decoder's complaints into sentences with line, field and way out.
func (f *file) explain(err error) []string {
	var typed *yaml.TypeError
	if !errors.As(err, &typed) {
		return []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	var out []string
	for _, text := range typed.Errors {
		m := inLine.FindStringSubmatch(text)
		if m == nil {
			out = append(out, text)
			continue
		}
		line, _ := strconv.Atoi(m[1])
		out = append(out, fmt.Sprintf("line %d: %s", line, f.sentence(line, m[2])))
	}
	return out
}

func (f *file) sentence(line int, text string) string {
	if m := unknown.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("%s: no such field; here may stand %s", m[1], strings.Join(fieldsOf(m[2]), ", "))
	}
	if m := twice.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("%s: is there twice, first in line %s: keep one", m[1], m[2])
	}
	if m := noSuch.FindStringSubmatch(text); m != nil {
		want := map[string]string{"int": "a whole number", "bool": "true or false", "string": "text"}[m[3]]
		if want == "" {
			want = "a list or a map of fields, as docs/guides/policy.md shows"
		}
		return fmt.Sprintf("%s: %q does not fit: %s is wanted", f.field(line), m[2], want)
	}
	return fmt.Sprintf("%s: %s", f.field(line), text)
}

// field is the last field that stands in a line.
func (f *file) field(line int) string {
	for _, p := range slices.Backward(f.order) {
		if f.lines[p] == line {
			return p
		}
	}
	return "the file"
}

// fieldsOf lists the fields of one of our types by the name the decoder gives it.
func fieldsOf(name string) []string {
	var out []string
	seen := map[reflect.Type]bool{}
	var visit func(t reflect.Type)
	visit = func(t reflect.Type) {
		for t.Kind() == reflect.Slice || t.Kind() == reflect.Map || t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || seen[t] {
			return
		}
		seen[t] = true
		if t.String() == name {
			out = yamlFields(t)
		}
		for _, x := range reflect.VisibleFields(t) {
			visit(x.Type)
		}
	}
	visit(reflect.TypeFor[RuleSet]())
	return out
}

func yamlFields(t reflect.Type) []string {
	var out []string
	for _, x := range reflect.VisibleFields(t) {
		if key, _, _ := strings.Cut(x.Tag.Get("yaml"), ","); key != "" {
			out = append(out, key)
		}
	}
	return out
}
