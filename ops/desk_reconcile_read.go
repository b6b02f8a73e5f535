package ops

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/policy"
	compare "github.com/spillway/spillway/domain/reconcile"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/reconcile"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// reconcilePage comparisons are a page of the list, differingPage orders one of a comparison.
	reconcilePage, differingPage = 25, 50
	// toldShown figures of the channel's are shown beside a rate, ratesShown rates of a comparison.
	toldShown, ratesShown = 12, 100
	// toldLooked figures are looked through for the one of a day.
	toldLooked = 400
	// stoppedAfter a reading that nobody tells of has stopped: its process is gone.
	stoppedAfter = 2 * time.Minute
)

// kept reads a comparison. Errors: NotFound.
func (d *Desk) kept(ctx context.Context, op, id string) (r store.Reconciliation, s reconcile.Summary, err error) {
	err = d.look(ctx, op, id, func(tx *store.Tx) error {
		r, err = tx.ReconciliationGet(id)
		return err
	})
	if errs.Is(err, errs.NotFound) {
		return r, s, errs.New(errs.NotFound, op, id, "There is no such comparison. It was taken back, or is older than what is kept.")
	}
	if err != nil {
		return r, s, err
	}
	return r, s, errs.Wrap(op, id, json.Unmarshal(r.Data, &s))
}

// Reconciliations lists the comparisons of a shop. Errors: NotFound (the shop), Invalid (a cursor).
func (d *Desk) Reconciliations(ctx context.Context, shop, after string) (view.Reconciliations, error) {
	const op = "ops.Reconciliations"
	out := view.Reconciliations{At: d.x.now()}
	all, err := d.shopRates(ctx)
	if err != nil || len(all) == 0 {
		return out, err
	}
	one, err := chooseShop(op, all, shop)
	if err != nil {
		return out, err
	}
	for _, r := range all {
		out.Shops = append(out.Shops, d.shopStanding(r))
	}
	out.Shop = d.shopStanding(one)
	if one.Rules == nil {
		out.NoRules = out.Shop.Text
	}
	before, id, err := readRowCursor(after)
	if err != nil {
		return out, err
	}
	for _, m := range policy.Metrics {
		out.Metrics = append(out.Metrics, view.Option{ID: string(m), Label: wordsOf(m).short})
	}
	return out, d.look(ctx, op, one.Connection.ID, func(tx *store.Tx) error {
		out.Rows, out.Latest, out.Next = nil, nil, ""
		rows, err := tx.Reconciliations(one.Connection.ID, before, id, reconcilePage+1)
		if err != nil {
			return err
		}
		if len(rows) > reconcilePage {
			rows = rows[:reconcilePage]
			last := rows[len(rows)-1]
			out.Next = strconv.FormatInt(last.CreatedAt.UnixMicro(), 36) + "-" + last.ID
		}
		for _, r := range rows {
			var s reconcile.Summary
			if err := json.Unmarshal(r.Data, &s); err != nil {
				return errs.Wrap(op, r.ID, err)
			}
			out.Rows = append(out.Rows, d.reconciliationRow(r, s))
		}
		if one.Rules == nil {
			return nil
		}
		for _, m := range policy.Metrics {
			told, err := toldOf(tx, one.Connection.ID, m, 1)
			if err != nil {
				return err
			}
			now := view.TheirNow{Metric: string(m), Name: wordsOf(m).short}
			if len(told) > 0 {
				now.Their = &told[0]
			}
			out.Latest = append(out.Latest, now)
		}
		return nil
	})
}

func readRowCursor(s string) (time.Time, string, error) {
	if s == "" {
		return time.Time{}, "", nil
	}
	at, id, ok := strings.Cut(s, "-")
	n, err := strconv.ParseInt(at, 36, 64)
	if err != nil || !ok {
		return time.Time{}, "", errs.New(errs.Invalid, "ops.Reconciliations", "after", "The link to this page is damaged. Begin at the first one.")
	}
	return time.UnixMicro(n).UTC(), id, nil
}

