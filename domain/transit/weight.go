package transit

import (
	"slices"

	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/kit/errs"
)

// Carriers whose terms are known here.
const (
	USPS           = "usps"
	UPS            = "ups"
	FedEx          = "fedex"
	DHLEcommerceUS = "dhl_ecommerce"
)

// Rounding is what becomes of a fraction of an inch before a volume is computed.
type Rounding string

const (
	Nearest Rounding = "nearest" // half an inch and more up
	Up      Rounding = "up"
)

// Confidence is how well a term is known, in the words rule sets use.
type Confidence string

const (
	Official   Confidence = "official"   // the carrier's own page or notice
	Reported   Confidence = "press"      // trade press or several sellers' reports
	Unverified Confidence = "unverified" // one source, or none that is dated
)

// Terms are how a carrier measures parcels between two days.
type Terms struct {
	Carrier string
	Rates   string // which of its rates or services: "" all of them
	calendar.Span
	Divisor        int64 // cubic inches to a pound
	Above          int64 // cubic inches: parcels not larger are billed by their weight alone; 0: all by the larger of both
	Sides          Rounding
	MaxPounds      int64
	MaxLength      int64 // inches; 0: only with girth
	MaxLengthGirth int64 // inches: the longest side and twice the other two
	Source         string
	Confidence     Confidence
}

// cubicFoot is 12 × 12 × 12 inches.
const cubicFoot = 1728

var (
	sidesUp   = calendar.Date(2025, 8, 18) // UPS and FedEx round every fraction up
	postal139 = calendar.Date(2026, 7, 12) // the post divides by 139 and rounds up
)

// terms are all that are known, the newest first among those of one carrier and rates. What is agreed in a contract is not here: hand it in.
var terms = []Terms{
	{Carrier: UPS, Rates: "daily", Span: calendar.Span{From: sidesUp}, Divisor: 139, Sides: Up, MaxPounds: 150, MaxLength: 108, MaxLengthGirth: 165, Source: "UPS shipping dimensions and weight", Confidence: Reported},
	{Carrier: UPS, Rates: "daily", Span: calendar.Span{From: calendar.Date(2018, 1, 8), Until: sidesUp}, Divisor: 139, Sides: Nearest, MaxPounds: 150, MaxLength: 108, MaxLengthGirth: 165, Source: "UPS shipping dimensions and weight, before 18 August 2025", Confidence: Reported},
	{Carrier: UPS, Rates: "retail", Span: calendar.Span{From: sidesUp}, Divisor: 166, Sides: Up, MaxPounds: 150, MaxLength: 108, MaxLengthGirth: 165, Source: "UPS shipping dimensions and weight", Confidence: Reported},
	{Carrier: UPS, Rates: "retail", Span: calendar.Span{From: calendar.Date(2018, 1, 8), Until: sidesUp}, Divisor: 166, Sides: Nearest, MaxPounds: 150, MaxLength: 108, MaxLengthGirth: 165, Source: "UPS shipping dimensions and weight, before 18 August 2025", Confidence: Reported},
	{Carrier: FedEx, Span: calendar.Span{From: sidesUp}, Divisor: 139, Sides: Up, MaxPounds: 150, MaxLength: 108, MaxLengthGirth: 165, Source: "FedEx service guide", Confidence: Reported},
	{Carrier: FedEx, Span: calendar.Span{From: calendar.Date(2017, 1, 2), Until: sidesUp}, Divisor: 139, Sides: Nearest, MaxPounds: 150, MaxLength: 108, MaxLengthGirth: 165, Source: "FedEx service guide, before 18 August 2025", Confidence: Reported},
	{Carrier: USPS, Rates: "ground", Span: calendar.Span{From: postal139}, Divisor: 139, Above: cubicFoot, Sides: Up, MaxPounds: 70, MaxLengthGirth: 130, Source: "Postal notice of July 2026: Ground Advantage, Parcel Select", Confidence: Reported},
	{Carrier: USPS, Rates: "ground", Span: calendar.Span{From: calendar.Date(2019, 6, 23), Until: postal139}, Divisor: 166, Above: cubicFoot, Sides: Nearest, MaxPounds: 70, MaxLengthGirth: 130, Source: "Domestic Mail Manual, before 12 July 2026", Confidence: Reported},
	{Carrier: USPS, Rates: "priority", Span: calendar.Span{From: postal139}, Divisor: 139, Above: cubicFoot, Sides: Up, MaxPounds: 70, MaxLengthGirth: 108, Source: "Postal notice of July 2026: Priority Mail, Priority Mail Express", Confidence: Reported},
	{Carrier: USPS, Rates: "priority", Span: calendar.Span{From: calendar.Date(2019, 6, 23), Until: postal139}, Divisor: 166, Above: cubicFoot, Sides: Nearest, MaxPounds: 70, MaxLengthGirth: 108, Source: "Domestic Mail Manual, before 12 July 2026", Confidence: Reported},
	{Carrier: DHLEcommerceUS, Span: calendar.Span{From: calendar.Date(2020, 1, 1)}, Divisor: 166, Above: cubicFoot, Sides: Nearest, MaxPounds: 25, MaxLengthGirth: 84, Source: "one rate card", Confidence: Unverified},
}

