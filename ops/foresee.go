package ops

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/forecast"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// foreseeEvery is how often forecasts are made, and foreseeShare the part of a core they may take: after a long one the next waits longer.
	foreseeEvery, foreseeShare = 30 * time.Second, 20
	// foreseeTime bounds the making of all shops' forecasts.
	foreseeTime = 2 * time.Minute
	// alarmEvery is how often the alarm is asked: its rule was measured at one evaluation an hour.
	alarmEvery = time.Hour
	// riskRows and adviceOrders bound what is kept of a forecast for pages.
	riskRows, adviceOrders = 1_000, 2_000
	// riskLeast is the chance from which on an order is at risk.
	riskLeast = 0.02
	// adviceClock is the hour of the market's day until which orders are to be got ready: before the last pick-ups of most carriers. adviceTime
	// is the least time there must be.
	adviceClock, adviceTime = 16, 2 * time.Hour
	// remedyChance is what extra work is to bring the chance of a breach below. Finding out how much takes dozens of forecasts, so it is done every
	// remedyEvery only.
	remedyChance, remedyEvery = 0.2, 10 * time.Minute
	// remedyGain is what extra work that is not enough must at least take off the chance to be told.
	remedyGain = 0.1
	// outlookState begins the names under which outlooks are kept, one a shop.
	outlookState = "outlook:"
)

// Outlook is what is to be expected of a shop. It is made by the process that keeps house and kept for the pages of all.
type Outlook struct {
	At        time.Time                        `json:"at"`
	Metrics   []forecast.MetricForecast        `json:"metrics"`
	Days      []forecast.Together              `json:"days"`
	Within    forecast.Together                `json:"within"`
	Grounds   []forecast.Ground                `json:"grounds"`
	Assumed   []string                         `json:"assumed"`
	LeftOut   int                              `json:"left_out"`
	Open      int                              `json:"open"`    // orders looked at
	AtRisk    int                              `json:"at_risk"` // of them, with a chance of riskLeast or more to miss their deadline
	Late      float64                          `json:"late"`    // expected number that do
	Risks     []forecast.Risk                  `json:"risks"`   // those due first, bounded
	Advice    []Advice                         `json:"advice"`
	Remedy    []Remedy                         `json:"remedy"`
	Alarms    map[policy.Metric]forecast.Alarm `json:"alarms"`
	AskedAt   time.Time                        `json:"asked_at"`   // when the alarms were last asked
	RemedyAt  time.Time                        `json:"remedy_at"`  // when Remedy was worked out
	RemedyFor string                           `json:"remedy_for"` // the metrics it is for
	Took      time.Duration                    `json:"took"`
	Purchase  map[string]PurchaseRisk          `json:"purchase"`   // chances at purchase of open orders, those at most risk, bounded
	LateModel *LateModelNote                   `json:"late_model"` // what they rest on; nil: not looked at yet
}

// Advice is the smallest set of orders that saves a rate.
type Advice struct {
	ID     string            `json:"id"` // stays while it means the same
	Metric policy.Metric     `json:"metric"`
	Kind   policy.BandKind   `json:"kind"`
	Q      forecast.Question `json:"question"`
	A      forecast.Answer   `json:"answer"` // its Picks are bounded
	Count  int               `json:"count"`  // orders in all
}

// Remedy is work that would do instead.
type Remedy struct {
	Metric policy.Metric `json:"metric"`
	forecast.Remedy
}

// foreseeLoop makes forecasts while this process has the scheduler's lease.
func (x *Ops) foreseeLoop() {
	pause := foreseeEvery
	cache, sign, risks := openCache{}, "", map[string]*shopRisk{}
	failing := false
	for {
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-x.ctx.Done():
			t.Stop()
			return
		}
		if pause = foreseeEvery; !x.keeper.has(schedulerLease) {
			cache, risks = openCache{}, map[string]*shopRisk{}
			continue
		}
		if now := x.rules.Load().sign; now != sign { // what is kept of an order follows from the rules too
			cache, sign = openCache{}, now
		}
		began := x.now()
		x.risk.take(risks)
		err := x.foresee(x.ctx, cache, risks)
		pause = max(foreseeEvery, foreseeShare*x.now().Sub(began))
		if err != nil && x.ctx.Err() == nil && !failing {
			x.log.Error("no forecast could be made; it is tried again", "err", err)
		}
		failing = err != nil
	}
}

