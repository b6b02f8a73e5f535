package risk

import (
	"compress/gzip"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/policy/calendar"
)

// The real history of orders of a marketplace whose sellers ship themselves (2016-10 to 2017-12, one order in about eight of what it sold).
const olistDir = "../../../../shared/data/olist-fulfilment"

type olistOrder struct {
	Order
	paid, due, handed time.Time
}

func (o olistOrder) late() bool { return o.handed.After(o.due) }

func (o olistOrder) moment(m moment) time.Time {
	if m == atPayment {
		return o.paid
	}
	return o.At
}

// olistCalendar has the national holidays of Brazil in the time of the data, and Carnival, as the operator of such a shop would enter them.
func olistCalendar(t testing.TB) *calendar.Calendar {
	zone, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		t.Fatal(err)
	}
	var closed []calendar.Closure
	for _, d := range []string{"2016-10-12", "2016-11-02", "2016-11-15", "2017-02-27", "2017-02-28", "2017-04-14", "2017-04-21", "2017-05-01",
		"2017-06-15", "2017-09-07", "2017-10-12", "2017-11-02", "2017-11-15", "2017-12-25", "2018-01-01"} {
		day, err := calendar.ParseDay(d)
		if err != nil {
			t.Fatal(err)
		}
		closed = append(closed, calendar.Closure{Span: calendar.Span{From: day, Until: day + 1}, Name: "Holiday"})
	}
	c, err := calendar.New(calendar.Spec{Zone: zone, Holidays: calendar.NoHolidays, Closures: closed})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func olistRows(t testing.TB, name string) []map[string]string {
	f, err := os.Open(filepath.Join(olistDir, name))
	if err != nil {
		t.Skipf("SKIPPED: the real order history is not at hand: %v", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, line := range all[1:] {
		m := map[string]string{}
		for i, v := range line {
			m[all[0][i]] = v
		}
		out = append(out, m)
	}
	return out
}

// olistOrders reads all orders, placed at their purchase, in that order. The node is the seller of the first item.
func olistOrders(t testing.TB, zone *time.Location) []olistOrder {
	when := func(s string) time.Time {
		at, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	number := func(s string) float64 { x, _ := strconv.ParseFloat(s, 64); return x } // a few weights are blank
	products, region := map[string]map[string]string{}, map[string]string{}
	for _, p := range olistRows(t, "products.csv.gz") {
		products[p["product_id"]] = p
	}
	for _, s := range olistRows(t, "sellers.csv.gz") {
		zip := s["seller_zip_code_prefix"]
		region[s["seller_id"]] = s["seller_state"] + "/" + zip[:min(3, len(zip))]
	}
	at, orders := map[string]int{}, []olistOrder{}
	for _, r := range olistRows(t, "orders_2016_2017.csv.gz") {
		o := olistOrder{paid: when(r["order_approved_at"]), handed: when(r["order_delivered_carrier_date"])}
		o.ID, o.At, o.Promised = r["order_id"], when(r["order_purchase_timestamp"]), when(r["order_estimated_delivery_date"])
		at[o.ID] = len(orders)
		orders = append(orders, o)
	}
	for _, r := range olistRows(t, "order_items_2016_2017.csv.gz") {
		o := &orders[at[r["order_id"]]]
		p := products[r["product_id"]]
		if o.Lines == 0 {
			o.Node, o.Item, o.Category, o.Region = r["seller_id"], r["product_id"], p["product_category_name"], region[r["seller_id"]]
		}
		o.Lines++
		o.Units++
		o.Grams += int64(number(p["product_weight_g"]))
		o.Price += int64(math.Round(100 * number(r["price"])))
		o.Freight += int64(math.Round(100 * number(r["freight_value"])))
		if limit := when(r["shipping_limit_date"]); limit.After(o.due) {
			o.due = limit
		}
	}
	slices.SortStableFunc(orders, func(a, b olistOrder) int { return a.At.Compare(b.At) })
	for i := range orders { // times are cut to the minute: a few nanoseconds make an order's moment its name
		orders[i].At = orders[i].At.Add(time.Duration(i))
		orders[i].paid = orders[i].paid.Add(time.Duration(i))
	}
	return orders
}

// moment is when the chance is asked.
type moment string

const (
	atPurchase moment = "purchase" // the deadline is not set yet
	atPayment  moment = "payment"  // the deadline is set with it
)

// olistHistory tells a history all that happened, as it happened, up to a moment, and gives the features of every order as they were when
// the order was placed.
func olistHistory(cal *calendar.Calendar, orders []olistOrder, m moment, until time.Time) *History {
	type event struct {
		at   time.Time
		kind int // orders placed in the same minute come before what follows from them
		o    *olistOrder
	}
	var events []event
	for i := range orders {
		o := &orders[i]
		placed := o.moment(m)
		events = append(events, event{placed, 0, o}, event{latest(placed, o.paid), 1, o}, event{latest(placed, o.handed), 2, o})
	}
	slices.SortStableFunc(events, func(a, b event) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return a.kind - b.kind
	})
	h := NewHistory(cal)
	for _, e := range events {
		if !e.at.Before(until) {
			break
		}
		switch e.kind {
		case 0:
			placed := e.o.Order
			if m == atPayment {
				placed.At, placed.Due = e.o.paid, e.o.due
			}
			h.Place(placed)
		case 1:
			h.SetDue(e.o.ID, e.o.due, e.at)
		case 2:
			h.HandOver(e.o.ID, e.at)
		}
	}
	h.Advance(until)
	return h
}
