package tracking

import (
	"slices"
	"time"
)

// Terms are how long nothing may be heard of parcels of a carrier's service, and on what that rests.
type Terms struct {
	Carrier  string // code, as Match has it; empty: every carrier
	Service  string // words its name begins with; empty: every service
	Patience Patience
	Source   string
	Official bool // the carrier says so itself; else the figures are ours or reported
}

// terms of carriers, the first that fits wins. Only what differs from the usual is a row: services that hand parcels from one network to another
// are silent for longer, and carriers keep what waits at a counter for times of their own.
var terms = []Terms{
	{"", "ups mail innovations", economy, economySource, false},
	{"", "ups surepost", economy, economySource, false},
	{"", "ups ground saver", economy, economySource, false},
	{"", "fedex smartpost", economy, economySource, false},
	{"", "fedex ground economy", economy, economySource, false},
	{"", "dhl ecommerce", economy, economySource, false},
	{"ups", "", Patience{FirstScan: 1, Silence: 3, Van: 18 * time.Hour, Retry: 2, Counter: 3, Solve: 24 * time.Hour},
		"ups.com help, “three attempts”: tried on three business days in a row, then kept for five business days", true},
	{"fedex", "", Patience{FirstScan: 1, Silence: 3, Van: 18 * time.Hour, Retry: 2, Counter: 3, Solve: 24 * time.Hour},
		"press: up to three attempts, then kept for five to seven business days", false},
	{"usps", "", Patience{FirstScan: 1, Silence: 3, Van: 18 * time.Hour, Retry: 3, Counter: 8, Solve: 24 * time.Hour},
		"press, after the Domestic Mail Manual: tried once or twice, then kept for 15 days; searched for from the seventh day on", false},
	{"s10", "", Patience{FirstScan: 2, Silence: 10, Van: 18 * time.Hour, Retry: 3, Counter: 8, Solve: 3 * 24 * time.Hour},
		"ours: between two countries' posts and at customs a parcel is scanned by nobody for a week and more", false},
	{"", "", UsualPatience, "ours: what most carriers keep to, since nothing is known of this one", false},
}

// economy is for services whose last mile is another carrier's.
var economy = Patience{FirstScan: 2, Silence: 5, Van: 18 * time.Hour, Retry: 3, Counter: 8, Solve: 2 * 24 * time.Hour}

const economySource = "ours: what goes from one carrier to another is scanned by neither for some days"

// TermsOf are those of a carrier by its code and of a service as people write both together: "UPS Ground Saver". There are always some.
func TermsOf(code, name string) Terms {
	said := words(name)
	i := slices.IndexFunc(terms, func(t Terms) bool {
		service := words(t.Service)
		return (t.Carrier == "" || t.Carrier == code) && len(service) <= len(said) && slices.Equal(service, said[:len(service)])
	})
	return terms[i]
}
