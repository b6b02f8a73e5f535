package shippo

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

type address struct {
	ID      string `json:"object_id"`
	Name    string `json:"name"`
	Company string `json:"company"`
	Street1 string `json:"street1"`
	City    string `json:"city"`
	State   string `json:"state"`
	Zip     string `json:"zip"`
	Country string `json:"country"`
}

type parcel struct {
	Length   string `json:"length"`
	Width    string `json:"width"`
	Height   string `json:"height"`
	Distance string `json:"distance_unit"`
	Weight   string `json:"weight"`
	Mass     string `json:"mass_unit"`
}

type shipmentIn struct {
	From    *address        `json:"address_from"`
	To      *address        `json:"address_to"`
	Parcels []parcel        `json:"parcels"`
	Customs json.RawMessage `json:"customs_declaration"`
	Extra   struct {
		Reference string `json:"reference_1"`
	} `json:"extra"`
}

type shipment struct {
	id       string
	in       shipmentIn
	rates    []*rate
	messages []text
}

type rate struct {
	ID       string            `json:"object_id"`
	Amount   string            `json:"amount"`
	Currency string            `json:"currency"`
	Provider string            `json:"provider"`
	Service  map[string]string `json:"servicelevel"`
	Days     int               `json:"estimated_days"`
	Account  string            `json:"carrier_account"`
	Shipment string            `json:"shipment"`
	shipment *shipment
	cents    int64
}

type text struct {
	Source string `json:"source"`
	Code   string `json:"code"`
	Text   string `json:"text"`
}

type transaction struct {
	id       string
	created  time.Time
	paidAt   time.Time
	status   string
	metadata string
	form     string
	host     string
	rate     *rate
	number   string
	scanned  bool
	manifest string
	messages []text
	history  []map[string]any
}

// view is a transaction as the interface shows it: its rate is an id.
func (s *Sim) view(t *transaction) map[string]any {
	out := map[string]any{"object_id": t.id, "object_created": t.created, "object_state": "VALID", "status": t.status, "metadata": t.metadata, "rate": t.rate.ID, "test": true,
		"label_file_type": t.form, "messages": append([]text{}, t.messages...), "tracking_number": nil, "tracking_url_provider": "", "label_url": "", "commercial_invoice_url": ""}
	if t.number != "" {
		ext := "pdf"
		if t.form == "ZPLII" {
			ext = "zpl"
		}
		out["tracking_number"], out["tracking_url_provider"] = t.number, "https://tools.usps.com/go/TrackConfirmAction?tLabels="+t.number
		out["label_url"] = "http://" + t.host + "/files/" + t.id + "." + ext
	}
	return out
}

func (h *shipment) view() map[string]any {
	return map[string]any{"object_id": h.id, "status": "SUCCESS", "address_from": h.in.From, "address_to": h.in.To, "parcels": h.in.Parcels, "rates": h.rates, "messages": h.messages,
		"customs_declaration": h.in.Customs, "extra": h.in.Extra}
}

// grams reads a parcel's weight.
func (p parcel) grams() int64 {
	n, err := strconv.ParseFloat(p.Weight, 64)
	per := map[string]float64{"g": 1, "kg": 1000, "oz": 28.349523125, "lb": 453.59237}[p.Mass]
	if err != nil || n <= 0 || n > 1e6 {
		return 0
	}
	return int64(n * per)
}

// quote prices a parcel. One carrier never answers, which is a message and no failure.
func (s *Sim) quote(h *shipment) {
	h.messages = []text{{"FedEx", "", "The carrier account is not active."}}
	if h.in.From.Country != h.in.To.Country && (len(h.in.Customs) == 0 || string(h.in.Customs) == "null") {
		h.messages = append(h.messages, text{"USPS", "customs", "A customs declaration is required."})
		return
	}
	for _, o := range []struct {
		provider, token, name string
		base, per             int64
		days                  int
	}{{"USPS", "usps_priority", "Priority Mail", 755, 30, 2}, {"USPS", "usps_ground_advantage", "Ground Advantage", 475, 20, 4}, {"UPS", "ups_ground", "Ground", 905, 15, 3}} {
		cents := o.base + o.per*h.in.Parcels[0].grams()/100
		r := &rate{ID: s.id(), Amount: fmt.Sprintf("%d.%02d", cents/100, cents%100), Currency: "USD", Provider: o.provider, Service: map[string]string{"token": o.token, "name": o.name},
			Days: o.days, Account: "account-" + o.provider, Shipment: h.id, shipment: h, cents: cents}
		h.rates = append(h.rates, r)
		s.rates[r.ID] = r
	}
}
