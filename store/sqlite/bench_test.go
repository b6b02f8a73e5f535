package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spillway/spillway/store/sqlcore"
)

// How to write 512 rows: a prepared statement for each, one for several rows, one statement that reads them from JSON, or a statement parsed anew for
// each.
func BenchmarkWays(b *testing.B) {
	const rows = 512
	cols := "(order_id, line_id, item_id, location_id, connection_id, pool, held, shipped, short, unbooked, created_at, updated_at, version)"
	one := "INSERT INTO reservation " + cols + " VALUES ($1, '1', 'a', 'main', 'shop', '', $2, 0, 0, 0, 0, 0, 1)"
	many := "INSERT INTO reservation " + cols + " SELECT value ->> 0, '1', 'a', 'main', 'shop', '', value ->> 1, 0, 0, 0, 0, 0, 1 FROM json_each($1)"
	tuples := sqlcore.NewTuples("reservation", strings.Split(strings.Trim(cols, "()"), ", "), "")
	n := 0
	row := func() []any { n++; return []any{fmt.Sprintf("shop:%d", n), int64(1)} }
	ctx := context.Background()
	for name, write := range map[string]func(tx sqlcore.Run) error{
		"prepared": func(tx sqlcore.Run) error {
			for range rows {
				if _, err := tx.Exec(ctx, one, row()...); err != nil {
					return err
				}
			}
			return nil
		},
		"several": func(tx sqlcore.Run) error {
			all := make([][]any, rows)
			for i := range all {
				id := row()[0]
				all[i] = []any{id, "1", "a", "main", "shop", "", int64(1), int64(0), int64(0), int64(0), int64(0), int64(0), int64(1)}
			}
			return tx.Pipeline(ctx, []*sqlcore.Step{{Text: one, Rows: all, Tuples: tuples}})
		},
		"json": func(tx sqlcore.Run) error {
			all := make([][]any, rows)
			for i := range all {
				all[i] = row()
			}
			text, err := json.Marshal(all)
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, many, string(text))
			return err
		},
		"parsed": func(tx sqlcore.Run) error {
			for range rows {
				s := tx.(*run).session
				if _, err := s.conn.ExecContext(ctx, one, row()...); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		b.Run(name, func(b *testing.B) {
			e, err := Open(ctx, filepath.Join(b.TempDir(), strings.ReplaceAll(name, " ", "")+".db"))
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			if err := e.Migrate(ctx); err != nil {
				b.Fatal(err)
			}
			begin := func() sqlcore.Run {
				tx, err := e.Begin(ctx, false)
				if err != nil {
					b.Fatal(err)
				}
				return tx
			}
			tx := begin()
			if _, err := tx.Exec(ctx, "INSERT INTO item VALUES ('a', 'a', '', '', '', 0)"); err != nil {
				b.Fatal(err)
			}
			if err := tx.Commit(ctx, func() {}); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				tx := begin()
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
