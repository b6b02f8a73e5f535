package order

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
)

var day = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

func sec(n int) time.Time { return day.Add(time.Duration(n) * time.Second) }

func notice(s Status, at int) Fact {
	return Fact{Kind: StatusNotice, ConnectionID: "shop", ExternalID: "1", UpdatedAt: sec(at), Status: s, StatusText: string(s)}
}

// shot is a snapshot with one line of two units, read in the second of its version.
func shot(s Status, at int, change ...func(*Detail)) Fact {
	d := Detail{Fulfilment: BySeller, CreatedAt: day, Lines: []Line{{ExternalSKU: "sku", Units: []Unit{{ExternalLineID: "u1"}, {ExternalLineID: "u2"}}}}}
	for _, c := range change {
		c(&d)
	}
	return Fact{Kind: Snapshot, ConnectionID: "shop", ExternalID: "1", UpdatedAt: sec(at), ReadAt: sec(at), Status: s, StatusText: string(s), Detail: &d}
}

func cancelNotice(id string, s CancelState, at int) Fact {
	return Fact{Kind: CancelNotice, ConnectionID: "shop", ExternalID: "1", UpdatedAt: sec(at), Cancellation: &Cancellation{ID: id, State: s, Role: RoleBuyer}}
}

// mergeAll merges fs into an order not known before.
func mergeAll(t interface{ Fatalf(string, ...any) }, fs ...Fact) Order {
	var o *Order
	for _, f := range fs {
		m, _, err := Merge(o, f)
		if err != nil {
			t.Fatalf("Merge(%+v): %v", f, err)
		}
		o = &m
	}
	return *o
}

// anyFact draws facts that need not belong to any real history, from so few values that they collide all the time.
func anyFact(t *rapid.T) Fact {
	at := func(label string) time.Time { return sec(rapid.IntRange(0, 3).Draw(t, label) * 40) }
	maybe := func(label string) time.Time {
		if rapid.Bool().Draw(t, label+" set") {
			return at(label)
		}
		return time.Time{}
	}
	status := rapid.SampledFrom(Statuses)
	role := rapid.SampledFrom([]Role{"", RoleBuyer, RoleSeller})
	reason := rapid.SampledFrom([]string{"", "package_lost", "seller_cancel_reason_out_of_stock"})
	id := rapid.SampledFrom([]string{"a", "b"})
	f := Fact{ConnectionID: "shop", ExternalID: "1", UpdatedAt: at("updated"), Kind: rapid.SampledFrom([]Kind{Snapshot, Snapshot, StatusNotice, CancelNotice, AddressNotice, TouchNotice, ReturnNotice}).Draw(t, "kind")}
	switch f.Kind {
	case StatusNotice:
		f.Status, f.StatusText = status.Draw(t, "status"), rapid.SampledFrom([]string{"x", "y"}).Draw(t, "text")
	case CancelNotice:
		f.Cancellation = &Cancellation{ID: id.Draw(t, "id"), State: rapid.SampledFrom(cancelStates).Draw(t, "state"), Role: role.Draw(t, "role"),
			Reason: reason.Draw(t, "reason"), CreatedAt: maybe("created"), Units: rapid.SliceOfN(rapid.SampledFrom([]string{"u0", "u1", "u2"}), 0, 2).Draw(t, "units")}
	case ReturnNotice:
		f.Return = &Return{ID: id.Draw(t, "id"), StatusText: rapid.SampledFrom([]string{"p", "q"}).Draw(t, "text"), Role: role.Draw(t, "role")}
		if rapid.Bool().Draw(t, "wants an answer") {
			f.Return.AnswerBy = at("answer by")
		}
	case Snapshot:
		f.Status = rapid.SampledFrom(append([]Status{""}, Statuses...)).Draw(t, "status")
		f.ReadAt = f.UpdatedAt.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "read")) * 50 * time.Second)
		f.Detail = &Detail{Fulfilment: rapid.SampledFrom([]Fulfilment{BySeller, ByPlatform}).Draw(t, "by"), CreatedAt: maybe("created"),
			Moments:      Moments{HandedOverAt: maybe("handed"), CancelRequestedAt: maybe("requested")},
			Deadlines:    Deadlines{ShipBy: maybe("ship by"), DeliverBy: maybe("deliver by")},
			CancelReport: Cancel{Reason: reason.Draw(t, "reason"), Role: role.Draw(t, "role"), RequestOpen: rapid.Bool().Draw(t, "open")},
			Region:       rapid.SampledFrom([]string{"", "US", "US-CA"}).Draw(t, "region"), PostalPrefix: rapid.SampledFrom([]string{"", "900"}).Draw(t, "postal"),
			Lines: anyLines(t), Parcels: anyParcels(t)}
	}
	return f
}

