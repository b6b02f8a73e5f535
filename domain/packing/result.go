package packing

import "github.com/spillway/spillway/kit/money"

// Reason says why a unit is in no parcel. The list is closed.
type Reason string

const (
	TooLarge Reason = "too_large" // no carton has room for one unit, however it is turned
	TooHeavy Reason = "too_heavy" // cartons with room for it may not weigh as much
	Refused  Reason = "refused"   // the carrier takes none of the parcels it could be in
	NoCarton Reason = "no_carton" // there would be cartons, but they ran out
)

// Unplaced are units of one item that are in no parcel.
type Unplaced struct {
	Item   string
	Units  int
	Reason Reason
}

// Placement is one unit in its place: the corner nearest to the carton's inner left, front, bottom corner, in mm, and how far it reaches from there.
// Placements are listed in the order in which to put them in: nothing has to be lifted or slid under anything.
type Placement struct {
	Item    string
	Unit    int // 1 to the item's Units
	X, Y, Z int
	Size    Size // as it stands in the carton: along X, along Y, upwards
}

// Parcel is one packed carton.
type Parcel struct {
	Carton     string
	Inner      Size
	Outer      Size
	Placements []Placement
	NetGrams   int64 // contents
	Grams      int64 // contents and carton
	Volume     int64 // of the contents, mm³
	Charge     Charge
	Carrying   money.Amount // carton and charge
}

// Fill is the share of the carton's inner room that is goods, in hundredths of a per cent.
func (p Parcel) Fill() int {
	if v := p.Inner.Volume(); v > 0 {
		return int(p.Volume * 10_000 / v)
	}
	return 0
}

// Packing is the answer: every unit is in exactly one parcel or in Unplaced.
type Packing struct {
	Parcels  []Parcel
	Unplaced []Unplaced
	Cost     money.Amount // of all parcels: cartons and charges
	Volume   int64        // inner volume of all cartons, mm³
	AtLeast  int          // parcels that what fits a carton at all cannot do without, by volume, weight and units that go alone
	Effort   int          // work done, in the unit of Rules.Effort
}
