package easypost

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/sim/internal/post"
	"github.com/spillway/spillway/sim/world"
)

const (
	maxBody = 1 << 20
	maxPage = 100
)

// Handler serves the interface under /v2 and labels under /labels. Faults strike at the method and path, such as "POST /v2/shipments/*/buy".
func (s *Sim) Handler() http.Handler {
	api := http.NewServeMux()
	api.HandleFunc("POST /v2/shipments", s.create)
	api.HandleFunc("GET /v2/shipments/{id}", s.one(s.show))
	api.HandleFunc("POST /v2/shipments/{id}/rerate", s.one(s.rerate))
	api.HandleFunc("POST /v2/shipments/{id}/buy", s.one(s.buy))
	api.HandleFunc("POST /v2/shipments/{id}/refund", s.one(s.takeBack))
	api.HandleFunc("GET /v2/shipments/{id}/label", s.one(s.convert))
	api.HandleFunc("POST /v2/scan_forms", s.scanForm)
	api.HandleFunc("GET /v2/scan_forms/{id}", s.showForm)
	api.HandleFunc("GET /v2/events", s.listEvents)
	api.HandleFunc("POST /v2/webhooks", s.setWebhook)
	api.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusNotFound, "NOT_FOUND", "The requested resource could not be found.")
	})
	mux := http.NewServeMux()
	mux.Handle("/v2/", auth(api))
	mux.HandleFunc("GET /labels/{file}", s.file)
	return s.Faults.Intercept(s.Clock, func(r *http.Request) string { return r.Method + " " + r.URL.Path }, fault, post.Late(s.Clock, mux))
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that has gone away is its own business
}

// fail answers an error; its message may be a text, a list or an object, as with the vendor.
func fail(w http.ResponseWriter, status int, code string, message any, errors ...any) {
	answer(w, status, map[string]any{"error": map[string]any{"code": code, "message": message, "errors": slices.Concat([]any{}, errors)}})
}

