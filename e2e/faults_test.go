package e2e

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/sim/world"
	"github.com/spillway/spillway/store"
)

// badLuck is everything that goes wrong between us and a channel, often.
var badLuck = []world.Rule{
	{Point: "*", Kind: world.Throttle, Probability: 0.05},
	{Point: "*", Kind: world.Unavailable, Probability: 0.05},
	{Point: "*", Kind: world.LostReply, Probability: 0.05},
	{Point: "*", Kind: world.LostRequest, Probability: 0.05},
	{Point: "*", Kind: world.Delay, Probability: 0.1, Delay: world.Duration(150 * time.Millisecond)},
	{Point: "*", Kind: world.Partial, Probability: 0.05},
	{Point: "webhook:*", Kind: world.Drop, Probability: 0.1},
	{Point: "webhook:*", Kind: world.Duplicate, Probability: 0.2},
	{Point: "webhook:*", Kind: world.Reorder, Probability: 0.2, Delay: world.Duration(300 * time.Millisecond)},
}

// TestNothingIsOversoldWhateverGoesWrong sells scarce units on three channels while every kind of fault strikes, cancels some, and
// restarts in the middle. Then it counts by the channels' own books.
func TestNothingIsOversoldWhateverGoesWrong(t *testing.T) {
	d := open(t)
	const units = 120
	d.receive("MUG", units)
	for i := range d.shops {
		d.sellable(i, "MUG", 5)
	}
	for _, s := range d.shops {
		for _, r := range badLuck {
			_, err := s.Faults().Add(r)
			d.must(err)
		}
	}
	d.rush("MUG", 4*time.Second)
	d.stop()
	d.start()
	d.rush("MUG", 4*time.Second)
	for _, s := range d.shops {
		s.Faults().Clear()
	}
	active := 0
	for _, s := range d.shops {
		active += s.Active("MUG")
	}
	if active > units {
		t.Fatalf("the shops sold %d of %d units", active, units)
	}
	if active < units/4 {
		t.Fatalf("only %d of %d units were sold: the faults stopped everything and the test shows nothing", active, units)
	}
	d.eventually("the ledger knows every sale", func() string {
		if booked := d.booked("MUG"); booked != int64(active) {
			return fmt.Sprintf("the shops sold %d, the ledger knows %d", active, booked)
		}
		return ""
	})
	d.proved()
}

// rush lets buyers crowd all shops, the first one most; some change their minds.
func (d *day) rush(sku string, length time.Duration) {
	var crowd sync.WaitGroup
	end := time.After(length)
	done := make(chan struct{})
	go func() { <-end; close(done) }()
	for i, s := range d.shops {
		crowd.Go(func() {
			tick := time.NewTicker(time.Duration(30+60*i) * time.Millisecond)
			defer tick.Stop()
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				case <-tick.C:
				}
				id, err := s.Place([]stage.Line{{SKU: sku, Qty: 1}})
				if err == nil && n%9 == 0 {
					_ = s.Cancel(id) // a shop may refuse; the buyer shrugs
				}
			}
		})
	}
	crowd.Wait()
}

// booked is how many units of an article the ledger holds for orders or has shipped.
func (d *day) booked(sku string) int64 {
	d.t.Helper()
	var n int64
	d.must(d.app.Store().View(d.t.Context(), func(tx *store.Tx) error {
		n = 0
		return tx.ReservationsAll(func(r stock.Reservation) bool {
			if r.ItemID == sku {
				n += r.Held + r.Shipped + r.Short + r.Unbooked
			}
			return true
		})
	}))
	return n
}
