package stock

import (
	"github.com/spillway/spillway/kit/errs"
)

// Settle makes the ledger equal to what w demands:
//
//	Σ shipped + unbooked = max(w.Ship, what has shipped already)
//	Σ held    + short    = w.Reserve
//
// Units are held at the preferred locations first; what does not fit is short. Shipping takes the line's own holds, then free
// units, then the holds of others with the weakest claim (the goods have left, so somebody's hold is already void), and counts as
// unbooked what no location had. Holds outside the pool of w move into it. A second call with the same w does nothing.
//
// Errors: Invalid for an impossible demand; *MissingHolders; Internal if balances and reservations contradict each other.
func (b *Book) Settle(w Want) (Settled, error) {
	return b.settle(w, true)
}

func (b *Book) settle(w Want, mayDisplace bool) (Settled, error) {
	if err := w.check(); err != nil {
		return Settled{}, err
	}
	key := lineKey{w.OrderID, w.LineID, w.ItemID}
	if b.lines[key] == nil && w.Reserve == 0 && w.Ship == 0 {
		return Settled{OrderID: w.OrderID, LineID: w.LineID, ItemID: w.ItemID}, nil
	}
	l := b.line(key)
	places := b.places(w)
	if mayDisplace {
		if err := b.checkHolders(w, l, places); err != nil {
			return Settled{}, err
		}
	}
	s := settling{Book: b, w: w, l: l, places: places}
	if err := s.rehome(); err != nil {
		return Settled{}, err
	}
	if err := s.ship(mayDisplace); err != nil {
		return Settled{}, err
	}
	if err := s.hold(); err != nil {
		return Settled{}, err
	}
	s.stamp()
	out := Settled{OrderID: w.OrderID, LineID: w.LineID, ItemID: w.ItemID, Changed: s.changed}
	out.Held, out.Shipped, out.Short, out.Unbooked = l.sum()
	return out, nil
}

// checkHolders refuses, before anything is changed, to ship over holds of others that are not in the working set.
func (b *Book) checkHolders(w Want, l *line, places []string) error {
	_, shipped, _, _ := l.sum()
	need := w.Ship - shipped - b.heldIn(l, w.Pool)
	for _, p := range places {
		if need <= 0 {
			return nil
		}
		need -= b.atp(l.item, p)
	}
	for _, p := range places {
		if need <= 0 {
			return nil
		}
		k := slot{l.item, p}
		if !b.known(k) {
			return &MissingHolders{ItemID: l.item}
		}
		need -= b.balance(k).Reserved
		if own := l.find(p); own != nil {
			need += own.Held // counted above already
		}
	}
	return nil
}

// heldIn counts the units a line holds inside a pool. Locations that the Book does not know count: what is held there stays held.
func (b *Book) heldIn(l *line, pool string) int64 {
	n := int64(0)
	for _, r := range l.rows {
		if at := b.place[r.LocationID]; at == nil || at.InPool(pool) {
			n += r.Held
		}
	}
	return n
}

// settling is one call of Settle.
type settling struct {
	*Book
	w       Want
	l       *line
	places  []string
	changed bool
}

func (s *settling) post(r *Reservation, kind Kind, onHand, reserved int64) error {
	s.changed = true
	return s.postFor(r, kind, onHand, reserved, "")
}

// rehome ends holds at locations outside the pool: the order turned out to ship from elsewhere.
func (s *settling) rehome() error {
	for _, r := range s.l.rows {
		at := s.place[r.LocationID]
		if r.Held == 0 || at == nil || at.InPool(s.w.Pool) {
			continue
		}
		n := r.Held
		r.Held = 0
		if err := s.post(r, Release, 0, -n); err != nil {
			return err
		}
	}
	return nil
}

func (s *settling) ship(mayDisplace bool) error {
	_, shipped, _, _ := s.l.sum()
	need := s.w.Ship - shipped
	for _, r := range byPlace(s.l.rows, s.places) {
		if n := min(r.Held, need); n > 0 {
			r.Held -= n
			r.Shipped += n
			need -= n
			if err := s.post(r, Ship, -n, -n); err != nil {
				return err
			}
		}
	}
	free := func(place string) error {
		n := min(s.atp(s.l.item, place), need)
		if n <= 0 {
			return nil
		}
		r := s.row(s.l, place)
		r.Shipped += n
		need -= n
		return s.post(r, Ship, -n, 0)
	}
	for _, p := range s.places {
		if err := free(p); err != nil {
			return err
		}
	}
	if mayDisplace {
		for _, p := range s.places {
			k := slot{s.l.item, p}
			n := min(need, s.balance(k).Reserved)
			if n <= 0 {
				continue
			}
			if err := s.takeBack(k, n, s.l.order); err != nil {
				return err
			}
			if err := free(p); err != nil {
				return err
			}
		}
	}
	s.setOpen(func(r *Reservation) *int64 { return &r.Unbooked }, max(need, 0))
	return nil
}

func (s *settling) hold() error {
	held, _, _, _ := s.l.sum()
	kind := s.w.ReleaseKind
	if kind == "" {
		kind = Release
	}
	rows := byPlace(s.l.rows, s.places)
	for i := len(rows) - 1; i >= 0 && held > s.w.Reserve; i-- { // the least preferred place gives first
		r := rows[i]
		if n := min(r.Held, held-s.w.Reserve); n > 0 {
			r.Held -= n
			held -= n
			if err := s.post(r, kind, 0, -n); err != nil {
				return err
			}
		}
	}
	for _, p := range s.places {
		n := min(s.atp(s.l.item, p), s.w.Reserve-held)
		if n <= 0 {
			continue
		}
		r := s.row(s.l, p)
		r.Held += n
		held += n
		if err := s.post(r, Reserve, 0, n); err != nil {
			return err
		}
	}
	s.setOpen(func(r *Reservation) *int64 { return &r.Short }, s.w.Reserve-held)
	return nil
}

