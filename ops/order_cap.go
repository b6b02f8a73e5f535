package ops

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// capsState is the name under which order caps are kept. capsEvery is how often the orders of capped shops are counted.
	capsState, capsEvery = "order-caps", 2 * time.Second
	// maxCaps bounds the shops that are capped at once.
	maxCaps = 500
)

// OrderCap is the cap of a shop's orders a day.
type OrderCap struct {
	allocation.DayCap
	ID     string    `json:"id"` // of the entry of what was done
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitzero"`
}

// orderCaps reads the caps of all shops.
func orderCaps(tx *store.Tx) (map[string]OrderCap, error) {
	all := map[string]OrderCap{}
	_, _, err := tx.HealthStateGet(capsState, &all)
	return all, err
}

// changeCaps changes what is capped, forgets what is over, and has it followed at once.
func (x *Ops) changeCaps(ctx context.Context, connection string, change func(map[string]OrderCap)) error {
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		all := map[string]OrderCap{}
		if err := tx.HealthStateTake(capsState, &all); err != nil {
			return err
		}
		at := tx.Now()
		maps.DeleteFunc(all, func(_ string, c OrderCap) bool { return !c.Until.After(at) })
		if change(all); len(all) > maxCaps {
			return errs.New(errs.Invalid, "ops.OrderCap", connection, "at most %d shops can be capped at once", maxCaps)
		}
		return tx.HealthStatePut(capsState, at, all)
	})
	if err != nil {
		return errs.Wrap("ops.OrderCap", connection, err)
	}
	return x.countCaps(ctx)
}

// SetOrderCap caps the orders a shop is to get in a day, in the place of a cap it has. Errors: Invalid, NotFound.
func (x *Ops) SetOrderCap(ctx context.Context, connection string, c OrderCap) error {
	if err := c.Check(); err != nil {
		return err
	}
	if err := x.st.View(ctx, func(tx *store.Tx) error { _, err := tx.ConnectionGet(connection); return err }); err != nil {
		return err
	}
	return x.changeCaps(ctx, connection, func(all map[string]OrderCap) { all[connection] = c })
}

// EndOrderCap ends the cap of a shop, if it is the one named.
func (x *Ops) EndOrderCap(ctx context.Context, connection, id string) error {
	return x.changeCaps(ctx, connection, func(all map[string]OrderCap) {
		if all[connection].ID == id {
			delete(all, connection)
		}
	})
}

// capLoop counts the orders of capped shops. Each process plans by what it has counted itself.
func (x *Ops) capLoop() {
	tick := time.NewTicker(capsEvery)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-tick.C:
		case <-x.ctx.Done():
			return
		}
		err := x.countCaps(x.ctx)
		if err != nil && x.ctx.Err() == nil && !failing {
			x.log.Error("the orders of capped shops cannot be counted: what they show stays as it is", "err", err)
		}
		failing = err != nil
	}
}

// countCaps reads which shops are capped and what is left of their day, and plans what that changes.
func (x *Ops) countCaps(ctx context.Context) error {
	left, caps := map[string]int{}, map[string]OrderCap{}
	err := x.st.View(ctx, func(tx *store.Tx) error {
		clear(left)
		all, err := orderCaps(tx)
		if err != nil {
			return err
		}
		caps = all
		counts := map[time.Time]map[string]int64{}
		for connection, c := range all {
			at := tx.Now()
			if !c.Holds(at) {
				continue
			}
			from, until := c.Day(at)
			if counts[from] == nil {
				if counts[from], err = tx.OrdersByShop(from, until); err != nil {
					return err
				}
			}
			left[connection] = c.Left(counts[from][connection])
		}
		return nil
	})
	if err != nil {
		return err
	}
	cat := x.catalog.Load()
	for _, connection := range x.wires.cap(caps, left) {
		x.planner.mark(cat.itemsOf(connection))
	}
	return nil
}

// cap takes over what capped shops may show, and returns the shops for which that is another number than before.
func (ws *wires) cap(caps map[string]OrderCap, left map[string]int) (changed []string) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for connection, n := range left {
		if was, capped := ws.left[connection]; !capped || was != n {
			changed = append(changed, connection)
		}
	}
	for connection := range ws.left {
		if _, capped := left[connection]; !capped {
			changed = append(changed, connection)
		}
	}
	ws.caps, ws.left = caps, left
	slices.Sort(changed)
	return changed
}

// orderCap is how much a listing of a shop may show under the shop's order cap; false: it has none now.
func (ws *wires) orderCap(connection string) (c OrderCap, left int, capped bool) {
	ws.mu.RLock()
	defer ws.mu.RUnlock()
	left, capped = ws.left[connection]
	return ws.caps[connection], left, capped
}
