package ops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// heldLook is when a parcel whose order may not ship is looked at again.
const heldLook = time.Minute

// shipWay is whom a step of a parcel is done with: the channel that sold it, or an account of the seller's.
type shipWay struct {
	w       *wire
	shipper connector.Shipper
	account string
}

// way finds whom a step is done with. Errors: Invalid, NotFound, Unavailable, and driver errors.
func (w *wire) way(s *store.Shipment, k shipping.StepKind) (shipWay, error) {
	out := shipWay{w: w, account: s.Account}
	if k == shipping.Tell || k == shipping.Correct || k == shipping.Group || k == shipping.Seek {
		return out, nil
	}
	if s.Way == shipping.ByPlatform {
		own, ok := w.session.Shipper()
		if !ok {
			return out, errs.New(errs.Invalid, "ops.Ship", s.ID, "this channel makes no labels: choose another way to ship it")
		}
		out.shipper = own
		return out, nil
	}
	f, err := w.x.freight(w.ctx, s.Account)
	if err != nil {
		return out, err
	}
	out.shipper = f.Shipper
	return out, nil
}

func (t shipWay) lifetime() time.Duration {
	if l := t.shipper.Lifetime(); l > 0 {
		return l
	}
	return t.w.vendor.RequestLifetime
}

// do makes the call of a step and returns what it changes.
func (t shipWay) do(ctx context.Context, k shipping.StepKind, s store.Shipment) outcome {
	switch k {
	case shipping.Book, shipping.Find:
		return t.book(ctx, k, s)
	case shipping.Fetch:
		return t.fetch(ctx, s)
	case shipping.Tell, shipping.Correct:
		return t.tell(ctx, k, s)
	case shipping.Group, shipping.Seek:
		return t.group(ctx, k, s)
	}
	voided, err := t.shipper.Void(ctx, booked(&s.Shipment))
	if err != nil {
		return failed(k, err)
	}
	return func(s *shipping.Shipment, at time.Time) { s.Voided(at, string(voided)) }
}

func (t shipWay) book(ctx context.Context, k shipping.StepKind, s store.Shipment) outcome {
	if k == shipping.Book { // what was asked for already is settled all the same
		if why, err := t.w.x.heldBack(ctx, &s); err != nil || why != "" {
			return failed(k, &driver.Error{Class: driver.RetryAfter, After: heldLook, Message: why, Cause: err})
		}
	}
	parcel, err := t.w.parcelOf(ctx, &s.Shipment)
	if err != nil { // nothing was booked yet
		return failed(k, driver.BeforeCall(err))
	}
	format, err := t.w.x.LabelFormat(ctx, s.Node)
	if err != nil {
		return failed(k, driver.BeforeCall(err))
	}
	b := driver.Booking{ID: s.ID, Parcel: parcel, Format: format}
	if k == shipping.Find {
		got, found, err := t.shipper.Find(ctx, b)
		switch {
		case err != nil:
			return failed(k, err)
		case !found:
			return func(s *shipping.Shipment, at time.Time) { s.NotFound(at) }
		}
		return taken(got)
	}
	if err := t.offer(ctx, &s.Shipment, &b); err != nil {
		return failed(k, driver.BeforeCall(err))
	}
	got, err := t.shipper.Book(ctx, b)
	if err != nil {
		return failed(k, err)
	}
	return taken(got)
}

// offer chooses the service and the slot.
func (t shipWay) offer(ctx context.Context, s *shipping.Shipment, b *driver.Booking) error {
	quotes, err := t.shipper.Quote(ctx, b.Parcel)
	if err != nil {
		return err
	}
	offers := make([]shipping.Offer, len(quotes))
	for i, q := range quotes {
		offers[i] = shipping.Offer{ID: q.ID, Carrier: q.Carrier, Service: q.Service, Price: q.Price, MinDays: q.MinDays, MaxDays: q.MaxDays}
	}
	chosen, ok := shipping.Choose(offers, s.Carrier, s.Service, 0)
	leavesNone := !slices.ContainsFunc(quotes, func(q driver.Quote) bool { return !q.ByPlatform })
	if !ok && (s.Way == shipping.ByPlatform || leavesNone) { // whoever picks the carrier may not be asked for another
		chosen, ok = shipping.Choose(offers, "", "", 0)
	}
	if !ok {
		return errs.New(errs.Invalid, "ops.Ship", s.ID, "nobody offers %s for this parcel", serviceName(s))
	}
	b.Quote = quotes[slices.IndexFunc(quotes, func(q driver.Quote) bool { return q.ID == chosen.ID })]
	slots := make([]shipping.Slot, len(b.Quote.Slots))
	for i, sl := range b.Quote.Slots {
		slots[i] = shipping.Slot(sl)
	}
	if len(slots) == 0 {
		return nil
	}
	hours, err := t.w.x.handHours(ctx, s, b.Quote.Carrier)
	if err != nil {
		return err
	}
	if slot, ok := shipping.ChooseSlot(slots, s.Due, t.w.x.now(), hours); ok {
		b.Slot = driver.Slot(slot)
	}
	return nil
}

func serviceName(s *shipping.Shipment) string {
	if s.Carrier == "" && s.Service == "" {
		return "a service"
	}
	return fmt.Sprintf("%s %s", s.Carrier, s.Service)
}

// taken is what a booking changes.
func taken(b driver.Booked) outcome {
	return func(s *shipping.Shipment, at time.Time) {
		switch b.State {
		case driver.BookingPending:
			s.Pending(at)
		case driver.BookingFailed:
			why := "The shipper could not make the label."
			if len(b.Messages) > 0 {
				why = b.Messages[0]
			}
			s.Label.Fate = shipping.Open // whatever was known of it, it is settled now
			s.Refuse(shipping.Book, at, 0, why, true)
		case driver.BookingVoided:
			s.Booked(at, labelOf(b))
			s.Voided(at, string(driver.VoidDone))
		default:
			s.Booked(at, labelOf(b))
		}
	}
}

