package easypost

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spillway/spillway/sim/internal/post"
)

type address struct {
	Name    string `json:"name"`
	Company string `json:"company"`
	Street1 string `json:"street1"`
	Street2 string `json:"street2"`
	City    string `json:"city"`
	State   string `json:"state"`
	Zip     string `json:"zip"`
	Country string `json:"country"`
	Phone   string `json:"phone"`
}

type parcel struct {
	Length *float64 `json:"length"`
	Width  *float64 `json:"width"`
	Height *float64 `json:"height"`
	Weight *float64 `json:"weight"`
}

type options struct {
	Format  string `json:"label_format,omitempty"`
	Size    string `json:"label_size,omitempty"`
	Custom1 string `json:"print_custom_1,omitempty"`
}

type shipmentIn struct {
	To        *address        `json:"to_address"`
	From      *address        `json:"from_address"`
	Parcel    *parcel         `json:"parcel"`
	Options   options         `json:"options"`
	Reference string          `json:"reference"`
	Customs   json.RawMessage `json:"customs_info"`
}

type rate struct {
	ID       string `json:"id"`
	Object   string `json:"object"`
	Carrier  string `json:"carrier"`
	Service  string `json:"service"`
	Rate     string `json:"rate"`
	Currency string `json:"currency"`
	Days     int    `json:"delivery_days"`
	cents    int64
}

type message struct {
	Carrier string `json:"carrier"`
	Type    string `json:"type"`
	Message string `json:"message"`
}

type detail struct {
	Object  string    `json:"object"`
	Message string    `json:"message"`
	Status  string    `json:"status"`
	Detail  string    `json:"status_detail"`
	At      time.Time `json:"datetime"`
	Source  string    `json:"source"`
	Where   place     `json:"tracking_location"`
}

type place struct {
	Object  string `json:"object"`
	City    string `json:"city"`
	State   string `json:"state"`
	Country string `json:"country"`
}

// view is a shipment as the interface shows it.
func (s *Sim) view(h *shipment) map[string]any {
	out := map[string]any{"id": h.id, "object": "Shipment", "mode": "test", "created_at": h.created, "reference": h.in.Reference, "to_address": h.in.To, "from_address": h.in.From,
		"parcel": h.in.Parcel, "options": h.in.Options, "rates": h.rates, "messages": h.messages, "selected_rate": h.bought, "tracking_code": nil, "postage_label": nil,
		"tracker": nil, "refund_status": nil, "forms": []any{}}
	if h.in.Customs != nil {
		out["customs_info"] = h.in.Customs
	}
	if h.bought == nil {
		return out
	}
	out["tracking_code"], out["tracker"] = h.number, s.trackerOf(h)
	if h.refund != "" {
		out["refund_status"] = h.refund
	}
	l := map[string]any{"object": "PostageLabel", "created_at": h.paidAt, "label_size": "4x6", "label_resolution": 300}
	if h.in.Options.Format == "ZPL" {
		l["label_zpl_url"], l["label_file_type"] = h.labelURL("zpl"), "application/zpl"
		l["label_url"] = l["label_zpl_url"]
	} else {
		l["label_pdf_url"], l["label_file_type"] = h.labelURL("pdf"), "application/pdf"
		l["label_url"] = l["label_pdf_url"]
	}
	out["postage_label"] = l
	return out
}

func (h *shipment) labelURL(ext string) string {
	return fmt.Sprintf("http://%s/labels/%s.%s", h.host, h.id, ext)
}

func (s *Sim) trackerOf(h *shipment) map[string]any {
	last := detail{Status: "unknown", Detail: "unknown", At: h.paidAt}
	if n := len(h.details); n > 0 {
		last = h.details[n-1]
	}
	return map[string]any{"id": h.tracker, "object": "Tracker", "mode": "test", "tracking_code": h.number, "status": last.Status, "status_detail": last.Detail,
		"shipment_id": h.id, "carrier": h.bought.Carrier, "tracking_details": append([]detail{}, h.details...), "created_at": h.paidAt, "updated_at": last.At,
		"public_url": "https://track.easypost.com/" + h.tracker}
}

// quote prices a parcel. One carrier never answers, which is a message and no failure.
func (s *Sim) quote(h *shipment) {
	h.rates, h.messages = nil, []message{{"FedEx", "rate_error", "The carrier account is not set up."}}
	if h.in.To.Country != h.in.From.Country && h.in.Customs == nil {
		h.messages = append(h.messages, message{"USPS", "rate_error", "Customs information is required."})
		return
	}
	oz := int64(*h.in.Parcel.Weight + 0.999)
	for _, offer := range []struct {
		carrier, service string
		base, per        int64
		days             int
	}{{"USPS", "Priority", 760, 9, 2}, {"USPS", "GroundAdvantage", 480, 6, 4}, {"UPS", "Ground", 910, 4, 3}} {
		cents := offer.base + offer.per*oz
		h.rates = append(h.rates, rate{ID: s.id("rate"), Object: "Rate", Carrier: offer.carrier, Service: offer.service, Rate: fmt.Sprintf("%d.%02d", cents/100, cents%100),
			Currency: "USD", Days: offer.days, cents: cents})
	}
}

func print(h *shipment, ext string) []byte {
	if ext == "zpl" {
		return post.ZPL(h.number)
	}
	return post.PDF(h.bought.Carrier + " " + h.number)
}
