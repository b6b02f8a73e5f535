package shopify

import (
	"net/http"
	"strings"
	"time"

	"github.com/spillway/spillway/sim/shopify/internal/graphql"
)

const (
	maxBulks      = 20                 // results kept
	bulkRetention = 7 * 24 * time.Hour // a result's address works that long
)

// bulkOperation is one export. Its result is taken when it completes, not when it was asked for.
type bulkOperation struct {
	id                     int64
	secret                 string // part of the result's address
	query, status, failure string
	host                   string // scheme and host the result is served under
	createdAt, completedAt time.Time
	objects, roots         int
	result                 []byte
	op                     *graphql.Operation
	r                      *request
	cancel                 func()
}

func (s *Sim) bulkFields() fields {
	return fields{
		"id":              get(func(b *bulkOperation) any { return gid("BulkOperation", b.id) }),
		"status":          get(func(b *bulkOperation) any { return b.status }),
		"errorCode":       get(func(b *bulkOperation) any { return textOrNil(b.failure) }),
		"type":            get(func(*bulkOperation) any { return "QUERY" }),
		"query":           get(func(b *bulkOperation) any { return b.query }),
		"createdAt":       get(func(b *bulkOperation) any { return b.createdAt }),
		"completedAt":     get(func(b *bulkOperation) any { return timeOrNil(b.completedAt) }),
		"objectCount":     get(func(b *bulkOperation) any { return number(int64(b.objects)) }),
		"rootObjectCount": get(func(b *bulkOperation) any { return number(int64(b.roots)) }),
		"fileSize": get(func(b *bulkOperation) any {
			if b.status != "COMPLETED" {
				return nil
			}
			return number(int64(len(b.result)))
		}),
		"url": get(func(b *bulkOperation) any {
			if b.status != "COMPLETED" || b.objects == 0 || s.now().Sub(b.completedAt) > bulkRetention {
				return nil
			}
			return b.host + "/_bulk/" + b.secret + ".jsonl"
		}),
		"partialDataUrl": get(func(*bulkOperation) any { return nil }),
	}
}

// runBulk is bulkOperationRunQuery.
func (s *Sim) runBulk(x *graphql.Exec, _ any, a graphql.Args) any {
	refuse := func(code, message string) any {
		e := graphql.Map{"code": code, "message": message, "field": []any{"query"}}
		return graphql.Map{"bulkOperation": nil, "userErrors": []any{e}}
	}
	r := x.Context.(*request)
	for _, b := range s.bulks {
		if b.status == "CREATED" || b.status == "RUNNING" {
			return refuse("OPERATION_IN_PROGRESS", "A bulk query operation for this app and shop is already in progress: "+gid("BulkOperation", b.id)+".")
		}
	}
	op, errs := r.version.api().Prepare(a.Str("query"), "", nil)
	switch {
	case len(errs) > 0:
		return refuse("INVALID", "Invalid bulk query: "+errs[0].Message)
	case op.IsMutation():
		return refuse("INVALID", "Invalid bulk query: mutations are not allowed.")
	case !op.HasConnection():
		return refuse("INVALID", "Bulk queries must contain at least one connection.")
	}
	b := &bulkOperation{id: s.newID("BulkOperation"), secret: s.uuid(), query: a.Str("query"), status: "CREATED", host: r.host, createdAt: s.now(), op: op, r: r}
	if s.bulks = append(s.bulks, b); len(s.bulks) > maxBulks {
		s.bulks = append([]*bulkOperation(nil), s.bulks[len(s.bulks)-maxBulks:]...)
	}
	b.cancel = s.opts.Clock.At(s.opts.Clock.Now().Add(s.opts.BulkDelay), func() { s.finishBulk(b) })
	shown := *b
	b.status = "RUNNING" // the answer says CREATED, the next look RUNNING
	return graphql.Map{"bulkOperation": &shown, "userErrors": []any{}}
}

