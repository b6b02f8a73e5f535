package sqlcore

import "github.com/spillway/spillway/domain/order"

// A full scan in id order is right here: it runs when a person maps a listing, and orders that are over are most of the table.
var ordersOpen = def("store.OrdersOpen",
	"SELECT body, version FROM orders WHERE id > $1 AND status NOT IN ('completed', 'cancelled', 'delivered', 'in_transit') ORDER BY id LIMIT $2")

// OrdersOpen reads orders that have not left, in the order of id after afterID. In Update the caller saves none of them without
// having read it for update.
func (tx *Tx) OrdersOpen(afterID string, limit int) ([]order.Order, error) {
	return tx.readOrders(ordersOpen, afterID, page(limit))
}
