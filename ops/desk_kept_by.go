package ops

import (
	"sync"
	"time"
)

// keptMost bounds how many answers of one costly question are kept: beyond it the one asked for longest ago goes.
const keptMost = 64

// keptBy are the last answers of a costly question about several things. The zero value is ready.
type keptBy[K comparable, T any] struct {
	mu sync.Mutex
	of map[K]*keptOne[T]
}

type keptOne[T any] struct {
	kept[T]
	asked time.Time
}

// at is what is kept for a key.
func (k *keptBy[K, T]) at(key K, now time.Time) *kept[T] {
	k.mu.Lock()
	defer k.mu.Unlock()
	one := k.of[key]
	if one == nil {
		if k.of == nil {
			k.of = map[K]*keptOne[T]{}
		}
		if len(k.of) >= keptMost {
			k.drop()
		}
		one = &keptOne[T]{}
		k.of[key] = one
	}
	one.asked = now
	return &one.kept
}

// drop forgets the answer asked for longest ago. A search for it that is under way ends by itself.
func (k *keptBy[K, T]) drop() {
	var oldest K
	var at time.Time
	for key, one := range k.of {
		if at.IsZero() || one.asked.Before(at) {
			oldest, at = key, one.asked
		}
	}
	delete(k.of, oldest)
}

// stale makes the next asker of each search, because something was done that the answers do not know.
func (k *keptBy[K, T]) stale() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, one := range k.of {
		one.kept.stale()
	}
}
