package worlds

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spillway/spillway/domain/allocation"
)

// spillway keeps the numbers with the real rules. What a real program would have on disk (ledger, books, orders
// learned, holds) survives a crash; requests under way do not.
type spillway struct {
	m      *market
	ledger *ledger
	policy allocation.Input // without stock and sold counts
	books  allocation.Books
	known  map[int]*learned // by order id

	down     bool
	life     int // rises with every crash: answers to an earlier life are lost
	nextPush int
	nextWake time.Duration
	polls    []poller

	soldInHold []int
	kept       []bool // by item: the inequality has held once, and must from then on
	failure    error
	plans      int
}

// learned is what the keeper knows of an order.
type learned struct {
	cancelled, shipped bool
	taken              []placed // where its units are reserved
	held               []int    // holds it counted for
}

type placed struct {
	at       place
	units    int
	flexible bool // any pool of the item can serve it
}

func newSpillway(m *market) *spillway {
	k := &spillway{m: m, ledger: newLedger(m.spec.Items), books: allocation.Books{}, known: map[int]*learned{}}
	for _, it := range m.spec.Items {
		item := allocation.Item{ID: it.id, BufferPercent: it.bufferPercent, BufferUnits: it.bufferUnits}
		for p := range it.stock {
			item.Pools = append(item.Pools, allocation.Pool{ID: poolName(p)})
		}
		k.policy.Items = append(k.policy.Items, item)
	}
	for _, l := range m.spec.Listings {
		k.policy.Listings = append(k.policy.Listings, l.policy)
	}
	k.kept = make([]bool, len(m.spec.Items))
	k.polls = make([]poller, len(m.spec.Channels))
	return k
}

// input is the allocation problem as of now.
func (k *spillway) input() allocation.Input {
	in := k.policy
	in.Items = slices.Clone(in.Items)
	for i := range in.Items {
		in.Items[i].Pools = slices.Clone(in.Items[i].Pools)
		for p := range in.Items[i].Pools {
			in.Items[i].Pools[p].Promisable = k.ledger.promisable(place{i, p})
		}
	}
	in.Holds = slices.Clone(in.Holds)
	for h := range in.Holds {
		in.Holds[h].Sold = max(0, k.soldInHold[h])
	}
	return in
}

// start adopts the listings, schedules the holds that are possible, and begins to poll.
func (k *spillway) start() {
	for i, l := range k.policy.Listings {
		now := k.m.clock()
		k.books[l.ID] = allocation.NewBook(l.ID, l.Kind, k.m.shown[i], now, now, time.Time{})
	}
	for _, h := range k.m.spec.Holds {
		if in, err := k.input().WithHold(h); err == nil { // a hold past what is there is refused when it is made
			k.policy.Holds = in.Holds
			k.soldInHold = append(k.soldInHold, 0)
			k.m.result.Holds++
		}
	}
	if err := k.input().Validate(); err != nil {
		k.fail("input", err)
	}
	for ch := range k.polls {
		k.poll(ch)
	}
	k.plan()
}

func (k *spillway) fail(what string, err error) {
	if k.failure == nil && err != nil {
		k.failure = fmt.Errorf("at %v: %s: %w", k.m.now, what, err)
	}
}

func (k *spillway) knows(o *order) bool { return k.known[o.id] != nil && !k.down }

// learn takes in a webhook. While the program is down webhooks are lost; polls bring their facts.
func (k *spillway) learn(f *fact) {
	if k.down {
		return
	}
	k.m.result.Events++
	k.intake(f)
	k.plan()
}

// intake applies a fact once, to the ledger and the book together.
func (k *spillway) intake(f *fact) {
	o, id := f.order, k.policy.Listings[f.order.listing].ID
	now := k.m.clock()
	l := k.known[o.id]
	if l == nil {
		l = &learned{}
		k.known[o.id] = l
		k.m.hide(&fact{order: o}, -1)
		k.reserve(o, l)
		k.books[id] = k.books[id].SaleKnown(o.qty, o.placed, now)
	}
	if f.cancel && !l.cancelled {
		l.cancelled = true
		k.m.hide(f, -1)
		for _, t := range l.taken {
			k.book(t, 0, -t.units)
		}
		k.reroute()
		for _, h := range l.held {
			k.soldInHold[h] -= o.qty * k.per(o.listing, k.policy.Holds[h].Item)
		}
		k.books[id] = k.books[id].CancelKnown(o.qty, f.restocks, now)
	}
}

