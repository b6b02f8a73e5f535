package policy

// OrderLimit is a cap on the orders a shop may take, and what brings it about. A shop at its cap looks sold out on the channel.
type OrderLimit struct {
	Entry   `yaml:",inline"`
	Cause   Metric      `yaml:"cause" json:"cause,omitzero"`   // empty: see Text
	For     string      `yaml:"for" json:"for,omitzero"`       // which shops; empty: all
	Text    string      `yaml:"text" json:"text,omitzero"`     // what the source says beyond the numbers
	Window  int         `yaml:"window" json:"window,omitzero"` // days over which the cause is counted
	Base    Base        `yaml:"base" json:"base,omitzero"`     // what the tiers are shares of
	Days    int         `yaml:"base_days" json:"base_days,omitzero"`
	Lasts   Period      `yaml:"lasts" json:"lasts,omitzero"`       // how long it is applied
	Starts  string      `yaml:"starts" json:"starts,omitzero"`     // when it is applied
	LiftsAt PPM         `yaml:"lifts_at" json:"lifts_at,omitzero"` // the rate at or below which it goes
	Tiers   []LimitTier `yaml:"tiers" json:"tiers,omitempty"`
	Shares  []PPM       `yaml:"shares" json:"shares,omitempty"`            // of the base, where no source gives the rates they belong to
	Shop    PPM         `yaml:"shop_from" json:"shop_from,omitzero"`       // the shop's rate from which…
	Product PPM         `yaml:"product_from" json:"product_from,omitzero"` // …a product with this rate is switched off
	Before  int         `yaml:"days_before" json:"days_before,omitzero"`   // days before a campaign from which it is applied
	Past    int         `yaml:"days_after" json:"days_after,omitzero"`     // days after it until which it is
}

// Base is what a cap is a share of.
type Base string

const (
	AverageDay     Base = "average"         // orders of the base days ÷ base days
	HighestAverage Base = "highest_average" // highest daily average of the base days
)

// LimitTier is a cap for rates from From on, until the next tier.
type LimitTier struct {
	From       PPM        `yaml:"from" json:"from"`
	Share      PPM        `yaml:"share" json:"share"`                    // of the base
	Confidence Confidence `yaml:"confidence" json:"confidence,omitzero"` // where it differs from the entry's
}

// TierOf is the tier a rate of num of den falls into; false: none does.
func (l OrderLimit) TierOf(num, den int64) (LimitTier, bool) {
	var found LimitTier
	ok := false
	for _, t := range l.Tiers { // in order, as checked
		if den > 0 && num*million >= int64(t.From)*den {
			found, ok = t, true
		}
	}
	return found, ok
}

// Probation caps what a new shop may sell.
type Probation struct {
	Entry     `yaml:",inline"`
	Tier      string `yaml:"tier" json:"tier"`
	Orders    int    `yaml:"orders" json:"orders,omitzero"`           // a day
	From      int    `yaml:"orders_from" json:"orders_from,omitzero"` // least orders a day, where the source gives a range
	Products  int    `yaml:"products" json:"products,omitzero"`
	NoCap     bool   `yaml:"no_cap" json:"no_cap,omitzero"`
	AfterDays int    `yaml:"after_days" json:"after_days,omitzero"`     // days of selling needed to leave it
	AfterSold int    `yaml:"after_orders" json:"after_orders,omitzero"` // orders needed to leave it
}
