package shipping

import (
	"slices"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
)

// customsUnion is the customs territory of the European Union, by ISO 3166-1 alpha-2: goods go about in it undeclared.
var customsUnion = []string{"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MC", "MT",
	"NL", "PL", "PT", "RO", "SE", "SI", "SK"}

// customsHome is the country that a part of it with a code of its own is one with for customs.
var customsHome = map[string]string{"PR": "US", "IM": "GB"}

// Declares reports whether what goes from one country to another is declared to customs. Where a country is not told, nothing is.
func Declares(from, to string) bool {
	home := func(c string) string {
		if h := customsHome[c]; h != "" {
			return h
		}
		return c
	}
	from, to = home(from), home(to)
	return from != "" && to != "" && from != to && !(slices.Contains(customsUnion, from) && slices.Contains(customsUnion, to))
}

// Declared is one line of a declaration.
type Declared struct {
	HSCode string
	Value  money.Amount // of all its units
}

// exportFree is up to which value of one tariff code an export from the United States needs no filing (15 CFR 30.37(a)).
var exportFree = money.Amount{Minor: 2_500_00, Currency: "USD"}

// ExportLegend is what a declaration out of the United States says in place of the number of an export filing: to Canada none is needed (15 CFR 30.36), to
// elsewhere up to USD 2,500 of one tariff code; empty out of other countries. Errors: Invalid where a filing is needed, or none can be ruled out.
func ExportLegend(from, to string, lines []Declared) (string, error) {
	const op = "shipping.ExportLegend"
	switch {
	case customsHome[from] != "US" && from != "US":
		return "", nil
	case to == "CA":
		return "NOEEI 30.36", nil
	}
	of := map[string]int64{}
	for _, l := range lines {
		if l.Value.Currency != exportFree.Currency {
			return "", errs.New(errs.Invalid, op, l.HSCode, "exports from the United States are declared in USD, and this one is worth %s: make its label in the carrier's own pages and enter its number", l.Value)
		}
		if of[l.HSCode] += l.Value.Minor; of[l.HSCode] > exportFree.Minor {
			return "", errs.New(errs.Invalid, op, l.HSCode, "more than %s under one tariff code leaves the United States only with the number of an export filing (AES): make its label in the carrier's own pages and enter its number", exportFree)
		}
	}
	return "NOEEI 30.37(a)", nil
}
