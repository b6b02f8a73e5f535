package graphql

import (
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Operation is a validated operation with its variables, ready to be priced and executed.
type Operation struct {
	schema *Schema
	op     *ast.OperationDefinition
	vars   Args
}

// Prepare parses, validates and picks the operation called name (any name when there is only one), and coerces the
// variables, whose numbers must be json.Number. The errors are what the client is told.
func (s *Schema) Prepare(text, name string, variables map[string]any) (*Operation, []*Error) {
	doc, errs := s.document(text)
	if len(errs) > 0 {
		return nil, errs
	}
	op := doc.Operations.ForName(name)
	if op == nil {
		if name == "" {
			return nil, []*Error{Errorf("BAD_REQUEST", "An operation name is required")}
		}
		return nil, []*Error{Errorf("BAD_REQUEST", "No operation named %q", name)}
	}
	if op.Operation == ast.Subscription {
		return nil, []*Error{Errorf("BAD_REQUEST", "Subscriptions are not supported")}
	}
	vars, errs := s.variables(op, variables)
	if len(errs) > 0 {
		return nil, errs
	}
	return &Operation{schema: s, op: op, vars: vars}, nil
}

// IsMutation reports whether the operation changes things.
func (o *Operation) IsMutation() bool { return o.op.Operation == ast.Mutation }

// RootField is one field at the top of an operation, after @skip and @include.
type RootField struct {
	Name, Key string
	Args      Args
}

// RootFields lists the top-level fields in order.
func (o *Operation) RootFields() []RootField {
	var out []RootField
	for _, group := range o.collect(o.rootType(), o.op.SelectionSet) {
		f := group.fields[0]
		args, _ := o.arguments(f)
		out = append(out, RootField{Name: f.Name, Key: group.key, Args: args})
	}
	return out
}

// HasConnection reports whether the operation asks for a connection anywhere.
func (o *Operation) HasConnection() bool { return hasConnection(o.op.SelectionSet) }

func hasConnection(set ast.SelectionSet) bool {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if isConnection(sel.Definition.Type) || hasConnection(sel.SelectionSet) {
				return true
			}
		case *ast.InlineFragment:
			if hasConnection(sel.SelectionSet) {
				return true
			}
		case *ast.FragmentSpread:
			if hasConnection(sel.Definition.SelectionSet) {
				return true
			}
		}
	}
	return false
}

func isConnection(t *ast.Type) bool { return strings.HasSuffix(t.Name(), "Connection") }

func (o *Operation) rootType() *ast.Definition {
	if o.IsMutation() {
		return o.schema.def.Mutation
	}
	return o.schema.def.Query
}

func (o *Operation) arguments(f *ast.Field) (Args, []problem) {
	if len(f.Definition.Arguments) == 0 {
		return nil, nil
	}
	c := coercer{schema: o.schema.def}
	return c.arguments(f.Definition.Arguments, f.Arguments, o.vars), c.problems
}

// Directive gives the arguments of a directive on a field, nil when it is not there.
func (o *Operation) directive(f *ast.Field, name string) Args {
	d := f.Directives.ForName(name)
	if d == nil || d.Definition == nil {
		return nil
	}
	c := coercer{schema: o.schema.def}
	return c.arguments(d.Definition.Arguments, d.Arguments, o.vars)
}

// group is the fields of a selection that share a response key and are merged.
type group struct {
	key    string
	fields []*ast.Field
}

// collect flattens a selection set for an object of the given type, in the order of first appearance.
func (o *Operation) collect(def *ast.Definition, set ast.SelectionSet) []group {
	out := make([]group, 0, len(set))
	var walk func(ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.Field:
				if !o.included(sel.Directives) {
					continue
				}
				// A selection is short: looking through it costs less than a map would.
				if i := slices.IndexFunc(out, func(g group) bool { return g.key == sel.Alias }); i >= 0 {
					out[i].fields = append(out[i].fields, sel)
					continue
				}
				out = append(out, group{key: sel.Alias, fields: []*ast.Field{sel}})
			case *ast.InlineFragment:
				if o.included(sel.Directives) && o.applies(sel.TypeCondition, def) {
					walk(sel.SelectionSet)
				}
			case *ast.FragmentSpread:
				if o.included(sel.Directives) && o.applies(sel.Definition.TypeCondition, def) {
					walk(sel.Definition.SelectionSet)
				}
			}
		}
	}
	walk(set)
	return out
}

func (o *Operation) applies(condition string, def *ast.Definition) bool {
	if condition == "" || condition == def.Name {
		return true
	}
	for _, t := range o.schema.def.PossibleTypes[condition] {
		if t.Name == def.Name {
			return true
		}
	}
	return false
}

func (o *Operation) included(list ast.DirectiveList) bool {
	for _, d := range list {
		if d.Name != "skip" && d.Name != "include" {
			continue
		}
		arg := d.Arguments.ForName("if")
		if arg == nil {
			continue
		}
		on := arg.Value.Raw == "true"
		if arg.Value.Kind == ast.Variable {
			on, _ = o.vars[arg.Value.Raw].(bool)
		}
		if on == (d.Name == "skip") {
			return false
		}
	}
	return true
}

// DirectiveStrings lists one argument of a directive over the top-level fields that carry it.
func (o *Operation) DirectiveStrings(directive, argument string) []string {
	var out []string
	for _, g := range o.collect(o.rootType(), o.op.SelectionSet) {
		if args := o.directive(g.fields[0], directive); args != nil {
			out = append(out, args.Str(argument))
		}
	}
	return out
}

// LongList finds the first list in the top-level arguments with more than limit elements.
func (o *Operation) LongList(limit int) (path []any, length int) {
	for _, f := range o.RootFields() {
		if path, n := longList(map[string]any(f.Args), limit, []any{f.Key}); n > 0 {
			return path, n
		}
	}
	return nil, 0
}

func longList(v any, limit int, path []any) ([]any, int) {
	switch v := v.(type) {
	case Args:
		return longList(map[string]any(v), limit, path)
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if p, n := longList(v[k], limit, append(path, k)); n > 0 {
				return p, n
			}
		}
	case []any:
		if len(v) > limit {
			return slices.Clone(path), len(v)
		}
		for i, e := range v {
			if p, n := longList(e, limit, append(path, i)); n > 0 {
				return p, n
			}
		}
	}
	return nil, 0
}
