package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

var catalogCases = []testcase{
	{"items come back as they went in", itemsRoundTrip},
	{"items are paged and searched", itemsPaged},
	{"bundles do not nest", bundlesDoNotNest},
	{"listings come back as they went in", listingsRoundTrip},
	{"locations come back as they went in", locationsRoundTrip},
}

var day = time.Date(2025, 11, 28, 12, 0, 0, 123456000, time.UTC)

func itemsRoundTrip(t *testing.T, d *database) {
	want := []catalog.Item{
		{ID: "a", SKU: "SKU-A", Title: "Cup", Barcode: "4006381333931", CreatedAt: day},
		{ID: "kit", SKU: "SKU-KIT", Title: "Two cups and a pot", CreatedAt: day, Components: []catalog.Component{{ItemID: "pot", Qty: 1}, {ItemID: "a", Qty: 2}}},
		{ID: "pot", SKU: "SKU-POT", CreatedAt: day},
	}
	d.update(t, func(tx *store.Tx) error { return tx.ItemPut(want) })
	d.update(t, func(tx *store.Tx) error {
		got, err := tx.ItemsGet([]string{"pot", "a", "kit", "a", "unknown"})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if err != nil {
			return err
		}
		bySKU, err := tx.ItemsBySKU([]string{"SKU-KIT", "none"})
		if len(bySKU) != 1 || bySKU[0].ID != "kit" {
			t.Errorf("by SKU: %+v", bySKU)
		}
		if err != nil {
			return err
		}
		changed := want[1]
		changed.Title, changed.SKU, changed.Components, changed.CreatedAt = "Just a pot", "SKU-KIT-2", want[1].Components[:1], day.Add(time.Hour)
		if err := tx.ItemPut([]catalog.Item{want[1], changed}); err != nil { // the last of two wins
			return err
		}
		got, err = tx.ItemsGet([]string{"kit"})
		changed.CreatedAt = day
		if diff := cmp.Diff([]catalog.Item{changed}, got); diff != "" {
			t.Error(diff)
		}
		return err
	})
	d.fails(t, errs.Conflict, func(tx *store.Tx) error { return tx.ItemPut([]catalog.Item{{ID: "b", SKU: "SKU-A"}}) })
	d.fails(t, errs.Invalid, func(tx *store.Tx) error { return tx.ItemPut([]catalog.Item{{ID: "b"}}) })
}

func itemsPaged(t *testing.T, d *database) {
	d.update(t, func(tx *store.Tx) error {
		return tx.ItemPut([]catalog.Item{{ID: "1", SKU: "c", Title: "Roter Becher"}, {ID: "2", SKU: "a", Title: "ÜBERRASCHUNG"}, {ID: "3", SKU: "B"}})
	})
	d.view(t, func(tx *store.Tx) error {
		var skus []string
		for after := ""; ; {
			page, err := tx.ItemList(after, 2, "")
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			for _, i := range page {
				skus = append(skus, i.SKU)
			}
			after = skus[len(skus)-1]
		}
		if !slices.Equal(skus, []string{"B", "a", "c"}) { // by bytes, the same on both databases
			t.Errorf("pages: %q", skus)
		}
		for _, search := range []string{"becher", "überrasch", "b"} {
			if found, err := tx.ItemList("", 10, search); err != nil || len(found) == 0 {
				t.Errorf("searching %q: %v, %v", search, found, err)
			}
		}
		return nil
	})
}

