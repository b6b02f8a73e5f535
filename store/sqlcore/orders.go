package sqlcore

import (
	"database/sql"
	"encoding/json"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
)

// Orders are stored as their JSON form with the columns that questions are asked by beside it.
var (
	orderCols = []col{{"id", text}, {"connection_id", text}, {"external_id", text}, {"number", text}, {"status", text}, {"buyer_hash", text},
		{"needs_detail", boolean}, {"cancel_open", boolean}, {"due", bigintOrNull}, {"created_at", bigint}, {"updated_at", bigint}, {"saved_at", bigint},
		{"body", text}, {"answer_by", bigintOrNull}, {"version", bigint}}

	orderInsert     = insert("store.OrdersSave", "orders", orderCols, "ON CONFLICT (id) DO NOTHING")
	orderUpdate     = update("store.OrdersSave", "orders", orderCols[3:], orderCols[:1], "version")
	ordersGet       = def("store.OrdersGet", "SELECT body, version FROM orders WHERE @in(id, $1) ORDER BY id")
	ordersForUpdate = def("store.OrdersForUpdate", "SELECT body, version FROM orders WHERE @in(id, $1) ORDER BY id @lock(FOR NO KEY UPDATE)")
	// Each part is bounded by itself: a hash may have bought ten thousand times, of which the newest are wanted.
	ordersFind = def("store.OrderFind", `SELECT body, version FROM orders WHERE id IN (SELECT id FROM orders WHERE id = $1
		UNION SELECT id FROM (SELECT id FROM orders WHERE external_id = $1 LIMIT $2) AS a
		UNION SELECT id FROM (SELECT id FROM orders WHERE number = $1 AND number <> '' LIMIT $2) AS b
		UNION SELECT id FROM (SELECT id FROM orders WHERE buyer_hash = $1 AND buyer_hash <> '' ORDER BY created_at DESC, id DESC LIMIT $2) AS c
		UNION SELECT id FROM (SELECT order_id AS id FROM order_ref WHERE ref = $1 LIMIT $2) AS d) ORDER BY created_at DESC, id LIMIT $2`)
	ordersNeedDetail = def("store.OrdersNeedingDetail", "SELECT external_id FROM orders WHERE connection_id = $1 AND needs_detail ORDER BY saved_at, id LIMIT $2")
	ordersOfStatus   = def("store.OrdersOfStatus", "SELECT id, version FROM orders WHERE status = $1 ORDER BY due, created_at, id LIMIT $2")
	orderCounts      = def("store.OrderCounts", "SELECT status, count(*) FROM orders GROUP BY status")
	orderCountsSince = def("store.OrdersPerMinute", "SELECT created_at / 60000000, count(*) FROM orders WHERE created_at >= $1 GROUP BY 1 ORDER BY 1")
)

type orderRow struct {
	order   order.Order
	version int64
}

func scanOrder(r *sql.Rows, o *orderRow) error {
	var body []byte
	if err := r.Scan(&body, &o.version); err != nil {
		return err
	}
	return json.Unmarshal(body, &o.order)
}

func (tx *Tx) readOrders(s *stmt, args ...any) ([]order.Order, error) {
	rows, err := query(tx, s, scanOrder, args...)
	if err != nil {
		return nil, err
	}
	if tx.orders == nil {
		tx.orders = map[string]int64{}
	}
	out := make([]order.Order, len(rows))
	for i, r := range rows {
		out[i] = r.order
		if _, seen := tx.orders[r.order.ID]; !seen {
			tx.orders[r.order.ID] = r.version
		}
	}
	return out, nil
}

// OrdersGet reads orders by id. Unknown ids are left out.
func (tx *Tx) OrdersGet(ids []string) ([]order.Order, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return tx.readOrders(ordersGet, ids)
}

// OrdersForUpdate is OrdersGet that locks the orders it finds until the transaction ends. Call it before BalancesForUpdate: that order of
// locks is the same everywhere.
func (tx *Tx) OrdersForUpdate(ids []string) ([]order.Order, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return tx.readOrders(ordersForUpdate, ids)
}

