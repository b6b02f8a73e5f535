package routing

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/stock"
)

const dataDir = "../../../shared/data/"

// history is orders shaped like a real shop's: its baskets, going where people live.
type history struct {
	baskets [][]Line
	rank    map[string]int // of items by how many orders ask for them
	items   []string
	prefix  []prefix
	total   int64
}

type prefix struct {
	zip3, state string
	lat, lon    float64
	upTo        int64 // people up to and with it
}

func readHistory(tb testing.TB) *history {
	tb.Helper()
	h := &history{rank: map[string]int{}}
	h.readPlaces(tb)
	h.readBaskets(tb)
	return h
}

func (h *history) readPlaces(tb testing.TB) {
	state := map[string]string{}
	for _, row := range readCSV(tb, dataDir+"us_zip3_centroids.csv") {
		state[row[0]] = row[1]
	}
	for _, row := range readCSV(tb, dataDir+"us-zip-demand/zip3_population.csv") {
		people, _ := strconv.ParseInt(row[1], 10, 64)
		lat, _ := strconv.ParseFloat(row[2], 64)
		lon, _ := strconv.ParseFloat(row[3], 64)
		if state[row[0]] == "" || people == 0 {
			continue
		}
		h.total += people
		h.prefix = append(h.prefix, prefix{row[0], state[row[0]], lat, lon, h.total})
	}
}

// readBaskets keeps the sold lines of items; orders of more lines than one call takes are wholesale and are left out.
func (h *history) readBaskets(tb testing.TB) {
	matches, _ := os.ReadDir(dataDir + "uci-online-retail")
	r := rand.New(rand.NewPCG(11, 11))
	grams := map[string]int64{}
	var order []string
	baskets := map[string][]Line{}
	for _, m := range matches {
		if !strings.HasPrefix(m.Name(), "lines_") {
			continue
		}
		for _, row := range readCSV(tb, dataDir+"uci-online-retail/"+m.Name()) {
			qty, _ := strconv.ParseInt(row[3], 10, 64)
			price, _ := strconv.ParseFloat(row[5], 64)
			if qty <= 0 || price <= 0 || len(row[1]) < 5 || strings.HasPrefix(row[0], "C") {
				continue
			}
			item := row[1]
			if grams[item] == 0 {
				grams[item] = int64(30 + r.IntN(220))
			}
			if baskets[row[0]] == nil {
				order = append(order, row[0])
			}
			baskets[row[0]] = append(baskets[row[0]], Line{Item: item, Qty: min(qty, 24), Grams: grams[item]})
			h.rank[item]++
		}
	}
	for _, id := range order {
		if len(baskets[id]) <= MaxLines {
			h.baskets = append(h.baskets, baskets[id])
		}
	}
	for item := range h.rank {
		h.items = append(h.items, item)
	}
	slices.SortFunc(h.items, func(a, b string) int {
		if h.rank[a] != h.rank[b] {
			return h.rank[b] - h.rank[a]
		}
		return strings.Compare(a, b)
	})
	for i, item := range h.items {
		h.rank[item] = i
	}
	if len(h.baskets) == 0 {
		tb.Skip("no baskets read")
	}
}

func readCSV(tb testing.TB, name string) [][]string {
	tb.Helper()
	f, err := os.Open(name)
	if err != nil {
		tb.Skipf("SKIPPED: the shared data is not here: %v", err)
	}
	defer f.Close()
	var in *csv.Reader
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(bufio.NewReader(f))
		if err != nil {
			tb.Fatal(err)
		}
		in = csv.NewReader(z)
	} else {
		in = csv.NewReader(f)
	}
	in.LazyQuotes, in.FieldsPerRecord = true, -1
	rows, err := in.ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	return rows[1:]
}

func (h *history) place(r *rand.Rand) prefix {
	n := r.Int64N(h.total)
	i, _ := slices.BinarySearchFunc(h.prefix, n, func(p prefix, n int64) int {
		if p.upTo <= n {
			return -1
		}
		return 1
	})
	return h.prefix[i]
}

// shop is a seller of six nodes who sells what the history sold.
type shop struct {
	*history
	sites []Site
	rules Rules
	at    time.Time
	where map[string]prefix
	zones map[[2]string]int
}

