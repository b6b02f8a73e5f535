package ops

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

var stanceWords = []view.Option{{ID: string(catalog.AnyWay), Label: "any side may be down"}, {ID: string(catalog.ThisWayUp), Label: "this way up"},
	{ID: string(catalog.NeverEnd), Label: "never on its end"}}

// ItemHandling is what an item is like and where it lies. Errors: NotFound.
func (d *Desk) ItemHandling(ctx context.Context, item string) (view.ItemHandling, error) {
	h, err := d.x.HandlingOf(ctx, item)
	if err != nil {
		return view.ItemHandling{}, err
	}
	cat := d.x.catalog.Load()
	p := h.Physical
	v := view.ItemHandling{ItemID: h.Item.ID, SKU: h.Item.SKU, Title: h.Item.Title, Bundle: h.Item.Bundle(), Stances: stanceWords, Nodes: nodeOptions(cat), Text: cat.physicalText(p.Physical),
		Form: view.HandlingForm{ItemID: item, Grams: some(p.Grams), Length: some(p.LengthMM), Width: some(p.WidthMM), Height: some(p.HeightMM), Stance: string(p.Stance),
			Fragile: p.Fragile, Alone: p.Alone, Origin: p.Origin, HSCode: p.HSCode, Bins: binsText(h.Bins), Equals: cat.skusText(p.Equals), Version: p.Version}}
	for _, n := range p.Needs {
		v.Form.Needs = append(v.Form.Needs, string(n))
	}
	for _, a := range network.Abilities {
		v.Able = append(v.Able, view.Option{ID: string(a), Label: abilityWords[a]})
	}
	v.Billed = billInputs(h.Bills)
	if p.Version > 0 {
		v.Said = saidText(p.Actor, p.At.Format("2 January 2006"))
	}
	for _, b := range h.Bins {
		v.Bins = append(v.Bins, view.BinRow{Node: cat.locationName(b.Node), Code: b.Code, Walk: b.Walk, First: b.Primary})
	}
	return v, nil
}

func saidText(actor, day string) string { return "Said by " + actor + " on " + day + "." }

// nodeOptions are the places orders leave from.
func nodeOptions(cat *catalogue) (out []view.Option) {
	for _, l := range cat.locations {
		if len(kindsOf[l.Kind]) > 0 {
			out = append(out, view.Option{ID: l.ID, Label: cmp.Or(l.Name, l.ID)})
		}
	}
	return out
}

// physicalText says what is said of an item in short pieces.
func (c *catalogue) physicalText(p catalog.Physical) (out []string) {
	if p.Grams > 0 {
		out = append(out, weightText(p.Grams))
	}
	if p.Sized() {
		out = append(out, sidesText(catalog.Sides{LengthMM: p.LengthMM, WidthMM: p.WidthMM, HeightMM: p.HeightMM}))
	}
	switch p.Stance {
	case catalog.ThisWayUp:
		out = append(out, "this way up")
	case catalog.NeverEnd:
		out = append(out, "never on its end")
	}
	if p.Fragile {
		out = append(out, "nothing on top")
	}
	if p.Alone {
		out = append(out, "every unit a parcel of its own")
	}
	for _, n := range p.Needs {
		out = append(out, "needs a node for "+abilityWords[n]+" goods")
	}
	if p.Origin != "" {
		out = append(out, "made in "+p.Origin)
	}
	if p.HSCode != "" {
		out = append(out, "tariff code "+p.HSCode)
	}
	if len(p.Equals) > 0 {
		out = append(out, "where there is none, send "+strings.ReplaceAll(c.skusText(p.Equals), "\n", ", or "))
	}
	return out
}

// skusText is the SKUs of items, a line each.
func (c *catalogue) skusText(items []string) string {
	out := make([]string, len(items))
	for i, id := range items {
		out[i] = cmp.Or(c.items[id].SKU, id)
	}
	return strings.Join(out, "\n")
}

// itemsCalled are the items of SKUs. Errors: the sentence names the SKU that is none.
func (c *catalogue) itemsCalled(skus []string) (out []string, err error) {
	for _, sku := range skus {
		id, ok := c.bySKU[sku]
		if !ok {
			return nil, errs.New(errs.NotFound, "ops.Items", shortText(sku), "equals: there is no item “%s”", shortText(sku))
		}
		out = append(out, id)
	}
	return out, nil
}

