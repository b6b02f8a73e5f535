package policy

import (
	"time"
)

// RuleSet is all rules of one market. Make it with Decode; its lists are in the order of the file.
type RuleSet struct {
	Market  string            `yaml:"market" json:"market"`   // ISO 3166 two letters
	Version string            `yaml:"version" json:"version"` // changes whenever anything in it does
	Zone    string            `yaml:"zone" json:"zone"`       // IANA name: whose days are meant
	Sources map[string]Source `yaml:"sources" json:"sources"`
	Rates   []Rate            `yaml:"rates" json:"rates"`
	Bands   []Band            `yaml:"bands" json:"bands"`

	zone *time.Location
}

// Source is where facts come from.
type Source struct {
	Title string `yaml:"title" json:"title"`
	Seen  Day    `yaml:"seen" json:"seen,omitzero"` // when it was last read
}

// Location is the zone of the market's days.
func (rs *RuleSet) Location() *time.Location {
	if rs.zone == nil {
		return time.UTC
	}
	return rs.zone
}

// RateOn is how the metric is counted on a day; false: the rules do not say.
func (rs *RuleSet) RateOn(m Metric, d Day) (Rate, bool) {
	for _, r := range rs.Rates {
		if r.Metric == m && r.Holds(d) {
			return r, true
		}
	}
	return Rate{}, false
}

// BandsOn are the limits of the metric on a day; none: the rules do not say.
func (rs *RuleSet) BandsOn(m Metric, d Day) []Band {
	var out []Band
	for _, b := range rs.Bands {
		if b.Metric == m && b.Holds(d) {
			out = append(out, b)
		}
	}
	return out
}
