package ops

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// byCount sorts choices, those with the most orders first.
func byCount(a, b view.Count) int {
	return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Label, b.Label))
}

// row is an order in a rate; o nil: it is not there any more.
func (w *rateWindow) row(day policy.Day, why health.Reason, f health.Facets, o *order.Order) view.CountedOrder {
	cat, r := w.d.x.catalog.Load(), w.now.Rate
	out := view.CountedOrder{Day: dayOf(day), Against: why != "" && !why.Unjudged(), Leaves: dayOf(day + policy.Day(r.Lag+r.Days)),
		Node: cat.valueName(w.s.Connection.ID, health.FacetNode, f.Node), Carrier: and(f.Carriers), Region: f.Region,
		Mode: cat.valueName(w.s.Connection.ID, health.FacetMode, f.Mode), Item: itemsText(f.Items)}
	if why != "" {
		out.Reason = reasonName(why)
	}
	if o == nil {
		return out
	}
	out.ID, out.Number = o.ID, cmp.Or(o.Number, o.ExternalID)
	if len(o.Lines) > 0 {
		l := &o.Lines[0]
		out.Item = number(l.Qty) + " × " + cmp.Or(l.SellerSKU, l.ExternalSKU)
		if n := len(o.Lines) - 1; n > 0 {
			out.Item += " and " + number(n) + " more"
		}
	}
	due, done := w.dueAndDone(o)
	out.Due, out.Done = ptr(due), ptr(done)
	return out
}

func itemsText(items []string) string {
	if len(items) <= 1 {
		return strings.Join(items, "")
	}
	return items[0] + " and " + number(len(items)-1) + " more"
}

// dueAndDone is by when what the rate asks of an order was due, and when it happened; zero: no such deadline, or not yet.
func (w *rateWindow) dueAndDone(o *order.Order) (due, done time.Time) {
	by, m := w.s.Rules.Deadlines(o), o.Moments
	switch w.now.Rate.Test {
	case policy.ReadyLate:
		return by.ShipBy, firstOf(m.ReadyAt, m.HandedOverAt, m.DeliveredAt)
	case policy.HandedOverLate:
		return by.HandOverBy, firstOf(m.HandedOverAt, m.DeliveredAt)
	case policy.DeliveredOnTime:
		return by.DeliverBy, m.DeliveredAt
	case policy.DeliveredWithin:
		return time.Time{}, m.DeliveredAt
	case policy.CancelledBySeller:
		return time.Time{}, m.CancelledAt
	}
	return time.Time{}, firstOf(m.HandedOverAt, m.DeliveredAt)
}

func firstOf(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// counted is a page of all orders the rate counts, newest first by when they were placed: only those against the shop are kept as marks, the
// others are found among the shop's orders.
func (w *rateWindow) counted(tx *store.Tx) (out []view.CountedOrder, next string, err error) {
	list, place, err := readCursor(w.f.After)
	if err != nil || list != "" && list != listNewest {
		return nil, "", errs.New(errs.Invalid, "ops.Rate", "after", "The page of the list is not one we gave out; begin again.")
	}
	judge, ok := w.d.x.rules.Load().of[w.s.Connection.ID]
	if !ok {
		return nil, "", nil
	}
	floor := (w.now.First - allBefore).Start(w.s.Rules.Location())
	for scanned := 0; scanned < allScan; scanned += orderPage {
		places, err := mergePlaces(everyStatus, orderPage, newestFirst, func(s order.Status) ([]store.DuePlace, error) {
			return tx.PlacesOfShop(w.s.Connection.ID, s, place, orderPage)
		})
		if err != nil {
			return nil, "", err
		}
		orders, err := ordersAt(tx, places)
		if err != nil {
			return nil, "", err
		}
		for i := range orders {
			if place = placeOf(&orders[i]); place.Created.Before(floor) {
				return out, "", nil
			}
			if row, ok := w.judge(judge.judge, &orders[i]); ok {
				out = append(out, row)
			}
			if len(out) == markPage {
				return out, cursorOf(listNewest, place), nil
			}
		}
		if len(places) < orderPage {
			return out, "", nil
		}
	}
	return out, cursorOf(listNewest, place), nil
}

// everyStatus are all statuses an order may have.
var everyStatus = slices.Concat(openStatuses, shippedStatuses, []order.Status{order.Cancelled})

// judge is an order as it counts in the window; false: it does not, or does not meet the choices made.
func (w *rateWindow) judge(j *health.Judge, o *order.Order) (view.CountedOrder, bool) {
	for _, c := range j.Counts(o) {
		if c.Rate != w.key.key || c.Day < w.now.First || c.Day > w.now.Last {
			continue
		}
		m := health.Mark{Reason: c.Reason, Facets: health.FacetsOf(o)}
		if n, _ := w.misses(&m); n > 0 && !(n == 1 && c.Reason.Unjudged() && w.f.Reason == "") {
			return view.CountedOrder{}, false
		}
		return w.row(c.Day, c.Reason, m.Facets, o), true
	}
	return view.CountedOrder{}, false
}

// markCursor writes a place among marks.
func markCursor(day policy.Day, id string) string { return "m." + strconv.Itoa(int(day)) + "." + id }

func readMarkCursor(text string, newest policy.Day) (policy.Day, string, error) {
	if text == "" {
		return newest, "", nil
	}
	parts := strings.SplitN(text, ".", 3)
	if len(parts) == 3 && parts[0] == "m" {
		if n, err := strconv.Atoi(parts[1]); err == nil && policy.Day(n) < newest && n > 0 {
			return policy.Day(n), parts[2], nil
		}
	}
	return 0, "", errs.New(errs.Invalid, "ops.Rate", "after", "The page of the list is not one we gave out; begin again.")
}