func fault(w http.ResponseWriter, _ *http.Request, kind world.Kind) {
	switch kind {
	case world.Throttle:
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusTooManyRequests, "RATE_LIMITED", "Too many requests.")
	case world.Unavailable:
		fail(w, http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE", "Try again later.")
	case world.TokenExpired:
		fail(w, http.StatusUnauthorized, "APIKEY.INACTIVE", "This key is no longer active.")
	default:
		fail(w, http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", "Something went wrong.")
	}
}

func auth(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, pass, ok := r.BasicAuth(); !ok || user != APIKey || pass != "" {
			fail(w, http.StatusUnauthorized, "UNAUTHORIZED", "Authentication is missing or invalid.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(into); err != nil {
		fail(w, http.StatusBadRequest, "PARAMETERS.INVALID", []string{"The body is not readable."})
		return false
	}
	return true
}

func (s *Sim) create(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Shipment shipmentIn `json:"shipment"`
	}
	if !read(w, r, &body) {
		return
	}
	in := body.Shipment
	switch {
	case in.To == nil || in.From == nil || in.To.Street1 == "" || in.From.Street1 == "":
		fail(w, http.StatusUnprocessableEntity, "ADDRESS.PARAMETERS.INVALID", map[string]any{"to_address": []string{"street1 is required"}})
		return
	case in.Parcel == nil || in.Parcel.Weight == nil || *in.Parcel.Weight <= 0:
		fail(w, http.StatusUnprocessableEntity, "PARAMETER.REQUIRED", "Missing required parameter.", map[string]string{"field": "weight", "message": "cannot be blank"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.shipments) >= maxShipments {
		fail(w, http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE", "The simulator is full.")
		return
	}
	h := &shipment{in: in, id: s.id("shp"), created: s.Clock.Now(), host: r.Host}
	s.quote(h)
	s.shipments = append(s.shipments, h)
	s.byID[h.id] = h
	answer(w, http.StatusCreated, s.view(h))
}

// one finds the shipment of a call and holds the lock.
func (s *Sim) one(do func(http.ResponseWriter, *http.Request, *shipment)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		h := s.find(r.PathValue("id"))
		if h == nil {
			fail(w, http.StatusNotFound, "NOT_FOUND", "The requested resource could not be found.")
			return
		}
		do(w, r, h)
	}
}

func (s *Sim) show(w http.ResponseWriter, _ *http.Request, h *shipment) {
	answer(w, http.StatusOK, s.view(h))
}

func (s *Sim) rerate(w http.ResponseWriter, _ *http.Request, h *shipment) {
	if h.bought != nil {
		fail(w, http.StatusUnprocessableEntity, "SHIPMENT.POSTAGE.EXISTS", "Postage already exists for this shipment.")
		return
	}
	s.quote(h)
	answer(w, http.StatusOK, s.view(h))
}

func (s *Sim) buy(w http.ResponseWriter, r *http.Request, h *shipment) {
	var body struct {
		Rate struct {
			ID string `json:"id"`
		} `json:"rate"`
	}
	if !read(w, r, &body) {
		return
	}
	i := slices.IndexFunc(h.rates, func(o rate) bool { return o.ID == body.Rate.ID })
	switch {
	case h.bought != nil:
		fail(w, http.StatusUnprocessableEntity, "SHIPMENT.POSTAGE.EXISTS", "Postage already exists for this shipment.")
		return
	case i < 0:
		fail(w, http.StatusUnprocessableEntity, "SHIPMENT.RATE.NOT_FOUND", []string{"The rate is not one of this shipment."})
		return
	}
	h.bought, h.paidAt, h.tracker = &h.rates[i], s.Clock.Now(), s.id("trk")
	h.number = post.USPS(s.rnd)
	if h.bought.Carrier == "UPS" {
		h.number = post.UPS(s.rnd)
	}
	s.tell(h, "tracker.created")
	s.pass(h, post.Way[0])
	s.travel(h)
	answer(w, http.StatusOK, s.view(h))
}

func (s *Sim) takeBack(w http.ResponseWriter, _ *http.Request, h *shipment) {
	switch {
	case h.bought == nil:
		fail(w, http.StatusUnprocessableEntity, "SHIPMENT.REFUND.UNAVAILABLE", "There is no postage to refund.")
	case h.refund != "":
		fail(w, http.StatusUnprocessableEntity, "SHIPMENT.REFUND.EXISTS", "A refund was requested before.")
	case h.scanned:
		fail(w, http.StatusUnprocessableEntity, "SHIPMENT.REFUND.UNAVAILABLE", "The label was used.")
	default:
		h.refund = "submitted"
		s.Clock.At(s.Clock.Now().Add(refundAfter), func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			h.refund = "refunded"
		})
		answer(w, http.StatusOK, s.view(h))
	}
}

func (s *Sim) convert(w http.ResponseWriter, r *http.Request, h *shipment) {
	format := strings.ToUpper(r.URL.Query().Get("file_format"))
	if h.bought == nil || format != "PDF" && format != "ZPL" {
		fail(w, http.StatusUnprocessableEntity, "SHIPMENT.LABEL.UNAVAILABLE", "There is no such label.")
		return
	}
	out := s.view(h)
	if l, ok := out["postage_label"].(map[string]any); ok {
		l["label_"+strings.ToLower(format)+"_url"] = h.labelURL(strings.ToLower(format))
	}
	answer(w, http.StatusOK, out)
}

func (s *Sim) file(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, ext, _ := strings.Cut(r.PathValue("file"), ".")
	if s.forms[name] {
		_, _ = w.Write(post.PDF("SCAN FORM " + name))
		return
	}
	h := s.byID[name]
	if h == nil || h.bought == nil {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(print(h, ext))
}

func (s *Sim) scanForm(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Shipments []struct {
			ID string `json:"id"`
		} `json:"shipments"`
	}
	if !read(w, r, &body) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*shipment
	for _, in := range body.Shipments {
		h := s.byID[in.ID]
		if h == nil || h.bought == nil || h.form != "" || h.refund != "" || h.bought.Carrier != "USPS" || h.paidAt.UTC().Format(time.DateOnly) < s.Clock.Now().UTC().Format(time.DateOnly) {
			fail(w, http.StatusUnprocessableEntity, "SCAN_FORM.INVALID_SHIPMENTS", "A shipment has no postage of USPS, is refunded, is dated before today or is on another form.")
			return
		}
		all = append(all, h)
	}
	id := s.id("sf")
	s.forms[id] = true
	for _, h := range all {
		h.form = id
	}
	answer(w, http.StatusCreated, formView(r, id))
}

func formView(r *http.Request, id string) map[string]any {
	return map[string]any{"id": id, "object": "ScanForm", "status": "created", "message": nil, "form_url": "http://" + r.Host + "/labels/" + id + ".pdf"}
}

func (s *Sim) showForm(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.forms[r.PathValue("id")] {
		fail(w, http.StatusNotFound, "NOT_FOUND", "The requested resource could not be found.")
		return
	}
	answer(w, http.StatusOK, formView(r, r.PathValue("id")))
}

func (s *Sim) listEvents(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	since, _ := time.Parse(time.RFC3339, q.Get("start_datetime"))
	n, _ := strconv.Atoi(q.Get("page_size"))
	n = min(max(n, 1), maxPage)
	s.mu.Lock()
	defer s.mu.Unlock()
	out, more, started := []json.RawMessage{}, false, q.Get("before_id") == ""
	for _, e := range slices.Backward(s.events) {
		switch {
		case !started:
			started = e.id == q.Get("before_id")
		case e.at.Before(since):
		case len(out) == n:
			more = true
		default:
			out = append(out, e.body)
		}
	}
	answer(w, http.StatusOK, map[string]any{"events": out, "has_more": more})
}

func (s *Sim) setWebhook(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Webhook struct {
			URL    string `json:"url"`
			Secret string `json:"webhook_secret"`
		} `json:"webhook"`
	}
	if !read(w, r, &body) {
		return
	}
	s.Webhook(body.Webhook.URL, body.Webhook.Secret)
	answer(w, http.StatusCreated, map[string]any{"id": "hook_1", "object": "Webhook", "url": body.Webhook.URL})
}
