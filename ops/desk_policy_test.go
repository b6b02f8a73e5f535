package ops

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

func TestDeskPolicy(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		ctx := t.Context()
		d, _ := judgedDesk(t, url, "a")
		v, err := d.Policy(ctx, view.PolicyFilter{})
		if err != nil || v.Market != "US" || v.On != "2026-03-20" || v.Past || v.Zone != "America/Los_Angeles" || len(v.Gaps) != 1 || v.Filter.From == "" || v.Diff != nil {
			t.Fatalf("%+v, %v", v, err)
		}
		rule := ruleNamed(t, v, "ldr-target")
		if rule.Value != "at most 4 %" || rule.Fixed || rule.Override || rule.Source != "Made for tests" || rule.Confidence != "unverified" {
			t.Errorf("rule %+v", rule)
		}
		if r := ruleNamed(t, v, "ldr-scan"); r.Fixed || r.From != "2026-03-02" || r.Value != "7 days to the day judged" {
			t.Errorf("rule %+v", r)
		}
		if r := ruleNamed(t, v, "otdr-target"); r.Fixed || !strings.Contains(r.Name, "announced") {
			t.Errorf("an announced rule %+v", r)
		}
		if len(v.Switches) == 0 || v.Switches[0].Day != "2026-03-02" {
			t.Errorf("switches %+v", v.Switches)
		}
		if v, err = d.Policy(ctx, view.PolicyFilter{Market: "US", On: "2026-02-10"}); err != nil || !v.Past || ruleNamed(t, v, "ldr-ready").Until != "2026-03-02" {
			t.Errorf("a past day: %v, %v", v.Past, err)
		}
		for _, bad := range []view.PolicyFilter{{Market: "ZZ"}, {On: "soon"}} {
			if _, err := d.Policy(ctx, bad); !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Invalid) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
	})
}

func ruleNamed(t *testing.T, v view.Policy, id string) view.Rule {
	t.Helper()
	for _, g := range v.Groups {
		for _, r := range g.Rules {
			if r.ID == id {
				return r
			}
		}
	}
	t.Fatalf("no rule %s", id)
	return view.Rule{}
}

// Between two days with another definition the orders of today's window are counted by both, one by one.
func TestDeskPolicyDiff(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		ctx := t.Context()
		d, _ := judgedDesk(t, url, "a")
		orders := week(4)
		for i := range 3 { // arranged in time, and scanned half an hour late
			orders[10+i].late = 30 * time.Minute
		}
		d.take(t, "a", orders...)
		if _, err := d.x.CountHealth(ctx); err != nil {
			t.Fatal(err)
		}
		v, err := d.Policy(ctx, view.PolicyFilter{From: "2026-03-10", To: "2026-02-10"})
		if err != nil || v.Diff == nil || v.Diff.From != "2026-02-10" || len(v.Diff.Changes) != 1 || len(v.Diff.Effects) != 1 {
			t.Fatalf("%+v, %v", v.Diff, err)
		}
		e := v.Diff.Effects[0]
		if e.Metric != "ldr" || e.ShopID != "a" || e.Before.Num != 4 || e.After.Num != 7 || e.Before.Den != 60 || e.After.Den != 60 || e.Orders != 3 {
			t.Errorf("effect %+v", e)
		}
		if want := "3 late orders more; 3 orders count differently."; e.Text != want || e.Before.State != view.StateWatch || e.After.State != view.StateBreach {
			t.Errorf("says %q, want %q; %s to %s", e.Text, want, e.Before.State, e.After.State)
		}
		list, err := d.x.PolicyEffects(ctx, Market{Vendor: "dummy", Market: "US"}, d.x.rules.Load().of["a"].rules, policy.Date(2026, 2, 10), policy.Date(2026, 3, 10), 59)
		if err != nil || len(list) != 1 || !list[0].NotKnown || list[0].Before.Den != 0 {
			t.Errorf("with too many orders: %+v, %v", list, err)
		}
		if v, err = d.Policy(ctx, view.PolicyFilter{From: "2026-03-10", To: "2026-03-11"}); err != nil || len(v.Diff.Changes)+len(v.Diff.Effects) != 0 {
			t.Errorf("nothing differs: %+v, %v", v.Diff, err)
		}
	})
}

