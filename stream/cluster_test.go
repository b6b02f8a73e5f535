package stream

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/spillway/spillway/stream/streamtest"
)

// Events are written all the time while each node of the cluster is killed and brought back, then all at once.
func TestNodesDieUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("kills NATS nodes for half a minute; not in -short")
	}
	c, st := streamtest.Start(t), sqlite(t)
	s := open(t, c.URL())
	relayed(t, s, st)
	var written atomic.Int64
	ending := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ending:
				return
			case <-tick.C:
			}
			if written.Load() < s.Figures().Published+5000 {
				happen(t, st, int(written.Load()), 20)
				written.Add(20)
			}
		}
	}()
	onward := func(by int64) {
		t.Helper()
		to := s.Figures().Published + by
		eventually(t, "events go on being published", func() bool {
			return s.Figures().Published >= to
		})
	}
	onward(200)
	for i := range c.Size() {
		c.Kill(i)
		onward(200)
		c.BringAll()
	}
	for i := range c.Size() {
		c.Kill(i)
	}
	before := s.Figures()
	eventually(t, "the relay notices", func() bool { return !s.Figures().Connected })
	c.BringAll()
	onward(100)
	close(ending)
	<-done
	got := all(t, c.URL(), int(written.Load()))
	again := 0
	for _, n := range got.numbers {
		again += n - 1
	}
	t.Logf("%d events in %d messages, %d published again, %d before all nodes died", written.Load(), got.messages, again, before.Published)
}

func TestNATSAwayAtTheStart(t *testing.T) {
	c, st := streamtest.Start(t), sqlite(t)
	for i := range c.Size() {
		c.Kill(i)
	}
	s := open(t, c.URL())
	happen(t, st, 0, 300)
	relayed(t, s, st)
	eventually(t, "the lag shows", func() bool { return s.Figures().Lag > 0 })
	if err := s.Health(t.Context()); err == nil {
		t.Error("NATS is away and health says nothing")
	}
	c.BringAll()
	all(t, c.URL(), 300).once(t)
	eventually(t, "the lag is over", func() bool { return s.Figures().Lag == 0 })
	if err := s.Health(t.Context()); err != nil {
		t.Error(err)
	}
	for _, name := range []string{EventStream, ShelterStream} {
		st, err := s.js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if n := st.CachedInfo().Config.Replicas; n != 3 {
			t.Errorf("%s has %d copies in a cluster of three", name, n)
		}
	}
}
