package shipping

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func TestWhatCannotBeAShipment(t *testing.T) {
	good := Shipment{ID: "sh-1", ConnectionID: "c", Orders: []string{"c:1"}, Node: "main", Way: ByCarrier, Account: "acc", Lines: []Line{{OrderID: "c:1", ItemID: "MUG", Qty: 1}}}
	for name, spoil := range map[string]func(*Shipment){
		"no id": func(s *Shipment) { s.ID = "" }, "a strange id": func(s *Shipment) { s.ID = "a b" }, "a long id": func(s *Shipment) { s.ID = strings.Repeat("x", 41) },
		"no order": func(s *Shipment) { s.Orders = nil }, "no line": func(s *Shipment) { s.Lines = nil }, "no node": func(s *Shipment) { s.Node = "" },
		"no way": func(s *Shipment) { s.Way = "pigeon" }, "no account": func(s *Shipment) { s.Account = "" },
		"nothing of a line":    func(s *Shipment) { s.Lines = []Line{{OrderID: "c:1", ItemID: "MUG"}} },
		"another's line":       func(s *Shipment) { s.Lines = []Line{{OrderID: "c:2", ItemID: "MUG", Qty: 1}} },
		"a platform's account": func(s *Shipment) { s.Way = ByPlatform },
	} {
		s := good
		spoil(&s)
		if _, err := New(s); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheRoadOfAParcel(t *testing.T) {
	s, at := made(t, ByCarrier, noon), noon
	want := func(k StepKind) {
		t.Helper()
		if got := s.Next(at); got.Kind != k || !got.Due(at) {
			t.Fatalf("next is %+v, want %s", got, k)
		}
	}
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	want(Pack)
	ok(s.Pack(Box{Grams: 400, At: at}))
	want(Book)
	ok(s.Begin(Book, at, Terms{Lifetime: lifetime}))
	if err := s.Begin(Book, at, Terms{}); !errs.Is(err, errs.Conflict) {
		t.Errorf("a second worker may book: %v", err)
	}
	if err := s.Pack(Box{Grams: 1}); !errs.Is(err, errs.Conflict) {
		t.Errorf("packed anew while it is booked: %v", err)
	}
	s.Booked(at, Label{Ref: "L", Tracking: "9400", Price: money.Amount{Minor: 512, Currency: "USD"}})
	want(Fetch)
	s.Stored("doc")
	want(Tell)
	ok(s.Begin(Tell, at, Terms{}))
	s.Told(at, "9400", "p", "", 1)
	want(Hand)
	ok(s.HandOver(at))
	if got := s.Next(at); got.Kind != Rest || s.Closed() || !s.Shipped() {
		t.Errorf("%+v", got)
	}
	s.Stop(at, "cancelled")
	if !s.Stopped.IsZero() {
		t.Error("what has left is stopped")
	}
	s.Left(at, at.Add(48*time.Hour))
	if !s.Closed() || s.HandedOverAt != at {
		t.Errorf("%+v", s)
	}
	b, err := json.Marshal(s)
	ok(err)
	var back Shipment
	ok(json.Unmarshal(b, &back))
	if d := cmp.Diff(*s, back); d != "" {
		t.Error(d)
	}
}

func TestALabelThatWillNeverBeFetchedDoesNotKeepTheChannelFromKnowing(t *testing.T) {
	s := made(t, ByCarrier, noon)
	if err := s.Pack(Box{Grams: 1}); err != nil {
		t.Fatal(err)
	}
	s.Booked(noon, Label{Ref: "L", Tracking: "1Z"})
	s.Refuse(Fetch, noon, 0, "no such document", true)
	if got := s.Next(noon); got.Kind != Tell {
		t.Errorf("%+v", got)
	}
	s.Told(noon, "1Z", "", "", 0)
	if got := s.Next(noon); got.Kind != Ask || s.Question() != "no such document" {
		t.Errorf("%+v %q", got, s.Question())
	}
	s.Answered(noon)
	if got := s.Next(noon); got.Kind != Fetch {
		t.Errorf("%+v", got)
	}
}

func TestANumberIsCorrectedOnlyAsOftenAsTheChannelAllows(t *testing.T) {
	s := made(t, ByHand, noon)
	if err := s.Pack(Box{Grams: 1}); err != nil {
		t.Fatal(err)
	}
	if got := s.Next(noon); got.Kind != Scan {
		t.Errorf("%+v", got)
	}
	scan := func(number string) {
		if err := s.Scanned(noon, "UPS", number, money.Amount{}); err != nil {
			t.Fatal(err)
		}
	}
	scan("1Z1")
	s.Told(noon, "1Z1", "", "", 1)
	scan("1Z2")
	if got := s.Next(noon); got.Kind != Correct {
		t.Errorf("%+v", got)
	}
	s.Told(noon, "1Z1", "", "", 0)
	if got := s.Next(noon); got.Kind != Ask || s.Question() == "" {
		t.Errorf("%+v", got)
	}
}

func TestAProviderThatRefusesToStopGoesOn(t *testing.T) {
	s := made(t, ByProvider, noon)
	if got := s.Next(noon); got.Kind != Book {
		t.Errorf("a provider packs itself: %+v", got)
	}
	s.Booked(noon, Label{Ref: "order 7"})
	if got := s.Next(noon); got.Kind != Rest || s.Closed() {
		t.Errorf("%+v", got)
	}
	s.Stop(noon, "cancelled")
	if got := s.Next(noon); got.Kind != TakeBack {
		t.Errorf("%+v", got)
	}
	s.Voided(noon, VoidRefused)
	s.Booked(noon, Label{Ref: "order 7", Tracking: "1Z"})
	if got := s.Next(noon); got.Kind != Tell {
		t.Errorf("%+v", got)
	}
}

func TestPausesGrowAndShrinkTowardsTheDeadline(t *testing.T) {
	pause := func(due time.Duration, failures int) time.Duration {
		s := made(t, ByCarrier, noon)
		s.Due = noon.Add(due)
		s.Label.Failures = failures
		s.Refuse(Book, noon, 0, "busy", false)
		return s.Label.After.Sub(noon)
	}
	for _, c := range []struct {
		due      time.Duration
		failures int
		want     time.Duration
	}{{24 * time.Hour, 0, 2 * time.Second}, {24 * time.Hour, 3, 16 * time.Second}, {24 * time.Hour, 50, 5 * time.Minute},
		{10 * time.Minute, 50, time.Minute}, {5 * time.Second, 50, 2 * time.Second}, {-time.Hour, 50, 5 * time.Minute}} {
		if got := pause(c.due, c.failures); got != c.want {
			t.Errorf("%v left after %d failures: %v, want %v", c.due, c.failures, got, c.want)
		}
	}
	s := made(t, ByCarrier, noon)
	s.Refuse(Book, noon, time.Hour, "busy", false)
	if s.Label.After != noon.Add(time.Hour) {
		t.Error("the shipper's own pause does not count")
	}
}

func TestALabelTakenBackMakesRoomForAnother(t *testing.T) {
	s := made(t, ByCarrier, noon)
	if err := s.Relabel(); !errs.Is(err, errs.Conflict) {
		t.Error(err)
	}
	if err := s.Pack(Box{Grams: 1}); err != nil {
		t.Fatal(err)
	}
	s.Booked(noon, Label{Ref: "L"})
	s.Stop(noon, "another box")
	s.Voided(noon, "voided")
	if !s.Closed() {
		t.Error("it is open")
	}
	if err := s.Relabel(); err != nil {
		t.Fatal(err)
	}
	if got := s.Next(noon); got.Kind != Book || s.Closed() {
		t.Errorf("%+v", got)
	}
}

func TestTheFirstScanIsWhenItLeft(t *testing.T) {
	s := made(t, ByProvider, noon)
	s.Booked(noon, Label{Ref: "order 7", Carrier: "USPS", Tracking: "9400111206206406300106"})
	label := tracking.Event{At: noon, Status: tracking.LabelCreated, Source: "x"}
	scan := tracking.Event{At: noon.Add(time.Hour), Status: tracking.Accepted, Source: "x"}
	there := tracking.Event{At: noon.Add(50 * time.Hour), Status: tracking.Delivered, Source: "x"}
	follow := func(events ...tracking.Event) {
		t.Helper()
		if err := s.Follow(events...); err != nil {
			t.Fatal(err)
		}
	}
	if follow(label); s.Shipped() {
		t.Error("a label is no scan")
	}
	if follow(scan, label); !s.HandedOverAt.Equal(noon.Add(time.Hour)) || s.Closed() {
		t.Errorf("%+v", s)
	}
	follow(there)
	once := *s
	follow(scan, there, label)
	if d := cmp.Diff(once, *s); d != "" || !s.Closed() {
		t.Errorf("told twice: %s", d)
	}
	s.Except(noon, "the address is not known")
	if s.Question() != "the address is not known" {
		t.Error(s.Question())
	}
}
