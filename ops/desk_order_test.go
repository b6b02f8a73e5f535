package ops

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// A fact names its source, and of a webhook the message. What one message changed is one line; two messages of one moment are two.
func TestDeskFactsNameTheirSource(t *testing.T) {
	at := time.Date(2026, 11, 21, 13, 2, 11, 0, time.UTC)
	event := func(seq int64, at time.Time, kind, data string) store.Event {
		return store.Event{Seq: seq, At: at, Kind: kind, Subject: "s:1", Data: json.RawMessage(data)}
	}
	got := factsOf([]store.Event{
		event(1, at, "order.seen", `{"kind":"order.seen","at":"2026-11-21T13:02:10Z","source":"webhook","message":"clip/a/1"}`),
		event(2, at, "order.status", `{"kind":"order.status","to":"on_hold","source":"webhook","message":"clip/a/1"}`),
		event(3, at, "order.deadline", `{"kind":"order.deadline","source":"webhook","message":"clip/a/2"}`),
		event(4, at.Add(time.Second), "order.ready", `{"kind":"order.ready","source":"poll"}`),
		event(5, at.Add(2*time.Second), "order.delivered", `{"kind":"order.delivered"}`),
		event(6, at.Add(2*time.Second), "listing.mapped", `{}`),
	})
	want := []view.FactRow{
		{ID: "1", ReceivedAt: at, EventAt: at.Add(-time.Second), Source: SourceWebhook, Message: "clip/a/1", Effect: "new, now: on hold"},
		{ID: "3", ReceivedAt: at, Source: SourceWebhook, Message: "clip/a/2", Effect: "deadline"},
		{ID: "4", ReceivedAt: at.Add(time.Second), Source: SourcePoll, Effect: "ready"},
		{ID: "5", ReceivedAt: at.Add(2 * time.Second), Source: noSource, Effect: "delivered"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}
