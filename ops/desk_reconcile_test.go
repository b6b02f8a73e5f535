package ops

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// csvOf is a file of lines.
func csvOf(name string, lines ...string) view.Upload {
	return view.Upload{Name: name, Data: []byte(strings.Join(lines, "\n") + "\n")}
}

// sales are orders handed over on a day, of which the last was late.
func sales(n int, day time.Time) (out []aSale) {
	for i := range n {
		s := aSale{id: fmt.Sprintf("%d", 1001+i), carrier: "c1", sku: "MUG", node: "W1", placed: day.Add(-49 * time.Hour).Add(time.Duration(i) * time.Minute), late: -time.Hour, status: order.InTransit}
		if i == n-1 {
			s.late = 3 * time.Hour
		}
		out = append(out, s)
	}
	return out
}

// keptOf is all that is kept of a shop's reconciliations and account, to be compared with itself.
func keptOf(t *testing.T, d *Desk, shop string) (out []any) {
	t.Helper()
	err := d.x.st.View(t.Context(), func(tx *store.Tx) error {
		list, err := tx.Reconciliations(shop, time.Time{}, "", 100)
		if err != nil {
			return err
		}
		out = append(out, list)
		for _, r := range list {
			rates, err := tx.ReconciledRates(r.ID, 100)
			if err != nil {
				return err
			}
			orders, err := tx.ReconciledOrders(r.ID, -1, store.AnyRate, "", 100)
			if err != nil {
				return err
			}
			out = append(out, rates, orders)
		}
		ratings, err := tx.AccountRatings(shop, time.Unix(0, 0), 100)
		out = append(out, ratings)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAnExportIsSetBesideOurCountAndKept(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		ctx := t.Context()
		d, _ := judgedDesk(t, url, "a", "b")
		d.take(t, "a", sales(4, judgedDay.AddDate(0, 0, -3))...)
		if _, err := d.x.CountHealth(ctx); err != nil {
			t.Fatal(err)
		}
		draft := view.ReconcileDraft{Shop: "a", Actor: "mia", Files: []view.Upload{
			csvOf("performance.csv", "Metric,Rate,Start date,End date,Late orders,Total orders", "Late dispatch rate,50.00%,2026-03-13,2026-03-19,2,4", "Negative review rate,0.4%,2026-03-13,2026-03-19,,"),
			csvOf("C:\\exports\\violations.csv", "Order ID,Violation type,Violation date", "1004,Late dispatch,2026-03-17", "9999,Late dispatch,2026-03-17"),
			csvOf("ratings.csv", "Date,AHR", "2026-03-10,188", "2026-03-17,176"),
		}}
		before, err := d.Health(ctx, "a", "")
		if err != nil || gaugeNamed(t, before, "ldr").Their != nil {
			t.Fatalf("before: %+v, %v", gaugeNamed(t, before, "ldr").Their, err)
		}
		got, err := d.StartReconcile(ctx, draft)
		if err != nil || got.Again || !strings.Contains(got.Sentence, "1 order differs") || !strings.Contains(got.Sentence, "2 account ratings taken down") {
			t.Fatalf("%+v, %v", got, err)
		}
		v, err := d.Reconciliation(ctx, view.ReconciliationFilter{ID: got.ID, Rate: store.AnyRate})
		if err != nil || v.State != view.ReconcileDone || v.Actor != "mia" || len(v.Figures) != 1 || v.Files != "performance.csv, violations.csv, ratings.csv" || len(v.Taken) != 2 {
			t.Fatalf("%+v, %v", v, err)
		}
		r := v.Figures[0]
		if r.TheirText != "2 of 4" || r.Their != 500_000 || r.Num != 1 || r.Den != 4 || r.From != "2026-03-13" || r.Day != "2026-03-19" || r.Differ != 1 || r.Unnamed != 0 {
			t.Errorf("the figure %+v", r)
		}
		if len(v.Orders) != 1 || v.Orders[0].Number != "9999" || v.Orders[0].Ref != (view.Ref{}) || v.Orders[0].Place != "violations.csv, line 3" || v.Orders[0].Cause != "not known here" {
			t.Errorf("orders %+v", v.Orders)
		}
		if f := v.Each[0]; f.Rows != 2 || f.Taken != 1 || len(f.Others) != 1 {
			t.Errorf("rows are lost: %+v", f)
		}
		checkTheirs(t, d, got.ID)

		// The same again, under other names, changes nothing at all.
		kept := keptOf(t, d, "a")
		draft.Files[0].Name, draft.Actor = "again.csv", "ben"
		draft.Files[0], draft.Files[1] = draft.Files[1], draft.Files[0]
		again, err := d.StartReconcile(ctx, draft)
		if err != nil || !again.Again || again.ID != got.ID || again.Undo != "" {
			t.Errorf("again: %+v, %v", again, err)
		}
		if diff := cmp.Diff(kept, keptOf(t, d, "a")); diff != "" {
			t.Errorf("the same files twice: %s", diff)
		}
		// Ratings that are known, by an export or by hand, are not written twice.
		more := view.ReconcileDraft{Shop: "a", Actor: "mia", Files: []view.Upload{csvOf("later.csv", "Date,AHR", "2026-03-17,176", "2026-03-18,180")}}
		later, err := d.StartReconcile(ctx, more)
		if err != nil || !strings.Contains(later.Sentence, "1 account rating taken down, 1 account rating known already") {
			t.Errorf("%+v, %v", later, err)
		}
		if a := accountOf(t, d); len(a.Known) != 3 || a.Known[2].Source != "export" || a.Known[2].Value != 180 || !strings.Contains(a.Knows, "read from the export later.csv of mia") {
			t.Errorf("known %+v, %q", a.Known, a.Knows)
		}
		// What is taken back goes whole, and only that.
		if _, err := d.Undo(ctx, got.Undo, "mia"); err != nil {
			t.Fatal(err)
		}
		if a := accountOf(t, d); len(a.Known) != 1 || a.Known[0].Value != 180 {
			t.Errorf("after the undo: %+v", a.Known)
		}
		h, err := d.Health(ctx, "a", "")
		if err != nil || gaugeNamed(t, h, "ldr").Their != nil {
			t.Errorf("after the undo: %+v, %v", gaugeNamed(t, h, "ldr").Their, err)
		}
		if _, err := d.Undo(ctx, got.Undo, "mia"); !errs.Is(err, errs.NotFound) {
			t.Errorf("undone twice: %v", err)
		}
	})
}

func accountOf(t *testing.T, d *Desk) view.Account {
	t.Helper()
	v, err := d.Health(t.Context(), "a", "")
	if err != nil {
		t.Fatal(err)
	}
	return v.Account
}

// checkTheirs looks at every place where the channel's own figure is shown.
func checkTheirs(t *testing.T, d *Desk, id string) {
	t.Helper()
	ctx := t.Context()
	h, err := d.Health(ctx, "a", "")
	if err != nil {
		t.Fatal(err)
	}
	if r := gaugeNamed(t, h, "ldr").Their; r == nil || r.ID != id || r.Their != 500_000 || r.Day != "2026-03-19" {
		t.Errorf("the gauge says %+v", r)
	}
	page, err := d.Rate(ctx, view.RateFilter{Shop: "a", Metric: "ldr"})
	if err != nil || len(page.Reconciled) != 1 || page.Reconciled[0].ID != id {
		t.Errorf("the rate's page says %+v, %v", page.Reconciled, err)
	}
	e, err := d.Explain(ctx, view.FigureReconciled+"a@ldr@2026-03-19")
	if err != nil || e.Value != "50 %" || len(e.Rows) != 1 || e.Rows[0][0].Text != "9999" || e.Inputs[2].Ref != (view.Ref{Kind: view.KindReconciliation, ID: id}) {
		t.Errorf("opened it says %+v, %v", e, err)
	}
	if _, err := d.Explain(ctx, view.FigureReconciled+"a@ldr@2026-03-18"); !errs.Is(err, errs.NotFound) {
		t.Errorf("a day without a figure: %v", err)
	}
	list, err := d.Reconciliations(ctx, "a", "")
	if err != nil || len(list.Rows) != 1 || list.Rows[0].Told != 1 || list.Latest[0].Their == nil || list.Latest[1].Their != nil {
		t.Errorf("the list %+v, %v", list, err)
	}
	if other, err := d.Reconciliations(ctx, "b", ""); err != nil || len(other.Rows) != 0 {
		t.Errorf("another shop's list %+v, %v", other.Rows, err)
	}
	all, err := d.x.ChannelFigures(ctx, "a", "b")
	if err != nil || len(all["a"]) != 1 || len(all["b"]) != 0 || all["a"][0].Metric != "ldr" {
		t.Errorf("for programs: %+v, %v", all, err)
	}
}

// TestABadExportChangesNothing: whatever is wrong, nothing of it is taken, the reason can be read, and the mended file is.
func TestABadExportChangesNothing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		ctx := t.Context()
		d, _ := judgedDesk(t, url, "a")
		good := "2026-03-10,188"
		for name, c := range map[string]struct {
			files []view.Upload
			want  string // in what is told of it
		}{
			"a rating of a day to come":  {[]view.Upload{csvOf("r.csv", "Date,AHR", good, "2026-04-01,170")}, "not come yet"},
			"a rating outside the scale": {[]view.Upload{csvOf("r.csv", "Date,AHR", good, "2026-03-11,1700")}, "outside the scale from 0 to 1000"},
			"a rating that is none":      {[]view.Upload{csvOf("r.csv", "Date,AHR", good, "2026-03-11,much")}, "line 3"},
			"one good file and one bad":  {[]view.Upload{csvOf("r.csv", "Date,AHR", good), csvOf("o.csv", "Order ID,Created Time", "5.76461E+17,2026-03-10 10:00")}, "lost digits"},
			"a cell not quoted":          {[]view.Upload{csvOf("r.csv", "Date,AHR", good, "2026-03-11,1,70")}, "3 cells"},
			"no header":                  {[]view.Upload{csvOf("r.csv", "x,y", "1,2")}, "no export that is known"},
			"an open quote":              {[]view.Upload{csvOf("r.csv", "Date,AHR", good, `"2026-03-11,170`)}, "quote in line"},
			"a damaged workbook":         {[]view.Upload{{Name: "r.xlsx", Data: []byte("PK\x03\x04 and no more")}}, "r.xlsx"},
			"two figures of one week":    {[]view.Upload{csvOf("p.csv", "Metric,Rate,Start date,End date", "LDR,3%,2026-03-13,2026-03-19", "LDR,4%,2026-03-13,2026-03-19")}, "two figures"},
		} {
			before, err := d.StartReconcile(ctx, view.ReconcileDraft{Shop: "a", Actor: "mia", Files: c.files})
			if err != nil || before.Undo != "" {
				t.Errorf("%s: %+v, %v", name, before, err)
				continue
			}
			v, err := d.Reconciliation(ctx, view.ReconciliationFilter{ID: before.ID, Rate: store.AnyRate})
			if err != nil || v.State != view.ReconcileRefused {
				t.Errorf("%s: %s, %v", name, v.State, err)
			}
			if told := fmt.Sprintf("%+v", v); !strings.Contains(strings.ReplaceAll(told, "Line:", "line "), c.want) {
				t.Errorf("%s is told as %s", name, told)
			}
			if a := accountOf(t, d); len(a.Known) != 0 {
				t.Errorf("%s: %d ratings were taken of it", name, len(a.Known))
			}
			if got, err := d.x.ChannelFigures(ctx, "a"); err != nil || len(got["a"]) != 0 {
				t.Errorf("%s: figures %+v, %v", name, got, err)
			}
		}
		// With wrong rows left out the others count, and the same file is not the same request.
		in := view.ReconcileDraft{Shop: "a", Actor: "mia", SkipWrong: true, Files: []view.Upload{csvOf("r.csv", "Date,AHR", good, "2026-04-01,170", "2026-03-11,much")}}
		got, err := d.StartReconcile(ctx, in)
		if err != nil || got.Undo == "" {
			t.Fatalf("%+v, %v", got, err)
		}
		v, err := d.Reconciliation(ctx, view.ReconciliationFilter{ID: got.ID, Rate: store.AnyRate})
		if err != nil || len(v.Each) != 1 || v.Each[0].Taken != 1 || v.Each[0].Wrong != 2 || len(v.Each[0].Problems) != 2 || len(v.Taken) != 1 {
			t.Errorf("%+v, %v", v, err)
		}
		for name, bad := range map[string]view.ReconcileDraft{
			"no file": {Shop: "a", Actor: "m"}, "an empty file": {Shop: "a", Actor: "m", Files: []view.Upload{{Name: "x"}}}, "nobody": {Shop: "a", Files: in.Files},
			"an unknown metric": {Shop: "a", Actor: "m", Metric: "x", Files: in.Files}, "too many files": {Shop: "a", Actor: "m", Files: make([]view.Upload, view.MaxUploads+1)},
		} {
			if _, err := d.StartReconcile(ctx, bad); !errs.Is(err, errs.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := d.StartReconcile(ctx, view.ReconcileDraft{Shop: "none", Actor: "m", Files: in.Files}); !errs.Is(err, errs.NotFound) {
			t.Errorf("no such shop: %v", err)
		}
	})
}

