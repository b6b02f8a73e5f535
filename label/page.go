package label

import (
	"image"
	"strings"
	"unicode"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/code128"
	"github.com/boombuler/barcode/qr"

	"github.com/spillway/spillway/kit/errs"
)

// A page is 4 × 6 inches.
const (
	pageWidth, pageHeight = 288.0, 432.0 // points
	margin                = 12.0
	inner                 = pageWidth - 2*margin
	// quietModules is the white that a scanner needs on both sides of a barcode.
	quietModules = 10
	// maxPages bounds a document: a slip of a thousand lines.
	maxPages = 100
	// maxCode and maxQR bound what is put into a barcode and a QR code.
	maxCode, maxQR = 48, 300
	// maxText is what is read of a text; a line of a label holds less.
	maxText = 2000
)

// text is one line of text; Y is its top.
type text struct {
	X, Y, Size float64
	Bold       bool
	Text       string
}

// bars is a Code 128. Data is what a scanner reads, with FNC1 before each part of a GS1-128.
type bars struct {
	X, Y, Height float64
	Module       float64 // width of the narrowest bar
	Data         string
	GS1          bool
	pattern      []bool
}

// width is that of the bars alone.
func (b *bars) width() float64 { return float64(len(b.pattern)) * b.Module }

type square struct {
	X, Y, Module float64
	Data         string
	pattern      [][]bool
}

type rule struct{ X, Y, Width, Thick float64 }

type picture struct {
	X, Y, Width, Height float64
	Image               image.Image
}

type page struct {
	texts    []text
	bars     []bars
	squares  []square
	rules    []rule
	pictures []picture
}

// Document is pages, ready to be written as ZPL or PDF.
type Document struct{ pages []page }

// Pages is how many there are.
func (d *Document) Pages() int { return len(d.pages) }

// module is the width of the narrowest bar: 3 dots at 203 dpi, 4 at 300, about a third of a millimetre. minModule is for long codes.
const module, minModule = 3 * 72.0 / 203, 2 * 72.0 / 203

// newBars makes a Code 128 in the middle of the page, as wide as there is room for. Errors: Invalid (too long, letters that no scanner types).
func newBars(data string, gs1 bool, y, height float64) (bars, error) {
	plain := strings.ReplaceAll(data, string(code128.FNC1), "")
	if plain == "" || len(plain) > maxCode || strings.IndexFunc(plain, func(r rune) bool { return r <= ' ' || r > '~' || r == '>' }) >= 0 {
		return bars{}, errs.New(errs.Invalid, "label.Barcode", "", "a barcode holds 1 to %d letters, digits and signs without blanks", maxCode)
	}
	code, err := code128.Encode(data)
	if err != nil {
		return bars{}, errs.New(errs.Invalid, "label.Barcode", "", "cannot be put into a barcode")
	}
	b := bars{Y: y, Height: height, Module: module, Data: data, GS1: gs1, pattern: columnsOf(code)}
	// A printer given the whole in one subset needs more room than we do.
	most := float64(max(len(b.pattern), modulesOf(data)) + 2*quietModules)
	if most*b.Module > pageWidth {
		b.Module = minModule
	}
	if most*b.Module > pageWidth {
		return bars{}, errs.New(errs.Invalid, "label.Barcode", "", "is too long for a label of 4 inches")
	}
	b.X = (pageWidth - b.width()) / 2
	return b, nil
}

func columnsOf(code barcode.Barcode) (out []bool) {
	for x := range code.Bounds().Dx() {
		r, _, _, _ := code.At(x, 0).RGBA()
		out = append(out, r == 0)
	}
	return out
}

func newSquare(data string, x, y float64) (square, error) {
	if data == "" || len(data) > maxQR {
		return square{}, errs.New(errs.Invalid, "label.QR", "", "a QR code holds 1 to %d bytes", maxQR)
	}
	code, err := qr.Encode(data, qr.M, qr.Unicode)
	if err != nil {
		return square{}, errs.New(errs.Invalid, "label.QR", "", "cannot be put into a QR code")
	}
	s := square{X: x, Y: y, Module: minModule, Data: data}
	for row := range code.Bounds().Dy() {
		var line []bool
		for col := range code.Bounds().Dx() {
			r, _, _, _ := code.At(col, row).RGBA()
			line = append(line, r == 0)
		}
		s.pattern = append(s.pattern, line)
	}
	return s, nil
}

// plain is a text as it can be printed: control characters, and those that change the direction of what follows, are blanks; it is cut where
// nothing could be read any more.
func plain(s string) string {
	n := 0
	s = strings.Map(func(r rune) rune {
		if n++; n > maxText {
			return -1
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar || unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return strings.Join(strings.Fields(s), " ")
}

// writer lays lines out from the top of a page down, and begins a new page when one is full.
type writer struct {
	doc  Document
	y    float64
	foot float64             // kept free at the bottom
	head func(*writer) error // drawn at the top of every further page
}

func (w *writer) page() *page { return &w.doc.pages[len(w.doc.pages)-1] }

func (w *writer) newPage() error {
	if len(w.doc.pages) == maxPages {
		return errs.New(errs.Invalid, "label.Document", "", "has more than %d pages", maxPages)
	}
	w.doc.pages = append(w.doc.pages, page{})
	w.y = margin
	if len(w.doc.pages) > 1 && w.head != nil {
		return w.head(w)
	}
	return nil
}

// room begins a new page unless so much is left on this one.
func (w *writer) room(height float64) error {
	if w.y+height <= pageHeight-margin-w.foot {
		return nil
	}
	return w.newPage()
}

// at puts a line of text at a place, shortened to a width.
func (w *writer) at(x, y, size, width float64, bold bool, s string) {
	if s = fit(plain(s), size, width, bold); s != "" {
		p := w.page()
		p.texts = append(p.texts, text{x, y, size, bold, s})
	}
}

// line puts a line of text below what is there.
func (w *writer) line(size float64, bold bool, s string) {
	if plain(s) == "" {
		return
	}
	w.at(margin, w.y, size, inner, bold, s)
	w.y += size * leading
}

// leading is the height of a line in its letters' size.
const leading = 1.25

func (w *writer) rule(thick float64) {
	p := w.page()
	p.rules = append(p.rules, rule{margin, w.y + 2, inner, thick})
	w.y += thick + 6
}

// barcode puts a Code 128 below what is there, with what it says under it.
func (w *writer) barcode(data string, gs1 bool, height float64, says string) error {
	b, err := newBars(data, gs1, w.y, height)
	if err != nil {
		return err
	}
	if err := w.room(height + 18); err != nil {
		return err
	}
	b.Y = w.y
	p := w.page()
	p.bars = append(p.bars, b)
	w.y += height + 3
	w.at(b.X, w.y, 9, pageWidth-b.X-margin, false, says)
	w.y += 9 * leading
	return nil
}
