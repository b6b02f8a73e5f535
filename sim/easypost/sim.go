// Package easypost simulates the label broker EasyPost over real HTTP: shipments with rates, labels that cost money, refunds, scan forms, trackers whose
// events advance with the clock, and webhooks signed as the vendor does.
//
// It promises what is documented and nothing more: there is no idempotency key, references need not be unique (the newest shipment of one is
// read), and a shipment is bought once. It counts what was paid. Faults are those of sim/world; a late effect cuts the connection and
// is carried out after its delay. It must never import a connector or a domain package.
package easypost

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/spillway/spillway/sim/internal/post"
	"github.com/spillway/spillway/sim/world"
)

// APIKey is the one key there is.
const APIKey = "EZTKsimulated0123456789"

// refundAfter is when a refund that was asked for is granted, as the postal service does within two weeks.
const refundAfter = 14 * 24 * time.Hour

// Bounds of the memory.
const (
	maxShipments = 200_000
	maxEvents    = 1_000_000
)

// Sim is the broker. Make it with New, stop it with Stop.
type Sim struct {
	Clock   world.Clock
	Faults  *world.Faults
	courier *world.Courier

	mu        sync.Mutex
	rnd       *rand.Rand
	shipments []*shipment
	byID      map[string]*shipment
	forms     map[string]bool
	events    []event
	hook      string
	secret    string
	next      int
}

type shipment struct {
	in       shipmentIn
	id       string
	created  time.Time
	host     string
	rates    []rate
	messages []message
	bought   *rate
	paidAt   time.Time
	number   string
	refund   string
	scanned  bool
	form     string
	details  []detail
	tracker  string
}

type event struct {
	id   string
	at   time.Time
	body json.RawMessage
}

// New makes a broker without shipments.
func New(clock world.Clock, seed uint64) *Sim {
	s := &Sim{Clock: clock, Faults: world.NewFaults(seed), rnd: world.Stream(seed, "easypost"), byID: map[string]*shipment{}, forms: map[string]bool{}}
	s.courier = world.NewCourier(world.CourierOptions{Clock: clock, Faults: s.Faults, Headers: s.sign, Timeout: 7 * time.Second,
		Retries: []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour}})
	return s
}

// Stop ends the courier.
func (s *Sim) Stop() { s.courier.Stop() }

// Courier delivers the webhooks.
func (s *Sim) Courier() *world.Courier { return s.courier }

// Webhook points webhooks at an address, as POST /webhooks does.
func (s *Sim) Webhook(url, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook, s.secret = url, secret
}

// Sign is the header with which a body is sent under a secret.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, norm.NFKD.Bytes([]byte(secret)))
	mac.Write(body)
	return "hmac-sha256-hex=" + hex.EncodeToString(mac.Sum(nil))
}

func (s *Sim) sign(m world.Message, _ int, h http.Header) {
	s.mu.Lock()
	secret := s.secret
	s.mu.Unlock()
	if secret != "" {
		h.Set("X-Hmac-Signature", Sign(secret, m.Body))
	}
}

// Paid counts the labels paid and not taken back whose text for people is number.
func (s *Sim) Paid(number string) int { return len(s.Tracking(number)) }

// Tracking lists the tracking numbers of those labels.
func (s *Sim) Tracking(number string) (out []string) {
	s.count(func(h *shipment) bool {
		if h.in.Options.Custom1 == number && h.refund != "submitted" && h.refund != "refunded" {
			out = append(out, h.number)
		}
		return false
	})
	return out
}

// ScanForms counts the forms that were made.
func (s *Sim) ScanForms() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.forms)
}

// Bought counts the labels ever paid under a reference and what follows it after a dot, taken back or not.
func (s *Sim) Bought(reference string) int {
	return s.count(func(h *shipment) bool {
		ref := h.in.Reference
		return ref == reference || len(ref) > len(reference) && ref[:len(reference)+1] == reference+"."
	})
}

// Spent is what all labels cost that are paid and not refunded, in cents.
func (s *Sim) Spent() (cents int64) {
	s.count(func(h *shipment) bool {
		if h.refund != "refunded" {
			cents += h.bought.cents
		}
		return false
	})
	return cents
}

func (s *Sim) count(of func(*shipment) bool) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.shipments {
		if h.bought != nil && of(h) {
			n++
		}
	}
	return n
}

func (s *Sim) id(prefix string) string {
	s.next++
	return fmt.Sprintf("%s_%08x%024x", prefix, s.next, s.rnd.Uint64())
}

// find reads by id, or the newest by reference. The caller holds the lock.
func (s *Sim) find(id string) *shipment {
	if h := s.byID[id]; h != nil {
		return h
	}
	for i := len(s.shipments) - 1; i >= 0 && id != ""; i-- {
		if s.shipments[i].in.Reference == id {
			return s.shipments[i]
		}
	}
	return nil
}

// travel sends a parcel on its way. The caller holds the lock.
func (s *Sim) travel(h *shipment) {
	for _, st := range post.Way[1:] {
		s.Clock.At(h.paidAt.Add(st.After), func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if h.refund == "" {
				s.pass(h, st)
			}
		})
	}
}

// words are the vendor's for the stations.
var words = map[string][2]string{
	"label": {"pre_transit", "label_created"}, "accepted": {"in_transit", "received_at_origin_facility"}, "departed": {"in_transit", "departed_facility"},
	"van": {"out_for_delivery", "out_for_delivery"}, "delivered": {"delivered", "arrived_at_destination"},
}

// pass adds a station to a parcel's history and tells of it. The caller holds the lock.
func (s *Sim) pass(h *shipment, st post.Station) {
	h.scanned = h.scanned || st.Name != "label"
	w := words[st.Name]
	h.details = append(h.details, detail{Object: "TrackingDetail", Message: "Parcel " + st.Name, Status: w[0], Detail: w[1], At: s.Clock.Now(), Source: h.bought.Carrier,
		Where: place{"TrackingLocation", st.City, st.State, "US"}})
	s.tell(h, "tracker.updated")
}

func (s *Sim) tell(h *shipment, what string) {
	if len(s.events) >= maxEvents {
		s.events = s.events[len(s.events)/2:]
	}
	id, now := s.id("evt"), s.Clock.Now()
	body, err := json.Marshal(map[string]any{"id": id, "object": "Event", "mode": "test", "description": what, "created_at": now, "previous_attributes": map[string]string{},
		"result": s.trackerOf(h), "status": "pending", "pending_urls": []string{}, "completed_urls": []string{}})
	if err != nil {
		panic(err) // all its parts are of this package
	}
	s.events = append(s.events, event{id, now, body})
	if s.hook != "" {
		s.courier.Send(world.Message{ID: id, Event: what, URL: s.hook, Body: body})
	}
}
