package ops

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/csv3pl"
	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// marketplace makes the cheaper node a marketplace's warehouse, with the account that ships from it; empty: none.
func (r *rig) marketplace(account string) {
	r.t.Helper()
	r.must(r.st.Update(r.t.Context(), func(tx *store.Tx) error {
		if err := tx.LocationPut(stock.Location{ID: "west", Name: "Elsewhere", Kind: stock.Marketplace, Serves: []string{r.conn}, Active: true}); err != nil {
			return err
		}
		n, err := tx.NodeGet("west")
		if err != nil {
			return err
		}
		n.Kind, n.Account = network.MCF, account
		return tx.NodePut(n.Node, n.Version, "lena")
	}))
	r.must(r.x.reloadCatalogue(r.t.Context()))
	r.x.network.mu.Lock()
	r.x.network.made = time.Time{}
	r.x.network.mu.Unlock()
}

// sellsThere sells an order that leaves from the marketplace's warehouse, and is its parcel.
func (r *rig) sellsThere() (order string, s store.Shipment) {
	r.t.Helper()
	order = r.sell("S1", 2)
	r.until("it leaves from there", func() bool {
		_, live, _ := r.standing(order)
		if len(live) == 1 {
			s = live[0]
		}
		return len(live) == 1
	})
	if s.Node != "west" || !s.ByPerson() || s.Next(r.x.now()).Kind != shipping.Send {
		r.t.Fatalf("from %s, by %s %s, %s", s.Node, s.Way, s.Account, s.Next(r.x.now()).Kind)
	}
	return order, s
}

// acts does one thing to a parcel and is what was said of it.
func (r *rig) acts(act string, parcels ...string) (rows []view.FloorRow) {
	r.t.Helper()
	done, err := r.x.ActOnFloor(r.t.Context(), view.FloorAct{Act: act, Node: "west", Parcels: parcels, Actor: "ann"})
	r.must(err)
	return done.Rows
}

// A parcel of a provider without an account is nothing our floor sees: a person sends it, and the number the provider gives reaches the channel.
func TestAPersonSendsOrdersToAProviderWithoutAnAccount(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		r.x.carriers["csv3pl"] = csv3pl.Carrier{}
		r.network(90)
		r.marketplace("")
		order, s := r.sellsThere()
		external := strings.TrimPrefix(order, r.conn+":")
		r.nothingToPack(external)
		if v, err := r.d.ByHand(t.Context(), "west"); err != nil || !v.Unconnected || len(v.Send) != 1 || v.SendN != 1 || len(v.Sent) != 0 {
			t.Fatalf("%+v %v", v, err)
		}
		sv, err := r.d.lookAround(t.Context())
		r.must(err)
		if !slices.ContainsFunc(r.d.problems(sv, channels{}), func(p view.Problem) bool {
			return strings.Contains(p.Text, "Elsewhere has no account connected, and 1 order waits") && p.Ref.Kind == view.KindByHand
		}) {
			t.Error("nobody is told that the node has no account")
		}
		if _, err := r.d.FloorSheet(t.Context(), "orders", "west"); !errs.Is(err, errs.NotFound) {
			t.Errorf("a file of orders that nobody has taken: %v", err)
		}
		for range 2 { // pressed twice
			if rows := r.acts("send", s.ID); !rows[0].OK {
				t.Fatal(rows)
			}
		}
		plan, err := r.x.Replan(t.Context(), nil, true, nil)
		if err != nil || plan.Orders != 0 || plan.Started != 0 && plan.Moved != 0 {
			t.Errorf("what a person sends is planned anew: %+v %v", plan, err)
		}
		r.fileHolds(s.ID, external)
		const number = "9400111206206406300100"
		r.did(r.d.Renumber(t.Context(), view.RenumberDraft{OrderID: order, Parcel: s.ID, Number: "9400 1112 0620 6406 3001 00", Actor: "ann"}))
		r.must(r.x.Renumber(t.Context(), order, s.ID, "", number, "ann")) // entered again
		r.shipped(s.ID, "the channel knows the number", func(s store.Shipment) bool { return s.Tell.Tracking == number && s.Shipped() })
		if known := r.shop.Parcels(external); len(known) != 1 || known[0].Tracking != number || known[0].Carrier == "" {
			t.Errorf("%+v", known)
		}
		r.proves(s.ID, custody.LabelBought, custody.HandedOver)
	})
}

// nothingToPack proves that no page of the floor offers to pick or pack anything at the node.
func (r *rig) nothingToPack(external string) {
	r.t.Helper()
	ctx := r.t.Context()
	if v, err := r.d.Floor(ctx, "west"); err != nil || len(v.Parcels) != 0 || v.ByHand != 1 {
		r.t.Errorf("%+v %v", v, err)
	}
	if _, err := r.x.ReleaseWaves(ctx, view.FloorWaveDraft{ID: "draft", Node: "west", Actor: "lead"}); !errs.Is(err, errs.Conflict) {
		r.t.Errorf("a wave is released of it: %v", err)
	}
	for i, text := range []string{external, "4006381333931"} {
		a, err := r.x.PackScan(ctx, view.Scan{ID: "pack-" + string(rune('0'+i)), Node: "west", Station: "one", Text: text, Actor: "ann"})
		if err != nil || a.OK {
			r.t.Errorf("%s opens it at a station: %+v %v", text, a, err)
		}
	}
	if v, err := r.d.Pack(ctx, "west", "one"); err != nil || v.Waiting != 0 || v.Parcel != "" {
		r.t.Errorf("%+v %v", v, err)
	}
	var queue map[string]int64
	r.must(r.st.View(ctx, func(tx *store.Tx) (err error) { queue, err = waitingAt(tx); return err }))
	if queue["west"] != 0 {
		r.t.Errorf("it is in the node's queue: %v", queue)
	}
}

