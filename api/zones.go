package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spillway/spillway/ops/view"
)

type zoneChart struct {
	Carrier string     `json:"carrier" doc:"As the nodes' lanes name it."`
	Version int64      `json:"version" doc:"Name it to take the chart back."`
	File    string     `json:"file,omitempty" doc:"As it was called; missing: none is in force, zones are estimated."`
	From    string     `json:"from,omitempty" doc:"The postal prefixes it tells of."`
	Ways    int        `json:"ways"`
	Actor   string     `json:"actor"`
	At      time.Time  `json:"at"`
	Before  string     `json:"before" doc:"What taking it back brings back."`
	History []zoneSaid `json:"history" doc:"The newest first."`
}

type zoneSaid struct {
	Version int64     `json:"version"`
	File    string    `json:"file,omitempty"`
	Actor   string    `json:"actor"`
	At      time.Time `json:"at"`
}

type zoneList struct {
	Body struct {
		Charts []zoneChart `json:"charts"`
	}
}

type zonePut struct {
	Carrier string `path:"carrier" maxLength:"60"`
	File    string `query:"file" maxLength:"200" doc:"What the file is called, for the history."`
	DryRun  bool   `query:"dry_run" doc:"Only tell what it would change."`
	RawBody []byte `contentType:"text/csv"`
}

type zoneTaken struct {
	Body struct {
		Rows     int          `json:"rows"`
		InForce  bool         `json:"in_force"`
		Changes  []zoneChange `json:"changes" doc:"By node and postal prefix: how many zones stay and how many change."`
		Warnings []string     `json:"warnings"`
	}
}

type zoneChange struct {
	What  string `json:"what"`
	Stay  string `json:"stay"`
	Other string `json:"change"`
}

func (s *service) zones(a huma.API) {
	op := func(id, method, path, summary string, fails ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: base + path, Summary: summary, Security: security, Tags: []string{"carriers"},
			Errors: append(fails, http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable)}
	}
	huma.Register(a, op("zoneCharts", http.MethodGet, "/zones", "Zone charts and transit tables of carriers"), s.zoneList)
	put := op("sayZoneChart", http.MethodPut, "/zones/{carrier}", "Put a carrier's chart in force, CSV or XLSX: all of it, or nothing where a row has a problem", http.StatusNotFound, http.StatusConflict)
	put.MaxBodyBytes = view.MaxTable + 1
	put.Description = "Routes and boxes go by it from the next order on; what was decided stays. What is wrong is a 422 whose errors name the row they are at: line 4."
	huma.Register(a, put, s.zonePut)
	back := op("takeBackZoneChart", http.MethodDelete, "/zones/{carrier}", "Put the chart before in force again, or estimates where there was none", http.StatusNotFound, http.StatusConflict)
	back.DefaultStatus = http.StatusNoContent
	huma.Register(a, back, s.zoneBack)
}

func (s *service) zoneList(ctx context.Context, _ *struct{}) (*zoneList, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	v, err := s.desk.ZoneCharts(ctx)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &zoneList{}
	out.Body.Charts = make([]zoneChart, 0, len(v.Rows))
	for _, r := range v.Rows {
		c := zoneChart{Carrier: r.Carrier, Version: r.Version, File: r.File, From: r.From, Ways: r.Ways, Actor: r.Actor, At: r.At, Before: r.Before, History: make([]zoneSaid, 0, len(r.Said))}
		for _, h := range r.Said {
			c.History = append(c.History, zoneSaid(h))
		}
		out.Body.Charts = append(out.Body.Charts, c)
	}
	return out, nil
}

func (s *service) zonePut(ctx context.Context, in *zonePut) (*zoneTaken, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	v, err := s.desk.ReadZoneChart(ctx, view.ZoneDraft{Carrier: in.Carrier, File: in.File, Data: in.RawBody})
	if err != nil {
		return nil, s.problem(err)
	}
	if len(v.Problems) > 0 {
		return nil, tableProblem(view.TableImport{Problems: v.Problems, More: v.More})
	}
	if !in.DryRun {
		if _, err := s.x.UseZoneChart(ctx, v.Draft, caller(ctx)); err != nil {
			return nil, s.problem(err)
		}
	}
	out := &zoneTaken{}
	out.Body.Rows, out.Body.InForce, out.Body.Warnings, out.Body.Changes = v.Rows, !in.DryRun, append([]string{}, v.Warnings...), make([]zoneChange, 0, len(v.Changes))
	for _, c := range v.Changes {
		out.Body.Changes = append(out.Body.Changes, zoneChange{c.What, c.From, c.To})
	}
	return out, nil
}

func (s *service) zoneBack(ctx context.Context, in *struct {
	Carrier string `path:"carrier" maxLength:"60"`
	Versioned
}) (*struct{}, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return nil, s.problem(s.x.TakeBackZoneChart(ctx, in.Carrier, in.Version, caller(ctx)))
}
