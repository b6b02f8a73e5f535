package stream

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// roundEvents are read from the log at once: some hundred kilobytes.
	roundEvents = 1000
	// relayEvery is how often the log is looked at when nobody wakes the relay: one look-up by index.
	relayEvery = 250 * time.Millisecond
	// relayAgain is how long the relay waits after a failure.
	relayAgain = time.Second
	// progressEvery is how often a relay that catches up says how far it is.
	progressEvery = 10 * time.Second
	// messageBytes bounds a message of events below the server's usual limit of 1 MiB.
	messageBytes = 512 << 10
	// cursorSetting holds the position up to which events are published.
	cursorSetting = "stream.cursor"
	// uptoHeader holds the last position of the round a message belongs to.
	uptoHeader = "Spillway-Upto"
)

// Hold runs f while this process is the one to do it, and ends f's context when it no longer is. It returns when f does, or at once when
// another process holds the part.
type Hold func(ctx context.Context, f func(ctx context.Context) error) error

// RelayOptions say how the log is followed.
type RelayOptions struct {
	Hold    Hold // nil: this is the only process
	History bool // publish the whole log when nothing was ever published; otherwise begin with what happens from then on
	// Wake makes the relay look at the log now; nil: it looks four times a second.
	Wake <-chan struct{}
}

// Relay publishes the event log until ctx ends. NATS or the database away only makes it wait.
//
// Order: what is said about one subject is published in the order of the log, because messages are sent one after the other, each after the
// one before is on disk, and never past a failed one. A relay that was overtaken, because its lease ran out while it was paused, is
// refused by the server: every message names the stream's last one as it knows it.
func (s *Stream) Relay(ctx context.Context, st *store.Store, o RelayOptions) {
	hold := o.Hold
	if hold == nil {
		hold = func(ctx context.Context, f func(context.Context) error) error { return f(ctx) }
	}
	var said string
	for ctx.Err() == nil {
		r := relay{s: s, st: st, o: o}
		err := hold(ctx, r.follow)
		if ctx.Err() != nil {
			return
		}
		if err == nil { // another process has the part, and knows the lag
			s.waiting.Store(0)
		} else {
			r.measure(ctx)
			if text := err.Error(); text != said {
				s.log.Warn("events wait in the database", "err", err)
				said = text
			}
		}
		if r.moved {
			said = ""
		}
		rest(ctx, relayAgain, nil)
	}
}

// relay follows the log from where the last one ended.
type relay struct {
	s  *Stream
	st *store.Store
	o  RelayOptions

	cursor int64  // published up to here
	last   uint64 // the stream's last message
	bound  int64  // the end of a round that was begun before; 0: none
	moved  bool
	since  time.Time // of catching up
	told   time.Time
	count  int64
	// crash, in tests, comes between the publication of a round and the saving of the cursor.
	crash func() error
}

func (r *relay) follow(ctx context.Context) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		n, err := r.round(ctx)
		if err != nil {
			return err
		}
		r.progress(n)
		if n < roundEvents {
			rest(ctx, relayEvery, r.o.Wake)
		}
	}
	return nil
}

// begin finds where to go on. When a round was published and the cursor not saved, the stream knows how far it went: reading exactly that
// far again makes the same messages, which the server recognises.
func (r *relay) begin(ctx context.Context) error {
	if err := r.st.Update(ctx, r.first); err != nil { // first: what happens from now on is to be published, NATS or not
		return errs.Wrap("stream.Relay", "", err)
	}
	if err := r.s.lay(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	st, err := r.s.js.Stream(ctx, EventStream)
	if err != nil {
		r.s.laid.Store(false)
		return away("stream.Relay", err)
	}
	r.last = st.CachedInfo().State.LastSeq
	msg, err := st.GetLastMsgForSubject(ctx, EventSubjects+">")
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil
	}
	if err != nil {
		return away("stream.Relay", err)
	}
	if upto, err := strconv.ParseInt(msg.Header.Get(uptoHeader), 10, 64); err == nil && upto > r.cursor {
		r.bound = upto
	}
	return nil
}

// first reads the cursor, or sets it where nothing was ever published.
func (r *relay) first(tx *store.Tx) error {
	text, found, err := tx.SettingGet(cursorSetting)
	if err != nil {
		return err
	}
	if found {
		r.cursor, err = strconv.ParseInt(text, 10, 64)
		return err
	}
	if r.cursor = 0; !r.o.History {
		if r.cursor, err = tx.EventLast(); err != nil {
			return err
		}
	}
	return tx.SettingSet(cursorSetting, strconv.FormatInt(r.cursor, 10))
}

