package storetest

import (
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/store"
)

var orderCases = []testcase{
	{"orders come back as they went in", ordersRoundTrip},
	{"orders are found by what people know", ordersFound},
	{"orders are found by their parcels and cases", ordersFoundByRefs},
	{"orders that are over are listed newest first", ordersEnded},
	{"lists of one shop hold its orders only, page after page", ordersOfShop},
	{"orders are counted", ordersCounted},
	{"an order is not saved over a change it has not seen", ordersStale},
}

// fact is a whole order as a platform shows it.
func fact(external string, status order.Status, at time.Time) order.Fact {
	return order.Fact{Kind: order.Snapshot, ConnectionID: "shop", ExternalID: external, UpdatedAt: at, ReadAt: at, Status: status, Detail: &order.Detail{
		Number: "#" + external, Fulfilment: order.BySeller, CreatedAt: at, BuyerHash: "buyer of " + external,
		Deadlines: order.Deadlines{ShipBy: at.Add(24 * time.Hour)},
		Totals:    order.Totals{Total: money.Amount{Minor: 1999, Currency: "USD"}},
		Lines: []order.Line{{ExternalLineID: "1", ExternalSKU: "sku", SellerSKU: "a", Title: "Cup 🎁", Qty: 2,
			UnitPrice: money.Amount{Minor: 999, Currency: "USD"}}},
	}}
}

func merged(t *testing.T, known *order.Order, f order.Fact) order.Order {
	t.Helper()
	o, _, err := order.Merge(known, f)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func ordersRoundTrip(t *testing.T, d *database) {
	first, second := merged(t, nil, fact("1", order.AwaitingShipment, day)), merged(t, nil, fact("2", order.Unpaid, day.Add(time.Minute)))
	d.update(t, func(tx *store.Tx) error { return tx.OrdersSave([]order.Order{first, second}) })
	d.update(t, func(tx *store.Tx) error {
		got, err := tx.OrdersForUpdate([]string{"shop:2", "shop:1", "shop:9"})
		if diff := cmp.Diff([]order.Order{first, second}, got); diff != "" {
			t.Error(diff)
		}
		if err != nil {
			return err
		}
		changed := merged(t, &got[0], fact("1", order.InTransit, day.Add(time.Hour)))
		if err := tx.OrdersSave([]order.Order{changed}); err != nil {
			return err
		}
		changed = merged(t, &changed, fact("1", order.Delivered, day.Add(2*time.Hour))) // twice in one transaction
		return tx.OrdersSave([]order.Order{changed})
	})
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.OrdersGet([]string{"shop:1"})
		if len(got) != 1 || got[0].Status != order.Delivered {
			t.Errorf("%+v", got)
		}
		return err
	})
	d.fails(t, errs.Invalid, func(tx *store.Tx) error { return tx.OrdersSave([]order.Order{{ID: "x"}}) })
}

func ordersFound(t *testing.T, d *database) {
	d.update(t, func(tx *store.Tx) error {
		return tx.OrdersSave([]order.Order{merged(t, nil, fact("576460", order.Unpaid, day)), merged(t, nil, fact("2", order.Unpaid, day.Add(time.Hour)))})
	})
	d.view(t, func(tx *store.Tx) error {
		for _, text := range []string{"shop:576460", "576460", "#576460", "buyer of 576460"} {
			got, err := tx.OrderFind(text, 10)
			if err != nil {
				return err
			}
			if len(got) != 1 || got[0].ExternalID != "576460" {
				t.Errorf("looking for %q found %d orders", text, len(got))
			}
		}
		if got, err := tx.OrderFind("", 10); err != nil || len(got) != 0 {
			t.Errorf("looking for nothing found %d orders: %v", len(got), err)
		}
		return nil
	})
}

func ordersFoundByRefs(t *testing.T, d *database) {
	f := fact("1", order.Unpaid, day)
	f.Detail.RelatedOrder = "0815"
	f.Detail.Lines[0].Qty = 3
	for i, parcel := range []string{"parcel 1", "parcel 1", "parcel 2"} {
		f.Detail.Lines[0].Units = append(f.Detail.Lines[0].Units, order.Unit{ExternalLineID: string(rune('a' + i)), PackageRef: parcel})
	}
	o := merged(t, nil, f)
	o.Cancellations, o.Returns = []order.Cancellation{{ID: "case 7"}}, []order.Return{{ID: "case 8"}}
	d.update(t, func(tx *store.Tx) error { return tx.OrdersSave([]order.Order{o}) })
	d.update(t, func(tx *store.Tx) error { // again, with one more
		got, err := tx.OrdersForUpdate([]string{o.ID})
		if err != nil {
			return err
		}
		got[0].Returns = append(got[0].Returns, order.Return{ID: "case 9"})
		return tx.OrdersSave(got)
	})
	file := filepath.Join(t.TempDir(), "all.backup")
	if err := d.Backup(d.ctx, file); err != nil {
		t.Fatal(err)
	}
	url := d.fresh(t)
	if err := store.Restore(d.ctx, url, file); err != nil {
		t.Fatal(err)
	}
	for _, d := range []*database{d, open(t, url)} { // refs are in no backup: they follow from the orders
		d.view(t, func(tx *store.Tx) error {
			for _, text := range []string{"0815", "parcel 1", "parcel 2", "case 7", "case 8", "case 9"} {
				if got, err := tx.OrderFind(text, 10); err != nil || len(got) != 1 {
					t.Errorf("looking for %q found %d orders: %v", text, len(got), err)
				}
			}
			return nil
		})
	}
}

