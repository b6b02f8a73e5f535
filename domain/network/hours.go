package network

import (
	"slices"
	"time"

	"github.com/spillway/spillway/domain/policy/calendar"
)

// maxSpan bounds how far Hours looks: beyond it nobody plans.
const maxSpan = 400

// pickupDays is how far a van is looked for: past the longest closure there can be, and a week.
const pickupDays = calendar.MaxDays + 7

// Timetable is a node's days, worked out. It is made once of a node, never changes, and is safe for concurrent use.
type Timetable struct {
	zone     *time.Location
	shifts   [7][]Shift
	overtime []Overtime
	open     *calendar.Calendar // days on which the node does not rest
	vans     map[calendar.Holidays]*calendar.Calendar
	says     bool // hours are said at all
}

// Stretch is time without a break in which a node works at one pace.
type Stretch struct {
	From, Until time.Time
	PerHour     int64 // orders got ready in an hour with enough to do
}

// Orders is how many orders the stretch is good for.
func (s Stretch) Orders() float64 { return float64(s.PerHour) * s.Until.Sub(s.From).Hours() }

// Orders is how many orders stretches are good for together.
func Orders(open []Stretch) (sum float64) {
	for _, s := range open {
		sum += s.Orders()
	}
	return sum
}

// Timetable works out a node's days. Errors: Invalid, as Check has them for what days rest on.
func (n Node) Timetable() (*Timetable, error) {
	if err := n.checkWeek(n.refusal); err != nil {
		return nil, err
	}
	t := &Timetable{zone: n.Location(), overtime: slices.Clone(n.Overtime), vans: map[calendar.Holidays]*calendar.Calendar{}, says: len(n.Shifts) > 0}
	var err error
	if t.open, err = calendar.New(calendar.Spec{Zone: t.zone, Week: calendar.EveryDay, Holidays: n.Closed.Holidays, Closures: n.Closed.Days}); err != nil {
		return nil, n.refusal("closed", "%v", err)
	}
	for _, l := range n.Lanes {
		if t.vans[l.Holidays] != nil {
			continue
		}
		if t.vans[l.Holidays], err = calendar.New(calendar.Spec{Zone: t.zone, Week: calendar.EveryDay, Holidays: l.Holidays}); err != nil {
			return nil, n.refusal("lanes", "%v", err)
		}
	}
	for _, s := range n.Shifts {
		t.shifts[s.Weekday] = append(t.shifts[s.Weekday], s)
	}
	return t, nil
}

// Zone is the zone of the node's days.
func (t *Timetable) Zone() *time.Location { return t.zone }

// Says reports whether hours are said at all. If not, Hours holds overtime only, and the node's pace is known from what it does, if at all.
func (t *Timetable) Says() bool { return t.says }

// Rests says in a word why the node rests on a day, a closure's or a holiday's name. Empty: it does not, though it may have no shift.
func (t *Timetable) Rests(d calendar.Day) string { return t.open.Why(d) }

// start is the moment of the day at which the clock shows c; the last second stands for midnight.
func (t *Timetable) moment(d calendar.Day, c calendar.Clock) time.Time {
	if c >= calendar.LastSecond {
		return (d + 1).Start(t.zone)
	}
	return d.At(c, t.zone)
}

// Hours is when the node works between two moments, at which pace, in order of time: its shifts without closures and holidays, and overtime,
// which holds on closed days too. Where both are, their paces add up. An hour that the clock skips is not worked, one that it repeats is worked
// twice. At most maxSpan days are looked at.
func (t *Timetable) Hours(from, until time.Time) []Stretch {
	var all []Stretch
	first, last := calendar.DayOf(from, t.zone), calendar.DayOf(until, t.zone)
	add := func(d calendar.Day, a, b calendar.Clock, perHour int64) {
		s := Stretch{From: latest(from, t.moment(d, a)), Until: earliest(until, t.moment(d, b)), PerHour: perHour}
		if s.From.Before(s.Until) {
			all = append(all, s)
		}
	}
	for d := first; d <= min(last, first+maxSpan); d++ {
		if t.open.Business(d) {
			for _, s := range t.shifts[d.Weekday()] {
				add(d, s.From, s.Until, s.PerHour)
			}
		}
		for _, o := range t.overtime {
			if o.Day == d {
				add(d, o.From, o.Until, o.PerHour)
			}
		}
	}
	return flat(all)
}

