package web

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/spillway/spillway/ops/view"
)

const (
	cartonWidth   = 320  // of the drawing, in its own units: at 360 px of screen one is about a pixel
	cartonMargin  = 8    // around the carton
	cartonLabel   = 14   // height of a number
	maxCartonDraw = 1000 // units drawn; no packing has more
)

// cartonSVG draws a packed carton seen from its front, right and above, every unit with the number of its step. Colours are the page's own
// properties with currentColor to fall back on, so it follows the theme; what it shows is also said in its title and description.
func cartonSVG(c view.Carton) string {
	d := newCartonDrawing(c)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="carton" viewBox="0 0 %d %s" width="100%%" role="img" aria-label="%s">`+"\n", cartonWidth, coord(d.height), plainText(cartonTitle(c)))
	fmt.Fprintf(&b, "<desc>%s</desc>\n", plainText(strings.Join(cartonSteps(c), " ")))
	d.walls(&b)
	for _, i := range d.order {
		d.unit(&b, i)
	}
	d.rim(&b)
	for _, i := range d.order {
		d.label(&b, i)
	}
	b.WriteString("</svg>")
	return b.String()
}

// plainText escapes text for an attribute or an element, without the control characters that XML has no way to write.
func plainText(s string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == 0xFFFE || r == 0xFFFF {
			return ' '
		}
		return r
	}, s))
}

func cartonTitle(c view.Carton) string {
	shown := cartonShown(c)
	t := fmt.Sprintf("Carton %s, %d × %d × %d mm inside, with %d of %d units in it", c.Name, c.L, c.W, c.H, shown, len(c.Units))
	if c.Step > 0 && shown > 0 {
		t += "; now: " + c.Units[shown-1].Name
	}
	return t
}

// cartonShown is how many units are in the picture.
func cartonShown(c view.Carton) int {
	n := min(len(c.Units), maxCartonDraw)
	if c.Step > 0 {
		n = min(n, c.Step)
	}
	return n
}

// cartonSteps says in words what to put in and where, a sentence a unit, for those who do not see the picture and beside it for those who do.
func cartonSteps(c view.Carton) []string {
	out := make([]string, 0, cartonShown(c))
	for i, u := range c.Units[:cartonShown(c)] {
		on := "on the bottom"
		if u.Z > 0 {
			on = fmt.Sprintf("%d mm up", u.Z)
		}
		out = append(out, fmt.Sprintf("%d. %s: %d mm from left to right, %d to the back, %d high; %s %s, %s.",
			i+1, u.Name, u.L, u.W, u.H, side(u.Y, c.W-u.Y-u.W, "front", "middle", "back"), side(u.X, c.L-u.X-u.L, "left", "centre", "right"), on))
	}
	return out
}

// side says which wall is nearer.
func side(toLow, toHigh int, low, mid, high string) string {
	switch {
	case toLow < toHigh:
		return low
	case toLow > toHigh:
		return high
	}
	return mid
}

// point is on the drawing.
type point struct{ x, y float64 }

type cartonDrawing struct {
	c      view.Carton
	units  []view.CartonUnit
	scale  float64
	top    float64 // of the carton before scaling, to move it into view
	height float64
	order  []int // units from the back to the front
}

func newCartonDrawing(c view.Carton) *cartonDrawing {
	d := &cartonDrawing{c: c, units: c.Units[:cartonShown(c)]}
	l, w, h := float64(max(c.L, 1)), float64(max(c.W, 1)), float64(max(c.H, 1))
	d.scale = (cartonWidth - 2*cartonMargin) / ((l + w) * math.Sqrt(3) / 2)
	// A tall carton would be many screens high, so it is no higher than half as much again as it is wide.
	d.scale = min(d.scale, 1.5*cartonWidth/((l+w)/2+h))
	d.top = w/2 + h
	d.height = math.Ceil(((l+w)/2+h)*d.scale) + 2*cartonMargin
	d.order = backToFront(d.units)
	return d
}

// at is where a place in the carton is on the drawing.
func (d *cartonDrawing) at(x, y, z int) point {
	fx, fy, fz := float64(x), float64(y), float64(z)
	left := (cartonWidth - float64(d.c.L+d.c.W)*math.Sqrt(3)/2*d.scale) / 2
	return point{left + (fx+fy)*math.Sqrt(3)/2*d.scale, cartonMargin + ((fx-fy)/2-fz+d.top)*d.scale}
}

// backToFront orders units so that none is drawn before one that it hides. Boxes that do not overlap in space hide each other
// only one way, and if a circle of three or more does, the first in it is drawn first.
func backToFront(us []view.CartonUnit) []int {
	behind := func(a, b view.CartonUnit) bool { return a.Y >= b.Y+b.W || a.X+a.L <= b.X || a.Z+a.H <= b.Z }
	waits := make([]int, len(us)) // for how many that must come first
	for i := range us {
		for j := range us {
			if i != j && behind(us[j], us[i]) && !behind(us[i], us[j]) {
				waits[i]++
			}
		}
	}
	order := make([]int, 0, len(us))
	drawn := make([]bool, len(us))
	for range us {
		next := -1
		for i := range us {
			if !drawn[i] && (next < 0 || waits[i] < waits[next]) {
				next = i
			}
		}
		drawn[next] = true
		order = append(order, next)
		for i := range us {
			if i != next && behind(us[next], us[i]) && !behind(us[i], us[next]) {
				waits[i]--
			}
		}
	}
	return order
}

// faces are the three sides of a unit one sees: top, front, right.
func (d *cartonDrawing) faces(u view.CartonUnit) [3][]point {
	x0, y0, z0, x1, y1, z1 := u.X, u.Y, u.Z, u.X+u.L, u.Y+u.W, u.Z+u.H
	return [3][]point{
		{d.at(x0, y0, z1), d.at(x1, y0, z1), d.at(x1, y1, z1), d.at(x0, y1, z1)},
		{d.at(x0, y0, z0), d.at(x1, y0, z0), d.at(x1, y0, z1), d.at(x0, y0, z1)},
		{d.at(x1, y0, z0), d.at(x1, y1, z0), d.at(x1, y1, z1), d.at(x1, y0, z1)},
	}
}

// coord writes a length with at most one decimal.
func coord(f float64) string { return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) }

func polygon(b *strings.Builder, ps []point, attrs string) {
	b.WriteString(`<polygon points="`)
	for i, p := range ps {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(coord(p.x) + "," + coord(p.y))
	}
	b.WriteString(`" ` + attrs + "/>\n")
}

