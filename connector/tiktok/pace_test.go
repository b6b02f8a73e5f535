package tiktok

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"

	"github.com/spillway/spillway/connector/driver"
)

// TestAnEndpointIsPacedInOneLane: whatever an endpoint is called for, its calls wait in one line, since the platform counts them
// together; and no operation is given less than the rest, or what webhooks name would wait for slots that nobody uses.
func TestAnEndpointIsPacedInOneLane(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"code":0}`)) }))
	defer server.Close()
	base, _ := url.Parse(server.URL)
	var lanes []driver.Operation
	c := &channel{api: caller{base: base}, env: driver.Env{
		Client: server.Client(), Token: func(context.Context) (string, error) { return "t", nil },
		Pace: func(_ context.Context, op driver.Operation) error { lanes = append(lanes, op); return nil },
	}}
	for e, lane := range paced {
		lanes = nil
		for _, op := range []driver.Operation{driver.OpOrder, driver.OpQuote, driver.OpBook, driver.OpFind, driver.OpTell, driver.OpGroup} {
			if _, _, err := call[struct{}](t.Context(), c, op, e, e.path, nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		if len(lanes) != 6 || slices.ContainsFunc(lanes, func(l driver.Operation) bool { return l != lane }) {
			t.Errorf("%s waited in %v", e.path, lanes)
		}
	}
	if l := (Vendor{}).Describe().Limits; l.Default < 40 || len(l.PerSecond) > 0 {
		t.Errorf("operations have rates of their own: %+v", l)
	}
}
