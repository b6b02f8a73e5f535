package packing

import "github.com/spillway/spillway/kit/money"

// Charge is what a carrier takes for one parcel.
type Charge struct {
	DimGrams    int64 // weight by size, g; 0 where the lane has none
	BilledGrams int64 // what the price goes by
	Price       money.Amount
	Refused     bool // the carrier does not take such a parcel
}

// Tariff prices a parcel by its outer size and its weight in g. It must give the same answer to the same question, and be in the currency of
// the cartons' costs.
type Tariff func(outer Size, grams int64) Charge

// Tier is one step of a price list: parcels billed at up to UpTo g cost Price.
type Tier struct {
	UpTo  int64 // g
	Price money.Amount
}

// ByTiers is the tariff of a lane that bills the greater of weight and size. The divisor is mm³ per kg (5,000 cm³ per kg is 5,000,000;
// 139 cubic inches per pound is 5,021,690) and applies to parcels above over mm³; 0 turns weight by size off. Tiers rise; a parcel beyond the
// last is refused. Weight by size is rounded up to the next g.
func ByTiers(divisor, over int64, tiers []Tier) Tariff {
	return func(outer Size, grams int64) Charge {
		var c Charge
		if v := outer.Volume(); divisor > 0 && v > over {
			c.DimGrams = (v*1000 + divisor - 1) / divisor
		}
		c.BilledGrams = max(grams, c.DimGrams)
		for _, t := range tiers {
			if c.BilledGrams <= t.UpTo {
				c.Price = t.Price
				return c
			}
		}
		c.Refused = true
		return c
	}
}
