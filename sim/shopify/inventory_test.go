package shopify

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/spillway/spillway/sim/world"
	"pgregory.net/rapid"
)

const setMutation = `mutation($in: InventorySetQuantitiesInput!) { inventorySetQuantities(input: $in) %s {
	inventoryAdjustmentGroup { id reason changes { name delta quantityAfterChange } } userErrors { code field message } } }`

const adjustMutation = `mutation($in: InventoryAdjustQuantitiesInput!) { inventoryAdjustQuantities(input: $in) %s {
	inventoryAdjustmentGroup { id changes { name delta quantityAfterChange ledgerDocumentUri } } userErrors { code field message } } }`

func idem(key string) string {
	if key == "" {
		return ""
	}
	return fmt.Sprintf("@idempotent(key: %q)", key)
}

// set writes available of one item. extra is merged into the line, waive into the input.
func (s *shop) set(version, key string, v Variant, n int, extra, input map[string]any) answer {
	line := map[string]any{"inventoryItemId": v.ItemGID(), "locationId": s.loc().GID(), "quantity": n}
	for k, e := range extra {
		line[k] = e
	}
	in := map[string]any{"name": "available", "reason": "correction", "quantities": []any{line}}
	for k, e := range input {
		in[k] = e
	}
	return s.at(version, fmt.Sprintf(setMutation, idem(key)), map[string]any{"in": in})
}

func (s *shop) loc() LocationID { return LocationID(s.locations[0].id) }

// The rules for comparing quantities changed twice during 2026. Stock is 10 before every call.
func TestCompareAndSetByVersion(t *testing.T) {
	type m = map[string]any
	const ok = "" // accepted
	for _, c := range []struct {
		name         string
		extra, input m
		key          string
		want         map[string]string // version to error code; top-level ones have a leading "!"
	}{
		{"nothing", nil, nil, "k", map[string]string{"2025-10": "!directive", "2026-01": "COMPARE_QUANTITY_REQUIRED",
			"2026-04": "!INVALID_FIELD_ARGUMENTS", "2026-07": "!INVALID_FIELD_ARGUMENTS", "2026-10": "!INVALID_FIELD_ARGUMENTS"}},
		{"nothing, no key", nil, nil, "", map[string]string{"2025-10": "COMPARE_QUANTITY_REQUIRED", "2026-01": "COMPARE_QUANTITY_REQUIRED",
			"2026-04": "!INVALID_FIELD_ARGUMENTS", "2026-10": "!INVALID_FIELD_ARGUMENTS"}},
		{"compare right", m{"compareQuantity": 10}, nil, "", map[string]string{"2025-10": ok, "2026-01": ok,
			"2026-04": "!INVALID_VARIABLE", "2026-10": "!INVALID_VARIABLE"}},
		{"compare wrong", m{"compareQuantity": 11}, nil, "", map[string]string{"2025-10": "COMPARE_QUANTITY_STALE", "2026-01": "COMPARE_QUANTITY_STALE",
			"2026-10": "!INVALID_VARIABLE"}},
		{"compare null", m{"compareQuantity": nil}, nil, "", map[string]string{"2025-10": "COMPARE_QUANTITY_REQUIRED", "2026-01": "COMPARE_QUANTITY_REQUIRED"}},
		{"ignored", nil, m{"ignoreCompareQuantity": true}, "", map[string]string{"2025-10": ok, "2026-01": ok, "2026-10": "!INVALID_VARIABLE"}},
		{"change from right", m{"changeFromQuantity": 10}, nil, "", map[string]string{"2025-10": "!INVALID_VARIABLE", "2026-01": ok,
			"2026-04": "!BAD_REQUEST", "2026-10": "!BAD_REQUEST"}},
		{"change from right, key", m{"changeFromQuantity": 10}, nil, "k", map[string]string{"2026-01": ok, "2026-04": ok, "2026-07": ok, "2026-10": ok}},
		{"change from wrong, key", m{"changeFromQuantity": 3}, nil, "k", map[string]string{"2026-01": "CHANGE_FROM_QUANTITY_STALE",
			"2026-04": "CHANGE_FROM_QUANTITY_STALE", "2026-10": "CHANGE_FROM_QUANTITY_STALE"}},
		{"change from null, key", m{"changeFromQuantity": nil}, nil, "k", map[string]string{"2026-01": ok, "2026-04": ok, "2026-10": ok}},
	} {
		for version, want := range c.want {
			t.Run(c.name+" "+version, func(t *testing.T) {
				s := open(t)
				v := s.product(10, "A")[0]
				a := s.set(version, c.key, v, 7, c.extra, c.input)
				wantStock := 10
				switch {
				case want == ok:
					wantStock = 7
					a.want(-3, "data", "inventorySetQuantities", "inventoryAdjustmentGroup", "changes", 0, "delta")
					a.want("on_hand", "data", "inventorySetQuantities", "inventoryAdjustmentGroup", "changes", 1, "name")
				case want == "!directive":
					a.want("undefinedDirective", "errors", 0, "extensions", "code")
				case strings.HasPrefix(want, "!"):
					a.want(want[1:], "errors", 0, "extensions", "code")
				default:
					a.want(want, "data", "inventorySetQuantities", "userErrors", 0, "code")
					a.want("quantities", "data", "inventorySetQuantities", "userErrors", 0, "field", 1)
				}
				if got := s.Available("A"); got != wantStock {
					t.Errorf("available is %d, want %d", got, wantStock)
				}
			})
		}
	}
}