func TestDeskOverride(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		ctx := t.Context()
		d, _ := judgedDesk(t, url, "a")
		d.take(t, "a", week(4)...)
		if _, err := d.x.CountHealth(ctx); err != nil {
			t.Fatal(err)
		}
		draft := view.OverrideDraft{ID: "o1", Market: "US", RuleID: "ldr-target", Value: "8 %", From: "2026-03-15", Reason: "our account manager wrote so", Actor: "mia"}
		p, err := d.PreviewOverride(ctx, draft)
		if err != nil || p.Refused != "" || len(p.Changes) != 1 || p.Changes[0].From != "watch" || p.Changes[0].To != "good" || !strings.Contains(p.Sentence, "at most 8 %") || !strings.Contains(p.Sentence, "at most 4 %") {
			t.Fatalf("preview %+v, %v", p, err)
		}
		if s := ldr(t, d).State; s != view.StateWatch {
			t.Fatalf("after a preview the rate is %s", s)
		}
		done, err := d.SetOverride(ctx, draft)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := d.SetOverride(ctx, draft); err != nil || again != done {
			t.Errorf("again: %+v, %v", again, err)
		}
		other := draft
		other.Value = "9 %"
		if _, err := d.SetOverride(ctx, other); !errs.Is(err, errs.Conflict) {
			t.Errorf("the same form for another rule: %v", err)
		}
		v, err := d.Policy(ctx, view.PolicyFilter{})
		if err != nil || len(v.Overrides) != 1 || v.Overrides[0].Was != "at most 4 %" || v.Overrides[0].Value != "at most 8 %" || v.Overrides[0].Author != "mia" || v.Overrides[0].RuleID != "ldr-target" {
			t.Fatalf("overrides %+v, %v", v.Overrides, err)
		}
		if r := ruleNamed(t, v, "ldr-target"); !r.Override || r.Value != "at most 8 %" || r.Confidence != "override" {
			t.Errorf("rule %+v", r)
		}
		if g := ldr(t, d); g.State != view.StateGood || g.Limits[0].At != 80_000 || g.Limits[0].Confidence != "override" || d.x.countDue() {
			t.Errorf("a limit that moves: %s, %+v, count due %v", g.State, g.Limits, d.x.countDue())
		}
		if p, err = d.PreviewOverrideEnd(ctx, "o1"); err != nil || p.Refused != "" || len(p.Changes) != 1 || p.Changes[0].To != "watch" {
			t.Errorf("preview of its end %+v, %v", p, err)
		}
		ended, err := d.Undo(ctx, done.Undo, "mia")
		if err != nil || ldr(t, d).Limits[0].At != 40_000 || ldr(t, d).State != view.StateWatch {
			t.Fatalf("after its end: %+v, %v", ldr(t, d).Limits, err)
		}
		if _, err := d.EndOverride(ctx, "o1", "mia"); !errs.Is(err, errs.NotFound) {
			t.Errorf("ended twice: %v", err)
		}
		if _, err := d.Undo(ctx, ended.Undo, "mia"); err != nil || ldr(t, d).Limits[0].At != 80_000 {
			t.Errorf("put back: %+v, %v", ldr(t, d).Limits, err)
		}
	})
}

func ldr(t *testing.T, d *Desk) view.Gauge {
	t.Helper()
	v, err := d.Health(t.Context(), "a", "")
	if err != nil {
		t.Fatal(err)
	}
	return gaugeNamed(t, v, "ldr")
}

