package risk

import "container/list"

// group is what is remembered of one node, item, category or region, or of the whole market.
type group struct {
	key        string
	first      int64 // seconds: its first order
	last       int64 // its latest
	n, late    counter
	fastN      counter
	fastLate   counter
	took       spread  // business days from placing to hand-over, slow
	fastTook   spread  // the same, fast
	spare      counter // hand-overs with less than a business day to spare, or none
	spareN     counter
	allowance  spread // business days between placing and deadline
	arrived    counter
	burst      counter
	handed     counter
	open, over int // orders open; of these past their deadline
	queue      []*pending
}

// judged takes in a fate.
func (g *group) judged(at int64, late bool) {
	x := 0.0
	if late {
		x = 1
	}
	g.n.add(at, 1, slowHalf)
	g.late.add(at, x, slowHalf)
	g.fastN.add(at, 1, fastHalf)
	g.fastLate.add(at, x, fastHalf)
}

// handedOver takes in a hand-over that took so many business days and had so many to spare.
func (g *group) handedOver(at int64, took, spare float64) {
	g.took.add(at, took, slowHalf)
	g.fastTook.add(at, took, fastHalf)
	g.handed.add(at, 1, weekHalf)
	g.spareN.add(at, 1, fastHalf)
	if spare < 1 {
		g.spare.add(at, 1, fastHalf)
	}
}

func (g *group) placed(at int64) {
	if g.first == 0 {
		g.first = at
	}
	g.last = at
	g.arrived.add(at, 1, fastHalf)
	g.burst.add(at, 1, burstHalf)
	g.open++
}

// rate is the late rate, slow or fast, smoothed towards prior.
func (g *group) rate(at int64, prior, weight float64) float64 {
	return smoothed(g.late.now(at, slowHalf), g.n.now(at, slowHalf), prior, weight)
}

func (g *group) lately(at int64, prior, weight float64) float64 {
	return smoothed(g.fastLate.now(at, fastHalf), g.fastN.now(at, fastHalf), prior, weight)
}

// exceeds is the smoothed share of hand-overs that took longer than x; orders open past their deadline count as longer.
func (g *group) exceeds(at int64, x, prior, weight float64, fast bool) float64 {
	over, all := g.took.above(at, x, slowHalf)
	if fast {
		over, all = g.fastTook.above(at, x, fastHalf)
	}
	return smoothed(over+float64(g.over), all+float64(g.over), prior, weight)
}

// oldest is the order that has been open longest, nil if none is.
func (g *group) oldest() *pending {
	for len(g.queue) > 0 && g.queue[0].done {
		g.queue[0] = nil
		g.queue = g.queue[1:]
	}
	if len(g.queue) == 0 {
		return nil
	}
	return g.queue[0]
}

// groups are the groups of one kind, at most MaxGroups, the one longest unused forgotten first.
type groups struct {
	by  map[string]*list.Element
	use *list.List // most recently used first
}

func newGroups() *groups { return &groups{by: map[string]*list.Element{}, use: list.New()} }

// get is the group of that key, made if there is none.
func (gs *groups) get(key string) *group {
	if e := gs.by[key]; e != nil {
		gs.use.MoveToFront(e)
		return e.Value.(*group)
	}
	if gs.use.Len() >= MaxGroups {
		e := gs.use.Back()
		delete(gs.by, e.Value.(*group).key)
		gs.use.Remove(e)
	}
	g := &group{key: key}
	gs.by[key] = gs.use.PushFront(g)
	return g
}

// look is the group of that key as it is; one never heard of is empty, and stays unmade.
func (gs *groups) look(key string) *group {
	if e := gs.by[key]; e != nil {
		return e.Value.(*group)
	}
	return &group{key: key}
}
