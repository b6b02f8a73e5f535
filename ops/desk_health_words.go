package ops

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/forecast"
	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/ops/view"
)

// metricWords are a metric's words: what its gauge is called, what its orders above the line are, and those that go wrong.
type metricWords struct {
	short, adjective  string
	wrong, wrongs     string // one, and several, that count against the shop
	passes, past, not string // on reaching the wrong side of a limit, on being there, and on keeping off it
}

var metricNames = map[policy.Metric]metricWords{
	policy.LDR:  {"Late dispatch", "late", "late order", "late orders", "passes", "over", "stays at"},
	policy.VTR:  {"Valid tracking", "with valid tracking", "package without valid tracking", "packages without valid tracking", "falls below", "below", "keeps"},
	policy.SFCR: {"Our cancellations", "cancelled by our fault", "cancellation by our fault", "cancellations by our fault", "passes", "over", "stay at"},
	policy.OTDR: {"On-time delivery", "on time", "order not on time", "orders not on time", "falls below", "below", "keeps"},
}

// wordsOf are a metric's words; one the program does not know is called by its id.
func wordsOf(m policy.Metric) metricWords {
	if w, ok := metricNames[m]; ok {
		return w
	}
	return metricWords{string(m), "counted", "order", "orders", "passes", "over", "stays at"}
}

var anchorNames = map[policy.Moment]string{policy.AtPlaced: "placed", policy.AtReady: "arranged", policy.AtHandedOver: "handed over",
	policy.AtDelivered: "delivered", policy.AtDeliverBy: "due"}

// nounOf is what a rate counts: "orders handed over".
func nounOf(r *policy.Rate) string {
	if r == nil {
		return "orders"
	}
	return string(r.Counts) + "s " + anchorNames[r.Anchor]
}

// numerators say what is above the line of a rate, by its test.
var numerators = map[policy.Test]string{
	policy.ReadyLate:         "whose shipment was arranged after its deadline",
	policy.HandedOverLate:    "whose first carrier scan came after its deadline",
	policy.DeliveredOnTime:   "delivered by their date",
	policy.DeliveredWithin:   "delivered soon enough after the first carrier scan",
	policy.CancelledBySeller: "cancelled by the seller's fault",
	policy.TrackingValid:     "with a tracking number of a known form that the carrier has scanned",
}

var classNames = map[policy.Class]string{policy.ByPlatform: "orders that the channel stores and ships", policy.PlatformLabel: "orders on the channel's own label",
	policy.Sample: "samples", policy.Replacement: "replacements", policy.PreOrder: "pre-orders"}

// definitionOf is how a rate is counted on a day, in words; of none the zero value.
func definitionOf(rs *policy.RuleSet, r *policy.Rate, day policy.Day) view.Definition {
	if r == nil {
		return view.Definition{}
	}
	d := view.Definition{RateID: r.ID, From: dayOf(r.From), Until: dayOf(r.Until), Cited: citedOf(rs, r.Cited)}
	d.Denominator = capital(nounOf(r)) + " on a day of the window"
	d.Numerator = "Of these, those " + numerators[r.Test]
	if r.Test == policy.DeliveredWithin {
		d.Numerator += ": in fewer than " + plural(r.Within, "business day", "business days")
	}
	d.Formula = strings.ToLower(wordsOf(r.Metric).short) + " = " + string(r.Counts) + "s " + numerators[r.Test] + " ÷ " + nounOf(r)
	d.Window = windowText(r)
	for _, c := range r.Exclude {
		d.Excluded = append(d.Excluded, classNames[c])
	}
	for _, c := range r.Spare {
		d.Excluded = append(d.Excluded, classNames[c]+" (counted, and never against the shop)")
	}
	for _, n := range policy.On(rs.Notices, day) {
		if n.Kind == policy.Definition && n.Metric == r.Metric {
			d.Besides = append(d.Besides, view.Said{Text: n.Text, Cited: citedOf(rs, n.Cited)})
		}
	}
	return d
}

func windowText(r *policy.Rate) string {
	days := plural(r.Days, "day", "days")
	switch r.Lag {
	case 0:
		return days + " to the day judged"
	case 1:
		return days + " to the day before"
	}
	return days + ", the last of them " + number(r.Lag) + " days before the day judged"
}

// reasons are why orders count against a shop, or cannot be judged.
var reasons = map[health.Reason]string{
	health.Late4h: "up to 4 hours late", health.Late24h: "4 to 24 hours late", health.Late48h: "1 to 2 days late", health.LateLonger: "over 2 days late",
	health.NotDelivered: "due, and no delivery is known", health.NotDeliveredYet: "due, and still on its way", health.TooLong: "too many days on the road",
	health.CancelledStock: "cancelled: out of stock", health.CancelledPrice: "cancelled: wrong price", health.CancelledLate: "cancelled by the channel: not dispatched in time",
	health.CancelledUntracked: "cancelled by the channel: never seen by the carrier", health.CancelledOther: "cancelled for another reason of ours",
	health.NoTracking: "no tracking number", health.BadTracking: "a tracking number no carrier has", health.NeverScanned: "never scanned by the carrier", health.NotScannedYet: "not scanned by the carrier so far",
	health.UnknownDue: "not judged: no deadline is known", health.UnknownFault: "not judged: nobody says whose doing it was",
	health.UnknownOutcome: "not judged: nobody says whether it arrived",
}

