package ops

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/transit"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/ops/reconcile"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// zoneIndex is the setting that says which zone charts there are; the charts are settings beside it.
	zoneIndex = "zones"
	// maxCharts bounds the carriers that have a chart: more than anybody ships with.
	maxCharts = 20
	// chartsKept is how many versions of a carrier's chart its history names. The text is kept of the one in force and of the one before.
	chartsKept = 20
	// maxChartRows bounds a file: all origins with a row for each destination.
	maxChartRows = transit.MaxOrigins * 1000
)

// ZoneChart is a version of a carrier's zone chart and transit table.
type ZoneChart struct {
	Version int64     `json:"version"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	File    string    `json:"file,omitzero"` // as it was called; empty: the chart was taken back and none was there before
	From    []string  `json:"from,omitempty"`
	Ways    int       `json:"ways,omitzero"`
}

// carrierCharts are the charts of one carrier, the one in force first.
type carrierCharts struct {
	Carrier string      `json:"carrier"`
	History []ZoneChart `json:"history"`
}

func (c carrierCharts) version() int64 { return c.History[0].Version }

func chartSetting(carrier string, version int64) string {
	return zoneIndex + "/" + strings.ToLower(carrier) + "/" + strconv.FormatInt(version, 10)
}

// chartBook is the charts in force, as routing and packing ask them. A nil book has none.
type chartBook struct {
	index  []carrierCharts
	charts map[string]*transit.Chart // by carrier in small letters
}

func (b *chartBook) of(carrier string) *transit.Chart {
	if b == nil {
		return nil
	}
	return b.charts[strings.ToLower(carrier)]
}

// way is how a parcel travels by a lane, by the chart of its carrier where there is one.
func (b *chartBook) way(node network.Node, lane network.Lane, to network.Place) (transit.Days, transit.Zone, bool) {
	return transit.Way(node.Place, lane, to, b.of(lane.Carrier))
}

// roads is how parcels travel, as routing asks it.
func (b *chartBook) roads(node network.Node, lane network.Lane, dest routing.Dest) (days, zone int, ok bool) {
	country, state, _ := strings.Cut(dest.Region, "-")
	d, z, ok := b.way(node, lane, network.Place{Country: country, State: state, Postal: dest.Postal})
	return d.Likely, z.Number, ok
}

// readChartIndex reads which charts there are.
func readChartIndex(tx *store.Tx) (index []carrierCharts, err error) {
	text, found, err := tx.SettingGet(zoneIndex)
	if err != nil || !found {
		return nil, err
	}
	return index, errs.Wrap("ops.readChartIndex", zoneIndex, json.Unmarshal([]byte(text), &index))
}

// readCharts reads the charts in force; those that were read before are kept.
func readCharts(tx *store.Tx, was *chartBook) (*chartBook, error) {
	index, err := readChartIndex(tx)
	if err != nil || len(index) == 0 {
		return nil, err
	}
	if was != nil && slices.EqualFunc(was.index, index, func(a, b carrierCharts) bool { return a.Carrier == b.Carrier && a.version() == b.version() }) {
		return was, nil
	}
	b := &chartBook{index: index, charts: map[string]*transit.Chart{}}
	for _, c := range index {
		if was != nil {
			if i := slices.IndexFunc(was.index, func(w carrierCharts) bool { return w.Carrier == c.Carrier }); i >= 0 && was.index[i].version() == c.version() {
				b.charts[strings.ToLower(c.Carrier)] = was.of(c.Carrier)
				continue
			}
		}
		text, found, err := tx.SettingGet(chartSetting(c.Carrier, c.version()))
		if err != nil {
			return nil, err
		}
		if !found || text == "" {
			continue
		}
		if b.charts[strings.ToLower(c.Carrier)], err = transit.ReadChart(strings.NewReader(text)); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// chartFile is what was read of a file.
type chartFile struct {
	chart    *transit.Chart
	rows     int
	text     string // as ReadChart reads it
	problems []view.LineProblem
	more     int
}

// readChartFile reads a chart, CSV or XLSX, and all that is wrong with it, row by row.
func readChartFile(data []byte) (f chartFile) {
	bad := func(line int, text string) {
		if len(f.problems) == tableProblems {
			f.more++
			return
		}
		f.problems = append(f.problems, view.LineProblem{Line: line, Text: capital(text)})
	}
	if len(data) > view.MaxTable {
		bad(0, "the file is larger than "+strconv.Itoa(view.MaxTable>>20)+" MB: keep the rows of your own nodes")
		return f
	}
	rows, err := reconcile.Rows(data, maxChartRows)
	if err != nil {
		bad(0, errs.Safe(err))
		return f
	}
	if len(rows) < 2 {
		bad(0, "the file is empty; its first row names the columns "+strings.Join(transit.ChartColumns, ", "))
		return f
	}
	b, err := transit.NewBuilder(rows[0].Cells)
	if err != nil {
		bad(rows[0].N, errs.Safe(err))
		return f
	}
	var out strings.Builder
	at := columnsOf(rows[0].Cells)
	out.WriteString(strings.Join(transit.ChartColumns, ",") + "\n")
	for _, r := range rows[1:] {
		if err := b.Add(r.N, r.Cells); err != nil {
			bad(r.N, errs.Safe(err))
			continue
		}
		f.rows++
		for i, c := range at {
			if i > 0 {
				out.WriteByte(',')
			}
			if c >= 0 && c < len(r.Cells) {
				out.WriteString(strings.TrimSpace(r.Cells[c])) // digits, a range or a mark: Add has looked at it
			}
		}
		out.WriteByte('\n')
	}
	f.chart, f.text = b.Chart, out.String()
	return f
}

// columnsOf is where the columns of a chart are in a file; -1: nowhere.
func columnsOf(names []string) []int {
	at := make([]int, len(transit.ChartColumns))
	for i, want := range transit.ChartColumns {
		at[i] = -1
		for j, n := range names {
			if strings.EqualFold(strings.TrimSpace(n), want) {
				at[i] = j
			}
		}
	}
	return at
}

// ChartDraft is a chart that was read and is not in force yet.
type ChartDraft struct {
	ID      string `json:"id"`
	Carrier string `json:"carrier"`
	File    string `json:"file"`
	Text    string `json:"text"`
}

const chartDraft = "zones.draft"

// keepDraft keeps a chart that was read until somebody says that it holds. There is one at a time: whoever reads another replaces it.
func (x *Ops) keepDraft(ctx context.Context, d ChartDraft) (ChartDraft, error) {
	d.ID = id.New()
	err := x.st.Update(ctx, func(tx *store.Tx) error { return tx.SettingSet(chartDraft, string(jsonOf(d))) })
	return d, errs.Wrap("ops.keepDraft", d.Carrier, err)
}

// UseZoneChart puts a draft in force: from the next order on routes and cartons go by it, and nothing that was decided is changed. Errors: NotFound (another
// file was read meanwhile), Conflict (there are too many charts).
func (x *Ops) UseZoneChart(ctx context.Context, draft, actor string) (carrier string, err error) {
	const op = "ops.UseZoneChart"
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		text, _, err := tx.SettingGet(chartDraft)
		if err != nil {
			return err
		}
		var d ChartDraft
		if text != "" {
			if err := json.Unmarshal([]byte(text), &d); err != nil {
				return err
			}
		}
		if d.ID == "" || d.ID != draft {
			return errs.New(errs.NotFound, op, draft, "Another file was read meanwhile, or this one holds already. Choose the file again.")
		}
		f := readChartFile([]byte(d.Text))
		if f.chart == nil || len(f.problems) > 0 {
			return errs.New(errs.Internal, op, draft, "a kept chart cannot be read")
		}
		carrier = d.Carrier
		said := ZoneChart{At: tx.Now(), Actor: actor, File: d.File, Ways: f.chart.Ways()}
		for _, p := range f.chart.From() {
			said.From = append(said.From, p.String())
		}
		if err := putChart(tx, d.Carrier, said, d.Text); err != nil {
			return err
		}
		return tx.SettingSet(chartDraft, "")
	})
	if err != nil {
		return carrier, errs.Wrap(op, draft, err)
	}
	return carrier, x.chartsChanged(ctx)
}

// putChart puts a version in force and tells the event log.
func putChart(tx *store.Tx, carrier string, said ZoneChart, text string) error {
	index, err := readChartIndex(tx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(index, func(c carrierCharts) bool { return strings.EqualFold(c.Carrier, carrier) })
	if i < 0 {
		if len(index) == maxCharts {
			return errs.New(errs.Conflict, "ops.putChart", carrier, "There are %d charts already; that is more than carriers one ships with.", maxCharts)
		}
		i = len(index)
		index = append(index, carrierCharts{Carrier: carrier})
	}
	c := &index[i]
	if said.Version = 1; len(c.History) > 0 {
		said.Version = c.version() + 1
	}
	if said.Version > 2 { // the text of the one in force now is kept, that of the one before it no more
		if err := tx.SettingSet(chartSetting(c.Carrier, said.Version-2), ""); err != nil {
			return err
		}
	}
	c.History = slices.Insert(c.History, 0, said)
	c.History = c.History[:min(len(c.History), chartsKept)]
	if err := tx.SettingSet(chartSetting(c.Carrier, said.Version), text); err != nil {
		return err
	}
	if err := tx.SettingSet(zoneIndex, string(jsonOf(index))); err != nil {
		return err
	}
	return tx.EventsAppend([]store.Event{{Kind: "zones.said", Subject: c.Carrier, Data: jsonOf(map[string]any{"by": said.Actor, "version": said.Version, "ways": said.Ways})}})
}

// TakeBackZoneChart puts the chart before in force again, or none if there was none. Version is the one that was looked at. Errors: NotFound; Conflict
// (another one is in force by now).
func (x *Ops) TakeBackZoneChart(ctx context.Context, carrier string, version int64, actor string) error {
	const op = "ops.TakeBackZoneChart"
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		index, err := readChartIndex(tx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(index, func(c carrierCharts) bool { return strings.EqualFold(c.Carrier, carrier) })
		if i < 0 {
			return errs.New(errs.NotFound, op, carrier, "There is no chart of %s.", carrier)
		}
		c := index[i]
		if c.version() != version {
			return errs.New(errs.Conflict, op, carrier, "%s has changed the chart of %s meanwhile; look at it again.", c.History[0].Actor, c.Carrier)
		}
		before := ZoneChart{}
		text := ""
		if len(c.History) > 1 {
			before = c.History[1]
			if text, _, err = tx.SettingGet(chartSetting(c.Carrier, before.Version)); err != nil {
				return err
			}
		}
		before.At, before.Actor = tx.Now(), actor
		return putChart(tx, c.Carrier, before, text)
	})
	if err != nil {
		return errs.Wrap(op, carrier, err)
	}
	return x.chartsChanged(ctx)
}

// chartsChanged has routes and cartons go by the charts there are now.
func (x *Ops) chartsChanged(ctx context.Context) error {
	x.peers.tell(noticeCatalogue)
	x.live.notify(view.TopicRouting)
	return x.reloadCatalogue(ctx)
}