// fileHolds reads the file of what is sent by hand, which has one line with the parcel's address, and the parcel's page.
func (r *rig) fileHolds(parcel, external string) {
	r.t.Helper()
	to := r.shop.AddressOf(external)
	for _, id := range []string{"west", parcel} {
		sheet, err := r.d.FloorSheet(r.t.Context(), "orders", id)
		r.must(err)
		rows, err := csv.NewReader(strings.NewReader(string(sheet.Data))).ReadAll()
		r.must(err)
		if len(rows) != 2 || !slices.Equal(rows[0][:6], []string{"order_id", "order_number", "line", "sku", "title", "quantity"}) || rows[1][0] != parcel || rows[1][3] != "ITEM-S1" || rows[1][5] != "2" ||
			!slices.Contains(rows[1], to.Name) || sheet.Type != "text/csv" {
			r.t.Errorf("%q, to %+v", rows, to)
		}
	}
	v, err := r.d.ByHandParcel(r.t.Context(), parcel)
	if err != nil || !slices.Contains(v.Address, to.Name) || len(v.Lines) != 1 || v.Lines[0].Qty != 2 || v.Parcel.Step != string(shipping.Enter) {
		r.t.Errorf("%+v %v", v, err)
	}
}

// An account that is connected later gets what nobody has taken to send, and nothing that somebody has.
func TestWhatNobodySentGoesToTheAccountConnectedLater(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		r.network(90)
		r.marketplace("")
		_, mine := r.sellsThere()
		_, left := r.sellsThere()
		if rows := r.acts("send", mine.ID); !rows[0].OK {
			t.Fatal(rows)
		}
		broker, a := r.broker()
		r.marketplace(a.ID)
		r.must(r.x.toProviders(t.Context()))
		got := r.shipped(left.ID, "it is booked", func(s store.Shipment) bool { return s.Label.Fate == shipping.Done })
		broker.mu.Lock()
		defer broker.mu.Unlock()
		if got.Account != a.ID || len(broker.labels[left.ID]) != 1 || len(broker.labels[mine.ID]) != 0 {
			t.Errorf("%+v, booked %v", got, broker.labels)
		}
		if rows := r.acts("send", left.ID); rows[0].OK {
			t.Error("a person sends what the account has")
		}
		still := r.shipped(mine.ID, "", func(store.Shipment) bool { return true })
		if !still.ByPerson() || still.Next(r.x.now()).Kind != shipping.Enter {
			t.Errorf("%+v", still)
		}
	})
}

// What was routed while the place was ours is a provider's once the place is, unless somebody has begun it.
func TestAPlaceThatBecomesAProvidersIsPackedThere(t *testing.T) {
	r := newRig(t)
	r.network(90)
	var parcels []store.Shipment
	for range 2 {
		order := r.sell("S1", 1)
		r.until("it has a parcel", func() bool { _, live, _ := r.standing(order); return len(live) == 1 })
		_, live, _ := r.standing(order)
		parcels = append(parcels, live[0])
	}
	r.must(parcels[1].Pack(shipping.Box{Grams: 500, At: r.x.now()}))
	r.must(r.st.Update(t.Context(), func(tx *store.Tx) error { return tx.ShipmentsSave(parcels[1:]) }))
	r.marketplace("")
	r.must(r.x.toProviders(t.Context()))
	for i, want := range []shipping.StepKind{shipping.Send, shipping.Scan} {
		if s := r.shipped(parcels[i].ID, "", func(store.Shipment) bool { return true }); s.Next(r.x.now()).Kind != want {
			t.Errorf("%+v waits for %s, want %s", s.Shipment, s.Next(r.x.now()).Kind, want)
		}
	}
}

// An order that is cancelled while a person sends it asks what became of it; what nobody sent just stops.
func TestACancelledOrderIsStoppedByWhoSentIt(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		r.network(90)
		r.marketplace("")
		order, s := r.sellsThere()
		r.acts("send", s.ID)
		r.must(r.shop.Cancel(strings.TrimPrefix(order, r.conn+":")))
		r.shipped(s.ID, "it is stopped", func(s store.Shipment) bool { return s.Next(r.x.now()).Kind == shipping.Ask })
		if v, err := r.d.ByHand(t.Context(), "west"); err != nil || len(v.Asked) != 1 || v.Asked[0].Question == "" || len(v.Sent) != 0 {
			t.Fatalf("%+v %v", v, err)
		}
		if rows := r.acts("retry", s.ID); rows[0].OK || !strings.Contains(rows[0].Say, "Send by hand") {
			t.Errorf("trying again settles it: %+v", rows)
		}
		if rows := r.acts("unsend", s.ID); !rows[0].OK {
			t.Fatal(rows)
		}
		if v, err := r.d.ByHand(t.Context(), "west"); err != nil || len(v.Asked)+len(v.Send)+len(v.Sent) != 0 {
			t.Errorf("%+v %v", v, err)
		}
	})
}
