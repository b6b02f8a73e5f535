package ops

import (
	"context"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// freshFor is how long after an action figures kept for everybody are read from the database itself: longer than a replica in use may
	// be behind.
	freshFor = 2 * view.FreshFor
	// catchUpEvery is how often a notice for live pages looks whether the replica shows by now what it tells of.
	catchUpEvery = 50 * time.Millisecond
	// catchUpMost is how long it waits. A replica that far behind is not read any more, so the page finds the change in the database.
	catchUpMost = view.FreshFor / 2
)

// look is read for what is only shown: on the replica, if there is one in use, except for somebody who has just changed something.
func (d *Desk) look(ctx context.Context, op, item string, f func(tx *store.Tx) error) error {
	if view.IsFresh(ctx) {
		d.freshUntil.Store(d.x.now().Add(freshFor).UnixNano())
		return d.read(ctx, op, item, f)
	}
	return errs.Wrap(op, item, d.x.st.ViewPages(ctx, f))
}

// count is look for figures that are kept for everybody: an action of anybody's counts.
func (d *Desk) count(ctx context.Context, f func(tx *store.Tx) error) error {
	if d.x.now().UnixNano() < d.freshUntil.Load() {
		return d.x.st.View(ctx, f)
	}
	return d.x.st.ViewPages(ctx, f)
}

// caughtUp holds notices back until the replica shows what they tell of: a page that read it at once would show the old state, and nobody
// would tell it again.
func (d *Desk) caughtUp(ctx context.Context, in <-chan string) <-chan string {
	if _, has := d.x.st.Replica(); !has {
		return in
	}
	out := make(chan string)
	go func() {
		defer close(out)
		var order []string // topics in the order of their first notice
		since := map[string]time.Time{}
		tick := time.NewTicker(catchUpEvery)
		defer tick.Stop()
		for {
			select {
			case topic, ok := <-in:
				if !ok {
					return
				}
				if since[topic].IsZero() {
					order = append(order, topic)
				}
				since[topic] = d.x.now()
			case <-tick.C:
				for len(order) > 0 && d.shows(since[order[0]]) {
					select {
					case out <- order[0]:
					case <-ctx.Done():
						return
					}
					delete(since, order[0])
					order = order[1:]
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// shows reports whether pages show by now what was committed at a time.
func (d *Desk) shows(at time.Time) bool {
	s, _ := d.x.st.Replica()
	return !s.Used || s.Shows.After(at) || d.x.now().Sub(at) > catchUpMost
}
