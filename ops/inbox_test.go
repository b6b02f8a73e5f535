package ops

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/store"
)

// waiting is what of the inbox is not done.
func (r *rig) waiting() (pending, parked []store.InboxRow) {
	r.t.Helper()
	r.must(r.st.ViewInbox(r.t.Context(), func(tx *store.InboxTx) (err error) {
		if pending, err = tx.InboxPending(1000, 0); err != nil {
			return err
		}
		parked, err = tx.InboxParked(1000)
		return err
	}))
	return pending, parked
}

// A message may be about several orders. It counts as worked in only if none of them was refused, whichever was looked at first.
func TestAMessageIsDoneWhenAllItsOrdersAreTakenIn(t *testing.T) {
	x := newOps(t, "")
	r := &rig{t: t, x: x, st: x.st}
	r.must(r.st.UpdateInbox(t.Context(), func(tx *store.InboxTx) error {
		_, err := tx.InboxAppend([]store.InboxRow{{ID: "good"}, {ID: "mixed"}, {ID: "bad"}, {ID: "other"}})
		return err
	}))
	x.finishMessages(map[string][]string{"1": {"good", "mixed"}, "2": {"mixed", "bad"}}, []Refusal{{ExternalID: "2", Reason: "no such currency"}})
	r.until("one message waits", func() bool { pending, _ := r.waiting(); return len(pending) == 1 && pending[0].ID == "other" })
	got := map[string]string{}
	_, parked := r.waiting()
	for _, row := range parked {
		got[row.ID] = row.Reason
	}
	if diff := cmp.Diff(map[string]string{"mixed": "no such currency", "bad": "no such currency"}, got); diff != "" {
		t.Error(diff)
	}
}

// After a crash between the commit of an order and the mark on its message, the message is looked at again.
func TestAMessageLookedAtAgainChangesNothing(t *testing.T) {
	r := newRig(t)
	id := r.sell("S1", 3)
	var all []string
	done := func() bool {
		all = nil
		r.must(r.st.ViewInbox(t.Context(), func(tx *store.InboxTx) error {
			return tx.InboxIDs(func(_, id string) bool { all = append(all, id); return true })
		}))
		pending, parked := r.waiting()
		return len(all) > 0 && len(pending)+len(parked) == 0
	}
	r.until("messages came and are done", done)
	r.must(r.st.UpdateInbox(t.Context(), func(tx *store.InboxTx) error { _, err := tx.InboxRetry(all); return err }))
	pending, _ := r.waiting()
	if len(pending) == 0 || len(pending) != len(all) {
		t.Fatalf("%d of %d messages wait again", len(pending), len(all))
	}
	for _, row := range pending {
		r.x.dispatch(r.x.vendors[row.Vendor], row)
	}
	r.until("they are done again", done)
	r.must(r.st.View(t.Context(), func(tx *store.Tx) error {
		held, err := tx.ReservationsForOrders([]string{id})
		if len(held) != 1 || held[0].Held != 3 {
			t.Errorf("held: %+v", held)
		}
		if err != nil {
			return err
		}
		balances, err := tx.Balances([]string{"MUG"})
		if len(balances) != 1 || balances[0].OnHand != 100 || balances[0].Reserved != 3 {
			t.Errorf("balances: %+v", balances)
		}
		return err
	}))
}

// A great heap of old messages is deleted in rounds, so that nothing waits long for the inbox.
func TestOldMessagesAreDeletedInRounds(t *testing.T) {
	x := newOps(t, "")
	r := &rig{t: t, x: x, st: x.st}
	old := time.Now()
	later := old.Add(keepInbox + time.Hour) // the housekeeping of the running x deletes none of them
	r.must(r.st.UpdateInbox(t.Context(), func(tx *store.InboxTx) error {
		rows := []store.InboxRow{{ID: "new", ReceivedAt: later, State: store.InboxDone}, {ID: "waits", ReceivedAt: old, State: store.InboxParked}}
		for i := range prunePage*prunePages + 1 {
			rows = append(rows, store.InboxRow{ID: fmt.Sprint(i), ReceivedAt: old, State: store.InboxDone})
		}
		_, err := tx.InboxAppend(rows)
		return err
	}))
	for round, want := range []bool{false, true} {
		if all := x.prune(later); all != want {
			t.Errorf("round %d deleted all: %t", round+1, all)
		}
	}
	var left []string
	r.must(r.st.ViewInbox(t.Context(), func(tx *store.InboxTx) error {
		return tx.InboxIDs(func(_, id string) bool { left = append(left, id); return true })
	}))
	if diff := cmp.Diff([]string{"new", "waits"}, left); diff != "" {
		t.Error(diff)
	}
}

// A message that comes just after a wire has ended is in nobody's hand: whoever works the connection next finds it in the inbox.
func TestAMessageBehindTheEndOfAWireIsInNobodysHand(t *testing.T) {
	r := newRig(t)
	w := r.x.wires.get(r.conn)
	w.stop()
	w.take(delivery{id: "late"})
	if !r.x.wires.inHand.add("late") {
		t.Error("it waits for a wire that has ended")
	}
}

// A process may get a message of a shop that another connected a moment ago. It looks the shop up: who it is about stands in the message's
// header alone, which nobody has later.
func TestAMessageOfAShopJustConnectedIsNotAStrangers(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		r.rest()
		forget := func() {
			r.x.wires.mu.Lock()
			defer r.x.wires.mu.Unlock()
			r.x.wires.shops, r.x.wires.byShop, r.x.wires.ofApp = nil, nil, nil
		}
		forget()
		r.sell("S1", 1)
		r.until("its message is done", func() bool {
			pending, parked := r.waiting()
			if len(parked) > 0 {
				t.Fatalf("set aside: %+v", parked)
			}
			return len(pending) == 0
		})

		// One whose connection is not at work yet waits until it is; a stranger's does not.
		if !r.x.beingConnected(r.conn) || r.x.beingConnected("nobodys") {
			t.Error("who is being connected is not told from a stranger")
		}
		forget()
		if !r.x.beingConnected(r.conn) {
			t.Error("a connection that was not known yet is a stranger")
		}
	})
}
