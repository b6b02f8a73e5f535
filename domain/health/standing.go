package health

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/spillway/spillway/domain/policy"
)

// State is how a shop stands in a metric.
type State string

const (
	Good    State = "good"
	Watch   State = "watch"   // worse than a target or a warning, or than a limit that is not acted on at present
	Breach  State = "breach"  // worse than a limit the channel acts on
	Unsure  State = "unsure"  // good as far as orders could be judged, and not good if all the others count against the shop
	Nothing State = "nothing" // nothing was counted
	NoRule  State = "norule"  // the rules do not say how to count on that day, or where the limits lie
)

// Never is the number of orders where no number will do.
const Never = -1

// Reach is one limit of a metric, seen from where the shop stands.
type Reach struct {
	policy.Band
	Worse bool // the shop is on the wrong side of it
	// More is, on the right side, how many further orders (packages) that go wrong bring the shop to the wrong one; on the wrong side, how many
	// further ones that go right bring it back. Never: no number does. Nothing leaves the window meanwhile.
	More int64
}

// Standing is a metric of a shop on a day.
type Standing struct {
	Metric             policy.Metric
	Day                policy.Day   // the day judged
	Rate               *policy.Rate // how it is counted; nil: no rule
	First, Last        policy.Day   // the days counted
	Num, Den, Unjudged int64        // Unjudged: of Den, counted in the shop's favour since it is not known how they are to be counted
	State              State
	Paused             bool    // worse than a limit that is known and not acted on at present
	Bands              []Reach // least grave first
}

// Figure is the metric on a day. series gives the days of a rate by its Key.
func Figure(rs *policy.RuleSet, m policy.Metric, at policy.Day, series func(key string) Series) Standing {
	r, ok := rs.RateOn(m, at)
	if !ok {
		return Standing{Metric: m, Day: at, State: NoRule}
	}
	return stand(rs, r, at, series(Key(rs, r)))
}

// Trend is the metric on each day from first to last, each by the definition of its day.
func Trend(rs *policy.RuleSet, m policy.Metric, first, last policy.Day, series func(key string) Series) []Standing {
	if last < first {
		return nil
	}
	known := map[string]Series{} // by rate ID: a key takes a hash, a series may take a query
	out := make([]Standing, 0, last-first+1)
	for day := first; day <= last; day++ {
		r, ok := rs.RateOn(m, day)
		if !ok {
			out = append(out, Standing{Metric: m, Day: day, State: NoRule})
			continue
		}
		s, ok := known[r.ID]
		if !ok {
			s = series(Key(rs, r))
			known[r.ID] = s
		}
		out = append(out, stand(rs, r, day, s))
	}
	return out
}

func stand(rs *policy.RuleSet, r policy.Rate, at policy.Day, s Series) Standing {
	last := at - policy.Day(r.Lag)
	first := last - policy.Day(r.Days) + 1
	sum := s.Sum(first, last)
	st := Standing{Metric: r.Metric, Day: at, Rate: &r, First: first, Last: last, Num: sum.Num, Den: sum.Den, Unjudged: sum.Unjudged}
	for _, b := range rs.BandsOn(r.Metric, at) {
		worse := b.Worse(st.Num, st.Den, r.Test.Bad())
		st.Bands = append(st.Bands, Reach{Band: b, Worse: worse, More: more(&r, b, st.Num, st.Den, worse)})
		st.Paused = st.Paused || worse && b.Paused
	}
	slices.SortStableFunc(st.Bands, func(a, b Reach) int { return cmp.Compare(gravity(a.Kind), gravity(b.Kind)) })
	st.State = st.judge()
	return st
}

func gravity(k policy.BandKind) int {
	return slices.Index([]policy.BandKind{policy.Target, policy.Warning, policy.Enforcement}, k)
}

func (s *Standing) judge() State {
	switch {
	case s.Den <= 0:
		return Nothing
	case len(s.Bands) == 0:
		return NoRule
	}
	if state := s.state(s.Num); state != Good || s.Unjudged <= 0 {
		return state
	}
	worst := s.Num + s.Unjudged
	if !s.Rate.Test.Bad() {
		worst = s.Num - s.Unjudged
	}
	if s.state(worst) != Good {
		return Unsure
	}
	return Good
}

