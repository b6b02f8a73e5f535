package shippo

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// maxDetails bounds the events of one message; the longest ways have a hundred.
const maxDetails = 200

type wireMessage struct {
	Event string          `json:"event"`
	Data  json.RawMessage `json:"data"`
}

// Verify implements driver.Carrier. The vendor signs nothing, so the answer is of class GiveUp, with the envelope for a caller whose address nobody can
// guess. A message has no id: its bytes name it.
func (Carrier) Verify(account driver.CarrierAccount, _ http.Header, body []byte) (driver.Envelope, error) {
	var m wireMessage
	if err := json.Unmarshal(body, &m); err != nil || m.Event == "" {
		return driver.Envelope{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpWebhooks, Message: "the message is no event"}
	}
	sum := sha256.Sum256(body)
	return driver.Envelope{DeliveryID: hex.EncodeToString(sum[:16]), Topic: m.Event, ShopID: account.ID, Account: true},
		&driver.Error{Class: driver.GiveUp, Op: driver.OpWebhooks, Message: "Shippo signs no messages: only an address that nobody can guess guards them"}
}

// Decode implements driver.Carrier.
func (Carrier) Decode(topic string, body []byte) ([]driver.ParcelNews, error) {
	var m wireMessage
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, &driver.Error{Class: driver.GiveUp, Op: driver.OpWebhooks, Message: "the message is no event"}
	}
	switch topic {
	case "track_updated":
		return tracked(m.Data)
	case "transaction_created", "transaction_updated":
		return sold(m.Data)
	}
	return nil, nil
}

type wireStatus struct {
	Status    string    `json:"status"`
	At        time.Time `json:"status_date"`
	Substatus *struct {
		Code string `json:"code"`
	} `json:"substatus"`
	Where *struct {
		City    string `json:"city"`
		State   string `json:"state"`
		Country string `json:"country"`
	} `json:"location"`
}

func tracked(data json.RawMessage) ([]driver.ParcelNews, error) {
	var t struct {
		Number      string       `json:"tracking_number"`
		Transaction string       `json:"transaction"`
		Status      *wireStatus  `json:"tracking_status"`
		History     []wireStatus `json:"tracking_history"`
	}
	if err := json.Unmarshal(data, &t); err != nil || t.Number == "" {
		return nil, &driver.Error{Class: driver.GiveUp, Op: driver.OpWebhooks, Message: "the message names no tracking number"}
	}
	if len(t.History) == 0 && t.Status != nil {
		t.History = []wireStatus{*t.Status}
	}
	news := driver.ParcelNews{Ref: t.Transaction, Tracking: t.Number}
	for _, h := range t.History[max(0, len(t.History)-maxDetails):] {
		if !h.At.IsZero() {
			news.Events = append(news.Events, h.event())
		}
	}
	return []driver.ParcelNews{news}, nil
}

// event is a scan. Its details are the vendor's codes, never the carrier's sentence, which may name the receiver.
func (h wireStatus) event() driver.ParcelEvent {
	detail := ""
	if h.Substatus != nil {
		detail = h.Substatus.Code
	}
	status, _ := statuses.Status(h.Status, detail)
	e := driver.ParcelEvent{Word: short(h.Status), Status: string(status), Detail: short(detail), At: h.At.UTC()}
	if w := h.Where; w != nil {
		var parts []string
		for _, p := range []string{w.City, w.State, w.Country} {
			if p != "" {
				parts = append(parts, p)
			}
		}
		e.Place = short(strings.Join(parts, ", "))
	}
	return e
}

// short bounds a word or a place.
func short(s string) string { return clip(s[:min(len(s), 120)]) }

func sold(data json.RawMessage) ([]driver.ParcelNews, error) {
	var w wireTransaction
	if err := json.Unmarshal(data, &w); err != nil || w.ID == "" {
		return nil, &driver.Error{Class: driver.GiveUp, Op: driver.OpWebhooks, Message: "the message names no transaction"}
	}
	b := w.booked(ours(w.Metadata))
	news := driver.ParcelNews{BookingID: b.ID, Ref: w.ID, Tracking: w.Tracking, Booked: &b}
	if b.State == driver.BookingFailed {
		news.Exception = cmp.Or(strings.Join(b.Messages, "; "), "The carrier could not make the label.")
	}
	return []driver.ParcelNews{news}, nil
}

// maxID is the longest id of a booking.
const maxID = 40

// ours is the booking's id that metadata holds; others write what they like into labels of their own.
func ours(metadata string) string {
	foreign := func(r rune) bool {
		return !(r == '-' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
	}
	if len(metadata) > maxID || strings.ContainsFunc(metadata, foreign) {
		return ""
	}
	return metadata
}
