package health

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/spillway/spillway/domain/order"
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
			batch = Batch{}
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

// An order whose deadlines the platform does not tell: the rules' business days are counted.
func BenchmarkAddByRules(b *testing.B) {
	j := NewJudge(markets()[0].rs)
	o := good()
	o.Deadlines = order.Deadlines{}
	b.ReportAllocs()
	var batch Batch
	for i := 0; b.Loop(); i++ {
		if i%500 == 0 {
			batch = Batch{}
		}
		batch.Add(j, "shop", nil, o)
	}
}

// orders500 is a batch of 500 orders of one day, as different as a shop's, one in twenty late.
func orders500() *Batch {
	j := NewJudge(rules())
	m := &maker{Rand: rand.New(rand.NewPCG(1, 1))}
	var batch Batch
	for i := range 500 {
		o := good()
		o.ID, o.WarehouseRef, o.Region = fmt.Sprint("shop:", i), pick(m, "east", "west"), fmt.Sprint("US-", m.IntN(50))
		o.Lines[0].SellerSKU = fmt.Sprint("sku", m.IntN(200))
		if m.chance(5) {
			o.Moments.HandedOverAt = o.Moments.HandedOverAt.AddDate(0, 0, 1)
		}
		batch.Add(j, "shop", nil, o)
	}
	return &batch
}

func BenchmarkSum500Orders(b *testing.B) {
	batch := orders500()
	b.ReportMetric(float64(len(batch.days.data)+len(batch.parts.data))/500, "bytes/order")
	b.ReportAllocs()
	for b.Loop() {
		var s Sums
		if err := s.Add(batch); err != nil {
			b.Fatal(err)
		}
		if len(s.Whole()) == 0 || len(s.Parts()) == 0 || len(s.Marks()) == 0 {
			b.Fatal("nothing")
		}
	}
}

// A page's trend: 90 days of a metric, on a year of days.
func BenchmarkTrend90(b *testing.B) {
	rs := rules()
	var s Series
	for d := range policy.Day(400) {
		s = append(s, DayCount{Day: policy.Date(2025, 6, 1) + d, Num: 1, Den: 100})
	}
	for b.Loop() {
		if n := len(Trend(rs, policy.LDR, policy.Date(2026, 1, 1), policy.Date(2026, 3, 31), func(string) Series { return s })); n != 90 {
			b.Fatal(n)
		}
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

// BenchmarkLife is an order's whole life of four changes, with two hundred others in between, as intake sees them: placed, arranged, scanned, delivered.
func BenchmarkLife(b *testing.B) {
	j := NewJudge(rules())
	m := &maker{Rand: rand.New(rand.NewPCG(1, 1))}
	var lives [200][4]*order.Order
	for i := range lives {
		for k := range lives[i] {
			o := good()
			o.ID, o.WarehouseRef, o.Region = fmt.Sprint("shop:", i), pick(m, "east", "west"), fmt.Sprint("US-", i%50)
			o.Lines[0].SellerSKU = fmt.Sprint("sku", i)
			was := o.Moments
			o.Moments, o.Status = order.Moments{}, order.AwaitingShipment
			if k == 0 {
				o.Parcels = nil
			}
			if k > 0 {
				o.Moments.ReadyAt, o.Status = was.HandedOverAt, order.AwaitingCollection
			}
			if k > 1 {
				o.Moments.HandedOverAt, o.Status = was.HandedOverAt, order.InTransit
			}
			if k > 2 {
				o.Moments.DeliveredAt, o.Status = was.DeliveredAt, order.Delivered
			}
			lives[i][k] = o
		}
	}
	b.ReportAllocs()
	var batch Batch
	for i := 0; b.Loop(); i++ {
		if i%25 == 0 {
			batch = Batch{SettledOnly: true}
		}
		l := &lives[i%len(lives)]
		batch.Add(j, "shop", nil, l[0])
		batch.Add(j, "shop", l[0], l[1])
		batch.Add(j, "shop", l[1], l[2])
		batch.Add(j, "shop", l[2], l[3])
	}
}
