package shipping

import (
	"testing"
	"time"
)

func TestWhatGoesOnACarriersManifest(t *testing.T) {
	today := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	good := Shipment{Way: ByCarrier, Account: "a", Label: Label{Call: Call{Fate: Done}, Ref: "shp_1", Carrier: "USPS", BookedAt: today.Add(9 * time.Hour)}}
	for what, c := range map[string]struct {
		want   bool
		change func(*Shipment)
	}{
		"waits for the van":             {true, func(*Shipment) {}},
		"on the van":                    {true, func(s *Shipment) { s.HandedOverAt = today.Add(10 * time.Hour) }},
		"on the van, then cancelled":    {true, func(s *Shipment) { s.HandedOverAt, s.Stopped = today.Add(10*time.Hour), today.Add(11*time.Hour) }},
		"labelled at midnight":          {true, func(s *Shipment) { s.Label.BookedAt = today }},
		"labelled yesterday":            {false, func(s *Shipment) { s.Label.BookedAt = today.Add(-time.Second) }},
		"cancelled":                     {false, func(s *Shipment) { s.Stopped = today }},
		"its label is being taken back": {false, func(s *Shipment) { s.Void.Fate = Open }},
		"its label was taken back":      {false, func(s *Shipment) { s.Void.Fate = Done }},
		"scanned by the carrier":        {false, func(s *Shipment) { s.SeenAt = today }},
		"arrived":                       {false, func(s *Shipment) { s.DeliveredAt = today }},
		"no label yet":                  {false, func(s *Shipment) { s.Label.Fate = Waiting }},
		"goes under another number":     {false, func(s *Shipment) { s.Label.Entered = true }},
		"labelled by the channel":       {false, func(s *Shipment) { s.Way = ByPlatform }},
		"labelled elsewhere":            {false, func(s *Shipment) { s.Way = ByHand }},
		"labelled by who keeps it":      {false, func(s *Shipment) { s.Way = ByProvider }},
		"nobody knows by which carrier": {false, func(s *Shipment) { s.Label.Carrier = "" }},
	} {
		s := good
		if c.change(&s); s.Listable(today) != c.want {
			t.Errorf("%s: want %v", what, c.want)
		}
	}
}

func TestAManifestWhoseAnswerNeverCameIsUnknown(t *testing.T) {
	asked := time.Date(2026, 11, 23, 17, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		stored Fate
		after  time.Duration
		want   Fate
	}{{Open, CallTime - 1, Open}, {Open, CallTime, Unknown}, {Done, time.Hour, Done}, {Refused, time.Hour, Refused}, {Unknown, 0, Unknown}} {
		if got := TogetherFate(c.stored, asked, asked.Add(c.after)); got != c.want {
			t.Errorf("%s after %v is %s, want %s", c.stored, c.after, got, c.want)
		}
	}
}
