package storybook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// The comparisons of the story: one that explains everything, one that is being read, one of a damaged file.
const (
	explainedRun, readingRun, refusedRun, stoppedRun = "explained", "reading", "refused", "stopped"
)

// compareExports tells what was compared before one looks.
func (b *Book) compareExports() {
	s, _ := storyOf("clip-north")
	figures := b.reconciled(s, meters[0])
	first := view.Reconciliation{ReconciliationRow: view.ReconciliationRow{ID: explainedRun, At: figures[0].ImportedAt, Actor: "mia@nordlicht.example", Files: figures[0].File + ", violations.csv",
		State: view.ReconcileDone, From: figures[0].From, To: figures[0].Day, Told: 1, Rates: 2, Differ: 6, Unexplained: 1, Ratings: 2, Text: "2 rates compared, 6 orders differ, 1 of them unexplained", Level: view.Watch},
		Outside: 1, LeftOut: 0, Known: 1, Taken: []view.AccountValue{{Day: b.dayBack(12), Value: 181, By: "mia@nordlicht.example", Source: "export", Note: "ratings.csv"}},
		Each: []view.ReconciledFile{{Name: figures[0].File, Kind: "performance", Rows: 3, Taken: 1, Others: []view.Count{{ID: "n", Label: "Negative review rate", N: 2}}},
			{Name: "violations.csv", Kind: "violations", Rows: 41, Taken: 40, Wrong: 1, Unread: []string{"Buyer", "Appeal status"},
				Problems: []view.FileProblem{{File: "violations.csv", Line: 17, Field: "order", Value: "5.76461E+17", Text: "was stored as a number and lost digits: export it again, and do not save it with a spreadsheet program in between"}}}},
	}
	ldr, otdr := figures[0], figures[0]
	otdr.N, otdr.Metric, otdr.Name, otdr.Told, otdr.Differ, otdr.Unexplained, otdr.Unnamed = 1, "otdr", "On-time delivery", false, 2, 1, 0
	otdr.Num, otdr.Den, otdr.Explained = 868, 951, []view.Count{{ID: "not_in_file", Label: "not in the channel's file", N: 1}}
	first.Figures = []view.Reconciled{ldr, otdr}
	first.Causes = []view.Count{{ID: "unknown_here", Label: "not known here", N: 1}, {ID: "not_in_file", Label: "not in the channel's file", N: 1}, {ID: "time", Label: "a time differs", N: 2}, {ID: "deadline", Label: "the deadline differs", N: 1}, {ID: "unexplained", Label: "unexplained", N: 1}, {ID: "outside_periods", Label: "in no period compared", N: 1}}
	at := func(n int) view.Ref {
		return view.Ref{Kind: view.KindOrder, ID: fmt.Sprintf("clip-north:57718000%04d", n)}
	}
	first.Orders = []view.DifferingOrder{
		{Number: "577180003000", Ref: at(3000), Metric: "Late dispatch", Ours: "against the shop", Theirs: "fine", Cause: "a time differs", Text: "handed to the carrier: 13 Nov 18:20 here, 13 Nov 16:41 there, 99 min earlier there", Day: ldr.Day, Place: "violations.csv, line 4"},
		{Number: "577180003001", Ref: at(3001), Metric: "Late dispatch", Ours: "against the shop", Theirs: "fine", Cause: "a time differs", Text: "handed to the carrier: 12 Nov 19:02 here, 12 Nov 16:58 there, 2 h earlier there", Day: ldr.Day, Place: "violations.csv, line 9"},
		{Number: "577180003002", Ref: at(3002), Metric: "Late dispatch", Ours: "fine", Theirs: "against the shop", Cause: "the deadline differs", Text: "the deadline it is held against: 14 Nov 17:00 here, before 14 Nov 16:12 there. They say: late dispatch", Day: ldr.Day, Place: "violations.csv, line 12"},
		{Number: "577180009911", Metric: "Late dispatch", Ours: "not known here", Theirs: "against the shop", Cause: "not known here", Text: "They say: no carrier scan", Place: "violations.csv, line 31"},
		{Number: "577180002000", Ref: at(2000), Metric: "On-time delivery", Ours: "fine", Theirs: "not in the file", Cause: "not in the channel's file", Day: ldr.Day},
		{Number: "577180002001", Ref: at(2001), Metric: "On-time delivery", Ours: "fine", Theirs: "against the shop", Cause: "unexplained", Text: "They say: delivered late", Day: ldr.Day, Place: "violations.csv, line 38"},
		{Number: "577170001187", Ref: at(2002), Ours: "not counted", Theirs: "against the shop", Cause: "in no period compared", Text: "They say: late dispatch", Place: "violations.csv, line 40"},
	}
	now := b.opened
	b.compared = []*view.Reconciliation{
		{ReconciliationRow: view.ReconciliationRow{ID: readingRun, At: now.Add(-20 * time.Second), Actor: "mia@nordlicht.example", Files: "orders-november.xlsx", State: view.ReconcileReading, Text: "being read"}, Read: 84_000, Looked: 12_000},
		{ReconciliationRow: view.ReconciliationRow{ID: refusedRun, At: now.Add(-26 * time.Hour), Actor: "jonas@nordlicht.example", Files: "spoilt.csv", State: view.ReconcileRefused, Text: "refused: nothing was taken", Level: view.Bad}, Refused: "Nothing was compared, and nothing was changed.",
			Each: []view.ReconciledFile{{Name: "spoilt.csv", Kind: "orders", Rows: 812, Taken: 809, Wrong: 3, Problems: []view.FileProblem{
				{File: "spoilt.csv", Line: 2, Field: "order", Value: "5.76461E+17", Text: "was stored as a number and lost digits: export it again, and do not save it with a spreadsheet program in between"},
				{File: "spoilt.csv", Line: 88, Field: "created_at", Text: "is empty and is needed"},
				{File: "spoilt.csv", Line: 140, Text: "has 9 cells where the header has 8; is a comma not quoted?"}}}}},
		{ReconciliationRow: view.ReconciliationRow{ID: stoppedRun, At: now.Add(-50 * time.Hour), Actor: "jonas@nordlicht.example", Files: "orders-october.xlsx", State: view.ReconcileStopped, Text: "stopped before it was done", Level: view.Watch}},
		&first,
	}
	for _, r := range b.compared {
		r.Shop = view.ShopStanding{ID: "clip-north", Name: channelNames["clip-north"], Market: "US"}
	}
}

