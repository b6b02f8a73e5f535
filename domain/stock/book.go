package stock

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Book is the working set of one batch: the balances of the touched items and the reservations of the touched orders, under
// lock in the caller's transaction. Its methods decide, change the working set and collect the movements; the caller saves
// what is dirty and commits once. A Book is used by one goroutine. After an error of kind Internal it must be thrown away; other errors
// leave it as it was.
//
// Locations are tried in the order they are handed to NewBook, after those a Want prefers.
type Book struct {
	at        time.Time
	actor     string
	locations []Location
	place     map[string]*Location
	balances  map[slot]*Balance
	lines     map[lineKey]*line
	byItem    map[string][]*line

	moves    []Movement
	first    string         // the id of the next movement of an order that is new; empty: by what it is of
	changed  []*Balance     // in the order of first change
	dirty    []*Reservation // in the order of first change
	isDirty  map[*Reservation]bool
	touched  []string
	isTouch  map[string]bool
	served   map[servedBy][]string
	displace []Displaced
}

type slot struct{ item, location string }

// servedBy is what decides which locations may serve a want without preferences.
type servedBy struct{ connection, pool string }

type lineKey struct{ order, line, item string }

// line is all reservations of one order line and item. There are as many as locations it ever held at: one, seldom two.
type line struct {
	lineKey
	rows []*Reservation
}

// Displaced tells that a line lost units it held, because they are physically gone.
type Displaced struct {
	OrderID, LineID, ItemID, LocationID string
	Qty                                 int64
	By                                  string // what took them: the movement id, or the order that had really shipped
}

// MissingHolders says that holds must be taken back and the Book does not know whose they are. Nothing was changed: load the
// open reservations of the item (all rows of their lines), and call again. It is rare, so the usual batch need not load them.
type MissingHolders struct{ ItemID string }

func (e *MissingHolders) Error() string {
	return "stock: the holders of item " + strconv.Quote(e.ItemID) + " must be loaded first"
}

// Shortage is the cause of an Insufficient error of TryReserve.
type Shortage struct {
	ItemID            string
	Wanted, Available int64
}

func (e *Shortage) Error() string {
	return fmt.Sprintf("%d wanted, %d available", e.Wanted, e.Available)
}

// NewBook makes a working set. at is the one time of the transaction, actor who acts. balances and reservations of a (line, item)
// must be complete: all locations of the items, all rows of the lines.
func NewBook(at time.Time, actor string, locations []Location, balances []Balance, reservations []Reservation) *Book {
	b := &Book{
		at: at, actor: actor, locations: locations,
		place:    make(map[string]*Location, len(locations)),
		balances: make(map[slot]*Balance, len(balances)),
		lines:    make(map[lineKey]*line, len(reservations)),
		byItem:   map[string][]*line{},
		isDirty:  map[*Reservation]bool{},
		isTouch:  map[string]bool{},
		served:   map[servedBy][]string{},
	}
	for i := range locations {
		b.place[locations[i].ID] = &locations[i]
	}
	b.Load(balances, reservations)
	return b
}

// Load adds rows to the working set. Rows that are in it already stay as they are.
func (b *Book) Load(balances []Balance, reservations []Reservation) {
	for _, x := range balances {
		k := slot{x.ItemID, x.LocationID}
		if b.balances[k] == nil {
			x.Prior = x.Version
			b.balances[k] = &x
		}
	}
	for _, r := range reservations {
		l := b.line(lineKey{r.OrderID, r.LineID, r.ItemID})
		if l.find(r.LocationID) == nil {
			l.rows = append(l.rows, &r)
		}
	}
}

// By says who acts from now on: one batch may carry out the wishes of many.
func (b *Book) By(actor string) { b.actor = actor }

// Movements returns the new movements in the order they happened.
func (b *Book) Movements() []Movement { return b.moves }

// DirtyBalances returns the balances that changed.
func (b *Book) DirtyBalances() []Balance {
	out := make([]Balance, len(b.changed))
	for i, x := range b.changed {
		out[i] = *x
	}
	return out
}

