package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/seal"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/store"
)

var update = flag.Bool("update", false, "write the OpenAPI document anew")

// house is a running program with ten mugs, three boxes, and gift sets of two mugs and a box.
type house struct {
	*httptest.Server
	ops   *ops.Ops
	store *store.Store
	token string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	dir := t.TempDir()
	now := func() time.Time { return time.Now().UTC() }
	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(dir, "db"), store.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	ring, err := seal.Load(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	client := func(bool) *http.Client { return http.DefaultClient }
	x, err := ops.New(ops.Options{Store: st, Ring: ring, Now: now, Client: client, Files: client})
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Stop)
	err = st.Update(t.Context(), func(tx *store.Tx) error {
		return tx.LocationPut(stock.Location{ID: "main", Name: "Main", Kind: stock.Own, Active: true})
	})
	if err != nil {
		t.Fatal(err)
	}
	items := []catalog.Item{{ID: "mug", SKU: "mug"}, {ID: "box", SKU: "box"},
		{ID: "set", SKU: "set", Components: []catalog.Component{{ItemID: "mug", Qty: 2}, {ItemID: "box", Qty: 1}}}}
	if err := x.PutItems(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	moves := []stock.Movement{{ID: "m1", Kind: stock.Receive, ItemID: "mug", LocationID: "main", OnHand: 10, At: now()},
		{ID: "m2", Kind: stock.Receive, ItemID: "box", LocationID: "main", OnHand: 3, At: now()}}
	if err := x.Move(t.Context(), "test", moves, nil); err != nil {
		t.Fatal(err)
	}
	plain, _, err := x.NewToken(t.Context(), "shop", "test")
	if err != nil {
		t.Fatal(err)
	}
	desk, err := ops.NewDesk(x, ops.DeskOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(V1(x, desk, "test", slog.New(slog.DiscardHandler)))
	t.Cleanup(s.Close)
	return &house{Server: s, ops: x, store: st, token: plain}
}

// call sends body and returns the status, the answer and its headers.
func (h *house) call(t *testing.T, method, path, body string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, h.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if h.token != "" {
		req.Header.Set("Authorization", "Bearer "+h.token)
	}
	a, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(text), a.Header
}

func TestReservationsOverHTTP(t *testing.T) {
	h := newHouse(t)
	for _, step := range []struct {
		name, method, path, body string
		status                   int
		holds                    string
	}{
		{"hold", "POST", "/api/v1/reservations", `{"id":"cart-1","lines":[{"item":"mug","quantity":4}]}`, 200, `"held":4`},
		{"the same again", "POST", "/api/v1/reservations", `{"id":"cart-1","lines":[{"item":"mug","quantity":4}]}`, 200, `"held":4`},
		{"other lines", "POST", "/api/v1/reservations", `{"id":"cart-1","lines":[{"item":"mug","quantity":5}]}`, 409, "detail"},
		{"too many", "POST", "/api/v1/reservations", `{"id":"cart-2","lines":[{"item":"mug","quantity":7}]}`, 409, "available"},
		{"a bundle", "POST", "/api/v1/reservations", `{"id":"cart-3","lines":[{"item":"set","quantity":2}]}`, 200, `"set"`},
		{"what it holds", "GET", "/api/v1/reservations/cart-3", "", 200, `"box"`},
		{"what is left", "GET", "/api/v1/items/mug/availability", "", 200, `"available_to_promise":2`},
		{"of the bundle", "GET", "/api/v1/items/set/availability", "", 200, `"available_to_promise":1`},
		{"no item", "GET", "/api/v1/items/nothing/availability", "", 404, "no such item"},
		{"no quantity", "POST", "/api/v1/reservations", `{"id":"c","lines":[{"item":"mug","quantity":0}]}`, 422, "body.lines[0].quantity"},
		{"no lines", "POST", "/api/v1/reservations", `{"id":"c","lines":[]}`, 422, "body.lines"},
		{"an unknown field", "POST", "/api/v1/reservations", `{"id":"c","lines":[{"item":"mug","quantity":1}],"qty":1}`, 422, "qty"},
		{"no JSON", "POST", "/api/v1/reservations", `{"id":`, 400, "detail"},
		{"many", "POST", "/api/v1/reservations/batch", `{"reservations":[{"id":"a","lines":[{"item":"mug","quantity":2}]},{"id":"b","lines":[{"item":"mug","quantity":2}]}]}`, 200, `"status":409`},
		{"ship", "POST", "/api/v1/reservations/cart-1/ship", "", 204, ""},
		{"shipped", "GET", "/api/v1/reservations/cart-1", "", 200, `"shipped":4`},
		{"release", "DELETE", "/api/v1/reservations/cart-3", "", 204, ""},
		{"release nothing", "DELETE", "/api/v1/reservations/none", "", 404, "no such reservation"},
		{"left at the end", "GET", "/api/v1/items/mug/availability", "", 200, `"available_to_promise":4`},
	} {
		status, text, header := h.call(t, step.method, step.path, step.body)
		if status != step.status || !strings.Contains(text, step.holds) {
			t.Errorf("%s: %d %s, want %d with %q", step.name, status, text, step.status, step.holds)
		}
		if status >= 400 && header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: an error of type %q", step.name, header.Get("Content-Type"))
		}
	}
	proof, err := h.ops.Prove(t.Context())
	if err != nil || len(proof.Ledger) > 0 {
		t.Errorf("journal and balances: %v %v", proof, err)
	}
}

func TestNobodyPassesWithoutAGoodToken(t *testing.T) {
	h := newHouse(t)
	good := h.token
	tokens, err := h.ops.Tokens(t.Context())
	if err != nil || len(tokens) != 1 || bytes.Contains(tokens[0].Hash, []byte(good)) {
		t.Fatalf("tokens: %v %v", tokens, err)
	}
	try := func(token string) int {
		h.token = token
		status, text, header := h.call(t, "GET", "/api/v1/items/mug/availability", "")
		if status == 401 && header.Get("WWW-Authenticate") == "" || strings.Contains(text, "spw_") {
			t.Errorf("the answer to %q: %s %v", token, text, header)
		}
		return status
	}
	for token, want := range map[string]int{"": 401, "spw_x": 401, good + "x": 401, strings.ToUpper(good): 401, good: 200} {
		if got := try(token); got != want {
			t.Errorf("a token of %d letters: %d, want %d", len(token), got, want)
		}
	}
	if err := h.ops.RevokeToken(t.Context(), tokens[0].ID, "test"); err != nil {
		t.Fatal(err)
	}
	if got := try(good); got != 401 {
		t.Errorf("a revoked token: %d", got)
	}
	h.token = ""
	if status, _, _ := h.call(t, "GET", "/api/v1/openapi.json", ""); status != 200 {
		t.Errorf("the document needs a token: %d", status)
	}
}

// TestTheDocumentIsAsPublished: what programs are written against changes on purpose only. Write it anew with -update.
func TestTheDocumentIsAsPublished(t *testing.T) {
	h := newHouse(t)
	_, text, _ := h.call(t, "GET", "/api/v1/openapi.json", "")
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, []byte(text), "", "  "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	const golden = "testdata/openapi.json"
	if *update {
		if err := os.WriteFile(golden, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, pretty.Bytes()) {
		t.Error("the OpenAPI document differs from testdata/openapi.json; look at the change, then run with -update")
	}
}

// block is a call of the guide, or the answer to the one before it.
var block = regexp.MustCompile("(?ms)^```(http|json)([^\n]*)\n(.*?)^```$")

// TestTheGuideIsTrue runs the guide's story as it stands there.
func TestTheGuideIsTrue(t *testing.T) {
	text, err := os.ReadFile("../docs/guides/api.md")
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t)
	calls, status, answer := 0, 0, ""
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		if m[1] == "http" {
			head, body, _ := strings.Cut(m[3], "\n\n")
			method, path, _ := strings.Cut(strings.TrimSpace(head), " ")
			status, answer, _ = h.call(t, method, path, body)
			calls++
			continue
		}
		if want := strings.TrimSpace(m[2]); want != strconv.Itoa(status) {
			t.Errorf("call %d answers %d, the guide says %s", calls, status, want)
		}
		if got, want := parsed(t, answer), parsed(t, m[3]); !reflect.DeepEqual(got, want) {
			t.Errorf("call %d answers\n%v, the guide says\n%v", calls, got, want)
		}
	}
	if calls < 7 {
		t.Errorf("only %d calls found in the guide", calls)
	}
}

func parsed(t *testing.T, text string) (v any) {
	t.Helper()
	if strings.TrimSpace(text) == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}
