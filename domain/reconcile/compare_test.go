package reconcile

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
)

func day(text string) policy.Day {
	d, err := policy.ParseDay(text)
	if err != nil {
		panic(err)
	}
	return d
}

func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

// rules are those of a market in UTC.
func rules() *policy.RuleSet {
	jan, fbt := day("2026-01-12"), []policy.Class{policy.ByPlatform}
	return &policy.RuleSet{Market: "US", Rates: []policy.Rate{
		{ID: "ldr-ready", Metric: policy.LDR, Span: policy.Span{Until: jan}, Counts: policy.Orders, Anchor: policy.AtReady, Test: policy.ReadyLate, Spare: fbt, Days: 7},
		{ID: "ldr-scan", Metric: policy.LDR, Span: policy.Span{From: jan}, Counts: policy.Orders, Anchor: policy.AtHandedOver, Test: policy.HandedOverLate, Spare: fbt, Days: 7},
		{ID: "vtr", Metric: policy.VTR, Counts: policy.Packages, Anchor: policy.AtReady, Test: policy.TrackingValid, Exclude: fbt, Days: 8, Lag: 14},
		{ID: "sfcr", Metric: policy.SFCR, Counts: policy.Orders, Anchor: policy.AtPlaced, Test: policy.CancelledBySeller,
			Exclude: []policy.Class{policy.ByPlatform, policy.Sample}, Days: 30},
		{ID: "otdr", Metric: policy.OTDR, Span: policy.Span{From: day("2025-05-05")}, Counts: policy.Orders, Anchor: policy.AtDeliverBy, Test: policy.DeliveredOnTime,
			Exclude: fbt, Days: 7, Lag: 1},
	}}
}

// good is an order with which nothing went wrong: dispatched on 8 April, in the period of the tests.
func good(id string, change ...func(*order.Order)) *order.Order {
	o := &order.Order{ID: "shop:" + id, ExternalID: id, Status: order.Delivered, Version: order.Version{Hash: "x"}, Detail: order.Detail{
		Fulfilment: order.BySeller, CreatedAt: at("2026-04-06 09:59"), PaidAt: at("2026-04-06 10:00"),
		Deadlines: order.Deadlines{ShipBy: at("2026-04-08 23:59"), HandOverBy: at("2026-04-08 23:59"), DeliverBy: at("2026-04-14 23:59")},
		Moments:   order.Moments{ReadyAt: at("2026-04-07 08:00"), HandedOverAt: at("2026-04-08 17:00"), DeliveredAt: at("2026-04-11 12:00")},
		Parcels:   []order.Parcel{{Ref: "p1", Carrier: "USPS", Tracking: "9400111899223197428497"}},
	}}
	for _, c := range change {
		c(o)
	}
	return o
}

// rowOf is the order as a truthful export shows it.
func rowOf(o *order.Order, change ...func(*Row)) Row {
	r := Row{OrderID: o.ExternalID, Status: o.Status, Created: o.CreatedAt, Paid: o.PaidAt, Ready: o.Moments.ReadyAt, HandedOver: o.Moments.HandedOverAt,
		Delivered: o.Moments.DeliveredAt, Cancelled: o.Moments.CancelledAt, CancelledBy: o.Cancel.Role, CancelReason: o.Cancel.Reason, Parcels: o.Parcels}
	for _, c := range change {
		c(&r)
	}
	return r
}

func cancelled(reason string, role order.Role) func(*order.Order) {
	return func(o *order.Order) {
		o.Status, o.Moments = order.Cancelled, order.Moments{CancelledAt: at("2026-04-07 12:00")}
		o.Cancel = order.Cancel{Reason: reason, Role: role, Fault: order.FaultOf(role, reason)}
		o.Parcels = nil
	}
}

func late(o *order.Order) { o.Moments.HandedOverAt = at("2026-04-09 01:00") }

var week = Figure{From: day("2026-04-06"), To: day("2026-04-12"), Text: "told"}

func weekOf(m policy.Metric) []Figure {
	f := week
	f.Metric = m
	return []Figure{f}
}

