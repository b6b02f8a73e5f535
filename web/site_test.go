package web_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/internal/htmlcheck"
	"github.com/spillway/spillway/web"
	"github.com/spillway/spillway/web/storybook"
)

var (
	_ web.Backend = (*storybook.Book)(nil)
)

// visitor is a browser without script: cookies, forms and links.
type visitor struct {
	t    *testing.T
	url  string
	http *http.Client
}

// serve starts a site and a visitor who has not signed in.
func serve(t *testing.T, book *storybook.Book, o web.Options) *visitor {
	t.Helper()
	if o.Now == nil {
		o.Now = screenTime
	}
	site := web.New(book, o)
	srv := httptest.NewServer(site)
	t.Cleanup(srv.Close)
	t.Cleanup(site.Close)
	v := &visitor{t: t, url: srv.URL}
	v.renew()
	return v
}

// renew makes the visitor a stranger again.
func (v *visitor) renew() {
	jar, err := cookiejar.New(nil)
	if err != nil {
		v.t.Fatal(err)
	}
	v.http = &http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// demo is a visitor of the busy shop who is signed in.
func demo(t *testing.T) (*visitor, *storybook.Book) {
	book := storybook.New(screenTime)
	return serve(t, book, web.Options{DemoUser: demoUser}), book
}

func (v *visitor) send(method, path string, form url.Values, header ...string) (*http.Response, string) {
	v.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.url+path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := v.http.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return res, string(b)
}

// get reads a page that must be there.
func (v *visitor) get(path string) *htmlcheck.Node {
	v.t.Helper()
	res, body := v.send("GET", path, nil)
	if res.StatusCode != http.StatusOK {
		v.t.Fatalf("GET %s: %d, want 200: %.300s", path, res.StatusCode, body)
	}
	return htmlcheck.Must(v.t, body)
}

// post sends a form and wants a status.
func (v *visitor) post(path string, want int, pairs ...string) (*http.Response, *htmlcheck.Node) {
	v.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	res, body := v.send("POST", path, form)
	if res.StatusCode != want {
		v.t.Fatalf("POST %s: %d, want %d: %.400s", path, res.StatusCode, want, htmlcheck.Must(v.t, body).Text())
	}
	return res, htmlcheck.Must(v.t, body)
}

// routes reads the map of the site from its source, so that an address added later is tested without being listed here.
func routes(t *testing.T) map[string][]string {
	t.Helper()
	src, err := os.ReadFile("site.go")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, m := range regexp.MustCompile(`s\.(page|private|public)\(m, "(GET|POST) ([^"]+)"`).FindAllStringSubmatch(string(src), -1) {
		path := strings.NewReplacer("{$}", "", "{id}", "x", "{vendor}", "clip", "{figure}", "oversold", "{metric}", "ldr").Replace(m[3])
		out[m[1]] = append(out[m[1]], m[2]+" "+path)
	}
	if len(out["page"]) < 8 || len(out["private"]) < 8 {
		t.Fatalf("the map of the site was not understood: %v", out)
	}
	return out
}

func TestNoPageWithoutASession(t *testing.T) {
	v := serve(t, storybook.New(screenTime), web.Options{})
	all := routes(t)
	for _, r := range append(all["page"], all["private"]...) {
		method, path, _ := strings.Cut(r, " ")
		res, body := v.send(method, path, map[bool]url.Values{true: {}}[method == "POST"])
		if method == "GET" && (res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/login")) {
			t.Errorf("%s without a session: %d to %q, want 303 to /login", r, res.StatusCode, res.Header.Get("Location"))
		}
		if method == "POST" && res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without a session: %d, want 401", r, res.StatusCode)
		}
		if len(res.Cookies()) > 0 {
			t.Errorf("%s gives a stranger a session", r)
		}
		if strings.Contains(body, "MUG-01") {
			t.Errorf("%s shows stock to a stranger", r)
		}
		res, _ = v.send("GET", path, nil, "HX-Request", "true")
		if method == "GET" && (res.StatusCode != http.StatusUnauthorized || res.Header.Get("HX-Redirect") != "/login") {
			t.Errorf("%s as a fragment without a session: %d, want 401 and a way to sign in", r, res.StatusCode)
		}
	}
	if res, _ := v.send("GET", "/?live=1", nil); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the stream without a session: %d, want 303", res.StatusCode)
	}
}

func TestCrossOriginWritesAreRefused(t *testing.T) {
	v, _ := demo(t)
	v.get("/")
	all := routes(t)
	for _, r := range append(append(all["page"], all["private"]...), all["public"]...) {
		method, path, _ := strings.Cut(r, " ")
		if method != "POST" {
			continue
		}
		for _, from := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://elsewhere.example"}} {
			if res, _ := v.send(method, path, url.Values{"step": {"do"}}, from...); res.StatusCode != http.StatusForbidden {
				t.Errorf("%s with %v: %d, want 403", r, from, res.StatusCode)
			}
		}
	}
	if n := len(v.get("/problems").All("tbody tr")); n != 2 {
		t.Errorf("a refused retry left %d parked messages, want 2", n)
	}
}

