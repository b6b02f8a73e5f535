package label

import (
	"bytes"
	"fmt"
	"image/png"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"

	"github.com/spillway/spillway/kit/errs"
)

// PDF writes the document with pages of 4 × 6 inches, to be printed at 100 %. made is the time the file says it was made at: the same document
// and time give the same bytes.
func (d *Document) PDF(made time.Time) ([]byte, error) {
	f := fpdf.NewCustom(&fpdf.InitType{UnitStr: "pt", Size: fpdf.SizeType{Wd: pageWidth, Ht: pageHeight}})
	f.SetMargins(0, 0, 0)
	f.SetAutoPageBreak(false, 0)
	f.SetCreationDate(made.UTC())
	f.SetModificationDate(made.UTC())
	f.SetCatalogSort(true)
	f.AddUTF8FontFromBytes("go", "", goregular.TTF)
	f.AddUTF8FontFromBytes("go", "B", gobold.TTF)
	for i := range d.pages {
		f.AddPage()
		d.pages[i].pdf(f, i)
	}
	var b bytes.Buffer
	if err := f.Output(&b); err != nil {
		return nil, errs.Wrap("label.PDF", "", err)
	}
	return b.Bytes(), nil
}

func (p *page) pdf(f *fpdf.Fpdf, number int) {
	for i, g := range p.pictures {
		var b bytes.Buffer
		if err := png.Encode(&b, g.Image); err != nil {
			f.SetError(err)
			return
		}
		name, o := fmt.Sprintf("%d/%d", number, i), fpdf.ImageOptions{ImageType: "PNG"}
		f.RegisterImageOptionsReader(name, o, &b)
		f.ImageOptions(name, g.X, g.Y, g.Width, g.Height, false, o, 0, "")
	}
	f.SetFillColor(0, 0, 0)
	for _, r := range p.rules {
		f.Rect(r.X, r.Y, r.Width, r.Thick, "F")
	}
	for _, t := range p.texts {
		style := ""
		if t.Bold {
			style = "B"
		}
		f.SetFont("go", style, t.Size)
		f.Text(t.X, t.Y+t.Size*0.8, boxed(t.Text, t.Bold)) // a line of text stands on its lower fifth
	}
	for _, c := range p.bars {
		for _, run := range runs(c.pattern) {
			f.Rect(c.X+float64(run[0])*c.Module, c.Y, float64(run[1])*c.Module, c.Height, "F")
		}
	}
	for _, s := range p.squares {
		for row, line := range s.pattern {
			for _, run := range runs(line) {
				f.Rect(s.X+float64(run[0])*s.Module, s.Y+float64(row)*s.Module, float64(run[1])*s.Module, s.Module, "F")
			}
		}
	}
}

// runs are the black stretches of a line: where each begins and how long it is.
func runs(line []bool) (out [][2]int) {
	for i := 0; i < len(line); i++ {
		from := i
		for i < len(line) && line[i] {
			i++
		}
		if i > from {
			out = append(out, [2]int{from, i - from})
		}
	}
	return out
}
