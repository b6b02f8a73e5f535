package ops

import (
	"context"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/notify"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// Bounds of what an operator sets.
const (
	maxTargets = 100
	maxName    = 80
)

// NewTarget is somebody to be told, as entered.
type NewTarget struct {
	ID      string // caller-made; the same again changes the target, its address only if one is given
	Name    string
	Address string // the service URL; secret
	Role    alert.Role
	Least   alert.Severity
	Quiet   alert.Quiet // its own hours; none: the house's
	Zone    string      // of its clock; empty: the house's
	Digest  bool
	Actor   string
}

// PutTarget stores somebody to be told. Its address is checked, sealed, and never shown again. Errors: Invalid, Forbidden (a private address).
func (x *Ops) PutTarget(ctx context.Context, n NewTarget) (store.AlertTarget, error) {
	const op = "ops.PutTarget"
	n.Name, n.Address = strings.TrimSpace(n.Name), strings.TrimSpace(n.Address)
	if n.ID == "" {
		n.ID = id.New()
	}
	t := store.AlertTarget{Target: alert.Target{ID: n.ID, Name: n.Name, Role: n.Role, Least: n.Least, Quiet: n.Quiet, Digest: n.Digest, Active: true}, Zone: n.Zone, CreatedBy: n.Actor}
	if n.Name == "" || len(n.Name) > maxName {
		return t, errs.New(errs.Invalid, op, "name", "is needed, with at most %d characters", maxName)
	}
	if err := (alert.Config{Targets: []alert.Target{t.Target}}).Check(); err != nil {
		return t, err
	}
	if _, err := time.LoadLocation(n.Zone); err != nil {
		return t, errs.New(errs.Invalid, op, n.Zone, "is not a time zone that is known here")
	}
	if n.Address != "" {
		if err := x.o.Notify.Check(ctx, n.Address); err != nil && !errs.Is(err, errs.Unavailable) { // its name may be known later
			return t, err
		}
		t.Service, t.Hint = notify.Describe(n.Address)
		t.Sealed = x.o.Ring.Seal(targetPlace(n.ID), []byte(n.Address))
	}
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		all, err := tx.TargetList()
		if err != nil {
			return err
		}
		was, err := tx.TargetGet(n.ID)
		switch {
		case errs.Is(err, errs.NotFound) && n.Address == "":
			return errs.New(errs.Invalid, op, "address", "is needed")
		case errs.Is(err, errs.NotFound) && len(all) >= maxTargets:
			return errs.New(errs.Invalid, op, "", "more than %d people and channels", maxTargets)
		case err != nil && !errs.Is(err, errs.NotFound):
			return err
		case err == nil && n.Address == "":
			t.Service, t.Hint, t.Sealed = was.Service, was.Hint, was.Sealed
		}
		if err := tx.TargetPut(t); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{Kind: "alert.target", Subject: t.ID, Data: jsonOf(map[string]string{"name": t.Name, "role": string(t.Role), "service": t.Service, "by": n.Actor})}})
	})
	x.live.notify(view.TopicAlerts)
	return t, errs.Wrap(op, n.ID, err)
}

// Targets lists who is told.
func (x *Ops) Targets(ctx context.Context) (out []store.AlertTarget, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error { out, err = tx.TargetList(); return err })
	return out, errs.Wrap("ops.Targets", "", err)
}

// TargetBy finds a target by its id or its name. Errors: NotFound.
func (x *Ops) TargetBy(ctx context.Context, name string) (store.AlertTarget, error) {
	all, err := x.Targets(ctx)
	for _, t := range all {
		if t.ID == name || strings.EqualFold(t.Name, name) {
			return t, nil
		}
	}
	if err == nil {
		err = errs.New(errs.NotFound, "ops.TargetBy", name, "there is nobody of this name to be told")
	}
	return store.AlertTarget{}, err
}

// RemoveTarget takes a target off the list, with its address. What waits for it is given up. Doing it again changes nothing.
func (x *Ops) RemoveTarget(ctx context.Context, targetID, actor string) error {
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		t, err := tx.TargetGet(targetID)
		if err != nil || !t.RemovedAt.IsZero() {
			return err
		}
		t.RemovedAt, t.Sealed, t.Active = tx.Now(), nil, false
		if err := tx.TargetPut(t); err != nil {
			return err
		}
		if err := tx.DeliveriesDrop(targetID, "removed by "+actor); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{Kind: "alert.target.removed", Subject: targetID, Data: jsonOf(map[string]string{"name": t.Name, "by": actor})}})
	})
	x.live.notify(view.TopicAlerts)
	return errs.Wrap("ops.RemoveTarget", targetID, err)
}

