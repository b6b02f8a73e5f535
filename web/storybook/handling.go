package storybook

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// handled is what is said of items and cartons.
type handled struct {
	items   map[string]view.HandlingForm
	cartons []view.CartonForm
}

var handlingNodes = []view.Option{{ID: "berlin", Label: "Berlin"}, {ID: "hub", Label: "Fulfil Hub"}}

// placeCartons says what cartons there are.
func (b *Book) placeCartons() {
	b.handled.cartons = []view.CartonForm{
		{ID: "mailer", Name: "Mailer", InnerL: "240", InnerW: "170", InnerH: "40", OuterL: "245", OuterW: "175", OuterH: "45", Grams: "45", Cost: "0.18", Currency: "EUR", Active: true, Version: 1},
		{ID: "box-m", Name: "Medium box", InnerL: "300", InnerW: "220", InnerH: "180", OuterL: "308", OuterW: "228", OuterH: "190", Grams: "210", MaxGrams: "15000", Padding: "5", Cost: "0.55", Currency: "EUR", Active: true, Version: 3},
		{ID: "tube", Name: "Poster tube", Node: "berlin", InnerL: "900", InnerW: "90", InnerH: "90", OuterL: "910", OuterW: "96", OuterH: "96", Grams: "260", Version: 2},
	}
}

// ItemHandling is what an item is like.
func (b *Book) ItemHandling(ctx context.Context, item string) (view.ItemHandling, error) {
	it, err := b.Item(ctx, item, nil, 0)
	if err != nil {
		return view.ItemHandling{}, err
	}
	unlock, err := b.lock()
	if err != nil {
		return view.ItemHandling{}, err
	}
	defer unlock()
	f, said := b.handled.items[item]
	f.ItemID = item
	v := view.ItemHandling{ItemID: item, SKU: it.SKU, Title: it.Title, Bundle: len(it.Components) > 0, Form: f, Able: nodeAble, Nodes: handlingNodes,
		Stances: []view.Option{{ID: "", Label: "any side may be down"}, {ID: "up", Label: "this way up"}, {ID: "never", Label: "never on its end"}}}
	if said {
		v.Said = "Said by lena@nordlicht.example on 20 November 2026."
		v.Billed = []view.Input{{Name: "USPS ground", Value: "1 lb", Text: "by the scales: sizes up to 1,728 in³ are not looked at"}, {Name: "UPS", Value: "3 lb", Text: "by its size: 139 in³ to a pound since 2025-08-18"}}
		v.Text = []string{f.Grams + " g", f.Length + " × " + f.Width + " × " + f.Height + " mm"}
		for _, l := range strings.Split(f.Bins, "\n") {
			if p := strings.Fields(l); len(p) > 1 {
				v.Bins = append(v.Bins, view.BinRow{Node: p[0], Code: p[1], First: strings.HasSuffix(l, "first")})
			}
		}
	}
	return v, nil
}

// PreviewHandling says what a draft changes, or what is wrong with it.
func (b *Book) PreviewHandling(_ context.Context, d view.HandlingDraft) (view.FormPreview, error) {
	v := view.FormPreview{}
	for _, f := range []struct{ name, label, text string }{{"grams", "Weight", d.Grams}, {"length", "Length", d.Length}, {"width", "Width", d.Width}, {"height", "Height", d.Height}} {
		if _, err := strconv.Atoi(f.text); f.text != "" && err != nil {
			v.Wrong = append(v.Wrong, view.FieldError{Field: f.name, Label: f.label, Text: "“" + f.text + "” is no whole number."})
		}
	}
	if len(v.Wrong) > 0 {
		return v, nil
	}
	v.Changes = []view.Change{{What: "One unit", From: "nothing is said", To: d.Grams + " g, " + d.Length + " × " + d.Width + " × " + d.Height + " mm"}}
	v.Sentence, v.Undo = "1 thing of it changes; routes and cartons take it from the next order on.", "Enter what was said before to go back."
	return v, nil
}

// SaveHandling keeps a draft.
func (b *Book) SaveHandling(_ context.Context, d view.HandlingDraft) (view.Done, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Done{}, err
	}
	defer unlock()
	if b.handled.items == nil {
		b.handled.items = map[string]view.HandlingForm{}
	}
	if b.handled.items[d.ItemID].Version != d.Version {
		return view.Done{}, errs.New(errs.Conflict, "storybook.SaveHandling", d.ItemID, "somebody else has changed this meanwhile; load it again and make the change there")
	}
	d.HandlingForm.Version++
	b.handled.items[d.ItemID] = d.HandlingForm
	return view.Done{Sentence: "What it is like is saved."}, nil
}

