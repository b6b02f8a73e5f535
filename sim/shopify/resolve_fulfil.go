package shopify

import (
	"strings"

	"github.com/spillway/spillway/sim/shopify/internal/graphql"
)

func (s *Sim) fulfillmentOrderFields() fields {
	return fields{
		"id":            get(func(f *fulfillmentOrder) any { return gid("FulfillmentOrder", f.id) }),
		"orderId":       get(func(f *fulfillmentOrder) any { return gid("Order", f.order.id) }),
		"orderName":     get(func(f *fulfillmentOrder) any { return f.order.name() }),
		"order":         get(func(f *fulfillmentOrder) any { return f.order }),
		"status":        get(func(f *fulfillmentOrder) any { return f.status }),
		"requestStatus": get(func(*fulfillmentOrder) any { return "UNSUBMITTED" }),
		"supportedActions": get(func(f *fulfillmentOrder) any {
			out := []any{}
			for _, a := range f.actions() {
				out = append(out, graphql.Map{"action": a})
			}
			return out
		}),
		"assignedLocation": get(func(f *fulfillmentOrder) any {
			return graphql.Map{"name": f.loc.name, "location": f.loc, "countryCode": f.loc.country}
		}),
		"createdAt": get(func(f *fulfillmentOrder) any { return f.createdAt }),
		"updatedAt": get(func(f *fulfillmentOrder) any { return f.updatedAt }),
		"fulfillAt": get(func(f *fulfillmentOrder) any { return f.createdAt }),
		"fulfillBy": get(func(*fulfillmentOrder) any { return nil }),
		"lineItems": with(func(x *graphql.Exec, f *fulfillmentOrder, a graphql.Args) any {
			return connect(x, a, f.lines, func(l *fulfillmentOrderLine) int64 { return l.id }, nil)
		}),
	}
}

// actions are the FulfillmentOrderActions that this simulator's states allow.
func (f *fulfillmentOrder) actions() []string {
	switch f.status {
	case "OPEN":
		return []string{"CREATE_FULFILLMENT", "REPORT_PROGRESS", "MOVE", "HOLD", "SPLIT"}
	case "IN_PROGRESS":
		return []string{"CREATE_FULFILLMENT", "REPORT_PROGRESS", "MARK_AS_OPEN"}
	case "ON_HOLD":
		return []string{"RELEASE_HOLD", "HOLD", "MOVE"}
	}
	return nil
}

func fulfillmentOrderLineFields() fields {
	return fields{
		"id":           get(func(l *fulfillmentOrderLine) any { return gid("FulfillmentOrderLineItem", l.id) }),
		"sku":          get(func(l *fulfillmentOrderLine) any { return l.line.variant.item.sku }),
		"productTitle": get(func(l *fulfillmentOrderLine) any { return l.line.variant.product.title }),
		"variantTitle": get(func(l *fulfillmentOrderLine) any {
			return textOrNil(strings.TrimPrefix(l.line.variant.title, "Default Title"))
		}),
		"totalQuantity":     get(func(l *fulfillmentOrderLine) any { return l.total }),
		"remainingQuantity": get(func(l *fulfillmentOrderLine) any { return l.remaining }),
		"inventoryItemId":   get(func(l *fulfillmentOrderLine) any { return gid("InventoryItem", l.line.variant.item.id) }),
		"lineItem":          get(func(l *fulfillmentOrderLine) any { return l.line }),
		"variant":           get(func(l *fulfillmentOrderLine) any { return l.line.variant }),
		"requiresShipping":  get(func(*fulfillmentOrderLine) any { return true }),
	}
}

func (s *Sim) fulfillmentFields() fields {
	return fields{
		"id":               get(func(f *fulfillment) any { return gid("Fulfillment", f.id) }),
		"legacyResourceId": get(func(f *fulfillment) any { return number(f.id) }),
		"name":             get(func(f *fulfillment) any { return f.name() }),
		"status":           get(func(*fulfillment) any { return "SUCCESS" }),
		"displayStatus":    get(func(*fulfillment) any { return "FULFILLED" }),
		"createdAt":        get(func(f *fulfillment) any { return f.createdAt }),
		"updatedAt":        get(func(f *fulfillment) any { return f.updatedAt }),
		"requiresShipping": get(func(*fulfillment) any { return true }),
		"order":            get(func(f *fulfillment) any { return f.order }),
		"location":         get(func(f *fulfillment) any { return f.loc }),
		"totalQuantity": get(func(f *fulfillment) any {
			n := 0
			for _, l := range f.lines {
				n += l.quantity
			}
			return n
		}),
		"trackingInfo": with(func(_ *graphql.Exec, f *fulfillment, a graphql.Args) any {
			out := []any{}
			limit, limited := a.Int("first")
			for i, n := range f.numbers {
				if limited && i >= limit {
					break
				}
				t := graphql.Map{"company": textOrNil(f.company), "number": n}
				if i < len(f.urls) {
					t["url"] = f.urls[i]
				}
				out = append(out, t)
			}
			return out
		}),
		"fulfillmentLineItems": with(func(x *graphql.Exec, f *fulfillment, a graphql.Args) any {
			return connect(x, a, f.lines, func(l *fulfillmentLine) int64 { return l.id }, nil)
		}),
	}
}

