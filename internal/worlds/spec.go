package worlds

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/allocation"
)

// Feature is something a world can be spared, to shrink a failing one.
type Feature uint32

// The features of a world, from the outside in.
const (
	Crashes Feature = 1 << iota
	Outages
	Holds
	Bundles
	Pools
	Buffers
	Cancels
	Returns
	Receipts
	Counts
	Spikes
	Loss        // webhooks lost
	Doubles     // webhooks doubled
	Refusals    // pushes refused
	Doubts      // requests or replies lost, requests applied late
	Skew        // the channels' clocks differ from ours
	Limits      // minimums, maximums, fixed numbers
	Edits       // somebody edits numbers at the channel
	Quantiles   // operators accept a quantile instead of the worst case
	Adoption    // the channels show copies of the whole stock before we come
	allFeatures = 1<<iota - 1
)

// Excused are the features by which others, or an operator's choice, make more be sold than is there. Without them
// nothing may be.
const Excused = Edits | Quantiles | Adoption

var featureNames = []string{"Crashes", "Outages", "Holds", "Bundles", "Pools", "Buffers", "Cancels", "Returns", "Receipts",
	"Counts", "Spikes", "Loss", "Doubles", "Refusals", "Doubts", "Skew", "Limits", "Edits", "Quantiles", "Adoption"}

// Spec is a whole world before it runs: what is there and what will happen, whoever is in charge of the numbers.
type Spec struct {
	Seed     uint64
	Off      Feature
	Horizon  time.Duration // demand ends here
	Items    []itemSpec
	Channels []channelSpec
	Listings []listingSpec
	Holds    []allocation.Hold
	Arrivals []arrival // customers, by time
	Changes  []change  // receipts, counts, crashes, outages, edits, by time
	Observed bool      // assert after every step
}

type itemSpec struct {
	id            string
	stock         []int // by pool
	bufferPercent int
	bufferUnits   int
}

type channelSpec struct {
	kind                 allocation.Kind
	skew                 time.Duration
	event, push          span // delay of a webhook; one way of a request
	loss, double         float64
	refuse, doubt        float64
	tellsTime, tellsMore bool // answers carry the channel's time; the quantity after, or the actual one
	poll                 time.Duration
	lifetime             time.Duration
}

// span is a range of delays; one in twenty is ten times as long.
type span struct{ from, to time.Duration }

func (s span) draw(r *rand.Rand) time.Duration {
	d := s.from + time.Duration(r.Float64()*float64(s.to-s.from))
	if r.IntN(20) == 0 && s.to > s.from {
		d *= 10
	}
	return d
}

type listingSpec struct {
	channel int
	policy  allocation.Listing
	initial int // what the channel shows before anybody looks
}

// arrival is a customer: what they want, and what becomes of their order if they get it.
type arrival struct {
	at       time.Duration
	listing  int
	qty      int
	cancel   time.Duration // after the order; 0: never
	restocks bool          // the channel puts a cancelled unit back on sale
	ship     time.Duration // after the order
	back     time.Duration // returned so long after shipping; 0: never
}

// change is something that happens to the world rather than in it.
type change struct {
	at      time.Duration
	kind    Feature
	index   int           // item, channel or listing
	pool    int           // of the item
	units   int           // received, or counted less by, or shown after the edit
	lasting time.Duration // outage or time until restart
}

// Random makes the world of a seed without the features in off.
func Random(seed uint64, off Feature) Spec {
	r := rand.New(rand.NewPCG(seed, 0x5911_11a7))
	s := Spec{Seed: seed, Off: off, Observed: true}
	s.Horizon = time.Duration(2+r.IntN(14)) * time.Minute
	s.addItems(r)
	s.addChannels(r)
	s.addListings(r)
	s.addDemand(r)
	s.addChanges(r)
	s.addHolds(r)
	s.adopt(r)
	return s
}

func (s *Spec) on(f Feature) bool { return s.Off&f == 0 }

// maybe draws whatever the features are, so that switching one off leaves the rest of the world as it was.
func (s *Spec) maybe(r *rand.Rand, f Feature, p float64) bool { return r.Float64() < p && s.on(f) }

