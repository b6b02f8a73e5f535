package tiktok

import (
	"time"
	_ "time/tzdata" // deadlines end at midnight of the shop's zone, also on machines without a zone database
)

// Dispatch rules of the US in business days from payment; other markets use the same counts here, which their
// documentation leaves open. An order with a handling time of its own replaces the first two by that time.
const (
	dispatchDays   = 2  // to AWAITING_COLLECTION and to IN_TRANSIT, else dispatched late
	cancelDays     = 7  // regular orders are cancelled when not AWAITING_COLLECTION
	handlingExtra  = 4  // own handling times are cancelled this long after the dispatch deadline
	collectDays    = 3  // after the cancellation deadline, for a first scan; not documented
	deliverDays    = 6  // on-time delivery of a regular order
	handlingToDoor = 5  // on-time delivery after a handling time of its own
	lostDays       = 30 // cancelled when not delivered; not documented
)

// businessEnd is 23:59:59 of the n-th business day after the day of from, which itself does not count.
func businessEnd(from time.Time, n int, zone *time.Location, region string) time.Time {
	t := from.In(zone)
	y, m, d := t.Date()
	for n > 0 {
		d++
		if day := time.Date(y, m, d, 12, 0, 0, 0, zone); businessDay(day, region) {
			n--
		}
	}
	return time.Date(y, m, d, 23, 59, 59, 0, zone)
}

// businessDay reports whether a day is Monday to Friday and, in the US, no federal holiday.
func businessDay(day time.Time, region string) bool {
	if wd := day.Weekday(); wd == time.Saturday || wd == time.Sunday {
		return false
	}
	return region != "US" || !federalHoliday(day)
}

// federalHoliday reports whether a weekday is a US federal holiday or the day it is observed on.
func federalHoliday(day time.Time) bool {
	y, m, d := day.Date()
	wd := day.Weekday()
	nth := (d + 6) / 7 // 1 for the first such weekday of the month
	switch {
	case wd == time.Monday && (m == time.January && nth == 3 || m == time.February && nth == 3 || // King, Presidents
		m == time.May && d > 24 || m == time.September && nth == 1 || m == time.October && nth == 2): // Memorial, Labor, Columbus
		return true
	case wd == time.Thursday && m == time.November && nth == 4: // Thanksgiving
		return true
	}
	// Fixed dates move to Friday when they fall on Saturday and to Monday when they fall on Sunday.
	for _, f := range []struct {
		m time.Month
		d int
	}{{time.January, 1}, {time.June, 19}, {time.July, 4}, {time.November, 11}, {time.December, 25}} {
		for _, year := range []int{y, y + 1} { // 1 January of the next year can be observed on 31 December
			on := time.Date(year, f.m, f.d, 12, 0, 0, 0, day.Location())
			switch on.Weekday() {
			case time.Saturday:
				on = on.AddDate(0, 0, -1)
			case time.Sunday:
				on = on.AddDate(0, 0, 1)
			}
			if oy, om, od := on.Date(); oy == y && om == m && od == d {
				return true
			}
		}
	}
	return false
}

// deadlines are the time fields of an order, in Unix seconds; 0 is absent.
type deadlines struct {
	rtsSLA, ttsSLA, shippingDue, collectionDue, deliverySLA, deliveryDue int64
}

// dayEnd is one answer of businessEnd, which depends on the local day only.
type dayEnd struct{ year, day, n int }

// maxDayEnds bounds the answers a shop remembers: a day needs half a dozen.
const maxDayEnds = 256

// endOf is businessEnd for a shop, remembered: during a spike every order asks for the same days.
func (sh *shop) endOf(from time.Time, n int) int64 {
	local := from.In(sh.zone)
	key := dayEnd{local.Year(), local.YearDay(), n}
	end, ok := sh.ends[key]
	if !ok {
		end = businessEnd(local, n, sh.zone, sh.region).Unix()
		if len(sh.ends) >= maxDayEnds {
			clear(sh.ends)
		}
		sh.ends[key] = end
	}
	return end
}

func (o *order) setDeadlines(paid time.Time) {
	end := func(n int) int64 { return o.shop.endOf(paid, n) }
	dispatch, cancel, deliver := dispatchDays, cancelDays, deliverDays
	if h := o.handlingDays; h > 0 {
		dispatch, cancel, deliver = h, h+handlingExtra, h+handlingToDoor
	}
	o.due = deadlines{rtsSLA: end(dispatch), ttsSLA: end(dispatch), shippingDue: end(cancel),
		collectionDue: end(cancel + collectDays), deliverySLA: end(deliver), deliveryDue: end(cancel + lostDays)}
}
