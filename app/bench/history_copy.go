package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the embedded database copies its own rows many times as fast as they can be handed to it

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// historySlices is into how many slices a long embedded history is cut. All orders of the first slice are over, and all but the last
	// recentSlices repeat it with other ids, times and buyers. Of 180 days the recent ones are 22, longer than any order stays open.
	historySlices, recentSlices = 50, 6
	// sliceUnit divides a slice, so that shop, busy buyer and case of an order follow from its number alone.
	sliceUnit = 200
	// eventsDays is for how long copies keep the events of their orders, as spillway maintain --events-kept 1440h leaves them: two thirds of
	// them would fill disks and are asked for by nobody.
	eventsDays = 60
)

// eventsKept reports whether the copy that begins with order first has events.
func (h *history) eventsKept(first int) bool {
	return h.End.Sub(h.at(first+h.slice())) < eventsDays*24*time.Hour
}

// slice is how many orders a slice has; 0: this history is not sliced.
func (h *history) slice() int {
	n := h.Orders / historySlices
	if !h.Sliced || n%sliceUnit != 0 {
		return 0
	}
	return n
}

// sliceSums is what the first slice did to each item, for the copies' journal to go on from there and the ledger to prove, and where the
// slice ends in the tables. Whoever looked it up by time for each copy would read all the copies before.
var sliceSums = []string{
	`CREATE TEMP TABLE slice_sum AS SELECT item_id, location_id, sum(on_hand) AS net, count(*) AS moves FROM movement
		WHERE ref <> '' AND recorded_at < :end GROUP BY item_id, location_id`,
	"CREATE INDEX temp.slice_sum_key ON slice_sum (item_id, location_id)",
	`CREATE TEMP TABLE slice_end AS SELECT (SELECT max(seq) FROM movement WHERE recorded_at < :end) AS movement, (SELECT max(seq) FROM event WHERE at < :end) AS event`,
	`CREATE TEMP TABLE slice_shop AS SELECT id || ':' AS shop FROM connection`,
}

// An order id is seven bytes of shop and eighteen digits. Parameters: the end of the first slice, microseconds and orders to shift by, the
// copy's number, how far external ids are shifted, and the orders of a slice.
var sliceCopies = []string{
	`INSERT INTO orders SELECT connection_id || ':' || ext, connection_id, ext, num, status, buyer, needs_detail, cancel_open, due, created_at + ?2, updated_at + ?2,
		saved_at + ?2, json_set(replace(replace(replace(replace(replace(body, external_id, ext), number, num), buyer_hash, buyer),
		'PK' || (11000000000 + 31 * i), 'PK' || (11000000000 + 31 * (i + ?3))), 'RT' || (40000000000 + i), 'RT' || (40000000000 + i + ?3)),
		'$.created_at', strftime('%Y-%m-%dT%H:%M:%SZ', (created_at + ?2) / 1000000, 'unixepoch')), version, answer_by
		FROM (SELECT *, CAST(CAST(external_id AS INTEGER) + ?5 AS TEXT) AS ext, CAST(substr(number, 2) AS INTEGER) - 100000 AS i,
			'#' || (CAST(substr(number, 2) AS INTEGER) + ?3) AS num,
			CASE WHEN buyer_hash LIKE 'busy%' THEN buyer_hash ELSE substr(buyer_hash, 1, 28) || printf('%04x', ?4) END AS buyer FROM orders WHERE created_at < ?1)
		WHERE ?6 > 0`,
	`INSERT INTO reservation SELECT substr(order_id, 1, 7) || (CAST(substr(order_id, 8) AS INTEGER) + ?5), line_id, item_id, location_id, connection_id, pool, held, shipped,
		short, unbooked, expires_at, due, created_at + ?2, updated_at + ?2, version FROM slice_shop CROSS JOIN reservation
		WHERE order_id >= shop AND order_id < shop || (576400000000000000 + 7919 * ?6) AND ?1 + ?3 + ?4 > 0`,
	`INSERT INTO movement SELECT NULL, substr(m.id, 1, 7) || (CAST(substr(m.ref, 8) AS INTEGER) + ?5) || substr(m.id, 26), at + ?2, recorded_at + ?2, kind, m.item_id,
		m.location_id, on_hand, reserved, damaged, on_hand_after + s.net * ?4, reserved_after, damaged_after,
		substr(m.ref, 1, 7) || (CAST(substr(m.ref, 8) AS INTEGER) + ?5), line, reason, actor, reverses
		FROM movement m CROSS JOIN slice_sum s ON s.item_id = m.item_id AND s.location_id = m.location_id
		WHERE m.ref <> '' AND m.seq <= (SELECT movement FROM slice_end) AND ?1 + ?3 + ?6 > 0 ORDER BY m.seq`,
	sliceEvents,
	`INSERT INTO order_ref SELECT 'PK' || (CAST(substr(ref, 3) AS INTEGER) + ?3 * 31), substr(order_id, 1, 7) || (CAST(substr(order_id, 8) AS INTEGER) + ?5)
		FROM order_ref WHERE ref >= 'PK' AND ref < 'PK' || (11000000000 + 31 * ?6) AND ?1 + ?2 + ?4 > 0`,
	`INSERT INTO order_ref SELECT 'RT' || (CAST(substr(ref, 3) AS INTEGER) + ?3), substr(order_id, 1, 7) || (CAST(substr(order_id, 8) AS INTEGER) + ?5)
		FROM order_ref WHERE ref >= 'RT' AND ref < 'RT' || (40000000000 + ?6) AND ?1 + ?2 + ?4 > 0`,
}

