package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/spillway/spillway/web"
	"github.com/spillway/spillway/web/storybook"
)

func init() {
	pagesToSee = append(pagesToSee, []struct{ name, path, js string }{
		{"carriers", "/carriers", "document.querySelectorAll('details').forEach(d => d.open = true)"},
		{"carrier-new", "/carriers/new/postbroker", ""},
		{"track", "/track/" + storybook.TrackToken, ""},
		{"track-missing", "/track/none", ""},
	}...)
}

func TestAnAccountIsAddedAndItsSecretNeverShown(t *testing.T) {
	v, _ := demo(t)
	v.get("/carriers/new/postbroker").One(t, `input[name="setting:api_key"][type=password][required]`)
	res, _ := v.post("/carriers", 303, "carrier", "postbroker", "name", "Second", "setting:api_key", "very-secret-key", "setting:mode", "test")
	at := res.Header.Get("Location")
	n := v.get("/carriers")
	n.Says(t, at[strings.Index(at, "#"):], "/hooks/postbroker/")
	if strings.Contains(n.Text(), "very-secret-key") {
		t.Error("the secret is on the page")
	}
	v.get("/nodes/berlin").Says(t, "#n-account", "Second")
	v.post("/carriers", 422, "carrier", "postbroker", "name", "No key")
	_, p := v.post("/carriers/acc-1/remove", 200)
	p.Says(t, ".preview", "its secrets are forgotten")
	v.post("/carriers/acc-1/remove", 303, "step", "do")
	if len(v.get("/carriers").All("#account-acc-1")) != 0 {
		t.Error("it is still there")
	}
}

func TestAStrangerSeesAParcelAndNothingElse(t *testing.T) {
	v := serve(t, storybook.New(screenTime), web.Options{})
	get := func(path string) *http.Response {
		t.Helper()
		res, err := http.Get(v.url + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	res := get("/track/" + storybook.TrackToken)
	for name, want := range map[string]string{"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer", "Cache-Control": "private, max-age=120", "Set-Cookie": ""} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if res.StatusCode != 200 {
		t.Error(res.Status)
	}
	if res := get("/track/p1.guessed"); res.StatusCode != 404 || res.Header.Get("Cache-Control") != "no-store" {
		t.Error(res.Status, res.Header)
	}
	limited := false
	for range 40 {
		limited = limited || get("/track/p1.guessed").StatusCode == http.StatusTooManyRequests
	}
	if !limited {
		t.Error("nobody is told to wait")
	}
}

// TestCarriersByKeyboard adds an account with the keyboard alone.
func TestCarriersByKeyboard(t *testing.T) {
	s := open(t, storybook.New(screenTime), screenTime)
	s.look(t, 1440, "light")
	s.do(t, chromedp.Navigate(s.url+"/carriers/new/packhouse"))
	s.arrive(t, "/carriers/new/packhouse")
	s.tab(t, `[name="setting:token"]`)
	s.do(t, chromedp.KeyEvent("tok-123"))
	s.keys(t, kb.Enter)
	s.arrive(t, "/carriers")
	s.reads(t, ".toast", "is kept")
	s.do(t, chromedp.Navigate(s.url+"/track/"+storybook.TrackToken))
	s.until(t, `document.querySelector(".track h1")?.textContent === "On its way"`)
}
