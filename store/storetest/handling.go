package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/store"
)

var handlingCases = []testcase{
	{"what items are like is kept, and of two who change it one must look again", physicalsKept},
	{"cartons are kept, and of two who change one, one must look again", cartonsKept},
	{"items lie on shelves, and a shelf has one place in the walking order", binsKept},
	{"what items are like, cartons and shelves move and are backed up", handlingMoves},
}

var (
	aMug    = catalog.Physical{Grams: 350, LengthMM: 120, WidthMM: 100, HeightMM: 110, Stance: catalog.ThisWayUp, Fragile: true, Needs: []network.Ability{network.Fragile}, Origin: "CN", HSCode: "691200"}
	aCarton = catalog.Carton{ID: "M", Name: "Medium", Node: "reno", Inner: catalog.Sides{LengthMM: 300, WidthMM: 220, HeightMM: 180}, Outer: catalog.Sides{LengthMM: 308, WidthMM: 228, HeightMM: 190},
		Grams: 210, MaxGrams: 15_000, Cost: money.Amount{Minor: 55, Currency: "USD"}, Active: true}
)

func mugs(d *database, t *testing.T) {
	d.update(t, func(tx *store.Tx) error {
		return tx.ItemPut([]catalog.Item{{ID: "mug", SKU: "MUG"}, {ID: "cup", SKU: "CUP"}})
	})
}

func physicalsKept(t *testing.T, d *database) {
	mugs(d, t)
	put := func(version int64, p catalog.Physical) func(tx *store.Tx) error {
		return func(tx *store.Tx) error {
			return tx.PhysicalsPut([]store.Physical{{ItemID: "mug", Version: version, Physical: p}}, "ann")
		}
	}
	d.update(t, put(0, aMug))
	d.fails(t, errs.Conflict, put(0, aMug))
	heavier := aMug
	heavier.Grams = 400
	d.update(t, put(1, heavier))
	d.fails(t, errs.Conflict, put(1, aMug))
	d.fails(t, errs.Invalid, put(2, catalog.Physical{LengthMM: 1}))
	d.update(t, func(tx *store.Tx) error { // several at once: one that is new and one that is not
		return tx.PhysicalsPut([]store.Physical{{ItemID: "mug", Version: 2, Physical: aMug}, {ItemID: "cup", Physical: heavier}}, "bob")
	})
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.PhysicalsGet([]string{"mug", "none"})
		if err != nil || len(got) != 1 || got[0].Version != 3 || got[0].Actor != "bob" || got[0].At.IsZero() || cmp.Diff(aMug, got[0].Physical) != "" {
			t.Errorf("%+v %v", got, err)
		}
		page, err := tx.Physicals("cup", 10)
		if err != nil || len(page) != 1 || page[0].ItemID != "mug" {
			t.Errorf("%+v %v", page, err)
		}
		page, err = tx.Physicals("", 1)
		if err != nil || len(page) != 1 || page[0].ItemID != "cup" {
			t.Errorf("%+v %v", page, err)
		}
		return nil
	})
}

func cartonsKept(t *testing.T, d *database) {
	put := func(version int64, c catalog.Carton) func(tx *store.Tx) error {
		return func(tx *store.Tx) error {
			return tx.CartonsPut([]store.Carton{{Version: version, Carton: c}}, "ann")
		}
	}
	d.update(t, put(0, aCarton))
	d.fails(t, errs.Conflict, put(0, aCarton))
	dearer := aCarton
	dearer.Cost.Minor, dearer.Active = 60, false
	d.update(t, put(1, dearer))
	d.fails(t, errs.Invalid, put(2, catalog.Carton{ID: "M"}))
	small := aCarton
	small.ID = "A"
	d.update(t, put(0, small))
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.Cartons()
		if err != nil || len(got) != 2 || got[0].ID != "A" || got[1].Version != 2 || cmp.Diff(dearer, got[1].Carton) != "" {
			t.Errorf("%+v %v", got, err)
		}
		return nil
	})
	d.fails(t, errs.Conflict, func(tx *store.Tx) error { return tx.CartonDelete("M", 1) })
	d.update(t, func(tx *store.Tx) error { return tx.CartonDelete("M", 2) })
	d.fails(t, errs.Conflict, func(tx *store.Tx) error { return tx.CartonDelete("M", 2) })
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.Cartons()
		if err != nil || len(got) != 1 || got[0].ID != "A" {
			t.Errorf("after one was forgotten: %+v %v", got, err)
		}
		return nil
	})
}

