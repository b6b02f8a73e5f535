package tiktok

import (
	"fmt"
	"strconv"
	"strings"
)

// amount writes cents as the platform writes money: a decimal string.
func amount(cents int64) string {
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	return fmt.Sprintf("%s%d.%02d", sign, cents/100, cents%100)
}

// cents reads a decimal string with at most two decimals.
func cents(text string) (int64, bool) {
	whole, part, _ := strings.Cut(text, ".")
	if len(whole) == 0 || len(whole) > 12 || len(part) > 2 {
		return 0, false
	}
	n, err := strconv.ParseUint(whole+(part + "00")[:2], 10, 63)
	return int64(n), err == nil
}

// sums are the parts of an order's payment in cents: one flat shipping fee, and sales tax where the market adds it.
type sums struct{ goods, shipping, tax int64 }

const (
	shippingFee = 399 // cents an order
	usTaxRate   = 7   // per cent, a made-up round rate
)

func (o *order) sums() sums {
	v := sums{shipping: shippingFee}
	for _, l := range o.lines {
		v.goods += l.price
		v.tax += o.tax(l)
	}
	return v
}

func (o *order) tax(l *line) int64 {
	if o.shop.region != "US" {
		return 0
	}
	return (l.price*usTaxRate + 50) / 100
}

func (v sums) total() int64 { return v.goods + v.shipping + v.tax }
