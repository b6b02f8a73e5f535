package shipping

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// outside is a shipper and a channel that keep state, lose answers, and carry lost calls out late. The shipper refuses no second booking: each
// one that arrives is another label to pay.
type outside struct {
	at      time.Time
	labels  []*paid
	late    []func() // calls on their way, carried out when rolled
	lateEnd []time.Time
	told    string
	tells   int
}

type paid struct {
	ref  string
	void bool
}

const lifetime = 30 * time.Second

func (o *outside) live() (out []*paid) {
	for _, l := range o.labels {
		if !l.void {
			out = append(out, l)
		}
	}
	return out
}

func (o *outside) book() { o.labels = append(o.labels, &paid{ref: fmt.Sprintf("L%d", len(o.labels))}) }

// arrive carries out what was on its way, whose time must come before its lifetime is over.
func (o *outside) arrive(all bool) {
	for i := len(o.late) - 1; i >= 0; i-- {
		if all || !o.at.Before(o.lateEnd[i]) {
			o.late[i]()
			o.late, o.lateEnd = slices.Delete(o.late, i, i+1), slices.Delete(o.lateEnd, i, i+1)
		}
	}
}

// fault is what happens to a call.
type fault int

const (
	none       fault = iota
	refused          // surely not carried out
	hopeless         // the same, and never will be
	lostBefore       // not carried out, no answer
	lostAfter        // carried out, no answer
	lostLate         // carried out later, no answer
	crashBefore
	crashAfter
	pending
	faults
)

// work does what is next, as a worker would.
func (o *outside) work(s *Shipment, f fault, delay time.Duration) {
	next := s.Next(o.at)
	if !next.Due(o.at) || !next.Kind.Outside() {
		return
	}
	k := next.Kind
	if k.Calls() {
		if err := s.Begin(k, o.at, Terms{Lifetime: lifetime}); err != nil {
			panic(err)
		}
	}
	if !k.Calls() && f >= crashBefore {
		f = lostBefore
	}
	do := func() { o.carryOut(k, s.Label.Tracking) }
	switch f {
	case refused, hopeless:
		s.Refuse(k, o.at, 0, "no", f == hopeless)
		return
	case lostBefore:
		s.Lost(k, o.at, "lost")
		return
	case lostLate:
		if k == Book || k == TakeBack {
			o.late, o.lateEnd = append(o.late, do), append(o.lateEnd, o.at.Add(delay))
			s.Lost(k, o.at, "lost")
			return
		}
		fallthrough
	case lostAfter:
		do()
		s.Lost(k, o.at, "lost")
		return
	case crashBefore:
		return
	case crashAfter:
		do()
		return
	case pending:
		if k == Book {
			do()
			s.Pending(o.at)
			return
		}
	}
	do()
	o.answer(s, k)
}

func (o *outside) carryOut(k StepKind, tracking string) {
	switch k {
	case Book:
		o.book()
	case TakeBack:
		for _, l := range o.labels {
			l.void = true
		}
	case Tell, Correct:
		o.told = tracking
		o.tells++
	}
}

func (o *outside) answer(s *Shipment, k StepKind) {
	switch k {
	case Book, Find:
		if live := o.live(); len(live) > 0 {
			s.Booked(o.at, Label{Ref: live[0].ref, Tracking: "T" + live[0].ref})
			return
		}
		s.NotFound(o.at)
	case TakeBack:
		s.Voided(o.at, "voided")
	case Tell, Correct:
		s.Told(o.at, o.told, "p", "", -1)
	case Fetch:
		s.Stored("doc-" + s.Label.Ref)
	}
}

func TestAParcelIsPaidForOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := &outside{at: time.Unix(1_760_000_000, 0)}
		way := rapid.SampledFrom([]Way{ByCarrier, ByProvider, ByPlatform}).Draw(t, "way")
		s := made(t, way, o.at)
		if err := s.Pack(Box{Grams: 500, At: o.at}); err != nil {
			t.Fatal(err)
		}
		stopped := false
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			o.at = o.at.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "wait")) * time.Second)
			o.arrive(false)
			switch rapid.IntRange(0, 11).Draw(t, "what") {
			case 0:
				if rapid.IntRange(0, 3).Draw(t, "really") == 0 {
					s.Stop(o.at, "cancelled")
					stopped = true
				}
			case 1:
				s.Answered(o.at)
			default:
				o.work(s, fault(rapid.IntRange(0, int(faults)-1).Draw(t, "fault")), time.Duration(rapid.IntRange(0, 29).Draw(t, "late"))*time.Second)
			}
			if n := len(o.live()); n > 1 {
				t.Fatalf("%d labels are paid", n)
			}
		}
		o.settle(t, s)
		live := o.live()
		switch {
		case stopped && len(live) != 0:
			t.Fatalf("it is stopped and %d labels are paid: %+v", len(live), s)
		case !stopped && (len(live) != 1 || s.Label.Ref != live[0].ref || s.Label.Fate != Done):
			t.Fatalf("%d labels, known %+v", len(live), s.Label)
		case !stopped && way != ByPlatform && (o.told != s.Label.Tracking || o.tells == 0):
			t.Fatalf("the channel knows %q, the label is %q", o.told, s.Label.Tracking)
		}
	})
}

// settle lets all go well until nothing is to be done.
func (o *outside) settle(t *rapid.T, s *Shipment) {
	for range 200 {
		o.at = o.at.Add(time.Minute)
		o.arrive(true)
		s.Answered(o.at)
		if next := s.Next(o.at); !next.Kind.Outside() {
			return
		}
		o.work(s, none, 0)
	}
	t.Fatalf("it does not come to rest: %+v at %v", s.Next(o.at), o.at)
}

func made(t interface{ Fatal(...any) }, way Way, at time.Time) *Shipment {
	spec := Shipment{ID: "sh-1", ConnectionID: "c", Orders: []string{"c:1"}, Node: "main", Way: way, CreatedAt: at, Due: at.Add(24 * time.Hour),
		Lines: []Line{{OrderID: "c:1", Key: "k", ItemID: "MUG", Qty: 1}}}
	if way == ByCarrier || way == ByProvider {
		spec.Account = "acc"
	}
	s, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