var plants = []struct {
	id, zip3 string
	kind     network.Kind
	perHour  int64
	order    int64
	priority int
}{
	{"reno", "894", network.Own, 160, 130, 0}, {"dallas", "752", network.Own, 120, 140, 0}, {"newark", "071", network.ThreePL, 140, 190, 0},
	{"atlanta", "303", network.ThreePL, 80, 170, 0}, {"chicago", "606", network.ThreePL, 60, 185, 0}, {"store", "900", network.Store, 15, 220, 1},
}

// newShop makes the seller; pace scales what the nodes get done.
func newShop(h *history, pace float64) *shop {
	s := &shop{history: h, at: time.Date(2026, 11, 17, 14, 0, 0, 0, time.UTC), where: map[string]prefix{}, zones: map[[2]string]int{}}
	for _, p := range h.prefix {
		s.where[p.zip3] = p
	}
	s.rules = Rules{Currency: "USD", Late: Late{Dispatch: 500, Delivery: 300, Cancel: 1500}, LeftUnit: 800, LeftAny: 600, Short: Partly, Parts: 3, Days: 4,
		Slip: 30_000, RoadSlip: 80_000, Unknown: 250}
	for _, p := range plants {
		n := network.Node{ID: p.id, Name: p.id, Kind: p.kind, Zone: "America/Chicago", Active: true, Priority: p.priority,
			Place: network.Place{Country: "US", State: s.where[p.zip3].state, Postal: p.zip3 + "01"},
			Costs: network.Costs{PerOrder: usd(p.order), PerLine: usd(12), PerUnit: usd(4), PerParcel: usd(35)}}
		for d := time.Monday; d <= time.Friday; d++ {
			n.Shifts = append(n.Shifts, network.Shift{Weekday: d, From: 7 * 3600, Until: 19 * 3600, PerHour: max(1, int64(float64(p.perHour)*pace))})
		}
		if p.kind == network.ThreePL {
			n.Surge = network.Surge{Above: max(1, int64(float64(p.perHour*8)*pace)), Percent: 25}
		}
		n.Lanes = lanes()
		s.sites = append(s.sites, Site{Node: n, Location: stock.Location{ID: p.id, Kind: stock.Own, Active: true}, Slip: policy.PPM(20_000)})
	}
	return s
}

// lanes are a slow and cheap and a fast and dear one.
func lanes() []network.Lane {
	ground := network.Lane{Carrier: "Ground", MaxGrams: 30_000, Tariff: network.Tariff{PerPound: usd(55)}}
	air := network.Lane{Carrier: "Two day", MaxGrams: 30_000, Tariff: network.Tariff{PerPound: usd(140)}}
	for z := 1; z <= 9; z++ {
		ground.Tariff.ByZone[z], air.Tariff.ByZone[z] = usd(int64(480+45*z)), usd(int64(950+70*z))
		ground.Days[z], air.Days[z] = 1+z/2, 2
	}
	for d := time.Monday; d <= time.Friday; d++ {
		ground.Pickups = append(ground.Pickups, network.Pickup{Weekday: d, At: calendar.Clock(17 * 3600), CutOff: 30})
		air.Pickups = append(air.Pickups, network.Pickup{Weekday: d, At: calendar.Clock(19 * 3600), CutOff: 30})
	}
	return []network.Lane{ground, air}
}

func (s *shop) transit(n network.Node, _ network.Lane, dest Dest) (int, int, bool) {
	return 0, s.zone(n.Place.Postal[:3], dest.Postal), true
}

func (s *shop) zone(a, b string) int {
	key := [2]string{a, b}
	if z, ok := s.zones[key]; ok {
		return z
	}
	x, y := s.where[a], s.where[b]
	rad := math.Pi / 180
	c := math.Sin(x.lat*rad)*math.Sin(y.lat*rad) + math.Cos(x.lat*rad)*math.Cos(y.lat*rad)*math.Cos((x.lon-y.lon)*rad)
	miles := 3959 * math.Acos(min(1, c))
	z := 1
	for _, most := range []float64{64, 165, 325, 625, 1030, 1430, 1820} {
		if miles > most {
			z++
		}
	}
	s.zones[key] = z
	return z
}

