package ops

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/floor"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// floorShown parcels are listed on a page.
	floorShown = 100
	// floorSoon is how long before its deadline a parcel is marked: a walk, a bench and a van.
	floorSoon = 2 * time.Hour
)

var stepNames = map[shipping.StepKind]string{shipping.Pack: "to be packed", shipping.Book: "label being made", shipping.Find: "label being made", shipping.Fetch: "label being fetched",
	shipping.Group: "package being asked for", shipping.Seek: "package being asked for", shipping.Tell: "number being told", shipping.Correct: "number being corrected", shipping.TakeBack: "label being taken back", shipping.Scan: "label to be scanned", shipping.Send: "to be sent to their provider by hand", shipping.Enter: "number to be entered", shipping.Hand: "wait for a van", shipping.Ask: "a person is asked"}

var stepOrder = []shipping.StepKind{shipping.Group, shipping.Seek, shipping.Pack, shipping.Scan, shipping.Send, shipping.Enter, shipping.Book, shipping.Find, shipping.Fetch, shipping.Tell, shipping.Hand, shipping.Ask, shipping.TakeBack, shipping.Correct}

var methodNames = map[floor.Method]string{floor.Singles: "one item each", floor.Zone: "one zone", floor.Batch: "mixed"}

func dueLevel(due, at time.Time) view.Level {
	switch {
	case due.IsZero():
		return view.Quiet
	case due.Before(at):
		return view.Bad
	case due.Sub(at) < floorSoon:
		return view.Watch
	}
	return view.Quiet
}

func (d *Desk) nodeOption(id string) view.Option {
	if l, ok := d.x.catalog.Load().location(id); ok {
		return view.Option{ID: id, Label: cmp.Or(l.Name, id)}
	}
	return view.Option{ID: id, Label: id}
}

// Floor is what waits at a node; the node "" is the one with most to do first.
func (d *Desk) Floor(ctx context.Context, node string) (view.Floor, error) {
	v := view.Floor{At: d.x.now()}
	err := d.look(ctx, "ops.Floor", node, func(tx *store.Tx) error {
		counts, err := tx.ShipmentCounts()
		if err != nil {
			return err
		}
		v.Nodes = d.floorNodes(counts)
		if node == "" && len(v.Nodes) > 0 {
			node = v.Nodes[0].ID
		}
		v.Node = d.nodeOption(node)
		for _, k := range stepOrder {
			for _, c := range counts {
				if c.Node == node && c.Step == k {
					if k == shipping.Send || k == shipping.Enter {
						v.ByHand += c.N
					}
					v.Steps = append(v.Steps, view.FloorStep{Step: string(k), Name: stepNames[k], N: c.N, Due: c.Due, Level: dueLevel(c.Due, v.At)})
				}
			}
		}
		all, err := tx.ShipmentsAt(node, shipping.Pack, store.ShipmentPlace{}, floorShown+1)
		if err != nil {
			return err
		}
		v.More = len(all) > floorShown
		if v.Parcels, err = d.floorParcels(tx, all[:min(len(all), floorShown)], v.At); err != nil {
			return err
		}
		bench, err := tx.Troubles(node, floorPage)
		v.Trouble = int64(len(bench))
		if err != nil {
			return err
		}
		if _, v.Stuck, err = d.x.stuckOf(tx, node, v.At); err != nil {
			return err
		}
		if v.Together, err = d.together(tx, node, v.At); err != nil {
			return err
		}
		v.Waves, err = floorWaves(tx, node, v.At)
		return err
	})
	return v, err
}

// floorNodes are the places of ours where somebody packs: those with work first, the one whose first deadline is next in front.
func (d *Desk) floorNodes(counts []store.ShipmentCount) []view.FloorNode {
	by := map[string]*view.FloorNode{}
	for _, l := range d.x.catalog.Load().locations {
		if l.Active && l.ID != "" {
			by[l.ID] = &view.FloorNode{ID: l.ID, Name: cmp.Or(l.Name, l.ID)}
		}
	}
	for _, c := range counts {
		n := by[c.Node]
		if n == nil {
			n = &view.FloorNode{ID: c.Node, Name: c.Node}
			by[c.Node] = n
		}
		n.Waiting += c.N
		if !c.Due.IsZero() && (n.Due.IsZero() || c.Due.Before(n.Due)) {
			n.Due = c.Due
		}
	}
	out := make([]view.FloorNode, 0, len(by))
	for _, id := range slices.Sorted(maps.Keys(by)) {
		out = append(out, *by[id])
	}
	slices.SortStableFunc(out, func(a, b view.FloorNode) int {
		if (a.Waiting > 0) != (b.Waiting > 0) {
			return map[bool]int{true: -1, false: 1}[a.Waiting > 0]
		}
		if a.Due.IsZero() != b.Due.IsZero() {
			return map[bool]int{true: 1, false: -1}[a.Due.IsZero()]
		}
		return a.Due.Compare(b.Due)
	})
	return out
}

