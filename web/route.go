package web

import (
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

func orderPath(id string) templ.SafeURL { return templ.SafeURL("/orders/" + url.PathEscape(id)) }

// shortID is enough of a parcel's id to tell it from the others of an order.
func shortID(id string) string { return id[:min(len(id), 8)] }

// reroute shows what another route of an order would cost, and on the second step does it.
func (s *Site) reroute(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d := view.RerouteDraft{ID: f.text("id", "Id", true), OrderID: r.PathValue("id"), Nodes: f.r.PostForm["node"], Reason: f.text("reason", "Why", false), Actor: s.user(ctx)}
	if f.err != nil {
		return f.err
	}
	if f.confirmed() {
		done, err := s.b.Reroute(ctx, d)
		if err != nil {
			return err
		}
		return s.finish(w, r, done, string(orderPath(d.OrderID)))
	}
	v, err := s.b.PreviewReroute(ctx, d)
	if err != nil {
		return err
	}
	return s.preview(w, r, v, offer{title: "Send it from elsewhere", back: orderPath(d.OrderID), action: string(orderPath(d.OrderID)) + "/reroute", verb: "Send it so", fields: f.all()})
}

func proofPath(order, parcel string) templ.SafeURL {
	return orderPath(order) + "/parcels/" + templ.SafeURL(url.PathEscape(parcel)) + "/custody.json"
}

// custodyProof hands out what the custody log holds of a parcel, as a file that anybody can verify without us.
func (s *Site) custodyProof(w http.ResponseWriter, r *http.Request) error {
	parcel := r.PathValue("parcel")
	file, err := s.b.CustodyProof(r.Context(), r.PathValue("id"), parcel)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "custody-" + shortID(parcel) + ".json"}))
	h.Set("Content-Length", strconv.Itoa(len(file)))
	_, err = w.Write(file)
	return err
}

// retryParcel has a refused step of a parcel tried again.
func (s *Site) retryParcel(w http.ResponseWriter, r *http.Request) error {
	done, err := s.b.RetryParcel(r.Context(), r.PathValue("parcel"), s.user(r.Context()))
	if errs.Is(err, errs.Conflict) { // somebody was quicker
		done, err = view.Done{Sentence: "It is being tried again already."}, nil
	}
	if err != nil {
		return err
	}
	return s.finish(w, r, done, string(orderPath(r.PathValue("id"))))
}