func TestLiteralNullIsNotAbsent(t *testing.T) {
	s := open(t)
	v := s.product(10, "A")[0]
	text := func(change string) string {
		return fmt.Sprintf(`mutation($x: Int) { inventoryAdjustQuantities(input: {name: "available", reason: "other", changes: [{inventoryItemId: %q,
			locationId: %q, delta: 1 %s}]}) @idempotent(key: %q) { userErrors { code } } }`, v.ItemGID(), s.loc().GID(), change, "k"+change)
	}
	unused := `mutation($x: Int) {`
	a := s.at("2026-10", strings.Replace(text(""), unused, "mutation {", 1), nil)
	a.want("INVALID_FIELD_ARGUMENTS", "errors", 0, "extensions", "code")
	a.want("InventoryChangeInput must include the following argument: changeFromQuantity", "errors", 0, "message")
	s.at("2026-10", strings.Replace(text(", changeFromQuantity: null"), unused, "mutation {", 1), nil).want(nil, "errors")
	s.at("2026-10", text(", changeFromQuantity: $x"), nil).want("INVALID_FIELD_ARGUMENTS", "errors", 0, "extensions", "code")
	s.at("2026-10", text(", changeFromQuantity: $x"), map[string]any{"x": nil}).want(nil, "errors")
	if got := s.Available("A"); got != 12 {
		t.Errorf("available is %d, want 12", got)
	}
}

func TestUserErrorsOfSet(t *testing.T) {
	s := open(t)
	v := s.product(10, "A")[0]
	bundle, err := s.AddProduct(ProductInput{Title: "Kit", Variants: []VariantInput{{SKU: "K", Bundle: true}}})
	if err != nil {
		t.Fatal(err)
	}
	far, err := s.AddLocation("Far") // added after the product: not stocked there
	if err != nil {
		t.Fatal(err)
	}
	type m = map[string]any
	for i, c := range []struct {
		code         string
		v            Variant
		n            int
		extra, input m
	}{
		{"INVALID_REASON", v, 1, nil, m{"reason": "because"}},
		{"INVALID_NAME", v, 1, nil, m{"name": "committed"}},
		{"INVALID_REFERENCE_DOCUMENT", v, 1, nil, m{"referenceDocumentUri": "no uri"}},
		{"INVALID_QUANTITY_NEGATIVE", v, -1, nil, m{"name": "on_hand"}},
		{"INVALID_QUANTITY_TOO_HIGH", v, 1_000_000_001, nil, nil},
		{"INVALID_QUANTITY_TOO_LOW", v, -1_000_000_001, nil, nil},
		{"INVALID_INVENTORY_ITEM", Variant{InventoryItemID: 1}, 1, nil, nil},
		{"INVALID_LOCATION", v, 1, m{"locationId": "gid://shopify/Location/1"}, nil},
		{"ITEM_NOT_STOCKED_AT_LOCATION", v, 1, m{"locationId": far.GID()}, nil},
		{"NON_MUTABLE_INVENTORY_ITEM", bundle[0], 1, nil, nil},
	} {
		extra := m{"changeFromQuantity": nil}
		for k, e := range c.extra {
			extra[k] = e
		}
		a := s.set("2026-10", fmt.Sprint("k", i), c.v, c.n, extra, c.input)
		a.want(c.code, "data", "inventorySetQuantities", "userErrors", 0, "code")
		a.want(nil, "data", "inventorySetQuantities", "inventoryAdjustmentGroup")
	}
	line := m{"inventoryItemId": v.ItemGID(), "locationId": s.loc().GID(), "quantity": 3, "changeFromQuantity": nil}
	both := s.at("2026-10", fmt.Sprintf(setMutation, idem("twice")), m{"in": m{"name": "available", "reason": "other", "quantities": []any{line, line}}})
	both.want("NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", "data", "inventorySetQuantities", "userErrors", 0, "code")
	many := make([]any, 251)
	for i := range many {
		many[i] = line
	}
	s.at("2026-10", fmt.Sprintf(setMutation, idem("many")), m{"in": m{"name": "available", "reason": "other", "quantities": many}}).
		want("MAX_INPUT_SIZE_EXCEEDED", "errors", 0, "extensions", "code")
	if got := s.Available("A"); got != 10 {
		t.Errorf("available is %d after refused mutations, want 10", got)
	}
	st, err := s.Stats("A")
	if err != nil || st.Refused == 0 || st.Mutations != 0 {
		t.Errorf("stats %+v, %v", st, err)
	}
}

