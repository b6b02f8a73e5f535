package storetest

import (
	"fmt"
	"testing"

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
