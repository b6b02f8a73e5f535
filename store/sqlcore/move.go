package sqlcore

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
)

const (
	// moveRows and moveBytes bound what is handed to the new database at once.
	moveRows, moveBytes = 2_000, 4 << 20
	// MovedSetting is in a home whose data live in another one now. Nothing may open it any more, so that no order is taken in twice.
	MovedSetting = "moved"
	// movedText is what a home answers to a write after that.
	movedText = "the data were moved to another database"
)

// movedTables are the tables besides the inbox that move: what follows from others too, since making it anew would take longer.
var movedTables = append(append([]string{}, Tables...), "order_ref")

// Moved says of each table how many rows were moved, and of a move while the shop went on how it went.
type Moved struct {
	Rows   map[string]int64
	Passes int           // that brought what had changed meanwhile, the last one in the pause among them
	Caught int64         // changes these brought
	Pause  time.Duration // for which nothing could be written
}

// Progress is told how many of a table's rows are copied, and then how many are compared.
type Progress func(step, table string, done int64)

// MoveTo copies everything into an empty store and marks this one as moved. It keeps every writer out of this store until it has ended, so
// nothing changes meanwhile; readers go on. The new store gets all or nothing: before it commits, the rows of every table are counted and
// compared by content as they come back out of it, and its ledger is proved. Sessions are left behind: people sign in again.
//
// Processes that still work on this store are refused whatever they write from then on, so nothing they acknowledge is lost with it. Should
// the program end between the two commits, the new store is whole and this one not marked; then MoveTo says that the new one is not empty. Errors: Conflict (to is not empty, or older), Internal (what came out is not what went in), Busy (others write).
func (s *Store) MoveTo(ctx context.Context, to *Store, shown Progress) (Moved, error) {
	var m Moved
	mark := moveMark{ID: id.New(), Since: s.now().UTC()}
	err := s.Update(ctx, func(src *Tx) error {
		return s.withInbox(ctx, src, func(srcInbox *Tx) error {
			if err := errors.Join(src.keepOut(Tables), srcInbox.keepOut([]string{InboxTable})); err != nil {
				return err
			}
			if err := to.Update(ctx, func(dst *Tx) error {
				return to.withInbox(ctx, dst, func(dstInbox *Tx) error {
					m = Moved{Rows: map[string]int64{}}
					if err := moveAll(src, srcInbox, dst, dstInbox, shown, &m); err != nil {
						return err
					}
					return dst.moveMarkSet(arrivedSetting, mark)
				})
			}); err != nil {
				return err
			}
			return errors.Join(src.moveMarkSet(movingSetting, mark), src.SettingSet(MovedSetting, s.now().UTC().Format(time.RFC3339)),
				srcInbox.shut([]string{InboxTable}), src.shut(Tables))
		})
	})
	return m, errs.Wrap("store.MoveTo", "", err)
}

// withInbox runs f with the transaction that holds the inbox: tx, or one of the inbox's own file, which commits before tx.
func (s *Store) withInbox(ctx context.Context, tx *Tx, f func(*Tx) error) error {
	if !s.apart {
		return f(tx)
	}
	return s.UpdateInbox(ctx, func(x *InboxTx) error { return f(x.tx) })
}

// keepOut keeps writers out of tables until the transaction ends. On SQLite the transaction itself does.
func (tx *Tx) keepOut(tables []string) error {
	if tx.dialect() != Postgres {
		return nil
	}
	for _, t := range tables {
		if err := tx.plain("LOCK TABLE " + t + " IN SHARE ROW EXCLUSIVE MODE"); err != nil {
			return err
		}
	}
	// The other side may take its time between two chunks.
	return tx.plain("SET LOCAL idle_in_transaction_session_timeout = 0")
}

// shut refuses every write to tables from the end of this transaction on.
func (tx *Tx) shut(tables []string) error {
	if tx.dialect() == Postgres {
		if err := tx.plain(`CREATE OR REPLACE FUNCTION spillway_moved() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN RAISE EXCEPTION '` + movedText + `'; END $$`); err != nil {
			return err
		}
	}
	for _, t := range tables {
		if tx.dialect() == Postgres {
			if err := tx.plain("CREATE TRIGGER " + t + "_moved BEFORE INSERT OR UPDATE OR DELETE ON " + t + " FOR EACH STATEMENT EXECUTE FUNCTION spillway_moved()"); err != nil {
				return err
			}
			continue
		}
		for _, verb := range []string{"INSERT", "UPDATE", "DELETE"} {
			if err := tx.plain("CREATE TRIGGER " + t + "_moved_" + verb + " BEFORE " + verb + " ON " + t +
				" BEGIN SELECT RAISE(ABORT, '" + movedText + "'); END"); err != nil {
				return err
			}
		}
	}
	return nil
}

