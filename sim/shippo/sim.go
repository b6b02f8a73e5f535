// Package shippo simulates the label broker Shippo over real HTTP: shipments with rates, transactions that cost money, refunds, manifests, and tracking
// whose events advance with the clock and are sent unsigned, as the vendor does.
//
// It promises what is documented and nothing more: there is no idempotency key, the same rate is sold as often as it is asked for, a label that failed
// is HTTP 201 with status ERROR, and transactions are listed newest first without a filter for metadata. It counts what was paid. Faults are
// those of sim/world; a late effect cuts the connection and is carried out after its delay. It must never import a connector or a domain
// package.
package shippo

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/spillway/spillway/sim/internal/post"
	"github.com/spillway/spillway/sim/world"
)

// APIKey is the one token there is.
const APIKey = "shippo_test_simulated0123456789"

// Times of what takes time.
const (
	refundAfter = 14 * 24 * time.Hour // a refund that was asked for is granted
	queuedFor   = 20 * time.Second    // a label is made that is not made at once
)

// maxObjects bounds the memory: shipments, and transactions.
const maxObjects = 200_000

// Sim is the broker. Make it with New, stop it with Stop.
type Sim struct {
	Clock   world.Clock
	Faults  *world.Faults
	courier *world.Courier

	mu           sync.Mutex
	rnd          *rand.Rand
	shipments    map[string]*shipment
	rates        map[string]*rate
	transactions []*transaction
	byID         map[string]*transaction
	manifests    map[string]bool
	hook         string
	failing      int
	queueing     int
	next         int
}

// New makes a broker without shipments.
func New(clock world.Clock, seed uint64) *Sim {
	s := &Sim{Clock: clock, Faults: world.NewFaults(seed), rnd: world.Stream(seed, "shippo"), shipments: map[string]*shipment{}, rates: map[string]*rate{},
		byID: map[string]*transaction{}, manifests: map[string]bool{}}
	s.courier = world.NewCourier(world.CourierOptions{Clock: clock, Faults: s.Faults, Retries: []time.Duration{time.Minute, 10 * time.Minute, time.Hour}})
	return s
}

// Stop ends the courier.
func (s *Sim) Stop() { s.courier.Stop() }

// Courier delivers the webhooks.
func (s *Sim) Courier() *world.Courier { return s.courier }

// Webhook points webhooks at an address.
func (s *Sim) Webhook(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = url
}

// FailLabels makes the next n labels fail as carriers do: with HTTP 201 and status ERROR.
func (s *Sim) FailLabels(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = n
}

// QueueLabels makes the next n labels wait before they are made.
func (s *Sim) QueueLabels(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queueing = n
}

// Paid counts the labels paid and not taken back whose text for people is reference.
func (s *Sim) Paid(reference string) int { return len(s.Tracking(reference)) }

// Tracking lists the tracking numbers of those labels.
func (s *Sim) Tracking(reference string) (out []string) {
	s.count(func(t *transaction) bool {
		if t.rate.shipment.in.Extra.Reference == reference && (t.status == "SUCCESS" || t.status == "REFUNDREJECTED") {
			out = append(out, t.number)
		}
		return false
	})
	return out
}

// Bought counts the labels ever paid whose metadata is a text, taken back or not.
func (s *Sim) Bought(metadata string) int {
	return s.count(func(t *transaction) bool { return t.metadata == metadata })
}

// Spent is what all labels cost that are paid and not refunded, in cents.
func (s *Sim) Spent() (cents int64) {
	s.count(func(t *transaction) bool {
		if t.status != "REFUNDED" {
			cents += t.rate.cents
		}
		return false
	})
	return cents
}

// count counts among the labels that were paid, at whatever time.
func (s *Sim) count(of func(*transaction) bool) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.transactions {
		if t.number != "" && of(t) {
			n++
		}
	}
	return n
}

func (s *Sim) id() string {
	s.next++
	return fmt.Sprintf("%08x%024x", s.next, s.rnd.Uint64())
}

// settle makes a label, or not. The caller holds the lock.
func (s *Sim) settle(t *transaction) {
	if s.failing > 0 {
		s.failing--
		t.status, t.messages = "ERROR", []text{{t.rate.Provider, "carrier_timeout", "The carrier did not respond. Please try again."}}
		s.send("transaction_updated", s.view(t))
		return
	}
	t.status, t.paidAt, t.number = "SUCCESS", s.Clock.Now(), post.USPS(s.rnd)
	if t.rate.Provider == "UPS" {
		t.number = post.UPS(s.rnd)
	}
	s.send("transaction_updated", s.view(t))
	s.pass(t, post.Way[0])
	for _, st := range post.Way[1:] {
		s.Clock.At(t.paidAt.Add(st.After), func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if t.status == "SUCCESS" {
				s.pass(t, st)
			}
		})
	}
}

// words are the vendor's for the stations.
var words = map[string][2]string{
	"label": {"PRE_TRANSIT", "information_received"}, "accepted": {"TRANSIT", "package_accepted"}, "departed": {"TRANSIT", "package_departed"},
	"van": {"TRANSIT", "out_for_delivery"}, "delivered": {"DELIVERED", "delivered"},
}

// pass adds a station to a parcel's history and tells of it. The caller holds the lock.
func (s *Sim) pass(t *transaction, st post.Station) {
	t.scanned = t.scanned || st.Name != "label"
	w := words[st.Name]
	t.history = append(t.history, map[string]any{"object_id": s.id(), "status": w[0], "status_details": "Parcel " + st.Name, "status_date": s.Clock.Now(),
		"substatus": map[string]any{"code": w[1], "text": st.Name, "action_required": false},
		"location":  map[string]string{"city": st.City, "state": st.State, "zip": "", "country": "US"}})
	s.send("track_updated", map[string]any{"carrier": t.rate.Provider, "tracking_number": t.number, "transaction": t.id, "metadata": t.metadata, "test": true,
		"tracking_status": t.history[len(t.history)-1], "tracking_history": append([]map[string]any{}, t.history...)})
}

// send tells of something. The caller holds the lock.
func (s *Sim) send(event string, data any) {
	if s.hook == "" {
		return
	}
	body, err := json.Marshal(map[string]any{"event": event, "test": true, "data": data})
	if err != nil {
		panic(err) // all its parts are of this package
	}
	s.courier.Send(world.Message{ID: s.id(), Event: event, URL: s.hook, Body: body})
}
