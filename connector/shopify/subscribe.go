package shopify

import (
	"context"
	"slices"
	"strings"

	"github.com/spillway/spillway/connector/driver"
)

// orderTopics are the webhooks whose body is a whole order.
var orderTopics = []string{
	"orders/create", "orders/updated", "orders/paid", "orders/cancelled", "orders/fulfilled", "orders/partially_fulfilled",
}

// otherTopics are the rest of what is subscribed. The compliance topics cannot be: they stand in the app's own settings.
var otherTopics = []string{"orders/edited", "refunds/create", "inventory_levels/update", "app/uninstalled", "bulk_operations/finish"}

// orderWords are the only parts of an order that Shopify is asked to send: what Decode reads. A period goes into an object, so that
// of the address country and state come alone; the buyer's name, street, town, email, phone, note and device never leave the shop.
var orderWords = []string{
	"id", "admin_graphql_api_id", "name", "created_at", "processed_at", "updated_at", "cancelled_at", "cancel_reason", "currency",
	"financial_status", "fulfillment_status", "payment_gateway_names", "subtotal_price", "total_shipping_price_set", "total_tax",
	"total_price", "line_items", "fulfillments", "refunds", "shipping_address.country_code", "shipping_address.province_code",
}

type hookNode struct {
	ID     string   `json:"id"`
	Topic  string   `json:"topic"`
	URI    string   `json:"uri"`
	Fields []string `json:"includeFields"`
}

// enum turns orders/create into ORDERS_CREATE.
func enum(topic string) string { return strings.ToUpper(strings.ReplaceAll(topic, "/", "_")) }

// topicOf turns ORDERS_CREATE into orders/create, the word that comes with the message. Topics we do not use stay as they are.
func topicOf(e string) string {
	all := slices.Concat(orderTopics, otherTopics)
	if i := slices.IndexFunc(all, func(t string) bool { return enum(t) == e }); i >= 0 {
		return all[i]
	}
	return e
}

// SubscribeWebhooks implements driver.Channel. Of several subscriptions to one topic, which only hands made elsewhere leave
// behind, the first is pointed at address and the others stay as they are.
func (c *channel) SubscribeWebhooks(ctx context.Context, address string) ([]driver.Subscription, error) {
	present, err := c.hooks(ctx)
	if err != nil {
		return nil, err
	}
	for _, topic := range slices.Concat(orderTopics, otherTopics) {
		var fields []string
		if slices.Contains(orderTopics, topic) {
			fields = orderWords
		}
		if err := c.point(ctx, present, enum(topic), address, fields); err != nil {
			return nil, err
		}
	}
	if present, err = c.hooks(ctx); err != nil {
		return nil, err
	}
	out := make([]driver.Subscription, len(present))
	for i, h := range present {
		out[i] = driver.Subscription{Topic: topicOf(h.Topic), Address: h.URI}
	}
	return out, nil
}

// point makes sure that one subscription of topic leads to address.
func (c *channel) point(ctx context.Context, present []hookNode, topic, address string, fields []string) error {
	var old *hookNode
	for i, h := range present {
		if h.Topic != topic {
			continue
		}
		if old == nil || h.URI == address {
			old = &present[i]
		}
	}
	if old != nil && old.URI == address && sameSet(old.Fields, fields) {
		return nil
	}
	if fields == nil {
		fields = []string{}
	}
	sub := map[string]any{"uri": address, "format": "JSON", "includeFields": fields}
	r := request{op: driver.OpWebhooks, patient: true}
	if old == nil {
		r.doc, r.vars = docHookCreate, map[string]any{"topic": topic, "sub": sub}
	} else {
		r.doc, r.vars = docHookUpdate, map[string]any{"id": old.ID, "sub": sub}
	}
	var data map[string]*struct {
		Errors []userError `json:"userErrors"`
	}
	a, err := c.call(ctx, r, &data)
	if err != nil {
		return err
	}
	for _, p := range data {
		if p != nil && len(p.Errors) > 0 {
			f := p.Errors[0].fail(driver.OpWebhooks, a)
			f.Class, f.Message = driver.AskHuman, topic+": "+f.Message // an address it does not take, or a scope that is missing
			return f
		}
	}
	return nil
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func (c *channel) hooks(ctx context.Context) ([]hookNode, error) {
	var out []hookNode
	after := ""
	for range maxShopPages {
		var data struct {
			Hooks page[hookNode] `json:"webhookSubscriptions"`
		}
		vars := map[string]any{"first": pageHooks, "after": cursor(after)}
		_, err := c.call(ctx, request{op: driver.OpWebhooks, doc: docHooks, size: pageHooks, vars: vars, patient: true}, &data)
		if err != nil {
			return nil, err
		}
		out = append(out, data.Hooks.Nodes...)
		if after = data.Hooks.next(); after == "" {
			break
		}
	}
	return out, nil
}
