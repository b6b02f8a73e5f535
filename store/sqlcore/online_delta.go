package sqlcore

import (
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/spillway/spillway/kit/errs"
)

// delta brings to the new home what was noted as changed in one file of the old one: the rows with these keys are taken out and put in as they
// are now. Doing it twice changes nothing.
type delta struct {
	src, dst   *Tx
	from, upto int64 // changes
	tables     []keyed
	sums       []tableSum      // of the rows put in, by table
	items      map[string]bool // whose stock changed
	free       map[place]int64 // by how much units held came to differ from units reserved
	movement   int64           // the first new one
}

type place struct{ item, location string }

func newDelta(src, dst *Tx, from int64, tables ...string) (*delta, error) {
	d := &delta{src: src, dst: dst, from: from, items: map[string]bool{}, free: map[place]int64{}}
	var err error
	if d.upto, err = src.noted(); err != nil {
		return nil, err
	}
	if d.upto < from {
		return nil, errs.New(errs.Internal, "store.MoveOnline", "", "what was noted is gone; undo the move and begin again")
	}
	changed := map[string]bool{}
	// By seq: the index begins with the table and would be read from end to end.
	if err := src.readRows(1, func(v []any) error { changed[v[0].(string)] = true; return nil },
		"SELECT DISTINCT tbl FROM "+noteTable+" NOT INDEXED WHERE seq > $1 AND seq <= $2", from, d.upto); err != nil {
		return nil, err
	}
	d.tables, err = src.keyed(slices.DeleteFunc(slices.Clone(tables), func(t string) bool { return !changed[t] })...)
	d.sums = make([]tableSum, len(d.tables))
	return d, err
}

// keysOf is the query of the keys of a table that were noted, each once.
func (d *delta) keysOf(k keyed) (text string, args []any) {
	text = "SELECT DISTINCT " + k.each(noteKey, ", ") + " FROM " + noteTable + " INDEXED BY " + noteIndex + " WHERE seq > $1 AND seq <= $2 AND tbl = $3"
	if k.table == "setting" {
		text += " AND k1 NOT IN (" + moveMarks + ")"
	}
	return text, []any{d.from, d.upto, k.table}
}

// eachKeys hands out the keys of a table, some thousands at once, as arrays for unnest.
func (d *delta) eachKeys(k keyed, each func(arrays []any) error) error {
	text, args := d.keysOf(k)
	var rows [][]any
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		err := each(columns(k.kinds, rows, nil))
		rows = nil
		return err
	}
	if err := d.src.readRows(len(k.cols), func(values []any) error {
		rows = append(rows, slices.Clone(values))
		if len(rows) < moveRows {
			return nil
		}
		return flush()
	}, text, args...); err != nil {
		return err
	}
	return flush()
}

// given is the list of keys as PostgreSQL reads it, and how a row of the table is found by it.
func (k keyed) given() (list, on string) {
	return "unnest(" + k.each(func(i int, _ string) string { return pgParam(i, col{kind: k.kinds[i]}) }, ", ") + ") AS u(" + k.each(noteKey, ", ") + ")",
		k.each(func(i int, c string) string { return "t." + c + " = u." + noteKey(i, c) }, " AND ")
}

// bring does all tables, compares what has arrived and proves the stock it is about.
func (d *delta) bring() error {
	if d.from == d.upto {
		return nil
	}
	for _, k := range slices.Backward(d.tables) {
		list, on := k.given()
		if err := d.eachKeys(k, func(arrays []any) error {
			return d.takeOut(k.table, "DELETE FROM "+k.table+" AS t USING "+list+" WHERE "+on, arrays)
		}); err != nil {
			return errs.Wrap("store.MoveOnline", k.table, err)
		}
	}
	for i, k := range d.tables {
		if err := d.put(i, k); err != nil {
			return errs.Wrap("store.MoveOnline", k.table, err)
		}
	}
	for i, k := range d.tables {
		if err := d.compare(i, k); err != nil {
			return errs.Wrap("store.MoveOnline", k.table, err)
		}
	}
	return d.prove()
}

// takeOut deletes rows, and keeps account of the units they hold or reserve.
func (d *delta) takeOut(table, text string, arrays []any) error {
	switch table {
	case "balance":
		text += " RETURNING t.item_id, t.location_id, t.reserved"
	case "reservation":
		text += " RETURNING t.item_id, t.location_id, -t.held"
	default:
		return d.dst.plain(text, arrays...)
	}
	return d.dst.readRows(3, func(v []any) error {
		d.free[place{v[0].(string), v[1].(string)}] += v[2].(int64)
		return nil
	}, text, arrays...)
}

// put copies the rows of a table.
func (d *delta) put(i int, k keyed) error {
	cols, err := d.src.columnsOf(k.table)
	if err != nil {
		return err
	}
	insert, err := d.dst.insertInto(k.table, cols)
	if err != nil {
		return err
	}
	f := filler{into: d.dst, insert: insert, wrote: func() {}}
	at := func(name string) int { return slices.Index(cols, name) }
	item, location, seq, held, reserved := at("item_id"), at("location_id"), at("seq"), at("held"), at("reserved")
	keys, args := d.keysOf(k)
	// CROSS JOIN keeps SQLite from beginning with the large table.
	if err := d.src.readRows(len(cols), func(values []any) error {
		switch k.table {
		case "movement":
			if n := values[seq].(int64); d.movement == 0 || n < d.movement {
				d.movement = n
			}
			d.items[values[item].(string)] = true
		case "balance":
			d.items[values[item].(string)] = true
			d.free[place{values[item].(string), values[location].(string)}] -= values[reserved].(int64)
		case "reservation":
			d.free[place{values[item].(string), values[location].(string)}] += values[held].(int64)
		}
		if err := d.sums[i].add(values); err != nil {
			return err
		}
		return f.add(values)
	}, "SELECT "+of("t", cols)+" FROM ("+keys+") u CROSS JOIN "+k.table+" t ON "+
		k.each(func(i int, c string) string { return "t." + c + " = u." + noteKey(i, c) }, " AND "), args...); err != nil {
		return err
	}
	return f.flush()
}

