package shopify

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/sim/shopify/internal/graphql"
)

// orderWindow is how far back an app without read_all_orders sees.
const orderWindow = 60 * 24 * time.Hour

func (s *Sim) money(minor int64) graphql.Map {
	m := graphql.Map{"amount": s.decimal(minor), "currencyCode": s.opts.Currency}
	return graphql.Map{"shopMoney": m, "presentmentMoney": m}
}

func timeOrNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

func (s *Sim) orderFields() fields {
	f := s.orderParts()
	for name, r := range s.orderValues() {
		f[name] = r
	}
	return f
}

func (s *Sim) orderValues() fields {
	return fields{
		"id":                       get(func(o *order) any { return gid("Order", o.id) }),
		"legacyResourceId":         get(func(o *order) any { return number(o.id) }),
		"name":                     get(func(o *order) any { return o.name() }),
		"number":                   get(func(o *order) any { return o.number }),
		"email":                    get(func(o *order) any { return o.email }),
		"note":                     get(func(o *order) any { return textOrNil(o.note) }),
		"tags":                     get(func(o *order) any { return strs(o.tags) }),
		"test":                     get(func(*order) any { return false }),
		"confirmed":                get(func(*order) any { return true }),
		"closed":                   get(func(o *order) any { return !o.closedAt.IsZero() }),
		"closedAt":                 get(func(o *order) any { return timeOrNil(o.closedAt) }),
		"createdAt":                get(func(o *order) any { return o.createdAt }),
		"processedAt":              get(func(o *order) any { return o.createdAt }),
		"updatedAt":                get(func(o *order) any { return o.updatedAt }),
		"cancelledAt":              get(func(o *order) any { return timeOrNil(o.cancelledAt) }),
		"cancelReason":             get(func(o *order) any { return textOrNil(o.cancelReason) }),
		"currencyCode":             get(func(*order) any { return s.opts.Currency }),
		"sourceName":               get(func(o *order) any { return o.source }),
		"displayFinancialStatus":   get(func(o *order) any { return o.financial }),
		"displayFulfillmentStatus": get(func(o *order) any { return o.fulfillmentStatus() }),
		"returnStatus":             get(func(*order) any { return "NO_RETURN" }),
		"fullyPaid":                get(func(o *order) any { return o.financial == "PAID" }),
		"requiresShipping":         get(func(*order) any { return true }),
		"fulfillable":              get(func(o *order) any { return o.cancelledAt.IsZero() && o.units((*line).open) > 0 }),
		"edited":                   get(func(o *order) any { return o.edited }),
		"subtotalLineItemsQuantity": get(func(o *order) any {
			return o.units((*line).ordered)
		}),
		"currentSubtotalLineItemsQuantity": get(func(o *order) any { return o.units((*line).current) }),
		"totalPriceSet":                    get(func(o *order) any { return s.money(o.subtotal((*line).ordered) + o.shipping) }),
		"currentTotalPriceSet":             get(func(o *order) any { return s.money(o.currentTotal()) }),
		"subtotalPriceSet":                 get(func(o *order) any { return s.money(o.subtotal((*line).ordered)) }),
		"totalShippingPriceSet":            get(func(o *order) any { return s.money(o.shipping) }),
		"totalTaxSet":                      get(func(*order) any { return s.money(0) }),
	}
}

func (o *order) units(of func(*line) int) int {
	n := 0
	for _, l := range o.lines {
		n += of(l)
	}
	return n
}

func (s *Sim) orderParts() fields {
	return fields{
		"shippingAddress": get(func(o *order) any {
			a := o.address
			return graphql.Map{"id": gid("MailingAddress", o.id), "name": a.firstName + " " + a.lastName, "firstName": a.firstName,
				"lastName": a.lastName, "company": nil, "address2": nil, "address1": a.address1, "city": a.city, "province": a.province, "provinceCode": a.provinceCode,
				"zip": a.zip, "country": a.country, "countryCodeV2": a.countryCode, "phone": a.phone}
		}),
		"lineItems": with(func(x *graphql.Exec, o *order, a graphql.Args) any {
			return connect(x, a, o.lines, func(l *line) int64 { return l.id }, nil)
		}),
		"fulfillmentOrders": with(func(x *graphql.Exec, o *order, a graphql.Args) any {
			match, _ := searched(x, a, func(t term) (filter, bool) {
				switch t.field {
				case "status":
					return textFilter(t, func(v any) string { return v.(*fulfillmentOrder).status })
				case "id":
					return idFilter(t, func(v any) int64 { return v.(*fulfillmentOrder).id })
				}
				return nil, false
			})
			return connect(x, a, o.fulfillmentOrders, func(f *fulfillmentOrder) int64 { return f.id }, match)
		}),
		"fulfillments": with(func(_ *graphql.Exec, o *order, a graphql.Args) any {
			out := []any{}
			n, limited := a.Int("first")
			for _, f := range o.fulfillments {
				if !limited || len(out) < n {
					out = append(out, f)
				}
			}
			return out
		}),
	}
}

