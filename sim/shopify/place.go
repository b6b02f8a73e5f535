package shopify

import (
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// OrderInput is an order a shopper places.
type OrderInput struct {
	Lines     []OrderLine `json:"lines"`
	Financial string      `json:"financial,omitempty"` // OrderDisplayFinancialStatus, default PAID
	Email     string      `json:"email,omitempty"`     // default made up
	Note      string      `json:"note,omitempty"`
	Tags      []string    `json:"tags,omitempty"`
	Source    string      `json:"source,omitempty"` // default "web"
}

// OrderLine is so many units of one SKU or variant.
type OrderLine struct {
	SKU       string `json:"sku,omitempty"`
	VariantID int64  `json:"variant_id,omitempty"`
	Quantity  int    `json:"quantity"`
}

// Order is a copy of an order's state.
type Order struct {
	ID           int64         `json:"id"`
	Name         string        `json:"name"`
	CreatedAt    time.Time     `json:"created_at"`
	UpdatedAt    time.Time     `json:"updated_at"`
	CancelledAt  time.Time     `json:"cancelled_at,omitzero"`
	Financial    string        `json:"financial"`
	Fulfillment  string        `json:"fulfillment"`
	Lines        []OrderedLine `json:"lines"`
	Fulfillments int           `json:"fulfillments"`
}

// OrderedLine is one line of an Order.
type OrderedLine struct {
	SKU       string `json:"sku"`
	Quantity  int    `json:"quantity"`
	Cancelled int    `json:"cancelled"`
	Fulfilled int    `json:"fulfilled"`
}

// GID is the order's global identifier.
func (o Order) GID() string { return gid("Order", o.ID) }

// PlaceOrder sells. Every unit is committed at a location, or nothing is: an Insufficient error means the shop window did
// not have the units, and they are counted as lost sales.
func (s *Sim) PlaceOrder(in OrderInput) (Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	vs, err := s.basket(in)
	if err != nil {
		return Order{}, err
	}
	if err := s.checkStock(in, vs); err != nil {
		return Order{}, err
	}
	o := s.newOrder(in)
	for i, l := range in.Lines {
		v := vs[i]
		ln := &line{id: s.newID("LineItem"), order: o, variant: v, quantity: l.Quantity, price: v.price}
		o.lines = append(o.lines, ln)
		s.commit(o, ln, ln.quantity)
		v.item.stats.UnitsSold += l.Quantity
		v.item.stats.Orders++
	}
	s.orders = append(s.orders, o)
	s.orderByID[o.id] = o
	s.updated.add(o, false)
	s.counts.Orders++
	s.emitOrder(o, "ORDERS_CREATE")
	if o.financial == "PAID" {
		s.emitOrder(o, "ORDERS_PAID", "ORDERS_UPDATED")
	}
	s.emitLevels(o)
	return s.view(o), nil
}

// basket finds the variants of the lines.
func (s *Sim) basket(in OrderInput) ([]*variant, error) {
	const op = "shopify.PlaceOrder"
	if len(in.Lines) == 0 || len(in.Lines) > maxLines {
		return nil, errs.New(errs.Invalid, op, "lines", "An order has between 1 and %d lines.", maxLines)
	}
	if in.Financial != "" && !versions[s.opts.APIVersion].api().EnumHas("OrderDisplayFinancialStatus", in.Financial) {
		return nil, errs.New(errs.Invalid, op, "financial", "There is no financial status %q.", in.Financial)
	}
	out := make([]*variant, len(in.Lines))
	for i, l := range in.Lines {
		if l.Quantity <= 0 || l.Quantity > maxUnits {
			return nil, errs.New(errs.Invalid, op, l.SKU, "The quantity must be between 1 and %d.", maxUnits)
		}
		if v := s.varByID[l.VariantID]; v != nil {
			out[i] = v
			continue
		}
		it, err := s.item(op, l.SKU)
		if err != nil {
			return nil, err
		}
		out[i] = it.variants[0]
	}
	return out, nil
}

// checkStock refuses an order the shop window could not have sold and counts what was lost.
func (s *Sim) checkStock(in OrderInput, vs []*variant) error {
	need := make(map[*item]int, len(vs))
	for i, v := range vs {
		if v.item.tracked && !v.oversell {
			need[v.item] += in.Lines[i].Quantity
		}
	}
	for _, v := range vs { // not over the map: the error must not depend on its order
		n := need[v.item]
		if n == 0 || v.item.sellable() >= n {
			continue
		}
		s.counts.OrdersRefused++
		for it, n := range need {
			if lack := n - max(it.sellable(), 0); lack > 0 {
				it.stats.UnitsLost += lack
			}
		}
		return errs.New(errs.Insufficient, "shopify.PlaceOrder", v.item.sku, "Only %d of %d units are available.", max(v.item.sellable(), 0), n)
	}
	return nil
}

func (s *Sim) newOrder(in OrderInput) *order {
	at := s.now()
	id := s.newID("Order")
	o := &order{id: id, number: 1000 + int(s.next["Order"]), createdAt: at, updatedAt: at, financial: in.Financial, email: in.Email,
		note: in.Note, source: in.Source, tags: in.Tags, shipping: 500, address: s.newAddress()}
	if o.financial == "" {
		o.financial = "PAID"
	}
	if o.source == "" {
		o.source = "web"
	}
	if o.email == "" {
		o.email = o.address.firstName + "." + o.address.lastName + "@example.com"
	}
	return o
}

var (
	firstNames = []string{"Ada", "Bo", "Cleo", "Dev", "Eve", "Finn", "Gia", "Hugo", "Ines", "Jon"}
	lastNames  = []string{"Archer", "Baker", "Cole", "Diaz", "Ellis", "Frost", "Grant", "Hale", "Irwin", "Jones"}
	streets    = []string{"Oak St", "Elm Ave", "Main St", "Lake Rd", "Hill Dr"}
	towns      = []address{
		{city: "Columbus", province: "Ohio", provinceCode: "OH", zip: "43004"},
		{city: "Austin", province: "Texas", provinceCode: "TX", zip: "73301"},
		{city: "Portland", province: "Oregon", provinceCode: "OR", zip: "97035"},
		{city: "Albany", province: "New York", provinceCode: "NY", zip: "12084"},
	}
)

// newAddress makes up a buyer. Nobody real lives there.
func (s *Sim) newAddress() *address {
	a := towns[s.rnd.IntN(len(towns))]
	a.firstName, a.lastName = firstNames[s.rnd.IntN(len(firstNames))], lastNames[s.rnd.IntN(len(lastNames))]
	a.address1 = "100 " + streets[s.rnd.IntN(len(streets))]
	a.country, a.countryCode, a.phone = "United States", "US", "+15555550100"
	return &a
}

// commit takes open units of a line from locations: from the first one that has them all, else from several. What an
// overselling variant lacks is taken from the first location.
func (s *Sim) commit(o *order, ln *line, open int) {
	var from []*level
	for _, l := range ln.variant.item.levels {
		if l.active && l.loc.active && l.loc.online {
			from = append(from, l)
		}
	}
	take := func(l *level, n int) {
		if n <= 0 {
			return
		}
		open -= n
		if ln.variant.item.tracked {
			at := s.now()
			l.add(available, -n, at)
			l.add(committed, n, at)
		}
		fo := s.fulfillmentOrderAt(o, l.loc)
		fo.lines = append(fo.lines, &fulfillmentOrderLine{id: s.newID("FulfillmentOrderLineItem"), owner: fo, line: ln, total: n, remaining: n})
	}
	for _, l := range from {
		if l.get(available) >= open || !ln.variant.item.tracked {
			take(l, open)
			return
		}
	}
	for _, l := range from {
		take(l, min(max(l.get(available), 0), open))
	}
	if len(from) > 0 {
		take(from[0], open)
	}
}

func (s *Sim) fulfillmentOrderAt(o *order, loc *location) *fulfillmentOrder {
	for _, fo := range o.fulfillmentOrders {
		if fo.loc == loc && fo.status != "CLOSED" && fo.status != "CANCELLED" {
			return fo
		}
	}
	at := s.now()
	fo := &fulfillmentOrder{id: s.newID("FulfillmentOrder"), order: o, loc: loc, status: "OPEN", createdAt: at, updatedAt: at}
	o.fulfillmentOrders = append(o.fulfillmentOrders, fo)
	s.foByID[fo.id] = fo
	return fo
}

// touch marks the order as changed now. Time never runs backwards for an order.
func (s *Sim) touch(o *order) {
	at := s.now()
	if at.After(o.updatedAt) {
		o.updatedAt = at
		s.updated.add(o, true)
	}
}

func (s *Sim) view(o *order) Order {
	out := Order{ID: o.id, Name: o.name(), CreatedAt: o.createdAt, UpdatedAt: o.updatedAt, CancelledAt: o.cancelledAt,
		Financial: o.financial, Fulfillment: o.fulfillmentStatus(), Fulfillments: len(o.fulfillments)}
	for _, l := range o.lines {
		out.Lines = append(out.Lines, OrderedLine{SKU: l.variant.item.sku, Quantity: l.quantity, Cancelled: l.removed, Fulfilled: l.shipped})
	}
	return out
}

// Order is the state of one order.
func (s *Sim) Order(id int64) (Order, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.orderByID[id]
	if o == nil {
		return Order{}, errs.New(errs.NotFound, "shopify.Order", gid("Order", id), "There is no such order.")
	}
	return s.view(o), nil
}

// Orders lists at most n orders, newest first.
func (s *Sim) Orders(n int) []Order {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]Order, 0, min(n, len(s.orders)))
	for i := len(s.orders) - 1; i >= 0 && len(out) < n; i-- {
		out = append(out, s.view(s.orders[i]))
	}
	return out
}
