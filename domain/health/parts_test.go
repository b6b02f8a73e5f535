package health

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/order"
)

// Parts that are written, read and merged in any grouping hold what was added.
func TestPartsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var direct, merged Parts
		for range rapid.IntRange(0, 5).Draw(t, "rounds") {
			var one Parts
			for range rapid.IntRange(0, 20).Draw(t, "tallies") {
				y := Tally{Facet: rapid.SampledFrom(FacetNames).Draw(t, "facet"), Value: rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "value"),
					Num: rapid.Int64Range(-3, 3).Draw(t, "num"), Den: rapid.Int64Range(-3, 3).Draw(t, "den")}
				one.Add(y)
				direct.Add(y)
			}
			data, err := one.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			var back Parts
			if err := back.UnmarshalBinary(data); err != nil {
				t.Fatal(err)
			}
			merged.Merge(&back)
		}
		if diff := cmp.Diff(direct.Tallies(), merged.Tallies()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// Written parts that are merged, and taken off again, are those of Parts.
func TestMergeParts(t *testing.T) {
	some := func(t *rapid.T) []byte {
		var p Parts
		for range rapid.IntRange(0, 8).Draw(t, "tallies") {
			p.Add(Tally{Facet: rapid.SampledFrom(FacetNames).Draw(t, "facet"), Value: rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "value"),
				Num: rapid.Int64Range(-2, 2).Draw(t, "num"), Den: rapid.Int64Range(-2, 2).Draw(t, "den")})
		}
		return p.record()
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := some(t), some(t)
		if len(a) == 2 && rapid.Bool().Draw(t, "none") {
			a = nil
		}
		sum, err := MergeParts(a, b, 1)
		if err != nil {
			t.Fatal(err)
		}
		var want, p Parts
		for _, data := range [][]byte{a, b} {
			if data != nil {
				if err := p.UnmarshalBinary(data); err != nil {
					t.Fatal(err)
				}
				want.Merge(&p)
			}
		}
		if len(want.sums) == 0 {
			if sum != nil {
				t.Fatalf("%x is left of nothing", sum)
			}
		} else if !bytes.Equal(want.record(), sum) {
			t.Fatalf("%x and %x make %x", a, b, sum)
		}
		back, err := MergeParts(sum, b, -1)
		if err != nil {
			t.Fatal(err)
		}
		if len(a) > 2 && !bytes.Equal(a, back) || len(a) <= 2 && back != nil {
			t.Fatalf("%x and less %x make %x, not %x", sum, b, back, a)
		}
	})
	if _, err := MergeParts([]byte{partsVersion, 1}, nil, 1); err == nil {
		t.Error("damaged parts were merged")
	}
}

// A batch of what is settled leaves out the marks of what may still happen, and nothing else.
func TestSettledMarks(t *testing.T) {
	j := NewJudge(rules())
	waits, over := good(), good()
	waits.Moments.DeliveredAt, waits.Status, waits.ID = time.Time{}, order.InTransit, "waits"
	over.Moments.DeliveredAt, over.ID = over.Deadlines.DeliverBy.AddDate(0, 0, 1), "over"
	var all, settled Batch
	settled.SettledOnly = true
	for _, o := range []*order.Order{waits, over} {
		all.Add(j, "c", nil, o)
		settled.Add(j, "c", nil, o)
	}
	var want []Mark
	pending := 0
	for _, m := range all.Marks() {
		if m.Reason.Pending() {
			pending++
		} else {
			want = append(want, m)
		}
	}
	if diff := cmp.Diff(want, settled.Marks()); diff != "" || pending == 0 || len(want) == 0 {
		t.Errorf("%d pending, %d not: %s", pending, len(want), diff)
	}
	if diff := cmp.Diff(all.Tallies(), settled.Tallies()); diff != "" {
		t.Error(diff)
	}
}

func FuzzParts(f *testing.F) {
	var p Parts
	p.Add(Tally{Facet: FacetNode, Value: "w", Num: 1, Den: 2})
	data, err := p.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		var p, q Parts
		if p.UnmarshalBinary(data) != nil {
			return
		}
		again, err := p.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := q.UnmarshalBinary(again); err != nil || !cmp.Equal(p.Tallies(), q.Tallies()) {
			t.Fatalf("%v: %x", err, again)
		}
		third, _ := q.MarshalBinary()
		if !bytes.Equal(again, third) {
			t.Fatal("written differently the second time")
		}
	})
}
