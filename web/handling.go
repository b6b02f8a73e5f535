package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// tablePath takes CSV files of things in.
const tablePath = "/cartons/import"

// topicCartons is the live notice that something was said of cartons.
const topicCartons = "cartons"

func (s *Site) handlingRoutes(m *http.ServeMux) {
	s.page(m, "GET /cartons", s.cartons)
	s.page(m, "GET /cartons/new", s.carton)
	s.private(m, "POST /cartons/new", s.saveCarton)
	s.page(m, "GET /cartons/box/{id}", s.carton)
	s.private(m, "POST /cartons/box/{id}", s.saveCarton)
	s.private(m, "POST "+tablePath, s.importTable)
	s.private(m, "GET /cartons/export/{kind}", s.exportTable)
	s.page(m, "GET /items/{id}/handling", s.handling)
	s.private(m, "POST /items/{id}/handling", s.saveHandling)
}

func cartonPath(id string) templ.SafeURL {
	if id == "" {
		return "/cartons/new"
	}
	return templ.SafeURL("/cartons/box/" + url.PathEscape(id))
}

func handlingPath(item string) templ.SafeURL { return itemLink(item) + "/handling" }

// cartons lists the boxes there are.
func (s *Site) cartons(ctx context.Context, _ *http.Request) (page, error) {
	v, err := s.b.Cartons(ctx)
	if err != nil {
		return page{}, err
	}
	return page{Title: "Cartons", Nav: "/nodes", Topics: []string{topicCartons}, Parts: []part{{id: "ca-rows", held: true, c: cartonRows(v)}},
		body: func(p page) templ.Component { return cartonsPage(p) }}, nil
}

// carton is one of them, or the empty form of a new one.
func (s *Site) carton(ctx context.Context, r *http.Request) (page, error) {
	v, err := s.b.Carton(ctx, r.PathValue("id"))
	if err != nil {
		return page{}, err
	}
	return cartonPageOf(v, nodeAnswer{}), nil
}

func cartonPageOf(v view.CartonPage, a nodeAnswer) page {
	title := v.Form.Name
	if v.New {
		title = "Add a carton"
	}
	return page{Title: title, Nav: "/nodes", Fixed: true, body: func(page) templ.Component { return cartonPage(v, a, title) }}
}

// saveCarton shows what a form would change, or what is wrong with it, and on the second step saves it.
func (s *Site) saveCarton(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f, id := readForm(ctx, r), r.PathValue("id")
	line := func(name string) string { return f.text(name, name, false) }
	d := view.CartonDraft{New: id == "", Actor: s.user(ctx), CartonForm: view.CartonForm{ID: id, Name: line("name"), Node: line("node"), InnerL: line("innerl"), InnerW: line("innerw"),
		InnerH: line("innerh"), OuterL: line("outerl"), OuterW: line("outerw"), OuterH: line("outerh"), Grams: line("grams"), MaxGrams: line("maxgrams"), Padding: line("padding"),
		Cost: line("cost"), Currency: line("currency"), Active: line("active") == "yes", Version: f.whole("version", "Version", 0, 1<<53, false)}}
	if d.New {
		d.ID = line("id")
	}
	if f.err != nil {
		return f.err
	}
	if f.confirmed() {
		done, err := s.b.SaveCarton(ctx, d)
		if err != nil {
			return err
		}
		return s.finish(w, r, done, "/cartons")
	}
	v, err := s.b.Carton(ctx, id)
	if err != nil {
		return err
	}
	a := nodeAnswer{asked: true, fields: f.all()}
	if a.preview, err = s.b.PreviewCarton(ctx, d); err != nil {
		return err
	}
	v.Form = d.CartonForm
	return s.show(w, r.WithContext(ctx), a.status(), cartonPageOf(v, a))
}

