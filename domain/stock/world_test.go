package stock

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/kit/errs"
)

// world is what a database would keep between batches. Every step opens a Book with as little as the rules allow, saves what is
// dirty, and proves the whole ledger.
type world struct {
	t         *rapid.T
	at        time.Time
	locations []Location
	balances  map[slot]Balance
	rows      map[rowKey]Reservation
	journal   []Movement
	ids       int
}

type rowKey struct{ order, line, item, location string }

var (
	epoch  = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	items  = []string{"A", "B/1"}
	orders = []string{"c1:1", "c1:2", "c2:1", "c2:2", "c2:3"}
	places = []Location{
		{ID: "main", Kind: Own, Active: true},
		{ID: "3pl", Kind: ThirdParty, Active: true},
		{ID: "mcf", Kind: Marketplace, Serves: []string{"c1"}, Active: true},
		{ID: "fbt", Kind: FBT, Serves: []string{"c1"}, Active: true},
		{ID: "way", Kind: Transit, Active: true},
		{ID: "shut", Kind: Own},
	}
)

func newWorld(t *rapid.T) *world {
	return &world{t: t, at: epoch, locations: places, balances: map[slot]Balance{}, rows: map[rowKey]Reservation{}}
}

func (w *world) open(orderIDs ...string) *Book {
	w.at = w.at.Add(time.Second)
	var bs []Balance
	for _, b := range w.balances {
		bs = append(bs, b)
	}
	slices.SortFunc(bs, func(a, b Balance) int {
		return cmp.Or(cmp.Compare(a.ItemID, b.ItemID), cmp.Compare(a.LocationID, b.LocationID))
	})
	return NewBook(w.at, "test", w.locations, bs, w.find(func(r Reservation) bool { return slices.Contains(orderIDs, r.OrderID) }))
}

// find lists rows in a fixed order.
func (w *world) find(want func(Reservation) bool) []Reservation {
	var out []Reservation
	for _, r := range w.rows {
		if want(r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b Reservation) int { return byClaim(&a, &b) })
	return out
}

// holders lists all rows of the lines that hold or lack the item.
func (w *world) holders(item string) []Reservation {
	return w.find(func(r Reservation) bool {
		return r.ItemID == item && slices.ContainsFunc(slices.Collect(maps.Values(w.rows)), func(o Reservation) bool {
			return o.OrderID == r.OrderID && o.LineID == r.LineID && o.ItemID == r.ItemID && o.Open()
		})
	})
}

// do runs f as a caller must: when holders are missing it loads them and calls again.
func (w *world) do(b *Book, f func() error) error {
	for range 3 {
		moves, dirty := len(b.Movements()), len(b.DirtyReservations())
		err := f()
		missing, ok := errors.AsType[*MissingHolders](err)
		if !ok {
			return err
		}
		if len(b.Movements()) != moves || len(b.DirtyReservations()) != dirty {
			w.t.Fatal("MissingHolders must leave the book as it was")
		}
		b.Load(nil, w.holders(missing.ItemID))
	}
	w.t.Fatal("the holders were loaded and are still missing")
	return nil
}

// save keeps what is dirty and proves the ledger.
func (w *world) save(b *Book) {
	seen := map[string]bool{}
	for _, m := range w.journal {
		seen[m.ID] = true
	}
	for _, m := range b.Movements() {
		if seen[m.ID] {
			w.t.Fatalf("movement id %s was used twice", m.ID)
		}
		seen[m.ID] = true
		m.Seq = int64(len(w.journal) + 1)
		w.journal = append(w.journal, m)
	}
	for _, x := range b.DirtyBalances() {
		if was := w.balances[slot{x.ItemID, x.LocationID}]; was.Version != x.Prior {
			w.t.Fatalf("balance %v saved over version %d", x, was.Version)
		}
		w.balances[slot{x.ItemID, x.LocationID}] = x
	}
	for _, r := range b.DirtyReservations() {
		k := rowKey{r.OrderID, r.LineID, r.ItemID, r.LocationID}
		if was := w.rows[k]; r.Version != was.Version+1 {
			w.t.Fatalf("reservation %+v saved over version %d", r, was.Version)
		}
		w.rows[k] = r
	}
	if found := Check(slices.Collect(maps.Values(w.balances)), maps.Values(w.rows), slices.Values(w.journal)); len(found) > 0 {
		w.t.Fatalf("the ledger does not prove: %v", found)
	}
}

func (w *world) id() string { w.ids++; return fmt.Sprintf("m%d", w.ids) }

