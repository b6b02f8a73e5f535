package ops

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// pastHolds are shown in the calendar.
const pastHolds = 30

// Calendar is the LIVE holds there are.
func (d *Desk) Calendar(ctx context.Context) (view.Calendar, error) {
	v := view.Calendar{At: d.x.now()}
	err := d.look(ctx, "ops.Calendar", "", func(tx *store.Tx) error {
		ch, err := readChannels(tx)
		if err != nil {
			return err
		}
		v.Channels = ch.options()
		rows, err := tx.HoldList(tx.Now(), maxHolds)
		if err != nil {
			return err
		}
		past, err := tx.HoldsPast(tx.Now(), pastHolds)
		for _, h := range append(rows, past...) {
			switch x := d.hold(h, ch, tx.Now()); x.State {
			case "active":
				v.Active = append(v.Active, x)
			case "upcoming":
				v.Upcoming = append(v.Upcoming, x)
			default:
				v.Past = append(v.Past, x)
			}
		}
		return err
	})
	return v, err
}

// hold is a hold as pages show it.
func (d *Desk) hold(h store.Hold, ch channels, now time.Time) view.Hold {
	cat := d.x.catalog.Load()
	conn := connectionOf(cat, h)
	v := view.Hold{ID: h.ID, Title: h.Title, ItemID: h.ItemID, SKU: cmp.Or(cat.items[h.ItemID].SKU, h.ItemID), ConnectionID: conn, Channel: ch.of(conn), Qty: h.Qty,
		Left: holdLeft(h), From: h.From, Until: h.Until, CreatedBy: h.CreatedBy}
	sold := min(h.Qty, max(0, h.Sold))
	switch {
	case now.Before(h.From):
		v.State, v.Text = "upcoming", "begins by itself"
	case now.Before(h.Until):
		v.State, v.Level = "active", view.Good
		v.Text = number(sold) + " sold, " + number(v.Left) + " kept"
		if _, sells := cat.favoured(h); !sells {
			v.Level, v.Text = view.Watch, "the channel does not list this item any more; its units are free for all"
		}
	default:
		v.State, v.Left = "past", 0
		v.Text = number(sold) + " sold, " + number(max(0, h.Qty-max(0, h.Sold))) + " given back"
	}
	return v
}

// holdOf makes the hold a draft asks for. Errors: NotFound, Invalid.
func (d *Desk) holdOf(op string, a view.HoldDraft) (store.Hold, *catalogue, error) {
	it, cat, err := d.itemOf(op, a.Item)
	if err != nil {
		return store.Hold{}, cat, err
	}
	h := store.Hold{ID: a.ID, ItemID: it.ID, ConnectionID: a.ConnectionID, Qty: a.Qty, From: a.From.UTC().Truncate(time.Microsecond),
		Until: a.Until.UTC().Truncate(time.Microsecond), Title: a.Title, CreatedBy: a.Actor}
	if it.Bundle() {
		return h, cat, errs.New(errs.Invalid, op, it.SKU, "%s is a bundle and has no units of its own; keep units of its parts.", it.SKU)
	}
	if _, sells := cat.favoured(h); !sells {
		return h, cat, errs.New(errs.Invalid, op, it.SKU, "The channel does not list %s, so units kept for it would be kept for nobody.", it.SKU)
	}
	if !h.Until.After(d.x.now()) {
		return h, cat, errs.New(errs.Invalid, op, "until", "The hold would be over already.")
	}
	return h, cat, nil
}

func whyHold(raised bool) string {
	if raised {
		return "raised once the givers have confirmed"
	}
	return "gives units first"
}

func whyEnd(raised bool) string {
	if raised {
		return "its share of what is free again"
	}
	return "no longer more than its share"
}

// PreviewHold works out what keeping units would change when the hold begins.
func (d *Desk) PreviewHold(ctx context.Context, a view.HoldDraft) (view.Preview, error) {
	const op = "ops.PreviewHold"
	h, cat, err := d.holdOf(op, a)
	if errs.Is(err, errs.Invalid) {
		return view.Preview{Refused: errs.Safe(err)}, nil
	}
	if err != nil {
		return view.Preview{}, err
	}
	v := view.Preview{Undo: "You can withdraw it until it begins, and end it early after."}
	err = d.read(ctx, op, h.ItemID, func(tx *store.Tx) error {
		ch, err := readChannels(tx)
		if err != nil {
			return err
		}
		s, err := d.suppose(tx, cat.problem[h.ItemID])
		if err != nil {
			return err
		}
		if err := d.x.unread(cat, s.books, h); err != nil {
			v.Refused = errs.Safe(err)
			return nil
		}
		now := s.at
		s = s.withoutHold(h.ID).later(h.From)
		then := s.withHold(h)
		if v.Refused = then.refused(); v.Refused != "" {
			return nil
		}
		when := ""
		if h.From.After(now) {
			when = " when it begins"
		} else {
			v.Warnings = append(v.Warnings, "It begins at once: its start is in the past.")
		}
		var moved int64
		v.Changes, moved = s.compare(then, ch, whyHold)
		v.Sentence = effect(v.Changes, moved, when)
		if len(v.Changes) == 0 {
			v.Sentence = "No channel is told anything new" + when + ": the channel shows enough already. Its units are kept from being given away."
		}
		if d.x.wires.paused(a.ConnectionID) {
			v.Warnings = append(v.Warnings, ch.of(a.ConnectionID)+" cannot be told anything now; its number stays until it works again.")
		}
		return nil
	})
	return v, err
}

