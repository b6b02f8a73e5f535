package tracking

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// Bounds of a number: the longest form has 41 characters, and what a scanner or a person adds to one is little.
const (
	MaxNumber = 48
	maxRaw    = 200 // bytes before blanks are taken out
)

// Part is a piece of a number with a meaning of its own: serial, shipper, service, zip, country and so on.
type Part struct{ Name, Value string }

// Match is one reading of a number.
type Match struct {
	Carrier  string // code, such as usps; s10 where a postal service has no code of its own
	Name     string // of the carrier
	Format   string // id of the format
	Kind     string // what sort of number it is, in words
	Service  string // what the number says of the service, in words; "": nothing that is known
	Number   string // as it is shown and asked for: without routing codes and fields that only the barcode has
	Proved   bool   // by a check digit; false: only the form fits
	Operator string // S10 only: code of the carrier that is the postal service of the country; "" without one
	Parts    []Part
	page     string
	fixed    int
}

// Part is the value of the part with that name, "" if there is none.
func (m Match) Part(name string) string { return partOf(m.Parts, name) }

func partOf(parts []Part, name string) string {
	for _, p := range parts {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// URL is the carrier's page about the parcel; "" if none is known.
func (m Match) URL() string {
	if m.page == "" {
		return ""
	}
	return strings.ReplaceAll(m.page, "{}", url.QueryEscape(m.Number))
}

// Normalise is a number as forms want it: capitals, without blanks, control characters (the separator FNC1 of GS1 barcodes is one), the brackets GS1
// prints around identifiers, and the three characters scanners set to put before a barcode to name its kind. "": it can be no number.
func Normalise(raw string) string {
	if len(raw) > maxRaw {
		return ""
	}
	raw = strings.TrimSpace(raw)
	if len(raw) > 3 && raw[0] == ']' {
		raw = raw[3:]
	}
	if plain(raw) {
		return raw
	}
	var b strings.Builder
	for _, c := range raw {
		switch {
		case unicode.IsSpace(c), unicode.IsControl(c), unicode.Is(unicode.Cf, c), c == '(', c == ')':
		case c >= 'a' && c <= 'z':
			b.WriteRune(c - 'a' + 'A')
		case c > ' ' && c < unicode.MaxASCII:
			b.WriteRune(c)
		default:
			return ""
		}
	}
	if b.Len() > MaxNumber {
		return ""
	}
	return b.String()
}

// plain reports whether a number is as forms want it already, as nearly all are.
func plain(raw string) bool {
	for i := range len(raw) {
		if c := raw[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return len(raw) <= MaxNumber
}

// Recognise lists the readings of a number, the likeliest first: those a check digit proves before those that only look right, then those whose form
// says more of the carrier. Several carriers may number alike, so one that fits need not be the one who has the parcel; see Infer. Empty: it is no
// number of a carrier known here.
func Recognise(raw string) []Match {
	number := Normalise(raw)
	if number == "" {
		return nil
	}
	var out []Match
	for _, f := range known.byLength[len(number)] {
		if m, ok := f.match(number); ok {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b Match) int {
		if a.Proved != b.Proved {
			return map[bool]int{true: -1, false: 1}[a.Proved]
		}
		return cmp.Compare(b.fixed, a.fixed)
	})
	return out
}

// match is the first of the format's forms that fits and whose check digit is right, with all that it says.
func (f *format) match(number string) (Match, bool) {
	x, operator, ok := f.find(number)
	if !ok {
		return Match{}, false
	}
	m := Match{Carrier: f.carrier, Format: f.id, Kind: f.name, Proved: f.check != nil, Operator: operator, fixed: x.fixed}
	m.Number, m.Parts = x.read(number)
	m.Service = f.service(m.Part("service"))
	m.Name, m.page = known.about(cmp.Or(m.Operator, m.Carrier))
	return m, true
}

// find is the first of the format's forms that fits and whose check digit is right, and for a number of the postal standard the carrier that is the
// country's postal service.
func (f *format) find(number string) (x *form, operator string, ok bool) {
	var room [MaxNumber]byte
	for i := range f.forms {
		x = &f.forms[i]
		if !x.fits(number) {
			continue
		}
		if f.check != nil {
			if checked, digit := x.checked(number, room[:0]); !f.check.proves(string(checked), digit) {
				continue
			}
		}
		if f.postal() {
			_, parts := x.read(number)
			if operator, ok = known.countries[partOf(parts, "country")]; !ok {
				continue
			}
		}
		return x, operator, true
	}
	return nil, "", false
}

// postal reports whether the format is the standard of all postal services.
func (f *format) postal() bool { return f.check != nil && f.check.method == "s10" }

// of reports whether the number may be one of a carrier, by its code.
func (m Match) of(codes []string) bool {
	return slices.Contains(codes, m.Carrier) || m.Operator != "" && slices.Contains(codes, m.Operator)
}

// Verdict is what the formats say of a number with a carrier's name to it.
type Verdict string

const (
	NumberProved    Verdict = "proved"    // a check digit of this carrier's proves it
	NumberPlausible Verdict = "plausible" // it has a form of this carrier's, which has no check digit
	NumberWrong     Verdict = "wrong"     // the carrier's formats are known, and it has none of them or a wrong check digit
	CarrierUnknown  Verdict = "unknown"   // nothing is known of this carrier's numbers
)

// Valid says what is known of a number said to be a carrier's, whose name is as people and channels write it. A postal service abroad is known by
// S10 numbers only, so other numbers of it are CarrierUnknown, not NumberWrong. It is asked at every change of every parcel, so it looks at that carrier's
// formats only and takes nothing more apart than the check digit needs.
func Valid(raw, carrier string) Verdict {
	codes := Carriers(carrier)
	if len(codes) == 0 {
		return CarrierUnknown
	}
	number := Normalise(raw)
	verdict := NumberWrong
	for _, f := range known.byLength[len(number)] {
		if !f.postal() && !slices.Contains(codes, f.carrier) {
			continue
		}
		_, operator, ok := f.find(number)
		switch {
		case !ok, !slices.Contains(codes, f.carrier) && (operator == "" || !slices.Contains(codes, operator)):
		case f.check != nil:
			return NumberProved
		default:
			verdict = NumberPlausible
		}
	}
	return verdict
}

// Infer is the reading of a number that fits what was said of its carrier: by the channel, the lane, the label, the most trusted first. If nothing that
// was said fits, it is the likeliest reading, unless another carrier's is as likely. False: no reading, or none that can be preferred.
func Infer(number string, said ...string) (Match, bool) {
	all := Recognise(number)
	for _, s := range said {
		codes := Carriers(s)
		for _, m := range all {
			if m.of(codes) {
				return m, true
			}
		}
	}
	if len(all) == 0 {
		return Match{}, false
	}
	for _, m := range all[1:] {
		if m.Carrier != all[0].Carrier && m.Proved == all[0].Proved && m.fixed == all[0].fixed {
			return Match{}, false
		}
	}
	return all[0], true
}

// Same reports whether two numbers name the same parcel: they are alike but for what scanners and barcodes add, as is a barcode with a postal code
// before the number on its label.
func Same(a, b string) bool {
	x, y := Normalise(a), Normalise(b)
	if x == "" || y == "" {
		return false
	}
	if x == y {
		return true
	}
	inner := func(long, short string) bool {
		return slices.ContainsFunc(Recognise(long), func(m Match) bool { return m.Proved && m.Number == short })
	}
	return inner(x, y) || inner(y, x)
}