func sidesText(s catalog.Sides) string {
	return fmt.Sprintf("%s × %s × %s mm", number(s.LengthMM), number(s.WidthMM), number(s.HeightMM))
}

// binsText writes bins a line each: node, bin, its place in the walking order, “first”.
func binsText(bins []catalog.Bin) string {
	var out []string
	for _, b := range bins {
		line := b.Node + " " + b.Code
		if b.Walk > 0 {
			line += " " + strconv.FormatInt(b.Walk, 10)
		}
		if b.Primary {
			line += " first"
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// readBins takes binsText back.
func readBins(item, text string, cat *catalogue) (out []catalog.Bin, err error) {
	for _, l := range lines(text) {
		f := strings.Fields(l)
		b := catalog.Bin{ItemID: item}
		if n := len(f); n > 2 && strings.EqualFold(f[n-1], "first") {
			b.Primary, f = true, f[:n-1]
		}
		if n := len(f); n == 3 {
			if b.Walk, err = strconv.ParseInt(f[2], 10, 64); err != nil {
				return nil, fmt.Errorf("“%s”: “%s” is no place in the walking order; write node, bin, a number, and “first” where to look first", l, f[2])
			}
			f = f[:2]
		}
		if len(f) != 2 {
			return nil, fmt.Errorf("“%s”: write node, bin, a number, and “first” where to look first", l)
		}
		if b.Node, b.Code = f[0], f[1]; !slices.ContainsFunc(nodeOptions(cat), func(o view.Option) bool { return o.ID == b.Node }) {
			return nil, fmt.Errorf("“%s”: there is no node %s", l, b.Node)
		}
		out = append(out, b)
	}
	if err := catalog.CheckBins(out); err != nil {
		return nil, fmt.Errorf("%s", errs.Safe(err))
	}
	return out, nil
}

// fieldReader reads what was typed and gathers what is wrong with it by field.
type fieldReader struct{ wrong []view.FieldError }

func (r *fieldReader) bad(field, label, format string, args ...any) {
	r.wrong = append(r.wrong, view.FieldError{Field: field, Label: label, Text: capital(fmt.Sprintf(format, args...))})
}

func (r *fieldReader) whole(field, label, text string) int64 {
	text = strings.ReplaceAll(strings.TrimSpace(text), ",", "")
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		r.bad(field, label, "“%s” is no whole number.", shortText(text))
	}
	return n
}

// check adds what a thing's own check says beside the field it names.
func (r *fieldReader) check(err error, fields map[string][2]string) {
	if err == nil || len(r.wrong) > 0 {
		return
	}
	name, text, _ := strings.Cut(errs.Safe(err), ": ")
	f, ok := fields[name]
	if !ok {
		f, text = fields[""], errs.Safe(err)
	}
	r.bad(f[0], f[1], "%s.", strings.TrimSuffix(text, "."))
}

// The fields of the forms by the names the checks use.
var (
	physicalFields = map[string][2]string{"": {"grams", "Weight"}, "grams": {"grams", "Weight"}, "length_mm": {"length", "Length"}, "width_mm": {"width", "Width"},
		"height_mm": {"height", "Height"}, "stance": {"stance", "Which way up"}, "origin": {"origin", "Made in"}, "hs_code": {"hscode", "Tariff code"}, "needs": {"needs", "Needs"}, "equals": {"equals", "Equal items"}}
	cartonFields = map[string][2]string{"": {"name", "Carton"}, "id": {"id", "Id"}, "name": {"name", "Name"}, "node": {"node", "Node"}, "inner": {"innerl", "Inside"},
		"outer": {"outerl", "Outside"}, "grams": {"grams", "Weight, empty"}, "max_grams": {"maxgrams", "At most, in all"}, "padding_mm": {"padding", "Padding"},
		"cost": {"cost", "Cost"}, "active": {"active", "In use"}}
)

func (r *fieldReader) physical(f view.HandlingForm, cat *catalogue) catalog.Physical {
	p := catalog.Physical{Grams: r.whole("grams", "Weight", f.Grams), LengthMM: r.whole("length", "Length", f.Length), WidthMM: r.whole("width", "Width", f.Width),
		HeightMM: r.whole("height", "Height", f.Height), Stance: catalog.Stance(f.Stance), Fragile: f.Fragile, Alone: f.Alone,
		Origin: strings.ToUpper(f.Origin), HSCode: plainCode(f.HSCode)}
	for _, n := range f.Needs {
		p.Needs = append(p.Needs, network.Ability(n))
	}
	var err error
	if p.Equals, err = cat.itemsCalled(lines(f.Equals)); err != nil {
		r.check(err, physicalFields)
	}
	p = p.Tidy()
	r.check(p.Check(), physicalFields)
	r.check(checkEquals(store.Physical{ItemID: f.ItemID, Physical: p}, cat.find), physicalFields)
	return p
}

// handlingDraft reads a draft and what is said now.
func (d *Desk) handlingDraft(ctx context.Context, a view.HandlingDraft) (was Handling, p catalog.Physical, bins []catalog.Bin, wrong []view.FieldError, err error) {
	if was, err = d.x.HandlingOf(ctx, a.ItemID); err != nil {
		return was, p, nil, nil, err
	}
	var r fieldReader
	cat := d.x.catalog.Load()
	p = r.physical(a.HandlingForm, cat)
	bins, bad := readBins(a.ItemID, a.Bins, cat)
	if bad != nil {
		r.bad("bins", "Bins", "%s.", bad.Error())
	}
	return was, p, bins, r.wrong, nil
}

// PreviewHandling works out what a draft changes. Errors: NotFound.
func (d *Desk) PreviewHandling(ctx context.Context, a view.HandlingDraft) (view.FormPreview, error) {
	was, p, bins, wrong, err := d.handlingDraft(ctx, a)
	v := view.FormPreview{Wrong: wrong}
	if err != nil || len(wrong) > 0 {
		return v, err
	}
	switch {
	case was.Item.Bundle():
		v.Refused = was.Item.SKU + " is a bundle: its parts are packed. Say it of them."
		return v, nil
	case was.Physical.Version != a.Version:
		v.Refused = was.Physical.Actor + " has changed this item since this form was opened. Open it again and make the change there."
		return v, nil
	}
	cat := d.x.catalog.Load()
	from, to := strings.Join(cat.physicalText(was.Physical.Physical), ", "), strings.Join(cat.physicalText(p), ", ")
	if from != to {
		v.Changes = append(v.Changes, view.Change{What: "One unit", From: cmp.Or(from, "nothing is said"), To: cmp.Or(to, "nothing is said")})
	}
	if from, to = binsText(was.Bins), binsText(bins); from != to {
		flat := func(s string) string { return cmp.Or(strings.ReplaceAll(s, "\n", "; "), "nowhere") }
		v.Changes = append(v.Changes, view.Change{What: "Lies at", From: flat(from), To: flat(to)})
	}
	if len(v.Changes) == 0 {
		v.Refused = "Nothing is different from what is said already."
		return v, nil
	}
	if !p.Known() {
		v.Warnings = append(v.Warnings, "Without its weight and all three sides no carton is proposed for parcels with it.")
	}
	v.Sentence = plural(len(v.Changes), "thing", "things") + " of " + was.Item.SKU + " " + map[bool]string{true: "changes", false: "change"}[len(v.Changes) == 1] + "; routes and cartons take it from the next order on."
	v.Undo = "Enter what was said before to go back."
	return v, nil
}

// SaveHandling says what a draft says. Errors: Invalid, NotFound, Conflict (somebody else did since the form was opened).
func (d *Desk) SaveHandling(ctx context.Context, a view.HandlingDraft) (view.Done, error) {
	was, p, bins, wrong, err := d.handlingDraft(ctx, a)
	if err != nil {
		return view.Done{}, err
	}
	if len(wrong) > 0 {
		return view.Done{}, errs.New(errs.Invalid, "ops.SaveHandling", a.ItemID, "%s: %s", wrong[0].Label, wrong[0].Text)
	}
	s := Said{Physicals: []store.Physical{{ItemID: a.ItemID, Version: a.Version, Physical: p}}, Bins: map[string]BinsSaid{}}
	for _, list := range [][]catalog.Bin{was.Bins, bins} {
		for _, b := range list {
			s.Bins[b.Node] = BinsSaid{Items: []string{a.ItemID}}
		}
	}
	for _, b := range bins {
		at := s.Bins[b.Node]
		at.Bins = append(at.Bins, b)
		s.Bins[b.Node] = at
	}
	if err := d.x.SayHandling(ctx, s, a.Actor); err != nil {
		return view.Done{}, err
	}
	return view.Done{Sentence: "What " + was.Item.SKU + " is like is saved."}, nil
}

// ImportTable and ExportTable are those of Ops.
func (d *Desk) ImportTable(ctx context.Context, kind string, data []byte, actor string) (view.TableImport, error) {
	return d.x.ImportTable(ctx, kind, data, actor)
}

// ExportTable writes a table as CSV.
func (d *Desk) ExportTable(ctx context.Context, kind string, w io.Writer) error {
	return d.x.ExportTable(ctx, kind, w)
}

// Cartons lists the cartons there are.
func (d *Desk) Cartons(ctx context.Context) (view.Cartons, error) {
	all, err := d.x.AllCartons(ctx)
	cat := d.x.catalog.Load()
	var v view.Cartons
	slices.SortStableFunc(all, func(a, b store.Carton) int {
		return cmp.Or(strings.Compare(a.Node, b.Node), cmp.Compare(packSize(a.Inner).Volume(), packSize(b.Inner).Volume()))
	})
	for _, c := range all {
		row := view.CartonRow{ID: c.ID, Name: c.Name, Inner: sidesText(c.Inner), Outer: sidesText(c.Outer), Weighs: weightText(c.Grams), Active: c.Active,
			Litres: strconv.FormatFloat(float64(packSize(c.Inner).Volume())/1e6, 'f', 1, 64) + " l"}
		if c.Node != "" {
			row.Node = cat.locationName(c.Node)
		}
		if c.MaxGrams > 0 {
			row.Weighs += ", up to " + weightText(c.MaxGrams)
		}
		if c.Cost.Minor > 0 {
			row.Cost = c.Cost.String()
		}
		v.Rows = append(v.Rows, row)
	}
	return v, err
}

// Carton is one with its form; the id "" is a new one. Errors: NotFound.
func (d *Desk) Carton(ctx context.Context, id string) (view.CartonPage, error) {
	v := view.CartonPage{New: id == "", Nodes: append([]view.Option{{Label: "every node"}}, nodeOptions(d.x.catalog.Load())...)}
	if v.New {
		v.Form.Active = true
		return v, nil
	}
	c, ok, err := d.carton(ctx, id)
	if err == nil && !ok {
		err = errs.New(errs.NotFound, "ops.Carton", id, "There is no carton %s.", id)
	}
	if err != nil {
		return v, err
	}
	v.Said, v.Form = saidText(c.Actor, c.At.Format("2 January 2006")), view.CartonForm{ID: c.ID, Name: c.Name, Node: c.Node, InnerL: some(c.Inner.LengthMM), InnerW: some(c.Inner.WidthMM),
		InnerH: some(c.Inner.HeightMM), OuterL: some(c.Outer.LengthMM), OuterW: some(c.Outer.WidthMM), OuterH: some(c.Outer.HeightMM), Grams: some(c.Grams), MaxGrams: some(c.MaxGrams),
		Padding: some(c.Padding), Currency: c.Cost.Currency, Active: c.Active, Version: c.Version}
	if c.Cost.Minor > 0 {
		v.Form.Cost = c.Cost.Decimal()
	}
	return v, nil
}

func (d *Desk) carton(ctx context.Context, id string) (store.Carton, bool, error) {
	all, err := d.x.AllCartons(ctx)
	i := slices.IndexFunc(all, func(c store.Carton) bool { return c.ID == id })
	if i < 0 {
		return store.Carton{}, false, err
	}
	return all[i], true, err
}

func (r *fieldReader) carton(f view.CartonForm) catalog.Carton {
	c := catalog.Carton{ID: strings.TrimSpace(f.ID), Name: strings.TrimSpace(f.Name), Node: f.Node, Active: f.Active, Grams: r.whole("grams", "Weight, empty", f.Grams),
		Inner:    catalog.Sides{LengthMM: r.whole("innerl", "Inside, length", f.InnerL), WidthMM: r.whole("innerw", "Inside, width", f.InnerW), HeightMM: r.whole("innerh", "Inside, height", f.InnerH)},
		Outer:    catalog.Sides{LengthMM: r.whole("outerl", "Outside, length", f.OuterL), WidthMM: r.whole("outerw", "Outside, width", f.OuterW), HeightMM: r.whole("outerh", "Outside, height", f.OuterH)},
		MaxGrams: r.whole("maxgrams", "At most, in all", f.MaxGrams), Padding: r.whole("padding", "Padding", f.Padding)}
	if f.Cost != "" {
		var err error
		if c.Cost, err = money.Parse(f.Cost, strings.ToUpper(f.Currency)); err != nil || f.Currency == "" {
			r.bad("cost", "Cost", "write an amount such as 0.55, and its currency beside it.")
		}
	}
	r.check(c.Check(), cartonFields)
	return c
}

// PreviewCarton works out what a draft changes.
func (d *Desk) PreviewCarton(ctx context.Context, a view.CartonDraft) (view.FormPreview, error) {
	var r fieldReader
	c := r.carton(a.CartonForm)
	v := view.FormPreview{Wrong: r.wrong}
	if len(r.wrong) > 0 {
		return v, nil
	}
	was, known, err := d.carton(ctx, c.ID)
	switch {
	case err != nil:
		return v, err
	case a.New && known:
		v.Wrong = []view.FieldError{{Field: "id", Label: "Id", Text: "There is a carton " + c.ID + " already; choose another id, or edit that one."}}
		return v, nil
	case was.Version != a.Version:
		v.Refused = was.Actor + " has changed this carton since this form was opened. Open it again and make the change there."
		return v, nil
	case known && same(was.Carton, c):
		v.Refused = "Nothing is different from what is said already."
		return v, nil
	}
	from := "not there"
	if known {
		from = cartonText(was.Carton, d.x.catalog.Load())
	}
	v.Changes = []view.Change{{What: c.Name, From: from, To: cartonText(c, d.x.catalog.Load())}}
	v.Sentence, v.Undo = c.Name+" is proposed for parcels from now on.", "Enter what was said before to go back."
	if !c.Active {
		v.Sentence = c.Name + " is not proposed any more; parcels packed in it keep its name."
	}
	return v, nil
}

func cartonText(c catalog.Carton, cat *catalogue) string {
	where, use := "at every node", "in use"
	if c.Node != "" {
		where = "at " + cat.locationName(c.Node)
	}
	if !c.Active {
		use = "not in use"
	}
	text := fmt.Sprintf("%s inside, %s outside, %s, %s, %s", sidesText(c.Inner), sidesText(c.Outer), weightText(c.Grams), where, use)
	if c.MaxGrams > 0 {
		text += ", up to " + weightText(c.MaxGrams)
	}
	if c.Padding > 0 {
		text += ", padding " + number(c.Padding) + " mm"
	}
	if c.Cost.Minor > 0 {
		text += ", " + c.Cost.String()
	}
	return text
}

// SaveCarton says what a draft says. Errors: Invalid, NotFound, Conflict.
func (d *Desk) SaveCarton(ctx context.Context, a view.CartonDraft) (view.Done, error) {
	var r fieldReader
	c := r.carton(a.CartonForm)
	if len(r.wrong) > 0 {
		return view.Done{}, errs.New(errs.Invalid, "ops.SaveCarton", c.ID, "%s: %s", r.wrong[0].Label, r.wrong[0].Text)
	}
	if err := d.x.SayHandling(ctx, Said{Cartons: []store.Carton{{Carton: c, Version: a.Version}}}, a.Actor); err != nil {
		return view.Done{}, err
	}
	return view.Done{Sentence: c.Name + " is saved."}, nil
}
