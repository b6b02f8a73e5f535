package policy

import (
	"time"

	"github.com/spillway/spillway/domain/policy/calendar"
)

// RuleSet is all rules of one market. Make it with Decode or New; its lists are in the order of the file. It is not changed afterwards, and so
// safe for concurrent use: With makes another one.
type RuleSet struct {
	Market  string            `yaml:"market" json:"market"`   // ISO 3166 two letters
	Version string            `yaml:"version" json:"version"` // changes whenever anything in it does
	Zone    string            `yaml:"zone" json:"zone"`       // IANA name: whose days are meant
	Sources map[string]Source `yaml:"sources" json:"sources"`

	Business Business  `yaml:"business" json:"business"`
	Closures []Closure `yaml:"closures" json:"closures,omitzero"`

	Rates         []Rate         `yaml:"rates" json:"rates"`
	Bands         []Band         `yaml:"bands" json:"bands"`
	DeadlineRules []DeadlineRule `yaml:"deadlines" json:"deadlines,omitzero"`
	Handling      []HandlingTime `yaml:"handling" json:"handling,omitzero"`
	Terms         []Term         `yaml:"terms" json:"terms,omitzero"`

	Accounts     []Account      `yaml:"accounts" json:"accounts,omitzero"`
	Zones        []AccountZone  `yaml:"zones" json:"zones,omitzero"`
	Milestones   []Milestone    `yaml:"milestones" json:"milestones,omitzero"`
	Points       []Points       `yaml:"points" json:"points,omitzero"`
	PointSteps   []PointStep    `yaml:"point_steps" json:"point_steps,omitzero"`
	PointCosts   []PointCost    `yaml:"point_costs" json:"point_costs,omitzero"`
	OrderLimits  []OrderLimit   `yaml:"order_limits" json:"order_limits,omitzero"`
	Probation    []Probation    `yaml:"probation" json:"probation,omitzero"`
	Regimes      []Regime       `yaml:"regimes" json:"regimes,omitzero"`
	Scores       []Score        `yaml:"scores" json:"scores,omitzero"`
	ScoreMetrics []ScoreMetric  `yaml:"score_metrics" json:"score_metrics,omitzero"`
	ScoreUses    []ScoreUse     `yaml:"score_uses" json:"score_uses,omitzero"`
	Fees         []Fee          `yaml:"fees" json:"fees,omitzero"`
	Settlements  []Settlement   `yaml:"settlements" json:"settlements,omitzero"`
	Service      []ServiceLevel `yaml:"service" json:"service,omitzero"`
	Notices      []Notice       `yaml:"notices" json:"notices,omitzero"`
	Gaps         []Gap          `yaml:"gaps" json:"gaps,omitzero"`

	zone     *time.Location
	calendar *calendar.Calendar
	byField  [fields][]*DeadlineRule
}

// Source is where facts come from.
type Source struct {
	Title string `yaml:"title" json:"title"`
	Seen  Day    `yaml:"seen" json:"seen,omitzero"` // when it was last read
}

// Entry is what every dated rule has: a name of its own, its days and where it comes from.
type Entry struct {
	ID    string `yaml:"id" json:"id"` // unique in the rule set
	Span  `yaml:",inline"`
	Cited `yaml:",inline"`
}

// In reports whether the entry holds on a day and is in force at all.
func (e Entry) In(d Day) bool { return e.Holds(d) && !e.Announced }

// Business says which days are business days.
type Business struct {
	Week     calendar.Week     `yaml:"week" json:"week"`
	Holidays calendar.Holidays `yaml:"holidays" json:"holidays,omitzero"`
	Cited    `yaml:",inline"`
}

// Closure is days that are no business days in this market, with who says so. A channel's extension of its deadlines is one too.
type Closure struct {
	calendar.Closure `yaml:",inline"`
	Cited            `yaml:",inline"`
}

// Gap is what no source tells. It is shown, and never filled with a guess.
type Gap struct {
	ID   string `yaml:"id" json:"id"`
	Text string `yaml:"text" json:"text"`
	Way  string `yaml:"way" json:"way,omitzero"` // what to do meanwhile
}

// Location is the zone of the market's days.
func (rs *RuleSet) Location() *time.Location {
	if rs.zone == nil {
		return time.UTC
	}
	return rs.zone
}

// Calendar is the market's business time.
func (rs *RuleSet) Calendar() *calendar.Calendar { return rs.calendar }

// RateOn is how the metric is counted on a day; false: the rules do not say.
func (rs *RuleSet) RateOn(m Metric, d Day) (Rate, bool) {
	for _, r := range rs.Rates {
		if r.Metric == m && r.Holds(d) && !r.Announced {
			return r, true
		}
	}
	return Rate{}, false
}

// BandsOn are the limits of the metric on a day; none: the rules do not say.
func (rs *RuleSet) BandsOn(m Metric, d Day) []Band {
	var out []Band
	for _, b := range rs.Bands {
		if b.Metric == m && b.Holds(d) && !b.Announced {
			out = append(out, b)
		}
	}
	return out
}

// On are the entries of a list that are in force on a day, such as On(rs.Fees, day).
func On[E interface{ In(Day) bool }](list []E, d Day) []E {
	var out []E
	for _, e := range list {
		if e.In(d) {
			out = append(out, e)
		}
	}
	return out
}
