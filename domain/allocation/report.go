package allocation

import (
	"math"
	"time"
)

// Report is the state of an allocation for people: what every channel was told, what it could still sell, and why.
type Report struct {
	Listings []ListingLine
	Items    []ItemLine
}

// ListingLine is one listing of a report. All quantities are units of the listing.
type ListingLine struct {
	Listing    string
	Connection string
	Mode       Mode
	Target     int
	Told       int    // the last number the channel confirmed
	Remaining  int    // what it is believed to show now
	Exposure   int    // the most it could still sell that we do not know of
	Uncertain  int    // how far Exposure may be above the truth; -1: unknown
	InFlight   int    // what requests under way or in doubt add to Exposure
	Status     string // "settled", "push on its way", "push in doubt", "waiting for its sales", "to be read", "not read yet"
	PerDay     float64
	Since      time.Time
	Why        Why // the exposure
	TargetWhy  Why // the target
}

// ItemLine is one item of a report. All quantities are units of the item.
type ItemLine struct {
	Item       string
	Mode       Mode
	Promisable int // A: on hand − reserved − damaged, in pools no platform keeps
	Buffer     int
	Held       int // kept exclusive by holds active now
	Exposed    int // the sum of exposures
	Free       int // A − buffer − exposed; below 0 more is promised than the policy allows
	Oversell   Risk
}

// Risk is the expected oversell of an item, in units, where the rules leave one.
type Risk struct {
	Now       float64 // expected units oversold before the channels can be told, at today's stock and demand
	AtSellOut float64 // expected units oversold around the moment the last unit goes
	Units     int     // units promised beyond the stock by the rules in force
	Accepted  float64 // expected units oversold by sets under way for which an operator accepted a quantile
}

// NewReport describes the allocation at the given time.
func NewReport(in Input, books Books, targets []Target, at time.Time) Report {
	p := compile(in, books, at)
	var out Report
	e := make([]int, len(in.Listings))
	p.target = make([]int, len(in.Listings))
	for i, l := range in.Listings {
		b, ok := books[l.ID]
		e[i] = max(0, b.Exposure)
		line := ListingLine{
			Listing: l.ID, Connection: l.Connection, Mode: in.ModeOf(l), Told: b.Told, Remaining: b.Remaining,
			Exposure: e[i], Uncertain: b.Uncertain(), InFlight: b.pending(), Status: b.status(ok),
			PerDay: p.rate[i] * 86400, Since: b.Since, Why: b.why(),
		}
		if i < len(targets) {
			line.Target, p.target[i] = targets[i].Units, targets[i].Units
		}
		line.TargetWhy = p.whyTarget(i)
		out.Listings = append(out.Listings, line)
	}
	for i := range in.Items {
		out.Items = append(out.Items, p.itemLine(&in.Items[i], e))
	}
	return out
}

func (p *problem) itemLine(it *Item, e []int) ItemLine {
	total := it.promisable(nil)
	line := ItemLine{Item: it.ID, Mode: Guarded, Promisable: total, Buffer: it.buffer(total)}
	if it.Mode == Shared {
		line.Mode = Shared
	}
	rate, squares, cycle := 0.0, 0.0, time.Duration(0)
	for i, l := range p.in.Listings {
		for _, c := range l.Components {
			if c.Item != it.ID || l.Platform {
				continue
			}
			line.Exposed += c.Quantity * e[i]
			line.Held += p.holdFor(i, it.ID)
			r := p.rate[i] * float64(c.Quantity)
			rate += r
			squares += r * r
			cycle = max(cycle, l.cycle())
			line.Oversell.Accepted += float64(c.Quantity) * p.accepted(i)
		}
	}
	line.Free = total - line.Buffer - line.Exposed
	line.Oversell.Units = max(0, line.Exposed-max(0, total))
	if line.Oversell.Units > 0 && rate > 0 {
		most := float64(line.Oversell.Units)
		line.Oversell.Now = min(poissonExcess(rate*cycle.Seconds(), max(0, total)), most)
		// A listing sells the last unit in proportion to its rate; the others go on until they are told.
		line.Oversell.AtSellOut = min((rate-squares/rate)*cycle.Seconds(), most)
	}
	return line
}

// accepted is the expected number of unseen sales of listing i beyond the quantile an operator accepted, while a set
// that counts on it is under way or waits for its barrier.
func (p *problem) accepted(i int) float64 {
	b := p.book[i]
	counting := b.InFlight != nil && b.InFlight.Relaxed || b.Anchor != nil && b.Anchor.Relaxed
	unseen := p.unseen(i)
	if !counting || unseen == nil {
		return 0
	}
	return poissonExcess(p.unseenMean(i), *unseen)
}

// poissonExcess is E[max(0, X − stock)] for a Poisson X of the given mean.
func poissonExcess(mean float64, stock int) float64 {
	if mean <= 0 {
		return 0
	}
	if mean > 500 || stock > 5000 {
		sd := math.Sqrt(mean)
		z := (mean - float64(stock)) / sd
		density := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
		return max(0, sd*(density+z*0.5*math.Erfc(-z/math.Sqrt2)))
	}
	// E[(X−s)+] = mean − s + Σ_{k<s} (s−k) P(k)
	probability, sum := math.Exp(-mean), 0.0
	for k := range stock {
		sum += float64(stock-k) * probability
		probability *= mean / float64(k+1)
	}
	return max(0, mean-float64(stock)+sum)
}

// status says in a few words what the listing is waiting for.
func (b Book) status(known bool) string {
	switch {
	case !known:
		return "not read yet"
	case b.InFlight != nil:
		return "push on its way"
	case len(b.Ghosts) > 0:
		return "push in doubt"
	case b.Anchor != nil && (b.Anchor.Read || !b.Kind.exact()):
		return "waiting for its sales"
	case b.Demand != nil || b.Reading != nil:
		return "to be read"
	}
	return "settled"
}

// why explains the exposure: the number shown and what is added to it.
func (b Book) why() Why {
	numbers := []Number{units("exposure", max(0, b.Exposure)), units("believed shown", b.Remaining)}
	if f := b.InFlight; f != nil {
		numbers = append(numbers, units("before the push", f.Before), units("push on its way", f.Adds))
	}
	for _, g := range b.Ghosts {
		numbers = append(numbers, units("push in doubt", g.Adds))
	}
	if a := b.Anchor; a != nil {
		numbers = append(numbers, units("number confirmed", a.Quantity), units("sold since", a.Sold), units("surely after it", a.SoldAfter))
	}
	if n := b.Uncertain(); n > 0 {
		numbers = append(numbers, units("uncertain", n))
	}
	return why("exposure", numbers...)
}

// whyTarget explains a target by the numbers it was made of.
func (p *problem) whyTarget(i int) Why {
	l := p.in.Listings[i]
	numbers := []Number{units("target", p.target[i]), units("ceiling", p.ceiling(i))}
	for _, ru := range p.uses[i] {
		r := &p.rows[ru.row]
		numbers = append(numbers, units("promisable", r.total), units("buffer", r.buffer))
	}
	numbers = append(numbers, perDay("demand", p.rate[i]))
	if l.Min > 0 {
		numbers = append(numbers, units("minimum", l.Min))
	}
	if p.held[i] > 0 {
		return why("held", append(numbers, units("hold", p.held[i]))...)
	}
	switch p.in.ModeOf(l) {
	case Fixed:
		return why("fixed", numbers...)
	case Shared:
		return why("shared", numbers...)
	}
	return why("share of stock by demand", numbers...)
}
