package ops

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// judgedDay is when the tests below look: a Friday evening in the market.
var judgedDay = time.Date(2026, time.March, 20, 22, 0, 0, 0, time.UTC)

// judgedRules are testRules with an account, deadlines, a paused limit and an announced one.
const judgedRules = testRules + `
  - {id: otdr-target, metric: otdr, kind: target, limit: "95 %", announced: true, source: T, confidence: unverified}
deadlines:
  - {id: ship-by, field: ship_by, for: [regular], after: placed, period: 2 business days, source: T, confidence: unverified}
accounts:
  - {id: account, min: 0, max: 1000, start: 200, look_back: 180, warning: 10, gains: "orders fulfilled well", source: T, confidence: unverified}
zones:
  - {id: green, scheme: s, name: green, low: 200, high: 1000, source: T, confidence: unverified}
  - {id: orange, scheme: s, name: orange, low: 51, high: 199, source: T, confidence: unverified}
  - {id: red, scheme: s, name: red, low: 0, high: 50, source: T, confidence: unverified}
milestones:
  - {id: at-150, points: 150, days: 7, blocks: [new listings], source: T, confidence: unverified}
notices:
  - {id: d-scan, kind: definition, metric: ldr, from: 2026-03-12, text: "The first scan at a depot counts.", source: T, confidence: unverified}
  - {id: d-other, kind: definition, metric: otdr, text: "Not of this one.", source: T, confidence: unverified}
  - {id: p-any, kind: practice, text: "Pack early.", source: T, confidence: unverified}
gaps:
  - {id: points, text: "No source tells what a breach costs."}
`

