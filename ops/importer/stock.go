package importer

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	maxPlace = 100 // bytes of a location's name
	maxSheet = 100 // bytes of a count's name
)

// countRow says what is there of one item in one place.
type countRow struct {
	line            int
	sku, place      string
	onHand, damaged int64
}

// stock reads a count sheet and returns what books it.
func (j *job) stock(ctx context.Context) (func(*store.Tx) error, error) {
	if len(j.o.Sheet) > maxSheet {
		return nil, errs.New(errs.Invalid, "importer.Run", "sheet", "is longer than %d bytes", maxSheet)
	}
	var rows []countRow
	at := map[[2]string]int{}
	id, err := j.scan(ctx, func(t *table) {
		r := countRow{line: t.line(), place: j.o.Location}
		var ok1, ok2, ok3 bool
		r.sku, ok1 = t.ident("sku", catalog.MaxIDBytes)
		r.onHand, ok2 = t.whole("on_hand", -1, 0, stock.MaxUnits)
		r.damaged, ok3 = t.whole("damaged", 0, 0, stock.MaxUnits)
		if t.get("location") != "" || j.o.Location == "" {
			if !t.has("location") {
				t.over = true
				j.wrong.add(Problem{Line: 1, Text: "no column is the location; name it with --map location=COLUMN, or say --location for all rows"})
				return
			}
			place, ok := t.ident("location", maxPlace)
			if !ok {
				return
			}
			r.place = place
		}
		if !ok1 || !ok2 || !ok3 {
			return
		}
		if r.damaged > r.onHand {
			t.bad("damaged", "is more than the %d on hand; damaged units are part of them", r.onHand)
			return
		}
		key := [2]string{r.sku, slug(r.place)}
		if i, again := at[key]; again {
			t.bad("sku", "is counted at %s in line %d already", r.place, rows[i].line)
			return
		}
		at[key] = len(rows)
		rows = append(rows, r)
	})
	if err != nil {
		return nil, err
	}
	if err := j.wrong.err(j.src.Name); err != nil {
		return nil, err
	}
	j.report.Sheet = j.o.Sheet
	if j.o.Sheet == "" {
		j.report.Sheet = "file " + id
	}
	return func(tx *store.Tx) error { return j.bookCounts(tx, rows) }, nil
}

// bookCounts books the counts that are new, all in one Book.
func (j *job) bookCounts(tx *store.Tx, rows []countRow) error {
	places, err := j.places(tx, rows)
	if err != nil {
		return err
	}
	skus := make([]string, len(rows))
	for i, r := range rows {
		skus[i] = r.sku
	}
	items, err := itemsBySKU(tx, skus)
	if err != nil {
		return err
	}
	counts := make([]stock.Movement, len(rows))
	for i, r := range rows {
		it, known := items[r.sku]
		switch {
		case !known:
			j.wrong.add(Problem{Line: r.line, Field: "sku", Value: r.sku, Text: "is no item; import items first"})
		case it.Bundle():
			j.wrong.add(Problem{Line: r.line, Field: "sku", Value: r.sku, Text: "is a bundle, which has no stock of its own; count its components"})
		}
		counts[i] = stock.Movement{ID: countID(j.report.Sheet, r), Kind: stock.Count, ItemID: it.ID, LocationID: places[slug(r.place)],
			Ref: j.report.Sheet, Reason: "imported count", Actor: j.o.Actor}
	}
	if len(j.wrong.Shown) > 0 {
		return nil
	}
	fresh, err := j.newCounts(tx, rows, counts)
	if err != nil || len(j.wrong.Shown) > 0 || len(fresh) == 0 {
		return err
	}
	return j.count(tx, rows, counts, fresh)
}

// newCounts tells which rows are not in the journal yet. One that is, with other numbers, is a conflict.
func (j *job) newCounts(tx *store.Tx, rows []countRow, counts []stock.Movement) ([]int, error) {
	ids := make([]string, len(counts))
	for i, m := range counts {
		ids[i] = m.ID
	}
	seen, err := tx.MovementsGet(ids)
	if err != nil {
		return nil, err
	}
	booked := make(map[string]stock.Movement, len(seen))
	for _, m := range seen {
		booked[m.ID] = m
	}
	var fresh []int
	for i, r := range rows {
		was, done := booked[counts[i].ID]
		switch {
		case !done:
			fresh = append(fresh, i)
		case was.OnHandAfter != r.onHand || was.DamagedAfter != r.damaged:
			j.wrong.add(Problem{Line: r.line, Field: "on_hand", Value: fmt.Sprint(r.onHand), Conflict: true,
				Text: fmt.Sprintf("was counted as %d on hand, %d damaged in this sheet before; give the new count another --sheet name", was.OnHandAfter, was.DamagedAfter)})
		default:
			j.report.Unchanged++
		}
	}
	return fresh, nil
}

func (j *job) count(tx *store.Tx, rows []countRow, counts []stock.Movement, fresh []int) error {
	var items []string
	for _, i := range fresh {
		items = append(items, counts[i].ItemID)
	}
	slices.Sort(items)
	items = slices.Compact(items)
	book, err := tx.LedgerOpen(j.o.Actor, items, nil)
	if err != nil {
		return err
	}
	shorts, err := tx.ReservationsShort(items)
	if err != nil {
		return err
	}
	book.Load(nil, shorts)
	for _, i := range fresh {
		m, r := counts[i], rows[i]
		m.At = tx.Now()
		if err := tx.WithHolders(book, func() error { return book.SetTo(m, r.onHand, r.damaged) }); err != nil {
			return err
		}
		j.report.Created++
	}
	for _, item := range book.Touched() {
		book.FillShorts(item)
	}
	return tx.LedgerSave(book)
}

// places finds the locations that the file names, by id or name, and makes the ones that are not there if asked to.
func (j *job) places(tx *store.Tx, rows []countRow) (map[string]string, error) {
	known, err := tx.Locations()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, l := range known {
		out[slug(l.Name)] = l.ID
	}
	for _, l := range known { // an id beats a name
		out[slug(l.ID)] = l.ID
	}
	for _, r := range rows {
		key := slug(r.place)
		if _, ok := out[key]; ok {
			continue
		}
		if !j.o.CreateLocations || key == "" {
			j.wrong.add(Problem{Line: r.line, Field: "location", Value: r.place, Text: "is no location; add --create-locations to make it"})
			continue
		}
		if err := tx.LocationPut(stock.Location{ID: key, Name: r.place, Kind: stock.Own, Active: true}); err != nil {
			return nil, err
		}
		out[key] = key
		j.report.Locations = append(j.report.Locations, key)
	}
	return out, nil
}

// slug is a location's name as an id: small letters and digits with hyphens between.
func slug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r < 0x80 })
	return strings.Join(words, "-")
}

// countID is the same for the same row of the same sheet.
func countID(sheet string, r countRow) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", sheet, r.sku, slug(r.place)))
	return fmt.Sprintf("import/%x", sum[:16])
}
