package world

import (
	"sync"
	"time"
)

// player walks a sequence of arrivals along a clock. Its lock is held while a line is placed, so that stop returns
// only when no more lines can come.
type player struct {
	clock    Clock
	start    time.Time
	speed    float64
	place    func(Arrival)
	next     func() (Arrival, bool)
	stopIter func()
	stopped  chan struct{}
	once     sync.Once

	mu     sync.Mutex
	held   *Arrival // read from the sequence, not yet due
	cancel func()
	ended  bool
	done   chan struct{}
}

// run places everything that is due and arranges to be called for the next line.
func (p *player) run() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.ended {
		select {
		case <-p.stopped:
			p.end()
			return
		default:
		}
		if p.held == nil {
			a, ok := p.next()
			if !ok {
				p.end()
				return
			}
			p.held = &a
		}
		due := p.start.Add(time.Duration(float64(p.held.Offset) / p.speed))
		if due.After(p.clock.Now()) {
			p.cancel = p.clock.At(due, p.run)
			return
		}
		a := *p.held
		p.held = nil
		p.place(a)
	}
}

// end closes the sequence. The caller holds the lock.
func (p *player) end() {
	if !p.ended {
		p.ended = true
		p.stopIter()
		close(p.done)
	}
}

func (p *player) stop() {
	p.once.Do(func() { close(p.stopped) })
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cancel != nil {
		p.cancel()
	}
	p.end()
}
