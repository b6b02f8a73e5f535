package catalog

import (
	"regexp"
	"strings"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
)

// MaxCartons bounds the cartons there are at all. A node has at most as many as packing looks at, 64, those for every node among them.
const (
	MaxCartons       = 500
	MaxCartonsOfNode = 64
	maxCartonText    = 60
	maxPaddingMM     = 200
	maxCartonCost    = 1_000_000_00 // minor units
)

// Carton is a box or bag to pack in, at one node or at all.
type Carton struct {
	ID       string       `json:"id"`            // letters, digits, dot, dash and underscore; never changes
	Name     string       `json:"name"`          // as it is printed on the stack
	Node     string       `json:"node,omitzero"` // the node that has it; empty: every node
	Inner    Sides        `json:"inner"`         // the room in it as it stands on the bench, before padding
	Outer    Sides        `json:"outer"`         // what the carrier measures
	Grams    int64        `json:"grams"`         // of the empty carton with its padding
	MaxGrams int64        `json:"max_grams,omitzero"`
	Padding  int64        `json:"padding_mm,omitzero"` // kept free on each of the six sides
	Cost     money.Amount `json:"cost,omitzero"`       // of one with its padding
	Active   bool         `json:"active"`
}

// Sides are a box's length, width and height in whole millimetres.
type Sides struct {
	LengthMM int64 `json:"length_mm"`
	WidthMM  int64 `json:"width_mm"`
	HeightMM int64 `json:"height_mm"`
}

var cartonID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`)

func (s Sides) sane() bool {
	return s.LengthMM > 0 && s.LengthMM <= MaxEdgeMM && s.WidthMM > 0 && s.WidthMM <= MaxEdgeMM && s.HeightMM > 0 && s.HeightMM <= MaxEdgeMM
}

// At reports whether a node may pack in it.
func (c Carton) At(node string) bool { return c.Active && (c.Node == "" || c.Node == node) }

// Check names the first thing that cannot be. Errors: Invalid, with the field and the way out.
func (c Carton) Check() error {
	bad := func(field, format string, args ...any) error {
		return errs.New(errs.Invalid, "catalog.Carton", field, field+": "+format, args...)
	}
	switch {
	case !cartonID.MatchString(c.ID):
		return bad("id", "write 1 to 40 letters, digits, dots, dashes or underscores, beginning with a letter or digit")
	case strings.TrimSpace(c.Name) == "" || len(c.Name) > maxCartonText:
		return bad("name", "write a name of at most %d bytes", maxCartonText)
	case len(c.Node) > MaxIDBytes:
		return bad("node", "is no node’s id")
	case !c.Inner.sane():
		return bad("inner", "each inner side is 1 to %d mm", MaxEdgeMM)
	case !c.Outer.sane():
		return bad("outer", "each outer side is 1 to %d mm", MaxEdgeMM)
	case c.Outer.LengthMM < c.Inner.LengthMM || c.Outer.WidthMM < c.Inner.WidthMM || c.Outer.HeightMM < c.Inner.HeightMM:
		return bad("outer", "no outer side is shorter than the inner one")
	case c.Padding < 0 || c.Padding > maxPaddingMM || 2*c.Padding >= min(c.Inner.LengthMM, c.Inner.WidthMM, c.Inner.HeightMM):
		return bad("padding_mm", "padding is 0 to %d mm and leaves room inside", maxPaddingMM)
	case c.Grams < 0 || c.Grams > MaxUnitGrams:
		return bad("grams", "an empty carton weighs 0 to %d grams", MaxUnitGrams)
	case c.MaxGrams < 0 || c.MaxGrams > 10*MaxUnitGrams || (c.MaxGrams > 0 && c.MaxGrams <= c.Grams):
		return bad("max_grams", "what it may weigh in all is more than it weighs empty; 0 is no limit")
	case c.Cost.Minor < 0 || c.Cost.Minor > maxCartonCost || (c.Cost.Minor > 0 && c.Cost.Currency == ""):
		return bad("cost", "a cost is not below 0, of one carton, and has a currency")
	}
	return nil
}
