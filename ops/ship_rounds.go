package ops

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/store"
)

const (
	// newsEvery is how often an account is asked what became of its parcels; its webhooks tell the same earlier.
	newsEvery = 2 * time.Minute
	// newsLook is how often it is looked whose turn has come.
	newsLook = 5 * time.Second
	// newsAtOnce bounds the turns that are under way at once, of all accounts.
	newsAtOnce = 16
	// newsTurn is when a turn begins no further call: whoever has more to tell goes to the end of the queue.
	newsTurn = time.Minute
	// newsEnd is when a turn is ended wherever it stands: the last call of a turn may wait for its slot, be repeated, and hang.
	newsEnd = 5 * time.Minute
	// newsRest is the longest an account that fails is left alone.
	newsRest = 30 * time.Minute
)

// newsKind is a way to ask an account for news. Each has its own turns: a list that is read for hours keeps no parcel waiting that is asked for by itself.
type newsKind string

const (
	newsList newsKind = "list" // all that changed, page by page
	newsLate newsKind = "late" // single parcels whose deadline comes near
)

// newsAsk is how one kind is asked, and how often. more: there is some left for another turn.
type newsAsk struct {
	every time.Duration
	do    func(context.Context, store.CarrierAccount) (more bool, err error)
}

type newsOf struct {
	account string
	kind    newsKind
}

// newsTurns are whose turn it is to be asked. Every account has turns of its own, one at a time: one that is slow or fails delays no other.
type newsTurns struct {
	x   *Ops
	ask map[newsKind]newsAsk

	mu    sync.Mutex
	turns map[newsOf]*oneTurn
	under int
	work  sync.WaitGroup
	ended chan struct{} // one has ended: another may begin
}

type oneTurn struct {
	due      time.Time
	under    bool
	failures int // in a row
}

func newNewsTurns(x *Ops) *newsTurns {
	looks := &lateLooks{x: x, asked: map[string]map[string]time.Time{}}
	return &newsTurns{x: x, turns: map[newsOf]*oneTurn{}, ended: make(chan struct{}, 1),
		ask: map[newsKind]newsAsk{newsList: {newsEvery, x.askNewsOf}, newsLate: {lateEvery, looks.ask}}}
}

// newsLoop asks accounts what became of parcels, in the process with the scheduler's lease.
func (x *Ops) newsLoop() {
	t := time.NewTicker(newsLook)
	defer t.Stop()
	turns := newNewsTurns(x)
	defer turns.work.Wait()
	for {
		select {
		case <-t.C:
		case <-turns.ended:
		case <-x.ctx.Done():
			return
		}
		if !x.keeper.has(schedulerLease) {
			continue
		}
		var all []store.CarrierAccount
		err := x.st.View(x.ctx, func(tx *store.Tx) (err error) {
			all, err = tx.CarrierAccounts()
			return err
		})
		if err != nil {
			x.complain(err, "carrier accounts cannot be read")
			continue
		}
		turns.begin(x.ctx, all)
	}
}

// begin has those asked whose turn has come, the longest due first, as many as may be at once.
func (n *newsTurns) begin(ctx context.Context, all []store.CarrierAccount) {
	n.mu.Lock()
	defer n.mu.Unlock()
	rows := make(map[string]store.CarrierAccount, len(all))
	for _, a := range all {
		rows[a.ID] = a
		for kind := range n.ask {
			if k := (newsOf{a.ID, kind}); n.turns[k] == nil {
				n.turns[k] = &oneTurn{}
			}
		}
	}
	var due []newsOf
	now := n.x.now()
	for k, t := range n.turns {
		if _, there := rows[k.account]; !there && !t.under {
			delete(n.turns, k) // the account was removed
		} else if there && !t.under && !t.due.After(now) {
			due = append(due, k)
		}
	}
	slices.SortFunc(due, func(a, b newsOf) int {
		return cmp.Or(n.turns[a].due.Compare(n.turns[b].due), cmp.Compare(a.account, b.account), cmp.Compare(a.kind, b.kind))
	})
	for _, k := range due[:min(len(due), newsAtOnce-n.under)] {
		n.turns[k].under = true
		n.under++
		n.work.Go(func() { n.turn(ctx, k, rows[k.account], now) })
	}
}

// turn is one turn, from its call to when the next is.
func (n *newsTurns) turn(ctx context.Context, k newsOf, a store.CarrierAccount, began time.Time) {
	call, cancel := context.WithTimeout(ctx, newsEnd)
	defer cancel()
	more, err := n.ask[k.kind].do(call, a)
	if err != nil && ctx.Err() == nil {
		n.x.log.Warn("a carrier does not tell what became of parcels", "account", a.Name, "asked", string(k.kind), "err", err)
	}
	n.mu.Lock()
	t := n.turns[k]
	t.under = false
	n.under--
	t.ends(began, n.x.now(), n.ask[k.kind].every, more, err)
	n.mu.Unlock()
	select {
	case n.ended <- struct{}{}:
	default:
	}
}

// ends says when the next turn is due: when the last one began plus the time between turns, at once where there is more to read, and ever later where it
// fails.
func (t *oneTurn) ends(began, now time.Time, every time.Duration, more bool, err error) {
	switch {
	case err != nil:
		pause := every
		for range t.failures {
			pause = min(2*pause, newsRest)
		}
		if e, ok := errors.AsType[*driver.Error](err); ok {
			pause = max(pause, e.After)
		}
		t.failures++
		t.due = now.Add(pause)
	case more:
		t.failures, t.due = 0, now
	default:
		t.failures, t.due = 0, began.Add(every)
	}
}
