package ops

import (
	"slices"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/allocation"
)

func TestRightsWaitForTheLastChannelAndForWhatAPushCameTooEarlyFor(t *testing.T) {
	start := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	plan := func(units int, books allocation.Books, push ...string) planned {
		pl := planned{set: bookSet{Books: books}}
		for _, l := range []string{"a", "b"} {
			pl.targets = append(pl.targets, allocation.Target{Listing: l, Units: units, Mode: allocation.Shared})
		}
		for _, l := range push {
			pl.plan.Pushes = append(pl.plan.Pushes, allocation.Push{Listing: l, Quantity: units})
		}
		return pl
	}
	flying := func(units int) allocation.Book {
		return allocation.Book{InFlight: &allocation.Flight{Push: allocation.Push{Quantity: units}}}
	}
	var r rights
	want := func(got []time.Duration, ms ...time.Duration) {
		t.Helper()
		for i := range ms {
			ms[i] *= time.Millisecond
		}
		if !slices.Equal(got, ms) {
			t.Errorf("took %v, want %v", got, ms)
		}
	}
	r.planned(plan(9, nil, "a", "b"), at(0))
	want(r.told("a", at(10)))
	// A sale while b's push is on its way: only a can be told now, b when it has landed.
	r.planned(plan(8, allocation.Books{"b": flying(9)}, "a"), at(20))
	want(r.told("b", at(30)), 30)
	want(r.told("a", at(35)), 15)
	r.planned(plan(8, nil, "b"), time.Time{})
	want(r.told("b", at(60)), 40)
	// What is on its way already says the right number: nobody waits.
	r.planned(plan(7, allocation.Books{"a": flying(7), "b": flying(7)}), at(70))
	r.planned(plan(7, nil, "a"), time.Time{})
	want(r.told("a", at(90)))
}
