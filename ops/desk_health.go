package ops

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// trendDays are drawn of a rate, accountDays of the account.
	trendDays, accountDays = 90, 180
	// standingsEvery is how often the standing of all shops is read anew, outlookEvery a shop's forecast, which is made every half minute at most.
	standingsEvery, outlookEvery = time.Second, 5 * time.Second
	// waitingMost is how many batches may wait to be added up, as one second of the busiest shops brings, before figures are called old.
	waitingMost = foldRows
	// healthIncidents open incidents are shown beside a shop; the page of incidents has all.
	healthIncidents = 20
	// maxRatings bounds the entered values read: more than one a day over the days that are drawn.
	maxRatings = 500
)

// healthDesk is what the pages of health keep.
type healthDesk struct {
	standings kept[[]ShopRates]
	outlooks  keptBy[string, foreseen]
	causes    keptBy[causeKey, causes]
	marks     keptBy[causeKey, markSet]
	choices   keptBy[choiceKey, choiceCounts]
	effects   keptBy[effectKey, []view.PolicyEffect]
	switches  keptBy[string, []view.Switch]
}

// stale makes the next page look anew.
func (h *healthDesk) stale() {
	h.standings.stale()
	h.causes.stale()
	h.marks.stale()
	h.choices.stale()
	h.effects.stale()
}

// foreseen is a shop's outlook, if there is one.
type foreseen struct {
	Outlook
	found bool
}

// shopHealth is all that was read of one shop.
type shopHealth struct {
	ShopRates
	ch         channels
	trends     map[policy.Metric][]health.Standing // the accountDays to the day judged
	out        foreseen
	ratings    []store.AccountRating               // newest day first
	deductions []store.AccountDeduction            // newest day first
	told       map[policy.Metric][]view.Reconciled // of the channel's own figures, the newest days first
	waiting    int64                               // batches not added up yet
	nodes      func(ref string) string
	at         time.Time
}

// counting reports whether figures are not complete yet.
func (s *shopHealth) counting() bool { return s.Rules != nil && s.Counted.IsZero() }

// Health is one shop's standing in detail, and all shops' in brief. Errors: NotFound (the shop), Invalid (a metric that is none).
func (d *Desk) Health(ctx context.Context, shop, causesFor string) (view.Health, error) {
	const op = "ops.Health"
	out := view.Health{At: d.x.now(), Compound: -1, Account: view.Account{Low: -1, High: -1, State: view.StateNothing}}
	if causesFor != "" && !slices.Contains(policy.Metrics, policy.Metric(causesFor)) {
		return out, errs.New(errs.Invalid, op, causesFor, "%s is not a rate.", causesFor)
	}
	all, err := d.shopRates(ctx)
	if err != nil {
		return out, err
	}
	if len(all) == 0 {
		out.Sentence = "No shop is connected."
		return out, nil
	}
	one, err := chooseShop(op, all, shop)
	if err != nil {
		return out, err
	}
	s, err := d.shopHealth(ctx, op, one.Connection.ID, 0)
	if err != nil {
		return out, err
	}
	out.At = s.at
	for _, r := range all {
		if r.Connection.ID == s.Connection.ID {
			r = s.ShopRates
		}
		out.Shops = append(out.Shops, d.shopStanding(r))
	}
	out.Shop = d.shopStanding(s.ShopRates)
	out.Stale, out.Missing = s.stale(), s.missing()
	if s.Rules != nil {
		d.fillHealth(&out, s)
		if err := d.fillCauses(ctx, &out, s, policy.Metric(causesFor)); err != nil {
			return out, err
		}
	}
	if err := d.fillRisk(ctx, &out, s); err != nil {
		return out, err
	}
	if out.Incidents, err = d.openIncidents(ctx, s.Connection.ID); err != nil {
		return out, err
	}
	out.Level, out.Sentence = s.sentence(out)
	return out, nil
}

