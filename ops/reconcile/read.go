package reconcile

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	compare "github.com/spillway/spillway/domain/reconcile"

	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
)

// Options say how files are to be read. They hold for all of them.
type Options struct {
	Kind      Kind              // empty: by the columns
	Map       map[string]string // field to column, where the names do not say it
	Delimiter rune              // zero: what the first line has most of: comma, semicolon or tab
	Sheet     string            // of a workbook; empty: the first
	Zone      *time.Location    // of times without an offset; nil: UTC
	DayFirst  bool              // 03/04/2026 is 3 April
	Bare      string            // what shares without a percent sign are: "percent" or "fraction"; empty: refused
	Metric    policy.Metric     // of files without a column for it
	SkipWrong bool              // rows that are wrong are told and left out, instead of refusing the files

	Seen func(rows int64) error // told of every seenRows read; an error ends the reading. nil: nobody asks
}

// Content is what files hold.
type Content struct {
	Theirs  compare.Theirs
	Ratings []Rating // by day
	Files   []FileReport
}

// Rating is the account's rating on a day.
type Rating struct {
	Day   policy.Day    `json:"day"`
	Value int64         `json:"value"`
	Place compare.Place `json:"place,omitzero"`
}

// FileReport says what became of each row of a file: Rows = Taken + Wrong + Blank + Described + Other.
type FileReport struct {
	Name      string         `json:"name"`
	Kind      Kind           `json:"kind"`
	Rows      int            `json:"rows"` // below the header
	Taken     int            `json:"taken"`
	Wrong     int            `json:"wrong"`
	Blank     int            `json:"blank,omitzero"`
	Described int            `json:"described,omitzero"` // a second line that explains the columns
	Other     int            `json:"other,omitzero"`     // of metrics that are not compared
	Metrics   map[string]int `json:"metrics,omitempty"`  // those, by name
	Above     int            `json:"above,omitzero"`     // lines above the header
	Unread    []string       `json:"unread,omitempty"`   // columns no field reads
	Problems  []Problem      `json:"problems,omitempty"` // of the wrong rows, the first of them
	More      int            `json:"more,omitzero"`
}

// maxAbove lines may stand above the header: titles and notes.
const maxAbove = 20

const (
	// maxRating is above any account's.
	maxRating = 10_000
	// maxRatings days of ratings are read: channels look back half a year.
	maxRatings = 1_000
	// seenRows is how often Options.Seen is told.
	seenRows = 1_000
)