func (b *Book) comparison(id string) (*view.Reconciliation, error) {
	for _, r := range b.compared {
		if r.ID == id {
			return r, nil
		}
	}
	return nil, errs.New(errs.NotFound, "storybook.Reconciliation", id, "There is no such comparison. It was taken back, or is older than what is kept.")
}

// Reconciliations lists the comparisons of a shop.
func (b *Book) Reconciliations(ctx context.Context, shop, _ string) (view.Reconciliations, error) {
	h, err := b.Health(ctx, shop, "")
	if err != nil {
		return view.Reconciliations{}, err
	}
	unlock, err := b.lock()
	if err != nil {
		return view.Reconciliations{}, err
	}
	defer unlock()
	v := view.Reconciliations{At: b.now(), Shops: h.Shops, Shop: h.Shop}
	if len(h.Gauges) == 0 {
		v.NoRules = h.Shop.Text
		return v, nil
	}
	for _, g := range h.Gauges {
		v.Latest = append(v.Latest, view.TheirNow{Metric: g.Metric, Name: g.Short, Their: g.Their})
		v.Metrics = append(v.Metrics, view.Option{ID: g.Metric, Label: g.Short})
	}
	for _, r := range b.compared {
		if r.Shop.ID == h.Shop.ID {
			v.Rows = append(v.Rows, r.ReconciliationRow)
		}
	}
	return v, nil
}

// Reconciliation is one comparison.
func (b *Book) Reconciliation(_ context.Context, f view.ReconciliationFilter) (view.Reconciliation, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Reconciliation{}, err
	}
	defer unlock()
	r, err := b.comparison(f.ID)
	if err != nil {
		return view.Reconciliation{}, err
	}
	v := *r
	v.Now, v.Filter, v.Orders = b.now(), f, nil
	for _, o := range r.Orders {
		name := ""
		if f.Rate >= 0 && f.Rate < len(r.Figures) {
			name = r.Figures[f.Rate].Name
		}
		cause := slices.IndexFunc(r.Causes, func(c view.Count) bool { return c.ID == f.Cause })
		if f.Rate != -2 && o.Metric != name || f.Cause != "" && (cause < 0 || r.Causes[cause].Label != o.Cause) {
			continue
		}
		v.Orders = append(v.Orders, o)
	}
	return v, nil
}

