package ops

import (
	"context"
	"slices"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// SetAlertRule changes how a kind is treated, from the next look on, a few seconds later. Its words stay the program's. A rule that says what the
// program's own says is none. It returns the operator's rule there was before, or nil. Errors: Invalid, whose item names the field.
func (x *Ops) SetAlertRule(ctx context.Context, r alert.Rule, actor string) (was *OwnRule, err error) {
	base := alert.Config{}.Rule(r.Kind)
	r.Title, r.Many = base.Title, base.Many
	if err := r.Check(); err != nil {
		return nil, err
	}
	if r == base {
		return x.ResetAlertRule(ctx, r.Kind, actor)
	}
	return x.changeRule(ctx, r.Kind, &OwnRule{Rule: r, By: actor, At: x.now()}, actor)
}

// ResetAlertRule gives a kind the program's own rule again. Doing it again changes nothing.
func (x *Ops) ResetAlertRule(ctx context.Context, kind alert.Kind, actor string) (was *OwnRule, err error) {
	if !alert.Known(kind) {
		return nil, errs.New(errs.NotFound, "ops.ResetAlertRule", string(kind), "there is no such kind of alert")
	}
	return x.changeRule(ctx, kind, nil, actor)
}

// changeRule puts a rule in place of an operator's own of its kind; nil: none.
func (x *Ops) changeRule(ctx context.Context, kind alert.Kind, rule *OwnRule, actor string) (was *OwnRule, err error) {
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		was = nil
		s, err := readAlertSettings(tx)
		if err != nil {
			return err
		}
		s.Rules = slices.Clone(s.Rules)
		i := slices.IndexFunc(s.Rules, func(r OwnRule) bool { return r.Kind == kind })
		if i >= 0 {
			before := s.Rules[i]
			was = &before
			s.Rules = slices.Delete(s.Rules, i, i+1)
		}
		if rule != nil {
			s.Rules = append(s.Rules, *rule)
		}
		if rule == nil && was == nil {
			return nil
		}
		if err := s.Check(); err != nil {
			return err
		}
		if err := tx.SettingSet(alertSettings, string(jsonOf(s))); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{Kind: "alert.rule", Subject: string(kind), Data: jsonOf(map[string]any{"by": actor, "rule": rule})}})
	})
	x.live.notify(view.TopicAlerts)
	return was, errs.Wrap("ops.changeRule", string(kind), err)
}
