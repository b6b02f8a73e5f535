package graphql

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const testSchema = `
schema { query: Query mutation: Mutation }
directive @once(key: String!) on FIELD
type Query { box(size: Int = 3, in: BoxInput): Box! boxes(first: Int, ids: [ID!]): BoxConnection! thing: Thing broken: Box! maybe: Box list: [Int!] }
type Mutation { put(n: Int!): Payload }
type Payload { box: Box boxes(first: Int): BoxConnection! }
interface Thing { id: ID! }
type Box implements Thing { id: ID! label: String inner: Box boxes(first: Int): BoxConnection! bad: String! }
type BoxConnection { edges: [BoxEdge!]! nodes: [Box!]! pageInfo: PageInfo! }
type BoxEdge { cursor: String! node: Box! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
enum Colour { RED BLUE }
input BoxInput { colour: Colour! sizes: [Int!] note: String deep: BoxInput flag: Boolean = true }
`

type box struct{ id string }

func testRuntime() Runtime {
	page := func(n int) *Connection {
		c := &Connection{Nodes: []any{}}
		for i := range n {
			c.Nodes = append(c.Nodes, &box{id: string(rune('a' + i))})
			c.Cursors = append(c.Cursors, string(rune('a'+i)))
		}
		return c
	}
	boxes := func(_ *Exec, _ any, a Args) any {
		n, _ := a.Int("first")
		return page(n)
	}
	return Runtime{
		TypeOf: func(any) string { return "Box" },
		Resolvers: Resolvers{
			"Query": {
				"box":   func(_ *Exec, _ any, a Args) any { b, _ := json.Marshal(a); return &box{id: string(b)} },
				"boxes": boxes, "thing": func(*Exec, any, Args) any { return &box{id: "t"} },
				"broken": func(*Exec, any, Args) any { return Errorf("BROKEN", "no box") },
				"maybe":  func(*Exec, any, Args) any { return &box{id: "m"} },
				"list":   func(*Exec, any, Args) any { return []any{1, 2} },
			},
			"Mutation": {"put": func(x *Exec, _ any, a Args) any {
				return Map{"box": &box{id: x.Directive("once").Str("key")}, "boxes": page(1)}
			}},
			"Box": {
				"id":    func(_ *Exec, v any, _ Args) any { return v.(*box).id },
				"label": func(*Exec, any, Args) any { return nil },
				"inner": func(_ *Exec, v any, _ Args) any { return &box{id: v.(*box).id + "'"} },
				"boxes": boxes,
				"bad":   func(*Exec, any, Args) any { return nil },
			},
		},
	}
}

func execute(t *testing.T, text, vars string) (string, Result, *Operation) {
	t.Helper()
	schema, err := Load(testSchema)
	if err != nil {
		t.Fatal(err)
	}
	var given map[string]any
	if vars != "" {
		d := json.NewDecoder(strings.NewReader(vars))
		d.UseNumber()
		if err := d.Decode(&given); err != nil {
			t.Fatal(err)
		}
	}
	op, errs := schema.Prepare(text, "", given)
	if len(errs) > 0 {
		return errs[0].Message, Result{Errors: errs}, nil
	}
	res := op.Execute(testRuntime())
	return string(res.Data.AppendJSON(nil)), res, op
}

