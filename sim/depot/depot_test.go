package depot

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/sim/world"
)

// TestUnitsAreNeverTakenTwice: whatever is ordered, held and cancelled, a shelf's numbers add up.
func TestUnitsAreNeverTakenTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock := world.NewVirtual(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
		d := New(clock, 1, Options{Boxes: func(o Order) (boxes [][]Line) { // an order of four goes in three boxes, one of three never goes whole
			for left := o.Lines[0].Qty; left > 0 && (len(boxes) == 0 || o.Lines[0].Qty != 3); left -= max(1, o.Lines[0].Qty-2) {
				boxes = append(boxes, []Line{{SKU: "MUG", Qty: min(left, max(1, o.Lines[0].Qty-2))}})
			}
			return boxes
		}})
		d.Stow("A", "MUG", 10, 1)
		stowed, ids := int64(10), []int{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				ids = append(ids, d.Place(Order{Lines: []Line{{SKU: "MUG", Qty: rapid.Int64Range(1, 4).Draw(t, "qty")}}}).ID)
			case 1, 2:
				if len(ids) > 0 {
					id := rapid.SampledFrom(ids).Draw(t, "id")
					was, _ := d.Get(id)
					if d.Cancel(id) == was.Left() {
						t.Fatalf("an order %s was cancelled: %v", was.Stage, !was.Left())
					}
				}
			case 3:
				clock.Advance(time.Duration(rapid.IntRange(1, 180).Draw(t, "minutes")) * time.Minute)
			case 4:
				d.Stow("A", "MUG", 1, 0)
				stowed++
			}
			var allocated, gone int64
			for _, o := range d.Orders(func(Order) bool { return true }) {
				var sent int64
				for _, box := range o.Sent {
					sent += box.Lines[0].Qty
				}
				gone += sent
				if o.Place != "" && !o.Left() {
					allocated += o.Lines[0].Qty - sent
				}
			}
			s := d.Shelves()[0]
			if s.Allocated != allocated || s.OnHand != stowed-gone || s.OnHand-s.Damaged-s.Allocated < 0 {
				t.Fatalf("the shelf is %+v; orders have %d, %d are gone of %d", s, allocated, gone, stowed)
			}
		}
	})
}