func anyLines(t *rapid.T) []Line {
	var out []Line
	for i := range rapid.IntRange(0, 3).Draw(t, "units") {
		u := Unit{ExternalLineID: fmt.Sprintf("u%d", i), Cancelled: rapid.Bool().Draw(t, "cancelled"),
			Status: rapid.SampledFrom([]Status{"", AwaitingShipment, InTransit, Cancelled}).Draw(t, "unit status")}
		price := money.Amount{Minor: int64(rapid.IntRange(0, 1).Draw(t, "price")), Currency: "USD"}
		out = append(out, Line{ExternalSKU: rapid.SampledFrom([]string{"s", "t"}).Draw(t, "sku"), UnitPrice: price, Units: []Unit{u}})
	}
	if rapid.Bool().Draw(t, "quantity line") {
		l := Line{ExternalLineID: "q", ExternalSKU: "r", Qty: rapid.Int64Range(0, 3).Draw(t, "qty")}
		l.Cancelled, l.Shipped = rapid.Int64Range(0, l.Qty).Draw(t, "cancelled"), rapid.Int64Range(0, l.Qty).Draw(t, "shipped")
		out = append(out, l)
	}
	return out
}

// anyParcels draws parcels in any order.
func anyParcels(t *rapid.T) []Parcel {
	var out []Parcel
	for _, ref := range rapid.Permutation([]string{"p1", "p2"}).Draw(t, "parcels")[:rapid.IntRange(0, 2).Draw(t, "how many")] {
		out = append(out, Parcel{Ref: ref, Carrier: rapid.SampledFrom([]string{"", "USPS"}).Draw(t, "carrier"), Tracking: rapid.SampledFrom([]string{"", "9400"}).Draw(t, "tracking")})
	}
	return out
}

func stored(t *rapid.T, o Order) Order {
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var back Order
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(o, back); d != "" {
		t.Fatalf("a stored order reads back differently:\n%s", d)
	}
	return back
}

// Any facts, in any order, any number of times, stored and read back in between: one state.
func TestMergeConverges(t *testing.T) { rapid.Check(t, converges) }

// FuzzConverges looks for a counter-example with the coverage of the code as its guide.
func FuzzConverges(f *testing.F) { f.Fuzz(rapid.MakeFuzz(converges)) }

func converges(t *rapid.T) {
	facts := rapid.SliceOfN(rapid.Custom(anyFact), 1, 8).Draw(t, "facts")
	want := mergeAll(t, facts...)
	again := append(slices.Clone(facts), rapid.SliceOfN(rapid.SampledFrom(facts), 0, 4).Draw(t, "duplicates")...)
	var got *Order
	for _, f := range rapid.Permutation(again).Draw(t, "arrival") {
		var before Order
		if got != nil {
			before = stored(t, *got)
		}
		m, c, err := Merge(got, f)
		if err != nil {
			t.Fatal(err)
		}
		if got != nil && !cmp.Equal(before, *got) {
			t.Fatal("Merge altered the order it was given")
		}
		if !c.Any() {
			m.Version.ReadAt = before.Version.ReadAt
			if d := cmp.Diff(before, m); d != "" {
				t.Fatalf("changes say nothing changed, yet:\n%s", d)
			}
			m, _, _ = Merge(got, f)
		}
		m = stored(t, m)
		got = &m
	}
	if d := cmp.Diff(want, *got); d != "" {
		t.Fatalf("another arrival order gives another order:\n%s", d)
	}
	if d := cmp.Diff(Demand(&want), Demand(got)); d != "" {
		t.Fatalf("the demand differs:\n%s", d)
	}
}

