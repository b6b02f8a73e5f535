package sqlcore

import (
	"time"

	"github.com/spillway/spillway/domain/order"
)

var ordersPlaced = def("store.OrdersPlacedBefore", "SELECT body, version FROM orders WHERE (created_at, id) < ($1, $2) ORDER BY created_at DESC, id DESC LIMIT $3")

// OrdersPlacedBefore reads orders of all shops, the newest first, from before a moment; the order of that moment and id is left out, so that the last one
// read leads to the next page.
func (tx *Tx) OrdersPlacedBefore(at time.Time, id string, limit int, each func(*order.Order) error) (n int, err error) {
	rows, err := query(tx, ordersPlaced, scanOrder, us(at), id, page(limit))
	for i := range rows {
		if err == nil {
			err = each(&rows[i].order)
		}
	}
	return len(rows), err
}
