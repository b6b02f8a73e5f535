package sqlcore

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spillway/spillway/kit/errs"
)

// Dialect names a kind of database.
type Dialect uint8

const (
	SQLite Dialect = iota
	Postgres
	dialects
)

func (d Dialect) String() string { return [...]string{"sqlite", "postgres"}[d] }

// stmt is one statement in both dialects.
type stmt struct {
	op   string // the verb it belongs to, for errors
	text [dialects]string
	kind []colType // bulk statements only: the types of their columns
	many Tuples    // bulk inserts only
}

// all holds every statement, so that a test can prepare each on both databases.
var all []*stmt

// Statements returns the text of every statement in the dialect, by the name of its verb.
func Statements(d Dialect) map[string][]string {
	out := map[string][]string{}
	for _, s := range all {
		out[s.op] = append(out[s.op], s.text[d])
	}
	return out
}

var (
	inText  = regexp.MustCompile(`@in\((\w+(?:\.\w+)?), *(\$\d+)\)`)
	inHas   = regexp.MustCompile(`@has\((\w+), *(\$\d+)\)`)
	inLock  = regexp.MustCompile(`@lock\(([^)]*)\)`)
	inLimit = regexp.MustCompile(`LIMIT (\$\d+)`)
)

// lite is a statement as SQLite is to have it. It makes the plan of one anew each time a bare LIMIT is bound, which takes longer than most of
// them do. Of a sum it does not.
func lite(text string) string { return inLimit.ReplaceAllString(text, "LIMIT 0 + $1") }

// def makes a statement of one text for both databases. Three marks stand for what they write differently:
//
//	@has(column, $n)  the text in the column contains another
//	@in(column, $n)   the column is one of the texts of a list
//	@lock(clause)     a row lock, which SQLite has no need of: its one writer holds the database
func def(op, text string) *stmt {
	s := &stmt{op: op}
	s.text[SQLite] = lite(inLock.ReplaceAllString(inText.ReplaceAllString(inHas.ReplaceAllString(text, "instr($1, $2) > 0"), "$1 IN (SELECT value FROM json_each($2))"), ""))
	s.text[Postgres] = inLock.ReplaceAllString(inText.ReplaceAllString(inHas.ReplaceAllString(text, "strpos($1, $2) > 0"), "$1 = ANY($2::text[])"), "$1")
	all = append(all, s)
	return s
}

// colType is how a bulk statement hands a column over.
type colType uint8

const (
	text colType = iota
	bigint
	boolean
	bytea
	textOrNull
	bigintOrNull
)

var pgArray = [...]string{"text[]", "bigint[]", "boolean[]", "bytea[]", "text[]", "bigint[]"}

// col is one column of a bulk statement.
type col struct {
	name string
	kind colType
}

func kinds(cols []col) []colType {
	out := make([]colType, len(cols))
	for i, c := range cols {
		out[i] = c.kind
	}
	return out
}

func names(cols []col, format func(i int, c col) string, sep string) string {
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = format(i, c)
	}
	return strings.Join(out, sep)
}

func plain(_ int, c col) string    { return c.name }
func dollar(i int, _ col) string   { return "$" + strconv.Itoa(i+1) }
func pgParam(i int, c col) string  { return dollar(i, c) + "::" + pgArray[c.kind] }
func assign(i int, c col) string   { return c.name + " = " + dollar(i, c) }
func fromU(_ int, c col) string    { return c.name + " = u." + c.name }
func excluded(_ int, c col) string { return c.name + " = excluded." + c.name }
func upsert(key string, cols []col) string {
	return "ON CONFLICT (" + key + ") DO UPDATE SET " + names(cols, excluded, ", ")
}

// insert makes a bulk insert: a row or several at a time on SQLite, as its engine finds fastest, all rows at once out of arrays on PostgreSQL, where
// each statement is a round trip. tail is the conflict clause.
func insert(op, table string, cols []col, tail string) *stmt {
	s := newInsert(op, table, cols, tail)
	all = append(all, s)
	return s
}

// insertNew makes a bulk insert, for bulkNew, of rows whose first column is an id; rows whose id is there already stay as they are.
// SQLite counts the rows of each statement, PostgreSQL must return the ids.
func insertNew(op, table string, cols []col) *stmt {
	s := insert(op, table, cols, "ON CONFLICT ("+cols[0].name+") DO NOTHING")
	s.text[Postgres] += " RETURNING " + cols[0].name
	return s
}

// insertRow makes an insert of one row, for later.
func insertRow(op, table string, cols []col) *stmt {
	s := insert(op, table, cols, "")
	s.text[Postgres] = "INSERT INTO " + table + " (" + names(cols, plain, ", ") + ") VALUES (" + names(cols, dollar, ", ") + ")"
	return s
}

// newInsert is insert for the columns that a backup turns out to have.
func newInsert(op, table string, cols []col, tail string) *stmt {
	s := &stmt{op: op, kind: kinds(cols)}
	list := names(cols, plain, ", ")
	s.many = NewTuples(table, strings.Split(list, ", "), tail)
	// Parameters without a number: SQLite's driver looks numbered ones up by name in each call.
	s.text[SQLite] = "INSERT INTO " + table + " (" + list + ") VALUES (" + names(cols, func(int, col) string { return "?" }, ", ") + ") " + tail
	s.text[Postgres] = "INSERT INTO " + table + " (" + list + ") SELECT " + list + " FROM unnest(" + names(cols, pgParam, ", ") +
		") WITH ORDINALITY AS u(" + list + ", ord) ORDER BY ord " + tail
	return s
}

// update makes a bulk update of set by keys, only where the column guard still has its old value, which is the last parameter.
func update(op, table string, set, keys []col, guard string) *stmt {
	cols := append(append(append([]col{}, set...), keys...), col{"old_" + guard, bigint})
	s := &stmt{op: op, kind: kinds(cols)}
	s.text[SQLite] = "UPDATE " + table + " SET " + names(set, assign, ", ") + " WHERE " +
		names(keys, func(i int, c col) string { return assign(i+len(set), c) }, " AND ") + " AND " + guard + " = $" + strconv.Itoa(len(cols))
	s.text[Postgres] = "UPDATE " + table + " AS t SET " + names(set, fromU, ", ") + " FROM unnest(" + names(cols, pgParam, ", ") + ") AS u(" +
		names(cols, plain, ", ") + ") WHERE " + names(keys, func(_ int, c col) string { return "t." + c.name + " = u." + c.name }, " AND ") +
		" AND t." + guard + " = u.old_" + guard
	all = append(all, s)
	return s
}

// us is a time as both databases keep it: microseconds since 1970, UTC. The zero time is 0.
func us(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// when is the reverse of us.
func when(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// orNull is us with the zero time as NULL, for columns whose partial index must leave it out.
func orNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// clean refuses text that one of the databases cannot keep: zero bytes and broken UTF-8. SQLite would take both.
func clean(op, s string) error {
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return errs.New(errs.Invalid, op, "", "text must be UTF-8 without zero bytes")
	}
	return nil
}

// encode makes a JSON column. Values come from our own types, so failing is a defect of theirs.
func encode(op string, v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", errs.Wrap(op, "", err)
	}
	return string(b), nil
}
