package health

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/policy/calendar"
)

// rules are test rules in UTC, close to a real market's: a change of definition, exclusions, every metric.
func rules() *policy.RuleSet { return rulesIn("UTC") }

func rulesIn(zone string) *policy.RuleSet {
	day := func(s string) policy.Day {
		d, err := policy.ParseDay(s)
		if err != nil {
			panic(err)
		}
		return d
	}
	jan, mar, apr := day("2026-01-12"), day("2026-03-02"), day("2026-04-01")
	fbt := []policy.Class{policy.ByPlatform}
	rs := policy.RuleSet{Market: "US", Version: "1", Zone: zone, Business: policy.Business{Week: calendar.MondayToFriday, Holidays: calendar.USFederal}, Rates: []policy.Rate{
		{ID: "ldr-ready", Metric: policy.LDR, Span: policy.Span{Until: jan}, Counts: policy.Orders, Anchor: policy.AtReady, Test: policy.ReadyLate, Spare: fbt, Days: 7},
		{ID: "ldr-scan", Metric: policy.LDR, Span: policy.Span{From: jan}, Counts: policy.Orders, Anchor: policy.AtHandedOver, Test: policy.HandedOverLate, Spare: fbt, Days: 7},
		{ID: "vtr", Metric: policy.VTR, Counts: policy.Packages, Anchor: policy.AtReady, Test: policy.TrackingValid,
			Exclude: []policy.Class{policy.ByPlatform, policy.PlatformLabel}, Days: 8, Lag: 14},
		{ID: "sfcr", Metric: policy.SFCR, Counts: policy.Orders, Anchor: policy.AtPlaced, Test: policy.CancelledBySeller,
			Exclude: []policy.Class{policy.ByPlatform, policy.Sample}, Days: 30},
		{ID: "otdr", Metric: policy.OTDR, Counts: policy.Orders, Anchor: policy.AtDeliverBy, Test: policy.DeliveredOnTime,
			Exclude: []policy.Class{policy.ByPlatform, policy.PlatformLabel}, Days: 7, Lag: 1},
	}, Bands: []policy.Band{
		{Metric: policy.LDR, Kind: policy.Enforcement, Limit: 40_000, Span: policy.Span{Until: mar}},
		{Metric: policy.LDR, Kind: policy.Target, Limit: 40_000, Span: policy.Span{From: mar}},
		{Metric: policy.LDR, Kind: policy.Enforcement, Limit: 100_000, Span: policy.Span{From: mar, Until: apr}, Paused: true},
		{Metric: policy.LDR, Kind: policy.Enforcement, Limit: 100_000, Span: policy.Span{From: apr}},
		{Metric: policy.VTR, Kind: policy.Enforcement, Limit: 950_000},
		{Metric: policy.SFCR, Kind: policy.Enforcement, Limit: 25_000},
		{Metric: policy.OTDR, Kind: policy.Enforcement, Limit: 800_000, Span: policy.Span{From: day("2025-05-05")}},
	}}
	return ready(rs)
}

// ready makes a rule set usable whose entries all come from one source.
func ready(rs policy.RuleSet) *policy.RuleSet {
	cited := policy.Cited{Source: "test", Confidence: policy.Official}
	rs.Sources, rs.Business.Cited = map[string]policy.Source{"test": {Title: "test rules"}}, cited
	for i := range rs.Rates {
		rs.Rates[i].Cited.Source, rs.Rates[i].Confidence = "test", policy.Official
	}
	for i := range rs.Bands {
		rs.Bands[i].Cited = cited
	}
	for i := range rs.DeadlineRules {
		rs.DeadlineRules[i].Cited = cited
	}
	out, err := policy.New(rs)
	if err != nil {
		panic(err)
	}
	return out
}

func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		panic(err)
	}
	return t
}