// Foresee makes every shop's forecast now, with what LearnRisk has learned since the last one.
func (x *Ops) Foresee(ctx context.Context) error {
	risks := map[string]*shopRisk{}
	x.risk.take(risks)
	return x.foresee(ctx, openCache{}, risks)
}

func (x *Ops) foresee(ctx context.Context, cache openCache, risks map[string]*shopRisk) error {
	const op = "ops.Foresee"
	ctx, cancel := context.WithTimeout(ctx, foreseeTime)
	defer cancel()
	if err := x.FoldParts(ctx); err != nil { // what passed through the nodes up to now
		return err
	}
	at, rules := x.now(), x.rules.Load()
	inputs, before, load := map[string]forecast.Input{}, map[string]Outlook{}, loads{}
	err := x.st.View(ctx, func(tx *store.Tx) error {
		if err := cache.refresh(tx, rules); err != nil {
			return err
		}
		places, err := x.placesOf(tx, slices.Collect(maps.Keys(rules.of)), cache, at)
		if err != nil {
			return err
		}
		for connection, j := range rules.of {
			in, err := x.foreseeable(tx, connection, j, places, cache, at)
			if err != nil {
				return err
			}
			was, _, err := outlookOf(tx, connection)
			if err != nil {
				return err
			}
			inputs[connection], before[connection] = in, was
		}
		load = places.loads(inputs, cache)
		return nil
	})
	if err != nil {
		return errs.Wrap(op, "", err)
	}
	if err := x.st.Update(ctx, func(tx *store.Tx) error { return tx.HealthStatePut(nodesState, at, load) }); err != nil {
		return errs.Wrap(op, "", err)
	}
	x.live.notify(NodeTopic)
	for connection, in := range inputs {
		s := risks[connection]
		if s != nil {
			s.follow(connection, cache, at)
		}
		o := outlook(in, before[connection], s, at)
		o.Took = x.now().Sub(at)
		if err := x.st.Update(ctx, func(tx *store.Tx) error {
			if err := markOverdue(tx, connection, cache.overdue(connection, policy.DayOf(at, in.Zone))); err != nil {
				return err
			}
			return tx.HealthStatePut(outlookState+connection, at, o)
		}); err != nil {
			return errs.Wrap(op, connection, err)
		}
	}
	x.tellHealth()
	return nil
}

// outlookOf reads a shop's last outlook; false: none was made yet.
func outlookOf(tx *store.Tx, connection string) (o Outlook, found bool, err error) {
	_, found, err = tx.HealthStateGet(outlookState+connection, &o)
	return o, found, err
}

// outlook makes a forecast and what follows from it. It is a function of what is handed in.
func outlook(in forecast.Input, before Outlook, s *shopRisk, at time.Time) Outlook {
	f := forecast.Make(in, at)
	o := Outlook{At: at, Metrics: f.Metrics, Days: f.Days, Within: f.Within, Grounds: f.Grounds, Assumed: f.Assumed, LeftOut: f.LeftOut, Open: len(f.Orders),
		Alarms: before.Alarms, AskedAt: before.AskedAt, Remedy: before.Remedy, RemedyAt: before.RemedyAt, RemedyFor: before.RemedyFor}
	o.purchase(f, in, s)
	for _, r := range f.Orders {
		o.Late += r.Miss
		if r.Miss >= riskLeast {
			o.AtRisk++
			o.Risks = append(o.Risks, r)
		}
	}
	slices.SortFunc(o.Risks, func(a, b forecast.Risk) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(b.Miss, a.Miss), strings.Compare(a.ID, b.ID))
	})
	o.Risks = o.Risks[:min(len(o.Risks), riskRows)]
	o.advise(f, in)
	if broken := breaking(f.Metrics); at.Sub(o.RemedyAt) >= remedyEvery || broken != before.RemedyFor {
		o.remedy(f)
		o.RemedyFor = broken
	}
	if at.Sub(o.AskedAt) >= alarmEvery {
		o.ask(at)
	}
	return o
}

// ask evaluates the alarm of each metric.
func (o *Outlook) ask(at time.Time) {
	alarms := map[policy.Metric]forecast.Alarm{}
	for i := range o.Metrics {
		m := &o.Metrics[i]
		alarms[m.Metric] = forecast.BreachAlarm.Next(o.Alarms[m.Metric], at, m.Chance(policy.Enforcement))
	}
	o.Alarms, o.AskedAt = alarms, at
}

