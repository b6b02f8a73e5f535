package ops

import (
	"context"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// maxDeductions bounds those that are read: one each day of the two look-backs that matter.
const maxDeductions = 500

// taken are the points the channel took, as the model of the account reads them.
func (s *shopHealth) taken() []health.Deduction { return takenBy(s.deductions) }

func takenBy(rows []store.AccountDeduction) (out []health.Deduction) {
	for _, x := range rows {
		out = append(out, health.Deduction{Day: x.Day, Points: int(x.Points), Reason: x.Reason})
	}
	return out
}

// deductionViews are the same for people, each with how it enters what is modelled.
func (s *shopHealth) deductionViews(now health.Account) (out []view.AccountDeduction) {
	for _, x := range s.deductions {
		lapses := x.Day + policy.Day(now.Rule.LookBack)
		v := view.AccountDeduction{ID: x.ID, Day: dayOf(x.Day), Points: x.Points, Reason: x.Reason, Note: x.Note, By: x.Actor, Lapses: dayOf(lapses)}
		v.Text = s.deductionText(x.Day, lapses, now)
		out = append(out, v)
	}
	return out
}

func (s *shopHealth) deductionText(day, lapses policy.Day, now health.Account) string {
	seen := now.Entered.Day
	value := "the " + number(now.Entered.Value) + " seen on " + dayWords(seen, s.at)
	switch {
	case seen == 0:
		return "counts once a value of the account is taken down"
	case day > s.Day:
		return "is of a day to come"
	case day <= seen && lapses <= seen:
		return "had lapsed before " + value
	case day <= seen && lapses <= s.Day:
		return "was in " + value + ", and came back on " + dayWords(lapses, s.at)
	case day <= seen:
		return "is in " + value + ", and comes back on " + dayWords(lapses, s.at)
	case lapses <= s.Day:
		return "came and lapsed since " + value
	}
	return "taken off " + value + ", and comes back on " + dayWords(lapses, s.at)
}

// deductionDraft checks points somebody says the channel took. refused says what is wrong with them.
func (d *Desk) deductionDraft(ctx context.Context, op string, in view.DeductionDraft) (s *shopHealth, row store.AccountDeduction, refused string, err error) {
	if s, err = d.shopHealth(ctx, op, in.Shop, 0); err != nil {
		return nil, row, "", err
	}
	if s.Rules == nil {
		return s, row, "No rules are known by which this channel judges accounts.", nil
	}
	a := s.account()
	day, bad := readDay(in.Day)
	reason := strings.TrimSpace(in.Reason)
	switch {
	case !a.Offered:
		refused = "The channel keeps no rating of accounts in this market, as far as its rules tell."
	case bad != nil || day == 0:
		refused = "Write the day as 2026-11-21."
	case day > s.Day:
		refused = "That day has not come yet."
	case day <= s.Day-2*accountDays:
		refused = "That day is too long ago to matter: the rating looks back " + number(accountDays) + " days."
	case in.Points <= 0 || in.Points > a.Max:
		refused = "Points taken are between 1 and " + number(a.Max) + "."
	case reason == "":
		refused = "Write what the channel took them for, as its notice says."
	case len(reason) > maxNote || len(in.Note) > maxNote:
		refused = "The reason or the note is longer than " + number(maxNote) + " bytes."
	case in.ID == "" || in.Actor == "":
		refused = "The form is not complete. Open it again."
	}
	row = store.AccountDeduction{ID: in.ID, ConnectionID: in.Shop, Day: day, Points: in.Points, Reason: reason, Note: in.Note, Source: entered, Actor: in.Actor}
	return s, row, refused, nil
}

// PreviewDeduction works out what points taken do to what is modelled.
func (d *Desk) PreviewDeduction(ctx context.Context, in view.DeductionDraft) (view.Preview, error) {
	s, row, refused, err := d.deductionDraft(ctx, "ops.PreviewDeduction", in)
	if err != nil || refused != "" {
		return view.Preview{Refused: refused}, err
	}
	was := s.account()
	s.deductions = append([]store.AccountDeduction{row}, s.deductions...)
	then := s.account()
	v := view.Preview{Sentence: plural(row.Points, "point", "points") + " taken on " + dayWords(row.Day, s.at) + " enter what is modelled: " + then.Deductions[0].Text + ".", Undo: "It can be taken back."}
	v.Changes = []view.Change{{What: was.Name + " today", From: rangeWords(was.Low, was.High), To: rangeWords(then.Low, then.High), Why: "modelled; what the channel’s page shows is known only when you take it down"}}
	for _, x := range s.deductions[1:] {
		if x.Day == row.Day && x.Points == row.Points {
			v.Warnings = append(v.Warnings, "As many points of that day are there already: "+x.Reason+".")
			break
		}
	}
	return v, nil
}

// AddDeduction takes points down. The same form again changes nothing. Errors: Invalid, NotFound (the shop), Conflict (the form was used for
// others).
func (d *Desk) AddDeduction(ctx context.Context, in view.DeductionDraft) (view.Done, error) {
	const op = "ops.AddDeduction"
	_, row, refused, err := d.deductionDraft(ctx, op, in)
	if err != nil {
		return view.Done{}, err
	}
	if refused != "" {
		return view.Done{}, errs.New(errs.Invalid, op, in.Shop, "%s", refused)
	}
	err = d.x.st.Update(ctx, func(tx *store.Tx) error { return tx.AccountDeductionPut(row) })
	if errs.Is(err, errs.Conflict) {
		return view.Done{}, errs.New(errs.Conflict, op, in.ID, "This form was used for other points. Open a new one.")
	}
	if err != nil {
		return view.Done{}, errs.Wrap(op, in.Shop, err)
	}
	d.didHealth(view.TopicHealth + ":" + in.Shop)
	return view.Done{Sentence: plural(row.Points, "point", "points") + " taken on " + string(in.Day) + " are taken down.", Undo: "deduction " + row.ID}, nil
}

// PreviewDeductionEnd works out what taking a deduction back does.
func (d *Desk) PreviewDeductionEnd(ctx context.Context, id string) (view.Preview, error) {
	const op = "ops.PreviewDeductionEnd"
	row, err := d.deduction(ctx, op, id)
	if err != nil {
		return view.Preview{}, err
	}
	s, err := d.shopHealth(ctx, op, row.ConnectionID, 0)
	if err != nil {
		return view.Preview{}, err
	}
	v := view.Preview{Sentence: plural(row.Points, "point", "points") + " taken for “" + row.Reason + "” do not count any more: an appeal was won, or they were entered by mistake.", Undo: "It can be undone."}
	if s.Rules == nil {
		return v, nil
	}
	was := s.account()
	for i := range s.deductions {
		if s.deductions[i].ID == id {
			s.deductions = append(s.deductions[:i:i], s.deductions[i+1:]...)
			break
		}
	}
	then := s.account()
	v.Changes = []view.Change{{What: was.Name + " today", From: rangeWords(was.Low, was.High), To: rangeWords(then.Low, then.High), Why: "modelled"}}
	return v, nil
}

func (d *Desk) deduction(ctx context.Context, op, id string) (row store.AccountDeduction, err error) {
	err = d.look(ctx, op, id, func(tx *store.Tx) error {
		row, err = tx.AccountDeductionGet(id)
		return err
	})
	if err == nil && !row.RemovedAt.IsZero() {
		err = errs.New(errs.NotFound, op, id, "It was taken back already, on %s.", row.RemovedAt.Format(time.DateOnly))
	}
	if errs.Is(err, errs.NotFound) && row.ID == "" {
		err = errs.New(errs.NotFound, op, id, "There is no such deduction.")
	}
	return row, err
}

// RemoveDeduction takes one back: it does not count any more, and stays for the record. Errors: NotFound.
func (d *Desk) RemoveDeduction(ctx context.Context, id, actor string) (view.Done, error) {
	const op = "ops.RemoveDeduction"
	row, err := d.deduction(ctx, op, id)
	if err != nil {
		return view.Done{}, err
	}
	if err := d.x.st.Update(ctx, func(tx *store.Tx) error { return tx.AccountDeductionRemove(id, actor, true) }); err != nil {
		return view.Done{}, errs.Wrap(op, id, err)
	}
	d.didHealth(view.TopicHealth + ":" + row.ConnectionID)
	return view.Done{Sentence: plural(row.Points, "point is", "points are") + " taken back.", Undo: "deduction-again " + id}, nil
}

// restoreDeduction lets one count again.
func (d *Desk) restoreDeduction(ctx context.Context, id, _ string) (view.Done, error) {
	const op = "ops.restoreDeduction"
	var row store.AccountDeduction
	err := d.x.st.Update(ctx, func(tx *store.Tx) (err error) {
		if row, err = tx.AccountDeductionGet(id); err != nil {
			return err
		}
		return tx.AccountDeductionRemove(id, "", false)
	})
	if err != nil {
		return view.Done{}, errs.Wrap(op, id, err)
	}
	d.didHealth(view.TopicHealth + ":" + row.ConnectionID)
	return view.Done{Sentence: "The points count again.", Undo: "deduction " + id}, nil
}
