package ops

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/store"
)

const (
	// defaultLease is how long the connections of a process that died rest before another works them.
	defaultLease = 10 * time.Second
	// leaseCall bounds one look at the leases: a database that takes longer is as good as away.
	leaseCall = 2 * time.Second
	// forgetProcess is how long the row of a process that died stays for people to see.
	forgetProcess = 24 * time.Hour
	// turnTime is how long doing something in turn may take, renewing a login foremost; turnAgain is how often who waits asks.
	turnTime, turnAgain = time.Minute, 250 * time.Millisecond
	// schedulerLease is the right to do what happens once however many processes there are.
	schedulerLease = "scheduler"
	// connectionLease begins the names of the leases of connections.
	connectionLease = "connection:"
)

// Roles of a process.
const (
	roleFull  = "full"
	roleFront = "front" // answers webhooks, owns nothing
)

// keeper holds this process's leases: it takes what is free up to its share, renews, gives away what is above its share, and lets go of
// what it cannot renew in time. Where the database serves one process it owns everything and asks nobody.
type keeper struct {
	x     *Ops
	me    store.Process
	lease time.Duration
	alone bool

	mu     sync.Mutex
	grips  map[string]*grip // by lease
	leases map[string]store.Lease
	alive  map[string]string // processes: their roles
	looks  int

	wake chan struct{}
	stop context.CancelFunc
	ctx  context.Context
	loop sync.WaitGroup // run
	open sync.WaitGroup // wires that are being opened
	done sync.WaitGroup // wires that are being given away
	over sync.Once
}

func newKeeper(x *Ops) *keeper {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	role := roleFull
	if x.o.ReceiveOnly {
		role = roleFront
	}
	k := &keeper{x: x, lease: x.o.Lease, alone: !x.st.Shared(), wake: make(chan struct{}, 1), grips: map[string]*grip{},
		me: store.Process{ID: id.New(), Host: host, PID: int64(os.Getpid()), Version: x.o.Version, Role: role}}
	k.ctx, k.stop = context.WithCancel(x.ctx)
	return k
}

// run looks at the leases a few times in their life, and at once when something was given away.
func (k *keeper) run() {
	tick := time.NewTicker(k.lease / 10)
	defer tick.Stop()
	var last time.Time
	failing := false
	for {
		woken := false
		select {
		case <-tick.C:
		case <-k.wake:
			woken = true
		case <-k.ctx.Done():
			return
		}
		k.letGo()
		if !woken && !failing && k.x.now().Sub(last) < k.lease*3/10 {
			continue
		}
		began := k.x.now()
		_, err := k.look(k.ctx)
		if k.ctx.Err() != nil {
			return
		}
		if err != nil && !failing {
			k.x.log.Warn("the leases could not be renewed", "err", err)
		}
		if failing = err != nil; !failing {
			last = began
		}
	}
}

// look renews what is held, reads who else is there and who has what, and takes and gives. The group is done when what was taken is at work.
func (k *keeper) look(ctx context.Context) (*sync.WaitGroup, error) {
	began := k.x.now()
	var leases []store.Lease
	var processes []store.Process
	var conns []store.Connection
	var now time.Time
	call, cancel := context.WithTimeout(ctx, leaseCall)
	defer cancel()
	err := k.x.st.Update(call, func(tx *store.Tx) (err error) {
		if err := tx.ProcessSeen(k.me); err != nil {
			return err
		}
		if err := tx.LeaseRenew(k.renewals(), k.lease); err != nil {
			return err
		}
		if leases, err = tx.LeaseList(); err != nil {
			return err
		}
		if processes, err = tx.ProcessList(); err != nil {
			return err
		}
		if conns, err = tx.ConnectionList(); err != nil {
			return err
		}
		now, err = tx.Clock()
		return err
	})
	if err != nil {
		return nil, err
	}
	k.confirm(leases, began)
	k.x.wires.know(conns)
	k.meet(processes, now)
	if k.me.Role == roleFront {
		return &sync.WaitGroup{}, nil
	}
	take, give := divide(k.state(leases, now), k.wanted(conns))
	for _, name := range give {
		k.give(name)
	}
	return k.take(ctx, append(take, k.unopened(conns)...)), nil
}

// renewals are the leases held, with what their wires say of themselves.
func (k *keeper) renewals() []store.Lease {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]store.Lease, 0, len(k.grips))
	for name, g := range k.grips {
		l := store.Lease{Name: name, Owner: k.me.ID, Token: g.token}
		if w := k.x.wires.get(strings.TrimPrefix(name, connectionLease)); w != nil {
			l.Info = string(jsonOf(w.report()))
		}
		out = append(out, l)
	}
	return out
}

