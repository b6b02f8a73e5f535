package shopify

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/sim/shopify/internal/graphql"
)

func (s *Sim) locationFields() fields {
	return fields{
		"id":                   get(func(l *location) any { return gid("Location", l.id) }),
		"legacyResourceId":     get(func(l *location) any { return number(l.id) }),
		"name":                 get(func(l *location) any { return l.name }),
		"isActive":             get(func(l *location) any { return l.active }),
		"fulfillsOnlineOrders": get(func(l *location) any { return l.online }),
		"shipsInventory":       get(func(l *location) any { return l.online }),
		"isFulfillmentService": get(func(*location) any { return false }),
		"hasActiveInventory":   get(func(l *location) any { return len(s.levelsAt(l)) > 0 }),
		"createdAt":            get(func(l *location) any { return l.createdAt }),
		"updatedAt":            get(func(l *location) any { return l.updatedAt }),
		"address": get(func(l *location) any {
			return graphql.Map{"address1": "1 Dock Rd", "city": l.city, "countryCode": l.country, "provinceCode": "IL", "zip": "62701",
				"formatted": []any{"1 Dock Rd", l.city + " IL 62701", "United States"}}
		}),
		"inventoryLevel": with(func(_ *graphql.Exec, l *location, a graphql.Args) any {
			if it := s.itemByID[idOf(a.Str("inventoryItemId"), "InventoryItem")]; it != nil {
				return orNull(it.levelAt(l.id))
			}
			return nil
		}),
		"inventoryLevels": with(func(x *graphql.Exec, l *location, a graphql.Args) any {
			return connectLevels(x, a, s.levelsAt(l))
		}),
	}
}

func (s *Sim) levelsAt(loc *location) []*level {
	var out []*level
	for _, it := range s.items {
		if l := it.levelAt(loc.id); l != nil {
			out = append(out, l)
		}
	}
	return out
}

func connectLevels(x *graphql.Exec, a graphql.Args, list []*level) any {
	if !a.Bool("includeInactive") {
		list = slices.DeleteFunc(slices.Clone(list), func(l *level) bool { return !l.active })
	}
	match, _ := searched(x, a, func(t term) (filter, bool) {
		switch t.field {
		case "id":
			return idFilter(t, func(v any) int64 { return v.(*level).id })
		case "updated_at":
			return timeFilter(t, func(v any) time.Time { return v.(*level).updatedAt })
		}
		return nil, false
	})
	return connect(x, a, list, func(l *level) int64 { return l.id }, match)
}

func (s *Sim) productFields() fields {
	return fields{
		"id":               get(func(p *product) any { return gid("Product", p.id) }),
		"legacyResourceId": get(func(p *product) any { return number(p.id) }),
		"title":            get(func(p *product) any { return p.title }),
		"handle":           get(func(p *product) any { return p.handle }),
		"status":           get(func(*product) any { return "ACTIVE" }),
		"vendor":           get(func(p *product) any { return p.vendor }),
		"productType":      get(func(*product) any { return "" }),
		"tags":             get(func(*product) any { return []any{} }),
		"createdAt":        get(func(p *product) any { return p.createdAt }),
		"updatedAt":        get(func(p *product) any { return p.updatedAt }),
		"tracksInventory": get(func(p *product) any {
			return slices.ContainsFunc(p.variants, func(v *variant) bool { return v.item.tracked })
		}),
		"totalInventory": get(func(p *product) any {
			n := 0
			for _, v := range p.variants {
				n += v.item.sellable()
			}
			return n
		}),
		"variantsCount": get(func(p *product) any { return graphql.Map{"count": len(p.variants), "precision": "EXACT"} }),
		"variants": with(func(x *graphql.Exec, p *product, a graphql.Args) any {
			return connect(x, a, p.variants, variantID, nil)
		}),
	}
}

func variantID(v *variant) int64 { return v.id }

func (s *Sim) variantFields() fields {
	return fields{
		"id":               get(func(v *variant) any { return gid("ProductVariant", v.id) }),
		"legacyResourceId": get(func(v *variant) any { return number(v.id) }),
		"title":            get(func(v *variant) any { return v.title }),
		"displayName":      get(func(v *variant) any { return v.displayName() }),
		"sku":              get(func(v *variant) any { return v.item.sku }),
		"barcode":          get(func(v *variant) any { return textOrNil(v.barcode) }),
		"price":            get(func(v *variant) any { return s.decimal(v.price) }),
		"position":         get(func(v *variant) any { return v.position }),
		"taxable":          get(func(*variant) any { return true }),
		"availableForSale": get(func(v *variant) any { return v.oversell || !v.item.tracked || v.item.sellable() > 0 }),
		"inventoryPolicy": get(func(v *variant) any {
			if v.oversell {
				return "CONTINUE"
			}
			return "DENY"
		}),
		"inventoryQuantity":      get(func(v *variant) any { return v.item.sellable() }),
		"sellableOnlineQuantity": get(func(v *variant) any { return v.item.sellable() }),
		"inventoryItem":          get(func(v *variant) any { return v.item }),
		"product":                get(func(v *variant) any { return v.product }),
		"createdAt":              get(func(v *variant) any { return v.createdAt }),
		"updatedAt":              get(func(v *variant) any { return v.updatedAt }),
	}
}