func bundlesDoNotNest(t *testing.T, d *database) {
	kit := func(id, part string) catalog.Item {
		return catalog.Item{ID: id, SKU: id, Components: []catalog.Component{{ItemID: part, Qty: 1}}}
	}
	d.update(t, func(tx *store.Tx) error { return put(tx, "a", "b") })
	d.update(t, func(tx *store.Tx) error { return tx.ItemPut([]catalog.Item{kit("kit", "a")}) })
	for name, items := range map[string][]catalog.Item{
		"of a bundle":            {kit("k2", "kit")},
		"of one made with it":    {kit("k3", "a"), kit("k4", "k3")},
		"of nothing":             {kit("k5", "nothing")},
		"of itself":              {kit("k6", "k6")},
		"a part becomes one":     {kit("a", "b")},
		"of too few":             {{ID: "k7", SKU: "k7", Components: []catalog.Component{{ItemID: "a", Qty: 0}}}},
		"of a future one, again": {kit("k8", "k9"), kit("k9", "a")},
	} {
		if err := d.Update(d.ctx, func(tx *store.Tx) error { return tx.ItemPut(items) }); !errs.Is(err, errs.Invalid) {
			t.Errorf("a bundle %s: %v", name, err)
		}
	}
}

func listingsRoundTrip(t *testing.T, d *database) {
	want := catalog.Listing{ID: "tt:1", ConnectionID: "tt", ProductID: "p", ExternalSKU: "1", ItemRef: "ref", SellerSKU: "S", Title: "Cup", ItemID: "a",
		Locations: []string{"w1", "w2"}, Active: true, Mode: "seller", UpdatedAt: day,
		Rules: catalog.ListingRules{Min: 1, Max: 9, BufferPercent: 20, BufferUnits: 3, Priority: -1, Mode: catalog.Guarded}}
	unmapped := catalog.Listing{ID: "tt:2", ConnectionID: "tt", ExternalSKU: "2", UpdatedAt: day}
	d.update(t, func(tx *store.Tx) error {
		if err := put(tx, "a"); err != nil {
			return err
		}
		return tx.ListingPut([]catalog.Listing{want, unmapped})
	})
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.ListingsByID([]string{"tt:2", "tt:1", "none"})
		if diff := cmp.Diff([]catalog.Listing{want, unmapped}, got); diff != "" {
			t.Error(diff)
		}
		if err != nil {
			return err
		}
		page, err := tx.ListingsOfConnection("tt", "1", 10)
		if err != nil || len(page) != 1 || page[0].ID != "tt:2" {
			t.Errorf("page: %+v, %v", page, err)
		}
		open, err := tx.ListingsUnmapped("", 10)
		if err != nil || len(open) != 1 || open[0].ID != "tt:2" {
			t.Errorf("unmapped: %+v, %v", open, err)
		}
		return nil
	})
	d.update(t, func(tx *store.Tx) error { return tx.ListingMap("tt:2", "a") })
	d.fails(t, errs.Invalid, func(tx *store.Tx) error { return tx.ListingMap("tt:2", "nothing") })
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { return tx.ListingMap("tt:9", "a") })
	d.fails(t, errs.Invalid, func(tx *store.Tx) error {
		bad := want
		bad.Rules.Min = 10
		return tx.ListingPut([]catalog.Listing{bad})
	})
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.ListingsByID([]string{"tt:2"})
		if len(got) != 1 || got[0].ItemID != "a" {
			t.Errorf("mapped: %+v", got)
		}
		return err
	})
}

func locationsRoundTrip(t *testing.T, d *database) {
	want := stock.Location{ID: "fbt", Name: "Platform", Kind: stock.FBT, Serves: []string{"tt"}, ExternalRefs: map[string]string{"tt": "7"}, Active: true}
	d.update(t, func(tx *store.Tx) error {
		if err := tx.LocationPut(stock.Location{ID: "fbt", Kind: stock.FBT}); err != nil {
			return err
		}
		return tx.LocationPut(want)
	})
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.Locations()
		if diff := cmp.Diff([]stock.Location{want}, got); diff != "" {
			t.Error(diff)
		}
		return err
	})
	for _, kind := range stock.LocationKinds {
		d.update(t, func(tx *store.Tx) error { return tx.LocationPut(stock.Location{ID: string(kind), Kind: kind}) })
	}
	if err := d.Update(d.ctx, func(tx *store.Tx) error { return tx.LocationPut(stock.Location{ID: "x", Kind: "cellar"}) }); err == nil {
		t.Error("a location of an unknown kind was kept")
	}
}