// judgedDesk is a desk over shops that are judged, on a database of either kind.
func judgedDesk(t *testing.T, url string, shops ...string) (*Desk, *clock) {
	t.Helper()
	c := &clock{at: judgedDay}
	x := healthOps(t, url, judgedRules, c, shops...)
	if err := x.st.Update(t.Context(), func(tx *store.Tx) error {
		return tx.LocationPut(stock.Location{ID: "home", Name: "Berlin", Kind: stock.Own, Active: true, ExternalRefs: map[string]string{"a": "W1"}})
	}); err != nil {
		t.Fatal(err)
	}
	if err := x.reloadCatalogue(t.Context()); err != nil {
		t.Fatal(err)
	}
	d, err := NewDesk(x, DeskOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return d, c
}

// aSale is one order of a test: when it was placed and handed over, and what it holds.
type aSale struct {
	id, carrier, sku, node string
	placed                 time.Time
	late                   time.Duration // handed over so long after its deadline; negative: before it
	status                 order.Status
	bare                   bool // the channel tells no deadline of it
}

func (s aSale) fact() order.Fact {
	due := s.placed.Add(48 * time.Hour)
	d := order.Detail{Fulfilment: order.BySeller, CreatedAt: s.placed, PaidAt: s.placed, WarehouseRef: s.node, Region: "US-CA", Number: "N" + s.id,
		Deadlines: order.Deadlines{ShipBy: due, HandOverBy: due, DeliverBy: s.placed.Add(6 * 24 * time.Hour)},
		Lines:     []order.Line{{ExternalLineID: "1", ExternalSKU: s.sku, SellerSKU: s.sku, Qty: 2}}}
	f := order.Fact{Kind: order.Snapshot, ExternalID: s.id, UpdatedAt: s.placed, ReadAt: s.placed.Add(time.Minute), Status: order.AwaitingShipment, StatusText: "paid", Detail: &d}
	if s.bare {
		d.Deadlines = order.Deadlines{}
	}
	if s.status != "" {
		at := due.Add(s.late)
		d.Moments.ReadyAt, d.Moments.HandedOverAt = at.Add(-time.Hour), at
		d.Parcels = []order.Parcel{{Ref: "p" + s.id, Tracking: "12345678901", Carrier: s.carrier}}
		f.Status, f.StatusText, f.UpdatedAt, f.ReadAt = s.status, string(s.status), at, at.Add(time.Minute)
	}
	return f
}

// take takes orders in as a channel would tell them, and adds up what they change.
func (d *Desk) take(t *testing.T, shop string, orders ...aSale) {
	t.Helper()
	var facts []order.Fact
	for _, o := range orders {
		facts = append(facts, o.fact())
	}
	if _, err := d.x.IntakeAlone(t.Context(), Incoming{ConnectionID: shop, Source: SourcePoll, Facts: facts}); err != nil {
		t.Fatal(err)
	}
	fold(t, d.x)
	foldParts(t, d.x)
	d.health = healthDesk{}
}

// week is sixty orders handed over in the last days, of which the first bad ones came late, all of those by one carrier.
func week(bad int) (out []aSale) {
	for i := range 60 {
		s := aSale{id: fmt.Sprintf("o%02d", i), carrier: "Nord", sku: "MUG", node: "W1", status: order.InTransit, placed: judgedDay.Add(-time.Duration(72+i) * time.Hour), late: -5 * time.Hour}
		if i < bad {
			s.carrier, s.late = "Blitz", 6*time.Hour
		}
		out = append(out, s)
	}
	return out
}

func gaugeNamed(t *testing.T, v view.Health, metric string) view.Gauge {
	t.Helper()
	for _, g := range v.Gauges {
		if g.Metric == metric {
			return g
		}
	}
	t.Fatalf("no gauge %s", metric)
	return view.Gauge{}
}

func TestDeskHealth(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		ctx := t.Context()
		d, _ := judgedDesk(t, url, "a", "b")
		v, err := d.Health(ctx, "", "")
		if err != nil || v.Shop.Word != "still being counted" || v.Shop.Level != view.Quiet || len(v.Missing) == 0 {
			t.Fatalf("before the first count: %+v, %v", v.Shop, err)
		}
		if g := gaugeNamed(t, v, "ldr"); g.State != view.StateCounting || g.Forecast != nil {
			t.Errorf("before the first count the gauge says %s", g.State)
		}
		d.take(t, "a", week(4)...)
		if _, err := d.x.CountHealth(ctx); err != nil {
			t.Fatal(err)
		}
		d.health = healthDesk{}
		if v, err = d.Health(ctx, "", ""); err != nil {
			t.Fatal(err)
		}
		if v.Shop.ID != "a" || v.Shop.Word != "watch" || v.Level != view.Watch || len(v.Shops) != 2 || v.Shop.Market != "US" {
			t.Errorf("shop %+v, level %q, %d shops", v.Shop, v.Level, len(v.Shops))
		}
		if b := v.Shops[1]; b.Word != "nothing counted" || b.Level != view.Quiet {
			t.Errorf("a shop without orders is %q %q", b.Word, b.Level)
		}
		g := gaugeNamed(t, v, "ldr")
		if g.State != view.StateWatch || g.Num != 4 || g.Den != 60 || g.From != "2026-03-14" || g.To != "2026-03-20" || len(g.Limits) != 2 {
			t.Errorf("gauge %+v", g)
		}
		if want := "Over its 4 % target. 3 more late orders and it passes the enforced 10 %."; g.Text != want {
			t.Errorf("says %q, want %q", g.Text, want)
		}
		if len(g.Trend.Points) != trendDays || g.Trend.Points[trendDays-1].Num != 4 || len(g.Trend.Switches) == 0 || g.Trend.Switches[0].Day != "2026-03-02" {
			t.Errorf("trend of %d points, switches %+v", len(g.Trend.Points), g.Trend.Switches)
		}
		if vtr := gaugeNamed(t, v, "vtr"); vtr.State != view.StateNoRule || vtr.Text == "" {
			t.Errorf("a metric without a rule is %s: %q", vtr.State, vtr.Text)
		}
		checkCauses(t, v)
		if v.Compound != -1 || len(v.Advice) != 0 || !strings.Contains(strings.Join(v.Missing, " "), "No forecast") {
			t.Errorf("without a forecast: %d, %v, %v", v.Compound, v.Advice, v.Missing)
		}
		for _, bad := range []struct{ shop, causes string }{{"none", ""}, {"a", "nps"}} {
			if _, err := d.Health(ctx, bad.shop, bad.causes); !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Invalid) {
				t.Errorf("%v: %v", bad, err)
			}
		}
	})
}

