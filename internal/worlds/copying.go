package worlds

import (
	"time"

	"github.com/spillway/spillway/domain/allocation"
)

// copying keeps the numbers as most tools do: it copies the stock it knows of to every channel, on every event or after
// every poll, perhaps less a buffer. It is given every favour: it never crashes, and when a push stays unanswered it
// sends the newest number again.
type copying struct {
	m       *market
	buffer  int           // percent kept back
	every   time.Duration // learns by polling this often; 0: learns by events, and by a poll a minute
	stock   []int         // on hand less known orders, by item
	known   map[int]bool
	over    map[int]bool // cancelled orders taken in
	told    []int        // by listing; -1: unknown
	pending []bool
	polled  []int
}

const copyingSafetyPoll = time.Minute

func newCopying(m *market, every time.Duration, buffer int) *copying {
	k := &copying{m: m, every: every, buffer: buffer, known: map[int]bool{}, over: map[int]bool{}}
	k.stock = append(k.stock, m.physical...)
	k.told, k.pending = make([]int, len(m.shown)), make([]bool, len(m.shown))
	copy(k.told, m.shown)
	k.polled = make([]int, len(m.spec.Channels))
	return k
}

func (k *copying) start() {
	for ch := range k.m.spec.Channels {
		k.m.at(0, func() { k.poll(ch) })
	}
	k.spread()
}

func (k *copying) poll(ch int) {
	k.m.result.Polls++
	read := 0
	k.m.request(ch, func(*outcome) { read = len(k.m.log[ch]) }, func(o outcome) {
		if o.answered && !o.refused {
			for ; k.polled[ch] < read; k.polled[ch]++ {
				k.intake(k.m.log[ch][k.polled[ch]])
			}
			k.spread()
		}
	})
	every := k.every
	if every == 0 {
		every = copyingSafetyPoll
	}
	k.m.after(every, func() { k.poll(ch) })
}

func (k *copying) learn(f *fact) {
	k.m.result.Events++
	if k.every == 0 {
		k.intake(f)
		k.spread()
	}
}

func (k *copying) intake(f *fact) {
	if !k.known[f.order.id] {
		k.known[f.order.id] = true
		k.take(f.order, 1)
	}
	if f.cancel && !k.over[f.order.id] {
		k.over[f.order.id] = true
		k.take(f.order, -1)
	}
}

func (k *copying) take(o *order, n int) {
	for _, c := range k.m.spec.Listings[o.listing].policy.Components {
		k.stock[k.m.spec.item(c.Item)] -= n * o.qty * c.Quantity
	}
}

// spread tells every listing whose number is not the stock.
func (k *copying) spread() {
	for i := range k.told {
		if !k.pending[i] && k.told[i] != k.number(i) {
			k.push(i, k.number(i))
		}
	}
}

// number is what a listing should show.
func (k *copying) number(listing int) int {
	n := allocation.MaxUnits
	for _, c := range k.m.spec.Listings[listing].policy.Components {
		n = min(n, max(0, k.stock[k.m.spec.item(c.Item)])*(100-k.buffer)/100/c.Quantity)
	}
	return n
}

func (k *copying) push(listing, n int) {
	k.pending[listing] = true
	k.m.result.Pushes++
	p := allocation.Push{Kind: allocation.Absolute, Quantity: n}
	k.m.request(k.m.spec.Listings[listing].channel, func(o *outcome) { k.m.write(p, listing, o) }, func(o outcome) {
		again := func() {
			k.pending[listing] = false
			k.spread()
		}
		if o.answered && !o.refused {
			k.told[listing] = n
			again()
			return
		}
		k.told[listing] = -1
		k.m.after(retryPause, again)
	})
}

func (k *copying) shipped(*order) {}

func (k *copying) returned(o *order) {
	k.take(o, -1)
	k.spread()
}

func (k *copying) changed(c change) {
	switch c.kind {
	case Receipts:
		k.stock[c.index] += c.units
		k.spread()
	case Counts:
		k.stock[c.index] -= c.units
		k.spread()
	}
}

func (k *copying) knows(o *order) bool { return k.known[o.id] }

// stockFree allows counts to remove what nobody has ordered.
func (k *copying) stockFree(item, _ int) int { return k.m.physical[item] - k.m.active[item] }

// oracle is the bound nobody can beat: every channel sees the stock that is there, at the instant.
type oracle struct{ m *market }

func (k *oracle) start()            {}
func (k *oracle) learn(*fact)       {}
func (k *oracle) shipped(*order)    {}
func (k *oracle) returned(*order)   {}
func (k *oracle) changed(change)    {}
func (k *oracle) knows(*order) bool { return true }

func (k *oracle) stockFree(item, _ int) int { return k.m.physical[item] - k.m.active[item] }

// show sets what a listing shows to what is there.
func (k *oracle) show(listing int) {
	n := allocation.MaxUnits
	for _, c := range k.m.spec.Listings[listing].policy.Components {
		i := k.m.spec.item(c.Item)
		n = min(n, max(0, k.m.physical[i]-k.m.active[i])/c.Quantity)
	}
	k.m.shown[listing] = n
}
