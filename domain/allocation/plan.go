package allocation

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Plan is what to do now. Every push in it is safe whatever the order and outcome of the others; givers stand first
// because takers will need what they free.
type Plan struct {
	Pushes     []Push         // ids empty: the caller makes one before PushSent
	Reads      []ReadOrder    // listings whose number must be read at the channel
	Barriers   []BarrierOrder // connections whose orders should be polled soon
	Desired    map[string]int // by listing: the number wanted there until something changes
	NextWakeAt time.Time      // plan again then even if nothing happens; zero: no need
}

// Empty reports whether there is nothing to do or to wait for.
func (p Plan) Empty() bool { return len(p.Pushes) == 0 && len(p.Reads) == 0 && len(p.Barriers) == 0 }

// ReadOrder asks for a reading of one listing's number.
type ReadOrder struct {
	Listing    string
	Connection string
	Reason     string
}

// BarrierOrder asks for an order poll of a connection that begins after the given time.
type BarrierOrder struct {
	Listing    string
	Connection string
	After      time.Time
}

// quiet is how long a listing must not have sold before a reading can tell more than its noise.
const quiet = 2 * time.Second

// planner is one run of Plan. The slices are by listing.
type planner struct {
	*problem
	e       []int  // exposure, with the pushes planned so far
	settled []int  // exposure once everything under way and planned has settled
	free    []bool // may be pushed in the ordinary way
	force   []bool // may be pushed to cut promises
	planned []bool // pushed in this run
	need    []int  // units that cover the demand until a refill can arrive
	out     Plan
	doubt   []int // listings whose uncertain units are wanted elsewhere
}

// Decide computes the targets and the plan for one moment. It raises only into free stock, refills a listing when it
// runs low and not at each sale, takes units from a slow listing only when a faster one needs them, and cuts at once
// when more is promised than is there. The input must be valid, see Input.Validate.
func Decide(in Input, books Books, at time.Time) ([]Target, Plan) {
	p := &planner{problem: compile(in, books, at)}
	p.solve()
	return p.targets(), p.plan()
}

// NewPlan is the plan for targets from somewhere else, such as an operator trying out others.
func NewPlan(in Input, books Books, targets []Target, at time.Time) Plan {
	p := &planner{problem: compile(in, books, at)}
	p.target = make([]int, len(in.Listings))
	for i := range targets {
		p.target[i] = targets[i].Units
	}
	return p.plan()
}

func (p *planner) plan() Plan {
	p.survey()
	p.share()
	p.cut()
	p.repair()
	p.refill()
	p.wait()
	slices.SortStableFunc(p.out.Pushes, func(a, b Push) int { return cmp.Compare(rank(a), rank(b)) })
	p.out.Desired = make(map[string]int, len(p.in.Listings))
	for i, l := range p.in.Listings {
		p.out.Desired[l.ID] = max(0, p.settled[i])
	}
	return p.out
}

// rank orders pushes: givers, urgent takers, the rest.
func rank(p Push) int {
	switch {
	case p.Lowers:
		return 0
	case p.Urgent:
		return 1
	}
	return 2
}

// survey reads the books.
func (p *planner) survey() {
	n := len(p.in.Listings)
	p.e, p.settled, p.need = make([]int, n), make([]int, n), make([]int, n)
	p.free, p.force, p.planned = make([]bool, n), make([]bool, n), make([]bool, n)
	for i, l := range p.in.Listings {
		b, ok := p.book[i], p.read[i]
		p.e[i] = b.Exposure
		p.settled[i] = b.settling()
		p.force[i] = ok && b.InFlight == nil && !l.Paused && !l.Platform && !p.at.Before(b.RetryAt)
		switch believed := b.Demand == nil; p.writes(i) {
		case Absolute:
			p.free[i] = p.force[i] && b.Anchor == nil // it waits for its barrier
		case CompareAndSet:
			p.force[i] = p.force[i] && believed // else it would name a number we do not believe in ourselves
			p.free[i] = p.force[i]
		case Delta:
			// It assumes a number, and waits until that has been read if there is a reason to doubt it. That answers of the
			// channel never tell one is none.
			p.free[i] = p.force[i] && (believed || b.Demand.Reason == ReadNoQuantity)
		}
		mean := p.rate[i] * 2 * l.cycle().Seconds()
		p.need[i] = 1 + int(math.Ceil(min(MaxUnits, mean+2*math.Sqrt(mean))))
		if p.held[i] > 0 {
			p.need[i] = max(p.need[i], min(p.held[i], p.target[i])/2)
		}
	}
}

