package web_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/spillway/spillway/web/storybook"
)

// healthTask opens a rate to its inputs, and then the list of what to ship now.
func healthTask(t *testing.T, s *stage) {
	s.keys(t, "g", "h")
	s.arrive(t, "/health")
	s.tab(t, "#g-ldr a.value")
	s.keys(t, kb.Enter)
	s.reads(t, "#panel[open] .explain", "late dispatch = orders without a carrier scan by their deadline")
	s.keys(t, kb.Escape)
	s.until(t, "!document.querySelector('dialog[open]') && document.activeElement.matches('#g-ldr a.value')")
	s.keys(t, "j", kb.Enter) // the first row of the page is what to do first
	s.arrive(t, "/health/do/ldr-now?shop=clip-north")
	s.reads(t, "h1", "Ship these 9 orders by 17:00")
	s.keys(t, "j", kb.Enter)
	s.reads(t, "h1", "Order 577180003002")
}

func rateTask(t *testing.T, s *stage) {
	s.do(t, chromedp.Navigate(s.url+"/health/ldr?shop=clip-north"))
	s.arrive(t, "/health/ldr?shop=clip-north")
	s.tab(t, ".facets [name=node]")
	s.keys(t, "P") // the option that begins so
	s.tab(t, ".facets button")
	s.keys(t, kb.Enter)
	s.reads(t, "#ra-rows .lead", "39 orders that count against the shop.")
	s.keys(t, "j", kb.Enter)
	s.reads(t, "h1", "Order 5769")
}

func accountTask(t *testing.T, s *stage) {
	s.keys(t, "g", "h")
	s.arrive(t, "/health")
	ask(t, s, chromedp.Evaluate[any]("document.querySelector('#account-h').scrollIntoView(); document.querySelector('#he-account dl a:last-of-type')?.focus(); null"))
	s.tab(t, "#account-form > summary")
	s.keys(t, kb.Enter)
	s.tab(t, "#account-form [name=value]")
	s.do(t, chromedp.KeyEvent("178"))
	s.keys(t, kb.Enter)
	s.reads(t, "#account-preview h2", "178 lies inside what was modelled")
	s.until(t, "document.activeElement.matches('#account-preview h2')")
	s.tab(t, ".preview button.main")
	s.keys(t, kb.Enter)
	s.reads(t, ".toast", "178 is taken down")
	s.tab(t, ".toast form button")
	s.keys(t, kb.Enter)
	s.reads(t, ".toast", "taken back")
	s.reads(t, "#he-account", "173–187")
}

func policyTask(t *testing.T, s *stage) {
	s.do(t, chromedp.Navigate(s.url+"/policy"))
	s.arrive(t, "/policy")
	s.keys(t, "j", "j", kb.Enter)
	s.reads(t, "#panel[open] .explain", "Late dispatch, Target")
	s.keys(t, kb.Escape)
	s.tab(t, "#override-form > summary")
	s.keys(t, kb.Enter)
	s.tab(t, "#override-form [name=value]")
	s.do(t, chromedp.KeyEvent("at most 3 %"))
	s.tab(t, "#override-form [name=reason]")
	s.do(t, chromedp.KeyEvent("we want to be better"))
	s.keys(t, kb.Enter)
	s.reads(t, "#override-preview h2", "at most 3 % instead of at most 4 %")
	s.tab(t, ".preview button.main")
	s.keys(t, kb.Enter)
	s.reads(t, ".toast", "Your rule holds")
	s.tab(t, ".toast form button")
	s.keys(t, kb.Enter)
	s.reads(t, ".toast", "the channel’s own rule holds again")
}

func incidentsTask(t *testing.T, s *stage) {
	s.keys(t, "g", "n")
	s.arrive(t, "/incidents")
	s.keys(t, "j", kb.Enter)
	s.arrive(t, "/incidents/inc-42")
	s.tab(t, ".dos button.main")
	s.keys(t, kb.Enter)
	s.reads(t, "#act-preview h2", "It is yours")
	s.tab(t, ".preview button.main")
	s.keys(t, kb.Enter)
	s.reads(t, ".toast", "It is yours")
	s.reads(t, "#ic-head", "taken")
	s.keys(t, "j", kb.Enter) // tick the first task
	s.reads(t, ".toast", "Done: Map")
	s.until(t, "document.querySelector('#task-t1 [aria-checked=true]')")
	s.tab(t, ".toast form button")
	s.keys(t, kb.Enter)
	s.until(t, "document.querySelector('#task-t1 [aria-checked=false]')")
}