func checkCauses(t *testing.T, v view.Health) {
	t.Helper()
	if v.CausesFor != "ldr" {
		t.Errorf("causes for %s", v.CausesFor)
	}
	seen := map[string]view.CauseRow{}
	for _, c := range v.Causes {
		seen[c.Facet] = c.Rows[0]
	}
	if r := seen["carrier"]; r.Name != "Blitz" || r.Against != 4 || r.Of != 4 {
		t.Errorf("carrier %+v", r)
	}
	if r := seen["node"]; r.Name != "Berlin" || r.Value != "W1" || r.Of != 60 {
		t.Errorf("node %+v", r)
	}
	if r := seen["reason"]; r.Value != "late_24h" || r.Against != 4 || r.Of != 0 {
		t.Errorf("reason %+v", r)
	}
}

func TestDeskRate(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		ctx := t.Context()
		d, _ := judgedDesk(t, url, "a")
		d.take(t, "a", week(55)...)
		if _, err := d.x.CountHealth(ctx); err != nil {
			t.Fatal(err)
		}
		d.health = healthDesk{}
		f := view.RateFilter{Shop: "a", Metric: "ldr"}
		ids := map[string]bool{}
		for pages := 0; ; pages++ {
			v, err := d.Rate(ctx, f)
			if err != nil || pages > 3 {
				t.Fatal(pages, err)
			}
			for _, r := range v.Rows {
				if !r.Against || r.Reason != "4 to 24 hours late" || r.Due == nil || r.Done == nil || r.Node != "Berlin" || r.Item != "2 × MUG" || ids[r.ID] {
					t.Fatalf("row %+v", r)
				}
				ids[r.ID] = true
			}
			if v.Total != 55 || v.Gauge.State != view.StateBreach || v.Past || len(v.Days) != 7 || v.Days[0].Day != "2026-03-20" || !v.Days[0].Open {
				t.Errorf("total %d, state %s, days %+v", v.Total, v.Gauge.State, v.Days)
			}
			if f.After = v.Next; f.After == "" {
				break
			}
		}
		if len(ids) != 55 {
			t.Errorf("%d orders on all pages", len(ids))
		}
		v, err := d.Rate(ctx, view.RateFilter{Shop: "a", Metric: "ldr", Carrier: "Blitz", Reason: "late_4h"})
		if err != nil || v.Total != 0 || len(v.Rows) != 0 || v.Next != "" {
			t.Errorf("nothing matches: %d, %d rows, %v", v.Total, len(v.Rows), err)
		}
		if v, err = d.Rate(ctx, view.RateFilter{Shop: "a", Metric: "ldr", Carrier: "Blitz"}); err != nil || v.Total != 55 || len(v.Rows) != markPage {
			t.Errorf("of one carrier: %d, %d rows, %v", v.Total, len(v.Rows), err)
		}
		for _, c := range v.Facets {
			if c.Facet == "node" && (len(c.Options) != 1 || c.Options[0].Label != "Berlin" || c.Options[0].N != 55) {
				t.Errorf("choices %+v", c)
			}
		}
		all := 0
		for f := (view.RateFilter{Shop: "a", Metric: "ldr", All: true}); ; {
			v, err := d.Rate(ctx, f)
			if err != nil {
				t.Fatal(err)
			}
			if all += len(v.Rows); v.Next == "" {
				break
			}
			f.After = v.Next
		}
		if all != 60 {
			t.Errorf("%d counted orders", all)
		}
		if v, err = d.Rate(ctx, view.RateFilter{Shop: "a", Metric: "ldr", On: "2026-02-20"}); err != nil || !v.Past || v.Gauge.State != view.StateNothing || v.Definition.RateID != "ldr-ready" {
			t.Errorf("a past day: %+v, %v", v.Definition, err)
		}
		if len(v.Definition.Besides) != 0 {
			t.Errorf("said later: %+v", v.Definition.Besides)
		}
		if v, err = d.Rate(ctx, view.RateFilter{Shop: "a", Metric: "ldr"}); err != nil || len(v.Definition.Besides) != 1 || v.Definition.Besides[0].Text != "The first scan at a depot counts." || v.Definition.Besides[0].Source != "Made for tests" {
			t.Errorf("what the channel says besides: %+v, %v", v.Definition.Besides, err)
		}
		for _, bad := range []view.RateFilter{{Metric: "ldr", On: "2026-03-21"}, {Metric: "ldr", On: "2019-01-01"}, {Metric: "ldr", After: "x"}, {Metric: "nps"}, {Shop: "z", Metric: "ldr"}} {
			if _, err := d.Rate(ctx, bad); !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.NotFound) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
	})
}