// setOpen sets a count of the row without a location.
func (s *settling) setOpen(field func(*Reservation) *int64, n int64) {
	r := s.l.find("")
	if r == nil {
		if n == 0 {
			return
		}
		r = s.row(s.l, "")
	}
	if p := field(r); *p != n {
		*p = n
		s.changed = true
		s.mark(r)
		s.touch(s.l.item)
	}
}

// stamp brings what the order says about time and place to the rows that still bind units.
func (s *settling) stamp() {
	for _, r := range s.l.rows {
		same := r.ConnectionID == s.w.ConnectionID && r.Pool == s.w.Pool && r.ExpiresAt.Equal(s.w.ExpiresAt) && r.Due.Equal(s.w.Due)
		if same || (!r.Open() && !s.isDirty[r]) {
			continue
		}
		r.ConnectionID, r.Pool, r.ExpiresAt, r.Due = s.w.ConnectionID, s.w.Pool, s.w.ExpiresAt, s.w.Due
		s.changed = true
		s.mark(r)
	}
}

// TryReserve holds everything the wants ask or nothing: the answer to a caller who waits, where a shortage is a refusal and not a
// backorder. Wants must be of different lines or items and must not ship. The error is Insufficient with a *Shortage as its cause
// for the first want that does not fit; nothing has changed then. Repeating an accepted call changes nothing.
func (b *Book) TryReserve(ws []Want) error {
	var seen map[lineKey]bool
	var used map[slot]int64
	if len(ws) > 1 { // one want meets no other
		seen, used = make(map[lineKey]bool, len(ws)), map[slot]int64{}
	}
	for _, w := range ws {
		if err := w.check(); err != nil {
			return err
		}
		key := lineKey{w.OrderID, w.LineID, w.ItemID}
		if w.Ship != 0 || seen[key] {
			return errs.New(errs.Invalid, "stock.TryReserve", w.OrderID, "line %s: each line may be named once and only reserve", w.LineID)
		}
		if seen != nil {
			seen[key] = true
		}
		need := w.Reserve
		if l := b.lines[key]; l != nil {
			need -= b.heldIn(l, w.Pool)
		}
		wanted := need
		for _, p := range b.places(w) {
			k := slot{w.ItemID, p}
			if n := min(b.atp(w.ItemID, p)-used[k], need); n > 0 {
				need -= n
				if used != nil {
					used[k] += n
				}
			}
		}
		if need > 0 {
			s := &Shortage{ItemID: w.ItemID, Wanted: wanted, Available: wanted - need}
			return &errs.Error{Kind: errs.Insufficient, Op: "stock.TryReserve", Item: w.ItemID, Safe: "not enough stock: " + s.Error(), Cause: s}
		}
	}
	for _, w := range ws {
		if _, err := b.Settle(w); err != nil {
			return err
		}
	}
	return nil
}

// TryReserveNew is TryReserve for an order that holds nothing yet and never did. Its first movement has an id that follows from the order's
// alone, so that of two books that reserve under one order at once, even other items, the journal takes only one.
func (b *Book) TryReserveNew(ws []Want) error {
	if len(ws) > 0 {
		b.first = escape.Replace(ws[0].OrderID) + "/#first"
	}
	err := b.TryReserve(ws)
	b.first = ""
	return err
}

// FillShorts gives units that have become free to those who lack them: first the lines whose goods left unbooked, then backorders,
// each the earliest deadline first. The open reservations of the item must be loaded. It returns the lines that changed.
func (b *Book) FillShorts(itemID string) []Settled {
	var out []Settled
	for _, pass := range []func(*Reservation) bool{
		func(r *Reservation) bool { return r.Unbooked > 0 },
		func(r *Reservation) bool { return r.Short > 0 },
	} {
		for _, r := range b.lacking(itemID, pass) {
			if len(b.Available(itemID)) == 0 {
				return out
			}
			held, shipped, short, unbooked := b.lines[lineKey{r.OrderID, r.LineID, r.ItemID}].sum()
			s, err := b.settle(Want{
				OrderID: r.OrderID, LineID: r.LineID, ItemID: r.ItemID, ConnectionID: r.ConnectionID, Pool: r.Pool,
				Reserve: held + short, Ship: shipped + unbooked, ExpiresAt: r.ExpiresAt, Due: r.Due,
			}, false)
			if err == nil && s.Changed {
				out = append(out, s)
			}
		}
	}
	return out
}

// WantOf returns the demand that the working set's rows of a line already answer, to change one part of it: an expiry sets Reserve
// to zero and ReleaseKind to Expire. It is false if the book has no such line.
func (b *Book) WantOf(orderID, lineID, itemID string) (Want, bool) {
	l := b.lines[lineKey{orderID, lineID, itemID}]
	if l == nil || len(l.rows) == 0 {
		return Want{}, false
	}
	held, shipped, short, unbooked := l.sum()
	w := Want{OrderID: orderID, LineID: lineID, ItemID: itemID, Reserve: held + short, Ship: shipped + unbooked}
	from := l.rows[0]
	for _, r := range l.rows[1:] { // open rows carry what the order says now, ended ones what it said then
		if r.Open() != from.Open() && r.Open() || r.Open() == from.Open() && r.UpdatedAt.After(from.UpdatedAt) {
			from = r
		}
	}
	w.ConnectionID, w.Pool, w.ExpiresAt, w.Due = from.ConnectionID, from.Pool, from.ExpiresAt, from.Due
	return w, true
}
