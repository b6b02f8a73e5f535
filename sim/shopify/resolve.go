package shopify

import (
	"strconv"

	"github.com/spillway/spillway/sim/shopify/internal/graphql"
)

// resolvers answers every field of the schema. It is built once for a store.
func (s *Sim) resolvers() graphql.Resolvers {
	return graphql.Resolvers{
		"QueryRoot": s.queryFields(), "Mutation": s.mutationFields(),
		"Shop": s.shopFields(), "AppInstallation": s.installationFields(),
		"Location": s.locationFields(), "Product": s.productFields(), "ProductVariant": s.variantFields(),
		"InventoryItem": s.itemFields(), "InventoryLevel": s.levelFields(), "InventoryAdjustmentGroup": s.groupFields(), "InventoryChange": changeFields(),
		"Order": s.orderFields(), "LineItem": s.lineFields(),
		"FulfillmentOrder": s.fulfillmentOrderFields(), "FulfillmentOrderLineItem": fulfillmentOrderLineFields(),
		"Fulfillment": s.fulfillmentFields(), "FulfillmentLineItem": fulfillmentLineFields(),
		"WebhookSubscription": subscriptionFields(), "BulkOperation": s.bulkFields(),
	}
}

type fields = map[string]graphql.Resolver

// get makes a resolver of a function of the object alone.
func get[T any](f func(T) any) graphql.Resolver {
	return func(_ *graphql.Exec, v any, _ graphql.Args) any { return f(v.(T)) }
}

// with makes a resolver of a function that needs the arguments too.
func with[T any](f func(*graphql.Exec, T, graphql.Args) any) graphql.Resolver {
	return func(x *graphql.Exec, v any, args graphql.Args) any { return f(x, v.(T), args) }
}

