// Package policy holds the rules TikTok Shop sets its sellers, one YAML file a market, named by its ISO 3166 code. They are data: what the fields mean and how to change them
// is in docs/guides/policy.md, where the facts come from is in each file. Nothing is decided here.
package policy

import (
	"embed"
	"io/fs"
	"strings"

	"github.com/spillway/spillway/connector/driver"
)

//go:embed *.yaml
var files embed.FS

// All are the rule sets, in the order of their markets. They are read once: nobody may change them.
func All() []driver.Policy { return all }

var all = read()

func read() []driver.Policy {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	var out []driver.Policy
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			panic(err) // it was just listed, and is part of the program
		}
		out = append(out, driver.Policy{Market: strings.ToUpper(strings.TrimSuffix(name, ".yaml")), YAML: text})
	}
	return out
}
