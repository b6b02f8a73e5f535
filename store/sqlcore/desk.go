package sqlcore

import (
	"database/sql"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
)

// What pages ask. Every question is answered from an index and bounded by a limit or by what is open at the moment, never by history.
var (
	// Lists of orders are read as places, out of the index alone; whoever shows them reads the few orders on the page.
	placesByDue = ofShop("store.PlacesByDue", `SELECT due, created_at, id FROM orders WHERE status = $1 AND due IS NOT NULL AND (due, created_at, id) > ($2, $3, $4)
		@shop ORDER BY due, created_at, id LIMIT $5`, "AND @of(id) >= $6 AND @of(id) < $7")
	placesNoDue = ofShop("store.PlacesWithoutDue", `SELECT 0, created_at, id FROM orders WHERE status = $1 AND due IS NULL AND (created_at, id) > ($2, $3)
		@shop ORDER BY created_at, id LIMIT $4`, "AND @of(id) >= $5 AND @of(id) < $6")
	placesDueAmong = def("store.PlacesByDue", `SELECT due, created_at, id FROM orders WHERE @in(id, $1) AND due IS NOT NULL AND (due, created_at, id) > ($2, $3, $4)
		ORDER BY due, created_at, id LIMIT $5`)
	placesNoDueAmong = def("store.PlacesWithoutDue", `SELECT 0, created_at, id FROM orders WHERE @in(id, $1) AND due IS NULL AND (created_at, id) > ($2, $3)
		ORDER BY created_at, id LIMIT $4`)
	placesNewest = def("store.PlacesNewest", "SELECT 0, created_at, id FROM orders WHERE (created_at, id) < ($1, $2) ORDER BY created_at DESC, id DESC LIMIT $3")
	// Written so that no index of times alone will do: read from its end, it would pass by all newer orders of other statuses. SQLite, which
	// keeps no statistics, is told the index.
	placesEnded = both("store.PlacesEnded", `SELECT 0, created_at, id FROM orders INDEXED BY orders_ended WHERE status = $1 AND (created_at, id) < ($2, $3)
		AND status IN ('in_transit', 'delivered', 'completed', 'cancelled') ORDER BY created_at DESC, id DESC LIMIT $4`,
		`SELECT 0, created_at, id FROM orders WHERE status >= $1 AND (status, created_at, id) < ($1, $2, $3)
		AND status IN ('in_transit', 'delivered', 'completed', 'cancelled') ORDER BY status DESC, created_at DESC, id DESC LIMIT $4`)
	// PostgreSQL takes the two bounds of a status in which the place is not included for a range that is empty, and any index for as good then. The
	// place is left out by its id.
	placesOfShop = both("store.PlacesOfShop", `SELECT 0, created_at, id FROM orders WHERE connection_id = $1 AND status >= $2 AND (status, created_at, id) < ($2, $3, $4)
		ORDER BY status DESC, created_at DESC, id DESC LIMIT $5`,
		`SELECT 0, created_at, id FROM orders WHERE connection_id = $1 AND status >= $2 AND (status, created_at, id) <= ($2, $3, $4) AND id <> $4
		ORDER BY status DESC, created_at DESC, id DESC LIMIT $5`)
	slackCounts = def("store.OrderSlack", `SELECT status, count(*), CAST(coalesce(sum(CASE WHEN due < $2 THEN 1 ELSE 0 END), 0) AS BIGINT),
		CAST(coalesce(sum(CASE WHEN due >= $2 AND due < $3 THEN 1 ELSE 0 END), 0) AS BIGINT),
		CAST(coalesce(sum(CASE WHEN due >= $3 AND due < $4 THEN 1 ELSE 0 END), 0) AS BIGINT), count(due)
		FROM orders WHERE @in(status, $1) GROUP BY status`)
	lateOrders  = def("store.OrdersLate", "SELECT connection_id, count(*) FROM orders WHERE @in(status, $1) AND due < $2 GROUP BY connection_id")
	statusCount = def("store.OrderCountUpTo", "SELECT count(*) FROM (SELECT 1 FROM orders WHERE status = $1 LIMIT $2) AS few")
	pushCounts  = def("store.PushLogCounts", "SELECT connection_id, count(*) FROM push_log WHERE sent_at >= $1 GROUP BY connection_id")
	bookNumbers = def("store.BookNumbers", `SELECT listing_id, connection_id, told, exposure, desired, CASE WHEN @has(state, $1) OR @has(state, $2) THEN 1 ELSE 0 END
		FROM channel_book WHERE listing_id > $3 ORDER BY listing_id LIMIT $4`)
	shortItems = def("store.ShortByItem", `SELECT item_id, CAST(sum(short) AS BIGINT),
		CAST(sum(CASE WHEN pool = '' THEN short + unbooked ELSE 0 END) AS BIGINT) FROM reservation
		WHERE short > 0 OR unbooked > 0 GROUP BY item_id`)
	shortOrders = def("store.ShortOrders", `SELECT DISTINCT order_id FROM reservation WHERE (short > 0 OR unbooked > 0) AND order_id > $1 ORDER BY order_id LIMIT $2`)
	holdsPast   = def("store.HoldsPast", "SELECT "+holdList+" FROM hold WHERE until_at <= $1 ORDER BY until_at DESC, id LIMIT $2")
	reversals   = def("store.MovementReversals", "SELECT reverses, id FROM movement WHERE @in(reverses, $1)")
	firstUser   = insert("store.UserPutFirst", "setting", []col{{"name", text}, {"value", text}}, "ON CONFLICT (name) DO NOTHING")
)

