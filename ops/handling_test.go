package ops

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const someCartons = "id,name,inner_length_mm,inner_width_mm,inner_height_mm,outer_length_mm,outer_width_mm,outer_height_mm,grams,max_grams,cost,currency,active\n" +
	"s,Small,220,160,120,226,166,128,120,5000,0.35,USD,yes\n" +
	"m,Medium,300,220,180,308,228,190,210,15000,0.55,USD,yes\n" +
	"xl,Huge,900,700,600,910,710,610,900,30000,2.10,USD,yes\n"

// benched is a shop with a node that has a lane, three cartons and items of known and of unknown size.
func benched(t *testing.T) *Ops {
	t.Helper()
	x := newOps(t, "")
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(x.PutItems(ctx, []catalog.Item{{ID: "mug", SKU: "MUG"}, {ID: "book", SKU: "BOOK"}, {ID: "lamp", SKU: "LAMP"}, {ID: "new", SKU: "NEW"},
		{ID: "set", SKU: "SET", Components: []catalog.Component{{ItemID: "mug", Qty: 2}}}}))
	n := network.Node{ID: "reno", Name: "Reno", Kind: network.Own, Zone: "UTC", Active: true, Place: network.Place{Country: "US", State: "NV", Postal: "89502"},
		Lanes: []network.Lane{{Carrier: "USPS", MaxGrams: 20_000, Tariff: network.Tariff{PerPound: money.Amount{Minor: 60, Currency: "USD"}}}}}
	_, err := x.SaveNode(ctx, n, 0, "ann")
	must(err)
	for kind, text := range map[string]string{view.TableCartons: someCartons, view.TablePhysicals: "sku,grams,length_mm,width_mm,height_mm,stance,fragile,needs,origin,hs_code\n" +
		"MUG,350,120,100,110,up,yes,,CN,6912.00\nBOOK,400,210,148,30,,,,,\nLAMP,2500,1200,200,200,,,oversize,,\n"} {
		got, err := x.ImportTable(ctx, kind, []byte(text), "ann")
		must(err)
		if len(got.Problems) > 0 || got.Changed != 3 {
			t.Fatalf("%s: %+v", kind, got)
		}
	}
	return x
}

