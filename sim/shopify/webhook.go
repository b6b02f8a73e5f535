package shopify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/sim/world"
)

// webhookRetries are the waits between attempts: eight retries over four hours.
var webhookRetries = []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute,
	40 * time.Minute, time.Hour, 102 * time.Minute}

const (
	webhookTimeout   = 5 * time.Second // the vendor's limit for the whole answer
	maxSubscriptions = 1_000
)

// subscription is one webhook subscription made through the API.
type subscription struct {
	id                   int64
	topic                string // enum name, such as ORDERS_CREATE
	uri                  string
	format               string
	fields               []string // only these fields, all when empty
	name                 string
	version              string
	createdAt, updatedAt time.Time
	delivered            time.Time // the last success
}

// Subscription is a copy of a webhook subscription.
type Subscription struct {
	ID      int64  `json:"id"`
	Topic   string `json:"topic"` // header form, such as orders/create
	URI     string `json:"uri"`
	Version string `json:"version"`
}

// Subscriptions lists the webhook subscriptions there are.
func (s *Sim) Subscriptions() []Subscription {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]Subscription, len(s.subs))
	for i, sub := range s.subs {
		out[i] = Subscription{ID: sub.id, Topic: topicHeader(sub.topic), URI: sub.uri, Version: sub.version}
	}
	return out
}

var topicResources = []string{"INVENTORY_LEVELS", "INVENTORY_ITEMS", "BULK_OPERATIONS", "ORDERS", "FULFILLMENTS", "LOCATIONS",
	"PRODUCTS", "REFUNDS", "SHOP", "APP"}

// topicHeader turns ORDERS_CREATE into orders/create.
func topicHeader(topic string) string {
	for _, r := range topicResources {
		if rest, ok := strings.CutPrefix(topic, r+"_"); ok {
			return strings.ToLower(r + "/" + rest)
		}
	}
	return strings.ToLower(topic)
}

// envelope is what a delivery carries besides its body. It travels in world.Message.ID, which every attempt of a message keeps.
type envelope struct {
	webhook, event, triggered, version, name string
	sub                                      int64
}

func (e envelope) String() string {
	return strings.Join([]string{e.webhook, e.event, e.triggered, e.version, strconv.FormatInt(e.sub, 10), e.name}, "|")
}

func openEnvelope(id string) envelope {
	p := strings.SplitN(id, "|", 6) // the name comes last: it may hold anything
	if len(p) < 6 {
		return envelope{webhook: id}
	}
	sub, _ := strconv.ParseInt(p[4], 10, 64) // written by String above
	return envelope{webhook: p[0], event: p[1], triggered: p[2], version: p[3], sub: sub, name: p[5]}
}

// Headers that only travel between the courier and our transport.
const (
	subHeader = "Sim-Subscription"
	tryHeader = "Sim-Try"
)

func (s *Sim) newCourier() *world.Courier {
	return world.NewCourier(world.CourierOptions{
		Clock: s.opts.Clock, Faults: s.opts.Fault, Log: s.opts.Log, Retries: webhookRetries, Timeout: webhookTimeout,
		Headers: func(m world.Message, attempt int, h http.Header) {
			e := openEnvelope(m.ID)
			h.Set("X-Shopify-Topic", m.Event)
			h.Set("X-Shopify-Shop-Domain", m.Shop)
			h.Set("X-Shopify-API-Version", e.version)
			h.Set("X-Shopify-Webhook-Id", e.webhook)
			h.Set("X-Shopify-Event-Id", e.event)
			h.Set("X-Shopify-Triggered-At", e.triggered)
			h.Set("X-Shopify-Hmac-Sha256", s.SignWebhook(m.Body))
			h.Set("User-Agent", "Shopify-Captain-Hook")
			if e.name != "" {
				h.Set("X-Shopify-Name", e.name)
			}
			h.Set(subHeader, strconv.FormatInt(e.sub, 10))
			h.Set(tryHeader, strconv.Itoa(attempt))
		},
		Client: &http.Client{
			Transport:     observer{next: &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: 30 * time.Second}, sim: s},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	})
}

