package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/store"
)

func togetherKept(t *testing.T, d *database) {
	c := store.Combination{ID: "k1", ConnectionID: "c", Node: "main", State: store.Proposed, At: day, Orders: []string{"c:1", "c:2"}, Due: day.Add(time.Hour)}
	later := store.Combination{ID: "k0", ConnectionID: "c", Node: "main", State: store.Proposed, At: day.Add(time.Minute), Orders: []string{"c:3", "c:4"}}
	b := store.Bag{ID: "b1", ConnectionID: "c", Node: "main", At: day, Orders: []string{"c:1"}, Parcels: []string{"p"}, Fate: "open", By: "ann"}
	left := parcel("p", "main", day)
	left.Orders = append(left.Orders, "c:9")
	d.update(t, func(tx *store.Tx) error {
		if fresh, err := tx.BagAdd(b); !fresh || err != nil {
			t.Errorf("a new bag: %v %v", fresh, err)
		}
		if fresh, err := tx.BagAdd(b); fresh || err != nil {
			t.Errorf("the same bag: %v %v", fresh, err)
		}
		if _, err := tx.ShipmentsAdd([]store.Shipment{left}); err != nil {
			return err
		}
		return tx.CombinationsPut([]store.Combination{c, later})
	})
	b.Ref, b.Fate, b.Refused = "77", "done", map[string]string{"c:2": "no"}
	d.update(t, func(tx *store.Tx) error {
		ss, err := tx.ShipmentsOf("c:9")
		if err != nil || len(ss) != 1 {
			t.Fatalf("%v %v", ss, err)
		}
		ss[0].Orders = ss[0].Orders[:1]
		if err := tx.ShipmentsSave(ss); err != nil {
			return err
		}
		if ss, err = tx.ShipmentsOfForUpdate("c:9"); len(ss) != 0 || err != nil {
			t.Errorf("an order that was taken out is in %v, %v", ss, err)
		}
		return tx.BagSave(b)
	})
	want := func(what string, got []store.Combination, err error, ids ...string) {
		t.Helper()
		var have []string
		for _, x := range got {
			have = append(have, x.ID)
		}
		if diff := cmp.Diff(ids, have); diff != "" || err != nil {
			t.Errorf("%s: %s %v", what, diff, err)
		}
	}
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.CombinationsAt("main", 10)
		want("of a node", got, err, "k1", "k0")
		got, err = tx.CombinationsOf("c", store.Proposed, 10)
		want("of a shop", got, err, "k0", "k1")
		got, err = tx.CombinationsGet("k1", "none")
		want("by id", got, err, "k1")
		if diff := cmp.Diff(c, got[0]); diff != "" {
			t.Error(diff)
		}
		bags, err := tx.BagsAt("main", 10)
		if diff := cmp.Diff([]store.Bag{b}, bags); diff != "" || err != nil {
			t.Error(diff, err)
		}
		one, ok, err := tx.BagGet("b1")
		if diff := cmp.Diff(b, one); diff != "" || !ok || err != nil {
			t.Error(diff, ok, err)
		}
		return nil
	})
	d.update(t, func(tx *store.Tx) error {
		c.State, c.Parcel = store.Joined, "p"
		if err := tx.CombinationsPut([]store.Combination{c}); err != nil {
			return err
		}
		if err := tx.CombinationDrop("k0"); err != nil {
			return err
		}
		got, err := tx.CombinationsAt("main", 10)
		want("when one is done and one dropped", got, err)
		if n, err := tx.CombinationsPrune(day.Add(time.Hour), 10); n != 1 || err != nil {
			t.Errorf("%d forgotten, %v", n, err)
		}
		n, err := tx.BagsPrune(day.Add(time.Hour), 10)
		if n != 1 {
			t.Errorf("%d bags forgotten", n)
		}
		return err
	})
}
