package reconcile

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
	compare "github.com/spillway/spillway/domain/reconcile"
)

// gatherer puts the rows of orders together: exports have one for each article, or for each parcel.
type gatherer struct {
	byID map[string]*gathered
}

// gathered is an order of which some rows were read.
type gathered struct {
	first compare.Row // with what all rows share
	rows  []part
}

// part is what may differ between the rows of an order.
type part struct {
	status                                 order.Status
	ready, handedOver, delivered, canceled time.Time
	parcel                                 order.Parcel
}

// maxOfOrder rows are kept of an order.
const maxOfOrder = order.MaxUnits

func newGatherer() *gatherer { return &gatherer{byID: map[string]*gathered{}} }

// add reads a row of an order; false: it is wrong.
func (g *gatherer) add(w *row, place compare.Place) bool {
	r := compare.Row{OrderID: w.id(), Created: w.moment("created_at"), Paid: w.moment("paid_at"), ShipBy: w.moment("ship_by"), HandOverBy: w.moment("hand_over_by"),
		DeliverBy: w.moment("deliver_by"), CancelReason: w.text("cancel_reason", maxWhy), Place: place}
	p := part{ready: w.moment("ready_at"), handedOver: w.moment("handed_over_at"), delivered: w.moment("delivered_at"), canceled: w.moment("cancelled_at")}
	if len(w.wrong) == 0 && r.Created.IsZero() {
		w.bad("created_at", "is empty and is needed")
	}
	p.status = w.status()
	if who, _ := w.get("cancelled_by"); !none(who) {
		role, ok := roleWords[plain(who)]
		if !ok {
			w.bad("cancelled_by", "is nobody known; write buyer, seller, operator or system")
		}
		r.CancelledBy = role
	}
	p.parcel = order.Parcel{Tracking: w.text("tracking", maxText), Carrier: w.text("carrier", maxText), Ref: w.text("package", maxText)}
	if none(p.parcel.Tracking) {
		p.parcel.Tracking = ""
	}
	p.parcel.Ref = cmp.Or(p.parcel.Ref, p.parcel.Tracking)
	if len(w.wrong) > 0 {
		return false
	}
	return g.join(w, r, p)
}

// status reads the finer of the two columns exports have.
func (r *row) status() order.Status {
	for _, field := range []string{"substatus", "status"} {
		text, _ := r.get(field)
		if s, ok := statusOf(text); ok {
			return s
		}
		if !none(text) && field == "status" {
			r.bad("status", "is not a status; there are %s", strings.Join(statusNames(), ", "))
		}
	}
	return ""
}

func statusNames() []string {
	out := make([]string, len(order.Statuses))
	for i, s := range order.Statuses {
		out[i] = string(s)
	}
	return out
}

// join adds a row to those of its order. What all rows must share they must agree on.
func (g *gatherer) join(w *row, r compare.Row, p part) bool {
	old := g.byID[r.OrderID]
	if old == nil {
		g.byID[r.OrderID] = &gathered{first: r, rows: []part{p}}
		return true
	}
	f := &old.first
	for _, x := range []struct {
		field    string
		old, now *time.Time
	}{{"created_at", &f.Created, &r.Created}, {"paid_at", &f.Paid, &r.Paid}, {"ship_by", &f.ShipBy, &r.ShipBy}, {"hand_over_by", &f.HandOverBy, &r.HandOverBy},
		{"deliver_by", &f.DeliverBy, &r.DeliverBy}} {
		if !x.old.IsZero() && !x.now.IsZero() && !x.old.Equal(*x.now) {
			w.bad(x.field, "is another in line %d of %s, of the same order", f.Place.Line, f.Place.File)
			return false
		}
	}
	if len(old.rows) == maxOfOrder {
		w.bad("order", "has more than %d rows", maxOfOrder)
		return false
	}
	for _, t := range []struct{ old, now *time.Time }{{&f.Paid, &r.Paid}, {&f.ShipBy, &r.ShipBy}, {&f.HandOverBy, &r.HandOverBy}, {&f.DeliverBy, &r.DeliverBy}} {
		if t.old.IsZero() {
			*t.old = *t.now
		}
	}
	f.CancelledBy, f.CancelReason = cmp.Or(f.CancelledBy, r.CancelledBy), cmp.Or(f.CancelReason, r.CancelReason)
	old.rows = append(old.rows, p)
	return true
}

// rows are the orders, by id.
func (g *gatherer) rows() []compare.Row {
	out := make([]compare.Row, 0, len(g.byID))
	for _, x := range g.byID {
		out = append(out, x.whole())
	}
	slices.SortFunc(out, func(a, b compare.Row) int { return strings.Compare(a.OrderID, b.OrderID) })
	return out
}

// whole is the order: cancelled when every row is; as far as the row least far along, of those not cancelled; at the time of the last of them.
func (g *gathered) whole() compare.Row {
	r := g.first
	live := slices.DeleteFunc(slices.Clone(g.rows), func(p part) bool {
		return p.status == order.Cancelled || p.status == "" && !p.canceled.IsZero()
	})
	if len(live) == 0 {
		live = g.rows
		r.Cancelled = last(g.rows, func(p part) time.Time { return p.canceled })
	} else {
		r.CancelledBy, r.CancelReason = "", ""
	}
	r.Status = live[0].status
	for _, p := range live {
		if slices.Index(order.Statuses, p.status) < slices.Index(order.Statuses, r.Status) {
			r.Status = p.status
		}
	}
	r.Ready = last(live, func(p part) time.Time { return p.ready })
	r.HandedOver = last(live, func(p part) time.Time { return p.handedOver })
	r.Delivered = last(live, func(p part) time.Time { return p.delivered })
	for _, p := range g.rows {
		if p.parcel.Ref != "" && !slices.ContainsFunc(r.Parcels, func(q order.Parcel) bool { return q.Ref == p.parcel.Ref }) {
			r.Parcels = append(r.Parcels, p.parcel)
		}
	}
	slices.SortFunc(r.Parcels, func(a, b order.Parcel) int { return strings.Compare(a.Ref, b.Ref) })
	return r
}

// last is the latest of the times; zero while one is missing.
func last(rows []part, of func(part) time.Time) time.Time {
	var out time.Time
	for _, p := range rows {
		t := of(p)
		if t.IsZero() {
			return time.Time{}
		}
		if t.After(out) {
			out = t
		}
	}
	return out
}
