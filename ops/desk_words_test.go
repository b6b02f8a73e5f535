package ops

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/store"
)

// Whatever the program appends about an order is shown in its timeline, so it needs words there: the name of the kind alone is none.
func TestEveryEventOfAnOrderHasWords(t *testing.T) {
	kind := regexp.MustCompile(`^(order|parcel)\.[a-z_]+$`)
	found := map[string]string{}
	for _, dir := range []string{".", "../domain/order"} {
		files, err := fs.Glob(os.DirFS(dir), "*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), dir+"/"+name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if s, err := strconv.Unquote(lit.Value); err == nil && kind.MatchString(s) {
						found[s] = dir + "/" + name
					}
				}
				return true
			})
		}
	}
	for _, known := range []string{EventUnrouted, EventRouted, EventRetried, EventSettled, EventRenumbered, EventCombined, EventTakenOut, EventUnmapped, string(order.EventSeen), string(order.EventReady)} {
		if found[known] == "" {
			t.Errorf("%s is not found in the sources: the test looks in the wrong place", known)
		}
	}
	o := order.Order{ID: "a:1", ConnectionID: "a"}
	for k, where := range found {
		e := entryOf(store.Event{Kind: k, Subject: o.ID, Data: []byte(`{"why":"no node has it","by":"lena","said":"lost","from":"1","to":"2","text":"x"}`)}, &o, channels{})
		if e.Text == "" || e.Text == strings.ReplaceAll(k, ".", " ") || strings.Contains(e.Kind, "_") {
			t.Errorf("%s of %s has no words in an order's timeline: %q %q", k, where, e.Kind, e.Text)
		}
	}
}
