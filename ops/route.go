package ops

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/store"
)

// ByRules is who routes orders that nobody has routed by hand.
const ByRules = "rules"

// EventRouted says from where an order leaves.
const EventRouted = "order.routed"

// routeItem is what an order asks of one item on one line.
type routeItem struct {
	line, item string
	of         string // the item the line takes by the catalogue: another than item where that stands in for it
	qty        int64  // to be held: it has not left, as far as the channel knows
	all        int64  // with what has
}

// router routes orders inside the transaction that holds their units.
type router struct {
	x       *Ops
	tx      *store.Tx
	cat     *catalogue // by which the book was made: another could ask for items that are not in it
	at      time.Time
	book    *stock.Book
	routes  []store.Route
	adds    []store.Shipment
	saves   []store.Shipment
	custody []custody.Event // of the parcels that are saved
	events  []store.Event
	leaving []leaving
	was     map[string]store.Route // the routes orders have, as far as they were looked up
	// asks says that somebody asked for this route: it is written down even if nothing comes of it. request is the caller's id of that, together how
	// many orders were planned with it.
	asks     bool
	anew     bool // a person asked: what was divided is one again, as far as nobody packs it
	request  string
	together int
}

// know looks up the routes orders have.
func (r *router) know(orderIDs ...string) error {
	routes, err := r.tx.RoutesGet(orderIDs...)
	r.was = map[string]store.Route{}
	for _, x := range routes {
		r.was[x.OrderID] = x
	}
	return err
}

// pinned is what a person has said of an order's route, which holds until somebody says otherwise.
func (r *router) pinned(orderID string) (over routing.Override, err error) {
	was, ok := r.was[orderID]
	if !ok || was.Actor == ByRules {
		return over, nil
	}
	var told RouteTold
	err = json.Unmarshal(was.Body, &told)
	return routing.Override{Nodes: told.Asked, By: was.Actor, Reason: was.Reason}, err
}

// routable reports whether an order waits to be sent by us, or the rest of it does.
func routable(o *order.Order) bool {
	return (o.Status == order.AwaitingShipment || o.Status == order.PartiallyShipping) && o.Fulfilment != order.ByPlatform && !o.Flags.Sample && len(o.Lines) > 0
}

// job is what there is to decide of an order.
type job struct {
	asked, rest []routeItem // all the ledger holds, and what of it is in no parcel that stays
	kept        map[string]bool
	way         underWay
}

func (r *router) job(o *order.Order, had []store.Shipment) job {
	j := job{asked: r.asked(o)}
	j.kept = keep(o.ID, j.asked, had, r.anew)
	j.way = under(o.ID, j.asked, had, j.kept)
	for _, a := range j.asked {
		if a.qty -= j.way.held[[2]string{a.line, a.item}]; a.qty > 0 {
			j.rest = append(j.rest, a)
		}
	}
	return j
}

// plan routes what is not under way of an order, moves its reservation to where it leaves from and makes its parcels. had is what it was shipped in
// so far: a parcel somebody works on already stays, unless it holds what is not wanted any more.
func (r *router) plan(o *order.Order, had []store.Shipment, over routing.Override) error {
	j := r.job(o, had)
	if len(j.rest) == 0 {
		if _, err := r.stop(o, had, j.kept); err != nil {
			return err
		}
		return r.complete(o, over)
	}
	in := r.input(o, j.rest, over)
	plan, err := r.x.network.desk.Route(&in, r.stock(j.rest, o.ID, j.way))
	if err != nil {
		return err
	}
	return r.carry(o, had, j, &plan, over)
}

