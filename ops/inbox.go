package ops

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// rescanEvery is how often the inbox is read for messages that no worker has in hand: left by a crash, a full queue or a dead channel.
	rescanEvery = 5 * time.Second
	// rescanPage messages are taken up at once.
	rescanPage = 1000
	// keepInbox is how long done messages stay replayable.
	keepInbox = 14 * 24 * time.Hour
)

// Receive takes one webhook: it verifies the signature, stores the raw bytes and returns once they are durable. A repeat of
// a delivery is accepted and changes nothing. What the message means is worked out afterwards.
func (x *Ops) Receive(ctx context.Context, vendor, appID string, header http.Header, body []byte) error {
	const op = "ops.Receive"
	if _, ships := x.carriers[vendor]; ships {
		return x.ReceiveParcelNews(ctx, vendor, appID, header, body)
	}
	v, ok := x.vendors[vendor]
	if !ok {
		return errs.New(errs.NotFound, op, vendor, "no such vendor is known here")
	}
	app, err := x.app(ctx, appID)
	if errs.Is(err, errs.Unavailable) {
		return errs.Wrap(op, appID, err)
	}
	if err != nil || app.vendor != vendor {
		return errs.New(errs.NotFound, op, appID, "no such app is set up here")
	}
	env, err := v.Verify(app.App, header, body)
	if err != nil {
		if driver.ClassOf(err) == driver.Forged {
			x.gauges.forged.Add(1)
			return errs.New(errs.Unauthenticated, op, vendor, "the signature does not match; the message is not from the vendor or the app's secret is not the one set up here")
		}
		return &errs.Error{Kind: errs.Invalid, Op: op, Item: vendor, Safe: "the message cannot be read", Cause: err}
	}
	now := x.now()
	row := store.InboxRow{
		ID: vendor + "/" + appID + "/" + env.DeliveryID, Vendor: vendor, AppID: appID, Topic: env.Topic, Body: body,
		ConnectionID: x.shopOf(ctx, appID, env), ReceivedAt: now, SentAt: env.SentAt, State: store.InboxPending,
	}
	if !x.keeper.alone {
		x.arriving.add(row.ID)
	}
	fresh, err := x.inbox.Do(ctx, row)
	if err != nil || !fresh {
		x.arriving.drop(row.ID)
	}
	if err != nil {
		return errs.Wrap(op, env.DeliveryID, err)
	}
	x.gauges.received(fresh, x.now().Sub(now))
	if fresh {
		x.pass(row)
	}
	return nil
}

// arrivals is how many stored messages may wait to be decoded.
const arrivals = 4096

// decodeArrivals decodes stored messages apart from the requests that brought them, so that no vendor waits for it.
func (x *Ops) decodeArrivals() {
	for {
		select {
		case row := <-x.arrived:
			x.dispatch(x.vendors[row.Vendor], row)
			x.arriving.drop(row.ID)
		case <-x.ctx.Done():
			return
		}
	}
}

func (x *Ops) inboxAppend(ctx context.Context, rows []store.InboxRow, next func()) ([]bool, error) {
	var ids []string
	err := x.st.UpdateInboxAhead(ctx, func(tx *store.InboxTx) (err error) {
		ids, err = tx.InboxAppend(rows)
		return err
	}, next)
	if err != nil {
		return nil, err
	}
	news := make(map[string]bool, len(ids))
	for _, id := range ids {
		news[id] = true
	}
	fresh := make([]bool, len(rows))
	for i, r := range rows {
		fresh[i] = news[r.ID]
		delete(news, r.ID) // a repeat within the batch is no news
	}
	return fresh, nil
}

// dispatch decodes a stored message and hands its facts on. A message that cannot be decoded is parked with its reason.
func (x *Ops) dispatch(v driver.Vendor, row store.InboxRow) {
	facts, err := v.Decode(row.Topic, row.Body)
	if err != nil {
		x.park(row.ID, "it cannot be decoded: "+err.Error())
		return
	}
	var orders []order.Fact
	for _, f := range facts {
		switch {
		case f.Order != nil:
			orders = append(orders, *f.Order)
		default:
			x.otherFact(row, f)
		}
	}
	if len(orders) == 0 {
		x.doneWith(row.ID)
		return
	}
	w := x.wires.get(row.ConnectionID)
	if w == nil && x.keeper.elsewhere(row.ConnectionID) {
		x.peers.tell(noticeInbox + " " + row.ConnectionID)
		return // it stays in the inbox for the one who works the connection
	}
	if w == nil && row.ConnectionID != "" && x.beingConnected(row.ConnectionID) {
		return // it stays in the inbox until the connection is at work
	}
	if w == nil {
		x.park(row.ID, "it is about a shop that is not connected here")
		return
	}
	for i := range orders {
		orders[i].ConnectionID = row.ConnectionID
		if orders[i].ReadAt.IsZero() { // sent to us unasked: it is as of the moment the channel sent it
			orders[i].ReadAt = row.ReceivedAt
			if !row.SentAt.IsZero() {
				orders[i].ReadAt = row.SentAt
			}
		}
	}
	w.take(delivery{id: row.ID, facts: orders, received: row.ReceivedAt})
}

// shopOf finds the connection a message is about. The shop may have been connected by another process, or a moment ago: one that is not known
// is looked up before it is called a stranger's, since nobody knows later what only the message's header said.
func (x *Ops) shopOf(ctx context.Context, appID string, env driver.Envelope) string {
	if id := x.wires.connectionOf(appID, env); id != "" {
		return id
	}
	x.wires.asking.Lock() // messages of a stranger, however many, read one after the other
	defer x.wires.asking.Unlock()
	if id := x.wires.connectionOf(appID, env); id != "" {
		return id
	}
	if x.now().Before(x.wires.askNext) { // the database is away, and a vendor waits for its answer
		return ""
	}
	if _, err := x.learnShops(ctx); err != nil {
		x.wires.askNext = x.now().Add(rescanEvery)
		x.log.Warn("the shop of a message cannot be looked up", "app", appID, "err", err)
	}
	return x.wires.connectionOf(appID, env)
}

