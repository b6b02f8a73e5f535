package ops

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops/reconcile"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// tableColumns are the columns of each table, as they are written and read.
var tableColumns = map[string][]string{
	view.TablePhysicals: {"sku", "grams", "length_mm", "width_mm", "height_mm", "stance", "fragile", "alone", "needs", "origin", "hs_code", "equals"},
	view.TableCartons: {"id", "name", "node", "inner_length_mm", "inner_width_mm", "inner_height_mm", "outer_length_mm", "outer_width_mm", "outer_height_mm",
		"grams", "max_grams", "padding_mm", "cost", "currency", "active"},
	view.TableBins: {"node", "sku", "bin", "walk", "primary"},
}

// tableProblems are listed at most of a file; the others are counted.
const tableProblems = 50

// ExportTable writes a table as CSV that ImportTable reads back. No cell can become a formula. Errors: NotFound (there is no such table).
func (x *Ops) ExportTable(ctx context.Context, kind string, w io.Writer) error {
	const op = "ops.ExportTable"
	columns, ok := tableColumns[kind]
	if !ok {
		return errs.New(errs.NotFound, op, kind, "There is no table %s.", kind)
	}
	out := csv.NewWriter(w)
	write := func(cells ...string) error {
		for i := range cells {
			cells[i] = reconcile.Neutral(cells[i])
		}
		return out.Write(cells)
	}
	if err := write(slices.Clone(columns)...); err != nil {
		return err
	}
	var err error
	switch kind {
	case view.TablePhysicals:
		err = x.writePhysicals(ctx, write)
	case view.TableBins:
		err = x.writeBins(write)
	default:
		err = x.writeCartons(ctx, write)
	}
	out.Flush()
	return errs.Wrap(op, kind, errors.Join(err, out.Error()))
}

