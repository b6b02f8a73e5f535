package ops

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/packing"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/transit"
	"github.com/spillway/spillway/kit/money"
)

// carriage is how a parcel travels, as far as it is known before its label is bought.
type carriage struct {
	lane     *network.Lane
	terms    *transit.Terms
	zone     int
	priced   bool // the lane's price to the zone is known
	currency string
	maxGrams int64
}

// carriageOf finds the lane a parcel goes by, its zone and its carrier's terms on the day.
func (b *boxing) carriageOf() carriage {
	var out carriage
	day := calendar.DayOf(b.x.now(), b.node.Location())
	if t, ok := termsOf(b.s.Carrier, b.s.Service, day); ok {
		out.terms = &t
	}
	i := slices.IndexFunc(b.node.Lanes, func(l network.Lane) bool {
		return l.Carrier == b.s.Carrier && (l.Service == b.s.Service || b.s.Service == "")
	})
	if i < 0 || b.s.Carrier == "" {
		return out
	}
	l := &b.node.Lanes[i]
	out.lane, out.maxGrams, out.currency = l, l.MaxGrams, l.Tariff.PerPound.Currency
	if len(b.orders) > 0 {
		if _, zone, ok := b.x.network.charts.Load().roads(b.node.Node, *l, routing.Dest{Region: b.orders[0].Region, Postal: b.orders[0].PostalPrefix}); ok && l.Tariff.ByZone[zone].Currency != "" {
			out.zone, out.priced, out.currency = zone, true, l.Tariff.ByZone[zone].Currency
		}
	}
	return out
}

// carriersRates are the words by which sellers and channels name carriers and services of which terms are known. The first that is in the name counts.
var carriersRates = []struct {
	carrier, service string // parts of the names, in small letters
	not              string
	is, rates        string
}{
	{"usps", "priority", "", transit.USPS, "priority"},
	{"usps", "express", "", transit.USPS, "priority"},
	{"usps", "", "", transit.USPS, "ground"},
	{"ups", "", "mail innovations", transit.UPS, "daily"},
	{"fedex", "", "smartpost", transit.FedEx, ""},
	{"dhl ecommerce", "", "", transit.DHLEcommerceUS, ""},
}

// termsOf are the terms by which a carrier's service bills a parcel on a day. Contracts with a broker or a platform are not known here.
func termsOf(carrier, service string, day calendar.Day) (transit.Terms, bool) {
	carrier, service = strings.ToLower(carrier), strings.ToLower(service)
	all := carrier + " " + service
	for _, r := range carriersRates {
		if strings.Contains(carrier, r.carrier) && strings.Contains(all, r.service) && (r.not == "" || !strings.Contains(all, r.not)) {
			return transit.TermsOn(r.is, r.rates, day)
		}
	}
	return transit.Terms{}, false
}

// tariff prices a parcel by what the carrier bills; nil where nothing is known that would tell one carton from another.
func (c carriage) tariff() packing.Tariff {
	if c.terms == nil && c.lane == nil {
		return nil
	}
	return func(outer packing.Size, grams int64) packing.Charge {
		bill, ok := c.bill(outer, grams)
		if !ok {
			return packing.Charge{BilledGrams: grams, Refused: true}
		}
		out := packing.Charge{BilledGrams: gramsOf(bill.Pounds), Refused: len(bill.Over) > 0}
		if bill.ByVolume() {
			out.DimGrams = gramsOf(bill.Volume)
		}
		if c.currency != "" {
			price := c.lane.Tariff.PerPound.Minor * (bill.Pounds - 1)
			if c.priced {
				price += c.lane.Tariff.ByZone[c.zone].Minor
			}
			out.Price = money.Amount{Minor: price, Currency: c.currency}
		}
		return out
	}
}

// byScales bills by weight alone: what a lane says without terms of its carrier.
var byScales = transit.Terms{Divisor: 1, Above: 1 << 60}

func (c carriage) bill(outer packing.Size, grams int64) (transit.Bill, bool) {
	terms := byScales
	if c.terms != nil {
		terms = *c.terms
	}
	bill, err := terms.Billed(transit.Millimetres(int64(outer.L), int64(outer.W), int64(outer.H)), max(1, grams))
	return bill, err == nil
}

// gramsOf is a weight of whole pounds in grams.
func gramsOf(pounds int64) int64 { return (pounds*45_359_237 + 99_999) / 100_000 }

// usualTerms stand for carriers whose terms are not known: all parcels by the larger of weight and volume, by the divisor most ground carriers use.
var usualTerms = transit.Terms{Divisor: 139}

// laneTerms are the terms by which the carriers of all lanes bill on the day of each node, each once: what routing reckons with before the carrier is
// known.
func laneTerms(sites []routing.Site, at time.Time) (out []transit.Terms) {
	for i := range sites {
		n := &sites[i].Node
		day := calendar.DayOf(at, n.Location())
		for _, l := range n.Lanes {
			t, ok := termsOf(l.Carrier, l.Service, day)
			if !ok {
				t = usualTerms
			}
			if !slices.ContainsFunc(out, func(x transit.Terms) bool { return x.Divisor == t.Divisor && x.Above == t.Above }) {
				out = append(out, t)
			}
		}
	}
	return out
}

// billableGrams is what one unit would be billed as if it went by itself, unwrapped: its weight, or what its size comes to by a carrier's terms. Routing
// has one weight for all lanes, so of several terms those of the carrier that bills least count: the one it would take, other things being equal.
func billableGrams(terms []transit.Terms, grams, lengthMM, widthMM, heightMM int64) int64 {
	volume := lengthMM * widthMM * heightMM
	if len(terms) == 0 {
		return max(grams, volumeGrams(usualTerms, volume))
	}
	least := int64(math.MaxInt64)
	for _, t := range terms {
		least = min(least, volumeGrams(t, volume))
	}
	return max(grams, least)
}

// volumeGrams is what a volume weighs on a carrier's bill: 0 where it does not look at volumes so small. An inch is 25.4 mm and a pound 453.59237 g, so a
// gram is 36.1273 mm³ for each cubic inch of the divisor.
func volumeGrams(t transit.Terms, mm3 int64) int64 {
	const mm3PerInch3 = 16_387
	if mm3 <= t.Above*mm3PerInch3 {
		return 0
	}
	return mm3 * 10_000 / (361_273 * t.Divisor)
}