// carry does what a plan says: parcels that are as it wants them stay, the others stop, the reservation moves.
func (r *router) carry(o *order.Order, had []store.Shipment, j job, plan *routing.Plan, over routing.Override) error {
	told := tell(plan)
	told.Asked, told.Request, told.Together = over.Nodes, r.request, r.together
	stays := r.matching(o, had, j, plan)
	for i, id := range stays {
		if id != "" {
			j.kept[id] = true
			told.Parts[i].Shipment = id
		}
	}
	stopped, err := r.stop(o, had, j.kept)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(had, func(s store.Shipment) bool { return s.Reclaimed() }) {
		return r.await(o, j, &told, stopped > 0, over)
	}
	if was, ok := r.was[o.ID]; ok && !r.asks && stopped == 0 && !slices.Contains(stays, "") && was.Lacking == told.Left {
		return nil // nothing is different
	}
	if err := r.rehouse(o.ID, j.rest, plan, j.way); err != nil {
		return err
	}
	for i := range plan.Parts {
		if stays[i] != "" {
			continue
		}
		s, err := r.shipment(o, j.rest, &plan.Parts[i], len(had)+i, had)
		if err != nil {
			return err
		}
		told.Parts[i].Shipment = s.ID
		r.adds = append(r.adds, store.Shipment{Shipment: *s})
	}
	return r.note(o, told, over)
}

// await leaves what is in no parcel that stays until a provider has said that it does not ship it: sent from elsewhere before that, it might go twice.
func (r *router) await(o *order.Order, j job, told *RouteTold, stopped bool, over routing.Override) error {
	told.Parts = slices.DeleteFunc(told.Parts, func(p RoutePart) bool { return p.Shipment == "" })
	told.Left, told.Back = 0, true
	for _, a := range j.rest {
		told.Left += a.qty
	}
	for _, p := range told.Parts {
		told.Left -= p.Units
	}
	if was, ok := r.was[o.ID]; ok && !r.asks && !stopped && was.Lacking == told.Left {
		return nil
	}
	return r.note(o, *told, over)
}

// complete says that nothing is left for later any more.
func (r *router) complete(o *order.Order, over routing.Override) error {
	was, ok := r.was[o.ID]
	if !ok || was.Lacking == 0 {
		return nil
	}
	var told RouteTold
	if err := json.Unmarshal(was.Body, &told); err != nil {
		return err
	}
	told.Left, told.Back = 0, false
	return r.note(o, told, over)
}

// stop stops the parcels that do not stay, and returns how many. From one that it shares the order is taken out.
func (r *router) stop(o *order.Order, had []store.Shipment, kept map[string]bool) (n int, err error) {
	for i := range had {
		s := &had[i]
		switch {
		case !live(s) || kept[s.ID]:
			continue
		case len(s.Orders) > 1:
			if err := r.takeOut(s, o, "is planned anew"); err != nil {
				return n, err
			}
		default:
			s.Stop(r.at, "what the order ships in was planned anew")
			r.keepSave(*s)
		}
		n++
	}
	return n, nil
}

// matching finds for each part of a plan a parcel that is as the plan wants it; "" where there is none.
func (r *router) matching(o *order.Order, had []store.Shipment, j job, plan *routing.Plan) []string {
	out := make([]string, len(plan.Parts))
	for i := range plan.Parts {
		want := r.bare(o, j.rest, &plan.Parts[i])
		for k := range had {
			if s := &had[k]; live(s) && !j.kept[s.ID] && !slices.Contains(out, s.ID) && sameParcel(o, s, &want) {
				out[i] = s.ID
				break
			}
		}
	}
	return out
}

// sameParcel reports whether a parcel is what a plan wants, and holds no unit that is cancelled.
func sameParcel(o *order.Order, s *store.Shipment, want *shipping.Shipment) bool {
	lines := s.Lines
	if len(s.Orders) > 1 {
		lines = slices.DeleteFunc(slices.Clone(lines), func(l shipping.Line) bool { return l.OrderID != o.ID })
	}
	if !sameWay(s, want) || len(lines) != len(want.Lines) {
		return false
	}
	for i, l := range lines {
		if w := want.Lines[i]; l.Key != w.Key || l.ItemID != w.ItemID || l.Qty != w.Qty {
			return false
		}
		for _, ol := range o.Lines {
			for _, u := range ol.Units {
				if u.Cancelled && slices.Contains(l.Units, u.ExternalLineID) {
					return false
				}
			}
		}
	}
	return true
}

