package world

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Bounds of a courier that its options do not set.
const (
	defaultWorkers = 16              // enough to keep a slow receiver from holding up the others, few enough for a laptop
	defaultTimeout = 5 * time.Second // the longest answer time any of the vendors allows
	defaultLogSize = 500             // attempts kept for the page
	maxPending     = 100_000         // messages waiting for a worker or a retry; more are dropped and counted
	maxAnswerRead  = 4 << 10         // of an answer, so that the connection can be used again
	reorderDelay   = 2 * time.Second // how long a reordered webhook waits when its rule names no delay
)

// CourierOptions says how one vendor delivers webhooks.
type CourierOptions struct {
	Clock   Clock
	Faults  *Faults // strikes at "webhook:" + Message.Event; nil for none
	Log     *slog.Logger
	Retries []time.Duration // waits after the first, second, … failed attempt; the message is dropped after the last
	Timeout time.Duration   // an answer that takes longer counts as a failure
	Workers int
	LogSize int
	// Accepted says whether a status ends the delivery; nil accepts 200 to 299.
	Accepted func(status int) bool
	// Headers sets the headers of one attempt, the signature among them; it may be nil.
	Headers func(m Message, attempt int, h http.Header)
	// Client sends the requests; nil is a client that does not follow redirects. Its own timeout is not used.
	Client *http.Client
}

// Message is one webhook on its way to one address. A retry and a duplicate carry the same ID and Body.
type Message struct {
	ID    string // the vendor's notification id
	Event string // the vendor's event name, for faults and the log
	Shop  string // whose event it is, for the log
	URL   string
	Body  []byte
}

// Attempt is one line of the delivery log.
type Attempt struct {
	Seq       uint64    `json:"seq"` // increases by one a line
	ID        string    `json:"id"`
	Event     string    `json:"event"`
	Shop      string    `json:"shop"`
	URL       string    `json:"url"`
	Try       int       `json:"try"` // 1 is the first
	At        time.Time `json:"at"`
	Status    int       `json:"status"` // 0 when there was no answer
	LatencyMS float64   `json:"latency_ms"`
	Delivered bool      `json:"delivered"`
	Error     string    `json:"error,omitempty"`
	Fault     Kind      `json:"fault,omitempty"`
	NextRetry time.Time `json:"next_retry,omitzero"`
	Body      string    `json:"body,omitempty"`
}

// CourierStats counts messages and attempts since the start.
type CourierStats struct {
	Sent      uint64 `json:"sent"`      // messages handed in
	Delivered uint64 `json:"delivered"` // accepted by the receiver, duplicates too
	Failed    uint64 `json:"failed"`    // attempts that failed
	Dropped   uint64 `json:"dropped"`   // messages given up, lost by a fault or over the bound
	Pending   int    `json:"pending"`   // waiting for a worker, a retry or a delay
}

// Courier delivers webhooks over real HTTP with at-least-once semantics. Retry times run on the clock it was given,
// the requests themselves in real time.
type Courier struct {
	o      CourierOptions
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	wake    *sync.Cond // work arrived, or the courier stopped
	idle    chan struct{}
	queue   []parcel
	waiting map[uint64]func() // cancels of retries and delays that wait on the clock
	busy    int
	nextID  uint64
	stopped bool
	log     []Attempt
	seq     uint64
	stats   CourierStats
}

type parcel struct {
	Message
	try   int
	fault Kind
}

