package view

// Tables that are imported and exported as CSV.
const (
	TablePhysicals = "physicals"
	TableCartons   = "cartons"
	TableBins      = "bins"
)

// MaxTable bounds a CSV file of things, in bytes, and MaxTableRows its rows.
const (
	MaxTable     = 4 << 20
	MaxTableRows = 20_000
)

// ItemHandling is what an item is like and where it lies, with the form that says it.
type ItemHandling struct {
	ItemID, SKU, Title string
	Bundle             bool // of parts: those are packed, not it
	Form               HandlingForm
	Able, Stances      []Option
	Nodes              []Option // where it may lie
	Said               string   // by whom and when, in a sentence; empty: nothing is said
	Text               []string // what is said, in sentences
	Bins               []BinRow
	Billed             []Input // what a unit weighs on carriers' bills; none: its sides are not known
}

// BinRow is a shelf the item lies on.
type BinRow struct {
	Node, Code string
	Walk       int64 // 0: by its code
	First      bool
}

// HandlingForm is the form as it was filled in: numbers as they were typed.
type HandlingForm struct {
	ItemID, Grams, Length, Width, Height string
	Stance                               string
	Fragile, Alone                       bool
	Needs                                []string
	Origin, HSCode                       string
	Equals                               string // a SKU a line: items that are sent where there is none of this one
	Bins                                 string // a line each: node, bin, its place in the walking order, “first”
	Version                              int64
}

// HandlingDraft is a filled-in form.
type HandlingDraft struct {
	HandlingForm
	Actor string
}

// FormPreview is what a draft would change, or what is wrong with it by field.
type FormPreview = NodePreview

// Cartons are the boxes and bags to pack in.
type Cartons struct {
	Rows []CartonRow
}

// CartonRow is one of them.
type CartonRow struct {
	ID, Name, Node string // Node by name; empty: every node
	Inner, Outer   string // 300 × 220 × 180 mm
	Weighs         string // empty, and at most
	Cost           string
	Active         bool
	Litres         string // room inside
}

// CartonPage is one with its form.
type CartonPage struct {
	New   bool
	Form  CartonForm
	Nodes []Option
	Said  string
}

// CartonForm is the form as it was filled in.
type CartonForm struct {
	ID, Name, Node                           string
	InnerL, InnerW, InnerH                   string
	OuterL, OuterW, OuterH                   string
	Grams, MaxGrams, Padding, Cost, Currency string
	Active                                   bool
	Version                                  int64
}

// CartonDraft is a filled-in form.
type CartonDraft struct {
	CartonForm
	New   bool
	Actor string
}

// TableImport is what became of a CSV file: all of it is in, or nothing.
type TableImport struct {
	Kind     string
	Rows     int
	Changed  int // things that are different now; others were so already
	Problems []LineProblem
	More     int // problems beyond those listed
}

// LineProblem is what is wrong with a line of a file. Line 0 is the file itself.
type LineProblem struct {
	Line int
	Text string
}
