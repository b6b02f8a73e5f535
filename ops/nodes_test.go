package ops

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/flow"
	"github.com/spillway/spillway/domain/forecast"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// homeNode works on weekdays from nine to five, sixty orders an hour, and has vans at five.
func homeNode() network.Node {
	n := network.Node{ID: "home", Name: "Reno", Kind: network.Own, Zone: "America/Los_Angeles", Active: true, Place: network.Place{Country: "US", State: "NV", Postal: "89502", City: "Reno"},
		Abilities: []network.Ability{network.Fragile}, Costs: network.Costs{PerOrder: money.Amount{Minor: 150, Currency: "USD"}}, Surge: network.Surge{Above: 500, Percent: 25}}
	lane := network.Lane{Carrier: "nord", Serves: []string{"US"}, Days: [10]int{0, 1, 2, 2, 3, 3, 4, 4, 5, 5}}
	for d := time.Monday; d <= time.Friday; d++ {
		n.Shifts = append(n.Shifts, network.Shift{Weekday: d, From: 9 * 3600, Until: 17 * 3600, PerHour: 60})
		lane.Pickups = append(lane.Pickups, network.Pickup{Weekday: d, At: 17 * 3600, CutOff: 30})
	}
	n.Lanes = []network.Lane{lane}
	return n
}

func TestNodesAreSavedWithTheirLocation(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		d, _ := judgedDesk(t, url, "a")
		x, ctx := d.x, t.Context()
		n := homeNode()
		n.Overtime = []network.Overtime{{Day: calendar.DayOf(judgedDay, time.UTC) - 100, From: 0, Until: 3600, PerHour: 1}}
		saved, err := x.SaveNode(ctx, n, 0, "ann")
		if err != nil || saved.Version != 1 || len(saved.Overtime) != 0 {
			t.Fatal(saved, err)
		}
		if _, err := x.SaveNode(ctx, n, 0, "bob"); !errs.Is(err, errs.Conflict) {
			t.Errorf("a form opened before: %v", err)
		}
		n.Kind = network.ThreePL
		if _, err := x.SaveNode(ctx, n, 1, "bob"); !errs.Is(err, errs.Invalid) {
			t.Errorf("own stock at a provider: %v", err)
		}
		shed := network.Node{ID: "shed", Name: "Shed", Kind: network.Coop, Zone: "UTC", Place: network.Place{Country: "US"}}
		if _, err := x.SaveNode(ctx, shed, 0, "ann"); err != nil {
			t.Fatal(err)
		}
		shed.ID, shed.Kind = "fbt", network.FBT
		if _, err := x.SaveNode(ctx, shed, 0, "ann"); !errs.Is(err, errs.Invalid) {
			t.Errorf("a platform's warehouse by hand: %v", err)
		}
		all, err := x.Nodes(ctx)
		if err != nil || len(all) != 2 || all[0].Location.Name != "Reno" || all[1].Location.Active {
			t.Errorf("%+v %v", all, err)
		}
		if l, ok := x.catalog.Load().location("shed"); !ok || l.Active || l.Name != "Shed" {
			t.Errorf("%+v: the catalogue does not know it", l)
		}
		events := 0
		if err := x.st.View(ctx, func(tx *store.Tx) error {
			got, err := tx.EventsOf("home", 10)
			events = len(got)
			return err
		}); err != nil || events != 1 {
			t.Errorf("%d events: %v", events, err)
		}
		if _, err := x.Node(ctx, "nowhere"); !errs.Is(err, errs.NotFound) {
			t.Error(err)
		}
	})
}

