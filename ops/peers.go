package ops

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// What processes tell each other: where to look, never what is there. All but the bare ones are followed by a name.
const (
	noticeLive       = "live"       // a topic of live pages
	noticeItem       = "item"       // units or books of an item have changed
	noticeInbox      = "inbox"      // a message for a connection was stored
	noticeReopen     = "reopen"     // a connection was connected anew
	noticeApp        = "app"        // an app was changed
	noticeCatalogue  = "catalogue"  // items, listings or locations have changed
	noticeLeases     = "leases"     // a lease was given back, or a connection's state has changed
	noticeHello      = "hello"      // somebody has come, or wants to hear whether he can be heard
	noticeEverything = "everything" // look at everything again
	noticeMissed     = "missed"     // messages of channels may have been lost: ask them for what changed
)

const (
	// noticeApart lets the notices of a moment share one statement.
	noticeApart = 10 * time.Millisecond
	// noticeBytes is how long one payload gets; PostgreSQL takes less than 8,000.
	noticeBytes = 7500
	// noticeBound is how many different notices of a kind may wait. Above it the kind is told as a whole.
	noticeBound = 2000
	// noticeAgain is how long after a failure telling or listening is tried again.
	noticeAgain = 500 * time.Millisecond
	// deafLook is how often a process looks at everything that hears nobody, not even itself.
	deafLook = 2 * time.Second
)

// peers tells other processes what changed here and hears what changed there. Losing a notice costs nothing: inbox and leases are looked at
// every second or so in any case, and everything is looked at again when a connection to hear on was made anew, when a process has gone, who may
// have died before it told, and all the time where nothing can be heard. A nil peers is that of the only process.
type peers struct {
	x      *Ops
	me     string
	others atomic.Int64 // other processes alive

	mu      sync.Mutex
	pending map[string]map[string]struct{} // by kind
	heardMe time.Time
	asked   map[string]bool // what is to be looked at here
	wake    chan struct{}
	look    chan struct{}
}

func newPeers(x *Ops, me string) *peers {
	return &peers{x: x, me: me, pending: map[string]map[string]struct{}{}, asked: map[string]bool{}, wake: make(chan struct{}, 1), look: make(chan struct{}, 1), heardMe: x.now()}
}

// known says how many other processes there are: where there are none, nothing is told.
func (p *peers) known(others int) {
	p.others.Store(int64(others))
	if others > 0 {
		p.tell(noticeHello)
	}
}

// tell queues notices for the other processes.
func (p *peers) tell(notices ...string) {
	if p == nil || len(notices) == 0 || (p.others.Load() == 0 && notices[0] != noticeHello) {
		return
	}
	p.mu.Lock()
	for _, n := range notices {
		kind, name, _ := strings.Cut(n, " ")
		p.add(kind, name)
	}
	p.mu.Unlock()
	poke(p.wake)
}

// tellOf is tell for many names of a kind.
func (p *peers) tellOf(kind string, names []string) {
	if p == nil || len(names) == 0 || p.others.Load() == 0 {
		return
	}
	p.mu.Lock()
	for _, name := range names {
		p.add(kind, name)
	}
	p.mu.Unlock()
	poke(p.wake)
}

func (p *peers) add(kind, name string) {
	set := p.pending[kind]
	if set == nil {
		set = map[string]struct{}{}
		p.pending[kind] = set
	}
	if _, all := set[everything]; all {
		return
	}
	if len(set) >= noticeBound || strings.Contains(name, "\n") || len(name) > noticeBytes/2 {
		clear(set)
		name = everything
	}
	set[name] = struct{}{}
}

// speak tells what waits, until the process stops.
func (p *peers) speak() {
	for {
		select {
		case <-p.wake:
		case <-p.x.ctx.Done():
			return
		}
		if !p.pause(noticeApart) {
			return
		}
		ctx, cancel := context.WithTimeout(p.x.ctx, leaseCall)
		ok := p.flush(ctx)
		cancel()
		if !ok && !p.pause(noticeAgain) {
			return
		}
	}
}

func (p *peers) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-p.x.ctx.Done():
		return false
	}
}

// flush tells what waits now. What could not be told waits on.
func (p *peers) flush(ctx context.Context) bool {
	p.mu.Lock()
	taken := p.pending
	p.pending = map[string]map[string]struct{}{}
	p.mu.Unlock()
	payloads := p.payloads(taken)
	if len(payloads) == 0 {
		return true
	}
	if err := p.x.st.Notify(ctx, payloads); err != nil {
		p.mu.Lock()
		for kind, set := range taken {
			for name := range set {
				p.add(kind, name)
			}
		}
		p.mu.Unlock()
		poke(p.wake)
		return false
	}
	return true
}

