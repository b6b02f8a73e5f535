package ops

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/store"
	"github.com/spillway/spillway/web"
)

// browserStep is how long one thing may take on a busy machine.
const browserStep = 25 * time.Second

// bench is a browser at a pack station of the real program: use-cases, database and pages.
type bench struct {
	t    *testing.T
	ctx  context.Context
	name string
}

// floorSite serves the rig's pages. While loseAnswer is set, the next scan is carried out and its answer is lost.
func (r *rig) floorSite() (url string, loseAnswer *atomic.Bool) {
	r.t.Helper()
	site := web.New(r.d, web.Options{DemoUser: "mia@example.com", Now: time.Now, Log: slog.New(slog.NewTextHandler(r.t.Output(), nil))})
	loseAnswer = &atomic.Bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasPrefix(req.URL.Path, "/floor/scan/") && loseAnswer.CompareAndSwap(true, false) {
			site.ServeHTTP(httptest.NewRecorder(), req)
			panic(http.ErrAbortHandler)
		}
		site.ServeHTTP(w, req)
	}))
	r.t.Cleanup(srv.Close)
	r.t.Cleanup(site.Close)
	return srv.URL, loseAnswer
}

// browser starts Chromium, or says loudly that the test does not run.
func (r *rig) browser() context.Context {
	r.t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		if strings.Contains(os.Getenv("SPILLWAY_REQUIRE"), "chromium") {
			r.t.Fatal("chromium is required (SPILLWAY_REQUIRE) and is not installed")
		}
		r.t.Skip("SKIPPED: nothing was packed in a browser. Install chromium (Debian: apt-get install chromium) to run this test.")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-component-update", true),
		chromedp.UserDataDir(r.t.TempDir()), chromedp.WSURLReadTimeout(time.Minute))
	alloc, stop := chromedp.NewExecAllocator(r.t.Context(), opts...)
	ctx, end := chromedp.NewContext(alloc)
	r.t.Cleanup(func() { _ = chromedp.Cancel(ctx); end(); stop() })
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		r.t.Fatalf("the browser did not start: %v", err)
	}
	return ctx
}

func (b *bench) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browserStep)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("station %s: %v", b.name, err)
	}
}

// sees waits for a condition on the page.
func (b *bench) sees(js string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browserStep)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool]("!!("+js+")", chromedp.WithPollingInterval(20*time.Millisecond))); err != nil {
		late, end := context.WithTimeout(b.ctx, browserStep)
		defer end()
		text, _ := chromedp.Run(late, chromedp.Evaluate[string]("location.href + document.activeElement.outerHTML.slice(0, 200) + document.body.innerText.slice(0, 800)"))
		b.t.Fatalf("station %s waits for %s: %v\n%s", b.name, js, err, text)
	}
}

func (b *bench) reads(text string) {
	b.t.Helper()
	b.sees(fmt.Sprintf("document.querySelector('.station').innerText.includes(%q)", text))
}

// types is what a keyboard wedge does: the code and Enter, wherever the focus is.
func (b *bench) types(code string) {
	b.t.Helper()
	if code != "" {
		b.do(chromedp.KeyEvent(code))
	}
	b.do(chromedp.KeyEvent(kb.Enter))
}

// scans types a code and waits until the station is at a stage.
func (b *bench) scans(code, stage string) {
	b.t.Helper()
	b.types(code)
	b.sees(fmt.Sprintf("document.querySelector('[data-stage]')?.dataset.stage === %q && document.querySelector('[data-js-net]')?.dataset.jsNet === 'idle'", stage))
}

func (b *bench) online(yes bool) {
	b.t.Helper()
	b.do(func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: !yes, DownloadThroughput: -1, UploadThroughput: -1})
		return chromedp.Void{}, err
	}, func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Offline: !yes, DownloadThroughput: -1, UploadThroughput: -1}}})
		return chromedp.Void{}, err
	})
}

const mugCode = "4006381333931"

func labelNumber(i int) string { return fmt.Sprintf("TEST-LABEL-%04d", i) }

// pack does an order without incident.
func (b *bench) pack(order string, i int) {
	b.t.Helper()
	b.scans(order, "check")
	b.rest(i)
}

// rest is a parcel from its units on.
func (b *bench) rest(i int) {
	b.t.Helper()
	b.scans("2*"+mugCode, "box")
	b.scans("", "weigh")
	b.scans(fmt.Sprint(400+i), "label")
	b.scans(labelNumber(i), "")
}

// TestTwentyOrdersArePackedByScansAlone packs through a wrong scan, a short pick, a lost answer, ten seconds without a network, and a second station that
// wants the same order.
func TestTwentyOrdersArePackedByScansAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: packs for a minute in a browser")
	}
	r := newRig(t)
	r.network(90)
	url, loseAnswer := r.floorSite()
	tab := r.browser()
	var orders []string
	for range 20 {
		orders = append(orders, r.sell("S1", 2))
	}
	for _, o := range orders {
		r.until("it has a parcel", func() bool { _, live, _ := r.standing(o); return len(live) == 1 && live[0].Node == "west" })
	}
	number := func(i int) string { return strings.TrimPrefix(orders[i], r.conn+":") }
	one := &bench{t, tab, "1"}
	two := &bench{t, r.browser(), "2"}
	for _, b := range []*bench{one, two} {
		b.do(chromedp.Navigate(url + "/floor/pack?node=west&station=" + b.name))
		b.sees("document.activeElement.id === 'scan' && document.querySelector('[data-js-net]')")
	}
	for i := range orders {
		switch i {
		case 3:
			one.wrongScan(number(i), i)
		case 5:
			one.shortPick(number(i), i)
		case 8:
			one.withoutNetwork(number(i), i)
		case 11:
			one.lostAnswer(number(i), i, loseAnswer)
		case 14:
			raceFor(one, two, number(i), i)
		default:
			one.pack(number(i), i)
		}
	}
	r.wantPacked(orders)
}