// A form that is opened and sent as it is changes nothing; what is wrong is said of its field.
func TestTheFormOfANode(t *testing.T) {
	d, _ := judgedDesk(t, "sqlite:"+t.TempDir()+"/x.db", "a")
	n := homeNode()
	got, wrong := readNode(view.NodeDraft{NodeForm: formOf(n, 0)}, judgedDay)
	if diff := cmp.Diff(n, got); diff != "" || len(wrong) > 0 {
		t.Error(diff, wrong)
	}
	ctx := t.Context()
	page, err := d.Node(ctx, "home")
	if err != nil || page.Form.Version != 0 || page.Form.Name != "Berlin" || len(page.History) != 0 || page.Row.Basis != "assumed" {
		t.Fatalf("%+v %v", page, err)
	}
	draft := view.NodeDraft{NodeForm: formOf(n, 0), Actor: "ann"}
	p, err := d.PreviewNode(ctx, draft)
	if err != nil || len(p.Wrong) > 0 || !slices.ContainsFunc(p.Changes, func(c view.Change) bool { return c.What == "The next seven days" && c.To == "2400 orders" }) {
		t.Errorf("%+v %v", p, err)
	}
	if done, err := d.SaveNode(ctx, draft); err != nil || done.Sentence != "Reno is saved as version 1." {
		t.Errorf("%+v %v", done, err)
	}
	if p, err := d.PreviewNode(ctx, draft); err != nil || !strings.HasPrefix(p.Refused, "ann has changed") {
		t.Errorf("%+v %v", p, err)
	}
	draft.Version = 1
	if p, err := d.PreviewNode(ctx, draft); err != nil || !strings.HasPrefix(p.Refused, "Nothing is different") {
		t.Errorf("%+v %v", p, err)
	}
	for field, spoil := range map[string]func(*view.NodeDraft){
		"name": func(a *view.NodeDraft) { a.Name = " " }, "zone": func(a *view.NodeDraft) { a.Zone = "Reno" }, "week3": func(a *view.NodeDraft) { a.Week[2] = "late" },
		"closed": func(a *view.NodeDraft) { a.Closed = "Christmas" }, "overtime": func(a *view.NodeDraft) { a.Overtime = "monday" }, "country": func(a *view.NodeDraft) { a.Country = "USA" },
		"lane0.pickups": func(a *view.NodeDraft) { a.Lanes[0].Pickups = "17:00" }, "lane0.byzonedays": func(a *view.NodeDraft) { a.Lanes[0].ByZoneDays = "1 2 3" },
		"perorder": func(a *view.NodeDraft) { a.PerOrder = "-1" }, "perline": func(a *view.NodeDraft) { a.PerLine = "free" }, "max": func(a *view.NodeDraft) { a.Max = "-5" },
		"kind": func(a *view.NodeDraft) { a.Kind = "3pl" }, "id": func(a *view.NodeDraft) { a.New, a.ID = true, "Big Shed" },
	} {
		a := draft
		a.Lanes = slices.Clone(draft.Lanes)
		spoil(&a)
		p, err := d.PreviewNode(ctx, a)
		if err != nil || len(p.Wrong) == 0 || p.Wrong[0].Field != field || p.Wrong[0].Text == "" {
			t.Errorf("%s: %+v %v", field, p, err)
		}
	}
	page, err = d.Node(ctx, "home")
	if err != nil || page.Row.Basis != "stated" || len(page.Lanes) != 1 || page.Lanes[0].Basis != "stated" || len(page.History) != 1 || page.Row.Where != "Reno, NV 89502, US" {
		t.Errorf("%+v %v", page, err)
	}
	if list, err := d.Nodes(ctx); err != nil || len(list.Nodes) != 1 || !list.Nodes[0].Said {
		t.Errorf("%+v %v", list, err)
	}
}

// waitingOrders are orders that wait at the node w1, placed in the hours before the day judged.
func waitingOrders(n int, node string) (out []aSale) {
	for i := range n {
		out = append(out, aSale{id: "w" + node + string(rune('a'+i/26)) + string(rune('a'+i%26)), sku: "MUG", node: node, placed: judgedDay.Add(-time.Duration(i) * time.Minute)})
	}
	return out
}

func TestForecastsWorkWithWhatIsSaidOfNodes(t *testing.T) {
	d, c := judgedDesk(t, "sqlite:"+t.TempDir()+"/x.db", "a", "b")
	x, ctx := d.x, t.Context()
	d.take(t, "a", waitingOrders(90, "W1")...)
	d.take(t, "a", waitingOrders(3, "W9")...)
	zone, _ := time.LoadLocation("America/Los_Angeles")
	n := homeNode()
	monday := calendar.DayOf(c.now(), zone) + 3 // it is a Friday
	n.Closed.Days = []calendar.Closure{{Name: "moving", Span: calendar.Span{From: monday, Until: monday + 1}}}
	n.Overtime = []network.Overtime{{Day: monday + 1, From: 17 * 3600, Until: 19 * 3600, PerHour: 30}}
	if _, err := x.SaveNode(ctx, n, 0, "ann"); err != nil {
		t.Fatal(err)
	}
	if err := x.Foresee(ctx); err != nil {
		t.Fatal(err)
	}
	o, found, err := x.Outlook(ctx, "a")
	if err != nil || !found {
		t.Fatal(err)
	}
	for _, want := range []forecast.Ground{{Text: "the throughput of node home", Basis: forecast.Stated}, {Text: "closures and overtime of node home", Basis: forecast.Stated},
		{Text: "the pick-ups of carrier nord of node home", Basis: forecast.Stated}, {Text: "the throughput of node W9", Basis: forecast.Learned}} {
		if !slices.Contains(o.Grounds, want) && want.Basis == forecast.Stated {
			t.Errorf("not told: %+v in %+v", want, o.Grounds)
		}
	}
	if slices.Contains(o.Assumed, "the throughput of node home") {
		t.Error("what is stated is taken for an assumption")
	}
	s, err := x.Node(ctx, "home")
	if err != nil || s.Load == nil || s.Load.Waiting != 90 || s.Load.Basis != forecast.Stated {
		t.Fatalf("%+v %v", s.Load, err)
	}
	if got := s.Load.Capacity[3]; got != 0 {
		t.Errorf("%v orders on the day it is closed", got)
	}
	want := network.Orders(func() []network.Stretch { days, _ := n.Timetable(); return days.On(monday + 1) }())
	if got := s.Load.Capacity[4]; got != want {
		t.Errorf("%v orders on the day with overtime, want %v", got, want)
	}
	list, err := d.Nodes(ctx)
	if err != nil || len(list.Unknown) != 1 || !strings.Contains(list.Unknown[0], "3 orders wait at warehouse W9") {
		t.Errorf("%+v %v", list.Unknown, err)
	}
	// Where an order was routed to counts, and not where the channel expected it to leave from.
	if err := x.st.Update(ctx, func(tx *store.Tx) error {
		orders, err := tx.OrdersForUpdate([]string{"a:wW9aa"})
		if err != nil || len(orders) != 1 {
			return fmt.Errorf("%v %w", orders, err)
		}
		orders[0].LeaveFrom("W1")
		return tx.OrdersSave(orders)
	}); err != nil {
		t.Fatal(err)
	}
	if err := x.Foresee(ctx); err != nil {
		t.Fatal(err)
	}
	if s, err = x.Node(ctx, "home"); err != nil || s.Load.Waiting != 91 {
		t.Errorf("%+v %v", s.Load, err)
	}
	// A shop that shares the node takes its part of what is stated.
	d.take(t, "b", waitingOrders(30, "")...)
	if err := x.Foresee(ctx); err != nil {
		t.Fatal(err)
	}
	s, err = x.Node(ctx, "home")
	if err != nil || s.Load.Waiting != 121 || s.Load.Parts["a"] < 0.75 || s.Load.Parts["a"] > 0.76 || s.Load.Parts["a"]+s.Load.Parts["b"] != 1 {
		t.Errorf("%+v %v", s.Load, err)
	}
	if got := s.Load.Capacity[4]; got < want-1e-6 || got > want+1e-6 {
		t.Errorf("both shops together have %v of %v orders", got, want)
	}
}

