package web

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/ops/view"
)

// Floor is what the warehouse's own screens need. A scan whose id was taken before changes nothing and gets the same answer.
type Floor interface {
	// Floor is what waits at a node; the node "" is the one with most to do.
	Floor(ctx context.Context, node string) (view.Floor, error)
	PlanWaves(ctx context.Context, d view.FloorWaveDraft) (view.WavePlan, error)
	ReleaseWaves(ctx context.Context, d view.FloorWaveDraft) (view.Done, error)
	Pick(ctx context.Context, wave string) (view.PickPage, error)
	PickScan(ctx context.Context, s view.Scan) (view.ScanAnswer, error)
	Pack(ctx context.Context, node, station string) (view.Pack, error)
	PackScan(ctx context.Context, s view.Scan) (view.ScanAnswer, error)
	HandOver(ctx context.Context, node string) (view.HandOver, error)
	HandScan(ctx context.Context, s view.Scan) (view.ScanAnswer, error)
	Bench(ctx context.Context, node string) (view.Bench, error)
	ActOnFloor(ctx context.Context, a view.FloorAct) (view.FloorActed, error)
	// ByHand is what a person sends to a provider that has no account here, ByHandParcel one of it with where it goes.
	ByHand(ctx context.Context, node string) (view.ByHand, error)
	ByHandParcel(ctx context.Context, parcel string) (view.ByHandParcel, error)
	// FloorSheet is something to print or send: label and slip by parcel, picks by wave, manifest by node, orders sent by hand by parcel or node.
	FloorSheet(ctx context.Context, kind, id string) (view.Sheet, error)
}

func (s *Site) floorRoutes(m *http.ServeMux) {
	s.page(m, "GET /floor", s.floor)
	s.page(m, "GET /floor/waves", s.waves)
	s.private(m, "POST /floor/waves", s.releaseWaves)
	s.page(m, "GET /floor/pick/{wave}", s.pick)
	s.page(m, "GET /floor/pack", s.pack)
	s.page(m, "GET /floor/handover", s.handOver)
	s.page(m, "GET /floor/exceptions", s.bench)
	s.byHandRoutes(m)
	s.private(m, "POST /floor/scan/{where}", s.scan)
	s.private(m, "POST /floor/act", s.actOnFloor)
	s.private(m, "GET /floor/sheets/{kind}/{id}", s.floorSheet)
}

func floorPage(title string, body func(page) templ.Component, parts ...part) page {
	return page{Title: title, Nav: "/floor", Topics: []string{view.TopicFloor}, Parts: parts, body: body}
}

// floor is what a node has to do.
func (s *Site) floor(ctx context.Context, r *http.Request) (page, error) {
	v, err := s.b.Floor(ctx, r.URL.Query().Get("node"))
	if err != nil {
		return page{}, err
	}
	return floorPage("Floor", func(p page) templ.Component { return floorBody(p, v) },
		part{id: "fl-steps", c: floorSteps(v)}, part{id: "fl-waves", c: floorWaves(v)}, part{id: "fl-together", held: true, c: togetherRows(v)}, part{id: "fl-rows", held: true, c: floorRows(v)}), nil
}

// nodeOf is the node a page is about; without one it is the one with most to do.
func (s *Site) nodeOf(ctx context.Context, r *http.Request) (string, error) {
	if n := r.URL.Query().Get("node"); n != "" {
		return n, nil
	}
	v, err := s.b.Floor(ctx, "")
	return v.Node.ID, err
}

func (s *Site) waves(ctx context.Context, r *http.Request) (page, error) {
	node, err := s.nodeOf(ctx, r)
	if err != nil {
		return page{}, err
	}
	f := readForm(ctx, &http.Request{Form: r.URL.Query(), PostForm: r.URL.Query()})
	d := view.FloorWaveDraft{ID: id.New(), Node: node, Parcels: f.whole("parcels", "Parcels", 1, 500, false), Units: f.whole("units", "Units", 1, 1_000_000, false)}
	if f.err != nil {
		return page{}, f.err
	}
	v, err := s.b.PlanWaves(ctx, d)
	if err != nil {
		return page{}, err
	}
	p := floorPage("Waves", func(p page) templ.Component { return wavesBody(p, v) })
	p.Fixed = true // what is released is what was looked at
	return p, nil
}

func (s *Site) releaseWaves(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d := view.FloorWaveDraft{ID: f.text("id", "Id", true), Node: f.text("node", "Node", true), Actor: s.user(ctx),
		Parcels: f.whole("parcels", "Parcels", 1, 500, false), Units: f.whole("units", "Units", 1, 1_000_000, false)}
	if f.err != nil {
		return f.err
	}
	done, err := s.b.ReleaseWaves(ctx, d)
	if err != nil {
		return err
	}
	return s.finish(w, r, done, string(floorPath("", d.Node)))
}

func (s *Site) pick(ctx context.Context, r *http.Request) (page, error) {
	v, err := s.b.Pick(ctx, r.PathValue("wave"))
	if err != nil {
		return page{}, err
	}
	return floorPage("Pick "+v.Wave.Name, func(p page) templ.Component { return pickBody(p, v) }, part{id: "fl-walk", c: walk(v)}), nil
}

func (s *Site) pack(ctx context.Context, r *http.Request) (page, error) {
	node, err := s.nodeOf(ctx, r)
	if err != nil {
		return page{}, err
	}
	station := strings.TrimSpace(r.URL.Query().Get("station"))
	if len(station) > 40 {
		return page{}, errs.New(errs.Invalid, "web.pack", "station", "The name of a station is longer than 40 bytes.")
	}
	v, err := s.b.Pack(ctx, node, station)
	if err != nil {
		return page{}, err
	}
	return floorPage("Pack", func(p page) templ.Component { return packBody(p, v) }, part{id: "fl-station", c: packStation(v)}), nil
}

