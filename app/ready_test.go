package app_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/internal/pgtest"
)

// Readiness must tell whoever balances requests that the database is away, and recover by itself.
func TestReadinessFollowsTheDatabase(t *testing.T) {
	server := pgtest.Own(t)
	a, err := app.New(t.Context(), app.Options{Home: t.TempDir(), Database: server.URL(), Listen: "127.0.0.1:0", OpsListen: "127.0.0.1:0", Lease: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	await := func(path string, want int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			res, err := http.Get(a.OpsURL() + path)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode == want {
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				t.Fatalf("%s answers %d, want %d", path, res.StatusCode, want)
			}
		}
	}
	await("/readyz", http.StatusNoContent)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	await("/readyz", http.StatusServiceUnavailable)
	await("/readyz/hooks", http.StatusServiceUnavailable) // without NATS nothing keeps them
	await("/healthz", http.StatusNoContent)               // restarting the process would not bring the database back
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	await("/readyz", http.StatusNoContent)
}

// A process that is told to stop says so while it still takes requests, for as long as whoever balances them needs to hear it.
func TestAProcessThatLeavesIsNotReadyAndStillServes(t *testing.T) {
	a, err := app.New(t.Context(), app.Options{Home: t.TempDir(), Listen: "127.0.0.1:0", OpsListen: "127.0.0.1:0", Drain: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	status := func(url string) int {
		t.Helper()
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	for _, path := range []string{"/readyz", "/readyz/hooks"} {
		if got := status(a.OpsURL() + path); got != http.StatusNoContent {
			t.Errorf("%s answers %d", path, got)
		}
	}
	ctx, enough := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- a.Stop(ctx) }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for status(a.OpsURL()+"/readyz") != http.StatusServiceUnavailable {
		<-tick.C
	}
	if got := status(a.OpsURL() + "/readyz/hooks"); got != http.StatusServiceUnavailable {
		t.Errorf("webhooks are sent to one that leaves: %d", got)
	}
	if got := status(a.URL() + "/login"); got >= http.StatusInternalServerError {
		t.Errorf("a page answers %d", got)
	}
	select {
	case err := <-stopped:
		t.Errorf("it has stopped: %v", err)
	default:
	}
	enough()
	<-stopped // who waits no longer cuts off what is under way
}
