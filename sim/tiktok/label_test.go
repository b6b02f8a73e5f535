package tiktok

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"testing"
)

// TestTrackingNumbersHaveCheckDigits: USPS's of 22 digits, whose last makes the sum, weighted 3 and 1 from the right, a multiple of ten. Two numbers are
// published ones.
func TestTrackingNumbersHaveCheckDigits(t *testing.T) {
	if got := uspsCheck("940011120108080548301"); got != '6' { // 9400111201080805483016
		t.Errorf("check digit %c, want 6", got)
	}
	if got := uspsCheck("420221539101026837331000039521"[8:29]); got != '1' { // 9101026837331000039521
		t.Errorf("check digit %c, want 1", got)
	}
	r := newRig(t)
	form := regexp.MustCompile(`^9400\d{18}$`)
	seen := map[string]bool{}
	for range 1000 {
		n := r.sim.trackingNumber(provider("US", ""))
		if !form.MatchString(n) || n[21] != uspsCheck(n[:21]) || seen[n] {
			t.Fatalf("%s", n)
		}
		seen[n] = true
	}
	if got := postCheck("47312482"); got != '9' { // the standard's own example
		t.Errorf("check digit %c of a postal number, want 9", got)
	}
	if n := r.sim.trackingNumber(provider("GB", "")); !regexp.MustCompile(`^RN\d{9}GB$`).MatchString(n) || n[10] != postCheck(n[2:10]) {
		t.Errorf("%s", n)
	}
}

func TestLabelsArePaidOnce(t *testing.T) {
	r := newRig(t)
	id := r.ready("MUG-B", 3, PlaceOptions{Shipping: "TIKTOK"})
	paid := func(want int) {
		t.Helper()
		n, err := r.sim.LabelsPaid(id)
		r.must(err)
		if n != want {
			t.Errorf("%d labels are paid, want %d", n, want)
		}
	}
	lines, err := r.sim.Lines(id)
	r.must(err)
	paid(0)
	one := fmt.Sprintf(`{"order_id":%q,"order_line_item_ids":[%q]}`, id, lines[0])
	r.refused(0, "POST", "/fulfillment/202309/packages", one)
	paid(1)
	r.refused(codeLabelBought, "POST", "/fulfillment/202309/packages", one)
	paid(1)
	r.refused(0, "POST", "/fulfillment/202309/packages", fmt.Sprintf(`{"order_id":%q}`, id))
	paid(2)
	own := r.ready("MUG-B", 1)
	r.must(r.sim.Ship(own, "", ""))
	id = own
	paid(0)
	parcels, err := r.sim.Parcels(own)
	if r.must(err); len(parcels) != 1 || parcels[0].Tracking == "" || parcels[0].Shipping != "SELLER" {
		t.Errorf("%+v", parcels)
	}
}

func TestMeasuresAreChecked(t *testing.T) {
	r := newRig(t)
	id := r.ready("MUG-B", 1, PlaceOptions{Shipping: "TIKTOK"})
	const cm = `"dimension":{"length":"10","width":"8","height":"4","unit":"CM"}`
	for body, code := range map[string]int{
		`"weight":{"value":"0","unit":"GRAM"}`: codeFulfilInput, `"weight":{"value":"1","unit":"KILOGRAM"}`: codeFulfilInput, `"weight":{"value":"x","unit":"GRAM"}`: codeFulfilInput,
		`"dimension":{"length":"10","width":"0","height":"4","unit":"INCH"}`: codeFulfilInput, cm: codeFulfilInput, `"weight":{"value":"420","unit":"GRAM"}`: 0,
	} {
		r.refused(code, "POST", path("/fulfillment/202309/orders/%s/shipping_services/query", id), "{"+body+"}")
	}
	r.refused(0, "POST", "/fulfillment/202309/packages", fmt.Sprintf(`{"order_id":%q,%s}`, id, cm))
}

// TestALabelIsAPage: what can be printed has a table of contents that leads to each of its objects.
func TestALabelIsAPage(t *testing.T) {
	r := newRig(t)
	id := r.ready("MUG-B", 1, PlaceOptions{Shipping: "TIKTOK"})
	var made struct {
		Package string `json:"package_id"`
	}
	r.ok(&made, "POST", "/fulfillment/202309/packages", fmt.Sprintf(`{"order_id":%q}`, id))
	documents := path("/fulfillment/202309/packages/%s/shipping_documents", made.Package)
	r.refused(codeBadParameter, "GET", documents, "", "document_type", "SHIPPING_LABEL", "document_format", "ZPL")
	var doc struct {
		URL string `json:"doc_url"`
	}
	r.ok(&doc, "GET", documents, "", "document_type", "SHIPPING_LABEL")
	resp, err := http.Get(doc.URL)
	r.must(err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	r.must(err)
	if resp.Header.Get("Content-Type") != "application/pdf" || http.DetectContentType(data) != "application/pdf" {
		t.Fatalf("%s: %.20q", resp.Header.Get("Content-Type"), data)
	}
	entries := regexp.MustCompile(`(?m)^(\d{10}) 00000 n `).FindAllSubmatch(data, -1)
	if len(entries) != 5 {
		t.Fatalf("%d objects", len(entries))
	}
	for i, e := range entries {
		var at int
		if _, err := fmt.Sscanf(string(e[1]), "%d", &at); err != nil || !bytes.HasPrefix(data[at:], fmt.Appendf(nil, "%d 0 obj", i+1)) {
			t.Errorf("object %d is not at %d", i+1, at)
		}
	}
}

// TestWhereAPackageIsShipped: in markets in which the platform makes the package, an order cannot be marked.
func TestWhereAPackageIsShipped(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Shops[0].Region = "TH" })
	id := r.ready("MUG-B", 1)
	r.refused(codeFulfilInput, "POST", path("/fulfillment/202309/orders/%s/packages", id), fmt.Sprintf(`{"tracking_number":"TRACK100","shipping_provider_id":%q}`, carriersOf("TH")[0].id))
	parcels, err := r.sim.Parcels(id)
	if r.must(err); len(parcels) != 1 {
		t.Fatalf("%+v", parcels)
	}
	r.refused(0, "POST", path("/fulfillment/202309/packages/%s/ship", parcels[0].ID),
		fmt.Sprintf(`{"self_shipment":{"tracking_number":"TRACK100","shipping_provider_id":%q}}`, carriersOf("TH")[0].id))
}
