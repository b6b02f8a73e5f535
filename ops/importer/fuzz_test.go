package importer

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// FuzzRead reads any bytes as each kind of file. What it accepts is what the standard reader sees; what it refuses, it refuses with a
// bounded list of problems on lines that exist.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"sku,title\nA,=1+1\nB,\"two\r\nlines\"\n", "\xef\xbb\xbfsku;title\nA;B\n", "sku,components\nA,B:2;C:1\nB,\nC,\n",
		"sku,location,on_hand,damaged\nA,main,5,1\n", "order,sku,quantity,created_at,price,currency,status\n1,A,2,2026-01-02T03:04:05Z,1.50,EUR,completed\n",
		"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice\n536365,85123A,X,6,2010-12-01 08:26:00,2.55\nC1,M,\"a \"\"b\"\"\",-1,1/2/2011 8:26,0\n",
		"sku\n\"A", "sku\nA\x00", "sku\n\xe9", "\xff\xfe", "\x1f\x8b\x08", "sku\n" + strings.Repeat("\"\n\"\n", 200), "sku,sku\n", "\n\n\nsku\n\n A \n",
	} {
		f.Add([]byte(s), byte(','))
	}
	f.Add([]byte("sku\ttitle\nA\tB\n"), byte('\t'))
	f.Fuzz(func(t *testing.T, data []byte, delimiter byte) {
		src := Source{Name: "f", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
		for _, o := range []Options{{Kind: Items}, {Kind: Items, Preset: OnlineRetail}, {Kind: Stock, Location: "main"}, {Kind: Orders, Channel: "c", Currency: "EUR", Open: true},
			{Kind: Orders, Channel: "c", Preset: OnlineRetail}} {
			o.Delimiter = rune(delimiter)
			j, err := newJob(src, o)
			if err != nil {
				continue // no delimiter
			}
			var read func(context.Context) (func(*store.Tx) error, error)
			switch o.Kind {
			case Items:
				read = j.items
			case Stock:
				read = j.stock
			case Orders:
				read = j.orders
			}
			_, err = read(t.Context())
			checkRead(t, j, data, err)
		}
	})
}

func checkRead(t *testing.T, j *job, data []byte, err error) {
	t.Helper()
	if err != nil {
		p, ok := errors.AsType[*Problems](err)
		if !ok || !errs.Is(err, errs.Invalid) || len(p.Shown) == 0 || len(p.Shown) > maxProblems {
			t.Fatalf("refused without saying what is wrong: %v", err)
		}
		for _, one := range p.Shown {
			if one.Line > bytes.Count(data, []byte("\n"))+1 && !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) || one.Text == "" || len(one.Value) > maxExcerpt+3 {
				t.Fatalf("line %d is not in the file, or the problem is not told: %+v", one.Line, one)
			}
		}
		return
	}
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return
	}
	std := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	std.Comma, std.FieldsPerRecord = j.o.Delimiter, -1
	all, err := std.ReadAll()
	if err != nil || len(all) != j.report.Rows+1 {
		t.Fatalf("accepted %d rows, the standard reader sees %d: %v", j.report.Rows, len(all)-1, err)
	}
}
