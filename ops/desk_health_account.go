package ops

import (
	"cmp"
	"context"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/reconcile"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// entered is the source of a rating that a person took down.
const entered = "entered"

// maxNote bounds the note beside a value.
const maxNote = 500

// account is the rating of the account on the day judged, and on the days before.
func (s *shopHealth) account() view.Account {
	return s.accountWith(s.entries())
}

func (s *shopHealth) accountWith(entries []health.Entered) view.Account {
	out := view.Account{Low: -1, High: -1, State: view.StateNothing}
	breaches := breachesOf(s.trends)
	out.Points = s.points(breaches)
	taken := s.taken()
	now, ok := health.AccountOn(s.Rules, s.Day, entries, taken, breaches)
	if !ok {
		return out
	}
	out.Offered, out.Name, out.Max = true, "Account health rating", int64(now.Rule.Max)
	first := s.Day - accountDays + 1
	out.From = dayOf(first)
	for day := first; day <= s.Day; day++ {
		a, ok := health.AccountOn(s.Rules, day, entries, taken, breaches)
		r := view.AccountDay{Low: -1, High: -1}
		if ok && a.Entered.Day != 0 && (!s.counting() || a.Entered.Day == day) {
			r = view.AccountDay{Low: int64(a.Low), High: int64(a.High)}
		}
		out.Range = append(out.Range, r)
	}
	for _, r := range s.ratings {
		out.Known = append(out.Known, view.AccountValue{Day: dayOf(policy.DayOf(r.At, s.Rules.Location())), Value: r.Value, By: r.Actor, Source: r.Source, Note: r.Note})
	}
	slices.Reverse(out.Known)
	out.Deductions = s.deductionViews(now)
	s.scale(&out, now)
	s.says(&out, now)
	return out
}

// entries are the values that were entered, of one day the last entered last.
func (s *shopHealth) entries() (out []health.Entered) {
	rows := slices.Clone(s.ratings)
	slices.SortStableFunc(rows, func(a, b store.AccountRating) int { return a.EnteredAt.Compare(b.EnteredAt) })
	for _, r := range rows {
		out = append(out, health.Entered{Day: policy.DayOf(r.At, s.Rules.Location()), Value: int(r.Value), Author: r.Actor})
	}
	return out
}

// scale draws zones and milestones, and says in which zone the account is.
func (s *shopHealth) scale(out *view.Account, now health.Account) {
	zones := policy.On(s.Rules.Zones, s.Day)
	zones = slices.DeleteFunc(zones, func(z policy.AccountZone) bool { return z.Scheme != zones[0].Scheme }) // one scheme is drawn: the first
	slices.SortFunc(zones, func(a, b policy.AccountZone) int { return cmp.Compare(a.Low, b.Low) })
	for i, z := range zones {
		level := view.Watch
		switch i {
		case len(zones) - 1:
			level = view.Good
		case 0:
			level = view.Bad
		}
		out.Zones = append(out.Zones, view.AccountZone{Name: z.Name, Low: int64(z.Low), High: int64(z.High), Level: level, Cited: citedOf(s.Rules, z.Cited)})
	}
	for _, m := range now.Ahead {
		text := "without " + and(m.Blocks)
		switch {
		case m.Closure:
			text = "closed for good"
		case m.Days > 0:
			text = plural(m.Days, "day", "days") + " " + text
		}
		out.Milestones = append(out.Milestones, view.AccountMark{At: int64(m.Points), Text: text, Cited: citedOf(s.Rules, m.Cited)})
	}
	if now.Entered.Day == 0 {
		return
	}
	if s.counting() {
		out.State = view.StateCounting
		return
	}
	out.Low, out.High, out.State = int64(now.Low), int64(now.High), view.StateWatch
	if n := len(zones); n > 0 {
		switch {
		case now.Low >= zones[n-1].Low:
			out.State = view.StateGood
		case now.Stated <= zones[0].High:
			out.State = view.StateBreach
		}
	}
}

// says puts what is known and what is modelled into words.
func (s *shopHealth) says(out *view.Account, now health.Account) {
	if now.Entered.Day == 0 {
		out.Sentence = "Nobody has entered what the channel’s page shows."
		out.Knows, out.Models = now.Sentence(), "Nothing can be modelled before a first value was entered."
		return
	}
	out.Knows = number(now.Entered.Value) + " on " + dayWords(now.Entered.Day, s.at) + ", " + s.broughtBy(now.Entered) + "."
	if s.counting() {
		out.Sentence = "It was " + number(now.Entered.Value) + " on " + dayWords(now.Entered.Day, s.at) + "."
		out.Models = "Orders are still being counted: what breaches may have cost since then is not known before that is done."
		return
	}
	out.Models = capital(cmp.Or(now.Modelled(), "nothing is known to have changed it since."))
	if days := int(s.Day - now.Entered.Day); days > 0 {
		out.Models = plural(days, "day", "days") + " since then. " + out.Models
	}
	if now.Rule.Gains != "" && now.High > now.Stated {
		out.Models += " Points come back by " + now.Rule.Gains + "."
	}
	out.Sentence = number(now.Low)
	if now.High > now.Low {
		out.Sentence = "Between " + number(now.Low) + " and " + number(now.High)
	}
	if z := zoneNames(out.Zones, out.Low, out.High); z != "" {
		out.Sentence += ": " + z
	}
	out.Sentence += "."
	for _, m := range now.Ahead {
		if !m.Passed {
			out.Sentence += " The milestone of " + number(m.Points) + " is " + plural(m.Away, "point", "points") + " away by what is known."
			break
		}
	}
	g := now.Green
	if !g.Now && g.Latest != 0 {
		out.ToGreen = "by " + dayWords(g.Latest, s.at) + " at the latest, without a new violation"
		if g.Soonest != 0 && g.Soonest < g.Latest {
			out.ToGreen = "from " + dayWords(g.Soonest, s.at) + ", and " + out.ToGreen
		}
	}
	out.Unlocks, out.AtRisk = g.Unlocks, g.AtRisk
	for _, e := range now.Effects {
		c := view.AccountChange{Day: dayOf(e.Day), Text: e.Text, Low: int64(e.Points), High: int64(e.Points)}
		if !e.Stated {
			c.Low = int64(now.Rule.Min - now.Rule.Max) // nobody tells how much
			c.Text += ", so anything up to that is possible"
		}
		out.Changes = append(out.Changes, c)
	}
	slices.Reverse(out.Changes)
}

// broughtBy says how a value came here: somebody entered it, or it was read from an export.
func (s *shopHealth) broughtBy(e health.Entered) string {
	by := "entered by " + e.Author
	var last time.Time
	for _, r := range s.ratings {
		if policy.DayOf(r.At, s.Rules.Location()) != e.Day || int(r.Value) != e.Value || r.EnteredAt.Before(last) {
			continue
		}
		if last, by = r.EnteredAt, "entered by "+r.Actor; r.Source == reconcile.Export {
			by = "read from the export " + r.Note + " of " + r.Actor
		}
	}
	return by
}

// zoneNames are the zones a range lies in: "orange", or "orange or green".
func zoneNames(zones []view.AccountZone, low, high int64) string {
	var names []string
	for _, z := range zones {
		if z.Low <= high && z.High >= low {
			names = append(names, z.Name)
		}
	}
	return strings.Join(names, " or ")
}

// ratingTime is where a value of a day is kept, by the form it came with: the same form again lands on the same place.
func ratingTime(day policy.Day, zone *time.Location, id string) time.Time {
	h := fnv.New64a()
	h.Write([]byte(id))
	return day.Start(zone).Add(time.Duration(h.Sum64()%uint64(22*time.Hour/time.Microsecond)) * time.Microsecond).UTC() // the shortest day has 23 hours
}

// accountDraft checks a value that somebody has seen. refused says what is wrong with it.
func (d *Desk) accountDraft(ctx context.Context, op string, a view.AccountDraft) (s *shopHealth, row store.AccountRating, refused string, err error) {
	if s, err = d.shopHealth(ctx, op, a.Shop, 0); err != nil {
		return nil, row, "", err
	}
	if s.Rules == nil {
		return s, row, "No rules are known by which this channel judges accounts.", nil
	}
	now := s.account()
	day, bad := readDay(a.Day)
	switch {
	case !now.Offered:
		refused = "The channel keeps no rating of accounts in this market, as far as its rules tell."
	case bad != nil || day == 0:
		refused = "Write the day as 2026-11-21."
	case day > s.Day:
		refused = "That day has not come yet."
	case day <= s.Day-2*accountDays:
		refused = "That day is too long ago to matter: the rating looks back " + number(accountDays) + " days."
	case a.Value < 0 || a.Value > now.Max:
		refused = "The channel’s scale goes from 0 to " + number(now.Max) + ". Look again at what it shows."
	case len(a.Note) > maxNote:
		refused = "The note is longer than " + number(maxNote) + " bytes."
	case a.ID == "" || a.Actor == "":
		refused = "The form is not complete. Open it again."
	}
	if refused == "" {
		row = store.AccountRating{ConnectionID: a.Shop, At: ratingTime(day, s.Rules.Location(), a.ID), Value: a.Value, Source: entered, Actor: a.Actor, Note: a.Note}
	}
	return s, row, refused, nil
}

// PreviewAccount works out what a seen value says of what was modelled.
func (d *Desk) PreviewAccount(ctx context.Context, a view.AccountDraft) (view.Preview, error) {
	s, row, refused, err := d.accountDraft(ctx, "ops.PreviewAccount", a)
	if err != nil || refused != "" {
		return view.Preview{Refused: refused}, err
	}
	was := s.account()
	day := policy.DayOf(row.At, s.Rules.Location())
	then := s.accountWith(append(s.entries(), health.Entered{Day: day, Value: int(row.Value), Author: row.Actor}))
	v := view.Preview{Undo: "It can be taken back.", Changes: []view.Change{{What: was.Name + " today", From: rangeWords(was.Low, was.High), To: rangeWords(then.Low, then.High),
		Why: "known on " + dayWords(day, s.at) + ", and modelled on from there"}}}
	v.Sentence = number(row.Value) + " was not known yet; from here on the range starts at it."
	if day < s.Day-accountDays+1 || len(was.Range) == 0 {
		return v, nil
	}
	on := was.Range[len(was.Range)-1-int(s.Day-day)]
	switch {
	case on.Low < 0:
	case row.Value < on.Low || row.Value > on.High:
		v.Sentence = number(row.Value) + " lies outside what was modelled for that day, " + rangeWords(on.Low, on.High) + "."
		v.Warnings = []string{"Something happened that Spillway does not know of. Look for a notice of a violation on the channel’s page."}
	default:
		v.Sentence = number(row.Value) + " lies inside what was modelled for that day, " + rangeWords(on.Low, on.High) + "."
	}
	return v, nil
}

func rangeWords(low, high int64) string {
	switch {
	case low < 0:
		return "not known"
	case low == high:
		return number(low)
	}
	return number(low) + " to " + number(high)
}

// SetAccount takes down what the channel's page showed. The same form again changes nothing. Errors: Invalid, NotFound (the shop), Conflict (the
// form was used for another value).
func (d *Desk) SetAccount(ctx context.Context, a view.AccountDraft) (view.Done, error) {
	const op = "ops.SetAccount"
	_, row, refused, err := d.accountDraft(ctx, op, a)
	if err != nil {
		return view.Done{}, err
	}
	if refused != "" {
		return view.Done{}, errs.New(errs.Invalid, op, a.Shop, "%s", refused)
	}
	err = d.x.st.Update(ctx, func(tx *store.Tx) error {
		known, err := tx.AccountRatings(a.Shop, row.At, maxRatings)
		if err != nil {
			return err
		}
		for _, k := range known {
			if !k.At.Equal(row.At) {
				continue
			}
			if k.Value == row.Value && k.Note == row.Note && k.Source == row.Source {
				return nil
			}
			return errs.New(errs.Conflict, op, a.ID, "This form was used for another value. Open a new one.")
		}
		return tx.AccountRatingPut(row)
	})
	if err != nil {
		return view.Done{}, errs.Wrap(op, a.Shop, err)
	}
	d.didHealth(view.TopicHealth + ":" + a.Shop)
	return view.Done{Sentence: number(a.Value) + " is taken down for " + string(a.Day) + ".",
		Undo: "account " + strconv.FormatInt(row.At.UnixMicro(), 10) + " " + a.Shop}, nil
}

// forgetAccount takes a value back.
func (d *Desk) forgetAccount(ctx context.Context, rest string) (view.Done, error) {
	const op = "ops.forgetAccount"
	micro, shop, _ := strings.Cut(rest, " ")
	n, err := strconv.ParseInt(micro, 10, 64)
	if err != nil || shop == "" {
		return view.Done{}, errs.New(errs.Invalid, op, "", "This cannot be undone.")
	}
	err = d.x.st.Update(ctx, func(tx *store.Tx) error { return tx.AccountRatingDelete(shop, time.UnixMicro(n).UTC()) })
	if errs.Is(err, errs.NotFound) {
		return view.Done{}, errs.New(errs.NotFound, op, shop, "The value was taken back already.")
	}
	if err != nil {
		return view.Done{}, errs.Wrap(op, shop, err)
	}
	d.didHealth(view.TopicHealth + ":" + shop)
	return view.Done{Sentence: "The value is taken back."}, nil
}

// didHealth makes the next page of health look anew, and tells the pages that are open.
func (d *Desk) didHealth(topics ...string) {
	d.health.stale()
	d.x.live.notify(append(topics, HealthTopic)...)
}
