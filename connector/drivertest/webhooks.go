package drivertest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

// slowest bounds the work on one bad webhook. It is far above what any should take, so that a busy machine does not fail
// the suite, and far below what work that grows with the square of a body's size or depth takes.
const slowest = 30 * time.Second

func testWebhooks(t *testing.T, h *Harness) {
	h.supports(t, "order webhooks")
	id := h.Place(t, h.SKUs[0], 1)
	sent := h.Webhooks(t)
	if len(sent) == 0 {
		t.Fatal("the simulator has sent nothing")
	}
	told := false
	for _, w := range sent {
		env, err := h.Vendor.Verify(h.App, w.Header, w.Body)
		if err != nil {
			t.Fatalf("Verify of a genuine webhook: %v\n%s", err, w.Body)
		}
		if env.DeliveryID == "" || env.Topic == "" || env.ShopID == "" {
			t.Errorf("envelope %+v is not complete", env)
		}
		if !env.Account && env.ShopID != h.Connection.Shop.ExternalID {
			t.Errorf("it is for shop %s, want %s", env.ShopID, h.Connection.Shop.ExternalID)
		}
		again, err := h.Vendor.Verify(h.App, w.Header, w.Body)
		if err != nil || again != env {
			t.Errorf("Verify again: %v, %s", err, cmp.Diff(env, again))
		}
		facts, err := h.Vendor.Decode(env.Topic, w.Body)
		if err != nil {
			t.Fatalf("Decode %s: %v\n%s", env.Topic, err, w.Body)
		}
		repeat, _ := h.Vendor.Decode(env.Topic, w.Body)
		if diff := cmp.Diff(facts, repeat); diff != "" {
			t.Errorf("Decode %s again:\n%s", env.Topic, diff)
		}
		for _, f := range facts {
			told = checkFact(t, h, f) == id || told
		}
		testOldSecret(t, h, w)
	}
	if !told {
		t.Errorf("no webhook speaks of order %s", id)
	}
}

// checkFact demands that exactly one field is set and that an order's fact can be merged; it returns the order's id.
func checkFact(t *testing.T, h *Harness, f driver.Fact) string {
	t.Helper()
	set := 0
	for _, is := range []bool{f.Order != nil, f.Quantity != nil, f.Stock != nil, f.Listing != nil, f.Auth != nil, f.Note != nil} {
		if is {
			set++
		}
	}
	if set != 1 {
		t.Errorf("a fact has %d fields set: %+v", set, f)
	}
	if f.Order == nil {
		return ""
	}
	o := *f.Order
	if o.ConnectionID != "" {
		t.Errorf("a webhook cannot know the connection %q", o.ConnectionID)
	}
	o.ConnectionID = h.Connection.ID
	if o.Kind == order.Snapshot && o.ReadAt.IsZero() {
		o.ReadAt = h.now()
	}
	if _, _, err := order.Merge(nil, o); err != nil {
		t.Errorf("the fact cannot be merged: %v", err)
	}
	return o.ExternalID
}

// testOldSecret demands that a message signed before a rotation is still taken, and nothing signed by a stranger.
func testOldSecret(t *testing.T, h *Harness, w Webhook) {
	t.Helper()
	rotated := h.App
	rotated.Secret, rotated.OldSecret = "quite-another-secret", h.App.Secret
	if _, err := h.Vendor.Verify(rotated, w.Header, w.Body); err != nil {
		t.Errorf("a message signed with the old secret: %v", err)
	}
	rotated.OldSecret = ""
	_, err := h.Vendor.Verify(rotated, w.Header, w.Body)
	class(t, err, driver.Forged)
	rotated.Secret = ""
	if _, err = h.Vendor.Verify(rotated, w.Header, w.Body); err == nil {
		t.Error("without a secret everything is taken")
	}
}