func report(t interface {
	Helper()
	Fatal(...any)
}, theirs Theirs, o Options, ours ...*order.Order) Report {
	t.Helper()
	c, err := New(rules(), theirs, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range ours {
		c.Add(x)
	}
	r, err := c.Report()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A difference of each kind, seeded one at a time, is explained by its kind.
func TestEveryDifferenceIsExplained(t *testing.T) {
	la, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	list := func(m policy.Metric) []Listed {
		return []Listed{{Metric: m, OrderID: "1", Day: day("2026-04-08"), Reason: "late"}}
	}
	other := []Listed{{Metric: policy.LDR, OrderID: "other", Day: day("2026-04-08")}} // they list, and not this one
	for name, tc := range map[string]struct {
		metric  policy.Metric
		ours    *order.Order
		theirs  Theirs
		cause   Cause
		field   string
		minutes int64
	}{
		"the scan came later to them":        {policy.LDR, good("1"), Theirs{Rows: []Row{rowOf(good("1"), func(r *Row) { r.HandedOver = at("2026-04-09 00:30") })}}, TimeDiffers, "handed_over_at", 450},
		"we do not know of the scan":         {policy.LDR, good("1", func(o *order.Order) { o.Moments, o.Status = order.Moments{}, order.AwaitingShipment }), Theirs{Rows: []Row{rowOf(good("1"))}}, TimeDiffers, "handed_over_at", 0},
		"their deadline is told":             {policy.LDR, good("1"), Theirs{Rows: []Row{rowOf(good("1"), func(r *Row) { r.HandOverBy = at("2026-04-08 12:00") })}}, DeadlineDiffers, "hand_over_by", -719},
		"their deadline must differ":         {policy.LDR, good("1"), Theirs{Rows: []Row{rowOf(good("1"))}, Listed: list(policy.LDR)}, DeadlineDiffers, "implied", 0},
		"late here and not there, same time": {policy.LDR, good("1", late), Theirs{Rows: []Row{rowOf(good("1", late))}, Listed: other}, DeadlineDiffers, "implied", 0},
		"they leave a class in":              {policy.SFCR, good("1", cancelled("seller_cancel_reason_out_of_stock", order.RoleSeller), func(o *order.Order) { o.Flags.Sample = true }), Theirs{Listed: list(policy.SFCR)}, ClassDiffers, "sample", 0},
		"they spare nothing":                 {policy.LDR, good("1", late, func(o *order.Order) { o.Fulfilment = order.ByPlatform }), Theirs{Listed: list(policy.LDR)}, ClassDiffers, "platform_fulfilled", 0},
		"they count the day in their zone": {policy.LDR, good("1", func(o *order.Order) {
			o.Deadlines.HandOverBy, o.Moments.HandedOverAt = at("2026-04-12 20:00"), at("2026-04-13 05:00")
		}), Theirs{Listed: list(policy.LDR)}, OtherDay, "America/Los_Angeles", 0},
		"we count it weeks later":         {policy.LDR, good("1", func(o *order.Order) { o.Moments.HandedOverAt = at("2026-05-03 05:00") }), Theirs{Listed: list(policy.LDR)}, OtherDay, "", 0},
		"they blame the seller":           {policy.SFCR, good("1", cancelled("package_lost", order.RoleSystem)), Theirs{Listed: list(policy.SFCR)}, FaultDiffers, "fault", 0},
		"their row blames the buyer":      {policy.SFCR, good("1", cancelled("seller_cancel_reason_out_of_stock", order.RoleSeller)), Theirs{Rows: []Row{rowOf(good("1", cancelled("changed their mind", order.RoleBuyer)))}}, FaultDiffers, "fault", 0},
		"cancelled there only":            {policy.SFCR, good("1", func(o *order.Order) { o.Status, o.Moments = order.AwaitingShipment, order.Moments{} }), Theirs{Listed: list(policy.SFCR)}, CancelDiffers, "status", 0},
		"their row says it was cancelled": {policy.SFCR, good("1"), Theirs{Rows: []Row{rowOf(good("1", cancelled("seller_cancel_reason_out_of_stock", order.RoleSeller)))}}, CancelDiffers, "status", 0},
		"they judge by the old definition": {policy.LDR, good("1", func(o *order.Order) {
			o.Moments.ReadyAt, o.Deadlines.ShipBy = at("2026-04-08 12:00"), at("2026-04-08 10:00")
		}), Theirs{Listed: list(policy.LDR)}, OtherDefinition, "ldr-ready", 0},
		"they know no number":         {policy.VTR, good("1"), Theirs{Rows: []Row{rowOf(good("1"), func(r *Row) { r.Parcels = []order.Parcel{{Ref: "p1"}} })}}, TrackingDiffers, "parcels", 0},
		"they do not take the number": {policy.VTR, good("1"), Theirs{Rows: []Row{rowOf(good("1"))}, Listed: list(policy.VTR)}, TrackingDiffers, "validity", 0},
		"unknown here":                {policy.LDR, good("2"), Theirs{Listed: list(policy.LDR)}, UnknownHere, "", 0},
		"known by a notice":           {policy.LDR, &order.Order{ExternalID: "1", Status: order.InTransit}, Theirs{Listed: list(policy.LDR)}, NotRead, "", 0},
		"not in their file": {policy.LDR, good("1", late), Theirs{Rows: []Row{rowOf(good("before"), func(r *Row) { r.Created = at("2026-04-01 00:00") }),
			rowOf(good("after"), func(r *Row) { r.Created = at("2026-04-30 00:00") })}}, NotInFile, "", 0},
		"not judged":         {policy.OTDR, good("1", func(o *order.Order) { o.Deadlines.DeliverBy = time.Time{} }), Theirs{Listed: list(policy.OTDR)}, Unexplained, "", 0},
		"fault not known":    {policy.SFCR, good("1", cancelled("because", order.RoleSystem)), Theirs{Listed: list(policy.SFCR)}, FaultDiffers, "fault", 0},
		"nobody knows":       {policy.LDR, good("1"), Theirs{Listed: list(policy.LDR)}, Unexplained, "", 0},
		"two facts together": {policy.LDR, good("1"), Theirs{Rows: []Row{rowOf(good("1"), func(r *Row) { r.HandedOver, r.HandOverBy = at("2026-04-09 08:00"), at("2026-04-09 09:00") })}, Listed: nil}, Agree, "", 0},
		"several": {policy.LDR, good("1", func(o *order.Order) { o.Moments.HandedOverAt = at("2026-03-01 10:00") }),
			Theirs{Rows: []Row{rowOf(good("1"), func(r *Row) { r.HandedOver, r.HandOverBy = at("2026-04-08 10:00"), at("2026-04-08 09:00") })}}, SeveralDiffer, "handed_over_at hand_over_by", 0},
		"both say late": {policy.LDR, good("1", late), Theirs{Listed: list(policy.LDR)}, Agree, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			tc.theirs.Figures = weekOf(tc.metric)
			r := report(t, tc.theirs, Options{All: true, Zones: []*time.Location{la}}, tc.ours)
			s := r.Sections[slices.IndexFunc(r.Sections, func(s Section) bool { return s.Metric == tc.metric })]
			i := slices.IndexFunc(s.Lines, func(l Line) bool { return l.OrderID == "1" })
			if i < 0 {
				t.Fatalf("no line in %+v", s)
			}
			if l := s.Lines[i]; l.Cause != tc.cause || l.Field != tc.field || l.Minutes != tc.minutes {
				t.Errorf("%+v", l)
			}
		})
	}
}

// A channel that cannot be judged by our rules, and figures that contradict each other.
func TestEdges(t *testing.T) {
	old := Figure{Metric: policy.OTDR, From: day("2025-01-01"), To: day("2025-01-07"), Num: 3, Den: 4}
	r := report(t, Theirs{Figures: []Figure{old}, Listed: []Listed{{Metric: policy.OTDR, OrderID: "9", Day: day("2025-01-02")}}}, Options{}, good("1"))
	if s := r.Sections[0]; s.RateID != "" || s.Ours != (Sum{}) || len(s.Lines) != 1 || s.Lines[0].Cause != NoRule || s.Residual != nil {
		t.Errorf("without a rule: %+v", s)
	}
	two := []Figure{old, old}
	two[1].Num = 4
	if _, err := New(rules(), Theirs{Figures: two}, Options{}); !errs.Is(err, errs.Invalid) {
		t.Errorf("two figures of one week: %v", err)
	}
	if _, err := New(rules(), Theirs{Rows: []Row{{OrderID: "1"}, {OrderID: "1"}}}, Options{}); !errs.Is(err, errs.Invalid) {
		t.Errorf("an order twice: %v", err)
	}
	if _, err := New(rules(), Theirs{Listed: []Listed{{Metric: policy.LDR, OrderID: "1"}}}, Options{}); !errs.Is(err, errs.Invalid) {
		t.Errorf("no days: %v", err)
	}
	r = report(t, Theirs{}, Options{}, good("1"))
	if len(r.Sections) != 0 || len(r.Outside) != 0 {
		t.Errorf("nothing against nothing: %+v", r)
	}
	// The day judged alone means the window before it.
	r = report(t, Theirs{Figures: []Figure{{Metric: policy.OTDR, To: day("2026-04-20")}}}, Options{})
	if s := r.Sections[0]; s.From != day("2026-04-13") || s.To != day("2026-04-19") {
		t.Errorf("window %s to %s", s.From, s.To)
	}
}

// The figures differ by what the lines explain, and the rest is told.
func TestResidual(t *testing.T) {
	f := weekOf(policy.LDR)
	f[0].Num, f[0].Den = 2, 10
	r := report(t, Theirs{Figures: f, Listed: []Listed{{Metric: policy.LDR, OrderID: "x", Day: day("2026-04-08")}}}, Options{}, good("1", late), good("2"), good("3", late))
	s := r.Sections[0]
	// Ours 2, theirs 2. The lines explain +2 (not listed) and −1 (unknown here): one more of theirs is not told by any list.
	if s.Ours.Against != 2 || s.Residual == nil || *s.Residual != -1 || s.Listed != 1 {
		t.Errorf("%+v, residual %v", s, s.Residual)
	}
}

// anyWorld draws our orders and their files, which agree on much and differ on some.
func anyWorld(t *rapid.T) (Theirs, []*order.Order) {
	var theirs Theirs
	var ours []*order.Order
	shift := rapid.SampledFrom([]time.Duration{0, 0, 0, 3 * time.Hour, 30 * time.Hour, -50 * 24 * time.Hour})
	for i := range rapid.IntRange(0, 12).Draw(t, "orders") {
		o := good(fmt.Sprint(i))
		if rapid.IntRange(0, 3).Draw(t, "cancelled") == 0 {
			cancelled(rapid.SampledFrom([]string{"seller_cancel_reason_out_of_stock", "package_lost", ""}).Draw(t, "reason"), rapid.SampledFrom([]order.Role{"", order.RoleSeller, order.RoleSystem}).Draw(t, "role"))(o)
		}
		for _, f := range facts {
			if p := f.ours(o); !p.IsZero() {
				*p = p.Add(shift.Draw(t, f.field))
			}
		}
		o.Flags.Sample, o.Flags.PlatformLabel = rapid.Bool().Draw(t, "sample"), rapid.Bool().Draw(t, "label")
		where := rapid.IntRange(0, 5).Draw(t, "where")
		if where != 0 {
			ours = append(ours, o)
		}
		if where < 4 {
			theirs.Rows = append(theirs.Rows, rowOf(o, func(r *Row) {
				r.HandedOver = r.HandedOver.Add(shift.Draw(t, "their scan"))
				r.Created = r.Created.Add(shift.Draw(t, "their creation"))
			}))
		}
		if rapid.Bool().Draw(t, "listed") {
			theirs.Listed = append(theirs.Listed, Listed{Metric: rapid.SampledFrom(policy.Metrics).Draw(t, "metric"), OrderID: o.ExternalID,
				Day: rapid.SampledFrom([]policy.Day{0, day("2026-04-08"), day("2026-04-15"), day("2026-07-01")}).Draw(t, "day")})
		}
	}
	for _, m := range policy.Metrics {
		if rapid.Bool().Draw(t, "figure") {
			theirs.Figures = append(theirs.Figures, weekOf(m)...)
		}
	}
	return theirs, ours
}

// Every order of either side is accounted for exactly once in each period: what we count there, what they list there, and what of their files is in
// no period at all. The order of adding does not matter, and leaving out what agrees loses nothing but those lines.
func TestEveryOrderOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		theirs, ours := anyWorld(t)
		o := Options{All: true, From: day("2026-04-01"), To: day("2026-04-30")}
		r := report(t, theirs, o, ours...)
		somewhere := map[string]bool{}
		for _, s := range r.Sections {
			seen := map[string]bool{}
			for _, l := range s.Lines {
				if seen[l.OrderID] {
					t.Fatalf("%s is twice in %s", l.OrderID, s.Metric)
				}
				seen[l.OrderID], somewhere[l.OrderID] = true, true
				if !slices.Contains(Causes, l.Cause) || l.Cause == Agree && (l.Ours == Against) != (l.Theirs == Against) {
					t.Fatalf("%+v", l)
				}
			}
			checkSection(t, s, theirs, ours, seen)
		}
		outside := map[[2]string]int{}
		for _, l := range r.Outside {
			outside[[2]string{l.OrderID, l.Field}]++
		}
		for _, row := range theirs.Rows {
			if n := outside[[2]string{row.OrderID, ""}]; n > 1 || (n == 1) == somewhere[row.OrderID] && !listedAnywhere(theirs, row.OrderID) || n == 0 && !somewhere[row.OrderID] {
				t.Fatalf("%s of their file: inside %v, outside %d times", row.OrderID, somewhere[row.OrderID], n)
			}
		}
		for _, l := range theirs.Listed {
			n, inside := outside[[2]string{l.OrderID, string(l.Metric)}], 0
			for _, s := range r.Sections {
				if s.Metric == l.Metric && slices.ContainsFunc(s.Lines, func(x Line) bool { return x.OrderID == l.OrderID && x.listed }) {
					inside++
				}
			}
			if n > 1 || (n == 1) == (inside > 0) {
				t.Fatalf("%s of their list: inside %d times, outside %d times", l.OrderID, inside, n)
			}
		}
		again := report(t, theirs, o, rapid.Permutation(ours).Draw(t, "arrival")...)
		if d := cmp.Diff(r, again, cmpopts.IgnoreUnexported(Line{})); d != "" {
			t.Fatal(d)
		}
	})
}

