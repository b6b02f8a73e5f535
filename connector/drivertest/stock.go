package drivertest

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
)

func testLocations(t *testing.T, h *Harness) {
	h.supports(t, "stock read")
	got, err := h.open(t).Locations(t.Context())
	if err != nil {
		t.Fatalf("Locations: %v", err)
	}
	known := map[string]bool{}
	sales := 0
	for _, l := range got {
		if l.ExternalID == "" || l.Name == "" || known[l.ExternalID] {
			t.Errorf("location %+v has no id of its own or no name", l)
		}
		known[l.ExternalID] = true
		switch l.Kind {
		case "sales":
			sales++
		case "returns", "platform":
		default:
			t.Errorf("location %s is of the unknown kind %q", l.ExternalID, l.Kind)
		}
	}
	if sales == 0 {
		t.Fatal("the shop has no location that sells")
	}
	for _, sku := range h.SKUs {
		for location := range h.Truth(t, sku) {
			if !known[location] {
				t.Errorf("SKU %s is stocked at %s, which is not among the locations", sku, location)
			}
		}
	}
}

func testListings(t *testing.T, h *Harness) {
	h.supports(t, "stock read")
	s := h.open(t)
	got := h.listings(t, s)
	for _, sku := range h.SKUs {
		l, ok := got[sku]
		if !ok {
			t.Errorf("SKU %s is not among %d listings", sku, len(got))
			continue
		}
		if l.Title == "" || !l.Active {
			t.Errorf("listing %s: title %q, active %v", sku, l.Title, l.Active)
		}
		truth := h.Truth(t, sku)
		if l.Quantity != h.total(t, sku) {
			t.Errorf("listing %s shows %d, the channel has %v", sku, l.Quantity, truth)
		}
		for location := range truth {
			found := false
			for _, name := range l.Ref.Locations {
				found = found || name == location
			}
			if !found {
				t.Errorf("listing %s does not name location %s: %v", sku, location, l.Ref.Locations)
			}
		}
	}
	if len(h.Grouped) > 0 {
		for _, sku := range h.Grouped {
			if s.Group(got[sku].Ref) != s.Group(got[h.Grouped[0]].Ref) {
				t.Errorf("listings %s and %s are not of one group", sku, h.Grouped[0])
			}
		}
	}
}

func testQuantities(t *testing.T, h *Harness) {
	h.supports(t, "stock read")
	s := h.open(t)
	listings := h.listings(t, s)
	var refs []driver.ListingRef
	for _, sku := range h.SKUs {
		refs = append(refs, listings[sku].Ref)
	}
	gone := refs[0]
	gone.ProductID, gone.SKUID, gone.ItemRef = gone.ProductID+"9", gone.SKUID+"9", gone.ItemRef+"9"
	got, err := s.Quantities(t.Context(), append(refs, gone))
	if err != nil {
		t.Fatalf("Quantities: %v", err)
	}
	if len(got) != len(refs) {
		t.Fatalf("%d quantities for %d known listings and an unknown one", len(got), len(refs))
	}
	for _, q := range got {
		if diff := cmp.Diff(h.Truth(t, q.Ref.SKUID), q.ByLocation); diff != "" {
			t.Errorf("quantity of %s by location (-channel +read):\n%s", q.Ref.SKUID, diff)
		}
		if q.Available != h.total(t, q.Ref.SKUID) {
			t.Errorf("quantity of %s is %d, the channel has %d", q.Ref.SKUID, q.Available, h.total(t, q.Ref.SKUID))
		}
		if q.Ref.SKUID == "" || len(q.Ref.Locations) == 0 {
			t.Errorf("quantity without a usable ref: %+v", q.Ref)
		}
	}
	before := h.quantity(t, s, refs[0])
	h.Place(t, h.SKUs[0], 2)
	after := h.quantity(t, s, refs[0])
	if after.Available != before.Available-2 {
		t.Errorf("two units were sold and the quantity went from %d to %d", before.Available, after.Available)
	}
	if before.Committed >= 0 && after.Committed != before.Committed+2 {
		t.Errorf("two units were sold and the committed number went from %d to %d", before.Committed, after.Committed)
	}
}

// testPlan is the loop the program lives by: compare, plan, push, and a second plan that is empty.
func testPlan(t *testing.T, h *Harness) {
	h.supports(t, "stock write")
	s := h.open(t)
	listings := h.listings(t, s)
	desired := map[string]int64{}
	for i, sku := range h.SKUs {
		desired[sku] = []int64{0, 1, 37, 1}[i%4] + int64(i/4)
	}
	round := 0
	plan := func() []driver.Push {
		round++
		var out []driver.Push
		for sku, want := range desired {
			if q := h.quantity(t, s, listings[sku].Ref); q.Available != want {
				out = append(out, h.toward(fmt.Sprintf("%s-%d", sku, round), q, want))
			}
		}
		return out
	}
	first := plan()
	if len(first) != len(desired) {
		t.Fatalf("the first plan has %d pushes, want %d", len(first), len(desired))
	}
	for _, batch := range s.Batches(first) {
		for _, r := range h.push(t, s, batch...) {
			if r.Outcome != driver.Confirmed {
				t.Fatalf("push %s: %s, %v", r.PushID, r.Outcome, r.Err)
			}
			if r.HasAfter && r.After < 0 {
				t.Errorf("push %s: the number afterwards is %d", r.PushID, r.After)
			}
		}
	}
	for sku, want := range desired {
		if got := h.total(t, sku); got != want {
			t.Errorf("%s is %d on the channel, pushed %d", sku, got, want)
		}
	}
	if second := plan(); len(second) != 0 {
		t.Errorf("the second plan is not empty: %+v", second)
	}
}