// payloads packs notices, a line each under the teller's id.
func (p *peers) payloads(taken map[string]map[string]struct{}) []string {
	var out []string
	var b strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(taken)) {
		for name := range taken[kind] {
			if b.Len() > 0 && b.Len()+len(kind)+len(name)+2 > noticeBytes {
				out = append(out, b.String())
				b.Reset()
			}
			if b.Len() == 0 {
				b.WriteString(p.me)
			}
			b.WriteString("\n" + kind + " " + name)
		}
	}
	if b.Len() > 0 {
		out = append(out, b.String())
	}
	return out
}

// listen hears what others tell, until the process stops. Whenever it has begun to hear, everything is looked at: what was told before is
// lost.
func (p *peers) listen() {
	for p.x.ctx.Err() == nil {
		err := p.x.st.Listen(p.x.ctx, func() {
			p.mu.Lock()
			p.heardMe = p.x.now()
			p.mu.Unlock()
			p.ask(noticeEverything)
			p.ask(noticeMissed) // while the database was not there they were refused
			p.tell(noticeHello)
		}, p.hear)
		if err != nil && p.x.ctx.Err() == nil {
			p.x.log.Warn("other processes cannot be heard at the moment", "err", err)
		}
		if !p.pause(noticeAgain) {
			return
		}
	}
}

// hear sorts what was told into what is to be looked at.
func (p *peers) hear(payload string) {
	from, rest, _ := strings.Cut(payload, "\n")
	if from == p.me {
		p.mu.Lock()
		p.heardMe = p.x.now()
		p.mu.Unlock()
		return
	}
	var topics, items []string
	for line := range strings.SplitSeq(rest, "\n") {
		kind, name, _ := strings.Cut(line, " ")
		switch {
		case kind == noticeLive:
			topics = append(topics, name)
		case kind == noticeItem && name != everything:
			items = append(items, name)
		case kind == noticeItem:
			p.x.planner.dirtyAll(p.x.catalog.Load())
		case kind == noticeInbox:
			if name == everything || p.x.wires.get(name) != nil {
				p.x.inboxTold(false)
			}
		case kind == noticeLeases || kind == noticeHello:
			if kind == noticeLeases || p.others.Load() == 0 {
				poke(p.x.keeper.wake)
			}
		default: // what a newer program tells is not known here and asks for nothing
			p.ask(line)
		}
	}
	p.x.planner.mark(items)
	p.x.live.tell(topics)
}

// ask queues something to be looked at here.
func (p *peers) ask(what string) {
	p.mu.Lock()
	p.asked[strings.TrimSpace(what)] = true
	p.mu.Unlock()
	poke(p.look)
}

// follow looks at what was asked for, apart from hearing.
func (p *peers) follow() {
	tick := time.NewTicker(deafLook)
	defer tick.Stop()
	for {
		select {
		case <-p.look:
		case <-tick.C:
			if p.deaf() {
				p.ask(noticeEverything)
			}
			continue
		case <-p.x.ctx.Done():
			return
		}
		p.mu.Lock()
		asked := p.asked
		p.asked = map[string]bool{}
		p.mu.Unlock()
		for what := range asked {
			if err := p.act(what, asked); err != nil && p.x.ctx.Err() == nil {
				p.x.log.Warn("what another process changed could not be taken over; trying again", "what", what, "err", err)
				p.pause(noticeAgain)
				p.ask(what)
			}
		}
	}
}

// deaf reports whether this process hears nobody although there are others: a pooler between it and the database may swallow notices.
func (p *peers) deaf() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.others.Load() > 0 && p.x.now().Sub(p.heardMe) > p.x.o.Lease
}

func (p *peers) act(what string, asked map[string]bool) error {
	kind, name, _ := strings.Cut(what, " ")
	switch kind {
	case noticeEverything:
		p.x.opened.forget()
		p.x.apps.forget("")
		p.x.inboxTold(true)
		poke(p.x.keeper.wake)
		return p.x.takeOverCatalogue(p.x.ctx)
	case noticeMissed:
		for _, w := range p.x.wires.all() {
			w.missed.Store(true)
			w.askSweep()
		}
	case noticeCatalogue:
		if asked[noticeEverything] {
			return nil
		}
		return p.x.takeOverCatalogue(p.x.ctx)
	case noticeApp:
		p.x.apps.forget(name)
	case noticeReopen:
		g := p.x.keeper.gripOf(name)
		if g == nil {
			poke(p.x.keeper.wake)
			return nil
		}
		return p.x.openWire(p.x.ctx, name, g)
	}
	return nil
}
