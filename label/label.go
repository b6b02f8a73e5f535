package label

import (
	"fmt"
	"image"
	"strings"

	"github.com/boombuler/barcode/code128"

	"github.com/spillway/spillway/kit/errs"
)

// Address is where a parcel comes from or goes to, as it is to be printed.
type Address struct {
	Name, Company        string
	Lines                []string
	City, Region, Postal string
	Country              string
}

// Options are what a shop chooses. The zero value prints everything but prices.
type Options struct {
	Logo        image.Image // at the top left; nil: none
	NoReference bool        // no order number on shipping labels
	NoQR        bool
	NoGift      bool // gift messages are left off packing slips
	Prices      bool // printed on packing slips
	NoSKU       bool // lines of packing slips go without item numbers
	Thanks      string
}

// Shipping is a label of our own, where neither the marketplace nor the carrier issues one.
type Shipping struct {
	From, To         Address
	Carrier, Service string
	Tracking         string
	// RoutePostal makes the barcode a GS1-128 of 420, these 5 or 9 digits and the tracking number, as USPS scans it; empty: the tracking
	// number alone.
	RoutePostal string
	Reference   string // our order number
	QR          string // such as a link to the tracking page; empty: none
	Weight      string // with its unit; empty: not printed
}

// Line is an item of a slip or a pick list.
type Line struct {
	Bin, SKU, Title string
	Qty             int64
	Price           string // with its currency
}

// Slip is what lies in the parcel.
type Slip struct {
	OrderNumber string
	To          Address
	Lines       []Line
	Gift        string
	Parcel      string // such as "1 of 2"; empty: not printed
}

// PickList is a walk through the bins.
type PickList struct {
	Wave  string
	Note  string
	Lines []Line
}

// Manifest is what was handed to a carrier.
type Manifest struct {
	Carrier, Node, When string
	Number              string // as a barcode
	Tracking            []string
}

// maxLogo bounds a logo in each direction, in pixels.
const maxLogo = 4000

// sizes of what is printed, in points.
const (
	logoWidth, logoHeight = 90.0, 36.0
	barHeight             = 72.0
	small, normal, large  = 8.0, 10.0, 14.0
)

func begin(o Options) (*writer, error) {
	w := &writer{}
	if err := w.newPage(); err != nil {
		return nil, err
	}
	if o.Logo == nil {
		return w, nil
	}
	size := o.Logo.Bounds().Size()
	if size.X < 1 || size.Y < 1 || size.X > maxLogo || size.Y > maxLogo {
		return nil, errs.New(errs.Invalid, "label.Logo", "logo", "is empty or larger than %d pixels", maxLogo)
	}
	scale := min(logoWidth/float64(size.X), logoHeight/float64(size.Y))
	p := w.page()
	p.pictures = append(p.pictures, picture{margin, margin, float64(size.X) * scale, float64(size.Y) * scale, o.Logo})
	w.y += logoHeight + 4
	return w, nil
}

func (w *writer) address(a Address, size float64) {
	w.line(size, true, a.Name)
	w.line(size, false, a.Company)
	for _, l := range a.Lines[:min(len(a.Lines), 3)] {
		w.line(size, false, l)
	}
	w.line(size, false, strings.Join([]string{a.City, a.Region, a.Postal}, " "))
	w.line(size, false, a.Country)
}

// NewShipping lays out a shipping label. Errors: Invalid (no address, a tracking number that no barcode holds).
func NewShipping(s Shipping, o Options) (*Document, error) {
	const op = "label.NewShipping"
	if plain(s.To.Name+s.To.Company) == "" || len(s.To.Lines) == 0 || s.Tracking == "" {
		return nil, errs.New(errs.Invalid, op, "", "a shipping label needs a name, an address and a tracking number")
	}
	data, says := s.Tracking, "TRACKING # "+s.Tracking
	if s.RoutePostal != "" {
		if n := len(s.RoutePostal); (n != 5 && n != 9) || strings.Trim(s.RoutePostal+s.Tracking, "0123456789") != "" {
			return nil, errs.New(errs.Invalid, op, "tracking", "a routed barcode holds a ZIP of 5 or 9 digits and a tracking number of digits")
		}
		data, says = string(code128.FNC1)+"420"+s.RoutePostal+string(code128.FNC1)+s.Tracking, "USPS TRACKING # "+grouped(s.Tracking)
	}
	w, err := begin(o)
	if err != nil {
		return nil, err
	}
	w.address(s.From, small)
	w.rule(1)
	w.line(large, true, strings.TrimSpace(s.Carrier+"  "+s.Service))
	w.line(small, false, s.Weight)
	w.rule(2)
	w.line(small, false, "SHIP TO")
	w.address(s.To, 12)
	w.rule(2)
	if err := w.barcode(data, s.RoutePostal != "", barHeight, says); err != nil {
		return nil, err
	}
	w.rule(1)
	bottom := w.y
	if !o.NoReference {
		w.at(margin, w.y, normal, inner/2, false, s.Reference)
	}
	if s.QR != "" && !o.NoQR {
		q, err := newSquare(s.QR, 0, 0)
		if err != nil {
			return nil, err
		}
		side := float64(len(q.pattern)) * q.Module
		q.X, q.Y = pageWidth-margin-4*q.Module-side, bottom+4*q.Module
		if q.Y+side+4*q.Module > pageHeight {
			return nil, errs.New(errs.Invalid, op, "qr", "is too long for the room that is left on the label")
		}
		p := w.page()
		p.squares = append(p.squares, q)
	}
	if len(w.doc.pages) != 1 {
		return nil, errs.New(errs.Invalid, op, "", "does not fit on a label")
	}
	return &w.doc, nil
}

