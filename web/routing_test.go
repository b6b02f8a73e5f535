package web_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/spillway/spillway/web/storybook"
)

func init() {
	pagesToSee = append(pagesToSee, []struct{ name, path, js string }{
		{"order-reroute", "/orders/clip-north:577180003000", "document.querySelector('#reroute-form').open = true; document.querySelector('#reroute-form [value=hub]').checked = true; document.querySelector('#reroute-form [name=reason]').value = 'the van did not come'; document.querySelector('#reroute-form form').requestSubmit()"},
		{"order-divide", "/orders/clip-north:577180003002", "document.querySelector('#o-parcels details').open = true"},
		{"routing", "/routing", ""},
		{"routing-preview", "/routing", "document.querySelector('.said [name=latedispatch]').value = '15.00'; document.querySelector('.said').requestSubmit()"},
		{"routing-wrong", "/routing", "document.querySelector('.said [name=latedispatch]').value = 'much'; document.querySelector('.said').requestSubmit()"},
		{"capacity", "/capacity", ""},
		{"capacity-preview", "/capacity", "document.querySelector('#ca-do li:nth-child(2) button').click()"},
	}...)
}

// TestAnOrderIsSentFromElsewhereByKeyboard: first without a reason, which is refused, then with one.
func TestAnOrderIsSentFromElsewhereByKeyboard(t *testing.T) {
	for _, width := range []int64{1440, 360} {
		s := open(t, storybook.New(screenTime), screenTime)
		s.look(t, width, "light")
		s.do(t, chromedp.Navigate(s.url+"/orders/clip-north:577180003000"))
		s.arrive(t, "/orders/clip-north:577180003000")
		s.tab(t, "#reroute-form summary")
		s.keys(t, kb.Enter)
		s.tab(t, "#reroute-form [value=hub]")
		s.keys(t, " ")
		s.tab(t, "#reroute-form [name=reason]")
		s.keys(t, kb.Enter)
		s.reads(t, "#reroute-preview .bad", "Say why")
		s.do(t, chromedp.KeyEvent("the van did not come"))
		s.keys(t, kb.Enter)
		s.reads(t, ".preview h2", "It leaves from Fulfil Hub, for 1.88 EUR more.")
		s.until(t, "document.activeElement.matches('.preview h2')")
		s.keys(t, kb.Tab, kb.Enter)
		s.reads(t, ".toast", "The order leaves from Fulfil Hub.")
		s.reads(t, "#o-route", "a person chose this")
	}
}

// TestAProposalIsApplied: its effect is shown, then it is done, and it can be found below.
func TestAProposalIsApplied(t *testing.T) {
	s := open(t, storybook.New(screenTime), screenTime)
	s.look(t, 1440, "light")
	s.do(t, chromedp.Navigate(s.url+"/capacity"))
	s.arrive(t, "/capacity")
	s.tab(t, "#ca-do li:nth-child(2) button")
	s.keys(t, kb.Enter)
	s.reads(t, ".preview h2", "Send 23 orders from Fulfil Hub")
	s.until(t, "document.activeElement.matches('.preview h2')")
	s.keys(t, kb.Tab, kb.Enter)
	s.reads(t, ".toast", "Done: Send 23 orders")
	s.reads(t, "#ca-done", "mia@nordlicht.example")
	s.until(t, "!document.querySelector('#ca-do').innerText.includes('Send 23 orders')")
}

func TestARefusedLabelIsTriedAgain(t *testing.T) {
	v, _ := demo(t)
	n := v.get("/orders/clip-north:577180003000")
	n.Says(t, "#o-parcels", "the postal code does not exist")
	n.One(t, "#o-parcels form button")
}

// TestAParcelIsDividedByKeyboard: what stays in it is said, and there are two.
func TestAParcelIsDividedByKeyboard(t *testing.T) {
	for _, width := range []int64{1440, 360} {
		s := open(t, storybook.New(screenTime), screenTime)
		s.look(t, width, "light")
		s.do(t, chromedp.Navigate(s.url+"/orders/clip-north:577180003002"))
		s.arrive(t, "/orders/clip-north:577180003002")
		s.tab(t, "#o-parcels details summary")
		s.keys(t, kb.Enter)
		s.tab(t, "#o-parcels [name^=keep-]")
		s.keys(t, "1", kb.Enter)
		s.reads(t, ".toast", "two parcels")
		s.until(t, "document.querySelectorAll('#o-parcels tbody tr').length == 2")
		s.reads(t, "#o-parcels tr:nth-child(2)", "2 ×")
	}
}