// Orders that cannot be judged make a rate unsure, never good, and are listed only for who asks for them.
func TestDeskRateUnsure(t *testing.T) {
	d, _ := judgedDesk(t, "sqlite:"+t.TempDir()+"/h.db", "a")
	var orders []aSale
	for i := range 20 {
		orders = append(orders, aSale{id: fmt.Sprint("c", i), sku: "MUG", node: "W9", placed: judgedDay.Add(-100 * time.Hour), status: order.InTransit})
	}
	var facts []order.Fact
	for i, s := range orders {
		f := s.fact()
		if i < 5 {
			f.Status, f.StatusText, f.Detail.Moments = order.Cancelled, "cancelled", order.Moments{CancelledAt: judgedDay.Add(-time.Hour)}
		}
		facts = append(facts, f)
	}
	if _, err := d.x.IntakeAlone(t.Context(), Incoming{ConnectionID: "a", Source: SourcePoll, Facts: facts}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.x.CountHealth(t.Context()); err != nil {
		t.Fatal(err)
	}
	fold(t, d.x)
	v, err := d.Rate(t.Context(), view.RateFilter{Shop: "a", Metric: "sfcr"})
	if err != nil || v.Gauge.State != view.StateWatch || !strings.Contains(v.Gauge.Text, "5 of 20 could not be judged") || len(v.Rows) != 0 {
		t.Fatalf("%s %q, %d rows, %v", v.Gauge.State, v.Gauge.Text, len(v.Rows), err)
	}
	if v, err = d.Rate(t.Context(), view.RateFilter{Shop: "a", Metric: "sfcr", Reason: "unknown_fault"}); err != nil || len(v.Rows) != 5 || v.Rows[0].Against {
		t.Errorf("%d rows, %v", len(v.Rows), err)
	}
	if v, err = d.Rate(t.Context(), view.RateFilter{Shop: "a", Metric: "sfcr", All: true}); err != nil || len(v.Rows) != 20 {
		t.Errorf("%d rows of all, %v", len(v.Rows), err)
	}
}

// A forecast that was kept is shown with the orders as they are now; what has left since is not at risk any more.
func TestDeskForecastAndAdvice(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		ctx := t.Context()
		d, c := judgedDesk(t, url, "a")
		d.take(t, "a", week(0)...)
		var open []aSale
		for i := range 40 {
			open = append(open, aSale{id: fmt.Sprintf("w%02d", i), sku: "MUG", node: "W1", placed: judgedDay.Add(-time.Duration(50+i%5) * time.Hour)})
		}
		d.take(t, "a", open...)
		if _, err := d.x.CountHealth(ctx); err != nil {
			t.Fatal(err)
		}
		if err := d.x.Foresee(ctx); err != nil {
			t.Fatal(err)
		}
		d.health = healthDesk{}
		v, err := d.Health(ctx, "a", "")
		if err != nil {
			t.Fatal(err)
		}
		g := gaugeNamed(t, v, "ldr")
		if g.Forecast == nil || g.Forecast.P10 > g.Forecast.P50 || g.Forecast.P50 > g.Forecast.P90 || g.Forecast.Against != "enforcement at 10 %" || !g.Forecast.At.After(judgedDay) {
			t.Fatalf("forecast %+v", g.Forecast)
		}
		if v.Compound < 0 || v.Compound > 1_000_000 || len(v.Risk) != 40 || v.Risk[0].Late != 1_000_000 || v.Risk[0].Node != "Berlin" || v.Risk[0].Number == "" || v.Stale != "" {
			t.Errorf("compound %d, %d at risk, first %+v, stale %q", v.Compound, len(v.Risk), v.Risk[0], v.Stale)
		}
		sent := open[0]
		sent.status, sent.late = order.InTransit, time.Hour
		d.take(t, "a", sent)
		c.set(judgedDay.Add(3 * time.Hour))
		if v, err = d.Health(ctx, "a", ""); err != nil || len(v.Risk) != 39 || !strings.Contains(v.Stale, "forecast is from 3 hours ago") {
			t.Errorf("%d at risk, stale %q, %v", len(v.Risk), v.Stale, err)
		}
		checkToDo(t, d, v)
		for _, figure := range []string{"rate:a@ldr", "rate:a@ldr@2026-03-10", "rate:a@vtr", "forecast:a@ldr", "forecast:a@vtr", "compound:a", "account:a", "risk:a:w07", "risk:a:o01", "rule:US@ldr-target", "rule:US@ldr-scan", "rule:US@otdr-target"} {
			e, err := d.Explain(ctx, figure)
			if err != nil || e.Title == "" || e.Sentence == "" || e.JudgedBy == "" || e.Value == "" {
				t.Errorf("%s: %+v, %v", figure, e, err)
			}
		}
		for _, figure := range []string{"rate:a", "rate:a@nps", "rate:z@ldr", "rate:a@ldr@2027-01-01", "advice:a@none", "rule:US@none", "rule:XX@ldr-scan", "reconciled:a@ldr@2026-03-01"} {
			if _, err := d.Explain(ctx, figure); !errs.Is(err, errs.NotFound) {
				t.Errorf("%s: %v", figure, err)
			}
		}
	})
}