// reconciliationRow is a comparison in brief.
func (d *Desk) reconciliationRow(r store.Reconciliation, s reconcile.Summary) view.ReconciliationRow {
	out := view.ReconciliationRow{ID: r.ID, At: r.CreatedAt, Actor: r.Actor, Files: s.Names(), From: dayOf(s.From), To: dayOf(s.To), Told: s.Told, Rates: s.Rates,
		Differ: s.Differ, Unexplained: s.Unexplained, Ratings: len(s.Ratings) + s.RatingsKnown}
	switch r.State {
	case store.ReconciliationReading:
		out.State, out.Text = view.ReconcileReading, "being read"
		if d.x.now().Sub(r.UpdatedAt) > stoppedAfter {
			out.State, out.Text, out.Level = view.ReconcileStopped, "stopped before it was done", view.Watch
		}
	case store.ReconciliationRefused:
		out.State, out.Text, out.Level = view.ReconcileRefused, "refused: nothing was taken", view.Bad
	default:
		out.State, out.Text, out.Level = view.ReconcileDone, sumText(s), view.Good
		if s.Unexplained > 0 {
			out.Level = view.Watch
		}
	}
	return out
}

// sumText says what a comparison came to.
func sumText(s reconcile.Summary) string {
	var parts []string
	switch {
	case s.Rates > 0 && s.Differ == 0:
		parts = append(parts, plural(s.Rates, "rate", "rates")+" compared, no order differs")
	case s.Rates > 0:
		parts = append(parts, plural(s.Rates, "rate", "rates")+" compared, "+plural(s.Differ, "order differs", "orders differ"))
	}
	if s.Unexplained > 0 {
		parts = append(parts, number(s.Unexplained)+" of them unexplained")
	}
	if n := len(s.Ratings); n > 0 {
		parts = append(parts, plural(n, "account rating", "account ratings")+" taken down")
	}
	if s.RatingsKnown > 0 {
		parts = append(parts, plural(s.RatingsKnown, "account rating", "account ratings")+" known already")
	}
	if len(parts) == 0 {
		return "nothing in it to compare"
	}
	return strings.Join(parts, ", ")
}

// toldOf is what a channel said of a metric, the newest days first.
func toldOf(tx *store.Tx, connection string, m policy.Metric, limit int) (out []view.Reconciled, err error) {
	rows, err := tx.ReconciledTold(connection, m, limit)
	for _, r := range rows {
		if err != nil {
			break
		}
		var v view.Reconciled
		v, err = reconciledOf(r)
		out = append(out, v)
	}
	return out, err
}

// readTold reads the channel's own figures of the metrics asked for: the newest, or where one metric is looked at those before it too.
func (s *shopHealth) readTold(tx *store.Tx, past bool, metrics []policy.Metric) (err error) {
	s.told = map[policy.Metric][]view.Reconciled{}
	limit := 1
	if len(metrics) == 1 {
		limit = toldShown
	}
	for _, m := range policy.Metrics {
		if past && len(metrics) == 0 || len(metrics) > 0 && !slices.Contains(metrics, m) {
			continue
		}
		if s.told[m], err = toldOf(tx, s.Connection.ID, m, limit); err != nil {
			return err
		}
	}
	return nil
}

// reconciledOf is a rate of a comparison.
func reconciledOf(r store.ReconciledRate) (view.Reconciled, error) {
	var k reconcile.Rate
	if err := json.Unmarshal(r.Data, &k); err != nil {
		return view.Reconciled{}, errs.Wrap("ops.reconciledOf", r.ReconciliationID, err)
	}
	v := view.Reconciled{ID: r.ReconciliationID, N: int(r.N), Metric: string(r.Metric), Name: wordsOf(r.Metric).short, Day: dayOf(k.To), From: dayOf(k.From), Num: k.Ours.Num, Den: k.Ours.Den,
		NoRule: k.RateID == "", ImportedAt: r.CreatedAt, Differ: k.Differ, Unexplained: k.Unexplained, Level: view.Good}
	if f := k.Theirs; f != nil {
		v.Told, v.Their, v.TheirNum, v.TheirDen, v.File = true, view.PPM(f.Share), f.Num, f.Den, f.Place.File
		v.TheirText = cmp.Or(f.Text, share(f.Share))
		if f.Den > 0 {
			v.TheirText = number(f.Num) + " of " + number(f.Den)
		}
	}
	if k.Residual != nil {
		v.Unnamed = -*k.Residual
	}
	for _, c := range k.Causes {
		if c.Cause != compare.Agree && c.Cause != compare.NotTold && c.Cause != compare.Unexplained {
			v.Explained = append(v.Explained, view.Count{ID: string(c.Cause), Label: reconcile.CauseText(c.Cause), N: c.N})
		}
	}
	if v.Unexplained > 0 || v.Unnamed != 0 || v.NoRule {
		v.Level = view.Watch
	}
	return v, nil
}