// TestTarget sends a message marked as a test and waits for the answer. It is noted with the others.
func (x *Ops) TestTarget(ctx context.Context, targetID, actor string) error {
	const op = "ops.TestTarget"
	var t store.AlertTarget
	if err := x.st.View(ctx, func(tx *store.Tx) (err error) { t, err = tx.TargetGet(targetID); return err }); err != nil {
		return errs.Wrap(op, targetID, err)
	}
	if !t.RemovedAt.IsZero() {
		return errs.New(errs.NotFound, op, targetID, "there is nobody to be told under this id")
	}
	at := x.now()
	d := store.AlertDelivery{Delivery: alert.Test(t.Target, at, actor, id.New()), State: store.DeliverySent, Tries: 1, EndedAt: at}
	sent := x.tell(ctx, t, d.Delivery)
	if sent != nil {
		d.State, d.Error = store.DeliveryFailed, errs.Safe(sent)
	}
	err := x.st.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		if err := tx.DeliveriesAdd([]alert.Delivery{d.Delivery}); err != nil {
			return err
		}
		_, err := tx.DeliveryFate(d)
		return err
	})
	x.live.notify(view.TopicAlerts)
	if sent != nil {
		return errs.Wrap(op, t.Name, sent)
	}
	return errs.Wrap(op, t.Name, err)
}

// AddSilence keeps incidents that match from being told for a while. Its id is caller-made; the same again changes nothing. Errors: Invalid.
func (x *Ops) AddSilence(ctx context.Context, s alert.Silence) error {
	if s.ID == "" {
		s.ID = id.New()
	}
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		if err := tx.SilencePut(s); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{Kind: "alert.silence", Subject: s.ID, Data: jsonOf(s)}})
	})
	x.live.notify(view.TopicAlerts, view.TopicIncident)
	return errs.Wrap("ops.AddSilence", s.ID, err)
}

// Silences lists those in force or to come.
func (x *Ops) Silences(ctx context.Context) (out []store.AlertSilence, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error { out, err = tx.SilenceList(x.now()); return err })
	return out, errs.Wrap("ops.Silences", "", err)
}

// EndSilence ends a silence now. Doing it again changes nothing.
func (x *Ops) EndSilence(ctx context.Context, silenceID, actor string) error {
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.SilenceGet(silenceID); err != nil {
			return err
		}
		ended, err := tx.SilenceEnd(silenceID, x.now(), actor)
		if err != nil || !ended {
			return err
		}
		return tx.EventsAppend([]store.Event{{Kind: "alert.silence.ended", Subject: silenceID, Data: jsonOf(map[string]string{"by": actor})}})
	})
	x.live.notify(view.TopicAlerts, view.TopicIncident)
	return errs.Wrap("ops.EndSilence", silenceID, err)
}

// AlertSettings reads what is set for everybody.
func (x *Ops) AlertSettings(ctx context.Context) (s AlertSettings, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error { s, err = readAlertSettings(tx); return err })
	return s, errs.Wrap("ops.AlertSettings", "", err)
}

// SetAlertSettings changes what is set for everybody: change is given what is set and changes it. It returns what was set before. Errors: Invalid.
func (x *Ops) SetAlertSettings(ctx context.Context, actor string, change func(*AlertSettings)) (was AlertSettings, err error) {
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		s, err := readAlertSettings(tx)
		if err != nil {
			return err
		}
		was = s
		change(&s)
		if err := s.Check(); err != nil {
			return err
		}
		if s.Digest.On && was.Digest != s.Digest { // the first one is of the week that has begun
			loc, _ := time.LoadLocation(s.Digest.Zone) // checked above
			week, _, _ := alert.DigestTime{Day: s.Digest.Day, Hour: s.Digest.Hour, Zone: loc}.Due(x.now())
			if err := tx.SettingSet(digestSetting, week); err != nil {
				return err
			}
		}
		if err := tx.SettingSet(alertSettings, string(jsonOf(s))); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{Kind: "alert.settings", Subject: actor, Data: jsonOf(s)}})
	})
	x.live.notify(view.TopicAlerts)
	return was, errs.Wrap("ops.SetAlertSettings", "", err)
}
