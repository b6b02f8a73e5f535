package web_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/boombuler/barcode/code128"
	"github.com/chromedp/chromedp"

	"github.com/spillway/spillway/web"
	"github.com/spillway/spillway/web/storybook"
)

// filmOf is what a camera sees of a label: a Code 128 on grey paper, as an uncompressed film of a few frames.
func filmOf(t *testing.T, text string) string {
	t.Helper()
	code, err := code128.Encode(text)
	if err != nil {
		t.Fatal(err)
	}
	const w, h, module = 640, 480, 3
	luma := bytes.Repeat([]byte{200}, w*h)
	left := (w - module*code.Bounds().Dx()) / 2
	for y := h / 4; y < 3*h/4; y++ {
		for x := range module * code.Bounds().Dx() {
			if r, _, _, _ := code.At(x/module, 0).RGBA(); r < 0x8000 {
				luma[y*w+left+x] = 30
			}
		}
	}
	var film bytes.Buffer
	fmt.Fprintf(&film, "YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420jpeg\n", w, h)
	for range 5 {
		film.WriteString("FRAME\n")
		film.Write(luma)
		film.Write(bytes.Repeat([]byte{128}, w*h/2))
	}
	at := filepath.Join(t.TempDir(), "label.y4m")
	if err := os.WriteFile(at, film.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return at
}

// TestAPhoneWithoutAReaderScansWithItsCamera: a browser that reads no barcodes by itself, as on iPhones, fetches ours once the camera is opened, at the width
// of a phone, and what it reads goes the way of every scan. Before that nothing of it is fetched.
func TestAPhoneWithoutAReaderScansWithItsCamera(t *testing.T) {
	s := openAs(t, storybook.New(screenTime), web.Options{Now: screenTime, DemoUser: demoUser}, chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-file-for-fake-video-capture", filmOf(t, "MUG-01")))
	s.look(t, 360, "light")
	const station = "/floor/pack?node=berlin&station=check"
	s.do(t, chromedp.Navigate(s.url+station))
	s.arrive(t, station)
	ask(t, s, chromedp.Evaluate[bool]("delete window.BarcodeDetector; window.refused = []; document.addEventListener('securitypolicyviolation', (e) => refused.push(e.violatedDirective)); true"))
	const fetched = "performance.getEntriesByType('resource').filter((r) => /zxing|camera/.test(r.name)).length"
	if n := ask(t, s, chromedp.Evaluate[int](fetched)); n != 0 {
		t.Errorf("%d files of the reader are fetched before the camera is opened", n)
	}
	s.do(t, chromedp.Click("[data-camera]"))
	s.until(t, "document.getElementById('said').textContent === 'Counted.'")
	if n := ask(t, s, chromedp.Evaluate[int](fetched)); n != 3 {
		t.Errorf("%d files of the reader were fetched, want the camera, the reader and its code", n)
	}
	if wide := ask(t, s, chromedp.Evaluate[bool]("document.documentElement.scrollWidth > innerWidth")); wide {
		t.Error("the picture is wider than the phone")
	}
	s.do(t, chromedp.Click("[data-camera]"))
	s.until(t, "document.getElementById('eye').hidden && !document.getElementById('eye').srcObject")
	if refused := ask(t, s, chromedp.Evaluate[string]("refused.join()")); refused != "" {
		t.Errorf("the content policy refused %s", refused)
	}
}
