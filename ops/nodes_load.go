package ops

import (
	"time"

	"github.com/spillway/spillway/domain/forecast"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/store"
)

// nodesState is the name under which the load of nodes is kept.
const nodesState = "nodes"

// loadDays is how many days of load are shown: today and the next seven.
const loadDays = 8

// NodeLoad is what a node has to do and can do, of all shops together, as the last forecast took it. Days are the node's, the first is what is left of
// today.
type NodeLoad struct {
	Waiting  int                `json:"waiting"` // orders in its queue
	Overdue  int                `json:"overdue"` // of them, past their deadline
	Due      [loadDays]int      `json:"due"`     // of them, by the day they are due on; those due later are in none
	Coming   [loadDays]float64  `json:"coming"`  // expected orders
	Capacity [loadDays]float64  `json:"capacity"`
	Basis    forecast.Basis     `json:"basis"`  // of capacity
	Factor   float64            `json:"factor"` // what a stated pace was multiplied with
	Busy     int                `json:"busy"`   // hours with a queue it was learned from
	Parts    map[string]float64 `json:"parts"`  // shops it was seen to work for, with their part in it
}

type loads struct {
	At    time.Time           `json:"at"`
	Nodes map[string]NodeLoad `json:"nodes"`
	// Unknown are warehouses that channels name and no location stands for, as connection and code, with the orders waiting there.
	Unknown map[string]int `json:"unknown"`
}

// nodeLoads reads what the last forecast found.
func nodeLoads(tx *store.Tx) (l loads, err error) {
	l.At, _, err = tx.HealthStateGet(nodesState, &l)
	return l, err
}

// loads adds up what nodes have to do for all shops.
func (p *places) loads(inputs map[string]forecast.Input, cache openCache) loads {
	out := loads{At: p.at, Nodes: map[string]NodeLoad{}, Unknown: map[string]int{}}
	zones := map[string]*time.Location{}
	for connection, in := range inputs {
		for i := range in.Nodes {
			n := &in.Nodes[i]
			id := p.idOf(connection, n.Code)
			if id == "" {
				continue
			}
			l := out.Nodes[id]
			zones[id] = n.Zone
			if l.Parts == nil {
				l.Parts = map[string]float64{}
			}
			l.Parts[connection] = p.part(id, connection)
			l.Basis, l.Factor, l.Busy = n.Throughput.Basis, n.Throughput.Factor, max(l.Busy, n.Throughput.Busy)
			capacity, coming := n.Days(p.at, loadDays)
			for d := range loadDays {
				l.Capacity[d] += capacity[d]
				l.Coming[d] += coming[d]
			}
			out.Nodes[id] = l
		}
	}
	for _, o := range cache {
		if !o.waits() {
			continue
		}
		id := p.idOf(o.connection, o.Node)
		zone := zones[id]
		if id == "" || zone == nil {
			if o.Node != "" && id == "" {
				out.Unknown[o.connection+" "+o.Node]++
			}
			continue
		}
		l := out.Nodes[id]
		l.Waiting++
		due := o.Deadlines.HandOverBy
		if due.IsZero() {
			due = o.Deadlines.ShipBy
		}
		if d := int(policy.DayOf(due, zone) - policy.DayOf(p.at, zone)); !due.IsZero() && due.Before(p.at) {
			l.Overdue++
		} else if !due.IsZero() && d < loadDays {
			l.Due[d]++
		}
		out.Nodes[id] = l
	}
	return out
}
