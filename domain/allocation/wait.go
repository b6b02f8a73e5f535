package allocation

import (
	"slices"
	"time"
)

// wait fills in the readings and barriers wanted and the time to look again.
func (p *planner) wait() {
	for i, l := range p.in.Listings {
		b, ok := p.book[i], p.read[i]
		if !ok || l.Platform {
			continue
		}
		if a := b.Anchor; a != nil && p.presses(i) {
			p.out.Barriers = append(p.out.Barriers, BarrierOrder{Listing: l.ID, Connection: l.Connection, After: a.AckedAt})
		}
		p.order(i)
		if p.at.Before(b.RetryAt) {
			p.wake(b.RetryAt)
		}
	}
	p.clearDoubts()
	for _, h := range p.in.Holds {
		if p.at.Before(h.From) {
			p.wake(h.From)
		} else if p.at.Before(h.Until) {
			p.wake(h.Until)
		}
	}
}

// presses reports whether the number listing i waits to have confirmed is needed before the connection's regular poll:
// an absolute set counts twice and holds up the next one until then, and a reading was asked for with a reason. What a
// compare-and-set or a delta did is known without a barrier, and a shared listing is pushed whatever its bound.
func (p *planner) presses(i int) bool {
	b := p.book[i]
	if b.Anchor.Read || b.Demand != nil || len(b.Ghosts) > 0 || slices.Contains(p.doubt, i) {
		return true
	}
	return b.Kind == Absolute && p.in.ModeOf(p.in.Listings[i]) != Shared
}

// order orders the reading a book asks for, or notes when it may: after a demand, or when a push of unknown fate can no
// longer be applied and no number taken since is waiting for its barrier.
func (p *planner) order(i int) {
	l, b := &p.in.Listings[i], p.book[i]
	ask := func(reason string, notBefore time.Time) {
		switch {
		case p.at.Before(notBefore):
			p.wake(notBefore)
		case b.InFlight == nil && b.Reading == nil && !p.planned[i] && !l.Paused:
			p.out.Reads = append(p.out.Reads, ReadOrder{Listing: l.ID, Connection: l.Connection, Reason: reason})
		}
	}
	dead := b.dead()
	switch {
	case b.Demand != nil && (b.Anchor == nil || !b.Anchor.Read || b.Demand.Since.After(b.Anchor.From)):
		ask(b.Demand.Reason, b.Demand.NotBefore)
	case !dead.IsZero() && (b.Anchor == nil || b.Anchor.From.Before(dead)):
		ask(ReadUnknownPush, dead)
	}
}

// clearDoubts orders readings of listings whose uncertain units somebody needs: at once if they are more than a reading
// leaves uncertain while the listing sells, else when it has been quiet for a while.
func (p *planner) clearDoubts() {
	for _, i := range p.doubt {
		l := p.in.Listings[i]
		b := p.book[i]
		if b.Uncertain() <= 0 || b.InFlight != nil || b.Anchor != nil || b.Reading != nil || b.Demand != nil || p.planned[i] {
			continue
		}
		noise := 2 + 3*p.rate[i] // a reading takes about a second; units
		if calm := b.Rate.At.Add(quiet); p.at.Before(calm) && float64(b.Uncertain()) <= noise {
			p.wake(calm)
			continue
		}
		order := ReadOrder{Listing: l.ID, Connection: l.Connection, Reason: ReadUncertain}
		if !slices.Contains(p.out.Reads, order) {
			p.out.Reads = append(p.out.Reads, order)
		}
	}
}

func (p *planner) wake(at time.Time) {
	if p.out.NextWakeAt.IsZero() || at.Before(p.out.NextWakeAt) {
		p.out.NextWakeAt = at
	}
}