// A shop that has hardly sold before and sells a thousand orders overnight gets its turn at a node it shares: the floor works by what is due. By its share of
// the orders so far it would get next to nothing, and its forecast be far too dark.
func TestAShopWithLittleHistoryHasItsPartOfANode(t *testing.T) {
	now := flow.HourOf(judgedDay)
	old := learned{connection: "old", waiting: 200}
	for d := range 40 {
		old.counts = append(old.counts, flow.Count{Kind: flow.Placed, Hour: now - flow.Hour(24*(d+1)), N: 200})
	}
	fresh := learned{connection: "fresh", waiting: 1_000, counts: []flow.Count{{Kind: flow.Placed, Hour: now - 48, N: 20}, {Kind: flow.Placed, Hour: now - 2, N: 1_000}}}
	p := &places{at: judgedDay, learned: map[string][]learned{"home": {old, fresh}}}
	if a, b := p.part("home", "old"), p.part("home", "fresh"); b < 0.7 || b > 0.85 || a+b != 1 {
		t.Errorf("the old shop has %.2f of the node, the one with a thousand orders %.2f", a, b)
	}
	if p.part("elsewhere", "fresh") != 1 {
		t.Error("a node of which nothing is known is not divided")
	}
}

func TestLagsAreLearnedFromTheVanOn(t *testing.T) {
	n := store.Node{Node: homeNode()}
	p := &places{at: time.Date(2026, 3, 11, 16, 0, 0, 0, time.UTC), cat: &catalogue{}, nodes: map[string]*place{}, only: map[string]string{"a": "home"}}
	p.add(n)
	van := time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC) // 17:00 on the tenth in Los Angeles, which has put its clocks forward
	cache := openCache{}
	put := func(id string, ready, scanned time.Duration, carrier string) {
		o := openOrder{connection: "a", placed: true}
		o.ID, o.Carrier, o.ReadyAt = id, carrier, van.Add(ready)
		if scanned != 0 {
			o.HandedOverAt = van.Add(scanned)
		}
		cache[id] = o
	}
	put("scanned", -3*time.Hour, 5*time.Hour, "Nord")
	put("also", -2*time.Hour, 5*time.Hour, "NORD ")
	put("waits", -time.Hour, 0, "Nord")
	put("missed", -10*time.Minute, 0, "Nord") // its van comes later today
	put("other", -time.Hour, 0, "Blitz")
	got := p.sinceVan(p.nodes["home"], n.Lanes[0], "a", "Nord", cache)
	slices.SortFunc(got, func(a, b forecast.Wait) int { return int(a.Lasted - b.Lasted) })
	want := []forecast.Wait{{Lasted: 5*time.Hour + 30*time.Minute, Ended: true, N: 2}, {Lasted: 16*time.Hour + 30*time.Minute, N: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	lanes := p.lanes(p.nodes["home"], "a", []forecast.Lane{{Carrier: "Nord", Share: 1}}, cache)
	if len(lanes) != 1 || lanes[0].Carrier != "Nord" || len(lanes[0].Pickups) != 5 || lanes[0].Lag.Basis != forecast.Learned || lanes[0].Share != 1 {
		t.Errorf("%+v", lanes)
	}
	left := cache.unfinished("a", p.at)
	var waiting int64
	for _, l := range left {
		waiting += l.N
	}
	if waiting != 5 || left[0].Carrier != "Blitz" {
		t.Errorf("%+v", left)
	}
}
