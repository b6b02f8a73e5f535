package policy

// Account is the scale on which a channel keeps a shop's health in points.
type Account struct {
	Entry    `yaml:",inline"`
	Min      int    `yaml:"min" json:"min"`
	Max      int    `yaml:"max" json:"max"`
	Start    int    `yaml:"start" json:"start"`         // what everyone begins with
	LookBack int    `yaml:"look_back" json:"look_back"` // days
	Warning  int    `yaml:"warning" json:"warning"`     // points above a milestone at which it is warned of
	Gains    string `yaml:"gains" json:"gains"`         // how points come back
}

// AccountZone is a stretch of the scale. Zones of one scheme lie side by side; schemes of different sources need not agree.
type AccountZone struct {
	Entry  `yaml:",inline"`
	Scheme string `yaml:"scheme" json:"scheme"`
	Name   string `yaml:"name" json:"name"`
	Low    int    `yaml:"low" json:"low"`   // least points in it
	High   int    `yaml:"high" json:"high"` // most points in it
	Means  string `yaml:"means" json:"means,omitzero"`
}

// Milestone is what happens when an account comes down to so many points.
type Milestone struct {
	Entry   `yaml:",inline"`
	Points  int      `yaml:"points" json:"points"`           // or fewer
	Days    int      `yaml:"days" json:"days,omitzero"`      // how long; zero: as long as the account is there
	Blocks  []string `yaml:"blocks" json:"blocks,omitempty"` // what is not possible meanwhile
	Closure bool     `yaml:"closure" json:"closure,omitzero"`
	Quiz    string   `yaml:"quiz" json:"quiz,omitzero"` // what shortens it
}

// Points is the other way of keeping account: points for violations, which lapse.
type Points struct {
	Entry `yaml:",inline"`
	Life  int `yaml:"life" json:"life"` // days after which a point lapses
}

// PointStep is what happens at so many violation points.
type PointStep struct {
	Entry  `yaml:",inline"`
	Points int    `yaml:"points" json:"points"` // or more
	Then   string `yaml:"then" json:"then,omitzero"`
}

// PointCost is how many points a breach costs.
type PointCost struct {
	Entry  `yaml:",inline"`
	Metric Metric `yaml:"metric" json:"metric"`
	From   PPM    `yaml:"from_rate" json:"from_rate,omitzero"` // the rate from which it costs them
	Orders int    `yaml:"orders" json:"orders,omitzero"`       // and so many such orders
	Points int    `yaml:"points" json:"points"`
	To     int    `yaml:"to" json:"to,omitzero"` // the most points, where the source gives a range
}
