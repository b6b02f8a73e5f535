package tiktok

import (
	"errors"
	"strings"
	"testing"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/drivertest"
	sim "github.com/spillway/spillway/sim/tiktok"
)

// What the platform ships in several packages only is told before a label is asked for, with the platform's own bounds; its parts ship.
func TestAnOrderThatMustBeSplitIsToldBeforeItShips(t *testing.T) {
	limited := func(region string) func(*sim.Options) {
		return func(o *sim.Options) { o.Shops[0].Region, o.Shops[0].MostInOne = region, 2 }
	}
	for region, must := range map[string]bool{"TH": true, "GB": false} {
		t.Run(region, func(t *testing.T) {
			s := newShop(t, limited(region))
			ch := drivertest.ShippingOf(t, s.harness(t)).RawChannel.(driver.Shipper)
			parcel := func(wanted ...sim.Wanted) (driver.Parcel, []string) {
				id, err := s.PlaceOrder(s.id, wanted, labelled)
				check(t, err)
				lines, err := s.Lines(id)
				check(t, err)
				return driver.Parcel{OrderIDs: []string{id}, Number: id, Lines: []driver.ParcelLine{{ExternalLineIDs: lines, Qty: int64(len(lines))}}, Grams: 420}, lines
			}
			ships := func(p driver.Parcel) error {
				q, err := ch.Quote(t.Context(), p)
				if err == nil {
					_, err = ch.Book(t.Context(), driver.Booking{ID: p.Number, Parcel: p, Quote: q[0], Slot: driver.Slot{DropOff: true}})
				}
				return err
			}
			few, _ := parcel(sim.Wanted{SKU: "MUG-1", Qty: 2})
			check(t, ships(few))
			whole, lines := parcel(sim.Wanted{SKU: "MUG-1", Qty: 2}, sim.Wanted{SKU: "SINGLE", Qty: 1})
			err := ships(whole)
			if !must {
				check(t, err)
				return
			}
			e, ok := errors.AsType[*driver.Error](err)
			if !ok || e.Class != driver.GiveUp || !strings.Contains(e.Message, "at most 2 units of category 600001") {
				t.Fatalf("%v", err)
			}
			_, err = ch.Book(t.Context(), driver.Booking{ID: whole.Number, Parcel: whole, Quote: driver.Quote{ID: packageQuote}, Slot: driver.Slot{DropOff: true}})
			if paid, e := s.LabelsPaid(whole.Number); err == nil || e != nil || paid != 0 {
				t.Errorf("asked all the same: %v, %d labels, %v", err, paid, e)
			}
			mugs, one := whole, whole
			mugs.Lines = []driver.ParcelLine{{ExternalLineIDs: lines[:2], Qty: 2}}
			one.Number, one.Lines = one.Number+"-2", []driver.ParcelLine{{ExternalLineIDs: lines[2:], Qty: 1}}
			_, err = ch.(driver.Packager).MakePackage(t.Context(), driver.Grouping{Parcel: mugs, Others: [][]string{lines[2:]}})
			check(t, err)
			check(t, ships(mugs))
			check(t, ships(one))
		})
	}
}
