package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spillway/spillway/ops/view"
)

// FloorWave is exported because it is a part of several answers and the describing document sees no other.
type FloorWave struct {
	ID      string     `json:"id" doc:"Of a wave that is only proposed: what it would be called."`
	Method  string     `json:"method" doc:"one item each, one zone, or mixed."`
	Parcels int64      `json:"parcels"`
	Units   int64      `json:"units"`
	Picked  int64      `json:"picked" doc:"Units."`
	Lacked  int64      `json:"lacked" doc:"Units that were not there."`
	Bins    int64      `json:"bins" doc:"Stops of its walk."`
	Walked  int64      `json:"bins_done"`
	Due     *time.Time `json:"due,omitempty" doc:"When the first of its parcels must be with the carrier."`
	Done    bool       `json:"done"`
	By      string     `json:"by,omitempty" doc:"Who released it."`
}

// FloorScanned is what became of a scan.
type FloorScanned struct {
	OK     bool   `json:"ok" doc:"It fitted. A scan that is refused changes nothing."`
	Say    string `json:"say" doc:"What is said to whoever scanned: what comes next, or what was expected."`
	Repeat bool   `json:"repeated" doc:"This id counted before: the first answer."`
}

// FloorScan is one scan.
type FloorScan struct {
	ID   string `json:"id" minLength:"1" maxLength:"60" doc:"Yours, of this scan; sending it again changes nothing and gets the first answer."`
	Scan string `json:"scan" maxLength:"300" doc:"What was scanned or typed."`
}

