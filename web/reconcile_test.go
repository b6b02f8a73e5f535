package web_test

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/web"
	"github.com/spillway/spillway/web/storybook"
)

// upload sends files as a browser's form does; pairs are a file's name and its content, header a request header and its value.
func (v *visitor) upload(shop string, files []string, header ...string) (*http.Response, string) {
	v.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i+1 < len(files); i += 2 {
		p, err := w.CreateFormFile("files", files[i])
		if err == nil {
			_, err = io.WriteString(p, files[i+1])
		}
		if err != nil {
			v.t.Fatal(err)
		}
	}
	if err := w.WriteField("shop", shop); err != nil { // after the files: the order is the browser's
		v.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		v.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(v.t.Context(), "POST", v.url+"/health/reconcile", &body)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := v.http.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return res, string(b)
}

func TestTheChannelsOwnFigures(t *testing.T) {
	v, _ := demo(t)
	n := v.get("/health")
	n.Says(t, "#g-ldr .age", "the channel’s own for 15 Nov: 1.9 %")
	n.Says(t, "#g-ldr .age a.differs", "4 orders differ")
	if got := n.One(t, "#g-ldr .age a.differs").Attr["href"]; got != "/health/reconcile/explained?rate=0" {
		t.Errorf("the differences are at %q", got)
	}
	n.One(t, ".also a[href='/health/reconcile?shop=clip-north']")

	n = v.get("/health/ldr?shop=clip-north")
	n.Says(t, "#their-2026-11-15", "9 Nov to 15 Nov")
	n.Says(t, "#their-2026-11-15", "2 a time differs; 1 the deadline differs; 1 not known here")
	n.Says(t, "#ra-their b.watch", "1 unexplained")
	v.get("/health/vtr?shop=clip-north").One(t, "#ra-their .empty a[href='/health/reconcile?shop=clip-north']")

	n = v.get("/health/reconcile?shop=clip-north")
	n.Says(t, "#rc-now", "Late dispatch")
	n.Says(t, "#rc-now", "never imported")
	for id, want := range map[string]string{"rec-reading": "being read", "rec-refused": "refused: nothing was taken", "rec-stopped": "stopped before it was done", "rec-explained": "6 orders differ, 1 of them unexplained"} {
		n.Says(t, "#"+id, want)
	}
	n = v.get("/health/reconcile/explained")
	n.Says(t, "#rate-0", "Late dispatch")
	if rows := n.All("table.differ tbody tr"); len(rows) != 7 {
		t.Errorf("%d orders differ, want 7", len(rows))
	}
	n.Says(t, "table.differ", "99 min earlier there")
	if got := len(n.All("table.differ a.row-link")); got != 6 {
		t.Errorf("%d orders have a page, want all that are known", got)
	}
	n.Says(t, "table.wrong", "17order5.76461E+17was stored as a number and lost digits")
	n.Says(t, "#rd-body", "Columns that were not read: Buyer, Appeal status.")
	if got := len(v.get("/health/reconcile/explained?rate=1").All("table.differ tbody tr")); got != 2 {
		t.Errorf("%d orders of one rate, want 2", got)
	}
	if got := len(v.get("/health/reconcile/explained?cause=time").All("table.differ tbody tr")); got != 2 {
		t.Errorf("%d orders of one cause, want 2", got)
	}
	v.get("/health/reconcile/explained?rate=1&cause=time").Says(t, "#rd-body .empty", "No order differs here.")
	v.get("/health/reconcile/reading").Says(t, "#rd-head .notice", "84,000 rows read, 12,000 of our orders looked at")
	n = v.get("/health/reconcile/refused")
	n.Says(t, "h1.state.bad", "Nothing was taken of these files.")
	n.Says(t, "table.wrong", "lost digits")
	v.get("/health/reconcile/stopped").Says(t, "#rd-head .notice.watch", "Send the files again")
	for path, want := range map[string]int{"/health/reconcile/none": 404, "/health/reconcile?shop=none": 404, "/health/reconcile/explained?rate=x": 422, "/health/reconcile/explained?rate=-7": 422} {
		if res, _ := v.send("GET", path, nil); res.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, res.StatusCode, want)
		}
	}
	n = v.get("/health/reconcile?shop=cart-north")
	n.Says(t, "main", "Nothing can be compared for this shop.")
	if len(n.All("form.upload")) > 0 {
		t.Error("a shop without rules takes files")
	}
	serve(t, storybook.Empty(screenTime), web.Options{DemoUser: demoUser}).get("/health/reconcile").Says(t, "main .empty", "No shop is connected.")
}

