package routing

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
)

func plainRules() Rules {
	return Rules{Currency: "USD", Late: Late{Dispatch: 400}, LeftUnit: 5000, Short: Partly}
}

func plainSite(id string, change func(*network.Node)) Site {
	n := network.Node{ID: id, Name: id, Kind: network.Own, Zone: "America/New_York", Active: true, Place: network.Place{Country: "US", State: "NY"}}
	for d := time.Monday; d <= time.Friday; d++ {
		n.Shifts = append(n.Shifts, network.Shift{Weekday: d, From: 8 * 3600, Until: 18 * 3600, PerHour: 10})
	}
	n.Lanes = lanes()[:1]
	n.Lanes[0].Pickups = nil
	for d := time.Monday; d <= time.Friday; d++ {
		n.Lanes[0].Pickups = append(n.Lanes[0].Pickups, network.Pickup{Weekday: d, At: calendar.Clock(17 * 3600), CutOff: 30})
	}
	if change != nil {
		change(&n)
	}
	return Site{Node: n, Location: stock.Location{ID: id, Kind: stock.Own, Active: true}}
}

// An order that comes in before the cut-off leaves the same day, one at it or after on the next day a van comes, over a weekend too.
func TestTheCutOffDecidesTheDay(t *testing.T) {
	zone, _ := time.LoadLocation("America/New_York")
	for in, want := range map[string]string{
		"2026-11-17 16:00": "2026-11-17 17:00", "2026-11-17 16:24": "2026-11-17 17:00", "2026-11-17 16:29": "2026-11-18 17:00",
		"2026-11-17 16:30": "2026-11-18 17:00", "2026-11-20 16:45": "2026-11-23 17:00", "2026-11-21 09:00": "2026-11-23 17:00",
		"2026-10-30 16:45": "2026-11-02 17:00", // the clock goes back in between
	} {
		at, _ := time.ParseInLocation("2006-01-02 15:04", in, zone)
		d, err := Prepare([]Site{plainSite("a", nil)}, plainRules(), nil, at)
		if err != nil {
			t.Fatal(err)
		}
		p, err := d.Route(&Order{ID: "1", Lines: []Line{{Item: "x", Qty: 1}}}, Stock{"x": {1}})
		if err != nil || len(p.Parts) != 1 {
			t.Fatalf("%s: %+v %v", in, p, err)
		}
		if got := p.Parts[0].Leaves.In(zone).Format("2006-01-02 15:04"); got != want {
			t.Errorf("in at %s: leaves %s, not %s", in, got, want)
		}
	}
}

// 16:24 leaves room for one order at ten an hour until 16:30; a queue of one sends the next to the day after.
func TestTheQueueGoesFirst(t *testing.T) {
	zone, _ := time.LoadLocation("America/New_York")
	at := time.Date(2026, 11, 17, 16, 24, 0, 0, zone)
	s := plainSite("a", nil)
	for queue, want := range map[int64]int{0: 17, 1: 18, 101: 19} {
		s.Queue = queue
		d, _ := Prepare([]Site{s}, plainRules(), nil, at)
		p, _ := d.Route(&Order{ID: "1", Lines: []Line{{Item: "x", Qty: 1}}}, Stock{"x": {1}})
		if got := p.Parts[0].Leaves.In(zone).Day(); got != want {
			t.Errorf("behind %d: leaves on the %d., not %d.", queue, got, want)
		}
	}
}

func TestSurgeBeginsAboveTheAgreedOrders(t *testing.T) {
	days := []shipDay{{cap: 100}, {cap: 100}}
	got := fill(days, network.Surge{Above: 40, Percent: 25, Max: 90}, 120, 60, 2)
	want := []bucket{{day: 1, cap: 20}, {day: 1, percent: 25, cap: 50}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%+v, not %+v", got, want)
	}
}

