package health

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/pack"
)

func TestABatchThatTakesBackWhatItAddedChangesNothing(t *testing.T) {
	j := NewJudge(rules())
	late := good()
	late.Moments.HandedOverAt = at("2026-04-09 00:00:00")
	var b, again Batch
	b.Add(j, "shop", nil, good())
	b.Add(j, "shop", good(), late)
	data, err := b.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if err := again.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(b.Tallies(), again.Tallies()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(b.Marks(), again.Marks()); d != "" || len(b.Marks()) != 1 {
		t.Errorf("%d marks: %s", len(b.Marks()), d)
	}
	again.Add(j, "shop", late, nil)
	if n := len(again.Tallies()) + len(again.Marks()); n != 0 {
		t.Errorf("%d figures are left over: %v %v", n, again.Tallies(), again.Marks())
	}
	var none Batch
	none.Add(j, "shop", good(), good())
	if !none.Empty() {
		t.Errorf("an order that did not change left %d changes", none.Len())
	}
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
		var anew, sum Batch
		for _, o := range last {
			anew.Add(j, "shop", nil, o)
		}
		turns := make([]int, len(parts))
		for i := range turns {
			turns[i] = i
		}
		for _, i := range rapid.Permutation(turns).Draw(t, "order") {
			data, err := parts[i].MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			var back Batch
			if err := back.UnmarshalBinary(data); err != nil {
				t.Fatal(err)
			}
			sum.Merge(&back)
		}
		for name, b := range map[string]*Batch{"direct": &direct, "split and merged": &sum} {
			if d := cmp.Diff(anew.Tallies(), b.Tallies()); d != "" {
				t.Fatalf("%s: tallies (-anew):\n%s", name, d)
			}
			if d := cmp.Diff(anew.Marks(), b.Marks()); d != "" {
				t.Fatalf("%s: marks (-anew):\n%s", name, d)
			}
		}
		sameSums(t, &anew)
	})
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
	b := Batch{entries: make([]entry, 700_000)}
	for i := range b.entries {
		b.entries[i] = entry{rate: "ldr", day: 20_000, facets: &Facets{}}
	}
	if _, err := b.MarshalBinary(); err == nil {
		t.Error("a record above the bound was written")
	}
	if err := new(Batch).UnmarshalBinary(make([]byte, MaxEncoded+1)); err == nil {
		t.Error("a record above the bound was read")
	}
	long := Batch{entries: []entry{{rate: strings.Repeat("x", pack.MaxText+1), facets: &Facets{}}}}
	if _, err := long.MarshalBinary(); err == nil {
		t.Error("a name above the bound was written")
	}
}

// Whatever bytes come in, decoding errs or gives a batch that can be written and read again.
func FuzzBatch(f *testing.F) {
	j := NewJudge(rules())
	var b, empty Batch
	late := good()
	late.Moments.HandedOverAt = at("2026-04-10 00:00:00")
	late.Parcels = append(late.Parcels, order.Parcel{Ref: "p2", Carrier: "UPS"})
	b.Add(j, "shop", nil, good())
	b.Add(j, "shop", good(), late)
	for _, x := range []*Batch{&empty, &b} {
		data, err := x.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{1, 0, 0xff, 0xff, 0xff, 0x7f, 2, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		var b, again Batch
		if err := b.UnmarshalBinary(data); err != nil {
			if !b.Empty() {
				t.Fatal("a failed reading left something behind")
			}
			return
		}
		back, err := b.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := again.UnmarshalBinary(back); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(b.Tallies(), again.Tallies()); d != "" {
			t.Fatal(d)
		}
		if d := cmp.Diff(b.Marks(), again.Marks()); d != "" {
			t.Fatal(d)
		}
	})
}
