package ops

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// orderPage orders are a page of the list.
	orderPage = 50
	// orderScan bounds the orders read to fill one page: a filter that few pass gives a short page with a way on.
	orderScan = 2000
	// countMost is how far orders are counted for the tabs; more are "over" it.
	countMost = 100_000
	// nearDue is when an order is worth a word.
	nearDue = time.Hour
)

// orderStates are the tabs of the list.
var orderStates = []view.Count{{ID: "", Label: "Open"}, {ID: "late", Label: "Late"}, {ID: "hold", Label: "On hold"}, {ID: "short", Label: "Short"},
	{ID: "shipped", Label: "Shipped"}, {ID: "cancelled", Label: "Cancelled"}, {ID: "all", Label: "All"}}

// leastSlack are the open orders whose deadline comes first.
func (d *Desk) leastSlack(tx *store.Tx, ch channels, n int) ([]view.OrderRow, error) {
	places, err := mergePlaces(openStatuses, n, byDue, func(s order.Status) ([]store.DuePlace, error) {
		return tx.PlacesByDue("", s, store.DuePlace{}, n)
	})
	if err != nil {
		return nil, err
	}
	orders, err := ordersAt(tx, places)
	if err != nil {
		return nil, err
	}
	return d.orderRows(tx, ch, orders)
}

// mergePlaces joins the first n places of several statuses in their common order.
func mergePlaces(statuses []order.Status, n int, less func(a, b store.DuePlace) int, read func(order.Status) ([]store.DuePlace, error)) ([]store.DuePlace, error) {
	var all []store.DuePlace
	for _, s := range statuses {
		got, err := read(s)
		if err != nil {
			return nil, err
		}
		all = append(all, got...)
	}
	slices.SortFunc(all, less)
	return all[:min(n, len(all))], nil
}

// byDue is the order of lists by deadline, and by creation where there is none.
func byDue(a, b store.DuePlace) int {
	return cmp.Or(a.Due.Compare(b.Due), a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
}

// newestFirst is the order of lists by creation.
func newestFirst(a, b store.DuePlace) int {
	return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.ID, a.ID))
}

// ordersAt reads the orders at places, in their order.
func ordersAt(tx *store.Tx, places []store.DuePlace) ([]order.Order, error) {
	ids, at := make([]string, len(places)), make(map[string]int, len(places))
	for i, p := range places {
		ids[i], at[p.ID] = p.ID, i
	}
	orders, err := tx.OrdersGet(ids)
	slices.SortFunc(orders, func(a, b order.Order) int { return cmp.Compare(at[a.ID], at[b.ID]) })
	return orders, err
}

// placeOf is an order's place in the lists, by the times the store keeps beside it.
func placeOf(o *order.Order) store.DuePlace {
	created := o.CreatedAt
	if created.IsZero() {
		created = o.UpdatedAt
	}
	return store.DuePlace{Due: order.NextDue(o).At.Truncate(time.Microsecond), Created: created.Truncate(time.Microsecond), ID: o.ID}
}

