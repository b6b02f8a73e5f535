package tiktok

import (
	"hash/maphash"
	"sync"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

// listed remembers what the bytes of listed orders said. A sweep lists the last minutes' orders again and again, and the search has
// no cheaper form, so that reading them is most of what it costs. An order is left unread only while the caller knows just that content
// of it; forgetting costs work, never truth.
type listed struct {
	seed     maphash.Seed
	mu       sync.Mutex
	now, old map[uint64]listing // by the hash of the bytes
}

type listing struct {
	id      string
	content driver.Content
}

// keepListed orders are remembered at least: more than a shop sells while sweeps overlap. One takes about 100 bytes.
const keepListed = 20_000

func newListed() *listed { return &listed{seed: maphash.MakeSeed(), now: map[uint64]listing{}} }

// add remembers what raw was read as.
func (l *listed) add(raw []byte, f order.Fact) {
	seen, whole := driver.SeenOf(f)
	if !whole {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.now) >= keepListed {
		l.old, l.now = l.now, map[uint64]listing{}
	}
	l.now[maphash.Bytes(l.seed, raw)] = listing{f.ExternalID, seen.Content}
}

// known tells what the caller knows of the order that raw is, and whether that is just what raw says.
func (l *listed) known(raw []byte, by func(externalID string) (driver.Seen, bool)) (driver.Seen, bool) {
	if by == nil {
		return driver.Seen{}, false
	}
	sum := maphash.Bytes(l.seed, raw)
	l.mu.Lock()
	is, ok := l.now[sum]
	if !ok {
		is, ok = l.old[sum]
	}
	l.mu.Unlock()
	if !ok {
		return driver.Seen{}, false
	}
	seen, ok := by(is.id)
	return seen, ok && seen.Content == is.content
}