func (s *Spec) addItems(r *rand.Rand) {
	for i := range 1 + r.IntN(4) {
		it := itemSpec{id: string(rune('a' + i))}
		stock := int(math.Exp(r.Float64() * 6.5)) // 1 to 665, small stocks as likely as large ones
		second := r.IntN(stock + 1)
		it.stock = []int{stock}
		if s.maybe(r, Pools, 0.25) {
			it.stock = []int{stock - second, second}
		}
		percent, units := r.IntN(30), r.IntN(stock/4+1)
		if s.maybe(r, Buffers, 0.3) {
			it.bufferPercent = percent
		}
		if s.maybe(r, Buffers, 0.3) {
			it.bufferUnits = units
		}
		s.Items = append(s.Items, it)
	}
}

func (s *Spec) addChannels(r *rand.Rand) {
	kinds := []allocation.Kind{allocation.Absolute, allocation.CompareAndSet, allocation.Delta}
	for range 1 + r.IntN(6) {
		ms := func(most int) time.Duration { return time.Duration(1+r.IntN(most)) * time.Millisecond }
		c := channelSpec{kind: kinds[r.IntN(3)], event: span{ms(500), 0}, push: span{ms(300), 0}}
		c.event.to, c.push.to = c.event.from+ms(3000), c.push.from+ms(800)
		skew := time.Duration(r.IntN(20001)-10000) * time.Millisecond
		if s.maybe(r, Skew, 0.7) {
			c.skew = skew
		}
		chance := func(f Feature, most float64) float64 {
			p := r.Float64() * most
			if s.maybe(r, f, 0.5) {
				return p
			}
			return 0
		}
		c.loss, c.double = chance(Loss, 0.5), chance(Doubles, 0.5)
		c.refuse, c.doubt = chance(Refusals, 0.2), chance(Doubts, 0.2)
		c.tellsTime, c.tellsMore = r.IntN(4) > 0, r.IntN(3) > 0
		c.poll = time.Duration(5+r.IntN(120)) * time.Second
		c.lifetime = time.Duration(12+r.IntN(60)) * time.Second
		s.Channels = append(s.Channels, c)
	}
}

func (s *Spec) addListings(r *rand.Rand) {
	add := func(ch int, components ...allocation.Component) {
		l := allocation.Listing{
			ID: string(rune('0'+ch)) + ":" + components[0].Item, Connection: string(rune('0' + ch)),
			Kind: s.Channels[ch].kind, Components: components, Cycle: 6 * time.Second,
		}
		if len(components) > 1 {
			l.ID += "+"
		}
		least, most, fixed, quantile := r.IntN(10), r.IntN(100), r.IntN(50), 0.99+r.Float64()/101
		if s.maybe(r, Limits, 0.15) {
			l.Min = least
		}
		if s.maybe(r, Limits, 0.1) {
			m := l.Min + most
			l.Max = &m
		}
		if s.maybe(r, Limits, 0.06) {
			l.Fixed = &fixed
		}
		if r.Float64() < 0.5 && s.Off&Quantiles == 0 {
			l.Quantile = quantile
		}
		l.Weight = r.IntN(4)
		s.Listings = append(s.Listings, listingSpec{channel: ch, policy: l})
	}
	for ch := range s.Channels {
		for k, it := range s.Items {
			c := allocation.Component{Item: it.id, Quantity: 1}
			narrow := r.IntN(3)
			if len(it.stock) == 2 && narrow < 2 {
				c.Pools = []string{poolName(narrow)}
			}
			if r.Float64() < 0.85 || k == 0 {
				add(ch, c)
			}
		}
		a, b := r.IntN(len(s.Items)), r.IntN(len(s.Items))
		qa, qb := 1+r.IntN(3), 1+r.IntN(3)
		if s.maybe(r, Bundles, 0.4) && a != b {
			add(ch, allocation.Component{Item: s.Items[a].id, Quantity: qa}, allocation.Component{Item: s.Items[b].id, Quantity: qb})
		}
	}
}

func poolName(i int) string { return [...]string{"own", "3pl"}[i] }

