package storybook

import (
	"context"
	"slices"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// The floor of the storybook stands still: it shows every state a page has.
var floorNode = view.Option{ID: "berlin", Label: "Berlin"}

func (b *Book) floorParcels() []view.FloorParcel {
	t := b.now()
	return []view.FloorParcel{
		{ID: "s1", OrderID: "clip-north:577180003000", Number: "577180003000", Contents: "MUG-01", Units: 1, Due: t.Add(-20 * time.Minute), Level: view.Bad, Step: "pack", By: "2"},
		{ID: "s2", OrderID: "clip-north:577180003001", Number: "577180003001", Contents: "2 × MUG-01, LAMP-02", Units: 3, Due: t.Add(50 * time.Minute), Level: view.Watch, Step: "pack", Wave: "W4F2A-1"},
		{ID: "s3", OrderID: "clip-north:577180003002", Number: "577180003002", Contents: "CANDLE-04", Units: 1, Due: t.Add(5 * time.Hour), Step: "pack"},
	}
}

func (b *Book) floorWave(id string) view.FloorWave {
	return view.FloorWave{ID: id, Name: id, Method: "one zone A", Parcels: 12, Units: 31, Picked: 9, Lacked: 1, Bins: 4, BinsDone: 2, Due: b.now().Add(50 * time.Minute), Level: view.Watch, By: "mia"}
}

// Floor is what waits.
func (b *Book) Floor(_ context.Context, node string) (view.Floor, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Floor{}, err
	}
	defer unlock()
	if len(b.nodes) == 0 {
		return view.Floor{At: b.now()}, nil
	}
	t := b.now()
	v := view.Floor{At: t, Node: floorNode, Nodes: []view.FloorNode{{ID: "berlin", Name: "Berlin", Waiting: 412, Due: t}, {ID: "hub", Name: "Fulfil Hub", Waiting: 12}}}
	if node == "hub" {
		v.Node = view.Option{ID: "hub", Label: "Fulfil Hub"}
		return v, nil
	}
	v.Steps = []view.FloorStep{{Step: "pack", Name: "to be packed", N: 371, Due: t.Add(-20 * time.Minute), Level: view.Bad}, {Step: "book", Name: "label being made", N: 3},
		{Step: "hand over", Name: "wait for a van", N: 36, Due: t.Add(4 * time.Hour)}, {Step: "ask", Name: "a person is asked", N: 2, Due: t.Add(50 * time.Minute), Level: view.Watch}}
	v.Together = []view.Together{{ID: "t1", Shop: "Clip North", Due: t.Add(5 * time.Hour), Orders: []view.TogetherOrder{{ID: "clip-north:577180003002", Number: "577180003002"}, {ID: "clip-north:577180003004", Number: "577180003004"}}}}
	v.Parcels, v.More, v.Trouble, v.Stuck, v.Waves = b.floorParcels(), true, 2, 2, []view.FloorWave{b.floorWave("W4F2A-1")}
	return v, nil
}

// PlanWaves proposes two waves.
func (b *Book) PlanWaves(_ context.Context, d view.FloorWaveDraft) (view.WavePlan, error) {
	v := view.WavePlan{Draft: d, Node: floorNode, Waiting: 30, Open: []view.FloorWave{b.floorWave("W4F2A-1")}}
	v.Waves = []view.FloorWave{
		{Name: "Wave 1", Method: "one item each", Parcels: 24, Units: 26, Due: b.now().Add(-20 * time.Minute), Level: view.Bad},
		{Name: "Wave 2", Method: "mixed", Parcels: 6, Units: 17, Due: b.now().Add(time.Hour)},
	}
	return v, nil
}

// ReleaseWaves says that it did.
func (b *Book) ReleaseWaves(context.Context, view.FloorWaveDraft) (view.Done, error) {
	return view.Done{Sentence: "2 waves are released."}, nil
}

