package storybook

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/ops/view"
)

// meter is how a metric is counted in the story, and what its limits are.
type meter struct {
	id, name, short, noun, adjective string
	highIsBad                        bool
	days                             int
	formula, above, below            string
	reasons                          []string
}

var meters = []meter{
	{"ldr", "Late dispatch rate", "Late dispatch", "orders dispatched", "late", true, 7, "late dispatch = orders without a carrier scan by their deadline ÷ orders dispatched",
		"Orders whose first carrier scan came after the deadline, or has not come", "All orders dispatched in the window", []string{"No carrier scan in time", "Missed the 17:00 pick-up", "Short of stock", "Label made too late"}},
	{"vtr", "Valid tracking rate", "Valid tracking", "parcels", "valid", false, 14, "valid tracking = parcels with a tracking number the carrier knows ÷ parcels shipped",
		"Parcels with a number of the carrier’s form and at least one scan", "All parcels shipped", []string{"Number not known to the carrier", "Never scanned", "Carrier does not match"}},
	{"sfcr", "Seller-fault cancellation rate", "Our cancellations", "confirmed orders", "cancelled by our fault", true, 30, "our cancellations = confirmed orders cancelled by our fault ÷ confirmed orders",
		"Orders cancelled because of stock, price or a missed dispatch", "All confirmed orders", []string{"Out of stock", "Wrong price", "Cancelled by the channel for missed dispatch"}},
	{"otdr", "On-time delivery rate", "On-time delivery", "orders due", "on time", false, 30, "on-time delivery = orders delivered by their date ÷ orders due for delivery",
		"Orders delivered by the deliver-by date", "Orders whose deliver-by date lies in the window", []string{"Carrier delay", "Dispatched late", "Wrong address"}},
}

func meterOf(id string) (meter, bool) {
	for _, m := range meters {
		if m.id == id {
			return m, true
		}
	}
	return meter{}, false
}

// shopStory is how one shop goes: orders a day, and how many in a thousand go wrong by metric, long ago, in a bad week, and lately.
type shopStory struct {
	id, market string
	perDay     int
	wrong      map[string][3]int
}

var shopStories = []shopStory{
	{"clip-north", "US", 172, map[string][3]int{"ldr": {21, 62, 52}, "vtr": {19, 44, 22}, "sfcr": {14, 21, 19}, "otdr": {92, 188, 118}}},
	{"cart-north", "", 61, nil},
	{"clip-outlet", "GB", 38, map[string][3]int{"ldr": {34, 70, 118}, "otdr": {238, 290, 312}}},
}

func storyOf(shop string) (shopStory, bool) {
	for _, s := range shopStories {
		if s.id == shop {
			return s, true
		}
	}
	return shopStory{}, false
}

// historyDays is how far back the story goes: a trend of 90 days over windows of 30.
const (
	historyDays = 125
	trendDays   = 90
)

// marketZone is whose days are meant.
var marketZone = func() *time.Location {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		return time.UTC
	}
	return zone
}()

// dayBack is the market's day a number of days before today.
func (b *Book) dayBack(n int) view.Day {
	return view.Day(b.now().In(marketZone).AddDate(0, 0, -n).Format(time.DateOnly))
}

// back is how many days before today a day is.
func (b *Book) back(d view.Day) int {
	t, err := time.Parse(time.DateOnly, string(d))
	today, _ := time.Parse(time.DateOnly, string(b.dayBack(0)))
	if err != nil {
		return -1
	}
	return int(today.Sub(t) / (24 * time.Hour))
}

// dayCount is how many orders of a shop counted on a day, and how many of them against it.
func (b *Book) dayCount(s shopStory, metric string, back int) (against, of int64) {
	w, ok := s.wrong[metric]
	if !ok || back < 0 || back >= historyDays {
		return 0, 0
	}
	of = int64(s.perDay + (back*37)%29 - 14)
	if back == 0 {
		of /= 3 // the day is young
	}
	share := w[0]
	switch {
	case back < 5:
		share = w[2] + back*2
	case back >= 44 && back < 53:
		share = w[1]
	}
	against = (of*int64(share) + int64(back*131%1000)) / 1000
	if back == 1 && metric == "ldr" {
		against += b.later[s.id]
	}
	return against, of
}

// Late makes n more orders of yesterday late, the way carriers' scans that never came would.
func (b *Book) Late(shop string, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.later[shop] += n
	b.tell(view.TopicHealth + ":" + shop)
}

// windowCount is a rate as counted for a day: its orders against the shop, and all.
func (b *Book) windowCount(s shopStory, m meter, back int) (against, of int64) {
	for i := range m.days {
		a, n := b.dayCount(s, m.id, back+i)
		against, of = against+a, of+n
	}
	return against, of
}

var (
	clipPage = view.Cited{Source: "Clip Seller Center, dispatch and delivery", Confidence: "official", Seen: "2026-11-02"}
	clipMail = view.Cited{Source: "Clip’s letter to sellers of 12 September", Confidence: "reported", Seen: "2026-09-14", Note: "The page itself was not changed."}
)

