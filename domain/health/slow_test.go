package health

import (
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

// slow is a second evaluator, written from the words of the rules and sharing nothing with the first but the names: for every day and every rate
// it walks through all orders and asks of each whether the day's window holds it. Times are compared as times; there is no table of days.
type slow struct {
	rs       *policy.RuleSet
	zone     *time.Location
	holidays []string // dates that are no business days though their weekday is one
	due      map[string]order.Deadlines
}

// verdictOf is what the slow evaluator says of one order.
type verdictOf struct {
	num, den, against, unjudged int64
	reason                      Reason
	good                        []bool // of packages: each one's
}

// window says when the days from first to last begin and end.
func (s *slow) window(first, last policy.Day) (from, until time.Time) {
	midnight := func(d policy.Day) time.Time {
		t := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(d))
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, s.zone)
	}
	return midnight(first), midnight(last + 1)
}

// businessEnd is the last second of the n-th business day after the day of t.
func (s *slow) businessEnd(t time.Time, n int) time.Time {
	t = t.In(s.zone)
	day := time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, s.zone)
	for n > 0 {
		day = day.AddDate(0, 0, 1)
		if s.business(day) {
			n--
		}
	}
	return time.Date(day.Year(), day.Month(), day.Day(), 23, 59, 59, 0, s.zone)
}

func (s *slow) business(day time.Time) bool {
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday && !slices.Contains(s.holidays, day.Format(time.DateOnly))
}

// deadlines: the platform's, else two business days to arrange and hand over and six to deliver, for regular orders.
func (s *slow) deadlines(o *order.Order) order.Deadlines {
	if d, ok := s.due[o.ID]; ok {
		return d
	}
	d := o.Deadlines
	start := o.PaidAt
	if o.Flags.COD { // owed from the start
		start = time.Time{}
	}
	if start.IsZero() && (o.Status != order.Unpaid || o.Flags.COD) {
		start = o.CreatedAt
	}
	if !start.IsZero() && o.Fulfilment == order.BySeller && !o.Flags.PreOrder {
		for _, x := range []struct {
			field *time.Time
			days  int
		}{{&d.ShipBy, 2}, {&d.HandOverBy, 2}, {&d.DeliverBy, 6}} {
			if x.field.IsZero() {
				*x.field = s.businessEnd(start, x.days)
			}
		}
	}
	s.due[o.ID] = d
	return d
}

