package worlds

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a run.
type Options struct {
	Worlds  int    // random worlds; 0 means 2000, the number the product's bar names
	Seed    uint64 // of the first world
	Workers int    // 0 means one for each core
	Rivals  bool   // also play the random worlds under the rivals' rules
}

// Report is what a run found.
type Report struct {
	Seed     uint64
	Worlds   int
	Rested   int // worlds that came to rest with told = desired everywhere
	Holds    int // live holds in them, each checked as a level at every plan
	Failures []Failure
	Rows     []Row    // the random worlds under each keeper, Spillway first
	Free     []Row    // the same worlds without policies that hold units back: what the oracle can be compared with
	Spikes   []Figure // 500 units, five channels, one at fifty times its usual rate
	Weeks    []Figure // a quiet week
}

// Failure is a world that broke a rule.
type Failure struct {
	Case Case
	Err  error
}

// Row sums up the random worlds under one keeper.
type Row struct {
	Result
	OversoldWorlds int
}

// Figure is one named scenario under Spillway, the oracle, and copying on every event.
type Figure struct {
	Name                 string
	Spillway, Best, Copy Result
}

// Share is what part of the oracle's sales Spillway makes, in percent.
func (f Figure) Share() float64 { return 100 * float64(f.Spillway.Sold) / float64(max(1, f.Best.Sold)) }

// policies are the features by which an operator holds units back or confines them, which the rivals and the oracle
// know nothing of.
const policies = Holds | Buffers | Limits | Pools

// maxFailures is how many failing worlds a run collects before it stops: three show a pattern.
const maxFailures = 3

// Run plays random worlds and the named scenarios.
func Run(o Options) Report {
	if o.Worlds == 0 {
		o.Worlds = 2000
	}
	if o.Workers == 0 {
		o.Workers = runtime.NumCPU()
	}
	rep := Report{Seed: o.Seed}
	var mu sync.Mutex
	each(o, func(seed uint64) bool {
		c := Case{Seed: seed, Off: Excused}
		results, err := playAll(c.Spec(), o.Rivals)
		if err != nil {
			c, err = Shrink(c)
		}
		var free []Result
		if o.Rivals {
			s := Case{Seed: seed, Off: c.Off | policies}.Spec()
			s.Observed = false
			free, _ = playAll(s, true) // not observed: nothing is asserted, so there is no error
		}
		mu.Lock()
		defer mu.Unlock()
		rep.add(c, results, err)
		rep.Free = addRows(rep.Free, free)
		return len(rep.Failures) < maxFailures
	})
	for _, rate := range []float64{0.02, 0.1, 0.3} {
		for _, k := range five {
			rep.Spikes = append(rep.Spikes, figure(fmt.Sprintf("spike to %g/s, %s", rate*50, k.name), Spike(o.Seed, rate, k.kinds...)))
		}
	}
	for _, k := range five {
		rep.Weeks = append(rep.Weeks, figure("quiet week, "+k.name, QuietWeek(o.Seed, k.kinds...)))
	}
	return rep
}

// each calls play for every seed until it says stop.
func each(o Options, play func(seed uint64) bool) {
	var next atomic.Int64
	var stop atomic.Bool
	var group sync.WaitGroup
	for range o.Workers {
		group.Go(func() {
			for !stop.Load() {
				i := next.Add(1) - 1
				if i >= int64(o.Worlds) {
					return
				}
				if !play(o.Seed + uint64(i)) {
					stop.Store(true)
				}
			}
		})
	}
	group.Wait()
}

func playAll(s Spec, rivals bool) ([]Result, error) {
	r, err := Play(s)
	results := []Result{r}
	if rivals {
		for _, rival := range Rivals {
			results = append(results, PlayRival(s, rival))
		}
	}
	return results, err
}

func (rep *Report) add(c Case, results []Result, err error) {
	rep.Worlds++
	rep.Holds += results[0].Holds
	if err != nil {
		rep.Failures = append(rep.Failures, Failure{c, err})
	} else {
		rep.Rested++
	}
	rep.Rows = addRows(rep.Rows, results)
}

// addRows adds one world's results to the rows of their keepers.
func addRows(rows []Row, results []Result) []Row {
	if rows == nil {
		rows = make([]Row, len(results))
	}
	for i, r := range results {
		row := &rows[i]
		row.Keeper = r.Keeper
		row.Asked += r.Asked
		row.Sold += r.Sold
		row.Lost += r.Lost
		row.Oversold += r.Oversold
		row.Pushes += r.Pushes
		if r.Oversold > 0 {
			row.OversoldWorlds++
		}
	}
	return rows
}

func figure(name string, s Spec) Figure {
	f := Figure{Name: name}
	f.Spillway, _ = Play(s) // not observed: nothing is asserted, so there is no error
	f.Copy, f.Best = PlayRival(s, CopyOnEvent), PlayRival(s, Oracle)
	return f
}

// Format renders the report as plain tables. took is how long the run took; 0 leaves it out.
func (rep Report) Format(took time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d random worlds from seed %d: %d came to rest with told = desired everywhere, %d live holds, %d failures",
		rep.Worlds, rep.Seed, rep.Rested, rep.Holds, len(rep.Failures))
	if took > 0 {
		fmt.Fprintf(&b, ", %.1f s", took.Seconds())
	}
	b.WriteString("\n")
	table := func(title string, rows []Row) {
		fmt.Fprintf(&b, "\n%-28s %9s %8s %9s %9s %9s\n", title, "oversold", "worlds", "sold", "refused", "pushes")
		for _, r := range rows {
			fmt.Fprintf(&b, "%-28s %9d %8d %9d %9d %9d\n", r.Keeper, r.Oversold, r.OversoldWorlds, r.Sold, r.Lost, r.Pushes)
		}
	}
	table("random worlds", rep.Rows)
	if rep.Free != nil {
		table("without policies", rep.Free)
	}
	for _, figures := range [][]Figure{rep.Spikes, rep.Weeks} {
		fmt.Fprintf(&b, "\n%-28s %9s %8s %9s %9s %8s %14s\n", "500 units, five channels", "oversold", "sold", "of oracle", "pushes", "copying", "copy oversold")
		for _, f := range figures {
			fmt.Fprintf(&b, "%-28s %9d %8d %8.1f%% %9d %8d %14d\n", f.Name, f.Spillway.Oversold, f.Spillway.Sold, f.Share(),
				f.Spillway.Pushes, f.Copy.Pushes, f.Copy.Oversold)
		}
	}
	for _, f := range rep.Failures {
		fmt.Fprintf(&b, "\nFAILED %v %v\n", f.Case, f.Err)
	}
	return b.String()
}