// walls draws the bottom and the two sides that lie behind.
func (d *cartonDrawing) walls(b *strings.Builder) {
	l, w, h := d.c.L, d.c.W, d.c.H
	const look = `class="wall" fill="currentColor" fill-opacity=".05" stroke="currentColor" stroke-opacity=".5"`
	polygon(b, []point{d.at(0, 0, 0), d.at(l, 0, 0), d.at(l, w, 0), d.at(0, w, 0)}, look)
	polygon(b, []point{d.at(0, w, 0), d.at(l, w, 0), d.at(l, w, h), d.at(0, w, h)}, look)
	polygon(b, []point{d.at(0, 0, 0), d.at(0, w, 0), d.at(0, w, h), d.at(0, 0, h)}, look)
}

// rim draws the edges before the units, dashed, so that one sees the room that is left.
func (d *cartonDrawing) rim(b *strings.Builder) {
	l, w, h := d.c.L, d.c.W, d.c.H
	const look = `class="rim" fill="none" stroke="currentColor" stroke-opacity=".5" stroke-dasharray="3 3"`
	polygon(b, []point{d.at(0, 0, 0), d.at(l, 0, 0), d.at(l, 0, h), d.at(0, 0, h)}, look)
	polygon(b, []point{d.at(l, 0, 0), d.at(l, w, 0), d.at(l, w, h), d.at(l, 0, h)}, look)
}

