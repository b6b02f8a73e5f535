package web_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/web"
	"github.com/spillway/spillway/web/storybook"
)

// watched notes whether pages were asked for by somebody who has just written.
type watched struct {
	*storybook.Book
	fresh []bool
}

func (w *watched) Orders(ctx context.Context, f view.OrderFilter) (view.OrderList, error) {
	w.fresh = append(w.fresh, view.IsFresh(ctx))
	return w.Book.Orders(ctx, f)
}

func TestABrowserThatHasWrittenIsShownTheDatabaseItself(t *testing.T) {
	book := &watched{Book: storybook.New(screenTime)}
	site := web.New(book, web.Options{Now: screenTime, DemoUser: "demo@example.com"})
	t.Cleanup(site.Close)
	srv := httptest.NewServer(site)
	t.Cleanup(srv.Close)
	jar := map[string]*http.Cookie{}
	ask := func(method, path string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range jar {
			r.AddCookie(c)
		}
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			t.Fatal(err)
		}
		for _, c := range answer.Cookies() {
			jar[c.Name] = c
		}
	}
	ask(http.MethodGet, "/orders")
	ask(http.MethodPost, "/undo")
	ask(http.MethodGet, "/orders")
	if len(book.fresh) != 2 || book.fresh[0] || !book.fresh[1] {
		t.Errorf("marked as fresh: %v, want before and after the write: [false true]", book.fresh)
	}
	c := jar["spillway_wrote"]
	if c == nil || !c.HttpOnly || c.MaxAge <= 0 || c.MaxAge > 60 || c.Path != "/" {
		t.Errorf("the cookie is %+v", c)
	}
	delete(jar, "spillway_wrote") // as a browser does when it is over
	ask(http.MethodGet, "/orders")
	if book.fresh[2] {
		t.Error("still fresh")
	}
}