// orNull keeps a nil pointer from becoming a value.
func orNull[T any](p *T) any {
	if p == nil {
		return nil
	}
	return p
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func strs(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// typeOf names the type of an object behind an interface or a union.
func typeOf(v any) string {
	switch v.(type) {
	case *location:
		return "Location"
	case *product:
		return "Product"
	case *variant:
		return "ProductVariant"
	case *item:
		return "InventoryItem"
	case *level:
		return "InventoryLevel"
	case *adjustment:
		return "InventoryAdjustmentGroup"
	case *order:
		return "Order"
	case *line:
		return "LineItem"
	case *fulfillmentOrder:
		return "FulfillmentOrder"
	case *fulfillmentOrderLine:
		return "FulfillmentOrderLineItem"
	case *fulfillment:
		return "Fulfillment"
	case *fulfillmentLine:
		return "FulfillmentLineItem"
	case *subscription:
		return "WebhookSubscription"
	case *bulkOperation:
		return "BulkOperation"
	case *Sim:
		return "Shop"
	case graphql.Map:
		return "WebhookHttpEndpoint" // the only kind of endpoint that is simulated
	}
	return ""
}

// node finds any object by its global identifier.
func (s *Sim) node(id string) any {
	kind, n, ok := splitGID(id)
	if !ok {
		return graphql.Errorf("RESOURCE_NOT_FOUND", "Invalid global id '%s'", id)
	}
	switch kind {
	case "Shop":
		return s
	case "Location":
		return orNull(s.location(n))
	case "Product":
		return find(s.products, func(p *product) bool { return p.id == n })
	case "ProductVariant":
		return orNull(s.varByID[n])
	case "InventoryItem":
		return orNull(s.itemByID[n])
	case "InventoryLevel":
		return orNull(s.levelByID[n])
	case "InventoryAdjustmentGroup":
		return find(s.groups, func(g *adjustment) bool { return g.id == n })
	case "Order":
		return orNull(s.orderByID[n])
	case "FulfillmentOrder":
		return orNull(s.foByID[n])
	case "Fulfillment":
		return orNull(s.ffByID[n])
	case "WebhookSubscription":
		return find(s.subs, func(w *subscription) bool { return w.id == n })
	case "BulkOperation":
		return find(s.bulks, func(b *bulkOperation) bool { return b.id == n })
	}
	return nil
}

func find[T any](list []*T, match func(*T) bool) any {
	for i := len(list) - 1; i >= 0; i-- { // the newest are asked for most
		if match(list[i]) {
			return list[i]
		}
	}
	return nil
}

// byID resolves a query field that takes an id of one kind.
func (s *Sim) byID(kind string) graphql.Resolver {
	return func(_ *graphql.Exec, _ any, args graphql.Args) any {
		id := args.Str("id")
		if idOf(id, kind) == 0 {
			if _, _, ok := splitGID(id); ok {
				return nil
			}
		}
		return s.node(id)
	}
}

func (s *Sim) queryFields() fields {
	f := fields{
		"shop": func(*graphql.Exec, any, graphql.Args) any { return s },
		"node": func(_ *graphql.Exec, _ any, a graphql.Args) any { return s.node(a.Str("id")) },
		"nodes": func(_ *graphql.Exec, _ any, a graphql.Args) any {
			ids := a.Strings("ids")
			out := make([]any, len(ids))
			for i, id := range ids {
				if out[i] = s.node(id); isError(out[i]) {
					return out[i]
				}
			}
			return out
		},
		"location": func(_ *graphql.Exec, _ any, a graphql.Args) any {
			if a["id"] == nil {
				return s.locations[0]
			}
			return orNull(s.location(idOf(a.Str("id"), "Location")))
		},
		"locations": s.queryLocations, "products": s.queryProducts, "productVariants": s.queryVariants,
		"inventoryItems": s.queryItems, "orders": s.queryOrders, "ordersCount": s.countOrders,
		"webhookSubscriptions": s.querySubscriptions,
		"currentBulkOperation": func(_ *graphql.Exec, _ any, a graphql.Args) any {
			if len(s.bulks) == 0 || a.Str("type") == "MUTATION" {
				return nil
			}
			return s.bulks[len(s.bulks)-1]
		},
		"currentAppInstallation": func(x *graphql.Exec, _ any, _ graphql.Args) any { return x.Context.(*request).grant },
	}
	for field, kind := range map[string]string{"product": "Product", "productVariant": "ProductVariant", "inventoryItem": "InventoryItem",
		"inventoryLevel": "InventoryLevel", "order": "Order", "fulfillmentOrder": "FulfillmentOrder", "fulfillment": "Fulfillment",
		"webhookSubscription": "WebhookSubscription", "bulkOperation": "BulkOperation"} {
		f[field] = s.byID(kind)
	}
	for name, scope := range scopesNeeded {
		if r := f[name]; r != nil {
			f[name] = guarded(scope, r)
		}
	}
	return f
}

func (s *Sim) mutationFields() fields {
	f := fields{
		"inventorySetQuantities": s.setQuantities, "inventoryAdjustQuantities": s.adjustQuantities,
		"inventorySetOnHandQuantities": s.setOnHand, "inventoryMoveQuantities": s.moveQuantities, "inventoryActivate": s.activate,
		"orderCancel": s.cancelMutation, "fulfillmentCreate": s.fulfillmentCreate, "fulfillmentTrackingInfoUpdate": s.trackingUpdate,
		"webhookSubscriptionCreate": s.subscribe, "webhookSubscriptionUpdate": s.resubscribe, "webhookSubscriptionDelete": s.unsubscribe,
		"bulkOperationRunQuery": s.runBulk, "bulkOperationCancel": s.cancelBulk,
	}
	for name, r := range f {
		if scope := scopesNeeded[name]; scope != "" {
			r = guarded(scope, r)
		}
		f[name] = func(x *graphql.Exec, v any, a graphql.Args) any {
			if s.counts.Mutations == nil {
				s.counts.Mutations = map[string]int{}
			}
			s.counts.Mutations[name]++
			return r(x, v, a)
		}
	}
	return f
}

func isError(v any) bool { _, ok := v.(*graphql.Error); return ok }

// scopesNeeded is the access scope a top-level field asks for.
var scopesNeeded = map[string]string{
	"locations": "read_locations", "location": "read_locations",
	"products": "read_products", "product": "read_products", "productVariants": "read_products", "productVariant": "read_products",
	"inventoryItems": "read_inventory", "inventoryItem": "read_inventory", "inventoryLevel": "read_inventory",
	"orders": "read_orders", "order": "read_orders", "ordersCount": "read_orders",
	"fulfillmentOrder": "read_merchant_managed_fulfillment_orders", "fulfillment": "read_fulfillments",
	"inventorySetQuantities": "write_inventory", "inventoryAdjustQuantities": "write_inventory",
	"inventorySetOnHandQuantities": "write_inventory", "inventoryMoveQuantities": "write_inventory", "inventoryActivate": "write_inventory",
	"orderCancel": "write_orders", "fulfillmentCreate": "write_merchant_managed_fulfillment_orders",
	"fulfillmentTrackingInfoUpdate": "write_merchant_managed_fulfillment_orders",
}

// guarded refuses a field to a token without its scope. A write scope implies the read scope.
func guarded(scope string, r graphql.Resolver) graphql.Resolver {
	return func(x *graphql.Exec, v any, a graphql.Args) any {
		if x.Context.(*request).grant.has(scope) {
			return r(x, v, a)
		}
		e := graphql.Errorf("ACCESS_DENIED", "Access denied for %s field. Required access: `%s` access scope.", x.FieldName(), scope)
		e.Extensions["documentation"] = "https://shopify.dev/api/usage/access-scopes"
		e.Extensions["requiredAccess"] = "`" + scope + "` access scope."
		return e
	}
}

func (s *Sim) shopFields() fields {
	value := func(v any) graphql.Resolver { return func(*graphql.Exec, any, graphql.Args) any { return v } }
	return fields{
		"id": value(gid("Shop", idBases["Shop"])), "name": value(s.opts.ShopName), "email": value("owner@example.com"),
		"myshopifyDomain": value(s.opts.ShopDomain), "currencyCode": value(s.opts.Currency), "ianaTimezone": value("Etc/UTC"),
		"timezoneOffset": value("+0000"), "createdAt": value(s.createdAt), "url": value("https://" + s.opts.ShopDomain),
		"primaryDomain": value(graphql.Map{"host": s.opts.ShopDomain, "url": "https://" + s.opts.ShopDomain}),
		"plan": value(graphql.Map{"publicDisplayName": string(s.opts.Plan), "displayName": string(s.opts.Plan), "partnerDevelopment": false,
			"shopifyPlus": s.opts.Plan == Plus || s.opts.Plan == Enterprise}),
	}
}

func (s *Sim) installationFields() fields {
	return fields{
		"id":  get(func(*grant) any { return gid("AppInstallation", 1) }),
		"app": get(func(*grant) any { return s.app() }),
		"accessScopes": get(func(g *grant) any {
			out := []any{}
			for _, name := range g.names() {
				out = append(out, graphql.Map{"handle": name, "description": name})
			}
			return out
		}),
	}
}

func (s *Sim) app() graphql.Map {
	return graphql.Map{"id": gid("App", 1), "title": "Connected app", "handle": "connected-app", "apiKey": s.opts.ClientID}
}
