package ops

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// EventRenumbered says that somebody entered another tracking number for a parcel of an order.
const EventRenumbered = "order.tracking_corrected"

// Renumber enters another tracking number for a parcel of an order, or the first one of a provider that has no account here; the channel is told it, as often as
// it takes corrections. carrier "" leaves the carrier as it is, or takes the number's own. Doing it again changes nothing. Errors: NotFound, Invalid (no number, or
// none of that carrier), Conflict (with why it cannot be changed).
func (x *Ops) Renumber(ctx context.Context, orderID, id, carrier, number, actor string) error {
	const op = "ops.Renumber"
	said, number := strings.TrimSpace(carrier), tracking.Normalise(number)
	var orders []string
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		orders = nil
		s, err := tx.ShipmentGet(id)
		if err == nil && !slices.Contains(s.Orders, orderID) {
			err = errs.New(errs.NotFound, op, id, "there is no such parcel of this order")
		}
		if err != nil {
			return err
		}
		was, label, carrier := s.Shipment, s.Label, cmp.Or(said, s.Label.Carrier)
		first := s.ByPerson() && label.Tracking == ""
		if first {
			carrier = cmp.Or(said, s.Carrier) // what was planned, unless the number tells otherwise
		}
		if m, ok := tracking.Infer(number, carrier); ok {
			number = m.Number
			if first && said == "" {
				carrier = m.Carrier
			}
		}
		if first && carrier == "" {
			return errs.New(errs.Invalid, op, number, "this number does not tell whose it is: name the carrier")
		}
		if number != label.Tracking && tracking.Valid(number, carrier) == tracking.NumberWrong {
			return errs.New(errs.Invalid, op, number, "this is no number of %s: it does not have the form or the check digit of one", carrier)
		}
		others, err := tx.ShipmentsBy(number, 2)
		if err != nil {
			return err
		}
		for _, o := range others {
			if number != "" && o.ID != id {
				return errs.New(errs.Conflict, op, number, "another parcel has this number")
			}
		}
		if first {
			err = s.Numbered(tx.Now(), carrier, number)
		} else {
			err = s.Renumber(tx.Now(), carrier, number)
		}
		if err != nil {
			return err
		}
		if s.Label.Tracking == label.Tracking && s.Label.Carrier == label.Carrier {
			return nil
		}
		if err := x.saveParcel(tx, &was, &s, custody.System); err != nil {
			return err
		}
		orders = s.Orders
		var events []store.Event
		for _, o := range s.Orders {
			events = append(events, store.Event{At: tx.Now(), Kind: EventRenumbered, Subject: o, Data: jsonOf(map[string]any{"by": actor, "shipment": id, "from": label.Tracking, "to": s.Label.Tracking})})
		}
		return tx.EventsAppend(events)
	})
	if err == nil && len(orders) > 0 {
		for _, o := range orders {
			x.live.notify("order:" + o)
		}
		x.live.notify(topicShipments)
	}
	return errs.Wrap(op, id, err)
}

// Renumber enters another tracking number for a parcel.
func (d *Desk) Renumber(ctx context.Context, a view.RenumberDraft) (view.Done, error) {
	if err := d.x.Renumber(ctx, a.OrderID, a.Parcel, a.Carrier, a.Number, a.Actor); err != nil {
		return view.Done{}, err
	}
	return view.Done{Sentence: "The parcel travels as " + tracking.Normalise(a.Number) + ". The channel is told so within seconds; what it answers is shown with the parcel."}, nil
}

// renumberView says whether the number of a parcel may be corrected; nil: it has none, or it is the platform's own.
func renumberView(s *shipping.Shipment, at time.Time) *view.Renumber {
	if s.ByPerson() && s.Label.Fate == shipping.Done && s.Label.Tracking == "" && !s.Closed() {
		return &view.Renumber{May: true, Text: "Its provider has no account here: enter the number it gave."}
	}
	if s.Way == shipping.ByPlatform || s.Label.Tracking == "" || !s.Stopped.IsZero() && !s.Shipped() {
		return nil
	}
	why, may := s.MayRenumber(at)
	v := &view.Renumber{May: may, Text: why}
	t := &s.Tell
	switch {
	case !may:
	case t.Tracking == "":
		v.Text = "The channel was not told this number yet."
	case t.Corrections > 0 && t.CorrectUntil.IsZero():
		v.Text = "The channel takes " + plural(int64(t.Corrections), "correction", "corrections") + "."
	case t.Corrections > 0:
		v.Text = "The channel takes " + plural(int64(t.Corrections), "correction", "corrections") + ", until " + utcTime(t.CorrectUntil) + " UTC."
	default:
		v.Text = "Whether the channel takes a correction it says when it is told."
	}
	return v
}
