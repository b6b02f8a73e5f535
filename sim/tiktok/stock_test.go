package tiktok

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/sim/world"
)

type inventoryErrors struct {
	Errors []wireSKUError `json:"errors"`
}

// rows makes the body of an inventory update of one SKU from warehouse, quantity pairs.
func rowsOf(sku string, pairs ...any) string {
	var list []string
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, fmt.Sprintf(`{"warehouse_id":%q,"quantity":%v}`, pairs[i], pairs[i+1]))
	}
	return fmt.Sprintf(`{"id":%q,"inventory":[%s]}`, sku, strings.Join(list, ","))
}

func TestInventoryUpdateIsAbsoluteAndNamesAllWarehouses(t *testing.T) {
	r := newRig(t)
	k, east, west := r.sku("MUG-R"), r.warehouse("East"), r.warehouse("West")
	update := path("/product/202309/products/%s/inventory/update", k.ProductID)
	one := func(code, extra int, row string) {
		t.Helper()
		var got inventoryErrors
		r.ok(&got, "POST", update, `{"skus":[`+row+`]}`)
		switch {
		case code == 0 && len(got.Errors) == 0:
		case len(got.Errors) != 1 || got.Errors[0].Code != code:
			t.Errorf("%s: %+v, want %d", row, got.Errors, code)
		case extra != 0 && (len(got.Errors[0].Detail.Extra) != 1 || got.Errors[0].Detail.Extra[0].Code != extra):
			t.Errorf("%s: %+v, want %d inside", row, got.Errors, extra)
		}
	}
	one(0, 0, rowsOf(k.ID, east, 3, west, 0))
	if v := r.sku("MUG-R"); v.Stock[east] != 3 || v.Stock[west] != 0 {
		t.Errorf("%+v", v.Stock)
	}
	one(codeWarehouses, 0, rowsOf(k.ID, east, 9))
	one(codeWarehouses, 0, rowsOf(k.ID, east, 9, east, 8))
	one(codeCheckFailed, codeNoWarehouse, rowsOf(k.ID, east, 9, "17", 1))
	one(codeCheckFailed, codeForeignWarehouse, rowsOf(k.ID, east, 9, west, 1, r.warehouse("Returns"), 1))
	one(codeCheckFailed, codeQuantity, rowsOf(k.ID, east, 100_000, west, 1))
	one(codeCheckFailed, codeQuantity, rowsOf(k.ID, east, -1, west, 1))
	one(codeNoSKU, 0, rowsOf("MUG-R", east, 9, west, 1))
	one(codeNoSKU, 0, rowsOf(r.sku("LAMP").ID, east, 9))
	one(0, 0, rowsOf(k.ID, east, 99_999, west, 1))
	if v := r.sku("MUG-R"); v.Stock[east] != 99_999 {
		t.Errorf("a refused update left a trace: %+v", v.Stock)
	}
	var got inventoryErrors
	r.ok(&got, "POST", update, `{"skus":[`+rowsOf(k.ID, east, 1)+`,`+rowsOf(r.sku("MUG-B").ID, east, 2)+`]}`)
	if len(got.Errors) != 1 || r.sku("MUG-B").Available != 2 {
		t.Errorf("a good SKU was held up by a bad one: %+v", got.Errors)
	}
	r.refused(codeEmptySKUs, "POST", update, `{"skus":[]}`)
	r.refused(codeNoProduct, "POST", "/product/202309/products/17/inventory/update", `{"skus":[]}`)
	r.refused(codeBadParameter, "POST", update, `{"skus":[{"id":17}]}`)
	r.must(r.sim.SetProductStatus(r.shop.ID, k.ProductID, "PLATFORM_DEACTIVATED"))
	r.refused(codeProductStatus, "POST", update, `{"skus":[`+rowsOf(k.ID, east, 1, west, 1)+`]}`)
	if _, err := r.sim.PlaceOrder(r.shop.ID, []Wanted{{"MUG-B", 1}}, PlaceOptions{}); !errs.Is(err, errs.Insufficient) {
		t.Errorf("a deactivated product was sold: %v", err)
	}
}

func TestPartialFaultFailsTheLastSKU(t *testing.T) {
	r := newRig(t)
	b := r.sku("MUG-B")
	_, err := r.sim.Faults().Add(world.Rule{Point: "POST *inventory/update", Kind: world.Partial, Remaining: 1})
	r.must(err)
	east, west := r.warehouse("East"), r.warehouse("West")
	var got inventoryErrors
	r.ok(&got, "POST", path("/product/202309/products/%s/inventory/update", b.ProductID),
		`{"skus":[`+rowsOf(b.ID, east, 2)+`,`+rowsOf(r.sku("MUG-R").ID, east, 1, west, 1)+`]}`)
	if len(got.Errors) != 1 || r.sku("MUG-B").Available != 2 || r.sku("MUG-R").Available != 50 {
		t.Errorf("%+v", got.Errors)
	}
}

