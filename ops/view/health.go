package view

import "time"

// Topics and figures of health. A shop is named by its connection's id, a metric by its id ("ldr"), a market by two letters.
const (
	TopicHealth = "health" // rates, forecast, orders at risk or account of one shop (":" connection id)
	TopicPolicy = "policy" // rules or overrides of one market (":" market)

	FigureRate       = "rate:"       // shop "@" metric, and "@" day for another day than today: formula, window, definition, limits, worst causes
	FigureForecast   = "forecast:"   // shop "@" metric: range at the window's end, what it assumes, the chance of a breach
	FigureCompound   = "compound:"   // shop: chance that any metric is in breach at its window's end
	FigureAccount    = "account:"    // shop: what is known, what is modelled, from which breaches
	FigureRisk       = "risk:"       // order id: chance that it is dispatched late, and what makes it up
	FigureAdvice     = "advice:"     // shop "@" advice id: why this set is the smallest
	FigureRule       = "rule:"       // market "@" rule id: source, confidence, versions over time
	FigureReconciled = "reconciled:" // shop "@" metric "@" day: our figure and the channel's own, order by order
)

// Things of health with a page of their own.
const (
	KindHealth Kind = "health" // ID is a shop
	KindMetric Kind = "metric" // ID is shop "@" metric
	KindPolicy Kind = "policy" // ID is a market
)

// Day is a day in the market's zone, written 2026-11-21. Days compare as text. The empty Day means that there is none.
type Day string

// PPM is a share in millionths: 4 % is 40,000. As a chance, 1,000,000 is certain.
type PPM int64

// RateState says how a rate stands. Only StateGood may be shown as good.
type RateState string

const (
	StateGood     RateState = "good"     // inside every limit in force
	StateWatch    RateState = "watch"    // worse than a target or a warning, or than an enforcement that is paused
	StateBreach   RateState = "breach"   // worse than an enforcement in force
	StateNothing  RateState = "nothing"  // nothing was counted in the window, so there is no rate
	StateNoRule   RateState = "norule"   // the rules do not say how this metric is counted on this day
	StateCounting RateState = "counting" // history is still being read; Num and Den are what there is so far
)

// Health is one shop's standing in detail, and all shops' in brief.
type Health struct {
	At       time.Time
	Shops    []ShopStanding // every shop, in a stable order; none: no shop is connected
	Shop     ShopStanding   // the one in detail
	Sentence string         // the answer in one line: "Late dispatch will pass its target tonight unless 37 orders leave by 16:00."
	Level    Level
	Stale    string   // why figures are older than they should be; empty: they are current
	Missing  []string // what could not be worked out, each a sentence with its reason: "No forecast: fewer than 50 hand-overs were seen."

	Gauges    []Gauge // one a metric, in the order in which they are shown
	Compound  PPM     // chance that any metric is in breach at its window's end; −1: not known
	Account   Account
	Risk      []RiskRow // open orders by slack, those most likely late where slack is equal; bounded
	RiskMore  int64     // orders at risk beyond Risk
	CausesFor string    // the metric Causes speak of: the one asked for, else the worst
	Causes    []Cause
	Advice    []Advice      // best first; empty: nothing to do
	Incidents []IncidentRow // open ones of this shop or of all, worst first
}

// ShopStanding is a shop among others.
type ShopStanding struct {
	ID, Name string // of the connection
	Market   string // empty: its market has no rule set
	Level    Level
	Word     string // "good", "watch", "breach", "still being counted", "no rules"
	Text     string // "Late dispatch 4.6 %, over its target of 4 %."
}

// Gauge is one metric as it stands now.
type Gauge struct {
	Metric    string
	Name      string // "Late dispatch rate"
	Short     string // "Late dispatch"
	Noun      string // what Num of Den are: "late of 1,204 orders dispatched" has the noun "orders dispatched"
	Adjective string // "late", "with valid tracking", "cancelled by us", "on time"
	Num, Den  int64
	HighIsBad bool
	State     RateState
	Text      string // the distance in orders: "7 more late orders and it passes 4 %." or why there is no rate
	Day       Day    // the day judged
	From, To  Day    // the window, both days included
	Limits    []Limit
	Week      *PPM // the rate a week earlier; nil: there was none
	Forecast  *RateForecast
	AsOf      time.Time // facts up to then are in it
	Trend     Trend
	Their     *Reconciled // the newest figure of the channel itself; nil: none was imported
}

// Limit is a limit of a metric, in force or paused.
type Limit struct {
	Kind   string // "target", "warning", "enforcement"
	At     PPM
	Paused bool // known, and not acted on today
	From   Day  // empty: since ever
	Until  Day  // the first day on which it does not hold; empty: open
	RuleID string
	Cited
}

// Cited is where a number comes from.
type Cited struct {
	Source     string // title of the page, or an override's author
	Confidence string // "official", "reported", "unverified", "override"
	Seen       Day    // when the source was last read
	Note       string
}