// NewCourier starts the workers of a courier. Stop ends them.
func NewCourier(o CourierOptions) *Courier {
	if o.Workers <= 0 {
		o.Workers = defaultWorkers
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.LogSize <= 0 {
		o.LogSize = defaultLogSize
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Accepted == nil {
		o.Accepted = func(status int) bool { return status >= 200 && status < 300 }
	}
	if o.Client == nil {
		o.Client = &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: o.Workers, IdleConnTimeout: 30 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	c := &Courier{o: o, waiting: map[uint64]func(){}}
	c.wake = sync.NewCond(&c.mu)
	c.ctx, c.cancel = context.WithCancel(context.Background())
	for range o.Workers {
		c.wg.Go(c.work)
	}
	return c
}

// Send hands a message over and returns at once. Faults of the webhook's event are drawn here.
func (c *Courier) Send(m Message) {
	p := parcel{Message: m, try: 1}
	rule, struck := c.o.Faults.Draw("webhook:"+m.Event, Drop, Duplicate, Reorder, Delay)
	if struck {
		p.fault = rule.Kind
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Sent++
	switch {
	case c.stopped:
		return
	case p.fault == Drop:
		c.dropped(p, "lost by an arranged fault")
	case len(c.queue)+len(c.waiting) >= maxPending:
		c.dropped(p, "too many webhooks are waiting")
	case p.fault == Delay || p.fault == Reorder:
		d := time.Duration(rule.Delay)
		if d == 0 && p.fault == Reorder {
			d = reorderDelay
		}
		c.later(p, c.o.Clock.Now().Add(d))
	case p.fault == Duplicate:
		c.push(p)
		c.later(p, c.o.Clock.Now().Add(time.Duration(rule.Delay)))
	default:
		c.push(p)
	}
}

// push queues a parcel for a worker. The caller holds the lock.
func (c *Courier) push(p parcel) {
	c.queue = append(c.queue, p)
	c.wake.Signal()
}

// later queues a parcel at the given time, now if that has come. The caller holds the lock.
func (c *Courier) later(p parcel, at time.Time) {
	if !at.After(c.o.Clock.Now()) {
		c.push(p)
		return
	}
	c.nextID++
	id := c.nextID
	c.waiting[id] = c.o.Clock.At(at, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if _, ok := c.waiting[id]; !ok || c.stopped {
			return
		}
		delete(c.waiting, id)
		c.push(p)
	})
}

func (c *Courier) work() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		for len(c.queue) == 0 && !c.stopped {
			c.wake.Wait()
		}
		if c.stopped {
			return
		}
		p := c.queue[0]
		c.queue[0] = parcel{}
		c.queue = c.queue[1:]
		c.busy++
		c.mu.Unlock()
		a := c.attempt(p)
		c.mu.Lock()
		c.busy--
		c.done(p, a)
		if c.busy == 0 && len(c.queue) == 0 && c.idle != nil {
			close(c.idle)
			c.idle = nil
		}
	}
}

// attempt posts a parcel once and reports how it went. It holds no lock.
func (c *Courier) attempt(p parcel) Attempt {
	a := Attempt{ID: p.ID, Event: p.Event, Shop: p.Shop, URL: p.URL, Try: p.try, At: c.o.Clock.Now(), Fault: p.fault,
		Body: string(p.Body)}
	ctx, cancel := context.WithTimeout(c.ctx, c.o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(p.Body))
	if err != nil {
		a.Error = err.Error()
		return a
	}
	req.Header.Set("Content-Type", "application/json")
	if c.o.Headers != nil {
		c.o.Headers(p.Message, p.try, req.Header)
	}
	began := time.Now()
	resp, err := c.o.Client.Do(req)
	a.LatencyMS = float64(time.Since(began).Microseconds()) / 1000
	if err != nil {
		a.Error = err.Error()
		return a
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswerRead) // only the status counts
	_ = resp.Body.Close()
	a.Status = resp.StatusCode
	a.Delivered = c.o.Accepted(resp.StatusCode)
	return a
}

// done records an attempt and arranges the retry of a failed one. The caller holds the lock.
func (c *Courier) done(p parcel, a Attempt) {
	switch {
	case a.Delivered:
		c.stats.Delivered++
	case c.stopped:
	default:
		c.stats.Failed++
		if p.try <= len(c.o.Retries) {
			a.NextRetry = c.o.Clock.Now().Add(c.o.Retries[p.try-1])
			p.try, p.fault = p.try+1, ""
			c.later(p, a.NextRetry)
		} else {
			c.stats.Dropped++
			c.o.Log.Warn("webhook given up", "event", p.Event, "id", p.ID, "tries", p.try, "status", a.Status)
		}
	}
	c.record(a)
}

// dropped records a message that is never sent. The caller holds the lock.
func (c *Courier) dropped(p parcel, why string) {
	c.stats.Dropped++
	c.record(Attempt{ID: p.ID, Event: p.Event, Shop: p.Shop, URL: p.URL, At: c.o.Clock.Now(), Fault: p.fault, Error: why})
}

// record keeps the newest attempts. The caller holds the lock.
func (c *Courier) record(a Attempt) {
	c.seq++
	a.Seq = c.seq
	if len(c.log) >= 2*c.o.LogSize { // trim rarely, so that a line costs no copy
		c.log = slices.Delete(c.log, 0, len(c.log)-c.o.LogSize+1)
	}
	c.log = append(c.log, a)
}

// Attempts is the delivery log, newest first, of at most n lines with a Seq above after.
func (c *Courier) Attempts(after uint64, n int) []Attempt {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Attempt, 0, min(n, c.o.LogSize))
	for i := len(c.log) - 1; i >= 0 && len(out) < min(n, c.o.LogSize) && c.log[i].Seq > after; i-- {
		out = append(out, c.log[i])
	}
	return out
}

// Stats counts what happened so far.
func (c *Courier) Stats() CourierStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Pending = len(c.queue) + len(c.waiting) + c.busy
	return s
}

// Idle waits until no message is queued or being sent. Retries and delays that wait for the clock do not count, so a
// test may send, call Idle, advance the clock, and call Idle again.
func (c *Courier) Idle(ctx context.Context) error {
	c.mu.Lock()
	if c.stopped || c.busy == 0 && len(c.queue) == 0 {
		c.mu.Unlock()
		return nil
	}
	if c.idle == nil {
		c.idle = make(chan struct{})
	}
	idle := c.idle
	c.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stop cuts what is on its way, forgets what waits, and returns when every worker has ended.
func (c *Courier) Stop() {
	c.mu.Lock()
	if !c.stopped {
		c.stopped = true
		for id, cancel := range c.waiting {
			defer cancel() // after the lock is released: a clock may be calling back
			delete(c.waiting, id)
		}
		c.queue = nil
		if c.idle != nil {
			close(c.idle)
			c.idle = nil
		}
	}
	c.wake.Broadcast()
	c.mu.Unlock()
	c.cancel()
	c.wg.Wait()
	c.o.Client.CloseIdleConnections()
}
