package world

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// receiver answers webhooks with the statuses it was given, 200 after the last, and remembers what came.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	statuses []int
	got      []string
	header   http.Header
}

func newReceiver(t *testing.T, statuses ...int) *receiver {
	r := &receiver{statuses: statuses}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		b, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got, r.header = append(r.got, string(b)), req.Header
		if len(r.statuses) > 0 {
			w.WriteHeader(r.statuses[0])
			r.statuses = r.statuses[1:]
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) bodies() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.got...)
}

func idle(t *testing.T, c *Courier) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.Idle(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestCourierRetriesOnSchedule(t *testing.T) {
	clock := NewVirtual(start)
	recv := newReceiver(t, 500, 302, 401)
	c := NewCourier(CourierOptions{Clock: clock, Retries: []time.Duration{2 * time.Minute, 30 * time.Minute, 3 * time.Hour},
		Headers: func(m Message, try int, h http.Header) { h.Set("X-Sign", fmt.Sprint(m.ID, " ", try)) }})
	defer c.Stop()
	c.Send(Message{ID: "n1", Event: "E", URL: recv.URL, Body: []byte("b")})
	idle(t, c)
	for i, wait := range []time.Duration{2 * time.Minute, 30 * time.Minute, 3 * time.Hour} {
		clock.Advance(wait - time.Second)
		idle(t, c)
		if n := len(recv.bodies()); n != i+1 {
			t.Fatalf("%d requests a second before retry %d is due", n, i+1)
		}
		clock.Advance(time.Second)
		idle(t, c)
	}
	if d := cmp.Diff([]string{"b", "b", "b", "b"}, recv.bodies()); d != "" {
		t.Error(d)
	}
	if got := recv.header.Get("X-Sign"); got != "n1 4" {
		t.Errorf("signed %q", got)
	}
	log := c.Attempts(0, 10)
	if len(log) != 4 || !log[0].Delivered || log[3].Status != 500 || !log[3].NextRetry.Equal(start.Add(2*time.Minute)) {
		t.Errorf("log %+v", log)
	}
	if got := c.Attempts(log[1].Seq, 10); len(got) != 1 || got[0].Seq != log[0].Seq {
		t.Errorf("after %d: %+v", log[1].Seq, got)
	}
	if s := c.Stats(); s != (CourierStats{Sent: 1, Delivered: 1, Failed: 3}) {
		t.Errorf("stats %+v", s)
	}
}

func TestCourierGivesUpAndCountsSlowAnswers(t *testing.T) {
	clock := NewVirtual(start)
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer srv.Close()
	defer close(release)
	c := NewCourier(CourierOptions{Clock: clock, Timeout: 20 * time.Millisecond, Retries: []time.Duration{time.Minute}})
	defer c.Stop()
	c.Send(Message{ID: "slow", URL: srv.URL})
	c.Send(Message{ID: "bad", URL: "http://127.0.0.1:1/closed"})
	idle(t, c)
	clock.Advance(time.Hour)
	idle(t, c)
	if s := c.Stats(); s != (CourierStats{Sent: 2, Failed: 4, Dropped: 2}) {
		t.Errorf("stats %+v", s)
	}
}

func TestCourierFaults(t *testing.T) {
	clock := NewVirtual(start)
	recv := newReceiver(t)
	faults := NewFaults(1)
	for i, k := range []Kind{Drop, Reorder, Duplicate, Delay} {
		if _, err := faults.Add(Rule{Point: fmt.Sprintf("webhook:%d", i), Kind: k, Delay: Duration(time.Minute)}); err != nil {
			t.Fatal(err)
		}
	}
	c := NewCourier(CourierOptions{Clock: clock, Faults: faults, Workers: 1})
	defer c.Stop()
	for i := range 5 {
		c.Send(Message{ID: fmt.Sprint(i), Event: fmt.Sprint(i), URL: recv.URL, Body: fmt.Append(nil, i)})
	}
	idle(t, c)
	if d := cmp.Diff([]string{"2", "4"}, recv.bodies()); d != "" {
		t.Errorf("at once: %s", d)
	}
	clock.Advance(time.Minute)
	idle(t, c)
	if d := cmp.Diff([]string{"2", "4", "1", "2", "3"}, recv.bodies()); d != "" {
		t.Errorf("after a minute: %s", d)
	}
	if s := c.Stats(); s != (CourierStats{Sent: 5, Delivered: 5, Dropped: 1}) {
		t.Errorf("stats %+v", s)
	}
}

func TestCourierStopEndsEverything(t *testing.T) {
	began := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		_, _ = io.Copy(io.Discard, r.Body) // so that the server notices the hang-up
		<-r.Context().Done()
	}))
	defer srv.Close()
	c := NewCourier(CourierOptions{Clock: Wall(), Timeout: time.Hour, LogSize: 2})
	c.Send(Message{URL: srv.URL})
	<-began
	c.Stop()
	c.Stop()
	c.Send(Message{URL: srv.URL})
	idle(t, c)
	if s := c.Stats(); s.Delivered != 0 || s.Pending != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestCourierLogIsBounded(t *testing.T) {
	faults := NewFaults(1)
	if _, err := faults.Add(Rule{Point: "*", Kind: Drop}); err != nil {
		t.Fatal(err)
	}
	c := NewCourier(CourierOptions{Clock: NewVirtual(start), Faults: faults, LogSize: 10})
	defer c.Stop()
	for range 1000 {
		c.Send(Message{})
	}
	log := c.Attempts(0, 100)
	if len(log) != 10 || log[0].Seq != 1000 || len(c.log) > 20 {
		t.Errorf("%d lines given, newest %d, %d held", len(log), log[0].Seq, len(c.log))
	}
}
