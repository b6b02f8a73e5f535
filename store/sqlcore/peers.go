package sqlcore

import (
	"context"

	"github.com/spillway/spillway/kit/errs"
)

// Peers is how the processes at one database tell each other that there is something to look at. What is told is not kept: who does not
// listen at the moment never hears it, so a notice says where to look and never what is there.
type Peers struct {
	// Notify tells payloads of less than 8,000 bytes to everyone who listens, the caller included.
	Notify func(ctx context.Context, payloads []string) error
	// Listen calls got with each payload until ctx ends, or fails when the connection breaks. ready is called once nothing more is missed.
	Listen func(ctx context.Context, ready func(), got func(payload string)) error
}

// Shared tells whether several processes may run on this database at once.
func (s *Store) Shared() bool { return s.engine.Claim == nil }

// Claim takes a database that serves one running program only. Errors: Conflict (another runs on it).
func (s *Store) Claim() (release func() error, err error) {
	if s.engine.Claim == nil {
		return func() error { return nil }, nil
	}
	return s.engine.Claim()
}

// Notify is Peers.Notify; it does nothing where there are no other processes.
func (s *Store) Notify(ctx context.Context, payloads []string) error {
	if s.engine.Peers.Notify == nil {
		return nil
	}
	return s.engine.Peers.Notify(ctx, payloads)
}

// Listen is Peers.Listen. Errors: Unavailable, and where there are no other processes Invalid.
func (s *Store) Listen(ctx context.Context, ready func(), got func(payload string)) error {
	if s.engine.Peers.Listen == nil {
		return errs.New(errs.Invalid, "store.Listen", "", "this database has no other processes to listen to")
	}
	return s.engine.Peers.Listen(ctx, ready, got)
}
