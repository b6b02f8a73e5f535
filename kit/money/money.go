// Package money is exact money: whole minor units (cents) of one currency. No float ever touches it.
package money

import (
	"fmt"
	"math"
	"strings"

	"github.com/spillway/spillway/kit/errs"
)

// Amount is Minor units of Currency (ISO 4217). The zero Amount is zero of no currency and adds to any.
type Amount struct {
	Minor    int64  `json:"minor"`
	Currency string `json:"currency"`
}

// exponents lists the currencies whose minor unit is not 1/100 (ISO 4217 list one).
var exponents = map[string]int{
	"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "PYG": 0, "UGX": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

// Exponent returns how many decimal places the currency has (2 for most).
func Exponent(currency string) int {
	if e, ok := exponents[currency]; ok {
		return e
	}
	return 2
}

// Parse reads a plain decimal string such as "12.5" or "-0.99" exactly. It refuses exponents, group separators, more decimals
// than the currency has (unless the rest is zeros) and anything beyond int64.
func Parse(s, currency string) (Amount, error) {
	bad := func(why string) (Amount, error) {
		return Amount{}, errs.New(errs.Invalid, "money.Parse", s, "is not an amount in %s: %s", currency, why)
	}
	t, neg := s, false
	if t != "" && (t[0] == '-' || t[0] == '+') {
		neg, t = t[0] == '-', t[1:]
	}
	whole, frac, _ := strings.Cut(t, ".")
	if whole == "" && frac == "" {
		return bad("it has no digits")
	}
	exp := Exponent(currency)
	for len(frac) > exp {
		if frac[len(frac)-1] != '0' {
			return bad("it has more decimals than the currency")
		}
		frac = frac[:len(frac)-1]
	}
	digits := whole + frac + strings.Repeat("0", exp-len(frac))
	var n int64
	for i := range len(digits) {
		c := digits[i]
		if c < '0' || c > '9' {
			return bad("only digits and one point are allowed")
		}
		d := int64(c - '0')
		if n > (math.MaxInt64-d)/10 {
			return bad("it is too large")
		}
		n = n*10 + d
	}
	if neg {
		n = -n
	}
	return Amount{Minor: n, Currency: currency}, nil
}

// String formats a with all its decimals, such as "12.50 USD".
func (a Amount) String() string {
	return strings.TrimSpace(a.Decimal() + " " + a.Currency)
}

// Decimal formats a without its currency, such as "12.50".
func (a Amount) Decimal() string {
	exp := Exponent(a.Currency)
	neg := ""
	u := uint64(a.Minor)
	if a.Minor < 0 {
		neg, u = "-", uint64(-(a.Minor+1))+1
	}
	s := fmt.Sprintf("%0*d", exp+1, u)
	if exp == 0 {
		return neg + s
	}
	return neg + s[:len(s)-exp] + "." + s[len(s)-exp:]
}

// Add returns a+b. Currencies must match unless one side is the zero Amount.
func (a Amount) Add(b Amount) (Amount, error) {
	switch {
	case a == Amount{}:
		return b, nil
	case b == Amount{}:
		return a, nil
	case a.Currency != b.Currency:
		return Amount{}, errs.New(errs.Invalid, "money.Add", "", "cannot add %s to %s", b.Currency, a.Currency)
	}
	sum := a.Minor + b.Minor
	if (sum > a.Minor) != (b.Minor > 0) && b.Minor != 0 {
		return Amount{}, errs.New(errs.Invalid, "money.Add", "", "%s + %s is too large", a, b)
	}
	return Amount{Minor: sum, Currency: a.Currency}, nil
}

// Times returns a × n pieces.
func (a Amount) Times(n int64) (Amount, error) {
	if n != 0 && (a.Minor*n)/n != a.Minor {
		return Amount{}, errs.New(errs.Invalid, "money.Times", "", "%s × %d is too large", a, n)
	}
	return Amount{Minor: a.Minor * n, Currency: a.Currency}, nil
}
