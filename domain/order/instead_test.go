package order

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// shares is what a line's demand is divided into.
func shares(o *Order, item string, reserve, ship int64) map[string][2]int64 {
	out := map[string][2]int64{}
	o.InsteadOf("l", item, reserve, ship, func(item string, reserve, ship int64) {
		had := out[item]
		out[item] = [2]int64{had[0] + reserve, had[1] + ship}
	})
	return out
}

// Whatever is substituted for what, as much is demanded and shipped as the channel sold; and shipping more never takes back what an item shipped.
func TestSubstitutionsKeepTheDemand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o Order
		item := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		for range rapid.IntRange(0, 6).Draw(t, "substitutions") {
			if err := o.Substitute("l", item.Draw(t, "item"), item.Draw(t, "by"), rapid.Int64Range(0, 3).Draw(t, "qty")); err != nil {
				continue
			}
		}
		all := rapid.Int64Range(0, 9).Draw(t, "units")
		last := map[string][2]int64{}
		for ship := int64(0); ship <= all; ship++ {
			now := shares(&o, "a", all-ship, ship)
			var reserve, shipped int64
			for item, n := range now {
				reserve, shipped = reserve+n[0], shipped+n[1]
				if n[0] < 0 || n[1] < last[item][1] {
					t.Fatalf("%s: %v after %v, with %+v", item, n, last[item], o.Instead)
				}
			}
			if reserve != all-ship || shipped != ship {
				t.Fatalf("%d and %d demanded, %v shared, with %+v", all-ship, ship, now, o.Instead)
			}
			last = now
		}
	})
}

func TestASubstituteThatIsNotThereIsSubstitutedItself(t *testing.T) {
	var o Order
	for _, s := range []Instead{{"l", "a", "b", 2}, {"l", "b", "c", 1}, {"l", "c", "a", 1}} {
		if err := o.Substitute(s.Line, s.Item, s.By, s.Qty); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]Instead{{"l", "a", "b", 1}}, o.Instead); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string][2]int64{"a": {2, 0}, "b": {1, 0}}, shares(&o, "a", 3, 0)); diff != "" {
		t.Error(diff)
	}
	if err := o.Substitute("l", "a", "a", 1); err == nil {
		t.Error("an item was substituted by itself")
	}
}

// What the floor substituted stays while the channel goes on telling of the order.
func TestFactsKeepSubstitutions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts := rapid.SliceOfN(rapid.Custom(anyFact), 1, 6).Draw(t, "facts")
		var o *Order
		for i, f := range facts {
			next, _, err := Merge(o, f)
			if err != nil {
				t.Fatal(err)
			}
			o = &next
			if i == 0 {
				if err := o.Substitute("l", "a", "b", 1); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff([]Instead{{"l", "a", "b", 1}}, o.Instead); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}
