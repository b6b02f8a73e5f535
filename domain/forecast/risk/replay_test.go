package risk

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

// verdicts are the chances given to the judged orders by different means, in the same order.
type verdicts struct {
	model, base, node []Outcome
	months            []string // one line for each
}

// The months judged, of 2017. Figures and settings were chosen looking at the later ones; the earlier two were judged once, at the end.
var (
	lookedAt  = [2]time.Month{time.July, time.December}
	untouched = [2]time.Month{time.May, time.June}
)

// replay judges each of the months by a model learned from what was known when the month began. Orders whose fate was known at their
// moment already (handed over before they were paid) are not judged.
func replay(t testing.TB, m moment, months [2]time.Month) verdicts {
	cal := olistCalendar(t)
	zone := cal.Zone()
	orders := olistOrders(t, zone)
	samples := olistHistory(cal, orders, m, time.Date(2019, 1, 1, 0, 0, 0, 0, zone)).Samples()
	if len(samples) != len(orders) {
		t.Fatalf("%d of %d orders have a fate", len(samples), len(orders))
	}
	rates := nodeRates(orders, m)
	var v verdicts
	for month := months[0]; month <= months[1]; month++ {
		from := time.Date(2017, month, 1, 0, 0, 0, 0, zone)
		until := from.AddDate(0, 1, 0)
		model := Learn(samples, from)
		if model.State != Learned {
			t.Fatalf("%s: %s", from.Format("2006-01"), model.Why)
		}
		var given, base, node []Outcome
		for k := range samples {
			s := &samples[k]
			if s.At.Before(from) || !s.At.Before(until) || !s.Known.After(s.At) {
				continue
			}
			given = append(given, Outcome{model.Chance(&s.Features), s.Late})
			base = append(base, Outcome{model.Base, s.Late})
			node = append(node, Outcome{rates[s.At.UnixNano()], s.Late}) // nudged to be unique, see olistOrders
		}
		a, b, n := ScoreOf(given), ScoreOf(base), ScoreOf(node)
		v.months = append(v.months, fmt.Sprintf("| %s | %d | %d | %.3f | %.4f | %.4f | %.4f |", from.Format("2006-01"), a.Orders, a.Late, a.AUC,
			a.Brier, b.Brier, n.Brier))
		v.model, v.base, v.node = append(v.model, given...), append(v.base, base...), append(v.node, node...)
	}
	return v
}

// nodeRates is, for each order, its seller's late rate over orders whose fate was known, smoothed towards that of all, computed plainly from
// the rows. The weight of ten orders is the best of 3, 5, 10, 20 and 40 on the very months that are judged: the comparison is not made easy.
func nodeRates(orders []olistOrder, m moment) map[int64]float64 {
	const weight = 10
	type fate struct {
		known time.Time
		node  string
		late  bool
	}
	var fates []fate
	for _, o := range orders {
		known := latest(o.handed, o.paid)
		if o.late() {
			known = latest(o.due, o.paid)
		}
		fates = append(fates, fate{known, o.Node, o.late()})
	}
	slices.SortStableFunc(fates, func(a, b fate) int { return a.known.Compare(b.known) })
	sorted := slices.Clone(orders)
	slices.SortStableFunc(sorted, func(a, b olistOrder) int { return a.moment(m).Compare(b.moment(m)) })
	count, late, out, next := map[string]float64{}, map[string]float64{}, map[int64]float64{}, 0
	for _, o := range sorted {
		for next < len(fates) && fates[next].known.Before(o.moment(m)) {
			f := fates[next]
			for _, key := range []string{"", "node " + f.node} {
				count[key]++
				late[key] += indicator(f.late)
			}
			next++
		}
		all := (late[""] + 1) / (count[""] + 10)
		key := "node " + o.Node
		out[o.moment(m).UnixNano()] = (late[key] + weight*all) / (count[key] + weight)
	}
	return out
}

// TestLateRiskOnRealOrders is the bar: asked at purchase, learned on earlier and judged on later months.
func TestLateRiskOnRealOrders(t *testing.T) {
	for _, c := range []struct {
		moment moment
		months [2]time.Month
	}{{atPurchase, lookedAt}, {atPurchase, untouched}, {atPayment, lookedAt}, {atPayment, untouched}} {
		name := fmt.Sprintf("at %s, %s to %s", c.moment, c.months[0], c.months[1])
		v := replay(t, c.moment, c.months)
		v.print(t, name)
		model, base, node := ScoreOf(v.model), ScoreOf(v.base), ScoreOf(v.node)
		if model.AUC < 0.70 {
			t.Errorf("%s: AUC %.4f, want 0.70 at least", name, model.AUC)
		}
		if model.Brier >= base.Brier || model.Brier >= node.Brier {
			t.Errorf("%s: Brier %.5f, want less than the base rate's %.5f and the seller's rate's %.5f", name, model.Brier, base.Brier, node.Brier)
		}
	}
}

