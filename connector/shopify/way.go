package shopify

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spillway/spillway/domain/order"
)

// ways are the order's parcels by ref. A fulfilment of several tracking numbers is several parcels: the first bears its id, the others
// add a count.
func (v *view) ways() []order.Parcel {
	var out []order.Parcel
	for _, p := range v.parcels {
		if !isNumber(p.ref) { // no id of Shopify's
			continue
		}
		numbers := p.numbers[:min(len(p.numbers), maxTracking)]
		if len(numbers) == 0 {
			numbers = []string{""}
		}
		for i, n := range numbers {
			one := order.Parcel{Ref: p.ref, Carrier: p.carrier, Tracking: n}
			if i > 0 {
				one.Ref += "." + strconv.Itoa(i+1)
			}
			if len(out) < order.MaxParcels {
				out = append(out, one)
			}
		}
	}
	slices.SortFunc(out, func(a, b order.Parcel) int { return strings.Compare(a.Ref, b.Ref) })
	return slices.CompactFunc(out, func(a, b order.Parcel) bool { return a.Ref == b.Ref })
}

// region joins the codes of ISO 3166; what is no code is left out, so that nothing finer can slip through.
func region(country, state string) string {
	switch {
	case len(country) != 2 || !code(country) || strings.ContainsAny(country, "0123456789"):
		return ""
	case len(state) < 1 || len(state) > 3 || !code(state):
		return country
	}
	return country + "-" + state
}

func code(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') })
}