// Reconciliation is one comparison. Errors: NotFound, Invalid (a cursor).
func (d *Desk) Reconciliation(ctx context.Context, f view.ReconciliationFilter) (view.Reconciliation, error) {
	const op = "ops.Reconciliation"
	out := view.Reconciliation{Now: d.x.now(), Filter: f}
	after := int64(-1)
	if f.After != "" {
		n, err := strconv.ParseInt(f.After, 10, 64)
		if err != nil {
			return out, errs.New(errs.Invalid, op, "after", "The link to this page is damaged. Begin at the first one.")
		}
		after = n
	}
	r, s, err := d.kept(ctx, op, f.ID)
	if err != nil {
		return out, err
	}
	out.ReconciliationRow = d.reconciliationRow(r, s)
	out.Refused, out.Read, out.Looked, out.Outside, out.LeftOut, out.Known = s.Refused, s.Rows, s.Orders, s.Outside, s.LeftOut, s.RatingsKnown
	for _, p := range s.Wrong {
		out.Wrong = append(out.Wrong, view.FileProblem(p))
	}
	for _, x := range s.Files {
		out.Each = append(out.Each, fileOf(x))
	}
	for _, x := range s.Ratings {
		out.Taken = append(out.Taken, view.AccountValue{Day: dayOf(x.Day), Value: x.Value, By: r.Actor, Source: reconcile.Export, Note: x.Place.File})
	}
	all, err := d.shopRates(ctx)
	if err != nil {
		return out, err
	}
	zone := time.UTC
	out.Shop = view.ShopStanding{ID: r.ConnectionID, Name: r.ConnectionID}
	if i := slices.IndexFunc(all, func(x ShopRates) bool { return x.Connection.ID == r.ConnectionID }); i >= 0 {
		out.Shop = d.shopStanding(all[i])
		if all[i].Rules != nil {
			zone = all[i].Rules.Location()
		}
	}
	if r.State != store.ReconciliationDone {
		return out, nil
	}
	return out, d.look(ctx, op, f.ID, func(tx *store.Tx) error { return d.fillReconciliation(tx, &out, after, zone) })
}

func fileOf(x reconcile.FileReport) view.ReconciledFile {
	v := view.ReconciledFile{Name: x.Name, Kind: string(x.Kind), Rows: x.Rows, Taken: x.Taken, Wrong: x.Wrong, Blank: x.Blank, Describe: x.Described, Unread: x.Unread, More: x.More}
	for name, n := range x.Metrics {
		v.Others = append(v.Others, view.Count{ID: name, Label: name, N: int64(n)})
	}
	slices.SortFunc(v.Others, byCount)
	for _, p := range x.Problems {
		v.Problems = append(v.Problems, view.FileProblem(p))
	}
	return v
}

// fillReconciliation fills in rates and orders.
func (d *Desk) fillReconciliation(tx *store.Tx, out *view.Reconciliation, after int64, zone *time.Location) error {
	out.Figures, out.Orders, out.Causes, out.Next, out.More = nil, nil, nil, "", 0
	rates, err := tx.ReconciledRates(out.Filter.ID, compare.MaxSections)
	if err != nil {
		return err
	}
	causes := map[compare.Cause]int64{}
	for _, r := range rates {
		v, err := reconciledOf(r)
		if err != nil {
			return err
		}
		v.By, v.File = out.Actor, cmp.Or(v.File, out.Files)
		if out.Filter.Rate == store.AnyRate || out.Filter.Rate == v.N {
			for _, c := range v.Explained {
				causes[compare.Cause(c.ID)] += c.N
			}
			causes[compare.Unexplained] += v.Unexplained
		}
		if len(out.Figures) < ratesShown {
			out.Figures = append(out.Figures, v)
		} else {
			out.More++
		}
	}
	if out.Outside > 0 && out.Filter.Rate < 0 {
		causes[compare.OutsidePeriods] = out.Outside
	}
	for _, c := range compare.Causes {
		if n := causes[c]; n > 0 {
			out.Causes = append(out.Causes, view.Count{ID: string(c), Label: reconcile.CauseText(c), N: n})
		}
	}
	rows, err := tx.ReconciledOrders(out.Filter.ID, after, int64(out.Filter.Rate), out.Filter.Cause, differingPage+1)
	if err != nil {
		return err
	}
	if len(rows) > differingPage {
		rows = rows[:differingPage]
		out.Next = strconv.FormatInt(rows[len(rows)-1].N, 10)
	}
	for _, r := range rows {
		v, err := differingOf(r, out.Shop.ID, zone, out.Now)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(rates, func(x store.ReconciledRate) bool { return x.N == r.Rate }); i >= 0 {
			v.Metric = wordsOf(rates[i].Metric).short
		}
		out.Orders = append(out.Orders, v)
	}
	return nil
}

