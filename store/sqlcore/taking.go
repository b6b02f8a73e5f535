package sqlcore

import (
	"database/sql"

	"github.com/spillway/spillway/kit/errs"
)

// taking removes the oldest rows of a table and reads them.
type taking struct{ at, first, upTo *stmt }

// newTaking makes one of a table with a seq. Where there is one writer it reads, and then removes up to the last: to remove and return at once
// SQLite copies every row aside first, and makes its plan anew each time.
func newTaking(op, table, cols string) taking {
	return taking{
		at:    def(op, "DELETE FROM "+table+" WHERE seq IN (SELECT seq FROM "+table+" ORDER BY seq LIMIT $1) RETURNING seq, "+cols),
		first: def(op, "SELECT seq, "+cols+" FROM "+table+" ORDER BY seq LIMIT $1"),
		upTo:  def(op, "DELETE FROM "+table+" WHERE seq <= $1"),
	}
}

// take removes the oldest rows, at most limit, and returns them in their order. Of two that take at once on PostgreSQL each row goes to one.
func take[T any](tx *Tx, t taking, limit int, scan func(r *sql.Rows, seq *int64, v *T) error) ([]T, error) {
	if tx.readOnly {
		return nil, errs.New(errs.Internal, t.at.op, "", "writes need Update")
	}
	var last int64
	each := func(r *sql.Rows, v *T) error { return scan(r, &last, v) }
	if tx.dialect() == Postgres {
		return query(tx, t.at, each, page(limit))
	}
	got, err := query(tx, t.first, each, page(limit))
	if err == nil && len(got) > 0 {
		_, err = tx.exec(t.upTo, last)
	}
	return got, err
}
