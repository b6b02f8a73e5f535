package tiktok

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/sim/world"
)

//go:embed page
var pageFiles embed.FS

// Rows the page shows of each list; the control API gives more.
const (
	pageOrders   = 25
	pageHooks    = 40
	pageRequests = 200
)

var pageTemplate = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"clock": func(t time.Time) string { return t.UTC().Format("15:04:05") },
	"unix": func(sec int64) string {
		if sec == 0 {
			return "–"
		}
		return time.Unix(sec, 0).UTC().Format("2 Jan 15:04")
	},
	"words": func(status string) string { return strings.ToLower(strings.ReplaceAll(status, "_", " ")) },
	"tone":  tone,
	"haskey": func(m map[string]int, k string) bool {
		_, ok := m[k]
		return ok
	},
	"cancels": func(status string) []canceller { return cancellers[status] },
	"next":    func(status string) string { return nextStep[status] },
	"ms":      func(v float64) string { return fmt.Sprintf("%.1f", v) },
	"short": func(id string) string {
		if len(id) > 6 {
			return "…" + id[len(id)-6:]
		}
		return id
	},
}).ParseFS(pageFiles, "page/page.html"))

// nextStep names what AdvanceStatus does from a status; a status without a name has no next one.
var nextStep = map[string]string{unpaid: "Pay", onHold: "Release", awaitingShipment: "Ship", partiallyShipping: "Ship rest",
	awaitingCollection: "Scan", inTransit: "Deliver", delivered: "Complete"}

// canceller is one who may cancel an order, and the button's words for it.
type canceller struct{ Role, Words string }

var (
	byBuyer    = canceller{"BUYER", "Buyer cancels"}
	bySeller   = canceller{"SELLER", "Seller cancels"}
	byPlatform = canceller{"SYSTEM", "Platform cancels"}
	cancellers = map[string][]canceller{unpaid: {byBuyer, bySeller}, onHold: {byBuyer, bySeller}, awaitingShipment: {byBuyer, bySeller},
		partiallyShipping: {byBuyer, bySeller}, awaitingCollection: {bySeller, byPlatform}, inTransit: {byPlatform}}
)

// tone is the colour class of a status.
func tone(status string) string {
	switch status {
	case cancelled:
		return "bad"
	case completed, delivered:
		return "good"
	case unpaid, onHold:
		return "wait"
	}
	return "busy"
}

// pages mounts the sandbox page and the control API. Requests that change something are refused when a browser says
// that another site sent them.
func (s *Sim) pages(mux *http.ServeMux) {
	own := http.NewServeMux()
	s.control(own)
	own.HandleFunc("GET /_sandbox/{$}", s.page)
	own.HandleFunc("GET /_sandbox/documents/{id}", s.document)
	own.HandleFunc("GET /_sandbox/bundles/{id}", s.bundleDocument)
	for _, name := range []string{"style.css", "page.js"} {
		own.HandleFunc("GET /_sandbox/"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, pageFiles, "page/"+name)
		})
	}
	for _, a := range actions() {
		own.HandleFunc("POST /_sandbox/do/"+a.Name, s.form(a))
	}
	mux.Handle("/_sandbox/", http.NewCrossOriginProtection().Handler(own))
	mux.Handle("GET /{$}", http.RedirectHandler("/_sandbox/", http.StatusFound))
}

// form runs an action posted by the page and goes back to it, with what went wrong if something did.
func (s *Sim) form(a action) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := readCommand(w, r)
		var v any
		if err == nil {
			v, err = a.do(s, c)
		}
		q := url.Values{}
		if at := r.PostForm.Get("at"); at != "" {
			q.Set("shop", at)
		}
		if err != nil {
			q.Set("error", errs.Safe(err))
		} else if out, ok := v.(fields); ok && a.Name == "place" {
			q.Set("note", fmt.Sprintf("%d placed, %d refused for want of stock", len(out["orders"].([]string)), out["refused"]))
		}
		http.Redirect(w, r, "/_sandbox/?"+q.Encode()+"#"+url.PathEscape(r.PostForm.Get("back")), http.StatusSeeOther)
	}
}

type pageData struct {
	Now               time.Time
	Shops             []ShopView
	Shop              *ShopView
	Orders            []OrderView
	Faults            []world.Rule
	Kinds             []world.Kind
	Points            []string
	Hooks             []world.Attempt
	HookStats         world.CourierStats
	Requests          []Request
	Console           map[string]string
	Sellers           []string
	Actions           []action
	AppKey, AppSecret string
	ServiceID, Base   string
	Error, Note       string
}

func (s *Sim) page(w http.ResponseWriter, r *http.Request) {
	d := pageData{Now: s.o.Clock.Now(), Shops: s.Shops(), Faults: s.faults.List(), Kinds: world.Kinds(), Hooks: s.courier.Attempts(0, pageHooks),
		HookStats: s.courier.Stats(), Requests: s.Requests(0), Sellers: s.Sellers(), Actions: actions(), AppKey: s.o.AppKey,
		AppSecret: s.o.AppSecret, ServiceID: s.o.ServiceID, Base: "http://" + r.Host, Error: r.FormValue("error"), Note: r.FormValue("note"),
		Points: []string{"*", "POST /product/202309/products/*/inventory/update", "POST /order/202309/orders/search", "GET /order/*", "webhook:*",
			"webhook:ORDER_STATUS_CHANGE"}, Console: map[string]string{}}
	s.mu.Lock()
	for event, address := range s.console {
		d.Console[event] = address
	}
	s.mu.Unlock()
	for i := range d.Shops {
		if d.Shops[i].ID == r.FormValue("shop") || d.Shop == nil {
			d.Shop = &d.Shops[i]
		}
	}
	if d.Shop != nil {
		orders, err := s.Orders(d.Shop.ID, pageOrders)
		if err != nil {
			s.o.Log.Warn("orders not shown", "err", err)
		}
		d.Orders = orders
	}
	d.Requests = d.Requests[:min(len(d.Requests), pageRequests)]
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, d); err != nil {
		s.o.Log.Error("page not written", "err", err)
		http.Error(w, "The page cannot be shown.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; img-src data:; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	_, _ = b.WriteTo(w) // a client that has gone needs no answer
}
