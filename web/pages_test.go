package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/spillway/spillway/internal/htmlcheck"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/web"
	"github.com/spillway/spillway/web/storybook"
)

func TestOverview(t *testing.T) {
	v, book := demo(t)
	n := v.get("/")
	n.Says(t, "h1.state.watch", "1 order is late")
	n.Says(t, `.figure.good[href="/explain/oversold"]`, "Oversold 0 units 3 of 3 proofs hold")
	n.Says(t, "#hot-MUG-01", "available 613")
	n.Says(t, "#hot-MUG-01 .parts", "Clip · Nordlicht 402 Cart · Nordlicht 96 Clip · Outlet 60 buffer 30 free 25")
	if got := len(n.All("#hot-MUG-01 svg.promise rect")); got != 5 {
		t.Errorf("the bar of an item with three channels, buffer and free units has %d segments, want 5", got)
	}
	n.One(t, "#hot-POSTER-05 svg.promise line.limit") // promises more than there is, and says where that ends
	n.Says(t, "#due-clip-north_3a577180003000 td.bad", "34 min late")
	n.Says(t, "#chan-clip-outlet .chip.watch", "catching up")
	n.Says(t, "dl.sum", "≥ 3,218")
	n.Says(t, "#f-live .onair", "188 of 300 kept units left")
	n.Says(t, "#f-problems", "2")
	if got := n.One(t, "#stream").Attr["hx-sse:connect"]; got != "/?live=1" {
		t.Errorf("the page streams from %q", got)
	}
	if err := book.Sell("MUG-01", "clip-north", 2); err != nil {
		t.Fatal(err)
	}
	n = v.get("/")
	n.Says(t, "#hot-MUG-01", "available 611")
	n.Says(t, "#hot-MUG-01 .parts", "Cart · Nordlicht 96 Clip · Outlet 60 buffer 30 free 25") // a sale changes no other channel
}

func TestOverviewBeforeSetUp(t *testing.T) {
	v := serve(t, storybook.Empty(screenTime), web.Options{DemoUser: demoUser})
	n := v.get("/")
	if got := len(n.All(".steps li")); got != 3 {
		t.Errorf("%d set-up steps, want 3", got)
	}
	n.Says(t, "#ov-channels", "No channel is connected.")
	n.Says(t, `.figure[href="/explain/oversold"]`, "Not checked yet")
	for _, path := range []string{"/items", "/orders", "/connections", "/live", "/problems"} {
		if len(v.get(path).All(".empty")) == 0 {
			t.Errorf("%s has nothing to show and does not say so", path)
		}
	}
}

func TestItemAsOf(t *testing.T) {
	v, _ := demo(t)
	now := v.get("/items/MUG-01")
	now.Says(t, "#bal-berlin td[data-l=Reserved]", "212")
	then := v.get("/items/MUG-01?at=2026-11-17T13:00") // 12:00 UTC: before the batches of today
	then.Says(t, "#bal-berlin td[data-l=Reserved]", "0")
	then.Says(t, ".notice", "recorded by 17 Nov 13:00")
	if len(then.All("#stream"))+len(then.All("#stock-form"))+len(then.All("#i-listings")) > 0 {
		t.Error("a moment of the past must not stream, take receipts or show what channels are told")
	}
	for _, a := range then.All("#i-journal .pager a") {
		if !strings.Contains(a.Attr["href"], "at=2026-11-17T13%3A00") {
			t.Errorf("paging in the past leads to %s, out of it", a.Attr["href"])
		}
	}
}

func TestJournalPages(t *testing.T) {
	v, _ := demo(t)
	seen, path, pages := map[string]bool{}, "/items/MUG-01", 0
	for path != "" {
		n := v.get(path)
		for _, row := range n.All("#i-journal tbody tr") {
			if seen[row.Attr["id"]] {
				t.Errorf("%s is on two pages", row.Attr["id"])
			}
			seen[row.Attr["id"]] = true
		}
		path = ""
		for _, a := range n.All("#i-journal .pager a") {
			if a.Text() == "Older" {
				path, _, _ = strings.Cut(a.Attr["href"], "#")
			}
		}
		pages++
	}
	if pages != 3 || len(seen) != 34 {
		t.Errorf("%d pages with %d movements, want 3 with 34", pages, len(seen))
	}
}