func earliestKnown(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// when is the moment that puts the order into the rate's windows.
func (s *slow) when(o *order.Order, rate string) time.Time {
	switch rate {
	case "ldr-ready", "vtr":
		return earliestKnown(o.Moments.ReadyAt, o.Moments.HandedOverAt, o.Moments.DeliveredAt)
	case "ldr-scan":
		return earliestKnown(o.Moments.HandedOverAt, o.Moments.DeliveredAt)
	case "within":
		return o.Moments.DeliveredAt
	case "sfcr":
		if o.Status == order.Unpaid || o.Status == order.OnHold {
			return time.Time{}
		}
		if o.Status == order.Cancelled && slices.ContainsFunc(order.Reasons, func(r order.Reason) bool {
			return r.Unpaid && strings.TrimSuffix(o.Cancel.Reason, "_uk") == r.Name
		}) {
			return time.Time{}
		}
		if !o.Flags.COD && !o.PaidAt.IsZero() {
			return o.PaidAt
		}
		return o.CreatedAt
	case "otdr":
		if o.Status == order.Unpaid || o.Status == order.OnHold {
			return time.Time{}
		}
		due := s.deadlines(o).DeliverBy
		if o.Status == order.Cancelled && o.Moments.DeliveredAt.IsZero() {
			if over := earliestKnown(o.Moments.CancelledAt, o.StatusAt); !over.After(due) {
				return time.Time{}
			}
		}
		return due
	}
	panic("no such rate: " + rate)
}

// judge says how the order counts in the rate, given that it is in the window; false: not at all.
func (s *slow) judge(o *order.Order, rate string) (v verdictOf, ok bool) {
	platform := o.Fulfilment == order.ByPlatform
	v.den = 1
	against := func(yes bool, why Reason) {
		if yes {
			v.against, v.reason = v.den, why
		}
	}
	switch rate {
	case "ldr-ready", "ldr-scan":
		due, done := s.deadlines(o).ShipBy, s.when(o, rate)
		if rate == "ldr-scan" {
			due = s.deadlines(o).HandOverBy
		}
		switch {
		case platform:
		case due.IsZero():
			v.unjudged, v.reason = 1, UnknownDue
		default:
			against(done.After(due), howLate(done.Sub(due)))
		}
		v.num = v.against
		return v, true
	case "sfcr":
		if platform || o.Flags.Sample {
			return v, false
		}
		if o.Status == order.Cancelled {
			against(o.Cancel.Fault == order.FaultSeller, cancelledWhy(o.Cancel.Reason))
			open := slices.ContainsFunc(order.Reasons, func(r order.Reason) bool {
				return r.Unverified && r.Fault == o.Cancel.Fault && strings.TrimSuffix(o.Cancel.Reason, "_uk") == r.Name
			})
			if o.Cancel.Fault == order.FaultUnknown || o.Cancel.Fault == "" || open {
				v.unjudged, v.reason = 1, UnknownFault
			}
		}
		v.num = v.against
		return v, true
	case "otdr":
		if platform || o.Flags.PlatformLabel {
			return v, false
		}
		due, done := s.deadlines(o).DeliverBy, o.Moments.DeliveredAt
		if done.IsZero() && o.Status == order.Completed {
			v.unjudged, v.reason = 1, UnknownOutcome
		} else if done.IsZero() {
			against(true, NotDelivered)
			if o.Status == order.AwaitingShipment || o.Status == order.PartiallyShipping || o.Status == order.AwaitingCollection || o.Status == order.InTransit {
				v.reason = NotDeliveredYet
			}
		} else {
			against(done.After(due), howLate(done.Sub(due)))
		}
	case "within":
		if platform {
			return v, false
		}
		v.den = int64(max(1, len(o.Parcels)))
		if o.Moments.HandedOverAt.IsZero() {
			v.unjudged, v.reason = v.den, UnknownDue
		} else {
			against(s.daysBetween(o.Moments.HandedOverAt, o.Moments.DeliveredAt) >= 5, TooLong)
		}
	case "vtr":
		return s.packages(o)
	}
	v.num = v.den - v.against
	return v, true
}

func (s *slow) packages(o *order.Order) (v verdictOf, ok bool) {
	seen := !o.Moments.HandedOverAt.IsZero() || !o.Moments.DeliveredAt.IsZero()
	if o.Fulfilment == order.ByPlatform || o.Flags.PlatformLabel || (o.Status == order.Cancelled && !seen) {
		return v, false
	}
	parcels := o.Parcels
	if len(parcels) == 0 {
		parcels = []order.Parcel{{}}
	}
	for _, p := range parcels {
		why := Reason("")
		switch digits := strings.Count(strings.Map(func(c rune) rune {
			if c >= '0' && c <= '9' {
				return '#'
			}
			return c
		}, p.Tracking), "#"); {
		case p.Tracking == "":
			why = NoTracking
		case len(p.Tracking) < 8 || digits < 4 || strings.Contains(p.Tracking, "?"),
			strings.HasPrefix(p.Tracking, "1Z") && (p.Carrier != "ups" || !strings.HasSuffix(p.Tracking, "4")),
			strings.HasPrefix(p.Tracking, "94") && (p.Carrier != "usps" || !strings.HasSuffix(p.Tracking, "7")):
			why = BadTracking // numbers that are told have these two beginnings, and a check digit
		case !seen:
			if why = NotScannedYet; o.Status == order.Completed || o.Status == order.Delivered {
				why = NeverScanned
			}
		}
		v.den++
		v.good = append(v.good, why == "")
		if why == "" {
			v.num++
			continue
		}
		v.against++
		if v.reason == "" {
			v.reason = why
		}
	}
	return v, true
}

// daysBetween counts the business days after the day of a up to the day of b.
func (s *slow) daysBetween(a, b time.Time) int {
	noon := func(t time.Time) time.Time {
		t = t.In(s.zone)
		return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, s.zone)
	}
	n := 0
	for d := noon(a).AddDate(0, 0, 1); !d.After(noon(b)); d = d.AddDate(0, 0, 1) {
		if s.business(d) {
			n++
		}
	}
	for d := noon(a); d.After(noon(b)); d = d.AddDate(0, 0, -1) { // delivered before it was scanned: real data looks like that
		if s.business(d) {
			n--
		}
	}
	return n
}

func howLate(d time.Duration) Reason {
	if d > 48*time.Hour {
		return "late_longer"
	}
	if d > 24*time.Hour {
		return "late_48h"
	}
	if d > 4*time.Hour {
		return "late_24h"
	}
	return "late_4h"
}

func cancelledWhy(name string) Reason {
	name = strings.TrimSuffix(name, "_uk")
	switch {
	case strings.HasSuffix(name, "out_of_stock"):
		return "cancelled_stock"
	case strings.HasSuffix(name, "wrong_price"):
		return "cancelled_price"
	case strings.HasSuffix(name, "reason_shipping_timeout"):
		return "cancelled_late"
	case strings.HasSuffix(name, "order_untracked"):
		return "cancelled_untracked"
	}
	return "cancelled_other"
}

