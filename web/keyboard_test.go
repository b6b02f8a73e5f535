package web_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/spillway/spillway/web"
	"github.com/spillway/spillway/web/storybook"
)

// keys presses keys one after the other, wherever the focus is.
func (s *stage) keys(t *testing.T, keys ...string) {
	t.Helper()
	for _, k := range keys {
		s.do(t, chromedp.KeyEvent(k))
	}
}

// press sends a key and its letter as one event, as a keyboard does: a page that handles the key then never sees the letter.
func (s *stage) press(t *testing.T, key string) {
	t.Helper()
	s.do(t, func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Text: key})
		return chromedp.Void{}, err
	})
}

// arrive waits for a page to be there and ready for keys.
func (s *stage) arrive(t *testing.T, path string) {
	t.Helper()
	s.until(t, fmt.Sprintf("document.readyState === 'complete' && location.pathname + location.search === %q && window.htmx", path))
}

// maxTabs is how far a control may be from the beginning of a page.
const maxTabs = 60

// tab moves the focus on until it is on what selector names. At the beginning of a page it skips to the content, as people do.
func (s *stage) tab(t *testing.T, selector string) {
	t.Helper()
	for range maxTabs {
		s.keys(t, kb.Tab)
		switch ask(t, s, chromedp.Evaluate[string](fmt.Sprintf("(e => !e ? '' : e.matches(%q) ? 'there' : e.className)(document.activeElement)", selector))) {
		case "there":
			return
		case "skip":
			if ask(t, s, chromedp.Evaluate[bool](fmt.Sprintf("!!document.querySelector(%q)?.closest('main')", selector))) {
				s.keys(t, kb.Enter)
			}
		}
	}
	t.Fatalf("%s is not reached by %d tabs", selector, maxTabs)
}

// reads wants text on the page.
func (s *stage) reads(t *testing.T, selector, text string) {
	t.Helper()
	s.until(t, fmt.Sprintf("[...document.querySelectorAll(%q)].some(e => e.innerText.replace(/\\s+/g, ' ').includes(%q))", selector, text))
}

// TestByKeyboard does the main task of each page without a mouse.
func TestByKeyboard(t *testing.T) {
	s := open(t, storybook.New(screenTime), screenTime)
	s.look(t, 1440, "light")
	for _, task := range []struct {
		name string
		do   func(*testing.T, *stage)
	}{
		{"overview", overviewTask}, {"search", searchTask}, {"items", itemsTask}, {"item receive", receiveTask}, {"item rules", rulesTask}, {"item as of", asOfTask},
		{"orders", ordersTask}, {"connections", connectionsTask}, {"app", appTask}, {"live", liveTask}, {"problems", problemsTask},
		{"health", healthTask}, {"rate", rateTask}, {"account", accountTask}, {"reconcile", reconcileTask}, {"deduction", deductionTask}, {"rules", policyTask}, {"incidents", incidentsTask}, {"alerts", alertsTask}, {"alert rule", alertRuleTask},
	} {
		t.Run(task.name, func(t *testing.T) {
			s.do(t, chromedp.Navigate(s.url+"/"))
			s.arrive(t, "/")
			task.do(t, s)
		})
	}
}

func overviewTask(t *testing.T, s *stage) {
	s.keys(t, "?")
	s.reads(t, "#help[open]", "Overview")
	s.keys(t, kb.Escape)
	s.until(t, "!document.querySelector('dialog[open]')")
	s.tab(t, `a.figure[href="/explain/oversold"]`)
	s.keys(t, kb.Enter)
	s.reads(t, "#panel[open] .checks", "The journal sums to the balances")
	s.keys(t, kb.Escape)
	s.until(t, `!document.querySelector('dialog[open]') && document.activeElement.matches('a.figure')`) // back where one was
	s.keys(t, "j", "j", "k", kb.Enter)
	s.arrive(t, "/items/MUG-01")
}

func searchTask(t *testing.T, s *stage) {
	s.press(t, "/")
	s.until(t, "document.activeElement.id === 'q'")
	s.keys(t, "g", "i") // letters, not a way to leave
	s.keys(t, kb.Backspace, kb.Backspace)
	s.do(t, chromedp.KeyEvent("577180003007"))
	s.keys(t, kb.Enter)
	s.arrive(t, "/search?q=577180003007")
	s.keys(t, "j", kb.Enter)
	s.reads(t, "h1", "Order 577180003007")
}

func itemsTask(t *testing.T, s *stage) {
	s.keys(t, "g", "i")
	s.arrive(t, "/items")
	s.tab(t, "#items-q")
	s.do(t, chromedp.KeyEvent("bowl"))
	s.keys(t, kb.Enter)
	s.arrive(t, "/items?q=bowl")
	s.keys(t, "j", kb.Enter)
	s.arrive(t, "/items/BOWL-07")
}

func receiveTask(t *testing.T, s *stage) {
	s.do(t, chromedp.Navigate(s.url+"/items/BOWL-07"))
	s.arrive(t, "/items/BOWL-07")
	s.tab(t, "#stock-form > summary")
	s.keys(t, kb.Enter)
	s.tab(t, "[name=qty]")
	s.do(t, chromedp.KeyEvent("25"))
	s.keys(t, kb.Enter)
	s.reads(t, "#stock-preview h2", "+25 units at Berlin")
	s.until(t, "document.activeElement.matches('#stock-preview h2')")
	s.tab(t, ".preview button.main")
	s.keys(t, kb.Enter)
	s.reads(t, ".toast", "is in the journal")
	s.reads(t, "#bal-berlin", "62")
	s.tab(t, ".toast form button")
	s.keys(t, kb.Enter)
	s.reads(t, ".toast", "Reversed")
	s.reads(t, "#bal-berlin", "37")
}

