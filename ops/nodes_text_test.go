package ops

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy/calendar"
)

func TestWhatPeopleWriteOfNodes(t *testing.T) {
	shifts, err := readShifts(time.Monday, "8-12 60, 13:00–24:00 at 40/h")
	want := []network.Shift{{Weekday: time.Monday, From: 8 * 3600, Until: 12 * 3600, PerHour: 60}, {Weekday: time.Monday, From: 13 * 3600, Until: calendar.LastSecond, PerHour: 40}}
	if diff := cmp.Diff(want, shifts); diff != "" || err != nil {
		t.Error(diff, err)
	}
	vans, err := readPickups("Fri-Mon 17:00 cut-off 30; wednesday 9")
	if err != nil || len(vans) != 5 || vans[2].Weekday != time.Sunday || vans[3].CutOff != 30 || vans[4].Weekday != time.Wednesday {
		t.Error(vans, err)
	}
	if got := writePickups(vans); got != "Fri-Mon 17:00 cut-off 30, Wed 09:00" {
		t.Error(got)
	}
	for read, texts := range map[string][]string{
		"shift":    {"8-12", "8-12 0", "12-8 5", "22-6 5", "8-12 5, 11-13 5", "8-25 5", "morning", "8-12 999999999"},
		"pickup":   {"17:00", "Mon", "Moonday 17:00", "Mon-Fir 17:00", "Mon 25:00", "Mon 17:00 cut-off 2000"},
		"closed":   {"2026-12-24", "24.12.2026 x", "2026-12-26..2026-12-24 x", "2026-13-01 x", "2026-01-01..2028-01-01 x"},
		"overtime": {"2026-11-28", "2026-11-28 8-14", "2026-11-28 14-8 5", "2026-02-30 8-14 5"},
	} {
		for _, text := range texts {
			var err error
			switch read {
			case "shift":
				_, err = readShifts(time.Monday, text)
			case "pickup":
				_, err = readPickups(text)
			case "closed":
				_, err = readClosed(text, "ann")
			case "overtime":
				_, err = readOvertime(text)
			}
			if err == nil {
				t.Errorf("%q is taken for a %s", text, read)
			}
		}
	}
}

// What is written is read back as the same, so that nothing changes on a form that is opened and saved.
func TestWhatIsWrittenOfNodesIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock := func(name string) calendar.Clock {
			return calendar.Clock(rapid.IntRange(0, 1439).Draw(t, name)) * 60
		}
		var vans []network.Pickup
		seen := map[network.Pickup]bool{}
		for range rapid.IntRange(0, 12).Draw(t, "vans") {
			v := network.Pickup{Weekday: time.Weekday(rapid.IntRange(0, 6).Draw(t, "day")), At: rapid.SampledFrom([]calendar.Clock{9 * 3600, 17*3600 + 60, 0}).Draw(t, "at"), CutOff: rapid.SampledFrom([]int{0, 30}).Draw(t, "cut")}
			if !seen[v] {
				vans = append(vans, v)
			}
			seen[v] = true
		}
		got, err := readPickups(writePickups(vans))
		if err != nil {
			t.Fatal(err)
		}
		again := map[network.Pickup]bool{}
		for _, v := range got {
			again[v] = true
		}
		if diff := cmp.Diff(seen, again); diff != "" || len(got) != len(vans) {
			t.Fatalf("%s: %s", writePickups(vans), diff)
		}
		var shifts []network.Shift
		if a, b := clock("from"), clock("until"); a < b {
			shifts = append(shifts, network.Shift{Weekday: time.Friday, From: a, Until: b, PerHour: int64(rapid.IntRange(1, 1000).Draw(t, "pace"))})
		}
		if got, err := readShifts(time.Friday, writeShifts(shifts, time.Friday)); err != nil || cmp.Diff(shifts, got) != "" {
			t.Fatal(got, err)
		}
		day := calendar.Date(2026, 1, 1) + calendar.Day(rapid.IntRange(0, 900).Draw(t, "day"))
		closed := []calendar.Closure{{Name: "Moving out", Author: "ann", Span: calendar.Span{From: day, Until: day + calendar.Day(rapid.IntRange(1, 30).Draw(t, "long"))}}}
		if got, err := readClosed(writeClosed(closed), "ann"); err != nil || cmp.Diff(closed, got) != "" {
			t.Fatal(got, err)
		}
		over := []network.Overtime{{Day: day, From: 3600, Until: calendar.LastSecond, PerHour: 9, Reason: rapid.SampledFrom([]string{"", "Black Friday"}).Draw(t, "why")}}
		if got, err := readOvertime(writeOvertime(over)); err != nil || cmp.Diff(over, got) != "" {
			t.Fatal(got, err)
		}
	})
}

func FuzzWhatPeopleWriteOfNodes(f *testing.F) {
	for _, s := range []string{"8-12 60, 13:00–24:00 at 40/h", "Mon-Fri 17:00 cut-off 30", "2026-12-24..2026-12-26 x", "2026-11-28 08:00-14:00 60 Black Friday", "\x00,,;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if shifts, err := readShifts(time.Monday, text); err == nil {
			again, err := readShifts(time.Monday, writeShifts(shifts, time.Monday))
			if err != nil || cmp.Diff(shifts, again) != "" {
				t.Errorf("%q: %v", text, err)
			}
		}
		if vans, err := readPickups(text); err == nil && len(vans) > 0 && strings.TrimSpace(writePickups(vans)) == "" {
			t.Errorf("%q is written as nothing", text)
		}
		_, _ = readClosed(text, "")
		_, _ = readOvertime(text)
	})
}