// settling is the bound that will hold once the push under way and the barrier are through.
func (b Book) settling() int {
	if f := b.InFlight; f != nil {
		switch f.Push.Kind {
		case Absolute:
			return min(b.Exposure, f.Push.Quantity+b.ghosts())
		case CompareAndSet:
			return b.Exposure - f.Adds + f.Push.sellable()
		}
		return b.Exposure - f.Adds + f.Push.Delta
	}
	if a := b.Anchor; a != nil {
		return min(b.Exposure, max(0, a.Quantity)-a.SoldAfter+a.Restocked+b.ghosts())
	}
	return b.Exposure
}

// share tells shared listings the whole stock; safety is not claimed for them.
func (p *planner) share() {
	for i, l := range p.in.Listings {
		if p.in.ModeOf(l) != Shared || !p.force[i] {
			continue
		}
		b := p.book[i]
		if b.Remaining == p.target[i] || b.Reading != nil && p.at.Before(b.Reading.StartedAt.Add(readingTime)) {
			continue
		}
		p.emit(i, Push{
			Listing: l.ID, Kind: p.writes(i), Quantity: p.target[i], From: b.Remaining, Delta: p.target[i] - b.Remaining,
			Unseen: p.unseen(i), Lowers: p.target[i] < b.Remaining,
			Why: why("shared stock changed", units("shown", b.Remaining), units("target", p.target[i])),
		})
	}
}

// readingTime is how long a push of a shared listing waits for a reading under way, which it would make worthless.
const readingTime = time.Second

// hot is how many sales may be expected to cross a compare-and-set on its way before a delta is the better write. With
// more, it would find another number than it names nearly every time and a viral listing could not be refilled at all.
const hot = 0.25

// crossing is the time in which a sale can happen that a push does not know of: until the sale is heard of, and while
// the push travels.
const crossing = time.Second / 2

// writes is how listing i is written to. A channel that compares also adds: what is added does not depend on the number
// showing, so no sale can cross it. What is known to show nothing does not sell, however hot it was: there it is compared,
// since what is added to a number below 0 is swallowed by it, and nobody is told.
func (p *problem) writes(i int) Kind {
	l, b := &p.in.Listings[i], p.book[i]
	dry := b.Demand == nil && b.Remaining <= 0
	if l.Kind == CompareAndSet && !dry && b.Rate.high(p.at)*crossing.Seconds() > hot {
		return Delta
	}
	return l.Kind
}

// emit plans a push of listing i.
func (p *planner) emit(i int, push Push) {
	p.out.Pushes = append(p.out.Pushes, push)
	b := p.book[i]
	adds := push.adds(p.e[i])
	p.e[i] += adds
	p.settled[i] = p.e[i] - adds + push.Delta
	if push.Kind == Absolute {
		p.settled[i] = min(p.e[i], push.Quantity+b.ghosts())
	}
	p.free[i], p.force[i], p.planned[i] = false, false, true
}

// cut lowers listings where more is promised than is there, where a hold is trespassed, or where a limit fell.
func (p *planner) cut() {
	for i, l := range p.in.Listings {
		guarded := p.in.ModeOf(l) != Shared
		most := p.ceiling(i)
		if guarded && p.force[i] && p.settled[i] > max(most, p.book[i].ghosts()) && !p.withinTolerance(i, most) {
			p.lower(i, min(most, p.target[i]), why("above its limit", units("exposure", p.e[i]), units("limit", most)))
		}
	}
	for r := range p.rows {
		row := &p.rows[r]
		for !row.shared {
			over := row.promised(p.settled) - row.limit - row.slop()
			g := p.mostAbove(row)
			if over <= 0 || g < 0 {
				break
			}
			p.lower(g, p.target[g], why("more promised than free",
				units("promised", row.promised(p.settled)), units("free", row.limit), units("exposure", p.e[g])))
		}
	}
}

// slop is how far a percentage buffer may be short before units are taken back for it: cancellations that go back
// on sale raise the stock and so the buffer, and a unit or two are not worth a listing's outage.
func (r *row) slop() int { return min(r.part, r.part/8+2) }

// withinTolerance reports whether a listing is above its ceiling only by what slop allows.
func (p *planner) withinTolerance(i, most int) bool {
	l := p.in.Listings[i]
	if l.Max != nil && *l.Max == most || l.OrderCap != nil && *l.OrderCap == most || l.Fixed != nil && *l.Fixed == most {
		return false
	}
	for _, ru := range p.uses[i] {
		r := &p.rows[ru.row]
		if u := r.uses[ru.use]; u.per*p.settled[i] > r.limit+r.slop() {
			return false
		}
	}
	return true
}