func labelOf(b driver.Booked) shipping.Label {
	return shipping.Label{Ref: b.Ref, Package: b.Package, Carrier: b.Carrier, Service: b.Service, Tracking: b.Tracking, URL: b.URL, Price: b.Price, BookedAt: b.At}
}

// booked is a parcel's booking in the shipper's words.
func booked(s *shipping.Shipment) driver.Booked {
	l := &s.Label
	return driver.Booked{ID: booking(s), Rest: l.PartOf != "" && l.Tracking == "", Ref: l.Ref, Package: l.Package, Carrier: l.Carrier, Service: l.Service, Tracking: l.Tracking, URL: l.URL, Price: l.Price, At: l.BookedAt, State: driver.BookingDone}
}

func (t shipWay) fetch(ctx context.Context, s store.Shipment) outcome {
	format, err := t.w.x.LabelFormat(ctx, s.Node)
	if err != nil {
		return failed(shipping.Fetch, err)
	}
	doc, err := t.shipper.Document(ctx, booked(&s.Shipment), driver.LabelDocument, format)
	if err != nil {
		return failed(shipping.Fetch, err)
	}
	id, err := t.w.x.keepDocument(ctx, s.ID, s.Label.Ref, doc)
	if err == nil {
		err = t.hazmat(ctx, &s)
	}
	if err != nil {
		return failed(shipping.Fetch, err)
	}
	return func(s *shipping.Shipment, at time.Time) { s.Stored(id) }
}

func (t shipWay) tell(ctx context.Context, k shipping.StepKind, s store.Shipment) outcome {
	parcel, err := t.w.contents(ctx, &s.Shipment)
	if err != nil {
		return failed(k, err)
	}
	d := driver.Dispatch{OrderID: parcel.OrderIDs[0], With: parcel.OrderIDs[1:], Lines: parcel.Lines, PackageID: parcel.PackageID, Carrier: s.Label.Carrier, Tracking: s.Label.Tracking, URL: s.Label.URL,
		ShippedAt: s.HandedOverAt, Region: parcel.Region}
	for _, l := range parcel.Lines {
		d.ExternalLineIDs = append(d.ExternalLineIDs, l.ExternalLineIDs...)
	}
	var told driver.Told
	known := true
	if k == shipping.Correct {
		told, known, err = t.correct(ctx, d, s)
	} else {
		told, known, err = t.w.session.Tell(ctx, d)
	}
	if err == nil && !known {
		err = errs.New(errs.Invalid, "ops.Ship", s.ID, "this channel cannot be told tracking numbers by us: enter %s there", s.Label.Tracking)
	}
	if err != nil {
		return failed(k, err)
	}
	return func(s *shipping.Shipment, at time.Time) {
		s.Told(at, told.Tracking, told.PackageID, told.Warning, told.Corrections)
		s.Tell.CorrectUntil = told.Until
	}
}

// correct changes a number, unless the channel knows the new one already: it counts corrections, and the answer to the last one may have been lost.
func (t shipWay) correct(ctx context.Context, d driver.Dispatch, s store.Shipment) (driver.Told, bool, error) {
	all, ok, err := t.w.session.Told(ctx, d.OrderID)
	if err != nil || !ok {
		return driver.Told{}, ok, err
	}
	was := driver.Told{PackageID: s.Tell.Package, Tracking: s.Tell.Tracking, Corrections: s.Tell.Corrections}
	for _, one := range all {
		if one.Tracking == d.Tracking {
			return one, true, nil
		}
		if one.PackageID == s.Tell.Package {
			was = one
		}
	}
	return t.w.session.Correct(ctx, d, was)
}

// failed is what an error changes: refused where the call was surely not carried out, else uncertain.
func failed(k shipping.StepKind, err error) outcome {
	return func(s *shipping.Shipment, at time.Time) {
		if driver.MayBeApplied(err) && !ours(err) {
			s.Lost(k, at, sentence(err))
			return
		}
		var after time.Duration
		if e, ok := errors.AsType[*driver.Error](err); ok {
			after = e.After
		}
		s.Refuse(k, at, after, sentence(err), hopeless(err, s.Failures(k)))
	}
}

// loginTries is how often a step is refused for its login before the parcel asks: with growing pauses about a quarter of an hour, less near its deadline.
const loginTries = 9

// ours reports whether an error is one of our own, of before the call.
func ours(err error) bool {
	_, ok := errors.AsType[*errs.Error](err)
	return ok
}

// hopeless reports whether the same will never work, so that a person must look. A login that is refused is not the parcel's fault: its connection
// says so once, and hundreds of parcels go on by themselves when it is renewed. Only if it stays refused does the parcel ask.
func hopeless(err error, failures int) bool {
	if e, ok := errors.AsType[*driver.Error](err); ok {
		return e.Class == driver.GiveUp || e.Class == driver.AskHuman && failures >= loginTries
	}
	return errs.Is(err, errs.Invalid) || errs.Is(err, errs.NotFound) || errs.Is(err, errs.Forbidden)
}

// sentence is an error for people.
func sentence(err error) string {
	e, ok := errors.AsType[*driver.Error](err)
	switch {
	case !ok:
		return errs.Safe(err)
	case e.Message != "":
		return e.Message
	case e.Applied:
		return "No answer came."
	case e.Status != 0:
		return fmt.Sprintf("The answer was HTTP %d, without a word.", e.Status)
	}
	return "It could not be reached."
}