func TestReceiveShowsItsEffectFirst(t *testing.T) {
	v, _ := demo(t)
	id := v.get("/items/MUG-01").One(t, "#stock-form input[name=id]").Attr["value"]
	form := []string{"id", id, "kind", "receive", "location", "berlin", "qty", "1,200", "ref", "LS-1"}
	_, n := v.post("/items/MUG-01/stock", 200, form...)
	n.Says(t, ".preview h2", "+1200 units at Berlin")
	n.Says(t, ".preview button.main", "Receive 1,200 units")
	v.get("/items/MUG-01").Says(t, "#bal-berlin td[data-l='On hand']", "640") // nothing happened yet

	res, _ := v.post("/items/MUG-01/stock", 303, confirm(n.One(t, ".preview form").All("input"))...)
	if res.Header.Get("Location") != "/items/MUG-01" {
		t.Errorf("after the deed the way leads to %q", res.Header.Get("Location"))
	}
	n = v.get("/items/MUG-01")
	n.Says(t, "#bal-berlin td[data-l='On hand']", "1,840")
	n.Says(t, ".toast", "is in the journal")
	undo := n.One(t, ".toast input[name=undo]").Attr["value"]
	v.post("/items/MUG-01/stock", 303, append(form, "step", "do")...) // the same form again: the browser's back button
	v.get("/items/MUG-01").Says(t, "#bal-berlin td[data-l='On hand']", "1,840")

	v.post("/undo", 303, "undo", undo)
	n = v.get("/items/MUG-01")
	n.Says(t, "#bal-berlin td[data-l='On hand']", "640")
	n.Says(t, "#i-journal", "reverses receive")
	if len(v.get("/items/MUG-01").All(".toast")) > 0 {
		t.Error("the toast is shown a second time")
	}
	v.post("/undo", 409, "undo", undo)
}

func TestRefusals(t *testing.T) {
	v, _ := demo(t)
	for _, c := range []struct {
		path, says string
		form       []string
	}{
		{"/items/MUG-01/stock", "Units is missing|Units must be a whole number", []string{"id", "a", "kind", "receive", "location", "berlin"}},
		{"/items/MUG-01/stock", "whole number", []string{"id", "a", "kind", "receive", "location", "berlin", "qty", "1.5"}},
		{"/items/MUG-01/stock", "between 0 and 100,000,000", []string{"id", "a", "kind", "receive", "location", "berlin", "qty", "-4"}},
		{"/items/MUG-01/stock", "between 0 and", []string{"id", "a", "kind", "receive", "location", "berlin", "qty", "999999999999"}},
		{"/items/MUG-01/stock", "Choose what happened", []string{"id", "a", "kind", "steal", "location", "berlin", "qty", "1"}},
		{"/items/MUG-01/stock", "Only 424 units are free", []string{"id", "a", "kind", "damage", "location", "berlin", "qty", "425"}},
		{"/listings/cart-north:MUG-01/rules", "must not be above", []string{"item", "MUG-01", "min", "5", "max", "4"}},
		{"/listings/cart-north:MUG-01/rules", "between 0 and 100", []string{"item", "MUG-01", "buffer_percent", "101"}},
		{"/live", "after the beginning", []string{"id", "a", "title", "x", "item", "MUG-01", "channel", "clip-north", "qty", "1", "from", "2026-11-21T15:00", "until", "2026-11-21T15:00"}},
		{"/live", "date and a time", []string{"id", "a", "title", "x", "item", "MUG-01", "channel", "clip-north", "qty", "1", "from", "soon", "until", "2026-11-21T15:00"}},
		{"/live", "Only 583 units", []string{"id", "a", "title", "x", "item", "MUG-01", "channel", "clip-north", "qty", "584", "from", "2026-11-21T15:00", "until", "2026-11-21T16:00"}},
		{"/apps", "service_id", []string{"vendor", "clip", "key", "k", "secret", "s"}},
		{"/apps", "App secret is missing", []string{"vendor", "clip", "key", "k"}},
		{"/undo", "missing", nil},
	} {
		form := url.Values{}
		for i := 0; i+1 < len(c.form); i += 2 {
			form.Set(c.form[i], c.form[i+1])
		}
		res, body := v.send("POST", c.path, form, "HX-Request", "true")
		ok := false
		for want := range strings.SplitSeq(c.says, "|") {
			ok = ok || strings.Contains(body, want)
		}
		if res.StatusCode != 422 || !ok || strings.Contains(body, "<html") {
			t.Errorf("POST %s %v: %d, want 422 and a fragment that says %q: %.300s", c.path, c.form, res.StatusCode, c.says, body)
		}
	}
	if res, _ := v.send("POST", "/live", url.Values{"title": {strings.Repeat("x", 70<<10)}}); res.StatusCode != 422 {
		t.Errorf("a form of 70 KB: %d, want 422", res.StatusCode)
	}
}

func TestRules(t *testing.T) {
	v, _ := demo(t)
	_, n := v.post("/listings/clip-outlet:LAMP-02/rules", 200, "item", "LAMP-02", "mode", "", "max", "4")
	n.Says(t, ".preview", "1 listing changes, 4 units move.")
	v.post("/listings/clip-outlet:LAMP-02/rules", 303, confirm(n.One(t, ".preview form").All("input"))...)
	n = v.get("/items/LAMP-02")
	n.Says(t, "#lst-clip-outlet_3aLAMP-02 td[data-l=Told]", "4")
	n.Says(t, "#rules-clip-outlet_3aLAMP-02 summary", "at most 4")
	_, n = v.post("/listings/clip-outlet:LAMP-02/rules", 200, "item", "LAMP-02", "mode", "shared")
	n.Says(t, ".preview .watch", "can oversell")
}

