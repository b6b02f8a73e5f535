package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/spillway/spillway/web"
	"github.com/spillway/spillway/web/storybook"
)

func TestHealth(t *testing.T) {
	v, _ := demo(t)
	n := v.get("/health")
	n.Says(t, "h1.state.watch", "Late dispatch is over its target")
	n.Says(t, ".shops a[aria-current=true]", "Clip · Nordlichtwatch")
	n.Says(t, "#g-ldr .chip.watch", "watch")
	n.Says(t, "#g-ldr", "49 late of 1,081 orders dispatched")
	n.Says(t, "#g-ldr svg.gauge", "target 4 % enforcement 10 %")
	n.Says(t, "#g-ldr .age", "the channel’s own for 15 Nov: 1.9 %")
	n.Says(t, "#g-vtr .chip.good", "good")
	n.Says(t, "#do-ldr-now", "Ship these 9 orders by 17:00")
	n.Says(t, "#risk-clip-north_3a577180003000", "100 %Berlinpacking")
	if got := len(n.All("#he-risk svg.slack")); got != 13 { // the axis and a bar for each order
		t.Errorf("%d slack drawings, want 13", got)
	}
	if got := len(n.All("#he-trends svg[role=img]")); got != 4 {
		t.Errorf("%d trends, want 4", got)
	}
	n.Says(t, "#he-account", "173–187")
	n.Says(t, "#he-account", "known: seen on the channel’s page")
	n.Says(t, "#f-incidents", "1 open")
	if got := n.One(t, "#stream").Attr["hx-sse:connect"]; got != "/health?live=1" {
		t.Errorf("the page streams from %q", got)
	}
}

// TestARateIsGreenOnlyWhenItWasJudged looks at every state a rate can be in: each has its word, and only one is green.
func TestARateIsGreenOnlyWhenItWasJudged(t *testing.T) {
	v, _ := demo(t)
	n := v.get("/health?shop=clip-outlet")
	for id, want := range map[string]string{"g-ldr": "watch", "g-vtr": "still being counted", "g-sfcr": "nothing counted", "g-otdr": "in breach"} {
		n.Says(t, "#"+id+" .chip", want)
	}
	if got := len(n.All(".gaugebox.good")) + len(n.All("#he-gauges .chip.good")); got != 0 {
		t.Errorf("%d gauges of a shop with no good rate are green", got)
	}
	for _, id := range []string{"g-vtr", "g-sfcr"} {
		if len(n.All("#"+id+" a.value")) > 0 || strings.Contains(n.One(t, "#"+id).Text(), "NaN") {
			t.Errorf("%s shows a rate: %s", id, n.One(t, "#"+id).Text())
		}
	}
	n.Says(t, "#g-ldr svg.gauge text.paused", "enforcement 10 %, paused")
	n.Says(t, "#g-ldr .age b.watch", "14 min ago")
	n.Says(t, "#he-head .notice.watch", "read 14 min late")
	n.Says(t, "#he-head", "No forecast for this shop")
	n.Says(t, "#he-account", "Nobody has entered")
	n.Says(t, "#he-do .empty", "Nothing to do.")

	n = v.get("/health?shop=cart-north")
	n.Says(t, "h1", "does not judge its shops by rates")
	if len(n.All(".gaugebox"))+len(n.All("#trends-h"))+len(n.All("#account-form")) > 0 {
		t.Error("a shop without rules has gauges, trends or an account")
	}
	n.One(t, "#he-risk table")

	bare := serve(t, storybook.Empty(screenTime), web.Options{DemoUser: demoUser})
	for path, want := range map[string]string{"/health": "There is nothing to judge yet.", "/policy": "No market has rules.", "/incidents": "Nothing is watched.", "/alerts": "Nobody is reached."} {
		bare.get(path).Says(t, "main", want)
	}
}

func TestCausesLeadToTheirOrders(t *testing.T) {
	v, _ := demo(t)
	n := v.get("/health")
	rows := n.All("#he-causes .causes a.row-link")
	if len(rows) < 20 {
		t.Fatalf("%d causes", len(rows))
	}
	li := n.All("#he-causes section section li")
	for i, a := range rows[:8] {
		want, _, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(li[i].Text(), a.Text())), " ")
		page := v.get(a.Attr["href"])
		if got := page.One(t, "#ra-rows .lead").Text(); !strings.HasPrefix(got, want+" order") {
			t.Errorf("%s says %s orders, its page %q", a.Text(), want, got)
		}
	}
	n = v.get("/health?shop=clip-north&causes=otdr")
	n.Says(t, "#he-causes .tabs a[aria-current=true]", "On-time delivery")
	n.Says(t, "#he-causes", "Carrier delay")
}

