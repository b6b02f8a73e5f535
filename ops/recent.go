package ops

import (
	"encoding/hex"
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
	now, old map[string]remembered // by external order id
}

type remembered struct {
	content content
	seen    driver.Seen
}

// content is the first half of a fact's hash: enough to tell the states of one order apart.
type content [16]byte

// keepRecent orders are remembered at least: more than a channel sells while sweeps overlap. One takes about 300 bytes.
const keepRecent = 20_000

// add remembers what was taken in. When a message was sent does not prove when its content was true, so it is left out.
func (r *recent) add(facts []order.Fact) { r.remember(facts, false) }

// addRead is add for what the channel answered to a question.
func (r *recent) addRead(facts []order.Fact) { r.remember(facts, true) }

func (r *recent) remember(facts []order.Fact, read bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now == nil || len(r.now) >= keepRecent {
		r.old, r.now = r.now, map[string]remembered{}
	}
	for _, f := range facts {
		seen, whole := driver.SeenOf(f)
		if !whole {
			delete(r.now, f.ExternalID) // its next snapshot must be merged, whatever it says
			delete(r.old, f.ExternalID)
			continue
		}
		is, ok := contentOf(f)
		if !ok {
			continue
		}
		if !read {
			seen.ReadAt = time.Time{}
		}
		was, _, known := r.get(f.ExternalID)
		if known && was.seen.UpdatedAt.After(seen.UpdatedAt) {
			continue // an older message came late
		}
		if known && was.content == is && was.seen.ReadAt.After(seen.ReadAt) {
			seen.ReadAt = was.seen.ReadAt
		}
		r.now[f.ExternalID] = remembered{is, seen}
	}
}

// fresh leaves out the snapshots that were taken in before just as they are. facts are answers of the channel.
func (r *recent) fresh(facts []order.Fact) []order.Fact {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]order.Fact, 0, len(facts))
	for _, f := range facts {
		was, at, known := r.get(f.ExternalID)
		if is, ok := contentOf(f); !known || !ok || is != was.content {
			out = append(out, f)
			continue
		}
		if f.ReadAt.After(was.seen.ReadAt) {
			was.seen.ReadAt = f.ReadAt
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
	return was.seen, known
}

func (r *recent) get(externalID string) (was remembered, at map[string]remembered, known bool) {
	for _, at = range []map[string]remembered{r.now, r.old} {
		if was, known = at[externalID]; known {
			break
		}
	}
	return was, at, known
}

func contentOf(f order.Fact) (c content, ok bool) {
	hash, err := f.Hash()
	if err != nil || len(hash) < hex.EncodedLen(len(c)) {
		return c, false
	}
	_, err = hex.Decode(c[:], []byte(hash[:hex.EncodedLen(len(c))]))
	return c, err == nil
}
