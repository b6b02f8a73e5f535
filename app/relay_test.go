package app

import (
	"context"
	"log/slog"
	"testing"

	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/store"
)

// Of two processes on one database one publishes; the other follows when the first has given the lease back.
func TestOneProcessPublishes(t *testing.T) {
	url := pgtest.Start(t)
	process := func() *App {
		st, err := store.Open(t.Context(), url, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { st.Close() })
		return &App{store: st, o: Options{Log: slog.New(slog.DiscardHandler)}}
	}
	first, second := process().relayHold(), process().relayHold()
	holding, ended := make(chan struct{}), make(chan error)
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		ended <- first(ctx, func(ctx context.Context) error { close(holding); <-ctx.Done(); return nil })
	}()
	<-holding
	worked := false
	work := func(context.Context) error { worked = true; return nil }
	if err := second(t.Context(), work); err != nil || worked {
		t.Fatalf("both publish (%v)", err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := second(t.Context(), work); err != nil || !worked {
		t.Fatalf("the lease was not given back (%v)", err)
	}
}

func TestAloneOnSQLiteNobodyIsAsked(t *testing.T) {
	st, err := store.Open(t.Context(), "sqlite:"+t.TempDir()+"/s.db", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	if (&App{store: st}).relayHold() != nil {
		t.Error("a lease is taken where there is one process")
	}
}