func (v verdicts) print(t *testing.T, name string) {
	model, base, node := ScoreOf(v.model), ScoreOf(v.base), ScoreOf(v.node)
	t.Logf("asked %s: %d orders, %d late", name, model.Orders, model.Late)
	t.Logf("| month | orders | late | AUC | Brier | of the base rate | of the seller's rate |")
	for _, line := range v.months {
		t.Log(line)
	}
	t.Logf("| all | %d | %d | %.4f | %.5f | %.5f | %.5f |  seller's AUC %.4f", model.Orders, model.Late, model.AUC, model.Brier, base.Brier, node.Brier, node.AUC)
	for _, other := range []struct {
		name  string
		given []Outcome
	}{{"base rate", v.base}, {"seller's rate", v.node}} {
		gain, deviation := gained(v.model, other.given)
		t.Logf("Brier less than of the %s by %.5f ± %.5f", other.name, gain, deviation)
	}
	t.Logf("| chance | late | ± | orders |")
	for _, b := range Reliability(v.model, 10) {
		t.Logf("| %.1f %% | %.1f %% | %.1f | %d |", 100*b.Chance, 100*b.Rate, 100*b.Error, b.Orders)
	}
	for _, share := range []int{5, 10, 20} {
		t.Logf("the riskiest %d %% of the orders hold %.0f %% of the late ones", share, 100*captured(v.model, share))
	}
}

// gained is by how much the Brier score of a is better than that of b, order by order, and the standard error of that.
func gained(a, b []Outcome) (gain, deviation float64) {
	var sum, square float64
	for i := range a {
		y := indicator(a[i].Late)
		d := (b[i].Chance-y)*(b[i].Chance-y) - (a[i].Chance-y)*(a[i].Chance-y)
		sum += d
		square += d * d
	}
	n := float64(len(a))
	return sum / n, math.Sqrt((square/n - sum/n*sum/n) / n)
}

// captured is the share of the late orders among the riskiest so many percent.
func captured(outcomes []Outcome, percent int) float64 {
	bins := Reliability(outcomes, 100)
	var in, all float64
	for i, b := range bins {
		late := b.Rate * float64(b.Orders)
		all += late
		if i >= 100-percent {
			in += late
		}
	}
	return in / all
}

// TestLatenessAgreesWithTheTruth: what History calls late is what the data's own count calls late, all 593 of 5,964.
func TestLatenessAgreesWithTheTruth(t *testing.T) {
	cal := olistCalendar(t)
	orders := olistOrders(t, cal.Zone())
	samples := olistHistory(cal, orders, atPurchase, time.Date(2019, 1, 1, 0, 0, 0, 0, cal.Zone())).Samples()
	want := 0
	for _, o := range orders {
		if o.late() {
			want++
		}
	}
	if got := int(lates(samples)); got != want || want != 593 || len(samples) != 5964 {
		t.Errorf("%d of %d orders late, want %d of 5964", got, len(samples), want)
	}
}

// TestNothingIsUsedBeforeItWasKnown: what the features of orders placed before a day are does not depend on whether anything after that day
// was told, and no sample is known before it is placed.
func TestNothingIsUsedBeforeItWasKnown(t *testing.T) {
	cal := olistCalendar(t)
	orders := olistOrders(t, cal.Zone())
	cut := time.Date(2017, 11, 24, 0, 0, 0, 0, cal.Zone())
	after := olistHistory(cal, orders, atPurchase, cut.AddDate(1, 0, 0)).Samples()
	altered := slices.Clone(orders)
	for i := range altered { // all that happens from then on happens otherwise
		o := &altered[i]
		if !o.handed.Before(cut) {
			o.handed = o.handed.AddDate(0, 0, 9)
		}
		if !o.At.Before(cut) {
			o.Node = "another"
		}
	}
	other := olistHistory(cal, altered, atPurchase, cut.AddDate(1, 0, 0)).Samples()
	byAt := map[int64]Features{}
	for _, s := range other {
		byAt[s.At.UnixNano()] = s.Features
	}
	compared := 0
	for _, s := range after {
		if s.Known.Before(s.At) {
			t.Fatalf("known %s before placed %s", s.Known, s.At)
		}
		if s.At.Before(cut) {
			compared++
			if byAt[s.At.UnixNano()] != s.Features {
				t.Fatalf("the order of %s knows of what came after %s", s.At, cut)
			}
		}
	}
	if compared < 4000 {
		t.Errorf("only %d orders compared", compared)
	}
}
