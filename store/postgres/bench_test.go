package postgres

import (
	"context"
	"fmt"
	"testing"

	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/store/sqlcore"
)

// How to write 512 rows: one statement that reads them from arrays, or a prepared statement (a round trip) for each.
func BenchmarkWays(b *testing.B) {
	const rows = 512
	cols := "(order_id, line_id, item_id, location_id, connection_id, pool, held, shipped, short, unbooked, created_at, updated_at, version)"
	one := "INSERT INTO reservation " + cols + " VALUES ($1, '1', 'a', 'main', 'shop', '', $2, 0, 0, 0, 0, 0, 1)"
	many := "INSERT INTO reservation " + cols + " SELECT o, '1', 'a', 'main', 'shop', '', n, 0, 0, 0, 0, 0, 1 FROM unnest($1::text[], $2::bigint[]) AS u(o, n)"
	n := 0
	id := func() string { n++; return fmt.Sprintf("shop:%d", n) }
	ctx := context.Background()
	for name, write := range map[string]func(tx sqlcore.Run) error{
		"arrays": func(tx sqlcore.Run) error {
			ids, held := make([]string, rows), make([]int64, rows)
			for i := range ids {
				ids[i], held[i] = id(), 1
			}
			_, err := tx.Exec(ctx, many, ids, held)
			return err
		},
		"rows": func(tx sqlcore.Run) error {
			for range rows {
				if _, err := tx.Exec(ctx, one, id(), int64(1)); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		b.Run(name, func(b *testing.B) {
			e, err := Open(ctx, pgtest.Start(b))
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			if err := e.Migrate(ctx); err != nil {
				b.Fatal(err)
			}
			tx, err := e.Begin(ctx, false)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := tx.Exec(ctx, "INSERT INTO item VALUES ('a', 'a', '', '', '', 0)"); err != nil {
				b.Fatal(err)
			}
			if err := tx.Commit(ctx, func() {}); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				tx, err := e.Begin(ctx, false)
				if err != nil {
					b.Fatal(err)
				}
				if err := write(tx); err != nil {
					b.Fatal(err)
				}
				if err := tx.Commit(ctx, func() {}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
