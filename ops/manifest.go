package ops

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// manifestsShown of a node are listed.
const manifestsShown = 20

const manifestLost = "No answer came, so it is not known whether the manifest is made: look in the account's own pages, and say here what you find. Its parcels go on no other meanwhile."

// CarrierManifest is a carrier's own list of the parcels that a van fetches.
type CarrierManifest = store.CarrierManifest

// CloseManifest has a carrier close, with a document of its own, what was labelled today at a node with an account and is on no manifest: what waits for the van
// and what was put on it. The call is stored before it leaves and its fate after it. Brokers cannot be asked what they have, so an answer that was lost is left to a
// person; its parcels go on no other manifest meanwhile. Errors: Invalid, NotFound, Conflict, Unavailable, driver errors.
func (x *Ops) CloseManifest(ctx context.Context, d view.ManifestDraft) (CarrierManifest, error) {
	const op = "ops.CloseManifest"
	m := CarrierManifest{ID: d.ID, Account: d.Account, Node: d.Node, Carrier: d.Carrier, Fate: string(shipping.Open), By: d.Actor}
	if err := x.knownNode(op, d.Node); err != nil {
		return m, err
	}
	if d.ID == "" || len(d.ID) > maxStation {
		return m, errs.New(errs.Invalid, op, "id", "a manifest needs an id of its own")
	}
	to, err := x.freight(ctx, d.Account)
	if err != nil {
		return m, err
	}
	if !slices.Contains(to.Carrier().Can, driver.CanManifest) {
		return m, errs.New(errs.Invalid, op, d.Account, "no manifests are made with this account")
	}
	var booked []driver.Booked
	fresh := false
	err = x.st.Update(ctx, func(tx *store.Tx) (err error) {
		m.At = tx.Now()
		if fresh, err = tx.ManifestAdd(m); err != nil {
			return err
		}
		if !fresh {
			if m, _, err = tx.ManifestGet(d.ID); ManifestFate(&m, tx.Now()) == shipping.Unknown {
				m.Fate, m.Why = string(shipping.Unknown), manifestLost
			}
			return err
		}
		if booked, err = x.putOnManifest(tx, d); err != nil {
			return err
		}
		m.N = int64(len(booked))
		return tx.ManifestSave(m)
	})
	if err != nil || !fresh {
		return m, err
	}
	return x.sendManifest(ctx, to, m, booked)
}

// putOnManifest claims what can go on one manifest: of two stations that ask at once, each label goes to one. Errors: Conflict (there is nothing).
func (x *Ops) putOnManifest(tx *store.Tx, d view.ManifestDraft) ([]driver.Booked, error) {
	free, err := x.listable(tx, d.Node, func(s *store.Shipment) bool { return s.Account == d.Account && s.Label.Carrier == d.Carrier })
	if err != nil {
		return nil, err
	}
	free = free[:min(len(free), driver.MaxManifest)]
	labels := make([]store.ManifestParcel, len(free))
	for i := range free {
		labels[i] = listed(&free[i])
	}
	if err := tx.ManifestParcelsPut(d.Node, d.ID, tx.Now(), labels); err != nil {
		return nil, err
	}
	on, err := tx.ManifestParcels(d.ID, driver.MaxManifest)
	if err != nil {
		return nil, err
	}
	var out []driver.Booked
	for i := range free {
		if slices.Contains(on, free[i].ID) {
			out = append(out, booked(&free[i].Shipment))
		}
	}
	if len(out) == 0 {
		return nil, errs.New(errs.Conflict, "ops.CloseManifest", d.Node, "nothing that %s labelled here today is on no manifest yet", d.Carrier)
	}
	return out, nil
}

func listed(s *store.Shipment) store.ManifestParcel {
	return store.ManifestParcel{Shipment: s.ID, Ref: s.Label.Ref}
}

// listedLabels are the labels of parcels that are on a manifest.
func listedLabels(tx *store.Tx, ss []store.Shipment) (map[string]bool, error) {
	var labels []store.ManifestParcel
	for i := range ss {
		if ss[i].Label.Ref != "" {
			labels = append(labels, listed(&ss[i]))
		}
	}
	if len(labels) == 0 {
		return nil, nil
	}
	return tx.ManifestParcelsListed(labels)
}

