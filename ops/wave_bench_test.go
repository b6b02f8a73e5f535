//go:build unix

package ops

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/store"
)

// plants are six nodes: where they are, what they get done in an hour, what an order costs there, in cents.
var plants = []struct {
	id, state, postal string
	perHour, order    int64
}{{"reno", "NV", "89401", 160, 130}, {"dallas", "TX", "75201", 120, 140}, {"newark", "NJ", "07101", 140, 190},
	{"atlanta", "GA", "30301", 80, 170}, {"chicago", "IL", "60601", 60, 185}, {"angeles", "CA", "90001", 15, 220}}

// plant makes the nodes, with two lanes each.
func plant(b *testing.B, x *Ops) {
	usd := func(n int64) money.Amount { return money.Amount{Minor: n, Currency: "USD"} }
	err := x.st.Update(b.Context(), func(tx *store.Tx) error {
		for _, p := range plants {
			if err := tx.LocationPut(stock.Location{ID: p.id, Name: p.id, Kind: stock.Own, Active: true}); err != nil {
				return err
			}
			n := network.Node{ID: p.id, Name: p.id, Kind: network.Own, Active: true, Zone: "America/Chicago", Place: network.Place{Country: "US", State: p.state, Postal: p.postal},
				Costs: network.Costs{PerOrder: usd(p.order), PerLine: usd(12), PerUnit: usd(4), PerParcel: usd(35)}}
			for day := time.Sunday; day <= time.Saturday; day++ {
				n.Shifts = append(n.Shifts, network.Shift{Weekday: day, From: 7 * 3600, Until: 19 * 3600, PerHour: p.perHour})
			}
			for k, name := range []string{"Ground", "Two day"} {
				l := network.Lane{Carrier: name, MaxGrams: 30_000, Tariff: network.Tariff{PerPound: usd(int64(55 + 85*k))}}
				for z := 1; z <= 9; z++ {
					l.Tariff.ByZone[z], l.Days[z] = usd(int64(480+470*k+(45+25*k)*z)), 2+z/2*(1-k)
				}
				n.Lanes = append(n.Lanes, l)
			}
			if err := tx.NodePut(n, 0, "lena"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// demanded makes orders of as many lines in the mean, what sells most in most of them, and about as much stock of each item as is asked for, unevenly.
func demanded(b *testing.B, x *Ops, n, lines int) []string {
	const items = 2000
	r := rand.New(rand.NewPCG(1, 5))
	zipf := rand.NewZipf(r, 1.2, 20, items-1)
	asked := make([]int64, items)
	orders := make([]order.Order, n)
	at := time.Now().UTC().Truncate(time.Second)
	places := [][2]string{{"US-CA", "902"}, {"US-TX", "770"}, {"US-NY", "112"}, {"US-FL", "331"}, {"US-IL", "606"}, {"US-WA", "981"}, {"US-GA", "303"}, {"US-CO", "802"}}
	ids := make([]string, n)
	for i := range orders {
		ids[i] = fmt.Sprintf("c:%05d", i)
		to := places[r.IntN(len(places))]
		o := order.Order{ID: ids[i], ConnectionID: "c", ExternalID: fmt.Sprint(i), Status: order.AwaitingShipment, UpdatedAt: at}
		o.Region, o.PostalPrefix, o.CreatedAt = to[0], to[1], at
		o.Deadlines.HandOverBy = at.Add(time.Duration(30+r.IntN(40)) * time.Hour)
		seen := map[int]bool{}
		for range 1 + r.IntN(2*lines-1) {
			k := int(zipf.Uint64())
			if seen[k] {
				continue
			}
			seen[k] = true
			q := int64(1 + r.IntN(4))
			asked[k] += q
			key := fmt.Sprintf("i%04d", k)
			o.Lines = append(o.Lines, order.Line{Key: key, ExternalLineID: key, ExternalSKU: key, SellerSKU: key, Qty: q})
		}
		orders[i] = o
	}
	var all []catalog.Item
	var listings []catalog.Listing
	var moves []stock.Movement
	for k := range items {
		key := fmt.Sprintf("i%04d", k)
		all = append(all, catalog.Item{ID: key, SKU: key, Title: key})
		listings = append(listings, catalog.Listing{ID: catalog.ListingID("c", key), ConnectionID: "c", ExternalSKU: key, SellerSKU: key, ItemID: key, Active: true})
		for _, p := range plants {
			if units := 1 + asked[k]/6 + r.Int64N(asked[k]/3+3); r.IntN(10) < 7 {
				moves = append(moves, stock.Movement{ID: key + p.id, Kind: stock.Receive, ItemID: key, LocationID: p.id, OnHand: units})
			}
		}
	}
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	must(x.st.Update(b.Context(), func(tx *store.Tx) error {
		return tx.ConnectionPut(store.Connection{ID: "c", Vendor: "dummy"})
	}))
	for part := range slices.Chunk(all, 500) {
		must(x.PutItems(b.Context(), part))
	}
	must(x.st.Update(b.Context(), func(tx *store.Tx) error { return tx.ListingPut(listings) }))
	for part := range slices.Chunk(moves, 500) {
		must(x.Move(b.Context(), "test", part, nil))
	}
	for part := range slices.Chunk(orders, 500) {
		must(x.st.Update(b.Context(), func(tx *store.Tx) error { return tx.OrdersSave(part) }))
	}
	must(x.reloadCatalogue(b.Context()))
	return ids
}

// cpu is what this process has had of processors: the machine may be busy with other work. What a database server of its own does is not in it.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// The whole of a re-plan: what is open is read, planned together, and what is better off elsewhere is moved.
func BenchmarkReplan(b *testing.B) {
	for _, name := range []string{"sqlite", "postgres"} {
		for _, lines := range []int{3, 19} {
			b.Run(fmt.Sprintf("%s, 5000 orders of %d lines", name, lines), func(b *testing.B) {
				x := ledgerOps(b, homes[name](b))
				plant(b, x)
				ids := demanded(b, x, 5000, lines)
				start, busy := time.Now(), cpu(b)
				for part := range slices.Chunk(ids, 100) {
					if _, err := x.routeThese(b.Context(), part); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(time.Since(start).Seconds(), "route-s")
				b.ReportMetric((cpu(b) - busy).Seconds(), "route-cpu-s")
				b.ResetTimer()
				for range b.N {
					for _, apply := range []bool{false, true} {
						start, busy := time.Now(), cpu(b)
						plan, err := x.Replan(b.Context(), nil, apply, nil)
						if err != nil {
							b.Fatal(err)
						}
						what := map[bool]string{false: "look", true: "apply"}[apply]
						b.ReportMetric(time.Since(start).Seconds(), what+"-s")
						b.ReportMetric((cpu(b) - busy).Seconds(), what+"-cpu-s")
						b.Logf("%s: %d orders, %d to move, %d moved, %d stayed, gap %s, now %d best %d", what, plan.Orders, plan.ToMove, plan.Moved, plan.Stayed, plan.Gap, plan.Now, plan.Best.Total)
					}
				}
			})
		}
	}
}
