package order

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// platform is a truthful platform: it walks an order through the transition table and reports every step.
type platform struct {
	status    Status
	now       time.Time
	moments   Moments
	open      bool // a buyer's request waits
	requests  int
	units     []platformUnit
	snapshots []Fact
	notices   []Fact
}

type platformUnit struct{ cancelled, left bool }

func (p *platform) fact(k Kind) Fact {
	return Fact{Kind: k, ConnectionID: "shop", ExternalID: "1", UpdatedAt: p.now}
}

func (p *platform) snapshot() Fact {
	f := p.fact(Snapshot)
	f.Status, f.StatusText = p.status, string(p.status)
	f.ReadAt = p.now.Add(time.Duration(len(p.snapshots)+1) * time.Millisecond) // each is read after the one before
	d := Detail{Fulfilment: BySeller, CreatedAt: day, Moments: p.moments, CancelReport: Cancel{RequestOpen: p.open && !p.status.Terminal()}}
	for i, u := range p.units {
		d.Lines = append(d.Lines, Line{ExternalSKU: fmt.Sprint("sku", i%2), Units: []Unit{{ExternalLineID: fmt.Sprint("unit", i), Cancelled: u.cancelled}}})
	}
	f.Detail = &d
	return f
}

// move makes one transition and reports it as a snapshot and as a notice.
func (p *platform) move(to Status) {
	p.status = to
	switch to {
	case AwaitingCollection:
		p.moments.ReadyAt = p.now
	case InTransit:
		p.moments.HandedOverAt = p.now
		for i := range p.units {
			p.units[i].left = !p.units[i].cancelled
		}
	case Delivered:
		p.moments.DeliveredAt = p.now
	case Completed: // what was refunded before a scan is counted as gone
		for i := range p.units {
			p.units[i].left = p.units[i].left || !p.units[i].cancelled
		}
	case Cancelled:
		p.moments.CancelledAt = p.now
		for i := range p.units {
			p.units[i].cancelled = true
		}
	}
	n := p.fact(StatusNotice)
	n.Status, n.StatusText = to, string(to)
	p.notices = append(p.notices, n)
	p.snapshots = append(p.snapshots, p.snapshot())
}

// happen does one of the things that do not move the order.
func (p *platform) happen(t *rapid.T) {
	switch rapid.IntRange(0, 3).Draw(t, "event") {
	case 0: // the seller cancels a unit that is out of stock, but not the last one
		live := slices.IndexFunc(p.units, func(u platformUnit) bool { return !u.cancelled })
		if p.status == AwaitingShipment && live >= 0 && live < len(p.units)-1 {
			p.units[live].cancelled = true
		}
	case 1:
		if p.status == AwaitingShipment && !p.open {
			p.open = true
			p.requests++
			p.request(CancelPending)
		}
	case 2:
		if p.open {
			p.open = false
			p.request(CancelWithdrawn)
		}
	case 3:
		p.notices = append(p.notices, p.fact(rapid.SampledFrom([]Kind{AddressNotice, TouchNotice}).Draw(t, "notice")))
	}
	p.snapshots = append(p.snapshots, p.snapshot())
}

func (p *platform) request(s CancelState) {
	f := p.fact(CancelNotice)
	f.Cancellation = &Cancellation{ID: fmt.Sprint("request", p.requests), State: s, Role: RoleBuyer}
	p.notices = append(p.notices, f)
}

func walk(t *rapid.T) *platform {
	p := &platform{now: day, units: make([]platformUnit, rapid.IntRange(1, 4).Draw(t, "units"))}
	p.move(rapid.SampledFrom([]Status{Unpaid, OnHold, AwaitingShipment}).Draw(t, "start"))
	for range rapid.IntRange(0, 10).Draw(t, "steps") {
		p.now = p.now.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "seconds")) * time.Second)
		next := Next(p.status)
		if len(next) == 0 || rapid.IntRange(0, 2).Draw(t, "stay") == 0 {
			p.happen(t)
			continue
		}
		p.move(rapid.SampledFrom(next).Draw(t, "move").To)
	}
	return p
}

// A platform that tells the truth, over a road that loses notices, doubles and swaps facts: after the last snapshot, read a
// little later as the poll does, the order is what the platform has and the demand is what physically happened.
func TestHistoriesEndInTheTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := walk(t)
		facts := slices.Clone(p.snapshots)
		for _, n := range p.notices {
			for range rapid.IntRange(0, 2).Draw(t, "copies") {
				facts = append(facts, n)
			}
		}
		facts = append(facts, rapid.SliceOfN(rapid.SampledFrom(p.snapshots), 0, 3).Draw(t, "duplicates")...)
		last := p.snapshot()
		last.ReadAt = p.now.Add(2 * time.Minute)
		got := mergeAll(t, rapid.Permutation(append(facts, last)).Draw(t, "arrival")...)

		if got.Status != p.status || got.NeedsDetail || got.Moments != p.moments || got.Cancel.RequestOpen != (p.open && !p.status.Terminal()) {
			t.Fatalf("platform: %s %+v open %v\nhere: %s %+v, needs detail %v, open %v", p.status, p.moments, p.open, got.Status, got.Moments, got.NeedsDetail, got.Cancel.RequestOpen)
		}
		if d := cmp.Diff(p.demand(), Demand(&got)); d != "" {
			t.Fatalf("demand (-truth +ours):\n%s", d)
		}
		// What the platform shows, without any notice, is the same order for everybody who asks it something.
		quiet := mergeAll(t, append(slices.Clone(p.snapshots), last)...)
		if d := cmp.Diff(quiet.Detail, got.Detail); d != "" {
			t.Fatalf("lost notices left a trace:\n%s", d)
		}
	})
}

// demand is the physical truth: what left has left, what is neither cancelled nor gone is owed.
func (p *platform) demand() []LineDemand {
	var out []LineDemand
	for s := range min(2, len(p.units)) {
		d := LineDemand{Key: fmt.Sprint("sku", s), ExternalSKU: fmt.Sprint("sku", s), Pool: PoolOwn}
		for i, u := range p.units {
			switch {
			case i%2 != s:
			case u.left:
				d.Ship++
			case !u.cancelled:
				d.Reserve++
			}
		}
		out = append(out, d)
	}
	return out
}

// With snapshots lost as well the ledger may keep a unit too long, but never sees one as free that left.
func TestLostSnapshotsNeverFreeWhatLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := walk(t)
		var facts []Fact
		for _, f := range append(slices.Clone(p.snapshots), p.notices...) {
			if rapid.Bool().Draw(t, "arrives") {
				facts = append(facts, f)
			}
		}
		got := mergeAll(t, rapid.Permutation(append(facts, p.snapshot())).Draw(t, "arrival")...)
		for i, d := range Demand(&got) {
			if truth := p.demand()[i]; d.Ship < truth.Ship || d.Ship+d.Reserve < truth.Ship+truth.Reserve {
				t.Fatalf("truth %+v, ours %+v", truth, d)
			}
		}
	})
}
