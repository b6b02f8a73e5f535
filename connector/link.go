package connector

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"github.com/spillway/spillway/connector/driver"
)

// Bounds of one call over a link, attempts and waiting together.
const (
	totalTime    = 60 * time.Second // and what the slots of its retries take, up to longestTime
	longestTime  = 4 * time.Minute
	patience     = 20 * time.Second // a longer wait asked for by the vendor is the caller's to plan
	firstBackoff = 200 * time.Millisecond
	maxBackoff   = 10 * time.Second
	jitter       = 0.3
	maxRetries   = 4
	maxInFlight  = 16 // calls at once on one connection, so that a hanging channel holds few goroutines and sockets
)

// link is what is alike for all vendors in calls with one account: a lane for each operation, a login, retries, and the log.
type link struct {
	name    string // the vendor
	id      string // the connection or account
	tokens  Tokens
	hooks   Hooks
	recent  Log
	secrets []string
	lanes   map[driver.Operation]*lane
	other   *lane // operations the vendor names besides the common ones share a lane
	slots   chan struct{}
}

// commonOps are the operations that have a lane of their own with every vendor.
var commonOps = []driver.Operation{driver.OpOrders, driver.OpOrder, driver.OpLocations, driver.OpListings, driver.OpQuantities, driver.OpSet, driver.OpWebhooks,
	driver.OpBulk, driver.OpQuote, driver.OpBook, driver.OpFind, driver.OpDocument, driver.OpVoid, driver.OpManifest, driver.OpParcels, driver.OpTell}

func newLink(name, id string, tokens Tokens, hooks Hooks, secrets []string, perSecond map[driver.Operation]float64, usual float64, burst int) *link {
	k := &link{name: name, id: id, tokens: tokens, hooks: hooks, secrets: secrets, lanes: map[driver.Operation]*lane{}, slots: make(chan struct{}, maxInFlight)}
	open := func(op driver.Operation) *lane {
		per, ok := perSecond[op]
		if !ok {
			per = usual
		}
		return newLane(per, burst, func(open bool) { hooks.circuit(name, id, op, open) })
	}
	for _, op := range commonOps {
		k.lanes[op] = open(op)
	}
	for op := range perSecond {
		if k.lanes[op] == nil {
			k.lanes[op] = open(op)
		}
	}
	k.other = open("other")
	return k
}

// Recent returns the log of the latest exchanges.
func (k *link) Recent() *Log { return &k.recent }

// Dead lists the operations that are cut off at the moment, with the time until they are tried again.
func (k *link) Dead() map[driver.Operation]time.Duration {
	out := map[driver.Operation]time.Duration{}
	for op, l := range k.lanes {
		if l.breaker.IsOpen() {
			out[op] = l.breaker.RemainingDelay()
		}
	}
	return out
}

func (k *link) lane(op driver.Operation) *lane {
	if l := k.lanes[op]; l != nil {
		return l
	}
	return k.other
}

func (k *link) pace(ctx context.Context, op driver.Operation) error {
	start := time.Now()
	err := k.lane(op).wait(ctx)
	k.hooks.waited(k.name, op, time.Since(start))
	return err
}

func (k *link) seen(x driver.Exchange) {
	x.Err, x.Code, x.RequestID = Redact(x.Err, k.secrets...), Redact(x.Code, k.secrets...), Redact(x.RequestID, k.secrets...)
	k.recent.Add(x)
	k.hooks.exchange(k.name, x)
}

// usedToken is the context key under which a call remembers the token it sent.
type usedToken struct{}

func (k *link) token(ctx context.Context) (string, error) {
	t, err := k.tokens.Current(ctx)
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
func (k *link) do(ctx context.Context, op driver.Operation, again func(error) bool, call func(context.Context) error) error {
	outer, l := ctx, k.lane(op)
	ctx, cancel := context.WithTimeout(ctx, l.longest())
	defer cancel()
	select {
	case k.slots <- struct{}{}:
		defer func() { <-k.slots }()
	case <-ctx.Done():
		return &driver.Error{Class: driver.Retry, Op: op, Message: "the connection is busy", Cause: ctx.Err()}
	}
	attempted, renewed := false, false
	var last error
	// The outcome is taken from last, not from the executor: it answers with the context's error where a call ended
	// at the same moment, and what a call did must not be lost.
	err := failsafe.With(k.retries(op, l, again)).WithContext(ctx).Run(func() error {
		err := k.attempt(ctx, outer, op, l, &renewed, call)
		if !attempted || !errors.Is(err, errPace) { // why it was to be tried again says more than that there was no slot for it
			last = err
		}
		attempted = true
		return err
	})
	if !attempted {
		last = &driver.Error{Class: driver.Retry, Op: op, Cause: err}
	}
	return k.finish(op, last)
}

func (k *link) retries(op driver.Operation, l *lane, again func(error) bool) failsafe.Policy[any] {
	return retrypolicy.NewBuilder[any]().
		HandleIf(func(_ any, err error) bool { return err != nil && again(err) }).
		WithMaxRetries(maxRetries).
		WithMaxDuration(l.longest()).
		WithBackoff(firstBackoff, maxBackoff).
		WithJitterFactor(jitter).
		WithDelayFunc(func(x failsafe.ExecutionAttempt[any]) time.Duration {
			if e, ok := errors.AsType[*driver.Error](x.LastError()); ok && e.Class == driver.RetryAfter && e.After > 0 {
				return e.After
			}
			return -1 // the backoff
		}).
		OnRetryScheduled(func(x failsafe.ExecutionScheduledEvent[any]) {
			k.hooks.retried(k.name, op, driver.ClassOf(x.LastError()))
		}).
		ReturnLastFailure().
		Build()
}

// attempt is one try with its renewal of the login.
func (k *link) attempt(ctx, outer context.Context, op driver.Operation, l *lane, renewed *bool, call func(context.Context) error) error {
	if !l.breaker.TryAcquirePermit() {
		return l.openError(op)
	}
	var used atomic.Pointer[string]
	err := call(context.WithValue(ctx, usedToken{}, &used))
	if err != nil && driver.ClassOf(err) == driver.RefreshLogin {
		err = k.renew(ctx, used.Load(), renewed, err, call)
	}
	l.record(outer, err)
	if e, ok := errors.AsType[*driver.Error](err); ok && e.Class == driver.RetryAfter {
		l.pause(min(max(e.After, 0), patience))
	}
	return err
}

// renew renews the login once per call and repeats the call once. Where a fresh token is refused too, or the login
// cannot be renewed, a person has to look.
func (k *link) renew(ctx context.Context, used *string, renewed *bool, cause error, call func(context.Context) error) error {
	if !*renewed && k.tokens.Renew != nil {
		*renewed = true
		refused := ""
		if used != nil {
			refused = *used
		}
		err := k.tokens.Renew(ctx, refused)
		k.hooks.renewed(k.name, err == nil)
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
func (k *link) finish(op driver.Operation, err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*driver.Error](err)
	if !ok {
		e = &driver.Error{Class: driver.Retry, Applied: true, Cause: err}
	}
	e = clean(e, k.secrets...)
	if e.Op == "" {
		e.Op = op
	}
	return e
}
