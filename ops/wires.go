package ops

import (
	"sync"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
)

// wires are the connections at work.
type wires struct {
	mu     sync.RWMutex
	byID   map[string]*wire
	byShop map[[2]string]string // app id, external shop id
	ofApp  map[string][]string
	logins map[string]*connector.Login // by grant
	inHand inHand
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

// restocks tells whether a cancelled order's units return to the channel's own number without us.
func (ws *wires) restocks(connectionID string) bool {
	w := ws.get(connectionID)
	return w == nil || w.vendor.CancelRestocks // when in doubt they do: a reading puts it right
}

func (ws *wires) stop() {
	for _, w := range ws.all() {
		w.stop()
	}
}
