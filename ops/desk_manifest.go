package ops

import (
	"cmp"
	"context"

	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// manifests lists what could go on carriers' manifests at a node, and the latest of them.
func (d *Desk) manifests(tx *store.Tx, v *view.HandOver) error {
	free, err := d.x.unlisted(tx, v.Node.ID)
	if err != nil {
		return err
	}
	ms, err := tx.ManifestsAt(v.Node.ID, manifestsShown)
	if err != nil {
		return err
	}
	v.Unlisted, v.Manifests = nil, nil
	accounts := map[string]store.CarrierAccount{}
	name := func(id string) (string, error) {
		if _, ok := accounts[id]; !ok {
			row, err := tx.CarrierAccountGet(id)
			if err != nil {
				return "", err
			}
			accounts[id] = row
		}
		return cmp.Or(accounts[id].Name, accounts[id].Carrier), nil
	}
	for _, u := range free {
		n, err := name(u.Account)
		if err != nil {
			return err
		}
		v.Unlisted = append(v.Unlisted, view.Unlisted{Account: u.Account, Name: n, Carrier: u.Carrier, N: u.Parcels})
	}
	for i := range ms {
		m := &ms[i]
		n, err := name(m.Account)
		if err != nil {
			return err
		}
		row := view.Manifest{ID: m.ID, Ref: m.Ref, Name: n, Carrier: m.Carrier, N: m.N, Sheet: m.Ref != "", At: m.At, By: m.By, Text: m.Why, Level: view.Quiet}
		d.manifestWords(&row, m, accounts[m.Account], v)
		v.Manifests = append(v.Manifests, row)
	}
	return nil
}

// manifestWords says how a manifest stands, and what a person is asked.
func (d *Desk) manifestWords(row *view.Manifest, m *CarrierManifest, account store.CarrierAccount, v *view.HandOver) {
	asks, until := d.x.askManifest(m, account, v.At)
	switch fate := ManifestFate(m, v.At); {
	case fate == shipping.Open:
		row.Text = "Being made."
	case fate == shipping.Unknown:
		row.Level, row.Text = view.Bad, "Look in the account's own pages whether it is made, and say it here. Its parcels go on no other meanwhile."
		row.Made, row.NotMade = asks, asks && until.IsZero()
	case fate == shipping.Refused:
		row.Level, row.NotDone = view.Bad, true
	case m.Struck > 0:
		row.Level, row.Text = view.Watch, capital(plural(m.Struck, "parcel", "parcels"))+" of it will not ship: off the van, and strike it from the sheet. Carriers may not pay back a label that is on a manifest."
	}
	if row.Sheet && m.Document == "" && row.Text == "" {
		row.Level, row.Text, row.NotMade = view.Watch, "Its sheet is not here yet: press Sheet.", asks
	}
	row.NotDone = row.NotDone || row.Made
}

// CloseManifest has a carrier make a manifest.
func (d *Desk) CloseManifest(ctx context.Context, a view.ManifestDraft) (view.Done, error) {
	m, err := d.x.CloseManifest(ctx, a)
	switch {
	case m.Why != "" && m.Fate != string(shipping.Done): // what was said when it was asked for is said again to who asks again
		return view.Done{}, errs.New(errs.Conflict, "ops.CloseManifest", m.ID, "%s", m.Why)
	case err != nil:
		return view.Done{}, err
	case m.Fate == string(shipping.Open):
		return view.Done{Sentence: "It is being made."}, nil
	}
	return view.Done{Sentence: capital(plural(m.N, "parcel is", "parcels are")) + " on the manifest of " + m.Carrier + ". Print its sheet for the driver."}, nil
}

// SettleManifest takes a person's word for what became of a manifest.
func (d *Desk) SettleManifest(ctx context.Context, id string, made bool, actor string) (view.Done, error) {
	m, err := d.x.SettleManifest(ctx, id, made, actor)
	return view.Done{Sentence: m.Why}, err
}

// onManifestWords is what the page of an order adds to a label that is on a manifest.
func onManifestWords(s *shipping.Shipment) string {
	if s.Stopped.IsZero() || s.Shipped() {
		return ", on its carrier’s manifest"
	}
	return ", on its carrier’s manifest: keep it off the van and strike it from the sheet; it may not be paid back"
}