// seen reports whether some day on which the rate holds looks at day d.
func seen(r policy.Rate, d policy.Day) bool {
	for n := range r.Days {
		if r.Holds(d + policy.Day(r.Lag+n)) {
			return true
		}
	}
	return false
}

// figures are tallies and marks by what they are of; the rate is its ID.
type figures struct {
	tallies map[Tally]pair // with Num and Den zero
	marks   map[string]int64
}

func newFigures() figures {
	return figures{tallies: map[Tally]pair{}, marks: map[string]int64{}}
}

func (f figures) count(t Tally, num, den int64) {
	p := f.tallies[t]
	if p = (pair{p.num + num, p.den + den}); p == (pair{}) {
		delete(f.tallies, t)
		return
	}
	f.tallies[t] = p
}

func (f figures) mark(connection, rate string, d policy.Day, id string, why Reason, node string, carriers, items []string, n int64) {
	key := strings.Join([]string{connection, rate, d.String(), id, string(why), node, strings.Join(carriers, "+"), strings.Join(items, "+")}, "|")
	if f.marks[key] += n; f.marks[key] == 0 {
		delete(f.marks, key)
	}
}

// day counts a day of a rate, order by order.
func (s *slow) day(f figures, connection string, orders []*order.Order, r policy.Rate, d policy.Day) {
	from, until := s.window(d, d)
	for _, o := range orders {
		when := s.when(o, r.ID)
		if when.IsZero() || when.Before(from) || !when.Before(until) {
			continue
		}
		v, ok := s.judge(o, r.ID)
		if !ok {
			continue
		}
		add := func(facet, value string, num, den int64) {
			f.count(Tally{Connection: connection, Rate: r.ID, Day: d, Facet: facet, Value: value}, num, den)
		}
		add("", "", v.num, v.den)
		add("node", o.WarehouseRef, v.num, v.den)
		add("region", o.Region, v.num, v.den)
		switch {
		case o.Fulfilment == order.ByPlatform:
			add("mode", "platform_fulfilled", v.num, v.den)
		case o.Flags.PlatformLabel:
			add("mode", "platform_label", v.num, v.den)
		default:
			add("mode", "seller", v.num, v.den)
		}
		if o.Status == order.Cancelled {
			add("fault", string(o.Cancel.Role)+"/"+o.Cancel.Reason, v.num, v.den)
		}
		items := uniq(len(o.Lines), func(i int) string { return o.Lines[i].SellerSKU })
		for _, x := range items {
			add("item", x, v.num, v.den)
		}
		carriers := uniq(len(o.Parcels), func(i int) string { return o.Parcels[i].Carrier })
		for _, x := range carriers {
			num, den := v.num, v.den
			if r.Counts == policy.Packages && len(carriers) > 1 {
				num, den = 0, 0
				for i, p := range o.Parcels {
					if p.Carrier != x {
						continue
					}
					den++
					if (v.good != nil && v.good[i]) || (v.good == nil && v.num == v.den) {
						num++
					}
				}
			}
			add("carrier", x, num, den)
		}
		if v.unjudged > 0 {
			add("unjudged", "", 0, v.unjudged)
		}
		if n := v.against + v.unjudged; n > 0 {
			f.mark(connection, r.ID, d, o.ID, v.reason, o.WarehouseRef, carriers, items, n)
		}
	}
}

func uniq(n int, value func(int) string) []string {
	set := map[string]bool{}
	for i := range n {
		set[value(i)] = true
	}
	if n == 0 {
		set[""] = true
	}
	var out []string
	for v := range set {
		out = append(out, v)
	}
	sort.Strings(out)
	return out
}

// rate is the figure of a day, by the rule of that day, order by order.
func (s *slow) rate(orders []*order.Order, m policy.Metric, d policy.Day) (num, den, unjudged int64, ok bool) {
	for _, r := range s.rs.Rates {
		if r.Metric != m || !r.Holds(d) {
			continue
		}
		from, until := s.window(d-policy.Day(r.Lag+r.Days-1), d-policy.Day(r.Lag))
		for _, o := range orders {
			when := s.when(o, r.ID)
			if when.IsZero() || when.Before(from) || !when.Before(until) {
				continue
			}
			if v, counted := s.judge(o, r.ID); counted {
				num, den, unjudged = num+v.num, den+v.den, unjudged+v.unjudged
			}
		}
		return num, den, unjudged, true
	}
	return 0, 0, 0, false
}