// asked is what the ledger holds and owes for the order, by line and item, and what has left of it: bundles are taken apart already.
func (r *router) asked(o *order.Order) []routeItem {
	var out []routeItem
	for _, w := range r.cat.demand(o) {
		if w.Reserve+w.Ship > 0 {
			out = append(out, routeItem{w.LineID, w.ItemID, standsFor(o, w.LineID, w.ItemID), w.Reserve, w.Reserve + w.Ship})
		}
	}
	return out
}

func (r *router) input(o *order.Order, asked []routeItem, over routing.Override) routing.Order {
	in := routing.Order{ID: o.ID, Connection: o.ConnectionID, Dest: routing.Dest{Region: o.Region, Postal: o.PostalPrefix}, Due: o.Deadlines,
		Value: min(o.Totals.Total.Minor, routing.MaxValue), BySeller: o.Fulfilment != order.ByPlatform, Regime: r.x.regimeOf(o, r.at), Override: over}
	for _, a := range asked {
		in.Lines = append(in.Lines, r.cat.handling.routeLine(r.x.network.terms, a.item, a.qty))
		for place, n := range r.book.Held(o.ID, a.line, a.item) {
			if n == a.qty && in.Held == "" {
				in.Held = place
			}
		}
	}
	return in
}

// stock is what the rest of the order may be promised: what is free, and what it holds itself and is not under way.
func (r *router) stock(asked []routeItem, orderID string, w underWay) routing.Stock {
	out := routing.Stock{}
	for _, a := range asked {
		row := out[a.item]
		if row == nil {
			row = make([]int64, len(r.x.network.sites))
			free := r.book.Available(a.item)
			for i, s := range r.x.network.sites {
				row[i] = free[s.Location.ID]
			}
			out[a.item] = row
		}
		held := w.rest(a.line, a.item, r.book.Held(orderID, a.line, a.item))
		for i, s := range r.x.network.sites {
			row[i] += held[s.Location.ID]
		}
	}
	return out
}

// rehouse moves what the rest of the order holds to where it leaves from. Units the plan leaves for later stay where they are.
func (r *router) rehouse(orderID string, asked []routeItem, plan *routing.Plan, w underWay) error {
	for i, a := range asked {
		planned := map[string]int64{}
		var units, all int64
		for _, p := range plan.Parts {
			for _, q := range p.Lines {
				if q.Line == i {
					planned[p.Node] += q.Qty
					units += q.Qty
				}
			}
		}
		held := r.book.Held(orderID, a.line, a.item)
		free := w.rest(a.line, a.item, held)
		for _, n := range free {
			all += n
		}
		if units > all { // some of it is short: it is moved when it is there
			continue
		}
		to := map[string]int64{}
		for place, n := range held {
			to[place] = n - free[place]
		}
		for place, n := range planned {
			to[place] += n
		}
		left := all - units
		for _, place := range sortedKeys(free) {
			n := min(left, max(0, free[place]-planned[place]))
			to[place] += n
			left -= n
		}
		if err := r.book.Rehouse(orderID, a.line, a.item, to); err != nil {
			return err
		}
	}
	return nil
}

func sortedKeys(m map[string]int64) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// shipment makes the parcel of a part. Its id follows from the order, so that routing the same again makes no second one.
func (r *router) shipment(o *order.Order, asked []routeItem, p *routing.Part, nth int, had []store.Shipment) (*shipping.Shipment, error) {
	s := r.bare(o, asked, p)
	s.ID = freeParcelID(o.ID, nth, had, r.adds) // some were in parcels of several orders, too
	r.units(o, asked, &s, had)
	s.Package.Wanted = r.x.packages(o.ConnectionID) && (r.part(o, &s) || slices.ContainsFunc(had, func(h store.Shipment) bool { return h.Package.Wanted }))
	return shipping.New(s)
}