// limitsOf are all limits a metric has or had in a market.
func limitsOf(market, metric string) []view.Limit {
	limit := func(kind string, ppm view.PPM, from, until view.Day, paused bool, c view.Cited) view.Limit {
		return view.Limit{Kind: kind, At: ppm, From: from, Until: until, Paused: paused, RuleID: metric + "-" + kind, Cited: c}
	}
	switch metric {
	case "ldr":
		out := []view.Limit{limit("target", 40_000, "2026-03-02", "", false, clipPage)}
		if market == "GB" {
			return append(out, limit("enforcement", 100_000, "2026-10-05", "", true, clipMail))
		}
		return append(out, limit("enforcement", 100_000, "2026-03-02", "2026-09-14", false, clipPage), limit("enforcement", 100_000, "2026-09-14", "2026-10-19", true, clipMail), limit("enforcement", 100_000, "2026-10-19", "", false, clipPage))
	case "vtr":
		return []view.Limit{limit("enforcement", 950_000, "2025-10-31", "", false, clipPage)}
	case "sfcr":
		return []view.Limit{limit("warning", 20_000, "2026-01-01", "", false, clipPage), limit("enforcement", 25_000, "2025-01-01", "", false, clipPage)}
	case "otdr":
		if market == "GB" {
			return []view.Limit{limit("enforcement", 800_000, "2025-08-25", "", false, clipPage)}
		}
		return []view.Limit{limit("target", 850_000, "2026-06-01", "", false, clipPage), limit("enforcement", 800_000, "2025-05-05", "", false, clipPage)}
	}
	return nil
}

// limitsOn are those that hold on a day.
func limitsOn(market, metric string, d view.Day) []view.Limit {
	var out []view.Limit
	for _, l := range limitsOf(market, metric) {
		if (l.From == "" || d >= l.From) && (l.Until == "" || d < l.Until) {
			out = append(out, l)
		}
	}
	return out
}

// standing judges a rate by the limits of a day, in whole numbers.
func standing(m meter, num, den int64, limits []view.Limit) view.RateState {
	if den == 0 {
		return view.StateNothing
	}
	state := view.StateGood
	for _, l := range limits {
		worse := num*1_000_000 > int64(l.At)*den
		if !m.highIsBad {
			worse = num*1_000_000 < int64(l.At)*den
		}
		if worse && l.Kind == "enforcement" && !l.Paused {
			return view.StateBreach
		}
		if worse {
			state = view.StateWatch
		}
	}
	return state
}

// gauge is a metric of a shop as counted for a day.
func (b *Book) gauge(s shopStory, m meter, back int) view.Gauge {
	day := b.dayBack(back)
	g := view.Gauge{
		Metric: m.id, Name: m.name, Short: m.short, Noun: m.noun, Adjective: m.adjective, HighIsBad: m.highIsBad, Day: day, To: day, From: b.dayBack(back + m.days - 1),
		Limits: limitsOn(s.market, m.id, day), AsOf: b.now().Add(-2 * time.Second),
	}
	against, of := b.windowCount(s, m, back)
	g.Num, g.Den = above(m, against, of), of
	g.State = standing(m, g.Num, g.Den, g.Limits)
	switch {
	case s.id == "clip-outlet" && m.id == "vtr":
		g.State, g.Num, g.Den, g.Text = view.StateCounting, 212, 219, "The orders of the last 14 days are still being read: 219 of about 530 so far, about 6 min to go."
	case s.id == "clip-outlet" && m.id == "sfcr":
		g.Text = "No order was confirmed in the last 30 days, so there is no rate and nothing to judge."
		g.Limits = limitsOn("US", m.id, day)
	case g.State == view.StateNothing:
		g.Text = "Nothing was counted in this window."
	default:
		g.Text = headroom(m, against, of, g)
	}
	if stateKnown(g.State) {
		wa, wo := b.windowCount(s, m, back+7)
		week := view.PPM(above(m, wa, wo) * 1_000_000 / max(1, wo))
		g.Week = &week
	}
	b.trend(&g, s, m, back)
	if back == 0 {
		g.Forecast = b.forecast(s, m, g)
	}
	if s.id == "clip-north" && m.id == "ldr" {
		r := b.reconciled(s, m)[0]
		g.Their = &r
	}
	return g
}

func above(m meter, against, of int64) int64 {
	if m.highIsBad {
		return against
	}
	return of - against
}

func stateKnown(s view.RateState) bool {
	return s == view.StateGood || s == view.StateWatch || s == view.StateBreach
}

