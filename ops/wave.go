package ops

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// waveTake orders move in one transaction, so that intake never waits long for the embedded database's one writer.
	waveTake = 25
	// wavePage rows are read at once.
	wavePage = 500
	// waveTurns is how often orders that found no room are tried again: others may have left it meanwhile.
	waveTurns = 3
	// waveShown moves are listed.
	waveShown = 200
)

// WavePlan is what planning all open orders together comes to.
type WavePlan struct {
	At       time.Time    `json:"at"`
	Orders   int          `json:"orders"`           // planned together
	Started  int          `json:"started,omitzero"` // left as they are: somebody works on them
	Pinned   int          `json:"pinned,omitzero"`  // left as they are: a person said where they leave from
	Odd      int          `json:"odd,omitzero"`     // left as they are: routing does not take such orders
	More     bool         `json:"more,omitzero"`    // there were more than one plan takes; those due last at each node were left out
	Currency string       `json:"currency"`
	Now      int64        `json:"now"` // what the routes they have were expected to cost when they were made
	Greedy   routing.Bill `json:"greedy"`
	Best     routing.Bill `json:"best"`
	Lower    int64        `json:"lower"` // no plan under the same rules costs less
	Gap      policy.PPM   `json:"gap"`
	Moves    []WaveMove   `json:"moves,omitempty"` // the first waveShown
	ToMove   int          `json:"to_move"`
	Moved    int          `json:"moved,omitzero"`
	Stayed   int          `json:"stayed,omitzero"` // changed meanwhile, or found no room
}

// WaveMove is an order that leaves from elsewhere than before.
type WaveMove struct {
	Order string   `json:"order"`
	From  []string `json:"from,omitempty"`
	To    []string `json:"to,omitempty"`
}

// waveOrder is an open order nobody works on.
type waveOrder struct {
	o    order.Order
	had  []store.Shipment
	j    job
	in   routing.Order
	cost int64
}

// waveBook is all there is to plan a wave with.
type waveBook struct {
	orders []waveOrder
	book   *stock.Book
	sites  []routing.Site
	rules  routing.Rules
	at     time.Time
	plan   WavePlan
	charts *chartBook
}

// Replan plans all open orders nobody works on together, and with apply moves those that are better off elsewhere. Only nodes of the set take part, and
// orders that leave from them; an empty set is all. told hears how far moving is; nil: nobody. Errors: Conflict (nothing is said of nodes), Invalid.
func (x *Ops) Replan(ctx context.Context, nodes []string, apply bool, told func(done, total int)) (WavePlan, error) {
	const op = "ops.Replan"
	var w waveBook
	if err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		w, err = x.readWave(tx, nodes, nil)
		return err
	}); err != nil {
		return w.plan, errs.Wrap(op, "", err)
	}
	plan, err := w.together(nil)
	if err != nil {
		return w.plan, errs.Wrap(op, "", err)
	}
	w.plan.Greedy, w.plan.Best, w.plan.Lower, w.plan.Gap = plan.Greedy, plan.Best, plan.Lower, plan.Gap()
	var moves []int
	for i := range w.orders {
		w.plan.Now += w.orders[i].cost
		from, to := nodesOfParcels(w.orders[i].had), nodesOfPlan(&plan.Plans[i])
		if w.orders[i].sameUnits(&plan.Plans[i]) {
			continue
		}
		moves = append(moves, i)
		if len(w.plan.Moves) < waveShown {
			w.plan.Moves = append(w.plan.Moves, WaveMove{w.orders[i].o.ID, from, to})
		}
	}
	w.plan.ToMove = len(moves)
	if !apply {
		return w.plan, nil
	}
	err = x.moveWave(ctx, &w, plan, moves, told)
	return w.plan, errs.Wrap(op, "", err)
}

