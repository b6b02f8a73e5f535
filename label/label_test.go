package label

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/boombuler/barcode/code128"
	"github.com/boombuler/barcode/qr"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/spillway/spillway/kit/errs"
)

var made = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func someone(name string) Address {
	return Address{Name: name, Company: "Acme & Söhne", Lines: []string{"12 High Street", "Flat 3"}, City: "New York", Region: "NY", Postal: "10001", Country: "US"}
}

func parcel() Shipping {
	return Shipping{From: someone("Warehouse 1"), To: someone("Zoë Müller"), Carrier: "USPS", Service: "Ground Advantage", Tracking: "9400111899223856929183",
		RoutePostal: "10001", Reference: "shop:576461413038785752", QR: "https://track.example.com/p/9400111899223856929183?lang=de_DE", Weight: "1 lb 4 oz"}
}

// paper is a printed page in dots, for who reads it back.
type paper struct{ *image.Gray }

func blank(w, h int) paper {
	p := paper{image.NewGray(image.Rect(0, 0, w, h))}
	draw.Draw(p, p.Bounds(), image.White, image.Point{}, draw.Src)
	return p
}

func (p paper) fill(x, y, w, h int) {
	draw.Draw(p, image.Rect(x, y, x+w, y+h), image.Black, image.Point{}, draw.Src)
}

