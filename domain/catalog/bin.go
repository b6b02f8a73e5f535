package catalog

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spillway/spillway/kit/errs"
)

const (
	// MaxBinsOfItem bounds the shelves one item lies on at one node.
	MaxBinsOfItem = 20
	maxBinBytes   = 40
	// MaxWalk bounds places in a walking order.
	MaxWalk = 1_000_000
)

// Bin is a shelf at a node on which an item lies.
type Bin struct {
	Node    string `json:"node"`
	ItemID  string `json:"item"`
	Code    string `json:"bin"`              // as on the shelf's label: A-01-03
	Walk    int64  `json:"walk,omitzero"`    // its place in the walking order, the same for all items there; 0: by its code
	Primary bool   `json:"primary,omitzero"` // where a picker looks first; one of an item at a node
}

// Check names the first thing that cannot be. Errors: Invalid, with the field and the way out.
func (b Bin) Check() error {
	bad := func(field, format string, args ...any) error {
		return errs.New(errs.Invalid, "catalog.Bin", field, field+": "+format, args...)
	}
	unfit := func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) || r == utf8.RuneError }
	switch {
	case b.Node == "" || len(b.Node) > MaxIDBytes:
		return bad("node", "a bin is at a node")
	case b.ItemID == "" || len(b.ItemID) > MaxIDBytes:
		return bad("item", "a bin holds an item")
	case b.Code == "" || len(b.Code) > maxBinBytes || strings.IndexFunc(b.Code, unfit) >= 0:
		return bad("bin", "write 1 to %d bytes without blanks", maxBinBytes)
	case b.Walk < 0 || b.Walk > MaxWalk:
		return bad("walk", "a place in the walking order is 1 to %d; 0 is by the code", MaxWalk)
	}
	return nil
}

// CheckBins checks all bins of one item: each by itself, none twice, at most MaxBinsOfItem and one primary at a node. Errors: Invalid.
func CheckBins(bins []Bin) error {
	type at struct{ node, code string }
	seen, count, first := map[at]bool{}, map[string]int{}, map[string]bool{}
	for _, b := range bins {
		if err := b.Check(); err != nil {
			return err
		}
		k := at{b.Node, b.Code}
		if count[b.Node]++; count[b.Node] > MaxBinsOfItem {
			return errs.New(errs.Invalid, "catalog.CheckBins", b.Code, "bin: an item lies in at most %d bins of a node", MaxBinsOfItem)
		}
		if seen[k] {
			return errs.New(errs.Invalid, "catalog.CheckBins", b.Code, "bin: %s is named twice", b.Code)
		}
		if b.Primary && first[b.Node] {
			return errs.New(errs.Invalid, "catalog.CheckBins", b.Code, "primary: only one bin of an item at a node is looked at first")
		}
		seen[k], first[b.Node] = true, first[b.Node] || b.Primary
	}
	return nil
}

// WalkOrder compares bins of one node in the order in which a picker comes by: those with a place in the walking order first, by it, then all others by
// code, in which numbers count as numbers (A-2 before A-10).
func WalkOrder(a, b Bin) int {
	if (a.Walk == 0) != (b.Walk == 0) {
		if a.Walk == 0 {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(a.Walk, b.Walk), natural(a.Code, b.Code), cmp.Compare(a.Code, b.Code))
}

// natural compares texts in which runs of digits are numbers.
func natural(a, b string) int {
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x == "" || y == "" {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		a, b = a[len(x):], b[len(y):]
		x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
		if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

func digits(s string) string {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return s[:n]
}

// SortBins puts an item's bins of one node in the order in which to look: the primary one first, then as one walks.
func SortBins(bins []Bin) {
	slices.SortFunc(bins, func(a, b Bin) int {
		if a.Primary != b.Primary {
			if a.Primary {
				return -1
			}
			return 1
		}
		return WalkOrder(a, b)
	})
}
