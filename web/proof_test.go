package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/spillway/spillway/web"
	"github.com/spillway/spillway/web/storybook"
)

const shippedOrder = "/orders/clip-north:577180002000"

// TestAParcelIsProvedAndShown: who is signed in takes a parcel's proof as a file and finds its buyer's page, and a stranger finds neither.
func TestAParcelIsProvedAndShown(t *testing.T) {
	v, _ := demo(t)
	row := v.get(shippedOrder).One(t, "#o-parcels tbody tr")
	proof := row.One(t, "a[download]").Attr["href"]
	res, body := v.send("GET", proof, nil)
	if res.StatusCode != 200 || res.Header.Get("Content-Disposition") != "attachment; filename=custody-s2f9c41d.json" || !strings.Contains(body, "custody proof v1") {
		t.Errorf("%s: %d %v %s", proof, res.StatusCode, res.Header, body)
	}
	link := row.One(t, "#"+row.One(t, "button[data-copy]").Attr["data-copy"])
	v.get(link.Attr["href"]).Says(t, "h1", "On its way")
	if res, _ := v.send("GET", strings.Replace(proof, "2000", "2001", 1)+"x", nil); res.StatusCode != 404 {
		t.Errorf("a file that is none: %d", res.StatusCode)
	}
	if open := v.get("/orders/clip-north:577180003000").All("#o-parcels a[download]"); len(open) > 0 {
		t.Error("a parcel nothing is signed of offers a proof")
	}

	stranger := serve(t, storybook.New(screenTime), web.Options{})
	for _, path := range []string{proof, shippedOrder} {
		if res, body := stranger.send("GET", path, nil); res.StatusCode != http.StatusSeeOther || strings.Contains(body, "s2f9c41d07ab3\"") {
			t.Errorf("%s of a stranger: %d %s", path, res.StatusCode, body)
		}
	}
	res, err := http.Get(stranger.url + "/track/" + storybook.TrackToken)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("the buyer's page: %s", res.Status)
	}
}

// TestABuyersLinkIsCopiedWhole: what is copied is an address that can be mailed, on pages that came over plain HTTP too.
func TestABuyersLinkIsCopiedWhole(t *testing.T) {
	s := open(t, storybook.New(screenTime), screenTime)
	s.look(t, 1440, "light")
	for _, way := range []string{
		`Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => { window.got = text; } } }); true`,
		`Object.defineProperty(navigator, "clipboard", { value: undefined }); document.execCommand = () => { window.got = document.activeElement.value; return true; }; true`,
	} {
		s.do(t, chromedp.Navigate(s.url+shippedOrder))
		s.arrive(t, shippedOrder)
		ask(t, s, chromedp.Evaluate[bool](way))
		s.do(t, chromedp.Click("#o-parcels [data-copy]"))
		s.until(t, `document.querySelector("#o-parcels [data-copy]").textContent === "Copied"`)
		if got := ask(t, s, chromedp.Evaluate[string]("window.got")); got != s.url+"/track/"+storybook.TrackToken {
			t.Errorf("copied %q", got)
		}
	}
}
