package api

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spillway/spillway/kit/errs"
)

func TestWebhookStatuses(t *testing.T) {
	var got []byte
	var fail error
	srv := httptest.NewServer(Webhooks(func(_ context.Context, vendor, app string, _ http.Header, body []byte) error {
		got = body
		if vendor != "dummy" || app != "a1" {
			t.Errorf("vendor %q, app %q", vendor, app)
		}
		return fail
	}, slog.New(slog.DiscardHandler)))
	defer srv.Close()
	post := func(path string, body io.Reader) *http.Response {
		t.Helper()
		resp, err := http.Post(srv.URL+path, "application/json", body)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	for _, c := range []struct {
		name   string
		err    error
		status int
	}{
		{"stored", nil, 200},
		{"forged", errs.New(errs.Unauthenticated, "", "", "no"), 401},
		{"unreadable", errs.New(errs.Invalid, "", "", "no"), 400},
		{"unknown app", errs.New(errs.NotFound, "", "", "no"), 404},
		{"too busy", errs.New(errs.Busy, "", "", "later"), 503},
		{"too slow", context.DeadlineExceeded, 503},
		{"defect", io.ErrUnexpectedEOF, 500},
	} {
		fail = c.err
		resp := post("/hooks/dummy/a1", strings.NewReader("{}"))
		if resp.StatusCode != c.status {
			t.Errorf("%s: status %d, want %d", c.name, resp.StatusCode, c.status)
		}
		if c.status == 503 && resp.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", c.name)
		}
		if text, _ := io.ReadAll(resp.Body); c.status == 500 && bytes.Contains(text, []byte("EOF")) {
			t.Errorf("a defect's cause is shown: %s", text)
		}
	}
	fail, got = nil, nil
	if resp := post("/hooks/dummy/a1", bytes.NewReader(make([]byte, 10<<20))); resp.StatusCode != 413 || got != nil {
		t.Errorf("10 MB: status %d, handed on: %t", resp.StatusCode, got != nil)
	}
	if resp := post("/hooks/dummy/a1", io.MultiReader(bytes.NewReader(make([]byte, 2<<20)))); resp.StatusCode != 413 || got != nil {
		t.Errorf("2 MB of unknown length: status %d, handed on: %t", resp.StatusCode, got != nil)
	}
}
