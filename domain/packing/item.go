package packing

import (
	"github.com/spillway/spillway/kit/money"
)

// Size is a box's length, width and height in whole millimetres. Of an item it is as the item stands by itself.
type Size struct{ L, W, H int }

// Volume is in mm³.
func (s Size) Volume() int64 { return int64(s.L) * int64(s.W) * int64(s.H) }

// Upright says which edges of an item may be vertical. An item may always be spun about its vertical edge by a quarter turn.
type Upright uint8

// The zero Upright forbids nothing: most goods may lie on any side.
const (
	UprightL Upright = 1 << iota // the length may be vertical
	UprightW                     // the width may be vertical
	UprightH                     // the height may be vertical; alone it means "this way up"
	AnyWayUp Upright = 0
)

func (u Upright) allows(edge Upright) bool { return u == AnyWayUp || u&edge != 0 }

// Item is one line of what has to be packed: Units things that are alike.
type Item struct {
	ID       string // unique in the order, such as the line or the item
	Units    int
	Size     Size
	Grams    int64 // weight of one unit
	Upright  Upright
	Fragile  bool  // nothing may be above it
	MaxOnTop int64 // g that may rest on one unit; 0: no limit of its own
	Alone    bool  // every unit is a parcel by itself
}

// Carton is a box or bag there is to pack in.
type Carton struct {
	ID       string
	Inner    Size // the room in it as it stands on the bench, before padding
	Outer    Size // what the carrier measures
	Grams    int64
	MaxGrams int64        // contents and carton together; 0: no limit of its own
	Cost     money.Amount // of one carton with its padding
	Stock    int          // how many there are; 0: as many as needed
	Padding  int          // mm kept free on each of the six sides
}

// room is what the contents may fill.
func (c Carton) room() Size {
	return Size{c.Inner.L - 2*c.Padding, c.Inner.W - 2*c.Padding, c.Inner.H - 2*c.Padding}
}

// Order is everything Pack needs to know.
type Order struct {
	Items   []Item
	Cartons []Carton
	Rules   Rules
}

// Rules are those of the lane the parcels go by, and how hard to think.
type Rules struct {
	MaxGrams int64  // of one parcel, carton included; 0: no limit
	Tariff   Tariff // nil: every parcel is carried for nothing
	Support  int    // per cent of its base on which everything must rest, 51 to 100; 0: DefaultSupport
	Effort   int    // places looked at for the whole order, about 35 ns each; 0: DefaultEffort
}

const (
	// DefaultSupport, per cent. Above one half, the middle of a base always lies within what bears it: a line through the middle of a rectangle
	// halves it, so what bears more than half cannot lie on one side of every such line. 70 leaves a margin and lets a sheet of A4 lie on
	// a 7-inch record.
	DefaultSupport = 70
	// DefaultEffort keeps the slowest orders of the data we have near 15 ms of processor time; most need a thousandth of that. More effort gains
	// little: docs/decisions/packing.md has the curve.
	DefaultEffort = 300_000
)