// status of an answer: whether there is anything to confirm.
func (a nodeAnswer) status() int {
	if len(a.preview.Wrong) > 0 || a.preview.Refused != "" {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

// handling is what an item is like and where it lies.
func (s *Site) handling(ctx context.Context, r *http.Request) (page, error) {
	v, err := s.b.ItemHandling(ctx, r.PathValue("id"))
	if err != nil {
		return page{}, err
	}
	return handlingPageOf(v, nodeAnswer{}), nil
}

func handlingPageOf(v view.ItemHandling, a nodeAnswer) page {
	return page{Title: "What " + v.SKU + " is like", Nav: "/items", Fixed: true, body: func(page) templ.Component { return handlingPage(v, a) }}
}

// saveHandling shows what a form would change, or what is wrong with it, and on the second step saves it.
func (s *Site) saveHandling(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f, id := readForm(ctx, r), r.PathValue("id")
	line := func(name string) string { return f.text(name, name, false) }
	d := view.HandlingDraft{Actor: s.user(ctx), HandlingForm: view.HandlingForm{ItemID: id, Grams: line("grams"), Length: line("length"), Width: line("width"), Height: line("height"),
		Stance: line("stance"), Fragile: line("fragile") == "yes", Alone: line("alone") == "yes", Needs: f.r.PostForm["needs"], Origin: line("origin"), HSCode: line("hscode"),
		Equals: f.several("equals"),
		Bins:   f.several("bins"), Version: f.whole("version", "Version", 0, 1<<53, false)}}
	if f.err != nil {
		return f.err
	}
	if f.confirmed() {
		done, err := s.b.SaveHandling(ctx, d)
		if err != nil {
			return err
		}
		return s.finish(w, r, done, string(itemLink(id)))
	}
	v, err := s.b.ItemHandling(ctx, id)
	if err != nil {
		return err
	}
	a := nodeAnswer{asked: true, fields: f.all()}
	if a.preview, err = s.b.PreviewHandling(ctx, d); err != nil {
		return err
	}
	v.Form = d.HandlingForm
	return s.show(w, r.WithContext(ctx), a.status(), handlingPageOf(v, a))
}

// importTable takes a CSV file in: all of it, or nothing, with what is wrong by line.
func (s *Site) importTable(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	up, err := readTable(r)
	if err != nil {
		return err
	}
	v, err := s.b.ImportTable(ctx, up.kind, up.data, s.user(ctx))
	if err != nil {
		return err
	}
	status := http.StatusOK
	if len(v.Problems) > 0 {
		status = http.StatusUnprocessableEntity
	}
	p := page{Title: "Import", Nav: "/nodes", Fixed: true, body: func(page) templ.Component { return importPage(v) }}
	return s.show(w, r.WithContext(ctx), status, p)
}

// tableUpload is a form with a file.
type tableUpload struct {
	kind, name string // what it holds; how it is called
	data       []byte
}

// readTable reads the form with its file into memory, which the bound of a table bounds.
func readTable(r *http.Request) (up tableUpload, err error) {
	const op = "web.importTable"
	parts, err := r.MultipartReader()
	if err != nil {
		return up, errs.New(errs.Invalid, op, "", "The form could not be read. Open it again and choose the file.")
	}
	for range maxParts {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return up, errs.New(errs.Invalid, op, "", "The file did not arrive whole. Nothing was changed; send it again.")
		}
		body, err := io.ReadAll(io.LimitReader(p, view.MaxTable+1))
		if err != nil {
			return up, errs.New(errs.Invalid, op, "", "The file did not arrive whole. Nothing was changed; send it again.")
		}
		switch p.FormName() {
		case "kind":
			up.kind = string(body[:min(len(body), maxField)])
		case "file":
			up.name, up.data = p.FileName(), body
		}
	}
	if len(up.data) == 0 {
		return up, errs.New(errs.Invalid, op, "", "Choose a file first.")
	}
	return up, nil
}

// exportTable writes a table as CSV.
func (s *Site) exportTable(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	kind := r.PathValue("kind")
	var b bytes.Buffer
	if err := s.b.ExportTable(ctx, kind, &b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+kind+`.csv"`)
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	_, err := w.Write(b.Bytes())
	return err
}

// tableNames are what people call the tables.
var tableNames = []view.Option{{ID: view.TablePhysicals, Label: "what items are like"}, {ID: view.TableBins, Label: "bins"}, {ID: view.TableCartons, Label: "cartons"}}

// importText says what became of a file.
func importText(v view.TableImport) string {
	switch {
	case len(v.Problems) > 0:
		return "Nothing was changed: " + count(int64(len(v.Problems)+v.More), "line has a problem", "lines have problems") + "."
	case v.Changed == 0:
		return "Nothing is different from what is said already, in " + count(int64(v.Rows), "row", "rows") + "."
	}
	return num(int64(v.Changed)) + " of what " + count(int64(v.Rows), "row says", "rows say") + " is new; all of it is in."
}