// advise finds, for each metric that is expected to pass a limit, the fewest orders that would keep it inside.
func (o *Outlook) advise(f *forecast.Forecast, in forecast.Input) {
	for i := range f.Metrics {
		m := &f.Metrics[i]
		for _, kind := range []policy.BandKind{policy.Enforcement, policy.Warning, policy.Target} {
			day, limit, ok := firstPast(m, kind)
			if !ok {
				continue
			}
			q, a := smallest(f, forecast.Question{Metric: m.Metric, Day: day, Limit: limit}, in.Zone)
			if len(a.Picks) == 0 {
				continue
			}
			n := len(a.Picks)
			a.Picks = a.Picks[:min(n, adviceOrders)]
			o.Advice = append(o.Advice, Advice{ID: fmt.Sprintf("%s-%s-%s", m.Metric, kind, day), Metric: m.Metric, Kind: kind, Q: q, A: a, Count: n})
			break
		}
	}
}

// breaking names the metrics that are likelier to break than remedies are to leave them.
func breaking(metrics []forecast.MetricForecast) (names string) {
	for i := range metrics {
		if metrics[i].Chance(policy.Enforcement) >= remedyChance {
			names += string(metrics[i].Metric) + " "
		}
	}
	return names
}

// adviseDays is how many days are tried as the last one of an advice: a node that rests at the weekend can do nothing until Monday.
const adviseDays = 4

// adviseChance is how likely a set must at least keep a rate inside its limit when all other work waits for it. Below it the set only moves lateness
// to other orders: then more work is needed, and remedies say how much. A set that makes the rate better by adviseGain all the same is told as the
// best there is.
const (
	adviseChance = 0.5
	adviseGain   = policy.PPM(5_000)
)

// smallest answers a question for the soonest moment until which the nodes can do enough. If there is none it is the set that makes the rate best when
// all other work waits, told as not enough; without picks if none does.
func smallest(f *forecast.Forecast, q forecast.Question, zone *time.Location) (forecast.Question, forecast.Answer) {
	var best forecast.Answer
	bestQ, most := q, policy.PPM(0)
	at := f.At
	for range adviseDays {
		q.Until = adviseUntil(at, zone)
		at = q.Until
		if policy.DayOf(q.Until, zone) > q.Day {
			break
		}
		a, ok := f.Smallest(q)
		if ok && a.Reached && a.Chance >= adviseChance {
			return q, a
		}
		gain := a.Before - a.Played
		if a.After > a.Before {
			gain = -gain
		}
		if ok && gain >= max(most, adviseGain) {
			a.Reached, a.After = false, a.Played
			best, bestQ, most = a, q, gain
		}
	}
	return bestQ, best
}

// remedy finds what extra work would do instead.
func (o *Outlook) remedy(f *forecast.Forecast) {
	o.Remedy, o.RemedyAt = nil, o.At
	for i := range f.Metrics {
		for _, r := range f.Remedies(f.Metrics[i].Metric, remedyChance) {
			if was := f.Metrics[i].Chance(policy.Enforcement); r.Enough || r.Chance < was-remedyGain {
				o.Remedy = append(o.Remedy, Remedy{Metric: f.Metrics[i].Metric, Remedy: r})
			}
		}
	}
}

// firstPast is the first day at whose end a rate is expected on the wrong side of a limit of a kind.
func firstPast(m *forecast.MetricForecast, kind policy.BandKind) (policy.Day, policy.PPM, bool) {
	for i := range m.Days {
		d := &m.Days[i]
		for _, b := range d.Bands {
			if d.State == forecast.Expected && b.Kind == kind && b.Chance >= 0.5 {
				return d.Day, b.Limit, true
			}
		}
	}
	return 0, 0, false
}

// adviseUntil is the next adviceClock o'clock that leaves enough time.
func adviseUntil(at time.Time, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	local := at.In(zone)
	until := time.Date(local.Year(), local.Month(), local.Day(), adviceClock, 0, 0, 0, zone)
	if until.Sub(at) < adviceTime {
		until = time.Date(local.Year(), local.Month(), local.Day()+1, adviceClock, 0, 0, 0, zone)
	}
	return until
}