func rulesTask(t *testing.T, s *stage) {
	s.do(t, chromedp.Navigate(s.url+"/items/LAMP-02"))
	s.arrive(t, "/items/LAMP-02")
	s.tab(t, "#rules-cart-north_3aLAMP-02 > summary")
	s.keys(t, kb.Enter)
	s.tab(t, "#rules-cart-north_3aLAMP-02 [name=max]")
	s.do(t, chromedp.KeyEvent("20"))
	s.keys(t, kb.Enter)
	s.reads(t, "#rules-cart-north_3aLAMP-02 .preview h2", "4 units move")
	s.tab(t, ".preview button.main")
	s.keys(t, kb.Enter)
	s.reads(t, ".toast", "The rules of Cart · Nordlicht are set.")
}

func asOfTask(t *testing.T, s *stage) {
	s.do(t, chromedp.Navigate(s.url+"/items/MUG-01"))
	s.arrive(t, "/items/MUG-01")
	s.tab(t, "#at")
	s.keys(t, "1", "1", "1", "7") // month and day; the rest of now stays
	s.keys(t, kb.Enter)
	s.reads(t, ".notice", "recorded by 17 Nov 14:02")
	s.reads(t, "#wire", "Not live")
}

func ordersTask(t *testing.T, s *stage) {
	s.keys(t, "g", "r")
	s.arrive(t, "/orders")
	s.keys(t, "j", "j", kb.Enter)
	s.reads(t, "h1", "Order 577180003001")
	s.keys(t, "j", kb.Enter)
	s.arrive(t, "/items/CANDLE-04")
}

func connectionsTask(t *testing.T, s *stage) {
	s.keys(t, "g", "c")
	s.arrive(t, "/connections")
	s.keys(t, "k", kb.Enter)
	s.arrive(t, "/connections/clip-outlet")
	s.reads(t, "#c-errors", "too many requests")
}

func appTask(t *testing.T, s *stage) {
	s.keys(t, "g", "c")
	s.arrive(t, "/connections")
	s.tab(t, `a[href="/vendors/cart/app"]`)
	s.keys(t, kb.Enter)
	s.arrive(t, "/vendors/cart/app")
	for _, f := range [][2]string{{"[name=key]", "app-key-1"}, {"[name=secret]", "hush"}, {"[name='setting:shop_domain']", "nordlicht.cart.example"}} {
		s.tab(t, f[0])
		s.do(t, chromedp.KeyEvent(f[1]))
	}
	s.keys(t, kb.Enter)
	s.reads(t, ".toast", "App app-key-1 is kept")
	s.tab(t, "#app-cart-app-3 button.main")
	s.keys(t, kb.Enter)
	s.reads(t, "main", "You go to consent.clip.example")
	s.until(t, "document.activeElement.matches('a.button.main')") // Enter goes on
}

func liveTask(t *testing.T, s *stage) {
	s.keys(t, "g", "l")
	s.arrive(t, "/live")
	s.tab(t, "#hold-form > summary")
	s.keys(t, kb.Enter)
	for _, f := range [][2]string{{"[name=title]", "Night shift"}, {"[name=item]", "MUG-01"}, {"[name=qty]", "450"}} {
		s.tab(t, f[0])
		s.do(t, chromedp.KeyEvent(f[1]))
	}
	s.keys(t, kb.Enter)
	s.reads(t, "#hold-preview h2", "3 listings change, 48 units move")
	s.tab(t, ".preview button.main")
	s.keys(t, kb.Enter)
	s.reads(t, ".toast", "450 units of MUG-01 are kept")
	s.reads(t, "#cal-rows", "Night shift")
}

func problemsTask(t *testing.T, s *stage) {
	s.keys(t, "g", "p")
	s.arrive(t, "/problems")
	s.keys(t, "j", kb.Enter)
	s.reads(t, ".toast", "1 parked messages are tried again")
	s.reads(t, "#f-problems", "1")
}

func TestSetUpAndSignInByKeyboard(t *testing.T) {
	s := openAs(t, storybook.Empty(screenTime), web.Options{Now: screenTime})
	s.look(t, 1440, "light")
	s.do(t, chromedp.Navigate(s.url+"/items"))
	s.reads(t, "h1", "Welcome")
	s.until(t, "document.activeElement.name === 'name'")
	s.do(t, chromedp.KeyEvent("Mia"))
	for _, f := range []string{"mia@nordlicht.example", goodPassword} {
		s.keys(t, kb.Tab)
		s.do(t, chromedp.KeyEvent(f))
	}
	s.keys(t, kb.Enter)
	s.reads(t, "h1", "Spillway is ready")
	s.tab(t, ".who button")
	s.keys(t, kb.Enter)
	s.reads(t, "h1", "Sign in")
	s.do(t, chromedp.KeyEvent("mia@nordlicht.example"))
	s.keys(t, kb.Tab)
	s.do(t, chromedp.KeyEvent(goodPassword))
	s.keys(t, kb.Enter)
	s.reads(t, ".who", "mia@nordlicht.example")
	if url := ask(t, s, chromedp.Location()); strings.Contains(url, "login") {
		t.Errorf("after sign-in one is at %s", url)
	}
}