func (s *Site) handOver(ctx context.Context, r *http.Request) (page, error) {
	node, err := s.nodeOf(ctx, r)
	if err != nil {
		return page{}, err
	}
	v, err := s.b.HandOver(ctx, node)
	if err != nil {
		return page{}, err
	}
	return floorPage("Hand over", func(p page) templ.Component { return handBody(p, v) }, part{id: "fl-ready", c: handReady(v)}, part{id: "fl-bag", held: true, c: bagRows(v)},
		part{id: "fl-manifests", held: true, c: manifestRows(v)}), nil
}

func (s *Site) bench(ctx context.Context, r *http.Request) (page, error) {
	node, err := s.nodeOf(ctx, r)
	if err != nil {
		return page{}, err
	}
	v, err := s.b.Bench(ctx, node)
	if err != nil {
		return page{}, err
	}
	return floorPage("Exceptions", func(p page) templ.Component { return benchBody(p, v) }, part{id: "fl-bench", held: true, c: benchRows(v)}, part{id: "fl-stuck", c: stuckRows(v)}), nil
}

// scanned is what a station gets back: what to say, and how it stands now.
type scanned struct {
	view.ScanAnswer
	HTML string `json:"html"`
}

// scan takes one scan. What it answers is drawn anew from what is stored, so an answer that was lost costs nothing.
func (s *Site) scan(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	x := view.Scan{ID: f.text("id", "Id", true), Node: f.text("node", "Node", false), Station: f.text("station", "Station", false), Wave: f.text("wave", "Wave", false), Actor: s.user(ctx),
		Qty: f.whole("qty", "Quantity", 0, 999, false)}
	x.Text = strings.TrimSpace(f.r.PostForm.Get("text"))
	if f.err != nil {
		return f.err
	}
	var a scanned
	var now templ.Component
	var err error
	switch r.PathValue("where") {
	case "pack":
		if a.ScanAnswer, err = s.b.PackScan(ctx, x); err == nil {
			v, e := s.b.Pack(ctx, x.Node, x.Station)
			now, err = packStation(v), e
		}
	case "pick":
		if a.ScanAnswer, err = s.b.PickScan(ctx, x); err == nil {
			v, e := s.b.Pick(ctx, x.Wave)
			now, err = walk(v), e
		}
	case "hand":
		if a.ScanAnswer, err = s.b.HandScan(ctx, x); err == nil {
			v, e := s.b.HandOver(ctx, x.Node)
			now, err = handReady(v), e
		}
	default:
		err = errs.New(errs.NotFound, "web.scan", r.PathValue("where"), "There is no such station.")
	}
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := now.Render(ctx, &b); err != nil {
		return err
	}
	a.HTML = b.String()
	return writeJSON(w, a)
}

func writeJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(v)
}

// actOnFloor does one thing to the parcels that are ticked: a script sends them in pieces and shows how far it is, a plain form sends a piece.
func (s *Site) actOnFloor(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	a := view.FloorAct{Act: f.text("act", "What", true), Node: f.text("node", "Node", true), Actor: s.user(ctx), Parcels: f.r.PostForm["parcel"]}
	if f.err != nil {
		return f.err
	}
	done, err := s.b.ActOnFloor(ctx, a)
	if err != nil {
		return err
	}
	if isFragment(r) {
		return writeJSON(w, done)
	}
	good := len(done.Rows)
	for _, row := range done.Rows {
		if !row.OK {
			good--
		}
	}
	back := "/exceptions"
	if a.Act == "send" || a.Act == "unsend" {
		back = "/byhand"
	}
	return s.finish(w, r, view.Done{Sentence: count(int64(good), "parcel", "parcels") + " of " + num(int64(len(done.Rows))) + " done."}, string(floorPath(back, a.Node)))
}

// sheetTypes are what may be shown as it came: anything else a shipper may have sent is offered as a file.
var sheetTypes = []string{"application/pdf", "image/png", "image/jpeg", "image/gif"}

func (s *Site) floorSheet(w http.ResponseWriter, r *http.Request) error {
	v, err := s.b.FloorSheet(r.Context(), r.PathValue("kind"), r.PathValue("id"))
	if err != nil {
		return err
	}
	kind, place := v.Type, "inline"
	if !slices.Contains(sheetTypes, kind) {
		kind, place = "application/octet-stream", "attachment"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", place+"; filename*=UTF-8''"+url.PathEscape(v.Name))
	_, err = w.Write(v.Data)
	return err
}

// floorPath is a page of the floor at a node.
func floorPath(to, node string) templ.SafeURL {
	return templ.SafeURL("/floor" + to + "?node=" + url.QueryEscape(node))
}

func pickPath(wave string) templ.SafeURL {
	return templ.SafeURL("/floor/pick/" + url.PathEscape(wave))
}

func sheetPath(kind, id string) templ.SafeURL {
	return templ.SafeURL("/floor/sheets/" + kind + "/" + url.PathEscape(id))
}

// stages are the steps of a station, in order.
var stages = [][2]string{{"check", "Scan"}, {"box", "Box"}, {"weigh", "Weigh"}, {"label", "Label"}}

// binWord is a bin, or that none is said.
func binWord(bin string) string {
	if bin == "" {
		return "no bin"
	}
	return bin
}