func (s *Sim) itemFields() fields {
	return fields{
		"id":                   get(func(i *item) any { return gid("InventoryItem", i.id) }),
		"legacyResourceId":     get(func(i *item) any { return number(i.id) }),
		"sku":                  get(func(i *item) any { return i.sku }),
		"tracked":              get(func(i *item) any { return i.tracked }),
		"requiresShipping":     get(func(*item) any { return true }),
		"duplicateSkuCount":    get(func(i *item) any { return len(s.bySKU[i.sku]) - 1 }),
		"countryCodeOfOrigin":  get(func(*item) any { return nil }),
		"harmonizedSystemCode": get(func(*item) any { return nil }),
		"unitCost":             get(func(*item) any { return nil }),
		"measurement": get(func(i *item) any {
			return graphql.Map{"id": gid("InventoryItemMeasurement", i.id), "weight": graphql.Map{"unit": "KILOGRAMS", "value": 0.5}}
		}),
		"createdAt":      get(func(i *item) any { return i.createdAt }),
		"updatedAt":      get(func(i *item) any { return i.updatedAt }),
		"locationsCount": get(func(i *item) any { return graphql.Map{"count": len(i.levels), "precision": "EXACT"} }),
		"inventoryLevel": with(func(_ *graphql.Exec, i *item, a graphql.Args) any {
			if l := i.levelAt(idOf(a.Str("locationId"), "Location")); l != nil && l.active {
				return l
			}
			return nil
		}),
		"inventoryLevels": with(func(x *graphql.Exec, i *item, a graphql.Args) any { return connectLevels(x, a, i.levels) }),
		"variant":         get(func(i *item) any { return i.variants[0] }),
		"variants": with(func(x *graphql.Exec, i *item, a graphql.Args) any {
			return connect(x, a, i.variants, variantID, nil)
		}),
	}
}

func (s *Sim) levelFields() fields {
	return fields{
		"id":                get(func(l *level) any { return l.gid() }),
		"isActive":          get(func(l *level) any { return l.active }),
		"canDeactivate":     get(func(l *level) any { return l.get(committed) == 0 && l.get(incoming) == 0 }),
		"deactivationAlert": get(func(*level) any { return nil }),
		"item":              get(func(l *level) any { return l.item }),
		"location":          get(func(l *level) any { return l.loc }),
		"createdAt":         get(func(l *level) any { return l.createdAt }),
		"updatedAt":         get(func(l *level) any { return l.updatedAt }),
		"quantities": with(func(_ *graphql.Exec, l *level, a graphql.Args) any {
			out := []any{}
			for _, name := range a.Strings("names") {
				q, ok := quantityOf(name)
				if !ok {
					return graphql.Errorf("INVALID_FIELD_ARGUMENTS", "The specified quantity name '%s' is invalid.", name)
				}
				out = append(out, graphql.Map{"id": strings.Replace(l.gid(), "InventoryLevel", "InventoryQuantity", 1) + "&name=" + name,
					"name": name, "quantity": l.get(q), "updatedAt": l.changed(q)})
			}
			return out
		}),
	}
}

func (s *Sim) groupFields() fields {
	return fields{
		"id":                   get(func(g *adjustment) any { return gid("InventoryAdjustmentGroup", g.id) }),
		"createdAt":            get(func(g *adjustment) any { return g.createdAt }),
		"reason":               get(func(g *adjustment) any { return g.reason }),
		"referenceDocumentUri": get(func(g *adjustment) any { return textOrNil(g.document) }),
		"app":                  get(func(*adjustment) any { return s.app() }),
		"changes": with(func(_ *graphql.Exec, g *adjustment, a graphql.Args) any {
			wanted := func(name, value string) bool {
				return a[name] == nil || slices.Contains(a.Strings(name), value)
			}
			out := []any{}
			for _, c := range g.changes {
				if wanted("quantityNames", c.name) && wanted("inventoryItemIds", gid("InventoryItem", c.level.item.id)) &&
					wanted("locationIds", gid("Location", c.level.loc.id)) {
					out = append(out, c)
				}
			}
			return out
		}),
	}
}

func changeFields() fields {
	return fields{
		"name":                get(func(c *adjustmentChange) any { return c.name }),
		"delta":               get(func(c *adjustmentChange) any { return c.delta }),
		"quantityAfterChange": get(func(c *adjustmentChange) any { return c.after }),
		"item":                get(func(c *adjustmentChange) any { return c.level.item }),
		"location":            get(func(c *adjustmentChange) any { return c.level.loc }),
		"ledgerDocumentUri":   get(func(c *adjustmentChange) any { return textOrNil(c.ledger) }),
	}
}

