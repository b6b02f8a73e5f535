package policy

import "fmt"

// rule is what all dated entries of a rule set have in common.
type rule interface {
	name() string   // its id; empty where it has none
	span() Span     //
	cite() Cited    //
	topic() string  // what it rules, for people; entries of one topic follow each other over time
	says() string   // what it says about that, for people
	only() []string // keys of which one day knows one rule at most; nil: several may stand side by side
}

func (e Entry) name() string   { return e.ID }
func (e Entry) span() Span     { return e.Span }
func (e Entry) cite() Cited    { return e.Cited }
func (e Entry) only() []string { return nil }

func (r Rate) name() string   { return r.ID }
func (r Rate) span() Span     { return r.Span }
func (r Rate) cite() Cited    { return r.Cited }
func (r Rate) only() []string { return []string{"definition of " + string(r.Metric)} }

func (b Band) name() string   { return b.ID }
func (b Band) span() Span     { return b.Span }
func (b Band) cite() Cited    { return b.Cited }
func (b Band) only() []string { return []string{fmt.Sprintf("%s of %s", b.Kind, b.Metric)} }

func (c Closure) name() string   { return "" }
func (c Closure) span() Span     { return c.Span }
func (c Closure) cite() Cited    { return c.Cited }
func (c Closure) only() []string { return nil }

func (r DeadlineRule) only() []string {
	var out []string
	for _, h := range r.For {
		out = append(out, fmt.Sprintf("%s of %s orders", r.Field, h))
	}
	return out
}

func (a Account) only() []string     { return []string{"account"} }
func (p Points) only() []string      { return []string{"points"} }
func (s Score) only() []string       { return []string{"score"} }
func (z AccountZone) only() []string { return []string{"zone " + z.Scheme + " " + z.Name} }
func (r Regime) only() []string      { return []string{"regime " + r.Option + " " + r.For} }
func (h HandlingTime) only() []string {
	return []string{"handling time of " + string(h.For)}
}

// place is where an entry stands in its file.
type place struct {
	section string
	index   int
}

// each visits every dated entry, section by section in the order of the type.
func (rs *RuleSet) each(visit func(place, rule)) {
	visitAll(visit, "closures", rs.Closures)
	visitAll(visit, "rates", rs.Rates)
	visitAll(visit, "bands", rs.Bands)
	visitAll(visit, "deadlines", rs.DeadlineRules)
	visitAll(visit, "handling", rs.Handling)
	visitAll(visit, "terms", rs.Terms)
	visitAll(visit, "accounts", rs.Accounts)
	visitAll(visit, "zones", rs.Zones)
	visitAll(visit, "milestones", rs.Milestones)
	visitAll(visit, "points", rs.Points)
	visitAll(visit, "point_steps", rs.PointSteps)
	visitAll(visit, "point_costs", rs.PointCosts)
	visitAll(visit, "order_limits", rs.OrderLimits)
	visitAll(visit, "probation", rs.Probation)
	visitAll(visit, "regimes", rs.Regimes)
	visitAll(visit, "scores", rs.Scores)
	visitAll(visit, "score_metrics", rs.ScoreMetrics)
	visitAll(visit, "score_uses", rs.ScoreUses)
	visitAll(visit, "fees", rs.Fees)
	visitAll(visit, "settlements", rs.Settlements)
	visitAll(visit, "service", rs.Service)
	visitAll(visit, "notices", rs.Notices)
}

func visitAll[R rule](visit func(place, rule), section string, list []R) {
	for i, r := range list {
		visit(place{section, i}, r)
	}
}
