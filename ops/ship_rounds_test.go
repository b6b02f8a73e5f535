package ops

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/shipbob"
	"github.com/spillway/spillway/connector/shiphero"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/sim/depot"
	shipbobsim "github.com/spillway/spillway/sim/shipbob"
	shipherosim "github.com/spillway/spillway/sim/shiphero"
	"github.com/spillway/spillway/sim/world"
	"github.com/spillway/spillway/store"
)

// newsRig is a process whose clock stands still, with accounts at simulated providers behind real HTTP.
type newsRig struct {
	*watch
	clock *world.Virtual
	n     int
}

func newNewsRig(t *testing.T) *newsRig { return newNewsRigOn(t, homes["sqlite"](t)) }

// newsOnBoth runs a test with a rig on each database.
func newsOnBoth(t *testing.T, f func(t *testing.T, r *newsRig)) {
	t.Helper()
	onBoth(t, func(t *testing.T, url string) { f(t, newNewsRigOn(t, url)) })
}

func newNewsRigOn(t *testing.T, url string) *newsRig {
	w := newWatch(t, url)
	w.x.keeper.alone = true // there is no other process, and no loop here that would take the scheduler's lease
	w.shop("a", "Nordlicht")
	return &newsRig{watch: w, clock: world.NewVirtual(w.at)}
}

// later moves time on, the simulators' too.
func (r *newsRig) later(d time.Duration) {
	r.mu.Lock()
	r.at = r.at.Add(d)
	r.mu.Unlock()
	r.clock.Advance(d)
}

func (r *newsRig) account(c driver.Carrier, name, base string, settings map[string]string) store.CarrierAccount {
	r.t.Helper()
	r.x.carriers[c.Describe().Name] = c
	all := map[string]string{"base_url": base}
	for k, v := range settings {
		all[k] = v
	}
	a, err := r.x.AddCarrier(r.t.Context(), NewCarrierAccount{Carrier: c.Describe().Name, Name: name, Settings: all, Actor: "lena"})
	r.must(err)
	return a
}

func (r *newsRig) serve(h http.Handler) string {
	srv := httptest.NewServer(h)
	r.t.Cleanup(srv.Close)
	return srv.URL
}

// shipbob is an account at a ShipBob of its own, whose answers pass through a handler.
func (r *newsRig) shipbob(name string, through func(http.Handler) http.Handler) (*shipbobsim.Sim, store.CarrierAccount) {
	r.t.Helper()
	s := shipbobsim.New(r.clock, 3, depot.Options{})
	r.t.Cleanup(s.Stop)
	s.Limit = 10_000
	s.Floor.Stow("Cicero", "MUG", 500, 0)
	return s, r.account(shipbob.Carrier{Now: r.clock.Now}, name, r.serve(through(s.Handler())), map[string]string{"token": shipbobsim.Token, "channel_id": shipbobsim.ChannelID,
		"webhook_secret": shipbobsim.Secret})
}

func (r *newsRig) shiphero(name string, through func(http.Handler) http.Handler) (*shipherosim.Sim, store.CarrierAccount) {
	r.t.Helper()
	s := shipherosim.New(r.clock, 3, depot.Options{})
	r.t.Cleanup(s.Stop)
	s.Floor.Stow("V2FyZWhvdXNlOjE=", "MUG", 500, 0)
	return s, r.account(shiphero.Carrier{}, name, r.serve(through(s.Handler())), map[string]string{"refresh_token": shipherosim.RefreshToken})
}

func plainly(h http.Handler) http.Handler { return h }

// handed stores a parcel that a provider has, of an order that must leave in so long, and hands it over there. Nothing said, a mug is in it.
func (r *newsRig) handed(a store.CarrierAccount, due time.Duration, skus ...string) string {
	r.t.Helper()
	if len(skus) == 0 {
		skus = []string{"MUG"}
	}
	r.n++
	id := fmt.Sprintf("p%03d", r.n)
	r.save(order.Order{ID: "a:" + id, ConnectionID: "a", ExternalID: id, Status: order.AwaitingShipment,
		Detail: order.Detail{Number: id, CreatedAt: r.at.Add(-time.Hour), Deadlines: order.Deadlines{ShipBy: r.at.Add(due)}}})
	p := driver.Parcel{OrderIDs: []string{id}, Number: id, To: driver.Address{Name: "Jo Sample", Line1: "1 Example Street", City: "Springfield", State: "OR", Post: "97477", Country: "US"}}
	s := store.Shipment{Shipment: shipping.Shipment{ID: id, ConnectionID: "a", Orders: []string{"a:" + id}, Node: "hub", Way: shipping.ByProvider, Account: a.ID, Due: r.at.Add(due)}}
	for _, sku := range skus {
		p.Lines = append(p.Lines, driver.ParcelLine{SKU: sku, Qty: 1})
		s.Lines = append(s.Lines, shipping.Line{OrderID: "a:" + id, Key: "k-" + sku, ItemID: sku, Qty: 1})
	}
	f, err := r.x.freight(r.t.Context(), a.ID)
	r.must(err)
	got, err := f.Book(r.t.Context(), driver.Booking{ID: id, Parcel: p})
	r.must(err)
	s.Booked(r.at, shipping.Label{Ref: got.Ref})
	s.Label.Call.At = r.at
	r.parcels(s)
	return id
}