// shopRates are all shops' rates, a second old at most.
func (d *Desk) shopRates(ctx context.Context) ([]ShopRates, error) {
	all, _, err := d.health.standings.get(ctx, d.x.ctx, d.x.now, standingsEvery, func(ctx context.Context) (out []ShopRates, err error) {
		err = d.count(ctx, func(tx *store.Tx) error {
			out = nil
			ch, err := readChannels(tx)
			for _, c := range ch.rows {
				if err != nil {
					break
				}
				var r ShopRates
				r, err = d.x.ratesOf(tx, c, tx.Now())
				out = append(out, r)
			}
			return err
		})
		return out, err
	})
	return all, errs.Wrap("ops.Health", "", err)
}

// chooseShop finds a shop; without a name the one that needs a person most.
func chooseShop(op string, all []ShopRates, shop string) (ShopRates, error) {
	if shop == "" {
		return slices.MaxFunc(all, func(a, b ShopRates) int { return cmp.Compare(a.need(), b.need()) }), nil
	}
	i := slices.IndexFunc(all, func(r ShopRates) bool { return r.Connection.ID == shop })
	if i < 0 {
		return ShopRates{}, errs.New(errs.NotFound, op, shop, "There is no shop %s.", shop)
	}
	return all[i], nil
}

// need is how much a shop needs a person.
func (r ShopRates) need() (n int) {
	if r.Rules == nil {
		return 0
	}
	n = 1
	for _, s := range r.Standings {
		n = max(n, map[health.State]int{health.Breach: 5, health.Watch: 4, health.Unsure: 3, health.Good: 2}[s.State])
	}
	return n
}

// shopHealth reads a shop on one snapshot, as counted on a day; 0: today. Named metrics are all that is asked for.
func (d *Desk) shopHealth(ctx context.Context, op, connection string, on policy.Day, metrics ...policy.Metric) (*shopHealth, error) {
	cat := d.x.catalog.Load()
	s := &shopHealth{trends: map[policy.Metric][]health.Standing{}, nodes: func(ref string) string { return cat.nodeName(connection, ref) }}
	err := d.look(ctx, op, connection, func(tx *store.Tx) (err error) {
		if s.ch, err = readChannels(tx); err != nil {
			return err
		}
		i := slices.IndexFunc(s.ch.rows, func(c store.Connection) bool { return c.ID == connection })
		if i < 0 {
			return errs.New(errs.NotFound, op, connection, "There is no shop %s.", connection)
		}
		s.at = tx.Now()
		if s.ShopRates, err = d.x.ratesOf(tx, s.ch.rows[i], s.at); err != nil || s.Rules == nil {
			return err
		}
		if on != 0 {
			s.Day = on
		}
		for k, m := range policy.Metrics {
			if len(metrics) > 0 && !slices.Contains(metrics, m) {
				continue
			}
			points, err := trend(tx, s.Rules, connection, m, s.Day-accountDays+1, s.Day)
			if err != nil {
				return err
			}
			s.trends[m], s.Standings[k] = points, points[len(points)-1]
		}
		if s.waiting, err = tx.HealthWaiting(waitingMost + 1); err != nil {
			return err
		}
		if err := s.readTold(tx, on != 0, metrics); err != nil {
			return err
		}
		if s.deductions, err = tx.AccountDeductions(connection, s.Day-2*accountDays, maxDeductions); err != nil {
			return err
		}
		s.ratings, err = tx.AccountRatings(connection, (s.Day - 2*accountDays).Start(s.Rules.Location()), maxRatings)
		return err
	})
	if err != nil || s.Rules == nil || on != 0 {
		return s, err
	}
	s.out, err = d.outlook(ctx, connection)
	return s, err
}

// outlook is a shop's last forecast.
func (d *Desk) outlook(ctx context.Context, connection string) (foreseen, error) {
	out, _, err := d.health.outlooks.at(connection, d.x.now()).get(ctx, d.x.ctx, d.x.now, outlookEvery, func(ctx context.Context) (f foreseen, err error) {
		err = d.count(ctx, func(tx *store.Tx) error {
			f.Outlook, f.found, err = outlookOf(tx, connection)
			return err
		})
		return f, err
	})
	return out, errs.Wrap("ops.Health", connection, err)
}

