package web

import (
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/ops/view"
)

// link is the address of the page r points to; empty when there is none.
func link(r view.Ref) templ.SafeURL {
	id := url.PathEscape(r.ID)
	switch r.Kind {
	case view.KindItem:
		return templ.SafeURL("/items/" + id)
	case view.KindOrder:
		return templ.SafeURL("/orders/" + id)
	case view.KindConnection:
		return templ.SafeURL("/connections/" + id)
	case view.KindHold:
		return templ.SafeURL("/live#" + domID("hold", r.ID))
	case view.KindProblems:
		return "/problems"
	case view.KindFigure:
		return templ.SafeURL("/explain/" + id)
	case view.KindApps:
		return "/connections#apps"
	case view.KindItems:
		return "/items"
	case view.KindHealth:
		return query("/health", "shop", r.ID)
	case view.KindMetric:
		shop, metric, _ := strings.Cut(r.ID, "@")
		return query("/health/"+url.PathEscape(metric), "shop", shop)
	case view.KindReconciliation:
		return templ.SafeURL("/health/reconcile/" + id)
	case view.KindPolicy:
		return query("/policy", "market", r.ID)
	case view.KindIncident:
		return templ.SafeURL("/incidents/" + id)
	case view.KindCapacity:
		return "/capacity"
	case view.KindByHand:
		return floorPath("/byhand", r.ID)
	case view.KindAlerts:
		return "/alerts"
	}
	return ""
}

func itemLink(id string) templ.SafeURL { return link(view.Ref{Kind: view.KindItem, ID: id}) }

func orderLink(id string) templ.SafeURL { return link(view.Ref{Kind: view.KindOrder, ID: id}) }

func connectionLink(id string) templ.SafeURL {
	return link(view.Ref{Kind: view.KindConnection, ID: id})
}

func figureLink(id string) templ.SafeURL { return link(view.Ref{Kind: view.KindFigure, ID: id}) }

// query is the address path with the pairs that have a value.
func query(path string, pairs ...string) templ.SafeURL {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return templ.SafeURL(path)
	}
	return templ.SafeURL(path + "?" + q.Encode())
}