// good is an order with which nothing went wrong.
func good() *order.Order {
	return &order.Order{ID: "shop:1", ConnectionID: "shop", ExternalID: "1", Status: order.Delivered, Detail: order.Detail{
		Fulfilment: order.BySeller, CreatedAt: at("2026-04-06 09:59:00"), PaidAt: at("2026-04-06 10:00:00"), WarehouseRef: "east", Region: "US-CA",
		Deadlines: order.Deadlines{ShipBy: at("2026-04-08 23:59:59"), HandOverBy: at("2026-04-08 23:59:59"), DeliverBy: at("2026-04-14 23:59:59")},
		Moments:   order.Moments{ReadyAt: at("2026-04-07 08:00:00"), HandedOverAt: at("2026-04-08 17:00:00"), DeliveredAt: at("2026-04-11 12:00:00")},
		Lines:     []order.Line{{Key: "a", SellerSKU: "shirt", Qty: 1}},
		Parcels:   []order.Parcel{{Ref: "p1", Carrier: "USPS", Tracking: "9400111899223197428497"}},
	}}
}

// brief is a count in one line of a table.
type brief struct {
	ID, Day          string
	Num, Den, Unsure int64
	Reason           Reason
}

func briefs(t *testing.T, o *order.Order) map[string]brief {
	t.Helper()
	rs := rules()
	j := NewJudge(rs)
	ids := map[string]string{}
	for i, key := range j.Keys() {
		ids[key] = rs.Rates[i].ID
	}
	out := map[string]brief{}
	for _, c := range j.Counts(o) {
		out[ids[c.Rate]] = brief{ids[c.Rate], c.Day.String(), c.Num, c.Den, c.Unjudged, c.Reason}
		if c.Bad != (c.Against > 0) {
			t.Errorf("%+v: Bad does not go with Against", c)
		}
	}
	return out
}

func TestAGoodOrderCountsOnceInEachMetric(t *testing.T) {
	want := map[string]brief{
		"ldr-scan": {"ldr-scan", "2026-04-08", 0, 1, 0, ""},
		"vtr":      {"vtr", "2026-04-07", 1, 1, 0, ""},
		"sfcr":     {"sfcr", "2026-04-06", 0, 1, 0, ""},
		"otdr":     {"otdr", "2026-04-14", 1, 1, 0, ""},
	}
	if d := cmp.Diff(want, briefs(t, good())); d != "" {
		t.Error(d)
	}
}

