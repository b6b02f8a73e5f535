package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/store"
)

func manifestsKept(t *testing.T, d *database) {
	m := store.CarrierManifest{ID: "m1", Account: "a", Node: "main", At: day, Carrier: "USPS", N: 2, Fate: "open", By: "ann"}
	p, q, r := store.ManifestParcel{Shipment: "p", Ref: "1"}, store.ManifestParcel{Shipment: "q", Ref: "2"}, store.ManifestParcel{Shipment: "r", Ref: "3"}
	of := func(tx *store.Tx, manifest string, want ...string) {
		t.Helper()
		if got, err := tx.ManifestParcels(manifest, 10); !cmp.Equal(got, want) || err != nil {
			t.Errorf("on %s are %v, want %v; %v", manifest, got, want, err)
		}
	}
	left := func(tx *store.Tx, since time.Time, want ...string) {
		t.Helper()
		if got, err := tx.ManifestParcelsLeft("main", since, 10); !cmp.Equal(got, want) || err != nil {
			t.Errorf("without a manifest left %v, want %v; %v", got, want, err)
		}
	}
	d.update(t, func(tx *store.Tx) error {
		if fresh, err := tx.ManifestAdd(m); !fresh || err != nil {
			t.Errorf("a new manifest: %v %v", fresh, err)
		}
		if fresh, err := tx.ManifestAdd(m); fresh || err != nil {
			t.Errorf("the same manifest: %v %v", fresh, err)
		}
		if err := tx.ManifestParcelsPut("main", "", day, []store.ManifestParcel{q, r}); err != nil { // they left without
			return err
		}
		left(tx, day, "q", "r")
		left(tx, day.Add(time.Second))
		if err := tx.ManifestParcelsPut("main", "m1", day, []store.ManifestParcel{p, q}); err != nil {
			return err
		}
		if err := tx.ManifestParcelsPut("main", "", day.Add(time.Hour), []store.ManifestParcel{p, r}); err != nil { // what is on one stays there
			return err
		}
		if err := tx.ManifestParcelsPut("main", "m2", day, []store.ManifestParcel{q}); err != nil {
			return err
		}
		of(tx, "m1", "p", "q")
		of(tx, "m2")
		left(tx, day.Add(time.Hour), "r")
		listed, err := tx.ManifestParcelsListed([]store.ManifestParcel{p, r, {Shipment: "p", Ref: "another label"}})
		if diff := cmp.Diff(map[string]bool{p.Label(): true}, listed); diff != "" {
			t.Error(diff)
		}
		return err
	})
	m.Ref, m.Fate, m.Document, m.Struck = "sf_1", "done", "doc", 1
	d.update(t, func(tx *store.Tx) error {
		if err := tx.ManifestParcelStrike(q); err != nil {
			return err
		}
		return tx.ManifestSave(m)
	})
	d.update(t, func(tx *store.Tx) error {
		got, ok, err := tx.ManifestForUpdate("m1")
		if diff := cmp.Diff(m, got); diff != "" || !ok || err != nil {
			t.Error(diff, ok, err)
		}
		all, err := tx.ManifestsAt("main", 10)
		if diff := cmp.Diff([]store.CarrierManifest{m}, all); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if _, ok, err := tx.ManifestGet("none"); ok || err != nil {
			t.Errorf("none: %v %v", ok, err)
		}
		if err := tx.ManifestParcelsFree("m1"); err != nil {
			return err
		}
		of(tx, "m1")
		if n, err := tx.ManifestsPrune(day.Add(time.Hour), 10); n != 1 || err != nil {
			t.Errorf("%d manifests forgotten, %v", n, err)
		}
		n, err := tx.ManifestParcelsPrune(day.Add(time.Minute), 10)
		if n != 2 {
			t.Errorf("%d labels forgotten", n)
		}
		left(tx, day, "r")
		return err
	})
}

func manifestsRace(t *testing.T, d *database) {
	var ps []store.ManifestParcel
	for i := range 20 {
		ps = append(ps, store.ManifestParcel{Shipment: fmt.Sprintf("p%02d", i), Ref: "1"})
	}
	sum := 0
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			id, n := fmt.Sprintf("m%d", i), 0
			err := d.Update(context.WithoutCancel(t.Context()), func(tx *store.Tx) error {
				if err := tx.ManifestParcelsPut("main", id, day, ps); err != nil {
					return err
				}
				got, err := tx.ManifestParcels(id, 100)
				n = len(got)
				return err
			})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			sum += n
		})
	}
	all.Wait()
	if sum != len(ps) {
		t.Errorf("%d labels are on %d places of manifests", len(ps), sum)
	}
}
