package health

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/policy/calendar"
)

// market is a shop in a market of its own.
type market struct {
	name     string
	rs       *policy.RuleSet
	holidays []string
}

func bd(n int) policy.Period { return policy.Period{N: n, Unit: policy.BusinessDays} }

// markets differ in zone (one with a clock change in the time judged), windows, definitions, holidays and deadlines of their own.
func markets() []market {
	plain := func(zone string, holidays calendar.Holidays) policy.RuleSet {
		rs := *rulesIn(zone)
		rs.Rates, rs.Bands = slices.Clone(rs.Rates), slices.Clone(rs.Bands)
		rs.Business.Holidays = holidays
		return rs
	}
	us := plain("America/Los_Angeles", calendar.USFederal)
	for _, x := range []struct {
		field order.DeadlineKind
		days  int
	}{{order.ShipBy, 2}, {order.HandOverBy, 2}, {order.DeliverBy, 6}} {
		us.DeadlineRules = append(us.DeadlineRules, policy.DeadlineRule{Entry: policy.Entry{ID: string(x.field)}, Field: x.field,
			For: []policy.Handling{policy.Regular, policy.MadeToOrder, policy.BackOrdered}, After: policy.AfterPlaced, Period: bd(x.days)})
	}
	uk := plain("Europe/London", calendar.NoHolidays)
	uk.DeadlineRules = us.DeadlineRules
	for i := range uk.Rates {
		if r := &uk.Rates[i]; r.ID == "otdr" {
			*r = policy.Rate{ID: "within", Metric: policy.OTDR, Counts: policy.Packages, Anchor: policy.AtDelivered, Test: policy.DeliveredWithin,
				Within: 5, Exclude: []policy.Class{policy.ByPlatform}, Days: 7, Lag: 1}
		}
		if r := &uk.Rates[i]; r.Metric == policy.LDR {
			r.Days = 30
		}
	}
	sea := plain("Asia/Bangkok", calendar.NoHolidays)
	sea.DeadlineRules = us.DeadlineRules
	for i := range sea.Rates { // with a gap: no late dispatch rate from 12 to 25 January
		if r := &sea.Rates[i]; r.ID == "ldr-scan" {
			r.From = policy.Date(2026, time.January, 26)
		}
	}
	return []market{
		{"us", ready(us), []string{"2025-12-25", "2026-01-01", "2026-01-19", "2026-02-16", "2026-05-25", "2026-06-19"}},
		{"uk", ready(uk), nil},
		{"sea", ready(sea), nil},
	}
}

// maker makes random orders and what a platform tells of them.
type maker struct {
	*rand.Rand
	n int
}

func (m *maker) chance(percent int) bool { return m.IntN(100) < percent }

func (m *maker) upTo(d time.Duration) time.Duration {
	return time.Duration(m.Int64N(int64(d/time.Second)+1)) * time.Second
}

func pick[T any](m *maker, list ...T) T { return list[m.IntN(len(list))] }

// near is a time after from, quite often exactly at a deadline or a second past it.
func (m *maker) near(from, deadline time.Time, within time.Duration) time.Time {
	if !deadline.IsZero() && m.chance(15) {
		return deadline.Add(pick(m, 0, 0, time.Second, -time.Second, time.Microsecond))
	}
	return from.Add(m.upTo(within))
}

func (m *maker) detail() order.Detail {
	d := order.Detail{Fulfilment: order.BySeller, WarehouseRef: pick(m, "east", "west", "south", ""), Region: pick(m, "US-CA", "US-NY", "GB", ""),
		CreatedAt: time.Date(2025, 12, 20, 0, 0, 0, 0, time.UTC).Add(m.upTo(125 * 24 * time.Hour))}
	if m.chance(10) {
		d.Fulfilment = order.ByPlatform
	}
	d.Flags = order.Flags{COD: m.chance(5), Sample: m.chance(3), Replacement: m.chance(2), PreOrder: m.chance(3), PlatformLabel: m.chance(15)}
	if !m.chance(5) {
		d.PaidAt = d.CreatedAt.Add(m.upTo(30 * time.Minute))
	}
	if m.chance(60) {
		from := d.CreatedAt
		d.Deadlines = order.Deadlines{ShipBy: from.Add(48 * time.Hour), HandOverBy: from.Add(time.Duration(pick(m, 48, 72, 96)) * time.Hour), DeliverBy: from.Add(m.upTo(240 * time.Hour))}
	}
	for i := range 1 + m.IntN(3) {
		d.Lines = append(d.Lines, order.Line{ExternalLineID: fmt.Sprint(i), SellerSKU: fmt.Sprint("sku", m.IntN(20)), Qty: 1 + m.Int64N(3)})
	}
	return d
}

func (m *maker) parcels() []order.Parcel {
	var out []order.Parcel
	for i := range pick(m, 0, 1, 1, 1, 2, 3) {
		out = append(out, order.Parcel{Ref: fmt.Sprint("p", i), Carrier: pick(m, "usps", "ups", "dhl"),
			Tracking: pick(m, "", "9400111899223197428497", "1Z999AA10123456784", "1Z999AA10123456785", "9400111899223197428491", "short1", "????????", "ABCDEFGHIJ12")})
	}
	return out
}