func TestRatePagesAndChoices(t *testing.T) {
	v, _ := demo(t)
	seen, path := map[string]bool{}, "/health/ldr"
	for path != "" {
		n := v.get(path)
		for _, tr := range n.All("#ra-rows tbody tr") {
			if seen[tr.Attr["id"]] {
				t.Errorf("%s is on two pages", tr.Attr["id"])
			}
			seen[tr.Attr["id"]] = true
		}
		path = ""
		for _, a := range n.All("#ra-rows .pager a") {
			path, _, _ = strings.Cut(a.Attr["href"], "#")
		}
	}
	if len(seen) != 49 {
		t.Errorf("%d orders on all pages, want the 49 of the rate", len(seen))
	}
	n := v.get("/health/ldr?node=Porto+Logistica&carrier=Paketblitz")
	for _, tr := range n.All("#ra-rows tbody tr") {
		if got := tr.Text(); !strings.Contains(got, "Porto LogisticaPaketblitz") {
			t.Errorf("a row that was not chosen: %s", got)
		}
	}
	if lists, chosen := len(n.All(".facets select")), len(n.All(".facets option[selected]")); lists != 7 || chosen != lists {
		t.Errorf("%d lists with %d choices made, want 7 of both", lists, chosen)
	}
	sum := v.get("/health/ldr").One(t, "#ra-days tfoot").Text()
	if sum != "Together491,0814.5 %" {
		t.Errorf("the days add up to %q", sum)
	}
	past := v.get("/health/otdr?on=2026-10-07")
	past.Says(t, ".notice", "as it is counted for 7 Oct")
	past.Says(t, "#wire", "Not live")
	for _, a := range past.All("#ra-rows .pager a") {
		if !strings.Contains(a.Attr["href"], "on=2026-10-07") {
			t.Errorf("paging in the past leads to %s, out of it", a.Attr["href"])
		}
	}
	for path, want := range map[string]int{"/health/none": 404, "/health/ldr?shop=none": 404, "/health?shop=none": 404, "/health/ldr?on=soon": 422, "/health/ldr?on=2020-01-01": 422, "/health/do/none": 404, "/policy?market=XX": 404, "/policy?on=x": 422, "/incidents/none": 404} {
		if res, _ := v.send("GET", path, nil); res.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, res.StatusCode, want)
		}
	}
}

func TestAccountIsTakenDownAndTakenBack(t *testing.T) {
	v, _ := demo(t)
	id := v.get("/health").One(t, "#account-form input[name=id]").Attr["value"]
	form := []string{"id", id, "shop", "clip-north", "value", "162", "day", "2026-11-21"}
	_, n := v.post("/health/account", 200, form...)
	n.Says(t, ".preview h2", "162 lies outside what was modelled, 173 to 187.")
	n.Says(t, ".preview .watch", "does not know of")
	v.get("/health").Says(t, "#he-account", "173–187")
	v.post("/health/account", 303, confirm(n.One(t, ".preview form").All("input"))...)
	v.post("/health/account", 303, append(form, "step", "do")...) // the back button
	n = v.get("/health")
	n.Says(t, "#he-account a.value", "162")
	n.Says(t, "#he-account .chip", "known")
	v.post("/undo", 303, "undo", n.One(t, ".toast input[name=undo]").Attr["value"])
	v.get("/health").Says(t, "#he-account", "173–187")
	for _, bad := range [][]string{{"value", "-1"}, {"value", "x"}, {"day", "soon"}, {"value", "1001"}, {"day", "2026-12-24"}} {
		f := url.Values{"id": {id}, "shop": {"clip-north"}, "value": {"162"}, "day": {"2026-11-21"}}
		f.Set(bad[0], bad[1])
		if res, body := v.send("POST", "/health/account", f, "HX-Request", "true"); res.StatusCode != 422 {
			t.Errorf("%v: %d, want 422: %.200s", bad, res.StatusCode, body)
		}
	}
}

func TestRulesOfOnesOwn(t *testing.T) {
	v, _ := demo(t)
	n := v.get("/policy")
	n.Says(t, "#rule-ldr-target", "at most 4 %")
	if len(n.All("#override-form option[value=ldr-count]")) > 0 {
		t.Error("a rule that cannot be set by hand is offered")
	}
	form := []string{"id", "own-1", "market", "US", "rule", "ldr-target", "value", "at most 5 %", "from", "2026-11-21", "reason", "our manager wrote so"}
	_, n = v.post("/policy/overrides", 200, form...)
	n.Says(t, ".preview h2", "at most 5 % instead of at most 4 %")
	n.Says(t, ".preview .watch", "The channel goes on judging by its own rule")
	v.post("/policy/overrides", 303, confirm(n.One(t, ".preview form").All("input"))...)
	n = v.get("/policy")
	n.Says(t, "#rule-ldr-target", "at most 5 %")
	n.Says(t, "#rule-ldr-target .chip.watch", "your own")
	n.Says(t, "#rule-ldr-target", demoUser)
	n.Says(t, "#own-own-1 td.why", "our manager wrote so")
	_, n = v.post("/policy/overrides/own-1/end", 200)
	n.Says(t, ".preview", "at most 4 % again")
	v.post("/policy/overrides/own-1/end", 303, "step", "do")
	v.get("/policy").Says(t, "#rule-ldr-target", "at most 4 %")
	_, n = v.post("/policy/overrides", 422, append(form, "until", "2026-11-21")...)
	n.Says(t, ".trouble", "The end must be after the beginning.")
	_, n = v.post("/policy/overrides", 200, "id", "own-2", "market", "US", "rule", "closure", "value", "Storm", "from", "2026-11-21", "until", "2026-11-23", "reason", "a notice")
	n.Says(t, ".preview form", "Enter these days")

	n = v.get("/policy?from=2026-10-01&to=2026-11-21")
	n.Says(t, "#po-diff", "at most 10 %, pausedat most 10 %")
	n.Says(t, "#po-diff", "8 more orders count as late.")
	v.get("/policy?from=2026-11-01&to=2026-11-02").Says(t, "#po-diff", "Nothing differs.")
	v.get("/policy?on=2026-09-20").Says(t, "#rule-ldr-enforcement", "paused")
}

func TestAListToPaste(t *testing.T) {
	v, _ := demo(t)
	n := v.get("/health/do/ldr-now?shop=clip-north")
	if got := strings.Fields(n.One(t, "#copy").Text()); len(got) != 9 || len(n.All("table tbody tr")) != 9 {
		t.Errorf("%d numbers to paste and %d rows, want 9 of both", len(got), len(n.All("table tbody tr")))
	}
}
