package ops

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/web"
)

// The pages of the control room show what the desk answers.
func TestPagesOfHealth(t *testing.T) {
	d, c := judgedDesk(t, "sqlite:"+t.TempDir()+"/h.db", "a")
	d.take(t, "a", week(4)...)
	if _, err := d.x.CountHealth(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.x.Foresee(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.health = healthDesk{}
	if err := d.CreateFirstUser(t.Context(), view.User{ID: "u", Email: "mia@example.com", Name: "Mia", PasswordHash: "none", CreatedAt: judgedDay}); err != nil {
		t.Fatal(err)
	}
	site := web.New(d, web.Options{Now: c.now, DemoUser: "mia@example.com"})
	defer site.Close()
	for path, want := range map[string]string{
		"/health":                   "Late dispatch 6.66 %, over its 4 % target.",
		"/health?shop=a&causes=ldr": "Blitz",
		"/health/ldr?shop=a":        "4 to 24 hours late",
		"/health/ldr?shop=a&all=1":  "No01",
		"/health/vtr?shop=a":        "do not say how it is counted",
		"/policy":                   "at most 4 %",
		"/policy?market=US&from=2026-02-10&to=2026-03-10": "Nothing changes for the orders of today’s window",
		"/explain/rate:a@ldr":                             "orders handed over",
	} {
		r := httptest.NewRequest("GET", "http://127.0.0.1:8080"+path, nil)
		r.RemoteAddr = "127.0.0.1:5000"
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		if body := w.Body.String(); w.Code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d, and no “%s”\n%s", path, w.Code, want, body[:min(len(body), 300)])
		}
	}
}