// history is everything a platform tells of one order, in the order in which it happened.
func (m *maker) history(connection string) []order.Fact {
	m.n++
	id, d := fmt.Sprint("o", m.n), m.detail()
	steps := []order.Status{order.AwaitingShipment, order.AwaitingCollection, order.InTransit, order.Delivered, order.Completed}
	if m.chance(20) {
		steps = append([]order.Status{order.Unpaid, order.OnHold}, steps...)
	}
	steps = steps[:1+m.IntN(len(steps))]
	if m.chance(12) {
		steps = append(slices.DeleteFunc(steps, func(s order.Status) bool { return s == order.Delivered || s == order.Completed }), order.Cancelled)
	}
	var facts []order.Fact
	now := d.CreatedAt
	for _, s := range steps {
		now = m.step(&d, s, now)
		m.correct(&d)
		f := order.Fact{Kind: order.Snapshot, ConnectionID: connection, ExternalID: id, UpdatedAt: now, ReadAt: now.Add(m.upTo(time.Hour)), Status: s}
		seen := d
		seen.Lines, seen.Parcels = slices.Clone(d.Lines), slices.Clone(d.Parcels)
		f.Detail = &seen
		if m.chance(20) {
			facts = append(facts, order.Fact{Kind: order.StatusNotice, ConnectionID: connection, ExternalID: id, UpdatedAt: now, Status: s})
		}
		if m.chance(90) || s == steps[len(steps)-1] { // some snapshots are never read
			facts = append(facts, f)
		}
		if m.chance(10) {
			facts = append(facts, f)
		}
	}
	return facts
}

// step moves the order to a status; some moments are never told.
func (m *maker) step(d *order.Detail, s order.Status, now time.Time) time.Time {
	switch s {
	case order.AwaitingCollection:
		now = m.near(now, d.Deadlines.ShipBy, 70*time.Hour)
		d.Moments.ReadyAt, d.Parcels = now, m.parcels()
		if m.chance(5) {
			d.Moments.ReadyAt = time.Time{}
		}
	case order.InTransit:
		now = m.near(now, d.Deadlines.HandOverBy, 60*time.Hour)
		d.Moments.HandedOverAt = now
		if m.chance(5) {
			d.Moments.HandedOverAt = time.Time{}
		}
	case order.Delivered:
		now = m.near(now, d.Deadlines.DeliverBy, 200*time.Hour)
		d.Moments.DeliveredAt = now
		if m.chance(2) { // a clock that is far ahead
			d.Moments.DeliveredAt = now.AddDate(0, 0, 40)
		}
	case order.Cancelled:
		now = now.Add(m.upTo(300 * time.Hour))
		if m.chance(70) {
			d.Moments.CancelledAt = now
		}
		r := order.Reasons[m.IntN(len(order.Reasons))]
		d.CancelReport = order.Cancel{Reason: r.Name, Role: r.Role}
		switch m.IntN(6) {
		case 0:
			d.CancelReport = order.Cancel{}
		case 1:
			d.CancelReport.Fault = pick(m, order.FaultSeller, order.FaultBuyer)
		case 2:
			d.CancelReport.Reason += "_uk"
		}
	default:
		now = now.Add(m.upTo(5 * time.Hour))
	}
	return now
}

// correct changes what was told before.
func (m *maker) correct(d *order.Detail) {
	switch m.IntN(12) {
	case 0:
		d.WarehouseRef = pick(m, "east", "west")
	case 1:
		if !d.Deadlines.HandOverBy.IsZero() {
			d.Deadlines.HandOverBy = d.Deadlines.HandOverBy.Add(24 * time.Hour)
		}
	case 2:
		d.Parcels = m.parcels()
	case 3:
		d.Flags.PlatformLabel = !d.Flags.PlatformLabel
	case 4:
		d.Lines[0].SellerSKU = "corrected"
	case 5:
		d.PaidAt = d.CreatedAt.Add(m.upTo(48 * time.Hour))
	}
}

// apply merges facts in random order, some twice, and keeps figures as they come, in batches that are cut, written down, read back and merged.
func apply(t *testing.T, m *maker, j *Judge, mk market, facts []order.Fact, into figures) []*order.Order {
	t.Helper()
	m.Shuffle(len(facts), func(i, k int) { facts[i], facts[k] = facts[k], facts[i] })
	known := map[string]*order.Order{}
	batches := make([]Batch, 8)
	for _, f := range facts {
		before := known[f.ExternalID]
		after, _, err := order.Merge(before, f)
		if err != nil {
			t.Fatal(err)
		}
		batches[m.IntN(len(batches))].Add(j, mk.name, before, &after)
		known[f.ExternalID] = &after
	}
	m.Shuffle(len(batches), func(i, k int) { batches[i], batches[k] = batches[k], batches[i] })
	sum := make([]*Batch, 0, len(batches))
	for i := range batches {
		if i%3 == 0 {
			into.fold(written(t, &batches[i]))
			continue
		}
		sum = append(sum, &batches[i])
	}
	into.fold(written(t, sum...))
	return slices.Collect(maps.Values(known))
}

