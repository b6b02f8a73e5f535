package ops

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// newsOverlap is how far back each question reaches again: news has whole seconds, and clocks differ.
	newsOverlap = 5 * time.Minute
	// newsPages bounds one turn of one account.
	newsPages = 200
	// newsFirst is how far back the first question reaches.
	newsFirst = 7 * 24 * time.Hour
	// parcelStream is the stream of an account's watermark: until when its news is read to the end.
	parcelStream = "parcels"
)

// ReceiveParcelNews takes a webhook of a carrier: it returns when what it tells is stored. News is merged, so one that comes twice changes nothing.
// Errors: NotFound, Unauthenticated, Invalid, and those of the database, after which the carrier should come again.
func (x *Ops) ReceiveParcelNews(ctx context.Context, carrier, accountID string, header http.Header, body []byte) error {
	const op = "ops.ReceiveParcelNews"
	c, ok := x.carriers[carrier]
	if !ok {
		return errs.New(errs.NotFound, op, carrier, "no such carrier is known here")
	}
	accountID, key, _ := strings.Cut(accountID, ".")
	if c.Describe().Unsigned && subtle.ConstantTimeCompare([]byte(key), []byte(x.hookKey(accountID))) != 1 {
		return errs.New(errs.Unauthenticated, op, carrier, "this address is not the one shown for the account")
	}
	var row store.CarrierAccount
	err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		row, err = tx.CarrierAccountGet(accountID)
		return err
	})
	if err != nil {
		return err
	}
	if row.Carrier != carrier || !row.RemovedAt.IsZero() {
		return errs.New(errs.NotFound, op, accountID, "no such account is set up here")
	}
	settings, err := x.carrierSettings(row)
	if err != nil {
		return err
	}
	env, err := c.Verify(driver.CarrierAccount{ID: row.ID, Settings: settings}, header, body)
	if err != nil && !(c.Describe().Unsigned && driver.ClassOf(err) == driver.GiveUp && env.Topic != "") {
		if driver.ClassOf(err) == driver.Forged {
			x.gauges.forged.Add(1)
			return errs.New(errs.Unauthenticated, op, carrier, "the signature does not match; the message is not from the carrier or the account's secret is not the one set up here")
		}
		return &errs.Error{Kind: errs.Invalid, Op: op, Item: carrier, Safe: "the message cannot be read", Cause: err}
	}
	news, err := c.Decode(env.Topic, body)
	if err != nil {
		return &errs.Error{Kind: errs.Invalid, Op: op, Item: carrier, Safe: "the message cannot be read", Cause: err}
	}
	if err := x.takeNews(ctx, row, news); err != nil {
		return err
	}
	x.heardOf(ctx, row.ID)
	return nil
}

// CarrierHook is the last part of the address at which an account's webhooks are taken. For a carrier that signs nothing it holds a key, so that
// nobody can guess it.
func (x *Ops) CarrierHook(carrier, accountID string) string {
	if c, ok := x.carriers[carrier]; ok && c.Describe().Unsigned {
		return carrier + "/" + accountID + "." + x.hookKey(accountID)
	}
	return carrier + "/" + accountID
}

func (x *Ops) hookKey(accountID string) string {
	return x.o.Ring.Pseudonym("carrier-hook/" + accountID)
}

