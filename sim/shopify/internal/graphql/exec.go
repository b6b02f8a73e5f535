package graphql

import (
	"fmt"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// Resolver answers one field of one object. It returns a scalar, a time, nil, an object (a pointer or a Map), a []any,
// a *Connection, or an *Error to report.
type Resolver func(x *Exec, parent any, args Args) any

// Resolvers holds the resolvers by type and field. Fields of a Map need none.
type Resolvers map[string]map[string]Resolver

// Connection is a page of nodes. Cursors has one entry a node.
type Connection struct {
	Nodes                []any
	Cursors              []string
	HasNext, HasPrevious bool
}

type edge struct {
	cursor string
	node   any
}

// Exec is one run of an operation. It is used by one goroutine.
type Exec struct {
	// Context is what the caller handed to Execute.
	Context any
	// Bulk is set while a bulk operation runs: connections give everything, whatever page was asked for.
	Bulk bool

	op        *Operation
	resolvers Resolvers
	typeOf    func(any) string
	field     *ast.Field
	path      []any
	errors    []*Error
	cost      int
	payload   bool // inside a mutation's payload, where plain objects are free
}

// Runtime is what an operation runs on.
type Runtime struct {
	Resolvers Resolvers
	TypeOf    func(any) string // the type name of an object that stands for an interface
	Context   any
	Bulk      bool
}

// Result is what an operation gave. Data is nil when a null reached the top.
type Result struct {
	Data   *Object
	Errors []*Error
	Cost   int // points really spent
}

// Execute runs the operation. Mutations run in order.
func (o *Operation) Execute(rt Runtime) Result {
	x := &Exec{Context: rt.Context, Bulk: rt.Bulk, op: o, resolvers: rt.Resolvers, typeOf: rt.TypeOf}
	data, _ := x.object(o.rootType(), nil, []ast.SelectionSet{o.op.SelectionSet})
	return Result{Data: data, Errors: x.errors, Cost: min(x.cost, o.Cost())}
}

// Directive gives the arguments of a directive on the field being resolved, nil when it is not there.
func (x *Exec) Directive(name string) Args { return x.op.directive(x.field, name) }

// FieldName is the name of the field being resolved.
func (x *Exec) FieldName() string { return x.field.Name }

// Fail reports an error at the field being resolved.
func (x *Exec) Fail(e *Error) {
	told := *e
	if told.Locations == nil && x.field != nil {
		told.Locations = at(x.field.Position)
	}
	if told.Path == nil {
		told.Path = append([]any{}, x.path...)
	}
	x.errors = append(x.errors, &told)
}

// object answers the selections of one object; false when a field that must not be null was.
func (x *Exec) object(def *ast.Definition, source any, sets []ast.SelectionSet) (*Object, bool) {
	set := sets[0]
	for _, s := range sets[1:] {
		set = append(set[:len(set):len(set)], s...)
	}
	groups := x.op.collect(def, set)
	out := &Object{Source: source, keys: make([]string, 0, len(groups)), values: make([]any, 0, len(groups))}
	for _, g := range groups {
		x.path = append(x.path, g.key)
		v, ok := x.resolve(def, source, g)
		x.path = x.path[:len(x.path)-1]
		if !ok {
			return nil, false
		}
		out.set(g.key, v)
	}
	return out, true
}

func (x *Exec) resolve(def *ast.Definition, source any, g group) (any, bool) {
	f := g.fields[0]
	if f.Name == "__typename" {
		return def.Name, true
	}
	x.field = f
	t := f.Definition.Type
	args, problems := x.op.arguments(f)
	if len(problems) > 0 {
		x.Fail(Errorf("argumentLiteralsIncompatible", "Argument '%v' on Field '%s' has an invalid value. %s.",
			problems[0].Path[0], f.Name, problems[0].Explanation))
		return nil, !t.NonNull
	}
	v := x.call(def, source, f, args)
	if def == x.op.schema.def.Mutation {
		x.cost += mutationCost
		x.payload = true
		defer func() { x.payload = false }()
	}
	x.field = f
	if err, ok := v.(*Error); ok {
		x.Fail(err)
		return nil, !t.NonNull
	}
	sets := make([]ast.SelectionSet, len(g.fields))
	for i, f := range g.fields {
		sets[i] = f.SelectionSet
	}
	return x.complete(t, v, sets)
}

// call finds what answers a field: a resolver, a connection's own parts, or a key of a Map.
func (x *Exec) call(def *ast.Definition, source any, f *ast.Field, args Args) any {
	if r := x.resolvers[def.Name][f.Name]; r != nil {
		return r(x, source, args)
	}
	switch s := source.(type) {
	case Map:
		return s[f.Name]
	case *Connection:
		return s.part(f.Name)
	case edge:
		if f.Name == "cursor" {
			return s.cursor
		}
		return s.node
	}
	return Errorf("NOT_SIMULATED", "Field '%s' on type '%s' is not simulated", f.Name, def.Name)
}

func (c *Connection) part(name string) any {
	switch name {
	case "nodes":
		return c.Nodes
	case "edges":
		list := make([]any, len(c.Nodes))
		for i, n := range c.Nodes {
			list[i] = edge{c.Cursors[i], n}
		}
		return list
	}
	info := Map{"hasNextPage": c.HasNext, "hasPreviousPage": c.HasPrevious}
	if n := len(c.Cursors); n > 0 {
		info["startCursor"], info["endCursor"] = c.Cursors[0], c.Cursors[n-1]
	}
	return info
}

// complete turns a resolver's value into what the response holds.
func (x *Exec) complete(t *ast.Type, v any, sets []ast.SelectionSet) (any, bool) {
	if v == nil {
		if t.NonNull {
			x.Fail(Errorf("INTERNAL_SERVER_ERROR", "Cannot return null for non-nullable field %s", x.field.Name))
		}
		return nil, !t.NonNull
	}
	if t.Elem != nil {
		return x.list(t, v, sets)
	}
	def := x.op.schema.def.Types[t.NamedType]
	if def.IsLeafType() {
		if at, ok := v.(time.Time); ok {
			return at.UTC().Format("2006-01-02T15:04:05Z"), true
		}
		return v, true
	}
	if def.IsAbstractType() {
		def = x.op.schema.def.Types[x.typeOf(v)]
		if def == nil {
			x.Fail(Errorf("INTERNAL_SERVER_ERROR", "The type of %s cannot be told", x.field.Name))
			return nil, !t.NonNull
		}
	}
	x.charge(def, v)
	if c, ok := v.(*Connection); ok && x.Bulk {
		return x.bulk(c, def, sets), true
	}
	out, ok := x.object(def, v, sets)
	if !ok {
		return nil, !t.NonNull
	}
	return out, true
}

func (x *Exec) charge(def *ast.Definition, v any) {
	switch v.(type) {
	case edge:
	case *Connection:
		x.cost += connectionCost
	default:
		if !x.payload && def.Name != "PageInfo" {
			x.cost += objectCost
		}
	}
}

func (x *Exec) list(t *ast.Type, v any, sets []ast.SelectionSet) (any, bool) {
	list, ok := v.([]any)
	if !ok {
		x.Fail(Errorf("INTERNAL_SERVER_ERROR", "Field %s gave %T where a list belongs", x.field.Name, v))
		return nil, !t.NonNull
	}
	out := make([]any, len(list))
	payload := x.payload
	if _, edges := first(list).(edge); edges || x.field.Name == "nodes" {
		x.payload = false // what a connection holds has its price everywhere
	}
	defer func() { x.payload = payload }()
	for i, e := range list {
		x.path = append(x.path, i)
		c, ok := x.complete(t.Elem, e, sets)
		x.path = x.path[:len(x.path)-1]
		if !ok {
			return nil, !t.NonNull
		}
		out[i] = c
	}
	return out, true
}

func first(list []any) any {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

// BulkNodes is a connection in the answer of a bulk operation: the nodes only.
type BulkNodes struct{ Nodes []*Object }

// bulk answers the nodes of a connection whether they were asked for as edges or as nodes.
func (x *Exec) bulk(c *Connection, def *ast.Definition, sets []ast.SelectionSet) *BulkNodes {
	out := &BulkNodes{}
	var picked []ast.SelectionSet
	var nodeType *ast.Type
	pick := func(f *ast.Field) { picked, nodeType = append(picked, f.SelectionSet), f.Definition.Type }
	for _, set := range sets {
		for _, g := range x.op.collect(def, set) {
			for _, f := range g.fields {
				switch f.Name {
				case "nodes":
					pick(f)
				case "edges":
					for _, g := range x.op.collect(x.op.schema.def.Types[f.Definition.Type.Name()], f.SelectionSet) {
						if g.fields[0].Name == "node" {
							for _, f := range g.fields {
								pick(f)
							}
						}
					}
				}
			}
		}
	}
	if nodeType == nil {
		return out
	}
	nodeDef := x.op.schema.def.Types[nodeType.Name()]
	for _, n := range c.Nodes {
		if o, ok := x.object(nodeDef, n, picked); ok {
			out.Nodes = append(out.Nodes, o)
		}
	}
	return out
}

// String describes the operation for a log line: its kind and its top-level fields, no values.
func (o *Operation) String() string {
	names := make([]string, 0, 2)
	for _, f := range o.RootFields() {
		names = append(names, f.Name)
	}
	return fmt.Sprintf("%s %s", o.op.Operation, strings.Join(names, " "))
}