// together plans the wave; over, if it is not nil, names for each order the nodes it may leave from.
func (w *waveBook) together(over []string) (*routing.Replan, error) {
	desk, err := routing.Prepare(w.sites, w.rules, w.charts.roads, w.at)
	if err != nil {
		return nil, err
	}
	st := routing.Stock{}
	ins := make([]routing.Order, len(w.orders))
	for i := range w.orders {
		ins[i] = w.orders[i].in
		if over != nil {
			ins[i].Override = routing.Override{Nodes: over, By: ByRules, Reason: "what it would cost from there"}
		}
		for _, a := range w.orders[i].j.rest {
			w.stock(st, w.orders[i].o.ID, a)
		}
	}
	return desk.Replan(ins, st)
}

// stock adds what is free of an item, and what an order holds of it.
func (w *waveBook) stock(st routing.Stock, orderID string, a routeItem) {
	row := st[a.item]
	if row == nil {
		row = make([]int64, len(w.sites))
		free := w.book.Available(a.item)
		for i, s := range w.sites {
			row[i] = free[s.Location.ID]
		}
		st[a.item] = row
	}
	held := w.book.Held(orderID, a.line, a.item)
	for i, s := range w.sites {
		row[i] += held[s.Location.ID]
	}
}

// readWave reads the orders of a wave: those of the named ids, or all that leave from the nodes.
func (x *Ops) readWave(tx *store.Tx, nodes, only []string) (waveBook, error) {
	cat := x.catalog.Load()
	w := waveBook{charts: x.network.charts.Load(), at: tx.Now(), plan: WavePlan{At: tx.Now()}}
	var err error
	if w.sites, w.rules, err = routeSites(tx, cat.locations); err != nil {
		return w, err
	}
	if len(w.sites) == 0 {
		return w, errs.New(errs.Conflict, "ops.Replan", "", "nothing is said of any node yet: enter where orders leave from first")
	}
	if len(nodes) > 0 {
		w.sites = slices.DeleteFunc(w.sites, func(s routing.Site) bool { return !slices.Contains(nodes, s.Node.ID) })
		if len(w.sites) == 0 {
			return w, errs.New(errs.Invalid, "ops.Replan", "nodes", "there are no such nodes: %s", strings.Join(nodes, ", "))
		}
	}
	w.plan.Currency = w.rules.Currency
	ids := only
	if ids == nil {
		if ids, w.plan.More, err = waitingThere(tx, w.sites); err != nil {
			return w, err
		}
	}
	var wants []stock.Want
	for part := range slices.Chunk(ids, wavePage) {
		if wants, err = w.read(tx, cat, part, wants); err != nil {
			return w, err
		}
	}
	return w, w.count(x, tx, cat, wants)
}

// waitingThere are the orders with a parcel that waits at the nodes and is not begun, those due first at each node in front.
func waitingThere(tx *store.Tx, sites []routing.Site) (ids []string, more bool, err error) {
	seen := map[string]bool{}
	for _, s := range sites {
		for _, step := range []shipping.StepKind{shipping.Pack, shipping.Book, shipping.Send} {
			var after store.ShipmentPlace
			for {
				page, err := tx.ShipmentsAt(s.Node.ID, step, after, wavePage)
				if err != nil {
					return nil, false, err
				}
				for i := range page {
					for _, id := range page[i].Orders {
						if begun(&page[i]) || seen[id] {
							continue
						}
						if len(ids) == routing.MaxOrders {
							return ids, true, nil
						}
						seen[id], ids = true, append(ids, id)
					}
				}
				if len(page) < wavePage {
					break
				}
				after = page[len(page)-1].Place()
			}
		}
	}
	return ids, false, nil
}

// begun reports whether somebody works on a parcel, or it has left.
func begun(s *store.Shipment) bool {
	return s.Wave != "" || s.Box != nil || s.Label.N > 0 || s.Shipped() || s.Divided || len(s.Orders) > 1
}