func TestFilesAreTakenIn(t *testing.T) {
	v, _ := demo(t)
	res, _ := v.upload("clip-north", []string{"week.csv", "a,b\n1,2\n"})
	to := res.Header.Get("Location")
	if res.StatusCode != 303 || !strings.HasPrefix(to, "/health/reconcile/") {
		t.Fatalf("%d to %q", res.StatusCode, to)
	}
	n := v.get(to)
	n.Says(t, ".toast", "1 rate compared, no order differs.")
	n.Says(t, "h1.state.good", "1 rate compared, no order differs.")
	undo := n.One(t, ".toast input[name=undo]").Attr["value"]
	res, _ = v.upload("clip-north", []string{"again.csv", "a,b\n1,2\n"})
	if got := res.Header.Get("Location"); got != to {
		t.Errorf("the same again leads to %q, not %q", got, to)
	}
	n = v.get(to)
	n.Says(t, ".toast", "compared before")
	if len(n.All(".toast input[name=undo]")) > 0 {
		t.Error("what was not done is offered to be undone")
	}
	v.post("/undo", 303, "undo", undo)
	if res, _ := v.send("GET", to, nil); res.StatusCode != 404 {
		t.Errorf("after the undo: %d", res.StatusCode)
	}

	res, _ = v.upload("clip-north", []string{"spoilt.csv", "x"})
	n = v.get(res.Header.Get("Location"))
	n.Says(t, "h1.state.bad", "Nothing was taken of these files.")
	n.Says(t, "table.wrong", "2valuea lotis no share")
	if len(n.All(".toast")) > 0 {
		t.Error("a refused file is announced as done")
	}
	// A script is told where to go, and reads refusals as pieces of a page.
	res, _ = v.upload("clip-north", []string{"next.csv", "y"}, "HX-Request", "true")
	if got := res.Header.Get("HX-Redirect"); res.StatusCode != 200 || !strings.HasPrefix(got, "/health/reconcile/") {
		t.Errorf("%d, to %q", res.StatusCode, got)
	}
	res, body := v.upload("clip-north", nil, "HX-Request", "true")
	if res.StatusCode != 422 || !strings.Contains(body, "Choose a file first") || strings.Contains(body, "<html") {
		t.Errorf("no file: %d %.200s", res.StatusCode, body)
	}
	if res, body := v.upload("clip-north", []string{"big.csv", strings.Repeat("x", view.MaxUpload+128<<10)}); res.StatusCode != 422 || !strings.Contains(body, "larger than") {
		t.Errorf("too large: %d %.300s", res.StatusCode, body)
	}
	if res, _ := v.upload("clip-north", []string{"a.csv", "z"}, "Sec-Fetch-Site", "cross-site"); res.StatusCode != 403 {
		t.Errorf("from another site: %d", res.StatusCode)
	}
	if res, _ := v.send("POST", "/health/reconcile", map[string][]string{"shop": {"clip-north"}}); res.StatusCode != 422 {
		t.Errorf("no files form: %d", res.StatusCode)
	}
	stranger := serve(t, storybook.New(screenTime), web.Options{})
	if res, _ := stranger.upload("clip-north", []string{"a.csv", "z"}); res.StatusCode != 401 {
		t.Errorf("a stranger: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
}

func TestAComparisonIsTakenBack(t *testing.T) {
	v, _ := demo(t)
	_, n := v.post("/health/reconcile/explained/remove", 200, "shop", "clip-north")
	n.Says(t, ".preview h2", "goes, with what it says of orders")
	v.get("/health/reconcile/explained")
	res, _ := v.post("/health/reconcile/explained/remove", 303, confirm(n.One(t, ".preview form").All("input"))...)
	if got := res.Header.Get("Location"); got != "/health/reconcile?shop=clip-north" {
		t.Errorf("it leads to %q", got)
	}
	if res, _ := v.send("GET", "/health/reconcile/explained", nil); res.StatusCode != 404 {
		t.Errorf("taken back: %d", res.StatusCode)
	}
}

func TestPointsTheChannelTook(t *testing.T) {
	v, _ := demo(t)
	n := v.get("/health")
	n.Says(t, "#ded-taken-1", "8 late parcels claimed by buyers")
	id := n.One(t, "#deduction-form input[name=id]").Attr["value"]
	if id == n.One(t, "#account-form input[name=id]").Attr["value"] {
		t.Error("two forms share an id")
	}
	form := []string{"id", id, "shop", "clip-north", "points", "12", "day", "2026-11-20", "reason", "late dispatch"}
	_, n = v.post("/health/deductions", 200, form...)
	n.Says(t, ".preview h2", "12 points taken on 2026-11-20")
	n.Says(t, ".preview table", "173 to 187")
	v.post("/health/deductions", 303, confirm(n.One(t, ".preview form").All("input"))...)
	v.post("/health/deductions", 303, append(form, "step", "do")...) // the back button
	n = v.get("/health")
	if got := len(n.All("#he-account tbody tr")); got != 2 {
		t.Errorf("%d deductions, want 2", got)
	}
	_, n = v.post("/health/deductions/taken-1/remove", 200, "shop", "clip-north")
	n.Says(t, ".preview h2", "do not count any more")
	v.post("/health/deductions/taken-1/remove", 303, confirm(n.One(t, ".preview form").All("input"))...)
	n = v.get("/health")
	if got := len(n.All("#he-account tbody tr")); got != 1 {
		t.Errorf("%d deductions, want 1", got)
	}
	v.post("/undo", 303, "undo", n.One(t, ".toast input[name=undo]").Attr["value"])
	v.get("/health").One(t, "#ded-taken-1")
	for _, bad := range [][]string{{"points", "0"}, {"points", "-3"}, {"points", "x"}, {"points", "1001"}, {"day", "soon"}, {"day", "2026-12-24"}, {"reason", ""}} {
		f := map[string][]string{"id": {"bad"}, "shop": {"clip-north"}, "points": {"5"}, "day": {"2026-11-20"}, "reason": {"x"}}
		f[bad[0]] = bad[1:]
		if res, body := v.send("POST", "/health/deductions", f, "HX-Request", "true"); res.StatusCode != 422 {
			t.Errorf("%v: %d, want 422: %.200s", bad, res.StatusCode, body)
		}
	}
}

// choose puts a file into the field for files, as the window of the operating system would.
func (s *stage) choose(t *testing.T, selector, name, content string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	s.do(t, func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		doc, err := chromedp.Call(ctx, dom.GetDocument, dom.GetDocumentParams{})
		if err != nil {
			return chromedp.Void{}, err
		}
		at, err := chromedp.Call(ctx, dom.QuerySelector, dom.QuerySelectorParams{NodeID: doc.Root.NodeID, Selector: selector})
		if err != nil {
			return chromedp.Void{}, err
		}
		_, err = chromedp.Call(ctx, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{path}, NodeID: at.NodeID})
		return chromedp.Void{}, err
	})
}