// confirm takes over what the database says of the leases held. began is when the renewal was asked for, so that the time it took counts
// against us.
func (k *keeper) confirm(leases []store.Lease, began time.Time) {
	k.mu.Lock()
	k.leases = make(map[string]store.Lease, len(leases))
	for _, l := range leases {
		k.leases[l.Name] = l
	}
	for name, g := range k.grips {
		if l := k.leases[name]; l.Owner == k.me.ID && l.Token == g.token {
			g.renewedAt(began)
		} else {
			g.drop()
		}
	}
	k.mu.Unlock()
	k.letGo()
}

// letGo ends the wires whose lease is no longer surely ours.
func (k *keeper) letGo() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, g := range k.grips {
		if g.held() || g.isLeaving() {
			continue
		}
		g.drop()
		delete(k.grips, name)
		k.x.log.Warn("lease lost", "lease", name)
		k.done.Go(func() { k.x.wires.end(strings.TrimPrefix(name, connectionLease), g) })
	}
}

// meet compares who is alive with who was.
func (k *keeper) meet(processes []store.Process, now time.Time) {
	alive, others := map[string]string{}, 0
	for _, p := range processes {
		if now.Sub(p.Seen) < k.lease {
			alive[p.ID] = p.Role
			if p.ID != k.me.ID {
				others++
			}
		}
	}
	k.mu.Lock()
	was := k.alive
	k.alive = alive
	k.looks++
	second := k.looks == 2
	k.mu.Unlock()
	k.x.peers.known(others)
	// A process that has gone may not have told all it did; and what others did while this one began they may not have told it.
	gone := false
	for id := range was {
		gone = gone || alive[id] == ""
	}
	if gone || (second && others > 0) {
		k.x.peers.ask(noticeEverything)
		k.x.peers.ask(noticeMissed) // whoever has gone may have let messages go unanswered
	}
}

// wanted are the names of the leases of connections that are to be worked.
func (k *keeper) wanted(conns []store.Connection) []string {
	var out []string
	for _, c := range conns {
		if _, known := k.x.vendors[c.Vendor]; known && c.State != store.Paused && c.State != store.Withdrawn {
			out = append(out, connectionLease+c.ID)
		}
	}
	return out
}

func (k *keeper) state(leases []store.Lease, now time.Time) holdings {
	k.mu.Lock()
	defer k.mu.Unlock()
	h := holdings{me: k.me.ID, owner: map[string]string{}, free: map[string]time.Duration{}, grace: 3 * k.lease}
	for _, l := range leases {
		if l.Owner == "" || !l.Until.After(now) {
			h.free[l.Name] = now.Sub(l.Until)
			if l.Owner == "" {
				h.free[l.Name] = 0 // given back, for somebody else to take
			}
			continue
		}
		h.owner[l.Name] = l.Owner
	}
	for id, role := range k.alive {
		if role != roleFront {
			h.alive = append(h.alive, id)
		}
	}
	for name, g := range k.grips {
		if strings.HasPrefix(name, connectionLease) && !g.isLeaving() {
			h.mine = append(h.mine, name)
		}
	}
	slices.Sort(h.mine)
	return h
}

// take takes free leases and opens the wires of those it gets; the group is done when they are at work.
func (k *keeper) take(ctx context.Context, names []string) *sync.WaitGroup {
	var opening sync.WaitGroup
	if len(names) == 0 || k.ctx.Err() != nil {
		return &opening
	}
	slices.Sort(names)
	began := k.x.now()
	var got []store.Lease
	err := k.x.st.Update(ctx, func(tx *store.Tx) error {
		got = nil
		for _, name := range slices.Compact(names) {
			l, ok, err := tx.LeaseTake(name, k.me.ID, k.lease)
			if err != nil {
				return err
			}
			if ok {
				got = append(got, l)
			}
		}
		return nil
	})
	if err != nil {
		k.x.log.Warn("leases could not be taken", "err", err)
		return &opening
	}
	for _, l := range got {
		g := &grip{name: l.Name, token: l.Token, hold: k.lease * 8 / 10, now: k.x.now, renewed: began}
		k.mu.Lock()
		k.grips[l.Name].drop() // one taken anew
		k.grips[l.Name] = g
		k.leases[l.Name] = l
		k.mu.Unlock()
		conn, isConn := strings.CutPrefix(l.Name, connectionLease)
		if !isConn {
			continue
		}
		opening.Add(1)
		k.open.Go(func() {
			defer opening.Done()
			if err := k.x.openWire(ctx, conn, g); err != nil && ctx.Err() == nil {
				k.x.log.Error("connection cannot be opened", "connection", conn, "err", err)
				g.mu.Lock()
				g.unopened = true
				g.mu.Unlock()
			}
		})
	}
	return &opening
}

