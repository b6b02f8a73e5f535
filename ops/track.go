package ops

import (
	"cmp"
	"context"
	"crypto/hmac"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/domain/transit"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// noon stands for a day whose hour is not known.
const noon = calendar.Clock(12 * 3600)

// scansShown are told to a buyer, the latest.
const scansShown = 60

// TrackToken is the name under which a buyer sees a parcel: nobody can guess it without the key file, and it stays the same when keys are rotated.
func (x *Ops) TrackToken(shipment string) string {
	return shipment + "." + x.o.Ring.Pseudonym("track/"+shipment)
}

// TrackPath is the way to a parcel's page.
func (x *Ops) TrackPath(shipment string) string { return "/track/" + x.TrackToken(shipment) }

// TrackURL is the address of a parcel's page; without a public address it begins with a slash.
func (x *Ops) TrackURL(shipment string) string {
	return strings.TrimRight(x.o.PublicURL, "/") + x.TrackPath(shipment)
}

// parcelOfToken is the parcel a token was given out for. Errors: NotFound, the same whatever is wrong with the token.
func (x *Ops) parcelOfToken(token string) (string, error) {
	shipment, _, ok := strings.Cut(token, ".")
	if !ok || len(token) > 200 || !hmac.Equal([]byte(token), []byte(x.TrackToken(shipment))) {
		return "", errs.New(errs.NotFound, "ops.Track", "", "There is no parcel under this address. Ask the shop for the link again.")
	}
	return shipment, nil
}

// trackWords are the statuses of a parcel for who waits for it.
var trackWords = map[tracking.Status]struct {
	status, detail string
	level          view.Level
}{
	tracking.LabelCreated:   {"Getting ready", "The carrier is told of your parcel and has not scanned it yet.", view.Quiet},
	tracking.Accepted:       {"With the carrier", "The carrier has your parcel.", view.Good},
	tracking.InTransit:      {"On its way", "Your parcel is on its way.", view.Good},
	tracking.OutForDelivery: {"Out for delivery", "Your parcel is on the van and comes today.", view.Good},
	tracking.Attempted:      {"Delivery was tried", "The carrier could not hand your parcel over. Look on the carrier’s page when it comes again.", view.Watch},
	tracking.ReadyForPickup: {"Waits to be picked up", "Your parcel waits for you at a counter or locker. The carrier’s page says where and until when.", view.Watch},
	tracking.Delivered:      {"Delivered", "The carrier has handed your parcel over.", view.Good},
	tracking.Delayed:        {"Delayed", "The carrier says that it takes longer than planned.", view.Watch},
	tracking.Exception:      {"Held up", "Something holds your parcel up. The shop is told; look on the carrier’s page too.", view.Watch},
	tracking.Returning:      {"On its way back", "Your parcel goes back to the shop. Ask the shop what happens next.", view.Watch},
	tracking.Returned:       {"Back at the shop", "Your parcel is back at the shop. Ask it what happens next.", view.Watch},
	tracking.Cancelled:      {"Not sent", "The label of this parcel was given back.", view.Watch},
}

// scanWords are what a carrier told, for a line of the list.
var scanWords = map[tracking.Status]string{tracking.LabelCreated: "Label made", tracking.Accepted: "Taken in by the carrier", tracking.InTransit: "On its way", tracking.OutForDelivery: "On the van",
	tracking.Attempted: "Delivery was tried", tracking.ReadyForPickup: "Ready to be picked up", tracking.Delivered: "Delivered", tracking.Delayed: "Delayed", tracking.Exception: "Held up",
	tracking.Returning: "On its way back", tracking.Returned: "Back at the shop", tracking.Cancelled: "Label given back"}

// Track is what a buyer sees of a parcel. Errors: NotFound.
func (d *Desk) Track(ctx context.Context, token string) (view.Track, error) {
	shipment, err := d.x.parcelOfToken(token)
	if err != nil {
		return view.Track{}, err
	}
	var v view.Track
	err = d.read(ctx, "ops.Track", "", func(tx *store.Tx) error {
		s, err := tx.ShipmentGet(shipment)
		if err != nil {
			return err
		}
		v = trackView(&s.Shipment)
		v.Expected, err = expectedDay(tx, &s.Shipment)
		if err != nil || v.Delivered != nil {
			v.Expected = ""
		}
		node, nerr := tx.NodeGet(s.Node)
		if nerr == nil {
			v.Zone = node.Zone
		} else if !errs.Is(nerr, errs.NotFound) {
			err = nerr
		}
		return err
	})
	if errs.Is(err, errs.NotFound) { // a parcel that is forgotten is as unknown as one that never was
		_, err = d.x.parcelOfToken("")
	}
	return v, err
}

func trackView(s *shipping.Shipment) view.Track {
	v := view.Track{Carrier: cmp.Or(s.Label.Carrier, s.Carrier), Number: s.Label.Tracking, URL: safeURL(s.Label.URL), Delivered: ptr(s.DeliveredAt), HandedOver: ptr(s.HandedOverAt)}
	for _, l := range s.Lines {
		v.Units += l.Qty
	}
	if m, ok := tracking.Infer(s.Label.Tracking, s.Label.Carrier); ok {
		v.URL = cmp.Or(safeURL(m.URL()), v.URL)
		if tracking.Carriers(v.Carrier) != nil {
			v.Carrier = m.Name
		}
	}
	state := wayState(s)
	status := state.Status
	switch {
	case !s.Stopped.IsZero() && !s.Shipped():
		status = tracking.Cancelled
	case status != "" && status != tracking.Unknown && status != tracking.LabelCreated:
	case !s.DeliveredAt.IsZero():
		status = tracking.Delivered
	case s.Shipped():
		status = tracking.Accepted
	default:
		status = tracking.LabelCreated
	}
	w := trackWords[status]
	v.Status, v.Detail, v.Level = w.status, w.detail, w.level
	if status == tracking.LabelCreated && s.Label.Tracking == "" {
		v.Detail = "The shop packs your parcel."
	}
	if status == tracking.Delivered {
		v.Delivered = ptr(orNow(state.DeliveredAt, s.DeliveredAt))
	}
	if s.Track != nil {
		for _, e := range slices.Backward(s.Track.Events) {
			if word := scanWords[e.Status]; word != "" && len(v.Scans) < scansShown {
				v.Scans = append(v.Scans, view.TrackScan{At: e.At, What: word, Place: e.Place})
			}
		}
	}
	return v
}

// safeURL is an address that may be linked to; empty: it may not.
func safeURL(u string) string {
	if strings.HasPrefix(u, "https://") {
		return u
	}
	return ""
}

// expectedDay is when a parcel should arrive by its route; empty: nothing is known of its way. A parcel that left later than it was planned to arrives as
// much later.
func expectedDay(tx *store.Tx, s *shipping.Shipment) (view.Day, error) {
	routes, err := tx.RoutesGet(s.Orders...)
	if err != nil {
		return "", err
	}
	for _, r := range routes {
		var told RouteTold
		if err := json.Unmarshal(r.Body, &told); err != nil {
			return "", err
		}
		i := slices.IndexFunc(told.Parts, func(p RoutePart) bool { return p.Shipment == s.ID })
		if i < 0 || told.Parts[i].Arrives == 0 {
			continue
		}
		p := told.Parts[i]
		left := wayState(s).ScannedAt
		if left.IsZero() || p.Leaves.IsZero() || !left.After(p.Leaves.Add(24*time.Hour)) {
			return dayOf(p.Arrives), nil
		}
		carrier := transit.USPS
		if codes := tracking.Carriers(cmp.Or(s.Label.Carrier, p.Carrier)); len(codes) > 0 {
			carrier = codes[0]
		}
		c, err := transit.Calendar(carrier, p.Leaves.Location())
		if err != nil {
			return "", nil
		}
		days := transit.Took(c, p.Leaves, p.Arrives.At(noon, p.Leaves.Location()))
		if day, ok := transit.Arrival(c, left, calendar.LastSecond, days); ok && days >= 0 {
			return dayOf(day), nil
		}
		return dayOf(p.Arrives), nil
	}
	return "", nil
}