// listable are the parcels of a node that could go on a manifest, those due first in front, then those that left without one: all of them, or enough for one
// manifest. Nothing is read for who has no account that makes manifests.
func (x *Ops) listable(tx *store.Tx, node string, wanted func(*store.Shipment) bool) (free []store.Shipment, err error) {
	makes, err := x.manifesters(tx)
	if err != nil || len(makes) == 0 {
		return nil, err
	}
	today, err := nodeMidnight(tx, node)
	if err != nil {
		return nil, err
	}
	keep := func(ss []store.Shipment) error {
		ss = slices.DeleteFunc(slices.Clone(ss), func(s store.Shipment) bool {
			return makes[s.Account].ID == "" || s.Node != node || !s.Listable(today) || !wanted(&s)
		})
		on, err := listedLabels(tx, ss)
		free = append(free, slices.DeleteFunc(ss, func(s store.Shipment) bool { return on[listed(&s).Label()] })...)
		return err
	}
	for place := (store.ShipmentPlace{}); len(free) < driver.MaxManifest; {
		ss, err := tx.ShipmentsAt(node, shipping.Hand, place, floorPage)
		if err != nil {
			return nil, err
		}
		if err := keep(ss); err != nil {
			return nil, err
		}
		if len(ss) < floorPage {
			break
		}
		place = ss[len(ss)-1].Place()
	}
	gone, err := tx.ManifestParcelsLeft(node, today, driver.MaxManifest)
	if err != nil {
		return nil, err
	}
	left, err := tx.ShipmentsGet(gone...)
	if err != nil {
		return nil, err
	}
	err = keep(slices.DeleteFunc(left, func(s store.Shipment) bool { return !s.Shipped() }))
	return free, err
}

// manifesters are the accounts in use whose shippers make manifests.
func (x *Ops) manifesters(tx *store.Tx) (map[string]store.CarrierAccount, error) {
	rows, err := tx.CarrierAccounts()
	out := map[string]store.CarrierAccount{}
	for _, row := range rows {
		if x.makesManifests(row) {
			out[row.ID] = row
		}
	}
	return out, err
}

func (x *Ops) makesManifests(row store.CarrierAccount) bool {
	c, ok := x.carriers[row.Carrier]
	return ok && row.RemovedAt.IsZero() && slices.Contains(c.Describe().Can, driver.CanManifest)
}

// nodeMidnight is when the day began that it is at a node.
func nodeMidnight(tx *store.Tx, node string) (time.Time, error) {
	zone := time.UTC
	n, err := tx.NodeGet(node)
	switch {
	case err == nil:
		zone = n.Location()
	case !errs.Is(err, errs.NotFound):
		return time.Time{}, err
	}
	y, m, d := tx.Now().In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone), nil
}

// leftUnlisted remembers a parcel that was put on a van before the manifest was made.
func (x *Ops) leftUnlisted(tx *store.Tx, s *store.Shipment) error {
	if s.Way != shipping.ByCarrier || s.Label.Ref == "" {
		return nil
	}
	row, err := tx.CarrierAccountGet(s.Account)
	if errs.Is(err, errs.NotFound) || err == nil && !x.makesManifests(row) {
		return nil
	}
	if err != nil {
		return err
	}
	return tx.ManifestParcelsPut(s.Node, "", tx.Now(), []store.ManifestParcel{listed(s)})
}

func (x *Ops) sendManifest(ctx context.Context, to *connector.Freight, m CarrierManifest, booked []driver.Booked) (CarrierManifest, error) {
	call, cancel := context.WithTimeout(ctx, shipping.CallTime)
	defer cancel()
	ref, _, err := to.Manifest(call, booked)
	switch {
	case err == nil && ref != "":
		m.Fate, m.Ref = string(shipping.Done), ref
	case err == nil || driver.MayBeApplied(err):
		m.Fate, m.Why = string(shipping.Unknown), manifestLost
	default:
		m.Fate, m.Why = string(shipping.Refused), sentence(err)
	}
	keep, stop := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer stop()
	e := x.st.Update(keep, func(tx *store.Tx) error {
		had, _, err := tx.ManifestForUpdate(m.ID)
		if err != nil || had.Fate != string(shipping.Open) { // a person was faster
			m = had
			return err
		}
		return saveManifest(tx, m)
	})
	if e != nil {
		return m, e
	}
	if m.Fate == string(shipping.Done) {
		if e := x.fetchManifest(keep, &m); e != nil { // it is made all the same: its sheet is fetched when somebody prints it
			x.log.Warn("a carrier's manifest cannot be fetched yet", "manifest", m.ID, "err", e)
		}
	}
	x.live.notify(topicShipments)
	return m, err
}

