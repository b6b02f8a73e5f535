package tidy

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/spillway/spillway/"
	// maxFunction keeps a function on one screen, so that it can be held in the head.
	maxFunction = 70
	// maxTest allows for a table of cases above the code that runs them.
	maxTest = 100
)

// arrows says which of our packages each part may import; tests may import more. The longest matching prefix rules.
var arrows = map[string][]string{
	"kit":                  {"kit"},
	"domain":               {"kit", "domain"},
	"connector/driver":     {"kit", "domain"},
	"connector":            {"kit", "domain", "connector"},
	"connector/all":        {"kit", "connector"},
	"connector/drivertest": {"kit", "domain", "connector", "internal"},
	"sim":                  {"kit", "sim"},
	"store":                {"kit", "domain", "store", "internal"},
	"stream":               {"kit", "store", "stream"},
	"notify":               {"kit"},
	"label":                {"kit"},
	"job":                  {"kit", "domain", "store"},
	"ops/view":             {"kit"},
	"ops":                  {"kit", "domain", "connector", "store", "job", "notify", "label", "ops", "internal/gather"},
	"api":                  {"kit", "ops"},
	"web":                  {"kit", "ops/view", "web"},
	"app":                  {"kit", "domain", "connector", "sim", "store", "stream", "job", "notify", "ops", "api", "web", "app", "internal"},
	"cmd":                  {"kit", "domain", "connector", "sim", "store", "ops", "app", "internal"},
	"internal/gather":      {"kit"},
	"internal/worlds":      {"kit", "domain", "internal/worlds"},
	"internal":             {"kit", "domain", "connector", "sim", "store", "ops", "app", "internal"},
	"e2e":                  {"kit", "domain", "connector", "sim", "store", "ops", "app", "internal", "e2e"},
}

// pure packages do no I/O and read no clock: time, chance and the outside are handed in.
var bannedImports = map[string][]string{
	"domain": {"database/sql", "net", "net/http", "os", "log", "log/slog", "math/rand", "math/rand/v2", "crypto/rand", "context", "sync"},
}

var bannedCalls = map[string][]string{
	"domain": {"time.Now", "time.Since", "time.Until", "time.After", "time.Sleep", "time.NewTimer", "time.Tick"},
	"store":  {"time.Sleep"},
	"ops":    {"time.Sleep", "time.Now", "time.Since"},
	"web":    {"time.Sleep"},
	"api":    {"time.Sleep", "time.Now", "time.Since"},
}

// longFunctions lists the functions over the limit that are easier to read whole, each with its reason.
var longFunctions = map[string]string{}

// vendors are the words core code must not say: what a vendor needs becomes a capability or a setting of its driver.
var vendors = regexp.MustCompile(`(?i)tiktok|shopify|amazon`)

// core is the code that never names a vendor.
var core = []string{"kit", "domain", "store", "job", "ops", "api", "connector/driver"}

type source struct {
	path string // slash-separated, from the root
	dir  string
	test bool
	gen  bool
	fset *token.FileSet
	file *ast.File
}

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, text, parser.ParseComments)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		out = append(out, source{
			path: rel, dir: filepath.ToSlash(filepath.Dir(rel)), test: strings.HasSuffix(rel, "_test.go"),
			gen: bytes.Contains(text[:min(len(text), 200)], []byte("DO NOT EDIT")), fset: fset, file: f,
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("only %d Go files found: the rules were not applied to the project", len(out))
	}
	return out
}

// rule returns the entry of m with the longest prefix of dir.
func rule[V any](m map[string]V, dir string) (V, bool) {
	for d := dir; d != "."; d = filepath.ToSlash(filepath.Dir(d)) {
		if v, ok := m[d]; ok {
			return v, true
		}
	}
	var none V
	return none, false
}

func imports(s source, path string) bool {
	return slices.ContainsFunc(s.file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == strconv.Quote(path) })
}

func under(path string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") })
}

func TestArrowsPointDown(t *testing.T) {
	for _, s := range sources(t) {
		allowed, ok := rule(arrows, s.dir)
		if !ok && s.dir != "tools" && !strings.HasPrefix(s.dir, "tools/") {
			t.Errorf("%s: no import rule for %s; give the new part its place in arrows", s.path, s.dir)
		}
		for _, imp := range s.file.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			if ours, isOurs := strings.CutPrefix(path, module); isOurs {
				if sim, conn := strings.HasPrefix(s.dir, "sim"), strings.HasPrefix(ours, "connector"); sim && conn {
					t.Errorf("%s imports %s: a simulator never imports what it tests", s.path, ours)
				}
				if !s.test && ours != s.dir && !under(ours, allowed) {
					t.Errorf("%s imports %s; %s may import only %v", s.path, ours, s.dir, allowed)
				}
				continue
			}
			if banned, _ := rule(bannedImports, s.dir); !s.test && slices.Contains(banned, path) {
				t.Errorf("%s imports %s, banned there: rules are pure", s.path, path)
			}
			if path == "database/sql" && !under(s.dir, []string{"store", "internal", "e2e", "app/bench"}) {
				t.Errorf("%s imports database/sql: SQL lives in store, and in what it is measured against", s.path)
			}
		}
	}
}