func TestLedgerDocuments(t *testing.T) {
	s := open(t)
	v := s.product(10, "A")[0]
	type m = map[string]any
	for i, c := range []struct{ name, doc, code string }{
		{"available", "gid://app/Order/1", "INVALID_AVAILABLE_DOCUMENT"}, {"available", "", ""},
		{"damaged", "", "INVALID_QUANTITY_DOCUMENT"}, {"damaged", "gid://shopify/Order/1", "INTERNAL_LEDGER_DOCUMENT"},
		{"damaged", "nothing", "INVALID_LEDGER_DOCUMENT"}, {"damaged", "gid://app/Report/1", ""},
		{"incoming", "https://example.com/po/1", ""}, {"committed", "gid://app/X/1", "INVALID_QUANTITY_NAME"}, {"on_hand", "gid://app/X/1", "INVALID_QUANTITY_NAME"},
	} {
		line := m{"inventoryItemId": v.ItemGID(), "locationId": s.loc().GID(), "delta": 2, "changeFromQuantity": nil}
		if c.doc != "" {
			line["ledgerDocumentUri"] = c.doc
		}
		a := s.at("2026-10", fmt.Sprintf(adjustMutation, idem(fmt.Sprint(i))), m{"in": m{"name": c.name, "reason": "other", "changes": []any{line}}})
		if c.code == "" {
			a.want(c.name, "data", "inventoryAdjustQuantities", "inventoryAdjustmentGroup", "changes", 0, "name")
			continue
		}
		a.want(c.code, "data", "inventoryAdjustQuantities", "userErrors", 0, "code")
	}
	st, err := s.Stock("A")
	if err != nil {
		t.Fatal(err)
	}
	if st[0].OnHand != 14 || st[0].Units["incoming"] != 2 || st[0].Units["damaged"] != 2 || st[0].Available != 12 {
		t.Errorf("stock %+v", st[0])
	}
}

func TestMoveAndActivate(t *testing.T) {
	s := open(t)
	v := s.product(10, "A")[0]
	far, err := s.AddLocation("Far")
	if err != nil {
		t.Fatal(err)
	}
	type m = map[string]any
	move := func(key string, from, to m) answer {
		for _, e := range []m{from, to} {
			e["changeFromQuantity"] = nil
			if e["locationId"] == nil {
				e["locationId"] = s.loc().GID()
			}
		}
		return s.at("2026-10", `mutation($in: InventoryMoveQuantitiesInput!) { inventoryMoveQuantities(input: $in) `+idem(key)+` {
			inventoryAdjustmentGroup { changes { name delta } } userErrors { code } } }`, m{"in": m{"reason": "quality_control",
			"referenceDocumentUri": "gid://app/Check/1", "changes": []any{m{"inventoryItemId": v.ItemGID(), "quantity": 4, "from": from, "to": to}}}})
	}
	a := move("1", m{"name": "available"}, m{"name": "quality_control", "ledgerDocumentUri": "gid://app/Check/1"})
	a.want(nil, "data", "inventoryMoveQuantities", "userErrors", 0)
	move("2", m{"name": "available"}, m{"name": "available"}).want("SAME_QUANTITY_NAME", "data", "inventoryMoveQuantities", "userErrors", 0, "code")
	move("3", m{"name": "available"}, m{"name": "available", "locationId": far.GID()}).
		want("DIFFERENT_LOCATIONS", "data", "inventoryMoveQuantities", "userErrors", 0, "code")
	st, err := s.Stock("A")
	if err != nil || st[0].Available != 6 || st[0].Units["quality_control"] != 4 || st[0].OnHand != 10 {
		t.Errorf("stock %+v, %v", st, err)
	}
	activate := func(key string) answer {
		return s.at("2026-10", `mutation($i: ID!, $l: ID!) { inventoryActivate(inventoryItemId: $i, locationId: $l, available: 5) `+idem(key)+` {
			inventoryLevel { quantities(names: ["on_hand"]) { quantity } } userErrors { message } } }`, m{"i": v.ItemGID(), "l": far.GID()})
	}
	activate("a").want(5, "data", "inventoryActivate", "inventoryLevel", "quantities", 0, "quantity")
	activate("b").want(nil, "data", "inventoryActivate", "inventoryLevel") // stocked there already
	if got := s.Available("A"); got != 11 {
		t.Errorf("available over both locations is %d, want 11", got)
	}
}