func testBadWebhooks(t *testing.T, h *Harness) {
	h.supports(t, "order webhooks")
	h.Place(t, h.SKUs[0], 1)
	good := h.Webhooks(t)[0]
	verify := func(header http.Header, body []byte) error {
		start := time.Now()
		_, err := h.Vendor.Verify(h.App, header, body)
		if took := time.Since(start); took > slowest {
			t.Errorf("Verify of %d bytes took %v", len(body), took)
		}
		return err
	}
	// Forged: anything but the vendor's signature over these bytes.
	for name, header := range map[string]http.Header{
		"no headers": {}, "other body": h.Sign([]byte(`{"other":1}`)), "all headers empty": emptied(good.Header),
		"all headers long": filled(good.Header, strings.Repeat("a", 1<<16)), "not ASCII": filled(good.Header, "é\x00世"),
	} {
		err := verify(header, good.Body)
		if err == nil {
			t.Errorf("%s: taken", name)
		} else if c := driver.ClassOf(err); c != driver.Forged && c != driver.GiveUp {
			t.Errorf("%s: class %q", name, c)
		}
	}
	for i := range good.Body {
		bad := bytes.Clone(good.Body)
		bad[i] ^= 0x20
		class(t, verify(good.Header, bad), driver.Forged)
	}
	for _, n := range []int{0, 1, len(good.Body) / 2, len(good.Body) - 1} {
		class(t, verify(good.Header, good.Body[:n]), driver.Forged)
	}
	// Rightly signed nonsense: refused for good or without facts, never a crash and never slow.
	for name, body := range nonsense(good.Body) {
		start := time.Now()
		env, err := h.Vendor.Verify(h.App, h.Sign(body), body)
		if err != nil {
			if c := driver.ClassOf(err); c != driver.GiveUp {
				t.Errorf("%s: Verify fails with class %q: %v", name, c, err)
			}
		}
		topics := []string{mustTopic(t, h, good), "no such topic", "", env.Topic}
		if len(body) > driver.MaxWebhook {
			topics = topics[:2]
		}
		for _, topic := range topics {
			facts, err := h.Vendor.Decode(topic, body)
			if err != nil && driver.ClassOf(err) != driver.GiveUp {
				t.Errorf("%s: Decode fails with class %q: %v", name, driver.ClassOf(err), err)
			}
			if topic == "no such topic" && (err != nil || len(facts) != 0) && json.Valid(body) {
				t.Errorf("%s: an unknown topic gives %d facts, %v", name, len(facts), err)
			}
		}
		if took := time.Since(start); took > slowest {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func mustTopic(t *testing.T, h *Harness, w Webhook) string {
	t.Helper()
	env, err := h.Vendor.Verify(h.App, w.Header, w.Body)
	if err != nil {
		t.Fatalf("Verify: %v", err)
	}
	return env.Topic
}

// nonsense makes bad bodies out of a good one.
func nonsense(good []byte) map[string][]byte {
	out := map[string][]byte{
		"empty": {}, "null": []byte("null"), "a number": []byte("7"), "an empty object": []byte("{}"), "an empty list": []byte("[]"),
		"not JSON": []byte("<html>busy</html>"), "not UTF-8": {'{', '"', 0xff, 0xfe, '"', ':', '1', '}'},
		"truncated": good[:len(good)/2], "doubled": slices.Concat(good, good),
		"10 MB":         slices.Concat([]byte(`{"filler":"`), bytes.Repeat([]byte("x"), 10<<20), []byte(`",`), good[1:]),
		"deeply nested": slices.Concat(bytes.Repeat([]byte(`{"data":`), 200_000), []byte("1"), bytes.Repeat([]byte("}"), 200_000)),
		"deep lists":    slices.Concat([]byte(`{"data":`), bytes.Repeat([]byte("["), 1_000_000)),
	}
	var v any
	if json.Unmarshal(good, &v) == nil {
		for name, as := range map[string]any{"numbers": 1e300, "texts": "x", "lists": []any{}, "objects": map[string]any{}, "nothing": nil, "yes": true} {
			if b, err := json.Marshal(retyped(v, as)); err == nil {
				out["wrong types: "+name] = b
			}
		}
	}
	return out
}

// retyped replaces every leaf of v.
func retyped(v, as any) any {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for k, x := range v {
			m[k] = retyped(x, as)
		}
		return m
	case []any:
		l := make([]any, 0, len(v))
		for _, x := range v {
			l = append(l, retyped(x, as))
		}
		return l
	default:
		return as
	}
}

func emptied(h http.Header) http.Header { return filled(h, "") }

func filled(h http.Header, with string) http.Header {
	out := http.Header{}
	for k := range h {
		out[k] = []string{with}
	}
	return out
}
