package api

import (
	"encoding/json"
	"testing"

	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// A shop without rules says so; an unknown one is not found.
func TestHealthOverHTTP(t *testing.T) {
	h := newHouse(t)
	status, text, _ := h.call(t, "GET", "/api/v1/health", "")
	if status != 200 || text != `{"shops":[]}`+"\n" {
		t.Errorf("no shops: %d %s", status, text)
	}
	if status, text, _ := h.call(t, "GET", "/api/v1/health/nobody", ""); status != 404 {
		t.Errorf("an unknown shop: %d %s", status, text)
	}
	err := h.store.Update(t.Context(), func(tx *store.Tx) error {
		return tx.ConnectionPut(store.Connection{ID: "s", Vendor: "none", Name: "Shop", AppID: "a", Region: "US", State: store.Paused})
	})
	if err != nil {
		t.Fatal(err)
	}
	status, text, _ = h.call(t, "GET", "/api/v1/health/s", "")
	var got shopHealth
	if err := json.Unmarshal([]byte(text), &got); err != nil || status != 200 || got.Shop != "s" || got.Market != "" || len(got.Metrics) != 0 || got.Outlook != nil {
		t.Errorf("a shop nobody judges: %d %s", status, text)
	}
}

// What is only modelled is left out while orders are being counted, and where nobody has entered anything.
func TestTheAccountOverHTTP(t *testing.T) {
	rating := &health.Account{Rule: policy.Account{Max: 1000}, Green: health.Green{Line: 200}, Entered: health.Entered{Day: 1, Value: 180}, Low: 170, High: 190}
	points := &health.ViolationPoints{Low: 2, High: 4, Next: &policy.PointStep{Points: 12}}
	r, p := ratingOf(ops.AccountNow{Rating: rating}), pointsOf(ops.AccountNow{Points: points})
	if r == nil || *r.Entered != 180 || *r.Low != 170 || *r.High != 190 || r.Green != 200 || p == nil || *p.Low != 2 || *p.High != 4 || *p.Next != 12 || p.Sentence == "" {
		t.Errorf("%+v %+v", r, p)
	}
	r, p = ratingOf(ops.AccountNow{Rating: rating, Counting: true}), pointsOf(ops.AccountNow{Points: points, Counting: true})
	if r.Low != nil || *r.Entered != 180 || p.Low != nil || !p.Counting {
		t.Errorf("while counting: %+v %+v", r, p)
	}
	if r := ratingOf(ops.AccountNow{Rating: &health.Account{}}); r.Entered != nil || r.Low != nil {
		t.Errorf("nothing entered: %+v", r)
	}
	if ratingOf(ops.AccountNow{}) != nil || pointsOf(ops.AccountNow{}) != nil {
		t.Error("a market without either has them")
	}
}

// The channel's own figure stands at its rate and at no other; counts it does not tell are left out.
func TestTheChannelsFigureOverHTTP(t *testing.T) {
	r := ops.ShopRates{Connection: store.Connection{ID: "s"}, Rules: &policy.RuleSet{Market: "US"}, Standings: []health.Standing{{Metric: policy.LDR}, {Metric: policy.VTR}}}
	f := ops.ChannelFigure{Metric: policy.LDR, Reconciled: view.Reconciled{ID: "r1", From: "2026-03-13", Day: "2026-03-19", Their: 39_000, Num: 1, Den: 4, Differ: 2, Unexplained: 1}}
	got := healthOf(r, []ops.ChannelFigure{f})
	c := got.Metrics[0].Channel
	if c == nil || c.PPM != 39_000 || c.To != "2026-03-19" || c.OursNum != 1 || c.OursDen != 4 || c.Differ != 2 || c.Unexplained != 1 || c.Reconciliation != "r1" || c.Num != nil || c.Den != nil {
		t.Errorf("%+v", c)
	}
	if got.Metrics[1].Channel != nil {
		t.Errorf("another rate has %+v", got.Metrics[1].Channel)
	}
	f.TheirNum, f.TheirDen = 0, 7
	if c := healthOf(r, []ops.ChannelFigure{f}).Metrics[0].Channel; c.Num == nil || *c.Num != 0 || *c.Den != 7 {
		t.Errorf("with counts: %+v", c)
	}
}
