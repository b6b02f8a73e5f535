package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/store"
)

const (
	// historyChunk orders share a transaction while a database is filled.
	historyChunk = 2_000
	// historySetting is where a filled database says what it holds and how far the filling has come.
	historySetting = "bench.history"
	// historyStock units of every item outlast any history.
	historyStock = 1_000_000_000
	// One buyer bought every busyEvery-th order: a reseller, whose newest orders must be found as quickly.
	busyEvery = 200
	// externalStep is between the channel's ids of two orders.
	externalStep = 7919
	// caseEvery-th order has a return.
	caseEvery = 40
)

// history is what a filled database holds. Everything about an order follows from its number, so that measurements know what to ask for.
type history struct {
	Orders int       `json:"orders"`
	Days   int       `json:"days"`
	Items  int       `json:"items"`
	End    time.Time `json:"end"`
	Done   int       `json:"done"`   // orders written so far
	Sliced bool      `json:"sliced"` // most of it repeats its first part
	// Copying: it was cut off between a first copy and the last, and is of no use.
	Copying bool `json:"copying,omitempty"`
}

// historyShops sell half, three tenths and a fifth of the orders.
var historyShops = []string{"shop-a", "shop-b", "shop-c"}

// openHistory opens the database at url, or makes it, and sees to it that it holds the history asked for. One that was filled before, or in
// part, is taken as it is.
func openHistory(ctx context.Context, url string, want history, out io.Writer) (*store.Store, history, error) {
	var clock atomic.Int64
	st, err := openAt(ctx, url, &clock)
	if err != nil {
		return nil, want, err
	}
	h := want
	h.Sliced = true
	err = st.View(ctx, func(tx *store.Tx) error {
		text, ok, err := tx.SettingGet(historySetting)
		if err == nil && ok {
			h = history{}
			err = json.Unmarshal([]byte(text), &h)
		}
		return err
	})
	if err == nil && h.Orders != want.Orders {
		err = errs.New(errs.Conflict, "bench.Pages", "", "the database holds a history of %d orders, not %d", h.Orders, want.Orders)
	}
	if err == nil && h.Copying {
		err = errs.New(errs.Conflict, "bench.Pages", "", "the database was cut off while it was filled: begin with an empty one")
	}
	if err == nil && h.Done < h.Orders {
		st, err = h.fill(ctx, st, url, &clock, out)
	}
	clock.Store(0)
	if err != nil {
		_ = st.Close() // the first error is the one to tell
		return nil, h, err
	}
	return st, h, nil
}

// openAt opens a database whose clock shows what clock holds, or the time if that is 0.
func openAt(ctx context.Context, url string, clock *atomic.Int64) (*store.Store, error) {
	return store.Open(ctx, url, store.Options{Now: func() time.Time {
		if at := clock.Load(); at != 0 {
			return time.UnixMicro(at)
		}
		return time.Now()
	}})
}

// progress shows how far filling is.
type progress struct {
	out         io.Writer
	began, last time.Time
	first, all  int
}

func (p *progress) show(done int) {
	if time.Since(p.last) < 10*time.Second {
		return
	}
	p.last = time.Now()
	rate := float64(done-p.first) / time.Since(p.began).Seconds()
	fmt.Fprintf(p.out, "filling: %d of %d orders (%d %%), %.0f a second, %s left\n", done, p.all, 100*done/p.all, rate,
		time.Duration(float64(p.all-done)/rate*float64(time.Second)).Round(time.Second))
}

// fill writes what is missing. It returns the store to go on with.
func (h *history) fill(ctx context.Context, st *store.Store, url string, clock *atomic.Int64, out io.Writer) (*store.Store, error) {
	p := &progress{out: out, began: time.Now(), last: time.Now(), first: h.Done, all: h.Orders}
	if h.Done == 0 {
		clock.Store(h.at(0).Add(-time.Hour).UnixMicro())
		if err := h.stocked(ctx, st); err != nil {
			return st, err
		}
	}
	if h.slice() > 0 {
		return h.fillSliced(ctx, st, url, clock, p)
	}
	return st, h.fillTo(ctx, st, clock, h.Orders, p)
}