// takeNews merges what an account tells into its parcels, one transaction for each that changes: most of what is told was told before. News of parcels
// that are not ours is left out: an account may ship for others too.
func (x *Ops) takeNews(ctx context.Context, account store.CarrierAccount, news []driver.ParcelNews) error {
	all := told(news)
	for _, n := range news {
		changes := false
		err := x.st.View(ctx, func(tx *store.Tx) error {
			h, err := x.heard(tx, (*store.Tx).ShipmentsBy, account, n, all)
			changes = h.changes()
			return err
		})
		if err == nil && changes {
			err = x.st.Update(ctx, func(tx *store.Tx) error {
				h, err := x.heard(tx, (*store.Tx).ShipmentsByForUpdate, account, n, all)
				if err != nil || !h.changes() {
					return err
				}
				parted := false
				if h.part != nil {
					if parted, err = x.sendPart(tx, &h.now, h.part, account.Name); err != nil {
						return err
					}
				}
				if !parted && !h.differs() {
					return nil
				}
				return x.saveParcel(tx, &h.was, &h.now, newsBy(h.now.Way))
			})
			x.live.notify("order", topicShipments)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unabridged looks up what is told in brief, one call for each parcel of ours of which that is news, and leaves out the rest of the brief. With an error,
// or where the turn is over before all are looked up, it returns what is known by then; the same page is read again then, of which less is news.
// Whether a parcel that has not shipped has a problem is looked up as long as there is time.
func (x *Ops) unabridged(ctx, turn context.Context, f *connector.Freight, account store.CarrierAccount, news []driver.ParcelNews) (out []driver.ParcelNews, all bool, err error) {
	looked, numbers := map[string]bool{}, told(news)
	var maybe []driver.Booked
	look := func(b driver.Booked) error {
		looked[b.ID] = true
		got, err := x.lookAt(ctx, f, account, b)
		out = append(out, got...)
		return err
	}
	for _, n := range news {
		if !n.Brief || !f.Looks() {
			out = append(out, n)
			continue
		}
		var h parcelChange
		err := x.st.View(ctx, func(tx *store.Tx) (err error) {
			h, err = x.heard(tx, (*store.Tx).ShipmentsBy, account, n, numbers)
			return err
		})
		if err != nil {
			return out, false, err
		}
		b := driver.Booked{ID: booking(&h.now.Shipment), Ref: n.Ref}
		switch {
		case !h.found() || looked[b.ID]:
		case n.Tracking == "" && awaited(&h.now.Shipment):
			maybe = append(maybe, b)
		case h.changes() && turn.Err() != nil:
			return out, false, nil
		case h.changes():
			if err := look(b); err != nil {
				return out, false, err
			}
		}
	}
	for _, b := range maybe {
		if turn.Err() != nil || looked[b.ID] {
			continue
		}
		if err := look(b); err != nil {
			return out, false, err
		}
	}
	return out, true, nil
}

// lookAt asks for one parcel. What the provider cannot tell of it is its own matter, not the account's.
func (x *Ops) lookAt(ctx context.Context, f *connector.Freight, account store.CarrierAccount, b driver.Booked) ([]driver.ParcelNews, error) {
	news, _, err := f.Look(ctx, b)
	if driver.ClassOf(err) == driver.GiveUp {
		x.log.Warn("a provider cannot tell of a parcel", "account", account.Name, "shipment", b.ID, "err", err)
		return nil, nil
	}
	return news, err
}

// parcelChange is a parcel as it was and as it is by news of it.
type parcelChange struct {
	was  shipping.Shipment
	now  store.Shipment
	part map[string]int64 // what of it went, by item, where the rest is still to go
}

func (h parcelChange) found() bool   { return h.now.ID != "" }
func (h parcelChange) differs() bool { return !sameShipment(h.was, h.now.Shipment) }
func (h parcelChange) changes() bool {
	return h.found() && (h.differs() || h.part != nil && h.now.MayPart())
}

// heard is what news changes. The parcel is looked for by our own id, the shipper's, or the number, and only among those of the account.
func (x *Ops) heard(tx *store.Tx, by func(*store.Tx, string, int) ([]store.Shipment, error), account store.CarrierAccount, n driver.ParcelNews, told map[string]bool) (h parcelChange, err error) {
	var of []store.Shipment
	for _, number := range unique([]string{n.BookingID, n.Ref, n.Tracking}) {
		if number == "" {
			continue
		}
		got, err := by(tx, number, shipping.MaxLines) // a booking is of few parcels: it was one
		if err != nil {
			return h, err
		}
		for _, s := range got {
			if s.Account == account.ID && !slices.ContainsFunc(of, func(o store.Shipment) bool { return o.ID == s.ID }) {
				of = append(of, s)
			}
		}
	}
	if len(of) == 0 {
		return h, nil
	}
	i, part := match(x.catalog.Load(), of, n, told)
	if i < 0 {
		return h, nil
	}
	h = parcelChange{of[i].Shipment, of[i], part}
	x.hear(&h.now.Shipment, account.Carrier, n, tx.Now())
	return h, nil
}

// hear merges one piece of news.
func (x *Ops) hear(s *shipping.Shipment, source string, n driver.ParcelNews, at time.Time) {
	if s.Label.Entered && n.Tracking != "" && tracking.Normalise(n.Tracking) != s.Label.Tracking {
		n.Events = nil // of the number it had before
	}
	if b := n.Booked; b != nil && (b.Tracking == "" || s.Label.Entered) {
		kept := *b
		kept.Tracking, kept.Carrier = s.Label.Tracking, cmp.Or(b.Carrier, s.Label.Carrier) // news without a number takes none away
		n.Booked = &kept
	}
	if b := n.Booked; b != nil && b.Tracking != "" && b.Carrier == "" {
		n.Booked = withCarrier(s, *b, at)
	}
	if n.Booked != nil && (s.Label.Fate != shipping.Done || n.Booked.Tracking != s.Label.Tracking || n.Booked.State == driver.BookingVoided) {
		taken(*n.Booked)(s, at)
	}
	if n.Exception != "" && !s.Shipped() && !(s.Label.Stuck && s.Label.Message == n.Exception) { // told again it is no other
		s.Except(at, n.Exception)
	}
	if len(n.Events) == 0 || s.Label.Tracking == "" {
		return
	}
	events := make([]tracking.Event, 0, len(n.Events))
	for _, e := range n.Events {
		events = append(events, tracking.Event{At: e.At, Status: tracking.Status(e.Status), Code: e.Word, Place: e.Place, Source: source})
	}
	if err := s.Follow(events...); err != nil {
		x.log.Warn("news of a parcel cannot be used", "shipment", s.ID, "err", err)
	}
}

// withCarrier completes a booking that is told without who carries it, as brokers do in their webhooks. While its call is unsure, looking tells all of it:
// that is done at once, and nothing is taken from the news.
func withCarrier(s *shipping.Shipment, b driver.Booked, at time.Time) *driver.Booked {
	switch s.Label.Fate {
	case shipping.Open: // the answer is awaited, and looked for after that
		return nil
	case shipping.Unknown, shipping.Waiting:
		if s.Label.After.After(at) {
			s.Label.After = at
		}
		return nil
	}
	if b.Carrier = s.Carrier; b.Carrier == "" {
		if m, ok := tracking.Infer(b.Tracking, ""); ok {
			b.Carrier = m.Carrier
		}
	}
	return &b
}

func sameShipment(a, b shipping.Shipment) bool { return string(jsonOf(a)) == string(jsonOf(b)) }

// newsPlace is how far the news of an account is read, kept as the cursor of its watermark until it is read to the end.
type newsPlace struct {
	Since  time.Time `json:"since"`
	Began  time.Time `json:"began"` // when its first page was asked for: the next watermark
	Cursor string    `json:"cursor"`
}

// askNewsOf reads an account's news to its end, or as much as one turn takes: the next turn goes on there, so that a busy account is caught up with and
// holds up no other. more: there is some left. Only at the end the watermark moves.
func (x *Ops) askNewsOf(ctx context.Context, a store.CarrierAccount) (more bool, err error) {
	f, err := x.freight(ctx, a.ID)
	if err != nil {
		return false, err
	}
	var mark store.Watermark
	err = x.st.View(ctx, func(tx *store.Tx) (err error) {
		mark, err = tx.WatermarkGet(a.ID, parcelStream)
		return err
	})
	if err != nil {
		return false, err
	}
	keep := func(m store.Watermark) error { // what was read is read, although the program stops
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
		defer cancel()
		return x.st.Update(ctx, func(tx *store.Tx) error { return tx.WatermarkSet(a.ID, parcelStream, m) })
	}
	turn, cancel := context.WithTimeout(ctx, newsTurn)
	defer cancel()
	at := newsFrom(mark, x.now())
	for range newsPages {
		page, ok, err := f.Parcels(ctx, at.Since, at.Cursor)
		if !ok {
			return false, err
		}
		all := true
		if err == nil {
			page.News, all, err = x.unabridged(ctx, turn, f, a, page.News)
			err = errors.Join(err, x.takeNews(ctx, a, page.News))
		}
		if !x.keeper.has(schedulerLease) { // another process asks by now, from where this one began
			return false, err
		}
		if err != nil {
			if driver.ClassOf(err) == driver.GiveUp { // it does not take this cursor any more
				at.Cursor = ""
			}
			return false, errors.Join(err, keep(store.Watermark{At: mark.At, Cursor: at.text()}))
		}
		if !all {
			break
		}
		if at.Cursor = page.Next; at.Cursor == "" {
			return false, keep(store.Watermark{At: at.Began})
		}
		if turn.Err() != nil {
			break
		}
	}
	return true, keep(store.Watermark{At: mark.At, Cursor: at.text()})
}

// newsFrom is where reading goes on from a watermark.
func newsFrom(mark store.Watermark, now time.Time) newsPlace {
	var at newsPlace
	if json.Unmarshal([]byte(mark.Cursor), &at) == nil && at.Cursor != "" {
		return at
	}
	if mark.At.IsZero() {
		return newsPlace{Since: now.Add(-newsFirst), Began: now}
	}
	return newsPlace{Since: mark.At.Add(-newsOverlap), Began: now}
}

// text is a place as it is kept; empty: none.
func (p newsPlace) text() string {
	if p.Cursor == "" {
		return ""
	}
	return string(jsonOf(p))
}
