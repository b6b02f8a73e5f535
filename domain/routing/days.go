package routing

import (
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/kit/errs"
)

// shipDays are the days from at on which parcels leave, and how many orders get ready between one and the next: work after the last van
// of a day is for the next day on which one comes.
func (d *Desk) shipDays(times *network.Timetable, lanes []network.Lane, perDay int64) []shipDay {
	want := d.rules.days() + slipTail
	out := make([]shipDay, 0, want)
	first, before := calendar.DayOf(d.at, times.Zone()), d.at
	for day := first; day < first+searched && len(out) < want; day++ {
		var ends time.Time
		for i := range lanes {
			if t, ok := leaves(times, &lanes[i], day); ok && t.After(ends) {
				ends = t
			}
		}
		if !ends.After(before) {
			continue
		}
		n := unbounded
		switch {
		case times.Says():
			n = int64(network.Orders(times.Hours(before, ends)))
		case perDay > 0:
			n = perDay
		}
		out = append(out, shipDay{day, ends, n})
		before = ends
	}
	return out
}

// leaves is the last moment at which something may be ready to leave with the lane on a day.
func leaves(times *network.Timetable, l *network.Lane, day calendar.Day) (time.Time, bool) {
	if times.Says() || len(l.Pickups) > 0 {
		return times.CutOff(*l, day, 0)
	}
	if w := day.Weekday(); w == time.Saturday || w == time.Sunday || times.Rests(day) != "" {
		return time.Time{}, false
	}
	return day.At(fallback, times.Zone()), true
}

// fill gives the queue its place at the head of the days, and cuts what is left of each day where the surge begins.
func fill(days []shipDay, surge network.Surge, queue, today int64, planned int) []bucket {
	var out []bucket
	for i := range days[:min(planned, len(days))] {
		used := min(queue, days[i].cap)
		queue -= used
		left := days[i].cap - used
		taken := used
		if i == 0 {
			taken = max(taken, today)
		}
		if surge.Max > 0 {
			left = min(left, max(0, surge.Max-taken))
		}
		plain := left
		if surge.Above > 0 && surge.Percent > 0 {
			plain = min(left, max(0, surge.Above-taken))
		}
		if plain > 0 {
			out = append(out, bucket{day: int32(i), cap: plain})
		}
		if left > plain {
			out = append(out, bucket{day: int32(i), percent: surge.Percent, cap: left - plain})
		}
	}
	return out
}

// lane works out when its parcels leave and what they cost.
func (d *Desk) lane(s *site, times *network.Timetable, in *network.Lane, slip policy.PPM) (lane, error) {
	l := lane{Lane: in, able: abilities(in.Abilities) & s.able, longest: usualDays}
	l.slip, _ = slips(slip)
	if l.road = d.roads[in.Holidays]; l.road == nil {
		if !in.Holidays.Known() {
			return l, errs.New(errs.Invalid, "routing.Prepare", s.node.ID, "%q is no set of holidays", in.Holidays)
		}
		l.road = newRoad(calendar.DayOf(d.at, time.UTC), in.Holidays)
		d.roads[in.Holidays] = l.road
	}
	before := d.at
	for i := range s.days {
		day := &s.days[i]
		t, ok := leaves(times, in, day.day)
		if !ok || !t.After(before) {
			t = day.ends // ready then, and with the next van
		}
		before = day.ends
		if len(in.Pickups) > 0 {
			if t, ok = times.NextPickup(*in, t); !ok {
				break // no van comes any more: nothing can be planned for this lane from here on
			}
		}
		if n := len(l.leaves); n > 0 && t.Unix() < l.leaves[n-1] {
			t = time.Unix(l.leaves[n-1], 0)
		}
		l.leaves = append(l.leaves, t.Unix())
		l.business = append(l.business, l.road.count(calendar.DayOf(t, times.Zone())))
	}
	l.dearest = 1
	for z := 1; z < len(in.Days); z++ {
		if in.Tariff.ByZone[z].Minor > in.Tariff.ByZone[l.dearest].Minor {
			l.dearest = z
		}
		l.longest = max(l.longest, in.Days[z])
	}
	return l, nil
}
