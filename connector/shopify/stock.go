package shopify

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/spillway/spillway/connector/driver"
)

const (
	maxEntries  = 250           // elements of one array argument, the vendor's limit
	maxQuantity = 1_000_000_000 // of one entry, the vendor's limit
	reason      = "correction"
)

// keySpace makes idempotency keys of push ids. It never changes: a retry after an update must make the same key.
var keySpace = uuid.MustParse("0c8e5a5e-3f1c-5b0e-9a53-6a1f7a5d2b10")

// batch is the pushes that travel in one mutation. Shopify applies all of its entries or none.
type batch struct {
	kind    driver.WriteKind
	pushes  []int // by index
	entries int
	resent  int // how often its pushes were sent before
}

// key names the request: the same pushes make the same key, so that a repeated request is answered and not done twice. It puts
// them in order, since Shopify takes the same entries in another order for another request under the same key.
func (b *batch) key(all []driver.Push) string {
	slices.SortFunc(b.pushes, func(i, j int) int { return strings.Compare(all[i].ID, all[j].ID) })
	ids := make([]string, len(b.pushes))
	for i, at := range b.pushes {
		ids[i] = all[at].ID
	}
	return uuid.NewSHA1(keySpace, []byte(strings.Join(ids, "\x00"))).String()
}

// SetQuantities implements driver.Channel. Pushes of one kind share a mutation of up to 250 entries, those that were refused
// for another's fault a second one; a delta has one of its own, because its key must not depend on which others it happens to travel with: comparing does not protect it.
func (c *channel) SetQuantities(ctx context.Context, pushes []driver.Push) ([]driver.Result, error) {
	results := make([]driver.Result, len(pushes))
	batches := c.batches(pushes, results)
	for i := 0; i < len(batches); i++ {
		b := batches[i]
		err := c.apply(ctx, b, pushes, results)
		if err == nil {
			if again := b.innocent(results); again != nil {
				batches = slices.Insert(batches, i+1, again)
			}
			continue
		}
		if driver.MayBeApplied(err) { // the later batches surely are not
			e := &driver.Error{Class: driver.Retry, Op: driver.OpSet, Message: "not sent, since the request before it failed"}
			for _, later := range batches[i+1:] {
				for _, at := range later.pushes {
					results[at] = failed(pushes[at], e)
				}
			}
		}
		return slices.DeleteFunc(results, func(r driver.Result) bool { return r.Outcome == "" }), err
	}
	return results, nil
}

// batches sorts the pushes and answers those that cannot be sent.
func (c *channel) batches(pushes []driver.Push, results []driver.Result) []*batch {
	var out []*batch
	open := map[driver.WriteKind]*batch{}
	taken := map[[2]string]bool{}
	for i, p := range pushes {
		why := refusal(p)
		if why == "" {
			for _, l := range p.Ref.Locations {
				if pair := [2]string{p.Ref.ItemRef, l}; taken[pair] {
					why = "the listing occurs twice in one call"
				}
			}
		}
		if why != "" {
			results[i] = failed(p, &driver.Error{Class: driver.GiveUp, Op: driver.OpSet, Message: why})
			continue
		}
		for _, l := range p.Ref.Locations {
			taken[[2]string{p.Ref.ItemRef, l}] = true
		}
		b := open[p.Kind]
		if b == nil || b.entries+len(p.Ref.Locations) > maxEntries || p.Kind == driver.DeltaWrite {
			b = &batch{kind: p.Kind}
			open[p.Kind] = b
			out = append(out, b)
		}
		b.pushes = append(b.pushes, i)
		b.entries += len(p.Ref.Locations)
	}
	return out
}

// maxResends bounds how often what others' faults had refused is sent again within one call. A busy shop has two or three
// hot listings in a batch; the rest then waits for the next plan.
const maxResends = 3

// refusedWithBatch marks pushes that were refused only because Shopify applies all entries of a request or none.
const refusedWithBatch = "BATCH_REFUSED"

// innocent takes the pushes out of a refused batch that were not at fault, to be sent again at once without those that
// were; nil if there are none.
func (b *batch) innocent(results []driver.Result) *batch {
	if b.resent == maxResends {
		return nil
	}
	again := &batch{kind: b.kind, resent: b.resent + 1}
	for _, at := range b.pushes {
		if e := results[at].Err; e != nil && e.Code == refusedWithBatch {
			again.pushes = append(again.pushes, at)
			results[at] = driver.Result{} // its fate is open again
		}
	}
	if len(again.pushes) == 0 {
		return nil
	}
	return again
}

// refusal says why a push cannot be sent at all; empty if it can.
func refusal(p driver.Push) string {
	switch {
	case p.Kind != driver.CompareAndSet && p.Kind != driver.Absolute && p.Kind != driver.DeltaWrite:
		return "the channel does not know this kind of push"
	case !isNumber(p.Ref.ItemRef):
		return "the listing names no inventory item"
	case len(p.Ref.Locations) == 0 || len(p.Ref.Locations) > maxEntries:
		return "the listing must name 1 to 250 locations"
	case slices.ContainsFunc(p.Ref.Locations, func(l string) bool { return !isNumber(l) }):
		return "the listing names something that is no location"
	}
	return ""
}

// share is a push's number at one of its locations.
func share(total int64, by map[string]int64, locations []string, at int) int64 {
	if len(by) > 0 {
		return by[locations[at]]
	}
	if at == 0 {
		return total
	}
	return 0
}

