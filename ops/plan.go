package ops

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/store"
)

const (
	// planBatch problems are planned in one transaction, so that the first of them does not wait for the last.
	planBatch = 64
	// planAgain is how long a planner that failed waits before it tries again.
	planAgain = time.Second
	// planPause lets the changes of a moment share one look: at hundreds of orders a second a look for each would cost more than the orders.
	planPause = 50 * time.Millisecond
	// idle is how long the planner sleeps when nothing asks for it; a scheduled reading is found by then.
	idle = time.Minute
)

// planner compares what listings should be told with what they were told, whenever something about an item changed, and hands
// the difference to the wires. Any number of changes of one item in the meantime is one comparison.
type planner struct {
	x *Ops

	mu      sync.Mutex
	waiting map[string]bool      // problems to plan
	since   map[string]time.Time // when the oldest unplanned change of a problem was committed
	due     map[string]time.Time // when to plan a problem again though nothing happens
	wake    chan struct{}

	wanted sync.Map // listing id to int: the exposure last wanted there, for pages
	rights rights
}

func newPlanner(x *Ops) *planner {
	return &planner{x: x, waiting: map[string]bool{}, since: map[string]time.Time{}, due: map[string]time.Time{}, wake: make(chan struct{}, 1)}
}

// dirty says that the available units or the books of items changed.
func (p *planner) dirty(items ...string) {
	p.mark(items)
	p.x.peers.tellOf(noticeItem, items)
}

// mark is dirty without telling other processes.
func (p *planner) mark(items []string) {
	if len(items) == 0 {
		return
	}
	cat := p.x.catalog.Load()
	now := p.x.now()
	p.mu.Lock()
	for _, it := range items {
		if problem, ok := cat.problem[it]; ok {
			p.waiting[problem] = true
			if _, known := p.since[problem]; !known {
				p.since[problem] = now
			}
		}
	}
	p.mu.Unlock()
	poke(p.wake)
}

func (p *planner) dirtyAll(cat *catalogue) {
	p.mu.Lock()
	for problem := range cat.members {
		p.waiting[problem] = true
	}
	p.mu.Unlock()
	poke(p.wake)
}

// desired is the number a listing should show: the one on its way, else the one it was told. A channel that has sold what it did not
// have stands below 0; nobody wishes that.
func desired(b allocation.Book) int {
	if b.InFlight != nil {
		return max(0, b.InFlight.Push.Quantity)
	}
	return max(0, b.Told)
}

// resting reports whether no change waits to be planned.
func (p *planner) resting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting) == 0
}

func (p *planner) run() {
	for {
		problems, wait := p.next()
		if len(problems) == 0 {
			t := time.NewTimer(wait)
			select {
			case <-p.wake:
			case <-t.C:
			case <-p.x.ctx.Done():
				t.Stop()
				return
			}
			t.Stop()
			continue
		}
		if p.x.ctx.Err() != nil {
			return
		}
		if err := p.plan(p.x.ctx, problems); err != nil && p.x.ctx.Err() == nil {
			p.x.log.Error("planning failed; trying again", "err", err, "problems", len(problems))
			p.later(problems, p.x.now().Add(planAgain))
		}
		if len(problems) < planBatch {
			p.breathe()
		}
	}
}

func (p *planner) breathe() {
	t := time.NewTimer(planPause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-p.x.ctx.Done():
	}
}

// next takes the problems to plan now, or tells how long to wait for one.
func (p *planner) next() ([]string, time.Duration) {
	now := p.x.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := idle
	for problem, at := range p.due {
		if !at.After(now) {
			p.waiting[problem] = true
			delete(p.due, problem)
		} else {
			wait = min(wait, at.Sub(now))
		}
	}
	var out []string
	for problem := range p.waiting {
		out = append(out, problem)
		delete(p.waiting, problem)
		if len(out) == planBatch {
			break
		}
	}
	slices.Sort(out)
	return out, wait
}

func (p *planner) later(problems []string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, problem := range problems {
		if was, ok := p.due[problem]; !ok || at.Before(was) {
			p.due[problem] = at
		}
	}
}

