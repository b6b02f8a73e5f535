package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/incident"
	"github.com/spillway/spillway/store"
)

// wrong opens n incidents, of two shops in turn; every third is of another kind.
func (h *house) wrong(t *testing.T, n int) {
	t.Helper()
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	err := h.store.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.IncidentLock(); err != nil {
			return err
		}
		for i := range n {
			kind := alert.StockAhead
			if i%3 == 2 {
				kind = alert.RefundAnswer
			}
			s := alert.Signal{Cause: alert.Cause{Kind: kind, Subject: fmt.Sprint("item-", i)}, Shop: fmt.Sprint("shop-", i%2), Text: "It runs out.", Next: "Order more.",
				Figures: []alert.Figure{{Name: "time left", Value: 7200, Unit: alert.Seconds}}}
			inc := alert.Incident{ID: fmt.Sprint("inc-", i), Cause: s.Cause, Phase: alert.Open, Severity: alert.Warning, First: s, Last: s, Worst: s, Since: at, OpenedAt: at.Add(time.Duration(i) * time.Minute)}
			if err := tx.IncidentSave([]store.Incident{{Incident: inc}}); err != nil {
				return err
			}
		}
		if err := tx.TasksAdd([]incident.Task{{ID: "t1", IncidentID: "inc-0", Text: "Count them.", Owner: "warehouse", CreatedAt: at}}); err != nil {
			return err
		}
		return tx.EntriesAppend([]alert.Entry{alert.NewEntry("inc-0", at, alert.EntryOpened, "", "It runs out.", "")})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) list(t *testing.T, query string) (numbers []int64, next int64) {
	t.Helper()
	status, text, _ := h.call(t, "GET", "/api/v1/incidents?"+query, "")
	var got struct {
		Incidents []IncidentSummary
		Next      int64
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil || status != 200 {
		t.Fatalf("%s: %d %s", query, status, text)
	}
	for _, i := range got.Incidents {
		numbers = append(numbers, i.Number)
	}
	return numbers, got.Next
}

func TestIncidentsArePagedAndFiltered(t *testing.T) {
	h := newHouse(t)
	if got, next := h.list(t, ""); len(got) != 0 || next != 0 {
		t.Errorf("none yet: %v %d", got, next)
	}
	h.wrong(t, 25)
	var all []int64
	pages := 0
	for before := int64(0); ; pages++ {
		got, next := h.list(t, fmt.Sprintf("limit=10&before=%d", before))
		all = append(all, got...)
		if before = next; next == 0 {
			break
		}
		if pages == 0 { // what is opened meanwhile moves no page
			h.wrongOne(t)
		}
	}
	if len(all) != 25 || all[0] != 25 || all[24] != 1 || pages != 2 {
		t.Errorf("%d pages more: %v", pages, all)
	}
	for query, want := range map[string]int{"shop=shop-1": 12, "kind=refund_answer": 8, "kind=refund_answer&shop=shop-0": 4, "state=open&limit=200": 26, "state=resolved": 0, "shop=nobody": 0} {
		if got, _ := h.list(t, query); len(got) != want {
			t.Errorf("%s: %d, want %d", query, len(got), want)
		}
	}
	for query, want := range map[string]int{"kind=weather": 400, "state=bad": 422, "limit=0": 422, "limit=201": 422, "before=-1": 422} {
		if status, text, _ := h.call(t, "GET", "/api/v1/incidents?"+query, ""); status != want {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
}

func (h *house) wrongOne(t *testing.T) {
	t.Helper()
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	err := h.store.Update(t.Context(), func(tx *store.Tx) error {
		c := alert.Cause{Kind: alert.Drift, Subject: "late"}
		return tx.IncidentSave([]store.Incident{{Incident: alert.Incident{ID: "late", Cause: c, Phase: alert.Open, Severity: alert.Warning, Last: alert.Signal{Cause: c}, OpenedAt: at}}})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnIncidentIsWorkedOverHTTP(t *testing.T) {
	h := newHouse(t)
	h.wrong(t, 1)
	const one = "/api/v1/incidents/1"
	read := func() (d incidentDetail) {
		t.Helper()
		status, text, _ := h.call(t, "GET", one, "")
		if err := json.Unmarshal([]byte(text), &d); err != nil || status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		return d
	}
	if d := read(); d.State != "open" || d.Title != "Stock runs out" || len(d.Timeline) != 2 || d.Timeline[0].Kind != "began" || len(d.Tasks) != 1 || d.Tasks[0].Done || d.Postmortem != "" || d.Figures[0].Unit != "s" {
		t.Errorf("%+v", d)
	}
	for _, step := range []struct {
		name, method, path, body string
		status, lines            int // lines of the timeline afterwards
	}{
		{"a note", "POST", "/notes", `{"id":"n1","text":"The supplier sends 200."}`, 200, 3},
		{"the same note", "POST", "/notes", `{"id":"n1","text":"The supplier sends 200."}`, 200, 3},
		{"its id with another text", "POST", "/notes", `{"id":"n1","text":"The supplier sends 20."}`, 409, 3},
		{"a note without an id", "POST", "/notes", `{"text":"x"}`, 422, 3},
		{"an empty note", "POST", "/notes", `{"id":"n2","text":"  "}`, 400, 3},
		{"tick", "PUT", "/tasks/t1", `{"done":true}`, 200, 4},
		{"tick again", "PUT", "/tasks/t1", `{"done":true}`, 200, 4},
		{"no such task", "PUT", "/tasks/t9", `{"done":true}`, 404, 4},
		{"take it", "POST", "/acknowledge", "", 200, 5},
		{"take it again", "POST", "/acknowledge", "", 200, 5},
		{"over", "POST", "/resolve", `{"note":"Two hundred came."}`, 200, 7},
		{"over again", "POST", "/resolve", "", 200, 7},
		{"take what is over", "POST", "/acknowledge", "", 409, 7},
	} {
		status, text, _ := h.call(t, step.method, one+step.path, step.body)
		d := read()
		if status != step.status || len(d.Timeline) != step.lines {
			t.Errorf("%s: %d, %d lines; want %d, %d: %s", step.name, status, len(d.Timeline), step.status, step.lines, text)
		}
	}
	d := read()
	if d.State != "resolved" || d.ResolvedBy != "token:shop" || d.AcknowledgedBy != "token:shop" || !d.Tasks[0].Done || !strings.Contains(d.Postmortem, "Two hundred came.") {
		t.Errorf("%+v", d)
	}
	for _, path := range []string{"/api/v1/incidents/2", "/api/v1/incidents/2/notes", "/api/v1/incidents/2/acknowledge"} {
		method, body := "POST", `{"id":"n","text":"x"}`
		if strings.HasSuffix(path, "2") {
			method, body = "GET", ""
		} else if strings.HasSuffix(path, "acknowledge") {
			body = ""
		}
		if status, text, _ := h.call(t, method, path, body); status != 404 {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}

// A token that may only look at incidents can do nothing else.
func TestATokenMayOnlyDoWhatItsScopesSay(t *testing.T) {
	h := newHouse(t)
	h.wrong(t, 1)
	for scope, want := range map[string][3]int{ // read incidents, change them, look at stock
		"incidents:read": {200, 403, 403}, "incidents:write": {403, 200, 403}, "incidents": {200, 200, 403}, "items": {403, 403, 200},
	} {
		plain, _, err := h.ops.NewToken(t.Context(), scope, "test", scope)
		if err != nil {
			t.Fatal(err)
		}
		h.token = plain
		var got [3]int
		got[0], _, _ = h.call(t, "GET", "/api/v1/incidents", "")
		got[1], _, _ = h.call(t, "POST", "/api/v1/incidents/1/acknowledge", "")
		got[2], _, _ = h.call(t, "GET", "/api/v1/items/mug/availability", "")
		if got != want {
			t.Errorf("%s: %v, want %v", scope, got, want)
		}
	}
	for _, bad := range []string{"everything", "incidents:delete", "incident"} {
		if _, _, err := h.ops.NewToken(t.Context(), "x", "test", bad); err == nil {
			t.Errorf("%s is taken for a scope", bad)
		}
	}
}