// number is the tracking number a parcel has.
func (r *newsRig) number(id string) string {
	r.t.Helper()
	var s store.Shipment
	r.must(r.x.st.View(r.t.Context(), func(tx *store.Tx) (err error) { s, err = tx.ShipmentGet(id); return err }))
	return s.Label.Tracking
}

func (r *newsRig) until(what string, cond func() bool) {
	r.t.Helper()
	(&rig{t: r.t}).until(what, cond)
}

// turns begins turns as the loop does.
func (r *newsRig) begin(ctx context.Context, n *newsTurns) {
	r.t.Helper()
	all, err := r.x.CarrierAccounts(ctx)
	r.must(err)
	n.begin(ctx, all)
}

// gate lets requests through while it is open, and knows how many wait.
type gate struct {
	mu      sync.Mutex
	open    chan struct{} // closed: open
	isShut  bool
	waiting map[string]int
	most    int            // that waited at once
	asked   map[string]int // requests by address
}

func newGate() *gate {
	g := &gate{open: make(chan struct{}), waiting: map[string]int{}, asked: map[string]int{}}
	close(g.open)
	return g
}

// shut holds back what comes from now on.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open, g.isShut = make(chan struct{}), true
}

func (g *gate) reopen() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.isShut {
		close(g.open)
		g.isShut = false
	}
}

func (g *gate) through(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.waiting[r.Host]++
		g.asked[r.Host]++
		n := 0
		for _, k := range g.waiting {
			n += k
		}
		g.most = max(g.most, n)
		open := g.open
		g.mu.Unlock()
		select {
		case <-open:
		case <-r.Context().Done():
		}
		g.mu.Lock()
		g.waiting[r.Host]--
		g.mu.Unlock()
		h.ServeHTTP(w, r)
	})
}

func (g *gate) state() (waiting, most, accounts int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, k := range g.waiting {
		waiting += k
	}
	return waiting, g.most, len(g.asked)
}

// An account that hangs and one that fails are asked beside one that answers: it is heard meanwhile, again and again, and the others go on when they can.
func TestAnAccountThatHangsOrFailsDelaysNoOther(t *testing.T) {
	r, ctx := newNewsRig(t), t.Context()
	hangs := newGate()
	_, slow := r.shiphero("Slow", hangs.through)
	quickSim, quick := r.shipbob("Quick", plainly)
	failing, bad := r.shipbob("Failing", plainly)
	waits, first := r.handed(slow, 9*day), r.handed(quick, 9*day)
	lost := r.handed(bad, 9*day)
	_, err := failing.Faults.Add(world.Rule{Point: "GET *", Kind: world.Unavailable, Probability: 1})
	r.must(err)
	r.later(4 * time.Hour) // all have shipped, and told nobody
	hangs.shut()
	defer hangs.reopen()
	n := newNewsTurns(r.x)
	defer n.work.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.begin(ctx, n)
	r.until("the account that answers is heard", func() bool { return r.number(first) != "" })
	second := r.handed(quick, 9*day)
	for range 3 { // its turns come again while the others are under way
		r.later(2 * time.Hour)
		r.until("the turn has ended", func() bool { n.mu.Lock(); defer n.mu.Unlock(); return !n.turns[newsOf{quick.ID, newsList}].under })
		r.begin(ctx, n)
	}
	r.until("it is heard again", func() bool { return r.number(second) != "" })
	if waiting, most, _ := hangs.state(); waiting != 1 || most != 1 || r.number(waits) != "" || r.number(lost) != "" {
		t.Errorf("%d calls of the slow account are under way, at most %d; its parcel has %q", waiting, most, r.number(waits))
	}
	if made, _ := quickSim.Counts(); made != 2 {
		t.Errorf("%d orders were made", made)
	}
	hangs.reopen()
	r.until("the slow account is heard", func() bool { return r.number(waits) != "" })
}

