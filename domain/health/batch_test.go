package health

import (
	"testing"

	"github.com/google/go-cmp/cmp"
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
