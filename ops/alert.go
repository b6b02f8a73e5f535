package ops

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/incident"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// alertEvery is how often it is looked what is wrong; the shortest rule waits two minutes. sendEvery is how soon a message leaves.
	alertEvery, sendEvery = 10 * time.Second, time.Second
	// alertCall bounds one look, one step and one round of sending.
	alertCall = 30 * time.Second
	// keepIncidents is how long resolved incidents stay: a year can be compared with the one before it.
	keepIncidents = 800 * 24 * time.Hour
	prunedAtOnce  = 200
	// digestIncidents bounds what a digest counts.
	digestIncidents = 5_000

	alertSettings  = "alerts"         // AlertSettings
	digestSetting  = "alerts.digest"  // the week whose digest was sent last
	runbookSetting = "alerts.runbook" // an operator's own runbooks, YAML
)

// alerts is what is kept of them in memory: nothing that a restart may not lose.
type alerts struct {
	mu        sync.Mutex
	sources   []signalSource
	usual     usualOrders
	untracked untracked
	stuck     stuckParcels
	ahead     stockAhead
	shorts    shopShorts
}

// signalSource is a part of the program that says what is wrong with its own things.
type signalSource struct {
	read  func(context.Context) ([]alert.Signal, error)
	kinds []alert.Kind
}

// AddSignals adds a source of signals: f is asked every few seconds by the process that keeps house and says all that is wrong at that moment.
// kinds are those it speaks of: while it fails, what it does not say is not taken to be gone. None means that nothing is. Add sources before Start.
func (x *Ops) AddSignals(f func(context.Context) ([]alert.Signal, error), kinds ...alert.Kind) {
	x.alerts.mu.Lock()
	defer x.alerts.mu.Unlock()
	x.alerts.sources = append(x.alerts.sources, signalSource{f, kinds})
}

// AlertSettings is what the operator has set for everybody.
type AlertSettings struct {
	Quiet  HouseQuiet    `json:"quiet"`
	Steps  []alert.Step  `json:"steps,omitempty"` // of critical incidents; none: the program's own
	Digest DigestSetting `json:"digest"`
	Rules  []OwnRule     `json:"rules,omitempty"` // in place of the program's own of the same kind
}

