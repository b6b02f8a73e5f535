package sqlcore

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

const (
	// catchUpPasses bound the passes before the pause: each is shorter than the one before unless more is written than can be copied.
	catchUpPasses = 20
	// catchUpEnough is how short a pass must be before writers are made to wait for one.
	catchUpEnough = time.Second
	// clearTime bounds tidying up after a move that failed.
	clearTime = time.Minute
)

// MoveOnline moves everything from a SQLite home into an empty PostgreSQL database while the processes of the old one work. The database
// itself notes the keys of what changes; the bulk is copied from one snapshot, compared and proved as [Store.MoveTo] does it; passes bring
// what was noted meanwhile; the last one, for which writers wait, is the pause. Then the new home is whole and the old one refuses every write,
// so that nothing is acknowledged that is not in the new one, and nobody starts on it again.
//
// When it fails the old home goes on as if nothing had been, and the new one is empty again. Killed, it can be run again with the same
// homes and goes on where it was; until then the new home opens for nobody. Errors: Invalid (other kinds of database), Conflict (to is not
// empty, or in use), Internal (what came out is not what went in), Busy, Unavailable.
func (s *Store) MoveOnline(ctx context.Context, to *Store, shown Progress) (Moved, error) {
	v := &mover{from: s, to: to, shown: shown}
	err := v.run(ctx)
	return v.moved, errs.Wrap("store.MoveOnline", "", err)
}

// everyTable lists the tables of a database that has the inbox in it.
var everyTable = strings.Join(append([]string{InboxTable}, movedTables...), ", ")

type mover struct {
	from, to *Store
	shown    Progress
	mark     moveMark // as in the new home
	changes  int64    // brought by the last pass
	paused   time.Time
	moved    Moved
}

func (v *mover) run(ctx context.Context) error {
	if v.from.engine.Dialect != SQLite || v.to.engine.Dialect != Postgres {
		return errs.New(errs.Invalid, "store.MoveOnline", "", "while it runs a home moves from SQLite to PostgreSQL only; otherwise stop its processes first")
	}
	left, err := v.alreadyLeft(ctx)
	if err != nil {
		return err
	}
	if !left {
		if err := v.copy(ctx); err != nil {
			tidy, cancel := context.WithTimeout(context.WithoutCancel(ctx), clearTime)
			defer cancel()
			return errors.Join(err, UndoMove(tidy, v.from, v.to))
		}
	}
	if err := v.release(ctx); err != nil {
		return err
	}
	if !left {
		v.moved.Pause = v.from.now().Sub(v.paused)
	}
	return v.prove(ctx)
}

// alreadyLeft finds out whether an earlier run was cut off after the old home had been left: then only the new one is to be opened.
func (v *mover) alreadyLeft(ctx context.Context) (left bool, err error) {
	err = v.from.View(ctx, func(tx *Tx) error {
		if _, left, err = tx.SettingGet(MovedSetting); err != nil || !left {
			return err
		}
		v.mark, _, err = tx.moveMark(movingSetting)
		return err
	})
	if err != nil || !left {
		return left, err
	}
	return true, v.to.View(ctx, func(tx *Tx) error {
		m, filling, err := tx.moveMark(fillingSetting)
		if err == nil && (!filling || m.ID != v.mark.ID || !m.Filled) {
			err = errs.New(errs.Conflict, "store.MoveOnline", "", "the data of the old home were moved already, and not to this one")
		}
		return err
	})
}

// copy fills the new home up to the last change, and leaves the old one.
func (v *mover) copy(ctx context.Context) error {
	m, err := v.from.noteChanges(ctx)
	if err != nil {
		return err
	}
	if err := v.beginFilling(ctx, m); err != nil {
		return err
	}
	if !v.mark.Filled {
		if err := v.fill(ctx); err != nil {
			return err
		}
	}
	for pass := 1; ; pass++ {
		v.shown("catching up", "pass "+strconv.Itoa(pass), v.moved.Caught)
		began := v.from.now()
		if err := v.catchUp(ctx); err != nil {
			return err
		}
		if v.from.now().Sub(began) <= catchUpEnough {
			return v.leave(ctx)
		}
		if pass == catchUpPasses {
			return errs.New(errs.Busy, "store.MoveOnline", "", "more is written than can be copied, %d changes in the last pass; try again in a quieter hour", v.changes)
		}
	}
}

// beginFilling claims the new home, or finds how far an earlier run has come with it.
func (v *mover) beginFilling(ctx context.Context, m moveMark) error {
	return v.to.Update(ctx, func(tx *Tx) error {
		found := false
		var err error
		if v.mark, found, err = tx.moveMark(fillingSetting); err != nil {
			return err
		}
		if found && v.mark.ID != m.ID {
			return errs.New(errs.Conflict, "store.MoveOnline", "", "the new database holds a part of another move; drop it and make it anew")
		}
		if found && v.mark.Filled {
			return nil
		}
		if err := errors.Join(tx.mustBeEmpty(InboxTable), tx.mustBeEmpty(Tables...), tx.mustBeUnused()); err != nil {
			return err
		}
		v.mark = m
		return errors.Join(tx.moveMarkSet(fillingSetting, m), tx.foreignKeysLate(true))
	})
}

