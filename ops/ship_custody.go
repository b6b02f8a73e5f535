package ops

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/store"
)

// saveParcel stores a parcel with what the custody log has to say of the change, in the caller's transaction. By is who tells what became of it on
// its way. Errors: of ShipmentsSave and CustodyAppend.
func (x *Ops) saveParcel(tx *store.Tx, was *shipping.Shipment, now *store.Shipment, by custody.Role) error {
	one := []store.Shipment{*now}
	if err := tx.ShipmentsSave(one); err != nil {
		return err
	}
	*now = one[0]
	if now.Void.Answer != "" && was.Void.Answer == "" { // taken back or not, it does not leave: who has it on a manifest is told
		if err := tx.ManifestParcelStrike(store.ManifestParcel{Shipment: now.ID, Ref: now.Label.Ref}); err != nil {
			return err
		}
	}
	var docs []custody.Document
	if doc := now.Label.Document; doc != "" && doc != was.Label.Document {
		sum, err := x.documentHash(tx, doc)
		if err != nil {
			return err
		}
		docs = []custody.Document{{Kind: "label", SHA256: sum}}
	}
	return tx.CustodyAppend(passages(was, now, docs, by, tx.Now()))
}

// passages lists what became of a parcel between two stored states of it. What people scan is appended where they scan it. The version of what is
// stored is in the id, so that a change has its events once, and the same change later has its own.
func passages(was *shipping.Shipment, now *store.Shipment, label []custody.Document, by custody.Role, at time.Time) (out []custody.Event) {
	add := func(what custody.What, role custody.Role, docs ...custody.Document) {
		for _, o := range now.Orders {
			out = append(out, custody.Event{ID: fmt.Sprintf("ship/%s/%d/%s/%s", now.ID, now.Version, what, o), At: at, What: what, Role: role, Node: now.Node, OrderID: o, ParcelID: now.ID,
				Documents: docs})
		}
	}
	if now.Label.Fate == shipping.Done && (was.Label.Fate != shipping.Done || was.Label.Ref != now.Label.Ref) {
		add(custody.LabelBought, booker(now.Way))
	}
	if len(label) > 0 {
		add(custody.LabelReceived, booker(now.Way), label...)
	}
	if now.Void.Answer == string(driver.VoidDone) && was.Void.Answer != now.Void.Answer {
		add(custody.LabelVoided, booker(now.Way))
	}
	if now.Tell.Tracking != "" && now.Tell.Tracking != was.Tell.Tracking {
		add(custody.TrackingTold, custody.System)
	}
	a, b := wayState(was), wayState(&now.Shipment)
	switch {
	case !b.ScannedAt.IsZero() && a.ScannedAt.IsZero():
		add(custody.CarrierScanned, by)
	case !now.HandedOverAt.IsZero() && was.HandedOverAt.IsZero():
		add(custody.HandedOver, by)
	}
	if !now.DeliveredAt.IsZero() && was.DeliveredAt.IsZero() {
		add(custody.Delivered, by)
	}
	if what, ok := waywords[b.Status]; ok && a.Status != b.Status {
		add(what, by)
	}
	return out
}

// waywords are the statuses of a parcel on its way that the custody log keeps beside its first scan and its delivery.
var waywords = map[tracking.Status]custody.What{tracking.Exception: custody.Exception, tracking.Returning: custody.ReturnStarted, tracking.Returned: custody.Returned}

func wayState(s *shipping.Shipment) tracking.State {
	if s.Track == nil {
		return tracking.State{}
	}
	return s.Track.State()
}

// booker is who makes a parcel's label.
func booker(w shipping.Way) custody.Role {
	switch w {
	case shipping.ByPlatform:
		return custody.Channel
	case shipping.ByProvider:
		return custody.Partner
	}
	return custody.System
}

// newsBy is who tells what becomes of a carrier account's parcels.
func newsBy(w shipping.Way) custody.Role {
	if w == shipping.ByProvider {
		return custody.Partner
	}
	return custody.Carrier
}

// documentHash is the hash of a stored document as it is handed out.
func (x *Ops) documentHash(tx *store.Tx, id string) (sum [sha256.Size]byte, err error) {
	row, err := tx.DocumentGet(id)
	if err != nil {
		return sum, err
	}
	plain, err := x.o.Ring.Open(documentPlace(id), row.Sealed)
	return sha256.Sum256(plain), err
}
