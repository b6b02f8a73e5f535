package sqlcore

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// On PostgreSQL the event log is parted by month of its time: a month past its keeping is dropped whole, in a moment and without leaving
// holes. The journal is kept whole: see docs/decisions/0005-journal-kept-whole.md.
const (
	// partsAhead months have their part made beforehand. Whoever maintains nothing for longer loses nothing: later events go into
	// event_other until a part is made for them.
	partsAhead = 2
	// maintainWait bounds the wait for the lock on the event log, behind which every writer waits in turn.
	maintainWait = "2s"
	// maintainLock keeps two processes from making the same part.
	maintainLock = 0x5350_4c57_5041_5254
	// retireRows events are deleted in one transaction where there are no parts.
	retireRows = 5_000
)

// eventsRetire looks at the oldest events only: when none of them is past its keeping, none is.
var eventsRetire = def("store.EventsRetire", `DELETE FROM event WHERE seq IN (SELECT seq FROM (SELECT seq, at FROM event ORDER BY seq LIMIT $2) AS oldest WHERE at < $1) AND seq <= $3`)

// Maintained is what Maintain did.
type Maintained struct {
	Made    []string // parts made ahead
	Dropped []string // parts dropped
	Deleted int64    // events deleted one by one, on SQLite
}

// part is one part of the event log. To is its end, exclusive.
type part struct {
	name  string
	to    time.Time
	other bool // it takes what no other does
}

// Maintain makes the parts of the event log for the months to come and gives up events older than keep, up to the position read that every
// follower of the log has passed. keep 0: all are kept. It may run at any time, on any number of processes. Where the log is not to be had
// for two seconds it fails with kind Busy: run it again later.
func (s *Store) Maintain(ctx context.Context, keep time.Duration, read int64) (Maintained, error) {
	var m Maintained
	before := s.now().Add(-keep)
	if s.engine.Dialect == SQLite {
		for keep > 0 {
			n := int64(0)
			if err := s.Update(ctx, func(tx *Tx) (err error) {
				n, err = tx.exec(eventsRetire, us(before), int64(retireRows), read)
				return err
			}); err != nil {
				return m, err
			}
			if m.Deleted += n; n < retireRows {
				break
			}
		}
		return m, nil
	}
	if err := s.makeParts(ctx, &m); err != nil || keep <= 0 {
		return m, err
	}
	return m, s.dropParts(ctx, &m, before, read)
}

// makeParts makes the parts that are missing, each in a transaction of its own.
func (s *Store) makeParts(ctx context.Context, m *Maintained) error {
	for {
		made := ""
		err := s.Update(ctx, func(tx *Tx) error {
			made = ""
			from, err := tx.partsEnd()
			if err != nil {
				return err
			}
			now := tx.Now()
			if last := time.Date(now.Year(), now.Month()+1+partsAhead, 1, 0, 0, 0, 0, time.UTC); !from.Before(last) {
				return nil
			}
			made = from.Format("event_2006_01")
			return tx.makePart(made, from, time.Date(from.Year(), from.Month()+1, 1, 0, 0, 0, 0, time.UTC))
		})
		if err != nil || made == "" {
			return err
		}
		m.Made = append(m.Made, made)
	}
}

// partsEnd locks the parts against other maintainers and says where the last one ends.
func (tx *Tx) partsEnd() (end time.Time, err error) {
	parts, err := tx.parts()
	for _, p := range parts {
		if !p.other && p.to.After(end) {
			end = p.to
		}
	}
	if err == nil && end.IsZero() {
		err = errs.New(errs.Internal, "store.Maintain", "event", "the event log has no parts")
	}
	return end, err
}

// parts lists the parts of the event log and keeps other maintainers out until the transaction ends.
func (tx *Tx) parts() ([]part, error) {
	if err := tx.plain("SELECT set_config('lock_timeout', $1, true), pg_advisory_xact_lock($2)", maintainWait, int64(maintainLock)); err != nil {
		return nil, err
	}
	list := &stmt{op: "store.Maintain"}
	list.text[Postgres] = `SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'event'::regclass ORDER BY c.relname`
	return query(tx, list, func(r *sql.Rows, p *part) error {
		var bound string
		if err := r.Scan(&p.name, &bound); err != nil {
			return err
		}
		_, to, ok := strings.Cut(bound, " TO ('")
		if p.other = !ok; p.other {
			return nil
		}
		n, err := strconv.ParseInt(strings.TrimSuffix(to, "')"), 10, 64)
		p.to = when(n)
		return err
	})
}

// makePart makes a part and takes into it what came for it before it was there.
func (tx *Tx) makePart(name string, from, to time.Time) error {
	for _, text := range []string{
		fmt.Sprintf("CREATE TABLE %s (LIKE event INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)", name),
		"LOCK TABLE event_other IN ACCESS EXCLUSIVE MODE",
		fmt.Sprintf("WITH moved AS (DELETE FROM event_other WHERE at >= %d AND at < %d RETURNING *) INSERT INTO %s SELECT * FROM moved", us(from), us(to), name),
		fmt.Sprintf("ALTER TABLE event ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%d)", name, us(from), us(to)),
	} {
		if err := tx.plain(text); err != nil {
			return err
		}
	}
	return nil
}

// dropParts drops the parts that end before a time and hold nothing that is still to be read.
func (s *Store) dropParts(ctx context.Context, m *Maintained, before time.Time, read int64) error {
	for {
		dropped := ""
		err := s.Update(ctx, func(tx *Tx) error {
			dropped = ""
			parts, err := tx.parts()
			if err != nil {
				return err
			}
			for _, p := range parts {
				if p.other || p.to.After(before) {
					continue
				}
				last := &stmt{op: "store.Maintain"}
				last.text[Postgres] = "SELECT coalesce(max(seq), 0) FROM " + p.name
				newest, _, err := one(tx, last, scanOne[int64])
				if err != nil {
					return err
				}
				if newest > read {
					continue
				}
				dropped = p.name
				return tx.plain("DROP TABLE " + p.name)
			}
			return nil
		})
		if err != nil || dropped == "" {
			return err
		}
		m.Dropped = append(m.Dropped, dropped)
	}
}

// plain runs a statement that no list of statements holds.
func (tx *Tx) plain(text string, args ...any) error {
	if _, err := tx.run.Exec(tx.ctx, text, args...); err != nil {
		return tx.fail("store.Maintain", err)
	}
	return nil
}
