package connector

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/errs"
)

// Bounds of one call through a Session, attempts and waiting together.
const (
	totalTime    = 60 * time.Second
	patience     = 20 * time.Second // a longer wait asked for by the vendor is the caller's to plan
	firstBackoff = 200 * time.Millisecond
	maxBackoff   = 10 * time.Second
	jitter       = 0.3
	maxRetries   = 4
	maxInFlight  = 16 // calls at once on one connection, so that a hanging channel holds few goroutines and sockets
)

// Tokens is where a session gets its access token from. Login makes one.
type Tokens struct {
	// Current returns a token to use now.
	Current func(ctx context.Context) (string, error)
	// Renew gets a new token unless the current one already is another than refused, the one the vendor did not accept.
	Renew func(ctx context.Context, refused string) error
}

// Options is what a Session needs.
type Options struct {
	Vendor     driver.Vendor
	Connection driver.Connection
	Tokens     Tokens
	Client     *http.Client // from NewClient
	Files      *http.Client // from NewFileClient; nil: Client
	Log        *slog.Logger
	Hooks      Hooks
	Now        func() time.Time       // for request timestamps; nil: time.Now
	Pseudonym  func(id string) string // keyed hash for personal ids; nil: they are left out
}

// Session is one connected shop with everything that is alike for all vendors added to its driver.Channel, which it
// implements. Errors it returns are *driver.Error, redacted. It is safe for concurrent use.
type Session struct {
	vendor  driver.Description
	conn    driver.Connection
	channel driver.Channel
	tokens  Tokens
	hooks   Hooks
	log     *slog.Logger
	recent  Log
	secrets []string
	lanes   map[driver.Operation]*lane
	other   *lane // operations the vendor names besides the common ones share a lane
	slots   chan struct{}
}

var _ driver.Channel = (*Session)(nil)

// Open makes a session for a connection. It does no I/O.
func Open(o Options) (*Session, error) {
	const op = "connector.Open"
	d := o.Vendor.Describe()
	if d.Limits.Default <= 0 || d.Limits.SetQuantities <= 0 || d.Limits.OrderIDs <= 0 || d.Limits.ReadQuantities <= 0 {
		return nil, errs.New(errs.Internal, op, d.Vendor, "The vendor does not declare its limits.")
	}
	if o.Tokens.Current == nil || o.Client == nil {
		return nil, errs.New(errs.Internal, op, o.Connection.ID, "A session needs a client and a token source.")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Files == nil {
		o.Files = o.Client
	}
	s := &Session{
		vendor: d, conn: o.Connection, tokens: o.Tokens, hooks: o.Hooks, secrets: secretsOf(d, o.Connection),
		log:   o.Log.With("vendor", d.Vendor, "connection", o.Connection.ID),
		lanes: map[driver.Operation]*lane{}, slots: make(chan struct{}, maxInFlight),
	}
	for _, name := range []driver.Operation{driver.OpOrders, driver.OpOrder, driver.OpLocations, driver.OpListings, driver.OpQuantities,
		driver.OpSet, driver.OpWebhooks, driver.OpBulk} {
		s.lanes[name] = s.newLane(name)
	}
	for name := range d.Limits.PerSecond {
		if s.lanes[name] == nil {
			s.lanes[name] = s.newLane(name)
		}
	}
	s.other = s.newLane("other")
	channel, err := o.Vendor.Open(o.Connection, driver.Env{
		Client: o.Client, Files: o.Files, Token: s.token, Now: o.Now, Pace: s.pace, Log: s.log, Seen: s.seen,
		Pseudonym: o.Pseudonym,
	})
	if err != nil {
		return nil, errs.Wrap(op, o.Connection.ID, err)
	}
	s.channel = channel
	return s, nil
}

func (s *Session) newLane(op driver.Operation) *lane {
	per, ok := s.vendor.Limits.PerSecond[op]
	if !ok {
		per = s.vendor.Limits.Default
	}
	return newLane(per, s.vendor.Limits.Burst, func(open bool) {
		s.hooks.circuit(s.vendor.Vendor, s.conn.ID, op, open)
	})
}

// secretsOf collects what must never stand in a log.
func secretsOf(d driver.Description, c driver.Connection) []string {
	out := []string{c.App.Secret, c.App.OldSecret}
	for _, set := range d.AppSettings {
		if set.Secret {
			out = append(out, c.App.Settings[set.Name])
		}
	}
	for _, set := range d.ShopSettings {
		if set.Secret {
			out = append(out, c.Settings[set.Name], c.Shop.Settings[set.Name])
		}
	}
	return out
}

// Vendor returns the description of the session's vendor.
func (s *Session) Vendor() driver.Description { return s.vendor }

// Connection returns the connection the session was opened for.
func (s *Session) Connection() driver.Connection { return s.conn }

// Recent returns the log of the latest exchanges.
func (s *Session) Recent() *Log { return &s.recent }

// Dead lists the operations that are cut off at the moment, with the time until they are tried again.
func (s *Session) Dead() map[driver.Operation]time.Duration {
	out := map[driver.Operation]time.Duration{}
	for op, l := range s.lanes {
		if l.breaker.IsOpen() {
			out[op] = l.breaker.RemainingDelay()
		}
	}
	return out
}

func (s *Session) lane(op driver.Operation) *lane {
	if l := s.lanes[op]; l != nil {
		return l
	}
	return s.other
}

func (s *Session) pace(ctx context.Context, op driver.Operation) error {
	start := time.Now()
	err := s.lane(op).wait(ctx)
	s.hooks.waited(s.vendor.Vendor, op, time.Since(start))
	return err
}

func (s *Session) seen(x driver.Exchange) {
	x.Err, x.Code, x.RequestID = Redact(x.Err, s.secrets...), Redact(x.Code, s.secrets...), Redact(x.RequestID, s.secrets...)
	s.recent.Add(x)
	s.hooks.exchange(s.vendor.Vendor, x)
}

// usedToken is the context key under which a call remembers the token it sent.
type usedToken struct{}

func (s *Session) token(ctx context.Context) (string, error) {
	t, err := s.tokens.Current(ctx)
	if err != nil {
		return "", notSent(err)
	}
	if used, ok := ctx.Value(usedToken{}).(*atomic.Pointer[string]); ok {
		used.Store(&t)
	}
	return t, nil
}

// notSent is the error of a call that failed before it left, for want of a login. The login's own request may have been
// carried out; the call was not.
func notSent(err error) *driver.Error {
	out := driver.Error{Class: driver.Retry, Cause: err}
	if e, ok := errors.AsType[*driver.Error](err); ok {
		out = *e
	}
	out.Applied = false
	return &out
}

// passing reports whether a read that failed with err may be repeated now.
func passing(err error) bool {
	if errors.Is(err, circuitbreaker.ErrOpen) || errors.Is(err, errPace) {
		return false
	}
	e, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return true
	}
	return e.Class == driver.Retry || e.Class == driver.RetryAfter && e.After <= patience
}

