package order

import (
	"cmp"
	"reflect"
	"slices"
	"time"
)

// EventKind is what an event on an order's timeline is about. It is also the key of its text in the interface.
type EventKind string

const (
	EventSeen            EventKind = "order.seen"             // first heard of; To is the status
	EventStatus          EventKind = "order.status"           // From to To
	EventAnomaly         EventKind = "order.anomaly"          // From to To is no possible course; followed all the same
	EventUnknownStatus   EventKind = "order.unknown_status"   // To is the platform's word
	EventReady           EventKind = "order.ready"            // set-once times, told by the platform
	EventHandedOver      EventKind = "order.handed_over"      //
	EventDelivered       EventKind = "order.delivered"        //
	EventUnitsCancelled  EventKind = "order.units_cancelled"  // Count units of line Ref
	EventCancelRequested EventKind = "order.cancel_requested" // the buyer asked and waits for an answer
	EventCancellation    EventKind = "order.cancellation"     // cancellation Ref went From to To
	EventAddress         EventKind = "order.address_changed"  //
	EventReturn          EventKind = "order.return"           // return Ref went From to To (the platform's words)
	EventDeadline        EventKind = "order.deadline"         // the next deadline moved; From and To are RFC 3339
)

// Event is one entry of an order's timeline. It holds no personal data.
type Event struct {
	Kind  EventKind `json:"kind"`
	At    time.Time `json:"at"`             // the platform's time, not that of hearing of it
	Actor Role      `json:"actor,omitzero"` // empty: the platform did not say
	From  string    `json:"from,omitzero"`
	To    string    `json:"to,omitzero"`
	Ref   string    `json:"ref,omitzero"`    // what it is about: a line key, a cancellation, a return, a kind of deadline
	Count int64     `json:"count,omitzero"`  // units
	Text  string    `json:"reason,omitzero"` // the platform's reason name
}

// Changes is what merging a fact altered. Unlike the order it depends on what was known before.
type Changes struct {
	Created     bool // the order was not known
	From, To    Status
	Detail      bool    // a newer snapshot was taken
	Demand      bool    // Demand differs: the ledger must be brought into line
	Due         bool    // NextDue differs
	NeedsDetail bool    // NeedsDetail was set or cleared
	Events      []Event // for the timeline, in the order to show them

	visible bool
}

// Any reports whether anything but bookkeeping changed. If not, the merged order need not be stored: leaving it out loses at
// most the time of a reading that found nothing new.
func (c Changes) Any() bool { return c.visible }

// Anomalies lists the moves no platform's course allows.
func (c Changes) Anomalies() []Event {
	var out []Event
	for _, e := range c.Events {
		if e.Kind == EventAnomaly || e.Kind == EventUnknownStatus {
			out = append(out, e)
		}
	}
	return out
}

// diff compares the order before (nil: unknown) and after f was merged.
func diff(before, after *Order, f Fact) Changes {
	c := Changes{Created: before == nil, To: after.Status}
	if before == nil {
		before = &Order{}
		c.add(Event{Kind: EventSeen, At: cmp.Or(after.CreatedAt, f.UpdatedAt), To: string(after.Status)})
	}
	c.From = before.Status
	c.Detail = after.Version.Hash != before.Version.Hash
	c.Demand = !reflect.DeepEqual(Demand(before), Demand(after))
	c.NeedsDetail = after.NeedsDetail != before.NeedsDetail
	c.statusEvents(before, after, f)
	c.momentEvents(before, after)
	c.cancelEvents(before, after, f)
	c.otherEvents(before, after)
	a, b := *after, *before
	a.Version.ReadAt, b.Version.ReadAt = time.Time{}, time.Time{}
	c.visible = !reflect.DeepEqual(a, b)
	return c
}

func (c *Changes) add(e Event) { c.Events = append(c.Events, e) }

func (c *Changes) statusEvents(before, after *Order, f Fact) {
	if f.Kind == Snapshot && f.Status == "" && c.Detail {
		c.add(Event{Kind: EventUnknownStatus, At: f.UpdatedAt, From: string(before.Status), To: f.StatusText})
	}
	if c.From == c.To || c.Created {
		return
	}
	e := Event{Kind: EventStatus, At: after.StatusAt, From: string(c.From), To: string(c.To)}
	if c.To == Cancelled {
		e.Actor, e.Text = after.Cancel.Role, after.Cancel.Reason
	}
	c.add(e)
	if c.From != "" && !Reachable(c.From, c.To) {
		c.add(Event{Kind: EventAnomaly, At: e.At, From: e.From, To: e.To})
	}
}

func (c *Changes) momentEvents(before, after *Order) {
	for _, m := range []struct {
		kind     EventKind
		was, now time.Time
	}{
		{EventReady, before.Moments.ReadyAt, after.Moments.ReadyAt},
		{EventHandedOver, before.Moments.HandedOverAt, after.Moments.HandedOverAt},
		{EventDelivered, before.Moments.DeliveredAt, after.Moments.DeliveredAt},
	} {
		if m.was.IsZero() && !m.now.IsZero() {
			c.add(Event{Kind: m.kind, At: m.now})
		}
	}
}

func (c *Changes) cancelEvents(before, after *Order, f Fact) {
	for _, now := range after.Cancellations {
		was := find(before.Cancellations, func(x Cancellation) bool { return x.ID == now.ID })
		if was.State != now.State {
			c.add(Event{Kind: EventCancellation, At: now.UpdatedAt, Actor: now.Role, From: string(was.State), To: string(now.State), Ref: now.ID, Text: now.Reason})
		}
	}
	if after.Cancel.RequestOpen && !before.Cancel.RequestOpen {
		c.add(Event{Kind: EventCancelRequested, At: cmp.Or(after.Moments.CancelRequestedAt, f.UpdatedAt), Actor: RoleBuyer})
	}
	was := map[string]int64{}
	for _, l := range before.Lines {
		was[l.first()] = l.Cancelled
	}
	for _, l := range after.Lines {
		if n := l.Cancelled - was[l.first()]; n > 0 {
			c.add(Event{Kind: EventUnitsCancelled, At: f.UpdatedAt, Ref: l.Key, Count: n})
		}
	}
}

// find is the first of list that is meant, or a zero one.
func find[T any](list []T, meant func(T) bool) (found T) {
	if i := slices.IndexFunc(list, meant); i >= 0 {
		found = list[i]
	}
	return found
}

func (c *Changes) otherEvents(before, after *Order) {
	if after.AddressChangedAt.After(before.AddressChangedAt) {
		c.add(Event{Kind: EventAddress, At: after.AddressChangedAt})
	}
	for _, now := range after.Returns {
		was := find(before.Returns, func(x Return) bool { return x.ID == now.ID })
		if was.ID == "" || was.StatusText != now.StatusText {
			c.add(Event{Kind: EventReturn, At: now.UpdatedAt, Actor: now.Role, From: was.StatusText, To: now.StatusText, Ref: now.ID})
		}
	}
	was, now := NextDue(before), NextDue(after)
	c.Due = was.Kind != now.Kind || !was.At.Equal(now.At)
	if was.Kind == now.Kind && c.Due { // a met deadline giving way to the next is no news; a moved one is
		c.add(Event{Kind: EventDeadline, At: after.UpdatedAt, From: was.At.Format(time.RFC3339), To: now.At.Format(time.RFC3339), Ref: string(now.Kind)})
	}
}
