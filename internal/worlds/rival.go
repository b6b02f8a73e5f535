package worlds

import "time"

// Rival is a way of keeping the numbers that Spillway's is compared with.
type Rival struct {
	Name   string
	every  time.Duration
	buffer int
	oracle bool
}

// Rivals are the ways other tools work, and the bound nobody can beat.
var Rivals = []Rival{
	{Name: "15-minute polling", every: 15 * time.Minute},
	{Name: "1-minute polling", every: time.Minute},
	{Name: "copy on every event", buffer: 0},
	{Name: "copy less 20 % buffer", buffer: 20},
	{Name: "oracle (instant)", oracle: true},
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