// moveAll copies the tables and proves what has arrived.
func moveAll(src, srcInbox, dst, dstInbox *Tx, shown Progress, m *Moved) error {
	if err := errors.Join(dstInbox.mustBeEmpty(InboxTable), dst.mustBeEmpty(Tables...)); err != nil {
		return err
	}
	if err := dst.keepOut(Tables); err != nil {
		return err
	}
	for _, table := range append([]string{InboxTable}, movedTables...) {
		from, into := src, dst
		if table == InboxTable {
			from, into = srcInbox, dstInbox
		}
		columns, sum, err := from.moveTable(into, table, shown)
		if err != nil {
			return errs.Wrap("store.MoveTo", table, err)
		}
		var back tableSum
		if err := into.readTable(table, columns, func(values []any) error {
			if back.n%moveRows == 0 {
				shown("comparing", table, back.n)
			}
			return back.add(values)
		}); err != nil {
			return errs.Wrap("store.MoveTo", table, err)
		}
		if back != sum {
			return errs.New(errs.Internal, "store.MoveTo", table, "%d rows went in and %d came out, or not the same", sum.n, back.n)
		}
		m.Rows[table] = sum.n
	}
	if err := dst.moveNumbersOn(); err != nil {
		return err
	}
	shown("proving", "movement", m.Rows["movement"])
	found, err := dst.LedgerCheck()
	if err == nil && len(found) > 0 {
		err = errs.New(errs.Conflict, "store.MoveTo", found[0].ItemID, "the ledger does not prove, first at %s: %s", found[0].LocationID, found[0].What)
	}
	return err
}

// tableSum counts rows and adds up their hashes, so that the order of rows does not matter.
type tableSum struct {
	n   int64
	sum [4]uint64
}

func (s *tableSum) add(values []any) error {
	text, err := json.Marshal(values)
	if err != nil {
		return err
	}
	h, carry := sha256.Sum256(text), uint64(0)
	for i := range s.sum {
		s.sum[i], carry = bits.Add64(s.sum[i], binary.LittleEndian.Uint64(h[8*i:]), carry)
	}
	s.n++
	return nil
}

// filler writes rows to a table, many at once.
type filler struct {
	into   *Tx
	insert *stmt
	rows   [][]any
	size   int    // bytes
	wrote  func() // after each time
}

// add copies the row.
func (f *filler) add(values []any) error {
	f.rows = append(f.rows, slices.Clone(values))
	for _, v := range values {
		switch v := v.(type) {
		case string:
			f.size += len(v)
		case []byte:
			f.size += len(v)
		}
	}
	if len(f.rows) < moveRows && f.size < moveBytes {
		return nil
	}
	return f.flush()
}

func (f *filler) flush() error {
	if len(f.rows) == 0 {
		return nil
	}
	err := f.into.restoreRows(f.insert, f.rows)
	f.rows, f.size = nil, 0
	f.wrote()
	return err
}

// moveTable copies one table.
func (tx *Tx) moveTable(into *Tx, table string, shown Progress) (columns []string, sum tableSum, err error) {
	if columns, err = tx.columnsOf(table); err != nil {
		return nil, sum, err
	}
	insert, err := into.insertInto(table, columns)
	if err != nil {
		return nil, sum, err
	}
	f := filler{into: into, insert: insert, wrote: func() { shown("copying", table, sum.n) }}
	if err := tx.readTable(table, columns, func(values []any) error {
		if err := sum.add(values); err != nil {
			return err
		}
		return f.add(values)
	}); err != nil {
		return nil, sum, err
	}
	return columns, sum, f.flush()
}

func (tx *Tx) columnsOf(table string) ([]string, error) {
	rows, err := tx.run.Query(tx.ctx, "SELECT * FROM "+table+" LIMIT 0")
	if err != nil {
		return nil, tx.fail("store.MoveTo", err)
	}
	columns, err := rows.Columns()
	return columns, errors.Join(err, rows.Close())
}

// readTable calls each with the rows of a table.
func (tx *Tx) readTable(table string, columns []string, each func([]any) error) error {
	return tx.readRows(len(columns), each, "SELECT "+strings.Join(columns, ", ")+" FROM "+table+noMarks(table)+" ORDER BY 1")
}

// readRows calls each with the rows of a statement, in values both databases write alike: strings, int64s, bytes and nil. The slice is used
// again for the next row.
func (tx *Tx) readRows(width int, each func([]any) error, text string, args ...any) error {
	rows, err := tx.run.Query(tx.ctx, text, args...)
	if err != nil {
		return tx.fail("store.MoveTo", err)
	}
	defer rows.Close()
	values, at := make([]any, width), make([]any, width)
	for i := range values {
		at[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(at...); err != nil {
			return tx.fail("store.MoveTo", err)
		}
		for i, v := range values {
			switch v := v.(type) {
			case bool:
				values[i] = int64(0)
				if v {
					values[i] = int64(1)
				}
			case []byte:
				values[i] = bytesOf(v) // a driver reads no bytes as none at all
			}
		}
		if err := each(values); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return tx.fail("store.MoveTo", err)
	}
	return nil
}
