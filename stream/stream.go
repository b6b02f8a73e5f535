package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillway/spillway/kit/errs"
)

// Bounds of the connection.
const (
	connectTime   = 2 * time.Second
	reconnectWait = 250 * time.Millisecond
	// pingEvery and pingsLost find a server that has stopped answering without closing the connection, within six seconds.
	pingEvery = 2 * time.Second
	pingsLost = 2
	// callTime bounds a request to the server: a synced, replicated write takes milliseconds, an election of a stream's leader seconds.
	callTime = 5 * time.Second
)

// Options say where NATS is and how much is kept there. The zero value of a limit takes the default named.
type Options struct {
	URL          string // nats://host:4222 or tls://…, several separated by commas; a user name may be in it, a password should not
	CredsFile    string // an NKey or JWT credentials file
	PasswordFile string // its first line is the password of the user in URL
	CAFile       string // certificates to trust besides the system's
	Replicas     int    // copies of each stream; 0: three in a cluster, one on a single server

	EventsAge    time.Duration // how long published events are kept; default 7 days
	EventsBytes  int64         // how much of them; default 4 GiB; the oldest go
	ShelterAge   time.Duration // webhooks are refused when the oldest sheltered one is older; default 24 hours
	ShelterBytes int64         // webhooks are refused beyond it; default 1 GiB

	Log *slog.Logger
}

