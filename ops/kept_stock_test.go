package ops

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// stockBroker is a provider that tells what it has.
type stockBroker struct {
	*parcelBroker
	onHand map[string]int64 // by SKU
	during func()           // runs while it is asked
	fails  bool
}

func (b *stockBroker) Open(driver.CarrierAccount, driver.Env) (driver.Shipper, error) { return b, nil }

func (b *stockBroker) Stock(_ context.Context, cursor string) (driver.KeptPage, error) {
	if b.fails {
		return driver.KeptPage{}, &driver.Error{Class: driver.GiveUp, Message: "the key was withdrawn"}
	}
	if b.during != nil {
		b.during()
	}
	if cursor == "" { // a page with nothing in it is not the last
		return driver.KeptPage{Next: "2"}, nil
	}
	var out driver.KeptPage
	for sku, n := range b.onHand {
		out.Items = append(out.Items, driver.Kept{SKU: sku, LocationID: "a", OnHand: n - 1}, driver.Kept{SKU: sku, LocationID: "b", OnHand: 1})
	}
	return out, nil
}

// keeper is a node whose stock a provider keeps.
func (r *rig) keeper() *stockBroker {
	r.t.Helper()
	b := &stockBroker{parcelBroker: &parcelBroker{labels: map[string][]string{}, voided: map[string]bool{}}, onHand: map[string]int64{}}
	r.x.carriers["broker"] = b
	a, err := r.x.AddCarrier(r.t.Context(), NewCarrierAccount{Carrier: "broker", Name: "Hub", Settings: map[string]string{"key": "k"}, Actor: "lena"})
	r.must(err)
	_, err = r.x.SaveNode(r.t.Context(), network.Node{ID: "hub", Name: "Fulfil Hub", Kind: network.ThreePL, Zone: "UTC", Place: network.Place{Country: "US"}, Active: true, Account: a.ID}, 0, "lena")
	r.must(err)
	for _, item := range []string{"MUG", "LAMP"} {
		r.did(r.d.AdjustStock(r.t.Context(), view.StockDraft{ID: "hub-" + item, Kind: "receive", ItemID: item, LocationID: "hub", Qty: 40, Actor: "lena"}))
	}
	return b
}

// at is what the ledger has at the provider's.
func (r *rig) at(item string) (out stock.Balance) {
	r.t.Helper()
	all, err := r.x.balancesAt(r.t.Context(), "hub")
	r.must(err)
	return all[item]
}

func TestWhatAProviderCountsIsComparedAndTakenOver(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		ctx := t.Context()
		b := r.keeper()
		b.onHand = map[string]int64{"ITEM-S1": 40, "ITEM-S4": 25, "OTHER": 7}
		k, err := r.x.ReadKept(ctx, "hub")
		r.must(err)
		if diff := cmp.Diff([]KeptDiff{{Item: "LAMP", Theirs: 25, Ours: 40, Version: r.at("LAMP").Version}}, k.Diffs); diff != "" || k.Items != 2 || k.Unknown != 2 || k.Units != 15 {
			t.Errorf("%s %+v", diff, k)
		}
		got, err := r.x.keptSignals(ctx, r.x.now())
		r.must(err)
		if s, any := find(t, got, alert.KeptStock, "hub"); !any || !strings.Contains(s.Text, "15 units in 1 item") {
			t.Errorf("%+v", got)
		}
		page, err := r.d.Node(ctx, "hub")
		r.must(err)
		if page.Kept == nil || !page.Kept.May || len(page.Kept.Rows) != 1 || page.Kept.Rows[0].Off != -15 {
			t.Errorf("%+v", page.Kept)
		}
		if _, err := r.d.TakeKept(ctx, "hub", k.Read.Add(time.Second), "lena"); !errs.Is(err, errs.Conflict) {
			t.Errorf("of another reading: %v", err)
		}
		for range 2 { // again changes nothing
			r.did(r.d.TakeKept(ctx, "hub", k.Read, "lena"))
			if n := r.at("LAMP").OnHand; n != 25 {
				t.Errorf("%d are there", n)
			}
		}
		if k, err = r.x.ReadKept(ctx, "hub"); err != nil || k.Differ != 0 {
			t.Errorf("%+v, %v", k, err)
		}
		b.fails = true
		if _, err = r.x.ReadKept(ctx, "hub"); err == nil {
			t.Error("it does not fail")
		}
		if page, err = r.d.Node(ctx, "hub"); err != nil || page.Kept.Failed != "the key was withdrawn" || page.Kept.Read.IsZero() {
			t.Errorf("%+v, %v", page.Kept, err)
		}
		if _, err := r.x.ReadKept(ctx, "main"); !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Invalid) {
			t.Errorf("no provider keeps it: %v", err)
		}
	})
}

