package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/store/sqlcore"
)

// Rows written several at a time are as rows written one at a time: what is stored, how many were new, and which.
func TestSeveralRowsAreAsOneByOne(t *testing.T) {
	ctx := context.Background()
	e, err := Open(ctx, filepath.Join(t.TempDir(), "rows.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	session := func(tx sqlcore.Run, text string) {
		t.Helper()
		if _, err := tx.Exec(ctx, text); err != nil {
			t.Fatal(err)
		}
	}
	tx, err := e.Begin(ctx, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"single", "many"} {
		session(tx, "CREATE TABLE "+table+" (id TEXT PRIMARY KEY, a INTEGER, b TEXT, c BLOB, d INTEGER) STRICT")
	}
	if err := tx.Commit(ctx, func() {}); err != nil {
		t.Fatal(err)
	}
	read := func(tx sqlcore.Run, table string) (out []string) {
		rows, err := tx.Query(ctx, "SELECT id || '|' || a || '|' || coalesce(b, '-') || '|' || hex(c) || '|' || d FROM "+table+" ORDER BY rowid")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			out = append(out, s)
		}
		return out
	}
	cols := []string{"id", "a", "b", "c", "d"}
	rapid.Check(t, func(r *rapid.T) {
		tx, err := e.Begin(ctx, false)
		if err != nil {
			r.Fatal(err)
		}
		defer tx.Rollback()
		spread := [5]int{rapid.IntRange(1, 60).Draw(r, "ids"), rapid.IntRange(1, 2).Draw(r, "a"), rapid.IntRange(1, 3).Draw(r, "b"),
			rapid.IntRange(1, 2).Draw(r, "c"), rapid.IntRange(1, 2).Draw(r, "d")}
		rows := make([][]any, rapid.IntRange(1, 45).Draw(r, "rows"))
		for i := range rows {
			pick := func(col int) int { return rapid.IntRange(1, spread[col]).Draw(r, cols[col]) }
			rows[i] = []any{fmt.Sprintf("id%d", pick(0)), int64(pick(1)), nil, []byte{byte(pick(3))}, int64(pick(4))}
			if b := pick(2); b > 1 {
				rows[i][2] = fmt.Sprintf("b%d", b)
			}
		}
		clash := rapid.SampledFrom([]string{"ON CONFLICT (id) DO NOTHING", "ON CONFLICT (id) DO UPDATE SET a = excluded.a, b = excluded.b, c = excluded.c, d = excluded.d"}).Draw(r, "clash")
		asked := clash == "ON CONFLICT (id) DO NOTHING" && rapid.Bool().Draw(r, "asked")
		write := func(table string, tuples sqlcore.Tuples, rows [][]any) (fresh []int, count int64) {
			step := &sqlcore.Step{Text: "INSERT INTO " + table + " (id, a, b, c, d) VALUES (?, ?, ?, ?, ?) " + clash, Rows: rows, Tuples: tuples}
			if asked {
				step.Changed = func(i int) { fresh = append(fresh, i) }
			}
			if err := tx.Pipeline(ctx, []*sqlcore.Step{step}); err != nil {
				r.Fatal(err)
			}
			return fresh, step.Count
		}
		freshOne, countOne := write("single", sqlcore.Tuples{}, rows)
		freshMany, countMany := write("many", sqlcore.NewTuples("many", cols, clash), rows)
		if !slices.Equal(freshOne, freshMany) || countOne != countMany {
			r.Fatalf("one by one %v, %d new; several at a time %v, %d", freshOne, countOne, freshMany, countMany)
		}
		if one, many := read(tx, "single"), read(tx, "many"); !slices.Equal(one, many) {
			r.Fatalf("one by one\n%q\nseveral at a time\n%q", one, many)
		}
	})
}
