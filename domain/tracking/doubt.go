package tracking

import (
	"strings"
	"time"
)

// Doubt is a reason for which a channel may not count a parcel's tracking as valid.
type Doubt string

const (
	WrongNumber  Doubt = "wrong_number"  // not a number of the carrier it is said to be of
	OtherPostal  Doubt = "other_postal"  // the number or label was made for another postal code
	BeforeOrder  Doubt = "before_order"  // it was on its way before there was an order: a number used twice
	NotScanned   Doubt = "not_scanned"   // no carrier has scanned it yet
	ScannedOnce  Doubt = "scanned_once"  // one scan only, where channels want to see two
	UnknownToUs  Doubt = "unknown_to_us" // the carrier's numbers are not known here, so it was not checked
	earlyAllowed       = 24 * time.Hour  // how long before its order a parcel may have news: what the strictest platform allows
	zipDigits          = 5
)

// Claim is what a channel is to be told of a parcel, and what it will compare it with.
type Claim struct {
	Carrier   string // as people write it
	Number    string
	Postal    string    // of the address; "": not at hand, and not compared
	OrderedAt time.Time // zero: not compared
}

// Doubts lists what speaks against a claim, worst first, before it is uploaded as well as after. p is what is known of the parcel, if anything.
func Doubts(c Claim, p Parcel) []Doubt {
	var out []Doubt
	switch Valid(c.Number, c.Carrier) {
	case NumberWrong:
		out = append(out, WrongNumber)
	case CarrierUnknown:
		out = append(out, UnknownToUs)
	}
	if m, ok := Infer(c.Number, c.Carrier); ok && otherPostal(m, c.Postal) {
		out = append(out, OtherPostal)
	}
	if len(p.Events) > 0 && !c.OrderedAt.IsZero() && p.Events[0].At.Before(c.OrderedAt.Add(-earlyAllowed)) {
		out = append(out, BeforeOrder)
	}
	switch p.State().Scans {
	case 0:
		out = append(out, NotScanned)
	case 1:
		out = append(out, ScannedOnce)
	}
	return out
}

// otherPostal reports whether a number that bears the routing code and ZIP code it was made for was made for another than the address has.
func otherPostal(m Match, postal string) bool {
	made, postal := m.Part("zip"), strings.TrimSpace(postal)
	if m.Part("routing") == "" || len(made) != zipDigits || len(postal) < zipDigits {
		return false
	}
	return made != postal[:zipDigits]
}
