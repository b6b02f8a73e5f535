package streamtest

import (
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	// startTime bounds the start of a server on a loaded machine.
	startTime = time.Minute
	// maxPayload is that of deploy/nats.conf.
	maxPayload = 8 << 20
)

// start runs a server with the options given, made durable and quiet: a write is acknowledged after it is on disk, which the server's
// default does not.
func start(o *server.Options) (*server.Server, error) {
	o.JetStream, o.SyncAlways, o.NoSigs, o.NoLog, o.MaxPayload = true, true, true, true, maxPayload
	o.DisableJetStreamBanner = true
	s, err := server.NewServer(o)
	if err != nil {
		return nil, err
	}
	s.Start()
	if !s.ReadyForConnections(startTime) {
		s.Shutdown()
		return nil, fmt.Errorf("the NATS server was not ready after %s", startTime)
	}
	return s, nil
}
