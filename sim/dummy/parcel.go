package dummy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// Parcel is what is sent of an order: on a label the platform sold, or on one it was told of.
type Parcel struct {
	ID         string `json:"id"`
	Order      string `json:"order"`
	Label      string `json:"label,omitempty"` // the buyer's reference of a label; empty: told
	Carrier    string `json:"carrier"`
	Tracking   string `json:"tracking"`
	Qty        int64  `json:"qty"`
	PriceCents int64  `json:"price_cents,omitempty"`
	Currency   string `json:"currency,omitempty"`
	Voided     bool   `json:"voided,omitempty"`
	Scanned    bool   `json:"scanned,omitempty"`
	Corrected  bool   `json:"corrected,omitempty"`
}

// Address is where an order goes. It is made up, and tells orders apart by its house number.
type Address struct {
	Name    string `json:"name"`
	Street  string `json:"street"`
	City    string `json:"city"`
	State   string `json:"state"`
	Postal  string `json:"postal"`
	Country string `json:"country"`
	Phone   string `json:"phone"`
}

const (
	labelCents   = 450
	labelCarrier = "Dummy Post"
)

// carriers are those a parcel may be told with.
var carriers = []string{labelCarrier, "USPS", "UPS", "FedEx"}

func (s *Sim) parcelRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /shops/{shop}/carriers", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"carriers": carriers})
	})
	mux.HandleFunc("GET /shops/{shop}/orders/{order}/address", s.readAddress)
	mux.HandleFunc("GET /shops/{shop}/orders/{order}/offer", s.readOffer)
	mux.HandleFunc("GET /shops/{shop}/orders/{order}/parcels", s.readParcels)
	mux.HandleFunc("PUT /shops/{shop}/orders/{order}/parcels/{tracking}", s.tellParcel)
	mux.HandleFunc("POST /shops/{shop}/orders/{order}/parcels/{tracking}/correct", s.correctParcel)
	mux.HandleFunc("PUT /shops/{shop}/labels/{label}", s.buyLabel)
	mux.HandleFunc("GET /shops/{shop}/labels/{label}", s.withLabel(func(w http.ResponseWriter, p *Parcel) { answer(w, http.StatusOK, p) }))
	mux.HandleFunc("DELETE /shops/{shop}/labels/{label}", s.withLabel(s.voidLabel))
	mux.HandleFunc("GET /shops/{shop}/labels/{label}/document", s.withLabel(s.printLabel))
}

// LabelsPaid counts the labels of an order that were bought and not taken back.
func (s *Sim) LabelsPaid(order string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, p := range s.parcelsOf(order) {
		if p.Label != "" {
			n++
		}
	}
	return n
}

// Parcels are an order's parcels, voided ones not among them.
func (s *Sim) Parcels(order string) []Parcel {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Parcel
	for _, p := range s.parcelsOf(order) {
		out = append(out, *p)
	}
	return out
}

// AddressOf is where an order goes.
func (s *Sim) AddressOf(order string) Address {
	return Address{Name: "Jo Sample " + order, Street: strings.TrimLeft(order, "0") + " Example Street", City: "Springfield", State: "OR", Postal: "97477", Country: "US", Phone: "+15550100"}
}

// Scan is the carrier taking over all parcels of an order.
func (s *Sim) Scan(order string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orders[order]
	if o == nil || o.Status != "ready" {
		return fmt.Errorf("order %q is not ready", order)
	}
	for _, p := range s.parcelsOf(order) {
		p.Scanned = true
	}
	s.skus[o.SKU].Committed -= o.Qty
	s.changeTo(o, "shipped")
	return nil
}

// parcelsOf are the parcels of an order that stand. The caller holds the lock.
func (s *Sim) parcelsOf(order string) []*Parcel {
	var out []*Parcel
	for _, p := range s.parcels {
		if p.Order == order && !p.Voided {
			out = append(out, p)
		}
	}
	return out
}

func (s *Sim) changeTo(o *Order, status string) {
	s.seq++
	o.Status, o.UpdatedAt, o.seq, o.Parcels = status, s.Clock.Now(), s.seq, s.parcelsOf(o.ID)
	s.tell(*o)
}

// send puts units of an order into a new parcel; no quantity is all that is left. The caller holds the lock.
func (s *Sim) send(order string, qty int64, p Parcel) (*Parcel, int, string) {
	o := s.orders[order]
	switch {
	case o == nil:
		return nil, http.StatusNotFound, "There is no such order."
	case o.Status == "cancelled":
		return nil, http.StatusConflict, "The order is cancelled."
	}
	left := o.Qty
	for _, have := range s.parcelsOf(order) {
		left -= have.Qty
	}
	if qty == 0 {
		qty = left
	}
	if qty < 1 || qty > left {
		return nil, http.StatusConflict, "The order has not as many units left to send."
	}
	s.seq++
	p.ID, p.Order, p.Qty = fmt.Sprintf("parcel-%d", s.seq), order, qty
	s.parcels = append(s.parcels, &p)
	if qty == left {
		s.changeTo(o, "ready")
	} else {
		s.changeTo(o, "paid")
	}
	return &p, http.StatusOK, ""
}

