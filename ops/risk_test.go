package ops

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/forecast/risk"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/store"
)

// halfYear is orders of two nodes, of which the second is late with two of three.
func halfYear(n int) (out []aSale) {
	for i := range n {
		s := aSale{id: fmt.Sprintf("h%04d", i), carrier: "Nord", sku: "MUG", node: "W1", status: order.Completed, placed: judgedDay.Add(-time.Duration(5+(n-i)/4)*24*time.Hour - time.Duration(i%24)*time.Hour), late: -20 * time.Hour}
		if i%2 == 1 {
			if s.node = "W2"; i%6 != 1 {
				s.late = 9 * time.Hour
			}
		}
		out = append(out, s)
	}
	return out
}

func TestLateRiskIsLearnedKeptAndShown(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		d, c := judgedDesk(t, url, "a")
		x, ctx := d.x, t.Context()
		d.take(t, "a", halfYear(480)...)
		if err := x.LearnRisk(ctx); err != nil {
			t.Fatal(err)
		}
		d.take(t, "a", aSale{id: "good", sku: "MUG", node: "W1", placed: judgedDay.Add(-time.Hour)}, aSale{id: "bad", sku: "MUG", node: "W2", placed: judgedDay.Add(-time.Hour)})
		if err := x.Foresee(ctx); err != nil {
			t.Fatal(err)
		}
		o, _, err := x.Outlook(ctx, "a")
		if err != nil || o.LateModel == nil || !o.LateModel.Learned || o.LateModel.HeldOut.AUC < 0.7 || o.LateModel.HeldOut.Brier >= o.LateModel.Base.Brier {
			t.Fatalf("%+v %v", o.LateModel, err)
		}
		good, bad := o.Purchase["a:good"], o.Purchase["a:bad"]
		if bad.Chance < 0.2 || good.Chance > 0.1 || len(bad.Reasons) == 0 || !strings.Contains(bad.Reasons[0].Says, "late with") {
			t.Errorf("good %+v, bad %+v", good, bad)
		}
		page, err := d.Order(ctx, "a:bad")
		if err != nil || page.Risk == nil || page.Risk.AtPurchase < 200_000 || len(page.Risk.Reasons) == 0 {
			t.Errorf("%+v %v", page.Risk, err)
		}
		first := keptModel(t, x)
		// Learned again within the day it stays; a day later it is made anew. A start in between finds the one that is kept.
		if err := x.LearnRisk(ctx); err != nil || string(keptModel(t, x).Model) != string(first.Model) || !keptModel(t, x).At.Equal(first.At) {
			t.Errorf("it was learned again: %v", err)
		}
		if err := x.Foresee(ctx); err != nil {
			t.Fatal(err)
		}
		again, _, err := x.Outlook(ctx, "a")
		if got := again.Purchase["a:bad"].Chance; err != nil || got < bad.Chance-0.05 || got > bad.Chance+0.05 {
			t.Errorf("after a start the chance is %v, it was %v: %v", got, bad.Chance, err)
		}
		c.set(judgedDay.Add(25 * time.Hour))
		if err := x.LearnRisk(ctx); err != nil || keptModel(t, x).At.Equal(first.At) {
			t.Errorf("it is a day old and stays: %v", err)
		}
	})
}

func keptModel(t *testing.T, x *Ops) (m LateModel) {
	t.Helper()
	if err := x.st.View(t.Context(), func(tx *store.Tx) error {
		_, _, err := tx.HealthStateGet(riskState+"a", &m)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var model risk.Model
	if err := json.Unmarshal(m.Model, &model); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestLittleHistoryGivesNoChances(t *testing.T) {
	d, _ := judgedDesk(t, "sqlite:"+t.TempDir()+"/x.db", "a")
	ctx := t.Context()
	d.take(t, "a", halfYear(200)...)
	d.take(t, "a", aSale{id: "bad", sku: "MUG", node: "W2", placed: judgedDay.Add(-time.Hour)})
	if err := d.x.LearnRisk(ctx); err != nil {
		t.Fatal(err)
	}
	if err := d.x.Foresee(ctx); err != nil {
		t.Fatal(err)
	}
	o, _, err := d.x.Outlook(ctx, "a")
	if err != nil || len(o.Purchase) != 0 || o.LateModel == nil || o.LateModel.Learned || !strings.Contains(o.LateModel.Why, "too few") {
		t.Errorf("%+v %+v %v", o.Purchase, o.LateModel, err)
	}
	if page, err := d.Order(ctx, "a:bad"); err != nil || (page.Risk != nil && page.Risk.AtPurchase != 0) {
		t.Errorf("%+v %v", page.Risk, err)
	}
}
