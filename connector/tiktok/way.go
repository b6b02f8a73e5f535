package tiktok

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/order"
)

// parcels are the packages that the line items are in, each once, by id. Cancelled packages are left out: nothing goes with them.
// Outside the US a package exists before it is shipped, without a tracking number.
func parcels(lines []wireLine) []order.Parcel {
	var out []order.Parcel
	for i := range lines {
		w := &lines[i]
		if w.PackageID == "" || w.PackageStatus == "CANCELLED" {
			continue
		}
		at := slices.IndexFunc(out, func(p order.Parcel) bool { return p.Ref == w.PackageID })
		if at < 0 {
			if len(out) == order.MaxParcels {
				continue
			}
			at = len(out)
			out = append(out, order.Parcel{Ref: w.PackageID})
		}
		p := &out[at]
		p.Carrier, p.Tracking = cmp.Or(p.Carrier, w.Provider), cmp.Or(p.Tracking, w.Tracking)
	}
	slices.SortFunc(out, func(a, b order.Parcel) int { return strings.Compare(a.Ref, b.Ref) })
	return out
}

// region is country and state of a recipient, US-CA, or the country alone where the state has no code here. The platform names states in
// words; only those of the US are needed, whose carriers and lanes are judged by state.
func region(r *wireRecipient) string {
	country := r.RegionCode
	if len(country) != 2 || strings.ContainsFunc(country, func(c rune) bool { return c < 'A' || c > 'Z' }) {
		return ""
	}
	if country != "US" {
		return country
	}
	for _, d := range r.Districts {
		if d.Level != "L1" {
			continue
		}
		if code, ok := usStates[strings.ToLower(d.Name)]; ok {
			return code
		}
		if code := "US-" + d.Name; len(d.Name) == 2 && usRegions[code] {
			return code
		}
	}
	return country
}

// usStates are the states, the district and the territories by their names in lower case.
var usStates = map[string]string{
	"alabama": "US-AL", "alaska": "US-AK", "arizona": "US-AZ", "arkansas": "US-AR", "california": "US-CA", "colorado": "US-CO",
	"connecticut": "US-CT", "delaware": "US-DE", "district of columbia": "US-DC", "florida": "US-FL", "georgia": "US-GA", "hawaii": "US-HI",
	"idaho": "US-ID", "illinois": "US-IL", "indiana": "US-IN", "iowa": "US-IA", "kansas": "US-KS", "kentucky": "US-KY",
	"louisiana": "US-LA", "maine": "US-ME", "maryland": "US-MD", "massachusetts": "US-MA", "michigan": "US-MI", "minnesota": "US-MN",
	"mississippi": "US-MS", "missouri": "US-MO", "montana": "US-MT", "nebraska": "US-NE", "nevada": "US-NV", "new hampshire": "US-NH",
	"new jersey": "US-NJ", "new mexico": "US-NM", "new york": "US-NY", "north carolina": "US-NC", "north dakota": "US-ND", "ohio": "US-OH",
	"oklahoma": "US-OK", "oregon": "US-OR", "pennsylvania": "US-PA", "rhode island": "US-RI", "south carolina": "US-SC",
	"south dakota": "US-SD", "tennessee": "US-TN", "texas": "US-TX", "utah": "US-UT", "vermont": "US-VT", "virginia": "US-VA",
	"washington": "US-WA", "west virginia": "US-WV", "wisconsin": "US-WI", "wyoming": "US-WY", "american samoa": "US-AS", "guam": "US-GU",
	"northern mariana islands": "US-MP", "puerto rico": "US-PR", "virgin islands": "US-VI",
}

var usRegions = func() map[string]bool {
	out := make(map[string]bool, len(usStates))
	for _, code := range usStates {
		out[code] = true
	}
	return out
}()
