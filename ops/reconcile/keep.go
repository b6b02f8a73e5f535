package reconcile

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/policy"
	compare "github.com/spillway/spillway/domain/reconcile"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// KeptOrders on which the two sides differ are kept of a comparison, shared out evenly to its rates: nobody reads more on a page, and the whole
	// list is made anew from the files by the command. At least keptOfRate are kept of each rate.
	KeptOrders, keptOfRate = 10_000, 50
	// keptProblems of a file are kept with it.
	keptProblems = 200
	// keptRuns are kept of a shop: weekly exports of each metric for four years.
	keptRuns = 1_000
	// heardWithin is how long a process that reads files may be silent before another may begin anew.
	heardWithin = 2 * time.Minute
	// Export is the source of a rating that was read from one.
	Export = "export"
)

// Asked is files to be set beside what we count.
type Asked struct {
	Connection string
	Rules      *policy.RuleSet
	Files      []File
	Read       Options
	Compare    compare.Options
	Actor      string
	Now        func() time.Time
	Seen       func(Summary) error // told from time to time how far it is; an error ends it. nil: nobody asks
}

// Summary is what is kept of a comparison beside its rates and orders.
type Summary struct {
	Files   []FileReport `json:"files,omitempty"`
	Refused string       `json:"refused,omitzero"` // why nothing was taken; empty: it was, or is being read
	Wrong   []Problem    `json:"wrong,omitempty"`  // of a file as a whole

	Rows   int64 `json:"rows,omitzero"`   // read so far
	Orders int64 `json:"orders,omitzero"` // of ours looked at so far

	From         policy.Day `json:"from,omitzero"` // of all rates
	To           policy.Day `json:"to,omitzero"`
	Rates        int        `json:"rates,omitzero"`
	Told         int        `json:"told,omitzero"` // of them, with a figure of the channel's
	Differ       int64      `json:"differ,omitzero"`
	Unexplained  int64      `json:"unexplained,omitzero"`
	Outside      int64      `json:"outside,omitzero"`  // rows and entries in none of the periods
	LeftOut      int64      `json:"left_out,omitzero"` // differing orders that were not kept
	Ratings      []Rating   `json:"ratings,omitempty"` // of the account, that were not known before
	RatingsKnown int        `json:"ratings_known,omitzero"`
}

// Rate is what is kept of one metric in one period.
type Rate struct {
	compare.Section
	Differ      int64 `json:"differ,omitzero"`      // orders on which the two sides differ
	Unexplained int64 `json:"unexplained,omitzero"` // of them, that nobody can explain
	LeftOut     int64 `json:"left_out,omitzero"`    // of them, that were not kept
}

// Compared is what came of a comparison.
type Compared struct {
	Content Content
	Report  compare.Report
}

