package storybook

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/ops/view"
)

// park puts messages nobody could use into the inbox.
func (b *Book) park() {
	add := func(n int, conn, topic, reason, body string) {
		name := channelNames[conn]
		if conn == "" {
			name = "unknown shop"
		}
		b.parked = append(b.parked, view.Parked{
			ID: fmt.Sprintf("msg-%d", n), ConnectionID: conn, Channel: name, Topic: topic, ReceivedAt: b.opened.Add(time.Duration(-n) * 17 * time.Minute),
			Tries: 5, Reason: reason, Bytes: int64(900 + n*211), Excerpt: body,
		})
	}
	add(1, "clip-north", "order status", "order_status has the value 777, which is not documented", `{"type":1,"shop_id":"749512…","data":{"order_id":"577180000412","order_status":777,"update_time":1795298741}}`)
	add(2, "", "order status", "no connected shop has the id 7495120000", `{"type":1,"shop_id":"7495120000","data":{"order_id":"…"}}`)
}

// Problems lists what waits for a person.
func (b *Book) Problems(context.Context) (view.Problems, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Problems{}, err
	}
	defer unlock()
	v := view.Problems{At: b.now(), Parked: slices.Clone(b.parked), Total: int64(len(b.parked))}
	if len(b.conns) > 2 && b.conns[2].Level != view.Good {
		v.Others = append(v.Others, view.Problem{Level: view.Watch, Text: "Clip · Outlet answers “too many requests”.", Next: "Nothing to do: 6 pushes wait, the other channels go on.", Ref: view.Ref{Kind: view.KindConnection, ID: "clip-outlet"}, Since: b.opened.Add(-40 * time.Second)})
	}
	return v, nil
}

// RetryParked takes messages out of parking; here all of them are understood the second time.
func (b *Book) RetryParked(_ context.Context, ids []string, _ string) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := len(b.parked)
	b.parked = slices.DeleteFunc(b.parked, func(p view.Parked) bool { return len(ids) == 0 || slices.Contains(ids, p.ID) })
	b.tell(view.TopicProblems)
	return view.Done{Sentence: fmt.Sprintf("%d parked messages are tried again.", was-len(b.parked))}, nil
}

// PreviewRules works out what other rules would change.
func (b *Book) PreviewRules(_ context.Context, d view.RulesDraft) (view.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, l, err := b.find(d.ListingID)
	if err != nil {
		return view.Preview{}, err
	}
	to := wanted(l, d.Rules)
	v := view.Preview{Undo: "The old rules can be set again with one click.", Sentence: "Nothing changes now; the rules hold from here on."}
	if to != l.Desired {
		v.Sentence = fmt.Sprintf("1 listing changes, %d units move.", max(to-l.Desired, l.Desired-to))
		v.Changes = []view.Change{{What: l.Channel + " is told", From: fmt.Sprint(l.Desired), To: fmt.Sprint(to), Why: "by the new rules"}}
	}
	if d.Rules.Mode == "shared" {
		v.Warnings = []string{"Shared mode can oversell: the same units are shown on several channels."}
	}
	return v, nil
}

func wanted(l *view.Listing, r view.Rules) int64 {
	n := l.Desired
	if r.Mode == "fixed" {
		n = r.Fixed
	}
	if r.Max > 0 {
		n = min(n, r.Max)
	}
	return max(n, r.Min)
}

func (b *Book) find(listing string) (*item, *view.Listing, error) {
	for _, it := range b.items {
		for _, l := range it.listings {
			if l.ID == listing {
				return it, l, nil
			}
		}
	}
	return nil, nil, errs.New(errs.NotFound, "storybook.find", listing, "There is no listing %s.", listing)
}

// SetRules changes a listing's rules.
func (b *Book) SetRules(_ context.Context, d view.RulesDraft) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	it, l, err := b.find(d.ListingID)
	if err != nil {
		return view.Done{}, err
	}
	n := wanted(l, d.Rules)
	l.Rules, l.Desired, l.Told, l.Exposure = d.Rules, n, &n, n
	b.tell(view.TopicItem + ":" + it.id)
	return view.Done{Sentence: "The rules of " + l.Channel + " are set."}, nil
}

// PreviewStock works out what a receipt, count or damage would change.
func (b *Book) PreviewStock(_ context.Context, d view.StockDraft) (view.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	it, err := b.item(d.ItemID)
	if err != nil {
		return view.Preview{}, err
	}
	bal := it.balances[d.LocationID]
	if bal == nil {
		bal = &view.Balance{Location: "Porto Logistica"}
	}
	m := movementOf(d, *bal)
	if m.OnHand == 0 && m.Damaged == 0 {
		return view.Preview{Sentence: "Nothing changes: that is what the journal says already.", Undo: "The count is recorded all the same."}, nil
	}
	if bal.Available+m.OnHand-m.Damaged < 0 {
		return view.Preview{Refused: fmt.Sprintf("Only %d units are free at %s; the rest is held for orders.", bal.Available, bal.Location)}, nil
	}
	diff := m.OnHand - m.Damaged
	v := view.Preview{
		Sentence: fmt.Sprintf("%+d units at %s; %d listings are worked out anew.", diff, bal.Location, len(it.listings)),
		Changes: []view.Change{
			{What: "On hand at " + bal.Location, From: fmt.Sprint(bal.OnHand), To: fmt.Sprint(bal.OnHand + m.OnHand)},
			{What: "Damaged at " + bal.Location, From: fmt.Sprint(bal.Damaged), To: fmt.Sprint(bal.Damaged + m.Damaged), Why: "cannot be sold"},
			{What: "Available of " + it.id, From: fmt.Sprint(it.total().Available), To: fmt.Sprint(it.total().Available + diff), Why: "on hand − reserved − damaged"},
		},
		Undo: "It can be reversed by a counter-movement.",
	}
	return v, nil
}