// AllTerms lists every set of terms, for a page or an export.
func AllTerms() []Terms { return slices.Clone(terms) }

// TermsOn are the terms of a carrier's rates on a day. False: they are not known here.
func TermsOn(carrier, rates string, day calendar.Day) (Terms, bool) {
	for _, t := range terms {
		if t.Carrier == carrier && (t.Rates == rates || t.Rates == "") && t.Holds(day) {
			return t, true
		}
	}
	return Terms{}, false
}

// Size is the outer measures of a parcel in tenths of a millimetre, in any order: an inch is exactly 254 of them.
type Size [3]int64

const (
	tenthsPerInch = 254
	// MaxSide is a side no parcel has: 10 metres. MaxGrams is ten tonnes.
	MaxSide  = 100_000
	MaxGrams = 10_000_000
	// A pound is 453.59237 g by definition.
	gramsPerHundredThousandPounds = 45_359_237
)

// Inches is a size of whole inches.
func Inches(a, b, c int64) Size {
	return Size{a * tenthsPerInch, b * tenthsPerInch, c * tenthsPerInch}
}

// Millimetres is a size measured in whole millimetres. Those are rounded: a carton of 12 inches (304.8 mm) is written 305, and must not become one of 13
// when inches are rounded up. So a measure stands for the shortest length it is written for.
func Millimetres(a, b, c int64) Size { return Size{10*a - 5, 10*b - 5, 10*c - 5} }

// Bill is what a parcel weighs on a carrier's bill, in pounds begun. Below a pound the post prices by the ounce: there Actual is 1, and the price
// list must be asked by grams. Surcharges (handling, large packages, areas) are not in it.
type Bill struct {
	Pounds int64    // the larger of the two below
	Actual int64    // by the scales
	Volume int64    // by its volume; 0: not looked at, as it is too small
	Inches [3]int64 // the sides as rounded, longest first
	Over   []string // limits it is over, in words; none: the carrier takes it
}

// ByVolume reports whether the volume decides.
func (b Bill) ByVolume() bool { return b.Volume > b.Actual }

// Billed is the billable weight of a parcel of a size and weight. Errors: Invalid, if a side or the weight is not above 0 or beyond what a parcel can be,
// or the terms have no divisor.
func (t Terms) Billed(size Size, grams int64) (Bill, error) {
	if grams <= 0 || grams > MaxGrams || t.Divisor <= 0 {
		return Bill{}, errs.New(errs.Invalid, "transit.Billed", t.Carrier, "a parcel weighs 1 to %d grams, and terms have a divisor", MaxGrams)
	}
	var b Bill
	for i, s := range size {
		if s <= 0 || s > MaxSide {
			return Bill{}, errs.New(errs.Invalid, "transit.Billed", t.Carrier, "a side of a parcel is longer than 0 and at most %d tenths of a millimetre", MaxSide)
		}
		b.Inches[i] = t.Sides.inches(s)
	}
	slices.SortFunc(b.Inches[:], func(x, y int64) int { return int(y - x) })
	b.Actual = up(grams*100_000, gramsPerHundredThousandPounds)
	if volume := b.Inches[0] * b.Inches[1] * b.Inches[2]; volume > t.Above {
		b.Volume = up(volume, t.Divisor)
	}
	b.Pounds = max(b.Actual, b.Volume)
	b.Over = t.over(b)
	return b, nil
}

func (t Terms) over(b Bill) []string {
	var out []string
	if t.MaxPounds > 0 && b.Actual > t.MaxPounds {
		out = append(out, "too heavy")
	}
	if t.MaxLength > 0 && b.Inches[0] > t.MaxLength {
		out = append(out, "too long")
	}
	if t.MaxLengthGirth > 0 && LengthGirth(b.Inches) > t.MaxLengthGirth {
		out = append(out, "length and girth too large")
	}
	return out
}

// LengthGirth is the longest side and the way around the other two.
func LengthGirth(inches [3]int64) int64 {
	return 2*(inches[0]+inches[1]+inches[2]) - max(inches[0], inches[1], inches[2])
}

// inches is a side in whole inches, at least 1.
func (r Rounding) inches(tenths int64) int64 {
	if r == Nearest {
		return max(1, (tenths+tenthsPerInch/2)/tenthsPerInch)
	}
	return up(tenths, tenthsPerInch)
}

// up divides and rounds up.
func up(a, b int64) int64 { return (a + b - 1) / b }