const sliceEvents = `INSERT INTO event (at, kind, subject, data) SELECT at + ?2, kind, substr(subject, 1, 7) || (CAST(substr(subject, 8) AS INTEGER) + ?5),
		replace(data, substr(subject, 8), CAST(substr(subject, 8) AS INTEGER) + ?5) FROM event WHERE seq <= (SELECT event FROM slice_end)
		AND ?1 + ?3 + ?4 + ?6 > 0 ORDER BY seq`

const sliceBalances = `UPDATE balance SET on_hand = on_hand + (SELECT net FROM slice_sum s WHERE s.item_id = balance.item_id AND s.location_id = balance.location_id),
	version = version + (SELECT moves FROM slice_sum s WHERE s.item_id = balance.item_id AND s.location_id = balance.location_id)
	WHERE (item_id, location_id) IN (SELECT item_id, location_id FROM slice_sum)`

// copySlices repeats the first slice up to the recent ones. It keeps no log, in which every read would have to look first: a database cut off
// in it is broken.
func (h *history) copySlices(ctx context.Context, url string, shown func()) (err error) {
	defer func() { err = errs.Wrap("bench.Pages", "copy", err) }()
	db, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(url, "sqlite:")+"?_pragma=synchronous(0)&_pragma=cache_size(-524288)&_pragma=busy_timeout(60000)")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, text := range []string{"PRAGMA journal_mode = DELETE", "PRAGMA journal_mode = OFF", "PRAGMA locking_mode = EXCLUSIVE"} {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	end := h.at(h.slice()).UnixMicro()
	for _, text := range sliceSums {
		if _, err := db.ExecContext(ctx, text, sql.Named("end", end)); err != nil {
			return err
		}
	}
	again, err := unindex(ctx, db)
	if err != nil {
		return err
	}
	for h.Done < h.slice()*(historySlices-recentSlices) {
		if err := h.copySlice(ctx, db, end); err != nil {
			return err
		}
		shown()
	}
	for _, text := range again {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// unindex drops the indexes that are written all over while copies are made, and returns what makes them again.
func unindex(ctx context.Context, db *sql.DB) (again []string, err error) {
	rows, err := db.QueryContext(ctx, `SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND name <> 'orders_created'
		AND tbl_name IN ('orders', 'order_ref', 'reservation', 'movement', 'event')`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var drop []string
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, err
		}
		drop, again = append(drop, "DROP INDEX "+name), append(again, text)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	for _, text := range drop {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return nil, err
		}
	}
	return again, nil
}

func (h *history) copySlice(ctx context.Context, db *sql.DB, end int64) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	copied := h.Done / h.slice()
	shift := h.at(h.Done).Sub(h.at(0)).Microseconds()
	for _, text := range sliceCopies {
		if text == sliceEvents && !h.eventsKept(h.Done) {
			continue
		}
		if _, err := tx.ExecContext(ctx, text, end, shift, h.Done, copied, h.Done*externalStep, h.slice()); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, sliceBalances); err != nil {
		return err
	}
	next := *h
	next.Done += h.slice()
	text, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE setting SET value = ? WHERE name = ?", string(text), historySetting); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	*h = next
	return nil
}

// fillSliced is fill for a sliced history: the first slice, its copies by a connection that has the database for itself, and the rest.
func (h *history) fillSliced(ctx context.Context, st *store.Store, url string, clock *atomic.Int64, p *progress) (*store.Store, error) {
	n := h.slice()
	if err := h.fillTo(ctx, st, clock, n, p); err != nil {
		return st, err
	}
	if h.Done < n*(historySlices-recentSlices) {
		if err := st.Close(); err != nil {
			return st, err
		}
		copies := h.copySlices
		if engineOf(url) == enginePostgres {
			copies = h.copySlicesPostgres
		}
		if err := copies(ctx, url, func() { p.show(h.Done) }); err != nil {
			return st, err
		}
		again, err := openAt(ctx, url, clock)
		if err != nil {
			return st, err
		}
		st = again
	}
	return st, h.fillTo(ctx, st, clock, h.Orders, p)
}

// historyID is the id of order i.
func historyID(i int) string { return order.ID(historyShop(i), historyExternal(i)) }