// RateForecast is where a rate will stand at the end of its window if work goes on as it does.
type RateForecast struct {
	At            time.Time // the window's end
	P10, P50, P90 PPM
	Breach        PPM    // chance of being worse than the limit of Against at At
	Against       string // the limit Breach speaks of: "enforcement at 10 %"
	Assumes       string // "as many units an hour as in the last 14 days, pick-ups as planned"
}

// Trend is a rate day by day.
type Trend struct {
	Points   []TrendPoint // consecutive days, oldest first
	Limits   []Limit      // those that held on any of these days
	Switches []Switch     // days from which it is counted in another way, or limits differ
}

// TrendPoint is a rate as counted on a day.
type TrendPoint struct {
	Day      Day
	Num, Den int64
	State    RateState
}

// Switch is a day from which rules differ.
type Switch struct {
	Day    Day
	Text   string // "counted by carrier scan instead of tracking"
	RuleID string
	Cited
}

// Account is the rating of the whole account: what the operator saw, and what Spillway makes of it.
type Account struct {
	Offered    bool   // the channel rates accounts in this market
	Name       string // "Account health rating"
	Max        int64
	From       Day                // the first of Range
	Range      []AccountDay       // a day each, oldest first, to today
	Known      []AccountValue     // oldest first
	Zones      []AccountZone      // worst first, touching each other
	Milestones []AccountMark      // highest first
	Low, High  int64              // today's modelled range; equal: known. Both −1: nothing was ever entered
	State      RateState          // StateNothing: nothing was ever entered
	Sentence   string             // "Between 176 and 188: orange."
	Knows      string             // what is known, in words
	Models     string             // what is modelled, in words
	ToGreen    string             // "26 to 41 days without a new breach"; empty: green already, or not known
	Unlocks    []string           // what green opens
	AtRisk     []string           // what is lost at the next milestone, and how far it is
	Changes    []AccountChange    // known causes of change, newest first
	Deductions []AccountDeduction // points the channel took and stated, newest first
	Points     *ViolationPoints   // where the market counts points for breaches instead; nil: it does not
}

// ViolationPoints is the account of a channel that counts points for breaches, as it is modelled: no channel tells them.
type ViolationPoints struct {
	Low, High int64 // both −1: orders are still being counted
	State     RateState
	Sentence  string        // "Between 2 and 4 points: the next step is at 12."
	Models    string        // what they rest on, and when they lapse
	Steps     []AccountMark // lowest first
}

// AccountDay is the modelled range on one day; both −1: nothing to model from yet.
type AccountDay struct{ Low, High int64 }

// AccountValue is what the channel's own page showed.
type AccountValue struct {
	Day    Day
	Value  int64
	By     string // who entered or imported it
	Source string // "entered", "export"
	Note   string
}

// AccountZone is a stretch of the scale, both ends included.
type AccountZone struct {
	Name      string // "green"
	Low, High int64
	Level     Level
	Cited
}

// AccountMark is a value at which the channel acts.
type AccountMark struct {
	At   int64
	Text string // "7 days without new listings and big campaigns"
	Cited
}

// AccountChange is one known reason for a change of the rating.
type AccountChange struct {
	Day       Day
	Text      string // "late dispatch over 10 % for the week to 12 October"
	Low, High int64  // points, signed; equal where the channel said so
	Ref       Ref
}

// AccountDraft is a filled-in form of what the channel's page shows.
type AccountDraft struct {
	ID    string // caller-made; the same id and content again changes nothing
	Shop  string
	Value int64
	Day   Day
	Note  string
	Actor string
}

// RiskRow is an open order that may be dispatched late.
type RiskRow struct {
	OrderRow
	Late     PPM        // chance
	Node     string     // where it is
	Waits    string     // what it waits for: "picking, 212 orders before it", "the 17:00 pick-up"
	Expected *time.Time // the middle of when the carrier will have it; nil: not known
}

// Cause is what counts against the shop, by one facet.
type Cause struct {
	Facet string // "reason", "node", "carrier", "region", "item", "mode"
	Name  string // "Reason"
	Rows  []CauseRow
	More  int64 // rows left out
}

// CauseRow is one value of a facet.
type CauseRow struct {
	Value, Name string
	Against     int64 // orders that count against the shop
	Of          int64 // orders counted; 0: not known by this facet
	Level       Level // bad: much worse than the rest
}

// Advice is something to do now.
type Advice struct {
	ID       string // stable while it means the same set
	Metric   string // the metric it saves
	Sentence string // "Ship these 37 orders by 16:00 and late dispatch stays at 3.8 %."
	Why      string // why it is this set, or what happens otherwise
	Level    Level
	By       *time.Time // until when
	Count    int64      // orders it names; 0: it names none
	Orders   []RiskRow  // the first of them, least slack first
	Effect   []Change   // the figures it moves
	Ref      Ref        // where it is done, when it names no orders
	RefText  string     // "Open the order handling capacity"
}

// ToDo is an advice with all its orders, to be copied or printed.
type ToDo struct {
	At   time.Time
	Shop ShopStanding
	Advice
}

// RateFilter selects a metric's counted orders.
type RateFilter struct {
	Shop, Metric                              string
	On                                        Day // as counted on that day; empty: today
	Reason, Node, Carrier, Region, Item, Mode string
	All                                       bool   // every counted order, not only those against the shop
	After                                     string // cursor
}

