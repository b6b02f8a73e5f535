package web_test

import (
	"net/url"
	"strings"
	"testing"
)

func TestIncidents(t *testing.T) {
	v, _ := demo(t)
	n := v.get("/incidents")
	if rows := n.All("#in-open tbody tr"); len(rows) != 2 || rows[0].Attr["id"] != "in-inc-42" {
		t.Fatalf("%d open incidents, the first %v; want 2, the worst first", len(rows), rows[0].Attr)
	}
	n.Says(t, "#in-inc-42", "head of operations is told in 8 min")
	n.Says(t, "#in-past", "Late dispatch may pass 10 %")
	if got := len(v.get("/incidents?shop=clip-north").All("#in-open tbody tr")); got != 1 {
		t.Errorf("%d incidents of one shop, want 1", got)
	}
	n = v.get("/incidents/inc-41")
	n.Says(t, "h1", "Orders at 4.2 × the daily average incident 41")
	n.Says(t, "#ic-runbook", "orders of an hour are above 3 × the daily average")
	n.Says(t, "#ic-post", "It is drafted when the incident is resolved")
}

func TestAnIncidentIsTakenResolvedAndOpenedAgain(t *testing.T) {
	v, _ := demo(t)
	_, n := v.post("/incidents/inc-42", 200, "act", "acknowledge")
	n.Says(t, ".preview", "head of operations")
	v.get("/").Says(t, "#f-incidents", "1 open") // nothing happened yet
	v.post("/incidents/inc-42", 303, confirm(n.One(t, ".preview form").All("input"))...)
	n = v.get("/incidents/inc-42")
	n.Says(t, "#ic-head .chip", "taken")
	n.Says(t, "#ic-head", demoUser)
	if len(n.All("button.main")) > 0 {
		t.Error("an incident that is taken can be taken again")
	}
	v.post("/undo", 303, "undo", n.One(t, ".toast input[name=undo]").Attr["value"])
	v.get("/incidents/inc-42").Says(t, "#ic-head", "nobody yet")

	if res, _ := v.send("GET", "/incidents/inc-42/postmortem.md", nil); res.StatusCode != 404 {
		t.Errorf("the postmortem of an open incident: %d, want 404", res.StatusCode)
	}
	_, n = v.post("/incidents/inc-42", 200, "act", "resolve", "note", "mapped")
	n.Says(t, ".preview .watch", "1 tasks are not done")
	v.post("/incidents/inc-42", 303, confirm(n.One(t, ".preview form").All("input"))...)
	v.get("/incidents/inc-42").Says(t, "#ic-time", "mapped")
	res, body := v.send("GET", "/incidents/inc-42/postmortem.md", nil)
	if res.StatusCode != 200 || !strings.HasPrefix(body, "# Tracking of 14 parcels") || !strings.Contains(res.Header.Get("Content-Disposition"), "incident-42.md") {
		t.Errorf("the postmortem: %d %q %.80s", res.StatusCode, res.Header.Get("Content-Disposition"), body)
	}
	v.post("/incidents/inc-42", 303, "act", "reopen", "step", "do")
	v.get("/incidents/inc-42").Says(t, "#ic-head .chip", "open")
	v.post("/incidents/inc-42", 422, "act", "delete")
	v.post("/incidents/inc-42", 422, "act", "silence", "until", "soon")
	_, n = v.post("/incidents/inc-42", 422, "act", "silence", "until", "2026-11-21T10:00")
	n.Says(t, ".preview.bad", "must lie ahead")
}

func TestTasksAreTicked(t *testing.T) {
	v, _ := demo(t)
	v.post("/incidents/inc-41/tasks", 303, "task", "t1", "done", "1")
	n := v.get("/incidents/inc-41")
	n.Says(t, "#task-t1.done", "done by "+demoUser)
	n.One(t, "#task-t1 button[aria-checked=true]")
	v.get("/incidents").Says(t, "#in-inc-41 td[data-l=Tasks]", "2 of 4")
	v.post("/undo", 303, "undo", n.One(t, ".toast input[name=undo]").Attr["value"])
	v.get("/incidents/inc-41").One(t, "#task-t1 button[aria-checked=false]")
	v.post("/incidents/inc-41/tasks", 404, "task", "none", "done", "1")
}

