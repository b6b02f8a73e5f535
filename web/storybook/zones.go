package storybook

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// zoneDraft is the draft the storybook gives out.
const zoneDraft = "chart-1"

// ZoneCharts shows one chart, unless the storybook is empty.
func (b *Book) ZoneCharts(context.Context) (view.ZoneCharts, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.ZoneCharts{}, err
	}
	defer unlock()
	if len(b.nodes) == 0 {
		return view.ZoneCharts{}, nil
	}
	at := b.now().Add(-20 * 24 * time.Hour)
	row := view.ZoneChart{Carrier: "UPS", Version: 2, File: "895.xlsx", From: "895", Ways: 921, Actor: "lena@nordlicht.example", At: at, Before: "895-2025.csv",
		Said: []view.ZoneChartSaid{{Version: 2, File: "895.xlsx", Actor: "lena@nordlicht.example", At: at}, {Version: 1, File: "895-2025.csv", Actor: "mia@nordlicht.example", At: at.AddDate(-1, 0, 0)}}}
	if b.routed.chart != "" {
		row = view.ZoneChart{Carrier: "UPS", Version: 3, File: b.routed.chart, From: "895", Ways: 921, Actor: "mia@nordlicht.example", At: b.now(), Before: "895.xlsx"}
	}
	return view.ZoneCharts{Rows: []view.ZoneChart{row}, Carriers: []string{"DHL", "DPD", "UPS"}}, nil
}

// ReadZoneChart takes files whose first row names the columns.
func (b *Book) ReadZoneChart(_ context.Context, d view.ZoneDraft) (view.ZonePreview, error) {
	v := view.ZonePreview{Carrier: d.Carrier, File: d.File, Rows: bytes.Count(d.Data, []byte("\n")) - 1}
	if !strings.HasPrefix(string(d.Data), "origin_zip3,dest_zip3,zone") {
		v.Problems = []view.LineProblem{{Line: 1, Text: "There is no column origin_zip3."}, {Line: 7, Text: "A zone is 1 to 9."}}
		return v, nil
	}
	v.Draft, v.Sentence, v.Undo = zoneDraft, "Routes and boxes of "+d.Carrier+" go by these 921 ways from the next order on; what was decided stays.", "The chart before can be put in force again."
	v.Changes = []view.Change{{What: "Reno 895", From: "884 stay", To: "37 zones change"}}
	v.Warnings = []string{"It says nothing of Harrisburg (171): its zones are still estimated."}
	return v, nil
}

// UseZoneChart puts the draft in force.
func (b *Book) UseZoneChart(_ context.Context, draft, _ string) (view.Done, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Done{}, err
	}
	defer unlock()
	if draft != zoneDraft {
		return view.Done{}, errs.New(errs.NotFound, "storybook.UseZoneChart", draft, "Another file was read meanwhile, or this one holds already. Choose the file again.")
	}
	b.routed.chart = "895-2026.csv"
	return view.Done{Sentence: "The chart of UPS is in force."}, nil
}

// TakeBackZoneChart puts the one before in force again.
func (b *Book) TakeBackZoneChart(_ context.Context, carrier string, _ int64, _ string) (view.Done, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Done{}, err
	}
	defer unlock()
	b.routed.chart = ""
	return view.Done{Sentence: "The chart of " + carrier + " is taken back; what held before holds again."}, nil
}
