package ops

import (
	"context"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/store"
)

// ours leaves out the problems of whose listings this process works none: who works them plans them, each process for its own listings.
func (p *planner) ours(problems []string) []string {
	if p.x.keeper.alone {
		return problems
	}
	cat := p.x.catalog.Load()
	return slices.DeleteFunc(problems, func(problem string) bool {
		if p.x.wires.worksAny(cat, problem) {
			return false
		}
		p.mu.Lock()
		delete(p.since, problem)
		p.mu.Unlock()
		return true
	})
}

// act plans under the writer's lock and stores every flight before its push leaves. Where several processes work the listings of a problem,
// each plans all of them and stores and sends what belongs to its own: any part of a plan's pushes is safe, since each only ever adds to
// what channels may sell, out of the free rest that the plan has shared out.
func (p *planner) act(ctx context.Context, problems []string, since map[string]time.Time) error {
	cat := p.x.catalog.Load()
	var plans []planned
	var flying map[*wire][]flight
	err := p.x.st.Update(ctx, func(tx *store.Tx) (err error) {
		flying = map[*wire][]flight{}
		var grips []*grip
		if plans, err = p.look(tx, problems, tx.BalancesForUpdate); err != nil {
			return err
		}
		for i, pl := range plans {
			var dirty []string
			plans[i].plan.Pushes = p.sent(cat, pl.plan.Pushes)
			for _, push := range plans[i].plan.Pushes {
				push.ID = id.New()
				w := p.x.wires.get(cat.listings[push.Listing].ConnectionID)
				if w == nil {
					continue
				}
				book, err := pl.set.Books[push.Listing].PushSent(push, tx.Now(), w.vendor.RequestLifetime)
				if err != nil {
					return err
				}
				grips = append(grips, w.grip)
				pl.set.Books[push.Listing] = book
				dirty = append(dirty, push.Listing)
				flying[w] = append(flying[w], flight{push, split(cat, cat.listings[push.Listing], push, pl.held)})
			}
			if err := p.x.saveBooks(tx, pl.set, dirty); err != nil {
				return err
			}
		}
		lost, err := fence(tx, grips...)
		for g := range lost {
			return errTaken("ops.plan", g)
		}
		return err
	})
	if err != nil {
		return err
	}
	for i, pl := range plans {
		p.follow(problems[i], pl)
		p.rights.planned(pl, since[problems[i]])
	}
	for w, pushes := range flying {
		w.send(pushes)
	}
	return nil
}

// sent are those of a plan's pushes that are this process's to send.
func (p *planner) sent(cat *catalogue, pushes []allocation.Push) []allocation.Push {
	if p.x.keeper.alone {
		return pushes
	}
	return slices.DeleteFunc(slices.Clone(pushes), func(push allocation.Push) bool {
		return p.x.wires.get(cat.listings[push.Listing].ConnectionID) == nil
	})
}