// Each case alters the good order and says what it then counts in one rate; a zero brief: nothing.
func TestEdgesOfOrders(t *testing.T) {
	deadline := at("2026-04-08 23:59:59")
	cancel := func(o *order.Order, reason string, role order.Role) {
		o.Status, o.Moments = order.Cancelled, order.Moments{CancelledAt: at("2026-04-07 12:00:00")}
		o.Cancel = order.Cancel{Reason: reason, Role: role, Fault: order.FaultOf(role, reason)}
	}
	for _, c := range []struct {
		name, rate string
		alter      func(*order.Order)
		want       brief
	}{
		{"handed over on the deadline", "ldr-scan", func(o *order.Order) { o.Moments.HandedOverAt = deadline }, brief{Day: "2026-04-08", Den: 1}},
		{"a second after it", "ldr-scan", func(o *order.Order) { o.Moments.HandedOverAt = deadline.Add(time.Second) }, brief{Day: "2026-04-09", Num: 1, Den: 1, Reason: Late4h}},
		{"4 hours after it", "ldr-scan", func(o *order.Order) { o.Moments.HandedOverAt = deadline.Add(4 * time.Hour) }, brief{Day: "2026-04-09", Num: 1, Den: 1, Reason: Late4h}},
		{"a second more", "ldr-scan", func(o *order.Order) { o.Moments.HandedOverAt = deadline.Add(4*time.Hour + time.Second) }, brief{Day: "2026-04-09", Num: 1, Den: 1, Reason: Late24h}},
		{"3 days after it", "ldr-scan", func(o *order.Order) { o.Moments.HandedOverAt = deadline.Add(72 * time.Hour) }, brief{Day: "2026-04-11", Num: 1, Den: 1, Reason: LateLonger}},
		{"late, but the platform ships", "ldr-scan", func(o *order.Order) {
			o.Fulfilment, o.Moments.HandedOverAt = order.ByPlatform, deadline.Add(time.Hour)
		}, brief{Day: "2026-04-09", Den: 1}},
		{"no deadline known", "ldr-scan", func(o *order.Order) { o.Deadlines.HandOverBy = time.Time{} }, brief{Day: "2026-04-08", Den: 1, Unsure: 1, Reason: UnknownDue}},
		{"not dispatched", "ldr-scan", func(o *order.Order) { o.Moments = order.Moments{ReadyAt: o.Moments.ReadyAt} }, brief{}},
		{"cancelled before dispatch", "ldr-scan", func(o *order.Order) { cancel(o, "seller_cancel_reason_out_of_stock", order.RoleSeller) }, brief{}},
		{"the scan was not told, the delivery was", "ldr-scan", func(o *order.Order) { o.Moments.HandedOverAt = time.Time{} }, brief{Day: "2026-04-11", Num: 1, Den: 1, Reason: LateLonger}},
		{"the last day the old definition counts", "ldr-ready", func(o *order.Order) { o.Moments.ReadyAt = at("2026-01-11 23:59:59") }, brief{Day: "2026-01-11", Den: 1}},
		{"the day after", "ldr-ready", func(o *order.Order) { o.Moments.ReadyAt = at("2026-01-12 00:00:00") }, brief{}},
		{"the first day the new one sees", "ldr-scan", func(o *order.Order) { o.Moments.HandedOverAt = at("2026-01-06 00:00:00") }, brief{Day: "2026-01-06", Den: 1}},
		{"the day before", "ldr-scan", func(o *order.Order) { o.Moments.HandedOverAt = at("2026-01-05 23:59:59") }, brief{}},
		{"a clock that is years ahead", "ldr-scan", func(o *order.Order) { o.Moments.HandedOverAt = at("2031-01-01 00:00:00") }, brief{Day: "2031-01-01", Num: 1, Den: 1, Reason: LateLonger}},

		{"cancelled: out of stock", "sfcr", func(o *order.Order) { cancel(o, "seller_cancel_reason_out_of_stock", order.RoleSeller) }, brief{Day: "2026-04-06", Num: 1, Den: 1, Reason: CancelledStock}},
		{"cancelled: wrong price, in the UK", "sfcr", func(o *order.Order) { cancel(o, "seller_cancel_reason_wrong_price_uk", order.RoleSeller) }, brief{Day: "2026-04-06", Num: 1, Den: 1, Reason: CancelledPrice}},
		{"cancelled by the platform: not dispatched", "sfcr", func(o *order.Order) {
			cancel(o, "system_cancel_order_reason_shipping_timeout", order.RoleSystem)
		}, brief{Day: "2026-04-06", Num: 1, Den: 1, Reason: CancelledLate}},
		{"cancelled by the platform: never tracked", "sfcr", func(o *order.Order) { cancel(o, "system_cancel_order_untracked", order.RoleSystem) }, brief{Day: "2026-04-06", Num: 1, Den: 1, Reason: CancelledUntracked}},
		{"cancelled by the buyer", "sfcr", func(o *order.Order) { cancel(o, "ecom_order_to_ship_canceled_reason_better_price", order.RoleBuyer) }, brief{Day: "2026-04-06", Den: 1}},
		{"a seller's reason a buyer cannot give", "sfcr", func(o *order.Order) { cancel(o, "seller_cancel_reason_out_of_stock", order.RoleBuyer) }, brief{Day: "2026-04-06", Den: 1, Unsure: 1, Reason: UnknownFault}},
		{"cancelled by the platform: lost on the way", "sfcr", func(o *order.Order) { cancel(o, "package_lost", order.RoleSystem) }, brief{Day: "2026-04-06", Den: 1, Unsure: 1, Reason: UnknownFault}},
		{"the same, and the connector knows", "sfcr", func(o *order.Order) {
			cancel(o, "package_lost", order.RoleSystem)
			o.Cancel.Fault = order.FaultPlatform
		}, brief{Day: "2026-04-06", Den: 1}},
		{"cancelled, nothing told", "sfcr", func(o *order.Order) { cancel(o, "", ""); o.Cancel.Fault = "" }, brief{Day: "2026-04-06", Den: 1, Unsure: 1, Reason: UnknownFault}},
		{"cancelled unpaid", "sfcr", func(o *order.Order) { cancel(o, "system_cancel_unpaid_time_out", order.RoleSystem) }, brief{}},
		{"some units cancelled", "sfcr", func(o *order.Order) { o.Lines[0].Qty, o.Lines[0].Cancelled = 3, 2 }, brief{Day: "2026-04-06", Den: 1}},
		{"in the platform's hold", "sfcr", func(o *order.Order) { o.Status = order.OnHold }, brief{}},
		{"unpaid", "sfcr", func(o *order.Order) { o.Status = order.Unpaid }, brief{}},
		{"a sample", "sfcr", func(o *order.Order) { o.Flags.Sample = true }, brief{}},
		{"paid on delivery", "sfcr", func(o *order.Order) { o.Flags.COD, o.PaidAt = true, at("2026-04-11 12:00:00") }, brief{Day: "2026-04-06", Den: 1}},
		{"nothing read yet", "sfcr", func(o *order.Order) { *o = order.Order{ID: o.ID, Status: order.AwaitingShipment} }, brief{}},

		{"delivered on the deadline", "otdr", func(o *order.Order) { o.Moments.DeliveredAt = o.Deadlines.DeliverBy }, brief{Day: "2026-04-14", Num: 1, Den: 1}},
		{"a second after it", "otdr", func(o *order.Order) { o.Moments.DeliveredAt = o.Deadlines.DeliverBy.Add(time.Second) }, brief{Day: "2026-04-14", Den: 1, Reason: Late4h}},
		{"not delivered", "otdr", func(o *order.Order) { o.Status, o.Moments.DeliveredAt = order.InTransit, time.Time{} }, brief{Day: "2026-04-14", Den: 1, Reason: NotDeliveredYet}},
		{"over, and no delivery told", "otdr", func(o *order.Order) { o.Status, o.Moments.DeliveredAt = order.Completed, time.Time{} }, brief{Day: "2026-04-14", Num: 1, Den: 1, Unsure: 1, Reason: UnknownOutcome}},
		{"cancelled before it was due", "otdr", func(o *order.Order) { cancel(o, "package_lost", order.RoleSystem) }, brief{}},
		{"cancelled when it was overdue", "otdr", func(o *order.Order) {
			cancel(o, "package_lost", order.RoleSystem)
			o.Moments.CancelledAt = o.Deadlines.DeliverBy.Add(time.Second)
		}, brief{Day: "2026-04-14", Den: 1, Reason: NotDelivered}},
		{"the platform's label", "otdr", func(o *order.Order) { o.Flags.PlatformLabel = true }, brief{}},
		{"no deliver-by date", "otdr", func(o *order.Order) { o.Deadlines.DeliverBy = time.Time{} }, brief{}},

		{"no parcel listed", "vtr", func(o *order.Order) { o.Parcels = nil }, brief{Day: "2026-04-07", Den: 1, Reason: NoTracking}},
		{"no tracking number", "vtr", func(o *order.Order) { o.Parcels[0].Tracking = "" }, brief{Day: "2026-04-07", Den: 1, Reason: NoTracking}},
		{"another carrier's number", "vtr", func(o *order.Order) { o.Parcels[0].Carrier = "UPS" }, brief{Day: "2026-04-07", Den: 1, Reason: BadTracking}},
		{"a wrong check digit", "vtr", func(o *order.Order) { o.Parcels[0].Tracking = "9400111899223197428491" }, brief{Day: "2026-04-07", Den: 1, Reason: BadTracking}},
		{"a carrier nobody knows", "vtr", func(o *order.Order) { o.Parcels[0].Carrier = "Mule and Sons" }, brief{Day: "2026-04-07", Num: 1, Den: 1}},
		{"no number at all", "vtr", func(o *order.Order) { o.Parcels[0].Tracking = "see invoice" }, brief{Day: "2026-04-07", Den: 1, Reason: BadTracking}},
		{"never scanned", "vtr", func(o *order.Order) {
			o.Status, o.Moments = order.AwaitingCollection, order.Moments{ReadyAt: o.Moments.ReadyAt}
		}, brief{Day: "2026-04-07", Den: 1, Reason: NotScannedYet}},
		{"one of two packages", "vtr", func(o *order.Order) { o.Parcels = append(o.Parcels, order.Parcel{Ref: "p2", Carrier: "UPS"}) }, brief{Day: "2026-04-07", Num: 1, Den: 2, Reason: NoTracking}},
		{"cancelled with a label, never shipped", "vtr", func(o *order.Order) {
			cancel(o, "package_cancel", order.RoleSystem)
			o.Moments.ReadyAt = at("2026-04-07 08:00:00")
		}, brief{}},
	} {
		o := good()
		c.alter(o)
		if c.want != (brief{}) {
			c.want.ID = c.rate
		}
		if got := briefs(t, o)[c.rate]; got != c.want {
			t.Errorf("%s, %s:\n got %+v\nwant %+v", c.name, c.rate, got, c.want)
		}
	}
}