// saveManifest stores what became of a manifest. The labels of one that was not made can go on another.
func saveManifest(tx *store.Tx, m CarrierManifest) error {
	if err := tx.ManifestSave(m); err != nil || m.Fate != string(shipping.Refused) {
		return err
	}
	return tx.ManifestParcelsFree(m.ID)
}

// fetchManifest fetches and keeps a carrier's manifest. The custody log of each parcel on it gets its hash.
func (x *Ops) fetchManifest(ctx context.Context, m *CarrierManifest) error {
	const op = "ops.ManifestDocument"
	to, err := x.freight(ctx, m.Account)
	if err != nil {
		return err
	}
	doc, ok, err := to.ManifestDocument(ctx, m.Ref)
	if err != nil {
		return errs.New(errs.Unavailable, op, m.ID, "the sheet cannot be had: %s", sentence(err))
	}
	if !ok {
		return errs.New(errs.NotFound, op, m.ID, "no manifests are made with this account")
	}
	id, err := x.keepDocument(ctx, m.ID, m.Ref, doc)
	if err != nil {
		return err
	}
	return x.st.Update(ctx, func(tx *store.Tx) error {
		had, ok, err := tx.ManifestForUpdate(m.ID)
		if err != nil || !ok {
			return err
		}
		had.Document = id
		*m = had
		if err := tx.ManifestSave(had); err != nil {
			return err
		}
		parcels, err := tx.ManifestParcels(m.ID, driver.MaxManifest)
		if err != nil {
			return err
		}
		ss, err := tx.ShipmentsGet(parcels...)
		if err != nil {
			return err
		}
		var events []custody.Event
		hash := []custody.Document{{Kind: "manifest", SHA256: sha256.Sum256(doc.Data)}}
		for i := range ss {
			for _, o := range ss[i].Orders {
				events = append(events, custody.Event{ID: fmt.Sprintf("manifest/%s/%s/%s", m.ID, ss[i].ID, o), At: tx.Now(), What: custody.Manifested, Role: custody.System, Node: m.Node,
					OrderID: o, ParcelID: ss[i].ID, Documents: hash})
			}
		}
		return tx.CustodyAppend(events)
	})
}

// ManifestDocument is a carrier's manifest to print. Errors: NotFound, Unavailable, driver errors.
func (x *Ops) ManifestDocument(ctx context.Context, id string) (driver.Document, error) {
	m, _, _, err := x.Manifest(ctx, id)
	switch {
	case err != nil:
		return driver.Document{}, err
	case m.Ref == "":
		return driver.Document{}, errs.New(errs.NotFound, "ops.ManifestDocument", id, "this manifest is not made, or its sheet is in the account's own pages only")
	case m.Document != "":
		if doc, err := x.Document(ctx, m.Document); !errs.Is(err, errs.NotFound) { // else it is forgotten by now, and asked for again
			return doc, err
		}
	}
	if err := x.fetchManifest(ctx, &m); err != nil {
		return driver.Document{}, err
	}
	return x.Document(ctx, m.Document)
}

// Manifest is one, with the ids of the parcels on it, and the moment that was so. Errors: NotFound.
func (x *Ops) Manifest(ctx context.Context, id string) (m CarrierManifest, parcels []string, at time.Time, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		var ok bool
		at = x.now()
		if m, ok, err = tx.ManifestGet(id); err == nil && !ok {
			err = errs.New(errs.NotFound, "ops.Manifest", id, "there is no such manifest")
		}
		if err != nil {
			return err
		}
		parcels, err = tx.ManifestParcels(id, driver.MaxManifest)
		return err
	})
	return m, parcels, at, err
}

