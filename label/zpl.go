package label

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"github.com/boombuler/barcode/code128"

	"github.com/spillway/spillway/kit/errs"
)

// DPI is how fine a label printer prints.
type DPI int

// The two kinds that are in use.
const (
	DPI203 DPI = 203
	DPI300 DPI = 300
)

// dots is a length in dots of the printer.
func (d DPI) dots(points float64) int { return int(math.Round(points * float64(d) / 72)) }

// Escape is text as a ZPL field holds it after ^FH: what could begin a command is written as its bytes, and nothing a printer would act on is
// left. See the fuzz test: no text can close its field.
func Escape(s string) string {
	var b strings.Builder
	for _, r := range plain(s) {
		switch r {
		case '^', '~', '_', '\\':
			fmt.Fprintf(&b, "_%02X", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// ZPL writes the document for a label printer: UTF-8, one format a page. Errors: Invalid (dpi).
func (d *Document) ZPL(dpi DPI) ([]byte, error) {
	if dpi != DPI203 && dpi != DPI300 {
		return nil, errs.New(errs.Invalid, "label.ZPL", "dpi", "label printers print 203 or 300 dots an inch")
	}
	var b bytes.Buffer
	for i := range d.pages {
		d.pages[i].zpl(&b, dpi)
	}
	return b.Bytes(), nil
}

func (p *page) zpl(b *bytes.Buffer, dpi DPI) {
	at := func(x, y float64) { fmt.Fprintf(b, "^FO%d,%d", dpi.dots(x), dpi.dots(y)) }
	fmt.Fprintf(b, "^XA^CI28^PW%d^LL%d^LH0,0\n", dpi*4, dpi*6)
	for _, g := range p.pictures {
		at(g.X, g.Y)
		bitmap(b, g, dpi)
	}
	for _, r := range p.rules {
		at(r.X, r.Y)
		thick := max(1, dpi.dots(r.Thick))
		fmt.Fprintf(b, "^GB%d,%d,%d^FS\n", dpi.dots(r.Width), thick, thick)
	}
	for _, t := range p.texts {
		at(t.X, t.Y)
		size := dpi.dots(t.Size)
		// The printer's own font is narrower than the one that lines were measured in.
		fmt.Fprintf(b, "^A0N,%d,%d^FH^FD%s^FS\n", size, size, Escape(t.Text))
	}
	for _, c := range p.bars {
		module := max(2, int(math.Floor(c.Module*float64(dpi)/72+0.01)))
		x := (int(dpi)*4 - module*modulesOf(c.Data)) / 2
		fmt.Fprintf(b, "^FO%d,%d^BY%d^BCN,%d,N,N,N^FH^FD%s^FS\n", x, dpi.dots(c.Y), module, dpi.dots(c.Height), code(c.Data))
	}
	for _, s := range p.squares {
		at(s.X, s.Y)
		fmt.Fprintf(b, "^BQN,2,%d^FH^FDMA,%s^FS\n", max(2, dpi.dots(s.Module)), Escape(s.Data))
	}
	b.WriteString("^XZ\n")
}

// code is the data of a Code 128 with the subset it is printed in: C for digits in pairs, else B. FNC1 is >8 in both.
func code(data string) string {
	start := ">:"
	if paired(data) {
		start = ">;"
	}
	parts := strings.Split(data, string(code128.FNC1))
	for i := range parts {
		parts[i] = Escape(parts[i])
	}
	return start + strings.Join(parts, ">8")
}

// paired reports whether every part of a code is digits in pairs.
func paired(data string) bool {
	for part := range strings.SplitSeq(data, string(code128.FNC1)) {
		if len(part)%2 != 0 || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return true
}

// modulesOf is how wide a printer draws a code: 11 modules a symbol, with start and check symbol, and 13 for the stop.
func modulesOf(data string) int {
	symbols := 0
	for i, part := range strings.Split(data, string(code128.FNC1)) {
		n := len(part)
		if paired(data) {
			n /= 2
		}
		symbols += n + min(i, 1)
	}
	return 11*(symbols+2) + 13
}

// bitmap writes a picture in black and white, scaled to its place.
func bitmap(b *bytes.Buffer, g picture, dpi DPI) {
	w, h := dpi.dots(g.Width), dpi.dots(g.Height)
	row := (w + 7) / 8
	fmt.Fprintf(b, "^GFA,%d,%d,%d,", row*h, row*h, row)
	from := g.Image.Bounds()
	for y := range h {
		line := make([]byte, row)
		for x := range w {
			if dark(g.Image.At(from.Min.X+x*from.Dx()/w, from.Min.Y+y*from.Dy()/h).RGBA()) {
				line[x/8] |= 0x80 >> (x % 8)
			}
		}
		fmt.Fprintf(b, "%X", line)
	}
	b.WriteString("^FS\n")
}

// dark tells black from white; what can be seen through is white.
func dark(r, g, b, a uint32) bool { return a > 0x7fff && (299*r+587*g+114*b)/1000+(0xffff-a) < 0x7fff }
