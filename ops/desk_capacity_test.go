package ops

import (
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// crowded has main fall behind: its pace is an order an hour on weekdays for an hour, and everything sold is held there. hub, a provider's, has room.
func (r *rig) crowded(orders int) (ids []string) {
	r.t.Helper()
	r.network(0)
	for range orders {
		ids = append(ids, r.sell("S1", 1))
	}
	r.must(r.st.Update(r.t.Context(), func(tx *store.Tx) error {
		n, err := tx.NodeGet("main")
		if err != nil {
			return err
		}
		n.Shifts = []network.Shift{{Weekday: (time.Now().Weekday() + 6) % 7, From: 9 * 3600, Until: 10 * 3600, PerHour: 1}}
		if err := tx.NodePut(n.Node, n.Version, "lena"); err != nil {
			return err
		}
		w, err := tx.NodeGet("west")
		if err != nil {
			return err
		}
		w.Kind = network.ThreePL
		return tx.NodePut(w.Node, w.Version, "lena")
	}))
	r.did(r.d.AdjustStock(r.t.Context(), view.StockDraft{ID: "hub-mugs", Kind: "receive", ItemID: "MUG", LocationID: "west", Qty: 20, Actor: "lena"}))
	r.x.network.stale()
	return ids
}

func TestWhatAnOvertaxedNodeCanDo(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	ids := r.crowded(3)
	v, err := r.d.Capacity(ctx)
	if err != nil || len(v.Late) == 0 || v.Late[0].Node != "main" || v.Late[0].Cannot == 0 {
		t.Fatalf("%+v %v", v, err)
	}
	byKind := map[string]view.Proposal{}
	for _, p := range v.Proposals {
		byKind[p.Kind] = p
	}
	divert, ok := byKind["divert"]
	if !ok || divert.Count == 0 || !strings.Contains(divert.Cost, "surge") || !strings.Contains(divert.Why, "a person sends it each") {
		t.Fatalf("%+v", v.Proposals)
	}
	p, err := r.d.PreviewProposal(ctx, view.ProposalDraft{ID: divert.ID, Actor: "lena"})
	if err != nil || p.Sentence != divert.Sentence || len(p.Changes) == 0 {
		t.Errorf("%+v %v", p, err)
	}
	done := r.did(r.d.ApplyProposal(ctx, view.ProposalDraft{ID: divert.ID, Actor: "lena"}))
	moved := 0
	for _, id := range ids {
		if told, _, held := r.standing(id); told.Parts[0].Node == "west" && held["west"] == 1 {
			moved++
		}
	}
	if int64(moved) != divert.Count {
		t.Errorf("%d of %d moved", moved, divert.Count)
	}
	r.sound(ids...)
	if v, err = r.d.Capacity(ctx); err != nil || len(v.Done) != 1 || v.Done[0].Actor != "lena" {
		t.Errorf("%+v %v", v.Done, err)
	}
	r.did(r.d.Undo(ctx, done.Undo, "lena"))
	if _, err := r.d.Undo(ctx, done.Undo, "lena"); !errs.Is(err, errs.Conflict) {
		t.Errorf("taken back twice: %v", err)
	}
	for _, id := range ids {
		if told, _, _ := r.standing(id); len(told.Asked) != 0 {
			t.Errorf("still pinned: %+v", told)
		}
	}
	r.sound(ids...)
	if _, err := r.d.PreviewProposal(ctx, view.ProposalDraft{ID: "divert~a~b"}); !errs.Is(err, errs.NotFound) {
		t.Error(err)
	}
}

func TestOvertimeLiesAfterTheShifts(t *testing.T) {
	monday := calendar.DayOf(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), time.UTC)
	n := network.Node{ID: "n", Name: "N", Kind: network.Own, Zone: "UTC", Place: network.Place{Country: "US"}}
	for d := time.Monday; d <= time.Friday; d++ {
		n.Shifts = append(n.Shifts, network.Shift{Weekday: d, From: 9 * 3600, Until: 17 * 3600, PerHour: 60})
	}
	at := time.Date(2026, 11, 23, 18, 30, 0, 0, time.UTC)
	got, good := overtimeFor(n, 301, 60, monday+1, at, "why")
	if good != 360 || len(got) != 2 || got[0].From != 19*3600 || got[0].Until != 22*3600 || got[1].Day != monday+1 || got[1].From != 17*3600 || got[1].Until != 20*3600 {
		t.Errorf("%+v %d", got, good)
	}
	n.Overtime = got
	if err := n.Check(); err != nil {
		t.Error(err)
	}
	if got, good := overtimeFor(n, 10_000, 60, monday, at, "why"); good != 0 || got != nil {
		t.Errorf("the evening is full: %+v %d", got, good)
	}
}