// writePhysicals writes every item that can be packed, with empty cells where nothing is said: so the file shows what is missing.
func (x *Ops) writePhysicals(ctx context.Context, write func(...string) error) error {
	cat := x.catalog.Load()
	for _, sku := range slices.Sorted(maps.Keys(cat.bySKU)) {
		it := cat.items[cat.bySKU[sku]]
		if it.Bundle() {
			continue
		}
		p := cat.handling.physicals[it.ID]
		needs := make([]string, len(p.Needs))
		for i, n := range p.Needs {
			needs[i] = string(n)
		}
		if err := write(sku, some(p.Grams), some(p.LengthMM), some(p.WidthMM), some(p.HeightMM), string(p.Stance), yesText(p.Fragile), yesText(p.Alone),
			strings.Join(needs, " "), p.Origin, p.HSCode, strings.ReplaceAll(cat.skusText(p.Equals), "\n", " | ")); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (x *Ops) writeBins(write func(...string) error) error {
	cat := x.catalog.Load()
	keys := make([][2]string, 0, len(cat.handling.bins))
	for k := range cat.handling.bins {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [2]string) int {
		return strings.Compare(a[0]+"\x00"+cat.items[a[1]].SKU, b[0]+"\x00"+cat.items[b[1]].SKU)
	})
	for _, k := range keys {
		for _, b := range cat.handling.bins[k] {
			if err := write(b.Node, cat.items[b.ItemID].SKU, b.Code, some(b.Walk), yesText(b.Primary)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *Ops) writeCartons(ctx context.Context, write func(...string) error) error {
	all, err := x.AllCartons(ctx)
	if err != nil {
		return err
	}
	for _, c := range all {
		cost := ""
		if c.Cost.Minor > 0 {
			cost = c.Cost.Decimal()
		}
		if err := write(c.ID, c.Name, c.Node, some(c.Inner.LengthMM), some(c.Inner.WidthMM), some(c.Inner.HeightMM), some(c.Outer.LengthMM), some(c.Outer.WidthMM), some(c.Outer.HeightMM),
			some(c.Grams), some(c.MaxGrams), some(c.Padding), cost, c.Cost.Currency, yesText(c.Active)); err != nil {
			return err
		}
	}
	return nil
}

func some(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func yesText(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// ImportTable reads a table and says all of it, or nothing where a line has a problem. What a file does not name stays as it is; of an item at a node
// that a file of bins names, its lines say all the bins. Errors: NotFound (no such table), Invalid (too large), Conflict, Unavailable.
func (x *Ops) ImportTable(ctx context.Context, kind string, data []byte, actor string) (view.TableImport, error) {
	const op = "ops.ImportTable"
	columns, ok := tableColumns[kind]
	v := view.TableImport{Kind: kind}
	switch {
	case !ok:
		return v, errs.New(errs.NotFound, op, kind, "There is no table %s.", kind)
	case len(data) > view.MaxTable:
		return v, errs.New(errs.Invalid, op, kind, "The file is larger than %d MB; cut it into several.", view.MaxTable>>20)
	}
	t := readTable(data, columns)
	said, changed, err := x.tableSaid(ctx, kind, t)
	if err != nil {
		return v, errs.Wrap(op, kind, err)
	}
	if v.Rows, v.Problems, v.More = t.rows, t.problems, t.more; len(v.Problems) > 0 {
		return v, nil
	}
	if v.Changed = changed; changed == 0 {
		return v, nil
	}
	err = x.SayHandling(ctx, said, actor)
	if errs.Is(err, errs.Invalid) || errs.Is(err, errs.NotFound) { // of the whole, such as too many cartons
		v.Changed, v.Problems = 0, []view.LineProblem{{Text: errs.Safe(err)}}
		return v, nil
	}
	return v, errs.Wrap(op, kind, err)
}

func (x *Ops) tableSaid(ctx context.Context, kind string, t *sheet) (said Said, changed int, err error) {
	cat := x.catalog.Load()
	switch kind {
	case view.TableBins:
		said, changed = t.bins(cat)
		return said, changed, nil
	case view.TableCartons:
		were, err := x.AllCartons(ctx)
		if err != nil {
			return said, 0, err
		}
		said.Cartons = t.cartons(cat, were)
		return said, len(said.Cartons), nil
	}
	read := t.physicals(cat)
	ids := make([]string, len(read))
	for i := range read {
		ids[i] = read[i].ItemID
	}
	err = x.st.View(ctx, func(tx *store.Tx) error {
		were, err := tx.PhysicalsGet(ids)
		said.Physicals = changedPhysicals(read, were)
		return err
	})
	return said, len(said.Physicals), err
}

// changedPhysicals leaves out what is said already, and adds the versions.
func changedPhysicals(read, were []store.Physical) (out []store.Physical) {
	by := make(map[string]store.Physical, len(were))
	for _, w := range were {
		by[w.ItemID] = w
	}
	for _, p := range read {
		w := by[p.ItemID]
		if same(p.Physical, w.Physical) {
			continue
		}
		p.Version = w.Version
		out = append(out, p)
	}
	return out
}

// sheet is a CSV file being read.
type sheet struct {
	at       map[string]int
	lines    []sheetLine
	rows     int
	problems []view.LineProblem
	more     int
}

type sheetLine struct {
	n     int
	cells []string
}

func (t *sheet) bad(line int, format string, args ...any) {
	if len(t.problems) == tableProblems {
		t.more++
		return
	}
	t.problems = append(t.problems, view.LineProblem{Line: line, Text: fmt.Sprintf(format, args...)})
}

// readTable cuts a file into rows. Columns may be in any order and left out; unknown ones are a problem, as they are most likely misspelled.
func readTable(data []byte, columns []string) *sheet {
	t := &sheet{at: map[string]int{}}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		t.bad(0, "The file is not UTF-8 text. Save it as “CSV UTF-8”.")
		return t
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	if first, _, _ := bytes.Cut(data, []byte("\n")); bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		r.Comma = ';'
	}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.bad(lineOf(err), "A quote is not closed, or stands inside a cell.")
			return t
		}
		n, _ := r.FieldPos(0)
		switch {
		case len(t.at) == 0:
			t.header(n, cells, columns)
			if len(t.problems) > 0 {
				return t
			}
		case strings.TrimSpace(strings.Join(cells, "")) == "":
		case t.rows == view.MaxTableRows:
			t.bad(n, "There are more than %s rows; cut the file into several.", number(view.MaxTableRows))
			return t
		default:
			t.rows++
			t.lines = append(t.lines, sheetLine{n, cells})
		}
	}
	if len(t.at) == 0 {
		t.bad(0, "The file is empty; its first line names the columns %s.", strings.Join(columns, ", "))
	}
	return t
}

func lineOf(err error) int {
	if p, ok := errors.AsType[*csv.ParseError](err); ok {
		return p.StartLine
	}
	return 0
}

func (t *sheet) header(n int, cells, columns []string) {
	for i, c := range cells {
		c = strings.ToLower(strings.TrimSpace(c))
		_, twice := t.at[c]
		switch {
		case c == "":
		case !slices.Contains(columns, c) || twice:
			t.bad(n, "Column “%s” is unknown or named twice; there are %s.", shortText(c), strings.Join(columns, ", "))
		default:
			t.at[c] = i
		}
	}
	if len(t.at) == 0 && len(t.problems) == 0 {
		t.bad(n, "The first line names the columns %s.", strings.Join(columns, ", "))
	}
}

func shortText(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

// row reads the cells of one line and remembers what is wrong with it.
type row struct {
	t *sheet
	l sheetLine
	n int // problems
}

func (r *row) bad(format string, args ...any) { r.n++; r.t.bad(r.l.n, format, args...) }

// text is a cell without blanks around it, and without the mark that keeps a spreadsheet from taking it for a formula.
func (r *row) text(column string) string {
	i, ok := r.t.at[column]
	if !ok || i >= len(r.l.cells) {
		return ""
	}
	s := strings.TrimSpace(r.l.cells[i])
	if len(s) > 1 && s[0] == '\'' && strings.ContainsRune("=+-@\t\r\n'", rune(s[1])) {
		s = s[1:]
	}
	return s
}

func (r *row) whole(column string) int64 {
	s := r.text(column)
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		r.bad("%s: “%s” is no whole number.", column, shortText(s))
	}
	return n
}

func (r *row) truth(column string) bool {
	switch s := strings.ToLower(r.text(column)); s {
	case "", "no", "false", "0", "n":
		return false
	case "yes", "true", "1", "y", "x":
		return true
	default:
		r.bad("%s: write yes or no, not “%s”.", column, shortText(s))
		return false
	}
}

// check adds what a thing's own check says.
func (r *row) check(err error) {
	if err != nil {
		r.bad("%s", capital(strings.TrimSuffix(errs.Safe(err), "."))+".")
	}
}

// each reads every line.
func (t *sheet) each(read func(r *row)) {
	for _, l := range t.lines {
		read(&row{t: t, l: l})
	}
}

// item finds the item of a line, which must not be a bundle.
func (r *row) item(cat *catalogue) (id string, ok bool) {
	sku := r.text("sku")
	id, ok = cat.bySKU[sku]
	switch {
	case sku == "":
		r.bad("sku: which item is it?")
	case !ok:
		r.bad("sku: there is no item “%s”.", shortText(sku))
	case cat.items[id].Bundle():
		r.bad("sku: %s is a bundle; say it of its parts.", sku)
		ok = false
	}
	return id, ok
}

func (t *sheet) physicals(cat *catalogue) (out []store.Physical) {
	seen := map[string]int{}
	t.each(func(r *row) {
		id, ok := r.item(cat)
		p := catalog.Physical{Grams: r.whole("grams"), LengthMM: r.whole("length_mm"), WidthMM: r.whole("width_mm"), HeightMM: r.whole("height_mm"),
			Stance: catalog.Stance(strings.ToLower(r.text("stance"))), Fragile: r.truth("fragile"), Alone: r.truth("alone"),
			Origin: strings.ToUpper(r.text("origin")), HSCode: plainCode(r.text("hs_code"))}
		for _, n := range strings.FieldsFunc(r.text("needs"), func(c rune) bool { return c == ' ' || c == ',' || c == ';' }) {
			p.Needs = append(p.Needs, network.Ability(strings.ToLower(n)))
		}
		p.Equals = r.equals(id, cat)
		p = p.Tidy()
		if was, again := seen[id]; ok && again {
			r.bad("sku: this item is in line %d already.", was)
		}
		if r.n == 0 {
			r.check(p.Check())
		}
		if ok {
			seen[id] = r.l.n
		}
		out = append(out, store.Physical{ItemID: id, Physical: p})
	})
	return out
}

// plainCode takes the dots and blanks out of a tariff code: 6912.00 is 691200.
func plainCode(s string) string { return strings.NewReplacer(".", "", " ", "").Replace(s) }

func (t *sheet) cartons(cat *catalogue, were []store.Carton) (out []store.Carton) {
	seen := map[string]int{}
	t.each(func(r *row) {
		c := catalog.Carton{ID: r.text("id"), Name: r.text("name"), Node: r.text("node"),
			Inner: catalog.Sides{LengthMM: r.whole("inner_length_mm"), WidthMM: r.whole("inner_width_mm"), HeightMM: r.whole("inner_height_mm")},
			Outer: catalog.Sides{LengthMM: r.whole("outer_length_mm"), WidthMM: r.whole("outer_width_mm"), HeightMM: r.whole("outer_height_mm")},
			Grams: r.whole("grams"), MaxGrams: r.whole("max_grams"), Padding: r.whole("padding_mm"), Active: r.truth("active")}
		c.Cost = r.cost()
		if _, ok := cat.location(c.Node); c.Node != "" && !ok {
			r.bad("node: there is no node “%s”.", shortText(c.Node))
		}
		if was, again := seen[c.ID]; again {
			r.bad("id: this carton is in line %d already.", was)
		}
		seen[c.ID] = r.l.n
		if r.n == 0 {
			r.check(c.Check())
		}
		row := store.Carton{Carton: c}
		if i := slices.IndexFunc(were, func(w store.Carton) bool { return w.ID == c.ID }); i >= 0 {
			if same(were[i].Carton, c) {
				return
			}
			row.Version = were[i].Version
		}
		out = append(out, row)
	})
	return out
}

func (r *row) cost() money.Amount {
	text, currency := r.text("cost"), strings.ToUpper(r.text("currency"))
	if text == "" {
		return money.Amount{}
	}
	a, err := money.Parse(text, currency)
	if err != nil || currency == "" {
		r.bad("cost: write an amount such as 0.55, and its currency beside it.")
	}
	return a
}

func (t *sheet) bins(cat *catalogue) (Said, int) {
	by := map[[2]string][]catalog.Bin{}
	shelves := map[[2]string]int64{} // a shelf has one place in the walking order
	t.each(func(r *row) {
		id, ok := r.item(cat)
		b := catalog.Bin{Node: r.text("node"), ItemID: id, Code: r.text("bin"), Walk: r.whole("walk"), Primary: r.truth("primary")}
		if _, known := cat.location(b.Node); !known {
			r.bad("node: there is no node “%s”.", shortText(b.Node))
		}
		k := [2]string{b.Node, id}
		if r.n == 0 && ok {
			r.check(b.Check())
		}
		if walk, seen := shelves[[2]string{b.Node, b.Code}]; seen && walk != b.Walk {
			r.bad("walk: %s is at %d in a line above; a bin has one place in the walking order.", b.Code, walk)
		}
		shelves[[2]string{b.Node, b.Code}] = b.Walk
		if r.n == 0 {
			if err := catalog.CheckBins(append(slices.Clone(by[k]), b)); err != nil {
				r.check(err)
				return
			}
			by[k] = append(by[k], b)
		}
	})
	said, changed := Said{Bins: map[string]BinsSaid{}}, 0
	for k, bins := range by {
		catalog.SortBins(bins)
		if same(bins, cat.handling.bins[k]) {
			continue
		}
		changed++
		at := said.Bins[k[0]]
		at.Items, at.Bins = append(at.Items, k[1]), append(at.Bins, bins...)
		said.Bins[k[0]] = at
	}
	return said, changed
}
