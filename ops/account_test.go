package ops

import (
	"strings"
	"testing"

	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/ops/view"
)

// pointRules are those of a market that counts points for breaches, and rates no account.
const pointRules = testRules + `
points:
  - {id: points, life: 90, source: T, confidence: unverified}
point_steps:
  - {id: step-12, points: 12, source: T, confidence: unverified}
  - {id: step-3, points: 3, then: fewer orders, source: T, confidence: unverified}
point_costs:
  - {id: cost-ldr, metric: ldr, points: 2, to: 4, source: T, confidence: unverified}
`

func TestPointsForBreachesAreShownAsTheyAreModelled(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		ctx := t.Context()
		c := &clock{at: judgedDay}
		x := healthOps(t, url, pointRules, c, "a")
		d, err := NewDesk(x, DeskOptions{})
		if err != nil {
			t.Fatal(err)
		}
		see := func() view.ViolationPoints {
			t.Helper()
			d.health = healthDesk{}
			v, err := d.Health(ctx, "a", "")
			if err != nil || v.Account.Points == nil || v.Account.Offered {
				t.Fatalf("%+v, %v", v.Account, err)
			}
			return *v.Account.Points
		}
		if p := see(); p.Low != -1 || p.State != view.StateCounting || len(p.Steps) != 2 || p.Steps[0].At != 3 {
			t.Errorf("before the first count: %+v", p)
		}
		if a, err := x.Account(ctx, "a"); err != nil || !a.Counting || a.Rating != nil || a.Points == nil {
			t.Errorf("%+v, %v", a, err)
		}
		if _, err := x.CountHealth(ctx); err != nil {
			t.Fatal(err)
		}
		if p := see(); p.Low != 0 || p.High != 0 || p.State != view.StateGood || !strings.HasPrefix(p.Sentence, "No points;") {
			t.Errorf("without a breach: %+v", p)
		}
		d.take(t, "a", week(30)...)
		if err := x.FoldHealth(ctx); err != nil {
			t.Fatal(err)
		}
		p := see()
		if p.Low != 2 || p.High < 4 || p.State != view.StateWatch || !strings.Contains(p.Sentence, "perhaps past the step at 3") || !strings.Contains(p.Models, "lapses after 90 days, the last of these on") {
			t.Errorf("after a breach: %+v", p)
		}
		a, err := x.Account(ctx, "a")
		if err != nil || a.Counting || int64(a.Points.Low) != p.Low || int64(a.Points.High) != p.High || a.Points.Clear <= policy.DayOf(judgedDay, judgedDay.Location()) {
			t.Errorf("programs are told %+v, %v", a.Points, err)
		}
	})
}

// While orders are being counted nobody knows what breaches took: the account is neither green nor where it was last seen.
func TestAnAccountWhoseOrdersAreBeingCountedIsNotGreen(t *testing.T) {
	ctx := t.Context()
	d, _ := judgedDesk(t, "sqlite:"+t.TempDir()+"/h.db", "a")
	if _, err := d.SetAccount(ctx, view.AccountDraft{ID: "d1", Shop: "a", Value: 260, Day: "2026-03-10", Actor: "mia"}); err != nil {
		t.Fatal(err)
	}
	v, err := d.Health(ctx, "a", "")
	if a := v.Account; err != nil || a.State != view.StateCounting || a.Low != -1 || !strings.Contains(a.Sentence, "It was 260") || a.Range[accountDays-1].Low != -1 || a.Range[accountDays-11].Low != 260 {
		t.Errorf("%+v, %v", a, err)
	}
	if now, err := d.x.Account(ctx, "a"); err != nil || !now.Counting || now.Rating.Entered.Value != 260 || now.Points != nil {
		t.Errorf("%+v, %v", now, err)
	}
	if _, err := d.x.CountHealth(ctx); err != nil {
		t.Fatal(err)
	}
	d.health = healthDesk{}
	if v, err = d.Health(ctx, "a", ""); err != nil || v.Account.State == view.StateCounting || v.Account.Low != 260 {
		t.Errorf("%+v, %v", v.Account, err)
	}
}
