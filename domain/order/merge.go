package order

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// readSettle is how long after an event a reading is trusted to contain it, whatever version it carries: platforms answer
// from replicas that lag, and the times in their notices need not be the order's own.
const readSettle = time.Minute

// Merge adds fact f to the known order (nil: never seen) and says what that changed. It alters neither.
//
// The result depends on the set of facts merged, not on their order or number: a fact becomes an order holding just that
// fact, and the two are joined field by field with operations that are commutative, associative and idempotent. A notice
// about an order never seen gives an order without lines that NeedsDetail.
//
// It fails with errs.Invalid if f breaks a rule of its own and errs.Conflict if f is about another order.
func Merge(known *Order, f Fact) (Order, Changes, error) {
	c, err := Check(f)
	if err != nil {
		return Order{}, Changes{}, err
	}
	return c.Merge(known)
}

// Checked is a fact that is ready to be merged: checked, in its one form, and lifted to the order it would be if nothing else were known.
// All of that needs the fact alone, so it can be done before what is known is read and locked.
type Checked struct {
	fact  Fact
	alone Order
}

// Check makes a Checked. It fails with errs.Invalid if f breaks a rule of its own.
func Check(f Fact) (Checked, error) {
	f, err := f.canonical()
	if err != nil {
		return Checked{}, err
	}
	alone, err := lift(f)
	return Checked{fact: f, alone: alone}, err
}

// Merge is the function Merge of the checked fact. Errors: Conflict.
func (c Checked) Merge(known *Order) (Order, Changes, error) {
	fresh := c.alone
	if known == nil {
		return fresh, diff(nil, &fresh, c.fact), nil
	}
	if known.ID != fresh.ID {
		return Order{}, Changes{}, errs.New(errs.Conflict, "order.Merge", c.fact.ExternalID, "the fact is about %s, not about %s", fresh.ID, known.ID)
	}
	merged := join(known, &fresh)
	return merged, diff(known, &merged, c.fact), nil
}

// lift makes the order of which only the canonical fact f is known.
func lift(f Fact) (Order, error) {
	o := Order{ID: ID(f.ConnectionID, f.ExternalID), ConnectionID: f.ConnectionID, ExternalID: f.ExternalID}
	if f.Status != "" && (f.Kind == Snapshot || f.Kind == StatusNotice) {
		o.Status, o.StatusText, o.StatusAt = f.Status, f.StatusText, f.UpdatedAt
		o.EverLeft = f.Status == InTransit || f.Status == Delivered // a refund in full completes an order that never left, too
	}
	switch f.Kind {
	case Snapshot:
		hash, err := f.hash()
		if err != nil {
			return Order{}, err
		}
		o.Detail = *f.Detail
		o.Version = Version{At: f.UpdatedAt, Status: f.Status, ReadAt: f.ReadAt, Hash: hash}
		o.EverLeft = o.EverLeft || !o.Moments.HandedOverAt.IsZero() || !o.Moments.DeliveredAt.IsZero()
		o.Fates = fates(&o)
	case CancelNotice:
		o.Cancellations = []Cancellation{*f.Cancellation}
	case ReturnNotice:
		o.Returns = []Return{*f.Return}
	case AddressNotice:
		o.AddressChangedAt = f.UpdatedAt
	case TouchNotice:
		o.TouchedAt = f.UpdatedAt
	}
	o.settle()
	return o, nil
}