// beingConnected reports whether a connection that is not at work here is one that somebody is to work, or that cannot be looked up now.
func (x *Ops) beingConnected(connID string) bool {
	if x.wires.workable(connID) {
		return true
	}
	if _, err := x.learnShops(x.ctx); err != nil {
		x.log.Warn("the connection of a message cannot be looked up", "connection", connID, "err", err)
		return true
	}
	return x.wires.workable(connID)
}

// learnShops reads what connections there are.
func (x *Ops) learnShops(ctx context.Context) (conns []store.Connection, err error) {
	ctx, cancel := context.WithTimeout(ctx, leaseCall)
	defer cancel()
	err = x.st.View(ctx, func(tx *store.Tx) (err error) {
		conns, err = tx.ConnectionList()
		return err
	})
	if err == nil {
		x.wires.know(conns)
	}
	return conns, err
}

// delivery is one stored message on its way through a connection's queue.
type delivery struct {
	id       string
	facts    []order.Fact
	received time.Time
	tries    int
}

// complete says that the message's facts need no further reading from the channel.
func (d delivery) complete() bool {
	for _, f := range d.facts {
		if f.Kind != order.Snapshot {
			return false
		}
	}
	return true
}

func (x *Ops) park(id, reason string) {
	x.gauges.parked.Add(1)
	x.log.Warn("message parked", "message", id, "reason", reason)
	err := x.st.UpdateInbox(context.Background(), func(tx *store.InboxTx) error { return tx.InboxPark(id, reason) })
	if err != nil {
		x.log.Error("message could not be parked", "message", id, "err", err)
	}
	x.live.notify("problems")
}

// doneWith marks messages as worked in, together with others a moment later. Call it only after what they say is committed: a message that
// is done is never looked at again. A crash before the mark is written means that the message is looked at once more, which is safe
// because facts are idempotent.
func (x *Ops) doneWith(ids ...string) {
	x.finished.mu.Lock()
	defer x.finished.mu.Unlock()
	if x.finished.ids == nil {
		x.finished.ids = map[string]struct{}{}
	}
	for _, id := range ids {
		x.finished.ids[id] = struct{}{}
	}
}

// finished are messages to be marked done with the next flush.
type finished struct {
	mu  sync.Mutex
	ids map[string]struct{}
}

func (f *finished) has(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, known := f.ids[id]
	return known
}

func (f *finished) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Keys(f.ids))
}

func (f *finished) drop(ids []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids {
		delete(f.ids, id)
	}
}

// flushEvery is how long finished messages are gathered.
const flushEvery = 100 * time.Millisecond

func (x *Ops) flushFinished() {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			x.markFinished()
		case <-x.ctx.Done(): // Stop marks what is finished until then
			return
		}
	}
}

func (x *Ops) markFinished() {
	ids := x.finished.all()
	if len(ids) == 0 {
		return
	}
	if err := x.st.UpdateInbox(context.WithoutCancel(x.ctx), func(tx *store.InboxTx) error { return tx.InboxDone(ids) }); err != nil {
		x.log.Error("messages could not be marked done; they will be taken up again", "messages", len(ids), "err", err)
	}
	x.finished.drop(ids) // not before: a rescan would take them up meanwhile
}

// inHand remembers the messages some worker has, so that a rescan does not take them up twice.
type inHand struct {
	mu  sync.Mutex
	ids map[string]struct{}
}

func (h *inHand) add(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ids == nil {
		h.ids = map[string]struct{}{}
	}
	_, known := h.ids[id]
	h.ids[id] = struct{}{}
	return !known
}

func (h *inHand) has(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, known := h.ids[id]
	return known
}

func (h *inHand) drop(ids ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range ids {
		delete(h.ids, id)
	}
}

// rescan looks at all pending messages.
func (x *Ops) rescan(ctx context.Context) error { return x.scan(ctx, 0) }

// scan looks at the pending messages after a row.
func (x *Ops) scan(ctx context.Context, after int64) error {
	before := x.now().Add(-rescanEvery)
	for {
		var rows []store.InboxRow
		err := x.st.ViewInbox(ctx, func(tx *store.InboxTx) (err error) {
			rows, err = tx.InboxPending(rescanPage, after)
			return err
		})
		if err != nil {
			return err
		}
		for _, row := range rows {
			after = row.Seq
			x.scanned.Store(max(x.scanned.Load(), row.Seq))
			v, ok := x.vendors[row.Vendor]
			if row.ConnectionID == "" {
				row.ConnectionID = x.wires.connectionOf(row.AppID, driver.Envelope{})
			}
			if !ok || x.inOtherHands(row, row.ReceivedAt.After(before)) {
				continue
			}
			x.dispatch(v, row)
		}
		if len(rows) < rescanPage || ctx.Err() != nil {
			return nil
		}
	}
}

// RetryParked puts parked messages back into the inbox; no ids means all of them. It returns how many.
func (x *Ops) RetryParked(ctx context.Context, ids []string) (int64, error) {
	var n int64
	err := x.st.UpdateInbox(ctx, func(tx *store.InboxTx) (err error) {
		if len(ids) == 0 {
			n, err = tx.InboxRetryParked()
		} else {
			n, err = tx.InboxRetry(ids)
		}
		return err
	})
	if err != nil {
		return 0, errs.Wrap("ops.RetryParked", "", err)
	}
	return n, x.rescan(ctx)
}
