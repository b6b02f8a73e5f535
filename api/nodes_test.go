package api

import (
	"strings"
	"testing"
)

// TestNodesAreSaidByPrograms: what is written is read back, an old version is refused, and what is wrong is named.
func TestNodesAreSaidByPrograms(t *testing.T) {
	h := newHouse(t)
	const said = `{"name":"Reno","kind":"own","place":{"country":"US"},"zone":"America/Los_Angeles","active":true,"shifts":[{"weekday":1,"from":"08:00","until":"16:00","per_hour":60}]}`
	if status, text, _ := h.call(t, "PUT", "/api/v1/nodes/reno", `{"version":0,"said":`+said+`}`); status != 200 || !strings.Contains(text, `"version":1`) {
		t.Fatalf("%d %s", status, text)
	}
	if status, text, _ := h.call(t, "PUT", "/api/v1/nodes/reno", `{"version":0,"said":`+said+`}`); status != 409 {
		t.Errorf("an old version: %d %s", status, text)
	}
	if status, text, _ := h.call(t, "PUT", "/api/v1/nodes/reno", `{"version":1,"said":`+strings.Replace(said, "America/Los_Angeles", "Mars", 1)+`}`); status != 400 || !strings.Contains(text, "time zone") {
		t.Errorf("a zone that is none: %d %s", status, text)
	}
	if status, text, _ := h.call(t, "GET", "/api/v1/nodes/reno", ""); status != 200 || !strings.Contains(text, `"per_hour":60`) || !strings.Contains(text, `"actor":"token:`) {
		t.Errorf("%d %s", status, text)
	}
	if status, text, _ := h.call(t, "GET", "/api/v1/nodes", ""); status != 200 || !strings.Contains(text, `"reno"`) {
		t.Errorf("%d %s", status, text)
	}
	if status, _, _ := h.call(t, "GET", "/api/v1/nodes/nowhere", ""); status != 404 {
		t.Errorf("a node that is none: %d", status)
	}
}