// StartReconcile takes files in. In the story a file whose name begins with "spoilt" has wrong rows, one that begins with "long" is read for ever, and
// all others bring a figure of late dispatch.
func (b *Book) StartReconcile(_ context.Context, d view.ReconcileDraft) (view.ReconcileStarted, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(d.Files) == 0 {
		return view.ReconcileStarted{}, errs.New(errs.Invalid, "storybook.StartReconcile", d.Shop, "Choose a file first: an export of Seller Center, as CSV or XLSX.")
	}
	h := sha256.New()
	var names []string
	for _, f := range d.Files {
		h.Write(f.Data)
		names = append(names, f.Name)
	}
	id := hex.EncodeToString(h.Sum(nil)[:6])
	if r, err := b.comparison(id); err == nil && r.State == view.ReconcileDone {
		return view.ReconcileStarted{ID: id, Again: true, Sentence: "These files were compared before. Nothing was changed."}, nil
	}
	s, ok := storyOf(d.Shop)
	if !ok {
		return view.ReconcileStarted{}, errs.New(errs.NotFound, "storybook.StartReconcile", d.Shop, "There is no shop %s.", d.Shop)
	}
	r := view.Reconciliation{ReconciliationRow: view.ReconciliationRow{ID: id, At: b.now(), Actor: d.Actor, Files: strings.Join(names, ", "), State: view.ReconcileDone, Told: 1, Rates: 1, Text: "1 rate compared, no order differs", Level: view.Good},
		Shop: view.ShopStanding{ID: s.id, Name: channelNames[s.id], Market: s.market}}
	r.Each = []view.ReconciledFile{{Name: names[0], Kind: "performance", Rows: 1, Taken: 1}}
	out := view.ReconcileStarted{ID: id, Sentence: "1 rate compared, no order differs.", Undo: "reconciliation " + id}
	switch {
	case strings.HasPrefix(names[0], "spoilt") && !d.SkipWrong:
		r.State, r.Text, r.Level, r.Refused, r.Told, r.Rates = view.ReconcileRefused, "refused: nothing was taken", view.Bad, "Nothing was compared, and nothing was changed.", 0, 0
		r.Each = []view.ReconciledFile{{Name: names[0], Kind: "performance", Rows: 1, Wrong: 1, Problems: []view.FileProblem{{File: names[0], Line: 2, Field: "value", Value: "a lot", Text: "is no share"}}}}
		out.Sentence, out.Undo = "Nothing was taken of these files.", ""
	case strings.HasPrefix(names[0], "long"):
		r.State, r.Text, r.Told, r.Rates, r.Level, r.Read = view.ReconcileReading, "being read", 0, 0, "", 2_000
		out.Sentence, out.Undo = "The files are being read.", ""
	default:
		f := b.windowFigure(s, meters[0])
		f.ID, f.File = id, names[0]
		r.Figures, r.From, r.To = []view.Reconciled{f}, f.From, f.Day
	}
	b.compared = append([]*view.Reconciliation{&r}, b.compared...)
	b.tell(view.TopicReconcile, view.TopicHealth+":"+d.Shop)
	return out, nil
}

// windowFigure is the channel agreeing with what is counted.
func (b *Book) windowFigure(s shopStory, m meter) view.Reconciled {
	against, of := b.windowCount(s, m, 0)
	return view.Reconciled{Metric: m.id, Name: m.short, Day: b.dayBack(0), From: b.dayBack(m.days - 1), Num: against, Den: of, Told: true, Their: view.PPM(against * 1_000_000 / max(1, of)),
		TheirText: fmt.Sprintf("%d of %d", against, of), TheirNum: against, TheirDen: of, ImportedAt: b.now(), Level: view.Good}
}

// ReadOn lets a long file be read to its end.
func (b *Book) ReadOn(id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.comparison(id)
	if err != nil {
		return err
	}
	s, _ := storyOf(r.Shop.ID)
	f := b.windowFigure(s, meters[0])
	f.ID = id
	r.State, r.Text, r.Told, r.Rates, r.Level, r.Figures = view.ReconcileDone, "1 rate compared, no order differs", 1, 1, view.Good, []view.Reconciled{f}
	b.tell(view.TopicReconcile+":"+id, view.TopicReconcile)
	return nil
}

