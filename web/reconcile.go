package web

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

const (
	reconcilePath = "/health/reconcile"
	// uploadTime is how long the body of an upload may take to arrive: the longest over a line of 2 Mbit/s.
	uploadTime = 5 * time.Minute
	// uploadsAtOnce are taken at the same time: each is held in memory.
	uploadsAtOnce = 2
	// maxParts of an upload: its fields, and the files there may be.
	maxParts = 16 + view.MaxUploads
)

// reconcileRoutes are the pages of the channels' own figures.
func (s *Site) reconcileRoutes(m *http.ServeMux) {
	s.page(m, "GET "+reconcilePath, s.reconciliations)
	s.page(m, "GET "+reconcilePath+"/{id}", s.reconciliation)
	s.private(m, "POST "+reconcilePath, s.upload)
	s.private(m, "POST "+reconcilePath+"/{id}/remove", s.endReconcile)
	s.private(m, "POST /health/deductions", s.addDeduction)
	s.private(m, "POST /health/deductions/{id}/remove", s.removeDeduction)
}

// reconciliations lists what was compared, and takes more.
func (s *Site) reconciliations(ctx context.Context, r *http.Request) (page, error) {
	q := r.URL.Query()
	v, err := s.b.Reconciliations(ctx, q.Get("shop"), q.Get("after"))
	if err != nil {
		return page{}, err
	}
	return page{
		Title: "The channel’s own figures", Nav: "/health", Topics: []string{view.TopicReconcile, view.TopicHealth + ":" + v.Shop.ID},
		Parts: []part{{id: "rc-now", c: theirNow(v)}, {id: "rc-list", held: true, c: reconcileList(v)}},
		body:  func(p page) templ.Component { return reconcilePage(p, v) },
	}, nil
}

// reconciliation shows one comparison.
func (s *Site) reconciliation(ctx context.Context, r *http.Request) (page, error) {
	q := r.URL.Query()
	f := view.ReconciliationFilter{ID: r.PathValue("id"), Rate: -2, Cause: q.Get("cause"), After: q.Get("after")}
	if t := q.Get("rate"); t != "" {
		n, err := strconv.Atoi(t)
		if err != nil || n < -1 {
			return page{}, errs.New(errs.Invalid, "web.reconciliation", "rate", "The link to these orders is damaged.")
		}
		f.Rate = n
	}
	v, err := s.b.Reconciliation(ctx, f)
	if err != nil {
		return page{}, err
	}
	over := v.State == view.ReconcileDone || v.State == view.ReconcileRefused
	return page{
		Title: "Comparison of " + v.Files, Nav: "/health", Fixed: over, Topics: []string{view.TopicReconcile + ":" + v.ID},
		Parts: []part{{id: "rd-head", c: comparedHead(v)}, {id: "rd-body", held: true, c: comparedBody(v)}},
		body:  func(p page) templ.Component { return comparedPage(p, v) },
	}, nil
}

// comparedPath is the address of a comparison's orders; pairs replace some of the choices made, and begin at the first page.
func comparedPath(f view.ReconciliationFilter, pairs ...string) templ.SafeURL {
	rate := ""
	if f.Rate >= -1 {
		rate = strconv.Itoa(f.Rate)
	}
	all := append([]string{"rate", rate, "cause", f.Cause}, pairs...)
	last := map[string]string{}
	var names []string
	for i := 0; i+1 < len(all); i += 2 {
		if _, ok := last[all[i]]; !ok {
			names = append(names, all[i])
		}
		last[all[i]] = all[i+1]
	}
	var out []string
	for _, n := range names {
		out = append(out, n, last[n])
	}
	return query(reconcilePath+"/"+url.PathEscape(f.ID), out...)
}

// differLink leads from a figure of the channel's to the orders on which the two differ.
func differLink(r view.Reconciled) templ.SafeURL {
	return comparedPath(view.ReconciliationFilter{ID: r.ID, Rate: r.N})
}

// isUpload reports whether a request may carry files, and so be longer than a form.
func isUpload(r *http.Request) bool {
	return r.Method == http.MethodPost && (r.URL.Path == reconcilePath || r.URL.Path == tablePath || r.URL.Path == zonesPath)
}

