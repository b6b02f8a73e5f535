package depot

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spillway/spillway/sim/world"
)

// Stage is how far an order has come.
type Stage string

// The stages in their order; Short waits for stock, Held for a person.
const (
	Received  Stage = "received"
	Short     Stage = "short"
	Held      Stage = "held"
	Picking   Stage = "picking"
	Packed    Stage = "packed"
	Parted    Stage = "partly shipped"
	Shipped   Stage = "shipped"
	Delivered Stage = "delivered"
	Cancelled Stage = "cancelled"
)

// Line is units of one SKU.
type Line struct {
	Ref string // the customer's id of the line
	SKU string
	Qty int64
}

// Order is one parcel to be.
type Order struct {
	ID          int
	Reference   string // the customer's id of the order
	Number      string // for people
	Method      string
	Lines       []Line
	Stage       Stage
	Problem     string   // of Short and Held
	Lacks       []string // SKUs a Short order waits for
	Place       string   // where it is shipped from
	Carrier     string   // of the box that went last, as the number and the time
	Tracking    string
	Sent        []Sent
	CreatedAt   time.Time
	UpdatedAt   time.Time
	ShippedAt   time.Time
	DeliveredAt time.Time
}

// Sent is one box that went.
type Sent struct {
	Lines             []Line
	Carrier, Tracking string
	At                time.Time
}

// Standing says that the order is to be shipped, or was.
func (o Order) Standing() bool { return o.Stage != Cancelled }

// Left says that the order has left the building.
func (o Order) Left() bool { return o.Stage == Shipped || o.Stage == Delivered }

// Shelf is what a place has of a SKU.
type Shelf struct {
	Place, SKU                 string
	OnHand, Allocated, Damaged int64
}

// Options are how long the work takes, each from the step before it.
type Options struct {
	Pick, Pack, Ship, Deliver time.Duration // zero: an hour, half an hour, an hour, two days
	Carrier                   string        // empty: USPS
	Changed                   func(Order)   // told of every change; it must not call back

	// Boxes says in which boxes an order goes, one after the other as long after each other as Ship; what is in none of them is never sent. Nil: in one.
	Boxes func(Order) [][]Line
}

// Depot is the floor. Make it with New.
type Depot struct {
	clock world.Clock
	o     Options

	mu      sync.Mutex
	rnd     *rand.Rand
	shelves []*Shelf
	orders  []*Order
}

// New makes a floor without stock.
func New(clock world.Clock, seed uint64, o Options) *Depot {
	o.Pick, o.Pack = cmp.Or(o.Pick, time.Hour), cmp.Or(o.Pack, 30*time.Minute)
	o.Ship, o.Deliver = cmp.Or(o.Ship, time.Hour), cmp.Or(o.Deliver, 48*time.Hour)
	if o.Changed == nil {
		o.Changed = func(Order) {}
	}
	return &Depot{clock: clock, o: o, rnd: world.Stream(seed, "depot")}
}

// Stow puts units on a shelf, damaged ones among them, and ships what waited for them.
func (d *Depot) Stow(place, sku string, units, damaged int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.shelf(place, sku)
	if s == nil {
		s = &Shelf{Place: place, SKU: sku}
		d.shelves = append(d.shelves, s)
	}
	s.OnHand, s.Damaged = s.OnHand+units, s.Damaged+damaged
	for _, o := range d.orders {
		if o.Stage == Short {
			d.start(o)
		}
	}
}

// Place takes an order in. What there is too little of waits as Short.
func (d *Depot) Place(o Order) Order {
	d.mu.Lock()
	defer d.mu.Unlock()
	o.ID, o.CreatedAt, o.Lines = 100000+len(d.orders), d.clock.Now(), slices.Clone(o.Lines)
	d.orders = append(d.orders, &o)
	d.start(&o)
	return o
}

// start allocates an order's units and arranges its steps. The caller holds the lock.
func (d *Depot) start(o *Order) {
	place := d.canShip(o.Lines)
	if place == "" {
		o.Lacks = d.lacking(o.Lines)
		o.Problem = "not enough stock of " + o.Lacks[0]
		d.to(o, Short)
		return
	}
	o.Place, o.Problem, o.Lacks = place, "", nil
	for _, l := range o.Lines {
		d.shelf(place, l.SKU).Allocated += l.Qty
	}
	d.to(o, Received)
	d.clock.At(d.clock.Now().Add(d.o.Pick), func() { d.step(o, Received, Picking) })
}

// canShip names the first place that has every line. The caller holds the lock.
func (d *Depot) canShip(lines []Line) string {
	for _, at := range d.shelves {
		need := map[string]int64{}
		for _, l := range lines {
			need[l.SKU] += l.Qty
		}
		enough := true
		for sku, n := range need {
			s := d.shelf(at.Place, sku)
			enough = enough && s != nil && s.OnHand-s.Damaged-s.Allocated >= n
		}
		if enough {
			return at.Place
		}
	}
	return ""
}

// lacking names what no place has enough of; everything, where no place has it all. The caller holds the lock.
func (d *Depot) lacking(lines []Line) (none []string) {
	var all []string
	for _, l := range lines {
		all = append(all, l.SKU)
		if d.canShip([]Line{l}) == "" {
			none = append(none, l.SKU)
		}
	}
	if len(none) == 0 {
		return all
	}
	return none
}