// bare is the parcel of a part without its id and the channel's units.
func (r *router) bare(o *order.Order, asked []routeItem, p *routing.Part) shipping.Shipment {
	s := shipping.Shipment{ConnectionID: o.ConnectionID, Orders: []string{o.ID}, Node: p.Node, Carrier: p.Carrier, Service: p.Service,
		Due: order.NextDue(o).At, CreatedAt: r.at}
	s.Way, s.Account = r.x.network.wayOf(o, p)
	s.Road = r.x.network.roadOf(o, p)
	for _, q := range p.Lines {
		a := asked[q.Line]
		s.Lines = append(s.Lines, shipping.Line{OrderID: o.ID, Key: a.line, ItemID: a.item, Qty: q.Qty})
	}
	return s
}

// units names the channel's units of a parcel's lines: those that are not cancelled and in no other parcel, in the order of their ids.
func (r *router) units(o *order.Order, asked []routeItem, s *shipping.Shipment, had []store.Shipment) {
	taken := map[string]bool{}
	for _, all := range [][]store.Shipment{had, r.adds} {
		for i := range all {
			if other := &all[i]; slices.Contains(other.Orders, o.ID) && other.Stopped.IsZero() {
				for _, l := range other.Lines {
					for _, u := range l.Units {
						taken[u] = true
					}
				}
			}
		}
	}
	for i := range s.Lines {
		l := &s.Lines[i]
		if slices.ContainsFunc(s.Lines[:i], func(b shipping.Line) bool { return b.Key == l.Key }) {
			continue // the first item of a bundle names the units of all
		}
		per := piecesPerUnit(asked, o, l)
		for _, ol := range o.Lines {
			for _, u := range ol.Units {
				if ol.Key == l.Key && int64(len(l.Units))*per < l.Qty && !u.Cancelled && !taken[u.ExternalLineID] {
					l.Units = append(l.Units, u.ExternalLineID)
					taken[u.ExternalLineID] = true
				}
			}
		}
	}
}

// piecesPerUnit is how many pieces of an item one unit of its line takes.
func piecesPerUnit(asked []routeItem, o *order.Order, of *shipping.Line) int64 {
	var pieces, units int64
	item := standsFor(o, of.Key, of.ItemID)
	for _, a := range asked {
		if a.line == of.Key && a.of == item {
			pieces += a.qty
		}
	}
	for _, l := range o.Lines {
		if l.Key == of.Key {
			units += l.Qty - l.Cancelled - l.Shipped
		}
	}
	if units <= 0 {
		return 1
	}
	return max(1, pieces/units)
}

// wayOf is who labels and moves a part.
func (n *routeNet) wayOf(o *order.Order, p *routing.Part) (shipping.Way, string) {
	i := slices.IndexFunc(n.sites, func(s routing.Site) bool { return s.Node.ID == p.Node })
	if i < 0 {
		return shipping.ByHand, ""
	}
	node := n.sites[i].Node
	switch {
	case !node.Kind.Ours():
		return shipping.ByProvider, node.Account
	case o.Flags.PlatformLabel:
		return shipping.ByPlatform, ""
	}
	for _, l := range node.Lanes {
		if l.Carrier == p.Carrier && l.Service == p.Service && l.Account != "" {
			return shipping.ByCarrier, l.Account
		}
	}
	if node.Account != "" {
		return shipping.ByCarrier, node.Account
	}
	return shipping.ByHand, ""
}

// save stores what was decided.
func (r *router) save() error {
	if err := r.leaveWaves(); err != nil {
		return err
	}
	if len(r.saves) > 0 {
		if err := r.tx.ShipmentsSave(r.saves); err != nil {
			return err
		}
	}
	if err := r.tx.CustodyAppend(r.custody); err != nil {
		return err
	}
	if len(r.adds) > 0 {
		if _, err := r.tx.ShipmentsAdd(r.adds); err != nil {
			return err
		}
	}
	if len(r.routes) > 0 {
		if err := r.tx.RoutesPut(r.routes); err != nil {
			return err
		}
	}
	if err := r.leave(); err != nil {
		return err
	}
	return r.tx.EventsAppend(r.events)
}
