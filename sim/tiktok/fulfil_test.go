package tiktok

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestFulfilmentRefusals(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Shops = append(o.Shops, ShopSpec{Name: "Second"}) })
	ship := func(code int, id, tracking string, more ...string) {
		t.Helper()
		r.refused(code, "POST", path("/fulfillment/202309/orders/%s/packages", id),
			fmt.Sprintf(`{"tracking_number":%q,"shipping_provider_id":%q}`, tracking, r.provider()), more...)
	}
	held := r.place("MUG-B", 1)
	ship(codeOrderOnHold, held, "TRACK100")
	_, err := r.sim.Cancel(held, "BUYER", "")
	r.must(err)
	ship(codeOrderCancelled, held, "TRACK100")
	a, b := r.ready("MUG-B", 1), r.ready("MUG-B", 1)
	ship(codeOrderForeign, a, "TRACK100", "shop_cipher", r.sim.Shops()[1].Cipher)
	ship(codeTrackingBad, a, "no spaces please")
	r.refused(codeTrackingBad, "POST", path("/fulfillment/202309/orders/%s/packages", a), `{"tracking_number":"TRACK100","shipping_provider_id":"17"}`)
	ship(0, a, "TRACK100")
	ship(codeShippedAlready, a, "TRACK101")
	ship(codeTrackingUsed, b, "TRACK100")
	ship(codeFulfilInput, "17", "TRACK100")
	label := r.ready("MUG-B", 1, PlaceOptions{Shipping: "TIKTOK"})
	ship(codeByPlatform, label, "TRACK103")
	r.refused(codeLabelRefused, "POST", "/fulfillment/202309/packages", fmt.Sprintf(`{"order_id":%q}`, b))
}

func TestTrackingCanBeCorrectedOnceWithin72Hours(t *testing.T) {
	r := newRig(t)
	correct := func(code int, id, tracking string) {
		t.Helper()
		r.refused(code, "POST", path("/fulfillment/202309/orders/%s/shipping_info/update", id),
			fmt.Sprintf(`{"tracking_number":%q,"shipping_provider_id":%q}`, tracking, r.provider()))
	}
	a, b := r.ready("MUG-B", 1), r.ready("MUG-B", 1)
	correct(codeFulfilInput, a, "NEW100")
	r.must(r.sim.Ship(a, "OLD100", ""))
	r.must(r.sim.Ship(b, "OLD200", ""))
	correct(codeTrackingUsed, a, "OLD200")
	correct(0, a, "NEW100")
	correct(codeUpdatedOnce, a, "NEW101")
	r.clock.Advance(72*time.Hour + time.Second)
	correct(codeTooLate, b, "NEW200")
}

func TestLabelsAndDocuments(t *testing.T) {
	r := newRig(t, func(o *Options) { o.DocumentDelay = 2 * time.Second })
	id := r.ready("MUG-B", 2, PlaceOptions{Shipping: "TIKTOK"})
	var services struct {
		Lines    []string         `json:"order_line_id"`
		Services []map[string]any `json:"shipping_services"`
	}
	r.ok(&services, "POST", path("/fulfillment/202309/orders/%s/shipping_services/query", id), `{"weight":[],"dimension":[]}`)
	if len(services.Lines) != 2 || len(services.Services) != 1 {
		t.Errorf("%+v", services)
	}
	var made struct {
		Package string `json:"package_id"`
	}
	buy := fmt.Sprintf(`{"order_id":%q}`, id)
	r.ok(&made, "POST", "/fulfillment/202309/packages", buy)
	r.is(id, awaitingCollection)
	r.refused(codeLabelBought, "POST", "/fulfillment/202309/packages", buy)
	documents := path("/fulfillment/202309/packages/%s/shipping_documents", made.Package)
	r.refused(codeBadParameter, "GET", documents, "", "document_type", "POEM")
	r.refused(codeNotReady, "GET", documents, "", "document_type", "SHIPPING_LABEL")
	r.clock.Advance(2 * time.Second)
	var doc struct {
		URL string `json:"doc_url"`
	}
	r.ok(&doc, "GET", documents, "", "document_type", "SHIPPING_LABEL")
	resp, err := http.Get(doc.URL)
	r.must(err)
	r.must(resp.Body.Close())
	if resp.StatusCode != 200 {
		t.Errorf("%s: %s", doc.URL, resp.Status)
	}
	r.must(r.sim.Scan(id))
	r.refused(codeDocPickedUp, "GET", documents, "", "document_type", "SHIPPING_LABEL")
}
