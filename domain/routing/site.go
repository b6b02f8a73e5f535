package routing

import (
	"cmp"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
)

// Site is a node and how things stand there.
type Site struct {
	Node     network.Node
	Location stock.Location     // its stock location: says whose orders may be promised its stock
	Times    *network.Timetable // the node's, to save working it out again; nil: worked out here
	Queue    int64              // orders waiting there now that this call does not plan: they are done first
	Today    int64              // orders it took today, those of Queue included: surge terms count from here
	PerDay   int64              // orders it gets done in a day, learned, for a node that says no hours; 0: no bound is known
	Slip     policy.PPM         // chance that what is planned for a day leaves a dispatch day later; 0: that of the rules
	RoadSlip []policy.PPM       // by lane: chance of each further day on the road; none or 0: that of the rules
}

const (
	certain   = 1_000_000_000 // the unit of chances inside: parts in 10⁹
	mill      = 1000          // the unit of costs inside: thousandths of a minor unit, so that prices of a re-plan need no floats
	slipTail  = 8             // dispatch days beyond the planned ones at which something that slipped may leave; what is later is late
	searched  = 60            // calendar days in which those dispatch days are looked for
	unbounded = int64(1) << 40
	arrives   = calendar.Clock(18 * 3600) // parcels are there by then: a delivery deadline before it does not count its day
	fallback  = calendar.Clock(17 * 3600) // when parcels leave a node that says neither hours nor vans, Monday to Friday
)

// site is a Site worked out for one moment.
type site struct {
	in      int // its index in what was given
	node    *network.Node
	loc     *stock.Location
	zone    *time.Location
	able    uint8
	lanes   []lane
	days    []shipDay
	buckets []bucket
	base    int                 // index of its first bucket among all
	late    [slipTail + 2]int64 // chance that something slips at least so often
	keep    int64               // chance that it does not slip
	cost    [4]int64            // per order, line, unit and parcel, in minor units
	ways    int                 // index of its first lane among all
}

// shipDay is a day on which parcels leave a node.
type shipDay struct {
	day  calendar.Day
	ends time.Time // last moment at which something planned for it must be ready
	cap  int64     // orders that get ready from the end of the day before until then
}

// bucket is the orders a node may still be given for one of its days at one price of handling.
type bucket struct {
	day     int32 // index in days
	percent int64 // surge on top of handling
	cap     int64
}

// lane is a network.Lane worked out.
type lane struct {
	*network.Lane
	able     uint8
	leaves   []int64 // Unix time at which parcels of each shipDay leave
	business []int32 // business day of each, counted by the carrier's calendar
	road     *road
	slip     [slipTail + 2]int64 // chance of at least so many days more on the road
	dearest  int                 // the zone reckoned with where none is known
	longest  int                 // the days reckoned with where none are known
}

// usualDays is what is reckoned with where nobody says how long a parcel travels: the longest of the ground services in the United States.
const usualDays = 5

// Desk is a network at one moment, worked out so that orders can be routed quickly. It keeps memory between orders: it is for one goroutine.
type Desk struct {
	at      time.Time
	rules   Rules
	transit Transit
	sites   []site // by priority, then id: the order in which equals are taken
	where   map[string]int
	limits  limits
	buckets int
	lanes   int
	roads   map[calendar.Holidays]*road
	ways    map[Dest][]way
	s       search
	p       problem
}

// Prepare works a network out. at is the moment of which everything is planned. Errors: Invalid, if rules or a node cannot be, ids are doubled
// or a currency is another than the rules'.
func Prepare(sites []Site, rules Rules, transit Transit, at time.Time) (*Desk, error) {
	if err := rules.Check(); err != nil {
		return nil, err
	}
	if len(sites) > network.MaxNodes {
		return nil, errs.New(errs.Invalid, "routing.Prepare", "", "at most %d nodes", network.MaxNodes)
	}
	d := &Desk{at: at, rules: rules, transit: transit, where: make(map[string]int, len(sites)),
		roads: map[calendar.Holidays]*road{}, ways: map[Dest][]way{}}
	order := make([]int, len(sites))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		x, y := &sites[a].Node, &sites[b].Node
		return cmp.Or(cmp.Compare(x.Priority, y.Priority), cmp.Compare(x.ID, y.ID))
	})
	for _, i := range order {
		in := &sites[i]
		if _, twice := d.where[in.Node.ID]; twice {
			return nil, errs.New(errs.Invalid, "routing.Prepare", in.Node.ID, "the node is named twice")
		}
		d.where[in.Node.ID] = len(d.sites)
		s, err := d.site(in, i)
		if err != nil {
			return nil, err
		}
		s.base, s.ways = d.buckets, d.lanes
		d.buckets += len(s.buckets)
		d.lanes += len(s.lanes)
		d.sites = append(d.sites, s)
	}
	d.limits = d.compile(rules.Limits)
	d.s.rules, d.s.sites = &d.rules, len(d.sites)
	for si := range d.sites {
		d.s.leaf.in[si] = int32(d.sites[si].in)
	}
	return d, nil
}