// OrdersSave writes orders that were read in this transaction, or are new. If another transaction has changed or created one meanwhile,
// this one runs again.
func (tx *Tx) OrdersSave(orders []order.Order) error {
	orders = lastOf(orders, func(o order.Order) string { return o.ID })
	var fresh, old, refs [][]any
	for i := range orders {
		o := &orders[i]
		refs = addRefs(refs, o)
		if o.ID == "" || o.ConnectionID == "" || o.ExternalID == "" {
			return errs.New(errs.Invalid, "store.OrdersSave", o.ID, "an order needs an id, a connection and the channel's id")
		}
		body, err := encode("store.OrdersSave", o)
		if err != nil {
			return err
		}
		was := tx.orders[o.ID]
		due := order.NextDue(o).At
		created := o.CreatedAt
		if created.IsZero() {
			created = o.UpdatedAt
		}
		row := []any{o.ID, o.ConnectionID, o.ExternalID, o.Number, string(o.Status), o.BuyerHash, o.NeedsDetail, o.Cancel.RequestOpen, orNull(due),
			us(created), us(o.UpdatedAt), us(tx.now), body, orNull(o.ReturnAnswerBy()), was + 1}
		if was == 0 {
			fresh = append(fresh, row)
		} else {
			old = append(old, append(append(append([]any{}, row[3:]...), o.ID), was))
		}
	}
	if n, err := tx.bulk(orderInsert, fresh); err != nil {
		return err
	} else if n != int64(len(fresh)) {
		return tx.stale("store.OrdersSave", "order")
	}
	if n, err := tx.bulk(orderUpdate, old); err != nil {
		return err
	} else if n != int64(len(old)) {
		return tx.stale("store.OrdersSave", "order")
	}
	if _, err := tx.bulk(refInsert, refs); err != nil {
		return err
	}
	if tx.orders == nil {
		tx.orders = map[string]int64{}
	}
	for _, o := range orders {
		tx.orders[o.ID]++
	}
	return nil
}

// OrderFind finds orders by our id, the channel's id, the number people use, the buyer's hash, or the id of a parcel, cancellation, return or
// the order they replace; newest first, at most limit.
func (tx *Tx) OrderFind(text string, limit int) ([]order.Order, error) {
	return tx.readOrders(ordersFind, text, page(limit))
}

// OrdersNeedingDetail lists the channel's ids of orders to be read again, the longest unread first.
func (tx *Tx) OrdersNeedingDetail(connectionID string, limit int) ([]string, error) {
	return query(tx, ordersNeedDetail, scanOne[string], connectionID, page(limit))
}

// OrderCounts counts orders by status.
func (tx *Tx) OrderCounts() (map[order.Status]int64, error) {
	type count struct {
		status order.Status
		n      int64
	}
	got, err := query(tx, orderCounts, func(r *sql.Rows, c *count) error { return r.Scan(&c.status, &c.n) })
	out := make(map[order.Status]int64, len(got))
	for _, c := range got {
		out[c.status] = c.n
	}
	return out, err
}

// MinuteCount is how many orders were created in one minute.
type MinuteCount struct {
	Minute time.Time
	Orders int64
}

// OrdersPerMinute counts orders by the minute of creation from since on. Minutes without orders are left out.
func (tx *Tx) OrdersPerMinute(since time.Time) ([]MinuteCount, error) {
	return query(tx, orderCountsSince, func(r *sql.Rows, c *MinuteCount) error {
		var minute int64
		err := r.Scan(&minute, &c.Orders)
		c.Minute = time.Unix(minute*60, 0).UTC()
		return err
	}, us(since))
}

// OrdersAfter reads orders by rising id behind one, for those who go through all of them.
func (tx *Tx) OrdersAfter(id string, limit int, each func(*order.Order) error) (last string, n int, err error) {
	rows, err := query(tx, ordersAfter, scanOrder, id, page(limit))
	for i := range rows {
		if err = each(&rows[i].order); err != nil {
			return "", 0, err
		}
		last = rows[i].order.ID
	}
	return last, len(rows), err
}

// OrderVersion is an order's id with the version it is stored in, which every change raises.
type OrderVersion struct {
	ID      string
	Version int64
}

// OrdersOfStatus lists orders of a status, those due first.
func (tx *Tx) OrdersOfStatus(status order.Status, limit int) ([]OrderVersion, error) {
	return query(tx, ordersOfStatus, func(r *sql.Rows, v *OrderVersion) error { return r.Scan(&v.ID, &v.Version) }, string(status), int64(max(limit, 1)))
}

// OrderVersion is the version in which this transaction has read an order.
func (tx *Tx) OrderVersion(id string) int64 { return tx.orders[id] }
