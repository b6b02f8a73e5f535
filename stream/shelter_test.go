package stream

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
	"github.com/spillway/spillway/stream/streamtest"
)

// inboxOf appends as the use-cases do.
func inboxOf(st *store.Store) Append {
	return func(ctx context.Context, rows []store.InboxRow) ([]bool, error) {
		var ids []string
		err := st.UpdateInbox(ctx, func(tx *store.InboxTx) (err error) { ids, err = tx.InboxAppend(rows); return err })
		if err != nil {
			return nil, err
		}
		fresh := make([]bool, len(rows))
		for i, r := range rows {
			fresh[i] = slices.Contains(ids, r.ID)
		}
		return fresh, nil
	}
}

// hooks makes webhooks n to n+count-1.
func hooks(n, count int) []store.InboxRow {
	var out []store.InboxRow
	for i := n; i < n+count; i++ {
		out = append(out, store.InboxRow{ID: fmt.Sprintf("vendor/app/%06d", i), Vendor: "vendor", AppID: "app", ConnectionID: "c1", Topic: "orders",
			ReceivedAt: time.Unix(int64(i), 1000).UTC(), SentAt: time.Unix(int64(i), 0).UTC(), Body: []byte(strings.Repeat("é", 700)), State: store.InboxPending})
	}
	return out
}

func inbox(t *testing.T, st *store.Store) (rows []store.InboxRow) {
	t.Helper()
	for after := int64(0); ; after = rows[len(rows)-1].Seq {
		var part []store.InboxRow
		if err := st.ViewInbox(t.Context(), func(tx *store.InboxTx) (err error) { part, err = tx.InboxPending(1000, after); return err }); err != nil {
			t.Fatal(err)
		}
		if rows = append(rows, part...); len(part) == 0 {
			return rows
		}
	}
}