// shopStanding sums one shop up by its worst metric.
func (d *Desk) shopStanding(r ShopRates) view.ShopStanding {
	c := r.Connection
	out := view.ShopStanding{ID: c.ID, Name: cmp.Or(c.Name, c.ID)}
	if r.Rules == nil {
		out.Word, out.Text = "no rules", "No rules are known by which "+d.vendorTitle(c.Vendor)+" judges shops"
		if c.Region != "" {
			out.Text += " in " + c.Region
		}
		out.Text += "."
		return out
	}
	out.Market = r.Rules.Market
	if r.Counted.IsZero() {
		out.Word, out.Text = "still being counted", countingText(r.Counting)
		return out
	}
	out.Level, out.Word, out.Text = r.sum()
	return out
}

// sum is the level of all rates together. Only a shop with a rate that was judged, and found good, is good.
func (r ShopRates) sum() (level view.Level, word, text string) {
	var bad, watch, good, none []string
	ruled := false
	for i := range r.Standings {
		s := &r.Standings[i]
		name := wordsOf(s.Metric).short
		ruled = ruled || s.State != health.NoRule
		switch s.State {
		case health.Breach:
			bad = append(bad, rateSays(s))
		case health.Watch, health.Unsure:
			watch = append(watch, rateSays(s))
		case health.Good:
			good = append(good, name)
		default:
			none = append(none, strings.ToLower(name))
		}
	}
	switch {
	case len(bad) > 0:
		return view.Bad, "breach", strings.Join(append(bad, watch...), " ")
	case len(watch) > 0:
		return view.Watch, "watch", strings.Join(watch, " ")
	case len(good) > 0 && len(none) > 0:
		return view.Good, "good", "Inside every limit; nothing can be said of " + and(none) + "."
	case len(good) > 0:
		return view.Good, "good", "Every rate is inside its limits."
	}
	if !ruled {
		return view.Quiet, "no rules", "The rules do not say how any rate is counted today."
	}
	return view.Quiet, "nothing counted", "No order was counted, so there are no rates."
}

// rateSays is a rate that is not good, in a sentence: "Late dispatch 4.6 %, over its 4 % target."
func rateSays(s *health.Standing) string {
	w := wordsOf(s.Metric)
	text := w.short + " " + health.Percent(s.Num, s.Den)
	if s.State == health.Unsure {
		return text + ", with " + number(s.Unjudged) + " that could not be judged."
	}
	for i := len(s.Bands) - 1; i >= 0; i-- {
		if s.Bands[i].Worse {
			return text + ", " + w.past + " " + bandText(s.Bands[i].Band) + "."
		}
	}
	return text + "."
}

func countingText(sofar int64) string {
	if sofar > 0 {
		return "Orders are still being counted: " + number(sofar) + " so far."
	}
	return "Orders are still being counted."
}

// stale says why figures are older than they should be.
func (s *shopHealth) stale() string {
	if s.waiting > waitingMost {
		return "Over " + number(waitingMost) + " batches of changes wait to be added up: what came in last is not in these figures yet."
	}
	if age := s.at.Sub(s.out.At); s.out.found && age > s.out.lasts() {
		return "The forecast is from " + lasting(age) + " ago: no process has made a newer one. The rates themselves are current."
	}
	return ""
}

// Old reports whether a forecast says nothing of a moment any more.
func (o *Outlook) Old(at time.Time) bool { return at.Sub(o.At) >= max(outlookOld, o.lasts()) }

// lasts is how long an outlook is the newest one there can be: the pause to the next, and its making, twice.
func (o *Outlook) lasts() time.Duration {
	return 2 * (max(foreseeEvery, foreseeShare*o.Took) + foreseeTime)
}