// surelyNotApplied narrows passing to what a write may repeat.
func surelyNotApplied(err error) bool { return passing(err) && !driver.MayBeApplied(err) }

// do runs call as one operation: a place among those in flight, pacing (by the driver), retries of what again allows,
// one renewal of the login, and the breaker. It returns nil or a redacted *driver.Error.
func (s *Session) do(ctx context.Context, op driver.Operation, again func(error) bool, call func(context.Context) error) error {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, totalTime)
	defer cancel()
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return &driver.Error{Class: driver.Retry, Op: op, Message: "the connection is busy", Cause: ctx.Err()}
	}
	l := s.lane(op)
	attempted, renewed := false, false
	var last error
	// The outcome is taken from last, not from the executor: it answers with the context's error where a call ended
	// at the same moment, and what a call did must not be lost.
	err := failsafe.With(s.retries(op, l, again)).WithContext(ctx).Run(func() error {
		attempted = true
		last = s.attempt(ctx, outer, op, l, &renewed, call)
		return last
	})
	if !attempted {
		last = &driver.Error{Class: driver.Retry, Op: op, Cause: err}
	}
	return s.finish(op, last)
}

func (s *Session) retries(op driver.Operation, l *lane, again func(error) bool) failsafe.Policy[any] {
	return retrypolicy.NewBuilder[any]().
		HandleIf(func(_ any, err error) bool { return err != nil && again(err) }).
		WithMaxRetries(maxRetries).
		WithMaxDuration(totalTime).
		WithBackoff(firstBackoff, maxBackoff).
		WithJitterFactor(jitter).
		WithDelayFunc(func(x failsafe.ExecutionAttempt[any]) time.Duration {
			if e, ok := errors.AsType[*driver.Error](x.LastError()); ok && e.Class == driver.RetryAfter && e.After > 0 {
				return e.After
			}
			return -1 // the backoff
		}).
		OnRetryScheduled(func(x failsafe.ExecutionScheduledEvent[any]) {
			s.hooks.retried(s.vendor.Vendor, op, driver.ClassOf(x.LastError()))
		}).
		ReturnLastFailure().
		Build()
}

// attempt is one try with its renewal of the login.
func (s *Session) attempt(ctx, outer context.Context, op driver.Operation, l *lane, renewed *bool, call func(context.Context) error) error {
	if !l.breaker.TryAcquirePermit() {
		return l.openError(op)
	}
	var used atomic.Pointer[string]
	err := call(context.WithValue(ctx, usedToken{}, &used))
	if err != nil && driver.ClassOf(err) == driver.RefreshLogin {
		err = s.renew(ctx, used.Load(), renewed, err, call)
	}
	l.record(outer, err)
	if e, ok := errors.AsType[*driver.Error](err); ok && e.Class == driver.RetryAfter {
		l.pause(min(max(e.After, 0), patience))
	}
	return err
}

// renew renews the login once per call and repeats the call once. Where a fresh token is refused too, or the login
// cannot be renewed, a person has to look.
func (s *Session) renew(ctx context.Context, used *string, renewed *bool, cause error, call func(context.Context) error) error {
	if !*renewed && s.tokens.Renew != nil {
		*renewed = true
		refused := ""
		if used != nil {
			refused = *used
		}
		err := s.tokens.Renew(ctx, refused)
		s.hooks.renewed(s.vendor.Vendor, err == nil)
		if err != nil {
			return notSent(err)
		}
		if cause = call(ctx); cause == nil || driver.ClassOf(cause) != driver.RefreshLogin {
			return cause
		}
	}
	e, _ := errors.AsType[*driver.Error](cause)
	c := *e
	c.Class = driver.AskHuman
	return &c
}

// finish makes err a redacted *driver.Error of op.
func (s *Session) finish(op driver.Operation, err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*driver.Error](err)
	if !ok {
		e = &driver.Error{Class: driver.Retry, Applied: true, Cause: err}
	}
	e = clean(e, s.secrets...)
	if e.Op == "" {
		e.Op = op
	}
	return e
}
