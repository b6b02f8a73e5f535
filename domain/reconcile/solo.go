package reconcile

import (
	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

// solo judges by one definition of a metric, whatever the days it holds on: exports are compared for periods of the past too.
type solo struct {
	rate  policy.Rate
	judge *health.Judge
}

func newSolo(rs *policy.RuleSet, r policy.Rate) *solo {
	open := *rs
	free := r
	free.Span, free.Announced = policy.Span{}, false
	open.Rates = []policy.Rate{free}
	return &solo{rate: r, judge: health.NewJudge(&open)}
}

// verdict is what an order is to one side.
type verdict struct {
	counted, against, unjudged bool
	day                        policy.Day
	num, den, bad              int64
	reason                     health.Reason
}

func (s *solo) of(o *order.Order) verdict {
	list := s.judge.Counts(o)
	if len(list) == 0 {
		return verdict{}
	}
	c := list[0]
	return verdict{counted: true, against: c.Against > 0, unjudged: c.Unjudged > 0, day: c.Day, num: c.Num, den: c.Den, bad: c.Against, reason: c.Reason}
}

// in is the verdict within a period: outside it, the order is not counted.
func (v verdict) in(from, to policy.Day) verdict {
	if !v.counted || v.day < from || v.day > to {
		return verdict{}
	}
	return v
}

func (v verdict) side() Side {
	switch {
	case !v.counted:
		return NotCounted
	case v.against:
		return Against
	case v.unjudged:
		return Unjudged
	}
	return Fine
}
