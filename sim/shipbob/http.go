package shipbob

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/sim/depot"
	"github.com/spillway/spillway/sim/world"
)

const maxBody = 1 << 20

// Handler serves the API.
func (s *Sim) Handler() http.Handler {
	mux := http.NewServeMux()
	base := "/" + Version
	mux.HandleFunc("POST "+base+"/order", s.create)
	mux.HandleFunc("GET "+base+"/order", s.list)
	mux.HandleFunc("GET "+base+"/order/{id}", s.read)
	mux.HandleFunc("POST "+base+"/order/{id}", s.cancel) // the path ends in ":cancel"
	mux.HandleFunc("GET "+base+"/inventory-level/locations", s.levels)
	return s.Faults.Intercept(s.Clock, func(r *http.Request) string { return r.Method + " " + r.URL.Path }, fault, s.guard(mux))
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that has gone away is its own business
}

func refuse(w http.ResponseWriter, status int, field, message string) {
	answer(w, status, object{field: []string{message}})
}

func fault(w http.ResponseWriter, _ *http.Request, kind world.Kind) {
	switch kind {
	case world.Throttle:
		tooMany(w, time.Second)
	case world.TokenExpired:
		answer(w, http.StatusUnauthorized, object{"message": "Unauthorized"})
	case world.Unavailable:
		answer(w, http.StatusServiceUnavailable, object{"message": "Service Unavailable"})
	default:
		answer(w, http.StatusInternalServerError, object{"message": "An error has occurred."})
	}
}

func tooMany(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("X-Remaining-Calls", "0")
	w.Header().Set("X-Retry-After", strconv.Itoa(int(wait/time.Second)+1))
	answer(w, http.StatusTooManyRequests, object{"statusCode": 429, "message": "Rate limit is exceeded."})
}

func (s *Sim) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.Clock.Now().Format(http.TimeFormat))
		wait := s.busy()
		switch {
		case r.Header.Get("Authorization") != "Bearer "+Token:
			answer(w, http.StatusUnauthorized, object{"message": "Unauthorized"})
		case wait > 0:
			tooMany(w, wait)
		case r.Method != http.MethodGet && r.Header.Get("shipbob_channel_id") != ChannelID:
			answer(w, http.StatusForbidden, object{"message": "The channel may not write."})
		default:
			next.ServeHTTP(w, r)
		}
	})
}

type createOrder struct {
	Reference string `json:"reference_id"`
	Type      string `json:"type"`
	Method    string `json:"shipping_method"`
	Number    string `json:"order_number"`
	Recipient struct {
		Name    string `json:"name"`
		Address struct {
			Line1   string `json:"address1"`
			City    string `json:"city"`
			Country string `json:"country"`
		} `json:"address"`
	} `json:"recipient"`
	Products []struct {
		Reference string `json:"reference_id"`
		Line      int    `json:"external_line_id"`
		Quantity  int64  `json:"quantity"`
	} `json:"products"`
}

// missing names the first required field that is not there.
func (c createOrder) missing() string {
	switch {
	case c.Reference == "":
		return "reference_id"
	case c.Type == "":
		return "type"
	case c.Method == "":
		return "shipping_method"
	case c.Recipient.Name == "":
		return "recipient.name"
	case c.Recipient.Address.Line1 == "":
		return "recipient.address.address1"
	case c.Recipient.Address.City == "":
		return "recipient.address.city"
	case c.Recipient.Address.Country == "":
		return "recipient.address.country"
	case len(c.Products) == 0:
		return "products"
	}
	for _, p := range c.Products {
		if p.Reference == "" || p.Quantity < 1 {
			return "products"
		}
	}
	return ""
}

// create takes a reference id once: the second time it is refused, whatever became of the first.
func (s *Sim) create(w http.ResponseWriter, r *http.Request) {
	var in createOrder
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&in); err != nil {
		refuse(w, http.StatusBadRequest, "", "The body cannot be read.")
		return
	}
	if field := in.missing(); field != "" {
		refuse(w, http.StatusUnprocessableEntity, field, "The field is required.")
		return
	}
	s.taking.Lock()
	defer s.taking.Unlock()
	taken := len(s.Floor.Orders(func(o depot.Order) bool { return o.Reference == in.Reference })) > 0
	s.count(taken)
	if taken {
		refuse(w, http.StatusUnprocessableEntity, "reference_id", "Cannot insert order with existing reference id.")
		return
	}
	o := depot.Order{Reference: in.Reference, Number: in.Number, Method: in.Method}
	for _, p := range in.Products {
		o.Lines = append(o.Lines, depot.Line{Ref: strconv.Itoa(p.Line), SKU: p.Reference, Qty: p.Quantity})
	}
	answer(w, http.StatusCreated, orderBody(s.Floor.Place(o)))
}

