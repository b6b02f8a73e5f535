package ops

import (
	"cmp"
	"context"
	"encoding/json"
	"strconv"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

func rulesView(r catalog.ListingRules) view.Rules {
	return view.Rules{Mode: r.Mode, Min: r.Min, Max: r.Max, BufferPercent: r.BufferPercent, BufferUnits: r.BufferUnits, Fixed: r.Fixed, Priority: r.Priority}
}

func rulesOf(r view.Rules) catalog.ListingRules {
	return catalog.ListingRules{Mode: r.Mode, Min: r.Min, Max: r.Max, BufferPercent: r.BufferPercent, BufferUnits: r.BufferUnits, Fixed: r.Fixed, Priority: r.Priority}
}

// PreviewRules works out what other rules would change on the channels now.
func (d *Desk) PreviewRules(ctx context.Context, a view.RulesDraft) (view.Preview, error) {
	const op = "ops.PreviewRules"
	cat := d.x.catalog.Load()
	l, ok := cat.listings[a.ListingID]
	if !ok {
		return view.Preview{}, errs.New(errs.NotFound, op, a.ListingID, "There is no listing %s.", a.ListingID)
	}
	r := rulesOf(a.Rules)
	if err := r.Validate(); err != nil {
		return view.Preview{Refused: errs.Safe(err)}, nil
	}
	v := view.Preview{Undo: "The old rules can be set again with one click."}
	if l.ItemID == "" {
		v.Sentence = "Nothing changes now: the listing sells no item we know. The rules hold once it does."
		return v, nil
	}
	err := d.read(ctx, op, a.ListingID, func(tx *store.Tx) error {
		ch, err := readChannels(tx)
		if err != nil {
			return err
		}
		s, err := d.suppose(tx, cat.problem[l.ItemID])
		if err != nil {
			return err
		}
		then := s.withRules(a.ListingID, r)
		if v.Refused = then.refused(); v.Refused != "" {
			return nil
		}
		changes, moved := s.compare(then, ch, func(bool) string { return "by the new rules" })
		v.Changes, v.Sentence = changes, effect(changes, moved, "")
		if r.Mode == catalog.Shared && l.Rules.Mode != catalog.Shared {
			v.Warnings = append(v.Warnings, "Shared shows the whole stock on every channel that sells "+cmp.Or(cat.items[l.ItemID].SKU, l.ItemID)+": the same unit can be sold twice.")
		}
		if d.x.wires.paused(l.ConnectionID) {
			v.Warnings = append(v.Warnings, ch.of(l.ConnectionID)+" cannot be told anything now; its number stays until it works again.")
		}
		return nil
	})
	return v, err
}

// SetRules changes what an operator asks of a listing. Errors: NotFound, Invalid.
func (d *Desk) SetRules(ctx context.Context, a view.RulesDraft) (view.Done, error) {
	const op = "ops.SetRules"
	v, err := d.PreviewRules(ctx, a)
	if err != nil {
		return view.Done{}, err
	}
	if v.Refused != "" {
		return view.Done{}, errs.New(errs.Invalid, op, "", "%s", v.Refused)
	}
	if d.x.catalog.Load().listings[a.ListingID].Rules == rulesOf(a.Rules) {
		return view.Done{Sentence: "The rules are as they were."}, nil
	}
	if err := d.did(d.x.SetRules(ctx, a.ListingID, rulesOf(a.Rules), a.Actor)); err != nil {
		return view.Done{}, err
	}
	done := view.Done{Sentence: "The rules are set. " + v.Sentence}
	err = d.read(ctx, op, a.ListingID, func(tx *store.Tx) error {
		e, found, err := lastRules(tx, a.ListingID, 0)
		if found && e.To == rulesOf(a.Rules) {
			done.Undo = "rules " + strconv.FormatInt(e.seq, 10) + " " + a.ListingID
		}
		return err
	})
	return done, err
}

// rulesEvent is a change of rules as the event log keeps it.
type rulesEvent struct {
	From catalog.ListingRules `json:"from"`
	To   catalog.ListingRules `json:"to"`
	seq  int64
}

// lastRules finds a change of a listing's rules: the one with the seq, 0: the newest.
func lastRules(tx *store.Tx, listing string, seq int64) (rulesEvent, bool, error) {
	events, err := tx.EventsOf(listing, orderEvents)
	for _, e := range events {
		var r rulesEvent
		if e.Kind == "listing.rules" && (seq == 0 || e.Seq == seq) && json.Unmarshal(e.Data, &r) == nil {
			r.seq = e.Seq
			return r, true, nil
		}
	}
	return rulesEvent{}, false, err
}

// restoreRules sets the rules again that held before a change, unless somebody has changed them since.
func (d *Desk) restoreRules(ctx context.Context, seq, listing, actor string) (view.Done, error) {
	const op = "ops.restoreRules"
	n, err := strconv.ParseInt(seq, 10, 64)
	if err != nil {
		return view.Done{}, errs.New(errs.Invalid, op, "", "This cannot be undone.")
	}
	var was rulesEvent
	found := false
	if err := d.read(ctx, op, listing, func(tx *store.Tx) (err error) {
		was, found, err = lastRules(tx, listing, n)
		return err
	}); err != nil {
		return view.Done{}, err
	}
	if !found {
		return view.Done{}, errs.New(errs.NotFound, op, listing, "The change is not in the log any more.")
	}
	if d.x.catalog.Load().listings[listing].Rules != was.To {
		return view.Done{}, errs.New(errs.Conflict, op, listing, "The rules have been changed again since; set them by hand.")
	}
	done, err := d.SetRules(ctx, view.RulesDraft{ListingID: listing, Rules: rulesView(was.From), Actor: actor})
	if err == nil {
		done.Sentence = "The old rules hold again."
	}
	return done, err
}
