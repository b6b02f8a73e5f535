package ops

import (
	"bytes"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

const renoChart = "origin_zip3,dest_zip3,zone,days\n895,100-102,7,6\n895,900,3,\n"

// workbook is rows as a spreadsheet.
func workbook(t *testing.T, rows ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, r := range rows {
		if err := f.SetSheetRow("Sheet1", "A"+number(i+1), &r); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// zonesOf is the zone and days from Reno to New York by UPS and by USPS, as routing asks.
func zonesOf(x *Ops) [4]int {
	reno := network.Node{Place: network.Place{Country: "US", Postal: "89501"}}
	var out [4]int
	for i, carrier := range []string{"UPS", "USPS"} {
		out[2*i+1], out[2*i], _ = x.network.charts.Load().roads(reno, network.Lane{Carrier: carrier}, routing.Dest{Region: "US-NY", Postal: "100"})
	}
	return out
}

// A chart that is loaded overrides the estimate for its carrier and origin, survives a restart of what is held, and can be taken back to what was before.
func TestALoadedChartOverridesTheEstimate(t *testing.T) {
	r := newRig(t)
	usual := zonesOf(r.x)
	if usual[0] != 8 || usual[0] != usual[2] {
		t.Fatalf("estimated: %v", usual)
	}
	read := func(data []byte) view.ZonePreview {
		t.Helper()
		v, err := r.d.ReadZoneChart(t.Context(), view.ZoneDraft{Carrier: "ups", File: "895.csv", Data: data})
		r.must(err)
		return v
	}
	wrong := read([]byte("origin_zip3,dest_zip3,zone\n895,100,7\n895,1,7\n895,101,12\n89,1,1\n"))
	if len(wrong.Problems) != 3 || wrong.Draft != "" || wrong.Problems[0].Line != 3 || wrong.Problems[2].Line != 5 {
		t.Errorf("%+v", wrong)
	}
	for _, none := range [][]byte{nil, []byte("origin_zip3,zone\n895,1\n"), {0xd0, 0xcf, 0x11, 0xe0}, bytes.Repeat([]byte("x"), view.MaxTable+1)} {
		if v := read(none); len(v.Problems) == 0 || v.Draft != "" {
			t.Errorf("%.20q: %+v", none, v)
		}
	}
	first := read([]byte(renoChart))
	if len(first.Problems) > 0 || first.Rows != 2 || len(first.Changes) != 1 || !strings.HasPrefix(first.Changes[0].To, "4 zones") && !strings.HasPrefix(first.Changes[0].To, "3 zones") {
		t.Errorf("%+v", first)
	}
	if got := zonesOf(r.x); got != usual {
		t.Errorf("a draft is in force: %v", got)
	}
	second := read(workbook(t, []any{"Zone", "origin_zip3", "dest_zip3", "days"}, []any{7, "895", "100---102", 6}))
	if _, err := r.d.UseZoneChart(t.Context(), first.Draft, "mia"); !errs.Is(err, errs.NotFound) {
		t.Errorf("a draft that was replaced: %v", err)
	}
	if _, err := r.d.UseZoneChart(t.Context(), second.Draft, "mia"); err != nil {
		t.Fatal(err)
	}
	if got := zonesOf(r.x); got != [4]int{7, 6, usual[2], usual[3]} {
		t.Errorf("with the chart of UPS: %v, without %v", got, usual)
	}
	if _, err := r.d.UseZoneChart(t.Context(), second.Draft, "mia"); !errs.Is(err, errs.NotFound) {
		t.Errorf("used twice: %v", err)
	}
	r.x.network.charts.Store(nil) // as a process that starts
	r.must(r.x.reloadCatalogue(t.Context()))
	if got := zonesOf(r.x); got[0] != 7 || got[1] != 6 {
		t.Errorf("read anew: %v", got)
	}
	third := read([]byte("origin_zip3,dest_zip3,zone\n895,100,4\n"))
	if _, err := r.d.UseZoneChart(t.Context(), third.Draft, "lena"); err != nil {
		t.Fatal(err)
	}
	r.takesBack("ups", usual)
}

// takesBack takes two charts back: to the first, and then to the second again.
func (r *rig) takesBack(carrier string, usual [4]int) {
	r.t.Helper()
	v, err := r.d.ZoneCharts(r.t.Context())
	r.must(err)
	if len(v.Rows) != 1 || v.Rows[0].Version != 2 || v.Rows[0].Ways != 1 || v.Rows[0].Actor != "lena" || len(v.Rows[0].Said) != 2 || v.Rows[0].At.IsZero() {
		r.t.Errorf("%+v", v)
	}
	if got := zonesOf(r.x); got[0] != 4 {
		r.t.Errorf("the second chart: %v", got)
	}
	if _, err := r.d.TakeBackZoneChart(r.t.Context(), carrier, 1, "mia"); !errs.Is(err, errs.Conflict) {
		r.t.Errorf("an old version is taken back: %v", err)
	}
	if _, err := r.d.TakeBackZoneChart(r.t.Context(), "nobody", 1, "mia"); !errs.Is(err, errs.NotFound) {
		r.t.Errorf("no chart is taken back: %v", err)
	}
	for version, want := range []int{7, 4} {
		if _, err := r.d.TakeBackZoneChart(r.t.Context(), carrier, int64(version+2), "mia"); err != nil {
			r.t.Fatal(err)
		}
		if got := zonesOf(r.x); got[0] != want || got[2] != usual[2] {
			r.t.Errorf("taken back from version %d: %v, want zone %d", version+2, got, want)
		}
	}
}

// The first chart is taken back to the estimate.
func TestTheFirstChartIsTakenBackToTheEstimate(t *testing.T) {
	r := newRig(t)
	usual := zonesOf(r.x)
	v, err := r.d.ReadZoneChart(t.Context(), view.ZoneDraft{Carrier: "UPS", File: "a.csv", Data: []byte(renoChart)})
	r.must(err)
	if _, err := r.d.UseZoneChart(t.Context(), v.Draft, "mia"); err != nil {
		t.Fatal(err)
	}
	if got := zonesOf(r.x); got == usual {
		t.Error("the chart changes nothing")
	}
	if _, err := r.d.TakeBackZoneChart(t.Context(), "UPS", 1, "mia"); err != nil {
		t.Fatal(err)
	}
	if got := zonesOf(r.x); got != usual {
		t.Errorf("%v, want %v", got, usual)
	}
}