// DuePlace is an order's place in the lists. Due is zero without a deadline, and in lists by creation.
type DuePlace struct {
	Due, Created time.Time
	ID           string
}

// ofShop makes a list's statement for all shops and, with a condition on the ids, which begin with the shop's, for one of them. The condition is
// looked at in the index that has the list's order, which on SQLite must be said: it would rather go by the ids.
func ofShop(op, text, cond string) [2]*stmt {
	all, one := def(op, strings.Replace(text, "@shop", "", 1)), def(op, strings.Replace(text, "@shop", cond, 1))
	one.text[SQLite] = strings.ReplaceAll(one.text[SQLite], "@of(id)", "+id")
	one.text[Postgres] = strings.ReplaceAll(one.text[Postgres], "@of(id)", "id")
	return [2]*stmt{all, one}
}

func (tx *Tx) places(s *stmt, args ...any) ([]DuePlace, error) {
	return query(tx, s, func(r *sql.Rows, p *DuePlace) error {
		var due, created int64
		err := r.Scan(&due, &created, &p.ID)
		p.Due, p.Created = when(due), when(created)
		return err
	}, args...)
}

// fewOfShop orders of a shop in one status are looked up one by one: among those of others its next fifty could be far apart.
const fewOfShop = 200

// placesIn reads a list of all shops, or of one: in the list of all, or among its own if they are few.
func (tx *Tx) placesIn(s [2]*stmt, among *stmt, connectionID string, status order.Status, args ...any) ([]DuePlace, error) {
	if connectionID == "" {
		return tx.places(s[0], append([]any{string(status)}, args...)...)
	}
	own, err := tx.PlacesOfShop(connectionID, status, DuePlace{}, fewOfShop+1)
	if err != nil || len(own) == 0 {
		return nil, err
	}
	if len(own) > fewOfShop {
		return tx.places(s[1], append(append([]any{string(status)}, args...), order.ID(connectionID, ""), connectionID+";")...) // ';' comes after ':'
	}
	ids := make([]string, len(own))
	for i, p := range own {
		ids[i] = p.ID
	}
	return tx.places(among, append([]any{ids}, args...)...)
}

// PlacesByDue lists orders of a status that have a deadline, earliest first, after a place. connectionID empty: of all shops.
func (tx *Tx) PlacesByDue(connectionID string, status order.Status, after DuePlace, limit int) ([]DuePlace, error) {
	return tx.placesIn(placesByDue, placesDueAmong, connectionID, status, us(after.Due), us(after.Created), after.ID, page(limit))
}

// PlacesWithoutDue lists orders of a status without a deadline, oldest first, after a place. connectionID empty: of all shops.
func (tx *Tx) PlacesWithoutDue(connectionID string, status order.Status, after DuePlace, limit int) ([]DuePlace, error) {
	return tx.placesIn(placesNoDue, placesNoDueAmong, connectionID, status, us(after.Created), after.ID, page(limit))
}

// PlacesNewest lists orders of every status, newest first, before a place (zero: from the newest).
func (tx *Tx) PlacesNewest(before DuePlace, limit int) ([]DuePlace, error) {
	return tx.places(placesNewest, latest(before.Created), before.ID, page(limit))
}

// PlacesEnded lists orders of a status that have left or are cancelled, newest first, before a place (zero: from the newest).
func (tx *Tx) PlacesEnded(status order.Status, before DuePlace, limit int) ([]DuePlace, error) {
	return tx.places(placesEnded, string(status), latest(before.Created), before.ID, page(limit))
}

// PlacesOfShop lists a shop's orders of a status, newest first, before a place (zero: from the newest).
func (tx *Tx) PlacesOfShop(connectionID string, status order.Status, before DuePlace, limit int) ([]DuePlace, error) {
	return tx.places(placesOfShop, connectionID, string(status), latest(before.Created), before.ID, page(limit))
}

// latest is us with the zero time as the end of time.
func latest(t time.Time) int64 {
	if t.IsZero() {
		return 1<<63 - 1
	}
	return us(t)
}

// SlackCount counts the orders of one status by the time left to their deadline.
type SlackCount struct {
	Status                      order.Status
	All, Late, Soon, Today, Due int64 // Late, Soon and Today are among Due, which is all with a deadline
}