func TestSoManyAccountsAreAskedAtOnceAndEachGetsItsTurn(t *testing.T) {
	r := newNewsRig(t)
	g := newGate()
	const accounts = newsAtOnce + 5
	for i := range accounts {
		r.shipbob(fmt.Sprint("Hub ", i), g.through)
	}
	g.shut()
	defer g.reopen()
	n := newNewsTurns(r.x)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r.until("as many are asked as may be", func() bool {
		r.begin(ctx, n)
		waiting, _, _ := g.state()
		return waiting == newsAtOnce
	})
	r.begin(ctx, n)
	g.reopen()
	r.until("all were asked", func() bool {
		r.begin(ctx, n)
		_, _, asked := g.state()
		return asked == accounts
	})
	if _, most, _ := g.state(); most != newsAtOnce {
		t.Errorf("%d were asked at once, want %d", most, newsAtOnce)
	}
	n.work.Wait()
	for host, times := range g.asked {
		if times != 1 {
			t.Errorf("%s was asked %d times in one round", host, times)
		}
	}
}

func TestWhoeverStopsDoesNotWaitForAnAccountThatHangs(t *testing.T) {
	r := newNewsRig(t)
	g := newGate()
	g.shut()
	defer g.reopen()
	r.shipbob("Hangs", g.through)
	n := newNewsTurns(r.x)
	ctx, cancel := context.WithCancel(t.Context())
	r.begin(ctx, n)
	r.until("it is asked", func() bool { waiting, _, _ := g.state(); return waiting == 1 })
	cancel()
	over := make(chan struct{})
	go func() { n.work.Wait(); close(over) }()
	select {
	case <-over:
	case <-time.After(patience):
		t.Fatal("it waits for the account")
	}
}

func TestATurnIsLaterTheMoreOfThemFail(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	one, end := &oneTurn{}, at.Add(time.Minute)
	fails := errors.New("no answer")
	for i, want := range []time.Duration{2, 4, 8, 16, 30, 30, 30} {
		if one.ends(at, end, 2*time.Minute, false, fails); !one.due.Equal(end.Add(want * time.Minute)) {
			t.Errorf("after %d failures its turn is in %s", i+1, one.due.Sub(end))
		}
	}
	if one.ends(at, end, 2*time.Minute, true, nil); !one.due.Equal(end) || one.failures != 0 {
		t.Errorf("with more to read its turn is in %s", one.due.Sub(end))
	}
	if one.ends(at, end, 2*time.Minute, false, nil); !one.due.Equal(at.Add(2 * time.Minute)) {
		t.Errorf("its turn is %s after it began", one.due.Sub(at))
	}
	if one.ends(at, end, 2*time.Minute, false, &driver.Error{Class: driver.RetryAfter, After: time.Hour}); !one.due.Equal(end.Add(time.Hour)) {
		t.Errorf("its turn is in %s although it wants an hour", one.due.Sub(end))
	}
}

// The process that has lost the scheduler's lease reads no further page and leaves the watermark to whoever has it.
func TestWhoeverLosesTheLeaseAsksNoFurther(t *testing.T) {
	r, ctx := newNewsRig(t), t.Context()
	pages := 0
	s, a := r.shipbob("Hub", func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if q.URL.Query().Get("Page") != "" {
				if pages++; pages == 1 {
					r.x.keeper.alone = false // nobody holds a lease then
				}
			}
			h.ServeHTTP(w, q)
		})
	})
	for i := range 120 {
		s.Floor.Place(depot.Order{Reference: fmt.Sprint("other-", i), Number: "n", Lines: []depot.Line{{SKU: "MUG", Qty: 1}}})
	}
	id := r.handed(a, 9*day)
	r.later(4 * time.Hour)
	more, err := r.x.askNewsOf(ctx, a)
	var mark store.Watermark
	r.must(r.x.st.View(ctx, func(tx *store.Tx) (err error) { mark, err = tx.WatermarkGet(a.ID, parcelStream); return err }))
	if err != nil || more || pages != 1 || !mark.At.IsZero() || mark.Cursor != "" {
		t.Errorf("%d pages were read, %v, %v, the watermark is %+v", pages, more, err, mark)
	}
	r.x.keeper.alone = true
	if more, err = r.x.askNewsOf(ctx, a); err != nil || more || pages != 3 || r.number(id) == "" {
		t.Errorf("%d pages were read, %v, %v", pages, more, err)
	}
}