func TestIdempotency(t *testing.T) {
	s := open(t)
	v := s.product(10, "A")[0]
	none := map[string]any{"changeFromQuantity": nil}
	stale := map[string]any{"changeFromQuantity": 999}
	first := s.set("2026-10", "k1", v, 7, none, nil)
	if err := s.SetAvailable("A", 0, 3); err != nil {
		t.Fatal(err)
	}
	again := s.set("2026-10", "k1", v, 7, none, nil)
	path := []any{"data", "inventorySetQuantities", "inventoryAdjustmentGroup", "id"}
	again.want(first.get(path...), path...)
	if got := s.Available("A"); got != 3 {
		t.Errorf("a replay changed stock to %d", got)
	}
	code := []any{"data", "inventorySetQuantities", "userErrors", 0, "code"}
	s.set("2026-10", "k1", v, 8, none, nil).want("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", code...)
	s.set("2026-10", "k2", v, 8, stale, nil).want("CHANGE_FROM_QUANTITY_STALE", code...)
	s.set("2026-10", "k2", v, 8, stale, nil).want("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", code...)
	s.set("2026-10", "", v, 8, none, nil).want("BAD_REQUEST", "errors", 0, "extensions", "code")
	s.clock.Advance(idempotencyWindow)
	s.set("2026-10", "k1", v, 8, none, nil).want(8, "data", "inventorySetQuantities", "inventoryAdjustmentGroup", "changes", 0, "quantityAfterChange")
}

// A reply that is lost leaves the work done, and the same key then tells the result.
func TestLostReplyIsReplayed(t *testing.T) {
	s := open(t)
	v := s.product(10, "A")[0]
	if _, err := s.Faults().Add(world.Rule{Point: "*mutation inventorySetQuantities", Kind: world.LostReply, Remaining: 1}); err != nil {
		t.Fatal(err)
	}
	lost := func() (cut bool) {
		req := fmt.Sprintf(`{"query":"mutation{inventorySetQuantities(input:{name:\"available\",reason:\"other\",quantities:[{inventoryItemId:\"%s\",locationId:\"%s\",quantity:4,changeFromQuantity:10}]})@idempotent(key:\"k\"){userErrors{code} inventoryAdjustmentGroup{id}}}"}`,
			v.ItemGID(), s.loc().GID())
		_, err := rawPost(s, req)
		return err != nil
	}
	if !lost() {
		t.Fatal("the first reply was not lost")
	}
	if got := s.Available("A"); got != 4 {
		t.Fatalf("available is %d: the work was not done", got)
	}
	if lost() {
		t.Fatal("the second reply was lost too")
	}
	if got := s.Counts().Mutations["inventorySetQuantities"]; got != 2 {
		t.Errorf("%d mutations ran, want 2", got)
	}
	st, err := s.Stats("A")
	if err != nil || st.Mutations != 1 {
		t.Errorf("stock was written %d times, want once (%v)", st.Mutations, err)
	}
}