func TestEveryExclusionIsSaid(t *testing.T) {
	at := time.Date(2026, 11, 17, 15, 0, 0, 0, time.UTC)
	off := plainSite("off", func(n *network.Node) { n.Active = false })
	fbt := plainSite("fbt", func(n *network.Node) { n.Kind = network.FBT })
	fbt.Location.Kind, fbt.Location.Serves = stock.FBT, []string{"tt"}
	abroad := plainSite("abroad", func(n *network.Node) { n.Lanes[0].Serves = []string{"GB"} })
	full := plainSite("full", nil)
	full.Queue = 100_000
	sites := []Site{plainSite("a", nil), off, fbt, abroad, full, plainSite("ruled", nil), plainSite("poor", nil), plainSite("dear", func(n *network.Node) {
		n.Abilities = []network.Ability{network.Fragile}
		n.Costs.PerOrder = usd(900)
		n.Lanes[0].Abilities = n.Abilities
	})}
	sites[0].Node.Abilities = []network.Ability{network.Fragile}
	sites[0].Node.Lanes[0].Abilities = sites[0].Node.Abilities
	rules := plainRules()
	rules.Limits = []Limit{{Reason: "Under repair.", Nodes: []string{"ruled"}, Never: true}}
	d, err := Prepare(sites, rules, nil, at)
	if err != nil {
		t.Fatal(err)
	}
	o := Order{ID: "1", Connection: "shop", Dest: Dest{Region: "US-CA"}, Lines: []Line{{Item: "vase", Qty: 2, Needs: []network.Ability{network.Fragile}}}}
	p, err := d.Route(&o, Stock{"vase": {5, 5, 5, 5, 5, 5, 5, 5}})
	if err != nil {
		t.Fatal(err)
	}
	for node, want := range map[string]string{
		"a": "a ships it.", "off": "switched off", "fbt": "may not be promised to this channel", "abroad": "No carrier goes from abroad",
		"full": "no more orders", "ruled": "A rule keeps it away from ruled: Under repair.", "poor": "cannot handle vase", "dear": "That is no better",
	} {
		for i := range p.Candidates {
			if c := &p.Candidates[i]; c.Node == node && !strings.Contains(c.Words(), want) {
				t.Errorf("%s: %q, not %q", node, c.Words(), want)
			}
		}
	}
	o.Connection = "tt"
	o.Lines[0].Needs = nil
	if p, _ = d.Route(&o, Stock{"vase": {5, 5, 5, 5, 5, 5, 5, 5}}); p.Parts[0].Node != "fbt" {
		t.Errorf("platform stock goes first: %+v", p.Parts)
	}
	o.Override = Override{Nodes: []string{"dear"}, By: "ann", Reason: "the customer asked"}
	if p, _ = d.Route(&o, Stock{"vase": {5, 5, 5, 5, 5, 5, 5, 5}}); p.Parts[0].Node != "dear" || !strings.Contains(p.Candidates[0].Words(), "the customer asked") {
		t.Errorf("a person's word goes before: %+v", p)
	}
}