// reconcileTask compares an export by keyboard, follows a difference to its order, and takes the comparison back.
func reconcileTask(t *testing.T, s *stage) {
	s.do(t, chromedp.Navigate(s.url+"/health/reconcile?shop=clip-north"))
	s.arrive(t, "/health/reconcile?shop=clip-north")
	s.tab(t, ".drop input[type=file]")
	s.choose(t, ".drop input[type=file]", "week.csv", "metric,value\nldr,4 %\n")
	s.tab(t, "form.upload button.main")
	s.keys(t, kb.Enter)
	s.reads(t, "h1", "1 rate compared, no order differs.")
	s.tab(t, ".toast form button")
	s.keys(t, kb.Enter)
	s.reads(t, ".toast", "taken back")

	s.do(t, chromedp.Navigate(s.url+"/health/reconcile/explained"))
	s.arrive(t, "/health/reconcile/explained")
	s.keys(t, "j", "j", "j", kb.Enter) // past the two rates
	s.reads(t, "h1", "Order 577180003000")
}

// deductionTask enters points the channel took and takes them back.
func deductionTask(t *testing.T, s *stage) {
	s.keys(t, "g", "h")
	s.arrive(t, "/health")
	ask(t, s, chromedp.Evaluate[any]("document.querySelector('#account-form > summary').focus(); null"))
	s.tab(t, "#deduction-form > summary")
	s.keys(t, kb.Enter)
	s.tab(t, "#deduction-form [name=points]")
	s.do(t, chromedp.KeyEvent("12"))
	s.tab(t, "#deduction-form [name=reason]")
	s.do(t, chromedp.KeyEvent("late dispatch"))
	s.keys(t, kb.Enter)
	s.reads(t, "#deduction-preview h2", "12 points taken on")
	s.tab(t, "#deduction-preview .preview button.main")
	s.keys(t, kb.Enter)
	s.reads(t, ".toast", "are taken down")
	s.tab(t, ".toast form button")
	s.keys(t, kb.Enter)
	s.reads(t, ".toast", "Taken back.")
}

