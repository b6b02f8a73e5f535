package ops

import (
	"context"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// handHours is when a parcel's node can hand over: while it works, and to a drop-off when its van to the carrier leaves, of those whose cut-off is not past.
// A node that says nothing is open at any time.
func (x *Ops) handHours(ctx context.Context, s *shipping.Shipment, carrier string) (h shipping.Hours, err error) {
	var node store.Node
	err = x.st.View(ctx, func(tx *store.Tx) (err error) {
		node, err = tx.NodeGet(s.Node)
		return err
	})
	if errs.Is(err, errs.NotFound) {
		return h, nil
	}
	if err != nil {
		return h, err
	}
	return handingOf(node.Node, carrier, x.now())
}

func handingOf(n network.Node, carrier string, at time.Time) (h shipping.Hours, err error) {
	times, err := n.Timetable()
	if err != nil {
		return h, err
	}
	if times.Says() {
		h.Open = func(from, until time.Time) bool { return len(times.Hours(from, until)) > 0 }
	}
	lanes := slices.DeleteFunc(slices.Clone(n.Lanes), func(l network.Lane) bool { return carrier != "" && l.Carrier != carrier })
	if len(lanes) == 0 { // the platform's carrier has no lane of ours: whoever drives first may pass by
		lanes = n.Lanes
	}
	for _, l := range lanes {
		if van, ok := times.NextPickup(l, at); ok && (h.Drives.IsZero() || van.Before(h.Drives)) {
			h.Drives = van
		}
	}
	return h, nil
}
