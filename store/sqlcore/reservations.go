package sqlcore

import (
	"database/sql"
	"time"

	"github.com/spillway/spillway/domain/stock"
)

var (
	reservationCols = []col{{"order_id", text}, {"line_id", text}, {"item_id", text}, {"location_id", text}, {"connection_id", text}, {"pool", text},
		{"held", bigint}, {"shipped", bigint}, {"short", bigint}, {"unbooked", bigint}, {"expires_at", bigintOrNull}, {"due", bigintOrNull},
		{"created_at", bigint}, {"updated_at", bigint}, {"version", bigint}}
	reservationList = names(reservationCols, func(_ int, c col) string { return "r." + c.name }, ", ")
	isOpen          = "(held > 0 OR short > 0 OR unbooked > 0)"

	reservationSave = insert("store.ReservationsSave", "reservation", reservationCols, upsert("order_id, line_id, item_id, location_id",
		append(append([]col{}, reservationCols[4:12]...), reservationCols[13:]...))+" WHERE reservation.version = excluded.version - 1")
	reservationNew        = insert("store.ReservationsSave", "reservation", reservationCols, "")
	reservationsForOrders = def("store.ReservationsForOrders", "SELECT "+reservationList+" FROM reservation r WHERE @in(r.order_id, $1) ORDER BY r.order_id, r.line_id, r.item_id, r.location_id")
	reservationsOpen      = def("store.ReservationsHolding", `SELECT `+reservationList+` FROM reservation r JOIN
		(SELECT DISTINCT order_id, line_id, item_id FROM reservation WHERE @in(item_id, $1) AND `+isOpen+`) o
		ON r.order_id = o.order_id AND r.line_id = o.line_id AND r.item_id = o.item_id ORDER BY r.order_id, r.line_id, r.item_id, r.location_id`)
	reservationsShort = def("store.ReservationsShort", `SELECT `+reservationList+` FROM reservation r JOIN
		(SELECT DISTINCT order_id, line_id, item_id FROM reservation WHERE @in(item_id, $1) AND `+isOpen+` AND location_id = '') o
		ON r.order_id = o.order_id AND r.line_id = o.line_id AND r.item_id = o.item_id ORDER BY r.order_id, r.line_id, r.item_id, r.location_id`)
	reservationsExpired = def("store.ReservationsExpired", "SELECT "+reservationList+" FROM reservation r WHERE expires_at <= $1 AND "+isOpen+" ORDER BY expires_at, order_id LIMIT $2")
	reservationsAll     = def("store.ReservationsAll", `SELECT `+reservationList+` FROM reservation r
		WHERE (r.order_id, r.line_id, r.item_id, r.location_id) > ($1, $2, $3, $4) ORDER BY r.order_id, r.line_id, r.item_id, r.location_id LIMIT $5`)
	shortTotal = def("store.ShortTotal", "SELECT CAST(coalesce(sum(short), 0) AS BIGINT) FROM reservation WHERE "+isOpen)
)

// ReservationsSave writes reservations as a Book changed them, under the lock of their items. A reservation that somebody else has changed
// since it was read (it was read before the lock) makes the transaction run again.
func (tx *Tx) ReservationsSave(rs []stock.Reservation) error {
	fresh, changed := reservationRows(rs)
	n, err := tx.bulk(reservationSave, append(fresh, changed...))
	if err == nil && n != int64(len(rs)) {
		return tx.stale("store.ReservationsSave", "reservation")
	}
	return err
}

// reservationRows are the rows of reservations that are new and of those that were there.
func reservationRows(rs []stock.Reservation) (fresh, changed [][]any) {
	fresh = make([][]any, 0, len(rs))
	for i := range rs {
		r := &rs[i]
		row := []any{r.OrderID, r.LineID, r.ItemID, r.LocationID, r.ConnectionID, r.Pool, r.Held, r.Shipped, r.Short, r.Unbooked,
			orNull(r.ExpiresAt), orNull(r.Due), us(r.CreatedAt), us(r.UpdatedAt), r.Version}
		if r.Version == 1 {
			fresh = append(fresh, row)
		} else {
			changed = append(changed, row)
		}
	}
	return fresh, changed
}

func scanReservation(r Row, v *stock.Reservation) error {
	var expires, due sql.NullInt64
	var created, updated int64
	err := r.Scan(&v.OrderID, &v.LineID, &v.ItemID, &v.LocationID, &v.ConnectionID, &v.Pool, &v.Held, &v.Shipped, &v.Short, &v.Unbooked, &expires, &due,
		&created, &updated, &v.Version)
	v.ExpiresAt, v.Due, v.CreatedAt, v.UpdatedAt = when(expires.Int64), when(due.Int64), when(created), when(updated)
	return err
}

// ReservationsForOrders reads all reservations of the orders, ended ones included. Read it after BalancesForUpdate.
func (tx *Tx) ReservationsForOrders(orderIDs []string) ([]stock.Reservation, error) {
	if len(orderIDs) == 0 {
		return nil, nil
	}
	return query(tx, reservationsForOrders, rowsOf(scanReservation), orderIDs)
}

// ReservationsHolding reads all rows of every order line that holds or lacks units of the items: what Book.Load wants after a
// *stock.MissingHolders and what Book.FillShorts needs.
func (tx *Tx) ReservationsHolding(itemIDs ...string) ([]stock.Reservation, error) {
	if len(itemIDs) == 0 {
		return nil, nil
	}
	return query(tx, reservationsOpen, rowsOf(scanReservation), itemIDs)
}

// ReservationsShort reads all rows of every order line that lacks units of the items: enough for Book.FillShorts.
func (tx *Tx) ReservationsShort(itemIDs []string) ([]stock.Reservation, error) {
	if len(itemIDs) == 0 {
		return nil, nil
	}
	return query(tx, reservationsShort, rowsOf(scanReservation), itemIDs)
}

// ReservationsExpired reads open reservations whose time is over at at, the longest over first.
func (tx *Tx) ReservationsExpired(at time.Time, limit int) ([]stock.Reservation, error) {
	return query(tx, reservationsExpired, rowsOf(scanReservation), us(at), page(limit))
}

// ReservationsAll calls each with every reservation, in the order of its key, until it returns false.
func (tx *Tx) ReservationsAll(each func(stock.Reservation) bool) error {
	const chunk = 5000
	var last stock.Reservation
	for {
		got, err := query(tx, reservationsAll, rowsOf(scanReservation), last.OrderID, last.LineID, last.ItemID, last.LocationID, int64(chunk))
		if err != nil {
			return err
		}
		for _, r := range got {
			if !each(r) {
				return nil
			}
		}
		if len(got) < chunk {
			return nil
		}
		last = got[len(got)-1]
	}
}

// ShortTotal is how many units are promised and not there, over all items: the oversold units. Zero is the proof.
func (tx *Tx) ShortTotal() (int64, error) {
	n, _, err := one(tx, shortTotal, scanOne[int64])
	return n, err
}