// Pick is a walk with a bin that ran out.
func (b *Book) Pick(_ context.Context, wave string) (view.PickPage, error) {
	return view.PickPage{Wave: b.floorWave(wave), Node: floorNode, Now: 2, Tasks: []view.PickTask{
		{ID: "1", Bin: "A-01-02", ItemID: "MUG-01", SKU: "MUG-01", Title: "Mug, speckled", Qty: 8, Picked: 8, Parcels: 8},
		{ID: "2", Bin: "A-01-07", ItemID: "CANDLE-04", SKU: "CANDLE-04", Title: "Candle", Qty: 1, Picked: 2, Lacked: 1, Surplus: 1, Parcels: 1, Short: true},
		{ID: "3", Bin: "A-02-01", ItemID: "LAMP-02", SKU: "LAMP-02", Title: "Desk lamp", Qty: 12, Left: 12, Parcels: 6},
		{ID: "4", ItemID: "BOWL-07", SKU: "BOWL-07", Title: "Bowl", Qty: 3, Left: 3, Parcels: 3}}}, nil
}

// PickScan counts lamps.
func (b *Book) PickScan(_ context.Context, s view.Scan) (view.ScanAnswer, error) {
	if s.Text != "LAMP-02" {
		return view.ScanAnswer{Say: "Wrong item. Expected: Desk lamp (LAMP-02) from A-02-01."}, nil
	}
	return view.ScanAnswer{OK: true, Say: "11 units still to come."}, nil
}

// Pack shows a station by its name: idle, check, several, box, weigh or label.
func (b *Book) Pack(_ context.Context, node, station string) (view.Pack, error) {
	v := view.Pack{Node: floorNode, Station: station, Expect: "Scan an order, a tote or an item.", Waiting: 371, Packed: 36}
	if !slices.Contains([]string{"check", "several", "box", "weigh", "label"}, station) {
		return v, nil
	}
	v.Stage, v.Parcel, v.Order, v.OrderID, v.Due, v.Level = station, "s2", "577180003001", "clip-north:577180003001", b.now().Add(50*time.Minute), view.Watch
	v.Items = []view.PackItem{{ItemID: "MUG-01", SKU: "MUG-01", Title: "Mug, speckled", Qty: 2, In: 2}, {ItemID: "LAMP-02", SKU: "LAMP-02", Title: "Desk lamp", Qty: 1, In: 1}}
	v.Hazmat, v.HazmatLabel = station == "label", station == "label"
	switch station {
	case "check":
		v.Items[1].In, v.Expect = 0, "Scan 1 × Desk lamp (LAMP-02)"
	case "several":
		v.Stage, v.Items[0].In, v.Items[1].In, v.Expect = "check", 0, 0, "Scan 2 × Mug, speckled (MUG-01)"
		v.Several = "It takes 2 boxes. Into the first, Option 2: 2 × MUG-01. Scan those, then “Another box”."
	case "box":
		v.Expect, v.Carton = "Box Option 3. Scan it, or Enter.", "Option 3"
		v.Picture = &view.Carton{Name: "Option 3", L: 400, W: 300, H: 200, Units: []view.CartonUnit{{Name: "LAMP-02", Item: 1, L: 300, W: 200, H: 150}, {Name: "MUG-01", X: 300, L: 90, W: 120, H: 100}, {Name: "MUG-01", X: 300, Y: 120, L: 90, W: 120, H: 100}}}
		v.Why = []string{"Option 3 is the cheapest that holds all of it."}
	case "weigh":
		v.Expect = "Put it on the scale."
	case "label":
		v.Expect, v.LabelText, v.Label, v.Grams = "Stick the label on and scan it.", "DHL Paket … 004711", "/floor/sheets/label/s2", 1412
	}
	return v, nil
}

// PackScan knows mugs only.
func (b *Book) PackScan(_ context.Context, s view.Scan) (view.ScanAnswer, error) {
	if s.Text != "MUG-01" {
		return view.ScanAnswer{Say: "That does not belong into this parcel. Expected: 1 × Desk lamp (LAMP-02)."}, nil
	}
	return view.ScanAnswer{OK: true, Say: "Counted."}, nil
}