// TestAReadingThatStoppedBeginsAnew: while one reads nobody else does, what is silent for minutes has stopped, and the same files are read again.
func TestAReadingThatStoppedBeginsAnew(t *testing.T) {
	ctx := t.Context()
	d, c := judgedDesk(t, "sqlite:"+t.TempDir()+"/desk.db", "a")
	in := view.ReconcileDraft{Shop: "a", Actor: "mia", Files: []view.Upload{csvOf("r.csv", "Date,AHR", "2026-03-10,188")}}
	a, err := d.asked(ctx, "test", in)
	if err != nil {
		t.Fatal(err)
	}
	r, began, err := a.Begin(ctx, d.x.st) // a process that dies now
	if err != nil || !began {
		t.Fatal(began, err)
	}
	if got, err := d.StartReconcile(ctx, in); err != nil || !got.Again || !strings.Contains(got.Sentence, "being read already") {
		t.Errorf("while it is read: %+v, %v", got, err)
	}
	c.set(c.now().Add(5 * time.Minute))
	v, err := d.Reconciliation(ctx, view.ReconciliationFilter{ID: r.ID})
	if err != nil || v.State != view.ReconcileStopped {
		t.Errorf("%s, %v", v.State, err)
	}
	if got, err := d.StartReconcile(ctx, in); err != nil || got.Again || got.ID != r.ID || got.Undo == "" {
		t.Errorf("anew: %+v, %v", got, err)
	}
	if a := accountOf(t, d); len(a.Known) != 1 {
		t.Errorf("known %+v", a.Known)
	}
	// Who is taken back while reading keeps nothing.
	in.Files[0].Data = append(in.Files[0].Data, []byte("2026-03-11,187\n")...)
	if a, err = d.asked(ctx, "test", in); err != nil {
		t.Fatal(err)
	}
	if r, began, err = a.Begin(ctx, d.x.st); err != nil || !began {
		t.Fatal(began, err)
	}
	if _, err := d.EndReconcile(ctx, r.ID, "mia"); err != nil {
		t.Fatal(err)
	}
	if said := d.reconcile(a, r); said != refusedText {
		t.Errorf("it says %q", said)
	}
	if a := accountOf(t, d); len(a.Known) != 1 {
		t.Errorf("of what was taken back: %+v", a.Known)
	}
}

