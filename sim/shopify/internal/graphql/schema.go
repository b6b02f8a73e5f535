package graphql

import (
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

const (
	maxTokens     = 15_000 // of one document; the largest real ones have a few thousand
	maxDepth      = 40     // of nested selections; deeper ones only come from mistakes
	maxSelections = 20_000 // of one document with its fragments spread; a few nested fragments can make billions
	maxDocuments  = 256    // validated documents kept; clients send the same few over and over
)

// Schema is one version of an API. It is safe for concurrent use.
type Schema struct {
	def *ast.Schema

	mu   sync.Mutex
	docs map[string]*ast.QueryDocument
}

// Load builds a schema from sources in the schema definition language.
func Load(sources ...string) (*Schema, error) {
	list := make([]*ast.Source, len(sources))
	for i, s := range sources {
		list[i] = &ast.Source{Name: "schema", Input: s}
	}
	def, err := gqlparser.LoadSchema(list...)
	if err != nil {
		return nil, err
	}
	return &Schema{def: def, docs: map[string]*ast.QueryDocument{}}, nil
}

// Fields lists every field of every object type, as type and field name, for a check that all can be resolved.
func (s *Schema) Fields(each func(typeName, field string)) {
	for name, def := range s.def.Types {
		if def.Kind != ast.Object || strings.HasPrefix(name, "__") {
			continue
		}
		for _, f := range def.Fields {
			if !strings.HasPrefix(f.Name, "__") {
				each(name, f.Name)
			}
		}
	}
}

// HasType reports whether the schema defines a type.
func (s *Schema) HasType(name string) bool { return s.def.Types[name] != nil }

// EnumHas reports whether value is one of the enum type's values.
func (s *Schema) EnumHas(enum, value string) bool {
	def := s.def.Types[enum]
	return def != nil && def.EnumValues.ForName(value) != nil
}

// document parses and validates text, or finds it among those validated before.
func (s *Schema) document(text string) (*ast.QueryDocument, []*Error) {
	s.mu.Lock()
	doc := s.docs[text]
	s.mu.Unlock()
	if doc != nil {
		return doc, nil
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, maxTokens)
	if err != nil {
		return nil, []*Error{syntaxError(err)}
	}
	if len(doc.Operations) == 0 {
		return nil, []*Error{{Message: "syntax error, unexpected end of file", Extensions: Map{"code": "PARSE_ERROR"}}}
	}
	if tooDeep(doc) {
		return nil, []*Error{{Message: "Query has too many nested selections", Extensions: Map{"code": "MAX_DEPTH_EXCEEDED"}}}
	}
	if found := validator.ValidateWithRules(s.def, doc, nil); len(found) > 0 {
		return nil, validationErrors(found)
	}
	if expanded(doc) > maxSelections {
		return nil, []*Error{{Message: "Query has too many selections", Extensions: Map{"code": "MAX_COMPLEXITY_EXCEEDED"}}}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.docs) >= maxDocuments {
		clear(s.docs)
	}
	s.docs[text] = doc
	return doc, nil
}

// tooDeep guards the validator and the executor, which recurse, against documents made to exhaust them.
func tooDeep(doc *ast.QueryDocument) bool {
	for _, op := range doc.Operations {
		if depth(op.SelectionSet) > maxDepth {
			return true
		}
	}
	for _, f := range doc.Fragments {
		if depth(f.SelectionSet) > maxDepth {
			return true
		}
	}
	return false
}

func depth(set ast.SelectionSet) int {
	deepest := 0
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			deepest = max(deepest, depth(sel.SelectionSet))
		case *ast.InlineFragment:
			deepest = max(deepest, depth(sel.SelectionSet))
		}
	}
	return deepest + 1
}

// expanded counts the selections of a validated document with every fragment spread in place.
func expanded(doc *ast.QueryDocument) int {
	known := map[string]int{}
	var count func(set ast.SelectionSet) int
	count = func(set ast.SelectionSet) int {
		n := 0
		for _, sel := range set {
			n++
			switch sel := sel.(type) {
			case *ast.Field:
				n += count(sel.SelectionSet)
			case *ast.InlineFragment:
				n += count(sel.SelectionSet)
			case *ast.FragmentSpread:
				size, ok := known[sel.Name]
				if !ok {
					size = count(sel.Definition.SelectionSet)
					known[sel.Name] = size
				}
				n += size
			}
			if n > maxSelections {
				return n
			}
		}
		return n
	}
	most := 0
	for _, op := range doc.Operations {
		most = max(most, count(op.SelectionSet))
	}
	return most
}
