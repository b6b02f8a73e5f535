package ops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	vendor "github.com/spillway/spillway/connector/dummy"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/seal"
	"github.com/spillway/spillway/sim/world"
	"github.com/spillway/spillway/store"
)

func TestConnectionsAreDividedEvenly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, c := rapid.IntRange(1, 6).Draw(t, "processes"), rapid.IntRange(0, 20).Draw(t, "connections")
		var alive, wanted []string
		for i := range n {
			alive = append(alive, fmt.Sprint("p", i))
		}
		owner, free := map[string]string{schedulerLease: "p0"}, map[string]time.Duration{}
		for i := range c {
			name := connectionLease + fmt.Sprint(i)
			wanted = append(wanted, name)
			if who := rapid.IntRange(-1, n-1).Draw(t, "owner"); who >= 0 {
				owner[name] = alive[who]
			} else {
				free[name] = 0
			}
		}
		// Rounds until nobody takes or gives any more; in each they act one after the other, in any order, as looks do.
		for round := 0; ; round++ {
			if round > 2*c+4 {
				t.Fatalf("no rest after %d rounds: %v", round, owner)
			}
			moved := false
			for _, me := range rapid.Permutation(alive).Draw(t, "order") {
				h := holdings{me: me, alive: alive, owner: owner, free: free, grace: time.Hour}
				for name, who := range owner {
					if who == me && strings.HasPrefix(name, connectionLease) {
						h.mine = append(h.mine, name)
					}
				}
				slices.Sort(h.mine)
				take, give := divide(h, wanted)
				for _, name := range take {
					if owner[name] != "" {
						t.Fatalf("%s takes %s from %s", me, name, owner[name])
					}
					owner[name], moved = me, true
				}
				for _, name := range give {
					if owner[name] != me {
						t.Fatalf("%s gives %s of %s", me, name, owner[name])
					}
					delete(owner, name)
					free[name], moved = 0, true
				}
			}
			if !moved {
				break
			}
		}
		counts := map[string]int{}
		for _, name := range wanted {
			if owner[name] == "" {
				t.Fatalf("nobody works %s", name)
			}
			counts[owner[name]]++
		}
		for _, p := range alive {
			if counts[p] < c/n || counts[p] > (c+n-1)/n {
				t.Fatalf("%d connections on %d processes: %v", c, n, counts)
			}
		}
	})
}

func TestAGripEndsByItsOwnClock(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now := at
	g := &grip{name: "connection:c", token: 1, hold: 8 * time.Second, now: func() time.Time { return now }, renewed: at}
	for after, want := range map[time.Duration]bool{0: true, 7 * time.Second: true, 8 * time.Second: false, time.Hour: false} {
		if now = at.Add(after); g.held() != want {
			t.Errorf("held after %s: %t", after, !want)
		}
	}
	now = at.Add(9 * time.Second)
	g.renewedAt(at.Add(5 * time.Second))
	if !g.held() {
		t.Error("renewed and not held")
	}
	g.drop()
	if g.held() {
		t.Error("lost and held")
	}
	var alone *grip
	if !alone.held() {
		t.Error("the only process lost its connection")
	}
}

