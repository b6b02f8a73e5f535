package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// Options say how a file is to be read and applied.
type Options struct {
	Kind      Kind
	Map       map[string]string // field to column, where the names do not say it
	Preset    string            // see Presets
	Delimiter rune              // zero: a comma
	Zone      *time.Location    // of times without an offset; nil: the preset's, else UTC
	DryRun    bool              // everything is checked, nothing is kept
	Actor     string            // who did it, for the journal
	Update    bool              // what is stored and differs is changed instead of refused: items and orders

	Location        string // stock: where, in files without a column for it
	CreateLocations bool   // stock: make the locations that are not there
	Sheet           string // stock: the name of this count; empty: the file's content

	Channel      string // orders: the channel's name; the connection is "import-" and this
	Currency     string // orders: of prices, in files without a column for it
	Open         bool   // orders: take open orders too, which reserve stock of today
	AllowUnknown bool   // orders: lines of SKUs that are no items are taken as they are
}

// Skip is rows left out by a rule of the preset.
type Skip struct {
	Rule        string
	Rows, Units int64
}

// Report is what became of a file.
type Report struct {
	Kind      Kind
	DryRun    bool
	Rows      int // of the file, without the header
	Created   int // items, counts or orders
	Changed   int
	Unchanged int   // stored already with this content
	Lines     int   // of the orders created or changed
	Unknown   int   // order lines of SKUs that are no items
	Reserved  int64 // units set aside for open orders
	Short     int64 // units open orders lack
	Unread    []string
	Skipped   []Skip
	Emptied   int // orders of which a rule left nothing
	Locations []string
	Sheet     string
}

// job is one file on its way.
type job struct {
	o      Options
	src    Source
	layout layout
	preset preset
	report *Report
	wrong  *Problems
	at     map[string]int // field to column, once the file was read
}

// errDry ends the transaction of a dry run.
var errDry = errors.New("dry run")

// Run reads a file, and applies all of it in one transaction or, when anything is wrong, nothing. Errors: Invalid or Conflict with a
// *Problems as cause, NotFound (the file), and those of the database.
func Run(ctx context.Context, st *store.Store, src Source, o Options) (Report, error) {
	j, err := newJob(src, o)
	if err != nil {
		return Report{}, err
	}
	var apply func(*store.Tx) error
	switch o.Kind {
	case Items:
		apply, err = j.items(ctx)
	case Stock:
		apply, err = j.stock(ctx)
	case Orders:
		apply, err = j.orders(ctx)
	}
	if err != nil {
		return Report{}, err
	}
	before := *j.report
	err = st.Update(ctx, func(tx *store.Tx) error {
		report, wrong := before, &Problems{} // it may run again
		j.report, j.wrong = &report, wrong
		if err := apply(tx); err != nil {
			return err
		}
		if err := wrong.err(src.Name); err != nil {
			return err
		}
		if o.DryRun {
			return errDry
		}
		return j.event(tx)
	})
	if err != nil && !errors.Is(err, errDry) {
		return Report{}, err
	}
	return *j.report, nil
}

func newJob(src Source, o Options) (*job, error) {
	const op = "importer.Run"
	l, ok := formats[o.Kind]
	if !ok {
		return nil, errs.New(errs.Invalid, op, string(o.Kind), "a file holds items, stock or orders")
	}
	p, ok := Presets[o.Preset]
	if !ok {
		return nil, errs.New(errs.Invalid, op, o.Preset, "is not a preset; there is %s", OnlineRetail)
	}
	if o.Preset != "" && p.columns[o.Kind] == nil {
		return nil, errs.New(errs.Invalid, op, o.Preset, "says nothing about %s; it is for items and orders", o.Kind)
	}
	if p.sales && o.Kind == Items {
		l = itemsSold
	}
	mapped := map[string]string{}
	for _, m := range []map[string]string{p.columns[o.Kind], o.Map} {
		for f, column := range m {
			mapped[f] = column
		}
	}
	o.Map = mapped
	if o.Delimiter == 0 {
		o.Delimiter = ','
	}
	if o.Delimiter == '"' || o.Delimiter == '\n' || o.Delimiter == '\r' || o.Delimiter == 0xFFFD {
		return nil, errs.New(errs.Invalid, op, "delimiter", "%q cannot part cells", o.Delimiter)
	}
	if o.Zone == nil {
		zone, err := time.LoadLocation(p.zone)
		if err != nil {
			return nil, errs.Wrap(op, p.zone, err)
		}
		o.Zone = zone
	}
	if o.Currency == "" {
		o.Currency = p.currency
	}
	o.Currency = strings.ToUpper(o.Currency)
	return &job{o: o, src: src, layout: l, preset: p, report: &Report{Kind: o.Kind, DryRun: o.DryRun}, wrong: &Problems{}}, nil
}

