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
		{"cartons", "/cartons", ""},
		{"carton", "/cartons/box/box-m", ""},
		{"carton-wrong", "/cartons/new", "document.querySelector('.said [name=id]').value = 'x'; document.querySelector('.said [name=name]').value = 'X'; document.querySelector('.said').requestSubmit()"},
		{"item-handling", "/items/MUG-01/handling", ""},
	}...)
}

func TestCartonsAreListed(t *testing.T) {
	v, _ := demo(t)
	n := v.get("/cartons")
	n.Says(t, "#carton-box-m", "300 × 220 × 180 mm")
	n.Says(t, "#carton-tube", "not in use")
	empty := serve(t, storybook.Empty(screenTime), web.Options{DemoUser: demoUser})
	empty.get("/cartons").Says(t, ".empty", "There are no cartons yet.")
}

// handlingTask says of a carton how large it is by keyboard alone: once wrongly, then rightly.
func handlingTask(t *testing.T, s *stage) {
	s.do(t, chromedp.Navigate(s.url+"/cartons"))
	s.arrive(t, "/cartons")
	s.keys(t, "j", kb.Enter)
	s.arrive(t, "/cartons/box/mailer")
	s.tab(t, "#n-innerl")
	ask(t, s, chromedp.Evaluate[any]("document.activeElement.select(); null"))
	s.keys(t, kb.Delete, kb.Enter)
	s.reads(t, ".preview.bad", "1 field needs another look")
	s.until(t, "document.activeElement.matches('#n-innerl')")
	s.do(t, chromedp.KeyEvent("250"))
	s.keys(t, kb.Enter)
	s.reads(t, ".preview h2", "Mailer is proposed for parcels")
	s.until(t, "document.activeElement.matches('.preview h2')")
	s.keys(t, kb.Tab, kb.Enter)
	s.reads(t, ".toast", "Mailer is saved.")
	s.reads(t, "#carton-mailer", "250 × 170 × 40 mm")
}

func TestACartonIsChangedByKeyboard(t *testing.T) {
	for _, width := range []int64{1440, 360} {
		s := open(t, storybook.New(screenTime), screenTime)
		s.look(t, width, "light")
		handlingTask(t, s)
	}
}
