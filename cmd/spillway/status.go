package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/store"
)

type statusCmd struct {
	home
	JSON bool `help:"Print JSON, for machines."`
}

func (c *statusCmd) Run(e *env) error {
	st, err := openWith(e, c.home, store.Options{Replica: c.Replica})
	if err != nil {
		return err
	}
	defer st.Close()
	s, err := ops.ReadStatus(e.ctx, st)
	if err != nil {
		return err
	}
	if c.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(s)
	}
	if err := printStatus(os.Stdout, s); err != nil {
		return err
	}
	if line := replicaLine(e.ctx, st); line != "" {
		fmt.Println("\n" + line)
	}
	return nil
}

func printStatus(out io.Writer, s ops.Status) error {
	age := func(at time.Time) string {
		if at.IsZero() {
			return "-"
		}
		return s.At.Sub(at).Round(100 * time.Millisecond).String()
	}
	name := map[string]string{}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	switch {
	case !s.Shared && s.Running:
		fmt.Fprintln(t, "One process is running and works every connection: the database serves one.")
	case !s.Shared:
		fmt.Fprintln(t, "No process is running.")
	default:
		fmt.Fprintln(t, "PROCESS\tVERSION\tROLE\tSTATE\tSTARTED\tSEEN\tCONNECTIONS\tKEEPS HOUSE")
		for _, p := range s.Processes {
			state, keeps := "alive", ""
			if !p.Alive {
				state = "gone"
			}
			if p.ID == s.Scheduler {
				keeps = "yes"
			}
			name[p.ID] = p.Host + ":" + strconv.FormatInt(p.PID, 10)
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s ago\t%s ago\t%d\t%s\n", name[p.ID], p.Version, p.Role, state, age(p.Started), age(p.Seen), p.Owns, keeps)
		}
	}
	fmt.Fprintln(t, "\nCONNECTION\tSTATE\tOWNER\tSINCE\tTOKEN\tINBOX\tOLDEST\tBEING TOLD\tSWEPT\tFAILING")
	for _, c := range s.Connections {
		owner, swept, failing := "-", "-", ""
		if c.Owner != "" {
			owner = cmp.Or(name[c.Owner], c.Owner)
		}
		if r := c.LastReport; r != nil {
			swept, failing = age(r.SweptAt), r.Failing
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%d\t%s\t%s\n", cmp.Or(c.ID, "(none)"), c.State, owner, age(c.Since), c.Token, c.Pending, age(c.Oldest), c.Telling, swept, failing)
	}
	if !s.Upkeep.At.IsZero() {
		fmt.Fprintf(t, "\nDatabase kept in shape %s ago: %s\n", age(s.Upkeep.At), s.Upkeep)
	}
	if s.Parked > 0 {
		fmt.Fprintf(t, "\n%d messages are set aside for a person: spillway inbox list\n", s.Parked)
	}
	return t.Flush()
}
