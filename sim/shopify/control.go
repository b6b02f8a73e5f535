package shopify

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/sim/world"
)

const (
	maxControlBody = 1 << 20
	controlPage    = 250 // entries of a list of the control API
)

// controlRoutes serves /_sandbox/api/: what the exported methods do, over JSON. It asks for no credentials, as the whole
// store is made up; whoever serves it decides who reaches it.
func (s *Sim) controlRoutes(mux *http.ServeMux) {
	route := func(pattern string, do func(r *http.Request, body []byte) (any, error)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /_sandbox/api/"+path, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControlBody))
			if err != nil {
				answerError(w, errs.New(errs.Invalid, "control", "body", "The body could not be read or is too large."))
				return
			}
			out, err := do(r, body)
			if err != nil {
				answerError(w, err)
				return
			}
			writeJSON(w, http.StatusOK, out)
		})
	}
	route("GET state", func(*http.Request, []byte) (any, error) { return s.state(), nil })
	route("GET items", func(r *http.Request, _ []byte) (any, error) { return s.itemList(r.URL.Query().Get("after")), nil })
	route("GET items/{sku}", func(r *http.Request, _ []byte) (any, error) { return s.itemView(r.PathValue("sku")) })
	route("POST products", func(_ *http.Request, b []byte) (any, error) { return decode(b, s.AddProduct) })
	route("POST locations", func(_ *http.Request, b []byte) (any, error) {
		return decode(b, func(in struct{ Name string }) (LocationID, error) { return s.AddLocation(in.Name) })
	})
	route("POST stock", func(_ *http.Request, b []byte) (any, error) { return decode(b, s.controlStock) })
	route("GET orders", func(*http.Request, []byte) (any, error) { return s.Orders(controlPage), nil })
	route("POST orders", func(_ *http.Request, b []byte) (any, error) { return decode(b, s.PlaceOrder) })
	s.controlOrderRoutes(route)
	route("GET webhooks", func(r *http.Request, _ []byte) (any, error) {
		after, _ := strconv.ParseUint(r.URL.Query().Get("after"), 10, 64) // absent or odd means from the start
		return s.courier.Attempts(after, controlPage), nil
	})
	route("GET faults", func(*http.Request, []byte) (any, error) { return s.opts.Fault.List(), nil })
	route("POST faults", func(_ *http.Request, b []byte) (any, error) { return decode(b, s.opts.Fault.Add) })
	route("DELETE faults", func(*http.Request, []byte) (any, error) { s.opts.Fault.Clear(); return map[string]any{}, nil })
	route("DELETE faults/{id}", func(r *http.Request, _ []byte) (any, error) {
		if !s.opts.Fault.Remove(r.PathValue("id")) {
			return nil, errs.New(errs.NotFound, "control", r.PathValue("id"), "There is no such fault rule.")
		}
		return map[string]any{}, nil
	})
	route("POST suspend", func(_ *http.Request, b []byte) (any, error) {
		return decode(b, func(in struct{ Status int }) (map[string]any, error) { return map[string]any{}, s.Suspend(in.Status) })
	})
	route("POST uninstall", func(*http.Request, []byte) (any, error) { s.Uninstall(); return map[string]any{}, nil })
}

func (s *Sim) controlOrderRoutes(route func(string, func(*http.Request, []byte) (any, error))) {
	route("GET orders/{id}", func(r *http.Request, _ []byte) (any, error) { return s.Order(pathID(r)) })
	route("POST orders/{id}/cancel", func(r *http.Request, b []byte) (any, error) {
		return decode(b, func(in struct {
			Reason  string
			Restock bool
		}) (Order, error) {
			return s.CancelOrder(pathID(r), in.Reason, in.Restock)
		})
	})
	route("POST orders/{id}/fulfill", func(r *http.Request, b []byte) (any, error) {
		return decode(b, func(in struct{ Company, Number string }) (Order, error) {
			return s.FulfillOrder(pathID(r), in.Company, in.Number)
		})
	})
	route("POST orders/{id}/edit", func(r *http.Request, b []byte) (any, error) {
		return decode(b, func(in struct {
			SKU     string
			Units   int
			Restock bool
		}) (Order, error) {
			return s.EditOrder(pathID(r), in.SKU, in.Units, in.Restock)
		})
	})
	route("POST orders/{id}/pay", func(r *http.Request, _ []byte) (any, error) { return s.PayOrder(pathID(r)) })
	route("POST orders/{id}/hold", func(r *http.Request, b []byte) (any, error) {
		return decode(b, func(in struct{ On bool }) (map[string]any, error) {
			return map[string]any{}, s.HoldOrder(pathID(r), in.On)
		})
	})
}