// DirtyReservations returns the reservations that changed or are new.
func (b *Book) DirtyReservations() []Reservation {
	out := make([]Reservation, len(b.dirty))
	for i, r := range b.dirty {
		out[i] = *r
	}
	return out
}

// Touched returns the ids of the items whose available units or shorts changed.
func (b *Book) Touched() []string { return b.touched }

// Displaced returns the holds that were taken back.
func (b *Book) Displaced() []Displaced { return b.displace }

// Available returns the units of an item available to promise, by location id. Locations without units are left out, inactive
// ones and units in transit or not inspected too. Who may be promised them is for Location.MayServe to say.
func (b *Book) Available(itemID string) map[string]int64 {
	out := map[string]int64{}
	for _, l := range b.locations {
		if !l.Active || l.Kind == Transit || l.Kind == Returns {
			continue
		}
		if n := b.atp(itemID, l.ID); n > 0 {
			out[l.ID] = n
		}
	}
	return out
}

// Reservations returns all rows of one order line and item in the working set.
func (b *Book) Reservations(orderID, lineID, itemID string) []Reservation {
	l := b.lines[lineKey{orderID, lineID, itemID}]
	if l == nil {
		return nil
	}
	out := make([]Reservation, len(l.rows))
	for i, r := range l.rows {
		out[i] = *r
	}
	return out
}

func (b *Book) atp(item, location string) int64 {
	if x := b.balances[slot{item, location}]; x != nil {
		return x.ATP()
	}
	return 0
}

func (b *Book) balance(k slot) *Balance {
	x := b.balances[k]
	if x == nil {
		x = &Balance{ItemID: k.item, LocationID: k.location}
		b.balances[k] = x
	}
	return x
}

func (b *Book) line(k lineKey) *line {
	l := b.lines[k]
	if l == nil {
		l = &line{lineKey: k}
		b.lines[k] = l
		b.byItem[k.item] = append(b.byItem[k.item], l)
	}
	return l
}

func (l *line) find(location string) *Reservation {
	for _, r := range l.rows {
		if r.LocationID == location {
			return r
		}
	}
	return nil
}

// row finds the line's reservation at a location or makes one, like its siblings.
func (b *Book) row(l *line, location string) *Reservation {
	if r := l.find(location); r != nil {
		return r
	}
	r := &Reservation{OrderID: l.order, LineID: l.lineKey.line, ItemID: l.item, LocationID: location, CreatedAt: b.at}
	if len(l.rows) > 0 {
		first := l.rows[0]
		r.ConnectionID, r.Pool, r.Due, r.ExpiresAt, r.CreatedAt = first.ConnectionID, first.Pool, first.Due, first.ExpiresAt, first.CreatedAt
	}
	l.rows = append(l.rows, r)
	return r
}

func (l *line) sum() (held, shipped, short, unbooked int64) {
	for _, r := range l.rows {
		held, shipped, short, unbooked = held+r.Held, shipped+r.Shipped, short+r.Short, unbooked+r.Unbooked
	}
	return held, shipped, short, unbooked
}

// mark notes that r must be saved.
func (b *Book) mark(r *Reservation) {
	r.UpdatedAt = b.at
	if !b.isDirty[r] {
		r.Version++
		b.isDirty[r] = true
		b.dirty = append(b.dirty, r)
	}
}

// touch notes that somebody who shows the item's numbers must look again.
func (b *Book) touch(item string) {
	if !b.isTouch[item] {
		b.isTouch[item] = true
		b.touched = append(b.touched, item)
	}
}

// post applies m to its balance and appends it to the movements.
func (b *Book) post(m Movement) error {
	x := b.balance(slot{m.ItemID, m.LocationID})
	next, m, err := Apply(*x, m)
	if err != nil {
		return err
	}
	if x.Version == x.Prior {
		b.changed = append(b.changed, x)
	}
	*x = next
	b.moves = append(b.moves, m)
	b.touch(m.ItemID)
	return nil
}

