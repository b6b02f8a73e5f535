package storybook

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// dues are the distances to the deadline of the open orders, in minutes.
var dues = []int{-34, 12, 26, 41, 55, 74, 96, 130, 151, 190, 214, 260, 305, 352, 410, 480, 566, 700, 884, 1010, 1130, 1260, 1390, 1522}

// trade fills the order book, the calendar and the inbox.
func (b *Book) trade() {
	conns := []string{"clip-north", "cart-north", "clip-north", "clip-outlet"}
	for i, m := range dues {
		it := b.items[(i*3)%10]
		due := b.opened.Add(time.Duration(m) * time.Minute)
		o := b.newOrder(fmt.Sprintf("57718%07d", 3000+i), conns[i%4], it, int64(1+i%3), due.Add(-22*time.Hour), due)
		if i == 3 {
			o.State, o.ChannelState = "on hold", "ON_HOLD"
		}
	}
	short := b.orders[7]
	short.Short, short.Level = 1, view.Bad
	short.OrderLines[0].Short, short.OrderLines[0].Held = 1, short.OrderLines[0].Qty-1
	for i := range 18 {
		b.finished(i, conns[i%4])
	}
	b.plan()
	b.park()
}

// finished adds an order that has left, or was cancelled.
func (b *Book) finished(i int, conn string) {
	it := b.items[(i*5)%10]
	due := b.opened.Add(time.Duration(-i-2) * time.Hour)
	o := b.newOrder(fmt.Sprintf("57718%07d", 2000+i), conn, it, int64(1+i%2), due.Add(-22*time.Hour), due)
	o.State, o.ChannelState, o.Level, o.Due = "shipped", "IN_TRANSIT", view.Quiet, nil
	met := o.Deadlines[0].At.Add(-40 * time.Minute)
	o.Deadlines = o.Deadlines[:1]
	o.Deadlines[0].Met, o.Deadlines[0].Level = &met, view.Good
	o.OrderLines[0].Shipped, o.OrderLines[0].Held = o.OrderLines[0].Qty, 0
	o.Reservations[0].Shipped, o.Reservations[0].Held, o.Reservations[0].UpdatedAt = o.OrderLines[0].Qty, 0, met
	o.Timeline = append(o.Timeline, view.Entry{At: met, Kind: "shipped", Text: "handed to the carrier in one parcel", Actor: "lena@nordlicht.example", Level: view.Good})
	if i%6 == 5 {
		o.State, o.ChannelState, o.CancelReason, o.CancelFault = "cancelled", "CANCELLED", "ordered by mistake", "buyer"
		o.OrderLines[0].Cancelled, o.OrderLines[0].Shipped = o.OrderLines[0].Qty, 0
	}
}

// newOrder adds an open order of one line.
func (b *Book) newOrder(number, conn string, it *item, qty int64, placed, due time.Time) *view.OrderPage {
	price := fmt.Sprintf("%d.90 EUR", 12+3*len(it.title)%40)
	o := &view.OrderPage{
		OrderRow: view.OrderRow{
			ID: conn + ":" + number, Number: number, ConnectionID: conn, Channel: channelNames[conn], State: "to ship", Due: &due, DueWhat: "hand to the carrier",
			Placed: placed, Lines: 1, Units: qty, Total: price,
		},
		Buyer: fmt.Sprintf("b-%06x", len(number)*7919+len(b.orders)*104729%0xffffff), Destination: "DE, Brandenburg", ChannelState: "AWAITING_SHIPMENT",
		Deadlines: []view.Deadline{
			{Name: "Hand to the carrier", At: due, Source: "the order’s collection_due_time"},
			{Name: "Automatic cancellation", At: due.Add(48 * time.Hour), Source: "the order’s cancel_order_sla_time"},
		},
		OrderLines:   []view.OrderLine{{LineID: number + "-1", ItemID: it.id, SKU: it.id, Title: it.title, Qty: qty, Held: qty, Price: price}},
		Reservations: []view.Reservation{{ItemID: it.id, SKU: it.id, Location: "Berlin", Held: qty, UpdatedAt: placed}},
	}
	b.tellStory(o)
	b.orders = append(b.orders, o)
	return o
}

func (b *Book) tellStory(o *view.OrderPage) {
	at, it := o.Placed, o.OrderLines[0]
	item := view.Ref{Kind: view.KindItem, ID: it.ItemID}
	o.Timeline = []view.Entry{
		{At: at, Kind: "placed", Text: "on " + o.Channel, Ref: view.Ref{Kind: view.KindConnection, ID: o.ConnectionID}},
		{At: at.Add(214 * time.Millisecond), Kind: "received", Text: "webhook, answered in 4 ms"},
		{At: at.Add(252 * time.Millisecond), Kind: "reserved", Text: fmt.Sprintf("%d × %s in Berlin", it.Qty, it.SKU), Ref: item, Level: view.Good},
		{At: at.Add(253 * time.Millisecond), Kind: "no push", Text: "the sale lowered what this channel may sell; no other number changed"},
	}
	o.Facts = []view.FactRow{
		{ID: o.ID + "/1", ReceivedAt: at.Add(214 * time.Millisecond), EventAt: at, Source: "webhook", Message: "clip/clip-app/7466-" + o.Number, Effect: "new order"},
		{ID: o.ID + "/2", ReceivedAt: at.Add(9 * time.Second), EventAt: at, Source: "poll", Effect: "nothing new"},
	}
}

