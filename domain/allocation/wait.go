package allocation

import (
	"slices"
	"time"
)

// wait fills in the readings and barriers wanted and the time to look again.
func (p *planner) wait() {
	for i, l := range p.in.Listings {
		b, ok := p.books[l.ID]
		if !ok || l.Platform {
			continue
		}
		if a := b.Anchor; a != nil {
			p.out.Barriers = append(p.out.Barriers, BarrierOrder{Listing: l.ID, Connection: l.Connection, After: a.AckedAt})
		}
		if d := b.Demand; d != nil && b.InFlight == nil && b.Reading == nil && !p.planned[i] {
			if p.at.Before(d.NotBefore) {
				p.wake(d.NotBefore)
			} else if b.Anchor == nil || !b.Anchor.Read {
				p.out.Reads = append(p.out.Reads, ReadOrder{Listing: l.ID, Connection: l.Connection, Reason: d.Reason})
			}
		}
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

// clearDoubts orders readings of listings whose uncertain units somebody needs, once they have been quiet for a while.
func (p *planner) clearDoubts() {
	for _, i := range p.doubt {
		l := p.in.Listings[i]
		b := p.books[l.ID]
		if b.Uncertain() <= 0 || b.InFlight != nil || b.Anchor != nil || b.Reading != nil || b.Demand != nil || p.planned[i] {
			continue
		}
		if calm := b.Rate.At.Add(quiet); p.at.Before(calm) {
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
