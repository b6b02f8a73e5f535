package stream

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// directTime is how long the database may take to store a batch of webhooks before it counts as away, and shelterTime how long the
	// shelter may: together less than what a vendor waits.
	directTime, shelterTime = time.Second, time.Second
	// shelterApart keeps sheltered batches of fewer than shelterLarge rows apart, so that each holds more: the drainer takes one after the
	// other, each a commit and two round trips to a majority of servers, and must be quicker than what comes.
	shelterApart = 100 * time.Millisecond
	shelterLarge = 256
	// directAgain is how long the database is not asked after it failed; it doubles up to directAgainMost.
	directAgain, directAgainMost = 500 * time.Millisecond, 8 * time.Second
	// refuseFor is how long webhooks are refused at once after neither could take them.
	refuseFor = 500 * time.Millisecond
)

// Append stores webhooks and says of each whether it is new; all or nothing.
type Append = func(ctx context.Context, rows []store.InboxRow) ([]bool, error)

// Shelter wraps what appends webhooks to the inbox. When that fails as Unavailable, the batch is kept as one message, on the disks of most
// servers before it returns, and moved into the inbox by [Stream.Drain]. Its rows are answered as repeats: they are not in the inbox yet.
//
// As long as anything is in the shelter, later webhooks queue behind it, so that what came over one process arrives in the inbox in its
// order. The rule is given up when the shelter itself cannot take more: to have a webhook matters more than its place.
func (s *Stream) Shelter(direct Append) Append {
	return (&shelter{s: s, direct: direct}).append
}

type shelter struct {
	s      *Stream
	direct Append

	mu           sync.Mutex // batches come one at a time; it costs nothing to be sure
	on           bool
	notBefore    time.Time // the database is not asked again before
	pause        time.Duration
	put          time.Time
	refusedUntil time.Time
	refusal      error
}

func (h *shelter) append(ctx context.Context, rows []store.InboxRow) ([]bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Now().Before(h.refusedUntil) {
		return nil, h.refusal
	}
	var full error
	if h.on && len(rows) < shelterLarge {
		rest(ctx, time.Until(h.put.Add(shelterApart)), nil)
	}
	if h.on && h.behind(ctx) {
		if full = h.keep(ctx, rows); full == nil {
			return make([]bool, len(rows)), nil
		}
	}
	c, cancel := context.WithTimeout(ctx, directTime)
	fresh, err := h.direct(c, rows)
	cancel()
	if !errs.Is(err, errs.Unavailable) {
		if h.on && err == nil {
			h.on, h.pause = false, 0
			h.s.log.Info("webhooks go into the inbox again")
		}
		return fresh, err
	}
	if !h.on {
		h.s.log.Warn("the inbox cannot be written; webhooks are sheltered", "err", err)
	}
	h.on = true
	h.pause = min(max(2*h.pause, directAgain), directAgainMost)
	h.notBefore = time.Now().Add(h.pause)
	if full == nil {
		if full = h.keep(ctx, rows); full == nil {
			return make([]bool, len(rows)), nil
		}
	}
	h.s.refused.Add(int64(len(rows)))
	h.refusal = &errs.Error{Kind: errs.Unavailable, Op: "stream.Shelter", Safe: "neither the database nor its shelter can take the message", Cause: errors.Join(err, full)}
	h.refusedUntil = time.Now().Add(refuseFor)
	return nil, h.refusal
}

// behind says whether webhooks must queue behind sheltered ones.
func (h *shelter) behind(ctx context.Context) bool {
	if time.Now().Before(h.notBefore) {
		return true
	}
	st, err := h.s.sheltering(ctx)
	return err == nil && st.Msgs > 0
}

// sheltering is what the shelter holds.
func (s *Stream) sheltering(ctx context.Context) (jetstream.StreamState, error) {
	ctx, cancel := context.WithTimeout(ctx, shelterTime)
	defer cancel()
	if !s.nc.IsConnected() {
		return jetstream.StreamState{}, away("stream.Shelter", nats.ErrDisconnected)
	}
	st, err := s.js.Stream(ctx, ShelterStream)
	if err != nil {
		s.laid.Store(false)
		return jetstream.StreamState{}, away("stream.Shelter", err)
	}
	return st.CachedInfo().State, nil
}

// keep stores the rows in the shelter.
func (h *shelter) keep(ctx context.Context, rows []store.InboxRow) error {
	ctx, cancel := context.WithTimeout(ctx, shelterTime)
	defer cancel()
	if err := h.s.lay(ctx); err != nil {
		return err
	}
	st, err := h.s.sheltering(ctx)
	if err != nil {
		return err
	}
	if st.Msgs > 0 && time.Since(st.FirstTime) > h.s.o.ShelterAge {
		return errs.New(errs.Unavailable, "stream.Shelter", "", "the oldest sheltered message has waited for longer than allowed")
	}
	messages, err := encodeRows(rows, int(h.s.nc.MaxPayload())-1024)
	if err != nil {
		return err
	}
	for _, m := range messages {
		if _, err := h.s.js.Publish(ctx, shelterSubject, m, jetstream.WithExpectStream(ShelterStream)); err != nil {
			h.s.laid.Store(false)
			return away("stream.Shelter", err)
		}
	}
	h.put = time.Now()
	h.s.sheltered.Add(int64(len(rows)))
	return nil
}

// shelteredRow is a webhook in the shelter.
type shelteredRow struct {
	ID         string    `json:"id"`
	Vendor     string    `json:"vendor"`
	App        string    `json:"app"`
	Connection string    `json:"connection,omitempty"`
	Topic      string    `json:"topic"`
	Received   time.Time `json:"received"`
	Sent       time.Time `json:"sent,omitzero"`
	Body       []byte    `json:"body"`
}

// encodeRows makes messages of at most limit bytes of the rows, in their order; almost always one.
func encodeRows(rows []store.InboxRow, limit int) ([][]byte, error) {
	var out [][]byte
	cur := []byte{'['}
	for _, r := range rows {
		b, err := json.Marshal(shelteredRow{ID: r.ID, Vendor: r.Vendor, App: r.AppID, Connection: r.ConnectionID, Topic: r.Topic,
			Received: r.ReceivedAt, Sent: r.SentAt, Body: r.Body})
		if err != nil {
			return nil, errs.Wrap("stream.Shelter", r.ID, err)
		}
		if len(b)+2 > limit {
			return nil, errs.New(errs.Unavailable, "stream.Shelter", r.ID, "the message is larger than NATS takes")
		}
		if len(cur) > 1 && len(cur)+len(b)+2 > limit {
			out = append(out, append(cur, ']'))
			cur = []byte{'['}
		}
		if len(cur) > 1 {
			cur = append(cur, ',')
		}
		cur = append(cur, b...)
	}
	return append(out, append(cur, ']')), nil
}

func decodeRows(data []byte) ([]store.InboxRow, error) {
	var in []shelteredRow
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, &errs.Error{Kind: errs.Invalid, Op: "stream.Drain", Safe: "the sheltered message cannot be read", Cause: err}
	}
	out := make([]store.InboxRow, len(in))
	for i, r := range in {
		out[i] = store.InboxRow{ID: r.ID, Vendor: r.Vendor, AppID: r.App, ConnectionID: r.Connection, Topic: r.Topic,
			ReceivedAt: r.Received, SentAt: r.Sent, Body: r.Body, State: store.InboxPending}
	}
	return out, nil
}
