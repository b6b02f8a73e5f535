package app_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/store"
	"github.com/spillway/spillway/stream"
	"github.com/spillway/spillway/stream/streamtest"
)

// A program with a NATS URL publishes what it commits, and says so in its metrics. It starts though NATS is away.
func TestCommittedEventsArePublished(t *testing.T) {
	servers := streamtest.Start(t)
	for i := range servers.Size() {
		servers.Kill(i)
	}
	a, err := app.New(t.Context(), app.Options{Home: t.TempDir(), Listen: "127.0.0.1:0", OpsListen: "127.0.0.1:0",
		NATS: stream.Options{URL: servers.URL(), EventsBytes: 1 << 20, ShelterBytes: 1 << 20}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	servers.BringAll()
	nc, err := nats.Connect(servers.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var msg *jetstream.RawStreamMsg
	for end := time.Now().Add(time.Minute); msg == nil; <-tick.C {
		if time.Now().After(end) {
			t.Fatal("no event was published")
		}
		if err := a.Store().Update(t.Context(), func(tx *store.Tx) error {
			return tx.EventsAppend([]store.Event{{Kind: "test.made", Subject: "s1", Data: json.RawMessage(`{"n":1}`)}})
		}); err != nil {
			t.Fatal(err)
		}
		if st, err := js.Stream(t.Context(), stream.EventStream); err == nil {
			msg, _ = st.GetLastMsgForSubject(t.Context(), "spillway.events.test.made")
		}
	}
	if !strings.Contains(string(msg.Data), `"subject":"s1"`) {
		t.Errorf("published: %s", msg.Data)
	}
	resp, err := http.Get(a.OpsURL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"spillway_nats_connected 1", "spillway_stream_lag_seconds", "spillway_sheltered_total 0"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("metrics lack %q", want)
		}
	}
}