func (d *Desk) site(in *Site, i int) (site, error) {
	n := &in.Node
	if err := d.currency(n); err != nil {
		return site{}, err
	}
	if in.Queue < 0 || in.Today < 0 || in.PerDay < 0 || !share(in.Slip) {
		return site{}, errs.New(errs.Invalid, "routing.Prepare", n.ID, "what is said of a node's day is not below 0, and a chance below 100 %%")
	}
	times := in.Times
	if times == nil {
		var err error
		if times, err = n.Timetable(); err != nil {
			return site{}, err
		}
	}
	s := site{in: i, node: n, loc: &in.Location, zone: times.Zone(), able: abilities(n.Abilities),
		cost: [4]int64{n.Costs.PerOrder.Minor, n.Costs.PerLine.Minor, n.Costs.PerUnit.Minor, n.Costs.PerParcel.Minor}}
	s.late, s.keep = slips(cmp.Or(in.Slip, d.rules.Slip))
	lanes := n.Lanes
	if len(lanes) == 0 { // nothing is said of how parcels travel: they go everywhere and take everything
		lanes = []network.Lane{{Abilities: n.Abilities}}
	}
	s.days = d.shipDays(times, lanes, in.PerDay)
	s.buckets = fill(s.days, n.Surge, in.Queue, in.Today, d.rules.days())
	for j := range lanes {
		slip := d.rules.RoadSlip
		if j < len(in.RoadSlip) {
			if !share(in.RoadSlip[j]) {
				return site{}, errs.New(errs.Invalid, "routing.Prepare", n.ID, "a chance is below 100 %%")
			}
			slip = cmp.Or(in.RoadSlip[j], slip)
		}
		l, err := d.lane(&s, times, &lanes[j], slip)
		if err != nil {
			return site{}, err
		}
		s.lanes = append(s.lanes, l)
	}
	return s, nil
}

// currency refuses a node with another currency than the rules', and money beyond what sums are safe for.
func (d *Desk) currency(n *network.Node) error {
	check := func(a money.Amount, most int64) error {
		if a.Minor < 0 || a.Minor > most || (a.Currency != "" && a.Currency != d.rules.Currency) {
			return errs.New(errs.Invalid, "routing.Prepare", n.ID, "%s is no cost in %s", a, d.rules.Currency)
		}
		return nil
	}
	all := []money.Amount{n.Costs.PerOrder, n.Costs.PerLine, n.Costs.PerUnit, n.Costs.PerParcel}
	for i := range n.Lanes {
		all = append(all, n.Lanes[i].Tariff.ByZone[:]...)
		if err := check(n.Lanes[i].Tariff.PerPound, MaxPound); err != nil {
			return err
		}
	}
	for _, a := range all {
		if err := check(a, MaxCost); err != nil {
			return err
		}
	}
	if n.Surge.Above < 0 || n.Surge.Percent < 0 || n.Surge.Percent > 10_000 || n.Surge.Max < 0 {
		return errs.New(errs.Invalid, "routing.Prepare", n.ID, "surge terms are from 0 to 10,000 %%")
	}
	return nil
}

func abilities(list []network.Ability) (mask uint8) {
	for _, a := range list {
		mask |= 1 << max(0, slices.Index(network.Abilities, a))
	}
	return mask
}

// slips are the chances of at least 0, 1, 2 … slips, and of none.
func slips(p policy.PPM) (at [slipTail + 2]int64, keep int64) {
	at[0] = certain
	for i := 1; i < len(at); i++ {
		at[i] = at[i-1] * int64(p) / 1_000_000
	}
	return at, certain - at[1]
}
