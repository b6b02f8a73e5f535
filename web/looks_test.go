package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/spillway/spillway/web"
	"github.com/spillway/spillway/web/storybook"
)

// axeFinding is what the accessibility checker says of a page.
type axeFinding struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// TestAccessible runs axe-core over every page in each look and accepts no serious finding, nor a page that has to be scrolled sideways.
func TestAccessible(t *testing.T) {
	shortSkips(t)
	axe, err := os.ReadFile("testdata/axe/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, storybook.New(screenTime), screenTime)
	for _, look := range []struct {
		width int64
		theme string
		rules string // all of them once; then what another width or theme can change
	}{
		{1440, "light", "{resultTypes: ['violations']}"},
		{360, "light", "{runOnly: ['color-contrast', 'target-size', 'scrollable-region-focusable', 'link-name', 'button-name', 'label', 'empty-heading', 'aria-hidden-focus']}"},
		{1440, "dark", "{runOnly: ['color-contrast', 'link-in-text-block']}"},
	} {
		s.look(t, look.width, look.theme)
		for _, p := range pagesToSee {
			t.Run(fmt.Sprintf("%s %d %s", p.name, look.width, look.theme), func(t *testing.T) {
				s.visit(t, p.name, p.path, p.js)
				ask(t, s, chromedp.Evaluate[any](string(axe)+"; null"))
				found := ask(t, s, chromedp.Evaluate[string]("axe.run(document, "+look.rules+").then(r => JSON.stringify(r.violations))", chromedp.EvalAwaitPromise))
				judge(t, found)
				s.fits(t, look.width)
				if look.theme == "light" && look.width > 1000 {
					for _, width := range between {
						s.do(t, chromedp.EmulateViewport(width, 900))
						s.fits(t, width)
					}
					s.do(t, chromedp.EmulateViewport(look.width, 900))
				}
			})
		}
	}
}

// between are widths of windows between a phone's and a desk's: large phones, tablets either way up, half a screen, small laptops.
var between = []int64{414, 600, 768, 901, 1024, 1180, 1280, 1366}

// fits asserts that the page need not be scrolled sideways.
func (s *stage) fits(t *testing.T, width int64) {
	t.Helper()
	wide := ask(t, s, chromedp.Evaluate[int64]("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
	if wide > 0 {
		t.Errorf("the page is %d px wider than a window of %d", wide, width)
	}
}

// shortSkips leaves out what looks at every page in turn, one page at a time: with -short, which the race detector runs with, nothing is found by it.
func shortSkips(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED with -short: run it without to look at every page.")
	}
}

func judge(t *testing.T, found string) {
	t.Helper()
	var fs []axeFinding
	if err := json.Unmarshal([]byte(found), &fs); err != nil {
		t.Fatal(err)
	}
	for _, f := range fs {
		say := t.Logf
		if f.Impact == "serious" || f.Impact == "critical" {
			say = t.Errorf
		}
		say("%s: %s (%s), %d times", f.Impact, f.Help, f.ID, len(f.Nodes))
		for _, n := range f.Nodes[:min(3, len(f.Nodes))] {
			say("    %s\n      %s", n.HTML, n.Summary)
		}
	}
}

// TestASlowLineLeavesNoPageDead lets the first script through and holds back the others until it has had its turn.
func TestASlowLineLeavesNoPageDead(t *testing.T) {
	var held atomic.Int64
	ran := make(chan struct{})
	s := openBehind(t, storybook.New(screenTime), web.Options{Now: screenTime, DemoUser: demoUser}, func(site http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if path.Ext(r.URL.Path) == ".js" && !strings.HasPrefix(r.URL.Path, "/assets/htmx") {
				held.Add(1)
				select {
				case <-ran:
				case <-r.Context().Done():
				}
			}
			site.ServeHTTP(w, r)
		})
	})
	ctx, cancel := context.WithTimeout(s.ctx, step)
	defer cancel()
	arrived := make(chan error, 1)
	go func() { arrived <- chromedp.Do(ctx, chromedp.Navigate(s.url+"/")) }()
	s.until(t, "window.htmx && (window.asked ||= setTimeout(() => window.turned = true)) && window.turned") // htmx looks at the page in a task of its own
	if held.Load() == 0 {
		t.Fatal("no script was held back")
	}
	close(ran)
	if err := <-arrived; err != nil {
		t.Fatal(err)
	}
	s.until(t, "document.querySelector('#wire').dataset.state === 'live'")
}

