package health

import (
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

// Count is what an order adds to one rate on one day.
type Count struct {
	Rate     string // key of the rate, see Key
	Day      policy.Day
	Num, Den int64
	Against  int64  // of Den, how many count against the shop: Num of a rate of bad orders, Den − Num of one of good orders
	Unjudged int64  // of Den, how many are not known to count against the shop or not; they are not in Against
	Bad      bool   // Against > 0
	Reason   Reason // why, if Bad or Unjudged; of several packages the first one's
}

// Judge applies a rule set to orders. It is compiled once, never written again and so safe for concurrent use.
//
// What an order is on the day its rate puts it on:
//   - Placed: paid, or created where it is paid on delivery or the channel does not say when it was paid. Unpaid orders and orders in the
//     channel's hold are not placed yet. One cancelled in its hold cannot be told from one cancelled after it, and counts as placed.
//   - Ready and handed over: a moment the channel did not tell is taken to be the next one it told. An order that was cancelled before its
//     moment has none, so it never counts as late.
//   - Due for delivery: everything with a deliver-by date, but what was cancelled until then. Without a delivery it counts as late on its
//     day from the start, which is why such rates judge only days that are over.
//
// Exactly on a deadline is in time. An order that cannot be judged (no deadline known, fault unknown) counts below the line, not against the
// shop, and is told as unjudged. A cancellation of some units is not one of the order. Moments in the future land on their day like any other.
type Judge struct {
	rs   *policy.RuleSet
	zone zone
	defs []def
	keys []string
}

// def is a rate made ready.
type def struct {
	key            string
	anchor         anchor
	test           policy.Test
	bad, packages  bool
	within         int
	exclude, spare class
	first, last    policy.Day // anchor days some day of the rate's span can see
}

// NewJudge compiles the rule set, which must not be changed any more.
func NewJudge(rs *policy.RuleSet) *Judge {
	j := &Judge{rs: rs, zone: newZone(rs.Location())}
	for _, r := range rs.Rates {
		if r.Announced {
			continue
		}
		d := def{key: Key(rs, r), anchor: anchorOf(r.Anchor), test: r.Test, bad: r.Test.Bad(), packages: r.Counts == policy.Packages,
			within: r.Within, exclude: classes(r.Exclude), spare: classes(r.Spare)}
		d.first, d.last = visible(r)
		j.defs, j.keys = append(j.defs, d), append(j.keys, d.key)
	}
	return j
}

// visible is the anchor days a day of the rate's span can see.
func visible(r policy.Rate) (first, last policy.Day) {
	first, last = -1<<31, 1<<31-1
	if r.From != 0 {
		first = r.From - policy.Day(r.Lag+r.Days-1)
	}
	if r.Until != 0 {
		last = r.Until - 1 - policy.Day(r.Lag)
	}
	return first, last
}

// Keys are the keys under which the rule set's figures are kept, in the order of its rates; rates only announced have none.
func (j *Judge) Keys() []string { return append([]string(nil), j.keys...) }

// Rules is the rule set that judges.
func (j *Judge) Rules() *policy.RuleSet { return j.rs }

// Counts lists what the order adds to the rates.
func (j *Judge) Counts(o *order.Order) []Count {
	var buf [stackVerdicts]verdict
	vs := j.judge(o, new(numbers), buf[:0])
	out := make([]Count, 0, len(vs))
	for _, v := range vs {
		out = append(out, Count{Rate: j.defs[v.def].key, Day: v.day, Num: v.num, Den: v.den, Against: v.against, Unjudged: v.unjudged,
			Bad: v.against > 0, Reason: v.reason})
	}
	return out
}

// stackVerdicts is how many rates an order may count in before a verdict needs memory: a market has four, and two of each around a switch.
const stackVerdicts = 12

// verdict is a Count before it is written out. It is comparable: equal verdicts on equal facets change nothing.
type verdict struct {
	def                         int
	day                         policy.Day
	num, den, against, unjudged int64
	reason                      Reason
}

// judge appends the verdicts on o.
func (j *Judge) judge(o *order.Order, k *numbers, out []verdict) []verdict {
	v := view{j: j, o: o, numbers: k}
	c := classOf(o)
	for i := range j.defs {
		d := &j.defs[i]
		if c&d.exclude != 0 {
			continue
		}
		day, ok := v.day(d.anchor)
		if !ok || day < d.first || day > d.last {
			continue
		}
		r := verdict{def: i, day: day, den: 1}
		if d.packages {
			r.den = packages(o)
		}
		if c&d.spare != 0 {
			if !d.bad {
				r.num = r.den
			}
		} else if !v.try(d, &r) {
			continue
		}
		out = append(out, r)
	}
	return out
}
