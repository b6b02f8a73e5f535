package ops

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// stockMove is a filled-in stock form as the ledger takes it. Errors: NotFound, Invalid.
func (d *Desk) stockMove(a view.StockDraft) (stock.Movement, *catalogue, error) {
	const op = "ops.AdjustStock"
	it, cat, err := d.itemOf(op, a.ItemID)
	if err != nil {
		return stock.Movement{}, cat, err
	}
	if it.Bundle() {
		return stock.Movement{}, cat, errs.New(errs.Invalid, op, it.SKU, "%s is a bundle and has no stock of its own; book its parts.", it.SKU)
	}
	if _, ok := cat.location(a.LocationID); !ok {
		return stock.Movement{}, cat, errs.New(errs.NotFound, op, a.LocationID, "There is no location %s.", a.LocationID)
	}
	m := stock.Movement{ID: a.ID, ItemID: it.ID, LocationID: a.LocationID, Ref: a.Ref, Reason: a.Reason, Actor: a.Actor}
	switch a.Kind {
	case "receive":
		m.Kind, m.OnHand = stock.Receive, a.Qty
	case "count":
		m.Kind = stock.Count
	case "damage":
		m.Kind, m.Damaged = stock.Damage, a.Qty
	default:
		return m, cat, errs.New(errs.Invalid, op, a.Kind, "is not something that can happen to stock here")
	}
	if a.Qty < 0 || (a.Qty == 0 && a.Kind != "count") {
		return m, cat, errs.New(errs.Invalid, op, "qty", "The quantity must be at least 1.")
	}
	return m, cat, nil
}

// PreviewStock works out what a receipt, a count or damage would change, in the ledger and on the channels.
func (d *Desk) PreviewStock(ctx context.Context, a view.StockDraft) (view.Preview, error) {
	m, cat, err := d.stockMove(a)
	if errs.Is(err, errs.Invalid) {
		return view.Preview{Refused: errs.Safe(err)}, nil
	}
	if err != nil {
		return view.Preview{}, err
	}
	v := view.Preview{Undo: "It can be taken back by a counter-movement as long as the units are there."}
	err = d.read(ctx, "ops.PreviewStock", m.ItemID, func(tx *store.Tx) error {
		ch, err := readChannels(tx)
		if err != nil {
			return err
		}
		s, err := d.suppose(tx, cat.problem[m.ItemID])
		if err != nil {
			return err
		}
		then, book, err := s.withMove(tx, m, a)
		if k := errs.KindOf(err); err != nil && (k == errs.Insufficient || k == errs.Invalid || k == errs.Conflict) {
			v.Refused = safeOf(err)
			return nil
		}
		if err != nil {
			return err
		}
		v.Changes = append(v.Changes, stockChanges(s, then, m)...)
		changes, moved := s.compare(then, ch, func(raised bool) string {
			if raised {
				return "its share of what is there then"
			}
			return "less is there"
		})
		v.Changes = append(v.Changes, changes...)
		v.Sentence = stockSentence(s, then, m) + " " + effect(changes, moved, "")
		for _, x := range book.Displaced() {
			v.Warnings = append(v.Warnings, unitsOf(x.Qty)+" held for order "+x.OrderID+" are gone; the order is short then.")
		}
		return nil
	})
	return v, err
}

func safeOf(err error) string {
	if e, ok := errors.AsType[*errs.Error](err); ok && e.Safe != "" {
		return capital(strings.TrimSuffix(e.Safe, ".")) + "."
	}
	return errs.Safe(err)
}

