package routing

import (
	"math"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/network"
)

// brute goes through every plan there is: every distribution of every item over all nodes and what is left, and for the nodes used every
// lane on every day. It shares with the package what follows from clocks (when parcels leave, how many orders fit) and nothing of how plans
// are compared, priced or left out. It returns the least cost in minor units and how many plans it looked at.
type brute struct {
	d     *Desk
	o     *Order
	rules Rules
	items []bruteItem
	alloc [][]int64 // by item, by site and last what is left
	best  int64
	seen  int
	ways  []way
	sure  map[[3]int][3]int64
	free  bool // units may be left that a node in use has
	used  [][2]int
	each  func(cost int64, used [][2]int) // told of every plan
}

type bruteItem struct {
	id    string
	qty   int64
	grams int64
	needs []network.Ability
	have  []int64 // by site
}

func newBrute(d *Desk, o *Order, st Stock, rules Rules) *brute {
	b := &brute{d: d, o: o, rules: rules, ways: d.waysTo(o.Dest), sure: map[[3]int][3]int64{}}
	for _, l := range o.Lines {
		k := slices.IndexFunc(b.items, func(x bruteItem) bool { return x.id == l.Item })
		if k < 0 {
			k = len(b.items)
			b.items = append(b.items, bruteItem{id: l.Item, have: make([]int64, len(d.sites))})
		}
		x := &b.items[k]
		x.qty += l.Qty
		g := l.Grams
		if g == 0 {
			g = rules.Unknown
		}
		x.grams = max(x.grams, g)
		x.needs = append(x.needs, l.Needs...)
	}
	for k := range b.items {
		x := &b.items[k]
		for si := range d.sites {
			if row := st[x.id]; b.open(si, x) && d.sites[si].in < len(row) {
				if x.have[si] = min(max(0, row[d.sites[si].in]), x.qty); o.Regime.Undivided && x.have[si] < x.qty {
					x.have[si] = 0
				}
			}
		}
		b.alloc = append(b.alloc, make([]int64, len(d.sites)+1))
	}
	return b
}

func (b *brute) open(si int, x *bruteItem) bool {
	s := &b.d.sites[si]
	n := s.node
	if !n.Active || !s.loc.MayServe(b.o.Connection) || !n.Handles(x.needs) {
		return false
	}
	if b.o.Regime.PlatformPicks && (n.Kind == network.ThreePL || n.Kind == network.MCF) { // it labels by itself
		return false
	}
	if b.o.ByPlatform && n.Kind != network.FBT || b.o.BySeller && n.Kind == network.FBT || len(b.o.Override.Nodes) > 0 && !slices.Contains(b.o.Override.Nodes, n.ID) {
		return false
	}
	for _, l := range b.rules.Limits {
		if (l.Item == "" || l.Item == x.id) && (l.Connection == "" || l.Connection == b.o.Connection) &&
			(l.Region == "" || l.Region == b.o.Dest.Region || strings.HasPrefix(b.o.Dest.Region, l.Region+"-")) &&
			slices.Contains(l.Nodes, n.ID) == l.Never {
			return false
		}
	}
	if a := b.o.Regime.Areas; len(a) > 0 && !slices.Contains(a, n.Place.Country) && !slices.Contains(a, n.Place.Country+"-"+n.Place.State) {
		return false
	}
	return true
}

// plans is how many distributions there are.
func (b *brute) plans() float64 {
	n := 1.0
	for _, x := range b.items {
		ways := []float64{1} // of giving out q units
		for q := int64(1); q <= x.qty; q++ {
			ways = append(ways, 1) // the rest is left
		}
		for _, h := range x.have {
			next := make([]float64, len(ways))
			for q := range next {
				for g := 0; g <= min(q, int(h)); g++ {
					next[q] += ways[q-g]
				}
			}
			ways = next
		}
		n *= ways[x.qty]
	}
	return n
}

func (b *brute) run() int64 {
	b.best = math.MaxInt64
	if b.platform() {
		return b.best
	}
	b.item(0, func(int) bool { return true }, b.maxParts())
	return b.best
}

func (b *brute) maxParts() int {
	switch {
	case b.rules.Short == Whole || b.o.Regime.Whole:
		return 1
	case b.rules.Parts == 0:
		return 3
	}
	return b.rules.Parts
}

// platform is the rule that a platform's stock goes first: the cheapest single platform node, if it ships everything.
func (b *brute) platform() bool {
	is := func(si int) bool { return b.d.sites[si].node.Kind == network.FBT }
	if b.rules.Plain {
		return false
	}
	var whole int64 = math.MaxInt64
	b.item(0, is, 1)
	least := b.best
	b.best = math.MaxInt64
	// The least over plans that ship all: what is left is forbidden.
	for k := range b.items {
		b.items[k].qty = -b.items[k].qty // marks that nothing may be left
	}
	b.itemAll(is)
	whole, b.best = b.best, math.MaxInt64
	for k := range b.items {
		b.items[k].qty = -b.items[k].qty
	}
	if whole == least && whole < math.MaxInt64 {
		b.best = whole
		return true
	}
	return false
}

