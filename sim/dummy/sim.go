package dummy

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/sim/world"
)

// The one app and the one shop there are.
const (
	AppKey    = "dummy-app"
	AppSecret = "dummy-secret-0123456789"
	ShopID    = "shop-1"
	startWith = 50 // units at each warehouse
)

// SKU is one thing the shop sells.
type SKU struct {
	ID         string
	ProductID  string
	SellerSKU  string
	Title      string
	PriceCents int64
	Stock      map[string]int64 // by warehouse
	Committed  int64            // sold and not shipped
}

// Order is a sale of one SKU. Status is one of "paid", "ready" (all of it has a label or a number), "shipped", "cancelled".
type Order struct {
	ID        string    `json:"id"`
	SKU       string    `json:"sku"`
	Qty       int64     `json:"qty"`
	Price     string    `json:"price"` // of one, decimal
	Currency  string    `json:"currency"`
	Status    string    `json:"status"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	ShipBy    time.Time `json:"ship_by"`
	Parcels   []*Parcel `json:"parcels,omitempty"`
	seq       int       // of the last change: orders changes of the same instant
	warehouse string
}

// Sim is the platform. Make it with New.
type Sim struct {
	Clock   world.Clock
	Faults  *world.Faults
	courier *world.Courier
	// ShipWithin is how long after its order a parcel must have its label or number.
	ShipWithin time.Duration

	mu        sync.Mutex
	skus      map[string]*SKU
	orders    map[string]*Order
	parcels   []*Parcel
	seq       int
	codes     map[string]bool
	access    string
	refresh   string
	webhook   string
	sets      int
	refreshes int
}

// New makes a shop with six SKUs of three products. Stop it when done.
func New(clock world.Clock, seed uint64) *Sim {
	s := &Sim{
		Clock: clock, Faults: world.NewFaults(seed), ShipWithin: 48 * time.Hour, skus: map[string]*SKU{}, orders: map[string]*Order{}, codes: map[string]bool{},
	}
	for i := range 6 {
		id := fmt.Sprintf("S%d", i+1)
		s.skus[id] = &SKU{
			ID: id, ProductID: fmt.Sprintf("P%d", i/3+1), SellerSKU: "ITEM-" + id, Title: fmt.Sprintf("Thing no. %d", i+1),
			PriceCents: int64(999 + 100*i), Stock: map[string]int64{"W1": startWith},
		}
	}
	s.skus["S2"].Stock["W2"] = startWith
	s.issue()
	s.courier = world.NewCourier(world.CourierOptions{
		Clock: clock, Faults: s.Faults, Retries: []time.Duration{time.Second, 10 * time.Second}, Workers: 2,
		Headers: func(m world.Message, _ int, h http.Header) { h.Set(SignatureHeader, Sign(AppSecret, m.Body)) },
	})
	return s
}

// SignatureHeader carries the signature of a webhook.
const SignatureHeader = "X-Dummy-Signature"

// Sign is how the platform signs a webhook: hexadecimal HMAC-SHA256 of the body.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// Stop ends the delivery of webhooks.
func (s *Sim) Stop() { s.courier.Stop() }

// Tokens returns the tokens that are good now.
func (s *Sim) Tokens() (access, refresh string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.access, s.refresh
}

// Counts returns how many requests have set quantities and how often a token was refreshed.
func (s *Sim) Counts() (sets, refreshes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sets, s.refreshes
}

// EndToken makes the access token that is in use no good.
func (s *Sim) EndToken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	s.access = fmt.Sprintf("ended-%d", s.seq)
}

// Stock returns a SKU's numbers by warehouse.
func (s *Sim) Stock(sku string) map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]int64{}
	for w, n := range s.skus[sku].Stock {
		out[w] = n
	}
	return out
}

// issue makes new tokens; the old ones stop working. The caller holds the lock, or nobody else has s yet.
func (s *Sim) issue() {
	s.seq++
	s.access, s.refresh = fmt.Sprintf("access-token-%d", s.seq), fmt.Sprintf("refresh-token-%d", s.seq)
}

// Place sells qty units of a SKU out of its first warehouse that has them all. Errors: Insufficient, where none has; else there is no such SKU.
func (s *Sim) Place(sku string, qty int64) (Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.skus[sku]
	if k == nil || qty < 1 {
		return Order{}, fmt.Errorf("no SKU %q or no quantity", sku)
	}
	for _, w := range warehouses {
		if k.Stock[w] < qty {
			continue
		}
		k.Stock[w] -= qty
		k.Committed += qty
		now := s.Clock.Now()
		s.seq++
		o := &Order{
			ID: fmt.Sprintf("%06d", s.seq), SKU: sku, Qty: qty, Price: fmt.Sprintf("%d.%02d", k.PriceCents/100, k.PriceCents%100), Currency: "EUR",
			Status: "paid", CreatedAt: now, UpdatedAt: now, ShipBy: now.Add(s.ShipWithin), seq: s.seq, warehouse: w,
		}
		s.orders[o.ID] = o
		s.tell(*o)
		return *o, nil
	}
	return Order{}, errs.New(errs.Insufficient, "sim/dummy.Place", sku, "SKU %s is sold out", sku)
}

// Cancel cancels a paid order; its units go back on sale.
func (s *Sim) Cancel(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orders[id]
	if o == nil || o.Status != "paid" {
		return fmt.Errorf("order %q cannot be cancelled", id)
	}
	s.seq++
	o.Status, o.UpdatedAt, o.seq = "cancelled", s.Clock.Now(), s.seq
	k := s.skus[o.SKU]
	k.Stock[o.warehouse] += o.Qty
	k.Committed -= o.Qty
	s.tell(*o)
	return nil
}

// tell sends the webhook of an order. The caller holds the lock.
func (s *Sim) tell(o Order) {
	if s.webhook == "" {
		return
	}
	id := fmt.Sprintf("msg-%d", s.seq)
	body, err := json.Marshal(map[string]any{"id": id, "topic": "order", "shop": ShopID, "at": s.Clock.Now(), "order": o})
	if err != nil {
		panic(err) // the value is ours and always encodes
	}
	s.courier.Send(world.Message{ID: id, Event: "order", Shop: ShopID, URL: s.webhook, Body: body})
}

// changed returns the orders changed at or after from, oldest change first. The caller holds the lock.
func (s *Sim) changed(from time.Time) []*Order {
	var out []*Order
	for _, o := range s.orders {
		if !o.UpdatedAt.Before(from) {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b *Order) int { return cmp.Or(a.UpdatedAt.Compare(b.UpdatedAt), cmp.Compare(a.seq, b.seq)) })
	return out
}

var warehouses = []string{"W1", "W2"}