// cancelBulk is bulkOperationCancel.
func (s *Sim) cancelBulk(_ *graphql.Exec, _ any, a graphql.Args) any {
	for _, b := range s.bulks {
		if gid("BulkOperation", b.id) != a.Str("id") {
			continue
		}
		if b.status != "RUNNING" {
			return graphql.Map{"bulkOperation": b, "userErrors": []any{userError("A bulk operation cannot be canceled when it is "+strings.ToLower(b.status), "id")}}
		}
		b.cancel()
		b.status, b.completedAt = "CANCELED", s.now()
		return graphql.Map{"bulkOperation": b, "userErrors": []any{}}
	}
	return failed("bulkOperation", userError("Bulk operation does not exist", "id"))
}

func (s *Sim) finishBulk(b *bulkOperation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.status != "RUNNING" {
		return
	}
	res := b.op.Execute(graphql.Runtime{Resolvers: s.fields, TypeOf: typeOf, Context: b.r, Bulk: true})
	b.completedAt, b.status = s.now(), "COMPLETED"
	if len(res.Errors) > 0 {
		b.status, b.failure = "FAILED", "INTERNAL_SERVER_ERROR"
		if res.Errors[0].Extensions["code"] == "ACCESS_DENIED" {
			b.failure = "ACCESS_DENIED"
		}
	} else {
		b.flatten(prune(res.Data), "")
	}
	b.op, b.r = nil, nil
	s.emit("BULK_OPERATIONS_FINISH", s.uuid(), func() any {
		return map[string]any{"admin_graphql_api_id": gid("BulkOperation", b.id), "completed_at": stamp(b.completedAt), "created_at": stamp(b.createdAt),
			"error_code": textOrNull(strings.ToLower(b.failure)), "status": strings.ToLower(b.status), "type": "query"}
	})
}

// flatten writes every node of every connection as a line of its own, children after their parent and naming it. The
// parent is the nearest node above that has a line; objects in between stay inside that line.
func (b *bulkOperation) flatten(nodes []*graphql.Object, parent string) {
	for _, n := range nodes {
		below := prune(n)
		if parent == "" {
			b.roots++
		} else {
			n.Set("__parentId", parent)
		}
		b.result = append(n.AppendJSON(b.result), '\n')
		b.objects++
		b.flatten(below, globalID(n.Source))
	}
}

// prune takes the connections out of an object and the objects inside it, and gives their nodes in order.
func prune(o *graphql.Object) []*graphql.Object {
	var nodes []*graphql.Object
	var names []string
	o.Each(func(key string, v any) {
		switch v := v.(type) {
		case *graphql.BulkNodes:
			nodes, names = append(nodes, v.Nodes...), append(names, key)
		case *graphql.Object:
			nodes = append(nodes, prune(v)...)
		case []any:
			for _, e := range v {
				if o, ok := e.(*graphql.Object); ok {
					nodes = append(nodes, prune(o)...)
				}
			}
		}
	})
	for _, name := range names {
		o.Delete(name)
	}
	return nodes
}

// globalID is the identifier of a store object.
func globalID(v any) string {
	switch v := v.(type) {
	case *level:
		return v.gid()
	case *location:
		return gid("Location", v.id)
	case *product:
		return gid("Product", v.id)
	case *variant:
		return gid("ProductVariant", v.id)
	case *item:
		return gid("InventoryItem", v.id)
	case *order:
		return gid("Order", v.id)
	case *line:
		return gid("LineItem", v.id)
	case *fulfillmentOrder:
		return gid("FulfillmentOrder", v.id)
	case *fulfillmentOrderLine:
		return gid("FulfillmentOrderLineItem", v.id)
	case *fulfillment:
		return gid("Fulfillment", v.id)
	case *fulfillmentLine:
		return gid("FulfillmentLineItem", v.id)
	case *subscription:
		return gid("WebhookSubscription", v.id)
	}
	return ""
}

// serveBulk downloads a result. The address is the only secret, as with the vendor's signed links.
func (s *Sim) serveBulk(w http.ResponseWriter, r *http.Request) {
	secret := strings.TrimSuffix(r.PathValue("file"), ".jsonl")
	s.mu.RLock()
	var body []byte
	found := false
	for _, b := range s.bulks {
		if b.secret == secret && b.status == "COMPLETED" && s.now().Sub(b.completedAt) <= bulkRetention {
			body, found = b.result, true
		}
	}
	s.mu.RUnlock()
	if !found {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/jsonl")
	_, _ = w.Write(body) // a client that went away needs no answer
}
