package forecast

import (
	"math"
	"time"
)

const (
	// statedHours is how firmly a stated pace is believed against what was done, in hours of busy work: after twenty of them both count alike.
	// Somebody who says what a team can do knows it about as well as half a week's watching would tell.
	statedHours = 20.0
	// slowest and fastest bound what history makes of a stated pace: what lies beyond is a mistake in one of the two, and is to be looked at.
	slowest, fastest = 0.2, 5.0
)

// StatedThroughput is the pace a node says it has, corrected by what it did. Which hours it works is believed. How much it does in them is
// compared with what it got ready in those of them in which a queue of two hours' work kept it busy, as in LearnThroughput: below six such hours
// (leastBusy) nothing is corrected, and then the factor is drawn towards 1 by statedHours. Hours of off, closures and overtime, are left out of that.
func StatedThroughput(zone *time.Location, stated Weekly, hours []Hour, off []Shift) Throughput {
	if zone == nil {
		zone = time.UTC
	}
	out := Throughput{PerHour: stated, Basis: Stated, Spread: teamSpread, Carry: usualCarry, Doubt: unseenDoubt, Factor: 1}
	working, total := 0, 0.0
	for _, p := range stated {
		if p > 0 {
			working++
			total += p
		}
	}
	if working == 0 {
		return out
	}
	usual := total / float64(working)
	queue := busyHours * usual
	var did, should float64
	var kept []Hour
	last := newest(hours)
	for _, h := range hours {
		if within(off, h.At) {
			continue
		}
		kept = append(kept, h)
		if p := stated[hourOfWeek(h.At, zone)]; p > 0 && float64(h.Queue) >= queue {
			f := weight(last.Sub(h.At), memory)
			did += f * float64(h.Count)
			should += f * p
			out.Busy++
		}
	}
	if out.Busy < leastBusy {
		return out
	}
	out.Factor = min(max((did+statedHours*usual)/(should+statedHours*usual), slowest), fastest)
	for k := range out.PerHour {
		out.PerHour[k] *= out.Factor
	}
	seen := should / (should + statedHours*usual)
	var doubt float64
	out.Spread, out.Carry, doubt = scatter(daysOf(zone, kept, out.PerHour, queue))
	out.Doubt = math.Hypot(seen*doubt, (1-seen)*unseenDoubt)
	return out
}

// Days is what a node can do and what is expected to come in on each of some days of its zone; the first is what is left of today. What it
// assumes of a node nobody has seen work is in it too.
func (n Node) Days(at time.Time, days int) (capacity, coming []float64) {
	if n.Zone == nil {
		n.Zone = time.UTC
	}
	capacity, coming = make([]float64, days), make([]float64, days)
	m := newModel(Input{Zone: n.Zone, Nodes: []Node{n}, Days: days - 1}, at)
	copy(capacity, m.nodes[0].capacityDay)
	copy(coming, m.nodes[0].arrivalsDay)
	for d := range coming {
		if level := n.Arrivals.Level; level > 0 {
			half := n.Arrivals.HalfLife
			if half <= 0 {
				half = defaultHalfLife
			}
			coming[d] *= 1 + (level-1)*math.Exp2(-float64(24*d)/half.Hours())
		}
	}
	return capacity, coming
}