// fold adds sums, under the rates' IDs.
func (f figures) fold(b *Sums) {
	for _, t := range b.Tallies() {
		num, den := t.Num, t.Den
		t.Rate, _, _ = strings.Cut(t.Rate, "@")
		t.Num, t.Den = 0, 0
		f.count(t, num, den)
	}
	for _, k := range b.Marks() {
		id, _, _ := strings.Cut(k.Rate, "@")
		_, external, _ := strings.Cut(k.OrderID, ":")
		f.mark(k.Connection, id, k.Day, k.Connection+":"+external, k.Reason, k.Facets.Node, k.Facets.Carriers, k.Facets.Items, k.N)
	}
}

// The bar: figures kept as facts come, late, twice, swapped and corrected, are those of a walk through all orders for every day, metric and
// facet, and every order that counts against the shop is the same one for the same reason.
func TestTheSlowEvaluatorAgrees(t *testing.T) {
	total := 20_000
	if os.Getenv("SPILLWAY_LONG") != "" {
		total = 100_000
	} else if testing.Short() {
		total = 6_000
	}
	const chunk = 2_000
	all := markets()
	var facts, tallies, marks, rates int
	m := &maker{Rand: rand.New(rand.NewPCG(4, 2026))}
	for _, mk := range all {
		j, kept := NewJudge(mk.rs), newFigures()
		var orders []*order.Order
		for share := total/len(all) + 1; len(orders) < share; {
			var part []order.Fact
			for range min(chunk, share-len(orders)) {
				part = append(part, m.history(mk.name)...)
			}
			facts += len(part)
			orders = append(orders, apply(t, m, j, mk, part, kept)...)
		}
		loc, err := time.LoadLocation(mk.rs.Zone)
		if err != nil {
			t.Fatal(err)
		}
		s := &slow{rs: mk.rs, zone: loc, holidays: mk.holidays, due: map[string]order.Deadlines{}}
		counted := newFigures()
		first, last := policy.Date(2025, time.December, 15), policy.Date(2026, time.July, 15)
		for _, r := range mk.rs.Rates {
			for d := first; d <= last; d++ {
				if seen(r, d) {
					s.day(counted, mk.name, orders, r, d)
				}
			}
		}
		if !maps.Equal(counted.tallies, kept.tallies) {
			t.Fatalf("%s: tallies (-slow +kept):\n%.3000s", mk.name, cmp.Diff(counted.tallies, kept.tallies, cmp.AllowUnexported(pair{})))
		}
		if !maps.Equal(counted.marks, kept.marks) {
			t.Fatalf("%s: marks (-slow +kept):\n%.3000s", mk.name, cmp.Diff(counted.marks, kept.marks))
		}
		tallies, marks = tallies+len(counted.tallies), marks+len(counted.marks)
		rates += sameRates(t, s, mk, orders, kept)
	}
	t.Logf("%d orders in %d markets, %d facts: %d tallies, %d marks and %d rates of a day agree", total, len(all), facts, tallies, marks, rates)
}

// sameRates compares the rates on the days around every switch and on every fifth day.
func sameRates(t *testing.T, s *slow, mk market, orders []*order.Order, kept figures) (compared int) {
	t.Helper()
	var tallies []Tally
	for k, p := range kept.tallies {
		k.Num, k.Den = p.num, p.den
		tallies = append(tallies, k)
	}
	series := func(key string) Series {
		id, _, _ := strings.Cut(key, "@")
		return SeriesOf(tallies, mk.name, id, FacetAll, "")
	}
	first, last := policy.Date(2025, time.December, 20), policy.Date(2026, time.May, 20)
	for _, m := range policy.Metrics {
		trend := Trend(mk.rs, m, first, last, series)
		for _, st := range trend {
			turn := slices.ContainsFunc(mk.rs.Rates, func(r policy.Rate) bool {
				return r.Metric == m && (st.Day >= r.From-1 && st.Day <= r.From+1 || st.Day >= r.Until-1 && st.Day <= r.Until+1)
			})
			if (st.Day-first)%5 != 0 && !turn {
				continue
			}
			num, den, unjudged, ok := s.rate(orders, m, st.Day)
			if ok != (st.Rate != nil) || num != st.Num || den != st.Den || unjudged != st.Unjudged {
				t.Fatalf("%s %s on %s: slow %d of %d (%d unjudged, rule %v), kept %+v", mk.name, m, st.Day, num, den, unjudged, ok, st)
			}
			if d := cmp.Diff(st, Figure(mk.rs, m, st.Day, series)); d != "" {
				t.Fatalf("the trend and the figure of a day differ:\n%s", d)
			}
			compared++
		}
	}
	return compared
}
