package order

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
)

func TestFactsThatCannotBeAreRefusedByField(t *testing.T) {
	line := func(l Line) func(*Fact) { return func(f *Fact) { f.Detail.Lines = []Line{l} } }
	for field, breakIt := range map[string]func(*Fact){
		"connection_id":      func(f *Fact) { f.ConnectionID = "" },
		"external_id":        func(f *Fact) { f.ExternalID = strings.Repeat("9", maxID+1) },
		"external_id must":   func(f *Fact) { f.ExternalID = "1\x00" },
		"updated_at":         func(f *Fact) { f.UpdatedAt = time.Time{} },
		"updated_at must":    func(f *Fact) { f.UpdatedAt = time.Unix(1_800_000_000_000, 0) }, // milliseconds taken for seconds
		"status":             func(f *Fact) { f.Status = "AWAITING_SHIPMENT" },
		"kind":               func(f *Fact) { f.Kind = "order" },
		"status must":        func(f *Fact) { f.Kind, f.Status = StatusNotice, "" },
		"detail":             func(f *Fact) { f.Detail = nil },
		"detail and read_at": func(f *Fact) { f.ReadAt = time.Time{} },
		"detail has":         func(f *Fact) { f.Detail.Deadlines.ShipBy = time.Unix(1_800_000_000_000, 0) },
		"fulfilment":         func(f *Fact) { f.Detail.Fulfilment = "" },
		"cancellation":       func(f *Fact) { f.Kind, f.Cancellation = CancelNotice, &Cancellation{ID: "c", State: "closed"} },
		"cancellation names": func(f *Fact) {
			f.Kind, f.Cancellation = CancelNotice, &Cancellation{ID: "c", State: CancelDone, Units: []string{""}}
		},
		"return":                            func(f *Fact) { f.Kind, f.Return = ReturnNotice, &Return{} },
		"return must have times":            func(f *Fact) { f.Kind, f.Return = ReturnNotice, &Return{ID: "r", AnswerBy: time.Unix(1<<40, 0)} },
		"lines line 1":                      line(Line{ExternalSKU: "s", Qty: 1}),
		"lines line 1 must have a quantity": line(Line{ExternalLineID: "l", Qty: MaxLineQty + 1}),
		"lines line 1 has more":             line(Line{ExternalLineID: "l", Qty: 1, Cancelled: 2}),
		"lines line 1 names units":          line(Line{Units: []Unit{{ExternalLineID: "u"}}}),
		"lines line 1 has a unit":           line(Line{ExternalSKU: "s", Units: []Unit{{ExternalLineID: "u"}, {ExternalLineID: "u"}}}),
		"lines line 1 has the unknown":      line(Line{ExternalSKU: "s", Units: []Unit{{ExternalLineID: "u", Status: "gone"}}}),
		"lines line 1 has a part":           line(Line{ExternalLineID: "l", Qty: 1, Parts: []Part{{ExternalSKU: "x"}}}),
		"region":                            func(f *Fact) { f.Detail.Region = "US-Los Angeles" },
		"region must":                       func(f *Fact) { f.Detail.Region = "US-" },
		"region must be":                    func(f *Fact) { f.Detail.Region = "us" },
		"parcels parcel 1":                  func(f *Fact) { f.Detail.Parcels = []Parcel{{Tracking: "9400"}} },
		"parcels parcel 2":                  func(f *Fact) { f.Detail.Parcels = []Parcel{{Ref: "p"}, {Ref: "p"}} },
		"parcels has more":                  func(f *Fact) { f.Detail.Parcels = make([]Parcel, MaxParcels+1) },
		"lines has more": func(f *Fact) {
			units := make([]Unit, MaxUnits+1)
			for i := range units {
				units[i].ExternalLineID = "u" + strings.Repeat("x", i%100) + string(rune('0'+i/100))
			}
			f.Detail.Lines = []Line{{ExternalSKU: "s", Units: units}}
		},
	} {
		f := shot(AwaitingShipment, 1)
		breakIt(&f)
		_, _, err := Merge(nil, f)
		if !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Safe(err), field) {
			t.Errorf("%s: err = %v", field, err)
		}
		if _, hashErr := f.Hash(); !errs.Is(hashErr, errs.Invalid) {
			t.Errorf("%s: Hash err = %v", field, hashErr)
		}
	}
}

func TestHashIsStable(t *testing.T) {
	f := shot(AwaitingShipment, 1)
	h, err := f.Hash()
	if want := "c2eb66f51822818173d5c44f3d2b241962535e592fb9f5bdd935a77cdad243f4"; err != nil || h != want {
		t.Errorf("the hash of old facts must not change, or all are taken for new: %s, want %s, %v", h, want, err)
	}
	for name, same := range map[string]Fact{
		"read later": readAt(shot(AwaitingShipment, 1), 99),
		"a line each unit": shot(AwaitingShipment, 1, func(d *Detail) {
			u := d.Lines[0].Units
			d.Lines = []Line{{ExternalSKU: "sku", Units: u[1:]}, {ExternalSKU: "sku", Units: u[:1]}}
		}),
		"another zone": shot(AwaitingShipment, 1, func(d *Detail) { d.CreatedAt = d.CreatedAt.In(time.FixedZone("x", 3600)) }),
	} {
		if g, err := same.Hash(); err != nil || g != h {
			t.Errorf("%s: another hash, %v", name, err)
		}
	}
	for name, other := range map[string]Fact{
		"another version": shot(AwaitingShipment, 2),
		"another status":  shot(AwaitingCollection, 1),
		"a unit less":     shot(AwaitingShipment, 1, cancelledUnits("u1")),
		"a notice":        notice(AwaitingShipment, 1),
	} {
		if g, err := other.Hash(); err != nil || g == h {
			t.Errorf("%s: the same hash, %v", name, err)
		}
	}
}

