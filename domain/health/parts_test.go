package health

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
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

// Whole is what Tallies says of whole days.
func TestWholeIsPartOfTallies(t *testing.T) {
	b := Batch{entries: []entry{
		{connection: "c", rate: "r", day: 5, num: 1, den: 2, unjudged: 1, facets: &Facets{Node: "w"}},
		{connection: "c", rate: "r", day: 5, den: 1, facets: &Facets{Items: []string{"x"}}},
		{connection: "d", rate: "r", day: 4, num: 1, den: 1, facets: &Facets{}},
		{connection: "d", rate: "r", day: 4, num: -1, den: -1, facets: &Facets{}},
	}}
	var want []Tally
	for _, y := range b.Tallies() {
		if y.Facet == FacetAll || y.Facet == FacetUnjudged {
			want = append(want, y)
		}
	}
	if diff := cmp.Diff(want, b.Whole()); diff != "" || len(want) != 2 {
		t.Error(want, diff)
	}
}

// Settled leaves out what may still happen, and nothing else.
func TestSettledMarks(t *testing.T) {
	f := &Facets{}
	b := Batch{entries: []entry{
		{connection: "c", rate: "r", orderID: "1", day: 5, against: 1, reason: NotDeliveredYet, facets: f},
		{connection: "c", rate: "r", orderID: "2", day: 5, against: 1, reason: NotScannedYet, facets: f},
		{connection: "c", rate: "r", orderID: "3", day: 5, against: 1, reason: NotDelivered, facets: f},
		{connection: "c", rate: "r", orderID: "4", day: 5, unjudged: 1, reason: UnknownDue, facets: f},
	}}
	got := b.Settled()
	if len(b.Marks()) != 4 || len(got) != 2 || got[0].OrderID != "3" || got[1].OrderID != "4" {
		t.Errorf("%+v", got)
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