// ID names a comparison by the shop, the content of the files and how they are to be read: the same again has the same.
func (a Asked) ID() (string, error) {
	sums := make([]string, 0, len(a.Files))
	for _, f := range a.Files {
		data, err := content(f)
		if err != nil {
			return "", errs.New(errs.Invalid, "reconcile.ID", f.Name, "%s %s", f.Name, err)
		}
		sum := sha256.Sum256(data)
		sums = append(sums, string(sum[:]))
	}
	slices.Sort(sums)
	h := sha256.New()
	part := func(s string) {
		_ = binary.Write(h, binary.BigEndian, int64(len(s))) // a hash takes all
		h.Write([]byte(s))
	}
	part(a.Connection)
	for _, s := range sums {
		part(s)
	}
	o := a.Read
	part(fmt.Sprintf("%s %d %s %s %t %s %s %t %s %s %t", o.Kind, o.Delimiter, o.Sheet, o.Zone, o.DayFirst, o.Bare, o.Metric, o.SkipWrong, a.Compare.From, a.Compare.To, a.Compare.All))
	for _, name := range slices.Sorted(maps.Keys(o.Map)) {
		part(name)
		part(o.Map[name])
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// Begin takes down that files are being read. began is false where the same were compared before, or another process is at it: then that is
// what is returned. What was refused is read anew.
func (a Asked) Begin(ctx context.Context, st *store.Store) (r store.Reconciliation, began bool, err error) {
	id, err := a.ID()
	if err != nil {
		return r, false, err
	}
	var s Summary
	for _, f := range a.Files {
		s.Files = append(s.Files, FileReport{Name: f.Name})
	}
	data, err := json.Marshal(s)
	if err != nil {
		return r, false, errs.Wrap("reconcile.Begin", id, err)
	}
	err = st.Update(ctx, func(tx *store.Tx) error {
		now := a.Now()
		began = false
		r, err = tx.ReconciliationGet(id)
		if err == nil && (r.State == store.ReconciliationDone || r.State == store.ReconciliationReading && now.Sub(r.UpdatedAt) < heardWithin) {
			return nil
		}
		if err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		began = true
		r = store.Reconciliation{ID: id, ConnectionID: a.Connection, State: store.ReconciliationReading, Actor: a.Actor, CreatedAt: now, UpdatedAt: now, Data: data}
		return tx.ReconciliationPut(r)
	})
	return r, began, errs.Wrap("reconcile.Begin", id, err)
}

// Make reads the files and compares them. It only reads. Errors: Invalid (with a *Problems as cause where rows or files are wrong), and those
// of the database.
func (a Asked) Make(ctx context.Context, st *store.Store) (Compared, error) {
	var out Compared
	var s Summary
	tell := func() error {
		if err := ctx.Err(); err != nil || a.Seen == nil {
			return err
		}
		return a.Seen(s)
	}
	o := a.Read
	o.Seen = func(rows int64) error { s.Rows += rows; return tell() }
	var err error
	if out.Content, err = Read(a.Files, o); err != nil {
		return out, err
	}
	if err := a.checkRatings(&out.Content); err != nil {
		return out, err
	}
	s.Files = out.Content.Files
	if out.Report, err = Run(ctx, st, a.Rules, a.Connection, out.Content.Theirs, a.Compare, func(orders int64) error { s.Orders = orders; return tell() }); err != nil {
		return out, err
	}
	return out, nil
}

// checkRatings refuses ratings that the market's scale does not have, and those of days to come.
func (a Asked) checkRatings(c *Content) error {
	today := policy.DayOf(a.Now(), a.Rules.Location())
	wrong := &Problems{}
	kept := c.Ratings[:0]
	for _, r := range c.Ratings {
		why := ""
		rules := policy.On(a.Rules.Accounts, r.Day)
		switch {
		case r.Day > today:
			why = "is of a day that has not come yet"
		case len(rules) == 0:
			why = "is of a day on which the rules know no rating of accounts"
		case r.Value < int64(rules[0].Min) || r.Value > int64(rules[0].Max):
			why = fmt.Sprintf("is outside the scale from %d to %d", rules[0].Min, rules[0].Max)
		}
		if why == "" {
			kept = append(kept, r)
			continue
		}
		p := Problem{File: r.Place.File, Line: r.Place.Line, Field: "rating", Value: fmt.Sprint(r.Value), Text: why}
		if i := slices.IndexFunc(c.Files, func(f FileReport) bool { return f.Name == r.Place.File }); i >= 0 {
			f := &c.Files[i]
			f.Taken, f.Wrong = f.Taken-1, f.Wrong+1
			if len(f.Problems) < maxProblems {
				f.Problems = append(f.Problems, p)
			} else {
				f.More++
			}
		}
		if len(wrong.Shown) < maxProblems {
			wrong.Shown = append(wrong.Shown, p)
		} else {
			wrong.More++
		}
	}
	c.Ratings = kept
	if a.Read.SkipWrong {
		return nil
	}
	return wrong.err()
}

// Save keeps what came of a comparison that was begun: all of it, or nothing. Errors: Conflict (it was taken back or ended meanwhile), and
// those of the database.
func (a Asked) Save(ctx context.Context, st *store.Store, r store.Reconciliation, c Compared) (Summary, error) {
	const op = "reconcile.Save"
	s := Summary{Files: bounded(c.Content.Files), Rates: len(c.Report.Sections), Outside: int64(len(c.Report.Outside))}
	for _, f := range c.Content.Files {
		s.Rows += int64(f.Rows)
	}
	rates, orders, err := a.parts(r, c.Report, &s)
	if err != nil {
		return s, errs.Wrap(op, r.ID, err)
	}
	err = st.Update(ctx, func(tx *store.Tx) error {
		if err := a.ratings(tx, c.Content.Ratings, &s); err != nil {
			return err
		}
		data, err := json.Marshal(s)
		if err != nil {
			return err
		}
		if err := tx.ReconciliationTell(store.Reconciliation{ID: r.ID, State: store.ReconciliationDone, UpdatedAt: a.Now(), Data: data}); err != nil {
			return err
		}
		if err := tx.ReconciliationFill(r.ID, rates, orders); err != nil {
			return err
		}
		return tx.ReconciliationsPrune(a.Connection, keptRuns)
	})
	return s, errs.Wrap(op, r.ID, err)
}

// parts are the rows of the rates and orders, and what they sum up to.
func (a Asked) parts(r store.Reconciliation, report compare.Report, s *Summary) (rates []store.ReconciledRate, orders []store.ReconciledOrder, err error) {
	most := max(keptOfRate, KeptOrders/max(1, len(report.Sections)+1))
	add := func(rate int64, lines []compare.Line) (left int64) {
		n := 0
		for _, l := range lines {
			if l.Cause == compare.Agree || l.Cause == compare.NotTold {
				continue
			}
			if n++; n > most {
				left++
				continue
			}
			data, failed := json.Marshal(l)
			err = errors.Join(err, failed)
			orders = append(orders, store.ReconciledOrder{N: int64(len(orders)), Rate: rate, Cause: string(l.Cause), OrderID: l.OrderID, Data: data})
		}
		return left
	}
	for i, sec := range report.Sections {
		k := Rate{Section: sec}
		for _, n := range sec.Causes {
			if n.Cause != compare.Agree && n.Cause != compare.NotTold {
				k.Differ += n.N
			}
			if n.Cause == compare.Unexplained {
				k.Unexplained = n.N
			}
		}
		k.LeftOut = add(int64(i), sec.Lines)
		k.Lines = nil
		data, failed := json.Marshal(k)
		err = errors.Join(err, failed)
		rates = append(rates, store.ReconciledRate{N: int64(i), ConnectionID: a.Connection, Metric: sec.Metric, To: sec.To, Told: sec.Theirs != nil, CreatedAt: r.CreatedAt, Data: data})
		s.Differ, s.Unexplained, s.LeftOut = s.Differ+k.Differ, s.Unexplained+k.Unexplained, s.LeftOut+k.LeftOut
		if sec.Theirs != nil {
			s.Told++
		}
		if s.From == 0 || sec.From < s.From {
			s.From = sec.From
		}
		s.To = max(s.To, sec.To)
	}
	s.LeftOut += add(-1, report.Outside)
	return rates, orders, err
}

// bounded leaves out problems of files that nobody will read.
func bounded(files []FileReport) []FileReport {
	out := slices.Clone(files)
	for i := range out {
		if over := len(out[i].Problems) - keptProblems; over > 0 {
			out[i].Problems, out[i].More = out[i].Problems[:keptProblems], out[i].More+over
		}
	}
	return out
}

// ratings writes those that nobody has entered yet.
func (a Asked) ratings(tx *store.Tx, list []Rating, s *Summary) error {
	s.Ratings, s.RatingsKnown = nil, 0
	if len(list) == 0 {
		return nil
	}
	zone := a.Rules.Location()
	old, err := tx.AccountRatings(a.Connection, list[0].Day.Start(zone), maxRatings) // they are by day
	if err != nil {
		return err
	}
	known := map[Rating]bool{}
	for _, x := range old {
		known[Rating{Day: policy.DayOf(x.At, zone), Value: x.Value}] = true
	}
	for _, r := range list {
		key := Rating{Day: r.Day, Value: r.Value}
		if known[key] {
			s.RatingsKnown++
			continue
		}
		known[key] = true
		if err := tx.AccountRatingPut(store.AccountRating{ConnectionID: a.Connection, At: ratingAt(r, zone), Value: r.Value, Source: Export, Actor: a.Actor, Note: r.Place.File}); err != nil {
			return err
		}
		s.Ratings = append(s.Ratings, r)
	}
	return nil
}

// ratingAt is where a rating that was read is kept: the same value of the same day always in the same place.
func ratingAt(r Rating, zone *time.Location) time.Time {
	h := fnv.New64a()
	fmt.Fprint(h, Export, r.Value)
	return r.Day.Start(zone).Add(time.Duration(h.Sum64()%uint64(22*time.Hour/time.Microsecond)) * time.Microsecond).UTC() // the shortest day has 23 hours
}

// Refuse keeps why nothing was taken of files, so that who uploaded them finds it.
func (a Asked) Refuse(ctx context.Context, st *store.Store, r store.Reconciliation, c Compared, why error) error {
	s := Summary{Files: bounded(c.Content.Files), Refused: errs.Safe(why)}
	for _, f := range c.Content.Files {
		s.Rows += int64(f.Rows)
	}
	if len(s.Files) == 0 {
		for _, f := range a.Files {
			s.Files = append(s.Files, FileReport{Name: f.Name})
		}
	}
	if p, ok := errors.AsType[*Problems](why); ok {
		s.Refused = "Nothing was compared, and nothing was changed."
		for _, one := range p.Shown {
			if one.Line == 0 && len(s.Wrong) < keptProblems {
				s.Wrong = append(s.Wrong, one)
			}
		}
	}
	data, err := json.Marshal(s)
	if err != nil {
		return errs.Wrap("reconcile.Refuse", r.ID, err)
	}
	return errs.Wrap("reconcile.Refuse", r.ID, st.Update(ctx, func(tx *store.Tx) error {
		return tx.ReconciliationTell(store.Reconciliation{ID: r.ID, State: store.ReconciliationRefused, UpdatedAt: a.Now(), Data: data})
	}))
}

// Forget takes a comparison back with the ratings it brought. Errors: NotFound.
func Forget(tx *store.Tx, rules *policy.RuleSet, id string) error {
	r, err := tx.ReconciliationGet(id)
	if err != nil {
		return err
	}
	var s Summary
	if err := json.Unmarshal(r.Data, &s); err != nil {
		return errs.Wrap("reconcile.Forget", id, err)
	}
	if rules != nil {
		for _, x := range s.Ratings {
			if err := tx.AccountRatingDelete(r.ConnectionID, ratingAt(x, rules.Location())); err != nil && !errs.Is(err, errs.NotFound) {
				return err
			}
		}
	}
	return tx.ReconciliationDelete(id)
}

// Progress is a summary of a comparison that goes on, as it is kept.
func (s Summary) Progress(r store.Reconciliation) (json.RawMessage, error) {
	var begun Summary
	if err := json.Unmarshal(r.Data, &begun); err != nil {
		return nil, errs.Wrap("reconcile.Progress", r.ID, err)
	}
	begun.Rows, begun.Orders = s.Rows, s.Orders
	data, err := json.Marshal(begun)
	return data, errs.Wrap("reconcile.Progress", r.ID, err)
}

// Names are the files of a comparison in one line.
func (s Summary) Names() string {
	var names []string
	for _, f := range s.Files {
		names = append(names, f.Name)
	}
	return cmp.Or(strings.Join(names, ", "), "no file")
}