func TestDeductionsAreModelled(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		ctx := t.Context()
		d, _ := judgedDesk(t, url, "a")
		if _, err := d.x.CountHealth(ctx); err != nil {
			t.Fatal(err)
		}
		points := view.DeductionDraft{ID: "p1", Shop: "a", Day: "2026-03-15", Points: 20, Reason: "late dispatch", Note: "appeal until May", Actor: "mia"}
		p, err := d.PreviewDeduction(ctx, points)
		if err != nil || p.Refused != "" || !strings.Contains(p.Sentence, "once a value of the account is taken down") {
			t.Fatalf("without a value: %+v, %v", p, err)
		}
		if _, err := d.SetAccount(ctx, view.AccountDraft{ID: "v", Shop: "a", Value: 190, Day: "2026-03-10", Actor: "mia"}); err != nil {
			t.Fatal(err)
		}
		if p, err = d.PreviewDeduction(ctx, points); err != nil || p.Changes[0].From != "190 to 1,000" || p.Changes[0].To != "170 to 1,000" || !strings.Contains(p.Sentence, "taken off the 190 seen on 10 Mar") {
			t.Errorf("%+v, %v", p, err)
		}
		done, err := d.AddDeduction(ctx, points)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := d.AddDeduction(ctx, points); err != nil || again != done {
			t.Errorf("again: %+v, %v", again, err)
		}
		other := points
		other.Points = 30
		if _, err := d.AddDeduction(ctx, other); !errs.Is(err, errs.Conflict) {
			t.Errorf("the form for other points: %v", err)
		}
		// Points of before the value are in it, and come back when they lapse.
		old := view.DeductionDraft{ID: "p0", Shop: "a", Day: "2025-10-01", Points: 7, Reason: "old", Actor: "mia"}
		if _, err := d.AddDeduction(ctx, old); err != nil {
			t.Fatal(err)
		}
		a := accountOf(t, d)
		if a.Low != 170 || len(a.Deductions) != 2 || a.Deductions[0].ID != "p1" || a.Deductions[0].Note != "appeal until May" || a.Deductions[0].By != "mia" || a.Deductions[0].Lapses != "2026-09-11" {
			t.Errorf("account %+v", a)
		}
		if text := a.Deductions[1].Text; !strings.Contains(text, "is in the 190 seen on 10 Mar, and comes back on 30 Mar") {
			t.Errorf("of an old one: %q", text)
		}
		if !strings.HasPrefix(a.Knows, "190 on 10 Mar") || len(a.Changes) == 0 || a.Changes[0].Low != -20 {
			t.Errorf("known %q, changes %+v", a.Knows, a.Changes)
		}
		if p, err = d.PreviewDeductionEnd(ctx, "p1"); err != nil || p.Changes[0].To != "190 to 1,000" {
			t.Errorf("%+v, %v", p, err)
		}
		back, err := d.RemoveDeduction(ctx, "p1", "ben")
		if err != nil || accountOf(t, d).Low != 190 {
			t.Errorf("taken back: %v", err)
		}
		if _, err := d.RemoveDeduction(ctx, "p1", "ben"); !errs.Is(err, errs.NotFound) {
			t.Errorf("twice: %v", err)
		}
		if _, err := d.Undo(ctx, back.Undo, "ben"); err != nil || accountOf(t, d).Low != 170 {
			t.Errorf("undone: %v", err)
		}
		if _, err := d.Undo(ctx, done.Undo, "ben"); err != nil || accountOf(t, d).Low != 190 {
			t.Errorf("taken back by undo: %v", err)
		}
		for name, bad := range map[string]view.DeductionDraft{"no points": {ID: "x", Shop: "a", Day: "2026-03-15", Reason: "r", Actor: "m"}, "a day to come": {ID: "x", Shop: "a", Day: "2026-03-21", Points: 1, Reason: "r", Actor: "m"},
			"no reason": {ID: "x", Shop: "a", Day: "2026-03-15", Points: 1, Reason: " ", Actor: "m"}, "long ago": {ID: "x", Shop: "a", Day: "2024-01-01", Points: 1, Reason: "r", Actor: "m"},
			"beyond the scale": {ID: "x", Shop: "a", Day: "2026-03-15", Points: 1001, Reason: "r", Actor: "m"}} {
			if p, err := d.PreviewDeduction(ctx, bad); err != nil || p.Refused == "" {
				t.Errorf("%s: %+v, %v", name, p, err)
			}
			if _, err := d.AddDeduction(ctx, bad); !errs.Is(err, errs.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