// unit draws one unit: its sides in the shade of its item, front and right darker, and the one just put in with a strong edge.
func (d *cartonDrawing) unit(b *strings.Builder, i int) {
	u := d.units[i]
	class, edge := "unit", `stroke="var(--paper, Canvas)" stroke-width="1"`
	if d.isNew(i) {
		class, edge = "unit now", `stroke="var(--accent, currentColor)" stroke-width="3"`
	}
	shade := tint(u.Item)
	fmt.Fprintf(b, `<g class="%s %s" stroke-linejoin="round">`+"\n", class, shade)
	for n, face := range d.faces(u) {
		polygon(b, face, fmt.Sprintf(`fill="var(--%s, Canvas)" %s`, shade, edge))
		if n > 0 {
			polygon(b, face, fmt.Sprintf(`fill="currentColor" fill-opacity="%s"`, [3]string{"", ".1", ".22"}[n]))
		}
	}
	b.WriteString("</g>\n")
}

func (d *cartonDrawing) isNew(i int) bool { return d.c.Step > 0 && i == len(d.units)-1 }

// label writes the number of the step on the largest side that has a spot for it, the middle if it can be.
func (d *cartonDrawing) label(b *strings.Builder, i int) {
	number := strconv.Itoa(i + 1)
	var best point
	var room float64
	for _, face := range d.faces(d.units[i]) {
		if r := inside(face, len(number)); r > room {
			if spot, ok := d.spot(i, face); ok {
				best, room = spot, r
			}
		}
	}
	if room == 0 {
		return
	}
	weight := ""
	if d.isNew(i) {
		weight = ` font-weight="700"`
	}
	fmt.Fprintf(b, `<text x="%s" y="%s" font-size="%d" text-anchor="middle" dominant-baseline="central" fill="var(--ink, currentColor)"`+
		` stroke="var(--paper, Canvas)" stroke-width="3" paint-order="stroke"%s>%s</text>`+"\n", coord(best.x), coord(best.y), cartonLabel, weight, number)
}

// inside is the area of a side, 0 if a number of so many digits does not fit on it.
func inside(face []point, digits int) float64 {
	a := point{face[1].x - face[0].x, face[1].y - face[0].y}
	b := point{face[3].x - face[0].x, face[3].y - face[0].y}
	area := math.Abs(a.x*b.y - a.y*b.x)
	need := float64(max(cartonLabel, digits*cartonLabel*3/5)) - 3
	if area < need*max(math.Hypot(a.x, a.y), math.Hypot(b.x, b.y)) || math.Abs(a.x)+math.Abs(b.x) < float64(digits)*cartonLabel/2 {
		return 0
	}
	return area
}

// spot finds a place on a side that no unit drawn later covers or comes close to.
func (d *cartonDrawing) spot(i int, f []point) (point, bool) {
	const reach = cartonLabel / 2
	for _, s := range [5]float64{.5, .3, .7, .15, .85} {
		for _, t := range [5]float64{.5, .3, .7, .15, .85} {
			p := point{f[0].x + s*(f[1].x-f[0].x) + t*(f[3].x-f[0].x), f[0].y + s*(f[1].y-f[0].y) + t*(f[3].y-f[0].y)}
			if !d.hidden(i, p, point{p.x - reach, p.y}, point{p.x + reach, p.y}, point{p.x, p.y - reach}, point{p.x, p.y + reach}) {
				return p, true
			}
		}
	}
	return point{}, false
}

// hidden reports whether a unit drawn after i covers one of the points.
func (d *cartonDrawing) hidden(i int, ps ...point) bool {
	after := d.order[slices.Index(d.order, i)+1:]
	return slices.ContainsFunc(after, func(j int) bool {
		for _, f := range d.faces(d.units[j]) {
			if slices.ContainsFunc(ps, func(p point) bool { return covers(f, p) }) {
				return true
			}
		}
		return false
	})
}

// covers reports whether p lies in a parallelogram.
func covers(f []point, p point) bool {
	a := point{f[1].x - f[0].x, f[1].y - f[0].y}
	b := point{f[3].x - f[0].x, f[3].y - f[0].y}
	v := point{p.x - f[0].x, p.y - f[0].y}
	det := a.x*b.y - a.y*b.x
	if det == 0 {
		return false
	}
	s, t := (v.x*b.y-v.y*b.x)/det, (a.x*v.y-a.y*v.x)/det
	return s > 0 && s < 1 && t > 0 && t < 1
}