// PreviewReconcileEnd works out what goes with a comparison.
func (b *Book) PreviewReconcileEnd(_ context.Context, id string) (view.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.comparison(id)
	if err != nil {
		return view.Preview{}, err
	}
	v := view.Preview{Sentence: "The comparison of " + r.Files + " goes, with what it says of orders.", Undo: "There is no undo: upload the files again."}
	if r.Told > 0 {
		v.Changes = []view.Change{{What: "Figures of the channel’s own", From: fmt.Sprint(r.Told), To: "0", Why: "the newest of another import take their place"}}
	}
	return v, nil
}

// EndReconcile takes a comparison back.
func (b *Book) EndReconcile(_ context.Context, id, _ string) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, err := b.comparison(id); err != nil {
		return view.Done{}, err
	}
	b.compared = slices.DeleteFunc(b.compared, func(r *view.Reconciliation) bool { return r.ID == id })
	b.tell(view.TopicReconcile, view.TopicReconcile+":"+id)
	return view.Done{Sentence: "The comparison is taken back, with all it brought."}, nil
}

// PreviewDeduction works out what points taken do to what is modelled.
func (b *Book) PreviewDeduction(_ context.Context, d view.DeductionDraft) (view.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := storyOf(d.Shop)
	switch {
	case !ok:
		return view.Preview{}, errs.New(errs.NotFound, "storybook.PreviewDeduction", d.Shop, "There is no shop %s.", d.Shop)
	case b.back(d.Day) < 0:
		return view.Preview{Refused: "That day has not come yet."}, nil
	case d.Points > 1000:
		return view.Preview{Refused: "Points taken are between 1 and 1,000."}, nil
	}
	a := b.account(s)
	return view.Preview{Sentence: fmt.Sprintf("%d points taken on %s enter what is modelled.", d.Points, d.Day), Undo: "It can be taken back.",
		Changes: []view.Change{{What: a.Name + " today", From: fmt.Sprintf("%d to %d", a.Low, a.High), To: fmt.Sprintf("%d to %d", a.Low-d.Points, a.High-d.Points), Why: "modelled; what the channel’s page shows is known only when you take it down"}}}, nil
}

// AddDeduction keeps points that were taken.
func (b *Book) AddDeduction(_ context.Context, d view.DeductionDraft) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if old, ok := b.done[d.ID]; ok {
		return old, nil
	}
	row := view.AccountDeduction{ID: d.ID, Day: d.Day, Points: d.Points, Reason: d.Reason, Note: d.Note, By: d.Actor, Lapses: b.dayBack(b.back(d.Day) - accountDays),
		Text: "taken off the 181 seen on 9 Nov, and comes back on " + string(b.dayBack(b.back(d.Day)-accountDays))}
	b.taken = append([]view.AccountDeduction{row}, b.taken...)
	undo := "deduction " + d.ID
	b.before[undo] = func() { b.dropDeduction(d.ID) }
	b.done[d.ID] = view.Done{Sentence: fmt.Sprintf("%d points taken on %s are taken down.", d.Points, d.Day), Undo: undo}
	b.tell(view.TopicHealth + ":" + d.Shop)
	return b.done[d.ID], nil
}

func (b *Book) dropDeduction(id string) {
	b.taken = slices.DeleteFunc(b.taken, func(x view.AccountDeduction) bool { return x.ID == id })
	b.tell(view.TopicHealth + ":clip-north")
}

// PreviewDeductionEnd works out what taking points back does.
func (b *Book) PreviewDeductionEnd(_ context.Context, id string) (view.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, x := range b.taken {
		if x.ID == id {
			return view.Preview{Sentence: fmt.Sprintf("%d points taken for “%s” do not count any more: an appeal was won, or they were entered by mistake.", x.Points, x.Reason), Undo: "It can be undone."}, nil
		}
	}
	return view.Preview{}, errs.New(errs.NotFound, "storybook.PreviewDeductionEnd", id, "There is no such deduction.")
}

// RemoveDeduction takes points back.
func (b *Book) RemoveDeduction(_ context.Context, id, _ string) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.taken, func(x view.AccountDeduction) bool { return x.ID == id })
	if i < 0 {
		return view.Done{}, errs.New(errs.NotFound, "storybook.RemoveDeduction", id, "There is no such deduction.")
	}
	row, undo := b.taken[i], "deduction-again "+id
	b.before[undo] = func() {
		b.taken = append([]view.AccountDeduction{row}, b.taken...)
		b.tell(view.TopicHealth + ":clip-north")
	}
	b.dropDeduction(id)
	return view.Done{Sentence: fmt.Sprintf("%d points are taken back.", row.Points), Undo: undo}, nil
}