// withMove books a movement in thought, with the ledger's own rules: those who lack units get them, those who must give give.
func (s supposition) withMove(tx *store.Tx, m stock.Movement, a view.StockDraft) (supposition, *stock.Book, error) {
	holders, err := tx.ReservationsHolding(m.ItemID)
	if err != nil {
		return s, nil, err
	}
	book := stock.NewBook(s.at, a.Actor, s.cat.locations, s.held[m.ItemID], holders)
	if m.Kind == stock.Count {
		damaged, err := Count{Movement: m, OnHand: a.Qty, Damaged: a.Damaged}.damaged(s.held[m.ItemID])
		if err != nil {
			return s, book, err
		}
		err = book.SetTo(m, a.Qty, damaged)
		if err != nil {
			return s, book, err
		}
	} else if err := book.Move(m); err != nil {
		return s, book, err
	}
	book.FillShorts(m.ItemID)
	then := s
	then.held, then.short = map[string][]stock.Balance{}, map[string]int64{}
	for item, rows := range s.held {
		then.held[item] = rows
		then.short[item] = s.short[item]
	}
	then.held[m.ItemID] = overlay(s.held[m.ItemID], book.DirtyBalances())
	type key struct{ order, line, location string }
	rows := map[key]stock.Reservation{}
	for _, r := range append(holders, book.DirtyReservations()...) {
		rows[key{r.OrderID, r.LineID, r.LocationID}] = r
	}
	var after []stock.Reservation
	for _, r := range rows {
		after = append(after, r)
	}
	then.short[m.ItemID] = shortOf(after)[m.ItemID]
	return then, book, nil
}

// overlay is balances with those that changed replaced or added.
func overlay(was, changed []stock.Balance) []stock.Balance {
	out := append([]stock.Balance(nil), was...)
next:
	for _, c := range changed {
		for i := range out {
			if out[i].LocationID == c.LocationID {
				out[i] = c
				continue next
			}
		}
		out = append(out, c)
	}
	return out
}

// sumOf is an item's balances over all locations, with what is available to promise.
func sumOf(rows []stock.Balance) (sum stock.Balance, atp int64) {
	for _, b := range rows {
		sum.OnHand, sum.Reserved, sum.Damaged, sum.Version = sum.OnHand+b.OnHand, sum.Reserved+b.Reserved, sum.Damaged+b.Damaged, sum.Version+b.Version
		atp += b.ATP()
	}
	return sum, atp
}

func stockChanges(s, then supposition, m stock.Movement) []view.Change {
	at := func(rows []stock.Balance) stock.Balance {
		for _, b := range rows {
			if b.LocationID == m.LocationID {
				return b
			}
		}
		return stock.Balance{}
	}
	sku, place := cmp.Or(s.cat.items[m.ItemID].SKU, m.ItemID), s.cat.locationName(m.LocationID)
	was, will := at(s.held[m.ItemID]), at(then.held[m.ItemID])
	_, before := sumOf(s.held[m.ItemID])
	_, after := sumOf(then.held[m.ItemID])
	var out []view.Change
	for _, c := range []struct {
		what, why string
		from, to  int64
	}{
		{"On hand at " + place, "", was.OnHand, will.OnHand}, {"Damaged at " + place, "cannot be sold", was.Damaged, will.Damaged},
		{"Reserved at " + place, "for orders", was.Reserved, will.Reserved}, {"Available of " + sku, "on hand − reserved − damaged", before, after},
		{"Promised and not there", "those who wait come first", s.short[m.ItemID], then.short[m.ItemID]},
	} {
		if c.from != c.to {
			out = append(out, view.Change{What: c.what, From: number(c.from), To: number(c.to), Why: c.why})
		}
	}
	return out
}

