package routing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/money"
)

func calendarDay(t time.Time, zone *time.Location) calendar.Day {
	return calendar.DayOf(t.Add(-18*time.Hour), zone)
}

func usd(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "USD"} }

var monday = time.Date(2026, 11, 16, 15, 0, 0, 0, time.UTC)

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }

// world is a random network, order and stock. Costs are of few values so that ties are common.
type world struct {
	sites []Site
	rules Rules
	order Order
	stock Stock
	at    time.Time
}

func (w *world) transit(n network.Node, l network.Lane, dest Dest) (int, int, bool) {
	h := 0
	for _, c := range n.ID + l.Carrier + dest.Postal {
		h = h*31 + int(c)
	}
	h = (h%97 + 97) % 97
	return 1 + h%5, 1 + h%8, h%11 != 0
}

func randomSite(r *rand.Rand, i int) Site {
	kind := pick(r, network.Own, network.Own, network.ThreePL, network.Store, network.MCF, network.FBT)
	n := network.Node{ID: fmt.Sprintf("n%d", i), Name: fmt.Sprintf("Node %d", i), Kind: kind, Zone: pick(r, "America/New_York", "America/Los_Angeles", "UTC"),
		Place: network.Place{Country: "US", State: pick(r, "NV", "TX", "NJ")}, Active: !chance(r, 7), Priority: r.IntN(3)}
	for _, a := range network.Abilities[:2] {
		if chance(r, 70) {
			n.Abilities = append(n.Abilities, a)
		}
	}
	c := func() money.Amount { return usd(int64(r.IntN(4)) * 50) }
	n.Costs = network.Costs{PerOrder: c(), PerLine: usd(int64(r.IntN(3)) * 10), PerUnit: usd(int64(r.IntN(3)) * 10), PerParcel: c()}
	if chance(r, 60) {
		for d := time.Monday; d <= time.Friday; d++ {
			n.Shifts = append(n.Shifts, network.Shift{Weekday: d, From: 8 * 3600, Until: 16 * 3600, PerHour: int64(2 + r.IntN(20))})
		}
	}
	if chance(r, 40) {
		n.Surge = network.Surge{Above: int64(1 + r.IntN(20)), Percent: pick(r, int64(0), 25, 33), Max: pick(r, int64(0), 30)}
	}
	for j := range r.IntN(3) + min(1, r.IntN(5)) {
		l := network.Lane{Carrier: fmt.Sprintf("c%d", j), MaxGrams: pick(r, int64(0), 0, 0, 900, 2000, 2900),
			Tariff: network.Tariff{PerPound: usd(int64(r.IntN(4)) * 20)}}
		for z := range l.Tariff.ByZone {
			l.Tariff.ByZone[z] = usd(int64(3+r.IntN(3)) * 50)
		}
		if chance(r, 25) {
			l.Serves = pick(r, []string{"US-CA", "US-TX"}, []string{"US"}, []string{"US"}, []string{"GB"})
		}
		if chance(r, 85) {
			l.Abilities = n.Abilities
		}
		for d := time.Monday; d <= time.Friday && chance(r, 90); d++ {
			l.Pickups = append(l.Pickups, network.Pickup{Weekday: d, At: calendar.Clock(pick(r, 11, 15, 17) * 3600), CutOff: 30})
		}
		n.Lanes = append(n.Lanes, l)
	}
	s := Site{Node: n, Location: stock.Location{ID: n.ID, Kind: stock.Own, Active: true}, Queue: int64(r.IntN(3) * r.IntN(20)), Today: int64(r.IntN(20)),
		Slip: policy.PPM(r.IntN(3) * 50_000)}
	if kind == network.FBT || kind == network.MCF {
		s.Location.Kind = map[network.Kind]stock.LocationKind{network.FBT: stock.FBT, network.MCF: stock.Marketplace}[kind]
		s.Location.Serves = pick(r, []string{"tt"}, []string{"tt"}, []string{"other"})
	}
	return s
}

// pool is the nodes that random networks are made of, their days worked out once.
var pool = func() (out []Site) {
	r := rand.New(rand.NewPCG(7, 7))
	for i := range 90 {
		s := randomSite(r, i)
		var err error
		if s.Times, err = s.Node.Timetable(); err != nil {
			panic(err)
		}
		out = append(out, s)
	}
	return out
}()

func randomOrder(r *rand.Rand, at time.Time, items, lines, qty int, id string) Order {
	o := Order{ID: id, Connection: pick(r, "tt", "tt", "tt", "shop", ""), Value: int64(r.IntN(5) * 1000),
		Dest: Dest{Region: pick(r, "US-CA", "US-NY", "US-TX", ""), Postal: pick(r, "900", "100", "750", "606")}}
	for range lines {
		l := Line{Item: fmt.Sprintf("i%d", r.IntN(items)), Qty: int64(1 + r.IntN(qty)), Grams: pick(r, int64(0), 150, 300, 450, 454, 800)}
		if chance(r, 15) {
			l.Needs = []network.Ability{pick(r, network.Fragile, network.Temperature)}
		}
		o.Lines = append(o.Lines, l)
	}
	day := func(n int) time.Time { return at.Add(time.Duration(r.IntN(n)*12) * time.Hour) }
	if chance(r, 70) {
		o.Due.HandOverBy = day(8)
		o.Due.AutoCancelHandOverBy = o.Due.HandOverBy.Add(72 * time.Hour)
	}
	if chance(r, 60) {
		o.Due.DeliverBy = day(20)
	}
	return o
}

