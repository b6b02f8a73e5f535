package stock

import (
	"cmp"
	"iter"
	"slices"
)

// Discrepancy is one number that is not what the journal or the reservations say.
type Discrepancy struct {
	ItemID, LocationID string
	What               string
	Journal, Balance   int64 // what it should be, what it is
}

// Check proves the ledger: for every item and location, with the journal in the order of Seq,
//
//	on hand, reserved, damaged = sums of the movements' changes = After fields of the last movement,
//	the After fields of each movement = the running sums, version = number of movements,
//	reserved = Σ held of the reservations there, 0 ≤ reserved, 0 ≤ damaged, reserved + damaged ≤ on hand,
//	no reservation count below zero, shorts only on rows without a location and holds only on rows with one.
//
// It returns every violation, sorted by item and location; an empty result is the proof. It holds sums only, so the journal may be long.
func Check(balances []Balance, reservations iter.Seq[Reservation], journal iter.Seq[Movement]) []Discrepancy {
	c := checker{sums: map[slot]*tally{}}
	for m := range journal {
		c.movement(m)
	}
	for r := range reservations {
		c.reservation(r)
	}
	for _, b := range balances {
		c.balance(b)
	}
	for k, t := range c.sums {
		if !t.seen && (t.Version > 0 || t.held > 0) {
			c.add(k, "balance row is missing", t.Version, 0)
		}
	}
	slices.SortStableFunc(c.found, func(x, y Discrepancy) int {
		return cmp.Or(cmp.Compare(x.ItemID, y.ItemID), cmp.Compare(x.LocationID, y.LocationID), cmp.Compare(x.What, y.What))
	})
	return c.found
}

type tally struct {
	Balance
	held   int64
	seen   bool
	broken bool // the chain of After fields; told once per balance, what follows would only repeat it
}

type checker struct {
	sums  map[slot]*tally
	found []Discrepancy
}

func (c *checker) add(k slot, what string, want, got int64) {
	c.found = append(c.found, Discrepancy{k.item, k.location, what, want, got})
}

func (c *checker) at(k slot) *tally {
	t := c.sums[k]
	if t == nil {
		t = &tally{}
		c.sums[k] = t
	}
	return t
}

func (c *checker) movement(m Movement) {
	k := slot{m.ItemID, m.LocationID}
	t := c.at(k)
	t.OnHand += m.OnHand
	t.Reserved += m.Reserved
	t.Damaged += m.Damaged
	t.Version++
	if t.broken {
		return
	}
	for _, x := range []struct {
		what      string
		want, got int64
	}{{"on hand after", t.OnHand, m.OnHandAfter}, {"reserved after", t.Reserved, m.ReservedAfter}, {"damaged after", t.Damaged, m.DamagedAfter}} {
		if x.want != x.got {
			t.broken = true
			c.add(k, x.what+" movement "+m.ID, x.want, x.got)
		}
	}
}

func (c *checker) reservation(r Reservation) {
	k := slot{r.ItemID, r.LocationID}
	if r.Held < 0 || r.Shipped < 0 || r.Short < 0 || r.Unbooked < 0 {
		c.add(k, "reservation below zero, order "+r.OrderID, 0, min(r.Held, r.Shipped, r.Short, r.Unbooked))
	}
	if r.LocationID == "" {
		if r.Held != 0 || r.Shipped != 0 {
			c.add(k, "units without a location, order "+r.OrderID, 0, r.Held+r.Shipped)
		}
		return
	}
	if r.Short != 0 || r.Unbooked != 0 {
		c.add(k, "short at a location, order "+r.OrderID, 0, r.Short+r.Unbooked)
	}
	c.at(k).held += r.Held
}

func (c *checker) balance(b Balance) {
	k := slot{b.ItemID, b.LocationID}
	t := c.at(k)
	t.seen = true
	for _, x := range []struct {
		what      string
		want, got int64
	}{
		{"on hand", t.OnHand, b.OnHand}, {"reserved", t.Reserved, b.Reserved}, {"damaged", t.Damaged, b.Damaged},
		{"version", t.Version, b.Version}, {"reserved against holds", t.held, b.Reserved},
	} {
		if x.want != x.got {
			c.add(k, x.what, x.want, x.got)
		}
	}
	if b.Reserved < 0 || b.Damaged < 0 || b.Reserved+b.Damaged > b.OnHand {
		c.add(k, "reserved + damaged above on hand, or below zero", b.OnHand, b.Reserved+b.Damaged)
	}
}
