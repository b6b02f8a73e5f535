package ops

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// fact is a snapshot of an order of one unit, as a connector would report it.
func fact(n int, status order.Status, created, shipBy time.Time) order.Fact {
	return order.Fact{Kind: order.Snapshot, ExternalID: fmt.Sprintf("%08d", n), UpdatedAt: created.Add(time.Second), ReadAt: created.Add(2 * time.Second), Status: status,
		StatusText: strings.ToUpper(string(status)), Detail: &order.Detail{CreatedAt: created, Deadlines: order.Deadlines{ShipBy: shipBy}, Fulfilment: order.BySeller,
			Totals: order.Totals{Total: money.Amount{Minor: 1290, Currency: "EUR"}},
			Lines:  []order.Line{{ExternalLineID: "1", ExternalSKU: "S1", SellerSKU: "ITEM-S1", Title: "A mug", Qty: 1}}}}
}

// many takes in n orders of an item with units in stock, of which every fifth is shipped, every seventh cancelled and every third has
// no deadline.
func many(t testing.TB, x *Ops, n int, units int64) {
	t.Helper()
	if err := x.PutItems(t.Context(), []catalog.Item{{ID: "MUG", SKU: "ITEM-S1"}}); err != nil {
		t.Fatal(err)
	}
	if err := x.st.Update(t.Context(), func(tx *store.Tx) error {
		return tx.LocationPut(stock.Location{ID: "main", Name: "Berlin", Kind: stock.Own, Active: true})
	}); err != nil {
		t.Fatal(err)
	}
	if err := x.catalogueChanged(t.Context()); err != nil {
		t.Fatal(err)
	}
	receipt := stock.Movement{ID: "first", Kind: stock.Receive, ItemID: "MUG", LocationID: "main", OnHand: units}
	if err := x.Move(t.Context(), "test", []stock.Movement{receipt}, nil); err != nil {
		t.Fatal(err)
	}
	err := x.st.Update(t.Context(), func(tx *store.Tx) error {
		for _, c := range []string{"east", "west"} {
			if err := tx.ConnectionPut(store.Connection{ID: c, Vendor: "dummy", Name: "Shop " + c, State: store.Paused}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Truncate(time.Second)
	facts := map[string][]order.Fact{}
	flush := func(conn string) {
		if _, err := x.Intake(t.Context(), Incoming{ConnectionID: conn, Source: SourceImport, Facts: facts[conn]}); err != nil {
			t.Fatal(err)
		}
		facts[conn] = nil
	}
	for i := range n {
		status, due := order.AwaitingShipment, now.Add(time.Duration(i*37%2000-100)*time.Minute)
		switch {
		case i%5 == 0:
			status = order.InTransit
		case i%7 == 0:
			status = order.Cancelled
		case i%11 == 0:
			status = order.OnHold
		}
		if i%3 == 0 {
			due = time.Time{}
		}
		conn := []string{"east", "west"}[i%2]
		if facts[conn] = append(facts[conn], fact(i, status, now.Add(-time.Duration(i)*time.Second), due)); len(facts[conn]) == 500 {
			flush(conn)
		}
	}
	flush("east")
	flush("west")
}

// Every order of a list is on exactly one of its pages, in the list's order.
func TestDeskOrderPages(t *testing.T) {
	const n = 700
	x := newOps(t, "")
	many(t, x, n, 100)
	d := newDesk(t, x)
	total := map[string]int{}
	for _, state := range []string{"", "late", "hold", "shipped", "cancelled", "all", "short"} {
		for _, conn := range []string{"", "east"} {
			f := view.OrderFilter{State: state, ConnectionID: conn}
			seen := map[string]bool{}
			var due time.Time
			var tabs []view.Count
			for pages := 0; ; pages++ {
				v, err := d.Orders(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				tabs = v.States
				for _, row := range v.Rows {
					if seen[row.ID] || (conn != "" && row.ConnectionID != conn) {
						t.Errorf("%q %q: order %s again or of another channel", state, conn, row.ID)
					}
					seen[row.ID] = true
					if state == "" && row.Due != nil {
						if row.Due.Before(due) {
							t.Errorf("order %s is due %v, after %v", row.ID, row.Due, due)
						}
						due = *row.Due
					}
				}
				if f.After = v.Next; f.After == "" {
					break
				}
				if pages > n {
					t.Fatal("the pages do not end")
				}
			}
			if conn == "" {
				total[state] = len(seen)
				for _, c := range tabs {
					if c.ID == state && int(c.N) != len(seen) {
						t.Errorf("tab %q says %d, its pages have %d", state, c.N, len(seen))
					}
				}
			} else if len(seen) == 0 || len(seen) >= total[state] {
				t.Errorf("%q: %d of %d orders on one channel", state, len(seen), total[state])
			}
		}
	}
	if total["all"] != n || total[""]+total["shipped"]+total["cancelled"] != n || total["late"] == 0 || total["late"] >= total[""] || total["hold"] == 0 {
		t.Errorf("counts %v", total)
	}
	if total["short"] == 0 { // far more was sold than received
		t.Error("no order is short although far more was sold than received")
	}
	for _, bad := range []view.OrderFilter{{State: "odd"}, {After: "x"}, {After: "c.1.1.x"}, {After: "d.!.1.x"}} {
		if _, err := d.Orders(t.Context(), bad); !errs.Is(err, errs.Invalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	v, err := d.Orders(t.Context(), view.OrderFilter{State: "all", Query: "00000012"})
	if err != nil || len(v.Rows) != 1 {
		t.Errorf("looked up %+v, %v", v.Rows, err)
	}
	over, err := d.Overview(t.Context())
	if err != nil || over.Oversold.Units == 0 || over.Level != view.Bad {
		t.Errorf("orders without stock: %+v, %v", over.Oversold, err)
	}
}

// Of many who set up the first user at once, one does.
func TestDeskFirstUser(t *testing.T) {
	d := newDesk(t, newOps(t, ""))
	ctx := t.Context()
	var made atomic.Int64
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			err := d.CreateFirstUser(ctx, view.User{ID: fmt.Sprint(i), Email: fmt.Sprintf("P%d@example.com", i), PasswordHash: "x"})
			switch {
			case err == nil:
				made.Add(1)
			case !errs.Is(err, errs.Conflict):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n, err := d.UserCount(ctx); made.Load() != 1 || n != 1 || err != nil {
		t.Errorf("%d were told they are first; %d users, %v", made.Load(), n, err)
	}
	if _, err := d.UserByEmail(ctx, "nobody@example.com"); !errs.Is(err, errs.NotFound) {
		t.Errorf("a user nobody is: %v", err)
	}
}

func TestDeskSessions(t *testing.T) {
	d := newDesk(t, newOps(t, ""))
	ctx := t.Context()
	for token, expires := range map[string]time.Time{"good": time.Now().Add(time.Hour), "old": time.Now().Add(-time.Hour)} {
		if err := d.SessionCommit(ctx, token, []byte("data"), expires); err != nil {
			t.Fatal(err)
		}
	}
	for token, want := range map[string]bool{"good": true, "old": false, "none": false} {
		if data, ok, err := d.SessionFind(ctx, token); ok != want || err != nil || ok && string(data) != "data" {
			t.Errorf("%s: %q, %v, %v", token, data, ok, err)
		}
	}
	if err := d.SessionDelete(ctx, "good"); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := d.SessionFind(ctx, "good"); ok || err != nil {
		t.Errorf("after the end: %v, %v", ok, err)
	}
}

// A kept answer is searched for by one at a time, given at once while it is renewed, and waited for when it is too old.
func TestKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k kept[int]
		var searches, under atomic.Int64
		ask := func(context.Context) (int, error) {
			if under.Add(1) > 1 {
				t.Error("two searches at once")
			}
			defer under.Add(-1)
			time.Sleep(50 * time.Millisecond) // of the bubble's clock: what a search takes
			return int(searches.Add(1)), nil
		}
		get := func() int {
			n, _, err := k.get(t.Context(), t.Context(), time.Now, time.Second, ask)
			if err != nil {
				t.Error(err)
			}
			return n
		}
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if n := get(); n != 1 {
					t.Errorf("the first answer is %d", n)
				}
			})
		}
		all.Wait()
		time.Sleep(1100 * time.Millisecond)
		if n := get(); n != 1 {
			t.Errorf("waited for answer %d instead of taking the old one", n)
		}
		synctest.Wait()
		time.Sleep(60 * time.Millisecond)
		if n := get(); n != 2 {
			t.Errorf("the renewed answer is %d", n)
		}
		time.Sleep(time.Minute)
		if n := get(); n != 3 {
			t.Errorf("answer %d after a minute without anybody asking", n)
		}
		k.stale()
		if n := get(); n != 4 {
			t.Errorf("answer %d after something was done", n)
		}
	})
}

// FuzzExcerpt: whatever comes in, what is shown is bounded and holds no address.
func FuzzExcerpt(f *testing.F) {
	for _, s := range []string{`{"order_id":"1","buyer":{"name":"Ada","email":"ada@example.com"}}`, `[]`, `"x"`, `{`, `{"id":"ada@example.com"}`, `{"tel":491701234567}`, "\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		out := excerpt(body)
		if len(out) > excerptBytes+len("…") || strings.Contains(out, "ada@example.com") {
			t.Errorf("%q", out)
		}
	})
}

func TestExcerpt(t *testing.T) {
	got := excerpt([]byte(`{"order_id":"577","status":"ODD","buyer_id":"b7","recipient":{"name":"Ada","phone_number":"+49 170 1234567","zip":"12345"},"tel":491701234567,"n":7}`))
	for _, secret := range []string{"Ada", "170", "12345", "b7"} {
		if strings.Contains(got, secret) {
			t.Errorf("%s shows %s", got, secret)
		}
	}
	for _, kept := range []string{`"577"`, `"ODD"`, `"n":7`} {
		if !strings.Contains(got, kept) {
			t.Errorf("%s hides %s", got, kept)
		}
	}
}

// BenchmarkOverview is the page that is drawn up to four times a second, over 100,000 orders.
func BenchmarkOverview(b *testing.B) {
	x := newOps(b, "")
	began := time.Now()
	many(b, x, 100_000, 1_000_000)
	b.Logf("100,000 orders taken in within %v", time.Since(began).Round(time.Millisecond))
	d := newDesk(b, x)
	if _, err := d.Overview(b.Context()); err != nil {
		b.Fatal(err)
	}
	var worst time.Duration
	b.ResetTimer()
	for b.Loop() {
		began := time.Now()
		if _, err := d.Overview(b.Context()); err != nil {
			b.Fatal(err)
		}
		worst = max(worst, time.Since(began))
	}
	b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
}
