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
		Parcels:   []order.Parcel{{Ref: "p1", Carrier: "USPS", Tracking: "9400111899223197428490"}},
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
