package tiktok

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// TestErrorClasses sends each failure through real HTTP, as a read and as a push.
func TestErrorClasses(t *testing.T) {
	for _, c := range []struct {
		status  int
		code    int64
		class   driver.Class
		applied bool // of a push
	}{
		{429, codeThrottled, driver.RetryAfter, false},
		{503, codeThrottled, driver.Retry, false},
		{200, codeInternal, driver.Retry, true},
		{500, codeInternal, driver.Retry, true},
		{200, codeTimeout, driver.Retry, true},
		{400, codeBadParameter, driver.AskHuman, false},
		{404, 36009009, driver.GiveUp, false},
		{405, 36009010, driver.GiveUp, false},
		{200, 36009033, driver.AskHuman, false},
		{400, 101000, driver.AskHuman, false},
		{401, 105002, driver.RefreshLogin, false},
		{200, 105002, driver.RefreshLogin, false},
		{403, 105005, driver.AskHuman, false},
		{401, 106001, driver.AskHuman, false},
		{400, 106013, driver.AskHuman, false},
		{200, 25001028, driver.RetryAfter, false},
		{200, 25001003, driver.GiveUp, false},
		{200, 21011044, driver.RetryAfter, false},
		{200, 21022026, driver.GiveUp, false},
		{200, 21034012, driver.GiveUp, false}, // documented for shipping, without words
		{200, 12052096, driver.GiveUp, false}, // documented for updates: refuses the whole call
		{200, 99999999, driver.GiveUp, true},  // documented nowhere: says nothing of what was done
		{502, 0, driver.Retry, true},          // a page of a gateway in between
		{408, 0, driver.Retry, true},
		{429, 0, driver.RetryAfter, false},
		{401, 0, driver.RefreshLogin, false},
		{403, 0, driver.GiveUp, false},
		{302, 0, driver.GiveUp, false},
	} {
		t.Run(fmt.Sprintf("%d %d", c.status, c.code), func(t *testing.T) {
			body := fmt.Sprintf(`{"code":%d,"message":"why","request_id":"r1","data":{}}`, c.code)
			if c.code == 0 {
				body = "<html>Busy</html>"
			}
			ch := channelAt(t, answering(t, c.status, body))
			_, read := ch.Locations(t.Context())
			_, write := ch.SetQuantities(t.Context(), []driver.Push{{ID: "p", Kind: driver.Absolute, Ref: driver.ListingRef{ProductID: "1", SKUID: "2", Locations: []string{"3"}}}})
			for what, err := range map[string]error{"read": read, "push": write} {
				e, ok := errors.AsType[*driver.Error](err)
				if !ok || e.Class != c.class || e.Applied != (c.applied && what == "push") || e.Status != c.status {
					t.Errorf("%s: %v, applied %v", what, err, driver.MayBeApplied(err))
					continue
				}
				if c.code != 0 && (e.RequestID != "r1" || e.Code != fmt.Sprint(c.code) || e.Message != "why") {
					t.Errorf("%s: code %s, request %s, message %q", what, e.Code, e.RequestID, e.Message)
				}
				if c.class == driver.RetryAfter && e.After <= 0 {
					t.Errorf("%s: no time to wait", what)
				}
			}
		})
	}
}

func TestRetryAfterHeader(t *testing.T) {
	ch := channelAt(t, answering(t, 429, `{"code":36009002}`, "Retry-After", "17"))
	_, err := ch.Locations(t.Context())
	if e, _ := errors.AsType[*driver.Error](err); e == nil || e.After != 17*time.Second {
		t.Errorf("%v", err)
	}
}

func TestAnswersThatMakeNoSense(t *testing.T) {
	for name, body := range map[string]string{"not JSON": "ok", "a list": "[]", "wrong types": `{"code":0,"data":{"warehouses":{"id":5}}}`, "nothing": ""} {
		_, err := channelAt(t, answering(t, 200, body)).Locations(t.Context())
		if driver.ClassOf(err) != driver.Retry {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPushResults are the shapes a partial failure comes in (facts, section 11).
func TestPushResults(t *testing.T) {
	ref := func(sku string, locations ...string) driver.Push {
		return driver.Push{ID: "push-" + sku, Kind: driver.Absolute, Quantity: 5, Ref: driver.ListingRef{ProductID: "1", SKUID: sku, Locations: locations}}
	}
	pushes := []driver.Push{ref("11", "w1", "w2"), ref("12", "w1", "w2"), ref("13", "w1")}
	for _, c := range []struct {
		name string
		body string
		want string
	}{
		{"all done", `{"code":0,"data":{}}`, "confirmed confirmed confirmed"},
		{"one SKU", `{"code":0,"data":{"errors":[{"code":12052096,"message":"m","detail":{"sku_id":"12"}}]}}`, "confirmed refused confirmed"},
		{"one SKU, with the partial code", `{"code":12052990,"message":"partial","data":{"errors":[{"code":12052096,"detail":{"sku_id":"12"}}]}}`, "confirmed refused confirmed"},
		{"one of two warehouses", `{"code":12052990,"data":{"errors":[{"code":1,"detail":{"sku_id":"11","extra_errors":[{"warehouse_id":"w2","code":2,"message":"m"}]}}]}}`, "unknown confirmed confirmed"},
		{"both warehouses", `{"code":12052990,"data":{"errors":[{"code":1,"detail":{"sku_id":"11","extra_errors":[{"warehouse_id":"w1","code":2},{"warehouse_id":"w2","code":2}]}}]}}`, "refused confirmed confirmed"},
		{"the only warehouse", `{"code":0,"data":{"errors":[{"code":1,"detail":{"sku_id":"13","extra_errors":[{"warehouse_id":"w1","code":2}]}}]}}`, "confirmed confirmed refused"},
		{"an error of nobody", `{"code":0,"data":{"errors":[{"code":1,"message":"m"},{"code":12052096,"detail":{"sku_id":"12"}}]}}`, "unknown refused unknown"},
		{"internal for one", `{"code":0,"data":{"errors":[{"code":36009003,"detail":{"sku_id":"12"}}]}}`, "confirmed unknown confirmed"},
		{"partial, of what it does not say", `{"code":12052990,"message":"partial","data":{}}`, "unknown unknown unknown"},
	} {
		got, err := channelAt(t, answering(t, 200, c.body)).SetQuantities(t.Context(), pushes)
		if err != nil || len(got) != len(pushes) {
			t.Errorf("%s: %v, %v", c.name, got, err)
			continue
		}
		if said := fmt.Sprintf("%s %s %s", got[0].Outcome, got[1].Outcome, got[2].Outcome); said != c.want {
			t.Errorf("%s: %s, want %s", c.name, said, c.want)
		}
		for i, r := range got {
			if (r.Err == nil) != (r.Outcome == driver.Confirmed) || r.PushID != pushes[i].ID || (r.Err != nil && r.Err.Applied != (r.Outcome == driver.Unknown)) {
				t.Errorf("%s: result %+v", c.name, r)
			}
		}
	}
}

func TestEveryWarehouseIsNamed(t *testing.T) {
	p := driver.Push{Quantity: 9, Ref: driver.ListingRef{Locations: []string{"a", "b", "c"}}}
	if got := fmt.Sprint(inventory(p)); got != "[{a 9} {b 0} {c 0}]" {
		t.Errorf("without a split: %s", got)
	}
	p.Split = map[string]int64{"b": 4, "c": 5}
	if got := fmt.Sprint(inventory(p)); got != "[{a 0} {b 4} {c 5}]" {
		t.Errorf("with a split: %s", got)
	}
}