func TestTrackingNumbers(t *testing.T) {
	for number, want := range map[string]bool{
		"9400111899223197428497": true, "1Z999AA10123456784": true, "9400 1118 9922-3197": true, "12345678": true, "RR123456789CN": true,
		"": false, "1234567": false, "ABCDEFGHIJK123": false, "delivered by hand": false, "12345678;": false, "１２３４５６７８": false,
		"12345678901234567890123456789012345678901": false,
	} {
		if got := PlausibleTracking(number); got != want {
			t.Errorf("%q: %v", number, got)
		}
	}
}

// What decides how orders count changes the key; limits and sources do not.
func TestKeys(t *testing.T) {
	rs := rules()
	key := func(i int, alter func(*policy.RuleSet)) string {
		c := *rs
		c.Rates, c.Bands = append([]policy.Rate(nil), rs.Rates...), append([]policy.Band(nil), rs.Bands...)
		alter(&c)
		c2, err := policy.New(c)
		if err != nil {
			t.Fatal(err)
		}
		return Key(c2, c2.Rates[i])
	}
	const ldr, sfcr = 1, 3
	for _, c := range []struct {
		name  string
		rate  int
		same  bool
		alter func(*policy.RuleSet)
	}{
		{"nothing", ldr, true, func(*policy.RuleSet) {}},
		{"a note and a limit", ldr, true, func(rs *policy.RuleSet) { rs.Rates[ldr].Note, rs.Bands[1].Limit = "read again", 39_999 }},
		{"the window", ldr, false, func(rs *policy.RuleSet) { rs.Rates[ldr].Days = 8 }},
		{"who is spared", ldr, false, func(rs *policy.RuleSet) { rs.Rates[ldr].Spare = nil }},
		{"the zone", sfcr, false, func(rs *policy.RuleSet) { rs.Zone = "Asia/Tokyo" }},
		{"business days, where deadlines matter", ldr, false, func(rs *policy.RuleSet) { rs.Business.Week = calendar.EveryDay }},
		{"business days, where they do not", sfcr, true, func(rs *policy.RuleSet) { rs.Business.Week = calendar.EveryDay }},
	} {
		if same := key(c.rate, c.alter) == Key(rs, rs.Rates[c.rate]); same != c.same {
			t.Errorf("%s: the key stays %v", c.name, same)
		}
	}
}

func TestZoneTableIsTheTimePackage(t *testing.T) {
	for _, name := range []string{"UTC", "America/Los_Angeles", "America/Sao_Paulo", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe"} {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		z := newZone(loc)
		for u := time.Date(1999, 12, 30, 0, 0, 0, 0, time.UTC).Unix(); u < time.Date(2202, 1, 1, 0, 0, 0, 0, time.UTC).Unix(); u += 86_400*5 + 1801*7 {
			for _, s := range []int64{u, u - u%3600, u - u%3600 - 1} {
				if at := time.Unix(s, 0); z.day(at) != policy.DayOf(at, loc) {
					t.Fatalf("%s %s: day %s, the time package says %s", name, at.UTC(), z.day(at), policy.DayOf(at, loc))
				}
			}
		}
	}
}