// upload takes files in. A script asks for the address of the result instead of the page itself.
func (s *Site) upload(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	default:
		return errs.New(errs.Busy, "web.upload", "", "Others are sending files. Try again in a moment.")
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTime)) // of the connection, so by its clock; where it cannot be set, the server's own holds
	d, err := readUpload(r)
	if err != nil {
		return err
	}
	d.Actor = s.user(ctx)
	started, err := s.b.StartReconcile(ctx, d)
	if err != nil {
		return err
	}
	to := reconcilePath + "/" + url.PathEscape(started.ID)
	if started.Again || started.Undo != "" {
		s.sessions.Put(r.Context(), keyToast, started.Sentence)
		s.sessions.Put(r.Context(), keyUndo, started.Undo)
	}
	if isFragment(r) {
		w.Header().Set("HX-Redirect", to)
		return nil
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// readUpload reads the form with its files into memory, which the limit on the body bounds.
func readUpload(r *http.Request) (view.ReconcileDraft, error) {
	const op = "web.upload"
	var d view.ReconcileDraft
	parts, err := r.MultipartReader()
	if err != nil {
		return d, errs.New(errs.Invalid, op, "", "The form could not be read. Open it again and choose the files.")
	}
	for n := 0; ; n++ {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return d, nil
		}
		if err != nil {
			return d, broken(err)
		}
		if n == maxParts {
			return d, errs.New(errs.Invalid, op, "", "Send at most %d files at once.", view.MaxUploads)
		}
		if err := readPart(&d, p); err != nil {
			return d, err
		}
	}
}

// broken says of a body that does not come to its end whether it is too long.
func broken(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errs.New(errs.Invalid, "web.upload", "", "The files together are larger than %s. Export a shorter period.", uploadText)
	}
	return errs.New(errs.Invalid, "web.upload", "", "The files did not arrive whole. Nothing was changed; send them again.")
}

// readPart reads one part of an upload.
func readPart(d *view.ReconcileDraft, p *multipart.Part) error {
	if p.FormName() == "files" {
		data, err := io.ReadAll(p)
		if err != nil {
			return broken(err)
		}
		if p.FileName() != "" || len(data) > 0 { // an empty field for files sends one without a name
			d.Files = append(d.Files, view.Upload{Name: p.FileName(), Data: data})
		}
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(p, maxField+1))
	if err != nil {
		return broken(err)
	}
	if len(text) > maxField {
		return errs.New(errs.Invalid, "web.upload", p.FormName(), "A field is longer than %d bytes.", maxField)
	}
	switch v := string(text); p.FormName() {
	case "shop":
		d.Shop = v
	case "skip":
		d.SkipWrong = v != ""
	case "dayfirst":
		d.DayFirst = v != ""
	case "bare":
		d.Bare = v
	case "metric":
		d.Metric = v
	}
	return nil
}

// endReconcile takes a comparison back: first what goes with it, then the deed.
func (s *Site) endReconcile(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	if f.err != nil {
		return f.err
	}
	id := r.PathValue("id")
	shop := f.text("shop", "Shop", false)
	if f.confirmed() {
		done, err := s.b.EndReconcile(ctx, id, s.user(ctx))
		if err != nil {
			return err
		}
		return s.finish(w, r, done, string(shopPath(reconcilePath, shop)))
	}
	v, err := s.b.PreviewReconcileEnd(ctx, id)
	if err != nil {
		return err
	}
	path := reconcilePath + "/" + url.PathEscape(id)
	return s.preview(w, r, v, offer{title: "Take a comparison back", verb: "Take it back", back: templ.SafeURL(path), action: path + "/remove", fields: f.carried("shop")})
}

// addDeduction takes points down that the channel took: first what follows from them, then the deed.
func (s *Site) addDeduction(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d := view.DeductionDraft{
		ID: f.text("id", "Form", true), Shop: f.text("shop", "Shop", true), Points: f.whole("points", "The points", 1, maxScore, true),
		Day: f.day("day", "The day", true), Reason: f.text("reason", "What they were taken for", true), Note: f.text("note", "Note", false), Actor: s.user(ctx),
	}
	if f.err != nil {
		return f.err
	}
	back := string(shopPath("/health", d.Shop))
	if f.confirmed() {
		done, err := s.b.AddDeduction(ctx, d)
		if err != nil {
			return err
		}
		return s.finish(w, r, done, back+"#account-h")
	}
	v, err := s.b.PreviewDeduction(ctx, d)
	if err != nil {
		return err
	}
	return s.preview(w, r, v, offer{
		title: "Points the channel took", verb: "Take down " + count(d.Points, "point", "points"), back: templ.SafeURL(back), action: "/health/deductions",
		fields: f.carried("id", "shop", "points", "day", "reason", "note"),
	})
}

// removeDeduction takes points back that were entered.
func (s *Site) removeDeduction(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	if f.err != nil {
		return f.err
	}
	id := r.PathValue("id")
	back := string(shopPath("/health", f.text("shop", "Shop", false))) + "#account-h"
	if f.confirmed() {
		done, err := s.b.RemoveDeduction(ctx, id, s.user(ctx))
		if err != nil {
			return err
		}
		return s.finish(w, r, done, back)
	}
	v, err := s.b.PreviewDeductionEnd(ctx, id)
	if err != nil {
		return err
	}
	return s.preview(w, r, v, offer{title: "Points the channel took", verb: "They do not count", back: templ.SafeURL(back), action: "/health/deductions/" + url.PathEscape(id) + "/remove", fields: f.carried("shop")})
}
