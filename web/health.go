package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/ops/view"
)

// shopHealth is the page one leaves open all day.
func (s *Site) shopHealth(ctx context.Context, r *http.Request) (page, error) {
	q := r.URL.Query()
	v, err := s.b.Health(ctx, q.Get("shop"), q.Get("causes"))
	if err != nil {
		return page{}, err
	}
	topics := []string{view.TopicHealth, view.TopicIncident, view.TopicPolicy}
	draft := accountForm{draft: id.New(), points: id.New(), shop: v.Shop.ID, day: today(ctx, v)}
	return page{
		Title: "Health", Nav: "/health", Topics: topics,
		Parts: []part{
			{id: "he-head", c: healthHead(v)},
			{id: "he-gauges", c: healthGauges(v)},
			{id: "he-do", held: true, c: healthAdvice(v)},
			{id: "he-risk", held: true, c: healthRisk(v)},
			{id: "he-causes", held: true, c: healthCauses(v)},
			{id: "he-trends", c: healthTrends(v)},
			{id: "he-account", c: healthAccount(v)},
		},
		body: func(p page) templ.Component { return healthPage(p, v, draft) },
	}, nil
}

// accountForm is what the forms for a seen rating and for points taken begin with.
type accountForm struct {
	draft, points, shop string // ids of the two forms
	day                 view.Day
}

// today is the market's day, as the gauges judge it.
func today(ctx context.Context, v view.Health) view.Day {
	for _, g := range v.Gauges {
		if g.Day != "" {
			return g.Day
		}
	}
	c := clockOf(ctx)
	return view.Day(c.now.In(c.loc).Format("2006-01-02"))
}

// shopPath keeps the shop in the address of another page of health.
func shopPath(path, shop string, pairs ...string) templ.SafeURL {
	return query(path, append([]string{"shop", shop}, pairs...)...)
}

// maxScore bounds what a channel's page may show as an account's rating.
const maxScore = 1_000_000

// setAccount takes down what the channel's own page shows: first what follows from it, then the deed.
func (s *Site) setAccount(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d := view.AccountDraft{
		ID: f.text("id", "Form", true), Shop: f.text("shop", "Shop", true), Value: f.whole("value", "The rating", 0, maxScore, true),
		Day: f.day("day", "The day", true), Note: f.text("note", "Note", false), Actor: s.user(ctx),
	}
	if f.err != nil {
		return f.err
	}
	back := string(shopPath("/health", d.Shop))
	if f.confirmed() {
		done, err := s.b.SetAccount(ctx, d)
		if err != nil {
			return err
		}
		return s.finish(w, r, done, back+"#account-h")
	}
	v, err := s.b.PreviewAccount(ctx, d)
	if err != nil {
		return err
	}
	return s.preview(w, r, v, offer{
		title: "What the channel shows", verb: "Take down " + num(d.Value), back: templ.SafeURL(back), action: "/health/account",
		fields: f.carried("id", "shop", "value", "day", "note"),
	})
}

// day reads an <input type="date">.
func (f *form) day(name, label string, required bool) view.Day {
	v := view.Day(f.text(name, label, required))
	if v != "" && dayTime(v).IsZero() {
		f.bad(label, "%s must be a date.", label)
	}
	return v
}

// dayOf reads a day from an address.
func dayOf(v, label string) (view.Day, error) {
	d := view.Day(v)
	if v != "" && dayTime(d).IsZero() {
		return "", errs.New(errs.Invalid, "web.health", label, "%s must be a date such as 2026-03-02.", label)
	}
	return d, nil
}

// toDo is an advice with all its orders, to be copied or printed.
func (s *Site) toDo(ctx context.Context, r *http.Request) (page, error) {
	v, err := s.b.ToDo(ctx, r.URL.Query().Get("shop"), r.PathValue("id"))
	if err != nil {
		return page{}, err
	}
	return page{Title: "What to do now", Nav: "/health", Fixed: true, body: func(page) templ.Component { return toDoPage(v) }}, nil
}

// orderNumbers is a list to paste elsewhere, one number a line.
func orderNumbers(rows []view.RiskRow) string {
	var b strings.Builder
	for _, o := range rows {
		b.WriteString(o.Number)
		b.WriteByte('\n')
	}
	return b.String()
}

// rate shows the orders behind a metric.
func (s *Site) rate(ctx context.Context, r *http.Request) (page, error) {
	q := r.URL.Query()
	on, err := dayOf(q.Get("on"), "The day")
	if err != nil {
		return page{}, err
	}
	v, err := s.b.Rate(ctx, view.RateFilter{
		Shop: q.Get("shop"), Metric: r.PathValue("metric"), On: on, After: q.Get("after"), All: q.Get("all") == "1",
		Reason: q.Get("reason"), Node: q.Get("node"), Carrier: q.Get("carrier"), Region: q.Get("region"), Item: q.Get("item"), Mode: q.Get("mode"),
	})
	if err != nil {
		return page{}, err
	}
	return page{
		Title: v.Gauge.Name, Nav: "/health", Fixed: v.Past, Topics: []string{view.TopicHealth + ":" + v.Shop.ID, view.TopicPolicy},
		Parts: []part{
			{id: "ra-head", c: rateHead(v)},
			{id: "ra-rows", held: true, c: rateRows(v)},
			{id: "ra-days", c: rateDays(v)},
		},
		body: func(p page) templ.Component { return ratePage(p, v) },
	}, nil
}

// ratePath is the address of a metric with the choices of f; pairs replace some of them, and begin at the first page again.
func ratePath(f view.RateFilter, pairs ...string) templ.SafeURL {
	q := url.Values{}
	for name, v := range map[string]string{
		"shop": f.Shop, "on": string(f.On), "reason": f.Reason, "node": f.Node, "carrier": f.Carrier, "region": f.Region, "item": f.Item, "mode": f.Mode, "all": flag(f.All),
	} {
		q.Set(name, v)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	for name := range q {
		if q.Get(name) == "" {
			q.Del(name)
		}
	}
	path := "/health/" + url.PathEscape(f.Metric)
	if len(q) == 0 {
		return templ.SafeURL(path)
	}
	return templ.SafeURL(path + "?" + q.Encode())
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return ""
}

// narrowed reports whether any choice was made.
func narrowed(f view.RateFilter) bool {
	return f.Reason+f.Node+f.Carrier+f.Region+f.Item+f.Mode != ""
}

// rowsText says how many rows there are, and of what.
func rowsText(v view.RatePage) string {
	switch {
	case v.Total < 0:
		return "Too many to count."
	case v.Filter.All:
		return count(v.Total, "order that was counted", "orders that were counted") + "."
	}
	return count(v.Total, "order that counts", "orders that count") + " against the shop."
}