func (s *Sim) lineFields() fields {
	return fields{
		"id":    get(func(l *line) any { return gid("LineItem", l.id) }),
		"name":  get(func(l *line) any { return l.variant.displayName() }),
		"title": get(func(l *line) any { return l.variant.product.title }),
		"variantTitle": get(func(l *line) any {
			if l.variant.title == "Default Title" {
				return nil
			}
			return l.variant.title
		}),
		"sku":                    get(func(l *line) any { return l.variant.item.sku }),
		"quantity":               get(func(l *line) any { return l.quantity }),
		"currentQuantity":        get(func(l *line) any { return l.current() }),
		"unfulfilledQuantity":    get(func(l *line) any { return l.open() }),
		"nonFulfillableQuantity": get(func(l *line) any { return l.removed }),
		"requiresShipping":       get(func(*line) any { return true }),
		"variant":                get(func(l *line) any { return l.variant }),
		"product":                get(func(l *line) any { return l.variant.product }),
		"originalUnitPriceSet":   get(func(l *line) any { return s.money(l.price) }),
		"discountedUnitPriceSet": get(func(l *line) any { return s.money(l.price) }),
		"originalTotalSet":       get(func(l *line) any { return s.money(l.price * int64(l.quantity)) }),
	}
}

// orderTerm answers the search fields of orders.
func orderTerm(t term) (filter, bool) {
	text := func(of func(*order) string) (filter, bool) {
		return textFilter(t, func(v any) string { return of(v.(*order)) })
	}
	switch t.field {
	case "updated_at":
		return timeFilter(t, func(v any) time.Time { return v.(*order).updatedAt })
	case "created_at", "processed_at":
		return timeFilter(t, func(v any) time.Time { return v.(*order).createdAt })
	case "cancelled_at":
		f, ok := timeFilter(t, func(v any) time.Time { return v.(*order).cancelledAt })
		return func(v any) bool { return !v.(*order).cancelledAt.IsZero() && f(v) }, ok
	case "id":
		return idFilter(t, func(v any) int64 { return v.(*order).id })
	case "name", "default":
		t.value = strings.TrimPrefix(t.value, "#")
		return text(func(o *order) string { return strings.TrimPrefix(o.name(), "#") })
	case "status":
		return orderStatus(t.value)
	case "financial_status":
		return text(func(o *order) string { return o.financial })
	case "fulfillment_status":
		return orderShipping(t)
	case "email":
		return text(func(o *order) string { return o.email })
	case "source_name":
		return text(func(o *order) string { return o.source })
	case "test":
		return text(func(*order) string { return "false" })
	case "sku":
		f, ok := textFilter(t, func(v any) string { return v.(*line).variant.item.sku })
		return func(v any) bool { return slices.ContainsFunc(v.(*order).lines, func(l *line) bool { return f(l) }) }, ok
	case "tag":
		return func(v any) bool {
			return slices.ContainsFunc(v.(*order).tags, func(s string) bool { return strings.EqualFold(s, t.value) })
		}, true
	}
	return nil, false
}

func orderStatus(value string) (filter, bool) {
	switch strings.ToLower(value) {
	case "any", "":
		return func(any) bool { return true }, true
	case "open":
		return func(v any) bool { return v.(*order).closedAt.IsZero() && v.(*order).cancelledAt.IsZero() }, true
	case "closed":
		return func(v any) bool { return !v.(*order).closedAt.IsZero() }, true
	case "not_closed":
		return func(v any) bool { return v.(*order).closedAt.IsZero() }, true
	case "cancelled":
		return func(v any) bool { return !v.(*order).cancelledAt.IsZero() }, true
	}
	return nil, false
}

