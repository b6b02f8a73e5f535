package web_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/spillway/spillway/web"
	"github.com/spillway/spillway/web/storybook"
)

const demoUser = "mia@nordlicht.example"

// stage is a control room over the storybook with a browser in front of it.
type stage struct {
	book *storybook.Book
	site *web.Site
	url  string
	ctx  context.Context // of the browser
}

// needChromium finds the browser, or says loudly that these tests do not run.
func needChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	if strings.Contains(os.Getenv("SPILLWAY_REQUIRE"), "chromium") {
		t.Fatal("chromium is required (SPILLWAY_REQUIRE) and is not installed")
	}
	t.Skip("SKIPPED: no page was looked at in a browser. Install chromium (Debian: apt-get install chromium) to run this test.")
	return ""
}

// open starts a site over the book, where visitors are signed in, and a browser.
func open(t *testing.T, book *storybook.Book, now func() time.Time) *stage {
	t.Helper()
	return openAs(t, book, web.Options{Now: now, DemoUser: demoUser, Version: "0.1.0"})
}

// openAs starts a site over the book and a browser with a profile of its own.
func openAs(t *testing.T, book *storybook.Book, o web.Options, flags ...chromedp.ExecAllocatorOption) *stage {
	t.Helper()
	return openBehind(t, book, o, func(site http.Handler) http.Handler { return site }, flags...)
}

// openBehind starts a site over the book and a browser, with something of the test's between the two.
func openBehind(t *testing.T, book *storybook.Book, o web.Options, between func(http.Handler) http.Handler, flags ...chromedp.ExecAllocatorOption) *stage {
	t.Helper()
	path := needChromium(t)
	o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	site := web.New(book, o)
	srv := httptest.NewServer(between(site))
	t.Cleanup(srv.Close)
	t.Cleanup(site.Close)
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(time.Minute))
	opts = append(opts, flags...)
	alloc, stop := chromedp.NewExecAllocator(t.Context(), opts...)
	ctx, end := chromedp.NewContext(alloc)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx); end(); stop() })
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("the browser did not start: %v", err)
	}
	return &stage{book: book, site: site, url: srv.URL, ctx: ctx}
}

// step is how long one action in the browser may take on a busy machine.
const step = 30 * time.Second

func (s *stage) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, step)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func ask[T any](t *testing.T, s *stage, a chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, step)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// until waits for a condition, on this page or the one that comes after it. It looks by the clock: a browser that has nothing to draw
// draws no frames, and would not look.
func (s *stage) until(t *testing.T, js string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, step)
	defer cancel()
	for {
		_, err := chromedp.Run(ctx, chromedp.Poll[bool]("!!("+js+")", chromedp.WithPollingInterval(50*time.Millisecond)))
		if err == nil {
			return
		}
		if ctx.Err() == nil && (strings.Contains(err.Error(), "navigated") || strings.Contains(err.Error(), "context with specified id")) {
			continue // the page left while it was asked; ask the next one
		}
		text, _ := chromedp.Run(s.ctx, chromedp.Evaluate[string](whatIsThere))
		t.Fatalf("waiting for %s: %v\n%s", js, err, text)
	}
}

// whatIsThere says what a page shows, and what of it came: a script that did not leaves it dead.
const whatIsThere = `location.href + ' ' + document.readyState + ', ' + performance.getEntriesByType('resource').map(e => e.name.split('/').pop() + ' ' + e.responseStatus + ' after ' +
	Math.round(e.duration) + ' ms').join(', ') + '\n' + document.body.innerText.slice(0, 1500)`

// look sets the size and theme of the window.
func (s *stage) look(t *testing.T, width int64, theme string) {
	t.Helper()
	height := int64(900)
	if width < 700 {
		height = 740
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}}
	s.do(t, chromedp.EmulateViewport(width, height), func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media)
		return chromedp.Void{}, err
	})
}
