package forecast

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/policy"
)

// RemedyKind is something that can be done.
type RemedyKind string

const (
	ExtraHours RemedyKind = "extra_hours" // the usual team works longer: Amount hours in all, from the next hours it would not work
	MorePeople RemedyKind = "more_people" // in the usual hours, Amount times the usual throughput from now on
)

// Remedy is how much of something brings the chance of a breach below what was asked.
type Remedy struct {
	Node   string
	Kind   RemedyKind
	Amount float64
	Chance float64 // of a breach, with it
	Enough bool    // else Amount is the most that was tried, and Chance what it brings
}

// Bounds of what is tried.
const (
	maxExtraHours = 64  // an early and a late shift on each day of a week, nearly
	maxPeople     = 4.0 // times the usual throughput
	maxNodes      = 3   // nodes, those with the most orders expected late
	firstHour     = 6   // nobody is asked to work at night
	lastHour      = 22
)

// Remedies are the least extra hours and the least extra people, at each of the nodes with most orders expected late, that bring the chance
// of passing the metric's limit of enforcement on any day below a level. None if it is below already. The least is found by halving, each step
// forecasts anew. It is enough by that forecast; that less would not be holds where more work does not make the rate worse, which it can for
// some hours while orders that are late already are dispatched at last.
func (f *Forecast) Remedies(metric policy.Metric, below float64) []Remedy {
	chance := func(in Input) float64 {
		if m := Make(in, f.At).Metric(metric); m != nil {
			return m.Chance(policy.Enforcement)
		}
		return 0
	}
	if m := f.Metric(metric); m == nil || m.Chance(policy.Enforcement) < below {
		return nil
	}
	var out []Remedy
	for _, n := range f.worstNodes() {
		for _, kind := range []struct {
			RemedyKind
			most float64
			unit float64
			with func(amount float64) Input
		}{
			{ExtraHours, maxExtraHours, 1, func(a float64) Input { return f.withHours(n, int(a)) }},
			{MorePeople, maxPeople, 0.1, func(a float64) Input { return f.withPeople(n, a) }},
		} {
			r := Remedy{Node: f.model.in.Nodes[n].Code, Kind: kind.RemedyKind, Amount: kind.most, Chance: chance(kind.with(kind.most))}
			if r.Enough = r.Chance < below; r.Enough {
				lo, hi := 0, int(math.Round(kind.most/kind.unit))
				for hi-lo > 1 {
					mid := (lo + hi) / 2
					if c := chance(kind.with(float64(mid) * kind.unit)); c < below {
						hi, r.Chance = mid, c
					} else {
						lo = mid
					}
				}
				r.Amount = math.Round(float64(hi)*kind.unit*10) / 10
			}
			out = append(out, r)
		}
	}
	return out
}

// worstNodes are the nodes with most orders expected late, at most maxNodes, worst first.
func (f *Forecast) worstNodes() (out []int) {
	late := make([]float64, len(f.model.nodes))
	for i := range f.Orders {
		if p := &f.model.profiles[f.model.of[i]]; p.stage == waiting {
			late[p.node] += f.Orders[i].Miss + f.Orders[i].Cancel
		}
	}
	for n := range late {
		if late[n] > 0.5 {
			out = append(out, n)
		}
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(late[b], late[a]) })
	return out[:min(len(out), maxNodes)]
}

// withNode is the input with one node changed.
func (f *Forecast) withNode(i int, change func(n *Node)) Input {
	in := f.model.in
	in.Nodes = slices.Clone(in.Nodes)
	change(&in.Nodes[i])
	return in
}

// withHours lets the node work its usual pace in the next hours of the day in which it would not work.
func (f *Forecast) withHours(i, hours int) Input {
	model := &f.model.nodes[i]
	sum, working := 0.0, 0
	for _, c := range model.throughput.PerHour {
		if c > 0 {
			sum += c
			working++
		}
	}
	return f.withNode(i, func(n *Node) {
		zone := n.Zone
		if zone == nil {
			zone = time.UTC
		}
		n.Extra = slices.Clone(n.Extra)
		for k, start := range f.model.starts {
			clock := start.In(zone).Hour()
			if hours == 0 || working == 0 {
				return
			}
			if k > 0 && model.capacity[k] == 0 && clock >= firstHour && clock < lastHour {
				n.Extra = append(n.Extra, Shift{From: start, Until: start.Add(time.Hour), PerHour: sum / float64(working)})
				hours--
			}
		}
	})
}

func (f *Forecast) withPeople(i int, factor float64) Input {
	model := &f.model.nodes[i]
	return f.withNode(i, func(n *Node) {
		n.Throughput.PerHour = model.throughput.PerHour
		for k := range n.Throughput.PerHour {
			n.Throughput.PerHour[k] *= factor
		}
		n.Throughput.Basis = Stated
	})
}
