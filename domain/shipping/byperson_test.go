package shipping

import (
	"testing"

	"github.com/spillway/spillway/kit/errs"
)

// byPerson is a parcel of a provider that has no account here.
func byPerson(t *testing.T) *Shipment {
	t.Helper()
	s := made(t, ByProvider, noon)
	s.Account = ""
	return s
}

// A provider without an account is told by a person: nobody outside is asked, nobody packs it here, and its number is told to the channel.
func TestAPersonSendsAParcelToItsProvider(t *testing.T) {
	s := byPerson(t)
	step := func(want StepKind) {
		t.Helper()
		if got := s.Next(hour(9)); got.Kind != want || got.Kind.Outside() != (want == Tell) {
			t.Fatalf("%+v, want %s", got, want)
		}
	}
	refused := func(err error) {
		t.Helper()
		if !errs.Is(err, errs.Conflict) {
			t.Fatalf("not refused: %v", err)
		}
	}
	step(Send)
	refused(s.Numbered(noon, "USPS", uspsNumber))
	refused(s.Unsent(noon))
	if err := s.Send(hour(1)); err != nil {
		t.Fatal(err)
	}
	step(Enter)
	refused(s.Send(hour(1)))
	if err := s.Unsent(hour(2)); err != nil || s.Label.N != 0 {
		t.Fatalf("%v %+v", err, s.Label)
	}
	step(Send)
	if err := s.Send(hour(3)); err != nil {
		t.Fatal(err)
	}
	if err := s.Numbered(hour(4), "USPS", ""); !errs.Is(err, errs.Invalid) {
		t.Fatal(err)
	}
	if err := s.Numbered(hour(4), "USPS", uspsNumber); err != nil || !s.Shipped() {
		t.Fatal(err)
	}
	step(Tell)
	refused(s.Numbered(hour(5), "USPS", uspsNumber))
	refused(s.Unsent(hour(5)))
	if why, may := s.MayRenumber(hour(5)); !may {
		t.Errorf("a number that was mistyped stays: %s", why)
	}
}

// What is cancelled after it was sent asks the person, who says what the provider did; until then it may ship, so it counts as reclaimed.
func TestAPersonSaysWhatBecameOfAStoppedParcel(t *testing.T) {
	for name, ships := range map[string]bool{"they stop it": false, "they ship it": true} {
		s := byPerson(t)
		if err := s.Send(noon); err != nil {
			t.Fatal(err)
		}
		s.Stop(hour(1), "cancelled")
		if s.Next(hour(1)).Kind != Ask || s.Question() == "" || !s.Reclaimed() {
			t.Fatalf("%s: nobody is asked: %+v", name, s.Next(hour(1)))
		}
		var err error
		if ships {
			err = s.Numbered(hour(2), "USPS", uspsNumber)
		} else {
			err = s.Unsent(hour(2))
		}
		if err != nil || s.Shipped() != ships || s.Closed() == ships || s.Reclaimed() || s.Question() != "" {
			t.Errorf("%s: %v, closed %v, %+v", name, err, s.Closed(), s)
		}
	}
	s := byPerson(t)
	s.Stop(noon, "cancelled")
	if !s.Closed() || s.Question() != "" {
		t.Errorf("what nobody sent asks: %q", s.Question())
	}
}