type parcelsWaiting struct {
	Node  string `path:"node" maxLength:"40"`
	Step  string `query:"step" required:"true" enum:"pack,scan,hand over,ask,send,enter" doc:"What they wait for. ask: a person. send: a person who sends them to their provider; enter: its number."`
	After string `query:"after" maxLength:"40" doc:"The next of the page before."`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"200" doc:"At most so many."`
}

type parcelsPage struct {
	Body struct {
		Shipments []shipmentState `json:"shipments" doc:"Those due first in front."`
		Next      string          `json:"next,omitempty" doc:"Ask with after=next for what comes after; missing on the last page."`
	}
}

type waveList struct {
	Body struct {
		Waves []FloorWave `json:"waves"`
	}
}

type wavePlanIn struct {
	Node    string `path:"node" maxLength:"40"`
	Parcels int64  `query:"parcels" minimum:"0" maximum:"500" doc:"Of one wave at most; 0: as many as usual."`
	Units   int64  `query:"units" minimum:"0" maximum:"1000000" doc:"Of one wave at most; 0: as many as usual."`
}

type waveRelease struct {
	Node string `path:"node" maxLength:"40"`
	Body struct {
		ID      string `json:"id" minLength:"1" maxLength:"60" doc:"Yours; sending it again releases nothing more and tells the same waves."`
		Parcels int64  `json:"parcels,omitempty" minimum:"0" maximum:"500" doc:"Of one wave at most; missing: as many as usual."`
		Units   int64  `json:"units,omitempty" minimum:"0" maximum:"1000000" doc:"Of one wave at most; missing: as many as usual."`
	}
}

type waveReleased struct {
	Body struct {
		Waves []string `json:"waves"`
	}
}

// PickStop is a bin of a walk.
type PickStop struct {
	Bin     string `json:"bin,omitempty" doc:"Missing: nobody has said one."`
	Item    string `json:"item"`
	SKU     string `json:"sku"`
	Title   string `json:"title,omitempty"`
	Barcode string `json:"barcode,omitempty"`
	Qty     int64  `json:"qty"`
	Picked  int64  `json:"picked"`
	Left    int64  `json:"left"`
	Lacked  int64  `json:"lacked" doc:"That were not there."`
	Back    int64  `json:"put_back" doc:"Picked units that no parcel needs any more."`
}

// PickWalk is a wave with the bins to walk to.
type PickWalk struct {
	Node  string     `json:"node"`
	Wave  FloorWave  `json:"wave"`
	Stops []PickStop `json:"stops" doc:"In the order of the walk."`
	Now   int        `json:"now" doc:"Index of the stop to go to; -1: all are done."`
}

type pickAnswer struct{ Body PickWalk }

type pickScan struct {
	Wave string `path:"wave" maxLength:"60"`
	Body struct {
		FloorScan
		Qty   int64 `json:"qty,omitempty" minimum:"0" maximum:"999" doc:"How many of it; missing: one."`
		Short bool  `json:"short,omitempty" doc:"The bin to go to holds no more: those due first keep what was picked, the others get equal items or go to the bench and are routed again. Scan may be empty."`
	}
}

type pickScanned struct {
	Body struct {
		FloorScanned
		Walk PickWalk `json:"walk" doc:"As it stands now."`
	}
}

// StationItem is what a parcel at a station holds of an item.
type StationItem struct {
	Item    string `json:"item"`
	SKU     string `json:"sku"`
	Title   string `json:"title,omitempty"`
	Barcode string `json:"barcode,omitempty"`
	Qty     int64  `json:"qty"`
	In      int64  `json:"in" doc:"Scanned so far."`
}

// PackStation is how a pack station stands.
type PackStation struct {
	Node    string        `json:"node"`
	Station string        `json:"station"`
	Stage   string        `json:"stage,omitempty" enum:"check,box,weigh,label" doc:"What its parcel waits for: units, the box, the weight, the label. Missing: it has none."`
	Parcel  string        `json:"parcel,omitempty"`
	Order   string        `json:"order,omitempty"`
	Due     *time.Time    `json:"due,omitempty"`
	Items   []StationItem `json:"items"`
	Carton  string        `json:"carton,omitempty" doc:"Proposed or taken."`
	Grams   int64         `json:"grams,omitempty"`
	Expect  string        `json:"expect" doc:"What is to be scanned now, in a sentence."`
	Label   bool          `json:"label" doc:"Its label is here, to be had at /shipments/{parcel}/label."`
	Text    string        `json:"label_text,omitempty"`
	Several string        `json:"several,omitempty" doc:"It takes several boxes: what goes into the first."`
	Gone    string        `json:"gone,omitempty" doc:"Why the parcel it had is not packed any more."`
	Waiting int64         `json:"waiting" doc:"Parcels that wait to be packed at the node."`
}

type stationPath struct {
	Node    string `path:"node" maxLength:"40"`
	Station string `path:"station" minLength:"1" maxLength:"40" doc:"Its name, yours."`
}

type stationAnswer struct{ Body PackStation }

type stationScan struct {
	Node    string `path:"node" maxLength:"40"`
	Station string `path:"station" minLength:"1" maxLength:"40" doc:"Its name, yours."`
	Body    FloorScan
}

type stationScanned struct {
	Body struct {
		FloorScanned
		Station PackStation `json:"station" doc:"As it stands now."`
	}
}

type handScan struct {
	Node string `path:"node" maxLength:"40"`
	Body FloorScan
}

type handScanned struct{ Body FloorScanned }

type floorAct struct {
	Node string `path:"node" maxLength:"40"`
	Body struct {
		Act     string   `json:"act" enum:"retry,route,back,done,send,unsend" doc:"retry: the question is settled. route: route again. back: back to work from the bench. done: off the bench. send: a person sends it to its provider now. unsend: the provider does not ship it."`
		Parcels []string `json:"parcels" minItems:"1" maxItems:"50"`
	}
}

type floorActed struct {
	Body struct {
		Rows []floorRow `json:"rows" doc:"What became of each."`
	}
}

type floorRow struct {
	Parcel string `json:"parcel"`
	OK     bool   `json:"ok"`
	Say    string `json:"say"`
}

func (s *service) floor(a huma.API) {
	op := func(id, method, path, summary, more string, fails ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: base + path, Summary: summary, Description: more, Security: security, Tags: []string{"floor"},
			Errors: append(fails, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusServiceUnavailable)}
	}
	huma.Register(a, op("parcels", http.MethodGet, "/nodes/{node}/parcels", "Parcels of a node that wait for a step", ""), s.parcelsAt)
	huma.Register(a, op("waves", http.MethodGet, "/nodes/{node}/waves", "Waves of a node that are being picked", ""), s.waveList)
	huma.Register(a, op("planWaves", http.MethodGet, "/nodes/{node}/waves/plan", "What would be released of what waits",
		"Nothing is changed. What is in a wave, at a station, on the bench or may not ship is left out."), s.wavePlan)
	huma.Register(a, op("releaseWaves", http.MethodPost, "/nodes/{node}/waves", "Release waves of what waits", "A wave is done when its last bin is.", http.StatusConflict), s.waveRelease)
	huma.Register(a, op("pickList", http.MethodGet, "/waves/{wave}", "A wave and its pick list", ""), s.pickList)
	huma.Register(a, op("pick", http.MethodPost, "/waves/{wave}/scans", "Confirm a pick by scan, or say that a bin holds no more", "Any bin of the walk may be scanned."), s.pick)
	huma.Register(a, op("station", http.MethodGet, "/nodes/{node}/stations/{station}", "How a pack station stands", ""), s.station)
	huma.Register(a, op("packScan", http.MethodPost, "/nodes/{node}/stations/{station}/scans", "A scan at a pack station",
		"An order, parcel, item or wave opens a parcel; then its units, the box (empty: the proposed one), the weight (412, 0.412 kg), the label. SW-SHORT: something is missing. SW-ASIDE: put aside. "+
			"SW-SPLIT: the rest goes into another box."), s.packScan)
	huma.Register(a, op("handScan", http.MethodPost, "/nodes/{node}/handover/scans", "Scan a label onto the van", ""), s.handScan)
	huma.Register(a, op("actOnParcels", http.MethodPost, "/nodes/{node}/parcels/act", "Do one thing to many parcels of a node", "Doing it again does no harm.", http.StatusBadRequest), s.floorAct)
}

// atFloor is a call for a node that there is.
func (s *service) atFloor(ctx context.Context, node string) error {
	_, err := s.x.Node(ctx, node)
	return err
}

func (s *service) parcelsAt(ctx context.Context, in *parcelsWaiting) (*parcelsPage, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := s.atFloor(ctx, in.Node); err != nil {
		return nil, s.problem(err)
	}
	limit := paged{Limit: in.Limit}.limit()
	all, at, err := s.x.ParcelsAt(ctx, in.Node, in.Step, in.After, limit+1)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &parcelsPage{}
	if len(all) > limit {
		all = all[:limit]
		out.Body.Next = all[limit-1].ID
	}
	out.Body.Shipments, err = s.parcelStates(ctx, all, at)
	return out, err
}

func floorWavesOf(all []view.FloorWave) []FloorWave {
	out := make([]FloorWave, 0, len(all))
	for _, w := range all {
		out = append(out, floorWaveOf(w))
	}
	return out
}

func floorWaveOf(w view.FloorWave) FloorWave {
	return FloorWave{ID: w.ID, Method: w.Method, Parcels: w.Parcels, Units: w.Units, Picked: w.Picked, Lacked: w.Lacked, Bins: w.Bins, Walked: w.BinsDone, Due: moment(w.Due), Done: w.Done, By: w.By}
}

func (s *service) waveList(ctx context.Context, in *struct {
	Node string `path:"node" maxLength:"40"`
}) (*waveList, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := s.atFloor(ctx, in.Node); err != nil {
		return nil, s.problem(err)
	}
	v, err := s.desk.Floor(ctx, in.Node)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &waveList{}
	out.Body.Waves = floorWavesOf(v.Waves)
	return out, nil
}

func (s *service) wavePlan(ctx context.Context, in *wavePlanIn) (*waveList, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := s.atFloor(ctx, in.Node); err != nil {
		return nil, s.problem(err)
	}
	v, err := s.desk.PlanWaves(ctx, view.FloorWaveDraft{Node: in.Node, Parcels: in.Parcels, Units: in.Units})
	if err != nil {
		return nil, s.problem(err)
	}
	out := &waveList{}
	out.Body.Waves = floorWavesOf(v.Waves)
	return out, nil
}

func (s *service) waveRelease(ctx context.Context, in *waveRelease) (*waveReleased, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := s.atFloor(ctx, in.Node); err != nil {
		return nil, s.problem(err)
	}
	ids, err := s.x.ReleaseWaves(ctx, view.FloorWaveDraft{ID: in.Body.ID, Node: in.Node, Actor: caller(ctx), Parcels: in.Body.Parcels, Units: in.Body.Units})
	if err != nil {
		return nil, s.problem(err)
	}
	out := &waveReleased{}
	out.Body.Waves = ids
	return out, nil
}

func (s *service) walk(ctx context.Context, wave string) (PickWalk, error) {
	v, err := s.desk.Pick(ctx, wave)
	if err != nil {
		return PickWalk{}, s.problem(err)
	}
	out := PickWalk{Node: v.Node.ID, Wave: floorWaveOf(v.Wave), Stops: make([]PickStop, 0, len(v.Tasks)), Now: v.Now}
	for _, t := range v.Tasks {
		out.Stops = append(out.Stops, PickStop{Bin: t.Bin, Item: t.ItemID, SKU: t.SKU, Title: t.Title, Barcode: t.Barcode, Qty: t.Qty, Picked: t.Picked, Left: t.Left, Lacked: t.Lacked, Back: t.Surplus})
	}
	return out, nil
}

func (s *service) pickList(ctx context.Context, in *struct {
	Wave string `path:"wave" maxLength:"60"`
}) (*pickAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	w, err := s.walk(ctx, in.Wave)
	if err != nil {
		return nil, err
	}
	return &pickAnswer{w}, nil
}

// shortCode is what a picker scans at a bin that holds no more.
const shortCode = "SW-SHORT"

func (s *service) pick(ctx context.Context, in *pickScan) (*pickScanned, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	scan := view.Scan{ID: in.Body.ID, Wave: in.Wave, Text: in.Body.Scan, Qty: in.Body.Qty, Actor: caller(ctx)}
	if in.Body.Short {
		scan.Text, scan.Qty = shortCode, 0
	}
	a, err := s.x.PickScan(ctx, scan)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &pickScanned{}
	out.Body.FloorScanned = FloorScanned(a)
	out.Body.Walk, err = s.walk(ctx, in.Wave)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *service) stationNow(ctx context.Context, node, station string) (PackStation, error) {
	v, err := s.desk.Pack(ctx, node, station)
	if err != nil {
		return PackStation{}, s.problem(err)
	}
	out := PackStation{Node: node, Station: v.Station, Stage: v.Stage, Parcel: v.Parcel, Order: v.OrderID, Due: moment(v.Due), Items: make([]StationItem, 0, len(v.Items)), Carton: v.Carton, Grams: v.Grams,
		Expect: v.Expect, Label: v.Label != "", Text: v.LabelText, Several: v.Several, Gone: v.Gone, Waiting: v.Waiting}
	for _, i := range v.Items {
		out.Items = append(out.Items, StationItem{Item: i.ItemID, SKU: i.SKU, Title: i.Title, Barcode: i.Barcode, Qty: i.Qty, In: i.In})
	}
	return out, nil
}

func (s *service) station(ctx context.Context, in *stationPath) (*stationAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := s.atFloor(ctx, in.Node); err != nil {
		return nil, s.problem(err)
	}
	v, err := s.stationNow(ctx, in.Node, in.Station)
	if err != nil {
		return nil, err
	}
	return &stationAnswer{v}, nil
}

func (s *service) packScan(ctx context.Context, in *stationScan) (*stationScanned, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := s.atFloor(ctx, in.Node); err != nil {
		return nil, s.problem(err)
	}
	a, err := s.x.PackScan(ctx, view.Scan{ID: in.Body.ID, Node: in.Node, Station: in.Station, Text: in.Body.Scan, Actor: caller(ctx)})
	if err != nil {
		return nil, s.problem(err)
	}
	out := &stationScanned{}
	out.Body.FloorScanned = FloorScanned(a)
	out.Body.Station, err = s.stationNow(ctx, in.Node, in.Station)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *service) handScan(ctx context.Context, in *handScan) (*handScanned, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := s.atFloor(ctx, in.Node); err != nil {
		return nil, s.problem(err)
	}
	a, err := s.x.HandScan(ctx, view.Scan{ID: in.Body.ID, Node: in.Node, Text: in.Body.Scan, Actor: caller(ctx)})
	if err != nil {
		return nil, s.problem(err)
	}
	return &handScanned{FloorScanned(a)}, nil
}

func (s *service) floorAct(ctx context.Context, in *floorAct) (*floorActed, error) {
	ctx, cancel := unhurried(ctx)
	defer cancel()
	if err := s.atFloor(ctx, in.Node); err != nil {
		return nil, s.problem(err)
	}
	done, err := s.x.ActOnFloor(ctx, view.FloorAct{Act: in.Body.Act, Node: in.Node, Parcels: in.Body.Parcels, Actor: caller(ctx)})
	if err != nil {
		return nil, s.problem(err)
	}
	out := &floorActed{}
	out.Body.Rows = make([]floorRow, 0, len(done.Rows))
	for _, r := range done.Rows {
		out.Body.Rows = append(out.Body.Rows, floorRow(r))
	}
	return out, nil
}
