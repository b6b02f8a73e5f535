package shopify

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// answering opens a channel whose shop always gives one answer.
func answering(t *testing.T, status int, header http.Header, body string) *channel {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for k, v := range header {
			w.Header()[k] = v
		}
		w.Header().Set("X-Request-Id", "req-1")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(srv.Close)
	c, err := open(driver.Connection{ID: "c", Shop: driver.Shop{ExternalID: testShop}, App: driver.App{Settings: map[string]string{SettingBase: srv.URL}}},
		driver.Env{Client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
			Token: func(context.Context) (string, error) { return "t", nil }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestFailuresAreClassed covers the three layers a failure can come from. Bodies of the second are as real shops sent them.
func TestFailuresAreClassed(t *testing.T) {
	const cost = `"extensions":{"cost":{"requestedQueryCost":10,"actualQueryCost":null,"throttleStatus":{"maximumAvailable":2000,"currentlyAvailable":4,"restoreRate":100}}}`
	withCode := func(code string) string {
		return `{"errors":[{"message":"m","extensions":{"code":"` + code + `"}}],"data":{"inventorySetQuantities":null}}`
	}
	for name, tc := range map[string]struct {
		status  int
		header  http.Header
		body    string
		class   driver.Class
		applied bool // for a write
		after   time.Duration
	}{
		"token":                {401, nil, `{"errors":"[API] Invalid API key or access token (unrecognized login or wrong password)"}`, driver.RefreshLogin, false, 0},
		"scope":                {403, nil, `{"errors":"[API] This action requires merchant approval for write_inventory scope."}`, driver.AskHuman, false, 0},
		"frozen":               {402, nil, `{"errors":"Unavailable Shop"}`, driver.AskHuman, false, 0},
		"locked":               {423, nil, `{"errors":"Unavailable Shop"}`, driver.AskHuman, false, 0},
		"no shop":              {404, nil, `{"errors":"Not Found"}`, driver.AskHuman, false, 0},
		"moved":                {301, http.Header{"Location": {"https://elsewhere.example/"}}, ``, driver.AskHuman, false, 0},
		"too many":             {429, http.Header{"Retry-After": {"2.5"}}, `{"errors":"Exceeded"}`, driver.RetryAfter, false, 2500 * time.Millisecond},
		"too many, no time":    {430, nil, `<html>`, driver.RetryAfter, false, defaultAfter},
		"too many, absurd":     {429, http.Header{"Retry-After": {"1e99"}}, ``, driver.RetryAfter, false, maxAfter},
		"bad request":          {400, nil, `{"errors":{"query":"Required parameter missing or invalid"}}`, driver.GiveUp, false, 0},
		"broken":               {500, nil, `oops`, driver.Retry, true, 0},
		"gateway":              {504, nil, `<html>`, driver.Retry, true, 0},
		"unavailable":          {503, nil, ``, driver.Retry, true, 0},
		"half an answer":       {200, nil, `{"data":{"inventorySetQ`, driver.Retry, true, 0},
		"no data":              {200, nil, `{}`, driver.Retry, true, 0},
		"no payload":           {200, nil, `{"data":{"inventorySetQuantities":null}}`, driver.Retry, true, 0},
		"throttled":            {200, nil, `{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],` + cost + `}`, driver.RetryAfter, false, 60 * time.Millisecond},
		"throttled, no cost":   {200, nil, withCode("THROTTLED"), driver.RetryAfter, false, defaultAfter},
		"access denied":        {200, nil, withCode("ACCESS_DENIED"), driver.AskHuman, false, 0},
		"too expensive":        {200, nil, withCode("MAX_COST_EXCEEDED"), driver.GiveUp, false, 0},
		"directive missing":    {200, nil, `{"errors":[{"message":"The @idempotent directive is required for this mutation but was not provided.","extensions":{"code":"BAD_REQUEST"}}],"data":null}`, driver.GiveUp, false, 0},
		"argument missing":     {200, nil, withCode("INVALID_FIELD_ARGUMENTS"), driver.GiveUp, false, 0},
		"variable of old form": {200, nil, `{"errors":[{"message":"x","extensions":{"code":"INVALID_VARIABLE"}}]}`, driver.GiveUp, false, 0},
		"field is gone":        {200, nil, `{"errors":[{"message":"x","extensions":{"code":"undefinedField"}}]}`, driver.GiveUp, false, 0},
		"internal":             {200, nil, withCode("INTERNAL_SERVER_ERROR"), driver.Retry, true, 0},
		"a new code":           {200, nil, withCode("SOLAR_FLARE"), driver.Retry, true, 0},
		"no code":              {200, nil, `{"errors":[{"message":"x"}]}`, driver.Retry, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := answering(t, tc.status, tc.header, tc.body)
			p := driver.Push{ID: "p", Ref: driver.ListingRef{ItemRef: "1", Locations: []string{"2"}}, Kind: driver.CompareAndSet, Quantity: 1}
			_, err := c.SetQuantities(t.Context(), []driver.Push{p})
			e, ok := err.(*driver.Error)
			if !ok || e.Class != tc.class || e.Applied != tc.applied || e.After != tc.after {
				t.Fatalf("a write: %#v", err)
			}
			if e.RequestID != "req-1" || e.Status != tc.status || e.Op != driver.OpSet {
				t.Errorf("a write: %+v", e)
			}
			if name == "no payload" {
				return
			}
			_, err = c.Listings(t.Context(), "")
			if e, ok := err.(*driver.Error); !ok || e.Class != tc.class || e.Applied {
				t.Errorf("a read: %#v", err)
			}
		})
	}
}

// TestUserErrors covers the third layer.
func TestUserErrors(t *testing.T) {
	for code, want := range map[string]struct {
		outcome driver.Outcome
		class   driver.Class
	}{
		"CHANGE_FROM_QUANTITY_STALE": {driver.Stale, driver.Retry}, "COMPARE_QUANTITY_STALE": {driver.Stale, driver.Retry},
		"INVALID_QUANTITY_TOO_HIGH": {driver.Refused, driver.GiveUp}, "INVALID_REASON": {driver.Refused, driver.GiveUp},
		"ITEM_NOT_STOCKED_AT_LOCATION": {driver.Refused, driver.AskHuman}, "NON_MUTABLE_INVENTORY_ITEM": {driver.Refused, driver.AskHuman},
		"IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED": {driver.Refused, driver.Retry}, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH": {driver.Refused, driver.GiveUp},
		"IDEMPOTENCY_CONCURRENT_REQUEST": {driver.Unknown, driver.RetryAfter}, "": {driver.Refused, driver.GiveUp},
	} {
		body := `{"data":{"inventorySetQuantities":{"userErrors":[{"field":["input","quantities","0","quantity"],"message":"m","code":"` + code + `"}]}}}`
		c := answering(t, 200, nil, strings.ReplaceAll(body, `"code":""`, `"code":null`))
		p := driver.Push{ID: "p", Ref: driver.ListingRef{ItemRef: "1", Locations: []string{"2"}}, Kind: driver.CompareAndSet, Quantity: 1}
		r := results(t, c, p)[0]
		if r.Outcome != want.outcome || r.Err.Class != want.class {
			t.Errorf("%s: %s, %v", code, r.Outcome, r.Err)
		}
	}
	// An error of the whole request is everybody's.
	c := answering(t, 200, nil, `{"data":{"inventorySetQuantities":{"userErrors":[{"field":["input","reason"],"message":"m","code":"INVALID_REASON"}]}}}`)
	ref := driver.ListingRef{ItemRef: "1", Locations: []string{"2"}}
	two := ref
	two.ItemRef = "3"
	for _, r := range results(t, c, driver.Push{ID: "a", Ref: ref, Kind: driver.CompareAndSet}, driver.Push{ID: "b", Ref: two, Kind: driver.CompareAndSet}) {
		if r.Outcome != driver.Refused || r.Err.Code != "INVALID_REASON" {
			t.Errorf("push %s: %+v", r.PushID, r)
		}
	}
}

func TestOpenRefusesWrongSettings(t *testing.T) {
	for name, c := range map[string]driver.Connection{
		"an old version":   {Shop: driver.Shop{ExternalID: testShop}, Settings: map[string]string{SettingShopVersion: "2025-07"}},
		"no version":       {Shop: driver.Shop{ExternalID: testShop}, Settings: map[string]string{SettingShopVersion: "latest"}},
		"no quarter":       {Shop: driver.Shop{ExternalID: testShop}, App: driver.App{Settings: map[string]string{SettingVersion: "2026-05"}}},
		"another host":     {Shop: driver.Shop{ExternalID: "evil.example"}},
		"a path in a name": {Shop: driver.Shop{ExternalID: "a.myshopify.com/x"}},
		"no shop":          {},
	} {
		if _, err := (Vendor{}).Open(c, driver.Env{}); driver.ClassOf(err) != driver.AskHuman || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, err := open(driver.Connection{Shop: driver.Shop{ExternalID: testShop}}, driver.Env{})
	if err != nil || c.endpoint != "https://sandbox.myshopify.com/admin/api/2026-10/graphql.json" {
		t.Errorf("default endpoint: %v, %v", c, err)
	}
	if !version("2027-01").valid() || !version("2027-01").keyed() {
		t.Error("a later version must follow the latest rules")
	}
}

// TestAnotherVersionIsNoticed: Shopify answers in its oldest version where the one asked for has expired.
func TestAnotherVersionIsNoticed(t *testing.T) {
	c := answering(t, 200, http.Header{"X-Shopify-Api-Version": {"2026-01"}}, `{"data":{"locations":{"nodes":[],"pageInfo":{}}}}`)
	if _, err := c.Locations(t.Context()); err != nil {
		t.Fatal(err)
	}
	noticed := true
	c.otherVersion.Do(func() { noticed = false })
	if !noticed {
		t.Error("the other version was not noticed")
	}
}
