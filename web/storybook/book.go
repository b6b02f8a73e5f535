package storybook

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// Book is an invented shop. It is safe for concurrent use.
type Book struct {
	now func() time.Time

	mu       sync.Mutex
	opened   time.Time // when the shop was made; its past lies before
	failing  error
	items    []*item
	journal  []view.Movement // oldest first
	orders   []*view.OrderPage
	routed   routed
	holds    []view.Hold
	conns    []view.Connection
	apps     []view.App
	vendors  []view.Vendor
	parked   []view.Parked
	done     map[string]view.Done // by draft id, for repeats
	moved    map[string]string    // movement id to item id
	sold     int64
	consents map[string]string // state to app
	ears     map[chan string]struct{}

	known     []view.AccountValue     // what the operator saw of the account, oldest first
	taken     []view.AccountDeduction // points the channel took, newest first
	compared  []*view.Reconciliation  // with exports, newest first
	overrides []view.Override
	later     map[string]int64 // orders that turned late while one looks, by shop
	incidents []*view.Incident
	settings  view.Alerts
	rules     map[string]view.AlertRuleDraft // set by somebody, by kind
	nodes     []*view.NodePage
	handled   handled
	carriers  []view.CarrierAccount
	before    map[string]func() // how to take back what was done last

	accounts
}

// item is one item with its stock and listings.
type item struct {
	id, title  string
	components []view.Component
	balances   map[string]*view.Balance
	listings   []*view.Listing
	lastMin    int64
	buffer     int64
}

// New makes a shop in the middle of a busy day, with one signed-up user: see Email and PasswordHash.
func New(now func() time.Time) *Book {
	b := Empty(now)
	b.stockUp()
	b.connect()
	b.trade()
	b.seeAccounts()
	b.compareExports()
	b.happen()
	b.placeNodes()
	b.placeCartons()
	b.openAccounts()
	return b
}

// Empty makes an installation nobody has set up: no user, no shop, no item.
func Empty(now func() time.Time) *Book {
	b := &Book{now: now, opened: now().UTC(), done: map[string]view.Done{}, consents: map[string]string{}, moved: map[string]string{}, ears: map[chan string]struct{}{}, before: map[string]func(){}, later: map[string]int64{}}
	b.accounts.users, b.accounts.sessions = map[string]view.User{}, map[string]session{}
	b.vendors = vendors()
	return b
}

// Fail makes every query answer err until it is called with nil.
func (b *Book) Fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failing = err
}

// lock takes the book for one query and reports the failure it is told to have.
func (b *Book) lock() (func(), error) {
	b.mu.Lock()
	if b.failing != nil {
		defer b.mu.Unlock()
		return nil, b.failing
	}
	return b.mu.Unlock, nil
}

// Live tells what changed until ctx ends.
func (b *Book) Live(ctx context.Context) (<-chan string, error) {
	ear := make(chan string, 256) // more notices than this between two reads repeat themselves
	b.mu.Lock()
	b.ears[ear] = struct{}{}
	b.mu.Unlock()
	context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.ears, ear)
		close(ear)
	})
	return ear, nil
}

// tell sends notices to everybody who listens. The caller holds the lock.
func (b *Book) tell(topics ...string) {
	for ear := range b.ears {
		for _, t := range topics {
			select {
			case ear <- t:
			default:
			}
		}
	}
}

// Sell takes one order of qty units of an item on a connection, the way a channel would report it.
func (b *Book) Sell(itemID, connectionID string, qty int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	it, err := b.item(itemID)
	if err != nil {
		return err
	}
	for _, l := range it.listings {
		if l.ConnectionID != connectionID {
			continue
		}
		if l.Exposure < qty || it.total().Available < qty {
			return errs.New(errs.Insufficient, "storybook.Sell", itemID, "The channel shows only %d.", l.Exposure)
		}
		b.sold++
		number := fmt.Sprintf("57718%07d", 4000+b.sold)
		o := b.newOrder(number, connectionID, it, qty, b.now().UTC().Add(-300*time.Millisecond), b.now().UTC().Add(26*time.Hour))
		left := *l.Told - qty
		l.Told, l.Exposure, l.Desired = &left, l.Exposure-qty, l.Desired-qty
		it.lastMin += qty
		b.move(view.Movement{Kind: "reserve", Reserved: qty, Text: "order " + number, Ref: view.Ref{Kind: view.KindOrder, ID: o.ID}, Actor: l.Channel}, it, "berlin", b.now())
		b.tell(view.TopicItem+":"+it.id, view.TopicOrder+":"+o.ID)
		return nil
	}
	return errs.New(errs.NotFound, "storybook.Sell", itemID, "It is not listed there.")
}

