package order

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// documented is the platform's transition table, written down a second time: from, to.
var documented = [][2]Status{
	{Unpaid, OnHold}, {Unpaid, AwaitingShipment}, {OnHold, AwaitingShipment},
	{AwaitingShipment, PartiallyShipping}, {AwaitingShipment, AwaitingCollection}, {PartiallyShipping, AwaitingCollection},
	{AwaitingCollection, InTransit}, {InTransit, Delivered}, {Delivered, Completed}, {AwaitingCollection, Completed}, {InTransit, Completed},
	{Unpaid, Cancelled}, {OnHold, Cancelled}, {AwaitingShipment, Cancelled}, {PartiallyShipping, Cancelled}, {AwaitingCollection, Cancelled}, {InTransit, Cancelled},
}

func TestTransitionsAreTheDocumentedOnes(t *testing.T) {
	want := map[[2]Status]bool{}
	for _, m := range documented {
		want[m] = true
	}
	got := map[[2]Status]bool{}
	for _, s := range Statuses {
		for _, m := range Next(s) {
			if m.From != s || m.Trigger == "" || m.From.rank() >= m.To.rank() {
				t.Errorf("%+v: wrong start, no trigger, or against the order of Statuses", m)
			}
			got[[2]Status{m.From, m.To}] = true
		}
		if s.Terminal() != (len(Next(s)) == 0) {
			t.Errorf("%s: terminal %v with %d moves", s, s.Terminal(), len(Next(s)))
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}

// Every pair of statuses, reported as a newer notice: the platform's word is taken, and what cannot be is an anomaly.
func TestEveryPairOfStatuses(t *testing.T) {
	reach := map[[2]Status]bool{}
	for _, s := range Statuses {
		reach[[2]Status{s, s}] = true
	}
	for _, m := range documented {
		reach[m] = true
	}
	for _, via := range Statuses {
		for _, a := range Statuses {
			for _, b := range Statuses {
				if reach[[2]Status{a, via}] && reach[[2]Status{via, b}] {
					reach[[2]Status{a, b}] = true
				}
			}
		}
	}
	for _, from := range Statuses {
		for _, to := range Statuses {
			possible := reach[[2]Status{from, to}]
			if Reachable(from, to) != possible {
				t.Errorf("Reachable(%s, %s) = %v", from, to, !possible)
			}
			before := mergeAll(t, shot(from, 1))
			after, c, err := Merge(&before, notice(to, 2))
			if err != nil || after.Status != to || c.From != from || c.To != to || (len(c.Anomalies()) == 0) != possible {
				t.Errorf("%s to %s: now %s, changes %+v, %v", from, to, after.Status, c, err)
			}
			// The same notice from before the snapshot changes nothing and is no anomaly.
			after, c, err = Merge(&before, notice(to, 0))
			if err != nil || after.Status != from || len(c.Anomalies()) != 0 || len(c.Events) != 0 {
				t.Errorf("late %s after %s: now %s, changes %+v, %v", to, from, after.Status, c, err)
			}
		}
	}
}

func TestUnknownStatusIsRecordedAndDoesNotWedge(t *testing.T) {
	o := mergeAll(t, shot(AwaitingShipment, 1))
	f := shot("", 2, func(d *Detail) { d.Number = "N2" })
	f.StatusText = "AWAITING_DRONE"
	o, c, err := Merge(&o, f)
	if err != nil || o.Status != AwaitingShipment || o.Number != "N2" || len(c.Anomalies()) != 1 || c.Anomalies()[0].To != "AWAITING_DRONE" {
		t.Fatalf("%+v, %+v, %v", o, c, err)
	}
	only := mergeAll(t, f)
	if d := Demand(&only); len(d) != 1 || d[0].Reserve != 2 || d[0].Ship != 0 || MayShip(&only) == nil {
		t.Fatalf("an order in an unknown status reserves and does not ship: %+v", d)
	}
}