// step moves an order on, if it still stands where the step began.
func (d *Depot) step(o *Order, from, to Stage) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o.Stage != from {
		return
	}
	now := d.clock.Now()
	switch to {
	case Picking:
		d.clock.At(now.Add(d.o.Pack), func() { d.step(o, Picking, Packed) })
	case Packed:
		d.clock.At(now.Add(d.o.Ship), func() { d.step(o, Packed, Shipped) })
	case Shipped:
		if d.send(o, now) {
			to = Parted
			d.clock.At(now.Add(d.o.Ship), func() { d.step(o, Parted, Shipped) })
		} else {
			d.close(o, now)
		}
	case Delivered:
		o.DeliveredAt = now
	}
	d.to(o, to)
}

// send sends the next box and reports whether there are more. The caller holds the lock.
func (d *Depot) send(o *Order, now time.Time) (more bool) {
	boxes := [][]Line{o.Lines}
	if d.o.Boxes != nil {
		boxes = d.o.Boxes(*o)
	}
	box := Sent{Lines: boxes[len(o.Sent)], Carrier: cmp.Or(d.o.Carrier, "USPS"), Tracking: d.number(), At: now}
	o.ShippedAt, o.Carrier, o.Tracking, o.Sent = now, box.Carrier, box.Tracking, append(slices.Clip(o.Sent), box)
	for _, l := range box.Lines {
		s := d.shelf(o.Place, l.SKU)
		s.OnHand, s.Allocated = s.OnHand-l.Qty, s.Allocated-l.Qty
	}
	return len(o.Sent) < len(boxes)
}

// close gives back what was in no box, and has the rest arrive. The caller holds the lock.
func (d *Depot) close(o *Order, now time.Time) {
	d.release(o)
	d.clock.At(now.Add(d.o.Deliver), func() { d.step(o, Shipped, Delivered) })
}

// to writes a stage down and tells of it. The caller holds the lock.
func (d *Depot) to(o *Order, stage Stage) {
	o.Stage, o.UpdatedAt = stage, d.clock.Now()
	d.o.Changed(*o)
}

// number is a new tracking number with its check digit: the sum with every second digit from the right three times is a multiple of ten.
func (d *Depot) number() string {
	digits := fmt.Sprintf("9400111899%011d", d.rnd.Int64N(1e11))
	sum := 0
	for i, c := range digits {
		n := int(c - '0')
		if (len(digits)-i)%2 == 1 {
			n *= 3
		}
		sum += n
	}
	return fmt.Sprintf("%s%d", digits, (10-sum%10)%10)
}

// shelf is a place's shelf of a SKU, or nil. The caller holds the lock.
func (d *Depot) shelf(place, sku string) *Shelf {
	i := slices.IndexFunc(d.shelves, func(s *Shelf) bool { return s.Place == place && strings.EqualFold(s.SKU, sku) })
	if i < 0 {
		return nil
	}
	return d.shelves[i]
}

// Cancel stops an order and reports whether it could; a cancelled one stays so.
func (d *Depot) Cancel(id int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := d.find(id)
	if o == nil || o.Left() {
		return false
	}
	switch o.Stage {
	case Cancelled:
	case Parted: // what is gone is gone
		d.close(o, d.clock.Now())
		d.to(o, Shipped)
	default:
		d.release(o)
		d.to(o, Cancelled)
	}
	return true
}

// Hold stops an order until somebody looks, such as for an address nobody finds.
func (d *Depot) Hold(id int, why string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := d.find(id)
	if o == nil || o.Left() || o.Stage == Cancelled || o.Stage == Parted {
		return false
	}
	d.release(o)
	o.Problem = why
	d.to(o, Held)
	return true
}

// release gives allocated units back that were not sent. The caller holds the lock.
func (d *Depot) release(o *Order) {
	if o.Place == "" {
		return
	}
	for _, l := range o.Lines {
		d.shelf(o.Place, l.SKU).Allocated -= l.Qty
	}
	for _, box := range o.Sent {
		for _, l := range box.Lines {
			d.shelf(o.Place, l.SKU).Allocated += l.Qty
		}
	}
	if len(o.Sent) == 0 {
		o.Place = ""
	}
}

func (d *Depot) find(id int) *Order {
	i := slices.IndexFunc(d.orders, func(o *Order) bool { return o.ID == id })
	if i < 0 {
		return nil
	}
	return d.orders[i]
}

// Get is the order of an id.
func (d *Depot) Get(id int) (Order, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o := d.find(id); o != nil {
		return *o, true
	}
	return Order{}, false
}

// Orders are the orders that keep says yes to, the oldest first.
func (d *Depot) Orders(keep func(Order) bool) []Order {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Order
	for _, o := range d.orders {
		if keep(*o) {
			out = append(out, *o)
		}
	}
	return out
}

// Shelves is all stock, by place and SKU.
func (d *Depot) Shelves() []Shelf {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]Shelf, 0, len(d.shelves))
	for _, s := range d.shelves {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Shelf) int { return cmp.Or(cmp.Compare(a.SKU, b.SKU), cmp.Compare(a.Place, b.Place)) })
	return out
}