// scanCode reads the Code 128 between two lines of a page.
func scanCode(t *testing.T, p paper, top, bottom int) string {
	t.Helper()
	cut := p.SubImage(image.Rect(0, top, p.Bounds().Dx(), bottom)).(*image.Gray)
	bmp, err := gozxing.NewBinaryBitmapFromImage(cut)
	if err != nil {
		t.Fatal(err)
	}
	got, err := oned.NewCode128Reader().Decode(bmp, map[gozxing.DecodeHintType]interface{}{gozxing.DecodeHintType_ASSUME_GS1: true, gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		t.Fatalf("the barcode cannot be read: %v", err)
	}
	return got.GetText()
}

// scanSquare reads the QR code in a part of a page.
func scanSquare(t *testing.T, p paper, in image.Rectangle) string {
	t.Helper()
	bmp, err := gozxing.NewBinaryBitmapFromImage(p.SubImage(in))
	if err != nil {
		t.Fatal(err)
	}
	got, err := qrcode.NewQRCodeReader().Decode(bmp, map[gozxing.DecodeHintType]interface{}{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		t.Fatalf("the QR code cannot be read: %v", err)
	}
	return got.GetText()
}

// gs1 is data as a scanner reports a GS1-128: each FNC1 but the first as a group separator.
func gs1(route, tracking string) string { return "]C1420" + route + "\x1d" + tracking }

var command = regexp.MustCompile(`\^([A-Z][A-Z0-9@])([^^]*)`)

// printed is what a printer makes of ZPL as far as barcodes go, and the texts of its fields.
type printed struct {
	pages []paper
	codes [][2]int // top and bottom of barcodes, of the first page
	qrs   []image.Rectangle
	texts []string
}

var hexByte = regexp.MustCompile(`_([0-9A-F]{2})`)

// unescape is what ^FH makes of a field.
func unescape(s string) string {
	return hexByte.ReplaceAllStringFunc(s, func(h string) string { n, _ := strconv.ParseUint(h[1:], 16, 8); return string([]byte{byte(n)}) })
}

// interpret prints ZPL: a small printer that knows the commands we use, and fails on any other.
func interpret(t *testing.T, zpl []byte, dpi int) (out printed) {
	t.Helper()
	var x, y, by, height, qrSize int
	kind, hex := "", false
	for _, m := range command.FindAllStringSubmatch(string(zpl), -1) {
		arg := strings.Split(strings.TrimRight(m[2], "\n"), ",")
		num := func(i int) int { n, _ := strconv.Atoi(arg[i]); return n }
		switch m[1] {
		case "XA":
			out.pages = append(out.pages, blank(4*dpi, 6*dpi))
		case "FO":
			x, y, kind, hex = num(0), num(1), "", false
		case "BY":
			by = num(0)
		case "BC":
			kind, height = "code", num(1)
		case "BQ":
			kind, qrSize = "qr", num(2)
		case "A0":
			kind = "text"
		case "FH":
			hex = true
		case "FD":
			if !hex {
				t.Errorf("a field is not escaped: %q", m[0])
			}
			field := unescape(m[2])
			p := out.pages[len(out.pages)-1]
			switch kind {
			case "code":
				out.codes = append(out.codes, [2]int{y, y + height})
				drawCode(t, p, x, y, by, height, field)
			case "qr":
				out.qrs = append(out.qrs, drawSquare(t, p, x, y, qrSize, strings.TrimPrefix(field, "MA,")))
			case "text":
				out.texts = append(out.texts, field)
			}
		case "GB":
			p := out.pages[len(out.pages)-1]
			p.fill(x, y, num(0), num(1))
		case "CI", "PW", "LL", "LH", "FS", "XZ", "GF":
		default:
			t.Errorf("a command that is not ours: %q", m[0])
		}
	}
	return out
}

// drawCode draws as the printer does: the subset that is named, >8 for FNC1, and no cleverer.
func drawCode(t *testing.T, p paper, x, y, module, height int, field string) {
	t.Helper()
	if len(field) < 2 || field[0] != '>' {
		t.Fatalf("a barcode without its subset: %q", field)
	}
	data := strings.ReplaceAll(field[2:], ">8", string(code128.FNC1))
	c, err := code128.Encode(data)
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Bounds().Dx() {
		if r, _, _, _ := c.At(i, 0).RGBA(); r == 0 {
			p.fill(x+i*module, y, module, height)
		}
	}
	right := x + modulesOf(data)*module
	if x < quietModules*module || p.Bounds().Dx()-right < quietModules*module {
		t.Errorf("bars from %d to %d of %d dots have no quiet zone of %d", x, right, p.Bounds().Dx(), quietModules*module)
	}
}

func drawSquare(t *testing.T, p paper, x, y, module int, data string) image.Rectangle {
	t.Helper()
	c, err := qr.Encode(data, qr.M, qr.Unicode)
	if err != nil {
		t.Fatal(err)
	}
	side := c.Bounds().Dx()
	for i := range side {
		for j := range side {
			if r, _, _, _ := c.At(i, j).RGBA(); r == 0 {
				p.fill(x+i*module, y+j*module, module, module)
			}
		}
	}
	in := image.Rect(x-4*module, y-4*module, x+(side+4)*module, y+(side+4)*module)
	if !in.In(p.Bounds()) {
		t.Errorf("the QR code at %v with its quiet zone is not on the page", in)
	}
	return in
}

var (
	stream    = regexp.MustCompile(`(?s)stream\r?\n(.*?)\r?\nendstream`)
	rectangle = regexp.MustCompile(`(?m)^(-?[\d.]+) (-?[\d.]+) (-?[\d.]+) (-?[\d.]+) re f$`)
)

// rasterise draws the filled rectangles of a PDF's pages: bars and rules are nothing else.
func rasterise(t *testing.T, pdf []byte, dpi float64) (pages []paper) {
	t.Helper()
	for _, m := range stream.FindAllSubmatch(pdf, -1) {
		r, err := zlib.NewReader(bytes.NewReader(m[1]))
		if err != nil {
			continue
		}
		content, err := io.ReadAll(r)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			continue
		}
		rects := rectangle.FindAllStringSubmatch(string(content), -1)
		if len(rects) == 0 {
			continue
		}
		p := blank(int(4*dpi), int(6*dpi))
		for _, a := range rects {
			var v [4]float64
			for i := range v {
				v[i], _ = strconv.ParseFloat(a[i+1], 64)
				v[i] *= dpi / 72
			}
			top := 6*dpi - v[1]
			x0, x1, y0, y1 := v[0], v[0]+v[2], top, top-v[3]
			if y1 < y0 {
				y0, y1 = y1, y0
			}
			p.fill(int(x0+0.5), int(y0+0.5), int(x1+0.5)-int(x0+0.5), int(y1+0.5)-int(y0+0.5))
		}
		pages = append(pages, p)
	}
	return pages
}

// onPage fails unless everything of a document is on its pages, quiet zones included.
func onPage(t *testing.T, d *Document) {
	t.Helper()
	for i, p := range d.pages {
		for _, x := range p.texts {
			if w := width(x.Text, x.Size, x.Bold); x.X < margin || x.X+w > pageWidth-margin+0.5 || x.Y < margin || x.Y+x.Size > pageHeight-margin+0.5 {
				t.Errorf("page %d: %q at %.0f, %.0f is %.0f wide and not on it", i+1, x.Text, x.X, x.Y, w)
			}
		}
		for _, b := range p.bars {
			if quiet := quietModules * b.Module; b.X < quiet || b.X+b.width()+quiet > pageWidth || b.Y+b.Height > pageHeight {
				t.Errorf("page %d: the bars of %q have no quiet zone", i+1, b.Data)
			}
			for _, x := range p.texts {
				if x.Y < b.Y+b.Height && x.Y+x.Size > b.Y {
					t.Errorf("page %d: %q lies in the barcode", i+1, x.Text)
				}
			}
		}
		for _, s := range p.squares {
			side, quiet := float64(len(s.pattern))*s.Module, 4*s.Module
			if s.X < quiet || s.X+side+quiet > pageWidth || s.Y < quiet || s.Y+side+quiet > pageHeight {
				t.Errorf("page %d: the QR code is not on it", i+1)
			}
		}
	}
}

func TestShippingLabelsAreReadBack(t *testing.T) {
	plainParcel := parcel()
	plainParcel.RoutePostal, plainParcel.Tracking, plainParcel.Carrier = "", "1Z999AA10123456784", "UPS"
	nine := parcel()
	nine.RoutePostal = "100011234"
	for _, c := range []struct {
		s    Shipping
		want string
	}{{parcel(), gs1("10001", "9400111899223856929183")}, {nine, gs1("100011234", "9400111899223856929183")}, {plainParcel, "1Z999AA10123456784"}} {
		d, err := NewShipping(c.s, Options{Logo: checks(60, 20)})
		if err != nil {
			t.Fatal(err)
		}
		onPage(t, d)
		for _, dpi := range []DPI{DPI203, DPI300} {
			zpl, err := d.ZPL(dpi)
			if err != nil {
				t.Fatal(err)
			}
			got := interpret(t, zpl, int(dpi))
			if len(got.pages) != 1 || len(got.codes) != 1 || len(got.qrs) != 1 {
				t.Fatalf("%d pages, %d barcodes, %d QR codes", len(got.pages), len(got.codes), len(got.qrs))
			}
			if read := scanCode(t, got.pages[0], got.codes[0][0], got.codes[0][1]); read != c.want {
				t.Errorf("ZPL at %d dpi reads %q, want %q", dpi, read, c.want)
			}
			if read := scanSquare(t, got.pages[0], got.qrs[0]); read != c.s.QR {
				t.Errorf("ZPL at %d dpi: the QR code reads %q", dpi, read)
			}
		}
		pdf, err := d.PDF(made)
		if err != nil {
			t.Fatal(err)
		}
		pages := rasterise(t, pdf, 203)
		if len(pages) != 1 {
			t.Fatalf("%d pages in the PDF", len(pages))
		}
		b, q := d.pages[0].bars[0], d.pages[0].squares[0]
		dot := 203 / 72.0
		if read := scanCode(t, pages[0], int(b.Y*dot)+1, int((b.Y+b.Height)*dot)-1); read != c.want {
			t.Errorf("the PDF reads %q, want %q", read, c.want)
		}
		side := float64(len(q.pattern)+4) * q.Module
		if read := scanSquare(t, pages[0], image.Rect(int((q.X-4*q.Module)*dot), int((q.Y-4*q.Module)*dot), int((q.X+side)*dot), int((q.Y+side)*dot))); read != c.s.QR {
			t.Errorf("the PDF's QR code reads %q", read)
		}
		if again, _ := d.PDF(made); !bytes.Equal(again, pdf) {
			t.Error("the same document gives another file")
		}
		if !bytes.Contains(pdf, []byte("/MediaBox [0 0 288.00 432.00]")) {
			t.Error("the page is not 4 × 6 inches")
		}
	}
}

func checks(w, h int) image.Image {
	g := image.NewGray(image.Rect(0, 0, w, h))
	for x := range w {
		for y := range h {
			g.SetGray(x, y, color.Gray{Y: uint8(255 * ((x/5 + y/5) % 2))})
		}
	}
	return g
}

// hostile texts, as buyers and channels may send them.
var hostile = []string{"^XZ^XA^FO0,0^GFA", "~DGR:X.GRF", "Jane\x00\x1b[2J\r\n^FS^FDBob", "_5EXZ", "\u202eevil\u2066", "山田太郎", "مرحبا بالعالم", "שלום", "👩\u200d👩\u200d👧", "\xff\xfe", strings.Repeat("W", 500),
	strings.Repeat("long title ", 50), "", " ", `\&^FB`, "(a) Tj ET Q endstream"}

func TestNoTextBreaksOutOrFallsOff(t *testing.T) {
	for _, h := range hostile {
		s := parcel()
		s.From, s.To, s.Carrier, s.Service, s.Reference, s.Weight = someone(h), someone(h), h, h, h, h
		s.To.Lines = []string{h, h, h, h, h}
		s.To.City, s.To.Country = h, h
		ship, err := NewShipping(s, Options{})
		if err != nil {
			t.Fatalf("%q: %v", h, err)
		}
		line := Line{Bin: h, SKU: h, Title: h, Qty: 3, Price: h}
		slip, err := NewSlip(Slip{OrderNumber: "A-1", To: someone(h), Lines: []Line{line, line}, Gift: h, Parcel: h}, Options{Prices: true, Thanks: h})
		if err != nil {
			t.Fatalf("%q: %v", h, err)
		}
		pick, err := NewPickList(PickList{Wave: "W-1", Note: h, Lines: []Line{line}}, Options{})
		if err != nil {
			t.Fatalf("%q: %v", h, err)
		}
		list, err := NewManifest(Manifest{Carrier: h, Node: h, When: h, Number: "M-1", Tracking: []string{h, h}}, Options{})
		if err != nil {
			t.Fatalf("%q: %v", h, err)
		}
		for name, d := range map[string]*Document{"label": ship, "slip": slip, "pick list": pick, "manifest": list} {
			onPage(t, d)
			zpl, err := d.ZPL(DPI203)
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(zpl, []byte("^XZ")); n != d.Pages() {
				t.Errorf("%s with %q: %d formats end on %d pages", name, h, n, d.Pages())
			}
			if bytes.ContainsAny(zpl, "~\x00\x1b\r") {
				t.Errorf("%s with %q: there is a command in it", name, h)
			}
			interpret(t, zpl, 203)
			if pdf, err := d.PDF(made); err != nil || bytes.Count(pdf, []byte("/Type /Page\n")) != d.Pages() {
				t.Errorf("%s with %q: the PDF has not %d pages (%v)", name, h, d.Pages(), err)
			}
		}
	}
}

func TestSlipsPickListsAndManifests(t *testing.T) {
	var lines []Line
	var tracking []string
	for i := range 60 {
		lines = append(lines, Line{Bin: fmt.Sprintf("A-%02d", i), SKU: fmt.Sprintf("SKU-%d", i), Title: strings.Repeat("A title that needs two lines ", i%4), Qty: int64(i), Price: "$1.00"})
		tracking = append(tracking, fmt.Sprintf("1Z%016d", i))
	}
	slip, err := NewSlip(Slip{OrderNumber: "576461413038785752", To: someone("Zoë"), Lines: lines, Gift: "Happy birthday!"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	pick, err := NewPickList(PickList{Wave: "W-20931", Lines: lines}, Options{Prices: true})
	if err != nil {
		t.Fatal(err)
	}
	list, err := NewManifest(Manifest{Carrier: "UPS", Node: "wh-1", When: "2026-11-22 17:00", Number: "M-77", Tracking: tracking}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for code, d := range map[string]*Document{"576461413038785752": slip, "W-20931": pick, "M-77": list} {
		onPage(t, d)
		zpl, err := d.ZPL(DPI203)
		if err != nil {
			t.Fatal(err)
		}
		got := interpret(t, zpl, 203)
		if len(got.pages) != d.Pages() || d.Pages() < 3 {
			t.Errorf("%s has %d pages, printed %d", code, d.Pages(), len(got.pages))
		}
		if read := scanCode(t, got.pages[0], got.codes[0][0], got.codes[0][1]); read != code {
			t.Errorf("reads %q, want %q", read, code)
		}
		all := strings.Join(got.texts, "\n")
		if !strings.Contains(all, fmt.Sprintf("Page %d of %d", d.Pages(), d.Pages())) || strings.Contains(all, "$1.00") {
			t.Errorf("%s: pages are not numbered, or prices are printed", code)
		}
		want := "SKU-59"
		if d == list {
			want = tracking[59]
		}
		if !strings.Contains(all, want) {
			t.Errorf("%s: %s is not in it", code, want)
		}
	}
}

func TestOptionsLeaveOut(t *testing.T) {
	d, err := NewShipping(parcel(), Options{NoQR: true, NoReference: true})
	if err != nil || len(d.pages[0].squares) != 0 {
		t.Errorf("%v, %v", d, err)
	}
	says := func(d *Document) (out string) {
		for _, x := range d.pages[0].texts {
			out += x.Text + "\n"
		}
		return out
	}
	if strings.Contains(says(d), "shop:") {
		t.Error("the reference is printed")
	}
	s := Slip{OrderNumber: "1", Lines: []Line{{SKU: "SKU-1", Title: "Mug", Qty: 1, Price: "$9.99"}}, Gift: "For you"}
	bare, err := NewSlip(s, Options{NoGift: true, NoSKU: true})
	if err != nil || strings.Contains(says(bare), "For you") || strings.Contains(says(bare), "SKU-1") || strings.Contains(says(bare), "9.99") {
		t.Errorf("%s %v", says(bare), err)
	}
	full, err := NewSlip(s, Options{Prices: true, Thanks: "Thank you"})
	if err != nil || !strings.Contains(says(full), "For you") || !strings.Contains(says(full), "$9.99") || !strings.Contains(says(full), "Thank you") {
		t.Errorf("%s %v", says(full), err)
	}
}

func TestWhatCannotBePrintedIsRefused(t *testing.T) {
	for name, change := range map[string]func(*Shipping){
		"no address":         func(s *Shipping) { s.To = Address{} },
		"no tracking":        func(s *Shipping) { s.Tracking = "" },
		"a short ZIP":        func(s *Shipping) { s.RoutePostal = "1000" },
		"letters in a route": func(s *Shipping) { s.Tracking = "1Z999" },
		"blanks in a code":   func(s *Shipping) { s.RoutePostal, s.Tracking = "", "1Z 999" },
		"an endless code":    func(s *Shipping) { s.RoutePostal, s.Tracking = "", strings.Repeat("A", 40) },
		"a subset switch":    func(s *Shipping) { s.RoutePostal, s.Tracking = "", ">;12" },
		"an endless QR":      func(s *Shipping) { s.QR = strings.Repeat("A", maxQR+1) },
	} {
		s := parcel()
		change(&s)
		if _, err := NewShipping(s, Options{}); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewSlip(Slip{OrderNumber: "1", Lines: make([]Line, 10_000)}, Options{}); !errs.Is(err, errs.Invalid) {
		t.Errorf("an endless slip: %v", err)
	}
	if _, err := NewSlip(Slip{OrderNumber: "1", Lines: []Line{{Qty: -1}}}, Options{}); !errs.Is(err, errs.Invalid) {
		t.Errorf("less than nothing: %v", err)
	}
	d, err := NewShipping(parcel(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.ZPL(100); !errs.Is(err, errs.Invalid) {
		t.Errorf("100 dpi: %v", err)
	}
	if _, err := NewShipping(parcel(), Options{Logo: image.NewGray(image.Rect(0, 0, maxLogo+1, 1))}); !errs.Is(err, errs.Invalid) {
		t.Errorf("a huge logo: %v", err)
	}
}

// FuzzEscape: whatever is written into a field, the printer reads the same text back and no command.
func FuzzEscape(f *testing.F) {
	for _, h := range hostile {
		f.Add(h)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out := Escape(in)
		if strings.ContainsAny(out, "^~\\") || strings.ContainsFunc(out, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Fatalf("%q has a command in it", out)
		}
		if back := unescape(out); back != plain(in) {
			t.Fatalf("%q reads back as %q", plain(in), back)
		}
	})
}
