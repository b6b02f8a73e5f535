package stream

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Names that outside programs may rely on.
const (
	// EventStream is the stream of published events.
	EventStream = "SPILLWAY_EVENTS"
	// EventSubjects is the prefix of their subjects; the kind of event follows.
	EventSubjects = "spillway.events."
	// ShelterStream keeps webhooks while the database is away.
	ShelterStream  = "SPILLWAY_SHELTER"
	shelterSubject = "spillway.shelter.webhooks"
	wakeSubject    = "spillway.wake"
)

const (
	// sameWithin is how long the server recognises a message that is sent again.
	sameWithin = 10 * time.Minute
	// clusterCopies survive the loss of one server. Five would survive two, for twice the syncing.
	clusterCopies = 3
)

// lay makes the streams what they should be: it creates them, changes their limits, and raises their copies when the server has become a
// cluster. It never lowers copies by itself and deletes nothing.
func (s *Stream) lay(ctx context.Context) error {
	if s.laid.Load() {
		return nil
	}
	s.laying.Lock()
	defer s.laying.Unlock()
	if s.laid.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	for _, c := range s.layout() {
		if err := s.laySingle(ctx, c); err != nil {
			return away("stream.lay", err)
		}
	}
	s.laid.Store(true)
	return nil
}

func (s *Stream) layout() []jetstream.StreamConfig {
	copies := s.o.Replicas
	if copies == 0 {
		copies = 1
		if s.nc.ConnectedClusterName() != "" {
			copies = clusterCopies
		}
	}
	return []jetstream.StreamConfig{
		{Name: EventStream, Description: "What Spillway committed, for readers; see docs/guides/events.md", Subjects: []string{EventSubjects + ">"},
			Storage: jetstream.FileStorage, Replicas: copies, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld,
			MaxAge: s.o.EventsAge, MaxBytes: s.o.EventsBytes, Duplicates: min(sameWithin, s.o.EventsAge)},
		// No MaxAge: what was acknowledged to a vendor is never dropped for its age. Full means refused.
		{Name: ShelterStream, Description: "Webhooks on their way into the inbox", Subjects: []string{shelterSubject},
			Storage: jetstream.FileStorage, Replicas: copies, Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew,
			MaxBytes: s.o.ShelterBytes},
	}
}

func (s *Stream) laySingle(ctx context.Context, want jetstream.StreamConfig) error {
	st, err := s.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		_, err = s.js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another process was quicker
			return nil
		}
		return err
	}
	if err != nil {
		return err
	}
	has := st.CachedInfo().Config
	if s.o.Replicas == 0 {
		want.Replicas = max(want.Replicas, has.Replicas)
	}
	if has.Replicas == want.Replicas && has.MaxAge == want.MaxAge && has.MaxBytes == want.MaxBytes {
		return nil
	}
	_, err = s.js.UpdateStream(ctx, want)
	return err
}
