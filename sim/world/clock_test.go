package world

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func TestVirtualRunsWhatIsDueInOrder(t *testing.T) {
	c := NewVirtual(start)
	var got []string
	say := func(s string) func() { return func() { got = append(got, s+" "+c.Now().Sub(start).String()) } }
	c.At(start.Add(2*time.Second), say("b"))
	c.At(start.Add(time.Second), say("a"))
	c.At(start.Add(2*time.Second), say("c"))
	cancel := c.At(start.Add(2*time.Second), say("cancelled"))
	c.At(start.Add(time.Second), func() { c.At(start.Add(1500*time.Millisecond), say("nested")) })
	c.At(start.Add(-time.Hour), say("past"))
	cancel()
	cancel()
	c.Advance(2 * time.Second)
	c.Advance(time.Hour)
	want := []string{"past 0s", "a 1s", "nested 1.5s", "b 2s", "c 2s"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if want := start.Add(time.Hour + 2*time.Second); !c.Now().Equal(want) {
		t.Errorf("now %s, want %s", c.Now(), want)
	}
	if at, ok := c.Next(); ok {
		t.Errorf("something waits for %s", at)
	}
}

func TestVirtualOrderIsTimeThenRequest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := NewVirtual(start)
		offsets := rapid.SliceOfN(rapid.IntRange(0, 20), 1, 40).Draw(t, "offsets")
		type run struct{ off, n int }
		var ran []run
		var cancels []func()
		for n, off := range offsets {
			cancels = append(cancels, c.At(start.Add(time.Duration(off)*time.Second), func() { ran = append(ran, run{off, n}) }))
		}
		gone := rapid.IntRange(0, len(offsets)-1).Draw(t, "cancelled")
		cancels[gone]()
		for c.Now().Before(start.Add(20 * time.Second)) {
			c.Advance(time.Duration(rapid.IntRange(1, 7).Draw(t, "step")) * time.Second)
		}
		if len(ran) != len(offsets)-1 {
			t.Fatalf("%d of %d ran", len(ran), len(offsets)-1)
		}
		for i := 1; i < len(ran); i++ {
			a, b := ran[i-1], ran[i]
			if a.off > b.off || a.off == b.off && a.n > b.n || b.n == gone {
				t.Fatalf("%v before %v (cancelled %d)", a, b, gone)
			}
		}
	})
}

func TestWallCallsBackAndCancels(t *testing.T) {
	c := Wall()
	ran := make(chan struct{})
	cancel := c.At(c.Now().Add(time.Hour), func() { t.Error("a cancelled call ran") })
	cancel()
	c.At(c.Now().Add(-time.Second), func() { close(ran) })
	<-ran
}