// mustBeUnused refuses a database that a process works on.
func (tx *Tx) mustBeUnused() error {
	now, err := tx.Clock()
	if err != nil {
		return err
	}
	all, err := tx.ProcessList()
	for _, p := range all {
		if now.Sub(p.Seen) < time.Minute {
			return errs.New(errs.Conflict, "store.MoveOnline", p.Host, "a Spillway runs on the new database; stop it until the move has ended")
		}
	}
	return err
}

// fill copies all of one moment.
func (v *mover) fill(ctx context.Context) error {
	mark := v.mark
	err := v.from.View(ctx, func(src *Tx) (err error) {
		if mark.Notes, err = src.noted(); err != nil {
			return err
		}
		return v.from.ViewInbox(ctx, func(x *InboxTx) error {
			if mark.InboxNotes, err = x.tx.noted(); err != nil {
				return err
			}
			return v.to.Update(ctx, func(dst *Tx) error {
				v.moved.Rows = map[string]int64{}
				if err := moveAll(src, x.tx, dst, dst, v.shown, &v.moved); err != nil {
					return err
				}
				mark.Filled = true
				return dst.moveMarkSet(fillingSetting, mark)
			})
		})
	})
	if err != nil {
		return err
	}
	v.mark = mark
	v.shown("analysing", "tables", 0)
	return v.to.Update(ctx, func(tx *Tx) error { return tx.plain("ANALYZE " + everyTable) }) // plans made of empty tables would be slow
}

// catchUp brings what has changed since the last pass.
func (v *mover) catchUp(ctx context.Context) error {
	return v.from.View(ctx, func(src *Tx) error {
		return v.from.ViewInbox(ctx, func(x *InboxTx) error {
			return v.bring(ctx, src, x.tx, func(*Tx) error { return nil })
		})
	})
}

// bring is one pass: all or nothing in the new home. also runs before it commits.
func (v *mover) bring(ctx context.Context, src, srcInbox *Tx, also func(dst *Tx) error) error {
	var mark moveMark
	var changes int64
	if err := v.to.Update(ctx, func(dst *Tx) error {
		// The other side may take its time between two chunks.
		if err := dst.plain("SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
			return err
		}
		mark = v.mark
		ofInbox, err := newDelta(srcInbox, dst, mark.InboxNotes, InboxTable)
		if err != nil {
			return err
		}
		all, err := newDelta(src, dst, mark.Notes, movedTables...)
		if err != nil {
			return err
		}
		if err := errors.Join(ofInbox.bring(), all.bring()); err != nil {
			return err
		}
		changes = all.upto - mark.Notes + ofInbox.upto - mark.InboxNotes
		mark.Notes, mark.InboxNotes = all.upto, ofInbox.upto
		return errors.Join(dst.moveMarkSet(fillingSetting, mark), also(dst))
	}); err != nil {
		return err
	}
	v.mark = mark
	v.moved.Passes++
	v.changes = changes
	v.moved.Caught += changes
	return nil
}

// leave is the pause: nobody writes to the old home while the last changes are brought and rows are counted, and nobody ever does after.
func (v *mover) leave(ctx context.Context) error {
	v.shown("handing over", "the last changes", v.changes)
	return v.from.Update(ctx, func(src *Tx) error {
		v.paused = v.from.now()
		return v.from.withInbox(ctx, src, func(srcInbox *Tx) error {
			if err := v.bring(ctx, src, srcInbox, func(dst *Tx) error {
				if err := v.count(src, srcInbox, dst); err != nil {
					return err
				}
				return dst.moveNumbersOn()
			}); err != nil {
				return err
			}
			return errors.Join(srcInbox.noteNoMore(InboxTable), srcInbox.shut([]string{InboxTable}),
				src.noteNoMore(movedTables...), src.SettingSet(MovedSetting, v.from.now().UTC().Format(time.RFC3339)), src.shut(Tables))
		})
	})
}

// count compares how many rows both homes have of each table.
func (v *mover) count(src, srcInbox, dst *Tx) error {
	here, there := map[string]int64{}, map[string]int64{}
	counted := make(chan error, 1)
	go func() { counted <- dst.counts(there, append([]string{InboxTable}, movedTables...)...) }()
	err := errors.Join(srcInbox.counts(here, InboxTable), src.counts(here, movedTables...), <-counted)
	if err != nil {
		return err
	}
	for t, n := range here {
		if there[t] != n {
			return errs.New(errs.Internal, "store.MoveOnline", t, "the old home has %d rows and the new one %d", n, there[t])
		}
	}
	v.moved.Rows = here
	return nil
}

// release opens the new home to processes.
func (v *mover) release(ctx context.Context) error {
	return v.to.Update(ctx, func(tx *Tx) error {
		return errors.Join(tx.foreignKeysLate(false), tx.moveMarkSet(arrivedSetting, moveMark{ID: v.mark.ID, Since: tx.Now()}),
			tx.plain("DELETE FROM setting WHERE name = '"+fillingSetting+"'"))
	})
}

// prove proves the whole ledger once more, when processes may work on it already.
func (v *mover) prove(ctx context.Context) error {
	v.shown("proving", "movement", v.moved.Rows["movement"])
	return v.to.View(ctx, func(tx *Tx) error {
		found, err := tx.LedgerCheck()
		if err == nil && len(found) > 0 {
			err = errs.New(errs.Internal, "store.MoveOnline", found[0].ItemID, "the data were moved and the ledger of the new home does not prove, first at %s: %s; undo the move",
				found[0].LocationID, found[0].What)
		}
		return err
	})
}
