package ops

import (
	"strconv"
	"strings"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/transit"
	"github.com/spillway/spillway/ops/view"
)

// UnitBill is what one unit of an item weighs on the bill of a carrier, going by itself and unwrapped.
type UnitBill struct {
	transit.Bill
	Carrier string // as people write it
	Terms   transit.Terms
}

// carrierWords are the carriers whose terms are known, as people write them.
var carrierWords = map[string]string{transit.USPS: "USPS", transit.UPS: "UPS", transit.FedEx: "FedEx", transit.DHLEcommerceUS: "DHL eCommerce"}

// unitBills are the bills of a unit whose sides are known, by the terms that hold on a day. Nothing where they are not known.
func unitBills(p catalog.Physical, day calendar.Day) (out []UnitBill) {
	if !p.Sized() {
		return nil
	}
	size := transit.Millimetres(p.LengthMM, p.WidthMM, p.HeightMM)
	said := map[[2]string]bool{} // several words name the same terms
	for _, r := range carriersRates {
		key := [2]string{r.is, r.rates}
		t, ok := transit.TermsOn(r.is, r.rates, day)
		if !ok || said[key] {
			continue
		}
		said[key] = true
		if b, err := t.Billed(size, max(1, p.Grams)); err == nil { // what is no parcel has no bill
			out = append(out, UnitBill{Bill: b, Carrier: strings.TrimSpace(carrierWords[r.is] + " " + r.service), Terms: t})
		}
	}
	return out
}

// billInputs are bills as a page lists them.
func billInputs(bills []UnitBill) (out []view.Input) {
	for _, b := range bills {
		v := view.Input{Name: b.Carrier, Value: strconv.FormatInt(b.Pounds, 10) + " lb", Text: "by the scales"}
		switch {
		case b.ByVolume():
			v.Text = "by its size: " + number(b.Terms.Divisor) + " in³ to a pound since " + b.Terms.From.String()
		case b.Volume == 0:
			v.Text = "by the scales: sizes up to " + number(b.Terms.Above) + " in³ are not looked at"
		}
		if len(b.Over) > 0 {
			v.Text += "; not taken: " + strings.Join(b.Over, ", ")
		}
		out = append(out, v)
	}
	return out
}