// plan looks first without a writer's lock, since most changes need no push, and decides in a transaction only where one is needed.
func (p *planner) plan(ctx context.Context, problems []string) error {
	if problems = p.ours(problems); len(problems) == 0 {
		return nil
	}
	p.mu.Lock()
	since := make(map[string]time.Time, len(problems))
	for _, problem := range problems {
		since[problem] = p.since[problem]
		delete(p.since, problem)
	}
	p.mu.Unlock()
	var act []string
	cat := p.x.catalog.Load()
	err := p.x.st.View(ctx, func(tx *store.Tx) error {
		plans, err := p.look(tx, problems, tx.Balances)
		for i, pl := range plans {
			pl.plan.Pushes = p.sent(cat, pl.plan.Pushes)
			if len(pl.plan.Pushes) > 0 {
				act = append(act, problems[i])
			} else {
				p.rights.planned(pl, since[problems[i]])
				p.follow(problems[i], pl)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(act) > 0 {
		return p.act(ctx, act, since)
	}
	return nil
}

// planned is one problem's plan with what it was made of.
type planned struct {
	in      allocation.Input
	held    map[string][]stock.Balance
	set     bookSet
	targets []allocation.Target
	plan    allocation.Plan
}

// pushes reports whether the plan has a push of a listing.
func (pl planned) pushes(listing string) bool {
	return slices.ContainsFunc(pl.plan.Pushes, func(p allocation.Push) bool { return p.Listing == listing })
}

// follow does what needs no writer: readings, sweeps and the next look.
func (p *planner) follow(problem string, pl planned) {
	for listing, n := range pl.plan.Desired {
		p.wanted.Store(listing, n)
	}
	reads := map[string][]string{}
	for _, r := range pl.plan.Reads {
		reads[r.Connection] = append(reads[r.Connection], r.Listing)
	}
	for conn, listings := range reads {
		if w := p.x.wires.get(conn); w != nil {
			w.read(listings)
		}
	}
	for _, b := range pl.plan.Barriers {
		if w := p.x.wires.get(b.Connection); w != nil {
			w.expect(b.Listing)
			w.askSweep()
		}
	}
	if !pl.plan.NextWakeAt.IsZero() {
		p.later([]string{problem}, pl.plan.NextWakeAt)
	}
}

// expect notes that a listing's number waits for the barrier.
func (w *wire) expect(listing string) {
	w.mu.Lock()
	w.state.anchors[listing] = true
	w.mu.Unlock()
}

// confirmed measures how long it took from a change to the channel having taken the number.
func (p *planner) confirmed(listing string, at time.Time) {
	for _, took := range p.rights.told(listing, at) {
		p.x.gauges.right(took)
	}
}

// look computes the plans of problems from the store and the catalogue.
func (p *planner) look(tx *store.Tx, problems []string, balances func([]string) ([]stock.Balance, error)) ([]planned, error) {
	cat := p.x.catalog.Load()
	var items, listings []string
	for _, problem := range problems {
		items = append(items, cat.members[problem]...)
		for _, l := range cat.listingsOf(problem) {
			listings = append(listings, l.ID)
		}
	}
	held, err := balances(items)
	if err != nil {
		return nil, err
	}
	shorts, err := tx.ReservationsShort(items)
	if err != nil {
		return nil, err
	}
	set, err := p.x.loadBooks(tx, listings)
	if err != nil {
		return nil, err
	}
	holds, err := tx.HoldList(tx.Now(), maxHolds) // upcoming ones too, so that the plan knows when to look again
	if err != nil {
		return nil, err
	}
	s := snapshot{cat: cat, held: byItem(held), short: shortOf(shorts), books: set.Books, holds: holds, wires: &p.x.wires}
	out := make([]planned, len(problems))
	for i, problem := range problems {
		in := s.input(problem)
		targets := allocation.Targets(in, set.Books, tx.Now())
		out[i] = planned{in: in, held: s.held, set: set, targets: targets, plan: allocation.NewPlan(in, set.Books, targets, tx.Now())}
	}
	return out, nil
}

func byItem(balances []stock.Balance) map[string][]stock.Balance {
	out := map[string][]stock.Balance{}
	for _, b := range balances {
		out[b.ItemID] = append(out[b.ItemID], b)
	}
	return out
}

// shortOf sums what items owe: units promised by a channel and not there, which the next ones to arrive belong to.
func shortOf(rows []stock.Reservation) map[string]int64 {
	out := map[string]int64{}
	for _, r := range rows {
		if r.Pool == "" {
			out[r.ItemID] += r.Short + r.Unbooked
		}
	}
	return out
}

// snapshot is what allocation inputs are made of.
type snapshot struct {
	cat   *catalogue
	held  map[string][]stock.Balance
	short map[string]int64
	books allocation.Books
	holds []store.Hold
	wires *wires
}

// input describes one problem to the allocation rules.
func (s snapshot) input(problem string) allocation.Input {
	in := allocation.Input{}
	listings := s.cat.listingsOf(problem)
	for _, item := range s.cat.members[problem] {
		if len(s.cat.items[item].Components) > 0 {
			continue // a bundle has no stock of its own
		}
		in.Items = append(in.Items, s.item(item, listings))
	}
	for _, l := range listings {
		if _, open := s.books[l.ID]; open {
			in.Listings = append(in.Listings, s.listing(l))
		}
	}
	in.Holds = s.holdsOf(in)
	return in
}

// item gathers an item's stock into pools: the locations that serve the same connections are one pool.
func (s snapshot) item(item string, listings []catalog.Listing) allocation.Item {
	out := allocation.Item{ID: item, Mode: allocation.Guarded}
	pools := map[string]*allocation.Pool{}
	for _, b := range s.held[item] {
		l, ok := s.cat.location(b.LocationID)
		if !ok || !serves(l) {
			continue
		}
		key := poolKey(l)
		if pools[key] == nil {
			pools[key] = &allocation.Pool{ID: key, Platform: l.Kind == stock.FBT}
		}
		pools[key].Promisable += int(b.ATP())
	}
	owed := int(s.short[item])
	for _, key := range slices.Sorted(maps.Keys(pools)) {
		if p := pools[key]; !p.Platform {
			p.Promisable -= owed
			owed = 0
		}
		out.Pools = append(out.Pools, *pools[key])
	}
	for _, l := range listings {
		if l.ItemID != item {
			continue
		}
		out.BufferPercent = max(out.BufferPercent, l.Rules.BufferPercent)
		out.BufferUnits = max(out.BufferUnits, int(l.Rules.BufferUnits))
		if l.Rules.Mode == catalog.Shared {
			out.Mode = allocation.Shared
		}
	}
	return out
}

// serves reports whether units at a location may be promised at all.
func serves(l stock.Location) bool {
	switch l.Kind {
	case stock.Transit, stock.Returns:
		return false
	case stock.FBT, stock.Marketplace:
		return l.Active && len(l.Serves) > 0
	}
	return l.Active
}

func poolKey(l stock.Location) string {
	key := "own"
	if l.Kind == stock.FBT {
		key = "platform"
	}
	if len(l.Serves) == 0 {
		return key
	}
	return key + ":" + strings.Join(slices.Sorted(slices.Values(l.Serves)), ",")
}

func (s snapshot) listing(l catalog.Listing) allocation.Listing {
	out := allocation.Listing{ID: l.ID, Connection: l.ConnectionID, Kind: s.books[l.ID].Kind, Min: int(l.Rules.Min), Weight: l.Rules.Priority,
		Paused: s.wires.paused(l.ConnectionID) || !l.Active, Platform: l.Mode == "platform"}
	if most := s.most(l); most > 0 {
		out.Max = &most
	}
	if _, left, capped := s.wires.orderCap(l.ConnectionID); capped {
		out.OrderCap = &left
	}
	if l.Rules.Mode == catalog.Fixed {
		fixed := int(l.Rules.Fixed)
		out.Fixed = &fixed
	}
	for _, part := range s.cat.consumes(l) {
		c := allocation.Component{Item: part.ItemID, Quantity: int(part.Qty)}
		seen := map[string]bool{}
		for _, b := range s.held[part.ItemID] {
			loc, ok := s.cat.location(b.LocationID)
			if ok && loc.Kind != stock.FBT && loc.MayServe(l.ConnectionID) && !seen[poolKey(loc)] {
				seen[poolKey(loc)] = true
				c.Pools = append(c.Pools, poolKey(loc))
			}
		}
		slices.Sort(c.Pools)
		out.Components = append(out.Components, c)
	}
	return out
}

// most is the largest number a listing may show: the operator's and the channel's own limit, 0 for none.
func (s snapshot) most(l catalog.Listing) int {
	most := int(l.Rules.Max)
	d, _ := s.wires.describe(l.ConnectionID)
	if d.Limits.MaxQuantity > 0 && (most == 0 || int64(most) > d.Limits.MaxQuantity) {
		most = int(d.Limits.MaxQuantity)
	}
	return most
}

// paused reports whether the connection cannot be written to now.
func (w *wire) paused() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state.needsLogin
}

// holdsOf turns the holds that touch the problem into the rules' terms: each favours the listing of its connection that sells the item.
func (s snapshot) holdsOf(in allocation.Input) []allocation.Hold {
	var out []allocation.Hold
	for _, h := range s.holds {
		for _, l := range in.Listings {
			if (l.ID != h.ListingID && l.Connection != h.ConnectionID) || !slices.ContainsFunc(l.Components, func(c allocation.Component) bool { return c.Item == h.ItemID }) {
				continue
			}
			out = append(out, allocation.Hold{ID: h.ID, Item: h.ItemID, Listing: l.ID, Quantity: int(h.Qty), Sold: int(h.Sold), From: h.From, Until: h.Until})
			break
		}
	}
	slices.SortFunc(out, func(a, b allocation.Hold) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
