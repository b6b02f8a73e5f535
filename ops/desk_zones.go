package ops

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/transit"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// maxCarrierName bounds the name of a carrier, as that of a lane is.
const maxCarrierName = 60

// ZoneCharts are the charts that are loaded.
func (d *Desk) ZoneCharts(ctx context.Context) (v view.ZoneCharts, err error) {
	err = d.read(ctx, "ops.ZoneCharts", "", func(tx *store.Tx) error {
		index, err := readChartIndex(tx)
		if err != nil {
			return err
		}
		for _, c := range index {
			now := c.History[0]
			row := view.ZoneChart{Carrier: c.Carrier, Version: now.Version, File: now.File, From: strings.Join(now.From, ", "), Ways: now.Ways, Actor: now.Actor, At: now.At, Before: "estimates"}
			if len(c.History) > 1 && c.History[1].File != "" {
				row.Before = c.History[1].File
			}
			for _, h := range c.History {
				row.Said = append(row.Said, view.ZoneChartSaid{Version: h.Version, File: h.File, Actor: h.Actor, At: h.At})
			}
			v.Rows = append(v.Rows, row)
		}
		nodes, err := tx.Nodes()
		for _, n := range nodes {
			for _, l := range n.Lanes {
				v.Carriers = append(v.Carriers, l.Carrier)
			}
		}
		slices.Sort(v.Carriers)
		v.Carriers = slices.Compact(v.Carriers)
		return err
	})
	return v, err
}

// ReadZoneChart reads an uploaded chart, and says what it changes or all that is wrong with it. It is not in force before UseZoneChart.
func (d *Desk) ReadZoneChart(ctx context.Context, a view.ZoneDraft) (view.ZonePreview, error) {
	v := view.ZonePreview{Carrier: strings.TrimSpace(a.Carrier), File: shortText(a.File)}
	if v.Carrier == "" || len(v.Carrier) > maxCarrierName {
		v.Problems = []view.LineProblem{{Text: fmt.Sprintf("Say whose chart it is, as your nodes name the carrier, in at most %d bytes.", maxCarrierName)}}
		return v, nil
	}
	f := readChartFile(a.Data)
	if v.Rows, v.Problems, v.More = f.rows, f.problems, f.more; len(f.problems) > 0 {
		return v, nil
	}
	var nodes []store.Node
	if err := d.read(ctx, "ops.ReadZoneChart", "", func(tx *store.Tx) (err error) { nodes, err = tx.Nodes(); return err }); err != nil {
		return v, err
	}
	was := d.x.network.charts.Load().of(v.Carrier)
	for _, p := range f.chart.From() {
		differ, of := f.chart.Differ(p, was)
		v.Changes = append(v.Changes, view.Change{What: cmp.Or(nodesAt(nodes, p), "No node") + " " + p.String(), From: number(of-differ) + " stay", To: number(differ) + " zones change"})
	}
	for _, n := range nodes {
		if p, ok := transit.PrefixOf(n.Place.Postal); ok && n.Place.Country == "US" && ships(n, v.Carrier) && !slices.Contains(f.chart.From(), p) {
			v.Warnings = append(v.Warnings, "It says nothing of "+cmp.Or(n.Name, n.ID)+" ("+p.String()+"): its zones are still estimated.")
		}
	}
	if !slices.ContainsFunc(nodes, func(n store.Node) bool { return ships(n, v.Carrier) }) {
		v.Warnings = append(v.Warnings, "No node ships with "+v.Carrier+" yet: write the name as the nodes do, or the chart is never asked.")
	}
	v.Sentence = "Routes and boxes of " + v.Carrier + " go by these " + number(f.chart.Ways()) + " ways from the next order on; what was decided stays."
	v.Undo = "The chart before can be put in force again."
	draft, err := d.x.keepDraft(ctx, ChartDraft{Carrier: v.Carrier, File: cmp.Or(v.File, "a file"), Text: f.text})
	v.Draft = draft.ID
	return v, err
}

func ships(n store.Node, carrier string) bool {
	return slices.ContainsFunc(n.Lanes, func(l network.Lane) bool { return strings.EqualFold(l.Carrier, carrier) })
}

// nodesAt names the nodes of a prefix.
func nodesAt(nodes []store.Node, at transit.Prefix) string {
	var names []string
	for _, n := range nodes {
		if p, ok := transit.PrefixOf(n.Place.Postal); ok && p == at && n.Place.Country == "US" {
			names = append(names, cmp.Or(n.Name, n.ID))
		}
	}
	return and(names)
}

// UseZoneChart puts an uploaded chart in force. Errors: NotFound, Conflict.
func (d *Desk) UseZoneChart(ctx context.Context, draft, actor string) (view.Done, error) {
	carrier, err := d.x.UseZoneChart(ctx, draft, actor)
	if err != nil {
		return view.Done{}, err
	}
	return view.Done{Sentence: "The chart of " + carrier + " is in force."}, nil
}

// TakeBackZoneChart puts the chart before in force again. Errors: NotFound, Conflict.
func (d *Desk) TakeBackZoneChart(ctx context.Context, carrier string, version int64, actor string) (view.Done, error) {
	if err := d.x.TakeBackZoneChart(ctx, carrier, version, actor); err != nil {
		return view.Done{}, err
	}
	return view.Done{Sentence: "The chart of " + carrier + " is taken back; what held before holds again."}, nil
}