// cursor writes a place with the list it belongs to.
func cursorOf(list string, p store.DuePlace) string {
	return list + "." + strconv.FormatInt(micros(p.Due), 36) + "." + strconv.FormatInt(micros(p.Created), 36) + "." + p.ID
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func readCursor(text string) (list string, p store.DuePlace, err error) {
	if text == "" {
		return "", p, nil
	}
	bad := errs.New(errs.Invalid, "ops.Orders", "after", "The page of the list is not one we gave out; begin again.")
	parts := strings.SplitN(text, ".", 4)
	if len(parts) != 4 {
		return "", p, bad
	}
	for i, at := range []*time.Time{&p.Due, &p.Created} {
		n, err := strconv.ParseInt(parts[i+1], 36, 64)
		if err != nil {
			return "", p, bad
		}
		if n != 0 {
			*at = time.UnixMicro(n).UTC()
		}
	}
	p.ID = parts[3]
	return parts[0], p, nil
}

// The lists an order can be paged in; the cursor says which one it belongs to.
const (
	listDue    = "d" // open with a deadline, earliest first
	listNoDue  = "n" // open without one, oldest first
	listNewest = "c" // newest first, of all or of those that have left or are cancelled
	listShort  = "s" // lacking units, by id
)

// Orders is one page of orders: open ones by slack, those without a deadline after them; ended ones newest first.
func (d *Desk) Orders(ctx context.Context, f view.OrderFilter) (view.OrderList, error) {
	out := view.OrderList{At: d.x.now(), Filter: f}
	if !slices.ContainsFunc(orderStates, func(c view.Count) bool { return c.ID == f.State }) {
		return out, errs.New(errs.Invalid, "ops.Orders", f.State, "is not a state of orders")
	}
	list, place, err := readCursor(f.After)
	if err != nil {
		return out, err
	}
	if out.States, err = d.orderCounts(ctx); err != nil {
		return out, err
	}
	err = d.look(ctx, "ops.Orders", "", func(tx *store.Tx) error {
		ch, err := readChannels(tx)
		if err != nil {
			return err
		}
		out.Channels = ch.options()
		var orders []order.Order
		if f.Query != "" {
			orders, err = tx.OrderFind(f.Query, orderPage)
			orders = slices.DeleteFunc(orders, func(o order.Order) bool { return !d.passes(f, &o) })
		} else {
			orders, out.Next, err = d.orderPages(tx, f, list, place)
		}
		if err != nil {
			return err
		}
		out.Rows, err = d.orderRows(tx, ch, orders)
		return err
	})
	return out, err
}

// passes reports whether an order belongs to a filter. Whether it is short only the ledger knows; that list is made from there.
func (d *Desk) passes(f view.OrderFilter, o *order.Order) bool {
	if f.ConnectionID != "" && o.ConnectionID != f.ConnectionID {
		return false
	}
	switch f.State {
	case "":
		return slices.Contains(openStatuses, o.Status)
	case "late":
		due := order.NextDue(o).At
		return slices.Contains(openStatuses, o.Status) && !due.IsZero() && due.Before(d.x.now())
	case "hold":
		return o.Status == order.OnHold
	case "shipped":
		return slices.Contains(shippedStatuses, o.Status)
	case "cancelled":
		return o.Status == order.Cancelled
	}
	return true
}

// orderPages reads on in the filter's lists until a page is full.
func (d *Desk) orderPages(tx *store.Tx, f view.OrderFilter, list string, place store.DuePlace) (out []order.Order, next string, err error) {
	lists := listsOf(f.State)
	if list == "" {
		list = lists[0]
	}
	at := slices.Index(lists, list)
	if at < 0 {
		return nil, "", errs.New(errs.Invalid, "ops.Orders", "after", "The page belongs to another list; begin again.")
	}
	for scanned := 0; at < len(lists); {
		got, err := d.readList(tx, f, lists[at], place)
		if err != nil {
			return nil, "", err
		}
		for i := range got {
			place = placeOf(&got[i])
			if f.State == "late" && place.Due.After(d.x.now()) { // by deadline: none of the rest is late
				return out, "", nil
			}
			if !d.passes(f, &got[i]) {
				continue
			}
			if out = append(out, got[i]); len(out) == orderPage {
				return out, cursorOf(lists[at], place), nil
			}
		}
		if scanned += len(got); len(got) < orderPage {
			at, place = at+1, store.DuePlace{}
		} else if scanned >= orderScan {
			return out, cursorOf(lists[at], place), nil
		}
	}
	return out, "", nil
}

func listsOf(state string) []string {
	switch state {
	case "":
		return []string{listDue, listNoDue}
	case "late":
		return []string{listDue}
	case "hold":
		return []string{listDue, listNoDue}
	case "short":
		return []string{listShort}
	}
	return []string{listNewest}
}

// readList reads the next orders of a list.
func (d *Desk) readList(tx *store.Tx, f view.OrderFilter, list string, place store.DuePlace) ([]order.Order, error) {
	var places []store.DuePlace
	var err error
	statuses, shop := statusesOf(f), f.ConnectionID
	switch {
	case list == listShort:
		ids, err := tx.ShortOrders(place.ID, orderPage)
		if err != nil {
			return nil, err
		}
		return tx.OrdersGet(ids)
	case list == listDue:
		places, err = mergePlaces(statuses, orderPage, byDue, func(s order.Status) ([]store.DuePlace, error) {
			return tx.PlacesByDue(shop, s, place, orderPage)
		})
	case list == listNoDue:
		places, err = mergePlaces(statuses, orderPage, byDue, func(s order.Status) ([]store.DuePlace, error) {
			return tx.PlacesWithoutDue(shop, s, place, orderPage)
		})
	case shop != "":
		places, err = mergePlaces(statuses, orderPage, newestFirst, func(s order.Status) ([]store.DuePlace, error) {
			return tx.PlacesOfShop(shop, s, place, orderPage)
		})
	case f.State == "all":
		places, err = tx.PlacesNewest(place, orderPage)
	default:
		places, err = mergePlaces(statuses, orderPage, newestFirst, func(s order.Status) ([]store.DuePlace, error) {
			return tx.PlacesEnded(s, place, orderPage)
		})
	}
	if err != nil {
		return nil, err
	}
	return ordersAt(tx, places)
}

// statusesOf are the statuses of the orders that a filter lets pass.
func statusesOf(f view.OrderFilter) []order.Status {
	switch f.State {
	case "hold":
		return []order.Status{order.OnHold}
	case "cancelled":
		return []order.Status{order.Cancelled}
	case "shipped":
		return shippedStatuses
	case "all":
		return slices.Concat(openStatuses, shippedStatuses, []order.Status{order.Cancelled})
	}
	return openStatuses
}

// orderCounts are the tabs with how many orders there are in each; the large ones are counted up to a bound.
func (d *Desk) orderCounts(ctx context.Context) ([]view.Count, error) {
	s, err := d.survey(ctx)
	if err != nil {
		return nil, err
	}
	ended, _, err := d.counted.get(ctx, d.x.ctx, d.x.now, countsEvery, d.countEnded)
	if err != nil {
		return nil, err
	}
	n := map[string]int64{"": s.open, "late": s.slack.Late, "short": ended["short"], "shipped": ended["shipped"], "cancelled": ended["cancelled"]}
	for _, c := range s.byStatus {
		if c.Status == order.OnHold {
			n["hold"] = c.All
		}
	}
	n["all"] = n[""] + n["shipped"] + n["cancelled"]
	out := slices.Clone(orderStates)
	for i := range out {
		if out[i].N = n[out[i].ID]; out[i].N >= countMost && out[i].ID != "" && out[i].ID != "late" {
			out[i].Label += ", over"
		}
	}
	return out, nil
}

func (d *Desk) countEnded(ctx context.Context) (map[string]int64, error) {
	n := map[string]int64{}
	err := d.count(ctx, func(tx *store.Tx) error {
		for _, s := range shippedStatuses {
			k, err := tx.OrderCountUpTo(s, countMost)
			if err != nil {
				return err
			}
			n["shipped"] = min(countMost, n["shipped"]+k)
		}
		k, err := tx.OrderCountUpTo(order.Cancelled, countMost)
		if err != nil {
			return err
		}
		n["cancelled"] = k
		ids, err := tx.ShortOrders("", orderScan)
		n["short"] = int64(len(ids))
		return err
	})
	return n, err
}

// orderRows are orders as a list shows them, in their order.
func (d *Desk) orderRows(tx *store.Tx, ch channels, orders []order.Order) ([]view.OrderRow, error) {
	ids := make([]string, len(orders))
	for i := range orders {
		ids[i] = orders[i].ID
	}
	held, err := tx.ReservationsForOrders(ids)
	if err != nil {
		return nil, err
	}
	short := map[string]int64{}
	for _, r := range held {
		short[r.OrderID] += r.Short + r.Unbooked
	}
	out := make([]view.OrderRow, len(orders))
	for i := range orders {
		out[i] = d.orderRow(&orders[i], ch, short[orders[i].ID])
	}
	return out, nil
}

func (d *Desk) orderRow(o *order.Order, ch channels, short int64) view.OrderRow {
	row := view.OrderRow{ID: o.ID, Number: cmp.Or(o.Number, o.ExternalID), ConnectionID: o.ConnectionID, Channel: ch.of(o.ConnectionID), State: states[o.Status],
		Placed: placeOf(o).Created, Lines: int64(len(o.Lines)), Short: short, Total: ""}
	if o.Totals.Total.Currency != "" {
		row.Total = o.Totals.Total.String()
	}
	for _, l := range o.Lines {
		row.Units += l.Qty - l.Cancelled
	}
	if due := order.NextDue(o); !due.At.IsZero() && slices.Contains(openStatuses, o.Status) {
		row.Due, row.DueWhat = &due.At, deadlines[due.Kind].what
	}
	row.Level = d.orderLevel(row)
	return row
}

// orderLevel judges an order by what it lacks and by its slack.
func (d *Desk) orderLevel(row view.OrderRow) view.Level {
	switch {
	case row.Short > 0:
		return view.Bad
	case row.Due == nil:
		return view.Quiet
	case row.Due.Before(d.x.now()):
		return view.Bad
	case row.Due.Sub(d.x.now()) < nearDue:
		return view.Watch
	}
	return view.Quiet
}

// shortOfOrder sums what an order lacks.
func shortOfOrder(rows []stock.Reservation) int64 {
	var n int64
	for _, r := range rows {
		n += r.Short + r.Unbooked
	}
	return n
}