func alertsTask(t *testing.T, s *stage) {
	s.do(t, chromedp.Navigate(s.url+"/alerts"))
	s.arrive(t, "/alerts")
	s.keys(t, "j", "j", kb.Enter)
	s.reads(t, ".toast", "Pager answered in 84 ms")
	s.tab(t, "[action='/alerts/escalation'] [name=after1]")
	s.do(t, chromedp.KeyEvent("5")) // what was in the field is marked when it is reached by tab
	s.keys(t, kb.Enter)
	s.reads(t, "#escalation-preview h2", "the last after 5 min")
	s.tab(t, ".preview button.main")
	s.keys(t, kb.Enter)
	s.reads(t, ".toast", "The escalation is set.")
}

// alertRuleTask changes when a kind of alert is raised, is told of a field that cannot be meant, and goes back.
func alertRuleTask(t *testing.T, s *stage) {
	s.do(t, chromedp.Navigate(s.url+"/alerts"))
	s.arrive(t, "/alerts")
	s.tab(t, "a[href='/alerts/rules/stockout']")
	s.keys(t, kb.Enter)
	s.arrive(t, "/alerts/rules/stockout")
	s.tab(t, "#rule-form [name=warn]")
	s.do(t, chromedp.KeyEvent("soon"))
	s.keys(t, kb.Enter)
	s.reads(t, "#rule-preview", "Warning: is a number of hours")
	s.tab(t, "#rule-form [name=warn]")
	s.do(t, chromedp.KeyEvent("72"))
	s.keys(t, kb.Enter)
	s.reads(t, "#rule-preview .preview", "72")
	s.tab(t, ".preview button.main")
	s.keys(t, kb.Enter)
	s.arrive(t, "/alerts")
	s.reads(t, ".toast", "Sold out ahead is set.")
	s.reads(t, "#ru-stockout td[data-l='Set by']", demoUser)
	s.tab(t, "a[href='/alerts/rules/stockout']")
	s.keys(t, kb.Enter)
	s.arrive(t, "/alerts/rules/stockout")
	s.tab(t, "#rule-reset button")
	s.keys(t, kb.Enter)
	s.reads(t, "#rule-preview .preview", "as it came")
	s.tab(t, ".preview button.main")
	s.keys(t, kb.Enter)
	s.reads(t, ".toast", "Sold out ahead is as it came.")
}

// TestHealthMovesByItself watches a rate, an incident and the rail change in the browser without a reload, and nothing else move.
func TestHealthMovesByItself(t *testing.T) {
	book := storybook.New(screenTime)
	s := open(t, book, screenTime)
	s.look(t, 1440, "light")
	s.do(t, chromedp.Navigate(s.url+"/health"))
	s.until(t, "document.querySelector('#wire')?.dataset.state === 'live'")
	ask(t, s, chromedp.Evaluate[any]("window.sameDocument = true; document.querySelector('#account-form').open = true; document.querySelector('#account-form [name=value]').value = '17'; null"))
	book.Late("clip-north", 30)
	s.until(t, "document.querySelector('#g-ldr .value').textContent === '7.3 %' && window.sameDocument")
	if got := ask(t, s, chromedp.Evaluate[string]("document.querySelector('#account-form [name=value]').value")); got != "17" {
		t.Errorf("what was typed became %q when the page moved", got)
	}
	shift := ask(t, s, chromedp.Evaluate[float64](`new Promise(ok => {
		let sum = 0; const o = new PerformanceObserver(l => { for (const e of l.getEntries()) sum += e.value });
		o.observe({type: 'layout-shift', buffered: true}); requestAnimationFrame(() => requestAnimationFrame(() => ok(sum))) })`, chromedp.EvalAwaitPromise))
	if shift > 0.02 {
		t.Errorf("the page moved by %.4f when a rate changed", shift)
	}
}
