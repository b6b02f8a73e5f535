package storetest

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

var moveCases = []testcase{
	{"a home moves to another database and back", homeMoves},
	{"a home moves into an empty database only, whole or not at all", homeMovesWhole},
	{"whoever writes while a home moves is kept out of the old one", writersWhileMoving},
}

func silent(string, string, int64) {}

func homeMoves(t *testing.T, d *database) {
	d.fill(t)
	want := rowsOf(t, d.backup(t))
	at := d.url
	for _, to := range []string{d.fresh(t), "sqlite:" + filepath.Join(t.TempDir(), "m.db"), d.fresh(t)} {
		moved, err := store.MigrateData(d.ctx, at, to, silent)
		if err != nil {
			t.Fatal(err)
		}
		if moved.Rows["orders"] != 1 || moved.Rows["inbox"] != 2 {
			t.Errorf("moved %v", moved.Rows)
		}
		if st, err := store.Open(d.ctx, at, store.Options{}); !errs.Is(err, errs.Conflict) {
			t.Errorf("the old home opens: %v", err)
			st.Close()
		}
		at = to
	}
	home := open(t, at)
	home.fresh = d.fresh
	if diff := cmp.Diff(want, rowsOf(t, home.backup(t))); diff != "" {
		t.Error(diff)
	}
	home.works(t)
}

func homeMovesWhole(t *testing.T, d *database) {
	d.fill(t)
	other := open(t, d.fresh(t))
	other.update(t, func(tx *store.Tx) error { return tx.SettingSet("a", "b") })
	if _, err := store.MigrateData(d.ctx, d.url, other.url, silent); !errs.Is(err, errs.Conflict) {
		t.Errorf("into a full one: %v", err)
	}
	if _, err := store.MigrateData(d.ctx, d.url, d.url, silent); !errs.Is(err, errs.Invalid) {
		t.Errorf("into itself: %v", err)
	}
	// A ledger that does not prove is not taken along; the new database stays empty, the old one open.
	q := "UPDATE balance SET on_hand = on_hand + 1 WHERE item_id = 'a'"
	if _, err := d.raw(t, false).ExecContext(d.ctx, q); err != nil {
		t.Fatal(err)
	}
	empty := d.fresh(t)
	if _, err := store.MigrateData(d.ctx, d.url, empty, silent); !errs.Is(err, errs.Conflict) {
		t.Errorf("a broken ledger: %v", err)
	}
	home := open(t, empty)
	if n := func() (n int64) {
		home.view(t, func(tx *store.Tx) (err error) { n, err = tx.ItemCount(); return err })
		return n
	}(); n != 0 {
		t.Errorf("%d items are in the new home", n)
	}
	open(t, d.url)
}

func writersWhileMoving(t *testing.T, d *database) {
	d.fill(t)
	moving, goOn := make(chan struct{}), make(chan struct{})
	once := false
	done := make(chan error, 2)
	to := d.fresh(t)
	go func() {
		_, err := store.MigrateData(d.ctx, d.url, to, func(_, table string, _ int64) {
			if table == "orders" && !once {
				once = true
				close(moving)
				<-goOn
			}
		})
		done <- err
	}()
	select {
	case <-moving:
	case err := <-done:
		t.Fatalf("it ended early: %v", err)
	}
	wrote := make(chan error, 1)
	go func() {
		wrote <- d.Update(d.ctx, func(tx *store.Tx) error { return tx.EventsAppend([]store.Event{{Kind: "late", Subject: "late"}}) })
	}()
	d.view(t, func(tx *store.Tx) error { // readers go on
		_, err := tx.ItemCount()
		return err
	})
	select {
	case err := <-wrote:
		t.Fatalf("somebody wrote while the home moved: %v", err)
	default:
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := <-wrote; err == nil {
		t.Error("what nobody will read was acknowledged")
	}
	if err := d.UpdateInbox(d.ctx, func(tx *store.InboxTx) error {
		_, err := tx.InboxAppend([]store.InboxRow{{ID: "late"}})
		return err
	}); err == nil {
		t.Error("a webhook nobody will read was acknowledged")
	}
	home := open(t, to)
	home.view(t, func(tx *store.Tx) error {
		es, err := tx.EventsOf("late", 1)
		if len(es) > 0 {
			t.Error("what was written late is in the new home")
		}
		return err
	})
}
