package ops

import (
	"sync"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

// recent remembers the newest snapshots taken in, by content, so that a sweep, which must read the last seconds again and again, does
// not take in again what it finds unchanged, and need not even ask the channel for it in full. Of a snapshot only its hash and a few
// numbers are kept. Forgetting costs work, never truth.
type recent struct {
	mu       sync.Mutex
	now, old map[string]driver.Seen // by external order id
}

// keepRecent orders are remembered at least: more than a channel sells while sweeps overlap. One takes about 300 bytes.
const keepRecent = 20_000

// add remembers what was taken in. When a message was sent does not prove when its content was true, so it is left out. A notice that
// left nothing open leaves what is known as it is.
func (r *recent) add(facts []order.Fact) { r.remember(facts, false) }

// addRead is add for what the channel answered to a question.
func (r *recent) addRead(facts []order.Fact) { r.remember(facts, true) }

func (r *recent) remember(facts []order.Fact, read bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	for _, f := range facts {
		seen, whole := driver.SeenOf(f)
		if !whole {
			continue
		}
		if !read {
			seen.ReadAt = time.Time{}
		}
		was, _, known := r.get(f.ExternalID)
		if known && was.UpdatedAt.After(seen.UpdatedAt) {
			continue // an older message came late
		}
		if known && was.Content == seen.Content && was.ReadAt.After(seen.ReadAt) {
			seen.ReadAt = was.ReadAt
		}
		r.now[f.ExternalID] = seen
	}
}

// keep remembers what is known of an order from elsewhere.
func (r *recent) keep(externalID string, seen driver.Seen) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	r.now[externalID] = seen
}

// turn lets the older half be forgotten when the newer one is full.
func (r *recent) turn() {
	if r.now == nil || len(r.now) >= keepRecent {
		r.old, r.now = r.now, map[string]driver.Seen{}
	}
}

// forget makes the next snapshot of each order news, whatever it says: only being merged can it close what a notice left open.
func (r *recent) forget(externalIDs []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range externalIDs {
		delete(r.now, id)
		delete(r.old, id)
	}
}

// fresh leaves out the snapshots that were taken in before just as they are. facts are answers of the channel.
func (r *recent) fresh(facts []order.Fact) []order.Fact {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]order.Fact, 0, len(facts))
	for _, f := range facts {
		was, at, known := r.get(f.ExternalID)
		if is, whole := driver.SeenOf(f); !known || !whole || is.Content != was.Content {
			out = append(out, f)
			continue
		}
		if f.ReadAt.After(was.ReadAt) {
			was.ReadAt = f.ReadAt
			at[f.ExternalID] = was
		}
	}
	return out
}

// seen is driver.OrderQuery.Known.
func (r *recent) seen(externalID string) (driver.Seen, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	was, _, known := r.get(externalID)
	return was, known
}

func (r *recent) get(externalID string) (was driver.Seen, at map[string]driver.Seen, known bool) {
	for _, at = range []map[string]driver.Seen{r.now, r.old} {
		if was, known = at[externalID]; known {
			break
		}
	}
	return was, at, known
}