// totals sums what every line but one holds and lacks.
func (w *world) totals(but rowKey) int64 {
	n := int64(0)
	for k, r := range w.rows {
		if k.order != but.order || k.line != but.line || k.item != but.item {
			n += r.Held + r.Short
		}
	}
	return n
}

func drawWant(t *rapid.T) Want {
	w := Want{
		OrderID: rapid.SampledFrom(orders).Draw(t, "order"), LineID: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "line"),
		ItemID: rapid.SampledFrom(items).Draw(t, "item"), Reserve: rapid.Int64Range(0, 6).Draw(t, "reserve"), Ship: rapid.Int64Range(0, 4).Draw(t, "ship"),
		ReleaseKind: rapid.SampledFrom([]Kind{"", Release, Cancel, Expire}).Draw(t, "releaseKind"),
		Prefer:      rapid.SliceOfN(rapid.SampledFrom([]string{"main", "3pl", "mcf", "fbt", "nowhere"}), 0, 2).Draw(t, "prefer"),
	}
	w.ConnectionID = w.OrderID[:2]
	if w.ConnectionID == "c1" && rapid.IntRange(0, 3).Draw(t, "pool") == 0 {
		w.Pool = "fbt"
	}
	if n := rapid.IntRange(0, 5).Draw(t, "due"); n > 0 {
		w.Due = epoch.Add(time.Duration(n) * time.Hour)
	}
	return w
}

func (w *world) settle() {
	want := drawWant(w.t)
	key := rowKey{want.OrderID, want.LineID, want.ItemID, ""}
	var shipped int64
	for _, r := range w.find(func(r Reservation) bool {
		return r.OrderID == key.order && r.LineID == key.line && r.ItemID == key.item
	}) {
		shipped += r.Shipped
	}
	others := w.totals(key)
	b := w.open(want.OrderID)
	var got Settled
	if err := w.do(b, func() (err error) { got, err = b.Settle(want); return err }); err != nil {
		w.t.Fatalf("Settle(%+v): %v", want, err)
	}
	if got.Held+got.Short != want.Reserve || got.Shipped+got.Unbooked != max(want.Ship, shipped) {
		w.t.Fatalf("Settle(%+v) = %+v with %d shipped before", want, got, shipped)
	}
	for _, r := range b.Reservations(want.OrderID, want.LineID, want.ItemID) {
		l := b.place[r.LocationID]
		if r.Held > 0 && (!l.InPool(want.Pool) || !l.MayServe(want.ConnectionID)) {
			w.t.Fatalf("%+v holds at %s", want, r.LocationID)
		}
	}
	if got.Short > 0 || got.Unbooked > 0 {
		for _, p := range b.places(want) {
			if n := b.atp(want.ItemID, p); n > 0 {
				w.t.Fatalf("%+v lacks units while %s has %d free", got, p, n)
			}
		}
	}
	moves := len(b.Movements())
	again, err := b.Settle(want)
	if err != nil || again.Changed || len(b.Movements()) != moves {
		w.t.Fatalf("the same demand again: %+v, %v, %d new movements", again, err, len(b.Movements())-moves)
	}
	w.save(b)
	if now := w.totals(key); now != others {
		w.t.Fatalf("other lines were promised %d units before and %d after", others, now)
	}
	// Redelivery in a later batch, from what was saved.
	b = w.open(want.OrderID)
	if again, err := b.Settle(want); err != nil || again.Changed || len(b.Movements())+len(b.DirtyReservations())+len(b.DirtyBalances()) > 0 {
		w.t.Fatalf("redelivery changed something: %+v %v %v", again, err, b.Movements())
	}
}

func (w *world) tryReserve() {
	seen := map[lineKey]bool{}
	var wants []Want
	var ids []string
	for range rapid.IntRange(1, 3).Draw(w.t, "lines") {
		x := drawWant(w.t)
		x.Ship = 0
		if k := (lineKey{x.OrderID, x.LineID, x.ItemID}); !seen[k] {
			seen[k] = true
			wants, ids = append(wants, x), append(ids, x.OrderID)
		}
	}
	b := w.open(ids...)
	err := b.TryReserve(wants)
	if err != nil {
		s, ok := errors.AsType[*Shortage](err)
		if !ok || !errs.Is(err, errs.Insufficient) || s.Wanted <= s.Available || len(b.Movements())+len(b.DirtyReservations()) > 0 {
			w.t.Fatalf("TryReserve(%+v) = %v with %v", wants, err, b.Movements())
		}
		return
	}
	for _, x := range wants {
		var held, short int64
		for _, r := range b.Reservations(x.OrderID, x.LineID, x.ItemID) {
			held, short = held+r.Held, short+r.Short
		}
		if held != x.Reserve || short != 0 {
			w.t.Fatalf("TryReserve accepted %+v and holds %d, short %d", x, held, short)
		}
	}
	w.save(b)
}

