package shipping

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/kit/errs"
)

func whole(id string) Shipment {
	return Shipment{ID: "s" + id, ConnectionID: "c", Orders: []string{"c:" + id}, Node: "main", Way: ByPlatform, CreatedAt: noon, Due: noon.Add(24 * time.Hour),
		Lines: []Line{{OrderID: "c:" + id, Key: "k", ItemID: "MUG", Qty: 1, Units: []string{"u" + id}}}}
}

func TestOnlyWholeUntouchedParcelsInTimeShipTogether(t *testing.T) {
	if why := Apart([]Shipment{whole("1"), whole("2")}, noon); why != "" {
		t.Fatal(why)
	}
	for name, spoil := range map[string]func(*Shipment){
		"stopped": func(s *Shipment) { s.Stop(noon, "x") }, "packed": func(s *Shipment) { s.Box = &Box{Grams: 1} }, "labelled": func(s *Shipment) { s.Label.N = 1 },
		"another node": func(s *Shipment) { s.Node = "east" }, "another shop": func(s *Shipment) { s.ConnectionID = "d" },
		"a provider": func(s *Shipment) { s.Way, s.Account = ByProvider, "acc" }, "late": func(s *Shipment) { s.Due = noon },
		"being asked for": func(s *Shipment) { s.Package.Fate = Open }, "too many lines": func(s *Shipment) { s.Lines = slices.Repeat(s.Lines, MaxLines) },
	} {
		all := []Shipment{whole("1"), whole("2")}
		spoil(&all[1])
		if Apart(all, noon) == "" {
			t.Error(name)
		}
		if _, err := Join("j", all, noon); !errs.Is(err, errs.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if Apart([]Shipment{whole("1")}, noon) == "" {
		t.Error("one alone")
	}
}

func TestAJoinedParcelIsPackagedBeforeItIsPacked(t *testing.T) {
	a, b := whole("1"), whole("2")
	b.Due = noon.Add(time.Hour)
	s, err := Join("j", []Shipment{a, b}, noon)
	if err != nil || len(s.Orders) != 2 || len(s.Lines) != 2 || !s.Due.Equal(b.Due) {
		t.Fatalf("%+v %v", s, err)
	}
	at := noon
	want := func(k StepKind) {
		t.Helper()
		if got := s.Next(at); got.Kind != k {
			t.Fatalf("next is %+v, want %s", got, k)
		}
	}
	want(Group)
	if err := s.Begin(Group, at, Terms{Lifetime: lifetime}); err != nil {
		t.Fatal(err)
	}
	s.Lost(Group, at, "no answer")
	want(Seek)
	at = s.Next(at).At
	s.NotPackaged(at)
	want(Seek) // it may still be carried out
	at = at.Add(CallTime + lifetime)
	s.NotPackaged(at)
	want(Group)
	if err := s.Begin(Group, at, Terms{}); err != nil {
		t.Fatal(err)
	}
	s.Packaged(at, "", false)
	want(Group) // one step of several
	s.Packaged(at, "77", true)
	want(Pack)
	if err := s.Drop("c:9", at); !errs.Is(err, errs.Conflict) {
		t.Error(err)
	}
	if err := s.Drop("c:1", at); err != nil || len(s.Lines) != 1 || s.Lines[0].OrderID != "c:2" {
		t.Fatalf("%+v %v", s, err)
	}
	want(Group)
	s.Refuse(Group, at, 0, "no", true)
	want(Ask)
	if s.Question() != "no" {
		t.Error(s.Question())
	}
	s.Answered(at)
	want(Group)
	if err := s.Drop("c:2", at); !errs.Is(err, errs.Conflict) {
		t.Error("the last order is taken out")
	}
}

func TestALabelThatIsPaidStaysGoodForTheOthers(t *testing.T) {
	s, err := Join("j", []Shipment{whole("1"), whole("2")}, noon)
	if err != nil {
		t.Fatal(err)
	}
	s.Packaged(noon, "77", true)
	if err := s.Pack(Box{Grams: 1, At: noon}); err != nil {
		t.Fatal(err)
	}
	s.Booked(noon, Label{Ref: "L", Tracking: "1Z"})
	if err := s.Drop("c:2", noon); err != nil || s.Box == nil || s.Label.Tracking != "1Z" || s.Next(noon).Kind != Fetch {
		t.Fatalf("%+v %v", s, err)
	}
}

// Whatever is taken out in whatever order, a parcel holds the lines of its orders and no others, and of every order that left nothing.
func TestDroppingLeavesJustTheOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 8).Draw(t, "orders")
		var all []Shipment
		for i := range n {
			all = append(all, whole(string(rune('a'+i))))
		}
		s, err := Join("j", all, noon)
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(0, n+1).Draw(t, "drops") {
			o := "c:" + string(rune('a'+rapid.IntRange(0, n).Draw(t, "which")))
			had := slices.Contains(s.Orders, o) && len(s.Orders) > 1
			if err := s.Drop(o, noon); (err == nil) != had {
				t.Fatalf("dropping %s of %v: %v", o, s.Orders, err)
			}
			if len(s.Lines) != len(s.Orders) || slices.ContainsFunc(s.Lines, func(l Line) bool { return !slices.Contains(s.Orders, l.OrderID) }) {
				t.Fatalf("orders %v, lines %v", s.Orders, s.Lines)
			}
			if k := s.Next(noon).Kind; k != Group {
				t.Fatalf("next is %s", k)
			}
		}
	})
}
