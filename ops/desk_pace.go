package ops

import (
	"sync"
	"time"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/order"
)

const (
	// paceStep and paceSteps make the last minute, to a sixth.
	paceStep  = 10 * time.Second
	paceSteps = 6
	// paceKeys bounds the listings whose sales are counted; beyond it those without a sale in the last minute go.
	paceKeys = 20_000
)

// pace counts the units each listing sold in the last minute, by when we learned of them.
type pace struct {
	mu    sync.Mutex
	byKey map[string]*paceRing
}

type stepCount struct{ step, units int64 }

// paceRing is one listing's last minute.
type paceRing [paceSteps]stepCount

// sale counts the lines of an order that has just become known.
func (p *pace) sale(o *order.Order, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	step := at.UnixNano() / int64(paceStep)
	for _, l := range o.Lines {
		key := catalog.ListingID(o.ConnectionID, l.ExternalSKU)
		ring := p.byKey[key]
		if ring == nil {
			p.makeRoom(step)
			ring = &paceRing{}
			p.byKey[key] = ring
		}
		c := &ring[step%paceSteps]
		if c.step != step {
			*c = stepCount{step: step}
		}
		c.units += l.Qty
	}
}

func (p *pace) makeRoom(step int64) {
	if p.byKey == nil {
		p.byKey = map[string]*paceRing{}
	}
	if len(p.byKey) < paceKeys {
		return
	}
	for key, ring := range p.byKey {
		if ring.sum(step) == 0 {
			delete(p.byKey, key)
		}
	}
	if len(p.byKey) >= paceKeys { // all of them sell: begin anew rather than grow
		clear(p.byKey)
	}
}

func (r *paceRing) sum(step int64) int64 {
	var n int64
	for _, c := range r {
		if step-c.step < paceSteps {
			n += c.units
		}
	}
	return n
}

// lastMinute is the units sold in the last minute by listing; listings without any are left out.
func (p *pace) lastMinute(at time.Time) map[string]int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	step := at.UnixNano() / int64(paceStep)
	out := map[string]int64{}
	for key, ring := range p.byKey {
		if n := ring.sum(step); n > 0 {
			out[key] = n
		}
	}
	return out
}