func (s *Sim) readAddress(w http.ResponseWriter, r *http.Request) {
	o := s.orders[r.PathValue("order")]
	switch {
	case o == nil:
		fail(w, http.StatusNotFound, "unknown_order", "There is no such order.")
	case o.Status == "cancelled":
		fail(w, http.StatusConflict, "masked", "The address of a cancelled order is not told.")
	default:
		answer(w, http.StatusOK, s.AddressOf(o.ID))
	}
}

func (s *Sim) readOffer(w http.ResponseWriter, r *http.Request) {
	if s.orders[r.PathValue("order")] == nil {
		fail(w, http.StatusNotFound, "unknown_order", "There is no such order.")
		return
	}
	answer(w, http.StatusOK, map[string]any{"id": "standard", "carrier": labelCarrier, "price_cents": labelCents, "currency": "USD", "days": 3})
}

func (s *Sim) readParcels(w http.ResponseWriter, r *http.Request) {
	if s.orders[r.PathValue("order")] == nil {
		fail(w, http.StatusNotFound, "unknown_order", "There is no such order.")
		return
	}
	answer(w, http.StatusOK, map[string]any{"parcels": append([]*Parcel{}, s.parcelsOf(r.PathValue("order"))...)})
}

// buyLabel sells a label once for each reference: asked again it answers with the one there is.
func (s *Sim) buyLabel(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Order string `json:"order"`
		Qty   int64  `json:"qty"`
		Grams int64  `json:"grams"`
	}
	label := r.PathValue("label")
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&in); err != nil || in.Grams < 1 {
		fail(w, http.StatusBadRequest, "bad_request", "A label needs an order and a weight.")
		return
	}
	for _, p := range s.parcels {
		if p.Label != label {
			continue
		}
		if p.Order != in.Order {
			fail(w, http.StatusConflict, "label_taken", "The reference is that of another order's label.")
			return
		}
		answer(w, http.StatusOK, p)
		return
	}
	p, status, why := s.send(in.Order, in.Qty, Parcel{Label: label, Carrier: labelCarrier, Tracking: fmt.Sprintf("DP%010d", s.seq+1), PriceCents: labelCents, Currency: "USD"})
	if p == nil {
		fail(w, status, "not_now", why)
		return
	}
	answer(w, http.StatusOK, p)
}

func (s *Sim) withLabel(do func(http.ResponseWriter, *Parcel)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		i := slices.IndexFunc(s.parcels, func(p *Parcel) bool { return p.Label == r.PathValue("label") })
		if i < 0 {
			fail(w, http.StatusNotFound, "unknown_label", "There is no such label.")
			return
		}
		do(w, s.parcels[i])
	}
}

func (s *Sim) voidLabel(w http.ResponseWriter, p *Parcel) {
	if p.Scanned {
		fail(w, http.StatusConflict, "in_use", "The carrier has the parcel.")
		return
	}
	if !p.Voided {
		p.Voided = true
		s.changeTo(s.orders[p.Order], "paid")
	}
	answer(w, http.StatusOK, p)
}

func (s *Sim) printLabel(w http.ResponseWriter, p *Parcel) {
	a := s.AddressOf(p.Order)
	w.Header().Set("Content-Type", "application/zpl")
	fmt.Fprintf(w, "^XA^CI28^FO40,40^A0N,40^FD%s^FS^FO40,100^A0N,40^FD%s^FS^FO40,160^A0N,40^FD%s %s %s^FS^FO40,260^BCN,160^FD%s^FS^XZ\n", a.Name, a.Street, a.City, a.State, a.Postal, p.Tracking)
}

// tellParcel takes a number once: told again it answers with the parcel there is.
func (s *Sim) tellParcel(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Carrier string `json:"carrier"`
		Qty     int64  `json:"qty"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&in); err != nil || !slices.Contains(carriers, in.Carrier) {
		fail(w, http.StatusBadRequest, "bad_carrier", "The carrier is not one of the platform's.")
		return
	}
	order, tracking := r.PathValue("order"), r.PathValue("tracking")
	for _, p := range s.parcels {
		if p.Tracking != tracking {
			continue
		}
		if p.Order != order {
			fail(w, http.StatusConflict, "number_taken", "The number is that of another order's parcel.")
			return
		}
		answer(w, http.StatusOK, p)
		return
	}
	p, status, why := s.send(order, in.Qty, Parcel{Carrier: in.Carrier, Tracking: tracking})
	if p == nil {
		fail(w, status, "not_now", why)
		return
	}
	answer(w, http.StatusOK, p)
}

// correctParcel changes a number once.
func (s *Sim) correctParcel(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Tracking string `json:"tracking"`
	}
	err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&in)
	i := slices.IndexFunc(s.parcels, func(p *Parcel) bool {
		return p.Order == r.PathValue("order") && p.Tracking == r.PathValue("tracking") && p.Label == ""
	})
	switch {
	case err != nil || in.Tracking == "":
		fail(w, http.StatusBadRequest, "bad_request", "Say the new number.")
	case i < 0:
		fail(w, http.StatusNotFound, "unknown_parcel", "There is no such parcel.")
	case s.parcels[i].Corrected:
		fail(w, http.StatusConflict, "corrected", "The number was corrected once already.")
	default:
		p := s.parcels[i]
		p.Tracking, p.Corrected = in.Tracking, true
		s.changeTo(s.orders[p.Order], s.orders[p.Order].Status)
		answer(w, http.StatusOK, p)
	}
}
