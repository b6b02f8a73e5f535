package risk

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Theme is what a group of figures tells of. Figures of one theme say nearly the same and only their sum means something.
type Theme string

const (
	Record    Theme = "record"    // how the node has done
	Allowance Theme = "allowance" // the time until the deadline, and what the node needs
	Backlog   Theme = "backlog"   // work before this order at the node
	All       Theme = "all"       // what goes on at all nodes
	Goods     Theme = "goods"     // what was ordered
	Area      Theme = "area"      // nodes of the same region
	Hour      Theme = "hour"      // when it was placed
)

var allThemes = [...]Theme{Record, Allowance, Backlog, All, Goods, Area, Hour}

// Reason is what one theme did to a chance.
type Reason struct {
	Theme Theme   `json:"theme"`
	Odds  float64 `json:"odds"` // change of the log-odds against an average order; above 0 makes late dispatch likelier
	Says  string  `json:"says"`
}

// Explain says what moved the order's chance away from that of an average order, strongest first, at most n reasons; those that changed
// the odds by less than a twentieth are left out. A model that was not learned has no reasons: its Why says so.
func (m *Model) Explain(f *Features, n int) []Reason {
	if m.State != Learned {
		return nil
	}
	odds := map[Theme]float64{}
	for k := range featureCount {
		odds[themes[k]] += m.Linear.Weight[k] * m.Linear.standard(int(k), f[k])
	}
	var out []Reason
	for _, t := range allThemes {
		if math.Abs(odds[t]) >= math.Log(1.05) {
			out = append(out, Reason{Theme: t, Odds: odds[t], Says: f.says(t)})
		}
	}
	slices.SortStableFunc(out, func(a, b Reason) int { return cmp.Compare(math.Abs(b.Odds), math.Abs(a.Odds)) })
	return out[:min(max(0, n), len(out))]
}

// rate is a figure of log-odds as a percentage.
func (f *Features) rate(k Feature) float64 { return 100 * logistic(float64(f[k])) }

// count is a figure of log(1 + x) as x.
func (f *Features) count(k Feature) float64 { return math.Expm1(float64(f[k])) }

func (f *Features) says(t Theme) string {
	switch t {
	case Record:
		if f[NodeOrders] == 0 {
			return "none of this node's orders has been judged yet"
		}
		return fmt.Sprintf("this node is late with %.0f %% of its orders, lately %.0f %%; half are handed over within %.1f business days, nine of ten within %.1f",
			f.rate(NodeLate), f.rate(NodeLately), f[NodeMedian], f[NodeNinety])
	case Allowance:
		if f[DueKnown] == 0 {
			return fmt.Sprintf("the deadline is not set yet, usual here are %.1f business days; %.0f %% of this node's orders took longer", f[Allowed], f.rate(NodeExceeds))
		}
		return fmt.Sprintf("%.1f business days until the deadline; %.0f %% of this node's orders took longer", f[Allowed], f.rate(NodeExceeds))
	case Backlog:
		return f.saysBacklog()
	case All:
		return fmt.Sprintf("%.1f %% of all orders were late lately, %.0f %% of those open are past their deadline, orders come at %.1f times the usual rate",
			f.rate(MarketLate), 100*f[MarketOverdue], math.Exp(float64(f[MarketVolume])))
	case Goods:
		return fmt.Sprintf("%.1f kg; this item is late %.0f %% of the time, its category %.0f %%", f.count(Weight), f.rate(ItemLate), f.rate(CategoryLate))
	case Area:
		return fmt.Sprintf("nodes of the same area are late with %.0f %% of their orders", f.rate(RegionLate))
	case Hour:
		return f.saysHour()
	}
	return string(t)
}

func (f *Features) saysBacklog() string {
	open := f.count(NodeOpen)
	if open < 0.5 {
		return fmt.Sprintf("nothing waits at this node, orders come at %.1f times its usual rate", math.Exp(float64(f[NodeVolume])))
	}
	s := fmt.Sprintf("%.0f waiting at this node, %.1f days of its work, the oldest for %.1f business days", open, f.count(NodeBacklog), f[NodeOldest])
	if late := f.count(NodeOverdue); late > 0.5 {
		s += fmt.Sprintf(", %.0f past their deadline", late)
	}
	return s + fmt.Sprintf("; orders come at %.1f times its usual rate", math.Exp(float64(f[NodeVolume])))
}

func (f *Features) saysHour() string {
	var parts []string
	switch {
	case f[Evening] == 1:
		parts = append(parts, "placed in the evening")
	case f[Night] == 1:
		parts = append(parts, "placed in the night")
	default:
		parts = append(parts, "placed during the day")
	}
	switch {
	case f[RestDay] == 1:
		parts = append(parts, "on a day without business")
	case f[Friday] == 1:
		parts = append(parts, "with no business the next day")
	}
	return strings.Join(parts, " ")
}