// grouped writes digits in fours, as people read them.
func grouped(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// NewSlip lays out a packing slip, on several pages where it is long. Errors: Invalid.
func NewSlip(s Slip, o Options) (*Document, error) {
	w, err := begin(o)
	if err != nil {
		return nil, err
	}
	w.foot = small * 2
	w.head = func(w *writer) error { w.line(normal, true, "Order "+s.OrderNumber); w.rule(1); return nil }
	w.line(large, true, "Packing slip")
	if err := w.barcode(s.OrderNumber, false, 36, s.OrderNumber); err != nil {
		return nil, err
	}
	if s.Parcel != "" {
		w.line(normal, false, "Parcel "+s.Parcel)
	}
	w.address(s.To, normal)
	w.rule(1)
	if err := w.lines(s.Lines, o); err != nil {
		return nil, err
	}
	if s.Gift != "" && !o.NoGift {
		if err := w.room(3 * normal * leading); err != nil {
			return nil, err
		}
		w.rule(1)
		if err := w.paragraph(s.Gift, normal, 12); err != nil {
			return nil, err
		}
	}
	if o.Thanks != "" {
		if err := w.paragraph(o.Thanks, small, 3); err != nil {
			return nil, err
		}
	}
	return w.numbered(), nil
}

// paragraph writes a text on as many lines as it takes, at most so many.
func (w *writer) paragraph(s string, size float64, most int) error {
	for _, l := range wrap(s, size, inner, false, most) {
		if err := w.room(size * leading); err != nil {
			return err
		}
		w.line(size, false, l)
	}
	return nil
}

// qtyWidth is the room for a number of pieces at the left of a line, priceWidth that for a price at the right.
const qtyWidth, priceWidth = 40.0, 60.0

// lines writes items with their numbers; titles have two lines at most.
func (w *writer) lines(all []Line, o Options) error {
	for _, l := range all {
		if l.Qty < 0 {
			return errs.New(errs.Invalid, "label.Lines", l.SKU, "a line has less than nothing on it")
		}
		width := inner - qtyWidth
		if o.Prices {
			width -= priceWidth
		}
		title := wrap(l.Title, normal, width, false, 2)
		sub := strings.TrimSpace(l.Bin + "  " + l.SKU)
		if o.NoSKU {
			sub = strings.TrimSpace(l.Bin)
		}
		height := float64(max(1, len(title)))*normal*leading + small*leading + 4
		if err := w.room(height); err != nil {
			return err
		}
		w.at(margin, w.y, normal, qtyWidth-4, true, fmt.Sprintf("%d ×", l.Qty))
		if o.Prices {
			w.at(pageWidth-margin-priceWidth+4, w.y, normal, priceWidth-4, false, l.Price)
		}
		for _, t := range title {
			w.at(margin+qtyWidth, w.y, normal, width, false, t)
			w.y += normal * leading
		}
		w.at(margin+qtyWidth, w.y, small, width, true, sub)
		w.y += small*leading + 4
	}
	return nil
}

// numbered writes the numbers of pages at their feet where there are several.
func (w *writer) numbered() *Document {
	if n := len(w.doc.pages); n > 1 {
		for i := range w.doc.pages {
			p := &w.doc.pages[i]
			p.texts = append(p.texts, text{margin, pageHeight - margin - small, small, false, fmt.Sprintf("Page %d of %d", i+1, n)})
		}
	}
	return &w.doc
}

// NewPickList lays out the sheet of a wave. Errors: Invalid.
func NewPickList(s PickList, o Options) (*Document, error) {
	w, err := begin(o)
	if err != nil {
		return nil, err
	}
	w.foot = small * 2
	w.head = func(w *writer) error { w.line(normal, true, "Wave "+s.Wave); w.rule(1); return nil }
	w.line(large, true, "Pick list")
	if err := w.barcode(s.Wave, false, 36, s.Wave); err != nil {
		return nil, err
	}
	w.line(normal, false, s.Note)
	w.rule(1)
	o.NoSKU, o.Prices = false, false
	if err := w.lines(s.Lines, o); err != nil {
		return nil, err
	}
	return w.numbered(), nil
}

// NewManifest lays out the sheet that a driver signs. Errors: Invalid.
func NewManifest(s Manifest, o Options) (*Document, error) {
	w, err := begin(o)
	if err != nil {
		return nil, err
	}
	w.foot = small * 2
	w.head = func(w *writer) error { w.line(normal, true, "Manifest "+s.Number); w.rule(1); return nil }
	w.line(large, true, "Hand-over "+s.Carrier)
	if err := w.barcode(s.Number, false, 36, s.Number); err != nil {
		return nil, err
	}
	w.line(normal, false, s.Node)
	w.line(normal, false, s.When)
	w.line(normal, true, fmt.Sprintf("%d parcels", len(s.Tracking)))
	w.rule(1)
	for i, t := range s.Tracking {
		if err := w.room(normal * leading); err != nil {
			return nil, err
		}
		w.line(normal, false, fmt.Sprintf("%d.  %s", i+1, t))
	}
	if err := w.room(60); err != nil {
		return nil, err
	}
	w.y += 36
	w.rule(0.5)
	w.line(small, false, "Received by the carrier: name, signature, time")
	return w.numbered(), nil
}