func checkToDo(t *testing.T, d *Desk, v view.Health) {
	t.Helper()
	for _, a := range v.Advice {
		if a.Sentence == "" || a.Why == "" || a.ID == "" {
			t.Errorf("advice %+v", a)
		}
		if a.Count == 0 {
			continue
		}
		todo, err := d.ToDo(t.Context(), "a", a.ID)
		if err != nil || int64(len(todo.Orders)) > a.Count || len(todo.Orders) < len(a.Orders) || todo.Sentence != a.Sentence {
			t.Errorf("to do: %d of %d, %v", len(todo.Orders), a.Count, err)
		}
		if e, err := d.Explain(t.Context(), view.FigureAdvice+"a@"+a.ID); err != nil || e.Value != number(a.Count) {
			t.Errorf("explained: %+v, %v", e, err)
		}
	}
	if _, err := d.ToDo(t.Context(), "a", "none"); !errs.Is(err, errs.NotFound) {
		t.Errorf("an advice that does not hold: %v", err)
	}
}

func TestDeskAccount(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		ctx := t.Context()
		d, _ := judgedDesk(t, url, "a")
		if _, err := d.x.CountHealth(ctx); err != nil {
			t.Fatal(err)
		}
		account := func() view.Account {
			t.Helper()
			v, err := d.Health(ctx, "a", "")
			if err != nil {
				t.Fatal(err)
			}
			return v.Account
		}
		if a := account(); !a.Offered || a.Low != -1 || a.High != -1 || a.State != view.StateNothing || len(a.Range) != accountDays || a.Range[0].Low != -1 || len(a.Zones) != 3 || a.Zones[0].Name != "red" {
			t.Fatalf("before anything was entered: %+v", a)
		}
		draft := view.AccountDraft{ID: "d1", Shop: "a", Value: 176, Day: "2026-03-10", Note: "after the appeal", Actor: "mia"}
		p, err := d.PreviewAccount(ctx, draft)
		if err != nil || p.Refused != "" || p.Changes[0].From != "not known" || p.Changes[0].To != "176 to 1,000" {
			t.Fatalf("preview %+v, %v", p, err)
		}
		done, err := d.SetAccount(ctx, draft)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := d.SetAccount(ctx, draft); err != nil || again != done {
			t.Errorf("again: %+v, %v", again, err)
		}
		other := draft
		other.Value = 180
		if _, err := d.SetAccount(ctx, other); !errs.Is(err, errs.Conflict) {
			t.Errorf("the same form with another value: %v", err)
		}
		a := account()
		if a.Low != 176 || a.State == view.StateGood || len(a.Known) != 1 || a.Known[0].By != "mia" || a.Known[0].Day != "2026-03-10" || a.Range[accountDays-11] != (view.AccountDay{Low: 176, High: 176}) {
			t.Errorf("account %+v", a)
		}
		if a.ToGreen == "" || !strings.Contains(a.Sentence, "milestone of 150 is 26 points away") {
			t.Errorf("to green %q, %q", a.ToGreen, a.Sentence)
		}
		second := view.AccountDraft{ID: "d2", Shop: "a", Value: 120, Day: "2026-03-19", Actor: "mia"}
		if p, err = d.PreviewAccount(ctx, second); err != nil || len(p.Warnings) != 1 || !strings.Contains(p.Sentence, "outside") {
			t.Errorf("a value that was not expected: %+v, %v", p, err)
		}
		for _, bad := range []view.AccountDraft{{ID: "x", Shop: "a", Value: 1001, Day: "2026-03-19", Actor: "m"}, {ID: "x", Shop: "a", Value: 1, Day: "2026-03-21", Actor: "m"}, {ID: "x", Shop: "a", Value: 1, Day: "soon", Actor: "m"}} {
			if p, err := d.PreviewAccount(ctx, bad); err != nil || p.Refused == "" {
				t.Errorf("%+v: %+v, %v", bad, p, err)
			}
			if _, err := d.SetAccount(ctx, bad); !errs.Is(err, errs.Invalid) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		if _, err := d.Undo(ctx, done.Undo, "mia"); err != nil {
			t.Fatal(err)
		}
		if a := account(); a.Low != -1 || len(a.Known) != 0 {
			t.Errorf("after the undo: %+v", a)
		}
		if _, err := d.Undo(ctx, done.Undo, "mia"); !errs.Is(err, errs.NotFound) {
			t.Errorf("undone twice: %v", err)
		}
	})
}