// fillTo writes orders up to end, chunk by chunk, each with its place in the history.
func (h *history) fillTo(ctx context.Context, st *store.Store, clock *atomic.Int64, end int, p *progress) error {
	for h.Done < end {
		from, to := h.Done, min(end, h.Done+historyChunk)
		clock.Store(h.at(to - 1).UnixMicro())
		if err := st.Update(ctx, func(tx *store.Tx) error { return h.chunk(tx, from, to) }); err != nil {
			return err
		}
		h.Done = to
		p.show(h.Done)
	}
	return nil
}

// at is when order i was placed.
func (h *history) at(i int) time.Time {
	span := time.Duration(h.Days) * 24 * time.Hour
	return h.End.Add(-span + time.Duration(float64(span)*float64(i)/float64(h.Orders))).Truncate(time.Second)
}

func historyItem(n int) string { return fmt.Sprintf("item-%05d", n) }

// stocked makes shops, items, listings, their exposure, and stock for ever.
func (h *history) stocked(ctx context.Context, st *store.Store) error {
	return st.Update(ctx, func(tx *store.Tx) error {
		if err := tx.LocationPut(stock.Location{ID: "main", Name: "Main", Kind: stock.Own, Active: true}); err != nil {
			return err
		}
		for i, shop := range historyShops {
			if err := tx.ConnectionPut(store.Connection{ID: shop, Vendor: "dummy", Name: "Shop " + strconv.Itoa(i+1), AppID: "app", Region: historyMarket, State: store.Paused, CreatedAt: tx.Now()}); err != nil {
				return err
			}
		}
		var items []catalog.Item
		var ids []string
		var listings []catalog.Listing
		var books []store.BookRow
		for n := range h.Items {
			id := historyItem(n)
			ids = append(ids, id)
			items = append(items, catalog.Item{ID: id, SKU: id, Title: "Article " + strconv.Itoa(n), Barcode: strconv.Itoa(4_000_000_000_000 + n), CreatedAt: tx.Now()})
			for _, shop := range historyShops {
				l := catalog.Listing{ID: catalog.ListingID(shop, id), ConnectionID: shop, ExternalSKU: id, SellerSKU: id, ItemID: id, Active: true, UpdatedAt: tx.Now()}
				row, err := historyBook(l.ID, shop, tx.Now())
				if err != nil {
					return err
				}
				listings, books = append(listings, l), append(books, row)
			}
		}
		if err := tx.ItemPut(items); err != nil {
			return err
		}
		if err := tx.ListingPut(listings); err != nil {
			return err
		}
		if err := tx.BooksSave(books); err != nil {
			return err
		}
		b, err := tx.LedgerOpen(actor, ids, nil)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := b.Move(stock.Movement{ID: "first/" + id, Kind: stock.Receive, ItemID: id, LocationID: "main", OnHand: historyStock}); err != nil {
				return err
			}
		}
		return tx.LedgerSave(b)
	})
}

func historyBook(listing, shop string, at time.Time) (store.BookRow, error) {
	b := allocation.NewBook(listing, allocation.Absolute, 1000, at, at, at)
	state, err := json.Marshal(b)
	told := int64(b.Told)
	return store.BookRow{ListingID: listing, ConnectionID: shop, Told: &told, Exposure: int64(b.Exposure), Desired: told, State: state}, err
}

// chunk writes orders from to to-1 with all that belongs to them.
func (h *history) chunk(tx *store.Tx, from, to int) error {
	orders := make([]order.Order, 0, to-from)
	var events []store.Event
	items := map[string]bool{}
	for i := from; i < to; i++ {
		o := h.order(i)
		for _, l := range o.Lines {
			items[l.ExternalSKU] = true
		}
		orders = append(orders, o)
		events = h.eventsOf(events, &o)
	}
	ids := make([]string, 0, len(items))
	for id := range items {
		ids = append(ids, id)
	}
	b, err := tx.LedgerOpen(actor, ids, nil)
	if err != nil {
		return err
	}
	for i := range orders {
		if err := historyDemand(b, &orders[i]); err != nil {
			return err
		}
	}
	if err := tx.LedgerSave(b); err != nil {
		return err
	}
	if err := tx.OrdersSave(orders); err != nil {
		return err
	}
	if err := tx.EventsAppend(events); err != nil {
		return err
	}
	done := *h
	done.Done = to
	text, err := json.Marshal(done)
	if err != nil {
		return err
	}
	return tx.SettingSet(historySetting, string(text))
}

