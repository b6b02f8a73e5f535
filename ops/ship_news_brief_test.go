package ops

import (
	"slices"
	"testing"
	"time"
)

// What a list tells in brief is looked up once, where it is news: the parcels of an order of many lines, and of another in the same account.
func TestWhatIsToldInBriefIsLookedUp(t *testing.T) {
	r, seen := newNewsRig(t), &singly{}
	s, a := r.shiphero("Hub", seen.through)
	parts := []string{"BASE", "ARM", "SHADE", "BULB", "PLUG"}
	for _, sku := range parts {
		s.Floor.Stow("V2FyZWhvdXNlOjE=", sku, 10, 0)
	}
	long, short, longer := r.handed(a, 50*time.Hour, parts[:4]...), r.handed(a, 50*time.Hour), r.handed(a, 50*time.Hour, parts...)
	ask := func() []string {
		t.Helper()
		if more, err := r.x.askNewsOf(t.Context(), a); err != nil || more {
			t.Fatalf("more to read: %v, %v", more, err)
		}
		return seen.since(t, r, a.ID)
	}
	want := func(what string, got []string, ids ...string) {
		t.Helper()
		slices.Sort(got)
		if !slices.Equal(got, ids) {
			t.Errorf("%s: looked up %v, want %v", what, got, ids)
		}
	}
	want("taken in", ask(), long, longer) // whether their other lines are short
	r.later(4 * time.Hour)
	want("shipped", ask(), long, longer)
	for _, id := range []string{long, longer, short} {
		if r.number(id) == "" {
			t.Errorf("the number of %s is not known", id)
		}
	}
	want("told again", ask())
}