func (s *Sim) queryLocations(x *graphql.Exec, _ any, a graphql.Args) any {
	list := slices.Clone(s.locations)
	if a.Str("sortKey") == "NAME" {
		slices.SortStableFunc(list, func(a, b *location) int { return cmp.Compare(a.name, b.name) })
	}
	if !a.Bool("includeInactive") {
		list = slices.DeleteFunc(list, func(l *location) bool { return !l.active })
	}
	match, _ := searched(x, a, func(t term) (filter, bool) {
		switch t.field {
		case "id", "location_id":
			return idFilter(t, func(v any) int64 { return v.(*location).id })
		case "name", "default":
			return textFilter(t, func(v any) string { return v.(*location).name })
		case "active":
			return textFilter(t, func(v any) string { return strconv.FormatBool(v.(*location).active) })
		}
		return nil, false
	})
	return connect(x, a, list, func(l *location) int64 { return l.id }, match)
}

func (s *Sim) queryProducts(x *graphql.Exec, _ any, a graphql.Args) any {
	list := s.products
	if a.Str("sortKey") == "TITLE" {
		list = slices.Clone(list)
		slices.SortStableFunc(list, func(a, b *product) int { return cmp.Compare(a.title, b.title) })
	}
	match, _ := searched(x, a, func(t term) (filter, bool) {
		switch t.field {
		case "id":
			return idFilter(t, func(v any) int64 { return v.(*product).id })
		case "title", "default":
			return textFilter(t, func(v any) string { return v.(*product).title })
		case "status":
			return textFilter(t, func(any) string { return "active" })
		case "sku":
			f, _ := textFilter(t, func(v any) string { return v.(*variant).item.sku })
			return func(v any) bool {
				return slices.ContainsFunc(v.(*product).variants, func(v *variant) bool { return f(v) })
			}, true
		case "updated_at":
			return timeFilter(t, func(v any) time.Time { return v.(*product).updatedAt })
		case "created_at":
			return timeFilter(t, func(v any) time.Time { return v.(*product).createdAt })
		}
		return nil, false
	})
	return connect(x, a, list, func(p *product) int64 { return p.id }, match)
}

func (s *Sim) queryVariants(x *graphql.Exec, _ any, a graphql.Args) any {
	list := s.variants
	if key := a.Str("sortKey"); key == "SKU" || key == "TITLE" {
		list = slices.Clone(list)
		slices.SortStableFunc(list, func(a, b *variant) int {
			if key == "SKU" {
				return cmp.Compare(a.item.sku, b.item.sku)
			}
			return cmp.Compare(a.displayName(), b.displayName())
		})
	}
	match, terms := searched(x, a, func(t term) (filter, bool) {
		switch t.field {
		case "id":
			return idFilter(t, func(v any) int64 { return v.(*variant).id })
		case "product_id":
			return idFilter(t, func(v any) int64 { return v.(*variant).product.id })
		case "sku":
			return textFilter(t, func(v any) string { return v.(*variant).item.sku })
		case "title", "default":
			return textFilter(t, func(v any) string { return v.(*variant).displayName() })
		case "updated_at":
			return timeFilter(t, func(v any) time.Time { return v.(*variant).updatedAt })
		}
		return nil, false
	})
	if found, ok := s.exactSKU(terms); ok && !a.Has("after") && !a.Has("before") {
		list = nil
		for _, it := range found {
			list = append(list, it.variants...)
		}
	}
	return connect(x, a, list, variantID, match)
}

// exactSKU finds the items of a search that names one SKU, so that the usual look-up does not read the whole catalogue.
// A SKU that exists in exactly this spelling hides those that differ in case.
func (s *Sim) exactSKU(terms []term) ([]*item, bool) {
	for _, t := range terms {
		if t.field == "sku" && t.op == "" && !strings.HasSuffix(t.value, "*") && len(s.bySKU[t.value]) > 0 {
			return s.bySKU[t.value], true
		}
	}
	return nil, false
}

func (s *Sim) queryItems(x *graphql.Exec, _ any, a graphql.Args) any {
	match, terms := searched(x, a, func(t term) (filter, bool) {
		switch t.field {
		case "id":
			return idFilter(t, func(v any) int64 { return v.(*item).id })
		case "sku", "default":
			return textFilter(t, func(v any) string { return v.(*item).sku })
		case "updated_at":
			return timeFilter(t, func(v any) time.Time { return v.(*item).updatedAt })
		case "created_at":
			return timeFilter(t, func(v any) time.Time { return v.(*item).createdAt })
		}
		return nil, false
	})
	list := s.items
	if found, ok := s.exactSKU(terms); ok && !a.Has("after") && !a.Has("before") {
		list = found
	}
	return connect(x, a, list, func(i *item) int64 { return i.id }, match)
}
