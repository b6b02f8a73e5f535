package ops

import (
	"context"
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
	over, cancel := context.WithCancel(t.Context())
	cancel()
	f, err := r.x.freight(t.Context(), a.ID)
	r.must(err)
	page, _, err := f.Parcels(t.Context(), r.at.Add(-5*time.Hour), "")
	r.must(err)
	if news, all, err := r.x.unabridged(t.Context(), over, f, a, page.News); err != nil || all || len(news) >= len(page.News) {
		t.Errorf("the turn is over: %+v, all of it %v, %v", news, all, err)
	}
	want("the turn is over", seen.since(t, r, a.ID))
	want("shipped", ask(), long, longer)
	for _, id := range []string{long, longer, short} {
		if r.number(id) == "" {
			t.Errorf("the number of %s is not known", id)
		}
	}
	want("told again", ask())
}