// headroom says the distance to the next limit in orders.
func headroom(m meter, against, of int64, g view.Gauge) string {
	for _, l := range g.Limits {
		most := int64(l.At) * of / 1_000_000
		if !m.highIsBad {
			most = (1_000_000 - int64(l.At)) * of / 1_000_000
		}
		at := l.Kind + " of " + strconv.FormatFloat(float64(l.At)/10_000, 'f', -1, 64) + " %"
		switch {
		case against > most && l.Paused:
			return fmt.Sprintf("%d orders past the %s, which is paused: nothing follows today.", against-most, at)
		case against > most:
			return fmt.Sprintf("%d orders past the %s.", against-most, at)
		case l.Kind == "enforcement" || len(g.Limits) == 1 || against <= most:
			return fmt.Sprintf("%d more may go wrong before it passes the %s.", most-against, at)
		}
	}
	return ""
}

func (b *Book) trend(g *view.Gauge, s shopStory, m meter, back int) {
	if s.wrong[m.id] == [3]int{} {
		return
	}
	for i := trendDays - 1; i >= 0; i-- {
		against, of := b.windowCount(s, m, back+i)
		day := b.dayBack(back + i)
		p := view.TrendPoint{Day: day, Num: above(m, against, of), Den: of}
		p.State = standing(m, p.Num, p.Den, limitsOn(s.market, m.id, day))
		if s.id == "clip-outlet" && i > 60 {
			p = view.TrendPoint{Day: day, State: view.StateNothing} // the shop was closed in summer
		}
		g.Trend.Points = append(g.Trend.Points, p)
	}
	g.Trend.Limits = limitsOf(s.market, m.id)
	if m.id == "ldr" && s.market == "US" {
		g.Trend.Switches = []view.Switch{
			{Day: "2026-09-14", Text: "enforcement paused", RuleID: "ldr-enforcement", Cited: clipMail},
			{Day: "2026-10-19", Text: "counted by carrier scan instead of tracking; enforcement back", RuleID: "ldr-scan", Cited: clipPage},
		}
	}
}

// forecast is where the rate ends if work goes on as it does.
func (b *Book) forecast(s shopStory, m meter, g view.Gauge) *view.RateForecast {
	if !stateKnown(g.State) || s.id != "clip-north" {
		return nil
	}
	at := view.PPM(g.Num * 1_000_000 / max(1, g.Den))
	f := &view.RateForecast{At: b.now().Truncate(time.Hour).Add(19 * time.Hour), P10: at - 6_000, P50: at + 4_000, P90: at + 19_000, Assumes: "as many units an hour as in the last 14 days, and every pick-up on time"}
	switch m.id {
	case "ldr":
		f.Breach, f.Against = 8_000, "enforcement at 10 %"
	case "vtr":
		f.P10, f.P50, f.P90, f.Breach, f.Against = at-5_000, at-1_000, at+3_000, 4_000, "enforcement at 95 %"
	case "sfcr":
		f.P10, f.P50, f.P90, f.Breach, f.Against = at-2_000, at+1_500, at+6_500, 212_000, "enforcement at 2.5 %"
	case "otdr":
		f.P10, f.P50, f.P90, f.Breach, f.Against = at-31_000, at-12_000, at+6_000, 61_000, "enforcement at 80 %"
	}
	return f
}

var (
	storyNodes    = []string{"Berlin", "Porto Logistica"}
	storyCarriers = []string{"Nordpost", "Paketblitz", "Clip Shipping"}
	storyRegions  = []string{"CA", "TX", "NY", "FL", "WA"}
	storyModes    = []string{"own label", "channel label"}
)

// countedOrder is the k-th order of a day in a metric; the first of a day are those that went wrong.
func (b *Book) countedOrder(s shopStory, m meter, back, k int, against int64) view.CountedOrder {
	day := b.dayBack(back)
	number := fmt.Sprintf("5769%s%04d", strings.ReplaceAll(string(day)[2:], "-", ""), k)
	bad := int64(k) < against
	h := pick(number)
	o := view.CountedOrder{
		ID: s.id + ":" + number, Number: number, Day: day, Against: bad, Node: storyNodes[h%7/5], Carrier: storyCarriers[h/7%3], Region: storyRegions[h/31%5],
		Item: fmt.Sprintf("%d × %s", 1+h%3, stocks[h/3%10].sku), Mode: storyModes[h/11%4/3], Leaves: b.dayBack(back - m.days),
	}
	start, _ := time.Parse(time.DateOnly, string(day))
	due := start.Add(30*time.Hour + 59*time.Minute)
	done := due.Add(-time.Duration(2+h%9) * time.Hour)
	if bad {
		o.Reason = m.reasons[h%17%len(m.reasons)]
		o.Node = storyNodes[min(1, h%5)] // most of what goes wrong goes wrong there
		done = due.Add(time.Duration(1+h%30) * time.Hour)
	}
	o.Due, o.Done = &due, &done
	if done.After(b.now()) {
		o.Done = nil
	}
	return o
}

func pick(s string) int {
	h := fnv.New32a()
	h.Write([]byte(s))
	return int(h.Sum32() % 100_000)
}