func orderShipping(t term) (filter, bool) {
	want := map[string]string{"shipped": "FULFILLED", "fulfilled": "FULFILLED", "partial": "PARTIALLY_FULFILLED", "unshipped": "UNFULFILLED",
		"unfulfilled": "UNFULFILLED", "on_hold": "ON_HOLD"}[strings.ToLower(t.value)]
	return func(v any) bool { return v.(*order).fulfillmentStatus() == want }, want != ""
}

// visible is the query's filter together with what the app may see.
func (s *Sim) visible(x *graphql.Exec, a graphql.Args) (filter, []term) {
	match, terms := searched(x, a, orderTerm)
	if x.Context.(*request).grant.has("read_all_orders") {
		return match, terms
	}
	oldest := s.now().Add(-orderWindow)
	return func(v any) bool { return !v.(*order).createdAt.Before(oldest) && (match == nil || match(v)) }, terms
}

// queryOrders reads by the index the sort key has. Orders placed later have higher numbers, so sorting by creation is
// sorting by id.
func (s *Sim) queryOrders(x *graphql.Exec, _ any, a graphql.Args) any {
	match, terms := s.visible(x, a)
	w, err := page(x, a)
	if err != nil {
		return err
	}
	p := newPager(w)
	descending := a.Bool("reverse") != w.backward
	if a.Str("sortKey") == "UPDATED_AT" {
		s.walkUpdated(terms, descending, w.from, func(o *order) bool {
			return !match.accepts(o) || p.add(o, cursor{ID: o.id, At: o.updatedAt.Unix()})
		})
	} else {
		s.walkPlaced(terms, descending, w.from, func(o *order) bool {
			return !match.accepts(o) || p.add(o, cursor{ID: o.id})
		})
	}
	return p.connection()
}

func (f filter) accepts(v any) bool { return f == nil || f(v) }

// since is the lowest second a term on a time field lets through.
func since(terms []term, field string) (int64, bool) {
	for _, t := range terms {
		if at, _, ok := t.when(); ok && t.field == field && (t.op == ">" || t.op == ">=") {
			return at.Unix(), true
		}
	}
	return 0, false
}

func (s *Sim) walkUpdated(terms []term, descending bool, from *cursor, visit func(*order) bool) {
	e := s.updated.entries
	low := 0
	if at, ok := since(terms, "updated_at"); ok {
		low = s.updated.seek(at, 0)
	}
	if !descending {
		i := low
		if from != nil {
			i = max(low, s.updated.seek(from.At, from.ID+1))
		}
		for ; i < len(e); i++ {
			if e[i].live() && !visit(e[i].order) {
				return
			}
		}
		return
	}
	i := len(e)
	if from != nil {
		i = s.updated.seek(from.At, from.ID)
	}
	for i--; i >= low; i-- {
		if e[i].live() && !visit(e[i].order) {
			return
		}
	}
}

func (s *Sim) walkPlaced(terms []term, descending bool, from *cursor, visit func(*order) bool) {
	low, high := 0, len(s.orders)
	if at, ok := since(terms, "created_at"); ok {
		low, _ = slices.BinarySearchFunc(s.orders, at, func(o *order, at int64) int { return cmp.Compare(o.createdAt.Unix(), at) })
	}
	if from != nil {
		i, found := slices.BinarySearchFunc(s.orders, from.ID, func(o *order, id int64) int { return cmp.Compare(o.id, id) })
		switch {
		case descending:
			high = i
		case found:
			low = max(low, i+1)
		default:
			low = max(low, i)
		}
	}
	for i := range max(high-low, 0) {
		o := low + i
		if descending {
			o = high - 1 - i
		}
		if !visit(s.orders[o]) {
			return
		}
	}
}

func (s *Sim) countOrders(x *graphql.Exec, _ any, a graphql.Args) any {
	match, terms := s.visible(x, a)
	limit, ok := a.Int("limit")
	n, more := 0, false
	s.walkPlaced(terms, false, nil, func(o *order) bool {
		if !match.accepts(o) {
			return true
		}
		if more = ok && n >= limit; more {
			return false
		}
		n++
		return true
	})
	if more {
		return graphql.Map{"count": n, "precision": "AT_LEAST"}
	}
	return graphql.Map{"count": n, "precision": "EXACT"}
}
