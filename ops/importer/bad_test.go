package importer_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/importer"
	"github.com/spillway/spillway/store"
)

func text(s string) importer.Source {
	return importer.Source{Name: "file.csv", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(s)), nil }}
}

func packed(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, s); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestBadFiles gives files that are wrong in one way each: the sentence names the line and the way out, and nothing is stored.
func TestBadFiles(t *testing.T) {
	const (
		items  = "sku,title\n"
		stock  = "sku,location,on_hand,damaged\n"
		orders = "order,sku,quantity,created_at,unit_price,currency,status\n"
		good   = "1,A,1,2026-01-02 03:04,1.50,EUR,completed\n"
	)
	i, s, o := importer.Options{Kind: importer.Items}, importer.Options{Kind: importer.Stock}, importer.Options{Kind: importer.Orders, Channel: "shop"}
	cases := map[string]struct {
		o    importer.Options
		file string
		want []string
	}{
		"empty file":               {i, "", []string{"is empty"}},
		"only a mark":              {i, "\xef\xbb\xbf", []string{"is empty"}},
		"no such column":           {i, "name\nx\n", []string{"line 1", "no column is the sku", "--map sku=COLUMN", `"name"`}},
		"other delimiter":          {i, "sku;title\nA;B\n", []string{"--delimiter"}},
		"column twice":             {i, "sku,SKU\nA,B\n", []string{"line 1", "two columns"}},
		"mapped to nothing":        {with(i, "sku", "Nope"), items + "A,B\n", []string{`no column "Nope"`}},
		"mapped field unknown":     {with(i, "colour", "title"), items + "A,B\n", []string{"--map colour", "fields are sku"}},
		"truncated quote":          {i, items + "A,\"no end\nB,x\n", []string{"line 2", "not closed"}},
		"bare quote":               {i, items + "A,5\" pipe\n", []string{"line 2", "quote at column"}},
		"too many cells":           {i, items + "A,x,y\n", []string{"line 2", "has 3 cells where the header has 2"}},
		"too few cells":            {i, items + "A\n", []string{"line 2", "has 1 cells"}},
		"zero byte":                {i, items + "A,b\x00c\n", []string{"line 2", "zero byte"}},
		"Latin-1":                  {i, items + "A,x\nB,caf\xe9\nC,y\n", []string{"line 3", "0xE9", "CSV UTF-8"}},
		"cut character at the end": {i, items + "A,caf\xc3", []string{"line 2", "0xC3"}},
		"UTF-16":                   {i, "\xff\xfes\x00k\x00u\x00", []string{"UTF-16"}},
		"10 MB cell":               {i, items + "A,x\nB,\"" + strings.Repeat("x\n", 5<<20) + "\"\n", []string{"line 3", "1024 KiB"}},
		"10 MB line":               {i, items + "A," + strings.Repeat("x", 10<<20), []string{"line 2", "1024 KiB"}},
		"10 MB of quotes":          {i, items + "A," + strings.Repeat(`"`, 10<<20), []string{"line 2"}},
		"long title":               {i, items + "A," + strings.Repeat("x", 501) + "\n", []string{"line 2", "title", "longer than 500"}},
		"line after quoted breaks": {i, items + "A,\"one\ntwo\nthree\"\n,x\n", []string{"line 5: sku", "is empty"}},
		"broken gzip":              {i, packed(t, items+"A,B\n")[:20], []string{"cannot be read"}},
		"gzip of nothing":          {i, "\x1f\x8bnope", []string{"gzip"}},
		"item twice":               {i, items + "A,x\nB,y\nA,z\n", []string{"line 4", `sku "A"`, "line 2 already"}},
		"control character":        {i, items + "\"A\nB\",x\n", []string{"line 2", "control character"}},
		"component unknown":        {i, "sku,components\nA,B:1\n", []string{"line 2", `components "B"`, "is no item"}},
		"component without units":  {i, "sku,components\nA,B\n", []string{"line 2", "A:2;B:1"}},
		"component of nothing":     {i, "sku,components\nB,\nA,B:0\n", []string{"line 3", "units from 1"}},
		"bundle of a bundle":       {i, "sku,components\nC,\nB,C:1\nA,B:1\n", []string{"line 4", "do not nest"}},
		"bundle of itself":         {i, "sku,components\nA,A:1\n", []string{"line 2", "itself"}},
		"stock of nothing":         {s, stock + "X,main,1,0\n", []string{"line 2", `sku "X"`, "import items first"}},
		"no location":              {s, "sku,on_hand\nKNOWN,1\n", []string{"--location"}},
		"unknown location":         {s, stock + "KNOWN,moon,1,0\n", []string{"line 2", `location "moon"`, "--create-locations"}},
		"half a unit":              {s, stock + "KNOWN,main,1.5,0\n", []string{"line 2", `on_hand "1.5"`, "whole number"}},
		"grouped digits":           {s, stock + "KNOWN,main,\"1,500\",0\n", []string{"whole number"}},
		"negative stock":           {s, stock + "KNOWN,main,-1,0\n", []string{"from 0 to"}},
		"too much stock":           {s, stock + "KNOWN,main,99999999999999999999,0\n", []string{"from 0 to"}},
		"no count":                 {s, stock + "KNOWN,main,,0\n", []string{"on_hand", "is empty"}},
		"more damaged than there":  {s, stock + "KNOWN,main,1,2\n", []string{"damaged", "more than the 1"}},
		"counted twice":            {s, stock + "KNOWN,main,1,0\nKNOWN,Main,2,0\n", []string{"line 3", "line 2 already"}},
		"unknown sku":              {o, orders + strings.Replace(good, "A", "X", 1), []string{"line 2", "--allow-unknown-sku"}},
		"no quantity":              {o, orders + "1,KNOWN,0,2026-01-02,1,EUR,completed\n", []string{"from 1 to"}},
		"no time":                  {o, orders + "1,KNOWN,1,,1,EUR,completed\n", []string{"created_at", "is empty"}},
		"no such day":              {o, orders + "1,KNOWN,1,2026-02-30,1,EUR,completed\n", []string{"is not a time"}},
		"year of milliseconds":     {o, orders + "1,KNOWN,1,1900-01-01,1,EUR,completed\n", []string{"between the years"}},
		"price with comma":         {o, orders + "1,KNOWN,1,2026-01-02,\"1,50\",EUR,completed\n", []string{"unit_price", "12.50"}},
		"no currency":              {o, orders + "1,KNOWN,1,2026-01-02,1.50,,completed\n", []string{"--currency"}},
		"no such currency":         {o, orders + "1,KNOWN,1,2026-01-02,1.50,€,completed\n", []string{"currency", "three letters"}},
		"two currencies":           {o, orders + "1,KNOWN,1,2026-01-02,1,EUR,completed\n1,KNOWN,1,2026-01-02,1,USD,completed\n", []string{"line 3", "other lines"}},
		"unknown status":           {o, orders + "1,KNOWN,1,2026-01-02,1,EUR,teleported\n", []string{"status", "completed"}},
		"open in history":          {o, orders + "1,KNOWN,1,2026-01-02,1,EUR,paid\n", []string{"--open"}},
		"two statuses":             {o, orders + "1,KNOWN,1,2026-01-02,1,EUR,completed\n1,KNOWN,1,2026-01-02,1,EUR,cancelled\n", []string{"line 3", "line 2"}},
		"sum too large":            {o, orders + "1,KNOWN,1000000,2026-01-02,92233720368547758.07,EUR,completed\n", []string{"line 2", "too large"}},
		"order too long":           {o, orders + strings.Repeat("1,KNOWN,1,2026-01-02,1,EUR,completed\n", 5001), []string{"5000"}},
		"no channel":               {importer.Options{Kind: importer.Orders}, orders + good, []string{"channel"}},
		"preset for stock":         {importer.Options{Kind: importer.Stock, Preset: importer.OnlineRetail}, stock, []string{"says nothing about stock"}},
		"no such preset":           {importer.Options{Kind: importer.Items, Preset: "x"}, items, []string{"online-retail"}},
	}
	st := open(t)
	mustRun(t, st, "sku\nKNOWN\n", i)
	mustRun(t, st, stock+"KNOWN,main,7,0\n", importer.Options{Kind: importer.Stock, CreateLocations: true})
	before := snapshot(t, st)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r, err := importer.Run(t.Context(), st, text(c.file), c.o)
			if err == nil {
				t.Fatalf("was imported: %s", r)
			}
			if k := errs.KindOf(err); k != errs.Invalid {
				t.Errorf("kind %s: %v", k, err)
			}
			for _, w := range c.want {
				if !strings.Contains(errs.Safe(err), w) {
					t.Errorf("the sentence does not say %q:\n%.600s", w, errs.Safe(err))
				}
			}
		})
	}
	if after := snapshot(t, st); after != before {
		t.Errorf("files that were refused changed the store from %s to %s", before, after)
	}
}