// OwnRule is a rule an operator has set, with who did and when.
type OwnRule struct {
	alert.Rule
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// HouseQuiet are the quiet hours of those who have none of their own.
type HouseQuiet struct {
	On      bool   `json:"on"`
	From    int    `json:"from"` // minutes after midnight
	Until   int    `json:"until"`
	Weekend bool   `json:"weekend"`
	Zone    string `json:"zone"`
}

// DigestSetting is when the week's message is sent, and to whom.
type DigestSetting struct {
	On   bool         `json:"on"`
	Day  time.Weekday `json:"day"`
	Hour int          `json:"hour"`
	Role alert.Role   `json:"role"` // besides targets that want it by themselves
	Zone string       `json:"zone"`
}

// Check refuses settings that cannot be meant. Errors: Invalid.
func (s AlertSettings) Check() error {
	const op = "ops.AlertSettings"
	for _, z := range []string{s.Quiet.Zone, s.Digest.Zone} {
		if _, err := time.LoadLocation(z); err != nil {
			return errs.New(errs.Invalid, op, z, "is not a time zone that is known here")
		}
	}
	switch {
	case s.Digest.On && (s.Digest.Hour < 0 || s.Digest.Hour > 23 || s.Digest.Day < time.Sunday || s.Digest.Day > time.Saturday):
		return errs.New(errs.Invalid, op, "digest", "is sent on a day of the week at an hour from 0 to 23")
	case s.Digest.On && !slices.Contains(alert.Roles, s.Digest.Role):
		return errs.New(errs.Invalid, op, "digest", "goes to one of the roles %v", alert.Roles)
	case s.Quiet.On && (s.Quiet.From < 0 || s.Quiet.From >= 24*60 || s.Quiet.Until < 0 || s.Quiet.Until >= 24*60):
		return errs.New(errs.Invalid, op, "quiet hours", "are between 00:00 and 23:59")
	}
	return s.config().Check()
}

// Rule is how a kind is treated under these settings.
func (s AlertSettings) Rule(k alert.Kind) alert.Rule { return s.config().Rule(k) }

// config is what follows from the settings alone.
func (s AlertSettings) config() alert.Config {
	c := alert.Config{Escalation: alert.Escalations()}
	for _, r := range s.Rules {
		base := alert.Config{}.Rule(r.Kind)
		r.Title, r.Many = base.Title, base.Many // words are the program's
		c.Rules = append(c.Rules, r.Rule)
	}
	if len(s.Steps) > 0 {
		e := c.Escalation[alert.Critical]
		e.Steps = s.Steps
		c.Escalation[alert.Critical] = e
	}
	return c
}

func readAlertSettings(tx *store.Tx) (s AlertSettings, err error) {
	text, found, err := tx.SettingGet(alertSettings)
	if err == nil && found && json.Unmarshal([]byte(text), &s) != nil {
		err = errs.New(errs.Internal, "ops.alertSettings", alertSettings, "cannot be read")
	}
	return s, err
}

// alertConfig reads all that a step needs besides incidents and signals.
func alertConfig(tx *store.Tx, at time.Time) (alert.Config, AlertSettings, error) {
	s, err := readAlertSettings(tx)
	if err != nil {
		return alert.Config{}, s, err
	}
	c := s.config()
	targets, err := tx.TargetList()
	if err != nil {
		return c, s, err
	}
	for _, t := range targets {
		c.Targets = append(c.Targets, withQuiet(t, s.Quiet))
	}
	silences, err := tx.SilenceList(at)
	for _, sil := range silences {
		c.Silences = append(c.Silences, sil.Silence)
	}
	return c, s, err
}

// withQuiet is a target with the quiet hours that hold for it. A zone that is no longer known is taken for UTC: somebody is told at the wrong
// hour rather than never.
func withQuiet(t store.AlertTarget, house HouseQuiet) alert.Target {
	zone := t.Zone
	if own := t.Quiet; own.From == own.Until && !own.Weekend && house.On {
		t.Quiet = alert.Quiet{From: house.From, Until: house.Until, Weekend: house.Weekend}
		zone = cmp.Or(zone, house.Zone)
	}
	if loc, err := time.LoadLocation(zone); err == nil {
		t.Quiet.Zone = loc
	}
	return t.Target
}

// alertLoop looks and decides while this process keeps house.
func (x *Ops) alertLoop() {
	var pruned, filled time.Time
	x.keepingHouse(alertEvery, func() {
		x.complain(x.stepAlerts(x.ctx), "what is wrong could not be worked out")
		x.complain(x.sendDigest(x.ctx), "the weekly digest could not be made")
		now := x.now()
		if now.Sub(filled) >= eventsEvery {
			filled = now
			x.complain(x.fillTimelines(x.ctx, now), "the timelines of incidents could not be filled")
		}
		if now.Sub(pruned) >= pruneEvery {
			pruned = now
			x.complain(x.pruneAlerts(x.ctx, now), "old incidents could not be deleted")
		}
	})
}

// sendLoop sends what was decided, apart from the looking: a receiver that hangs holds up no decision.
func (x *Ops) sendLoop() {
	x.keepingHouse(sendEvery, func() { x.complain(x.sendAlerts(x.ctx), "alerts could not be sent") })
}

// keepingHouse calls do now and then while this process has the scheduler's lease, until it stops.
func (x *Ops) keepingHouse(every time.Duration, do func()) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-x.ctx.Done():
			return
		}
		if x.keeper.has(schedulerLease) {
			do()
		}
	}
}

func (x *Ops) complain(err error, what string) {
	if err != nil && x.ctx.Err() == nil {
		x.log.Error(what, "err", err)
	}
}

// stepAlerts looks what is wrong and decides what follows. Everything decided is stored at once; messages are sent after it.
func (x *Ops) stepAlerts(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, alertCall)
	defer cancel()
	at := x.now()
	seen := x.look(ctx, at)
	any := false
	if err := x.st.View(ctx, func(tx *store.Tx) error {
		o, _, err := decide(tx, seen, at)
		any = len(o.Changed)+len(o.Dropped) > 0
		return err
	}); err != nil || !any {
		return errs.Wrap("ops.stepAlerts", "", err)
	}
	var topics []string
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		topics = nil
		if err := tx.IncidentLock(); err != nil {
			return err
		}
		o, known, err := decide(tx, seen, at)
		if err != nil {
			return err
		}
		changed := make([]store.Incident, len(o.Changed))
		for n, i := range o.Changed {
			changed[n] = store.Incident{Incident: i, Number: known[i.ID]}
			topics = append(topics, view.TopicIncident+":"+i.ID)
		}
		for _, write := range []func() error{
			func() error { return tx.IncidentDrop(o.Dropped) },
			func() error { return tx.IncidentSave(changed) },
			func() error { return tx.EntriesAppend(o.Entries) },
			func() error { return tx.DeliveriesAdd(o.Deliveries) },
			func() error { return startRunbooks(tx, o.Changed) },
		} {
			if err := write(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return errs.Wrap("ops.stepAlerts", "", err)
	}
	x.live.notify(append(topics, view.TopicIncident)...)
	return nil
}

