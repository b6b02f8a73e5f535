package ops

import (
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// A rule is changed, holds at the next look, says who changed it, and goes back.
func TestARuleIsChangedAndGoesBack(t *testing.T) {
	w, d := newWatchDesk(t)
	h := newHooks(t)
	ctx := t.Context()
	w.target("mona", alert.Marketing, h.url())
	w.target("eng", alert.Engineering, h.url())
	page, err := d.AlertRule(ctx, "drift")
	w.must(err)
	if page.Unit != "" || page.Graded || page.Now != page.Default || page.Rule.By != "" || page.Now.After != "10" {
		t.Errorf("%+v", page)
	}
	draft := page.Now
	draft.After, draft.Role, draft.Actor = "2", "marketing", "lena"
	p, err := d.PreviewRule(ctx, draft)
	w.must(err)
	if p.Refused != "" || len(p.Changes) != 2 {
		t.Errorf("%+v", p)
	}
	set, err := d.SetRule(ctx, draft)
	w.must(err)
	w.now = []alert.Signal{{Cause: alert.Cause{Kind: alert.Drift, Subject: "x"}, Text: "x shows other numbers."}}
	w.pass(3*time.Minute, true)
	if got := w.deliveries("mona"); len(got) != 1 || len(w.deliveries("eng")) != 0 {
		t.Errorf("who is told: %+v", got)
	}
	v, err := d.Alerts(ctx)
	w.must(err)
	for _, r := range v.Rules {
		if (r.ID == "drift") != (r.By == "lena") {
			t.Errorf("%+v", r)
		}
	}
	// Other settings and their undo leave it alone.
	quiet, err := d.SetQuiet(ctx, view.QuietDraft{Actor: "lena", QuietHours: view.QuietHours{On: true, From: "22:00", Until: "07:00", Zone: "UTC", Through: view.Bad}})
	w.must(err)
	if strings.Contains(quiet.Undo, "marketing") {
		t.Errorf("the undo of quiet hours carries rules: %s", quiet.Undo)
	}
	_, err = d.Undo(ctx, quiet.Undo, "lena")
	w.must(err)
	if page, _ = d.AlertRule(ctx, "drift"); page.Now.Role != "marketing" {
		t.Errorf("%+v", page.Now)
	}
	_, err = d.Undo(ctx, set.Undo, "mia")
	w.must(err)
	if page, _ = d.AlertRule(ctx, "drift"); page.Now != page.Default || page.Rule.By != "" {
		t.Errorf("undone: %+v", page)
	}
	_, err = d.SetRule(ctx, draft)
	w.must(err)
	_, err = d.SetRule(ctx, view.AlertRuleDraft{ID: "drift", Reset: true, Actor: "mia"})
	w.must(err)
	if page, _ = d.AlertRule(ctx, "drift"); page.Now != page.Default || page.Rule.By != "" {
		t.Errorf("back to default: %+v", page)
	}
}

// A kind that is switched off while its incident is open ends it; one made milder does not wake anybody any more.
func TestSwitchingOffEndsWhatIsOpen(t *testing.T) {
	w, d := newWatchDesk(t)
	ctx := t.Context()
	w.now = []alert.Signal{{Cause: alert.Cause{Kind: alert.Drift, Subject: "x"}, Text: "x shows other numbers."}, {Cause: alert.Cause{Kind: alert.OrderSpike, Subject: "s"}, Severity: alert.Critical, Text: "many"}}
	w.pass(12*time.Minute, false)
	_, err := d.SetRule(ctx, view.AlertRuleDraft{ID: "drift", On: false, Level: "warning", Role: "engineering", After: "10", Clear: "5", Actor: "lena"})
	w.must(err)
	_, err = d.SetRule(ctx, view.AlertRuleDraft{ID: "order_spike", On: true, Level: "warning", Critical: "3", Role: "operations", After: "2", Clear: "120", Actor: "lena"})
	w.must(err)
	w.pass(7*time.Minute, false)
	var spike bool
	for _, i := range w.open() {
		switch i.Kind {
		case alert.Drift:
			t.Errorf("still open: %+v", i)
		case alert.OrderSpike:
			spike = true
			if i.Severity != alert.Warning {
				t.Errorf("still %s", i.Severity)
			}
		}
	}
	if !spike {
		t.Error("the spike has gone too")
	}
}

func TestAFieldThatCannotBeMeantIsNamed(t *testing.T) {
	w, d := newWatchDesk(t)
	ctx := t.Context()
	page, err := d.AlertRule(ctx, "cancel_answer")
	w.must(err)
	if page.Unit != "hours" || page.Now.Warn != "12" || page.Now.Critical != "3" || !page.Graded {
		t.Errorf("%+v", page)
	}
	for name, c := range map[string]struct {
		change func(*view.AlertRuleDraft)
		says   string
	}{
		"no number":       {func(a *view.AlertRuleDraft) { a.Warn = "soon" }, "Warning: is a number of hours"},
		"not a number":    {func(a *view.AlertRuleDraft) { a.Warn = "NaN" }, "Warning: is a number of hours"},
		"negative":        {func(a *view.AlertRuleDraft) { a.Critical = "-1" }, "Critical: is a number of hours"},
		"too far":         {func(a *view.AlertRuleDraft) { a.Warn = "10000" }, "Warning: is between"},
		"wrong way round": {func(a *view.AlertRuleDraft) { a.Critical = "24" }, "Critical: must be less than the warning"},
		"none":            {func(a *view.AlertRuleDraft) { a.Warn, a.Critical = "", "" }, "Warning: needs a number"},
		"role":            {func(a *view.AlertRuleDraft) { a.Role = "king" }, "Role: there is no role"},
		"owner":           {func(a *view.AlertRuleDraft) { a.Role = "owner" }, "Role: there is no role"},
		"level":           {func(a *view.AlertRuleDraft) { a.Level = "loud" }, "As: there is no severity"},
		"quiet":           {func(a *view.AlertRuleDraft) { a.Quiet = "maybe" }, "In quiet hours"},
		"after":           {func(a *view.AlertRuleDraft) { a.After = "5000" }, "Must last: is between"},
		"clear":           {func(a *view.AlertRuleDraft) { a.Clear = "x" }, "Over after: is a number of minutes"},
		"nothing":         {func(*view.AlertRuleDraft) {}, "It is so already"},
	} {
		draft := page.Now
		c.change(&draft)
		p, err := d.PreviewRule(ctx, draft)
		w.must(err)
		if !strings.Contains(p.Refused, c.says) {
			t.Errorf("%s: %q", name, p.Refused)
		}
		if name == "nothing" {
			continue
		}
		if _, err := d.SetRule(ctx, draft); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s is set: %v", name, err)
		}
	}
	if _, err := d.SetRule(ctx, view.AlertRuleDraft{ID: "dispute_answer", On: true}); !errs.Is(err, errs.NotFound) {
		t.Errorf("a kind there is no source of: %v", err)
	}
	if _, err := d.AlertRule(ctx, "nothing"); !errs.Is(err, errs.NotFound) {
		t.Error(err)
	}
}
