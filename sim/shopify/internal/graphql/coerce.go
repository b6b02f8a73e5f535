package graphql

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Args are the coerced arguments of a field: string, int, float64, bool, nil, []any and Args inside. A key that was
// left out is not in the map; one that was given as null holds nil.
type Args map[string]any

// Has reports whether the argument was given at all, null included.
func (a Args) Has(name string) bool { _, ok := a[name]; return ok }

// Str is a string argument, empty when absent or null.
func (a Args) Str(name string) string { s, _ := a[name].(string); return s }

// Int is a number argument and whether it was given and not null.
func (a Args) Int(name string) (int, bool) { n, ok := a[name].(int); return n, ok }

// Bool is a boolean argument, false when absent or null.
func (a Args) Bool(name string) bool { b, _ := a[name].(bool); return b }

// Object is an input object argument, nil when absent or null.
func (a Args) Object(name string) Args { o, _ := a[name].(Args); return o }

// List is a list argument, nil when absent or null.
func (a Args) List(name string) []any { l, _ := a[name].([]any); return l }

// Strings is a list argument of strings.
func (a Args) Strings(name string) []string {
	list := a.List(name)
	out := make([]string, 0, len(list))
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// problem is one thing wrong with a variable's value.
type problem struct {
	Path        []any  `json:"path"`
	Explanation string `json:"explanation"`
}

const maxProblems = 20 // reported for one variable

type coercer struct {
	schema   *ast.Schema
	problems []problem
}

func (c *coercer) fail(path []any, format string, args ...any) {
	if len(c.problems) < maxProblems {
		c.problems = append(c.problems, problem{Path: append([]any{}, path...), Explanation: fmt.Sprintf(format, args...)})
	}
}

// variables coerces the variables of an operation, which come from JSON decoded with json.Number.
func (s *Schema) variables(op *ast.OperationDefinition, given map[string]any) (Args, []*Error) {
	out := Args{}
	var errs []*Error
	for _, def := range op.VariableDefinitions {
		c := coercer{schema: s.def}
		value, ok := given[def.Variable]
		switch {
		case ok:
			out[def.Variable] = c.value(def.Type, value, nil)
		case def.DefaultValue != nil:
			out[def.Variable] = c.literal(def.Type, def.DefaultValue, nil, nil)
		case def.Type.NonNull:
			c.fail(nil, "Expected value to not be null")
		}
		if len(c.problems) > 0 {
			errs = append(errs, variableError(def, value, c.problems))
		}
	}
	return out, errs
}

func variableError(def *ast.VariableDefinition, value any, problems []problem) *Error {
	told := make([]string, 0, len(problems))
	for _, p := range problems {
		if len(p.Path) == 0 {
			continue
		}
		steps := make([]string, len(p.Path))
		for i, s := range p.Path {
			steps[i] = fmt.Sprint(s)
		}
		told = append(told, fmt.Sprintf("%s (%s)", strings.Join(steps, "."), p.Explanation))
	}
	msg := fmt.Sprintf("Variable $%s of type %s was provided invalid value", def.Variable, def.Type)
	if len(told) > 0 {
		msg += " for " + strings.Join(told, ", ")
	}
	return &Error{Message: msg, Locations: at(def.Position),
		Extensions: Map{"code": "INVALID_VARIABLE", "value": value, "problems": problems}}
}

// value coerces a JSON value to a type of the schema.
func (c *coercer) value(t *ast.Type, v any, path []any) any {
	if v == nil {
		if t.NonNull {
			c.fail(path, "Expected value to not be null")
		}
		return nil
	}
	if t.Elem != nil {
		list, ok := v.([]any)
		if !ok { // a single value stands for a list of one
			return []any{c.value(t.Elem, v, path)}
		}
		out := make([]any, len(list))
		for i, e := range list {
			out[i] = c.value(t.Elem, e, append(path, i))
		}
		return out
	}
	def := c.schema.Types[t.NamedType]
	if def == nil {
		c.fail(path, "%s isn't a defined input type", t.NamedType)
		return nil
	}
	switch def.Kind {
	case ast.InputObject:
		fields, ok := v.(map[string]any)
		if !ok {
			c.fail(path, "Expected %s to be a key-value object", jsonText(v))
			return nil
		}
		return c.object(def, fields, path)
	case ast.Enum:
		s, ok := v.(string)
		if !ok || def.EnumValues.ForName(s) == nil {
			c.fail(path, "Expected %s to be one of: %s", jsonText(v), enumNames(def))
		}
		return s
	}
	return c.scalar(def.Name, v, path)
}

func (c *coercer) object(def *ast.Definition, fields map[string]any, path []any) Args {
	out := Args{}
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if def.Fields.ForName(name) == nil {
			c.fail(append(path, name), "Field is not defined on %s", def.Name)
		}
	}
	for _, f := range def.Fields {
		v, ok := fields[f.Name]
		switch {
		case ok:
			out[f.Name] = c.value(f.Type, v, append(path, f.Name))
		case f.DefaultValue != nil:
			out[f.Name] = c.literal(f.Type, f.DefaultValue, nil, path)
		case f.Type.NonNull:
			c.fail(append(path, f.Name), "Expected value to not be null")
		}
	}
	return out
}