func propose(t *testing.T, x *Ops, id string, lines map[string]int64) view.BoxProposal {
	t.Helper()
	s := shipping.Shipment{ID: id, ConnectionID: "shop", Orders: []string{"shop:1"}, Node: "reno", Way: shipping.ByHand, Carrier: "USPS", CreatedAt: time.Now()}
	for item, qty := range lines {
		s.Lines = append(s.Lines, shipping.Line{OrderID: "shop:1", Key: item, ItemID: item, Qty: qty})
	}
	if err := x.st.Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ShipmentsAdd([]store.Shipment{{Shipment: s}})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	v, err := x.ProposeBox(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestABoxIsProposed(t *testing.T) {
	x := benched(t)
	v := propose(t, x, "p1", map[string]int64{"mug": 1, "book": 2})
	if len(v.Boxes) != 1 || v.Boxes[0].Carton.ID != "m" || v.Boxes[0].Grams != 350+800+210 || len(v.Boxes[0].Picture.Units) != 3 || len(v.Cartons) != 3 {
		t.Fatalf("%+v", v)
	}
	if b := v.Boxes[0]; b.BilledGrams < b.Grams || b.ByVolume {
		t.Errorf("billed %d g of %d", b.BilledGrams, b.Grams)
	}
	if why := strings.Join(v.Why, " "); !strings.Contains(why, "Medium takes all of it") || !strings.Contains(why, "Small takes only a part") {
		t.Error(why)
	}
	v = propose(t, x, "p2", map[string]int64{"new": 1, "mug": 1})
	if len(v.Boxes) != 0 || len(v.Missing) != 1 || v.Missing[0].Label != "NEW" || len(v.Cartons) != 3 {
		t.Errorf("of an item nobody has measured: %+v", v)
	}
	v = propose(t, x, "p3", map[string]int64{"lamp": 1, "mug": 1})
	if len(v.Boxes) != 1 || len(v.Left) != 1 || !strings.Contains(v.Left[0], "LAMP") {
		t.Errorf("of a lamp longer than any carton: %+v", v)
	}
	v = propose(t, x, "p4", map[string]int64{"book": 60}) // 24 kg: beyond what the lane takes in one, and the huge carton is beyond what USPS does
	if len(v.Boxes) < 2 || v.Boxes[0].Grams > 20_000 || v.Boxes[1].Grams > 20_000 {
		t.Errorf("beyond the lane's limit: %+v", v.Boxes)
	}
	if _, err := x.ProposeBox(t.Context(), "none"); !errs.Is(err, errs.NotFound) {
		t.Error(err)
	}
}

func TestRoutingAndLabelsKnowWhatItemsAreLike(t *testing.T) {
	h := &benched(t).catalog.Load().handling
	if l := h.routeLine(nil, "lamp", 2); l.Grams != 1200*200*200*10_000/(361_273*139) || len(l.Needs) != 1 || l.Needs[0] != network.Oversize {
		t.Errorf("%+v", l)
	}
	if l := h.routeLine(nil, "book", 1); l.Grams != 400 || l.Needs != nil {
		t.Errorf("%+v", l)
	}
	if l := h.routeLine(nil, "new", 1); l.Grams != 0 {
		t.Errorf("%+v", l)
	}
	if p := h.physicals["mug"]; p.HSCode != "691200" || p.Origin != "CN" {
		t.Errorf("%+v", p)
	}
}

// A file with one bad line changes nothing, and every problem is named by its line.
func TestATableIsTakenInWholeOrNotAtAll(t *testing.T) {
	x := benched(t)
	ctx := t.Context()
	for name, c := range map[string]struct {
		kind, text string
		lines      []int
	}{
		"a number that is none":  {view.TablePhysicals, "sku,grams\nBOOK,900\nMUG,heavy\n", []int{3}},
		"an unknown item":        {view.TablePhysicals, "sku,grams\nBOOK,900\nNONE,1\nSET,1\n", []int{3, 4}},
		"an item twice":          {view.TablePhysicals, "sku,grams\nBOOK,900\nBOOK,901\n", []int{3}},
		"an unknown column":      {view.TablePhysicals, "sku,gram\nBOOK,900\n", []int{1}},
		"an open quote":          {view.TablePhysicals, "sku,grams\nBOOK,900\n\"MUG,1\n", []int{3}},
		"equal to nothing known": {view.TablePhysicals, "sku,equals\nBOOK,MUG\nMUG,BOOK | NONE\nLAMP,LAMP\n", []int{3, 4}},
		"nothing":                {view.TablePhysicals, "", []int{0}},
		"another text":           {view.TablePhysicals, "sku,grams\nBOOK,\xff\n", []int{0}},
		"an unknown node":        {view.TableBins, "node,sku,bin\nreno,BOOK,A-1\noslo,BOOK,A-1\n", []int{3}},
		"two places of a shelf":  {view.TableBins, "node,sku,bin,walk\nreno,BOOK,A-1,4\nreno,MUG,A-1,5\n", []int{3}},
		"a carton inside out":    {view.TableCartons, "id,name,inner_length_mm,inner_width_mm,inner_height_mm,outer_length_mm,outer_width_mm,outer_height_mm\nq,Q,5,5,5,4,5,5\n", []int{2}},
	} {
		got, err := x.ImportTable(ctx, c.kind, []byte(c.text), "ann")
		var lines []int
		for _, p := range got.Problems {
			lines = append(lines, p.Line)
		}
		if err != nil || !same(lines, c.lines) || got.Changed != 0 {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	if p := x.catalog.Load().handling.physicals["book"]; p.Grams != 400 {
		t.Errorf("half of a file is in: %+v", p)
	}
	if _, err := x.ImportTable(ctx, "people", nil, "ann"); !errs.Is(err, errs.NotFound) {
		t.Error(err)
	}
	if _, err := x.ImportTable(ctx, view.TableBins, make([]byte, view.MaxTable+1), "ann"); !errs.Is(err, errs.Invalid) {
		t.Error(err)
	}
}

// What is exported reads back as it is, and no cell of it can become a formula.
func TestTablesReadBackWhatTheyWrite(t *testing.T) {
	x := benched(t)
	ctx := t.Context()
	if err := x.PutItems(ctx, []catalog.Item{{ID: "=evil", SKU: "=1+1"}}); err != nil {
		t.Fatal(err)
	}
	if got, err := x.ImportTable(ctx, view.TableBins, []byte("node,sku,bin,walk,primary\nreno,'=1+1,@B-2,7,yes\nreno,MUG,A-10,,\nreno,MUG,A-2,,yes\n"), "ann"); err != nil || got.Changed != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	if got, err := x.ImportTable(ctx, view.TablePhysicals, []byte("sku,grams,equals\nBOOK,400,MUG | =1+1\n"), "ann"); err != nil || got.Changed != 1 {
		t.Fatalf("%+v %v", got, err)
	}
	if got, err := x.ImportTable(ctx, view.TablePhysicals, []byte("sku,grams\nBOOK,410\n"), "ann"); err != nil || got.Changed != 1 || len(x.catalog.Load().equals("book")) != 2 {
		t.Errorf("a file without the column forgets what is equal: %+v %v", got, err)
	}
	for _, kind := range []string{view.TablePhysicals, view.TableBins, view.TableCartons} {
		var b bytes.Buffer
		if err := x.ExportTable(ctx, kind, &b); err != nil {
			t.Fatal(err)
		}
		for _, cell := range strings.FieldsFunc(b.String(), func(r rune) bool { return r == ',' || r == '\n' }) {
			if strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("%s: %q is a formula", kind, cell)
			}
		}
		if got, err := x.ImportTable(ctx, kind, b.Bytes(), "bob"); err != nil || len(got.Problems) > 0 || got.Changed != 0 {
			t.Errorf("%s is not read back: %+v %v\n%s", kind, got, err, b.String())
		}
	}
	if bins := x.BinsAt("reno", []string{"mug", "book"}); len(bins) != 1 || bins["mug"][0].Code != "A-2" {
		t.Errorf("%+v", bins)
	}
}

func TestTheFormOfWhatAnItemIsLike(t *testing.T) {
	x := benched(t)
	d, ctx := newDesk(t, x), t.Context()
	page, err := d.ItemHandling(ctx, "mug")
	if err != nil || page.Form.Grams != "350" || page.Form.Version != 1 || page.Said == "" {
		t.Fatalf("%+v %v", page, err)
	}
	draft := view.HandlingDraft{HandlingForm: page.Form, Actor: "lena"}
	draft.Equals = "BOOK\nNONE"
	v, err := d.PreviewHandling(ctx, draft)
	if err != nil || len(v.Wrong) != 1 || v.Wrong[0].Field != "equals" || v.Wrong[0].Text != "There is no item “NONE”." {
		t.Errorf("%+v %v", v, err)
	}
	draft.Equals = "BOOK"
	if v, err = d.PreviewHandling(ctx, draft); err != nil || len(v.Changes) != 1 || !strings.HasSuffix(v.Changes[0].To, "where there is none, send BOOK") {
		t.Errorf("%+v %v", v, err)
	}
	draft.Equals = ""
	draft.Grams, draft.Bins = "heavy", "oslo A-1"
	v, err = d.PreviewHandling(ctx, draft)
	if err != nil || len(v.Wrong) != 2 || v.Wrong[0].Field != "grams" || v.Wrong[1].Field != "bins" {
		t.Errorf("%+v %v", v, err)
	}
	draft.Grams, draft.Bins = "360", "reno A-1 12 first\nreno B-1"
	if v, err = d.PreviewHandling(ctx, draft); err != nil || len(v.Changes) != 2 || v.Refused != "" {
		t.Errorf("%+v %v", v, err)
	}
	if _, err := d.SaveHandling(ctx, draft); err != nil {
		t.Fatal(err)
	}
	if v, err = d.PreviewHandling(ctx, draft); err != nil || !strings.Contains(v.Refused, "has changed this item") {
		t.Errorf("a form opened before: %+v %v", v, err)
	}
	if _, err := d.SaveHandling(ctx, draft); !errs.Is(err, errs.Conflict) {
		t.Errorf("a form opened before: %v", err)
	}
	if page, err = d.ItemHandling(ctx, "mug"); err != nil || page.Form.Bins != draft.Bins || page.Form.Grams != "360" {
		t.Errorf("%+v %v", page, err)
	}
}

// Before the carrier is known routing weighs by the terms its lanes' carriers have that day, not by one divisor for all.
func TestRoutingWeighsByTheTermsOfItsLanesOnTheDay(t *testing.T) {
	site := func(lanes ...string) (out []routing.Site) {
		n := network.Node{ID: "main"}
		for _, l := range lanes {
			n.Lanes = append(n.Lanes, network.Lane{Carrier: l})
		}
		return []routing.Site{{Node: n}}
	}
	before, after := time.Date(2026, 7, 11, 12, 0, 0, 0, time.UTC), time.Date(2026, 7, 13, 12, 0, 0, 0, time.UTC)
	big := [3]int64{600, 400, 300} // 4,394 cubic inches: 26.5 lb by 166, 31.6 lb by 139
	small := [3]int64{250, 250, 250}
	for name, c := range map[string]struct {
		sites []routing.Site
		at    time.Time
		size  [3]int64
		want  int64
	}{
		"the post, before its divisor changed": {site("USPS"), before, big, 12_005},
		"the post, since":                      {site("USPS"), after, big, 14_337},
		"the post, small":                      {site("USPS"), after, small, 300},
		"UPS, small":                           {site("UPS"), after, small, 3_111},
		"the one that bills least":             {site("UPS", "USPS"), before, big, 12_005},
		"a carrier nobody knows":               {site("Bike courier"), before, big, 14_337},
		"no lanes":                             {nil, before, big, 14_337},
	} {
		if got := billableGrams(laneTerms(c.sites, c.at), 300, c.size[0], c.size[1], c.size[2]); got != c.want {
			t.Errorf("%s: %d g, want %d", name, got, c.want)
		}
	}
}