// Nothing is overwritten blindly: what moves in the ledger while the provider is asked is not compared, and what moves after it is not booked.
func TestWhatMovesMeanwhileIsNotTakenOver(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	b := r.keeper()
	b.onHand = map[string]int64{"ITEM-S1": 30, "ITEM-S4": 30}
	once := false
	b.during = func() {
		if !once {
			once = true
			r.did(r.d.AdjustStock(ctx, view.StockDraft{ID: "during", Kind: "receive", ItemID: "MUG", LocationID: "hub", Qty: 5, Actor: "lena"}))
		}
	}
	k, err := r.x.ReadKept(ctx, "hub")
	r.must(err)
	if k.Moving != 1 || len(k.Diffs) != 1 || k.Diffs[0].Item != "LAMP" {
		t.Fatalf("%+v", k)
	}
	r.did(r.d.AdjustStock(ctx, view.StockDraft{ID: "after", Kind: "receive", ItemID: "LAMP", LocationID: "hub", Qty: 5, Actor: "lena"}))
	taken, skipped, err := r.x.TakeKept(ctx, "hub", k.Read, "lena")
	if err != nil || taken != 0 || skipped != 1 || r.at("LAMP").OnHand != 45 || r.at("MUG").OnHand != 45 {
		t.Errorf("%d booked, %d left out, %v; %+v %+v", taken, skipped, err, r.at("LAMP"), r.at("MUG"))
	}
}

// A parcel that the provider has shipped and the channel does not know to have left is no difference; one that is only released to it is on hand in both.
func TestParcelsUnderWayAreNoDifference(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	r.keeper()
	parcel := func(id, order, tracking string, way shipping.Way) store.Shipment {
		s := store.Shipment{Shipment: shipping.Shipment{ID: id, ConnectionID: "c", Orders: []string{order}, Node: "hub", Way: way, Account: "acc", Lines: []shipping.Line{{OrderID: order, Key: "k", ItemID: "MUG", Qty: 3}}}}
		s.Booked(time.Now(), shipping.Label{Ref: "ref-" + id, Carrier: "UPS", Tracking: tracking})
		return s
	}
	stopped := parcel("stopped", "c:4", "1ZSTOPPED", shipping.ByProvider)
	stopped.Stop(time.Now(), "cancelled")
	r.must(r.st.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.ShipmentsAdd([]store.Shipment{parcel("gone", "c:1", "1ZGONE", shipping.ByProvider), parcel("released", "c:2", "", shipping.ByProvider), parcel("own", "c:3", "1ZOWN", shipping.ByHand), stopped})
		return err
	}))
	var held []stock.Reservation
	for _, o := range []string{"c:1", "c:2", "c:3", "c:4"} {
		held = append(held, stock.Reservation{OrderID: o, LineID: "k", ItemID: "MUG", LocationID: "hub", Held: 2})
	}
	held = append(held, stock.Reservation{OrderID: "c:1", LineID: "k", ItemID: "MUG", LocationID: "main", Held: 2})
	out := map[string]int64{}
	r.must(r.st.View(ctx, func(tx *store.Tx) error { return leftOf(tx, "hub", held, out) }))
	if diff := cmp.Diff(map[string]int64{"MUG": 2}, out); diff != "" {
		t.Error(diff)
	}
	k := KeptStock{}
	compareKept(&k, map[string]int64{"MUG": 38}, map[string]stock.Balance{"MUG": {OnHand: 40, Version: 4}}, map[string]stock.Balance{"MUG": {OnHand: 40, Version: 4}}, out)
	if k.Differ != 0 || k.Items != 1 {
		t.Errorf("%+v", k)
	}
}
