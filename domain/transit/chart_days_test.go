package transit

import (
	"strings"
	"testing"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/kit/errs"
)

// A transit table beside the chart says the days of a way, before what the lane states and after what was seen; the way back has its own.
func TestATransitTableSaysTheDays(t *testing.T) {
	chart, err := ReadChart(strings.NewReader("origin_zip3,dest_zip3,zone,days\n895,100-102,7,6\n895,900,3,\n"))
	if err != nil {
		t.Fatal(err)
	}
	reno, york, angeles := network.Place{Country: "US", Postal: "89501"}, network.Place{Country: "US", Postal: "10001"}, network.Place{Country: "US", Postal: "90001"}
	lane := network.Lane{Carrier: "UPS"}
	lane.Days[7], lane.Days[8] = 4, 4
	if d, z, ok := Way(reno, lane, york, chart); !ok || d.Likely != 6 || d.Late != 9 || z.Number != 7 || z.Basis != Charted {
		t.Errorf("%+v %+v %v", d, z, ok)
	}
	if d, z, ok := Way(reno, lane, york, nil); !ok || d.Likely != 4 || z.Basis != Estimated {
		t.Errorf("without a chart: %+v %+v %v", d, z, ok)
	}
	if d, z, ok := Way(york, lane, reno, chart); !ok || d.Likely != 4 || z.Number != 7 {
		t.Errorf("the way back: %+v %+v %v", d, z, ok)
	}
	if d, z, ok := Way(reno, network.Lane{}, angeles, chart); !ok || z.Number != 3 || d.Likely != byZone[3].Likely {
		t.Errorf("a zone without days: %+v %+v %v", d, z, ok)
	}
	var seen Seen
	seen[2] = 40
	if d, _, _ := Way(reno, lane, york, chart, Group{"there", seen}); d.Likely != 2 {
		t.Errorf("what was seen: %+v", d)
	}
	for _, bad := range []string{"0", "46", "soon", "-1"} {
		if _, err := ReadChart(strings.NewReader("origin_zip3,dest_zip3,zone,days\n895,100,7," + bad + "\n")); !errs.Is(err, errs.Invalid) {
			t.Errorf("%q days: %v", bad, err)
		}
	}
}

// A row that is wrong leaves no trace, so that all that is wrong with a file can be told.
func TestAWrongRowLeavesTheChartAsItWas(t *testing.T) {
	b, err := NewBuilder([]string{"zone", "origin_zip3", "dest_zip3"})
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range [][]string{{"7", "895", "100-102"}, {"8", "895", "099-101"}, {"2", "895", "1"}, {"12", "171", "100"}, {"2", "171"}} {
		if err := b.Add(i+2, row); (err == nil) != (i == 0) {
			t.Errorf("row %d: %v", i+2, err)
		}
	}
	if n := b.Chart.Ways(); n != 3 || len(b.Chart.From()) != 1 {
		t.Errorf("%d ways from %v", n, b.Chart.From())
	}
	if differ, of := b.Chart.Differ(895, nil); of != 3 || differ != 3 { // estimated: zone 8
		t.Errorf("%d of %d differ from the estimate", differ, of)
	}
	if differ, of := b.Chart.Differ(895, b.Chart); of != 3 || differ != 0 {
		t.Errorf("%d of %d differ from itself", differ, of)
	}
	if _, err := NewBuilder([]string{"origin_zip3", "zone"}); !errs.Is(err, errs.Invalid) {
		t.Error(err)
	}
}