// Cartons lists them.
func (b *Book) Cartons(context.Context) (view.Cartons, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Cartons{}, err
	}
	defer unlock()
	var v view.Cartons
	for _, c := range b.handled.cartons {
		row := view.CartonRow{ID: c.ID, Name: c.Name, Inner: c.InnerL + " × " + c.InnerW + " × " + c.InnerH + " mm", Outer: c.OuterL + " × " + c.OuterW + " × " + c.OuterH + " mm",
			Weighs: c.Grams + " g", Active: c.Active}
		var room float64 = 1
		for _, s := range []string{c.InnerL, c.InnerW, c.InnerH} {
			n, _ := strconv.ParseFloat(s, 64)
			room *= n
		}
		row.Litres = fmt.Sprintf("%.1f l", room/1e6)
		if c.Node != "" {
			row.Node = "Berlin"
		}
		if c.Cost != "" {
			row.Cost = c.Cost + " " + c.Currency
		}
		v.Rows = append(v.Rows, row)
	}
	return v, nil
}

// Carton is one of them; "" is a new one.
func (b *Book) Carton(_ context.Context, id string) (view.CartonPage, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.CartonPage{}, err
	}
	defer unlock()
	v := view.CartonPage{New: id == "", Form: view.CartonForm{Active: true}, Nodes: append([]view.Option{{Label: "every node"}}, handlingNodes...)}
	if id != "" {
		i := b.cartonAt(id)
		if i < 0 {
			return v, errs.New(errs.NotFound, "storybook.Carton", id, "There is no carton %s.", id)
		}
		v.Form, v.Said = b.handled.cartons[i], "Said by lena@nordlicht.example on 20 November 2026."
	}
	return v, nil
}

func (b *Book) cartonAt(id string) int {
	return slices.IndexFunc(b.handled.cartons, func(c view.CartonForm) bool { return c.ID == id })
}

// PreviewCarton says what a draft changes, or what is wrong with it.
func (b *Book) PreviewCarton(_ context.Context, d view.CartonDraft) (view.FormPreview, error) {
	v := view.FormPreview{}
	if d.Name == "" {
		v.Wrong = append(v.Wrong, view.FieldError{Field: "name", Label: "Name", Text: "Write a name of at most 60 bytes."})
	}
	if d.InnerL == "" || d.InnerW == "" || d.InnerH == "" {
		v.Wrong = append(v.Wrong, view.FieldError{Field: "innerl", Label: "Inside", Text: "Each inner side is 1 to 20000 mm."})
	}
	if len(v.Wrong) > 0 {
		return v, nil
	}
	v.Sentence, v.Undo = d.Name+" is proposed for parcels from now on.", "Enter what was said before to go back."
	v.Changes = []view.Change{{What: d.Name, From: "not there", To: d.InnerL + " × " + d.InnerW + " × " + d.InnerH + " mm inside"}}
	return v, nil
}

// SaveCarton keeps a draft.
func (b *Book) SaveCarton(_ context.Context, d view.CartonDraft) (view.Done, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Done{}, err
	}
	defer unlock()
	d.CartonForm.Version++
	if i := b.cartonAt(d.ID); i >= 0 {
		b.handled.cartons[i] = d.CartonForm
	} else {
		b.handled.cartons = append(b.handled.cartons, d.CartonForm)
	}
	return view.Done{Sentence: d.Name + " is saved."}, nil
}

// ImportTable takes a file whose lines all have as many cells as the first, and lists the others.
func (b *Book) ImportTable(_ context.Context, kind string, data []byte, _ string) (view.TableImport, error) {
	v := view.TableImport{Kind: kind}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	for i, l := range lines[1:] {
		v.Rows++
		if strings.Count(l, ",") != strings.Count(lines[0], ",") {
			v.Problems = append(v.Problems, view.LineProblem{Line: i + 2, Text: "Grams: “heavy” is no whole number."})
		}
	}
	v.Changed = v.Rows - len(v.Problems)
	return v, nil
}

// ExportTable writes a table of a line.
func (b *Book) ExportTable(_ context.Context, kind string, w io.Writer) error {
	if kind != view.TablePhysicals && kind != view.TableBins && kind != view.TableCartons {
		return errs.New(errs.NotFound, "storybook.ExportTable", kind, "There is no table %s.", kind)
	}
	_, err := io.WriteString(w, "sku,grams\n")
	return err
}