// addDemand lets customers arrive: a rate for each listing, a spike on one of them.
func (s *Spec) addDemand(r *rand.Rand) {
	hot := r.IntN(len(s.Listings))
	spiked, factor := s.maybe(r, Spikes, 0.7), 10+r.Float64()*60
	from := time.Duration(r.Float64() * float64(s.Horizon))
	for l := range s.Listings {
		stock := 0
		for _, n := range s.Items[s.item(s.Listings[l].policy.Components[0].Item)].stock {
			stock += n
		}
		wanted := (0.1 + 1.4*r.Float64()) * float64(stock) / float64(len(s.Channels))
		rate := wanted / s.Horizon.Seconds()
		for t := 0.0; ; {
			now := rate
			if l == hot && spiked && t > from.Seconds() {
				now *= factor
			}
			t += r.ExpFloat64() / max(now, 1e-9)
			if t > s.Horizon.Seconds() || len(s.Arrivals) > 4000 {
				break
			}
			s.Arrivals = append(s.Arrivals, s.customer(r, l, time.Duration(t*float64(time.Second))))
		}
	}
	slices.SortStableFunc(s.Arrivals, func(a, b arrival) int { return int(a.at - b.at) })
}

func (s *Spec) item(id string) int {
	return slices.IndexFunc(s.Items, func(it itemSpec) bool { return it.id == id })
}

func (s *Spec) customer(r *rand.Rand, listing int, at time.Duration) arrival {
	a := arrival{at: at, listing: listing, qty: 1}
	if r.IntN(5) == 0 {
		a.qty = 2 + r.IntN(2)
	}
	soon := func(most time.Duration) time.Duration { return 1 + time.Duration(r.Float64()*float64(most)) }
	cancel, ship, back := soon(2*time.Minute), soon(20*time.Minute), soon(5*time.Minute)
	a.restocks = r.IntN(3) > 0
	if s.maybe(r, Cancels, 0.12) {
		a.cancel = cancel
	}
	a.ship = ship
	if s.maybe(r, Returns, 0.1) {
		a.back = back
	}
	return a
}

func (s *Spec) addChanges(r *rand.Rand) {
	when := func() time.Duration { return time.Duration(r.Float64() * float64(s.Horizon)) }
	add := func(f Feature, p float64, c change) {
		c.kind = f
		if s.maybe(r, f, p) {
			s.Changes = append(s.Changes, c)
		}
	}
	for range 3 {
		item := r.IntN(len(s.Items))
		pool := r.IntN(len(s.Items[item].stock))
		add(Receipts, 0.3, change{at: when(), index: item, pool: pool, units: 1 + r.IntN(200)})
		add(Counts, 0.3, change{at: when(), index: item, pool: pool, units: 1 + r.IntN(20)})
		add(Crashes, 0.4, change{at: when(), lasting: time.Duration(r.IntN(20000)) * time.Millisecond})
		add(Outages, 0.25, change{at: when(), index: r.IntN(len(s.Channels)), lasting: time.Duration(5+r.IntN(120)) * time.Second})
		add(Edits, 0.9, change{at: when(), index: r.IntN(len(s.Listings)), units: r.IntN(60)})
	}
	slices.SortStableFunc(s.Changes, func(a, b change) int { return int(a.at - b.at) })
}

func (s *Spec) addHolds(r *rand.Rand) {
	for i := range 2 {
		l := s.Listings[r.IntN(len(s.Listings))].policy
		from := time.Duration((r.Float64() - 0.1) * float64(s.Horizon))
		lasting := time.Duration((0.05 + 0.5*r.Float64()) * float64(s.Horizon))
		stock := s.Items[s.item(l.Components[0].Item)].stock
		quantity := 1 + r.IntN(stock[0]/2+1)
		if s.maybe(r, Holds, 0.4) {
			s.Holds = append(s.Holds, allocation.Hold{
				ID: string(rune('A' + i)), Item: l.Components[0].Item, Listing: l.ID, Quantity: quantity,
				From: epoch.Add(from), Until: epoch.Add(from + lasting),
			})
		}
	}
}

// adopt lets every channel show a copy of the stock from the start, as merchants do before they have a tool.
func (s *Spec) adopt(r *rand.Rand) {
	if !s.maybe(r, Adoption, 0.8) {
		return
	}
	for i := range s.Listings {
		n := allocation.MaxUnits
		for _, c := range s.Listings[i].policy.Components {
			stock := 0
			for _, units := range s.Items[s.item(c.Item)].stock {
				stock += units
			}
			n = min(n, stock/c.Quantity)
		}
		s.Listings[i].initial = n
	}
}

// adopted reports whether anything was for sale before the rules came: what that oversells is not theirs to prevent.
func (s *Spec) adopted() bool {
	return slices.ContainsFunc(s.Listings, func(l listingSpec) bool { return l.initial > 0 })
}