// While an arranged delay holds the first call, a second one with its key is told so.
func TestConcurrentKey(t *testing.T) {
	s := open(t)
	v := s.product(10, "A")[0]
	none := map[string]any{"changeFromQuantity": nil}
	if _, err := s.Faults().Add(world.Rule{Point: "*mutation *", Kind: world.Delay, Delay: world.Duration(60e9), Remaining: 1}); err != nil {
		t.Fatal(err)
	}
	done := make(chan answer)
	go func() { done <- s.set("2026-10", "k", v, 7, none, nil) }()
	for { // until the first call waits on the clock
		if _, waiting := s.clock.Next(); waiting {
			break
		}
		runtime.Gosched()
	}
	s.set("2026-10", "k", v, 7, none, nil).want("IDEMPOTENCY_CONCURRENT_REQUEST", "data", "inventorySetQuantities", "userErrors", 0, "code")
	s.clock.Advance(60e9)
	(<-done).want(7, "data", "inventorySetQuantities", "inventoryAdjustmentGroup", "changes", 0, "quantityAfterChange")
}

// bookkeeper predicts a store with one SKU at two locations from what is done to it.
type bookkeeper struct {
	sim          *Sim
	locations    []LocationID
	placed       []Order
	onHand, open int // units on the shelves, and of those in open orders
}

func newBookkeeper(t *rapid.T) *bookkeeper {
	sim, err := New(Options{Clock: world.NewVirtual(testStart), Unthrottled: true})
	if err != nil {
		t.Fatal(err)
	}
	second, err := sim.AddLocation("Second")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sim.AddProduct(ProductInput{Title: "Mug", Variants: []VariantInput{{SKU: "A", Stock: 20}}}); err != nil {
		t.Fatal(err)
	}
	return &bookkeeper{sim: sim, locations: []LocationID{0, second}, onHand: 20}
}

func (b *bookkeeper) place(t *rapid.T) {
	n := rapid.IntRange(1, 8).Draw(t, "units")
	before := b.sim.Available("A")
	o, err := b.sim.PlaceOrder(OrderInput{Lines: []OrderLine{{SKU: "A", Quantity: n}}})
	if (err == nil) != (before >= n) {
		t.Fatalf("%d of %d available: %v", n, before, err)
	}
	if err == nil {
		b.placed, b.open = append(b.placed, o), b.open+n
	}
}

func (b *bookkeeper) edit(t *rapid.T) {
	d := rapid.IntRange(-5, 10).Draw(t, "delta")
	if err := b.sim.AdjustAvailable("A", rapid.SampledFrom(b.locations).Draw(t, "location"), d); err != nil {
		t.Fatal(err)
	}
	b.onHand += d
}

// finish cancels or fulfils some order, which fails when that has happened before.
func (b *bookkeeper) finish(t *rapid.T) {
	if len(b.placed) == 0 {
		t.Skip("nothing was ordered yet")
	}
	o := rapid.SampledFrom(b.placed).Draw(t, "order")
	units := o.Lines[0].Quantity
	if rapid.Bool().Draw(t, "cancel") {
		restock := rapid.Bool().Draw(t, "restock")
		if _, err := b.sim.CancelOrder(o.ID, "CUSTOMER", restock); err != nil {
			return
		}
		if b.open -= units; !restock {
			b.onHand -= units
		}
		return
	}
	if _, err := b.sim.FulfillOrder(o.ID, "UPS", "1Z"); err == nil {
		b.open, b.onHand = b.open-units, b.onHand-units
	}
}

func (b *bookkeeper) check(t *rapid.T) {
	stock, err := b.sim.Stock("A")
	if err != nil {
		t.Fatal(err)
	}
	onHand, open := 0, 0
	for _, l := range stock {
		sum := 0
		for name, n := range l.Units {
			if name != "on_hand" && name != "incoming" {
				sum += n
			}
		}
		if sum != l.OnHand {
			t.Fatalf("on_hand %d is not the sum of %v", l.OnHand, l.Units)
		}
		onHand, open = onHand+l.OnHand, open+l.Units["committed"]
	}
	st, err := b.sim.Stats("A")
	if err != nil {
		t.Fatal(err)
	}
	if onHand != b.onHand || open != b.open || st.Active-st.UnitsFulfilled != b.open {
		t.Fatalf("on hand %d want %d, committed %d want %d, stats %+v", onHand, b.onHand, open, b.open, st)
	}
}

// Whatever is done, in whatever order: on_hand is the sum of its parts, committed is what open orders hold, units are only
// created and destroyed by the steps that say so, and an order is refused exactly when the units are not there.
func TestQuantityArithmetic(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBookkeeper(rt)
		defer b.sim.Close()
		rt.Repeat(map[string]func(*rapid.T){"place": b.place, "edit": b.edit, "finish": b.finish, "": b.check})
	})
}