func TestUnitLinesAreGroupedBySKUAndPrice(t *testing.T) {
	usd := func(n int64) money.Amount { return money.Amount{Minor: n, Currency: "USD"} }
	o := mergeAll(t, shot(AwaitingShipment, 1, func(d *Detail) {
		d.Lines = []Line{
			{ExternalSKU: "b", UnitPrice: usd(500), Units: []Unit{{ExternalLineID: "4"}}},
			{ExternalSKU: "a", UnitPrice: usd(900), Units: []Unit{{ExternalLineID: "3", Status: Cancelled}}},
			{ExternalSKU: "b", UnitPrice: usd(0), Units: []Unit{{ExternalLineID: "1"}}},
			{ExternalSKU: "a", UnitPrice: usd(900), Units: []Unit{{ExternalLineID: "2", Status: InTransit}}},
		}
	}))
	want := []Line{
		{Key: "a", ExternalSKU: "a", UnitPrice: usd(900), Qty: 2, Cancelled: 1, Shipped: 1,
			Units: []Unit{{ExternalLineID: "2", Status: InTransit}, {ExternalLineID: "3", Status: Cancelled, Cancelled: true}}},
		{Key: "b", ExternalSKU: "b", UnitPrice: usd(0), Qty: 1, Units: []Unit{{ExternalLineID: "1"}}},
		{Key: "b", ExternalSKU: "b", UnitPrice: usd(500), Qty: 1, Units: []Unit{{ExternalLineID: "4"}}},
	}
	if d := cmp.Diff(want, o.Lines); d != "" {
		t.Fatal(d)
	}
}

func TestMergeSharesNothingWithTheFact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFact(t)
		before, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		o := mergeAll(t, f)
		known := stored(t, o)
		if f.Detail != nil {
			for i := range f.Detail.Lines {
				l := &f.Detail.Lines[i]
				l.Title = "changed"
				for j := range l.Units {
					l.Units[j].PackageRef = "changed"
				}
			}
		}
		if f.Cancellation != nil {
			slices.Reverse(f.Cancellation.Units)
			f.Cancellation.Reason = "changed"
		}
		if d := cmp.Diff(known, o); d != "" {
			t.Fatalf("changing the fact %s changed the order:\n%s", before, d)
		}
	})
}

// FuzzMerge feeds two facts decoded from outside bytes: no panic, both orders of arrival agree, and the result can be stored.
func FuzzMerge(f *testing.F) {
	for _, pair := range [][2]Fact{
		{shot(AwaitingShipment, 1, cancelledUnits("u1")), notice(Cancelled, 2)},
		{cancelNotice("c", CancelPending, 1), shot(InTransit, 1, quantity(3, 1, 1), handedOver(1))},
		{shot("", 1), shot(Completed, 1)},
	} {
		a, _ := json.Marshal(pair[0])
		b, _ := json.Marshal(pair[1])
		f.Add(a, b)
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var x, y Fact
		if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
			return
		}
		y.ConnectionID, y.ExternalID = x.ConnectionID, x.ExternalID
		one, _, err := Merge(nil, x)
		if err != nil {
			if !errs.Is(err, errs.Invalid) {
				t.Fatal(err)
			}
			return
		}
		other, _, err := Merge(nil, y)
		if err != nil {
			return
		}
		xy, _, err1 := Merge(&one, y)
		yx, _, err2 := Merge(&other, x)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if d := cmp.Diff(xy, yx); d != "" {
			t.Fatal(d)
		}
		if _, c, _ := Merge(&xy, x); c.Any() {
			t.Fatalf("a repeated fact changes something: %+v", c)
		}
		blob, err := json.Marshal(xy)
		if err != nil {
			t.Fatal(err)
		}
		var back Order
		if err := json.Unmarshal(blob, &back); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(xy, back); d != "" {
			t.Fatal(d)
		}
		for _, d := range Demand(&xy) {
			if d.Reserve < 0 || d.Ship < 0 {
				t.Fatalf("%+v", d)
			}
		}
		_, _ = MayShip(&xy), NextDue(&xy)
	})
}

func TestOfAPostalCodeThreeCharactersAreKept(t *testing.T) {
	for code, want := range map[string]string{"90210": "902", "90210-1234": "902", "sw1a 1aa": "SW1", "K1A 0B1": "K1A", "75001": "750",
		"": "", "90": "", "***": "", "9****": "", "1-2": "", "é90210": ""} {
		if got := PostalPrefix(code); got != want {
			t.Errorf("%q: %q, want %q", code, got, want)
		}
	}
}
