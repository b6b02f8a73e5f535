package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/spillway/spillway/kit/errs"
)

// pgSlice sets the first slice apart, with what it did to each item, so that its copies read neither each other nor an index.
var pgSlice = []string{
	`CREATE UNLOGGED TABLE slice_orders AS SELECT *, substr(number, 2)::bigint - 100000 AS i FROM orders ORDER BY created_at, id`,
	`CREATE UNLOGGED TABLE slice_reservation AS SELECT *, substr(order_id, 1, 7) AS shop, substr(order_id, 8)::bigint AS ext FROM reservation ORDER BY created_at, order_id`,
	`CREATE UNLOGGED TABLE slice_movement AS SELECT *, substr(ref, 1, 7) AS shop, substr(ref, 8)::bigint AS ext FROM movement WHERE ref <> '' ORDER BY seq`,
	`CREATE UNLOGGED TABLE slice_event AS SELECT *, substr(subject, 1, 7) AS shop, substr(subject, 8)::bigint AS ext FROM event ORDER BY seq`,
	`CREATE UNLOGGED TABLE slice_ref AS SELECT left(ref, 2) AS kind, substr(ref, 3)::bigint AS n, substr(order_id, 1, 7) AS shop, substr(order_id, 8)::bigint AS ext FROM order_ref`,
	`CREATE UNLOGGED TABLE slice_sum AS SELECT item_id, location_id, sum(on_hand)::bigint AS net, count(*) AS moves FROM slice_movement GROUP BY item_id, location_id`,
	`ANALYZE slice_orders, slice_reservation, slice_movement, slice_event, slice_ref, slice_sum`,
}

// Copies of the slice. Parameters: microseconds and orders to shift by, the copy's number, how far external ids are shifted.
var (
	pgCopyOrders = []string{
		`INSERT INTO orders (id, connection_id, external_id, number, status, buyer_hash, needs_detail, cancel_open, due, created_at, updated_at, saved_at, body, version)
		SELECT connection_id || ':' || ext, connection_id, ext, num, status, buyer, needs_detail, cancel_open, due, created_at + $1, updated_at + $1, saved_at + $1,
			replace(replace(replace(replace(replace(replace(body, external_id, ext), number, num), buyer_hash, buyer),
			'PK' || (11000000000 + 31 * i), 'PK' || (11000000000 + 31 * (i + $2))), 'RT' || (40000000000 + i), 'RT' || (40000000000 + i + $2)),
			'"created_at":"' || iso(created_at), '"created_at":"' || iso(created_at + $1)), version
		FROM (SELECT *, (external_id::bigint + $4)::text AS ext, '#' || (i + 100000 + $2) AS num,
			CASE WHEN buyer_hash LIKE 'busy%' THEN buyer_hash ELSE left(buyer_hash, 28) || lpad(to_hex($3::bigint), 4, '0') END AS buyer FROM slice_orders) AS s`,
		`INSERT INTO order_ref (ref, order_id) SELECT kind || CASE kind WHEN 'PK' THEN n + $2 * 31 ELSE n + $2 END, shop || (ext + $4)
		FROM slice_ref WHERE $1::bigint + $3::bigint > 0`,
	}
	pgCopyRest = []string{
		`INSERT INTO reservation (order_id, line_id, item_id, location_id, connection_id, pool, held, shipped, short, unbooked, expires_at, due, created_at, updated_at, version)
		SELECT shop || (ext + $4), line_id, item_id, location_id, connection_id, pool, held, shipped, short, unbooked, expires_at, due, created_at + $1, updated_at + $1, version
		FROM slice_reservation WHERE $2::bigint + $3::bigint > 0`,
		`INSERT INTO movement (id, at, recorded_at, kind, item_id, location_id, on_hand, reserved, damaged, on_hand_after, reserved_after, damaged_after, ref, line, reason, actor, reverses)
		SELECT m.shop || (m.ext + $4) || substr(m.id, 26), at + $1, recorded_at + $1, kind, m.item_id, m.location_id, on_hand, reserved, damaged, on_hand_after + s.net * $3,
			reserved_after, damaged_after, m.shop || (m.ext + $4), line, reason, actor, reverses
		FROM slice_movement m JOIN slice_sum s ON s.item_id = m.item_id AND s.location_id = m.location_id WHERE $2::bigint > 0 ORDER BY m.seq`,
		pgCopyEvents,
	}
	pgCopyEvents = `INSERT INTO event (seq, at, kind, subject, data) SELECT ((pg_current_xact_id()::text::bigint + (SELECT base FROM event_base)) << 20) + row_number() OVER (ORDER BY seq),
			at + $1, kind, shop || (ext + $4), replace(data, ext::text, (ext + $4)::text) FROM slice_event WHERE $2::bigint + $3::bigint > 0`
)