// historyDemand books what an order did to stock: held, then shipped or freed.
func historyDemand(b *stock.Book, o *order.Order) error {
	for _, l := range o.Lines {
		w := stock.Want{OrderID: o.ID, LineID: l.Key, ItemID: l.ExternalSKU, ConnectionID: o.ConnectionID, Reserve: l.Qty, Due: o.Deadlines.ShipBy}
		if _, err := b.Settle(w); err != nil {
			return err
		}
		switch {
		case o.Status.Left():
			w.Reserve, w.Ship = 0, l.Qty
		case o.Status == order.Cancelled:
			w.Reserve, w.ReleaseKind = 0, stock.Cancel
		default:
			continue
		}
		if _, err := b.Settle(w); err != nil {
			return err
		}
	}
	return nil
}

// historyStatus is how far an order of that age is.
func historyStatus(age time.Duration, dice *rand.Rand) order.Status {
	const day = 24 * time.Hour
	p := dice.IntN(100)
	switch {
	case p < 4:
		return order.Cancelled
	case age < 2*day && p < 10:
		return order.OnHold
	case age < 2*day && p < 75:
		return order.AwaitingShipment
	case age < 2*day && p < 90:
		return order.AwaitingCollection
	case age < 6*day:
		return order.InTransit
	case age < 20*day:
		return order.Delivered
	}
	return order.Completed
}

// The ids of order i.
func historyExternal(i int) string { return strconv.Itoa(576_400_000_000_000_000 + i*externalStep) }
func historyNumber(i int) string   { return "#" + strconv.Itoa(100_000+i) }
func historyParcel(i int) string   { return "PK" + strconv.Itoa(11_000_000_000+i*31) }
func historyCase(i int) string     { return "RT" + strconv.Itoa(40_000_000_000+i) }

// buyer is the hash of order i's buyer, one of a third as many buyers as orders.
func (h *history) buyer(i int) string {
	if i%busyEvery == 0 {
		return "busy000000000000busy000000000000"
	}
	if n := h.slice(); n > 0 && i < n*(historySlices-recentSlices) && i >= n { // a copy: see sliceCopies
		return h.buyer(i % n)[:28] + fmt.Sprintf("%04x", i/n)
	}
	n := rand.New(rand.NewPCG(uint64(i), 7)).IntN(h.Orders/3 + 1)
	x := rand.New(rand.NewPCG(uint64(n), 11))
	return fmt.Sprintf("%016x%016x", x.Uint64(), x.Uint64())
}

func historyShop(i int) string { return historyShops[[10]int{0, 1, 0, 2, 0, 1, 0, 1, 0, 2}[i%10]] }

// historyMarket is where the shops sell.
const historyMarket = "US"

// Where orders leave from and go to, and who carries them.
var (
	historyNodes    = []string{"7068517275539719942", "7068517275539719943", "7068517275539719944"}
	historyRegions  = []string{"US-CA", "US-TX", "US-NY", "US-FL", "US-WA", "US-IL", "US-PA", "US-OH", "US-GA", "US-NC"}
	historyCarriers = []string{"USPS", "UPS", "FedEx"}
	historyNumbers  = []string{"9400111899223197428497", "1Z999AA10123456784", "986578788855"} // that these carriers can have given
)

// historyEnd is how an order that is over ended: some late, some by the seller's fault.
func historyEnd(o *order.Order, dice *rand.Rand) {
	switch o.Status {
	case order.Delivered, order.Completed:
		o.Moments.DeliveredAt = o.CreatedAt.Add(time.Duration(4+dice.IntN(5)) * 24 * time.Hour)
	case order.Cancelled:
		o.Moments.CancelledAt = o.CreatedAt.Add(10 * time.Hour)
		o.Cancel = order.Cancel{Reason: "seller_cancel_reason_out_of_stock", Role: order.RoleSeller, Fault: order.FaultSeller}
		if dice.IntN(2) == 0 {
			o.Cancel = order.Cancel{Reason: "ecom_order_to_ship_canceled_reason_no_longer_needed", Role: order.RoleBuyer, Fault: order.FaultBuyer}
		}
	}
}

