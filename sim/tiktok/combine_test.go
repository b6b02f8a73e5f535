package tiktok

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func inMarket(code string) func(*Options) { return func(o *Options) { o.Shops[0].Region = code } }

type splitAttribute struct {
	Can    bool   `json:"can_split"`
	Reason string `json:"reason"`
}

func (r *rig) splittable(order string) splitAttribute {
	r.Helper()
	var got struct {
		All []splitAttribute `json:"split_attributes"`
	}
	r.ok(&got, "GET", "/fulfillment/202309/orders/split_attributes", "", "order_ids", order)
	return got.All[0]
}

// basket is a paid order of two mugs and a lamp.
func (r *rig) basket() (id string, mugs, lamp string) {
	r.Helper()
	id, err := r.sim.PlaceOrder(r.shop.ID, []Wanted{{SKU: "MUG-R", Qty: 2}, {SKU: "LAMP", Qty: 1}}, PlaceOptions{Shipping: "TIKTOK"})
	r.must(err)
	r.must(r.sim.AdvanceStatus(id))
	lines, err := r.sim.Lines(id)
	r.must(err)
	return id, `"` + lines[0] + `","` + lines[1] + `"`, `"` + lines[2] + `"`
}

func groups(lines ...string) string {
	var out []string
	for i, l := range lines {
		out = append(out, fmt.Sprintf(`{"id":"g%d","order_line_item_ids":[%s]}`, i, l))
	}
	return `{"splittable_groups":[` + strings.Join(out, ",") + `]}`
}

func TestAnOrderIsSplitBySKUBeforeItShips(t *testing.T) {
	r := newRig(t, inMarket("TH"))
	id, mugs, lamp := r.basket()
	if got := r.splittable(id); !got.Can || got.Reason != "" {
		t.Fatalf("%+v", got)
	}
	split := path("/fulfillment/202309/orders/%s/split", id)
	one, two, _ := strings.Cut(mugs, ",")
	for name, body := range map[string]string{"a SKU in two": groups(one, two+","+lamp), "one group": groups(mugs + "," + lamp), "not all of it": groups(one+","+two, one)} {
		if a := r.call("POST", split, body); a.Code == 0 {
			t.Errorf("%s is taken", name)
		}
	}
	var made struct {
		Packages []struct {
			Group string `json:"splittable_group_id"`
			ID    string `json:"id"`
		} `json:"packages"`
	}
	r.ok(&made, "POST", split, groups(mugs, lamp))
	if len(made.Packages) != 2 || made.Packages[0].Group != "g0" || made.Packages[0].ID == made.Packages[1].ID {
		t.Fatalf("%+v", made)
	}
	r.ok(nil, "POST", path("/fulfillment/202309/packages/%s/ship", made.Packages[0].ID), `{"handover_method":"DROP_OFF"}`)
	r.is(id, partiallyShipping)
	r.refused(codeNotSplittable, "POST", split, groups(mugs, lamp))
	single := r.ready("MUG-R", 2, PlaceOptions{Shipping: "TIKTOK"})
	if got := r.splittable(single); got.Can || got.Reason == "" {
		t.Errorf("one SKU: %+v", got)
	}
}

func TestWhereLinesAreSplitWhileShippingNothingIsSplitBefore(t *testing.T) {
	for _, region := range []string{"US", "GB"} {
		r := newRig(t, inMarket(region))
		id, mugs, lamp := r.basket()
		if got := r.splittable(id); got.Can || !strings.Contains(got.Reason, "while it is shipped") {
			t.Errorf("%s: %+v", region, got)
		}
		r.refused(codeNotSplittable, "POST", path("/fulfillment/202309/orders/%s/split", id), groups(mugs, lamp))
	}
}

type combinable struct {
	All []struct {
		ID     string   `json:"id"`
		Orders []string `json:"order_ids"`
	} `json:"combinable_packages"`
	Next string `json:"next_page_token"`
}

func (r *rig) combinable() (out combinable) {
	r.Helper()
	r.ok(&out, "GET", "/fulfillment/202309/combinable_packages/search", "", "page_size", "50")
	return out
}

