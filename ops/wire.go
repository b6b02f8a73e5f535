package ops

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// wireQueue messages may wait for one connection; beyond that they stay in the inbox until a rescan.
	wireQueue = 10_000
	// completeBatch messages share one intake, few enough that the first of them waits little for the last; with a backlog, as many as
	// the channel reads at once.
	completeBatch = 20
	backlog       = 200
	// firstPause and maxPause bound how long a failing connection is left alone.
	firstPause = 500 * time.Millisecond
	maxPause   = time.Minute
	// gatherTime is how far apart batches of one connection are: what comes in between shares one read and one transaction. Forty reads a
	// second stay below what the strictest channel allows. A message that comes alone does not wait.
	gatherTime = 25 * time.Millisecond
	// completeAtOnce batches of messages of one connection are under way together.
	completeAtOnce = 3
	// callTime bounds one step against a channel, retries included.
	callTime = time.Minute
	// drainTime is how long pushes under way may take when a wire stops: one cut off counts as unknown until its lifetime is over.
	drainTime = 500 * time.Millisecond
)

// wire is one connected shop at work: a queue of messages to complete, pushes to apply, numbers to read, and a sweep. A wire
// that fails waits by itself; it holds up no other.
type wire struct {
	x       *Ops
	id      string
	vendor  driver.Description
	session *connector.Session
	log     *slog.Logger
	grip    *grip // on the connection; every write that only the owner may make names it

	mu     sync.Mutex
	ended  bool // pushes can no longer leave
	queue  []delivery
	pushes []flight
	reads  []string
	again  map[string]time.Time // orders to read again, and when
	known  recent
	state  wireState
	missed atomic.Bool // messages may have been lost: the next sweep reads as far back as a regular one

	wake      chan struct{} // messages or rereads wait
	wakePush  chan struct{}
	wakeRead  chan struct{}
	wakeSweep chan struct{}
	wakeMeet  chan struct{}
	wakeShip  chan struct{}
	ctx       context.Context
	cancel    context.CancelFunc
	calls     context.Context // of pushes under way, which outlive ctx for a moment
	cut       context.CancelFunc
	work      sync.WaitGroup
}

// wireState is what the pages and the health check show of a wire.
type wireState struct {
	lastSeen      time.Time
	failing       string // why the last step failed; empty when it worked
	failingAt     time.Time
	sweptAt       time.Time
	markStored    time.Time // the watermark last stored
	watermark     time.Time
	anchors       map[string]bool // listings whose number waits for the barrier
	opened        bool            // the history was read once: numbers may be read now
	needsLogin    bool
	subscriptions []driver.Subscription
	cases         string    // why requests of buyers cannot be read; empty when they can
	messageAt     time.Time // when the newest message about orders reached us, since this program started
}

func newWire(x *Ops, id string, vendor driver.Description, session *connector.Session, g *grip) *wire {
	w := &wire{x: x, id: id, vendor: vendor, session: session, grip: g, log: x.log.With("connection", id), again: map[string]time.Time{},
		wake: make(chan struct{}, 1), wakePush: make(chan struct{}, 1), wakeRead: make(chan struct{}, 1), wakeSweep: make(chan struct{}, 1), wakeMeet: make(chan struct{}, 1), wakeShip: make(chan struct{}, 1)}
	w.state.anchors = map[string]bool{}
	w.ctx, w.cancel = context.WithCancel(x.ctx)
	w.calls, w.cut = context.WithCancel(context.WithoutCancel(x.ctx))
	return w
}

func (w *wire) start() {
	for _, loop := range []func(){w.completeLoop, w.pushLoop, w.readLoop, w.sweepLoop, w.caseLoop, w.shipLoop, w.combineLoop} {
		w.work.Go(loop)
	}
}

