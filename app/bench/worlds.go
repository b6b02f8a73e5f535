package bench

import (
	"fmt"
	"io"
	"time"

	"github.com/spillway/spillway/internal/worlds"
	"github.com/spillway/spillway/kit/errs"
)

// WorldsOptions say how many random worlds are played.
type WorldsOptions struct {
	Worlds int
	Seed   uint64
	Report *Report
	Out    io.Writer
}

// Worlds plays random worlds under Spillway's rules and its rivals', and fails if a rule was broken or a unit oversold. What it found is written to Out in the
// form that the test of the worlds has, and again as tables for programs.
func Worlds(o WorldsOptions) error {
	began := time.Now()
	found := worlds.Run(worlds.Options{Worlds: o.Worlds, Seed: o.Seed, Rivals: true})
	fmt.Fprint(o.Out, found.Format(time.Since(began)))
	table := func(name string) *Table {
		t := o.Report.table(name)
		t.told = true
		return t
	}
	table("played").row("random worlds", only("worlds", found.Worlds), only("rested", found.Rested), only("live_holds", found.Holds), only("failures", len(found.Failures)))
	for i, name := range []string{"random worlds", "without policies"} {
		t := table(name)
		for _, r := range [][]worlds.Row{found.Rows, found.Free}[i] {
			t.row(fmt.Sprint(r.Keeper), only("oversold", r.Oversold), only("worlds_oversold", r.OversoldWorlds), only("sold", r.Sold), only("refused", r.Lost), only("pushes", r.Pushes))
		}
	}
	for i, name := range []string{"spikes", "weeks"} {
		t := table(name)
		for _, f := range [][]worlds.Figure{found.Spikes, found.Weeks}[i] {
			t.row(f.Name, only("oversold", f.Spillway.Oversold), only("sold", f.Spillway.Sold), only("percent_of_oracle", f.Share()), only("pushes", f.Spillway.Pushes),
				only("copying_pushes", f.Copy.Pushes), only("copying_oversold", f.Copy.Oversold))
		}
	}
	oversold := 0
	if len(found.Rows) > 0 {
		oversold = found.Rows[0].Oversold
	}
	if len(found.Failures) > 0 || oversold > 0 {
		return errs.New(errs.Internal, "bench worlds", "", "%d worlds broke a rule, %d units were oversold", len(found.Failures), oversold)
	}
	return nil
}
