package ops

import (
	"sync"
	"time"

	"github.com/spillway/spillway/domain/allocation"
)

// openChanges bounds how many unfinished changes one listing is in; a channel that is away for hours would gather more.
const openChanges = 64

// rights measures how long a change takes until every channel that has to be told of it has taken its number.
type rights struct {
	mu      sync.Mutex
	waiting map[string]time.Time       // shared listings whose last push left before their newest change: the oldest such change
	open    map[string][]*rightsChange // by listing: changes told by the push on its way
}

// rightsChange is a committed change with pushes on their way.
type rightsChange struct {
	since time.Time
	left  int // listings not told yet
}

// planned notes which pushes a change led to. A shared listing with a push on its way has to be told later of what came since;
// what a guarded one needs after its push is a new decision. since is zero where no change asked for the plan.
func (r *rights) planned(pl planned, since time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open == nil {
		r.waiting, r.open = map[string]time.Time{}, map[string][]*rightsChange{}
	}
	c := &rightsChange{since: since}
	for _, p := range pl.plan.Pushes {
		if !since.IsZero() {
			c.left++
			r.add(p.Listing, c)
		}
		if late, ok := r.waiting[p.Listing]; ok {
			delete(r.waiting, p.Listing)
			r.add(p.Listing, &rightsChange{since: late, left: 1})
		}
	}
	for _, t := range pl.targets {
		b := pl.set.Books[t.Listing]
		_, known := r.waiting[t.Listing]
		if !known && !since.IsZero() && t.Mode == allocation.Shared && b.InFlight != nil && !pl.pushes(t.Listing) && b.InFlight.Push.Quantity != t.Units {
			r.waiting[t.Listing] = since
		}
	}
}

func (r *rights) add(listing string, c *rightsChange) {
	if len(r.open[listing]) < openChanges {
		r.open[listing] = append(r.open[listing], c)
	} else {
		c.left--
	}
}

// told takes a listing's confirmed push and returns how long the changes took for which it was the last.
func (r *rights) told(listing string, at time.Time) []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	var took []time.Duration
	for _, c := range r.open[listing] {
		if c.left--; c.left == 0 {
			took = append(took, at.Sub(c.since))
		}
	}
	delete(r.open, listing)
	return took
}
