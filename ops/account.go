package ops

import (
	"context"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// AccountNow is how a shop's account stands, as its market keeps it: by a rating, by points for breaches, or not at all.
type AccountNow struct {
	Rating   *health.Account         // nil: the market keeps none
	Points   *health.ViolationPoints // nil: the market keeps none
	Counting bool                    // orders are still being counted: what breaches cost is not known yet
}

// Account is how a shop's account stands now. Errors: NotFound.
func (x *Ops) Account(ctx context.Context, connection string) (out AccountNow, err error) {
	const op = "ops.Account"
	err = x.st.View(ctx, func(tx *store.Tx) error {
		out = AccountNow{}
		c, err := tx.ConnectionGet(connection)
		if err != nil {
			return err
		}
		r, err := x.ratesOf(tx, c, tx.Now())
		if err != nil || r.Rules == nil {
			return err
		}
		trends := map[policy.Metric][]health.Standing{}
		if out.Counting = r.Counted.IsZero(); !out.Counting {
			for _, m := range policy.Metrics {
				if trends[m], err = trend(tx, r.Rules, connection, m, r.Day-accountDays+1, r.Day); err != nil {
					return err
				}
			}
		}
		breaches := breachesOf(trends)
		if p, ok := health.PointsOn(r.Rules, r.Day, breaches); ok {
			out.Points = &p
		}
		s := shopHealth{ShopRates: r}
		if s.deductions, err = tx.AccountDeductions(connection, r.Day-2*accountDays, maxDeductions); err != nil {
			return err
		}
		if s.ratings, err = tx.AccountRatings(connection, (r.Day - 2*accountDays).Start(r.Rules.Location()), maxRatings); err != nil {
			return err
		}
		if a, ok := health.AccountOn(r.Rules, r.Day, s.entries(), s.taken(), breaches); ok {
			out.Rating = &a
		}
		return nil
	})
	return out, errs.Wrap(op, connection, err)
}

// breachesOf are the breaches of all metrics. What was not counted has none.
func breachesOf(trends map[policy.Metric][]health.Standing) (out []health.BreachSpan) {
	for _, m := range policy.Metrics {
		out = append(out, health.Breaches(trends[m])...)
	}
	return out
}

// points is the account of a market that counts points for breaches; nil where it does not.
func (s *shopHealth) points(breaches []health.BreachSpan) *view.ViolationPoints {
	p, ok := health.PointsOn(s.Rules, s.Day, breaches)
	if !ok {
		return nil
	}
	v := &view.ViolationPoints{Low: int64(p.Low), High: int64(p.High), State: view.StateWatch}
	steps := policy.On(s.Rules.PointSteps, s.Day)
	slices.SortStableFunc(steps, func(a, b policy.PointStep) int { return a.Points - b.Points })
	for _, st := range steps {
		then := st.Then
		if then == "" {
			then = "a step; what happens is not told"
		}
		v.Steps = append(v.Steps, view.AccountMark{At: int64(st.Points), Text: then, Cited: citedOf(s.Rules, st.Cited)})
	}
	if s.counting() {
		v.Low, v.High, v.State, v.Sentence = -1, -1, view.StateCounting, "Orders are still being counted: no points are modelled yet."
		return v
	}
	switch {
	case len(p.Passed) > 0:
		v.State = view.StateBreach
	case p.High == 0 && p.Unknown == 0:
		v.State = view.StateGood
	}
	v.Sentence = p.Sentence()
	v.Models = "Modelled from this shop’s own breaches: the channel’s page alone shows points, and those for other violations are not among these. A point lapses after " + plural(p.Rule.Life, "day", "days") + "."
	if p.Clear != 0 {
		v.Models = strings.TrimSuffix(v.Models, ".") + ", the last of these on " + dayWords(p.Clear, s.at) + "."
	}
	return v
}
