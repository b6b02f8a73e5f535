package graphql

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Map is a JSON object whose order does not matter; as a resolver's value its keys answer the fields of the same name.
type Map = map[string]any

// Location is a place in the query text, counted from one.
type Location struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Error is one entry of a response's "errors".
type Error struct {
	Message    string     `json:"message"`
	Locations  []Location `json:"locations,omitempty"`
	Path       []any      `json:"path,omitempty"`
	Extensions Map        `json:"extensions,omitempty"`
}

func (e *Error) Error() string { return e.Message }

// Errorf makes an error with a code. The executor adds where in the query it happened.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...), Extensions: Map{"code": code}}
}

func at(pos *ast.Position) []Location {
	if pos == nil {
		return nil
	}
	return []Location{{Line: pos.Line, Column: pos.Column}}
}

func syntaxError(err error) *Error {
	e, ok := errors.AsType[*gqlerror.Error](err)
	if !ok {
		return &Error{Message: "syntax error, " + err.Error(), Extensions: Map{"code": "PARSE_ERROR"}}
	}
	out := &Error{Message: "syntax error, " + e.Message, Extensions: Map{"code": "PARSE_ERROR"}}
	for _, l := range e.Locations {
		out.Locations = append(out.Locations, Location(l))
		out.Message += fmt.Sprintf(" at [%d, %d]", l.Line, l.Column)
	}
	return out
}

// wording turns one of the validator's sentences into the vendor's. Names are the extensions that carry the groups.
type wording struct {
	pattern *regexp.Regexp
	code    string
	message string
	names   []string
}

// wordings follow graphql-ruby, which the vendor runs.
var wordings = []wording{
	{regexp.MustCompile(`^Cannot query field "(.+?)" on type "(.+?)"`), "undefinedField",
		"Field '$1' doesn't exist on type '$2'", []string{"fieldName", "typeName"}},
	{regexp.MustCompile(`^Unknown argument "(.+?)" on field "(.+?)\.(.+?)"`), "argumentNotAccepted",
		"Field '$3' doesn't accept argument '$1'", []string{"argumentName", "typeName", "name"}},
	{regexp.MustCompile(`^Unknown argument "(.+?)" on directive "@(.+?)"`), "argumentNotAccepted",
		"Directive '$2' doesn't accept argument '$1'", []string{"argumentName", "name"}},
	{regexp.MustCompile(`^Field "(.+?)" argument "(.+?)" of type`), "missingRequiredArguments",
		"Field '$1' is missing required arguments: $2", []string{"name", "arguments"}},
	{regexp.MustCompile(`^Directive "@(.+?)" argument "(.+?)" of type`), "missingRequiredArguments",
		"Directive '$1' is missing required arguments: $2", []string{"name", "arguments"}},
	{regexp.MustCompile(`^Field "(.+?)" of type "(.+?)" must have a selection`), "selectionMismatch",
		"Field must have selections (field '$1' returns $2 but has no selections. Did you mean '$1 { ... }'?)", []string{"nodeName", "typeName"}},
	{regexp.MustCompile(`^Field "(.+?)" must not have a selection since type "(.+?)"`), "selectionMismatch",
		"Selections can't be made on scalars (field '$1' returns $2 but has selections)", []string{"nodeName", "typeName"}},
	{regexp.MustCompile(`^Variable "\$?(.+?)" is not defined by operation "(.+?)"`), "variableNotDefined",
		"Variable $$$1 is used by $2 but not declared", []string{"variableName"}},
	{regexp.MustCompile(`^Variable "\$?(.+?)" is not defined`), "variableNotDefined",
		"Variable $$$1 is used by anonymous query but not declared", []string{"variableName"}},
	{regexp.MustCompile(`^Variable "\$(.+?)" is never used in operation "(.+?)"`), "variableNotUsed",
		"Variable $$$1 is declared by $2 but not used", []string{"variableName"}},
	{regexp.MustCompile(`^Variable "\$(.+?)" is never used`), "variableNotUsed",
		"Variable $$$1 is declared by anonymous query but not used", []string{"variableName"}},
	{regexp.MustCompile(`^Field "(.+?)\.(.+?)" of required type "(.+?)" was not provided`), "missingRequiredInputObjectAttribute",
		"Argument '$2' on InputObject '$1' is required. Expected type $3", []string{"inputObjectType", "argumentName", "argumentType"}},
	{regexp.MustCompile(`^Field "(.+?)" is not defined by type "(.+?)"`), "argumentNotAccepted",
		"InputObject '$2' doesn't accept argument '$1'", []string{"argumentName", "name"}},
	{regexp.MustCompile(`^Unknown directive "@(.+?)"`), "undefinedDirective",
		"Directive @$1 is not defined", []string{"directiveName"}},
	{regexp.MustCompile(`^Unknown type "(.+?)"`), "undefinedType", "No such type $1, so it can't be a fragment condition or a variable's type", []string{"typeName"}},
}

func validationErrors(list gqlerror.List) []*Error {
	out := make([]*Error, len(list))
	for i, e := range list {
		out[i] = &Error{Message: e.Message, Extensions: Map{"code": ruleCode(e.Rule)}}
		for _, l := range e.Locations {
			out[i].Locations = append(out[i].Locations, Location(l))
		}
		for _, w := range wordings {
			m := w.pattern.FindStringSubmatchIndex(e.Message)
			if m == nil {
				continue
			}
			out[i].Message = string(w.pattern.ExpandString(nil, w.message, e.Message, m))
			out[i].Extensions = Map{"code": w.code}
			for g, name := range w.names {
				out[i].Extensions[name] = e.Message[m[2*g+2]:m[2*g+3]]
			}
			break
		}
	}
	return out
}

func ruleCode(rule string) string {
	switch rule {
	case "ValuesOfCorrectType":
		return "argumentLiteralsIncompatible"
	case "VariablesInAllowedPosition":
		return "variableMismatch"
	case "KnownFragmentNames":
		return "useAndDefineFragment"
	}
	return "validationFailed"
}
