package shipbob

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spillway/spillway/sim/depot"
	"github.com/spillway/spillway/sim/world"
)

// The one account there is.
const (
	Token     = "pat-shipbob-0123456789"
	ChannelID = "101"
	Version   = "2026-07"
	// Secret signs webhooks: base64 behind its prefix, as the vendor shows it once.
	Secret = "whsec_c2hpcGJvYi1zaW11bGF0b3Itc2VjcmV0LTAx"
)

const (
	perMinute = 150 // requests of one account in a sliding minute
	maxPage   = 250
)

// retries are the waits between attempts to deliver a webhook.
var retries = []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour}

// Sim is the vendor. Make it with New.
type Sim struct {
	Clock  world.Clock
	Faults *world.Faults
	Floor  *depot.Depot

	courier *world.Courier
	taking  sync.Mutex // one order is taken in at a time
	mu      sync.Mutex
	hook    string
	sent    int
	creates int
	refused int         // creates of a reference id that was there
	calls   []time.Time // of the last minute
	Limit   int         // requests a minute; zero: as documented
}

// New makes an account without stock. Stop it when done.
func New(clock world.Clock, seed uint64, o depot.Options) *Sim {
	s := &Sim{Clock: clock, Faults: world.NewFaults(seed)}
	o.Changed = s.tell
	s.Floor = depot.New(clock, seed, o)
	s.courier = world.NewCourier(world.CourierOptions{Clock: clock, Faults: s.Faults, Retries: retries, Timeout: 15 * time.Second, Workers: 2,
		Headers: func(m world.Message, _ int, h http.Header) {
			at := strconv.FormatInt(clock.Now().Unix(), 10)
			h.Set("Webhook-Id", m.ID)
			h.Set("Webhook-Timestamp", at)
			h.Set("Webhook-Signature", Sign(Secret, m.ID, at, m.Body))
			h.Set("X-Webhook-Topic", m.Event)
		}})
	return s
}

// Stop ends the delivery of webhooks.
func (s *Sim) Stop() { s.courier.Stop() }

// Courier is how webhooks are delivered.
func (s *Sim) Courier() *world.Courier { return s.courier }

// Subscribe sends all webhooks to an address.
func (s *Sim) Subscribe(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = address
}

// Counts tells how many orders were made, and how many were refused because their reference id was there.
func (s *Sim) Counts() (made, refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.creates, s.refused
}

// Sign is how a webhook is signed: base64 of HMAC-SHA256 over id, timestamp and body, with the bytes behind the secret's prefix.
func Sign(secret, id, at string, body []byte) string {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		panic(err) // the secret is ours
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// topics tells which message a stage is.
var topics = map[depot.Stage]string{
	depot.Short: "order.shipment.exception", depot.Held: "order.shipment.on_hold", depot.Cancelled: "order.shipment.cancelled",
	depot.Shipped: "order.shipped", depot.Delivered: "order.shipment.delivered",
}

// tell sends the webhook of a change, if there is one.
func (s *Sim) tell(o depot.Order) {
	topic := topics[o.Stage]
	s.mu.Lock()
	defer s.mu.Unlock()
	if topic == "" || s.hook == "" {
		return
	}
	body, err := json.Marshal(shipment(o))
	if err != nil {
		panic(err) // the value is ours and always encodes
	}
	s.sent++
	s.courier.Send(world.Message{ID: fmt.Sprintf("msg_%06d", s.sent), Event: topic, Shop: ChannelID, URL: s.hook, Body: body})
}

// busy counts a request and tells how long to wait where there were too many.
func (s *Sim) busy() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, limit := s.Clock.Now(), perMinute
	if s.Limit > 0 {
		limit = s.Limit
	}
	for len(s.calls) > 0 && now.Sub(s.calls[0]) >= time.Minute {
		s.calls = s.calls[1:]
	}
	if len(s.calls) >= limit {
		return time.Minute - now.Sub(s.calls[0])
	}
	s.calls = append(s.calls, now)
	return 0
}
