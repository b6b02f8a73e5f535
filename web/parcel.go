package web

import (
	"net/http"
	"strings"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// settleParcel says what became of a parcel that is stuck.
func (s *Site) settleParcel(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	why := f.text("why", "What became of it", true)
	if f.err != nil {
		return f.err
	}
	done, err := s.b.SettleParcel(ctx, r.PathValue("parcel"), s.user(ctx), why)
	if errs.Is(err, errs.Conflict) { // it was heard of meanwhile, or somebody was quicker
		done, err = view.Done{Sentence: "Nothing is waited for any more."}, nil
	}
	if err != nil {
		return err
	}
	return s.finish(w, r, done, string(orderPath(r.PathValue("id"))))
}

// renumber enters another tracking number for a parcel.
func (s *Site) renumber(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d := view.RenumberDraft{OrderID: r.PathValue("id"), Parcel: r.PathValue("parcel"), Carrier: f.text("carrier", "Carrier", false), Number: f.text("number", "Tracking number", true), Actor: s.user(ctx)}
	if f.err != nil {
		return f.err
	}
	done, err := s.b.Renumber(ctx, d)
	if err != nil {
		return err
	}
	return s.finish(w, r, done, string(orderPath(d.OrderID)))
}

// maxKept bounds the units of an item that stay in a parcel.
const maxKept = 1_000_000

// divideParcel makes two parcels of one: the fields are what stays, by item.
func (s *Site) divideParcel(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d := view.DivisionDraft{OrderID: r.PathValue("id"), Parcel: r.PathValue("parcel"), Keep: map[string]int64{}, Actor: s.user(ctx)}
	for _, x := range f.all() {
		if item, ok := strings.CutPrefix(x.name, keepPrefix); ok {
			d.Keep[item] = f.whole(x.name, "What stays in the parcel", 0, maxKept, false)
		}
	}
	if f.err != nil {
		return f.err
	}
	done, err := s.b.DivideParcel(ctx, d)
	if err != nil {
		return err
	}
	return s.finish(w, r, done, string(orderPath(d.OrderID)))
}

// keepPrefix begins the names of the fields that say what stays in a parcel.
const keepPrefix = "keep-"