// itemAll looks at plans from one node that ship everything.
func (b *brute) itemAll(is func(int) bool) {
	for si := range b.d.sites {
		all := is(si)
		for k := range b.items {
			x := &b.items[k]
			clear(b.alloc[k])
			b.alloc[k][si] = -x.qty
			all = all && x.have[si] >= -x.qty
		}
		if all {
			b.price(1)
		}
	}
	for k := range b.items {
		clear(b.alloc[k])
	}
}

func (b *brute) item(k int, may func(int) bool, parts int) {
	if k == len(b.items) {
		b.price(parts)
		return
	}
	b.give(k, 0, b.items[k].qty, may, parts)
}

func (b *brute) give(k, si int, rest int64, may func(int) bool, parts int) {
	if si == len(b.d.sites) {
		b.alloc[k][si] = rest
		b.item(k+1, may, parts)
		b.alloc[k][si] = 0
		return
	}
	most := min(rest, b.items[k].have[si])
	if !may(si) {
		most = 0
	}
	for q := int64(0); q <= most; q++ {
		if b.o.Regime.Undivided && q > 0 && q < b.items[k].qty {
			continue
		}
		b.alloc[k][si] = q
		b.give(k, si+1, rest-q, may, parts)
	}
	b.alloc[k][si] = 0
}

// price is what the distribution at hand costs with the best lanes and days.
func (b *brute) price(parts int) {
	b.seen++
	var left int64
	shipped := false
	for k := range b.items {
		left += b.alloc[k][len(b.d.sites)]
	}
	var used []int
	for si := range b.d.sites {
		for k := range b.items {
			if b.alloc[k][si] > 0 {
				used = append(used, si)
				shipped = true
				break
			}
		}
	}
	if len(used) > parts || left > 0 && shipped && b.rules.Short != Partly {
		return
	}
	cost := int64(0)
	if left > 0 {
		cost = left*b.rules.LeftUnit + b.rules.LeftAny
	}
	if !shipped {
		b.end(cost + b.late([3]int64{}))
		return
	}
	b.lanes(used, cost, [3]int64{1e9, 1e9, 1e9})
}

func (b *brute) end(cost int64) {
	b.best = min(b.best, cost)
	if b.each != nil {
		b.each(cost, b.used)
	}
}

func (b *brute) lanes(used []int, cost int64, sure [3]int64) {
	if len(used) == 0 {
		b.end(cost + b.late(sure))
		return
	}
	s := &b.d.sites[used[0]]
	for k := range s.buckets {
		var options []option
		for j := range s.lanes {
			if o, ok := b.option(s, used[0], j, k); ok {
				options = append(options, o)
			}
		}
		if b.o.Regime.PlatformPicks {
			options = b.mean(s, used[0], k)
		}
		for _, o := range options {
			now := sure
			for i := range now {
				now[i] = now[i] * o.sure[i] / 1e9
			}
			b.used = append(b.used, [2]int{used[0], k})
			b.lanes(used[1:], cost+o.cost, now)
			b.used = b.used[:len(b.used)-1]
		}
	}
}

type option struct {
	cost int64
	sure [3]int64
}

// option is one lane on one day for what a site is given; false: it cannot.
func (b *brute) option(s *site, si, j, k int) (option, bool) {
	l := &s.lanes[j]
	for i := range b.items {
		if b.holdsBack(i, si, l.Abilities, l.MaxGrams) {
			return option{}, false
		}
		if b.alloc[i][si] == 0 {
			continue
		}
		for _, a := range b.items[i].needs {
			if !slices.Contains(l.Abilities, a) {
				return option{}, false
			}
		}
		if l.MaxGrams > 0 && b.items[i].grams > l.MaxGrams {
			return option{}, false
		}
	}
	w := b.ways[s.ways+j]
	if !w.covers || int(s.buckets[k].day) >= len(l.leaves) {
		return option{}, false
	}
	label := discount(l.Tariff.ByZone[w.zone].Minor, b.o)
	return option{b.cost(s, si, k, float64(label), float64(discount(l.Tariff.PerPound.Minor, b.o)), l.MaxGrams), b.known(s, si, j, k)}, true
}

// holdsBack reports whether something is left of an item that a node in use has and can ship: no plan does that.
func (b *brute) holdsBack(i, si int, able []network.Ability, most int64) bool {
	x := &b.items[i]
	if b.free || b.alloc[i][len(b.d.sites)] == 0 || b.alloc[i][si] == x.have[si] || most > 0 && x.grams > most {
		return false
	}
	for _, a := range x.needs {
		if !slices.Contains(able, a) {
			return false
		}
	}
	return true
}

func discount(a int64, o *Order) int64 {
	return int64(math.Floor(float64(a)*(1-float64(o.Regime.Saving)/1e6) + 0.5 + 1e-9))
}