func (o *Options) fill() {
	if o.EventsAge <= 0 {
		o.EventsAge = 7 * 24 * time.Hour
	}
	if o.EventsBytes <= 0 {
		o.EventsBytes = 4 << 30
	}
	if o.ShelterAge <= 0 {
		o.ShelterAge = 24 * time.Hour
	}
	if o.ShelterBytes <= 0 {
		o.ShelterBytes = 1 << 30
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// Stream is a connection to NATS that comes back by itself. Make it with Open; all methods may be called at once.
type Stream struct {
	o    Options
	log  *slog.Logger
	nc   *nats.Conn
	js   jetstream.JetStream
	wake *Wakes
	made chan struct{} // closed when Open is done: callbacks wait for it

	laying sync.Mutex
	laid   atomic.Bool // the streams were there when last looked at

	published, rounds, waiting  atomic.Int64 // waiting: when the oldest unpublished event was written, Unix ms; 0 none
	sheltered, drained, refused atomic.Int64
	dead                        atomic.Int64
}

// Open begins to connect and returns without waiting for a server. Errors: Invalid (the options).
func Open(o Options) (*Stream, error) {
	o.fill()
	s := &Stream{o: o, log: o.Log, made: make(chan struct{})}
	defer close(s.made)
	to, user, err := s.addresses()
	if err != nil {
		return nil, badURL()
	}
	opts, err := s.connection(user)
	if err != nil {
		return nil, err
	}
	if s.nc, err = nats.Connect(to, opts...); err != nil {
		return nil, badURL()
	}
	if s.js, err = jetstream.New(s.nc, jetstream.WithDefaultTimeout(callTime)); err != nil {
		s.nc.Close()
		return nil, errs.Wrap("stream.Open", "", err)
	}
	s.wake = newWakes(s.nc, s.log)
	return s, nil
}

// badURL leaves the cause out: it may hold the URL with a password.
func badURL() error {
	return errs.New(errs.Invalid, "stream.Open", "", "the NATS URL, credentials or certificates cannot be used; a URL looks like nats://user@host:4222")
}

func (s *Stream) connection(user string) ([]nats.Option, error) {
	opts := []nats.Option{
		nats.Name("spillway"), nats.NoEcho(), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectWait(reconnectWait), nats.Timeout(connectTime), nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(pingsLost),
		// What cannot be sent now fails now. Buffered, it would arrive when nobody expects it.
		nats.ReconnectBufSize(-1),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { s.log.Warn("NATS is away", "err", err) }),
		nats.ConnectHandler(func(*nats.Conn) { s.back() }), nats.ReconnectHandler(func(*nats.Conn) { s.back() }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { s.log.Warn("NATS reports an error", "err", err) }),
	}
	if strings.TrimSpace(s.o.URL) == "" {
		return nil, errs.New(errs.Invalid, "stream.Open", "", "a NATS URL is needed, such as nats://host:4222")
	}
	for _, f := range []string{s.o.CredsFile, s.o.PasswordFile, s.o.CAFile} {
		if _, err := os.Stat(f); f != "" && err != nil {
			return nil, &errs.Error{Kind: errs.Invalid, Op: "stream.Open", Item: f, Safe: "the file cannot be read", Cause: err}
		}
	}
	if s.o.CredsFile != "" {
		opts = append(opts, nats.UserCredentials(s.o.CredsFile))
	}
	if s.o.PasswordFile != "" {
		opts = append(opts, nats.UserInfoHandler(func() (string, string) { return user, s.password() }))
	}
	if s.o.CAFile != "" {
		opts = append(opts, nats.RootCAs(s.o.CAFile), nats.Secure(&tls.Config{MinVersion: tls.VersionTLS12}))
	}
	return opts, nil
}

// addresses are the URLs to connect to. With a password file they must not name the user: the client would not ask for the password.
func (s *Stream) addresses() (list, user string, err error) {
	if s.o.PasswordFile == "" {
		return s.o.URL, "", nil
	}
	var out []string
	for _, one := range strings.Split(s.o.URL, ",") {
		one = strings.TrimSpace(one)
		if !strings.Contains(one, "://") {
			one = "nats://" + one
		}
		u, err := url.Parse(one)
		if err != nil {
			return "", "", err
		}
		if u.User != nil {
			user = u.User.Username()
		}
		u.User = nil
		out = append(out, u.String())
	}
	return strings.Join(out, ","), user, nil
}

// password reads the file at each connect, so that a changed password needs no restart.
func (s *Stream) password() string {
	text, err := os.ReadFile(s.o.PasswordFile)
	if err != nil {
		s.log.Error("the NATS password file cannot be read", "err", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(first)
}

// back is called when a server answers again: streams may have gone with the server's disk, and wake-ups were missed.
func (s *Stream) back() {
	<-s.made
	if s.wake == nil { // Open failed
		return
	}
	s.log.Info("NATS answers", "server", s.nc.ConnectedServerName())
	s.laid.Store(false)
	s.wake.missed()
}

// Close ends the connection. End what runs on it first.
func (s *Stream) Close() {
	s.wake.close()
	s.nc.Close()
}

// Wakes are the wake-ups for live pages.
func (s *Stream) Wakes() *Wakes { return s.wake }

// Figures are what the stream measures about itself, since its start.
type Figures struct {
	Connected bool
	Published int64         // events acknowledged by the stream
	Rounds    int64         // reads of the log that had events
	Lag       time.Duration // age of the oldest event that waits to be published; only the process that relays knows it
	Sheltered int64         // webhooks kept while the database was away
	Drained   int64         // of these, moved into the inbox by this process
	Refused   int64         // webhooks that neither could take
	Dead      int64         // events set aside by consumers
}

// Figures reads the measurements.
func (s *Stream) Figures() Figures {
	f := Figures{Connected: s.nc.IsConnected(), Published: s.published.Load(), Rounds: s.rounds.Load(), Sheltered: s.sheltered.Load(),
		Drained: s.drained.Load(), Refused: s.refused.Load(), Dead: s.dead.Load()}
	if ms := s.waiting.Load(); ms > 0 {
		f.Lag = time.Since(time.UnixMilli(ms))
	}
	return f
}

// Health says whether the streams can be used now. Errors: Unavailable.
func (s *Stream) Health(ctx context.Context) error {
	if !s.nc.IsConnected() {
		return errs.New(errs.Unavailable, "stream.Health", "", "NATS does not answer; events wait in the database")
	}
	return s.lay(ctx)
}

// away makes an error of the server ours.
func away(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ours := errors.AsType[*errs.Error](err); ours {
		return err
	}
	return &errs.Error{Kind: errs.Unavailable, Op: op, Safe: "NATS did not take it", Cause: err}
}

// rest waits for d or until ctx ends or one of wake arrives.
func rest(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-wake:
	case <-t.C:
	}
}