// mostAbove is the listing of a row, not yet dealt with, that is furthest above its target and not protected by a hold.
func (p *planner) mostAbove(r *row) int {
	best, far := -1, -1
	for _, u := range r.uses {
		i := u.listing
		if !p.force[i] || p.settled[i] <= 0 || u.per*p.settled[i] <= u.hold || p.spare(i) <= 0 {
			continue
		}
		if above := u.per * p.spare(i); above > far {
			best, far = i, above
		}
	}
	return best
}

// spare is what lowering listing i to its target would free: what is in doubt stays.
func (p *planner) spare(i int) int {
	return p.settled[i] - max(p.target[i], p.book[i].ghosts())
}

// lower takes listing i down to keep units, or to 0 where a set to keep would not be safe.
func (p *planner) lower(i, keep int, because Why) {
	l, b := &p.in.Listings[i], p.book[i]
	keep = max(0, keep-b.ghosts()) // what is in doubt may come on top
	push := Push{Listing: l.ID, Kind: p.writes(i), Why: because, Lowers: true, Urgent: true}
	if l.Kind == Absolute {
		push.Quantity, push.Unseen = keep, p.unseen(i)
		if keep > 0 && push.adds(p.e[i]) > p.mendRoom(i, p.e) {
			push.Quantity, push.Unseen = 0, nil
		}
		p.emit(i, push)
		return
	}
	// Never below what the channel is believed to show: what it sold unseen comes off by itself.
	take := min(p.e[i]-b.ghosts()-keep, max(0, b.Remaining))
	if take <= 0 {
		p.force[i], p.free[i] = false, false
		p.doubt = append(p.doubt, i)
		return
	}
	push.From, push.Quantity, push.Delta = b.Remaining, b.Remaining-take, -take
	p.emit(i, push)
}

// sharedQuantile is what a shared listing's exposure allows for: safety is not claimed for it, its risk is a number.
const sharedQuantile = 0.999

// unseen is the accepted number of sales unknown to us while a set of listing i travels; nil for the worst case.
func (p *problem) unseen(i int) *int {
	l := &p.in.Listings[i]
	q := l.Quantile
	if p.in.ModeOf(*l) == Shared {
		q = sharedQuantile
	}
	if q == 0 || l.Kind != Absolute {
		return nil
	}
	n := poissonQuantile(p.unseenMean(i), q)
	return &n
}

// unseenMean is an upper estimate of the sales of listing i in one round trip.
func (p *problem) unseenMean(i int) float64 {
	return p.book[i].Rate.high(p.at) * p.in.Listings[i].cycle().Seconds()
}

// repair puts listings that drifted, and fixed ones, back to their number without waiting for a reason. A fixed listing
// that cannot have its whole number is no such case: its part follows demand, and is refilled like any other's.
func (p *planner) repair() {
	for i, l := range p.in.Listings {
		b := p.book[i]
		pinned := l.Fixed != nil && (p.target[i] == *l.Fixed || p.settled[i] > *l.Fixed)
		if !p.free[i] || !b.Repair && !pinned || p.settled[i] == p.target[i] {
			continue
		}
		because := why("back to its number", units("exposure", p.e[i]), units("target", p.target[i]))
		if p.settled[i] < p.target[i] {
			p.raise(i, because, false)
		} else if p.spare(i) > 0 {
			p.lower(i, p.target[i], because)
		}
	}
}

// raise brings listing i as near to its target as free stock allows; with thrifty, only if the gain is worth a push.
func (p *planner) raise(i int, because Why, thrifty bool) {
	l, b := &p.in.Listings[i], p.book[i]
	has := max(0, p.e[i]-b.ghosts())
	room := p.room(i, p.e)
	push := Push{Listing: l.ID, Kind: p.writes(i), Why: because, Urgent: p.e[i] < p.need[i]}
	gain := p.target[i] - has
	if l.Kind == Absolute {
		n := min(p.target[i], room)
		if push.Unseen = p.unseen(i); push.Unseen != nil {
			n = min(p.target[i], max(n, room+p.e[i]-min(p.e[i], *push.Unseen)))
		}
		push.Quantity = n
		gain = n - has
	} else {
		gain = min(gain, room)
		push.From, push.Quantity, push.Delta = b.Remaining, b.Remaining+gain, gain
		if push.Kind == CompareAndSet {
			push.Quantity = max(0, b.Remaining) + gain // also out of a number below 0
		}
	}
	least := 1
	if thrifty && gain < p.target[i]-has {
		least = max(1, (has+gain)/worthwhile)
	}
	if gain >= least {
		p.emit(i, push)
	}
}

// worthwhile: a partial refill should add at least a quarter of the number it sets, or pushes are spent on crumbs.
const worthwhile = 4