func (b *brute) cost(s *site, si, k int, label, pound float64, most int64) int64 {
	var lines, units, grams int64
	for i := range b.items {
		if q := b.alloc[i][si]; q > 0 {
			lines, units, grams = lines+1, units+q, grams+q*b.items[i].grams
		}
	}
	up := func(a int64) int64 {
		return int64(math.Floor(float64(a)*(1+float64(s.buckets[k].percent)/100) + 0.5 + 1e-9))
	}
	c := s.node.Costs
	cost := up(c.PerOrder.Minor) + lines*up(c.PerLine.Minor) + units*up(c.PerUnit.Minor)
	parcels := int64(1)
	if most > 0 {
		parcels = max(1, int64(math.Ceil(float64(grams)/float64(most))))
	}
	cost += parcels * (int64(label) + c.PerParcel.Minor)
	cost += max(0, int64(math.Ceil(float64(grams)/453.59237))-1) * int64(pound)
	if b.o.Held != "" && b.o.Held != s.node.ID {
		cost += b.rules.Move
	}
	return cost
}

// mean is the one option where the platform picks the lane.
func (b *brute) mean(s *site, si, k int) []option {
	var labels, each, limit []int64
	sure := [3]int64{1e9, 1e9, 1e9}
	able := slices.Clone(network.Abilities)
	for j := range s.lanes {
		l, w := &s.lanes[j], b.ways[s.ways+j]
		if !w.covers || int(s.buckets[k].day) >= len(l.leaves) {
			continue
		}
		labels = append(labels, discount(l.Tariff.ByZone[w.zone].Minor, b.o))
		each = append(each, discount(l.Tariff.PerPound.Minor, b.o))
		if l.MaxGrams > 0 {
			limit = append(limit, l.MaxGrams)
		}
		able = slices.DeleteFunc(able, func(a network.Ability) bool { return !slices.Contains(l.Abilities, a) })
		for i, c := range b.known(s, si, j, k) {
			sure[i] = min(sure[i], c)
		}
	}
	if len(labels) == 0 {
		return nil
	}
	most := int64(0)
	if len(limit) > 0 {
		most = slices.Min(limit)
	}
	for i := range b.items {
		if b.holdsBack(i, si, able, most) {
			return nil
		}
		for _, a := range b.items[i].needs {
			if b.alloc[i][si] > 0 && !slices.Contains(able, a) {
				return nil
			}
		}
		if b.alloc[i][si] > 0 && most > 0 && b.items[i].grams > most {
			return nil
		}
	}
	avg := func(x []int64) float64 {
		sum := int64(0)
		for _, v := range x {
			sum += v
		}
		return math.Floor(float64(sum)/float64(len(x)) + 0.5)
	}
	return []option{{b.cost(s, si, k, avg(labels), avg(each), most), sure}}
}

func (b *brute) known(s *site, si, j, k int) [3]int64 {
	c, ok := b.sure[[3]int{si, j, k}]
	if !ok {
		c = b.chances(s, &s.lanes[j], int(s.buckets[k].day), b.ways[s.ways+j].days)
		b.sure[[3]int{si, j, k}] = c
	}
	return c
}

// chances walks through what can happen, day by day, instead of using tables of powers.
func (b *brute) chances(s *site, l *lane, day, road int) [3]int64 {
	if s.node.Kind == network.FBT {
		return [3]int64{1e9, 1e9, 1e9}
	}
	u := b.d.dues(b.o)
	var late [3]int64
	stays := int64(1e9) // chance that it has not left before
	slip := int64(1e9) - s.keep
	dueDay := calendarDay(u.deliver, s.zone)
	for k := 0; ; k++ {
		at := day + k
		if k > slipTail || at >= len(l.leaves) {
			for j := range late {
				late[j] += stays
			}
			break
		}
		leavesNow := stays * s.keep / 1e9
		next := stays * (slip / 1000) / 1e6
		if l.leaves[at] > u.dispatch {
			late[0] += stays - next
		}
		if l.leaves[at] > u.cancel {
			late[1] += stays - next
		}
		slack := int(l.road.count(dueDay)) - int(l.business[at]) - road
		switch {
		case slack < 0:
			late[2] += stays - next
		case slack < slipTail:
			more := int64(1e9)
			for range slack + 1 {
				more = more * ((l.slip[1]) / 1000) / 1e6
			}
			late[2] += leavesNow * more / 1e9
		}
		stays = next
	}
	var out [3]int64
	for j := range out {
		out[j] = 1e9
		if u.cost[j] > 0 {
			out[j] -= late[j]
		}
	}
	return out
}

// late is what lateness is expected to cost, in minor units.
func (b *brute) late(sure [3]int64) int64 {
	u := b.d.dues(b.o)
	var sum int64
	for j := range sure {
		sum += int64(math.Floor(float64(u.cost[j]) / 1e9 * float64(1e9-sure[j]) * (1 + 1e-15)))
	}
	return (sum + 500) / 1000
}