// round publishes what follows the cursor and says how many events that was.
func (r *relay) round(ctx context.Context) (int, error) {
	events, err := r.read(ctx, roundEvents)
	if err != nil || len(events) == 0 {
		if err == nil {
			r.s.waiting.Store(0)
		}
		return 0, err
	}
	r.s.waiting.Store(events[0].At.UnixMilli())
	upto := events[len(events)-1].Seq
	for _, p := range pack(events, r.limit()) {
		if err := r.publish(ctx, p, upto); err != nil {
			return 0, err
		}
	}
	if r.crash != nil {
		if err := r.crash(); err != nil {
			return 0, err
		}
	}
	if err := r.save(ctx, upto); err != nil {
		return 0, err
	}
	r.s.published.Add(int64(len(events)))
	r.s.rounds.Add(1)
	r.moved = true
	return len(events), nil
}

func (r *relay) read(ctx context.Context, limit int) (events []store.Event, err error) {
	err = r.st.View(ctx, func(tx *store.Tx) (err error) {
		events, err = tx.EventsAfter(r.cursor, limit)
		return err
	})
	if err != nil {
		return nil, errs.Wrap("stream.Relay", "", err)
	}
	if bound := r.bound; bound > 0 && len(events) > 0 {
		r.bound = 0
		n := 0
		for n < len(events) && events[n].Seq <= bound {
			n++
		}
		if n > 0 { // none: a restored database knows nothing of that round
			events = events[:n]
		}
	}
	return events, nil
}

// limit is how large a message may be on this server.
func (r *relay) limit() int {
	const headers = 4 << 10
	if most := int(r.s.nc.MaxPayload()) - headers; most > 0 {
		return min(messageBytes, most)
	}
	return messageBytes
}

func (r *relay) publish(ctx context.Context, p parcel, upto int64) error {
	data, err := json.Marshal(p.Envelope)
	if err != nil {
		return errs.Wrap("stream.Relay", p.Events[0].ID, err)
	}
	msg := &nats.Msg{Subject: EventSubjects + subject(p.Kind), Data: data, Header: nats.Header{uptoHeader: {strconv.FormatInt(upto, 10)}}}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	ack, err := r.s.js.PublishMsg(ctx, msg, jetstream.WithMsgID(p.id(data)), jetstream.WithExpectStream(EventStream), jetstream.WithExpectLastSequence(r.last))
	if err != nil {
		r.s.laid.Store(false) // the stream may be gone
		return away("stream.Relay", err)
	}
	r.last = max(r.last, ack.Sequence)
	return nil
}

// save moves the cursor, unless another relay has.
func (r *relay) save(ctx context.Context, upto int64) error {
	err := r.st.Update(ctx, func(tx *store.Tx) error {
		text, _, err := tx.SettingGet(cursorSetting)
		if err != nil {
			return err
		}
		if text != strconv.FormatInt(r.cursor, 10) {
			return errs.New(errs.Conflict, "stream.Relay", "", "another process publishes the events")
		}
		return tx.SettingSet(cursorSetting, strconv.FormatInt(upto, 10))
	})
	if err != nil {
		return errs.Wrap("stream.Relay", "", err)
	}
	r.cursor = upto
	return nil
}

// measure looks how old the oldest unpublished event is while nothing can be published.
func (r *relay) measure(ctx context.Context) {
	var oldest []store.Event
	err := r.st.View(ctx, func(tx *store.Tx) error {
		text, found, err := tx.SettingGet(cursorSetting)
		if err != nil || !found {
			return err
		}
		cursor, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return err
		}
		oldest, err = tx.EventsAfter(cursor, 1)
		return err
	})
	if err == nil && len(oldest) > 0 {
		r.s.waiting.Store(oldest[0].At.UnixMilli())
	}
}

// progress tells how far a relay is that has much to catch up.
func (r *relay) progress(n int) {
	now := time.Now()
	if n < roundEvents {
		if !r.told.IsZero() {
			r.s.log.Info("events are published as they happen again", "published", r.count+int64(n), "took", now.Sub(r.since).Round(time.Millisecond))
		}
		r.since, r.told, r.count = time.Time{}, time.Time{}, 0
		return
	}
	r.count += int64(n)
	if r.since.IsZero() {
		r.since = now
		return
	}
	if now.Sub(r.since) >= progressEvery && now.Sub(r.told) >= progressEvery {
		r.told = now
		r.s.log.Info("events are being caught up", "published", r.count, "behind", r.s.Figures().Lag.Round(time.Second))
	}
}

// subject makes a kind of event fit for a NATS subject: what it does not allow becomes an underscore.
func subject(kind string) string {
	kind = strings.Map(func(c rune) rune {
		if c <= ' ' || c == '*' || c == '>' || c > '~' {
			return '_'
		}
		return c
	}, kind)
	kind = strings.Trim(kind, ".")
	for strings.Contains(kind, "..") {
		kind = strings.ReplaceAll(kind, "..", ".")
	}
	if kind == "" {
		return "_"
	}
	return kind
}