// Whatever happens, what is on sale, held and sent adds up to what was set, and no SKU is sold beyond its stock.
func TestStockAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock := world.NewVirtual(start)
		s, err := New(Options{Clock: clock, Seed: 3, Shops: []ShopSpec{{Name: "S", Region: rapid.SampledFrom([]string{"US", "GB"}).Draw(t, "region"),
			Products: []ProductSpec{{Title: "P", SKUs: []SKUSpec{{SellerSKU: "A", Available: 20}}}}}}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Stop()
		shop := s.Shops()[0].ID
		added := 20
		var ids []string
		pick := func() string { return rapid.SampledFrom(ids).Draw(t, "order") }
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch do := rapid.IntRange(0, 6).Draw(t, "do"); {
			case do <= 1:
				id, err := s.PlaceOrder(shop, []Wanted{{"A", rapid.IntRange(1, 6).Draw(t, "qty")}}, PlaceOptions{Unpaid: do == 0})
				if err == nil {
					ids = append(ids, id)
				} else if !errs.Is(err, errs.Insufficient) {
					t.Fatal(err)
				}
			case do == 2:
				k, _ := s.SKU(shop, "A")
				to := rapid.IntRange(0, 30).Draw(t, "set")
				added += to - k.Available
				if err := s.SetStock(shop, "A", "", to); err != nil {
					t.Fatal(err)
				}
			case do == 3:
				clock.Advance(rapid.SampledFrom([]world.Duration{1e9, 3600e9, 90000e9, 700000e9}).Draw(t, "wait").Std())
			case len(ids) == 0:
			case do == 4:
				_, err := s.Cancel(pick(), rapid.SampledFrom([]string{"BUYER", "SELLER", "SYSTEM"}).Draw(t, "role"), "")
				if err != nil && !errs.Is(err, errs.Conflict) {
					t.Fatal(err)
				}
			default:
				if err := s.AdvanceStatus(pick()); err != nil && !errs.Is(err, errs.Conflict) {
					t.Fatal(err)
				}
			}
			k, _ := s.SKU(shop, "A")
			sent, held, lost := 0, 0, 0
			for _, o := range s.orders {
				for _, l := range o.lines {
					switch {
					case l.status == cancelled && l.cancelReason == "package_lost":
						lost++
					case l.status == unpaid || l.status == awaitingShipment:
						held++
					case l.status != cancelled:
						sent++
					}
				}
			}
			// A unit cancelled by the carrier or platform on its way does not come back; it is the only one that does not.
			onWay := 0
			for _, o := range s.orders {
				if o.status == cancelled && o.collected > 0 {
					onWay += len(o.lines)
				}
			}
			if k.Committed != held || k.Active != held+sent || k.Available+held+sent+onWay != added || k.Available < 0 || lost > onWay {
				t.Fatalf("available %d, committed %d, held %d, sent %d, gone %d, active %d, put in %d", k.Available, k.Committed, held, sent, onWay, k.Active, added)
			}
		}
	})
}

func TestInventoryAndProductSearch(t *testing.T) {
	r := newRig(t)
	r.place("MUG-R", 45)
	var inv struct {
		Inventory []struct {
			ProductID string `json:"product_id"`
			SKUs      []struct {
				ID         string `json:"id"`
				Available  int    `json:"total_available_quantity"`
				Committed  int    `json:"total_committed_quantity"`
				Warehouses []struct {
					Available int `json:"available_quantity"`
					Committed int `json:"committed_quantity"`
				} `json:"warehouse_inventory"`
			} `json:"skus"`
		} `json:"inventory"`
	}
	k := r.sku("MUG-R")
	r.ok(&inv, "POST", "/product/202309/inventory/search", `{"sku_ids":["`+k.ID+`"],"product_ids":["ignored"]}`)
	got := inv.Inventory[0].SKUs[0]
	if got.Available != 5 || got.Committed != 45 || got.Warehouses[0].Available != 0 || got.Warehouses[1].Committed != 5 {
		t.Errorf("%+v", got)
	}
	r.refused(codeBadParameter, "POST", "/product/202309/inventory/search", `{}`)
	var page struct {
		Next     string           `json:"next_page_token"`
		Total    int              `json:"total_count"`
		Products []map[string]any `json:"products"`
	}
	r.ok(&page, "POST", "/product/202309/products/search", `{"status":"ACTIVATE"}`, "page_size", "1")
	if page.Total != 2 || len(page.Products) != 1 || page.Next == "" {
		t.Fatalf("%+v", page)
	}
	r.ok(&page, "POST", "/product/202309/products/search", `{"status":"ACTIVATE"}`, "page_size", "1", "page_token", page.Next)
	if page.Next != "" || page.Products[0]["title"] != "Lamp" {
		t.Errorf("%+v", page)
	}
	var f map[string]json.RawMessage
	r.ok(&f, "POST", "/product/202502/products/search", `{"seller_skus":["LAMP"]}`)
	if string(f["total_count"]) != "1" {
		t.Errorf("%s", f["total_count"])
	}
}
