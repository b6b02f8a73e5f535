package ops

import (
	"testing"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/sim/world"
	"github.com/spillway/spillway/store"
)

// What is said to be dangerous goods gets the channel's label for them with the parcel's own, since the channel gives none once the parcel has left.
func TestDangerousGoodsGetTheirLabel(t *testing.T) {
	t.Parallel()
	j := newJoint(t, "TH", "main")
	j.must(j.st.Update(t.Context(), func(tx *store.Tx) error {
		for _, id := range []string{"main", "west"} {
			n, err := tx.NodeGet(id)
			if err != nil {
				return err
			}
			n.Abilities, n.Lanes[0].Abilities = []network.Ability{network.Hazmat}, []network.Ability{network.Hazmat}
			if err := tx.NodePut(n.Node, n.Version, "lena"); err != nil {
				return err
			}
		}
		return nil
	}))
	j.must(j.x.SayHandling(t.Context(), Said{Physicals: []ItemSaid{{ItemID: "MUG", Physical: Physical{Needs: []network.Ability{network.Hazmat}}}}}, "lena"))
	j.x.network.stale()
	if _, err := j.faults.Add(world.Rule{Point: "GET /fulfillment/202309/packages/*", Kind: world.Unavailable, Remaining: 2}); err != nil {
		t.Fatal(err)
	}
	a, b := j.sells("", "MUG"), j.sells("", "LAMP")
	j.routed(1, a, b)
	j.packs(a, b)
	for _, o := range []string{a, b} {
		j.eventually("its label is here", func() bool { return j.parcels(o)[0].Label.Fetch.Fate == shipping.Done })
	}
	doc, err := j.x.HazmatLabel(t.Context(), j.parcels(a)[0].ID)
	if err != nil || doc.Kind != driver.HazmatLabelDocument || doc.Type != "application/pdf" || len(doc.Data) == 0 {
		t.Errorf("%s %s, %v", doc.Kind, doc.Type, err)
	}
	if doc, err := j.x.ParcelLabel(t.Context(), j.parcels(a)[0].ID); err != nil || doc.Kind != driver.LabelDocument || len(doc.Data) == 0 {
		t.Errorf("its label: %s, %v", doc.Kind, err)
	}
	sheet, err := j.d.FloorSheet(t.Context(), "hazmat", j.parcels(a)[0].ID)
	if err != nil || len(sheet.Data) == 0 {
		t.Errorf("%+v, %v", sheet, err)
	}
	if _, err := j.x.HazmatLabel(t.Context(), j.parcels(b)[0].ID); !errs.Is(err, errs.NotFound) {
		t.Errorf("a lamp is no dangerous goods: %v", err)
	}
}