// TestALongFileIsFoundAgain drops a file, follows it being read, and sees the result come by itself.
func TestALongFileIsFoundAgain(t *testing.T) {
	book := storybook.New(screenTime)
	s := open(t, book, screenTime)
	s.look(t, 1440, "light")
	s.do(t, chromedp.Navigate(s.url+"/health/reconcile?shop=clip-north"))
	s.arrive(t, "/health/reconcile?shop=clip-north")
	ask(t, s, chromedp.Evaluate[any](`(() => { const d = new DataTransfer(); d.items.add(new File(["x"], "long.csv"));
		document.querySelector(".drop").dispatchEvent(new DragEvent("drop", {dataTransfer: d, bubbles: true, cancelable: true})); return null })()`))
	s.until(t, "document.querySelector('.drop input').files[0]?.name === 'long.csv'")
	ask(t, s, chromedp.Evaluate[any]("document.querySelector('form.upload').requestSubmit(); null"))
	s.reads(t, "h1", "The files are being read.")
	s.reads(t, "#rd-head", "2,000 rows read")
	s.until(t, "document.querySelector('#wire')?.dataset.state === 'live'")
	id := ask(t, s, chromedp.Evaluate[string]("window.sameDocument = true; location.pathname.split('/').pop()"))
	if err := book.ReadOn(id); err != nil {
		t.Fatal(err)
	}
	s.until(t, "window.sameDocument && document.querySelector('h1').innerText.includes('no order differs')")
	s.reads(t, "#rd-body", "Theirs beside ours")

	s.do(t, chromedp.Navigate(s.url+"/health/reconcile?shop=clip-north"))
	s.arrive(t, "/health/reconcile?shop=clip-north")
	s.reads(t, "#rc-list", "long.csv")
	s.choose(t, ".drop input[type=file]", "spoilt.csv", "x,y\n")
	ask(t, s, chromedp.Evaluate[any]("document.querySelector('form.upload').requestSubmit(); null"))
	s.reads(t, "h1", "Nothing was taken of these files.")
	s.reads(t, "table.wrong", "is no share")
}
