package ops

import (
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/store"
)

// Short lines of two shops are two incidents, each with its own units; whoever is told hears of both at once, and of each until it is over.
func TestUnitsThatAreNotThereAreToldByShop(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		w, h := newWatch(t, url), newHooks(t)
		ctx := t.Context()
		w.target("house", alert.Warehouse, h.url())
		w.must(w.x.PutItems(ctx, []catalog.Item{{ID: "mug", SKU: "MUG"}, {ID: "cup", SKU: "CUP"}}))
		line := func(order, item, shop string, short int64) stock.Reservation {
			return stock.Reservation{OrderID: order, LineID: "l", ItemID: item, ConnectionID: shop, Short: short, CreatedAt: w.at.Add(-time.Hour), UpdatedAt: w.at, Version: 1}
		}
		save := func(rs ...stock.Reservation) {
			w.must(w.x.st.Update(ctx, func(tx *store.Tx) error { return tx.ReservationsSave(rs) }))
		}
		w.must(w.x.st.Update(ctx, func(tx *store.Tx) error {
			return tx.ConnectionPut(store.Connection{ID: "north", Name: "Nordlicht", Vendor: "v", State: store.Paused})
		}))
		save(line("north:1", "mug", "north", 2), line("north:2", "mug", "north", 1), line("north:2", "cup", "north", 7), line("south:1", "mug", "south", 4))
		w.pass(6*time.Minute, true)
		units := map[string]int64{}
		for _, i := range w.open() {
			if i.Kind != alert.Short {
				continue
			}
			f, _ := i.Last.Figure("units short")
			units[i.Subject] = f.Value
			if i.Last.Shop != i.Subject || !i.First.At.Equal(w.at.Add(-66*time.Minute)) {
				t.Errorf("%+v", i.Last)
			}
			if i.Subject == "north" && i.Last.Text != "Nordlicht: 10 units of 2 orders were promised and are not there: 7 of CUP, 3 of MUG." {
				t.Error(i.Last.Text)
			}
		}
		if len(units) != 2 || units["north"] != 10 || units["south"] != 4 {
			t.Fatalf("%v", units)
		}
		if got := h.texts(); len(got) != 1 || !strings.Contains(got[0], "2 shops have promised units that are not there") {
			t.Errorf("%q", got)
		}
		done := line("south:1", "mug", "south", 0)
		done.Version = 2
		save(done)
		w.pass(30*time.Minute, true)
		for _, i := range w.open() {
			if i.Kind == alert.Short && i.Subject != "north" {
				t.Errorf("%s has all its units and is told of: %+v", i.Subject, i.Last)
			}
		}
	})
}