// read takes in some orders with their parcels, without those that are left as they are.
func (w *waveBook) read(tx *store.Tx, cat *catalogue, ids []string, wants []stock.Want) ([]stock.Want, error) {
	orders, err := tx.OrdersGet(ids)
	if err != nil {
		return wants, err
	}
	had, err := tx.ShipmentsOf(ids...)
	if err != nil {
		return wants, err
	}
	r := &router{tx: tx}
	if err := r.know(ids...); err != nil {
		return wants, err
	}
	parcels := map[string][]store.Shipment{}
	for _, s := range had {
		for _, id := range s.Orders {
			parcels[id] = append(parcels[id], s)
		}
	}
	for i := range orders {
		o := orders[i]
		x := waveOrder{o: o, had: parcels[o.ID]}
		at := func(s store.Shipment) bool {
			return s.Stopped.IsZero() && !slices.ContainsFunc(w.sites, func(site routing.Site) bool { return site.Node.ID == s.Node })
		}
		switch over, err := r.pinned(o.ID); {
		case err != nil:
			return wants, err
		case !routable(&o) || slices.ContainsFunc(x.had, at):
		case slices.ContainsFunc(x.had, func(s store.Shipment) bool { return s.Stopped.IsZero() && begun(&s) }):
			w.plan.Started++
		case len(over.Nodes) > 0:
			w.plan.Pinned++
		default:
			x.cost = costOf(r.was[o.ID])
			w.orders = append(w.orders, x)
			wants = append(wants, cat.demand(&o)...)
		}
	}
	return wants, nil
}

// count makes the book of what the orders hold, and what routing asks of each of them. Their parcels are not in the queues any more: they are planned.
func (w *waveBook) count(x *Ops, tx *store.Tx, cat *catalogue, wants []stock.Want) error {
	var balances []stock.Balance
	for part := range slices.Chunk(itemsOf(wants), wavePage) {
		bs, err := tx.Balances(part)
		if err != nil {
			return err
		}
		balances = append(balances, bs...)
	}
	var held []stock.Reservation
	for part := range slices.Chunk(ordersOf(wants), wavePage) {
		rs, err := tx.ReservationsForOrders(part)
		if err != nil {
			return err
		}
		held = append(held, rs...)
	}
	w.book = stock.NewBook(w.at, "wave", cat.locations, balances, held)
	r := &router{x: x, tx: tx, cat: cat, at: w.at, book: w.book}
	all := w.orders
	w.orders = w.orders[:0]
	for i := range all {
		o := &all[i]
		if o.j = r.job(&o.o, o.had); len(o.j.rest) == 0 {
			continue
		}
		if o.in = r.input(&o.o, o.j.rest, routing.Override{}); o.in.Check() != nil {
			w.plan.Odd++
			continue
		}
		w.orders = append(w.orders, *o) // never ahead of what is read
	}
	for i := range w.orders {
		o := &w.orders[i]
		for _, s := range o.had {
			for k := range w.sites {
				if site := &w.sites[k]; s.Stopped.IsZero() && site.Node.ID == s.Node {
					site.Queue, site.Today = max(0, site.Queue-1), max(0, site.Today-1)
				}
			}
		}
	}
	w.plan.Orders = len(w.orders)
	return nil
}

// sameUnits reports whether an order's parcels hold what a plan says, node by node.
func (o *waveOrder) sameUnits(p *routing.Plan) bool {
	units := map[[3]string]int64{}
	lanes := map[[3]string]int{}
	for _, part := range p.Parts {
		lanes[[3]string{part.Node, part.Carrier, part.Service}]++
		for _, q := range part.Lines {
			units[[3]string{part.Node, o.j.rest[q.Line].line, o.j.rest[q.Line].item}] += q.Qty
		}
	}
	for _, s := range o.had {
		if !s.Stopped.IsZero() {
			continue
		}
		lanes[[3]string{s.Node, s.Carrier, s.Service}]--
		for _, l := range s.Lines {
			units[[3]string{s.Node, l.Key, l.ItemID}] -= l.Qty
		}
	}
	for _, n := range units {
		if n != 0 {
			return false
		}
	}
	for _, n := range lanes {
		if n != 0 {
			return false
		}
	}
	return true
}

func nodesOfParcels(had []store.Shipment) (out []string) {
	for _, s := range had {
		if s.Stopped.IsZero() && !slices.Contains(out, s.Node) {
			out = append(out, s.Node)
		}
	}
	return out
}

func nodesOfPlan(p *routing.Plan) (out []string) {
	for _, part := range p.Parts {
		out = append(out, part.Node)
	}
	return out
}
