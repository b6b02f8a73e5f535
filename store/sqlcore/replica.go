package sqlcore

import (
	"context"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Replica is a standby of a database that pages are read from.
type Replica struct {
	// Begin starts a transaction on the standby's snapshot. It reports false, and starts none, while the standby is not to be used.
	Begin func(ctx context.Context) (Run, bool, error)
	// Failed takes the standby out of use until it answers again.
	Failed func(error)
	State  func() ReplicaState
}

// ReplicaState says whether pages are read from a standby.
type ReplicaState struct {
	Asked bool // it has answered, or failed to, at least once
	Used  bool
	Why   string // not used: the reason, in words
	// Lag is how far the standby was behind when it was last asked; Shows, by this process's clock, up to when it shows what was committed.
	Lag   time.Duration
	Shows time.Time
}

// Replica tells about the standby that pages are read from; false: there is none.
func (s *Store) Replica() (ReplicaState, bool) {
	if s.engine.Replica == nil {
		return ReplicaState{}, false
	}
	return s.engine.Replica.State(), true
}

// ViewPages is View for what is only shown: it reads the standby where there is one that is not far behind. Nothing may be decided by what
// it finds. A standby that fails while f runs fails this call and is left out by the next.
func (s *Store) ViewPages(ctx context.Context, f func(*Tx) error) error {
	r := s.engine.Replica
	if r == nil {
		return s.View(ctx, f)
	}
	run, use, err := r.Begin(ctx)
	if err != nil || !use {
		return s.View(ctx, f)
	}
	standby := s.engine
	standby.Begin = func(context.Context, bool) (Run, error) { return run, nil }
	_, err = s.once(ctx, standby, "store.ViewPages", true, f, nothing)
	if err != nil && ctx.Err() == nil && (errs.Is(err, errs.Unavailable) || errs.Is(err, errs.Busy)) {
		r.Failed(err)
	}
	return err
}
