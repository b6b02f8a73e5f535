package connector

import (
	"sync"

	"github.com/spillway/spillway/connector/driver"
)

// Bounds of a connection's log in memory: enough to see a pattern on the connections page; history belongs to metrics.
const (
	keepExchanges = 100
	keepErrors    = 50
)

// Log keeps the latest exchanges of one connection, errors longer than the rest. It is safe for concurrent use; the
// zero value is ready.
type Log struct {
	mu     sync.Mutex
	latest ring
	errors ring
}

// Add notes an exchange.
func (l *Log) Add(x driver.Exchange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.latest.add(x, keepExchanges)
	if x.Err != "" {
		l.errors.add(x, keepErrors)
	}
}

// Latest returns the latest exchanges, newest first.
func (l *Log) Latest() []driver.Exchange {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.latest.newestFirst()
}

// Errors returns the latest failed exchanges, newest first.
func (l *Log) Errors() []driver.Exchange {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.errors.newestFirst()
}

type ring struct {
	items []driver.Exchange
	next  int // where the oldest stands once the ring is full
}

func (r *ring) add(x driver.Exchange, limit int) {
	if len(r.items) < limit {
		r.items = append(r.items, x)
		return
	}
	r.items[r.next] = x
	r.next = (r.next + 1) % limit
}

func (r *ring) newestFirst() []driver.Exchange {
	out := make([]driver.Exchange, 0, len(r.items))
	for i := len(r.items) - 1; i >= 0; i-- {
		out = append(out, r.items[(r.next+i)%len(r.items)])
	}
	return out
}