// OrderSlack counts the orders of statuses: all, with a deadline before now, before soon, before today's end.
func (tx *Tx) OrderSlack(statuses []string, now, soon, today time.Time) ([]SlackCount, error) {
	return query(tx, slackCounts, func(r *sql.Rows, c *SlackCount) error {
		return r.Scan(&c.Status, &c.All, &c.Late, &c.Soon, &c.Today, &c.Due)
	}, statuses, us(now), us(soon), us(today))
}

// OrdersLate counts by shop the orders of statuses whose deadline is before now.
func (tx *Tx) OrdersLate(statuses []string, now time.Time) (map[string]int64, error) {
	type count struct {
		shop string
		n    int64
	}
	rows, err := query(tx, lateOrders, func(r *sql.Rows, c *count) error { return r.Scan(&c.shop, &c.n) }, statuses, us(now))
	out := make(map[string]int64, len(rows))
	for _, c := range rows {
		out[c.shop] = c.n
	}
	return out, err
}

// OrderCountUpTo counts the orders of a status but not beyond limit.
func (tx *Tx) OrderCountUpTo(status order.Status, limit int64) (int64, error) {
	n, _, err := one(tx, statusCount, scanOne[int64], string(status), limit)
	return n, err
}

// PushLogCounts counts pushes sent from since on, by connection.
func (tx *Tx) PushLogCounts(since time.Time) (map[string]int64, error) {
	type count struct {
		connection string
		n          int64
	}
	got, err := query(tx, pushCounts, func(r *sql.Rows, c *count) error { return r.Scan(&c.connection, &c.n) }, us(since))
	out := make(map[string]int64, len(got))
	for _, c := range got {
		out[c.connection] = c.n
	}
	return out, err
}

// BookNumber is the figures of one exposure book. Open says that its state holds one of the marks asked for.
type BookNumber struct {
	ListingID, ConnectionID string
	Told                    *int64
	Exposure, Desired       int64
	Open                    bool
}

// BookNumbers calls each with the figures of every exposure book, in the order of listing id, until it returns false. marks are two texts
// to look for in the books' states, which only their writer can read.
func (tx *Tx) BookNumbers(marks [2]string, each func(BookNumber) bool) error {
	const chunk = 5000
	after := ""
	for {
		got, err := query(tx, bookNumbers, func(r *sql.Rows, b *BookNumber) error {
			var told sql.NullInt64
			var open int64
			err := r.Scan(&b.ListingID, &b.ConnectionID, &told, &b.Exposure, &b.Desired, &open)
			if told.Valid {
				b.Told = &told.Int64
			}
			b.Open = open != 0
			return err
		}, marks[0], marks[1], after, int64(chunk))
		if err != nil {
			return err
		}
		for _, b := range got {
			if !each(b) {
				return nil
			}
		}
		if len(got) < chunk {
			return nil
		}
		after = got[len(got)-1].ListingID
	}
}

// ShortItem is what one item lacks: Short, units promised and not there; Owed, what the seller's own stock owes, which counts units too that
// left although the books had none.
type ShortItem struct {
	ItemID      string
	Short, Owed int64
}

// ShortByItem sums what items lack. Its rows are the exceptions, so there are few.
func (tx *Tx) ShortByItem() ([]ShortItem, error) {
	return query(tx, shortItems, func(r *sql.Rows, s *ShortItem) error { return r.Scan(&s.ItemID, &s.Short, &s.Owed) })
}

// ShortOrders lists the ids of orders that lack units, after an id.
func (tx *Tx) ShortOrders(after string, limit int) ([]string, error) {
	return query(tx, shortOrders, scanOne[string], after, page(limit))
}

// HoldsPast reads holds that are over at at, the latest first.
func (tx *Tx) HoldsPast(at time.Time, limit int) ([]Hold, error) {
	return query(tx, holdsPast, scanHold, us(at), page(limit))
}

// MovementReversals tells which of the movements were reversed, and by which.
func (tx *Tx) MovementReversals(ids []string) (map[string]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	type pair struct{ was, by string }
	got, err := query(tx, reversals, func(r *sql.Rows, p *pair) error { return r.Scan(&p.was, &p.by) }, ids)
	out := make(map[string]string, len(got))
	for _, p := range got {
		out[p.was] = p.by
	}
	return out, err
}

// UserPutFirst creates the first user. Errors: Conflict when there is one already, also when two ask at once: both write the same row of
// the settings, and only one of them can be the one that made it.
func (tx *Tx) UserPutFirst(u User) error {
	taken := errs.New(errs.Conflict, "store.UserPutFirst", "", "There is a user already. Sign in instead.")
	n, err := tx.UserCount()
	if err != nil {
		return err
	}
	if n > 0 {
		return taken
	}
	if n, err = tx.bulk(firstUser, [][]any{{"first user", u.ID}}); err != nil {
		return err
	}
	if n == 0 {
		return taken
	}
	return tx.UserPut(u)
}
