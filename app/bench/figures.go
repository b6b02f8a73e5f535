package bench

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// median is the middle of a list, the upper one of two.
func median[T cmp.Ordered](in []T) T {
	s := slices.Clone(in)
	slices.Sort(s)
	return s[len(s)/2]
}

// middle takes the median of each figure of several runs.
func middle(runs []pour) pour {
	var rates, cpu []float64
	var p50s, p99s []time.Duration
	for _, r := range runs {
		rates, p50s, p99s, cpu = append(rates, r.Rate), append(p50s, r.P50), append(p99s, r.P99), append(cpu, r.CPUus)
	}
	return pour{Rate: median(rates), P50: median(p50s), P99: median(p99s), CPUus: median(cpu)}
}

// cells are the four columns of a rate.
func (p pour) cells() []cell {
	return append(p.times(), figure("cpu_us", p.CPUus, "%.0f"))
}

// times are those without the cores' part.
func (p pour) times() []cell {
	return []cell{figure("per_second", p.Rate, "%.0f"), span("p50", p.P50), span("p99", p.P99)}
}

func ms(d time.Duration) string { return d.Round(100 * time.Microsecond).String() }

// Names of the engines.
const (
	engineSQLite   = "embedded SQLite"
	enginePostgres = "PostgreSQL"
)

// engineOf names the engine behind a database URL.
func engineOf(database string) string {
	if strings.HasPrefix(database, "postgres") {
		return enginePostgres
	}
	return engineSQLite
}