// movementOf turns a draft into the movement it asks for.
func movementOf(d view.StockDraft, bal view.Balance) view.Movement {
	m := view.Movement{ID: d.ID, Kind: d.Kind, Text: d.Ref, Reason: d.Reason, Actor: d.Actor}
	switch d.Kind {
	case "receive":
		m.OnHand = d.Qty
	case "count":
		m.OnHand = d.Qty - bal.OnHand
		if d.Damaged != nil {
			m.Damaged = *d.Damaged - bal.Damaged
		}
	case "damage":
		m.Damaged = d.Qty
	}
	return m
}

// AdjustStock receives, counts or sets aside.
func (b *Book) AdjustStock(_ context.Context, d view.StockDraft) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if old, ok := b.done[d.ID]; ok {
		return old, nil
	}
	it, err := b.item(d.ItemID)
	if err != nil {
		return view.Done{}, err
	}
	if it.balances[d.LocationID] == nil {
		it.balances[d.LocationID] = &view.Balance{LocationID: d.LocationID, Location: "Porto Logistica", Kind: "3PL", Serves: "all channels"}
	}
	m := b.move(movementOf(d, *it.balances[d.LocationID]), it, d.LocationID, b.now())
	b.tell(view.TopicItem + ":" + it.id)
	b.done[d.ID] = view.Done{Sentence: fmt.Sprintf("%s of %s at %s is in the journal.", strings.ToUpper(d.Kind[:1])+d.Kind[1:], it.id, m.Location), Undo: "reverse " + m.ID}
	return b.done[d.ID], nil
}

// Undo reverses a movement or withdraws a hold.
func (b *Book) Undo(ctx context.Context, undo, actor string) (view.Done, error) {
	if hold, ok := strings.CutPrefix(undo, "hold "); ok {
		return b.DeleteHold(ctx, hold, actor)
	}
	if run, ok := strings.CutPrefix(undo, "reconciliation "); ok {
		return b.EndReconcile(ctx, run, actor)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if value, ok := strings.CutPrefix(undo, "account "); ok {
		return b.forgetAccount(value)
	}
	if rule, ok := strings.CutPrefix(undo, "override "); ok {
		return b.endOverride(rule)
	}
	if back, ok := b.before[undo]; ok {
		back()
		delete(b.before, undo)
		return view.Done{Sentence: "Taken back."}, nil
	}
	movement, ok := strings.CutPrefix(undo, "reverse ")
	if !ok {
		return view.Done{}, errs.New(errs.Invalid, "storybook.Undo", "", "This cannot be undone.")
	}
	for i, m := range b.journal {
		if m.ID != movement {
			continue
		}
		if m.ReversedBy != "" {
			return view.Done{}, errs.New(errs.Conflict, "storybook.Undo", movement, "It was reversed already.")
		}
		it, err := b.item(b.moved[m.ID])
		if err != nil {
			return view.Done{}, err
		}
		r := b.move(view.Movement{Kind: m.Kind, OnHand: -m.OnHand, Reserved: -m.Reserved, Damaged: -m.Damaged, Text: "reverses " + m.Kind, Reverses: m.ID, Actor: actor}, it, m.LocationID, b.now())
		b.journal[i].ReversedBy = r.ID
		b.tell(view.TopicItem + ":" + it.id)
		return view.Done{Sentence: "Reversed by a counter-movement."}, nil
	}
	return view.Done{}, errs.New(errs.NotFound, "storybook.Undo", movement, "There is no such movement.")
}

// AddApp keeps an app.
func (b *Book) AddApp(_ context.Context, d view.AppDraft) (view.App, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := view.App{ID: fmt.Sprintf("%s-app-%d", d.Vendor, len(b.apps)+1), Vendor: d.Vendor, Title: "App " + d.Key, Key: d.Key, CreatedAt: b.now()}
	b.apps = append(b.apps, a)
	return a, nil
}

// ConnectStart invents a consent page's address.
func (b *Book) ConnectStart(_ context.Context, app, redirect, _ string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	state := id.New()
	b.consents[state] = app
	return "https://consent.clip.example/authorise?" + url.Values{"state": {state}, "redirect": {redirect}}.Encode(), nil
}

// ConnectFinish accepts an answer with a state that was given out.
func (b *Book) ConnectFinish(_ context.Context, app string, answer url.Values, _ string) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.consents[answer.Get("state")] != app {
		return view.Done{}, errs.New(errs.Forbidden, "storybook.ConnectFinish", app, "This consent was not started here, or too long ago. Start again.")
	}
	delete(b.consents, answer.Get("state"))
	b.tell(view.TopicConnection + ":" + app)
	return view.Done{Sentence: "The shop is connected. Its orders and listings are being read."}, nil
}
