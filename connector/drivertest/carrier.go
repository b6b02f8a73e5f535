package drivertest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/shipping"
)

// Freight is an account with a carrier whose simulator stands on a clock that is moved by hand, fresh for each run.
type Freight struct {
	*Shipping
	Now      func() time.Time
	Advance  func(time.Duration)
	Lifetime time.Duration
	// Trouble are the ways in which the next call of some kind fails; one that is carried out late is after the delay.
	Trouble []func(t *testing.T, delay time.Duration)
	// Calm takes back what was arranged and has not struck.
	Calm func()
	// Bought counts the labels ever paid under a booking's id, taken back or not.
	Bought func(booking string) int
}

// Runs of one test, and steps of a run: enough that a driver which forgets to read before it books is found by each of several seeds.
const (
	freightRuns  = 60
	freightSteps = 400
)

// RunFreight books parcels through everything that goes wrong, as package shipping demands: a booking whose fate is not known is read until it can
// no longer be carried out, and only then made again. At no moment are two labels paid for one booking, in the end there is exactly one, and
// one that was taken back is followed by exactly one other.
func RunFreight(t *testing.T, seed uint64, fresh func(t *testing.T) *Freight) {
	for run := range freightRuns {
		t.Run(fmt.Sprint(run), func(t *testing.T) {
			f := fresh(t)
			v := &voyage{Freight: f, t: t, dice: rand.New(rand.NewPCG(seed, uint64(run))), parcel: f.Parcel(t, 1)}
			v.shipment = v.planned()
			v.labelled(1)
			first := v.shipment.Label.Tracking
			v.relabel()
			v.labelled(2)
			if v.shipment.Label.Tracking == first {
				t.Errorf("the label made after the first was taken back is the first")
			}
		})
	}
}

// voyage is one parcel on its way to a label.
type voyage struct {
	*Freight
	t        *testing.T
	dice     *rand.Rand
	parcel   driver.Parcel
	shipment *shipping.Shipment
}

func (v *voyage) planned() *shipping.Shipment {
	v.t.Helper()
	s, err := shipping.New(shipping.Shipment{ID: "booking-1", Orders: []string{"o1"}, Node: "n1", ConnectionID: "c1", Account: "a1", Way: shipping.ByCarrier,
		Lines: []shipping.Line{{OrderID: "o1", ItemID: "i1", Qty: 1}}, Due: v.Now().Add(48 * time.Hour)})
	if err != nil {
		v.t.Fatal(err)
	}
	if err := s.Pack(shipping.Box{Grams: v.parcel.Grams, LengthMM: v.parcel.LengthMM, WidthMM: v.parcel.WidthMM, HeightMM: v.parcel.HeightMM}); err != nil {
		v.t.Fatal(err)
	}
	return s
}

// labelled does the steps until there is a label, the n-th of the booking, and waits for everything that is still on its way.
func (v *voyage) labelled(n int) {
	v.t.Helper()
	for range freightSteps {
		if v.shipment.Label.Fate == shipping.Done {
			break
		}
		v.step()
		if got := v.Bought(v.shipment.ID); got > n {
			v.t.Fatalf("%d labels are paid, want at most %d", got, n)
		}
	}
	v.Advance(2 * v.Lifetime)
	if got := v.Bought(v.shipment.ID); v.shipment.Label.Fate != shipping.Done || got != n {
		v.t.Fatalf("in the end the label is %s (%s) and %d are paid, want %d", v.shipment.Label.Fate, v.shipment.Label.Message, got, n)
	}
	v.paid(v.t, v.parcel, 1)
}

// step does what is next.
func (v *voyage) step() {
	s := v.shipment
	next := s.Next(v.Now())
	if wait := next.At.Sub(v.Now()); wait > 0 {
		v.Advance(wait)
		return
	}
	if v.dice.IntN(3) > 0 {
		v.Trouble[v.dice.IntN(len(v.Trouble))](v.t, time.Duration(v.dice.Int64N(int64(v.Lifetime))))
	}
	defer v.Calm()
	b := driver.Booking{ID: s.ID, Parcel: v.parcel, Format: "PDF"}
	switch next.Kind {
	case shipping.Book:
		if err := s.Begin(shipping.Book, v.Now(), shipping.Terms{Lifetime: v.Lifetime}); err != nil {
			v.t.Fatal(err)
		}
		quotes, err := v.Raw.Quote(v.t.Context(), v.parcel)
		if err != nil {
			s.Refuse(shipping.Book, v.Now(), 0, err.Error(), false)
			return
		}
		b.Quote = quotes[0]
		got, err := v.Raw.Book(v.t.Context(), b)
		v.outcome(shipping.Book, got, err)
	case shipping.Find:
		got, found, err := v.Raw.Find(v.t.Context(), b)
		if err == nil && !found {
			s.NotFound(v.Now())
			return
		}
		v.outcome(shipping.Find, got, err)
	case shipping.Ask: // a person has another try
		s.Answered(v.Now())
	default:
		v.t.Fatalf("the next step is %+v", next)
	}
}

func (v *voyage) outcome(k shipping.StepKind, got driver.Booked, err error) {
	s, at := v.shipment, v.Now()
	e, _ := errors.AsType[*driver.Error](err)
	switch {
	case err != nil && (e == nil || e.Applied):
		s.Lost(k, at, err.Error())
	case err != nil:
		s.Refuse(k, at, e.After, e.Message, e.Class == driver.GiveUp || e.Class == driver.AskHuman)
	case got.State == driver.BookingPending:
		s.Pending(at)
	case got.State == driver.BookingFailed:
		s.Label.Fate = shipping.Open
		s.Refuse(shipping.Book, at, 0, "failed", true)
	case got.State == driver.BookingVoided:
		v.t.Fatalf("%s answers a label that was taken back: %+v", k, got)
	default:
		s.Booked(at, shipping.Label{Ref: got.Ref, Carrier: got.Carrier, Service: got.Service, Tracking: got.Tracking, Price: got.Price, BookedAt: got.At})
	}
}

// relabel takes the label back and forgets it.
func (v *voyage) relabel() {
	v.t.Helper()
	l := v.shipment.Label
	answer, err := v.Raw.Void(v.t.Context(), driver.Booked{ID: v.shipment.ID, Ref: l.Ref, Tracking: l.Tracking, Price: l.Price, State: driver.BookingDone})
	if err != nil || answer == driver.VoidRefused {
		v.t.Fatalf("Void: %s, %v", answer, err)
	}
	v.shipment.Voided(v.Now(), string(answer))
	if err := v.shipment.Relabel(); err != nil {
		v.t.Fatal(err)
	}
}