func stockSentence(s, then supposition, m stock.Movement) string {
	was, _ := sumOf(s.held[m.ItemID])
	will, _ := sumOf(then.held[m.ItemID])
	place := s.cat.locationName(m.LocationID)
	switch diff, spoilt := will.OnHand-was.OnHand, will.Damaged-was.Damaged; {
	case m.Kind == stock.Damage:
		return capital(unitsOf(m.Damaged)) + " at " + place + " cannot be sold any more."
	case diff == 0 && spoilt > 0:
		return "As many as the journal says, but " + unitsOf(spoilt) + " more at " + place + " cannot be sold."
	case diff == 0 && spoilt < 0:
		return "As many as the journal says, and " + unitsOf(-spoilt) + " more at " + place + " can be sold."
	case diff == 0:
		return "That is what the journal says already; the count is recorded all the same."
	case diff > 0:
		return capital(unitsOf(diff)) + " more at " + place + "."
	default:
		return capital(unitsOf(-diff)) + " fewer at " + place + "."
	}
}

// AdjustStock books a receipt, a count or damage. The same id and content again changes nothing.
func (d *Desk) AdjustStock(ctx context.Context, a view.StockDraft) (view.Done, error) {
	m, cat, err := d.stockMove(a)
	if err != nil {
		return view.Done{}, err
	}
	sku, place := cmp.Or(cat.items[m.ItemID].SKU, m.ItemID), cat.locationName(m.LocationID)
	done := view.Done{Undo: "reverse " + m.ID}
	if m.Kind != stock.Count {
		word := map[stock.Kind]string{stock.Receive: " received at ", stock.Damage: " set aside as damaged at "}[m.Kind]
		done.Sentence = unitsOf(a.Qty) + " of " + sku + word + place + "."
		return done, d.did(d.x.Move(ctx, a.Actor, []stock.Movement{m}, nil))
	}
	done.Sentence = unitsOf(a.Qty) + " of " + sku + " counted at " + place + "."
	return done, d.did(d.x.Move(ctx, a.Actor, nil, []Count{{Movement: m, OnHand: a.Qty, Damaged: a.Damaged}}))
}

// RetryParked puts parked messages back into the inbox; no ids means all of them.
func (d *Desk) RetryParked(ctx context.Context, ids []string, actor string) (view.Done, error) {
	n, err := d.x.RetryParked(ctx, ids)
	if err != nil {
		return view.Done{}, err
	}
	d.x.log.Info("parked messages are tried again", "messages", n, "actor", actor)
	d.x.live.notify(view.TopicProblems)
	return view.Done{Sentence: capital(plural(n, "message is", "messages are")) + " tried again. Those that fail again come back here."}, d.did(nil)
}

// Undo takes back what a Done offered to undo: a movement by its counter-movement, a hold by withdrawing it, a withdrawn hold by
// planning it again, rules by setting the old ones. Errors: Conflict when it is too late.
func (d *Desk) Undo(ctx context.Context, undo, actor string) (view.Done, error) {
	what, rest, _ := strings.Cut(undo, " ")
	switch what {
	case "reverse":
		err := d.did(d.x.Reverse(ctx, rest, "undo/"+rest, actor, "undone"))
		return view.Done{Sentence: "Taken back by a counter-movement; both stay in the journal."}, err
	case "hold":
		return d.DeleteHold(ctx, rest, actor)
	case "restore":
		id, item, _ := strings.Cut(rest, " ")
		return d.restoreHold(ctx, id, item, actor)
	case "rules":
		seq, listing, _ := strings.Cut(rest, " ")
		return d.restoreRules(ctx, seq, listing, actor)
	case "account":
		return d.forgetAccount(ctx, rest)
	case "reconciliation":
		return d.EndReconcile(ctx, rest, actor)
	case "deduction":
		return d.RemoveDeduction(ctx, rest, actor)
	case "deduction-again":
		return d.restoreDeduction(ctx, rest, actor)
	case "capacity":
		return d.UndoCapacity(ctx, rest, actor)
	case "override":
		return d.EndOverride(ctx, rest, actor)
	case "override-again":
		return d.restoreOverride(ctx, rest, actor)
	}
	if v, ours, err := d.undoAlert(ctx, what, rest, actor); ours {
		return v, err
	}
	return view.Done{}, errs.New(errs.Invalid, "ops.Undo", "", "This cannot be undone.")
}