// decide is the next step from what is stored.
func decide(tx *store.Tx, seen alert.Seen, at time.Time) (o alert.Outcome, numbers map[string]int64, err error) {
	c, _, err := alertConfig(tx, at)
	if err != nil {
		return o, nil, err
	}
	rows, err := tx.IncidentsLive(at.Add(-alert.Remembered))
	if err != nil {
		return o, nil, err
	}
	all := make([]alert.Incident, len(rows))
	numbers = make(map[string]int64, len(rows))
	for n, r := range rows {
		all[n], numbers[r.ID] = r.Incident, r.Number
	}
	return alert.Next(all, seen, at, c), numbers, nil
}

// startRunbooks makes the tasks of incidents whose figures start a runbook, when they are opened or when they have grown so far; what was made before
// stays as it is.
func startRunbooks(tx *store.Tx, changed []alert.Incident) error {
	live := slices.DeleteFunc(slices.Clone(changed), func(i alert.Incident) bool { return !i.Live() })
	if len(live) == 0 {
		return nil
	}
	books, err := readRunbooks(tx)
	if err != nil {
		return err
	}
	s, err := readAlertSettings(tx)
	if err != nil {
		return err
	}
	var tasks []incident.Task
	for _, i := range live {
		tasks = append(tasks, incident.Start(books, i, s.Rule(i.Kind).Owner)...)
	}
	return tx.TasksAdd(tasks)
}

// sendDigest decides on the week's message once a week.
func (x *Ops) sendDigest(ctx context.Context) error {
	at := x.now()
	due := func(tx *store.Tx) (AlertSettings, string, time.Time, time.Time, error) {
		s, err := readAlertSettings(tx)
		if err != nil || !s.Digest.On {
			return s, "", at, at, err
		}
		loc, err := time.LoadLocation(s.Digest.Zone)
		if err != nil {
			loc = time.UTC
		}
		week, from, until := alert.DigestTime{Day: s.Digest.Day, Hour: s.Digest.Hour, Zone: loc}.Due(at)
		sent, _, err := tx.SettingGet(digestSetting)
		if sent == week {
			week = ""
		}
		return s, week, from, until, err
	}
	var week string
	if err := x.st.View(ctx, func(tx *store.Tx) (err error) { _, week, _, _, err = due(tx); return err }); err != nil || week == "" {
		return err
	}
	return x.st.Update(ctx, func(tx *store.Tx) error {
		if err := tx.IncidentLock(); err != nil {
			return err
		}
		s, week, from, until, err := due(tx)
		if err != nil || week == "" {
			return err
		}
		rows, err := tx.IncidentsOpened(from, digestIncidents)
		if err != nil {
			return err
		}
		live, err := tx.IncidentsLive(at)
		if err != nil {
			return err
		}
		all := uniqueIncidents(append(rows, live...))
		c, _, err := alertConfig(tx, at)
		if err != nil {
			return err
		}
		var ds []alert.Delivery
		for _, t := range c.Targets {
			if t.Active && (t.Digest || t.Role == s.Digest.Role) {
				ds = append(ds, alert.Digest(t, week, all, from, until, c))
			}
		}
		if err := tx.DeliveriesAdd(ds); err != nil {
			return err
		}
		return tx.SettingSet(digestSetting, week)
	})
}

func uniqueIncidents(rows []store.Incident) []alert.Incident {
	seen, out := map[string]bool{}, []alert.Incident(nil)
	for _, r := range rows {
		if !seen[r.ID] {
			seen[r.ID] = true
			out = append(out, r.Incident)
		}
	}
	return out
}

func (x *Ops) pruneAlerts(ctx context.Context, now time.Time) error {
	return x.st.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.IncidentsPrune(now.Add(-keepIncidents), prunedAtOnce); err != nil {
			return err
		}
		_, err := tx.DeliveriesPrune(now.Add(-keepLogs))
		return err
	})
}
