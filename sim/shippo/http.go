package shippo

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/spillway/spillway/sim/internal/post"
	"github.com/spillway/spillway/sim/world"
)

const (
	maxBody = 1 << 20
	maxPage = 100
)

// Handler serves the interface, and labels under /files. Faults strike at the method and path, such as "POST /transactions".
func (s *Sim) Handler() http.Handler {
	api := http.NewServeMux()
	api.HandleFunc("POST /shipments", s.createShipment)
	api.HandleFunc("GET /shipments/{id}", s.showShipment)
	api.HandleFunc("GET /rates/{id}", s.showRate)
	api.HandleFunc("POST /transactions", s.buy)
	api.HandleFunc("GET /transactions", s.list)
	api.HandleFunc("GET /transactions/{id}", s.show)
	api.HandleFunc("POST /refunds", s.takeBack)
	api.HandleFunc("POST /manifests", s.manifest)
	api.HandleFunc("GET /manifests/{id}", s.showManifest)
	mux := http.NewServeMux()
	mux.Handle("/", auth(api))
	mux.HandleFunc("GET /files/{file}", s.file)
	return s.Faults.Intercept(s.Clock, func(r *http.Request) string { return r.Method + " " + r.URL.Path }, fault, post.Late(s.Clock, mux))
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that has gone away is its own business
}

func detail(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]string{"detail": text})
}

func wrong(w http.ResponseWriter, field, text string) {
	answer(w, http.StatusBadRequest, map[string][]string{field: {text}})
}

func fault(w http.ResponseWriter, _ *http.Request, kind world.Kind) {
	switch kind {
	case world.Throttle:
		w.Header().Set("Retry-After", "1")
		detail(w, http.StatusTooManyRequests, "Request was throttled.")
	case world.Unavailable:
		http.Error(w, "<html>503 Service Unavailable</html>", http.StatusServiceUnavailable)
	case world.TokenExpired:
		detail(w, http.StatusUnauthorized, "Invalid token.")
	default:
		http.Error(w, "<html>500 Internal Server Error</html>", http.StatusInternalServerError)
	}
}

func auth(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "ShippoToken "+APIKey:
			detail(w, http.StatusUnauthorized, "Invalid token.")
		case r.Header.Get("Shippo-Api-Version") != "2018-02-08":
			detail(w, http.StatusBadRequest, "Unknown version.")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(into); err != nil {
		wrong(w, "__all__", "The body is not readable.")
		return false
	}
	return true
}

func (s *Sim) createShipment(w http.ResponseWriter, r *http.Request) {
	var in shipmentIn
	if !read(w, r, &in) {
		return
	}
	switch {
	case in.From == nil || in.To == nil || in.From.Street1 == "" || in.To.Street1 == "":
		wrong(w, "address_to", "This field is required.")
		return
	case len(in.Parcels) != 1 || in.Parcels[0].grams() <= 0:
		wrong(w, "parcels", "A valid weight is required.")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.shipments) >= maxObjects {
		detail(w, http.StatusServiceUnavailable, "The simulator is full.")
		return
	}
	h := &shipment{id: s.id(), in: in}
	h.in.From.ID, h.in.To.ID = s.id(), s.id()
	s.quote(h)
	s.shipments[h.id] = h
	answer(w, http.StatusCreated, h.view())
}

func (s *Sim) showShipment(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.shipments[r.PathValue("id")]; h != nil {
		answer(w, http.StatusOK, h.view())
		return
	}
	detail(w, http.StatusNotFound, "Not found.")
}

func (s *Sim) showRate(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.rates[r.PathValue("id")]; o != nil {
		answer(w, http.StatusOK, o)
		return
	}
	detail(w, http.StatusNotFound, "Not found.")
}

