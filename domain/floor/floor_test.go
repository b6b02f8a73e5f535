package floor

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/kit/errs"
)

var day = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func drawParcels(t *rapid.T) []Parcel {
	n := rapid.IntRange(0, 40).Draw(t, "parcels")
	out := make([]Parcel, n)
	for i := range out {
		out[i] = Parcel{ID: fmt.Sprintf("p%02d", i)}
		if rapid.IntRange(0, 9).Draw(t, "deadline") > 0 {
			out[i].Due = day.Add(time.Duration(rapid.IntRange(-5, 20).Draw(t, "due")) * time.Hour)
		}
		for k := range 4 {
			if qty := rapid.Int64Range(0, 5).Draw(t, "qty"); qty > 0 && rapid.Bool().Draw(t, "has") {
				out[i].Needs = append(out[i].Needs, Need{fmt.Sprintf("I%d", k), qty})
			}
		}
	}
	return out
}

func bin(item string) string  { return map[string]string{"I0": "A-2", "I1": "A-1", "I2": "B-7"}[item] }
func zone(item string) string { return map[string]string{"I0": "A", "I1": "A", "I2": "B"}[item] }

func TestEveryParcelIsInOneWaveWithinLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := drawParcels(t)
		l := Limits{rapid.IntRange(1, 8).Draw(t, "at most"), rapid.Int64Range(1, 30).Draw(t, "units")}
		byID, in, singlesOver := map[string]Parcel{}, map[string]int{}, false
		for _, p := range ps {
			byID[p.ID] = p
		}
		for _, w := range Plan(ps, zone, l) {
			var units int64
			last := Parcel{}
			for i, id := range w.Parcels {
				p := byID[id]
				in[id]++
				units += p.Units()
				if i > 0 && byDue(last, p) >= 0 {
					t.Fatalf("%s before %s", last.ID, p.ID)
				}
				last = p
				if w.Method == Singles != (len(p.Needs) == 1) {
					t.Fatalf("%s in a wave of %s", id, w.Method)
				}
				if w.Method == Zone && slices.ContainsFunc(p.Needs, func(n Need) bool { return zone(n.Item) != w.Zone }) {
					t.Fatalf("%s leaves zone %s", id, w.Zone)
				}
			}
			if units != w.Units || len(w.Parcels) > l.Parcels || (units > l.Units && len(w.Parcels) > 1) || !w.Due.Equal(byID[w.Parcels[0]].Due) {
				t.Fatalf("%+v, %d units", w, units)
			}
			if w.Method != Singles {
				singlesOver = true
			} else if singlesOver {
				t.Fatal("singles are not first")
			}
		}
		for _, p := range ps {
			if want := min(1, len(p.Needs)); in[p.ID] != want {
				t.Fatalf("%s is in %d waves, want %d", p.ID, in[p.ID], want)
			}
		}
	})
}

// TestSumsAgree picks a wave in random steps with short bins and parcels that leave, and counts what every parcel got.
func TestSumsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := drawParcels(t)
		tasks := Tasks(ps, bin)
		need := map[string]int64{}
		for _, p := range ps {
			for _, n := range p.Needs {
				need[n.Item] += n.Qty
			}
		}
		for i := range tasks {
			if tasks[i].Qty() != need[tasks[i].Item] || tasks[i].Bin != bin(tasks[i].Item) {
				t.Fatalf("%+v, needed %d", tasks[i], need[tasks[i].Item])
			}
			delete(need, tasks[i].Item)
		}
		if len(need) > 0 {
			t.Fatalf("nobody picks %v", need)
		}
		lacking, taken := map[string]bool{}, map[string]int64{}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			if len(tasks) == 0 {
				break
			}
			k := &tasks[rapid.IntRange(0, len(tasks)-1).Draw(t, "task")]
			left, picked := k.Left(), k.Picked
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				for _, f := range k.Run() {
					lacking[f.Parcel] = true
					for j := range tasks {
						tasks[j].Drop(f.Parcel)
					}
				}
				if k.Left() != 0 || k.Picked != picked {
					t.Fatalf("after it ran out: %+v", k)
				}
			default:
				n := rapid.Int64Range(-1, 8).Draw(t, "n")
				err := k.Pick(n)
				if (err == nil) != (n >= 1 && n <= left) || (err == nil && k.Left() != left-n) || (err != nil && !errs.Is(err, errs.Invalid)) {
					t.Fatalf("picked %d of %d: %v", n, left, err)
				}
				if err == nil {
					taken[k.Item] += n
				}
			}
		}
		for i := range tasks {
			k := &tasks[i]
			if k.Picked != taken[k.Item] || k.Picked-k.Surplus() > k.Qty() || (k.Short && k.Picked < k.Qty()) {
				t.Fatalf("%+v: %d taken", k, taken[k.Item])
			}
			for _, f := range k.Feeds {
				if lacking[f.Parcel] {
					t.Fatalf("%s lacks something and is fed by %s", f.Parcel, k.Item)
				}
			}
		}
	})
}

