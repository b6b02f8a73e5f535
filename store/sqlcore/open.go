package sqlcore

import (
	"database/sql"

	"github.com/spillway/spillway/domain/order"
)

// A full scan in id order is right here: it runs when a person maps a listing, and orders that are over are most of the table.
var ordersOpen = def("store.OrdersOpen",
	"SELECT body, version FROM orders WHERE id > $1 AND status NOT IN ('completed', 'cancelled', 'delivered', 'in_transit') ORDER BY id LIMIT $2")

var inboxIDs = def("store.InboxIDs", "SELECT connection_id, id, seq FROM inbox WHERE seq > $1 ORDER BY seq LIMIT $2")

// InboxIDs calls each with the connection and id of every stored delivery until it returns false.
func (tx *Tx) InboxIDs(each func(connectionID, id string) bool) error {
	type row struct {
		conn, id string
		seq      int64
	}
	for after := int64(0); ; {
		got, err := query(tx, inboxIDs, func(r *sql.Rows, v *row) error { return r.Scan(&v.conn, &v.id, &v.seq) }, after, int64(maxPage))
		if err != nil {
			return err
		}
		for _, v := range got {
			after = v.seq
			if !each(v.conn, v.id) {
				return nil
			}
		}
		if len(got) < maxPage {
			return nil
		}
	}
}

// OrdersOpen reads orders that have not left, in the order of id after afterID. In Update the caller saves none of them without
// having read it for update.
func (tx *Tx) OrdersOpen(afterID string, limit int) ([]order.Order, error) {
	return tx.readOrders(ordersOpen, afterID, page(limit))
}
