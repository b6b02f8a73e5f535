package importer

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/store"
)

const (
	maxOrderID = 100 // bytes; room for the connection's name in our own id
	maxChannel = 40  // bytes
	// maxHeld rows of orders that go on further down are kept at once. Exports list an order's lines together.
	maxHeld = 200_000
	// orderBatch orders are written at once.
	orderBatch = 500
)

// words are statuses as exports write them, beside our own.
var words = map[string]order.Status{
	"open": order.AwaitingShipment, "paid": order.AwaitingShipment, "unfulfilled": order.AwaitingShipment, "processing": order.AwaitingShipment,
	"onhold": order.OnHold, "pending": order.Unpaid, "shipped": order.InTransit, "fulfilled": order.Completed, "closed": order.Completed,
	"complete": order.Completed, "done": order.Completed, "canceled": order.Cancelled,
}

func statusOf(word string) (order.Status, bool) {
	name := plain(word)
	for _, s := range order.Statuses {
		if name == plain(string(s)) {
			return s, true
		}
	}
	s, ok := words[name]
	return s, ok
}

// orderRow is one line of an order as the file has it.
type orderRow struct {
	line               int
	order, sku, title  string
	quantity           int64
	cancelled          int64
	price              money.Amount
	created, updatedAt time.Time
	status             order.Status
}

// orders reads a file of order lines and returns what writes them.
//
// The first reading finds what is wrong with single rows, and in how many rows each order comes; the second, inside the transaction,
// puts the rows together and writes an order as soon as its last row is there.
func (j *job) orders(ctx context.Context) (func(*store.Tx) error, error) {
	if j.o.Channel == "" || len(j.o.Channel) > maxChannel || slug(j.o.Channel) != j.o.Channel {
		return nil, errs.New(errs.Invalid, "importer.Run", "channel", "must name where the orders come from: small letters, digits and hyphens, at most %d", maxChannel)
	}
	left, goes := map[string]int{}, map[string]bool{}
	skips := newSkips(j.preset)
	id, err := j.scan(ctx, func(t *table) {
		if skips.leavesOut(t) {
			goes[strings.Clone(t.get("order"))] = true
			return
		}
		if r, ok := j.readRow(t); ok {
			left[r.order]++
		}
	})
	if err != nil {
		return nil, err
	}
	j.report.Skipped = skips.list()
	for o := range goes {
		if left[o] == 0 {
			j.report.Emptied++
		}
	}
	if err := j.wrong.err(j.src.Name); err != nil {
		return nil, err
	}
	return func(tx *store.Tx) error { return j.writeOrders(ctx, tx, id, maps.Clone(left)) }, nil
}

// readRow reads a line of an order and tells everything that is wrong with it.
func (j *job) readRow(t *table) (orderRow, bool) {
	r := orderRow{line: t.line(), status: order.Completed}
	if j.o.Open {
		r.status = order.AwaitingShipment
	}
	var ok [7]bool
	r.order, ok[0] = t.ident("order", maxOrderID)
	r.sku, ok[1] = t.ident("sku", catalog.MaxIDBytes)
	r.title, ok[2] = t.text("title", maxTitle)
	r.quantity, ok[3] = t.whole("quantity", 0, 1, order.MaxLineQty)
	r.cancelled, ok[4] = t.whole("cancelled", 0, 0, order.MaxLineQty)
	r.created, ok[5] = t.moment("created_at", j.o.Zone, j.preset.layouts...)
	r.updatedAt, ok[6] = t.moment("updated_at", j.o.Zone, j.preset.layouts...)
	good := !slices.Contains(ok[:], false)
	if ok[5] && r.created.IsZero() {
		t.bad("created_at", "is empty and is needed")
		good = false
	}
	if ok[3] && ok[4] && r.cancelled > r.quantity {
		t.bad("cancelled", "is more than the %d ordered", r.quantity)
		good = false
	}
	return r, j.readStatus(t, &r) && j.readPrice(t, &r) && good
}

func (j *job) readStatus(t *table, r *orderRow) bool {
	word := t.get("status")
	if word == "" {
		return true
	}
	s, known := statusOf(word)
	if !known {
		t.bad("status", "is not a status; there are %s", strings.Trim(fmt.Sprint(order.Statuses), "[]"))
		return false
	}
	if r.status = s; isOpen(s) && !j.o.Open {
		t.bad("status", "is an open order; add --open to reserve stock for open orders, or leave them out of the file")
		return false
	}
	return true
}

// isOpen reports whether an order still binds stock.
func isOpen(s order.Status) bool { return !s.Terminal() && !s.Left() }

