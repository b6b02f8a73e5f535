package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/ops/view"
)

// zonesPath takes zone charts in.
const zonesPath = "/carriers/zones"

// Zones is what the page of zone charts needs.
type Zones interface {
	ZoneCharts(ctx context.Context) (view.ZoneCharts, error)
	// ReadZoneChart says what an uploaded chart changes, or all that is wrong with it by row. It is not in force before UseZoneChart.
	ReadZoneChart(ctx context.Context, d view.ZoneDraft) (view.ZonePreview, error)
	// UseZoneChart fails with errs.NotFound once another file was read.
	UseZoneChart(ctx context.Context, draft, actor string) (view.Done, error)
	// TakeBackZoneChart fails with errs.Conflict if another chart is in force than the one that was looked at.
	TakeBackZoneChart(ctx context.Context, carrier string, version int64, actor string) (view.Done, error)
}

func (s *Site) zoneRoutes(m *http.ServeMux) {
	s.page(m, "GET "+zonesPath, s.zones)
	s.private(m, "POST "+zonesPath, s.readZones)
	s.private(m, "POST "+zonesPath+"/use", s.useZones)
	s.private(m, "POST "+zonesPath+"/{carrier}/back", s.takeBackZones)
}

func zonesBackPath(carrier string) templ.SafeURL {
	return templ.SafeURL(zonesPath + "/" + url.PathEscape(carrier) + "/back")
}

func (s *Site) zones(ctx context.Context, _ *http.Request) (page, error) {
	v, err := s.b.ZoneCharts(ctx)
	if err != nil {
		return page{}, err
	}
	return zonesPageOf(v, nil), nil
}

func zonesPageOf(v view.ZoneCharts, read *view.ZonePreview) page {
	return page{Title: "Zone charts", Nav: "/nodes", Fixed: true, body: func(page) templ.Component { return zonesPage(v, read) }}
}

// readZones shows what an uploaded chart would change, or what is wrong with it.
func (s *Site) readZones(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	up, err := readTable(r)
	if err != nil {
		return err
	}
	read, err := s.b.ReadZoneChart(ctx, view.ZoneDraft{Carrier: up.kind, File: up.name, Data: up.data})
	if err != nil {
		return err
	}
	v, err := s.b.ZoneCharts(ctx)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if len(read.Problems) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return s.show(w, r.WithContext(ctx), status, zonesPageOf(v, &read))
}

func (s *Site) useZones(w http.ResponseWriter, r *http.Request) error {
	f := readForm(r.Context(), r)
	draft := f.text("draft", "Chart", true)
	if f.err != nil {
		return f.err
	}
	done, err := s.b.UseZoneChart(r.Context(), draft, s.user(r.Context()))
	if err != nil {
		return err
	}
	return s.finish(w, r, done, zonesPath)
}

func (s *Site) takeBackZones(w http.ResponseWriter, r *http.Request) error {
	f := readForm(r.Context(), r)
	version := f.whole("version", "Version", 1, 1<<53, true)
	if f.err != nil {
		return f.err
	}
	done, err := s.b.TakeBackZoneChart(r.Context(), r.PathValue("carrier"), version, s.user(r.Context()))
	if err != nil {
		return err
	}
	return s.finish(w, r, done, zonesPath)
}

// problemsText says how much is wrong with a file.
func problemsText(n int) string {
	return "Nothing was changed: " + count(int64(n), "row has a problem", "rows have problems") + "."
}

func versionText(n int64) string { return strconv.FormatInt(n, 10) }
