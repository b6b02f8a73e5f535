package risk

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"
)

// go test ./domain/forecast/risk -run TestReliabilityPlot -update draws it again.
var update = flag.Bool("update", false, "write docs/images/late-risk-reliability.svg")

const plotFile = "../../../docs/images/late-risk-reliability.svg"

// TestReliabilityPlot: the plot in the documents is what the replay gives today.
func TestReliabilityPlot(t *testing.T) {
	got := plot(replay(t, atPurchase, lookedAt), replay(t, atPayment, lookedAt))
	if *update {
		if err := os.WriteFile(plotFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(plotFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the replay gives; look at the figures, then run this test with -update", plotFile)
	}
}

const (
	plotSide = 300.0 // of one panel, px
	plotTop  = 0.40  // of both axes, a share of orders
)

// plot draws two reliability panels. Colours follow the reader's light or dark setting.
func plot(purchase, payment verdicts) []byte {
	var b bytes.Buffer
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 420" role="img" font-family="system-ui, sans-serif" font-size="12">
<title>Late risk on real orders: chances given and what came of them</title>
<style>
.page { fill: #ffffff } .ink { fill: #1c2430 } .soft { fill: #5b6675 } .grid { stroke: #dfe4ea } .even { stroke: #8a94a3; stroke-dasharray: 4 4 }
.bar { stroke: #1b62c4; stroke-width: 1.5 } .dot { fill: #1b62c4 }
@media (prefers-color-scheme: dark) {
.page { fill: #12171e } .ink { fill: #e8edf3 } .soft { fill: #a2adbb } .grid { stroke: #2a3340 } .even { stroke: #77828f }
.bar { stroke: #7fb2ff } .dot { fill: #7fb2ff }
}
</style>
<rect class="page" width="760" height="420"/>
`)
	panel(&b, 60, "Asked at purchase, deadline not set", purchase)
	panel(&b, 430, "Asked at payment, deadline set", payment)
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func panel(b *bytes.Buffer, left float64, title string, v verdicts) {
	const top = 60.0
	x := func(p float64) float64 { return left + p/plotTop*plotSide }
	y := func(p float64) float64 { return top + plotSide - p/plotTop*plotSide }
	s := ScoreOf(v.model)
	fmt.Fprintf(b, "<text class=\"ink\" x=\"%.0f\" y=\"24\" font-size=\"14\" font-weight=\"600\">%s</text>\n", left, title)
	fmt.Fprintf(b, "<text class=\"soft\" x=\"%.0f\" y=\"44\" font-size=\"11\">%d orders, AUC %.3f, Brier %.4f, base rate\u2019s %.4f</text>\n", left, s.Orders,
		s.AUC, s.Brier, ScoreOf(v.base).Brier)
	for k := range 5 {
		p := plotTop * float64(k) / 4
		fmt.Fprintf(b, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", x(0), y(p), x(plotTop), y(p))
		fmt.Fprintf(b, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", x(p), y(0), x(p), y(plotTop))
		fmt.Fprintf(b, "<text class=\"soft\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.0f %%</text>", x(0)-6, y(p)+4, 100*p)
		fmt.Fprintf(b, "<text class=\"soft\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%.0f %%</text>\n", x(p), y(0)+18, 100*p)
	}
	fmt.Fprintf(b, "<line class=\"even\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", x(0), y(0), x(plotTop), y(plotTop))
	for _, n := range Reliability(v.model, 10) {
		fmt.Fprintf(b, "<line class=\"bar\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", x(n.Chance), y(max(0, n.Rate-2*n.Error)), x(n.Chance),
			y(min(plotTop, n.Rate+2*n.Error)))
		fmt.Fprintf(b, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>\n", x(n.Chance), y(n.Rate))
	}
	fmt.Fprintf(b, "<text class=\"ink\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">chance given (ten equal groups of orders)</text>\n", x(plotTop/2), y(0)+40)
	fmt.Fprintf(b, "<text class=\"ink\" transform=\"translate(%.1f %.1f) rotate(-90)\" text-anchor=\"middle\">dispatched late (± 2 standard errors)</text>\n",
		left-42, y(plotTop/2))
}
