package ops

import (
	"context"
	"fmt"
	"slices"

	"github.com/spillway/spillway/domain/forecast"
	"github.com/spillway/spillway/ops/view"
)

// lateRisk is what is expected of an order that has not left: by the queue it stands in, and by what was known when it was bought. It must not hide
// the order, so that nothing is said where the outlook cannot be read.
func (d *Desk) lateRisk(ctx context.Context, connection, id string) *view.LateRisk {
	out, err := d.outlook(ctx, connection)
	if err != nil || !out.found {
		return nil
	}
	v := &view.LateRisk{At: out.At}
	p, bought := out.Purchase[id]
	i := slices.IndexFunc(out.Risks, func(r forecast.Risk) bool { return r.ID == id })
	if i >= 0 && !p.Used {
		v.InQueue = ptrTo(millionths(out.Risks[i].Miss))
	}
	if bought {
		v.AtPurchase, v.Usual, v.Used = millionths(p.Chance), millionths(p.Base), p.Used
		for _, r := range p.Reasons {
			word := "raises it"
			if r.Odds < 0 {
				word = "lowers it"
			}
			v.Reasons = append(v.Reasons, view.Input{Name: word, Value: r.Says})
		}
		v.Basis = out.LateModel.basis()
	}
	if v.InQueue == nil && !bought {
		return nil
	}
	switch {
	case p.Used:
		v.Text = "The queue of its node says nothing yet, so this goes by what was known when it was bought."
	case v.InQueue != nil && bought:
		v.Text = "The queue it stands in knows better than its purchase did."
	case bought:
		v.Text = "By the queue it stands in it is not at risk."
	}
	return v
}

func ptrTo[T any](v T) *T { return &v }

// basis says what chances at purchase rest on, and how good they were.
func (n *LateModelNote) basis() string {
	if n == nil {
		return ""
	}
	return fmt.Sprintf("%s Told late orders from others with an AUC of %.2f on the last %s it had not seen (0.5 is blind), Brier score %.3f against %.3f of the late rate alone.",
		n.Why, n.HeldOut.AUC, plural(n.HeldOut.Orders, "order", "orders"), n.HeldOut.Brier, n.Base.Brier)
}

// explainPurchase adds to the explanation of an order's chance what was known when it was bought.
func (s *shopHealth) explainPurchase(v *view.Explain, id string) {
	p, ok := s.out.Purchase[id]
	if !ok {
		return
	}
	text := "beside the queue, which knows better by now"
	if p.Used {
		text = "taken as its chance, since nothing is stated or learned of its node’s pace"
	}
	v.Inputs = append(v.Inputs, view.Input{Name: "At purchase", Value: chance(p.Chance), Text: text}, view.Input{Name: "Of any order", Value: chance(p.Base), Text: "the shop’s late rate"})
	for _, r := range p.Reasons {
		name := "Raises it"
		if r.Odds < 0 {
			name = "Lowers it"
		}
		v.Inputs = append(v.Inputs, view.Input{Name: name, Value: r.Says, Text: "by odds of " + fmt.Sprintf("%+.1f", r.Odds)})
	}
	v.Checks = append(v.Checks, view.Check{Name: "Late risk at purchase", OK: s.out.LateModel != nil && s.out.LateModel.Learned, Text: s.out.LateModel.basis()})
}
