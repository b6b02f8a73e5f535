package shipping

import (
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/kit/errs"
)

func TestANumberIsCorrectedOnceWithinItsTime(t *testing.T) {
	s := onTheWay(t, ByHand)
	renumber := func(at time.Time, number, refused string) {
		t.Helper()
		err := s.Renumber(at, "", number)
		if refused == "" && err != nil || refused != "" && (!errs.Is(err, errs.Conflict) || !strings.Contains(errs.Safe(err), refused)) {
			t.Errorf("%s: %v, want %q", number, err, refused)
		}
	}
	renumber(noon, "1Z A", "") // nobody was told: no correction
	if got := s.Next(noon); got.Kind != Tell || s.Label.Ref != "1ZA" {
		t.Fatalf("%+v %+v", got, s.Label)
	}
	s.Told(noon, "1ZA", "p", "", 1)
	s.Tell.CorrectUntil = noon.Add(72 * time.Hour)
	renumber(noon.Add(73*time.Hour), "1ZB", "until 23 November 12:00 UTC")
	renumber(noon.Add(time.Hour), "1ZB", "")
	if got := s.Next(noon.Add(time.Hour)); got.Kind != Correct {
		t.Fatalf("%+v", got)
	}
	s.Refuse(Correct, noon.Add(time.Hour), 0, "no such carrier", true)
	renumber(noon.Add(2*time.Hour), "1ZA", "") // back to what the channel knows: nothing is asked any more
	if got := s.Next(noon.Add(2 * time.Hour)); got.Kind != Hand || s.Question() != "" {
		t.Fatalf("%+v %q", got, s.Question())
	}
	renumber(noon.Add(3*time.Hour), "1ZB", "")
	s.Told(noon.Add(3*time.Hour), "1ZB", "p", "", 0)
	if got := s.Next(noon.Add(3 * time.Hour)); got.Kind != Hand || s.Tell.Fixed != 1 {
		t.Fatalf("%+v %+v", got, s.Tell)
	}
	renumber(noon.Add(4*time.Hour), "1ZB", "")
	renumber(noon.Add(4*time.Hour), "1ZC", "no second correction. It knows 1ZB")
	if err := s.Renumber(noon, "", " "); !errs.Is(err, errs.Invalid) {
		t.Error(err)
	}
}

func TestWhoseNumberCannotBeChanged(t *testing.T) {
	for name, c := range map[string]struct {
		way    Way
		change func(*Shipment)
		want   string
	}{
		"the platform's":      {ByPlatform, func(*Shipment) {}, "The platform makes this label"},
		"the provider's":      {ByProvider, func(s *Shipment) { s.Account = "acc" }, "corrected there"},
		"without one":         {ByHand, func(s *Shipment) { s.Label = Label{} }, "no number yet"},
		"stopped":             {ByHand, func(s *Shipment) { s.Stop(noon, "cancelled") }, "cancelled"},
		"delivered":           {ByHand, func(s *Shipment) { s.Left(noon, noon) }, "It is delivered"},
		"being told":          {ByHand, func(s *Shipment) { s.Tell.Fate = Open }, "just being told"},
		"never to be changed": {ByHand, func(s *Shipment) { s.Told(noon, uspsNumber, "p", "", 0) }, "takes no correction of " + uspsNumber},
	} {
		s := onTheWay(t, c.way)
		c.change(s)
		if err := s.Renumber(noon, "", "1ZNEW"); !errs.Is(err, errs.Conflict) || !strings.Contains(errs.Safe(err), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A wrong number may be that of a parcel that has long arrived.
func TestWhatWasHeardOfAWrongNumberIsForgotten(t *testing.T) {
	s := onTheWay(t, ByCarrier)
	if err := s.HandOver(hour(1)); err != nil {
		t.Fatal(err)
	}
	follow(t, s, tracking.Event{At: hour(-50), Status: tracking.Accepted}, tracking.Event{At: hour(2), Status: tracking.Delivered})
	if s.DeliveredAt.IsZero() {
		t.Fatal("it does not count as delivered")
	}
	if err := s.Renumber(hour(3), "", "9400111206206406300209"); err != nil {
		t.Fatal(err)
	}
	if !s.DeliveredAt.IsZero() || !s.HandedOverAt.Equal(hour(1)) || !s.SeenAt.IsZero() || s.Track != nil || !s.Label.Entered || s.Label.Ref != "L" {
		t.Errorf("%+v", s)
	}
}