// join is what Merge stands on: check its laws on states, not only on single facts.
func TestJoinLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		state := func(label string) *Order {
			o := mergeAll(t, rapid.SliceOfN(rapid.Custom(anyFact), 1, 4).Draw(t, label)...)
			if rapid.Bool().Draw(t, "substituted") {
				_ = o.Substitute("s", rapid.SampledFrom([]string{"a", "b"}).Draw(t, "item"), "c", rapid.Int64Range(1, 3).Draw(t, "substitutes"))
			}
			return &o
		}
		a, b, c := state("a"), state("b"), state("c")
		ab, ba, bc := join(a, b), join(b, a), join(b, c)
		if d := cmp.Diff(ab, ba); d != "" {
			t.Fatalf("not commutative:\n%s", d)
		}
		if d := cmp.Diff(join(&ab, c), join(a, &bc)); d != "" {
			t.Fatalf("not associative:\n%s", d)
		}
		if d := cmp.Diff(join(&ab, a), ab); d != "" {
			t.Fatalf("not idempotent:\n%s", d)
		}
	})
}

// What the changes report adds up: the demand flag is raised exactly when the demand differs.
func TestChangesTellOfEveryDemand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var known *Order
		for _, f := range rapid.SliceOfN(rapid.Custom(anyFact), 1, 8).Draw(t, "facts") {
			was := &Order{}
			if known != nil {
				was = known
			}
			m, c, err := Merge(known, f)
			if err != nil {
				t.Fatal(err)
			}
			if got := !cmp.Equal(Demand(was), Demand(&m)); got != c.Demand {
				t.Fatalf("Demand differs: %v, Changes.Demand: %v", got, c.Demand)
			}
			if c.From != was.Status || c.To != m.Status || c.Due != (NextDue(was) != NextDue(&m)) || c.NeedsDetail != (was.NeedsDetail != m.NeedsDetail) {
				t.Fatalf("changes %+v do not tell %+v from %+v", c, m, was)
			}
			if jump := c.From != "" && !Reachable(c.From, c.To); jump != slices.ContainsFunc(c.Events, func(e Event) bool { return e.Kind == EventAnomaly }) {
				t.Fatalf("%s to %s: anomaly %v", c.From, c.To, c.Anomalies())
			}
			known = &m
		}
	})
}

func TestFirstNoticeMakesASkeleton(t *testing.T) {
	for _, f := range []Fact{notice(AwaitingShipment, 5), cancelNotice("c", CancelPending, 5),
		{Kind: AddressNotice, ConnectionID: "shop", ExternalID: "1", UpdatedAt: sec(5)},
		{Kind: ReturnNotice, ConnectionID: "shop", ExternalID: "1", UpdatedAt: sec(5), Return: &Return{ID: "r"}}} {
		o, c, err := Merge(nil, f)
		if err != nil || !o.NeedsDetail || !c.Created || o.ID != "shop:1" || len(Demand(&o)) != 0 || MayShip(&o) == nil || !o.UpdatedAt.Equal(sec(5)) {
			t.Errorf("%s: %+v, %+v, %v", f.Kind, o, c, err)
		}
		o, c, err = Merge(&o, shot(AwaitingShipment, 5))
		if err != nil || !c.Detail || !c.Any() || c.Created {
			t.Errorf("%s then snapshot: %+v, %v", f.Kind, c, err)
		}
		if open := f.Kind == CancelNotice; o.NeedsDetail != open || o.Cancel.RequestOpen != open {
			t.Errorf("%s then snapshot of the same second: needs detail %v, request open %v", f.Kind, o.NeedsDetail, o.Cancel.RequestOpen)
		}
	}
}