// ChannelFigure is what a channel says of a metric, as imported last.
type ChannelFigure struct {
	view.Reconciled
	Metric policy.Metric
}

// ChannelFigures are the channels' own newest figures of shops, by connection.
func (x *Ops) ChannelFigures(ctx context.Context, connections ...string) (map[string][]ChannelFigure, error) {
	out := map[string][]ChannelFigure{}
	err := x.st.View(ctx, func(tx *store.Tx) error {
		clear(out)
		for _, c := range connections {
			for _, m := range policy.Metrics {
				told, err := toldOf(tx, c, m, 1)
				if err != nil {
					return err
				}
				for _, v := range told {
					out[c] = append(out[c], ChannelFigure{v, m})
				}
			}
		}
		return nil
	})
	return out, errs.Wrap("ops.ChannelFigures", "", err)
}

// explainReconciled opens the channel's own figure of a day: shop "@" metric "@" day.
func (d *Desk) explainReconciled(ctx context.Context, v *view.Explain, id string) error {
	parts := strings.Split(id, "@")
	if len(parts) != 3 || !slices.Contains(policy.Metrics, policy.Metric(parts[1])) {
		return noFigure(v.Figure)
	}
	return d.look(ctx, "ops.Explain", id, func(tx *store.Tx) error {
		told, err := toldOf(tx, parts[0], policy.Metric(parts[1]), toldLooked)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(told, func(r view.Reconciled) bool { return string(r.Day) == parts[2] })
		if i < 0 {
			return noFigure(v.Figure)
		}
		r := told[i]
		rows, err := tx.ReconciledOrders(r.ID, -1, int64(r.N), "", explainRows)
		if err != nil {
			return err
		}
		v.At = r.ImportedAt
		describeReconciled(v, r)
		v.Rows = nil
		for _, row := range rows {
			o, err := differingOf(row, parts[0], time.UTC, d.x.now())
			if err != nil {
				return err
			}
			v.Rows = append(v.Rows, []view.Cell{{Text: o.Number, Ref: o.Ref}, {Text: o.Ours}, {Text: o.Theirs}, {Text: o.Cause}})
		}
		v.More = max(0, r.Differ-int64(len(rows)))
		return nil
	})
}

func describeReconciled(v *view.Explain, r view.Reconciled) {
	v.Title, v.Value, v.Level = r.Name+" as the channel says, to "+string(r.Day), share(policy.PPM(r.Their)), r.Level
	v.Formula = "theirs: what the export says; ours: the same days, counted when it was read"
	v.JudgedBy = "the export " + r.File
	ours := "not counted: no rule"
	if !r.NoRule {
		ours = number(r.Num) + " of " + number(r.Den)
	}
	v.Inputs = []view.Input{{Name: "Theirs", Value: r.TheirText, Text: string(r.From) + " to " + string(r.Day)}, {Name: "Ours", Value: ours, Text: "the same days"},
		{Name: "Differ", Value: number(r.Differ), Text: "open the comparison", Ref: view.Ref{Kind: view.KindReconciliation, ID: r.ID}}}
	v.Sentence = "No order is known on which the two sides differ."
	if r.Differ > 0 {
		v.Sentence = capital(plural(r.Differ, "order is", "orders are")) + " counted otherwise by the channel."
	}
	switch {
	case r.Unnamed > 0:
		v.Sentence += " The channel counts " + plural(r.Unnamed, "order", "orders") + " more against the shop that no list of its names."
	case r.Unnamed < 0:
		v.Sentence += " We count " + plural(-r.Unnamed, "order", "orders") + " more against the shop than the channel does, and no list tells which."
	}
	for _, c := range r.Explained {
		v.Inputs = append(v.Inputs, view.Input{Name: capital(c.Label), Value: number(c.N)})
	}
	if r.Unexplained > 0 {
		v.Inputs = append(v.Inputs, view.Input{Name: "Unexplained", Value: number(r.Unexplained)})
	}
	v.Columns = []view.Column{{Name: "Order"}, {Name: "Ours"}, {Name: "Theirs"}, {Name: "Because"}}
}
