package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/web"
	"github.com/spillway/spillway/web/storybook"
)

const goodPassword = "four unrelated words here"

func cookie(res *http.Response, name string) *http.Cookie {
	for _, c := range res.Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

func TestFirstUserThenSignInAndOut(t *testing.T) {
	v := serve(t, storybook.Empty(screenTime), web.Options{})
	if res, _ := v.send("GET", "/login", nil); res.Header.Get("Location") != "/setup" {
		t.Fatalf("sign-in before there is a user leads to %q, want /setup", res.Header.Get("Location"))
	}
	v.get("/setup").One(t, "input[name=password][minlength=12]")
	_, n := v.post("/setup", 422, "name", "Mia", "email", "mia@x.example", "password", "short")
	n.Says(t, ".notice.bad", "at least 12 characters")
	_, n = v.post("/setup", 422, "name", "Mia", "email", "mia.long.name@x.example", "password", "MIA.long.name@x.example")
	n.Says(t, ".notice.bad", "must not be the email")

	res, _ := v.post("/setup", 303, "name", "Mia", "email", "Mia@X.example", "password", goodPassword)
	c := cookie(res, "spillway")
	if c == nil || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" {
		t.Fatalf("the session cookie is %v", c)
	}
	v.get("/").Says(t, ".who span", "mia@x.example")

	stranger := *v
	stranger.renew()
	if res, _ := stranger.send("GET", "/setup", nil); res.Header.Get("Location") != "/login" {
		t.Errorf("set-up with a user leads to %q, want /login", res.Header.Get("Location"))
	}
	stranger.post("/setup", 409, "name", "Eve", "email", "eve@x.example", "password", goodPassword)

	v.post("/logout", 303)
	if res, _ := v.send("GET", "/items", nil); res.StatusCode != 303 {
		t.Fatalf("after sign-out a page answers %d", res.StatusCode)
	}
	replay, _ := http.NewRequest("GET", v.url+"/items", nil)
	replay.AddCookie(c)
	if res, err := http.DefaultTransport.RoundTrip(replay); err != nil || res.StatusCode != 303 {
		t.Errorf("the cookie of an ended session still opens pages: %v %v", res, err)
	}

	_, n = v.post("/login", 401, "email", "mia@x.example", "password", "not her password at all")
	n.Says(t, ".notice.bad", "do not belong together")
	before := cookies(v)
	res, _ = v.send("GET", "/orders?state=late", nil)
	next := v.get(res.Header.Get("Location")).One(t, "input[name=next]").Attr["value"]
	res, _ = v.post("/login", 303, "email", " MIA@x.example ", "password", goodPassword, "next", next)
	if res.Header.Get("Location") != "/orders?state=late" {
		t.Errorf("sign-in leads to %q, want back to the late orders", res.Header.Get("Location"))
	}
	if after := cookies(v); after == before || after == "" {
		t.Errorf("the session token was not renewed at sign-in: %q, then %q", before, after)
	}
}

func cookies(v *visitor) string {
	r, _ := http.NewRequest("GET", v.url, nil)
	var out []string
	for _, c := range v.http.Jar.Cookies(r.URL) {
		out = append(out, c.Value)
	}
	return strings.Join(out, ",")
}

func TestUnknownAndWrongLookTheSame(t *testing.T) {
	book := storybook.Empty(screenTime)
	v := serve(t, book, web.Options{})
	v.post("/setup", 303, "name", "Mia", "email", "mia@x.example", "password", goodPassword)
	v.renew()
	_, wrong := v.post("/login", 401, "email", "mia@x.example", "password", "wrong but long enough")
	_, unknown := v.post("/login", 401, "email", "eve@x.example", "password", "wrong but long enough")
	if wrong.One(t, ".notice.bad").Text() != unknown.One(t, ".notice.bad").Text() {
		t.Error("an unknown email is answered differently from a wrong password")
	}
}

func TestSignInIsPaced(t *testing.T) {
	now := screenTime()
	v := serve(t, storybook.Empty(screenTime), web.Options{Now: func() time.Time { return now }})
	v.post("/setup", 303, "name", "Mia", "email", "mia@x.example", "password", goodPassword)
	v.renew()
	refused := 0
	for range 12 {
		res, _ := v.send("POST", "/login", map[string][]string{"email": {"mia@x.example"}, "password": {strings.Repeat("x", 300)}}) // too long to be hashed
		if res.StatusCode == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused != 4 {
		t.Errorf("%d of 12 attempts were paced, want 4", refused)
	}
	_, n := v.post("/login", 429, "email", "mia@x.example", "password", goodPassword)
	n.Says(t, ".notice.bad", "Wait a minute")
	now = now.Add(time.Minute)
	v.post("/login", 303, "email", "mia@x.example", "password", goodPassword)
}

func TestSetupCode(t *testing.T) {
	v := serve(t, storybook.Empty(screenTime), web.Options{SetupCode: "river-stone"})
	v.get("/setup").One(t, "input[name=code][required]")
	v.post("/setup", 403, "name", "Eve", "email", "eve@x.example", "password", goodPassword, "code", "guess")
	v.post("/setup", 303, "name", "Mia", "email", "mia@x.example", "password", goodPassword, "code", " river-stone ")
}

func TestSecureCookies(t *testing.T) {
	site := web.New(storybook.Empty(screenTime), web.Options{Now: screenTime, SecureCookies: true})
	defer site.Close()
	w := httptest.NewRecorder()
	form := url.Values{"name": {"Mia"}, "email": {"mia@x.example"}, "password": {goodPassword}}
	r := httptest.NewRequest("POST", "https://ops.example/setup", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	site.ServeHTTP(w, r)
	c := cookie(w.Result(), "__Host-spillway")
	if c == nil || !c.Secure || c.Domain != "" || c.Path != "/" {
		t.Errorf("over https the session cookie is %v", c)
	}
	if w.Header().Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security over https")
	}
}

func TestDemoUserOnlyOnThisMachine(t *testing.T) {
	site := web.New(storybook.New(screenTime), web.Options{Now: screenTime, DemoUser: demoUser})
	defer site.Close()
	for _, c := range []struct {
		host, remote string
		want         int
	}{
		{"127.0.0.1:8080", "127.0.0.1:5000", 200},
		{"localhost:8080", "127.0.0.1:5000", 200},
		{"[::1]:8080", "[::1]:5000", 200},
		{"127.0.0.1:8080", "192.168.1.7:5000", 303},     // another machine
		{"evil.example:8080", "127.0.0.1:5000", 303},    // a name somebody pointed at this machine
		{"127.0.0.1.evil.example", "127.0.0.1:50", 303}, // the same, disguised
	} {
		r := httptest.NewRequest("GET", "http://"+c.host+"/items", nil)
		r.RemoteAddr = c.remote
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("host %s from %s: %d, want %d", c.host, c.remote, w.Code, c.want)
		}
	}
}

func TestDemoSessionIsWorthNothingOutsideTheDemo(t *testing.T) {
	book := storybook.New(screenTime)
	v := serve(t, book, web.Options{DemoUser: demoUser})
	v.get("/items")
	real := serve(t, book, web.Options{}) // the same store, run for real afterwards
	r, err := http.NewRequest("GET", v.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, _ := real.send("GET", "/items", nil, "Cookie", "spillway="+v.http.Jar.Cookies(r.URL)[0].Value)
	if res.StatusCode != http.StatusSeeOther {
		t.Errorf("a demo session opens a real installation: %d, want 303", res.StatusCode)
	}
}