func of(table string, cols []string) string { return table + "." + strings.Join(cols, ", "+table+".") }

// compare reads the rows with the keys of a table back out of the new home: they must be those that went in, and no others.
func (d *delta) compare(i int, k keyed) error {
	cols, err := d.src.columnsOf(k.table)
	if err != nil {
		return err
	}
	var back tableSum
	list, on := k.given()
	if err := d.eachKeys(k, func(arrays []any) error {
		return d.dst.readRows(len(cols), back.add, "SELECT "+of("t", cols)+" FROM "+list+" JOIN "+k.table+" t ON "+on, arrays...)
	}); err != nil {
		return err
	}
	if sum := d.sums[i]; back != sum {
		return errs.New(errs.Internal, "store.MoveOnline", k.table, "%d changed rows went in and %d came out, or not the same", sum.n, back.n)
	}
	return nil
}

// What stock.Check proves of a whole ledger, for what is new of one that was proved before: the movements go on where the last one ended,
// and balances are what the last movement says. That what is reserved is what is held follows from the rows taken out and put in.
const (
	chainBroken = `SELECT m.id FROM movement m LEFT JOIN LATERAL (SELECT on_hand_after AS h, reserved_after AS r, damaged_after AS d FROM movement p
		WHERE p.item_id = m.item_id AND p.location_id = m.location_id AND p.seq < m.seq ORDER BY p.seq DESC LIMIT 1) p ON true
		WHERE m.seq >= $1 AND (m.on_hand_after, m.reserved_after, m.damaged_after) IS DISTINCT FROM
		(coalesce(p.h, 0) + m.on_hand, coalesce(p.r, 0) + m.reserved, coalesce(p.d, 0) + m.damaged) LIMIT 1`
	balanceBroken = `SELECT b.item_id FROM balance b LEFT JOIN LATERAL (SELECT on_hand_after AS h, reserved_after AS r, damaged_after AS d FROM movement p
		WHERE p.item_id = b.item_id AND p.location_id = b.location_id ORDER BY p.seq DESC LIMIT 1) p ON true
		WHERE b.item_id = ANY($1::text[]) AND (b.on_hand, b.reserved, b.damaged) IS DISTINCT FROM (coalesce(p.h, 0), coalesce(p.r, 0), coalesce(p.d, 0)) LIMIT 1`
)

func (d *delta) prove() error {
	items := make([]string, 0, len(d.items))
	for it := range d.items {
		items = append(items, it)
	}
	look := func(text string, arg any) error {
		q := &stmt{op: "store.MoveOnline"}
		q.text[Postgres] = text
		found, err := read(d.dst, q, scanOne[string], []any{arg})
		if err == nil && len(found) > 0 {
			err = errs.New(errs.Conflict, "store.MoveOnline", found[0], "the ledger does not prove: its movements, balances and reservations do not agree")
		}
		return err
	}
	for p, n := range d.free {
		if n != 0 {
			return errs.New(errs.Conflict, "store.MoveOnline", p.item, "the ledger does not prove: at %s %d units more are held than reserved", p.location, n)
		}
	}
	var err error
	if d.movement > 0 {
		err = look(chainBroken, d.movement)
	}
	return errors.Join(err, look(balanceBroken, items))
}

// counts counts the rows of tables.
func (tx *Tx) counts(into map[string]int64, tables ...string) error {
	if tx.dialect() == Postgres { // writers' sessions go by indexes, which is the long way to a whole table
		if err := tx.plain("SET LOCAL enable_seqscan = on"); err != nil {
			return err
		}
	}
	for _, t := range tables {
		if err := tx.readRows(1, func(v []any) error { into[t] = v[0].(int64); return nil }, "SELECT count(*) FROM "+t+noMarks(t)); err != nil {
			return errs.Wrap("store.MoveOnline", t, err)
		}
	}
	return nil
}

// foreignKeys are PostgreSQL's constraints between tables, as table and name.
func (tx *Tx) foreignKeys() ([][2]string, error) {
	q := &stmt{op: "store.MoveOnline"}
	q.text[Postgres] = `SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint
		WHERE contype = 'f' AND conparentid = 0 AND connamespace = current_schema()::regnamespace`
	return query(tx, q, func(r *sql.Rows, v *[2]string) error { return r.Scan(&v[0], &v[1]) })
}

// foreignKeysLate has references between tables looked at when a transaction ends, so that rows may go and come in any order; or, as
// ever, at once.
func (tx *Tx) foreignKeysLate(late bool) error {
	how := "NOT DEFERRABLE"
	if late {
		how = "DEFERRABLE INITIALLY DEFERRED"
	}
	all, err := tx.foreignKeys()
	for _, fk := range all {
		err = errors.Join(err, tx.plain("ALTER TABLE "+fk[0]+" ALTER CONSTRAINT "+fk[1]+" "+how))
	}
	return err
}
