package reconcile

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	compare "github.com/spillway/spillway/domain/reconcile"
	"github.com/spillway/spillway/kit/errs"
)

func file(name string, data []byte) File {
	return File{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

func asCSV(t interface{ Fatal(...any) }, rows [][]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asXLSX(t interface{ Fatal(...any) }, rows [][]string) []byte {
	book := excelize.NewFile()
	defer book.Close()
	for i, r := range rows {
		cells := make([]any, len(r))
		for j, s := range r {
			cells[j] = s
		}
		at, err := excelize.CoordinatesToCellName(1, i+1)
		if err == nil {
			err = book.SetSheetRow("Sheet1", at, &cells)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := book.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func utc(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		panic(err)
	}
	return t
}

func day(text string) policy.Day {
	d, err := policy.ParseDay(text)
	if err != nil {
		panic(err)
	}
	return d
}

// exported orders as a channel writes them: a line that explains the columns, a tab behind ids, an order in two rows, personal columns.
var orderRows = [][]string{
	{"Order ID", "Order Status", "Order Substatus", "Seller SKU", "Created Time", "Paid Time", "RTS Time", "Shipped Time", "Delivered Time", "Cancelled Time", "Cancel By", "Cancel Reason", "Tracking ID", "Shipping Provider Name", "Package ID", "Recipient"},
	{"Platform unique order ID.", "Current order status.", "", "", "Order creation time.", "", "", "", "", "", "", "", "", "", "", ""},
	{"576461413038785752\t", "Shipped", "In transit", "MUG", "04/06/2026 9:59:00 AM", "04/06/2026 10:00:00 AM", "04/07/2026 8:00:00 AM", "04/08/2026 5:00:00 PM", "", "", "", "", "9400111899223197428490\t", "USPS", "11", "A***"},
	{"576461413038785752\t", "Shipped", "In transit", "CUP", "04/06/2026 9:59:00 AM", "04/06/2026 10:00:00 AM", "04/07/2026 8:00:00 AM", "04/08/2026 6:00:00 PM", "", "", "", "", "9400111899223197428491\t", "USPS", "12", "A***"},
	{"576461413038785753\t", "Canceled", "", "MUG", "2026-04-06 11:00:00", "2026-04-06T11:00:00-07:00", "", "", "", "2026-04-07 09:00", "Seller", "Out of stock", "", "", "", "B***"},
}

var orderWant = []compare.Row{
	{OrderID: "576461413038785752", Status: order.InTransit, Created: utc("2026-04-06 16:59:00"), Paid: utc("2026-04-06 17:00:00"), Ready: utc("2026-04-07 15:00:00"),
		HandedOver: utc("2026-04-09 01:00:00"), Parcels: []order.Parcel{{Ref: "11", Carrier: "USPS", Tracking: "9400111899223197428490"}, {Ref: "12", Carrier: "USPS", Tracking: "9400111899223197428491"}},
		Place: compare.Place{File: "f", Line: 3}},
	{OrderID: "576461413038785753", Status: order.Cancelled, Created: utc("2026-04-06 18:00:00"), Paid: utc("2026-04-06 18:00:00"), Cancelled: utc("2026-04-07 16:00:00"),
		CancelledBy: order.RoleSeller, CancelReason: "Out of stock", Place: compare.Place{File: "f", Line: 5}},
}

// The same content comes out of CSV and XLSX.
func TestRoundTrips(t *testing.T) {
	la, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Zone: la}
	for name, encode := range map[string]func(interface{ Fatal(...any) }, [][]string) []byte{"csv": asCSV, "xlsx": asXLSX} {
		t.Run(name, func(t *testing.T) {
			got, err := Read([]File{file("f", encode(t, orderRows))}, o)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(orderWant, got.Theirs.Rows); d != "" {
				t.Error(d)
			}
			if f := got.Files[0]; f.Kind != Orders || f.Rows != 4 || f.Taken != 3 || f.Described != 1 || strings.Join(f.Unread, ",") != "Seller SKU,Recipient" {
				t.Errorf("%+v", f)
			}
			got, err = Read([]File{
				file("v", encode(t, [][]string{{"Violations of the week"}, {}, {"Order ID", "Violation type", "Violation date", "Details"}, {"1", "Late dispatch", "2026-04-08", "scanned late"}, {"2", "Copyright", "2026-04-08", ""}})),
				file("p", encode(t, [][]string{{"Metric", "Rate", "Period", "Late orders", "Total orders"}, {"Late dispatch rate (LDR)", "3.90%", "2026-04-06 ~ 2026-04-12", "41", "1,052"}, {"VTR", "96,5 %", "2026-04-06 ~ 2026-04-12", "", ""}, {"Negative review rate", "0.5%", "x", "", ""}})),
				file("a", encode(t, [][]string{{"Date", "Account health rating"}, {"2026-04-09", "188"}, {"2026-04-08", "190"}})),
			}, o)
			if err != nil {
				t.Fatal(err)
			}
			want := compare.Theirs{Listed: []compare.Listed{{Metric: policy.LDR, OrderID: "1", Day: day("2026-04-08"), Reason: "scanned late", Place: compare.Place{File: "v", Line: 4}}},
				Rows: []compare.Row{}, Figures: []compare.Figure{
					{Metric: policy.LDR, From: day("2026-04-06"), To: day("2026-04-12"), Share: 39_000, Num: 41, Den: 1052, Text: "3.90%", Place: compare.Place{File: "p", Line: 2}},
					{Metric: policy.VTR, From: day("2026-04-06"), To: day("2026-04-12"), Share: 965_000, Text: "96,5 %", Place: compare.Place{File: "p", Line: 3}}}}
			if d := cmp.Diff(want, got.Theirs); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff([]int64{190, 188}, []int64{got.Ratings[0].Value, got.Ratings[1].Value}); d != "" {
				t.Error(d)
			}
			if f := got.Files[1]; f.Other != 1 || f.Metrics["Negative review rate"] != 1 {
				t.Errorf("%+v", f)
			}
		})
	}
}

// Dates and shares that a spreadsheet keeps as formatted numbers are read as they are shown.
func TestSpreadsheetNumbers(t *testing.T) {
	book := excelize.NewFile()
	defer book.Close()
	set := func(cell string, v any, format string) {
		t.Helper()
		if err := book.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
		if format != "" {
			style, err := book.NewStyle(&excelize.Style{CustomNumFmt: &format})
			if err == nil {
				err = book.SetCellStyle("Sheet1", cell, cell, style)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, s := range []string{"metric", "value", "from", "to"} {
		at, _ := excelize.CoordinatesToCellName(i+1, 1) // coordinates of a small table
		set(at, s, "")
	}
	set("A2", "LDR", "")
	set("B2", 0.0391, "0.00%")
	set("C2", utc("2026-04-06 00:00:00"), "m/d/yy")
	set("D2", utc("2026-04-12 23:30:00"), "dd.mm.yyyy hh:mm")
	var b bytes.Buffer
	if err := book.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Read([]File{file("f", b.Bytes())}, Options{Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	if f := got.Theirs.Figures[0]; f.Share != 39_100 || f.From != day("2026-04-06") || f.To != day("2026-04-12") {
		t.Errorf("%+v", f)
	}
}

// Each wrong cell is told with its line, field and reason, and nothing of the file is taken unless asked.
func TestWrongRowsAreTold(t *testing.T) {
	for _, tc := range []struct{ head, row, field, text string }{
		{"order,created_at", ",2026-04-06", "order", "is empty"},
		{"order,created_at", "5.76461E+17,2026-04-06", "order", "lost digits"},
		{"order,created_at", "a b,2026-04-06", "order", "no id"},
		{"order,created_at", "1,", "created_at", "is empty"},
		{"order,created_at", "1,tomorrow", "created_at", "not a time"},
		{"order,created_at", "1,1999-01-01", "created_at", "between"},
		{"order,created_at", "1,2026-04-06,3", "", "has 3 cells"},
		{"order,created_at", "1", "", "has 1 cells"},
		{"order,created_at,status", "1,2026-04-06,gone", "status", "is not a status"},
		{"order,created_at,cancelled by", "1,2026-04-06,the cat", "cancelled_by", "nobody known"},
		{"metric,value,day", "LDR,3.9,2026-04-06", "value", "percent sign"},
		{"metric,value,day", "LDR,390%,2026-04-06", "value", "between 0 % and 100 %"},
		{"metric,value,day", "LDR,many%,2026-04-06", "value", "no share"},
		{"metric,value,day", "LDR,3%,", "to", "no day"},
		{"metric,value,day", ",3%,2026-04-06", "metric", "is empty"},
		{"metric,value,from,to", "LDR,3%,2026-04-07,2026-04-06", "to", "before the first"},
		{"metric,value,period", "LDR,3%,last week", "period", "not a period"},
		{"metric,numerator,denominator,day", "LDR,5,4,2026-04-06", "numerator", "more than"},
		{"metric,numerator,denominator,day", "LDR,x,4,2026-04-06", "numerator", "whole number"},
		{"metric,value,day", "LDR,,2026-04-06", "value", "is empty"},
		{"order,metric,day", "1,LDR,someday", "day", "not a time"},
		{"date,rating", "2026-04-06,-3", "rating", "whole number"},
		{"date,rating", ",180", "day", "is empty"},
	} {
		data := []byte(tc.head + "\n" + tc.row + "\n")
		_, err := Read([]File{file("f", data)}, Options{})
		p, ok := errors.AsType[*Problems](err)
		if !ok || !errs.Is(err, errs.Invalid) || len(p.Shown) != 1 || p.Shown[0].Line != 2 || p.Shown[0].Field != tc.field || !strings.Contains(p.Shown[0].Text, tc.text) {
			t.Errorf("%q: %v", tc.row, err)
			continue
		}
		got, err := Read([]File{file("f", data)}, Options{SkipWrong: true})
		if f := got.Files[0]; err != nil || f.Wrong != 1 || f.Taken != 0 || len(f.Problems) != 1 || len(got.Theirs.Rows)+len(got.Theirs.Figures)+len(got.Theirs.Listed)+len(got.Ratings) != 0 {
			t.Errorf("%q left out: %+v, %v", tc.row, f, err)
		}
	}
}

// Rows of an order that contradict each other, and two ratings of a day.
func TestContradictions(t *testing.T) {
	for name, data := range map[string]string{
		"created": "order,created_at\n1,2026-04-06\n1,2026-04-07\n", "rating": "date,rating\n2026-04-06,180\n2026-04-06,181\n",
	} {
		_, err := Read([]File{file("f", []byte(data))}, Options{})
		if p, ok := errors.AsType[*Problems](err); !ok || p.Shown[0].Line != 3 || !strings.Contains(p.Shown[0].Text, "line 2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Files that are refused whole, also when wrong rows would be left out.
func TestFilesThatAreRefused(t *testing.T) {
	claims := func(size uint64) []byte { // a part of 1 MiB that claims another size
		var packed, b bytes.Buffer
		f, err := flate.NewWriter(&packed, flate.BestSpeed)
		if err == nil {
			_, err = f.Write(make([]byte, 1<<20))
		}
		if err != nil || f.Close() != nil {
			t.Fatal(err)
		}
		z := zip.NewWriter(&b)
		w, err := z.CreateRaw(&zip.FileHeader{Name: "xl/worksheets/sheet1.xml", Method: zip.Deflate, CompressedSize64: uint64(packed.Len()), UncompressedSize64: size})
		if err == nil {
			_, err = w.Write(packed.Bytes())
		}
		if err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	cutOff := func() []byte { // a sheet that breaks off
		data := asXLSX(t, orderRows)
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			part, _ := io.ReadAll(r) // a workbook just written
			if strings.HasSuffix(f.Name, "sheet1.xml") {
				part = part[:len(part)/2]
			}
			out, err := w.Create(f.Name)
			if err == nil {
				_, err = out.Write(part)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	wide := strings.Repeat("x,", maxColumns+1) + "\n"
	for name, tc := range map[string]struct {
		data []byte
		text string
	}{
		"empty":        {nil, "is empty"},
		"no header":    {[]byte("a,b\n1,2\n"), "export that is known"},
		"two alike":    {[]byte("order,Order ID,created_at,ORDER\n"), "two columns are called"},
		"utf-16":       {[]byte("\xff\xfeo\x00"), "UTF-16"},
		"latin-1":      {[]byte("order,created_at\n\xe9,x\n"), "line 2"},
		"zero":         {[]byte("order,created_at\n1,\x00\n"), "zero byte in line 2"},
		"open quote":   {[]byte("order,created_at\n1,\"2026\n"), "quote in line 2"},
		"wide":         {[]byte(wide), "columns in line 1"},
		"long cell":    {[]byte("order,created_at\n1," + strings.Repeat("x", maxCell+1) + "\n"), "cell of more than"},
		"many rows":    {[]byte("order,created_at\n" + strings.Repeat("\"\",\"\"\n", maxRows+1)), "more than"},
		"old workbook": {[]byte("\xd0\xcf\x11\xe0..."), ".xlsx"},
		"broken zip":   {[]byte("PK\x03\x04..."), "damaged"},
		"bomb":         {claims(maxUnpacked + 1), "unpacks to more than"},
		"huge":         {claims(1 << 63), "unpacks to more than"},
		"lies":         {claims(10), "damaged"},
		"broken sheet": {cutOff(), "breaks off"},
	} {
		got, err := Read([]File{file("f", tc.data), file("g", asCSV(t, orderRows))}, Options{SkipWrong: true})
		if !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Safe(err), tc.text) || len(got.Theirs.Rows) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Read(nil, Options{Map: map[string]string{"nothing": "x"}}); !errs.Is(err, errs.Invalid) {
		t.Errorf("a mapping of no field: %v", err)
	}
	if _, err := Read(nil, Options{Delimiter: '"'}); !errs.Is(err, errs.Invalid) {
		t.Errorf("a quote as delimiter: %v", err)
	}
}

func TestMappedColumns(t *testing.T) {
	_, err := Read([]File{file("f", []byte("order,placed\n1,2026-04-06\n"))}, Options{Map: map[string]string{"created_at": "Placed on"}})
	if !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Safe(err), `no column "Placed on" for created_at`) {
		t.Errorf("a column that is not there: %v", err)
	}
	o := Options{Map: map[string]string{"order": "Reference", "created_at": "Placed on"}, DayFirst: true, Delimiter: '|'}
	got, err := Read([]File{file("f", []byte("Reference|Placed on|Order ID\n7|03/04/2026 10:00|x\n"))}, o)
	if err != nil || got.Theirs.Rows[0].OrderID != "7" || !got.Theirs.Rows[0].Created.Equal(utc("2026-04-03 10:00:00")) {
		t.Errorf("%+v, %v", got.Theirs, err)
	}
	got, err = Read([]File{file("f", []byte("day;value\n2026-04-03;0,039\n"))}, Options{Kind: Performance, Metric: policy.LDR, Bare: "fraction"})
	if err != nil || got.Theirs.Figures[0].Share != 39_000 || got.Theirs.Figures[0].Metric != policy.LDR {
		t.Errorf("%+v, %v", got.Theirs, err)
	}
}

// No row is lost, whatever is in the cells; and CSV and XLSX tell the same.
func TestNoRowIsLost(t *testing.T) {
	cell := rapid.SampledFrom([]string{"", "1", "2", "576461413038785752", "2026-04-06", "04/07/2026 8:00:00 AM", "x", "=1+1", "Canceled", "LDR", "3 %", "Late dispatch", "other", "-", "180", "\t7 "})
	heads := [][]string{orderRows[0], {"Order ID", "Violation type", "Violation date"}, {"metric", "value", "day"}, {"date", "rating"}}
	rapid.Check(t, func(t *rapid.T) {
		head := rapid.SampledFrom(heads).Draw(t, "head")
		rows := [][]string{head}
		for range rapid.IntRange(0, 8).Draw(t, "rows") {
			rows = append(rows, rapid.SliceOfN(cell, len(head), len(head)).Draw(t, "row"))
		}
		read := func(data []byte) Content {
			got, err := Read([]File{file("f", data)}, Options{SkipWrong: true})
			if err != nil {
				t.Fatal(err)
			}
			f := got.Files[0]
			if f.Rows != f.Taken+f.Wrong+f.Blank+f.Described+f.Other || f.Wrong > 0 && len(f.Problems) < f.Wrong {
				t.Fatalf("%+v", f)
			}
			return got
		}
		a := read(asCSV(t, rows))
		if a.Files[0].Rows != len(rows)-1 {
			t.Fatalf("%d rows of %d", a.Files[0].Rows, len(rows)-1)
		}
		b := read(asXLSX(t, rows))
		if d := cmp.Diff(a.Theirs, b.Theirs); d != "" {
			t.Fatalf("-csv +xlsx:\n%s", d)
		}
	})
}

// FuzzRead reads any bytes. What is taken is sane, what is not is told, and rows add up.
func FuzzRead(f *testing.F) {
	f.Add(asCSV(f, orderRows), "UTC", false)
	f.Add(asXLSX(f, orderRows[:3]), "America/Los_Angeles", true)
	f.Add([]byte("metric;value;period\nLDR;3,9 %;2026-04-06 ~ 2026-04-12\n"), "UTC", false)
	f.Add([]byte("date\trating\n2026-04-06\t180\n"), "UTC", false)
	f.Add([]byte("Order ID,type,date\n1,LDR,04/06/2026\n"), "UTC", true)
	f.Add([]byte("\xef\xbb\xbforder,created_at\n\"1\n2\",x\n"), "UTC", false)
	f.Fuzz(func(t *testing.T, data []byte, zone string, dayFirst bool) {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			loc = time.UTC
		}
		got, err := Read([]File{file("f", data)}, Options{Zone: loc, DayFirst: dayFirst, SkipWrong: true})
		r := got.Files[0]
		if n := r.Taken + r.Wrong + r.Blank + r.Described + r.Other; n > r.Rows || err == nil && n != r.Rows {
			t.Fatalf("rows do not add up: %+v", r)
		}
		if err != nil {
			if _, ok := errors.AsType[*Problems](err); !ok || len(got.Theirs.Rows) > 0 {
				t.Fatalf("refused without saying what is wrong: %v", err)
			}
			return
		}
		for _, x := range got.Theirs.Rows {
			if x.OrderID == "" || len(x.OrderID) > maxID || x.Created.IsZero() || x.Status != "" && !x.Status.Known() {
				t.Fatalf("%+v", x)
			}
		}
		for _, x := range got.Theirs.Figures {
			if x.Share < 0 || x.Share > 1_000_000 || x.From > x.To || x.Num > x.Den || x.Num < 0 {
				t.Fatalf("%+v", x)
			}
		}
	})
}

// What is exported cannot become a formula, and reads back.
func TestExportIsNeutral(t *testing.T) {
	for in, want := range map[string]string{"": "", "=1+1": "'=1+1", "@x": "'@x", "-5": "-5", "+5": "'+5", "-5+1": "'-5+1", "\tx": "'\tx", "'x": "''x", "x=1": "x=1", "576": "576"} {
		if got := Neutral(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	var b bytes.Buffer
	r := compare.Report{Sections: []compare.Section{{Metric: policy.LDR, From: day("2026-04-06"), To: day("2026-04-12"), Lines: []compare.Line{
		{OrderID: "=cmd", Cause: compare.TimeDiffers, Field: "handed_over_at", Minutes: -7, TheirsReason: "+late, \"very\"", Place: compare.Place{File: "@f", Line: 3}}}}},
		Outside: []compare.Line{{OrderID: "9", Cause: compare.OutsidePeriods}}}
	if err := WriteCSV(&b, r); err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(all) != 3 {
		t.Fatalf("%v, %v", all, err)
	}
	if got := fmt.Sprintf("%q", all[1]); got != `["ldr" "2026-04-06" "2026-04-12" "'=cmd" "" "" "time" "handed_over_at" "" "" "-7" "" "" "'+late, \"very\"" "'@f" "3"]` {
		t.Error(got)
	}
}

// withSheet is a workbook whose sheet is the bytes given.
func withSheet(t testing.TB, base, sheet []byte) []byte {
	z, err := zip.NewReader(bytes.NewReader(base), int64(len(base)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, "sheet1.xml") {
			if err := w.Copy(f); err != nil {
				t.Fatal(err)
			}
			continue
		}
		out, err := w.Create(f.Name)
		if err == nil {
			_, err = out.Write(sheet)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzSheet reads a workbook with any sheet in it: bounded, without a panic, and rows add up.
func FuzzSheet(f *testing.F) {
	base := asXLSX(f, orderRows[:3])
	head := `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`
	for _, rows := range []string{
		`<row r="1"><c r="A1" t="inlineStr"><is><t>order</t></is></c><c r="B1" t="str"><v>created_at</v></c></row><row r="2"><c r="A2"><v>1</v></c><c r="B2" s="1"><v>46118.5</v></c></row>`,
		`<row r="1"><c r="XFD1"><v>1</v></c></row>`, `<row r="1048576"><c r="A1048576"><v>1</v></c></row><row r="3"/>`, `<row r="-1"><c r="A0" t="s"><v>99999</v></c></row>`,
		`<row><c><f>1/0</f><v>#DIV/0!</v></c><c t="b"><v>1</v></c><c t="e"><v>x</v></c></row>`,
	} {
		f.Add([]byte(head + rows + `</sheetData></worksheet>`))
	}
	f.Fuzz(func(t *testing.T, sheet []byte) {
		got, err := Read([]File{file("f", withSheet(t, base, sheet))}, Options{SkipWrong: true})
		r := got.Files[0]
		if n := r.Taken + r.Wrong + r.Blank + r.Described + r.Other; err == nil && n != r.Rows || r.Rows > maxRows {
			t.Fatalf("rows do not add up: %+v", r)
		}
	})
}
