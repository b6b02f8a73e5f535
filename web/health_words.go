package web

import (
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/ops/view"
)

const million = 1_000_000

// stateWord is the word beside the colour of a rate.
func stateWord(s view.RateState) string {
	switch s {
	case view.StateGood:
		return "good"
	case view.StateWatch:
		return "watch"
	case view.StateBreach:
		return "in breach"
	case view.StateNothing:
		return "nothing counted"
	case view.StateNoRule:
		return "no rule"
	case view.StateCounting:
		return "still being counted"
	}
	return "not known"
}

// stateLevel is the colour of a rate: only a rate that was judged has one.
func stateLevel(s view.RateState) view.Level {
	switch s {
	case view.StateGood:
		return view.Good
	case view.StateWatch:
		return view.Watch
	case view.StateBreach:
		return view.Bad
	}
	return view.Quiet
}

// judged reports whether there is a rate to show.
func judged(s view.RateState) bool { return stateLevel(s) != view.Quiet }

// shareOf is num of den as a fraction of one, for drawing only.
func shareOf(num, den int64) float64 {
	if den <= 0 {
		return 0
	}
	return float64(num) / float64(den)
}

// maxPlaces tells a rate from a limit of four decimals for windows of up to ten million orders.
const maxPlaces = 9

// rateText writes num of den in percent with one decimal, and with more where fewer would make it look like a limit that it is not.
func rateText(num, den int64, limits []view.Limit) string {
	if den <= 0 {
		return "–"
	}
	exact := big.NewRat(num, den)
	for places := 1; ; places++ {
		s := new(big.Rat).Mul(exact, big.NewRat(100, 1)).FloatString(places)
		if places == maxPlaces || !looksLikeLimit(s, places, exact, limits) {
			return s + " %"
		}
	}
}

func looksLikeLimit(s string, places int, exact *big.Rat, limits []view.Limit) bool {
	for _, l := range limits {
		at := big.NewRat(int64(l.At), million)
		if exact.Cmp(at) != 0 && new(big.Rat).Mul(at, big.NewRat(100, 1)).FloatString(places) == s {
			return true
		}
	}
	return false
}

// ppmText writes a limit as it is set: 4 %, 2.5 %.
func ppmText(p view.PPM) string {
	s := big.NewRat(int64(p), million/100).FloatString(4)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + " %"
}

// ppmShort writes a forecast with one decimal.
func ppmShort(p view.PPM) string {
	return strconv.FormatFloat(float64(p)/(million/100), 'f', 1, 64) + " %"
}

// chanceText writes a chance: what is not certain is never written as 0 or 100 %.
func chanceText(p view.PPM) string {
	switch {
	case p <= 0:
		return "0 %"
	case p < million/100:
		return "<1 %"
	case p >= million:
		return "100 %"
	case p > million-million/100:
		return ">99 %"
	}
	return strconv.FormatInt((int64(p)+million/200)/(million/100), 10) + " %"
}

// chanceLevel colours a chance of something bad: even odds are bad, one in ten is worth a look.
func chanceLevel(p view.PPM) view.Level {
	switch {
	case p >= million/2:
		return view.Bad
	case p >= million/10:
		return view.Watch
	}
	return view.Quiet
}

// dayTime is the beginning of a day as if it were UTC; zero for none.
func dayTime(d view.Day) time.Time {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return time.Time{}
	}
	return t
}

// dayText writes a day for people: 21 Nov, with the year where it is another one than now's.
func dayText(now time.Time, d view.Day) string {
	t := dayTime(d)
	switch {
	case t.IsZero():
		return "–"
	case t.Year() == now.Year():
		return t.Format("2 Jan")
	}
	return t.Format("2 Jan 2006")
}

// daysBetween is how many days to is after from.
func daysBetween(from, to view.Day) int {
	return int(dayTime(to).Sub(dayTime(from)) / (24 * time.Hour))
}

// spanText writes from when until when something holds.
func spanText(now time.Time, from, until view.Day) string {
	switch {
	case from == "" && until == "":
		return "always"
	case until == "":
		return "since " + dayText(now, from)
	case from == "":
		return "to " + dayText(now, dayBefore(until))
	}
	return dayText(now, from) + " to " + dayText(now, dayBefore(until))
}

func dayBefore(d view.Day) view.Day {
	return view.Day(dayTime(d).AddDate(0, 0, -1).Format(time.DateOnly))
}

// limitName is a limit in words: "target 4 %", "enforcement 10 %, paused".
func limitName(l view.Limit) string {
	s := l.Kind + " " + ppmText(l.At)
	if l.Paused {
		s += ", paused"
	}
	return s
}

// weekText says where a rate is going.
func weekText(g view.Gauge) string {
	if g.Week == nil || !judged(g.State) {
		return ""
	}
	now := view.PPM(shareOf(g.Num, g.Den)*million + .5)
	d := now - *g.Week
	points := strconv.FormatFloat(float64(max(d, -d))/(million/100), 'f', 1, 64)
	switch {
	case points == "0.0":
		return "as a week ago"
	case d > 0:
		return "up " + points + " points in a week"
	}
	return "down " + points + " points in a week"
}

// weekArrow is the shape of weekText.
func weekArrow(g view.Gauge) string {
	switch text := weekText(g); {
	case strings.HasPrefix(text, "up"):
		return "↗"
	case strings.HasPrefix(text, "down"):
		return "↘"
	case text == "":
		return ""
	}
	return "→"
}

// staleAfter is how old a gauge may be before its age is the first thing to know.
const staleAfter = 5 * time.Minute

func isStale(now, asOf time.Time) bool { return !asOf.IsZero() && now.Sub(asOf) > staleAfter }

// deltaPoints writes a change of points with its sign, or as a range.
func deltaPoints(low, high int64) string {
	one := func(n int64) string {
		if n == 0 {
			return "0"
		}
		return delta(n)
	}
	if low == high {
		return one(low)
	}
	return one(low) + " to " + one(high)
}

// rangeText writes a range, or the one number it is.
func rangeText(low, high int64) string {
	if low == high {
		return num(low)
	}
	return num(low) + "–" + num(high)
}