func TestRulesOfRouting(t *testing.T) {
	r := newRig(t)
	r.network(3)
	ctx := t.Context()
	v, err := r.d.Routing(ctx)
	if err != nil || !v.Default || v.Form.LateDispatch != "10.00" || v.Form.Version != 0 {
		t.Fatalf("%+v %v", v, err)
	}
	same, wrong := readRules(v.Form, []string{"main", "west"})
	if len(wrong) > 0 || len(rulesChanges(defaultRouting("USD"), same)) > 0 {
		t.Errorf("%+v %+v", wrong, same)
	}
	d := view.RoutingDraft{RoutingForm: v.Form, Actor: "lena"}
	d.Limits = []view.LimitForm{{Kind: "never", Nodes: "west", Item: "MUG", Reason: "west breaks mugs"}}
	p, err := r.d.PreviewRouting(ctx, d)
	if err != nil || len(p.Wrong) > 0 || p.Refused != "" || len(p.Changes) != 1 || p.Changes[0].What != "Limits" {
		t.Fatalf("%+v %v", p, err)
	}
	r.did(r.d.SaveRouting(ctx, d))
	if told, _, _ := r.standing(r.sell("S1", 1)); told.Parts[0].Node != "main" || !strings.Contains(told.Candidates[1].Words, "west breaks mugs") {
		t.Errorf("%+v", told)
	}
	if _, err := r.d.SaveRouting(ctx, d); !errs.Is(err, errs.Conflict) {
		t.Errorf("a form opened before: %v", err)
	}
	for field, spoil := range map[string]func(*view.RoutingDraft){
		"latedispatch": func(d *view.RoutingDraft) { d.LateDispatch = "much" }, "leftunit": func(d *view.RoutingDraft) { d.LeftUnit = "0" }, "parts": func(d *view.RoutingDraft) { d.Parts = "9" },
		"slip": func(d *view.RoutingDraft) { d.Slip = "100" }, "limit0.nodes": func(d *view.RoutingDraft) { d.Limits = []view.LimitForm{{Kind: "only", Nodes: "moon", Reason: "x"}} },
		"limit0.reason": func(d *view.RoutingDraft) { d.Limits = []view.LimitForm{{Kind: "only", Nodes: "main"}} },
	} {
		a := d
		spoil(&a)
		if p, err := r.d.PreviewRouting(ctx, a); err != nil || len(p.Wrong) == 0 || p.Wrong[0].Field != field {
			t.Errorf("%s: %+v %v", field, p, err)
		}
	}
	r.did(r.d.SaveRouting(ctx, view.RoutingDraft{RoutingForm: view.RoutingForm{Version: 1}, Reset: true, Actor: "mia"}))
	if v, err = r.d.Routing(ctx); err != nil || !v.Default || len(v.History) != 2 || v.History[0].Actor != "mia" || v.History[1].Text != "Limits" {
		t.Errorf("%+v %v", v, err)
	}
	if rules, _, err := r.x.RoutingRules(ctx); err != nil || len(rules.Limits) != 0 || rules.Short != routing.Partly {
		t.Errorf("%+v %v", rules, err)
	}
}

func TestTheOrderPageTellsItsRoute(t *testing.T) {
	r := newRig(t)
	r.network(3)
	ctx, id := t.Context(), r.sell("S1", 1)
	p, err := r.d.PreviewReroute(ctx, view.RerouteDraft{OrderID: id, Nodes: []string{"main"}, Reason: "flood", Actor: "lena"})
	if err != nil || p.Sentence != "It leaves from Berlin, for 8.00 USD more." {
		t.Errorf("%+v %v", p, err)
	}
	if p, err := r.d.PreviewReroute(ctx, view.RerouteDraft{OrderID: id, Nodes: []string{"main"}}); err != nil || p.Refused == "" {
		t.Errorf("%+v %v", p, err)
	}
	r.did(r.d.Reroute(ctx, view.RerouteDraft{ID: "one", OrderID: id, Nodes: []string{"main"}, Reason: "flood", Actor: "lena"}))
	v, err := r.d.Order(ctx, id)
	if err != nil || v.Route == nil || v.Route.Sentence != "Leaves from Berlin." || !v.Route.Pinned || v.Route.Actor != "lena" || len(v.Route.Choices) != 2 || len(v.Route.Parcels) != 2 || v.Route.Parcels[0].Step != "to be packed" || !v.Route.Parcels[1].Stopped {
		t.Fatalf("%+v %v", v.Route, err)
	}
	said := ""
	for _, e := range v.Timeline {
		if e.Kind == "routed" {
			said += e.Actor + ": " + e.Text + "\n"
		}
	}
	if !strings.Contains(said, "lena: leaves from main") || !strings.Contains(said, "flood") {
		t.Errorf("%s", said)
	}
	for _, f := range v.Facts {
		if strings.Contains(f.Effect, "routed") {
			t.Errorf("the channel did not say %q", f.Effect)
		}
	}
	if _, err := r.d.RetryParcel(ctx, v.Route.Parcels[0].ID, "lena"); !errs.Is(err, errs.Conflict) {
		t.Errorf("nothing was refused: %v", err)
	}
}
