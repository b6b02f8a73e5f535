// Package embed runs a NATS server with JetStream inside this process: one alone, reached without a socket, or a node of a cluster for tests
// and measurements.
//
// It promises that a write is acknowledged after it is on disk (SyncAlways), which the server's default does not. It must import nothing of
// ours but kit.
package embed

import (
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/spillway/spillway/kit/errs"
)

const (
	// startTime bounds the start; with gigabytes to look through it takes seconds.
	startTime = 30 * time.Second
	// MaxPayload lets a full batch of webhooks, 512 of a few kilobytes, be one message.
	MaxPayload = 8 << 20
)

// Start runs a server alone whose streams are in dir; it opens no port. Stop it with Shutdown and WaitForShutdown.
// Errors: Unavailable (the directory, or it did not start in time).
func Start(dir string) (*server.Server, error) {
	return Node(&server.Options{StoreDir: dir, DontListen: true, ServerName: "spillway"})
}

// Node runs a server with the options given, made durable and quiet.
func Node(o *server.Options) (*server.Server, error) {
	o.JetStream, o.SyncAlways, o.NoSigs, o.NoLog, o.MaxPayload = true, true, true, true, MaxPayload
	o.DisableJetStreamBanner = true
	s, err := server.NewServer(o)
	if err != nil {
		return nil, &errs.Error{Kind: errs.Unavailable, Op: "embed.Start", Item: o.StoreDir, Safe: "the embedded NATS server cannot start", Cause: err}
	}
	s.Start()
	if !s.ReadyForConnections(startTime) {
		s.Shutdown()
		return nil, errs.New(errs.Unavailable, "embed.Start", o.StoreDir, "the embedded NATS server was not ready after %s", startTime)
	}
	return s, nil
}
