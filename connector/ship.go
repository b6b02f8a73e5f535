package connector

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/errs"
)

// CarrierOptions is what a Freight needs.
type CarrierOptions struct {
	Carrier driver.Carrier
	Account driver.CarrierAccount
	Client  *http.Client // from NewClient
	Log     *slog.Logger
	Hooks   Hooks
	Now     func() time.Time // for request timestamps; nil: time.Now
}

// Freight is one account with a carrier with everything that is alike for all added to its driver.Shipper. Errors it returns are *driver.Error,
// redacted. It is safe for concurrent use.
type Freight struct {
	Shipper
	carrier driver.CarrierDescription
}

// OpenCarrier makes a session for an account. It does no I/O.
func OpenCarrier(o CarrierOptions) (*Freight, error) {
	const op = "connector.OpenCarrier"
	d := o.Carrier.Describe()
	if d.Limits.Default <= 0 || d.RequestLifetime <= 0 {
		return nil, errs.New(errs.Internal, op, d.Name, "The carrier does not declare its limits.")
	}
	if o.Client == nil {
		return nil, errs.New(errs.Internal, op, o.Account.ID, "A session needs a client.")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	var secrets []string
	for _, set := range d.Settings {
		if set.Secret {
			secrets = append(secrets, o.Account.Settings[set.Name])
		}
	}
	tokens := Tokens{Current: func(context.Context) (string, error) { return "", nil }} // carriers sign in with their settings
	k := newLink(d.Name, o.Account.ID, tokens, o.Hooks, secrets, d.Limits.PerSecond, d.Limits.Default, d.Limits.Burst)
	s, err := o.Carrier.Open(o.Account, driver.Env{Client: o.Client, Files: o.Client, Token: k.token, Now: o.Now, Pace: k.pace, Seen: k.seen,
		Log: o.Log.With("carrier", d.Name, "account", o.Account.ID)})
	if err != nil {
		return nil, errs.Wrap(op, o.Account.ID, err)
	}
	return &Freight{Shipper: Shipper{k, s, d.RequestLifetime}, carrier: d}, nil
}

// Carrier returns the description of the carrier.
func (f *Freight) Carrier() driver.CarrierDescription { return f.carrier }

// Recent returns the log of the latest exchanges.
func (f *Freight) Recent() *Log { return f.link.Recent() }

// Shipper is a driver.Shipper behind pacing, retries and redaction. What may have been carried out is never repeated here: Find settles it.
type Shipper struct {
	link     *link
	to       driver.Shipper
	lifetime time.Duration
}

// Lifetime is how long after it left a call whose answer was lost may still be carried out.
func (s Shipper) Lifetime() time.Duration { return s.lifetime }

// Quote tells what a parcel could go with.
func (s Shipper) Quote(ctx context.Context, p driver.Parcel) ([]driver.Quote, error) {
	return ask(ctx, s.link, driver.OpQuote, passing, func(ctx context.Context) ([]driver.Quote, error) { return s.to.Quote(ctx, p) })
}

// Book has a parcel shipped.
func (s Shipper) Book(ctx context.Context, b driver.Booking) (driver.Booked, error) {
	return ask(ctx, s.link, driver.OpBook, surelyNotApplied, func(ctx context.Context) (driver.Booked, error) { return s.to.Book(ctx, b) })
}

// Find reads what was booked under a Booking's ID.
func (s Shipper) Find(ctx context.Context, b driver.Booking) (booked driver.Booked, found bool, err error) {
	booked, err = ask(ctx, s.link, driver.OpFind, passing, func(ctx context.Context) (_ driver.Booked, err error) {
		booked, found, err = s.to.Find(ctx, b)
		return booked, err
	})
	return booked, found && err == nil, err
}

// Document fetches a document, at most driver.MaxDocument long.
func (s Shipper) Document(ctx context.Context, b driver.Booked, kind driver.DocumentKind, format string) (driver.Document, error) {
	return ask(ctx, s.link, driver.OpDocument, passing, func(ctx context.Context) (driver.Document, error) {
		d, err := s.to.Document(ctx, b, kind, format)
		if err == nil && (len(d.Data) == 0 || len(d.Data) > driver.MaxDocument) {
			err = &driver.Error{Class: driver.GiveUp, Op: driver.OpDocument, Message: "the document is empty or too long"}
		}
		return d, err
	})
}

// Void takes a booking back. It may be asked again.
func (s Shipper) Void(ctx context.Context, b driver.Booked) (driver.Voided, error) {
	return ask(ctx, s.link, driver.OpVoid, passing, func(ctx context.Context) (driver.Voided, error) { return s.to.Void(ctx, b) })
}

// Manifest closes parcels with one document and returns the shipper's id of it; false where the shipper has none.
func (s Shipper) Manifest(ctx context.Context, booked []driver.Booked) (id string, ok bool, err error) {
	m, ok := s.to.(driver.Manifester)
	if !ok {
		return "", false, nil
	}
	id, err = ask(ctx, s.link, driver.OpManifest, surelyNotApplied, func(ctx context.Context) (string, error) { return m.Manifest(ctx, booked) })
	return id, true, err
}

// ManifestDocument fetches the document of a manifest.
func (s Shipper) ManifestDocument(ctx context.Context, id string) (driver.Document, bool, error) {
	m, ok := s.to.(driver.Manifester)
	if !ok {
		return driver.Document{}, false, nil
	}
	d, err := ask(ctx, s.link, driver.OpDocument, passing, func(ctx context.Context) (driver.Document, error) { return m.ManifestDocument(ctx, id) })
	return d, true, err
}

// Parcels reads one page of what became of parcels; false where the shipper does not tell.
func (s Shipper) Parcels(ctx context.Context, since time.Time, cursor string) (driver.ParcelPage, bool, error) {
	f, ok := s.to.(driver.Follower)
	if !ok {
		return driver.ParcelPage{}, false, nil
	}
	p, err := ask(ctx, s.link, driver.OpParcels, passing, func(ctx context.Context) (driver.ParcelPage, error) { return f.Parcels(ctx, since, cursor) })
	return p, true, err
}

// Looks reports whether the shipper tells of one parcel when asked for it.
func (s Shipper) Looks() bool {
	_, ok := s.to.(driver.Looker)
	return ok
}

// Look reads what became of one booking; false where the shipper does not tell of one by itself.
func (s Shipper) Look(ctx context.Context, b driver.Booked) ([]driver.ParcelNews, bool, error) {
	l, ok := s.to.(driver.Looker)
	if !ok {
		return nil, false, nil
	}
	news, err := ask(ctx, s.link, driver.OpLook, passing, func(ctx context.Context) ([]driver.ParcelNews, error) { return l.Look(ctx, b) })
	return news, true, err
}

// Stock reads one page of a provider's stock; false where it keeps none.
func (s Shipper) Stock(ctx context.Context, cursor string) (driver.KeptPage, bool, error) {
	k, ok := s.to.(driver.StockKeeper)
	if !ok {
		return driver.KeptPage{}, false, nil
	}
	p, err := ask(ctx, s.link, driver.OpQuantities, passing, func(ctx context.Context) (driver.KeptPage, error) { return k.Stock(ctx, cursor) })
	return p, true, err
}

// Shipper is the channel as a shipper of its own orders; false where it labels none.
func (s *Session) Shipper() (Shipper, bool) {
	to, ok := s.channel.(driver.Shipper)
	return Shipper{s.link, to, s.vendor.RequestLifetime}, ok
}

// Tell gives the channel a parcel's tracking number; false where it cannot be told. Told again it answers like the first time, so a lost answer
// is repeated.
func (s *Session) Tell(ctx context.Context, d driver.Dispatch) (driver.Told, bool, error) {
	to, ok := s.channel.(driver.Dispatcher)
	if !ok {
		return driver.Told{}, false, nil
	}
	t, err := ask(ctx, s.link, driver.OpTell, passing, func(ctx context.Context) (driver.Told, error) { return to.Tell(ctx, d) })
	return t, true, err
}

// Correct replaces a number told before; false where the channel cannot be told. It is not repeated where it may have been carried out: channels
// count corrections.
func (s *Session) Correct(ctx context.Context, d driver.Dispatch, told driver.Told) (driver.Told, bool, error) {
	to, ok := s.channel.(driver.Dispatcher)
	if !ok {
		return driver.Told{}, false, nil
	}
	t, err := ask(ctx, s.link, driver.OpTell, surelyNotApplied, func(ctx context.Context) (driver.Told, error) { return to.Correct(ctx, d, told) })
	return t, true, err
}

// Told reads what the channel knows of an order's parcels; false where it cannot be told of any.
func (s *Session) Told(ctx context.Context, orderID string) ([]driver.Told, bool, error) {
	to, ok := s.channel.(driver.Dispatcher)
	if !ok {
		return nil, false, nil
	}
	t, err := ask(ctx, s.link, driver.OpTell, passing, func(ctx context.Context) ([]driver.Told, error) { return to.Told(ctx, orderID) })
	return t, true, err
}

// Packages reports whether the channel makes the packages of orders, so that they must be split and may be combined before they ship.
func (s *Session) Packages() bool {
	_, ok := s.channel.(driver.Packager)
	return ok
}

// Packaged looks whether one package of the channel holds just what a parcel holds. Where the channel makes none it does.
func (s *Session) Packaged(ctx context.Context, p driver.Parcel) (pkg driver.Package, is bool, err error) {
	to, ok := s.channel.(driver.Packager)
	if !ok {
		return driver.Package{Free: true}, true, nil
	}
	pkg, err = ask(ctx, s.link, driver.OpGroup, passing, func(ctx context.Context) (_ driver.Package, err error) {
		pkg, is, err = to.Packaged(ctx, p)
		return pkg, err
	})
	return pkg, is && err == nil, err
}

// MakePackage has one package of the channel hold just what a parcel holds. What may have been carried out is never repeated here: Packaged settles it.
func (s *Session) MakePackage(ctx context.Context, g driver.Grouping) (driver.Package, error) {
	to, ok := s.channel.(driver.Packager)
	if !ok {
		return driver.Package{Free: true}, nil
	}
	return ask(ctx, s.link, driver.OpGroup, surelyNotApplied, func(ctx context.Context) (driver.Package, error) { return to.MakePackage(ctx, g) })
}

// Combinable reads one page of what the channel would let ship as one; nothing where it combines nothing.
func (s *Session) Combinable(ctx context.Context, cursor string) (driver.CombinablePage, error) {
	to, ok := s.channel.(driver.Packager)
	if !ok {
		return driver.CombinablePage{}, nil
	}
	return ask(ctx, s.link, driver.OpGroup, passing, func(ctx context.Context) (driver.CombinablePage, error) { return to.Combinable(ctx, cursor) })
}

// Bundles reports whether the channel takes many parcels over in one bag.
func (s *Session) Bundles() bool {
	to, ok := s.channel.(driver.Bundler)
	return ok && to.Bundles()
}

// Bundle puts the parcels of orders into one bag; false where the channel has none. What may have been carried out is not repeated.
func (s *Session) Bundle(ctx context.Context, b driver.Bundling) (driver.Bundle, bool, error) {
	to, ok := s.channel.(driver.Bundler)
	if !ok {
		return driver.Bundle{}, false, nil
	}
	out, err := ask(ctx, s.link, driver.OpBundle, surelyNotApplied, func(ctx context.Context) (driver.Bundle, error) { return to.Bundle(ctx, b) })
	return out, true, err
}

// BundleDocument fetches what is stuck on a bag.
func (s *Session) BundleDocument(ctx context.Context, b driver.Bundle) (driver.Document, bool, error) {
	to, ok := s.channel.(driver.Bundler)
	if !ok {
		return driver.Document{}, false, nil
	}
	d, err := ask(ctx, s.link, driver.OpDocument, passing, func(ctx context.Context) (driver.Document, error) { return to.BundleDocument(ctx, b) })
	return d, true, err
}

// Recipient reads where an order goes; false where the channel does not tell.
func (s *Session) Recipient(ctx context.Context, orderID string) (driver.Address, bool, error) {
	to, ok := s.channel.(driver.Recipients)
	if !ok {
		return driver.Address{}, false, nil
	}
	a, err := ask(ctx, s.link, driver.OpOrder, passing, func(ctx context.Context) (driver.Address, error) { return to.Recipient(ctx, orderID) })
	return a, true, err
}

// ask makes a call that answers one thing.
func ask[T any](ctx context.Context, k *link, op driver.Operation, again func(error) bool, call func(context.Context) (T, error)) (out T, err error) {
	err = k.do(ctx, op, again, func(ctx context.Context) (err error) {
		out, err = call(ctx)
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return out, nil
}