// SignWebhook is the signature of a webhook body: base64 of its HMAC-SHA256 under the app's client secret.
func (s *Sim) SignWebhook(body []byte) string {
	mac := hmac.New(sha256.New, []byte(s.opts.ClientSecret))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// observer tells the store how each attempt went, since a subscription lives only as long as it is answered.
type observer struct {
	next *http.Transport
	sim  *Sim
}

func (o observer) CloseIdleConnections() { o.next.CloseIdleConnections() }

func (o observer) RoundTrip(r *http.Request) (*http.Response, error) {
	sub, _ := strconv.ParseInt(r.Header.Get(subHeader), 10, 64) // set by our own Headers
	try, _ := strconv.Atoi(r.Header.Get(tryHeader))
	triggered := r.Header.Get("X-Shopify-Triggered-At")
	out := r.Clone(r.Context())
	out.Header.Del(subHeader)
	out.Header.Del(tryHeader)
	resp, err := o.next.RoundTrip(out)
	o.sim.attempted(sub, try, triggered, err == nil && resp.StatusCode/100 == 2)
	return resp, err
}

// attempted notes a success, and deletes the subscription whose message failed for the last time with no success in between.
func (s *Sim) attempted(id int64, try int, triggered string, ok bool) {
	if !ok && try <= len(webhookRetries) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, sub := range s.subs {
		if sub.id != id {
			continue
		}
		if ok {
			sub.delivered = s.opts.Clock.Now()
			return
		}
		at, err := time.Parse(time.RFC3339Nano, triggered)
		if err == nil && sub.delivered.After(at) {
			return
		}
		s.subs = append(s.subs[:i:i], s.subs[i+1:]...)
		s.opts.Log.Warn("webhook subscription deleted after failures", "topic", sub.topic)
		return
	}
}

// emit sends an event to every subscription of its topic. make builds the body, once and only when somebody listens. The
// caller holds the lock.
func (s *Sim) emit(topic, event string, build func() any) {
	var body []byte
	for _, sub := range s.subs {
		if sub.topic != topic {
			continue
		}
		if body == nil {
			var err error
			if body, err = json.Marshal(build()); err != nil {
				s.opts.Log.Error("webhook body", "topic", topic, "error", err)
				return
			}
		}
		sent := body
		if len(sub.fields) > 0 {
			sent = onlyFields(body, sub.fields)
		}
		e := envelope{webhook: s.uuid(), event: event, version: sub.version, sub: sub.id, name: sub.name,
			triggered: s.opts.Clock.Now().UTC().Format(time.RFC3339Nano)}
		s.courier.Send(world.Message{ID: e.String(), Event: topicHeader(topic), Shop: s.opts.ShopDomain, URL: sub.uri, Body: sent})
	}
}

// onlyFields keeps the fields named; a period goes into an object, or into each object of a list.
func onlyFields(body []byte, fields []string) []byte {
	inner := map[string][]string{}
	whole := map[string]bool{}
	for _, f := range fields {
		name, rest, nested := strings.Cut(f, ".")
		if nested {
			inner[name] = append(inner[name], rest)
		} else {
			whole[name] = true
		}
	}
	var list []json.RawMessage
	if json.Unmarshal(body, &list) == nil {
		for i := range list {
			list[i] = onlyFields(list[i], fields)
		}
		out, _ := json.Marshal(list) // raw messages that were just parsed
		return out
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(body, &all) != nil || all == nil { // a scalar or null has no fields
		return body
	}
	kept := make(map[string]json.RawMessage, len(fields))
	for name, v := range all {
		switch {
		case whole[name]:
			kept[name] = v
		case inner[name] != nil:
			kept[name] = onlyFields(v, inner[name])
		}
	}
	out, _ := json.Marshal(kept) // raw messages that were just parsed
	return out
}

// uuid draws an identifier of version 4's shape from the store's seed.
func (s *Sim) uuid() string {
	a, b := s.rnd.Uint64(), s.rnd.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}

// emitOrder sends one event of an order to several topics, in this order.
func (s *Sim) emitOrder(o *order, topics ...string) {
	event := s.uuid()
	for _, t := range topics {
		s.emit(t, event, func() any { return s.orderBody(o) })
	}
}

// emitLevels tells the levels an order took units from, each once.
func (s *Sim) emitLevels(o *order) {
	seen := map[*level]bool{}
	for _, fo := range o.fulfillmentOrders {
		for _, fl := range fo.lines {
			if l := fl.line.variant.item.levelAt(fo.loc.id); l != nil && fl.line.variant.item.tracked && !seen[l] {
				seen[l] = true
				s.emitLevel(l)
			}
		}
	}
}

func (s *Sim) emitLevel(l *level) {
	s.emit("INVENTORY_LEVELS_UPDATE", s.uuid(), func() any { return levelBody(l) })
}

func (s *Sim) emitFulfillment(f *fulfillment, topic string) {
	s.emit(topic, s.uuid(), func() any { return s.fulfillmentBody(f) })
}

// Uninstall removes the app: every token stops working, APP_UNINSTALLED is sent, and the subscriptions are gone.
func (s *Sim) Uninstall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
	s.emit("APP_UNINSTALLED", s.uuid(), func() any {
		return map[string]any{"id": idBases["Shop"], "name": s.opts.ShopName, "domain": s.opts.ShopDomain, "myshopify_domain": s.opts.ShopDomain,
			"currency": s.opts.Currency, "plan_name": string(s.opts.Plan)}
	})
	s.subs = nil
}