func TestBannedCalls(t *testing.T) {
	for _, s := range sources(t) {
		banned, _ := rule(bannedCalls, s.dir)
		if s.test {
			banned = []string{"time.Sleep"}
			if imports(s, "testing/synctest") {
				banned = nil // in a bubble a sleep takes no time and is exact
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(banned, x.Name+"."+sel.Sel.Name) {
					t.Errorf("%s: %s.%s: hand the time in", s.fset.Position(n.Pos()), x.Name, sel.Sel.Name)
				}
			}
			return true
		})
	}
}

// Rules are computed by one goroutine with nothing shared, so the race detector has nothing to look for in their own tests, and .ci/run leaves those out.
func TestRulesRunAlone(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || !under(s.dir, []string{"domain"}) {
			continue
		}
		for _, path := range []string{"sync", "sync/atomic"} {
			if imports(s, path) {
				t.Errorf("%s imports %s: rules share nothing", s.path, path)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.GoStmt, *ast.ChanType:
				t.Errorf("%s: goroutines and channels belong to whoever calls a rule", s.fset.Position(n.Pos()))
			}
			return true
		})
	}
}

func TestFunctionsFitOneScreen(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sources(t) {
		if s.gen {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			lines := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1
			key := s.dir + "." + f.Name.Name
			limit := maxFunction
			if s.test || strings.Contains(s.dir, "test") {
				limit = maxTest
			}
			if lines > limit && longFunctions[key] == "" {
				t.Errorf("%s: %s has %d lines, the limit is %d", s.fset.Position(f.Pos()), f.Name.Name, lines, limit)
			}
			seen[key] = seen[key] || lines > maxFunction
		}
	}
	for key := range longFunctions {
		if !seen[key] {
			t.Errorf("%s is no longer long: take it off the list", key)
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	docs, dirs := map[string]bool{}, map[string]bool{}
	for _, s := range sources(t) {
		if s.test || s.gen {
			continue
		}
		dirs[s.dir] = true
		docs[s.dir] = docs[s.dir] || (s.file.Doc != nil && len(s.file.Doc.Text()) > 40)
	}
	for dir := range dirs {
		if !docs[dir] {
			t.Errorf("%s has no package comment that says what it is for", dir)
		}
	}
}

func TestCoreNeverNamesAVendor(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.gen || !under(s.dir, core) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			var word string
			switch n := n.(type) {
			case *ast.Ident:
				word = n.Name
			case *ast.BasicLit:
				word = n.Value
			}
			if vendors.MatchString(word) {
				t.Errorf("%s: %s names a vendor; make it a capability or a setting of the driver", s.fset.Position(n.Pos()), word)
			}
			return true
		})
	}
}

var link = regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)

func TestDocumentLinksLeadSomewhere(t *testing.T) {
	var n int
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".md") {
			return nil
		}
		n++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range link.FindAllSubmatch(text, -1) {
			to := string(m[1])
			if strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), to)); err != nil {
				t.Errorf("%s links to %s, which is not there", path, to)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		t.Fatal("no documents found")
	}
}

var requirement = regexp.MustCompile(`(?m)^\t(\S+) v\S+$`)

// TestDependenciesAreReviewed compares go.mod's direct requirements with dependencies.txt, one line each with its reason.
func TestDependenciesAreReviewed(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile("dependencies.txt")
	if err != nil {
		t.Fatal(err)
	}
	reviewed := map[string]bool{}
	for line := range strings.Lines(string(list)) {
		if name, why, ok := strings.Cut(strings.TrimSpace(line), " "); ok && len(why) > 10 {
			reviewed[name] = true
		}
	}
	for _, m := range requirement.FindAllSubmatch(mod, -1) {
		name := string(m[1])
		if !reviewed[name] {
			t.Errorf("%s is in go.mod and not in dependencies.txt: add it with its reason", name)
		}
		delete(reviewed, name)
	}
	for name := range reviewed {
		t.Errorf("%s is in dependencies.txt and no longer in go.mod", name)
	}
}
