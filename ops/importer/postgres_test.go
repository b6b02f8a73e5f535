package importer_test

import (
	"context"
	"os"
	"testing"

	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/ops/importer"
	"github.com/spillway/spillway/store"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// TestPostgres imports items, counts and orders into PostgreSQL, whose batches and locks are other than SQLite's: twice the same, once
// in conflict, and open orders that reserve and ship.
func TestPostgres(t *testing.T) {
	st, err := store.Open(context.Background(), pgtest.Start(t), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	o := orders
	o.Open, o.Update = true, true
	for range 2 {
		mustRun(t, st, "sku,components\nCUP,\nSET,CUP:2\n", items)
		mustRun(t, st, "sku,location,on_hand\nCUP,main,5\n", counts)
		mustRun(t, st, lines+"1,SET,2,2026-01-02,9,,\n2,CUP,3,2026-01-02,5,paid,\n", o)
	}
	if got := stockOf(t, st, "CUP", "main"); got != "5/5/0" {
		t.Errorf("reserved: %s", got)
	}
	if r := mustRun(t, st, lines+"1,SET,2,2026-01-02,9,shipped,\n", o); r.Changed != 1 || stockOf(t, st, "CUP", "main") != "1/1/0" {
		t.Errorf("shipped: %+v %s", r, stockOf(t, st, "CUP", "main"))
	}
	o.Update = false
	_, err = importer.Run(t.Context(), st, text(lines+"9,CUP,1,2026-01-02,9,completed,\n2,CUP,4,2026-01-02,5,paid,\n"), o)
	wantConflict(t, err, "line 3", "--update")
	if orderOf(t, st, "9").ID != "" {
		t.Error("a refused file left an order behind")
	}
}
