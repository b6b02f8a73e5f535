package web

import (
	"context"
	"net/http"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// connections shows every wire to the outside.
func (s *Site) connections(ctx context.Context, _ *http.Request) (page, error) {
	v, err := s.b.Connections(ctx)
	if err != nil {
		return page{}, err
	}
	return page{
		Title:  "Connections",
		Nav:    "/connections",
		Topics: []string{view.TopicConnection, view.TopicMeasurement},
		Parts:  []part{{id: "co-rows", held: true, c: connectionRows(v)}},
		body:   func(p page) templ.Component { return connectionsPage(p, v) },
	}, nil
}

// connection shows one wire and exactly what went over it.
func (s *Site) connection(ctx context.Context, r *http.Request) (page, error) {
	v, err := s.b.Connection(ctx, r.PathValue("id"))
	if err != nil {
		return page{}, err
	}
	return page{
		Title:  v.Shop,
		Nav:    "/connections",
		Topics: []string{view.TopicConnection + ":" + v.ID, view.TopicMeasurement},
		Parts: []part{
			{id: "c-head", c: connectionHead(v)}, {id: "c-wires", c: connectionWires(v)},
			{id: "c-errors", held: true, c: connectionErrors(v)}, {id: "c-log", held: true, c: requestTable(v.Requests)},
		},
		body: func(p page) templ.Component { return connectionPage(p, v) },
	}, nil
}

// vendorOf finds a vendor by name.
func vendorOf(v view.Connections, name string) (view.Vendor, error) {
	for _, x := range v.Vendors {
		if x.Name == name {
			return x, nil
		}
	}
	return view.Vendor{}, errs.New(errs.NotFound, "web.vendor", name, "No connector is called %s.", name)
}

// supportLevel marks what a vendor can do; "no" is a property, not a fault.
func supportLevel(support string) view.Level {
	if support == "yes" {
		return view.Good
	}
	return view.Quiet
}