// scan reads the file once, row by row, and returns its identity. It stops between rows when ctx ends.
func (j *job) scan(ctx context.Context, each func(*table)) (string, error) {
	t, err := openTable(j.src, j.layout, j.o, j.wrong)
	if err != nil {
		return "", err
	}
	defer t.close()
	for t.next() {
		if t.rows%1024 == 0 && ctx.Err() != nil {
			return "", errs.Wrap("importer.Run", j.src.Name, ctx.Err())
		}
		each(t)
	}
	j.report.Rows = t.rows
	if t.at != nil {
		j.at, j.report.Unread = t.at, t.unread()
	}
	if t.guard == nil {
		return "", nil
	}
	return t.guard.id(), nil
}

// event notes the import in the log of events, unless it changed nothing.
func (j *job) event(tx *store.Tx) error {
	r := j.report
	if r.Created+r.Changed == 0 {
		return nil
	}
	data, err := json.Marshal(map[string]any{"file": j.src.Name, "actor": j.o.Actor, "rows": r.Rows, "created": r.Created, "changed": r.Changed})
	if err != nil {
		return err
	}
	if err := tx.SettingSet(store.CatalogueSetting, tx.Now().Format(time.RFC3339Nano)); err != nil { // a running Spillway looks again
		return err
	}
	if j.o.Kind == Orders { // which are to be counted
		if err := tx.SettingSet(store.OrdersSetting, tx.Now().Format(time.RFC3339Nano)); err != nil {
			return err
		}
	}
	return tx.EventsAppend([]store.Event{{At: tx.Now(), Kind: "import." + string(r.Kind), Subject: excerpt(j.subject()), Data: data}})
}

func (j *job) subject() string {
	switch j.o.Kind {
	case Stock:
		return j.report.Sheet
	case Orders:
		return j.connection()
	}
	return string(j.o.Kind)
}

// String is the report for people.
func (r Report) String() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	what := map[Kind]string{Items: "items", Stock: "counts", Orders: "orders"}[r.Kind]
	say("%d rows read", r.Rows)
	for _, s := range r.Skipped {
		say("  %d rows, %d units left out: %s", s.Rows, s.Units, s.Rule)
	}
	if r.Emptied > 0 {
		say("  %d orders left out: every row of them was", r.Emptied)
	}
	if len(r.Unread) > 0 {
		say("columns not read: %s", strings.Join(r.Unread, ", "))
	}
	if len(r.Locations) > 0 {
		say("locations made: %s", strings.Join(r.Locations, ", "))
	}
	say("%s: %d new, %d changed, %d already there", what, r.Created, r.Changed, r.Unchanged)
	if r.Kind == Orders {
		say("order lines written: %d, of SKUs that are no items: %d", r.Lines, r.Unknown)
		if r.Reserved+r.Short > 0 {
			say("units reserved: %d, lacking: %d", r.Reserved, r.Short)
		}
	}
	if r.Kind == Stock && r.Created == 0 && r.Unchanged > 0 {
		say("this count was booked before; a new count of the same numbers needs a new --sheet name")
	}
	if r.DryRun {
		say("dry run: nothing was written")
	}
	return b.String()
}