// unopened are leases held whose connection could not be opened; now and then it is tried again.
func (k *keeper) unopened(conns []store.Connection) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.looks%10 != 0 {
		return nil
	}
	var out []string
	for _, c := range conns {
		if g := k.grips[connectionLease+c.ID]; g != nil && g.failed() && c.State == store.Active {
			out = append(out, connectionLease+c.ID)
		}
	}
	return out
}

// give hands a connection over: its wire finishes what it has begun, then the lease is given back.
func (k *keeper) give(name string) {
	k.mu.Lock()
	g := k.grips[name]
	k.mu.Unlock()
	if g == nil || !g.leave() {
		return
	}
	k.done.Go(func() {
		k.x.wires.end(strings.TrimPrefix(name, connectionLease), g)
		g.drop()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(k.ctx), leaseCall)
		defer cancel()
		if err := k.x.st.Update(ctx, func(tx *store.Tx) error { return tx.LeaseRelease(k.me.ID, []string{name}) }); err != nil {
			k.x.log.Warn("a lease could not be given back; it ends by itself", "lease", name, "err", err)
		}
		k.mu.Lock()
		if k.grips[name] == g {
			delete(k.grips, name)
		}
		k.mu.Unlock()
		k.x.peers.tell(noticeLeases)
	})
}

// retire gives everything back, so that others take over at once. Requests may still be answered after it.
func (k *keeper) retire() {
	if k == nil || k.alone {
		return
	}
	k.over.Do(func() {
		k.stop()
		k.loop.Wait()
		k.open.Wait()
		k.mu.Lock()
		names := slices.Sorted(maps.Keys(k.grips))
		k.mu.Unlock()
		for _, name := range names {
			k.give(name)
		}
		k.done.Wait()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(k.ctx), leaseCall)
		defer cancel()
		if err := k.x.st.Update(ctx, func(tx *store.Tx) error { return tx.ProcessGone(k.me.ID) }); err != nil {
			k.x.log.Warn("this process could not sign off", "err", err)
		}
		k.x.peers.tell(noticeLeases)
		k.x.peers.flush(ctx)
	})
}

// has reports whether a lease is surely this process's at the moment.
func (k *keeper) has(name string) bool {
	if k.alone {
		return true
	}
	k.mu.Lock()
	g := k.grips[name]
	k.mu.Unlock()
	return g != nil && g.held()
}

// elsewhere reports whether a connection that is not at work here is another process's to work, now or in a moment.
func (k *keeper) elsewhere(connID string) bool {
	return !k.alone && connID != "" && k.x.wires.workable(connID)
}

// lastSaid is what the owner of a connection last said of it, and who that is.
func (k *keeper) lastSaid(connID string) (store.Lease, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	l, ok := k.leases[connectionLease+connID]
	return l, ok && l.Owner != "" && l.Owner != k.me.ID
}

// begin sets a connection to work that was just connected here: in this process if nobody has it, else its owner is told.
func (k *keeper) begin(ctx context.Context, connID string) error {
	if k.alone {
		return k.x.openWire(ctx, connID, nil)
	}
	k.mu.Lock()
	g := k.grips[connectionLease+connID]
	k.mu.Unlock()
	if g != nil && g.held() {
		return k.x.openWire(ctx, connID, g)
	}
	k.take(ctx, []string{connectionLease + connID}).Wait()
	k.x.peers.tell(noticeReopen + " " + connID)
	return nil
}

// gripOf is the grip on a connection, nil where it is not ours.
func (k *keeper) gripOf(connID string) *grip {
	k.mu.Lock()
	defer k.mu.Unlock()
	if g := k.grips[connectionLease+connID]; g != nil && !g.isLeaving() {
		return g
	}
	return nil
}

// alonePer makes a function that waits until this process alone may do something; nil where there is nobody else.
func (k *keeper) alonePer(name string) func(context.Context) (func(), error) {
	if k.alone {
		return nil
	}
	return func(ctx context.Context) (func(), error) {
		for {
			var got bool
			err := k.x.st.Update(ctx, func(tx *store.Tx) (err error) {
				_, got, err = tx.LeaseTake(name, k.me.ID, turnTime)
				return err
			})
			if err != nil {
				return nil, err
			}
			if got {
				return func() {
					ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseCall)
					defer cancel()
					if err := k.x.st.Update(ctx, func(tx *store.Tx) error { return tx.LeaseRelease(k.me.ID, []string{name}) }); err != nil {
						k.x.log.Warn("a lease could not be given back; it ends by itself", "lease", name, "err", err)
					}
				}, nil
			}
			if !k.x.peers.pause(turnAgain) || ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
	}
}
