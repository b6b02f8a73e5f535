package transit

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/kit/errs"
)

func us(postal string) network.Place { return network.Place{Country: "US", Postal: postal} }

// Pairs of a published chart, the military ones and those of prefixes in no table included.
func TestAgreesWithThePublishedPairs(t *testing.T) {
	f, err := os.Open("../../../shared/data/usps_zone_pairs_sample_2018.csv")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("NOT CHECKED: the shared zone pairs are not at hand")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	halves := [2][][]string{}
	for i, r := range rows[1:] {
		halves[i%2] = append(halves[i%2], r)
	}
	agree(t, "all", rows[1:])
	agree(t, "every other pair", halves[0])
	agree(t, "the others", halves[1])
}

func agree(t *testing.T, name string, rows [][]string) {
	t.Helper()
	exact, near, unknown := 0, 0, 0
	for _, r := range rows {
		want, err := strconv.Atoi(r[2])
		if err != nil {
			t.Fatal(err)
		}
		z, ok := ZoneOf(us(r[0]), us(r[1]), nil)
		switch {
		case !ok:
			unknown++
			continue
		case z.Number == want:
			exact++
		}
		if off := z.Number - want; off >= -1 && off <= 1 {
			near++
		}
	}
	all := float64(len(rows))
	t.Logf("%s: %.0f pairs, %.2f %% exactly, %.2f %% within one zone, %d not known", name, all, 100*float64(exact)/all, 100*float64(near)/all, unknown)
	if float64(exact) < 0.85*all || float64(near) < 0.995*all {
		t.Errorf("%s: less than 85 %% exactly or less than 99.5 %% within one zone", name)
	}
}

