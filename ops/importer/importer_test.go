package importer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/importer"
	"github.com/spillway/spillway/store"
)

var (
	items  = importer.Options{Kind: importer.Items}
	counts = importer.Options{Kind: importer.Stock, CreateLocations: true, Actor: "tester"}
	orders = importer.Options{Kind: importer.Orders, Channel: "shop", Currency: "EUR"}
)

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

func view(t testing.TB, st *store.Store, f func(tx *store.Tx) error) {
	t.Helper()
	if err := st.View(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

func item(t testing.TB, st *store.Store, sku string) (it catalog.Item) {
	t.Helper()
	view(t, st, func(tx *store.Tx) error {
		got, err := tx.ItemsBySKU([]string{sku})
		if err == nil && len(got) == 1 {
			it = got[0]
		}
		return err
	})
	return it
}

// stockOf is "on hand/reserved/damaged" at a location, and the proof that the ledger holds.
func stockOf(t testing.TB, st *store.Store, itemID, place string) string {
	t.Helper()
	out := "none"
	view(t, st, func(tx *store.Tx) error {
		found, err := tx.LedgerCheck()
		if err != nil || len(found) > 0 {
			t.Errorf("the ledger does not hold: %v", found)
			return err
		}
		balances, err := tx.Balances([]string{itemID})
		for _, b := range balances {
			if b.LocationID == place {
				out = fmt.Sprintf("%d/%d/%d", b.OnHand, b.Reserved, b.Damaged)
			}
		}
		return err
	})
	return out
}

func orderOf(t testing.TB, st *store.Store, external string) (o order.Order) {
	t.Helper()
	view(t, st, func(tx *store.Tx) error {
		got, err := tx.OrdersGet([]string{order.ID("import-shop", external)})
		if err == nil && len(got) == 1 {
			o = got[0]
		}
		return err
	})
	return o
}

func wantConflict(t testing.TB, err error, words ...string) {
	t.Helper()
	if !errs.Is(err, errs.Conflict) {
		t.Fatalf("no conflict: %v", err)
	}
	for _, w := range words {
		if !strings.Contains(errs.Safe(err), w) {
			t.Errorf("the sentence does not say %q: %s", w, errs.Safe(err))
		}
	}
}

func TestItems(t *testing.T) {
	st := open(t)
	// The bundle may come before its parts; a mark, formulas, quoted breaks and blanks around cells are all fine.
	file := "\xef\xbb\xbfArticle No,Name,EAN,Kit\r\n SET ,\"Two\nlines\",,CUP:2; SAUCER:1;\r\nCUP,=1+1,0012345678905,\r\nSAUCER,@SUM(A1),,\r\n"
	o := with(items, "sku", "article no")
	if r := mustRun(t, st, file, o); r.Created != 3 || r.Rows != 3 {
		t.Errorf("%+v", r)
	}
	set := item(t, st, "SET")
	if diff := cmp.Diff([]catalog.Component{{ItemID: "CUP", Qty: 2}, {ItemID: "SAUCER", Qty: 1}}, set.Components); diff != "" || set.Title != "Two\nlines" {
		t.Errorf("%q %s", set.Title, diff)
	}
	if cup := item(t, st, "CUP"); cup.Title != "=1+1" || cup.Barcode != "0012345678905" {
		t.Errorf("%+v", cup)
	}
	before := snapshot(t, st)
	if r := mustRun(t, st, packed(t, file), o); r.Unchanged != 3 || snapshot(t, st) != before {
		t.Errorf("the same file changed something: %+v", r)
	}
	_, err := importer.Run(t.Context(), st, text("sku,title\nCUP,Mug\nNEW,x\n"), items)
	wantConflict(t, err, "line 2", "CUP", "--update")
	if item(t, st, "NEW").ID != "" {
		t.Error("a refused file left an item behind")
	}
	change := items
	change.Update, change.Delimiter = true, '\t'
	if r := mustRun(t, st, "sku\ttitle\nCUP\tMug\n", change); r.Changed != 1 || item(t, st, "CUP").Title != "Mug" {
		t.Errorf("%+v", r)
	}
}

// TestMissingColumnsKeepWhatIsThere: a list of barcodes does not wipe titles and bundles.
func TestMissingColumnsKeepWhatIsThere(t *testing.T) {
	st := open(t)
	mustRun(t, st, "sku,title,components\nCUP,Cup,\nSET,Set,CUP:2\n", items)
	if r := mustRun(t, st, "sku\nCUP\nSET\n", items); r.Unchanged != 2 {
		t.Errorf("%+v", r)
	}
	o := items
	o.Update = true
	mustRun(t, st, "sku,ean\nSET,4006381333931\n", o)
	want := catalog.Item{ID: "SET", SKU: "SET", Title: "Set", Barcode: "4006381333931", Components: []catalog.Component{{ItemID: "CUP", Qty: 2}}}
	got := item(t, st, "SET")
	got.CreatedAt = time.Time{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestListingsAreMappedToImportedItems(t *testing.T) {
	st := open(t)
	if err := st.Update(t.Context(), func(tx *store.Tx) error {
		return tx.ListingPut([]catalog.Listing{{ID: catalog.ListingID("c", "1"), ConnectionID: "c", ExternalSKU: "1", SellerSKU: "CUP", Active: true}})
	}); err != nil {
		t.Fatal(err)
	}
	mustRun(t, st, "sku\nCUP\n", items)
	view(t, st, func(tx *store.Tx) error {
		got, err := tx.ListingsByID([]string{"c:1"})
		if err == nil && (len(got) != 1 || got[0].ItemID != "CUP") {
			t.Errorf("the listing is not mapped: %+v", got)
		}
		return err
	})
}

func TestStock(t *testing.T) {
	st := open(t)
	mustRun(t, st, "sku\nCUP\nPOT\n", items)
	file := "sku,warehouse,qty,damaged\nCUP,East Hall,10,1\nCUP,west,4,\nPOT,East Hall,0,0\n"
	r := mustRun(t, st, file, counts)
	if r.Created != 3 || !cmp.Equal(r.Locations, []string{"east-hall", "west"}) || stockOf(t, st, "CUP", "east-hall") != "10/0/1" {
		t.Errorf("%+v %s", r, stockOf(t, st, "CUP", "east-hall"))
	}
	before := snapshot(t, st)
	if r := mustRun(t, st, file, counts); r.Unchanged != 3 || snapshot(t, st) != before || !strings.Contains(r.String(), "--sheet") {
		t.Errorf("the same file changed something: %+v", r)
	}
	// A sheet with a name is one count: the same again is done already, other numbers are refused, another name counts anew.
	named := counts
	named.Sheet, named.Location = "november", "west"
	mustRun(t, st, "sku,on_hand\nCUP,6\n", named)
	mustRun(t, st, "sku,on_hand\nCUP,6\nPOT,2\n", named)
	_, err := importer.Run(t.Context(), st, text("sku,on_hand\nPOT,2\nCUP,7\n"), named)
	wantConflict(t, err, "line 3", "counted as 6", "--sheet")
	if got := stockOf(t, st, "CUP", "west"); got != "6/0/0" {
		t.Errorf("CUP at west: %s", got)
	}
	named.Sheet = "december"
	mustRun(t, st, "sku,on_hand\nCUP,6\n", named) // the same number, counted again: recorded
	if n := movements(t, st); n != 6 {
		t.Errorf("%d movements, want 6", n)
	}
}

const lines = "order,sku,quantity,created_at,price,status,cancelled\n"

func TestOrders(t *testing.T) {
	st := open(t)
	mustRun(t, st, "sku\nCUP\nPOT\n", items)
	mustRun(t, st, "sku,location,on_hand\nCUP,main,5\n", counts)
	o := orders
	o.Zone = time.FixedZone("west", -5*3600)
	// The rows of order 1 are apart, two of them of one article; order 2 was cancelled.
	file := lines + "1,CUP,2,2026-01-02 23:30,1.50,,1\n2,CUP,1,2026-01-03T10:00:00Z,1,canceled,\n1,POT,1,2026-01-02 23:31,4,,\n1,CUP,3,2026-01-02 23:31,1.50,,\n"
	if r := mustRun(t, st, file, o); r.Created != 2 || r.Lines != 4 {
		t.Errorf("%+v", r)
	}
	one := orderOf(t, st, "1")
	if one.Status != order.Completed || !one.CreatedAt.Equal(time.Date(2026, 1, 3, 4, 30, 0, 0, time.UTC)) || one.Totals.Total.String() != "10.00 EUR" ||
		len(one.Lines) != 3 || one.Fulfilment != order.BySeller || one.NeedsDetail {
		t.Errorf("%+v", one)
	}
	if two := orderOf(t, st, "2"); two.Status != order.Cancelled || two.Lines[0].Cancelled != 1 {
		t.Errorf("%+v", two)
	}
	if got := stockOf(t, st, "CUP", "main"); got != "5/0/0" {
		t.Errorf("history moved stock: %s", got)
	}
	before := snapshot(t, st)
	if r := mustRun(t, st, file, o); r.Unchanged != 2 || r.Lines != 0 || snapshot(t, st) != before {
		t.Errorf("the same file changed something: %+v", r)
	}
	changed := strings.Replace(file, "2,CUP,1,", "2,CUP,9,", 1) + "3,CUP,1,2026-01-04,1,,\n"
	_, err := importer.Run(t.Context(), st, text(changed), o)
	wantConflict(t, err, "line 3", `order "2"`, "--update")
	if orderOf(t, st, "3").ID != "" {
		t.Error("a refused file left an order behind")
	}
}

// TestOpenOrders follows open orders: they reserve, what is not there is counted as lacking, and a later file ships or frees them.
func TestOpenOrders(t *testing.T) {
	st := open(t)
	mustRun(t, st, "sku,components\nCUP,\nSET,CUP:2\n", items)
	mustRun(t, st, "sku,location,on_hand\nCUP,main,5\n", counts)
	o := orders
	o.Open, o.AllowUnknown = true, true
	r := mustRun(t, st, lines+"1,SET,2,2026-01-02,9,,\n2,CUP,3,2026-01-02,5,paid,\n3,CUP,8,2025-01-02,5,completed,\n4,GIFT,1,2026-01-02,5,,\n", o)
	if r.Created != 4 || r.Reserved != 5 || r.Short != 2 || r.Unknown != 1 || stockOf(t, st, "CUP", "main") != "5/5/0" {
		t.Errorf("%+v %s", r, stockOf(t, st, "CUP", "main"))
	}
	o.Update = true
	mustRun(t, st, lines+"1,SET,2,2026-01-02,9,shipped,\n", o)
	if got := stockOf(t, st, "CUP", "main"); got != "1/1/0" {
		t.Errorf("after the first order shipped: %s", got)
	}
	// Order 2 loses its line: what it held is free again.
	mustRun(t, st, "order,sku,quantity,created_at,updated_at\n2,GIFT,1,2026-01-02,2026-01-05\n", o)
	if got := stockOf(t, st, "CUP", "main"); got != "1/0/0" {
		t.Errorf("after the second order changed: %s", got)
	}
	_, err := importer.Run(t.Context(), st, text("order,sku,quantity,created_at,updated_at\n2,GIFT,5,2026-01-02,2026-01-03\n"), o)
	wantConflict(t, err, "line 2", "older")
}

func TestDryRunWritesNothing(t *testing.T) {
	st := open(t)
	mustRun(t, st, "sku\nCUP\n", items)
	before := snapshot(t, st)
	for file, o := range map[string]importer.Options{"sku\nNEW\n": items, "sku,location,on_hand\nCUP,new,1\n": counts, lines + "1,CUP,1,2026-01-02,1,,\n": orders} {
		o.DryRun = true
		if r := mustRun(t, st, file, o); r.Created != 1 || !strings.Contains(r.String(), "nothing was written") {
			t.Errorf("%s", r)
		}
	}
	if after := snapshot(t, st); after != before {
		t.Errorf("from %s to %s", before, after)
	}
}

// TestRulesOfThePreset counts every row that is left out by its rule.
func TestRulesOfThePreset(t *testing.T) {
	const file = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n" +
		"536365,85123A,HEART HOLDER,6,2011-06-01 08:26:00,2.55,17850,United Kingdom\n" +
		"536365,POST,POSTAGE,1,2011-06-01 08:26:00,18,17850,United Kingdom\n" +
		"C536379,85123A,HEART HOLDER,-1,6/1/2011 9:41,2.55,14527,United Kingdom\n" +
		"536400,22001,lost,-12,2011-06-01 10:00:00,0,,United Kingdom\n" +
		"536401,22001,SAMPLE,3,2011-06-01 10:00:00,0.00,,United Kingdom\n" +
		"A563185,B,Adjust bad debt,1,2011-06-01 14:50:00,11062.06,,United Kingdom\n" +
		"536402,85123A,HEART HOLDER WHITE,1,2011-06-02 08:26:00,2.95,,France\n"
	st := open(t)
	i, o := items, importer.Options{Kind: importer.Orders, Channel: "shop", Preset: importer.OnlineRetail}
	i.Preset = importer.OnlineRetail
	if r := mustRun(t, st, file, i); r.Created != 1 || item(t, st, "85123A").Title != "HEART HOLDER WHITE" {
		t.Errorf("%+v", r)
	}
	r := mustRun(t, st, file, o)
	var got []string
	for _, s := range r.Skipped {
		got = append(got, fmt.Sprintf("%d %d %.5s", s.Rows, s.Units, strings.TrimPrefix(s.Rule, "an ")))
	}
	want := []string{"1 -1 a can", "1 1 adjus", "1 1 not g", "1 -12 a wri", "1 3 no pr"}
	if diff := cmp.Diff(want, got); diff != "" || r.Created != 2 || r.Emptied != 4 || r.Lines != 2 {
		t.Errorf("%s %+v", diff, r)
	}
	if one := orderOf(t, st, "536365"); !one.CreatedAt.Equal(time.Date(2011, 6, 1, 7, 26, 0, 0, time.UTC)) || one.Totals.Total.String() != "15.30 GBP" {
		t.Errorf("London's summer: %s %s", one.CreatedAt, one.Totals.Total)
	}
}

// TestFileThatChangesWhileRead is refused: what was checked is not what would be written.
func TestFileThatChangesWhileRead(t *testing.T) {
	st := open(t)
	mustRun(t, st, "sku\nCUP\n", items)
	n := 0
	src := importer.Source{Name: "growing.csv", Open: func() (io.ReadCloser, error) {
		n++
		return io.NopCloser(strings.NewReader(lines + strings.Repeat("1,CUP,1,2026-01-02,1,,\n", n))), nil
	}}
	_, err := importer.Run(t.Context(), st, src, orders)
	wantConflict(t, err, "changed while it was read")
	if orderOf(t, st, "1").ID != "" {
		t.Error("something was written")
	}
}

func TestStopsWhenAsked(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := importer.Run(ctx, open(t), text("sku\n"+strings.Repeat("A\n", 5000)), items)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("went on: %v", err)
	}
}