// level judges an open order by its slack.
func (b *Book) level(o view.OrderRow) view.Level {
	if o.Due == nil || o.State == "cancelled" || o.State == "shipped" {
		return view.Quiet
	}
	switch slack := o.Due.Sub(b.now()); {
	case slack < 0:
		return view.Bad
	case slack < time.Hour:
		return view.Watch
	}
	return view.Quiet
}

// byOpenSlack lists open orders by slack. The caller holds the lock.
func (b *Book) byOpenSlack() []view.OrderRow {
	var out []view.OrderRow
	for _, o := range b.orders {
		if o.Due != nil {
			row := o.OrderRow
			row.Level = b.level(row)
			out = append(out, row)
		}
	}
	slices.SortStableFunc(out, func(x, y view.OrderRow) int { return x.Due.Compare(*y.Due) })
	return out
}

var stateNames = []view.Count{{ID: "", Label: "Open"}, {ID: "late", Label: "Late"}, {ID: "hold", Label: "On hold"}, {ID: "short", Label: "Short"}, {ID: "shipped", Label: "Shipped"}, {ID: "cancelled", Label: "Cancelled"}, {ID: "all", Label: "All"}}

func (b *Book) inState(o view.OrderRow, state string) bool {
	switch state {
	case "":
		return o.Due != nil
	case "late":
		return o.Due != nil && o.Due.Before(b.now())
	case "hold":
		return o.State == "on hold"
	case "short":
		return o.Short > 0
	case "all":
		return true
	}
	return o.State == state
}

// pageSize is small, so that paging can be tried with few rows.
const pageSize = 20

// Orders lists orders.
func (b *Book) Orders(_ context.Context, f view.OrderFilter) (view.OrderList, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.OrderList{}, err
	}
	defer unlock()
	out := view.OrderList{At: b.now(), Filter: f, States: slices.Clone(stateNames)}
	for _, c := range b.conns {
		out.Channels = append(out.Channels, view.Option{ID: c.ID, Label: channelNames[c.ID]})
	}
	all := b.byOpenSlack()
	for _, o := range slices.Backward(b.orders) {
		if o.Due == nil {
			all = append(all, o.OrderRow)
		}
	}
	known := false
	skip := f.After != ""
	for _, o := range all {
		for i := range out.States {
			if b.inState(o, out.States[i].ID) {
				out.States[i].N++
			}
		}
		if !b.inState(o, f.State) || f.ConnectionID != "" && o.ConnectionID != f.ConnectionID || !strings.Contains(o.Number, f.Query) {
			continue
		}
		if !skip && len(out.Rows) < pageSize {
			out.Rows = append(out.Rows, o)
		} else if !skip && out.Next == "" {
			out.Next = out.Rows[len(out.Rows)-1].ID
		}
		skip = skip && o.ID != f.After
	}
	for _, s := range stateNames {
		known = known || s.ID == f.State
	}
	if !known {
		return view.OrderList{}, errs.New(errs.Invalid, "storybook.Orders", f.State, "is not a state of orders.")
	}
	return out, nil
}

// lateRisk is what a queue and a purchase say of an open order.
func (b *Book) lateRisk(o *view.OrderPage) *view.LateRisk {
	queue := view.PPM(min(999_000, max(4_000, 620_000-int64(o.Due.Sub(b.now()).Minutes())*12_000)))
	return &view.LateRisk{At: b.now(), InQueue: &queue, AtPurchase: 83_000, Usual: 21_000, Text: "The queue it stands in knows better than its purchase did.",
		Reasons: []view.Input{{Name: "raises it", Value: "bought at 22:10, after the day’s last van"}, {Name: "lowers it", Value: "it has one line"}},
		Basis:   "Learned from 18,204 orders of this shop until yesterday; of those given 8 %, 7.6 % were late."}
}

// Order shows one order.
func (b *Book) Order(_ context.Context, id string) (view.OrderPage, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.OrderPage{}, err
	}
	defer unlock()
	for _, o := range b.orders {
		if o.ID == id {
			p := *o
			p.At, p.Level = b.now(), b.level(o.OrderRow)
			p.Route = b.route(&p)
			if p.Due != nil {
				p.Deadlines = slices.Clone(p.Deadlines)
				p.Deadlines[0].Level = p.Level
				p.Risk = b.lateRisk(&p)
			} else if p.State == "shipped" {
				p.Level = view.Good
			}
			return p, nil
		}
	}
	if p, ok := b.countedPage(id); ok {
		return p, nil
	}
	return view.OrderPage{}, errs.New(errs.NotFound, "storybook.Order", id, "There is no order %s.", id)
}
