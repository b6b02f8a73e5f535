package view

// BoxProposal is which carton a parcel should be packed in, and how.
type BoxProposal struct {
	Shipment string
	Boxes    []Box       // as few as can be; more than one: the parcel has to be split. None: pack as you see fit, Why says why
	Why      []string    // why this box, or why none, in sentences
	Missing  []Option    // items whose weight or sides nobody has said
	Left     []string    // what no carton takes, in sentences
	Cartons  []BoxChoice // all that the node packs in, smallest first: a packer may take another one
}

// BoxChoice is a carton there is to pack in.
type BoxChoice struct {
	ID, Name                     string
	LengthMM, WidthMM, HeightMM  int64 // outside
	Grams                        int64 // empty
	InnerLMM, InnerWMM, InnerHMM int64
}

// Box is one carton as it is to be packed.
type Box struct {
	Carton      BoxChoice
	Picture     Carton // to draw: every unit in its place, in the order in which it is put in
	Contents    []BoxLine
	Grams       int64  // all in, as it should weigh
	BilledGrams int64  // what the carrier bills; 0: its terms are not known
	ByVolume    bool   // the carton's size decides what is billed, not its weight
	Price       string // of carton and carriage, as far as known; empty: not known
	FillPercent int    // of the room inside
}

// BoxLine is what a box holds of one item.
type BoxLine struct {
	ItemID, SKU, Title string
	Qty                int64
}