func TestDeskOverrideOfOtherRules(t *testing.T) {
	ctx := t.Context()
	d, _ := judgedDesk(t, "sqlite:"+t.TempDir()+"/h.db", "a")
	draft := func(id, rule, value string) view.OverrideDraft {
		return view.OverrideDraft{ID: id, Market: "US", RuleID: rule, Value: value, From: "2026-03-15", Until: "2026-04-15", Reason: "told so", Actor: "mia"}
	}
	for i, good := range []view.OverrideDraft{draft("g", "ship-by", "3 business days"), draft("g", "otdr-target", "on"), draft("g", "ldr-enforcement", "paused"), draft("g", "ldr-enforcement", "at most 12 %")} {
		good.ID += fmt.Sprint(i)
		p, err := d.PreviewOverride(ctx, good)
		if err != nil || p.Refused != "" {
			t.Fatalf("%+v: %+v, %v", good, p, err)
		}
		done, err := d.SetOverride(ctx, good)
		if err != nil {
			t.Fatalf("%+v: %v", good, err)
		}
		if again, err := d.SetOverride(ctx, good); err != nil || again != done {
			t.Errorf("%+v again: %v", good, err)
		}
	}
	v, err := d.Policy(ctx, view.PolicyFilter{})
	if err != nil || len(v.Overrides) != 4 {
		t.Fatalf("%+v, %v", v.Overrides, err)
	}
	for _, o := range v.Overrides {
		if o.Value == "" || o.Rule == "" || o.From != "2026-03-15" || o.Until != "2026-04-15" {
			t.Errorf("override %+v", o)
		}
	}
	if !d.x.countDue() {
		t.Error("orders count otherwise, and are not to be counted anew")
	}
	placed := time.Date(2026, 3, 16, 18, 0, 0, 0, time.UTC)
	o := order.Order{Status: order.AwaitingShipment}
	o.CreatedAt, o.PaidAt = placed, placed
	if due := d.x.rules.Load().of["a"].rules.Deadlines(&o).ShipBy; policy.DayOf(due, d.x.rules.Load().of["a"].rules.Location()) != policy.Date(2026, 3, 19) {
		t.Errorf("due %v", due)
	}
	for _, bad := range []view.OverrideDraft{draft("b", "ldr-target", "soon"), draft("b", "ldr-target", "15 %"), draft("b", "ldr-scan", "9 weeks"), draft("b", "ldr-scan", "0 days"), draft("b", "none", "1 %"), {ID: "b", Market: "US", RuleID: "closure", Value: "Storm", From: "2026-03-15", Reason: "r", Actor: "m"}, draft("b", "closure", " "), draft("b", "ship-by", "4 weeks"),
		{ID: "b", Market: "US", RuleID: "ldr-target", Value: "5 %", From: "2026-03-15", Until: "2026-03-15", Reason: "r", Actor: "m"}, {ID: "b", Market: "US", RuleID: "ldr-target", Value: "5 %", From: "2026-03-15", Actor: "m"}, {ID: "b", Market: "US", RuleID: "ldr-target", Value: "5 %", Reason: "r", Actor: "m"}} {
		p, err := d.PreviewOverride(ctx, bad)
		if err != nil || p.Refused == "" {
			t.Errorf("%+v: %+v, %v", bad, p, err)
		}
		if _, err := d.SetOverride(ctx, bad); !errs.Is(err, errs.Invalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// An extension the channel announces, or a holiday no list knows, moves the deadlines that the channel does not tell itself; a rate may be counted another way.
// Both are previewed, set, shown and ended like any rule of one's own.
func TestDeskOverrideOfDaysAndOfCounting(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		ctx := t.Context()
		d, _ := judgedDesk(t, url, "a")
		var sales []aSale
		for i := range 3 { // their channel tells no deadline
			sales = append(sales, aSale{id: fmt.Sprint("open", i), sku: "MUG", placed: judgedDay.Add(-time.Hour), bare: true})
		}
		d.take(t, "a", append(week(4), sales...)...)
		if _, err := d.x.CountHealth(ctx); err != nil {
			t.Fatal(err)
		}
		from := policy.DayOf(judgedDay, d.x.rules.Load().of["a"].rules.Location())
		storm := view.OverrideDraft{ID: "c1", Market: "US", RuleID: ruleClosure, Value: "Storm", From: dayOf(from), Until: dayOf(from + 7), Reason: "Seller Center, 14 March", Actor: "mia"}
		p, err := d.PreviewOverride(ctx, storm)
		if err != nil || p.Refused != "" || len(p.Changes) == 0 || p.Changes[0].To != "3 later, 0 sooner" || !strings.Contains(p.Sentence, "No business days: Storm from") {
			t.Fatalf("%+v, %v", p, err)
		}
		due := func() time.Time {
			t.Helper()
			o := order.Order{Status: order.AwaitingShipment}
			o.CreatedAt, o.PaidAt = judgedDay, judgedDay
			return d.x.rules.Load().of["a"].rules.Deadlines(&o).ShipBy
		}
		before := due()
		done, err := d.SetOverride(ctx, storm)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := d.SetOverride(ctx, storm); err != nil || again != done {
			t.Errorf("again: %+v, %v", again, err)
		}
		if late := due().Sub(before); late < 5*24*time.Hour {
			t.Errorf("the deadline moved by %v", late)
		}
		slow := view.OverrideDraft{ID: "c2", Market: "US", RuleID: "ldr-scan", Value: "14 days, when arranged", From: dayOf(from - 1), Reason: "as Seller Center counts it here", Actor: "mia"}
		if p, err = d.PreviewOverride(ctx, slow); err != nil || p.Refused != "" || len(p.Changes) == 0 || p.Changes[0].To != "counted anew" {
			t.Fatalf("%+v, %v", p, err)
		}
		if _, err = d.SetOverride(ctx, slow); err != nil {
			t.Fatal(err)
		}
		if _, err = d.SetOverride(ctx, slow); err != nil {
			t.Errorf("again: %v", err)
		}
		other := slow
		other.Value = "15 days"
		if _, err := d.SetOverride(ctx, other); !errs.Is(err, errs.Conflict) {
			t.Errorf("the same form for another rule: %v", err)
		}
		if r, ok := d.x.rules.Load().of["a"].rules.RateOn(policy.LDR, from); !ok || r.Days != 14 || r.Test != policy.ReadyLate || !d.x.countDue() {
			t.Errorf("%+v, count due %t", r, d.x.countDue())
		}
		v, err := d.Policy(ctx, view.PolicyFilter{})
		if err != nil || len(v.Overrides) != 2 || v.Overrides[1].Value != "Storm" || v.Overrides[1].Was != "business as usual" || !strings.Contains(v.Overrides[0].Value, "14 days") {
			t.Fatalf("%+v, %v", v.Overrides, err)
		}
		if p, err = d.PreviewOverrideEnd(ctx, "c1"); err != nil || p.Refused != "" || len(p.Changes) == 0 || p.Changes[0].To != "0 later, 3 sooner" {
			t.Errorf("%+v, %v", p, err)
		}
		if _, err := d.EndOverride(ctx, "c1", "mia"); err != nil || !due().Equal(before) {
			t.Errorf("after its end due %v, %v", due(), err)
		}
	})
}