// TestLiveInTheBrowser watches a sale arrive, the rows keep still under the pointer, and a lost stream being owned up to.
func TestLiveInTheBrowser(t *testing.T) {
	book := storybook.New(screenTime)
	s := open(t, book, screenTime)
	s.look(t, 1440, "light")
	s.do(t, chromedp.Navigate(s.url+"/"))
	s.until(t, "document.querySelector('#wire')?.dataset.state === 'live'")
	ask(t, s, chromedp.Evaluate[any](`window.sameDocument = true; window.glowed = false;
		new MutationObserver(() => { window.glowed = true }).observe(document.querySelector('#ov-hot'), {subtree: true, attributeFilter: ['data-js-glow']}); null`))
	available := `document.querySelector('#hot-MUG-01 .open').textContent`
	sell(t, book)
	s.until(t, available+" === '612' && window.sameDocument && window.glowed")

	s.point(t, "#hot-MUG-01")
	sell(t, book)
	s.until(t, "document.querySelector('#ov-hot').hasAttribute('data-js-waiting')")
	if got := ask(t, s, chromedp.Evaluate[string](available)); got != "612" {
		t.Errorf("under the pointer the figure moved to %s", got)
	}
	s.point(t, "#truth-h")
	s.until(t, available+" === '611' && !document.querySelector('#ov-hot').hasAttribute('data-js-waiting')")

	s.site.Close()
	s.until(t, "document.querySelector('#wire').dataset.state === 'stale' && document.querySelector('#wire').innerText.includes('No contact')")
}

func sell(t *testing.T, book *storybook.Book) {
	t.Helper()
	if err := book.Sell("MUG-01", "clip-north", 1); err != nil {
		t.Fatal(err)
	}
}

// point moves the mouse onto an element.
func (s *stage) point(t *testing.T, selector string) {
	t.Helper()
	at := ask(t, s, chromedp.Evaluate[[]float64](fmt.Sprintf(`(e => { e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect(); return [b.x + 20, b.y + b.height / 2] })(document.querySelector(%q))`, selector)))
	s.do(t, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at[0], at[1]))
}

// TestFirstPaint prints how soon a page is seen and wants nothing to move after it.
func TestFirstPaint(t *testing.T) {
	s := open(t, storybook.New(screenTime), screenTime)
	s.look(t, 1440, "light")
	for range 2 { // the second time with the assets in the browser's cache, as it is all day
		for _, path := range []string{"/", "/health", "/items/MUG-01", "/orders"} {
			s.do(t, chromedp.Navigate(s.url+path))
			s.until(t, "document.querySelector('#wire').dataset.state === 'live'")
			s.until(t, "performance.getEntriesByName('first-contentful-paint').length")
			paint := ask(t, s, chromedp.Evaluate[float64]("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
			shift := ask(t, s, chromedp.Evaluate[float64](`new Promise(ok => {
				let sum = 0; const o = new PerformanceObserver(l => { for (const e of l.getEntries()) sum += e.value });
				o.observe({type: 'layout-shift', buffered: true}); requestAnimationFrame(() => requestAnimationFrame(() => ok(sum))) })`, chromedp.EvalAwaitPromise))
			t.Logf("%-16s first paint %4.0f ms, layout shift %.4f", path, paint, shift)
			if shift > 0.02 { // a fifth of what browsers' makers call good; the stream may bring news while the page is young
				t.Errorf("%s moves after it was painted: %.4f", path, shift)
			}
		}
	}
}

// TestQuietConsole wants no complaint of the browser on any page: a blocked style or script would be one.
func TestQuietConsole(t *testing.T) {
	shortSkips(t)
	s := open(t, storybook.New(screenTime), screenTime)
	s.look(t, 1440, "light")
	messages := chromedp.Console(s.ctx)
	for _, p := range pagesToSee {
		if !strings.HasSuffix(p.name, "missing") && !strings.HasSuffix(p.name, "-wrong") { // answers of 404 and 422, which the browser rightly reports as errors
			s.visit(t, p.name, p.path, p.js)
		}
	}
	ask(t, s, chromedp.Evaluate[any]("console.log('the end'); null"))
	for m, err := range messages {
		if err != nil {
			t.Fatal(err)
		}
		if m.Text == "the end" {
			return
		}
		if m.Type != "log" && m.Type != "info" && m.Type != "debug" {
			t.Errorf("%s: %s", m.Type, m.Text)
		}
	}
}