const (
	pgISO = `CREATE OR REPLACE FUNCTION iso(us bigint) RETURNS text LANGUAGE SQL IMMUTABLE AS
		$$ SELECT to_char(to_timestamp(us / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') $$`
	pgBalances = `UPDATE balance b SET on_hand = on_hand + net * $1, version = version + moves * $1 FROM slice_sum s WHERE s.item_id = b.item_id AND s.location_id = b.location_id`
	// pgKeys are the keys and indexes of the tables that are copied into: the table, how one is dropped and how it is made again.
	pgKeys = `SELECT t::text, 'ALTER TABLE ' || t || ' DROP CONSTRAINT ' || conname, 'ALTER TABLE ' || t || ' ADD CONSTRAINT ' || conname || ' ' || pg_get_constraintdef(c.oid)
			FROM unnest('{orders,order_ref,reservation,movement,event}'::regclass[]) t JOIN pg_constraint c ON conrelid = t AND contype IN ('p', 'u')
		UNION ALL SELECT t::text, 'DROP INDEX ' || indexrelid::regclass, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ')
			FROM unnest('{orders,order_ref,reservation,movement,event}'::regclass[]) t JOIN pg_index ON indrelid = t
			WHERE NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)`
	// The copies lie as orders do once they are over: the room kept free for their changes has been used.
	pgDense = "ALTER TABLE orders SET (fillfactor = 100); ALTER TABLE reservation SET (fillfactor = 100)"
	pgRoomy = "ALTER TABLE orders SET (fillfactor = 80); ALTER TABLE reservation SET (fillfactor = 50)"
	pgEnd   = "DROP TABLE slice_orders, slice_reservation, slice_movement, slice_event, slice_ref, slice_sum; DROP FUNCTION iso(bigint)"
)

// pgKey is one row of pgKeys.
type pgKey struct{ table, drop, make string }

// copySlicesPostgres is copySlices for PostgreSQL: without an index first, which are made after. Orders are copied beside all else.
func (h *history) copySlicesPostgres(ctx context.Context, url string, shown func()) (err error) {
	defer func() { err = errs.Wrap("bench.Pages", "copy", err) }()
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer db.Close()
	h.Copying = true
	if err := h.note(ctx, db); err != nil {
		return err
	}
	keys, err := pgUnkey(ctx, db)
	if err != nil {
		return err
	}
	for _, text := range append([]string{pgISO, pgDense}, pgSlice...) {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	slice, copies := h.Done, historySlices-recentSlices-1
	err = pgBoth(ctx, db, func(ctx context.Context, c *sql.Conn, orders bool) error {
		texts := pgCopyRest
		if orders {
			texts = pgCopyOrders
		}
		for k := 1; k <= copies; k++ {
			if err := h.pgCopy(ctx, c, texts, k, slice); err != nil {
				return err
			}
			if orders {
				h.Done = slice * (k + 1)
				shown()
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, pgBalances, copies); err != nil {
		return err
	}
	err = pgBoth(ctx, db, func(ctx context.Context, c *sql.Conn, orders bool) error {
		for _, k := range keys {
			if strings.HasPrefix(k.table, "order") != orders {
				continue
			}
			if _, err := c.ExecContext(ctx, k.make); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, pgRoomy+";"+pgEnd); err != nil {
		return err
	}
	h.Copying = false
	return h.note(ctx, db)
}

// pgUnkey drops the keys of the tables that are copied into and tells how they were.
func pgUnkey(ctx context.Context, db *sql.DB) ([]pgKey, error) {
	rows, err := db.QueryContext(ctx, pgKeys)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var keys []pgKey
	for rows.Next() {
		var k pgKey
		if err := rows.Scan(&k.table, &k.drop, &k.make); err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, k := range keys {
		if _, err := db.ExecContext(ctx, k.drop); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// pgBoth runs f for the tables of orders and for the others at once, each on a connection made for work in bulk.
func pgBoth(ctx context.Context, db *sql.DB, f func(ctx context.Context, c *sql.Conn, orders bool) error) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, orders := range []bool{true, false} {
		g.Go(func() error {
			c, err := db.Conn(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
			if _, err := c.ExecContext(ctx, "SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'; SET synchronous_commit = off; SET jit = off"); err != nil {
				return err
			}
			return f(ctx, c, orders)
		})
	}
	return g.Wait()
}

// pgCopy makes copy k in a transaction of its own, which is what numbers its events.
func (h *history) pgCopy(ctx context.Context, c *sql.Conn, texts []string, k, slice int) error {
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	first := k * slice
	for _, text := range texts {
		if text == pgCopyEvents && !h.eventsKept(first) {
			continue
		}
		if _, err := tx.ExecContext(ctx, text, h.at(first).Sub(h.at(0)).Microseconds(), first, k, first*externalStep); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// note writes how far the history has come.
func (h *history) note(ctx context.Context, db *sql.DB) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "UPDATE setting SET value = $1 WHERE name = $2", string(text), historySetting)
	return err
}