func listedAnywhere(theirs Theirs, id string) bool {
	return slices.ContainsFunc(theirs.Listed, func(l Listed) bool { return l.OrderID == id })
}

func checkSection(t *rapid.T, s Section, theirs Theirs, ours []*order.Order, seen map[string]bool) {
	var rate policy.Rate
	for _, r := range rules().Rates {
		if r.ID == s.RateID {
			rate = r
		}
	}
	sum, n := Sum{}, int64(0)
	for _, o := range ours {
		v := newSolo(rules(), rate).of(o).in(s.From, s.To)
		if v.counted && !seen[o.ExternalID] {
			t.Fatalf("%s is counted in %s and lost", o.ExternalID, s.Metric)
		}
		sum.Num, sum.Den, sum.Against = sum.Num+v.num, sum.Den+v.den, sum.Against+v.bad
	}
	if sum.Num != s.Ours.Num || sum.Den != s.Ours.Den || sum.Against != s.Ours.Against {
		t.Fatalf("%s sums to %+v, told %+v", s.Metric, sum, s.Ours)
	}
	for _, c := range s.Causes {
		n += c.N
	}
	if n != int64(len(s.Lines)) {
		t.Fatalf("%d lines, %d causes", len(s.Lines), n)
	}
	for _, l := range theirs.Listed {
		if l.Metric == s.Metric && l.Day >= s.From && l.Day <= s.To && !seen[l.OrderID] {
			t.Fatalf("%s is listed in %s and lost", l.OrderID, s.Metric)
		}
	}
}

// BenchmarkCompare compares orders that mostly agree, of four metrics, each with a row of theirs.
func BenchmarkCompare(b *testing.B) {
	const n = 10_000
	theirs := Theirs{Figures: weekOf(policy.LDR)}
	var ours []*order.Order
	for i := range n {
		o := good(fmt.Sprint(i))
		if i%50 == 0 {
			late(o)
		}
		ours = append(ours, o)
		theirs.Rows = append(theirs.Rows, rowOf(good(fmt.Sprint(i))))
	}
	b.ReportAllocs()
	for b.Loop() {
		c, err := New(rules(), theirs, Options{})
		if err != nil {
			b.Fatal(err)
		}
		for _, o := range ours {
			c.Add(o)
		}
		if r, err := c.Report(); err != nil || len(r.Sections) != 4 {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/order")
}