// floorParcels are parcels as lists show them.
func (d *Desk) floorParcels(tx *store.Tx, ss []store.Shipment, at time.Time) ([]view.FloorParcel, error) {
	var orders, ids []string
	for i := range ss {
		orders, ids = append(orders, ss[i].Orders[0]), append(ids, ss[i].ID)
	}
	got, err := tx.OrdersGet(unique(orders))
	if err != nil {
		return nil, err
	}
	claims, err := tx.ClaimsGet(ids...)
	if err != nil {
		return nil, err
	}
	cat := d.x.catalog.Load()
	out := make([]view.FloorParcel, len(ss))
	for i := range ss {
		s := &ss[i]
		v := view.FloorParcel{ID: s.ID, OrderID: s.Orders[0], Number: s.Orders[0], Due: s.Due, Level: dueLevel(s.Due, at), Step: string(s.Next(at).Kind), Wave: s.Wave, Question: s.Question()}
		v.Contents, v.Units = cat.contentsText(&s.Shipment)
		for k := range got {
			if got[k].ID == s.Orders[0] {
				v.Number = numberOf(&got[k])
			}
		}
		for _, c := range claims {
			if c.Parcel == s.ID && at.Before(c.Until) {
				_, v.By, _ = strings.Cut(c.Station, "/")
			}
		}
		out[i] = v
	}
	return out, nil
}

func numberOf(o *order.Order) string { return cmp.Or(o.Number, o.ExternalID) }

func floorWaves(tx *store.Tx, node string, at time.Time) ([]view.FloorWave, error) {
	ws, err := tx.WavesOpen(node, openWaves)
	if err != nil || len(ws) == 0 {
		return nil, err
	}
	var ids []string
	for _, w := range ws {
		ids = append(ids, w.ID)
	}
	tasks, err := tx.WalksOf(ids...)
	if err != nil {
		return nil, err
	}
	out := make([]view.FloorWave, len(ws))
	for i := range ws {
		out[i] = waveView(&ws[i], tasks, at)
	}
	slices.SortStableFunc(out, func(a, b view.FloorWave) int { return a.Due.Compare(b.Due) })
	return out, nil
}

func waveView(w *store.FloorWave, tasks []store.FloorTask, at time.Time) view.FloorWave {
	v := view.FloorWave{ID: w.ID, Name: w.ID, Method: methodNames[w.Method], Parcels: int64(len(w.Parcels)), Units: w.Units, Due: w.Due, Level: dueLevel(w.Due, at), Done: w.Done, By: w.By}
	if w.Zone != "" {
		v.Method += " " + w.Zone
	}
	for i := range tasks {
		if t := &tasks[i]; t.Wave == w.ID {
			v.Picked, v.Lacked, v.Bins = v.Picked+t.Picked, v.Lacked+t.Lacked, v.Bins+1
			if t.Left() == 0 {
				v.BinsDone++
			}
		}
	}
	return v
}

// PlanWaves is what would be released.
func (d *Desk) PlanWaves(ctx context.Context, a view.FloorWaveDraft) (view.WavePlan, error) {
	v := view.WavePlan{Draft: a, Node: d.nodeOption(a.Node)}
	err := d.read(ctx, "ops.PlanWaves", a.Node, func(tx *store.Tx) error {
		p, err := d.x.planWaves(tx, a)
		if err != nil {
			return err
		}
		for i, w := range p.waves {
			v.Waiting += int64(len(w.Parcels))
			v.Waves = append(v.Waves, waveView(&store.FloorWave{ID: fmt.Sprintf("Wave %d", i+1), Wave: w}, nil, d.x.now()))
		}
		v.Open, err = floorWaves(tx, a.Node, d.x.now())
		return err
	})
	if len(v.Waves) == 0 {
		v.Refused = "Nothing waits here that is not in a wave already."
	}
	return v, err
}

// ReleaseWaves releases them.
func (d *Desk) ReleaseWaves(ctx context.Context, a view.FloorWaveDraft) (view.Done, error) {
	ids, err := d.x.ReleaseWaves(ctx, a)
	return view.Done{Sentence: plural(int64(len(ids)), "wave is", "waves are") + " released."}, err
}

