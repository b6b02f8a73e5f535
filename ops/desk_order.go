package ops

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// orderEvents bounds the events shown of one order.
const orderEvents = 500

// Order is everything about one order. Errors: NotFound.
func (d *Desk) Order(ctx context.Context, id string) (view.OrderPage, error) {
	var v view.OrderPage
	open := false
	err := d.look(ctx, "ops.Order", id, func(tx *store.Tx) error {
		got, err := tx.OrdersGet([]string{id})
		if err != nil {
			return err
		}
		if len(got) == 0 {
			return errs.New(errs.NotFound, "ops.Order", id, "There is no order %s.", id)
		}
		o := &got[0]
		open = isOpen(o)
		ch, err := readChannels(tx)
		if err != nil {
			return err
		}
		held, err := tx.ReservationsForOrders([]string{id})
		if err != nil {
			return err
		}
		moves, err := tx.MovementsOfRef(id)
		if err != nil {
			return err
		}
		events, err := tx.EventsOf(id, orderEvents)
		if err != nil {
			return err
		}
		v = view.OrderPage{OrderRow: d.orderRow(o, ch, shortOfOrder(held)), At: tx.Now(), Buyer: o.BuyerHash, ChannelState: o.StatusText,
			CancelReason: reasonText(o.Cancel.Reason), CancelFault: string(o.Cancel.Fault), Deadlines: d.deadlines(o), OrderLines: d.orderLines(o, held),
			Reservations: d.orderHeld(held)}
		slices.Reverse(events) // oldest first
		v.Timeline, v.Facts = d.timeline(o, ch, events, moves), factsOf(events)
		v.Route, err = d.orderRoute(tx, o)
		return err
	})
	if err == nil && open {
		v.Risk = d.lateRisk(ctx, v.ConnectionID, id)
	}
	return v, err
}

// reasonText writes a platform's reason name for people.
func reasonText(name string) string { return strings.ReplaceAll(name, "_", " ") }

// deadlines are all deadlines of an order, met ones too, by their time.
func (d *Desk) deadlines(o *order.Order) []view.Deadline {
	binding := map[order.DeadlineKind]bool{}
	for _, b := range order.Binding(o) {
		binding[b.Kind] = true
	}
	m, x := o.Moments, o.Deadlines
	var out []view.Deadline
	for _, e := range []struct {
		kind order.DeadlineKind
		at   time.Time
		met  time.Time
	}{
		{order.ShipBy, x.ShipBy, m.ReadyAt}, {order.HandOverBy, x.HandOverBy, m.HandedOverAt}, {order.AutoCancelShipBy, x.AutoCancelShipBy, m.ReadyAt},
		{order.AutoCancelHandOverBy, x.AutoCancelHandOverBy, m.HandedOverAt}, {order.AutoCancelDeliverBy, x.AutoCancelDeliverBy, m.DeliveredAt},
		{order.DeliverBy, x.DeliverBy, m.DeliveredAt}, {order.PromisedBy, x.PromisedBy, m.DeliveredAt}, {order.PickUpBy, x.PickUpBy, m.HandedOverAt},
		{order.FastDispatchBy, x.FastDispatchBy, m.HandedOverAt},
	} {
		if e.at.IsZero() {
			continue
		}
		name := deadlines[e.kind]
		line := view.Deadline{Name: name.name, At: e.at, Source: "the platform’s " + name.field, Met: ptr(e.met)}
		now := d.x.now()
		switch {
		case !e.met.IsZero() && e.met.After(e.at):
			line.Level = view.Bad
		case !e.met.IsZero():
			line.Level = view.Good
		case !binding[e.kind]: // over without being met: nothing to do any more
		case e.at.Before(now):
			line.Level = view.Bad
		case e.at.Sub(now) < nearDue:
			line.Level = view.Watch
		}
		if line.Met == nil && !binding[e.kind] {
			line.Met = ptr(o.StatusAt)
		}
		out = append(out, line)
	}
	slices.SortStableFunc(out, func(a, b view.Deadline) int { return a.At.Compare(b.At) })
	return out
}