func TestAShortBinServesThoseDueFirst(t *testing.T) {
	one := func(id string, qty int64, hours int) Parcel {
		return Parcel{id, day.Add(time.Duration(hours) * time.Hour), []Need{{"I0", qty}}}
	}
	k := Tasks([]Parcel{one("late", 1, 9), one("first", 2, 1), one("wide", 3, 2)}, bin)[0]
	if err := k.Pick(3); err != nil {
		t.Fatal(err)
	}
	lacking := k.Run()
	if len(lacking) != 1 || lacking[0].Parcel != "wide" || k.Surplus() != 0 || k.Lacked != 3 {
		t.Errorf("%+v lack, %+v", lacking, k)
	}
}

func TestAStationIsToldWhoHasAParcel(t *testing.T) {
	a, err := Take(Claim{}, "p", "one", "ann", day)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Take(a, "p", "two", "bob", day.Add(Lease-1)); !errs.Is(err, errs.Conflict) {
		t.Errorf("two have it: %v", err)
	}
	if b, err := Take(a, "p", "one", "ann", day.Add(time.Minute)); err != nil || !b.Until.Equal(day.Add(time.Minute+Lease)) {
		t.Errorf("%+v %v", b, err)
	}
	if b, err := Take(a, "p", "two", "bob", day.Add(Lease)); err != nil || b.Station != "two" {
		t.Errorf("a station that was left keeps its parcel: %+v %v", b, err)
	}
}

func TestPackingCounts(t *testing.T) {
	p := Open([]Need{{"A", 2}, {"B", 1}})
	for _, s := range []struct {
		item string
		n    int64
		want Fit
	}{{"C", 1, Foreign}, {"A", 3, TooMany}, {"A", 2, Fits}, {"A", 1, TooMany}, {"B", 0, TooMany}, {"B", 1, Fits}} {
		if got := p.Put(s.item, s.n); got != s.want {
			t.Errorf("%d of %s: %s, want %s", s.n, s.item, got, s.want)
		}
	}
	if p.Stage != Boxed || len(p.Missing()) != 0 {
		t.Errorf("%+v", p)
	}
}

func FuzzGrams(f *testing.F) {
	for _, s := range []string{"412", "412 g", "0.412 kg", "0,412kg", "1 lb", "", "0", "71kg", "1e3", "0x10", "NaN", "inf", "-4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if g, err := Grams(s); err == nil && (g < 1 || g > maxGrams) {
			t.Errorf("%q weighs %d", s, g)
		}
		if n, _ := Times(s); n < 1 || n > MaxTimes {
			t.Errorf("%q stands for %d", s, n)
		}
	})
}

func TestGramsAndTimes(t *testing.T) {
	for s, want := range map[string]int64{"412": 412, " 412 g": 412, "0.412 kg": 412, "0,5KG": 500, "1 lb": 454, "2oz": 57, "1e3": 0, "0": 0, "70001": 0, "": 0, "-3": 0} {
		if got, err := Grams(s); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d %v", s, got, err)
		}
	}
	if n, code := Times("12*40063"); n != 12 || code != "40063" {
		t.Error(n, code)
	}
	if n, code := Times("SKU*1"); n != 1 || code != "SKU*1" {
		t.Error(n, code)
	}
}