func with(o importer.Options, field, column string) importer.Options {
	o.Map = map[string]string{field: column}
	return o
}

func mustRun(t testing.TB, st *store.Store, file string, o importer.Options) importer.Report {
	t.Helper()
	r, err := importer.Run(t.Context(), st, text(file), o)
	if err != nil {
		t.Fatalf("%s", errs.Safe(err))
	}
	return r
}

// snapshot counts what imports write.
func snapshot(t testing.TB, st *store.Store) string {
	t.Helper()
	var out string
	err := st.View(t.Context(), func(tx *store.Tx) error {
		items, err := tx.ItemCount()
		if err != nil {
			return err
		}
		places, err := tx.Locations()
		if err != nil {
			return err
		}
		counts, err := tx.OrderCounts()
		if err != nil {
			return err
		}
		last, err := tx.EventLast()
		out = fmt.Sprint(items, " items, ", len(places), " locations, orders ", counts, ", last event ", last)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(out, ", ", movements(t, st), " movements")
}

func TestProblemsAreBounded(t *testing.T) {
	_, err := importer.Run(t.Context(), open(t), text("sku\n"+strings.Repeat("\"\n\"\n", 250)), importer.Options{Kind: importer.Items})
	said := errs.Safe(err)
	if n := strings.Count(said, "\n  line "); n != 100 || !strings.Contains(said, "and 150 more") {
		t.Errorf("%d problems are told:\n%.300s", n, said)
	}
}
