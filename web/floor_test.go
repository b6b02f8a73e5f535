package web_test

import (
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
		{"floor-pack-box", "/floor/pack?node=berlin&station=box", ""},
		{"floor-pack-label", "/floor/pack?node=berlin&station=label", ""},
		{"floor-handover", "/floor/handover?node=berlin", ""},
		{"floor-exceptions", "/floor/exceptions?node=berlin", ""},
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