// orders draws n orders: baskets in their order from one on, destinations by where people live. most limits the lines of a basket; 0: none.
func (s *shop) orders(r *rand.Rand, n, most int) []Order {
	out := make([]Order, 0, n)
	for i := r.IntN(len(s.baskets)); len(out) < n; i++ {
		lines := s.baskets[i%len(s.baskets)]
		if most > 0 && len(lines) > most {
			lines = lines[:1+r.IntN(most)]
		}
		p := s.place(r)
		o := Order{ID: fmt.Sprintf("o%05d", len(out)), Connection: "shop", Lines: lines, Dest: Dest{Region: "US-" + p.state, Postal: p.zip3}, Value: 3000}
		age := time.Duration(r.IntN(30)) * time.Hour
		o.Due.HandOverBy = s.at.Add(58*time.Hour - age)
		o.Due.AutoCancelHandOverBy = o.Due.HandOverBy.Add(5 * 24 * time.Hour)
		o.Due.DeliverBy = s.at.Add(8*24*time.Hour - age)
		out = append(out, o)
	}
	return out
}

// stock puts items where they sell: what sells most everywhere, the rest in some nodes; cover is how much of the orders' demand there is.
func (s *shop) stock(r *rand.Rand, orders []Order, cover float64) Stock {
	demand := map[string]int64{}
	for _, o := range orders {
		for _, l := range o.Lines {
			demand[l.Item] += l.Qty
		}
	}
	out := Stock{}
	for _, item := range s.items {
		if demand[item] == 0 {
			continue
		}
		share := 60
		switch rank := s.rank[item]; {
		case rank < len(s.items)/5:
			share = 96
		case rank < len(s.items)/2:
			share = 80
		}
		row := make([]int64, len(s.sites))
		units := int64(float64(demand[item])*cover) + 12
		for k := range row {
			if chance(r, share) {
				row[k] = units/int64(len(row)) + r.Int64N(units/2+2)
			}
		}
		out[item] = row
	}
	return out
}

func (s *shop) desk(tb testing.TB) *Desk {
	tb.Helper()
	d, err := Prepare(s.sites, s.rules, s.transit, s.at)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func BenchmarkRouteHistory(b *testing.B) {
	h := readHistory(b)
	for _, c := range []struct {
		name string
		most int
	}{{"baskets as they are", 0}, {"at most 6 lines", 6}, {"at most 2 lines", 2}} {
		b.Run(c.name, func(b *testing.B) {
			s := newShop(h, 100)
			r := rand.New(rand.NewPCG(3, 3))
			orders := s.orders(r, 5000, c.most)
			st := s.stock(r, orders, 3)
			d := s.desk(b)
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			start := cpuTime()
			s.cascade(d, orders, st)
			baseline := (cpuTime() - start) / time.Duration(len(orders))
			took := make([]time.Duration, 0, b.N)
			unproven, parts, lines := 0, 0, 0
			var total, open int64
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				o := &orders[i%len(orders)]
				start := cpuTime()
				p, err := d.Route(o, st)
				took = append(took, cpuTime()-start)
				if err != nil {
					b.Fatal(err)
				}
				if !p.Proven() {
					unproven++
				}
				total, open = total+p.Total, open+p.Total-p.Lower
				parts += len(p.Parts)
				lines += len(o.Lines)
			}
			var cpu time.Duration
			for _, t := range took {
				cpu += t
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)-1].Microseconds()), "max-µs")
			b.ReportMetric(float64(b.N)/cpu.Seconds(), "orders/s")
			b.ReportMetric(100*float64(unproven)/float64(b.N), "%unproven")
			b.ReportMetric(cpu.Seconds()/float64(b.N)/baseline.Seconds(), "×cascade")
			b.ReportMetric(100*float64(open)/float64(total), "%open")
			b.ReportMetric(float64(parts)/float64(b.N), "parts/order")
			b.ReportMetric(float64(lines)/float64(b.N), "lines/order")
		})
	}
}
