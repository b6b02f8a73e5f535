package ops

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// A parcel of an order has its buyer's page and, once something of it is signed, its proof; one that was stopped before it left has no page.
func TestAnOrderOffersItsParcelsProofAndPage(t *testing.T) {
	r := newRig(t)
	_, a := r.broker()
	id := r.sell("S1", 1)
	going, quiet, stopped := r.shipment("sh-1", id, shipping.ByProvider, a.ID), r.shipment("sh-2", id, shipping.ByProvider, a.ID), r.shipment("sh-3", id, shipping.ByProvider, a.ID)
	stopped.Stopped, stopped.StopWhy = time.Now().UTC(), "cancelled"
	r.must(r.st.Update(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.ShipmentsAdd([]store.Shipment{going, quiet, stopped}); err != nil {
			return err
		}
		return tx.CustodyAppend([]custody.Event{{ID: "1", At: tx.Now(), What: custody.Packed, Role: custody.Packer, ParcelID: "sh-1", OrderID: id}})
	}))
	if _, err := r.x.SequenceCustody(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := r.d.Order(t.Context(), id)
	r.must(err)
	parcel := func(id string) view.Parcel {
		i := slices.IndexFunc(v.Route.Parcels, func(p view.Parcel) bool { return p.ID == id })
		if i < 0 {
			t.Fatalf("no parcel %s in %+v", id, v.Route.Parcels)
		}
		return v.Route.Parcels[i]
	}
	if p := parcel("sh-1"); !p.Proof || !strings.HasSuffix(p.Page, "/track/"+r.x.TrackToken("sh-1")) {
		t.Errorf("%+v", p)
	}
	if p := parcel("sh-2"); p.Proof || p.Page == "" {
		t.Errorf("%+v", p)
	}
	if p := parcel("sh-3"); p.Proof || p.Page != "" {
		t.Errorf("%+v", p)
	}
	file, err := r.d.CustodyProof(t.Context(), id, "sh-1")
	r.must(err)
	proof, err := custody.ParseProof(file)
	r.must(err)
	if got, err := proof.Check(proof.Key); err != nil || len(got.Events) != 1 {
		t.Errorf("%+v %v", got, err)
	}
}
