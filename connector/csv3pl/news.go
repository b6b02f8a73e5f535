package csv3pl

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/tracking"
)

// words are those of the column "status".
var words = tracking.Mapping{Source: "csv3pl", Rows: []tracking.Row{
	{Code: "shipped", Status: tracking.LabelCreated}, {Code: "in_transit", Status: tracking.InTransit}, {Code: "out_for_delivery", Status: tracking.OutForDelivery},
	{Code: "delivered", Status: tracking.Delivered}, {Code: "returned", Status: tracking.Returned},
}}

// number is what a tracking number is made of.
var number = regexp.MustCompile(`^[A-Za-z0-9 -]{4,60}$`)

// maxUnits bounds a quantity; more is a number in the wrong column.
const maxUnits = 1_000_000

// shipments makes news of rows: the lines of one parcel are put together, in the order they came.
func shipments(rows []row) (news []driver.ParcelNews, problems []Problem) {
	at := map[string]int{} // by order, number and status
	for _, r := range rows {
		n, line, why := shipment(r)
		if why != "" {
			problems = append(problems, Problem{r.line, why})
			if n.BookingID == "" {
				continue
			}
			n = driver.ParcelNews{BookingID: n.BookingID, Ref: n.BookingID, Exception: fmt.Sprintf("line %d of the provider's file cannot be read: %s", r.line, why)}
		}
		key := n.BookingID + "\n" + n.Tracking + "\n" + r.cells["status"]
		i, there := at[key]
		if !there || why != "" {
			i = len(news)
			news = append(news, n)
			if why == "" {
				at[key] = i
			}
		}
		if line.SKU != "" && why == "" {
			news[i].Shipped = append(news[i].Shipped, line)
			if news[i].Booked != nil {
				news[i].Booked.Lines = news[i].Shipped
			}
		}
	}
	return news, problems
}

// shipment reads one row; why is not empty where it makes no sense.
func shipment(r row) (n driver.ParcelNews, line driver.ParcelLine, why string) {
	id, status := r.cells["order_id"], strings.ToLower(r.cells["status"])
	if !bookingID.MatchString(id) {
		return n, line, "the order is none of ours"
	}
	n = driver.ParcelNews{BookingID: id, Ref: id, Tracking: r.cells["tracking"]}
	b := driver.Booked{ID: id, Ref: id, Carrier: r.cells["carrier"], Service: r.cells["service"], Tracking: n.Tracking, State: driver.BookingDone}
	n.Booked = &b
	switch status {
	case "exception":
		if n.Exception = r.cells["message"]; n.Exception == "" {
			n.Exception = "the provider cannot ship it and does not say why"
		}
		n.Booked, n.Tracking = nil, "" // a late row from before it shipped must not take the number away
		return n, line, ""
	case "cancelled", "canceled":
		b.State = driver.BookingVoided
		return n, line, ""
	}
	meant, known := words.Status(status, "")
	switch {
	case !known:
		return n, line, fmt.Sprintf("%q is no status", status)
	case !number.MatchString(n.Tracking):
		return n, line, "the tracking number is missing or none"
	case b.Carrier == "":
		return n, line, "the carrier is missing"
	}
	moment, ok := when(r.cells["shipped_at"])
	if !ok {
		return n, line, "shipped_at is no time such as 2026-11-02T15:04:05Z"
	}
	n.Events = []driver.ParcelEvent{{Word: status, Status: string(meant), At: moment}}
	if r.cells["sku"] == "" {
		return n, line, ""
	}
	qty, err := strconv.ParseInt(r.cells["quantity"], 10, 64)
	if err != nil || qty < 1 || qty > maxUnits {
		return n, line, "the quantity is no number of units"
	}
	return n, driver.ParcelLine{SKU: r.cells["sku"], Qty: qty}, ""
}

// when reads a moment with its zone; without one it would be anybody's.
func when(text string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, text)
	return t.UTC(), err == nil && t.Year() >= 2000 && t.Year() <= 2100
}

// kept makes stock of rows.
func kept(rows []row, at time.Time) (items []driver.Kept, problems []Problem) {
	for _, r := range rows {
		k := driver.Kept{SKU: r.cells["sku"], LocationID: r.cells["location"], At: at}
		ok := k.SKU != ""
		for name, to := range map[string]*int64{"on_hand": &k.OnHand, "reserved": &k.Reserved, "blocked": &k.Blocked} {
			text := r.cells[name]
			if text == "" && name != "on_hand" {
				continue
			}
			n, err := strconv.ParseInt(text, 10, 64)
			ok = ok && err == nil && n >= 0 && n <= 1000*maxUnits
			*to = n
		}
		if !ok {
			problems = append(problems, Problem{r.line, "it has no SKU, or a number that is none"})
			continue
		}
		items = append(items, k)
	}
	return items, problems
}
