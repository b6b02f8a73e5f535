package tracking

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/policy/calendar"
)

func postal(t testing.TB) *calendar.Calendar {
	t.Helper()
	c, err := calendar.New(calendar.Spec{Zone: time.UTC, Week: calendar.MondayToSaturday, Holidays: calendar.USPostal})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Monday 23 November 2026, 9:00, is hour 0; Thursday is Thanksgiving.
func TestWatch(t *testing.T) {
	post := postal(t)
	short := Lane{Likely: 2, Late: 3, From: "seen on 40 parcels, to zone 2", Calendar: post}
	long := Lane{Likely: 12, Late: 17, From: "stated for the carrier", Calendar: post}
	endOf := func(day int) time.Time { return time.Date(2026, 11, day, 23, 59, 59, 0, time.UTC) }
	for _, c := range []struct {
		name     string
		events   []Event
		pickedUp time.Time
		lane     Lane
		trouble  Trouble // "": nothing to wait for
		due      time.Time
		why      string // words in the sentence
	}{
		{"not handed over", []Event{ev(0, LabelCreated)}, time.Time{}, short, "", time.Time{}, ""},
		{"delivered", []Event{ev(0, Accepted), ev(20, Delivered)}, hour(0), short, "", time.Time{}, ""},
		{"back home", []Event{ev(0, Accepted), ev(20, Returned)}, hour(0), short, "", time.Time{}, ""},
		{"the label given back", []Event{ev(0, LabelCreated), ev(1, Cancelled)}, time.Time{}, short, "", time.Time{}, ""},
		{"fetched, and no scan", []Event{ev(0, LabelCreated)}, hour(5), short, NoFirstScan, endOf(24), "fetched on 23 November 14:00"},
		{"fetched before the holiday, and no scan", nil, hour(53), short, NoFirstScan, endOf(27), "has not scanned it"},
		{"told late, but never scanned", []Event{ev(3, Delayed)}, hour(2), short, NoFirstScan, endOf(24), "has not scanned it"},
		{"on the road", []Event{ev(0, Accepted)}, hour(0), short, Silent, endOf(27), "last scan was on 23 November 09:00"},
		{"scanned again, the lane's time is up first", []Event{ev(0, Accepted), ev(30, InTransit)}, hour(0), short, Overdue, endOf(27), "at most 3 (seen on 40 parcels, to zone 2)"},
		{"words of people's in the sentence", []Event{ev(0, Accepted), ev(30, InTransit)}, hour(0), Lane{Likely: 2, Late: 3, From: "stated for 100%s", Calendar: post}, Overdue, endOf(27), "at most 3 (stated for 100%s)."},
		{"silence is usual on a long lane", []Event{ev(0, Accepted)}, hour(0), long, Silent, time.Date(2026, 12, 4, 23, 59, 59, 0, time.UTC), "last scan"},
		{"nothing known of the lane", []Event{ev(0, Accepted)}, hour(0), Lane{}, Silent, hour(72), "last scan"},
		{"out for delivery", []Event{ev(0, Accepted), ev(24, OutForDelivery)}, hour(0), short, VanTooLong, hour(42), "out for delivery since 24 November 09:00"},
		{"on the van again the next morning", []Event{ev(0, Accepted), ev(24, OutForDelivery), ev(48, OutForDelivery)}, hour(0), short, VanTooLong, hour(66), "since 25 November 09:00"},
		{"tried twice", []Event{ev(0, Accepted), ev(24, Attempted), ev(48, Attempted)}, hour(0), short, NotRetried, endOf(28), "tried in vain on 25 November"},
		{"tried once", []Event{ev(0, Accepted), ev(24, Attempted)}, hour(0), short, NotRetried, endOf(27), "tried in vain on 24 November"},
		{"at the counter", []Event{ev(0, Accepted), ev(24, ReadyForPickup)}, hour(0), short, NotFetched, endOf(30), "waits to be fetched"},
		{"the carrier has a trouble", []Event{ev(0, Accepted), ev(24, Exception)}, hour(0), short, NotSolved, hour(48), "reports a trouble"},
		{"comes back", []Event{ev(0, Accepted), ev(24, Returning)}, hour(0), short, ComesBack, hour(24), "on its way back"},
	} {
		p := parcel(t, c.events...)
		f, ok := Watch(p, c.pickedUp, c.lane, UsualPatience, c.due)
		if ok != (c.trouble != "") || f.Trouble != c.trouble || !f.Due.Equal(c.due) || f.Stuck || !strings.Contains(f.Why, c.why) {
			t.Errorf("%s: %+v %v", c.name, f, ok)
		}
		if late, ok := Watch(p, c.pickedUp, c.lane, UsualPatience, c.due.Add(time.Second)); ok && !late.Stuck {
			t.Errorf("%s: a second after it was due it is not stuck: %+v", c.name, late)
		}
	}
}

// What is stuck stays stuck until something is heard; a newer scan on the way never makes it due earlier than the lane says.
func TestWatchIsMonotoneInTime(t *testing.T) {
	post := postal(t)
	rapid.Check(t, func(r *rapid.T) {
		p := parcel(r, rapid.SliceOfN(rapid.Custom(anyEvent), 0, 6).Draw(r, "events")...)
		lane := Lane{Likely: 2, Late: rapid.IntRange(0, 12).Draw(r, "late"), Calendar: post}
		at := hour(rapid.IntRange(0, 400).Draw(r, "at"))
		f, ok := Watch(p, hour(1), lane, UsualPatience, at)
		later, okLater := Watch(p, hour(1), lane, UsualPatience, at.Add(time.Hour))
		if ok != okLater || f.Stuck && !later.Stuck || !f.Due.Equal(later.Due) || f.Due.Before(f.Since) || ok == p.State().Status.Over() {
			r.Fatalf("%+v, an hour later %+v", f, later)
		}
	})
}

func TestDoubts(t *testing.T) {
	const number = "420787459400111206206406260787"
	good := parcel(t, ev(30, Accepted), ev(40, InTransit))
	for _, c := range []struct {
		name  string
		claim Claim
		p     Parcel
		want  []Doubt
	}{
		{"none", Claim{"USPS", number, "78745-1234", hour(29)}, good, nil},
		{"nothing scanned yet", Claim{"USPS", number, "78745", hour(29)}, Parcel{}, []Doubt{NotScanned}},
		{"one scan", Claim{"USPS", number, "", hour(29)}, parcel(t, ev(30, Accepted)), []Doubt{ScannedOnce}},
		{"another carrier", Claim{"UPS", number, "", hour(29)}, good, []Doubt{WrongNumber}},
		{"a carrier nobody knows", Claim{"Some Couriers", "ABC", "", hour(29)}, good, []Doubt{UnknownToUs}},
		{"for another postal code", Claim{"USPS", number, "10001", time.Time{}}, good, []Doubt{OtherPostal}},
		{"a number without a postal code", Claim{"USPS", number[8:], "10001", time.Time{}}, good, nil},
		{"news a day before the order", Claim{"USPS", number, "78745", hour(54)}, good, nil},
		{"news more than a day before the order", Claim{"USPS", number, "78745", hour(55)}, good, []Doubt{BeforeOrder}},
	} {
		if got := Doubts(c.claim, c.p); !cmp.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