// Webhooks come while PostgreSQL is stopped as by a crash and started again, twice, and a NATS node dies meanwhile: those acknowledged are in
// the inbox, once, in their order, and none was refused.
func TestShelterWhileTheDatabaseIsAway(t *testing.T) {
	if testing.Short() {
		t.Skip("stops PostgreSQL and NATS nodes for half a minute; not in -short")
	}
	pg, c := pgtest.Own(t), streamtest.Start(t)
	st, err := store.Open(t.Context(), pg.URL(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	s := open(t, c.URL())
	background(t, func(ctx context.Context) { s.Drain(ctx, st) })
	eventually(t, "the streams are there", func() bool { return s.Health(t.Context()) == nil })
	keep := s.Shelter(inboxOf(st))
	var acked []string
	n, refused := 0, 0
	send := func(batches int) {
		t.Helper()
		for range batches {
			rows := hooks(n, 1+n%40)
			n += len(rows)
			fresh, err := keep(t.Context(), rows)
			if err != nil {
				if !errs.Is(err, errs.Unavailable) {
					t.Fatal(err)
				}
				refused += len(rows)
				continue
			}
			if len(fresh) != len(rows) {
				t.Fatalf("%d answers for %d webhooks", len(fresh), len(rows))
			}
			for _, r := range rows {
				acked = append(acked, r.ID)
			}
		}
	}
	send(20)
	for round := range 2 {
		if err := pg.Stop(); err != nil {
			t.Fatal(err)
		}
		send(20)
		if round == 1 {
			c.Kill(1)
			send(10)
			c.BringAll()
		}
		if err := pg.Restart(); err != nil {
			t.Fatal(err)
		}
		send(20)
		// The database is back and the shelter empty: webhooks go straight into the inbox again.
		eventually(t, "the shelter is left", func() bool {
			before := s.Figures().Sheltered
			send(1)
			return s.Figures().Sheltered == before && refused == 0 || refused > 0
		})
	}
	eventually(t, "all sheltered webhooks are moved", func() bool { f := s.Figures(); return f.Drained >= f.Sheltered })
	got := inbox(t, st)
	isAcked := map[string]bool{}
	for _, id := range acked {
		isAcked[id] = true
	}
	var ids []string
	for _, r := range got {
		if isAcked[r.ID] {
			ids = append(ids, r.ID)
		} else if refused == 0 {
			t.Errorf("%s was never acknowledged", r.ID)
		}
	}
	if !slices.Equal(ids, acked) {
		t.Errorf("%d acknowledged, %d in the inbox, in order: %v", len(acked), len(ids), slices.IsSorted(ids))
	}
	f := s.Figures()
	if f.Sheltered == 0 {
		t.Error("nothing was sheltered")
	}
	want := hooks(25, 1)[0]
	r := got[25]
	if r.ID != want.ID || string(r.Body) != string(want.Body) || !r.SentAt.Equal(want.SentAt) || r.ConnectionID != want.ConnectionID {
		t.Errorf("a webhook came out as %+v", r)
	}
	t.Logf("%d acknowledged, %d of them sheltered, %d refused", len(acked), f.Sheltered, refused)
}

// A shelter that is full, or away, makes webhooks refused and not lost.
func TestShelterIsBounded(t *testing.T) {
	url := streamtest.Alone(t)
	s, err := Open(Options{URL: url, EventsBytes: 1 << 20, ShelterBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	eventually(t, "the streams are there", func() bool { return s.Health(t.Context()) == nil })
	down := errs.New(errs.Unavailable, "test", "", "the database is away")
	h := &shelter{s: s, direct: func(context.Context, []store.InboxRow) ([]bool, error) { return nil, down }}
	kept := 0
	for n := 0; ; n += 5 {
		if _, err := h.append(t.Context(), hooks(n, 5)); err != nil {
			if !errs.Is(err, errs.Unavailable) {
				t.Fatal(err)
			}
			break
		}
		if kept += 5; kept > 1000 {
			t.Fatal("the shelter has no bound")
		}
	}
	if kept == 0 {
		t.Fatal("the shelter took nothing")
	}
	if _, err := h.append(t.Context(), hooks(2000, 1)); !errs.Is(err, errs.Unavailable) {
		t.Errorf("right after a refusal: %v", err)
	}
	st := sqlite(t)
	background(t, func(ctx context.Context) { s.Drain(ctx, st) })
	eventually(t, "what was kept is in the inbox", func() bool { return len(inbox(t, st)) == kept })
	if f := s.Figures(); f.Refused != 6-1 {
		t.Errorf("refused %d", f.Refused)
	}
}

// Nobody else's errors are sheltered: a conflict is an answer.
func TestOnlyAnAbsentDatabaseIsSheltered(t *testing.T) {
	s := open(t, streamtest.Alone(t))
	bad := errs.New(errs.Conflict, "test", "", "no")
	_, err := s.Shelter(func(context.Context, []store.InboxRow) ([]bool, error) { return nil, bad })(t.Context(), hooks(0, 1))
	if !errs.Is(err, errs.Conflict) || s.Figures().Sheltered != 0 {
		t.Errorf("%v, %d sheltered", err, s.Figures().Sheltered)
	}
}

func TestSheltersOldestIsTooOld(t *testing.T) {
	s, err := Open(Options{URL: streamtest.Alone(t), ShelterAge: time.Nanosecond, ShelterBytes: 1 << 20, EventsBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	h := &shelter{s: s}
	eventually(t, "one is kept", func() bool { return h.keep(t.Context(), hooks(0, 1)) == nil })
	if err := h.keep(t.Context(), hooks(1, 1)); !errs.Is(err, errs.Unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestLargeBatchesAreSeveralMessages(t *testing.T) {
	rows := hooks(0, 50)
	messages, err := encodeRows(rows, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	var back []store.InboxRow
	for _, m := range messages {
		if len(m) > 10_000 {
			t.Errorf("a message of %d bytes", len(m))
		}
		part, err := decodeRows(m)
		if err != nil {
			t.Fatal(err)
		}
		back = append(back, part...)
	}
	if len(messages) < 5 || !slices.EqualFunc(rows, back, func(a, b store.InboxRow) bool {
		return a.ID == b.ID && a.ReceivedAt.Equal(b.ReceivedAt) && string(a.Body) == string(b.Body)
	}) {
		t.Errorf("%d rows in, %d out of %d messages", len(rows), len(back), len(messages))
	}
	if _, err := encodeRows(rows, 100); err == nil {
		t.Error("a row larger than a message was taken")
	}
}
