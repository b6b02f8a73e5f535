package ops

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// NodeTopic is the live notice that something was said of a node, or that its load was worked out anew.
	NodeTopic = "node"
	// pastKept is how many days closures and overtime stay on a node once they are over: as long as forecasts learn from those days.
	pastKept = 60
	// nodeHistory versions of a node are read at once.
	nodeHistory = 50
)

// NodeState is a place that orders leave from, and what is said of it.
type NodeState struct {
	Location stock.Location
	Said     *store.Node // nil: nothing is; it works as its history shows
	Load     *NodeLoad   // nil: nothing passed through it lately
}

// kindsOf are what sort of node a location may be.
var kindsOf = map[stock.LocationKind][]network.Kind{stock.Own: {network.Own, network.Store}, stock.ThirdParty: {network.ThreePL}, stock.Coop: {network.Coop},
	stock.Marketplace: {network.MCF}, stock.FBT: {network.FBT}}

// Nodes lists the locations orders can leave from, with what is said of them.
func (x *Ops) Nodes(ctx context.Context) (out []NodeState, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		out, err = nodeStates(tx)
		return err
	})
	return out, errs.Wrap("ops.Nodes", "", err)
}

func nodeStates(tx *store.Tx) ([]NodeState, error) {
	places, err := tx.Locations()
	if err != nil {
		return nil, err
	}
	said, err := tx.Nodes()
	if err != nil {
		return nil, err
	}
	loads, err := nodeLoads(tx)
	if err != nil {
		return nil, err
	}
	var out []NodeState
	for _, l := range places {
		if len(kindsOf[l.Kind]) == 0 {
			continue
		}
		s := NodeState{Location: l}
		if i := slices.IndexFunc(said, func(n store.Node) bool { return n.ID == l.ID }); i >= 0 {
			s.Said = &said[i]
		}
		if load, ok := loads.Nodes[l.ID]; ok {
			s.Load = &load
		}
		out = append(out, s)
	}
	return out, nil
}

// Node is one of Nodes. Errors: NotFound.
func (x *Ops) Node(ctx context.Context, id string) (NodeState, error) {
	all, err := x.Nodes(ctx)
	if err != nil {
		return NodeState{}, err
	}
	i := slices.IndexFunc(all, func(s NodeState) bool { return s.Location.ID == id })
	if i < 0 {
		return NodeState{}, errs.New(errs.NotFound, "ops.Node", id, "There is no node %s.", id)
	}
	return all[i], nil
}

// NodeHistory is what was said of a node, the newest first, before a version (0: from the newest).
func (x *Ops) NodeHistory(ctx context.Context, id string, before int64) (out []store.Node, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		out, err = tx.NodeHistory(id, before, nodeHistory)
		return err
	})
	return out, errs.Wrap("ops.NodeHistory", id, err)
}

// SaveNode says something new of a node. A location that is not there is made, if it is one of the seller's, a provider's or shared; the name and whether it
// is active are the location's too. Closures and overtime that are long over are cleared away. Errors: Invalid, naming the field; NotFound; Conflict
// (somebody else saved it since version was read).
func (x *Ops) SaveNode(ctx context.Context, n network.Node, version int64, actor string) (store.Node, error) {
	const op = "ops.SaveNode"
	var saved store.Node
	if err := n.Check(); err != nil {
		return saved, err
	}
	n = tidied(n, calendar.DayOf(x.now(), n.Location()))
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		place, err := placeFor(tx, n)
		if err != nil {
			return err
		}
		if err := tx.NodePut(n, version, actor); err != nil {
			return err
		}
		if err := tx.LocationPut(place); err != nil {
			return err
		}
		if saved, err = tx.NodeGet(n.ID); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{Kind: "node.saved", Subject: n.ID, Data: jsonOf(map[string]any{"by": actor, "version": saved.Version})}})
	})
	if err != nil {
		return saved, errs.Wrap(op, n.ID, err)
	}
	x.live.notify(NodeTopic, NodeTopic+":"+n.ID)
	return saved, errs.Wrap(op, n.ID, x.catalogueChanged(ctx))
}

// SayNode is SaveNode of a node written as JSON.
func (x *Ops) SayNode(ctx context.Context, id string, said []byte, version int64, actor string) (store.Node, error) {
	var n network.Node
	if err := json.Unmarshal(said, &n); err != nil {
		return store.Node{}, errs.New(errs.Invalid, "ops.SayNode", id, "said: %v", err)
	}
	n.ID = id
	return x.SaveNode(ctx, n, version, actor)
}

// placeFor is a node's location as it is to be.
func placeFor(tx *store.Tx, n network.Node) (stock.Location, error) {
	places, err := tx.Locations()
	if err != nil {
		return stock.Location{}, err
	}
	bad := func(format string, args ...any) (stock.Location, error) {
		return stock.Location{}, errs.New(errs.Invalid, "ops.SaveNode", n.ID, "kind: "+format, args...)
	}
	i := slices.IndexFunc(places, func(l stock.Location) bool { return l.ID == n.ID })
	if i < 0 {
		kind := map[network.Kind]stock.LocationKind{network.Own: stock.Own, network.Store: stock.Own, network.ThreePL: stock.ThirdParty, network.Coop: stock.Coop}[n.Kind]
		if kind == "" {
			return bad("a platform’s warehouse comes with the platform’s stock; it cannot be added by hand")
		}
		if len(places) >= network.MaxNodes {
			return bad("there are %d places already, as many as there can be", len(places))
		}
		return stock.Location{ID: n.ID, Name: n.Name, Kind: kind, Active: n.Active}, nil
	}
	place := places[i]
	if !slices.Contains(kindsOf[place.Kind], n.Kind) {
		return bad("the stock of this place is kept as %s, so it is no %s", cmp.Or(string(place.Kind), "unknown"), n.Kind)
	}
	place.Name, place.Active = n.Name, n.Active
	return place, nil
}

// tidied leaves out closures and overtime that are long over.
func tidied(n network.Node, today calendar.Day) network.Node {
	n.Closed.Days = slices.DeleteFunc(slices.Clone(n.Closed.Days), func(c calendar.Closure) bool { return c.Until < today-pastKept })
	n.Overtime = slices.DeleteFunc(slices.Clone(n.Overtime), func(o network.Overtime) bool { return o.Day < today-pastKept })
	return n
}
