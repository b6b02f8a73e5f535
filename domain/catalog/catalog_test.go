package catalog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/kit/errs"
)

func TestExplode(t *testing.T) {
	if diff := cmp.Diff([]Component{{"a", 3}}, Explode(Item{ID: "a"}, 3)); diff != "" {
		t.Error(diff)
	}
	kit := Item{ID: "kit", Components: []Component{{"b", 1}, {"a", 2}, {"b", 3}}}
	if diff := cmp.Diff([]Component{{"b", 8}, {"a", 4}}, Explode(kit, 2)); diff != "" {
		t.Error(diff)
	}
}

// What Sellable says fits, fits; one more does not.
func TestSellableIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		item := Item{ID: "kit"}
		for _, part := range rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 4).Draw(t, "parts") {
			item.Components = append(item.Components, Component{part, rapid.Int64Range(1, 5).Draw(t, "qty")})
		}
		free := map[string]int64{}
		for _, id := range []string{"a", "b", "c", "kit"} {
			free[id] = rapid.Int64Range(-2, 40).Draw(t, "free")
		}
		fits := func(n int64) bool {
			for _, c := range Explode(item, n) {
				if c.Qty > max(free[c.ItemID], 0) {
					return false
				}
			}
			return true
		}
		n := Sellable(item, func(id string) int64 { return free[id] })
		if n < 0 || !fits(n) || fits(n+1) {
			t.Fatalf("%d of %+v are sellable out of %v", n, item, free)
		}
	})
}

func TestValidate(t *testing.T) {
	good := Item{ID: "kit", SKU: "kit", Components: []Component{{"a", 1}}}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*Item){
		"no id":           func(i *Item) { i.ID = "" },
		"long id":         func(i *Item) { i.ID = strings.Repeat("x", MaxIDBytes+1) },
		"no sku":          func(i *Item) { i.SKU = "" },
		"zero byte":       func(i *Item) { i.Title = "a\x00" },
		"broken text":     func(i *Item) { i.Barcode = "\xff" },
		"itself":          func(i *Item) { i.Components[0].ItemID = "kit" },
		"nameless part":   func(i *Item) { i.Components[0].ItemID = "" },
		"no quantity":     func(i *Item) { i.Components[0].Qty = 0 },
		"large quantity":  func(i *Item) { i.Components[0].Qty = MaxComponentQty + 1 },
		"too many parts":  func(i *Item) { i.Components = make([]Component, MaxComponents+1) },
		"unknown part":    func(i *Item) { i.Components[0].ItemID = "nothing" },
		"part is bundled": func(i *Item) { i.Components[0].ItemID = "other kit" },
	} {
		bad := good
		bad.Components = []Component{good.Components[0]}
		spoil(&bad)
		err := ValidateBundle(bad, func(id string) (Item, bool) {
			switch id {
			case "a":
				return Item{ID: "a", SKU: "a"}, true
			case "other kit":
				return Item{ID: id, SKU: id, Components: good.Components}, true
			}
			return Item{}, false
		})
		if !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestListingRules(t *testing.T) {
	for _, good := range []ListingRules{{}, {Min: 2, Max: 2}, {Min: 5}, {BufferPercent: 100, Mode: Guarded}, {Fixed: 3, Mode: Fixed, Priority: -5}, {Mode: Shared}} {
		if err := good.Validate(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for _, bad := range []ListingRules{{Min: -1}, {Max: -1}, {Min: 3, Max: 2}, {BufferPercent: 101}, {BufferPercent: -1}, {BufferUnits: -1}, {Fixed: -1}, {Mode: "hope"}} {
		if err := bad.Validate(); !errs.Is(err, errs.Invalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if got := ListingID("shop", "17:x"); got != "shop:17:x" {
		t.Error(got)
	}
}