func fulfillmentLineFields() fields {
	return fields{
		"id":       get(func(l *fulfillmentLine) any { return gid("FulfillmentLineItem", l.id) }),
		"quantity": get(func(l *fulfillmentLine) any { return l.quantity }),
		"lineItem": get(func(l *fulfillmentLine) any { return l.line }),
	}
}

// userError is a plain UserError: no code.
func userError(message string, field ...string) graphql.Map {
	return graphql.Map{"message": message, "field": strs(field)}
}

func failed(result string, errs ...graphql.Map) graphql.Map {
	list := make([]any, len(errs))
	for i, e := range errs {
		list[i] = e
	}
	return graphql.Map{result: nil, "userErrors": list}
}

// cancelMutation is orderCancel. The vendor runs it as a job; here the job is done at once.
func (s *Sim) cancelMutation(_ *graphql.Exec, _ any, a graphql.Args) any {
	refuse := func(code, message, field string) any {
		e := graphql.Map{"code": code, "message": message, "field": []any{field}}
		return graphql.Map{"job": nil, "orderCancelUserErrors": []any{e}, "userErrors": []any{userError(message, field)}}
	}
	o := s.orderByID[idOf(a.Str("orderId"), "Order")]
	if o == nil {
		return refuse("NOT_FOUND", "Order does not exist", "orderId")
	}
	if why := cancellable(o); why != "" {
		return refuse("INVALID", why, "orderId")
	}
	if len(a.Str("staffNote")) > 255 {
		return refuse("STAFF_NOTE_TOO_LONG", "Staff note is too long", "staffNote")
	}
	s.cancel(o, a.Str("reason"), a.Bool("restock"))
	return graphql.Map{"job": graphql.Map{"id": "gid://shopify/Job/" + s.uuid(), "done": true}, "orderCancelUserErrors": []any{}, "userErrors": []any{}}
}

// fulfillmentCreate ships fulfilment orders of one order and one location.
func (s *Sim) fulfillmentCreate(_ *graphql.Exec, _ any, a graphql.Args) any {
	in := a.Object("fulfillment")
	lines := objects(in.List("lineItemsByFulfillmentOrder"))
	if len(lines) == 0 {
		return failed("fulfillment", userError("At least one fulfillment order is required.", "fulfillment", "lineItemsByFulfillmentOrder"))
	}
	var picks []pick
	for i, l := range lines {
		p, why := s.pickOf(l, picks)
		if why != "" {
			return failed("fulfillment", userError(why, "fulfillment", "lineItemsByFulfillmentOrder", number(int64(i))))
		}
		picks = append(picks, p)
	}
	f := &fulfillment{}
	track(f, in.Object("trackingInfo"))
	s.fulfil(picks, f)
	return graphql.Map{"fulfillment": f, "userErrors": []any{}}
}

// pickOf checks one entry against the store and the picks before it; why says what is wrong.
func (s *Sim) pickOf(in graphql.Args, before []pick) (p pick, why string) {
	fo := s.foByID[idOf(in.Str("fulfillmentOrderId"), "FulfillmentOrder")]
	switch {
	case fo == nil:
		return p, "Fulfillment order does not exist."
	case fo.status != "OPEN" && fo.status != "IN_PROGRESS":
		return p, "Fulfillment order " + number(fo.id) + " has an unfulfillable status= " + strings.ToLower(fo.status) + "."
	}
	for _, b := range before {
		switch {
		case b.fo == fo:
			return p, "Fulfillment order is given twice."
		case b.fo.order != fo.order || b.fo.loc != fo.loc:
			return p, "All fulfillment orders must belong to the same order and the same location."
		}
	}
	p.fo = fo
	items := objects(in.List("fulfillmentOrderLineItems"))
	if len(items) == 0 {
		return p, ""
	}
	p.units = map[*fulfillmentOrderLine]int{}
	for _, it := range items {
		id := idOf(it.Str("id"), "FulfillmentOrderLineItem")
		n, _ := it.Int("quantity")
		var line *fulfillmentOrderLine
		for _, l := range fo.lines {
			if l.id == id {
				line = l
			}
		}
		if line == nil {
			return p, "Fulfillment order line item does not exist."
		}
		if p.units[line] += n; n <= 0 || p.units[line] > line.remaining {
			return p, "Invalid fulfillment order line item quantity requested."
		}
	}
	return p, ""
}

func track(f *fulfillment, in graphql.Args) {
	if in == nil {
		return
	}
	f.company = in.Str("company")
	f.numbers, f.urls = in.Strings("numbers"), in.Strings("urls")
	if n := in.Str("number"); n != "" {
		f.numbers = append([]string{n}, f.numbers...)
	}
	if u := in.Str("url"); u != "" {
		f.urls = append([]string{u}, f.urls...)
	}
}

// trackingUpdate is fulfillmentTrackingInfoUpdate.
func (s *Sim) trackingUpdate(_ *graphql.Exec, _ any, a graphql.Args) any {
	f := s.ffByID[idOf(a.Str("fulfillmentId"), "Fulfillment")]
	if f == nil {
		return failed("fulfillment", userError("Fulfillment does not exist.", "fulfillmentId"))
	}
	track(f, a.Object("trackingInfoInput"))
	f.updatedAt = s.now()
	s.touch(f.order)
	s.emitFulfillment(f, "FULFILLMENTS_UPDATE")
	s.emitOrder(f.order, "ORDERS_UPDATED")
	return graphql.Map{"fulfillment": f, "userErrors": []any{}}
}
