package calendar

import "time"

// Holiday is one holiday of a year and the day it is observed, which may be in the year before.
type Holiday struct {
	Name     string
	Actual   Day
	Observed Day
}

// juneteenthSince is the year from which Juneteenth is a legal holiday (Public Law 117-17 of 17 June 2021).
const juneteenthSince = 2021

// actual lists the legal public holidays of a year by 5 U.S.C. 6103(a), in the order of the year.
func actual(year int) []Holiday {
	fixed := func(name string, m time.Month, day int) Holiday {
		return Holiday{Name: name, Actual: Date(year, m, day)}
	}
	nth := func(name string, m time.Month, w time.Weekday, n int) Holiday {
		first := Date(year, m, 1)
		return Holiday{Name: name, Actual: first + Day((int(w)-int(first.Weekday())+7)%7+7*(n-1))}
	}
	lastMonday := Date(year, time.May, 31)
	lastMonday -= Day((int(lastMonday.Weekday()) + 6) % 7)
	out := []Holiday{
		fixed("New Year's Day", time.January, 1),
		nth("Martin Luther King Jr. Day", time.January, time.Monday, 3),
		nth("Washington's Birthday", time.February, time.Monday, 3),
		{Name: "Memorial Day", Actual: lastMonday},
	}
	if year >= juneteenthSince {
		out = append(out, fixed("Juneteenth National Independence Day", time.June, 19))
	}
	return append(out,
		fixed("Independence Day", time.July, 4),
		nth("Labor Day", time.September, time.Monday, 1),
		nth("Columbus Day", time.October, time.Monday, 2),
		fixed("Veterans Day", time.November, 11),
		nth("Thanksgiving Day", time.November, time.Thursday, 4),
		fixed("Christmas Day", time.December, 25),
	)
}

// FederalHolidays are the holidays of a year as federal offices observe them: one on a Saturday on the Friday before, one on a Sunday on the
// Monday after. New Year's Day of the next year may therefore be observed on 31 December.
func FederalHolidays(year int) []Holiday { return observed(year, true) }

// PostalHolidays are the same holidays as the Postal Service observes them: one on a Sunday on the Monday after, one on a Saturday on that Saturday.
func PostalHolidays(year int) []Holiday { return observed(year, false) }

func observed(year int, fridayForSaturday bool) []Holiday {
	out := actual(year)
	for i := range out {
		h := &out[i]
		h.Observed = h.Actual
		switch {
		case h.Actual.Weekday() == time.Sunday:
			h.Observed++
		case h.Actual.Weekday() == time.Saturday && fridayForSaturday:
			h.Observed--
		}
	}
	return out
}
