package sqlcore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
)

const (
	// movingSetting is in a home that is moved or was: where its processes work meanwhile, what they change is noted from then on.
	movingSetting = "moving"
	// fillingSetting is in a home that is being filled from such a one. It is a part of the whole, so nothing opens it.
	fillingSetting = "filling"
	// arrivedSetting is in a home that another one was moved to.
	arrivedSetting = "arrived"
	// noteTable holds the keys of changed rows, in each file of such a home.
	noteTable, noteIndex = "move_change", "move_change_tbl"
	// noteKeys is the most columns a key has.
	noteKeys = 4
)

// moveMark is what a home says of the move it is part of.
type moveMark struct {
	ID    string    `json:"id"` // the same in both homes
	Since time.Time `json:"since"`

	// In the new home: whether the bulk is there, and up to which changes of both files it is brought.
	Filled     bool  `json:"filled,omitempty"`
	Notes      int64 `json:"notes,omitempty"`
	InboxNotes int64 `json:"inbox_notes,omitempty"`
}

// moveMarks are the settings that say of a home what became of it. They do not move with its data.
const moveMarks = "'" + movingSetting + "', '" + fillingSetting + "', '" + arrivedSetting + "'"

// noMarks leaves the marks of moves out of what is read of a table.
func noMarks(table string) string {
	if table != "setting" {
		return ""
	}
	return " WHERE name NOT IN (" + moveMarks + ")"
}

func (tx *Tx) moveMark(setting string) (m moveMark, found bool, err error) {
	text, found, err := tx.SettingGet(setting)
	if err == nil && found {
		if json.Unmarshal([]byte(text), &m) != nil {
			err = errs.New(errs.Internal, "store.MoveOnline", setting, "the mark of a move cannot be read")
		}
	}
	return m, found, err
}

func (tx *Tx) moveMarkSet(setting string, m moveMark) error {
	text, err := encode("store.MoveOnline", m)
	if err != nil {
		return err
	}
	return tx.SettingSet(setting, text)
}

// keyed is a table with the columns of its key.
type keyed struct {
	table string
	cols  []string
	kinds []colType
}

func (tx *Tx) keyed(tables ...string) ([]keyed, error) {
	list := &stmt{op: "store.MoveOnline"}
	list.text[SQLite] = "SELECT name, type FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk"
	var out []keyed
	for _, t := range tables {
		k := keyed{table: t}
		if _, err := query(tx, list, func(r *sql.Rows, _ *struct{}) error {
			var name, kind string
			err := r.Scan(&name, &kind)
			k.cols = append(k.cols, name)
			if kind == "INTEGER" {
				k.kinds = append(k.kinds, bigint)
			} else {
				k.kinds = append(k.kinds, text)
			}
			return err
		}, t); err != nil {
			return nil, err
		}
		if len(k.cols) == 0 || len(k.cols) > noteKeys {
			return nil, errs.New(errs.Internal, "store.MoveOnline", t, "a table needs a key of one to %d columns to be moved", noteKeys)
		}
		out = append(out, k)
	}
	return out, nil
}

// each writes the key's columns, each by itself.
func (k keyed) each(format func(i int, col string) string, sep string) string {
	out := make([]string, len(k.cols))
	for i, c := range k.cols {
		out[i] = format(i, c)
	}
	return strings.Join(out, sep)
}

func noteKey(i int, _ string) string { return "k" + strconv.Itoa(i+1) }

// noteChanges lets the database note the keys of all rows that anybody changes from now on, and names the move. Where that was begun
// before and the program cut off, it goes on with what was noted since.
func (s *Store) noteChanges(ctx context.Context) (m moveMark, err error) {
	// The inbox first: where the other file has its mark both are noted.
	if err := s.UpdateInbox(ctx, func(x *InboxTx) error { return x.tx.note(InboxTable) }); err != nil {
		return m, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		began := false
		if m, began, err = tx.moveMark(movingSetting); err != nil || began {
			return err
		}
		if err := tx.noteNoMore(movedTables...); err != nil {
			return err
		}
		m = moveMark{ID: id.New(), Since: tx.Now()}
		return errors.Join(tx.moveMarkSet(movingSetting, m), tx.note(movedTables...))
	})
	return m, err
}

// note makes what notes changes of tables.
func (tx *Tx) note(tables ...string) error {
	all, err := tx.keyed(tables...)
	if err != nil {
		return err
	}
	if err := tx.plain("CREATE TABLE IF NOT EXISTS " + noteTable + " (seq INTEGER PRIMARY KEY AUTOINCREMENT, tbl TEXT NOT NULL, k1, k2, k3, k4)"); err != nil {
		return err
	}
	if err := tx.plain("CREATE INDEX IF NOT EXISTS " + noteIndex + " ON " + noteTable + " (tbl, seq)"); err != nil {
		return err
	}
	for _, k := range all {
		into := "INSERT INTO " + noteTable + " (tbl, " + k.each(noteKey, ", ") + ")"
		of := func(row string) string { return k.each(func(_ int, c string) string { return row + "." + c }, ", ") }
		added, gone := into+" VALUES ('"+k.table+"', "+of("NEW")+");", into+" VALUES ('"+k.table+"', "+of("OLD")+");"
		renamed := into + " SELECT '" + k.table + "', " + of("OLD") + " WHERE " +
			k.each(func(_ int, c string) string { return "OLD." + c + " IS NOT NEW." + c }, " OR ") + ";"
		for verb, does := range map[string]string{"INSERT": added, "DELETE": gone, "UPDATE": added + " " + renamed} {
			if err := tx.plain("CREATE TRIGGER IF NOT EXISTS " + k.table + "_noted_" + verb + " AFTER " + verb + " ON " + k.table + " BEGIN " + does + " END"); err != nil {
				return err
			}
		}
	}
	return nil
}

// noteNoMore ends the noting of tables' changes and forgets what was noted.
func (tx *Tx) noteNoMore(tables ...string) error {
	for _, t := range tables {
		for _, verb := range []string{"INSERT", "DELETE", "UPDATE"} {
			if err := tx.plain("DROP TRIGGER IF EXISTS " + t + "_noted_" + verb); err != nil {
				return err
			}
		}
	}
	return tx.plain("DROP TABLE IF EXISTS " + noteTable)
}

var noted = func() *stmt {
	s := &stmt{op: "store.MoveOnline"}
	s.text[SQLite] = "SELECT coalesce(max(seq), 0) FROM " + noteTable
	return s
}()

// noted is the number of the last change noted.
func (tx *Tx) noted() (int64, error) {
	n, _, err := one(tx, noted, scanOne[int64])
	return n, err
}