// RatePage is what is behind a rate.
type RatePage struct {
	At         time.Time
	Shop       ShopStanding
	Shops      []ShopStanding
	Filter     RateFilter
	Past       bool // Filter.On is a day that is over, so nothing here moves
	First      Day  // the earliest day that can be asked for
	Gauge      Gauge
	Gauges     []Option // metrics of this shop, in order
	Facets     []FacetChoice
	Rows       []CountedOrder
	Total      int64  // orders that match; −1: too many to count
	Next       string // cursor of the next page; empty on the last
	Days       []DayCount
	Definition Definition
	Reconciled []Reconciled // newest first
}

// FacetChoice is what a facet can be narrowed to, most orders first; the counts hold for the other choices made.
type FacetChoice struct {
	Facet, Name string
	Chosen      string
	Options     []Count
}

// CountedOrder is an order in a rate.
type CountedOrder struct {
	ID, Number string
	Day        Day // on which it counts
	Against    bool
	Reason     string // "no carrier scan by 17:00"; of an order that is well: ""
	Node       string
	Carrier    string
	Region     string
	Item       string // "2 × MUG-01 and 1 more"
	Mode       string
	Due        *time.Time
	Done       *time.Time // when what was due happened; nil: not yet
	Leaves     Day        // from this day on it is outside the window
}

// DayCount is one day of a window.
type DayCount struct {
	Day      Day
	Num, Den int64
	Open     bool   // the day is not over, so it will still grow
	Note     string // "holiday", "definition changes"
}

// Definition is how a metric is counted, in words.
type Definition struct {
	RateID      string
	Formula     string
	Numerator   string
	Denominator string
	Window      string // "7 days to yesterday"
	Excluded    []string
	Besides     []Said // what the channel says of it beyond what is computed here
	From, Until Day
	Cited
}

// Said is a sentence with its source.
type Said struct {
	Text string
	Cited
}

// Reconciled is the channel's own figure next to ours.
type Reconciled struct {
	ID          string // of the comparison, and N of the rate in it
	N           int
	Metric      string
	Name        string // "Late dispatch"
	Day         Day    // the last day counted
	From        Day    // the first
	Num, Den    int64  // ours
	NoRule      bool   // our rules do not say how it is counted, so there is no figure of ours
	Told        bool   // the channel gives a figure; else only its lists of orders were compared
	Their       PPM
	TheirText   string // as the channel wrote it: "3.9 %", "41 of 1,052"
	TheirNum    int64  // with TheirDen 0: it told no counts
	TheirDen    int64
	ImportedAt  time.Time
	By          string
	File        string
	Differ      int64   // orders on which the two differ
	Explained   []Count // reasons for orders that one counts and the other does not
	Unexplained int64   // orders nobody can explain
	Unnamed     int64   // by how many orders more they count against the shop than their lists name; below zero: we do
	Level       Level
}

// PolicyFilter asks for the rules of a market on a day, and for what differs between two.
type PolicyFilter struct {
	Market   string // empty: the first there is
	On       Day    // empty: today
	From, To Day    // both set: the difference between them
}

// Policy is a market's rules.
type Policy struct {
	At        time.Time
	Filter    PolicyFilter
	Markets   []Option
	Market    string
	Version   string
	Zone      string // whose days are meant
	On        Day
	Past      bool // another day than today
	Groups    []RuleGroup
	Switches  []Switch // oldest first, those to come too
	Diff      *PolicyDiff
	Overrides []Override // in force or to come, newest first
	Gaps      []string   // what the rules do not say, each a sentence
}

// RuleGroup is a chapter of the rules.
type RuleGroup struct {
	Name  string // "Late dispatch", "Deadlines", "Account"
	Rules []Rule
}

// Rule is one number or choice with its source.
type Rule struct {
	ID          string
	Name, Value string
	Text        string
	From, Until Day
	Paused      bool
	Override    bool // the operator's, in place of the channel's
	Fixed       bool // cannot be overridden
	Cited
}

// PolicyDiff is what differs between two days, and what that makes of the shops' own rates.
type PolicyDiff struct {
	From, To Day
	Changes  []Change
	Effects  []PolicyEffect
}

// PolicyEffect is a shop's rate of today's orders by the rules of both days.
type PolicyEffect struct {
	Shop, ShopID  string
	Metric        string
	Name          string
	Before, After Judged
	Text          string // "41 orders more count as late."
	Orders        int64  // that count differently; −1: not known, Text says why
}

// Judged is a rate by one day's rules.
type Judged struct {
	Num, Den int64
	State    RateState
}

// Override is an operator's rule in place of the channel's.
type Override struct {
	ID          string
	RuleID      string
	Rule        string // its name
	Was, Value  string
	From, Until Day
	Author      string
	Reason      string
	At          time.Time
}

// OverrideDraft is a filled-in override form.
type OverrideDraft struct {
	ID          string // caller-made
	Market      string
	RuleID      string
	Value       string // as a person writes it: "5 %", "3 business days"
	From, Until Day
	Reason      string
	Actor       string
}