func TestNothingLeavesWithoutAGrip(t *testing.T) {
	calls := 0
	shop := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++ }))
	defer shop.Close()
	g := &grip{name: "connection:c", hold: time.Hour, now: time.Now, renewed: time.Now()}
	c := guarded(shop.Client(), g)
	res, err := c.Post(shop.URL, "text/plain", strings.NewReader("4"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	g.drop()
	body := &closing{Reader: strings.NewReader("5")}
	req, err := http.NewRequest(http.MethodPost, shop.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := c.Do(req); !errors.Is(err, errNotOurs) {
		t.Errorf("sent by one who is not the owner: %v %v", res, err)
	}
	if calls != 1 || !body.closed {
		t.Errorf("%d calls, body closed: %t", calls, body.closed)
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

// pair are two processes on one PostgreSQL.
func pair(t *testing.T) (*Ops, *Ops) {
	t.Helper()
	url := pgtest.Start(t)
	key := seal.NewKey()
	start := func() *Ops {
		st, err := store.Open(t.Context(), url, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := st.Close(); err != nil {
				t.Error(err)
			}
		})
		ring, err := seal.Parse(key)
		if err != nil {
			t.Fatal(err)
		}
		client := func(bool) *http.Client { return &http.Client{Timeout: 10 * time.Second} }
		x, err := New(Options{Store: st, Vendors: []driver.Vendor{vendor.Vendor{}}, Ring: ring, Now: time.Now, Simulated: true, Client: client, Files: client})
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(x.Stop)
		return x
	}
	return start(), start()
}

func TestWritesOfAFormerOwnerAreRefused(t *testing.T) {
	a, b := pair(t)
	take := func(x *Ops) *grip {
		var l store.Lease
		if err := x.st.Update(t.Context(), func(tx *store.Tx) (err error) {
			l, _, err = tx.LeaseTake("connection:c", x.keeper.me.ID, time.Hour)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return &grip{name: l.Name, token: l.Token, hold: time.Hour, now: x.now, renewed: x.now()}
	}
	at := time.Now().UTC()
	open := func(n int) func(allocation.Book, bool, time.Time) (allocation.Book, *allocation.Drift, error) {
		return func(book allocation.Book, known bool, _ time.Time) (allocation.Book, *allocation.Drift, error) {
			if !known {
				return allocation.NewBook("c:1", allocation.Absolute, n, at, at, at), nil, nil
			}
			return book.SaleKnown(n, at, at), nil, nil
		}
	}
	told := func() int {
		var n int
		if err := b.st.View(t.Context(), func(tx *store.Tx) error {
			set, err := b.loadBooks(tx, []string{"c:1"})
			n = set.Books["c:1"].Exposure
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	old := take(a)
	if _, err := a.change(t.Context(), bookChange{listings: []string{"c:1"}, by: old, apply: open(40)}); err != nil {
		t.Fatal(err)
	}
	if err := a.st.Update(t.Context(), func(tx *store.Tx) error { return tx.LeaseRelease(a.keeper.me.ID, []string{"connection:c"}) }); err != nil {
		t.Fatal(err)
	}
	fresh := take(b)
	if _, err := a.change(t.Context(), bookChange{listings: []string{"c:1"}, by: old, apply: open(5)}); !errs.Is(err, errs.Conflict) {
		t.Errorf("the former owner wrote: %v", err)
	}
	if n := told(); n != 40 {
		t.Errorf("the book was changed to %d", n)
	}
	if _, err := b.change(t.Context(), bookChange{listings: []string{"c:1"}, by: fresh, apply: open(7)}); err != nil {
		t.Errorf("the owner was refused: %v", err)
	}
	// A sale is a fact, whoever heard of it, and so is told without a lease.
	if _, err := a.change(t.Context(), bookChange{listings: []string{"c:1"}, apply: open(3)}); err != nil {
		t.Error(err)
	}
	if n := told(); n != 30 {
		t.Errorf("exposure %d, want 30", n)
	}
}

func TestNoticesReachOtherProcesses(t *testing.T) {
	a, b := pair(t)
	await := func(what string, done func() bool) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for !done() {
			select {
			case <-tick.C:
			case <-ctx.Done():
				t.Fatal("in vain: ", what)
			}
		}
	}
	await("they know of each other", func() bool { return a.peers.others.Load() == 1 && b.peers.others.Load() == 1 })
	live, err := b.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hear := func(want string) {
		t.Helper()
		give := time.NewTimer(patience)
		defer give.Stop()
		for {
			select {
			case topic := <-live:
				if topic == want {
					return
				}
			case <-give.C:
				t.Fatalf("%q was not heard", want)
			}
		}
	}
	// As a page is told once everything that was asked for at the start is done.
	await("it is heard", func() bool {
		a.live.notify("order:c:1")
		select {
		case topic := <-live:
			return topic == "order:c:1"
		default:
			return false
		}
	})
	many := make([]string, 3*noticeBound)
	for i := range many {
		many[i] = fmt.Sprint("order:", strings.Repeat("x", 40), i)
	}
	a.live.notify(many...) // more than is told one by one
	hear(everything)
	a.live.notify("odd\nname") // cannot stand in a line
	hear(everything)

	if s, err := ReadStatus(t.Context(), b.st); err != nil || len(s.Processes) != 2 || !s.Running || s.Scheduler == "" {
		t.Errorf("%+v, %v", s, err)
	}
	keeps := 0
	for _, x := range []*Ops{a, b} {
		if x.keeper.has(schedulerLease) {
			keeps++
		}
	}
	if keeps != 1 {
		t.Errorf("%d processes keep house", keeps)
	}
	a.Stop()
	await("another keeps house, and knows that it is alone", func() bool { return b.keeper.has(schedulerLease) && b.peers.others.Load() == 0 })
	if b.peers.tell(noticeCatalogue); len(b.peers.pending) != 0 {
		t.Error("the only process tells somebody")
	}
}

// What was sold while nobody answered the shop's messages is asked for as soon as they may be lost, not with the next regular look.
func TestWhatMayHaveBeenMissedIsAskedFor(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		_, err := r.shop.Faults.Add(world.Rule{Point: "webhook:*", Kind: world.Drop, Probability: 1})
		r.must(err)
		r.rest()
		o, err := r.shop.Place("S3", 1)
		r.must(err)
		r.must(newPeers(r.x, "me").act(noticeMissed, nil))
		r.until("the order is known", func() bool { // the regular look is half a minute away
			_, err := r.d.Order(t.Context(), r.conn+":"+o.ID)
			return err == nil
		})
	})
}

func TestOneProcessServesAFile(t *testing.T) {
	x := newOps(t, "")
	other, err := New(x.o)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(t.Context()); !errs.Is(err, errs.Conflict) {
		t.Errorf("a second process on the file: %v", err)
	}
	if x.peers != nil || !x.keeper.has(schedulerLease) || !x.keeper.has("anything") {
		t.Error("the only process has others, or does not have all")
	}
	if s, err := ReadStatus(t.Context(), x.st); err != nil || s.Shared || !s.Running {
		t.Errorf("%+v, %v", s, err)
	}
	other.Stop()
}
