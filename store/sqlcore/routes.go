package sqlcore

import (
	"database/sql"
	"encoding/json"
	"time"

	"github.com/spillway/spillway/domain/order"
)

// Route is from where an order leaves, and why.
type Route struct {
	OrderID string
	At      time.Time
	Actor   string // a person, or the rules
	Reason  string // a person's
	Body    json.RawMessage
	Lacking int64 // units the plan leaves for later
	Version int64 // how often it was routed
}

var (
	routeCols = []col{{"order_id", text}, {"at", bigint}, {"actor", text}, {"reason", text}, {"body", text}, {"lacking", bigint}, {"version", bigint}}
	routePut  = insert("store.RoutesPut", "route", routeCols,
		"ON CONFLICT (order_id) DO UPDATE SET at = excluded.at, actor = excluded.actor, reason = excluded.reason, body = excluded.body, lacking = excluded.lacking, version = route.version + 1")
	routesGet  = def("store.RoutesGet", "SELECT "+names(routeCols, plain, ", ")+" FROM route WHERE @in(order_id, $1) ORDER BY order_id")
	routesOpen = def("store.RoutesLacking", "SELECT order_id FROM route WHERE lacking > 0 AND order_id > $1 ORDER BY order_id LIMIT $2")
	// Orders that wait to be shipped and that nobody has routed: of before there were nodes, or of whom something was short.
	routesLack = def("store.OrdersUnrouted", `SELECT o.id FROM orders o WHERE o.status = $1 AND o.id > $2 AND NOT EXISTS (SELECT 1 FROM route r WHERE r.order_id = o.id)
		ORDER BY o.id LIMIT $3`)
)

// RoutesPut stores routes in place of those their orders had. Version counts by itself.
func (tx *Tx) RoutesPut(rs []Route) error {
	rows := make([][]any, len(rs))
	for i, r := range rs {
		rows[i] = []any{r.OrderID, us(r.At), r.Actor, r.Reason, string(r.Body), r.Lacking, int64(1)}
	}
	_, err := tx.bulk(routePut, rows)
	return err
}

// RoutesGet reads the routes of orders, in the order of id; orders without one are left out.
func (tx *Tx) RoutesGet(orders ...string) ([]Route, error) {
	return query(tx, routesGet, func(r *sql.Rows, x *Route) error {
		var at int64
		var body []byte
		err := r.Scan(&x.OrderID, &at, &x.Actor, &x.Reason, &body, &x.Lacking, &x.Version)
		x.At, x.Body = when(at), body
		return err
	}, orders)
}

// OrdersUnrouted reads ids, behind one, of orders in a status that have no route.
func (tx *Tx) OrdersUnrouted(s order.Status, after string, limit int) ([]string, error) {
	return query(tx, routesLack, scanOne[string], string(s), after, page(limit))
}

// RoutesLacking reads ids, behind one, of orders whose route leaves units for later.
func (tx *Tx) RoutesLacking(after string, limit int) ([]string, error) {
	return query(tx, routesOpen, scanOne[string], after, page(limit))
}
