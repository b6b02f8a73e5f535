package easypost

import (
	"encoding/json"
	"fmt"
	"math/big"
)

// inches is a length in inches with two decimals, as near as they allow. 25.4 mm are an inch by definition.
func inches(mm int64) json.Number {
	hundredths := (mm*1000 + 127) / 254
	return decimal(max(hundredths, 1), 100, 2)
}

// ounces is a weight in ounces with one decimal, rounded up: what is declared lighter than it is, is charged later. 28.349523125 g are an ounce by
// definition.
func ounces(grams int64) json.Number {
	n := new(big.Int).Mul(big.NewInt(grams), big.NewInt(10_000_000_000)) // tenths of an ounce times the nine decimals below
	per := big.NewInt(28_349_523_125)
	n.Add(n, new(big.Int).Sub(per, big.NewInt(1)))
	return decimal(max(n.Div(n, per).Int64(), 1), 10, 1)
}

func decimal(n, unit int64, places int) json.Number {
	return json.Number(fmt.Sprintf("%d.%0*d", n/unit, places, n%unit))
}

// same reports whether two numbers are equal, however they are written: 4.0 is 4.
func same(a, b json.Number) bool {
	x, ok := new(big.Rat).SetString(a.String())
	y, fine := new(big.Rat).SetString(b.String())
	return ok && fine && len(a)+len(b) < 64 && x.Cmp(y) == 0
}
