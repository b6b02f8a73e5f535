package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/ops/view"
)

// item shows one item now, or as we knew it at a moment ("at", in the reader's zone).
func (s *Site) item(ctx context.Context, r *http.Request) (page, error) {
	q := r.URL.Query()
	var asOf *time.Time
	if at := q.Get("at"); at != "" {
		t, err := parseLocal(at, clockOf(ctx).loc)
		if err != nil {
			return page{}, errs.New(errs.Invalid, "web.item", "at", "The moment to look at must be a date and a time.")
		}
		asOf = &t
	}
	before, err := cursor(q.Get("before"))
	if err != nil {
		return page{}, err
	}
	v, err := s.b.Item(ctx, r.PathValue("id"), asOf, before)
	if err != nil {
		return page{}, err
	}
	h, err := s.b.ItemHandling(ctx, v.ID)
	if err != nil {
		return page{}, err
	}
	return itemView(ctx, v, h, q), nil
}

// itemView lays out an item: its live parts, and the forms that are drawn once.
func itemView(ctx context.Context, v view.ItemPage, h view.ItemHandling, q url.Values) page {
	p := page{
		Title:  v.SKU,
		Nav:    "/items",
		Fixed:  v.AsOf,
		Topics: []string{view.TopicItem + ":" + v.ID, view.TopicCalendar, view.TopicMeasurement},
		Parts: []part{
			{id: "i-state", c: itemHead(v)},
			{id: "i-balances", c: itemBalances(v)},
			{id: "i-like", c: itemLike(h)},
			{id: "i-listings", held: true, c: itemListings(v)},
			{id: "i-journal", held: true, c: itemJournal(v, q)},
		},
	}
	for _, c := range v.Components {
		p.Topics = append(p.Topics, view.TopicItem+":"+c.ItemID)
	}
	draft := id.New()
	p.body = func(p page) templ.Component { return itemPage(p, v, draft) }
	return p
}

// cursor reads a journal position.
func cursor(v string) (int64, error) {
	if v == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 {
		return 0, errs.New(errs.Invalid, "web.cursor", "before", "The page of the journal must be a number.")
	}
	return n, nil
}

// maxUnits bounds quantities typed by people: far above any warehouse, far below what sums could overflow.
const maxUnits = 100_000_000

// stockVerbs are what the stock form can do, with the word on its button.
var stockVerbs = map[string]string{"receive": "Receive", "count": "Record the count of", "damage": "Set aside"}

// adjustStock receives, counts or sets aside: first its effect, then the deed.
func (s *Site) adjustStock(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d := view.StockDraft{
		ID: f.text("id", "Form", true), Kind: f.text("kind", "What happened", true), ItemID: r.PathValue("id"),
		LocationID: f.text("location", "Location", true), Qty: f.whole("qty", "Units", 0, maxUnits, true),
		Ref: f.text("ref", "Reference", false), Reason: f.text("reason", "Reason", false), Actor: s.user(ctx),
	}
	if d.Kind == "count" && strings.TrimSpace(r.PostForm.Get("damaged")) != "" {
		n := f.whole("damaged", "Of them damaged", 0, maxUnits, true)
		d.Damaged = &n
	}
	verb, known := stockVerbs[d.Kind]
	if !known {
		f.bad("kind", "Choose what happened.")
	}
	if f.err != nil {
		return f.err
	}
	back := itemLink(d.ItemID)
	if f.confirmed() {
		done, err := s.b.AdjustStock(ctx, d)
		if err != nil {
			return err
		}
		return s.finish(w, r, done, string(back))
	}
	v, err := s.b.PreviewStock(ctx, d)
	if err != nil {
		return err
	}
	return s.preview(w, r, v, offer{
		title: verb + " " + count(d.Qty, "unit", "units"), verb: verb + " " + count(d.Qty, "unit", "units"), back: back,
		action: string(back) + "/stock", fields: f.carried("id", "kind", "location", "qty", "damaged", "ref", "reason"),
	})
}

// setRules changes what an operator asks of a listing: first its effect, then the deed.
func (s *Site) setRules(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	item := f.text("item", "Item", true)
	d := view.RulesDraft{ListingID: r.PathValue("id"), Actor: s.user(ctx), Rules: view.Rules{
		Mode:          f.text("mode", "Mode", false),
		Min:           f.whole("min", "Minimum", 0, maxUnits, false),
		Max:           f.whole("max", "Maximum", 0, maxUnits, false),
		BufferPercent: int(f.whole("buffer_percent", "Buffer, percent", 0, 100, false)),
		BufferUnits:   f.whole("buffer_units", "Buffer, units", 0, maxUnits, false),
		Fixed:         f.whole("fixed", "Fixed number", 0, maxUnits, false),
		Priority:      int(f.whole("priority", "Priority", -100, 100, false)),
	}}
	if d.Rules.Max > 0 && d.Rules.Min > d.Rules.Max {
		f.bad("min", "The minimum must not be above the maximum.")
	}
	if f.err != nil {
		return f.err
	}
	back := itemLink(item)
	if f.confirmed() {
		done, err := s.b.SetRules(ctx, d)
		if err != nil {
			return err
		}
		return s.finish(w, r, done, string(back))
	}
	v, err := s.b.PreviewRules(ctx, d)
	if err != nil {
		return err
	}
	return s.preview(w, r, v, offer{
		title: "Change the rules", verb: "Set these rules", back: back, action: "/listings/" + url.PathEscape(d.ListingID) + "/rules",
		fields: f.carried("item", "mode", "min", "max", "buffer_percent", "buffer_units", "fixed", "priority"),
	})
}
