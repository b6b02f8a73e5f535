package ops

import (
	"fmt"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/store"
)

func find(t *testing.T, all []alert.Signal, k alert.Kind, subject string) (alert.Signal, bool) {
	t.Helper()
	for _, s := range all {
		if s.Kind == k && s.Subject == subject {
			if s.Text == "" {
				t.Errorf("%v says nothing", s.Cause)
			}
			return s, true
		}
	}
	return alert.Signal{}, false
}

func TestRequestsToCancelAreToldBeforeThePlatformDecides(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	rule := alert.Config{}.Rule(alert.CancelAnswer)
	answerSoon, answerNow := time.Duration(rule.Warn)*time.Second, time.Duration(rule.Critical)*time.Second
	asked := func(id string, by time.Duration, state order.CancelState) order.Order {
		return order.Order{ID: id, ConnectionID: "c", Status: order.AwaitingShipment, Cancellations: []order.Cancellation{{ID: "1", State: state, AnswerBy: at.Add(by)}}}
	}
	for name, c := range map[string]struct {
		orders []order.Order
		want   alert.Severity // empty: none
		n      int64
	}{
		"none":     {nil, "", 0},
		"far":      {[]order.Order{asked("a", answerSoon+time.Second, order.CancelPending)}, "", 0},
		"soon":     {[]order.Order{asked("a", answerSoon, order.CancelPending)}, alert.Warning, 1},
		"now":      {[]order.Order{asked("a", answerSoon, order.CancelPending), asked("b", answerNow, order.CancelPending)}, alert.Critical, 2},
		"answered": {[]order.Order{asked("a", time.Hour, order.CancelAccepted)}, "", 0},
		"passed":   {[]order.Order{asked("a", -time.Second, order.CancelPending)}, "", 0},
		"undated":  {[]order.Order{{ID: "a", ConnectionID: "c", Cancellations: []order.Cancellation{{State: order.CancelPending}}}}, "", 0},
		"cancelled": {[]order.Order{func() order.Order {
			o := asked("a", time.Hour, order.CancelPending)
			o.Status = order.Cancelled
			return o
		}()}, "", 0},
	} {
		got := cancelSignals(c.orders, rule, nil, at)
		s, any := find(t, got, alert.CancelAnswer, "c")
		if any != (c.want != "") || s.Severity != c.want {
			t.Errorf("%s: %+v", name, got)
		}
		if f, _ := s.Figure("requests"); f.Value != c.n {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestALoginThatEndsGrowsLouder(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	rule := alert.Config{}.Rule(alert.TokenExpiry)
	tokenWeek, tokenNow := time.Duration(rule.Warn)*time.Second, time.Duration(rule.Critical)*time.Second
	for left, want := range map[time.Duration]alert.Severity{tokenSoon + time.Hour: "", tokenSoon: alert.Info, tokenWeek: alert.Warning, tokenNow: alert.Critical, -time.Hour: alert.Critical} {
		got := tokenSignal(store.Grant{ID: "g", SellerName: "Ann", RefreshExpiresAt: at.Add(left)}, rule, at)
		if s, any := find(t, got, alert.TokenExpiry, "g"); any != (want != "") || s.Severity != want {
			t.Errorf("%s: %+v", left, got)
		}
	}
	if got := tokenSignal(store.Grant{ID: "g"}, rule, at); len(got) != 0 {
		t.Errorf("one that does not end: %+v", got)
	}
}

func TestNothingIsToldWhenNoPushIsTaken(t *testing.T) {
	c := store.Connection{ID: "c"}
	for _, x := range []struct {
		outcomes map[string]int64
		want     bool
	}{{nil, false}, {map[string]int64{"unknown": fewPushes - 1}, false}, {map[string]int64{"unknown": 3, "refused": 2}, true}, {map[string]int64{"refused": 500, "confirmed": 1}, false}} {
		if got := pushSignal(c, x.outcomes); len(got) != 0 != x.want {
			t.Errorf("%v: %+v", x.outcomes, got)
		}
	}
}

// A shop whose orders pass three times the average of its days is in a spike; one that is young, or sells a handful, is not.
func TestASpikeIsSeenOnBothDatabases(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		w := newWatch(t, url)
		ctx := t.Context()
		w.must(w.x.st.Update(ctx, func(tx *store.Tx) error {
			for _, id := range []string{"old", "calm", "small", "young"} {
				if err := tx.ConnectionPut(store.Connection{ID: id, Vendor: "v", State: store.Active}); err != nil {
					return err
				}
			}
			var os []order.Order
			add := func(shop string, n int, ago time.Duration) {
				for i := range n {
					id := fmt.Sprintf("%s-%d", ago, i)
					os = append(os, order.Order{ID: order.ID(shop, id), ConnectionID: shop, ExternalID: id, Status: order.AwaitingShipment, Detail: order.Detail{CreatedAt: w.at.Add(-ago)}})
				}
			}
			for d := 1; d <= usualDays; d++ {
				add("old", 10, time.Duration(d)*day+time.Hour)
				add("calm", 10, time.Duration(d)*day+time.Hour)
				add("small", 1, time.Duration(d)*day+time.Hour)
			}
			add("old", 31, time.Hour)
			add("calm", 30, time.Hour)
			add("small", fewOrders-1, time.Hour)
			add("young", 100, time.Hour)
			return tx.OrdersSave(os)
		}))
		got, err := w.x.spikeSignals(ctx, &alert.Config{}, w.at)
		w.must(err)
		s, any := find(t, got, alert.OrderSpike, "old")
		if f, _ := s.Figure("times the daily average"); !any || f.Value != 3_100 || s.Fading {
			t.Errorf("%+v", got)
		}
		if s, any := find(t, got, alert.OrderSpike, "calm"); !any || !s.Fading { // exactly on the limit
			t.Errorf("%+v", s)
		}
		if len(got) != 2 {
			t.Errorf("%+v", got)
		}
	})
}

// A number that somebody changed on the channel, and that cannot be put right, is told of until it is: also when that takes days.
func TestANumberThatCannotBePutRightIsToldOfForDays(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		w := newWatch(t, url)
		ctx := t.Context()
		state := func(id string, of func(*allocation.Book)) {
			w.must(w.x.st.Update(ctx, func(tx *store.Tx) error {
				set, err := w.x.loadBooks(tx, []string{id})
				if err != nil {
					return err
				}
				b, known := set.Books[id]
				if !known {
					b = allocation.NewBook(id, allocation.Absolute, 4, w.at, w.at, w.at)
				}
				of(&b)
				set.Books[id] = b
				return w.x.saveBooks(tx, set, []string{id})
			}))
		}
		w.must(w.x.st.Update(ctx, func(tx *store.Tx) error {
			if err := tx.ConnectionPut(store.Connection{ID: "c", Name: "Nordlicht", Vendor: "v", State: store.Active}); err != nil {
				return err
			}
			if err := tx.ListingPut([]catalog.Listing{{ID: "c:1", ConnectionID: "c", ExternalSKU: "1", Active: true}, {ID: "c:2", ConnectionID: "c", ExternalSKU: "2", Active: true}}); err != nil {
				return err
			}
			return tx.DriftAppend([]store.Drift{{ListingID: "c:1", FoundAt: w.at.Add(-50 * time.Hour), Found: 9}, {ListingID: "c:2", FoundAt: w.at.Add(-50 * time.Hour), Found: 9}})
		}))
		w.must(w.x.reloadCatalogue(ctx))
		state("c:1", func(b *allocation.Book) { b.RetryAt = w.at.Add(time.Minute) })
		state("c:2", func(b *allocation.Book) { b.Repair = true }) // what it shows may be right by chance
		drifted := func() int64 {
			s, any := find(t, w.x.look(ctx, w.at).Signals, alert.Drift, "c")
			if !any {
				return 0
			}
			f, _ := s.Figure("listings")
			return f.Value
		}
		if n := drifted(); n != 1 {
			t.Errorf("%d listings cannot be put right, want 1", n)
		}
		state("c:1", func(b *allocation.Book) { b.RetryAt = time.Time{} })
		if n := drifted(); n != 0 {
			t.Errorf("%d listings cannot be put right after it was", n)
		}
	})
}

