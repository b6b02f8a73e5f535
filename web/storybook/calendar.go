package storybook

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// plan fills the calendar: one on air, two coming, two past.
func (b *Book) plan() {
	t, h := b.opened, time.Hour
	add := func(id, title, sku, conn string, qty, left int64, from, until time.Time, text string) {
		b.holds = append(b.holds, view.Hold{
			ID: id, Title: title, ItemID: sku, SKU: sku, ConnectionID: conn, Channel: channelNames[conn], Qty: qty, Left: left, From: from, Until: until,
			Text: text, CreatedBy: "mia@nordlicht.example",
		})
	}
	add("h-1", "Autumn drop with Mia", "MUG-01", "clip-north", 300, 188, t.Add(-52*time.Minute), t.Add(68*time.Minute), "")
	add("h-2", "Candle night", "CANDLE-04", "clip-north", 500, 500, t.Add(5*h), t.Add(7*h), "begins by itself")
	add("h-3", "Outlet hour", "SOCKS-08", "clip-outlet", 120, 120, t.Add(27*h), t.Add(29*h), "begins by itself")
	add("h-4", "Lamp launch", "LAMP-02", "clip-north", 60, 0, t.Add(-30*h), t.Add(-28*h), "48 sold, 12 given back")
	add("h-5", "Sunday throws", "THROW-03", "clip-north", 80, 0, t.Add(-76*h), t.Add(-74*h), "80 sold, none to give back")
}

// state says where a hold is in time.
func (b *Book) state(h view.Hold) view.Hold {
	switch now := b.now(); {
	case now.Before(h.From):
		h.State = "upcoming"
	case now.Before(h.Until):
		h.State, h.Level = "active", view.Good
	default:
		h.State = "past"
	}
	return h
}

// Calendar lists holds.
func (b *Book) Calendar(context.Context) (view.Calendar, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Calendar{}, err
	}
	defer unlock()
	out := view.Calendar{At: b.now()}
	for _, c := range b.conns {
		out.Channels = append(out.Channels, view.Option{ID: c.ID, Label: channelNames[c.ID]})
	}
	for _, h := range b.holds {
		switch h = b.state(h); h.State {
		case "active":
			out.Active = append(out.Active, h)
		case "upcoming":
			out.Upcoming = append(out.Upcoming, h)
		default:
			out.Past = append(out.Past, h)
		}
	}
	slices.SortFunc(out.Upcoming, func(x, y view.Hold) int { return x.From.Compare(y.From) })
	slices.SortFunc(out.Past, func(x, y view.Hold) int { return y.From.Compare(x.From) })
	return out, nil
}

// PreviewHold works out what keeping units would change.
func (b *Book) PreviewHold(_ context.Context, d view.HoldDraft) (view.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.previewHold(d)
}

func (b *Book) previewHold(d view.HoldDraft) (view.Preview, error) {
	it, err := b.item(d.Item)
	if err != nil {
		return view.Preview{}, err
	}
	p := b.promise(it)
	if room := p.Available - p.Buffer; d.Qty > room {
		return view.Preview{Refused: fmt.Sprintf("Only %d units of %s may be promised. Keep fewer, or receive stock first.", room, it.id)}, nil
	}
	v := view.Preview{Undo: "You can withdraw it until it begins, and end it early after."}
	var moved int64
	for _, l := range it.listings {
		to := l.Exposure
		if l.ConnectionID == d.ConnectionID {
			to = max(l.Exposure, d.Qty)
		} else if need := d.Qty - p.Free; need > 0 {
			to = max(0, l.Exposure-need/2)
		}
		if to != l.Exposure {
			moved += max(to-l.Exposure, 0)
			v.Changes = append(v.Changes, view.Change{What: l.Channel + " is told", From: fmt.Sprint(l.Exposure), To: fmt.Sprint(to), Why: why(to > l.Exposure)})
		}
	}
	v.Sentence = fmt.Sprintf("%d listings change, %d units move when it begins.", len(v.Changes), moved)
	if len(v.Changes) == 0 {
		v.Sentence = "Nothing changes when it begins: the channel shows enough already. Units are kept from being given away."
	}
	if d.From.Before(b.now()) {
		v.Warnings = append(v.Warnings, "It begins at once: its start is in the past.")
	}
	return v, nil
}

func why(raised bool) string {
	if raised {
		return "raised once the givers have confirmed"
	}
	return "gives units first"
}

// CreateHold keeps units.
func (b *Book) CreateHold(_ context.Context, d view.HoldDraft) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if old, ok := b.done[d.ID]; ok {
		return old, nil
	}
	v, err := b.previewHold(d)
	if err != nil {
		return view.Done{}, err
	}
	if v.Refused != "" {
		return view.Done{}, errs.New(errs.Insufficient, "storybook.CreateHold", d.Item, "%s", v.Refused)
	}
	b.holds = append(b.holds, view.Hold{
		ID: d.ID, Title: d.Title, ItemID: d.Item, SKU: d.Item, ConnectionID: d.ConnectionID, Channel: channelNames[d.ConnectionID],
		Qty: d.Qty, Left: d.Qty, From: d.From, Until: d.Until, CreatedBy: d.Actor, Text: "begins by itself",
	})
	b.done[d.ID] = view.Done{Sentence: fmt.Sprintf("%d units of %s are kept for “%s”.", d.Qty, d.Item, d.Title), Undo: "hold " + d.ID}
	b.tell(view.TopicCalendar, view.TopicItem+":"+d.Item)
	return b.done[d.ID], nil
}

// PreviewHoldEnd works out what ending a hold would change.
func (b *Book) PreviewHoldEnd(_ context.Context, id string) (view.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.holds {
		if h.ID == id {
			return view.Preview{
				Sentence: fmt.Sprintf("“%s” ends and %d units are free for all channels again.", h.Title, h.Left), Undo: "There is no undo; plan it anew if it was wrong.",
			}, nil
		}
	}
	return view.Preview{}, errs.New(errs.NotFound, "storybook.PreviewHoldEnd", id, "This hold does not exist any more.")
}

// DeleteHold withdraws or ends a hold.
func (b *Book) DeleteHold(_ context.Context, id, _ string) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, h := range b.holds {
		if h.ID == id {
			b.holds = slices.Delete(b.holds, i, i+1)
			b.tell(view.TopicCalendar, view.TopicItem+":"+h.ItemID)
			return view.Done{Sentence: fmt.Sprintf("“%s” has ended.", h.Title)}, nil
		}
	}
	return view.Done{}, errs.New(errs.NotFound, "storybook.DeleteHold", id, "This hold does not exist any more.")
}
