package sqlcore

import (
	"context"
	"errors"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// UndoMove makes the home from usable again, whether a move of it was cut off or has ended. to, if not nil, is the home it was moved to: what
// is a part only is emptied, and one that has been at work refuses every write from then on, since an order must not be taken in by both.
// What was taken in there is not in the old home. Errors: Conflict (from was not moved, or not to that home).
func UndoMove(ctx context.Context, from, to *Store) error {
	var mark moveMark
	moved := false
	if err := from.View(ctx, func(tx *Tx) (err error) {
		if _, moved, err = tx.SettingGet(MovedSetting); err != nil {
			return err
		}
		begun := false
		mark, begun, err = tx.moveMark(movingSetting)
		if err == nil && !begun && !moved {
			err = errs.New(errs.Conflict, "store.UndoMove", "", "this home was not moved")
		}
		return err
	}); err != nil {
		return err
	}
	if to != nil {
		if err := to.giveUp(ctx, mark.ID, moved); err != nil {
			return err
		}
	}
	return from.Update(ctx, func(tx *Tx) error {
		return from.withInbox(ctx, tx, func(inbox *Tx) error { return errors.Join(inbox.reopen(InboxTable), tx.reopen(movedTables...)) })
	})
}

// giveUp empties a home that the move id has filled in part, and shuts one that it has filled as a whole.
func (s *Store) giveUp(ctx context.Context, id string, whole bool) error {
	return s.Update(ctx, func(tx *Tx) error {
		m, filling, err := tx.moveMark(fillingSetting)
		if err != nil {
			return err
		}
		if filling && m.ID == id {
			return errors.Join(tx.plain("TRUNCATE "+everyTable), tx.foreignKeysLate(false))
		}
		if !whole { // nothing of ours is in it
			return nil
		}
		m, arrived, err := tx.moveMark(arrivedSetting)
		if err != nil {
			return err
		}
		if !arrived || m.ID != id {
			return errs.New(errs.Conflict, "store.UndoMove", "", "the data of this home were moved to another database than that one")
		}
		if _, shut, err := tx.SettingGet(MovedSetting); err != nil || shut {
			return err
		}
		if err := tx.SettingSet(MovedSetting, s.now().UTC().Format(time.RFC3339)); err != nil {
			return err
		}
		return s.withInbox(ctx, tx, func(inbox *Tx) error { return errors.Join(inbox.shut([]string{InboxTable}), tx.shut(Tables)) })
	})
}

// reopen takes away all that a move has put into a home.
func (tx *Tx) reopen(tables ...string) error {
	for _, t := range tables {
		drops := []string{"DROP TRIGGER IF EXISTS " + t + "_moved ON " + t}
		if tx.dialect() == SQLite {
			drops = nil
			for _, verb := range []string{"INSERT", "UPDATE", "DELETE"} {
				drops = append(drops, "DROP TRIGGER IF EXISTS "+t+"_moved_"+verb)
			}
		}
		for _, text := range drops {
			if err := tx.plain(text); err != nil {
				return err
			}
		}
	}
	if tx.dialect() == SQLite {
		if err := tx.noteNoMore(tables...); err != nil {
			return err
		}
	}
	if len(tables) == 1 { // the file of the inbox has no settings
		return nil
	}
	return tx.plain("DELETE FROM setting WHERE name IN ('" + MovedSetting + "', '" + movingSetting + "')")
}

// Left is closed when it was seen that the data live in another home now. Nothing can be written to this one any more.
func (s *Store) Left() <-chan struct{} { return s.moved }

func (s *Store) noteMoved() { s.leaving.Do(func() { close(s.moved) }) }

// LookLeft looks whether that is so, for a process that has nothing to write and would not notice.
func (tx *Tx) LookLeft() error {
	_, moved, err := tx.SettingGet(MovedSetting)
	if err == nil && moved {
		tx.store.noteMoved()
	}
	return err
}

// Usable refuses a home whose data live in another one now, and one that is filled in part only. Errors: Conflict.
func (s *Store) Usable(ctx context.Context) error {
	return s.View(ctx, func(tx *Tx) error {
		at, moved, err := tx.SettingGet(MovedSetting)
		if err == nil && moved {
			return errs.New(errs.Conflict, "store.Open", "", "the data of this home were moved to another one at %s; give that one's URL (or take the move back with 'spillway migrate-data --undo')", at)
		}
		if err != nil {
			return err
		}
		m, filling, err := tx.moveMark(fillingSetting)
		if err == nil && filling {
			return errs.New(errs.Conflict, "store.Open", "", "'spillway migrate-data --online' fills this database since %s; it opens when that has ended (cut off, run it again or --undo it)",
				m.Since.Format(time.RFC3339))
		}
		return err
	})
}