// missing lists what could not be worked out.
func (s *shopHealth) missing() (out []string) {
	if s.Rules == nil {
		return []string{"No rules are known by which this channel judges the shop, so there are no rates, no forecast and no orders at risk. Deadlines are those its orders carry."}
	}
	if s.counting() {
		out = append(out, "No rate is judged yet: "+strings.ToLower(countingText(s.Counting)[:1])+countingText(s.Counting)[1:])
	}
	switch {
	case !s.out.found:
		out = append(out, "No forecast was made yet. The first comes within a minute of the start.")
	case s.out.LeftOut > 0:
		out = append(out, "The forecast leaves out "+plural(s.out.LeftOut, "open order", "open orders")+", those due last.")
	}
	if n := len(s.out.Assumed); n > 0 {
		out = append(out, "The forecast rests on what is usual, until this shop has shown it: "+strings.Join(s.assumed(), "; ")+".")
	}
	return out
}

// assumedMost bounds what is listed: the first say it all.
const assumedMost = 3

// assumed is what the forecast assumes, with our names of nodes.
func (s *shopHealth) assumed() (out []string) {
	for _, text := range s.out.Assumed {
		if text = s.named(text); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	if n := len(out) - assumedMost; n > 0 {
		out = append(out[:assumedMost], plural(n, "thing more", "things more"))
	}
	return out
}

// fillHealth fills in what follows from the rates: gauges, compound chance, account and advice.
func (d *Desk) fillHealth(out *view.Health, s *shopHealth) {
	for i := range s.Standings {
		out.Gauges = append(out.Gauges, s.gauge(policy.Metrics[i]))
	}
	if n := len(s.out.Days); n > 0 && !s.counting() {
		out.Compound = millionths(s.out.Days[n-1].AtLeast(1))
	}
	out.Account = s.account()
}

// sentence is the answer in one line.
func (s *shopHealth) sentence(v view.Health) (view.Level, string) {
	level, text := v.Shop.Level, v.Shop.Text
	if s.Rules == nil || s.counting() {
		return level, text
	}
	for _, a := range v.Advice {
		if a.Count == 0 {
			continue
		}
		if level != view.Bad {
			level = view.Watch
		}
		if level == view.Bad {
			return level, text + " " + a.Sentence
		}
		return level, a.Sentence
	}
	if level == view.Good && v.Compound >= likely {
		return view.Watch, "Every rate is inside its limits now; the chance that one is in breach at its window’s end is " + chance(float64(v.Compound)/1e6) + "."
	}
	if late := lateNow(v.Risk); level == view.Good && late > 0 {
		return level, text + " " + capital(plural(late, "open order is", "open orders are")) + " late already."
	}
	return level, text
}

// likely is the chance from which on a breach to come is worth the headline.
const likely = 250_000

func lateNow(rows []view.RiskRow) (n int) {
	for _, r := range rows {
		if r.Late >= 1_000_000 {
			n++
		}
	}
	return n
}

// isOpen reports whether an order can still be dispatched.
func isOpen(o *order.Order) bool { return slices.Contains(openStatuses, o.Status) }

// openIncidents are those of a shop and those of all shops, worst first.
func (d *Desk) openIncidents(ctx context.Context, shop string) (out []view.IncidentRow, err error) {
	err = d.look(ctx, "ops.Health", shop, func(tx *store.Tx) error {
		w, err := d.incidentDesk(tx)
		if err != nil {
			return err
		}
		live, err := liveIncidents(tx, w.at)
		if err != nil {
			return err
		}
		live = slices.DeleteFunc(live, func(i store.Incident) bool { return i.Last.Shop != "" && i.Last.Shop != shop })
		slices.SortFunc(live, func(a, b store.Incident) int {
			return cmp.Or(gravity(loudness(b.Severity))-gravity(loudness(a.Severity)), a.OpenedAt.Compare(b.OpenedAt), cmp.Compare(a.ID, b.ID))
		})
		live, out = live[:min(len(live), healthIncidents)], nil
		if err := w.readTasks(tx, live); err != nil {
			return err
		}
		for _, i := range live {
			out = append(out, w.row(i))
		}
		return nil
	})
	return out, err
}
