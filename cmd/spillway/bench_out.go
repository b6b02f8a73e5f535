package main

import (
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/spillway/spillway/app/bench"
	"github.com/spillway/spillway/kit/errs"
)

// benchOut is how every bench tells what it found.
type benchOut struct {
	JSON bool   `help:"Print JSON instead of tables: figures, machine, versions, settings."`
	Save string `help:"Write that JSON here too." type:"path"`
}

// measure runs a bench and tells what it found, also where it failed. How it goes on is written to standard output, or beside it where that is for JSON.
func (b benchOut) measure(k *kong.Context, run func(r *bench.Report, out io.Writer) error) error {
	r := bench.NewReport(k.Selected().Name, version(), settingsOf(k.Selected()))
	out := os.Stdout
	if b.JSON {
		out = os.Stderr
	}
	err := run(r, out)
	r.End(err)
	switch {
	case b.JSON:
		err = errors.Join(err, r.WriteJSON(os.Stdout))
	case len(r.Tables) > 0:
		err = errors.Join(err, r.Print(os.Stdout))
	}
	if b.Save != "" {
		err = errors.Join(err, save(b.Save, r.WriteJSON))
	}
	return err
}

func save(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return errs.Wrap("bench", path, err)
	}
	return errors.Join(write(f), errs.Wrap("bench", path, f.Close()))
}

// settingsOf are the flags of a command as they count: those given, and the defaults of the others.
func settingsOf(n *kong.Node) map[string]any {
	out := map[string]any{}
	for _, f := range n.Flags {
		switch v := f.Target.Interface().(type) {
		case time.Duration:
			out[f.Name] = v.String()
		case string:
			if strings.Contains(v, "://") {
				v = bench.Redacted(v)
			}
			out[f.Name] = v
		default:
			out[f.Name] = v
		}
	}
	for _, name := range []string{"help", "json", "save", "profile"} { // of these no figure depends
		delete(out, name)
	}
	return out
}