func TestOrdersOfOneBuyerShareALabel(t *testing.T) {
	r := newRig(t, inMarket("GB"))
	a := r.ready("MUG-R", 1, PlaceOptions{Shipping: "TIKTOK"})
	b := r.ready("LAMP", 1, PlaceOptions{Shipping: "TIKTOK", With: a})
	c := r.ready("MUG-R", 1, PlaceOptions{Shipping: "TIKTOK", With: a})
	r.ready("MUG-R", 1, PlaceOptions{Shipping: "TIKTOK"})          // another buyer
	r.ready("MUG-R", 1, PlaceOptions{Shipping: "SELLER", With: a}) // another way
	offers := r.combinable()
	if len(offers.All) != 1 || cmp.Diff(offers.All[0].Orders, []string{a, b, c}) != "" {
		t.Fatalf("%+v", offers)
	}
	if again := r.combinable(); again.All[0].ID != offers.All[0].ID {
		t.Error("the same offer has another id")
	}
	combine := func(body string) (made combinable, errors []any) {
		t.Helper()
		var got struct {
			Packages []struct {
				ID     string   `json:"id"`
				Orders []string `json:"order_ids"`
			} `json:"packages"`
			Errors []any `json:"errors"`
		}
		r.ok(&got, "POST", "/fulfillment/202309/packages/combine", `{"combinable_packages":[`+body+`]}`)
		made.All = append(made.All, got.Packages...)
		return made, got.Errors
	}
	made, errors := combine(fmt.Sprintf(`{"id":%q},{"id":"1"}`, offers.All[0].ID))
	if len(made.All) != 1 || len(errors) != 1 || cmp.Diff(made.All[0].Orders, []string{a, b, c}) != "" {
		t.Fatalf("%+v %v", made, errors)
	}
	pkg := made.All[0].ID
	if _, errors := combine(fmt.Sprintf(`{"id":%q}`, offers.All[0].ID)); len(errors) != 1 || len(r.combinable().All) != 0 {
		t.Errorf("combined twice: %v", errors)
	}
	uncombine := path("/fulfillment/202309/packages/%s/uncombine", pkg)
	r.refused(codeNotInPackage, "POST", uncombine, `{"order_ids":["1"]}`)
	r.ok(nil, "POST", uncombine, fmt.Sprintf(`{"order_ids":[%q]}`, c))
	if _, err := r.sim.Cancel(b, "SELLER", ""); err != nil { // the platform takes a cancelled order out by itself
		t.Fatal(err)
	}
	r.refused(codePackageState, "POST", uncombine, fmt.Sprintf(`{"order_ids":[%q]}`, a))
	offers = r.combinable()
	if len(offers.All) != 1 || cmp.Diff(offers.All[0].Orders, []string{a, c}) != "" {
		t.Fatalf("%+v", offers)
	}
	made, _ = combine(fmt.Sprintf(`{"id":%q,"order_ids":[%q,%q]}`, offers.All[0].ID, a, c))
	pkg = made.All[0].ID
	r.ok(nil, "POST", path("/fulfillment/202309/packages/%s/ship", pkg), `{"handover_method":"DROP_OFF"}`)
	r.is(a, awaitingCollection)
	r.is(c, awaitingCollection)
	pa, _ := r.sim.Parcels(a)
	pc, _ := r.sim.Parcels(c)
	if len(pa) != 1 || cmp.Diff(pa, pc) != "" || pa[0].Tracking == "" {
		t.Errorf("%+v %+v", pa, pc)
	}
	if n, _ := r.sim.LabelsPaid(a); n != 1 {
		t.Errorf("%d labels for the first", n)
	}
	if n, _ := r.sim.LabelsPaid(c); n != 0 {
		t.Errorf("%d labels for the second", n)
	}
	r.refused(codePackageState, "POST", path("/fulfillment/202309/packages/%s/uncombine", pkg), "")
	r.must(r.sim.Scan(a))
	r.must(r.sim.Deliver(c))
	r.is(a, delivered)
}

func TestABagOfParcels(t *testing.T) {
	r := newRig(t, inMarket("TH"))
	a, waits := r.ready("MUG-R", 1, PlaceOptions{Shipping: "TIKTOK"}), r.ready("MUG-R", 1, PlaceOptions{Shipping: "TIKTOK"})
	r.must(r.sim.Ship(a, "", ""))
	var got struct {
		ID     string `json:"first_mile_bundle_id"`
		URL    string `json:"url"`
		Errors []struct {
			Detail struct {
				Order string `json:"order_id"`
			} `json:"detail"`
		} `json:"errors"`
	}
	body := fmt.Sprintf(`{"order_ids":[%q,%q],"handover_method":"DROP_OFF"}`, a, waits)
	r.ok(&got, "POST", "/fulfillment/202510/first_mile_bundle", body)
	if got.ID == "" || len(got.Errors) != 1 || got.Errors[0].Detail.Order != waits {
		t.Fatalf("%+v", got)
	}
	res, err := http.Get(got.URL)
	r.must(err)
	defer res.Body.Close()
	if res.Header.Get("Content-Type") != "application/pdf" {
		t.Error(res.Header)
	}
	if id, orders, err := r.sim.Bundle(a); id != got.ID || len(orders) != 1 || err != nil {
		t.Errorf("%s %v %v", id, orders, err)
	}
	first := got.ID
	got.ID = ""
	r.ok(&got, "POST", "/fulfillment/202510/first_mile_bundle", body)
	if got.ID != "" || len(got.Errors) < 2 {
		t.Errorf("bundled twice: %s, %s", first, got.ID)
	}
}

// A package that holds more of a category than one may is to be split, and says so, before it ships.
func TestWhatOnePackageMayNotHoldMustBeSplit(t *testing.T) {
	for region, must := range map[string]bool{"TH": true, "GB": false} {
		r := newRig(t, inMarket(region), func(o *Options) { o.Shops[0].MostInOne = 2 })
		id, mugs, lamp := r.basket()
		asked := func() (must bool, most string) {
			var got struct {
				All []struct {
					Must    bool `json:"must_split"`
					Because []struct {
						Category string `json:"category_id"`
						Most     string `json:"max_count"`
					} `json:"must_split_reasons"`
				} `json:"split_attributes"`
			}
			r.ok(&got, "GET", "/fulfillment/202309/orders/split_attributes", "", "order_ids", id)
			if len(got.All[0].Because) > 0 {
				most = got.All[0].Because[0].Most
			}
			return got.All[0].Must, most
		}
		got, most := asked()
		if got != must || must && most != "2" {
			t.Errorf("%s: %v, at most %q", region, got, most)
		}
		if !must {
			continue
		}
		whole, err := r.sim.Parcels(id)
		r.must(err)
		r.refused(codePackageState, "POST", path("/fulfillment/202309/packages/%s/ship", whole[0].ID), `{"handover_method":"DROP_OFF"}`)
		r.ok(nil, "POST", path("/fulfillment/202309/orders/%s/split", id), groups(mugs, lamp))
		if got, _ := asked(); got {
			t.Error("it is split, and must be all the same")
		}
	}
}
