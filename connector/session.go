package connector

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/errs"
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
	*link
	vendor  driver.Description
	conn    driver.Connection
	channel driver.Channel
	log     *slog.Logger
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
		link:   newLink(d.Vendor, o.Connection.ID, o.Tokens, o.Hooks, secretsOf(d, o.Connection), d.Limits.PerSecond, d.Limits.Default, d.Limits.Burst),
		vendor: d, conn: o.Connection, log: o.Log.With("vendor", d.Vendor, "connection", o.Connection.ID),
	}
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
