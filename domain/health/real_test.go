package health

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

// Real histories of shared test data. Where it is not there the tests say so and skip.
const shared = "../../../shared/data"

// row is a line of a table by the names of its columns.
type row struct {
	line int
	text map[string]string
}

func table(t *testing.T, name string) []row {
	t.Helper()
	f, err := os.Open(filepath.Join(shared, name))
	if err != nil {
		t.Skipf("SKIPPED, not proved here: %v", err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	var in io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	r := csv.NewReader(in)
	head, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	var out []row
	for {
		cells, err := r.Read()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		line, _ := r.FieldPos(0)
		x := row{line: line, text: map[string]string{}}
		for i, name := range head {
			x.text[name] = cells[i]
		}
		out = append(out, x)
	}
}

// monthly is the sum of a rate's days of a month, written 2017-11.
func monthly(t *testing.T, s Series, month string) DayCount {
	t.Helper()
	first, err := time.Parse("2006-01", month)
	if err != nil {
		t.Fatal(err)
	}
	next := first.AddDate(0, 1, 0)
	return s.Sum(policy.Date(first.Date()), policy.Date(next.Date())-1)
}

// share is num of den as the truth files write it: cut to six decimals, the last one rounded.
func share(num, den int64) float64 { return float64(num) / float64(den) }

func near(t *testing.T, what string, got float64, text string) {
	t.Helper()
	want, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	if d := got - want; d > 0.5000001e-6 || d < -0.5000001e-6 {
		t.Errorf("%s is %.7f, the file says %s", what, got, text)
	}
}

// purchaseRates judge by month of purchase, as the truth file of the order history does.
func purchaseRates(zone string) *policy.RuleSet {
	return ready(policy.RuleSet{Market: "BR", Version: "test", Zone: zone, Business: policy.Business{Week: 0b0111110}, Rates: []policy.Rate{
		{ID: "ldr", Metric: policy.LDR, Counts: policy.Orders, Anchor: policy.AtPlaced, Test: policy.HandedOverLate, Days: 30},
		{ID: "otdr", Metric: policy.OTDR, Counts: policy.Orders, Anchor: policy.AtPlaced, Test: policy.DeliveredOnTime, Days: 30},
	}})
}

// The real order history: monthly rates through Judge and Batch equal the truth file and a plain count of the table's texts.
func TestOlistMonths(t *testing.T) {
	orders := table(t, "olist-fulfilment/orders_2016_2017.csv.gz")
	items := table(t, "olist-fulfilment/order_items_2016_2017.csv.gz")
	truth := table(t, "olist-fulfilment/expected_kpis_by_month_2016_2017.csv")
	rs := purchaseRates("America/Sao_Paulo")
	wall := func(text string) time.Time {
		at, err := time.ParseInLocation("2006-01-02 15:04", text, rs.Location())
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	limits, sellers := map[string]string{}, map[string][]order.Line{}
	for _, r := range items {
		id := r.text["order_id"]
		limits[id] = max(limits[id], r.text["shipping_limit_date"]) // as text: these sort as times do
		sellers[id] = append(sellers[id], order.Line{ExternalLineID: r.text["order_item_id"], SellerSKU: r.text["product_id"], Qty: 1})
	}
	j := NewJudge(rs)
	var b Batch
	plain := map[string]*[3]int64{} // month: orders, late dispatch, late delivery
	for _, r := range orders {
		x := r.text
		id, bought, carrier, delivered, promised := x["order_id"], x["order_purchase_timestamp"], x["order_delivered_carrier_date"], x["order_delivered_customer_date"], x["order_estimated_delivery_date"]
		day := wall(promised)
		f := order.Fact{Kind: order.Snapshot, ConnectionID: "olist", ExternalID: id, Status: order.Delivered, UpdatedAt: wall(delivered), ReadAt: wall(delivered),
			Detail: &order.Detail{Fulfilment: order.BySeller, CreatedAt: wall(bought), Lines: sellers[id],
				Deadlines: order.Deadlines{HandOverBy: wall(limits[id]), DeliverBy: time.Date(day.Year(), day.Month(), day.Day(), 23, 59, 59, 0, day.Location())},
				Moments:   order.Moments{HandedOverAt: wall(carrier), DeliveredAt: wall(delivered)}}}
		o, _, err := order.Merge(nil, f)
		if err != nil {
			t.Fatal(err)
		}
		b.Add(j, "olist", nil, &o)

		p := plain[bought[:7]]
		if p == nil {
			p = &[3]int64{}
			plain[bought[:7]] = p
		}
		p[0]++
		if carrier > limits[id] {
			p[1]++
		}
		if delivered[:10] > promised[:10] {
			p[2]++
		}
	}
	tallies := b.Tallies()
	ldr, otdr := SeriesOf(tallies, "olist", j.Keys()[0], FacetAll, ""), SeriesOf(tallies, "olist", j.Keys()[1], FacetAll, "")
	all := int64(0)
	for _, r := range truth {
		month := r.text["purchase_month"]
		late, onTime := monthly(t, ldr, month), monthly(t, otdr, month)
		got := [3]int64{late.Den, late.Num, onTime.Den - onTime.Num}
		if d := cmp.Diff(*plain[month], got); d != "" || late.Den != onTime.Den || late.Unjudged+onTime.Unjudged != 0 {
			t.Errorf("%s (-plain count +judge): %s", month, d)
		}
		if d := cmp.Diff([]string{r.text["orders"], r.text["late_dispatch"], r.text["late_delivery"]}, []string{fmt.Sprint(got[0]), fmt.Sprint(got[1]), fmt.Sprint(got[2])}); d != "" {
			t.Errorf("%s (-file +judge): %s", month, d)
		}
		near(t, month+" ldr", share(late.Num, late.Den), r.text["ldr"])
		near(t, month+" otdr", share(onTime.Num, onTime.Den), r.text["otdr"])
		all += late.Den
	}
	if all != int64(len(orders)) || len(plain) != len(truth) {
		t.Errorf("%d of %d orders are in the months compared", all, len(orders))
	}
	t.Logf("%d orders, %d months: late dispatch and late delivery are those of the file and of the plain count", all, len(truth))
}

// dirt is what cannot be read in a line, and why. It is kept, reported and never taken for 0.
type dirt struct {
	line                 int
	column, text, reason string
}

// dirtOf checks the numbers and dates of a shipment line.
func dirtOf(r row) []dirt {
	var out []dirt
	why := func(text string) string {
		switch {
		case text == "":
			return "empty"
		case strings.HasPrefix(text, "See "):
			return "stands in another line"
		case strings.Contains(text, "Separately"), strings.Contains(text, "Included in"):
			return "kept elsewhere"
		case text == "Pre-PQ Process", text == "N/A - From RDC":
			return "does not apply"
		}
		return "not captured"
	}
	for _, column := range []string{"Weight (Kilograms)", "Freight Cost (USD)", "Line Item Insurance (USD)", "Line Item Quantity", "Line Item Value"} {
		if _, err := strconv.ParseFloat(r.text[column], 64); err != nil {
			out = append(out, dirt{r.line, column, r.text[column], why(r.text[column])})
		}
	}
	for _, column := range []string{"PQ First Sent to Client Date", "PO Sent to Vendor Date", "Scheduled Delivery Date", "Delivered to Client Date", "Delivery Recorded Date"} {
		if _, err := time.Parse(time.DateOnly, r.text[column]); err != nil {
			out = append(out, dirt{r.line, column, r.text[column], why(r.text[column])})
		}
	}
	return out
}

// The real shipments: on-time delivery by month of the promised day is exact, and every line is counted, dirty or not.
func TestShipmentMonths(t *testing.T) {
	lines := table(t, "scms-shipments/shipments_2006_2012.csv.gz")
	truth := table(t, "scms-shipments/expected_otd_by_month_2006_2012.csv")
	rs := ready(policy.RuleSet{Market: "US", Version: "test", Zone: "UTC", Business: policy.Business{Week: 0b0111110}, Rates: []policy.Rate{
		{ID: "otd", Metric: policy.OTDR, Counts: policy.Orders, Anchor: policy.AtDeliverBy, Test: policy.DeliveredOnTime, Days: 30, Lag: 1}}})
	j := NewJudge(rs)
	var b Batch
	var report []dirt
	clean, dirty := 0, 0
	for _, r := range lines {
		if d := dirtOf(r); len(d) > 0 {
			report, dirty = append(report, d...), dirty+1
		} else {
			clean++
		}
		promised, err := time.Parse(time.DateOnly, r.text["Scheduled Delivery Date"])
		if err != nil {
			continue // reported above, and missing in the sum below
		}
		d := order.Detail{Fulfilment: order.BySeller, CreatedAt: promised, Deadlines: order.Deadlines{DeliverBy: promised.Add(24*time.Hour - time.Second)}}
		if done, err := time.Parse(time.DateOnly, r.text["Delivered to Client Date"]); err == nil {
			d.Moments.DeliveredAt = done
		}
		f := order.Fact{Kind: order.Snapshot, ConnectionID: "scms", ExternalID: r.text["ID"], Status: order.Delivered, UpdatedAt: promised, ReadAt: promised, Detail: &d}
		o, _, err := order.Merge(nil, f)
		if err != nil {
			t.Fatalf("line %d: %v", r.line, err)
		}
		b.Add(j, "scms", nil, &o)
	}
	s := SeriesOf(b.Tallies(), "scms", j.Keys()[0], FacetAll, "")
	all := int64(0)
	for _, r := range truth {
		month := r.text["y"]
		got := monthly(t, s, month)
		if fmt.Sprint(got.Den) != r.text["lines"] || fmt.Sprint(got.Den-got.Num) != r.text["late"] {
			t.Errorf("%s: %d late of %d, the file says %s of %s", month, got.Den-got.Num, got.Den, r.text["late"], r.text["lines"])
		}
		near(t, month, share(got.Num, got.Den), r.text["otd"])
		all += got.Den
	}
	if all != int64(len(lines)) || clean+dirty != len(lines) {
		t.Errorf("%d of %d lines were counted, %d clean and %d dirty", all, len(lines), clean, dirty)
	}
	sums := map[string]int{}
	for _, d := range report {
		sums[d.column+": "+d.reason]++
		t.Logf("line %d: %s is %q: %s", d.line, d.column, d.text, d.reason)
	}
	want := map[string]int{ // as the columns' texts were counted when the file was taken over
		"Weight (Kilograms): stands in another line": 1536, "Weight (Kilograms): kept elsewhere": 685,
		"Freight Cost (USD): stands in another line": 1536, "Freight Cost (USD): kept elsewhere": 819, "Line Item Insurance (USD): empty": 287,
		"PQ First Sent to Client Date: does not apply": 2476, "PQ First Sent to Client Date: not captured": 205,
		"PO Sent to Vendor Date: does not apply": 3739, "PO Sent to Vendor Date: not captured": 271,
	}
	if d := cmp.Diff(want, sums); d != "" {
		t.Errorf("what is dirty (-known +found): %s", d)
	}
	if !slices.IsSortedFunc(report, func(a, b dirt) int { return a.line - b.line }) {
		t.Error("the report is not in the order of the lines")
	}
	t.Logf("%d lines in %d months: on-time delivery is that of the file; %d lines with %d dirty cells reported, %d clean, none lost", all, len(truth), dirty, len(report), clean)
}