// Pick is the walk of a wave.
func (d *Desk) Pick(ctx context.Context, wave string) (view.PickPage, error) {
	v := view.PickPage{Now: -1}
	err := d.read(ctx, "ops.Pick", wave, func(tx *store.Tx) error {
		w, err := tx.WaveGet(wave)
		if err != nil {
			return err
		}
		tasks, err := tx.WalksOf(wave)
		if err != nil {
			return err
		}
		cat := d.x.catalog.Load()
		v.Wave, v.Node = waveView(&w, tasks, d.x.now()), d.nodeOption(w.Node)
		for i := range tasks {
			t := &tasks[i]
			it := cat.items[t.Item]
			v.Tasks = append(v.Tasks, view.PickTask{ID: t.ID, Bin: t.Bin, ItemID: t.Item, SKU: cmp.Or(it.SKU, t.Item), Title: it.Title, Barcode: it.Barcode, Qty: t.Qty(), Picked: t.Picked,
				Left: t.Left(), Lacked: t.Lacked, Surplus: t.Surplus(), Parcels: int64(len(t.Feeds)), Short: t.Short})
			if v.Now < 0 && t.Left() > 0 {
				v.Now = i
			}
		}
		return nil
	})
	return v, err
}

func (d *Desk) PickScan(ctx context.Context, s view.Scan) (view.ScanAnswer, error) {
	return d.x.PickScan(ctx, s)
}

func (d *Desk) PackScan(ctx context.Context, s view.Scan) (view.ScanAnswer, error) {
	return d.x.PackScan(ctx, s)
}

func (d *Desk) HandScan(ctx context.Context, s view.Scan) (view.ScanAnswer, error) {
	return d.x.HandScan(ctx, s)
}

func (d *Desk) ActOnFloor(ctx context.Context, a view.FloorAct) (view.FloorActed, error) {
	return d.x.ActOnFloor(ctx, a)
}

// HandOver is what waits for a van.
func (d *Desk) HandOver(ctx context.Context, node string) (view.HandOver, error) {
	v := view.HandOver{At: d.x.now(), Node: d.nodeOption(node)}
	err := d.look(ctx, "ops.HandOver", node, func(tx *store.Tx) error {
		all, err := tx.ShipmentsAt(node, shipping.Hand, store.ShipmentPlace{}, floorPage)
		if err != nil {
			return err
		}
		v.More = len(all) > floorShown
		for i := range all {
			carrier := cmp.Or(all[i].Label.Carrier, all[i].Carrier, "any carrier")
			k := slices.IndexFunc(v.Vans, func(x view.Van) bool { return x.Carrier == carrier })
			if k < 0 {
				v.Vans = append(v.Vans, view.Van{Carrier: carrier, Due: all[i].Due})
				k = len(v.Vans) - 1
			}
			v.Vans[k].N++
		}
		v.Ready, err = d.floorParcels(tx, all[:min(len(all), floorShown)], v.At)
		for i := range v.Ready {
			v.Ready[i].Step = cmp.Or(all[i].Label.Carrier, all[i].Carrier) + " … " + tail(all[i].Label.Tracking)
		}
		if err == nil {
			v.Bag, v.Bags, err = d.bags(tx, node, v.At)
		}
		if err == nil {
			err = d.manifests(tx, &v)
		}
		return err
	})
	return v, err
}

// Bench is the exceptions of a node: what was short or put aside, and what shippers ask.
func (d *Desk) Bench(ctx context.Context, node string) (view.Bench, error) {
	v := view.Bench{At: d.x.now(), Node: d.nodeOption(node)}
	err := d.look(ctx, "ops.Bench", node, func(tx *store.Tx) error {
		ts, err := tx.Troubles(node, floorPage)
		if err != nil {
			return err
		}
		var orders []string
		for _, t := range ts {
			orders = append(orders, t.Orders...)
		}
		got, err := tx.OrdersGet(unique(orders))
		if err != nil {
			return err
		}
		for _, t := range ts {
			row := view.Trouble{Parcel: t.Shipment, OrderID: t.Orders[0], Number: t.Orders[0], Kind: t.Kind, Text: t.Text, Note: t.Note, By: t.By, At: t.At, Settled: t.Settled}
			for k := range got {
				if got[k].ID == row.OrderID {
					row.Number = numberOf(&got[k])
				}
			}
			v.Troubles = append(v.Troubles, row)
		}
		asked, err := tx.ShipmentsAt(node, shipping.Ask, store.ShipmentPlace{}, floorPage)
		if err != nil {
			return err
		}
		if v.Questions, err = d.floorParcels(tx, asked, v.At); err != nil {
			return err
		}
		return d.x.stuckAt(tx, node, &v)
	})
	return v, err
}