// orderLines are the lines with what the ledger holds for each. Lines that share a key share what is held; the first shows it.
func (d *Desk) orderLines(o *order.Order, held []stock.Reservation) []view.OrderLine {
	cat := d.x.catalog.Load()
	type sum struct{ held, shipped, short int64 }
	byKey := map[string]sum{}
	for _, r := range held {
		s := byKey[r.LineID]
		byKey[r.LineID] = sum{s.held + r.Held, s.shipped + r.Shipped, s.short + r.Short + r.Unbooked}
	}
	var out []view.OrderLine
	for _, l := range o.Lines {
		line := view.OrderLine{LineID: cmp.Or(l.ExternalLineID, l.Key), SKU: cmp.Or(l.SellerSKU, l.ExternalSKU), Title: l.Title, Qty: l.Qty, Cancelled: l.Cancelled}
		if l.UnitPrice.Currency != "" {
			line.Price = l.UnitPrice.String()
		}
		if it, ok := cat.item(o.ConnectionID, l.ExternalSKU, l.SellerSKU); ok {
			line.ItemID, line.SKU = it.ID, it.SKU
			if it.Bundle() {
				line.Note = "a bundle: its parts are held"
			}
		} else if len(l.Parts) == 0 {
			line.Note = "not mapped to an item: no stock is held for it"
		}
		s := byKey[l.Key]
		line.Held, line.Shipped, line.Short = s.held, s.shipped, s.short
		delete(byKey, l.Key)
		out = append(out, line)
	}
	return out
}

func (d *Desk) orderHeld(held []stock.Reservation) []view.Reservation {
	cat := d.x.catalog.Load()
	var out []view.Reservation
	for _, r := range held {
		place := "no location has it"
		if r.LocationID != "" {
			place = cat.locationName(r.LocationID)
		}
		if r.Open() || r.Shipped > 0 {
			out = append(out, view.Reservation{ItemID: r.ItemID, SKU: cmp.Or(cat.items[r.ItemID].SKU, r.ItemID), Location: place, Held: r.Held, Shipped: r.Shipped,
				Short: r.Short + r.Unbooked, ExpiresAt: ptr(r.ExpiresAt), UpdatedAt: r.UpdatedAt})
		}
	}
	return out
}

// timeline joins what the platform said with what the ledger did, oldest first.
func (d *Desk) timeline(o *order.Order, ch channels, events []store.Event, moves []stock.Movement) []view.Entry {
	cat := d.x.catalog.Load()
	var out []view.Entry
	for _, e := range events {
		out = append(out, entryOf(e, o, ch))
	}
	for _, m := range moves {
		text := movementWord(m) + " " + cmp.Or(cat.items[m.ItemID].SKU, m.ItemID) + " at " + cat.locationName(m.LocationID)
		e := view.Entry{At: m.RecordedAt, Kind: string(m.Kind), Text: text, Ref: view.Ref{Kind: view.KindItem, ID: m.ItemID}}
		if m.Kind == stock.Displace {
			e.Level = view.Watch
		}
		out = append(out, e)
	}
	slices.SortStableFunc(out, func(a, b view.Entry) int { return a.At.Compare(b.At) })
	return out
}