func (s *Sim) buy(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Rate     string `json:"rate"`
		Form     string `json:"label_file_type"`
		Metadata string `json:"metadata"`
	}
	if !read(w, r, &in) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.rates[in.Rate]
	switch {
	case o == nil:
		wrong(w, "rate", "Rate with supplied object_id not found.")
		return
	case len(in.Metadata) > 100:
		wrong(w, "metadata", "Ensure this field has no more than 100 characters.")
		return
	case len(s.transactions) >= maxObjects:
		detail(w, http.StatusServiceUnavailable, "The simulator is full.")
		return
	}
	t := &transaction{id: s.id(), created: s.Clock.Now(), metadata: in.Metadata, form: in.Form, host: r.Host, rate: o, status: "QUEUED"}
	s.transactions = append(s.transactions, t)
	s.byID[t.id] = t
	if s.queueing > 0 {
		s.queueing--
		s.Clock.At(t.created.Add(queuedFor), func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.settle(t)
		})
	} else {
		s.settle(t)
	}
	answer(w, http.StatusCreated, s.view(t)) // a label that failed too
}

func (s *Sim) list(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("results"))
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	n, page = min(max(n, 1), maxPage), max(page, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	out, next := []map[string]any{}, any(nil)
	for i := len(s.transactions) - 1 - (page-1)*n; i >= 0; i-- {
		if len(out) == n {
			next = "http://" + r.Host + "/transactions?page=" + strconv.Itoa(page+1)
			break
		}
		out = append(out, s.view(s.transactions[i]))
	}
	answer(w, http.StatusOK, map[string]any{"results": out, "next": next, "previous": nil})
}

func (s *Sim) show(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.byID[r.PathValue("id")]; t != nil {
		answer(w, http.StatusOK, s.view(t))
		return
	}
	detail(w, http.StatusNotFound, "Not found.")
}

func (s *Sim) takeBack(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Transaction string `json:"transaction"`
	}
	if !read(w, r, &in) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.byID[in.Transaction]
	switch {
	case t == nil:
		wrong(w, "transaction", "Transaction not found.")
	case t.status != "SUCCESS":
		wrong(w, "__all__", "The transaction cannot be refunded.")
	case t.scanned:
		t.status = "REFUNDREJECTED"
		answer(w, http.StatusCreated, map[string]string{"object_id": s.id(), "status": "ERROR", "transaction": t.id})
	default:
		t.status = "REFUNDPENDING"
		s.Clock.At(s.Clock.Now().Add(refundAfter), func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			t.status = "REFUNDED"
		})
		answer(w, http.StatusCreated, map[string]string{"object_id": s.id(), "status": "PENDING", "transaction": t.id})
	}
}

func (s *Sim) manifest(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Account      string   `json:"carrier_account"`
		From         string   `json:"address_from"`
		Transactions []string `json:"transactions"`
	}
	if !read(w, r, &in) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*transaction
	for _, id := range in.Transactions {
		t := s.byID[id]
		if t == nil || t.status != "SUCCESS" || t.manifest != "" || t.rate.Account != in.Account {
			answer(w, http.StatusCreated, map[string]any{"object_id": s.id(), "status": "ERROR", "documents": []string{}, "errors": []string{"A transaction cannot be on this manifest."}})
			return
		}
		all = append(all, t)
	}
	if in.From == "" || len(all) == 0 {
		wrong(w, "address_from", "This field is required.")
		return
	}
	id := s.id()
	s.manifests[id] = true
	for _, t := range all {
		t.manifest = id
	}
	answer(w, http.StatusCreated, manifestView(r, id))
}

func manifestView(r *http.Request, id string) map[string]any {
	return map[string]any{"object_id": id, "status": "SUCCESS", "documents": []string{"http://" + r.Host + "/files/" + id + ".pdf"}, "errors": nil}
}

func (s *Sim) showManifest(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.manifests[r.PathValue("id")] {
		answer(w, http.StatusNotFound, map[string]string{"detail": "Not found."})
		return
	}
	answer(w, http.StatusOK, manifestView(r, r.PathValue("id")))
}

func (s *Sim) file(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, ext, _ := strings.Cut(r.PathValue("file"), ".")
	t := s.byID[name]
	switch {
	case s.manifests[name]:
		_, _ = w.Write(post.PDF("MANIFEST " + name))
	case t == nil || t.number == "":
		http.NotFound(w, r)
	case ext == "zpl":
		_, _ = w.Write(post.ZPL(t.number))
	default:
		_, _ = w.Write(post.PDF(t.rate.Provider + " " + t.number))
	}
}
