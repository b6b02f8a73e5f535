package risk

import (
	"math"
	"time"

	"github.com/spillway/spillway/domain/policy/calendar"
)

// Feature is one of the figures a chance is made from.
type Feature int

// The features. "Odds" are log-odds, smoothed; "days" are business days; "log" is log(1 + x).
const (
	MarketLate    Feature = iota // odds: late rate of all orders, lately
	MarketExceeds                // odds: hand-overs of all, in the last weeks, that took longer than this order is allowed
	NodeLate                     // odds: the node's late rate over the long run
	NodeLately                   // odds: and lately
	NodeExceeds                  // odds: the node's hand-overs that took longer than this order is allowed
	NodeExceedsLately
	NodeTight     // odds: the node's hand-overs with less than a day to spare
	NodeOrders    // log: orders of the node that were judged
	NodeMedian    // days: until half of the node's orders are handed over
	NodeNinety    // days: until nine of ten are
	MarginMedian  // days allowed less NodeMedian
	MarginNinety  // days allowed less NodeNinety
	ItemLate      // odds
	ItemExceeds   // odds
	CategoryLate  // odds
	RegionLate    // odds
	RegionExceeds // odds
	Allowed       // days between the moment and the deadline
	ShortBy       // days by which Allowed is below 3
	RestDays      // days without business between the moment and the deadline
	DueKnown      // 1 if the deadline was set, 0 if it was guessed from what the item and the node were given before
	NodeOpen      // log: orders of the node not yet handed over
	NodeBacklog   // log: the same in days of the node's work
	NodeOldest    // days: age of the oldest of them
	NodeOverdue   // log: how many of them are past their deadline
	MarketBacklog // log: open orders of all, in days of work
	MarketOverdue // share of the open orders of all that are past their deadline
	NodeVolume    // log of the ratio of the last days' orders of the node to its usual
	MarketVolume  // the same of all
	NodeDaily     // log: orders a day of the node
	NodeAge       // log: days since the node's first order
	NodeIdle      // log: days since its latest
	Evening       // 1 from 17:00
	Night         // 1 before 07:00
	Friday        // 1 on the last day of a business week: the next day has no business
	RestDay       // 1 on a day without business
	Lines         // log
	Weight        // log of kg
	Price         // log of whole units of currency
	Freight       // log
	Promise       // log of days until the delivery date shown to the buyer
	featureCount
)

// Features are the figures of one order at one moment, by Feature.
type Features [featureCount]float32

// Smoothing: how many orders' worth of evidence what is above weighs against a group's own. Few, because nodes differ much.
const (
	nodeWeight   = 3
	itemWeight   = 3
	regionWeight = 10
	kindWeight   = 20
	marketWeight = 20
	// assumedLate is the late rate taken before the first order was judged; it weighs as much as marketWeight orders.
	assumedLate = 0.05
	// assumedDays is the time until hand-over and the time allowed, in business days, before there was any.
	assumedDays = 2
)

// Features are what is known of an order at o.At, or at the latest moment told if that is later. The order itself need not be placed yet.
func (h *History) Features(o Order) Features {
	h.Advance(o.At)
	var f Features
	x := reading{h: h, f: &f, o: o, at: h.now, market: h.market, node: h.nodes.look(o.Node), item: h.items.look(o.Item),
		kind: h.kinds.look(o.Category), region: h.regions.look(o.Region)}
	x.record()
	x.time()
	x.load()
	x.goods()
	return f
}

// reading is the making of one order's features.
type reading struct {
	h                                *History
	f                                *Features
	o                                Order
	at                               int64
	market, node, item, kind, region *group
}

func (x *reading) set(k Feature, v float64) { x.f[k] = float32(v) }

// allowed is the business time until the deadline; where that is not set, the median of what the item, else the node, else all were given.
func (x *reading) allowed() float64 {
	if !x.o.Due.IsZero() {
		return x.h.business(x.o.At, x.o.Due)
	}
	all := x.market.allowance.quantile(0.5, assumedDays, 1)
	return x.item.allowance.quantile(0.5, x.node.allowance.quantile(0.5, all, 1), 1)
}

