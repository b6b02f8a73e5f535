package reconcile

import (
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

// change is one thing put in the place of ours, as an explanation.
type change struct {
	cause        Cause
	field        string
	ours, theirs string
	minutes      int64
	put          func(*order.Order)
}

func (l *Line) explainedBy(x change) {
	l.Cause, l.Field, l.OursValue, l.TheirsValue, l.Minutes = x.cause, x.field, x.ours, x.theirs, x.minutes
}

// explain finds the first change that makes our judgement theirs, the most tangible first.
func (c *Comparison) explain(s *section, o *order.Order, r *Row, v verdict, t target, l *Line) {
	fits := func(by *solo, o *order.Order) bool { return t.fits(by.of(o).in(s.From, s.To)) }
	all := o
	if r != nil {
		var changes []change
		all, changes = overlay(o, r)
		for _, x := range changes {
			one := *o
			if x.put(&one); fits(s.solo, &one) {
				l.explainedBy(x)
				return
			}
		}
		if len(changes) > 1 && fits(s.solo, all) {
			l.explainedBy(several(changes))
			return
		}
	}
	// What follows is tried on what we know, and on what they know.
	for _, o := range distinct(o, all) {
		x, ok := byClass(s, o, fits)
		if !ok {
			x, ok = byDefinition(s, s.near, o, fits)
		}
		if !ok {
			x, ok = c.byDay(s, o, t, fits)
		}
		if !ok {
			x, ok = c.byFault(s, o, t, fits)
		}
		if ok {
			l.explainedBy(x)
			return
		}
	}
	x, ok := c.implied(s, o, r, v, t, fits)
	if !ok {
		x, ok = byDefinition(s, s.far, o, fits)
	}
	if ok {
		l.explainedBy(x)
		return
	}
	l.Cause = Unexplained
	if v.unjudged {
		l.Cause = NotJudged
	}
}

func distinct(o, all *order.Order) []*order.Order {
	if o == all {
		return []*order.Order{o}
	}
	return []*order.Order{o, all}
}

// overlay puts everything they tell otherwise in the place of ours, and says what that is.
func overlay(o *order.Order, r *Row) (*order.Order, []change) {
	var changes []change
	for _, f := range facts {
		if f.differs(o, r) {
			theirs, ours := f.theirs(r), *f.ours(o)
			x := change{cause: f.cause, field: f.field, ours: moment(ours), theirs: moment(theirs), put: func(o *order.Order) { f.put(o, r) }}
			if !ours.IsZero() {
				x.minutes = int64(theirs.Sub(ours) / time.Minute)
			}
			changes = append(changes, x)
		}
	}
	if cancellationDiffers(o, r) {
		x := change{cause: CancelDiffers, field: "status", ours: string(o.Status), theirs: string(r.status()), put: func(o *order.Order) { putCancellation(o, r) }}
		if r.cancelled() && o.Status == order.Cancelled {
			x.cause, x.field, x.ours, x.theirs = FaultDiffers, "fault", string(o.Cancel.Fault), string(r.fault())
		}
		changes = append(changes, x)
	}
	if parcelsDiffer(o, r) {
		changes = append(changes, change{cause: TrackingDiffers, field: "parcels", ours: numbers(o.Parcels), theirs: numbers(r.Parcels),
			put: func(o *order.Order) { o.Parcels = r.Parcels }})
	}
	all := *o
	for _, x := range changes {
		x.put(&all)
	}
	return &all, changes
}

func several(changes []change) change {
	fields := make([]string, len(changes))
	for i, x := range changes {
		fields[i] = x.field
	}
	return change{cause: SeveralDiffer, field: strings.Join(fields, " ")}
}

// moment writes a time as everybody reads it; none as nothing.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

const maxNumbers = 5 // tracking numbers shown in a line

func numbers(ps []order.Parcel) string {
	var out []string
	for _, p := range ps[:min(len(ps), maxNumbers)] {
		out = append(out, p.Tracking)
	}
	return strings.Join(out, " ")
}

// The explanations that need no fact of theirs. fits judges an order by a definition, in the period, and compares.

// flags of classes, and how they are taken off an order.
var flags = []struct {
	class policy.Class
	has   func(*order.Order) bool
	clear func(*order.Order)
}{
	{policy.ByPlatform, func(o *order.Order) bool { return o.Fulfilment == order.ByPlatform }, func(o *order.Order) { o.Fulfilment = order.BySeller }},
	{policy.PlatformLabel, func(o *order.Order) bool { return o.Flags.PlatformLabel }, func(o *order.Order) { o.Flags.PlatformLabel = false }},
	{policy.Sample, func(o *order.Order) bool { return o.Flags.Sample }, func(o *order.Order) { o.Flags.Sample = false }},
	{policy.Replacement, func(o *order.Order) bool { return o.Flags.Replacement }, func(o *order.Order) { o.Flags.Replacement = false }},
	{policy.PreOrder, func(o *order.Order) bool { return o.Flags.PreOrder }, func(o *order.Order) { o.Flags.PreOrder = false }},
}

// byClass: they count an order of a class that our definition leaves out or spares.
func byClass(s *section, o *order.Order, fits func(*solo, *order.Order) bool) (change, bool) {
	all, names := *o, []string(nil)
	for _, f := range flags {
		if !f.has(o) || !(slices.Contains(s.rate.Exclude, f.class) || slices.Contains(s.rate.Spare, f.class)) {
			continue
		}
		one := *o
		if f.clear(&one); fits(s.solo, &one) {
			return change{cause: ClassDiffers, field: string(f.class)}, true
		}
		f.clear(&all)
		names = append(names, string(f.class))
	}
	return change{cause: ClassDiffers, field: strings.Join(names, " ")}, len(names) > 1 && fits(s.solo, &all)
}

// byDefinition: they count as the metric is or was counted on other days.
func byDefinition(s *section, others []*solo, o *order.Order, fits func(*solo, *order.Order) bool) (change, bool) {
	for _, other := range others {
		if fits(other, o) {
			return change{cause: OtherDefinition, field: other.rate.ID, ours: s.RateID, theirs: other.rate.ID}, true
		}
	}
	return change{}, false
}

// byDay: they cut days in another zone, or we count the order outside the period.
func (c *Comparison) byDay(s *section, o *order.Order, t target, fits func(*solo, *order.Order) bool) (change, bool) {
	v := s.solo.of(o)
	ours := v.day.String()
	if !v.counted {
		return change{}, false
	}
	for _, z := range c.o.Zones {
		moved := inZone(o, c.rs.Location(), z)
		if fits(s.solo, moved) {
			return change{cause: OtherDay, field: z.String(), ours: ours, theirs: s.solo.of(moved).day.String()}, true
		}
	}
	if !s.holds(v.day) && v.against == t.against {
		return change{cause: OtherDay, ours: ours}, true
	}
	return change{}, false
}

// inZone is the order with all its times moved so that its days in our zone are those it has in another.
func inZone(o *order.Order, ours, other *time.Location) *order.Order {
	moved := *o
	d, m := &moved.Deadlines, &moved.Moments
	for _, t := range []*time.Time{&moved.CreatedAt, &moved.PaidAt, &moved.StatusAt, &d.ShipBy, &d.HandOverBy, &d.AutoCancelShipBy, &d.AutoCancelHandOverBy,
		&d.AutoCancelDeliverBy, &d.DeliverBy, &d.PromisedBy, &m.ReadyAt, &m.HandedOverAt, &m.DeliveredAt, &m.CancelledAt, &m.CancelRequestedAt} {
		if !t.IsZero() {
			_, a := t.In(ours).Zone()
			_, b := t.In(other).Zone()
			*t = t.Add(time.Duration(b-a) * time.Second)
		}
	}
	return &moved
}

// byFault: they lay the cancellation at another door, or know of one that we do not.
func (c *Comparison) byFault(s *section, o *order.Order, t target, fits func(*solo, *order.Order) bool) (change, bool) {
	if s.rate.Test != policy.CancelledBySeller {
		return change{}, false
	}
	x := change{cause: FaultDiffers, field: "fault", ours: string(o.Cancel.Fault), theirs: string(order.FaultSeller)}
	read := *o
	read.Cancel.Fault = order.FaultSeller
	switch {
	case o.Status != order.Cancelled:
		x = change{cause: CancelDiffers, field: "status", ours: string(o.Status), theirs: string(order.Cancelled)}
		read.Status = order.Cancelled
	case !t.against:
		read.Cancel.Fault, x.theirs = order.FaultBuyer, "not "+string(order.FaultSeller)
	}
	return x, fits(s.solo, &read)
}

// implied: both sides have the same times, so what is measured against them differs: their deadline, or what they take for valid tracking.
func (c *Comparison) implied(s *section, o *order.Order, r *Row, v verdict, t target, fits func(*solo, *order.Order) bool) (change, bool) {
	read := *o
	if s.rate.Test == policy.TrackingValid {
		read.Parcels = []order.Parcel{{Ref: "?"}}
		if !t.against {
			read.Parcels = nil
		}
		return change{cause: TrackingDiffers, field: "validity", ours: string(v.reason)}, v.counted && (!t.against || fits(s.solo, &read))
	}
	var done, told time.Time
	if r == nil {
		return change{}, false
	}
	switch s.rate.Test {
	case policy.ReadyLate:
		done, told = o.Moments.ReadyAt, r.Ready
	case policy.HandedOverLate:
		done, told = o.Moments.HandedOverAt, r.HandedOver
	case policy.DeliveredOnTime:
		done, told = o.Moments.DeliveredAt, r.Delivered
	}
	if done.IsZero() || !told.Equal(done) {
		return change{}, false
	}
	due := c.dueOf(o, s.rate.Test)
	x := change{cause: DeadlineDiffers, field: "implied", ours: moment(due.At), theirs: "before " + moment(done)}
	at := done.Add(-time.Second)
	if !t.against {
		at, x.theirs = done, "not before "+moment(done)
	}
	for _, f := range facts {
		if f.field == string(due.Kind) {
			*f.ours(&read) = at
		}
	}
	return x, fits(s.solo, &read)
}
