package ops

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// noonZone is one where it is about noon: no test runs from one of its days into the next.
func noonZone(at time.Time) string { return fmt.Sprintf("Etc/GMT%+d", at.UTC().Hour()-12) }

// A shop whose orders are capped shows at most about what is left of the day, nothing once the cap is reached, and all there is again when it is taken back.
func TestACappedShopShowsNothingOnceItsDayIsFull(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		ctx, at := t.Context(), time.Now()
		var sold int64
		cap := allocation.DayCap{From: at.Add(-time.Minute), Until: at.Add(time.Hour), Zone: noonZone(at)}
		from, until := cap.Day(at)
		r.must(r.st.View(ctx, func(tx *store.Tx) error {
			n, err := tx.OrdersByShop(from, until)
			sold = n[r.conn]
			return err
		}))
		shows := func(want func(int64) bool, what string) {
			t.Helper()
			r.until("the shop shows "+what, func() bool {
				for _, l := range [][2]string{{"MUG", "S1"}, {"MUG", "S3"}, {"LAMP", "S4"}} {
					if told := r.told(l[0], l[1]).Told; told == nil || !want(*told) {
						return false
					}
				}
				return true
			})
		}
		cap.PerDay = sold + 3
		c, err := r.x.CapOrders(ctx, "cap~"+r.conn, "Take at most 3 orders more.", r.conn, cap, "lena")
		r.must(err)
		shows(func(n int64) bool { return n >= 1 && n <= 4 }, "a few")
		if why := r.told("LAMP", "S4").Why; !strings.Contains(why, "Its shop is capped at") {
			t.Errorf("the page says %q", why)
		}
		for range 3 {
			r.sell("S1", 1)
			r.rest()
		}
		shows(func(n int64) bool { return n == 0 }, "nothing")
		if why := r.told("LAMP", "S4").Why; !strings.Contains(why, "takes no more orders today") {
			t.Errorf("the page says %q", why)
		}
		v, err := r.d.Capacity(ctx)
		if r.must(err); len(v.Done) != 1 || v.Done[0].Undo == "" {
			t.Fatalf("%+v", v.Done)
		}
		r.did(r.d.Undo(ctx, v.Done[0].Undo, "mia"))
		shows(func(n int64) bool { return n > 10 }, "what there is")
		if err := r.x.EndOrderCap(ctx, r.conn, c.ID); err != nil {
			t.Errorf("ended twice: %v", err)
		}
		if err := r.x.SetOrderCap(ctx, "nobody", OrderCap{DayCap: cap}); !errs.Is(err, errs.NotFound) {
			t.Errorf("a shop that is not there: %v", err)
		}
		cap.PerDay = -1
		if err := r.x.SetOrderCap(ctx, r.conn, OrderCap{DayCap: cap}); !errs.Is(err, errs.Invalid) {
			t.Errorf("below nothing: %v", err)
		}
	})
}

// A cap that is over, and one that was taken back, leave nothing behind; one that begins later holds from then on.
func TestACapHoldsOnItsDaysOnly(t *testing.T) {
	r := newRig(t)
	ctx, at := t.Context(), time.Now()
	set := func(from, until time.Duration) {
		t.Helper()
		r.must(r.x.SetOrderCap(ctx, r.conn, OrderCap{ID: "c", DayCap: allocation.DayCap{From: at.Add(from), Until: at.Add(until), Zone: "UTC"}}))
	}
	capped := func() bool { _, _, capped := r.x.wires.orderCap(r.conn); return capped }
	set(time.Hour, 2*time.Hour)
	if capped() {
		t.Error("it holds before it begins")
	}
	set(-time.Hour, time.Hour)
	if !capped() {
		t.Error("it does not hold")
	}
	r.must(r.x.EndOrderCap(ctx, r.conn, "another"))
	if !capped() {
		t.Error("another cap was taken back")
	}
	set(-2*time.Hour, -time.Hour)
	if capped() {
		t.Error("it holds when it is over")
	}
}

func TestACapIsProposedWhereANodeFallsBehind(t *testing.T) {
	r := newRig(t)
	load := &NodeLoad{Waiting: 300, Parts: map[string]float64{r.conn: 1}}
	for k := range loadDays {
		load.Capacity[k], load.Coming[k] = 50, 60
	}
	var got []proposal
	propose := func() {
		r.must(r.st.View(t.Context(), func(tx *store.Tx) error {
			s := NodeState{Location: stock.Location{ID: "main", Name: "Berlin"}, Said: &store.Node{Node: homeNode()}, Load: load}
			got = r.d.proposeCaps(tx, s, []NodeState{s}, view.CapacityNode{Row: view.NodeRow{Name: "Berlin"}})
			return nil
		}))
	}
	propose()
	if len(got) != 1 || got[0].cap.PerDay != 12 || got[0].shop != r.conn || !strings.HasPrefix(got[0].Sentence, "Take at most 12 orders a day in ") || got[0].Effect[0].From != "60" || got[0].Effect[0].To != "12" || got[0].cap.Check() != nil {
		t.Errorf("%+v", got)
	}
	load.Waiting = 1_000
	if propose(); len(got) != 1 || got[0].cap.PerDay != 0 || !strings.HasPrefix(got[0].Sentence, "Take no more orders in ") {
		t.Errorf("%+v", got)
	}
	load.Waiting, load.Coming = 0, [loadDays]float64{}
	if propose(); len(got) != 0 {
		t.Errorf("nothing is expected: %+v", got)
	}
}
