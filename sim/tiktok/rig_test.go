package tiktok

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillway/spillway/sim/world"
)

// start is a Monday morning in Los Angeles.
var start = time.Date(2026, 11, 2, 17, 0, 0, 0, time.UTC)

// rig is a simulator on a virtual clock behind real HTTP, with a client that signs.
type rig struct {
	*testing.T
	sim   *Sim
	clock *world.Virtual
	url   string
	token string
	shop  ShopView
	hooks *hooks
}

func newRig(t *testing.T, change ...func(*Options)) *rig {
	t.Helper()
	clock := world.NewVirtual(start)
	o := Options{Clock: clock, Seed: 1, Shops: []ShopSpec{{Name: "First", Warehouses: []WarehouseSpec{{Name: "East"}, {Name: "West"},
		{Name: "Returns", Returns: true}, {Name: "FBT", FBT: true}},
		Products: []ProductSpec{{Title: "Mug", SKUs: []SKUSpec{{SellerSKU: "MUG-R", Stock: map[string]int{"East": 40, "West": 10}},
			{SellerSKU: "MUG-B", Available: 50}}}, {Title: "Lamp", SKUs: []SKUSpec{{SellerSKU: "LAMP", Stock: map[string]int{"East": 5, "FBT": 30}}}}}}}}
	for _, c := range change {
		c(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(func() { srv.Close(); s.Stop() })
	r := &rig{T: t, sim: s, clock: clock, url: srv.URL, shop: s.Shops()[0]}
	r.grant()
	return r
}

func (r *rig) grant() {
	r.Helper()
	a, err := r.sim.Grant(r.sim.Sellers()[0])
	if err != nil {
		r.Fatal(err)
	}
	r.token = a.AccessToken
}

type answer struct {
	HTTP      int             `json:"-"`
	Code      int             `json:"code"`
	Message   string          `json:"message"`
	RequestID string          `json:"request_id"`
	Data      json.RawMessage `json:"data"`
}

// request builds a signed call. body is JSON text; a query value "-" removes the parameter.
func (r *rig) request(method, path, body string, query ...string) *http.Request {
	r.Helper()
	q := values("app_key", r.sim.o.AppKey, "timestamp", fmt.Sprint(r.clock.Now().Unix()), "shop_cipher", r.shop.Cipher)
	for i := 0; i < len(query); i += 2 {
		if query[i+1] == "-" {
			q.Del(query[i])
		} else {
			q.Set(query[i], query[i+1])
		}
	}
	q.Set("sign", requestSign(r.sim.o.AppSecret, path, q, []byte(body)))
	req, err := http.NewRequestWithContext(r.Context(), method, r.url+path+"?"+q.Encode(), strings.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("x-tts-access-token", r.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

func (r *rig) do(req *http.Request) answer {
	r.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.Fatal(err)
	}
	a := answer{HTTP: resp.StatusCode}
	if err := json.Unmarshal(b, &a); err != nil {
		r.Fatalf("%s: %v in %s", req.URL.Path, err, b)
	}
	if a.RequestID == "" || len(a.Data) == 0 {
		r.Errorf("%s: the envelope lacks parts: %s", req.URL.Path, b)
	}
	return a
}

// call makes a signed call and returns the answer whatever its code.
func (r *rig) call(method, path, body string, query ...string) answer {
	r.Helper()
	if strings.HasPrefix(path, "/authorization/") || strings.HasPrefix(path, "/seller/") {
		query = append(query, "shop_cipher", "-")
	}
	return r.do(r.request(method, path, body, query...))
}

// ok makes a call that must succeed and decodes its data.
func (r *rig) ok(into any, method, path, body string, query ...string) {
	r.Helper()
	a := r.call(method, path, body, query...)
	if a.Code != 0 || a.HTTP != http.StatusOK {
		r.Fatalf("%s %s: %d %d %s", method, path, a.HTTP, a.Code, a.Message)
	}
	if into != nil {
		if err := json.Unmarshal(a.Data, into); err != nil {
			r.Fatalf("%s %s: %v in %s", method, path, err, a.Data)
		}
	}
}

// refused makes a call that must answer a code.
func (r *rig) refused(code int, method, path, body string, query ...string) answer {
	r.Helper()
	a := r.call(method, path, body, query...)
	if a.Code != code {
		r.Errorf("%s %s %s: code %d %q, want %d", method, path, body, a.Code, a.Message, code)
	}
	return a
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) place(sku string, qty int, o ...PlaceOptions) string {
	r.Helper()
	id, err := r.sim.PlaceOrder(r.shop.ID, []Wanted{{sku, qty}}, append(o, PlaceOptions{})[0])
	r.must(err)
	return id
}

// ready places an order and takes it past its hold.
func (r *rig) ready(sku string, qty int, o ...PlaceOptions) string {
	r.Helper()
	id := r.place(sku, qty, o...)
	r.must(r.sim.AdvanceStatus(id))
	return id
}

func (r *rig) status(id string) string {
	r.Helper()
	o, err := r.sim.Order(id)
	r.must(err)
	return o.Status
}

func (r *rig) is(id, want string) {
	r.Helper()
	if got := r.status(id); got != want {
		r.Errorf("order is %s, want %s", got, want)
	}
}

func (r *rig) sku(name string) SKUView {
	r.Helper()
	k, err := r.sim.SKU(r.shop.ID, name)
	r.must(err)
	return k
}

func (r *rig) warehouse(name string) string {
	for _, w := range r.shop.Warehouses {
		if w.Name == name {
			return w.ID
		}
	}
	return ""
}

func (r *rig) provider() string { return provider(r.shop.Region, "").id }

// hooks receives webhooks and keeps their bodies.
type hooks struct {
	*httptest.Server
	mu   sync.Mutex
	got  []hookCall
	next []int // statuses to answer
}

type hookCall struct {
	auth string
	body []byte
	envelope
	data map[string]any
}

func (r *rig) listen() *hooks {
	r.Helper()
	h := &hooks{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		c := hookCall{auth: req.Header.Get("Authorization")}
		c.body, _ = io.ReadAll(req.Body)
		c.envelope.Data = &c.data
		_ = json.Unmarshal(c.body, &c.envelope) // a bad body shows as a missing type
		h.mu.Lock()
		defer h.mu.Unlock()
		h.got = append(h.got, c)
		if len(h.next) > 0 {
			w.WriteHeader(h.next[0])
			h.next = h.next[1:]
		}
	}))
	r.Cleanup(h.Close)
	r.must(r.sim.SetConsoleWebhook("*", h.URL))
	r.hooks = h
	return h
}

// take waits for everything sent and returns it.
func (r *rig) take() []hookCall {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	r.must(r.sim.Webhooks().Idle(ctx))
	r.hooks.mu.Lock()
	defer r.hooks.mu.Unlock()
	got := r.hooks.got
	r.hooks.got = nil
	return got
}

func path(format string, args ...any) string {
	for i, a := range args {
		args[i] = url.PathEscape(fmt.Sprint(a))
	}
	return fmt.Sprintf(format, args...)
}
