package ops

import (
	"sync"
	"time"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/store"
)

// wires are the connections: all that are known, and those this process works.
type wires struct {
	alone   bool       // nobody else works any
	opening sync.Mutex // one is opened at a time
	asking  sync.Mutex // one looks up a shop that is not known
	askNext time.Time  // not before: it could not be looked up

	mu     sync.RWMutex
	byID   map[string]*wire
	shops  map[string]shop      // all that are known
	byShop map[[2]string]string // app id, external shop id
	ofApp  map[string][]string
	logins map[string]*connector.Login // by grant
	inHand inHand
	caps   map[string]OrderCap
	left   map[string]int // units a listing of a capped shop may show now
	vendor func(name string) (driver.Description, bool)
}

// shop is what every process knows of a connection.
type shop struct {
	state  store.ConnectionState
	vendor string
	region string // its market
}

func (ws *wires) get(id string) *wire {
	ws.mu.RLock()
	defer ws.mu.RUnlock()
	return ws.byID[id]
}

func (ws *wires) all() []*wire {
	ws.mu.RLock()
	defer ws.mu.RUnlock()
	out := make([]*wire, 0, len(ws.byID))
	for _, w := range ws.byID {
		out = append(out, w)
	}
	return out
}

// know takes over what connections there are. None ever goes, so what a reading does not show was connected while it was read.
func (ws *wires) know(conns []store.Connection) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, c := range conns {
		ws.add(c)
		if w := ws.byID[c.ID]; w != nil && c.State == store.Withdrawn {
			w.mu.Lock()
			w.state.needsLogin = true
			w.mu.Unlock()
		}
	}
}

func (ws *wires) add(c store.Connection) {
	if ws.shops == nil {
		ws.shops, ws.byShop, ws.ofApp = map[string]shop{}, map[[2]string]string{}, map[string][]string{}
	}
	ws.shops[c.ID] = shop{c.State, c.Vendor, c.Region}
	ws.byShop[[2]string{c.AppID, c.ExternalID}] = c.ID
	ws.ofApp[c.AppID] = unique(append(ws.ofApp[c.AppID], c.ID))
}

// put sets a wire in its place; one that was there before is stopped.
func (ws *wires) put(w *wire, c store.Connection) {
	ws.mu.Lock()
	old := ws.byID[w.id]
	if ws.byID == nil {
		ws.byID = map[string]*wire{}
	}
	ws.byID[w.id] = w
	ws.add(c)
	ws.mu.Unlock()
	if old != nil {
		old.stop()
	}
}

// end takes a wire out of work, if it is the one that works under the grip: what it has begun is finished, as long as that is ours to do.
func (ws *wires) end(id string, g *grip) {
	ws.mu.Lock()
	w := ws.byID[id]
	if w == nil || w.grip != g {
		ws.mu.Unlock()
		return
	}
	delete(ws.byID, id)
	ws.mu.Unlock()
	w.stop()
}

// connectionOf finds the shop a message is about; an app with one shop needs no name.
func (ws *wires) connectionOf(appID string, env driver.Envelope) string {
	ws.mu.RLock()
	defer ws.mu.RUnlock()
	if id, ok := ws.byShop[[2]string{appID, env.ShopID}]; ok {
		return id
	}
	if ids := ws.ofApp[appID]; len(ids) == 1 && env.ShopID == "" {
		return ids[0]
	}
	return ""
}

// describe is what a connection's vendor can do.
func (ws *wires) describe(connectionID string) (driver.Description, bool) {
	if w := ws.get(connectionID); w != nil {
		return w.vendor, true
	}
	ws.mu.RLock()
	s, ok := ws.shops[connectionID]
	ws.mu.RUnlock()
	if !ok || ws.vendor == nil {
		return driver.Description{}, false
	}
	return ws.vendor(s.vendor)
}

// restocks tells whether a cancelled order's units return to the channel's own number without us.
func (ws *wires) restocks(connectionID string) bool {
	d, ok := ws.describe(connectionID)
	return !ok || d.CancelRestocks // when in doubt they do: a reading puts it right
}

// workable reports whether a connection is one that some process works.
func (ws *wires) workable(connectionID string) bool {
	ws.mu.RLock()
	defer ws.mu.RUnlock()
	s, ok := ws.shops[connectionID]
	return ok && s.state != store.Paused && s.state != store.Withdrawn
}

// paused reports whether a connection cannot be written to now. Of one that another process works the database tells.
func (ws *wires) paused(connectionID string) bool {
	if w := ws.get(connectionID); w != nil {
		return w.paused()
	}
	if ws.alone {
		return true
	}
	ws.mu.RLock()
	defer ws.mu.RUnlock()
	return ws.shops[connectionID].state != store.Active
}

// worksAny reports whether this process works one of the connections whose listings sell an item of the problem.
func (ws *wires) worksAny(cat *catalogue, problem string) bool {
	ws.mu.RLock()
	defer ws.mu.RUnlock()
	for _, item := range cat.members[problem] {
		for _, id := range cat.byItem[item] {
			if ws.byID[cat.listings[id].ConnectionID] != nil {
				return true
			}
		}
	}
	return false
}

// stop ends all of them at the same time.
func (ws *wires) stop() {
	var all sync.WaitGroup
	for _, w := range ws.all() {
		all.Go(w.stop)
	}
	all.Wait()
}