// state is the state if num of Den were above the line.
func (s *Standing) state(num int64) State {
	state := Good
	for _, b := range s.Bands {
		switch {
		case !b.Band.Worse(num, s.Den, s.Rate.Test.Bad()):
		case b.Kind == policy.Enforcement && !b.Paused:
			return Breach
		default:
			state = Watch
		}
	}
	return state
}

// Against is how many orders count against the shop.
func (s *Standing) Against() int64 {
	if s.Rate == nil || s.Rate.Test.Bad() {
		return s.Num
	}
	return s.Den - s.Num
}

// Next is the least grave limit the shop is not past yet; false: it is past all.
func (s *Standing) Next() (Reach, bool) {
	for _, b := range s.Bands {
		if !b.Worse {
			return b, true
		}
	}
	return Reach{}, false
}

const whole = 1_000_000 // policy.PPM of everything

// more is Reach.More. A further order that goes wrong is one more in all rates but those of cancelled orders: there it is one of those already
// counted. One that goes right is always one more.
func more(r *policy.Rate, b policy.Band, num, den int64, worse bool) int64 {
	limit := int64(b.Limit)
	gap := num*whole - limit*den // 0: exactly on the limit
	switch bad := r.Test.Bad(); {
	case !worse && r.Test == policy.CancelledBySeller:
		if k := max(1, steps(-gap, whole, !b.Reached)); num+k <= den {
			return k
		}
	case !worse && bad && limit < whole: // num+k of den+k
		return max(1, steps(-gap, whole-limit, !b.Reached))
	case !worse && bad && b.Reached && den <= 0: // all of them, and the first one is
		return 1
	case !worse && !bad && limit > 0: // num of den+k
		return max(1, steps(gap, limit, !b.Reached))
	case worse && bad && limit > 0: // num of den+k
		return steps(gap, limit, b.Reached)
	case worse && !bad && limit < whole: // num+k of den+k
		return steps(-gap, whole-limit, b.Reached)
	}
	return Never
}

// steps is how many steps it takes to cover the way, or to go beyond it.
func steps(way, step int64, beyond bool) int64 {
	if beyond {
		return way/step + 1
	}
	return (way + step - 1) / step
}

// Percent writes num of den, to a hundredth of a percent and cut off, so that what is not past a limit never reads as if it were.
func Percent(num, den int64) string {
	if den <= 0 {
		return "none"
	}
	p := num * 10_000 / den
	return fmt.Sprintf("%d.%02d %%", p/100, p%100)
}

// done is what orders above the line of a test did.
var done = map[policy.Test]string{
	policy.ReadyLate: "arranged late", policy.HandedOverLate: "dispatched late", policy.DeliveredOnTime: "delivered on time",
	policy.DeliveredWithin:   "delivered soon enough",
	policy.CancelledBySeller: "cancelled by the seller's fault", policy.TrackingValid: "validly tracked",
}

// Sentence says how the shop stands and how far the next limit is.
func (s *Standing) Sentence() string {
	switch {
	case s.Rate == nil:
		return "The rules do not say how to count on this day."
	case s.Den <= 0:
		return fmt.Sprintf("No %s in the window.", s.Rate.Counts+"s")
	}
	text := fmt.Sprintf("%s: %d of %d %ss %s", Percent(s.Num, s.Den), s.Num, s.Den, s.Rate.Counts, done[s.Rate.Test])
	if s.Unjudged > 0 {
		text += fmt.Sprintf(", %d could not be judged", s.Unjudged)
	}
	if len(s.Bands) == 0 {
		return text + ". No limit is known for this day."
	}
	if next, ok := s.Next(); ok && next.More != Never {
		return text + fmt.Sprintf(". %d more that go wrong pass the %s limit of %s.", next.More, next.Kind, Percent(int64(next.Limit), whole))
	}
	if last := s.Bands[len(s.Bands)-1]; last.Worse && last.More != Never {
		return text + fmt.Sprintf(". It takes %d more that go well to come back within the %s limit of %s.", last.More, last.Kind, Percent(int64(last.Limit), whole))
	}
	return text + "."
}