func (b *bench) wrongScan(order string, i int) {
	b.scans(order, "check")
	b.types("ITEM-S4")
	b.reads("That does not belong into this parcel. Expected: 2 × A mug (ITEM-S1).")
	b.sees("document.querySelector('[data-js-said=no] .contents').innerText.includes('0 of 2')")
	b.rest(i)
}

func (b *bench) shortPick(order string, i int) {
	b.scans(order, "check")
	b.types(mugCode)
	b.reads("1 of 2")
	b.scans(codeShort, "")
	b.reads("Short. Put it on the bench.")
	b.pack(order, i) // it was routed again, and is packed as a new parcel
}

func (b *bench) withoutNetwork(order string, i int) {
	b.scans(order, "check")
	b.online(false)
	for _, code := range []string{"2*" + mugCode, "", fmt.Sprint(400 + i)} {
		b.types(code)
	}
	b.reads("Offline. 3 scans wait here")
	b.sees("document.querySelector('[data-js-tries]')?.dataset.jsTries >= 5") // a try every two seconds
	b.online(true)
	b.sees("document.querySelector('[data-stage]')?.dataset.stage === 'label' && document.querySelector('[data-js-net]')?.dataset.jsNet === 'idle'")
	b.scans(labelNumber(i), "")
}

func (b *bench) lostAnswer(order string, i int, lose *atomic.Bool) {
	b.scans(order, "check")
	lose.Store(true)
	b.types(mugCode)
	b.sees("document.querySelector('.contents')?.innerText.includes('1 of 2') && document.querySelector('[data-js-net]')?.dataset.jsNet === 'idle'")
	if lose.Load() {
		b.t.Error("no answer was lost")
	}
	b.scans(mugCode, "box") // counted once, so this is the second
	b.scans("", "weigh")
	b.scans("1.2 kg", "label")
	b.scans(labelNumber(i), "")
}

// raceFor lets two stations scan one order in the same moment: one has it, the other is told who.
func raceFor(one, two *bench, order string, i int) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(two.ctx, time.Minute)
		defer cancel()
		if err := chromedp.Do(ctx, chromedp.KeyEvent(order+kb.Enter)); err != nil {
			two.t.Errorf("station 2: %v", err)
		}
	}()
	one.types(order)
	<-done
	said := "document.querySelector('[data-js-said]') && document.querySelector('#said').innerText !== '' && document.querySelector('[data-js-net]')?.dataset.jsNet === 'idle' && document.querySelector('#said').innerText !== 'Packed. Next, please.'"
	one.sees(said)
	two.sees(said)
	has := func(b *bench) bool {
		v, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("document.querySelector('[data-stage]')?.dataset.stage === 'check'"))
		if err != nil {
			b.t.Fatal(err)
		}
		return v
	}
	if has(one) == has(two) {
		one.t.Fatalf("both have it, or none: %v", has(one))
	}
	winner, other := one, two
	if has(two) {
		winner, other = two, one
	}
	other.reads("station west/" + winner.name + " has this parcel (mia@example.com)")
	winner.rest(i)
	other.types(order)
	other.reads("it is packed already")
}

// wantPacked wants each order packed once, with a label of its own, and the books to agree.
func (r *rig) wantPacked(orders []string) {
	r.t.Helper()
	seen := map[string]bool{}
	for i, o := range orders {
		_, live, _ := r.standing(o)
		if len(live) != 1 || live[0].Box == nil || live[0].Label.Fate != shipping.Done || seen[live[0].Label.Tracking] {
			r.t.Errorf("order %d: %+v", i, live)
			continue
		}
		seen[live[0].Label.Tracking] = true
	}
	r.must(r.st.View(r.t.Context(), func(tx *store.Tx) error {
		packed, short := 0, 0
		waiting, err := tx.CustodyWaiting(0, 1000)
		placed, perr := tx.CustodyPage(0, 1000)
		if err != nil || perr != nil {
			r.t.Fatal(err, perr)
		}
		for _, e := range append(placed, waiting...) {
			packed += strings.Count(string(e.Leaf), string(custody.Packed))
			short += strings.Count(string(e.Leaf), string(custody.ShortPicked))
		}
		if packed < len(orders) || short < 1 {
			r.t.Errorf("the custody log tells %d packed and %d short", packed, short)
		}
		found, err := tx.LedgerCheck()
		if err != nil || len(found) > 0 {
			r.t.Errorf("ledger: %v %v", found, err)
		}
		bs, err := tx.Balances([]string{"MUG"})
		for _, b := range bs {
			if b.LocationID == "west" && b.OnHand != 89 {
				r.t.Errorf("%d are on hand at west, want 89: one was not there", b.OnHand)
			}
		}
		return err
	}))
}
