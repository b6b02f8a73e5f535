package bench

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/store"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// A history that repeats itself must be as true as one that does not: its ledger proves, and every order is found under what follows from
// its number.
func TestASlicedHistoryProves(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { slicedProves(t, "sqlite:"+filepath.Join(t.TempDir(), "history.db")) })
	t.Run("postgres", func(t *testing.T) { slicedProves(t, pgtest.Start(t)) })
}

func slicedProves(t *testing.T, url string) {
	want := history{Orders: historySlices * sliceUnit, Days: 180, Items: 50, End: time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)}
	st, h, err := openHistory(t.Context(), url, want, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if h.slice() == 0 || h.Done != want.Orders {
		t.Fatalf("%+v is not sliced or not filled", h)
	}
	err = st.View(t.Context(), func(tx *store.Tx) error {
		found, err := tx.LedgerCheck()
		for _, d := range found {
			t.Errorf("ledger: %+v", d)
		}
		if err != nil {
			return err
		}
		for _, i := range []int{0, 40, 1234, 4_040, 8_799, 8_800, 9_999} {
			for _, text := range []string{historyID(i), historyExternal(i), historyNumber(i), h.buyer(i)} {
				got, err := tx.OrderFind(text, 1)
				if err != nil {
					return err
				}
				if len(got) != 1 || (text != h.buyer(i) && got[0].ID != historyID(i)) || got[0].BuyerHash != h.buyer(i) {
					t.Errorf("order %d is not found by %q", i, text)
				} else if text == historyID(i) && !got[0].CreatedAt.Equal(h.at(i)) {
					t.Errorf("order %d was placed %s, want %s", i, got[0].CreatedAt, h.at(i))
				}
			}
			moves, err := tx.MovementsOfRef(historyID(i))
			if err != nil || len(moves) == 0 {
				t.Errorf("order %d has %d movements: %v", i, len(moves), err)
			}
			events, err := tx.EventsOf(historyID(i), 9)
			if err != nil || (len(events) == 0 && (i < h.slice() || i/h.slice() >= historySlices-recentSlices)) {
				t.Errorf("order %d has %d events: %v", i, len(events), err)
			}
			if i%caseEvery == 0 {
				got, err := tx.OrderFind(historyCase(i), 1)
				if err != nil || len(got) != 1 || got[0].ID != historyID(i) {
					t.Errorf("order %d is not found by its return: %v", i, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	again, h2, err := openHistory(t.Context(), url, want, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(h, h2); diff != "" {
		t.Error(diff)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}