func TestTheProgramSeesWhatIsWrongWithIt(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		w := newWatch(t, url)
		ctx := t.Context()
		at := w.at
		w.must(w.x.st.Update(ctx, func(tx *store.Tx) error {
			for _, err := range []error{
				tx.ConnectionPut(store.Connection{ID: "c", Name: "Nordlicht", Vendor: "v", State: store.Active}),
				tx.ConnectionPut(store.Connection{ID: "p", Vendor: "v", State: store.Paused}),
				tx.ConnectionState("c", store.NeedsLogin, "expired"),
				tx.GrantPut(store.Grant{ID: "g", RefreshExpiresAt: at.Add(time.Hour)}),
				tx.OrdersSave([]order.Order{{ID: "c:1", ConnectionID: "c", ExternalID: "1", Status: order.AwaitingShipment, Cancel: order.Cancel{RequestOpen: true},
					Detail:        order.Detail{CreatedAt: at, Deadlines: order.Deadlines{ShipBy: at.Add(-time.Minute)}},
					Cancellations: []order.Cancellation{{ID: "x", State: order.CancelPending, AnswerBy: at.Add(time.Hour)}}}}),
				tx.SettingSet(upkeepSetting, string(jsonOf(Upkeep{At: at, Failed: "the disk is full"}))),
			} {
				if err != nil {
					return err
				}
			}
			var ps []store.Push
			for range fewPushes {
				ps = append(ps, store.Push{ListingID: "c:1", ConnectionID: "c", Outcome: "refused", SentAt: at.Add(-time.Minute)})
			}
			return tx.PushLogAppend(ps)
		}))
		w.must(w.x.st.UpdateInbox(ctx, func(tx *store.InboxTx) error {
			if _, err := tx.InboxAppend([]store.InboxRow{{ID: "a", ConnectionID: "c", ReceivedAt: at.Add(-time.Hour), State: store.InboxPending}, {ID: "b", ReceivedAt: at}}); err != nil {
				return err
			}
			return tx.InboxPark("b", "odd")
		}))
		seen := w.x.look(ctx, at)
		if seen.AllBlind || len(seen.Blind) != 0 {
			t.Errorf("blind: %+v", seen)
		}
		for _, want := range []alert.Cause{{Kind: alert.ConnectionDown, Subject: "c"}, {Kind: alert.TokenExpiry, Subject: "g"}, {Kind: alert.PushStuck, Subject: "c"}, {Kind: alert.InboxStuck, Subject: "c"},
			{Kind: alert.InboxStuck, Subject: "parked"}, {Kind: alert.CancelAnswer, Subject: "c"}, {Kind: alert.LateOrders, Subject: "c"}, {Kind: alert.Upkeep, Subject: "database"}} {
			if _, any := find(t, seen.Signals, want.Kind, want.Subject); !any {
				t.Errorf("%v is not seen", want)
			}
		}
		if _, any := find(t, seen.Signals, alert.ConnectionDown, "p"); any {
			t.Error("a connection somebody paused is told of")
		}
	})
}
