package sqlcore

import (
	"database/sql"
	"encoding/json"
	"strconv"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Event is one row of the event log: what happened, for readers that follow by cursor. It is written in the transaction that made it true.
type Event struct {
	Seq     int64 // the cursor; grows with commits, with gaps
	At      time.Time
	Kind    string
	Subject string // the id of the order, item or connection it is about
	Data    json.RawMessage
}

// eventShift leaves room for a million events in one transaction beside its number.
const eventShift = 20

var (
	eventCols   = []col{{"n", bigint}, {"at", bigint}, {"kind", text}, {"subject", text}, {"data", text}}
	eventList   = "seq, at, kind, subject, data"
	eventAppend = eventInsert()
	eventsAfter = both("store.EventsAfter",
		"SELECT "+eventList+" FROM event WHERE seq > $1 ORDER BY seq LIMIT $2",
		"SELECT "+eventList+" FROM event WHERE seq > $1 AND seq < (pg_snapshot_xmin(pg_current_snapshot())::text::bigint + (SELECT base FROM event_base)) << "+
			strconv.Itoa(eventShift)+" ORDER BY seq LIMIT $2")
	eventsOf  = def("store.EventsOf", "SELECT "+eventList+" FROM event WHERE subject = $1 ORDER BY seq DESC LIMIT $2")
	eventLast = def("store.EventLast", "SELECT coalesce(max(seq), 0) FROM event")
)

// both makes a statement of two texts.
func both(op, sqlite, postgres string) *stmt {
	s := &stmt{op: op, text: [dialects]string{SQLite: lite(sqlite), Postgres: postgres}}
	all = append(all, s)
	return s
}

// eventInsert numbers events so that their order is one in which a reader cannot miss any.
//
// A sequence would not do on PostgreSQL: a transaction can take number 5, another take 6 and commit first, and a reader that has seen 6
// never returns to 5. Instead Seq is the transaction's own number, shifted, plus a count within it; a reader stops before the
// oldest transaction still running, and what it stops before can only bring greater numbers. base lifts the transaction numbers of a
// database cluster above those in restored rows. SQLite has one writer, so its row numbers do.
func eventInsert() *stmt {
	s := insert("store.EventsAppend", "event", eventCols, "")
	s.text[SQLite] = "INSERT INTO event (at, kind, subject, data) SELECT $2, $3, $4, $5 WHERE $1 >= 0"
	s.many.cols, s.many.skip = s.many.cols[1:], 1 // what counts them within the transaction
	s.text[Postgres] = "INSERT INTO event (seq, at, kind, subject, data) SELECT ((pg_current_xact_id()::text::bigint + (SELECT base FROM event_base)) << " +
		strconv.Itoa(eventShift) + ") + u.n, u.at, u.kind, u.subject, u.data FROM unnest(" + names(eventCols, pgParam, ", ") + ") AS u(n, at, kind, subject, data)"
	return s
}

// EventsAppend writes events in their order. At is set to the transaction's time if it is zero. Seq is not filled in.
func (tx *Tx) EventsAppend(es []Event) error {
	if tx.events+int64(len(es)) >= 1<<eventShift {
		return errs.New(errs.Invalid, "store.EventsAppend", "", "more than %d events in one transaction", 1<<eventShift)
	}
	rows := make([][]any, len(es))
	for i, e := range es {
		if e.At.IsZero() {
			e.At = tx.now
		}
		if len(e.Data) == 0 {
			e.Data = json.RawMessage("{}")
		}
		rows[i] = []any{tx.events, us(e.At), e.Kind, e.Subject, string(e.Data)}
		tx.events++
	}
	_, err := tx.bulk(eventAppend, rows)
	return err
}

func scanEvent(r *sql.Rows, e *Event) error {
	var at int64
	var data []byte
	err := r.Scan(&e.Seq, &at, &e.Kind, &e.Subject, &data)
	e.At, e.Data = when(at), data
	return err
}

// EventsAfter reads events behind the cursor in the order of Seq. It never passes an event whose transaction may still commit: on
// PostgreSQL a long transaction, of anybody in the same cluster, holds newer events back until it ends.
func (tx *Tx) EventsAfter(cursor int64, limit int) ([]Event, error) {
	return query(tx, eventsAfter, scanEvent, cursor, page(limit))
}

// EventsOf reads the newest events about a subject, newest first.
func (tx *Tx) EventsOf(subject string, limit int) ([]Event, error) {
	return query(tx, eventsOf, scanEvent, subject, page(limit))
}

// EventLast is the Seq of the newest event, 0 if there is none: where a reader starts who wants no history.
func (tx *Tx) EventLast() (int64, error) {
	n, _, err := one(tx, eventLast, scanOne[int64])
	return n, err
}