// HandOver is what waits for a van.
func (b *Book) HandOver(context.Context, string) (view.HandOver, error) {
	ps := b.floorParcels()
	for i := range ps {
		ps[i].By, ps[i].Wave, ps[i].Step = "", "", "DHL … 004711"
	}
	return view.HandOver{At: b.now(), Node: floorNode, Ready: ps, Vans: []view.Van{{Carrier: "DHL", N: 31}, {Carrier: "DPD", N: 5}},
		Bag: []view.Baggable{{ConnectionID: "clip-north", Shop: "Clip North", N: 31}},
		Bags: []view.Bag{{ID: "b2", Shop: "Clip North", N: 12, Made: true, NotMade: true, Level: view.Bad, Text: "Look in the channel's own pages whether it is made, and say it here. Its parcels go in no other bag meanwhile.", At: b.now().Add(-time.Hour), By: "mia"},
			{ID: "b1", Ref: "1153347821000000041", Shop: "Clip North", N: 40, Refused: 1, Level: view.Watch, Text: "1 order is not in it: the channel refused.", Sheet: true, At: b.now().Add(-4 * time.Hour), By: "mia"}},
		Unlisted: []view.Unlisted{{Account: "a1", Name: "EasyPost main", Carrier: "USPS", N: 18}},
		Manifests: []view.Manifest{
			{ID: "m3", Name: "EasyPost main", Carrier: "USPS", N: 40, NotDone: true, Made: true, NotMade: true, Level: view.Bad, Text: "Look in the account's own pages whether it is made, and say it here. Its parcels go on no other meanwhile.", At: b.now().Add(-time.Hour), By: "mia"},
			{ID: "m2", Name: "EasyPost main", Carrier: "UPS", N: 3, NotDone: true, Level: view.Bad, Text: "A shipment has no postage of USPS.", At: b.now().Add(-2 * time.Hour), By: "mia"},
			{ID: "m1", Ref: "sf_7c3f1d0e", Name: "EasyPost main", Carrier: "USPS", N: 212, Sheet: true, Level: view.Watch, Text: "1 parcel of it will not ship: off the van, and strike it from the sheet. Carriers may not pay back a label that is on a manifest.", At: b.now().Add(-4 * time.Hour), By: "mia"},
			{ID: "m0", Ref: "sf_19be22c4", Name: "EasyPost main", Carrier: "USPS", N: 198, Sheet: true, At: b.now().Add(-28 * time.Hour), By: "tom"}}}, nil
}

// HandScan takes any label.
func (b *Book) HandScan(context.Context, view.Scan) (view.ScanAnswer, error) {
	return view.ScanAnswer{OK: true, Say: "DHL … 004711"}, nil
}

// ByHand is a marketplace's warehouse without an account.
func (b *Book) ByHand(context.Context, string) (view.ByHand, error) {
	ps := b.floorParcels()
	for i := range ps {
		ps[i].Wave, ps[i].By = "", ""
	}
	sent, asked := slices.Clone(ps[:2]), slices.Clone(ps[1:2])
	sent[0].ID, sent[1].ID, asked[0].ID = "s31", "s32", "s33"
	v := view.ByHand{At: b.now(), Node: view.Option{ID: "mcf", Label: "Marketplace warehouse"}, Unconnected: true, Send: ps, SendN: 212, Sent: sent, SentN: 2, Asked: asked}
	v.Send[1].Question = "Its buyer asks to cancel it."
	v.Asked[0].Question = "Have its provider not ship it any more (its order was cancelled), and say what became of that."
	return v, nil
}

// ByHandParcel is one of them, or one that is stopped.
func (b *Book) ByHandParcel(_ context.Context, id string) (view.ByHandParcel, error) {
	p := b.floorParcels()[0]
	p.Step = "send"
	if id == "s2" {
		p.Step = "enter"
	}
	return view.ByHandParcel{Node: view.Option{ID: "mcf", Label: "Marketplace warehouse"}, Parcel: p, Lines: []view.ByHandLine{{SKU: "MUG-01", Title: "Mug, white", Qty: 2}, {SKU: "LAMP-02", Title: "Desk lamp", Qty: 1}},
		Address: []string{"Ada Example", "12 Long Street, Flat 4", "Springfield", "IL 62701", "US", "+1 217 555 0100"}}, nil
}