// apply sends one batch and writes the results of its pushes. The error means that nothing is known of any of them.
func (c *channel) apply(ctx context.Context, b *batch, pushes []driver.Push, results []driver.Result) error {
	r := request{op: driver.OpSet}
	field, list := "inventorySetQuantities", "quantities"
	key := b.key(pushes)
	vars := map[string]any{}
	var owners []int // of each entry
	if b.kind == driver.DeltaWrite {
		field, list = "inventoryAdjustQuantities", "changes"
		vars["input"], owners = c.adjustInput(b, pushes, key)
		r.doc = pick(c.version.keyed(), docAdjustKeyed, docAdjust)
	} else {
		vars["input"], owners = c.setInput(b, pushes, key)
		r.doc = pick(c.version.keyed(), docSetKeyed, docSet)
	}
	if c.version.keyed() {
		vars["key"] = key
	}
	r.vars = vars
	var data map[string]*struct {
		Errors []userError `json:"userErrors"`
	}
	if len(owners) == 0 { // a delta of nothing
		for _, at := range b.pushes {
			results[at] = driver.Result{PushID: pushes[at].ID, Outcome: driver.Confirmed, After: -1}
		}
		return nil
	}
	a, err := c.call(ctx, r, &data)
	if err != nil {
		return err
	}
	payload := data[field]
	if payload == nil {
		return &driver.Error{Class: driver.Retry, Op: driver.OpSet, Status: a.Status, RequestID: a.RequestID, Applied: true, Message: "the answer has no payload"}
	}
	if len(payload.Errors) > 0 {
		refuse(b, pushes, results, payload.Errors, list, owners, a)
		return nil
	}
	for _, at := range b.pushes {
		res := driver.Result{PushID: pushes[at].ID, Outcome: driver.Confirmed, After: -1, At: a.At}
		if b.kind != driver.DeltaWrite { // Shopify leaves quantityAfterChange empty, but what was set is what it is
			res.After, res.HasAfter = pushes[at].Quantity, true
		}
		results[at] = res
	}
	return nil
}

func (c *channel) setInput(b *batch, pushes []driver.Push, key string) (setInput, []int) {
	in := setInput{Name: "available", Reason: reason, Reference: "gid://spillway/Push/" + key}
	in.Ignore = b.kind == driver.Absolute && !c.version.changeFrom()
	var owners []int
	for _, at := range b.pushes {
		p := pushes[at]
		for i, l := range p.Ref.Locations {
			e := setEntry{Item: gid("InventoryItem", p.Ref.ItemRef), Location: gid("Location", l), Quantity: share(p.Quantity, p.Split, p.Ref.Locations, i)}
			if b.kind == driver.CompareAndSet {
				e = c.version.compared(e, share(p.From, p.FromBy, p.Ref.Locations, i))
			} else {
				e = c.version.unchecked(e)
			}
			in.Entries = append(in.Entries, e)
			owners = append(owners, at)
		}
	}
	return in, owners
}

func (c *channel) adjustInput(b *batch, pushes []driver.Push, key string) (adjustInput, []int) {
	in := adjustInput{Name: "available", Reason: reason, Reference: "gid://spillway/Push/" + key}
	var owners []int
	for _, at := range b.pushes {
		p := pushes[at]
		for i, l := range p.Ref.Locations {
			delta := share(p.Quantity, p.Split, p.Ref.Locations, i)
			if delta == 0 {
				continue
			}
			in.Entries = append(in.Entries, adjustEntry{
				Item: gid("InventoryItem", p.Ref.ItemRef), Location: gid("Location", l), Delta: delta, From: maybeInt64{Present: c.version.changeFrom()},
			})
			owners = append(owners, at)
		}
	}
	return in, owners
}

// refuse turns the user errors of a mutation into results: nothing was applied, and the pushes that were not at fault may be
// sent again at once.
func refuse(b *batch, pushes []driver.Push, results []driver.Result, errs []userError, list string, owners []int, a *driver.Answer) {
	own := map[int]userError{}
	var common *userError
	for i, e := range errs {
		n := index(e.Field, list)
		switch {
		case n < 0 || n >= len(owners):
			if common == nil {
				common = &errs[i]
			}
		default:
			if _, ok := own[owners[n]]; !ok {
				own[owners[n]] = e
			}
		}
	}
	for _, at := range b.pushes {
		e, ok := own[at]
		if !ok && common != nil {
			e, ok = *common, true
		}
		if !ok {
			e = userError{Code: refusedWithBatch, Message: "another entry of the same request was refused, so Shopify applied none"}
		}
		f := e.fail(driver.OpSet, a)
		if !ok {
			f.Class = driver.Retry
		}
		res := driver.Result{PushID: pushes[at].ID, Outcome: driver.Refused, After: -1, At: a.At, Err: f}
		switch e.Code {
		case "CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE":
			res.Outcome = driver.Stale
		case "IDEMPOTENCY_CONCURRENT_REQUEST": // the same request is being carried out at this moment
			res.Outcome, f.Applied = driver.Unknown, true
		}
		results[at] = res
	}
}

// failed is the result of a push that was not sent.
func failed(p driver.Push, e *driver.Error) driver.Result {
	return driver.Result{PushID: p.ID, Outcome: driver.Refused, After: -1, Err: e}
}

func pick(first bool, a, b document) document {
	if first {
		return a
	}
	return b
}

// Group implements driver.Channel: any listings of the shop may share a request.
func (c *channel) Group(driver.ListingRef) string { return c.conn.Shop.ExternalID }
