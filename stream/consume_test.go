package stream

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/spillway/spillway/store"
	"github.com/spillway/spillway/stream/streamtest"
)

// tally is a reader's handler that keeps what it did, once for each event as the guide asks for.
type tally struct {
	mu    sync.Mutex
	done  map[string]bool
	order map[string][]int // by subject
	fail  map[int]int      // how often an event still fails
	n     int
}

func (y *tally) handle(_ context.Context, e Event) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	n, err := strconv.Atoi(string(e.Data))
	if err != nil {
		return err
	}
	if y.fail[n] > 0 {
		y.fail[n]--
		return errors.New("not now")
	}
	if y.done[e.ID] {
		return nil
	}
	y.done[e.ID] = true
	y.order[e.Subject] = append(y.order[e.Subject], n)
	y.n++
	return nil
}

func (y *tally) count() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.n
}

func newTally() *tally {
	return &tally{done: map[string]bool{}, order: map[string][]int{}, fail: map[int]int{}}
}

func TestReaderGetsEventsInOrderAndSetsAsideWhatFails(t *testing.T) {
	url, st := streamtest.Alone(t), sqlite(t)
	s := open(t, url)
	happen(t, st, 0, 400)
	relayed(t, s, st)
	y := newTally()
	y.fail[7], y.fail[30] = 2, 1000
	background(t, func(ctx context.Context) {
		err := s.Consume(ctx, Reader{Name: "warehouse", History: true, Tries: 4, Handle: y.handle, Dead: SetAside(st, "warehouse")})
		if err != nil {
			t.Error(err)
		}
	})
	eventually(t, "all but one are handled", func() bool { return y.count() == 399 })
	y.mu.Lock()
	for subject, got := range y.order {
		if !slices.IsSorted(got) {
			t.Errorf("%s came as %v", subject, got)
		}
	}
	y.mu.Unlock()
	var parked []store.InboxRow
	if err := st.ViewInbox(t.Context(), func(tx *store.InboxTx) (err error) { parked, err = tx.InboxParked(10); return err }); err != nil {
		t.Fatal(err)
	}
	if len(parked) != 1 || parked[0].AppID != "warehouse" || !strings.Contains(parked[0].Reason, "warehouse") {
		t.Fatalf("set aside: %+v", parked)
	}
	var env Envelope
	if err := env.Open(parked[0].Body); err != nil || string(env.Events[0].Data) != "30" {
		t.Errorf("what was set aside is %s (%v)", parked[0].Body, err)
	}
	if n := s.Figures().Dead; n != 1 {
		t.Errorf("%d set aside", n)
	}
}

// What was set aside and is retried by a person reaches the reader again: done when it can be done, set aside with the new reason when not.
func TestWhatWasSetAsideIsTriedAgain(t *testing.T) {
	url, st := streamtest.Alone(t), sqlite(t)
	s := open(t, url)
	happen(t, st, 0, 20)
	relayed(t, s, st)
	y := newTally()
	y.fail[7], y.fail[13] = 2, 1000 // set aside after two tries each
	background(t, func(ctx context.Context) {
		if err := s.Consume(ctx, Reader{Name: "warehouse", History: true, Tries: 2, Handle: y.handle, Dead: SetAside(st, "warehouse"),
			Again: TryAgain(st, "warehouse")}); err != nil {
			t.Error(err)
		}
	})
	states := func() (n map[store.InboxState]int64, parked []store.InboxRow) {
		if err := st.ViewInbox(t.Context(), func(tx *store.InboxTx) (err error) {
			if parked, err = tx.InboxParked(10); err != nil {
				return err
			}
			n, err = tx.InboxCounts()
			return err
		}); err != nil {
			t.Error(err)
		}
		return n, parked
	}
	eventually(t, "two are set aside", func() bool { n, _ := states(); return n[store.InboxParked] == 2 && y.count() == 18 })
	_, parked := states()
	// One that belongs to another reader waits for that one.
	if err := SetAside(st, "other")(t.Context(), Event{ID: "1", Kind: "thing.k1", Data: []byte("1")}, errors.New("no")); err != nil {
		t.Fatal(err)
	}
	if err := st.UpdateInbox(t.Context(), func(tx *store.InboxTx) error { _, err := tx.InboxRetryParked(); return err }); err != nil {
		t.Fatal(err)
	}
	eventually(t, "one is done and one is set aside again", func() bool { n, _ := states(); return n[store.InboxParked] == 1 && n[store.InboxPending] == 1 })
	_, left := states()
	if y.count() != 19 || len(left) != 1 || left[0].Tries <= parked[0].Tries || left[0].AppID != "warehouse" {
		t.Errorf("%d done, set aside: %+v", y.count(), left)
	}
	var env Envelope
	if err := env.Open(left[0].Body); err != nil || string(env.Events[0].Data) != "13" {
		t.Errorf("what is set aside again is %s (%v)", left[0].Body, err)
	}
}

// Processes take turns under one name: each event is handled, and the one who goes on begins where the other ended.
func TestAnotherProcessGoesOn(t *testing.T) {
	url, st := streamtest.Alone(t), sqlite(t)
	first, second := open(t, url), open(t, url)
	relayed(t, first, st)
	y := newTally()
	reader := Reader{Name: "flow", History: true, Kinds: []string{"thing.k1", "thing.k2.>"}, Handle: y.handle, Dead: SetAside(st, "flow")}
	stop := background(t, func(ctx context.Context) { first.Consume(ctx, reader) })
	happen(t, st, 0, 300)
	eventually(t, "the first process handles its kind", func() bool { return y.count() == 100 })
	stop()
	happen(t, st, 300, 300)
	before := len(y.done)
	background(t, func(ctx context.Context) { second.Consume(ctx, reader) })
	eventually(t, "the second goes on", func() bool { return y.count() == 200 })
	if before != 100 {
		t.Errorf("%d handled before", before)
	}
}

func TestReaderMustBeWhole(t *testing.T) {
	s := open(t, streamtest.Alone(t))
	if err := s.Consume(t.Context(), Reader{Name: "x"}); err == nil {
		t.Error("a reader without a handler was taken")
	}
}

func TestWakesReachOtherProcessesAndNotOneself(t *testing.T) {
	c := streamtest.Start(t)
	a, b := open(t, c.URL()), open(t, c.URL())
	heard := make(chan []string, 100)
	own := make(chan []string, 100)
	b.Wakes().Subscribe(func(topics []string) { heard <- topics })
	eventually(t, "both are connected", func() bool { return a.Figures().Connected && b.Figures().Connected })
	a.Wakes().Subscribe(func(topics []string) {
		if !slices.Equal(topics, []string{Everything}) {
			own <- topics
		}
	})
	until := func(topic string, again func()) {
		t.Helper()
		eventually(t, topic+" is heard", func() bool {
			again()
			for {
				select {
				case topics := <-heard:
					if slices.Contains(topics, topic) {
						return true
					}
				default:
					return false
				}
			}
		})
	}
	until("item:1", func() { a.Wakes().Publish("item:1", "overview", "item:1") })
	for i := range wakeTopics + 1 {
		a.Wakes().Publish("order:" + strconv.Itoa(i))
	}
	for i := range c.Size() {
		c.Kill(i)
	}
	eventually(t, "the connection is lost", func() bool { return !a.Figures().Connected && !b.Figures().Connected })
	a.Wakes().Publish("lost")
	c.BringAll()
	until(Everything, func() {}) // on coming back: something may have been missed
	until("item:2", func() { a.Wakes().Publish("item:2") })
	select {
	case topics := <-own:
		t.Errorf("a process heard itself: %v", topics)
	default:
	}
}
