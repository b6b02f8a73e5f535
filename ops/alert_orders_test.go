package ops

import (
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/store"
)

// save stores orders as they are.
func (w *watch) save(orders ...order.Order) {
	w.t.Helper()
	w.must(w.x.st.Update(w.t.Context(), func(tx *store.Tx) error {
		var ids []string
		for _, o := range orders {
			ids = append(ids, o.ID)
		}
		if _, err := tx.OrdersForUpdate(ids); err != nil {
			return err
		}
		return tx.OrdersSave(orders)
	}))
}

func (w *watch) shop(id, name string) {
	w.t.Helper()
	w.must(w.x.st.Update(w.t.Context(), func(tx *store.Tx) error {
		return tx.ConnectionPut(store.Connection{ID: id, Name: name, Vendor: "v", State: store.Paused})
	}))
}

func returned(w *watch, shop, id string, by time.Duration) order.Order {
	o := order.Order{ID: order.ID(shop, id), ConnectionID: shop, ExternalID: id, Status: order.Completed, Returns: []order.Return{{ID: "r" + id, StatusText: "pending"}}}
	if by != 0 {
		o.Returns[0].AnswerBy = w.at.Add(by)
	}
	return o
}

func TestRefundsAreToldBeforeThePlatformDecides(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		w := newWatch(t, url)
		w.shop("a", "Nordlicht")
		w.shop("b", "Outlet")
		w.save(returned(w, "a", "1001", 11*time.Hour), returned(w, "a", "1002", 2*time.Hour), returned(w, "a", "1003", 13*time.Hour), returned(w, "a", "1004", 0),
			returned(w, "b", "2001", -time.Hour), returned(w, "b", "2002", 12*time.Hour))
		seen := w.x.look(t.Context(), w.at)
		s, any := find(t, seen.Signals, alert.RefundAnswer, "a")
		if f, _ := s.Figure("returns and refunds"); !any || s.Severity != alert.Critical || f.Value != 2 || strings.Index(s.Text, "1002") > strings.Index(s.Text, "1001") || !strings.Contains(s.Text, "Nordlicht") {
			t.Errorf("%+v", s)
		}
		if s, any := find(t, seen.Signals, alert.RefundAnswer, "b"); !any || s.Severity != alert.Warning || strings.Contains(s.Text, "2001") {
			t.Errorf("%+v", s)
		}
		w.pass(time.Minute, false)
		if got := w.open(); len(got) != 2 {
			t.Fatalf("%d incidents", len(got))
		}
		// Answered: a newer fact asks for nothing. It goes away again.
		w.save(returned(w, "a", "1001", 0), returned(w, "a", "1002", 0), returned(w, "b", "2002", 0))
		w.pass(7*time.Minute, false)
		if got := w.open(); len(got) != 0 {
			t.Errorf("still open: %+v", got[0].Last)
		}
	})
}

// More lead time is asked for by the rule, and holds without a restart.
func TestLeadTimeIsTheRules(t *testing.T) {
	w := newWatch(t, "sqlite:"+t.TempDir()+"/a.db")
	w.shop("a", "Nordlicht")
	w.save(returned(w, "a", "1", 20*time.Hour))
	if _, any := find(t, w.x.look(t.Context(), w.at).Signals, alert.RefundAnswer, "a"); any {
		t.Error("20 hours ahead it is told by 12")
	}
	r := alert.Config{}.Rule(alert.RefundAnswer)
	r.Warn, r.Critical = 24*3600, 0
	_, err := w.x.SetAlertRule(t.Context(), r, "lena")
	w.must(err)
	if s, any := find(t, w.x.look(t.Context(), w.at).Signals, alert.RefundAnswer, "a"); !any || s.Severity != alert.Warning {
		t.Errorf("%+v", s)
	}
}