// postFor posts a movement that follows from the order of r. Its id ends in the balance's version, which is never the same
// twice, so a redelivered order that did get past Settle would be refused by the journal rather than booked again.
func (b *Book) postFor(r *Reservation, kind Kind, onHand, reserved int64, reason string) error {
	x := b.balance(slot{r.ItemID, r.LocationID})
	id := b.first
	if b.first = ""; id == "" {
		id = escape.Replace(r.OrderID) + "/" + escape.Replace(r.LineID) + "/" + escape.Replace(r.ItemID) + "/" + escape.Replace(r.LocationID) +
			"#" + strconv.FormatInt(x.Version+1, 10)
	}
	m := Movement{
		ID: id, At: b.at, RecordedAt: b.at, Kind: kind, ItemID: r.ItemID, LocationID: r.LocationID, OnHand: onHand, Reserved: reserved,
		Ref: r.OrderID, Line: r.LineID, Reason: reason, Actor: b.actor,
	}
	if err := b.post(m); err != nil {
		// The rows said it fits. Balance and reservations disagree: stop loudly rather than save a guess.
		return &errs.Error{Kind: errs.Internal, Op: "stock.Book", Item: m.ID, Safe: "the ledger contradicts itself", Cause: err}
	}
	b.mark(r)
	return nil
}

// takeBack displaces n held units at a slot into shorts, the weakest claim first. The holders must be known: see known.
func (b *Book) takeBack(k slot, n int64, by string) error {
	var holders []*Reservation
	for _, l := range b.byItem[k.item] {
		if r := l.find(k.location); r != nil && r.Held > 0 {
			holders = append(holders, r)
		}
	}
	slices.SortFunc(holders, func(x, y *Reservation) int { return byClaim(y, x) })
	for _, r := range holders {
		take := min(r.Held, n)
		if take == 0 {
			break
		}
		r.Held -= take
		n -= take
		if err := b.postFor(r, Displace, 0, -take, by); err != nil {
			return err
		}
		short := b.row(b.line(lineKey{r.OrderID, r.LineID, r.ItemID}), "")
		short.Short += take
		// An old row may have ended under another pool or deadline; what is short now is what was held.
		short.ConnectionID, short.Pool, short.Due, short.ExpiresAt = r.ConnectionID, r.Pool, r.Due, r.ExpiresAt
		b.mark(short)
		b.displace = append(b.displace, Displaced{r.OrderID, r.LineID, r.ItemID, r.LocationID, take, by})
	}
	return nil
}

// known reports whether every unit reserved at k belongs to a reservation in the working set.
func (b *Book) known(k slot) bool {
	var held int64
	for _, l := range b.byItem[k.item] {
		if r := l.find(k.location); r != nil {
			held += r.Held
		}
	}
	return held == b.balance(k).Reserved
}

// places lists the locations that may serve w, best first. It is for reading only: most wants of a batch share it.
func (b *Book) places(w Want) []string {
	if len(w.Prefer) > 0 {
		return b.findPlaces(w)
	}
	k := servedBy{w.ConnectionID, w.Pool}
	out, known := b.served[k]
	if !known {
		out = b.findPlaces(w)
		b.served[k] = out
	}
	return out
}

func (b *Book) findPlaces(w Want) []string {
	out := make([]string, 0, len(b.locations))
	for _, id := range w.Prefer {
		if l := b.place[id]; l != nil && l.InPool(w.Pool) && l.MayServe(w.ConnectionID) && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	for i := range b.locations {
		l := &b.locations[i]
		if l.InPool(w.Pool) && l.MayServe(w.ConnectionID) && !slices.Contains(out, l.ID) {
			out = append(out, l.ID)
		}
	}
	return out
}

// byPlace sorts a line's rows in the order of places; locations that no longer serve come last.
func byPlace(rows []*Reservation, places []string) []*Reservation {
	if len(rows) == 0 {
		return nil
	}
	rank := func(r *Reservation) int {
		if i := slices.Index(places, r.LocationID); i >= 0 {
			return i
		}
		return len(places)
	}
	out := slices.Clone(rows)
	slices.SortStableFunc(out, func(x, y *Reservation) int { return cmp.Compare(rank(x), rank(y)) })
	return out
}