func (c *coercer) scalar(name string, v any, path []any) any {
	switch name {
	case "Int":
		if n, ok := v.(json.Number); ok {
			if i, err := strconv.ParseInt(n.String(), 10, 32); err == nil {
				return int(i)
			}
		}
	case "Float":
		if n, ok := v.(json.Number); ok {
			if f, err := n.Float64(); err == nil && !math.IsInf(f, 0) {
				return f
			}
		}
	case "Boolean":
		if b, ok := v.(bool); ok {
			return b
		}
	case "ID":
		if n, ok := v.(json.Number); ok {
			return n.String()
		}
		if s, ok := v.(string); ok {
			return s
		}
	case "String", "DateTime", "URL":
		if s, ok := v.(string); ok {
			return s
		}
	default: // the remaining scalars take strings and numbers
		switch v := v.(type) {
		case string:
			return v
		case json.Number:
			return v.String()
		}
	}
	c.fail(path, "Could not coerce value %s to %s", jsonText(v), name)
	return nil
}

// literal converts a value written in the query. The validator has checked its shape, but not the size of numbers.
func (c *coercer) literal(t *ast.Type, v *ast.Value, vars Args, path []any) any {
	switch v.Kind {
	case ast.Variable:
		return vars[v.Raw]
	case ast.NullValue:
		return nil
	}
	if t.Elem != nil {
		if v.Kind != ast.ListValue {
			return []any{c.literal(t.Elem, v, vars, path)}
		}
		out := make([]any, len(v.Children))
		for i, e := range v.Children {
			out[i] = c.literal(t.Elem, e.Value, vars, append(path, i))
		}
		return out
	}
	def := c.schema.Types[t.NamedType]
	switch {
	case def == nil:
		return nil
	case def.Kind == ast.InputObject && v.Kind == ast.ObjectValue:
		return c.literalObject(def, v, vars, path)
	case def.Kind == ast.Enum:
		return v.Raw
	case def.Kind == ast.InputObject:
		c.fail(path, "Expected %s to be a key-value object", v.Raw)
		return nil
	case v.Kind == ast.BooleanValue:
		return c.scalar(def.Name, v.Raw == "true", path)
	case v.Kind == ast.IntValue || v.Kind == ast.FloatValue:
		return c.scalar(def.Name, json.Number(v.Raw), path)
	}
	return c.scalar(def.Name, v.Raw, path)
}

func (c *coercer) literalObject(def *ast.Definition, v *ast.Value, vars Args, path []any) Args {
	out := Args{}
	for _, f := range def.Fields {
		given := v.Children.ForName(f.Name)
		switch {
		case given != nil && (given.Kind != ast.Variable || vars.Has(given.Raw)):
			out[f.Name] = c.literal(f.Type, given, vars, append(path, f.Name))
		case f.DefaultValue != nil:
			out[f.Name] = c.literal(f.Type, f.DefaultValue, nil, path)
		case f.Type.NonNull: // a variable that was left out
			c.fail(append(path, f.Name), "Expected value to not be null")
		}
	}
	return out
}

// arguments gives the arguments of a field or a directive.
func (c *coercer) arguments(defs ast.ArgumentDefinitionList, given ast.ArgumentList, vars Args) Args {
	out := Args{}
	for _, def := range defs {
		arg := given.ForName(def.Name)
		switch {
		case arg != nil && (arg.Value.Kind != ast.Variable || vars.Has(arg.Value.Raw)):
			out[def.Name] = c.literal(def.Type, arg.Value, vars, []any{def.Name})
			if out[def.Name] == nil && def.Type.NonNull {
				c.fail([]any{def.Name}, "Expected value to not be null")
			}
		case def.DefaultValue != nil:
			out[def.Name] = c.literal(def.Type, def.DefaultValue, nil, []any{def.Name})
		case def.Type.NonNull:
			c.fail([]any{def.Name}, "Expected value to not be null")
		}
	}
	return out
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

func enumNames(def *ast.Definition) string {
	names := make([]string, len(def.EnumValues))
	for i, v := range def.EnumValues {
		names[i] = v.Name
	}
	return strings.Join(names, ", ")
}
