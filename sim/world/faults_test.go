package world

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/kit/errs"
)

func TestRulesAreChecked(t *testing.T) {
	f := NewFaults(1)
	for name, r := range map[string]Rule{
		"no point":       {Kind: Delay},
		"unknown kind":   {Point: "*", Kind: "explode"},
		"probability":    {Point: "*", Kind: Drop, Probability: 1.5},
		"negative count": {Point: "*", Kind: Drop, Remaining: -1},
		"negative delay": {Point: "*", Kind: Drop, Delay: -1},
	} {
		if _, err := f.Add(r); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: got %v, want an invalid error", name, err)
		}
	}
	if _, err := f.Add(Rule{ID: "x", Point: "*", Kind: Drop}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Add(Rule{ID: "x", Point: "*", Kind: Drop}); !errs.Is(err, errs.Conflict) {
		t.Errorf("same id: got %v, want a conflict", err)
	}
	if !f.Remove("x") || f.Remove("x") || len(f.List()) != 0 {
		t.Error("removal does not remove once")
	}
}

func TestDrawIsDeterministicAndCounts(t *testing.T) {
	draw := func() (hits []int) {
		f := NewFaults(7)
		if _, err := f.Add(Rule{Point: "GET /a/*", Kind: Throttle, Probability: 0.3, Remaining: 5}); err != nil {
			t.Fatal(err)
		}
		for i := range 200 {
			if _, ok := f.Draw("POST /a/b"); ok {
				t.Fatal("struck elsewhere")
			}
			if _, ok := f.Draw("GET /a/b/c", Drop); ok {
				t.Fatal("struck with a kind that was not asked for")
			}
			if _, ok := f.Draw("GET /a/b/c"); ok {
				hits = append(hits, i)
			}
		}
		if len(f.List()) != 0 {
			t.Errorf("a used-up rule is left: %v", f.List())
		}
		return hits
	}
	a := draw()
	if len(a) != 5 {
		t.Errorf("struck %d times, want 5", len(a))
	}
	if d := cmp.Diff(a, draw()); d != "" {
		t.Errorf("the same seed drew differently: %s", d)
	}
}

func TestRuleSurvivesJSON(t *testing.T) {
	want := Rule{ID: "a", Point: "*", Kind: Delay, Probability: 0.5, Remaining: 3, Delay: Duration(1500 * time.Millisecond)}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), `"delay":"1.5s"`) {
		t.Errorf("the delay is not readable: %s", b)
	}
	var got Rule
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Within one path segment our patterns are those of path.Match, an independent implementation.
func TestGlobAgreesWithPathMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*]{0,8}`).Draw(t, "pattern")
		text := rapid.StringMatching(`[ab]{0,10}`).Draw(t, "text")
		want, err := path.Match(pattern, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := Glob(pattern, text); got != want {
			t.Fatalf("Glob(%q, %q) = %v", pattern, text, got)
		}
	})
	if !Glob("POST /p/*/update", "POST /p/1/2/update") || !Glob("*", "") {
		t.Error("a star must stand for anything, slashes and nothing included")
	}
}

func TestIntercept(t *testing.T) {
	f := NewFaults(1)
	var done atomic.Int64
	answer := func(w http.ResponseWriter, _ *http.Request, k Kind) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, string(k))
	}
	work := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		done.Add(1)
		if rule, ok := FaultFrom(r.Context()); ok {
			_, _ = io.WriteString(w, "with "+string(rule.Kind))
		}
	})
	srv := httptest.NewUnstartedServer(f.Intercept(Wall(), func(r *http.Request) string { return r.Method + " " + r.URL.Path }, answer, work))
	srv.Config.ErrorLog = nil
	srv.Start()
	defer srv.Close()
	for _, c := range []struct {
		kind   Kind
		status int // 0: the connection is cut
		body   string
		done   int64
	}{
		{Throttle, 418, "throttle", 0}, {Unavailable, 418, "unavailable", 0}, {Internal, 418, "internal", 0},
		{TokenExpired, 418, "token_expired", 0}, {LostRequest, 0, "", 0}, {LostReply, 0, "", 1},
		{Delay, 200, "", 1}, {Partial, 200, "with partial", 1}, {LateEffect, 200, "with late_effect", 1},
	} {
		done.Store(0)
		if _, err := f.Add(Rule{Point: "POST /x", Kind: c.kind, Remaining: 1, Delay: Duration(time.Millisecond)}); err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post(srv.URL+"/x", "text/plain", strings.NewReader("hello"))
		switch {
		case c.status == 0 && err == nil:
			t.Errorf("%s: answered %s", c.kind, resp.Status)
		case c.status != 0 && err != nil:
			t.Errorf("%s: %v", c.kind, err)
		case c.status != 0:
			b, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != c.status || string(b) != c.body {
				t.Errorf("%s: %d %q", c.kind, resp.StatusCode, b)
			}
		}
		if err == nil {
			_ = resp.Body.Close()
		}
		if n := done.Load(); n != c.done {
			t.Errorf("%s: the work was done %d times, want %d", c.kind, n, c.done)
		}
	}
}
