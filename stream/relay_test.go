package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
	"github.com/spillway/spillway/stream/streamtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// patience bounds what a test waits for on a loaded machine.
const patience = time.Minute

// eventually waits until ok returns true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("never happened: " + what)
		}
	}
}

func open(t *testing.T, url string) *Stream {
	t.Helper()
	var log *slog.Logger
	if os.Getenv("STREAM_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	s, err := Open(Options{URL: url, Log: log, EventsBytes: 64 << 20, ShelterBytes: 16 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func sqlite(t *testing.T) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "s.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// happen writes n events, numbered from from in their data, about 97 subjects and of three kinds.
func happen(t *testing.T, st *store.Store, from, n int) {
	t.Helper()
	var es []store.Event
	for i := from; i < from+n; i++ {
		es = append(es, store.Event{Kind: fmt.Sprintf("thing.k%d", i%3), Subject: fmt.Sprintf("s%d", i%97), Data: json.RawMessage(strconv.Itoa(i))})
	}
	if err := st.Update(t.Context(), func(tx *store.Tx) error { return tx.EventsAppend(es) }); err != nil {
		t.Fatal(err)
	}
}

// background runs f until the test ends.
func background(t *testing.T, f func(ctx context.Context)) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); f(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func relayed(t *testing.T, s *Stream, st *store.Store) (stop func()) {
	return background(t, func(ctx context.Context) { s.Relay(ctx, st, RelayOptions{History: true}) })
}

// seen is what an outside program finds in the stream.
type seen struct {
	numbers  map[int]int // how often each event came
	messages int
	last     map[string]int // by subject
	disorder string
}

// look reads the whole stream as an outsider would, with nothing but the documented names.
func look(t *testing.T, url string) (seen, error) {
	t.Helper()
	out := seen{numbers: map[int]int{}, last: map[string]int{}}
	nc, err := nats.Connect(url)
	if err != nil {
		return out, err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return out, err
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	st, err := js.Stream(ctx, "SPILLWAY_EVENTS")
	if err != nil {
		return out, err
	}
	for seq := uint64(1); seq <= st.CachedInfo().State.LastSeq; seq++ {
		msg, err := st.GetMsg(ctx, seq)
		if err != nil {
			return out, err
		}
		var env struct {
			Version int
			Kind    string
			Events  []struct {
				ID, Subject string
				At          time.Time
				Data        int
			}
		}
		if err := json.Unmarshal(msg.Data, &env); err != nil || env.Version != 1 || msg.Subject != "spillway.events."+env.Kind {
			t.Fatalf("message %d on %s is not as documented (%v): %s", seq, msg.Subject, err, msg.Data)
		}
		out.messages++
		for _, e := range env.Events {
			if out.numbers[e.Data]++; out.numbers[e.Data] > 1 {
				continue // an idempotent reader skips it
			}
			if last, ok := out.last[e.Subject]; ok && last > e.Data {
				out.disorder = fmt.Sprintf("%s: %d after %d", e.Subject, e.Data, last)
			}
			out.last[e.Subject] = e.Data
		}
	}
	return out, nil
}

// all waits until events 0 to n-1 are in the stream and checks their order.
func all(t *testing.T, url string, n int) seen {
	t.Helper()
	var got seen
	eventually(t, fmt.Sprintf("%d events in the stream", n), func() bool {
		var err error
		got, err = look(t, url)
		return err == nil && len(got.numbers) >= n
	})
	for i := range n {
		if got.numbers[i] == 0 {
			t.Fatalf("event %d is missing among %d", i, len(got.numbers))
		}
	}
	if got.disorder != "" {
		t.Fatal(got.disorder)
	}
	return got
}

func (s seen) once(t *testing.T) {
	t.Helper()
	for n, times := range s.numbers {
		if times != 1 {
			t.Errorf("event %d was published %d times", n, times)
		}
	}
}

func TestRelayPublishesManyEventsAMessage(t *testing.T) {
	url, st := streamtest.Alone(t), sqlite(t)
	happen(t, st, 0, 2500)
	relayed(t, open(t, url), st)
	got := all(t, url, 2500)
	got.once(t)
	if got.messages > 100 {
		t.Errorf("2,500 events took %d messages: each costs a sync", got.messages)
	}
}

func TestRelayBeginsWithWhatComes(t *testing.T) {
	url, st := streamtest.Alone(t), sqlite(t)
	happen(t, st, 100, 10)
	s := open(t, url)
	wake := make(chan struct{}, 1)
	background(t, func(ctx context.Context) { s.Relay(ctx, st, RelayOptions{Wake: wake}) })
	eventually(t, "the cursor is set", func() bool {
		found := false
		if err := st.View(t.Context(), func(tx *store.Tx) (err error) { _, found, err = tx.SettingGet(cursorSetting); return err }); err != nil {
			t.Fatal(err)
		}
		return found
	})
	happen(t, st, 0, 10)
	wake <- struct{}{}
	if got := all(t, url, 10); len(got.numbers) != 10 {
		t.Errorf("history was published: %v", got.numbers)
	}
}

// A crash between the publication and the saving of the cursor, with more events in the log by the next start, publishes nothing twice.
func TestCrashBetweenPublishAndCursor(t *testing.T) {
	url, st := streamtest.Alone(t), sqlite(t)
	s := open(t, url)
	crash := errors.New("crash")
	for i := range 4 {
		happen(t, st, i*30, 30)
		r := relay{s: s, st: st, o: RelayOptions{History: true}, crash: func() error { return crash }}
		if err := r.follow(t.Context()); !errors.Is(err, crash) {
			t.Fatalf("got %v", err)
		}
	}
	happen(t, st, 120, 30)
	relayed(t, s, st)
	all(t, url, 150).once(t)
}

// A relay that was paused beyond its lease is refused, and the other's cursor is not turned back.
func TestOvertakenRelayIsRefused(t *testing.T) {
	url, st := streamtest.Alone(t), sqlite(t)
	s := open(t, url)
	happen(t, st, 0, 10)
	paused := relay{s: s, st: st, o: RelayOptions{History: true}}
	if err := paused.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := relay{s: s, st: st, o: RelayOptions{History: true}}
	if err := other.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := other.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	happen(t, st, 10, 10)
	if n, err := paused.round(t.Context()); err == nil {
		t.Fatalf("the paused relay published %d events", n)
	}
	if _, err := other.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := paused.save(t.Context(), 1); !errs.Is(err, errs.Conflict) {
		t.Errorf("the cursor was turned back: %v", err)
	}
	all(t, url, 20).once(t)
}

func TestRelayHoldsThePart(t *testing.T) {
	url, st := streamtest.Alone(t), sqlite(t)
	s := open(t, url)
	asked := make(chan struct{}, 100)
	background(t, func(ctx context.Context) {
		s.Relay(ctx, st, RelayOptions{History: true, Hold: func(context.Context, func(context.Context) error) error {
			asked <- struct{}{}
			return nil // somebody else has it
		}})
	})
	happen(t, st, 0, 5)
	<-asked
	<-asked
	if got, err := look(t, url); err == nil && len(got.numbers) > 0 {
		t.Fatal("a process published that does not hold the part")
	}
	relayed(t, s, st)
	all(t, url, 5).once(t)
}