func ordersEnded(t *testing.T, d *database) {
	d.update(t, func(tx *store.Tx) error {
		var all []order.Order
		for i, s := range []order.Status{order.Unpaid, order.InTransit, order.Completed, order.InTransit, order.InTransit} {
			all = append(all, merged(t, nil, fact(strconv.Itoa(i), s, day.Add(time.Duration(i)*time.Minute))))
		}
		return tx.OrdersSave(all)
	})
	d.view(t, func(tx *store.Tx) error {
		var ids []string
		for before := (store.DuePlace{}); ; {
			got, err := tx.PlacesEnded(order.InTransit, before, 2)
			if err != nil {
				return err
			}
			if len(got) == 0 {
				break
			}
			for _, p := range got {
				ids = append(ids, p.ID)
				before = p
			}
		}
		if want := []string{"shop:4", "shop:3", "shop:1"}; !slices.Equal(ids, want) {
			t.Errorf("%q, want %q", ids, want)
		}
		got, err := tx.PlacesEnded(order.Unpaid, store.DuePlace{}, 9)
		if len(got) != 0 {
			t.Errorf("%d open orders are listed as ended", len(got))
		}
		return err
	})
}

// A shop's id may begin another's: "shop" and "shop-two".
func ordersOfShop(t *testing.T, d *database) {
	want := map[string][]string{}
	d.update(t, func(tx *store.Tx) error {
		var all []order.Order
		for i := range 30 {
			f := fact(strconv.Itoa(i), []order.Status{order.AwaitingShipment, order.Completed}[i%2], day.Add(time.Duration(i)*time.Minute))
			f.ConnectionID = []string{"shop", "shop-two", "shop2"}[i%3]
			if i%4 == 0 {
				f.Detail.Deadlines = order.Deadlines{}
			}
			o := merged(t, nil, f)
			list := f.ConnectionID + " ended"
			if i%2 == 0 {
				list = f.ConnectionID + " due"
				if i%4 == 0 {
					list = f.ConnectionID + " not due"
				}
				want[list] = append(want[list], o.ID)
			} else {
				want[list] = append([]string{o.ID}, want[list]...)
			}
			all = append(all, o)
		}
		return tx.OrdersSave(all)
	})
	d.view(t, func(tx *store.Tx) error {
		for _, shop := range []string{"shop", "shop-two", "shop2", "sho"} {
			for list, read := range map[string]func(store.DuePlace) ([]store.DuePlace, error){
				"due": func(p store.DuePlace) ([]store.DuePlace, error) {
					return tx.PlacesByDue(shop, order.AwaitingShipment, p, 2)
				},
				"not due": func(p store.DuePlace) ([]store.DuePlace, error) {
					return tx.PlacesWithoutDue(shop, order.AwaitingShipment, p, 2)
				},
				"ended": func(p store.DuePlace) ([]store.DuePlace, error) { return tx.PlacesOfShop(shop, order.Completed, p, 2) },
			} {
				var got []string
				for place := (store.DuePlace{}); ; {
					page, err := read(place)
					if err != nil {
						return err
					}
					if len(page) == 0 {
						break
					}
					for _, place = range page {
						got = append(got, place.ID)
					}
				}
				if want := want[shop+" "+list]; !slices.Equal(got, want) {
					t.Errorf("%s, %s: %q, want %q", shop, list, got, want)
				}
			}
		}
		newest, err := tx.PlacesNewest(store.DuePlace{}, 3)
		if err == nil && (len(newest) != 3 || newest[0].ID != "shop2:29" || newest[2].ID != "shop:27") {
			t.Errorf("the newest are %v", newest)
		}
		return err
	})
}

func ordersCounted(t *testing.T, d *database) {
	notice := order.Fact{Kind: order.StatusNotice, ConnectionID: "shop", ExternalID: "9", UpdatedAt: day, Status: order.AwaitingShipment}
	d.update(t, func(tx *store.Tx) error {
		return tx.OrdersSave([]order.Order{merged(t, nil, fact("1", order.Unpaid, day)), merged(t, nil, fact("2", order.AwaitingShipment, day.Add(time.Minute))),
			merged(t, nil, fact("3", order.AwaitingShipment, day.Add(time.Minute))), merged(t, nil, notice)})
	})
	d.view(t, func(tx *store.Tx) error {
		counts, err := tx.OrderCounts()
		if diff := cmp.Diff(map[order.Status]int64{order.Unpaid: 1, order.AwaitingShipment: 3}, counts); diff != "" {
			t.Error(diff)
		}
		if err != nil {
			return err
		}
		open, err := tx.OrdersNeedingDetail("shop", 10)
		if !slices.Equal(open, []string{"9"}) {
			t.Errorf("to be read again: %q", open)
		}
		if err != nil {
			return err
		}
		minutes, err := tx.OrdersPerMinute(day.Add(30 * time.Second))
		want := []store.MinuteCount{{Minute: day.Add(time.Minute).Truncate(time.Minute), Orders: 2}}
		if diff := cmp.Diff(want, minutes); diff != "" {
			t.Error(diff)
		}
		return err
	})
}

func ordersStale(t *testing.T, d *database) {
	o := merged(t, nil, fact("1", order.Unpaid, day))
	d.update(t, func(tx *store.Tx) error { return tx.OrdersSave([]order.Order{o}) })
	runs := 0
	err := d.Update(d.ctx, func(tx *store.Tx) error { runs++; return tx.OrdersSave([]order.Order{o}) })
	if !errs.Is(err, errs.Conflict) || runs < 2 {
		t.Errorf("saving unread: %v after %d runs", err, runs)
	}
}
