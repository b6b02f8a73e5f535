package shiphero

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/spillway/spillway/sim/depot"
	"github.com/spillway/spillway/sim/world"
)

// The one account there is.
const (
	RefreshToken = "refresh-shiphero-0123456789"
	Secret       = "shiphero-shared-secret-0123456789"
)

// The budget of credits, as documented.
const (
	bucket     = 4004
	perSecond  = 60
	tokenLasts = 28 * 24 * time.Hour
)

// Sim is the vendor. Make it with New.
type Sim struct {
	Clock  world.Clock
	Faults *world.Faults
	Floor  *depot.Depot
	Free   bool // credits are not counted

	courier *world.Courier
	mu      sync.Mutex
	hook    string
	sent    int
	creates int
	access  string
	expires time.Time
	logins  int
	credits float64
	filled  time.Time
}

// New makes an account without stock. Stop it when done.
func New(clock world.Clock, seed uint64, o depot.Options) *Sim {
	s := &Sim{Clock: clock, Faults: world.NewFaults(seed), credits: bucket, filled: clock.Now()}
	o.Changed = s.tell
	s.Floor = depot.New(clock, seed, o)
	s.courier = world.NewCourier(world.CourierOptions{Clock: clock, Faults: s.Faults, Timeout: 10 * time.Second, Workers: 2,
		Retries: []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour},
		Headers: func(m world.Message, _ int, h http.Header) {
			h.Set("X-Shiphero-Message-Id", m.ID)
			h.Set("X-Shiphero-Hmac-Sha256", Sign(Secret, m.Body))
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

// Counts tells how many orders were created and how often somebody signed in.
func (s *Sim) Counts() (created, logins int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.creates, s.logins
}

// EndToken makes the access token that is in use no good.
func (s *Sim) EndToken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.access = ""
}

// Sign is how a webhook is signed: base64 of HMAC-SHA256 of the body.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// uuid is an id as the vendor writes it: the kind and the number, in base64.
func uuid(kind string, id int) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s:%d", kind, id))
}

// tell sends the webhook of a change, if there is one.
func (s *Sim) tell(o depot.Order) {
	var event string
	var body object
	switch o.Stage {
	case depot.Shipped, depot.Parted:
		lines, box := []object{}, o.Sent[len(o.Sent)-1]
		for _, l := range box.Lines {
			lines = append(lines, object{"id": l.Ref, "sku": l.SKU, "quantity": l.Qty, "package": "Package #1"})
		}
		event = "Shipment Update"
		body = object{"test": "0", "webhook_type": event, "fulfillment": object{"shipment_id": shipmentID(o, len(o.Sent)-1), "shipment_uuid": uuid("Shipment", shipmentID(o, len(o.Sent)-1)),
			"warehouse": o.Place, "partner_order_id": o.Reference, "order_number": o.Number, "order_uuid": uuid("Order", o.ID), "tracking_number": box.Tracking,
			"custom_tracking_url": "", "shipping_carrier": box.Carrier, "shipping_method": "Ground", "created_at": box.At.Format("2006-01-02T15:04:05"),
			"package_number": 1, "total_packages": 1, "line_items": lines}}
	case depot.Cancelled:
		event = "Order Canceled"
		body = object{"webhook_type": event, "order_uuid": uuid("Order", o.ID), "order_number": o.Number, "partner_order_id": o.Reference}
	case depot.Received:
		event = "Order Allocated"
		body = object{"webhook_type": event, "allocation": object{"order_uuid": uuid("Order", o.ID), "order_number": o.Number, "partner_order_id": o.Reference, "ready_to_ship": 1}}
	default:
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hook == "" {
		return
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // the value is ours and always encodes
	}
	s.sent++
	s.courier.Send(world.Message{ID: fmt.Sprintf("m-%06d", s.sent), Event: event, Shop: "shop", URL: s.hook, Body: text})
}

// shipmentID is the id of an order's nth shipment.
func shipmentID(o depot.Order, nth int) int { return (300000+o.ID)*10 + nth }

// spend takes credits, or tells how many are left and how long to wait.
func (s *Sim) spend(cost int) (left int, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Clock.Now()
	s.credits = min(bucket, s.credits+now.Sub(s.filled).Seconds()*perSecond)
	s.filled = now
	if s.Free {
		return bucket, 0
	}
	if float64(cost) > s.credits {
		return int(s.credits), time.Duration((float64(cost)-s.credits)/perSecond*float64(time.Second)) + time.Second
	}
	s.credits -= float64(cost)
	return int(s.credits), 0
}