// list filters by reference or time of the last change, the newest order first.
func (s *Sim) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var references []string
	if q.Get("ReferenceIds") != "" {
		references = strings.Split(q.Get("ReferenceIds"), ",")
	}
	var since time.Time
	if v := q.Get("LastUpdateStartDate"); v != "" {
		at, err := time.Parse(time.RFC3339, v)
		if err != nil {
			refuse(w, http.StatusBadRequest, "LastUpdateStartDate", "The value is not valid.")
			return
		}
		since = at
	}
	found := s.Floor.Orders(func(o depot.Order) bool {
		return (references == nil || slices.Contains(references, o.Reference)) && !o.UpdatedAt.Before(since)
	})
	slices.Reverse(found)
	page, size := max(number(q.Get("Page"), 1), 1), min(max(number(q.Get("Limit"), 50), 1), maxPage)
	from := min((page-1)*size, len(found))
	out := []object{}
	for _, o := range found[from:min(from+size, len(found))] {
		out = append(out, orderBody(o))
	}
	w.Header().Set("Page-Number", strconv.Itoa(page))
	w.Header().Set("Total-Count", strconv.Itoa(len(found)))
	answer(w, http.StatusOK, out)
}

func number(s string, or int) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return or
	}
	return n
}

func (s *Sim) read(w http.ResponseWriter, r *http.Request) {
	o, ok := s.Floor.Get(number(r.PathValue("id"), 0))
	if !ok {
		answer(w, http.StatusNotFound, object{"message": "Not Found"})
		return
	}
	answer(w, http.StatusOK, orderBody(o))
}

func (s *Sim) cancel(w http.ResponseWriter, r *http.Request) {
	text, ok := strings.CutSuffix(r.PathValue("id"), ":cancel")
	id := number(text, 0)
	if _, known := s.Floor.Get(id); !ok || !known {
		answer(w, http.StatusNotFound, object{"message": "Not Found"})
		return
	}
	done := s.Floor.Cancel(id)
	o, _ := s.Floor.Get(id)
	result, status := "Success", http.StatusOK
	if !done {
		result, status = "Failure", http.StatusUnprocessableEntity
	}
	answer(w, status, object{"order": orderBody(o), "status": result, "order_id": id,
		"canceled_shipment_results": []object{{"shipment_id": 900000 + id, "action": "Cancel", "is_success": done}}})
}

// levels pages by a cursor, items by SKU.
func (s *Sim) levels(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	size, from := min(max(number(q.Get("PageSize"), 50), 1), maxPage), max(number(q.Get("Cursor"), 0), 0)
	items := []object{}
	var last string
	for _, shelf := range s.Floor.Shelves() {
		if shelf.SKU != last {
			items, last = append(items, object{"inventory_id": len(items) + 1, "sku": shelf.SKU, "name": shelf.SKU, "locations": []object{}}), shelf.SKU
		}
		at := items[len(items)-1]
		at["locations"] = append(at["locations"].([]object), object{"location_id": shelf.Place, "name": shelf.Place, "on_hand_quantity": shelf.OnHand,
			"committed_quantity": shelf.Allocated, "fulfillable_quantity": shelf.OnHand - shelf.Allocated - shelf.Damaged})
	}
	from = min(from, len(items))
	to := min(from+size, len(items))
	out := object{"items": items[from:to], "next": nil}
	if to < len(items) {
		out["next"] = "/" + Version + "/inventory-level/locations?PageSize=" + strconv.Itoa(size) + "&Cursor=" + strconv.Itoa(to)
	}
	answer(w, http.StatusOK, out)
}

func (s *Sim) count(refused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if refused {
		s.refused++
	} else {
		s.creates++
	}
}