// Bench is the exceptions.
func (b *Book) Bench(context.Context, string) (view.Bench, error) {
	q := b.floorParcels()[:2]
	q[0].Question, q[1].Question = "The address is not complete: the house number is missing.", "The account has no funds left."
	return view.Bench{At: b.now(), Node: floorNode, Questions: q, StuckN: 2, Stuck: []view.StuckParcel{
		{ID: "s21", OrderID: "clip-north:577180003005", Number: "577180003005", Carrier: "DHL", Tracking: "00340434292135100186", Text: "The last scan was on 18 November 06:12 UTC.", Level: view.Watch,
			Next: "Ask the carrier to look for it. When it is lost, claim it, send it again or refund it, and say so on the order’s page.", Since: b.now().Add(-26 * time.Hour)},
		{ID: "s22", OrderID: "clip-north:577180003006", Number: "577180003006", Carrier: "DPD", Tracking: "01505031234567", Text: "It was fetched on 20 November 16:00 UTC, and the carrier has not scanned it.", Level: view.Watch,
			Next: "Look whether it is still in the building, then ask the carrier for a scan; the order’s page has its number.", Since: b.now().Add(-2 * time.Hour)}}, Troubles: []view.Trouble{
		{Parcel: "s7", OrderID: "clip-north:577180003003", Number: "577180003003", Kind: "short", Text: "1 unit of Candle (CANDLE-04) not found in bin A-01-07.", Note: "Routed again: 1 unit from hub.", By: "mia", At: b.now().Add(-10 * time.Minute), Settled: true},
		{Parcel: "s8", OrderID: "clip-north:577180003004", Number: "577180003004", Kind: "aside", Text: "Put aside at station 2.", By: "mia", At: b.now().Add(-25 * time.Minute)}}}, nil
}

// ActOnFloor refuses what stands on the bench for good.
func (b *Book) ActOnFloor(_ context.Context, a view.FloorAct) (view.FloorActed, error) {
	var out view.FloorActed
	for _, p := range a.Parcels {
		row := view.FloorRow{Parcel: p, OK: p != "s8", Say: "it is tried again"}
		if !row.OK {
			row.Say = "it still waits to be packed: give it back to work, or route it again"
		}
		out.Rows = append(out.Rows, row)
	}
	return out, nil
}

// FloorSheet has nothing to print.
func (b *Book) FloorSheet(_ context.Context, kind, id string) (view.Sheet, error) {
	return view.Sheet{}, errs.New(errs.NotFound, "storybook.FloorSheet", id, "There is no such sheet.")
}

// Combine says that it did.
func (b *Book) Combine(context.Context, string, string) (view.Done, error) {
	return view.Done{Sentence: "They ship as one parcel, as soon as the channel agrees."}, nil
}

// DeclineCombine says that it did.
func (b *Book) DeclineCombine(context.Context, string, string) (view.Done, error) {
	return view.Done{Sentence: "They ship apart, and are not proposed again."}, nil
}

// SetCombine says that it did.
func (b *Book) SetCombine(context.Context, string, string) (view.Done, error) {
	return view.Done{Sentence: "What may ship as one is proposed on the floor."}, nil
}

// MakeBag says that it did.
func (b *Book) MakeBag(context.Context, view.BagDraft) (view.Done, error) {
	return view.Done{Sentence: "36 orders are in bag 1153347821000000041. Print its sheet and stick it on."}, nil
}

// SettleBag says what was said.
func (b *Book) SettleBag(_ context.Context, _ string, made bool, _ string) (view.Done, error) {
	if !made {
		return view.Done{Sentence: "Not made, says mia. Its parcels can go in another."}, nil
	}
	return view.Done{Sentence: "Made, says mia: its sheet is in the channel's own pages."}, nil
}

// CloseManifest says that it did.
func (b *Book) CloseManifest(context.Context, view.ManifestDraft) (view.Done, error) {
	return view.Done{Sentence: "18 parcels are on the manifest of USPS. Print its sheet for the driver."}, nil
}

// SettleManifest says what was said.
func (b *Book) SettleManifest(_ context.Context, _ string, made bool, _ string) (view.Done, error) {
	if !made {
		return view.Done{Sentence: "Not made, says mia. Its parcels can go on another."}, nil
	}
	return view.Done{Sentence: "Made, says mia: its sheet is in the account's own pages."}, nil
}

// SetLabelFormat says that it did.
func (b *Book) SetLabelFormat(context.Context, string, string) (view.Done, error) {
	return view.Done{Sentence: "Labels are asked for as ZPL from now on, where whoever makes them can."}, nil
}