func (w *world) move() {
	kind := rapid.SampledFrom([]Kind{Receive, Receive, Receive, Adjust, Count, TransferOut, TransferIn, Return, Damage, Repair, FBTSync}).Draw(w.t, "kind")
	m := Movement{ID: w.id(), Kind: kind, ItemID: rapid.SampledFrom(items).Draw(w.t, "item"),
		LocationID: rapid.SampledFrom([]string{"main", "3pl", "mcf", "fbt", "way", "shut"}).Draw(w.t, "location")}
	b := w.open()
	var err error
	if (kind == Count || kind == FBTSync) && rapid.Bool().Draw(w.t, "totals") {
		onHand := rapid.Int64Range(0, 10).Draw(w.t, "counted")
		damaged := rapid.Int64Range(0, onHand).Draw(w.t, "broken")
		err = w.do(b, func() error { return b.SetTo(m, onHand, damaged) })
		if err != nil {
			w.t.Fatalf("SetTo(%d, %d): %v", onHand, damaged, err)
		}
		if x := b.balance(slot{m.ItemID, m.LocationID}); x.OnHand != onHand || x.Damaged != damaged {
			w.t.Fatalf("SetTo(%d, %d) made %+v", onHand, damaged, x)
		}
	} else {
		m.OnHand = rapid.Int64Range(-6, 8).Draw(w.t, "onHand")
		m.Damaged = rapid.Int64Range(-2, 2).Draw(w.t, "damaged")
		err = w.do(b, func() error { return b.Move(m) })
	}
	if err != nil {
		if !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.Insufficient) || len(b.Movements())+len(b.DirtyReservations()) > 0 {
			w.t.Fatalf("Move(%+v) = %v with %v", m, err, b.Movements())
		}
		return
	}
	w.save(b)
}

// reverse undoes a movement and, when no hold was in the way, finds the balance as it would be without both.
func (w *world) reverse() {
	var candidates []Movement
	for _, m := range w.journal {
		if m.Kind.Physical() && m.Reverses == "" {
			candidates = append(candidates, m)
		}
	}
	if len(candidates) == 0 {
		return
	}
	m := rapid.SampledFrom(candidates).Draw(w.t, "reversed")
	r, err := Reverse(m, w.id(), w.at, "test", "mistake")
	if err != nil {
		w.t.Fatal(err)
	}
	b := w.open()
	before := *b.balance(slot{m.ItemID, m.LocationID})
	if err := w.do(b, func() error { return b.Move(r) }); err != nil {
		if !errs.Is(err, errs.Insufficient) {
			w.t.Fatalf("reversing %+v: %v", m, err)
		}
		return
	}
	after := *b.balance(slot{m.ItemID, m.LocationID})
	if after.OnHand != before.OnHand-m.OnHand || after.Damaged != before.Damaged-m.Damaged {
		w.t.Fatalf("reversing %+v made %+v of %+v", m, after, before)
	}
	w.save(b)
}

func (w *world) fill() {
	item := rapid.SampledFrom(items).Draw(w.t, "item")
	b := w.open()
	b.Load(nil, w.holders(item))
	for _, s := range b.FillShorts(item) {
		if !s.Changed {
			w.t.Fatalf("FillShorts told of %+v, which did not change", s)
		}
	}
	for _, r := range b.lacking(item, func(r *Reservation) bool { return r.Short > 0 || r.Unbooked > 0 }) {
		for _, p := range b.places(Want{ConnectionID: r.ConnectionID, Pool: r.Pool}) {
			if n := b.atp(item, p); n > 0 {
				w.t.Fatalf("%+v still lacks units while %s has %d free", r, p, n)
			}
		}
	}
	if again := b.FillShorts(item); len(again) > 0 {
		w.t.Fatalf("filling twice changed %v", again)
	}
	w.save(b)
}