// stop ends the loops. Pushes under way get a moment to be answered; those that have not left are recorded as such.
func (w *wire) stop() {
	w.cancel()
	late := time.AfterFunc(drainTime, w.cut)
	w.work.Wait()
	late.Stop()
	w.cut()
	w.mu.Lock()
	left, queue := w.pushes, w.queue
	w.pushes, w.queue, w.ended = nil, nil, true
	w.mu.Unlock()
	w.unsent(left)
	for _, d := range queue { // what is left is in the inbox, for whoever comes next
		w.x.wires.inHand.drop(d.id)
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// take queues a message. When the queue is full, or the wire has ended, the message stays in the inbox, where a rescan finds it.
func (w *wire) take(d delivery) {
	if !w.x.wires.inHand.add(d.id) {
		return
	}
	w.mu.Lock()
	if d.received.After(w.state.messageAt) {
		w.state.messageAt = d.received
	}
	full := len(w.queue) >= wireQueue || w.ended // nobody would come for it any more
	if !full {
		w.queue = append(w.queue, d)
	}
	w.mu.Unlock()
	if full {
		w.x.wires.inHand.drop(d.id)
		return
	}
	poke(w.wake)
}

// completeLoop turns messages into whole orders: what a message does not say is read from the channel, many orders in one call. A few
// batches are under way at once, so that reading one and storing another overlap; facts converge whatever their order.
func (w *wire) completeLoop() {
	slots := make(chan struct{}, completeAtOnce)
	var under sync.WaitGroup
	defer under.Wait()
	var pause atomic.Int64
	var last time.Time
	for {
		if !w.rest(max(time.Duration(pause.Load()), gatherTime-w.x.now().Sub(last)), w.wake, w.nextReread) {
			return
		}
		select {
		case slots <- struct{}{}:
		case <-w.ctx.Done():
			return
		}
		batch, ids := w.nextBatch(), w.dueRereads()
		if len(batch) == 0 && len(ids) == 0 {
			<-slots
			continue
		}
		last = w.x.now()
		poke(w.wake) // there may be more
		under.Go(func() {
			defer func() { <-slots }()
			err := w.complete(batch, ids)
			if err == nil {
				pause.Store(0)
				return
			}
			if w.ctx.Err() == nil {
				w.failed("completing messages", err)
			}
			w.giveBack(batch, ids)
			pause.Store(int64(grow(time.Duration(pause.Load()))))
			poke(w.wake)
		})
	}
}

// rest waits for the pause to end, then for a wake-up or the moment due names. It is false when the wire stops.
func (w *wire) rest(pause time.Duration, wake <-chan struct{}, due func() (time.Time, bool)) bool {
	if pause > 0 {
		t := time.NewTimer(pause)
		defer t.Stop()
		select {
		case <-t.C:
		case <-w.ctx.Done():
			return false
		}
	}
	var timer <-chan time.Time
	if due != nil {
		if at, ok := due(); ok {
			t := time.NewTimer(at.Sub(w.x.now()))
			defer t.Stop()
			timer = t.C
		}
	}
	select {
	case <-wake:
		return true
	case <-timer:
		return true
	case <-w.ctx.Done():
		return false
	}
}

func grow(pause time.Duration) time.Duration {
	return min(max(firstPause, pause*2), maxPause)
}

// nextBatch takes messages off the queue: as many as one read of orders can complete, or a batch of complete ones.
func (w *wire) nextBatch() []delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids, n, most := map[string]bool{}, 0, completeBatch
	if len(w.queue) > backlog {
		most = max(completeBatch, w.vendor.Limits.OrderIDs)
	}
	for n < len(w.queue) && n < most {
		d := w.queue[n]
		if !d.complete() {
			for _, f := range d.facts {
				ids[f.ExternalID] = true
			}
			if len(ids) > w.vendor.Limits.OrderIDs && n > 0 {
				break
			}
		}
		n++
	}
	batch := append([]delivery(nil), w.queue[:n]...)
	w.queue = w.queue[n:]
	return batch
}

// giveBack puts messages back at the front after a failure.
func (w *wire) giveBack(batch []delivery, rereads []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range rereads {
		w.again[id] = w.x.now()
	}
	for i := range batch {
		batch[i].tries++
	}
	w.queue = append(batch, w.queue...)
}

// complete reads what the messages leave open and takes everything in.
func (w *wire) complete(batch []delivery, ids []string) error {
	in := Incoming{ConnectionID: w.id, Source: SourceWebhook, InboxOf: map[string][]string{}}
	for _, d := range batch {
		for _, f := range d.facts {
			in.Facts = append(in.Facts, f)
			in.InboxOf[f.ExternalID] = append(in.InboxOf[f.ExternalID], d.id)
			if !d.complete() {
				ids = append(ids, f.ExternalID)
			}
		}
		if in.ReceivedAt.IsZero() || d.received.Before(in.ReceivedAt) {
			in.ReceivedAt = d.received
		}
	}
	ctx, cancel := context.WithTimeout(w.ctx, callTime)
	defer cancel()
	said := in.Facts
	var read []order.Fact
	for part := range chunks(unique(ids), w.vendor.Limits.OrderIDs) {
		facts, err := w.session.OrdersByID(ctx, part)
		if err != nil {
			return err
		}
		read = append(read, facts...)
	}
	own(read, w.id)
	own(said, w.id)
	in.Facts = append(read, said...) // what was read says more: a notice of the same is then no news
	if len(in.Facts) == 0 {
		return nil
	}
	taken, err := w.takeIn(ctx, in)
	if err != nil {
		return err
	}
	w.worked()
	w.known.add(said)
	w.known.addRead(read)
	w.known.forget(taken.NeedsDetail)
	w.reread(taken.NeedsDetail, ids)
	for _, d := range batch {
		w.x.wires.inHand.drop(d.id)
	}
	return nil
}

// takeIn takes facts in. If that fails, each order is tried by itself, so that one that cannot be taken in is set aside with its reason
// and holds up no other; an error is returned only when none of them could be.
func (w *wire) takeIn(ctx context.Context, in Incoming) (Taken, error) {
	taken, err := w.x.Intake(ctx, in)
	if err == nil || !poisonous(err) {
		return taken, err
	}
	byOrder := map[string][]order.Fact{}
	var ids []string
	for _, f := range in.Facts {
		if byOrder[f.ExternalID] == nil {
			ids = append(ids, f.ExternalID)
		}
		byOrder[f.ExternalID] = append(byOrder[f.ExternalID], f)
	}
	var all Taken
	took := map[string][]string{} // messages by order; done when all orders are taken in, since one message may be about several
	for _, id := range ids {
		t, oneErr := w.x.Intake(ctx, Incoming{ConnectionID: in.ConnectionID, Source: in.Source, Facts: byOrder[id], ReceivedAt: in.ReceivedAt})
		switch {
		case oneErr == nil:
			took[id] = in.InboxOf[id]
			all.Refused, all.NeedsDetail = append(all.Refused, t.Refused...), append(all.NeedsDetail, t.NeedsDetail...)
			all.Changed += t.Changed
		case !poisonous(oneErr):
			return all, oneErr
		case len(in.InboxOf[id]) == 0:
			all.Refused = append(all.Refused, Refusal{ExternalID: id, Reason: oneErr.Error()})
		default:
			for _, message := range in.InboxOf[id] {
				w.x.park(message, "its order cannot be taken in: "+oneErr.Error())
			}
		}
	}
	w.x.finishMessages(took, all.Refused)
	return all, nil
}

// poisonous reports whether an intake failed because of what was taken in; a database that is away or a queue that is full will pass.
func poisonous(err error) bool {
	switch errs.KindOf(err) {
	case errs.Busy, errs.Unavailable:
		return false
	}
	return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// Orders that must be read again are asked for at once, and with a growing pause if that was not enough: channels answer from
// replicas that lag.
const (
	rereadSoon  = 100 * time.Millisecond
	rereadLater = 10 * time.Second
	rereadBound = 10_000 // beyond it the sweep finds them
)

func (w *wire) reread(need, asked []string) {
	if len(need) == 0 {
		return
	}
	was := map[string]bool{}
	for _, id := range asked {
		was[id] = true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range need {
		pause := rereadSoon
		if was[id] {
			pause = rereadLater
		}
		if _, known := w.again[id]; !known && len(w.again) < rereadBound {
			w.again[id] = w.x.now().Add(pause)
		}
	}
}

func (w *wire) nextReread() (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var next time.Time
	for _, at := range w.again {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next, !next.IsZero()
}

func (w *wire) dueRereads() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for id, at := range w.again {
		if !at.After(w.x.now()) && len(out) < w.vendor.Limits.OrderIDs {
			out = append(out, id)
			delete(w.again, id)
		}
	}
	return out
}

// failed notes a failure for the pages and classes it: a login that is refused needs a person.
func (w *wire) failed(what string, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	w.mu.Lock()
	fresh := w.state.failing == ""
	w.state.failing, w.state.failingAt = what+": "+err.Error(), w.x.now()
	login := driver.ClassOf(err) == driver.AskHuman && !w.state.needsLogin
	w.state.needsLogin = w.state.needsLogin || login
	w.mu.Unlock()
	if fresh {
		w.log.Warn("connection failing", "while", what, "err", err)
	}
	if login {
		w.x.setConnectionState(w.id, store.NeedsLogin, errs.Safe(err))
	}
	w.x.live.notify("connection:" + w.id)
}

// report is what this wire says of itself to pages of other processes, and to people who ask for the state of all.
func (w *wire) report() WireReport {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := WireReport{Opened: w.state.opened, NeedsLogin: w.state.needsLogin, Failing: w.state.failing, Cases: w.state.cases, FailingAt: w.state.failingAt, SeenAt: w.state.lastSeen,
		SweptAt: w.state.sweptAt, Watermark: w.state.watermark, MessageAt: w.state.messageAt, Messages: len(w.queue), Pushes: len(w.pushes)}
	return r
}

// report is what is known of how a connection works: by its wire here, or what its owner last said.
func (x *Ops) report(connID string) (WireReport, bool) {
	if w := x.wires.get(connID); w != nil {
		return w.report(), true
	}
	l, owned := x.keeper.lastSaid(connID)
	if !owned {
		return WireReport{}, false
	}
	var r WireReport
	if err := json.Unmarshal([]byte(l.Info), &r); err != nil { // a lease just taken says nothing yet
		return WireReport{}, l.Info == ""
	}
	return r, true
}

// WireReport is what the owner of a connection says of its work.
type WireReport struct {
	Opened     bool      `json:"opened"`
	NeedsLogin bool      `json:"needs_login,omitempty"`
	Failing    string    `json:"failing,omitempty"`
	Cases      string    `json:"cases,omitempty"` // why requests of buyers cannot be read
	FailingAt  time.Time `json:"failing_at,omitzero"`
	SeenAt     time.Time `json:"seen_at,omitzero"`
	SweptAt    time.Time `json:"swept_at,omitzero"`
	Watermark  time.Time `json:"watermark,omitzero"`
	MessageAt  time.Time `json:"message_at,omitzero"`
	Messages   int       `json:"messages"` // in hand, to be completed
	Pushes     int       `json:"pushes"`   // waiting to leave
}

func (w *wire) worked() {
	w.mu.Lock()
	was, login := w.state.failing, w.state.needsLogin
	w.state.failing, w.state.lastSeen, w.state.needsLogin = "", w.x.now(), false
	w.mu.Unlock()
	if was != "" {
		w.log.Info("connection works again", "was", was)
		w.x.live.notify("connection:" + w.id)
	}
	if login {
		w.x.setConnectionState(w.id, store.Active, "")
	}
}