func TestOrdersWithoutATrackingNumber(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	base := func(status order.Status, parcels ...order.Parcel) order.Order {
		return order.Order{ID: "a:1", ConnectionID: "a", ExternalID: "1", Status: status, Detail: order.Detail{CreatedAt: at.Add(-day), Fulfilment: order.BySeller, Parcels: parcels,
			Deadlines: order.Deadlines{ShipBy: at.Add(5 * time.Hour), HandOverBy: at.Add(4 * time.Hour)}}}
	}
	with := func(o order.Order, change func(*order.Order)) order.Order { change(&o); return o }
	for name, c := range map[string]struct {
		o    order.Order
		want bool
	}{
		"a parcel without a number":   {base(order.AwaitingCollection, order.Parcel{Ref: "p"}), true},
		"with one":                    {base(order.AwaitingCollection, order.Parcel{Ref: "p", Tracking: "1Z"}), false},
		"one of two":                  {base(order.PartiallyShipping, order.Parcel{Ref: "p", Tracking: "1Z"}, order.Parcel{Ref: "q"}), true},
		"no parcel yet":               {base(order.AwaitingShipment), false},
		"has left without a parcel":   {with(base(order.InTransit), func(o *order.Order) { o.Moments.HandedOverAt = at.Add(-time.Hour) }), true},
		"left days ago":               {with(base(order.InTransit), func(o *order.Order) { o.Moments.HandedOverAt = at.Add(-4 * day) }), false},
		"the label is the platform's": {with(base(order.AwaitingCollection, order.Parcel{Ref: "p"}), func(o *order.Order) { o.Flags.PlatformLabel = true }), false},
		"the platform ships":          {with(base(order.AwaitingCollection, order.Parcel{Ref: "p"}), func(o *order.Order) { o.Fulfilment = order.ByPlatform }), false},
		"cancelled":                   {base(order.Cancelled, order.Parcel{Ref: "p"}), false},
		"nobody says by when":         {with(base(order.AwaitingCollection, order.Parcel{Ref: "p"}), func(o *order.Order) { o.Deadlines = order.Deadlines{} }), false},
	} {
		by, missing := trackingMissing(&c.o, at)
		if missing != c.want || (missing && !by.Equal(at.Add(4*time.Hour))) {
			t.Errorf("%s: %s %v", name, by, missing)
		}
	}
}

func TestAMissingTrackingNumberIsToldAndGoesAway(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		w := newWatch(t, url)
		w.shop("a", "Nordlicht")
		ready := func(id string, by time.Duration, tracking string) order.Order {
			return order.Order{ID: order.ID("a", id), ConnectionID: "a", ExternalID: id, Status: order.AwaitingCollection, Detail: order.Detail{CreatedAt: w.at.Add(-day), Fulfilment: order.BySeller,
				Deadlines: order.Deadlines{HandOverBy: w.at.Add(by)}, Parcels: []order.Parcel{{Ref: "p" + id, Tracking: tracking}}}}
		}
		start := w.at
		w.save(ready("1001", 6*time.Hour, ""), ready("1002", -time.Hour, ""), ready("1003", 20*time.Hour, ""), ready("1004", time.Hour, "1Z"))
		got, err := w.x.trackingSignals(t.Context(), &alert.Config{}, w.at)
		w.must(err)
		s, any := find(t, got, alert.TrackingUpload, "a")
		if f, _ := s.Figure("orders without a tracking number"); !any || s.Severity != alert.Critical || f.Value != 2 || strings.Index(s.Text, "1002") > strings.Index(s.Text, "1001") || strings.Contains(s.Text, "1003") {
			t.Errorf("%+v", got)
		}
		w.pass(12*time.Minute, false)
		open := 0
		for _, i := range w.open() {
			if i.Kind == alert.TrackingUpload {
				open++
			}
		}
		if open != 1 {
			t.Errorf("%d incidents of one shop", open)
		}
		w.save(ready("1001", 6*time.Hour-w.at.Sub(start), "1Z1"), ready("1002", -2*time.Hour, "1Z2"))
		w.pass(13*time.Minute, false)
		for _, i := range w.open() {
			if i.Kind == alert.TrackingUpload {
				t.Errorf("still open: %+v", i.Last)
			}
		}
	})
}