func testSeveralLocations(t *testing.T, h *Harness) {
	h.supports(t, "several locations")
	h.supports(t, "stock write")
	if h.Spread == "" {
		t.Fatal("the harness names no SKU in several locations")
	}
	s := h.open(t)
	q := h.quantity(t, s, h.listings(t, s)[h.Spread].Ref)
	if len(q.Ref.Locations) < 2 {
		t.Fatalf("listing %s is in %v", h.Spread, q.Ref.Locations)
	}
	// The sum is right without a split, whatever stood at the other locations before.
	r := h.push(t, s, h.toward("whole", q, 9))[0]
	if r.Outcome != driver.Confirmed || h.total(t, h.Spread) != 9 {
		t.Fatalf("push without a split: %s, %v; the channel has %v", r.Outcome, r.Err, h.Truth(t, h.Spread))
	}
	q = h.quantity(t, s, q.Ref)
	want := map[string]int64{}
	for _, location := range q.Ref.Locations {
		want[location] = 0
	}
	want[q.Ref.Locations[0]], want[q.Ref.Locations[1]] = 4, 7
	p := h.toward("split", q, 11)
	p.Split = maps.Clone(want)
	if p.Kind == driver.DeltaWrite {
		for location := range p.Split {
			p.Split[location] -= q.ByLocation[location]
		}
	}
	r = h.push(t, s, p)[0]
	if r.Outcome != driver.Confirmed {
		t.Fatalf("push with a split: %s, %v", r.Outcome, r.Err)
	}
	if diff := cmp.Diff(want, h.Truth(t, h.Spread)); diff != "" {
		t.Errorf("the split (-pushed +channel):\n%s", diff)
	}
}

func testPushTwice(t *testing.T, h *Harness) {
	h.supports(t, "stock write")
	s := h.open(t)
	q := h.quantity(t, s, h.listings(t, s)[h.SKUs[0]].Ref)
	p := h.toward("same-id", q, q.Available-3)
	if r := h.push(t, s, p)[0]; r.Outcome != driver.Confirmed {
		t.Fatalf("first push: %s, %v", r.Outcome, r.Err)
	}
	r := h.push(t, s, p)[0]
	if r.Outcome != driver.Confirmed && !(p.Kind == driver.CompareAndSet && r.Outcome == driver.Stale) {
		t.Errorf("the same push again: %s, %v", r.Outcome, r.Err)
	}
	if got := h.total(t, h.SKUs[0]); got != q.Available-3 {
		t.Errorf("after the same push twice the channel has %d, want %d", got, q.Available-3)
	}
}

func testRefused(t *testing.T, h *Harness) {
	h.supports(t, "stock write")
	s := h.open(t)
	r := h.push(t, s, h.Invalid(t, s))[0]
	if r.Outcome != driver.Refused {
		t.Fatalf("a push the channel refuses is %s: %v", r.Outcome, r.Err)
	}
	if c := r.Err.Class; c != driver.GiveUp && c != driver.AskHuman {
		t.Errorf("it is of class %q, which would be repeated: %v", c, r.Err)
	}
	if r.Err.Message == "" && r.Err.Code == "" {
		t.Error("it does not say why")
	}
}

func testWrongPushes(t *testing.T, h *Harness) {
	h.supports(t, "stock write")
	s := h.open(t)
	d := h.Vendor.Describe()
	q := h.quantity(t, s, h.listings(t, s)[h.SKUs[0]].Ref)
	before, sets := h.total(t, h.SKUs[0]), h.Sets(t)
	wrong := map[string]driver.Push{
		"no id":       {Ref: q.Ref, Kind: d.Write, Quantity: 1},
		"too many":    {ID: "b", Ref: q.Ref, Kind: d.Write, Quantity: d.Limits.MaxQuantity + 1},
		"bad split":   {ID: "c", Ref: q.Ref, Kind: d.Write, Quantity: 5, Split: map[string]int64{q.Ref.Locations[0]: 4}},
		"nowhere":     {ID: "d", Ref: q.Ref, Kind: d.Write, Quantity: 5, Split: map[string]int64{"no such location": 5}},
		"unknown way": {ID: "e", Ref: q.Ref, Kind: "guess", Quantity: 5},
	}
	if d.Write != driver.DeltaWrite {
		wrong["negative"] = driver.Push{ID: "f", Ref: q.Ref, Kind: d.Write, Quantity: -1}
	}
	for name, p := range wrong {
		if r := h.push(t, s, p)[0]; r.Outcome != driver.Refused || r.Err.Class != driver.GiveUp {
			t.Errorf("%s: %s, %v", name, r.Outcome, r.Err)
		}
	}
	twice := h.push(t, s, h.toward("one", q, 5), h.toward("two", q, 6))
	if twice[1].Outcome != driver.Refused {
		t.Errorf("two pushes of one listing in a call: %s and %s", twice[0].Outcome, twice[1].Outcome)
	}
	if got := h.Sets(t) - sets; got != 1 {
		t.Errorf("%d requests reached the channel, want the 1 that is right", got)
	}
	if got := h.total(t, h.SKUs[0]); got != 5 {
		t.Errorf("the channel has %d, had %d, want 5", got, before)
	}
}

// batch makes one push for each of the harness's grouped SKUs.
func (h *Harness) batch(t *testing.T, s *connector.Session, want int64) []driver.Push {
	t.Helper()
	listings := h.listings(t, s)
	var out []driver.Push
	for _, sku := range h.Grouped {
		out = append(out, h.toward("batch-"+sku, h.quantity(t, s, listings[sku].Ref), want))
	}
	return out
}