// SettleManifest takes a person's word for what became of a manifest that is not known to be made, or has come to nothing without a sheet. What was not made
// frees its parcels, so that is taken only when the call can surely not be carried out any more. Errors: NotFound, Conflict.
func (x *Ops) SettleManifest(ctx context.Context, id string, made bool, actor string) (m CarrierManifest, err error) {
	const op = "ops.SettleManifest"
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		var ok bool
		if m, ok, err = tx.ManifestForUpdate(id); err != nil {
			return err
		}
		if !ok {
			return errs.New(errs.NotFound, op, id, "there is no such manifest")
		}
		account, err := tx.CarrierAccountGet(m.Account)
		if err != nil {
			return err
		}
		to := map[bool]shipping.Fate{true: shipping.Done, false: shipping.Refused}[made]
		asks, sure := x.askManifest(&m, account, tx.Now())
		switch {
		case m.Fate == string(to):
			return nil
		case !asks || made && m.Ref != "":
			return errs.New(errs.Conflict, op, id, "nothing is asked of this manifest any more")
		case !made && !sure.IsZero():
			return errs.New(errs.Conflict, op, id, "it may still be made until %s UTC: look again then", sure.UTC().Format("15:04:05"))
		}
		m.Fate, m.Said = string(to), actor
		if !made {
			m.Ref = ""
		}
		m.Why = map[bool]string{true: "Made, says " + actor + ": its sheet is in the account's own pages.", false: "Not made, says " + actor + ". Its parcels can go on another."}[made]
		return saveManifest(tx, m)
	})
	if err == nil {
		x.live.notify(topicShipments)
	}
	return m, err
}

// askManifest reports whether a person is asked what became of a manifest, and until when it may still be carried out; zero: not any more.
func (x *Ops) askManifest(m *CarrierManifest, account store.CarrierAccount, at time.Time) (asks bool, until time.Time) {
	fate := ManifestFate(m, at)
	asks = fate == shipping.Unknown || fate == shipping.Done && m.Ref != "" && m.Document == ""
	if c, ok := x.carriers[account.Carrier]; ok && fate == shipping.Unknown {
		if sure := (shipping.Terms{Lifetime: c.Describe().RequestLifetime}).SureBy(m.At); at.Before(sure) {
			until = sure
		}
	}
	return asks, until
}

// ManifestFate is what became of a manifest.
func ManifestFate(m *CarrierManifest, at time.Time) shipping.Fate {
	return shipping.TogetherFate(shipping.Fate(m.Fate), m.At, at)
}

// Unlisted is what a carrier labelled today at a node with an account and is on no manifest.
type Unlisted struct {
	Account, Carrier string
	Parcels          int64
}

// Manifests are the latest manifests of a node, the newest first, what could go on another, and the moment that was so. Errors: NotFound (no such node).
func (x *Ops) Manifests(ctx context.Context, node string) (made []CarrierManifest, free []Unlisted, at time.Time, err error) {
	const op = "ops.Manifests"
	if err := x.knownNode(op, node); err != nil {
		return nil, nil, at, err
	}
	err = x.st.View(ctx, func(tx *store.Tx) (err error) {
		at = x.now()
		if free, err = x.unlisted(tx, node); err == nil {
			made, err = tx.ManifestsAt(node, manifestsShown)
		}
		return err
	})
	return made, free, at, errs.Wrap(op, node, err)
}

func (x *Ops) unlisted(tx *store.Tx, node string) (out []Unlisted, err error) {
	ss, err := x.listable(tx, node, func(*store.Shipment) bool { return true })
	for i := range ss {
		s := &ss[i]
		k := slices.IndexFunc(out, func(u Unlisted) bool { return u.Account == s.Account && u.Carrier == s.Label.Carrier })
		if k < 0 {
			out = append(out, Unlisted{Account: s.Account, Carrier: s.Label.Carrier})
			k = len(out) - 1
		}
		out[k].Parcels++
	}
	slices.SortFunc(out, func(a, b Unlisted) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Carrier, b.Carrier))
	})
	return out, err
}