// reserve takes an order's units from the pools the rules name and counts it for the holds it falls into.
func (k *spillway) reserve(o *order, l *learned) {
	in := k.input()
	policy := k.policy.Listings[o.listing]
	for _, c := range policy.Components {
		for _, t := range allocation.Serve(in, k.books, policy.ID, c.Item, o.qty*c.Quantity, nil) {
			at := place{k.m.spec.item(c.Item), 0}
			if t.Pool == poolName(1) {
				at.pool = 1
			}
			taken := placed{at, t.Units, len(c.Pools) == 0}
			l.taken = append(l.taken, taken)
			k.book(taken, 0, t.Units)
		}
	}
	now := k.m.clock()
	for h, hold := range k.policy.Holds {
		if hold.Listing == policy.ID && !now.Before(hold.From) && now.Before(hold.Until) {
			k.soldInHold[h] += o.qty * k.per(o.listing, hold.Item)
			l.held = append(l.held, h)
		}
	}
}

// book moves stock where an order's units are.
func (k *spillway) book(t placed, onHand, reserved int) {
	k.ledger.append(t.at, onHand, reserved)
	if t.flexible {
		k.ledger.flexible[t.at] += reserved
	}
}

// reroute moves units out of a pool that has more reserved than it holds into one that has some free: a cancelled
// unit was sold again, and the sale was heard of before the cancellation. An order may end up split.
func (k *spillway) reroute() {
	for at := range k.ledger.onHand {
		other := place{at.item, 1 - at.pool}
		for id := 1; id <= k.m.nextID && k.ledger.promisable(at) < 0; id++ {
			l := k.known[id]
			if l == nil || l.cancelled || l.shipped {
				continue
			}
			for i, t := range l.taken {
				n := min(t.units, -k.ledger.promisable(at), k.ledger.promisable(other))
				if t.at != at || !t.flexible || n <= 0 {
					continue
				}
				l.taken[i].units -= n
				k.book(placed{at, n, true}, 0, -n)
				l.taken = append(l.taken, placed{other, n, true})
				k.book(placed{other, n, true}, 0, n)
			}
		}
	}
}

// per is how many units of an item one unit of a listing takes.
func (k *spillway) per(listing int, item string) int {
	for _, c := range k.policy.Listings[listing].Components {
		if c.Item == item {
			return c.Quantity
		}
	}
	return 0
}

func (k *spillway) shipped(o *order) {
	l := k.known[o.id]
	l.shipped = true
	for _, t := range l.taken {
		k.book(t, -t.units, -t.units)
	}
}

func (k *spillway) returned(o *order) {
	for _, t := range k.known[o.id].taken {
		k.ledger.append(t.at, t.units, 0)
	}
	k.plan()
}

// stockFree is what a count may remove without breaking a promise: nothing that any listing may still sell.
func (k *spillway) stockFree(item, pool int) int {
	free := k.ledger.promisable(place{item, pool})
	whole, exposed, confined := 0, 0, 0
	for p := range k.m.spec.Items[item].stock {
		whole += k.ledger.promisable(place{item, p})
	}
	for i, l := range k.policy.Listings {
		n := k.per(i, k.m.spec.Items[item].id) * k.books[l.ID].Exposure
		exposed += n
		for _, c := range l.Components {
			if c.Item == k.m.spec.Items[item].id && len(c.Pools) == 1 && c.Pools[0] == poolName(pool) {
				confined += n
			}
		}
	}
	it := k.m.spec.Items[item]
	buffer := (max(0, whole)*it.bufferPercent+99)/100 + it.bufferUnits
	part := (max(0, free)*it.bufferPercent + 99) / 100
	return min(free-confined-part, whole-exposed-buffer)
}

func (k *spillway) changed(c change) {
	switch c.kind {
	case Receipts:
		k.ledger.append(place{c.index, c.pool}, c.units, 0)
		k.plan()
	case Counts:
		k.ledger.append(place{c.index, c.pool}, -c.units, 0)
		k.plan()
	case Crashes:
		if !k.down {
			k.down = true
			k.life++
			k.m.after(c.lasting, k.restart)
		}
	}
}

