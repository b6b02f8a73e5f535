package web

import (
	"context"
	"net/http"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/ops/view"
)

// orders lists orders; open ones by slack.
func (s *Site) orders(ctx context.Context, r *http.Request) (page, error) {
	q := r.URL.Query()
	v, err := s.b.Orders(ctx, view.OrderFilter{State: q.Get("state"), ConnectionID: q.Get("channel"), Query: searched(r), After: q.Get("after")})
	if err != nil {
		return page{}, err
	}
	return page{
		Title:  "Orders",
		Nav:    "/orders",
		Topics: []string{view.TopicOrder},
		Parts:  []part{{id: "or-states", c: orderStates(v)}, {id: "or-rows", held: true, c: orderRows(v)}},
		body:   func(p page) templ.Component { return ordersPage(p, v) },
	}, nil
}

// order shows one order.
func (s *Site) order(ctx context.Context, r *http.Request) (page, error) {
	v, err := s.b.Order(ctx, r.PathValue("id"))
	if err != nil {
		return page{}, err
	}
	return page{
		Title:  "Order " + v.Number,
		Nav:    "/orders",
		Topics: []string{view.TopicOrder + ":" + v.ID},
		Parts: []part{
			{id: "o-head", c: orderHead(v)}, {id: "o-route", c: orderRoute(v)}, {id: "o-parcels", c: orderParcels(v)}, {id: "o-lines", c: orderLines(v)}, {id: "o-time", c: orderTimeline(v)}, {id: "o-facts", c: orderFacts(v)},
		},
		body: func(p page) templ.Component { return orderPage(p, v) },
	}, nil
}

// deadlineRows are a page's unmet deadlines as rows of a slack axis.
func deadlineRows(ds []view.Deadline) []view.OrderRow {
	var out []view.OrderRow
	for _, d := range ds {
		if d.Met == nil {
			out = append(out, deadlineRow(d))
		}
	}
	return out
}

func deadlineRow(d view.Deadline) view.OrderRow { return view.OrderRow{Due: &d.At, Level: d.Level} }
