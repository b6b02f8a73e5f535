package storybook

import (
	"context"
	"fmt"
	"slices"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

const accountDays = 180

var accountPage = view.Cited{Source: "Clip Seller Center, account health", Confidence: "official", Seen: "2026-10-30"}

// seeAccounts takes down what the operator of the story saw.
func (b *Book) seeAccounts() {
	for _, k := range []struct {
		back  int
		value int64
		note  string
	}{{171, 200, ""}, {112, 214, ""}, {58, 190, "after the bad week"}, {31, 176, ""}, {12, 181, ""}} {
		b.known = append(b.known, view.AccountValue{Day: b.dayBack(k.back), Value: k.value, By: "mia@nordlicht.example", Source: "entered", Note: k.note})
	}
	b.taken = []view.AccountDeduction{{ID: "taken-1", Day: b.dayBack(31), Points: 14, Reason: "8 late parcels claimed by buyers", Note: "appeal refused", By: "mia@nordlicht.example", Lapses: b.dayBack(31 - accountDays),
		Text: "is in the 181 seen on 9 Nov, and comes back on 19 Apr 2027"}}
}

// account carries what was seen on to today: after each value the range widens with every day nobody looked.
func (b *Book) account(s shopStory) view.Account {
	a := view.Account{
		Offered: true, Name: "Account health rating", Max: 1000, From: b.dayBack(accountDays - 1), Low: -1, High: -1, State: view.StateNothing,
		Zones: []view.AccountZone{
			{Name: "red", Low: 0, High: 50, Level: view.Bad, Cited: accountPage}, {Name: "orange", Low: 51, High: 199, Level: view.Watch, Cited: accountPage}, {Name: "green", Low: 200, High: 1000, Level: view.Good, Cited: accountPage},
		},
		Milestones: []view.AccountMark{
			{At: 150, Text: "7 days without new listings and big campaigns", Cited: view.Cited{Confidence: "unverified"}}, {At: 100, Text: "14 days without new listings and big campaigns", Cited: view.Cited{Confidence: "unverified"}},
			{At: 50, Text: "28 days without new listings and big campaigns", Cited: view.Cited{Confidence: "unverified"}}, {At: 0, Text: "closed for good", Cited: view.Cited{Confidence: "reported"}},
		},
		Knows:  "Nothing yet. No interface tells it: it must be read on the channel’s page.",
		Models: "Nothing can be modelled before a first value was entered.",
	}
	a.Sentence = "Nobody has entered what the channel’s page shows."
	a.Range = make([]view.AccountDay, accountDays)
	for i := range a.Range {
		a.Range[i] = view.AccountDay{Low: -1, High: -1}
	}
	if s.id != "clip-north" || len(b.known) == 0 {
		return a
	}
	a.Known, a.Deductions = slices.Clone(b.known), slices.Clone(b.taken)
	for i := range a.Range {
		day := b.dayBack(accountDays - 1 - i)
		for _, k := range b.known {
			if k.Day <= day {
				n := int64(b.back(k.Day) - (accountDays - 1 - i))
				a.Range[i] = view.AccountDay{Low: k.Value - n*7/10, High: k.Value + n*5/10}
			}
		}
	}
	last := b.known[len(b.known)-1]
	now := a.Range[accountDays-1]
	a.Low, a.High = now.Low, now.High
	a.State = view.StateWatch
	if a.Low >= 200 {
		a.State = view.StateGood
	}
	a.Sentence = fmt.Sprintf("Between %d and %d: orange. The milestone of 150 is %d points away.", a.Low, a.High, a.Low-150)
	a.Knows = fmt.Sprintf("%d on %s, entered by %s.", last.Value, last.Day, last.By)
	a.Models = fmt.Sprintf("%d days since then: no breach of a rate, fulfilled orders win points back. How many, the channel does not say.", b.back(last.Day))
	a.ToGreen = "26 to 41 days without a new breach, or sooner with the policy quiz"
	a.Unlocks = []string{"big campaigns without an application", "affiliate offers shown first", "money settled after 1 day instead of 8"}
	a.AtRisk = []string{fmt.Sprintf("At 150, %d points away: no new listings and no big campaign for 7 days", a.Low-150)}
	a.Changes = []view.AccountChange{
		{Day: "2026-10-21", Text: "8 late parcels claimed by buyers", Low: -14, High: -14, Ref: view.Ref{Kind: view.KindMetric, ID: "clip-north@ldr"}},
		{Day: "2026-10-05", Text: "late dispatch over its target for two weeks", Low: -30, High: -18, Ref: view.Ref{Kind: view.KindMetric, ID: "clip-north@ldr"}},
	}
	return a
}

// PreviewAccount works out what a seen value says of the model.
func (b *Book) PreviewAccount(_ context.Context, d view.AccountDraft) (view.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := storyOf(d.Shop)
	if !ok {
		return view.Preview{}, errs.New(errs.NotFound, "storybook.PreviewAccount", d.Shop, "There is no shop %s.", d.Shop)
	}
	if d.Value > 1000 {
		return view.Preview{Refused: "The channel’s scale ends at 1,000. Look again at what it shows."}, nil
	}
	if b.back(d.Day) < 0 {
		return view.Preview{Refused: "That day has not come yet."}, nil
	}
	a := b.account(s)
	v := view.Preview{
		Sentence: fmt.Sprintf("%d was not known yet; from here on the range starts at it.", d.Value), Undo: "It can be taken back.",
		Changes: []view.Change{{What: a.Name + " today", From: "not known", To: fmt.Sprint(d.Value), Why: "known, and modelled on from there"}},
	}
	if a.Low >= 0 {
		v.Changes[0].From = fmt.Sprintf("%d–%d", a.Low, a.High)
		v.Sentence = fmt.Sprintf("%d lies inside what was modelled, %d to %d.", d.Value, a.Low, a.High)
		if d.Value < a.Low || d.Value > a.High {
			v.Sentence = fmt.Sprintf("%d lies outside what was modelled, %d to %d.", d.Value, a.Low, a.High)
			v.Warnings = []string{"Something happened that Spillway does not know of. Look for a notice of a violation on the channel’s page."}
		}
	}
	return v, nil
}

// SetAccount keeps a seen value.
func (b *Book) SetAccount(_ context.Context, d view.AccountDraft) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if old, ok := b.done[d.ID]; ok {
		return old, nil
	}
	b.known = append(b.known, view.AccountValue{Day: d.Day, Value: d.Value, By: d.Actor, Source: "entered", Note: d.Note})
	slices.SortStableFunc(b.known, func(x, y view.AccountValue) int { return b.back(y.Day) - b.back(x.Day) })
	b.done[d.ID] = view.Done{Sentence: fmt.Sprintf("%d is taken down for %s.", d.Value, d.Day), Undo: fmt.Sprintf("account %s %d", d.Day, d.Value)}
	b.tell(view.TopicHealth + ":" + d.Shop)
	return b.done[d.ID], nil
}

// forgetAccount takes a seen value back. The caller holds the lock.
func (b *Book) forgetAccount(what string) (view.Done, error) {
	for i, k := range b.known {
		if fmt.Sprintf("%s %d", k.Day, k.Value) == what {
			b.known = slices.Delete(b.known, i, i+1)
			b.tell(view.TopicHealth + ":clip-north")
			return view.Done{Sentence: "The value is taken back."}, nil
		}
	}
	return view.Done{}, errs.New(errs.NotFound, "storybook.Undo", what, "It was taken back already.")
}
