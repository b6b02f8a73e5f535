package web_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/spillway/spillway/web/storybook"
)

func init() {
	pagesToSee = append(pagesToSee, []struct{ name, path, js string }{
		{"floor", "/floor", ""},
		{"floor-empty", "/floor?node=hub", ""},
		{"floor-waves", "/floor/waves?node=berlin", ""},
		{"floor-pick", "/floor/pick/W4F2A-1", ""},
		{"floor-pack", "/floor/pack?node=berlin", ""},
		{"floor-pack-idle", "/floor/pack?node=berlin&station=1", ""},
		{"floor-pack-check", "/floor/pack?node=berlin&station=check", ""},
		{"floor-pack-several", "/floor/pack?node=berlin&station=several", ""},
		{"floor-pack-box", "/floor/pack?node=berlin&station=box", ""},
		{"floor-pack-label", "/floor/pack?node=berlin&station=label", ""},
		{"floor-handover", "/floor/handover?node=berlin", ""},
		{"floor-exceptions", "/floor/exceptions?node=berlin", ""},
		{"floor-byhand", "/floor/byhand?node=mcf", ""},
		{"floor-byhand-send", "/floor/byhand/s1", ""},
		{"floor-byhand-enter", "/floor/byhand/s2", ""},
	}...)
}

func TestAWrongScanIsSeenAndSaidAndTheFieldKeepsTheFocus(t *testing.T) {
	s := open(t, storybook.New(screenTime), screenTime)
	s.look(t, 360, "light")
	s.do(t, chromedp.Navigate(s.url+"/floor/pack?node=berlin&station=check"))
	s.until(t, "document.activeElement.id === 'scan'")
	s.keys(t, "9", "9", kb.Enter)
	s.reads(t, "[data-js-said=no] #said", "That does not belong into this parcel")
	s.keys(t, "MUG-01", kb.Enter)
	s.reads(t, "[data-js-said=ok] #said", "Counted.")
	s.until(t, "document.activeElement.id === 'scan' && document.activeElement.value === ''")
}

func TestManyParcelsAreWorkedOnWithAnAnswerAtEachRow(t *testing.T) {
	s := open(t, storybook.New(screenTime), screenTime)
	s.look(t, 1440, "light")
	s.do(t, chromedp.Navigate(s.url+"/floor/exceptions?node=berlin"))
	s.arrive(t, "/floor/exceptions?node=berlin")
	s.tab(t, "[data-all]")
	s.keys(t, " ", kb.Tab, kb.Enter)
	s.reads(t, "#bulk-said", "3 of 4 done.")
	s.reads(t, "[data-parcel=s8] output.bad", "it still waits to be packed")
	s.until(t, "document.querySelector('progress').value === 4")
}

func TestACarriersManifestIsClosedAndSettled(t *testing.T) {
	v, _ := demo(t)
	n := v.get("/floor/handover?node=berlin")
	n.Says(t, "#fl-manifests", "18 parcels labelled today, on no manifest yet")
	n.Says(t, "#fl-manifests", "Close with USPS")
	v.post("/floor/manifests", http.StatusUnprocessableEntity, "id", "m", "node", "berlin", "carrier", "USPS")
	for _, c := range [][3]string{{"/floor/manifests", "", "18 parcels are on the manifest of USPS"}, {"/floor/bags/b2", "made", "Made, says mia"}, {"/floor/bags/b2", "not", "Not made, says mia"}, {"/floor/manifests/m3", "made", "Made, says mia"}, {"/floor/manifests/m3", "not", "Not made, says mia"}} {
		res, _ := v.post(c[0], http.StatusSeeOther, "id", "m", "node", "berlin", "account", "a1", "carrier", "USPS", "what", c[1])
		if to := res.Header.Get("Location"); to != "/floor/handover?node=berlin" {
			t.Errorf("then on to %s", to)
		}
		v.get("/floor/handover?node=berlin").Says(t, ".toast", c[2])
	}
}
