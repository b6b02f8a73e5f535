package storetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/store"
)

var maintainCases = []testcase{
	{"events go when their keeping is over and all have read them", eventsRetire},
	{"a part made late takes over what came before it", partMadeLate},
	{"no reader misses an event while parts are made and dropped", readersAcrossParts},
}

// clocked opens the case's database with a clock of its own.
func (d *database) clocked(t *testing.T, at *atomic.Int64) *database {
	t.Helper()
	st, err := store.Open(d.ctx, d.url, store.Options{Now: func() time.Time { return time.UnixMicro(at.Load()) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return &database{url: d.url, ctx: d.ctx, fresh: d.fresh, Store: st}
}

func (d *database) append(t *testing.T, kinds ...string) {
	t.Helper()
	d.update(t, func(tx *store.Tx) error {
		var es []store.Event
		for _, k := range kinds {
			es = append(es, store.Event{Kind: k, Subject: "s"})
		}
		return tx.EventsAppend(es)
	})
}

func (d *database) kinds(t *testing.T) (out []string) {
	t.Helper()
	d.view(t, func(tx *store.Tx) error {
		es, err := tx.EventsAfter(0, 1000)
		for _, e := range es {
			out = append(out, e.Kind)
		}
		return err
	})
	return out
}

func (d *database) lastEvent(t *testing.T) (seq int64) {
	t.Helper()
	d.view(t, func(tx *store.Tx) (err error) {
		seq, err = tx.EventLast()
		return err
	})
	return seq
}

func eventsRetire(t *testing.T, plain *database) {
	var at atomic.Int64
	d := plain.clocked(t, &at)
	now := time.Now().UTC()
	month := func(n int) {
		at.Store(time.Date(now.Year(), now.Month()+time.Month(n), 10, 12, 0, 0, 0, time.UTC).UnixMicro())
	}
	maintain := func(keep time.Duration, read int64) {
		t.Helper()
		if _, err := d.Maintain(d.ctx, keep, read); err != nil {
			t.Fatal(err)
		}
	}
	var read []int64
	for n := range 6 {
		month(n)
		maintain(0, 0)
		d.append(t, fmt.Sprint(n))
		read = append(read, d.lastEvent(t))
	}
	const keep = 60 * 24 * time.Hour // of the months 0 to 5, 0 to 2 are over
	for _, c := range []struct {
		keep time.Duration
		read int64
		want []string
	}{
		{0, read[5], []string{"0", "1", "2", "3", "4", "5"}},
		{keep, 0, []string{"0", "1", "2", "3", "4", "5"}},
		{keep, read[5], []string{"3", "4", "5"}},
		{keep, read[5], []string{"3", "4", "5"}},
	} {
		maintain(c.keep, c.read)
		if diff := cmp.Diff(c.want, d.kinds(t)); diff != "" {
			t.Errorf("keeping %s, read up to %d:\n%s", c.keep, c.read, diff)
		}
	}
	d.append(t, "6")
	if got := d.kinds(t); len(got) != 4 || d.lastEvent(t) <= read[5] {
		t.Errorf("after the old ones went: %q", got)
	}
}

func partMadeLate(t *testing.T, plain *database) {
	var at atomic.Int64
	d := plain.clocked(t, &at)
	later := time.Now().UTC().AddDate(1, 0, 0)
	at.Store(later.UnixMicro())
	d.append(t, "a", "b")
	first, err := d.Maintain(d.ctx, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	d.append(t, "c")
	if diff := cmp.Diff([]string{"a", "b", "c"}, d.kinds(t)); diff != "" {
		t.Error(diff)
	}
	again, err := d.Maintain(d.ctx, 0, 0)
	if err != nil || len(again.Made) > 0 {
		t.Errorf("a second time it made %q: %v", again.Made, err)
	}
	if d.Dialect() == "postgres" && len(first.Made) < 12 {
		t.Errorf("made %q", first.Made)
	}
}

func readersAcrossParts(t *testing.T, plain *database) {
	var at atomic.Int64
	start := time.Now().UTC()
	at.Store(start.UnixMicro())
	d := plain.clocked(t, &at)
	const writers, each = 4, 60
	ctx, stop := context.WithCancel(d.ctx)
	failed := make(chan error, writers+1)
	for w := range writers {
		go func() {
			for i := range each {
				if err := d.Update(ctx, func(tx *store.Tx) error {
					return tx.EventsAppend([]store.Event{{Kind: "k", Subject: fmt.Sprintf("%d/%d", w, i)}})
				}); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	go func() { // a month passes at each step; of what all have read the old goes
		var err error
		for n := 0; err == nil && ctx.Err() == nil; n++ {
			at.Store(start.AddDate(0, n%24, 0).UnixMicro())
			_, err = d.Maintain(ctx, 0, 0)
		}
		if ctx.Err() != nil {
			err = nil
		}
		failed <- err
	}()
	seen := map[string]bool{}
	for cursor := int64(0); len(seen) < writers*each && d.ctx.Err() == nil; {
		d.view(t, func(tx *store.Tx) error {
			es, err := tx.EventsAfter(cursor, 7)
			for _, e := range es {
				if e.Seq <= cursor || seen[e.Subject] {
					t.Errorf("%s came twice or out of order", e.Subject)
				}
				cursor, seen[e.Subject] = e.Seq, true
			}
			return err
		})
		select {
		case err := <-failed:
			if err != nil {
				t.Fatal(err)
			}
		default:
		}
	}
	stop()
	if len(seen) != writers*each {
		t.Errorf("%d of %d events were read", len(seen), writers*each)
	}
}