// flat cuts stretches where one begins or ends, and adds up the paces of those at the same time.
func flat(all []Stretch) (out []Stretch) {
	var cuts []time.Time
	for _, s := range all {
		cuts = append(cuts, s.From, s.Until)
	}
	slices.SortFunc(cuts, time.Time.Compare)
	cuts = slices.CompactFunc(cuts, time.Time.Equal)
	slices.SortStableFunc(all, func(a, b Stretch) int { return a.From.Compare(b.From) })
	for i := 1; i < len(cuts); i++ {
		piece := Stretch{From: cuts[i-1], Until: cuts[i]}
		for _, s := range all {
			if !s.From.Before(piece.Until) {
				break
			}
			if s.Until.After(piece.From) {
				piece.PerHour += s.PerHour
			}
		}
		if n := len(out); n > 0 && out[n-1].Until.Equal(piece.From) && out[n-1].PerHour == piece.PerHour {
			out[n-1].Until = piece.Until
		} else if piece.PerHour > 0 {
			out = append(out, piece)
		}
	}
	return out
}

// On is when the node works on a day.
func (t *Timetable) On(d calendar.Day) []Stretch {
	return t.Hours(d.Start(t.zone), (d + 1).Start(t.zone))
}

// NextPickup is when the van leaves that a parcel goes with which is ready at a moment: the first whose cut-off is not past. It does not come
// on the carrier's holidays nor while the node is closed. False: the lane has no vans that would come.
func (t *Timetable) NextPickup(l Lane, ready time.Time) (time.Time, bool) {
	if len(l.Pickups) == 0 {
		return time.Time{}, false
	}
	// A cut-off may lie on the day before its van's.
	first := calendar.DayOf(ready, t.zone)
	for d := first; d < first+pickupDays; d++ {
		best, found := time.Time{}, false
		for _, v := range t.vansOn(l, d) {
			if !ready.After(v.last) && (!found || v.at.Before(best)) {
				best, found = v.at, true
			}
		}
		if found {
			return best, true
		}
	}
	return time.Time{}, false
}

type van struct{ at, last time.Time } // last: what is ready then goes with it

// vansOn are the vans of a lane that come on a day.
func (t *Timetable) vansOn(l Lane, d calendar.Day) (out []van) {
	carrier := t.vans[l.Holidays]
	if !t.open.Business(d) || (carrier != nil && !carrier.Business(d)) {
		return nil
	}
	for _, p := range l.Pickups {
		if p.Weekday == d.Weekday() {
			at := d.At(p.At, t.zone)
			out = append(out, van{at, at.Add(-time.Duration(p.CutOff) * time.Minute)})
		}
	}
	return out
}

// CutOff is the last moment at which an order that takes work of the node's open hours may come in on a day and leave the same day: with
// the lane's last van, or, if nothing is said of its vans, by the end of the last shift. The work may have to begin on an earlier day, and then
// the moment is on that day. False: nothing leaves on that day, or nothing is said of hours nor vans.
func (t *Timetable) CutOff(l Lane, d calendar.Day, work time.Duration) (time.Time, bool) {
	var last time.Time
	if len(l.Pickups) > 0 {
		vans := t.vansOn(l, d)
		if len(vans) == 0 {
			return last, false
		}
		for _, v := range vans {
			last = latest(last, v.last)
		}
		if !t.says {
			return last.Add(-work), true
		}
	} else {
		open := t.On(d)
		if len(open) == 0 {
			return last, false
		}
		last = open[len(open)-1].Until
	}
	open := t.Hours(last.AddDate(0, 0, -7), last)
	for i := len(open) - 1; i >= 0; i-- {
		s := open[i]
		if long := s.Until.Sub(s.From); long < work {
			work -= long
			continue
		}
		return s.Until.Add(-work), true
	}
	return time.Time{}, false
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
