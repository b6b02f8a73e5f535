package routing

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spillway/spillway/domain/network"
	"pgregory.net/rapid"
)

// honest checks what every plan promises, against what there was.
func honest(t *testing.T, w *world, o *Order, p *Plan, taken map[string][]int64, places map[[2]int32]int64, d *Desk) {
	t.Helper()
	given := make([]int64, len(o.Lines))
	total := p.LateCost + p.LeftCost
	for i := range p.Parts {
		part := &p.Parts[i]
		k := slices.IndexFunc(w.sites, func(s Site) bool { return s.Node.ID == part.Node })
		s := &w.sites[k]
		total += part.Cost.Total()
		places[[2]int32{part.site, part.bucket}]++
		switch {
		case !s.Node.Active || !s.Location.MayServe(o.Connection):
			t.Fatalf("%s: from %s, whose stock is not for %q", o.ID, part.Node, o.Connection)
		case s.Node.Kind == network.FBT && (o.BySeller || !slices.Contains(s.Location.Serves, o.Connection)):
			t.Fatalf("%s: platform stock for %q", o.ID, o.Connection)
		case len(o.Override.Nodes) > 0 && !slices.Contains(o.Override.Nodes, part.Node):
			t.Fatalf("%s: not from where a person said", o.ID)
		case len(part.Lines) == 0 || part.Leaves.Before(w.at):
			t.Fatalf("%s: an empty part, or one that left before: %+v", o.ID, part)
		}
		for _, q := range part.Lines {
			l := &o.Lines[q.Line]
			given[q.Line] += q.Qty
			for _, x := range w.rules.Limits {
				if (x.Item == "" || x.Item == l.Item) && (x.Connection == "" || x.Connection == o.Connection) && within(o.Dest.Region, x.Region) &&
					slices.Contains(x.Nodes, part.Node) == x.Never {
					t.Fatalf("%s: a limit forbids %s from %s", o.ID, l.Item, part.Node)
				}
			}
			if !s.Node.Handles(l.Needs) || q.Qty <= 0 {
				t.Fatalf("%s: %s cannot handle line %d", o.ID, part.Node, q.Line)
			}
			if taken[l.Item] == nil {
				taken[l.Item] = make([]int64, len(w.sites))
			}
			taken[l.Item][k] += q.Qty
		}
	}
	for _, q := range p.Left {
		given[q.Line] += q.Qty
	}
	if o.Regime.Undivided {
		undivided(t, o, p)
	}
	for i := range o.Lines {
		if given[i] != o.Lines[i].Qty {
			t.Fatalf("%s: line %d: %d of %d", o.ID, i, given[i], o.Lines[i].Qty)
		}
	}
	if total != p.Total || p.Lower > p.Total {
		t.Fatalf("%s: parts cost %d, the plan says %d, at least %d", o.ID, total, p.Total, p.Lower)
	}
	if len(p.Left) > 0 && w.rules.Short != Partly && len(p.Parts) > 0 {
		t.Fatalf("%s: ships a part under %q", o.ID, w.rules.Short)
	}
	if len(p.Candidates) != len(w.sites) {
		t.Fatalf("%s: %d candidates", o.ID, len(p.Candidates))
	}
	for i := range p.Candidates {
		c := &p.Candidates[i]
		if c.Why == Open || c.Words() == "" {
			t.Fatalf("%s: nothing is said of %s", o.ID, c.Node)
		}
		if c.Why == Dearer && len(p.Parts) > 0 && p.Proven() && c.Total() < p.Total && !d.s.first {
			t.Fatalf("%s: %s is said to be dearer: %d below %d", o.ID, c.Node, c.Total(), p.Total)
		}
	}
}

// undivided checks that of each item all is in one part, or all is left.
func undivided(t *testing.T, o *Order, p *Plan) {
	t.Helper()
	where := map[string]int{}
	at := func(item string, part int) {
		if was, known := where[item]; known && was != part {
			t.Fatalf("%s: %s is in two parts, or in one and left: %+v", o.ID, item, p)
		}
		where[item] = part
	}
	for i := range p.Parts {
		for _, q := range p.Parts[i].Lines {
			at(o.Lines[q.Line].Item, i)
		}
	}
	for _, q := range p.Left {
		at(o.Lines[q.Line].Item, -1)
	}
}

func bounded(t *testing.T, w *world, d *Desk, taken map[string][]int64, places map[[2]int32]int64) {
	t.Helper()
	for item, row := range taken {
		for k, n := range row {
			if n > w.stock[item][k] {
				t.Fatalf("%s: %d taken from %s, which has %d", item, n, w.sites[k].Node.ID, w.stock[item][k])
			}
		}
	}
	for at, n := range places {
		if most := d.sites[at[0]].buckets[at[1]].cap; n > most {
			t.Fatalf("%s: %d orders on a day with room for %d", d.sites[at[0]].node.ID, n, most)
		}
	}
}

func TestRouteKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		r := rand.New(rand.NewPCG(seed, 2))
		w := newWorld(r)
		w.order.Regime.Undivided = seed%3 == 0
		d := w.desk()
		p, err := d.Route(&w.order, w.stock)
		if err != nil {
			rt.Fatal(err)
		}
		taken, places := map[string][]int64{}, map[[2]int32]int64{}
		honest(t, w, &w.order, &p, taken, places, d)
		bounded(t, w, d, taken, places)
		x := w.shuffled(r)
		q, err := x.desk().Route(&x.order, x.stock)
		if err != nil || q.Total != p.Total || q.Lower != p.Lower {
			rt.Fatalf("in another order it costs %d, not %d (%v)", q.Total, p.Total, err)
		}
	})
}

func TestReplanKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		r := rand.New(rand.NewPCG(seed, 3))
		w := newWorld(r)
		orders := []Order{w.order}
		for i := range 1 + r.IntN(25) {
			orders = append(orders, randomOrder(r, w.at, 6, 1+r.IntN(4), 3, string(rune('a'+i))))
			orders[i].Regime.Undivided = i%3 == 0
		}
		d := w.desk()
		p, err := d.Replan(orders, w.stock)
		if err != nil {
			rt.Fatal(err)
		}
		taken, places := map[string][]int64{}, map[[2]int32]int64{}
		var total int64
		d.s.first = true
		for i := range p.Plans {
			honest(t, w, &orders[i], &p.Plans[i], taken, places, d)
			total += p.Plans[i].Total
		}
		bounded(t, w, d, taken, places)
		if total != p.Best.Total || p.Best.Total > p.Greedy.Total || p.Lower > p.Best.Total {
			rt.Fatalf("plans cost %d; best %d, greedy %d, at least %d", total, p.Best.Total, p.Greedy.Total, p.Lower)
		}
		again, err := w.desk().Replan(orders, w.stock)
		if err != nil || again.Best != p.Best || again.Lower != p.Lower {
			rt.Fatalf("a second time it costs %+v, not %+v", again.Best, p.Best)
		}
	})
}