func newWorld(r *rand.Rand) *world {
	w := &world{at: monday.Add(time.Duration(r.IntN(7*24)) * time.Hour), stock: Stock{}}
	for _, i := range r.Perm(len(pool))[:1+r.IntN(6)] {
		w.sites = append(w.sites, pool[i])
	}
	if chance(r, 25) { // nodes that are alike
		for i := range w.sites {
			x := w.sites[0]
			x.Node.ID, x.Location.ID = w.sites[i].Node.ID, w.sites[i].Node.ID
			w.sites[i] = x
		}
	}
	w.rules = Rules{Currency: "USD", Late: Late{Dispatch: int64(r.IntN(3) * 300), Delivery: int64(r.IntN(3) * 200), Cancel: int64(r.IntN(2) * 1000)},
		LeftUnit: pick(r, int64(60), 400, 5000, 5000, 5000, 5000), LeftAny: int64(r.IntN(2) * 200), Short: pick(r, Partly, Partly, Partly, Wait, Whole), Parts: r.IntN(7),
		Move: int64(r.IntN(2) * 40), Days: 1 + r.IntN(3), Slip: 20_000, RoadSlip: 100_000, Unknown: 200, Plain: chance(r, 40)}
	w.order = randomOrder(r, w.at, 6, 1+r.IntN(6), 3, "o")
	w.twist(r)
	for i := range 6 {
		row := make([]int64, len(w.sites))
		for k := range row {
			row[k] = int64(r.IntN(9) * min(1, r.IntN(5)))
		}
		w.stock[fmt.Sprintf("i%d", i)] = row
	}
	return w
}

// twist adds what is rare: regimes, overrides, limits, an order held somewhere.
func (w *world) twist(r *rand.Rand) {
	node := func() string { return w.sites[r.IntN(len(w.sites))].Node.ID }
	o := &w.order
	if chance(r, 20) {
		o.Regime = Regime{Option: "platform's", PlatformPicks: chance(r, 60), NoDispatch: chance(r, 30), NoDelivery: chance(r, 50), Whole: chance(r, 20),
			Saving: policy.PPM(r.IntN(3) * 100_000)}
		if chance(r, 30) {
			o.Regime.Areas = []string{pick(r, "US-NV", "US-TX", "US")}
		}
	}
	o.ByPlatform = chance(r, 4)
	o.BySeller = !o.ByPlatform && chance(r, 50)
	if chance(r, 30) {
		o.Held = node()
	}
	if chance(r, 8) {
		o.Override = Override{Nodes: []string{node(), node()}, By: "ann", Reason: "asked for"}
	}
	for range r.IntN(4) * r.IntN(2) {
		w.rules.Limits = append(w.rules.Limits, Limit{Reason: "so be it", Item: pick(r, "", "i0", "i1", "i2"), Connection: pick(r, "", "tt", "shop"),
			Region: pick(r, "", "US", "US-CA"), Nodes: []string{node(), node()}, Never: chance(r, 60)})
	}
}

// thin takes stock away until brute force has few enough plans to look at.
func (w *world) thin(r *rand.Rand, d *Desk, most float64) {
	for newBrute(d, &w.order, w.stock, w.rules).plans() > most {
		line := w.order.Lines[r.IntN(len(w.order.Lines))]
		row, others := w.stock[line.Item], int64(0)
		k := r.IntN(len(row))
		for _, n := range row {
			others += n
		}
		if others-row[k] >= line.Qty || chance(r, 5) {
			row[k] = 0
		}
	}
}

func (w *world) desk() *Desk {
	d, err := Prepare(w.sites, w.rules, w.transit, w.at)
	if err != nil {
		panic(err)
	}
	return d
}

// shuffled is the same world with everything in another order.
func (w *world) shuffled(r *rand.Rand) *world {
	x := *w
	perm := r.Perm(len(w.sites))
	x.sites, x.stock = nil, Stock{}
	for _, i := range perm {
		x.sites = append(x.sites, w.sites[i])
	}
	for item, row := range w.stock {
		for _, i := range perm {
			x.stock[item] = append(x.stock[item], row[i])
		}
	}
	x.order.Lines = slices.Clone(w.order.Lines)
	r.Shuffle(len(x.order.Lines), func(i, j int) { x.order.Lines[i], x.order.Lines[j] = x.order.Lines[j], x.order.Lines[i] })
	return &x
}