// entryOf puts an event into words.
func entryOf(row store.Event, o *order.Order, ch channels) view.Entry {
	var e order.Event
	if err := json.Unmarshal(row.Data, &e); err != nil {
		e = order.Event{Kind: order.EventKind(row.Kind)}
	}
	out := view.Entry{At: e.At, Kind: strings.ReplaceAll(strings.TrimPrefix(row.Kind, "order."), "_", " "), Actor: string(e.Actor)}
	if out.At.IsZero() {
		out.At = row.At
	}
	to, from := cmp.Or(states[order.Status(e.To)], e.To), cmp.Or(states[order.Status(e.From)], e.From)
	switch order.EventKind(row.Kind) {
	case order.EventSeen:
		out.Kind, out.Text, out.Ref = "placed", "on "+ch.of(o.ConnectionID), view.Ref{Kind: view.KindConnection, ID: o.ConnectionID}
	case order.EventStatus:
		out.Text = from + " → " + to
		if e.Text != "" {
			out.Text += ": " + reasonText(e.Text)
		}
	case order.EventAnomaly:
		out.Text, out.Level = "went from "+from+" to "+to+", which the platform does not document; followed all the same", view.Watch
	case order.EventUnknownStatus:
		out.Text, out.Level = "the platform says “"+e.To+"”, a word we do not know", view.Watch
	case order.EventReady:
		out.Text = "a label is made"
	case order.EventHandedOver:
		out.Text, out.Level = "the carrier has it", view.Good
	case order.EventDelivered:
		out.Text, out.Level = "delivered", view.Good
	case order.EventUnitsCancelled:
		out.Text = unitsOf(e.Count) + " cancelled"
	case order.EventCancelRequested:
		out.Text, out.Level = "the buyer asks to cancel; answer before shipping", view.Watch
	case order.EventCancellation:
		out.Text = "cancellation " + e.Ref + " is " + e.To
	case order.EventAddress:
		out.Text, out.Level = "the delivery address changed", view.Watch
	case order.EventReturn:
		out.Text = "return " + e.Ref + ": " + e.To
	case order.EventDeadline:
		out.Text = "the deadline moved from " + e.From + " to " + e.To
	case EventRouted, EventRetried, EventSettled, EventRenumbered, EventUnrouted:
		routeEntry(row, &out)
	case EventSubstituted:
		substitutedEntry(row, &out)
	case EventCombined:
		out.Kind, out.Text = "combined", "ships in one parcel with other orders of the buyer"
	case EventDivided:
		out.Kind, out.Text = "divided", "ships in one parcel more"
	case EventTakenOut:
		out.Kind, out.Text = "taken out", "left the parcel that it shared with other orders"
	case EventUnmapped:
		out.Kind, out.Text, out.Level = "not mapped", "it sells something no item is known for", view.Bad
	default:
		out.Text = strings.ReplaceAll(row.Kind, ".", " ")
	}
	return out
}

// movementWord is what a movement did, with its quantity.
func movementWord(m stock.Movement) string {
	n := max(m.OnHand, -m.OnHand, m.Reserved, -m.Reserved, m.Damaged, -m.Damaged)
	word := map[stock.Kind]string{stock.Reserve: "held", stock.Release: "released", stock.Cancel: "freed by the cancellation,", stock.Expire: "freed by expiry,",
		stock.Ship: "shipped", stock.Displace: "taken back because they are gone:", stock.Return: "came back:"}[m.Kind]
	return cmp.Or(word, string(m.Kind)) + " " + number(n) + " ×"
}

// takenEvent is an order's event with where the fact behind it came from.
type takenEvent struct {
	order.Event
	Source  string `json:"source,omitempty"`  // one of the Source constants; empty: taken in before this was stored
	Message string `json:"message,omitempty"` // the id of the stored message behind it, if it was a webhook
}

// ownEvents are events of an order that no fact of a channel's is behind.
var ownEvents = map[string]bool{EventRouted: true, EventUnrouted: true, EventRetried: true, EventSettled: true, EventRenumbered: true, EventSubstituted: true}

// noSource stands for the source of an event that was stored without one.
const noSource = "not recorded"

// factsOf groups events by the moment and the message they were taken in with: each is one thing the channel told us, with what it changed.
func factsOf(events []store.Event) []view.FactRow {
	var out []view.FactRow
	for _, row := range events {
		var e takenEvent
		if json.Unmarshal(row.Data, &e) != nil || !strings.HasPrefix(row.Kind, "order.") || ownEvents[row.Kind] {
			continue
		}
		effect := strings.ReplaceAll(strings.TrimPrefix(row.Kind, "order."), "_", " ")
		if row.Kind == string(order.EventStatus) {
			effect = "now: " + cmp.Or(states[order.Status(e.To)], e.To)
		}
		if row.Kind == string(order.EventSeen) {
			effect = "new"
		}
		source := cmp.Or(e.Source, noSource)
		if n := len(out) - 1; n >= 0 && out[n].ReceivedAt.Equal(row.At) && out[n].Source == source && out[n].Message == e.Message {
			out[n].Effect += ", " + effect
			continue
		}
		out = append(out, view.FactRow{ID: number(row.Seq), ReceivedAt: row.At, EventAt: e.At, Source: source, Message: e.Message, Effect: effect})
	}
	return out
}