func TestExecute(t *testing.T) {
	for _, c := range []struct{ name, text, vars, want string }{
		{"order and alias", `{ maybe { label two: id id } }`, ``, `{"maybe":{"label":null,"two":"m","id":"m"}}`},
		{"merging", `{ maybe { inner { id } } maybe { inner { label } ...f } } fragment f on Thing { id }`, ``,
			`{"maybe":{"inner":{"id":"m'","label":null},"id":"m"}}`},
		{"interface", `{ thing { __typename id ... on Box { label } } }`, ``, `{"thing":{"__typename":"Box","id":"t","label":null}}`},
		{"directives", `query($y: Boolean = true) { list @skip(if: $y) maybe @include(if: $y) { id @skip(if: false) } }`, ``, `{"maybe":{"id":"m"}}`},
		{"connection", `{ boxes(first: 2) { edges { cursor node { id } } pageInfo { hasNextPage endCursor } } }`, ``,
			`{"boxes":{"edges":[{"cursor":"a","node":{"id":"a"}},{"cursor":"b","node":{"id":"b"}}],"pageInfo":{"hasNextPage":false,"endCursor":"b"}}}`},
		{"null stops at the nullable parent", `{ list maybe { bad } }`, ``, `{"list":[1,2],"maybe":null}`},
		{"null reaches the top", `{ list broken { id } }`, ``, `null`},
		{"defaults", `{ box { id } }`, ``, `{"box":{"id":"{\"size\":3}"}}`},
		{"absent and null", `query($n: String, $s: Int) { box(size: $s, in: {colour: RED, note: $n, deep: {colour: BLUE, sizes: 4}}) { id } }`, `{"s":null}`,
			`{"box":{"id":"{\"in\":{\"colour\":\"RED\",\"deep\":{\"colour\":\"BLUE\",\"flag\":true,\"sizes\":[4]},\"flag\":true},\"size\":null}"}}`},
		{"variable object", `query($i: BoxInput) { box(in: $i) { id } }`, `{"i":{"colour":"RED","note":null,"sizes":[1,2]}}`,
			`{"box":{"id":"{\"in\":{\"colour\":\"RED\",\"flag\":true,\"note\":null,\"sizes\":[1,2]},\"size\":3}"}}`},
		{"directive", `mutation { put(n: 1) @once(key: "k") { box { id } } }`, ``, `{"put":{"box":{"id":"k"}}}`},
		{"escaping", `query($i: BoxInput) { box(in: $i) { id } }`, `{"i":{"colour":"RED","note":"é\u0001\"\\"}}`,
			`{"box":{"id":"{\"in\":{\"colour\":\"RED\",\"flag\":true,\"note\":\"é\\u0001\\\"\\\\\"},\"size\":3}"}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _, _ := execute(t, c.text, c.vars)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestErrorsSayWhere(t *testing.T) {
	_, res, _ := execute(t, "{\n  list\n  two: broken { id } }", "")
	want := []*Error{{Message: "no box", Locations: []Location{{Line: 3, Column: 3}}, Path: []any{"two"}, Extensions: Map{"code": "BROKEN"}}}
	if diff := cmp.Diff(want, res.Errors); diff != "" {
		t.Error(diff)
	}
}

func TestVariablesAreChecked(t *testing.T) {
	const text = `query($i: BoxInput!) { box(in: $i) { id } }`
	for _, c := range []struct{ vars, want string }{
		{`{"i":{"colour":"GREEN"}}`, `Variable $i of type BoxInput! was provided invalid value for colour (Expected "GREEN" to be one of: RED, BLUE)`},
		{`{"i":{"colour":"RED","deep":{}}}`, `Variable $i of type BoxInput! was provided invalid value for deep.colour (Expected value to not be null)`},
		{`{"i":{"colour":"RED","sizes":[1,"x"]}}`, `Variable $i of type BoxInput! was provided invalid value for sizes.1 (Could not coerce value "x" to Int)`},
		{`{"i":{"colour":"RED","sizes":[1.5]}}`, `Variable $i of type BoxInput! was provided invalid value for sizes.0 (Could not coerce value 1.5 to Int)`},
		{`{"i":{"colour":"RED","width":1}}`, `Variable $i of type BoxInput! was provided invalid value for width (Field is not defined on BoxInput)`},
		{`{"i":7}`, `Variable $i of type BoxInput! was provided invalid value`},
		{`{}`, `Variable $i of type BoxInput! was provided invalid value`},
	} {
		if got, _, _ := execute(t, text, c.vars); got != c.want {
			t.Errorf("%s: %s, want %s", c.vars, got, c.want)
		}
	}
}

func TestCost(t *testing.T) {
	for _, c := range []struct {
		text             string
		requested, spent int
	}{
		{`{ list }`, 0, 0},
		{`{ maybe { id inner { id } } }`, 2, 2},
		{`{ boxes(first: 3) { nodes { id inner { id } } pageInfo { hasNextPage } } }`, 2 + 3*2, 2 + 3*2},
		{`{ boxes(first: 2) { edges { node { boxes(first: 4) { nodes { id } } } } } }`, 2 + 2*(1+2+4), 2 + 2*(1+2+4)},
		{`{ thing { id ... on Box { inner { id } } } }`, 2, 2},
		{`mutation { put(n: 1) @once(key: "k") { box { id inner { id } } boxes(first: 9) { nodes { id } } } }`, 10 + 2 + 9, 10 + 2 + 1},
		{`mutation { a: put(n: 1) @once(key: "k") { box { id } } b: put(n: 1) @once(key: "l") { box { id } } }`, 20, 20},
	} {
		_, res, op := execute(t, c.text, "")
		if op == nil {
			t.Fatalf("%s: %v", c.text, res.Errors[0])
		}
		if op.Cost() != c.requested || res.Cost != c.spent {
			t.Errorf("%s: costs %d and spent %d, want %d and %d", c.text, op.Cost(), res.Cost, c.requested, c.spent)
		}
	}
}

func TestLongListIsFound(t *testing.T) {
	_, _, op := execute(t, `query($s: [Int!]) { a: box(in: {colour: RED, deep: {colour: RED, sizes: $s}}) { id } }`, `{"s":[1,2,3]}`)
	if path, n := op.LongList(3); n != 0 {
		t.Errorf("a list of 3 is over 3: %v", path)
	}
	path, n := op.LongList(2)
	if diff := cmp.Diff([]any{"a", "in", "deep", "sizes"}, path); diff != "" || n != 3 {
		t.Errorf("%d elements at %s", n, diff)
	}
}
