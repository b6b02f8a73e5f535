package policy

// Regime is a way of shipping and what a channel allows, asks and gives for it, over time.
type Regime struct {
	Entry     `yaml:",inline"`
	Option    string      `yaml:"option" json:"option"` // its name on the channel
	State     RegimeState `yaml:"state" json:"state"`
	For       string      `yaml:"for" json:"for,omitzero"`             // which shops; empty: all
	Carrier   string      `yaml:"carrier" json:"carrier,omitzero"`     // who picks the carrier
	Exempt    []string    `yaml:"exempt" json:"exempt,omitempty"`      // rates and penalties its orders are free of
	HandOver  Period      `yaml:"hand_over" json:"hand_over,omitzero"` // handed over within it, to keep the exemptions
	Saving    PPM         `yaml:"saving" json:"saving,omitzero"`       // cheaper labels, up to
	Areas     []string    `yaml:"areas" json:"areas,omitempty"`
	PerDay    int         `yaml:"orders_per_day" json:"orders_per_day,omitzero"` // more than so many orders a day are needed
	ToldOn    Day         `yaml:"told_on" json:"told_on,omitzero"`               // when it was announced
	Withdrawn Day         `yaml:"withdrawn" json:"withdrawn,omitzero"`           // announced and taken back on this day: it never came into force
}

// RegimeState says what a regime allows.
type RegimeState string

const (
	Allowed  RegimeState = "allowed"
	Required RegimeState = "required" // the only way
	Closed   RegimeState = "closed"   // not any more, or not for these shops
)
