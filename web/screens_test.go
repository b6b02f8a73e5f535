package web_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/spillway/spillway/web/storybook"
)

var onlyPages = flag.String("only", "", "names of the pages to write screenshots of, as a pattern; empty: all")

var screens = flag.String("screens", "", "folder to write screenshots of every page to: go test ./web -run Screens -screens DIR")

// screenTime is a fixed busy afternoon, so that two runs show the same.
func screenTime() time.Time { return time.Date(2026, 11, 21, 13, 2, 11, 0, time.UTC) }

// pagesToSee are the addresses a person looks at before a release, with what to do before the picture.
var pagesToSee = []struct{ name, path, js string }{
	{"overview", "/", ""},
	{"explain", "/", "document.querySelector('a.figure').click()"},
	{"items", "/items", ""},
	{"item", "/items/MUG-01", ""},
	{"item-asof", "/items/MUG-01?at=2026-11-20T03:12", ""},
	{"item-bundle", "/items/SET-10", ""},
	{"item-shared", "/items/POSTER-05", ""},
	{"receive", "/items/MUG-01", "document.querySelector('#stock-form').open = true; document.querySelector('#stock-form [name=qty]').value = '120'; document.querySelector('#stock-form form').requestSubmit()"},
	{"count", "/items/MUG-01", "document.querySelector('#stock-form').open = true; document.querySelector('#stock-form [name=kind]').value = 'count'; document.querySelector('#stock-form [name=qty]').value = '636'; document.querySelector('#stock-form [name=damaged]').value = '5'; document.querySelector('#stock-form form').requestSubmit()"},
	{"rules", "/items/LAMP-02", "const d = document.querySelector('#rules-clip-outlet_3aLAMP-02'); d.open = true; d.querySelector('[name=max]').value = '4'; d.querySelector('form').requestSubmit()"},
	{"orders", "/orders", ""},
	{"orders-shipped", "/orders?state=shipped", ""},
	{"order", "/orders/clip-north:577180003000", ""},
	{"order-shipped", "/orders/clip-north:577180002000", ""},
	{"order-unheard", "/orders/clip-north:577180002004", ""},
	{"connections", "/connections", ""},
	{"connection", "/connections/clip-outlet", ""},
	{"app", "/vendors/clip/app", ""},
	{"live", "/live", ""},
	{"hold", "/live?item=MUG-01", "document.querySelector('#hold-form [name=title]').value = 'Night shift'; document.querySelector('#hold-form [name=qty]').value = '450'; document.querySelector('#hold-form form').requestSubmit()"},
	{"problems", "/problems", ""},
	{"health", "/health", ""},
	{"health-outlet", "/health?shop=clip-outlet", ""},
	{"health-norules", "/health?shop=cart-north", ""},
	{"health-explain", "/health", "document.querySelector('#g-ldr a.value').click()"},
	{"account", "/health", "document.querySelector('#account-form').open = true; document.querySelector('#account-form [name=value]').value = '162'; document.querySelector('#account-form form').requestSubmit()"},
	{"deduction", "/health", "document.querySelector('#deduction-form').open = true; document.querySelector('#deduction-form [name=points]').value = '12'; document.querySelector('#deduction-form [name=reason]').value = 'late dispatch'; document.querySelector('#deduction-form form').requestSubmit()"},
	{"reconcile", "/health/reconcile?shop=clip-north", ""},
	{"reconcile-norules", "/health/reconcile?shop=cart-north", ""},
	{"reconcile-one", "/health/reconcile/explained", ""},
	{"reconcile-reading", "/health/reconcile/reading", ""},
	{"reconcile-refused", "/health/reconcile/refused", ""},
	{"reconcile-stopped", "/health/reconcile/stopped", ""},
	{"reconcile-explain", "/health/ldr?shop=clip-north", "document.querySelector('#ra-their a.open').click()"},
	{"todo", "/health/do/ldr-now?shop=clip-north", ""},
	{"rate", "/health/ldr?shop=clip-north", ""},
	{"rate-past", "/health/otdr?shop=clip-north&on=2026-10-07&region=CA", ""},
	{"rate-nothing", "/health/sfcr?shop=clip-outlet", ""},
	{"policy", "/policy", ""},
	{"policy-diff", "/policy?from=2026-10-01&to=2026-11-21", ""},
	{"override", "/policy", "document.querySelector('#override-form').open = true; document.querySelector('#override-form [name=value]').value = 'at most 5 %'; document.querySelector('#override-form [name=reason]').value = 'our manager wrote so'; document.querySelector('#override-form [name=rule]').value = 'ldr-target'; document.querySelector('#override-form form').requestSubmit()"},
	{"incidents", "/incidents", ""},
	{"incident", "/incidents/inc-41", ""},
	{"incident-open", "/incidents/inc-42", "document.querySelector('.dos button.main').click()"},
	{"incident-past", "/incidents/inc-40", ""},
	{"alerts", "/alerts", ""},
	{"alert-rule", "/alerts/rules/stockout", ""},
	{"alert-rule-effect", "/alerts/rules/stockout", "document.querySelector('#rule-form [name=warn]').value = '72'; document.querySelector('#rule-form').requestSubmit()"},
	{"search", "/search?q=mug", ""},
	{"missing", "/nowhere", ""},
	{"help", "/orders", "document.querySelector('#help').showModal()"},
}

func TestScreens(t *testing.T) {
	if *screens == "" {
		t.Skip("only with -screens DIR")
	}
	if err := os.MkdirAll(*screens, 0o755); err != nil {
		t.Fatal(err)
	}
	s := open(t, storybook.New(screenTime), screenTime)
	bare := open(t, storybook.Empty(screenTime), screenTime)
	for _, width := range []int64{1440, 360} {
		for _, theme := range []string{"light", "dark"} {
			s.look(t, width, theme)
			for _, p := range pagesToSee {
				if ok, err := regexp.MatchString(*onlyPages, p.name); err != nil || !ok {
					continue
				}
				s.picture(t, p.name, p.path, p.js, width, theme)
			}
			bare.look(t, width, theme)
			bare.picture(t, "empty", "/", "", width, theme)
			bare.picture(t, "empty-connections", "/connections", "", width, theme)
			for _, path := range []string{"/health", "/health/reconcile", "/policy", "/incidents", "/alerts"} {
				bare.picture(t, "empty-"+strings.ReplaceAll(path[1:], "/", "-"), path, "", width, theme)
			}
		}
	}
}

func (s *stage) picture(t *testing.T, name, path, js string, width int64, theme string) {
	s.visit(t, name, path, js)
	png := ask(t, s, chromedp.FullScreenshot(100))
	file := filepath.Join(*screens, fmt.Sprintf("%s-%d-%s.png", name, width, theme))
	if err := os.WriteFile(file, png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// visit opens a page, waits until it is live, and does what there is to do before it is looked at.
func (s *stage) visit(t *testing.T, name, path, js string) {
	t.Helper()
	s.do(t, chromedp.Navigate(s.url+path))
	s.until(t, "document.readyState === 'complete' && (!document.querySelector('#stream') || document.querySelector('#wire').dataset.state === 'live')")
	if js == "" {
		return
	}
	ask(t, s, chromedp.Evaluate[any]("{"+js+"}; null"))
	switch name {
	case "explain", "health-explain", "reconcile-explain":
		s.until(t, "document.querySelector('#panel[open] .explain')")
	case "carriers", "order-divide": // opens what is there already
	case "help":
		s.until(t, "document.querySelector('#help[open]')")
	default:
		s.until(t, "document.querySelector('.preview')")
	}
}
