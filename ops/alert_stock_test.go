package ops

import (
	"testing"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/store"
)

// sells stores a listing of item that has sold n units in the last three days, evenly.
func (w *watch) sells(item string, n int) {
	w.t.Helper()
	b := allocation.NewBook("a:"+item, allocation.Absolute, 1_000, w.at.Add(-3*day), w.at.Add(-3*day), time.Time{})
	for i := range n {
		b.Rate = b.Rate.Observe(1, w.at.Add(-3*day+time.Duration(i)*3*day/time.Duration(n)))
	}
	w.must(w.x.st.Update(w.t.Context(), func(tx *store.Tx) error {
		if err := tx.ListingPut([]catalog.Listing{{ID: "a:" + item, ConnectionID: "a", ExternalSKU: item, ItemID: item, Active: true}}); err != nil {
			return err
		}
		return tx.BooksSave([]store.BookRow{{ListingID: "a:" + item, ConnectionID: "a", State: jsonOf(b)}})
	}))
}

func (w *watch) receive(id, item string, qty int64) {
	w.t.Helper()
	w.must(w.x.Move(w.t.Context(), "test", []stock.Movement{{ID: id, Kind: stock.Receive, ItemID: item, LocationID: "main", OnHand: qty, At: w.at}}, nil))
}

// An item that lasts two days at the rate it sells is told of once, whatever the rate does meanwhile, and no more when units have come.
func TestStockThatRunsOutIsToldAhead(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		w := newWatch(t, url)
		w.shop("a", "Nordlicht")
		w.must(w.x.st.Update(t.Context(), func(tx *store.Tx) error {
			return tx.LocationPut(stock.Location{ID: "main", Name: "Main", Kind: stock.Own, Active: true})
		}))
		w.must(w.x.PutItems(t.Context(), []catalog.Item{{ID: "mug", SKU: "MUG-1"}, {ID: "lamp", SKU: "LAMP"}, {ID: "quiet", SKU: "QUIET"}}))
		w.sells("mug", 72)  // about one an hour
		w.sells("lamp", 72) // as many
		w.sells("quiet", 1)
		w.receive("r1", "mug", 30)
		w.receive("r2", "lamp", 300)
		w.receive("r3", "quiet", 1)
		w.must(w.x.LoadOnly(t.Context()))
		got, err := w.x.stockSignals(t.Context(), &alert.Config{}, w.at)
		w.must(err)
		s, any := find(t, got, alert.StockAhead, "mug")
		left, _ := s.Figure("time left")
		if !any || len(got) != 1 || s.Severity != alert.Warning || s.Fading || left.Value < 20*3600 || left.Value > 40*3600 {
			t.Errorf("%+v", got)
		}
		w.pass(17*time.Minute, false)
		if n := w.ahead(); n != 1 {
			t.Fatalf("%d incidents", n)
		}
		// A little more is not enough to end it: the margin is a quarter of the limit.
		w.receive("r4", "mug", 20)
		w.pass(65*time.Minute, false)
		if n := w.ahead(); n != 1 {
			t.Errorf("ended within the margin: %d", n)
		}
		w.receive("r5", "mug", 200)
		w.pass(70*time.Minute, false)
		if n := w.ahead(); n != 0 {
			t.Errorf("units have come and %d are open", n)
		}
	})
}

func (w *watch) ahead() (n int) {
	w.t.Helper()
	for _, i := range w.open() {
		if i.Kind == alert.StockAhead {
			n++
		}
	}
	return n
}

// An incident is opened by the limit, kept open up to its margin, and by what has run out neither opened nor ended.
func TestAnItemIsGradedByTheTimeItLasts(t *testing.T) {
	rule := alert.Config{}.Rule(alert.StockAhead)
	cat := &catalogue{items: map[string]catalog.Item{"mug": {ID: "mug", SKU: "MUG-1"}}}
	for name, c := range map[string]struct {
		r           runningOut
		want        alert.Severity
		any, fading bool
	}{
		"soon":              {runningOut{item: "mug", units: 5, perDay: 5, left: day}, alert.Warning, true, false},
		"on the limit":      {runningOut{item: "mug", units: 5, perDay: 5, left: 48 * time.Hour}, alert.Warning, true, false},
		"just above":        {runningOut{item: "mug", units: 5, perDay: 5, left: 50 * time.Hour}, alert.Warning, true, true},
		"beyond the margin": {runningOut{item: "mug", units: 5, perDay: 5, left: 61 * time.Hour}, "", false, false},
		"gone: opens none":  {runningOut{item: "mug", perDay: 5}, alert.Warning, true, true},
	} {
		s, any := stockSignal(rule, c.r, cat)
		if any != c.any || s.Fading != c.fading || (any && s.Severity != c.want) {
			t.Errorf("%s: %+v %v", name, s, any)
		}
	}
	s, _ := stockSignal(rule, runningOut{item: "mug", units: 12, kept: 8, perDay: 24, left: 4 * time.Hour}, cat)
	if f, any := s.Figure("kept for live events"); !any || f.Value != 8 {
		t.Errorf("%+v", s)
	}
}