func (b *Book) item(id string) (*item, error) {
	for _, it := range b.items {
		if it.id == id {
			return it, nil
		}
	}
	return nil, errs.New(errs.NotFound, "storybook.item", id, "There is no item %s.", id)
}

func (b *Book) connection(id string) (*view.Connection, error) {
	for i := range b.conns {
		if b.conns[i].ID == id {
			return &b.conns[i], nil
		}
	}
	return nil, errs.New(errs.NotFound, "storybook.connection", id, "No connection is called %s.", id)
}

// move appends a movement and applies it.
func (b *Book) move(m view.Movement, it *item, location string, at time.Time) view.Movement {
	bal := it.balances[location]
	bal.OnHand, bal.Reserved, bal.Damaged = bal.OnHand+m.OnHand, bal.Reserved+m.Reserved, bal.Damaged+m.Damaged
	bal.Available = bal.OnHand - bal.Reserved - bal.Damaged
	m.Seq = int64(len(b.journal) + 1)
	if m.ID == "" {
		m.ID = fmt.Sprintf("mv-%d", m.Seq)
	}
	m.At, m.RecordedAt = at, at.Add(40*time.Millisecond)
	m.LocationID, m.Location = location, bal.Location
	m.OnHandAfter, m.ReservedAfter, m.DamagedAfter = bal.OnHand, bal.Reserved, bal.Damaged
	m.Reason, _, _ = strings.Cut(m.Reason, "\n")
	b.journal = append(b.journal, m)
	b.moved[m.ID] = it.id
	return m
}

// total sums an item's balances.
func (it *item) total() view.Balance {
	var t view.Balance
	for _, x := range it.balances {
		t.OnHand, t.Reserved, t.Damaged, t.Available, t.Short = t.OnHand+x.OnHand, t.Reserved+x.Reserved, t.Damaged+x.Damaged, t.Available+x.Available, t.Short+x.Short
	}
	return t
}

// promise is who may still sell how much of an item. A bundle has what its scarcest component has.
func (b *Book) promise(it *item) view.Promise {
	available := it.total().Available
	for i, c := range it.components {
		part, err := b.item(c.ItemID)
		if err != nil {
			continue
		}
		if n := part.total().Available / c.Qty; i == 0 || n < available {
			available = n
		}
	}
	p := view.Promise{ItemID: it.id, SKU: it.id, Title: it.title, Available: available, Buffer: it.buffer, LastMin: it.lastMin, Mode: "guarded"}
	p.Free = p.Available - p.Buffer
	for _, l := range it.listings {
		p.Parts = append(p.Parts, view.Part{ListingID: l.ID, ConnectionID: l.ConnectionID, Channel: l.Channel, Told: l.Told, Exposure: l.Exposure, Desired: l.Desired})
		p.Free -= l.Exposure
		if l.Mode == "shared" {
			p.Mode = "shared"
		}
	}
	switch {
	case p.Free < 0:
		p.Level, p.Text = view.Watch, fmt.Sprintf("shared mode: %d units could be sold twice", -p.Free)
	case it.lastMin > 0 && p.Available < 20*it.lastMin:
		p.Level, p.Text = view.Watch, fmt.Sprintf("sold out in about %d min at this rate", p.Available/it.lastMin)
	}
	return p
}

func (it *item) sorted() []view.Balance {
	var out []view.Balance
	for _, id := range slices.Sorted(maps.Keys(it.balances)) {
		out = append(out, *it.balances[id])
	}
	return out
}
