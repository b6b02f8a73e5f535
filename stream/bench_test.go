package stream

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/spillway/spillway/store"
	"github.com/spillway/spillway/stream/streamtest"
)

// benchEvents are published in one run, as orders bring them: four kinds for each of 5,000 orders.
const benchEvents = 20_000

// BenchmarkRelay publishes a backlog of 20,000 events, each acknowledged from disk: to one server, and to most of three in this process, which
// show what the protocol costs and nothing about networks.
func BenchmarkRelay(b *testing.B) {
	b.Run("one server", func(b *testing.B) { relayBacklog(b, streamtest.Alone(b)) })
	b.Run("three", func(b *testing.B) { relayBacklog(b, streamtest.Start(b).URL()) })
}

func relayBacklog(b *testing.B, url string) {
	st, err := store.Open(b.Context(), "sqlite:"+b.TempDir()+"/s.db", store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { st.Close() })
	s, err := Open(Options{URL: url, EventsBytes: 1 << 30, ShelterBytes: 1 << 20})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	r := relay{s: s, st: st}
	for r.begin(b.Context()) != nil {
		rest(b.Context(), relayEvery, nil)
	}
	for b.Loop() {
		b.StopTimer()
		var es []store.Event
		for i := range benchEvents {
			es = append(es, store.Event{Kind: fmt.Sprintf("order.step%d", i%4), Subject: fmt.Sprintf("order_%d", i/4), Data: json.RawMessage(`{"connection":"c1","units":3,"item":"item_000123"}`)})
		}
		if err := st.Update(b.Context(), func(tx *store.Tx) error { return tx.EventsAppend(es) }); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		for n := 1; n > 0; {
			if n, err = r.round(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N)*benchEvents/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(r.last)/float64(b.N)/(benchEvents/1000), "messages/1000")
}
