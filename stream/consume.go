package stream

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// handleTime bounds one call of a handler; consumeWait, how long a message may be held without a word, is longer, so that a slow
	// handler does not make another process begin the same message.
	handleTime  = 20 * time.Second
	consumeWait = 30 * time.Second
	// defaultTries before an event is set aside: with the pauses below, five tries span four seconds.
	defaultTries          = 5
	pauseFirst, pauseMost = 250 * time.Millisecond, 10 * time.Second
	unreadableTries       = 10 // a newer program may be about to read what this one cannot
	deadVendor            = "stream"
	// againEvery is how often a reader looks for events that a person wants tried again, againPage how many it takes up then.
	againEvery, againPage = 5 * time.Second, 100
	maxReaderName         = 64
)

// Reader is a durable consumer: the server remembers how far it is, whichever process reads.
type Reader struct {
	Name    string   // the same in every process: letters, digits, dash and underscore
	Kinds   []string // of events; a kind may end in .> for all below it; none: all
	History bool     // a new reader begins with the oldest event kept; otherwise with what comes
	Tries   int      // before an event is set aside; 0: 5
	// Handle does what the event asks for. It may be called again with the same event, after a crash in any case: it must be idempotent by
	// the event's ID. Its context ends after 20 seconds.
	Handle func(ctx context.Context, e Event) error
	// Dead takes an event that Handle could not do; see SetAside. While Dead fails, the reader waits.
	Dead func(ctx context.Context, e Event, cause error) error
	// Again hands events that were set aside to handle when a person has asked for it; see TryAgain. nil: nobody can.
	Again func(ctx context.Context, handle func(context.Context, Event) error) error
}

// Consume calls the reader's handler with one event after the other until ctx ends. What is said about one subject comes in the order of the
// log. An event that fails is tried again with growing pauses while later ones wait, and set aside after the last try. Several
// processes may consume under one name: one of them works, and another goes on where it ended. Errors: Invalid (the reader).
func (s *Stream) Consume(ctx context.Context, r Reader) error {
	if r.Tries <= 0 {
		r.Tries = defaultTries
	}
	if r.Name == "" || len(r.Name) > maxReaderName || r.Handle == nil || r.Dead == nil {
		return errs.New(errs.Invalid, "stream.Consume", r.Name, "a reader needs a name of at most %d characters, a handler and a place for what fails", maxReaderName)
	}
	c := &consumer{s: s, r: r}
	for ctx.Err() == nil {
		if err := c.follow(ctx); err != nil && ctx.Err() == nil {
			s.log.Debug("a reader waits for NATS", "reader", r.Name, "err", err)
		}
		rest(ctx, relayAgain, nil)
	}
	return nil
}

type consumer struct {
	s    *Stream
	r    Reader
	seq  uint64 // the message begun
	done int    // its events that are done with

	looked time.Time // for what is to be tried again
}

func (c *consumer) follow(ctx context.Context) error {
	if err := c.s.lay(ctx); err != nil {
		return err
	}
	cfg := jetstream.ConsumerConfig{Durable: c.r.Name, AckPolicy: jetstream.AckExplicitPolicy, AckWait: consumeWait, MaxDeliver: -1,
		// One message in hand at a time, over all processes: that keeps the order when one is handed out again.
		MaxAckPending: 1, DeliverPolicy: jetstream.DeliverNewPolicy}
	if c.r.History {
		cfg.DeliverPolicy = jetstream.DeliverAllPolicy
	}
	for _, k := range c.r.Kinds {
		cfg.FilterSubjects = append(cfg.FilterSubjects, EventSubjects+filter(k))
	}
	cons, err := c.open(ctx, cfg)
	if err != nil {
		c.s.laid.Store(false)
		return away("stream.Consume", err)
	}
	for ctx.Err() == nil {
		c.again(ctx)
		msg, err := next(ctx, cons)
		if err != nil {
			return away("stream.Consume", err)
		}
		if msg != nil {
			c.take(ctx, msg)
		}
	}
	return nil
}

// open finds the durable consumer or makes it. Where it is, its beginning cannot be changed and does not matter any more.
func (c *consumer) open(ctx context.Context, cfg jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	cons, err := c.s.js.Consumer(ctx, EventStream, c.r.Name)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return c.s.js.CreateOrUpdateConsumer(ctx, EventStream, cfg)
	}
	if err != nil {
		return nil, err
	}
	cfg.DeliverPolicy = cons.CachedInfo().Config.DeliverPolicy
	return c.s.js.UpdateConsumer(ctx, EventStream, cfg)
}

// filter is the subject of a kind, which may end in .>
func filter(kind string) string {
	if len(kind) > 2 && kind[len(kind)-2:] == ".>" {
		return subject(kind[:len(kind)-2]) + ".>"
	}
	return subject(kind)
}

