package reconcile

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkRead reads an export of 20,000 orders.
func BenchmarkRead(b *testing.B) {
	rows := [][]string{orderRows[0]}
	for i := range 20_000 {
		r := append([]string(nil), orderRows[2]...)
		r[0], r[14] = fmt.Sprintf("5764614130%08d", i), fmt.Sprint(i)
		rows = append(rows, r)
	}
	for _, f := range []File{file("csv", asCSV(b, rows)), file("xlsx", asXLSX(b, rows))} {
		b.Run(f.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				got, err := Read([]File{f}, Options{Zone: time.UTC})
				if err != nil || len(got.Theirs.Rows) != len(rows)-1 {
					b.Fatal(len(got.Theirs.Rows), err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*(len(rows)-1)), "µs/row")
		})
	}
}