// order is order i as intake would have stored it by the end of the history.
func (h *history) order(i int) order.Order {
	dice := rand.New(rand.NewPCG(uint64(i), 1))
	at := h.at(i)
	o := order.Order{ConnectionID: historyShop(i), ExternalID: historyExternal(i), Status: historyStatus(h.End.Sub(at), dice), UpdatedAt: at, StatusAt: at}
	o.ID = order.ID(o.ConnectionID, o.ExternalID)
	o.StatusText = string(o.Status)
	o.Detail = order.Detail{Number: historyNumber(i), Fulfilment: order.BySeller, CreatedAt: at, PaidAt: at.Add(time.Minute), BuyerHash: h.buyer(i),
		Deadlines:    order.Deadlines{ShipBy: at.Add(48 * time.Hour), HandOverBy: at.Add(72 * time.Hour), DeliverBy: at.Add(8 * 24 * time.Hour)},
		WarehouseRef: historyNodes[i%len(historyNodes)], Region: historyRegions[dice.IntN(len(historyRegions))]}
	o.Version = order.Version{At: at, Status: o.Status, ReadAt: at, Hash: fmt.Sprintf("%016x", dice.Uint64())}
	if o.Status.Left() {
		o.Moments = order.Moments{ReadyAt: at.Add(20 * time.Hour), HandedOverAt: at.Add(30 * time.Hour)}
		if dice.IntN(100) < 5 {
			o.Moments.HandedOverAt = at.Add(80 * time.Hour)
		}
		o.EverLeft = true
	}
	historyEnd(&o, dice)
	if o.Status.Arranged() {
		o.Parcels = []order.Parcel{{Ref: historyParcel(i), Carrier: historyCarriers[i%len(historyCarriers)], Tracking: historyNumbers[i%len(historyNumbers)]}}
	}
	lines := [10]int{1, 1, 1, 1, 1, 1, 1, 1, 2, 2}[dice.IntN(10)]
	total := money.Amount{Currency: "USD"}
	for n := range lines {
		f := dice.Float64()
		item := historyItem(min(h.Items-1, int(f*f*float64(h.Items)))) // some sell more than others
		l := order.Line{Key: strconv.Itoa(n) + ":" + item, ExternalProduct: "17" + item, ExternalSKU: item, SellerSKU: item, Title: "Article sold as " + item, Qty: 1,
			UnitPrice: money.Amount{Minor: int64(999 + dice.IntN(5000)), Currency: "USD"}}
		u := order.Unit{ExternalLineID: historyExternal(i) + strconv.Itoa(n), Status: o.Status, StatusText: o.StatusText}
		if o.Status.Arranged() {
			u.PackageRef = historyParcel(i)
		}
		l.Units = []order.Unit{u}
		total.Minor += l.UnitPrice.Minor
		o.Lines = append(o.Lines, l)
	}
	o.Totals = order.Totals{Subtotal: total, Total: total}
	if i%caseEvery == 0 {
		o.Returns = []order.Return{{ID: historyCase(i), Kind: "refund", StatusText: "done", UpdatedAt: at.Add(100 * time.Hour)}}
	}
	return o
}

// eventsOf appends the events of an order's life to es.
func (h *history) eventsOf(es []store.Event, o *order.Order) []store.Event {
	add := func(kind order.EventKind, at time.Time, from, to order.Status) {
		data := fmt.Sprintf(`{"kind":%q,"at":%q,"from":%q,"to":%q,"source":"webhook","message":"dummy/app/%s"}`, kind, at.Format(time.RFC3339), from, to, o.ExternalID)
		es = append(es, store.Event{Kind: string(kind), Subject: o.ID, Data: json.RawMessage(data)})
	}
	add(order.EventSeen, o.CreatedAt, "", order.OnHold)
	if o.Status != order.OnHold {
		add(order.EventStatus, o.CreatedAt.Add(time.Hour), order.OnHold, order.AwaitingShipment)
	}
	if o.Status != order.OnHold && o.Status != order.AwaitingShipment {
		add(order.EventStatus, o.CreatedAt.Add(30*time.Hour), order.AwaitingShipment, o.Status)
	}
	return es
}
