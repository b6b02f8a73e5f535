package label

import (
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// face measures a font. Its tables are read once.
type face struct {
	mu     sync.Mutex
	font   *sfnt.Font
	buf    sfnt.Buffer
	widths map[rune]float64 // of letters a point high; 0: the font lacks it
}

func newFace(ttf []byte) *face {
	f, err := sfnt.Parse(ttf)
	if err != nil {
		panic("label: an embedded font cannot be read: " + err.Error())
	}
	return &face{font: f, widths: map[rune]float64{}}
}

var faces = sync.OnceValue(func() [2]*face { return [2]*face{newFace(goregular.TTF), newFace(gobold.TTF)} })

func faceOf(bold bool) *face {
	if bold {
		return faces()[1]
	}
	return faces()[0]
}

const (
	// fontUnits is the size at which letters are measured; maxKnown letters are remembered.
	fontUnits, maxKnown = 1000, 4096
	// missing stands for a letter that the font lacks.
	missing = '□'
)

// advance is the width of a letter a point high; 0: the font lacks it.
func (f *face) advance(r rune) float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if w, ok := f.widths[r]; ok {
		return w
	}
	w := 0.0
	if i, err := f.font.GlyphIndex(&f.buf, r); err == nil && i != 0 {
		if a, err := f.font.GlyphAdvance(&f.buf, i, fixed.I(fontUnits), font.HintingNone); err == nil {
			w = float64(a) / 64 / fontUnits
		}
	}
	if len(f.widths) < maxKnown {
		f.widths[r] = w
	}
	return w
}

// width of a line of text; what the font lacks is as wide as its box.
func width(s string, size float64, bold bool) float64 {
	f, sum := faceOf(bold), 0.0
	for _, r := range s {
		w := f.advance(r)
		if w == 0 {
			w = f.advance(missing)
		}
		sum += w
	}
	return sum * size
}

// boxed is the text with boxes for what the font lacks.
func boxed(s string, bold bool) string {
	f := faceOf(bold)
	return strings.Map(func(r rune) rune {
		if r > 0xffff || f.advance(r) == 0 { // a PDF's subset fonts have one plane
			return missing
		}
		return r
	}, s)
}

// fit shortens a text to a width.
func fit(s string, size, most float64, bold bool) string {
	if width(s, size, bold) <= most {
		return s
	}
	runes := []rune(s)
	for len(runes) > 0 && width(string(runes)+"…", size, bold) > most {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimRight(string(runes), " ") + "…"
}

// wrap breaks a text into lines, at most so many; the last one is shortened.
func wrap(s string, size, most float64, bold bool, lines int) (out []string) {
	words := strings.Fields(plain(s))
	for len(words) > 0 && len(out) < lines {
		line, n := words[0], 1
		for n < len(words) && width(line+" "+words[n], size, bold) <= most {
			line, n = line+" "+words[n], n+1
		}
		if width(line, size, bold) > most && len(out) < lines-1 { // a word longer than a line goes on in the next
			runes, k := []rune(line), len([]rune(line))
			for k > 1 && width(string(runes[:k]), size, bold) > most {
				k--
			}
			line, words[0], n = string(runes[:k]), string(runes[k:]), 0
		}
		words = words[n:]
		out = append(out, line)
	}
	if last := len(out) - 1; last >= 0 {
		if len(words) > 0 {
			out[last] += " …"
		}
		out[last] = fit(out[last], size, most, bold)
	}
	return out
}
