package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/store"
)

// Bench measures the ledger path of intake: orders of one unit each on 20 items, read, decided and saved in batches of several sizes. Its
// figure is orders per second by one writer.
func Bench(b *testing.B, fresh func(testing.TB) string) {
	for _, size := range []int{1, 16, 128, 512} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			d := open(b, fresh(b))
			items := make([]string, 20)
			for i := range items {
				items[i] = fmt.Sprintf("item %d", i)
			}
			d.stocked(b, 100_000_000, items...)
			n := 0
			for b.Loop() {
				d.update(b, func(tx *store.Tx) error {
					var orders []string
					touched := map[string]bool{}
					for i := range size {
						orders = append(orders, orderID(n+i))
						touched[items[(n+i)%len(items)]] = true
					}
					var locked []string
					for id := range touched {
						locked = append(locked, id)
					}
					return book(tx, locked, orders, func(b *stock.Book) error {
						for i, id := range orders {
							if _, err := b.Settle(stock.Want{OrderID: id, LineID: "1", ItemID: items[(n+i)%len(items)], Reserve: 1}); err != nil {
								return err
							}
						}
						return nil
					})
				})
				n += size
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "orders/s")
		})
	}
}

// BenchInbox measures how long storing one delivery takes while another goroutine takes orders in without pause, 128 a transaction: in the
// inbox, and for comparison as an event, which waits for the same writer as the orders. Its figures are the median and the 99th in a
// hundred, in milliseconds.
func BenchInbox(b *testing.B, fresh func(testing.TB) string) {
	for name, write := range map[string]func(d *database, id string) error{
		"inbox": func(d *database, id string) error {
			return d.UpdateInbox(d.ctx, func(tx *store.InboxTx) error {
				_, err := tx.InboxAppend([]store.InboxRow{{ID: id, Body: make([]byte, 500)}})
				return err
			})
		},
		"event": func(d *database, id string) error {
			return d.Update(d.ctx, func(tx *store.Tx) error { return tx.EventsAppend([]store.Event{{Kind: "k", Subject: id}}) })
		},
	} {
		b.Run(name, func(b *testing.B) {
			d := open(b, fresh(b))
			d.stocked(b, 100_000_000, "a")
			ctx, stop := context.WithCancel(d.ctx)
			busy := make(chan error, 1)
			go func() {
				busy <- until(ctx, func(i int) error {
					var ids []string
					for j := range 128 {
						ids = append(ids, orderID(i*128+j))
					}
					return d.takeIn(ids)
				})
			}()
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				if err := write(d, fmt.Sprint(len(took))); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			stop()
			if err := <-busy; err != nil {
				b.Fatal(err)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}