// fates reads off one snapshot what it shows of each line.
func fates(o *Order) []Fate {
	var out []Fate
	add := func(f Fate) {
		if f != (Fate{ID: f.ID}) {
			out = append(out, f)
		}
	}
	for _, l := range o.Lines {
		if len(l.Units) == 0 {
			f := Fate{ID: l.ExternalLineID, Left: l.Shipped}
			if o.Status.Left() {
				f.Left = max(f.Left, l.Qty-l.Cancelled)
			}
			if o.Status != Cancelled {
				f.Early = l.Cancelled
			}
			add(f)
		}
		for _, u := range l.Units {
			f := Fate{ID: u.ExternalLineID, Cancelled: u.Cancelled}
			if u.Cancelled && o.Status != Cancelled {
				f.Early = 1
			}
			if !u.Cancelled && (o.Status.Left() || u.Status.Left()) {
				f.Left = 1
			}
			add(f)
		}
	}
	slices.SortFunc(out, func(a, b Fate) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// join is the least order that knows what a and b know. Each field's rule is a maximum of some total order, a minimum, a
// logical or, or a union, so that join is commutative, associative and idempotent; settle then derives the rest.
func join(a, b *Order) Order {
	o := *a
	if compareStatus(b, a) > 0 {
		o.Status, o.StatusText, o.StatusAt = b.Status, b.StatusText, b.StatusAt
	}
	if b.Version.compare(a.Version) > 0 {
		o.Version, o.Detail = b.Version, b.Detail
	}
	o.Moments = earliest(a.Moments, b.Moments)
	o.AddressChangedAt, o.TouchedAt = later(a.AddressChangedAt, b.AddressChangedAt), later(a.TouchedAt, b.TouchedAt)
	o.EverLeft = a.EverLeft || b.EverLeft
	o.Fates = unite(a.Fates, b.Fates, MaxUnits, func(f Fate) string { return f.ID }, joinFates)
	o.Cancellations = unite(a.Cancellations, b.Cancellations, MaxCases, func(c Cancellation) string { return c.ID }, joinCancellations)
	o.Returns = unite(a.Returns, b.Returns, MaxCases, func(r Return) string { return r.ID }, joinReturns)
	o.Instead = unite(a.Instead, b.Instead, MaxInstead, Instead.key, joinInsteads)
	o.Routed = max(a.Routed, b.Routed) // it is ours: no fact says it
	o.settle()
	return o
}

// compareStatus: newer wins; in the same second the one further along.
func compareStatus(a, b *Order) int {
	return cmp.Or(a.StatusAt.Compare(b.StatusAt), cmp.Compare(a.Status.rank(), b.Status.rank()), strings.Compare(a.StatusText, b.StatusText))
}

func (v Version) compare(w Version) int {
	return cmp.Or(v.At.Compare(w.At), cmp.Compare(v.Status.rank(), w.Status.rank()), v.ReadAt.Compare(w.ReadAt), strings.Compare(v.Hash, w.Hash))
}

func joinFates(a, b Fate) Fate {
	return Fate{ID: a.ID, Cancelled: a.Cancelled || b.Cancelled, Early: max(a.Early, b.Early), Left: max(a.Left, b.Left)}
}

// joinCancellations takes each field by itself: a request's state only moves forward, and who asked and why do not change;
// a notice without a reason must not hide the one a search gave.
func joinCancellations(a, b Cancellation) Cancellation {
	if slices.Index(cancelStates, b.State) > slices.Index(cancelStates, a.State) {
		a.State = b.State
	}
	a.Role, a.Reason, a.Fault = max(a.Role, b.Role), max(a.Reason, b.Reason), max(a.Fault, b.Fault)
	a.CreatedAt, a.UpdatedAt, a.AnswerBy = earlier(a.CreatedAt, b.CreatedAt), later(a.UpdatedAt, b.UpdatedAt), later(a.AnswerBy, b.AnswerBy)
	a.Units = unite(a.Units, b.Units, MaxUnits, func(id string) string { return id }, func(id, _ string) string { return id })
	return a
}

// joinReturns takes what changes together from one fact: when an answer is due belongs to where the return is. Of two facts of one change the
// one that names it counts.
func joinReturns(a, b Return) Return {
	if cmp.Or(a.UpdatedAt.Compare(b.UpdatedAt), strings.Compare(a.StatusText, b.StatusText), a.AnswerBy.Compare(b.AnswerBy)) < 0 {
		a.UpdatedAt, a.StatusText, a.AnswerBy = b.UpdatedAt, b.StatusText, b.AnswerBy
	}
	a.Kind, a.Role = max(a.Kind, b.Kind), max(a.Role, b.Role)
	return a
}

// unite merges two lists sorted by key into a new one, joining equals. Over limit the least keys go: keeping the greatest of
// a union is itself a join, so even a flood converges.
func unite[T any](a, b []T, limit int, key func(T) string, both func(T, T) T) []T {
	if len(a) == 0 || len(b) == 0 {
		return slices.Clone(append(a[:len(a):len(a)], b...))
	}
	out := make([]T, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch c := strings.Compare(key(a[0]), key(b[0])); {
		case c < 0:
			out, a = append(out, a[0]), a[1:]
		case c > 0:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, both(a[0], b[0])), a[1:], b[1:]
		}
	}
	out = append(append(out, a...), b...)
	return out[max(0, len(out)-limit):]
}

// settle derives what depends on several of the joined fields. It owns copies of what it writes to.
func (o *Order) settle() {
	o.settleUnits()
	o.UpdatedAt = o.Version.At
	stale := false
	for _, t := range []time.Time{o.StatusAt, o.AddressChangedAt, o.TouchedAt} {
		o.UpdatedAt, stale = later(o.UpdatedAt, t), stale || !o.fresh(t)
	}
	// In the same second a notice may be ahead of the snapshot.
	stale = stale || (o.StatusAt.Equal(o.Version.At) && o.Status != o.Version.Status && !o.readAfter(o.StatusAt))
	o.Cancel = o.CancelReport
	var last Cancellation // the one that ended the order, if it is over
	for _, c := range o.Cancellations {
		o.UpdatedAt = later(o.UpdatedAt, c.UpdatedAt)
		stale = stale || !o.fresh(c.UpdatedAt)
		if c.State == CancelPending && !o.Version.At.After(c.UpdatedAt) && !o.readAfter(c.UpdatedAt) {
			o.Cancel.RequestOpen = true // a newer snapshot would show it, and one that does not disproves it
			stale = stale || !o.CancelReport.RequestOpen
		}
		if c.State.Settled() && !c.UpdatedAt.Before(last.UpdatedAt) {
			last = c
		}
	}
	if o.Status == Cancelled && o.Cancel.Reason == "" {
		o.Cancel.Reason, o.Cancel.Role, o.Cancel.Fault = last.Reason, cmp.Or(o.Cancel.Role, last.Role), cmp.Or(o.Cancel.Fault, last.Fault)
	}
	for _, r := range o.Returns {
		o.UpdatedAt = later(o.UpdatedAt, r.UpdatedAt)
	}
	if o.Status.Terminal() {
		o.Cancel.RequestOpen = false
	}
	if o.Cancel.Fault == "" && o.Cancel.Reason != "" {
		o.Cancel.Fault = FaultOf(o.Cancel.Role, o.Cancel.Reason)
	}
	o.NeedsDetail = stale || o.Version == Version{}
}

// fresh reports whether the newest snapshot contains what happened at t.
func (o *Order) fresh(t time.Time) bool {
	return t.IsZero() || !o.Version.At.Before(t) || o.readAfter(t)
}

// readAfter reports whether the newest snapshot was read so long after t that it contains t whatever version it carries.
func (o *Order) readAfter(t time.Time) bool { return !o.Version.ReadAt.Before(t.Add(readSettle)) }

// settleUnits lays cancels seen in other facts over the newest snapshot's units.
func (o *Order) settleUnits() {
	gone := map[string]bool{}
	for _, f := range o.Fates {
		if f.Cancelled {
			gone[f.ID] = true
		}
	}
	for _, c := range o.Cancellations {
		if c.State.Settled() {
			for _, id := range c.Units {
				gone[id] = true
			}
		}
	}
	o.Lines = slices.Clone(o.Lines)
	for i := range o.Lines {
		l := &o.Lines[i]
		l.Units = slices.Clone(l.Units)
		for j := range l.Units {
			l.Units[j].Cancelled = l.Units[j].Cancelled || gone[l.Units[j].ExternalLineID]
		}
		l.count()
	}
}

func earliest(a, b Moments) Moments {
	theirs := b.times()
	for i, t := range a.times() {
		*t = earlier(*t, *theirs[i])
	}
	return a
}

// earlier is the earlier of the times that are set.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
