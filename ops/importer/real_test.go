package importer_test

import (
	"context"
	"io"
	"os"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/ops/importer"
	"github.com/spillway/spillway/store"
)

// realExport is nine months of a real shop: Online Retail, UCI Machine Learning Repository, CC BY 4.0.
const realExport = "../../../shared/data/uci-online-retail/lines_2010-12_2011-08.csv.gz"

func file(path string) importer.Source {
	return importer.Source{Name: path, Open: func() (io.ReadCloser, error) { return os.Open(path) }}
}

func open(t testing.TB) *store.Store {
	t.Helper()
	st, err := store.Open(context.Background(), "sqlite:"+t.TempDir()+"/spillway.db", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return st
}

// TestRealExport imports a real export of more than ten thousand orders, twice.
func TestRealExport(t *testing.T) {
	if _, err := os.Stat(realExport); err != nil {
		t.Skipf("SKIPPED: the real export is not beside this checkout: %v", err)
	}
	if testing.Short() {
		t.Skip("SKIPPED with -short: 320,705 rows")
	}
	st := open(t)
	run := func(o importer.Options) importer.Report {
		t.Helper()
		o.Preset = importer.OnlineRetail
		began := time.Now()
		r, err := importer.Run(t.Context(), st, file(realExport), o)
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(began)
		t.Logf("%s\n%d rows in %.1f s: %.0f rows/s", r, r.Rows, took.Seconds(), float64(r.Rows)/took.Seconds())
		return r
	}
	items := run(importer.Options{Kind: importer.Items})
	orders := run(importer.Options{Kind: importer.Orders, Channel: "old-shop"})
	var left int64
	for _, s := range orders.Skipped {
		left += s.Rows
	}
	if orders.Created != 12_383 || orders.Rows != 320_705 || orders.Unknown != 0 || int64(orders.Lines)+left != int64(orders.Rows) || items.Created < 3000 {
		t.Errorf("%d items, %d orders of %d lines, %d rows left out of %d", items.Created, orders.Created, orders.Lines, left, orders.Rows)
	}
	if got := movements(t, st); got != 0 {
		t.Errorf("history made %d movements of stock", got)
	}
	again := run(importer.Options{Kind: importer.Orders, Channel: "old-shop"})
	if again.Created+again.Changed+again.Lines != 0 || again.Unchanged != orders.Created {
		t.Errorf("the second import changed something: %+v", again)
	}
}

func movements(t testing.TB, st *store.Store) int {
	t.Helper()
	n := 0
	err := st.View(context.Background(), func(tx *store.Tx) error {
		n = 0
		return tx.JournalAll(func(stock.Movement) bool { n++; return true })
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
