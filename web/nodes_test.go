package web_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/spillway/spillway/web"
	"github.com/spillway/spillway/web/storybook"
)

func init() {
	pagesToSee = append(pagesToSee, []struct{ name, path, js string }{
		{"nodes", "/nodes", ""},
		{"node", "/nodes/berlin", ""},
		{"node-learned", "/nodes/hub", ""},
		{"node-new", "/add/node", ""},
		{"node-preview", "/nodes/berlin", "document.querySelector('.said [name=week6]').value = '08:00-12:00 40'; document.querySelector('.said').requestSubmit()"},
		{"node-wrong", "/nodes/berlin", "document.querySelector('.said [name=week6]').value = 'mornings'; document.querySelector('.said [name=\"lane1.pickups\"]').value = 'late'; document.querySelector('.said').requestSubmit()"},
	}...)
}

func TestNodesAreListed(t *testing.T) {
	v, _ := demo(t)
	n := v.get("/nodes")
	n.Says(t, "#node-berlin", "412 orders wait, more than can be done by 2026-11-23")
	n.Says(t, "#node-berlin td[data-l=\"Eight days\"]", "2,018")
	n.Says(t, "#node-hub td[data-l=Today]", "hours are not said")
	n.Says(t, "#nd-rows", "4 orders wait at warehouse 7391")
	empty := serve(t, storybook.Empty(screenTime), web.Options{DemoUser: demoUser})
	empty.get("/nodes").Says(t, ".empty", "There are no nodes yet.")
}

func TestANodeShowsAllThatIsSaidOfIt(t *testing.T) {
	v, _ := demo(t)
	n := v.get("/nodes/berlin")
	for field, want := range map[string]string{"name": "Berlin", "week1": "08:00-12:00 60, 13:00-17:00 40", "zone": "Europe/Berlin", "lane0.pickups": "Mon-Fri 17:00 cut-off 30, Sat 12:00", "lane1.carrier": "DPD", "lane2.carrier": "", "above": "700"} {
		if got := n.One(t, `.said input[name="`+field+`"]`).Attr["value"]; got != want {
			t.Errorf("%s: %q, want %q", field, got, want)
		}
	}
	if got := n.All(`#nd-lanes td[data-l="Next van"]`); len(got) != 2 {
		t.Errorf("%d carriers are shown", len(got))
	}
	n.Says(t, "#nd-lanes", "Mon 23 Nov 17:00")
	n.Says(t, "#nd-history", "Friday, Overtime and Pick-ups of DHL")
	v.get("/nodes/hub").Says(t, "#nd-history", "Nobody has said anything of this node.")
}

func TestWhatIsWrongWithANodeStandsBesideItsField(t *testing.T) {
	v, _ := demo(t)
	_, n := v.post("/nodes/berlin", 422, "name", "", "kind", "own", "zone", "Europe/Berlin", "week1", "mornings", "version", "2", "lane0.carrier", "DHL", "lane0.pickups", "late")
	n.Says(t, ".preview.bad", "3 fields need another look; nothing is saved.")
	n.Says(t, "#e-week1", "“mornings” is no shift")
	if got := n.One(t, "#n-week1").Attr["value"]; got != "mornings" {
		t.Errorf("what was typed is gone: %q", got)
	}
	n.One(t, "#n-name[autofocus]")
	n.One(t, `[id="n-lane0.pickups"][aria-invalid]`)
	if got := v.get("/nodes/berlin").One(t, "#n-name").Attr["value"]; got != "Berlin" {
		t.Errorf("it was saved: %q", got)
	}
}

// nodeTask changes a day by keyboard alone: once wrongly, then rightly.
func nodeTask(t *testing.T, s *stage) {
	s.do(t, chromedp.Navigate(s.url+"/nodes"))
	s.arrive(t, "/nodes")
	s.keys(t, "j", kb.Enter)
	s.arrive(t, "/nodes/berlin")
	s.tab(t, "#n-week6")
	s.do(t, chromedp.KeyEvent("mornings"))
	s.keys(t, kb.Enter)
	s.reads(t, ".preview.bad", "1 field needs another look")
	s.until(t, "document.activeElement.matches('#n-week6') && document.activeElement.value === 'mornings'")
	ask(t, s, chromedp.Evaluate[any]("document.activeElement.select(); null"))
	s.do(t, chromedp.KeyEvent("08:00-12:00 40"))
	s.keys(t, kb.Enter)
	s.reads(t, ".preview h2", "1 thing of Berlin changes")
	s.until(t, "document.activeElement.matches('.preview h2')")
	s.keys(t, kb.Tab, kb.Enter)
	s.reads(t, ".toast", "Berlin is saved as version 3.")
	s.until(t, "document.querySelector('#n-week6').value === '08:00-12:00 40'")
	s.reads(t, "#nd-history", "version 3")
}

func TestANodeIsChangedByKeyboard(t *testing.T) {
	for _, width := range []int64{1440, 360} {
		s := open(t, storybook.New(screenTime), screenTime)
		s.look(t, width, "light")
		nodeTask(t, s)
	}
}
