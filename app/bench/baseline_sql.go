package bench

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver of the baseline on SQLite

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/spillway/spillway/kit/errs"
)

// The baselines are what a careful team writes first: one transaction for each order, exact and durable, with a row for the reservation and
// one for the journal, in tables as lean as can be.

const baselinePool = 16 // more only wait for the same row: measured with 16, 64 and 256

const baselineTables = `
CREATE TABLE stock (id TEXT PRIMARY KEY, on_hand BIGINT NOT NULL, reserved BIGINT NOT NULL DEFAULT 0, CHECK (reserved <= on_hand));
CREATE TABLE reservation (id TEXT PRIMARY KEY, item TEXT NOT NULL, qty BIGINT NOT NULL);
CREATE TABLE journal (seq @serial, item TEXT NOT NULL, kind BIGINT NOT NULL, delta BIGINT NOT NULL, ref TEXT NOT NULL);`

// postgresTx is PostgreSQL with a transaction for each order, in a schema of its own.
func postgresTx(ctx context.Context, url string) (*contender, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errs.Wrap("bench ledger", "postgres-tx", err)
	}
	cfg.MaxConns, cfg.MinConns = baselinePool, baselinePool
	cfg.ConnConfig.RuntimeParams["search_path"] = "baseline"
	cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "on"
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, errs.Wrap("bench ledger", "postgres-tx", err)
	}
	tables := strings.ReplaceAll(baselineTables, "@serial", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
	if _, err := pool.Exec(ctx, "CREATE SCHEMA baseline; "+strings.Replace(tables, "reserved <= on_hand))", "reserved <= on_hand)) WITH (fillfactor = 20)", 1)); err != nil {
		pool.Close()
		return nil, errs.Wrap("bench ledger", "postgres-tx", err)
	}
	c := &contender{name: "postgres-tx", close: func() error { pool.Close(); return nil }}
	c.reserve = func(ctx context.Context, id, item string) (ok bool, err error) {
		err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			ok = false
			var left int64
			if err := tx.QueryRow(ctx, "SELECT on_hand - reserved FROM stock WHERE id = $1 FOR UPDATE", item).Scan(&left); err != nil {
				return err
			}
			var known string
			switch err := tx.QueryRow(ctx, "SELECT id FROM reservation WHERE id = $1", id).Scan(&known); {
			case err == nil:
				ok = true
				return nil
			case !errors.Is(err, pgx.ErrNoRows):
				return err
			}
			if left < 1 {
				return nil
			}
			if _, err := tx.Exec(ctx, "INSERT INTO reservation VALUES ($1, $2, 1)", id, item); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "INSERT INTO journal (item, kind, delta, ref) VALUES ($1, 1, -1, $2)", item, id); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "UPDATE stock SET reserved = reserved + 1 WHERE id = $1", item)
			ok = err == nil
			return err
		})
		return ok, err
	}
	c.stock = func(ctx context.Context, items []string, units int64) error {
		_, err := pool.Exec(ctx, "INSERT INTO stock SELECT unnest($1::text[]), $2", items, units)
		return err
	}
	c.prove = func(ctx context.Context, item string) (held int64, err error) {
		var rows, moved int64
		err = pool.QueryRow(ctx, `SELECT (SELECT reserved FROM stock WHERE id = $1), (SELECT count(*) FROM reservation WHERE item = $1),
			(SELECT count(*) FROM journal WHERE item = $1)`, item).Scan(&held, &rows, &moved)
		return held, agree(c.name, held, rows, moved, err)
	}
	return c, nil
}

func agree(name string, held, rows, moved int64, err error) error {
	if err == nil && (held != rows || held != moved) {
		err = errs.New(errs.Internal, "bench ledger", name, "%d units held, %d reservations, %d journal rows", held, rows, moved)
	}
	return err
}

// sqliteTx is SQLite with a transaction for each order on one connection, synced before the answer.
func sqliteTx(ctx context.Context, dir string) (*contender, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "baseline.db")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(30000)&_pragma=cache_size(-65536)&_txlock=immediate")
	if err != nil {
		return nil, errs.Wrap("bench ledger", "sqlite-tx", err)
	}
	db.SetMaxOpenConns(1) // SQLite has one writer; callers wait in turn and not by polling
	for _, t := range strings.Split(strings.ReplaceAll(baselineTables, "@serial", "INTEGER PRIMARY KEY"), ";\n") {
		if _, err := db.ExecContext(ctx, t); err != nil {
			return nil, errors.Join(errs.Wrap("bench ledger", "sqlite-tx", err), db.Close())
		}
	}
	var stmts []*sql.Stmt
	for _, text := range []string{"SELECT on_hand - reserved FROM stock WHERE id = ?", "SELECT count(*) FROM reservation WHERE id = ?",
		"INSERT INTO reservation VALUES (?, ?, 1)", "INSERT INTO journal (item, kind, delta, ref) VALUES (?, 1, -1, ?)", "UPDATE stock SET reserved = reserved + 1 WHERE id = ?"} {
		s, err := db.PrepareContext(ctx, text)
		if err != nil {
			return nil, errors.Join(errs.Wrap("bench ledger", "sqlite-tx", err), db.Close())
		}
		stmts = append(stmts, s)
	}
	c := &contender{name: "sqlite-tx", close: db.Close}
	c.reserve = func(ctx context.Context, id, item string) (bool, error) {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return false, err
		}
		defer tx.Rollback()
		var left, known int64
		if err := tx.Stmt(stmts[0]).QueryRow(item).Scan(&left); err != nil {
			return false, err
		}
		if err := tx.Stmt(stmts[1]).QueryRow(id).Scan(&known); err != nil {
			return false, err
		}
		if known > 0 || left < 1 {
			return known > 0, tx.Commit()
		}
		for i, args := range [][]any{{id, item}, {item, id}, {item}} {
			if _, err := tx.Stmt(stmts[2+i]).Exec(args...); err != nil {
				return false, err
			}
		}
		return true, tx.Commit()
	}
	c.stock = func(ctx context.Context, items []string, units int64) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		for _, it := range items {
			if _, err := tx.ExecContext(ctx, "INSERT INTO stock VALUES (?, ?, 0)", it, units); err != nil {
				return err
			}
		}
		return tx.Commit()
	}
	c.prove = func(ctx context.Context, item string) (held int64, err error) {
		var rows, moved int64
		err = db.QueryRowContext(ctx, `SELECT (SELECT reserved FROM stock WHERE id = ?1), (SELECT count(*) FROM reservation WHERE item = ?1),
			(SELECT count(*) FROM journal WHERE item = ?1)`, item).Scan(&held, &rows, &moved)
		return held, agree(c.name, held, rows, moved, err)
	}
	return c, nil
}