// take does what one message holds and lets it go, or gives it back.
func (c *consumer) take(ctx context.Context, msg jetstream.Msg) {
	meta, err := msg.Metadata()
	if err != nil {
		c.s.log.Error("a message has no place in the stream", "reader", c.r.Name, "err", err)
		return
	}
	if meta.Sequence.Stream != c.seq {
		c.seq, c.done = meta.Sequence.Stream, 0
	}
	var env Envelope
	if err := env.Open(msg.Data()); err != nil {
		if meta.NumDelivered < unreadableTries || !c.dead(ctx, Event{ID: msg.Headers().Get(uptoHeader), Kind: msg.Subject()}, err) {
			c.back(msg, pauseMost)
			return
		}
		c.s.settle(ctx, msg)
		return
	}
	for c.done < len(env.Events) {
		if !c.event(ctx, msg, env.Events[c.done]) {
			delay := time.Duration(0) // stopping: another process may have it at once
			if ctx.Err() == nil {
				delay = pauseMost
			}
			c.back(msg, delay)
			return
		}
		c.done++
	}
	c.s.settle(ctx, msg)
}

// event tries one event and says whether it is done with.
func (c *consumer) event(ctx context.Context, msg jetstream.Msg, e Event) bool {
	pause := pauseFirst
	for try := 1; ; try++ {
		if err := msg.InProgress(); err != nil {
			return false
		}
		err := c.handle(ctx, e)
		switch {
		case err == nil:
			return true
		case ctx.Err() != nil:
			return false
		case try == c.r.Tries:
			return c.dead(ctx, e, err)
		}
		c.s.log.Warn("an event will be tried again", "reader", c.r.Name, "event", e.ID, "kind", e.Kind, "try", try, "err", err)
		rest(ctx, pause, nil)
		pause = min(2*pause, pauseMost)
	}
}

// again takes up, between two messages, what a person wants tried again.
func (c *consumer) again(ctx context.Context) {
	if c.r.Again == nil || time.Since(c.looked) < againEvery {
		return
	}
	if err := c.r.Again(ctx, c.handle); err != nil && ctx.Err() == nil {
		c.s.log.Warn("events that were set aside could not be tried again; a moment later they are", "reader", c.r.Name, "err", err)
	}
	c.looked = time.Now()
}

func (c *consumer) handle(ctx context.Context, e Event) error {
	ctx, cancel := context.WithTimeout(ctx, handleTime)
	defer cancel()
	return c.r.Handle(ctx, e)
}

func (c *consumer) dead(ctx context.Context, e Event, cause error) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handleTime)
	defer cancel()
	if err := c.r.Dead(ctx, e, cause); err != nil {
		c.s.log.Error("an event that failed could not be set aside either; it is tried again", "reader", c.r.Name, "event", e.ID, "err", err)
		return false
	}
	c.s.dead.Add(1)
	return true
}

func (c *consumer) back(msg jetstream.Msg, delay time.Duration) {
	var err error
	if delay > 0 {
		err = msg.NakWithDelay(delay)
	} else {
		err = msg.Nak()
	}
	if err != nil {
		c.s.log.Debug("the server will hand the message out again by itself", "err", err)
	}
}

// SetAside makes a Dead that parks events in the inbox, where pages list what waits for a person, with the reader's name, the event and the
// reason. An event set aside twice is there once.
func SetAside(st *store.Store, reader string) func(ctx context.Context, e Event, cause error) error {
	return func(ctx context.Context, e Event, cause error) error {
		body, err := json.Marshal(Envelope{Version: EnvelopeVersion, Kind: e.Kind, Events: []Event{e}})
		if err != nil {
			return errs.Wrap("stream.SetAside", e.ID, err)
		}
		row := store.InboxRow{ID: deadVendor + "/" + reader + "/" + e.ID, Vendor: deadVendor, AppID: reader, Topic: e.Kind, SentAt: e.At, Body: body,
			State: store.InboxParked, Reason: asideReason(reader, cause)}
		return st.UpdateInbox(ctx, func(tx *store.InboxTx) error { _, err := tx.InboxAppend([]store.InboxRow{row}); return err })
	}
}

// TryAgain makes an Again for a reader whose Dead is SetAside: what a person puts back among the messages that wait is handed to the reader once
// more, out of its order, and is done or set aside again with the new reason. In two processes at once both may be handed it.
func TryAgain(st *store.Store, reader string) func(ctx context.Context, handle func(context.Context, Event) error) error {
	return func(ctx context.Context, handle func(context.Context, Event) error) error {
		var rows []store.InboxRow
		if err := st.ViewInbox(ctx, func(tx *store.InboxTx) (err error) {
			rows, err = tx.InboxPendingOf(deadVendor, reader, againPage)
			return err
		}); err != nil {
			return errs.Wrap("stream.TryAgain", reader, err)
		}
		for _, row := range rows {
			var env Envelope
			err := env.Open(row.Body)
			for _, e := range env.Events {
				if err == nil {
					err = handle(ctx, e)
				}
			}
			if ctx.Err() != nil {
				return nil // it still waits
			}
			if err := st.UpdateInbox(ctx, func(tx *store.InboxTx) error {
				if err == nil {
					return tx.InboxDone([]string{row.ID})
				}
				return tx.InboxPark(row.ID, asideReason(reader, err))
			}); err != nil {
				return errs.Wrap("stream.TryAgain", row.ID, err)
			}
		}
		return nil
	}
}

func asideReason(reader string, cause error) string {
	return "the reader " + reader + " of published events could not do it: " + errs.Safe(cause)
}