// Read reads files, all or none. Errors: Invalid with a *Problems as cause. With SkipWrong, rows that are wrong are in the reports only; a file that
// cannot be read to its end, or has no header that is known, is refused all the same.
func Read(files []File, o Options) (Content, error) {
	if why := checkMap(o.Map); why != "" {
		return Content{}, errs.New(errs.Invalid, "reconcile.Read", "map", "%s", why)
	}
	if o.Delimiter == '"' || o.Delimiter == '\n' || o.Delimiter == '\r' || o.Delimiter == 0xFFFD {
		return Content{}, errs.New(errs.Invalid, "reconcile.Read", "delimiter", "%q cannot part cells", o.Delimiter)
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	var out Content
	wrong := &Problems{}
	g := newGatherer()
	for _, f := range files {
		r := &reader{o: &o, out: &out, orders: g, report: FileReport{Name: f.Name}, form: time.RFC3339}
		fatal := r.file(f)
		out.Files = append(out.Files, r.report)
		if s, ok := errors.AsType[stopped](fatal); ok {
			return Content{}, s.error
		}
		if !o.SkipWrong {
			wrong.Shown, wrong.More = append(wrong.Shown, r.report.Problems...), wrong.More+r.report.More
		}
		if fatal != nil {
			wrong.Shown = append(wrong.Shown, Problem{File: f.Name, Text: fatal.Error()})
		}
	}
	if err := wrong.err(); err != nil {
		return Content{Files: out.Files}, err
	}
	out.Theirs.Rows = g.rows()
	slices.SortStableFunc(out.Ratings, func(a, b Rating) int { return int(a.Day) - int(b.Day) })
	return out, nil
}

// stopped is the error of who asked for no more.
type stopped struct{ error }

// reader reads one file.
type reader struct {
	o      *Options
	out    *Content
	orders *gatherer
	report FileReport
	at     map[string]int
	width  int    // cells of the header; of a workbook 0: its rows end with their last cell
	why    string // why no line so far is the header
	csv    bool
	form   string // see row
}

func (r *reader) file(f File) error {
	data, err := content(f)
	if err != nil {
		return err
	}
	r.csv = !bytes.HasPrefix(data, []byte("PK\x03\x04"))
	if err := eachLine(data, *r.o, r.line); err != nil {
		return err
	}
	switch {
	case r.at == nil && r.why == "":
		return fault("is empty; a line must name the columns")
	case r.at == nil:
		return fault(r.why)
	}
	return nil
}

func (r *reader) line(l line) error {
	if r.at == nil {
		return r.findHeader(l)
	}
	r.report.Rows++
	if r.o.Seen != nil && r.report.Rows%seenRows == 0 {
		if err := r.o.Seen(seenRows); err != nil {
			return stopped{err}
		}
	}
	if l.blank() {
		r.report.Blank++
		return nil
	}
	w := &row{line: l, at: r.at, o: r.o, file: r.report.Name, form: &r.form}
	if r.report.Rows == 1 && w.describes() {
		r.report.Described++
		return nil
	}
	if n := len(l.cells); r.csv && n != r.width || n > r.width && !(line{cells: l.cells[r.width:]}).blank() {
		w.bad("", "has %d cells where the header has %d; is a comma not quoted?", n, r.width)
	} else if r.take(w) {
		return nil
	}
	if len(w.wrong) == 0 {
		return nil // of a metric that is not compared
	}
	r.report.Wrong++
	for _, p := range w.wrong {
		if len(r.report.Problems) == maxProblems {
			r.report.More++
			continue
		}
		r.report.Problems = append(r.report.Problems, p)
	}
	return nil
}

func (r *reader) findHeader(l line) error {
	if l.blank() {
		r.report.Above++
		return nil
	}
	kind, at, why := header(l, *r.o)
	if why == "" {
		r.report.Kind, r.at, r.width = kind, at, len(l.cells)
		for i, c := range l.cells {
			if !slices.Contains(slices.Collect(maps.Values(at)), i) && strings.TrimSpace(c.text) != "" {
				r.report.Unread = append(r.report.Unread, excerpt(c.text))
			}
		}
		return nil
	}
	if r.why == "" || len(l.cells) > r.width { // the widest line was meant
		r.why, r.width = why+"; the columns are "+listed(l.cells), len(l.cells)
	}
	if r.report.Above++; r.report.Above > maxAbove {
		return fault(r.why)
	}
	return nil
}

func listed(cells []cell) string {
	const most = 30
	var out []string
	for _, c := range cells[:min(len(cells), most)] {
		out = append(out, `"`+excerpt(c.text)+`"`)
	}
	return strings.Join(out, ", ")
}

// describes reports whether the row explains the columns in words, as some exports do below their header.
func (r *row) describes() bool {
	id, _ := r.get("order")
	created, _ := r.get("created_at")
	if id == "" || !strings.Contains(id, " ") || strings.ContainsAny(id, "0123456789") {
		return false
	}
	_, ok := r.parse(created)
	return !ok
}

// take reads the row by the kind of its file; false: it is wrong, or of no interest.
func (r *reader) take(w *row) bool {
	place := compare.Place{File: r.report.Name, Line: w.n}
	ok := false
	switch r.report.Kind {
	case Orders:
		ok = r.orders.add(w, place)
	case Violations:
		ok = r.violation(w, place)
	case Performance:
		ok = r.figure(w, place)
	case Ratings:
		ok = r.rating(w, place)
	}
	if ok {
		r.report.Taken++
	}
	return ok
}

// metric reads the metric of a row; false: it is counted as one that is not compared, or told as wrong.
func (r *reader) metric(w *row) (policy.Metric, bool) {
	text, _ := w.get("metric")
	if _, has := w.at["metric"]; !has && r.o.Metric != "" {
		return r.o.Metric, true
	}
	if text == "" {
		w.bad("metric", "is empty and is needed")
		return "", false
	}
	m, ok := metricOf(text)
	if !ok {
		if r.report.Metrics == nil {
			r.report.Metrics = map[string]int{}
		}
		const most = 100 // names kept
		if name := excerpt(text); len(r.report.Metrics) < most || r.report.Metrics[name] > 0 {
			r.report.Metrics[name]++
		}
		r.report.Other++
	}
	return m, ok
}

func (r *reader) violation(w *row, place compare.Place) bool {
	m, ok := r.metric(w)
	if !ok {
		return false
	}
	l := compare.Listed{Metric: m, OrderID: w.id(), Day: w.day("day"), Reason: w.text("reason", maxWhy), Place: place}
	if len(w.wrong) > 0 {
		return false
	}
	r.out.Theirs.Listed = append(r.out.Theirs.Listed, l)
	return true
}

func (r *reader) figure(w *row, place compare.Place) bool {
	m, ok := r.metric(w)
	if !ok {
		return false
	}
	text, _ := w.get("value")
	f := compare.Figure{Metric: m, From: w.day("from"), To: w.day("to"), Text: excerpt(text), Place: place}
	if from, to := w.period(); to != 0 {
		f.From, f.To = from, to
	}
	if f.To == 0 {
		f.To = w.day("day")
	}
	var told bool
	f.Share, f.Num, f.Den, told = w.share()
	num, ok1 := w.whole("numerator", maxCount)
	den, ok2 := w.whole("denominator", maxCount)
	if ok1 && ok2 {
		f.Num, f.Den = num, den
	}
	switch {
	case len(w.wrong) > 0:
	case f.To == 0 || f.From > f.To:
		w.bad("to", "is no day, or before the first one")
	case f.Num > f.Den:
		w.bad("numerator", "is more than the denominator")
	case !told && !(ok1 && ok2 && f.Den > 0):
		w.bad("value", "is empty, and there are no counts either")
	}
	if len(w.wrong) > 0 {
		return false
	}
	if !told {
		f.Share = policy.PPM(f.Num * 1_000_000 / f.Den)
	}
	r.out.Theirs.Figures = append(r.out.Theirs.Figures, f)
	return true
}

func (r *reader) rating(w *row, place compare.Place) bool {
	day := w.day("day")
	n, told := w.whole("rating", maxRating)
	if len(w.wrong) == 0 && day == 0 {
		w.bad("day", "is empty and is needed")
	}
	if len(w.wrong) == 0 && !told {
		w.bad("rating", "is empty and is needed")
	}
	if len(w.wrong) == 0 && len(r.out.Ratings) == maxRatings {
		w.bad("rating", "is one of more than %d: export a shorter period", maxRatings)
	}
	for _, old := range r.out.Ratings {
		if len(w.wrong) == 0 && old.Day == day && old.Value != n {
			w.bad("rating", "is another rating of the day in line %d of %s", old.Place.Line, old.Place.File)
		}
	}
	if len(w.wrong) > 0 {
		return false
	}
	r.out.Ratings = append(r.out.Ratings, Rating{Day: day, Value: n, Place: place})
	return true
}