func binsKept(t *testing.T, d *database) {
	mugs(d, t)
	bin := func(item, code string, walk int64, primary bool) catalog.Bin {
		return catalog.Bin{Node: "reno", ItemID: item, Code: code, Walk: walk, Primary: primary}
	}
	d.update(t, func(tx *store.Tx) error {
		return tx.BinsPut("reno", []string{"mug", "cup"}, []catalog.Bin{bin("mug", "A-1", 5, true), bin("mug", "B-1", 0, false), bin("cup", "A-1", 7, false)})
	})
	d.fails(t, errs.Invalid, func(tx *store.Tx) error {
		return tx.BinsPut("reno", []string{"mug"}, []catalog.Bin{bin("mug", "A-1", 0, true), bin("mug", "A-1", 0, false)})
	})
	d.fails(t, errs.Invalid, func(tx *store.Tx) error {
		return tx.BinsPut("oslo", []string{"mug"}, []catalog.Bin{bin("mug", "A-1", 0, true)})
	})
	d.update(t, func(tx *store.Tx) error {
		return tx.BinsPut("oslo", []string{"mug"}, []catalog.Bin{{Node: "oslo", ItemID: "mug", Code: "A-1", Walk: 1}})
	})
	d.view(t, func(tx *store.Tx) error {
		want := []catalog.Bin{bin("cup", "A-1", 7, false), {Node: "oslo", ItemID: "mug", Code: "A-1", Walk: 1}, bin("mug", "A-1", 7, true), bin("mug", "B-1", 0, false)}
		var got []catalog.Bin
		for after := (catalog.Bin{}); ; {
			page, err := tx.Bins(after, 1)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			got, after = append(got, page...), page[0]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		of, err := tx.BinsOf([]string{"cup"})
		if diff := cmp.Diff(want[:1], of); diff != "" || err != nil {
			t.Error(diff, err)
		}
		return nil
	})
	d.update(t, func(tx *store.Tx) error { return tx.BinsPut("reno", []string{"mug"}, nil) })
	d.view(t, func(tx *store.Tx) error {
		of, err := tx.BinsOf([]string{"mug"})
		if err != nil || len(of) != 1 || of[0].Node != "oslo" {
			t.Errorf("%+v %v", of, err)
		}
		return nil
	})
}

func handlingMoves(t *testing.T, d *database) {
	mugs(d, t)
	d.update(t, func(tx *store.Tx) error {
		if err := tx.PhysicalsPut([]store.Physical{{ItemID: "mug", Physical: aMug}}, "ann"); err != nil {
			return err
		}
		if err := tx.CartonsPut([]store.Carton{{Carton: aCarton}}, "ann"); err != nil {
			return err
		}
		return tx.BinsPut("reno", []string{"mug"}, []catalog.Bin{{Node: "reno", ItemID: "mug", Code: "A-1", Walk: 3, Primary: true}})
	})
	want := rowsOf(t, d.backup(t))
	to := d.fresh(t)
	if _, err := store.MigrateData(d.ctx, d.url, to, silent); err != nil {
		t.Fatal(err)
	}
	home := open(t, to)
	if diff := cmp.Diff(want, rowsOf(t, home.backup(t))); diff != "" {
		t.Error(diff)
	}
	home.view(t, func(tx *store.Tx) error {
		got, err := tx.BinsOf([]string{"mug"})
		if err != nil || len(got) != 1 || got[0].Walk != 3 || !got[0].Primary {
			t.Errorf("%+v %v", got, err)
		}
		return nil
	})
}
