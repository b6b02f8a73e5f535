package health

import (
	"testing"

	"github.com/spillway/spillway/domain/policy"
)

// A change of an order as intake sees it: it was awaiting shipment and is handed over now.
func BenchmarkAdd(b *testing.B) {
	j := NewJudge(rules())
	before, after := good(), good()
	before.Moments.HandedOverAt, before.Moments.DeliveredAt = before.Moments.DeliveredAt, before.Moments.HandedOverAt
	b.ReportAllocs()
	var batch Batch
	for i := 0; b.Loop(); i++ {
		if i%500 == 0 {
			batch.entries = batch.entries[:0]
		}
		batch.Add(j, "shop", before, after)
	}
}

// A change that is none for any rate: most of what intake hears.
func BenchmarkAddNothing(b *testing.B) {
	j := NewJudge(rules())
	before, after := good(), good()
	b.ReportAllocs()
	for b.Loop() {
		var batch Batch
		batch.Add(j, "shop", before, after)
	}
}

func BenchmarkDay(b *testing.B) {
	z := newZone(rules().Location())
	t := at("2026-04-08 17:00:00")
	var d policy.Day
	for b.Loop() {
		d += z.day(t)
	}
	_ = d
}
