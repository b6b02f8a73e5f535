package shopify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/spillway/spillway/sim/world"
)

var testStart = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// shop is a store behind real HTTP with a virtual clock.
type shop struct {
	*Sim
	t     *testing.T
	clock *world.Virtual
	url   string
}

func open(t *testing.T, change ...func(*Options)) *shop {
	t.Helper()
	clock := world.NewVirtual(testStart)
	o := Options{Clock: clock, Seed: 7, Unthrottled: true}
	for _, f := range change {
		f(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(func() { srv.Close(); s.Close() })
	return &shop{Sim: s, t: t, clock: clock, url: srv.URL}
}

// product adds a product of one variant a SKU with the given stock and returns the variants.
func (s *shop) product(stock int, skus ...string) []Variant {
	s.t.Helper()
	in := ProductInput{Title: "Mug"}
	for _, sku := range skus {
		in.Variants = append(in.Variants, VariantInput{SKU: sku, Title: sku, Stock: stock, Price: "12.50"})
	}
	vs, err := s.AddProduct(in)
	if err != nil {
		s.t.Fatal(err)
	}
	return vs
}

func (s *shop) place(sku string, n int) Order {
	s.t.Helper()
	o, err := s.PlaceOrder(OrderInput{Lines: []OrderLine{{SKU: sku, Quantity: n}}})
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

// answer is a decoded GraphQL response. Its methods walk it.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   map[string]any
}

func (s *shop) post(version, token, contentType string, body []byte) answer {
	s.t.Helper()
	req, err := http.NewRequest("POST", s.url+"/admin/api/"+version+"/graphql.json", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("X-Shopify-Access-Token", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := answer{t: s.t, status: resp.StatusCode, header: resp.Header}
	if err := json.Unmarshal(raw, &a.body); err != nil {
		a.body = map[string]any{"raw": string(raw)}
	}
	return a
}

func (s *shop) at(version, query string, vars map[string]any) answer {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.post(version, s.opts.AccessToken, "application/json", body)
}

// query runs against the newest version and fails the test on any top-level error.
func (s *shop) query(query string, vars map[string]any) answer {
	s.t.Helper()
	a := s.at("2026-10", query, vars)
	if a.body["errors"] != nil {
		s.t.Fatalf("errors: %s", a.text())
	}
	return a
}

func (a answer) text() string {
	b, _ := json.Marshal(a.body) // it was just decoded
	return string(b)
}

// get walks keys and indexes; nil when something on the way is missing.
func (a answer) get(path ...any) any {
	var v any = a.body
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func (a answer) want(want any, path ...any) {
	a.t.Helper()
	if n, ok := want.(int); ok {
		want = float64(n)
	}
	if got := a.get(path...); fmt.Sprint(got) != fmt.Sprint(want) {
		a.t.Errorf("%v = %v, want %v\n%s", path, got, want, a.text())
	}
}

// code is the code of the first top-level error, empty when there is none.
func (a answer) code() string {
	c, _ := a.get("errors", 0, "extensions", "code").(string)
	return c
}

// rawPost sends a body on a connection of its own and gives the transport's error, for calls that are cut.
func rawPost(s *shop, body string) (string, error) {
	req, err := http.NewRequest("POST", s.url+"/admin/api/2026-10/graphql.json", bytes.NewReader([]byte(body)))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Shopify-Access-Token", s.opts.AccessToken)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}
