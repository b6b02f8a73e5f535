package tiktok

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/order"
	sim "github.com/spillway/spillway/sim/tiktok"
)

func TestRegionIsNeverFiner(t *testing.T) {
	at := func(country string, districts ...wireDistrict) wireRecipient {
		return wireRecipient{RegionCode: country, Districts: districts}
	}
	state := func(name string) wireDistrict { return wireDistrict{"L1", name} }
	for _, c := range []struct {
		in   wireRecipient
		want string
	}{
		{at("US", wireDistrict{"L0", "United States"}, state("California"), wireDistrict{"L3", "Ohio"}), "US-CA"},
		{at("US", state("NEW HAMPSHIRE")), "US-NH"},
		{at("US", state("TX")), "US-TX"},
		{at("US", state("ZZ")), "US"},
		{at("US", state("C*********")), "US"},
		{at("US", wireDistrict{"L2", "California"}), "US"},
		{at("GB", state("England")), "GB"},
		{at(""), ""},
		{at("us", state("California")), ""},
		{at("United States", state("California")), ""},
	} {
		if got := region(&c.in); got != c.want {
			t.Errorf("%+v: %q, want %q", c.in, got, c.want)
		}
	}
}

func TestParcelsOfLines(t *testing.T) {
	got := parcels([]wireLine{
		{PackageID: "9", Provider: "UPS", Tracking: "1Z9"}, {PackageID: "3"}, {PackageID: "9", Provider: "UPS", Tracking: "1Z9"}, {},
		{PackageID: "5", PackageStatus: "CANCELLED", Tracking: "1Z5"}, {PackageID: "3", Tracking: "1Z3"},
	})
	want := []order.Parcel{{Ref: "3", Tracking: "1Z3"}, {Ref: "9", Carrier: "UPS", Tracking: "1Z9"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var many []wireLine
	for i := range order.MaxParcels + 5 {
		many = append(many, wireLine{PackageID: fmt.Sprint(i)})
	}
	if n := len(parcels(many)); n != order.MaxParcels {
		t.Errorf("%d parcels", n)
	}
}

// TestParcelOfAnOrderAsItGoes: no parcel before it is arranged, then one with its number; the region stays through masking.
func TestParcelOfAnOrderAsItGoes(t *testing.T) {
	s := newShop(t)
	session := openSession(t, s.harness(t))
	read := func(id string) *order.Detail {
		t.Helper()
		got, err := session.OrdersByID(t.Context(), []string{id})
		if err != nil || len(got) != 1 {
			t.Fatalf("%d orders, %v", len(got), err)
		}
		return got[0].Detail
	}
	id, err := s.PlaceOrder(s.id, []sim.Wanted{{SKU: "MUG-1", Qty: 2}}, sim.PlaceOptions{Shipping: "TIKTOK"})
	if err != nil {
		t.Fatal(err)
	}
	d := read(id)
	if len(d.Parcels) != 0 || len(d.Region) != len("US-OR") || !d.Flags.PlatformLabel {
		t.Fatalf("before: %+v to %q, platform's label %v", d.Parcels, d.Region, d.Flags.PlatformLabel)
	}
	if err := s.Ship(id, "9400100000000000000031", ""); err != nil {
		t.Fatal(err)
	}
	arranged := read(id)
	want := []order.Parcel{{Ref: arranged.Lines[0].Units[0].PackageRef, Carrier: "USPS", Tracking: "9400100000000000000031"}}
	if diff := cmp.Diff(want, arranged.Parcels); diff != "" || arranged.Region != d.Region {
		t.Errorf("arranged, to %q (-want +got):\n%s", arranged.Region, diff)
	}
	gone := s.place(t, "MUG-2", 1)
	before := read(gone).Region
	if _, err := s.Cancel(gone, "SELLER", ""); err != nil {
		t.Fatal(err)
	}
	if after := read(gone); after.Region != before || before == "" {
		t.Errorf("cancelled: to %q, before to %q", after.Region, before)
	}
}
