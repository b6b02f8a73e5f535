package tiktok

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/spillway/spillway/sim/world"
)

// say posts a command to the control API and returns status and answer.
func (r *rig) say(action, body string) (int, map[string]any) {
	r.Helper()
	resp, err := http.Post(r.url+"/_sandbox/api/"+action, "application/json", strings.NewReader(body))
	r.must(err)
	defer resp.Body.Close()
	var v map[string]any
	r.must(json.NewDecoder(resp.Body).Decode(&v))
	return resp.StatusCode, v
}

func TestControlAPI(t *testing.T) {
	r := newRig(t)
	shop := fmt.Sprintf(`"shop":%q`, r.shop.ID)
	code, v := r.say("place", `{`+shop+`,"sku":"MUG-B","qty":2,"count":30}`)
	if code != 200 || len(v["orders"].([]any)) != 25 || v["refused"] != 5.0 {
		t.Fatalf("%d %v", code, v)
	}
	order := fmt.Sprintf(`{"order":%q}`, v["orders"].([]any)[0])
	for action, want := range map[string]int{"pay": 409, "advance": 200, "scan": 409} { // in any order
		if code, v := r.say(action, order); code != want || code != 200 && v["error"] == nil {
			t.Errorf("%s: %d %v", action, code, v)
		}
	}
	for _, bad := range []struct {
		action, body string
		want         int
	}{{"advance", `{"order":"17"}`, 404}, {"advance", `{"ordr":"17"}`, 400}, {"advance", `nonsense`, 400}, {"place", `{` + shop + `,"sku":"MUG-B","count":10001}`, 400},
		{"place", `{` + shop + `,"sku":"MUG-B","qty":3}`, 409}, {"stock", `{` + shop + `,"sku":"MUG-B","qty":-1}`, 400}, {"fault", `{"point":"*","kind":"rain"}`, 400},
		{"fault", `{"point":"*","kind":"delay","delay":"soon"}`, 400}, {"shop", `{}`, 400}, {"remove-fault", `{"id":"x"}`, 404},
		{"webhook", `{"event":"*","address":"ftp://x"}`, 400}} {
		if code, v := r.say(bad.action, bad.body); code != bad.want || v["error"] == nil {
			t.Errorf("%s %s: %d %v", bad.action, bad.body, code, v)
		}
	}
	if code, v := r.say("fault", `{"point":"POST *","kind":"throttle","probability":0.5,"remaining":3,"delay":"250ms"}`); code != 200 || v["delay"] != "250ms" {
		t.Errorf("%d %v", code, v)
	}
	code, v = r.say("shop", `{"new_shop":{"name":"New","products":[{"title":"P","skus":[{"seller_sku":"S","available":3}]}]}}`)
	if code != 200 {
		t.Fatalf("%d %v", code, v)
	}
	if code, v := r.say("product", fmt.Sprintf(`{"shop":%q,"new_product":{"title":"Q","skus":[{"seller_sku":"T"}]}}`, v["id"])); code != 200 {
		t.Errorf("%d %v", code, v)
	}
	for _, get := range []string{"state", "orders?shop=" + r.shop.ID, "webhooks", "requests"} {
		resp, err := http.Get(r.url + "/_sandbox/api/" + get)
		r.must(err)
		b, err := io.ReadAll(resp.Body)
		r.must(err)
		r.must(resp.Body.Close())
		if resp.StatusCode != 200 || !json.Valid(b) {
			t.Errorf("%s: %s %s", get, resp.Status, b)
		}
	}
}

func (r *rig) html(query string) string {
	r.Helper()
	resp, err := http.Get(r.url + "/_sandbox/?" + query)
	r.must(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	r.must(err)
	if resp.StatusCode != 200 || !bytes.Contains(b, []byte("</html>")) {
		r.Fatalf("%s: %s", resp.Status, b)
	}
	return string(b)
}

func TestPageShowsAndActs(t *testing.T) {
	r := newRig(t)
	r.listen()
	resp, err := http.PostForm(r.url+"/_sandbox/do/place", url.Values{"shop": {r.shop.ID}, "at": {r.shop.ID}, "sku": {"MUG-B"}, "qty": {"2"}, "count": {"3"}, "unpaid": {"on"}})
	r.must(err)
	r.must(resp.Body.Close())
	if resp.StatusCode != 200 || !strings.Contains(resp.Request.URL.RawQuery, "3+placed") {
		t.Errorf("%s at %s", resp.Status, resp.Request.URL)
	}
	_, err = r.sim.Faults().Add(world.Rule{Point: `<script>alert(1)</script>`, Kind: world.Drop, Delay: world.Duration(1e9)})
	r.must(err)
	r.take()
	page := r.html("error=" + url.QueryEscape(`<b>bold</b>`))
	for _, want := range []string{"2 × MUG-B", "unpaid", "order status change", "&lt;script&gt;", "&lt;b&gt;bold", r.shop.Cipher, "1s"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "<script>alert") || strings.Contains(page, r.token) {
		t.Error("the page carries foreign markup or a token")
	}
}

func TestPageOfEveryState(t *testing.T) {
	r := newRig(t)
	for i := range 7 {
		id := r.place("MUG-B", 1, PlaceOptions{Unpaid: true})
		for range i {
			r.must(r.sim.AdvanceStatus(id))
		}
	}
	r.call("POST", "/nope", "")
	if page := r.html(""); !strings.Contains(page, "36009009") {
		t.Error("the page lacks the failed call")
	}
}

func TestPageWithoutShops(t *testing.T) {
	r := newRig(t)
	empty, err := New(Options{Clock: r.clock})
	r.must(err)
	defer empty.Stop()
	w := httptest.NewRecorder()
	empty.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/_sandbox/", nil))
	if w.Code != 200 || !strings.Contains(w.Body.String(), "There is no shop yet") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestOtherSitesCannotActThroughABrowser(t *testing.T) {
	r := newRig(t)
	req, err := http.NewRequestWithContext(t.Context(), "POST", r.url+"/_sandbox/do/remove-fault", nil)
	r.must(err)
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := http.DefaultClient.Do(req)
	r.must(err)
	r.must(resp.Body.Close())
	if resp.StatusCode != http.StatusForbidden {
		t.Error(resp.Status)
	}
}

func TestDescribe(t *testing.T) {
	r := newRig(t)
	text := r.sim.Describe(r.url)
	for _, want := range []string{r.sim.o.AppKey, r.sim.o.AppSecret, r.shop.ID, r.shop.Cipher, "TTP_", r.url + "/_sandbox/"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
}