func TestEqualSecondsGoToTheFurthestAlong(t *testing.T) {
	o := mergeAll(t, notice(AwaitingCollection, 7), shot(AwaitingShipment, 7), notice(OnHold, 7))
	if o.Status != AwaitingCollection || !o.NeedsDetail {
		t.Fatalf("status %s, needs detail %v", o.Status, o.NeedsDetail)
	}
	o = mergeAll(t, shot(Cancelled, 7), shot(Completed, 7))
	if o.Status != Completed {
		t.Fatalf("of two ends in one second units are kept back: %s", o.Status)
	}
	// Same second, same status: the snapshot read later is the truer one.
	first, second := shot(AwaitingShipment, 7), shot(AwaitingShipment, 7, func(d *Detail) { d.Deadlines.ShipBy = sec(3600) })
	second.ReadAt = second.ReadAt.Add(300 * time.Millisecond)
	for _, fs := range [][]Fact{{first, second}, {second, first}} {
		if o := mergeAll(t, fs...); !o.Deadlines.ShipBy.Equal(sec(3600)) {
			t.Fatalf("the earlier reading won: %+v", o.Deadlines)
		}
	}
}

func TestMomentsAreSetOnce(t *testing.T) {
	early, late, silent := shot(InTransit, 1, handedOver(5)), shot(InTransit, 2, handedOver(7)), shot(Delivered, 3)
	for _, fs := range [][]Fact{{early, late, silent}, {silent, late, early}, {late, early, silent}} {
		if o := mergeAll(t, fs...); !o.Moments.HandedOverAt.Equal(sec(5)) {
			t.Errorf("handed over at %v", o.Moments.HandedOverAt)
		}
	}
}

func TestNeedsDetailClears(t *testing.T) {
	base := []Fact{shot(AwaitingShipment, 10)}
	for _, c := range []struct {
		name string
		fs   []Fact
		want bool
	}{
		{"nothing happened", nil, false},
		{"an older notice", []Fact{notice(OnHold, 5)}, false},
		{"the notice of the same version", []Fact{notice(AwaitingShipment, 10)}, false},
		{"a newer notice", []Fact{notice(AwaitingCollection, 20)}, true},
		{"read after it", []Fact{notice(AwaitingCollection, 20), shot(AwaitingCollection, 20)}, false},
		{"a lagging reading", []Fact{notice(AwaitingCollection, 20), readAt(shot(AwaitingShipment, 10), 21)}, true},
		{"a reading a minute later, whatever its version", []Fact{notice(AwaitingCollection, 20), readAt(shot(AwaitingShipment, 10), 80)}, false},
		{"address changed", []Fact{{Kind: AddressNotice, ConnectionID: "shop", ExternalID: "1", UpdatedAt: sec(11)}}, true},
		{"request withdrawn", []Fact{cancelNotice("c", CancelWithdrawn, 12)}, true},
		{"request withdrawn, read later", []Fact{cancelNotice("c", CancelWithdrawn, 12), readAt(shot(AwaitingShipment, 10), 72)}, false},
	} {
		if o := mergeAll(t, append(base, c.fs...)...); o.NeedsDetail != c.want {
			t.Errorf("%s: NeedsDetail = %v", c.name, o.NeedsDetail)
		}
	}
}

func readAt(f Fact, at int) Fact {
	f.ReadAt = sec(at)
	return f
}

func TestMergeRefusesAnotherOrdersFact(t *testing.T) {
	o := mergeAll(t, shot(AwaitingShipment, 1))
	f := notice(InTransit, 2)
	f.ExternalID = "2"
	if _, _, err := Merge(&o, f); !errs.Is(err, errs.Conflict) {
		t.Fatalf("err = %v", err)
	}
}

func TestCasesAreBounded(t *testing.T) {
	var fs []Fact
	for i := range MaxCases + 20 {
		fs = append(fs, cancelNotice(fmt.Sprintf("c%03d", i), CancelPending, i))
	}
	up := mergeAll(t, fs...)
	slices.Reverse(fs)
	down := mergeAll(t, fs...)
	if len(up.Cancellations) != MaxCases || up.Cancellations[0].ID != "c020" {
		t.Fatalf("%d kept from %s", len(up.Cancellations), up.Cancellations[0].ID)
	}
	if d := cmp.Diff(up.Cancellations, down.Cancellations); d != "" {
		t.Fatalf("a flood does not converge:\n%s", d)
	}
}