// record is how the node and its like have done.
func (x *reading) record() {
	at, allowed := x.at, x.allowed()
	long := x.market.rate(at, assumedLate, marketWeight)
	late := x.market.lately(at, long, marketWeight)
	x.set(MarketLate, logit(late))
	ever := x.market.exceeds(at, allowed, long, marketWeight, false)
	exceeds := x.market.exceeds(at, allowed, ever, marketWeight, true)
	x.set(MarketExceeds, logit(exceeds))

	node := x.node.rate(at, long, nodeWeight)
	x.set(NodeLate, logit(node))
	x.set(NodeLately, logit(x.node.lately(at, late, nodeWeight)))
	nodeExceeds := x.node.exceeds(at, allowed, exceeds, nodeWeight, false)
	x.set(NodeExceeds, logit(nodeExceeds))
	x.set(NodeExceedsLately, logit(x.node.exceeds(at, allowed, exceeds, nodeWeight, true)))
	tight := smoothed(x.market.spare.now(at, fastHalf), x.market.spareN.now(at, fastHalf), 2*assumedLate, marketWeight)
	x.set(NodeTight, logit(smoothed(x.node.spare.now(at, fastHalf), x.node.spareN.now(at, fastHalf), tight, nodeWeight)))
	x.set(NodeOrders, math.Log1p(x.node.n.now(at, slowHalf)))

	x.set(ItemLate, logit(x.item.rate(at, node, itemWeight)))
	x.set(ItemExceeds, logit(x.item.exceeds(at, allowed, nodeExceeds, itemWeight, false)))
	x.set(CategoryLate, logit(x.kind.rate(at, long, kindWeight)))
	x.set(RegionLate, logit(x.region.rate(at, long, regionWeight)))
	x.set(RegionExceeds, logit(x.region.exceeds(at, allowed, exceeds, regionWeight, false)))

	median := x.node.fastTook.quantile(0.5, x.market.fastTook.quantile(0.5, assumedDays, 1), nodeWeight)
	ninety := x.node.fastTook.quantile(0.9, x.market.fastTook.quantile(0.9, 2*assumedDays, 1), nodeWeight)
	x.set(NodeMedian, median)
	x.set(NodeNinety, ninety)
	x.set(MarginMedian, allowed-median)
	x.set(MarginNinety, allowed-ninety)
	x.set(Allowed, allowed)
	x.set(ShortBy, max(0, 3-allowed))
}

// time is when the order was placed and what lies before its deadline.
func (x *reading) time() {
	zone := x.h.cal.Zone()
	local, day := x.o.At.In(zone), calendar.DayOf(x.o.At, zone)
	if !x.o.Due.IsZero() {
		x.set(DueKnown, 1)
		due := calendar.DayOf(x.o.Due, zone)
		x.set(RestDays, float64(int(due-day)-x.h.cal.Between(day, due)))
	}
	x.set(Evening, indicator(local.Hour() >= 17))
	x.set(Night, indicator(local.Hour() < 7))
	x.set(Friday, indicator(x.h.cal.Business(day) && !x.h.cal.Business(day+1)))
	x.set(RestDay, indicator(!x.h.cal.Business(day)))
	if !x.o.Promised.IsZero() {
		x.set(Promise, math.Log1p(max(0, x.o.Promised.Sub(x.o.At).Hours()/24)))
	}
}

// load is how much work lies before the order, and whether more comes than usual.
func (x *reading) load() {
	at := x.at
	// A counter with half-life H days that takes in r a day settles at r × H / ln 2; the one order a day or so added keeps the new and
	// the small from looking dramatic.
	daily := func(c *counter, half float64) float64 { return c.now(at, half) * math.Ln2 / half }
	volume := func(g *group, add float64) float64 {
		return math.Log((daily(&g.burst, burstHalf) + add) / (daily(&g.arrived, fastHalf) + add))
	}
	x.set(NodeOpen, math.Log1p(float64(x.node.open)))
	x.set(NodeBacklog, math.Log1p(float64(x.node.open)/(daily(&x.node.handed, weekHalf)+0.25)))
	x.set(NodeOverdue, math.Log1p(float64(x.node.over)))
	x.set(MarketBacklog, math.Log1p(float64(x.market.open)/(daily(&x.market.handed, weekHalf)+1)))
	x.set(MarketOverdue, float64(x.market.over)/float64(x.market.open+20))
	x.set(NodeVolume, volume(x.node, 0.25))
	x.set(MarketVolume, volume(x.market, 1))
	x.set(NodeDaily, math.Log1p(daily(&x.node.arrived, fastHalf)))
	x.set(NodeIdle, math.Log1p(365))
	if x.node.first != 0 {
		x.set(NodeAge, math.Log1p(float64(at-x.node.first)/daySeconds))
		x.set(NodeIdle, math.Log1p(float64(at-x.node.last)/daySeconds))
	}
	if p := x.node.oldest(); p != nil {
		x.set(NodeOldest, max(0, x.h.business(p.order.At, time.Unix(at, 0))))
	}
}

// goods is what was ordered.
func (x *reading) goods() {
	x.set(Lines, math.Log1p(float64(max(x.o.Lines, x.o.Units, 0))))
	x.set(Weight, math.Log1p(float64(max(0, x.o.Grams))/1000))
	x.set(Price, math.Log1p(float64(max(0, x.o.Price))/100))
	x.set(Freight, math.Log1p(float64(max(0, x.o.Freight))/100))
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