func (j *job) readPrice(t *table, r *orderRow) bool {
	price := t.get("unit_price")
	if price == "" {
		return true
	}
	currency := strings.ToUpper(cmp.Or(t.get("currency"), j.o.Currency))
	if len(currency) != 3 || strings.ContainsFunc(currency, func(c rune) bool { return c < 'A' || c > 'Z' }) {
		if t.has("currency") && t.get("currency") != "" {
			t.bad("currency", "is not a currency; write three letters such as EUR")
		} else {
			t.bad("unit_price", "has no currency; add a column for it, or --currency EUR")
		}
		return false
	}
	var err error
	if r.price, err = money.Parse(price, strings.Clone(currency)); err != nil || r.price.Minor < 0 {
		t.bad("unit_price", "is not a price in %s; write it like 12.50, not negative, with at most %d decimals", currency, money.Exponent(currency))
		return false
	}
	return true
}

// writeOrders reads the file again and writes its orders. left counts the rows of each order that are still to come.
func (j *job) writeOrders(ctx context.Context, tx *store.Tx, id string, left map[string]int) error {
	w := &writer{job: j, tx: tx, items: map[string]catalog.Item{}, asked: map[string]bool{}}
	held := map[string][]orderRow{}
	kept := 0
	skips := newSkips(j.preset)
	var failed error
	again, err := j.scan(ctx, func(t *table) {
		if failed != nil || skips.leavesOut(t) {
			return
		}
		r, ok := j.readRow(t)
		if !ok {
			return
		}
		held[r.order] = append(held[r.order], r)
		left[r.order]--
		kept++
		switch {
		case left[r.order] == 0:
			kept -= len(held[r.order])
			failed = w.add(held[r.order])
			delete(held, r.order)
		case len(held[r.order]) > order.MaxUnits:
			t.bad("order", "has more than %d lines", order.MaxUnits)
			t.over = true
		case kept > maxHeld:
			t.bad("order", "is one of too many whose lines are scattered over the file; sort the file by order")
			t.over = true
		}
	})
	if err := cmp.Or(failed, err); err != nil {
		return err
	}
	if again != id && len(j.wrong.Shown) == 0 {
		return errs.New(errs.Conflict, "importer.Run", j.src.Name, "changed while it was read; import it again")
	}
	return w.flush()
}

func (j *job) connection() string { return "import-" + j.o.Channel }

// fact puts the rows of one order together. It is nil, with the problem told, if they contradict each other.
func (j *job) fact(rows []orderRow, at time.Time) *order.Fact {
	bad := func(r orderRow, field, value, format string, args ...any) *order.Fact {
		j.wrong.add(Problem{Line: r.line, Field: field, Value: value, Text: fmt.Sprintf(format, args...)})
		return nil
	}
	first := rows[0]
	d := &order.Detail{Fulfilment: order.BySeller, CreatedAt: first.created}
	updated := time.Time{}
	nth := map[string]int{}
	for _, r := range rows {
		if r.status != first.status {
			return bad(r, "status", string(r.status), "is %s in line %d of the same order", first.status, first.line)
		}
		if r.created.Before(d.CreatedAt) { // exports of long orders show the minute each line was entered
			d.CreatedAt = r.created
		}
		for _, t := range []time.Time{r.created, r.updatedAt} {
			if t.After(updated) {
				updated = t
			}
		}
		nth[r.sku]++
		id := r.sku // an order may name an article twice, its lines need ids of their own
		if n := nth[r.sku]; n > 1 {
			id = fmt.Sprintf("%s#%d", r.sku, n)
		}
		if r.status == order.Cancelled {
			r.cancelled = r.quantity
		}
		d.Lines = append(d.Lines, order.Line{ExternalLineID: id, ExternalSKU: r.sku, SellerSKU: r.sku, Title: r.title, UnitPrice: r.price,
			Qty: r.quantity, Cancelled: r.cancelled})
		sum, err := r.price.Times(r.quantity - r.cancelled)
		if err == nil {
			d.Totals.Subtotal, err = d.Totals.Subtotal.Add(sum)
		}
		if err != nil {
			return bad(r, "unit_price", r.price.String(), "cannot be added to the order's other lines: %s", errs.Safe(err))
		}
	}
	d.Totals.Total = d.Totals.Subtotal
	if first.status != order.Unpaid {
		d.PaidAt = d.CreatedAt
	}
	slices.SortFunc(d.Lines, func(a, b order.Line) int { return cmp.Compare(a.ExternalLineID, b.ExternalLineID) })
	return &order.Fact{Kind: order.Snapshot, ConnectionID: j.connection(), ExternalID: first.order, UpdatedAt: updated, ReadAt: at,
		Status: first.status, StatusText: "imported", Detail: d}
}
