package worlds

import "time"

// Rival is a way of keeping the numbers that Spillway's is compared with.
type Rival struct {
	Name   string
	every  time.Duration
	buffer int
	oracle bool
}

// CopyOnEvent copies the stock to every channel whenever it hears of a change: what the better tools do.
var CopyOnEvent = Rival{Name: "copy on every event"}

// Oracle is the bound nobody can beat: every channel sees the stock there is, at the instant.
var Oracle = Rival{Name: "oracle (instant)", oracle: true}

// Rivals are the ways other tools work, and the oracle.
var Rivals = []Rival{
	{Name: "15-minute polling", every: 15 * time.Minute},
	{Name: "1-minute polling", every: time.Minute},
	CopyOnEvent,
	{Name: "copy less 20 % buffer", buffer: 20},
	Oracle,
}

// PlayRival runs a world under another way of keeping the numbers.
func PlayRival(s Spec, r Rival) Result {
	m := newMarket(s)
	if r.oracle {
		o := &oracle{m}
		m.keeper, m.before = o, o.show
	} else {
		m.keeper = newCopying(m, r.every, r.buffer)
	}
	m.result.Keeper = r.Name
	m.keeper.start()
	for m.step(s.Horizon) {
	}
	return m.result
}
