package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Report is what one bench found, on what machine, with what versions and settings: the same for every bench. A reader gets it as tables, a program as JSON.
type Report struct {
	Bench    string            `json:"bench"`
	Began    time.Time         `json:"began"`
	Seconds  float64           `json:"seconds"`
	Machine  Machine           `json:"machine"`
	Versions map[string]string `json:"versions"`
	Settings map[string]any    `json:"settings"` // the flags, and as engine.name what an engine was set to
	LeftOut  []string          `json:"left_out,omitempty"`
	Tables   []*Table          `json:"tables"`
	Missed   int               `json:"bars_missed"`
	Failed   string            `json:"failed,omitempty"` // why: what was lost or sold twice, or what kept the bench from its end
}

// Table is some of a report's figures. Its name is of one or two words and stays, for programs that look for it.
type Table struct {
	Name string `json:"name"`
	Rows []*Row `json:"rows"`
	head []string
	told bool // the reader has seen these figures in another form
}

// Row is what was measured of one thing. Durations are in the unit that the figure's name ends with.
type Row struct {
	What    string         `json:"what"`
	Figures map[string]any `json:"figures,omitempty"`
	Runs    []pour         `json:"runs,omitempty"` // of which the figures are medians
	Bar     string         `json:"bar,omitempty"`
	OK      *bool          `json:"ok,omitempty"` // whether the bar was reached; nil: none is set
	cells   []string
}

// NewReport starts a report of this machine. version is the program's.
func NewReport(bench, version string, settings map[string]any) *Report {
	r := &Report{Bench: bench, Began: time.Now().UTC(), Machine: thisMachine(), Versions: buildVersions(version), Settings: map[string]any{}}
	maps.Copy(r.Settings, settings)
	return r
}

// End says that the bench is over, and how it went.
func (r *Report) End(err error) {
	r.Tables = slices.DeleteFunc(r.Tables, func(t *Table) bool { return len(t.Rows) == 0 })
	r.Seconds = rounded(time.Since(r.Began).Seconds())
	if r.Missed = r.missed(); err != nil {
		r.Failed = err.Error()
	}
}

func (r *Report) missed() (n int) {
	for _, t := range r.Tables {
		for _, row := range t.Rows {
			if row.OK != nil && !*row.OK {
				n++
			}
		}
	}
	return n
}

// judge fails where bars count and one was missed.
func (r *Report) judge(op string, strict bool) error {
	if n := r.missed(); strict && n > 0 {
		return errs.New(errs.Conflict, op, "", "%d bars were missed", n)
	}
	return nil
}

// table adds a table. Without a head it has none.
func (r *Report) table(name string, head ...string) *Table {
	t := &Table{Name: name, head: head}
	r.Tables = append(r.Tables, t)
	return t
}

// leave says what could not be measured here.
func (r *Report) leave(why error) { r.LeftOut = append(r.LeftOut, why.Error()) }

// cell is a column of a row: a figure for programs and its text for readers. One without a name is for readers only, one that is not shown for programs.
type cell struct {
	name  string
	value any
	text  string
	shown bool
	bar   bool
	ok    bool
}

// row adds what was measured of one thing.
func (t *Table) row(what string, cells ...cell) *Row {
	r := &Row{What: strings.TrimSpace(what), cells: []string{what}}
	for _, c := range cells {
		if c.shown {
			r.cells = append(r.cells, c.text)
		}
		if c.name != "" {
			if r.Figures == nil {
				r.Figures = map[string]any{}
			}
			r.Figures[c.name] = c.value
		}
		if c.bar {
			r.Bar, r.OK = c.text, &c.ok
			r.cells = append(r.cells, verdict(c.ok))
		}
	}
	t.Rows = append(t.Rows, r)
	return r
}

var blank = cell{shown: true}

// figure is a number, shown by a verb such as %d or "%.0f %%".
func figure(name string, value any, verb string) cell {
	c := only(name, value)
	c.text, c.shown = fmt.Sprintf(verb, value), true
	return c
}

// only is a figure that a reader finds in the row's words, or does not need.
func only(name string, value any) cell {
	if f, ok := value.(float64); ok {
		if value = rounded(f); math.IsNaN(f) || math.IsInf(f, 0) {
			value = nil // JSON has no such number
		}
	}
	return cell{name: name, value: value}
}

// span is a duration, in milliseconds for programs, shown to a tenth of one.
func span(name string, d time.Duration) cell {
	return cell{name: name + "_ms", value: millis(d), text: ms(d), shown: true}
}

// seconds is a longer duration.
func seconds(name string, d time.Duration) cell {
	return cell{name: name + "_s", value: rounded(d.Seconds()), text: d.Round(time.Second).String(), shown: true}
}

// tenths is one shown to a tenth of a second.
func tenths(name string, d time.Duration) cell {
	c := seconds(name, d)
	c.text = d.Round(100 * time.Millisecond).String()
	return c
}

func words(text string) cell { return cell{text: text, shown: true} }

// bar is what was to be reached, and whether it was: two columns.
func bar(text string, ok bool) cell { return cell{text: text, shown: true, bar: true, ok: ok} }

func millis(d time.Duration) float64 { return rounded(float64(d) / float64(time.Millisecond)) }

// rounded leaves four decimals: nothing measured here is more exact.
func rounded(f float64) float64 { return math.Round(f*10_000) / 10_000 }

// Print writes the report for a reader: what it was measured on and with, and the tables.
func (r *Report) Print(out io.Writer) error {
	fmt.Fprintln(out, "machine: ", r.Machine)
	fmt.Fprintln(out, "versions:", listed(r.Versions))
	fmt.Fprintln(out, "settings:", listed(r.Settings))
	for _, t := range r.shown() {
		fmt.Fprintln(out)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		if t.head != nil {
			fmt.Fprintln(w, strings.Join(t.head, "\t"))
		}
		for _, row := range t.Rows {
			fmt.Fprintln(w, strings.Join(row.cells, "\t"))
		}
		if err := w.Flush(); err != nil {
			return errs.Wrap("bench "+r.Bench, "", err)
		}
	}
	for _, why := range r.LeftOut {
		fmt.Fprintln(out, "LEFT OUT:", why)
	}
	return nil
}

// shown are the tables that a reader has not seen.
func (r *Report) shown() []*Table {
	return slices.DeleteFunc(slices.Clone(r.Tables), func(t *Table) bool { return t.told || len(t.Rows) == 0 })
}

// listed is a line of what a map holds; what was not set is left out.
func listed[V any](m map[string]V) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		switch text := fmt.Sprint(m[k]); text {
		case "", "false", "[]":
		case "true":
			out = append(out, k)
		default:
			out = append(out, k+" "+text)
		}
	}
	return strings.Join(out, ", ")
}

// WriteJSON writes the report for a program.
func (r *Report) WriteJSON(out io.Writer) error {
	return errs.Wrap("bench "+r.Bench, "", indented(out, r))
}

func indented(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