// No answer of the desk holds what JSON cannot: no figure is infinite or not a number, also of a shop without orders or rules.
func TestDeskHealthOfEmptyShops(t *testing.T) {
	d, _ := judgedDesk(t, "sqlite:"+t.TempDir()+"/h.db")
	v, err := d.Health(t.Context(), "", "")
	if err != nil || v.Sentence != "No shop is connected." || v.Compound != -1 {
		t.Fatalf("%+v, %v", v, err)
	}
	if err := d.x.st.Update(t.Context(), func(tx *store.Tx) error {
		return tx.ConnectionPut(store.Connection{ID: "z", Vendor: "dummy", Name: "Elsewhere", Region: "ZZ", State: store.Paused, CreatedAt: judgedDay})
	}); err != nil {
		t.Fatal(err)
	}
	d.health = healthDesk{}
	if v, err = d.Health(t.Context(), "", ""); err != nil || v.Shop.Word != "no rules" || v.Level != view.Quiet || len(v.Gauges) != 0 || len(v.Missing) == 0 {
		t.Fatalf("%+v, %v", v, err)
	}
	if _, err := json.Marshal(v); err != nil {
		t.Error(err)
	}
	if _, err := d.Rate(t.Context(), view.RateFilter{Shop: "z", Metric: "ldr"}); !errs.Is(err, errs.NotFound) {
		t.Errorf("a rate without rules: %v", err)
	}
}

// Every reason and every state there is has a word of its own: a new one must not reach a page as an id.
func TestReasonsHaveWords(t *testing.T) {
	for _, r := range []health.Reason{health.Late4h, health.Late24h, health.Late48h, health.LateLonger, health.NotDelivered, health.NotDeliveredYet, health.TooLong, health.CancelledStock,
		health.CancelledPrice, health.CancelledLate, health.CancelledUntracked, health.CancelledOther, health.NoTracking, health.BadTracking, health.NeverScanned, health.NotScannedYet,
		health.UnknownDue, health.UnknownFault, health.UnknownOutcome} {
		if reasons[r] == "" || r.Unjudged() != strings.HasPrefix(reasons[r], "not judged: ") {
			t.Errorf("%s is told as %q", r, reasons[r])
		}
	}
	for s, want := range map[health.State]view.RateState{health.Good: view.StateGood, health.Watch: view.StateWatch, health.Breach: view.StateBreach, health.Unsure: view.StateWatch,
		health.Nothing: view.StateNothing, health.NoRule: view.StateNoRule, "another": view.StateNoRule} {
		if got := stateOf(s); got != want {
			t.Errorf("%s is shown as %s, want %s", s, got, want)
		}
	}
}
