package ops

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// grip is a lease in this process's hand. A nil grip cannot be lost: the database serves one process.
type grip struct {
	name  string
	token int64
	hold  time.Duration // how long after a renewal was begun the lease is believed in
	now   func() time.Time

	mu       sync.Mutex
	renewed  time.Time // when the last renewal that succeeded was begun
	lost     bool
	leaving  bool // it is being given to another process
	unopened bool // its connection could not be opened
}

// held reports whether the lease is surely ours at this moment. It asks nobody: a process that was stopped, or cut off from the database,
// finds by its own clock that too much time has gone by. The clock that counts on through changes of the date is asked, and the other one
// too, since the first may stand still while a machine sleeps.
func (g *grip) held() bool {
	if g == nil {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	at := g.now()
	return !g.lost && at.Sub(g.renewed) < g.hold && at.Round(0).Sub(g.renewed.Round(0)) < g.hold
}

func (g *grip) renewedAt(at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.renewed = at
}

func (g *grip) drop() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lost = true
}

// leave says that the lease is about to be given away; it is false when that is under way already.
func (g *grip) leave() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.leaving
	g.leaving = true
	return !was
}

func (g *grip) isLeaving() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.leaving
}

func (g *grip) failed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.unopened && !g.leaving && !g.lost
}

// fence asks the database which of the grips are lost. The others cannot be taken by anybody before the transaction ends.
func fence(tx *store.Tx, grips ...*grip) (map[*grip]bool, error) {
	tokens := map[string]int64{}
	for _, g := range grips {
		if g != nil {
			tokens[g.name] = g.token
		}
	}
	names, err := tx.LeaseLost(tokens)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	lost := map[*grip]bool{}
	for _, g := range grips {
		for _, name := range names {
			if g != nil && g.name == name {
				lost[g] = true
			}
		}
	}
	return lost, nil
}

// errTaken is the answer to an owner that is none any more.
func errTaken(op string, g *grip) error {
	return errs.New(errs.Conflict, op, g.name, "another process has taken this over")
}

// errNotOurs ends an outbound call of a connection that is not surely ours at the moment the call would leave.
var errNotOurs = errors.New("this process is not the owner of the connection at the moment; nothing was sent")

// guarded is a client whose requests leave only while the grip is held: it looks at the last moment before the connection is written to, after
// all waiting for a slot, and so keeps a process that was stopped for a while from telling a channel what was true before.
func guarded(c *http.Client, g *grip) *http.Client {
	if g == nil {
		return c
	}
	out := *c
	out.Transport = &guardedTransport{grip: g, next: c.Transport}
	if c.Transport == nil {
		out.Transport = &guardedTransport{grip: g, next: http.DefaultTransport}
	}
	return &out
}

type guardedTransport struct {
	grip *grip
	next http.RoundTripper
}

func (t *guardedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !t.grip.held() {
		if r.Body != nil {
			_ = r.Body.Close() // a transport closes the body it was given
		}
		return nil, errNotOurs
	}
	return t.next.RoundTrip(r)
}
