package policy

// Line is one dated rule in words.
type Line struct {
	Section string   `json:"section"` // the list of the rule set it is in: rates, bands, …
	ID      string   `json:"id,omitzero"`
	Topic   string   `json:"topic"` // what it rules; rules of one topic follow each other over time
	Says    string   `json:"says"`
	Metric  Metric   `json:"metric,omitzero"` // of rates and limits
	Kind    BandKind `json:"kind,omitzero"`   // of limits
	Paused  bool     `json:"paused,omitzero"`
	Span
	Cited
}

// Lines are all dated rules in words, those that are only announced too, in the order of the rule set.
func (rs *RuleSet) Lines() []Line {
	var out []Line
	rs.each(func(p place, r rule) {
		l := Line{Section: p.section, ID: r.name(), Topic: r.topic(), Says: r.says(), Span: r.span(), Cited: r.cite()}
		switch x := r.(type) {
		case Rate:
			l.Metric = x.Metric
		case Band:
			l.Metric, l.Kind, l.Paused = x.Metric, x.Kind, x.Paused
		}
		out = append(out, l)
	})
	return out
}
