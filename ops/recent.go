package ops

import (
	"sync"

	"github.com/spillway/spillway/domain/order"
)

// recent remembers the newest snapshots taken in, by content, so that a sweep, which must read the last seconds again and again, does
// not take in again what it finds unchanged. Forgetting costs work, never truth.
type recent struct {
	mu       sync.Mutex
	now, old map[string]string // external order id to the content's hash
}

// keepRecent orders are remembered at least: more than a channel sells while sweeps overlap.
const keepRecent = 20_000

func (r *recent) add(facts []order.Fact) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now == nil || len(r.now) >= keepRecent {
		r.old, r.now = r.now, map[string]string{}
	}
	for _, f := range facts {
		if f.Kind != order.Snapshot {
			delete(r.now, f.ExternalID) // its next snapshot must be merged, whatever it says
			delete(r.old, f.ExternalID)
			continue
		}
		if hash, err := f.Hash(); err == nil {
			r.now[f.ExternalID] = hash
		}
	}
}

// fresh leaves out the snapshots that were taken in before just as they are.
func (r *recent) fresh(facts []order.Fact) []order.Fact {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]order.Fact, 0, len(facts))
	for _, f := range facts {
		was, ok := r.now[f.ExternalID]
		if !ok {
			was, ok = r.old[f.ExternalID]
		}
		if hash, err := f.Hash(); !ok || err != nil || hash != was {
			out = append(out, f)
		}
	}
	return out
}