func TestHoldIsPlannedAndWithdrawn(t *testing.T) {
	v, _ := demo(t)
	id := v.get("/live?item=MUG-01").One(t, "#hold-form input[name=id]").Attr["value"]
	_, n := v.post("/live", 200, "id", id, "title", "Night", "item", "MUG-01", "channel", "clip-north", "qty", "450", "from", "2026-11-21T20:00", "until", "2026-11-21T22:00")
	n.Says(t, ".preview h2", "3 listings change, 48 units move")
	v.post("/live", 303, confirm(n.One(t, ".preview form").All("input"))...)
	n = v.get("/live")
	n.Says(t, "#hold-"+id, "Night")
	n.Says(t, "#hold-"+id, "20:00") // entered and shown in the warehouse's zone
	_, n = v.post("/live/"+id+"/end", 200)
	n.Says(t, ".preview", "There is no undo")
	v.post("/live/"+id+"/end", 303, "step", "do")
	if len(v.get("/live").All("#hold-"+id)) > 0 {
		t.Error("a withdrawn hold is still planned")
	}
}

func TestConnectAShop(t *testing.T) {
	v, _ := demo(t)
	v.get("/vendors/clip/app").One(t, `input[name=setting:service_id][required]`)
	res, _ := v.post("/apps", 303, "vendor", "clip", "key", "abc", "secret", "hush", "setting:service_id", "77")
	if to := res.Header.Get("Location"); to != "/connections#app-clip-app-3" {
		t.Errorf("a new app leads to %q", to)
	}
	if body := v.get("/connections"); strings.Contains(body.Text(), "hush") {
		t.Error("the secret is shown")
	}
	_, n := v.post("/apps/clip-app-3/connect", 200)
	n.Says(t, "main", "You go to consent.clip.example")
	consent, err := url.Parse(n.One(t, "a.button.main").Attr["href"])
	if err != nil {
		t.Fatal(err)
	}
	if got := consent.Query().Get("redirect"); got != v.url+"/apps/clip-app-3/callback" {
		t.Errorf("the vendor sends back to %q", got)
	}
	res, _ = v.send("GET", "/apps/clip-app-3/callback?code=c&state=forged", nil)
	if res.StatusCode != 403 {
		t.Errorf("an answer with a forged state: %d, want 403", res.StatusCode)
	}
	res, _ = v.send("GET", "/apps/clip-app-3/callback?code=c&state="+consent.Query().Get("state"), nil)
	if res.StatusCode != 303 {
		t.Errorf("the vendor's answer: %d, want 303", res.StatusCode)
	}
	v.get("/connections").Says(t, ".toast", "The shop is connected.")
}

func TestRetryParked(t *testing.T) {
	v, _ := demo(t)
	v.post("/problems/retry", 303, "id", "msg-1")
	n := v.get("/problems")
	if got := len(n.All("tbody tr")); got != 1 {
		t.Errorf("%d parked messages after one was retried, want 1", got)
	}
	v.post("/problems/retry", 303)
	v.get("/problems").Says(t, "#pr-rows", "No message is parked.")
}

func TestOrders(t *testing.T) {
	v, _ := demo(t)
	rows := func(path string) int { return len(v.get(path).All("#or-rows tbody tr")) }
	for path, want := range map[string]int{"/orders": 20, "/orders?after=clip-outlet:577180003019": 4, "/orders?state=late": 1, "/orders?state=cancelled": 3, "/orders?channel=cart-north": 6, "/orders?q=3007": 1} {
		if got := rows(path); got != want {
			t.Errorf("%s has %d rows, want %d", path, got, want)
		}
	}
	n := v.get("/orders/clip-north:577180003000")
	n.Says(t, "#o-head td.bad", "34 min late")
	n.Says(t, "#o-head", "collection_due_time")
	n.Says(t, "#o-time", "reserved 1 × MUG-01 in Berlin")
	n.Says(t, "#o-facts", "webhook")
}

func TestExplain(t *testing.T) {
	v, _ := demo(t)
	res, body := v.send("GET", "/explain/"+view.FigurePromise+"MUG-01", nil, "HX-Request", "true")
	if res.StatusCode != 200 || strings.Contains(body, "<html") || !strings.Contains(body, "Σ may still sell + buffer") {
		t.Errorf("the panel of a promise: %d %.200s", res.StatusCode, body)
	}
	v.get("/explain/oversold").Says(t, ".checks", "The journal sums to the balances")
}

// confirm turns a preview's hidden fields into the form that does it.
func confirm(inputs []*htmlcheck.Node) []string {
	var out []string
	for _, i := range inputs {
		out = append(out, i.Attr["name"], i.Attr["value"])
	}
	return out
}
