package ops

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// causesEvery is how old a break-down may be: it adds up all days of a window by every value.
	causesEvery = 10 * time.Second
	// causeRows values of a facet are shown on the page of health, choiceRows in the choices of a rate.
	causeRows, choiceRows = 5, 50
	// A value is much worse than the rest when its share against the shop is more than worseTimes theirs, with at least worseLeast orders.
	worseTimes, worseLeast = 2, 5
)

// causeKey names the window of a rate of a shop.
type causeKey struct {
	connection, key string
	metric          policy.Metric
	first, last     policy.Day
}

// causes are a window's orders against the shop by the values of each facet, those with the most first.
type causes map[string][]part

// part is one value of a facet.
type part struct {
	value       string
	against, of int64
}

func keyOf(s *shopHealth, now *health.Standing) causeKey {
	return causeKey{connection: s.Connection.ID, key: health.Key(s.Rules, *now.Rate), metric: now.Metric, first: now.First, last: now.Last}
}

// causesOf breaks a window down.
func (d *Desk) causesOf(ctx context.Context, k causeKey, bad bool) (causes, error) {
	out, _, err := d.health.causes.at(k, d.x.now()).get(ctx, d.x.ctx, d.x.now, causesEvery, func(ctx context.Context) (c causes, err error) {
		err = d.count(ctx, func(tx *store.Tx) error {
			c = causes{}
			parts, err := tx.HealthParts(k.connection, k.key, k.first, k.last)
			if err != nil {
				return err
			}
			for _, t := range parts {
				against := t.Num
				if !bad {
					against = t.Den - t.Num
				}
				c[t.Facet] = append(c[t.Facet], part{t.Value, against, t.Den})
			}
			reasons, err := tx.HealthReasons(k.connection, k.key, k.first, k.last)
			for _, r := range reasons {
				c[facetReason] = append(c[facetReason], part{value: string(r.Reason), against: r.Orders})
			}
			return err
		})
		for _, list := range c {
			slices.SortFunc(list, func(a, b part) int { return cmp.Or(cmp.Compare(b.against, a.against), cmp.Compare(a.value, b.value)) })
		}
		return c, err
	})
	return out, errs.Wrap("ops.Health", k.connection, err)
}

// fillCauses fills in what counts against the shop in one metric: the one asked for, else the worst.
func (d *Desk) fillCauses(ctx context.Context, out *view.Health, s *shopHealth, m policy.Metric) error {
	m = cmp.Or(m, s.worstMetric())
	out.CausesFor = string(m)
	now := s.standing(m)
	if now.Rate == nil || now.Den <= 0 {
		return nil
	}
	all, err := d.causesOf(ctx, keyOf(s, now), now.Rate.Test.Bad())
	if err != nil {
		return err
	}
	cat := d.x.catalog.Load()
	for _, f := range facetNames {
		c := view.Cause{Facet: f.id, Name: f.name}
		for _, p := range all[f.id] {
			if p.against <= 0 || f.id == facetReason && health.Reason(p.value).Unjudged() {
				continue
			}
			if len(c.Rows) == causeRows {
				c.More++
				continue
			}
			row := view.CauseRow{Value: p.value, Name: cat.valueName(s.Connection.ID, f.id, p.value), Against: p.against, Of: p.of}
			if f.id != facetReason && muchWorse(p, now.Against(), now.Den) {
				row.Level = view.Bad
			}
			c.Rows = append(c.Rows, row)
		}
		if len(c.Rows) > 0 {
			out.Causes = append(out.Causes, c)
		}
	}
	return nil
}

// muchWorse reports whether a value does much worse than all the rest together.
func muchWorse(p part, against, of int64) bool {
	restAgainst, restOf := max(0, against-p.against), of-p.of
	return p.against >= worseLeast && restOf > 0 && p.against*restOf > worseTimes*restAgainst*p.of
}

// standing is a metric on the day judged.
func (s *shopHealth) standing(m policy.Metric) *health.Standing {
	points := s.trends[m]
	return &points[len(points)-1]
}