// rehouse moves what a line holds to drawn places: it is done whole, or refused and nothing is changed.
func (w *world) rehouse() {
	holding := w.find(func(r Reservation) bool { return r.Held > 0 })
	if len(holding) == 0 {
		return
	}
	r := rapid.SampledFrom(holding).Draw(w.t, "moved")
	b := w.open(r.OrderID)
	was := b.Held(r.OrderID, r.LineID, r.ItemID)
	to, all := map[string]int64{}, int64(0)
	for _, n := range was {
		all += n
	}
	for left := all; left > 0; {
		n := rapid.Int64Range(1, left).Draw(w.t, "units")
		to[rapid.SampledFrom([]string{"main", "3pl", "mcf", "fbt", "way", "shut", "nowhere"}).Draw(w.t, "to")] += n
		left -= n
	}
	if rapid.IntRange(0, 9).Draw(w.t, "wrong") == 0 {
		to["main"]++
	}
	err := b.Rehouse(r.OrderID, r.LineID, r.ItemID, to)
	now := b.Held(r.OrderID, r.LineID, r.ItemID)
	switch {
	case err == nil && !maps.Equal(to, now):
		w.t.Fatalf("it holds %v, wanted %v", now, to)
	case err != nil && (!maps.Equal(was, now) || len(b.Movements()) > 0 || len(b.DirtyReservations()) > 0):
		w.t.Fatalf("%v, and it holds %v instead of %v", err, now, was)
	case err != nil && !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.Insufficient):
		w.t.Fatal(err)
	}
	for place, n := range now {
		if at := b.place[place]; n > was[place] && (at == nil || !at.Active || !at.InPool(r.Pool)) {
			w.t.Fatalf("%d units went to %s", n, place)
		}
	}
	if err == nil {
		if err := b.Rehouse(r.OrderID, r.LineID, r.ItemID, to); err != nil || len(b.Movements()) > 2*len(places) {
			w.t.Fatalf("moving to where it is: %v", err)
		}
		want, _ := b.WantOf(r.OrderID, r.LineID, r.ItemID)
		_, err := b.settle(want, false)
		for place, n := range b.Held(r.OrderID, r.LineID, r.ItemID) {
			if err == nil && n < to[place] { // more where units were short is well
				w.t.Fatalf("settling after it moved %v: %d at %s", to, n, place)
			}
		}
	}
	w.save(b)
}

// swap has a line hold another item: as many units are bound to the order as before, at the place that was asked, or nothing is changed.
func (w *world) swap() {
	bound := w.find(func(r Reservation) bool { return r.Held+r.Short > 0 })
	if len(bound) == 0 {
		return
	}
	r := rapid.SampledFrom(bound).Draw(w.t, "swapped")
	by := rapid.SampledFrom(items).Draw(w.t, "by")
	b := w.open(r.OrderID)
	at := append([]string{"main", "fbt", "shut"}, slices.Sorted(maps.Keys(b.Available(by)))...)
	place := rapid.SampledFrom(at).Draw(w.t, "at")
	n := rapid.Int64Range(0, 4).Draw(w.t, "units")
	was, had := b.Held(r.OrderID, r.LineID, r.ItemID), b.Held(r.OrderID, r.LineID, by)
	want, _ := b.WantOf(r.OrderID, r.LineID, r.ItemID)
	free := b.Available(by)[place]
	if err := b.Swap(r.OrderID, r.LineID, r.ItemID, by, place, n); err != nil {
		if !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.Insufficient) || len(b.Movements())+len(b.DirtyReservations()) > 0 {
			w.t.Fatalf("%v, with %v", err, b.Movements())
		}
		return
	}
	less, _ := b.WantOf(r.OrderID, r.LineID, r.ItemID)
	now := b.Held(r.OrderID, r.LineID, r.ItemID)
	switch {
	case by == r.ItemID || n < 1:
		w.t.Fatalf("%d of %s were swapped for %s", n, r.ItemID, by)
	case less.Reserve != want.Reserve-n || less.Ship != want.Ship:
		w.t.Fatalf("%d were swapped, and it asks for %+v instead of %+v", n, less, want)
	case b.Held(r.OrderID, r.LineID, by)[place] != had[place]+n || n > free:
		w.t.Fatalf("it holds %v of %s, %v before, of %d free", b.Held(r.OrderID, r.LineID, by), by, had, free)
	}
	for at, units := range was {
		if at != place && now[at] != units {
			w.t.Fatalf("what it holds at %s changed from %d to %d", at, units, now[at])
		}
	}
	w.save(b)
}

// The world is small, so a hundred of them, as many as rapid tries unless told, are over in a blink and seldom meet the rare.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		_ = flag.Set("rapid.checks", "3000")
	}
	os.Exit(m.Run())
}

func TestLedgerHoldsUnderAnyInterleaving(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		step := func(f func()) func(*rapid.T) { return func(t *rapid.T) { w.t = t; f() } }
		t.Repeat(map[string]func(*rapid.T){
			"settle": step(w.settle), "try": step(w.tryReserve), "move": step(w.move), "move more": step(w.move), "reverse": step(w.reverse), "fill": step(w.fill), "rehouse": step(w.rehouse), "swap": step(w.swap),
		})
	})
}