// everyPage are addresses of pages in all their states.
func everyPage() []string {
	var out []string
	for _, p := range pagesToSee {
		out = append(out, p.path)
	}
	return append(out, "/explain/oversold", "/explain/promise:MUG-01", "/search", "/orders?state=late&q=zzz", "/items?q=zzz", "/orders?after=clip-north:577180003000")
}

func TestHeadersAndNoInlineScript(t *testing.T) {
	v, _ := demo(t)
	for _, path := range append(everyPage(), "/login", "/assets/none") {
		res, body := v.send("GET", path, nil)
		wanted := map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
		buyers := strings.HasPrefix(path, "/track/") // outside the sign-in: its address is the secret, and the carrier's own page is what buyers go on to
		if buyers {
			wanted["Referrer-Policy"] = "no-referrer"
			if res.StatusCode == http.StatusOK {
				wanted["Cache-Control"] = "private, max-age=120"
			}
		}
		for name, want := range wanted {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		csp := res.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(strings.ReplaceAll(csp, floorExtra(path), ""), "unsafe") {
			t.Errorf("%s: the content policy is %q", path, csp)
		}
		if res.Header.Get("Content-Type") != "text/html; charset=utf-8" || buyers && res.StatusCode == http.StatusOK {
			continue
		}
		inline(t, path, htmlcheck.Must(t, body))
	}
}

// floorExtra is what the stations may do besides: compile the reader of barcodes.
func floorExtra(path string) string {
	if strings.HasPrefix(path, "/floor/") {
		return " 'wasm-unsafe-eval'"
	}
	return "nothing"
}

// inline finds what the content policy would block or what would leave the machine.
func inline(t *testing.T, path string, n *htmlcheck.Node) {
	t.Helper()
	for _, e := range n.All("*") {
		if e.Tag == "script" && e.Attr["src"] == "" || e.Tag == "style" {
			t.Errorf("%s: an inline <%s>", path, e.Tag)
		}
		for name, val := range e.Attr {
			if name == "style" || strings.HasPrefix(name, "on") || strings.HasPrefix(name, "hx-on") {
				t.Errorf("%s: <%s> has %s=%q", path, e.Tag, name, val)
			}
			if (name == "src" || name == "href") && strings.Contains(val, "//") {
				t.Errorf("%s: <%s> leads away to %q", path, e.Tag, val)
			}
		}
	}
	ids := map[string]bool{}
	for _, e := range n.All("[id]") {
		if ids[e.Attr["id"]] {
			t.Errorf("%s: two elements have the id %s", path, e.Attr["id"])
		}
		ids[e.Attr["id"]] = true
	}
}

func TestLinksLeadSomewhere(t *testing.T) {
	v, _ := demo(t)
	seen, broken := map[string]bool{}, 0
	var visit func(path, from string, depth int)
	visit = func(path, from string, depth int) {
		path, _, _ = strings.Cut(path, "#")
		if path == "" || seen[path] || len(seen) > 300 {
			return
		}
		seen[path] = true
		res, body := v.send("GET", path, nil)
		if res.StatusCode != http.StatusOK {
			broken++
			t.Errorf("%s leads to %s: %d", from, path, res.StatusCode)
			return
		}
		if depth == 0 || res.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			return
		}
		for _, a := range htmlcheck.Must(t, body).All("a[href]") {
			if a.Attr["href"][0] == '/' {
				visit(a.Attr["href"], path, depth-1)
			}
		}
	}
	visit("/", "the start", 3)
	if len(seen) < 80 {
		t.Errorf("only %d addresses were found", len(seen))
	}
}

func TestErrorsArePages(t *testing.T) {
	v, book := demo(t)
	for path, want := range map[string]int{
		"/nowhere": 404, "/items/NONE": 404, "/orders/none": 404, "/orders?state=odd": 422, "/items/MUG-01?at=yesterday": 422, "/items/MUG-01?before=-4": 422, "/explain/none": 404, "/vendors/none/app": 404,
	} {
		res, body := v.send("GET", path, nil)
		n := htmlcheck.Must(t, body)
		if res.StatusCode != want || len(n.All(".trouble h1")) != 1 || len(n.All(".trouble a.button")) != 1 {
			t.Errorf("%s: %d, want %d with a headline and a next step: %s", path, res.StatusCode, want, n.Text())
		}
	}
	book.Fail(io.ErrUnexpectedEOF)
	res, body := v.send("GET", "/", nil)
	if res.StatusCode != 500 || strings.Contains(body, "unexpected EOF") {
		t.Errorf("a failing backend: %d, want 500 without the cause: %.200s", res.StatusCode, body)
	}
	book.Fail(nil)
	if res, _ := v.send("PUT", "/items", nil); res.StatusCode != http.StatusNotFound && res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("PUT /items: %d", res.StatusCode)
	}
}