func TestAlertSettings(t *testing.T) {
	v, _ := demo(t)
	secret := "https://hooks.example/T0/very-secret-token-9876"
	id := v.get("/alerts").One(t, "#target-form input[name=id]").Attr["value"]
	v.post("/alerts/targets", 303, "id", id, "name", "Night shift", "kind", "webhook", "address", secret, "role", "warehouse", "from", "bad")
	_, body := v.send("GET", "/alerts", nil)
	if strings.Contains(body, "secret") || !strings.Contains(body, "hooks.example, ending …9876") {
		t.Error("a target's address is shown again, or nothing of it")
	}
	v.post("/alerts/targets/"+id+"/test", 303)
	v.get("/alerts").Says(t, ".toast", "Night shift answered in")
	_, n := v.post("/alerts/targets/"+id+"/remove", 200)
	n.Says(t, ".preview .watch", "Nobody else is reached for this role.")
	v.post("/alerts/targets/"+id+"/remove", 303, "step", "do")
	v.post("/alerts/targets/"+id+"/remove", 404)

	for _, c := range []struct {
		path, says, after string
		form              []string
	}{
		{"/alerts/quiet", "4 would have waited", "22:00", []string{"on", "1", "from", "20:00", "until", "06:00", "zone", "Europe/Berlin", "through", "bad"}},
		{"/alerts/escalation", "3 roles are told, the last after 45 min", "", []string{"after0", "0", "role0", "operations", "after1", "15", "role1", "head", "after2", "30", "role2", "engineer"}},
		{"/alerts/digest", "Friday", "", []string{"on", "1", "day", "Friday", "hour", "7", "role", "head"}},
		{"/alerts/silences", "opened all the same", "", []string{"id", "s-9", "match", "rule:spike", "from", "2026-11-21T15:00", "until", "2026-11-21T17:00", "reason", "a drill"}},
	} {
		_, n := v.post(c.path, 200, c.form...)
		n.Says(t, ".preview", c.says)
		v.post(c.path, 303, confirm(n.One(t, ".preview form").All("input"))...)
		v.get("/alerts").One(t, ".toast input[name=undo]")
	}
	n = v.get("/alerts")
	n.One(t, "input[name=from][value=20:00]")
	n.Says(t, "#si-s-9", "Order spikes")
	v.post("/alerts/silences/s-9/end", 303)
	v.post("/alerts/silences/s-9/end", 404)
	for path, form := range map[string]string{
		"/alerts/quiet": "from=late&until=06:00&zone=UTC", "/alerts/escalation": "after0=x&role0=head", "/alerts/digest": "day=Friday&hour=24&role=head",
		"/alerts/silences": "id=a&match=rule:spike&reason=x&from=2026-11-21T15:00&until=2026-11-21T15:00", "/alerts/targets": "id=a&name=x&kind=webhook&role=head&address=http://plain.example",
	} {
		f, err := url.ParseQuery(form)
		if err != nil {
			t.Fatal(err)
		}
		if res, body := v.send("POST", path, f, "HX-Request", "true"); res.StatusCode != 422 {
			t.Errorf("%s %s: %d, want 422: %.200s", path, form, res.StatusCode, body)
		}
	}
}

func TestARuleOfAlertsIsEdited(t *testing.T) {
	v, _ := demo(t)
	n := v.get("/alerts/rules/stockout")
	n.One(t, "#rule-form input[name=warn][value=48]")
	if len(n.All("#rule-reset")) != 0 {
		t.Error("what is as it came can be reset")
	}
	form := []string{"on", "1", "warn", "72", "critical", "6", "level", "", "role", "warehouse", "after", "15", "clear", "60", "quiet", "through"}
	_, n = v.post("/alerts/rules/stockout", 200, form...)
	n.Says(t, ".preview", "72")
	v.post("/alerts/rules/stockout", 303, confirm(n.One(t, ".preview form").All("input"))...)
	n = v.get("/alerts/rules/stockout")
	n.One(t, "#rule-form input[name=warn][value=72]")
	n.One(t, "#rule-form select[name=quiet] option[value=through][selected]")
	n.Says(t, ".lead", "Set by "+demoUser)
	v.post("/undo", 303, "undo", n.One(t, ".toast input[name=undo]").Attr["value"])
	v.get("/alerts/rules/stockout").One(t, "#rule-form input[name=warn][value=48]")
	v.post("/alerts/rules/stockout", 422, "on", "1", "warn", "soon")
	v.post("/alerts/rules/nothing", 404, form...)
	if res, _ := v.send("GET", "/alerts/rules/nothing", nil); res.StatusCode != 404 {
		t.Errorf("a kind there is none of: %d", res.StatusCode)
	}
}