// Pack is a station.
func (d *Desk) Pack(ctx context.Context, node, station string) (view.Pack, error) {
	v := view.Pack{Node: d.nodeOption(node), Station: station, Expect: "Scan an order, a tote or an item."}
	var claim *store.FloorClaim
	err := d.read(ctx, "ops.Pack", station, func(tx *store.Tx) error {
		format, _, err := tx.SettingGet(labelSetting(node))
		if err != nil {
			return err
		}
		v.Format = cmp.Or(format, LabelPDF)
		counts, err := tx.ShipmentCounts()
		if err != nil {
			return err
		}
		for _, c := range counts {
			switch {
			case c.Node == node && c.Step == shipping.Pack:
				v.Waiting = c.N
			case c.Node == node && c.Step == shipping.Hand:
				v.Packed = c.N
			}
		}
		had, err := tx.ClaimsOf(stationKey(node, station))
		if err != nil || len(had) == 0 {
			return err
		}
		claim = &had[0]
		s, err := tx.ShipmentGet(claim.Parcel)
		if err != nil {
			return err
		}
		if v.Gone = notHere(&s, node); v.Gone != "" {
			v.Expect = "Put this parcel aside, then scan the next one."
			return nil
		}
		return d.packing(tx, &v, claim, &s)
	})
	if err == nil && claim != nil && (claim.Stage == floor.Boxed || claim.Stage == floor.Check) && v.Gone == "" {
		d.boxed(ctx, &v)
	}
	return v, err
}

// packing says where the parcel at a station stands.
func (d *Desk) packing(tx *store.Tx, v *view.Pack, c *store.FloorClaim, s *store.Shipment) error {
	rows, err := d.floorParcels(tx, []store.Shipment{*s}, d.x.now())
	if err != nil {
		return err
	}
	p := rows[0]
	v.Stage, v.Parcel, v.Order, v.OrderID, v.Due, v.Level, v.Carton = string(c.Stage), s.ID, p.Number, p.OrderID, p.Due, p.Level, c.Carton
	cat := d.x.catalog.Load()
	for _, i := range c.Items {
		it := cat.items[i.Item]
		v.Items = append(v.Items, view.PackItem{ItemID: i.Item, SKU: cmp.Or(it.SKU, i.Item), Title: it.Title, Barcode: it.Barcode, Qty: i.Qty, In: i.In})
	}
	if v.Hazmat = cat.dangerous(&s.Shipment); s.Box != nil {
		v.Grams = s.Box.Grams
	}
	switch c.Stage {
	case floor.Check:
		n := c.Missing()[0]
		v.Expect = fmt.Sprintf("Scan %d × %s", n.Qty, cat.called(n.Item))
	case floor.Boxed:
		v.Expect = "Scan the box, or Enter."
	case floor.Weigh:
		v.Expect = "Put it on the scale."
	case floor.Label:
		v.Expect, v.LabelText = labelWords(s)
		if s.Label.Document != "" {
			v.Label, v.HazmatLabel = "/floor/sheets/label/"+s.ID, v.Hazmat && s.Way == shipping.ByPlatform
		}
	}
	return nil
}

// labelWords says what to do about the label, and how far it is.
func labelWords(s *store.Shipment) (expect, text string) {
	switch {
	case s.Label.Fate == shipping.Done:
		return "Stick the label on and scan it.", strings.TrimSpace(s.Label.Carrier+" "+s.Label.Service) + " … " + tail(s.Label.Tracking)
	case s.Way == shipping.ByHand:
		return "Stick a label of " + cmp.Or(s.Carrier, "the carrier") + " on and scan it.", ""
	case s.Question() != "":
		return "Put it aside: the label cannot be made.", s.Question()
	}
	return "The label is being made.", "It appears here by itself."
}

// boxed adds the box that is proposed, or says that it takes several. Without one the packer takes what fits.
func (d *Desk) boxed(ctx context.Context, v *view.Pack) {
	b, err := d.x.ProposeBox(ctx, v.Parcel)
	checks := v.Stage == string(floor.Check)
	switch {
	case err != nil && !checks:
		v.Why = []string{"No box is proposed: " + errs.Safe(err) + "."}
		return
	case err == nil && len(b.Boxes) > 1:
		v.Several = severalBoxes(b.Boxes, checks)
		return
	case err != nil || checks:
		return
	}
	v.Why = b.Why
	for _, c := range b.Cartons {
		v.Cartons = append(v.Cartons, view.Option{ID: c.ID, Label: c.Name})
	}
	if len(b.Boxes) > 0 {
		v.Picture, v.Carton = &b.Boxes[0].Picture, b.Boxes[0].Carton.Name
		v.Expect = "Box " + v.Carton + ". Scan it, or Enter."
	}
}

// severalBoxes says what goes into the first of several boxes, and how the rest comes into another.
func severalBoxes(boxes []view.Box, checks bool) string {
	var first []string
	for _, l := range boxes[0].Contents {
		first = append(first, fmt.Sprintf("%d × %s", l.Qty, l.SKU))
	}
	say := fmt.Sprintf("It takes %d boxes. Into the first, %s: %s. ", len(boxes), boxes[0].Carton.Name, and(first))
	if checks {
		return say + "Scan those, then “Another box”."
	}
	return say + "To divide it, “Another box”."
}
