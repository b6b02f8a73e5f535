package health

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/pack"
)

func TestABatchThatTakesBackWhatItAddedChangesNothing(t *testing.T) {
	j := NewJudge(rules())
	late := good()
	late.Moments.HandedOverAt = at("2026-04-09 00:00:00")
	var b, back Batch
	b.Add(j, "shop", nil, good())
	b.Add(j, "shop", good(), late)
	again := written(t, &b)
	if d := cmp.Diff(b.Tallies(), again.Tallies()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(b.Marks(), again.Marks()); d != "" || len(b.Marks()) != 1 {
		t.Errorf("%d marks: %s", len(b.Marks()), d)
	}
	back.Add(j, "shop", late, nil)
	if err := again.Add(&back); err != nil {
		t.Fatal(err)
	}
	if n := len(again.Tallies()) + len(again.Marks()); n != 0 {
		t.Errorf("%d figures are left over: %v %v", n, again.Tallies(), again.Marks())
	}
	var none Batch
	none.Add(j, "shop", good(), good())
	if !none.Empty() {
		t.Errorf("an order that did not change left %d changes", none.Len())
	}
}

// written adds batches up as they are stored.
func written(t interface{ Fatal(...any) }, batches ...*Batch) *Sums {
	var s Sums
	for _, b := range batches {
		days, err := b.Days()
		if err == nil && len(days) > 0 {
			err = s.AddDays(days)
		}
		if err != nil {
			t.Fatal(err)
		}
		parts, err := b.Parts()
		if err == nil && len(parts) > 0 {
			err = s.AddParts(parts)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return &s
}

// randomChanges are changes of random orders as facts of them arrive.
func randomChanges(t *rapid.T) (before, after []*order.Order) {
	m := &maker{Rand: rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))}
	for range rapid.IntRange(0, 12).Draw(t, "orders") {
		var known *order.Order
		for _, f := range m.history("shop") {
			o, _, err := order.Merge(known, f)
			if err != nil {
				t.Fatal(err)
			}
			before, after = append(before, known), append(after, &o)
			known = &o
		}
		if m.chance(10) {
			before, after = append(before, known), append(after, nil)
		}
	}
	return before, after
}

// However changes are split, shuffled, merged, written down and read, they add up to the same: to what the last readings count by themselves.
func TestBatchesAddUpInAnyOrder(t *testing.T) {
	j := NewJudge(rules())
	rapid.Check(t, func(t *rapid.T) {
		before, after := randomChanges(t)
		var direct Batch
		last := map[string]*order.Order{}
		parts := make([]Batch, rapid.IntRange(1, 5).Draw(t, "parts"))
		for i := range before {
			direct.Add(j, "shop", before[i], after[i])
			parts[rapid.IntRange(0, len(parts)-1).Draw(t, "part")].Add(j, "shop", before[i], after[i])
			if after[i] != nil {
				last[after[i].ID] = after[i]
			} else {
				delete(last, before[i].ID)
			}
		}
		var anew Batch
		for _, o := range last {
			anew.Add(j, "shop", nil, o)
		}
		turns := make([]*Batch, len(parts))
		for i := range turns {
			turns[i] = &parts[i]
		}
		for name, s := range map[string]*Sums{"direct": direct.sums(), "split and merged": written(t, rapid.Permutation(turns).Draw(t, "order")...)} {
			if d := cmp.Diff(anew.Tallies(), s.Tallies()); d != "" {
				t.Fatalf("%s: tallies (-anew):\n%s", name, d)
			}
			if d := cmp.Diff(anew.Marks(), s.Marks(), cmpopts.EquateEmpty()); d != "" {
				t.Fatalf("%s: marks (-anew):\n%s", name, d)
			}
			sameParts(t, s)
		}
		sameSums(t, &anew)
	})
}

// sameParts checks that what is written of single values is what Tallies says of them.
func sameParts(t *rapid.T, s *Sums) {
	tallies := s.Tallies()
	want, got := PartsOf(tallies), s.Parts()
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("parts (-of the tallies):\n%s", d)
	}
	whole := slices.DeleteFunc(tallies, func(y Tally) bool { return y.Facet != FacetAll && y.Facet != FacetUnjudged })
	if d := cmp.Diff(whole, s.Whole(), cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("whole days (-of the tallies):\n%s", d)
	}
}

// sameSums checks that every facet but those an order can be in twice, or not at all, adds up to the whole, and so do the marks.
func sameSums(t *rapid.T, b *Batch) {
	type key struct {
		rate, facet string
		day         policy.Day
	}
	sums, against := map[key]pair{}, map[key]int64{}
	for _, x := range b.Tallies() {
		k := key{x.Rate, x.Facet, x.Day}
		sums[k] = pair{sums[k].num + x.Num, sums[k].den + x.Den}
	}
	for _, m := range b.Marks() {
		if !m.Reason.Unjudged() {
			against[key{m.Rate, "", m.Day}] += m.N
		}
	}
	for k, p := range sums {
		if k.facet != FacetAll {
			continue
		}
		for _, f := range []Facet{FacetNode, FacetRegion, FacetMode} {
			if got := sums[key{k.rate, f, k.day}]; got != p {
				t.Fatalf("%s on %s: %v in all, %v by %s", k.rate, k.day, p, got, f)
			}
		}
		n := p.num
		if id, _, _ := strings.Cut(k.rate, "@"); id == "vtr" || id == "otdr" {
			n = p.den - p.num
		}
		if against[k] != n {
			t.Fatalf("%s on %s: %d against the shop, %d marked", k.rate, k.day, n, against[k])
		}
	}
}

func TestATooLongBatchIsRefused(t *testing.T) {
	b := Batch{days: log{data: make([]byte, MaxEncoded+1)}}
	if _, err := b.Days(); err == nil {
		t.Error("a record above the bound was written")
	}
	j, o := NewJudge(rules()), good()
	o.Moments.HandedOverAt, o.ID = at("2026-04-10 00:00:00"), strings.Repeat("x", pack.MaxText+1)
	var long Batch
	long.Add(j, "shop", nil, o)
	if _, err := long.Days(); err == nil {
		t.Error("a name above the bound was written")
	}
}

// Whatever bytes come in, adding them errs or gives sums of which there are not more than bytes times the facets of an order.
func FuzzSums(f *testing.F) {
	j := NewJudge(rules())
	var b Batch
	late := good()
	late.Moments.HandedOverAt = at("2026-04-10 00:00:00")
	late.Parcels = append(late.Parcels, order.Parcel{Ref: "p2", Carrier: "UPS"})
	b.Add(j, "shop", nil, good())
	b.Add(j, "shop", good(), late)
	for _, data := range [][]byte{b.days.data, b.parts.data, {codecVersion}, {codecVersion, opShop, 0, 1, 0, 63, 0, 0, 0, 0, 0xff}} {
		f.Add(data, true)
		f.Add(data, false)
		f.Add(data[:len(data)/2], false)
	}
	f.Fuzz(func(t *testing.T, data []byte, days bool) {
		var s Sums
		add := s.AddParts
		if days {
			add = s.AddDays
		}
		if add(data) != nil {
			return
		}
		if n := len(s.Tallies()); n > 2*MaxItems*len(data) {
			t.Fatalf("%d sums of %d bytes", n, len(data))
		}
		for _, p := range s.Parts() {
			var back Parts
			if err := back.UnmarshalBinary(p.Data); err != nil {
				t.Fatal(err)
			}
		}
	})
}