// The cheap provider would put a label of its own on a parcel that the platform labels.
func TestAProviderShipsNothingOnAPlatformsLabel(t *testing.T) {
	provider := plainSite("far", func(n *network.Node) { n.Kind, n.Account, n.Priority = network.ThreePL, "account", -1 })
	provider.Location.Kind = stock.ThirdParty
	d, err := Prepare([]Site{plainSite("near", nil), provider}, plainRules(), nil, time.Date(2026, 11, 17, 12, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	unconnected := plainSite("by hand", func(n *network.Node) { n.Kind, n.Priority = network.MCF, -1 })
	unconnected.Location.Kind = stock.Marketplace
	alone, err := Prepare([]Site{unconnected}, plainRules(), nil, time.Date(2026, 11, 17, 12, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := alone.Route(&Order{ID: "1", Lines: []Line{{Item: "x", Qty: 1}}, Regime: Regime{PlatformPicks: true}}, Stock{"x": {1}}); err != nil || len(p.Parts) > 0 {
		t.Errorf("a provider that is told by hand puts the platform's label on: %+v %v", p.Parts, err)
	}
	for picks, want := range map[bool]string{true: "near", false: "far"} {
		p, err := d.Route(&Order{ID: "1", Lines: []Line{{Item: "x", Qty: 1}}, Regime: Regime{PlatformPicks: picks}}, Stock{"x": {1, 1}})
		if err != nil || len(p.Parts) != 1 || p.Parts[0].Node != want {
			t.Errorf("picked by the platform %v: %+v %v", picks, p.Parts, err)
		}
		if picks && !slices.ContainsFunc(p.Candidates, func(c Candidate) bool {
			return c.Why == OwnLabels && strings.Contains(c.Words(), "labels its parcels itself")
		}) {
			t.Errorf("%+v", p.Candidates)
		}
	}
}

// Labels of one's own are forbidden: only the platform's warehouse ships, and every other node names the rule.
func TestARuleOfTheChannelClosesNodes(t *testing.T) {
	fbt := plainSite("fbt", func(n *network.Node) { n.Kind = network.FBT })
	fbt.Location.Kind, fbt.Location.Serves = stock.FBT, []string{"tt"}
	d, err := Prepare([]Site{plainSite("near", nil), fbt}, plainRules(), nil, time.Date(2026, 11, 17, 12, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	o := Order{ID: "1", Connection: "tt", Lines: []Line{{Item: "x", Qty: 1}}, Regime: Regime{Forbidden: "closed from 2026-03-31 (rule own-ends)"}}
	for have, want := range map[int64]string{1: "fbt", 0: ""} {
		p, err := d.Route(&o, Stock{"x": {5, have}})
		if err != nil || len(p.Parts) != min(1, len(want)) || want != "" && p.Parts[0].Node != want {
			t.Errorf("%d at the platform: %+v %v", have, p.Parts, err)
		}
		if c := p.Candidates[1]; c.Node != "near" || c.Why != Forbidden || !strings.Contains(c.Words(), "rule own-ends") {
			t.Errorf("%+v: %s", c, c.Words())
		}
	}
	o.Regime.PlatformPicks = true
	if p, _ := d.Route(&o, Stock{"x": {5, 0}}); len(p.Parts) != 1 {
		t.Errorf("on the channel's label it may leave: %+v", p)
	}
}

// Stock at a platform goes first though it is dearer and lies farther, for that platform's shop and for no other, and the others are told why.
func TestPlatformStockGoesFirstForItsShopOnly(t *testing.T) {
	fbt := plainSite("fbt", func(n *network.Node) { n.Kind, n.Costs.PerOrder = network.FBT, usd(2000) })
	fbt.Location.Kind, fbt.Location.Serves = stock.FBT, []string{"tt"}
	sites := []Site{plainSite("near", nil), fbt}
	for _, c := range []struct {
		shop  string
		plain bool
		have  int64
		want  string
		why   Why
	}{{"tt", false, 3, "fbt", PlatformFirst}, {"tt", false, 2, "near", Lacks}, {"tt", true, 3, "near", Dearer}, {"amazon", false, 3, "near", NotServed}} {
		rules := plainRules()
		rules.Plain = c.plain
		d, err := Prepare(sites, rules, nil, time.Date(2026, 11, 17, 12, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		o := Order{ID: "1", Connection: c.shop, Lines: []Line{{Item: "x", Qty: 3}}}
		check := func(how string, p Plan, err error) {
			if err != nil || len(p.Parts) != 1 || p.Parts[0].Node != c.want {
				t.Fatalf("%s, %+v: %+v %v", how, c, p.Parts, err)
			}
			other := p.Candidates[0] // by id: fbt, near
			if c.want == "fbt" {
				other = p.Candidates[1]
			}
			if other.Why != c.why {
				t.Errorf("%s, %+v: %s", how, c, other.Words())
			}
		}
		p, err := d.Route(&o, Stock{"x": {5, c.have}})
		check("alone", p, err)
		all, err := d.Replan([]Order{o}, Stock{"x": {5, c.have}})
		check("together", all.Plans[0], err)
	}
}

func TestBadInputIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*Rules, *[]Site){
		"currency":  func(r *Rules, _ *[]Site) { r.Currency = "" },
		"short":     func(r *Rules, _ *[]Site) { r.Short = "maybe" },
		"free left": func(r *Rules, _ *[]Site) { r.LeftUnit = 0 },
		"parts":     func(r *Rules, _ *[]Site) { r.Parts = 7 },
		"limit":     func(r *Rules, _ *[]Site) { r.Limits = []Limit{{Nodes: []string{"a"}}} },
		"twice":     func(_ *Rules, s *[]Site) { *s = append(*s, (*s)[0]) },
		"euros":     func(_ *Rules, s *[]Site) { (*s)[0].Node.Costs.PerLine.Currency = "EUR" },
		"slip":      func(_ *Rules, s *[]Site) { (*s)[0].Slip = 1_000_000 },
	} {
		r, s := plainRules(), []Site{plainSite("a", nil)}
		s[0].Node.Costs.PerLine = usd(1)
		spoil(&r, &s)
		if _, err := Prepare(s, r, nil, monday); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	d, _ := Prepare([]Site{plainSite("a", nil)}, plainRules(), nil, monday)
	for name, o := range map[string]Order{
		"no lines": {}, "no item": {Lines: []Line{{Qty: 1}}}, "no units": {Lines: []Line{{Item: "x"}}}, "too many": {Lines: make([]Line, MaxLines+1)},
		"no reason": {Lines: []Line{{Item: "x", Qty: 1}}, Override: Override{Nodes: []string{"a"}}},
		"ability":   {Lines: []Line{{Item: "x", Qty: 1, Needs: []network.Ability{"flying"}}}},
	} {
		if _, err := d.Route(&o, nil); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := d.Replan([]Order{o}, nil); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s together: %v", name, err)
		}
	}
}

func TestRegimeOfAPolicy(t *testing.T) {
	g := RegimeOf(policy.Regime{Option: "Upgraded", Carrier: "the channel", Exempt: []string{"on-time delivery"}, Saving: 200_000})
	if !g.PlatformPicks || !g.NoDelivery || g.NoDispatch || g.Saving != 200_000 {
		t.Errorf("%+v", g)
	}
	if RegimeOf(policy.Regime{Carrier: "the seller"}).PlatformPicks {
		t.Error("the seller picks")
	}
}
