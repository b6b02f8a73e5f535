package policy

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/order"
)

// placed is an order paid at that moment and shipped by the seller.
func placed(at time.Time) *order.Order {
	return &order.Order{Status: order.AwaitingShipment, Detail: order.Detail{Fulfilment: order.BySeller, CreatedAt: at.Add(-time.Minute), PaidAt: at}}
}

func moment(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestDeadlinesFollowFromTheRulesOfTheDay(t *testing.T) {
	rs := decode(t, small)
	told := moment(t, "2026-11-26T12:00:00Z")
	for name, c := range map[string]struct {
		paid   string
		change func(*order.Order)
		want   map[order.DeadlineKind]string
	}{
		"a regular order over Thanksgiving, an extension and a weekend": {"2026-11-25T10:00:00-08:00", nil, map[order.DeadlineKind]string{
			order.ShipBy: "2026-12-02T07:59:59Z", order.HandOverBy: "2026-11-26T07:59:59Z", order.DeliverBy: "2026-12-02T07:59:59Z"}},
		"after the cut-off the next business day": {"2026-11-25T14:00:00-08:00", nil, map[order.DeadlineKind]string{
			order.ShipBy: "2026-12-02T07:59:59Z", order.HandOverBy: "2026-12-01T07:59:59Z", order.DeliverBy: "2026-12-02T07:59:59Z"}},
		"a second before it": {"2026-11-25T13:59:59-08:00", nil, map[order.DeadlineKind]string{
			order.ShipBy: "2026-12-02T07:59:59Z", order.HandOverBy: "2026-11-26T07:59:59Z", order.DeliverBy: "2026-12-02T07:59:59Z"}},
		"the hold carries it into the next day": {"2026-11-25T23:00:00-08:00", nil, map[order.DeadlineKind]string{
			order.ShipBy: "2026-12-02T07:59:59Z", order.HandOverBy: "2026-12-01T07:59:59Z", order.DeliverBy: "2026-12-03T07:59:59Z"}},
		"the channel's word wins": {"2026-11-25T10:00:00-08:00", func(o *order.Order) { o.Deadlines.ShipBy, o.Deadlines.PromisedBy = told, told }, map[order.DeadlineKind]string{
			order.ShipBy: "2026-11-26T12:00:00Z", order.HandOverBy: "2026-11-26T07:59:59Z", order.DeliverBy: "2026-12-02T07:59:59Z", order.PromisedBy: "2026-11-26T12:00:00Z"}},
		"before the rule for scans": {"2025-12-31T10:00:00-08:00", nil, map[order.DeadlineKind]string{
			order.ShipBy: "2026-01-06T07:59:59Z", order.DeliverBy: "2026-01-07T07:59:59Z"}},
		"what is announced judges nothing": {"2026-06-15T10:00:00-07:00", nil, map[order.DeadlineKind]string{
			order.ShipBy: "2026-06-18T06:59:59Z", order.HandOverBy: "2026-06-16T06:59:59Z", order.DeliverBy: "2026-06-22T06:59:59Z"}},
		"made to order: counted from what the channel told": {"2026-11-20T10:00:00-08:00", func(o *order.Order) { o.Flags.MadeToOrder, o.Deadlines.ShipBy = true, told },
			map[order.DeadlineKind]string{order.ShipBy: "2026-11-26T12:00:00Z", order.AutoCancelShipBy: "2026-12-04T07:59:59Z"}},
		"made to order: and nothing where it did not": {"2026-11-20T10:00:00-08:00", func(o *order.Order) { o.Flags.MadeToOrder = true }, nil},
		"a back order":                        {"2026-11-20T10:00:00-08:00", func(o *order.Order) { o.Flags.BackOrder = true }, map[order.DeadlineKind]string{order.ShipBy: "2026-11-25T07:59:59Z"}},
		"a pre-order, of which no rule tells": {"2026-11-20T10:00:00-08:00", func(o *order.Order) { o.Flags.PreOrder, o.Flags.BackOrder = true, true }, nil},
		"shipped by the channel":              {"2026-11-20T10:00:00-08:00", func(o *order.Order) { o.Fulfilment = order.ByPlatform }, nil},
		"not paid":                            {"2026-11-20T10:00:00-08:00", func(o *order.Order) { o.Status, o.PaidAt = order.Unpaid, time.Time{} }, nil},
		"paid on delivery": {"2026-11-20T10:00:00-08:00", func(o *order.Order) {
			o.Status, o.PaidAt, o.Flags.COD, o.Flags.BackOrder = order.Unpaid, time.Time{}, true, true
		},
			map[order.DeadlineKind]string{order.ShipBy: "2026-11-25T07:59:59Z"}},
	} {
		o := placed(moment(t, c.paid))
		if c.change != nil {
			c.change(o)
		}
		got := rs.Deadlines(o)
		for _, kind := range computed {
			text := ""
			if at := *fieldOf(&got, kind); !at.IsZero() {
				text = at.UTC().Format(time.RFC3339)
			}
			if text != c.want[kind] {
				t.Errorf("%s: %s is %s, want %s", name, kind, text, c.want[kind])
			}
		}
		if want := c.want[order.PromisedBy]; want != "" && !got.PromisedBy.Equal(moment(t, want)) {
			t.Errorf("%s: a field no rule is about became %s", name, got.PromisedBy)
		}
	}
}

func TestDeadlinesAreNeverBeforeTheOrder(t *testing.T) {
	rs := decode(t, small)
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(1_000_000_000, 4_000_000_000).Draw(t, "at"), 0).UTC()
		o := placed(at)
		o.Flags.BackOrder, o.Flags.MadeToOrder, o.Flags.PreOrder = rapid.Bool().Draw(t, "back"), rapid.Bool().Draw(t, "made"), rapid.Bool().Draw(t, "pre")
		if rapid.Bool().Draw(t, "told") {
			o.Deadlines.ShipBy = at.Add(time.Duration(rapid.IntRange(0, 500).Draw(t, "hours")) * time.Hour)
		}
		d := rs.Deadlines(o)
		for _, kind := range computed {
			if due := *fieldOf(&d, kind); !due.IsZero() && due.Before(at) {
				t.Fatalf("placed %s, %s %s", at, kind, due)
			}
		}
		if again := rs.Deadlines(&order.Order{Status: o.Status, Detail: order.Detail{Fulfilment: o.Fulfilment, PaidAt: at, Flags: o.Flags, Deadlines: d}}); again != d {
			t.Fatalf("computed deadlines are computed again: %v, then %v", d, again)
		}
	})
}

func BenchmarkDeadlines(b *testing.B) {
	rs := decode(b, small)
	o := placed(moment(b, "2026-11-25T10:00:00-08:00"))
	b.ReportAllocs()
	for b.Loop() {
		if d := rs.Deadlines(o); d.ShipBy.IsZero() {
			b.Fatal("no deadline")
		}
	}
}
