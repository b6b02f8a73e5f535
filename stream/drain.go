package stream

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	drainName = "drain"
	// drainWait is how long a process may hold a sheltered message before another gets it. A commit of a thousand rows takes far less, and while
	// one that was killed, stopped or cut off has a message, all that came later wait too.
	drainWait = 4 * time.Second
	// drainAgain is how long a message rests that the database did not take.
	drainAgain = time.Second
	// nextWait is how long one request for a message waits at the server.
	nextWait = 5 * time.Second
)

// Drain moves sheltered webhooks into the inbox, in their order, until ctx ends. Any number of processes may run it: the server hands out
// one message at a time, and gives it to another process when it is not done with. A message leaves the shelter after its rows are
// committed; what comes twice the inbox knows by its id.
func (s *Stream) Drain(ctx context.Context, st *store.Store) {
	for ctx.Err() == nil {
		if err := s.drain(ctx, st); err != nil && ctx.Err() == nil {
			s.log.Debug("the shelter cannot be read", "err", err)
		}
		rest(ctx, relayAgain, nil)
	}
}

func (s *Stream) drain(ctx context.Context, st *store.Store) error {
	if err := s.lay(ctx); err != nil {
		return err
	}
	c, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	cons, err := s.js.CreateOrUpdateConsumer(c, ShelterStream, jetstream.ConsumerConfig{Durable: drainName, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: drainWait, MaxAckPending: 1, MaxDeliver: -1})
	if err != nil {
		s.laid.Store(false)
		return away("stream.Drain", err)
	}
	for ctx.Err() == nil {
		msg, err := next(ctx, cons)
		if err != nil {
			return away("stream.Drain", err)
		}
		if msg != nil {
			s.move(ctx, st, msg)
		}
	}
	return nil
}

// move stores one sheltered batch and lets it go.
func (s *Stream) move(ctx context.Context, st *store.Store, msg jetstream.Msg) {
	rows, err := decodeRows(msg.Data())
	if err != nil { // nothing of ours: an acknowledged webhook is never in such a message
		s.log.Error("something foreign was in the shelter and is dropped", "err", err)
		s.settle(ctx, msg)
		return
	}
	if err := s.store(ctx, st, rows); err != nil {
		level := slog.LevelDebug
		if meta, e := msg.Metadata(); e == nil && meta.NumDelivered == 1 { // once for each message, not each second
			level = slog.LevelWarn
		}
		s.log.Log(ctx, level, "sheltered webhooks wait for the database", "rows", len(rows), "err", err)
		if err := msg.NakWithDelay(drainAgain); err != nil {
			s.log.Debug("the server will hand the message out again by itself", "err", err)
		}
		return
	}
	s.drained.Add(int64(len(rows)))
	s.settle(ctx, msg)
}

// store appends the rows to the inbox. One that no database can keep is told and left out, so that it does not keep the others from coming.
func (s *Stream) store(ctx context.Context, st *store.Store, rows []store.InboxRow) error {
	ctx, cancel := context.WithTimeout(ctx, drainWait/2)
	defer cancel()
	err := st.UpdateInbox(ctx, func(tx *store.InboxTx) error { _, err := tx.InboxAppend(rows); return err })
	if !errs.Is(err, errs.Invalid) {
		return err
	}
	if len(rows) == 1 {
		s.log.Error("a webhook cannot be kept by the database and is dropped", "message", rows[0].ID, "err", err)
		return nil
	}
	half := len(rows) / 2
	if err := s.store(ctx, st, rows[:half]); err != nil {
		return err
	}
	return s.store(ctx, st, rows[half:])
}

// settle tells the server that a message is done with. If that is lost the message comes again, which changes nothing.
func (s *Stream) settle(ctx context.Context, msg jetstream.Msg) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	defer cancel()
	if err := msg.DoubleAck(ctx); err != nil {
		s.log.Debug("a message that is done with will come again", "err", err)
	}
}

// next asks for one message and returns nil when there is none for a while.
func next(ctx context.Context, cons jetstream.Consumer) (jetstream.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, nextWait)
	defer cancel()
	batch, err := cons.Fetch(1, jetstream.FetchContext(ctx), jetstream.FetchHeartbeat(nextWait/5))
	if err != nil {
		return nil, err
	}
	for msg := range batch.Messages() {
		return msg, nil
	}
	if err := batch.Error(); err != nil && ctx.Err() == nil {
		return nil, err
	}
	return nil, nil
}