// restart is what the program does when it comes up again: what was under way is now of unknown fate.
func (k *spillway) restart() {
	k.down, k.nextWake = false, 0
	for _, l := range k.policy.Listings {
		b, now := k.books[l.ID], k.m.clock()
		if b.InFlight != nil {
			k.transition(l.ID)(b.PushUnknown(b.InFlight.Push.ID, now))
			b = k.books[l.ID]
		}
		if b.Reading != nil {
			k.books[l.ID] = b.ReadFailed(b.Reading.ID, now, now)
		}
	}
	for ch := range k.polls {
		k.polls[ch] = poller{seen: k.polls[ch].seen}
		k.poll(ch)
	}
	k.plan()
}

func (k *spillway) transition(id string) func(allocation.Book, error) {
	return func(b allocation.Book, err error) {
		k.fail("book "+id, err)
		k.books[id] = b
	}
}

// plan asks the rules what to do and does it.
func (k *spillway) plan() {
	if k.down {
		return
	}
	in, now := k.input(), k.m.clock()
	targets, plan := allocation.Decide(in, k.books, now)
	if k.plans++; k.plans%16 == 0 {
		k.checkHolds(in, targets)
	}
	for _, p := range plan.Pushes {
		k.push(p)
	}
	for _, r := range plan.Reads {
		k.read(r.Listing)
	}
	if k.m.spec.Observed && len(plan.Pushes) > 0 {
		if second := allocation.NewPlan(in, k.books, targets, now); len(second.Pushes) > 0 {
			k.fail("second plan", fmt.Errorf("not empty: %v after %v", second.Pushes, plan.Pushes))
		}
		k.checkRaise(in, plan.Pushes)
	}
	for _, b := range plan.Barriers {
		ch := k.channel(b.Listing)
		k.polls[ch].wanted = true
		k.poll(ch)
	}
	if !plan.NextWakeAt.IsZero() {
		at := plan.NextWakeAt.Sub(epoch)
		if k.nextWake <= k.m.now || at < k.nextWake {
			k.nextWake = at
			k.m.at(at, func() {
				if k.nextWake == at {
					k.nextWake = 0
					k.plan()
				}
			})
		}
	}
}

func (k *spillway) listing(id string) int {
	return slices.IndexFunc(k.policy.Listings, func(l allocation.Listing) bool { return l.ID == id })
}

func (k *spillway) channel(id string) int { return k.m.spec.Listings[k.listing(id)].channel }

// push sends one push and takes in its answer.
func (k *spillway) push(p allocation.Push) {
	k.nextPush++
	p.ID = strconv.Itoa(k.nextPush)
	i, ch := k.listing(p.Listing), k.channel(p.Listing)
	now := k.m.clock()
	k.transition(p.Listing)(k.books[p.Listing].PushSent(p, now, k.m.spec.Channels[ch].lifetime))
	k.m.result.Pushes++
	life := k.life
	k.m.request(ch, func(o *outcome) { k.m.write(p, i, o) }, func(o outcome) {
		if k.life != life {
			return
		}
		k.answered(p, o)
		k.plan()
	})
}

func (k *spillway) answered(p allocation.Push, o outcome) {
	b, now := k.books[p.Listing], k.m.clock()
	switch {
	case !o.answered:
		k.transition(p.Listing)(b.PushUnknown(p.ID, now))
	case o.refused:
		k.transition(p.Listing)(b.PushRefused(p.ID, now, now.Add(retryPause)))
	case o.mismatch:
		var actual *int
		if k.m.spec.Channels[k.channel(p.Listing)].tellsMore {
			actual = &o.actual
		}
		k.transition(p.Listing)(b.Mismatch(p.ID, actual, o.answer))
	default:
		k.transition(p.Listing)(b.PushConfirmed(p.ID, o.answer))
	}
}

// read reads a listing's number.
func (k *spillway) read(id string) {
	i, ch, life := k.listing(id), k.channel(id), k.life
	k.transition(id)(k.books[id].ReadStarted(k.m.clock()))
	reading := k.books[id].Reading.ID
	k.m.result.Reads++
	k.m.request(ch, func(o *outcome) { o.actual = k.m.shown[i] }, func(o outcome) {
		if k.life != life {
			return
		}
		if now := k.m.clock(); o.answered && !o.refused {
			k.books[id] = k.books[id].ReadDone(reading, o.actual, o.answer)
		} else {
			k.books[id] = k.books[id].ReadFailed(reading, now, now.Add(retryPause))
		}
		k.plan()
	})
}
