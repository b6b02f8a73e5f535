package api

import (
	"testing"
	"time"

	"github.com/spillway/spillway/store"
)

func TestProgramsSeeCarriersManifests(t *testing.T) {
	h := newHouse(t)
	now := time.Now().UTC().Truncate(time.Second)
	p := store.ManifestParcel{Shipment: "s1", Ref: "shp_1"}
	h.keeps(t, func(tx *store.Tx) error {
		if err := tx.CarrierAccountPut(store.CarrierAccount{ID: "acc", Carrier: "easypost", Name: "Main", CreatedAt: now}); err != nil {
			return err
		}
		for _, m := range []store.CarrierManifest{
			{ID: "m1", Account: "acc", Node: "main", At: now.Add(-2 * time.Hour), Carrier: "USPS", N: 2, Fate: "done", Ref: "sf_1", By: "mia"},
			{ID: "m2", Account: "acc", Node: "main", At: now.Add(-time.Hour), Carrier: "USPS", N: 1, Fate: "open", By: "mia"},
			{ID: "m3", Account: "acc", Node: "main", At: now, Carrier: "USPS", N: 1, Fate: "open", By: "mia"}} {
			if _, err := tx.ManifestAdd(m); err != nil {
				return err
			}
		}
		if err := tx.ManifestParcelsPut("main", "m1", now, []store.ManifestParcel{p, {Shipment: "s2", Ref: "shp_2"}}); err != nil {
			return err
		}
		if err := tx.ManifestParcelsPut("main", "m2", now, []store.ManifestParcel{{Shipment: "s3", Ref: "shp_3"}}); err != nil {
			return err
		}
		return tx.ManifestParcelStrike(p)
	})
	h.walk(t, []step{
		{"what will not ship", "GET", "/nodes/main/manifests", "", 200, `"state":"done","ref":"sf_1","parcels":2,"struck":1`},
		{"being made", "GET", "/nodes/main/manifests", "", 200, `"manifests":[{"id":"m3","account":"acc","carrier":"USPS","node":"main","state":"open"`},
		{"nothing waits", "GET", "/nodes/main/manifests", "", 200, `"unlisted":[]`},
		{"nowhere", "GET", "/nodes/mars/manifests", "", 404, "no such node"},
		{"its parcels", "GET", "/manifests/m1", "", 200, `"parcels":["s1","s2"]`},
		{"none", "GET", "/manifests/m9", "", 404, "no such manifest"},
		{"whose answer never came", "GET", "/manifests/m2", "", 200, `"state":"unknown"`},
		{"no sheet", "GET", "/manifests/m2/sheet", "", 404, "not made"},
		{"still being made", "POST", "/manifests/m3/settle", `{"made":true}`, 409, "nothing is asked"},
		{"it was not", "POST", "/manifests/m2/settle", `{"made":false}`, 200, `"state":"refused"`},
		{"again", "POST", "/manifests/m2/settle", `{"made":false}`, 200, `"state":"refused"`},
		{"its parcels are free", "GET", "/manifests/m2", "", 200, `"parcels":[]`},
		{"of none", "POST", "/manifests/m9/settle", `{"made":true}`, 404, "no such manifest"},
		{"closed nowhere", "POST", "/nodes/mars/manifests", `{"id":"m","account":"acc","carrier":"USPS"}`, 404, "no such node"},
		{"with no account", "POST", "/nodes/main/manifests", `{"id":"m","account":"none","carrier":"USPS"}`, 404, "no such carrier account"},
		{"without an id", "POST", "/nodes/main/manifests", `{"id":"","account":"acc","carrier":"USPS"}`, 422, "body.id"},
	})
}