func reasonName(r health.Reason) string {
	return cmp.Or(reasons[r], strings.ReplaceAll(string(r), "_", " "))
}

var modeNames = map[string]string{health.ModeSeller: "own label", string(policy.PlatformLabel): "the channel's label", string(policy.ByPlatform): "shipped by the channel"}

// Facets in the order in which they are shown.
const facetReason = "reason"

var facetNames = []struct{ id, name string }{{facetReason, "Reason"}, {health.FacetNode, "Node"}, {health.FacetCarrier, "Carrier"}, {health.FacetRegion, "Region"},
	{health.FacetItem, "Item"}, {health.FacetMode, "Shipping"}}

// valueName is what people call a value of a facet of a shop.
func (c *catalogue) valueName(connection, facet, value string) string {
	switch {
	case value == "":
		return "not told"
	case facet == facetReason:
		return reasonName(health.Reason(value))
	case facet == health.FacetMode:
		return cmp.Or(modeNames[value], value)
	case facet == health.FacetNode:
		return c.nodeName(connection, value)
	}
	return value
}

// nodeName is our name of a node that an order names, by the channel's code or our id.
func (c *catalogue) nodeName(connection, ref string) string {
	if at := c.nodeOf(connection, ref); at != "" {
		return c.locationName(at)
	}
	return cmp.Or(ref, "no node told")
}

// dayOf and readDay turn days from one form into the other.
func dayOf(d policy.Day) view.Day {
	if d == 0 {
		return ""
	}
	return view.Day(d.String())
}

func readDay(d view.Day) (policy.Day, error) {
	if d == "" {
		return 0, nil
	}
	return policy.ParseDay(string(d))
}

// dayWords writes a day as one would say it: 24 Nov, with its year where that is not at's.
func dayWords(d policy.Day, at time.Time) string {
	t := d.Start(time.UTC)
	if t.Year() == at.Year() {
		return t.Format("2 Jan")
	}
	return t.Format("2 Jan 2006")
}

// share writes millionths in percent: 4 %, 2.5 %, 3.82 %.
func share(p policy.PPM) string {
	text := strconv.FormatFloat(float64(p)/10_000, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + " %"
}

// chance writes a chance: what is not certain is never written as 0 or 100 %.
func chance(p float64) string {
	switch {
	case p <= 0:
		return "0 %"
	case p < 0.01:
		return "<1 %"
	case p >= 1:
		return "100 %"
	case p > 0.99:
		return ">99 %"
	}
	return strconv.FormatFloat(p*100, 'f', 0, 64) + " %"
}

func millionths(p float64) view.PPM { return view.PPM(p*1_000_000 + 0.5) }

// citedOf is where a number comes from, for people.
func citedOf(rs *policy.RuleSet, c policy.Cited) view.Cited {
	s := rs.Sources[c.Source]
	out := view.Cited{Source: cmp.Or(s.Title, c.Source), Confidence: string(c.Confidence), Seen: dayOf(s.Seen), Note: c.Note}
	if c.Confidence == policy.Operator {
		out.Confidence = "override"
	}
	return out
}

// bandID names a limit: its own id, else its metric and kind, of which one day has one.
func bandID(b policy.Band) string { return cmp.Or(b.ID, string(b.Metric)+"-"+string(b.Kind)) }

func limitOf(rs *policy.RuleSet, b policy.Band) view.Limit {
	return view.Limit{Kind: string(b.Kind), At: view.PPM(b.Limit), Paused: b.Paused, From: dayOf(b.From), Until: dayOf(b.Until), RuleID: bandID(b), Cited: citedOf(rs, b.Cited)}
}

// bandText is a limit in a sentence: "its 4 % target".
func bandText(b policy.Band) string {
	text := "its " + share(b.Limit) + " " + string(b.Kind)
	if b.Kind == policy.Enforcement {
		text = "the enforced " + share(b.Limit)
	}
	if b.Paused {
		text += ", which is paused"
	}
	return text
}

// chanceKind is the gravest limit of a forecast's day that is acted on, else the gravest.
func chanceKind(bands []forecast.BandChance) (forecast.BandChance, bool) {
	var best forecast.BandChance
	rank := func(b forecast.BandChance) int {
		n := map[policy.BandKind]int{policy.Target: 1, policy.Warning: 2, policy.Enforcement: 3}[b.Kind]
		if b.Paused {
			return n
		}
		return n + 3
	}
	for _, b := range bands {
		if best.Kind == "" || rank(b) > rank(best) {
			best = b
		}
	}
	return best, best.Kind != ""
}