func TestZones(t *testing.T) {
	chart, err := ReadChart(strings.NewReader("origin_zip3,dest_zip3,zone\n941,100,7*\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		from, to network.Place
		chart    *Chart
		zone     int // 0: not known
		basis    Basis
	}{
		{"the same prefix", us("94107"), us("94110-1234"), nil, 1, Estimated},
		{"across the country", us("94107"), us("10001"), nil, 8, Estimated},
		{"as charted", us("94107"), us("10001"), chart, 7, Charted},
		{"as charted, the way back", us("10001"), us("94107"), chart, 7, Charted},
		{"not in the chart", us("94107"), us("60601"), chart, 8, Estimated},
		{"Alaska", us("60601"), us("99501"), nil, 8, Estimated},
		{"Hawaii", us("94107"), us("96813"), nil, 8, Estimated},
		{"Puerto Rico by its own code", us("10001"), network.Place{Country: "PR", Postal: "00901"}, nil, 7, Estimated},
		{"Guam", us("94107"), us("96910"), nil, 8, Estimated},
		{"Palau", us("94107"), us("96940"), nil, 9, Special},
		{"American Samoa from Hawaii", us("96813"), us("96799"), nil, 8, Special},
		{"within American Samoa", us("96799"), us("96799"), nil, 1, Estimated},
		{"military by New York", us("10001"), us("09012"), nil, 1, Estimated},
		{"military over the Atlantic from the far west", us("94107"), us("09012"), nil, 7, Estimated},
		{"military over the Pacific", us("10001"), us("96201"), nil, 8, Estimated},
		{"of the destination only the state", us("94107"), network.Place{Country: "US", State: "NY"}, nil, 8, ByState},
		{"of the destination only the state, near", us("10001"), network.Place{Country: "US", State: "NJ"}, nil, 1, ByState},
		{"of the destination only the country", us("94107"), network.Place{Country: "US"}, nil, 0, ""},
		{"no such state", us("94107"), network.Place{Country: "US", State: "XX"}, nil, 0, ""},
		{"abroad", us("94107"), network.Place{Country: "CA", Postal: "K1A 0B1"}, nil, 0, ""},
		{"from abroad", network.Place{Country: "CN", Postal: "518000"}, us("94107"), nil, 0, ""},
		{"no ZIP code", us("94107"), us("ABCDE"), nil, 0, ""},
		{"a prefix nobody has", us("94107"), us("00011"), nil, 0, ""},
	} {
		z, ok := ZoneOf(c.from, c.to, c.chart)
		if ok != (c.zone != 0) || z.Number != c.zone || z.Basis != c.basis {
			t.Errorf("%s: zone %+v, known %v", c.name, z, ok)
		}
	}
}

// A zone is between 1 and 9, the same both ways, and not smaller where the distance is longer.
func TestZonesAreSymmetricAndGrow(t *testing.T) {
	prefix := rapid.Custom(func(t *rapid.T) network.Place {
		return us(Prefix(rapid.IntRange(0, 999).Draw(t, "prefix")).String())
	})
	rapid.Check(t, func(t *rapid.T) {
		from, a, b := prefix.Draw(t, "from"), prefix.Draw(t, "a"), prefix.Draw(t, "b")
		there, ok := ZoneOf(from, a, nil)
		back, okBack := ZoneOf(a, from, nil)
		if ok != okBack || there != back {
			t.Fatalf("there %+v %v, back %+v %v", there, ok, back, okBack)
		}
		if ok && (there.Number < FirstZone || there.Number > LastZone || there.Miles < 0 || there.Miles > math.Pi*earthMiles) {
			t.Fatalf("%+v", there)
		}
		near, okA := Miles(from, a)
		far, okB := Miles(from, b)
		other, okOther := ZoneOf(from, b, nil)
		if okA && okB && (!ok || !okOther || (near <= far) && there.Number > other.Number) {
			t.Fatalf("%v miles is zone %d, %v miles zone %d", near, there.Number, far, other.Number)
		}
	})
}

func TestToStateAddsUp(t *testing.T) {
	for state := range map[string]bool{"CA": true, "NY": true, "PR": true, "HI": true, "AE": true, "WY": true} {
		parts, ok := ToState(us("60601"), state, nil)
		sum := 0.0
		for _, p := range parts {
			sum += p
		}
		if !ok || math.Abs(sum-1) > 1e-9 {
			t.Errorf("%s: %v %v", state, parts, ok)
		}
	}
}

func TestCharts(t *testing.T) {
	good, err := ReadChart(strings.NewReader("\ufeffZone, Dest_ZIP3 ,origin_zip3,more\n4,005-009,941,x\n8e,100---102,941\n\"5+\",300,941\n"))
	if err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]int{"00501": 4, "00999": 4, "10100": 8, "30001": 5} {
		if z, ok := ZoneOf(us("94107"), us(to), good); !ok || z.Number != want || z.Basis != Charted {
			t.Errorf("to %s: %+v", to, z)
		}
	}
	many := "origin_zip3,dest_zip3,zone\n"
	for i := range MaxOrigins + 1 {
		many += fmt.Sprintf("%03d,100,4\n", i)
	}
	for name, text := range map[string]string{
		"nothing": "", "no zone column": "origin_zip3,dest_zip3\n941,100\n", "zone 0": "origin_zip3,dest_zip3,zone\n941,100,0\n",
		"zone 10": "origin_zip3,dest_zip3,zone\n941,100,10\n", "a range backwards": "origin_zip3,dest_zip3,zone\n941,101-100,4\n",
		"a whole ZIP": "origin_zip3,dest_zip3,zone\n94107,100,4\n", "two zones for one way": "origin_zip3,dest_zip3,zone\n941,100,4\n941,099-101,5\n",
		"too few columns": "origin_zip3,dest_zip3,zone\n941\n", "quotes": "origin_zip3,dest_zip3,zone\n\"941,100,4\n",
		"too many origins": many, "too many bytes": "origin_zip3,dest_zip3,zone\n" + strings.Repeat("941,100,4\n", MaxChartBytes/10),
	} {
		if _, err := ReadChart(strings.NewReader(text)); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var none *Chart
	if none.Origins() != 0 || good.Origins() != 1 {
		t.Error("origins are not counted")
	}
}

// Whatever the bytes: no panic, and what is accepted has zones that exist.
func FuzzReadChart(f *testing.F) {
	for _, s := range []string{"origin_zip3,dest_zip3,zone\n941,100,7*\n", "zone,dest_zip3,origin_zip3\n4,005---009,941\n", "origin_zip3,dest_zip3,zone\n\"", "\ufeff\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ReadChart(strings.NewReader(text))
		if err != nil {
			if !errs.Is(err, errs.Invalid) {
				t.Fatal(err)
			}
			return
		}
		if c.Origins() > MaxOrigins {
			t.Fatalf("%d origins", c.Origins())
		}
		for from, row := range c.rows {
			for to, n := range row {
				if n < 0 || n > LastZone {
					t.Fatalf("%s to %d is zone %d", from, to, n)
				}
			}
		}
	})
}
