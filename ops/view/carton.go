package view

// Carton is a packed carton to look at while packing it. Lengths are in mm; x goes from left to right, y from the front to the back, z upwards,
// from the inner corner at the left, front, bottom.
type Carton struct {
	Name    string // what the packer calls it: "Option 3"
	L, W, H int    // inner room
	Units   []CartonUnit
	Step    int // units put in so far, the last of them just now; 0: all, none of them new
}

// CartonUnit is one unit in its place. Units are in the order in which they are put in.
type CartonUnit struct {
	Name    string // of the item
	Item    int    // the same number for units of the same item
	X, Y, Z int
	L, W, H int // as it stands in the carton
}
