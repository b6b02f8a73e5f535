package policy

// Score is the mark a channel gives a shop, with one decimal.
type Score struct {
	Entry   `yaml:",inline"`
	Min     Tenths   `yaml:"min" json:"min"`
	Max     Tenths   `yaml:"max" json:"max"`
	Orders  int      `yaml:"orders" json:"orders"` // delivered orders needed for a mark
	Days    int      `yaml:"days" json:"days"`     // within so many days
	Good    Tenths   `yaml:"good" json:"good"`     // good from here on
	Floor   Tenths   `yaml:"floor" json:"floor"`   // a breach below
	Tiers   []string `yaml:"tiers" json:"tiers"`   // the channel's words, best first
	Weights string   `yaml:"weights" json:"weights,omitzero"`
}

// ScoreMetric is one of the rates a score is made of.
type ScoreMetric struct {
	Entry  `yaml:",inline"`
	Code   string `yaml:"code" json:"code"`
	Text   string `yaml:"text" json:"text"`
	Window int    `yaml:"window" json:"window,omitzero"` // days; zero: no source tells
	Limit  PPM    `yaml:"limit" json:"limit,omitzero"`   // at most this…
	Gives  Tenths `yaml:"gives" json:"gives,omitzero"`   // …for this mark or better
}

// ScoreUse is what a score opens or closes.
type ScoreUse struct {
	Entry `yaml:",inline"`
	From  Tenths `yaml:"from_score" json:"from_score,omitzero"`   // scores from here on
	Below Tenths `yaml:"below_score" json:"below_score,omitzero"` // scores below this
	Text  string `yaml:"text" json:"text"`
}