// pathID is the order number in the path, 0 for anything else.
func pathID(r *http.Request) int64 {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// decode reads a JSON body and hands it on. An empty body is the zero value.
func decode[In, Out any](body []byte, do func(In) (Out, error)) (any, error) {
	var in In
	if len(body) > 0 {
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, errs.New(errs.Invalid, "control", "body", "The body is not the JSON that is expected here: %s.", err)
		}
	}
	return do(in)
}

func answerError(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	switch errs.KindOf(err) {
	case errs.Invalid:
		status = http.StatusUnprocessableEntity
	case errs.NotFound:
		status = http.StatusNotFound
	case errs.Conflict, errs.Insufficient:
		status = http.StatusConflict
	case errs.Busy:
		status = http.StatusTooManyRequests
	}
	writeJSON(w, status, map[string]any{"error": errs.Safe(err), "kind": errs.KindOf(err).String()})
}

// stockEdit is a change behind the app's back: an absolute number or a delta.
type stockEdit struct {
	SKU       string     `json:"sku"`
	Location  LocationID `json:"location"`
	Available *int       `json:"available"`
	Delta     int        `json:"delta"`
}

func (s *Sim) controlStock(in stockEdit) ([]Stock, error) {
	err := error(nil)
	if in.Available != nil {
		err = s.SetAvailable(in.SKU, in.Location, *in.Available)
	} else {
		err = s.AdjustAvailable(in.SKU, in.Location, in.Delta)
	}
	if err != nil {
		return nil, err
	}
	return s.Stock(in.SKU)
}

// itemView is one SKU with its stock and what happened to it.
type itemView struct {
	SKUStats
	ItemID  int64   `json:"inventory_item_id"`
	Product string  `json:"product"`
	Stock   []Stock `json:"stock"`
}

func (s *Sim) itemView(sku string) (itemView, error) {
	stock, err := s.Stock(sku)
	if err != nil {
		return itemView{}, err
	}
	stats, err := s.Stats(sku)
	if err != nil {
		return itemView{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	it := s.bySKU[sku][0]
	return itemView{SKUStats: stats, ItemID: it.id, Product: it.variants[0].displayName(), Stock: stock}, nil
}

// itemList lists SKUs in the order they were added, a page at a time.
func (s *Sim) itemList(after string) []itemView {
	s.mu.RLock()
	skus := make([]string, 0, controlPage)
	taking := after == ""
	for _, it := range s.items {
		if taking && len(skus) < controlPage && s.bySKU[it.sku][0] == it {
			skus = append(skus, it.sku)
		}
		taking = taking || it.sku == after
	}
	s.mu.RUnlock()
	out := make([]itemView, 0, len(skus))
	for _, sku := range skus {
		if v, err := s.itemView(sku); err == nil { // nothing ever leaves the catalogue
			out = append(out, v)
		}
	}
	return out
}

// storeState is the store at a glance.
type storeState struct {
	Shop          string             `json:"shop"`
	Plan          Plan               `json:"plan"`
	Versions      []string           `json:"versions"`
	Counts        Counts             `json:"counts"`
	Budget        map[string]any     `json:"budget"`
	Locations     []namedLocation    `json:"locations"`
	Subscriptions []Subscription     `json:"subscriptions"`
	Webhooks      world.CourierStats `json:"webhooks"`
}

type namedLocation struct {
	ID   LocationID `json:"id"`
	Name string     `json:"name"`
}

func (s *Sim) state() storeState {
	out := storeState{Shop: s.opts.ShopDomain, Plan: s.opts.Plan, Versions: Versions(), Counts: s.Counts(),
		Budget: s.bucket.status(s.opts.Clock.Now()), Subscriptions: s.Subscriptions(), Webhooks: s.courier.Stats()}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, l := range s.locations {
		out.Locations = append(out.Locations, namedLocation{LocationID(l.id), l.name})
	}
	return out
}