// CreateHold keeps units. The same id and content again changes nothing.
func (d *Desk) CreateHold(ctx context.Context, a view.HoldDraft) (view.Done, error) {
	const op = "ops.CreateHold"
	done := view.Done{Sentence: unitsOf(a.Qty) + " of " + strings.TrimSpace(a.Item) + " are kept for “" + a.Title + "”.", Undo: "hold " + a.ID}
	known, err := d.findHold(ctx, a.ID)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return view.Done{}, err
	}
	if err == nil {
		it, _, err := d.itemOf(op, a.Item)
		same := err == nil && known.ItemID == it.ID && known.ConnectionID == a.ConnectionID && known.Qty == a.Qty && known.Title == a.Title &&
			known.From.Equal(a.From.Truncate(time.Microsecond)) && known.Until.Equal(a.Until.Truncate(time.Microsecond))
		if !same {
			return view.Done{}, errs.New(errs.Conflict, op, a.ID, "This form was used for another hold. Open a new one.")
		}
		return done, nil
	}
	h, _, err := d.holdOf(op, a)
	if err != nil {
		return view.Done{}, err
	}
	return done, d.did(d.x.PutHold(ctx, h))
}

func (d *Desk) findHold(ctx context.Context, id string) (h store.Hold, err error) {
	err = d.read(ctx, "ops.Hold", id, func(tx *store.Tx) error {
		h, err = tx.HoldGet(id)
		return err
	})
	return h, err
}

// did makes the next page look anew after something was done.
func (d *Desk) did(err error) error {
	d.surveyed.stale()
	d.counted.stale()
	return err
}

// PreviewHoldEnd works out what ending or withdrawing a hold would change.
func (d *Desk) PreviewHoldEnd(ctx context.Context, id string) (view.Preview, error) {
	var v view.Preview
	err := d.read(ctx, "ops.PreviewHoldEnd", id, func(tx *store.Tx) error {
		h, err := tx.HoldGet(id)
		if err != nil {
			return errs.New(errs.NotFound, "ops.PreviewHoldEnd", id, "This hold does not exist any more.")
		}
		ch, err := readChannels(tx)
		if err != nil {
			return err
		}
		switch now := tx.Now(); {
		case now.Before(h.From):
			v = view.Preview{Sentence: "“" + h.Title + "” will not begin. No channel is told anything new now.", Undo: "It can be put back as long as its time has not passed."}
			return nil
		case !now.Before(h.Until):
			v = view.Preview{Refused: "“" + h.Title + "” is over already."}
			return nil
		}
		s, err := d.suppose(tx, d.x.catalog.Load().problem[h.ItemID])
		if err != nil {
			return err
		}
		changes, moved := s.compare(s.withoutHold(id), ch, whyEnd)
		v = view.Preview{Changes: changes, Undo: "There is no undo; plan it anew if it was wrong."}
		v.Sentence = "“" + h.Title + "” ends and " + unitsOf(holdLeft(h)) + " are free for all channels again. " + effect(changes, moved, "")
		return nil
	})
	return v, err
}

// DeleteHold withdraws an upcoming hold or ends one in force.
func (d *Desk) DeleteHold(ctx context.Context, id, actor string) (view.Done, error) {
	h, err := d.findHold(ctx, id)
	if errs.Is(err, errs.NotFound) {
		return view.Done{}, errs.New(errs.NotFound, "ops.DeleteHold", id, "This hold does not exist any more.")
	}
	if err != nil {
		return view.Done{}, err
	}
	now := d.x.now()
	if !now.Before(h.Until) {
		return view.Done{}, errs.New(errs.Conflict, "ops.DeleteHold", id, "“%s” is over already.", h.Title)
	}
	done := view.Done{Sentence: "“" + h.Title + "” has ended; " + unitsOf(holdLeft(h)) + " are free for all channels again."}
	if now.Before(h.From) {
		done = view.Done{Sentence: "“" + h.Title + "” is withdrawn.", Undo: "restore " + id + " " + h.ItemID}
	}
	return done, d.did(d.x.DeleteHold(ctx, id, actor))
}

// restoreHold puts a withdrawn hold back as the event log remembers it.
func (d *Desk) restoreHold(ctx context.Context, id, item, actor string) (view.Done, error) {
	const op = "ops.restoreHold"
	var events []store.Event
	if err := d.read(ctx, op, id, func(tx *store.Tx) (err error) {
		events, err = tx.EventsOf(item, orderEvents)
		return err
	}); err != nil {
		return view.Done{}, err
	}
	for _, e := range events { // newest first
		var h store.Hold
		if e.Kind != "hold.put" || json.Unmarshal(e.Data, &h) != nil || h.ID != id {
			continue
		}
		if !d.x.now().Before(h.From) {
			return view.Done{}, errs.New(errs.Conflict, op, id, "Its beginning has passed; plan it anew.")
		}
		h.CreatedBy = cmp.Or(h.CreatedBy, actor)
		return view.Done{Sentence: "“" + h.Title + "” is planned again.", Undo: "hold " + id}, d.did(d.x.PutHold(ctx, h))
	}
	return view.Done{}, errs.New(errs.NotFound, op, id, "The withdrawn hold is not in the log any more; plan it anew.")
}

// holdsOfItem are the holds of an item that are not over.
func (d *Desk) holdsOfItem(tx *store.Tx, ch channels, item string) ([]view.Hold, error) {
	rows, err := tx.HoldList(tx.Now(), maxHolds)
	var out []view.Hold
	for _, h := range slices.DeleteFunc(rows, func(h store.Hold) bool { return h.ItemID != item }) {
		out = append(out, d.hold(h, ch, tx.Now()))
	}
	return out, err
}
